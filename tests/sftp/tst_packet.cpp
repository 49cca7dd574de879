// Packets of SFTP: what we write, what we read, and what is refused.
#include "sftp/packet.h"

#include "session/sshwire.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

QByteArray number(quint32 value)
{
    return SshWire::number(value);
}

QByteArray string(QByteArrayView value)
{
    return SshWire::string(value);
}

QByteArray packetOf(SftpType type, const QByteArray &body)
{
    return QByteArray(1, char(type)) + number(7) + body;
}

// What a request says, written by hand.
QByteArray framed(const QByteArray &packet)
{
    return string(packet);
}

} // namespace

class TestPacket : public QObject
{
    Q_OBJECT
private slots:
    void aRequestIsWrittenAsTheDraftHasIt()
    {
        FileAttributes attributes;
        attributes.size = 0x1122334455667788;
        attributes.owner = FileOwner{1, 2};
        attributes.mode = 0644;
        attributes.times = FileTimes{3, 4};
        SftpRequest request(SftpType::Open);
        request.string("/a").number(SftpOpen::Write | SftpOpen::Create).attributes(attributes);
        QCOMPARE(request.take(7).toHex(),
                 framed(packetOf(SftpType::Open,
                                 string("/a") + number(0x0a) + number(0x0f) + number(0x11223344) + number(0x55667788) + number(1) + number(2)
                                         + number(0644) + number(3) + number(4)))
                         .toHex());
    }

    void whatIsNotSetIsNotWritten()
    {
        SftpRequest request(SftpType::Mkdir);
        request.string("d").attributes({});
        QCOMPARE(request.take(7).toHex(), framed(packetOf(SftpType::Mkdir, string("d") + number(0))).toHex());
    }

    void aStatusIsRead_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<quint32>("code");
        QTest::addColumn<QString>("words");
        QTest::newRow("as it should be") << number(4) + string("Failure") + string("en") << 4u << u"Failure"_s;
        QTest::newRow("without a language") << number(4) + string("Failure") << 4u << u"Failure"_s;
        QTest::newRow("version 2") << number(2) << 2u << QString();
        QTest::newRow("a code of version 6") << number(11) + string("exists") + string("") << 11u << u"exists"_s;
        QTest::newRow("tamed") << number(4) + string("a\x1b[2Jb") + string("") << 4u << u"a [2Jb"_s;
    }
    void aStatusIsRead()
    {
        QFETCH(QByteArray, body);
        const Result<SftpReply> reply = readSftpReply(packetOf(SftpType::Status, body));
        QVERIFY(reply.has_value());
        QCOMPARE(reply->id, 7u);
        const auto *status = std::get_if<SftpStatus>(&reply->body);
        QVERIFY(status);
        QTEST(status->code, "code");
        QTEST(status->words, "words");
    }

    void attributesAreRead()
    {
        const QByteArray extended = number(2) + string("acl@example") + string("x") + string("b") + string("");
        const Result<SftpReply> reply = readSftpReply(
                packetOf(SftpType::Attrs, number(0x8000000f) + number(0) + number(5) + number(1) + number(2) + number(0100644) + number(3) + number(4) + extended));
        QVERIFY(reply.has_value());
        const auto *read = std::get_if<FileAttributes>(&reply->body);
        QVERIFY(read);
        QCOMPARE(read->size, 5u);
        QCOMPARE(read->owner, (FileOwner{1, 2}));
        QCOMPARE(read->type(), FileType::File);
        QCOMPARE(read->times, (FileTimes{3, 4}));
    }

    void namesAreReadByteForByte()
    {
        QByteArray all;
        for (int byte = 0; byte < 256; ++byte)
            all += char(byte);
        const Result<SftpReply> reply = readSftpReply(packetOf(SftpType::Name, number(2) + string(all) + string("line") + number(0) + string("") + string("") + number(4) + number(0040755)));
        QVERIFY(reply.has_value());
        const auto *names = std::get_if<QList<FileEntry>>(&reply->body);
        QVERIFY(names);
        QCOMPARE(names->size(), 2);
        QCOMPARE(names->at(0).name, all);
        QVERIFY(names->at(1).attributes.isFolder());
    }

    void whatIsNoAnswerIsRefused_data()
    {
        QTest::addColumn<QByteArray>("packet");
        const QByteArray attributes = number(0x0f) + number(0) + number(5) + number(1) + number(2) + number(0644) + number(3) + number(4);
        QTest::newRow("empty") << ""_ba;
        QTest::newRow("only a type") << QByteArray(1, char(SftpType::Status));
        QTest::newRow("half an id") << QByteArray(1, char(SftpType::Data)) + "\0\0"_ba;
        QTest::newRow("status without a code") << packetOf(SftpType::Status, {});
        QTest::newRow("status with words that are not there") << packetOf(SftpType::Status, number(4) + number(0xffffffff) + "x");
        QTest::newRow("handle cut off") << packetOf(SftpType::Handle, number(9) + "abc");
        QTest::newRow("handle too long") << packetOf(SftpType::Handle, string(QByteArray(257, 'h')));
        QTest::newRow("data longer than the packet") << packetOf(SftpType::Data, number(0xffffffff) + "abc");
        QTest::newRow("data without a length") << packetOf(SftpType::Data, "ab");
        QTest::newRow("4 billion names") << packetOf(SftpType::Name, number(0xffffffff));
        QTest::newRow("more names than there are") << packetOf(SftpType::Name, number(2) + string("a") + string("b") + number(0));
        QTest::newRow("more names than fit, in many bytes") << packetOf(SftpType::Name, number(3) + string(QByteArray(100, 'a')) + string("b") + number(0));
        QTest::newRow("attributes cut off") << packetOf(SftpType::Attrs, attributes.chopped(1));
        QTest::newRow("4 billion extended attributes") << packetOf(SftpType::Attrs, number(0x80000000) + number(0xffffffff));
        QTest::newRow("a request") << packetOf(SftpType::Open, string("/etc"));
        QTest::newRow("a version") << packetOf(SftpType::Version, {});
        QTest::newRow("unknown type") << packetOf(SftpType(199), {});
    }
    void whatIsNoAnswerIsRefused()
    {
        QFETCH(QByteArray, packet);
        const Result<SftpReply> reply = readSftpReply(packet);
        QVERIFY(!reply);
        QCOMPARE(reply.error().kind, ErrorKind::Protocol);
        QCOMPARE(reply.error().layer, Layer::Sftp);
        QVERIFY(!reply.error().detail.isEmpty());
    }

    void everyTruncationOfAnAnswerIsRefused()
    {
        const QByteArray whole = packetOf(SftpType::Name, number(1) + string("name") + string("line") + number(0x8000000f) + number(0) + number(5) + number(1)
                                                                  + number(2) + number(0644) + number(3) + number(4) + number(1) + string("k") + string("v"));
        QVERIFY(readSftpReply(whole).has_value());
        for (qsizetype size = 0; size < whole.size(); ++size)
            QVERIFY2(!readSftpReply(whole.first(size)), QByteArray::number(size).constData());
    }

    void packetsComeOutOfAnyPieces_data()
    {
        QTest::addColumn<int>("piece");
        for (const int piece : {1, 2, 3, 5, 7, 64, 1000, 1'000'000})
            QTest::addRow("%d", piece) << piece;
    }
    void packetsComeOutOfAnyPieces()
    {
        QFETCH(int, piece);
        QByteArrayList packets;
        for (const int size : {1, 4, 5, 100, int(SftpFramer::largestPacket), 3})
            packets += QByteArray(size, char('a' + packets.size()));
        QByteArray stream;
        for (const QByteArray &packet : packets)
            stream += framed(packet);
        SftpFramer framer;
        QByteArrayList seen;
        for (qsizetype at = 0; at < stream.size(); at += piece) {
            const Done fed = framer.feed(QByteArrayView(stream).mid(at, piece), [&](QByteArrayView packet) {
                seen += packet.toByteArray();
                return true;
            });
            QVERIFY(fed);
        }
        QCOMPARE(seen, packets);
        QCOMPARE(framer.held(), 0);
    }

    void aLengthThatNoPacketHasIsRefused_data()
    {
        QTest::addColumn<quint32>("length");
        QTest::newRow("0") << 0u;
        QTest::newRow("one more than 257 KiB") << SftpFramer::largestPacket + 1;
        QTest::newRow("2^31") << 0x80000000u;
        QTest::newRow("2^32 - 1") << 0xffffffffu;
        QTest::newRow("letters") << 0x57656c63u;
    }
    void aLengthThatNoPacketHasIsRefused()
    {
        QFETCH(quint32, length);
        for (const int piece : {1, 100}) {
            SftpFramer framer;
            const QByteArray stream = number(length) + QByteArray(96, 'x');
            bool isRefused = false;
            for (qsizetype at = 0; at < stream.size(); at += piece) {
                const Done fed = framer.feed(QByteArrayView(stream).mid(at, piece), [](QByteArrayView) { return true; });
                isRefused = isRefused || !fed;
                QCOMPARE(!fed, at + piece >= 4);
            }
            QVERIFY(isRefused);
        }
    }
};

QTEST_GUILESS_MAIN(TestPacket)
#include "tst_packet.moc"

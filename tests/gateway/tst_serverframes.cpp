#include "gateway/serverframes.h"

#include <QTest>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

class TestServerFrames : public QObject
{
    Q_OBJECT

private slots:
    void messagesComeOutWhole_howeverTheyAreCut_data();
    void messagesComeOutWhole_howeverTheyAreCut();
    void brokenFramesAreRefused_data();
    void brokenFramesAreRefused();
    void controlFramesPassBetweenFragments();
    void closeSaysItsCodeAndReason();
    void framesWrittenHaveTheShortestLength();
    void handshakeKeyIsAnsweredAsTheStandardSays();
};

namespace {

QByteArray masked(int first, const QByteArray &payload, int lengthForm = 0)
{
    QByteArray frame(1, char(first));
    if (lengthForm == 0)
        lengthForm = payload.size() < 126 ? 7 : payload.size() < 65536 ? 16 : 64;
    if (lengthForm == 7)
        frame.append(char(0x80 | payload.size()));
    if (lengthForm == 16)
        frame.append(char(0xfe)).append(char(payload.size() >> 8)).append(char(payload.size()));
    if (lengthForm == 64) {
        frame.append(char(0xff));
        for (int shift = 56; shift >= 0; shift -= 8)
            frame.append(char(quint64(payload.size()) >> shift));
    }
    const QByteArray mask = QByteArray::fromHex("a1b2c3d4");
    frame.append(mask);
    for (qsizetype i = 0; i < payload.size(); ++i)
        frame.append(char(payload.at(i) ^ mask.at(i & 3)));
    return frame;
}

} // namespace

void TestServerFrames::messagesComeOutWhole_howeverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("payload");
    const QByteArray medium(300, 'm');
    const QByteArray large(65536, 'l');
    QTest::newRow("empty") << masked(0x82, {}) << QByteArray();
    QTest::newRow("small") << masked(0x82, "hello") << QByteArray("hello");
    QTest::newRow("16-bit length") << masked(0x82, medium) << medium;
    QTest::newRow("the largest") << masked(0x82, large) << large;
    QTest::newRow("fragments") << masked(0x02, "he") + masked(0x00, {}) + masked(0x80, "llo") << QByteArray("hello");
}

void TestServerFrames::messagesComeOutWhole_howeverTheyAreCut()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QByteArray, payload);
    for (const qsizetype step : {qsizetype(1), qsizetype(3), qsizetype(1000), bytes.size()}) {
        if (step == 1 && bytes.size() > 1000)
            continue;
        ServerFrameParser parser(65536);
        QByteArray input;
        auto event = ServerFrameParser::Event::NeedMore;
        for (qsizetype from = 0; from < bytes.size(); from += step) {
            QCOMPARE(event, ServerFrameParser::Event::NeedMore);
            input.append(bytes.mid(from, step));
            event = parser.next(input);
        }
        QCOMPARE(event, ServerFrameParser::Event::Message);
        QCOMPARE(parser.kind(), FrameOpcode::Binary);
        QCOMPARE(parser.payload(), payload);
        QVERIFY(input.isEmpty());
    }
}

void TestServerFrames::brokenFramesAreRefused_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    QTest::newRow("unmasked") << QByteArray::fromHex("820568656c6c6f") << 1002;
    QTest::newRow("reserved bit") << masked(0xc2, "x") << 1002;
    QTest::newRow("unknown data opcode") << masked(0x83, "x") << 1002;
    QTest::newRow("unknown control opcode") << masked(0x8b, "x") << 1002;
    QTest::newRow("continuation of nothing") << masked(0x80, "x") << 1002;
    QTest::newRow("new message inside another") << masked(0x02, "x") + masked(0x82, "y") << 1002;
    QTest::newRow("long ping") << masked(0x89, QByteArray(126, 'p')) << 1002;
    QTest::newRow("fragmented ping") << masked(0x09, "p") << 1002;
    QTest::newRow("1 GiB frame header") << QByteArray::fromHex("82ff0000000040000000") << 1009;
    QTest::newRow("2^63 frame header") << QByteArray::fromHex("82ff8000000000000000") << 1009;
    QTest::newRow("one byte too large") << masked(0x82, QByteArray(65537, 'x')) << 1009;
    QTest::newRow("fragments too large together") << masked(0x02, QByteArray(65536, 'x')) + masked(0x80, "x") << 1009;
    QTest::newRow("close of one byte") << masked(0x88, "x") << 1002;
    QTest::newRow("close with a forbidden code") << masked(0x88, QByteArray::fromHex("03ed")) << 1002;
    QTest::newRow("close reason not UTF-8") << masked(0x88, QByteArray::fromHex("03e8ff")) << 1002;
    QTest::newRow("text not UTF-8") << masked(0x81, QByteArray::fromHex("c328")) << 1007;
}

void TestServerFrames::brokenFramesAreRefused()
{
    QFETCH(QByteArray, bytes);
    QFETCH(const int, code);
    ServerFrameParser parser(65536);
    QCOMPARE(parser.next(bytes), ServerFrameParser::Event::Refused);
    QCOMPARE(int(parser.closeCode()), code);
    QByteArray good = masked(0x82, "x");
    QCOMPARE(parser.next(good), ServerFrameParser::Event::Refused);
}

void TestServerFrames::controlFramesPassBetweenFragments()
{
    QByteArray input = masked(0x02, "he") + masked(0x89, "ping") + masked(0x80, "llo");
    ServerFrameParser parser(65536);
    QCOMPARE(parser.next(input), ServerFrameParser::Event::Message);
    QCOMPARE(parser.kind(), FrameOpcode::Ping);
    QCOMPARE(parser.payload(), "ping");
    QCOMPARE(parser.next(input), ServerFrameParser::Event::Message);
    QCOMPARE(parser.kind(), FrameOpcode::Binary);
    QCOMPARE(parser.payload(), "hello");
}

void TestServerFrames::closeSaysItsCodeAndReason()
{
    QByteArray input = masked(0x88, QByteArray::fromHex("03e8") + "bye");
    ServerFrameParser parser(65536);
    QCOMPARE(parser.next(input), ServerFrameParser::Event::Message);
    QCOMPARE(parser.kind(), FrameOpcode::Close);
    QCOMPARE(parser.closeCode(), quint16(1000));
    QCOMPARE(parser.closeReason(), "bye");
    input = masked(0x88, {});
    ServerFrameParser silent(65536);
    QCOMPARE(silent.next(input), ServerFrameParser::Event::Message);
    QCOMPARE(silent.closeCode(), quint16(1005));
}

void TestServerFrames::framesWrittenHaveTheShortestLength()
{
    QCOMPARE(serverFrame(FrameOpcode::Binary, "hi").toHex(), "82026869");
    QCOMPARE(serverFrame(FrameOpcode::Binary, QByteArray(126, 'x')).first(4).toHex(), "827e007e");
    QCOMPARE(serverFrame(FrameOpcode::Binary, QByteArray(65536, 'x')).first(10).toHex(), "827f0000000000010000");
    QCOMPARE(serverCloseFrame(1000, "exit:7").toHex(), "880803e8657869743a37");
    QCOMPARE(serverCloseFrame(1008, QByteArray(500, 'r')).size(), 127);
}

void TestServerFrames::handshakeKeyIsAnsweredAsTheStandardSays()
{
    QCOMPARE(webSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    QVERIFY(webSocketAccept("").isEmpty());
    QVERIFY(webSocketAccept("c2hvcnQ=").isEmpty());
    QVERIFY(webSocketAccept("not base64 at all!!").isEmpty());
}

QTEST_GUILESS_MAIN(TestServerFrames)
#include "tst_serverframes.moc"

// The client's side of SFTP without any network: what it asks for, what it takes, and what breaks it.
#include "sftp/protocol.h"

#include "session/sshwire.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

QByteArray number(quint32 value)
{
    return SshWire::number(value);
}

QByteArray string(QByteArrayView value)
{
    return SshWire::string(value);
}

QByteArray packet(SftpType type, const QByteArray &body)
{
    return string(QByteArray(1, char(type)) + body);
}

QByteArray status(quint32 id, quint32 code)
{
    return packet(SftpType::Status, number(id) + number(code) + string("words") + string(""));
}

QByteArray version(const QByteArrayList &extensions = {}, quint32 number3 = 3)
{
    QByteArray body = number(number3);
    for (const QByteArray &name : extensions)
        body += string(name) + string("1");
    return packet(SftpType::Version, body);
}

// A protocol with a clock of its own, which remembers what it heard.
struct Talk
{
    explicit Talk(const SftpPatience &patience = {}, const QByteArray &banner = "SSH-2.0-OpenSSH_10.0")
        : protocol(patience, {[this] { isReady = true; }, [this](const Error &error) { ends.append(error); }})
    {
        protocol.open(banner, now);
    }
    void hear(const QByteArray &bytes) { protocol.receive(bytes, now); }
    void ask(SftpType type = SftpType::Stat, int owner = 1)
    {
        protocol.request(std::move(SftpRequest(type).string("/x")), owner, now, [this, n = ++asked](const Result<SftpReply> &reply) {
            const auto *said = reply ? std::get_if<SftpStatus>(&reply->body) : nullptr;
            answers += QByteArray::number(n) + (reply ? said ? ":" + QByteArray::number(said->code) : ":other"_ba : ":" + nameOf(reply.error().kind).toLatin1());
        });
    }
    // What it sends now, packet for packet, without lengths.
    [[nodiscard]] QByteArrayList said()
    {
        QByteArrayList packets;
        SftpFramer framer;
        while (!protocol.output().isEmpty()) {
            const qsizetype piece = std::min<qsizetype>(3, protocol.output().size());
            if (!framer.feed(protocol.output().first(piece), [&](QByteArrayView one) { packets += one.toByteArray(); return true; }))
                return {};
            protocol.sent(piece, now);
        }
        return packets;
    }

    SftpProtocol::Time now{1h};
    bool isReady = false;
    QList<Error> ends;
    int asked = 0;
    QByteArrayList answers;
    SftpProtocol protocol;
};

} // namespace

class TestProtocol : public QObject
{
    Q_OBJECT
private slots:
    void theFirstWordIsOurVersion()
    {
        Talk talk;
        QCOMPARE(talk.said(), QByteArrayList{QByteArray(1, char(SftpType::Init)) + number(3)});
        QVERIFY(!talk.isReady);
        talk.hear(version({"fsync@openssh.com", "unheard@of"}));
        QVERIFY(talk.isReady);
        QVERIFY(talk.protocol.server().has(SftpExtension::Fsync));
        QVERIFY(!talk.protocol.server().has(SftpExtension::CopyData));
        QCOMPARE(talk.said(), QByteArrayList());
    }

    void limitsAreAskedForAndKept_data()
    {
        QTest::addColumn<QList<quint64>>("limits");
        QTest::addColumn<quint32>("read");
        QTest::addColumn<quint32>("write");
        QTest::newRow("OpenSSH") << QList<quint64>{262144, 261120, 261120, 1019} << 261120u << 261120u;
        QTest::newRow("does not say") << QList<quint64>{0, 0, 0, 0} << 261120u << 261120u;
        QTest::newRow("small") << QList<quint64>{34000, 1000, 500, 10} << 1000u << 500u;
        QTest::newRow("boundless") << QList<quint64>{~0ull, ~0ull, ~0ull, ~0ull} << 261120u << 261120u;
        QTest::newRow("cut off") << QList<quint64>{262144, 261120} << 32768u << 32768u;
    }
    void limitsAreAskedForAndKept()
    {
        QFETCH(QList<quint64>, limits);
        Talk talk;
        talk.hear(version({"limits@openssh.com"}));
        QCOMPARE(talk.protocol.server().mostRead, 32768u);
        QCOMPARE(talk.said().last(), QByteArray(1, char(SftpType::Extended)) + number(1) + string("limits@openssh.com"));
        QByteArray body = number(1);
        for (const quint64 limit : std::as_const(limits))
            body += number(quint32(limit >> 32)) + number(quint32(limit));
        talk.hear(packet(SftpType::ExtendedReply, body));
        QTEST(talk.protocol.server().mostRead, "read");
        QTEST(talk.protocol.server().mostWrite, "write");
        QVERIFY(talk.ends.isEmpty());
    }

    void smallRequestsTravelTogether()
    {
        Talk talk;
        talk.hear(version());
        (void)talk.said();
        for (int i = 0; i < 5000; ++i)
            talk.ask();
        int pieces = 0;
        qsizetype bytes = 0;
        while (!talk.protocol.output().isEmpty()) {
            bytes += talk.protocol.output().size();
            QVERIFY(talk.protocol.output().size() < 40'000);
            talk.protocol.sent(talk.protocol.output().size(), talk.now);
            ++pieces;
        }
        QCOMPARE(bytes, 5000 * 15);
        QVERIFY2(pieces < 6, QByteArray::number(pieces).constData());
        QCOMPARE(talk.protocol.unsent(), 0);
    }

    void answersAreMatchedInAnyOrder()
    {
        Talk talk;
        talk.hear(version());
        for (int i = 0; i < 4; ++i)
            talk.ask();
        QCOMPARE(talk.said().size(), 5);
        QVERIFY(talk.answers.isEmpty());
        talk.hear(status(3, 2) + status(1, 0));
        talk.hear(status(4, 3));
        talk.hear(status(2, 4));
        QCOMPARE(talk.answers, (QByteArrayList{"3:2", "1:0", "4:3", "2:4"}));
        QVERIFY(!talk.protocol.nextDeadline());
    }

    void whatNobodyAskedForBreaksTheConnection_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("unknown id") << status(77, 0);
        QTest::newRow("id 0") << status(0, 0);
        QTest::newRow("the same answer twice") << status(1, 0) + status(1, 0);
        QTest::newRow("another version") << version();
        QTest::newRow("a request") << packet(SftpType::Open, number(1) + string("/etc"));
        QTest::newRow("truncated") << packet(SftpType::Attrs, number(1) + number(1));
        QTest::newRow("no length") << number(0);
        QTest::newRow("endless") << number(0xffffffff);
    }
    void whatNobodyAskedForBreaksTheConnection()
    {
        QFETCH(QByteArray, bytes);
        Talk talk;
        talk.hear(version());
        talk.ask();
        talk.ask();
        talk.hear(bytes);
        QCOMPARE(talk.ends.size(), 1);
        QCOMPARE(talk.ends.first().kind, ErrorKind::Protocol);
        QCOMPARE(talk.ends.first().layer, Layer::Sftp);
        QVERIFY(!talk.ends.first().detail.isEmpty());
        // Each request has had its one answer.
        QCOMPARE(talk.answers.size(), 2);
        talk.hear(status(2, 0));
        talk.protocol.expire(talk.now + 1000h);
        QCOMPARE(talk.answers.size(), 2);
        QCOMPARE(talk.ends.size(), 1);
        QVERIFY(talk.protocol.output().isEmpty());
    }

    void whatIsNoSftpIsSaid_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<QString>("words");
        QTest::newRow("a greeting") << "Welcome to this server\n"_ba << ErrorKind::Protocol << u"Welcome to this server"_s;
        QTest::newRow("an answer") << status(1, 0) << ErrorKind::Protocol << u"version"_s;
        QTest::newRow("version 6") << version({}, 6) << ErrorKind::Unsupported << u"version 6"_s;
        QTest::newRow("version 2") << version({}, 2) << ErrorKind::Unsupported << u"version 2"_s;
        QTest::newRow("truncated extension") << packet(SftpType::Version, number(3) + number(9) + "abc") << ErrorKind::Protocol << u"version"_s;
    }
    void whatIsNoSftpIsSaid()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(ErrorKind, kind);
        QFETCH(QString, words);
        for (const qsizetype piece : {qsizetype(1), qsizetype(bytes.size())}) {
            Talk talk;
            for (qsizetype at = 0; at < bytes.size(); at += piece)
                talk.hear(bytes.mid(at, piece));
            QCOMPARE(talk.ends.size(), 1);
            QCOMPARE(talk.ends.first().kind, kind);
            // One byte at a time, only the length of the packet is known.
            const bool isLength = piece == 1 && bytes.startsWith('W');
            QVERIFY2(talk.ends.first().detail.contains(isLength ? u"Welc"_s : words), qPrintable(talk.ends.first().detail));
        }
    }

    void aRequestThatIsNotAnsweredEndsInTime()
    {
        Talk talk({.silence = 60s, .longest = 600s});
        talk.hear(version());
        talk.ask();
        (void)talk.said();
        QCOMPARE(talk.protocol.nextDeadline(), talk.now + 60s);
        talk.protocol.expire(talk.now + 59s);
        QVERIFY(talk.answers.isEmpty());
        talk.now += 60s;
        talk.protocol.expire(talk.now);
        QCOMPARE(talk.answers, QByteArrayList{"1:timeout"});
        // It may come late, and then it is no answer to nothing.
        talk.hear(status(1, 0));
        QVERIFY(talk.ends.isEmpty());
        QCOMPARE(talk.answers.size(), 1);
    }

    void aSlowNetworkIsNoSilence()
    {
        Talk talk({.silence = 60s, .longest = 600s});
        talk.hear(version());
        talk.ask();
        for (int i = 0; i < 9; ++i) {
            talk.now += 59s;
            talk.ask();
            talk.hear(status(quint32(i) + 2, 0)); // of somebody else
            talk.protocol.expire(talk.now);
        }
        QCOMPARE(talk.answers.size(), 9);
        talk.now += 70s; // 601 s
        talk.protocol.expire(talk.now);
        QCOMPARE(talk.answers.last(), "1:timeout");
    }

    void aYoungerRequestDoesNotWaitForAnOlderOne()
    {
        Talk talk({.silence = 60s, .longest = 600s});
        talk.hear(version());
        talk.ask();
        talk.now += 30s;
        talk.ask();
        talk.now += 30s;
        talk.protocol.expire(talk.now);
        QCOMPARE(talk.answers, QByteArrayList{"1:timeout"});
        QCOMPARE(talk.protocol.nextDeadline(), talk.now + 30s);
        talk.now += 30s;
        talk.protocol.expire(talk.now);
        QCOMPARE(talk.answers, (QByteArrayList{"1:timeout", "2:timeout"}));
        // And who does not even answer late is gone.
        talk.now += 60s;
        talk.protocol.expire(talk.now);
        QCOMPARE(talk.ends.size(), 1);
        QCOMPARE(talk.ends.first().kind, ErrorKind::ConnectionLost);
    }

    void aServerThatSaysNothingIsGivenUp()
    {
        Talk talk;
        QVERIFY(talk.protocol.nextDeadline());
        talk.protocol.expire(*talk.protocol.nextDeadline());
        QCOMPARE(talk.ends.size(), 1);
        QCOMPARE(talk.ends.first().kind, ErrorKind::Timeout);
    }

    void anAbandonedHandleIsClosed()
    {
        Talk talk;
        talk.hear(version());
        talk.ask(SftpType::Open, 5);
        talk.ask(SftpType::Stat, 6);
        (void)talk.said();
        talk.protocol.abandon(5, talk.now);
        talk.hear(packet(SftpType::Handle, number(1) + string("late")));
        QCOMPARE(talk.said(), QByteArrayList{QByteArray(1, char(SftpType::Close)) + number(3) + string("late")});
        QVERIFY(talk.answers.isEmpty());
        talk.hear(status(3, 0) + status(2, 0));
        QCOMPARE(talk.answers, QByteArrayList{"2:0"});
        QVERIFY(talk.ends.isEmpty());
    }

    void aServerThatOwesTooManyAnswersIsGivenUp()
    {
        Talk talk;
        talk.hear(version());
        for (int i = 0; i < 4097; ++i)
            talk.ask(SftpType::Stat, 5);
        talk.protocol.abandon(5, talk.now);
        QCOMPARE(talk.ends.size(), 1);
        QVERIFY(talk.answers.isEmpty());
    }

    void anAnswerMayAskAgain()
    {
        Talk talk;
        talk.hear(version());
        QByteArrayList heard;
        talk.protocol.request(SftpRequest(SftpType::Stat), 1, talk.now, [&](const Result<SftpReply> &) {
            talk.protocol.abandon(1, talk.now);
            talk.protocol.request(SftpRequest(SftpType::Lstat), 2, talk.now, [&](const Result<SftpReply> &) { heard += "second"; });
            heard += "first";
        });
        talk.hear(status(1, 0) + status(2, 0));
        QCOMPARE(heard, (QByteArrayList{"first", "second"}));
    }

    void theOrderOfASymlinkIsTheServers_data()
    {
        QTest::addColumn<QByteArray>("banner");
        QTest::addColumn<QStringList>("extensions");
        QTest::addColumn<SymlinkOrder>("order");
        const QStringList ofOpenSsh{u"posix-rename@openssh.com"_s, u"fstatvfs@openssh.com"_s};
        QTest::newRow("OpenSSH") << "SSH-2.0-OpenSSH_10.0p1 Debian-7"_ba << ofOpenSsh << SymlinkOrder::TargetFirst;
        QTest::newRow("OpenSSH without extensions") << "SSH-2.0-OpenSSH_3.9"_ba << QStringList() << SymlinkOrder::TargetFirst;
        QTest::newRow("OpenSSH of Windows") << "SSH-2.0-OpenSSH_for_Windows_9.5"_ba << ofOpenSsh << SymlinkOrder::TargetFirst;
        QTest::newRow("russh") << "SSH-2.0-russh_0.50.2"_ba << QStringList() << SymlinkOrder::LinkFirst;
        QTest::newRow("russh with extensions") << "SSH-2.0-Russh_0.50.2"_ba << ofOpenSsh << SymlinkOrder::LinkFirst;
        QTest::newRow("AsyncSSH") << "SSH-2.0-AsyncSSH_2.21.0"_ba << ofOpenSsh << SymlinkOrder::LinkFirst;
        QTest::newRow("node") << "SSH-2.0-ssh2js1.16.0srv"_ba << QStringList() << SymlinkOrder::LinkFirst;
        QTest::newRow("paramiko") << "SSH-2.0-paramiko_3.5.0"_ba << QStringList() << SymlinkOrder::TargetFirst;
        QTest::newRow("Go") << "SSH-2.0-Go"_ba << QStringList() << SymlinkOrder::TargetFirst;
        QTest::newRow("dropbear") << "SSH-2.0-dropbear_2025.88"_ba << ofOpenSsh << SymlinkOrder::TargetFirst;
        QTest::newRow("our gateway") << "SSH-2.0-libssh_0.11.5"_ba << ofOpenSsh << SymlinkOrder::TargetFirst;
        const QStringList ofPkgSftp{u"hardlink@openssh.com"_s, u"posix-rename@openssh.com"_s, u"statvfs@openssh.com"_s};
        QTest::newRow("pkg/sftp behind another banner") << "SSH-2.0-Tailscale"_ba << ofPkgSftp << SymlinkOrder::TargetFirst;
        QTest::newRow("libssh's own") << "SSH-2.0-libssh_0.11.1"_ba << ofPkgSftp << SymlinkOrder::LinkFirst;
        QTest::newRow("nobody knows") << "SSH-2.0-Example"_ba << QStringList() << SymlinkOrder::LinkFirst;
        QTest::newRow("no banner") << ""_ba << QStringList() << SymlinkOrder::LinkFirst;
        QTest::newRow("odd banner") << "SSH-2.0-"_ba << QStringList() << SymlinkOrder::LinkFirst;
    }
    void theOrderOfASymlinkIsTheServers()
    {
        QFETCH(QByteArray, banner);
        QFETCH(QStringList, extensions);
        SftpServer server;
        server.banner = banner;
        server.setExtensions(extensions);
        QTEST(server.symlinkOrder(), "order");
    }

    void aStatusHasAKind_data()
    {
        QTest::addColumn<quint32>("code");
        QTest::addColumn<ErrorKind>("kind");
        QTest::newRow("no such file") << 2u << ErrorKind::NotFound;
        QTest::newRow("permission") << 3u << ErrorKind::PermissionDenied;
        QTest::newRow("failure") << 4u << ErrorKind::ServerError;
        QTest::newRow("unsupported") << 8u << ErrorKind::Unsupported;
        QTest::newRow("exists, of version 6") << 11u << ErrorKind::Conflict;
        QTest::newRow("full, of version 6") << 14u << ErrorKind::QuotaExceeded;
        QTest::newRow("success in the wrong place") << 0u << ErrorKind::Protocol;
        QTest::newRow("unheard of") << 4711u << ErrorKind::ServerError;
    }
    void aStatusHasAKind()
    {
        QFETCH(quint32, code);
        const Error error = errorOf({code, {}}, u"/a"_s);
        QTEST(error.kind, "kind");
        QCOMPARE(error.layer, Layer::Sftp);
        QCOMPARE(error.subject, u"/a"_s);
        QVERIFY(!error.detail.isEmpty());
        QCOMPARE(errorOf({code, u"said"_s}, {}).detail, u"said"_s);
    }
};

QTEST_GUILESS_MAIN(TestProtocol)
#include "tst_protocol.moc"

// SSH over everything but plain TCP: programs, WebSockets and proxies, friendly and hostile, with real
// servers behind them. Nothing is left behind by any of it.
#include "session/sshlink.h"
#include "session/transportopening.h"

#include "tests/support/linkrun.h"
#include "tests/support/processwitness.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedproxy.h"
#include "tests/support/testsshd.h"
#include "tests/support/tunnelserver.h"

#include <QCryptographicHash>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int kPatience = 60'000;

QByteArray readAll(int fd, const QByteArray &until)
{
    QByteArray all;
    char buffer[4096];
    while (!all.contains(until)) {
        pollfd waiting = {fd, POLLIN, 0};
        if (::poll(&waiting, 1, kPatience) <= 0)
            break;
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0)
            break;
        all.append(buffer, got);
    }
    return all;
}

Waiting patient()
{
    return {std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatience), -1, [] { return false; }};
}

Result<OpenTransport> openScript(const QString &script)
{
    return openTransport(ProcessTransport{{u"/bin/sh"_s, u"-c"_s, script}, {{u"EXTRA"_s, u"yes"_s}}}, {}, ownEnvironment(), patient());
}

QByteArray greeting(const char *bytes, int size)
{
    return QByteArray(bytes, size);
}

const QByteArray kSocksOpen("\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x16", 10);

} // namespace

class TestTransports : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_server;
    RecordingPrompts m_prompts;
    QTemporaryDir m_dir;
    ProcessHoldings m_before;

    LinkOptions over(const TransportWish &transport) const
    {
        LinkOptions options = m_server->options();
        options.transport = transport;
        return options;
    }
    LinkOptions through(ProxySetting::Kind kind, quint16 port, const QString &user = {}, const QByteArray &password = {}) const
    {
        ProxySetting proxy{kind, u"127.0.0.1"_s, port, user, nullptr};
        if (!user.isEmpty())
            proxy.password = std::make_shared<Secret>(password);
        LinkOptions options = over(TcpTransport{proxy, SshAddressFamily::Any, {}});
        options.endpoint.host = u"box.invalid"_s; // only the proxy could know it
        options.connectTimeout = 20s;
        return options;
    }

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
    }
    void cleanupTestCase() { m_server.reset(); }
    void init() { m_before = ProcessHoldings::now(); }
    void cleanup() { QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().isWithin(m_before), kPatience); }

    void sshRunsOverAProgram_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("OpenSSH") << int(TestSshd::Kind::OpenSsh);
        QTest::newRow("dropbear") << int(TestSshd::Kind::Dropbear);
    }
    void sshRunsOverAProgram()
    {
        QFETCH(int, kind);
        const TestSshd server{TestSshd::Kind(kind)};
        SANDPIPER_NEED_SSHD(server);
        LinkOptions options = server.options();
        options.transport = ProcessTransport{server.stdioCommand(), {}};
        LinkRun run(options, {u"sh"_s, u"-c"_s, u"head -c 3000000 /dev/zero; exit 7"_s}, &m_prompts);
        QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
        QVERIFY2(run.ends.constFirst().exitCode == 7, run.why());
        QCOMPARE(run.output.size(), 3'000'000);
    }

    void sshRunsOverAProxyCommand()
    {
        const QString command = u"bash -c 'exec 3<>/dev/tcp/127.0.0.1/%1; cat <&3 & cat >&3; kill $!'"_s.arg(m_server->port());
        LinkRun run(over(CommandTransport{command}), {u"echo"_s, u"there"_s}, &m_prompts);
        QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
        QCOMPARE(run.output, QByteArray("there\n"));
    }

    void whatAProgramComplainsOfIsInTheError_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addColumn<QString>("words");
        QTest::addColumn<int>("kind");
        QTest::newRow("status and words") << u"sh -c 'echo no route to box >&2; exit 3'"_s << u"ProxyCommand ended with status 3: no route to box"_s << int(ErrorKind::Io);
        QTest::newRow("signal") << u"sh -c 'kill -9 $$'"_s << u"ended by signal 9"_s << int(ErrorKind::Io);
        QTest::newRow("not there") << u"/nonexistent/program"_s << u"status 127"_s << int(ErrorKind::NotFound);
        QTest::newRow("endless words") << u"sh -c 'head -c 1000000 /dev/zero | tr \"\\\\0\" y >&2; echo last >&2; exit 1'"_s << u"ylast"_s << int(ErrorKind::Io);
        QTest::newRow("hostile words") << u"printf \"\\033]0;x\\007evil\" >&2; false"_s << u"evil"_s << int(ErrorKind::Io);
    }
    void whatAProgramComplainsOfIsInTheError()
    {
        QFETCH(QString, command);
        QFETCH(QString, words);
        QFETCH(int, kind);
        LinkRun run(over(CommandTransport{command.startsWith(u"printf"_s) ? u"sh -c '"_s + command + u"'"_s : command}), {u"true"_s}, &m_prompts);
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QVERIFY2(run.errors.constFirst().detail.contains(words), run.why());
        QVERIFY(!run.errors.constFirst().detail.contains(u'\x1b'));
        QVERIFY(run.errors.constFirst().detail.size() <= 500);
        QCOMPARE(int(run.errors.constFirst().kind), kind);
    }

    void aProgramThatIsNotThereIsNamed()
    {
        LinkRun run(over(ProcessTransport{{u"/nonexistent/msb"_s, u"ssh"_s}, {}}), {u"true"_s}, &m_prompts);
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(run.errors.constFirst().kind, ErrorKind::NotFound);
        QCOMPARE(run.errors.constFirst().subject, u"/nonexistent/msb"_s);
    }

    void aProgramGetsItsWordsAsTheyAre()
    {
        const QString file = m_dir.filePath(u"$(touch x);`y` 'z'\n-rf"_s);
        const auto open = openTransport(ProcessTransport{{u"/bin/sh"_s, u"-c"_s, u"printf '%s' \"$1\"; printf END"_s, u"sh"_s, file}, {}}, {}, ownEnvironment(), patient());
        QVERIFY(open);
        QCOMPARE(readAll(open->descriptor.get(), "END"), file.toUtf8() + "END");
        QVERIFY(!openTransport(ProcessTransport{{u"/bin/echo"_s, u"a"_s + QChar(0) + u"b"_s}, {}}, {}, ownEnvironment(), patient()));
        QVERIFY(!openTransport(ProcessTransport{{}, {}}, {}, ownEnvironment(), patient()));
    }

    void aProgramInheritsNothingButTheEnvironment()
    {
        const auto open = openScript(u"echo $EXTRA; ls /proc/self/fd | tr '\\n' ' '; grep SigIgn /proc/self/status; grep SigBlk /proc/self/status; test $$ = $(cut -d' ' -f6 /proc/$$/stat) && echo LEADER; echo END"_s);
        QVERIFY(open);
        const QByteArray said = readAll(open->descriptor.get(), "END");
        QVERIFY2(said.startsWith("yes\n0 1 2 3 "), said); // 3 is what ls reads
        QVERIFY2(said.contains("SigIgn:\t0000000000000000") && said.contains("SigBlk:\t0000000000000000"), said);
        QVERIFY2(said.contains("LEADER"), said);
    }

    void aProgramThatHoldsOnIsEndedInTheEnd_data()
    {
        QTest::addColumn<QString>("script");
        QTest::newRow("ignores the end of its input") << u"echo READY; exec sleep 1000"_s;
        QTest::newRow("ignores TERM too") << u"trap '' TERM HUP; echo READY; while :; do sleep 1000; done"_s;
        QTest::newRow("its own child holds on") << u"sleep 1000 & echo READY; wait"_s;
    }
    void aProgramThatHoldsOnIsEndedInTheEnd()
    {
        QFETCH(QString, script);
        auto open = openScript(u"echo $$ >'%1'; "_s.arg(m_dir.filePath(u"pid"_s)) + script);
        QVERIFY(open);
        QVERIFY(readAll(open->descriptor.get(), "READY").contains("READY"));
        QFile pid(m_dir.filePath(u"pid"_s));
        QVERIFY(pid.open(QIODevice::ReadOnly));
        const QString process = u"/proc/%1"_s.arg(pid.readAll().trimmed().toInt());
        QVERIFY(QFile::exists(process));
        *open = {};
        QTRY_VERIFY_WITH_TIMEOUT(!QFile::exists(process), kPatience);
    }

    void sshRunsOverAWebSocket()
    {
        TunnelServer server(m_server->stdioCommand());
        WebSocketRequest request;
        request.url = server.url();
        request.headers = {{"X-Extra", "one"}};
        const QByteArray blob(2'000'000, 'x');
        {
            LinkRun run(over(WebSocketTransport{request}), {u"sh"_s, u"-c"_s, u"head -c 2000000 | tr x y; exit 5"_s}, &m_prompts);
            run.command->writeInput(blob);
            run.command->closeInput();
            QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
            QVERIFY2(run.ends.constFirst().exitCode == 5, run.why());
            QCOMPARE(run.output, QByteArray(2'000'000, 'y'));
        }
        QTRY_COMPARE_WITH_TIMEOUT(server.closeCodes, QList<int>{1000}, kPatience);
        QVERIFY(server.frames > 60 && server.largestFrame <= 32 << 10);
        QCOMPARE(server.emptyFrames, 0);
        QCOMPARE(server.textFrames, 0);
        QVERIFY(server.lastHeaders.contains("x-extra: one"));
        for (const QByteArray &header : std::as_const(server.lastHeaders))
            QVERIFY(!header.startsWith("sec-websocket-protocol"));
    }

    void aTunnelThatBreaksSaysWhy_data()
    {
        QTest::addColumn<int>("code"); // 0: a text frame
        QTest::addColumn<QString>("words");
        QTest::newRow("its end") << 1000 << QString();
        QTest::newRow("a reason") << 1011 << u"closed with 1011 sandbox paused"_s;
        QTest::newRow("text") << 0 << u"text"_s;
    }
    void aTunnelThatBreaksSaysWhy()
    {
        QFETCH(int, code);
        QFETCH(QString, words);
        TunnelServer server(m_server->stdioCommand());
        WebSocketRequest request;
        request.url = server.url();
        LinkRun run(over(WebSocketTransport{request}), {u"sh"_s, u"-c"_s, u"echo up; sleep 1000"_s}, &m_prompts);
        QTRY_VERIFY2_WITH_TIMEOUT(run.output == "up\n", run.why(), kPatience);
        if (code == 0)
            server.sendText();
        else
            server.closeAll(QWebSocketProtocol::CloseCode(code), code == 1000 ? QString() : u"sandbox paused"_s);
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(run.errors.constFirst().kind, ErrorKind::ConnectionLost);
        QVERIFY2(run.errors.constFirst().detail.contains(words), run.why());
    }

    void aTunnelThatIsRefusedSaysWhy()
    {
        ScriptedProxy server({{0, "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n{\"message\":\"the sandbox is not found\"}"}});
        WebSocketRequest request;
        request.url = QUrl(u"ws://127.0.0.1:%1/"_s.arg(server.port()));
        LinkRun run(over(WebSocketTransport{request}), {u"true"_s}, &m_prompts);
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QVERIFY2(run.errors.constFirst().detail.contains("the sandbox is not found"_L1), run.why());
    }

    void aProxyCarriesSsh_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QString>("user");
        QTest::addColumn<bool>("dribbles");
        for (const bool dribbles : {false, true}) {
            const char *how = dribbles ? "in bytes" : "at once";
            QTest::addRow("SOCKS5, %s", how) << int(ProxySetting::Kind::Socks5) << QString() << dribbles;
            QTest::addRow("SOCKS5 with a password, %s", how) << int(ProxySetting::Kind::Socks5) << u"me"_s << dribbles;
            QTest::addRow("CONNECT, %s", how) << int(ProxySetting::Kind::HttpConnect) << QString() << dribbles;
            QTest::addRow("CONNECT with a password, %s", how) << int(ProxySetting::Kind::HttpConnect) << u"me"_s << dribbles;
        }
    }
    void aProxyCarriesSsh()
    {
        QFETCH(int, kind);
        QFETCH(QString, user);
        QFETCH(bool, dribbles);
        const bool isSocks = kind == int(ProxySetting::Kind::Socks5);
        QList<ScriptedProxy::Step> steps;
        if (!isSocks)
            steps = {{0, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"}};
        else if (user.isEmpty())
            steps = {{3, greeting("\x05\x00", 2)}, {18, kSocksOpen}};
        else
            steps = {{4, greeting("\x05\x02", 2)}, {7, greeting("\x01\x00", 2)}, {18, kSocksOpen}};
        ScriptedProxy proxy(steps, m_server->port());
        proxy.dribbles = dribbles;
        const LinkOptions options = through(ProxySetting::Kind(kind), proxy.port(), user, "pw");
        LinkRun run(options, {u"echo"_s, u"there"_s}, &m_prompts);
        QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
        QVERIFY2(run.output == "there\n", run.why());
        // The name went there as it is.
        QVERIFY(proxy.received.contains(isSocks ? QByteArray("\x03\x0b""box.invalid") : "CONNECT box.invalid:" + QByteArray::number(m_server->port())));
        if (!user.isEmpty())
            QVERIFY(proxy.received.contains(isSocks ? QByteArray("\x01\x02me\x02pw") : "Proxy-Authorization: Basic " + QByteArray("me:pw").toBase64()));
    }

    void aProxyThatRefusesIsUnderstood_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QByteArrayList>("answers");
        QTest::addColumn<int>("expected");
        QTest::addColumn<QString>("words");
        const int socks = int(ProxySetting::Kind::Socks5);
        const int http = int(ProxySetting::Kind::HttpConnect);
        const QByteArray hello("\x05\x00", 2);
        const auto refusal = [](char code) -> QByteArray { return QByteArray("\x05", 1) + code + QByteArray("\x00\x01\0\0\0\0\0\0", 8); };
        QTest::newRow("SOCKS5: wants a password") << socks << QByteArrayList{"\x05\x02"} << int(ErrorKind::AuthRejected) << u"wants a user name and password"_s;
        QTest::newRow("SOCKS5: nothing acceptable") << socks << QByteArrayList{"\x05\xff"} << int(ErrorKind::AuthRejected) << u"password"_s;
        QTest::newRow("SOCKS5: not allowed") << socks << QByteArrayList{hello, refusal(2)} << int(ErrorKind::PermissionDenied) << u"rules"_s;
        QTest::newRow("SOCKS5: host unreachable") << socks << QByteArrayList{hello, refusal(4)} << int(ErrorKind::HostUnreachable) << u"host"_s;
        QTest::newRow("SOCKS5: refused") << socks << QByteArrayList{hello, refusal(5)} << int(ErrorKind::ConnectionRefused) << u"refused"_s;
        QTest::newRow("SOCKS5: unknown code") << socks << QByteArrayList{hello, refusal(99)} << int(ErrorKind::Protocol) << u"99"_s;
        QTest::newRow("SOCKS5: unknown address") << socks << QByteArrayList{hello, QByteArray("\x05\x00\x00\x09", 4)} << int(ErrorKind::Protocol) << u"address"_s;
        QTest::newRow("SOCKS5: garbage") << socks << QByteArrayList{"HTTP/1.0 400 no"} << int(ErrorKind::Protocol) << u"does not speak SOCKS5"_s;
        QTest::newRow("SOCKS5: closes") << socks << QByteArrayList{hello, QByteArray("\x05", 1)} << int(ErrorKind::ConnectionLost) << u"closed"_s;
        QTest::newRow("CONNECT: 407") << http << QByteArrayList{"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"} << int(ErrorKind::AuthRejected) << u"wants a user name and password"_s;
        QTest::newRow("CONNECT: a page") << http << QByteArrayList{"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html><style>b{}</style><b>Blocked</b> by <i>policy</i></html>"} << int(ErrorKind::PermissionDenied) << u"Blocked by policy"_s;
        QTest::newRow("CONNECT: 502") << http << QByteArrayList{"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"} << int(ErrorKind::HostUnreachable) << u"502"_s;
        QTest::newRow("CONNECT: garbage") << http << QByteArrayList{"SSH-2.0-x\r\n"} << int(ErrorKind::Protocol) << u"does not speak HTTP"_s;
        QTest::newRow("CONNECT: endless head") << http << QByteArrayList{"HTTP/1.1 200 OK\r\nX: " + QByteArray(100'000, 'x')} << int(ErrorKind::Protocol) << u"without end"_s;
        QTest::newRow("CONNECT: no status") << http << QByteArrayList{"HTTP/1.1\r\n\r\n"} << int(ErrorKind::Protocol) << u"answered"_s;
        QTest::newRow("CONNECT: closes") << http << QByteArrayList{""} << int(ErrorKind::ConnectionLost) << u"closed"_s;
    }
    void aProxyThatRefusesIsUnderstood()
    {
        QFETCH(int, kind);
        QFETCH(QByteArrayList, answers);
        QFETCH(int, expected);
        QFETCH(QString, words);
        QList<ScriptedProxy::Step> steps;
        for (const QByteArray &answer : answers)
            steps.append({kind == int(ProxySetting::Kind::HttpConnect) ? 0 : steps.isEmpty() ? 3 : 18, answer});
        ScriptedProxy proxy(steps);
        LinkRun run(through(ProxySetting::Kind(kind), proxy.port()), {u"true"_s}, &m_prompts);
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(int(run.errors.constFirst().kind), expected);
        QVERIFY2(run.errors.constFirst().detail.contains(words) && run.errors.constFirst().detail.contains("the proxy 127.0.0.1"_L1), run.why());
    }

    void aSilentWayIsGivenUpAndCanBeCancelled_data()
    {
        QTest::addColumn<int>("proxy");
        QTest::newRow("SOCKS5") << int(ProxySetting::Kind::Socks5);
        QTest::newRow("CONNECT") << int(ProxySetting::Kind::HttpConnect);
        QTest::newRow("WebSocket") << int(ProxySetting::Kind::None);
        QTest::newRow("program") << -1;
    }
    void aSilentWayIsGivenUpAndCanBeCancelled()
    {
        QFETCH(int, proxy);
        ScriptedProxy server({{3, {}}});
        server.isSilent = true;
        LinkOptions options = through(ProxySetting::Kind(proxy), server.port());
        WebSocketRequest request;
        request.url = QUrl(u"ws://127.0.0.1:%1/"_s.arg(server.port()));
        if (proxy == int(ProxySetting::Kind::None))
            options.transport = WebSocketTransport{request};
        else if (proxy < 0)
            options.transport = ProcessTransport{{u"sleep"_s, u"1000"_s}, {}};
        options.connectTimeout = 1s;
        LinkRun slow(options, {u"true"_s}, &m_prompts);
        QTRY_VERIFY_WITH_TIMEOUT(!slow.errors.isEmpty(), kPatience);
        QCOMPARE(slow.errors.constFirst().kind, ErrorKind::Timeout);
        options.connectTimeout = 1h;
        LinkRun cancelled(options, {u"true"_s}, &m_prompts);
        cancelled.link.close();
        QTRY_VERIFY_WITH_TIMEOUT(!cancelled.errors.isEmpty(), kPatience);
        QCOMPARE(cancelled.errors.constFirst().kind, ErrorKind::Cancelled);
    }

    void theWayAloneCanBeLent()
    {
        SshTransport transport(over(ProcessTransport{m_server->stdioCommand(), {}}), &m_prompts);
        FileDescriptor stream;
        QList<Error> errors;
        connect(&transport, &SshTransport::opened, this, [&](int fd) { stream = FileDescriptor(fd); });
        connect(&transport, &SshTransport::closed, this, [&](const Error &error) { errors.append(error); });
        transport.open();
        QTRY_VERIFY_WITH_TIMEOUT(stream.isValid(), kPatience);
        QVERIFY(readAll(stream.get(), "\n").startsWith("SSH-2.0-"));
        transport.close();
        QTRY_COMPARE_WITH_TIMEOUT(errors.size(), 1, kPatience);
        QCOMPARE(errors.constFirst().kind, ErrorKind::Cancelled);
    }

    void tcpKeepsToTheFamilyAndTheAddressOfItsOwn_data()
    {
        QTest::addColumn<int>("family");
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<bool>("works");
        QTest::newRow("any") << int(SshAddressFamily::Any) << QByteArray() << true;
        QTest::newRow("inet") << int(SshAddressFamily::Inet) << QByteArray() << true;
        QTest::newRow("the other") << int(SshAddressFamily::Inet6) << QByteArray() << false;
        QTest::newRow("from an address of ours") << int(SshAddressFamily::Any) << QByteArray("127.0.0.5") << true;
        QTest::newRow("from an address of the other kind") << int(SshAddressFamily::Any) << QByteArray("::1") << false;
        QTest::newRow("from somebody else's address") << int(SshAddressFamily::Any) << QByteArray("192.0.2.1") << false;
        QTest::newRow("from no address") << int(SshAddressFamily::Any) << QByteArray("eth0") << false;
    }
    void tcpKeepsToTheFamilyAndTheAddressOfItsOwn()
    {
        QFETCH(int, family);
        QFETCH(QByteArray, from);
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        TcpTarget target{"127.0.0.1", server.serverPort(), 5s, SshAddressFamily(family), from};
        const auto socket = connectTcp(target, patient());
        QTEST(socket.has_value(), "works");
        if (!socket || from.isEmpty())
            return;
        QTRY_VERIFY(server.hasPendingConnections());
        QCOMPARE(server.nextPendingConnection()->peerAddress(), QHostAddress(QString::fromLatin1(from)));
    }
};

QTEST_GUILESS_MAIN(TestTransports)
#include "tst_transports.moc"

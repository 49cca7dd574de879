// The PTY protocol over HTTP and WebSocket, in a real sandbox.
#include "tests/gateway/gatewayfixture.h"

#include <QJsonArray>
#include <QRegularExpression>
#include <QtEndian>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 60'000;

QByteArray ready()
{
    return QByteArray(1, '\2');
}

QByteArray input(const QByteArray &bytes)
{
    return '\0' + bytes;
}

QByteArray resize(int columns, int rows)
{
    QByteArray frame(5, '\1');
    qToBigEndian(quint16(columns), frame.data() + 1);
    qToBigEndian(quint16(rows), frame.data() + 3);
    return frame;
}

} // namespace

class TestPtyApi : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void cleanup();
    void nothingComesBeforeReady();
    void framesAreExact();
    void bothResizesAgree();
    void sizesAreClamped();
    void environmentAndFolderReachTheShell();
    void severalClientsShareOneShell();
    void aLateClientGetsTheHistoryOnce();
    void historyIsTheLastMebibyte();
    void anExitIsSaidTwiceAndForAWhile_data();
    void anExitIsSaidTwiceAndForAWhile();
    void aSignalledShellExitsWithMinusOne();
    void killHangsUp();
    void aShellThatIgnoresHangUpIsTerminated();
    void aClientThatIsNeverReadyIsClosed();
    void aLaggardIsClosed_andTheOthersGoOn();
    void aSlowReaderAloneLosesNothing();
    void inputPastTheRateIsRefused();
    void endedSessionsAreReaped();
    void anUnattendedShellIsKilled();
    void pacedInputArrivesWhole();
    void strangeMessagesAreIgnored();
    void brokenFramesCloseOnlyTheirClient_data();
    void brokenFramesCloseOnlyTheirClient();
    void refusalsComeBeforeTheUpgrade();
    void hostsNameTheSandbox_data();
    void hostsNameTheSandbox();
    void badCreatesAreRefused_data();
    void badCreatesAreRefused();
    void aSilentClientIsDropped();
    void sixtyFourSessionsAreTheLimit();
    void suspensionDropsSockets_andResumeBringsTheShellBack();
    void terminationEndsSessions();

private:
    struct Session
    {
        QByteArray id;
        QByteArray token;
        [[nodiscard]] QByteArray path() const { return "/api/v1/pty/" + id; }
    };
    GatewayFixture m_fixture;
    QByteArray m_sandbox;
    std::unique_ptr<GatewayFixture> m_hasty;
    QByteArray m_hastySandbox;

    void startHasty(const PtyLimits &limits);
    // Of the hasty gateway, where one was started.
    const GatewayFixture &fixture() const { return m_hasty ? *m_hasty : m_fixture; }
    const QByteArray &sandbox() const { return m_hasty ? m_hastySandbox : m_sandbox; }
    GatewayClient client() const { return fixture().client(sandbox()); }
    Session makeSession(QJsonObject body = {}) const
    {
        if (body.isEmpty())
            body = {{u"command"_s, u"/bin/bash"_s}, {u"args"_s, QJsonArray{u"--norc"_s}}, {u"env"_s, QJsonObject{{u"PS1"_s, u"$ "_s}, {u"TERM"_s, u"dumb"_s}}}};
        const HttpAnswer answer = client().ask("POST", "/api/v1/pty", body);
        if (answer.status != 201)
            qWarning("%d %s", answer.status, answer.body.constData());
        return {answer.json().value(u"session_id"_s).toString().toLatin1(), answer.json().value(u"token"_s).toString().toLatin1()};
    }
    // Runs one line of sh without a prompt, so that output is exact.
    Session makeScript(const QByteArray &line) const
    {
        return makeSession({{u"command"_s, u"/bin/sh"_s}, {u"args"_s, QJsonArray{u"-c"_s, QString::fromLatin1(line)}}});
    }
    std::unique_ptr<RawWebSocket> attach(const Session &session, const Headers &more = {}) const
    {
        Headers headers{{"Authorization", "Bearer " + fixture().apiKey()}, {"X-Tensorlake-Sandbox-Id", sandbox()}, {"X-PTY-Token", session.token}};
        return std::make_unique<RawWebSocket>(fixture().gateway->httpPort(), session.path() + "/ws", headers + more);
    }
    std::unique_ptr<RawWebSocket> attachReady(const Session &session) const
    {
        auto socket = attach(session);
        socket->sendBinary(ready());
        return socket;
    }
    QJsonObject info(const Session &session) const { return client().ask("GET", session.path()).json(); }
    void killNow(const Session &session) const
    {
        [[maybe_unused]] const HttpAnswer first = client().ask("DELETE", session.path());
    }
};

void TestPtyApi::initTestCase()
{
    PtyLimits &limits = m_fixture.options.ptys;
    limits.reap = std::chrono::minutes(10);
    limits.killGrace = std::chrono::seconds(1);
    limits.lag = std::chrono::seconds(1);
    limits.lagAlone = std::chrono::minutes(10);
    limits.socket.ping = std::chrono::minutes(10);
    limits.socket.close = std::chrono::minutes(10);
    const QString problem = m_fixture.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    SANDPIPER_NEED_SANDBOXES(m_fixture);
    m_sandbox = m_fixture.makeSandbox(u"terminals"_s);
    QVERIFY(!m_sandbox.isEmpty());
}

// For one test: a gateway with other times, and a sandbox in it.
void TestPtyApi::startHasty(const PtyLimits &limits)
{
    m_hasty = std::make_unique<GatewayFixture>();
    m_hasty->options.ptys = limits;
    const QString problem = m_hasty->start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    m_hastySandbox = m_hasty->makeSandbox(u"hasty"_s);
    QVERIFY(!m_hastySandbox.isEmpty());
}

void TestPtyApi::cleanup()
{
    m_hasty.reset();
}

void TestPtyApi::nothingComesBeforeReady()
{
    const Session session = makeScript("echo early; sleep 100");
    auto socket = attach(session);
    QVERIFY(socket->isOpen());
    // Another client, ready, has it: so it was there to be sent.
    auto other = attachReady(session);
    QTRY_COMPARE_WITH_TIMEOUT(other->output, "early\r\n", patience);
    QVERIFY(socket->messages.isEmpty());
    socket->sendBinary(ready());
    QTRY_COMPARE_WITH_TIMEOUT(socket->output, "early\r\n", patience);
    killNow(session);
}

void TestPtyApi::framesAreExact()
{
    const Session session = makeScript("stty -echo; read line; echo \"got $line\"; exit 7");
    QCOMPARE(session.id.size(), 21);
    QVERIFY(QRegularExpression(u"^[0-9a-f]{64}$"_s).match(QString::fromLatin1(session.token)).hasMatch());
    auto socket = attachReady(session);
    QVERIFY(socket->isOpen());
    QTRY_COMPARE_WITH_TIMEOUT(info(session).value(u"is_alive"_s).toBool(), true, patience);
    socket->sendBinary(QByteArray::fromHex("00") + "hello\n");
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1000, patience);
    QCOMPARE(socket->closeReason, "exit:7");
    QVERIFY(socket->output.endsWith("got hello\r\n"));
    QCOMPARE(socket->messages.last(), QByteArray::fromHex("0300000007"));
    QTRY_VERIFY_WITH_TIMEOUT(socket->isClosed, patience);
}

void TestPtyApi::bothResizesAgree()
{
    const Session session = makeSession();
    auto socket = attachReady(session);
    socket->sendBinary(QByteArray::fromHex("0100780028"));
    socket->sendBinary(input("stty size\r"));
    QTRY_VERIFY_WITH_TIMEOUT(socket->output.contains("\r\n40 120\r\n"), patience);
    QCOMPARE(info(session).value(u"rows"_s).toInt(), 40);
    QCOMPARE(info(session).value(u"cols"_s).toInt(), 120);
    QCOMPARE(client().ask("POST", session.path() + "/resize", "{\"rows\":31,\"cols\":97}").status, 204);
    socket->sendBinary(input("stty size\r"));
    QTRY_VERIFY_WITH_TIMEOUT(socket->output.contains("\r\n31 97\r\n"), patience);
    QCOMPARE(client().ask("POST", session.path() + "/resize", "{\"rows\":31}").status, 400);
    QCOMPARE(client().ask("POST", session.path() + "/resize", "{\"rows\":\"31\",\"cols\":97}").status, 400);
    QCOMPARE(client().ask("POST", "/api/v1/pty/none-such/resize", "{\"rows\":31,\"cols\":97}").status, 404);
    killNow(session);
}

void TestPtyApi::sizesAreClamped()
{
    const Session session = makeSession({{u"command"_s, u"sleep"_s}, {u"args"_s, QJsonArray{u"100"_s}}, {u"rows"_s, 60000}, {u"cols"_s, 0}});
    QCOMPARE(info(session).value(u"rows"_s).toInt(), 500);
    QCOMPARE(info(session).value(u"cols"_s).toInt(), 1);
    auto socket = attachReady(session);
    socket->sendBinary(resize(65535, 0));
    QTRY_COMPARE_WITH_TIMEOUT(info(session).value(u"cols"_s).toInt(), 1000, patience);
    QCOMPARE(info(session).value(u"rows"_s).toInt(), 1);
    killNow(session);
}

void TestPtyApi::environmentAndFolderReachTheShell()
{
    const Session session = makeSession({{u"command"_s, u"/bin/sh"_s},
                                         {u"args"_s, QJsonArray{u"-c"_s, u"echo $MARK $TERM; pwd; stty size; whoami"_s}},
                                         {u"env"_s, QJsonObject{{u"MARK"_s, u"süß"_s}, {u"TERM"_s, u"xterm-256color"_s}}},
                                         {u"working_dir"_s, u"/tmp"_s}, {u"rows"_s, 33}, {u"cols"_s, 77}});
    auto socket = attachReady(session);
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1000, patience);
    QCOMPARE(QString::fromUtf8(socket->output), u"süß xterm-256color\r\n/tmp\r\n33 77\r\ntl-user\r\n"_s);
    const QJsonObject object = info(session);
    QCOMPARE(object.value(u"command"_s).toString(), u"/bin/sh"_s);
    QCOMPARE(object.value(u"is_alive"_s).toBool(), false);
    QCOMPARE(object.value(u"exit_code"_s).toInt(-5), 0);
    QVERIFY(object.value(u"ended_at"_s).toInteger() >= object.value(u"created_at"_s).toInteger());
    QVERIFY(!object.contains(u"token"_s));
}

void TestPtyApi::severalClientsShareOneShell()
{
    const Session session = makeSession();
    auto one = attachReady(session);
    auto two = attachReady(session);
    QVERIFY(one->isOpen() && two->isOpen());
    one->sendBinary(input("echo first-$((1+1))\r"));
    QTRY_VERIFY_WITH_TIMEOUT(one->output.contains("first-2\r\n") && two->output.contains("first-2\r\n"), patience);
    two->sendBinary(input("echo second-$((1+2))\r"));
    QTRY_VERIFY_WITH_TIMEOUT(one->output.contains("second-3\r\n") && two->output.contains("second-3\r\n"), patience);
    one->drop();
    two->sendBinary(input("exit 4\r"));
    QTRY_COMPARE_WITH_TIMEOUT(two->closeReason, "exit:4", patience);
}

void TestPtyApi::aLateClientGetsTheHistoryOnce()
{
    const Session session = makeSession();
    auto one = attachReady(session);
    one->sendBinary(input("echo mark-$((40+2))\r"));
    QTRY_VERIFY_WITH_TIMEOUT(one->output.contains("mark-42\r\n$ "), patience);
    one->drop();
    auto two = attachReady(session);
    QTRY_COMPARE_WITH_TIMEOUT(two->output, one->output, patience);
    two->sendBinary(ready()); // a second one changes nothing
    two->sendBinary(input("echo more-$((40+3))\r"));
    QTRY_VERIFY_WITH_TIMEOUT(two->output.contains("more-43\r\n"), patience);
    QCOMPARE(two->output.count("mark-42\r\n"), 1);
    killNow(session);
}

void TestPtyApi::historyIsTheLastMebibyte()
{
    const Session session = makeScript("seq -f '%09.0f' 0 299999; sleep 100");
    auto one = attachReady(session);
    QTRY_VERIFY_WITH_TIMEOUT(one->output.endsWith("000299999\r\n"), patience);
    QCOMPARE(one->output.size(), 300'000 * 11);
    auto two = attachReady(session);
    QTRY_VERIFY_WITH_TIMEOUT(two->output.endsWith("000299999\r\n"), patience);
    QVERIFY2(two->output.size() <= (1 << 20) && two->output.size() > (1 << 20) - 8192, QByteArray::number(two->output.size()).constData());
    QVERIFY(one->output.endsWith(two->output));
    for (const QByteArray &message : std::as_const(two->messages))
        QVERIFY(message.size() <= 65536);
    killNow(session);
}

void TestPtyApi::anExitIsSaidTwiceAndForAWhile_data()
{
    QTest::addColumn<int>("code");
    for (const int code : {0, 1, 127, 255})
        QTest::addRow("%d", code) << code;
}

void TestPtyApi::anExitIsSaidTwiceAndForAWhile()
{
    QFETCH(const int, code);
    const Session session = makeScript("echo bye; exit " + QByteArray::number(code));
    QTRY_COMPARE_WITH_TIMEOUT(info(session).value(u"is_alive"_s).toBool(true), false, patience);
    auto late = attachReady(session);
    QTRY_COMPARE_WITH_TIMEOUT(late->closeReason, "exit:" + QByteArray::number(code), patience);
    QCOMPARE(late->closeCode, 1000);
    QCOMPARE(late->output, "bye\r\n");
    QVERIFY(late->exitCode == code);
}

void TestPtyApi::aSignalledShellExitsWithMinusOne()
{
    const Session session = makeScript("kill -9 $$");
    auto socket = attachReady(session);
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeReason, "exit:-1", patience);
    QCOMPARE(socket->messages.last(), QByteArray::fromHex("03ffffffff"));
    QCOMPARE(info(session).value(u"exit_code"_s).toInt(), -1);
}

void TestPtyApi::killHangsUp()
{
    const Session session = makeSession();
    auto socket = attachReady(session);
    QTRY_VERIFY_WITH_TIMEOUT(socket->output.contains("$ "), patience);
    QCOMPARE(client().ask("DELETE", session.path()).status, 204);
    QTRY_VERIFY_WITH_TIMEOUT(socket->isClosed, patience);
    // It dies of the hang-up, so its end is told as an exit.
    QCOMPARE(socket->closeCode, 1000);
    QVERIFY(socket->closeReason.startsWith("exit:"));
    QCOMPARE(client().ask("DELETE", session.path()).status, 204);
    QTRY_COMPARE_WITH_TIMEOUT(client().ask("DELETE", session.path()).status, 404, patience);
}

void TestPtyApi::aShellThatIgnoresHangUpIsTerminated()
{
    const Session session = makeScript("trap '' HUP; echo set; while :; do sleep 1; done");
    auto socket = attachReady(session);
    QTRY_COMPARE_WITH_TIMEOUT(socket->output, "set\r\n", patience);
    QCOMPARE(client().ask("DELETE", session.path()).status, 204);
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1001, patience);
    QCOMPARE(socket->closeReason, "session terminated");
    QTRY_COMPARE_WITH_TIMEOUT(info(session).value(u"is_alive"_s).toBool(), false, patience);
}

void TestPtyApi::aClientThatIsNeverReadyIsClosed()
{
    const Session session = makeScript("read go; head -c 3000000 /dev/zero | tr '\\0' x; sleep 100");
    auto unready = attach(session);
    auto other = attachReady(session);
    QVERIFY(unready->isOpen() && other->isOpen());
    other->sendBinary(input("\n"));
    QTRY_COMPARE_WITH_TIMEOUT(unready->closeCode, 1008, patience);
    QCOMPARE(unready->closeReason, "pre-ready buffer overflow");
    QTRY_COMPARE_WITH_TIMEOUT(other->output.count('x'), 3'000'000, patience);
    killNow(session);
}

void TestPtyApi::aLaggardIsClosed_andTheOthersGoOn()
{
    const qsizetype size = 40'000'000;
    const Session session = makeScript("read go; head -c 40000000 /dev/zero | tr '\\0' x; sleep 100");
    auto slow = attachReady(session);
    auto fast = attachReady(session);
    QVERIFY(slow->isOpen() && fast->isOpen());
    slow->stopReading();
    fast->sendBinary(input("\n"));
    QTRY_COMPARE_WITH_TIMEOUT(fast->output.count('x'), size, 2 * patience);
    // Its reason comes behind no more than what the network held already.
    slow->startReading();
    QTRY_COMPARE_WITH_TIMEOUT(slow->closeCode, 1008, patience);
    QVERIFY2(QRegularExpression(u"^output lagged by [1-9][0-9]* messages$"_s).match(QString::fromLatin1(slow->closeReason)).hasMatch(),
             slow->closeReason.constData());
    QVERIFY(slow->output.size() < size / 2);
    killNow(session);
}

void TestPtyApi::aSlowReaderAloneLosesNothing()
{
    const qsizetype size = 30'000'000;
    const Session session = makeScript("read go; head -c 30000000 /dev/zero | tr '\\0' x; echo; echo END");
    auto socket = attachReady(session);
    QVERIFY(socket->isOpen());
    socket->stopReading();
    socket->sendBinary(input("\n"));
    // Held back: three answers later it is no further, though 30 MB take less.
    QTest::qWait(1500);
    QVERIFY(info(session).value(u"is_alive"_s).toBool());
    socket->startReading();
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeReason, "exit:0", 2 * patience);
    QCOMPARE(socket->output.count('x'), size);
    QVERIFY(socket->output.endsWith("\r\nEND\r\n"));
}

void TestPtyApi::inputPastTheRateIsRefused()
{
    PtyLimits limits;
    limits.inputPerSecond = 100;
    limits.inputBurst = 100'000;
    startHasty(limits);
    const Session session = makeScript("stty raw -echo; echo set; cat >/dev/null");
    auto socket = attachReady(session);
    QTRY_VERIFY_WITH_TIMEOUT(socket->output.contains("set"), patience);
    for (int i = 0; i < 9; ++i)
        socket->sendBinary(input(QByteArray(10'000, 'i')));
    socket->sendFrame(0x89, "p");
    auto other = attachReady(session);
    QVERIFY(other->isOpen());
    QVERIFY(!socket->isClosed);
    for (int i = 0; i < 5; ++i)
        socket->sendBinary(input(QByteArray(10'000, 'i')));
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1008, patience);
    QCOMPARE(socket->closeReason, "input rate limit exceeded");
    // Each client has its own measure.
    other->sendBinary(input("x"));
    QCOMPARE(info(session).value(u"is_alive"_s).toBool(), true);
    QVERIFY(!other->isClosed);
}

void TestPtyApi::endedSessionsAreReaped()
{
    PtyLimits limits;
    limits.reap = std::chrono::milliseconds(300);
    startHasty(limits);
    const Session session = makeScript("exit 3");
    QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", session.path()).status, 404, patience);
    QCOMPARE(client().ask("GET", "/api/v1/pty").json().value(u"sessions"_s).toArray().size(), 0);
}

void TestPtyApi::anUnattendedShellIsKilled()
{
    PtyLimits limits;
    limits.unattended = std::chrono::milliseconds(1500);
    startHasty(limits);
    const Session kept = makeSession();
    auto socket = attach(kept);
    QVERIFY(socket->isOpen());
    const Session left = makeSession();
    QTRY_COMPARE_WITH_TIMEOUT(info(left).value(u"is_alive"_s).toBool(true), false, patience);
    QCOMPARE(info(left).value(u"exit_code"_s).toInt(), -1);
    // Any open socket prevents it, ready or not.
    QCOMPARE(info(kept).value(u"is_alive"_s).toBool(), true);
    socket->drop();
    QTRY_COMPARE_WITH_TIMEOUT(info(kept).value(u"is_alive"_s).toBool(true), false, patience);
}

void TestPtyApi::pacedInputArrivesWhole()
{
    const Session session = makeScript("stty raw -echo; echo set; head -c 3000000 | cksum");
    auto socket = attachReady(session);
    QTRY_VERIFY_WITH_TIMEOUT(socket->output.contains("set"), patience);
    QByteArray bytes;
    for (int i = 0; bytes.size() < 3'000'000; ++i)
        bytes += QByteArray::number(i) + ' ';
    bytes.truncate(3'000'000);
    for (qsizetype from = 0; from < bytes.size(); from += 16 * 1024)
        socket->sendBinary(input(bytes.mid(from, 16 * 1024)));
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeReason, "exit:0", patience);
    QProcess here;
    here.start(u"cksum"_s, {});
    here.write(bytes);
    here.closeWriteChannel();
    QVERIFY(here.waitForFinished(patience));
    QVERIFY2(socket->output.endsWith(here.readAllStandardOutput().trimmed() + "\n"), socket->output.constData());
}

void TestPtyApi::strangeMessagesAreIgnored()
{
    const Session session = makeSession();
    auto socket = attachReady(session);
    QVERIFY(socket->isOpen());
    socket->sendBinary({});
    socket->sendBinary(QByteArray::fromHex("7f") + "unknown");
    socket->sendBinary(QByteArray::fromHex("0100"));
    socket->sendBinary(QByteArray::fromHex("0300000007"));
    socket->sendBinary(QByteArray(1, '\0'));
    socket->sendFrame(0x81, "exit 9\r");
    socket->sendFrame(0x89, "are you there");
    socket->sendBinary(input("echo still-$((4+4))\r"));
    QTRY_VERIFY_WITH_TIMEOUT(socket->output.contains("still-8\r\n"), patience);
    QVERIFY(!socket->isClosed);
    killNow(session);
}

void TestPtyApi::brokenFramesCloseOnlyTheirClient_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    QTest::newRow("unmasked") << QByteArray::fromHex("820102") << 1002;
    QTest::newRow("1 GiB header") << QByteArray::fromHex("82ff0000000040000000") << 1009;
    QTest::newRow("unknown frame opcode") << QByteArray::fromHex("838111111111aa") << 1002;
    QTest::newRow("64 KiB and a byte") << QByteArray::fromHex("82ff0000000000010001") << 1009;
    QTest::newRow("not UTF-8 text") << QByteArray::fromHex("818100000000ff") << 1007;
}

void TestPtyApi::brokenFramesCloseOnlyTheirClient()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, code);
    const Session session = makeSession();
    auto bad = attachReady(session);
    auto good = attachReady(session);
    QVERIFY(bad->isOpen() && good->isOpen());
    bad->sendBytes(bytes);
    QTRY_COMPARE_WITH_TIMEOUT(bad->closeCode, code, patience);
    QTRY_VERIFY_WITH_TIMEOUT(bad->isClosed, patience);
    good->sendBinary(input("echo alive-$((3+3))\r"));
    QTRY_VERIFY_WITH_TIMEOUT(good->output.contains("alive-6\r\n"), patience);
    killNow(session);
}

void TestPtyApi::refusalsComeBeforeTheUpgrade()
{
    const Session session = makeSession();
    const quint16 port = m_fixture.gateway->httpPort();
    const QByteArray path = session.path() + "/ws";
    const std::pair<QByteArray, QByteArray> key{"Authorization", "Bearer " + m_fixture.apiKey()};
    const std::pair<QByteArray, QByteArray> where{"X-Tensorlake-Sandbox-Id", m_sandbox};
    const std::pair<QByteArray, QByteArray> token{"X-PTY-Token", session.token};
    const auto refusal = [&](const QByteArray &at, const Headers &headers) { return RawWebSocket(port, at, headers).refusal(); };
    const auto code = [](const HttpAnswer &answer) { return answer.json().value(u"code"_s).toString(); };

    QCOMPARE(refusal(path, {where, token}).status, 401);
    QCOMPARE(refusal(path, {{"Authorization", "Bearer x"}, where, token}).status, 401);
    const HttpAnswer wrong = refusal(path, {key, where, {"X-PTY-Token", QByteArray(64, '0')}});
    QCOMPARE(wrong.status, 403);
    QCOMPARE(code(wrong), u"INVALID_TOKEN"_s);
    QCOMPARE(code(refusal(path, {key, where})), u"INVALID_TOKEN"_s);
    const HttpAnswer unknown = refusal("/api/v1/pty/none-such/ws", {key, where, token});
    QCOMPARE(unknown.status, 404);
    QCOMPARE(code(unknown), u"SESSION_NOT_FOUND"_s);
    QCOMPARE(refusal(path, {key, where, token, {"Origin", "http://evil.example"}}).status, 403);
    QCOMPARE(refusal(path, {key, token}).status, 400);
    GatewayClient plain = client();
    plain.headers.append(token);
    QCOMPARE(plain.ask("GET", path).status, 426);
    // The token may come in the URL, as official clients send it; ours never does.
    RawWebSocket inUrl(port, path + "?token=" + session.token, {key, where});
    QVERIFY(inUrl.isOpen());
    RawWebSocket own(port, path, {key, where, token, {"Origin", "http://127.0.0.1:" + QByteArray::number(port)}});
    QVERIFY(own.isOpen());
    killNow(session);
}

void TestPtyApi::hostsNameTheSandbox_data()
{
    QTest::addColumn<Headers>("headers");
    QTest::addColumn<QByteArray>("named");
    QTest::newRow("id header") << Headers{{"x-tensorlake-sandbox-id", "one"}, {"host", "two.local"}} << QByteArray("one");
    QTest::newRow("local host") << Headers{{"host", "one.local"}} << QByteArray("one");
    QTest::newRow("local host with port") << Headers{{"host", "one.local:8900"}} << QByteArray("one");
    QTest::newRow("two hosts") << Headers{{"host", "127.0.0.1:8900"}, {"host", "one.local"}} << QByteArray("one");
    QTest::newRow("subdomain") << Headers{{"host", "one.localhost:8900"}} << QByteArray("one");
    QTest::newRow("address") << Headers{{"host", "127.0.0.1:8900"}} << QByteArray();
    QTest::newRow("IPv6") << Headers{{"host", "[::1]:8900"}} << QByteArray();
    QTest::newRow("localhost") << Headers{{"host", "localhost:8900"}} << QByteArray();
    QTest::newRow("none") << Headers{} << QByteArray();
}

void TestPtyApi::hostsNameTheSandbox()
{
    QFETCH(const Headers, headers);
    QFETCH(const QByteArray, named);
    HttpRequest request;
    request.headers = headers;
    QCOMPARE(sandboxNamedBy(request).toLatin1(), named);
}

void TestPtyApi::badCreatesAreRefused_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::newRow("no body") << QByteArray() << 400;
    QTest::newRow("no JSON") << QByteArray("{") << 400;
    QTest::newRow("no command") << QByteArray("{}") << 400;
    QTest::newRow("command a list") << QByteArray("{\"command\":[\"ls\"]}") << 400;
    QTest::newRow("args a string") << QByteArray("{\"command\":\"ls\",\"args\":\"-l\"}") << 400;
    QTest::newRow("args of numbers") << QByteArray("{\"command\":\"ls\",\"args\":[1]}") << 400;
    QTest::newRow("env a list") << QByteArray("{\"command\":\"ls\",\"env\":[\"A=b\"]}") << 400;
    QTest::newRow("env name with =") << QByteArray("{\"command\":\"ls\",\"env\":{\"A=b\":\"c\"}}") << 400;
    QTest::newRow("rows negative") << QByteArray("{\"command\":\"ls\",\"rows\":-1}") << 400;
    QTest::newRow("rows a fraction") << QByteArray("{\"command\":\"ls\",\"rows\":2.5}") << 400;
    QTest::newRow("NUL in command") << QByteArray("{\"command\":\"l\\u0000s\"}") << 400;
    QTest::newRow("no such program") << QByteArray("{\"command\":\"/no/such/program\"}") << 500;
    QTest::newRow("no such folder") << QByteArray("{\"command\":\"ls\",\"working_dir\":\"/no/such/folder\"}") << 500;
}

void TestPtyApi::badCreatesAreRefused()
{
    QFETCH(const QByteArray, body);
    QFETCH(const int, status);
    const HttpAnswer answer = client().ask("POST", "/api/v1/pty", body);
    QCOMPARE(answer.status, status);
    QVERIFY(!answer.json().value(u"error"_s).toString().isEmpty());
    QVERIFY(!answer.json().value(u"code"_s).toString().isEmpty());
}

void TestPtyApi::aSilentClientIsDropped()
{
    PtyLimits limits;
    limits.socket.ping = std::chrono::milliseconds(700);
    startHasty(limits);
    const Session session = makeSession();
    auto silent = attachReady(session);
    auto alive = attachReady(session);
    silent->answersPings = false;
    QVERIFY(silent->isOpen() && alive->isOpen());
    QTRY_VERIFY_WITH_TIMEOUT(silent->isClosed, patience);
    QCOMPARE(silent->closeCode, 0);
    QTRY_VERIFY_WITH_TIMEOUT(alive->pings >= 3, patience);
    QVERIFY(!alive->isClosed);
    killNow(session);
}

void TestPtyApi::sixtyFourSessionsAreTheLimit()
{
    const QByteArray sandbox = m_fixture.makeSandbox(u"crowded"_s);
    const GatewayClient crowded = m_fixture.client(sandbox);
    for (int i = 0; i < 64; ++i)
        QCOMPARE(crowded.ask("POST", "/api/v1/pty", "{\"command\":\"sleep\",\"args\":[\"1000\"]}").status, 201);
    const HttpAnswer answer = crowded.ask("POST", "/api/v1/pty", "{\"command\":\"sleep\",\"args\":[\"1000\"]}");
    QCOMPARE(answer.status, 429);
    QCOMPARE(answer.json().value(u"code"_s).toString(), u"TOO_MANY_SESSIONS"_s);
    const QJsonArray sessions = crowded.ask("GET", "/api/v1/pty").json().value(u"sessions"_s).toArray();
    QCOMPARE(sessions.size(), 64);
    // Of this sandbox: another one has its own.
    QVERIFY(!makeSession().id.isEmpty());
    QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/" + sandbox).status, 200);
}

void TestPtyApi::suspensionDropsSockets_andResumeBringsTheShellBack()
{
    const Session session = makeSession();
    auto before = attachReady(session);
    before->sendBinary(input("MARK=kept-$((5+5))\r"));
    QTRY_VERIFY_WITH_TIMEOUT(before->output.contains("MARK="), patience);
    QCOMPARE(m_fixture.client().ask("POST", "/sandboxes/" + m_sandbox + "/suspend").status, 202);
    QTRY_VERIFY_WITH_TIMEOUT(before->isClosed, patience);
    QCOMPARE(before->closeCode, 0);
    QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", session.path()).status, 503, patience);
    QCOMPARE(attach(session)->refusal().status, 503);
    QCOMPARE(m_fixture.client().ask("POST", "/sandboxes/" + m_sandbox + "/resume").status, 202);
    QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", session.path()).status, 200, patience);
    auto after = attachReady(session);
    after->sendBinary(input("echo $MARK\r"));
    QTRY_VERIFY_WITH_TIMEOUT(after->output.contains("\r\nkept-10\r\n"), patience);
    killNow(session);
}

void TestPtyApi::terminationEndsSessions()
{
    // Ours: it is the last test, and nobody needs it afterwards.
    const Session session = makeSession();
    auto socket = attachReady(session);
    QVERIFY(socket->isOpen());
    QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/" + m_sandbox).status, 200);
    QTRY_VERIFY_WITH_TIMEOUT(socket->isClosed, patience);
    QVERIFY2(socket->closeCode == 1001 || socket->closeReason == "exit:-1", socket->closeReason.constData());
}

QTEST_GUILESS_MAIN(TestPtyApi)
#include "tst_ptyapi.moc"

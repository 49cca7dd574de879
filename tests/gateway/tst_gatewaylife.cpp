// The life of the program: one for each state folder, the same addresses after a restart, an end.
#include "tests/support/gatewayclient.h"
#include "tests/support/testgateway.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSet>
#include <QTcpServer>
#include <QTest>

#include <csignal>

#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 60'000;

struct Outcome
{
    int status = -1;
    QByteArray output;
    QByteArray errorOutput;
};

Outcome run(const QStringList &arguments)
{
    QProcess process;
    process.start(TestGateway::program(u"sandpiper-gateway"_s), arguments);
    if (!process.waitForFinished(patience) || process.exitStatus() != QProcess::NormalExit)
        return {};
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

GatewayClient clientOf(const TestGateway &gateway)
{
    return GatewayClient(quint16(gateway.apiUrl().port()), gateway.apiKey());
}

int modeOf(const QString &file)
{
    struct stat info = {};
    return ::stat(QFile::encodeName(file).constData(), &info) == 0 ? int(info.st_mode & 07777) : -1;
}

#define START(gateway) \
    do { \
        const QString problem = (gateway).start(); \
        QVERIFY2(problem.isEmpty(), qPrintable(problem)); \
    } while (false)

} // namespace

class TestGatewayLife : public QObject
{
    Q_OBJECT

private slots:
    void theStartLineSaysItAll();
    void everythingIsPrivate();
    void aRestartHasTheSameAddressesAndKeys();
    void aTakenPortIsReplaced_andSaid();
    void twoStartsMakeOneGateway();
    void manyStartsAtOnceMakeOneGateway();
    void stopEndsIt();
    void signalsEndItCleanly_data();
    void signalsEndItCleanly();
    void aHangUpDoesNotEndIt();
    void itEndsWhenNobodyNeedsIt();
    void aSandboxWithProcessesKeepsItAlive();
    void sandboxesAreSuspendedAfterAKill_andResume();
    void aBrokenStateIsSaidAndKept_data();
    void aBrokenStateIsSaidAndKept();
    void badUsageIsRefused_data();
    void badUsageIsRefused();
    void noSecretAndNoUrlIsLogged();
};

void TestGatewayLife::theStartLineSaysItAll()
{
    TestGateway gateway;
    START(gateway);
    QCOMPARE(gateway.apiUrl().host(), u"127.0.0.1"_s);
    QVERIFY(gateway.apiUrl().port() > 0);
    QVERIFY(gateway.apiKey().startsWith("tl_apiKey_"));
    QCOMPARE(gateway.sshHost(), u"127.0.0.1"_s);
    QVERIFY(gateway.sshPort() > 0);
    QVERIFY(gateway.hostKey().startsWith("ssh-ed25519 AAAA"));
    QVERIFY(QFileInfo::exists(gateway.clientKey()));
    QVERIFY(gateway.pid() > 1);
    QCOMPARE(clientOf(gateway).ask("GET", "/sandboxes").status, 200);
}

void TestGatewayLife::everythingIsPrivate()
{
    TestGateway gateway;
    START(gateway);
    for (const QString &file : {u"/api_key"_s, u"/client_key"_s, u"/ssh_host_key"_s, u"/keys.json"_s, u"/ports.json"_s, u"/lock"_s, u"/run/gateway.json"_s})
        QCOMPARE(QString::number(modeOf(gateway.folder() + file), 8), u"600"_s);
    for (const QString &folder : {u""_s, u"/run"_s, u"/sandboxes"_s})
        QCOMPARE(QString::number(modeOf(gateway.folder() + folder), 8), u"700"_s);
    QFile runtime(gateway.folder() + u"/run/gateway.json"_s);
    QVERIFY(runtime.open(QIODevice::ReadOnly));
    QCOMPARE(QJsonDocument::fromJson(runtime.readAll()).object(), gateway.startLine());
    gateway.stop();
    QVERIFY(!QFileInfo::exists(gateway.folder() + u"/run/gateway.json"_s));
}

void TestGatewayLife::aRestartHasTheSameAddressesAndKeys()
{
    TestGateway gateway;
    START(gateway);
    QJsonObject first = gateway.startLine();
    const QByteArray keys = clientOf(gateway).ask("GET", "/platform/v1/users/me/ssh-keys").body;
    gateway.stop();
    START(gateway);
    QJsonObject second = gateway.startLine();
    QCOMPARE(clientOf(gateway).ask("GET", "/platform/v1/users/me/ssh-keys").body, keys);
    gateway.kill();
    START(gateway);
    QJsonObject third = gateway.startLine();
    for (QJsonObject *line : {&first, &second, &third})
        line->remove(u"pid"_s);
    QCOMPARE(second, first);
    QCOMPARE(third, first);
}

void TestGatewayLife::aTakenPortIsReplaced_andSaid()
{
    TestGateway gateway;
    START(gateway);
    const int port = gateway.apiUrl().port();
    const QByteArray key = gateway.apiKey();
    gateway.stop();
    QTcpServer squatter;
    QVERIFY(squatter.listen(QHostAddress(QHostAddress::LocalHost), quint16(port)));
    START(gateway);
    QVERIFY(gateway.apiUrl().port() != port);
    QCOMPARE(gateway.apiKey(), key);
    QTRY_VERIFY_WITH_TIMEOUT(gateway.errorOutput().contains("HTTP port " + QByteArray::number(port) + " is taken"), patience);
    const int next = gateway.apiUrl().port();
    gateway.stop();
    squatter.close();
    START(gateway);
    QCOMPARE(gateway.apiUrl().port(), next);
    // Asked for by number, it is that one or none.
    TestGateway other;
    const Outcome outcome = run({u"--state"_s, other.folder(), u"--listen"_s, u"127.0.0.1:%1"_s.arg(next)});
    QCOMPARE(outcome.status, 1);
    QVERIFY(outcome.errorOutput.contains(QByteArray::number(next)));
    QVERIFY(outcome.output.isEmpty());
}

void TestGatewayLife::twoStartsMakeOneGateway()
{
    TestGateway gateway;
    START(gateway);
    const Outcome second = run({u"--state"_s, gateway.folder()});
    QCOMPARE(second.status, 0);
    QCOMPARE(QJsonDocument::fromJson(second.output).object(), gateway.startLine());
    QVERIFY(gateway.isRunning());
    QCOMPARE(clientOf(gateway).ask("GET", "/sandboxes").status, 200);
}

void TestGatewayLife::manyStartsAtOnceMakeOneGateway()
{
    const TestGateway place; // for its folder
    std::vector<std::unique_ptr<QProcess>> starts;
    for (int i = 0; i < 8; ++i) {
        starts.push_back(std::make_unique<QProcess>());
        starts.back()->start(TestGateway::program(u"sandpiper-gateway"_s), {u"--state"_s, place.folder(), u"--idle-seconds"_s, u"0"_s});
    }
    QSet<QByteArray> lines;
    for (const auto &process : starts) {
        QTRY_VERIFY_WITH_TIMEOUT(process->canReadLine(), patience);
        lines.insert(process->readLine());
    }
    QCOMPARE(lines.size(), 1);
    const auto running = [&] { return std::ranges::count_if(starts, [](const auto &process) { return process->state() == QProcess::Running; }); };
    QTRY_COMPARE_WITH_TIMEOUT(running(), 1, patience);
    QCOMPARE(run({u"--state"_s, place.folder(), u"stop"_s}).status, 0);
    QTRY_COMPARE_WITH_TIMEOUT(running(), 0, patience);
}

void TestGatewayLife::stopEndsIt()
{
    TestGateway gateway;
    START(gateway);
    const Outcome outcome = run({u"--state"_s, gateway.folder(), u"stop"_s});
    QCOMPARE(outcome.status, 0);
    QVERIFY(outcome.output.isEmpty());
    QVERIFY(gateway.waitForEnd(patience));
    const Outcome again = run({u"--state"_s, gateway.folder(), u"stop"_s});
    QCOMPARE(again.status, 0);
    QVERIFY(again.errorOutput.contains("No gateway is running"));
}

void TestGatewayLife::signalsEndItCleanly_data()
{
    QTest::addColumn<int>("number");
    QTest::newRow("TERM") << SIGTERM;
    QTest::newRow("INT") << SIGINT;
}

void TestGatewayLife::signalsEndItCleanly()
{
    QFETCH(const int, number);
    TestGateway gateway;
    START(gateway);
    // A client in the middle of a request does not hold it up.
    QTcpSocket client;
    client.connectToHost(QHostAddress::LocalHost, quint16(gateway.apiUrl().port()));
    client.write("GET / HTTP/1.1\r\nHost:");
    QVERIFY(client.waitForBytesWritten(patience));
    ::kill(pid_t(gateway.pid()), number);
    QVERIFY(gateway.waitForEnd(patience));
    QVERIFY(!QFileInfo::exists(gateway.folder() + u"/run/gateway.json"_s));
}

void TestGatewayLife::aHangUpDoesNotEndIt()
{
    TestGateway gateway;
    START(gateway);
    ::kill(pid_t(gateway.pid()), SIGHUP);
    ::kill(pid_t(gateway.pid()), SIGPIPE);
    QCOMPARE(clientOf(gateway).ask("GET", "/sandboxes").status, 200);
    QVERIFY(gateway.isRunning());
}

void TestGatewayLife::itEndsWhenNobodyNeedsIt()
{
    TestGateway gateway({.arguments = {u"--idle-seconds"_s, u"1"_s}});
    START(gateway);
    // An open connection is a need.
    QTcpSocket client;
    client.connectToHost(QHostAddress::LocalHost, quint16(gateway.apiUrl().port()));
    QVERIFY(client.waitForConnected(patience));
    QVERIFY(!gateway.waitForEnd(2500));
    client.close();
    QVERIFY(gateway.waitForEnd(patience));
    QVERIFY(!QFileInfo::exists(gateway.folder() + u"/run/gateway.json"_s));
}

void TestGatewayLife::aSandboxWithProcessesKeepsItAlive()
{
    TestGateway gateway({.arguments = {u"--idle-seconds"_s, u"1"_s}});
    START(gateway);
    SANDPIPER_NEED_SANDBOXES(gateway);
    QCOMPARE(clientOf(gateway).ask("POST", "/sandboxes", "{\"name\":\"busy\"}").status, 200);
    QVERIFY(!gateway.waitForEnd(2500));
    // Suspended ones too: what is held in them would be lost.
    QCOMPARE(clientOf(gateway).ask("POST", "/sandboxes/busy/suspend").status, 202);
    QVERIFY(!gateway.waitForEnd(2500));
    QCOMPARE(clientOf(gateway).ask("DELETE", "/sandboxes/busy").status, 200);
    QVERIFY(gateway.waitForEnd(patience));
}

void TestGatewayLife::sandboxesAreSuspendedAfterAKill_andResume()
{
    TestGateway gateway;
    START(gateway);
    SANDPIPER_NEED_SANDBOXES(gateway);
    QCOMPARE(clientOf(gateway).ask("POST", "/sandboxes", "{\"name\":\"kept\"}").status, 200);
    GatewayClient in = clientOf(gateway);
    in.headers = {{"Host", "kept.local"}};
    QVERIFY(in.ask("POST", "/api/v1/processes/run", "{\"command\":\"sh\",\"args\":[\"-c\",\"echo mark > ~/mark\"]}").body.contains("\"exit_code\":0"));
    gateway.kill();
    START(gateway);
    QCOMPARE(clientOf(gateway).ask("GET", "/sandboxes/kept").json().value(u"status"_s).toString(), u"suspended"_s);
    QCOMPARE(in.ask("GET", "/api/v1/pty").status, 503);
    QCOMPARE(clientOf(gateway).ask("POST", "/sandboxes/kept/resume").status, 202);
    QTRY_COMPARE_WITH_TIMEOUT(clientOf(gateway).ask("GET", "/sandboxes/kept").json().value(u"status"_s).toString(), u"running"_s, patience);
    QVERIFY(in.ask("POST", "/api/v1/processes/run", "{\"command\":\"sh\",\"args\":[\"-c\",\"cat ~/mark\"]}").body.contains("\"line\":\"mark\""));
}

void TestGatewayLife::aBrokenStateIsSaidAndKept_data()
{
    QTest::addColumn<QString>("file");
    QTest::newRow("API key") << u"/api_key"_s;
    QTest::newRow("client key") << u"/client_key"_s;
    QTest::newRow("host key") << u"/ssh_host_key"_s;
}

void TestGatewayLife::aBrokenStateIsSaidAndKept()
{
    QFETCH(const QString, file);
    TestGateway gateway;
    START(gateway);
    gateway.stop();
    QFile broken(gateway.folder() + file);
    QVERIFY(broken.open(QIODevice::WriteOnly | QIODevice::Truncate));
    broken.write("nonsense");
    broken.close();
    const Outcome outcome = run({u"--state"_s, gateway.folder()});
    QCOMPARE(outcome.status, 1);
    QVERIFY2(outcome.errorOutput.contains(file.mid(1).toLatin1()), outcome.errorOutput.constData());
    QVERIFY(broken.open(QIODevice::ReadOnly));
    QCOMPARE(broken.readAll(), "nonsense");
}

void TestGatewayLife::badUsageIsRefused_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::newRow("every address") << QStringList{u"--listen"_s, u"0.0.0.0:0"_s};
    QTest::newRow("another host") << QStringList{u"--listen"_s, u"192.0.2.1:80"_s};
    QTest::newRow("no port") << QStringList{u"--listen"_s, u"127.0.0.1"_s};
    QTest::newRow("port out of range") << QStringList{u"--listen"_s, u"127.0.0.1:65536"_s};
    QTest::newRow("SSH for everybody") << QStringList{u"--ssh-listen"_s, u"[::]:0"_s};
    QTest::newRow("negative time") << QStringList{u"--pty-idle-seconds"_s, u"-1"_s};
    QTest::newRow("time in words") << QStringList{u"--idle-seconds"_s, u"soon"_s};
    QTest::newRow("unknown option") << QStringList{u"--public"_s};
    QTest::newRow("unknown command") << QStringList{u"start"_s};
    QTest::newRow("two commands") << QStringList{u"stop"_s, u"stop"_s};
}

void TestGatewayLife::badUsageIsRefused()
{
    QFETCH(const QStringList, arguments);
    const TestGateway place;
    const Outcome outcome = run(QStringList{u"--state"_s, place.folder()} + arguments);
    QCOMPARE(outcome.status, 2);
    QVERIFY(outcome.output.isEmpty());
    QCOMPARE(outcome.errorOutput.count('\n'), 1);
    QVERIFY(QDir(place.folder()).isEmpty());
}

void TestGatewayLife::noSecretAndNoUrlIsLogged()
{
    TestGateway gateway({.environment = {{u"QT_LOGGING_RULES"_s, u"sandpiper.*=true"_s}}});
    START(gateway);
    const GatewayClient client = clientOf(gateway);
    QCOMPARE(client.ask("GET", "/api/v1/pty/x/ws?token=verysecret").status, 400);
    QCOMPARE(GatewayClient(client.port(), "wrongsecret").ask("GET", "/secretpath").status, 401);
    [[maybe_unused]] const HttpAnswer malformed = client.send("GET /secretpath?token=verysecret HTTP/1.1\r\nbad header\r\n\r\n");
    const QByteArray key = gateway.apiKey();
    gateway.stop();
    for (const QByteArray &secret : {QByteArray("secret"), key, QByteArray("/api/")})
        QVERIFY2(!gateway.errorOutput().contains(secret), gateway.errorOutput().constData());
}

QTEST_GUILESS_MAIN(TestGatewayLife)
#include "tst_gatewaylife.moc"

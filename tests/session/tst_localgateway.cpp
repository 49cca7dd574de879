// Finding and starting the gateway of this computer, with a real one.
#include "session/gatewayfile.h"
#include "session/localgateway.h"
#include "session/paths.h"
#include "tests/support/testgateway.h"

#include <QFile>
#include <QFutureWatcher>
#include <QJsonDocument>
#include <QTest>

#include <csignal>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 60'000;

} // namespace

class TestLocalGateway : public QObject
{
    Q_OBJECT

private slots:
    void init();
    void cleanup();
    void noneIsFound_whereNoneRuns();
    void aRunningOneIsFound();
    void aFileLeftBehindIsNone();
    void aFileThatOthersCanReadIsRefused();
    void aFileWithStrangeContentIsRefused_data();
    void aFileWithStrangeContentIsRefused();
    void itIsStartedOnce_howeverManyAsk();
    void itIsFoundByAnotherRuntimeFolder();
    void aProgramThatIsNotThereIsSaid();
    void aProgramThatFailsIsQuoted();

private:
    std::unique_ptr<TestGateway> m_gateway;
    void stopStarted();
};

void TestLocalGateway::init()
{
    m_gateway = std::make_unique<TestGateway>(TestGateway::Options{.layout = TestGateway::Layout::UserFolders, .arguments = {}, .environment = {}});
    m_gateway->apply();
}

void TestLocalGateway::cleanup()
{
    stopStarted();
    m_gateway.reset();
}

// One that ensureGateway() started is nobody's child.
void TestLocalGateway::stopStarted()
{
    QProcess stop;
    stop.start(TestGateway::program(u"sandpiper-gateway"_s), {u"stop"_s});
    QVERIFY(stop.waitForFinished(patience));
}

void TestLocalGateway::noneIsFound_whereNoneRuns()
{
    const auto found = findGateway();
    QVERIFY(!found);
    QCOMPARE(found.error().kind, ErrorKind::NotFound);
}

void TestLocalGateway::aRunningOneIsFound()
{
    const QString problem = m_gateway->start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    const auto found = findGateway();
    QVERIFY2(found, qPrintable(found ? QString() : describe(found.error())));
    QCOMPARE(found->apiUrl, m_gateway->apiUrl());
    QVERIFY(found->apiKey->equals(m_gateway->apiKey()));
    QCOMPARE(found->ssh.host, m_gateway->sshHost());
    QCOMPARE(found->ssh.port, m_gateway->sshPort());
    QCOMPARE(found->ssh.hostKey, m_gateway->hostKey());
    QCOMPARE(found->ssh.identityFiles, QStringList{m_gateway->clientKey()});
    QVERIFY(found->ssh.user.isEmpty());
}

void TestLocalGateway::aFileLeftBehindIsNone()
{
    QVERIFY(m_gateway->start().isEmpty());
    m_gateway->kill();
    QVERIFY(QFile::exists(runtimeFolder() + u"/gateway.json"_s));
    const auto found = findGateway();
    QVERIFY(!found);
    QCOMPARE(found.error().kind, ErrorKind::NotFound);
}

void TestLocalGateway::aFileThatOthersCanReadIsRefused()
{
    QVERIFY(m_gateway->start().isEmpty());
    const QString file = runtimeFolder() + u"/gateway.json"_s;
    QVERIFY(QFile::setPermissions(file, QFile::ReadOwner | QFile::WriteOwner | QFile::ReadOther));
    QCOMPARE(findGateway().error().kind, ErrorKind::PermissionDenied);
    // Nor is another started beside it.
    QFuture<Result<GatewayAddress>> future = ensureGateway();
    QTRY_VERIFY_WITH_TIMEOUT(future.isFinished(), patience);
    QCOMPARE(future.result().error().kind, ErrorKind::PermissionDenied);
    // Nor by way of a link.
    QVERIFY(QFile::rename(file, file + u".real"_s));
    QVERIFY(QFile::setPermissions(file + u".real"_s, QFile::ReadOwner | QFile::WriteOwner));
    QVERIFY(QFile::link(file + u".real"_s, file));
    QVERIFY(!findGateway());
}

void TestLocalGateway::aFileWithStrangeContentIsRefused_data()
{
    QTest::addColumn<QByteArray>("change"); // JSON merged into the file; empty: nonsense instead of it
    QTest::newRow("no JSON") << QByteArray();
    QTest::newRow("another host") << QByteArray("{\"api_url\":\"http://192.0.2.1:80\"}");
    QTest::newRow("a host that looks like ours") << QByteArray("{\"api_url\":\"http://127.0.0.1.example:80\"}");
    QTest::newRow("no port") << QByteArray("{\"api_url\":\"http://127.0.0.1\"}");
    QTest::newRow("no key") << QByteArray("{\"api_key\":\"\"}");
    QTest::newRow("key of a wrong type") << QByteArray("{\"api_key\":7}");
    QTest::newRow("SSH elsewhere") << QByteArray("{\"ssh_endpoint\":{\"host\":\"example.org\",\"port\":22,\"host_key\":\"x\"}}");
    QTest::newRow("SSH without a host key") << QByteArray("{\"ssh_endpoint\":{\"host\":\"127.0.0.1\",\"port\":22}}");
    QTest::newRow("no pid") << QByteArray("{\"pid\":0}");
}

void TestLocalGateway::aFileWithStrangeContentIsRefused()
{
    QFETCH(const QByteArray, change);
    QVERIFY(m_gateway->start().isEmpty());
    QJsonObject object = m_gateway->startLine();
    const QJsonObject changes = QJsonDocument::fromJson(change).object();
    for (auto it = changes.begin(); it != changes.end(); ++it)
        object[it.key()] = it.value();
    const QByteArray content = change.isEmpty() ? QByteArray("nonsense") : QJsonDocument(object).toJson();
    QVERIFY(writePrivateFile(runtimeFolder() + u"/gateway.json"_s, content));
    const auto found = findGateway();
    QVERIFY(!found);
    QCOMPARE(found.error().kind, ErrorKind::Protocol);
}

void TestLocalGateway::itIsStartedOnce_howeverManyAsk()
{
    QList<QFuture<Result<GatewayAddress>>> futures;
    for (int i = 0; i < 5; ++i)
        futures.append(ensureGateway());
    for (const auto &future : futures)
        QTRY_VERIFY_WITH_TIMEOUT(future.isFinished(), patience);
    for (const auto &future : futures) {
        const auto address = future.result();
        QVERIFY2(address, qPrintable(address ? QString() : describe(address.error())));
        QCOMPARE(address->apiUrl, futures.first().result()->apiUrl);
    }
    const auto line = readGatewayFile(runtimeFolder() + u"/gateway.json"_s, stateFolder() + u"/gateway/lock"_s);
    QVERIFY(line);
    const auto pid = pid_t(line->value(u"pid"_s).toInteger());
    // It leads a session of its own: no terminal of ours takes it along.
    QCOMPARE(::getsid(pid) == ::getsid(0), false);
    QFuture<Result<GatewayAddress>> again = ensureGateway();
    QTRY_VERIFY_WITH_TIMEOUT(again.isFinished(), patience);
    QCOMPARE(again.result()->apiUrl, futures.first().result()->apiUrl);
}

void TestLocalGateway::itIsFoundByAnotherRuntimeFolder()
{
    QVERIFY(m_gateway->start().isEmpty());
    qunsetenv("XDG_RUNTIME_DIR");
    const auto found = findGateway();
    QVERIFY2(found, qPrintable(found ? QString() : describe(found.error())));
    QCOMPARE(found->apiUrl, m_gateway->apiUrl());
}

void TestLocalGateway::aProgramThatIsNotThereIsSaid()
{
    qputenv("SANDPIPER_GATEWAY", "/no/such/program");
    QFuture<Result<GatewayAddress>> future = ensureGateway();
    QTRY_VERIFY_WITH_TIMEOUT(future.isFinished(), patience);
    QCOMPARE(future.result().error().layer, Layer::LocalDisk);
    QCOMPARE(future.result().error().subject, u"/no/such/program"_s);
}

void TestLocalGateway::aProgramThatFailsIsQuoted()
{
    const QString script = m_gateway->folder() + u"/fails"_s;
    QFile file(script);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("#!/bin/sh\necho this is why >&2\nexit 1\n");
    file.close();
    QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::ExeOwner));
    qputenv("SANDPIPER_GATEWAY", script.toLocal8Bit());
    QFuture<Result<GatewayAddress>> future = ensureGateway();
    QTRY_VERIFY_WITH_TIMEOUT(future.isFinished(), patience);
    QCOMPARE(future.result().error().kind, ErrorKind::Io);
    QVERIFY2(future.result().error().detail.contains(u"this is why"_s), qPrintable(future.result().error().detail));
}

QTEST_GUILESS_MAIN(TestLocalGateway)
#include "tst_localgateway.moc"

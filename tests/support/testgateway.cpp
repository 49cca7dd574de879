#include "tests/support/testgateway.h"

#include <QElapsedTimer>
#include <QJsonDocument>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int startDeadline = 60'000; // under a sanitizer, beside seven others, on two cores
constexpr int endDeadline = 30'000;

QMap<QString, QString> userFolders(const QString &folder)
{
    return {
        {u"XDG_CONFIG_HOME"_s, folder + u"/config"_s},
        {u"XDG_STATE_HOME"_s, folder + u"/state"_s},
        {u"XDG_DATA_HOME"_s, folder + u"/data"_s},
        {u"XDG_CACHE_HOME"_s, folder + u"/cache"_s},
        {u"XDG_RUNTIME_DIR"_s, folder},
    };
}

} // namespace

bool nothingMayBeSkipped()
{
    return qgetenv("CI") == "true" || qgetenv("SANDPIPER_REQUIRE_SSHD") == "1";
}

TestGateway::TestGateway()
    : TestGateway(Options())
{
}

TestGateway::TestGateway(const Options &options)
    : m_options(options)
    // Short: sockets lie below it.
    , m_folder(u"/tmp/sbxgw-XXXXXX"_s)
{
}

TestGateway::~TestGateway()
{
    stop();
}

QString TestGateway::program(const QString &name)
{
    return qEnvironmentVariable("SANDPIPER_BIN") + u'/' + name;
}

QString TestGateway::start()
{
    if (isRunning())
        return u"it runs already"_s;
    m_startLine = {};
    m_errorOutput.clear();
    m_process = std::make_unique<QProcess>();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    QStringList arguments{u"--listen"_s, u"127.0.0.1:0"_s};
    if (m_options.layout == Layout::StateFolder) {
        arguments += {u"--state"_s, folder()};
    } else {
        const QMap<QString, QString> folders = userFolders(folder());
        for (auto it = folders.begin(); it != folders.end(); ++it)
            environment.insert(it.key(), it.value());
    }
    for (auto it = m_options.environment.begin(); it != m_options.environment.end(); ++it)
        environment.insert(it.key(), it.value());
    m_process->setProcessEnvironment(environment);
    m_process->start(program(u"sandpiper-gateway"_s), arguments + m_options.arguments);
    if (!m_process->waitForStarted(startDeadline))
        return m_process->errorString();
    QElapsedTimer since;
    since.start();
    while (!m_process->canReadLine() && since.elapsed() < startDeadline && m_process->state() == QProcess::Running)
        m_process->waitForReadyRead(200);
    m_startLine = QJsonDocument::fromJson(m_process->readLine()).object();
    if (!m_startLine.isEmpty()) {
        // Shown with the test's own output, and never a pipe that fills up.
        QObject::connect(m_process.get(), &QProcess::readyReadStandardError, m_process.get(),
                         [this] { m_errorOutput += m_process->readAllStandardError(); });
        m_errorOutput = m_process->readAllStandardError();
        return {};
    }
    m_errorOutput = m_process->readAllStandardError();
    kill();
    return u"sandpiper-gateway gave no start line: "_s + QString::fromUtf8(m_errorOutput);
}

void TestGateway::waitForProcess()
{
    if (!m_process->waitForFinished(endDeadline)) {
        m_process->kill();
        m_process->waitForFinished(endDeadline);
    }
    m_errorOutput += m_process->readAllStandardError();
    m_process.reset();
}

void TestGateway::stop()
{
    if (!isRunning())
        return;
    m_process->terminate();
    waitForProcess();
}

void TestGateway::kill()
{
    if (!isRunning())
        return;
    m_process->kill();
    waitForProcess();
}

bool TestGateway::waitForEnd(int milliseconds)
{
    return !isRunning() || m_process->waitForFinished(milliseconds);
}

QUrl TestGateway::apiUrl() const
{
    return QUrl(m_startLine.value(u"api_url"_s).toString());
}

QByteArray TestGateway::apiKey() const
{
    return m_startLine.value(u"api_key"_s).toString().toUtf8();
}

QString TestGateway::sshHost() const
{
    return m_startLine.value(u"ssh_host"_s).toString();
}

quint16 TestGateway::sshPort() const
{
    return quint16(m_startLine.value(u"ssh_port"_s).toInt());
}

QByteArray TestGateway::hostKey() const
{
    return m_startLine.value(u"ssh_endpoint"_s).toObject().value(u"host_key"_s).toString().toUtf8();
}

QString TestGateway::clientKey() const
{
    return m_startLine.value(u"client_key"_s).toString();
}

qint64 TestGateway::pid() const
{
    return m_startLine.value(u"pid"_s).toInteger();
}

QString TestGateway::unusableBecause() const
{
    return m_startLine.value(u"unusable_because"_s).toString();
}

void TestGateway::apply() const
{
    const QMap<QString, QString> folders = userFolders(folder());
    for (auto it = folders.begin(); it != folders.end(); ++it)
        qputenv(it.key().toLatin1().constData(), it.value().toLocal8Bit());
    qputenv("SANDPIPER_GATEWAY", program(u"sandpiper-gateway"_s).toLocal8Bit());
}

} // namespace Sandpiper

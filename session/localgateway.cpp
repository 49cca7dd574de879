#include "session/localgateway.h"

#include "session/gatewayfile.h"
#include "session/paths.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QProcess>
#include <QPromise>
#include <QStandardPaths>
#include <QTimer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

Q_LOGGING_CATEGORY(lcLocal, "sandpiper.session.local", QtInfoMsg)

constexpr auto startDeadline = std::chrono::seconds(15);
constexpr auto pollInterval = std::chrono::milliseconds(50);
constexpr qint64 logTail = 2000;

using Answer = Result<GatewayAddress>;

Answer parse(const QJsonObject &line)
{
    const auto broken = [](const QString &what) {
        return failure(ErrorKind::Protocol, Layer::LocalDisk, u"the gateway's file has no good \"%1\""_s.arg(what));
    };
    GatewayAddress address;
    address.apiUrl = QUrl(line.value(u"api_url"_s).toString(), QUrl::StrictMode);
    // The file is ours alone, and still: the key goes nowhere but to this computer.
    if (address.apiUrl.scheme() != "http"_L1 || address.apiUrl.host() != "127.0.0.1"_L1 || address.apiUrl.port() <= 0)
        return broken(u"api_url"_s);
    QByteArray key = line.value(u"api_key"_s).toString().toUtf8();
    if (key.isEmpty())
        return broken(u"api_key"_s);
    address.apiKey = std::make_shared<Secret>(Secret::taking(key));
    const QJsonObject ssh = line.value(u"ssh_endpoint"_s).toObject();
    if (!ssh.isEmpty()) {
        const int port = ssh.value(u"port"_s).toInt();
        address.ssh.host = ssh.value(u"host"_s).toString();
        address.ssh.hostKey = ssh.value(u"host_key"_s).toString().toUtf8();
        if (port <= 0 || port > 65535 || address.ssh.host != "127.0.0.1"_L1 || address.ssh.hostKey.isEmpty())
            return broken(u"ssh_endpoint"_s);
        address.ssh.port = quint16(port);
        const QString identity = line.value(u"client_key"_s).toString();
        if (!identity.isEmpty())
            address.ssh.identityFiles = {identity};
    }
    return address;
}

// Beside the running program, in libexec, in PATH; the variable is for tests and packagers.
QString gatewayProgram()
{
    const QString set = qEnvironmentVariable("SANDPIPER_GATEWAY");
    if (!set.isEmpty())
        return set;
    const QString here = QCoreApplication::applicationDirPath();
    for (const QString &candidate : {here + u"/sandpiper-gateway"_s, here + u"/../libexec/sandpiper/sandpiper-gateway"_s}) {
        if (QFileInfo(candidate).isExecutable())
            return candidate;
    }
    return QStandardPaths::findExecutable(u"sandpiper-gateway"_s);
}

// Starts the gateway and looks until it says where it is; deletes itself with the answer.
class GatewayStart : public QObject
{
public:
    GatewayStart()
    {
        m_promise.start();
        m_since.start();
        connect(&m_timer, &QTimer::timeout, this, &GatewayStart::look);
    }
    // The application ended first: whoever waits shall not wait for ever.
    ~GatewayStart() override
    {
        if (!m_answered)
            answer(failure(ErrorKind::Cancelled, Layer::LocalDisk));
    }

    QFuture<Answer> future() { return m_promise.future(); }

    void begin()
    {
        const QString state = stateFolder();
        const QString program = gatewayProgram();
        if (state.isEmpty()) {
            finish(failure(ErrorKind::Io, Layer::LocalDisk, u"the state folder cannot be made"_s));
            return;
        }
        if (program.isEmpty()) {
            finish(failure(ErrorKind::NotFound, Layer::LocalDisk, u"it is not installed beside this program, nor in PATH"_s, u"sandpiper-gateway"_s));
            return;
        }
        m_log = state + u"/gateway.log"_s;
        // The log is this start's own: it says why it failed, and does not grow from start to start.
        [[maybe_unused]] const Done emptied = writePrivateFile(m_log, {});
        QProcess process;
        process.setProgram(program);
        process.setStandardInputFile(QProcess::nullDevice());
        process.setStandardOutputFile(QProcess::nullDevice());
        process.setStandardErrorFile(m_log, QIODevice::Append);
        process.setWorkingDirectory(u"/"_s);
        // A session of its own, no child of ours: it outlives the window.
        if (!process.startDetached(&m_pid)) {
            finish(failure(ErrorKind::Io, Layer::LocalDisk, process.errorString(), program));
            return;
        }
        qCInfo(lcLocal, "Started the gateway of this computer, process %lld.", m_pid);
        m_timer.start(pollInterval);
    }

    void finish(const Answer &result)
    {
        answer(result);
        deleteLater();
    }

private:
    void answer(const Answer &result)
    {
        m_answered = true;
        m_timer.stop();
        m_promise.addResult(result);
        m_promise.finish();
    }

    void look()
    {
        if (m_promise.isCanceled()) {
            finish(failure(ErrorKind::Cancelled, Layer::LocalDisk));
            return;
        }
        const Answer found = findGateway();
        if (found || found.error().kind != ErrorKind::NotFound) {
            finish(found);
            return;
        }
        const bool ended = !QFileInfo::exists(u"/proc/%1"_s.arg(m_pid));
        // Ended by itself: it failed, or it found one that was quicker, which is looked for once more.
        if ((ended && m_hasEnded) || m_since.durationElapsed() > startDeadline)
            finish(failure(ended ? ErrorKind::Io : ErrorKind::Timeout, Layer::LocalDisk, lastWords(), u"sandpiper-gateway"_s));
        m_hasEnded = ended;
    }

    [[nodiscard]] QString lastWords() const
    {
        const Result<QByteArray> log = readFile(m_log, 1 << 20);
        return log ? tamed(QString::fromUtf8(log->right(logTail)).trimmed(), 500) : QString();
    }

    QPromise<Answer> m_promise;
    QElapsedTimer m_since;
    QTimer m_timer;
    QString m_log;
    qint64 m_pid = 0;
    bool m_hasEnded = false;
    bool m_answered = false;
};

} // namespace

Result<GatewayAddress> findGateway()
{
    const QString state = stateFolder();
    const QString run = runtimeFolder();
    if (state.isEmpty() || run.isEmpty())
        return failure(ErrorKind::Io, Layer::LocalDisk, u"the user's own folders cannot be made"_s);
    const Result<QJsonObject> line = readGatewayFile(run + u"/gateway.json"_s, state + u"/gateway/lock"_s);
    if (!line)
        return std::unexpected(line.error());
    return parse(*line);
}

QFuture<Result<GatewayAddress>> ensureGateway()
{
    auto *start = new GatewayStart; // deletes itself with the answer
    start->setParent(QCoreApplication::instance());
    QFuture<Answer> future = start->future();
    const Answer found = findGateway();
    if (found || found.error().kind != ErrorKind::NotFound)
        start->finish(found);
    else
        start->begin();
    return future;
}

} // namespace Sandpiper

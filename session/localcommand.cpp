#include "session/localcommand.h"

#include <QCoreApplication>
#include <QProcessEnvironment>

#include <signal.h>
#include <unistd.h>

namespace Sandpiper {

LocalCommand::LocalCommand(const CommandSpec &spec, QObject *parent)
    : RemoteCommand(parent)
    , m_spec(spec)
    , m_process(std::make_unique<QProcess>())
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (auto it = spec.environment.cbegin(); it != spec.environment.cend(); ++it)
        environment.insert(it.key(), it.value());
    m_process->setProcessEnvironment(environment);
    m_process->setWorkingDirectory(spec.workingDirectory);
    // A group of its own, so that whatever it has started goes with it.
    m_process->setChildProcessModifier([] { (void)::setpgid(0, 0); });
    connect(m_process.get(), &QProcess::started, this, &RemoteCommand::started);
    connect(m_process.get(), &QProcess::readyReadStandardOutput, this, [this] { read(QProcess::StandardOutput); });
    connect(m_process.get(), &QProcess::readyReadStandardError, this, [this] { read(QProcess::StandardError); });
    connect(m_process.get(), &QProcess::bytesWritten, this, [this] {
        if (m_process->bytesToWrite() == 0)
            emit inputDrained();
    });
    connect(m_process.get(), &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error != QProcess::FailedToStart)
            return;
        ShellEnd failed;
        failed.kind = ShellEnd::Kind::Failed;
        failed.error = {ErrorKind::NotFound, Layer::LocalDisk, m_process->errorString(), m_spec.argv.value(0)};
        end(failed);
    });
    connect(m_process.get(), &QProcess::finished, this, [this](int code, QProcess::ExitStatus status) {
        read(QProcess::StandardOutput);
        read(QProcess::StandardError);
        ShellEnd ended;
        ended.kind = status == QProcess::NormalExit ? ShellEnd::Kind::Exited : ShellEnd::Kind::Signalled;
        ended.exitCode = status == QProcess::NormalExit ? code : 0;
        end(ended);
    });
}

LocalCommand::~LocalCommand()
{
    QProcess *process = m_process.release();
    process->disconnect(this);
    // At the end of the program there is nobody who would delete it later.
    if (process->state() == QProcess::NotRunning || !QCoreApplication::instance()) {
        delete process;
        return;
    }
    process->setParent(QCoreApplication::instance());
    // Nobody waits for it here: it goes when it is gone.
    connect(process, &QProcess::finished, process, &QObject::deleteLater);
    if (process->processId() > 0)
        (void)::kill(-pid_t(process->processId()), SIGKILL);
    process->kill();
}

void LocalCommand::start()
{
    // From the event loop, as all that it tells.
    QMetaObject::invokeMethod(this, [this] { m_process->start(m_spec.argv.value(0), m_spec.argv.sliced(std::min<qsizetype>(1, m_spec.argv.size()))); }, Qt::QueuedConnection);
}

void LocalCommand::read(QProcess::ProcessChannel channel)
{
    m_process->setReadChannel(channel);
    const QByteArray bytes = m_process->readAll();
    if (bytes.isEmpty())
        return;
    channel == QProcess::StandardOutput ? emit outputReceived(bytes) : emit errorOutputReceived(bytes);
}

void LocalCommand::writeInput(QByteArrayView bytes)
{
    m_process->write(bytes.data(), bytes.size());
}

void LocalCommand::closeInput()
{
    m_process->closeWriteChannel();
}

void LocalCommand::sendSignal(int number)
{
    if (m_process->processId() > 0)
        (void)::kill(-pid_t(m_process->processId()), number);
}

qint64 LocalCommand::pendingInput() const
{
    return m_process->bytesToWrite();
}

void LocalCommand::end(const ShellEnd &end)
{
    if (!std::exchange(m_isOver, true))
        emit ended(end);
}

} // namespace Sandpiper

#include "gateway/sandboxrun.h"

#include "gateway/agentrequest.h"
#include "gateway/bubblewrap.h"

#include <QFile>
#include <QLoggingCategory>
#include <QProcessEnvironment>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

Q_LOGGING_CATEGORY(lcRun, "sandpiper.gateway.run", QtInfoMsg)

constexpr auto startDeadline = std::chrono::seconds(20);
constexpr auto stopDeadline = std::chrono::seconds(3);
constexpr int gentleMilliseconds = 1500; // a little more than the init gives its processes

// The pid of who sent the waiting message, as it is seen here; 0 where there is none.
pid_t senderOf(int fd)
{
    char byte = 0;
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(ucred))];
    iovec part = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    if (recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
        return 0;
    const cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS)
        return 0;
    ucred sender = {};
    std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
    return sender.pid;
}

} // namespace

SandboxRun::SandboxRun(Setup setup, SandboxNetwork *network, QObject *parent)
    : QObject(parent), m_setup(std::move(setup)), m_network(network)
{
    m_deadline.setSingleShot(true);
    m_process.setStandardInputFile(QProcess::nullDevice());
    m_process.setStandardOutputFile(QProcess::nullDevice());
    connect(&m_process, &QProcess::readyReadStandardError, this,
            [this] { m_said = (m_said + m_process.readAllStandardError()).right(4000); });
    connect(&m_process, &QProcess::finished, this, &SandboxRun::finished);
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            fail(bubblewrapProblem(m_process.errorString().toUtf8()));
    });
}

SandboxRun::~SandboxRun()
{
    disconnect(&m_process, nullptr, this, nullptr);
    m_attachment.reset();
    if (m_gentle)
        m_process.waitForFinished(gentleMilliseconds);
    m_lifeline.reset();
    // The sandbox's first process ends with its lifeline, and the kernel ends all others with it.
    if (m_process.state() != QProcess::NotRunning && !m_process.waitForFinished(3000)) {
        m_process.kill();
        m_process.waitForFinished(1000);
    }
    QFile::remove(m_setup.socketPath);
}

void SandboxRun::start()
{
    m_phase = Phase::Starting;
    const auto listener = listenForAgent(m_setup.socketPath);
    int ends[2] = {-1, -1};
    if (!listener || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        const QString why = listener ? qt_error_string(errno) : describe(listener.error());
        QMetaObject::invokeMethod(this, [this, why] { fail(why); }, Qt::QueuedConnection);
        return;
    }
    m_lifeline = Fd(ends[0]);
    const Fd theirs(ends[1]);
    const int on = 1;
    ::setsockopt(m_lifeline.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    m_notifier = std::make_unique<QSocketNotifier>(m_lifeline.get(), QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &SandboxRun::lifelineReadable);

    QStringList arguments = m_setup.arguments;
    arguments << u"--listener"_s << QString::number(listener->get())
              << u"--lifeline"_s << QString::number(theirs.get())
              // Inside a PID namespace of its own this process has no number.
              << u"--peer"_s << QString::number(m_setup.isolated ? 0 : ::getpid())
              << u"--workspace"_s << m_setup.workspace;
    m_process.setUnixProcessParameters(QProcess::UnixProcessFlag::ResetSignalHandlers);
    m_process.setChildProcessModifier([inherited = std::array{listener->get(), theirs.get()}] {
        for (const int fd : inherited)
            ::fcntl(fd, F_SETFD, 0);
    });
    QProcessEnvironment environment;
    for (const QString &variable : std::as_const(m_setup.environment)) {
        const qsizetype equals = variable.indexOf(u'=');
        environment.insert(variable.first(equals), variable.sliced(equals + 1));
    }
    m_process.setProcessEnvironment(environment);
    connect(&m_deadline, &QTimer::timeout, this,
            [this] { fail(u"The sandbox did not start in time."_s); });
    m_deadline.start(startDeadline);
    // From this thread, which lives as long as the gateway: bubblewrap dies with the thread, not
    // with the process.
    m_process.start(m_setup.program, arguments);
}

void SandboxRun::stop()
{
    m_notifier.reset();
    m_lifeline.reset();
    m_deadline.disconnect(this);
    connect(&m_deadline, &QTimer::timeout, this, &SandboxRun::kill);
    m_deadline.start(stopDeadline);
}

void SandboxRun::stopGently()
{
    if (m_lifeline.isValid() && ::send(m_lifeline.get(), "e", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
        m_gentle = true;
    else
        stop();
}

void SandboxRun::kill()
{
    qCWarning(lcRun) << "A sandbox had to be killed";
    m_process.kill();
}

void SandboxRun::fail(const QString &why)
{
    if (m_phase == Phase::Over || m_phase == Phase::Running)
        return;
    m_phase = Phase::Over;
    stop();
    emit failed(why);
}

void SandboxRun::lifelineReadable()
{
    const pid_t pid = senderOf(m_lifeline.get());
    if (pid == 0) {
        // Closed at the other end; the process's own end says the rest.
        m_notifier->setEnabled(false);
        return;
    }
    if (m_phase == Phase::Starting)
        attach(pid);
}

void SandboxRun::attach(qint64 pid)
{
    m_phase = Phase::Attaching;
    if (!m_setup.isolated || !m_network->unusableBecause().isEmpty()) {
        m_hasNetwork = !m_setup.isolated;
        const QString note = m_setup.isolated ? m_network->unusableBecause() : QString();
        QMetaObject::invokeMethod(this, [this, note] { attachmentDone(note); }, Qt::QueuedConnection);
        return;
    }
    m_attachment = std::make_unique<NetworkAttachment>(m_setup.initProgram, pid, nullptr);
    connect(m_attachment.get(), &NetworkAttachment::done, this,
            [this](const QString &note, bool worthAnotherTry) {
                m_hasNetwork = note.isEmpty();
                if (!worthAnotherTry)
                    m_network->setUnusable(note);
                attachmentDone(note);
            });
}

void SandboxRun::attachmentDone(const QString &note)
{
    if (m_phase != Phase::Attaching)
        return;
    m_phase = Phase::Running;
    m_networkNote = note;
    m_deadline.stop();
    emit started();
}

void SandboxRun::finished()
{
    m_deadline.stop();
    m_attachment.reset();
    m_notifier.reset();
    m_lifeline.reset();
    QFile::remove(m_setup.socketPath);
    const Phase before = std::exchange(m_phase, Phase::Over);
    if (before == Phase::Running)
        emit ended();
    else if (before != Phase::Over)
        emit failed(bubblewrapProblem(m_said));
}

} // namespace Sandpiper

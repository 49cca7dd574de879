#include "gateway/sshbridge.h"

#include <QLoggingCategory>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

Q_LOGGING_CATEGORY(lcSshBridge, "sandpiper.gateway.ssh", QtInfoMsg)

namespace {

// Bytes from the client that the process has not read. Past it the channel's window stays shut.
constexpr qsizetype maxWaiting = 256 * 1024;
constexpr std::size_t readSize = 32 * 1024;

SshBridge *self(void *userdata)
{
    return static_cast<SshBridge *>(userdata);
}

} // namespace

SshBridge::SshBridge(ssh_channel channel, Spawn spawn)
    : m_channel(channel)
    , m_spawn(std::move(spawn))
{
    setCallbacks();
}

SshBridge::SshBridge(ssh_channel channel, Fd socket)
    : m_channel(channel)
    , m_socket(std::move(socket))
{
    setCallbacks();
}

SshBridge::~SshBridge()
{
    if (m_channel == nullptr)
        return;
    ssh_remove_channel_callbacks(m_channel, &m_callbacks);
    ssh_channel_free(m_channel);
}

void SshBridge::abandonChannel()
{
    ssh_remove_channel_callbacks(m_channel, &m_callbacks);
    m_channel = nullptr;
}

void SshBridge::setCallbacks()
{
    m_callbacks.userdata = this;
    m_callbacks.channel_data_function = [](ssh_session, ssh_channel, void *data, uint32_t size, int, void *user) {
        return self(user)->takeData(data, size);
    };
    m_callbacks.channel_eof_function = [](ssh_session, ssh_channel, void *user) { self(user)->m_clientEof = true; };
    m_callbacks.channel_close_function = [](ssh_session, ssh_channel, void *user) { self(user)->m_clientClosed = true; };
    if (m_spawn) {
        m_callbacks.channel_signal_function = [](ssh_session, ssh_channel, const char *name, void *user) {
            const int number = sshSignalNumber(name);
            if (number != 0 && self(user)->m_process)
                self(user)->m_process->sendSignal(number);
        };
        m_callbacks.channel_auth_agent_req_function = [](ssh_session, ssh_channel, void *user) { self(user)->m_spec.agentSocket = true; };
    }
    ssh_callbacks_init(&m_callbacks);
    ssh_set_channel_callbacks(m_channel, &m_callbacks);
}

bool SshBridge::request(ssh_message message)
{
    if (!m_spawn)
        return false;
    SpawnSpec spec = m_spec;
    switch (ssh_message_subtype(message)) {
    case SSH_CHANNEL_REQUEST_PTY: {
        const TerminalRequest wished = terminalRequest(message);
        m_spec.io = SpawnSpec::Io::Terminal;
        m_spec.size = wished.size;
        m_spec.environment.insert(u"TERM"_s, QString::fromUtf8(wished.term));
        return true;
    }
    case SSH_CHANNEL_REQUEST_WINDOW_CHANGE:
        m_spec.size = terminalRequest(message).size;
        return !m_process || m_process->resize(m_spec.size);
    case SSH_CHANNEL_REQUEST_ENV:
        return setEnvironment(ssh_message_channel_request_env_name(message), ssh_message_channel_request_env_value(message));
    case SSH_CHANNEL_REQUEST_SHELL:
        spec.loginShell = true;
        return startProcess(std::move(spec));
    case SSH_CHANNEL_REQUEST_EXEC:
        spec.loginShell = true;
        spec.shellCommand = ssh_message_channel_request_command(message);
        return startProcess(std::move(spec));
    case SSH_CHANNEL_REQUEST_SUBSYSTEM:
        if (qstrcmp(ssh_message_channel_request_subsystem(message), "sftp") != 0)
            return false;
        spec.io = SpawnSpec::Io::Pipes;
        spec.argv = {u"/usr/lib/openssh/sftp-server"_s};
        return startProcess(std::move(spec));
    default:
        return false;
    }
}

bool SshBridge::setEnvironment(const QByteArray &name, const QByteArray &value)
{
    // The person owns this shell, so any variable is theirs to set; only the amount is ours.
    const qsizetype bytes = m_environmentBytes + name.size() + value.size();
    if (!isEnvironmentName(name) || m_spec.environment.size() >= maxSshEnvironment || bytes > maxSshEnvironmentBytes)
        return false;
    m_environmentBytes = bytes;
    m_spec.environment.insert(QString::fromLatin1(name), QString::fromUtf8(value));
    return true;
}

bool SshBridge::startProcess(SpawnSpec spec)
{
    if (m_process)
        return false; // RFC 4254 section 6.5: one of these per channel
    Result<SandboxProcess> process = m_spawn(spec);
    if (!process) {
        qCWarning(lcSshBridge, "A program could not be started: %s", qUtf8Printable(describe(process.error())));
        // The client's terminal is the only place where its user can read why.
        const QByteArray text = "Sandpiper: " + tamed(process.error().detail).toUtf8() + "\r\n";
        ssh_channel_write_stderr(m_channel, text.constData(), uint32_t(text.size()));
        return false;
    }
    m_process = std::move(*process);
    m_errorEnded = !m_process->errorOutput.isValid();
    return true;
}

int SshBridge::takeData(const void *data, uint32_t size)
{
    // What is refused stays in the channel and is fetched by step(); its window stays shut meanwhile.
    if (m_toOut.size() >= maxWaiting)
        return 0;
    if (!m_outClosed)
        m_toOut.append(static_cast<const char *>(data), qsizetype(size));
    return int(size);
}

int SshBridge::outFd() const
{
    if (m_socket.isValid())
        return m_socket.get();
    if (!m_process)
        return -1;
    return m_process->terminal.isValid() ? m_process->terminal.get() : m_process->input.get();
}

bool SshBridge::readable(const Fd &from, SessionRoom room) const
{
    return from.isValid() && room == SessionRoom::Free && !m_clientClosed
            && ssh_channel_window_size(m_channel) > 0;
}

void SshBridge::addPolls(std::vector<pollfd> &polls, SessionRoom room) const
{
    const int out = outFd();
    if (!m_toOut.isEmpty() && out >= 0)
        polls.push_back({out, POLLOUT, 0});
    const auto addReadable = [&](const Fd &fd, bool ended) {
        if (!ended && readable(fd, room))
            polls.push_back({fd.get(), POLLIN, 0});
    };
    addReadable(m_socket, m_inEnded);
    if (!m_process)
        return;
    addReadable(m_process->terminal.isValid() ? m_process->terminal : m_process->output, m_inEnded);
    addReadable(m_process->errorOutput, m_errorEnded);
    if (!m_end)
        polls.push_back({m_process->controlFd(), POLLIN, 0});
    if (m_process->agentListener.isValid())
        polls.push_back({m_process->agentListener.get(), POLLIN, 0});
}

void SshBridge::step(SessionRoom room)
{
    if (m_done)
        return;
    flushOut();
    closeOutWhenDrained();
    if (m_process && !m_end)
        m_end = m_process->takeEnd();
    if (m_socket.isValid() && !m_inEnded)
        readInto(m_socket, room, false);
    if (m_process) {
        if (!m_inEnded)
            readInto(m_process->terminal.isValid() ? m_process->terminal : m_process->output, room, false);
        if (!m_errorEnded)
            readInto(m_process->errorOutput, room, true);
        acceptAgentConnections();
    }
    finishWhenOver();
}

void SshBridge::flushOut()
{
    for (;;) {
        const int out = outFd();
        while (!m_toOut.isEmpty() && out >= 0) {
            const ssize_t written = m_socket.isValid()
                    ? ::send(out, m_toOut.constData(), size_t(m_toOut.size()), MSG_NOSIGNAL)
                    : ::write(out, m_toOut.constData(), size_t(m_toOut.size()));
            if (written < 0 && (errno == EAGAIN || errno == EINTR))
                break;
            if (written <= 0) {
                // Nobody reads any more: what is on its way is lost, as with a broken pipe.
                m_toOut.clear();
                m_outClosed = true;
                break;
            }
            m_toOut.remove(0, written);
        }
        // Fetch what takeData() refused; reading it also opens the window again.
        if (m_toOut.size() >= maxWaiting / 2 || !ssh_channel_is_open(m_channel))
            return;
        std::array<char, readSize> buffer;
        const int got = ssh_channel_read_nonblocking(m_channel, buffer.data(), buffer.size(), 0);
        if (got <= 0)
            return;
        if (!m_outClosed)
            m_toOut.append(buffer.data(), got);
    }
}

void SshBridge::closeOutWhenDrained()
{
    if (!m_clientEof || !m_toOut.isEmpty() || m_outClosed)
        return;
    if (m_socket.isValid()) {
        ::shutdown(m_socket.get(), SHUT_WR);
        m_outClosed = true;
    } else if (m_process && !m_process->terminal.isValid()) {
        m_process->input.reset();
        m_outClosed = true;
    }
}

void SshBridge::readInto(Fd &from, SessionRoom room, bool isError)
{
    bool &ended = isError ? m_errorEnded : m_inEnded;
    m_inBlocked = m_inBlocked && isError;
    std::array<char, readSize> buffer;
    // A few reads a turn: other channels of this connection wait their turn behind us.
    for (int turn = 0; turn < 4 && readable(from, room); ++turn) {
        const std::size_t most = std::min<std::size_t>(buffer.size(), ssh_channel_window_size(m_channel));
        const ssize_t got = ::read(from.get(), buffer.data(), most);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN) {
            m_inBlocked = m_inBlocked || !isError;
            return;
        }
        if (got <= 0) { // a PTY whose last user has gone says EIO
            ended = true;
            return;
        }
        const int sent = isError ? ssh_channel_write_stderr(m_channel, buffer.data(), uint32_t(got))
                                 : ssh_channel_write(m_channel, buffer.data(), uint32_t(got));
        if (sent < 0) {
            m_clientClosed = true;
            return;
        }
    }
}

void SshBridge::acceptAgentConnections()
{
    if (!m_process->agentListener.isValid())
        return;
    while (m_agentConnections.size() < 16) {
        Fd connection(::accept4(m_process->agentListener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!connection.isValid())
            return;
        m_agentConnections.push_back(std::move(connection));
    }
}

std::vector<Fd> SshBridge::takeAgentConnections()
{
    return std::exchange(m_agentConnections, {});
}

void SshBridge::finishWhenOver()
{
    // Who has closed wants what was sent before to arrive.
    if (m_clientClosed && m_socket.isValid() && !m_outClosed && !m_toOut.isEmpty())
        return;
    if (m_clientClosed || ssh_channel_is_closed(m_channel)) {
        // Letting go of the process hangs it up.
        m_process.reset();
        m_socket.reset();
        m_done = true;
        return;
    }
    const bool isTerminal = m_process && m_process->terminal.isValid();
    // Programs left in the background may hold a terminal open for ever; its shell's end is the end.
    const bool inOver = m_inEnded || (isTerminal && m_end && m_inBlocked);
    const bool over = m_process ? inOver && m_errorEnded && m_end : m_socket.isValid() && m_inEnded;
    if (!over)
        return;
    if (!std::exchange(m_eofSent, true))
        ssh_channel_send_eof(m_channel);
    // A socket may be half closed: the other direction goes on until the client ends it too.
    if (m_socket.isValid() && !m_outClosed)
        return;
    if (m_end) {
        if (m_end->signal != 0)
            ssh_channel_request_send_exit_signal(m_channel, sshSignalName(m_end->signal).constData(), 0, "", "");
        else
            ssh_channel_request_send_exit_status(m_channel, m_end->exitCode);
    }
    ssh_channel_close(m_channel);
    m_done = true;
}

} // namespace Sandpiper

#include "gateway/sshinner.h"

#include <QFile>
#include <QScopeGuard>

#include <algorithm>
#include <array>
#include <chrono>

#include <fcntl.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype maxWaiting = 256 * 1024;
constexpr long answerSeconds = 10;
constexpr int greetingMilliseconds = 5000;

// A server speaks first (RFC 4253 section 4.2); what it says is only looked at, not taken.
bool speaksSsh(int fd)
{
    pollfd readable = {fd, POLLIN, 0};
    if (::poll(&readable, 1, greetingMilliseconds) <= 0)
        return false;
    std::array<char, 4> greeting = {};
    return ::recv(fd, greeting.data(), greeting.size(), MSG_PEEK | MSG_WAITALL) == ssize_t(greeting.size())
            && std::string_view(greeting.data(), greeting.size()) == "SSH-";
}

SshRelay *self(void *userdata);

} // namespace

Result<std::unique_ptr<SshInner>> SshInner::connectTo(const LocalSandbox &sandbox, quint16 port, const QString &keyFile)
{
    const QString where = u"port %1 in sandbox %2"_s.arg(port).arg(sandbox.name.isEmpty() ? sandbox.id : sandbox.name);
    const auto refuse = [](const QString &why) { return failure(ErrorKind::ConnectionRefused, Layer::Ssh, why); };
    Result<Fd> socket = sandbox.agent.dial(u"127.0.0.1"_s, port);
    if (!socket)
        return refuse(u"nothing listens on %1"_s.arg(where));
    ::fcntl(socket->get(), F_SETFL, ::fcntl(socket->get(), F_GETFL) & ~O_NONBLOCK);
    if (!speaksSsh(socket->get()))
        return refuse(u"nothing speaks SSH on %1"_s.arg(where));
    std::unique_ptr<SshInner> inner(new SshInner);
    inner->m_socket = LentSocket(std::move(*socket));
    if (!inner->m_socket.isValid())
        return refuse(u"no descriptor is left for %1"_s.arg(where));
    if (const QString why = inner->logIn(where, keyFile); !why.isEmpty())
        return refuse(why);
    return inner;
}

QString SshInner::logIn(const QString &where, const QString &keyFile)
{
    m_session = ssh_new();
    const int fd = m_socket.lent();
    bool off = false;
    long timeout = answerSeconds;
    ssh_options_set(m_session, SSH_OPTIONS_PROCESS_CONFIG, &off);
    ssh_options_set(m_session, SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(m_session, SSH_OPTIONS_USER, "tl-user");
    ssh_options_set(m_session, SSH_OPTIONS_FD, &fd);
    ssh_options_set(m_session, SSH_OPTIONS_TIMEOUT, &timeout);
    // No host key to compare: the gateway itself dialled into the sandbox's own namespace.
    if (ssh_connect(m_session) != SSH_OK)
        return u"the SSH server on %1 did not agree on a connection"_s.arg(where);
    ssh_key key = nullptr;
    const auto freeKey = qScopeGuard([&key] { ssh_key_free(key); });
    if (keyFile.isEmpty()
        || ssh_pki_import_privkey_file(QFile::encodeName(keyFile).constData(), nullptr, nullptr, nullptr, &key) != SSH_OK
        || ssh_userauth_publickey(m_session, nullptr, key) != SSH_AUTH_SUCCESS)
        return u"the SSH server on %1 does not take this computer's key; add it to ~/.ssh/authorized_keys there"_s.arg(where);
    ssh_set_blocking(m_session, 0);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    m_event = ssh_event_new();
    ssh_event_add_session(m_event, m_session);
    return {};
}

SshInner::~SshInner()
{
    if (m_event != nullptr) {
        ssh_event_remove_session(m_event, m_session);
        ssh_event_free(m_event);
    }
    if (m_session != nullptr) {
        ssh_disconnect(m_session);
        ssh_free(m_session);
    }
}

pollfd SshInner::poll() const
{
    const bool pending = (ssh_get_poll_flags(m_session) & SSH_WRITE_PENDING) != 0;
    return {m_socket.get(), short(POLLIN | (pending ? POLLOUT : 0)), 0};
}

bool SshInner::pump()
{
    for (int turn = 0; turn < 64; ++turn) {
        const int rc = ssh_event_dopoll(m_event, 0);
        if (rc == SSH_ERROR)
            return false;
        if (rc == SSH_AGAIN)
            break;
    }
    return (ssh_get_status(m_session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0;
}

ssh_channel SshInner::openSession()
{
    const Waiting waiting(this);
    ssh_channel channel = ssh_channel_new(m_session);
    if (channel != nullptr && ssh_channel_open_session(channel) != SSH_OK) {
        ssh_channel_free(channel);
        return nullptr;
    }
    return channel;
}

SshInner::Waiting::Waiting(SshInner *inner)
    : m_inner(inner)
{
    ssh_set_blocking(m_inner->m_session, 1);
}

SshInner::Waiting::~Waiting()
{
    ssh_set_blocking(m_inner->m_session, 0);
    // libssh may have turned the descriptor back to waiting.
    ::fcntl(m_inner->m_socket.get(), F_SETFL, ::fcntl(m_inner->m_socket.get(), F_GETFL) | O_NONBLOCK);
}

SshRelay::SshRelay(ssh_channel outer, SshInner *inner)
    : m_outer(outer)
    , m_inner(inner)
    , m_far(inner->openSession())
{
    setCallbacks();
    if (m_far != nullptr)
        setInnerCallbacks();
}

void SshRelay::abandonChannel()
{
    ssh_remove_channel_callbacks(m_outer, &m_outerCallbacks);
    m_outer = nullptr;
}

SshRelay::~SshRelay()
{
    if (m_outer != nullptr) {
        ssh_remove_channel_callbacks(m_outer, &m_outerCallbacks);
        ssh_channel_free(m_outer);
    }
    if (m_far != nullptr) {
        ssh_remove_channel_callbacks(m_far, &m_farCallbacks);
        ssh_channel_free(m_far);
    }
}

void SshRelay::setCallbacks()
{
    ssh_channel_callbacks_struct &on = m_outerCallbacks;
    on.userdata = this;
    on.channel_data_function = [](ssh_session, ssh_channel, void *data, uint32_t size, int, void *user) {
        return self(user)->takeData(data, size);
    };
    on.channel_eof_function = [](ssh_session, ssh_channel, void *user) { self(user)->m_outerEof = true; };
    on.channel_close_function = [](ssh_session, ssh_channel, void *user) { self(user)->m_outerClosed = true; };
    if (m_far != nullptr) {
        on.channel_signal_function = [](ssh_session, ssh_channel, const char *name, void *user) {
            ssh_channel_request_send_signal(self(user)->m_far, name);
        };
    }
    ssh_callbacks_init(&m_outerCallbacks);
    ssh_set_channel_callbacks(m_outer, &m_outerCallbacks);
}

bool SshRelay::request(ssh_message message)
{
    if (m_far == nullptr)
        return false;
    const SshInner::Waiting waiting(m_inner);
    const auto passed = [&] {
        switch (ssh_message_subtype(message)) {
        case SSH_CHANNEL_REQUEST_PTY: {
            const TerminalRequest wished = terminalRequest(message);
            return ssh_channel_request_pty_size(m_far, wished.term.constData(), wished.size.columns, wished.size.rows);
        }
        case SSH_CHANNEL_REQUEST_WINDOW_CHANGE: {
            const TerminalSize size = terminalRequest(message).size;
            return ssh_channel_change_pty_size(m_far, size.columns, size.rows);
        }
        case SSH_CHANNEL_REQUEST_ENV:
            return ssh_channel_request_env(m_far, ssh_message_channel_request_env_name(message), ssh_message_channel_request_env_value(message));
        case SSH_CHANNEL_REQUEST_SHELL:
            return ssh_channel_request_shell(m_far);
        case SSH_CHANNEL_REQUEST_EXEC:
            return ssh_channel_request_exec(m_far, ssh_message_channel_request_command(message));
        case SSH_CHANNEL_REQUEST_SUBSYSTEM:
            return ssh_channel_request_subsystem(m_far, ssh_message_channel_request_subsystem(message));
        default:
            return int(SSH_ERROR);
        }
    };
    return passed() == SSH_OK;
}

void SshRelay::setInnerCallbacks()
{
    m_farCallbacks.userdata = this;
    m_farCallbacks.channel_exit_status_function = [](ssh_session, ssh_channel, int status, void *user) {
        self(user)->m_exitStatus = status;
    };
    m_farCallbacks.channel_exit_signal_function = [](ssh_session, ssh_channel, const char *name, int, const char *, const char *, void *user) {
        self(user)->m_exitSignal = name;
    };
    ssh_callbacks_init(&m_farCallbacks);
    ssh_set_channel_callbacks(m_far, &m_farCallbacks);
}

int SshRelay::takeData(const void *data, uint32_t size)
{
    // What is refused stays in the channel and is fetched by step(); its window stays shut meanwhile.
    if (m_toFar.size() >= maxWaiting)
        return 0;
    m_toFar.append(static_cast<const char *>(data), qsizetype(size));
    return int(size);
}

void SshRelay::addPolls(std::vector<pollfd> &, SessionRoom) const
{
    // Both sessions' sockets are polled by their owners.
}

void SshRelay::step(SessionRoom room)
{
    if (m_done)
        return;
    if (m_far == nullptr || m_outerClosed) {
        ssh_channel_close(m_outer);
        m_done = true;
        return;
    }
    pumpInward();
    if (room == SessionRoom::Free) {
        pumpOutward(0);
        pumpOutward(1);
    }
    finishWhenOver();
}

void SshRelay::pumpInward()
{
    for (;;) {
        const auto most = std::min<qsizetype>(m_toFar.size(), ssh_channel_window_size(m_far));
        if (most > 0) {
            const int sent = ssh_channel_write(m_far, m_toFar.constData(), uint32_t(most));
            if (sent > 0)
                m_toFar.remove(0, sent);
        }
        if (m_toFar.size() >= maxWaiting / 2)
            return;
        std::array<char, 32 * 1024> buffer;
        const int got = ssh_channel_read_nonblocking(m_outer, buffer.data(), buffer.size(), 0);
        if (got <= 0)
            break;
        m_toFar.append(buffer.data(), got);
    }
    if (m_outerEof && m_toFar.isEmpty() && !std::exchange(m_eofPassed, true))
        ssh_channel_send_eof(m_far);
}

void SshRelay::pumpOutward(int isError)
{
    std::array<char, 32 * 1024> buffer;
    while (const uint32_t window = ssh_channel_window_size(m_outer)) {
        const auto most = std::min<uint32_t>(uint32_t(buffer.size()), window);
        const int got = ssh_channel_read_nonblocking(m_far, buffer.data(), most, isError);
        if (got <= 0)
            return;
        const int sent = isError != 0 ? ssh_channel_write_stderr(m_outer, buffer.data(), uint32_t(got))
                                      : ssh_channel_write(m_outer, buffer.data(), uint32_t(got));
        if (sent < 0) {
            m_outerClosed = true;
            return;
        }
    }
}

void SshRelay::finishWhenOver()
{
    const bool drained = ssh_channel_poll(m_far, 0) <= 0 && ssh_channel_poll(m_far, 1) <= 0;
    if (!drained || !ssh_channel_is_closed(m_far))
        return;
    ssh_channel_send_eof(m_outer);
    if (!m_exitSignal.isEmpty())
        ssh_channel_request_send_exit_signal(m_outer, m_exitSignal.constData(), 0, "", "");
    else if (m_exitStatus)
        ssh_channel_request_send_exit_status(m_outer, *m_exitStatus);
    ssh_channel_close(m_outer);
    m_done = true;
}

namespace {

SshRelay *self(void *userdata)
{
    return static_cast<SshRelay *>(userdata);
}

} // namespace

} // namespace Sandpiper

#include "sshserver/sshserving.h"

#include <QFile>
#include <QLoggingCategory>

#include <array>
#include <cerrno>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {

Q_LOGGING_CATEGORY(lcSshServing, "sandpiper.sshserver", QtInfoMsg)

namespace {

constexpr auto loginDeadline = 60s; // a passphrase may have to be typed
constexpr auto exchangeDeadline = 15s;
// After a refused key a client that has no other one waits for the reason; one that has, goes on.
constexpr auto quietAfterDenial = 100ms;
constexpr int maxDenials = 6;
constexpr std::size_t maxWorks = 256;
constexpr std::size_t maxDials = 64;
constexpr std::size_t maxListeners = 64;
constexpr auto lingerDeadline = 3s;

void makeNonBlocking(int fd)
{
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int milliseconds(std::chrono::steady_clock::duration duration)
{
    return int(std::max<qint64>(0, std::chrono::ceil<std::chrono::milliseconds>(duration).count()));
}

void describePeer(int fd, QByteArray &address, quint16 &port)
{
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
    std::array<char, INET6_ADDRSTRLEN> text = {};
    if (::getpeername(fd, reinterpret_cast<sockaddr *>(&peer), &size) != 0)
        return;
    if (peer.ss_family == AF_INET) {
        const auto *v4 = reinterpret_cast<const sockaddr_in *>(&peer);
        ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
        port = ntohs(v4->sin_port);
    } else if (peer.ss_family == AF_INET6) {
        const auto *v6 = reinterpret_cast<const sockaddr_in6 *>(&peer);
        ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
        port = ntohs(v6->sin6_port);
    }
    address = text.data();
}

QByteArray blobOf(ssh_key key)
{
    char *base64 = nullptr;
    if (key == nullptr || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
        return {};
    const QByteArray blob(base64);
    ssh_string_free_char(base64);
    return blob;
}

} // namespace

SshServing::SshServing(SshConnection &connection, SshConnection::Setup &setup)
    : m_connection(connection)
    , m_setup(setup)
    , m_host(setup.makeHost())
{
}

SshServing::~SshServing()
{
    for (const Dial &waiting : m_dials)
        ssh_message_free(waiting.message);
    for (const auto &work : m_works)
        work->abandonChannel();
    m_works.clear();
    m_dials.clear();
    m_host.reset();
    if (m_event != nullptr) {
        flush();
        ssh_event_remove_session(m_event, m_session);
        ssh_event_free(m_event);
    }
    if (m_session != nullptr) {
        sayGoodbye();
        ssh_free(m_session);
    }
    if (m_bind != nullptr)
        ssh_bind_free(m_bind);
}

void SshServing::run()
{
    if (!exchangeKeys())
        return;
    while (!isOver()) {
        wait();
        pumpSession();
        (void)handleMessages();
        finishDials();
        acceptForwarded();
        openPending();
        stepWorks();
        // Work on channels takes packets in, too: nobody would be woken for what they ask.
        m_isBehind = handleMessages() == Handled::Some;
        checkDeadlines();
    }
}

bool SshServing::exchangeKeys()
{
    const int fd = m_setup.socket.get();
    makeNonBlocking(fd);
    int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    m_session = ssh_new();
    m_bind = ssh_bind_new();
    if (m_session == nullptr || m_bind == nullptr)
        return false;
    bool off = false;
    ssh_bind_options_set(m_bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &off);
    ssh_bind_options_set(m_bind, SSH_BIND_OPTIONS_HOSTKEY, QFile::encodeName(m_setup.hostKeyFile).constData());
    // From here on the session closes the descriptor.
    if (ssh_bind_accept_fd(m_bind, m_session, m_setup.socket.release()) != SSH_OK) {
        qCWarning(lcSshServing, "A connection could not be taken: %s", ssh_get_error(m_bind));
        return false;
    }
    ssh_set_auth_methods(m_session, SSH_AUTH_METHOD_PUBLICKEY);
    ssh_set_blocking(m_session, 0);
    for (;;) {
        const int rc = ssh_handle_key_exchange(m_session);
        makeNonBlocking(fd);
        if (rc == SSH_OK)
            break;
        const auto left = m_began + exchangeDeadline - Clock::now();
        if (rc != SSH_AGAIN || left <= 0s || m_connection.m_closing)
            return false;
        std::array<pollfd, 2> polls = {{{fd, POLLIN, 0}, {m_connection.m_wake.get(), POLLIN, 0}}};
        ::poll(polls.data(), polls.size(), std::min(1000, milliseconds(left)));
    }
    m_event = ssh_event_new();
    return m_event != nullptr && ssh_event_add_session(m_event, m_session) == SSH_OK;
}

bool SshServing::isOver() const
{
    return m_failed || !m_goodbye.isEmpty() || m_connection.m_closing
            || (ssh_get_status(m_session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

SshChannelWork::SessionRoom SshServing::room() const
{
    return (ssh_get_poll_flags(m_session) & SSH_WRITE_PENDING) != 0 ? SshChannelWork::SessionRoom::Full
                                                                   : SshChannelWork::SessionRoom::Free;
}

int SshServing::waitMilliseconds() const
{
    if (m_isBehind)
        return 0;
    int wait = 30'000;
    if (!m_loggedIn)
        wait = std::min(wait, milliseconds(m_began + loginDeadline - Clock::now()));
    if (m_deniedAt != Clock::time_point{})
        wait = std::min(wait, milliseconds(m_deniedAt + quietAfterDenial - Clock::now()));
    // libssh tells of an opened channel only when asked again.
    if (!m_openings.empty())
        wait = std::min(wait, 20);
    return wait;
}

void SshServing::wait()
{
    std::vector<pollfd> polls;
    const short pending = room() == SshChannelWork::SessionRoom::Full ? POLLOUT : 0;
    polls.push_back({ssh_get_fd(m_session), short(POLLIN | pending), 0});
    polls.push_back({m_connection.m_wake.get(), POLLIN, 0});
    for (const Listener &listener : m_listeners)
        polls.push_back({listener.fd.get(), POLLIN, 0});
    for (const Dial &waiting : m_dials)
        waiting.way->addPolls(polls);
    for (const auto &work : m_works)
        work->addPolls(polls, room());
    m_host->addPolls(polls);
    ::poll(polls.data(), polls.size(), waitMilliseconds());
    if ((polls[1].revents & POLLIN) != 0) {
        quint64 count = 0;
        [[maybe_unused]] const ssize_t got = ::read(m_connection.m_wake.get(), &count, sizeof count);
    }
}

void SshServing::pumpSession()
{
    // libssh takes 4 KiB a turn; bounded, so that a flood does not starve the other direction.
    for (int turn = 0; turn < 64; ++turn) {
        const int rc = ssh_event_dopoll(m_event, 0);
        if (rc == SSH_ERROR) {
            m_failed = true;
            return;
        }
        if (rc == SSH_AGAIN)
            return;
    }
}

SshServing::Handled SshServing::handleMessages()
{
    Handled handled = Handled::Nothing;
    while (ssh_message message = ssh_message_get(m_session)) {
        switch (ssh_message_type(message)) {
        case SSH_REQUEST_SERVICE:
            ssh_message_service_reply_success(message);
            break;
        case SSH_REQUEST_AUTH:
            handleAuth(message);
            break;
        case SSH_REQUEST_CHANNEL_OPEN:
            handleChannelOpen(message);
            message = nullptr; // taken over
            break;
        case SSH_REQUEST_GLOBAL:
            handleGlobalRequest(message);
            break;
        case SSH_REQUEST_CHANNEL:
            handleChannelRequest(message);
            break;
        default:
            ssh_message_reply_default(message);
        }
        if (message != nullptr)
            ssh_message_free(message);
        handled = Handled::Some;
        if (isOver())
            break;
    }
    return handled;
}

void SshServing::handleAuth(ssh_message message)
{
    m_deniedAt = {};
    if (const QByteArray text = m_host->banner(); !m_bannerSent && !text.isEmpty()) {
        // Legal only from here on: right after the key exchange it makes OpenSSH give up.
        m_bannerSent = true;
        ssh_string banner = ssh_string_from_char(text.constData());
        ssh_send_issue_banner(m_session, banner);
        ssh_string_free(banner);
    }
    if (m_loggedIn || ssh_message_subtype(message) != SSH_AUTH_METHOD_PUBLICKEY) {
        ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY);
        ssh_message_reply_default(message);
        return;
    }
    handleKey(message);
}

void SshServing::handleKey(ssh_message message)
{
    // The newer callback interface cannot withhold its answer, and a client that has been answered
    // "no" does not stay to read the reason of the disconnect.
    QT_WARNING_PUSH
    QT_WARNING_DISABLE_DEPRECATED
    const QByteArray blob = blobOf(ssh_message_auth_pubkey(message));
    const ssh_publickey_state_e state = ssh_message_auth_publickey_state(message);
    QT_WARNING_POP
    const bool proven = state == SSH_PUBLICKEY_STATE_VALID;
    const bool known = !blob.isEmpty() && m_host->knowsKey(blob);
    if (!known || (state != SSH_PUBLICKEY_STATE_NONE && !proven)) {
        ++m_denials;
        m_deniedAt = Clock::now();
        if (m_denials >= maxDenials) {
            endWith(m_host->keyRefusal());
            return;
        }
        ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY);
        ssh_message_reply_default(message);
        return;
    }
    if (!proven) {
        ssh_message_auth_reply_pk_ok_simple(message);
        return;
    }
    if (const QString refusal = m_host->admit(QString::fromUtf8(ssh_message_auth_user(message)), blob); !refusal.isEmpty()) {
        endWith(refusal);
        return;
    }
    m_loggedIn = true;
    {
        const QMutexLocker lock(&m_connection.m_mutex);
        m_connection.m_subject = m_host->subject();
    }
    ssh_message_auth_reply_success(message, 0);
}

void SshServing::handleChannelRequest(ssh_message message)
{
    ssh_channel channel = ssh_message_channel_request_channel(message);
    const auto it = std::find_if(m_works.begin(), m_works.end(), [&](const auto &work) { return work->channel() == channel; });
    if (it != m_works.end() && (*it)->request(message))
        ssh_message_channel_request_reply_success(message);
    else
        ssh_message_reply_default(message);
}

void SshServing::handleChannelOpen(ssh_message message)
{
    const int kind = ssh_message_subtype(message);
    if (m_loggedIn && m_works.size() < maxWorks) {
        if (kind == SSH_CHANNEL_SESSION) {
            if (ssh_channel channel = ssh_message_channel_request_open_reply_accept(message))
                m_works.push_back(m_host->session(channel));
            ssh_message_free(message);
            return;
        }
        if (kind == SSH_CHANNEL_DIRECT_TCPIP && m_dials.size() < maxDials) {
            dial(message);
            return;
        }
    }
    ssh_message_reply_default(message);
    ssh_message_free(message);
}

void SshServing::dial(ssh_message message)
{
    const QString host = QString::fromUtf8(ssh_message_channel_request_open_destination(message));
    std::unique_ptr<SshDial> way = m_host->dial(host, ssh_message_channel_request_open_destination_port(message));
    if (way) {
        m_dials.push_back({message, std::move(way)});
        return;
    }
    ssh_message_reply_default(message);
    ssh_message_free(message);
}

void SshServing::finishDials()
{
    m_dials.remove_if([this](const Dial &waiting) {
        const SshDial::State state = waiting.way->state();
        if (state == SshDial::State::Waiting)
            return false;
        if (state == SshDial::State::Failed)
            ssh_message_reply_default(waiting.message);
        else if (ssh_channel channel = ssh_message_channel_request_open_reply_accept(waiting.message))
            m_works.push_back(waiting.way->take(channel));
        ssh_message_free(waiting.message);
        return true;
    });
}

void SshServing::handleGlobalRequest(ssh_message message)
{
    switch (ssh_message_subtype(message)) {
    case SSH_GLOBAL_REQUEST_TCPIP_FORWARD:
        listenFor(message);
        return;
    case SSH_GLOBAL_REQUEST_CANCEL_TCPIP_FORWARD: {
        const QByteArray address = ssh_message_global_request_address(message);
        const int port = ssh_message_global_request_port(message);
        const auto isIt = [&](const Listener &l) { return l.address == address && l.port == port; };
        if (m_listeners.remove_if(isIt) > 0)
            ssh_message_global_request_reply_success(message, 0);
        else
            ssh_message_reply_default(message);
        return;
    }
    case SSH_GLOBAL_REQUEST_KEEPALIVE:
        ssh_message_global_request_reply_success(message, 0);
        return;
    default:
        ssh_message_reply_default(message);
    }
}

void SshServing::listenFor(ssh_message message)
{
    const QByteArray address = ssh_message_global_request_address(message);
    const int port = ssh_message_global_request_port(message);
    if (!m_loggedIn || m_listeners.size() >= maxListeners || port < 0 || port > 65535) {
        ssh_message_reply_default(message);
        return;
    }
    Result<SshHost::Listener> listener = m_host->listen(address, quint16(port));
    if (!listener) {
        qCInfo(lcSshServing, "A remote forward is refused: %s", qUtf8Printable(describe(listener.error())));
        ssh_message_reply_default(message);
        return;
    }
    const quint16 bound = listener->port;
    m_listeners.push_back({std::move(listener->fd), address, bound});
    // RFC 4254 section 7.1: the port is told only where the client left the choice to us.
    ssh_message_global_request_reply_success(message, port == 0 ? bound : 0);
}

void SshServing::acceptForwarded()
{
    for (const Listener &listener : m_listeners) {
        while (m_openings.size() < maxDials) {
            FileDescriptor socket(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!socket.isValid())
                break;
            Opening opening;
            opening.address = listener.address;
            opening.port = listener.port;
            describePeer(socket.get(), opening.origin, opening.originPort);
            opening.socket = std::move(socket);
            opening.channel = ssh_channel_new(m_session);
            m_openings.push_back(std::move(opening));
        }
    }
}

void SshServing::openPending()
{
    for (auto it = m_openings.begin(); it != m_openings.end();) {
        const int rc = it->kind == Opening::Kind::Agent
                ? ssh_channel_open_auth_agent(it->channel)
                : ssh_channel_open_reverse_forward(it->channel, it->address.constData(), it->port, it->origin.constData(), it->originPort);
        if (rc == SSH_AGAIN) {
            ++it;
            continue;
        }
        if (rc == SSH_OK)
            m_works.push_back(m_host->forwarded(it->channel, std::move(it->socket)));
        else
            ssh_channel_free(it->channel);
        it = m_openings.erase(it);
    }
}

void SshServing::stepWorks()
{
    if (const QString over = m_host->step(); !over.isEmpty())
        endWith(over);
    for (const auto &work : m_works) {
        work->step(room());
        for (FileDescriptor &connection : work->takeAgentConnections()) {
            Opening opening;
            opening.kind = Opening::Kind::Agent;
            opening.socket = std::move(connection);
            opening.channel = ssh_channel_new(m_session);
            m_openings.push_back(std::move(opening));
        }
    }
    m_works.remove_if([](const auto &work) { return work->isDone(); });
}

void SshServing::checkDeadlines()
{
    if (m_loggedIn)
        return;
    if (Clock::now() - m_began >= loginDeadline)
        endWith(u"nobody logged in within a minute"_s);
    if (m_deniedAt != Clock::time_point{} && Clock::now() - m_deniedAt >= quietAfterDenial)
        endWith(m_host->keyRefusal());
}

void SshServing::endWith(const QString &text)
{
    m_goodbye = text;
}

// What is queued goes first: ssh_disconnect() right behind another write drops its own packet.
void SshServing::flush()
{
    const auto until = Clock::now() + 1s;
    while (room() == SshChannelWork::SessionRoom::Full && Clock::now() < until) {
        if (ssh_event_dopoll(m_event, 50) == SSH_ERROR)
            return;
    }
}

void SshServing::sayGoodbye()
{
    if (m_goodbye.isEmpty()) {
        const QMutexLocker lock(&m_connection.m_mutex);
        m_goodbye = m_connection.m_closeReason;
    }
    const int fd = ssh_get_fd(m_session);
    const FileDescriptor linger(fd >= 0 ? ::dup(fd) : -1);
    if (!m_goodbye.isEmpty())
        ssh_session_set_disconnect_message(m_session, m_goodbye.toUtf8().constData());
    ssh_disconnect(m_session);
    if (!linger.isValid())
        return;
    // Closing with unread input would reset the connection and destroy the text on its way.
    ::shutdown(linger.get(), SHUT_WR);
    const auto until = Clock::now() + lingerDeadline;
    std::array<char, 4096> dropped;
    pollfd readable = {linger.get(), POLLIN, 0};
    while (Clock::now() < until && ::poll(&readable, 1, milliseconds(until - Clock::now())) > 0) {
        const ssize_t got = ::read(linger.get(), dropped.data(), dropped.size());
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            break;
    }
}

} // namespace Sandpiper

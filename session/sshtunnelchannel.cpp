#include "session/sshtunnelchannel.h"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostWaiting = 256 << 10;
constexpr qint64 kSlice = 64 << 10;
constexpr int kNobodys = 0; // ids count from 1

QString placeOf(const TunnelSpec &spec)
{
    if (!spec.commandLine.isEmpty())
        return u"a program in it"_s;
    return spec.path.isEmpty() ? u"%1:%2"_s.arg(spec.host).arg(spec.port) : spec.path;
}

Error refusalOf(const OpeningRefusal &refusal, const TunnelSpec &spec)
{
    ErrorKind kind = ErrorKind::ServerError;
    if (refusal.reason == OpeningRefusal::Prohibited)
        kind = ErrorKind::PermissionDenied;
    else if (refusal.reason == OpeningRefusal::ConnectFailed)
        kind = refusal.words.contains("refused"_L1, Qt::CaseInsensitive) ? ErrorKind::ConnectionRefused : ErrorKind::HostUnreachable;
    return {kind, Layer::Tcp, tamed(u"from there to %1: %2"_s.arg(placeOf(spec), refusal.words)), {}};
}

} // namespace

SshTunnelChannel::SshTunnelChannel(int id, const TunnelSpec &spec, LinkMail &mail, bool &woken, LateChannels &late)
    : m_id(id)
    , m_spec(spec)
    , m_mail(mail)
    , m_woken(woken)
    , m_late(late)
{
    ssh_callbacks_init(&m_callbacks);
    m_callbacks.userdata = this;
    m_callbacks.channel_data_function = [](ssh_session, ssh_channel, void *data, uint32_t size, int isError, void *self) {
        // Of a program: nobody reads its complaints.
        return isError != 0 ? int(size) : static_cast<SshTunnelChannel *>(self)->take(data, size);
    };
    m_callbacks.channel_eof_function = [](ssh_session, ssh_channel, void *self) {
        static_cast<SshTunnelChannel *>(self)->m_remoteEof = true;
    };
    m_callbacks.channel_close_function = [](ssh_session, ssh_channel, void *self) {
        static_cast<SshTunnelChannel *>(self)->m_remoteClosed = true;
    };
    // The session has one place for words, and the next that is refused overwrites them.
    m_callbacks.channel_open_response_function = [](ssh_session session, ssh_channel, bool isOpen, void *self) {
        static_cast<SshTunnelChannel *>(self)->m_opening = LateChannels::Opening::Settled;
        if (!isOpen)
            static_cast<SshTunnelChannel *>(self)->m_refusal = openingRefusal(session);
    };
}

SshTunnelChannel::SshTunnelChannel(ssh_channel accepted, const TunnelSpec &spec, LinkMail &mail, bool &woken, LateChannels &late)
    : SshTunnelChannel(kNobodys, spec, mail, woken, late)
{
    m_channel = accepted;
    if (!listen()) {
        m_stage = Stage::Over;
    } else if (m_spec.greetingPatience) {
        m_stage = Stage::Greeting;
        m_socks = std::make_unique<SocksServer>();
        m_patience = Clock::now() + *m_spec.greetingPatience;
    } else if (m_spec.stream) {
        m_stage = Stage::Running;
    } else {
        m_stage = Stage::Joining;
        m_patience = Clock::now() + m_spec.patience;
    }
}

void SshTunnelChannel::answer(Result<FileDescriptor> stream)
{
    if (m_stage != Stage::Joining)
        return;
    if (stream)
        join(*std::move(stream));
    else
        refuse(stream.error());
}

void SshTunnelChannel::join(FileDescriptor stream)
{
    m_spec.stream = std::make_shared<FileDescriptor>(std::move(stream));
    m_patience.reset();
    m_stage = Stage::Running;
    if (!m_socks)
        return;
    m_toChannel += m_socks->granted();
    m_toStream.prepend(m_socks->early());
    m_woken = true;
}

void SshTunnelChannel::refuse(const Error &error)
{
    if (!m_socks)
        return end(error, ShellEnd::Kind::Failed);
    m_toChannel += m_socks->refused(error.kind);
    m_refusedBecause = error;
    m_stage = Stage::Refusing;
    m_patience = Clock::now() + m_spec.patience;
    m_woken = true;
}

QString SshTunnelChannel::place() const
{
    return m_stage == Stage::Greeting ? QString() : tamed(placeOf(m_spec), 100);
}

std::optional<SshTunnelChannel::Clock::time_point> SshTunnelChannel::nextDeadline() const
{
    std::optional<Clock::time_point> next = m_patience;
    for (const auto &[waits, direction] : {std::pair(m_waitsToSend, ForwardRate::Sent), std::pair(m_waitsToReceive, ForwardRate::Received)}) {
        if (waits)
            next = std::min(next.value_or(Clock::time_point::max()), Clock::now() + m_rate->patience(direction));
    }
    return next;
}

bool SshTunnelChannel::listen()
{
    // Before anything can arrive.
    return m_channel && ssh_add_channel_callbacks(m_channel, &m_callbacks) == SSH_OK;
}

SshTunnelChannel::~SshTunnelChannel()
{
    watch(nullptr, 0);
    if (!m_channel)
        return;
    ssh_remove_channel_callbacks(m_channel, &m_callbacks);
    m_late.letGo(m_channel, m_opening);
}

int SshTunnelChannel::take(const void *data, quint32 size)
{
    // While the backlog is read out, what arrives waits behind it.
    const qint64 room = m_draining ? 0 : std::clamp<qint64>(kMostWaiting - m_toStream.size(), 0, size);
    m_toStream.append(static_cast<const char *>(data), room);
    m_backlog = qint64(size) - room;
    return int(room);
}

void SshTunnelChannel::pump(ssh_session session, ssh_event event)
{
    if (m_stage == Stage::Opening)
        open(session);
    if (m_stage == Stage::Greeting)
        greet(session);
    if (m_stage == Stage::Refusing && (m_remoteClosed || writeChannel(session) || Clock::now() >= *m_patience))
        end(m_refusedBecause, ShellEnd::Kind::Failed);
    if (m_stage == Stage::Joining && m_remoteClosed)
        close();
    if (m_stage == Stage::Joining && Clock::now() >= *m_patience)
        end({ErrorKind::Timeout, Layer::Tcp, u"to %1: no answer in time"_s.arg(placeOf(m_spec)), {}}, ShellEnd::Kind::Failed);
    if (m_stage == Stage::Running)
        serve(session);
    if (m_stage != Stage::Running)
        return watch(nullptr, 0);
    const bool canSend = ssh_channel_window_size(m_channel) > 0 && (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) == 0;
    short what = 0;
    // What nobody takes there any more is not looked for, or it would be found again and again.
    if (!m_remoteClosed && !m_streamEnded && m_toChannel.isEmpty() && canSend && !m_waitsToSend)
        what |= POLLIN;
    if (!m_toStream.isEmpty() && !m_waitsToReceive)
        what |= POLLOUT;
    watch(event, what);
}

void SshTunnelChannel::watch(ssh_event event, short what)
{
    if (what == m_watched)
        return;
    const int fd = m_spec.stream->get(); // nothing is watched before it is there
    if (m_watched != 0)
        ssh_event_remove_fd(m_event, fd);
    m_watched = 0;
    const auto onReady = [](socket_t, int, void *self) {
        static_cast<SshTunnelChannel *>(self)->m_woken = true;
        return 0;
    };
    if (what != 0 && ssh_event_add_fd(event, fd, what, onReady, this) == SSH_OK) {
        m_event = event;
        m_watched = what;
    }
}

int SshTunnelChannel::request()
{
    if (m_isSession)
        return ssh_channel_request_exec(m_channel, m_spec.commandLine.constData());
    const QByteArray origin = m_spec.originHost.toUtf8();
    m_opening = LateChannels::Opening::Awaited; // the call itself may take the answer in
    const int code = !m_spec.commandLine.isEmpty()
            ? ssh_channel_open_session(m_channel)
            : m_spec.path.isEmpty()
            ? ssh_channel_open_forward(m_channel, m_spec.host.toUtf8().constData(), m_spec.port, origin.constData(), m_spec.originPort)
            : ssh_channel_open_forward_unix(m_channel, m_spec.path.toUtf8().constData(), origin.constData(), m_spec.originPort);
    if (code != SSH_AGAIN)
        m_opening = LateChannels::Opening::Settled;
    m_isSession = code == SSH_OK && !m_spec.commandLine.isEmpty();
    return m_isSession ? request() : code;
}

void SshTunnelChannel::open(ssh_session session)
{
    if (!m_channel) {
        m_channel = ssh_channel_new(session);
        m_patience = Clock::now() + m_spec.patience;
        if (!listen())
            return end({ErrorKind::Io, Layer::Ssh, u"a channel cannot be made"_s, {}}, ShellEnd::Kind::Failed);
    }
    const int code = request();
    if (code == SSH_OK) {
        m_patience.reset();
        m_stage = Stage::Running;
        if (m_spec.greeting)
            m_toStream.prepend(m_spec.greeting(nullptr));
        m_toChannel = std::exchange(m_spec.early, {});
        if (m_id != kNobodys)
            m_mail.events.put(FromLink::ChannelOpened{m_id});
    } else if (code != SSH_AGAIN) {
        // A lost connection is told by whoever notices it for all channels.
        if (ssh_is_connected(session))
            end(refusalOf(m_refusal.value_or(openingRefusal(session)), m_spec), ShellEnd::Kind::Failed);
    } else if (Clock::now() >= *m_patience) {
        end({ErrorKind::Timeout, Layer::Tcp, u"from there to %1: no answer in time"_s.arg(placeOf(m_spec)), {}},
            ShellEnd::Kind::Failed);
    }
}

void SshTunnelChannel::greet(ssh_session session)
{
    const SocksServer::State state = m_socks->take(std::exchange(m_toStream, {}));
    m_toChannel += m_socks->toSend();
    const bool isSaid = writeChannel(session);
    if (state == SocksServer::State::Asked) {
        m_wish = ForwardSpec::End{m_socks->host(), m_socks->port(), {}};
        m_spec.host = m_socks->host();
        m_spec.port = m_socks->port();
        m_patience = Clock::now() + m_spec.patience;
        m_stage = Stage::Joining;
    } else if (m_remoteClosed || m_remoteEof || Clock::now() >= *m_patience || (state == SocksServer::State::Refused && isSaid)) {
        close();
    }
}

void SshTunnelChannel::serve(ssh_session session)
{
    do {
        drainBacklog();
        if (!writeStream())
            return end({ErrorKind::Cancelled, Layer::Ssh, {}, {}}, ShellEnd::Kind::Lost);
    } while (m_backlog > 0 && m_toStream.isEmpty());
    const bool allWritten = m_toStream.isEmpty() && m_backlog == 0;
    if (m_remoteClosed) {
        if (allWritten)
            end({ErrorKind::ConnectionLost, Layer::Tcp, u"%1 closed the connection"_s.arg(placeOf(m_spec)), {}}, ShellEnd::Kind::Lost);
        return;
    }
    if (m_remoteEof && allWritten && !m_shutStream) {
        m_shutStream = true;
        ::shutdown(m_spec.stream->get(), SHUT_WR);
    }
    readStream(session);
    if (m_stage != Stage::Running)
        return;
    if (m_streamEnded && m_toChannel.isEmpty() && !m_saidStreamEnded) {
        m_saidStreamEnded = true;
        ssh_channel_send_eof(m_channel);
    }
    if (m_saidStreamEnded && m_shutStream)
        end({ErrorKind::Cancelled, Layer::Ssh, {}, {}}, ShellEnd::Kind::Lost);
}

void SshTunnelChannel::drainBacklog()
{
    while (m_backlog > 0 && m_toStream.size() < kMostWaiting) {
        QByteArray slice(std::min(m_backlog, kMostWaiting - m_toStream.size()), Qt::Uninitialized);
        m_draining = true;
        const int got = ssh_channel_read_nonblocking(m_channel, slice.data(), uint32_t(slice.size()), 0);
        m_draining = false;
        // Only a dead connection can take it away again.
        m_backlog = got <= 0 ? 0 : std::max<qint64>(0, m_backlog - got);
        m_toStream.append(slice.constData(), std::max(0, got));
    }
}

bool SshTunnelChannel::writeStream()
{
    qsizetype sent = 0;
    m_waitsToReceive = false;
    while (sent < m_toStream.size()) {
        const qint64 room = std::min<qint64>(m_toStream.size() - sent, m_rate ? m_rate->room(ForwardRate::Received) : kMostWaiting);
        m_waitsToReceive = room == 0;
        if (m_waitsToReceive)
            break;
        const ssize_t code = ::send(m_spec.stream->get(), m_toStream.constData() + sent, size_t(room), MSG_NOSIGNAL);
        if (code < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (code <= 0)
            break;
        sent += code;
        if (m_rate)
            m_rate->take(ForwardRate::Received, code);
    }
    m_toStream.remove(0, sent);
    m_received += sent;
    return true;
}

bool SshTunnelChannel::writeChannel(ssh_session session)
{
    while (!m_toChannel.isEmpty()) {
        const qint64 size = std::min<qint64>(ssh_channel_window_size(m_channel), m_toChannel.size());
        if (size <= 0 || (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) != 0)
            return false;
        const int sent = ssh_channel_write(m_channel, m_toChannel.constData(), uint32_t(size));
        if (sent <= 0)
            return false;
        m_toChannel.remove(0, sent);
        m_sent += sent;
    }
    return true;
}

void SshTunnelChannel::readStream(ssh_session session)
{
    m_waitsToSend = false;
    while (writeChannel(session) && !m_streamEnded) {
        qint64 room = std::min<qint64>(ssh_channel_window_size(m_channel), kSlice);
        if (room <= 0 || (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) != 0)
            return;
        if (m_rate)
            room = std::min(room, m_rate->room(ForwardRate::Sent));
        m_waitsToSend = room == 0;
        if (m_waitsToSend)
            return;
        m_toChannel.resize(room);
        const ssize_t got = ::recv(m_spec.stream->get(), m_toChannel.data(), size_t(room), 0);
        m_toChannel.resize(std::max<ssize_t>(0, got));
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        // Reset: whoever was there takes nothing any more either.
        if (got < 0)
            return end({ErrorKind::Cancelled, Layer::Ssh, {}, {}}, ShellEnd::Kind::Lost);
        m_streamEnded = got == 0;
        if (m_rate)
            m_rate->take(ForwardRate::Sent, got);
    }
}

void SshTunnelChannel::lose(const Error &error)
{
    if (m_stage == Stage::Over)
        return;
    if (m_spec.stream)
        (void)writeStream();
    end(error, m_stage == Stage::Running ? ShellEnd::Kind::Lost : ShellEnd::Kind::Failed);
}

void SshTunnelChannel::end(const Error &error, ShellEnd::Kind kind)
{
    if (kind == ShellEnd::Kind::Failed && m_stage != Stage::Running)
        m_neverMet = error;
    if (m_neverMet && m_spec.greeting && m_spec.stream) {
        m_toStream = m_spec.greeting(&error);
        (void)writeStream();
    }
    m_stage = Stage::Over;
    m_patience.reset();
    watch(nullptr, 0);
    // Whoever reads the stream looks for them when it ends.
    if (m_spec.words && error.kind != ErrorKind::Cancelled)
        m_spec.words->put(error);
    if (m_spec.stream)
        m_spec.stream->reset();
    if (m_id == kNobodys)
        return;
    ShellEnd end;
    end.kind = kind;
    end.error = error;
    m_mail.events.put(FromLink::ChannelEnded{m_id, end});
}

} // namespace Sandpiper

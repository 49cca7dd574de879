#include "sshserver/mailchannel.h"

#include <algorithm>
#include <array>

namespace Sandpiper {
namespace {

constexpr std::size_t readSize = 32 * 1024;

MailChannel *self(void *userdata)
{
    return static_cast<MailChannel *>(userdata);
}

} // namespace

MailChannel::MailChannel(ssh_channel channel, Announce announce)
    : m_channel(channel)
    , m_announce(std::move(announce))
{
    setCallbacks();
}

MailChannel::MailChannel(ssh_channel channel, std::shared_ptr<FarMail> mail, std::vector<FarEvent> early)
    : m_channel(channel)
    , m_mail(std::move(mail))
{
    m_spec.what = ToFar::Start::What::Connect;
    setCallbacks();
    for (FarEvent &event : early)
        handle(event);
}

MailChannel::~MailChannel()
{
    if (m_mail)
        m_mail->commands.put(ToFar::HangUp{});
    if (m_channel == nullptr)
        return;
    ssh_remove_channel_callbacks(m_channel, &m_callbacks);
    ssh_channel_free(m_channel);
}

void MailChannel::abandonChannel()
{
    ssh_remove_channel_callbacks(m_channel, &m_callbacks);
    m_channel = nullptr;
}

void MailChannel::setCallbacks()
{
    m_callbacks.userdata = this;
    m_callbacks.channel_data_function = [](ssh_session, ssh_channel, void *data, uint32_t size, int, void *user) {
        return self(user)->takeData(data, size);
    };
    m_callbacks.channel_eof_function = [](ssh_session, ssh_channel, void *user) { self(user)->m_clientEof = true; };
    m_callbacks.channel_close_function = [](ssh_session, ssh_channel, void *user) { self(user)->m_clientClosed = true; };
    m_callbacks.channel_signal_function = [](ssh_session, ssh_channel, const char *name, void *user) {
        const int number = sshSignalNumber(name);
        if (number != 0 && self(user)->m_mail)
            self(user)->m_mail->commands.put(ToFar::Signal{number});
    };
    ssh_callbacks_init(&m_callbacks);
    ssh_set_channel_callbacks(m_channel, &m_callbacks);
}

bool MailChannel::request(ssh_message message)
{
    using What = ToFar::Start::What;
    switch (ssh_message_subtype(message)) {
    case SSH_CHANNEL_REQUEST_PTY: {
        const TerminalRequest wished = terminalRequest(message);
        m_spec.terminal = true;
        m_spec.term = QString::fromUtf8(wished.term);
        m_spec.size = wished.size;
        return true;
    }
    case SSH_CHANNEL_REQUEST_WINDOW_CHANGE:
        m_spec.size = terminalRequest(message).size;
        if (m_mail)
            m_mail->commands.put(ToFar::Resize{m_spec.size});
        return true;
    case SSH_CHANNEL_REQUEST_ENV:
        return setEnvironment(ssh_message_channel_request_env_name(message), ssh_message_channel_request_env_value(message));
    case SSH_CHANNEL_REQUEST_SHELL:
        return start(What::Shell, {});
    case SSH_CHANNEL_REQUEST_EXEC:
        return start(What::Exec, ssh_message_channel_request_command(message));
    case SSH_CHANNEL_REQUEST_SUBSYSTEM:
        return start(What::Subsystem, ssh_message_channel_request_subsystem(message));
    default:
        return false;
    }
}

bool MailChannel::setEnvironment(const QByteArray &name, const QByteArray &value)
{
    const qsizetype bytes = m_environmentBytes + name.size() + value.size();
    if (!isEnvironmentName(name) || m_spec.environment.size() >= maxSshEnvironment || bytes > maxSshEnvironmentBytes)
        return false;
    m_environmentBytes = bytes;
    m_spec.environment.insert(QString::fromLatin1(name), QString::fromUtf8(value));
    return true;
}

bool MailChannel::start(ToFar::Start::What what, const QByteArray &command)
{
    if (m_mail)
        return false; // RFC 4254 section 6.5: one of these per channel
    auto mail = std::make_shared<FarMail>();
    if (!mail->commands.isUsable() || !mail->events.isUsable())
        return false;
    m_spec.what = what;
    m_spec.command = command;
    mail->commands.put(m_spec);
    m_mail = mail;
    m_announce(mail);
    return true;
}

int MailChannel::takeData(const void *data, uint32_t size)
{
    // What is refused stays in the channel and is fetched by step(); its window stays shut meanwhile.
    if (!m_mail || m_inFlight >= kMostFarInput)
        return 0;
    m_inFlight += size;
    m_mail->commands.put(ToFar::Input{QByteArray(static_cast<const char *>(data), qsizetype(size))});
    return int(size);
}

void MailChannel::addPolls(std::vector<pollfd> &polls, SessionRoom) const
{
    if (m_mail)
        polls.push_back({m_mail->events.descriptor(), POLLIN, 0});
}

void MailChannel::step(SessionRoom room)
{
    if (m_done)
        return;
    if (m_mail) {
        for (FarEvent &event : m_mail->events.takeAll())
            handle(event);
        fetchInput();
        sendOutput(room);
    }
    finishWhenOver();
}

void MailChannel::handle(FarEvent &event)
{
    if (auto *output = std::get_if<FromFar::Output>(&event))
        m_output.push_back(std::move(*output));
    else if (const auto *taken = std::get_if<FromFar::Taken>(&event))
        m_inFlight -= taken->bytes;
    else if (std::holds_alternative<FromFar::OutputEnd>(event))
        m_outputEnded = true;
    else if (const auto *ended = std::get_if<FromFar::Ended>(&event))
        m_end = *ended;
}

void MailChannel::fetchInput()
{
    std::array<char, readSize> buffer;
    while (m_inFlight < kMostFarInput && ssh_channel_is_open(m_channel)) {
        // Reading what takeData() refused also opens the window again.
        const int got = ssh_channel_read_nonblocking(m_channel, buffer.data(), buffer.size(), 0);
        if (got > 0) {
            m_inFlight += got;
            m_mail->commands.put(ToFar::Input{QByteArray(buffer.data(), got)});
            continue;
        }
        if (m_clientEof && !std::exchange(m_eofPassed, true))
            m_mail->commands.put(ToFar::InputEnd{});
        return;
    }
}

void MailChannel::sendOutput(SessionRoom room)
{
    qint64 sent = 0;
    // Other channels of this connection wait their turn behind us.
    while (!m_output.empty() && room == SessionRoom::Free && !m_clientClosed && sent < qint64(4 * readSize)) {
        FromFar::Output &next = m_output.front();
        const auto most = std::min<qsizetype>({next.bytes.size(), qsizetype(readSize), ssh_channel_window_size(m_channel)});
        if (most <= 0)
            break;
        const int wrote = next.isError ? ssh_channel_write_stderr(m_channel, next.bytes.constData(), uint32_t(most))
                                       : ssh_channel_write(m_channel, next.bytes.constData(), uint32_t(most));
        if (wrote < 0) {
            m_clientClosed = true;
            break;
        }
        sent += wrote;
        if (wrote == next.bytes.size())
            m_output.pop_front();
        else
            next.bytes.remove(0, wrote);
    }
    if (sent > 0)
        m_mail->commands.put(ToFar::Consumed{sent});
}

void MailChannel::finishWhenOver()
{
    if (m_clientClosed || ssh_channel_is_closed(m_channel)) {
        m_done = true;
        return;
    }
    if (!m_output.empty() || !(m_outputEnded || m_end))
        return;
    if (!std::exchange(m_eofSent, true))
        ssh_channel_send_eof(m_channel);
    if (!m_end)
        return;
    if (m_spec.what != ToFar::Start::What::Connect) {
        if (m_end->signalName.isEmpty())
            ssh_channel_request_send_exit_status(m_channel, m_end->exitCode);
        else
            ssh_channel_request_send_exit_signal(m_channel, m_end->signalName.constData(), 0, "", "");
    }
    ssh_channel_close(m_channel);
    m_done = true;
}

MailDial::MailDial(const QString &host, quint16 port, const MailChannel::Announce &announce)
{
    auto mail = std::make_shared<FarMail>();
    if (!mail->commands.isUsable() || !mail->events.isUsable()) {
        m_state = State::Failed;
        return;
    }
    m_mail = mail;
    ToFar::Start start;
    start.what = ToFar::Start::What::Connect;
    start.host = host;
    start.port = port;
    m_mail->commands.put(start);
    announce(m_mail);
}

MailDial::~MailDial()
{
    if (m_mail)
        m_mail->commands.put(ToFar::HangUp{});
}

void MailDial::addPolls(std::vector<pollfd> &polls) const
{
    if (m_mail)
        polls.push_back({m_mail->events.descriptor(), POLLIN, 0});
}

SshDial::State MailDial::state()
{
    if (m_state != State::Waiting)
        return m_state;
    m_early = m_mail->events.takeAll();
    if (!m_early.empty())
        m_state = std::holds_alternative<FromFar::Opened>(m_early.front()) ? State::Connected : State::Failed;
    return m_state;
}

std::unique_ptr<SshChannelWork> MailDial::take(ssh_channel channel)
{
    return std::make_unique<MailChannel>(channel, std::exchange(m_mail, nullptr), std::move(m_early));
}

} // namespace Sandpiper

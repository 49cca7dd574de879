#include "session/sshsessionchannel.h"

#include "session/shellquote.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kWriteSlice = 64 << 10;
// After a hang-up: first the program may end by itself, then the server may say how it ended.
constexpr std::chrono::milliseconds kPatienceWithProgram{1000};
constexpr std::chrono::milliseconds kPatienceWithServer{2000};

// RFC 4254 section 8. Given explicitly, because the library would otherwise copy the modes of our own
// standard input, which for the command line program is a terminal in raw mode.
constexpr unsigned char kTerminalModes[] = {
    3,   0, 0, 0,    0x7f, // VERASE: the key sends DEL
    42,  0, 0, 0,    1,    // IUTF8
    128, 0, 0, 0x96, 0,    // input speed 38400
    129, 0, 0, 0x96, 0,    // output speed 38400
    0,
};

QString errorText(ssh_session session)
{
    return tamed(QString::fromUtf8(ssh_get_error(session)));
}

ShellEnd failed(ErrorKind kind, const QString &detail)
{
    ShellEnd end;
    end.kind = ShellEnd::Kind::Failed;
    end.error = {kind, Layer::Ssh, detail, {}};
    return end;
}

} // namespace

SshSessionChannel::SshSessionChannel(int id, const ChannelSpec &spec, LinkMail &mail, LateChannels &late)
    : m_id(id)
    , m_spec(spec)
    , m_mail(mail)
    , m_late(late)
    , m_sizeThere(spec.size)
{
    ssh_callbacks_init(&m_callbacks);
    m_callbacks.userdata = this;
    m_callbacks.channel_data_function = [](ssh_session, ssh_channel, void *data, uint32_t size, int isError, void *self) {
        return static_cast<SshSessionChannel *>(self)->take(data, size, isError ? SshStream::ErrorOutput : SshStream::Output);
    };
    m_callbacks.channel_close_function = [](ssh_session, ssh_channel, void *self) {
        static_cast<SshSessionChannel *>(self)->m_remoteClosed = true;
    };
    m_callbacks.channel_eof_function = [](ssh_session, ssh_channel, void *self) {
        static_cast<SshSessionChannel *>(self)->m_remoteEof = true;
    };
    m_callbacks.channel_open_response_function = [](ssh_session, ssh_channel, bool, void *self) {
        static_cast<SshSessionChannel *>(self)->m_opening = LateChannels::Opening::Settled;
    };
    m_callbacks.channel_exit_status_function = [](ssh_session, ssh_channel, int status, void *self) {
        static_cast<SshSessionChannel *>(self)->m_exitCode = status;
    };
    m_callbacks.channel_exit_signal_function = [](ssh_session, ssh_channel, const char *signal, int, const char *, const char *, void *self) {
        static_cast<SshSessionChannel *>(self)->m_exitSignal = tamed(QString::fromUtf8(signal), 40);
    };
}

SshSessionChannel::~SshSessionChannel()
{
    if (!m_channel)
        return;
    ssh_remove_channel_callbacks(m_channel, &m_callbacks);
    m_late.letGo(m_channel, m_opening);
}

int SshSessionChannel::take(const void *data, quint32 size, SshStream stream)
{
    if (m_spec.speaker && stream == SshStream::Output) {
        m_spec.speaker->received(QByteArrayView(static_cast<const char *>(data), qsizetype(size)));
        return int(size);
    }
    Arrived &arrived = m_arrived[size_t(stream)];
    // While the backlog is read out, what arrives waits behind it.
    const qint64 room = m_draining ? 0 : std::clamp<qint64>(kMostUnconsumed - m_unconsumed, 0, size);
    arrived.bytes.append(static_cast<const char *>(data), room);
    arrived.backlog = qint64(size) - room;
    m_unconsumed += room;
    return int(room);
}

void SshSessionChannel::complete(const LinkOptions &options)
{
    m_patience = std::chrono::steady_clock::now() + options.signInTimeout;
    if (m_spec.isBare)
        return;
    m_forwardsAgent = options.agentForward != SshAgentForward::No && m_spec.connectPort == 0 && m_spec.subsystem.isEmpty();
    for (const auto &[name, value] : options.environment) {
        if (!m_spec.environment.contains(name))
            m_spec.offeredEnvironment.append({name, value});
    }
    const bool isLoginShell = m_spec.terminal == ChannelSpec::Terminal::Pty && m_spec.argv.isEmpty() && m_spec.commandLine.isEmpty()
            && m_spec.subsystem.isEmpty() && m_spec.workingDirectory.isEmpty();
    // Some hosts have no terminals to give: a Git server, a jail for one program.
    if (isLoginShell && options.requestTty == SshTtyWish::No)
        m_spec.terminal = ChannelSpec::Terminal::None;
    if (!isLoginShell || options.remoteCommand.isEmpty())
        return;
    // It goes there as it is, so that nothing can be set in front of it.
    for (const auto &[name, value] : m_spec.environment.asKeyValueRange())
        m_spec.offeredEnvironment.prepend({name, value});
    m_spec.environment.clear();
    m_spec.commandLine = options.remoteCommand.toUtf8();
}

void SshSessionChannel::write(const QByteArray &bytes)
{
    if (m_wantsEof)
        return;
    if (m_inputSent == m_input.size()) {
        m_input.clear();
        m_inputSent = 0;
    }
    m_input += bytes;
}

void SshSessionChannel::closeInput()
{
    m_wantsEof = true;
}

void SshSessionChannel::resize(TerminalSize size)
{
    m_spec.size = size;
}

void SshSessionChannel::sendSignal(const QByteArray &name)
{
    // Before the program runs there is nobody to send it to; the library cannot queue it either.
    if (m_stage == Stage::Running && m_channel && !m_remoteClosed)
        ssh_channel_request_send_signal(m_channel, name.constData());
}

void SshSessionChannel::consumed(qint64 bytes)
{
    m_unconsumed = std::max<qint64>(0, m_unconsumed - bytes);
}

void SshSessionChannel::hangUp()
{
    if (m_hangingUp || m_stage == Stage::Over)
        return;
    m_hangingUp = true;
    m_input.clear();
    m_inputSent = 0;
    if (m_stage != Stage::Running) {
        ShellEnd killed;
        killed.kind = ShellEnd::Kind::Killed;
        end(killed);
        return;
    }
    sendSignal("HUP");
    m_patience = std::chrono::steady_clock::now() + kPatienceWithProgram;
}

void SshSessionChannel::pump(ssh_session session)
{
    if (m_stage == Stage::Over)
        return;
    if (m_stage != Stage::Running)
        advance(session);
    if (m_stage == Stage::Running)
        serve(session);
    else if (m_stage != Stage::Over && m_patience && std::chrono::steady_clock::now() >= *m_patience)
        end(failed(ErrorKind::Timeout, u"the server does not answer the wish for a channel"_s));
}

void SshSessionChannel::advance(ssh_session session)
{
    while (m_stage != Stage::Running && m_stage != Stage::Over) {
        Step step = Step::Next;
        Stage next = Stage::Over;
        switch (m_stage) {
        case Stage::Opening:
            step = open(session);
            next = Stage::Terminal;
            break;
        case Stage::Terminal:
            step = requestTerminal();
            next = Stage::Environment;
            break;
        case Stage::Environment:
            step = requestEnvironment();
            next = Stage::Starting;
            break;
        case Stage::Starting:
            step = start();
            next = Stage::Running;
            break;
        case Stage::Running:
        case Stage::Over:
            return;
        }
        if (step == Step::Again)
            return;
        if (step == Step::Failed) {
            // A lost connection is told by whoever notices it for all channels.
            if (m_stage != Stage::Over && ssh_is_connected(session))
                end(failed(ErrorKind::ServerError, errorText(session)));
            return;
        }
        m_stage = next;
    }
    if (m_stage == Stage::Running) {
        m_patience.reset();
        if (m_spec.speaker)
            m_spec.speaker->opened(ssh_get_serverbanner(session));
        m_mail.events.put(FromLink::ChannelOpened{m_id});
    }
}

SshSessionChannel::Step SshSessionChannel::open(ssh_session session)
{
    if (!m_channel) {
        m_channel = ssh_channel_new(session);
        // Before anything can arrive.
        if (!m_channel || ssh_add_channel_callbacks(m_channel, &m_callbacks) != SSH_OK)
            return Step::Failed;
    }
    m_opening = LateChannels::Opening::Awaited; // the call itself may take the answer in
    // The origin is for the server's log only.
    const int code = m_spec.connectPort == 0
            ? ssh_channel_open_session(m_channel)
            : ssh_channel_open_forward(m_channel, m_spec.connectHost.toUtf8().constData(), m_spec.connectPort, "127.0.0.1", 0);
    if (code != SSH_AGAIN)
        m_opening = LateChannels::Opening::Settled;
    return code == SSH_AGAIN ? Step::Again : code == SSH_OK ? Step::Next : Step::Failed;
}

SshSessionChannel::Step SshSessionChannel::requestTerminal()
{
    if (m_spec.terminal == ChannelSpec::Terminal::None)
        return Step::Next;
    const int code = ssh_channel_request_pty_size_modes(m_channel, m_spec.term.toUtf8().constData(), m_sizeThere.columns,
                                                        m_sizeThere.rows, kTerminalModes, sizeof kTerminalModes);
    return code == SSH_AGAIN ? Step::Again : code == SSH_OK ? Step::Next : Step::Failed;
}

SshSessionChannel::Step SshSessionChannel::requestEnvironment()
{
    // No answer is asked for, as ssh does it: a server that does not allow it says nothing.
    if (std::exchange(m_forwardsAgent, false) && ssh_channel_request_auth_agent(m_channel) == SSH_ERROR)
        return Step::Failed;
    while (!m_spec.environment.isEmpty()) {
        const QString name = m_spec.environment.firstKey();
        const int code = ssh_channel_request_env(m_channel, name.toUtf8().constData(),
                                                 m_spec.environment.first().toUtf8().constData());
        if (code == SSH_AGAIN)
            return Step::Again;
        if (code != SSH_OK) {
            // Servers have a list of names that they take, mostly a short one: after the first
            // refusal the rest goes with the command line too, instead of a round trip each.
            m_refusedEnvironment = m_spec.environment;
            break;
        }
        m_spec.environment.remove(name);
    }
    while (!m_spec.offeredEnvironment.isEmpty()) {
        const auto &[name, value] = m_spec.offeredEnvironment.constFirst();
        const int code = ssh_channel_request_env(m_channel, name.toUtf8().constData(), value.toUtf8().constData());
        if (code == SSH_AGAIN)
            return Step::Again;
        // Each by itself: a refusal of one says nothing of the others, and costs nothing but its round trip.
        m_spec.offeredEnvironment.removeFirst();
    }
    return Step::Next;
}

SshSessionChannel::Step SshSessionChannel::start()
{
    if (m_spec.connectPort != 0)
        return Step::Next;
    const bool plainShell = m_spec.commandLine.isEmpty() && m_spec.argv.isEmpty() && m_spec.workingDirectory.isEmpty() && m_refusedEnvironment.isEmpty();
    int code = SSH_OK;
    if (!m_spec.subsystem.isEmpty()) {
        code = ssh_channel_request_subsystem(m_channel, m_spec.subsystem.toUtf8().constData());
    } else if (plainShell) {
        code = ssh_channel_request_shell(m_channel);
    } else {
        if (m_commandLine.isEmpty())
            m_commandLine = m_spec.commandLine;
        if (m_commandLine.isEmpty()) {
            const Result<QByteArray> line = commandLineForShell({m_spec.argv, m_refusedEnvironment, m_spec.workingDirectory});
            if (!line) {
                end(failed(line.error().kind, line.error().detail));
                return Step::Failed;
            }
            m_commandLine = *line;
        }
        code = ssh_channel_request_exec(m_channel, m_commandLine.constData());
    }
    return code == SSH_AGAIN ? Step::Again : code == SSH_OK ? Step::Next : Step::Failed;
}

void SshSessionChannel::serve(ssh_session session)
{
    drainBacklog();
    postOutput();
    if (m_remoteClosed) {
        // What it said last comes before its end, however long the receiver takes.
        if (m_arrived[0].backlog == 0 && m_arrived[1].backlog == 0)
            end(ending());
        return;
    }
    const bool allRead = m_arrived[0].backlog == 0 && m_arrived[1].backlog == 0;
    if (m_spec.connectPort != 0 && m_remoteEof && allRead && !std::exchange(m_eofTold, true))
        m_mail.events.put(FromLink::OutputEnded{m_id});
    if (m_spec.terminal == ChannelSpec::Terminal::Pty && m_spec.size != m_sizeThere) {
        m_sizeThere = m_spec.size;
        ssh_channel_change_pty_size(m_channel, m_sizeThere.columns, m_sizeThere.rows);
    }
    if (m_spec.speaker) {
        sendSpoken(session);
        // The program there has ended; the server may still say how.
        if (m_remoteEof && !m_patience)
            m_patience = std::chrono::steady_clock::now() + kPatienceWithProgram;
    } else {
        sendInput(session);
    }
    handlePatience();
}

void SshSessionChannel::drainBacklog()
{
    for (const SshStream stream : {SshStream::Output, SshStream::ErrorOutput}) {
        Arrived &arrived = m_arrived[size_t(stream)];
        while (arrived.backlog > 0 && m_unconsumed < kMostUnconsumed) {
            QByteArray slice(std::min(arrived.backlog, kMostUnconsumed - m_unconsumed), Qt::Uninitialized);
            m_draining = true;
            const int got = ssh_channel_read_nonblocking(m_channel, slice.data(), uint32_t(slice.size()),
                                                         stream == SshStream::ErrorOutput ? 1 : 0);
            m_draining = false;
            if (got <= 0) {
                // Only a dead connection can take it away again.
                arrived.backlog = 0;
                break;
            }
            arrived.backlog = std::max<qint64>(0, arrived.backlog - got);
            arrived.bytes.append(slice.constData(), got);
            m_unconsumed += got;
        }
    }
}

void SshSessionChannel::postOutput()
{
    for (const SshStream stream : {SshStream::Output, SshStream::ErrorOutput}) {
        QByteArray &bytes = m_arrived[size_t(stream)].bytes;
        if (!bytes.isEmpty())
            m_mail.events.put(FromLink::Received{m_id, stream, std::exchange(bytes, {})});
    }
}

void SshSessionChannel::sendInput(ssh_session session)
{
    // What the socket has not taken yet stays here, where it is counted as pending.
    while (m_inputSent < m_input.size() && (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) == 0) {
        const qint64 window = ssh_channel_window_size(m_channel);
        const qint64 size = std::min({window, kWriteSlice, m_input.size() - m_inputSent});
        if (size <= 0)
            return;
        const int sent = ssh_channel_write(m_channel, m_input.constData() + m_inputSent, uint32_t(size));
        if (sent <= 0)
            return;
        m_inputSent += sent;
        m_mail.events.put(FromLink::Written{m_id, sent});
    }
    if (m_inputSent == m_input.size()) {
        m_input.clear();
        m_inputSent = 0;
        if (m_wantsEof && !m_sentEof) {
            m_sentEof = true;
            ssh_channel_send_eof(m_channel);
        }
    }
}

void SshSessionChannel::sendSpoken(ssh_session session)
{
    m_spec.speaker->pump();
    while ((ssh_get_poll_flags(session) & SSH_WRITE_PENDING) == 0) {
        const QByteArrayView spoken = m_spec.speaker->output();
        const qint64 size = std::min<qint64>({qint64(ssh_channel_window_size(m_channel)), kWriteSlice, spoken.size()});
        const int sent = size > 0 ? ssh_channel_write(m_channel, spoken.data(), uint32_t(size)) : 0;
        if (sent <= 0)
            return;
        m_spec.speaker->sent(sent);
    }
}

std::optional<std::chrono::steady_clock::time_point> SshSessionChannel::nextDeadline() const
{
    const auto spoken = m_spec.speaker && m_stage == Stage::Running ? m_spec.speaker->nextDeadline() : std::nullopt;
    return m_patience && spoken ? std::min(*m_patience, *spoken) : m_patience ? m_patience : spoken;
}

void SshSessionChannel::handlePatience()
{
    if (!m_patience || std::chrono::steady_clock::now() < *m_patience)
        return;
    if (!m_closedByUs) {
        m_closedByUs = true;
        ssh_channel_close(m_channel);
        m_patience = std::chrono::steady_clock::now() + kPatienceWithServer;
    } else {
        end(ending());
    }
}

ShellEnd SshSessionChannel::ending() const
{
    ShellEnd end;
    if (!m_exitSignal.isEmpty()) {
        end.kind = ShellEnd::Kind::Signalled;
        end.signalName = m_exitSignal;
    } else if (m_exitCode) {
        end.kind = ShellEnd::Kind::Exited;
        end.exitCode = *m_exitCode;
    } else if (m_hangingUp) {
        end.kind = ShellEnd::Kind::Killed;
    } else {
        end.kind = ShellEnd::Kind::Lost;
        end.error = {ErrorKind::ConnectionLost, Layer::Ssh, u"the server closed the channel and did not say how the program ended"_s, {}};
    }
    return end;
}

void SshSessionChannel::lose(const Error &error)
{
    if (m_stage == Stage::Over)
        return;
    postOutput();
    ShellEnd lost = ending();
    if (lost.kind == ShellEnd::Kind::Lost)
        lost.error = error;
    if (m_stage != Stage::Running && lost.kind == ShellEnd::Kind::Lost)
        lost.kind = ShellEnd::Kind::Failed;
    end(lost);
}

void SshSessionChannel::end(const ShellEnd &end)
{
    m_stage = Stage::Over;
    m_patience.reset();
    m_mail.events.put(FromLink::ChannelEnded{m_id, end});
}

} // namespace Sandpiper

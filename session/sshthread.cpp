#include "session/sshthread.h"

#include "session/linkmoves.h"

#include <libssh/server.h>

#include <QLoggingCategory>

#include <algorithm>

#include <poll.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

static Q_LOGGING_CATEGORY(lcThread, "sandpiper.session.sshthread", QtInfoMsg)

namespace {

// libssh reads 4 KiB a turn: so many turns before channels and commands get theirs.
constexpr int kMostTurns = 64;
// The library answers requests whether the server takes the answers or not; ours alone are far fewer.
constexpr quint64 kMostUntaken = 20'000;
// What carried the connection may say why it ended a little after the end.
constexpr std::chrono::milliseconds kPatienceWithWords{500};

QString withoutPrefix(const QString &error, QLatin1StringView prefix)
{
    const qsizetype at = error.indexOf(prefix);
    if (at < 0)
        return {};
    // "Received SSH_MSG_DISCONNECT: 11:text"
    const QString rest = error.sliced(at + prefix.size()).trimmed();
    const qsizetype colon = rest.indexOf(u':');
    return colon < 0 ? rest : rest.sliced(colon + 1).trimmed();
}

} // namespace

SshThread::SshThread(const LinkOptions &options, Purpose purpose, const QByteArrayList &environment, std::shared_ptr<LinkMail> mail)
    : m_options(options)
    , m_purpose(purpose)
    , m_environment(environment)
    , m_mail(std::move(mail))
    , m_subject(!options.displayName.isEmpty() ? options.displayName : options.endpoint.alias.isEmpty() ? options.endpoint.host : options.endpoint.alias)
{
    using namespace std::chrono_literals;
    m_options.connectTimeout = std::max(m_options.connectTimeout, 1s);
}

SshThread::~SshThread()
{
    dropSession();
}

void SshThread::run()
{
    setState(LinkState::Connecting);
    Done established = prepare();
    if (established && m_purpose == Purpose::Link)
        established = establish();
    Error why = !established ? established.error() : m_purpose == Purpose::Link ? serve() : lendWay();
    if (m_closing)
        why = {ErrorKind::Cancelled, Layer::Ssh, {}, {}};
    if (why.subject.isEmpty())
        why.subject = tamed(m_subject);
    if (why.kind == ErrorKind::Cancelled)
        qCInfo(lcThread) << "closed the link to" << m_subject;
    else
        qCWarning(lcThread).noquote() << describe(why);
    for (const auto &open : m_channels)
        open->lose(why);
    for (const auto &open : m_tunnels)
        open->lose(why);
    m_forwards.lose(why);
    dropSession();
    m_mail->events.put(FromLink::Closed{why});
}

void SshThread::setState(LinkState state)
{
    if (state == m_state)
        return;
    Q_ASSERT_X(isLegalMove(m_state, state), "SshThread", "no link goes from there to there");
    m_state = state;
    m_mail->events.put(FromLink::StateChanged{state});
}

void SshThread::takeCommands()
{
    m_woken = false;
    for (LinkCommand &command : m_mail->commands.takeAll()) {
        std::visit(Overloaded{
                           [this](ToLink::Close) { m_closing = true; },
                           [this](ToLink::Probe) { probe(); },
                           [this](ToLink::AskFeatures) {
                               if (m_state == LinkState::Ready && !m_features)
                                   m_features = std::make_unique<SshFeatureProbe>(m_options.featurePatience, m_late);
                           },
                           [this](ToLink::Answer &answer) { m_answers.push_back(std::move(answer)); },
                           [this](ToLink::OpenChannel &wish) {
                               m_channels.push_back(std::make_unique<SshSessionChannel>(wish.channel, wish.spec, *m_mail, m_late));
                               if (m_state == LinkState::Ready)
                                   m_channels.back()->complete(m_options);
                           },
                           [this](ToLink::OpenTunnel &wish) {
                               m_tunnels.push_back(std::make_unique<SshTunnelChannel>(wish.channel, wish.spec, *m_mail, m_woken, m_late));
                           },
                           [this](ToLink::Transport &transport) { m_transports.push_back(std::move(transport)); },
                           [this](ToLink::Write &input) {
                               if (SshSessionChannel *to = channel(input.channel))
                                   to->write(input.bytes);
                           },
                           [this](ToLink::CloseInput &input) {
                               if (SshSessionChannel *to = channel(input.channel))
                                   to->closeInput();
                           },
                           [this](ToLink::Resize &wish) {
                               if (SshSessionChannel *to = channel(wish.channel))
                                   to->resize(wish.size);
                           },
                           [this](ToLink::Signal &wish) {
                               if (SshSessionChannel *to = channel(wish.channel))
                                   to->sendSignal(wish.name);
                           },
                           [this](ToLink::Consumed &report) {
                               if (SshSessionChannel *to = channel(report.channel))
                                   to->consumed(report.bytes);
                           },
                           [this](ToLink::HangUp &wish) {
                               if (SshSessionChannel *to = channel(wish.channel))
                                   to->hangUp();
                           },
                           [](ToLink::Wake) {}, // every turn pumps
                           [this](ToLink::DropChannel &wish) {
                               std::erase_if(m_channels, [&](const auto &open) { return open->id() == wish.channel; });
                               std::erase_if(m_tunnels, [&](const auto &open) { return open->id() == wish.channel; });
                           },
                           [this](ToLink::AddForward &wish) { m_forwards.add(wish.forward, wish.spec); },
                           [this](ToLink::StopForward &wish) { m_forwards.stop(wish.forward); },
                           [this](ToLink::LimitForward &wish) { m_forwards.limit(wish.forward, wish.bytesPerSecond); },
                           [this](ToLink::CloseForwardConnection &wish) { m_forwards.closeConnection(wish.forward, wish.connection); },
                   },
                   command);
    }
}

SshSessionChannel *SshThread::channel(int id)
{
    const auto it = std::find_if(m_channels.begin(), m_channels.end(), [id](const auto &open) { return open->id() == id; });
    return it == m_channels.end() ? nullptr : it->get();
}

bool SshThread::isCancelled()
{
    takeCommands();
    return m_closing;
}

bool SshThread::isConnected() const
{
    // After some broken packets the library takes no more of them, and leaves the socket open.
    return m_session && ssh_is_connected(m_session.get()) != 0 && (ssh_get_status(m_session.get()) & SSH_CLOSED_ERROR) == 0;
}

bool SshThread::waitFor(int milliseconds)
{
    if (m_event) {
        // A call into the library may have taken the bell of a command that is still unread.
        int code = ssh_event_dopoll(m_event.get(), m_woken ? 0 : milliseconds);
        for (int turn = 0; code == SSH_OK && turn < kMostTurns && !m_woken && isConnected(); ++turn)
            code = ssh_event_dopoll(m_event.get(), 0);
        if (code == SSH_ERROR || !isConnected())
            rememberLastWords();
        else
            boundUntaken();
    }
    takeCommands();
    return !m_closing && isConnected();
}

Result<int> SshThread::repeat(const std::function<int()> &call, int again)
{
    int code = call();
    // From here: the first call may have waited for the user's agent, which has no deadline.
    const Deadline deadline = Clock::now() + m_options.signInTimeout;
    const Deadline slow = Clock::now() + m_options.slowSignIn;
    while (code == again) {
        const int left = millisecondsUntil(deadline);
        const int untilSlow = millisecondsUntil(slow);
        if (left == 0)
            return failure(ErrorKind::Timeout, Layer::Ssh, u"the server does not answer"_s);
        if (untilSlow == 0)
            tell(u"%1 has not let us in yet; it may be waking up."_s.arg(tamed(m_subject, 80)));
        if (!waitFor(untilSlow > 0 ? std::min(left, untilSlow) : left)) {
            if (m_closing)
                return failure(ErrorKind::Cancelled, Layer::Ssh);
            return std::unexpected(lossOfConnection());
        }
        code = call();
    }
    if (!isConnected())
        rememberLastWords();
    return code;
}

bool SshThread::linger(std::chrono::milliseconds duration)
{
    const Deadline deadline = Clock::now() + duration;
    while (const int left = millisecondsUntil(deadline)) {
        if (!waitFor(left))
            return false;
    }
    return true;
}

Result<std::shared_ptr<PromptAnswer>> SshThread::ask(const Prompt &prompt)
{
    const int id = ++m_lastPrompt;
    m_answers.clear();
    m_mail->events.put(FromLink::Ask{id, prompt});
    for (;;) {
        // Without a session (it was dropped before a changed key is shown) only commands can come.
        const bool goesOn = m_session ? waitFor(-1) : !isCancelled();
        for (const ToLink::Answer &answer : m_answers) {
            if (answer.prompt == id && answer.answer && !m_closing)
                return answer.answer;
        }
        m_answers.clear();
        if (!goesOn) {
            m_mail->events.put(FromLink::Withdraw{id});
            if (m_closing)
                return failure(ErrorKind::Cancelled, Layer::Ssh);
            return std::unexpected(lossOfConnection());
        }
        if (!m_session) {
            pollfd waiting = {wakeDescriptor(), POLLIN, 0};
            ::poll(&waiting, 1, -1);
        }
    }
}

std::function<void(bool)> SshThread::touchNotice(const Prompt &prompt)
{
    return [mail = m_mail, prompt, id = ++m_lastPrompt](bool isAwaited) {
        if (isAwaited)
            mail->events.put(FromLink::Ask{id, prompt});
        else
            mail->events.put(FromLink::Withdraw{id});
    };
}

void SshThread::tell(const QString &text)
{
    if (text.isEmpty() || text == m_lastBanner)
        return;
    m_lastBanner = text;
    m_mail->events.put(FromLink::Banner{text});
}

void SshThread::rememberLastWords()
{
    if (!m_session || !m_lastWords.isEmpty())
        return;
    // It is overwritten by the next thing that fails, so it is read at the first chance.
    m_lastWords = tamed(QString::fromUtf8(ssh_get_error(m_session.get())));
}

Error SshThread::lossOfConnection()
{
    rememberLastWords();
    const QString said = withoutPrefix(m_lastWords, "SSH_MSG_DISCONNECT:"_L1);
    if (!said.isEmpty()) {
        if (m_state == LinkState::Authenticating)
            return refusalFrom(said);
        return {ErrorKind::ConnectionLost, Layer::Ssh, said, {}};
    }
    if (!m_explanation && !m_closing)
        m_explanation = lastWords(m_way.words, kPatienceWithWords);
    if (m_explanation) {
        // A link that was open is lost, whatever carried it says; only how it is said changes.
        Error error = *m_explanation;
        if (m_state == LinkState::Ready)
            error.kind = ErrorKind::ConnectionLost;
        return error;
    }
    return {ErrorKind::ConnectionLost, m_state == LinkState::Ready ? Layer::Tcp : Layer::Ssh, m_lastWords, {}};
}

// What a server asks of a client in a global request, or as a channel, is kept by the library for somebody to
// look at, for ever: nobody does.
void SshThread::refuseRequests()
{
    ssh_set_message_callback(
            m_session.get(), [](ssh_session, ssh_message, void *) { return 1; }, nullptr);
}

// Ends the connection where packets heap up here that the server makes us send and does not take.
void SshThread::boundUntaken()
{
    if ((ssh_get_poll_flags(m_session.get()) & SSH_WRITE_PENDING) == 0) {
        m_sentWhenFull.reset();
        return;
    }
    if (!m_sentWhenFull)
        m_sentWhenFull = m_packets.out_packets;
    if (m_packets.out_packets - *m_sentWhenFull < kMostUntaken)
        return;
    m_explanation = Error{ErrorKind::Protocol, Layer::Ssh, u"the server asks and asks, and does not take the answers"_s, {}};
    ::shutdown(m_socket.get(), SHUT_RDWR); // the library notices
}

void SshThread::pumpChannels()
{
    std::ranges::move(m_acceptedTunnels, std::back_inserter(m_tunnels));
    m_acceptedTunnels.clear();
    pumpForwards();
    // Where a forward that fails ends the link, nothing is started before all are there.
    if (!m_options.armsForwards || !m_options.forwardRules.exitOnFailure || (m_forwards.isSettled() && !m_forwards.firstFailure())) {
        for (const auto &open : m_channels)
            open->pump(m_session.get());
    }
    std::erase_if(m_channels, [](const auto &open) { return open->isOver(); });
    for (const auto &open : m_tunnels)
        open->pump(m_session.get(), m_event.get());
    std::erase_if(m_tunnels, [](const auto &open) { return open->isOver(); });
    pumpFeatures();
    m_late.pump();
}

void SshThread::pumpFeatures()
{
    if (!m_features)
        return;
    m_features->pump(m_session.get(), {.hasSessions = !m_channels.empty(), .awaitsLife = m_askedForLife, .isAsking = m_forwards.holdsGlobalRequests()});
    if (m_features->isOver() && isConnected()) {
        if (m_features->portInDoubt() != 0)
            m_forwards.giveBackLater("127.0.0.1", m_features->portInDoubt());
        m_woken = true; // a forward may have waited for its turn to ask
        m_mail->events.put(FromLink::Features{m_features->features()});
        m_features.reset();
    }
}

int SshThread::nextTimeout() const
{
    Deadline next = m_options.keepAlive.count() > 0 ? m_nextKeepAlive : Deadline::max();
    next = std::min(next, m_probeUntil.value_or(next));
    next = std::min(next, m_forwards.nextDeadline().value_or(next));
    if (m_features)
        next = std::min(next, m_features->nextDeadline().value_or(next));
    for (const auto &open : m_channels) {
        if (const auto deadline = open->nextDeadline())
            next = std::min(next, *deadline);
    }
    for (const auto &open : m_tunnels) {
        if (const auto deadline = open->nextDeadline())
            next = std::min(next, *deadline);
    }
    return millisecondsUntil(next);
}

bool SshThread::keepAlive()
{
    const auto now = Clock::now();
    if (packetsReceived() != m_packetsAtLastLook) {
        m_packetsAtLastLook = packetsReceived();
        m_unanswered = 0;
        m_probeUntil.reset();
        m_nextKeepAlive = now + m_options.keepAlive;
        return true;
    }
    if (m_probeUntil && now >= *m_probeUntil)
        return false;
    if (m_options.keepAlive.count() <= 0 || now < m_nextKeepAlive)
        return true;
    if (m_unanswered >= m_options.keepAliveCount)
        return false;
    ++m_unanswered;
    m_nextKeepAlive = now + m_options.keepAlive;
    askForLife();
    return true;
}

void SshThread::probe()
{
    if (m_state != LinkState::Ready || m_probeUntil || !isConnected())
        return;
    m_packetsAtLastLook = packetsReceived(); // what came before does not count
    m_probeUntil = Clock::now() + m_options.probeDeadline;
    askForLife();
}

void SshThread::askForLife()
{
    if (m_forwards.holdsGlobalRequests() || (m_features && m_features->holdsGlobalRequests()))
        return; // the answer to that is a sign of life too
    m_askedForLife = true;
    // Without blocking, the first call sends and a later one only takes the answer in: where nothing
    // went out, a second call sends. While the peer is silent neither does, and none is needed.
    const auto sentBefore = m_packets.out_packets;
    ssh_send_keepalive(m_session.get());
    if (m_packets.out_packets == sentBefore)
        ssh_send_keepalive(m_session.get());
}

Error SshThread::serve()
{
    setState(LinkState::Ready);
    takeServersChannels();
    armForwards();
    for (const auto &open : m_channels)
        open->complete(m_options);
    m_packetsAtLastLook = packetsReceived();
    m_nextKeepAlive = Clock::now() + m_options.keepAlive;
    for (;;) {
        // Any call into the library may take packets in, for any channel: then all get another turn
        // before the wait.
        const quint64 before = packetsReceived();
        pumpChannels();
        if (!isConnected())
            return lossOfConnection();
        if (const std::optional<Error> failed = m_forwards.firstFailure(); failed && m_options.forwardRules.exitOnFailure)
            return {failed->kind, failed->layer, u"a forward of your SSH configuration failed (ExitOnForwardFailure): "_s + failed->detail, {}};
        if (!keepAlive())
            return {ErrorKind::ConnectionLost, Layer::Ssh, u"the server stopped answering"_s, {}};
        if (!waitFor(packetsReceived() == before ? nextTimeout() : 0))
            return lossOfConnection();
    }
}

void SshThread::dropSession()
{
    m_features.reset();
    m_forwards.drop();
    // Closing may take packets in, and with them further channels: none is wanted any more.
    m_callbacks.channel_open_request_auth_agent_function = nullptr;
    std::exchange(m_acceptedTunnels, {}).clear();
    m_tunnels.clear(); // their streams are in the event
    m_channels.clear(); // before ssh_disconnect(), which frees what they hold
    m_late.clear();
    if (m_session) {
        // Anything still unsent is sent first, or the farewell would be dropped.
        if (m_event && isConnected())
            ssh_event_dopoll(m_event.get(), 0);
        if (m_event) {
            ssh_event_remove_fd(m_event.get(), wakeDescriptor());
            ssh_event_remove_session(m_event.get(), m_session.get());
        }
        ssh_disconnect(m_session.get());
    }
    m_event.reset();
    m_session.reset();
    m_socket.reset(); // what is behind it ends by itself once that is closed
    m_way = {};
}

} // namespace Sandpiper

#include "session/sshlinkcore.h"

#include "session/linkmoves.h"
#include "session/quietthread.h"
#include "session/readylinks.h"
#include "session/sshchannel.h"
#include "session/sshjump.h"
#include "session/sshthread.h"

#include <QTimer>

#include <system_error>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr std::chrono::seconds kPatienceWithThread{2};

ShellEnd failedEnd(ErrorKind kind, const QString &detail)
{
    ShellEnd end;
    end.kind = ShellEnd::Kind::Failed;
    end.error = {kind, Layer::Ssh, detail, {}};
    return end;
}

ForwardReport forwardOver(int id, const ForwardSpec &spec, const Error &error)
{
    return {id, spec, {ForwardStatus::State::Lost, {}, error, false}, {}};
}

std::shared_ptr<PromptAnswer> answerOf(PromptAnswer::Kind kind)
{
    auto answer = std::make_shared<PromptAnswer>();
    answer->kind = kind;
    return answer;
}

} // namespace

SshLinkCore::SshLinkCore(const LinkOptions &options, PromptHandler *prompts)
    : m_options(options)
    , m_prompts(prompts)
    , m_mail(std::make_shared<LinkMail>())
{
    if (m_options.agentSocket.isEmpty())
        m_options.agentSocket = qEnvironmentVariable("SSH_AUTH_SOCK");
    if (m_mail->events.isUsable()) {
        m_bell = std::make_unique<QSocketNotifier>(m_mail->events.descriptor(), QSocketNotifier::Read);
        connect(m_bell.get(), &QSocketNotifier::activated, this, [this] { takeEvents(); });
    }
}

SshLinkCore::~SshLinkCore()
{
    close();
    withdrawPrompt();
    m_bell.reset();
    if (m_thread.joinable()) {
        // What may hold it up: a slow key derivation, a library call that blocks. It owns all it needs.
        if (m_mail->waitFinished(kPatienceWithThread))
            m_thread.join();
        else
            m_thread.detach();
    }
    const Error gone{ErrorKind::Cancelled, Layer::Ssh, {}, {}};
    endFeatures(std::unexpected(gone));
    for (const QPointer<SshChannel> &channel : std::as_const(m_channels)) {
        if (channel)
            channel->linkGone(gone);
    }
}

void SshLinkCore::connectToHost()
{
    start(false);
}

void SshLinkCore::openTransportOnly()
{
    start(true);
}

void SshLinkCore::start(bool isTransportOnly)
{
    if (m_state != LinkState::Idle)
        return;
    move(LinkState::Connecting);
    if (!m_mail->commands.isUsable() || !m_mail->events.isUsable()) {
        QMetaObject::invokeMethod(this, [this] {
            LinkEvent event = FromLink::Closed{{ErrorKind::Io, Layer::Ssh, u"no file descriptors are left"_s, {}}};
            handle(event);
        }, Qt::QueuedConnection);
        return;
    }
    try {
        const auto purpose = isTransportOnly ? SshThread::Purpose::TransportOnly : SshThread::Purpose::Link;
        // The environment is read here: it must not be read in one thread while another may change it.
        m_thread = quietThread([mail = m_mail, options = m_options, purpose, environment = ownEnvironment()] {
            SshThread(options, purpose, environment, mail).run();
            mail->sayFinished();
        });
    } catch (const std::system_error &error) {
        m_mail->events.put(FromLink::Closed{{ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(error.what()), {}}});
    }
}

void SshLinkCore::move(LinkState to)
{
    Q_ASSERT_X(isLegalMove(m_state, to), "SshLinkCore", "no link goes from there to there");
    m_state = to;
}

void SshLinkCore::close()
{
    if (m_isClosing || m_state == LinkState::Closed)
        return;
    m_isClosing = true;
    if (m_state == LinkState::Idle) {
        m_mail->events.put(FromLink::Closed{{ErrorKind::Cancelled, Layer::Ssh, {}, {}}});
        return;
    }
    m_mail->commands.put(ToLink::Close{});
    m_mail->abortSignature();
}

int SshLinkCore::openChannel(SshChannel *channel, const ChannelSpec &spec)
{
    const int id = ++m_lastChannel;
    m_channels.insert(id, channel);
    // Refusals take the same way as everything else that the channel hears, and so come later.
    if (m_state == LinkState::Closed)
        m_mail->events.put(FromLink::ChannelEnded{id, failedEnd(ErrorKind::ConnectionLost, u"the link is closed"_s)});
    else if (sessionCount() > kMostChannels)
        m_mail->events.put(FromLink::ChannelEnded{id, failedEnd(ErrorKind::TooLarge, u"a link carries at most %1 channels"_s.arg(kMostChannels))});
    else
        send(ToLink::OpenChannel{id, spec});
    return id;
}

int SshLinkCore::openTunnel(SshChannel *channel, const TunnelSpec &spec)
{
    const int id = ++m_lastChannel;
    m_channels.insert(id, channel);
    m_tunnels.insert(id);
    if (m_state == LinkState::Closed)
        m_mail->events.put(FromLink::ChannelEnded{id, failedEnd(ErrorKind::ConnectionLost, u"the link is closed"_s)});
    else if (m_tunnels.size() > kMostTunnels)
        m_mail->events.put(FromLink::ChannelEnded{id, failedEnd(ErrorKind::TooLarge, u"a link carries at most %1 tunnels"_s.arg(kMostTunnels))});
    else
        send(ToLink::OpenTunnel{id, spec});
    return id;
}

void SshLinkCore::jump(const FromLink::NeedTransport &request)
{
    if (!m_jump) {
        m_jump = std::make_unique<SshJump>(m_options, m_prompts);
        connect(m_jump.get(), &SshJump::bannerReceived, this, &SshLinkCore::bannerReceived);
        connect(m_jump.get(), &SshJump::opened, this, [this](int id, const std::shared_ptr<OpenTransport> &transport) {
            send(ToLink::Transport{id, std::move(*transport)});
        });
        connect(m_jump.get(), &SshJump::failed, this, [this](int id, const Error &error) {
            send(ToLink::Transport{id, std::unexpected(error)});
        });
    }
    m_jump->open(request);
}

void SshLinkCore::forgetChannel(int id)
{
    m_tunnels.remove(id);
    if (m_channels.remove(id) > 0)
        send(ToLink::DropChannel{id});
}

int SshLinkCore::addForward(const ForwardSpec &spec)
{
    const int id = ++m_lastForward;
    m_forwards.insert(id, spec);
    if (m_state == LinkState::Closed)
        m_mail->events.put(FromLink::ForwardChanged{forwardOver(id, spec, {ErrorKind::ConnectionLost, Layer::Ssh, u"the link is closed"_s, {}})});
    else
        send(ToLink::AddForward{id, spec});
    return id;
}

void SshLinkCore::stopForward(int id)
{
    send(ToLink::StopForward{id});
}

void SshLinkCore::forwardNews(const ForwardReport &report)
{
    if (report.status.isOver())
        m_forwards.remove(report.id);
    emit forwardChanged(report);
}

void SshLinkCore::probe()
{
    send(ToLink::Probe{});
}

void SshLinkCore::askFeatures()
{
    if (!m_options.features)
        return;
    const auto after = m_options.features->wantsAfter(m_options.sandbox, m_serverVersion);
    if (!after)
        return;
    m_asksFeatures = true;
    QTimer::singleShot(*after, this, [this] { send(ToLink::AskFeatures{}); });
}

void SshLinkCore::endFeatures(const Result<ServerFeatures> &features)
{
    if (std::exchange(m_asksFeatures, false))
        m_options.features->told(m_options.sandbox, features);
}

void SshLinkCore::send(LinkCommand command)
{
    if (m_state != LinkState::Closed)
        m_mail->commands.put(std::move(command));
}

void SshLinkCore::takeEvents()
{
    const QPointer<SshLinkCore> self(this);
    for (LinkEvent &event : m_mail->events.takeAll()) {
        handle(event);
        if (!self) // whoever heard of it has deleted us
            return;
    }
}

void SshLinkCore::handle(LinkEvent &event)
{
    const auto channel = [this](int id) { return m_channels.value(id).data(); };
    std::visit(Overloaded{
                       [&](const FromLink::StateChanged &news) {
                           if (news.state != m_state) // connectToHost() has said the first one already
                               move(news.state);
                           if (m_state == LinkState::Ready) {
                               askFeatures();
                               if (m_options.lends)
                                   m_options.lends->join(m_options.sandbox, this);
                           }
                           emit stateChanged(m_state);
                       },
                       [&](const FromLink::ServerMet &news) {
                           m_serverVersion = news.version;
                           m_fingerprint = news.fingerprint;
                       },
                       [&](const FromLink::Features &news) {
                           ServerFeatures features = news.features;
                           features.serverVersion = m_serverVersion;
                           features.askedAt = QDateTime::currentDateTimeUtc();
                           endFeatures(features);
                       },
                       [&](const FromLink::Banner &news) {
                           m_banner = news.text;
                           emit bannerReceived(news.text);
                       },
                       [&](const FromLink::Ask &question) { ask(question); },
                       [&](const FromLink::Withdraw &news) {
                           if (m_prompt == news.prompt)
                               withdrawPrompt();
                       },
                       [&](const FromLink::NeedTransport &request) { jump(request); },
                       [&](const FromLink::TransportReady &news) { emit transportReady(news.stream); },
                       [&](const FromLink::ChannelOpened &news) {
                           if (SshChannel *to = channel(news.channel))
                               emit to->opened();
                       },
                       [&](const FromLink::Received &news) {
                           if (SshChannel *to = channel(news.channel))
                               emit to->received(news.stream, news.bytes);
                       },
                       [&](const FromLink::Written &news) {
                           if (SshChannel *to = channel(news.channel))
                               to->written(news.bytes);
                       },
                       [&](const FromLink::OutputEnded &news) {
                           if (SshChannel *to = channel(news.channel))
                               emit to->outputEnded();
                       },
                       [&](const FromLink::ChannelEnded &news) {
                           const QPointer<SshChannel> to = m_channels.take(news.channel);
                           m_tunnels.remove(news.channel);
                           if (to)
                               emit to->ended(news.end);
                       },
                       [&](const FromLink::ForwardChanged &news) { forwardNews(news.report); },
                       [&](const FromLink::ForwardTrafficChanged &news) { emit forwardTrafficChanged(news.forward, news.traffic); },
                       [&](const FromLink::Closed &news) {
                           move(LinkState::Closed);
                           const QPointer<SshLinkCore> self(this);
                           withdrawPrompt();
                           m_jump.reset(); // nobody travels any more
                           endFeatures(std::unexpected(news.error));
                           // Wishes that the thread did not come to read.
                           for (const auto &left : std::exchange(m_channels, {})) {
                               if (left)
                                   left->linkGone(news.error);
                           }
                           for (const auto &[id, spec] : std::exchange(m_forwards, {}).asKeyValueRange()) {
                               if (self)
                                   emit forwardChanged(forwardOver(id, spec, news.error));
                           }
                           if (self)
                               emit stateChanged(m_state);
                           if (self)
                               emit closed(news.error);
                       },
               },
               event);
}

void SshLinkCore::ask(const FromLink::Ask &ask)
{
    const int id = ask.prompt;
    if (!m_prompts || m_isClosing) {
        send(ToLink::Answer{id, answerOf(PromptAnswer::Kind::Refused)});
        return;
    }
    withdrawPrompt();
    const QPointer<SshLinkCore> self(this);
    QFuture<std::shared_ptr<PromptAnswer>> question = m_prompts->ask(ask.question);
    if (!self) {
        question.cancel();
        return;
    }
    if (!question.isValid()) {
        send(ToLink::Answer{id, answerOf(PromptAnswer::Kind::Refused)});
        return;
    }
    m_prompt = id;
    m_question = question;
    if (ask.question.kind == Prompt::Kind::Touch) {
        question.then(this, [this, id](const std::shared_ptr<PromptAnswer> &given) { touchAnswered(id, given); });
        return;
    }
    question.then(this, [this, id](const std::shared_ptr<PromptAnswer> &given) { answer(id, given); })
            .onCanceled(this, [this, id] { answer(id, answerOf(PromptAnswer::Kind::Cancelled)); });
}

void SshLinkCore::answer(int prompt, const std::shared_ptr<PromptAnswer> &answer)
{
    if (prompt != m_prompt)
        return;
    m_prompt = 0;
    m_question = {};
    send(ToLink::Answer{prompt, answer ? answer : answerOf(PromptAnswer::Kind::Refused)});
}

void SshLinkCore::touchAnswered(int prompt, const std::shared_ptr<PromptAnswer> &answer)
{
    if (prompt == m_prompt && answer && answer->kind == PromptAnswer::Kind::Cancelled)
        m_mail->abortSignature();
}

void SshLinkCore::withdrawPrompt()
{
    if (std::exchange(m_prompt, 0) != 0)
        std::exchange(m_question, {}).cancel();
}

} // namespace Sandpiper

#include "session/sshlinkcore.h"

#include "session/sshchannel.h"
#include "session/sshthread.h"

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
    // The environment is read here: it must not be read in one thread while another may change it.
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
    for (const QPointer<SshChannel> &channel : std::as_const(m_channels)) {
        if (channel)
            channel->linkGone(gone);
    }
}

void SshLinkCore::connectToHost()
{
    if (m_state != LinkState::Idle)
        return;
    m_state = LinkState::Connecting;
    if (!m_mail->commands.isUsable() || !m_mail->events.isUsable()) {
        QMetaObject::invokeMethod(this, [this] {
            LinkEvent event = FromLink::Closed{{ErrorKind::Io, Layer::Ssh, u"no file descriptors are left"_s, {}}};
            handle(event);
        }, Qt::QueuedConnection);
        return;
    }
    try {
        m_thread = std::thread([mail = m_mail, options = m_options] {
            SshThread(options, mail).run();
            mail->sayFinished();
        });
    } catch (const std::system_error &error) {
        m_mail->events.put(FromLink::Closed{{ErrorKind::Io, Layer::Ssh, QString::fromLocal8Bit(error.what()), {}}});
    }
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
    else if (m_channels.size() > kMostChannels)
        m_mail->events.put(FromLink::ChannelEnded{id, failedEnd(ErrorKind::TooLarge, u"a link carries at most %1 channels"_s.arg(kMostChannels))});
    else
        send(ToLink::OpenChannel{id, spec});
    return id;
}

void SshLinkCore::forgetChannel(int id)
{
    if (m_channels.remove(id) > 0)
        send(ToLink::DropChannel{id});
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
                           m_state = news.state;
                           emit stateChanged(m_state);
                       },
                       [&](const FromLink::ServerMet &news) {
                           m_serverVersion = news.version;
                           m_fingerprint = news.fingerprint;
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
                       [&](const FromLink::ChannelEnded &news) {
                           const QPointer<SshChannel> to = m_channels.take(news.channel);
                           if (to)
                               emit to->ended(news.end);
                       },
                       [&](const FromLink::Closed &news) {
                           m_state = LinkState::Closed;
                           const QPointer<SshLinkCore> self(this);
                           withdrawPrompt();
                           // Wishes that the thread did not come to read.
                           for (const auto &left : std::exchange(m_channels, {})) {
                               if (left)
                                   left->linkGone(news.error);
                           }
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

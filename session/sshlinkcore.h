// The inside of SshLink on the GUI thread: starts the thread, hands its events out, asks its questions.
// Shells with a link of their own use it directly.
#pragma once

#include "session/sshmessages.h"

#include <QFuture>
#include <QHash>
#include <QObject>
#include <QPointer>
#include <QSet>
#include <QSocketNotifier>

#include <memory>
#include <thread>

namespace Sandpiper {

class SshChannel;
class SshJump;

class SshLinkCore : public QObject
{
    Q_OBJECT
public:
    // prompts is borrowed and must outlive it.
    SshLinkCore(const LinkOptions &options, PromptHandler *prompts);
    ~SshLinkCore() override; // waits at most 2 s for the thread, then leaves it behind

    [[nodiscard]] LinkState state() const { return m_state; }
    [[nodiscard]] QString banner() const { return m_banner; }
    [[nodiscard]] QString hostKeyFingerprint() const { return m_fingerprint; }
    [[nodiscard]] QString serverVersion() const { return m_serverVersion; }
    void connectToHost();
    // In place of connectToHost(): no SSH, only what it would run over. transportReady() at most once; it
    // ends when close() is called, and closed() says why it broke.
    void openTransportOnly();
    void close();
    void probe(); // see SshLink

    // For SshChannel. Every channel that was opened gets its ended() once, unless it is forgotten.
    [[nodiscard]] int openChannel(SshChannel *channel, const ChannelSpec &spec);
    [[nodiscard]] int openTunnel(SshChannel *channel, const TunnelSpec &spec);
    void forgetChannel(int id);
    int addForward(const ForwardSpec &spec); // see SshLink
    void stopForward(int id);
    // Sessions and tunnels.
    [[nodiscard]] int channelCount() const { return int(m_channels.size()); }
    [[nodiscard]] int sessionCount() const { return int(m_channels.size() - m_tunnels.size()); } // of kMostChannels
    void send(LinkCommand command);

signals:
    void stateChanged(Sandpiper::LinkState state);
    void bannerReceived(const QString &text);
    void forwardChanged(const Sandpiper::ForwardReport &report);
    void forwardTrafficChanged(int id, const Sandpiper::ForwardTraffic &traffic);
    // The descriptor is the receiver's.
    void transportReady(const std::shared_ptr<Sandpiper::FileDescriptor> &stream);
    void closed(const Sandpiper::Error &error);

private:
    void move(LinkState to);
    void start(bool isTransportOnly);
    void jump(const FromLink::NeedTransport &request);
    void askFeatures();
    void forwardNews(const ForwardReport &report);
    void endFeatures(const Result<ServerFeatures> &features);
    void takeEvents();
    void handle(LinkEvent &event);
    void ask(const FromLink::Ask &ask);
    void answer(int prompt, const std::shared_ptr<PromptAnswer> &answer);
    void touchAnswered(int prompt, const std::shared_ptr<PromptAnswer> &answer);
    void withdrawPrompt();

    LinkOptions m_options;
    PromptHandler *m_prompts;
    std::shared_ptr<LinkMail> m_mail; // owned together with the thread
    std::unique_ptr<QSocketNotifier> m_bell;
    std::thread m_thread;
    LinkState m_state = LinkState::Idle;
    bool m_isClosing = false;
    QString m_banner;
    QString m_fingerprint;
    QString m_serverVersion;
    QHash<int, QPointer<SshChannel>> m_channels;
    QSet<int> m_tunnels; // those of the channels that are no sessions
    std::unique_ptr<SshJump> m_jump;
    bool m_asksFeatures = false;
    int m_lastChannel = 0;
    QMap<int, ForwardSpec> m_forwards; // those that are not over
    int m_lastForward = 0;
    int m_prompt = 0; // the one that is being asked, or 0
    QFuture<std::shared_ptr<PromptAnswer>> m_question;
};

} // namespace Sandpiper

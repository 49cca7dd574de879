// The thread of one SSH link: the only one that ever touches its ssh_session.
#pragma once

#include "session/knownhosts.h"
#include "session/latechannels.h"
#include "session/lentsocket.h"
#include "session/sshauth.h"
#include "session/sshfeatureprobe.h"
#include "session/sshforwards.h"
#include "session/sshhandles.h"
#include "session/sshmessages.h"
#include "session/sshsessionchannel.h"
#include "session/sshtunnelchannel.h"

#include <libssh/callbacks.h>

#include <chrono>
#include <memory>
#include <vector>

namespace Sandpiper {

// Lives on its thread's stack. run() returns when the link is closed, with FromLink::Closed posted.
class SshThread : private AuthContext
{
public:
    // What it is for: SSH, or only what SSH would run over, for somebody else to use.
    enum class Purpose { Link, TransportOnly };
    // environment: of this process, as ownEnvironment() has it.
    SshThread(const LinkOptions &options, Purpose purpose, const QByteArrayList &environment, std::shared_ptr<LinkMail> mail);
    ~SshThread() override;
    SshThread(const SshThread &) = delete;
    SshThread &operator=(const SshThread &) = delete;

    void run();

private:
    using Clock = std::chrono::steady_clock;

    // The way to Ready.
    [[nodiscard]] Done prepare();
    [[nodiscard]] Done readConfiguration();
    [[nodiscard]] bool allowsAndRuns(const QString &command);
    [[nodiscard]] Done openWay(Deadline deadline);
    [[nodiscard]] Result<OpenTransport> askForWay(const QList<SshJumpHop> &hops);
    [[nodiscard]] Error lendWay();
    [[nodiscard]] Done establish();
    void takeSystemSshWhereNeeded();
    [[nodiscard]] bool goDirect(const Error &why);
    [[nodiscard]] Done connectSession();
    [[nodiscard]] Done configure(ssh_session session, const QList<QByteArray> &firstTypes);
    [[nodiscard]] Done readKnownKeys();
    [[nodiscard]] Result<QList<QByteArray>> keyTypesToAskFor() const;
    [[nodiscard]] HostKeyDecision decide(const HostKey &offered) const;
    [[nodiscard]] Done verifyHost();
    [[nodiscard]] Done confirmHost(const HostKey &offered, const HostKeyDecision &decision);
    [[nodiscard]] Done rememberHost(const HostKey &key);
    void keepHost(const HostKey &key);
    [[nodiscard]] Error changedHostKey(const HostKey &offered, const HostKey &known, const QString &where) const;
    void setState(LinkState state);

    // The time after it.
    [[nodiscard]] Error serve();
    void refuseRequests();
    void takeServersChannels();
    [[nodiscard]] ssh_channel acceptAgentChannel();
    void armForwards();
    void pumpChannels();
    void pumpForwards();
    void pumpFeatures();
    [[nodiscard]] bool keepAlive(); // false: nobody answers any more
    void askForLife();
    void probe();
    [[nodiscard]] int nextTimeout() const;

    // One wait for the network or a command. False when the connection or the link has ended.
    bool waitFor(int milliseconds);
    void boundUntaken();
    void takeCommands();
    [[nodiscard]] bool isConnected() const;
    [[nodiscard]] quint64 packetsReceived() const { return m_packets.in_packets; }
    void rememberLastWords();
    void dropSession();
    void startOver(); // what waits for Ready goes on waiting
    SshSessionChannel *channel(int id);

    // AuthContext
    [[nodiscard]] Result<int> repeat(const std::function<int()> &call, int again) override;
    [[nodiscard]] bool linger(std::chrono::milliseconds duration) override;
    [[nodiscard]] Result<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) override;
    [[nodiscard]] Error lossOfConnection() override;
    void tell(const QString &text) override;
    [[nodiscard]] int wakeDescriptor() const override { return m_mail->commands.descriptor(); }
    [[nodiscard]] bool isCancelled() override;
    [[nodiscard]] std::function<void(bool)> touchNotice(const Prompt &prompt) override;
    void bridgeChanged(AgentBridge *bridge) override { m_mail->setSignature(bridge); }

    LinkOptions m_options;
    Purpose m_purpose;
    QByteArrayList m_environment;
    std::shared_ptr<LinkMail> m_mail; // owned together with the link's face
    QByteArray m_host;                // as it is looked up
    QString m_subject;                // what errors are about
    std::optional<SshAuth> m_auth; // once all options are known
    LinkState m_state = LinkState::Idle;

    OpenTransport m_way;
    LentSocket m_socket; // what m_way ends in, once a session is made on it
    bool m_woken = false;
    SshSessionHandle m_session;
    SshEventHandle m_event;
    ssh_counter_struct m_packets = {};
    ssh_counter_struct m_bytes = {}; // of the socket
    std::optional<quint64> m_sentWhenFull; // packets, since the socket takes nothing more
    ssh_callbacks_struct m_callbacks = {};
    LateChannels m_late; // outlives all channels
    std::vector<std::unique_ptr<SshSessionChannel>> m_channels;
    std::vector<std::unique_ptr<SshTunnelChannel>> m_tunnels;
    std::vector<std::unique_ptr<SshTunnelChannel>> m_acceptedTunnels; // since the last pumpChannels(); they come in callbacks
    SshForwards m_forwards{*m_mail, m_woken, m_late};
    std::unique_ptr<SshFeatureProbe> m_features;
    std::optional<HostKey> m_accepted; // the key of this host, once it is trusted
    QList<KnownHostsFile> m_knownHosts;
    QList<KnownHostsFile> m_knownSandboxes; // ours; only for a vendor's sandbox
    // What was wished for, while the system's ssh carries the link and vouches for the host.
    std::optional<TransportWish> m_direct;
    QString m_whyNotCertified; // it could not
    QString m_lastBanner;

    bool m_closing = false;
    std::vector<ToLink::Answer> m_answers;
    std::vector<ToLink::Transport> m_transports; // that came and were not looked at
    int m_lastRequest = 0;
    int m_lastPrompt = 0;
    std::optional<Error> m_explanation; // of the loss, by what carried the connection
    QString m_lastWords; // of a SSH_MSG_DISCONNECT, else of the library

    quint64 m_packetsAtLastLook = 0;
    Clock::time_point m_nextKeepAlive;
    int m_unanswered = 0;
    bool m_askedForLife = false; // the answer may still be with the library
    std::optional<Clock::time_point> m_probeUntil; // something must have been heard by then
};

} // namespace Sandpiper

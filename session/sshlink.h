// One SSH connection: own thread, sole owner of its ssh_session. This is its face on the GUI thread.
#pragma once

#include "session/filedescriptor.h"
#include "session/forwardtraffic.h"
#include "session/prompt.h"
#include "session/provider.h"
#include "session/sandbox.h"
#include "session/shell.h"
#include "session/sshhostconfig.h"
#include "session/transport.h"

#include <memory>

namespace Sandpiper {

class FeatureAsker;
class ReadyLinks;
class SshChannel;
class SshLinkCore;
class SshSubsystem;

struct LinkOptions
{
    SshEndpoint endpoint;
    bool portIsSaid = false; // with endpoint.alias: its port counts also where it is 22
    QString displayName; // for prompts and errors
    SandboxId sandbox;   // whose machine it is, under whatever address; empty: only an address is known
    QStringList knownHostsFiles; // the first is written to; empty: ~/.ssh/known_hosts and the system's
    QString agentSocket;         // empty: SSH_AUTH_SOCK
    bool useAgent = true;
    bool useDefaultKeys = true; // ~/.ssh/id_* after the agent; off where endpoint.identityFiles is set
    std::chrono::seconds connectTimeout{15};
    // For one answer of the server while we sign in: some vendors wake a sandbox meanwhile. Whoever looks
    // on is told after the second time.
    std::chrono::milliseconds signInTimeout{60'000};
    std::chrono::milliseconds slowSignIn{4'000};
    // New keys after so many bytes (0: when the cipher wants it) and so long, whichever comes first.
    quint64 rekeyBytes = 0;
    std::chrono::seconds rekeyTime{3600};
    std::chrono::seconds keepAlive{15}; // 0: off
    int keepAliveCount = 3;             // lost after so many unanswered
    std::chrono::milliseconds probeDeadline{5000};
    TransportWish transport;            // over TCP to the endpoint, unless it says otherwise

    // What follows is mostly said by an ssh_config; see session/sshhostoptions.
    QStringList identityFiles; // offered beside the agent's keys, other than endpoint.identityFiles
    QStringList certificateFiles;
    bool identitiesOnly = false; // of the agent's keys only those that identityFiles names
    QString hostKeyAlias; // known_hosts has this host under this name, whatever the port
    SshHostChecking hostChecking = SshHostChecking::Ask; // Off: a changed key is still refused
    QString sandboxHostsFile; // empty: sandboxHostsFile()
    // Whole lists, for the library; empty: our own.
    QByteArray ciphers;
    QByteArray keyExchange;
    QByteArray macs;
    QByteArray hostKeyAlgorithms;
    QByteArray publicKeyAlgorithms;
    bool compression = false;
    QStringList preferredAuthentications; // empty: our own order
    bool allowsPublicKey = true;
    bool allowsPassword = true;
    bool allowsInteractive = true;
    QString preferredKey; // "SHA256:…" or a file: offered first; alone where identitiesOnly names no other
    std::chrono::milliseconds agentPatience{10'000}; // with the agent's list of keys
    QList<std::pair<QString, QString>> environment; // for every channel, behind what its wish says
    QString remoteCommand;                          // in place of the login shell
    SshTtyWish requestTty = SshTtyWish::Auto;
    SshAgentForward agentForward = SshAgentForward::No;
    QString agentForwardSocket;
    QList<ForwardSpec> forwards; // of the configuration
    ForwardRules forwardRules;   // also of those that addForward() makes
    // Makes the forwards of the configuration as soon as it is Ready, as ssh does for its terminal.
    bool armsForwards = false;
    FeatureAsker *features = nullptr; // borrowed, outlives the link; null: the server is not asked what it can do
    std::chrono::milliseconds featurePatience{8'000}; // with each answer to that
    ReadyLinks *lends = nullptr; // borrowed, outlives the link; null: its channels are its owner's alone
    QList<SshJumpHop> travelled; // on the way to other links: those that have asked for this one
};

// What a link to this sandbox is to know. Sandbox::ssh must be there for it to get anywhere.
[[nodiscard]] LinkOptions linkOptionsFor(const Sandbox &sandbox);

enum class LinkState { Idle, Connecting, Verifying, Authenticating, Ready, Closed };

// connectToHost() → Connecting → Verifying → Authenticating → Ready → Closed. closed() exactly once.
// No credential is sent before the host key is accepted.
class SshLink : public QObject
{
    Q_OBJECT
public:
    // prompts is borrowed and must outlive the link.
    SshLink(const LinkOptions &options, PromptHandler *prompts, QObject *parent = nullptr);
    ~SshLink() override; // closes, waits at most 2 s for the thread

    [[nodiscard]] LinkState state() const;
    [[nodiscard]] QString banner() const; // tamed, may be empty
    [[nodiscard]] QString hostKeyFingerprint() const;
    [[nodiscard]] QString serverVersion() const;
    void connectToHost();
    void close();
    // There is reason to doubt that the server can still be reached: it answers within
    // LinkOptions::probeDeadline or the link closes. Ready only.
    void probe();
    // Channels of this link; they end with Lost when it closes. Queued until Ready.
    [[nodiscard]] std::unique_ptr<Shell> makeShell(const ShellSpec &spec);
    [[nodiscard]] std::unique_ptr<RemoteCommand> makeCommand(const CommandSpec &spec);
    // A forward of this link, from Ready on until stopForward() or until it closes: forwardChanged() says how
    // it stands, never from inside the call. Returns its id.
    int addForward(const ForwardSpec &spec);
    // Closes its listener and its connections.
    void stopForward(int id);
    // In each direction, all of its connections together, from now on. 0: as fast as it goes.
    void limitForward(int id, qint64 bytesPerSecond);
    // One that forwardTrafficChanged() has told of; where it is over, nothing happens.
    void closeForwardConnection(int id, quint64 connection);
    // A command line of the server's shell, its input and output joined to the stream, which is non-blocking and
    // closed at the end; its error output is dropped. Of the channel only opened() and ended() are of use.
    [[nodiscard]] std::unique_ptr<SshChannel> openPipe(const QByteArray &commandLine, FileDescriptor stream);
    // "sftp", say. Opened at once; see SshSubsystem.
    [[nodiscard]] std::unique_ptr<SshChannel> openSubsystem(const QString &name, std::shared_ptr<SshSubsystem> speaker);

signals:
    void stateChanged(Sandpiper::LinkState state);
    void bannerReceived(const QString &text);
    // Of all forwards of the link, those of the configuration too. When it ends, whoever closed it, those
    // that are not over are Lost, each once and before closed().
    void forwardChanged(const Sandpiper::ForwardReport &report);
    // At most once a second for each forward, while something comes, goes or passes; and when it ends.
    void forwardTrafficChanged(int id, const Sandpiper::ForwardTraffic &traffic);
    void closed(const Sandpiper::Error &error); // kind Cancelled: we closed it

private:
    class Private;
    std::unique_ptr<Private> d;
};

// Only what SSH would run over, for somebody else to speak SSH on: a ProxyCommand. Proxies, jumps and
// the user's ssh_config count as for a link.
class SshTransport : public QObject
{
    Q_OBJECT
public:
    // prompts is borrowed and must outlive it.
    SshTransport(const LinkOptions &options, PromptHandler *prompts, QObject *parent = nullptr);
    ~SshTransport() override; // ends it

    void open();
    void close();

signals:
    // A stream socket, non-blocking, the receiver's from here on. At most once.
    void opened(int descriptor);
    // Once, when it cannot be opened or whoever carries it says why it broke; kind Cancelled: we closed
    // it. A plain TCP connection that ends is seen on the descriptor alone.
    void closed(const Sandpiper::Error &error);

private:
    std::unique_ptr<SshLinkCore> m_core;
};

// Unsupported where the libssh that was found at run time lacks the fixes we rely on. Every link checks.
[[nodiscard]] Done checkSshLibrary();

// A Shell with a link of its own that open() connects: what a tab over SSH uses.
[[nodiscard]] std::unique_ptr<Shell> makeSshShell(const LinkOptions &options, const ShellSpec &spec, PromptHandler *prompts);
// A RemoteCommand with a link of its own.
[[nodiscard]] std::unique_ptr<RemoteCommand> makeSshCommand(const LinkOptions &options, const CommandSpec &spec, PromptHandler *prompts);

} // namespace Sandpiper

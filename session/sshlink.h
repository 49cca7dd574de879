// One SSH connection: own thread, sole owner of its ssh_session. This is its face on the GUI thread.
#pragma once

#include "session/prompt.h"
#include "session/provider.h"
#include "session/sandbox.h"
#include "session/shell.h"

#include <memory>

namespace Sandpiper {

struct LinkOptions
{
    SshEndpoint endpoint;
    QString displayName; // for prompts and errors
    SandboxId sandbox;   // whose machine it is, under whatever address; empty: only an address is known
    QStringList knownHostsFiles; // the first is written to; empty: ~/.ssh/known_hosts and the system's
    QString agentSocket;         // empty: SSH_AUTH_SOCK
    bool useAgent = true;
    bool useDefaultKeys = true; // ~/.ssh/id_* after the agent; off where endpoint.identityFiles is set
    std::chrono::seconds connectTimeout{15};
    std::chrono::seconds keepAlive{15}; // lost after 3 unanswered

    QStringList identityFiles; // offered beside the agent's keys, other than endpoint.identityFiles
    QStringList certificateFiles;
    bool identitiesOnly = false; // of the agent's keys only those that identityFiles names
    QStringList preferredAuthentications; // empty: our own order
    bool allowsPublicKey = true;
    bool allowsPassword = true;
    bool allowsInteractive = true;
    QString preferredKey; // "SHA256:…" or a file: offered first; alone where identitiesOnly names no other
    std::chrono::milliseconds agentPatience{10'000}; // with the agent's list of keys
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
    // Channels of this link; they end with Lost when it closes. Queued until Ready.
    [[nodiscard]] std::unique_ptr<Shell> makeShell(const ShellSpec &spec);
    [[nodiscard]] std::unique_ptr<RemoteCommand> makeCommand(const CommandSpec &spec);

signals:
    void stateChanged(Sandpiper::LinkState state);
    void bannerReceived(const QString &text);
    void closed(const Sandpiper::Error &error); // kind Cancelled: we closed it

private:
    class Private;
    std::unique_ptr<Private> d;
};

// Unsupported where the libssh that was found at run time lacks the fixes we rely on. Every link checks.
[[nodiscard]] Done checkSshLibrary();

// A Shell with a link of its own that open() connects: what a tab over SSH uses.
[[nodiscard]] std::unique_ptr<Shell> makeSshShell(const LinkOptions &options, const ShellSpec &spec, PromptHandler *prompts);
// A RemoteCommand with a link of its own.
[[nodiscard]] std::unique_ptr<RemoteCommand> makeSshCommand(const LinkOptions &options, const CommandSpec &spec, PromptHandler *prompts);

} // namespace Sandpiper

// Proving who we are: agent keys, key files, the server's questions, a password. Runs in the thread of
// a link, after the host key was accepted, and in straight lines: whoever waits is AuthContext.
#pragma once

#include "session/prompt.h"
#include "session/sshagent.h"
#include "session/sshhandles.h"
#include "session/sshlink.h"

#include <functional>
#include <memory>
#include <vector>

namespace Sandpiper {

// What the ladder needs from the thread that it runs in.
class AuthContext
{
public:
    virtual ~AuthContext() = default;
    // Repeats call while it returns `again`, with the network served in between. Fails when the
    // connection or the link ends, and at the deadline of one step.
    [[nodiscard]] virtual Result<int> repeat(const std::function<int()> &call, int again) = 0;
    // Serves the network for up to that long, or until the connection ends (false).
    [[nodiscard]] virtual bool linger(std::chrono::milliseconds duration) = 0;
    // The answer is never null. Fails when the connection or the link ends meanwhile.
    [[nodiscard]] virtual Result<std::shared_ptr<PromptAnswer>> ask(const Prompt &prompt) = 0;
    // Why the connection ended, with the server's own words where it sent some.
    [[nodiscard]] virtual Error lossOfConnection() = 0;
    // A text of the server for the person, tamed.
    virtual void tell(const QString &text) = 0;
    [[nodiscard]] virtual int wakeDescriptor() const = 0;
    [[nodiscard]] virtual bool isCancelled() = 0;
    // What to call from any thread when a key begins to wait for a touch (true), and when that is over
    // (false). Who refuses meanwhile has the signature aborted.
    [[nodiscard]] virtual std::function<void(bool)> touchNotice(const Prompt &prompt) = 0;
    // The bridge that is in use, for whoever wants to abort it; null when it goes.
    virtual void bridgeChanged(AgentBridge *bridge) = 0;
};

// What the server's words of refusal mean, by the phrases that vendors document.
[[nodiscard]] Error refusalFrom(const QString &text);

// Kept over several connections to the same host: a server that allows six attempts is asked again
// for the seventh key, but never twice with the same one.
class SshAuth
{
public:
    explicit SshAuth(const LinkOptions &options);
    ~SshAuth();

    // AuthRejected, KeyNotRegistered, SandboxNotYours, SandboxNotRunning, Cancelled, ConnectionLost …
    [[nodiscard]] Done authenticate(ssh_session session, AuthContext &context);
    // Whether another connection could get further: keys are left that this server has not seen.
    [[nodiscard]] bool hasUntriedKeys() const;

private:
    struct Candidate
    {
        QByteArray blob;         // what is offered; empty where only the passphrase would tell
        QByteArray plain;        // the key itself, where blob is a certificate for it
        AgentKey agentKey;       // who signs, where isInAgent
        QString file;            // of the private half; empty: only the agent has it
        QString certificateFile; // empty: offered as it is
        bool isInAgent = false;
    };
    enum class WhenMissing { Tell, LeaveOut };
    enum class Outcome { Accepted, Partial, Denied };

    [[nodiscard]] Done collectKeys(AuthContext &context);
    [[nodiscard]] Result<QList<AgentKey>> keysOfAgent(AuthContext &context);
    void collectOwn(const QList<AgentKey> &agentKeys);
    void addFile(const QString &file, const QList<AgentKey> &agentKeys, WhenMissing whenMissing);
    void offerCertificates();
    void offerPreferredFirst();
    [[nodiscard]] bool isPreferred(const Candidate &key) const;
    [[nodiscard]] bool isOnlyThePreferred() const;
    [[nodiscard]] Result<Outcome> climb(ssh_session session, AuthContext &context);
    [[nodiscard]] Result<Outcome> tryKeys(ssh_session session, AuthContext &context);
    [[nodiscard]] Result<Outcome> tryAgentKey(const Candidate &key, ssh_session session, AuthContext &context);
    [[nodiscard]] Result<Outcome> tryKeyFile(const Candidate &key, ssh_session session, AuthContext &context);
    // Null where there is no key to be had from it (unreadable, or nobody to ask for the passphrase).
    [[nodiscard]] Result<SshKeyHandle> loadKey(const Candidate &key, AuthContext &context);
    // Whether the server would take it, without a signature.
    [[nodiscard]] Result<Outcome> offerKey(const Candidate &key, ssh_session session, AuthContext &context);
    // Null where nobody was there to give it.
    [[nodiscard]] Result<std::shared_ptr<PromptAnswer>> askPassphrase(const Candidate &key, int attempt, AuthContext &context);
    [[nodiscard]] Result<Outcome> tryInteractive(ssh_session session, AuthContext &context);
    [[nodiscard]] Result<Outcome> answerRound(ssh_session session, AuthContext &context, int attempt, bool &asked, bool &unanswered);
    [[nodiscard]] Result<Outcome> tryPassword(ssh_session session, AuthContext &context);
    [[nodiscard]] Result<Outcome> outcomeOf(Result<int> code, ssh_session session, AuthContext &context);
    [[nodiscard]] Error refusal(ssh_session session) const;
    [[nodiscard]] Error withAdvice(Error error) const;
    [[nodiscard]] Done climbToTheEnd(ssh_session session, AuthContext &context);
    [[nodiscard]] bool allows(const QString &method) const;

    LinkOptions m_options;
    QString m_target; // for prompts
    bool m_collected = false;
    std::vector<Candidate> m_keys;
    size_t m_nextKey = 0;
    int m_keysTried = 0;
    int m_answersTried = 0;
    QStringList m_notes; // why something that could have worked was left out
};

} // namespace Sandpiper

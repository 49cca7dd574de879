// The user's ssh-agent: which keys it has, and one of them at a time for libssh.
#pragma once

#include "session/filedescriptor.h"
#include "session/secret.h"
#include "session/sshconnect.h"

#include <QByteArray>
#include <QList>

#include <functional>
#include <mutex>
#include <thread>

namespace Sandpiper {

// Non-blocking. Not valid: nobody listens there, or no socket can have this name.
[[nodiscard]] FileDescriptor connectToAgent(const QByteArray &socketPath);

struct AgentKey
{
    QByteArray blob; // public key, RFC 4253 section 6.6
    QByteArray comment;

    // Of a certificate: the key that it is for, as a plain public key; of any other key: itself.
    [[nodiscard]] QByteArray plainBlob() const;
    [[nodiscard]] bool isCertificate() const;
    // Held by a security key (FIDO), which signs after a touch.
    [[nodiscard]] bool needsTouch() const;
};

// The keys that the agent at this UNIX socket offers, at most 256. Blocks, until the deadline or until
// cancelled() as in connectTcp(). NotFound: no agent is there; Protocol, Timeout, Cancelled.
[[nodiscard]] Result<QList<AgentKey>> listAgentKeys(const QByteArray &socketPath, Deadline deadline, int wakeDescriptor,
                                                    const std::function<bool()> &cancelled);

// Gives a key to the agent, or takes one back; the request may hold a private key and is wiped. As
// listAgentKeys(); PermissionDenied where the agent says no.
struct AgentConstraints
{
    std::chrono::seconds lifetime{0}; // 0: for ever
    bool asksEachTime = false;        // the agent asks its user before each signature
};
// privateKey: type, numbers and comment, as in OpenSSH's private key format.
[[nodiscard]] Done addToAgent(const QByteArray &socketPath, const Secret &privateKey, const AgentConstraints &constraints,
                              Deadline deadline);
[[nodiscard]] Done removeFromAgent(const QByteArray &socketPath, const QByteArray &blob, Deadline deadline);

// Where agents are known to listen: SSH_AUTH_SOCK first, then those of desktops and password managers
// whose socket is there. None of them is contacted.
struct AgentPlace
{
    QString name; // "GnuPG"
    QString socket;
    bool isFromEnvironment = false;
};
[[nodiscard]] QList<AgentPlace> knownAgents();

// libssh asks an agent for all its keys and offers each of them: more than a server may allow, and
// also those that are not meant for it. This stands between the two, in a thread of its own: it shows
// libssh the one key chosen, and lets only a request to sign with that key through.
// (draft-miller-ssh-agent-17)
class AgentBridge
{
public:
    // onSigning is called in the bridge's thread: true when the agent is asked for a signature, false
    // when that is over. May be null.
    explicit AgentBridge(const QByteArray &socketPath, std::function<void(bool)> onSigning = {});
    ~AgentBridge(); // ends a request that is under way; libssh then sees an agent that went away
    AgentBridge(const AgentBridge &) = delete;
    AgentBridge &operator=(const AgentBridge &) = delete;

    // For ssh_set_agent_socket(), which takes it over. -1: none left, or taken already.
    [[nodiscard]] int takeDescriptor() { return m_forLibrary.release(); }
    // signAs: the key by which the agent knows it, where that is another blob (a certificate that it
    // does not hold).
    void offerOnly(const AgentKey &key, const QByteArray &signAs = {});
    // From any thread: makes a signature that hangs (a token waiting for a touch) fail at once.
    void abort();
    [[nodiscard]] bool wasAborted();

private:
    void run();
    [[nodiscard]] QByteArray answerTo(QByteArray &request);
    [[nodiscard]] QByteArray askAgent(const QByteArray &request);

    QByteArray m_socketPath;
    FileDescriptor m_forLibrary;
    FileDescriptor m_ours;
    FileDescriptor m_stop;    // readable: end
    FileDescriptor m_stopper; // its writing end
    std::function<void(bool)> m_onSigning;
    std::mutex m_mutex; // guards what follows and m_stopper
    AgentKey m_key;
    QByteArray m_signAs;
    std::thread m_thread;
};

} // namespace Sandpiper

// The user's ssh-agent: which keys it has, and one of them at a time for libssh.
#pragma once

#include "session/filedescriptor.h"
#include "session/sshconnect.h"

#include <QByteArray>
#include <QList>

#include <mutex>
#include <thread>

namespace Sandpiper {

struct AgentKey
{
    QByteArray blob; // public key, RFC 4253 section 6.6
    QByteArray comment;
};

// The keys that the agent at this UNIX socket offers, at most 256. Blocks, until the deadline or until
// cancelled() as in connectTcp(). NotFound: no agent is there; Protocol, Timeout, Cancelled.
[[nodiscard]] Result<QList<AgentKey>> listAgentKeys(const QByteArray &socketPath, Deadline deadline, int wakeDescriptor,
                                                    const std::function<bool()> &cancelled);

// libssh asks an agent for all its keys and offers each of them: more than a server may allow, and
// also those that are not meant for it. This stands between the two, in a thread of its own: it shows
// libssh the one key chosen, and lets only a request to sign with that key through.
// (draft-miller-ssh-agent-17)
class AgentBridge
{
public:
    explicit AgentBridge(const QByteArray &socketPath);
    ~AgentBridge(); // ends a request that is under way; libssh then sees an agent that went away
    AgentBridge(const AgentBridge &) = delete;
    AgentBridge &operator=(const AgentBridge &) = delete;

    // For ssh_set_agent_socket(), which takes it over. -1: none left, or taken already.
    [[nodiscard]] int takeDescriptor() { return m_forLibrary.release(); }
    void offerOnly(const AgentKey &key);
    // From any thread: makes a signature that hangs (a token waiting for a touch) fail at once.
    void abort();

private:
    void run();
    [[nodiscard]] QByteArray answerTo(const QByteArray &request);

    QByteArray m_socketPath;
    FileDescriptor m_forLibrary;
    FileDescriptor m_ours;
    FileDescriptor m_stop;    // readable: end
    FileDescriptor m_stopper; // its writing end
    std::mutex m_mutex;       // guards m_key and m_stopper
    AgentKey m_key;
    std::thread m_thread;
};

} // namespace Sandpiper

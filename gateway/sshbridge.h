// One SSH channel of the gateway and the descriptors behind it: a process, or a socket.
#pragma once

#include "gateway/agentclient.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <QByteArray>

#include <poll.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace Sandpiper {

// What a channel of the gateway does, whatever is behind it. Lives on its connection's thread. libssh
// calls back only from within its own calls; everything that closes, frees or opens happens in
// step(), outside of them.
class SshChannelWork
{
public:
    // Full: libssh still holds bytes the network has not taken, so nothing more is read for it.
    enum class SessionRoom { Free, Full };

    SshChannelWork() = default;
    virtual ~SshChannelWork() = default;
    SshChannelWork(const SshChannelWork &) = delete;
    SshChannelWork &operator=(const SshChannelWork &) = delete;

    [[nodiscard]] virtual ssh_channel channel() const = 0;
    // A request of the client for this channel (RFC 4254 section 6); false: refused.
    [[nodiscard]] virtual bool request(ssh_message message) = 0;
    // Adds what it waits for.
    virtual void addPolls(std::vector<pollfd> &polls, SessionRoom room) const = 0;
    // Moves what can be moved now.
    virtual void step(SessionRoom room) = 0;
    [[nodiscard]] virtual bool isDone() const = 0;
    // With agent forwarding: a program inside has connected; a channel to the client's agent is due.
    [[nodiscard]] virtual std::vector<Fd> takeAgentConnections() { return {}; }
    // The session is about to end and frees its channels itself. Closing this one before the
    // disconnect would make a client leave before it has read why.
    virtual void abandonChannel() = 0;
};

// A pty-req or window-change in our words.
struct TerminalRequest
{
    QByteArray term;
    TerminalSize size;
};
[[nodiscard]] TerminalRequest terminalRequest(ssh_message message);

class SshBridge : public SshChannelWork
{
public:
    // Takes the channel over. spawn is asked when the client has said what to run.
    using Spawn = std::function<Result<SandboxProcess>(const SpawnSpec &)>;
    SshBridge(ssh_channel channel, Spawn spawn);
    // A channel that carries one connected, non-blocking socket.
    SshBridge(ssh_channel channel, Fd socket);
    ~SshBridge() override;

    [[nodiscard]] ssh_channel channel() const override { return m_channel; }
    [[nodiscard]] bool request(ssh_message message) override;
    void addPolls(std::vector<pollfd> &polls, SessionRoom room) const override;
    void step(SessionRoom room) override;
    [[nodiscard]] bool isDone() const override { return m_done; }
    [[nodiscard]] std::vector<Fd> takeAgentConnections() override;
    void abandonChannel() override;

private:
    void setCallbacks();
    int takeData(const void *data, uint32_t size);
    bool setEnvironment(const QByteArray &name, const QByteArray &value);
    bool startProcess(SpawnSpec spec);
    void flushOut();
    void closeOutWhenDrained();
    void readInto(Fd &from, SessionRoom room, bool isError);
    void acceptAgentConnections();
    void finishWhenOver();
    [[nodiscard]] int outFd() const;
    [[nodiscard]] bool readable(const Fd &from, SessionRoom room) const;

    ssh_channel m_channel;
    ssh_channel_callbacks_struct m_callbacks = {};
    Spawn m_spawn;
    SpawnSpec m_spec;
    qsizetype m_environmentBytes = 0;
    std::optional<SandboxProcess> m_process;
    Fd m_socket;
    std::optional<ProcessEnd> m_end;
    std::vector<Fd> m_agentConnections;
    QByteArray m_toOut;
    bool m_clientEof = false;
    bool m_clientClosed = false;
    bool m_outClosed = false;
    bool m_inEnded = false;
    bool m_errorEnded = true; // false while there is an error stream
    bool m_inBlocked = false; // the last read found nothing
    bool m_eofSent = false;
    bool m_done = false;
};

} // namespace Sandpiper

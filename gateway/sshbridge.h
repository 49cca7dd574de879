// One SSH channel of the gateway and the descriptors behind it: a process, or a socket.
#pragma once

#include "gateway/agentclient.h"
#include "sshserver/sshchannelwork.h"

#include <QByteArray>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace Sandpiper {

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

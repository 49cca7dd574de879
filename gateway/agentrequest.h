// One request to the init process of a sandbox, and its answer. Any thread; blocks until the
// deadline at most.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/sandboxinit/wire.h"

#include <vector>

namespace Sandpiper {

struct AgentReply
{
    std::string fields; // after the status
    std::vector<Fd> descriptors;
    Fd connection; // stays a process's control channel after a Spawn
};

// A bad status comes back as an Error of Layer::SandboxState, or Layer::Tcp and Layer::Dns for dials.
[[nodiscard]] Result<AgentReply> askAgent(const QString &socketPath, const Wire::Writer &body,
                                          std::chrono::milliseconds deadline);

[[nodiscard]] Wire::Writer agentBody(Wire::Operation operation);
// Freeze and Thaw: operations without fields and without an answer but "done".
[[nodiscard]] Done tellAgent(const QString &socketPath, Wire::Operation operation,
                             std::chrono::milliseconds deadline);

struct AgentState
{
    bool hasDefaultRoute = false;
    std::chrono::seconds idle{0};
};
[[nodiscard]] Result<AgentState> informFromAgent(const QString &socketPath,
                                                 std::chrono::milliseconds deadline);

// A listening SOCK_SEQPACKET socket at that path, 0600, close-on-exec; what was there before goes.
[[nodiscard]] Result<Fd> listenForAgent(const QString &socketPath);

} // namespace Sandpiper

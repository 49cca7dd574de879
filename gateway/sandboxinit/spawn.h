// Starts one process in a session of its own.
#pragma once

#include "gateway/sandboxinit/descriptor.h"
#include "gateway/sandboxinit/wire.h"

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace Sandpiper {

struct SpawnRequest
{
    std::uint32_t flags = 0;
    std::uint32_t columns = 80, rows = 24;
    std::string shellCommand;
    std::string workingDirectory;
    std::vector<std::string> argv;
    std::vector<std::string> environment; // NAME=value, added to this process's own

    // False: the bytes are not such a request, or name what no process can be given.
    [[nodiscard]] static bool read(Wire::Reader &reader, SpawnRequest &request);
};

struct Spawned
{
    pid_t pid = -1;
    // Empty once exec has succeeded; an errno and a step before it where something failed.
    Descriptor report;
    std::vector<Descriptor> forGateway; // in the order of the reply
    Descriptor terminal;                // a copy of the master, for resizing
    std::string agentFolder;            // to be removed at the end
};

struct SpawnFailure
{
    int number = 0; // errno
    std::string step;
};

struct SpawnPlace
{
    std::string workspace;
    rlimit openFiles = {}; // as it was before the init process raised its own
};

// False, and failure filled, where not even a process could be made.
[[nodiscard]] bool spawn(const SpawnRequest &request, const SpawnPlace &place, Spawned &spawned,
                         SpawnFailure &failure);
// What the report of a child says; nothing yet, or an empty step where it runs.
[[nodiscard]] std::optional<SpawnFailure> readReport(int report);
void removeAgentFolder(const std::string &folder);
bool resizeTerminal(int master, std::uint32_t columns, std::uint32_t rows);

} // namespace Sandpiper

// What the kernel says about this network namespace and this machine's memory.
#pragma once

namespace Sandpiper {

[[nodiscard]] bool hasDefaultRoute();
[[nodiscard]] bool hasEstablishedConnection();
// Kills for want of memory since the machine started.
[[nodiscard]] unsigned long long oomKillsSoFar();

} // namespace Sandpiper

// Gives a sandbox's network namespace to pasta.
#pragma once

#include <sys/types.h>

namespace Sandpiper {

// Becomes the program of argv (pasta), with --userns and --netns of that sandbox added. Returns
// only where that fails, with the status to exit with.
//
// The network namespace belongs to the user namespace that bubblewrap made first; the sandbox's
// processes sit in a second one below it, from which nobody may configure that network. The first one
// has no process of its own, so a child of ours enters both and lends its /proc entry; the entry of
// the sandbox's own first process is closed to ordinary users. The child also sees the sandbox end.
[[nodiscard]] int attachNetwork(pid_t sandbox, char **argv);

} // namespace Sandpiper

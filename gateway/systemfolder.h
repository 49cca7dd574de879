// The parts of a sandbox's system that are ours: /etc and the sudo that says what to do instead.
#pragma once

#include "gateway/bubblewrap.h"
#include "session/error.h"

namespace Sandpiper {

// Address of the name server inside, which pasta answers on behalf of this computer's own.
inline constexpr char16_t insideNameServer[] = u"169.254.1.1";

// Writes folder/etc, with empty places for what the layout takes from the host, and folder/sudo.
// Call it while no sandbox of this folder runs. Blocks for some milliseconds.
[[nodiscard]] Done writeSystemFolder(const QString &folder, const HostLayout &layout);

} // namespace Sandpiper

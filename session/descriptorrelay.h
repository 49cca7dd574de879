// Bytes between standard input and output and one connection, as a ProxyCommand carries them. Blocks;
// for a thread of its own.
#pragma once

#include "session/error.h"

namespace Sandpiper {

// All borrowed, none is closed. input and output may be pipes, sockets, terminals or files, in whatever
// mode: their flags are left alone, because other programs share them. connection is a non-blocking
// stream socket.
struct RelayEnds
{
    int input = 0;
    int output = 1;
    int connection = -1;
    int wake = -1; // readable: stop at once, with Cancelled
};

// Until the connection's other end has closed and what it sent is written, or nobody reads output any
// more. The end of input closes the sending half of the connection; the other half goes on. Holds at most
// 64 KiB for each direction: whoever is slow makes the other side wait. Pipes are spliced. SIGPIPE must
// be ignored by the process.
// ConnectionLost, Io, Cancelled.
[[nodiscard]] Done relayDescriptors(const RelayEnds &ends);

} // namespace Sandpiper

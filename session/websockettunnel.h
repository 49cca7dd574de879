// One stream of bytes in the binary frames of a WebSocket.
#pragma once

#include "session/transportopening.h"

namespace Sandpiper {

// Blocks until it is open; for the thread of a link. The WebSocket lives in the I/O thread. Binary frames
// of at most 32 KiB, none empty; a text frame is a breach of protocol; the closes 1000, 1005 and 1006
// are the end of the stream. Errors as WebSocketEnd has them, and Timeout, Cancelled.
[[nodiscard]] Result<OpenTransport> openWebSocketTunnel(const WebSocketRequest &request, const Waiting &waiting);

} // namespace Sandpiper

// TCP connections through a proxy: SOCKS5 (RFC 1928, 1929) and HTTP CONNECT. Blocks; for the thread of a
// link. Not a byte beyond the proxy's answer is read.
#pragma once

#include "session/sshconnect.h"
#include "session/transport.h"

namespace Sandpiper {

// target.host goes to the proxy as a name; it is never looked up here. Errors of connectTcp() are about
// the proxy; AuthRejected, PermissionDenied, HostUnreachable … are what it says of the target.
[[nodiscard]] Result<FileDescriptor> connectThrough(const ProxySetting &proxy, const TcpTarget &target, const Waiting &waiting);

} // namespace Sandpiper

// A TCP connection for SSH: name lookup in a thread of its own, every address tried, one deadline.
// Blocks; for the thread of a link.
#pragma once

#include "session/error.h"
#include "session/filedescriptor.h"
#include "session/sshhostconfig.h"

#include <QByteArray>

#include <chrono>
#include <functional>

namespace Sandpiper {

using Deadline = std::chrono::steady_clock::time_point;

// What is left until the deadline, in milliseconds for poll(): 0 when it has passed.
[[nodiscard]] int millisecondsUntil(Deadline deadline);

// How long a step may wait. wakeDescriptor becomes readable when cancelled() may have a new answer.
struct Waiting
{
    Deadline deadline;
    int wakeDescriptor = -1;
    std::function<bool()> cancelled;
};

struct TcpTarget
{
    QByteArray host; // as hostForLookup() gives it
    quint16 port = 22;
    std::chrono::milliseconds ackTimeout{45000}; // TCP_USER_TIMEOUT: sent and not acknowledged; 0: the system's
    SshAddressFamily family = SshAddressFamily::Any;
    QByteArray bindAddress; // an address of this computer, no name; empty: any
};

// A host name or address in the form that resolvers and known_hosts take (international names as
// ASCII, no brackets). InvalidInput where it can be neither.
[[nodiscard]] Result<QByteArray> hostForLookup(const QString &host);

// The socket is non-blocking and without Nagle's delay. HostNotFound, ConnectionRefused,
// HostUnreachable, Timeout, Cancelled, InvalidInput (the bind address), Io.
[[nodiscard]] Result<FileDescriptor> connectTcp(const TcpTarget &target, const Waiting &waiting);

} // namespace Sandpiper

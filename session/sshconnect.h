// A TCP connection for SSH: name lookup in a thread of its own, every address tried, one deadline.
// Blocks; for the thread of a link.
#pragma once

#include "session/error.h"
#include "session/filedescriptor.h"

#include <QByteArray>

#include <chrono>
#include <functional>

namespace Sandpiper {

using Deadline = std::chrono::steady_clock::time_point;

// What is left until the deadline, in milliseconds for poll(): 0 when it has passed.
[[nodiscard]] int millisecondsUntil(Deadline deadline);

struct TcpTarget
{
    QByteArray host; // as hostForLookup() gives it
    quint16 port = 22;
    std::chrono::milliseconds ackTimeout{45000}; // TCP_USER_TIMEOUT: sent and not acknowledged
};

// A host name or address in the form that resolvers and known_hosts take (international names as
// ASCII, no brackets). InvalidInput where it can be neither.
[[nodiscard]] Result<QByteArray> hostForLookup(const QString &host);

// wakeDescriptor becomes readable when cancelled() may have a new answer. The socket is non-blocking
// and without Nagle's delay. HostNotFound, ConnectionRefused, HostUnreachable, Timeout, Cancelled, Io.
[[nodiscard]] Result<FileDescriptor> connectTcp(const TcpTarget &target, Deadline deadline, int wakeDescriptor,
                                                const std::function<bool()> &cancelled);

} // namespace Sandpiper

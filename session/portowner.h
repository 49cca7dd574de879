// Who listens at a TCP port of this computer, and which one is free. Linux: /proc/net/tcp and /proc/PID/fd. Any
// thread; reads a few files for each process of this user.
#pragma once

#include <QString>

#include <optional>

namespace Sandpiper {

struct PortOwner
{
    qint64 process = 0; // 0: of another user, whose processes cannot be looked into
    QString program;    // tamed; empty with process 0
    friend bool operator==(const PortOwner &, const PortOwner &) = default;
};

// Nothing: nobody listens there, on any address. root: "/", or where a test has its own files.
[[nodiscard]] std::optional<PortOwner> portOwner(quint16 port, const QString &root = QStringLiteral("/"));
// The first port from this one on, or else from 1024 on, that nobody listens at. 0: there is none.
[[nodiscard]] quint16 freePortFrom(quint16 port, const QString &root = QStringLiteral("/"));

} // namespace Sandpiper

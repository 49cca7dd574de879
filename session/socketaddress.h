// What bind(), connect() and accept() take, of any family. Plain values; any thread.
#pragma once

#include <QByteArray>
#include <QHostAddress>

#include <cstring>
#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace Sandpiper {

struct SocketAddress
{
    sockaddr_storage storage = {};
    socklen_t size = sizeof storage;

    [[nodiscard]] const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage); }
    [[nodiscard]] sockaddr *get() { return reinterpret_cast<sockaddr *>(&storage); }
    // Of an internet address; both families have it in the same place.
    [[nodiscard]] quint16 port() const { return ntohs(reinterpret_cast<const sockaddr_in *>(&storage)->sin_port); }
};

// Nothing: host is no address.
[[nodiscard]] inline std::optional<SocketAddress> socketAddress(const QHostAddress &host, quint16 port)
{
    SocketAddress address;
    if (host.protocol() == QAbstractSocket::IPv4Protocol) {
        auto *v4 = reinterpret_cast<sockaddr_in *>(&address.storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        v4->sin_addr.s_addr = htonl(host.toIPv4Address());
        address.size = sizeof *v4;
    } else if (host.protocol() == QAbstractSocket::IPv6Protocol) {
        auto *v6 = reinterpret_cast<sockaddr_in6 *>(&address.storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        const Q_IPV6ADDR bytes = host.toIPv6Address();
        std::memcpy(&v6->sin6_addr, &bytes, sizeof bytes);
        v6->sin6_scope_id = host.scopeId().toUInt();
        address.size = sizeof *v6;
    } else {
        return std::nullopt;
    }
    return address;
}

// Of a UNIX socket. Nothing: its path is empty, too long for the kernel, or holds a NUL.
[[nodiscard]] inline std::optional<SocketAddress> socketAddress(const QByteArray &path)
{
    SocketAddress address;
    auto *local = reinterpret_cast<sockaddr_un *>(&address.storage);
    if (path.isEmpty() || path.size() >= qsizetype(sizeof local->sun_path) || path.contains('\0'))
        return std::nullopt;
    local->sun_family = AF_UNIX;
    std::memcpy(local->sun_path, path.constData(), size_t(path.size()));
    address.size = sizeof *local;
    return address;
}

} // namespace Sandpiper

// The lines of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Pure; any thread.
#pragma once

#include "session/hostkey.h"

#include <QByteArray>
#include <QList>

#include <functional>
#include <optional>

namespace Sandpiper {

enum class KnownHostMarker { None, Revoked, CertificateAuthority };

struct KnownHostLine
{
    KnownHostMarker marker = KnownHostMarker::None;
    QByteArrayView whole; // like hosts, part of the content that was read
    QByteArrayView hosts;
    HostKey key;
    qsizetype number = 0; // from 1
};

// Nothing for a comment, an empty line, and what is no entry.
[[nodiscard]] std::optional<KnownHostLine> parseKnownHostLine(QByteArrayView text);
// In order, without comments and garbage. Returns how many lines were garbage.
qsizetype forEachKnownHost(const QByteArray &content, const std::function<void(const KnownHostLine &)> &visit);

// name: as knownHostName() makes it. Patterns, negation and hashed names are understood.
[[nodiscard]] bool matchesKnownHosts(const QByteArray &name, QByteArrayView hosts);
[[nodiscard]] inline bool isHashedName(QByteArrayView hosts) { return hosts.startsWith("|1|"); }
// "|1|salt|hash"; empty where OpenSSL has no random numbers.
[[nodiscard]] QByteArray hashedKnownHost(const QByteArray &name);
// What stands in the file for a host: "host", "[host]:port" where the port is not 22.
[[nodiscard]] QByteArray knownHostName(const QString &host, quint16 port);

} // namespace Sandpiper

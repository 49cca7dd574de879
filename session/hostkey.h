// A host's public key, and how people compare it. Pure; any thread.
#pragma once

#include <QByteArray>
#include <QString>

#include <optional>

namespace Sandpiper {

struct HostKey
{
    QByteArray type; // "ssh-ed25519", as the key itself says
    QByteArray blob; // RFC 4253 section 6.6

    friend bool operator==(const HostKey &, const HostKey &) = default;
};

// The type is read from the blob, never from what stands beside it. Nothing where it is no key.
[[nodiscard]] std::optional<HostKey> hostKeyFromBlob(const QByteArray &blob);
// The first word of a line, taken off it; empty at its end.
QByteArrayView takeWord(QByteArrayView &rest);
// "ssh-ed25519 AAAA… comment"
[[nodiscard]] std::optional<HostKey> hostKeyFromLine(QByteArrayView line);
// "SHA256:…", as ssh-keygen -l shows it.
[[nodiscard]] QString fingerprintOf(const HostKey &key);
// "ED25519", as ssh-keygen -l names it; the key's own word where that has no shorter one.
[[nodiscard]] QString shortTypeOf(const HostKey &key);
// 0 where the size is not known.
[[nodiscard]] int bitsOf(const HostKey &key);
// Eleven lines of 19 characters, the same drawing as that of ssh-keygen -lv; no newline at the end.
[[nodiscard]] QString randomartOf(const HostKey &key);

} // namespace Sandpiper

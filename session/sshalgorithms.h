// Lists of algorithms as an ssh_config writes them. Pure; any thread.
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

namespace Sandpiper {

// What comes of a list, or of a change to the default one: "+" adds behind, "^" in front, "-" takes
// away; names may be patterns. Only what is in `possible` stays, each name once. Empty text: the default.
[[nodiscard]] QByteArray assembledAlgorithms(const QString &text, const QByteArray &defaults, const QByteArray &possible);

// What we ask for unless told otherwise, and all that the library can do. Host keys: no certificates,
// because asking for them makes ssh_connect() fail.
enum class AlgorithmList { Ciphers, KeyExchange, Macs, HostKeys, PublicKeys };
[[nodiscard]] QByteArray usualAlgorithms(AlgorithmList list);
[[nodiscard]] QByteArray possibleAlgorithms(AlgorithmList list);

// What Terrapin (CVE-2023-48795) breaks where strict key exchange was not agreed on.
[[nodiscard]] bool needsStrictKex(const QByteArray &cipher, const QByteArray &mac);

// The same algorithms with those for these types of host key in front, so that a server with several
// keys shows the one that can be compared.
[[nodiscard]] QByteArray withTypesFirst(const QByteArray &hostKeyAlgorithms, const QList<QByteArray> &types);

} // namespace Sandpiper

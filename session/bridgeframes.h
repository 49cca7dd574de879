// What a bridge and its relay in the sandbox (session/bridge/) say to each other: frames of a letter, a number and a
// payload, over one pair of pipes. Pure; any thread.
//
//   to the relay          to us
//   O n place  connect    R            it is there
//   L n place  listen     K n [port]   connected, or listens
//   U n        no more    F n why      neither: a letter (BridgeFailure) and words
//                         A n listener a connection came: n is the relay's, from 0x80000000 on
//   D n bytes, E n (its half ends), C n (reset), W n count (so much was used up): both ways
//
// Of each connection at most kMostWaitingFar bytes are on the way in each direction.
#pragma once

#include "session/forwardspec.h"

#include <QByteArray>

#include <optional>

namespace Sandpiper {

struct BridgeFrame
{
    char letter = 0;
    quint32 number = 0;
    QByteArray payload;
};

inline constexpr quint32 kFirstOfRelay = 0x80000000;

[[nodiscard]] QByteArray bridgeFrame(char letter, quint32 number, QByteArrayView payload = {});
// "O" and "L": a port at an address, or a path.
[[nodiscard]] QByteArray bridgePlace(const ForwardSpec::End &end);
[[nodiscard]] QByteArray bridgeCount(quint32 count);
// Of "W" and "A"; nothing: it is not four bytes.
[[nodiscard]] std::optional<quint32> bridgeCountIn(const QByteArray &payload);
// Of "F". there: what could not be reached or listened at, for the words.
[[nodiscard]] Error bridgeFailure(const QByteArray &payload, const QString &there);

// Takes the relay's bytes apart. What it may not send is a failure, and the parser of no further use.
class BridgeParser
{
public:
    void take(QByteArrayView bytes) { m_bytes.append(bytes); }
    // Nothing: more must come. Protocol: an unknown letter, or a payload that is too long.
    [[nodiscard]] Result<std::optional<BridgeFrame>> next();

private:
    QByteArray m_bytes;
    qsizetype m_at = 0; // understood so far
};

// The first line of the shell there, with what it has to make a relay of.
class BridgeGreeting
{
public:
    enum class State { Reading, There, Refused };
    // Skips what a start file prints before it, within bounds.
    State take(QByteArrayView bytes);
    [[nodiscard]] const QList<QByteArray> &tools() const { return m_tools; }
    // There: what came behind it.
    [[nodiscard]] QByteArray rest() const { return m_bytes; }

private:
    QByteArray m_bytes;
    QList<QByteArray> m_tools;
    qsizetype m_skipped = 0;
};

} // namespace Sandpiper

// One look at the TCP ports that are listened at in a machine: the command for its shell, and what its answer says.
// Linux there: /proc/net/tcp, /proc/net/tcp6, and /proc/PID/fd for the names. Pure; any thread.
#pragma once

#include <QByteArrayView>
#include <QList>
#include <QSet>
#include <QStringList>

#include <optional>

namespace Sandpiper {

struct ListeningPort
{
    quint16 port = 0;
    QString host;       // to be dialled there: "localhost", or the one address that it is bound to
    QString process;    // tamed; empty: of another user, or not looked up
    quint64 socket = 0; // its inode
    qint64 user = -1;   // whose socket it is, by number; below 0: not said

    friend bool operator==(const ListeningPort &, const ListeningPort &) = default;
};

struct PortLook
{
    qint64 user = -1;           // who has looked
    quint16 firstFleeting = 32768; // ports that the kernel there gives out by itself
    quint16 lastFleeting = 60999;
    QList<ListeningPort> ports; // by number, each once

    [[nodiscard]] bool isFleeting(quint16 port) const { return port >= firstFleeting && port <= lastFleeting; }
};

inline constexpr qsizetype kMostOfAPortLook = 64 << 10; // no more of its output is of use

// known: the sockets whose processes are not asked for again; asking means a walk through all processes there.
[[nodiscard]] QStringList portLookCommand(const QSet<quint64> &known);
// None: this is not the whole answer of that command; a forced command, say, or no Linux. A line that makes no sense
// is left out.
[[nodiscard]] std::optional<PortLook> readPortLook(QByteArrayView output);

} // namespace Sandpiper

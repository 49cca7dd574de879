// What goes through a forward. Plain values; any thread.
#pragma once

#include <QDateTime>
#include <QList>
#include <QMetaType>
#include <QString>

namespace Sandpiper {

// One connection that is open now.
struct ForwardConnection
{
    quint64 id = 0; // of its forward's; counts from 1
    QString from;   // who connected: "127.0.0.1:51234"; tamed
    QString to;     // where it leads: "db:5432", "/run/x.sock"; tamed
    qint64 sent = 0;     // bytes from this computer to the other
    qint64 received = 0; // bytes from there
    QDateTime since;     // UTC
    QDateTime movedAt;   // when something was last seen to pass, to the second; since where nothing has

    friend bool operator==(const ForwardConnection &, const ForwardConnection &) = default;

    // Takes in how much it has carried by now.
    void update(qint64 nowSent, qint64 nowReceived, const QDateTime &now)
    {
        if (nowSent != sent || nowReceived != received)
            movedAt = now;
        sent = nowSent;
        received = nowReceived;
    }
};

struct ForwardTraffic
{
    qint64 sent = 0;        // bytes, of all connections that there ever were
    qint64 received = 0;
    qint64 connections = 0; // that there ever were
    QList<ForwardConnection> open;

    friend bool operator==(const ForwardTraffic &, const ForwardTraffic &) = default;
};

} // namespace Sandpiper

Q_DECLARE_METATYPE(Sandpiper::ForwardTraffic)

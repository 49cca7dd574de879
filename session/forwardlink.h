// What carries forwards to one sandbox: an SSH connection, or whatever else leads there. GUI thread.
#pragma once

#include "session/forwardspec.h"
#include "session/forwardtraffic.h"

#include <QObject>

namespace Sandpiper {

// connectToHost() → ready() → closed(). Forwards may be added before ready(); they wait for it.
class ForwardLink : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    virtual void connectToHost() = 0; // once
    virtual void close() = 0;
    // There is reason to doubt that the other end can still be reached: it is found out within seconds. Ready only.
    virtual void probe() = 0;
    [[nodiscard]] virtual bool isReady() const = 0;
    // Until stopForward() or until it closes: forwardChanged() says how it stands, never from inside the call.
    [[nodiscard]] virtual int addForward(const ForwardSpec &spec) = 0; // its id
    // Closes its listener and its connections.
    virtual void stopForward(int id) = 0;
    // In each direction, all of its connections together, from now on. 0: as fast as it goes.
    virtual void limitForward(int id, qint64 bytesPerSecond) = 0;
    // One that trafficChanged() has told of; where it is over, nothing happens.
    virtual void closeConnection(int id, quint64 connection) = 0;

signals:
    void ready(); // once
    void forwardChanged(const Sandpiper::ForwardReport &report);
    // At most once a second for each forward, while something comes, goes or passes; and when it ends.
    void trafficChanged(int id, const Sandpiper::ForwardTraffic &traffic);
    void bannerReceived(const QString &text); // for people; tamed
    // Exactly once after connectToHost(), and nothing follows. Cancelled: we closed it.
    void closed(const Sandpiper::Error &error);
};

} // namespace Sandpiper

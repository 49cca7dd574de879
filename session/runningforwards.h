// Which port forwards of this user run, in whatever process: each process that has some tells of them at a socket
// in a folder that only its user can open, and can be asked there to stop them.
#pragma once

#include "session/forwardspec.h"
#include "session/forwardtraffic.h"

#include <QFuture>
#include <QJsonObject>
#include <QList>
#include <QObject>

#include <functional>
#include <memory>

class QLocalServer;
class QLocalSocket;

namespace Sandpiper {

struct RunningForward
{
    QString forward; // "-L 8080:db:5432"
    QString at;      // where it listens; empty: it does not now
    QString state;   // "listening", "waiting", "failed"
    QString error;   // failed: why
    qint64 connections = 0; // that are open
    qint64 sent = 0;        // bytes from this computer, since it was switched on
    qint64 received = 0;    // and to it
    friend bool operator==(const RunningForward &, const RunningForward &) = default;
};

// The forwards of one wish to one machine.
struct RunningForwards
{
    QString name;    // that people call them by
    QString target;  // the machine
    qint64 process = 0;
    QString state; // "open", "waiting", "opening", "failed"
    QList<RunningForward> forwards;
    QString socket; // where they can be asked; not sent
    friend bool operator==(const RunningForwards &, const RunningForwards &) = default;
};

// Tells of one such set while it lives. GUI thread.
class ForwardsTeller : public QObject
{
    Q_OBJECT
public:
    // look is asked each time somebody wants to know. folder: 0700, of this user.
    ForwardsTeller(const QString &folder, std::function<RunningForwards()> look, QObject *parent = nullptr);
    ~ForwardsTeller() override;
    [[nodiscard]] bool isListening() const;

signals:
    void stopWished();

private:
    void greet();
    void answer(QLocalSocket *socket);

    std::function<RunningForwards()> m_look;
    std::unique_ptr<QLocalServer> m_server;
};

// As it goes over the socket and as `forwards ls --json` has it; at and error are null where they are empty.
[[nodiscard]] QJsonObject toJson(const RunningForwards &forwards);
// The folder of these sockets, made where it is missing; empty: it cannot be.
[[nodiscard]] QString runningForwardsFolder();
// How one forward stands, for RunningForwards.
[[nodiscard]] RunningForward runningForward(const ForwardSpec &spec, const ForwardStatus &status, const ForwardTraffic &traffic);
// All that answer within two seconds, by name. What nobody serves any more is removed. On the caller's thread.
[[nodiscard]] QFuture<QList<RunningForwards>> findRunningForwards(const QString &folder);
// NotFound: they have ended by themselves. Done when they have said that they stop.
[[nodiscard]] QFuture<Done> stopRunningForwards(const RunningForwards &forwards);

} // namespace Sandpiper

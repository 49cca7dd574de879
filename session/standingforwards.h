// Forwards to one machine as a standing wish: over a link of their own, made again on each new one after a loss,
// at the same port here. GUI thread.
#pragma once

#include "session/comeback.h"
#include "session/forwardlink.h"
#include "session/networkwatch.h"
#include "session/provider.h"

#include <QDateTime>
#include <QFuture>
#include <QHash>
#include <QPointer>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace Sandpiper {

class StandingForwards : public QObject
{
    Q_OBJECT
public:
    enum class State {
        Idle,      // open() has not been called
        Opening,   // first time, or coming back
        Open,      // the link is there; how each forward stands is said apart
        Waiting,   // lost; the next try is at Status::retryAt
        Suspended, // the sandbox sleeps, and is not woken: that costs
        Gone,      // the sandbox is not there any more
        Failed,    // cannot work without the user: refused key, wrong credentials
        Stopped,   // by close(), or the user said no
    };
    struct Status
    {
        State state = State::Idle;
        Error error;       // Waiting, Suspended, Gone, Failed: why
        QDateTime retryAt; // Waiting
    };
    // Everything from outside, so that tests bring their own; as StandingShell::Services.
    struct Services
    {
        QPointer<SandboxProvider> provider;
        std::optional<Sandbox> plainHost; // a machine of no vendor
        QPointer<NetworkWatch> network;   // may be null
        std::function<Result<std::unique_ptr<ForwardLink>>(const Sandbox &)> makeLink; // or why nothing leads there
        std::function<double()> random;
        std::function<std::function<void()>(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)> after;
    };

    StandingForwards(const SandboxId &sandbox, const QList<ForwardSpec> &wishes, Services services, QObject *parent = nullptr);
    ~StandingForwards() override;

    [[nodiscard]] const Status &status() const { return m_status; }
    // Of each wish, by its place in the list. Waiting while there is no link.
    [[nodiscard]] ForwardStatus forward(qsizetype index) const { return m_wishes.at(index).status; }
    [[nodiscard]] bool hasEverListened() const; // any of them
    // Of all links that it had. Its connections are those of this one, with ids of this one.
    [[nodiscard]] ForwardTraffic traffic(qsizetype index) const;
    // Another wish, at once where the link is there; the others do not notice. Returns its place in the list.
    qsizetype add(const ForwardSpec &spec, qint64 bytesPerSecond = 0); // as limit()
    // In each direction; 0: as fast as it goes. Its connections stay.
    void limit(qsizetype index, qint64 bytesPerSecond);
    void closeConnection(qsizetype index, quint64 connection);
    // Stops it for good, and its connections; the others keep theirs, and their places.
    void remove(qsizetype index);
    void open();
    void retryNow(); // Waiting, Suspended, Failed
    // Over a new link: for who has changed what the last one was refused for. Connections end.
    void startOver() { begin(); }
    void close();

signals:
    void statusChanged(const Sandpiper::StandingForwards::Status &status);
    void forwardChanged(qsizetype index, const Sandpiper::ForwardStatus &status);
    void trafficChanged(qsizetype index);
    // A connection through it could not be made; said once for the same reason.
    void connectionFailed(qsizetype index, const Sandpiper::Error &error);
    void noticeReceived(const QString &text); // a banner of the server

private:
    struct Wish
    {
        ForwardSpec spec; // of the listener here: with the port that it once had
        ForwardStatus status;
        bool hasListened = false; // so it can: where it cannot any more, it is tried again
        int tries = 0;
        bool isRemoved = false;
        qint64 bytesPerSecond = 0;
        ForwardTraffic past; // of links that are gone; no connections
        ForwardTraffic now;
    };
    void begin();
    void found(const Result<Sandbox> &result);
    void follow(const Decision &decision);
    void connectLink();
    void linkReady();
    void linkClosed(const Error &error);
    void forwardNews(const ForwardReport &report);
    void trafficNews(int id, const ForwardTraffic &traffic);
    void closeBooks();
    void tryAgain(qsizetype index);
    void arm(qsizetype index);
    void wait(const Error &error);
    void setStatus(State state, const Error &error = {});
    void setForward(qsizetype index, const ForwardStatus &status);
    void interrupt();
    void dropLink();
    void later(std::chrono::milliseconds delay, void (StandingForwards::*step)());
    void settled() { m_attempt = 0; }
    [[nodiscard]] double chance() const { return m_services.random ? m_services.random() : 0.5; }

    SandboxId m_id;
    Services m_services;
    Sandbox m_sandbox; // as it was last found
    Status m_status;
    QList<Wish> m_wishes;
    std::unique_ptr<ForwardLink> m_link;
    QHash<int, qsizetype> m_ids; // of the link's forwards
    bool m_wasReady = false;
    int m_attempt = 0;
    quint64 m_turn = 0; // what was begun in an earlier one is not heard any more
    std::function<void()> m_cancelTimer;
};

} // namespace Sandpiper

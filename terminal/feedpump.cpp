#include "terminal/feedpump.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QPointer>

#include <algorithm>

namespace Sandpiper {

FeedPump &FeedPump::shared()
{
    static QPointer<FeedPump> pump;
    if (!pump)
        pump = new FeedPump(QCoreApplication::instance());
    return *pump;
}

FeedPump::FeedPump(QObject *parent)
    : QObject(parent)
{
    // After a full turn a timer, not another posted event: Qt delivers posted events to the last one
    // before it looks at keys and at the screen again.
    m_again.setSingleShot(true);
    m_again.setInterval(0);
    connect(&m_again, &QTimer::timeout, this, &FeedPump::turn);
}

void FeedPump::add(Client *client)
{
    m_clients.push_back(client);
}

void FeedPump::remove(Client *client)
{
    const auto at = std::ranges::find(m_clients, client);
    if (at == m_clients.end())
        return;
    *at = nullptr;
    if (!m_turning)
        std::erase(m_clients, nullptr);
}

void FeedPump::wake()
{
    if (m_turning || m_scheduled || m_again.isActive())
        return;
    m_scheduled = true;
    // The first turn comes at once: it may be the echo of a key.
    QMetaObject::invokeMethod(this, &FeedPump::turn, Qt::QueuedConnection);
}

void FeedPump::turn()
{
    m_scheduled = false;
    if (m_turning) // a client runs an event loop of its own, which none should
        return;
    m_turning = true;
    const QPointer<FeedPump> self(this);
    QElapsedTimer clock;
    clock.start();
    const qint64 limit = std::chrono::nanoseconds(turnTime).count();
    bool any = true;
    while (any && clock.nsecsElapsed() < limit) {
        any = false;
        for (std::size_t i = 0; i < m_clients.size() && clock.nsecsElapsed() < limit; ++i) {
            m_next = m_next + 1 < m_clients.size() ? m_next + 1 : 0;
            Client *client = m_clients[m_next];
            if (!client || !client->hasWork())
                continue;
            any = true;
            client->takeSlice(client->isInFront() ? frontSlice : backSlice);
            if (!self)
                return;
        }
    }
    m_turning = false;
    std::erase(m_clients, nullptr);
    if (std::ranges::any_of(m_clients, &Client::hasWork))
        m_again.start();
}

} // namespace Sandpiper

// Bulk makes room while somebody types: what a command puts out or takes in, or a transfer moves, asks
// here how much of it may go on now. A queue that fills the line, here or anywhere on the way, delays
// every key behind it.
#pragma once

#include "session/tokenbucket.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <optional>

#include <QObject>
#include <QTimer>

namespace Sandpiper {

// When a key was last pressed in any shell of this program. Any thread.
class Typing
{
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds lasts{1500}; // after each key
    static constexpr qint64 mostOfAKey = 32;               // bytes; more at once is a paste

    void wrote(qint64 bytes, Time now)
    {
        if (bytes > 0 && bytes <= mostOfAKey)
            m_last.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    [[nodiscard]] bool goesOn(Time now) const
    {
        const auto last = m_last.load(std::memory_order_relaxed);
        return last != never && now - Time(Time::duration(last)) < lasts;
    }

    // The one of this program.
    [[nodiscard]] static Typing &here();

private:
    static constexpr Time::rep never = std::numeric_limits<Time::rep>::min();
    std::atomic<Time::rep> m_last = never;
};

// For one stream in one direction. Pure: time comes in.
class BulkPacer
{
public:
    using Time = std::chrono::steady_clock::time_point;
    // While somebody types: half of what it was before, and never less than this, in bytes per second.
    static constexpr qint64 least = 256 * 1024;
    static constexpr std::chrono::milliseconds clearing{100}; // nothing moves at first, so that queues run empty
    static constexpr std::chrono::milliseconds measure{100};

    // How many of these waiting bytes may go on now; they count as gone on.
    [[nodiscard]] qint64 take(qint64 waiting, Time now, bool someoneTypes);

private:
    void count(qint64 bytes, Time now);

    double m_rate = 0; // bytes per second, measured while nobody typed; 0: not yet
    Time m_measureStart{};
    qint64 m_measured = 0;
    std::optional<Time> m_yieldsSince;
    TokenBucket m_bucket{least, least};
};

// A pacer with its timer, for the GUI thread: what may not go on yet goes on later.
class PacedBulk : public QObject
{
    Q_OBJECT
public:
    static constexpr std::chrono::milliseconds turn{5};

    // pass is told how many of the bytes offered go on; it may delete this.
    explicit PacedBulk(std::function<void(qint64)> pass, QObject *parent = nullptr);
    void offer(qint64 bytes);
    [[nodiscard]] qint64 waiting() const { return m_waiting; }

private:
    void pump();

    std::function<void(qint64)> m_pass;
    BulkPacer m_pacer;
    QTimer m_timer;
    qint64 m_waiting = 0;
};

} // namespace Sandpiper

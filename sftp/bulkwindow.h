// How much of its transfers a link may have asked for at once while somebody types: so much that the line stays
// busy and no queue builds up in front of the keys. What an answer takes longer than the shortest one of late has
// waited in a queue; the window follows that, in the way of LEDBAT (RFC 6817). Pure: time comes in. In the link's thread.
#pragma once

#include <QtTypes>

#include <algorithm>
#include <chrono>
#include <optional>

namespace Sandpiper {

class BulkWindow
{
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;
    static constexpr qint64 piece = 16 * 1024; // bytes of one request meanwhile
    static constexpr qint64 least = 2 * piece; // of the window
    static constexpr std::chrono::milliseconds queueing{2}; // that is borne with, and a fiftieth of a round trip
    static constexpr std::chrono::seconds memory{30}; // for the shortest answer: one to two of these

    // Looks whether somebody types; before each round of questions.
    void look(Time now, bool someoneTypes);
    [[nodiscard]] bool isYielding() const { return m_isYielding; }
    // Whether one more may be asked for.
    [[nodiscard]] bool hasRoom() const { return !m_isYielding || m_asked == 0 || m_asked + piece <= window(); }
    // Bytes of one request, of so many that the server would give.
    [[nodiscard]] quint32 most(quint32 chunk) const { return m_isYielding ? std::min(chunk, quint32(piece)) : chunk; }
    [[nodiscard]] qint64 window() const { return qint64(m_window); }

    void asked(qint64 bytes) { m_asked += bytes; }
    void answered(qint64 bytes, Time askedAt, Time now);
    void dropped(qint64 bytes) { m_asked -= bytes; } // nobody waits for them any more

private:
    void remember(Duration took, Time now);

    qint64 m_asked = 0;
    double m_window = double(least);
    bool m_isYielding = false;
    bool m_isFirst = true; // no queue has been seen yet: it may double with each round trip
    Time m_yieldsSince{};
    Time m_fresh{}; // what was asked for from then on tells of the line as it is now
    Time m_reducedAt{};
    Time m_bucketSince{};
    std::optional<Duration> m_shortest;       // of this bucket
    std::optional<Duration> m_shortestBefore; // of the one before
};

// What one job has asked for; gives it back when it goes.
class BulkShare
{
public:
    explicit BulkShare(BulkWindow &window)
        : m_window(window)
    {
    }
    ~BulkShare() { m_window.dropped(m_asked); }
    BulkShare(const BulkShare &) = delete;
    BulkShare &operator=(const BulkShare &) = delete;

    void asked(qint64 bytes)
    {
        m_asked += bytes;
        m_window.asked(bytes);
    }
    void answered(qint64 bytes, BulkWindow::Time askedAt, BulkWindow::Time now)
    {
        m_asked -= bytes;
        m_window.answered(bytes, askedAt, now);
    }

private:
    BulkWindow &m_window;
    qint64 m_asked = 0;
};

} // namespace Sandpiper

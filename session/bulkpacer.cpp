#include "session/bulkpacer.h"

#include <algorithm>

namespace Sandpiper {

Typing &Typing::here()
{
    static Typing typing;
    return typing;
}

qint64 BulkPacer::take(qint64 waiting, Time now, bool someoneTypes)
{
    // Without a measure there is nothing to take half of; it is there after a moment.
    if (!someoneTypes || (m_rate == 0 && !m_yieldsSince)) {
        m_yieldsSince.reset();
        count(waiting, now);
        return waiting;
    }
    if (!m_yieldsSince) {
        m_yieldsSince = now;
        const qint64 rate = std::max(least, qint64(m_rate / 2));
        m_bucket = TokenBucket(rate, std::max<qint64>(16 * 1024, rate / 100)); // ten milliseconds at once
        m_measured = 0;
        m_measureStart = {};
    }
    if (now - *m_yieldsSince < clearing)
        return 0;
    const qint64 taken = std::min(waiting, m_bucket.available(now));
    m_bucket.take(taken);
    return taken;
}

void BulkPacer::count(qint64 bytes, Time now)
{
    if (m_measureStart == Time{})
        m_measureStart = now;
    m_measured += bytes;
    const auto took = now - m_measureStart;
    if (took < measure)
        return;
    const double rate = double(m_measured) / std::chrono::duration<double>(took).count();
    // A stream that rests is not a slow line.
    m_rate = m_rate == 0 ? rate : std::max(rate, m_rate * 0.9);
    m_measureStart = now;
    m_measured = 0;
}

PacedBulk::PacedBulk(std::function<void(qint64)> pass, QObject *parent)
    : QObject(parent)
    , m_pass(std::move(pass))
{
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setSingleShot(true);
    m_timer.setInterval(turn);
    connect(&m_timer, &QTimer::timeout, this, &PacedBulk::pump);
}

void PacedBulk::offer(qint64 bytes)
{
    m_waiting += bytes;
    if (!m_timer.isActive())
        pump();
}

void PacedBulk::pump()
{
    const auto now = std::chrono::steady_clock::now();
    const qint64 taken = m_pacer.take(m_waiting, now, Typing::here().goesOn(now));
    m_waiting -= taken;
    if (m_waiting > 0)
        m_timer.start();
    if (taken > 0)
        m_pass(taken);
}

} // namespace Sandpiper

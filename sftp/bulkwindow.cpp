#include "sftp/bulkwindow.h"

#include <algorithm>
#include <utility>

namespace Sandpiper {
namespace {

constexpr double kGrowth = 1. / 24; // of the window, in a round trip without a queue
constexpr double kMost = 8 << 20;

} // namespace

void BulkWindow::look(Time now, bool someoneTypes)
{
    if (someoneTypes && !m_isYielding) {
        m_window = double(least);
        m_isFirst = true;
        m_yieldsSince = now;
        m_fresh = now;
        m_reducedAt = now;
    }
    m_isYielding = someoneTypes;
}

void BulkWindow::remember(Duration took, Time now)
{
    if (now - m_bucketSince >= memory) {
        m_shortestBefore = std::exchange(m_shortest, std::nullopt);
        m_bucketSince = now;
    }
    m_shortest = m_shortest ? std::min(*m_shortest, took) : took;
}

void BulkWindow::answered(qint64 bytes, Time askedAt, Time now)
{
    m_asked -= bytes;
    const Duration took = now - askedAt;
    remember(took, now);
    if (!m_isYielding)
        return;
    if (askedAt < m_fresh) {
        // It has stood in the queue of the time before, and so has all that was asked for since.
        if (askedAt < m_yieldsSince)
            m_fresh = now;
        return;
    }
    const Duration shortest = m_shortestBefore ? std::min(*m_shortest, *m_shortestBefore) : *m_shortest;
    const Duration target = shortest + queueing + shortest / 50;
    if (took <= target) {
        m_window += m_isFirst ? double(bytes) : kGrowth * double(bytes);
    } else if (askedAt >= m_reducedAt) { // else it tells of the queue that is being emptied
        const Duration wanted = std::exchange(m_isFirst, false) ? shortest : target;
        m_window *= std::max(0.5, double(wanted.count()) / double(took.count()));
        m_reducedAt = now;
    }
    m_window = std::clamp(m_window, double(least), kMost);
}

} // namespace Sandpiper

// How fast a forward may be, in each direction. One thread.
#pragma once

#include "session/tokenbucket.h"

#include <array>
#include <limits>
#include <optional>

namespace Sandpiper {

class ForwardRate
{
public:
    using Clock = std::chrono::steady_clock;
    enum Direction { Sent, Received };

    // 0: as fast as it goes.
    void limit(qint64 bytesPerSecond)
    {
        if (bytesPerSecond <= 0)
            return m_buckets.reset();
        // A tenth of a second at once, so that it flows, but no less than what makes a system call worth it.
        m_burst = std::max<qint64>(bytesPerSecond / 10, kLeastBurst);
        m_buckets.emplace(Buckets{TokenBucket(bytesPerSecond, m_burst), TokenBucket(bytesPerSecond, m_burst)});
    }
    // Bytes that may pass now. What is less than a slice is 0: whoever waits for it wakes for something.
    [[nodiscard]] qint64 room(Direction direction)
    {
        if (!m_buckets)
            return std::numeric_limits<qint64>::max();
        const qint64 room = (*m_buckets)[direction].available(Clock::now());
        return room < kLeastBurst / 2 ? 0 : room;
    }
    void take(Direction direction, qint64 bytes)
    {
        if (m_buckets)
            (*m_buckets)[direction].take(bytes);
    }
    // Until there is room() again.
    [[nodiscard]] std::chrono::milliseconds patience(Direction direction) const
    {
        return m_buckets ? (*m_buckets)[direction].until(kLeastBurst / 2) : std::chrono::milliseconds(0);
    }

private:
    using Buckets = std::array<TokenBucket, 2>;
    static constexpr qint64 kLeastBurst = 8 << 10;
    std::optional<Buckets> m_buckets;
    qint64 m_burst = 0;
};

} // namespace Sandpiper

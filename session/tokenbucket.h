// How much may be sent now, so that no second carries more than a server allows. Pure: time comes in.
#pragma once

#include <QtGlobal>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

namespace Sandpiper {

// Any stretch of t seconds carries at most burst + t × rate bytes.
class TokenBucket
{
public:
    using Time = std::chrono::steady_clock::time_point;

    TokenBucket(qint64 bytesPerSecond, qint64 burst)
        : m_rate(double(bytesPerSecond))
        , m_burst(double(burst))
        , m_tokens(double(burst))
    {
    }

    // A clock that goes backwards gives nothing and takes nothing.
    [[nodiscard]] qint64 available(Time now)
    {
        if (m_last && now > *m_last)
            m_tokens = std::min(m_burst, m_tokens + std::chrono::duration<double>(now - *m_last).count() * m_rate);
        if (!m_last || now > *m_last)
            m_last = now;
        return qint64(m_tokens);
    }
    void take(qint64 bytes) { m_tokens -= double(bytes); }
    // From the last available(); bytes must not exceed the burst.
    [[nodiscard]] std::chrono::milliseconds until(qint64 bytes) const
    {
        const double missing = double(bytes) - m_tokens;
        return std::chrono::milliseconds(missing <= 0 ? 0 : qint64(std::ceil(missing / m_rate * 1000)));
    }

private:
    double m_rate;
    double m_burst;
    double m_tokens;
    std::optional<Time> m_last;
};

} // namespace Sandpiper

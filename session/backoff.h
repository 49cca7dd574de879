// How long to wait before the next try. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

namespace Sandpiper {

// 0.5 s, doubled with each attempt (from 1), at most 30 s; random (0..1) moves it by up to a quarter
// either way, so that many tabs that broke together do not come back together.
[[nodiscard]] inline std::chrono::milliseconds backoffDelay(int attempt, double random)
{
    const double base = std::min(30'000.0, 500.0 * std::exp2(std::clamp(attempt - 1, 0, 10)));
    const double moved = base * (0.75 + 0.5 * std::clamp(random, 0.0, 1.0));
    return std::chrono::milliseconds(std::lround(std::clamp(moved, 500.0, 30'000.0)));
}

} // namespace Sandpiper

// Blocking work beside this thread, whose event loop turns meanwhile.
#pragma once

#include "tests/support/waituntil.h"

#include <future>

namespace Sandpiper {

// What it gives. Ends the test where that takes more than a minute and a half.
template <typename Work>
auto elsewhere(Work work)
{
    auto result = std::async(std::launch::async, std::move(work));
    if (!waitUntil([&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }, 90'000))
        qFatal("a client does not end");
    return result.get();
}

} // namespace Sandpiper

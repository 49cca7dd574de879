// From which state of a link to which other it may go. Pure; any thread.
#pragma once

#include "session/sshlink.h"

#include <array>
#include <utility>

namespace Sandpiper {

// Closed is the end, and can come from anywhere else. Authenticating → Verifying: another connection, for
// the keys that a server would not take in one. Connecting → Ready: only the transport was wanted.
inline constexpr std::array legalLinkMoves{
    std::pair{LinkState::Idle, LinkState::Connecting},
    std::pair{LinkState::Idle, LinkState::Closed},
    std::pair{LinkState::Connecting, LinkState::Verifying},
    std::pair{LinkState::Connecting, LinkState::Ready},
    std::pair{LinkState::Connecting, LinkState::Closed},
    std::pair{LinkState::Verifying, LinkState::Authenticating},
    std::pair{LinkState::Verifying, LinkState::Closed},
    std::pair{LinkState::Authenticating, LinkState::Verifying},
    std::pair{LinkState::Authenticating, LinkState::Ready},
    std::pair{LinkState::Authenticating, LinkState::Closed},
    std::pair{LinkState::Ready, LinkState::Closed},
};

[[nodiscard]] constexpr bool isLegalMove(LinkState from, LinkState to)
{
    for (const auto &move : legalLinkMoves) {
        if (move.first == from && move.second == to)
            return true;
    }
    return false;
}

} // namespace Sandpiper

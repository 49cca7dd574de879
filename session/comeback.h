// What a tab does next when its shell is not there: decisions only. Pure; any thread.
#pragma once

#include "session/sandbox.h"
#include "session/error.h"

namespace Sandpiper {

enum class NextMove {
    Connect,       // the sandbox runs: reattach, or open
    Wait,          // may come right by itself: try again later
    OfferResume,   // the sandbox sleeps; waking it costs, so somebody must ask for it
    GiveUp,        // it is gone; a new shell is what is left
    AskUser,       // will not come right by itself: credentials, certificates, settings
    Stop,          // the user has said no
};

struct Decision
{
    NextMove move = NextMove::Wait;
    Error error; // why, where it is not Connect
    friend bool operator==(const Decision &, const Decision &) = default;
};

// After asking the life-cycle plane, which wakes nothing.
[[nodiscard]] Decision afterFinding(const Result<Sandbox> &found);

enum class Attempt {
    NewShell,
    Reattach,
    LinkOnly, // for files or forwards: a further try starts nothing there
};
// After a shell could not be opened or attached to (ShellEnd::Failed), or a link not made, though its sandbox ran.
[[nodiscard]] Decision afterFailing(Attempt attempt, const Error &error);

} // namespace Sandpiper

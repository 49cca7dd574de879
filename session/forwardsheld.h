// What the links of this program listen at, here and on servers: where a second tab to the same machine finds
// its ports taken by the first, that is no failure. Any thread.
#pragma once

#include "session/forwardspec.h"

namespace Sandpiper {

// The machine that a link leads to.
struct ForwardOwner
{
    QString identity; // the same for every link to it, and for no other machine
    QString name;     // for people; several may have one name
};

// Holds one forward as long as it lives.
class HeldForward
{
public:
    // at: as it listens.
    HeldForward(const ForwardOwner &owner, const ForwardSpec &spec, const ForwardSpec::End &at);
    ~HeldForward();
    HeldForward(const HeldForward &) = delete;
    HeldForward &operator=(const HeldForward &) = delete;

    // Whether another link to the same machine has just this forward.
    [[nodiscard]] static bool isHeld(const ForwardOwner &owner, const ForwardSpec &spec);
    // Why a listener here could not be made, with whose it is where one of ours is in the way. isHeld: another link
    // to the same machine has just this forward.
    [[nodiscard]] static Error explained(const ForwardOwner &owner, const ForwardSpec &spec, const Error &error, bool &isHeld);
    // Whose forward listens at this place on this computer, for people; empty: none of ours.
    [[nodiscard]] static QString ownerOf(const ForwardSpec::End &at);

private:
    quint64 m_number;
};

} // namespace Sandpiper

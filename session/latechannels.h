// Channels that were given up before the server had said whether it opens them. The library forgets such a
// channel at once, and with a late yes the server would keep it, and what it connected to, for as long as the
// link lives. One link's, in its thread.
#pragma once

#include "session/sshhandles.h"

#include <libssh/callbacks.h>

#include <memory>
#include <vector>

namespace Sandpiper {

class LateChannels
{
public:
    LateChannels() = default;
    ~LateChannels() { clear(); }
    LateChannels(const LateChannels &) = delete;
    LateChannels &operator=(const LateChannels &) = delete;

    // Ends a channel, which has no callbacks any more, and frees it; where the server owes the answer to its
    // opening, as soon as that has come. Outside of libssh's callbacks only.
    enum class Opening { Settled, Awaited };
    void letGo(ssh_channel channel, Opening opening);
    // Closes those that have opened meanwhile. Outside of libssh's callbacks only.
    void pump();
    // Before ssh_disconnect().
    void clear();

private:
    struct Late
    {
        ssh_channel channel = nullptr;
        ssh_channel_callbacks_struct callbacks = {};
        bool isAnswered = false;
    };
    static void end(Late &late);

    std::vector<std::unique_ptr<Late>> m_late; // the library keeps their addresses
};

} // namespace Sandpiper

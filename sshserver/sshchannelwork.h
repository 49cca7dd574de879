// One channel of an SSH server of ours, whatever is behind it.
#pragma once

#include "session/filedescriptor.h"
#include "session/shell.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <QByteArray>

#include <poll.h>

#include <vector>

namespace Sandpiper {

// Lives on its connection's thread. libssh calls back only from within its own calls; everything that
// closes, frees or opens happens in step(), outside of them.
class SshChannelWork
{
public:
    // Full: libssh still holds bytes the network has not taken, so nothing more is read for it.
    enum class SessionRoom { Free, Full };

    SshChannelWork() = default;
    virtual ~SshChannelWork() = default;
    SshChannelWork(const SshChannelWork &) = delete;
    SshChannelWork &operator=(const SshChannelWork &) = delete;

    [[nodiscard]] virtual ssh_channel channel() const = 0;
    // A request of the client for this channel (RFC 4254 section 6); false: refused.
    [[nodiscard]] virtual bool request(ssh_message message) = 0;
    // Adds what it waits for.
    virtual void addPolls(std::vector<pollfd> &polls, SessionRoom room) const = 0;
    // Moves what can be moved now.
    virtual void step(SessionRoom room) = 0;
    [[nodiscard]] virtual bool isDone() const = 0;
    // With agent forwarding: a program has connected; a channel to the client's agent is due.
    [[nodiscard]] virtual std::vector<FileDescriptor> takeAgentConnections() { return {}; }
    // The session is about to end and frees its channels itself. Closing this one before the
    // disconnect would make a client leave before it has read why.
    virtual void abandonChannel() = 0;
};

// A pty-req or window-change in our words.
struct TerminalRequest
{
    QByteArray term;
    TerminalSize size;
};
[[nodiscard]] TerminalRequest terminalRequest(ssh_message message);

// The names of RFC 4254 section 6.10: 0 for one that is none; "KILL" for a number that has none.
[[nodiscard]] int sshSignalNumber(const char *name);
[[nodiscard]] QByteArray sshSignalName(int number);
// Letters, digits and "_", not beginning with a digit.
[[nodiscard]] bool isEnvironmentName(const QByteArray &name);

// Bounds of what a client may set for one channel.
inline constexpr int maxSshEnvironment = 64;
inline constexpr qsizetype maxSshEnvironmentBytes = 32 * 1024;

} // namespace Sandpiper

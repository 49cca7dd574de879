// "user@host:port" in the ways in which people and ssh_config write it. Pure; any thread.
#pragma once

#include "session/sshhostconfig.h"

namespace Sandpiper {

// "host", "user@host:port", "[::1]:22", "::1", "ssh://…". Nothing where it is none of these, names a
// password, or begins with a dash.
[[nodiscard]] std::optional<SshJumpHop> sshDestination(const QString &text);
// "a,ssh://user@b:22,c": in the order in which they are travelled. Nothing where ssh refuses it.
[[nodiscard]] std::optional<QList<SshJumpHop>> sshJumpHops(const QString &text);
// 1 to 65535, or the name of a TCP service.
[[nodiscard]] std::optional<quint16> sshPort(const QString &text);

// Whether this can stand for a host or a user where a shell or a command line may get to see it: no
// control characters, nothing that a shell acts on, no dash in front (as OpenSSH has it).
[[nodiscard]] bool isSafeSshHost(const QString &host);
[[nodiscard]] bool isSafeSshUser(const QString &user);

} // namespace Sandpiper

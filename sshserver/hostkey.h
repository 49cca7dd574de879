// The host key of a server of ours. Any thread; touches the disk.
#pragma once

#include "session/error.h"

#include <QByteArray>

namespace Sandpiper {

// "ssh-ed25519 AAAA…" of the private key in that file (OpenSSH form), which is made, Ed25519 and 0600,
// where it is missing; of several processes that find it missing, one makes it. Layer::LocalDisk.
[[nodiscard]] Result<QByteArray> hostKeyFrom(const QString &file);

} // namespace Sandpiper

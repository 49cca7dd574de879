// The file in which a gateway of this computer says where it is. Any thread.
#pragma once

#include "session/error.h"

#include <QJsonObject>

namespace Sandpiper {

// The gateway's start line, where the file is ours alone (a regular file, this user's, 0600) and a
// process holds the lock: a file that a killed gateway left behind counts as none.
// NotFound: none runs. PermissionDenied: the file is not ours alone. Protocol: no such JSON in it.
[[nodiscard]] Result<QJsonObject> readGatewayFile(const QString &runtimeFile, const QString &lockFile);

// Whether a process holds the lock; looks without taking it.
[[nodiscard]] bool isGatewayLockHeld(const QString &lockFile);

} // namespace Sandpiper

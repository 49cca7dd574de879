// Our folders, and the one way to write a file of ours. Any thread.
#pragma once

#include "session/error.h"

#include <QString>

namespace Sandpiper {

// $XDG_CONFIG_HOME/sandpiper and so on, made 0700 when missing and brought to 0700 when not.
// Empty where that fails: callers report Layer::LocalDisk.
[[nodiscard]] QString configFolder();
[[nodiscard]] QString stateFolder();
[[nodiscard]] QString dataFolder();
[[nodiscard]] QString cacheFolder();
// $XDG_RUNTIME_DIR/sandpiper, else a 0700 folder of this user under stateFolder().
[[nodiscard]] QString runtimeFolder();

[[nodiscard]] Done makePrivateFolder(const QString &path);
// Temporary file beside it, 0600, fsync, rename.
[[nodiscard]] Done writePrivateFile(const QString &path, QByteArrayView content);
// At most maxBytes, else TooLarge. NotFound where it is missing.
[[nodiscard]] Result<QByteArray> readFile(const QString &path, qint64 maxBytes = 4 << 20);

} // namespace Sandpiper

// A program whose standard input and output carry an SSH connection.
#pragma once

#include "session/transportopening.h"

namespace Sandpiper {

// In a session of its own, so that Ctrl-C in a terminal is not for it; with no descriptor of ours, and no
// signal blocked or ignored. name: for errors. The transport's end closes its input, gives it a moment,
// then ends it by TERM and at last by KILL; it is always reaped.
// NotFound, PermissionDenied, InvalidInput (a NUL, or no program), Io.
[[nodiscard]] Result<OpenTransport> openChild(const QByteArrayList &argv, const QByteArrayList &environment, const QString &name);

// Runs it to its end with nothing to read and nobody to listen, and gives its status (128 and the number
// of a signal). Timeout, Cancelled: it was killed; else as above.
[[nodiscard]] Result<int> runQuietly(const QByteArrayList &argv, const QByteArrayList &environment, const Waiting &waiting);

} // namespace Sandpiper

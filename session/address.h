// Which addresses a credential may go to. Pure; any thread.
#pragma once

#include "session/error.h"

#include <QUrl>

namespace Sandpiper {

// The host is this computer by its literal name: 127.0.0.1, localhost or ::1. No lookup is made.
[[nodiscard]] bool isLoopback(const QUrl &url);
// InvalidInput, Layer::Http: not an absolute https URL, nor http to this computer; or it carries a
// user, a query or a fragment.
[[nodiscard]] Done checkApiUrl(const QUrl &url);
// "host" or "host:port", for Error::subject: never a path or a query, which may hold more.
[[nodiscard]] QString hostText(const QUrl &url);

} // namespace Sandpiper

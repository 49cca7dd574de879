// The shapes of --json. They are a promise to scripts: add, never rename.
#pragma once

#include "session/provider.h"

#include <QJsonObject>

namespace Sandpiper {

[[nodiscard]] QJsonObject sandboxJson(const QString &account, const Sandbox &sandbox);
[[nodiscard]] QJsonObject keyJson(const QString &account, const SshKey &key);
[[nodiscard]] QJsonObject ptyJson(const PtySession &session);

} // namespace Sandpiper

// The shapes of --json. They are a promise to scripts: add, never rename.
#pragma once

#include "session/annotations.h"
#include "session/provider.h"

#include <QJsonObject>

namespace Sandpiper {

[[nodiscard]] QJsonObject sandboxJson(const QString &account, const Sandbox &sandbox);
// The same, with what its user says of it.
[[nodiscard]] QJsonObject sandboxJson(const QString &account, const Sandbox &sandbox, const Annotation &annotation);
[[nodiscard]] QJsonObject keyJson(const QString &account, const SshKey &key);
[[nodiscard]] QJsonObject ptyJson(const PtySession &session);

} // namespace Sandpiper

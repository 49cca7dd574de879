// A local sandbox's record: its file, its id, the rule for names. Pure, any thread.
#pragma once

#include "gateway/sandboxstore.h"

#include <QByteArray>

#include <optional>

namespace Sandpiper {

// 21 lower-case letters and digits, from the system's random source.
[[nodiscard]] QString newSandboxId();
[[nodiscard]] bool isSandboxId(QStringView text);
// A lower-case letter first, then lower-case letters, digits and "-", none at the end, at most 63;
// and nothing that could be an id.
[[nodiscard]] bool isSandboxName(QStringView text);
// InvalidInput with the sentence to show, or nothing.
[[nodiscard]] std::optional<Error> problemWith(const LocalCreate &wish);
[[nodiscard]] std::optional<Error> problemWithPorts(const QList<int> &ports);

[[nodiscard]] QByteArray recordOf(const LocalSandbox &sandbox);
// Without agent; nothing where the bytes are no record. States that only a living gateway can keep
// come back as Suspended.
[[nodiscard]] std::optional<LocalSandbox> sandboxOf(const QByteArray &record);

} // namespace Sandpiper

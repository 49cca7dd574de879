// Signals by the names that SSH has for them (RFC 4254 section 6.10). Pure; any thread.
#pragma once

#include <QByteArray>
#include <QString>

#include <optional>

namespace Sandpiper {

// "TERM"; empty where SSH has no name for it.
[[nodiscard]] QByteArray signalName(int number);
// Of "TERM", also of names that SSH does not list, such as "BUS"; nothing where it is unknown here.
[[nodiscard]] std::optional<int> signalNumber(const QString &name);

} // namespace Sandpiper

// Lists of algorithms as an ssh_config writes them. Pure; any thread.
#pragma once

#include <QByteArray>
#include <QString>

namespace Sandpiper {

// What comes of a list, or of a change to the default one: "+" adds behind, "^" in front, "-" takes
// away; names may be patterns. Only what is in `possible` stays, each name once. Empty text: the default.
[[nodiscard]] QByteArray assembledAlgorithms(const QString &text, const QByteArray &defaults, const QByteArray &possible);

} // namespace Sandpiper

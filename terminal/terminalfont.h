// The font of a terminal. GUI thread.
#pragma once

#include <QFont>

namespace Sandpiper {

// The best monospaced family that is installed: chosen once.
[[nodiscard]] QString bestTerminalFamily();
// wanted, made fit for a grid: a family that exists and is monospaced, 6..40 pt, no kerning.
[[nodiscard]] QFont terminalFont(const QFont &wanted);

inline constexpr double minTerminalPointSize = 6;
inline constexpr double maxTerminalPointSize = 40;

} // namespace Sandpiper

// Text of the far side made fit for a label of ours. Pure.
#pragma once

#include <QString>

namespace Sandpiper {

// One line: no controls, no characters that turn the direction or are not seen, at most maxLength.
[[nodiscard]] QString tamedLine(const QString &text, qsizetype maxLength);

} // namespace Sandpiper

// The order of names as people count. Pure; any thread.
#pragma once

#include <QString>

namespace Sandpiper {

// Natural order without a collator: "box-2" sorts before "box-10".
[[nodiscard]] QString sortKey(const QString &name);

} // namespace Sandpiper

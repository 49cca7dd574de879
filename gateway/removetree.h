// Removes a folder that strangers have filled.
#pragma once

#include "session/error.h"

namespace Sandpiper {

// Any thread; may take long. Follows no symbolic link, needs two descriptors however deep it is, and
// gives itself the rights that were taken away. No folder there is no error.
[[nodiscard]] Done removeTree(const QString &folder);

} // namespace Sandpiper

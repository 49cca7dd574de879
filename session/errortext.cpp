#include "session/errortext.h"

namespace Sandpiper {

ErrorText errorText(const Error &error)
{
    return {describe(error) + u'.', NextStep::None, {}};
}

} // namespace Sandpiper

// What is known of one sandbox, and what it can and cannot do, with the reason. GUI thread.
#pragma once

#include "session/accounts.h"
#include "session/annotations.h"
#include "session/serverfeatures.h"

#include <optional>

class QWidget;

namespace Sandpiper {

// A window of its own beside parent; deletes itself when closed. features: what its SSH server was found
// to be able to do, where that is kept.
void showDetails(const Sandbox &sandbox, const Account &account, const Annotation &annotation,
                 const std::optional<ServerFeatures> &features, QWidget *parent);

} // namespace Sandpiper

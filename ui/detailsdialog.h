// What is known of one sandbox, and what it can and cannot do, with the reason. GUI thread.
#pragma once

#include "session/accounts.h"
#include "session/annotations.h"

class QWidget;

namespace Sandpiper {

// A window of its own beside parent; deletes itself when closed.
void showDetails(const Sandbox &sandbox, const Account &account, const Annotation &annotation, QWidget *parent);

} // namespace Sandpiper

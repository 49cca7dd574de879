// What a file browser needs from outside. Values; GUI thread.
#pragma once

#include "session/sandboxregistry.h"
#include "sftp/standingfiles.h"
#include "sftp/transferqueue.h"

namespace Sandpiper {

struct FileServices
{
    // What the files of this sandbox need. Called when its account is there.
    std::function<StandingFiles::Services(const SandboxId &)> standing;
    // Names and states as they change; which sandboxes there are to choose from. Null: this computer alone.
    QPointer<SandboxRegistry> registry;
    QPointer<TransferQueue> transfers; // null: nothing is copied between the sides
    QString placesFile; // bookmarks and paths that were gone to; empty: not kept
};

} // namespace Sandpiper

// What a file browser needs from outside. Values; GUI thread.
#pragma once

#include "session/sandboxregistry.h"
#include "sftp/fileedits.h"
#include "sftp/standingfiles.h"
#include "sftp/transferqueue.h"
#include "ui/toolstart.h"

namespace Sandpiper {

struct FileServices
{
    // What the files of this sandbox need. Called when its account is there.
    std::function<StandingFiles::Services(const SandboxId &)> standing;
    // Names and states as they change; which sandboxes there are to choose from. Null: this computer alone.
    QPointer<SandboxRegistry> registry;
    QPointer<TransferQueue> transfers; // null: nothing is copied between the sides
    QPointer<FileEdits> edits; // null: files of sandboxes are not edited here
    std::function<FileChoices()> choices = {}; // of the user, now; unset: none
    std::function<bool(const ToolLaunch &)> launch = {}; // of an editor; unset: starts it, apart from this program
    // One command in a sandbox; unset: none can be run in any. This computer's are not asked for here.
    std::function<Result<std::unique_ptr<RemoteCommand>>(const SandboxId &, const CommandSpec &)> command = {};
    QString stagingFolder = {}; // files of sandboxes on their way to the desktop; empty: they do not get there by dragging
    QString placesFile; // bookmarks and paths that were gone to; empty: not kept
};

} // namespace Sandpiper

// Files that are dragged or copied from one place of the program to another, or come from the desktop. GUI thread.
#pragma once

#include "sftp/transfer.h"

#include <QMimeData>

#include <memory>
#include <optional>

namespace Sandpiper {

struct CarriedFiles
{
    SandboxId place; // whose they are; empty: this computer's
    QString placeName;
    QList<FilePath> paths; // absolute, never none
    bool hasSftp = false; // its place speaks it
    bool isOurs = false;  // from a pane of this program
    bool isCut = false;   // they are to be moved

    [[nodiscard]] bool isLocal() const { return place.isEmpty(); }
};

// This program's own kind, and, of files of this computer, URLs as every desktop takes them.
[[nodiscard]] std::unique_ptr<QMimeData> mimeFor(const CarriedFiles &files);
// None: no files, or of no place that we know. What another program says is ours is not believed: data made by this one has a
// word in it that is another one at each start.
[[nodiscard]] std::optional<CarriedFiles> filesIn(const QMimeData *data);
// Quick enough for each move of the pointer: whether filesIn() is worth a try.
[[nodiscard]] bool mayHoldFiles(const QMimeData *data);

struct CarryTarget
{
    SandboxId place;
    QString placeName;
    FilePath folder;
    bool hasSftp = false;
};
// What a drag would do, or why nothing.
struct DropVerdict
{
    Qt::DropAction action = Qt::CopyAction;
    QString refusal; // a sentence; empty: it can be dropped, or, with IgnoreAction, nothing is to be said
};
// Within one place files move, and are copied with Ctrl; elsewhere they are copied, and move with Shift.
[[nodiscard]] Qt::DropAction actionFor(const CarriedFiles &files, const SandboxId &target, Qt::KeyboardModifiers modifiers);

// Between this computer and a server with SFTP there is a faster way than by relay.
[[nodiscard]] TransferWish wishFor(const CarriedFiles &files, const CarryTarget &target, bool moves);

// "“report.txt”", "3 files".
[[nodiscard]] QString namesOf(const CarriedFiles &files);

} // namespace Sandpiper

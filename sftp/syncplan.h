// What is to be done so that one tree becomes as the other: made of a comparison, shown before anything moves. Pure;
// any thread.
#pragma once

#include "sftp/treematch.h"

namespace Sandpiper {

enum class SyncWay { LeftToRight, RightToLeft };

struct SyncStep
{
    enum class Action {
        MakeFolder,
        Copy,
        Replace, // what has the name there; that goes first where it is of another kind
        Adjust,  // permissions, and the time of what holds the same
        Remove,
        LeaveOut, // for the reason; where that is empty, for the error
    };
    Action action = Action::Copy;
    FilePath path;
    FileType type = FileType::File; // of what comes, or of what is removed
    Differences differences = {};   // Replace, Adjust
    // Something of another kind has the name there, or that of a folder above. It is done when all else has succeeded.
    bool isLate = false;
    bool clears = false; // Replace, late: what has the name there is removed first
    FileAttributes source = {};
    FileAttributes target = {};
    QString reason = {}; // in words of ours, without the name
    std::optional<Error> error = {};
};

struct SyncPlan
{
    QList<SyncStep> steps; // by path; removals behind all others, what is in a folder before the folder
    qint64 folders = 0;
    qint64 copies = 0;
    qint64 replacements = 0;
    qint64 adjustments = 0;
    qint64 removals = 0;
    qint64 leftOut = 0;
    quint64 bytes = 0; // to be moved
    qint64 onlyThere = 0; // only in the target, and it stays there
    [[nodiscard]] bool isEmpty() const { return steps.isEmpty(); }
    [[nodiscard]] qint64 changes() const { return folders + copies + replacements + adjustments + removals; }
};

// rows: all of a comparison that has ended well. removes: what is only in the target goes. Where a listing failed or
// something was left out nothing goes that might be concerned.
[[nodiscard]] SyncPlan planSync(const QList<CompareRow> &rows, SyncWay way, bool removes);

} // namespace Sandpiper

// Which of a folder's files are shown, and in which order. Pure; made on a pool thread.
#pragma once

#include "sftp/fileattributes.h"

#include <atomic>
#include <memory>
#include <vector>

namespace Sandpiper {

enum class FileColumn { Name, Size, Modified, Mode, Owner, Target };
constexpr int kFileColumns = int(FileColumn::Target) + 1;

struct FileOrder
{
    FileColumn column = FileColumn::Name;
    bool isDescending = false;
    bool showsHidden = false; // names that begin with a dot
    QString filter; // parts of the name as shown, in any case; blanks part them and all must be there
    friend bool operator==(const FileOrder &, const FileOrder &) = default;
};

// What a listing gave, piece by piece: shared, never changed.
using FilePieces = QList<QList<FileEntry>>;

struct FileListView
{
    FilePieces pieces; // keeps alive what rows points into
    std::vector<const FileEntry *> rows; // shown, in order
    qsizetype all = 0;
    qsizetype hidden = 0; // by the dot alone
    quint64 shownBytes = 0; // of the plain files that are shown
};

// Folders first. Where two are equal their names decide, at last their bytes, so the order is always the same.
// Null: cancelled was set meanwhile.
[[nodiscard]] std::shared_ptr<const FileListView> viewOf(const FilePieces &pieces, const FileOrder &order, const std::atomic<bool> &cancelled);
// Whether both hold the same files with the same attributes, in whatever order they came.
[[nodiscard]] bool sameFiles(const FilePieces &a, const FilePieces &b);

} // namespace Sandpiper

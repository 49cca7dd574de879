// Two folders side by side: which names are on both sides, and in what they differ. Pure; any thread.
#pragma once

#include "sftp/excludes.h"
#include "sftp/fileattributes.h"

#include <QFlags>

namespace Sandpiper {

enum class CompareSide { Left, Right };

enum class Difference {
    Kind = 1,       // a file here, a folder there
    Size = 2,
    Time = 4,
    Content = 8,    // was read, and differs
    LinkTarget = 16,
    Mode = 32,      // permissions
};
Q_DECLARE_FLAGS(Differences, Difference)
Q_DECLARE_OPERATORS_FOR_FLAGS(Differences)

struct CompareRow
{
    enum class State {
        Same,
        Differs,
        OnlyLeft,
        OnlyRight,
        LeftOut, // by a pattern: it was not looked into
        Failed,  // the reason is in error; what is at this path and below is not known as a whole
    };
    FilePath path; // relative to both tops; empty: the top
    State state = State::Same;
    Differences differences = {};
    bool isRead = false; // both were read: without Difference::Content they hold the same
    std::optional<FileAttributes> left = {};
    std::optional<FileAttributes> right = {};
    std::optional<Error> error = {};
};

struct CompareOptions
{
    Excludes excludes = {};
    // Files of one size and different times are read to know whether they differ.
    bool readsContent = false;
    // Times that are no further apart are the same. More where a disk here tells them less well (FAT: 2 s).
    quint32 secondsApart = 1;
};

// One name, on one side or both.
struct ComparePair
{
    FilePath path;
    std::optional<FileAttributes> left;
    std::optional<FileAttributes> right;
    // What was asked for since; the target of a link is empty where it is not known.
    bool isLookedAt = false;
    std::optional<FilePath> leftTarget = {};
    std::optional<FilePath> rightTarget = {};
};

struct CompareVerdict
{
    enum class Next {
        Nothing, // row says it all
        Stat,    // of what kind it is was not told
        Links,   // where both lead
        Content,
    };
    Next next = Next::Nothing;
    CompareRow row;
    bool walksLeft = false; // it is a folder there
    bool walksRight = false;
};
[[nodiscard]] CompareVerdict judge(const ComparePair &pair, const CompareOptions &options);
// What was not told is taken for a file.
[[nodiscard]] FileType kindOf(const FileAttributes &attributes);

// A folder as one side has told it.
struct SideListing
{
    bool isThere = false; // else all names are the other side's alone
    bool isWhole = false; // else what is missing may be there all the same
    QList<FileEntry> entries;
};

struct FolderMatch
{
    QList<CompareRow> rows;      // by name
    QList<ComparePair> open;     // more is to be asked of these
    QList<CompareVerdict> folders; // to be walked; their rows are among rows
};
[[nodiscard]] FolderMatch matchFolder(const FilePath &folder, SideListing left, SideListing right, const CompareOptions &options);

} // namespace Sandpiper

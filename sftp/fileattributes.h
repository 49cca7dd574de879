// What is said of files, wherever they are, and what is wished of them. Values; any thread.
#pragma once

#include "sftp/filepath.h"

#include <QByteArray>
#include <QList>
#include <QMap>

#include <optional>

namespace Sandpiper {

struct FileOwner
{
    quint32 user = 0;
    quint32 group = 0;
    friend bool operator==(const FileOwner &, const FileOwner &) = default;
};

struct FileTimes // seconds since 1970; the protocol ends in 2106
{
    quint32 accessed = 0;
    quint32 modified = 0;
    friend bool operator==(const FileTimes &, const FileTimes &) = default;
};

enum class FileType { Unknown, File, Folder, Link, Fifo, Socket, CharacterDevice, BlockDevice };

// What is told of a file, or is to be set. Each part may be missing, and nothing of it need be true.
struct FileAttributes
{
    std::optional<quint64> size;
    std::optional<FileOwner> owner;
    std::optional<quint32> mode; // type and permissions, as st_mode of Linux
    std::optional<FileTimes> times;

    [[nodiscard]] FileType type() const;
    [[nodiscard]] bool isFolder() const { return type() == FileType::Folder; }
    friend bool operator==(const FileAttributes &, const FileAttributes &) = default;
};

struct FileEntry
{
    QByteArray name; // any bytes at all
    FileAttributes attributes;
    friend bool operator==(const FileEntry &, const FileEntry &) = default;
};

enum class LinkPolicy { Follow, NoFollow };
// What a rename does where something has the new name already.
enum class RenamePolicy { Keep, Replace };

// statvfs(3)
struct FileSystemSpace
{
    quint64 blockSize = 0;    // the preferred size of reads
    quint64 fragmentSize = 0; // what the blocks are counted in
    quint64 blocks = 0;
    quint64 freeBlocks = 0;
    quint64 availableBlocks = 0; // to others than root
    quint64 files = 0;
    quint64 freeFiles = 0;
    quint64 availableFiles = 0;
    quint64 id = 0;
    quint64 flags = 0; // 1: read-only
    quint64 longestName = 0;
};

struct OwnerNames // a name that is not known is missing
{
    QMap<quint32, QByteArray> users;
    QMap<quint32, QByteArray> groups;
};

struct ListEnd
{
    quint64 names = 0;
    quint64 refused = 0; // names that no file can have: they were left out
    friend bool operator==(const ListEnd &, const ListEnd &) = default;
};

struct ReadEnd
{
    quint64 bytes = 0;
    // The server still says that there is more. Files of /proc and /sys are so, and files that shrink.
    bool isShort = false;
    friend bool operator==(const ReadEnd &, const ReadEnd &) = default;
};

struct FileReadWish
{
    FilePath path;
    quint64 offset = 0;
    std::optional<quint64> length = {}; // none: to the end
    int inFlight = 16;             // requests at once
    // The size its folder's listing tells, for ways that cannot tell an answer that broke off from a whole one:
    // fewer bytes end as isShort. Without it such a way asks by itself, and fewer bytes are ConnectionLost.
    std::optional<quint64> listedSize = {};
};

struct FileWriteWish
{
    enum class Existing {
        Refuse, // it must be new
        Empty,  // what is there goes
        Keep,   // and is written over from offset on
    };
    FilePath path;
    Existing existing = Existing::Refuse;
    quint64 offset = 0;
    std::optional<quint32> mode = {}; // of a new file, without the bits that the server's umask takes
    int inFlight = 16;
    // How much will be written, where it is known: a vendor's interface wants to be told before the first byte, and
    // everything is kept on this computer's disk until close() where it is not.
    std::optional<quint64> size = {};
};

} // namespace Sandpiper

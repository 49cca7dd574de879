// What the SFTP client's face on the GUI thread and its engine in the link's thread say to each other. Values
// only; see Mailbox.
#pragma once

#include "session/mailbox.h"
#include "sftp/packet.h"
#include "sftp/remotepath.h"
#include "sftp/sftpserver.h"

#include <QMap>

#include <functional>
#include <memory>
#include <variant>

namespace Sandpiper {

enum class LinkPolicy { Follow, NoFollow };
// What a rename does where something has the new name already.
enum class RenamePolicy { Keep, Replace };

namespace SftpDo {
struct Stat
{
    RemotePath path;
    LinkPolicy links = LinkPolicy::Follow;
};
struct Set
{
    RemotePath path;
    SftpAttributes attributes;
    LinkPolicy links = LinkPolicy::Follow;
};
struct MakeFolder
{
    RemotePath path;
    std::optional<quint32> mode;
};
struct RemoveFile
{
    RemotePath path;
};
struct RemoveFolder
{
    RemotePath path;
};
struct Rename
{
    RemotePath from;
    RemotePath to;
    RenamePolicy policy = RenamePolicy::Keep;
};
struct RealPath
{
    RemotePath path;
};
struct ExpandPath // "~" and "~user" in front
{
    RemotePath path;
};
struct HomeFolder
{
    QByteArray user; // empty: the one that is logged in
};
struct ReadLink
{
    RemotePath path;
};
struct Symlink
{
    RemotePath target; // kept as it is
    RemotePath link;
};
struct Hardlink
{
    RemotePath existing;
    RemotePath link;
};
struct Space
{
    RemotePath path;
};
struct Sync
{
    RemotePath path;
};
struct Copy
{
    RemotePath from;
    RemotePath to;
};
struct OwnerNames
{
    QList<quint32> users;
    QList<quint32> groups;
};
} // namespace SftpDo

// One question with one answer.
using SftpOperation = std::variant<SftpDo::Stat, SftpDo::Set, SftpDo::MakeFolder, SftpDo::RemoveFile, SftpDo::RemoveFolder, SftpDo::Rename,
                                   SftpDo::RealPath, SftpDo::ExpandPath, SftpDo::HomeFolder, SftpDo::ReadLink, SftpDo::Symlink,
                                   SftpDo::Hardlink, SftpDo::Space, SftpDo::Sync, SftpDo::Copy, SftpDo::OwnerNames>;

// statvfs(3)
struct SftpSpace
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

struct SftpOwnerNames // a name that is not known is missing
{
    QMap<quint32, QByteArray> users;
    QMap<quint32, QByteArray> groups;
};

struct SftpListEnd
{
    quint64 names = 0;
    quint64 refused = 0; // names that no file can have: they were left out
    friend bool operator==(const SftpListEnd &, const SftpListEnd &) = default;
};

struct SftpReadEnd
{
    quint64 bytes = 0;
    // The server still says that there is more. Files of /proc and /sys are so, and files that shrink.
    bool isShort = false;
    friend bool operator==(const SftpReadEnd &, const SftpReadEnd &) = default;
};

using SftpValue = std::variant<std::monostate, SftpAttributes, RemotePath, SftpSpace, SftpOwnerNames, SftpListEnd, SftpReadEnd>;

struct SftpReadWish
{
    RemotePath path;
    quint64 offset = 0;
    std::optional<quint64> length = {}; // none: to the end
    int inFlight = 16;             // requests at once
};

struct SftpWriteWish
{
    enum class Existing {
        Refuse, // it must be new
        Empty,  // what is there goes
        Keep,   // and is written over from offset on
    };
    RemotePath path;
    Existing existing = Existing::Refuse;
    quint64 offset = 0;
    std::optional<quint32> mode = {}; // of a new file, without the bits that the server's umask takes
    int inFlight = 16;
};

namespace ToSftp {
struct Run
{
    int id = 0;
    SftpOperation operation;
    // Any thread: it is not to be begun any more. Null: it is.
    std::function<bool()> isUnwanted = {};
};
struct List
{
    int id = 0;
    RemotePath path;
};
struct Read
{
    int id = 0;
    SftpReadWish wish;
};
struct Write
{
    int id = 0;
    SftpWriteWish wish;
};
struct Bytes // for a Write
{
    int id = 0;
    QByteArray bytes;
};
struct Finish // a Write
{
    int id = 0;
    bool sync = false;
};
struct Consumed // rows of a List, bytes of a Read
{
    int id = 0;
    qint64 amount = 0;
};
struct Cancel // no word of it is wanted any more
{
    int id = 0;
};
} // namespace ToSftp

using SftpCommand = std::variant<ToSftp::Run, ToSftp::List, ToSftp::Read, ToSftp::Write, ToSftp::Bytes, ToSftp::Finish, ToSftp::Consumed, ToSftp::Cancel>;

namespace FromSftp {
struct Known // at first, and when more of it is known
{
    SftpServer server;
};
struct Rows // of a List
{
    int id = 0;
    QList<SftpName> rows;
};
struct Bytes // of a Read
{
    int id = 0;
    QByteArray bytes;
};
struct Taken // the server has them, of a Write
{
    int id = 0;
    qint64 bytes = 0;
};
struct Ended // the last one of each
{
    int id = 0;
    Result<SftpValue> value;
};
struct Broken // the last one of all
{
    Error error;
};
} // namespace FromSftp

using SftpEvent = std::variant<FromSftp::Known, FromSftp::Rows, FromSftp::Bytes, FromSftp::Taken, FromSftp::Ended, FromSftp::Broken>;

// Owned by the face and by the engine together: either may go first.
struct SftpMail
{
    Mailbox<SftpCommand> commands;
    Mailbox<SftpEvent> events;
};

} // namespace Sandpiper

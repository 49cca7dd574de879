// What the SFTP client's face on the GUI thread and its engine in the link's thread say to each other. Values
// only; see Mailbox.
#pragma once

#include "session/mailbox.h"
#include "sftp/fileattributes.h"
#include "sftp/filepath.h"
#include "sftp/packet.h"
#include "sftp/sftpserver.h"
#include "sftp/transferfile.h"

#include <QMap>

#include <functional>
#include <memory>
#include <variant>

namespace Sandpiper {

namespace SftpDo {
struct Stat
{
    FilePath path;
    LinkPolicy links = LinkPolicy::Follow;
};
struct Set
{
    FilePath path;
    FileAttributes attributes;
    LinkPolicy links = LinkPolicy::Follow;
};
struct MakeFolder
{
    FilePath path;
    std::optional<quint32> mode;
};
struct RemoveFile
{
    FilePath path;
};
struct RemoveFolder
{
    FilePath path;
};
struct Rename
{
    FilePath from;
    FilePath to;
    RenamePolicy policy = RenamePolicy::Keep;
};
struct RealPath
{
    FilePath path;
};
struct ExpandPath // "~" and "~user" in front
{
    FilePath path;
};
struct HomeFolder
{
    QByteArray user; // empty: the one that is logged in
};
struct ReadLink
{
    FilePath path;
};
struct Symlink
{
    FilePath target; // kept as it is
    FilePath link;
};
struct Hardlink
{
    FilePath existing;
    FilePath link;
};
struct Space
{
    FilePath path;
};
struct Sync
{
    FilePath path;
};
struct Copy
{
    FilePath from;
    FilePath to;
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

using SftpValue = std::variant<std::monostate, FileAttributes, FilePath, FileSystemSpace, OwnerNames, ListEnd, ReadEnd, FileOutcome>;

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
    FilePath path;
};
struct Read
{
    int id = 0;
    FileReadWish wish;
};
struct Write
{
    int id = 0;
    FileWriteWish wish;
};
struct Transfer
{
    int id = 0;
    FileTransferWish wish;
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

using SftpCommand = std::variant<ToSftp::Run, ToSftp::List, ToSftp::Read, ToSftp::Write, ToSftp::Transfer, ToSftp::Bytes, ToSftp::Finish, ToSftp::Consumed, ToSftp::Cancel>;

namespace FromSftp {
struct Known // at first, and when more of it is known
{
    SftpServer server;
};
struct Rows // of a List
{
    int id = 0;
    QList<FileEntry> rows;
};
struct Bytes // of a Read
{
    int id = 0;
    QByteArray bytes;
};
struct Taken // the server has them, of a Write; they are where they go, of a Transfer
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

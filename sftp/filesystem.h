// Files somewhere behind one face: on this computer, on an SFTP server, behind a vendor's interface. GUI thread,
// which no call holds up.
#pragma once

#include "sftp/fileattributes.h"

#include <QFuture>
#include <QObject>

#include <memory>

namespace Sandpiper {

enum class FileAction {
    List,
    Stat,
    Read,
    ReadPart, // from an offset
    Write,
    WritePart, // into a file that is there
    MakeFolder,
    RemoveFile,
    RemoveFolder,
    Rename,
    MakeSymlink,
    MakeHardlink,
    SetMode,
    SetOwner,
    SetTimes,
    Space,
    CopyThere, // without the bytes coming here
};

// Each ends exactly once, from the event loop. To delete one is to cancel it: nothing is heard any more.
class FileListing : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    // At most 20,000 rows come that are not reported here.
    virtual void consumed(qint64 rows) = 0;
signals:
    // As they come, in no order; without "." and "..". Names are plain: see isPlainName(). Links are told as links.
    void rowsReceived(const QList<Sandpiper::FileEntry> &rows);
    void finished(const Sandpiper::Result<Sandpiper::ListEnd> &end);
};

class FileReader : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    // A bounded number of bytes come that are not reported here (about 4 MiB).
    virtual void consumed(qint64 bytes) = 0;
signals:
    void received(const QByteArray &bytes); // in order, never empty
    void finished(const Sandpiper::Result<Sandpiper::ReadEnd> &end);
};

class FileWriter : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    // Any amount is kept until it is taken. Whoever has much to write looks at pending().
    virtual void write(const QByteArray &bytes) = 0;
    enum class Sync { No, Yes };
    // Everything has been written; finished() follows. Sync: and is on the disk; Unsupported where nobody can say so.
    virtual void close(Sync sync = Sync::No) = 0;
    [[nodiscard]] virtual qint64 pending() const = 0;
signals:
    void taken(qint64 bytes);
    // A file that ended otherwise than with success is there in part.
    void finished(const Sandpiper::Done &end);
};

// What cannot be done answers Unsupported with the sentence of reasonAgainst(). Errors name the path as their
// subject. Kinds: as SftpClient's; on this computer layer LocalDisk.
class FileSystem : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    // Whose files: a sandbox's display name; "This computer".
    [[nodiscard]] virtual QString displayName() const = 0;
    // What is asked before waits for it.
    [[nodiscard]] virtual bool isReady() const = 0;
    // A sentence for a tooltip; empty: it can. Before isReady(): what is not surely missing can be.
    [[nodiscard]] virtual QString reasonAgainst(FileAction action) const = 0;
    [[nodiscard]] bool can(FileAction action) const { return reasonAgainst(action).isEmpty(); }
    // Two paths here may be told apart by their bytes, and this is one of the user's own disks.
    [[nodiscard]] virtual bool isLocal() const { return false; }

    [[nodiscard]] virtual QFuture<Result<FilePath>> homeFolder() = 0;
    // Absolute, without "." and ".." and links.
    [[nodiscard]] virtual QFuture<Result<FilePath>> realPath(const FilePath &path) = 0;
    [[nodiscard]] virtual QFuture<Result<FileAttributes>> stat(const FilePath &path, LinkPolicy links = LinkPolicy::Follow) = 0;
    [[nodiscard]] virtual QFuture<Result<FilePath>> readLink(const FilePath &path) = 0;
    [[nodiscard]] virtual QFuture<Done> setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links = LinkPolicy::Follow) = 0;
    [[nodiscard]] virtual QFuture<Done> makeFolder(const FilePath &path) = 0;
    [[nodiscard]] virtual QFuture<Done> removeFile(const FilePath &path) = 0; // and links
    [[nodiscard]] virtual QFuture<Done> removeFolder(const FilePath &path) = 0; // an empty one
    // Keep: Conflict where something has that name.
    [[nodiscard]] virtual QFuture<Done> rename(const FilePath &from, const FilePath &to, RenamePolicy policy = RenamePolicy::Keep) = 0;
    [[nodiscard]] virtual QFuture<Done> makeSymlink(const FilePath &target, const FilePath &link) = 0;
    [[nodiscard]] virtual QFuture<Done> makeHardlink(const FilePath &existing, const FilePath &link) = 0;
    [[nodiscard]] virtual QFuture<Result<FileSystemSpace>> space(const FilePath &path) = 0;
    [[nodiscard]] virtual QFuture<Done> copyFile(const FilePath &from, const FilePath &to) = 0;
    // Names that are not known are missing.
    [[nodiscard]] virtual QFuture<Result<OwnerNames>> ownerNames(const QList<quint32> &users, const QList<quint32> &groups) = 0;

    [[nodiscard]] virtual std::unique_ptr<FileListing> list(const FilePath &path) = 0;
    [[nodiscard]] virtual std::unique_ptr<FileReader> read(const FileReadWish &wish) = 0;
    [[nodiscard]] virtual std::unique_ptr<FileWriter> write(const FileWriteWish &wish) = 0;

signals:
    void ready();
    // Once, when it cannot be used any more. After everything that was under way has ended.
    void ended(const Sandpiper::Error &error);
};

} // namespace Sandpiper

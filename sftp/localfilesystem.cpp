#include "sftp/localfilesystem.h"

#include "session/background.h"
#include "sftp/localdisk.h"
#include "sftp/localstreams.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Whoever lets go of it without an answer has given up.
template <typename Answer>
struct Promised
{
    Promised() { promise.start(); }
    ~Promised()
    {
        if (!isAnswered)
            answer(failure(ErrorKind::Cancelled, Layer::LocalDisk));
    }
    void answer(Answer value)
    {
        isAnswered = true;
        promise.addResult(std::move(value));
        promise.finish();
    }
    QPromise<Answer> promise;
    bool isAnswered = false;
};

} // namespace

LocalFileSystem::LocalFileSystem(const QString &displayName, QObject *parent)
    : FileSystem(parent)
    , m_displayName(displayName)
{
}

LocalFileSystem::~LocalFileSystem() = default;

template <typename Answer, typename Work>
QFuture<Answer> LocalFileSystem::ask(Work work)
{
    auto promised = std::make_shared<Promised<Answer>>(); // of the answer that is carried here, or dropped with this
    const QFuture<Answer> future = promised->promise.future();
    inBackground(diskPool(), this, std::move(work), [promised](Answer answer) { promised->answer(std::move(answer)); });
    return future;
}

QFuture<Result<FilePath>> LocalFileSystem::homeFolder()
{
    return ask<Result<FilePath>>([] { return LocalDisk::homeFolder(); });
}

QFuture<Result<FilePath>> LocalFileSystem::realPath(const FilePath &path)
{
    return ask<Result<FilePath>>([path] { return LocalDisk::realPath(path); });
}

QFuture<Result<FileAttributes>> LocalFileSystem::stat(const FilePath &path, LinkPolicy links)
{
    return ask<Result<FileAttributes>>([path, links] { return LocalDisk::stat(path, links); });
}

QFuture<Result<FilePath>> LocalFileSystem::readLink(const FilePath &path)
{
    return ask<Result<FilePath>>([path] { return LocalDisk::readLink(path); });
}

QFuture<Done> LocalFileSystem::setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links)
{
    return ask<Done>([path, attributes, links] { return LocalDisk::setAttributes(path, attributes, links); });
}

QFuture<Done> LocalFileSystem::makeFolder(const FilePath &path)
{
    return ask<Done>([path] { return LocalDisk::makeFolder(path); });
}

QFuture<Done> LocalFileSystem::removeFile(const FilePath &path)
{
    return ask<Done>([path] { return LocalDisk::removeFile(path); });
}

QFuture<Done> LocalFileSystem::removeFolder(const FilePath &path)
{
    return ask<Done>([path] { return LocalDisk::removeFolder(path); });
}

QFuture<Done> LocalFileSystem::rename(const FilePath &from, const FilePath &to, RenamePolicy policy)
{
    return ask<Done>([from, to, policy] { return LocalDisk::rename(from, to, policy); });
}

QFuture<Done> LocalFileSystem::makeSymlink(const FilePath &target, const FilePath &link)
{
    return ask<Done>([target, link] { return LocalDisk::makeSymlink(target, link); });
}

QFuture<Done> LocalFileSystem::makeHardlink(const FilePath &existing, const FilePath &link)
{
    return ask<Done>([existing, link] { return LocalDisk::makeHardlink(existing, link); });
}

QFuture<Result<FileSystemSpace>> LocalFileSystem::space(const FilePath &path)
{
    return ask<Result<FileSystemSpace>>([path] { return LocalDisk::space(path); });
}

QFuture<Done> LocalFileSystem::copyFile(const FilePath &from, const FilePath &to)
{
    return ask<Done>([from, to] { return LocalDisk::copyFile(from, to); });
}

QFuture<Result<OwnerNames>> LocalFileSystem::ownerNames(const QList<quint32> &users, const QList<quint32> &groups)
{
    return ask<Result<OwnerNames>>([users, groups] { return LocalDisk::ownerNames(users, groups); });
}

std::unique_ptr<FileListing> LocalFileSystem::list(const FilePath &path)
{
    return std::make_unique<LocalListing>(path);
}

std::unique_ptr<FileReader> LocalFileSystem::read(const FileReadWish &wish)
{
    return std::make_unique<LocalReader>(wish);
}

std::unique_ptr<FileWriter> LocalFileSystem::write(const FileWriteWish &wish)
{
    return std::make_unique<LocalWriter>(wish);
}

} // namespace Sandpiper

#include "sftp/vendorfilesystem.h"

#include "sftp/vendorstreams.h"

#include <QPromise>

#include <sys/stat.h>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

template <typename T>
QFuture<T> atOnce(T value)
{
    return QtFuture::makeReadyValueFuture(std::move(value));
}

// Without "." and doubled slashes. ".." cannot be resolved without knowing the links: the interface refuses it.
Result<FilePath> tidied(const FilePath &path, const FilePath &from)
{
    QByteArray tidy;
    for (const QByteArray &part : from.joined(path).bytes().split('/')) {
        if (part == "..")
            return failure(ErrorKind::InvalidInput, Layer::Provider, u"PATH_TRAVERSAL: a path without \"..\" is needed"_s, path.shown());
        if (!part.isEmpty() && part != ".")
            tidy += '/' + part;
    }
    return FilePath::fromBytes(tidy.isEmpty() ? "/"_ba : tidy);
}

// Asks one folder after the other; the last one's refusal is the answer where none can be listed.
void tryFolders(const std::shared_ptr<VendorFiles> &files, const QList<QByteArray> &folders, const std::shared_ptr<QPromise<Result<FilePath>>> &promise)
{
    const QByteArray folder = folders.value(0);
    files->list(folder).then(files.get(), [=](const Result<QList<VendorFileEntry>> &entries) {
        if (promise->isCanceled())
            return promise->finish();
        // Only a folder that is not there, or not for us, is worth another.
        const bool goOn = !entries && folders.size() > 1
                && (entries.error().kind == ErrorKind::NotFound || entries.error().kind == ErrorKind::InvalidInput || entries.error().kind == ErrorKind::PermissionDenied);
        if (goOn)
            return tryFolders(files, folders.mid(1), promise);
        const Result<FilePath> path = FilePath::fromBytes(folder);
        promise->addResult(entries || !path ? path : Result<FilePath>(std::unexpected(aboutFile(entries.error(), *path))));
        promise->finish();
    });
}

} // namespace

VendorFileSystem::VendorFileSystem(std::unique_ptr<VendorFiles> files, const QString &displayName, QObject *parent)
    : FileSystem(parent)
    , m_files(std::move(files))
    , m_displayName(displayName)
{
    QMetaObject::invokeMethod(this, &FileSystem::ready, Qt::QueuedConnection);
}

VendorFileSystem::~VendorFileSystem() = default;

QString VendorFileSystem::reasonAgainst(FileAction action) const
{
    const auto lacks = [this](const QString &what) { return u"The file interface of “%1” cannot %2; SFTP could."_s.arg(m_displayName, what); };
    switch (action) {
    case FileAction::List:
    case FileAction::Stat:
    case FileAction::Read:
    case FileAction::Write:
    case FileAction::RemoveFile: return {};
    case FileAction::ReadPart: return lacks(u"read a part of a file"_s);
    case FileAction::WritePart: return lacks(u"write into a file that is there"_s);
    case FileAction::MakeFolder: return lacks(u"make an empty folder"_s);
    case FileAction::RemoveFolder: return lacks(u"remove a folder"_s);
    case FileAction::Rename: return lacks(u"rename or move"_s);
    case FileAction::MakeSymlink:
    case FileAction::MakeHardlink: return lacks(u"make links"_s);
    case FileAction::SetMode: return lacks(u"change permissions"_s);
    case FileAction::SetOwner: return lacks(u"change owners"_s);
    case FileAction::SetTimes: return lacks(u"set times"_s);
    case FileAction::Space: return lacks(u"say how much space is left"_s);
    case FileAction::CopyThere: return lacks(u"copy within the sandbox"_s);
    }
    Q_UNREACHABLE_RETURN({});
}

Error VendorFileSystem::unsupported(FileAction action, const FilePath &path) const
{
    return {ErrorKind::Unsupported, Layer::Provider, reasonAgainst(action), path.shown()};
}

QFuture<Done> VendorFileSystem::refused(FileAction action, const FilePath &path) const
{
    return atOnce<Done>(std::unexpected(unsupported(action, path)));
}

QFuture<Result<FilePath>> VendorFileSystem::homeFolder()
{
    auto promise = std::make_shared<QPromise<Result<FilePath>>>(); // shared by the questions
    promise->start();
    tryFolders(m_files, m_files->startFolders(), promise);
    return promise->future();
}

QFuture<Result<FilePath>> VendorFileSystem::realPath(const FilePath &path)
{
    if (path.isAbsolute())
        return atOnce(tidied(path, {}));
    return homeFolder().then(this, [path](const Result<FilePath> &home) { return home ? tidied(path, *home) : home; });
}

QFuture<Result<FileAttributes>> VendorFileSystem::stat(const FilePath &path, LinkPolicy)
{
    using Answer = Result<FileAttributes>;
    const Result<FilePath> tidy = path.isAbsolute() ? tidied(path, {}) : Result<FilePath>(path);
    if (!tidy)
        return atOnce<Answer>(std::unexpected(tidy.error()));
    const QByteArray name = tidy->name();
    // What has no folder to be listed in.
    if (name.isEmpty())
        return atOnce<Answer>(FileAttributes{{}, {}, S_IFDIR, {}});
    const FilePath folder = tidy->parent();
    return m_files->list(folder.isEmpty() ? "."_ba : folder.bytes()).then(m_files.get(), [name, path](const Result<QList<VendorFileEntry>> &entries) -> Answer {
        if (!entries)
            return std::unexpected(aboutFile(entries.error(), path));
        for (const FileEntry &row : rowsOf(*entries).rows) {
            if (row.name == name)
                return row.attributes;
        }
        return failure(ErrorKind::NotFound, Layer::Provider, u"its folder has no such entry"_s, path.shown());
    });
}

QFuture<Result<FilePath>> VendorFileSystem::readLink(const FilePath &path)
{
    return atOnce<Result<FilePath>>(failure(ErrorKind::Unsupported, Layer::Provider,
                                           u"The file interface of “%1” does not tell links from files."_s.arg(m_displayName), path.shown()));
}

QFuture<Done> VendorFileSystem::setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy)
{
    if (attributes.size)
        return refused(FileAction::WritePart, path);
    return refused(attributes.mode ? FileAction::SetMode : attributes.owner ? FileAction::SetOwner : FileAction::SetTimes, path);
}

QFuture<Done> VendorFileSystem::makeFolder(const FilePath &path)
{
    return refused(FileAction::MakeFolder, path);
}

QFuture<Done> VendorFileSystem::removeFile(const FilePath &path)
{
    return m_files->remove(path.bytes()).then(this, [path](const Done &done) -> Done {
        if (!done)
            return std::unexpected(aboutFile(done.error(), path));
        return {};
    });
}

QFuture<Done> VendorFileSystem::removeFolder(const FilePath &path)
{
    return refused(FileAction::RemoveFolder, path);
}

QFuture<Done> VendorFileSystem::rename(const FilePath &from, const FilePath &, RenamePolicy)
{
    return refused(FileAction::Rename, from);
}

QFuture<Done> VendorFileSystem::makeSymlink(const FilePath &, const FilePath &link)
{
    return refused(FileAction::MakeSymlink, link);
}

QFuture<Done> VendorFileSystem::makeHardlink(const FilePath &, const FilePath &link)
{
    return refused(FileAction::MakeHardlink, link);
}

QFuture<Result<FileSystemSpace>> VendorFileSystem::space(const FilePath &path)
{
    return atOnce<Result<FileSystemSpace>>(std::unexpected(unsupported(FileAction::Space, path)));
}

QFuture<Done> VendorFileSystem::copyFile(const FilePath &from, const FilePath &)
{
    return refused(FileAction::CopyThere, from);
}

QFuture<Result<OwnerNames>> VendorFileSystem::ownerNames(const QList<quint32> &, const QList<quint32> &)
{
    return atOnce<Result<OwnerNames>>(OwnerNames{});
}

std::unique_ptr<FileListing> VendorFileSystem::list(const FilePath &path)
{
    return std::make_unique<VendorListing>(m_files, path);
}

std::unique_ptr<FileReader> VendorFileSystem::read(const FileReadWish &wish)
{
    const bool isPart = wish.offset > 0 || wish.length;
    if (isPart)
        return std::make_unique<VendorReader>(m_files, wish, QFuture<Result<FileAttributes>>(), unsupported(FileAction::ReadPart, wish.path));
    const auto attributes = wish.listedSize ? QFuture<Result<FileAttributes>>() : stat(wish.path, LinkPolicy::Follow);
    return std::make_unique<VendorReader>(m_files, wish, attributes, std::nullopt);
}

std::unique_ptr<FileWriter> VendorFileSystem::write(const FileWriteWish &wish)
{
    QFuture<Done> nothingThere;
    switch (wish.existing) {
    case FileWriteWish::Existing::Empty: nothingThere = atOnce<Done>({}); break;
    case FileWriteWish::Existing::Keep: nothingThere = refused(FileAction::WritePart, wish.path); break;
    case FileWriteWish::Existing::Refuse:
        nothingThere = stat(wish.path, LinkPolicy::NoFollow).then([path = wish.path](const Result<FileAttributes> &found) -> Done {
            if (found)
                return failure(ErrorKind::Conflict, Layer::Provider, u"something has that name already"_s, path.shown());
            if (found.error().kind != ErrorKind::NotFound)
                return std::unexpected(found.error());
            return {};
        });
        break;
    }
    if (wish.offset > 0)
        nothingThere = refused(FileAction::WritePart, wish.path);
    return std::make_unique<VendorWriter>(m_files, wish, nothingThere);
}

} // namespace Sandpiper

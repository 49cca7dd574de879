#include "session/background.h"
#include "sftp/localdisk.h"
#include "sftp/transferscan.h"

#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

struct Found
{
    QList<ScannedItem> items;
    QList<ScannedItem> folders; // those among them to look into, and where followed links lead
    QList<TransferFailure> failures;
    QByteArray identity; // of the folder that was looked into
};

QByteArray identityOf(const struct stat &status)
{
    return QByteArray::number(quint64(status.st_dev)) + ':' + QByteArray::number(quint64(status.st_ino));
}

QByteArray readLinkAt(int folder, const char *name)
{
    QByteArray target(FilePath::mostBytes, Qt::Uninitialized);
    const ssize_t size = ::readlinkat(folder, name, target.data(), size_t(target.size()));
    return size > 0 ? target.first(size) : QByteArray();
}

// One name in a folder.
void look(int folder, const QByteArray &name, const ScannedItem &in, LinkTreatment links, const QByteArrayList &way, Found &found)
{
    ScannedItem item{ScannedItem::Kind::File, in.target.child(name).value_or(FilePath()), in.source.child(name).value_or(FilePath()), {}};
    item.tree = in.tree;
    item.local = in.local.child(name).value_or(FilePath());
    const auto fail = [&](const Error &error) { found.failures.append({item.source, error}); };
    if (item.local.isEmpty() || item.target.isEmpty())
        return fail({ErrorKind::InvalidInput, Layer::LocalDisk, u"the path is too long"_s, in.source.shown() + u'/' + shownBytes(name)});
    struct stat status;
    if (::fstatat(folder, name.constData(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(localError(errno, item.source.shown()));
    if (S_ISLNK(status.st_mode)) {
        item.kind = ScannedItem::Kind::Link;
        item.attributes = attributesOf(status);
        if (links == LinkTreatment::Skip)
            return;
        if (links == LinkTreatment::AsLink) {
            item.linkTarget = readLinkAt(folder, name.constData());
            item.linkTarget.isEmpty() ? fail(localError(EIO, item.source.shown())) : found.items.append(item);
            return;
        }
        // Followed: from there on it is a tree of its own, in which nothing else is followed unseen.
        if (::fstatat(folder, name.constData(), &status, 0) != 0)
            return fail(localError(errno, item.source.shown()));
        const Result<FilePath> where = LocalDisk::realPath(item.source);
        if (!where)
            return fail(where.error());
        const bool isFolder = S_ISDIR(status.st_mode);
        if (isFolder && (way.contains(identityOf(status)) || identityOf(status) == found.identity))
            return fail({ErrorKind::Conflict, Layer::LocalDisk, u"a link that leads back to a folder that it is in"_s, item.source.shown()});
        const Result<std::shared_ptr<LocalTree>> tree = LocalTree::open(isFolder ? *where : where->parent());
        if (!tree)
            return fail(tree.error());
        item.tree = *tree;
        item.local = isFolder ? FilePath() : FilePath().child(where->name()).value_or(FilePath());
        item.source = *where;
    }
    item.attributes = attributesOf(status);
    if (S_ISDIR(status.st_mode)) {
        item.kind = ScannedItem::Kind::Folder;
        found.folders.append(item);
    } else if (S_ISREG(status.st_mode)) {
        item.kind = ScannedItem::Kind::File;
    } else {
        return fail({ErrorKind::Unsupported, Layer::LocalDisk, u"neither a file nor a folder nor a link"_s, item.source.shown()});
    }
    found.items.append(item);
}

// All that is in a folder, or only what has these names.
Found lookInto(const ScannedItem &folder, LinkTreatment links, const QByteArrayList &way, const std::optional<QByteArrayList> &names)
{
    Found found;
    const Result<LocalTree::Folder> open = folder.tree->folder(folder.local, LocalTree::Missing::Fail);
    if (!open) {
        found.failures.append({folder.source, open.error()});
        return found;
    }
    struct stat status;
    if (::fstat((*open)->get(), &status) == 0)
        found.identity = identityOf(status);
    if (names) {
        for (const QByteArray &name : *names)
            look((*open)->get(), name, folder, links, way, found);
        return found;
    }
    // A descriptor of its own: the position in a folder belongs to it.
    const int again = ::openat((*open)->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? nullptr : ::fdopendir(again);
    if (!stream) {
        found.failures.append({folder.source, localError(errno, folder.source.shown())});
        if (again >= 0)
            ::close(again);
        return found;
    }
    errno = 0;
    while (const dirent *entry = ::readdir(stream)) {
        const QByteArray name(entry->d_name);
        if (name != "." && name != "..")
            look((*open)->get(), name, folder, links, way, found);
        errno = 0;
    }
    if (errno != 0)
        found.failures.append({folder.source, localError(errno, folder.source.shown())});
    ::closedir(stream);
    return found;
}

// What the user named: links on the way and at the end are followed.
Found lookAtSource(const FilePath &source, const FilePath &target, bool recurses)
{
    Found found;
    ScannedItem item{ScannedItem::Kind::File, target, source, {}};
    struct stat status;
    if (target.isEmpty()) {
        found.failures.append({source, {ErrorKind::InvalidInput, Layer::LocalDisk, u"it has no name to be called by"_s, source.shown()}});
        return found;
    }
    if (::stat(source.bytes().constData(), &status) != 0) {
        found.failures.append({source, localError(errno, source.shown())});
        return found;
    }
    item.attributes = attributesOf(status);
    const bool isFolder = S_ISDIR(status.st_mode);
    if (isFolder && !recurses) {
        found.failures.append({source, {ErrorKind::InvalidInput, Layer::LocalDisk, u"this is a folder"_s, source.shown()}});
        return found;
    }
    const Result<FilePath> where = LocalDisk::realPath(source);
    if (!where || (!isFolder && !S_ISREG(status.st_mode))) {
        found.failures.append({source, where ? Error{ErrorKind::Unsupported, Layer::LocalDisk, u"neither a file nor a folder"_s, source.shown()} : where.error()});
        return found;
    }
    const Result<std::shared_ptr<LocalTree>> tree = LocalTree::open(isFolder ? *where : where->parent());
    if (!tree) {
        found.failures.append({source, tree.error()});
        return found;
    }
    item.tree = *tree;
    item.kind = isFolder ? ScannedItem::Kind::Folder : ScannedItem::Kind::File;
    item.local = isFolder ? FilePath() : FilePath().child(where->name()).value_or(FilePath());
    found.items.append(item);
    if (isFolder)
        found.folders.append(item);
    return found;
}

} // namespace

void LocalScan::start()
{
    began();
    if (isNamed()) {
        tellStrays();
        // Any name does: it is the folder that everything comes into.
        inBackground(
                diskPool(), this, [base = wish().base] { return lookAtSource(base, base, true); },
                [this](const Found &found) {
                    for (const TransferFailure &failure : found.failures)
                        emit failed(failure.path, failure.error);
                    for (const ScannedItem &folder : found.folders)
                        push({FilePath(), folder.source, folder.tree, folder.local, {}});
                    if (found.failures.isEmpty() && found.folders.isEmpty())
                        emit failed(wish().base, noFolderAnyMore(wish().base));
                    ended();
                });
        return;
    }
    for (const FilePath &source : wish().sources) {
        began();
        inBackground(
                diskPool(), this, [source, target = targetOf(source), recurses = wish().recurses] { return lookAtSource(source, target, recurses); },
                [this](const Found &found) {
                    for (const TransferFailure &failure : found.failures)
                        emit failed(failure.path, failure.error);
                    tell(found.items);
                    for (const ScannedItem &folder : found.folders)
                        push({folder.target, folder.source, folder.tree, folder.local, {}});
                    ended();
                });
    }
    ended();
}

void LocalScan::list(const Folder &folder)
{
    ScannedItem item{ScannedItem::Kind::Folder, folder.target, folder.source, {}};
    item.tree = folder.tree;
    item.local = folder.local;
    const std::optional<QByteArrayList> names = isNamed() ? std::optional(namesIn(folder.target)) : std::nullopt;
    inBackground(
            diskPool(), this, [item, links = wish().links, way = folder.way, names] { return lookInto(item, links, way, names); },
            [this, way = folder.way](Found found) {
                found.items.removeIf([&](const ScannedItem &inner) {
                    const bool isChanged = inner.kind != ScannedItem::Kind::Folder && isNamedFolder(inner.target);
                    if (isChanged)
                        found.failures.append({inner.source, noFolderAnyMore(inner.source)});
                    return isChanged;
                });
                for (const TransferFailure &failure : std::as_const(found.failures))
                    emit failed(failure.path, failure.error);
                tell(found.items);
                for (const ScannedItem &inner : std::as_const(found.folders))
                    push({inner.target, inner.source, inner.tree, inner.local, way + QByteArrayList{found.identity}});
                ended();
            });
}

} // namespace Sandpiper

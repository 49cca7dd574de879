#include "sftp/localtree.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

} // namespace

Error localError(int number, const QString &subject)
{
    ErrorKind kind = ErrorKind::Io;
    switch (number) {
    case ENOENT:
    case ENOTDIR: kind = ErrorKind::NotFound; break;
    case EACCES:
    case EPERM:
    case EROFS: kind = ErrorKind::PermissionDenied; break;
    case EEXIST:
    case ENOTEMPTY:
    case EISDIR: kind = ErrorKind::Conflict; break;
    case ENOSPC:
    case EDQUOT: kind = ErrorKind::QuotaExceeded; break;
    case EFBIG: kind = ErrorKind::TooLarge; break;
    case ENAMETOOLONG:
    case EINVAL:
    case ELOOP: kind = ErrorKind::InvalidInput; break;
    case EOPNOTSUPP:
    case ENOSYS:
    case EXDEV: kind = ErrorKind::Unsupported; break;
    default: break;
    }
    return {kind, Layer::LocalDisk, qt_error_string(number), subject};
}

FileAttributes attributesOf(const struct stat &status)
{
    // The protocol's times end in 2106, and begin in 1970.
    const auto seconds = [](const timespec &time) { return quint32(std::clamp<qint64>(time.tv_sec, 0, std::numeric_limits<quint32>::max())); };
    FileAttributes attributes;
    attributes.size = quint64(status.st_size);
    attributes.owner = FileOwner{status.st_uid, status.st_gid};
    attributes.mode = status.st_mode;
    attributes.times = FileTimes{seconds(status.st_atim), seconds(status.st_mtim)};
    return attributes;
}

Result<std::shared_ptr<LocalTree>> LocalTree::open(const FilePath &root)
{
    auto folder = std::make_shared<FileDescriptor>(::open(root.bytes().constData(), kFolder));
    if (!folder->isValid())
        return std::unexpected(localError(errno, root.shown()));
    return std::shared_ptr<LocalTree>(new LocalTree(root, std::move(folder)));
}

Result<LocalTree::Folder> LocalTree::folder(const FilePath &path, Missing missing) const
{
    if (path.isEmpty())
        return m_folder;
    {
        const std::lock_guard guard(m_mutex);
        if (m_last && m_lastPath == path)
            return m_last;
    }
    Folder at = m_folder;
    for (const QByteArray &name : path.bytes().split('/')) {
        if (!isPlainName(name))
            return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"a name that leads elsewhere"_s, shown(path));
        int next = ::openat(at->get(), name.constData(), kFolder | O_NOFOLLOW);
        if (next < 0 && errno == ENOENT && missing == Missing::Make) {
            if (::mkdirat(at->get(), name.constData(), 0700) != 0 && errno != EEXIST)
                return std::unexpected(localError(errno, shown(path)));
            next = ::openat(at->get(), name.constData(), kFolder | O_NOFOLLOW);
        }
        if (next < 0) {
            if (errno == ELOOP || errno == ENOTDIR)
                return failure(ErrorKind::Conflict, Layer::LocalDisk, u"“%1” is not a folder, or a link that is not followed"_s.arg(shownBytes(name)), shown(path));
            return std::unexpected(localError(errno, shown(path)));
        }
        at = std::make_shared<const FileDescriptor>(next);
    }
    const std::lock_guard guard(m_mutex);
    m_lastPath = path;
    m_last = at;
    return at;
}

Result<bool> LocalTree::makeFolder(const FilePath &path, quint32 mode) const
{
    const Result<Folder> above = folder(path.parent(), Missing::Fail);
    if (!above)
        return std::unexpected(above.error());
    const QByteArray name = path.name();
    if (!isPlainName(name))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"a name that leads elsewhere"_s, shown(path));
    if (::mkdirat((*above)->get(), name.constData(), mode) == 0)
        return true;
    if (errno != EEXIST)
        return std::unexpected(localError(errno, shown(path)));
    const Result<Folder> there = folder(path, Missing::Fail);
    return there ? Result<bool>(false) : std::unexpected(there.error());
}

Done LocalTree::remove(const FilePath &path, bool isFolder) const
{
    const Result<Folder> above = folder(path.parent(), Missing::Fail);
    if (!above)
        return above.error().kind == ErrorKind::NotFound ? Done() : std::unexpected(above.error());
    if (::unlinkat((*above)->get(), path.name().constData(), isFolder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT) {
        if (errno == ENOTDIR)
            return failure(ErrorKind::Conflict, Layer::LocalDisk, u"it is no folder now"_s, shown(path));
        return std::unexpected(localError(errno, shown(path)));
    }
    return {};
}

Done LocalTree::adjust(const FilePath &path, const FileAttributes &attributes) const
{
    const Result<Folder> above = folder(path.parent(), Missing::Fail);
    if (!above)
        return std::unexpected(above.error());
    const QByteArray name = path.name();
    struct stat status;
    if (::fstatat((*above)->get(), name.constData(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return std::unexpected(localError(errno, shown(path)));
    if (S_ISLNK(status.st_mode))
        return failure(ErrorKind::Conflict, Layer::LocalDisk, u"it is a link now"_s, shown(path));
    if (attributes.times) {
        const timespec times[2] = {{time_t(attributes.times->accessed), 0}, {time_t(attributes.times->modified), 0}};
        if (::utimensat((*above)->get(), name.constData(), times, AT_SYMLINK_NOFOLLOW) != 0)
            return std::unexpected(localError(errno, shown(path)));
    }
    if (attributes.mode && ::fchmodat((*above)->get(), name.constData(), *attributes.mode & 07777, AT_SYMLINK_NOFOLLOW) != 0)
        return std::unexpected(localError(errno, shown(path)));
    return {};
}

} // namespace Sandpiper

#include "sftp/localdisk.h"

#include <cerrno>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/statvfs.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

QThreadPool *diskPool()
{
    static QThreadPool *const pool = [] {
        auto *made = new QThreadPool; // never deleted, see the declaration
        made->setMaxThreadCount(6);
        made->setObjectName(u"disk"_s);
        return made;
    }();
    return pool;
}

namespace LocalDisk {
namespace {

const char *raw(const FilePath &path)
{
    return path.bytes().isEmpty() ? "." : path.bytes().constData();
}

Done doneOr(int answer, const FilePath &path)
{
    if (answer == 0)
        return {};
    return failed(path);
}

} // namespace

std::unexpected<Error> failed(const FilePath &path)
{
    const int number = errno; // before shown() can change it
    return std::unexpected(localError(number, path.shown()));
}

Result<FilePath> homeFolder()
{
    const QByteArray said = qgetenv("HOME");
    if (said.startsWith('/'))
        return FilePath::fromBytes(said);
    std::vector<char> room(16 << 10);
    passwd entry = {};
    passwd *found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, room.data(), room.size(), &found) == 0 && found)
        return FilePath::fromBytes(found->pw_dir);
    return FilePath::fromBytes("/");
}

Result<FilePath> realPath(const FilePath &path)
{
    const std::unique_ptr<char, decltype(&std::free)> found(::realpath(raw(path), nullptr), &std::free);
    if (!found)
        return failed(path);
    return FilePath::fromBytes(found.get());
}

Result<FileAttributes> stat(const FilePath &path, LinkPolicy links)
{
    struct stat found = {};
    if (::fstatat(AT_FDCWD, raw(path), &found, links == LinkPolicy::Follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
        return failed(path);
    return attributesOf(found);
}

Result<FilePath> readLink(const FilePath &path)
{
    QByteArray target(FilePath::mostBytes, Qt::Uninitialized);
    const ssize_t size = ::readlink(raw(path), target.data(), size_t(target.size()));
    if (size < 0)
        return failed(path);
    target.truncate(size);
    return FilePath::fromBytes(target);
}

Done setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links)
{
    const int flags = links == LinkPolicy::Follow ? 0 : AT_SYMLINK_NOFOLLOW;
    if (attributes.size && ::truncate(raw(path), off_t(*attributes.size)) != 0)
        return failed(path);
    // The owner first: a change of it takes the set-user-ID bit away.
    if (attributes.owner && ::fchownat(AT_FDCWD, raw(path), attributes.owner->user, attributes.owner->group, flags) != 0)
        return failed(path);
    if (attributes.mode && ::fchmodat(AT_FDCWD, raw(path), *attributes.mode & 07777, flags) != 0)
        return failed(path);
    if (attributes.times) {
        const timespec times[] = {{time_t(attributes.times->accessed), 0}, {time_t(attributes.times->modified), 0}};
        if (::utimensat(AT_FDCWD, raw(path), times, flags) != 0)
            return failed(path);
    }
    return {};
}

Done makeFolder(const FilePath &path)
{
    return doneOr(::mkdir(raw(path), 0777), path);
}

Done removeFile(const FilePath &path)
{
    return doneOr(::unlink(raw(path)), path);
}

Done removeFolder(const FilePath &path)
{
    return doneOr(::rmdir(raw(path)), path);
}

Done rename(const FilePath &from, const FilePath &to, RenamePolicy policy)
{
    if (policy == RenamePolicy::Replace)
        return doneOr(::rename(raw(from), raw(to)), from);
    if (::renameat2(AT_FDCWD, raw(from), AT_FDCWD, raw(to), RENAME_NOREPLACE) == 0)
        return {};
    if (errno == EEXIST)
        return failed(to);
    if (errno != EINVAL && errno != ENOSYS)
        return failed(from);
    // A file system that cannot promise it: looked at first, which is what is left.
    struct stat there = {};
    if (::lstat(raw(to), &there) == 0) {
        errno = EEXIST;
        return failed(to);
    }
    return doneOr(::rename(raw(from), raw(to)), from);
}

Done makeSymlink(const FilePath &target, const FilePath &link)
{
    return doneOr(::symlink(target.bytes().constData(), raw(link)), link);
}

Done makeHardlink(const FilePath &existing, const FilePath &link)
{
    return doneOr(::link(raw(existing), raw(link)), link);
}

Result<FileSystemSpace> space(const FilePath &path)
{
    struct statvfs found = {};
    if (::statvfs(raw(path), &found) != 0)
        return failed(path);
    FileSystemSpace space;
    space.blockSize = found.f_bsize;
    space.fragmentSize = found.f_frsize;
    space.blocks = found.f_blocks;
    space.freeBlocks = found.f_bfree;
    space.availableBlocks = found.f_bavail;
    space.files = found.f_files;
    space.freeFiles = found.f_ffree;
    space.availableFiles = found.f_favail;
    space.id = found.f_fsid;
    space.flags = found.f_flag;
    space.longestName = found.f_namemax;
    return space;
}

Done copyFile(const FilePath &from, const FilePath &to)
{
    const Result<FileDescriptor> source = openToRead(from);
    if (!source)
        return std::unexpected(source.error());
    FileWriteWish wish;
    wish.path = to;
    struct stat found = {};
    if (::fstat(source->get(), &found) == 0)
        wish.mode = found.st_mode & 0777;
    const Result<FileDescriptor> target = openToWrite(wish);
    if (!target)
        return std::unexpected(target.error());
    for (;;) {
        const ssize_t copied = ::copy_file_range(source->get(), nullptr, target->get(), nullptr, 8 << 20, 0);
        if (copied == 0)
            return {};
        if (copied < 0 && errno != EINTR) {
            const auto error = failed(to);
            ::unlink(raw(to));
            return error;
        }
    }
}

Result<OwnerNames> ownerNames(const QList<quint32> &users, const QList<quint32> &groups)
{
    OwnerNames names;
    std::vector<char> room(64 << 10);
    for (const quint32 user : users) {
        passwd entry = {};
        passwd *found = nullptr;
        if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) == 0 && found)
            names.users.insert(user, found->pw_name);
    }
    for (const quint32 number : groups) {
        group entry = {};
        group *found = nullptr;
        if (::getgrgid_r(number, &entry, room.data(), room.size(), &found) == 0 && found)
            names.groups.insert(number, found->gr_name);
    }
    return names;
}

Result<FileDescriptor> openToRead(const FilePath &path)
{
    FileDescriptor fd(::open(raw(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd.isValid())
        return failed(path);
    struct stat found = {};
    if (::fstat(fd.get(), &found) != 0)
        return failed(path);
    if (!S_ISREG(found.st_mode))
        return failure(S_ISDIR(found.st_mode) ? ErrorKind::InvalidInput : ErrorKind::Unsupported, Layer::LocalDisk, u"this is no plain file"_s, path.shown());
    return fd;
}

Result<FileDescriptor> openToWrite(const FileWriteWish &wish)
{
    int flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_CREAT;
    switch (wish.existing) {
    case FileWriteWish::Existing::Refuse: flags |= O_EXCL; break;
    case FileWriteWish::Existing::Empty: flags |= O_TRUNC; break;
    case FileWriteWish::Existing::Keep: break;
    }
    FileDescriptor fd(::open(raw(wish.path), flags, wish.mode.value_or(0666) & 07777));
    if (!fd.isValid())
        return failed(wish.path);
    struct stat found = {};
    if (::fstat(fd.get(), &found) != 0)
        return failed(wish.path);
    if (!S_ISREG(found.st_mode))
        return failure(ErrorKind::Unsupported, Layer::LocalDisk, u"this is no plain file"_s, wish.path.shown());
    return fd;
}

} // namespace LocalDisk
} // namespace Sandpiper

#include "sftp/localtarget.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostNames = 1000; // "name (1000)": then something else is wrong

} // namespace

LocalTarget::LocalTarget(const FileTransferWish &wish)
    : m_wish(wish)
    , m_subject(wish.tree->shown(wish.local))
    , m_name(wish.local.name())
{
}

LocalTarget::~LocalTarget()
{
    if (m_isMade && !m_isLeft)
        ::unlinkat(m_folder->get(), m_wish.hiddenName.constData(), 0);
}

std::optional<FileAttributes> LocalTarget::look(const QByteArray &name) const
{
    struct stat status;
    if (::fstatat(m_folder->get(), name.constData(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return std::nullopt;
    return attributesOf(status);
}

int LocalTarget::makeHidden() const
{
    // Where it is to be as any new file, the umask says how.
    return ::openat(m_folder->get(), m_wish.hiddenName.constData(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, m_wish.keepsMode ? 0600 : 0666);
}

Result<std::optional<FileOutcome>> LocalTarget::begin(const FileAttributes &source)
{
    if (!isPlainName(m_name))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"no file here can have this name"_s, m_subject);
    const Result<LocalTree::Folder> folder = m_wish.tree->folder(m_wish.local.parent(), LocalTree::Missing::Make);
    if (!folder)
        return std::unexpected(folder.error());
    m_folder = *folder;
    const std::optional<FileAttributes> existing = m_wish.part.begins || m_wish.part.ends ? look(m_name) : std::nullopt;
    if (existing) {
        if (existing->isFolder() && m_wish.onConflict != OnConflict::Rename)
            return failure(ErrorKind::Conflict, Layer::LocalDisk, u"a folder has this name"_s, m_subject);
        if (m_wish.mayBeThere && looksSame(source, *existing))
            return FileOutcome{FileOutcome::Kind::Moved, {*existing->size, *existing->mode, existing->times->modified}, m_name};
        const std::optional<bool> may = mayReplace(m_wish.onConflict, source, *existing);
        if (!may && m_wish.onConflict == OnConflict::Ask)
            return FileOutcome{FileOutcome::Kind::Conflict, {}, {}, source, *existing};
        if (may && !*may)
            return FileOutcome{.kind = FileOutcome::Kind::Skipped};
        m_replaces = may.has_value();
    }
    if (m_wish.part.begins) {
        int file = makeHidden();
        if (file < 0 && errno == EEXIST && ::unlinkat(m_folder->get(), m_wish.hiddenName.constData(), 0) == 0)
            file = makeHidden();
        if (file < 0)
            return failed(errno);
        m_file = FileDescriptor(file);
        m_isMade = true;
    } else {
        m_file = FileDescriptor(::openat(m_folder->get(), m_wish.hiddenName.constData(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!m_file.isValid())
            return failed(errno);
    }
    return std::nullopt;
}

Done LocalTarget::write(quint64 offset, QByteArrayView bytes)
{
    while (!bytes.isEmpty()) {
        const ssize_t written = ::pwrite(m_file.get(), bytes.data(), size_t(bytes.size()), off_t(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return failed(written < 0 ? errno : EIO);
        offset += quint64(written);
        bytes = bytes.sliced(written);
    }
    return {};
}

Done LocalTarget::giveName()
{
    const int folder = m_folder->get();
    const char *hidden = m_wish.hiddenName.constData();
    if (m_replaces)
        return ::renameat(folder, hidden, folder, m_name.constData()) == 0 ? Done() : failed(errno);
    const QByteArray wanted = m_name;
    for (int number = 2; number <= kMostNames; ++number) {
        if (::renameat2(folder, hidden, folder, m_name.constData(), RENAME_NOREPLACE) == 0)
            return {};
        // Not every file system can say so in one step: a second name, then the first one goes.
        if (errno == EINVAL && ::linkat(folder, hidden, folder, m_name.constData(), 0) == 0)
            return ::unlinkat(folder, hidden, 0) == 0 ? Done() : failed(errno);
        // Something came there meanwhile.
        if (errno != EEXIST || m_wish.onConflict != OnConflict::Rename)
            return failed(errno);
        m_name = otherName(wanted, number);
    }
    return failed(EEXIST);
}

Result<FileOutcome> LocalTarget::finish(const FileAttributes &source, const QByteArray &sha256)
{
    // Nobody becomes somebody else by a file from elsewhere.
    if (m_wish.keepsMode && source.mode && ::fchmod(m_file.get(), *source.mode & 0777) != 0)
        return failed(errno);
    if (m_wish.keepsTimes && source.times) {
        const timespec times[2] = {{time_t(source.times->accessed), 0}, {time_t(source.times->modified), 0}};
        if (::futimens(m_file.get(), times) != 0)
            return failed(errno);
    }
    struct stat status;
    if (::fstat(m_file.get(), &status) != 0)
        return failed(errno);
    if ((m_wish.syncs || quint64(status.st_size) > kSyncedFrom) && ::fsync(m_file.get()) != 0)
        return failed(errno);
    if (const Done named = giveName(); !named)
        return std::unexpected(named.error());
    m_isLeft = true;
    const std::optional<FileAttributes> there = look(m_name);
    if (!there || there->size != quint64(status.st_size))
        return failure(ErrorKind::Io, Layer::LocalDisk, u"it is not there as it was written"_s, m_subject);
    return FileOutcome{FileOutcome::Kind::Moved, {*there->size, *there->mode, there->times->modified, sha256}, m_name};
}

} // namespace Sandpiper

#include "sftp/localstreams.h"

#include "session/background.h"
#include "sftp/localdisk.h"

#include <QPointer>

#include <cerrno>

#include <fcntl.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kFirstRows = 200; // there at once
constexpr qsizetype kRows = 4000;
constexpr qint64 kMostUnreadRows = 20'000;
constexpr qsizetype kPiece = 1 << 20;
constexpr qint64 kMostUnreadBytes = 4 << 20;

} // namespace

struct LocalListing::Step
{
    std::shared_ptr<DIR> folder;
    QList<FileEntry> rows;
    quint64 refused = 0;
    bool isEnd = false;
    std::optional<Error> error;
};

LocalListing::LocalListing(const FilePath &path)
    : m_path(path)
{
    next();
}

void LocalListing::consumed(qint64 rows)
{
    m_unread -= rows;
    next();
}

void LocalListing::next()
{
    if (m_isBusy || m_isOver || m_unread >= kMostUnreadRows)
        return;
    m_isBusy = true;
    const qsizetype most = m_folder ? kRows : kFirstRows;
    auto work = [path = m_path, folder = m_folder, most]() mutable {
        Step step;
        if (!folder) {
            FileDescriptor fd(::open(path.onTheWire().constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
            DIR *opened = fd.isValid() ? ::fdopendir(fd.get()) : nullptr;
            if (!opened) {
                step.error = LocalDisk::failed(path).error();
                return step;
            }
            (void)fd.release(); // the folder's now
            folder.reset(opened, ::closedir);
        }
        step.folder = folder;
        while (step.rows.size() < most) {
            errno = 0;
            const dirent *entry = ::readdir(folder.get());
            if (!entry) {
                step.isEnd = true;
                if (errno != 0)
                    step.error = LocalDisk::failed(path).error();
                break;
            }
            const QByteArrayView name(entry->d_name);
            if (name == "." || name == "..")
                continue;
            if (!isPlainName(name)) {
                ++step.refused;
                continue;
            }
            struct stat found = {};
            if (::fstatat(::dirfd(folder.get()), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0)
                step.rows.append({name.toByteArray(), attributesOf(found)});
            else if (errno != ENOENT) // gone meanwhile
                step.rows.append({name.toByteArray(), FileAttributes{.size = {}, .owner = {}, .mode = DTTOIF(entry->d_type), .times = {}}});
        }
        return step;
    };
    inBackground(diskPool(), this, std::move(work), [this](Step step) { take(std::move(step)); });
}

void LocalListing::take(Step step)
{
    m_isBusy = false;
    m_folder = step.folder;
    m_end.names += quint64(step.rows.size());
    m_end.refused += step.refused;
    m_unread += step.rows.size();
    m_isOver = step.isEnd || step.error;
    const QPointer<LocalListing> still(this);
    if (!step.rows.isEmpty())
        emit rowsReceived(step.rows);
    if (!still)
        return;
    if (step.error)
        emit finished(std::unexpected(*step.error));
    else if (m_isOver)
        emit finished(m_end);
    else
        next();
}

struct LocalReader::Step
{
    std::shared_ptr<FileDescriptor> file;
    QByteArray bytes;
    bool isEnd = false;
    std::optional<Error> error;
};

LocalReader::LocalReader(const FileReadWish &wish)
    : m_wish(wish)
    , m_at(wish.offset)
{
    next();
}

void LocalReader::consumed(qint64 bytes)
{
    m_unread -= bytes;
    next();
}

void LocalReader::next()
{
    if (m_isBusy || m_isOver || m_unread >= kMostUnreadBytes)
        return;
    m_isBusy = true;
    const quint64 left = m_wish.length ? *m_wish.length - m_end.bytes : quint64(kPiece);
    auto work = [path = m_wish.path, file = m_file, at = m_at, most = qsizetype(std::min<quint64>(left, quint64(kPiece)))]() mutable {
        Step step;
        if (!file) {
            Result<FileDescriptor> opened = LocalDisk::openToRead(path);
            if (!opened) {
                step.error = opened.error();
                return step;
            }
            file = std::make_shared<FileDescriptor>(std::move(*opened));
        }
        step.file = file;
        step.bytes.resize(most);
        ssize_t size = 0;
        do {
            size = most == 0 ? 0 : ::pread(file->get(), step.bytes.data(), size_t(most), off_t(at));
        } while (size < 0 && errno == EINTR);
        if (size < 0)
            step.error = LocalDisk::failed(path).error();
        step.isEnd = size <= 0;
        step.bytes.truncate(std::max<ssize_t>(size, 0));
        return step;
    };
    inBackground(diskPool(), this, std::move(work), [this](Step step) { take(std::move(step)); });
}

void LocalReader::take(Step step)
{
    m_isBusy = false;
    m_file = step.file;
    m_at += quint64(step.bytes.size());
    m_end.bytes += quint64(step.bytes.size());
    m_unread += step.bytes.size();
    m_isOver = step.isEnd || step.error;
    const QPointer<LocalReader> still(this);
    if (!step.bytes.isEmpty())
        emit received(step.bytes);
    if (!still)
        return;
    if (step.error)
        emit finished(std::unexpected(*step.error));
    else if (m_isOver)
        emit finished(m_end);
    else
        next();
}

LocalWriter::LocalWriter(const FileWriteWish &wish)
    : m_wish(wish)
    , m_at(wish.offset)
{
    next();
}

void LocalWriter::write(const QByteArray &bytes)
{
    if (bytes.isEmpty() || m_closing || m_isOver)
        return;
    m_pending += bytes.size();
    m_waiting.push_back(bytes);
    next();
}

void LocalWriter::close(Sync sync)
{
    if (m_closing)
        return;
    m_closing = sync;
    next();
}

void LocalWriter::next()
{
    const bool hasWork = !m_file || !m_waiting.empty() || m_closing;
    if (m_isBusy || m_isOver || !hasWork)
        return;
    m_isBusy = true;
    QByteArray bytes;
    if (!m_waiting.empty()) {
        bytes = m_waiting.front();
        m_waiting.pop_front();
    }
    struct Step
    {
        std::shared_ptr<FileDescriptor> file;
        qsizetype size = 0;
        bool isEnd = false;
        std::optional<Error> error;
    };
    const bool isLast = m_closing && m_waiting.empty();
    auto work = [wish = m_wish, file = m_file, at = m_at, bytes, isLast, sync = m_closing.value_or(Sync::No)]() mutable {
        Step step;
        if (!file) {
            Result<FileDescriptor> opened = LocalDisk::openToWrite(wish);
            if (!opened) {
                step.error = opened.error();
                return step;
            }
            file = std::make_shared<FileDescriptor>(std::move(*opened));
        }
        step.file = file;
        while (step.size < bytes.size()) {
            const ssize_t size = ::pwrite(file->get(), bytes.constData() + step.size, size_t(bytes.size() - step.size), off_t(at) + step.size);
            if (size < 0 && errno == EINTR)
                continue;
            if (size <= 0) {
                step.error = LocalDisk::failed(wish.path).error();
                return step;
            }
            step.size += size;
        }
        step.isEnd = isLast;
        if (isLast && sync == Sync::Yes && ::fsync(file->get()) != 0)
            step.error = LocalDisk::failed(wish.path).error();
        // The last word of a disk that had none before, an NFS server's say.
        else if (isLast && ::close(file->release()) != 0)
            step.error = LocalDisk::failed(wish.path).error();
        return step;
    };
    inBackground(diskPool(), this, std::move(work), [this](const Step &step) {
        m_isBusy = false;
        m_file = step.file;
        m_at += quint64(step.size);
        m_pending -= step.size;
        m_isOver = step.isEnd || step.error;
        const QPointer<LocalWriter> still(this);
        if (step.size > 0)
            emit taken(step.size);
        if (!still)
            return;
        if (step.error)
            emit finished(std::unexpected(*step.error));
        else if (m_isOver)
            emit finished({});
        else
            next();
    });
}

} // namespace Sandpiper

#include "sftp/treeremoval.h"

namespace Sandpiper {
namespace {

constexpr int kMostUnderWay = 128;
constexpr int kMostListings = 8;
constexpr qsizetype kMostErrors = 100;
// A folder that is listed while so many wait would only fill the memory.
constexpr size_t kMostWaiting = 20'000;

} // namespace

TreeRemoval::TreeRemoval(FileSystem *files, const QList<Target> &targets, QObject *parent)
    : QObject(parent)
    , m_files(files)
    , m_targets(targets)
{
}

TreeRemoval::~TreeRemoval() = default;

void TreeRemoval::start()
{
    for (const Target &target : std::as_const(m_targets)) {
        if (target.isFolder)
            openFolder(target.path, -1);
        else
            m_waiting.emplace_back(target.path, -1);
    }
    startMore();
    // Never from inside of this call.
    QMetaObject::invokeMethod(this, &TreeRemoval::finishIfDone, Qt::QueuedConnection);
}

void TreeRemoval::openFolder(const FilePath &path, qint64 parent)
{
    const qint64 id = ++m_lastFolder;
    Folder &folder = m_folders[id];
    folder.path = path;
    folder.parent = parent;
    folder.left = 1;
    m_unlisted.push_back(id);
}

void TreeRemoval::startMore()
{
    while (m_files && m_underWay < kMostUnderWay && !m_waiting.empty()) {
        const auto [path, parent] = m_waiting.front();
        m_waiting.pop_front();
        removeFile(path, parent);
    }
    // The latest first: depth before breadth keeps few folders open.
    while (m_files && m_listings < kMostListings && m_waiting.size() < kMostWaiting && !m_unlisted.empty()) {
        const qint64 id = m_unlisted.back();
        m_unlisted.pop_back();
        ++m_listings;
        Folder &folder = m_folders[id];
        folder.listing = m_files->list(folder.path);
        FileListing *listing = folder.listing.get();
        connect(listing, &FileListing::rowsReceived, this, [this, id, listing](const QList<FileEntry> &rows) {
            const FilePath at = m_folders[id].path;
            for (const FileEntry &row : rows) {
                const Result<FilePath> path = at.child(row.name);
                if (!path)
                    continue; // it makes its folder stay, and that is told
                ++m_folders[id].left;
                if (row.attributes.isFolder())
                    openFolder(*path, id);
                else
                    m_waiting.emplace_back(*path, id);
            }
            listing->consumed(rows.size());
            startMore();
        });
        connect(listing, &FileListing::finished, this, [this, id](const Result<ListEnd> &end) {
            --m_listings;
            m_folders[id].listing.release()->deleteLater(); // it is what speaks
            if (!end)
                tell(end.error());
            settled(id, end.has_value());
            startMore();
            finishIfDone();
        });
    }
}

void TreeRemoval::removeFile(const FilePath &path, qint64 parent)
{
    ++m_underWay;
    m_files->removeFile(path).then(this, [this, parent](const Done &done) {
        --m_underWay;
        // Somebody else was faster: that is what was wanted.
        const bool isGone = done || done.error().kind == ErrorKind::NotFound;
        if (!isGone)
            tell(done.error());
        else if (++m_outcome.removed % 64 == 0)
            emit progressed(m_outcome.removed);
        settled(parent, isGone);
        startMore();
        finishIfDone();
    });
}

void TreeRemoval::settled(qint64 id, bool isGone)
{
    if (id < 0)
        return;
    Folder &folder = m_folders[id];
    folder.isKept = folder.isKept || !isGone;
    if (--folder.left > 0)
        return;
    const FilePath path = folder.path;
    const qint64 parent = folder.parent;
    const bool isKept = folder.isKept;
    m_folders.erase(id);
    if (isKept || !m_files)
        return settled(parent, false);
    ++m_underWay;
    m_files->removeFolder(path).then(this, [this, parent](const Done &done) {
        --m_underWay;
        const bool isRemoved = done || done.error().kind == ErrorKind::NotFound;
        if (!isRemoved)
            tell(done.error());
        else
            ++m_outcome.removed;
        settled(parent, isRemoved);
        startMore();
        finishIfDone();
    });
}

void TreeRemoval::tell(const Error &error)
{
    ++m_outcome.failed;
    if (m_outcome.errors.size() < kMostErrors)
        m_outcome.errors.append(error);
}

void TreeRemoval::finishIfDone()
{
    const bool isLost = !m_files;
    if (m_isOver || m_underWay > 0 || m_listings > 0 || (!isLost && (!m_waiting.empty() || !m_unlisted.empty())))
        return;
    m_isOver = true;
    if (isLost && (!m_waiting.empty() || !m_unlisted.empty() || !m_folders.empty()))
        tell({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    emit finished(m_outcome);
}

} // namespace Sandpiper

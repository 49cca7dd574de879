#include "sftp/treework.h"

namespace Sandpiper {
namespace {

constexpr int kMostWorkUnderWay = 128;
constexpr int kMostFoldersListed = 8;
constexpr qsizetype kMostWorkErrors = 100;
// A folder that is listed while so many wait would only fill the memory.
constexpr size_t kMostWaiting = 20'000;

} // namespace

TreeWork::TreeWork(FileSystem *files, const QList<Target> &targets, QObject *parent)
    : QObject(parent)
    , m_files(files)
    , m_targets(targets)
{
}

TreeWork::~TreeWork() = default;

void TreeWork::start()
{
    for (const Target &target : std::as_const(m_targets)) {
        if (target.isFolder)
            openFolder({target}, -1);
        else
            m_waiting.emplace_back(Item{target}, -1);
    }
    startMore();
    // Never from inside of this call.
    QMetaObject::invokeMethod(this, &TreeWork::finishIfDone, Qt::QueuedConnection);
}

void TreeWork::openFolder(const Item &item, qint64 parent)
{
    const qint64 id = ++m_lastFolder;
    Folder &folder = m_folders[id];
    folder.item = item;
    folder.parent = parent;
    folder.left = 1;
    m_unlisted.push_back(id);
}

void TreeWork::startMore()
{
    while (m_files && m_underWay < kMostWorkUnderWay && !m_waiting.empty()) {
        const auto [item, parent] = m_waiting.front();
        m_waiting.pop_front();
        work(item, parent);
    }
    // The latest first: depth before breadth keeps few folders open.
    while (m_files && m_listings < kMostFoldersListed && m_waiting.size() < kMostWaiting && !m_unlisted.empty()) {
        const qint64 id = m_unlisted.back();
        m_unlisted.pop_back();
        enter(id);
    }
}

void TreeWork::enter(qint64 id)
{
    ++m_listings;
    std::optional<QFuture<Done>> first = beforeFolder(m_folders[id].item);
    if (!first)
        return listFolder(id);
    ++m_underWay;
    first->then(this, [this, id](const Done &done) {
        --m_underWay;
        answered(done);
        if (!done)
            m_folders[id].isIncomplete = true;
        listFolder(id);
        startMore();
        finishIfDone();
    });
}

void TreeWork::listFolder(qint64 id)
{
    Folder &folder = m_folders[id];
    if (!m_files || !goesInto(folder.item)) {
        --m_listings;
        return settled(id, m_files != nullptr);
    }
    folder.listing = m_files->list(folder.item.path);
    FileListing *listing = folder.listing.get();
    connect(listing, &FileListing::rowsReceived, this, [this, id, listing](const QList<FileEntry> &rows) {
        const FilePath at = m_folders[id].item.path;
        for (const FileEntry &row : rows) {
            const Result<FilePath> path = at.child(row.name);
            if (!path)
                continue; // it makes its folder stay, and that is told
            ++m_folders[id].left;
            const Item item{{*path, row.attributes.isFolder(), row.attributes}, true};
            if (item.isFolder)
                openFolder(item, id);
            else
                m_waiting.emplace_back(item, id);
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

void TreeWork::work(const Item &item, qint64 parent)
{
    ++m_underWay;
    doFile(item).then(this, [this, parent](const Done &done) {
        --m_underWay;
        answered(done);
        settled(parent, done || done.error().kind == ErrorKind::NotFound);
        startMore();
        finishIfDone();
    });
}

void TreeWork::answered(const Done &done)
{
    // Not there any more: somebody else was faster, and there is nothing to be told.
    if (!done && done.error().kind != ErrorKind::NotFound)
        tell(done.error());
    else if (++m_outcome.done % 64 == 0)
        emit progressed(m_outcome.done);
}

void TreeWork::settled(qint64 id, bool isDone)
{
    if (id < 0)
        return;
    Folder &folder = m_folders[id];
    folder.isIncomplete = folder.isIncomplete || !isDone;
    if (--folder.left > 0)
        return;
    const Item item = folder.item;
    const qint64 parent = folder.parent;
    const bool isWhole = !folder.isIncomplete;
    m_folders.erase(id);
    std::optional<QFuture<Done>> last;
    if (m_files)
        last = afterFolder(item, isWhole ? FolderEnd::Whole : FolderEnd::Incomplete);
    if (!last)
        return settled(parent, isWhole && m_files);
    ++m_underWay;
    last->then(this, [this, parent, isWhole](const Done &done) {
        --m_underWay;
        answered(done);
        settled(parent, isWhole && (done || done.error().kind == ErrorKind::NotFound));
        startMore();
        finishIfDone();
    });
}

void TreeWork::tell(const Error &error)
{
    ++m_outcome.failed;
    if (m_outcome.errors.size() < kMostWorkErrors)
        m_outcome.errors.append(error);
}

void TreeWork::finishIfDone()
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

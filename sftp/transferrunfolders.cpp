// Folders and links of a transfer, and what is done at its end.
#include "session/background.h"
#include "sftp/localdisk.h"
#include "sftp/transferlarge.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

Done makeTree(const FilePath &path)
{
    for (qsizetype slash = path.bytes().indexOf('/', 1);; slash = path.bytes().indexOf('/', slash + 1)) {
        const QByteArray above = slash < 0 ? path.bytes() : path.bytes().first(slash);
        if (::mkdir(above.constData(), 0777) != 0 && errno != EEXIST)
            return std::unexpected(localError(errno, path.shown()));
        if (slash < 0)
            return {};
    }
}

Done makeLocalLink(const LocalTree &tree, const FilePath &path, const QByteArray &leads, bool replaces)
{
    const Result<LocalTree::Folder> folder = tree.folder(path.parent(), LocalTree::Missing::Fail);
    if (!folder)
        return std::unexpected(folder.error());
    const QByteArray name = path.name();
    if (::symlinkat(leads.constData(), (*folder)->get(), name.constData()) == 0)
        return {};
    if (errno != EEXIST)
        return std::unexpected(localError(errno, tree.shown(path)));
    QByteArray there(FilePath::mostBytes, Qt::Uninitialized);
    const ssize_t size = ::readlinkat((*folder)->get(), name.constData(), there.data(), size_t(there.size()));
    if (size >= 0 && there.first(size) == leads)
        return {};
    if (replaces && ::unlinkat((*folder)->get(), name.constData(), 0) == 0 && ::symlinkat(leads.constData(), (*folder)->get(), name.constData()) == 0)
        return {};
    return failure(ErrorKind::Conflict, Layer::LocalDisk, u"something else has this name"_s, tree.shown(path));
}

void finishLocalFolder(const LocalTree &tree, const FilePath &path, const FileAttributes &attributes, bool keepsTimes)
{
    const Result<LocalTree::Folder> folder = tree.folder(path, LocalTree::Missing::Fail);
    if (!folder)
        return;
    if (attributes.times && keepsTimes) {
        const timespec times[2] = {{time_t(attributes.times->accessed), 0}, {time_t(attributes.times->modified), 0}};
        (void)::futimens((*folder)->get(), times);
    }
    if (attributes.mode)
        (void)::fchmod((*folder)->get(), *attributes.mode & 0777);
}

qsizetype depthOf(const FilePath &path)
{
    return path.bytes().count('/');
}

} // namespace

Layer TransferRun::targetLayer() const
{
    return m_transfer.wish.way == TransferWay::Fetch ? Layer::LocalDisk : Layer::Sftp;
}

// Once: later it may be there because of us.
void TransferRun::findTarget()
{
    const FilePath target = m_transfer.wish.target;
    if (m_transfer.wish.way == TransferWay::Fetch) {
        inBackground(
                diskPool(), this,
                [target] {
                    struct stat status;
                    return ::stat(target.bytes().constData(), &status) == 0 && S_ISDIR(status.st_mode);
                },
                [this](bool isFolder) { targetFound(isFolder); });
        return;
    }
    SftpClient *client = anyClient();
    if (!client) {
        m_postponed.push_back([this] { findTarget(); });
        return;
    }
    client->stat(target).then(this, [this](const Result<FileAttributes> &found) {
        if (!found && found.error().kind == ErrorKind::ConnectionLost)
            return m_postponed.push_back([this] { findTarget(); });
        targetFound(found && found->isFolder());
    });
}

void TransferRun::targetFound(bool isFolder)
{
    TransferWish &wish = m_transfer.wish;
    wish.namesUnlessFolder = false;
    if (!isFolder && wish.sources.size() == 1 && isPlainName(wish.target.name())) {
        wish.targetName = wish.target.name();
        wish.target = wish.target.parent();
    }
    m_journal->add(m_transfer, this, [this] { openTarget(); });
}

void TransferRun::openTarget()
{
    const FilePath target = m_transfer.wish.target;
    if (m_transfer.wish.way == TransferWay::Send)
        return makeRemoteTarget(target, {});
    inBackground(
            diskPool(), this,
            [target]() -> Result<std::shared_ptr<LocalTree>> {
                const Done made = makeTree(target);
                return made ? LocalTree::open(target) : std::unexpected(made.error());
            },
            [this](const Result<std::shared_ptr<LocalTree>> &tree) {
                if (!tree) {
                    m_progress.error = tree.error();
                    return end(TransferState::Failed);
                }
                m_targetTree = *tree;
                m_folders.insert(FilePath(), FolderState::There);
                startScan();
            });
}

// From below: what is there needs no looking at what is above. missing: below it, and to be made, the deepest first.
void TransferRun::makeRemoteTarget(const FilePath &path, QList<FilePath> missing)
{
    SftpClient *client = anyClient();
    if (!client) {
        m_postponed.push_back([this, path, missing] { makeRemoteTarget(path, missing); });
        return;
    }
    const auto failed = [this](const Error &error) {
        m_progress.error = error;
        end(TransferState::Failed);
    };
    client->stat(path).then(this, [this, path, missing, failed](const Result<FileAttributes> &found) mutable {
        if (!found && found.error().kind == ErrorKind::ConnectionLost)
            return m_postponed.push_back([this, path, missing] { makeRemoteTarget(path, missing); });
        if (found && !found->isFolder())
            return failed({ErrorKind::Conflict, Layer::Sftp, u"this is not a folder"_s, path.shown()});
        if (!found) {
            if (found.error().kind != ErrorKind::NotFound || path.isEmpty() || path.parent() == path)
                return failed(found.error());
            missing.append(path);
            return makeRemoteTarget(path.parent(), missing);
        }
        if (missing.isEmpty()) {
            m_folders.insert(FilePath(), FolderState::There);
            return startScan();
        }
        SftpClient *now = anyClient();
        const FilePath next = missing.takeLast();
        if (!now)
            return m_postponed.push_back([this, next, missing] { makeRemoteTarget(next, missing); });
        now->makeFolder(next).then(this, [this, next, missing, failed](const Done &made) {
            if (!made && made.error().kind != ErrorKind::Conflict && made.error().kind != ErrorKind::ConnectionLost)
                return failed(made.error());
            makeRemoteTarget(next, missing);
        });
    });
}

void TransferRun::whenFolderIs(const FilePath &folder, std::function<void(bool isThere)> then)
{
    const auto state = m_folders.constFind(folder);
    if (state == m_folders.cend() || *state == FolderState::Making)
        m_forFolder[folder].append(std::move(then));
    else
        then(*state != FolderState::Failed);
}

void TransferRun::makeFolder(const ScannedItem &item)
{
    if (m_folders.contains(item.target))
        return;
    m_folders.insert(item.target, FolderState::Making);
    ++m_others;
    whenFolderIs(item.target.parent(), [this, item](bool isThere) {
        if (!isThere)
            return folderMade(item, std::unexpected(Error{ErrorKind::NotFound, targetLayer(), u"its folder could not be made"_s, item.source.shown()}));
        if (m_transfer.wish.way == TransferWay::Fetch) {
            inBackground(
                    diskPool(), this, [tree = m_targetTree, path = item.target, mode = m_transfer.wish.keepsMode ? 0700U : 0777U] { return tree->makeFolder(path, mode); },
                    [this, item](const Result<bool> &isNew) { folderMade(item, isNew); });
        } else {
            makeRemoteFolder(item);
        }
    });
}

void TransferRun::makeRemoteFolder(const ScannedItem &item)
{
    SftpClient *client = anyClient();
    const auto again = [this, item] { m_postponed.push_back([this, item] { makeRemoteFolder(item); }); };
    if (!client)
        return again();
    const FilePath path = m_transfer.wish.target.joined(item.target);
    client->makeFolder(path).then(this, [this, item, path, again](const Done &made) {
        if (made)
            return folderMade(item, true);
        if (made.error().kind == ErrorKind::ConnectionLost)
            return again();
        SftpClient *now = anyClient();
        if (made.error().kind != ErrorKind::Conflict || !now)
            return made.error().kind == ErrorKind::Conflict ? again() : folderMade(item, std::unexpected(made.error()));
        now->stat(path).then(this, [this, item, path, again](const Result<FileAttributes> &there) {
            if (!there && there.error().kind == ErrorKind::ConnectionLost)
                return again();
            const bool isFolder = there && there->isFolder();
            folderMade(item, isFolder ? Result<bool>(false) : failure(ErrorKind::Conflict, Layer::Sftp, u"something else has this name"_s, path.shown()));
        });
    });
}

void TransferRun::folderMade(const ScannedItem &item, const Result<bool> &isNew)
{
    --m_others;
    m_folders.insert(item.target, !isNew ? FolderState::Failed : *isNew ? FolderState::Fresh : FolderState::There);
    if (!isNew)
        fail(item.source, isNew.error());
    else if (*isNew || m_known.contains(item.target.bytes() + '/'))
        m_madeFolders.append(item);
    if (isNew && *isNew) // also at the next start, which finds it there
        m_journal->update(m_transfer.id, {item.target.bytes() + '/', JournalledFile::State::Begun});
    if (m_transfer.wish.moves && isNew)
        m_movedFolders.append(item);
    for (const auto &then : m_forFolder.take(item.target))
        then(isNew.has_value());
    goOn();
}

void TransferRun::makeLink(const ScannedItem &item)
{
    ++m_others;
    whenFolderIs(item.target.parent(), [this, item](bool isThere) {
        if (!isThere)
            return linkMade(item, failure(ErrorKind::NotFound, targetLayer(), u"its folder could not be made"_s, item.source.shown()));
        if (m_transfer.wish.way == TransferWay::Fetch) {
            const bool replaces = m_forAll.value_or(m_transfer.wish.onConflict) == OnConflict::Overwrite;
            inBackground(
                    diskPool(), this, [tree = m_targetTree, item, replaces] { return makeLocalLink(*tree, item.target, item.linkTarget, replaces); },
                    [this, item](const Done &made) { linkMade(item, made); });
        } else {
            makeRemoteLink(item);
        }
    });
}

void TransferRun::makeRemoteLink(const ScannedItem &item)
{
    SftpClient *client = anyClient();
    const auto again = [this, item] { m_postponed.push_back([this, item] { makeRemoteLink(item); }); };
    const Result<FilePath> leads = FilePath::fromBytes(item.linkTarget);
    if (!client)
        return again();
    if (!leads)
        return linkMade(item, std::unexpected(leads.error()));
    const FilePath path = m_transfer.wish.target.joined(item.target);
    client->makeSymlink(*leads, path).then(this, [this, item, path, again](const Done &made) {
        if (made || made.error().kind != ErrorKind::Conflict)
            return !made && made.error().kind == ErrorKind::ConnectionLost ? again() : linkMade(item, made);
        SftpClient *now = anyClient();
        if (!now)
            return again();
        now->readLink(path).then(this, [this, item, path, again](const Result<FilePath> &there) {
            if (!there && there.error().kind == ErrorKind::ConnectionLost)
                return again();
            if (there && there->bytes() == item.linkTarget)
                return linkMade(item, Done());
            SftpClient *last = anyClient();
            if (!there || m_forAll.value_or(m_transfer.wish.onConflict) != OnConflict::Overwrite || !last)
                return linkMade(item, failure(ErrorKind::Conflict, Layer::Sftp, u"something else has this name"_s, path.shown()));
            last->removeFile(path).then(this, [this, item](const Done &removed) { removed ? makeRemoteLink(item) : linkMade(item, removed); });
        });
    });
}

void TransferRun::linkMade(const ScannedItem &item, const Done &made)
{
    --m_others;
    if (made) {
        ++m_progress.filesMoved;
        if (m_transfer.wish.moves)
            m_moved.append(item);
    } else {
        fail(item.source, made.error());
    }
    goOn();
}

void TransferRun::concludeIfDone()
{
    const bool isQuiet = m_active.isEmpty() && m_found.empty() && m_small.empty() && m_segments.empty() && m_conflicts.empty() && m_large.isEmpty()
            && m_beginning == 0 && m_others == 0;
    if (!m_scan || !m_scan->isFinished() || !isQuiet || std::exchange(m_isEnding, true))
        return;
    // The deepest first: what is done in a folder changes its time, and one that may not be written keeps others out.
    std::ranges::stable_sort(m_madeFolders, std::ranges::greater(), [](const ScannedItem &item) { return depthOf(item.target); });
    finishFolders();
}

void TransferRun::finishFolders()
{
    const TransferWish &wish = m_transfer.wish;
    if (!wish.keepsMode)
        m_madeFolders.clear(); // they are as any new folder
    if (wish.way == TransferWay::Fetch) {
        inBackground(
                diskPool(), this,
                [tree = m_targetTree, folders = m_madeFolders, keepsTimes = wish.keepsTimes] {
                    for (const ScannedItem &folder : folders)
                        finishLocalFolder(*tree, folder.target, folder.attributes, keepsTimes);
                    return true;
                },
                [this](bool) { removeSources(); });
        return;
    }
    SftpClient *client = anyClient();
    if (!client) {
        m_postponed.push_back([this] { finishFolders(); });
        return;
    }
    // What a server refuses of it is no reason to call the bytes lost.
    const auto left = std::make_shared<qsizetype>(m_madeFolders.size() + 1);
    const auto one = [this, left] {
        if (--*left == 0)
            removeSources();
    };
    for (const ScannedItem &folder : std::as_const(m_madeFolders)) {
        FileAttributes attributes;
        if (folder.attributes.mode)
            attributes.mode = *folder.attributes.mode & 0777;
        if (wish.keepsTimes)
            attributes.times = folder.attributes.times;
        client->setAttributes(wish.target.joined(folder.target), attributes).then(this, [one](const Done &) { one(); });
    }
    one();
}

// Of a transfer that moves. What cannot be removed is told, and stays.
void TransferRun::removeSources()
{
    if (!m_transfer.wish.moves || (m_moved.isEmpty() && m_movedFolders.isEmpty()))
        return end(TransferState::Finished);
    std::ranges::stable_sort(m_movedFolders, std::ranges::greater(), [](const ScannedItem &item) { return depthOf(item.target); });
    if (m_transfer.wish.way == TransferWay::Send) {
        inBackground(
                diskPool(), this,
                [items = std::exchange(m_moved, {}), folders = std::exchange(m_movedFolders, {})] {
                    QList<TransferFailure> failures;
                    for (const ScannedItem &item : items) {
                        const Result<LocalTree::Folder> folder = item.tree->folder(item.local.parent(), LocalTree::Missing::Fail);
                        if (!folder || ::unlinkat((*folder)->get(), item.local.name().constData(), 0) != 0)
                            failures.append({item.source, folder ? localError(errno, item.source.shown()) : folder.error()});
                    }
                    for (const ScannedItem &item : folders) {
                        if (::rmdir(item.source.bytes().constData()) != 0 && errno != ENOTEMPTY)
                            failures.append({item.source, localError(errno, item.source.shown())});
                    }
                    return failures;
                },
                [this](const QList<TransferFailure> &failures) {
                    for (const TransferFailure &failure : failures)
                        fail(failure.path, failure.error);
                    end(TransferState::Finished);
                });
        return;
    }
    removeRemoteSources();
}

void TransferRun::removeRemoteSources()
{
    SftpClient *client = anyClient();
    if (!client) {
        m_postponed.push_back([this] { removeRemoteSources(); });
        return;
    }
    const auto left = std::make_shared<qsizetype>(m_moved.size() + 1);
    const auto one = [this, left] {
        if (--*left > 0)
            return;
        if (m_movedFolders.isEmpty())
            return end(TransferState::Finished);
        // One after the other: the inner ones first.
        const ScannedItem folder = m_movedFolders.takeFirst();
        SftpClient *now = anyClient();
        if (!now) {
            m_movedFolders.prepend(folder);
            return m_postponed.push_back([this] { removeRemoteSources(); });
        }
        now->removeFolder(folder.source).then(this, [this](const Done &) { removeRemoteSources(); });
    };
    for (const ScannedItem &item : std::exchange(m_moved, {})) {
        client->removeFile(item.source).then(this, [this, item, one](const Done &removed) {
            if (!removed)
                fail(item.source, removed.error());
            one();
        });
    }
    one();
}

void TransferRun::cancel()
{
    if (m_isOver || std::exchange(m_isCancelled, true))
        return;
    // Each of the small ones removes what is half of it.
    m_isEnding = true;
    m_conflicts.clear();
    m_found.clear();
    m_small.clear();
    m_segments.clear();
    for (const auto &active : std::exchange(m_active, {}))
        active->stream.reset();
    for (const std::shared_ptr<Large> &large : std::exchange(m_large, {}))
        removeHidden(large->whole.item);
    if (SftpClient *client = anyClient()) {
        // Behind what was ordered before: when this is answered, that is done.
        client->stat(FilePath()).then(this, [this](const Result<FileAttributes> &) { end(TransferState::Cancelled); });
        return;
    }
    QMetaObject::invokeMethod(this, [this] { end(TransferState::Cancelled); }, Qt::QueuedConnection);
}

void TransferRun::end(TransferState state)
{
    if (m_isOver)
        return;
    m_isEnding = true;
    m_measure.stop();
    m_links.setWanted(0);
    m_progress.links = 0;
    m_progress.bytesPerSecond = 0;
    m_progress.state = state;
    m_isOver = true;
    m_report.stop();
    if (state == TransferState::Finished || state == TransferState::Cancelled)
        m_progress.error.reset();
    // Not from here: whoever hears of it deletes us.
    QMetaObject::invokeMethod(
            this,
            [this, state] {
                emit changed();
                emit finished(state);
            },
            Qt::QueuedConnection);
}

} // namespace Sandpiper

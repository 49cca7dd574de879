// Folders and links of a transfer, and what is done at its end.
#include "session/background.h"
#include "sftp/localdisk.h"
#include "sftp/transferlarge.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostAsked = 64; // at once, of what is done at the end

Done makeTree(const FilePath &path)
{
    for (qsizetype slash = path.bytes().indexOf('/', 1);; slash = path.bytes().indexOf('/', slash + 1)) {
        const QByteArray above = slash < 0 ? path.bytes() : path.bytes().first(slash);
        if (::mkdir(above.constData(), 0777) != 0 && errno != EEXIST) {
            if (errno == ENOTDIR)
                return failure(ErrorKind::Conflict, Layer::LocalDisk, u"one of the folders above it is none"_s, path.shown());
            return std::unexpected(localError(errno, path.shown()));
        }
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
                if (!tree)
                    return endWith(tree.error());
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
    client->stat(path).then(this, [this, path, missing](const Result<FileAttributes> &found) mutable {
        if (!found && found.error().kind == ErrorKind::ConnectionLost)
            return m_postponed.push_back([this, path, missing] { makeRemoteTarget(path, missing); });
        if (found && !found->isFolder())
            return endWith({ErrorKind::Conflict, Layer::Sftp, u"this is not a folder"_s, path.shown()});
        if (!found) {
            if (found.error().kind != ErrorKind::NotFound || path.isEmpty() || path.parent() == path)
                return endWith(found.error());
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
        now->makeFolder(next).then(this, [this, next, missing](const Done &made) {
            if (!made && made.error().kind != ErrorKind::Conflict && made.error().kind != ErrorKind::ConnectionLost)
                return endWith(made.error());
            makeRemoteTarget(next, missing);
        });
    });
}

void TransferRun::makeFolderThere(const ScannedItem &item)
{
    if (m_transfer.wish.way != TransferWay::Fetch)
        return makeRemoteFolder(item);
    inBackground(
            diskPool(), this, [tree = m_targetTree, path = item.target, mode = m_transfer.wish.keepsMode ? 0700U : 0777U] { return tree->makeFolder(path, mode); },
            [this, item](const Result<bool> &isNew) { folderMade(item, isNew); });
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

void TransferRun::makeLinkThere(const ScannedItem &item)
{
    if (m_transfer.wish.way != TransferWay::Fetch)
        return makeRemoteLink(item);
    const bool replaces = policy() == OnConflict::Overwrite;
    inBackground(
            diskPool(), this, [tree = m_targetTree, item, replaces] { return makeLocalLink(*tree, item.target, item.linkTarget, replaces); },
            [this, item](const Done &made) { linkMade(item, made); });
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
            if (!there || policy() != OnConflict::Overwrite || !last)
                return linkMade(item, failure(ErrorKind::Conflict, Layer::Sftp, u"something else has this name"_s, path.shown()));
            last->removeFile(path).then(this, [this, item](const Done &removed) { removed ? makeRemoteLink(item) : linkMade(item, removed); });
        });
    });
}

void TransferRun::verify()
{
    const TransferWish &wish = m_transfer.wish;
    const bool isFetch = wish.way == TransferWay::Fetch;
    QList<TransferVerify::File> files;
    for (const Arrived &file : std::as_const(m_arrivedFiles)) {
        files.append({isFetch ? m_targetTree : file.item.tree, isFetch ? file.target : file.item.local, isFetch ? file.item.source : wish.target.joined(file.target),
                      file.item.attributes.size.value_or(0)});
    }
    m_verify = std::make_unique<TransferVerify>(std::move(files), TransferVerify::Services{[this] { return m_links.anyLink(); }, [this] { return anyClient(); }});
    connect(m_verify.get(), &TransferVerify::compared, this, &TransferRun::verified);
    connect(m_verify.get(), &TransferVerify::finished, this, &TransferRun::verifyEnded);
    m_verify->goOn();
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
    askForEach(
            m_madeFolders,
            [wish](SftpClient *at, const ScannedItem &folder) {
                FileAttributes attributes;
                if (folder.attributes.mode)
                    attributes.mode = *folder.attributes.mode & 0777;
                if (wish.keepsTimes)
                    attributes.times = folder.attributes.times;
                return at->setAttributes(wish.target.joined(folder.target), attributes);
            },
            // What a server refuses of it is no reason to call the bytes lost.
            [](const ScannedItem &, const Done &) {}, [this] { removeSources(); });
}

// Many at once would hold up this thread. In their order, also over a lost connection.
struct TransferRun::Asked
{
    QList<ScannedItem> items; // not asked about
    qsizetype open = 0;
    bool isPostponed = false;
    bool isOver = false;
    AskAbout ask;
    std::function<void(const ScannedItem &, const Done &)> told;
    std::function<void()> then;
};

void TransferRun::askForEach(const QList<ScannedItem> &items, AskAbout ask, std::function<void(const ScannedItem &, const Done &)> told, std::function<void()> then)
{
    askOn(std::make_shared<Asked>(Asked{items, 0, false, false, std::move(ask), std::move(told), std::move(then)}));
}

void TransferRun::askOn(const std::shared_ptr<Asked> &asked)
{
    asked->isPostponed = false;
    while (!asked->items.isEmpty() && asked->open < kMostAsked) {
        SftpClient *client = anyClient();
        if (!client) {
            if (!std::exchange(asked->isPostponed, true))
                m_postponed.push_back([this, asked] { askOn(asked); });
            return;
        }
        const ScannedItem item = asked->items.takeFirst();
        ++asked->open;
        asked->ask(client, item).then(this, [this, asked, item](const Done &answer) {
            --asked->open;
            if (!answer && answer.error().kind == ErrorKind::ConnectionLost)
                asked->items.append(item);
            else
                asked->told(item, answer);
            if (!asked->isPostponed)
                askOn(asked);
        });
    }
    if (asked->items.isEmpty() && asked->open == 0 && !std::exchange(asked->isOver, true))
        asked->then();
}

// Of a transfer that moves. What cannot be removed is told, and stays.
void TransferRun::removeSources()
{
    if (!m_transfer.wish.moves || (m_moved.isEmpty() && m_movedFolders.isEmpty()))
        return end(TransferState::Finished);
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
    askForEach(
            std::exchange(m_moved, {}), [](SftpClient *at, const ScannedItem &item) { return at->removeFile(item.source); },
            [this](const ScannedItem &item, const Done &removed) {
                // Not there: it went with an answer that was lost.
                if (!removed && removed.error().kind != ErrorKind::NotFound)
                    fail(item.source, removed.error());
            },
            [this] { removeRemoteFolders(); });
}

// One after the other: the inner ones first.
void TransferRun::removeRemoteFolders()
{
    if (m_movedFolders.isEmpty())
        return end(TransferState::Finished);
    SftpClient *client = anyClient();
    if (!client) {
        m_postponed.push_back([this] { removeRemoteFolders(); });
        return;
    }
    client->removeFolder(m_movedFolders.takeFirst().source).then(this, [this](const Done &) { removeRemoteFolders(); });
}

void TransferRun::cancel()
{
    if (m_isOver || std::exchange(m_isCancelled, true))
        return;
    // Each of the small ones removes what is half of it.
    dropAll();
    m_segments.clear();
    if (m_verify) {
        m_verify->disconnect(this);
        m_verify.release()->deleteLater(); // this may be its own signal
    }
    m_active.clear();
    for (Lane &lane : std::exchange(m_lanes, {}))
        letGoOf(std::move(lane));
    for (const std::shared_ptr<Large> &large : std::exchange(m_large, {}))
        removeHidden(large->whole.item);
    // Behind what was ordered before: when each has answered this, that is done.
    const QList<SftpClient *> clients = m_links.clients();
    const auto left = std::make_shared<qsizetype>(clients.size() + 1);
    const auto one = [this, left] {
        if (--*left == 0)
            end(TransferState::Cancelled);
    };
    for (SftpClient *client : clients)
        client->stat(FilePath()).then(this, [one](const Result<FileAttributes> &) { one(); });
    QMetaObject::invokeMethod(this, one, Qt::QueuedConnection);
}

} // namespace Sandpiper

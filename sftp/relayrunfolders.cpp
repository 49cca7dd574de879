// The target, folders and links of a relay, and what is done at its end.
#include "sftp/fileanswer.h"
#include "sftp/relayrun.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostRemovals = 64; // at once

bool isIn(const FilePath &path, const FilePath &folder)
{
    const QByteArray above = folder.bytes().endsWith('/') ? folder.bytes() : folder.bytes() + '/';
    return path.bytes().startsWith(above);
}

} // namespace

template <typename Answer, typename Then>
void RelayRun::ask(RelayPlace *at, const QFuture<Answer> &answer, std::function<void()> again, Then then)
{
    onAnswer(answer, this, [this, of = at->files(), again = std::move(again), then](const Answer &said) {
        if (m_isOver || m_isCancelled)
            return;
        if (!said && isOutOfReach(said.error())) {
            complain(of, said.error());
            return whenOpen(again);
        }
        // The other one may have gone meanwhile, or this one just now.
        isOpen() ? then(said) : whenOpen([then, said] { then(said); });
    });
}

FilePath RelayRun::landingOf(const FilePath &source) const
{
    const QByteArray name = m_transfer.wish.targetName.isEmpty() ? source.name() : m_transfer.wish.targetName;
    return FilePath().child(name).value_or(FilePath());
}

void RelayRun::completePaths()
{
    TransferWish &wish = m_transfer.wish;
    const auto completed = [](const FilePath &path, const FilePath &home) { return path.isEmpty() ? home : home.joined(path); };
    if (!wish.target.isAbsolute()) {
        return ask(to(), to()->files()->homeFolder(), [this] { completePaths(); }, [this, completed](const Result<FilePath> &home) {
            if (!home || !home->isAbsolute())
                return endWith(home ? Error{ErrorKind::Protocol, targetLayer(), u"it does not say where a login lands"_s, {}} : home.error());
            m_transfer.wish.target = completed(m_transfer.wish.target, *home);
            completePaths();
        });
    }
    if (!std::ranges::all_of(m_sources, &FilePath::isAbsolute)) {
        return ask(m_from.get(), m_from->files()->homeFolder(), [this] { completePaths(); }, [this, completed](const Result<FilePath> &home) {
            if (!home || !home->isAbsolute())
                return endWith(home ? Error{ErrorKind::Protocol, m_from->layer(), u"it does not say where a login lands"_s, {}} : home.error());
            for (FilePath &source : m_sources)
                source = completed(source, *home);
            completePaths();
        });
    }
    wish.namesUnlessFolder ? findTarget() : openTarget();
}

void RelayRun::findTarget()
{
    ask(to(), to()->files()->stat(m_transfer.wish.target), [this] { findTarget(); }, [this](const Result<FileAttributes> &found) { targetFound(found && found->isFolder()); });
}

void RelayRun::openTarget()
{
    // Those below a base keep their own paths, and each is meant by itself.
    if (!m_transfer.wish.base.isEmpty())
        return whenOpen([this] { lookForTarget(m_transfer.wish.target, {}); });
    // Two of one name would be in each other's way.
    QSet<FilePath> names;
    const QList<FilePath> sources = std::exchange(m_sources, {});
    for (const FilePath &source : sources) {
        if (names.contains(landingOf(source))) {
            refuse(source, ErrorKind::Conflict, u"another one of those that were named is called so too"_s);
        } else {
            names.insert(landingOf(source));
            m_sources.append(source);
        }
    }
    whenOpen([this] { lookForTarget(m_transfer.wish.target, {}); });
}

// From below: what is there needs no looking at what is above. missing: below it, and to be made, the deepest first.
void RelayRun::lookForTarget(const FilePath &path, const QList<FilePath> &missing)
{
    ask(to(), to()->files()->stat(path), [this, path, missing] { lookForTarget(path, missing); }, [this, path, missing](const Result<FileAttributes> &found) {
        if (found && !found->isFolder())
            return endWith({ErrorKind::Conflict, targetLayer(), u"this is not a folder"_s, path.shown()});
        if (found)
            return refuseLoops(path, missing);
        if (found.error().kind != ErrorKind::NotFound || path.isEmpty() || path.parent() == path)
            return endWith(found.error());
        lookForTarget(path.parent(), missing + QList<FilePath>{path});
    });
}

// Before anything is made: a folder that went into itself would never end.
void RelayRun::refuseLoops(const FilePath &base, const QList<FilePath> &missing)
{
    if (!isOnePlace() || !m_transfer.wish.base.isEmpty())
        return makeTarget(missing);
    ask(to(), to()->files()->realPath(base), [this, base, missing] { refuseLoops(base, missing); }, [this, base, missing](const Result<FilePath> &real) {
        if (!real)
            return endWith(real.error());
        const FilePath below = missing.isEmpty() ? FilePath() : FilePath::fromBytes(missing.constFirst().bytes().sliced(base.bytes().size())).value_or(FilePath());
        QByteArray relative = below.bytes();
        while (relative.startsWith('/'))
            relative.slice(1);
        const FilePath realTarget = relative.isEmpty() ? *real : real->joined(FilePath::fromBytes(relative).value_or(FilePath()));
        const auto left = std::make_shared<qsizetype>(m_sources.size() + 1); // of the answers
        const auto one = [this, left, missing] {
            if (--*left == 0)
                makeTarget(missing);
        };
        for (const FilePath &source : QList<FilePath>(m_sources))
            compareWithSource(source, realTarget, one);
        one();
    });
}

void RelayRun::compareWithSource(const FilePath &source, const FilePath &realTarget, std::function<void()> then)
{
    const auto again = [this, source, realTarget, then] { compareWithSource(source, realTarget, then); };
    ask(m_from.get(), m_from->files()->realPath(source), again, [this, source, realTarget, then, again](const Result<FilePath> &real) {
        if (!real) // the search will tell
            return then();
        if (*real == realTarget || isIn(realTarget, *real)) {
            refuse(source, ErrorKind::InvalidInput, u"a folder cannot be copied or moved into itself"_s);
            return then();
        }
        if (*real != realTarget.joined(landingOf(source)))
            return then();
        if (m_transfer.wish.moves) {
            refuse(source, ErrorKind::InvalidInput, u"it is there already: this is it itself"_s);
            return then();
        }
        // A file may become a second one beside itself.
        ask(m_from.get(), m_from->files()->stat(source), again, [this, source, then](const Result<FileAttributes> &found) {
            if (found && found->isFolder())
                refuse(source, ErrorKind::InvalidInput, u"it is there already: this is it itself"_s);
            then();
        });
    });
}

void RelayRun::refuse(const FilePath &source, ErrorKind kind, const QString &reason)
{
    m_sources.removeOne(source);
    fail(source, {kind, m_from->layer(), reason, source.shown()});
}

void RelayRun::makeTarget(QList<FilePath> missing)
{
    const bool isMade = to()->files()->can(FileAction::MakeFolder);
    if (missing.isEmpty() || !isMade) {
        // What cannot be made comes with the first file in it.
        m_folders.insert(FilePath(), missing.isEmpty() ? FolderState::There : FolderState::Fresh);
        return renameSources();
    }
    const FilePath next = missing.takeLast();
    ask(to(), to()->files()->makeFolder(next), [this, next, missing] { makeTarget(missing + QList<FilePath>{next}); }, [this, missing](const Done &made) {
        if (!made && made.error().kind != ErrorKind::Conflict) // an earlier try may have made it
            return endWith(made.error());
        makeTarget(missing);
    });
}

// Of a move within one place: its name may be all that changes. What cannot be renamed is copied, and then removed.
void RelayRun::renameSources()
{
    if (!m_transfer.wish.moves || !isOnePlace() || !m_transfer.wish.base.isEmpty() || m_sources.isEmpty() || !to()->files()->can(FileAction::Rename))
        return startScan();
    QList<JournalledFile> files;
    for (const FilePath &source : std::as_const(m_sources)) {
        if (!m_known.contains(landingOf(source).bytes()))
            files.append({landingOf(source).bytes(), JournalledFile::State::Begun});
    }
    m_journal->begin(m_transfer.id, files, this, [this] { renameSource(m_sources.size() - 1); });
}

// From the last one on: those that are done go out of the list.
void RelayRun::renameSource(qsizetype index)
{
    if (m_isCancelled)
        return;
    if (!isOpen())
        return whenOpen([this, index] { renameSource(index); });
    if (index < 0)
        return startScan();
    const FilePath source = m_sources.at(index);
    const FilePath target = landingOf(source);
    const auto known = m_known.constFind(target.bytes());
    if (known != m_known.cend() && known->state == JournalledFile::State::Moved)
        return sourceRenamed(index);
    const auto again = [this, index] { renameSource(index); };
    ask(to(), to()->files()->rename(source, absolute(target), RenamePolicy::Keep), again, [this, index, target, again, wasBegun = known != m_known.cend()](const Done &renamed) {
        if (renamed)
            return sourceRenamed(index);
        if (renamed.error().kind != ErrorKind::NotFound || !wasBegun)
            return renameSource(index - 1);
        // An earlier start may have done it, and was stopped before it could say so.
        ask(to(), to()->files()->stat(absolute(target), LinkPolicy::NoFollow), again, [this, index](const Result<FileAttributes> &found) { found ? sourceRenamed(index) : renameSource(index - 1); });
    });
}

void RelayRun::sourceRenamed(qsizetype index)
{
    const FilePath target = landingOf(m_sources.takeAt(index));
    m_begun.remove(target);
    ++m_progress.files;
    ++m_progress.filesMoved;
    JournalledFile file{target.bytes(), JournalledFile::State::Moved};
    file.name = target.name();
    m_journal->update(m_transfer.id, file);
    report();
    renameSource(index - 1);
}

// Folders and links --------------------------------------------------------------------------------

void RelayRun::makeFolderThere(const ScannedItem &item)
{
    if (!isOpen())
        return whenOpen([this, item] { makeFolderThere(item); });
    FileSystem *files = to()->files();
    if (!files->can(FileAction::MakeFolder))
        return lookForFolder(item);
    const FilePath path = absolute(item.target);
    const auto again = [this, item] { makeFolderThere(item); };
    ask(to(), files->makeFolder(path), again, [this, item, path](const Done &made) {
        if (!made)
            return made.error().kind == ErrorKind::Conflict ? lookForFolder(item) : folderMade(item, std::unexpected(made.error()));
        const bool knowsMode = m_transfer.wish.keepsMode && item.attributes.mode && m_from->files()->can(FileAction::SetMode) && to()->files()->can(FileAction::SetMode);
        if (!knowsMode)
            return folderMade(item, true);
        // What is nobody else's business at the source is not so here meanwhile. What comes into it must be written.
        FileAttributes attributes;
        attributes.mode = (*item.attributes.mode & 0777) | 0700;
        ask(to(), to()->files()->setAttributes(path, attributes), [this, item] { folderMade(item, true); }, [this, item](const Done &) { folderMade(item, true); });
    });
}

// By itself, not by where a link leads: a source that is not honest could have put it there.
void RelayRun::lookForFolder(const ScannedItem &item)
{
    const FilePath path = absolute(item.target);
    const auto again = [this, item] { lookForFolder(item); };
    if (m_folders.value(item.target.parent()) == FolderState::Fresh && !to()->files()->can(FileAction::MakeFolder)) {
        m_unmade.insert(item.target, item);
        return folderMade(item, true);
    }
    ask(to(), to()->files()->stat(path, LinkPolicy::NoFollow), again, [this, item, path](const Result<FileAttributes> &there) {
        if (there && there->isFolder())
            return folderMade(item, false);
        if (there)
            return folderMade(item, failure(ErrorKind::Conflict, targetLayer(), u"something else has this name"_s, path.shown()));
        if (there.error().kind != ErrorKind::NotFound || to()->files()->can(FileAction::MakeFolder))
            return folderMade(item, std::unexpected(there.error()));
        m_unmade.insert(item.target, item);
        folderMade(item, true);
    });
}

void RelayRun::makeLinkThere(const ScannedItem &item)
{
    if (!isOpen())
        return whenOpen([this, item] { makeLinkThere(item); });
    const Result<FilePath> leads = FilePath::fromBytes(item.linkTarget);
    const QString reason = to()->files()->reasonAgainst(FileAction::MakeSymlink);
    if (!leads || !reason.isEmpty())
        return linkMade(item, leads ? failure(ErrorKind::Unsupported, targetLayer(), reason, item.source.shown()) : std::unexpected(leads.error()));
    ask(to(), to()->files()->makeSymlink(*leads, absolute(item.target)), [this, item] { makeLinkThere(item); }, [this, item, leads](const Done &made) {
        !made && made.error().kind == ErrorKind::Conflict ? lookAtLink(item, *leads) : linkMade(item, made);
    });
}

void RelayRun::lookAtLink(const ScannedItem &item, const FilePath &leads)
{
    const FilePath path = absolute(item.target);
    const auto again = [this, item] { makeLinkThere(item); };
    ask(to(), to()->files()->readLink(path), again, [this, item, leads, path, again](const Result<FilePath> &there) {
        if (there && *there == leads)
            return linkMade(item, Done());
        if (!there || policy() != OnConflict::Overwrite)
            return linkMade(item, failure(ErrorKind::Conflict, targetLayer(), u"something else has this name"_s, path.shown()));
        ask(to(), to()->files()->removeFile(path), again, [this, item](const Done &removed) { removed ? makeLinkThere(item) : linkMade(item, removed); });
    });
}

// Its end ------------------------------------------------------------------------------------------

void RelayRun::finishFolders()
{
    const TransferWish &wish = m_transfer.wish;
    if (!wish.keepsMode)
        m_madeFolders.clear(); // they are as any new folder
    const auto left = std::make_shared<qsizetype>(m_madeFolders.size() + 1); // of the answers
    for (const ScannedItem &folder : std::as_const(m_madeFolders))
        finishFolder(left, folder);
    if (--*left == 0)
        foldersFinished();
}

// What is refused of it is no reason to call the bytes lost.
void RelayRun::finishFolder(const std::shared_ptr<qsizetype> &left, const ScannedItem &folder)
{
    if (!isOpen())
        return whenOpen([this, left, folder] { finishFolder(left, folder); });
    const auto one = [this, left] {
        if (--*left == 0)
            foldersFinished();
    };
    FileAttributes attributes;
    if (folder.attributes.mode && m_from->files()->can(FileAction::SetMode) && to()->files()->can(FileAction::SetMode))
        attributes.mode = *folder.attributes.mode & 0777;
    if (m_transfer.wish.keepsTimes && to()->files()->can(FileAction::SetTimes))
        attributes.times = folder.attributes.times;
    if (!attributes.mode && !attributes.times)
        return one();
    ask(to(), to()->files()->setAttributes(absolute(folder.target), attributes), [this, left, folder] { finishFolder(left, folder); }, [one](const Done &) { one(); });
}

void RelayRun::foldersFinished()
{
    // Innermost ones only: what is in them was told with them.
    for (const ScannedItem &folder : std::as_const(m_unmade)) {
        const bool hasInner = std::ranges::any_of(std::as_const(m_unmade), [&](const ScannedItem &other) { return isIn(other.target, folder.target); });
        if (!hasInner)
            fail(folder.source, {ErrorKind::Unsupported, targetLayer(), u"an empty folder cannot be made there"_s, folder.source.shown()});
    }
    sweep([this] { removeSources(); });
}

// Of a transfer that moves. What cannot be removed is told, and stays.
void RelayRun::removeSources()
{
    if (!m_transfer.wish.moves)
        return end(TransferState::Finished);
    if (!isOpen())
        return whenOpen([this] { removeSources(); });
    while (!m_moved.isEmpty() && m_removing < kMostRemovals) {
        const ScannedItem item = m_moved.takeFirst();
        ++m_removing;
        const auto again = [this, item] {
            --m_removing;
            m_moved.append(item);
            removeSources();
        };
        ask(m_from.get(), m_from->files()->removeFile(item.source), again, [this, item](const Done &removed) {
            --m_removing;
            if (!removed && removed.error().kind != ErrorKind::NotFound)
                fail(item.source, removed.error());
            removeSources();
        });
    }
    if (m_removing == 0 && m_moved.isEmpty())
        removeSourceFolders();
}

// One after the other: the inner ones first.
void RelayRun::removeSourceFolders()
{
    if (m_movedFolders.isEmpty())
        return end(TransferState::Finished);
    const ScannedItem folder = m_movedFolders.takeFirst();
    const auto again = [this, folder] {
        m_movedFolders.prepend(folder);
        removeSourceFolders();
    };
    if (!isOpen())
        return whenOpen(again);
    ask(m_from.get(), m_from->files()->removeFolder(folder.source), again, [this, folder](const Done &removed) {
        // One that is not empty holds what was told before.
        const bool isNews = !removed && removed.error().kind != ErrorKind::Conflict && removed.error().kind != ErrorKind::NotFound && removed.error().kind != ErrorKind::ServerError;
        if (isNews && folder.target.parent().isEmpty())
            fail(folder.source, removed.error());
        removeSourceFolders();
    });
}

} // namespace Sandpiper

// Large files of a transfer: begun, moved in parts over several connections, ended; and gone on with after a stop.
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

constexpr quint64 kOverlap = 64 << 10; // that is compared before a file is gone on with

// Empty: it cannot be read.
QByteArray readPart(const std::shared_ptr<const LocalTree> &tree, const FilePath &path, quint64 offset, qsizetype size)
{
    const Result<LocalTree::Folder> folder = tree->folder(path.parent(), LocalTree::Missing::Fail);
    if (!folder)
        return {};
    const FileDescriptor file(::openat((*folder)->get(), path.name().constData(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    QByteArray bytes(size, Qt::Uninitialized);
    const ssize_t got = file.isValid() ? ::pread(file.get(), bytes.data(), size_t(size), off_t(offset)) : -1;
    return got == size ? bytes : QByteArray();
}

} // namespace

void TransferRun::beginLarge(const Work &work)
{
    const auto large = std::make_shared<Large>();
    large->whole = work;
    large->there = QByteArray(qsizetype((large->size() + kSegment - 1) / kSegment), '\0');
    m_large.append(large);
    const JournalledFile known = m_known.value(work.item.target.bytes());
    const QByteArray before = known.segments;
    const bool isSame = known.size == large->size() && (!work.item.attributes.times || known.modified == work.item.attributes.times->modified);
    if (work.mayBeThere && isSame && before.size() == large->there.size() && before.contains('\1'))
        compareOverlap(large, before);
    else
        startLarge(large);
}

// Whether the end of what an earlier start has moved is the same on both sides; else it is moved anew.
void TransferRun::compareOverlap(const std::shared_ptr<Large> &large, const QByteArray &before)
{
    SftpClient *client = anyClient();
    if (!client) {
        m_postponed.push_back([this, large, before] { compareOverlap(large, before); });
        return;
    }
    const quint64 end = std::min(large->size(), quint64(before.lastIndexOf('\1') + 1) * kSegment);
    const quint64 offset = end - std::min(end, kOverlap);
    const FileTransferWish wish = fileWish(large->whole);
    const bool isFetch = wish.way == TransferWay::Fetch;
    const FilePath hiddenHere = wish.local.parent().joined(FilePath::fromBytes(wish.hiddenName).value());
    const FilePath hiddenThere = wish.remote.parent().joined(FilePath::fromBytes(wish.hiddenName).value());
    ++m_others;
    SftpReader *reader = client->read({.path = isFetch ? wish.remote : hiddenThere, .offset = offset, .length = end - offset}).release();
    reader->setParent(this); // until it is over
    const auto there = std::make_shared<QByteArray>();
    connect(reader, &SftpReader::received, this, [there, reader](const QByteArray &bytes) {
        *there += bytes;
        reader->consumed(bytes.size());
    });
    connect(reader, &SftpReader::finished, this, [this, large, before, reader, there, wish, isFetch, hiddenHere, offset, size = qsizetype(end - offset)](const Result<ReadEnd> &how) {
        reader->deleteLater();
        if (!how && how.error().kind == ErrorKind::ConnectionLost) {
            --m_others;
            m_postponed.push_back([this, large, before] { compareOverlap(large, before); });
            return;
        }
        inBackground(
                diskPool(), this, [tree = wish.tree, path = isFetch ? hiddenHere : wish.local, offset, size] { return readPart(tree, path, offset, size); },
                [this, large, before, there](const QByteArray &here) {
                    --m_others;
                    if (!here.isEmpty() && here == *there) {
                        large->there = before;
                        large->isAgain = true;
                        const quint64 moved = std::min(large->size(), quint64(before.count('\1')) * kSegment);
                        m_progress.bytesMoved += moved;
                        m_measuredBytes += moved;
                        queueSegments(large);
                    } else {
                        startLarge(large);
                    }
                    goOn();
                });
    });
}

void TransferRun::startLarge(const std::shared_ptr<Large> &large)
{
    const auto known = m_known.find(large->whole.item.target.bytes());
    if (known == m_known.end() || !known->segments.contains('\1'))
        return makeLarge(large);
    // A kill from now on must not find what the hidden file has had before.
    known->segments.clear();
    JournalledFile none = journalled(large->whole, JournalledFile::State::Begun);
    none.segments = large->there;
    ++m_others;
    m_journal->begin(m_transfer.id, {none}, this, [this, large] {
        --m_others;
        if (!m_isEnding)
            makeLarge(large);
        goOn();
    });
}

// The hidden file first; and what stands in the way of it all.
void TransferRun::makeLarge(const std::shared_ptr<Large> &large)
{
    Work begin = large->whole;
    begin.large = large;
    begin.part = {.begins = true, .ends = false, .offset = 0, .length = 0};
    ++large->underWay;
    m_segments.push_back(std::move(begin));
}

void TransferRun::queueSegments(const std::shared_ptr<Large> &large)
{
    if (large->isAllThere() && large->underWay == 0) {
        Work ending = large->whole;
        ending.large = large;
        ending.part = {.begins = false, .ends = true, .offset = large->size(), .length = 0};
        ++large->underWay;
        m_segments.push_back(std::move(ending));
        return;
    }
    for (; large->next < large->there.size(); ++large->next) {
        if (large->there.at(large->next) != '\0')
            continue;
        Work part = large->whole;
        part.large = large;
        part.segment = large->next;
        part.part = {.begins = false, .ends = false, .offset = quint64(large->next) * kSegment, .length = kSegment};
        ++large->underWay;
        m_segments.push_back(std::move(part));
    }
}

void TransferRun::largeWentOn(const Work &work, const FileOutcome &outcome)
{
    const std::shared_ptr<Large> large = work.large;
    --large->underWay;
    if (large->isOver) {
        // Its bytes are of no use.
        if (!work.part.ends)
            m_progress.bytesMoved -= std::min(m_progress.bytesMoved, outcome.receipt.size);
        return giveBackLarge(large);
    }
    if (outcome.kind != FileOutcome::Kind::Moved || work.part.ends || !outcome.name.isEmpty()) {
        // It is decided: about a name that is taken, or because it has its name, perhaps from before a kill.
        if (outcome.kind == FileOutcome::Kind::Conflict)
            return askAbout(work, outcome);
        m_large.removeOne(large);
        if (outcome.kind == FileOutcome::Kind::Skipped && work.part.ends)
            removeHidden(large->whole.item);
        return fileEnded(large->whole, outcome);
    }
    if (work.segment >= 0) {
        large->there[work.segment] = '\1';
        JournalledFile file = journalled(work, JournalledFile::State::Begun);
        file.segments = large->there;
        m_journal->update(m_transfer.id, file);
    }
    if (work.segment < 0 || large->isAllThere())
        queueSegments(large);
}

// After an answer to a question: the step that it stopped at.
void TransferRun::retryLarge(const Work &work)
{
    work.large->whole.onConflict = work.onConflict;
    ++work.large->underWay;
    m_segments.push_front(work);
}

void TransferRun::largeFailed(const Work &work, const Error &error)
{
    const std::shared_ptr<Large> large = work.large;
    --large->underWay;
    if (large->isOver)
        return giveBackLarge(large);
    if (error.kind == ErrorKind::ConnectionLost || error.kind == ErrorKind::Cancelled) {
        ++large->underWay;
        Work again = work;
        again.mayBeThere = true;
        m_segments.push_front(std::move(again));
        return;
    }
    if (std::exchange(large->isAgain, false) && error.kind == ErrorKind::NotFound) {
        // What was to be gone on with is not there any more.
        large->isOver = true;
        m_large.removeOne(large);
        large->whole.mayBeThere = false;
        m_progress.bytesMoved -= std::min(m_progress.bytesMoved, std::min(large->size(), quint64(large->there.count('\1')) * kSegment));
        beginLarge(large->whole);
        return;
    }
    large->isOver = true;
    m_progress.bytesMoved -= std::min(m_progress.bytesMoved, std::min(large->size(), quint64(large->there.count('\1')) * kSegment));
    if (hasChanged(error) && ++large->whole.tries < mostTries)
        large->beginsAgain = true;
    else
        fail(large->whole.item.source, error);
    giveBackLarge(large);
}

// One that has changed, as it is now.
void TransferRun::beginAgain(const ScannedItem &item, int tries)
{
    const auto go = [this, item, tries](const Result<FileAttributes> &found) {
        --m_others;
        if (!found) {
            fail(item.source, found.error());
        } else if (!m_isEnding) {
            m_progress.bytes += found->size.value_or(0) - item.attributes.size.value_or(0);
            Work work;
            work.item = item;
            work.item.attributes = *found;
            work.onConflict = policy();
            work.tries = tries;
            begun(std::move(work));
        }
        goOn();
    };
    ++m_others;
    if (m_transfer.wish.way == TransferWay::Send) {
        return inBackground(
                diskPool(), this,
                [tree = item.tree, path = item.local]() -> Result<FileAttributes> {
                    const Result<LocalTree::Folder> folder = tree->folder(path.parent(), LocalTree::Missing::Fail);
                    struct stat status;
                    if (!folder)
                        return std::unexpected(folder.error());
                    if (::fstatat((*folder)->get(), path.name().constData(), &status, AT_SYMLINK_NOFOLLOW) != 0)
                        return std::unexpected(localError(errno, tree->shown(path)));
                    return attributesOf(status);
                },
                go);
    }
    SftpClient *client = anyClient();
    const auto later = [this, item, tries] {
        --m_others;
        beginAgain(item, tries);
    };
    if (!client)
        return m_postponed.push_back(later);
    client->stat(item.source).then(this, [this, go, later](const Result<FileAttributes> &found) {
        !found && found.error().kind == ErrorKind::ConnectionLost ? m_postponed.push_back(later) : go(found);
    });
}

// When none of its parts is under way any more.
void TransferRun::giveBackLarge(const std::shared_ptr<Large> &large)
{
    if (std::ranges::any_of(m_active, [&large](const auto &active) { return active.second.work.large == large; }))
        return;
    std::erase_if(m_segments, [&large](const Work &work) { return work.large == large; });
    if (m_large.removeOne(large))
        large->beginsAgain ? beginAgain(large->whole.item, large->whole.tries) : removeHidden(large->whole.item);
}

void TransferRun::removeHidden(const ScannedItem &item)
{
    Work work;
    work.item = item;
    const FileTransferWish wish = fileWish(work);
    const FilePath hidden = FilePath::fromBytes(wish.hiddenName).value();
    ++m_others;
    if (wish.way == TransferWay::Fetch) {
        inBackground(
                diskPool(), this,
                [wish] {
                    const Result<LocalTree::Folder> folder = wish.tree->folder(wish.local.parent(), LocalTree::Missing::Fail);
                    return folder && ::unlinkat((*folder)->get(), wish.hiddenName.constData(), 0) == 0;
                },
                [this](bool) {
                    --m_others;
                    goOn();
                });
        return;
    }
    SftpClient *client = anyClient();
    if (!client) { // a next try of the same transfer would find it by its name
        --m_others;
        return;
    }
    client->removeFile(wish.remote.parent().joined(hidden)).then(this, [this](const Done &) {
        --m_others;
        goOn();
    });
}

} // namespace Sandpiper

#include "sftp/runningtransfer.h"

#include "sftp/fileanswer.h"
#include "sftp/unfinishedname.h"

#include <QCryptographicHash>
#include <QDeadlineTimer>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostOfOne = 4 << 20;
constexpr int kBatch = 256; // files that come into the journal together
constexpr qsizetype kMostFailures = 1000;
constexpr auto kReport = 100ms;
constexpr auto kMeasure = 200ms;
// Of the GUI thread at once.
constexpr auto kSlice = 2ms;

qsizetype depthOf(const FilePath &path)
{
    return path.bytes().count('/');
}

} // namespace

RunningTransfer::RunningTransfer(const JournalledTransfer &transfer, TransferJournal *journal, QObject *parent)
    : QObject(parent)
    , m_transfer(transfer)
    , m_journal(journal)
{
    m_rest.setSingleShot(true);
    connect(&m_rest, &QTimer::timeout, this, [this] {
        takeSome();
        goOn();
    });
    m_report.setSingleShot(true);
    m_report.setInterval(kReport);
    connect(&m_report, &QTimer::timeout, this, &RunningTransfer::changed);
    m_measure.setInterval(kMeasure);
    connect(&m_measure, &QTimer::timeout, this, &RunningTransfer::measure);
}

RunningTransfer::~RunningTransfer() = default;

qint64 RunningTransfer::inMemory(const ScannedItem &item)
{
    return std::min<qint64>(qint64(item.attributes.size.value_or(0)), kMostOfOne);
}

void RunningTransfer::sortByDepth(QList<ScannedItem> &folders)
{
    std::ranges::stable_sort(folders, std::ranges::greater(), [](const ScannedItem &item) { return depthOf(item.target); });
}

void RunningTransfer::begin()
{
    setState(TransferState::Running);
    m_clock.start();
    m_measure.start();
}

void RunningTransfer::targetFound(bool isFolder)
{
    TransferWish &wish = m_transfer.wish;
    wish.namesUnlessFolder = false;
    if (!isFolder && wish.sources.size() == 1 && isPlainName(wish.target.name())) {
        wish.targetName = wish.target.name();
        wish.target = wish.target.parent();
    }
    m_journal->add(m_transfer, this, [this] { openTarget(); });
}

void RunningTransfer::search(std::unique_ptr<TransferScan> scan)
{
    m_scan = std::move(scan);
    connect(m_scan.get(), &TransferScan::found, this, [this](const QList<ScannedItem> &items) {
        m_arrived.push_back(items);
        takeSome();
        goOn();
        report();
    });
    connect(m_scan.get(), &TransferScan::failed, this, &RunningTransfer::fail);
    connect(m_scan.get(), &TransferScan::finished, this, [this] {
        takeSome();
        report();
        goOn();
    });
    m_scan->start();
}

// Of a folder with a million names not all at once.
void RunningTransfer::takeSome()
{
    const QDeadlineTimer slice(kSlice);
    while (!m_arrived.empty() && !m_isOver && !m_isEnding) {
        if (m_nextArrived == m_arrived.front().size()) {
            m_arrived.pop_front();
            m_nextArrived = 0;
        } else if (slice.hasExpired()) {
            m_rest.start(0ms);
            return;
        } else {
            take(m_arrived.front().at(m_nextArrived++));
        }
    }
    if (m_scan && m_scan->isFinished())
        m_progress.isScanned = true;
}

void RunningTransfer::take(const ScannedItem &item)
{
    switch (item.kind) {
    case ScannedItem::Kind::Folder:
        makeFolder(item);
        m_consumed += 1;
        return;
    case ScannedItem::Kind::Link:
        ++m_progress.files;
        makeLink(item);
        m_consumed += 1;
        return;
    case ScannedItem::Kind::File: break;
    }
    ++m_progress.files;
    m_progress.bytes += item.attributes.size.value_or(0);
    const auto known = m_known.constFind(item.target.bytes());
    const bool isSame = known != m_known.cend() && known->size == item.attributes.size.value_or(0) && item.attributes.times && known->modified == item.attributes.times->modified;
    // What was skipped is decided again where the wish says otherwise by now.
    const bool isDecided = isSame && (known->state == JournalledFile::State::Moved || (known->state == JournalledFile::State::Skipped && (policy() == OnConflict::Ask || policy() == OnConflict::Skip)));
    if (isDecided) {
        Work done;
        done.item = item;
        m_consumed += 1;
        count(done, known->state == JournalledFile::State::Moved);
        if (known->state == JournalledFile::State::Moved)
            arrived(item, known->name);
        return;
    }
    const bool wasBegun = known != m_known.cend() && known->state != JournalledFile::State::Skipped;
    // Mostly it is there; then the item need not be kept for later.
    const auto folder = m_folders.constFind(item.target.parent());
    if (folder != m_folders.cend() && (*folder == FolderState::There || *folder == FolderState::Fresh))
        return addFile(item, wasBegun);
    whenFolderIs(item.target.parent(), [this, item, wasBegun](bool isThere) {
        if (isThere)
            return addFile(item, wasBegun);
        m_consumed += 1;
        fail(item.source, {ErrorKind::NotFound, targetLayer(), u"its folder could not be made"_s, item.source.shown()});
    });
}

void RunningTransfer::addFile(const ScannedItem &item, bool wasBegun)
{
    m_consumed += 1;
    Work work;
    work.item = item;
    work.onConflict = policy();
    work.mayBeThere = wasBegun;
    m_found.push_back(std::move(work));
}

QByteArray RunningTransfer::hiddenNameFor(const FilePath &target) const
{
    const QByteArray mark = QCryptographicHash::hash(target.bytes(), QCryptographicHash::Sha256).toHex().first(16);
    return unfinishedName(m_transfer.tag.toLatin1() + '-' + mark);
}

JournalledFile RunningTransfer::journalled(const Work &work, JournalledFile::State state) const
{
    return {work.item.target.bytes(), state, work.item.attributes.size.value_or(0), work.item.attributes.times ? work.item.attributes.times->modified : 0};
}

void RunningTransfer::goOn()
{
    if (m_isOver || m_isEnding)
        return;
    if (m_consumed > 0 && m_found.size() + m_small.size() < 10'000) {
        // May bring more, and call this again.
        const qint64 consumed = std::exchange(m_consumed, 0);
        m_scan->consumed(consumed);
        if (m_isOver || m_isEnding)
            return;
    }
    const QDeadlineTimer slice(kSlice);
    while (!m_found.empty() && m_beginning < 2 && m_small.size() < 2 * kBatch)
        beginBatch();
    while (startOne()) {
        if (slice.hasExpired()) {
            m_rest.start(0ms);
            return;
        }
    }
    concludeIfDone();
}

// Nothing moves before the journal knows of it.
void RunningTransfer::beginBatch()
{
    const auto batch = std::make_shared<std::vector<Work>>();
    QList<JournalledFile> files;
    while (!m_found.empty() && batch->size() < kBatch) {
        batch->push_back(std::move(m_found.front()));
        m_found.pop_front();
        JournalledFile file = journalled(batch->back(), JournalledFile::State::Begun);
        if (const auto known = m_known.constFind(file.target); known != m_known.cend())
            file.segments = known->segments;
        files.append(file);
    }
    ++m_beginning;
    m_journal->begin(m_transfer.id, files, this, [this, batch] {
        --m_beginning;
        for (Work &work : *batch) {
            if (!m_isEnding)
                begun(std::move(work));
        }
        goOn();
    });
}

bool RunningTransfer::hasChanged(const Error &error)
{
    return error.kind == ErrorKind::Io && error.detail.contains("changed"_L1);
}

void RunningTransfer::fileFailed(Work &work, const Error &error)
{
    // With the connection, or because it moved under our hands: once more.
    const bool isLost = isOutOfReach(error);
    if (isLost || (hasChanged(error) && ++work.tries < mostTries)) {
        // It may have got its name before the answer was lost.
        work.mayBeThere = work.mayBeThere || isLost;
        m_small.push_front(std::move(work));
        return;
    }
    fail(work.item.source, error);
}

void RunningTransfer::fileEnded(Work &work, const FileOutcome &outcome)
{
    switch (outcome.kind) {
    case FileOutcome::Kind::Conflict: return askAbout(work, outcome);
    case FileOutcome::Kind::Skipped: {
        m_journal->update(m_transfer.id, journalled(work, JournalledFile::State::Skipped));
        return count(work, false);
    }
    case FileOutcome::Kind::Moved: break;
    }
    JournalledFile file = journalled(work, JournalledFile::State::Moved);
    file.segments.clear();
    file.receipt = outcome.receipt;
    file.name = outcome.name;
    m_journal->update(m_transfer.id, file);
    ++m_progress.filesMoved;
    if (m_transfer.wish.moves)
        m_moved.append(work.item);
    arrived(work.item, outcome.name);
}

void RunningTransfer::arrived(const ScannedItem &item, const QByteArray &name)
{
    if (m_transfer.wish.verifies)
        m_arrivedFiles.append({item, item.target.parent().child(name).value_or(item.target)});
}

// One that an earlier start has done, or that is left out.
void RunningTransfer::count(const Work &work, bool isMoved)
{
    if (!isMoved) {
        ++m_progress.filesSkipped;
        m_progress.bytes -= std::min(m_progress.bytes, work.item.attributes.size.value_or(0));
        return;
    }
    ++m_progress.filesMoved;
    m_progress.bytesMoved += work.item.attributes.size.value_or(0);
    m_measuredBytes += work.item.attributes.size.value_or(0); // not now
    ++m_measuredFiles;
    if (m_transfer.wish.moves)
        m_moved.append(work.item);
}

void RunningTransfer::askAbout(const Work &work, const FileOutcome &outcome)
{
    Work asked = work;
    if (m_forAll) {
        asked.onConflict = *m_forAll;
        return tryAgain(std::move(asked));
    }
    m_conflicts.push_back({std::move(asked), outcome.source, outcome.existing});
    if (m_conflicts.size() > 1)
        return;
    setState(TransferState::Asking);
    emit this->asked();
}

std::optional<TransferQuestion> RunningTransfer::question() const
{
    if (m_conflicts.empty())
        return std::nullopt;
    const Conflict &first = m_conflicts.front();
    return TransferQuestion{first.work.item.source, m_transfer.wish.target.joined(first.work.item.target), first.source, first.existing};
}

void RunningTransfer::answer(OnConflict what, bool forAll)
{
    if (m_conflicts.empty() || what == OnConflict::Ask)
        return;
    if (forAll)
        m_forAll = what;
    do {
        Work work = std::move(m_conflicts.front().work);
        m_conflicts.pop_front();
        work.onConflict = what;
        tryAgain(std::move(work));
    } while (forAll && !m_conflicts.empty());
    if (m_conflicts.empty())
        setState(TransferState::Running);
    goOn();
    if (!m_conflicts.empty())
        emit asked();
}

void RunningTransfer::fail(const FilePath &source, const Error &error)
{
    ++m_progress.filesFailed;
    if (m_progress.failures.size() < kMostFailures)
        m_progress.failures.append({source, error});
    report();
}

void RunningTransfer::whenFolderIs(const FilePath &folder, std::function<void(bool isThere)> then)
{
    const auto state = m_folders.constFind(folder);
    if (state == m_folders.cend() || *state == FolderState::Making)
        m_forFolder[folder].append(std::move(then));
    else
        then(*state != FolderState::Failed);
}

void RunningTransfer::makeFolder(const ScannedItem &item)
{
    if (m_folders.contains(item.target))
        return;
    m_folders.insert(item.target, FolderState::Making);
    ++m_others;
    whenFolderIs(item.target.parent(), [this, item](bool isThere) {
        isThere ? makeFolderThere(item)
                : folderMade(item, failure(ErrorKind::NotFound, targetLayer(), u"its folder could not be made"_s, item.source.shown()));
    });
}

void RunningTransfer::folderMade(const ScannedItem &item, const Result<bool> &isNew)
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

void RunningTransfer::makeLink(const ScannedItem &item)
{
    ++m_others;
    whenFolderIs(item.target.parent(), [this, item](bool isThere) {
        isThere ? makeLinkThere(item)
                : linkMade(item, failure(ErrorKind::NotFound, targetLayer(), u"its folder could not be made"_s, item.source.shown()));
    });
}

void RunningTransfer::linkMade(const ScannedItem &item, const Done &made)
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

void RunningTransfer::concludeIfDone()
{
    const bool isQuiet = m_arrived.empty() && m_found.empty() && m_small.empty() && m_conflicts.empty() && m_beginning == 0 && m_others == 0 && !isBusy();
    if (!m_scan || !m_scan->isFinished() || !isQuiet || std::exchange(m_isEnding, true))
        return;
    if (m_arrivedFiles.isEmpty())
        return verifyEnded();
    m_progress.isVerifying = true;
    report();
    verify();
}

void RunningTransfer::verified(qsizetype index, const Result<bool> &isSame)
{
    const ScannedItem &item = m_arrivedFiles.at(index).item;
    if (isSame && *isSame) {
        ++m_progress.filesVerified;
    } else {
        --m_progress.filesMoved;
        m_moved.removeIf([&item](const ScannedItem &moved) { return moved.source == item.source; });
        fail(item.source, isSame ? Error{ErrorKind::Io, targetLayer(), u"what has arrived does not hold the same"_s, item.source.shown()} : isSame.error());
    }
    report();
}

void RunningTransfer::verifyEnded()
{
    m_progress.isVerifying = false;
    // What is done in a folder changes its time, and one that may not be written keeps others out.
    sortByDepth(m_madeFolders);
    sortByDepth(m_movedFolders);
    finishFolders();
}

void RunningTransfer::reconnected()
{
    m_progress.error.reset();
    setState(m_conflicts.empty() ? TransferState::Running : TransferState::Asking);
    for (const auto &step : std::exchange(m_postponed, {}))
        step();
    if (m_scan)
        m_scan->retry();
    goOn();
}

void RunningTransfer::waitFor(const Error &error, const QDateTime &retryAt)
{
    m_progress.error = error;
    m_progress.retryAt = retryAt;
    setState(TransferState::Waiting);
}

void RunningTransfer::dropAll()
{
    m_isEnding = true;
    m_conflicts.clear();
    m_arrived.clear();
    m_nextArrived = 0;
    m_found.clear();
    m_small.clear();
}

void RunningTransfer::stopSearching()
{
    m_isEnding = m_isOver = true;
    m_scan.reset();
}

void RunningTransfer::measure()
{
    const double seconds = double(m_clock.nsecsElapsed()) / 1e9;
    m_clock.restart();
    const quint64 bytes = m_progress.bytesMoved - std::min(m_progress.bytesMoved, m_measuredBytes);
    const quint64 files = m_progress.filesMoved - m_measuredFiles;
    m_measuredBytes = m_progress.bytesMoved;
    m_measuredFiles = m_progress.filesMoved;
    const double weight = 0.3;
    m_progress.bytesPerSecond = (1 - weight) * m_progress.bytesPerSecond + weight * double(bytes) / seconds;
    m_progress.links = connections();
    if (m_progress.state == TransferState::Running)
        report();
    measured(seconds, bytes, files);
}

void RunningTransfer::endWith(const Error &error)
{
    m_progress.error = error;
    end(TransferState::Failed);
}

void RunningTransfer::end(TransferState state)
{
    if (m_isOver)
        return;
    m_isEnding = true;
    m_measure.stop();
    letGo();
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

void RunningTransfer::setState(TransferState state)
{
    if (m_isOver || m_progress.state == state)
        return;
    m_progress.state = state;
    emit changed();
}

void RunningTransfer::report()
{
    if (!m_report.isActive() && !m_isOver)
        m_report.start();
}

} // namespace Sandpiper

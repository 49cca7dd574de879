#include "sftp/transferrun.h"

#include "sftp/transferlarge.h"

#include <QCryptographicHash>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr int kMostSmall = 64;          // files with one connection at once
constexpr int kMostSegments = 2;        // parts of large ones; the next has begun when one ends
constexpr qint64 kMostBytes = 24 << 20; // of small files under way: what may be in memory
constexpr qint64 kMostOfOne = 4 << 20;
constexpr int kBatch = 128; // files that come into the journal together
constexpr int kMostTries = 3;
constexpr qsizetype kMostFailures = 1000;
constexpr auto kReport = 100ms;
constexpr auto kMeasure = 200ms;
constexpr quint64 kLikeAFile = 64 << 10; // what a file costs beside its bytes

qint64 inMemory(const ScannedItem &item)
{
    return std::min<qint64>(qint64(item.attributes.size.value_or(0)), kMostOfOne);
}

} // namespace

TransferRun::TransferRun(const JournalledTransfer &transfer, TransferLinkMaker maker, std::function<double()> random, TransferJournal *journal, QObject *parent)
    : QObject(parent)
    , m_transfer(transfer)
    , m_journal(journal)
    , m_links(transfer.wish.sandbox, std::move(maker), std::move(random))
{
    if (transfer.wish.mostBytesPerSecond > 0)
        m_pacer = std::make_shared<TransferPacer>(transfer.wish.mostBytesPerSecond);
    m_report.setSingleShot(true);
    m_report.setInterval(kReport);
    connect(&m_report, &QTimer::timeout, this, &TransferRun::changed);
    m_measure.setInterval(kMeasure);
    connect(&m_measure, &QTimer::timeout, this, &TransferRun::measure);
    connect(&m_links, &TransferLinks::opened, this, [this] {
        m_progress.error.reset();
        setState(m_conflicts.empty() ? TransferState::Running : TransferState::Asking);
        for (const auto &step : std::exchange(m_postponed, {}))
            step();
        if (m_remoteScan)
            m_remoteScan->retry();
        goOn();
    });
    connect(&m_links, &TransferLinks::lost, this, &TransferRun::clientLost);
    connect(&m_links, &TransferLinks::waiting, this, [this](const Error &error, const QDateTime &retryAt) {
        m_progress.error = error;
        m_progress.retryAt = retryAt;
        setState(TransferState::Waiting);
    });
    connect(&m_links, &TransferLinks::failed, this, [this](const Error &error) {
        m_progress.error = error;
        end(TransferState::Failed);
    });
}

TransferRun::~TransferRun() = default;

void TransferRun::start()
{
    setState(TransferState::Running);
    m_clock.start();
    m_measure.start();
    m_links.setWanted(1);
    m_journal->loadFiles(m_transfer.id, this, [this](const QHash<QByteArray, JournalledFile> &known) {
        m_known = known;
        m_transfer.wish.namesUnlessFolder ? findTarget() : openTarget();
    });
}

SftpClient *TransferRun::anyClient() const
{
    const QList<SftpClient *> clients = m_links.clients();
    return clients.isEmpty() ? nullptr : clients.constFirst();
}

void TransferRun::startScan()
{
    if (m_transfer.wish.way == TransferWay::Fetch) {
        auto scan = std::make_unique<RemoteScan>(m_transfer.wish, [this] { return anyClient(); });
        m_remoteScan = scan.get();
        m_scan = std::move(scan);
    } else {
        m_scan = std::make_unique<LocalScan>(m_transfer.wish);
    }
    connect(m_scan.get(), &TransferScan::found, this, [this](const QList<ScannedItem> &items) {
        for (const ScannedItem &item : items)
            take(item);
        goOn();
        report();
    });
    connect(m_scan.get(), &TransferScan::failed, this, &TransferRun::fail);
    connect(m_scan.get(), &TransferScan::finished, this, [this] {
        m_progress.isScanned = true;
        report();
        goOn();
    });
    m_scan->start();
}

void TransferRun::take(const ScannedItem &item)
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
    if (isSame && known->state != JournalledFile::State::Begun) {
        Work done;
        done.item = item;
        m_consumed += 1;
        count(done, known->state == JournalledFile::State::Moved);
        return;
    }
    whenFolderIs(item.target.parent(), [this, item, wasBegun = known != m_known.cend()](bool isThere) {
        m_consumed += 1;
        if (!isThere)
            return fail(item.source, {ErrorKind::NotFound, targetLayer(), u"its folder could not be made"_s, item.source.shown()});
        Work work;
        work.item = item;
        work.onConflict = m_forAll.value_or(m_transfer.wish.onConflict);
        work.mayBeThere = wasBegun;
        m_found.push_back(std::move(work));
    });
}

QByteArray TransferRun::hiddenNameFor(const FilePath &target) const
{
    const QByteArray mark = QCryptographicHash::hash(target.bytes(), QCryptographicHash::Sha256).toHex().first(16);
    return ".sandpiper-" + m_transfer.tag.toLatin1() + '-' + mark + ".part";
}

FileTransferWish TransferRun::fileWish(const Work &work) const
{
    const TransferWish &wish = m_transfer.wish;
    FileTransferWish file;
    file.way = wish.way;
    file.tree = wish.way == TransferWay::Fetch ? m_targetTree : work.item.tree;
    file.local = wish.way == TransferWay::Fetch ? work.item.target : work.item.local;
    file.remote = wish.way == TransferWay::Fetch ? work.item.source : wish.target.joined(work.item.target);
    file.hiddenName = hiddenNameFor(work.item.target);
    file.onConflict = work.onConflict;
    file.mayBeThere = work.mayBeThere;
    // What an earlier try may have brought to its end is looked for.
    file.targetIsFresh = m_folders.value(work.item.target.parent()) == FolderState::Fresh && !work.mayBeThere;
    file.part = work.part;
    file.size = work.item.attributes.size;
    if (work.item.attributes.times)
        file.modified = work.item.attributes.times->modified;
    file.keepsMode = wish.keepsMode;
    file.keepsTimes = wish.keepsTimes;
    file.syncs = wish.syncs;
    file.hashes = wish.hashes;
    file.pacer = m_pacer;
    return file;
}

JournalledFile TransferRun::journalled(const Work &work, JournalledFile::State state) const
{
    JournalledFile file{work.item.target.bytes(), state, work.item.attributes.size.value_or(0), work.item.attributes.times ? work.item.attributes.times->modified : 0};
    if (work.large)
        file.segments = work.large->there;
    return file;
}

void TransferRun::goOn()
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
    while (!m_found.empty() && m_beginning < 2 && m_small.size() < 2 * kBatch)
        beginBatch();
    while (startOne()) {}
    concludeIfDone();
}

// Nothing moves before the journal knows of it.
void TransferRun::beginBatch()
{
    const auto batch = std::make_shared<std::vector<Work>>();
    QList<JournalledFile> files;
    while (!m_found.empty() && batch->size() < kBatch) {
        batch->push_back(std::move(m_found.front()));
        m_found.pop_front();
        JournalledFile file = journalled(batch->back(), JournalledFile::State::Begun);
        file.segments = m_known.value(file.target).segments;
        files.append(file);
    }
    ++m_beginning;
    m_journal->begin(m_transfer.id, files, this, [this, batch] {
        --m_beginning;
        for (Work &work : *batch) {
            if (work.item.attributes.size.value_or(0) > kLargeFrom)
                beginLarge(work);
            else
                m_small.push_back(std::move(work));
        }
        goOn();
    });
}

bool TransferRun::startOne()
{
    const QList<SftpClient *> clients = m_links.clients();
    if (clients.isEmpty())
        return false;
    const auto leastOf = [&clients](const QHash<SftpClient *, int> &load) {
        return *std::ranges::min_element(clients, {}, [&load](SftpClient *client) { return load.value(client); });
    };
    SftpClient *client = leastOf(m_loadLarge);
    if (!m_segments.empty() && m_loadLarge.value(client) < kMostSegments) {
        Work work = std::move(m_segments.front());
        m_segments.pop_front();
        startWork(client, std::move(work));
        return true;
    }
    client = leastOf(m_load);
    if (m_small.empty() || m_load.value(client) >= kMostSmall)
        return false;
    if (m_activeBytes > 0 && m_activeBytes + inMemory(m_small.front().item) > kMostBytes)
        return false;
    Work work = std::move(m_small.front());
    m_small.pop_front();
    m_activeBytes += inMemory(work.item);
    startWork(client, std::move(work));
    return true;
}

void TransferRun::startWork(SftpClient *client, Work work)
{
    const quint64 id = ++m_lastWork;
    const auto active = std::make_shared<Active>();
    active->client = client;
    ++(work.large ? m_loadLarge : m_load)[client];
    m_progress.current = work.item.source;
    active->stream = client->transfer(fileWish(work));
    active->work = std::move(work);
    connect(active->stream.get(), &SftpFileTransfer::moved, this, [this, active = active.get()](qint64 bytes) {
        active->bytes += quint64(bytes);
        m_progress.bytesMoved += quint64(bytes);
        report();
    });
    connect(active->stream.get(), &SftpFileTransfer::finished, this, [this, id](const Result<FileOutcome> &outcome) { workEnded(id, outcome); });
    m_active.insert(id, active);
}

void TransferRun::workEnded(quint64 id, const Result<FileOutcome> &outcome)
{
    const std::shared_ptr<Active> active = m_active.take(id);
    if (!active)
        return;
    active->stream.release()->deleteLater(); // this is its own signal
    Work &work = active->work;
    --(work.large ? m_loadLarge : m_load)[active->client];
    if (!work.large)
        m_activeBytes -= inMemory(work.item);
    if (!outcome || outcome->kind != FileOutcome::Kind::Moved)
        m_progress.bytesMoved -= active->bytes;
    else if (work.part.begins && !outcome->name.isEmpty() && active->bytes == 0) // an earlier try had brought it to its end
        m_progress.bytesMoved += work.item.attributes.size.value_or(0);
    if (work.large)
        outcome ? largeWentOn(work, *outcome) : largeFailed(work, outcome.error());
    else if (outcome)
        fileEnded(work, *outcome);
    else
        fileFailed(work, outcome.error());
    report();
    goOn();
}

void TransferRun::fileFailed(Work &work, const Error &error)
{
    // With the connection, or because it moved under our hands: once more.
    const bool isLost = error.kind == ErrorKind::ConnectionLost || error.kind == ErrorKind::Cancelled;
    const bool hasChanged = error.kind == ErrorKind::Io && error.detail.contains("changed"_L1);
    if (isLost || (hasChanged && ++work.tries < kMostTries)) {
        // It may have got its name before the answer was lost.
        work.mayBeThere = work.mayBeThere || isLost;
        m_small.push_front(std::move(work));
        return;
    }
    fail(work.item.source, error);
}

void TransferRun::fileEnded(Work &work, const FileOutcome &outcome)
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
}

// One that an earlier start has done, or that is left out.
void TransferRun::count(const Work &work, bool isMoved)
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

void TransferRun::askAbout(const Work &work, const FileOutcome &outcome)
{
    Work asked = work;
    if (m_forAll) {
        asked.onConflict = *m_forAll;
        asked.large ? retryLarge(asked) : m_small.push_back(std::move(asked));
        return;
    }
    m_conflicts.push_back({std::move(asked), outcome.source, outcome.existing});
    if (m_conflicts.size() > 1)
        return;
    setState(TransferState::Asking);
    emit this->asked();
}

std::optional<TransferQuestion> TransferRun::question() const
{
    if (m_conflicts.empty())
        return std::nullopt;
    const Conflict &first = m_conflicts.front();
    return TransferQuestion{first.work.item.source, m_transfer.wish.target.joined(first.work.item.target), first.source, first.existing};
}

void TransferRun::answer(OnConflict what, bool forAll)
{
    if (m_conflicts.empty() || what == OnConflict::Ask)
        return;
    if (forAll)
        m_forAll = what;
    do {
        Work work = std::move(m_conflicts.front().work);
        m_conflicts.pop_front();
        work.onConflict = what;
        work.large ? retryLarge(work) : m_small.push_front(std::move(work));
    } while (forAll && !m_conflicts.empty());
    if (m_conflicts.empty())
        setState(TransferState::Running);
    goOn();
    if (!m_conflicts.empty())
        emit asked();
}

void TransferRun::fail(const FilePath &source, const Error &error)
{
    ++m_progress.filesFailed;
    if (m_progress.failures.size() < kMostFailures)
        m_progress.failures.append({source, error});
    report();
}

// Its streams have ended before, each with ConnectionLost.
void TransferRun::clientLost(SftpClient *client, const Error &error)
{
    m_load.remove(client);
    m_loadLarge.remove(client);
    m_progress.error = error;
    m_steps = 0;
    report();
    goOn();
}

// One connection at first; twice as many while that makes it faster.
void TransferRun::measure()
{
    const double seconds = double(m_clock.nsecsElapsed()) / 1e9;
    m_clock.restart();
    const quint64 bytes = m_progress.bytesMoved - std::min(m_progress.bytesMoved, m_measuredBytes);
    const quint64 files = m_progress.filesMoved - m_measuredFiles;
    m_measuredBytes = m_progress.bytesMoved;
    m_measuredFiles = m_progress.filesMoved;
    const double weight = 0.3;
    m_progress.bytesPerSecond = (1 - weight) * m_progress.bytesPerSecond + weight * double(bytes) / seconds;
    m_progress.links = int(m_links.clients().size());
    if (m_progress.state == TransferState::Running)
        report();
    if (m_isEnough || m_links.opening() > 0 || m_progress.links == 0 || m_transfer.wish.mostBytesPerSecond > 0)
        return;
    if (m_steps++ == 0) // it has only begun
        return;
    const double rate = double(bytes + kLikeAFile * files) / seconds;
    const quint64 left = m_progress.bytes - std::min(m_progress.bytes, m_progress.bytesMoved) + kLikeAFile * (m_progress.files - std::min(m_progress.files, m_progress.filesMoved));
    const int most = m_transfer.wish.mostLinks;
    if (rate < 1.15 * m_bestRate || m_progress.links >= most) {
        m_isEnough = true;
        return;
    }
    if (rate <= 0 || double(left) < rate / 2) // a further one would come too late
        return;
    m_bestRate = rate;
    m_steps = 0;
    m_links.setWanted(std::min(most, 2 * m_progress.links));
}

void TransferRun::retryNow()
{
    if (m_progress.state != TransferState::Waiting)
        return;
    m_links.retryNow();
}

void TransferRun::setState(TransferState state)
{
    if (m_isOver || m_progress.state == state)
        return;
    m_progress.state = state;
    emit changed();
}

void TransferRun::report()
{
    if (!m_report.isActive() && !m_isOver)
        m_report.start();
}

} // namespace Sandpiper

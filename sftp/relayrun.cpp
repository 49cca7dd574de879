#include "sftp/relayrun.h"

#include "sftp/fileanswer.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kMostFiles = 16;    // under way at once
constexpr qint64 kMostBytes = 12 << 20; // of them that may be in memory

} // namespace

RelayRun::RelayRun(const JournalledTransfer &transfer, const TransferFilesMaker &maker, const std::function<double()> &random, TransferJournal *journal, QObject *parent)
    : RunningTransfer(transfer, journal, parent)
    , m_from(std::make_unique<RelayPlace>(transfer.wish.sourceSandbox, maker, random))
    , m_sources(transfer.wish.sources)
{
    if (transfer.wish.sourceSandbox != transfer.wish.sandbox)
        m_other = std::make_unique<RelayPlace>(transfer.wish.sandbox, maker, random);
    if (transfer.wish.mostBytesPerSecond > 0)
        m_pacer = std::make_shared<TransferPacer>(transfer.wish.mostBytesPerSecond);
    connectPlace(m_from.get());
    if (m_other)
        connectPlace(m_other.get());
}

RelayRun::~RelayRun()
{
    stopSearching();
}

void RelayRun::connectPlace(RelayPlace *place)
{
    connect(place, &RelayPlace::opened, this, [this] {
        if (m_isCancelled)
            return endCancelled();
        if (isOpen())
            reconnected();
    });
    connect(place, &RelayPlace::waiting, this, [this](const Error &error, const QDateTime &retryAt) {
        if (m_isCancelled)
            return end(TransferState::Cancelled);
        waitFor(error, retryAt);
    });
    connect(place, &RelayPlace::failed, this, [this](const Error &error) { m_isCancelled ? end(TransferState::Cancelled) : endWith(error); });
}

void RelayRun::start()
{
    begin();
    m_from->open();
    if (m_other)
        m_other->open();
    m_journal->loadFiles(m_transfer.id, this, [this](const QHash<QByteArray, JournalledFile> &known) {
        m_known = known;
        for (const JournalledFile &file : known) {
            if (file.state == JournalledFile::State::Begun && !file.target.endsWith('/'))
                m_begun.insert(FilePath::fromBytes(file.target).value_or(FilePath()));
        }
        m_isLoaded = true;
        if (m_isCancelled)
            return endCancelled();
        whenOpen([this] { completePaths(); });
    });
}

void RelayRun::retryNow()
{
    m_from->retryNow();
    if (m_other)
        m_other->retryNow();
}

int RelayRun::connections() const
{
    const auto count = [](const RelayPlace *place) { return place && !place->isLocal() && place->files() ? 1 : 0; };
    return count(m_from.get()) + count(m_other.get());
}

void RelayRun::letGo()
{
    m_active.clear();
    m_from->close();
    if (m_other)
        m_other->close();
}

void RelayRun::whenOpen(std::function<void()> step)
{
    isOpen() ? step() : m_postponed.push_back(std::move(step));
}

void RelayRun::complain(const FileSystem *of, const Error &error)
{
    m_from->complain(of, error);
    if (m_other)
        m_other->complain(of, error);
}

void RelayRun::startScan()
{
    TransferWish wish = m_transfer.wish;
    wish.sources = m_sources;
    auto scan = std::make_unique<RemoteScan>(wish, m_from->layer(), [this] { return isOpen() ? m_from->files() : nullptr; });
    connect(scan.get(), &TransferScan::cutOff, this, [this, scan = scan.get()](const FileSystem *of, const Error &error) {
        complain(of, error);
        if (isOpen()) // it had been given up before, and is back
            QMetaObject::invokeMethod(scan, &TransferScan::retry, Qt::QueuedConnection);
    });
    search(std::move(scan));
}

bool RelayRun::startOne()
{
    if (m_small.empty() || !isOpen() || m_active.size() >= kMostFiles)
        return false;
    if (m_activeBytes > 0 && m_activeBytes + inMemory(m_small.front().item) > kMostBytes)
        return false;
    const auto active = std::make_shared<Active>();
    active->work = std::move(m_small.front());
    m_small.pop_front();
    const Work &work = active->work;
    m_activeBytes += inMemory(work.item);
    m_begun.remove(work.item.target);
    m_progress.current = work.item.source;
    const TransferWish &wish = m_transfer.wish;
    RelayFileWish file;
    file.source = work.item.source;
    file.attributes = work.item.attributes;
    file.target = absolute(work.item.target);
    file.hiddenName = hiddenNameFor(work.item.target);
    file.onConflict = work.onConflict;
    file.mayBeThere = work.mayBeThere;
    file.targetIsFresh = m_folders.value(work.item.target.parent()) == FolderState::Fresh;
    file.keepsMode = wish.keepsMode;
    file.keepsTimes = wish.keepsTimes;
    file.syncs = wish.syncs;
    file.hashes = wish.hashes;
    file.renames = wish.moves && isOnePlace();
    file.pacer = m_pacer;
    const quint64 id = ++m_lastWork;
    active->file = std::make_unique<RelayFile>(m_from->files(), to()->files(), file);
    connect(active->file.get(), &RelayFile::moved, this, [this, active = active.get()](qint64 bytes) {
        active->bytes += quint64(bytes);
        m_progress.bytesMoved += quint64(bytes);
        report();
    });
    connect(active->file.get(), &RelayFile::finished, this, [this, id](const Result<FileOutcome> &outcome) { workEnded(id, outcome); });
    m_active.insert(id, active);
    active->file->start();
    return true;
}

void RelayRun::workEnded(quint64 id, const Result<FileOutcome> &outcome)
{
    const std::shared_ptr<Active> active = m_active.take(id);
    if (!active)
        return;
    RelayFile *file = active->file.release();
    file->deleteLater(); // this is its own signal
    Work &work = active->work;
    m_activeBytes -= inMemory(work.item);
    m_progress.bytesMoved -= std::min(m_progress.bytesMoved, active->bytes);
    if (m_isCancelled)
        return endCancelled();
    if (outcome) {
        m_from->works();
        to()->works();
        if (outcome->kind == FileOutcome::Kind::Moved) {
            m_progress.bytesMoved += work.item.attributes.size.value_or(0);
            for (FilePath folder = work.item.target.parent(); m_unmade.remove(folder) > 0;)
                folder = folder.parent();
        }
        fileEnded(work, *outcome);
        if (file->isRenamed()) { // nothing of it is left there, to be removed or compared with
            m_moved.removeLast();
            if (m_transfer.wish.verifies)
                m_arrivedFiles.removeLast();
        }
    } else {
        if (isOutOfReach(outcome.error()) && file->complainant())
            complain(file->complainant(), outcome.error());
        // What another try has to expect.
        m_progress.bytes += file->attributes().size.value_or(0) - work.item.attributes.size.value_or(0);
        work.item.attributes = file->attributes();
        fileFailed(work, outcome.error());
    }
    report();
    goOn();
}

void RelayRun::cancel()
{
    if (m_isOver || std::exchange(m_isCancelled, true))
        return;
    dropAll();
    const auto underWay = m_active.values(); // each may end from within
    for (const std::shared_ptr<Active> &active : underWay) {
        if (active->file)
            active->file->stop();
    }
    endCancelled();
}

// When nothing is under way any more, and what is half has been removed as far as it is in reach.
void RelayRun::endCancelled()
{
    if (m_isOver || !m_active.isEmpty() || !m_isLoaded)
        return;
    if (m_begun.isEmpty())
        return end(TransferState::Cancelled);
    if (to()->files()) // else opened() comes, or a reason against it
        sweep([this] { end(TransferState::Cancelled); });
}

void RelayRun::sweep(std::function<void()> then)
{
    const QSet<FilePath> begun = std::exchange(m_begun, {});
    FileSystem *files = to()->files();
    if (begun.isEmpty() || !files || !files->can(FileAction::Rename))
        return then();
    const auto left = std::make_shared<qsizetype>(begun.size()); // of the answers
    for (const FilePath &target : begun) {
        const FilePath hidden = absolute(target).parent().joined(FilePath::fromBytes(hiddenNameFor(target)).value());
        onAnswer(files->removeFile(hidden), this, [left, then](const Done &) {
            if (--*left == 0)
                then();
        });
    }
}

} // namespace Sandpiper

#include "sftp/transferrun.h"

#include "sftp/transferlarge.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr int kMostSmall = 64;          // files with one connection at once
constexpr int kMostSegments = 2;        // parts of large ones; the next has begun when one ends
constexpr qint64 kMostBytes = 24 << 20; // of small files under way: what may be in memory
constexpr quint64 kLikeAFile = 64 << 10; // what a file costs beside its bytes
// A connection moves about a MiB in a round trip (the window of libssh's channels): over a long way there is nothing to
// be found out by one alone, where there is that much to move.
constexpr auto kLongWay = 15ms;
constexpr quint64 kWorthAll = 16 << 20;

} // namespace

TransferRun::TransferRun(const JournalledTransfer &transfer, TransferLinkMaker maker, std::function<double()> random, TransferJournal *journal, QObject *parent)
    : RunningTransfer(transfer, journal, parent)
    , m_links(transfer.wish.sandbox, std::move(maker), std::move(random))
{
    if (transfer.wish.mostBytesPerSecond > 0)
        m_pacer = std::make_shared<TransferPacer>(transfer.wish.mostBytesPerSecond);
    connect(&m_links, &TransferLinks::opened, this, &TransferRun::reconnected);
    connect(&m_links, &TransferLinks::lost, this, &TransferRun::clientLost);
    connect(&m_links, &TransferLinks::waiting, this, &TransferRun::waitFor);
    connect(&m_links, &TransferLinks::failed, this, &TransferRun::endWith);
}

TransferRun::~TransferRun()
{
    stopSearching();
}

void TransferRun::start()
{
    begin();
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

// What a listing has begun with ends with it; the next one takes another.
FileSystem *TransferRun::filesThere()
{
    SftpClient *client = anyClient();
    if (client && (!m_files || m_filesClient != client)) {
        m_files = std::make_unique<SftpFileSystem>(client, m_transfer.wish.sandboxName);
        m_filesClient = client;
    }
    return client ? m_files.get() : nullptr;
}

void TransferRun::startScan()
{
    if (m_transfer.wish.way == TransferWay::Fetch)
        search(std::make_unique<RemoteScan>(m_transfer.wish, Layer::Sftp, [this] { return filesThere(); }));
    else
        search(std::make_unique<LocalScan>(m_transfer.wish));
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

void TransferRun::begun(Work work)
{
    work.item.attributes.size.value_or(0) > kLargeFrom ? beginLarge(work) : RunningTransfer::begun(std::move(work));
}

void TransferRun::tryAgain(Work work)
{
    work.large ? retryLarge(work) : RunningTransfer::tryAgain(std::move(work));
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

int TransferRun::connections() const
{
    return int(m_links.clients().size());
}

void TransferRun::letGo()
{
    m_links.setWanted(0);
}

// One connection at first; twice as many while that makes it faster.
void TransferRun::measured(double seconds, quint64 bytes, quint64 files)
{
    if (m_isEnough || m_links.opening() > 0 || m_progress.links == 0 || m_transfer.wish.mostBytesPerSecond > 0)
        return;
    const quint64 left = m_progress.bytes - std::min(m_progress.bytes, m_progress.bytesMoved) + kLikeAFile * (m_progress.files - std::min(m_progress.files, m_progress.filesMoved));
    const int most = m_transfer.wish.mostLinks;
    if (!m_hasWishedForAll && most > 1 && m_links.roundTrip() >= kLongWay && left > kWorthAll) {
        m_hasWishedForAll = true; // a server that gives fewer is not asked again
        m_steps = 0;
        m_links.setWanted(most);
        return;
    }
    if (m_steps++ == 0) // it has only begun
        return;
    const double rate = double(bytes + kLikeAFile * files) / seconds;
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

} // namespace Sandpiper

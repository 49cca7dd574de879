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
// A channel moves a window's worth in a round trip, 1 MiB to us and 2 MiB from us (libssh's window, and sshd's): over a
// long way there is nothing to be found out by one alone, where there is that much to move. Several channels on a
// connection are then as good as further connections, up to what a kernel mostly lets be under way on each: 4 MiB.
constexpr auto kLongWay = 15ms;
constexpr quint64 kWorthAll = 16 << 20;
constexpr int kFetchChannels = 4;
constexpr int kSendChannels = 2;
// Next door it is the processors that have to be shared, with the server's and the window: more than two connections are
// slower. The time of a beginning has the server's own in it.
constexpr auto kShortWay = 5ms;
constexpr int kMostNearby = 2;

} // namespace

TransferRun::TransferRun(const JournalledTransfer &transfer, TransferLinkMaker maker, std::function<double()> random, TransferJournal *journal, QObject *parent)
    : RunningTransfer(transfer, journal, parent)
    , m_links(transfer.wish.sandbox, std::move(maker), std::move(random))
{
    if (transfer.wish.mostBytesPerSecond > 0)
        m_pacer = std::make_shared<TransferPacer>(transfer.wish.mostBytesPerSecond);
    connect(&m_links, &TransferLinks::opened, this, &TransferRun::clientOpened);
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
    if (!m_hasWishedForAll)
        wishForAllWhereItIsFar();
    Lane *forSmall = nullptr;
    Lane *forLarge = nullptr;
    for (Lane &lane : m_lanes) {
        if (!lane.client->isReady()) // it is about to be told lost
            continue;
        if (!forSmall || lane.small < forSmall->small)
            forSmall = &lane;
        if (!forLarge || lane.large < forLarge->large)
            forLarge = &lane;
    }
    if (!m_segments.empty() && forLarge && forLarge->large < kMostSegments) {
        Work work = std::move(m_segments.front());
        m_segments.pop_front();
        startWork(*forLarge, std::move(work));
        return true;
    }
    if (m_small.empty() || !forSmall || forSmall->small >= kMostSmall)
        return false;
    if (m_activeBytes > 0 && m_activeBytes + inMemory(m_small.front().item) > kMostBytes)
        return false;
    Work work = std::move(m_small.front());
    m_small.pop_front();
    m_activeBytes += inMemory(work.item);
    startWork(*forSmall, std::move(work));
    return true;
}

void TransferRun::startWork(Lane &lane, Work work)
{
    const quint64 id = ++m_lastWork;
    ++(work.large ? lane.large : lane.small);
    m_progress.current = work.item.source;
    lane.files->start(id, fileWish(work));
    m_active.emplace(id, Active{std::move(work), lane.client, 0});
}

void TransferRun::workEnded(const SftpFileEnd &end)
{
    auto node = m_active.extract(end.key);
    if (node.empty())
        return;
    Active &active = node.mapped();
    Work &work = active.work;
    const auto lane = std::ranges::find(m_lanes, active.client, &Lane::client);
    if (lane != m_lanes.end())
        --(work.large ? lane->large : lane->small);
    if (!work.large)
        m_activeBytes -= inMemory(work.item);
    const Result<FileOutcome> &outcome = end.outcome;
    if (!outcome || outcome->kind != FileOutcome::Kind::Moved)
        m_progress.bytesMoved -= active.bytes;
    else if (!work.large) // a small one has not told of its bytes
        m_progress.bytesMoved += outcome->receipt.size - std::min(outcome->receipt.size, active.bytes);
    else if (work.part.begins && !outcome->name.isEmpty() && active.bytes == 0) // an earlier try had brought it to its end
        m_progress.bytesMoved += work.item.attributes.size.value_or(0);
    if (work.large)
        outcome ? largeWentOn(work, *outcome) : largeFailed(work, outcome.error());
    else if (outcome)
        fileEnded(work, *outcome);
    else
        fileFailed(work, outcome.error());
}

void TransferRun::clientOpened(SftpClient *client)
{
    Lane lane{client, client->transferFiles()};
    connect(lane.files.get(), &SftpFileTransfers::moved, this, [this](quint64 id, qint64 bytes) {
        if (const auto active = m_active.find(id); active != m_active.end()) {
            active->second.bytes += quint64(bytes);
            m_progress.bytesMoved += quint64(bytes);
            report();
        }
    });
    connect(lane.files.get(), &SftpFileTransfers::ended, this, [this](const QList<SftpFileEnd> &ends) {
        for (const SftpFileEnd &end : ends)
            workEnded(end);
        report();
        goOn();
    });
    m_lanes.push_back(std::move(lane));
    reconnected();
    if (m_verify && !m_isOver)
        m_verify->goOn();
}

// Its files have ended before, each with ConnectionLost.
void TransferRun::clientLost(SftpClient *client, const Error &error)
{
    if (const auto lane = std::ranges::find(m_lanes, client, &Lane::client); lane != m_lanes.end()) {
        letGoOf(std::move(*lane));
        m_lanes.erase(lane);
    }
    m_progress.error = error;
    m_steps = 0;
    report();
    goOn();
}

void TransferRun::letGoOf(Lane lane)
{
    lane.files->disconnect();
    lane.files->cancel();
    lane.files.release()->deleteLater(); // this may be its own signal
}

int TransferRun::connections() const
{
    return m_links.links();
}

void TransferRun::letGo()
{
    for (Lane &lane : std::exchange(m_lanes, {}))
        letGoOf(std::move(lane));
    m_links.setWanted(0);
}

void TransferRun::wishForAllWhereItIsFar()
{
    const quint64 left = m_progress.bytes - std::min(m_progress.bytes, m_progress.bytesMoved) + kLikeAFile * (m_progress.files - std::min(m_progress.files, m_progress.filesMoved));
    if (!m_links.roundTrip() || *m_links.roundTrip() < kLongWay || left <= kWorthAll || m_transfer.wish.mostBytesPerSecond > 0)
        return;
    m_hasWishedForAll = true; // a server that gives fewer is not asked again
    m_steps = 0;
    m_links.setChannels(m_transfer.wish.way == TransferWay::Fetch ? kFetchChannels : kSendChannels);
    m_links.setWanted(m_transfer.wish.mostLinks);
}

// One connection at first; twice as many while that makes it faster.
void TransferRun::measured(double seconds, quint64 bytes, quint64 files)
{
    if (m_isEnough || m_links.opening() > 0 || m_progress.links == 0 || m_transfer.wish.mostBytesPerSecond > 0)
        return;
    const quint64 left = m_progress.bytes - std::min(m_progress.bytes, m_progress.bytesMoved) + kLikeAFile * (m_progress.files - std::min(m_progress.files, m_progress.filesMoved));
    const bool isNear = m_links.roundTrip() && *m_links.roundTrip() < kShortWay;
    const int most = isNear ? std::min(m_transfer.wish.mostLinks, kMostNearby) : m_transfer.wish.mostLinks;
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

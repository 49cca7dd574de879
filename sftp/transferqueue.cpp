#include "sftp/transferqueue.h"

#include "session/sshlink.h"
#include "sftp/relayrun.h"
#include "sftp/transferjournal.h"
#include "sftp/transferrun.h"

#include <QUuid>

#include <algorithm>

namespace Sandpiper {
namespace {

constexpr int kMostRunning = 2; // transfers at once: each has files and connections enough

} // namespace

struct TransferQueue::Entry
{
    JournalledTransfer transfer;
    TransferProgress progress; // while there is no run
    std::unique_ptr<RunningTransfer> run;
    bool isJournalled = false;
};

TransferQueue::TransferQueue(Services services, QObject *parent)
    : QObject(parent)
    , m_services(std::move(services))
    , m_journal(std::make_unique<TransferJournal>(m_services.journalFile))
{
    connect(m_journal.get(), &TransferJournal::failed, this, &TransferQueue::journalFailed);
    m_journal->load(this, [this](const QList<JournalledTransfer> &kept) {
        std::vector<std::unique_ptr<Entry>> before;
        for (const JournalledTransfer &transfer : kept) {
            if (find(transfer.id)) // added a moment ago
                continue;
            auto entry = std::make_unique<Entry>();
            entry->transfer = transfer;
            if (m_services.amend)
                m_services.amend(entry->transfer.wish);
            entry->isJournalled = true;
            // What was under way is to be so again; what its user had stopped stays so.
            entry->progress.state = isOver(transfer.state) || transfer.state == TransferState::Paused ? transfer.state : TransferState::Queued;
            before.push_back(std::move(entry));
        }
        QList<qint64> ids;
        for (const auto &entry : before)
            ids.append(entry->transfer.id);
        m_entries.insert(m_entries.begin(), std::make_move_iterator(before.begin()), std::make_move_iterator(before.end()));
        for (const qint64 id : ids)
            emit added(id);
        startNext();
        emit loaded();
    });
}

TransferQueue::~TransferQueue()
{
    for (const auto &entry : m_entries)
        entry->run.reset();
}

TransferQueue::Entry *TransferQueue::find(qint64 id) const
{
    const auto it = std::ranges::find_if(m_entries, [id](const auto &entry) { return entry->transfer.id == id; });
    return it == m_entries.end() ? nullptr : it->get();
}

qint64 TransferQueue::add(const TransferWish &wish)
{
    auto entry = std::make_unique<Entry>();
    // By the clock, so that none of an earlier start has the same.
    m_lastId = std::max(m_lastId + 1, QDateTime::currentMSecsSinceEpoch());
    const qint64 id = m_lastId;
    entry->transfer = {id, id, QUuid::createUuid().toString(QUuid::Id128).first(8), wish, TransferState::Queued, QDateTime::currentDateTime()};
    m_journal->add(entry->transfer, this, [this, id] {
        if (Entry *kept = find(id))
            kept->isJournalled = true;
        startNext();
    });
    m_entries.push_back(std::move(entry));
    emit added(id);
    return id;
}

void TransferQueue::startNext()
{
    auto running = std::ranges::count_if(m_entries, [](const auto &entry) { return entry->run != nullptr; });
    for (const auto &entry : m_entries) {
        if (running >= kMostRunning)
            return;
        if (entry->run || !entry->isJournalled || entry->progress.state != TransferState::Queued)
            continue;
        start(*entry);
        ++running;
    }
}

void TransferQueue::start(Entry &entry)
{
    const qint64 id = entry.transfer.id;
    if (entry.transfer.wish.way == TransferWay::Relay)
        entry.run = std::make_unique<RelayRun>(entry.transfer, m_services.openFiles, m_services.random, m_journal.get());
    else
        entry.run = std::make_unique<TransferRun>(entry.transfer, m_services.makeLink, m_services.random, m_journal.get());
    connect(entry.run.get(), &RunningTransfer::changed, this, [this, id] { emit changed(id); });
    connect(entry.run.get(), &RunningTransfer::asked, this, [this, id] { emit asked(id); });
    connect(entry.run.get(), &RunningTransfer::finished, this, [this, id](TransferState state) {
        Entry *ended = find(id);
        if (!ended)
            return;
        stop(*ended, state);
        emit finished(id);
        startNext();
    });
    entry.run->start();
}

// Its run is gone afterwards.
void TransferQueue::stop(Entry &entry, TransferState state)
{
    if (entry.run) {
        entry.progress = entry.run->progress();
        entry.run->disconnect(this);
        entry.run.release()->deleteLater(); // this may be its own signal
    }
    entry.progress.state = state;
    entry.transfer.ended = isOver(state) ? QDateTime::currentDateTime() : QDateTime();
    m_journal->setState(entry.transfer.id, state, entry.transfer.ended);
    emit changed(entry.transfer.id);
}

void TransferQueue::pause(qint64 id)
{
    Entry *entry = find(id);
    if (!entry || isOver(entry->progress.state))
        return;
    if (entry->run) {
        entry->progress = entry->run->progress();
        entry->progress.links = 0;
        entry->progress.bytesPerSecond = 0;
        // At once: what is half is left for the next time.
        entry->run->disconnect(this);
        entry->run.reset();
    }
    stop(*entry, TransferState::Paused);
    startNext();
}

void TransferQueue::resume(qint64 id)
{
    Entry *entry = find(id);
    if (!entry)
        return;
    if (entry->run)
        return entry->run->retryNow();
    if (entry->progress.state == TransferState::Cancelled || entry->progress.state == TransferState::Queued)
        return;
    entry->progress = {};
    entry->transfer.ended = {};
    m_journal->setState(id, TransferState::Queued);
    emit changed(id);
    startNext();
}

void TransferQueue::cancel(qint64 id)
{
    Entry *entry = find(id);
    if (!entry || isOver(entry->progress.state))
        return;
    if (entry->run)
        return entry->run->cancel();
    // Paused, it may have left something half.
    if (entry->progress.state == TransferState::Paused) {
        start(*entry);
        return entry->run->cancel();
    }
    stop(*entry, TransferState::Cancelled);
    emit finished(id);
}

void TransferQueue::remove(qint64 id)
{
    const Entry *entry = find(id);
    if (!entry || entry->run || !isOver(entry->progress.state))
        return;
    std::erase_if(m_entries, [id](const auto &one) { return one->transfer.id == id; });
    m_journal->remove(id);
    emit removed(id);
}

void TransferQueue::moveTo(qint64 id, qsizetype place)
{
    const auto it = std::ranges::find_if(m_entries, [id](const auto &entry) { return entry->transfer.id == id; });
    if (it == m_entries.end())
        return;
    std::unique_ptr<Entry> moved = std::move(*it);
    m_entries.erase(it);
    m_entries.insert(m_entries.begin() + std::clamp<qsizetype>(place, 0, qsizetype(m_entries.size())), std::move(moved));
    m_journal->setPlaces(transfers());
    emit reordered();
}

void TransferQueue::answer(qint64 id, OnConflict what, bool forAll)
{
    if (Entry *entry = find(id); entry && entry->run)
        entry->run->answer(what, forAll);
}

QList<qint64> TransferQueue::transfers() const
{
    QList<qint64> ids;
    for (const auto &entry : m_entries)
        ids.append(entry->transfer.id);
    return ids;
}

TransferWish TransferQueue::wish(qint64 id) const
{
    const Entry *entry = find(id);
    return entry ? entry->transfer.wish : TransferWish();
}

TransferProgress TransferQueue::progress(qint64 id) const
{
    const Entry *entry = find(id);
    return !entry ? TransferProgress() : entry->run ? entry->run->progress() : entry->progress;
}

std::optional<TransferQuestion> TransferQueue::question(qint64 id) const
{
    const Entry *entry = find(id);
    return entry && entry->run ? entry->run->question() : std::nullopt;
}

QDateTime TransferQueue::addedAt(qint64 id) const
{
    const Entry *entry = find(id);
    return entry ? entry->transfer.added : QDateTime();
}

QDateTime TransferQueue::endedAt(qint64 id) const
{
    const Entry *entry = find(id);
    return entry ? entry->transfer.ended : QDateTime();
}

void TransferQueue::receipts(qint64 id, QObject *context, std::function<void(const QList<TransferReceipt> &)> then) const
{
    m_journal->loadFiles(id, context, [then = std::move(then)](const QHash<QByteArray, JournalledFile> &files) {
        QList<TransferReceipt> receipts;
        for (const JournalledFile &file : files) {
            if (file.state != JournalledFile::State::Moved)
                continue;
            const QByteArray folder = file.target.first(file.target.lastIndexOf('/') + 1);
            receipts.append({file.name.isEmpty() ? file.target : folder + file.name, file.receipt});
        }
        std::ranges::sort(receipts, {}, &TransferReceipt::path);
        then(receipts);
    });
}

} // namespace Sandpiper

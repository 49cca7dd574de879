// All transfers of this program, in the order in which they are to be done. GUI thread; bytes and disks are
// the business of other threads.
#pragma once

#include "sftp/openedfiles.h"
#include "sftp/transfer.h"

#include <QObject>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace Sandpiper {

class RunningTransfer;
class TransferJournal;

// A file that a transfer has brought where it was to be.
struct TransferReceipt
{
    QByteArray path; // below the target of the transfer, as it is called there
    FileReceipt file;
};

// Opens a connection of its own to a sandbox, for bulk; then(), once, on the caller's thread and not from within
// the call. What sleeps is not woken: SandboxNotRunning. The link has not been told to connect yet.
using TransferLinkMaker = std::function<void(const SandboxId &sandbox, QObject *context, std::function<void(Result<std::unique_ptr<SshLink>>)> then)>;

// The files of a sandbox, for relays: over a connection of their own, or by its vendor's interface. As TransferLinkMaker.
using TransferFilesMaker = std::function<void(const SandboxId &sandbox, QObject *context, std::function<void(Result<OpenedFiles>)> then)>;

class TransferQueue : public QObject
{
    Q_OBJECT
public:
    struct Services
    {
        TransferLinkMaker makeLink;
        QString journalFile; // empty: nothing is kept for the next start
        std::function<double()> random = {}; // 0 to 1; for the time between tries
        TransferFilesMaker openFiles = {}; // none: only this computer's are to be had for relays
        // What is changed of the wishes that an earlier start has left: how, not what.
        std::function<void(TransferWish &)> amend = {};
    };
    explicit TransferQueue(Services services, QObject *parent = nullptr);
    ~TransferQueue() override; // what is under way goes on from there at the next start

    // At the end of the queue. Nothing moves before it is in the journal.
    qint64 add(const TransferWish &wish);
    void pause(qint64 id);
    void resume(qint64 id); // Paused; Waiting: at once; Failed, or Finished with failures: what is missing, again
    void cancel(qint64 id); // what has arrived stays; nothing half is left
    void remove(qint64 id); // one that is over
    void moveTo(qint64 id, qsizetype place); // in the queue
    void answer(qint64 id, OnConflict what, bool forAll); // the question of this transfer; not Ask

    [[nodiscard]] QList<qint64> transfers() const; // in their order
    [[nodiscard]] TransferWish wish(qint64 id) const;
    [[nodiscard]] TransferProgress progress(qint64 id) const;
    [[nodiscard]] std::optional<TransferQuestion> question(qint64 id) const;
    [[nodiscard]] QDateTime addedAt(qint64 id) const;
    [[nodiscard]] QDateTime endedAt(qint64 id) const; // not valid: it is not over, or that was not kept
    // What has arrived so far, by path; then(), once, unless context goes before.
    void receipts(qint64 id, QObject *context, std::function<void(const QList<TransferReceipt> &)> then) const;

signals:
    void loaded(); // what an earlier start has left is among transfers() now
    void added(qint64 id);
    void removed(qint64 id);
    void reordered();
    void changed(qint64 id); // at most ten times a second for each, and at once when its state changes
    void asked(qint64 id);
    void finished(qint64 id); // isOver(its state)
    // The journal cannot be used: transfers work, and are forgotten with the program.
    void journalFailed(const Sandpiper::Error &error);

private:
    struct Entry;
    [[nodiscard]] Entry *find(qint64 id) const;
    void startNext();
    void start(Entry &entry);
    void stop(Entry &entry, TransferState state);

    Services m_services;
    std::unique_ptr<TransferJournal> m_journal;
    std::vector<std::unique_ptr<Entry>> m_entries;
    qint64 m_lastId = 0;
};

} // namespace Sandpiper

// Carries a plan out: copies by the queue of transfers, and everything else here. GUI thread; this computer's disk in
// the pool.
#pragma once

#include "sftp/filesystem.h"
#include "sftp/syncplan.h"
#include "sftp/transfer.h"

#include <QHash>
#include <QPointer>
#include <QSet>

namespace Sandpiper {

class TransferQueue;

// First what is missing or older, then permissions, then what is of another kind than what has its name, at last what
// goes. Each of the last two only where nothing before has failed. What is removed is what the plan names and nothing
// else: a folder into which something new has come stays. No link is followed on the way: on this computer by
// openat(), elsewhere each folder's real path is asked for first. Deleting it leaves its transfer to the queue.
class TreeSync : public QObject
{
    Q_OBJECT
public:
    struct Places
    {
        QPointer<FileSystem> source; // borrowed and may go
        FilePath sourceRoot;
        QPointer<FileSystem> target; // the same
        FilePath targetRoot;
        SandboxId sandbox; // that of the two which is not this computer
        QString sandboxName;
    };
    struct Outcome
    {
        qint64 filesMoved = 0;
        quint64 bytesMoved = 0;
        qint64 adjusted = 0;
        qint64 removed = 0;
        qint64 failed = 0;
        QList<TransferFailure> failures; // the first 1,000
        std::optional<Error> error;      // why nothing more was done
        bool isCancelled = false;
        qint64 heldBack = 0; // steps that were not done because something before them had failed
        [[nodiscard]] bool isWhole() const { return failed == 0 && !error && !isCancelled && heldBack == 0; }
    };
    // A sentence why it cannot be done between these; empty: it can.
    [[nodiscard]] static QString reasonAgainst(const FileSystem &source, const FileSystem &target);
    // queue: borrowed and may go.
    TreeSync(const Places &places, const SyncPlan &plan, TransferQueue *queue, QObject *parent = nullptr);
    ~TreeSync() override;
    void start();
    void cancel(); // finished() follows; what is done is done

signals:
    void transferAdded(qint64 id); // to the queue
    void progressed(const Sandpiper::TransferProgress &progress); // of the transfer under way
    void began(const QList<Sandpiper::SyncStep> &steps); // these are next
    void finished(const Sandpiper::TreeSync::Outcome &outcome); // once

private:
    using Steps = QList<SyncStep>;
    enum class Phase { Look, Copy, Adjust, Clear, CopyLate, Remove, Over };
    void next();
    void transfer(const Steps &steps);
    void transferEnded(qint64 id);
    // Opens the target on this computer, or asks there where the folders of the steps really are.
    void checkFolders(const Steps &steps, std::function<void()> then);
    void adjust(const Steps &steps);
    void remove(const Steps &steps);
    void removeSome();
    // For each, at most some at once; then(), when all are done.
    void forEach(const Steps &steps, std::function<QFuture<Done>(const SyncStep &)> work, std::function<void(const SyncStep &, const Done &)> told, std::function<void()> then);
    [[nodiscard]] QFuture<Done> adjustOne(const SyncStep &step);
    [[nodiscard]] QFuture<Done> removeOne(const SyncStep &step);
    [[nodiscard]] FilePath there(const FilePath &path) const { return path.isEmpty() ? m_targetRoot : m_targetRoot.joined(path); }
    void fail(const FilePath &path, const Error &error);
    void end();

    QPointer<FileSystem> m_source;
    QPointer<FileSystem> m_target;
    FilePath m_sourceRoot;
    FilePath m_targetRoot;
    SandboxId m_sandbox;
    QString m_sandboxName;
    TransferWay m_way;
    SyncPlan m_plan;
    QPointer<TransferQueue> m_queue;
    Phase m_phase = Phase::Look;
    qint64 m_transfer = 0;
    std::shared_ptr<const LocalTree> m_tree; // the target, where it is on this computer; shared with the pool
    FilePath m_realRoot;                     // of the target, where it is elsewhere
    QHash<FilePath, Done> m_checked;         // folders there
    QList<Steps> m_removals;                 // what may go together
    QSet<FilePath> m_notEmptied;             // something in these could not be removed
    Outcome m_outcome;
};

} // namespace Sandpiper

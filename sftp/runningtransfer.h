// One transfer that is under way, and what all kinds of it have in common: what is found waits for its folder, comes
// into the journal, is asked about and counted, until nothing is left. How bytes, folders and links get to the other
// side is the business of those that derive from it. GUI thread.
#pragma once

#include "sftp/transferjournal.h"
#include "sftp/transferscan.h"

#include <QElapsedTimer>
#include <QTimer>

#include <deque>
#include <vector>

namespace Sandpiper {

class RunningTransfer : public QObject
{
    Q_OBJECT
public:
    // What is half is left for the next time, unless it was cancelled.
    ~RunningTransfer() override;

    virtual void start() = 0;
    // No half file stays. finished() follows.
    virtual void cancel() = 0;
    virtual void retryNow() = 0; // while it waits for a connection
    void answer(OnConflict what, bool forAll);
    [[nodiscard]] const TransferProgress &progress() const { return m_progress; }
    [[nodiscard]] std::optional<TransferQuestion> question() const;

signals:
    void changed(); // at most ten times a second, and at once when the state changes
    void asked();
    // Once. Cancelled, Finished or Failed.
    void finished(Sandpiper::TransferState state);

protected:
    struct Large; // of TransferRun: a file that goes in parts
    // A file, or with `large` a part of it, and its way to the other side.
    struct Work
    {
        ScannedItem item;
        OnConflict onConflict = OnConflict::Ask;
        bool mayBeThere = false; // an earlier start of the program had begun it
        int tries = 0;
        std::shared_ptr<Large> large;
        TransferPart part;
        int segment = -1; // of large
    };
    struct Conflict
    {
        Work work;
        FileAttributes source;
        FileAttributes existing;
    };
    static constexpr int mostTries = 3; // with a file that changes meanwhile
    [[nodiscard]] static bool hasChanged(const Error &error); // under our hands
    enum class FolderState { Making, There, Fresh, Failed };

    // journal: borrowed, outlives it. transfer: as it is in the journal already.
    RunningTransfer(const JournalledTransfer &transfer, TransferJournal *journal, QObject *parent);

    // What a kind of it does in its own way.
    virtual void openTarget() = 0; // makes the target where it is missing, then search()
    virtual void makeFolderThere(const ScannedItem &item) = 0; // folderMade() follows
    virtual void makeLinkThere(const ScannedItem &item) = 0;   // linkMade() follows
    virtual void begun(Work work) { m_small.push_back(std::move(work)); }   // the journal knows of it
    virtual void tryAgain(Work work) { m_small.push_front(std::move(work)); }
    [[nodiscard]] virtual bool startOne() = 0; // whether there was one that may start
    [[nodiscard]] virtual bool isBusy() const = 0; // with what is not counted here
    virtual void verify() = 0; // what is in m_arrivedFiles; verified() for each, and verifyEnded()
    virtual void finishFolders() = 0; // when all is there; end() follows
    virtual void letGo() = 0; // of connections: it is over
    [[nodiscard]] virtual int connections() const = 0;
    virtual void measured(double, quint64, quint64) {} // seconds, and the bytes and files that were moved in them
    [[nodiscard]] virtual Layer targetLayer() const = 0;

    void begin();
    // The target is, or is not, a folder, where the wish names a file unless it is one. Once: later it may be there
    // because of us.
    void targetFound(bool isFolder);
    void search(std::unique_ptr<TransferScan> scan);
    void goOn();
    void whenFolderIs(const FilePath &folder, std::function<void(bool isThere)> then);
    void folderMade(const ScannedItem &item, const Result<bool> &isNew);
    void linkMade(const ScannedItem &item, const Done &made);
    void fileEnded(Work &work, const FileOutcome &outcome);
    void fileFailed(Work &work, const Error &error);
    void askAbout(const Work &work, const FileOutcome &outcome);
    void fail(const FilePath &source, const Error &error);
    // There is a connection (again).
    void reconnected();
    void verified(qsizetype index, const Result<bool> &isSame);
    void verifyEnded();
    void waitFor(const Error &error, const QDateTime &retryAt);
    // Nothing more is begun, and nothing waits any more.
    void dropAll();
    // For destructors: whoever searches, and answers that come from what goes, speak to what is gone then.
    void stopSearching();
    void end(TransferState state);
    void endWith(const Error &error);
    void setState(TransferState state);
    void report();
    [[nodiscard]] OnConflict policy() const { return m_forAll.value_or(m_transfer.wish.onConflict); }
    [[nodiscard]] QByteArray hiddenNameFor(const FilePath &target) const;
    [[nodiscard]] JournalledFile journalled(const Work &work, JournalledFile::State state) const;
    // The deepest first.
    static void sortByDepth(QList<ScannedItem> &folders);
    // What of it may be in memory at once.
    [[nodiscard]] static qint64 inMemory(const ScannedItem &item);

    JournalledTransfer m_transfer;
    TransferJournal *m_journal;
    QHash<QByteArray, JournalledFile> m_known; // of earlier starts; of a folder that one made: with a slash behind
    QHash<FilePath, FolderState> m_folders;
    QList<ScannedItem> m_madeFolders;  // they get mode and times at the end
    struct Arrived
    {
        ScannedItem item;
        FilePath target; // relative, as it is called there
    };
    QList<Arrived> m_arrivedFiles;     // where the wish verifies
    QList<ScannedItem> m_moved;        // where the wish moves: what goes at the source
    QList<ScannedItem> m_movedFolders; // the same
    std::deque<Work> m_small;          // may be started
    std::vector<std::function<void()>> m_postponed; // until there is a connection
    qint64 m_activeBytes = 0; // of those under way
    int m_others = 0;         // folders, links and the like under way
    bool m_isCancelled = false;
    bool m_isEnding = false;
    bool m_isOver = false;
    TransferProgress m_progress;
    quint64 m_measuredBytes = 0;

private:
    void takeSome();
    void take(const ScannedItem &item);
    void addFile(const ScannedItem &item, bool wasBegun);
    void makeFolder(const ScannedItem &item);
    void makeLink(const ScannedItem &item);
    void beginBatch();
    void count(const Work &work, bool isMoved);
    void arrived(const ScannedItem &item, const QByteArray &name);
    void concludeIfDone();
    void measure();

    std::unique_ptr<TransferScan> m_scan;
    std::deque<QList<ScannedItem>> m_arrived; // found, and not looked at; of the first what is left from m_nextArrived on
    qsizetype m_nextArrived = 0;
    qint64 m_consumed = 0; // of what it found, and not told to it
    QHash<FilePath, QList<std::function<void(bool)>>> m_forFolder;
    std::deque<Work> m_found;         // not in the journal
    std::deque<Conflict> m_conflicts; // the first one is being asked about
    std::optional<OnConflict> m_forAll;
    int m_beginning = 0; // batches with the journal
    QTimer m_rest; // what did not fit into a slice of the thread
    QTimer m_report;
    QTimer m_measure;
    QElapsedTimer m_clock;
    quint64 m_measuredFiles = 0;
};

} // namespace Sandpiper

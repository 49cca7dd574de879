// One transfer that is under way: finds what there is, asks for connections, gives them files and parts of files,
// and sees each to its end. GUI thread.
#pragma once

#include "sftp/transferjournal.h"
#include "sftp/transferlinks.h"
#include "sftp/transferscan.h"

#include <QElapsedTimer>
#include <QTimer>

#include <deque>
#include <vector>

namespace Sandpiper {

class TransferRun : public QObject
{
    Q_OBJECT
public:
    // journal: borrowed, outlives it. transfer: as it is in the journal already.
    TransferRun(const JournalledTransfer &transfer, TransferLinkMaker maker, std::function<double()> random, TransferJournal *journal, QObject *parent = nullptr);
    // What is half is left for the next time, unless it was cancelled.
    ~TransferRun() override;

    void start();
    // No half file stays. finished() follows.
    void cancel();
    void retryNow(); // while it waits for a connection
    void answer(OnConflict what, bool forAll);
    [[nodiscard]] const TransferProgress &progress() const { return m_progress; }
    [[nodiscard]] std::optional<TransferQuestion> question() const;

signals:
    void changed(); // at most ten times a second, and at once when the state changes
    void asked();
    // Once. Cancelled, Finished or Failed.
    void finished(Sandpiper::TransferState state);

private:
    struct Large;
    // A file, or with `large` a part of it, and its way through the jobs.
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
    struct Active
    {
        Work work;
        SftpClient *client = nullptr; // for counting only
        std::unique_ptr<SftpFileTransfer> stream;
        quint64 bytes = 0; // of this try
    };
    struct Conflict
    {
        Work work;
        FileAttributes source;
        FileAttributes existing;
    };
    enum class FolderState { Making, There, Fresh, Failed };

    void findTarget();
    void targetFound(bool isFolder);
    void openTarget();
    void makeRemoteTarget(const FilePath &path, QList<FilePath> missing);
    void startScan();
    void take(const ScannedItem &item);
    void goOn();

    void whenFolderIs(const FilePath &folder, std::function<void(bool isThere)> then);
    void makeFolder(const ScannedItem &item);
    void makeRemoteFolder(const ScannedItem &item);
    void folderMade(const ScannedItem &item, const Result<bool> &isNew);
    void makeLink(const ScannedItem &item);
    void makeRemoteLink(const ScannedItem &item);
    void linkMade(const ScannedItem &item, const Done &made);

    void beginBatch();
    [[nodiscard]] bool startOne();
    void startWork(SftpClient *client, Work work);
    void workEnded(quint64 id, const Result<FileOutcome> &outcome);
    void fileEnded(Work &work, const FileOutcome &outcome);
    void fileFailed(Work &work, const Error &error);
    void askAbout(const Work &work, const FileOutcome &outcome);
    void count(const Work &work, bool isMoved);
    void fail(const FilePath &source, const Error &error);

    void beginLarge(const Work &work);
    void compareOverlap(const std::shared_ptr<Large> &large, const QByteArray &before);
    void startLarge(const std::shared_ptr<Large> &large);
    void queueSegments(const std::shared_ptr<Large> &large);
    void largeWentOn(const Work &work, const FileOutcome &outcome);
    void largeFailed(const Work &work, const Error &error);
    void retryLarge(const Work &work);
    void giveBackLarge(const std::shared_ptr<Large> &large);
    void removeHidden(const ScannedItem &item);

    void concludeIfDone();
    void finishFolders();
    void removeSources();
    void removeRemoteSources();
    void end(TransferState state);

    void clientLost(SftpClient *client, const Error &error);
    void measure();
    void setState(TransferState state);
    void report();
    [[nodiscard]] QByteArray hiddenNameFor(const FilePath &target) const;
    [[nodiscard]] FileTransferWish fileWish(const Work &work) const;
    [[nodiscard]] JournalledFile journalled(const Work &work, JournalledFile::State state) const;
    [[nodiscard]] SftpClient *anyClient() const;
    [[nodiscard]] Layer targetLayer() const;

    JournalledTransfer m_transfer;
    TransferJournal *m_journal;
    TransferLinks m_links;
    std::shared_ptr<TransferPacer> m_pacer;
    std::unique_ptr<TransferScan> m_scan;
    RemoteScan *m_remoteScan = nullptr; // m_scan, where it is one
    qint64 m_consumed = 0;              // of what it found, and not told to it
    std::shared_ptr<const LocalTree> m_targetTree; // Fetch
    QHash<QByteArray, JournalledFile> m_known;     // of earlier starts; of a folder that one made: with a slash behind
    QHash<FilePath, FolderState> m_folders;
    QHash<FilePath, QList<std::function<void(bool)>>> m_forFolder;
    QList<ScannedItem> m_madeFolders;  // they get mode and times at the end
    QList<ScannedItem> m_moved;        // where the wish moves: what goes at the source
    QList<ScannedItem> m_movedFolders; // the same
    std::deque<Work> m_found;    // not in the journal
    std::deque<Work> m_small;    // may be started
    std::deque<Work> m_segments; // of large files
    QHash<quint64, std::shared_ptr<Active>> m_active;
    QHash<SftpClient *, int> m_load;      // small files with it
    QHash<SftpClient *, int> m_loadLarge; // segments
    std::deque<Conflict> m_conflicts;     // the first one is being asked about
    QList<std::shared_ptr<Large>> m_large; // that are not over
    std::vector<std::function<void()>> m_postponed; // until there is a connection
    std::optional<OnConflict> m_forAll;
    quint64 m_lastWork = 0;
    qint64 m_activeBytes = 0; // of small files under way
    int m_beginning = 0;      // batches with the journal
    int m_others = 0;         // folders, links and the like under way
    bool m_isCancelled = false;
    bool m_isEnding = false;
    bool m_isOver = false;
    TransferProgress m_progress;
    QTimer m_report;
    QTimer m_measure;
    QElapsedTimer m_clock;
    quint64 m_measuredBytes = 0;
    quint64 m_measuredFiles = 0;
    double m_bestRate = 0;  // with fewer connections
    int m_steps = 0;        // measured with as many as there are now
    bool m_isEnough = false; // connections
};

} // namespace Sandpiper

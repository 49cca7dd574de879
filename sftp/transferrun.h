// A transfer between this computer and a server with SFTP: asks for connections, gives them files and parts of files.
// GUI thread.
#pragma once

#include "sftp/runningtransfer.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/transferlinks.h"
#include "sftp/transferverify.h"

#include <unordered_map>

namespace Sandpiper {

class TransferRun : public RunningTransfer
{
    Q_OBJECT
public:
    // journal: borrowed, outlives it. transfer: as it is in the journal already.
    TransferRun(const JournalledTransfer &transfer, TransferLinkMaker maker, std::function<double()> random, TransferJournal *journal, QObject *parent = nullptr);
    ~TransferRun() override;

    void start() override;
    void cancel() override;
    void retryNow() override;

private:
    // A channel of a connection, and what is under way on it.
    struct Lane
    {
        SftpClient *client = nullptr;
        std::unique_ptr<SftpFileTransfers> files;
        int small = 0;
        int large = 0; // parts
    };
    struct Active
    {
        Work work;
        SftpClient *client = nullptr; // to be compared only
        quint64 bytes = 0; // of this try
    };

    void findTarget();
    void openTarget() override;
    void makeRemoteTarget(const FilePath &path, QList<FilePath> missing);
    void startScan();

    void makeFolderThere(const ScannedItem &item) override;
    void makeRemoteFolder(const ScannedItem &item);
    void makeLinkThere(const ScannedItem &item) override;
    void makeRemoteLink(const ScannedItem &item);

    void begun(Work work) override;
    void tryAgain(Work work) override;
    [[nodiscard]] bool startOne() override;
    [[nodiscard]] bool isBusy() const override { return !m_active.empty() || !m_segments.empty() || !m_large.isEmpty(); }
    void startWork(Lane &lane, Work work);
    void workEnded(const SftpFileEnd &end);

    void beginLarge(const Work &work);
    void compareOverlap(const std::shared_ptr<Large> &large, const QByteArray &before);
    void startLarge(const std::shared_ptr<Large> &large);
    void makeLarge(const std::shared_ptr<Large> &large);
    void queueSegments(const std::shared_ptr<Large> &large);
    void largeWentOn(const Work &work, const FileOutcome &outcome);
    void largeFailed(const Work &work, const Error &error);
    void retryLarge(const Work &work);
    void beginAgain(const ScannedItem &item, int tries);
    void giveBackLarge(const std::shared_ptr<Large> &large);
    void removeHidden(const ScannedItem &item);

    void verify() override;
    void finishFolders() override;
    void removeSources();
    void removeRemoteSources();
    void removeRemoteFolders();
    struct Asked;
    using AskAbout = std::function<QFuture<Done>(SftpClient *at, const ScannedItem &item)>;
    // What is cut off is asked again; then(), once, when each has been told.
    void askForEach(const QList<ScannedItem> &items, AskAbout ask, std::function<void(const ScannedItem &, const Done &)> told, std::function<void()> then);
    void askOn(const std::shared_ptr<Asked> &asked);
    void letGo() override;

    void clientOpened(SftpClient *client);
    void clientLost(SftpClient *client, const Error &error);
    // What is under way on it is cancelled.
    static void letGoOf(Lane lane);
    void wishForAllWhereItIsFar();
    [[nodiscard]] int connections() const override;
    void measured(double seconds, quint64 bytes, quint64 files) override;
    [[nodiscard]] FileTransferWish fileWish(const Work &work) const;
    [[nodiscard]] SftpClient *anyClient() const;
    [[nodiscard]] FileSystem *filesThere();
    [[nodiscard]] Layer targetLayer() const override;

    TransferLinks m_links;
    std::shared_ptr<TransferPacer> m_pacer;
    std::unique_ptr<SftpFileSystem> m_files; // a face on one of the connections
    QPointer<SftpClient> m_filesClient;      // which
    std::shared_ptr<const LocalTree> m_targetTree; // Fetch
    std::deque<Work> m_segments;                   // of large files
    std::unordered_map<quint64, Active> m_active;
    std::vector<Lane> m_lanes;
    std::unique_ptr<TransferVerify> m_verify;
    QList<std::shared_ptr<Large>> m_large; // that are not over
    quint64 m_lastWork = 0;
    double m_bestRate = 0;   // with fewer connections
    int m_steps = 0;         // measured with as many as there are now
    bool m_isEnough = false; // connections
    bool m_hasWishedForAll = false;
};

} // namespace Sandpiper

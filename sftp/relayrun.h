// A transfer from any file system to any other, or within one: a file goes by way of RelayFile, many at once. GUI thread.
#pragma once

#include "sftp/relayfile.h"
#include "sftp/relayplace.h"
#include "sftp/runningtransfer.h"

namespace Sandpiper {

class RelayRun : public RunningTransfer
{
    Q_OBJECT
public:
    // journal: borrowed, outlives it. transfer: as it is in the journal already.
    RelayRun(const JournalledTransfer &transfer, const TransferFilesMaker &maker, const std::function<double()> &random, TransferJournal *journal, QObject *parent = nullptr);
    ~RelayRun() override;

    void start() override;
    void cancel() override;
    void retryNow() override;

private:
    struct Active
    {
        Work work;
        std::unique_ptr<RelayFile> file;
        quint64 bytes = 0; // of this try
    };

    [[nodiscard]] bool isOnePlace() const { return !m_other; }
    [[nodiscard]] RelayPlace *to() const { return m_other ? m_other.get() : m_from.get(); }
    [[nodiscard]] bool isOpen() const { return m_from->files() && to()->files(); }
    void connectPlace(RelayPlace *place);
    // Now, or when both are there.
    void whenOpen(std::function<void()> step);
    // Where it is out of reach the step comes again when it is back.
    // Defined where it is used.
    template <typename Answer, typename Then>
    void ask(RelayPlace *at, const QFuture<Answer> &answer, std::function<void()> again, Then then);
    void complain(const FileSystem *of, const Error &error);

    // Paths that are relative begin where a login lands.
    void completePaths();
    void findTarget();
    void openTarget() override;
    void lookForTarget(const FilePath &path, const QList<FilePath> &missing);
    void refuseLoops(const FilePath &base, const QList<FilePath> &missing);
    void compareWithSource(const FilePath &source, const FilePath &realTarget, std::function<void()> then);
    void makeTarget(QList<FilePath> missing);
    void renameSources();
    void renameSource(qsizetype index);
    void sourceRenamed(qsizetype index);
    void refuse(const FilePath &source, ErrorKind kind, const QString &reason);
    void startScan();
    [[nodiscard]] FilePath landingOf(const FilePath &source) const; // relative to the target

    void makeFolderThere(const ScannedItem &item) override;
    void lookForFolder(const ScannedItem &item);
    void makeLinkThere(const ScannedItem &item) override;
    void lookAtLink(const ScannedItem &item, const FilePath &leads);

    [[nodiscard]] bool startOne() override;
    [[nodiscard]] bool isBusy() const override { return !m_active.isEmpty(); }
    void workEnded(quint64 id, const Result<FileOutcome> &outcome);

    void verify() override;
    void compare(qsizetype index, int attempt);
    void finishFolders() override;
    void finishFolder(const std::shared_ptr<qsizetype> &left, const ScannedItem &folder);
    void foldersFinished();
    void removeSources();
    void removeSourceFolders();
    // Of what earlier starts had begun, and this one did not find any more.
    void sweep(std::function<void()> then);
    void endCancelled();
    void letGo() override;
    [[nodiscard]] int connections() const override;
    [[nodiscard]] Layer targetLayer() const override { return to()->layer(); }
    [[nodiscard]] FilePath absolute(const FilePath &target) const { return m_transfer.wish.target.joined(target); }

    std::unique_ptr<RelayPlace> m_from;
    std::unique_ptr<RelayPlace> m_other; // the target's; null: it is the same place
    std::shared_ptr<TransferPacer> m_pacer;
    QList<FilePath> m_sources; // of the wish, that are to be looked for still
    QHash<quint64, std::shared_ptr<Active>> m_active;
    QHash<FilePath, ScannedItem> m_unmade; // folders that come with the first file in them, where no empty ones are made
    QSet<FilePath> m_begun;                // files that an earlier start had begun, and this one has not
    quint64 m_lastWork = 0;
    int m_removing = 0;
    qsizetype m_nextCompared = 0;
    int m_comparing = 0;
    bool m_isLoaded = false;
};

} // namespace Sandpiper

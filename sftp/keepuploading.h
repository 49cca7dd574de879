// A folder of this computer goes to a sandbox, and goes again whenever something in it changes, until it is stopped. GUI thread.
#pragma once

#include "sftp/treecompare.h"
#include "sftp/treesync.h"
#include "sftp/treewatch.h"

namespace Sandpiper {

// Nothing is removed there. What goes is what differs, as a transfer of the queue.
class KeepUploading : public QObject
{
    Q_OBJECT
public:
    // places: source is this computer's; both are borrowed and may go, which ends it. queue: the same.
    KeepUploading(const TreeSync::Places &places, TransferQueue *queue, QObject *parent = nullptr);
    ~KeepUploading() override;
    void start();

    [[nodiscard]] FilePath source() const { return m_places.sourceRoot; }
    [[nodiscard]] FilePath target() const { return m_places.targetRoot; }
    [[nodiscard]] SandboxId sandbox() const { return m_places.sandbox; }
    [[nodiscard]] QString sandboxName() const { return m_places.sandboxName; }
    [[nodiscard]] bool isBusy() const { return m_compare || m_sync; }
    [[nodiscard]] TreeWatch *watch() { return &m_watch; }

signals:
    // All that had changed is there now, files of it in this round; error: why some of it is not.
    void settled(qint64 files, const std::optional<Sandpiper::Error> &error);
    void ended(const Sandpiper::Error &error); // a side is gone

private:
    void look();
    void compared(const Done &end);
    void round(qint64 files, const std::optional<Error> &error);

    TreeSync::Places m_places;
    QPointer<TransferQueue> m_queue;
    TreeWatch m_watch;
    std::unique_ptr<TreeCompare> m_compare;
    std::unique_ptr<TreeSync> m_sync;
    QList<CompareRow> m_rows;
    QList<FilePath> m_folders; // watched
    bool m_again = false; // something changed while it was busy
};

} // namespace Sandpiper

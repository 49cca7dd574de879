#include "sftp/keepuploading.h"

#include "sftp/transferqueue.h"
#include "sftp/treecompare.h"

#include <algorithm>

namespace Sandpiper {

KeepUploading::KeepUploading(const TreeSync::Places &places, TransferQueue *queue, QObject *parent)
    : QObject(parent)
    , m_places(places)
    , m_queue(queue)
{
    connect(&m_watch, &TreeWatch::changed, this, &KeepUploading::look);
}

KeepUploading::~KeepUploading() = default;

void KeepUploading::start()
{
    look();
}

void KeepUploading::look()
{
    if (!m_places.source || !m_places.target || !m_queue)
        return emit ended({ErrorKind::ConnectionLost, Layer::Sftp, {}, m_places.sandboxName});
    if (isBusy()) {
        m_again = true;
        return;
    }
    m_again = false;
    m_rows.clear();
    m_compare = std::make_unique<TreeCompare>(TreeCompare::Place{m_places.source, m_places.sourceRoot}, TreeCompare::Place{m_places.target, m_places.targetRoot, true}, CompareOptions{});
    connect(m_compare.get(), &TreeCompare::found, this, [this](const QList<CompareRow> &rows) { m_rows += rows; });
    connect(m_compare.get(), &TreeCompare::finished, this, &KeepUploading::compared);
    m_compare->start();
}

void KeepUploading::compared(const Done &end)
{
    m_compare.release()->deleteLater(); // it is what speaks
    QList<FilePath> folders{m_places.sourceRoot};
    for (const CompareRow &row : std::as_const(m_rows)) {
        if (row.left && row.left->isFolder())
            folders.append(m_places.sourceRoot.joined(row.path));
    }
    std::ranges::sort(folders, {}, &FilePath::bytes);
    // Once more with all of them watched: what changed in a new one while it was compared was not told.
    if (folders != m_folders) {
        m_folders = folders;
        m_watch.watch(folders);
        m_again = true;
    }
    if (!end)
        return round(0, end.error());
    const SyncPlan plan = planSync(std::exchange(m_rows, {}), SyncWay::LeftToRight, false);
    if (plan.changes() == 0)
        return round(0, std::nullopt);
    if (!m_places.source || !m_places.target || !m_queue)
        return emit ended({ErrorKind::ConnectionLost, Layer::Sftp, {}, m_places.sandboxName});
    m_sync = std::make_unique<TreeSync>(m_places, plan, m_queue);
    connect(m_sync.get(), &TreeSync::finished, this, [this](const TreeSync::Outcome &outcome) {
        m_sync.release()->deleteLater(); // it is what speaks
        const std::optional<Error> failed = outcome.error ? outcome.error : outcome.failures.isEmpty() ? std::nullopt : std::optional(outcome.failures.constFirst().error);
        round(outcome.filesMoved, outcome.isCancelled ? std::optional(Error{ErrorKind::Cancelled, Layer::Sftp, {}, {}}) : failed);
    });
    m_sync->start();
}

void KeepUploading::round(qint64 files, const std::optional<Error> &error)
{
    emit settled(files, error);
    if (m_again)
        QMetaObject::invokeMethod(this, &KeepUploading::look, Qt::QueuedConnection);
}

} // namespace Sandpiper

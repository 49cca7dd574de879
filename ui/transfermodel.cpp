#include "ui/transfermodel.h"

#include "session/errortext.h"
#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/sandboxtext.h"

#include <QCoreApplication>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class TransferWords
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Transfers)
};

} // namespace

QString stateText(const TransferProgress &progress)
{
    const auto because = [&](const QString &word) { return progress.error ? TransferWords::tr("%1: %2").arg(word, errorText(*progress.error).sentence) : word; };
    switch (progress.state) {
    case TransferState::Queued: return TransferWords::tr("Queued");
    case TransferState::Running: return progress.isScanned ? TransferWords::tr("Running") : TransferWords::tr("Running, still looking");
    case TransferState::Paused: return TransferWords::tr("Paused");
    case TransferState::Asking: return TransferWords::tr("Asks about a file");
    case TransferState::Waiting: return because(TransferWords::tr("Waiting"));
    case TransferState::Finished:
        return progress.failures.isEmpty() ? TransferWords::tr("Done")
                                           : TransferWords::tr("Done, but %L1 failed: %2").arg(progress.filesFailed).arg(errorText(progress.failures.constFirst().error).sentence);
    case TransferState::Failed: return because(TransferWords::tr("Failed"));
    case TransferState::Cancelled: return TransferWords::tr("Cancelled");
    }
    Q_UNREACHABLE_RETURN({});
}

QString placesText(const TransferWish &wish)
{
    const QString here = TransferWords::tr("this computer");
    const QString other = tamed(wish.sandboxName, 60);
    switch (wish.way) {
    case TransferWay::Fetch: return TransferWords::tr("%1 → %2").arg(other, here);
    case TransferWay::Send: return TransferWords::tr("%1 → %2").arg(here, other);
    case TransferWay::Relay: break;
    }
    const QString from = wish.sourceSandbox.isEmpty() ? here : tamed(wish.sourceSandboxName, 60);
    const QString to = wish.sandbox.isEmpty() ? here : other;
    return wish.sourceSandbox == wish.sandbox ? TransferWords::tr("within %1").arg(to) : TransferWords::tr("%1 → %2").arg(from, to);
}

QString nameText(const TransferWish &wish)
{
    if (!wish.base.isEmpty())
        return TransferWords::tr("%L1 changes of %2").arg(wish.sources.size()).arg(shownBytes(wish.base.name()));
    const QString first = wish.sources.isEmpty() ? QString() : shownBytes(wish.sources.constFirst().name());
    return wish.sources.size() > 1 ? TransferWords::tr("%1 and %L2 more").arg(first).arg(wish.sources.size() - 1) : first;
}

QString summaryText(const QList<TransferProgress> &transfers)
{
    qsizetype open = 0;
    qsizetype asking = 0;
    qsizetype paused = 0;
    qsizetype waiting = 0;
    double rate = 0;
    double left = 0;
    bool isCounted = true; // of all that is not over it is known how much there is
    for (const TransferProgress &progress : transfers) {
        if (isOver(progress.state))
            continue;
        ++open;
        asking += progress.state == TransferState::Asking;
        paused += progress.state == TransferState::Paused;
        waiting += progress.state == TransferState::Waiting;
        rate += progress.state == TransferState::Running || progress.state == TransferState::Asking ? progress.bytesPerSecond : 0;
        left += progress.bytes > progress.bytesMoved ? double(progress.bytes - progress.bytesMoved) : 0;
        isCounted = isCounted && progress.isScanned;
    }
    if (open == 0)
        return {};
    QStringList parts{open == 1 ? TransferWords::tr("1 transfer") : TransferWords::tr("%L1 transfers").arg(open)};
    if (asking > 0)
        parts.append(asking == 1 && open == 1 ? TransferWords::tr("asks about a file") : TransferWords::tr("%L1 asking").arg(asking));
    if (paused == open)
        parts.append(TransferWords::tr("paused"));
    else if (waiting > 0 && waiting + paused == open)
        parts.append(TransferWords::tr("waiting"));
    if (rate >= 1)
        parts.append(TransferWords::tr("%1/s").arg(sizeText(quint64(rate))));
    if (rate >= 1 && isCounted && left > 0)
        parts.append(TransferWords::tr("%1 left").arg(shortSpan(qint64(left / rate))));
    return parts.join(u" · "_s);
}

TransferModel::TransferModel(TransferQueue *queue, QObject *parent)
    : QAbstractTableModel(parent)
    , m_queue(queue)
    , m_ids(queue->transfers())
{
    for (const auto signal : {&TransferQueue::loaded, &TransferQueue::reordered})
        connect(queue, signal, this, &TransferModel::reload);
    connect(queue, &TransferQueue::added, this, &TransferModel::reload);
    connect(queue, &TransferQueue::removed, this, &TransferModel::reload);
    connect(queue, &TransferQueue::changed, this, [this](qint64 id) {
        if (const qsizetype row = m_ids.indexOf(id); row >= 0)
            emit dataChanged(index(int(row), 0), index(int(row), ColumnCount - 1));
    });
}

void TransferModel::reload()
{
    beginResetModel();
    m_ids = m_queue->transfers();
    endResetModel();
}

int TransferModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_ids.size());
}

int TransferModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant TransferModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Name"), tr("From and to"), tr("Progress"), tr("Speed"), tr("Left"), tr("State")};
    return titles[section];
}

QVariant TransferModel::data(const QModelIndex &index, int role) const
{
    const qint64 id = idAt(index.row());
    const TransferProgress progress = m_queue->progress(id);
    if (role == FractionRole)
        return progress.state == TransferState::Finished ? 1.0 : progress.bytes == 0 ? 0.0 : double(progress.bytesMoved) / double(progress.bytes);
    if (role == Qt::ToolTipRole && index.column() == State)
        return plainTip(stateText(progress));
    if (role != Qt::DisplayRole)
        return {};
    const TransferWish wish = m_queue->wish(id);
    const bool runs = progress.state == TransferState::Running || progress.state == TransferState::Asking;
    switch (Column(index.column())) {
    case Name: return nameText(wish);
    case Where: return placesText(wish);
    case Progress:
        if (progress.files == 0)
            return {};
        if (progress.files == 1)
            return tr("%1 of %2").arg(sizeText(progress.bytesMoved), sizeText(progress.bytes));
        return tr("%1 of %2, %L3 of %L4 files").arg(sizeText(progress.bytesMoved), sizeText(progress.bytes)).arg(progress.filesMoved).arg(progress.files);
    case Speed: return runs && progress.bytesPerSecond >= 1 ? tr("%1/s").arg(sizeText(quint64(progress.bytesPerSecond))) : QString();
    case Left:
        return runs && progress.isScanned && progress.bytesPerSecond >= 1 && progress.bytes > progress.bytesMoved
                ? shortSpan(qint64(double(progress.bytes - progress.bytesMoved) / progress.bytesPerSecond))
                : QString();
    case State: return stateText(progress);
    case ColumnCount: break;
    }
    return {};
}

} // namespace Sandpiper

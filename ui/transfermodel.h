// Transfers as rows, and what is said of them. GUI thread.
#pragma once

#include "sftp/transferqueue.h"

#include <QAbstractTableModel>

namespace Sandpiper {

class TransferModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, Where, Progress, Speed, Left, State, ColumnCount };
    enum Role { FractionRole = Qt::UserRole + 1 }; // 0 to 1; negative: not known
    explicit TransferModel(TransferQueue *queue, QObject *parent = nullptr); // borrowed, outlives it

    [[nodiscard]] qint64 idAt(int row) const { return m_ids.at(row); }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void reload();
    TransferQueue *m_queue;
    QList<qint64> m_ids;
};

// "this computer → box", "within box".
[[nodiscard]] QString placesText(const TransferWish &wish);
// "report.txt and 3 more".
[[nodiscard]] QString nameText(const TransferWish &wish);
// "Running", "Paused", why it waits or has failed: one line.
[[nodiscard]] QString stateText(const TransferProgress &progress);

// All transfers in one line: "2 transfers · 12 MB/s · 3 min left". Empty: there is none that is not over.
[[nodiscard]] QString summaryText(const QList<TransferProgress> &transfers);

} // namespace Sandpiper

// What a transfer has brought where: each file's size, time, permissions and hash. GUI thread.
#pragma once

#include "sftp/transferqueue.h"

#include <QAbstractTableModel>
#include <QDialog>

namespace Sandpiper {

class ReceiptModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, Size, Permissions, Modified, Hash, ColumnCount };
    using QAbstractTableModel::QAbstractTableModel;
    void setReceipts(const QList<TransferReceipt> &receipts);
    [[nodiscard]] const QList<TransferReceipt> &receipts() const { return m_receipts; }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QList<TransferReceipt> m_receipts;
};

// A line for each file, tab between: what the table has, in full. Names as they are shown.
[[nodiscard]] QString receiptText(const QList<TransferReceipt> &receipts);
// Gone with parent. queue is borrowed and may go.
QDialog *showTransferReceipt(QWidget *parent, TransferQueue *queue, qint64 id);

} // namespace Sandpiper

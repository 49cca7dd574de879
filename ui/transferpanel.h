// The list of transfers, under the panes of a file browser. GUI thread.
#pragma once

#include "sftp/transferqueue.h"

#include <QAbstractTableModel>
#include <QPointer>
#include <QWidget>

class QLabel;
class QTableView;
class QToolButton;

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

class TransferPanel : public QWidget
{
    Q_OBJECT
public:
    explicit TransferPanel(TransferQueue *queue, QWidget *parent = nullptr); // borrowed, outlives it
    [[nodiscard]] TransferModel *model() const { return m_model; }

private:
    void updateButtons();
    void retryOrResume();
    void clearFinished();
    [[nodiscard]] QList<qint64> chosen() const;
    TransferQueue *m_queue;
    TransferModel *m_model;
    QTableView *m_table;
    QLabel *m_title;
    QToolButton *m_pause;
    QToolButton *m_resume;
    QToolButton *m_cancel;
    QToolButton *m_clear;
};

// "this computer → box", "within box".
[[nodiscard]] QString placesText(const TransferWish &wish);
// "Running", "Paused", why it waits or has failed: one line.
[[nodiscard]] QString stateText(const TransferProgress &progress);
// Asks the question of a transfer, beside both files' sizes and times. Null: it has none. Gone with parent.
QWidget *askAboutConflict(QWidget *parent, TransferQueue *queue, qint64 id);

} // namespace Sandpiper

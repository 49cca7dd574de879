// The connections of one forward that are open now, each of which can be closed. GUI thread.
#pragma once

#include "session/forwardmanager.h"

#include <QAbstractTableModel>
#include <QDialog>

class QLabel;
class QPushButton;
class QTableView;

namespace Sandpiper {

class ForwardConnectionModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { From, To, Sent, Received, Since, Idle, ColumnCount };
    explicit ForwardConnectionModel(QObject *parent = nullptr);

    // Rows stay where they are while their connection is there.
    void take(const QList<ForwardConnection> &connections);
    [[nodiscard]] quint64 idAt(int row) const { return m_connections.at(row).id; }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QList<ForwardConnection> m_connections; // by id: as they came
};

class ForwardConnections : public QDialog
{
    Q_OBJECT
public:
    // forwards is borrowed and outlives it. Deletes itself when closed, and goes with its forward.
    ForwardConnections(ForwardManager *forwards, const ForwardWish &wish, QWidget *parent);

private:
    void refresh();
    void closeChosen();
    ForwardManager *m_forwards;
    QString m_id;
    ForwardConnectionModel *m_model;
    QTableView *m_table;
    QLabel *m_sum;
    QLabel *m_empty;
    QPushButton *m_closeConnection;
};

} // namespace Sandpiper

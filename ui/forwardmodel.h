// The forwards that are kept and how each stands, as a table. GUI thread.
#pragma once

#include "session/forwardmanager.h"

#include <QAbstractTableModel>

namespace Sandpiper {

class ForwardModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { On, Where, What, State, Connections, Traffic, Name, ColumnCount };
    explicit ForwardModel(ForwardManager *forwards, QObject *parent = nullptr); // borrowed, outlives it

    [[nodiscard]] QString idAt(int row) const { return m_ids.at(row); }
    [[nodiscard]] int rowOf(const QString &id) const { return int(m_ids.indexOf(id)); }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;
    // The switch in the column On.
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;

signals:
    void notSaved(const Sandpiper::Error &error);

private:
    void reload();
    [[nodiscard]] QVariant trafficData(const QString &id, Column column, int role) const;
    ForwardManager *m_forwards;
    QStringList m_ids; // by sandbox, then as they were made
};

} // namespace Sandpiper

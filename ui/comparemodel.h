// The rows of a comparison and the steps of a plan, as tables show them. GUI thread.
#pragma once

#include "sftp/syncplan.h"

#include <QAbstractTableModel>

namespace Sandpiper {

class CompareModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Path, Finding, Left, Right, ColumnCount };
    enum class Filter { Differing, All, OnlyLeft, OnlyRight };
    struct Counts
    {
        qint64 same = 0;
        qint64 differing = 0;
        qint64 onlyLeft = 0;
        qint64 onlyRight = 0;
        qint64 failed = 0;
        qint64 leftOut = 0;
        friend bool operator==(const Counts &, const Counts &) = default;
    };
    using QAbstractTableModel::QAbstractTableModel;

    void clear();
    void add(const QList<CompareRow> &rows);
    // By path; the sorting is done in the pool.
    void sortAll();
    void setFilter(Filter filter);
    [[nodiscard]] const Counts &counts() const { return m_counts; }
    [[nodiscard]] const QList<CompareRow> &rows() const { return m_rows; } // also those that are not shown
    [[nodiscard]] const CompareRow &row(int at) const { return m_rows.at(m_shown.at(at)); }
    // Of the same ones only the first 100,000 are kept.
    [[nodiscard]] qint64 unlisted() const { return m_unlisted; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] bool passes(const CompareRow &row) const;
    void filterAll();
    QList<CompareRow> m_rows;
    QList<qsizetype> m_shown;
    Filter m_filter = Filter::Differing;
    Counts m_counts;
    qint64 m_unlisted = 0;
    int m_generation = 0;
};

class PlanModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Action, Path, Why, Size, ColumnCount };
    using QAbstractTableModel::QAbstractTableModel;
    void setPlan(const SyncPlan &plan);
    [[nodiscard]] const SyncPlan &plan() const { return m_plan; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    SyncPlan m_plan;
};

// "Differs in size and time", "Only left", why it could not be compared.
[[nodiscard]] QString findingText(const CompareRow &row);
// "3 files to copy (1.2 MB), 1 to replace, 2 to remove"
[[nodiscard]] QString planText(const SyncPlan &plan);

} // namespace Sandpiper

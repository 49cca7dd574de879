// The page of host keys: which servers and sandboxes this computer has met. GUI thread.
#pragma once

#include "session/hostkeylist.h"
#include "ui/dialogkit.h"

#include <QAbstractTableModel>

class QLineEdit;
class QPushButton;
class QTableView;

namespace Sandpiper {

class HostKeysModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Host, Type, Fingerprint, Where, Mark, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;
    void setRows(const QList<HostKeyRow> &rows);
    void setFilter(const QString &text);
    [[nodiscard]] const HostKeyRow &row(int row) const { return m_rows.at(m_shown.at(row)); }
    [[nodiscard]] bool isEmpty() const { return m_rows.isEmpty(); } // whatever the filter hides

    int rowCount(const QModelIndex &parent) const override;
    int columnCount(const QModelIndex &parent) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void filter();
    [[nodiscard]] QString hostText(const HostKeyRow &row) const;
    QList<HostKeyRow> m_rows;
    QList<qsizetype> m_shown;
    QString m_filter;
};

class HostKeysPage : public QWidget
{
    Q_OBJECT
public:
    explicit HostKeysPage(const HostKeyPlaces &places, QWidget *parent = nullptr);
    void refresh(); // read on another thread
    void showOnly(const QString &filter);

signals:
    void closeWanted();

private:
    void take(const HostKeyList &list);
    void run(std::function<Done()> work);
    void askForget();
    void askLine();
    void copyLines();
    void chooseFile();
    void updateButtons();
    [[nodiscard]] QList<HostKeyRow> chosenRows() const; // all that are shown where none is selected
    [[nodiscard]] QByteArray chosenLines() const;

    HostKeyPlaces m_places;
    HostKeysModel *m_model;
    QLineEdit *m_filter;
    QTableView *m_table;
    QLabel *m_empty;
    QLabel *m_foot;
    NoticeBar *m_notices;
    QPushButton *m_add;
    QPushButton *m_copy;
    QPushButton *m_save;
    QPushButton *m_forget;
};

} // namespace Sandpiper

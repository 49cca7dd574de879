// The list of files that are being edited, under the panes of a file browser. GUI thread.
#pragma once

#include "sftp/fileedits.h"

#include <QAbstractTableModel>
#include <QWidget>

class QTableView;
class QToolButton;

namespace Sandpiper {

class EditModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, Where, State, ColumnCount };
    explicit EditModel(FileEdits *edits, QObject *parent = nullptr); // borrowed, outlives it

    [[nodiscard]] QString idAt(int row) const { return m_ids.at(row); }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void reload();
    FileEdits *m_edits;
    QStringList m_ids;
};

class EditPanel : public QWidget
{
    Q_OBJECT
public:
    explicit EditPanel(FileEdits *edits, QWidget *parent = nullptr); // borrowed, outlives it
    [[nodiscard]] EditModel *model() const { return m_model; }
    [[nodiscard]] QTableView *table() const { return m_table; }

signals:
    void editorWanted(const QString &id);

private:
    [[nodiscard]] QString current() const; // empty: no row
    void updateButtons();
    void sendNow();
    void compare();
    void stop();
    FileEdits *m_edits;
    EditModel *m_model;
    QTableView *m_table;
    QToolButton *m_open;
    QToolButton *m_send;
    QToolButton *m_compare;
    QToolButton *m_stop;
};

// "The same there", "Waiting: …", "Changed on “box-1” as well": one line.
[[nodiscard]] QString stateText(const EditStatus &status, const QString &sandboxName);

} // namespace Sandpiper

// Find files by name and by what they hold, below one folder. GUI thread.
#pragma once

#include "sftp/treefind.h"

#include <QAbstractTableModel>
#include <QDialog>

class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;

namespace Sandpiper {

class FindModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, Folder, Size, Modified, ColumnCount };
    explicit FindModel(const FilePath &top, QObject *parent = nullptr);
    void clear();
    void append(const QList<FindHit> &hits);
    [[nodiscard]] const FindHit &hit(int row) const { return m_hits.at(row); }
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    FilePath m_top;
    QList<FindHit> m_hits;
};

class FindDialog : public QDialog
{
    Q_OBJECT
public:
    // files is borrowed and may go. place: whose they are. Gone when it is closed.
    FindDialog(FileSystem *files, const FileCommandMaker &command, const FilePath &top, const QString &place, QWidget *parent);
    ~FindDialog() override;
    [[nodiscard]] FindModel *model() const { return m_model; }
    [[nodiscard]] bool isRunning() const { return m_finder != nullptr; }
    [[nodiscard]] QString statusText() const;

signals:
    void goToWanted(const Sandpiper::FilePath &path);

private:
    void start();
    void stop();
    void goTo();
    void finished(const TreeFind::Outcome &outcome);
    void updateButtons();
    bool eventFilter(QObject *watched, QEvent *event) override;

    QPointer<FileSystem> m_files;
    FileCommandMaker m_command;
    FilePath m_top;
    FindModel *m_model;
    std::unique_ptr<TreeFind> m_finder;
    QLineEdit *m_name;
    QLineEdit *m_text;
    QCheckBox *m_case;
    QTableView *m_table;
    QLabel *m_status;
    QPushButton *m_find;
    QPushButton *m_goTo;
};

} // namespace Sandpiper

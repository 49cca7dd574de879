// The files of one folder as an item model: what a pane shows. GUI thread; sorting and filtering happen on the pool.
#pragma once

#include "sftp/filelistview.h"
#include "sftp/filesystem.h"

#include <QAbstractTableModel>
#include <QHash>
#include <QPointer>
#include <QSet>
#include <QTimer>

#include <deque>

namespace Sandpiper {

// Rows change by modelReset alone, never while nothing differs. Whoever has a selection keeps it by name:
// rowOf() finds a name again.
class FileListModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Role {
        IsFolderRole = Qt::UserRole + 1,
        IsLinkRole,
        IsPlainTextRole, // false: the name is shown with escapes
    };
    enum class State {
        Empty, // no folder is shown
        Loading, // rows come
        Ready,
        Failed, // see error(); rows that came before stay
    };
    explicit FileListModel(QObject *parent = nullptr);
    ~FileListModel() override;

    // Another folder: what was shown goes. files is borrowed; it may go, and then this lists no more.
    void show(FileSystem *files, const FilePath &folder);
    // The same folder again, behind what is shown. After a lost link with the new file system.
    void refresh(FileSystem *files);
    void refresh();
    void clear();
    void setOrder(const FileOrder &order);
    // What size, moment and mode read like, and the titles of the columns; nothing where it is not set.
    void setWording(std::function<QString(const FileEntry &, FileColumn)> wording, std::function<QString(FileColumn)> titles)
    {
        m_wording = std::move(wording);
        m_titles = std::move(titles);
    }

    [[nodiscard]] const FileOrder &order() const { return m_order; }
    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] bool isRefreshing() const { return m_listing != nullptr; }
    [[nodiscard]] const Error &error() const { return m_error; }
    [[nodiscard]] const FilePath &folder() const { return m_folder; }
    [[nodiscard]] qsizetype allFiles() const { return m_view->all; }
    [[nodiscard]] qsizetype hiddenFiles() const { return m_view->hidden; }
    [[nodiscard]] quint64 refusedNames() const { return m_refused; } // of the last whole listing
    [[nodiscard]] quint64 shownBytes() const { return m_view->shownBytes; }
    [[nodiscard]] const FileEntry &entry(int row) const { return *m_view->rows[size_t(row)]; }
    [[nodiscard]] FilePath path(int row) const;
    [[nodiscard]] int rowOf(const QByteArray &name) const; // -1
    [[nodiscard]] QHash<QByteArray, int> rowsByName() const; // for many at once
    [[nodiscard]] QString ownerText(const FileOwner &owner) const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex &index) const override;

signals:
    void stateChanged();
    void counted(); // what the footer says

private:
    struct Sorting;
    void list();
    void take(const QList<FileEntry> &rows);
    void finish(const Result<ListEnd> &end);
    void arrange();
    void arranged(std::shared_ptr<const FileListView> view, bool same);
    void put(std::shared_ptr<const FileListView> view);
    void setState(State state);
    void askOwners();
    void askTargets();
    [[nodiscard]] QString targetText(const FileEntry &entry) const;

    QPointer<FileSystem> m_files;
    FilePath m_folder;
    FileOrder m_order;
    State m_state = State::Empty;
    Error m_error;
    std::unique_ptr<FileListing> m_listing;
    FilePieces m_pieces; // of the listing that is under way, else of the last
    bool m_isReplacing = false; // a whole listing is there already: this one is shown when it has ended
    bool m_isDone = false;
    quint64 m_refused = 0;
    std::shared_ptr<const FileListView> m_view; // shared with the thread that frees it
    std::shared_ptr<std::atomic<bool>> m_cancelled; // shared with the sorting that is under way; null: none is
    bool m_arrangeAgain = false;
    bool m_hasNews = false; // since the last sorting
    QTimer m_pace;
    std::function<QString(const FileEntry &, FileColumn)> m_wording;
    std::function<QString(FileColumn)> m_titles;
    OwnerNames m_owners;
    QSet<quint32> m_askedUsers;
    QSet<quint32> m_askedGroups;
    QHash<QByteArray, QString> m_targets; // of links, by name; empty: asked for
    mutable std::deque<QByteArray> m_wantedTargets; // of links that were on the screen
    mutable QTimer m_targetPace;
    int m_targetsUnderWay = 0;
    quint64 m_turn = 0; // what belongs to another folder is not heard
};

} // namespace Sandpiper

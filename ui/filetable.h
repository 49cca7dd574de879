// The rows of a pane: selection by name, keys, dragging. GUI thread.
#pragma once

#include "sftp/filelistmodel.h"
#include "ui/carriedfiles.h"
#include "ui/spring.h"

#include <QStyledItemDelegate>
#include <QTableView>

#include <functional>
#include <optional>

namespace Sandpiper {

// Icon before the name; a link's arrow and names that are no text are told apart by more than colour.
class FileDelegate : public QStyledItemDelegate
{
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    QWidget *createEditor(QWidget *parent, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    void setEditorData(QWidget *editor, const QModelIndex &index) const override;
    void setModelData(QWidget *editor, QAbstractItemModel *model, const QModelIndex &index) const override;

signals:
    void renameWanted(int row, const QString &shown) const;

protected:
    void initStyleOption(QStyleOptionViewItem *option, const QModelIndex &index) const override;
};

class FileTable : public QTableView
{
    Q_OBJECT
public:
    explicit FileTable(FileListModel *model, QWidget *parent = nullptr);

    [[nodiscard]] QList<int> chosenRows() const; // selected; else the current one; in order
    [[nodiscard]] bool isEditing() const { return state() == EditingState; }
    void select(const QByteArray &name); // also if it comes later with this listing
    // Which columns are there is the user's choice from here on; before, it is the width's.
    void toggleColumn(int column);
    void selectAllRows();
    void invertSelection();
    void rename(int row);
    // What would become of a drop on the folder of a row, or (-1) on the folder that is shown.
    void setDropJudge(std::function<DropVerdict(const CarriedFiles &files, Qt::KeyboardModifiers modifiers, int row)> judge) { m_judge = std::move(judge); }
    [[nodiscard]] Spring *spring() const { return m_spring; } // of its folders

signals:
    void opened(int row);
    void renameWanted(int row, const QString &shown);
    void letterTyped(const QString &text);
    void upWanted();
    void otherPaneWanted();
    void previewWanted();
    void deleteWanted();
    void escaped();
    void menuWanted(const QPoint &globalPos);
    void gotFocus();
    void dragWanted(Qt::DropActions actions);
    // row -1: on the folder itself.
    void dropped(const Sandpiper::CarriedFiles &files, Qt::DropAction action, int row);

protected:
    bool event(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;
    void startDrag(Qt::DropActions actions) override;
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dragMoveEvent(QDragMoveEvent *event) override;
    void dragLeaveEvent(QDragLeaveEvent *event) override;
    void dropEvent(QDropEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void keep();
    void restore();
    [[nodiscard]] int folderRowAt(const QPoint &position) const; // -1
    FileListModel *m_model;
    QList<QByteArray> m_selected; // across a reset
    bool m_columnsAreChosen = false;
    QByteArray m_current;
    int m_currentRow = 0;
    int m_scroll = 0;
    FilePath m_keptFolder;
    QByteArray m_wanted;
    void judge(QDropEvent *event);
    void dragEnds();
    int m_dropRow = -2; // -2: nothing is dragged over it
    std::optional<CarriedFiles> m_dragged; // over it
    std::function<DropVerdict(const CarriedFiles &, Qt::KeyboardModifiers, int)> m_judge;
    Spring *m_spring;
};

} // namespace Sandpiper

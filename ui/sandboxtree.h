// The view of the sidebar: rows over its whole width, and letters that begin a filter. GUI thread.
#pragma once

#include "ui/carriedfiles.h"

#include <QTreeView>

#include <functional>

namespace Sandpiper {

class SandboxTree : public QTreeView
{
    Q_OBJECT
public:
    using QTreeView::QTreeView;
    // Why files cannot be dropped on a row; empty: they can. Without one nothing can be dropped.
    void setDropJudge(std::function<QString(const CarriedFiles &files, const QModelIndex &index)> judge);

signals:
    void typed(const QString &text); // a letter that begins a filter
    void filesDropped(const Sandpiper::CarriedFiles &files, const QModelIndex &index);

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dragMoveEvent(QDragMoveEvent *event) override;
    void dragLeaveEvent(QDragLeaveEvent *event) override;
    void dropEvent(QDropEvent *event) override;
    void drawBranches(QPainter *, const QRect &, const QModelIndex &) const override {}
    void drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;

private:
    void judge(QDropEvent *event);
    void dragEnds();
    std::function<QString(const CarriedFiles &, const QModelIndex &)> m_judge;
    std::optional<CarriedFiles> m_dragged; // over it
    QPersistentModelIndex m_dropRow;
};

} // namespace Sandpiper

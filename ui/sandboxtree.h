// The view of the sidebar: rows over its whole width, and letters that begin a filter. GUI thread.
#pragma once

#include <QTreeView>

namespace Sandpiper {

class SandboxTree : public QTreeView
{
    Q_OBJECT
public:
    using QTreeView::QTreeView;

signals:
    void typed(const QString &text); // a letter that begins a filter

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void drawBranches(QPainter *, const QRect &, const QModelIndex &) const override {}
    void drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
};

} // namespace Sandpiper

// Draws the rows of the sidebar and edits names in place. GUI thread.
#pragma once

#include "ui/sandboxmodel.h"

#include <QStyledItemDelegate>

namespace Sandpiper {

// The mark of a state: its shape says as much as its colour.
void paintStateMark(QPainter *painter, const QRect &box, SandboxState state);
[[nodiscard]] QColor stateColor(SandboxState state);

class SandboxDelegate : public QStyledItemDelegate
{
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    enum class QuickAction { Terminal, More, New };

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    QWidget *createEditor(QWidget *parent, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    void updateEditorGeometry(QWidget *editor, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    bool editorEvent(QEvent *event, QAbstractItemModel *model, const QStyleOptionViewItem &option,
                     const QModelIndex &index) override;
    bool helpEvent(QHelpEvent *event, QAbstractItemView *view, const QStyleOptionViewItem &option,
                   const QModelIndex &index) override;

    // Where a quick action of this row lies, in the view's coordinates; for tests and the mouse.
    [[nodiscard]] static QRect actionRect(const QStyleOptionViewItem &option, const QModelIndex &index, QuickAction action);

signals:
    void quickActionTriggered(const QModelIndex &index, Sandpiper::SandboxDelegate::QuickAction action,
                              const QPoint &globalPos);
    void noteActionTriggered(const QModelIndex &index);

private:
    void paintHead(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const;
    void paintSandbox(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const;
    void paintNote(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const;
    void paintKeys(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const;
    void paintNameAndLabels(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index, const QRect &line, const QColor &color) const;
    void paintActions(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const;
    [[nodiscard]] static QList<QuickAction> actionsOf(const QModelIndex &index);
};

} // namespace Sandpiper

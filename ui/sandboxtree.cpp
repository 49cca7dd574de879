#include "ui/sandboxtree.h"

#include <QAbstractItemDelegate>
#include <QKeyEvent>
#include <QPainter>

namespace Sandpiper {

void SandboxTree::keyPressEvent(QKeyEvent *event)
{
    const Qt::KeyboardModifiers chord = event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier);
    const QString text = event->text();
    if (chord == Qt::NoModifier && !text.isEmpty() && text.at(0).isPrint() && !text.at(0).isSpace()
        && state() != EditingState) {
        emit typed(text);
        return;
    }
    QTreeView::keyPressEvent(event);
}

void SandboxTree::showEvent(QShowEvent *event)
{
    QTreeView::showEvent(event);
    // Rows laid out before there was a width have no height, and keep none.
    scheduleDelayedItemsLayout();
}

void SandboxTree::drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    // The delegate draws its own ground, with round corners; the style's would lie under it.
    const QRect rect(0, option.rect.y(), viewport()->width(), option.rect.height());
    QStyleOptionViewItem mine = option;
    initViewItemOption(&mine);
    mine.rect = rect;
    mine.index = index;
    if (selectionModel()->isSelected(index))
        mine.state |= QStyle::State_Selected;
    mine.state.setFlag(QStyle::State_HasFocus, hasFocus() && currentIndex() == index);
    mine.state.setFlag(QStyle::State_Open, isExpanded(index));
    mine.state.setFlag(QStyle::State_MouseOver,
                       viewport()->underMouse() && rect.contains(viewport()->mapFromGlobal(QCursor::pos())));
    itemDelegate()->paint(painter, mine, index);
}

} // namespace Sandpiper

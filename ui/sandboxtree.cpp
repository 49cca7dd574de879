#include "ui/sandboxtree.h"

#include "ui/sandboxtext.h"
#include "ui/spring.h"
#include "ui/theme.h"

#include <QAbstractItemDelegate>
#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>

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

void SandboxTree::setDropJudge(std::function<QString(const CarriedFiles &, const QModelIndex &)> judge)
{
    m_judge = std::move(judge);
    setAcceptDrops(m_judge != nullptr);
    setAutoExpandDelay(int(Spring::usual.count()));
}

void SandboxTree::dragEnterEvent(QDragEnterEvent *event)
{
    m_dragged = mayHoldFiles(event->mimeData()) ? filesIn(event->mimeData()) : std::nullopt;
    m_dragged ? event->acceptProposedAction() : event->ignore();
    if (m_dragged)
        setState(DraggingState); // or nothing opens under it
}

void SandboxTree::judge(QDropEvent *event)
{
    const QModelIndex index = indexAt(event->position().toPoint());
    const QString refusal = m_dragged && m_judge && index.isValid() ? m_judge(*m_dragged, index) : QString();
    if (!m_dragged || !index.isValid() || !refusal.isEmpty()) {
        event->ignore();
    } else {
        event->setDropAction(Qt::CopyAction);
        event->accept();
    }
    const QPoint at = viewport()->mapToGlobal(event->position().toPoint());
    refusal.isEmpty() ? QToolTip::hideText() : QToolTip::showText(at, plainTip(refusal), viewport());
}

void SandboxTree::dragMoveEvent(QDragMoveEvent *event)
{
    QTreeView::dragMoveEvent(event); // scrolls, and opens what is folded
    judge(event);
    const QModelIndex row = event->isAccepted() ? indexAt(event->position().toPoint()) : QModelIndex();
    if (m_dropRow != row)
        viewport()->update();
    m_dropRow = row;
}

void SandboxTree::dragEnds()
{
    m_dragged.reset();
    setState(NoState);
    m_dropRow = QModelIndex();
    stopAutoScroll();
    QToolTip::hideText();
    viewport()->update();
}

void SandboxTree::dragLeaveEvent(QDragLeaveEvent *event)
{
    QTreeView::dragLeaveEvent(event);
    dragEnds();
}

void SandboxTree::dropEvent(QDropEvent *event)
{
    judge(event);
    const std::optional<CarriedFiles> files = m_dragged;
    dragEnds();
    if (event->isAccepted() && files)
        emit filesDropped(*files, indexAt(event->position().toPoint()));
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
    if (m_dropRow != index)
        return;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(themeColors().accent, 2));
    painter->drawRoundedRect(QRectF(rect).adjusted(5, 1, -5, -1), 6, 6);
    painter->restore();
}

} // namespace Sandpiper

#include "ui/tabbar.h"

#include "ui/carriedfiles.h"
#include "ui/marks.h"
#include "ui/spring.h"
#include "ui/theme.h"

#include <QApplication>
#include <QContextMenuEvent>
#include <QDragEnterEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QStyle>
#include <QToolButton>

#include <algorithm>

namespace Sandpiper {

namespace {

constexpr int tabHeight = 36;
constexpr int widest = 240;
constexpr int narrowest = 112;
constexpr int inner = 12; // between the tab's edge and what is in it
constexpr int markSize = 14;
constexpr int crossSize = 20;

} // namespace

TabBar::TabBar(QWidget *parent)
    : QTabBar(parent)
    , m_spring(new Spring(this))
{
    setAcceptDrops(true);
    connect(m_spring, &Spring::sprung, this, &QTabBar::setCurrentIndex);
    setDrawBase(false);
    setExpanding(false);
    setElideMode(Qt::ElideNone); // done by paintTab()
    setUsesScrollButtons(true);
    setSelectionBehaviorOnRemove(QTabBar::SelectPreviousTab);
    setMouseTracking(true);
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(tr("Terminals"));
}

int TabBar::addTab(const TabFace &face)
{
    const int index = QTabBar::addTab(QString());
    setFace(index, face);
    return index;
}

void TabBar::setFace(int index, const TabFace &face)
{
    if (index < 0 || index >= count() || this->face(index) == face)
        return;
    setTabData(index, QVariant::fromValue(face));
    share();
    // An ampersand in a title is not a mnemonic.
    setTabText(index, oneLine(face).replace(u'&', QStringLiteral("&&")));
    setTabToolTip(index, QStringLiteral("<p style='white-space:pre'>%1</p>")
                             .arg(face.tip.toHtmlEscaped().replace(u'\n', QStringLiteral("<br>"))));
    setAccessibleTabName(index, face.spoken);
    update(tabRect(index));
}

TabFace TabBar::face(int index) const
{
    return tabData(index).value<TabFace>();
}

bool TabBar::showsCross(int index) const
{
    return index == m_hovered || index == currentIndex();
}

QRect TabBar::crossRect(int index) const
{
    if (index < 0 || index >= count() || !showsCross(index))
        return {};
    const QRect tab = tabRect(index);
    const QRect cross(tab.right() - crossSize - 5, tab.top() + (tab.height() - crossSize) / 2, crossSize,
                      crossSize);
    return QStyle::visualRect(layoutDirection(), tab, cross);
}

QSize TabBar::sizeHint() const
{
    return {QTabBar::sizeHint().width(), barHeight()};
}

QSize TabBar::minimumSizeHint() const
{
    return {narrowest, barHeight()};
}

int TabBar::barHeight() const
{
    return std::max(tabHeight, fontMetrics().height() + 16);
}

void TabBar::setRoom(int pixels)
{
    if (m_room == pixels)
        return;
    m_room = pixels;
    share();
    // Any text set anew makes QTabBar ask for the sizes again.
    if (count() > 0)
        setTabText(0, tabText(0));
}

int TabBar::wantedWidth(int index) const
{
    const int words = fontMetrics().horizontalAdvance(oneLine(face(index))) + 2 * Metrics::unit;
    return qBound(narrowest, inner + markSize + Metrics::unit + words + crossSize + inner, widest);
}

void TabBar::share()
{
    // Where they do not fit, the widest give way first, down to one common width.
    QList<int> widths;
    for (int i = 0; i < count(); ++i)
        widths << wantedWidth(i);
    std::ranges::sort(widths);
    int room = m_room;
    m_cap = widest;
    for (qsizetype i = 0; i < widths.size() && m_room > 0; ++i) {
        const int part = room / int(widths.size() - i);
        if (widths.at(i) > part) {
            m_cap = std::max(narrowest, part);
            break;
        }
        room -= widths.at(i);
    }
}

QSize TabBar::tabSizeHint(int index) const
{
    return {std::min(wantedWidth(index), m_cap), barHeight()};
}

void TabBar::tabInserted(int index)
{
    share();
    QTabBar::tabInserted(index);
}

void TabBar::tabRemoved(int index)
{
    share();
    QTabBar::tabRemoved(index);
}

QSize TabBar::minimumTabSizeHint(int) const
{
    return {narrowest, barHeight()};
}

void TabBar::paintEvent(QPaintEvent *event)
{
    QPainter painter(this);
    // The arrows that QTabBar scrolls with stand on the bar, not on a tab.
    QRegion region(rect());
    for (const QToolButton *arrow : findChildren<QToolButton *>())
        region -= arrow->isVisible() ? arrow->geometry() : QRect();
    painter.setClipRegion(region);
    for (int i = 0; i < count(); ++i) {
        if (event->rect().intersects(tabRect(i)))
            paintTab(painter, i);
    }
}

void TabBar::paintTab(QPainter &painter, int index) const
{
    const ThemeColors &colors = themeColors();
    const QRect tab = tabRect(index);
    const bool current = index == currentIndex();
    if (current)
        painter.fillRect(tab, colors.window);
    else if (index == m_hovered)
        painter.fillRect(tab, colors.hover);
    if (current)
        painter.fillRect(QRect(tab.left(), tab.top(), tab.width(), 2), colors.accent);
    // A hair between neighbours, none beside the current one.
    if (!current && index + 1 != currentIndex() && index + 1 < count()) {
        const QRect hair(tab.right(), tab.top() + 10, 1, tab.height() - 20);
        painter.fillRect(QStyle::visualRect(layoutDirection(), tab, hair), colors.border);
    }
    const auto mirrored = [this, &tab](const QRect &rect) {
        return QStyle::visualRect(layoutDirection(), tab, rect);
    };

    const TabFace f = face(index);
    int left = tab.left() + inner;
    if (f.mark != TabMark::None) {
        const QRect mark(left, tab.top() + (tab.height() - markSize) / 2, markSize, markSize);
        paintMark(painter, mirrored(mark), f.mark);
        left += markSize + Metrics::unit + 2;
    }
    const int right = tab.right() - (showsCross(index) ? crossSize + 6 : inner);
    paintWords(painter, mirrored(QRect(left, tab.top(), right - left, tab.height())), f, current);

    if (const QRect cross = crossRect(index); !cross.isEmpty()) {
        const bool over = index == m_hovered && m_crossHovered;
        painter.setRenderHint(QPainter::Antialiasing);
        if (over) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(current ? colors.hover : colors.border);
            painter.drawRoundedRect(cross, Metrics::unit, Metrics::unit);
        }
        painter.setPen(over ? colors.text : colors.muted);
        paintCross(painter, QRectF(cross).adjusted(3, 3, -3, -3));
        painter.setRenderHint(QPainter::Antialiasing, false);
    }
    if (current && hasFocus()) {
        painter.setPen(QPen(colors.accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(tab.adjusted(2, 4, -3, -3));
    }
}

void TabBar::paintWords(QPainter &painter, const QRect &space, const TabFace &face, bool current) const
{
    // The sandbox keeps its room; the program's own words take what is left.
    const ThemeColors &colors = themeColors();
    const int align = Qt::AlignVCenter | Qt::TextSingleLine;
    const int gap = 2 * Metrics::unit;
    const QString name = fontMetrics().elidedText(face.name, Qt::ElideRight, space.width());
    painter.setPen(current ? colors.text : colors.muted);
    painter.drawText(space, align, name);
    const int used = fontMetrics().horizontalAdvance(name) + gap;
    const int rest = space.width() - used;
    if (face.program.isEmpty() || rest < 3 * fontMetrics().averageCharWidth())
        return;
    const QRect there = QStyle::visualRect(
        layoutDirection(), space, QRect(space.left() + used, space.top(), rest, space.height()));
    painter.setPen(colors.muted);
    painter.drawText(there, align, fontMetrics().elidedText(face.program, Qt::ElideRight, rest));
}

void TabBar::hover(const QPoint &pos)
{
    const int index = tabAt(pos);
    m_hovered = index; // first, as crossRect() looks at it
    m_crossHovered = index >= 0 && crossRect(index).contains(pos);
    update();
}

void TabBar::mousePressEvent(QMouseEvent *event)
{
    const QPoint pos = event->position().toPoint();
    hover(pos);
    m_crossPressed = m_middlePressed = m_dragged = -1;
    if (event->button() == Qt::MiddleButton) {
        m_middlePressed = tabAt(pos);
        return;
    }
    if (event->button() != Qt::LeftButton)
        return;
    if (m_crossHovered) {
        m_crossPressed = m_hovered;
        return;
    }
    m_dragged = tabAt(pos);
    m_pressedAt = pos;
    m_dragging = false;
    QTabBar::mousePressEvent(event);
}

void TabBar::mouseMoveEvent(QMouseEvent *event)
{
    const QPoint pos = event->position().toPoint();
    hover(pos);
    if (m_dragged < 0 || !event->buttons().testFlag(Qt::LeftButton))
        return;
    if (!m_dragging && (pos - m_pressedAt).manhattanLength() < QApplication::startDragDistance())
        return;
    m_dragging = true;
    dragTo(pos);
}

void TabBar::dragTo(const QPoint &pos)
{
    const int over = tabAt({pos.x(), height() / 2});
    if (over < 0 || over == m_dragged)
        return;
    // Past its middle, else two tabs of different width change places for ever.
    const int middle = tabRect(over).center().x();
    const bool toRight = tabRect(over).left() > tabRect(m_dragged).left();
    if (toRight ? pos.x() < middle : pos.x() > middle)
        return;
    const int from = std::exchange(m_dragged, over);
    moveTab(from, over);
}

void TabBar::mouseReleaseEvent(QMouseEvent *event)
{
    const QPoint pos = event->position().toPoint();
    hover(pos);
    const int cross = std::exchange(m_crossPressed, -1);
    const int middle = std::exchange(m_middlePressed, -1);
    m_dragged = -1;
    m_dragging = false;
    if (event->button() == Qt::MiddleButton && middle >= 0 && middle == tabAt(pos)) {
        emit closeWanted(middle);
    } else if (event->button() == Qt::LeftButton && cross >= 0) {
        if (cross == m_hovered && m_crossHovered)
            emit closeWanted(cross);
    } else {
        QTabBar::mouseReleaseEvent(event);
    }
}

void TabBar::mouseDoubleClickEvent(QMouseEvent *event)
{
    const QPoint pos = event->position().toPoint();
    hover(pos);
    if (m_crossHovered)
        mousePressEvent(event); // quick clicks close one tab after the other
    else if (event->button() == Qt::LeftButton && tabAt(pos) >= 0)
        emit renameWanted(tabAt(pos));
}

void TabBar::leaveEvent(QEvent *event)
{
    QTabBar::leaveEvent(event);
    m_hovered = -1;
    m_crossHovered = false;
    update();
}

void TabBar::contextMenuEvent(QContextMenuEvent *event)
{
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    const int index = byKey ? currentIndex() : tabAt(event->pos());
    if (index < 0)
        return;
    emit menuWanted(index, byKey ? mapToGlobal(tabRect(index).bottomLeft()) : event->globalPos());
}

// Files go into what a tab shows, not onto the tab: it comes to the front under a drag that rests on it.
void TabBar::dragEnterEvent(QDragEnterEvent *event)
{
    if (mayHoldFiles(event->mimeData()))
        event->acceptProposedAction();
}

void TabBar::dragMoveEvent(QDragMoveEvent *event)
{
    m_spring->over(tabAt(event->position().toPoint()));
    event->ignore();
}

void TabBar::dragLeaveEvent(QDragLeaveEvent *)
{
    m_spring->leave();
}

void TabBar::dropEvent(QDropEvent *event)
{
    m_spring->leave();
    event->ignore();
}

} // namespace Sandpiper

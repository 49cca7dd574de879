#include "ui/tabstrip.h"

#include "ui/icons.h"
#include "ui/marks.h"
#include "ui/tabbar.h"
#include "ui/theme.h"

#include <QEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QStyle>
#include <QToolButton>

namespace Sandpiper {

namespace {

constexpr int buttonSize = 28;
constexpr int buttonGap = Metrics::unit;

QToolButton *stripButton(QWidget *parent, IconName name, const QString &tip)
{
    auto *button = new QToolButton(parent);
    button->setIcon(icon(name));
    button->setAutoRaise(true);
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    button->setFocusPolicy(Qt::TabFocus);
    button->resize(buttonSize, buttonSize);
    return button;
}

QIcon markIcon(TabMark mark, const QWidget *on)
{
    if (mark == TabMark::None)
        return {};
    const qreal ratio = on->devicePixelRatioF();
    QPixmap pixmap(QSizeF(Metrics::iconSize * ratio, Metrics::iconSize * ratio).toSize());
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paintMark(painter, QRectF(0, 0, Metrics::iconSize, Metrics::iconSize), mark);
    return pixmap;
}

} // namespace

TabStrip::TabStrip(QWidget *parent)
    : QWidget(parent)
    , m_bar(new TabBar(this))
    , m_new(stripButton(this, IconName::Add, tr("New terminal here")))
    , m_list(stripButton(this, IconName::ChevronDown, tr("All tabs")))
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_list->hide();
    m_new->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(m_new, &QToolButton::clicked, this, &TabStrip::newWanted);
    connect(m_new, &QToolButton::customContextMenuRequested, this, &TabStrip::newWithWanted);
    connect(m_list, &QToolButton::clicked, this, &TabStrip::showList);
}

QSize TabStrip::sizeHint() const
{
    return {400, m_bar->sizeHint().height()};
}

bool TabStrip::isOverflowing() const
{
    return m_list->isVisibleTo(this);
}

void TabStrip::arrange()
{
    const int height = m_bar->sizeHint().height();
    const int oneButton = buttonSize + 2 * buttonGap;
    const int room = std::max(0, width() - oneButton);
    m_bar->setRoom(room);
    int wanted = m_bar->sizeHint().width();
    const bool overflows = wanted > room;
    m_list->setVisible(overflows);
    if (overflows)
        wanted = room - oneButton;
    const auto put = [this](QWidget *widget, const QRect &place) {
        widget->setGeometry(QStyle::visualRect(layoutDirection(), rect(), place));
    };
    const int top = (height - buttonSize) / 2;
    put(m_bar, {0, 0, wanted, height});
    put(m_new, {wanted + buttonGap, top, buttonSize, buttonSize});
    put(m_list, {width() - buttonSize - buttonGap, top, buttonSize, buttonSize});
    updateGeometry();
}

void TabStrip::showList()
{
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (int i = 0; i < m_bar->count(); ++i) {
        const TabFace face = m_bar->face(i);
        QString words = fontMetrics().elidedText(oneLine(face), Qt::ElideRight, 400);
        QAction *action = menu->addAction(markIcon(face.mark, this), words.replace(u'&', QStringLiteral("&&")));
        if (i == m_bar->currentIndex()) {
            QFont bold = action->font();
            bold.setWeight(QFont::DemiBold);
            action->setFont(bold);
        }
        connect(action, &QAction::triggered, m_bar, [bar = m_bar, i] { bar->setCurrentIndex(i); });
    }
    menu->popup(m_list->mapToGlobal(m_list->rect().bottomLeft()));
}

void TabStrip::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    arrange();
}

void TabStrip::changeEvent(QEvent *event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::LayoutDirectionChange)
        arrange();
}

void TabStrip::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.fillRect(rect(), themeColors().panel);
    painter.fillRect(QRect(0, height() - 1, width(), 1), themeColors().border);
}

void TabStrip::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton)
        emit newWanted();
}

} // namespace Sandpiper

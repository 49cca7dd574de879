#include "ui/panebanner.h"

#include "ui/marks.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QPushButton>
#include <QStyle>
#include <QToolTip>

namespace Sandpiper {

namespace {

constexpr int lineHeight = 36;
constexpr int edge = 3; // the coloured edge that says it is ours
constexpr int markLeft = 12;
constexpr int textLeft = markLeft + Metrics::iconSize + 2 * Metrics::unit;
constexpr int gap = 3 * Metrics::unit;

QColor toneColor(BannerTone tone)
{
    const ThemeColors &colors = themeColors();
    switch (tone) {
    case BannerTone::Progress: return colors.muted;
    case BannerTone::Waiting: return colors.waiting;
    case BannerTone::Resting: return colors.resting;
    case BannerTone::Problem: return colors.danger;
    case BannerTone::Notice: return colors.accent;
    }
    Q_UNREACHABLE_RETURN(colors.muted);
}

} // namespace

PaneBanner::PaneBanner(QWidget *parent, std::function<QDateTime()> now)
    : QWidget(parent)
    , m_now(now ? std::move(now) : [] { return QDateTime::currentDateTimeUtc(); })
    , m_layout(new QHBoxLayout(this))
{
    m_layout->setContentsMargins(textLeft, 0, 2 * Metrics::unit, 1);
    m_layout->addStretch();
    m_tick.setSingleShot(true);
    m_tick.setTimerType(Qt::PreciseTimer);
    connect(&m_tick, &QTimer::timeout, this, &PaneBanner::tick);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    hide();
}

void PaneBanner::setFace(const BannerFace &face)
{
    if (face == m_face)
        return;
    const bool buttonsDiffer = face.actions != m_face.actions;
    const bool wordsDiffer = face.text != m_face.text;
    m_face = face;
    if (buttonsDiffer)
        rebuildButtons();
    setVisible(face.shown);
    tick();
    if (face.shown && wordsDiffer && QAccessible::isActive()) {
        QAccessibleEvent event(this, QAccessible::Alert);
        QAccessible::updateAccessibility(&event);
    }
}

QString PaneBanner::text() const
{
    return bannerText(m_face, m_now());
}

QSize PaneBanner::sizeHint() const
{
    return {m_layout->sizeHint().width() + 200, std::max(lineHeight, m_layout->sizeHint().height())};
}

QSize PaneBanner::minimumSizeHint() const
{
    return {m_layout->minimumSize().width(), sizeHint().height()};
}

void PaneBanner::rebuildButtons()
{
    const bool hadFocus = m_buttons && m_buttons->isAncestorOf(focusWidget()) && focusWidget()->hasFocus();
    if (m_buttons) {
        // A button may be what asked for this; it must outlive its own signal.
        m_buttons->hide();
        m_layout->removeWidget(m_buttons);
        m_buttons->deleteLater();
    }
    m_buttons = new QWidget(this);
    auto *row = new QHBoxLayout(m_buttons);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(Metrics::unit);
    for (const BannerAction action : m_face.actions) {
        auto *button = new QPushButton(labelOf(action), m_buttons);
        button->setAutoDefault(true);
        if (action != m_face.actions.first() || action == BannerAction::Dismiss)
            setQuiet(button);
        connect(button, &QPushButton::clicked, this, [this, action] { emit triggered(action); });
        row->addWidget(button);
    }
    m_layout->addWidget(m_buttons);
    m_buttons->show();
    setFocusProxy(row->isEmpty() ? nullptr : row->itemAt(0)->widget());
    if (!hadFocus)
        return;
    if (focusProxy())
        setFocus();
    else
        emit left();
}

void PaneBanner::tick()
{
    setAccessibleName(text());
    if (!m_face.detail.isEmpty())
        setAccessibleDescription(m_face.detail);
    update();
    arm();
}

void PaneBanner::arm()
{
    const int wait = isVisible() ? millisecondsToNextText(m_face, m_now()) : -1;
    if (wait < 0)
        m_tick.stop();
    else
        m_tick.start(wait);
}

void PaneBanner::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    tick();
}

void PaneBanner::hideEvent(QHideEvent *event)
{
    QWidget::hideEvent(event);
    m_tick.stop();
}

void PaneBanner::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Escape)
        emit left();
    else
        QWidget::keyPressEvent(event);
}

QRect PaneBanner::textRect() const
{
    const int buttons = m_buttons ? m_buttons->sizeHint().width() + 2 * Metrics::unit : 0;
    const QRect left(textLeft, 0, width() - textLeft - buttons - gap, height() - 1);
    return QStyle::visualRect(layoutDirection(), rect(), left);
}

void PaneBanner::paintEvent(QPaintEvent *)
{
    const ThemeColors &colors = themeColors();
    QPainter painter(this);
    painter.fillRect(rect(), colors.raised);
    painter.fillRect(QRect(0, height() - 1, width(), 1), colors.border);
    const auto mirrored = [this](const QRect &r) {
        return QStyle::visualRect(layoutDirection(), rect(), r);
    };
    painter.fillRect(mirrored({0, 0, edge, height()}), toneColor(m_face.tone));
    const QRect mark(markLeft, (height() - 1 - Metrics::iconSize) / 2, Metrics::iconSize, Metrics::iconSize);
    paintMark(painter, mirrored(mark), m_face.tone);

    QRect space = textRect();
    const QString words = text();
    const int align = Qt::AlignVCenter | Qt::TextSingleLine;
    painter.setPen(colors.text);
    painter.drawText(space, align, fontMetrics().elidedText(words, Qt::ElideRight, space.width()));
    const int used = fontMetrics().horizontalAdvance(words) + gap;
    // Three letters and an ellipsis help nobody.
    if (m_face.detail.isEmpty() || space.width() - used < 10 * fontMetrics().averageCharWidth())
        return;
    if (layoutDirection() == Qt::LeftToRight)
        space.setLeft(space.left() + used);
    else
        space.setRight(space.right() - used);
    painter.setPen(colors.muted);
    painter.drawText(space, align, fontMetrics().elidedText(m_face.detail, Qt::ElideRight, space.width()));
}

bool PaneBanner::event(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    QString tip = text().toHtmlEscaped();
    if (!m_face.detail.isEmpty())
        tip += QStringLiteral("<br>") + m_face.detail.toHtmlEscaped();
    QToolTip::showText(help->globalPos(), QStringLiteral("<p>%1</p>").arg(tip), this);
    return true;
}

} // namespace Sandpiper

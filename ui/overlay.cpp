#include "ui/overlay.h"

#include "ui/marks.h"
#include "ui/theme.h"

#include <QEvent>
#include <QPainter>

namespace Sandpiper {

namespace {

constexpr int crossSize = 24;

void paintFocus(QPainter &painter, const QRect &rect, qreal radius)
{
    painter.setPen(QPen(themeColors().accent, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), radius, radius);
}

bool changesLook(QEvent *event)
{
    return event->type() == QEvent::Enter || event->type() == QEvent::Leave;
}

} // namespace

void paintCard(QWidget *widget)
{
    const ThemeColors &colors = themeColors();
    QPainter painter(widget);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(colors.controlBorder, 1));
    painter.setBrush(colors.raised);
    painter.drawRoundedRect(QRectF(widget->rect()).adjusted(0.5, 0.5, -0.5, -0.5), Metrics::radius,
                            Metrics::radius);
}

CrossButton::CrossButton(const QString &name, QWidget *parent)
    : QAbstractButton(parent)
{
    setToolTip(name);
    setAccessibleName(name);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setFocusPolicy(Qt::StrongFocus);
}

QSize CrossButton::sizeHint() const
{
    return {crossSize, crossSize};
}

void CrossButton::paintEvent(QPaintEvent *)
{
    const ThemeColors &colors = themeColors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    if (underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors.hover);
        painter.drawRoundedRect(rect(), Metrics::unit, Metrics::unit);
    }
    painter.setPen(underMouse() ? colors.text : colors.muted);
    const qreal side = Metrics::iconSize;
    paintCross(painter, {(width() - side) / 2, (height() - side) / 2, side, side});
    if (hasFocus())
        paintFocus(painter, rect(), Metrics::unit);
}

bool CrossButton::event(QEvent *event)
{
    if (changesLook(event))
        update();
    return QAbstractButton::event(event);
}

PillButton::PillButton(const QString &text, QWidget *parent)
    : QAbstractButton(parent)
{
    setText(text);
    setAccessibleName(text);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setFocusPolicy(Qt::StrongFocus);
}

QSize PillButton::sizeHint() const
{
    return {fontMetrics().horizontalAdvance(text()) + 5 * Metrics::unit, fontMetrics().height() + Metrics::unit};
}

void PillButton::paintEvent(QPaintEvent *)
{
    const ThemeColors &colors = themeColors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const qreal radius = height() / 2.0;
    painter.setPen(QPen(colors.waiting, 1));
    painter.setBrush(underMouse() ? colors.hover : colors.raised);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius);
    painter.setPen(colors.waiting);
    painter.drawText(rect(), Qt::AlignCenter, text());
    if (hasFocus())
        paintFocus(painter, rect(), radius);
}

bool PillButton::event(QEvent *event)
{
    if (changesLook(event))
        update();
    return QAbstractButton::event(event);
}

} // namespace Sandpiper

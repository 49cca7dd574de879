#include "ui/elidedline.h"

#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QEvent>
#include <QPainter>
#include <QStyle>

namespace Sandpiper {
namespace {

constexpr int kFewestCharacters = 8;

} // namespace

ElidedLine::ElidedLine(QWidget *parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
}

void ElidedLine::setText(const QString &text)
{
    if (text == m_text)
        return;
    m_text = text;
    setAccessibleName(text);
    setToolTip(plainTip(text));
    updateGeometry();
    update();
}

void ElidedLine::setIcon(const QIcon &icon)
{
    m_icon = icon;
    updateGeometry();
    update();
}

int ElidedLine::textLeft() const
{
    return m_icon.isNull() ? 0 : Metrics::iconSize + 2 * Metrics::unit;
}

QSize ElidedLine::sizeHint() const
{
    return {textLeft() + fontMetrics().horizontalAdvance(m_text) + 1, qMax(fontMetrics().height(), m_icon.isNull() ? 0 : Metrics::iconSize)};
}

QSize ElidedLine::minimumSizeHint() const
{
    return {qMin(sizeHint().width(), textLeft() + kFewestCharacters * fontMetrics().averageCharWidth()), sizeHint().height()};
}

void ElidedLine::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const auto mirrored = [this](const QRect &place) { return QStyle::visualRect(layoutDirection(), rect(), place); };
    const QRect mark(0, (height() - Metrics::iconSize) / 2, Metrics::iconSize, Metrics::iconSize);
    m_icon.paint(&painter, mirrored(mark));
    const QRect space(textLeft(), 0, width() - textLeft(), height());
    painter.setPen(palette().color(foregroundRole()));
    const int align = int(QStyle::visualAlignment(layoutDirection(), Qt::AlignLeft) | Qt::AlignVCenter) | Qt::TextSingleLine;
    painter.drawText(mirrored(space), align, fontMetrics().elidedText(m_text, Qt::ElideRight, space.width()));
}

bool ElidedLine::event(QEvent *event)
{
    if (event->type() == QEvent::FontChange)
        updateGeometry();
    return QWidget::event(event);
}

} // namespace Sandpiper

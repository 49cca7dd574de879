#include "ui/elidedline.h"

#include "ui/sandboxtext.h"

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

QSize ElidedLine::sizeHint() const
{
    return {fontMetrics().horizontalAdvance(m_text) + 1, fontMetrics().height()};
}

QSize ElidedLine::minimumSizeHint() const
{
    return {qMin(sizeHint().width(), kFewestCharacters * fontMetrics().averageCharWidth()), fontMetrics().height()};
}

void ElidedLine::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setPen(palette().color(foregroundRole()));
    const int align = int(QStyle::visualAlignment(layoutDirection(), Qt::AlignLeft) | Qt::AlignVCenter) | Qt::TextSingleLine;
    painter.drawText(rect(), align, fontMetrics().elidedText(m_text, Qt::ElideRight, width()));
}

bool ElidedLine::event(QEvent *event)
{
    if (event->type() == QEvent::FontChange)
        updateGeometry();
    return QWidget::event(event);
}

} // namespace Sandpiper

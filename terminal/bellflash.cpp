#include "terminal/bellflash.h"

#include <QPainter>

namespace Sandpiper {

using namespace std::chrono_literals;

BellFlash::BellFlash(QWidget *covered)
    : QWidget(covered)
{
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setFocusPolicy(Qt::NoFocus);
    hide();
    m_end.setSingleShot(true);
    m_end.setInterval(90ms);
    connect(&m_end, &QTimer::timeout, this, &QWidget::hide);
}

void BellFlash::flash(const QColor &color)
{
    m_color = color;
    setGeometry(parentWidget()->rect());
    raise();
    show();
    m_end.start();
}

void BellFlash::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    QColor veil = m_color;
    veil.setAlphaF(0.06F);
    painter.fillRect(rect(), veil);
    veil.setAlphaF(0.35F);
    painter.setPen(QPen(veil, 2));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

} // namespace Sandpiper

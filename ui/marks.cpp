#include "ui/marks.h"

#include "ui/theme.h"

#include <QPainter>
#include <QPainterPath>

namespace Sandpiper {

namespace {

constexpr qreal grid = 16; // the shapes below are drawn on 16 × 16

QPen pen(const QColor &color, qreal width = 1.6)
{
    return {color, width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin};
}

void paintBell(QPainter &p, const QColor &color)
{
    QPainterPath body;
    body.moveTo(3, 11.5);
    body.cubicTo(4.6, 10, 4.4, 8.4, 4.6, 6.8);
    body.cubicTo(4.9, 1.9, 11.1, 1.9, 11.4, 6.8);
    body.cubicTo(11.6, 8.4, 11.4, 10, 13, 11.5);
    body.closeSubpath();
    p.setPen(pen(color, 1.2));
    p.setBrush(color);
    p.drawPath(body);
    p.drawEllipse(QPointF(8, 13.6), 0.9, 0.6);
}

void paintProblem(QPainter &p, const QColor &color)
{
    QPainterPath triangle;
    triangle.moveTo(8, 2.2);
    triangle.lineTo(14.4, 13.4);
    triangle.lineTo(1.6, 13.4);
    triangle.closeSubpath();
    p.setPen(pen(color));
    p.setBrush(Qt::NoBrush);
    p.drawPath(triangle);
    p.drawLine(QPointF(8, 6.6), QPointF(8, 9.4));
    p.drawPoint(QPointF(8, 11.4));
}

void paintHalf(QPainter &p, const QColor &color)
{
    p.setPen(pen(color));
    p.setBrush(Qt::NoBrush);
    p.drawEllipse(QPointF(8, 8), 5, 5);
    p.setPen(Qt::NoPen);
    p.setBrush(color);
    p.drawPie(QRectF(3, 3, 10, 10), 90 * 16, 180 * 16);
}

void paintInfo(QPainter &p, const QColor &color)
{
    p.setPen(pen(color));
    p.setBrush(Qt::NoBrush);
    p.drawEllipse(QPointF(8, 8), 6, 6);
    p.drawLine(QPointF(8, 7.6), QPointF(8, 10.8));
    p.drawPoint(QPointF(8, 5.2));
}

class OnGrid
{
public:
    OnGrid(QPainter &painter, const QRectF &box)
        : m_painter(painter)
    {
        painter.save();
        painter.setRenderHint(QPainter::Antialiasing);
        painter.translate(box.topLeft());
        painter.scale(box.width() / grid, box.height() / grid);
    }
    ~OnGrid() { m_painter.restore(); }
    Q_DISABLE_COPY_MOVE(OnGrid)

private:
    QPainter &m_painter;
};

} // namespace

void paintMark(QPainter &painter, const QRectF &box, TabMark mark)
{
    const OnGrid onGrid(painter, box);
    const ThemeColors &colors = themeColors();
    switch (mark) {
    case TabMark::None:
        return;
    case TabMark::Activity:
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors.accent);
        painter.drawEllipse(QPointF(8, 8), 3.6, 3.6);
        return;
    case TabMark::Bell:
        paintBell(painter, colors.waiting);
        return;
    case TabMark::Busy:
        painter.setPen(pen(colors.muted, 1.8));
        painter.setBrush(Qt::NoBrush);
        painter.drawArc(QRectF(3, 3, 10, 10), 30 * 16, 270 * 16);
        return;
    case TabMark::Waiting:
        paintHalf(painter, colors.waiting);
        return;
    case TabMark::Ended:
        painter.setPen(pen(colors.resting));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(4, 4, 8, 8), 1.5, 1.5);
        return;
    case TabMark::Problem:
        paintProblem(painter, colors.danger);
        return;
    }
}

void paintMark(QPainter &painter, const QRectF &box, BannerTone tone)
{
    switch (tone) {
    case BannerTone::Progress: return paintMark(painter, box, TabMark::Busy);
    case BannerTone::Waiting: return paintMark(painter, box, TabMark::Waiting);
    case BannerTone::Resting: return paintMark(painter, box, TabMark::Ended);
    case BannerTone::Problem: return paintMark(painter, box, TabMark::Problem);
    case BannerTone::Notice: break;
    }
    const OnGrid onGrid(painter, box);
    paintInfo(painter, themeColors().accent);
}

void paintCross(QPainter &painter, const QRectF &box)
{
    const QColor color = painter.pen().color();
    const OnGrid onGrid(painter, box);
    painter.setPen(pen(color));
    painter.drawLine(QPointF(4.5, 4.5), QPointF(11.5, 11.5));
    painter.drawLine(QPointF(11.5, 4.5), QPointF(4.5, 11.5));
}

} // namespace Sandpiper

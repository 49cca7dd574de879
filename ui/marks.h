// The small shapes that stand for a state in tabs and banners. Drawn, so that they are crisp at any
// scale; each differs in shape, not only in colour.
#pragma once

#include "ui/bannerface.h"
#include "ui/tabface.h"

class QPainter;
class QRectF;

namespace Sandpiper {

// Inside box, which is taken for a square of 12 to 16 px. Draws nothing for None.
void paintMark(QPainter &painter, const QRectF &box, TabMark mark);
void paintMark(QPainter &painter, const QRectF &box, BannerTone tone);
// A cross for closing and dismissing, in the painter's pen.
void paintCross(QPainter &painter, const QRectF &box);

} // namespace Sandpiper

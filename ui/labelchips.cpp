#include "ui/labelchips.h"

#include "ui/theme.h"

#include <QFontMetrics>
#include <QPainter>

namespace Sandpiper {

namespace {

constexpr int padding = 5;
constexpr int between = 4;
constexpr int widest = 90; // of one label: the rest of it is in the tool tip

} // namespace

QString moreLabels(int count)
{
    return u'+' + QString::number(count);
}

int labelChipWidth(const QFont &font, const QString &text)
{
    return qMin(widest, QFontMetrics(font).horizontalAdvance(text) + 2 * padding);
}

QList<LabelChip> fittingLabels(const QFont &font, const QStringList &labels, const QRect &rest)
{
    const int height = QFontMetrics(font).height();
    const int top = rest.top() + (rest.height() - height) / 2;
    QList<LabelChip> chips;
    int left = rest.left();
    for (qsizetype i = 0; i < labels.size(); ++i) {
        const int width = labelChipWidth(font, labels[i]);
        const int after = int(labels.size() - i - 1);
        const int forMore = after > 0 ? between + labelChipWidth(font, moreLabels(after)) : 0;
        if (left + width + forMore > rest.left() + rest.width()) {
            const QString more = moreLabels(after + 1);
            const int moreWidth = labelChipWidth(font, more);
            if (left + moreWidth <= rest.left() + rest.width())
                chips.append({{left, top, moreWidth, height}, more});
            break;
        }
        chips.append({{left, top, width, height}, labels[i]});
        left += width + between;
    }
    return chips;
}

void paintLabelChip(QPainter *painter, const QRect &rect, const QString &text, const QFont &font)
{
    const ThemeColors &c = themeColors();
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    // An outline alone: it is seen on the sidebar, and on a row that is selected or under the pointer.
    QColor outline = c.muted;
    outline.setAlphaF(0.45F);
    painter->setPen(QPen(outline, 1));
    painter->setBrush(Qt::NoBrush);
    painter->drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    painter->setFont(font);
    painter->setPen(c.muted);
    const QFontMetrics metrics(font);
    const QRect inside = rect.adjusted(padding, 0, -padding + 1, 0);
    painter->drawText(inside, int(Qt::AlignCenter) | Qt::TextSingleLine, metrics.elidedText(text, Qt::ElideRight, inside.width()));
    painter->restore();
}

} // namespace Sandpiper

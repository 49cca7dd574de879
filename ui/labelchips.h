// Labels of a sandbox, drawn small beside its name. GUI thread.
#pragma once

#include <QFont>
#include <QList>
#include <QRect>
#include <QStringList>

class QPainter;

namespace Sandpiper {

constexpr int labelChipGap = 6; // device-independent pixels

struct LabelChip
{
    QRect rect;
    QString text;
};
// "+3"
[[nodiscard]] QString moreLabels(int count);
[[nodiscard]] int labelChipWidth(const QFont &font, const QString &text);
// As many as fit into rest from its left, in their order, and a last one with the number of those that do not.
[[nodiscard]] QList<LabelChip> fittingLabels(const QFont &font, const QStringList &labels, const QRect &rest);
void paintLabelChip(QPainter *painter, const QRect &rect, const QString &text, const QFont &font);

} // namespace Sandpiper

#include "ui/sandboxdelegate.h"

#include "ui/icons.h"
#include "ui/labelchips.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QHelpEvent>
#include <QLineEdit>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <QTreeView>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int outer = 6;       // between the sidebar's edge and the row's ground
constexpr int textLeft = 34;   // names of accounts and sandboxes stand under each other
constexpr int markLeft = 14;
constexpr int actionSize = 24;
constexpr int groupIndent = 12; // what stands in a group, and its head


QFont sized(const QFont &base, int delta, QFont::Weight weight = QFont::Normal)
{
    QFont font = base;
    font.setPixelSize(qMax(9, base.pixelSize() + delta));
    font.setWeight(weight);
    return font;
}

int indentOf(const QModelIndex &index)
{
    const QModelIndex parent = index.parent();
    return parent.isValid() && SandboxModel::kindOf(parent) == SandboxModel::RowKind::Group ? groupIndent : 0;
}

bool isLive(const QStyleOptionViewItem &option)
{
    return option.state.testFlag(QStyle::State_MouseOver)
            || (option.state.testFlag(QStyle::State_HasFocus) && option.state.testFlag(QStyle::State_Active));
}

void paintGround(QPainter *painter, const QStyleOptionViewItem &option)
{
    const ThemeColors &c = themeColors();
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    const bool over = option.state.testFlag(QStyle::State_MouseOver);
    const auto *view = qobject_cast<const QAbstractItemView *>(option.widget);
    const bool focused = view && view->hasFocus();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRectF ground = QRectF(option.rect).adjusted(outer + 0.5, 1.5, -outer - 0.5, -1.5);
    if (selected || over) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(selected ? (focused ? c.selection : c.selectionIdle) : c.hover);
        painter->drawRoundedRect(ground, Metrics::radius, Metrics::radius);
    }
    if (focused && option.state.testFlag(QStyle::State_HasFocus)) {
        painter->setPen(QPen(c.accent, 1));
        painter->setBrush(Qt::NoBrush);
        painter->drawRoundedRect(ground, Metrics::radius, Metrics::radius);
    }
}

// One line of text, elided; returns the width it took.
int drawLine(QPainter *painter, const QRect &rect, const QString &text, const QFont &font, const QColor &color,
             Qt::Alignment alignment = Qt::AlignLeft | Qt::AlignVCenter)
{
    const QFontMetrics metrics(font);
    const QString shown = metrics.elidedText(text, Qt::ElideRight, rect.width());
    painter->setFont(font);
    painter->setPen(color);
    painter->drawText(rect, int(alignment) | Qt::TextSingleLine, shown);
    return metrics.horizontalAdvance(shown);
}

// Keys typed into a name belong to the name, not to the shortcuts of the sidebar.
class NameEdit : public QLineEdit
{
public:
    using QLineEdit::QLineEdit;
    bool event(QEvent *event) override
    {
        if (event->type() == QEvent::ShortcutOverride) {
            const auto *key = static_cast<QKeyEvent *>(event);
            const Qt::KeyboardModifiers chord = key->modifiers() & (Qt::ControlModifier | Qt::AltModifier);
            if (chord == Qt::NoModifier) {
                event->accept();
                return true;
            }
        }
        return QLineEdit::event(event);
    }
};

} // namespace

QColor stateColor(SandboxState state)
{
    const ThemeColors &c = themeColors();
    switch (state) {
    case SandboxState::Running:
        return c.running;
    case SandboxState::Pending:
    case SandboxState::Snapshotting:
    case SandboxState::Suspending:
        return c.waiting;
    case SandboxState::Suspended:
    case SandboxState::Unknown:
    case SandboxState::Terminated:
        return c.resting;
    }
    Q_UNREACHABLE_RETURN(c.resting);
}

void paintStateMark(QPainter *painter, const QRect &box, SandboxState state)
{
    const QColor color = stateColor(state);
    const QRectF r = QRectF(box).adjusted(1.25, 1.25, -1.25, -1.25);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(color, 1.6, Qt::SolidLine, Qt::RoundCap));
    painter->setBrush(Qt::NoBrush);
    switch (state) {
    case SandboxState::Running:
        painter->setPen(Qt::NoPen);
        painter->setBrush(color);
        painter->drawEllipse(r.adjusted(-0.5, -0.5, 0.5, 0.5));
        break;
    case SandboxState::Pending:
    case SandboxState::Snapshotting:
    case SandboxState::Suspending: {
        painter->drawEllipse(r);
        QPainterPath half;
        half.moveTo(r.center());
        half.arcTo(r, 90, 180);
        half.closeSubpath();
        painter->fillPath(half, color);
        break;
    }
    case SandboxState::Suspended:
        painter->drawEllipse(r);
        break;
    case SandboxState::Terminated:
        painter->drawLine(r.topLeft(), r.bottomRight());
        painter->drawLine(r.topRight(), r.bottomLeft());
        break;
    case SandboxState::Unknown: {
        const QPointF m = r.center();
        painter->drawPolygon(QPolygonF{QPointF(m.x(), r.top()), QPointF(r.right(), m.y()),
                                       QPointF(m.x(), r.bottom()), QPointF(r.left(), m.y())});
        break;
    }
    }
    painter->restore();
}

QList<SandboxDelegate::QuickAction> SandboxDelegate::actionsOf(const QModelIndex &index)
{
    switch (SandboxModel::kindOf(index)) {
    case SandboxModel::RowKind::Sandbox:
        return {QuickAction::More, QuickAction::Terminal}; // from the right
    case SandboxModel::RowKind::Account:
        return {QuickAction::More, QuickAction::New};
    case SandboxModel::RowKind::Group:
    case SandboxModel::RowKind::Favourites:
        return {QuickAction::More};
    case SandboxModel::RowKind::Note:
    case SandboxModel::RowKind::Keys:
        return {};
    }
    Q_UNREACHABLE_RETURN({});
}

QRect SandboxDelegate::actionRect(const QStyleOptionViewItem &option, const QModelIndex &index, QuickAction action)
{
    const qsizetype place = actionsOf(index).indexOf(action);
    if (place < 0)
        return {};
    const QRect row = option.rect;
    const QRect rect(row.right() - outer - 4 - int(place + 1) * actionSize + 1, row.center().y() - actionSize / 2 + 1, actionSize, actionSize);
    return QStyle::visualRect(option.direction, row, rect);
}

void SandboxDelegate::paint(QPainter *painter, const QStyleOptionViewItem &given, const QModelIndex &index) const
{
    QStyleOptionViewItem option = given;
    initStyleOption(&option, index);
    painter->save();
    if (option.direction == Qt::RightToLeft) {
        // The row is laid out once; text is turned back by the painter's own direction.
        painter->setLayoutDirection(Qt::RightToLeft);
    }
    paintGround(painter, option);
    switch (SandboxModel::kindOf(index)) {
    case SandboxModel::RowKind::Account:
    case SandboxModel::RowKind::Favourites:
    case SandboxModel::RowKind::Group:
        paintHead(painter, option, index);
        break;
    case SandboxModel::RowKind::Sandbox:
        paintSandbox(painter, option, index);
        break;
    case SandboxModel::RowKind::Note:
        paintNote(painter, option, index);
        break;
    case SandboxModel::RowKind::Keys:
        paintKeys(painter, option, index);
        break;
    }
    painter->restore();
}

void SandboxDelegate::paintActions(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const ThemeColors &c = themeColors();
    const QPoint mouse = option.widget ? option.widget->mapFromGlobal(QCursor::pos()) : QPoint(-1, -1);
    for (const QuickAction action : actionsOf(index)) {
        const QRect rect = actionRect(option, index, action);
        const bool over = rect.contains(mouse) && option.state.testFlag(QStyle::State_MouseOver);
        if (over) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(option.state.testFlag(QStyle::State_Selected) ? c.hover : c.selectionIdle);
            painter->drawRoundedRect(rect, 4, 4);
        }
        const IconName name = action == QuickAction::Terminal ? IconName::Terminal
                : action == QuickAction::New                  ? IconName::Add
                                                              : IconName::More;
        paintIcon(painter, QRect(rect.left() + 4, rect.top() + 4, 16, 16), name, over ? c.text : c.muted);
    }
}

void SandboxDelegate::paintHead(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const ThemeColors &c = themeColors();
    const QRect row = option.rect;
    const auto mirrored = [&](const QRect &rect) { return QStyle::visualRect(option.direction, row, rect); };
    const bool open = option.state.testFlag(QStyle::State_Open);
    const bool isGroup = SandboxModel::kindOf(index) == SandboxModel::RowKind::Group;
    const int indent = isGroup ? groupIndent : 0;
    paintIcon(painter, mirrored({row.left() + indent + markLeft - 3, row.center().y() - 7, 16, 16}),
              open ? IconName::ChevronDown : IconName::ChevronRight, c.muted);
    const bool live = isLive(option);
    int right = row.right() - outer - 8;
    if (live) {
        paintActions(painter, option, index);
        right -= int(actionsOf(index).size()) * actionSize;
    } else {
        const QString trouble = index.data(SandboxModel::TroubleRole).toString();
        const int count = index.data(SandboxModel::CountRole).toInt();
        if (!trouble.isEmpty()) {
            paintIcon(painter, mirrored({right - 15, row.center().y() - 7, 16, 16}), IconName::Warning, c.waiting);
            right -= 22;
        } else if (count > 0) {
            const QRect place = mirrored({right - 60, row.top(), 60, row.height()});
            const int width = drawLine(painter, place, QLocale().toString(count), sized(option.font, -1), c.muted,
                                       Qt::AlignVCenter | Qt::AlignRight);
            right -= width + 8;
        }
    }
    const int left = row.left() + indent + textLeft;
    drawLine(painter, mirrored({left, row.top(), right - left, row.height()}), option.text,
             sized(option.font, 0, isGroup ? QFont::Medium : QFont::DemiBold), isGroup ? c.muted : c.text);
}

void SandboxDelegate::paintNameAndLabels(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index,
                                         const QRect &line, const QColor &color) const
{
    const auto mirrored = [&](const QRect &rect) { return QStyle::visualRect(option.direction, option.rect, rect); };
    const QStringList labels = index.data(SandboxModel::AnnotationRole).value<Annotation>().labels;
    const QFont font = sized(option.font, -2);
    const int name = QFontMetrics(option.font).horizontalAdvance(option.text);
    // The name comes first; of the labels as many as fit, and how many there are more.
    const int least = labels.isEmpty() ? 0 : labelChipWidth(font, moreLabels(int(labels.size()))) + labelChipGap;
    const int given = qMin(name + 1, qMax(0, line.width() - least));
    drawLine(painter, mirrored({line.left(), line.top(), given, line.height()}), option.text, option.font, color);
    const QRect rest(line.left() + given + labelChipGap, line.top(), line.width() - given - labelChipGap, line.height());
    for (const LabelChip &chip : fittingLabels(font, labels, rest))
        paintLabelChip(painter, mirrored(chip.rect), chip.text, font);
}

void SandboxDelegate::paintSandbox(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const ThemeColors &c = themeColors();
    const QRect whole = option.rect;
    const auto mirrored = [&](const QRect &rect) { return QStyle::visualRect(option.direction, whole, rect); };
    const QRect row = whole.adjusted(indentOf(index), 0, 0, 0);
    const Sandbox sandbox = SandboxModel::sandboxAt(index);
    const bool busy = index.data(SandboxModel::BusyRole).toBool();
    paintStateMark(painter, mirrored({row.left() + markLeft, row.top() + 9, 10, 10}),
                   busy && !(sandbox.state == SandboxState::Unknown) ? SandboxState::Pending : sandbox.state);

    int right = row.right() - outer - 8;
    if (isLive(option)) {
        paintActions(painter, option, index);
        right -= 2 * actionSize;
    } else if (const int shells = index.data(SandboxModel::ShellsRole).toInt(); shells > 0) {
        const QFont font = sized(option.font, -2);
        const QString count = QLocale().toString(shells);
        const int width = QFontMetrics(font).horizontalAdvance(count);
        drawLine(painter, mirrored({right - width, row.top(), width + 1, row.height()}), count, font, c.muted);
        paintIcon(painter, mirrored({right - width - 20, row.center().y() - 7, 16, 16}), IconName::Terminal, c.muted);
        right -= width + 28;
    }
    const int width = right - row.left() - textLeft;
    const QFont detailFont = sized(option.font, -2);
    const int nameHeight = QFontMetrics(option.font).height();
    const int detailHeight = QFontMetrics(detailFont).height();
    const int top = row.top() + (row.height() - nameHeight - detailHeight) / 2;
    const bool asleep = sandbox.state == SandboxState::Suspended || sandbox.state == SandboxState::Terminated;
    paintNameAndLabels(painter, option, index, {row.left() + textLeft, top, width, nameHeight}, asleep ? c.muted : c.text);
    drawLine(painter, mirrored({row.left() + textLeft, top + nameHeight, width, detailHeight}),
             index.data(SandboxModel::DetailRole).toString(), detailFont, busy ? c.waiting : c.muted);
}

void SandboxDelegate::paintNote(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const ThemeColors &c = themeColors();
    const QRect row = option.rect;
    const auto mirrored = [&](const QRect &rect) { return QStyle::visualRect(option.direction, row, rect); };
    const QFont font = sized(option.font, -1);
    const int height = QFontMetrics(font).height();
    const QString label = index.data(SandboxModel::NoteLabelRole).toString();
    const int width = row.width() - textLeft - outer - 8;
    const int lines = label.isEmpty() ? 1 : 2;
    const int top = row.top() + (row.height() - lines * height) / 2;
    drawLine(painter, mirrored({row.left() + textLeft, top, width, height}), option.text, font, c.muted);
    if (!label.isEmpty())
        drawLine(painter, mirrored({row.left() + textLeft, top + height, width, height}), label, sized(option.font, -1, QFont::Medium), c.accent);
}

void SandboxDelegate::paintKeys(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const ThemeColors &c = themeColors();
    const QRect row = option.rect;
    const auto mirrored = [&](const QRect &rect) { return QStyle::visualRect(option.direction, row, rect); };
    paintIcon(painter, mirrored({row.left() + markLeft - 3, row.center().y() - 7, 16, 16}), IconName::Key, c.muted);
    drawLine(painter, mirrored({row.left() + textLeft, row.top(), row.width() - textLeft - 60, row.height()}), option.text,
             sized(option.font, 0, QFont::DemiBold), c.text);
    if (const int count = index.data(SandboxModel::CountRole).toInt(); count > 0) {
        drawLine(painter, mirrored({row.right() - outer - 8 - 60, row.top(), 60, row.height()}), QLocale().toString(count),
                 sized(option.font, -1), c.muted, Qt::AlignVCenter | Qt::AlignRight);
    }
}

QSize SandboxDelegate::sizeHint(const QStyleOptionViewItem &option, const QModelIndex &) const
{
    // One height for all rows: a tree of thousands then needs no measuring.
    const QFontMetrics name(option.font);
    return {160, qMax(Metrics::twoLineRowHeight, name.height() * 2 + 10)};
}

QWidget *SandboxDelegate::createEditor(QWidget *parent, const QStyleOptionViewItem &, const QModelIndex &index) const
{
    auto *edit = new NameEdit(parent);
    edit->setObjectName(u"renameEdit"_s);
    edit->setAccessibleName(tr("New name of %1").arg(index.data().toString()));
    edit->setMaxLength(100);
    return edit;
}

void SandboxDelegate::updateEditorGeometry(QWidget *editor, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const QRect row = option.rect;
    const int indent = indentOf(index);
    const int height = qMin(Metrics::rowHeight, row.height() - 4);
    editor->setGeometry(QStyle::visualRect(option.direction, row,
                                           {row.left() + indent + textLeft - 8, row.center().y() - height / 2 + 1, row.width() - indent - textLeft - outer, height}));
}

bool SandboxDelegate::editorEvent(QEvent *event, QAbstractItemModel *, const QStyleOptionViewItem &option, const QModelIndex &index)
{
    if (event->type() == QEvent::MouseMove) {
        // The one under the pointer lights up.
        if (auto *view = qobject_cast<QAbstractItemView *>(const_cast<QWidget *>(option.widget)))
            view->viewport()->update(option.rect);
        return false;
    }
    if (event->type() != QEvent::MouseButtonRelease && event->type() != QEvent::MouseButtonPress
        && event->type() != QEvent::MouseButtonDblClick)
        return false;
    const auto *mouse = static_cast<QMouseEvent *>(event);
    if (mouse->button() != Qt::LeftButton)
        return false;
    const bool release = event->type() == QEvent::MouseButtonRelease;
    for (const QuickAction action : actionsOf(index)) {
        const QRect rect = actionRect(option, index, action);
        if (!rect.contains(mouse->position().toPoint()))
            continue;
        if (release) {
            const QPoint below = option.widget ? option.widget->mapToGlobal(rect.bottomLeft()) : mouse->globalPosition().toPoint();
            emit quickActionTriggered(index, action, below);
        }
        return true;
    }
    if (release && SandboxModel::kindOf(index) == SandboxModel::RowKind::Note
        && mouse->position().y() > option.rect.center().y()) {
        emit noteActionTriggered(index);
        return true;
    }
    return false;
}

bool SandboxDelegate::helpEvent(QHelpEvent *event, QAbstractItemView *view, const QStyleOptionViewItem &option, const QModelIndex &index)
{
    for (const QuickAction action : actionsOf(index)) {
        if (!actionRect(option, index, action).contains(event->pos()))
            continue;
        const QString name = index.data().toString();
        const QString text = action == QuickAction::Terminal ? tr("Open a terminal in %1").arg(name)
                : action == QuickAction::New                 ? tr("New sandbox in %1").arg(name)
                                                             : tr("More for %1").arg(name);
        QToolTip::showText(event->globalPos(), text, view);
        return true;
    }
    const QString trouble = index.data(SandboxModel::TroubleRole).toString();
    if (!trouble.isEmpty()) {
        QToolTip::showText(event->globalPos(), plainTip(trouble), view);
        return true;
    }
    return QStyledItemDelegate::helpEvent(event, view, option, index);
}

} // namespace Sandpiper

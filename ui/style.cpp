#include "ui/style.h"

#include "ui/icons.h"
#include "ui/theme.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractScrollArea>
#include <QComboBox>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QStyleOption>
#include <QToolButton>

namespace Sandpiper {

namespace {

constexpr const char *dangerProperty = "danger";
constexpr const char *quietProperty = "quiet";

void drawRounded(QPainter *painter, const QRect &rect, const QColor &fill, const QColor &line,
                 double radius = Metrics::radius)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(line.isValid() ? QPen(line, 1) : QPen(Qt::NoPen));
    painter->setBrush(fill.isValid() ? QBrush(fill) : QBrush(Qt::NoBrush));
    painter->drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius);
    painter->restore();
}

void drawChevron(QPainter *painter, const QPointF &center, double reach, Qt::ArrowType direction,
                 const QColor &color)
{
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(color, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter->translate(center);
    painter->rotate(direction == Qt::DownArrow        ? 0
                            : direction == Qt::UpArrow    ? 180
                            : direction == Qt::RightArrow ? -90
                                                          : 90);
    QPainterPath path;
    path.moveTo(-reach, -reach / 2);
    path.lineTo(0, reach / 2);
    path.lineTo(reach, -reach / 2);
    painter->drawPath(path);
    painter->restore();
}

bool has(const QStyleOption *option, QStyle::StateFlag flag)
{
    return option->state.testFlag(flag);
}

void drawButtonPanel(const QStyleOption *option, QPainter *painter, const QWidget *widget)
{
    const ThemeColors &c = themeColors();
    const auto *button = qstyleoption_cast<const QStyleOptionButton *>(option);
    const bool isDefault = button && button->features.testFlag(QStyleOptionButton::DefaultButton);
    const bool danger = widget && widget->property(dangerProperty).toBool();
    const bool quiet = widget && widget->property(quietProperty).toBool();
    const bool enabled = has(option, QStyle::State_Enabled);
    const bool over = has(option, QStyle::State_MouseOver) && enabled;
    const bool down = has(option, QStyle::State_Sunken) || has(option, QStyle::State_On);

    QColor fill = c.raised;
    QColor line = c.controlBorder;
    if (enabled && danger) {
        fill = down ? c.dangerFill.darker(115) : over ? c.dangerFill.lighter(104) : c.dangerFill;
        line = fill;
    } else if (enabled && isDefault) {
        fill = down ? c.accentFill.darker(115) : over ? c.accentFill.lighter(104) : c.accentFill;
        line = fill;
    } else if (quiet) {
        fill = down ? c.selectionIdle : over ? c.hover : QColor();
        line = QColor();
    } else {
        fill = down ? c.selectionIdle : over ? c.hover : c.raised;
    }
    drawRounded(painter, option->rect, fill, line);
}

} // namespace

void setDanger(QWidget *button)
{
    button->setProperty(dangerProperty, true);
}

void setQuiet(QWidget *button)
{
    button->setProperty(quietProperty, true);
}

Style::Style()
    : QProxyStyle(QStringLiteral("Fusion"))
{
}

void Style::polish(QWidget *widget)
{
    QProxyStyle::polish(widget);
    if (qobject_cast<QAbstractButton *>(widget) || qobject_cast<QComboBox *>(widget))
        widget->setAttribute(Qt::WA_Hover);
    if (qobject_cast<QMenu *>(widget)) {
        // Round corners need a window that may be seen through.
        widget->setAttribute(Qt::WA_TranslucentBackground);
    }
}

QIcon Style::standardIcon(StandardPixmap pixmap, const QStyleOption *option, const QWidget *widget) const
{
    if (pixmap == SP_LineEditClearButton)
        return icon(IconName::Close);
    return QProxyStyle::standardIcon(pixmap, option, widget);
}

int Style::pixelMetric(PixelMetric metric, const QStyleOption *option, const QWidget *widget) const
{
    switch (metric) {
    case PM_SmallIconSize:
    case PM_ButtonIconSize:
    case PM_ListViewIconSize:
    case PM_ToolBarIconSize:
    case PM_TabBarIconSize:
        return Metrics::iconSize;
    case PM_LayoutLeftMargin:
    case PM_LayoutRightMargin:
    case PM_LayoutTopMargin:
    case PM_LayoutBottomMargin:
        return 3 * Metrics::unit;
    case PM_LayoutHorizontalSpacing:
    case PM_LayoutVerticalSpacing:
        return 2 * Metrics::unit;
    case PM_SplitterWidth:
        return 1;
    case PM_ScrollBarExtent:
        return 10;
    case PM_ScrollBarSliderMin:
        return 32;
    case PM_ScrollView_ScrollBarSpacing:
    case PM_ScrollView_ScrollBarOverlap:
        return 0;
    case PM_MenuPanelWidth:
        return 1;
    case PM_MenuHMargin:
    case PM_MenuVMargin:
        return Metrics::unit;
    case PM_MenuBarPanelWidth:
    case PM_MenuBarVMargin:
        return 2;
    case PM_MenuBarHMargin:
        return Metrics::unit;
    case PM_MenuBarItemSpacing:
        return 0;
    case PM_ButtonMargin:
        return 12;
    case PM_ButtonShiftHorizontal:
    case PM_ButtonShiftVertical:
        return 0;
    case PM_FocusFrameHMargin:
    case PM_FocusFrameVMargin:
        return 2;
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
    case PM_ExclusiveIndicatorWidth:
    case PM_ExclusiveIndicatorHeight:
        return 16;
    case PM_CheckBoxLabelSpacing:
    case PM_RadioButtonLabelSpacing:
        return 2 * Metrics::unit;
    case PM_HeaderMargin:
        return 2 * Metrics::unit;
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

int Style::styleHint(StyleHint hint, const QStyleOption *option, const QWidget *widget,
                     QStyleHintReturn *data) const
{
    switch (hint) {
    case SH_MenuBar_AltKeyNavigation:
        return 0; // Alt belongs to the shell
    case SH_ScrollBar_Transient:
        return 0;
    case SH_EtchDisabledText:
    case SH_DitherDisabledText:
    case SH_UnderlineShortcut:
        return 0;
    case SH_ComboBox_Popup:
        return 0;
    case SH_DialogButtonBox_ButtonsHaveIcons:
        return 0;
    case SH_ToolTip_WakeUpDelay:
        return 500;
    case SH_ItemView_ActivateItemOnSingleClick:
        return 0;
    case SH_ScrollView_FrameOnlyAroundContents:
        return 0;
    default:
        return QProxyStyle::styleHint(hint, option, widget, data);
    }
}

QSize Style::sizeFromContents(ContentsType type, const QStyleOption *option, const QSize &size,
                              const QWidget *widget) const
{
    QSize result = QProxyStyle::sizeFromContents(type, option, size, widget);
    switch (type) {
    case CT_PushButton:
        result.setHeight(qMax(Metrics::rowHeight, size.height() + 8));
        if (const auto *button = qstyleoption_cast<const QStyleOptionButton *>(option);
            button && !button->text.isEmpty())
            result.setWidth(qMax(72, size.width() + 28));
        break;
    case CT_SpinBox:
        result.setHeight(qMax(Metrics::rowHeight, option->fontMetrics.height() + 10));
        break;
    case CT_LineEdit:
    case CT_ComboBox:
        result.setHeight(qMax(Metrics::rowHeight, result.height()));
        break;
    case CT_ToolButton:
        result = size + QSize(12, 12);
        break;
    case CT_MenuBarItem:
        result = QSize(size.width() + 16, 24);
        break;
    case CT_MenuItem:
        if (const auto *item = qstyleoption_cast<const QStyleOptionMenuItem *>(option)) {
            if (item->menuItemType == QStyleOptionMenuItem::Separator)
                return {result.width(), 9};
            result.setHeight(Metrics::rowHeight);
            result.rwidth() += 24;
        }
        break;
    case CT_HeaderSection:
        result.setHeight(Metrics::rowHeight);
        break;
    case CT_ItemViewItem:
        result.setHeight(qMax(Metrics::rowHeight, result.height()));
        result.rwidth() += 6;
        break;
    default:
        break;
    }
    return result;
}

QRect Style::subElementRect(SubElement element, const QStyleOption *option,
                            const QWidget *widget) const
{
    if (element == SE_ItemViewItemText || element == SE_ItemViewItemFocusRect) {
        const QRect rect = QProxyStyle::subElementRect(element, option, widget);
        return element == SE_ItemViewItemText ? rect.adjusted(4, 0, -2, 0) : rect;
    }
    if (element == SE_LineEditContents) {
        const bool insideAnother = widget && widget->parentWidget()
                && (widget->parentWidget()->inherits("QAbstractSpinBox") || widget->parentWidget()->inherits("QComboBox"));
        const int side = qobject_cast<const QLineEdit *>(widget) && !insideAnother ? 7 : 3;
        return option->rect.adjusted(side, 1, -side, -1);
    }
    return QProxyStyle::subElementRect(element, option, widget);
}

QRect Style::subControlRect(ComplexControl control, const QStyleOptionComplex *option,
                            SubControl subControl, const QWidget *widget) const
{
    if (control == CC_ScrollBar) {
        // No arrows: the groove is the whole bar.
        const auto *bar = qstyleoption_cast<const QStyleOptionSlider *>(option);
        if (!bar)
            return {};
        const QRect whole = bar->rect;
        const bool flat = bar->orientation == Qt::Horizontal;
        const int length = flat ? whole.width() : whole.height();
        const qint64 range = qint64(bar->maximum) - bar->minimum;
        int slider = length;
        if (range > 0)
            slider = qBound(qMin(32, length),
                            int(qint64(bar->pageStep) * length / (range + bar->pageStep)), length);
        const int start = sliderPositionFromValue(bar->minimum, bar->maximum, bar->sliderPosition,
                                                  length - slider, bar->upsideDown);
        const auto part = [&](int from, int size) {
            const QRect rect = flat ? QRect(whole.x() + from, whole.y(), size, whole.height())
                                    : QRect(whole.x(), whole.y() + from, whole.width(), size);
            return flat ? visualRect(bar->direction, whole, rect) : rect;
        };
        switch (subControl) {
        case SC_ScrollBarGroove:
            return whole;
        case SC_ScrollBarSlider:
            return part(start, slider);
        case SC_ScrollBarSubPage:
            return part(0, start);
        case SC_ScrollBarAddPage:
            return part(start + slider, length - start - slider);
        default:
            return {};
        }
    }
    QRect rect = QProxyStyle::subControlRect(control, option, subControl, widget);
    if (control == CC_ComboBox && subControl == SC_ComboBoxEditField)
        rect.adjust(4, 0, 0, 0);
    return rect;
}

void Style::drawPrimitive(PrimitiveElement element, const QStyleOption *option, QPainter *painter,
                          const QWidget *widget) const
{
    const ThemeColors &c = themeColors();
    switch (element) {
    case PE_PanelButtonCommand:
        drawButtonPanel(option, painter, widget);
        return;
    case PE_PanelButtonTool: {
        const bool down = has(option, State_Sunken) || has(option, State_On);
        const bool over = has(option, State_MouseOver) && has(option, State_Enabled);
        if (down || over)
            drawRounded(painter, option->rect, down ? c.selectionIdle : c.hover, QColor(), 4);
        if (has(option, State_HasFocus) && has(option, State_KeyboardFocusChange))
            drawRounded(painter, option->rect, QColor(), c.accent, 4);
        return;
    }
    case PE_FrameFocusRect: {
        if (qobject_cast<const QAbstractItemView *>(widget))
            return;
        drawRounded(painter, option->rect, QColor(), c.accent, 4);
        return;
    }
    case PE_PanelLineEdit:
    case PE_FrameLineEdit: {
        const auto *frame = qstyleoption_cast<const QStyleOptionFrame *>(option);
        if (element == PE_PanelLineEdit && frame && frame->lineWidth == 0) {
            if (!qobject_cast<const QLineEdit *>(widget) || !widget->parentWidget()
                || !widget->parentWidget()->inherits("QAbstractSpinBox"))
                painter->fillRect(option->rect, option->palette.base());
            return;
        }
        const bool focus = has(option, State_HasFocus);
        drawRounded(painter, option->rect, has(option, State_Enabled) ? c.raised : c.panel,
                    focus ? c.accent : c.controlBorder);
        return;
    }
    case PE_Frame: {
        if (qobject_cast<const QAbstractScrollArea *>(widget)) {
            const bool focus = has(option, State_HasFocus);
            drawRounded(painter, option->rect, QColor(), focus ? c.accent : c.border);
            return;
        }
        break;
    }
    case PE_IndicatorCheckBox:
    case PE_IndicatorRadioButton: {
        const bool round = element == PE_IndicatorRadioButton;
        const bool on = has(option, State_On);
        const bool enabled = has(option, State_Enabled);
        const QRect box = option->rect;
        const QColor fill = on ? (enabled ? c.accentFill : c.disabled) : c.raised;
        const bool focus = has(option, State_HasFocus) && has(option, State_KeyboardFocusChange);
        drawRounded(painter, box, fill, focus ? c.accent : on ? fill : c.muted,
                    round ? box.width() / 2.0 : 4);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        if (on && round) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(c.onAccent);
            painter->drawEllipse(QRectF(box).center(), 3, 3);
        } else if (on) {
            painter->setPen(QPen(c.onAccent, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
            const QPointF o = box.topLeft();
            painter->drawPolyline(QPolygonF{o + QPointF(4, 8.5), o + QPointF(7, 11.5), o + QPointF(12, 5)});
        } else if (has(option, State_NoChange)) {
            painter->setPen(QPen(c.text, 2, Qt::SolidLine, Qt::RoundCap));
            const QPointF o = box.topLeft();
            painter->drawLine(o + QPointF(5, 8), o + QPointF(11, 8));
        }
        painter->restore();
        return;
    }
    case PE_PanelItemViewItem: {
        const auto *item = qstyleoption_cast<const QStyleOptionViewItem *>(option);
        const bool selected = has(option, State_Selected);
        const bool over = has(option, State_MouseOver) && has(option, State_Enabled);
        if (item && item->backgroundBrush.style() != Qt::NoBrush)
            painter->fillRect(option->rect, item->backgroundBrush);
        if (!selected && !over)
            return;
        const auto *view = qobject_cast<const QAbstractItemView *>(widget);
        const QColor ground = selected ? (view && view->hasFocus() ? c.selection : c.selectionIdle) : c.hover;
        // Rows of several cells are one band; a list's rows stand alone and have round corners.
        const bool band = view && view->selectionBehavior() == QAbstractItemView::SelectRows;
        if (band)
            painter->fillRect(option->rect, ground);
        else
            drawRounded(painter, option->rect, ground, QColor(), 4);
        return;
    }
    case PE_PanelMenu:
        painter->save();
        painter->setCompositionMode(QPainter::CompositionMode_Source);
        painter->fillRect(option->rect, Qt::transparent);
        painter->restore();
        drawRounded(painter, option->rect, c.raised, c.controlBorder);
        return;
    case PE_FrameMenu:
        return;
    case PE_PanelTipLabel:
        painter->fillRect(option->rect, c.raised);
        painter->setPen(c.controlBorder);
        painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
        return;
    case PE_PanelMenuBar:
        painter->fillRect(option->rect, c.panel);
        return;
    case PE_FrameStatusBarItem:
        return;
    case PE_PanelStatusBar:
        painter->fillRect(option->rect, c.panel);
        painter->fillRect(QRect(option->rect.topLeft(), QSize(option->rect.width(), 1)), c.border);
        return;
    case PE_IndicatorArrowDown:
    case PE_IndicatorArrowUp:
    case PE_IndicatorArrowLeft:
    case PE_IndicatorArrowRight: {
        const Qt::ArrowType direction = element == PE_IndicatorArrowDown ? Qt::DownArrow
                : element == PE_IndicatorArrowUp                         ? Qt::UpArrow
                : element == PE_IndicatorArrowLeft                       ? Qt::LeftArrow
                                                                         : Qt::RightArrow;
        drawChevron(painter, QRectF(option->rect).center(), 3.5, direction,
                    has(option, State_Enabled) ? c.muted : c.disabled);
        return;
    }
    default:
        break;
    }
    QProxyStyle::drawPrimitive(element, option, painter, widget);
}

void Style::drawControl(ControlElement element, const QStyleOption *option, QPainter *painter,
                        const QWidget *widget) const
{
    const ThemeColors &c = themeColors();
    switch (element) {
    case CE_PushButtonLabel:
        if (const auto *button = qstyleoption_cast<const QStyleOptionButton *>(option)) {
            const bool enabled = has(option, State_Enabled);
            const bool isDefault = button->features.testFlag(QStyleOptionButton::DefaultButton);
            const bool danger = widget && widget->property(dangerProperty).toBool();
            const QColor ink = !enabled ? c.disabled : danger ? c.onDanger : isDefault ? c.onAccent : c.text;
            // Icon and text stand together in the middle, 8 px apart.
            const QSize iconSize = button->icon.isNull() ? QSize(0, 0) : button->iconSize;
            const int gap = button->icon.isNull() || button->text.isEmpty() ? 0 : 2 * Metrics::unit;
            const bool hasMenu = button->features.testFlag(QStyleOptionButton::HasMenu);
            const int arrow = hasMenu ? 16 : 0;
            const QRect inner = button->rect.adjusted(8, 0, -8 - arrow, 0);
            const int room = inner.width() - iconSize.width() - gap;
            const QString text = button->fontMetrics.elidedText(button->text, Qt::ElideRight, room, Qt::TextShowMnemonic);
            const int textWidth = button->fontMetrics.size(Qt::TextShowMnemonic, text).width();
            int x = inner.left() + (inner.width() - textWidth - gap - iconSize.width()) / 2;
            const auto mirrored = [&](const QRect &rect) { return visualRect(button->direction, button->rect, rect); };
            if (!button->icon.isNull()) {
                const QRect place(x, inner.center().y() - iconSize.height() / 2 + 1, iconSize.width(), iconSize.height());
                button->icon.paint(painter, mirrored(place), Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
                x += iconSize.width() + gap;
            }
            painter->setPen(ink);
            painter->drawText(mirrored({x, inner.top(), textWidth + 1, inner.height()}),
                              int(Qt::AlignLeft | Qt::AlignVCenter) | Qt::TextHideMnemonic, text);
            if (has(option, State_HasFocus) && has(option, State_KeyboardFocusChange)) {
                const bool filled = isDefault || danger;
                drawRounded(painter, widget ? widget->rect().adjusted(2, 2, -2, -2) : option->rect,
                            QColor(), filled ? c.onAccent : c.accent, Metrics::radius - 2);
            }
            return;
        }
        break;
    case CE_MenuItem:
        if (const auto *item = qstyleoption_cast<const QStyleOptionMenuItem *>(option)) {
            if (item->menuItemType == QStyleOptionMenuItem::Separator) {
                const int y = option->rect.center().y();
                painter->fillRect(QRect(option->rect.left() + 8, y, option->rect.width() - 16, 1), c.border);
                return;
            }
            const bool active = has(option, State_Selected) && has(option, State_Enabled);
            if (active)
                drawRounded(painter, option->rect.adjusted(0, 0, 0, 0), c.selection, QColor(), 4);
            QStyleOptionMenuItem mine = *item;
            mine.state &= ~State_Selected;
            QProxyStyle::drawControl(element, &mine, painter, widget);
            return;
        }
        break;
    case CE_MenuBarItem:
        if (const auto *item = qstyleoption_cast<const QStyleOptionMenuItem *>(option)) {
            painter->fillRect(option->rect, c.panel);
            if (has(option, State_Selected) && has(option, State_Enabled))
                drawRounded(painter, option->rect.adjusted(1, 1, -1, -1), c.selectionIdle, QColor(), 4);
            proxy()->drawItemText(painter, option->rect, Qt::AlignCenter | Qt::TextHideMnemonic,
                                  item->palette, has(option, State_Enabled), item->text,
                                  QPalette::ButtonText);
            return;
        }
        break;
    case CE_MenuBarEmptyArea:
        painter->fillRect(option->rect, c.panel);
        return;
    case CE_Splitter:
        painter->fillRect(option->rect, c.border);
        return;
    case CE_HeaderSection:
    case CE_HeaderEmptyArea:
        painter->fillRect(option->rect, c.panel);
        painter->fillRect(QRect(option->rect.left(), option->rect.bottom(), option->rect.width(), 1), c.border);
        return;
    case CE_HeaderLabel:
        if (const auto *header = qstyleoption_cast<const QStyleOptionHeader *>(option)) {
            QStyleOptionHeaderV2 mine;
            if (const auto *second = qstyleoption_cast<const QStyleOptionHeaderV2 *>(option))
                mine = *second;
            else
                static_cast<QStyleOptionHeader &>(mine) = *header;
            mine.palette.setColor(QPalette::ButtonText, c.muted);
            mine.state &= ~State_On; // no bold jump when a row is selected
            // The margins above and below would cut descenders; and in line with the cells below.
            mine.rect.adjust(-1, -8, -1, 8);
            QProxyStyle::drawControl(element, &mine, painter, widget);
            return;
        }
        break;
    case CE_ItemViewItem:
        break;
    default:
        break;
    }
    QProxyStyle::drawControl(element, option, painter, widget);
}

void Style::drawComplexControl(ComplexControl control, const QStyleOptionComplex *option,
                               QPainter *painter, const QWidget *widget) const
{
    const ThemeColors &c = themeColors();
    const bool enabled = has(option, State_Enabled);
    switch (control) {
    case CC_ScrollBar: {
        const auto *bar = qstyleoption_cast<const QStyleOptionSlider *>(option);
        if (!bar)
            return;
        if (bar->maximum == bar->minimum)
            return;
        QRect slider = proxy()->subControlRect(control, option, SC_ScrollBarSlider, widget);
        slider = bar->orientation == Qt::Horizontal ? slider.adjusted(2, 2, -2, -2)
                                                    : slider.adjusted(2, 2, -2, -2);
        const bool pressed = has(option, State_Sunken) && option->activeSubControls == SC_ScrollBarSlider;
        QColor fill = c.muted;
        fill.setAlphaF(pressed ? 0.85f : has(option, State_MouseOver) ? 0.65f : 0.4f);
        drawRounded(painter, slider, fill, QColor(), 3);
        return;
    }
    case CC_ComboBox:
        if (const auto *combo = qstyleoption_cast<const QStyleOptionComboBox *>(option)) {
            const bool over = has(option, State_MouseOver) && enabled;
            const bool focus = has(option, State_HasFocus);
            drawRounded(painter, option->rect,
                        !enabled                      ? c.panel
                                : over && !combo->editable ? c.hover
                                                           : c.raised,
                        focus ? c.accent : c.controlBorder);
            const QRect arrow = proxy()->subControlRect(control, option, SC_ComboBoxArrow, widget);
            drawChevron(painter, QRectF(arrow).center(), 3.5, Qt::DownArrow, enabled ? c.muted : c.disabled);
            return;
        }
        break;
    case CC_SpinBox:
        if (const auto *spin = qstyleoption_cast<const QStyleOptionSpinBox *>(option)) {
            const bool focus = has(option, State_HasFocus);
            drawRounded(painter, option->rect, enabled ? c.raised : c.panel, focus ? c.accent : c.controlBorder);
            if (spin->buttonSymbols == QAbstractSpinBox::NoButtons)
                return;
            for (const auto part : {SC_SpinBoxUp, SC_SpinBoxDown}) {
                const QRect rect = proxy()->subControlRect(control, option, part, widget);
                const bool can = enabled
                        && spin->stepEnabled.testFlag(part == SC_SpinBoxUp ? QAbstractSpinBox::StepUpEnabled
                                                                           : QAbstractSpinBox::StepDownEnabled);
                drawChevron(painter, QRectF(rect).center(), 3,
                            part == SC_SpinBoxUp ? Qt::UpArrow : Qt::DownArrow, can ? c.muted : c.disabled);
            }
            return;
        }
        break;
    case CC_ToolButton:
        if (const auto *button = qstyleoption_cast<const QStyleOptionToolButton *>(option)) {
            QStyleOptionToolButton mine = *button;
            mine.features &= ~QStyleOptionToolButton::HasMenu; // no arrow beside the icon
            QStyleOption panel = mine;
            if (widget && widget->hasFocus())
                panel.state |= State_HasFocus;
            proxy()->drawPrimitive(PE_PanelButtonTool, &panel, painter, widget);
            proxy()->drawControl(CE_ToolButtonLabel, &mine, painter, widget);
            return;
        }
        break;
    default:
        break;
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

} // namespace Sandpiper

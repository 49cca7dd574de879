#include "ui/commandpalette.h"

#include "ui/dialogkit.h"
#include "ui/fuzzy.h"
#include "ui/theme.h"

#include <QApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int detailRole = Qt::UserRole;
constexpr int shortcutRole = Qt::UserRole + 1;
constexpr int entryRole = Qt::UserRole + 2;
constexpr qsizetype mostShown = 200;
constexpr int rowsVisible = 10;
constexpr int typedPlace = -1; // of what was made from the text
constexpr int shadow = 20; // room around the frame

class EntryDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem &, const QModelIndex &) const override { return {100, 32}; }
    void paint(QPainter *painter, const QStyleOptionViewItem &given, const QModelIndex &index) const override
    {
        const ThemeColors &c = themeColors();
        QStyleOptionViewItem option = given;
        initStyleOption(&option, index);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        if (option.state.testFlag(QStyle::State_Selected)) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(c.selection);
            painter->drawRoundedRect(option.rect, 4, 4);
        }
        const QRect row = option.rect.adjusted(8, 0, -10, 0);
        const auto mirrored = [&](const QRect &rect) { return QStyle::visualRect(option.direction, option.rect, rect); };
        option.icon.paint(painter, mirrored({row.left(), row.center().y() - 7, 16, 16}));
        int right = row.right();
        const QString shortcut = index.data(shortcutRole).toString();
        QFont small = option.font;
        small.setPixelSize(small.pixelSize() - 1);
        const QFontMetrics smallMetrics(small);
        if (!shortcut.isEmpty()) {
            const int width = smallMetrics.horizontalAdvance(shortcut);
            painter->setFont(small);
            painter->setPen(c.muted);
            painter->drawText(mirrored({right - width, row.top(), width + 2, row.height()}), Qt::AlignVCenter, shortcut);
            right -= width + 16;
        }
        const int left = row.left() + 26;
        painter->setFont(option.font);
        painter->setPen(c.text);
        const QString text = option.fontMetrics.elidedText(option.text, Qt::ElideRight, right - left);
        painter->drawText(mirrored({left, row.top(), right - left, row.height()}), Qt::AlignVCenter, text);
        const int used = option.fontMetrics.horizontalAdvance(text) + 10;
        if (right - left - used > 40) {
            painter->setFont(small);
            painter->setPen(c.muted);
            painter->drawText(mirrored({left + used, row.top(), right - left - used, row.height()}), Qt::AlignVCenter,
                              smallMetrics.elidedText(index.data(detailRole).toString(), Qt::ElideRight, right - left - used));
        }
        painter->restore();
    }
};

} // namespace

CommandPalette::CommandPalette(QWidget *window)
    : QFrame(window)
    , m_field(new QLineEdit(this))
    , m_list(new QListView(this))
    , m_nothing(makeText(tr("Nothing like that."), TextTone::Muted, this))
    , m_model(new QStandardItemModel(this))
{
    setObjectName(u"commandPalette"_s);
    setAutoFillBackground(false);
    m_field->setObjectName(u"paletteField"_s);
    m_field->setFrame(false);
    m_field->setFixedHeight(32);
    m_field->installEventFilter(this);
    m_list->setObjectName(u"paletteList"_s);
    m_list->setAccessibleName(tr("Commands"));
    m_list->setModel(m_model);
    m_list->setItemDelegate(new EntryDelegate(m_list));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setUniformItemSizes(true);
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_list->viewport()->setAutoFillBackground(false);
    m_nothing->setAlignment(Qt::AlignCenter);
    m_nothing->setFixedHeight(48);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(shadow + 8, shadow + 6, shadow + 8, shadow + 8);
    layout->setSpacing(4);
    layout->addWidget(m_field);
    auto *line = new QFrame(this);
    line->setFixedHeight(1);
    line->setAutoFillBackground(true);
    line->setBackgroundRole(QPalette::Mid);
    layout->addWidget(line);
    layout->addWidget(m_list);
    layout->addWidget(m_nothing);
    hide();
    connect(m_field, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_list, &QListView::clicked, this, &CommandPalette::runCurrent);
    window->installEventFilter(this);
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget *, QWidget *now) {
        if (isVisible() && now && now != m_field && !isAncestorOf(now))
            hide();
    });
}

QList<int> CommandPalette::ranked(const QList<PaletteEntry> &entries, const QHash<QString, int> &use, const QString &pattern)
{
    QList<std::pair<int, int>> found; // minus score, place
    // With nothing typed only use counts, else the table's own order: a short name is no reason to be
    // the first, "Quit" least of all.
    const bool isEmpty = pattern.trimmed().isEmpty();
    for (int i = 0; i < int(entries.size()); ++i) {
        const PaletteEntry &entry = entries[i];
        std::optional<FuzzyMatch> match = isEmpty ? FuzzyMatch{} : fuzzyMatch(pattern, entry.text);
        // The account's name finds its sandboxes, but not by letters strewn about in it.
        if (!match && entry.detail.contains(pattern.trimmed(), Qt::CaseInsensitive))
            match = FuzzyMatch{};
        if (match)
            found.append({-(match->score + qMin(use.value(entry.key), 20) * 3), i});
    }
    std::ranges::stable_sort(found, {}, &std::pair<int, int>::first);
    QList<int> order;
    for (const auto &[score, place] : found.first(qMin(mostShown, found.size())))
        order.append(place);
    return order;
}

void CommandPalette::popup(const QList<PaletteEntry> &entries, const QHash<QString, int> &use, const QString &placeholder)
{
    m_entries = entries;
    m_use = use;
    m_before = QApplication::focusWidget();
    m_field->setPlaceholderText(placeholder);
    m_field->setAccessibleName(placeholder);
    m_field->clear();
    filter({});
    show();
    raise();
    m_field->setFocus(Qt::PopupFocusReason);
}

void CommandPalette::setText(const QString &text)
{
    m_field->setText(text);
}

void CommandPalette::filter(const QString &pattern)
{
    m_model->clear();
    m_typed = m_makeTyped && !pattern.trimmed().isEmpty() ? m_makeTyped(pattern) : std::nullopt;
    QList<int> order = ranked(m_entries, m_use, pattern);
    if (m_typed)
        order.prepend(typedPlace);
    for (const int place : std::as_const(order)) {
        const PaletteEntry &entry = place == typedPlace ? *m_typed : m_entries[place];
        auto *item = new QStandardItem(entry.icon, entry.text);
        item->setData(entry.detail, detailRole);
        item->setData(entry.shortcut, shortcutRole);
        item->setData(place, entryRole);
        item->setData(entry.text + u' ' + entry.shortcut, Qt::AccessibleTextRole);
        m_model->appendRow(item);
    }
    const int rows = m_model->rowCount();
    m_list->setVisible(rows > 0);
    m_nothing->setVisible(rows == 0);
    m_list->setFixedHeight(qMin(rows, rowsVisible) * 32);
    m_list->setCurrentIndex(m_model->index(0, 0));
    place();
}

void CommandPalette::place()
{
    const QWidget *window = parentWidget();
    const int width = qMin(600, window->width() - 48) + 2 * shadow;
    setFixedWidth(width);
    setFixedHeight(layout()->sizeHint().height());
    move((window->width() - width) / 2, qMax(8, qMin(64, window->height() / 8)) - shadow);
}

void CommandPalette::runCurrent()
{
    const QModelIndex current = m_list->currentIndex();
    if (!current.isValid())
        return;
    const int at = current.data(entryRole).toInt();
    const PaletteEntry entry = at == typedPlace ? *m_typed : m_entries.at(at);
    dismiss();
    emit chosen(entry.key);
    if (entry.run)
        entry.run();
}

void CommandPalette::dismiss()
{
    hide();
    if (m_before)
        m_before->setFocus();
}

void CommandPalette::paintEvent(QPaintEvent *)
{
    const ThemeColors &c = themeColors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF frame = QRectF(rect()).adjusted(shadow + 0.5, shadow + 0.5, -shadow - 0.5, -shadow - 0.5);
    // Layers of a faint black make the shadow: no effect object, so text inside stays crisp.
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(0, 0, 0, c.dark ? 12 : 5));
    for (int i = shadow - 4; i > 0; i -= 2)
        painter.drawRoundedRect(frame.adjusted(-i, -i + 4, i, i + 4), Metrics::radius + i, Metrics::radius + i);
    painter.setPen(c.controlBorder);
    painter.setBrush(c.raised);
    painter.drawRoundedRect(frame, Metrics::radius + 2, Metrics::radius + 2);
}

bool CommandPalette::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == parent()) {
        if (isVisible() && event->type() == QEvent::Resize)
            place();
        return false;
    }
    if (event->type() != QEvent::KeyPress && event->type() != QEvent::ShortcutOverride)
        return QFrame::eventFilter(watched, event);
    const auto *key = static_cast<QKeyEvent *>(event);
    const int row = m_list->currentIndex().row();
    int next = row;
    switch (key->key()) {
    case Qt::Key_Down:
        next = row + 1;
        break;
    case Qt::Key_Up:
        next = row - 1;
        break;
    case Qt::Key_PageDown:
        next = row + rowsVisible;
        break;
    case Qt::Key_PageUp:
        next = row - rowsVisible;
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Escape:
        if (event->type() == QEvent::ShortcutOverride) {
            event->accept();
            return true;
        }
        if (key->key() == Qt::Key_Escape)
            dismiss();
        else
            runCurrent();
        return true;
    default:
        return false;
    }
    if (event->type() == QEvent::KeyPress) {
        const int last = m_model->rowCount() - 1;
        const bool step = qAbs(next - row) == 1;
        next = step ? (next < 0 ? last : next > last ? 0 : next) : qBound(0, next, last);
        m_list->setCurrentIndex(m_model->index(next, 0));
        return true;
    }
    return false;
}

} // namespace Sandpiper

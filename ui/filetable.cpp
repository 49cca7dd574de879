#include "ui/filetable.h"

#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QApplication>
#include <QDragEnterEvent>
#include <QHeaderView>
#include <QLineEdit>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

void FileDelegate::initStyleOption(QStyleOptionViewItem *option, const QModelIndex &index) const
{
    QStyledItemDelegate::initStyleOption(option, index);
    option->state &= ~QStyle::State_HasFocus; // rows have the focus, not cells
    if (index.column() != int(FileColumn::Name)) {
        if (!(option->state & QStyle::State_Selected))
            option->palette.setColor(QPalette::Text, themeColors().muted);
        return;
    }
    const auto *model = static_cast<const FileListModel *>(index.model());
    const FileType type = model->entry(index.row()).attributes.type();
    option->features |= QStyleOptionViewItem::HasDecoration;
    option->icon = icon(iconFor(type), type == FileType::Folder ? IconTone::Accent : IconTone::Muted);
    option->decorationSize = {Metrics::iconSize, Metrics::iconSize};
    if (!index.data(FileListModel::IsPlainTextRole).toBool())
        option->font.setItalic(true);
}

void FileDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    QStyledItemDelegate::paint(painter, option, index);
    const auto *table = static_cast<const FileTable *>(option.widget);
    if (index.row() != table->currentIndex().row() || !table->hasFocus())
        return;
    // The cursor of the keyboard: a line around the row.
    painter->save();
    painter->setPen(themeColors().accent);
    const QRect box = option.rect.adjusted(0, 0, 0, -1);
    painter->drawLine(box.topLeft(), box.topRight());
    painter->drawLine(box.bottomLeft(), box.bottomRight());
    if (table->horizontalHeader()->visualIndex(index.column()) == 0)
        painter->drawLine(box.topLeft(), box.bottomLeft());
    painter->restore();
}

QWidget *FileDelegate::createEditor(QWidget *parent, const QStyleOptionViewItem &, const QModelIndex &) const
{
    auto *editor = new QLineEdit(parent);
    editor->setObjectName(u"renameEdit"_s);
    editor->setAccessibleName(tr("New name"));
    return editor;
}

void FileDelegate::setEditorData(QWidget *editor, const QModelIndex &index) const
{
    auto *line = static_cast<QLineEdit *>(editor);
    const QString name = index.data(Qt::EditRole).toString();
    line->setText(name);
    // The stem: endings are mostly kept.
    const qsizetype dot = index.data(FileListModel::IsFolderRole).toBool() ? -1 : name.lastIndexOf(u'.');
    QMetaObject::invokeMethod(line, [line, dot, name] { line->setSelection(0, int(dot > 0 ? dot : name.size())); }, Qt::QueuedConnection);
}

void FileDelegate::setModelData(QWidget *editor, QAbstractItemModel *, const QModelIndex &index) const
{
    const QString shown = static_cast<QLineEdit *>(editor)->text();
    if (!shown.isEmpty() && shown != index.data(Qt::EditRole).toString())
        emit renameWanted(index.row(), shown);
}

FileTable::FileTable(FileListModel *model, QWidget *parent)
    : QTableView(parent)
    , m_model(model)
    , m_spring(new Spring(this))
{
    setModel(model);
    dressTable(this);
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setMinimumSectionSize(16);
    verticalHeader()->setDefaultSectionSize(Metrics::rowHeight - 4);
    setSelectionMode(ExtendedSelection);
    setEditTriggers(NoEditTriggers);
    setFrameShape(NoFrame);
    setSortingEnabled(false);
    setCornerButtonEnabled(false);
    setContextMenuPolicy(Qt::DefaultContextMenu);
    setDragEnabled(true);
    setAcceptDrops(true);
    setDropIndicatorShown(false);
    auto *delegate = new FileDelegate(this);
    setItemDelegate(delegate);
    connect(delegate, &FileDelegate::renameWanted, this, &FileTable::renameWanted);
    connect(this, &QAbstractItemView::activated, this, [this](const QModelIndex &index) { emit opened(index.row()); });
    connect(m_spring, &Spring::sprung, this, &FileTable::opened);
    connect(model, &QAbstractItemModel::modelAboutToBeReset, this, &FileTable::keep);
    connect(model, &QAbstractItemModel::modelReset, this, &FileTable::restore);
    QHeaderView *header = horizontalHeader();
    header->setSectionsClickable(true);
    header->setSortIndicatorShown(true);
    header->setSectionResizeMode(int(FileColumn::Name), QHeaderView::Stretch);
    const int widths[] = {260, 80, 104, 88, 104, 130};
    for (int column = 0; column < kFileColumns; ++column)
        setColumnWidth(column, widths[column]);
}

QList<int> FileTable::chosenRows() const
{
    QList<int> rows;
    for (const QItemSelectionRange &range : selectionModel()->selection()) {
        for (int row = range.top(); row <= range.bottom(); ++row)
            rows.append(row);
    }
    std::ranges::sort(rows);
    rows.erase(std::ranges::unique(rows).begin(), rows.end());
    if (rows.isEmpty() && currentIndex().isValid())
        rows.append(currentIndex().row());
    return rows;
}

void FileTable::select(const QByteArray &name)
{
    m_wanted = name;
    const int row = m_model->rowOf(name);
    if (row < 0)
        return;
    m_wanted.clear();
    setCurrentIndex(m_model->index(row, 0));
    scrollTo(m_model->index(row, 0));
}

void FileTable::toggleColumn(int column)
{
    m_columnsAreChosen = true;
    setColumnHidden(column, !isColumnHidden(column));
}

void FileTable::resizeEvent(QResizeEvent *event)
{
    if (!m_columnsAreChosen) {
        // The name keeps room for itself; what is least looked at goes first.
        int room = event->size().width() - 180;
        for (int column = 1; column < kFileColumns; ++column) {
            room -= columnWidth(column) > 0 ? columnWidth(column) : horizontalHeader()->defaultSectionSize();
            setColumnHidden(column, room < 0);
        }
    }
    QTableView::resizeEvent(event);
}

void FileTable::selectAllRows()
{
    if (m_model->rowCount() > 0)
        selectionModel()->select({m_model->index(0, 0), m_model->index(m_model->rowCount() - 1, kFileColumns - 1)}, QItemSelectionModel::ClearAndSelect);
}

void FileTable::invertSelection()
{
    if (m_model->rowCount() > 0)
        selectionModel()->select({m_model->index(0, 0), m_model->index(m_model->rowCount() - 1, kFileColumns - 1)}, QItemSelectionModel::Toggle);
}

void FileTable::rename(int row)
{
    edit(m_model->index(row, int(FileColumn::Name)));
}

void FileTable::keep()
{
    m_selected.clear();
    m_keptFolder = m_model->folder();
    // By name, also where all are selected: what comes later, or from behind a filter, was not meant.
    for (const QItemSelectionRange &range : selectionModel()->selection()) {
        for (int row = range.top(); row <= range.bottom(); ++row)
            m_selected.append(m_model->entry(row).name);
    }
    m_currentRow = std::max(0, currentIndex().row());
    m_current = currentIndex().isValid() ? m_model->entry(m_currentRow).name : QByteArray();
    m_scroll = verticalScrollBar()->value();
}

void FileTable::restore()
{
    const int rows = m_model->rowCount();
    if (m_keptFolder != m_model->folder()) {
        m_selected.clear();
        m_current.clear();
        m_currentRow = m_scroll = 0;
        verticalScrollBar()->setValue(0);
    }
    if (rows == 0)
        return;
    const QSignalBlocker quiet(selectionModel()); // told once, at the end
    if (!m_selected.isEmpty()) {
        const QHash<QByteArray, int> known = m_selected.size() > 4 ? m_model->rowsByName() : QHash<QByteArray, int>();
        QList<int> chosen;
        for (const QByteArray &name : std::as_const(m_selected)) {
            const int row = known.isEmpty() ? m_model->rowOf(name) : known.value(name, -1);
            if (row >= 0)
                chosen.append(row);
        }
        std::ranges::sort(chosen);
        // Neighbours as one range: the selection model is slow with many.
        QItemSelection selection;
        for (qsizetype first = 0; first < chosen.size();) {
            qsizetype last = first;
            while (last + 1 < chosen.size() && chosen[last + 1] == chosen[last] + 1)
                ++last;
            selection.append(QItemSelectionRange(m_model->index(chosen[first], 0), m_model->index(chosen[last], kFileColumns - 1)));
            first = last + 1;
        }
        selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    }
    int current = m_wanted.isEmpty() ? -1 : m_model->rowOf(m_wanted);
    const bool isWanted = current >= 0;
    if (isWanted)
        m_wanted.clear();
    else
        current = m_current.isEmpty() ? -1 : m_model->rowOf(m_current);
    // What was current has gone: its neighbour.
    if (current < 0)
        current = std::min(m_currentRow, rows - 1);
    selectionModel()->setCurrentIndex(m_model->index(current, 0), isWanted ? QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows : QItemSelectionModel::NoUpdate);
    verticalScrollBar()->setValue(m_scroll);
    if (isWanted)
        scrollTo(m_model->index(current, 0));
    viewport()->update();
}

bool FileTable::event(QEvent *event)
{
    // Before it moves the focus; Shift+Tab does, and so leads to the buttons.
    if (event->type() == QEvent::KeyPress && static_cast<QKeyEvent *>(event)->key() == Qt::Key_Tab
        && static_cast<QKeyEvent *>(event)->modifiers() == Qt::NoModifier) {
        emit otherPaneWanted();
        return true;
    }
    return QTableView::event(event);
}

void FileTable::keyPressEvent(QKeyEvent *event)
{
    const Qt::KeyboardModifiers modifiers = event->modifiers() & ~Qt::KeypadModifier;
    const bool isPlain = modifiers == Qt::NoModifier;
    switch (event->key()) {
    case Qt::Key_Backspace: return emit upWanted();
    case Qt::Key_Escape: return emit escaped();
    case Qt::Key_Delete:
        if (isPlain)
            return emit deleteWanted();
        break;
    case Qt::Key_Space:
        if (isPlain)
            return emit previewWanted();
        break;
    case Qt::Key_A:
        if (modifiers == Qt::ControlModifier)
            return selectAllRows();
        break;
    case Qt::Key_Insert: {
        const QModelIndex at = currentIndex();
        if (at.isValid()) {
            selectionModel()->select(at, QItemSelectionModel::Toggle | QItemSelectionModel::Rows);
            selectionModel()->setCurrentIndex(m_model->index(std::min(at.row() + 1, m_model->rowCount() - 1), 0), QItemSelectionModel::NoUpdate);
        }
        return;
    }
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (isPlain && currentIndex().isValid())
            return emit opened(currentIndex().row());
        break;
    default: break;
    }
    const bool isText = (isPlain || modifiers == Qt::ShiftModifier) && !event->text().isEmpty() && event->text().front().isPrint();
    if (isText)
        return emit letterTyped(event->text());
    QTableView::keyPressEvent(event);
}

void FileTable::focusInEvent(QFocusEvent *event)
{
    QTableView::focusInEvent(event);
    if (!currentIndex().isValid() && m_model->rowCount() > 0)
        selectionModel()->setCurrentIndex(m_model->index(0, 0), QItemSelectionModel::NoUpdate);
    emit gotFocus();
}

void FileTable::contextMenuEvent(QContextMenuEvent *event)
{
    QPoint at = event->globalPos();
    if (event->reason() == QContextMenuEvent::Keyboard && currentIndex().isValid())
        at = viewport()->mapToGlobal(visualRect(currentIndex()).bottomLeft() + QPoint(24, 0));
    else if (!indexAt(event->pos()).isValid())
        selectionModel()->clear();
    emit menuWanted(at);
}

void FileTable::startDrag(Qt::DropActions)
{
    emit dragWanted(Qt::CopyAction | Qt::MoveAction);
}

int FileTable::folderRowAt(const QPoint &position) const
{
    const QModelIndex index = indexAt(position);
    return index.isValid() && index.data(FileListModel::IsFolderRole).toBool() ? index.row() : -1;
}

void FileTable::dragEnterEvent(QDragEnterEvent *event)
{
    m_dragged = mayHoldFiles(event->mimeData()) ? filesIn(event->mimeData()) : std::nullopt;
    // What is refused is told on the way over it, so it has to come in.
    mayHoldFiles(event->mimeData()) ? event->acceptProposedAction() : event->ignore();
}

// Accepts it or not, and says at the pointer why not.
void FileTable::judge(QDropEvent *event)
{
    const int row = folderRowAt(event->position().toPoint());
    DropVerdict verdict;
    if (!m_dragged)
        verdict.refusal = tr("From elsewhere only files of this computer can be dropped here.");
    else if (m_judge)
        verdict = m_judge(*m_dragged, event->modifiers(), row);
    if (!verdict.refusal.isEmpty() || verdict.action == Qt::IgnoreAction) {
        event->ignore();
    } else {
        event->setDropAction(verdict.action);
        event->accept();
    }
    const QPoint at = viewport()->mapToGlobal(event->position().toPoint());
    verdict.refusal.isEmpty() ? QToolTip::hideText() : QToolTip::showText(at, plainTip(verdict.refusal), viewport());
}

void FileTable::dragMoveEvent(QDragMoveEvent *event)
{
    QAbstractItemView::dragMoveEvent(event); // scrolls near the edges
    judge(event);
    const int row = event->isAccepted() ? folderRowAt(event->position().toPoint()) : -2;
    m_spring->over(folderRowAt(event->position().toPoint()));
    if (std::exchange(m_dropRow, row) != row)
        viewport()->update();
}

void FileTable::dragEnds()
{
    m_dropRow = -2;
    m_spring->leave();
    stopAutoScroll();
    QToolTip::hideText();
    viewport()->update();
}

void FileTable::dragLeaveEvent(QDragLeaveEvent *event)
{
    QAbstractItemView::dragLeaveEvent(event);
    m_dragged.reset();
    dragEnds();
}

void FileTable::dropEvent(QDropEvent *event)
{
    judge(event);
    dragEnds();
    const std::optional<CarriedFiles> files = std::exchange(m_dragged, std::nullopt);
    if (event->isAccepted() && files)
        emit dropped(*files, event->dropAction(), folderRowAt(event->position().toPoint()));
}

void FileTable::paintEvent(QPaintEvent *event)
{
    QTableView::paintEvent(event);
    if (m_dropRow == -2)
        return;
    QPainter painter(viewport());
    painter.setPen(QPen(themeColors().accent, 2));
    QRect box = viewport()->rect();
    if (m_dropRow >= 0) {
        box = visualRect(m_model->index(m_dropRow, 0));
        box.setRight(viewport()->width());
    }
    painter.drawRect(box.adjusted(1, 1, -1, -1));
}

} // namespace Sandpiper

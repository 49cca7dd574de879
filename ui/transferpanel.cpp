#include "ui/transferpanel.h"

#include "ui/conflictdialog.h"
#include "ui/dialogkit.h"
#include "ui/receiptdialog.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class BarDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override
    {
        QStyleOptionViewItem plain = option;
        initStyleOption(&plain, index);
        const QString text = std::exchange(plain.text, QString());
        plain.widget->style()->drawControl(QStyle::CE_ItemViewItem, &plain, painter, plain.widget);
        const QRect box = option.rect.adjusted(6, 0, -6, 0);
        const double fraction = index.data(TransferModel::FractionRole).toDouble();
        QRectF track(box.left(), box.bottom() - 6, box.width(), 3);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(themeColors().controlBorder);
        painter->drawRoundedRect(track, 1.5, 1.5);
        track.setWidth(track.width() * std::clamp(fraction, 0.0, 1.0));
        painter->setBrush(themeColors().accent);
        painter->drawRoundedRect(track, 1.5, 1.5);
        painter->setPen(themeColors().text);
        painter->drawText(box.adjusted(0, 0, 0, -5), Qt::AlignLeft | Qt::AlignVCenter, option.fontMetrics.elidedText(text, Qt::ElideRight, box.width()));
        painter->restore();
    }
};

bool canResume(const TransferProgress &progress)
{
    return progress.state == TransferState::Paused || progress.state == TransferState::Waiting || progress.state == TransferState::Failed
            || progress.state == TransferState::Asking || (isOver(progress.state) && !progress.failures.isEmpty());
}

bool canPause(const TransferProgress &progress)
{
    return !isOver(progress.state) && progress.state != TransferState::Paused;
}

} // namespace

TransferPanel::TransferPanel(TransferQueue *queue, QWidget *parent)
    : QWidget(parent)
    , m_queue(queue)
    , m_model(new TransferModel(queue, this))
    , m_table(new QTableView(this))
    , m_empty(makePanelText(tr("Nothing is being transferred. What you copy between the sides of a file tab is listed here."), this))
    , m_earlier(makeToolButton(IconName::Up, tr("Earlier (Alt+Up)"), this))
    , m_later(makeToolButton(IconName::Down, tr("Later (Alt+Down)"), this))
    , m_pause(makeToolButton(IconName::Pause, tr("Pause"), this))
    , m_resume(makeToolButton(IconName::Resume, tr("Go on, or try again what is missing"), this))
    , m_cancel(makeToolButton(IconName::Stop, tr("Cancel"), this))
    , m_receipt(makeToolButton(IconName::Log, tr("Receipt: what has arrived"), this))
    , m_clear(makeToolButton(IconName::Remove, tr("Clear what is over"), this))
    , m_close(makeToolButton(IconName::Close, tr("Close the list"), this))
{
    setObjectName(u"transferPanel"_s);
    setAutoFillBackground(true);
    dressTable(m_table);
    m_table->setObjectName(u"transferTable"_s);
    m_table->setAccessibleName(tr("Transfers"));
    m_table->setModel(m_model);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setItemDelegateForColumn(TransferModel::Progress, new BarDelegate(m_table));
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setContextMenuPolicy(Qt::CustomContextMenu);
    m_table->installEventFilter(this);
    const int widths[] = {180, 200, 200, 84, 64, 200};
    for (int column = 0; column < TransferModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->horizontalHeader()->setSectionResizeMode(TransferModel::State, QHeaderView::Stretch);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(makePanelHead(tr("Transfers"), {m_earlier, m_later, m_pause, m_resume, m_cancel, m_receipt, m_clear, m_close}, this));
    column->addWidget(m_table, 1);
    column->addWidget(m_empty, 1);
    connect(m_earlier, &QToolButton::clicked, this, [this] { move(Place::Earlier); });
    connect(m_later, &QToolButton::clicked, this, [this] { move(Place::Later); });
    connect(m_pause, &QToolButton::clicked, this, &TransferPanel::pauseChosen);
    connect(m_resume, &QToolButton::clicked, this, &TransferPanel::retryOrResume);
    connect(m_cancel, &QToolButton::clicked, this, &TransferPanel::cancelChosen);
    connect(m_receipt, &QToolButton::clicked, this, &TransferPanel::showReceipt);
    connect(m_clear, &QToolButton::clicked, this, &TransferPanel::clearFinished);
    connect(m_close, &QToolButton::clicked, this, &TransferPanel::closeWanted);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &TransferPanel::updateButtons);
    connect(m_table, &QAbstractItemView::activated, this, [this](const QModelIndex &index) {
        const qint64 id = m_model->idAt(index.row());
        if (!askAboutConflict(window(), m_queue, id))
            showTransferReceipt(window(), m_queue, id);
    });
    connect(m_table, &QWidget::customContextMenuRequested, this, [this](const QPoint &at) {
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        fillMenu(menu);
        menu->popup(m_table->viewport()->mapToGlobal(at));
    });
    connect(m_model, &QAbstractItemModel::dataChanged, this, &TransferPanel::updateButtons);
    connect(m_model, &QAbstractItemModel::modelAboutToBeReset, this, [this] { m_kept = selected(); });
    connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
        select(m_kept);
        updateButtons();
    });
    updateButtons();
}

QList<qint64> TransferPanel::selected() const
{
    QList<qint64> ids;
    for (const QModelIndex &index : m_table->selectionModel()->selectedRows())
        ids.append(m_model->idAt(index.row()));
    return ids;
}

void TransferPanel::select(const QList<qint64> &ids)
{
    for (int row = 0; row < m_model->rowCount(); ++row) {
        if (ids.contains(m_model->idAt(row)))
            m_table->selectionModel()->select(m_model->index(row, 0), QItemSelectionModel::Select | QItemSelectionModel::Rows);
    }
}

QList<qint64> TransferPanel::chosen() const
{
    const QList<qint64> ids = selected();
    return ids.isEmpty() ? m_queue->transfers() : ids;
}

void TransferPanel::retryOrResume()
{
    for (const qint64 id : chosen()) {
        const TransferProgress progress = m_queue->progress(id);
        if (progress.state == TransferState::Asking)
            (void)askAboutConflict(window(), m_queue, id);
        else if (progress.state != TransferState::Finished || !progress.failures.isEmpty())
            m_queue->resume(id);
    }
}

void TransferPanel::pauseChosen()
{
    // From behind: of those in front one would else begin as another pauses.
    const QList<qint64> order = m_queue->transfers();
    const QList<qint64> ids = chosen();
    for (auto id = order.crbegin(); id != order.crend(); ++id) {
        if (ids.contains(*id))
            m_queue->pause(*id);
    }
}

void TransferPanel::pauseAll()
{
    m_table->clearSelection();
    pauseChosen();
}

void TransferPanel::resumeAll()
{
    for (const qint64 id : m_queue->transfers()) {
        if (m_queue->progress(id).state == TransferState::Paused)
            m_queue->resume(id);
    }
}

void TransferPanel::cancelChosen()
{
    for (const qint64 id : chosen())
        m_queue->cancel(id);
}

void TransferPanel::clearFinished()
{
    for (const qint64 id : m_queue->transfers()) {
        if (isOver(m_queue->progress(id).state))
            m_queue->remove(id);
    }
}

void TransferPanel::move(Place where)
{
    QList<qint64> ids;
    for (const qint64 id : m_queue->transfers()) { // in their order, so that they keep it
        if (selected().contains(id))
            ids.append(id);
    }
    const qsizetype last = m_queue->transfers().size() - 1;
    if (where == Place::Later || where == Place::First)
        std::ranges::reverse(ids);
    for (qsizetype i = 0; i < ids.size(); ++i) {
        const qsizetype at = m_queue->transfers().indexOf(ids.at(i));
        switch (where) {
        case Place::Earlier: m_queue->moveTo(ids.at(i), std::max(at - 1, i)); break;
        case Place::Later: m_queue->moveTo(ids.at(i), std::min(at + 1, last - i)); break;
        case Place::First: m_queue->moveTo(ids.at(i), 0); break;
        case Place::Last: m_queue->moveTo(ids.at(i), last); break;
        }
    }
}

void TransferPanel::showReceipt()
{
    if (const QList<qint64> ids = selected(); ids.size() == 1)
        showTransferReceipt(window(), m_queue, ids.constFirst());
}

void TransferPanel::fillMenu(QMenu *menu)
{
    const auto add = [&](QToolButton *like, const QString &text, auto slot) {
        menu->addAction(like->icon(), text, this, slot)->setEnabled(like->isEnabled());
    };
    const bool hasRow = !selected().isEmpty();
    add(m_pause, hasRow ? tr("Pause") : tr("Pause all"), &TransferPanel::pauseChosen);
    add(m_resume, tr("Go on"), &TransferPanel::retryOrResume);
    add(m_cancel, hasRow ? tr("Cancel") : tr("Cancel all"), &TransferPanel::cancelChosen);
    menu->addSeparator();
    add(m_earlier, tr("To the front"), [this] { move(Place::First); });
    add(m_earlier, tr("Earlier"), [this] { move(Place::Earlier); });
    add(m_later, tr("Later"), [this] { move(Place::Later); });
    add(m_later, tr("To the end"), [this] { move(Place::Last); });
    menu->addSeparator();
    add(m_receipt, tr("Receipt…"), &TransferPanel::showReceipt);
    menu->addSeparator();
    bool anyPaused = false;
    bool anyToPause = false;
    for (const qint64 id : m_queue->transfers()) {
        const TransferProgress progress = m_queue->progress(id);
        anyPaused = anyPaused || progress.state == TransferState::Paused;
        anyToPause = anyToPause || canPause(progress);
    }
    if (hasRow) {
        menu->addAction(tr("Pause all"), this, &TransferPanel::pauseAll)->setEnabled(anyToPause);
        menu->addAction(tr("All go on"), this, &TransferPanel::resumeAll)->setEnabled(anyPaused);
    }
    add(m_clear, tr("Clear what is over"), &TransferPanel::clearFinished);
}

bool TransferPanel::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_table && event->type() == QEvent::KeyPress) {
        const auto *key = static_cast<QKeyEvent *>(event);
        if (key->modifiers() == Qt::AltModifier && (key->key() == Qt::Key_Up || key->key() == Qt::Key_Down)) {
            move(key->key() == Qt::Key_Up ? Place::Earlier : Place::Later);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void TransferPanel::updateButtons()
{
    bool mayPause = false;
    bool mayResume = false;
    bool mayCancel = false;
    bool anyOver = false;
    for (const qint64 id : chosen()) {
        const TransferProgress progress = m_queue->progress(id);
        mayPause = mayPause || canPause(progress);
        mayCancel = mayCancel || !isOver(progress.state);
        mayResume = mayResume || canResume(progress);
    }
    const QList<qint64> all = m_queue->transfers();
    for (const qint64 id : all)
        anyOver = anyOver || isOver(m_queue->progress(id).state);
    const QList<qint64> ids = selected();
    const bool moves = !ids.isEmpty() && ids.size() < all.size();
    m_earlier->setEnabled(moves && !ids.contains(all.constFirst()));
    m_later->setEnabled(moves && !ids.contains(all.constLast()));
    m_pause->setEnabled(mayPause);
    m_pause->setToolTip(ids.isEmpty() ? tr("Pause all") : tr("Pause"));
    m_resume->setEnabled(mayResume);
    m_cancel->setEnabled(mayCancel);
    m_cancel->setToolTip(ids.isEmpty() ? tr("Cancel all") : tr("Cancel"));
    m_receipt->setEnabled(ids.size() == 1);
    m_clear->setEnabled(anyOver);
    m_table->setVisible(!all.isEmpty());
    m_empty->setVisible(all.isEmpty());
}

TransferSummary::TransferSummary(TransferQueue *queue, QWidget *parent)
    : QWidget(parent)
    , m_queue(queue)
    , m_button(makeStatusButton(tr("Show the transfers"), this))
{
    m_button->setObjectName(u"transferSummary"_s);
    m_button->setIcon(icon(IconName::Transfers, IconTone::Accent));
    connect(m_button, &QToolButton::clicked, this, &TransferSummary::clicked);
    for (const auto signal : {&TransferQueue::added, &TransferQueue::removed, &TransferQueue::changed, &TransferQueue::finished})
        connect(queue, signal, this, &TransferSummary::update);
    update();
}

QString TransferSummary::text() const
{
    return m_button->text();
}

void TransferSummary::update()
{
    QList<TransferProgress> all;
    for (const qint64 id : m_queue->transfers())
        all.append(m_queue->progress(id));
    const QString text = summaryText(all);
    m_button->setText(text);
    m_button->setAccessibleName(tr("Transfers: %1").arg(text));
    setVisible(!text.isEmpty());
}

} // namespace Sandpiper

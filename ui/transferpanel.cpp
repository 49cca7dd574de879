#include "ui/transferpanel.h"

#include "session/errortext.h"
#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QDateTime>
#include <QGridLayout>
#include <QHeaderView>
#include <QLocale>
#include <QPainter>
#include <QPushButton>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class Words
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Transfers)
};

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

} // namespace

QString stateText(const TransferProgress &progress)
{
    const auto because = [&](const QString &word) { return progress.error ? Words::tr("%1: %2").arg(word, errorText(*progress.error).sentence) : word; };
    switch (progress.state) {
    case TransferState::Queued: return Words::tr("Queued");
    case TransferState::Running: return progress.isScanned ? Words::tr("Running") : Words::tr("Running, still looking");
    case TransferState::Paused: return Words::tr("Paused");
    case TransferState::Asking: return Words::tr("Asks about a file");
    case TransferState::Waiting: return because(Words::tr("Waiting"));
    case TransferState::Finished:
        return progress.failures.isEmpty() ? Words::tr("Done")
                                           : Words::tr("Done, but %L1 failed: %2").arg(progress.filesFailed).arg(errorText(progress.failures.constFirst().error).sentence);
    case TransferState::Failed: return because(Words::tr("Failed"));
    case TransferState::Cancelled: return Words::tr("Cancelled");
    }
    Q_UNREACHABLE_RETURN({});
}

QString placesText(const TransferWish &wish)
{
    const QString here = Words::tr("this computer");
    const QString other = tamed(wish.sandboxName, 60);
    switch (wish.way) {
    case TransferWay::Fetch: return Words::tr("%1 → %2").arg(other, here);
    case TransferWay::Send: return Words::tr("%1 → %2").arg(here, other);
    case TransferWay::Relay: break;
    }
    const QString from = wish.sourceSandbox.isEmpty() ? here : tamed(wish.sourceSandboxName, 60);
    const QString to = wish.sandbox.isEmpty() ? here : other;
    return wish.sourceSandbox == wish.sandbox ? Words::tr("within %1").arg(to) : Words::tr("%1 → %2").arg(from, to);
}

TransferModel::TransferModel(TransferQueue *queue, QObject *parent)
    : QAbstractTableModel(parent)
    , m_queue(queue)
    , m_ids(queue->transfers())
{
    for (const auto signal : {&TransferQueue::loaded, &TransferQueue::reordered})
        connect(queue, signal, this, &TransferModel::reload);
    connect(queue, &TransferQueue::added, this, &TransferModel::reload);
    connect(queue, &TransferQueue::removed, this, &TransferModel::reload);
    connect(queue, &TransferQueue::changed, this, [this](qint64 id) {
        if (const qsizetype row = m_ids.indexOf(id); row >= 0)
            emit dataChanged(index(int(row), 0), index(int(row), ColumnCount - 1));
    });
}

void TransferModel::reload()
{
    beginResetModel();
    m_ids = m_queue->transfers();
    endResetModel();
}

int TransferModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_ids.size());
}

int TransferModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant TransferModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Name"), tr("From and to"), tr("Progress"), tr("Speed"), tr("Left"), tr("State")};
    return titles[section];
}

QVariant TransferModel::data(const QModelIndex &index, int role) const
{
    const qint64 id = idAt(index.row());
    const TransferProgress progress = m_queue->progress(id);
    if (role == FractionRole)
        return progress.state == TransferState::Finished ? 1.0 : progress.bytes == 0 ? 0.0 : double(progress.bytesMoved) / double(progress.bytes);
    if (role == Qt::ToolTipRole && index.column() == State)
        return plainTip(stateText(progress));
    if (role != Qt::DisplayRole)
        return {};
    const TransferWish wish = m_queue->wish(id);
    const bool runs = progress.state == TransferState::Running || progress.state == TransferState::Asking;
    switch (Column(index.column())) {
    case Name: {
        if (!wish.base.isEmpty())
            return tr("%L1 changes of %2").arg(wish.sources.size()).arg(shownBytes(wish.base.name()));
        const QString first = wish.sources.isEmpty() ? QString() : shownBytes(wish.sources.constFirst().name());
        return wish.sources.size() > 1 ? tr("%1 and %L2 more").arg(first).arg(wish.sources.size() - 1) : first;
    }
    case Where: return placesText(wish);
    case Progress:
        if (progress.files == 0)
            return {};
        return tr("%1 of %2, %L3 of %L4 files").arg(sizeText(progress.bytesMoved), sizeText(progress.bytes)).arg(progress.filesMoved).arg(progress.files);
    case Speed: return runs && progress.bytesPerSecond >= 1 ? tr("%1/s").arg(sizeText(quint64(progress.bytesPerSecond))) : QString();
    case Left:
        return runs && progress.isScanned && progress.bytesPerSecond >= 1 && progress.bytes > progress.bytesMoved
                ? shortSpan(qint64(double(progress.bytes - progress.bytesMoved) / progress.bytesPerSecond))
                : QString();
    case State: return stateText(progress);
    case ColumnCount: break;
    }
    return {};
}

TransferPanel::TransferPanel(TransferQueue *queue, QWidget *parent)
    : QWidget(parent)
    , m_queue(queue)
    , m_model(new TransferModel(queue, this))
    , m_table(new QTableView(this))
    , m_title(makeText(tr("Transfers"), TextTone::Plain, this))
    , m_pause(makeToolButton(IconName::Pause, tr("Pause"), this))
    , m_resume(makeToolButton(IconName::Resume, tr("Go on, or try again what is missing"), this))
    , m_cancel(makeToolButton(IconName::Stop, tr("Cancel"), this))
    , m_clear(makeToolButton(IconName::Remove, tr("Clear what is over"), this))
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
    const int widths[] = {180, 200, 200, 84, 64, 200};
    for (int column = 0; column < TransferModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->horizontalHeader()->setSectionResizeMode(TransferModel::State, QHeaderView::Stretch);
    auto *head = new QHBoxLayout;
    head->setContentsMargins(10, 2, 6, 2);
    head->addWidget(m_title, 1);
    for (QToolButton *button : {m_pause, m_resume, m_cancel, m_clear})
        head->addWidget(button);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(head);
    column->addWidget(m_table, 1);
    connect(m_pause, &QToolButton::clicked, this, [this] {
        for (const qint64 id : chosen())
            m_queue->pause(id);
    });
    connect(m_resume, &QToolButton::clicked, this, &TransferPanel::retryOrResume);
    connect(m_cancel, &QToolButton::clicked, this, [this] {
        for (const qint64 id : chosen())
            m_queue->cancel(id);
    });
    connect(m_clear, &QToolButton::clicked, this, &TransferPanel::clearFinished);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &TransferPanel::updateButtons);
    connect(m_table, &QAbstractItemView::doubleClicked, this, [this](const QModelIndex &index) { (void)askAboutConflict(window(), m_queue, m_model->idAt(index.row())); });
    connect(m_model, &QAbstractItemModel::dataChanged, this, &TransferPanel::updateButtons);
    connect(m_model, &QAbstractItemModel::modelReset, this, &TransferPanel::updateButtons);
    updateButtons();
}

// The selected ones; where none is, all.
QList<qint64> TransferPanel::chosen() const
{
    QList<qint64> ids;
    for (const QModelIndex &index : m_table->selectionModel()->selectedRows())
        ids.append(m_model->idAt(index.row()));
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

void TransferPanel::clearFinished()
{
    for (const qint64 id : m_queue->transfers()) {
        if (isOver(m_queue->progress(id).state))
            m_queue->remove(id);
    }
}

void TransferPanel::updateButtons()
{
    bool canPause = false;
    bool canResume = false;
    bool canCancel = false;
    bool anyOver = false;
    for (const qint64 id : chosen()) {
        const TransferProgress progress = m_queue->progress(id);
        const bool over = isOver(progress.state);
        canPause = canPause || (!over && progress.state != TransferState::Paused);
        canCancel = canCancel || !over;
        canResume = canResume || progress.state == TransferState::Paused || progress.state == TransferState::Waiting || progress.state == TransferState::Failed
                || progress.state == TransferState::Asking || (over && !progress.failures.isEmpty());
    }
    for (const qint64 id : m_queue->transfers())
        anyOver = anyOver || isOver(m_queue->progress(id).state);
    m_pause->setEnabled(canPause);
    m_resume->setEnabled(canResume);
    m_cancel->setEnabled(canCancel);
    m_clear->setEnabled(anyOver);
}

QWidget *askAboutConflict(QWidget *parent, TransferQueue *queue, qint64 id)
{
    const std::optional<TransferQuestion> question = queue->question(id);
    if (!question)
        return nullptr;
    auto *dialog = new QDialog(parent);
    dialog->setObjectName(u"conflictDialog"_s);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(Words::tr("Something is there already"));
    dialog->setMinimumWidth(520);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(12);
    layout->addWidget(makeTitle(Words::tr("“%1” is there already").arg(shownBytes(question->target.name()).left(160)), dialog));
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(16);
    const auto line = [&](int row, const QString &label, const FilePath &path, const FileAttributes &attributes) {
        grid->addWidget(makeText(label, TextTone::Muted, dialog), row, 0, Qt::AlignTop);
        grid->addWidget(makeText(path.shown(), TextTone::Plain, dialog), row, 1);
        const QString when = attributes.times ? QLocale().toString(QDateTime::fromSecsSinceEpoch(attributes.times->modified), QLocale::ShortFormat) : QString();
        grid->addWidget(makeText(QStringList{attributes.size ? sizeText(*attributes.size) : QString(), when}.join(u"  "_s), TextTone::Plain, dialog), row, 2, Qt::AlignTop);
    };
    line(0, Words::tr("Comes"), question->source, question->sourceAttributes);
    line(1, Words::tr("Is there"), question->target, question->targetAttributes);
    grid->setColumnStretch(1, 1);
    layout->addLayout(grid);
    auto *all = new QCheckBox(Words::tr("For all others of this transfer too"), dialog);
    layout->addWidget(all);
    auto *buttons = new QHBoxLayout;
    buttons->addStretch();
    const std::pair<OnConflict, QString> answers[] = {{OnConflict::Skip, Words::tr("Skip")},
                                                      {OnConflict::Rename, Words::tr("Keep both")},
                                                      {OnConflict::Newer, Words::tr("Overwrite if newer")},
                                                      {OnConflict::Overwrite, Words::tr("Overwrite")}};
    for (const auto &[what, word] : answers) {
        auto *button = new QPushButton(word, dialog);
        button->setObjectName(u"conflict%1"_s.arg(int(what)));
        button->setAutoDefault(what == OnConflict::Skip);
        buttons->addWidget(button);
        QObject::connect(button, &QPushButton::clicked, dialog, [dialog, all, id, what, held = QPointer<TransferQueue>(queue)] {
            if (held)
                held->answer(id, what, all->isChecked());
            dialog->accept();
        });
    }
    layout->addLayout(buttons);
    // Answered elsewhere, or over.
    QObject::connect(queue, &TransferQueue::changed, dialog, [dialog, queue, id](qint64 which) {
        if (which == id && queue->progress(id).state != TransferState::Asking)
            dialog->close();
    });
    dialog->open();
    return dialog;
}

} // namespace Sandpiper

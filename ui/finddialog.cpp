#include "ui/finddialog.h"

#include "ui/dialogkit.h"
#include "ui/filewords.h"
#include "ui/sandboxtext.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

FindModel::FindModel(const FilePath &top, QObject *parent)
    : QAbstractTableModel(parent)
    , m_top(top)
{
}

void FindModel::clear()
{
    beginResetModel();
    m_hits.clear();
    endResetModel();
}

void FindModel::append(const QList<FindHit> &hits)
{
    beginInsertRows({}, int(m_hits.size()), int(m_hits.size() + hits.size()) - 1);
    m_hits.append(hits);
    endInsertRows();
}

int FindModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_hits.size());
}

int FindModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant FindModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role == Qt::TextAlignmentRole && section == Size)
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Name"), tr("Folder"), tr("Size"), tr("Modified")};
    return titles[section];
}

QVariant FindModel::data(const QModelIndex &index, int role) const
{
    const FindHit &hit = m_hits.at(index.row());
    const FileType type = hit.attributes.type();
    if (role == Qt::DecorationRole && index.column() == Name)
        return icon(iconFor(type == FileType::Unknown ? FileType::File : type), type == FileType::Folder ? IconTone::Accent : IconTone::Muted);
    if (role == Qt::ToolTipRole)
        return plainTip(hit.path.shown());
    if (role == Qt::TextAlignmentRole && index.column() == Size)
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(index.column())) {
    case Name: return shownBytes(hit.path.name());
    case Folder: {
        // From the folder that is looked through; there itself: nothing.
        const QByteArray folder = hit.path.parent().bytes();
        return shownBytes(folder.mid(m_top.bytes().size() + (m_top.bytes() == "/" ? 0 : 1)));
    }
    case Size: return type == FileType::File && hit.attributes.size ? sizeText(*hit.attributes.size) : QString();
    case Modified: return hit.attributes.times ? momentText(hit.attributes.times->modified, QDateTime::currentDateTime()) : QString();
    case ColumnCount: break;
    }
    return {};
}

FindDialog::FindDialog(FileSystem *files, const FileCommandMaker &command, const FilePath &top, const QString &place, QWidget *parent)
    : QDialog(parent)
    , m_files(files)
    , m_command(command)
    , m_top(top)
    , m_model(new FindModel(top, this))
    , m_name(new QLineEdit(this))
    , m_text(new QLineEdit(this))
    , m_case(new QCheckBox(tr("Capitals matter"), this))
    , m_table(new QTableView(this))
    , m_status(makeText({}, TextTone::Muted, this))
    , m_find(new QPushButton(tr("Find"), this))
    , m_goTo(new QPushButton(tr("Go to"), this))
{
    setObjectName(u"findDialog"_s);
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Find files"));
    resize(720, 480);
    m_name->setObjectName(u"findName"_s);
    m_name->setPlaceholderText(tr("Part of the name, or a pattern such as *.log"));
    m_text->setObjectName(u"findText"_s);
    m_text->setPlaceholderText(tr("Text in the file"));
    m_status->setObjectName(u"findStatus"_s);
    m_find->setObjectName(u"findStart"_s);
    m_goTo->setObjectName(u"findGoTo"_s);
    dressTable(m_table);
    m_table->setObjectName(u"findTable"_s);
    m_table->setAccessibleName(tr("Found"));
    m_table->setModel(m_model);
    m_table->installEventFilter(this);
    m_table->setColumnWidth(FindModel::Name, 240);
    m_table->setColumnWidth(FindModel::Size, 80);
    m_table->setColumnWidth(FindModel::Modified, 110);
    m_table->horizontalHeader()->setSectionResizeMode(FindModel::Folder, QHeaderView::Stretch);
    auto *close = new QPushButton(tr("Close"), this);
    m_goTo->setAutoDefault(false);
    close->setAutoDefault(false);
    m_find->setDefault(true);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(12);
    QLabel *where = makeText(tr("In %1 on “%2”, and all below it").arg(top.shown().left(300), tamed(place, 100)), TextTone::Muted, this);
    layout->addWidget(where);
    auto *form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(8);
    form->addRow(tr("Name"), m_name);
    form->addRow(tr("Text"), m_text);
    form->addRow(QString(), m_case);
    layout->addLayout(form);
    layout->addWidget(m_table, 1);
    auto *buttons = new QHBoxLayout;
    buttons->addWidget(m_status, 1);
    buttons->addWidget(m_find);
    buttons->addWidget(m_goTo);
    buttons->addWidget(close);
    layout->addLayout(buttons);
    connect(m_find, &QPushButton::clicked, this, [this] { isRunning() ? stop() : start(); });
    connect(m_goTo, &QPushButton::clicked, this, &FindDialog::goTo);
    connect(close, &QPushButton::clicked, this, &QDialog::close);
    connect(m_table, &QAbstractItemView::doubleClicked, this, &FindDialog::goTo);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &FindDialog::updateButtons);
    for (const QLineEdit *edit : {m_name, m_text})
        connect(edit, &QLineEdit::textChanged, this, &FindDialog::updateButtons);
    updateButtons();
}

FindDialog::~FindDialog() = default;

QString FindDialog::statusText() const
{
    return m_status->text();
}

void FindDialog::start()
{
    if (!m_files)
        return m_status->setText(tr("The connection is gone."));
    m_model->clear();
    const FindWish wish{m_top, m_name->text(), m_text->text(), m_case->isChecked()};
    m_finder = std::make_unique<TreeFind>(m_files, m_command, wish);
    connect(m_finder.get(), &TreeFind::found, this, [this](const QList<FindHit> &hits) {
        const bool isFirst = m_model->rowCount() == 0;
        m_model->append(hits);
        if (isFirst)
            m_table->selectRow(0);
        m_status->setText(tr("Looking… %L1 found").arg(m_model->rowCount()));
    });
    connect(m_finder.get(), &TreeFind::progressed, this, [this](qint64 files) { m_status->setText(tr("Looking… %L1 found among %L2").arg(m_model->rowCount()).arg(files)); });
    connect(m_finder.get(), &TreeFind::finished, this, &FindDialog::finished);
    m_status->setText(tr("Looking…"));
    m_finder->start();
    updateButtons();
}

void FindDialog::stop()
{
    m_finder.reset();
    m_status->setText(tr("Stopped; %L1 found").arg(m_model->rowCount()));
    updateButtons();
}

void FindDialog::finished(const TreeFind::Outcome &outcome)
{
    m_finder.release()->deleteLater(); // it is what speaks
    QStringList parts;
    if (outcome.error)
        parts.append(problemText(*outcome.error));
    else if (outcome.isCut)
        parts.append(tr("The first %L1; there are more").arg(outcome.hits));
    else
        parts.append(outcome.hits == 0 ? tr("Nothing found") : outcome.hits == 1 ? tr("1 found") : tr("%L1 found").arg(outcome.hits));
    if (outcome.unreadable > 0)
        parts.append(tr("%L1 could not be looked into").arg(outcome.unreadable));
    if (outcome.skipped > 0)
        parts.append(tr("%L1 larger than 64 MiB left out").arg(outcome.skipped));
    m_status->setText(parts.join(u" · "_s));
    if (m_model->rowCount() > 0)
        m_table->setFocus();
    updateButtons();
}

void FindDialog::goTo()
{
    const QModelIndexList rows = m_table->selectionModel()->selectedRows();
    if (rows.isEmpty())
        return;
    emit goToWanted(m_model->hit(rows.constFirst().row()).path);
}

void FindDialog::updateButtons()
{
    m_find->setText(isRunning() ? tr("Stop") : tr("Find"));
    m_find->setEnabled(isRunning() || !m_name->text().isEmpty() || !m_text->text().isEmpty());
    m_goTo->setEnabled(!m_table->selectionModel()->selectedRows().isEmpty());
}

bool FindDialog::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_table && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent *>(event)->key();
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            goTo();
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace Sandpiper

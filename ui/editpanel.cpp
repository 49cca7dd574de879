#include "ui/editpanel.h"

#include "session/errortext.h"
#include "ui/dialogkit.h"
#include "ui/editdialogs.h"
#include "ui/filewords.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QCoreApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

class Words
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Edits)
};

struct Mark
{
    IconName icon;
    IconTone tone;
};

Mark markFor(EditState state)
{
    switch (state) {
    case EditState::Fetching: return {IconName::Download, IconTone::Muted};
    case EditState::AsksSize: return {IconName::Pause, IconTone::Waiting};
    case EditState::Same: return {IconName::Check, IconTone::Running};
    case EditState::Sending: return {IconName::Up, IconTone::Accent};
    case EditState::Waiting: return {IconName::Pause, IconTone::Waiting};
    case EditState::Conflict: return {IconName::Warning, IconTone::Waiting};
    case EditState::Failed: return {IconName::Error, IconTone::Danger};
    }
    Q_UNREACHABLE_RETURN({});
}

} // namespace

QString stateText(const EditStatus &status, const QString &sandboxName)
{
    const auto because = [&](const QString &word) { return status.error ? Words::tr("%1: %2").arg(word, problemText(*status.error)) : word; };
    const QString name = tamed(sandboxName, 60);
    switch (status.state) {
    case EditState::Fetching: return Words::tr("Fetching");
    case EditState::AsksSize: return Words::tr("Not fetched: it has %1").arg(sizeText(status.size.value_or(0)));
    case EditState::Same: return Words::tr("The same there");
    case EditState::Sending: return Words::tr("Sending");
    case EditState::Waiting: return because(Words::tr("Waiting"));
    case EditState::Conflict: return status.isGoneThere ? Words::tr("Removed on “%1” meanwhile").arg(name) : Words::tr("Changed on “%1” as well").arg(name);
    case EditState::Failed: return because(Words::tr("Failed"));
    }
    Q_UNREACHABLE_RETURN({});
}

EditModel::EditModel(FileEdits *edits, QObject *parent)
    : QAbstractTableModel(parent)
    , m_edits(edits)
    , m_ids(edits->edits())
{
    for (const auto signal : {&FileEdits::added, &FileEdits::removed})
        connect(edits, signal, this, &EditModel::reload);
    connect(edits, &FileEdits::changed, this, [this](const QString &id) {
        if (const qsizetype row = m_ids.indexOf(id); row >= 0)
            emit dataChanged(index(int(row), 0), index(int(row), ColumnCount - 1));
    });
}

void EditModel::reload()
{
    beginResetModel();
    m_ids = m_edits->edits();
    endResetModel();
}

int EditModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_ids.size());
}

int EditModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant EditModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= ColumnCount)
        return {};
    const QString titles[] = {Words::tr("Name"), Words::tr("Where"), Words::tr("State")};
    return titles[section];
}

QVariant EditModel::data(const QModelIndex &index, int role) const
{
    const EditSession *session = m_edits->session(idAt(index.row()));
    if (!session)
        return {};
    const EditRecord &record = session->record();
    const EditStatus &status = session->status();
    if (role == Qt::DecorationRole && index.column() == Name)
        return icon(markFor(status.state).icon, markFor(status.state).tone);
    if (role == Qt::ToolTipRole)
        return plainTip(index.column() == State ? stateText(status, record.sandboxName) : record.path.shown());
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(index.column())) {
    case Name: return shownBytes(record.path.name());
    case Where: return Words::tr("%1 · %2").arg(tamed(record.sandboxName, 60), record.path.parent().shown());
    case State: return stateText(status, record.sandboxName);
    case ColumnCount: break;
    }
    return {};
}

EditPanel::EditPanel(FileEdits *edits, QWidget *parent)
    : QWidget(parent)
    , m_edits(edits)
    , m_model(new EditModel(edits, this))
    , m_table(new QTableView(this))
    , m_open(makeToolButton(IconName::External, tr("Open in the editor again"), this))
    , m_send(makeToolButton(IconName::Up, tr("Send now"), this))
    , m_compare(makeToolButton(IconName::SplitRight, tr("Compare with what is there"), this))
    , m_stop(makeToolButton(IconName::Close, tr("Stop editing"), this))
{
    setObjectName(u"editPanel"_s);
    setAutoFillBackground(true);
    dressTable(m_table);
    m_table->setObjectName(u"editTable"_s);
    m_table->setAccessibleName(tr("Files that are being edited"));
    m_table->setModel(m_model);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setColumnWidth(EditModel::Name, 220);
    m_table->setColumnWidth(EditModel::Where, 240);
    m_table->horizontalHeader()->setSectionResizeMode(EditModel::State, QHeaderView::Stretch);
    QLabel *title = makeText(tr("Being edited"), TextTone::Plain, this);
    auto *head = new QHBoxLayout;
    head->setContentsMargins(10, 2, 6, 2);
    head->addWidget(title, 1);
    for (QToolButton *button : {m_open, m_send, m_compare, m_stop})
        head->addWidget(button);
    m_send->setObjectName(u"editSend"_s);
    m_compare->setObjectName(u"editCompare"_s);
    m_stop->setObjectName(u"editStop"_s);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(head);
    column->addWidget(m_table, 1);
    connect(m_open, &QToolButton::clicked, this, [this] { emit editorWanted(current()); });
    connect(m_send, &QToolButton::clicked, this, &EditPanel::sendNow);
    connect(m_compare, &QToolButton::clicked, this, &EditPanel::compare);
    connect(m_stop, &QToolButton::clicked, this, &EditPanel::stop);
    connect(m_table, &QAbstractItemView::activated, this, [this](const QModelIndex &index) {
        const QString id = m_model->idAt(index.row());
        const EditState state = m_edits->session(id)->status().state;
        if (state == EditState::Conflict)
            compare();
        else
            emit editorWanted(id);
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &EditPanel::updateButtons);
    connect(m_model, &QAbstractItemModel::dataChanged, this, &EditPanel::updateButtons);
    connect(m_model, &QAbstractItemModel::modelReset, this, &EditPanel::updateButtons);
    updateButtons();
}

// The one that is chosen; where there is one alone, that.
QString EditPanel::current() const
{
    const QModelIndexList rows = m_table->selectionModel()->selectedRows();
    if (!rows.isEmpty())
        return m_model->idAt(rows.constFirst().row());
    return m_model->rowCount() == 1 ? m_model->idAt(0) : QString();
}

void EditPanel::updateButtons()
{
    const EditSession *session = m_edits->session(current());
    const EditState state = session ? session->status().state : EditState::Fetching;
    const bool isHere = session && session->record().isFetched;
    m_open->setEnabled(isHere);
    m_send->setEnabled(session && state != EditState::Conflict && state != EditState::Sending && state != EditState::Fetching);
    m_send->setToolTip(state == EditState::AsksSize ? tr("Fetch it") : tr("Send now"));
    m_compare->setEnabled(isHere);
    m_compare->setToolTip(state == EditState::Conflict ? tr("Compare and decide") : tr("Compare with what is there"));
    m_stop->setEnabled(session != nullptr);
}

void EditPanel::sendNow()
{
    EditSession *session = m_edits->session(current());
    if (session && session->status().state == EditState::AsksSize)
        session->fetchAnyway();
    else if (session)
        session->sendNow();
}

void EditPanel::compare()
{
    showEditDifference(window(), m_edits, current());
}

void EditPanel::stop()
{
    const QString id = current();
    const EditSession *session = m_edits->session(id);
    if (!session)
        return;
    if (session->isSafeToDrop()) {
        (void)m_edits->stop(id);
        return;
    }
    Confirmation question;
    question.question = tr("Stop editing “%1”?").arg(shownBytes(session->record().path.name()).left(120));
    question.text = tr("What you saved is not on “%1” yet. Your copy stays in %2.").arg(tamed(session->record().sandboxName, 60), session->localFile());
    question.verb = tr("Stop editing");
    question.keep = tr("Go on");
    confirm(window(), question, [id, edits = QPointer(m_edits)] {
        if (edits)
            (void)edits->stop(id);
    });
}

} // namespace Sandpiper

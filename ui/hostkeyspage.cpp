#include "ui/hostkeyspage.h"

#include "session/errortext.h"
#include "session/paths.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QClipboard>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFuture>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPromise>
#include <QPushButton>
#include <QTableView>
#include <QThreadPool>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

QString shortPath(const QString &path)
{
    const QString home = QDir::homePath();
    return path.startsWith(home + u'/') ? u'~' + path.sliced(home.size()) : path;
}

// Work that touches the disk, on a thread of the pool; the answer comes back to the context's.
template <typename Answer>
void onPool(QObject *context, std::function<Answer()> work, std::function<void(const Answer &)> then)
{
    auto promise = std::make_shared<QPromise<Answer>>(); // shared with the pool's thread
    promise->start();
    promise->future().then(context, std::move(then));
    QThreadPool::globalInstance()->start([promise, work = std::move(work)] {
        promise->addResult(work());
        promise->finish();
    });
}

} // namespace

void HostKeysModel::setRows(const QList<HostKeyRow> &rows)
{
    m_rows = rows;
    filter();
}

void HostKeysModel::setFilter(const QString &text)
{
    m_filter = text;
    filter();
}

void HostKeysModel::filter()
{
    beginResetModel();
    m_shown.clear();
    for (qsizetype i = 0; i < m_rows.size(); ++i) {
        if (matchesHostKey(m_rows.at(i), m_filter))
            m_shown.append(i);
    }
    endResetModel();
}

int HostKeysModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_shown.size());
}

int HostKeysModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString HostKeysModel::hostText(const HostKeyRow &row) const
{
    return row.name.isEmpty() ? tr("(hashed name)") : row.name;
}

QVariant HostKeysModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const HostKeyRow &one = row(index.row());
    const KnownHostEntry &entry = one.entry;
    if (role == Qt::ForegroundRole && (index.column() != Host || one.name.isEmpty()))
        return entry.marker == KnownHostMarker::Revoked && index.column() == Mark ? themeColors().danger : themeColors().muted;
    if (role == Qt::ToolTipRole && index.column() == Host)
        return one.name.isEmpty() ? tr("The file keeps only a hash of the name. Type the exact name into the filter to find it.")
                                  : tamed(QString::fromUtf8(entry.hosts));
    if (role == Qt::DecorationRole && index.column() == Host)
        return icon(one.isSandbox ? IconName::Sandbox : IconName::Server);
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    switch (Column(index.column())) {
    case Host:
        return hostText(one);
    case Type:
        return shortTypeOf(entry.key);
    case Fingerprint:
        return fingerprintOf(entry.key);
    case Where:
        return tr("%1, line %2").arg(shortPath(entry.file)).arg(entry.line);
    case Mark:
        switch (entry.marker) {
        case KnownHostMarker::None:
            return QString();
        case KnownHostMarker::Revoked:
            return tr("revoked");
        case KnownHostMarker::CertificateAuthority:
            return tr("authority");
        }
        break;
    case ColumnCount:
        break;
    }
    return {};
}

QVariant HostKeysModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (Column(section)) {
    case Host:
        return tr("Host or sandbox");
    case Type:
        return tr("Type");
    case Fingerprint:
        return tr("SHA-256");
    case Where:
        return tr("Kept in");
    case Mark:
        return tr("Mark");
    case ColumnCount:
        break;
    }
    return {};
}

HostKeysPage::HostKeysPage(const HostKeyPlaces &places, QWidget *parent)
    : QWidget(parent)
    , m_places(places)
    , m_model(new HostKeysModel(this))
    , m_filter(new QLineEdit(this))
    , m_table(new QTableView(this))
    , m_empty(makeText({}, TextTone::Muted, this))
    , m_foot(makeText({}, TextTone::Muted, this))
    , m_notices(new NoticeBar(this))
    , m_add(new QPushButton(tr("Add a line…"), this))
    , m_copy(new QPushButton(tr("Copy lines"), this))
    , m_save(new QPushButton(tr("Save lines…"), this))
    , m_forget(new QPushButton(tr("Forget…"), this))
{
    setObjectName(u"hostKeysPage"_s);
    setAutoFillBackground(true);
    m_table->setObjectName(u"hostKeysTable"_s);
    m_table->setAccessibleName(tr("Host keys"));
    m_table->setModel(m_model);
    dressTable(m_table);
    const int widths[] = {220, 90, 240, 220, 90};
    for (int column = 0; column < HostKeysModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->horizontalHeader()->setSectionResizeMode(HostKeysModel::Fingerprint, QHeaderView::Stretch);

    QToolButton *close = makeToolButton(IconName::Close, tr("Close this page"), this);
    auto *head = new QHBoxLayout;
    head->addWidget(makeHeading(tr("Host keys"), this), 1);
    head->addWidget(close, 0, Qt::AlignTop);
    m_filter->setObjectName(u"hostKeysFilter"_s);
    m_filter->setPlaceholderText(tr("Host, type or fingerprint"));
    m_filter->setAccessibleName(tr("Filter host keys"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaxLength(300);
    m_add->setIcon(icon(IconName::Add));
    m_copy->setIcon(icon(IconName::Copy));
    m_save->setIcon(icon(IconName::Download));
    m_forget->setObjectName(u"hostKeysForget"_s);
    m_add->setObjectName(u"hostKeysAdd"_s);
    auto *bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_filter, 1);
    for (QPushButton *button : {m_add, m_copy, m_save, m_forget})
        bar->addWidget(button);
    m_empty->setAlignment(Qt::AlignCenter);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 16);
    layout->setSpacing(12);
    layout->addLayout(head);
    layout->addWidget(makeText(tr("Servers and sandboxes that this computer has met. One that shows another key than the one kept here is not connected to."),
                               TextTone::Muted, this));
    layout->addLayout(bar);
    layout->addWidget(m_notices);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_empty, 1);
    layout->addWidget(m_foot);

    connect(close, &QToolButton::clicked, this, &HostKeysPage::closeWanted);
    connect(m_filter, &QLineEdit::textChanged, m_model, &HostKeysModel::setFilter);
    connect(m_add, &QPushButton::clicked, this, &HostKeysPage::askLine);
    connect(m_copy, &QPushButton::clicked, this, &HostKeysPage::copyLines);
    connect(m_save, &QPushButton::clicked, this, &HostKeysPage::chooseFile);
    connect(m_forget, &QPushButton::clicked, this, &HostKeysPage::askForget);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &HostKeysPage::updateButtons);
    connect(m_model, &QAbstractItemModel::modelReset, this, &HostKeysPage::updateButtons);
    updateButtons();
}

void HostKeysPage::refresh()
{
    onPool<HostKeyList>(this, [places = m_places] { return listHostKeys(places); }, [this](const HostKeyList &list) { take(list); });
}

void HostKeysPage::take(const HostKeyList &list)
{
    m_model->setRows(list.rows);
    QStringList foot;
    if (list.garbage > 0)
        foot.append(tr("%n line(s) that are no entries are kept as they are.", nullptr, int(list.garbage)));
    if (list.isTruncated)
        foot.append(tr("There are more entries than are shown here."));
    m_foot->setText(foot.join(u' '));
    m_foot->setVisible(!foot.isEmpty());
    if (!list.errors.isEmpty())
        m_notices->tell(NoticeBar::Tone::Trouble, errorText(list.errors.first()).sentence);
}

void HostKeysPage::showOnly(const QString &filter)
{
    m_filter->setText(filter);
    m_filter->setFocus();
}

void HostKeysPage::run(std::function<Done()> work)
{
    onPool<Done>(this, std::move(work), [this](const Done &done) {
        if (done)
            m_notices->dismiss();
        else
            m_notices->tell(NoticeBar::Tone::Trouble, errorText(done.error()).sentence);
        refresh();
    });
}

void HostKeysPage::updateButtons()
{
    const bool any = m_model->rowCount({}) > 0;
    m_table->setVisible(any);
    m_empty->setVisible(!any);
    m_empty->setText(m_model->isEmpty() ? tr("No host key is known yet.\nThe first connection to a server or a sandbox asks about its key and keeps it.")
                                        : tr("No host key matches.\nA hashed name is found only by its whole name, with the port where it is not 22."));
    m_copy->setEnabled(any);
    m_save->setEnabled(any);
    const QModelIndexList chosen = m_table->selectionModel()->selectedRows();
    const bool writable = std::ranges::all_of(chosen, [this](const QModelIndex &index) {
        return QFileInfo(QFileInfo(m_model->row(index.row()).entry.file).absolutePath()).isWritable();
    });
    m_forget->setEnabled(!chosen.isEmpty() && writable);
    m_forget->setToolTip(writable ? QString() : tr("That file belongs to the system."));
}

QList<HostKeyRow> HostKeysPage::chosenRows() const
{
    const QItemSelectionModel *selection = m_table->selectionModel();
    QList<HostKeyRow> rows;
    for (int row = 0; row < m_model->rowCount({}); ++row) {
        if (!selection->hasSelection() || selection->isRowSelected(row))
            rows.append(m_model->row(row));
    }
    return rows;
}

QByteArray HostKeysPage::chosenLines() const
{
    QByteArray lines;
    for (const HostKeyRow &row : chosenRows())
        lines += row.entry.content + '\n';
    return lines;
}

void HostKeysPage::askForget()
{
    if (m_table->selectionModel()->selectedRows().isEmpty())
        return;
    const QList<HostKeyRow> rows = chosenRows();
    const bool inUsersFile = std::ranges::any_of(rows, [](const HostKeyRow &row) { return !row.isSandbox; });
    const QString name = rows.first().name.isEmpty() ? tr("a hashed name") : rows.first().name;
    const QString question = rows.size() == 1 ? tr("Forget the key of %1?").arg(name) : tr("Forget %n key(s)?", nullptr, int(rows.size()));
    QString text = tr("The next connection asks again whether it is the right one. Do this only if you know why the key changed.");
    if (inUsersFile)
        text += u' ' + tr("The file as it is now is kept beside it, with “.old” behind its name.");
    confirm(window(), {question, text, tr("Forget"), tr("Keep it")}, [this, rows] { run([rows] { return forgetHostKeys(rows); }); });
}

void HostKeysPage::askLine()
{
    auto *dialog = new QDialog(window());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setObjectName(u"hostKeyLineDialog"_s);
    dialog->setWindowTitle(tr("Add a host key"));
    dialog->setMinimumWidth(560);
    auto *edit = new QLineEdit(dialog);
    edit->setPlaceholderText(u"host.example.org ssh-ed25519 AAAA…"_s);
    edit->setAccessibleName(tr("A line of known_hosts"));
    edit->setMaxLength(32768);
    auto *buttons = new QDialogButtonBox(dialog);
    buttons->addButton(tr("Cancel"), QDialogButtonBox::RejectRole);
    QPushButton *add = buttons->addButton(tr("Add"), QDialogButtonBox::AcceptRole);
    add->setEnabled(false);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 20, 24, 20);
    layout->setSpacing(8);
    layout->addWidget(makeTitle(tr("Add a host key"), dialog));
    layout->addWidget(makeText(tr("Paste a line as known_hosts has it or as ssh-keyscan prints it, from a source that you trust. It is added to %1.")
                                   .arg(shortPath(m_places.knownHosts.value(0))),
                               TextTone::Muted, dialog));
    layout->addWidget(edit);
    layout->addSpacing(8);
    layout->addWidget(buttons);
    connect(edit, &QLineEdit::textChanged, add, [add](const QString &text) {
        add->setEnabled(parseKnownHostLine(text.toUtf8()).has_value());
    });
    connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    connect(buttons, &QDialogButtonBox::accepted, dialog, &QDialog::accept);
    connect(dialog, &QDialog::accepted, this, [this, edit] {
        run([path = m_places.knownHosts.value(0), line = edit->text().toUtf8()] { return addKnownHostLine(path, line); });
    });
    dialog->open();
}

void HostKeysPage::copyLines()
{
    QGuiApplication::clipboard()->setText(QString::fromUtf8(chosenLines()));
}

void HostKeysPage::chooseFile()
{
    auto *dialog = new QFileDialog(window(), tr("Save host keys"), QDir::homePath());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->selectFile(u"known_hosts.txt"_s);
    connect(dialog, &QFileDialog::fileSelected, this, [this, lines = chosenLines()](const QString &file) {
        run([file, lines] { return writePrivateFile(file, lines); });
    });
    dialog->open();
}

} // namespace Sandpiper

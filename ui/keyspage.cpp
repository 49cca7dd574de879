#include "ui/keyspage.h"

#include "session/errortext.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QTableView>
#include <QThreadPool>
#include <QPromise>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

KeysModel::KeysModel(SandboxRegistry *registry, AccountHub *hub, QObject *parent)
    : QAbstractTableModel(parent)
    , m_registry(registry)
    , m_hub(hub)
{
    connect(registry, &SandboxRegistry::keysChanged, this, &KeysModel::rebuild);
    connect(registry, &SandboxRegistry::accountRemoved, this, &KeysModel::rebuild);
    rebuild();
}

void KeysModel::setLocalKeys(const QList<LocalKey> &keys)
{
    m_local = keys;
    rebuild();
}

void KeysModel::rebuild()
{
    QList<Row> rows;
    const auto rowFor = [&rows](const QString &fingerprint) -> Row & {
        const auto it = std::ranges::find(rows, fingerprint, &Row::fingerprint);
        if (it != rows.end())
            return *it;
        rows.append(Row{fingerprint, {}, {}, {}, {}, {}, {}, {}});
        return rows.last();
    };
    for (const LocalKey &local : std::as_const(m_local)) {
        Row &row = rowFor(local.key.fingerprint);
        row.name = QFileInfo(local.file).completeBaseName();
        row.type = local.key.type;
        row.comment = local.key.comment;
        row.addedAt = local.modified;
        row.localFile = local.file;
        row.line = local.key.line;
    }
    for (const AccountHub::Entry &entry : m_hub->entries()) {
        const SandboxRegistry::AccountView *view = m_registry->view(entry.account.id);
        if (!view)
            continue;
        for (const SshKey &key : view->keys) {
            Row &row = rowFor(key.fingerprint);
            if (row.registrations.isEmpty()) {
                row.name = key.name.isEmpty() ? row.name : key.name;
                row.addedAt = key.addedAt.isValid() ? key.addedAt : row.addedAt;
            }
            if (row.type.isEmpty())
                row.type = key.type;
            row.registrations.append({entry.account.id, entry.account.name, key.id});
        }
    }
    beginResetModel();
    m_rows = rows;
    endResetModel();
}

int KeysModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : int(m_rows.size());
}

int KeysModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant KeysModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const Row &row = m_rows.at(index.row());
    if (role == Qt::ForegroundRole && index.column() != Name)
        return themeColors().muted;
    if (role == Qt::ToolTipRole && index.column() == Name)
        return row.localFile.isEmpty() ? row.name : row.localFile;
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    switch (Column(index.column())) {
    case Name:
        return row.name;
    case Type: {
        QString type = row.type;
        if (type.startsWith("ssh-"_L1))
            type.remove(0, 4);
        return type;
    }
    case Fingerprint:
        return row.fingerprint;
    case Comment:
        return row.comment;
    case Added:
        return row.addedAt.isValid() ? QLocale().toString(row.addedAt.toLocalTime().date(), QLocale::ShortFormat) : QString();
    case Where: {
        QStringList places;
        if (!row.localFile.isEmpty())
            places.append(tr("on this computer"));
        for (const Registration &one : row.registrations)
            places.append(tr("registered at %1").arg(one.accountName));
        return places.join(u", "_s);
    }
    case ColumnCount:
        break;
    }
    return {};
}

QVariant KeysModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return int(Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (Column(section)) {
    case Name:
        return tr("Name");
    case Type:
        return tr("Type");
    case Fingerprint:
        return tr("SHA-256");
    case Comment:
        return tr("Comment");
    case Added:
        return tr("Added");
    case Where:
        return tr("Where");
    case ColumnCount:
        break;
    }
    return {};
}

KeysPage::KeysPage(SandboxRegistry *registry, AccountHub *hub, const QString &localFolder, QWidget *parent)
    : QWidget(parent)
    , m_registry(registry)
    , m_hub(hub)
    , m_folder(localFolder)
    , m_model(new KeysModel(registry, hub, this))
    , m_table(new QTableView(this))
    , m_empty(makeText(tr("No SSH key is registered anywhere, and none was found on this computer.\n"
                          "Add the public half of a key to reach your sandboxes by SSH."), TextTone::Muted, this))
    , m_notices(new NoticeBar(this))
    , m_add(new QPushButton(tr("Add from a file…"), this))
    , m_register(new QPushButton(tr("Register at"), this))
    , m_copy(new QPushButton(tr("Copy public line"), this))
    , m_remove(new QPushButton(tr("Remove…"), this))
{
    setObjectName(u"keysPage"_s);
    setAutoFillBackground(true);
    m_table->setObjectName(u"keysTable"_s);
    m_table->setAccessibleName(tr("SSH keys"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(Metrics::rowHeight + 4);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    // The fingerprint takes what is left: it is what people compare.
    const int widths[] = {140, 76, 240, 120, 100, 200};
    for (int column = 0; column < KeysModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->horizontalHeader()->setMinimumSectionSize(60);
    m_table->horizontalHeader()->setSectionResizeMode(KeysModel::Fingerprint, QHeaderView::Stretch);
    m_table->setTextElideMode(Qt::ElideMiddle);

    QToolButton *close = makeToolButton(IconName::Close, tr("Close this page"), this);
    auto *head = new QHBoxLayout;
    head->addWidget(makeHeading(tr("SSH keys"), this), 1);
    head->addWidget(close, 0, Qt::AlignTop);
    m_add->setIcon(icon(IconName::Import));
    m_copy->setIcon(icon(IconName::Copy));
    m_add->setObjectName(u"keysAdd"_s);
    m_remove->setObjectName(u"keysRemove"_s);
    m_register->setMenu(new QMenu(m_register));
    auto *bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(m_add);
    bar->addWidget(m_register);
    bar->addWidget(m_copy);
    bar->addWidget(m_remove);
    bar->addStretch();
    m_empty->setAlignment(Qt::AlignCenter);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 16);
    layout->setSpacing(12);
    layout->addLayout(head);
    layout->addWidget(makeText(tr("A sandbox lets in by SSH who holds the private half of a key registered here. Private keys never leave this computer."),
                               TextTone::Muted, this));
    layout->addLayout(bar);
    layout->addWidget(m_notices);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_empty, 1);

    connect(close, &QToolButton::clicked, this, &KeysPage::closeWanted);
    connect(m_add, &QPushButton::clicked, this, &KeysPage::chooseFile);
    connect(m_register->menu(), &QMenu::aboutToShow, this, &KeysPage::fillRegisterMenu);
    connect(m_copy, &QPushButton::clicked, this, &KeysPage::copyLine);
    connect(m_remove, &QPushButton::clicked, this, &KeysPage::askRemove);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &KeysPage::updateButtons);
    connect(m_model, &QAbstractItemModel::modelReset, this, &KeysPage::updateButtons);
    updateButtons();
}

void KeysPage::refresh()
{
    for (const AccountHub::Entry &entry : accountsWithKeys())
        m_registry->refreshKeys(entry.account.id);
    // A home folder may lie on a slow disk: read on another thread.
    auto promise = std::make_shared<QPromise<QList<LocalKey>>>(); // shared with the pool's thread
    promise->start();
    promise->future().then(this, [this](const QList<LocalKey> &keys) { m_model->setLocalKeys(keys); });
    QThreadPool::globalInstance()->start([promise, folder = m_folder] {
        promise->addResult(localKeys(folder));
        promise->finish();
    });
}

QList<AccountHub::Entry> KeysPage::accountsWithKeys() const
{
    QList<AccountHub::Entry> able;
    for (const AccountHub::Entry &entry : m_hub->entries()) {
        const SandboxProvider *provider = m_hub->provider(entry.account.id);
        if (provider && provider->capabilities().has(Capability::SshKeys))
            able.append(entry);
    }
    return able;
}

const KeysModel::Row *KeysPage::currentRow() const
{
    const QModelIndexList chosen = m_table->selectionModel()->selectedRows();
    return chosen.isEmpty() ? nullptr : &m_model->row(chosen.first().row());
}

void KeysPage::updateButtons()
{
    const KeysModel::Row *row = currentRow();
    const bool any = m_model->rowCount({}) > 0;
    m_table->setVisible(any);
    m_empty->setVisible(!any);
    m_copy->setEnabled(row && !row->line.isEmpty());
    m_register->setEnabled(row && !row->line.isEmpty());
    m_remove->setEnabled(row && !row->registrations.isEmpty());
    m_add->setEnabled(!accountsWithKeys().isEmpty());
    m_add->setToolTip(m_add->isEnabled() ? QString() : tr("No connected account takes SSH keys yet."));
}

void KeysPage::fillRegisterMenu()
{
    QMenu *menu = m_register->menu();
    menu->clear();
    const KeysModel::Row *row = currentRow();
    if (!row)
        return;
    for (const AccountHub::Entry &entry : accountsWithKeys()) {
        const bool there = std::ranges::any_of(row->registrations, [&](const KeysModel::Registration &one) {
            return one.accountId == entry.account.id;
        });
        QAction *action = menu->addAction(entry.account.name);
        action->setEnabled(!there);
        connect(action, &QAction::triggered, this, [this, id = entry.account.id, name = row->name, line = row->line] {
            registerKey(id, name, line);
        });
    }
    if (menu->isEmpty())
        menu->addAction(tr("No connected account takes SSH keys"))->setEnabled(false);
}

void KeysPage::chooseFile()
{
    const QList<AccountHub::Entry> able = accountsWithKeys();
    if (able.isEmpty())
        return;
    auto *dialog = new QFileDialog(window(), tr("Choose a public key"), m_folder, tr("Public keys (*.pub);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, [this, able](const QString &file) {
        if (able.size() == 1) {
            addFromFile(able.first().account.id, file);
            return;
        }
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        for (const AccountHub::Entry &entry : able)
            menu->addAction(tr("Register at %1").arg(entry.account.name), this, [this, id = entry.account.id, file] { addFromFile(id, file); });
        menu->popup(m_add->mapToGlobal(m_add->rect().bottomLeft()));
    });
    dialog->open();
}

void KeysPage::addFromFile(const QString &accountId, const QString &file)
{
    const Result<PublicKeyLine> key = readPublicKeyFile(file);
    if (!key) {
        const QString why = key.error().kind == ErrorKind::InvalidInput ? key.error().detail : errorText(key.error()).sentence;
        m_notices->tell(NoticeBar::Tone::Trouble, tr("%1: %2").arg(QFileInfo(file).fileName(), why));
        return;
    }
    registerKey(accountId, QFileInfo(file).completeBaseName(), key->line);
}

void KeysPage::registerKey(const QString &accountId, const QString &name, const QByteArray &line)
{
    SandboxProvider *provider = m_hub->provider(accountId);
    if (!provider)
        return;
    m_notices->tell(NoticeBar::Tone::Info, tr("Registering %1…").arg(name));
    provider->addKey(name, line).then(this, [this, accountId](const Result<SshKey> &added) {
        if (added) {
            m_notices->dismiss();
            m_registry->refreshKeys(accountId);
        } else {
            m_notices->tell(NoticeBar::Tone::Trouble, errorText(added.error()).sentence);
        }
    });
}

void KeysPage::askRemove()
{
    const KeysModel::Row *row = currentRow();
    if (!row || row->registrations.isEmpty())
        return;
    if (row->registrations.size() > 1) {
        auto *menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        for (const KeysModel::Registration &one : row->registrations)
            menu->addAction(tr("From %1…").arg(one.accountName), this, [this, one, name = row->name] { removeFrom(one, name); });
        menu->popup(m_remove->mapToGlobal(m_remove->rect().bottomLeft()));
        return;
    }
    removeFrom(row->registrations.first(), row->name);
}

void KeysPage::removeFrom(const KeysModel::Registration &one, const QString &name)
{
    confirm(window(),
            {tr("Remove %1 from %2?").arg(name, one.accountName),
             tr("Whoever holds it can no longer open new SSH connections to sandboxes of this account. The key on this computer stays."),
             tr("Remove"), tr("Keep it")},
            [this, one] {
                SandboxProvider *provider = m_hub->provider(one.accountId);
                if (!provider)
                    return;
                provider->removeKey(one.keyId).then(this, [this, id = one.accountId](const Done &removed) {
                    if (!removed)
                        m_notices->tell(NoticeBar::Tone::Trouble, errorText(removed.error()).sentence);
                    m_registry->refreshKeys(id);
                });
            });
}

void KeysPage::copyLine()
{
    if (const KeysModel::Row *row = currentRow())
        QGuiApplication::clipboard()->setText(QString::fromUtf8(row->line));
}

} // namespace Sandpiper

#include "ui/keyspage.h"

#include "session/errortext.h"
#include "ui/style.h"
#include "ui/theme.h"

#include <QActionGroup>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QPushButton>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

KeysPage::KeysPage(SandboxRegistry *registry, AccountHub *hub, AvailableKeys *available, LoginStore *logins, QWidget *parent)
    : QWidget(parent)
    , m_registry(registry)
    , m_hub(hub)
    , m_available(available)
    , m_logins(logins)
    , m_model(new KeysModel(registry, hub, available, this))
    , m_table(new QTableView(this))
    , m_empty(makeText({}, TextTone::Muted, this))
    , m_notices(new NoticeBar(this))
    , m_generate(new QPushButton(tr("Generate…"), this))
    , m_add(new QPushButton(tr("Add from a file…"), this))
    , m_register(new QPushButton(tr("Register at"), this))
    , m_copy(new QPushButton(tr("Copy public line"), this))
    , m_remove(new QPushButton(tr("Remove…"), this))
    , m_more(new QPushButton(tr("More"), this))
{
    setObjectName(u"keysPage"_s);
    setAutoFillBackground(true);
    build();
    buildMoreMenu();
    connectButtons();
    updateButtons();
}

void KeysPage::build()
{
    m_table->setObjectName(u"keysTable"_s);
    m_table->setAccessibleName(tr("SSH keys"));
    m_table->setModel(m_model);
    dressTable(m_table);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    // The fingerprint takes what is left: it is what people compare.
    const int widths[] = {130, 84, 180, 120, 96, 96, 104, 150};
    for (int column = 0; column < KeysModel::ColumnCount; ++column)
        m_table->setColumnWidth(column, widths[column]);
    m_table->horizontalHeader()->setSectionResizeMode(KeysModel::Fingerprint, QHeaderView::Stretch);

    QToolButton *close = makeToolButton(IconName::Close, tr("Close this page"), this);
    connect(close, &QToolButton::clicked, this, &KeysPage::closeWanted);
    auto *head = new QHBoxLayout;
    head->addWidget(makeHeading(tr("SSH keys"), this), 1);
    head->addWidget(close, 0, Qt::AlignTop);
    m_generate->setIcon(icon(IconName::Add));
    m_add->setIcon(icon(IconName::Import));
    m_copy->setIcon(icon(IconName::Copy));
    m_generate->setObjectName(u"keysGenerate"_s);
    m_add->setObjectName(u"keysAdd"_s);
    m_remove->setObjectName(u"keysRemove"_s);
    m_register->setMenu(new QMenu(m_register));
    m_more->setMenu(new QMenu(m_more));
    auto *bar = new QHBoxLayout;
    bar->setSpacing(8);
    for (QPushButton *button : {m_generate, m_add, m_register, m_copy, m_remove, m_more})
        bar->addWidget(button);
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
}

void KeysPage::buildMoreMenu()
{
    QMenu *menu = m_more->menu();
    m_addToAgent = menu->addAction(tr("Add to the agent…"), this, &KeysPage::addToAgent);
    m_removeFromAgent = menu->addAction(tr("Remove from the agent"), this, &KeysPage::removeFromAgent);
    menu->addSeparator();
    m_changePassphrase = menu->addAction(tr("Change passphrase…"), this, &KeysPage::changePassphraseOf);
    m_convert = menu->addAction(tr("Convert to OpenSSH's form…"), this, &KeysPage::convert);
    menu->addSeparator();
    m_agents = menu->addMenu(tr("Agent"));
    connect(m_agents, &QMenu::aboutToShow, this, &KeysPage::fillAgentMenu);
}

void KeysPage::connectButtons()
{
    connect(m_generate, &QPushButton::clicked, this, &KeysPage::generate);
    connect(m_add, &QPushButton::clicked, this, &KeysPage::chooseFile);
    connect(m_register->menu(), &QMenu::aboutToShow, this, &KeysPage::fillRegisterMenu);
    connect(m_copy, &QPushButton::clicked, this, &KeysPage::copyLine);
    connect(m_remove, &QPushButton::clicked, this, &KeysPage::askRemove);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &KeysPage::updateButtons);
    connect(m_model, &QAbstractItemModel::modelReset, this, &KeysPage::updateButtons);
    // Not every vendor says it, and files do not know it: an empty column takes room from the fingerprint.
    const auto showLastUsed = [this] { m_table->setColumnHidden(KeysModel::LastUsed, m_model->isEmptyColumn(KeysModel::LastUsed)); };
    connect(m_model, &QAbstractItemModel::modelReset, this, showLastUsed);
    showLastUsed();
    connect(m_available, &AvailableKeys::changed, this, [this] {
        if (const std::optional<Error> error = m_available->agentError())
            m_notices->tell(NoticeBar::Tone::Trouble, tr("The keys of the ssh-agent cannot be shown: %1.").arg(error->detail));
    });
}

void KeysPage::refresh()
{
    for (const AccountHub::Entry &entry : accountsWithKeys())
        m_registry->refreshKeys(entry.account.id);
    m_available->refresh();
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

void KeysPage::updateEmptyText()
{
    QStringList lines;
    if (!m_available->isKnown())
        lines.append(tr("Reading the keys of this computer…"));
    else
        lines.append(tr("No SSH key is registered anywhere, and none was found on this computer.\n"
                        "Generate one to reach your sandboxes by SSH, or add the public half of one you have."));
    for (const AccountHub::Entry &entry : accountsWithKeys()) {
        const SandboxRegistry::AccountView *view = m_registry->view(entry.account.id);
        if (view && view->keysError)
            lines.append(errorText(*view->keysError).sentence);
    }
    m_empty->setText(lines.join(u'\n'));
}

void KeysPage::updateButtons()
{
    const KeysModel::Row *row = currentRow();
    const bool any = m_model->rowCount({}) > 0;
    updateEmptyText();
    m_table->setVisible(any);
    m_empty->setVisible(!any);
    m_copy->setEnabled(row && !row->line.isEmpty());
    m_register->setEnabled(row && !row->line.isEmpty());
    m_remove->setEnabled(row && !row->registrations.isEmpty());
    m_add->setEnabled(!accountsWithKeys().isEmpty());
    m_add->setToolTip(m_add->isEnabled() ? QString() : tr("No connected account takes SSH keys yet."));
    const bool isFile = row && row->hasPrivateHalf() && !row->file->isOnSecurityKey();
    const bool hasAgent = !m_available->agentSocket().isEmpty();
    m_addToAgent->setEnabled(isFile && hasAgent && row->agentBlob.isEmpty());
    m_removeFromAgent->setEnabled(row && !row->agentBlob.isEmpty());
    m_changePassphrase->setEnabled(isFile);
    m_convert->setEnabled(isFile && row->file->form == KeyFile::Form::Pem);
}

void KeysPage::fillRegisterMenu()
{
    QMenu *menu = m_register->menu();
    menu->clear();
    const KeysModel::Row *row = currentRow();
    if (!row)
        return;
    QStringList missing;
    for (const AccountHub::Entry &entry : accountsWithKeys()) {
        const bool there = std::ranges::any_of(row->registrations, [&](const KeysModel::Registration &one) {
            return one.accountId == entry.account.id;
        });
        QAction *action = menu->addAction(there ? tr("%1 (already registered)").arg(entry.account.name) : entry.account.name);
        action->setEnabled(!there);
        if (!there)
            missing.append(entry.account.id);
        connect(action, &QAction::triggered, this, [this, id = entry.account.id, name = row->name, line = row->line] {
            registerKey({id}, name, line);
        });
    }
    if (missing.size() > 1) {
        menu->addSeparator();
        menu->addAction(tr("All of these"), this, [this, missing, name = row->name, line = row->line] { registerKey(missing, name, line); });
    }
    if (menu->isEmpty())
        menu->addAction(tr("No connected account takes SSH keys"))->setEnabled(false);
}

// Agents that are known to be there. None is contacted until it is chosen.
void KeysPage::fillAgentMenu()
{
    m_agents->clear();
    auto *group = new QActionGroup(m_agents);
    const QList<AgentPlace> known = knownAgents();
    for (const AgentPlace &place : known) {
        const QString name = place.isFromEnvironment ? tr("%1 (SSH_AUTH_SOCK)").arg(place.name) : place.name;
        QAction *action = m_agents->addAction(name, this, [this, place] {
            if (const Done kept = m_logins->setAgentSocket(place.isFromEnvironment ? QString() : place.socket); !kept)
                tellTrouble(tr("The choice could not be kept"), kept.error());
            m_available->setAgentSocket(place.socket);
        });
        action->setToolTip(place.socket);
        action->setCheckable(true);
        action->setChecked(place.socket == m_available->agentSocket());
        group->addAction(action);
    }
    if (known.isEmpty())
        m_agents->addAction(tr("No ssh-agent was found"))->setEnabled(false);
}

} // namespace Sandpiper

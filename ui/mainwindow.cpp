#include "ui/mainwindow.h"

#include "ui/accountdialog.h"
#include "session/background.h"
#include "session/ownhosts.h"
#include "session/providers/sshhosts.h"
#include "ui/forwardpanel.h"
#include "ui/helpdialogs.h"
#include "ui/hostcommands.h"
#include "ui/hostkeyspage.h"
#include "ui/keyspage.h"
#include "ui/logindialog.h"
#include "ui/logdrawer.h"
#include "ui/portline.h"
#include "ui/portofferbar.h"
#include "ui/portwords.h"
#include "ui/preferencesdialog.h"
#include "ui/publicportline.h"
#include "ui/runcommandwindow.h"
#include "ui/sandboxpanel.h"
#include "ui/transferpanel.h"
#include "ui/welcomepage.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDesktopServices>
#include <QLabel>
#include <QMenuBar>
#include <QSplitter>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

MainWindow::MainWindow(const Parts &parts, QWidget *parent)
    : QMainWindow(parent)
    , m_parts(parts)
    , m_actions(new Actions(this))
    , m_model(new SandboxModel(parts.registry, parts.hub, parts.annotations, this))
    , m_commands(new SandboxCommands(parts.registry, parts.hub, m_model, parts.preferences, this))
    , m_hosts(new HostCommands(parts.ownHosts, m_commands, this))
    , m_tools(new SandboxTools({parts.hub, m_actions, this, parts.sshFiles, parts.around, parts.signIn, {}}, this))
{
    setObjectName(u"mainWindow"_s);
    setWindowTitle(u"Sandpiper"_s);
    setWindowIcon(applicationIcon());
    layOut();
    connectActions();
    connectWorkspace();
    connect(parts.preferences, &Preferences::changed, this, &MainWindow::settingChanged);
    connect(parts.theme, &ThemeController::changed, this, &MainWindow::applyTerminalOptions);
    connect(parts.keychain, &Keychain::persistenceChanged, this, &MainWindow::tellOfKeychain);
    applyTerminalOptions();
    m_workspace->setCloseChoices(parts.preferences->closeChoices());
    restoreGeometryState();
    updateTabActions();
}

MainWindow::~MainWindow() = default;

void MainWindow::layOut()
{
    m_actions->fillMenuBar(menuBar());
    m_actions->install(this, ActionContext::Anywhere);

    m_sidebar = new SandboxPanel({m_parts.registry, m_parts.hub, m_model, m_commands, m_hosts, m_parts.preferences, m_actions, m_tools, m_parts.annotations,
                                  m_parts.features}, this);
    m_workspace = new Workspace(m_parts.workspace, this);
    m_workspace->setObjectName(u"workspace"_s);
    m_workspace->setActions(m_actions);
    auto *welcome = new WelcomePage(m_commands, m_parts.hub, m_parts.registry, m_actions);
    m_workspace->showWelcome(welcome);
    connect(welcome, &WelcomePage::accountWanted, this, [this] { showAccountDialog({}); });

    m_pages = new QStackedWidget(this);
    m_pages->addWidget(m_workspace);
    m_down = new QSplitter(Qt::Vertical, this);
    m_down->addWidget(m_pages);
    layOutDrawer();
    m_down->addWidget(m_drawer);
    m_down->setStretchFactor(0, 1);
    m_down->setStretchFactor(1, 0);
    m_down->setCollapsible(0, false);
    m_down->setCollapsible(1, false);
    m_across = new QSplitter(Qt::Horizontal, this);
    m_across->addWidget(m_sidebar);
    m_across->addWidget(m_down);
    m_across->setStretchFactor(0, 0);
    m_across->setStretchFactor(1, 1);
    m_across->setCollapsible(0, false);
    m_across->setCollapsible(1, false);
    setCentralWidget(m_across);

    m_status = new QLabel(this);
    m_status->setObjectName(u"statusText"_s);
    m_status->setForegroundRole(QPalette::PlaceholderText);
    m_status->setTextFormat(Qt::PlainText);
    m_hint = new QLabel(this);
    m_hint->setForegroundRole(QPalette::PlaceholderText);
    m_hint->setText(tr("%1  commands").arg(m_actions->action(ActionId::CommandPalette)->shortcut().toString(QKeySequence::NativeText)));
    for (QLabel *label : {m_status, m_hint}) {
        QFont font = label->font();
        font.setPixelSize(font.pixelSize() - 1);
        label->setFont(font);
        label->setContentsMargins(10, 2, 10, 2);
    }
    statusBar()->setSizeGripEnabled(false);
    statusBar()->addWidget(m_status, 1);
    if (m_parts.offers)
        layOutPorts();
    if (m_transfers) {
        auto *summary = new TransferSummary(m_parts.workspace.files.transfers, this);
        statusBar()->addPermanentWidget(summary);
        connect(summary, &TransferSummary::clicked, m_actions->action(ActionId::ToggleTransfers), &QAction::trigger);
    }
    if (m_forwards) {
        auto *summary = new ForwardSummary(m_parts.forwards, this);
        statusBar()->addPermanentWidget(summary);
        connect(summary, &ForwardSummary::clicked, m_actions->action(ActionId::ToggleForwards), &QAction::trigger);
        connect(m_sidebar, &SandboxPanel::forwardWanted, this, [this](const Sandbox &sandbox) { m_forwards->addForward(sandbox.id); });
    }
    statusBar()->addPermanentWidget(m_hint);

    m_palette = new CommandPalette(this);
    connect(m_palette, &CommandPalette::chosen, this, [this](const QString &key) {
        QVariantMap use = m_parts.preferences->value(Setting::PaletteUse).toMap();
        if (use.size() > 300)
            use.clear();
        use.insert(key, use.value(key).toInt() + 1);
        m_parts.preferences->set(Setting::PaletteUse, use);
    });
    connect(m_sidebar, &SandboxPanel::keysWanted, this, &MainWindow::showKeys);
    connect(m_sidebar, &SandboxPanel::leaveWanted, this, &MainWindow::leaveSidebar);
    connect(m_sidebar, &SandboxPanel::secretWanted, this, &MainWindow::showAccountDialog);
    connect(m_sidebar, &SandboxPanel::logInAsWanted, this, &MainWindow::askLogin);
    connect(m_sidebar, &SandboxPanel::openWithWanted, m_workspace, &Workspace::openTerminalWith);
    connect(m_sidebar, &SandboxPanel::filesWanted, this, [this](const Sandbox &sandbox) {
        m_pages->setCurrentWidget(m_workspace);
        m_workspace->openFiles(sandbox);
    });
    connect(m_sidebar, &SandboxPanel::uploadWanted, this, [this](const CarriedFiles &files, const Sandbox &sandbox) { m_workspace->sendFiles(files, sandbox, {}); });
    connect(m_workspace, &Workspace::terminalHereWanted, this, [this](const Sandbox &sandbox, const ShellSpec &spec) {
        if (const std::optional<ShellRoute> route = m_commands->routeFor(sandbox))
            m_workspace->openTerminal(sandbox, *route, spec);
    });
    connect(m_sidebar, &SandboxPanel::openTmuxWanted, this, [this](const Sandbox &sandbox) {
        ShellSpec spec;
        spec.command = tmuxArgv().first();
        spec.arguments = tmuxArgv().sliced(1);
        m_pages->setCurrentWidget(m_workspace);
        m_workspace->openTerminal(sandbox, ShellRoute::Ssh, spec);
    });
    connect(m_sidebar, &SandboxPanel::runWanted, this,
            [this](const QList<Sandbox> &sandboxes) { (new RunCommandWindow(sandboxes, m_parts.makeCommand, this))->show(); });
}

void MainWindow::layOutDrawer()
{
    m_drawer = new QStackedWidget(this);
    m_drawer->hide();
    m_log = new LogDrawer(this);
    m_drawer->addWidget(m_log);
    connect(m_log, &LogDrawer::closeWanted, m_actions->action(ActionId::ToggleLog), &QAction::trigger);
    QAction *forwards = m_actions->action(ActionId::ToggleForwards);
    forwards->setEnabled(m_parts.forwards);
    if (m_parts.forwards) {
        ForwardPanel::Parts parts;
        parts.forwards = m_parts.forwards;
        parts.registry = m_parts.registry;
        parts.current = [this] {
            const std::optional<Sandbox> sandbox = m_sidebar->currentSandbox();
            return sandbox ? sandbox->id : m_workspace->currentSandbox();
        };
        if (m_parts.radar)
            parts.ports = [radar = m_parts.radar](const SandboxId &sandbox) { return radar->ports(sandbox); };
        m_forwards = new ForwardPanel(parts, this);
        auto *open = new PublicPortLine(m_parts.registry, m_forwards);
        m_forwards->addLine(open);
        connect(open, &PublicPortLine::failed, this, &MainWindow::tell);
        m_drawer->addWidget(m_forwards);
        connect(m_forwards, &ForwardPanel::closeWanted, forwards, &QAction::trigger);
    }
    QAction *toggle = m_actions->action(ActionId::ToggleTransfers);
    TransferQueue *queue = m_parts.workspace.files.transfers;
    toggle->setEnabled(queue);
    if (!queue)
        return;
    m_transfers = new TransferPanel(queue, this);
    m_drawer->addWidget(m_transfers);
    connect(m_transfers, &TransferPanel::closeWanted, toggle, &QAction::trigger);
    // The first that its user begins shows where they are listed; what an earlier start left is in the status bar.
    connect(queue, &TransferQueue::loaded, this, [this, queue, toggle] {
        connect(
                queue, &TransferQueue::added, this,
                [this, toggle] {
                    if (!m_drawer->isVisible())
                        toggle->setChecked(true);
                },
                Qt::SingleShotConnection);
    });
}

// What is found is offered in the status bar, and listed under the forwards.
void MainWindow::layOutPorts()
{
    PortOffers *offers = m_parts.offers;
    auto *bar = new PortOfferBar(offers, this);
    // It comes and goes, and no terminal may have a line less for it.
    statusBar()->setMinimumHeight(qMax(statusBar()->sizeHint().height(), bar->sizeHint().height()));
    statusBar()->addPermanentWidget(bar);
    m_ports = new PortLine(offers, [this] {
        const SandboxId shown = m_workspace->currentSandbox();
        const std::optional<Sandbox> chosen = shown.isEmpty() ? m_sidebar->currentSandbox() : std::nullopt;
        return chosen ? chosen->id : shown;
    }, m_forwards);
    m_forwards->addLine(m_ports);
    connect(m_workspace, &Workspace::currentChanged, m_ports, &PortLine::refresh);
    connect(m_workspace, &Workspace::terminalUsed, m_parts.radar, &PortRadar::noteUse);
    connect(m_workspace, &Workspace::localUrlPrinted, m_parts.radar, &PortRadar::notePrinted);
    connect(offers, &PortOffers::openWanted, this, [](const QUrl &url) { QDesktopServices::openUrl(url); });
    connect(offers, &PortOffers::moved, this,
            [this](const PortOffer &offer, quint16 here) { m_sidebar->notices()->tell(NoticeBar::Tone::Info, movedText(offer, here)); });
    connect(offers, &PortOffers::failed, this, [this](const PortOffer &offer, const Error &error) { tell(unreachableText(offer, error)); });
}

// One page at a time, of one height.
void MainWindow::showInDrawer(QWidget *page, ActionId id, bool shown)
{
    if (!shown) {
        if (m_drawer->currentWidget() == page)
            m_drawer->hide();
        return;
    }
    const int height = m_drawer->isVisible() ? m_drawer->height() : m_parts.preferences->number(Setting::LogDrawerHeight);
    m_drawer->setCurrentWidget(page);
    m_drawer->show();
    for (const ActionId other : {ActionId::ToggleLog, ActionId::ToggleTransfers, ActionId::ToggleForwards})
        m_actions->action(other)->setChecked(other == id);
    m_down->setSizes({qMax(1, m_down->height() - height), height});
}

void MainWindow::connectActions()
{
    const Actions &a = *m_actions;
    Workspace *w = m_workspace;
    const auto on = [&](ActionId id, auto run) { connect(a[id], &QAction::triggered, this, run); };
    const std::pair<ActionId, void (Workspace::*)()> simple[] = {
        {ActionId::NewTab, &Workspace::newTerminal},
        {ActionId::NewTabWith, &Workspace::newTerminalWith},
        {ActionId::CloseTab, &Workspace::closeTab},
        {ActionId::ReopenTab, &Workspace::reopenClosedTab},
        {ActionId::RenameTab, &Workspace::renameTab},
        {ActionId::EndShell, &Workspace::endShell},
        {ActionId::NextTab, &Workspace::nextTab},
        {ActionId::PreviousTab, &Workspace::previousTab},
        {ActionId::MoveTabLeft, &Workspace::moveTabLeft},
        {ActionId::MoveTabRight, &Workspace::moveTabRight},
        {ActionId::LastTab, &Workspace::selectLastTab},
        {ActionId::RetryNow, &Workspace::retryNow},
        {ActionId::FocusBanner, &Workspace::focusBanner},
        {ActionId::Copy, &Workspace::copy},
        {ActionId::Paste, &Workspace::paste},
        {ActionId::SelectAll, &Workspace::selectAll},
        {ActionId::Find, &Workspace::find},
        {ActionId::ClearScrollback, &Workspace::clearScrollback},
        {ActionId::ResetTerminal, &Workspace::resetTerminal},
        {ActionId::ZoomIn, &Workspace::zoomIn},
        {ActionId::ZoomOut, &Workspace::zoomOut},
        {ActionId::ZoomReset, &Workspace::zoomReset},
    };
    for (const auto &[id, slot] : simple)
        connect(a[id], &QAction::triggered, w, slot);
    for (int tab = 0; tab < 8; ++tab)
        on(ActionId(int(ActionId::Tab1) + tab), [w, tab] { w->selectTab(tab); });
    connect(a[ActionId::ReadOnly], &QAction::toggled, w, &Workspace::setReadOnly);

    on(ActionId::AddAccount, [this] { showAccountDialog({}); });
    on(ActionId::NewHost, [this] { m_hosts->enter(); });
    on(ActionId::QuickConnect, [this] { showQuickConnect({}); });
    on(ActionId::ImportHosts, [this] { m_hosts->import(); });
    on(ActionId::KeepHost, [this] { m_hosts->keep(m_workspace->currentSandbox()); });
    on(ActionId::ManageKeys, [this] { showKeys(); });
    on(ActionId::ManageHostKeys, [this] { showHostKeys({}); });
    on(ActionId::Preferences, [this] { (new PreferencesDialog(m_parts.preferences, this))->show(); });
    on(ActionId::Quit, [this] { close(); });
    on(ActionId::CommandPalette, [this] { showPalette(); });
    on(ActionId::QuickOpen, [this] { showQuickOpen(); });
    on(ActionId::FocusSidebar, [this] {
        m_actions->action(ActionId::ToggleSidebar)->setChecked(true);
        m_sidebar->focusTree();
    });
    on(ActionId::Shortcuts, [this] { showShortcuts(*m_actions, this); });
    on(ActionId::About, [this] { showAbout(this); });
    connect(a[ActionId::ToggleSidebar], &QAction::toggled, this, [this](bool shown) {
        m_sidebar->setVisible(shown);
        m_parts.preferences->set(Setting::SidebarVisible, shown);
        if (!shown)
            leaveSidebar();
    });
    connect(a[ActionId::ToggleLog], &QAction::toggled, this, [this](bool shown) { showInDrawer(m_log, ActionId::ToggleLog, shown); });
    connect(a[ActionId::ToggleTransfers], &QAction::toggled, this, [this](bool shown) { showInDrawer(m_transfers, ActionId::ToggleTransfers, shown); });
    connect(a[ActionId::ToggleForwards], &QAction::toggled, this, [this](bool shown) { showInDrawer(m_forwards, ActionId::ToggleForwards, shown); });
    connect(a[ActionId::FullScreen], &QAction::toggled, this, [this](bool full) {
        setWindowState(full ? windowState() | Qt::WindowFullScreen : windowState() & ~Qt::WindowFullScreen);
        menuBar()->setVisible(!full);
        statusBar()->setVisible(!full);
    });
}

void MainWindow::connectWorkspace()
{
    Workspace *w = m_workspace;
    m_model->setShellCounter([w](const SandboxId &id) { return w->shellCount(id); });
    connect(w, &Workspace::openShellsChanged, m_model, &SandboxModel::shellsChanged);
    connect(w, &Workspace::currentChanged, this, &MainWindow::updateTabActions);
    connect(w, &Workspace::openShellsChanged, this, &MainWindow::updateTabActions);
    connect(w, &Workspace::titleChanged, this, &MainWindow::updateTitle);
    connect(w, &Workspace::statusTextChanged, m_status, &QLabel::setText);
    connect(w, &Workspace::closeChoicesChanged, m_parts.preferences, &Preferences::setCloseChoices);
    connect(w, &Workspace::quitAgreed, this, [this] {
        m_mayClose = true;
        close();
    });
    connect(w, &Workspace::newTerminalWanted, this, [this] {
        if (const std::optional<Sandbox> sandbox = m_sidebar->currentSandbox())
            m_commands->open(*sandbox);
        else
            showQuickOpen();
    });
    connect(w, &Workspace::linkActivated, this, [](const QUrl &url) { QDesktopServices::openUrl(url); });
    connect(w, &Workspace::stepWanted, this, &MainWindow::takeStep);
    connect(m_commands, &SandboxCommands::openWanted, this, [this](const Sandbox &sandbox, ShellRoute route) {
        m_pages->setCurrentWidget(m_workspace);
        m_workspace->openTerminal(sandbox, route);
    });
}

void MainWindow::settingChanged(Setting setting)
{
    const SettingRow &row = settingRow(setting);
    if (setting == Setting::Theme)
        m_parts.theme->setChoice(m_parts.preferences->themeChoice());
    else if (setting == Setting::InterfaceFontSize)
        m_parts.theme->setFontPixelSize(m_parts.preferences->number(setting));
    else if (row.page == SettingPage::Terminal || row.page == SettingPage::Clipboard)
        applyTerminalOptions();
    else if (setting == Setting::PortRadar && m_parts.radar)
        m_parts.radar->setOn(m_parts.preferences->isOn(setting));
    else if (row.page == SettingPage::Closing)
        m_workspace->setCloseChoices(m_parts.preferences->closeChoices());
}

void MainWindow::applyTerminalOptions()
{
    m_workspace->setTerminalOptions(m_parts.preferences->terminalOptions());
}

void MainWindow::updateTabActions()
{
    const Actions &a = *m_actions;
    const bool any = m_workspace->tabCount() > 0;
    const bool isTerminal = any && !m_workspace->currentBrowser();
    for (const ActionId id : {ActionId::EndShell, ActionId::Copy, ActionId::Paste, ActionId::SelectAll, ActionId::Find, ActionId::ClearScrollback,
                              ActionId::ResetTerminal, ActionId::ReadOnly, ActionId::ZoomIn, ActionId::ZoomOut, ActionId::ZoomReset})
        a[id]->setEnabled(isTerminal);
    for (const ActionRow &row : actionRows()) {
        if (row.context == ActionContext::Files && !m_workspace->currentBrowser())
            a[row.id]->setEnabled(false);
    }
    for (const ActionId id : {ActionId::CloseTab, ActionId::RenameTab, ActionId::RetryNow, ActionId::MoveTabLeft, ActionId::MoveTabRight,
                              ActionId::NextTab, ActionId::PreviousTab})
        a[id]->setEnabled(any);
    a[ActionId::KeepHost]->setEnabled(any && quickDestination(m_workspace->currentSandbox()).has_value());
    a[ActionId::ReopenTab]->setEnabled(m_workspace->canReopen());
    const QSignalBlocker quiet(a[ActionId::ReadOnly]);
    a[ActionId::ReadOnly]->setChecked(any && m_workspace->isReadOnly());
    if (!any)
        updateTitle({});
}

void MainWindow::updateTitle(const QString &title)
{
    setWindowTitle(title.isEmpty() ? u"Sandpiper"_s : title + u" — Sandpiper"_s);
}

QList<PaletteEntry> MainWindow::actionEntries() const
{
    QList<PaletteEntry> entries;
    for (const ActionRow &row : actionRows()) {
        QAction *action = m_actions->action(row.id);
        if (!action->isEnabled() || row.id == ActionId::CommandPalette)
            continue;
        entries.append({QLatin1StringView(row.name), Actions::plainText(action), {},
                        action->shortcut().toString(QKeySequence::NativeText), row.icon ? icon(*row.icon) : QIcon(),
                        [action] { action->trigger(); }});
    }
    return entries;
}

QList<PaletteEntry> MainWindow::sandboxEntries() const
{
    QList<PaletteEntry> entries;
    for (const AccountHub::Entry &entry : m_parts.hub->entries()) {
        const SandboxRegistry::AccountView *view = m_parts.registry->view(entry.account.id);
        if (!view)
            continue;
        const bool areHosts = entry.account.vendor == sshVendorId();
        for (const Sandbox &sandbox : view->sandboxes) {
            entries.append({u"go "_s + sandbox.id.toString(), sandbox.displayName(),
                            areHosts ? entry.account.name + u" · "_s + sandbox.note : entry.account.name, {},
                            icon(IconName::Terminal), [this, sandbox] { m_commands->open(sandbox); }});
        }
    }
    return entries;
}

void MainWindow::popupPalette(const QList<PaletteEntry> &entries, const QString &placeholder)
{
    QHash<QString, int> use;
    const QVariantMap kept = m_parts.preferences->value(Setting::PaletteUse).toMap();
    for (auto it = kept.cbegin(); it != kept.cend(); ++it)
        use.insert(it.key(), it.value().toInt());
    m_palette->popup(entries, use, placeholder);
}

void MainWindow::showPalette()
{
    m_palette->setTypedEntry([this](const QString &text) { return m_hosts->entryFor(text, HostCommands::Expected::Anything); });
    popupPalette(actionEntries() + sandboxEntries(), tr("A command or a sandbox"));
}

void MainWindow::showQuickOpen()
{
    m_palette->setTypedEntry([this](const QString &text) { return m_hosts->entryFor(text, HostCommands::Expected::Anything); });
    popupPalette(sandboxEntries(), tr("Go to a sandbox, or user@host"));
}

void MainWindow::showQuickConnect(const QString &text)
{
    m_palette->setTypedEntry([this](const QString &typed) { return m_hosts->entryFor(typed, HostCommands::Expected::Destination); });
    popupPalette({}, tr("user@host:port, or ssh://…"));
    m_palette->setText(text);
}

void MainWindow::showKeys()
{
    if (!m_keys) {
        m_keys = new KeysPage(m_parts.registry, m_parts.hub, m_parts.keys, m_parts.logins, this);
        m_pages->addWidget(m_keys);
        connect(m_keys, &KeysPage::closeWanted, this, &MainWindow::leaveSidebar);
    }
    m_keys->refresh();
    m_pages->setCurrentWidget(m_keys);
}

void MainWindow::showHostKeys(const QString &filter)
{
    if (!m_hostKeys) {
        m_hostKeys = new HostKeysPage(m_parts.hostKeys, this);
        m_pages->addWidget(m_hostKeys);
        connect(m_hostKeys, &HostKeysPage::closeWanted, this, &MainWindow::leaveSidebar);
    }
    m_hostKeys->refresh();
    m_pages->setCurrentWidget(m_hostKeys);
    m_hostKeys->showOnly(filter);
}

// Those of one machine; under which name they are known may stand in the user's ssh_config.
void MainWindow::reviewHostKeys(const SandboxId &id, const std::optional<Sandbox> &sandbox)
{
    if (!sandbox || !sandbox->ssh || sandbox->ssh->alias.isEmpty())
        return showHostKeys(sandbox ? hostKeyFilterFor(*sandbox) : id.toString());
    inBackground(this, [machine = *sandbox] { return hostKeyFilterFor(machine, SshConfig::defaultSources()); },
                 [this](const QString &filter) { showHostKeys(filter); });
}

// What helps against the error that a tab shows.
void MainWindow::takeStep(BannerAction step, const SandboxId &id)
{
    const std::optional<Sandbox> sandbox = m_parts.registry->sandbox(id);
    switch (step) {
    case BannerAction::RegisterKey:
        return showKeys();
    case BannerAction::ChooseKey:
        if (sandbox)
            askLogin(*sandbox);
        return;
    case BannerAction::ReviewHostKey:
        return reviewHostKeys(id, sandbox);
    case BannerAction::CreateSandbox:
        return m_sidebar->showCreateDialog(id.account);
    case BannerAction::RefreshList:
        if (const AccountHub::Entry *entry = m_parts.hub->entry(id.account); entry && entry->state == AccountHub::State::Connected)
            m_parts.registry->refresh(id.account);
        else
            m_parts.hub->retry(id.account);
        return;
    case BannerAction::SignInAgain:
        // Only the keys of these are ours to ask for; of the others the sidebar says what they lack.
        if (const AccountHub::Entry *entry = m_parts.hub->entry(id.account);
            entry && !entry->account.fromEnvironment && id.account != m_parts.hub->localId() && entry->account.vendor != sshVendorId())
            showAccountDialog(id.account);
        else
            showInSidebar({});
        return;
    case BannerAction::RetryNow:
    case BannerAction::Stop:
    case BannerAction::Resume:
    case BannerAction::StartNew:
    case BannerAction::Restart:
    case BannerAction::ResumeSandbox:
    case BannerAction::StartSandbox:
    case BannerAction::Close:
    case BannerAction::Dismiss:
        return; // the pane's own
    }
}

void MainWindow::askLogin(const Sandbox &sandbox)
{
    (new LoginDialog(sandbox, m_parts.logins, m_parts.keys, this))->open();
}

void MainWindow::showAccountDialog(const QString &existing)
{
    (new AccountDialog(m_parts.hub, vendors(), existing, this))->open();
}

void MainWindow::leaveSidebar()
{
    m_pages->setCurrentWidget(m_workspace);
    m_workspace->focusTerminal();
}

void MainWindow::appendLog(const QString &line)
{
    m_log->append(line);
}

void MainWindow::tell(const QString &text)
{
    m_sidebar->notices()->tell(NoticeBar::Tone::Trouble, text);
}

void MainWindow::tellOfKeychain(Keychain::Persistence persistence)
{
    if (persistence != Keychain::Persistence::ThisRunOnly || m_parts.preferences->isOn(Setting::KeychainNoticeShown))
        return;
    m_parts.preferences->set(Setting::KeychainNoticeShown, true);
    m_sidebar->notices()->tell(NoticeBar::Tone::Info,
                               tr("This computer has no keychain. Keys of accounts and the way back into shells at a vendor last until you quit."));
}

void MainWindow::raiseToFront()
{
    setWindowState(windowState() & ~Qt::WindowMinimized);
    show();
    raise();
    activateWindow();
}

void MainWindow::showInSidebar(const QString &text)
{
    if (text.startsWith("ssh://"_L1, Qt::CaseInsensitive))
        return showQuickConnect(tamed(text, 400));
    m_actions->action(ActionId::ToggleSidebar)->setChecked(true);
    m_sidebar->filterFor(tamed(text, 100));
}

void MainWindow::restoreGeometryState()
{
    Preferences *p = m_parts.preferences;
    if (!restoreGeometry(p->value(Setting::WindowGeometry).toByteArray()))
        resize(1180, 760);
    const int width = qBound(200, p->number(Setting::SidebarWidth), 600);
    m_across->setSizes({width, qMax(400, this->width() - width)});
    QAction *sidebar = m_actions->action(ActionId::ToggleSidebar);
    const bool shown = p->isOn(Setting::SidebarVisible);
    const QSignalBlocker quiet(sidebar);
    sidebar->setChecked(shown);
    m_sidebar->setVisible(shown);
}

void MainWindow::saveGeometryState()
{
    Preferences *p = m_parts.preferences;
    p->set(Setting::WindowGeometry, saveGeometry());
    if (m_sidebar->isVisible())
        p->set(Setting::SidebarWidth, m_across->sizes().value(0));
    if (m_drawer->isVisible())
        p->set(Setting::LogDrawerHeight, m_down->sizes().value(1));
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    if (!m_mayClose) {
        event->ignore();
        m_workspace->askToQuit();
        return;
    }
    saveGeometryState();
    if (const Done saved = m_workspace->saveState(); !saved)
        qWarning("%s", qPrintable(describe(saved.error())));
    event->accept();
    QApplication::quit();
}

void MainWindow::changeEvent(QEvent *event)
{
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::WindowStateChange || event->type() == QEvent::ActivationChange) {
        m_parts.registry->setVisible(!isMinimized());
        if (m_parts.radar)
            m_parts.radar->setVisible(!isMinimized());
    }
}

void MainWindow::keyPressEvent(QKeyEvent *event)
{
    // Only what no focused widget wanted comes here, so F1 stays the shell's in a terminal.
    if (event->key() == Qt::Key_F1 && event->modifiers() == Qt::NoModifier) {
        showShortcuts(*m_actions, this);
        return;
    }
    QMainWindow::keyPressEvent(event);
}

} // namespace Sandpiper

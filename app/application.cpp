#include "app/application.h"

#include "session/commandroute.h"
#include "session/errortext.h"
#include "session/forwardways.h"
#include "session/gatewayprovider.h"
#include "session/localtokens.h"
#include "session/paths.h"
#include "session/providers/factory.h"
#include "session/providers/sshhosts.h"
#include "session/portowner.h"
#include "session/runafter.h"
#include "session/sshlink.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/vendorfilesystem.h"
#include "ui/forwardwords.h"
#include "ui/staging.h"

#include <QApplication>
#include <QDir>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QRandomGenerator>
#include <QTimer>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

static Q_LOGGING_CATEGORY(lcApp, "sandpiper.app", QtInfoMsg)

QString Application::startProblem()
{
    for (const QString &folder : {configFolder(), stateFolder(), runtimeFolder()}) {
        if (folder.isEmpty())
            return QCoreApplication::translate("Application", "Sandpiper cannot make its folders in your home folder. Is the disk full, or the home folder not yours to write?");
    }
    return {};
}

Application::Application(LogSetup *log, QObject *parent)
    : QObject(parent)
    , m_keychain(withLocalTokens(makeSystemKeychain()))
    , m_networkStore(std::make_unique<NetworkStore>(configFolder() + u"/network.json"_s, m_keychain.get()))
    , m_preferences(std::make_unique<Preferences>(configFolder() + u"/preferences.ini"_s, m_networkStore.get()))
    , m_theme(std::make_unique<ThemeController>())
    , m_network(std::make_unique<NetworkWatch>())
    , m_accounts(std::make_unique<AccountStore>(configFolder() + u"/accounts.json"_s))
    , m_ownHosts(std::make_unique<OwnHosts>(configFolder() + u"/hosts.json"_s))
    , m_annotations(std::make_unique<Annotations>(configFolder() + u"/annotations.json"_s))
    , m_registry(std::make_unique<SandboxRegistry>())
    , m_logins(std::make_unique<LoginStore>(configFolder() + u"/logins.json"_s))
    , m_features(std::make_unique<FeatureStore>(featuresFile()))
    , m_links(std::make_unique<ReadyLinks>())
{
    m_keys = std::make_unique<AvailableKeys>(QDir::homePath() + u"/.ssh"_s, m_logins->agentToAsk());
    m_theme->setFontPixelSize(m_preferences->number(Setting::InterfaceFontSize));
    m_theme->setChoice(m_preferences->themeChoice());
    m_hub = std::make_unique<AccountHub>(hubServices());

    TransferQueue::Services transfers;
    transfers.makeLink = [this](const SandboxId &id, QObject *context, auto then) { makeTransferLink(id, context, std::move(then)); };
    transfers.openFiles = [this](const SandboxId &id, QObject *context, auto then) { openTransferFiles(id, context, std::move(then)); };
    transfers.journalFile = stateFolder() + u"/transfers.sqlite"_s;
    transfers.random = [] { return QRandomGenerator::global()->generateDouble(); };
    m_transfers = std::make_unique<TransferQueue>(transfers);

    FileEdits::Services edits;
    edits.folder = stateFolder() + u"/edits"_s;
    edits.standing = [this](const SandboxId &id) { return fileServices(id); };
    edits.registry = m_registry.get();
    m_edits = std::make_unique<FileEdits>(edits);

    m_forwardWishes = std::make_unique<ForwardWishes>(configFolder() + u"/forwards.json"_s);
    ForwardManager::Services forwards;
    forwards.registry = m_registry.get();
    forwards.standing = [this](const SandboxId &id, ForwardWay way) { return forwardServices(id, way); };
    m_forwards = std::make_unique<ForwardManager>(m_forwardWishes.get(), forwards);
    m_forwardTellers = std::make_unique<ForwardTellers>(m_forwards.get(), runningForwardsFolder());

    watchPorts();

    MainWindow::Parts parts;
    parts.forwards = m_forwards.get();
    parts.radar = m_radar.get();
    parts.offers = m_offers.get();
    parts.registry = m_registry.get();
    parts.hub = m_hub.get();
    parts.keychain = m_keychain.get();
    parts.preferences = m_preferences.get();
    parts.theme = m_theme.get();
    parts.ownHosts = m_ownHosts.get();
    parts.annotations = m_annotations.get();
    parts.hostKeys = HostKeyPlaces::ofThisComputer();
    parts.sshFiles = defaultSshConfigFiles();
    parts.around = toolSurroundings();
    parts.makeCommand = [this](const Sandbox &sandbox, const CommandSpec &spec) {
        return makeRemoteCommand(sandbox, m_registry->provider(sandbox.id.account), m_prompts.get(), spec, signInTo(sandbox.id));
    };
    parts.keys = m_keys.get();
    parts.logins = m_logins.get();
    parts.features = m_features.get();
    parts.signIn = [this](const SandboxId &id) { return signInTo(id); };
    parts.workspace.shellServices = [this](const SandboxId &id) { return shellServices(id); };
    parts.workspace.files.standing = [this](const SandboxId &id) { return fileServices(id); };
    parts.workspace.files.registry = m_registry.get();
    parts.workspace.files.transfers = m_transfers.get();
    parts.workspace.files.edits = m_edits.get();
    parts.workspace.files.choices = [this] { return m_preferences->fileChoices(); };
    parts.workspace.files.command = [this, make = parts.makeCommand](const SandboxId &id, const CommandSpec &spec) -> Result<std::unique_ptr<RemoteCommand>> {
        const std::optional<Sandbox> sandbox = m_registry->sandbox(id);
        if (!sandbox)
            return failure(ErrorKind::NotFound, Layer::Provider, {}, id.id);
        return make(*sandbox, spec);
    };
    parts.workspace.files.stagingFolder = stateFolder() + u"/dragged"_s;
    Staging::clean(parts.workspace.files.stagingFolder);
    parts.workspace.files.placesFile = stateFolder() + u"/file_places.json"_s;
    parts.workspace.reach = [this](const SandboxId &id, const QUrl &url) { return m_offers->reach(id, url); };
    parts.workspace.registry = m_registry.get();
    parts.workspace.keychain = m_keychain.get();
    parts.workspace.tabsFile = stateFolder() + u"/tabs.json"_s;
    parts.workspace.launchesFile = configFolder() + u"/launches.json"_s;
    m_window = std::make_unique<MainWindow>(parts);
    m_presenter = std::make_unique<PromptPresenter>(m_window.get());
    m_prompts = std::make_unique<RememberedPassphrases>(m_presenter.get(), m_keychain.get());
    connect(m_presenter.get(), &PromptPresenter::hostKeysWanted, m_window.get(), &MainWindow::showHostKeys);
    m_notifier = std::make_unique<Notifier>(m_window.get());
    m_notifier->setEnabled(m_preferences->isOn(Setting::Notify));

    connect(m_networkStore.get(), &NetworkStore::passwordNotKept, m_window.get(), [this](const Error &error) {
        m_window->tell(tr("The password of the proxy lasts only until you quit: %1").arg(errorText(error).sentence));
    });
    watchEdits();
    for (const auto news : {&SandboxRegistry::accountChanged, &SandboxRegistry::sandboxesChanged})
        connect(m_registry.get(), news, m_annotations.get(), [this](const QString &accountId) { tellAnnotations(accountId); });
    watchForwards();
    connect(m_network.get(), &NetworkWatch::changed, m_registry.get(), &SandboxRegistry::networkChanged);
    connect(log, &LogSetup::lineLogged, m_window.get(), &MainWindow::appendLog);
    connect(m_window->workspace(), &Workspace::noteworthy, m_notifier.get(), &Notifier::notify);
    connect(m_notifier.get(), &Notifier::activated, m_window.get(), &MainWindow::raiseToFront);
    connect(m_preferences.get(), &Preferences::changed, m_notifier.get(), [this](Setting setting) {
        if (setting == Setting::Notify)
            m_notifier->setEnabled(m_preferences->isOn(setting));
    });
}

Application::~Application()
{
    // Shells of the window ask through the prompts; they go first.
    m_window.reset();
    m_offers.reset();
    m_forwarder.reset();
    m_forwards.reset();
    m_edits.reset();
    m_transfers.reset();
}

// What is said of sandboxes that are gone is forgotten in time; a list with something missing says nothing of that.
void Application::tellAnnotations(const QString &accountId)
{
    const SandboxRegistry::AccountView *view = m_registry->view(accountId);
    if (view && view->state == SandboxRegistry::AccountState::Ready && view->remark.isEmpty())
        m_annotations->listed(view->account.vendor, accountId, [this](const SandboxId &id) { return m_registry->sandbox(id).has_value(); });
}

// It may be that no browser is open, after a restart say.
void Application::watchEdits()
{
    connect(m_edits.get(), &FileEdits::changed, m_window.get(), [this](const QString &id) {
        const EditSession *session = m_edits->session(id);
        if (!session || session->status().state != EditState::Conflict)
            return;
        const QString name = tamed(session->record().path.shown().section(u'/', -1), 100);
        const QString text = tr("You saved “%1” here, and it has changed on “%2” as well. It waits for you under the files.").arg(name, tamed(session->record().sandboxName, 60));
        m_window->tell(text);
        m_notifier->notify(tr("A file that you edit has changed"), text);
    });
}

// Nobody has to look at the drawer to learn that something is not reachable any more.
void Application::watchForwards()
{
    connect(m_forwards.get(), &ForwardManager::died, m_window.get(), [this](const QString &id, const Error &error) {
        const std::optional<ForwardWish> wish = m_forwardWishes->wish(id);
        if (!wish)
            return;
        const QString text = tr("%1: %2").arg(forwardWords(wish->spec, wish->sandboxName), errorText(error).sentence);
        m_window->tell(text);
        m_notifier->notify(tr("A forward has ended"), text);
    });
}

// Looks over the connections of terminals and forwards, and makes none.
void Application::watchPorts()
{
    PortRadar::Services radar;
    radar.command = [this](const SandboxId &id, const CommandSpec &spec) { return m_links->makeCommand(id, spec); };
    radar.registry = m_registry.get();
    radar.after = runAfter;
    radar.now = [] { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()); };
    m_radar = std::make_unique<PortRadar>(radar);
    m_radar->setOn(m_preferences->isOn(Setting::PortRadar));
    connect(m_links.get(), &ReadyLinks::changed, m_radar.get(), [this](const SandboxId &id) { m_radar->setReachable(id, m_links->has(id)); });

    PortForwarder::Services forwarder;
    forwarder.after = runAfter;
    forwarder.freePort = [](quint16 from) { return freePortFrom(from); };
    m_forwarder = std::make_unique<PortForwarder>(m_forwards.get(), forwarder);
    m_ignoredPorts = std::make_unique<IgnoredPorts>(stateFolder() + u"/ignored_ports.json"_s);
    m_offers = std::make_unique<PortOffers>(PortOffers::Parts{m_radar.get(), m_forwarder.get(), m_forwards.get(), m_ignoredPorts.get(), m_registry.get()});
}

AccountHub::Services Application::hubServices()
{
    AccountHub::Services services;
    services.store = m_accounts.get();
    services.keychain = m_keychain.get();
    services.registry = m_registry.get();
    services.makeProvider = [](const Account &account, std::shared_ptr<Secret> secret) {
        return makeProvider(account, std::move(secret));
    };
    services.makeLocalProvider = makeGatewayProvider;
    services.findGateway = findGateway;
    services.ensureGateway = ensureGateway;
    services.environmentAccounts = accountsFromEnvironment();
    services.environmentSecret = [](const Account &account) {
        const Result<std::shared_ptr<Secret>> secret = readEnvironmentSecret(account);
        return secret ? *secret : std::shared_ptr<Secret>();
    };
    services.fixedAccounts = {{sshHostsAccount(), [this] {
                                   return std::make_unique<SshHostsProvider>(SshConfig::defaultSources(), m_ownHosts.get());
                               }}};
    services.localAccount = thisComputerAccount();
    return services;
}

StandingShell::Services Application::shellServices(const SandboxId &id)
{
    StandingShell::Services services;
    services.provider = m_registry->provider(id.account);
    services.keychain = m_keychain.get();
    services.network = m_network.get();
    services.makeSshShell = [this](const Sandbox &sandbox, const ShellSpec &spec) -> std::unique_ptr<Shell> {
        return sandbox.ssh ? makeOwnSshShell(sandbox, spec) : nullptr;
    };
    services.random = [] { return QRandomGenerator::global()->generateDouble(); };
    services.after = runAfter;
    return services;
}

StandingFiles::Services Application::fileServices(const SandboxId &id)
{
    StandingFiles::Services services;
    services.provider = m_registry->provider(id.account);
    services.network = m_network.get();
    services.open = [this](const Sandbox &sandbox) { return openFiles(sandbox); };
    services.random = [] { return QRandomGenerator::global()->generateDouble(); };
    services.after = runAfter;
    return services;
}

StandingForwards::Services Application::forwardServices(const SandboxId &id, ForwardWay way)
{
    StandingForwards::Services services;
    services.provider = m_registry->provider(id.account);
    services.network = m_network.get();
    services.makeLink = [this, way, provider = services.provider](const Sandbox &sandbox) {
        return makeForwardLink({provider, [this](const Sandbox &found) { return lentOptions(found, signInTo(found.id)); }, m_prompts.get(), [this](const SandboxId &of) { return m_features->of(of); }},
                               way, sandbox);
    };
    services.random = [] { return QRandomGenerator::global()->generateDouble(); };
    services.after = runAfter;
    return services;
}

Result<std::unique_ptr<SshLink>> Application::filesLink(const Sandbox &sandbox)
{
    const SignIn signIn = signInTo(sandbox.id);
    if (signIn.choice.withoutSftp)
        return failure(ErrorKind::Unsupported, Layer::Sftp, u"SFTP is switched off for it in “Log in as…”"_s, sandbox.displayName());
    if (!sandbox.ssh)
        return failure(ErrorKind::Unsupported, Layer::Sftp, sandbox.capabilities.reasonAgainst(Capability::Sftp), sandbox.displayName());
    return std::make_unique<SshLink>(linkOptions(sandbox, signIn), m_prompts.get());
}

Result<OpenedFiles> Application::openFiles(const Sandbox &sandbox)
{
    OpenedFiles opened;
    SandboxProvider *provider = m_registry->provider(sandbox.id.account);
    if (std::unique_ptr<VendorFiles> files = !sandbox.ssh && provider ? provider->makeFiles(sandbox) : nullptr) {
        opened.files = std::make_unique<VendorFileSystem>(std::move(files), sandbox.displayName());
        return opened;
    }
    Result<std::unique_ptr<SshLink>> link = filesLink(sandbox);
    if (!link)
        return std::unexpected(link.error());
    opened.link = std::move(*link);
    opened.files = std::make_unique<SftpFileSystem>(opened.link.get(), sandbox.displayName());
    return opened;
}

void Application::whenItRuns(const SandboxId &id, QObject *context, std::function<void(const Result<Sandbox> &)> then)
{
    SandboxProvider *provider = m_registry->provider(id.account);
    // The account of a transfer that an earlier start has left may come in a moment.
    auto found = provider ? provider->find(id.id) : QtFuture::makeReadyValueFuture(Result<Sandbox>(failure(ErrorKind::ConnectionLost, Layer::Provider)));
    found.then(context, [then = std::move(then)](const Result<Sandbox> &sandbox) {
        const bool sleeps = sandbox && (sandbox->state == SandboxState::Suspended || sandbox->state == SandboxState::Terminated);
        then(sleeps ? Result<Sandbox>(failure(ErrorKind::SandboxNotRunning, Layer::SandboxState, sandbox->stateText, sandbox->displayName())) : sandbox);
    });
}

void Application::openTransferFiles(const SandboxId &id, QObject *context, std::function<void(Result<OpenedFiles>)> then)
{
    whenItRuns(id, context, [this, then = std::move(then)](const Result<Sandbox> &sandbox) { then(sandbox ? openFiles(*sandbox) : Result<OpenedFiles>(std::unexpected(sandbox.error()))); });
}

void Application::makeTransferLink(const SandboxId &id, QObject *context, std::function<void(Result<std::unique_ptr<SshLink>>)> then)
{
    whenItRuns(id, context, [this, then = std::move(then)](const Result<Sandbox> &sandbox) { then(sandbox ? filesLink(*sandbox) : Result<std::unique_ptr<SshLink>>(std::unexpected(sandbox.error()))); });
}

std::unique_ptr<Shell> Application::makeOwnSshShell(const Sandbox &sandbox, const ShellSpec &spec)
{
    const SignIn signIn = signInTo(sandbox.id);
    ShellSpec wanted = spec;
    if (!signIn.choice.term.isEmpty() && wanted.term == ShellSpec().term) // what was said for this one tab goes first
        wanted.term = signIn.choice.term;
    return makeSshShell(lentOptions(sandbox, signIn), wanted, m_prompts.get());
}

LinkOptions Application::linkOptions(const Sandbox &sandbox, const SignIn &signIn) const
{
    LinkOptions options = linkOptionsFor(sandbox, signIn);
    options.features = m_features.get();
    return options;
}

LinkOptions Application::lentOptions(const Sandbox &sandbox, const SignIn &signIn) const
{
    LinkOptions options = linkOptions(sandbox, signIn);
    options.lends = m_links.get();
    return options;
}

SignIn Application::signInTo(const SandboxId &id) const
{
    const SandboxRegistry::AccountView *view = m_registry->view(id.account);
    return {m_logins->of(id), view ? matchingKey(view->keys, m_keys->usable()) : QString(), m_logins->agentSocket()};
}

void Application::start()
{
    m_window->show();
    // The first frame is painted before anything is read that may take its time.
    QTimer::singleShot(0, this, &Application::afterShown);
}

void Application::serve(const QStringList &arguments, const QString &activationToken)
{
    if (!activationToken.isEmpty())
        qputenv("XDG_ACTIVATION_TOKEN", activationToken.toUtf8());
    m_window->raiseToFront();
    if (!arguments.isEmpty())
        m_window->showInSidebar(arguments.first());
}

void Application::afterShown()
{
    if (const std::optional<Error> error = m_accounts->loadError())
        m_window->tell(tr("The list of accounts could not be read: %1").arg(errorText(*error).sentence));
    if (const std::optional<Error> error = m_ownHosts->loadError())
        m_window->tell(tr("The list of your SSH hosts could not be read: %1").arg(errorText(*error).sentence));
    if (const std::optional<Error> error = m_annotations->loadError())
        m_window->tell(tr("Your favourites, labels and notes could not be read: %1").arg(errorText(*error).sentence));
    if (const std::optional<Error> error = m_logins->loadError())
        m_window->tell(tr("How you log in to your sandboxes could not be read: %1").arg(errorText(*error).sentence));
    if (const std::optional<Error> error = m_forwardWishes->loadError())
        m_window->tell(tr("Your forwards could not be read: %1").arg(errorText(*error).sentence));
    if (const std::optional<Error> error = m_networkStore->loadError())
        m_window->tell(tr("The network settings could not be read, so nothing is reached until they are chosen anew in Preferences: %1").arg(errorText(*error).sentence));
    // Nobody is asked for anything by a proxy whose password is not known yet.
    m_networkStore->ready().then(this, [this] { connectAccounts(); });
    m_theme->askDesktop();
    m_keys->refresh();
    qCInfo(lcApp) << "ready";
}

void Application::connectAccounts()
{
    // Sandboxes made on this computer before are a reason to start its gateway; nothing else is.
    const bool hadLocal = m_preferences->isOn(Setting::LocalSandboxesUsed) || QFileInfo::exists(stateFolder() + u"/gateway"_s);
    m_hub->start(hadLocal ? AccountHub::LocalStart::Needed : AccountHub::LocalStart::OnlyIfRunning);
    m_forwards->begin();
    if (m_preferences->isOn(Setting::RestoreTabs)) {
        if (const Done restored = m_window->workspace()->restore(); !restored)
            m_window->tell(tr("The tabs of the last time could not be read: %1").arg(errorText(restored.error()).sentence));
    }
}

} // namespace Sandpiper

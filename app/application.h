// The composition root of the program with a window: the one place that names what implements what.
#pragma once

#include "app/logsetup.h"
#include "session/annotations.h"
#include "session/availablekeys.h"
#include "session/featurestore.h"
#include "session/forwardmanager.h"
#include "session/forwardtellers.h"
#include "session/portoffers.h"
#include "session/readylinks.h"
#include "session/logins.h"
#include "session/networkstore.h"
#include "session/ownhosts.h"
#include "session/rememberedpassphrases.h"
#include "sftp/transferqueue.h"
#include "ui/mainwindow.h"
#include "ui/notifier.h"
#include "ui/promptpresenter.h"

#include <QObject>

#include <memory>

namespace Sandpiper {

class Application : public QObject
{
    Q_OBJECT
public:
    // What went wrong at start is told in the window, or by startProblem() where there cannot be one.
    explicit Application(LogSetup *log, QObject *parent = nullptr);
    ~Application() override;

    // What must be said before a window makes sense; empty: nothing.
    [[nodiscard]] static QString startProblem();
    void start();
    // What a later start was given: raises the window and shows the sandbox named, opening nothing.
    void serve(const QStringList &arguments, const QString &activationToken);
    [[nodiscard]] MainWindow *window() const { return m_window.get(); }
    [[nodiscard]] Preferences *preferences() const { return m_preferences.get(); }
    [[nodiscard]] const SandboxRegistry *registry() const { return m_registry.get(); }

private:
    [[nodiscard]] AccountHub::Services hubServices();
    [[nodiscard]] StandingShell::Services shellServices(const SandboxId &id);
    [[nodiscard]] StandingFiles::Services fileServices(const SandboxId &id);
    [[nodiscard]] StandingForwards::Services forwardServices(const SandboxId &id, ForwardWay way);
    [[nodiscard]] Result<OpenedFiles> openFiles(const Sandbox &sandbox);
    // Of its files; nobody but bulk uses it.
    [[nodiscard]] Result<std::unique_ptr<SshLink>> filesLink(const Sandbox &sandbox);
    void watchEdits();
    void tellAnnotations(const QString &accountId);
    void watchForwards();
    void watchPorts();
    // As it is now. SandboxNotRunning where it sleeps: nobody has asked for waking it.
    void whenItRuns(const SandboxId &id, QObject *context, std::function<void(const Result<Sandbox> &)> then);
    void openTransferFiles(const SandboxId &id, QObject *context, std::function<void(Result<OpenedFiles>)> then);
    void makeTransferLink(const SandboxId &id, QObject *context, std::function<void(Result<std::unique_ptr<SshLink>>)> then);
    // With the user's way to log in there, and the key that is both registered there and here.
    [[nodiscard]] SignIn signInTo(const SandboxId &id) const;
    // How its SSH server is reached; what it can do is remembered.
    [[nodiscard]] LinkOptions linkOptions(const Sandbox &sandbox, const SignIn &signIn) const;
    // The same, for a link whose channels others may borrow.
    [[nodiscard]] LinkOptions lentOptions(const Sandbox &sandbox, const SignIn &signIn) const;
    [[nodiscard]] std::unique_ptr<Shell> makeOwnSshShell(const Sandbox &sandbox, const ShellSpec &spec);
    void afterShown();
    void connectAccounts();

    // In the order they depend on each other.
    std::unique_ptr<Keychain> m_keychain;
    std::unique_ptr<NetworkStore> m_networkStore;
    std::unique_ptr<Preferences> m_preferences;
    std::unique_ptr<ThemeController> m_theme;
    std::unique_ptr<NetworkWatch> m_network;
    std::unique_ptr<AccountStore> m_accounts;
    std::unique_ptr<OwnHosts> m_ownHosts;
    std::unique_ptr<Annotations> m_annotations;
    std::unique_ptr<SandboxRegistry> m_registry;
    std::unique_ptr<LoginStore> m_logins;
    std::unique_ptr<FeatureStore> m_features; // outlives the links, which the window has
    std::unique_ptr<ReadyLinks> m_links; // likewise
    std::unique_ptr<AvailableKeys> m_keys;
    std::unique_ptr<AccountHub> m_hub;
    std::unique_ptr<TransferQueue> m_transfers;
    std::unique_ptr<FileEdits> m_edits;
    std::unique_ptr<ForwardWishes> m_forwardWishes;
    std::unique_ptr<ForwardManager> m_forwards;
    std::unique_ptr<ForwardTellers> m_forwardTellers;
    std::unique_ptr<IgnoredPorts> m_ignoredPorts;
    std::unique_ptr<PortRadar> m_radar;
    std::unique_ptr<PortForwarder> m_forwarder;
    std::unique_ptr<PortOffers> m_offers;
    std::unique_ptr<MainWindow> m_window;
    std::unique_ptr<PromptPresenter> m_presenter;
    std::unique_ptr<RememberedPassphrases> m_prompts; // in front of it
    std::unique_ptr<Notifier> m_notifier;
};

} // namespace Sandpiper

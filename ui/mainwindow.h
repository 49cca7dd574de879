// The frame: sidebar, workspace, log drawer, menus, status bar. It lays out and wires; what things do
// is elsewhere. GUI thread.
#pragma once

#include "session/hostkeylist.h"
#include "ui/actions.h"
#include "ui/commandpalette.h"
#include "ui/preferences.h"
#include "ui/sandboxcommands.h"
#include "ui/sandboxtools.h"
#include "ui/theme.h"
#include "ui/workspace.h"

#include <QMainWindow>

class QLabel;
class QSplitter;
class QStackedWidget;

namespace Sandpiper {

class AvailableKeys;
class FeatureStore;
class HostCommands;
class HostKeysPage;
class KeysPage;
class LoginStore;
class OwnHosts;
class LogDrawer;
class SandboxPanel;
class TransferPanel;
class ForwardManager;
class ForwardPanel;
class PortLine;
class PortOffers;
class PortRadar;
class WelcomePage;

class MainWindow : public QMainWindow
{
    Q_OBJECT
public:
    struct Parts // borrowed; they outlive the window
    {
        SandboxRegistry *registry = nullptr;
        AccountHub *hub = nullptr;
        Keychain *keychain = nullptr;
        Preferences *preferences = nullptr;
        ThemeController *theme = nullptr;
        WorkspaceServices workspace;
        HostKeyPlaces hostKeys = {};
        SshConfigFiles sshFiles = {};
        ToolSurroundings around = {};
        // One command in a sandbox; for "Run command…".
        std::function<Result<std::unique_ptr<RemoteCommand>>(const Sandbox &, const CommandSpec &)> makeCommand = {};
        OwnHosts *ownHosts = nullptr;
        Annotations *annotations = nullptr;
        AvailableKeys *keys = nullptr;
        LoginStore *logins = nullptr;
        std::function<SignIn(const SandboxId &)> signIn = {};
        FeatureStore *features = nullptr;
        ForwardManager *forwards = nullptr; // null: no forwards are kept
        PortRadar *radar = nullptr;         // these two both, and with forwards; or neither
        PortOffers *offers = nullptr;
    };
    explicit MainWindow(const Parts &parts, QWidget *parent = nullptr);
    ~MainWindow() override;

    [[nodiscard]] Workspace *workspace() const { return m_workspace; }
    [[nodiscard]] Actions *actions() const { return m_actions; }
    [[nodiscard]] SandboxCommands *commands() const { return m_commands; }
    [[nodiscard]] SandboxTools *tools() const { return m_tools; }
    void appendLog(const QString &line);
    // For an error that came before there was anything better to show it in.
    void tell(const QString &text);
    void raiseToFront();
    // Filters the sidebar for it, or writes an ssh:// URL into quick connect; what comes from outside
    // only prefills.
    void showInSidebar(const QString &text);
    // The page of host keys, filtered.
    void showHostKeys(const QString &filter);

private:
    void layOut();
    void layOutDrawer();
    void layOutPorts();
    void showInDrawer(QWidget *page, ActionId id, bool shown);
    void connectActions();
    void connectWorkspace();
    void settingChanged(Setting setting);
    void applyTerminalOptions();
    void showPalette();
    void showQuickOpen();
    void showQuickConnect(const QString &text);
    void popupPalette(const QList<PaletteEntry> &entries, const QString &placeholder);
    [[nodiscard]] QList<PaletteEntry> actionEntries() const;
    [[nodiscard]] QList<PaletteEntry> sandboxEntries() const;
    void showKeys();
    void reviewHostKeys(const SandboxId &id, const std::optional<Sandbox> &sandbox);
    void takeStep(BannerAction step, const SandboxId &id);
    void askLogin(const Sandbox &sandbox);
    void showAccountDialog(const QString &existing);
    void leaveSidebar();
    void updateTabActions();
    void updateTitle(const QString &title);
    void tellOfKeychain(Keychain::Persistence persistence);
    void restoreGeometryState();
    void saveGeometryState();
    void closeEvent(QCloseEvent *event) override;
    void changeEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

    Parts m_parts;
    Actions *m_actions;
    SandboxModel *m_model;
    SandboxCommands *m_commands;
    HostCommands *m_hosts;
    SandboxTools *m_tools;
    SandboxPanel *m_sidebar = nullptr;
    Workspace *m_workspace = nullptr;
    KeysPage *m_keys = nullptr; // made when first asked for
    HostKeysPage *m_hostKeys = nullptr; // likewise
    LogDrawer *m_log = nullptr;
    TransferPanel *m_transfers = nullptr; // null: there is no queue
    ForwardPanel *m_forwards = nullptr;   // null: no forwards are kept
    PortLine *m_ports = nullptr;          // null: nobody looks for ports
    CommandPalette *m_palette = nullptr;
    QStackedWidget *m_pages = nullptr;
    QStackedWidget *m_drawer = nullptr; // one of the log, the transfers and the forwards
    QSplitter *m_across = nullptr;
    QSplitter *m_down = nullptr;
    QLabel *m_status = nullptr;
    QLabel *m_hint = nullptr;
    bool m_mayClose = false;
};

} // namespace Sandpiper

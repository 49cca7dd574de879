// The part of the window right of the sidebar: tabs, a terminal in each. GUI thread.
#pragma once

#include "session/keychain.h"
#include "session/sandboxregistry.h"
#include "session/standingshell.h"
#include "terminal/terminalview.h"
#include "ui/bannerface.h"
#include "ui/closepolicy.h"
#include "ui/fileservices.h"

#include <QFuture>
#include <QPointer>
#include <QUrl>
#include <QWidget>

#include <functional>
#include <memory>

namespace Sandpiper {

struct WorkspaceServices
{
    // What a shell of this sandbox needs. Called for each tab, when the sandbox's account is there.
    std::function<StandingShell::Services(const SandboxId &)> shellServices;
    // Names and states as they change. A restored tab whose account is not there yet waits for it.
    QPointer<SandboxRegistry> registry;
    QPointer<Keychain> keychain; // tokens of closed tabs are removed from it when they are forgotten
    QString tabsFile;            // tabs.json in stateFolder(); empty: tabs are not kept
    QString launchesFile;        // launches.json in configFolder(); empty: not kept
    FileServices files;          // of browsers
    // Makes a page of a sandbox's own (see isLocalUrl()) reachable here, and answers with what to open. Unset: such
    // links are opened as they are.
    std::function<QFuture<Result<QUrl>>(const SandboxId &, const QUrl &)> reach;
};

class Actions;
struct CarriedFiles;
class FileBrowser;

class Workspace : public QWidget
{
    Q_OBJECT
public:
    explicit Workspace(WorkspaceServices services, QWidget *parent = nullptr);
    ~Workspace() override; // saves, and lets go of every shell without ending those that live on

    // What is shown while there is no tab. Taken over; an earlier page is deleted.
    void showWelcome(QWidget *page);
    // The menus of a terminal and of a tab are made of them. Borrowed for the life of the workspace.
    void setActions(const Actions *actions);
    void setTerminalOptions(const TerminalOptions &options);
    void setCloseChoices(const CloseChoices &choices);

    [[nodiscard]] int tabCount() const;
    [[nodiscard]] int currentIndex() const; // -1: none, the welcome page is shown
    [[nodiscard]] int shellCount(const SandboxId &sandbox) const; // tabs with a shell that is wanted
    [[nodiscard]] int shellCount() const;
    [[nodiscard]] bool canReopen() const;
    [[nodiscard]] QString currentTitle() const;

    // Brings back the tabs of the last run; once, at start. A damaged file is kept aside and told.
    Done restore();
    // Tabs are written on each change; this writes at once what a change may still owe.
    Done saveState();

    void openTerminal(const Sandbox &sandbox, ShellRoute route);
    void openTerminal(const Sandbox &sandbox, ShellRoute route, const ShellSpec &spec);
    // A tab with the files of this computer beside those of the sandbox. Wakes nothing.
    void openFiles(const Sandbox &sandbox);
    [[nodiscard]] FileBrowser *currentBrowser() const; // null: another kind of tab, or none
    void openTerminalWith(const Sandbox &sandbox); // asks first what to run
    // Files of anywhere into a folder of a sandbox; empty: where a login lands. In the queue, also while the sandbox sleeps.
    void sendFiles(const CarriedFiles &files, const Sandbox &sandbox, const FilePath &folder);
    // Asks where shells are open and the choice says so; quitAgreed() follows at once or later.
    void askToQuit();

    // Slots for the action table; they do nothing where there is nothing to do it to.
    void newTerminal();     // another one like the current tab, else newTerminalWanted()
    void newTerminalWith(); // the same, asking first
    void closeTab();
    void closeTabAt(int index);
    void reopenClosedTab();
    void renameTab();
    void nextTab();
    void previousTab();
    void selectTab(int index);
    void selectLastTab();
    void moveTabLeft();
    void moveTabRight();
    void focusTerminal();
    void focusBanner(); // the buttons above the terminal, where there are any
    void copy();
    void paste();
    void selectAll();
    void find();
    void clearScrollback();
    void resetTerminal();
    void zoomIn();
    void zoomOut();
    void zoomReset();
    void retryNow();
    void endShell();       // ends it there, as against closing the tab
    void setReadOnly(bool readOnly);
    [[nodiscard]] bool isReadOnly() const;
    [[nodiscard]] SandboxId currentSandbox() const; // empty: no tab

signals:
    void openShellsChanged();
    void currentChanged(int index); // also when the last tab went: -1
    void titleChanged(const QString &title); // of the current tab; empty: none
    void statusTextChanged(const QString &text);
    void closeChoicesChanged(const Sandpiper::CloseChoices &choices); // to be kept
    void quitAgreed();
    void newTerminalWanted(); // there is no tab to take the sandbox from
    // Something finished or broke: for Notifier, which is quiet while the window is in front.
    void noteworthy(const QString &title, const QString &text);
    void resumeWanted(const Sandpiper::SandboxId &sandbox); // told before the shell asks for it
    void linkActivated(const QUrl &url); // as it is reached from here
    // Of terminals; see TerminalPane.
    void terminalUsed(const Sandpiper::SandboxId &sandbox);
    void localUrlPrinted(const Sandpiper::SandboxId &sandbox, const QUrl &url);
    // Of a browser's folder.
    void terminalHereWanted(const Sandpiper::Sandbox &sandbox, const Sandpiper::ShellSpec &spec);
    // See TerminalPane::stepWanted().
    void stepWanted(Sandpiper::BannerAction step, const Sandpiper::SandboxId &sandbox);

protected:
    void showEvent(QShowEvent *event) override;

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace Sandpiper

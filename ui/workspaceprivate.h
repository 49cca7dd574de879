// The inside of the workspace; included by its own files only.
#pragma once

#include "ui/actions.h"
#include "ui/launchmemory.h"
#include "ui/tabstore.h"
#include "ui/workspace.h"

#include <QSet>
#include <QThreadPool>
#include <QTimer>

#include <vector>

class QMenu;
class QStackedWidget;

namespace Sandpiper {

struct CarriedFiles;
class CloseQuestionBox;
class FileBrowser;
class TabBar;
class TabStrip;
class TerminalPane;
class WorkspacePage;

class Workspace::Private
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::Workspace)
public:
    Private(Workspace *q, WorkspaceServices given);
    ~Private();

    // Tabs.
    WorkspacePage *addPane(const KeptTab &tab);
    TerminalPane *makeTerminal(const KeptTab &tab);
    FileBrowser *makeBrowser(const KeptTab &tab);
    void connectPane(TerminalPane *pane);
    void openLink(TerminalPane *pane, const QUrl &url);
    void takeDrop(TerminalPane *pane, const CarriedFiles &files, const FilePath &directory);
    void connectPanesOf(const QString &account);
    void refreshSandboxes(const QString &account);
    void startHiddenPanes();
    void askToClose(WorkspacePage *pane);
    void close(WorkspacePage *pane);
    void reopen();
    void moved(int from, int to);
    void showCurrent();
    void updateFace(WorkspacePage *pane);
    void tellCurrent();

    // What the user is asked.
    void ask(const CloseQuestion &question, std::function<void()> then);
    void rename(WorkspacePage *pane);
    void endShell(TerminalPane *pane);
    void openWith(const Sandbox &sandbox);
    void popupMenu(const QList<ActionId> &ids, const QPoint &at);

    // What is written down.
    [[nodiscard]] KeptTabs kept() const;
    void saveSoon(std::chrono::milliseconds delay);
    void saveInBackground();
    void forget(const KeptTab &tab);

    [[nodiscard]] WorkspacePage *current() const;
    [[nodiscard]] TerminalPane *terminal() const; // the current page; null: it is none
    [[nodiscard]] FileBrowser *browser() const;   // likewise
    [[nodiscard]] int indexOf(const WorkspacePage *pane) const;
    [[nodiscard]] Sandbox sandboxOf(const WorkspacePage *pane) const;
    [[nodiscard]] TabBar *bar() const;

    Workspace *q;
    WorkspaceServices services;
    TerminalOptions options;
    CloseChoices choices;
    QPointer<const Actions> actions;
    TabStrip *strip;
    QStackedWidget *stack;
    QPointer<QWidget> welcome;
    QPointer<CloseQuestionBox> asking;
    std::vector<WorkspacePage *> panes; // in the order of the tabs; children of the stack
    QList<KeptTab> closed;             // the latest last
    LaunchMemory launches;
    // Once restored, only the writer thread touches the store: fsync is no work for the GUI thread.
    TabStore store;
    QThreadPool writer;
    QTimer saveTimer;
    QString title;
    QString statusText;
    QSet<qint64> uploads; // transfers of sendFiles()
};

} // namespace Sandpiper

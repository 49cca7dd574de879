// The tabs of the workspace: how they come, go, and are written down.
#include "ui/workspaceprivate.h"

#include "ui/closequestion.h"
#include "ui/filebrowser.h"
#include "ui/tabbar.h"
#include "ui/tabstrip.h"
#include "ui/terminalpane.h"

#include <QLoggingCategory>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

using namespace std::chrono_literals;

Q_LOGGING_CATEGORY(lcWorkspace, "sandpiper.ui.workspace", QtInfoMsg)

constexpr auto atOnce = 0ms;   // after this turn of the event loop: several changes, one file
constexpr auto forHabits = 1s; // which tab is in front: nothing is lost with it

} // namespace

Workspace::Private::Private(Workspace *owner, WorkspaceServices given)
    : q(owner)
    , services(std::move(given))
    , strip(new TabStrip(owner))
    , stack(new QStackedWidget(owner))
    , launches(services.launchesFile)
    , store(services.tabsFile)
{
    writer.setMaxThreadCount(1); // in order
    saveTimer.setSingleShot(true);
    QObject::connect(&saveTimer, &QTimer::timeout, q, [this] { saveInBackground(); });
    auto *column = new QVBoxLayout(q);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(strip);
    column->addWidget(stack, 1);
    strip->hide();

    QObject::connect(bar(), &QTabBar::currentChanged, q, [this] { showCurrent(); });
    QObject::connect(bar(), &QTabBar::tabMoved, q, [this](int from, int to) { moved(from, to); });
    QObject::connect(bar(), &TabBar::closeWanted, q, &Workspace::closeTabAt);
    QObject::connect(bar(), &TabBar::renameWanted, q, [this](int index) { rename(panes.at(size_t(index))); });
    QObject::connect(bar(), &TabBar::menuWanted, q, [this](int index, const QPoint &at) {
        bar()->setCurrentIndex(index);
        using Id = ActionId;
        popupMenu({Id::RenameTab, Id::KeepHost, Id::NewTab, Id::NewTabWith, Id::MoveTabLeft, Id::MoveTabRight,
                   Id::RetryNow, Id::EndShell, Id::CloseTab, Id::ReopenTab}, at);
    });
    QObject::connect(strip, &TabStrip::newWanted, q, &Workspace::newTerminal);
    QObject::connect(strip, &TabStrip::newWithWanted, q, &Workspace::newTerminalWith);
    if (!services.registry)
        return;
    SandboxRegistry *registry = services.registry;
    QObject::connect(registry, &SandboxRegistry::accountAdded, q,
                     [this](const QString &account) { connectPanesOf(account); });
    QObject::connect(registry, &SandboxRegistry::sandboxesChanged, q,
                     [this](const QString &account) { refreshSandboxes(account); });
}

Workspace::Private::~Private()
{
    writer.waitForDone();
    for (WorkspacePage *pane : panes) {
        pane->disconnect(q);
        pane->retire();
    }
}

TabBar *Workspace::Private::bar() const
{
    return strip->bar();
}

WorkspacePage *Workspace::Private::current() const
{
    const int index = bar()->currentIndex();
    return index < 0 || size_t(index) >= panes.size() ? nullptr : panes[size_t(index)];
}

TerminalPane *Workspace::Private::terminal() const
{
    return qobject_cast<TerminalPane *>(current());
}

FileBrowser *Workspace::Private::browser() const
{
    return qobject_cast<FileBrowser *>(current());
}

int Workspace::Private::indexOf(const WorkspacePage *pane) const
{
    const auto it = std::ranges::find(panes, pane);
    return it == panes.end() ? -1 : int(it - panes.begin());
}

WorkspacePage *Workspace::Private::addPane(const KeptTab &tab)
{
    WorkspacePage *pane = tab.files ? static_cast<WorkspacePage *>(makeBrowser(tab)) : makeTerminal(tab);
    QObject::connect(pane, &WorkspacePage::faceChanged, q, [this, pane] { updateFace(pane); });
    QObject::connect(pane, &WorkspacePage::keptChanged, q, [this] { saveSoon(atOnce); });
    QObject::connect(pane, &WorkspacePage::shellsChanged, q, &Workspace::openShellsChanged);
    QObject::connect(pane, &WorkspacePage::closeWanted, q, [this, pane] { askToClose(pane); });
    QObject::connect(pane, &WorkspacePage::noteworthy, q, &Workspace::noteworthy);
    QObject::connect(pane, &WorkspacePage::resumeWanted, q, &Workspace::resumeWanted);
    QObject::connect(pane, &WorkspacePage::stepWanted, q, &Workspace::stepWanted);
    panes.push_back(pane);
    stack->addWidget(pane);
    bar()->addTab(pane->face());
    strip->show();
    strip->arrange();
    if (auto *shown = qobject_cast<TerminalPane *>(pane))
        connectPane(shown);
    return pane;
}

TerminalPane *Workspace::Private::makeTerminal(const KeptTab &tab)
{
    auto *pane = new TerminalPane(tab, options, stack);
    QObject::connect(pane->view(), &TerminalView::linkActivated, q, [this, pane](const QUrl &url) { openLink(pane, url); });
    QObject::connect(pane, &TerminalPane::used, q, [this, pane] { emit q->terminalUsed(pane->sandbox()); });
    QObject::connect(pane, &TerminalPane::localUrlPrinted, q, [this, pane](const QUrl &url) { emit q->localUrlPrinted(pane->sandbox(), url); });
    QObject::connect(pane, &TerminalPane::menuWanted, q, [this](const QPoint &at) {
        using Id = ActionId;
        popupMenu({Id::Copy, Id::Paste, Id::SelectAll, Id::Find, Id::ClearScrollback, Id::ResetTerminal,
                   Id::ReadOnly, Id::ZoomIn, Id::ZoomOut, Id::ZoomReset, Id::EndShell, Id::CloseTab}, at);
    });
    QObject::connect(pane, &TerminalPane::filesDropped, q, [this, pane](const CarriedFiles &files, const FilePath &directory) { takeDrop(pane, files, directory); });
    return pane;
}

FileBrowser *Workspace::Private::makeBrowser(const KeptTab &tab)
{
    auto *browser = new FileBrowser(tab, services.files, actions, stack);
    QObject::connect(browser, &FileBrowser::terminalWanted, q, [this](const Sandbox &sandbox, const FilePath &folder) {
        ShellSpec spec;
        spec.workingDirectory = QString::fromUtf8(folder.bytes());
        emit q->terminalHereWanted(sandbox, spec);
    });
    return browser;
}

void Workspace::Private::connectPane(TerminalPane *pane)
{
    const SandboxId &id = pane->sandbox();
    const SandboxRegistry *registry = services.registry;
    if (pane->isConnected() || !services.shellServices || (registry && !registry->provider(id.account)))
        return;
    const SandboxRegistry::AccountView *view = registry ? registry->view(id.account) : nullptr;
    pane->connectShell(services.shellServices(id), view ? view->account.name : QString());
    if (const auto sandbox = registry ? registry->sandbox(id) : std::nullopt)
        pane->setSandbox(*sandbox);
}

void Workspace::Private::connectPanesOf(const QString &account)
{
    for (WorkspacePage *pane : panes) {
        if (auto *shown = qobject_cast<TerminalPane *>(pane); shown && pane->sandbox().account == account)
            connectPane(shown);
    }
}

void Workspace::Private::refreshSandboxes(const QString &account)
{
    for (WorkspacePage *pane : panes) {
        if (pane->sandbox().account != account)
            continue;
        if (const auto sandbox = services.registry->sandbox(pane->sandbox()))
            pane->setSandbox(*sandbox);
    }
}

void Workspace::Private::startHiddenPanes()
{
    // A page that was never in front has no size, and a shell is not begun without one.
    if (!q->isVisible())
        return;
    for (WorkspacePage *page : panes) {
        auto *pane = qobject_cast<TerminalPane *>(page);
        if (pane && page != current() && pane->view()->gridSize().isEmpty())
            pane->view()->layOutHidden(stack->size());
    }
}

void Workspace::Private::showCurrent()
{
    WorkspacePage *pane = current();
    for (WorkspacePage *other : panes)
        other->setAttended(other == pane);
    if (pane)
        stack->setCurrentWidget(pane);
    else if (welcome)
        stack->setCurrentWidget(welcome);
    strip->setVisible(!panes.empty());
    if (pane)
        pane->focusContent();
    tellCurrent();
    saveSoon(forHabits);
    emit q->currentChanged(bar()->currentIndex());
}

void Workspace::Private::updateFace(WorkspacePage *pane)
{
    const int index = indexOf(pane);
    if (index < 0)
        return;
    bar()->setFace(index, pane->face());
    strip->arrange();
    if (pane == current())
        tellCurrent();
}

void Workspace::Private::tellCurrent()
{
    const WorkspacePage *pane = current();
    const QString newTitle = pane ? oneLine(pane->face()) : QString();
    const QString newStatus = pane ? pane->statusText() : QString();
    if (std::exchange(title, newTitle) != newTitle)
        emit q->titleChanged(newTitle);
    if (std::exchange(statusText, newStatus) != newStatus)
        emit q->statusTextChanged(newStatus);
}

void Workspace::Private::moved(int from, int to)
{
    const auto first = panes.begin();
    if (from < to)
        std::rotate(first + from, first + from + 1, first + to + 1);
    else
        std::rotate(first + to, first + from, first + from + 1);
    saveSoon(atOnce);
}

void Workspace::Private::close(WorkspacePage *pane)
{
    const int index = indexOf(pane);
    if (index < 0)
        return;
    KeptTab tab = pane->kept();
    tab.closedAt = QDateTime::currentDateTimeUtc();
    // Reopening a shell that is over begins a new one.
    if (fateOf(pane->closing()) == ShellFate::Nothing && pane->isConnected()) {
        forget(tab);
        tab.shell.ptySession.clear();
    }
    closed.append(tab);
    while (closed.size() > KeptTabs::maxClosed)
        forget(closed.takeFirst());

    pane->disconnect(q);
    pane->retire();
    panes.erase(panes.begin() + index);
    bar()->removeTab(index);
    strip->arrange();
    stack->removeWidget(pane);
    pane->hide();
    // It may be what asked to be closed, from inside one of its own signals.
    pane->deleteLater();
    showCurrent();
    saveSoon(atOnce);
    emit q->openShellsChanged();
}

void Workspace::Private::reopen()
{
    if (closed.isEmpty())
        return;
    KeptTab tab = closed.takeLast();
    tab.closedAt = {};
    addPane(tab);
    bar()->setCurrentIndex(bar()->count() - 1);
    saveSoon(atOnce);
    emit q->openShellsChanged();
}

void Workspace::Private::forget(const KeptTab &tab)
{
    // A reopened twin may still need the token.
    const auto sameSession = [&tab](const WorkspacePage *pane) {
        return pane->sandbox() == tab.shell.sandbox && pane->kept().shell.ptySession == tab.shell.ptySession;
    };
    if (!services.keychain || tab.shell.ptySession.isEmpty()
        || std::ranges::count_if(panes, sameSession) > (tab.closedAt.isValid() ? 1 : 0))
        return;
    const QFuture<Done> removed = services.keychain->remove(
        u"pty/"_s + tab.shell.sandbox.toString() + u'/' + tab.shell.ptySession);
    Q_UNUSED(removed) // nothing follows from a token that stays: its session is over
}

KeptTabs Workspace::Private::kept() const
{
    KeptTabs tabs;
    for (const WorkspacePage *pane : panes)
        tabs.open.append(pane->kept());
    tabs.current = bar()->currentIndex();
    tabs.closed = closed;
    return tabs;
}

void Workspace::Private::saveSoon(std::chrono::milliseconds delay)
{
    if (!saveTimer.isActive() || saveTimer.remainingTimeAsDuration() > delay)
        saveTimer.start(delay);
}

void Workspace::Private::saveInBackground()
{
    writer.start([this, tabs = kept()] {
        if (const Done done = store.save(tabs); !done)
            qCWarning(lcWorkspace).noquote() << "the tabs could not be kept:" << describe(done.error());
    });
}

} // namespace Sandpiper

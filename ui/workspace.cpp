#include "ui/workspace.h"

#include "ui/closequestion.h"
#include "ui/filebrowser.h"
#include "ui/newterminaldialog.h"
#include "ui/tabbar.h"
#include "ui/tabstrip.h"
#include "ui/terminalpane.h"
#include "ui/workspaceprivate.h"

#include <QInputDialog>
#include <QMenu>
#include <QStackedWidget>

#include <algorithm>

namespace Sandpiper {

Workspace::Workspace(WorkspaceServices services, QWidget *parent)
    : QWidget(parent)
    , d(std::make_unique<Private>(this, std::move(services)))
{
}

Workspace::~Workspace()
{
    (void)saveState(); // told in the log; there is nobody left to ask
}

void Workspace::showWelcome(QWidget *page)
{
    delete d->welcome;
    d->welcome = page;
    if (page)
        d->stack->addWidget(page);
    if (page && d->panes.empty())
        d->stack->setCurrentWidget(page);
}

void Workspace::setActions(const Actions *actions)
{
    d->actions = actions;
}

void Workspace::setTerminalOptions(const TerminalOptions &options)
{
    if (std::exchange(d->options, options) == options)
        return;
    for (WorkspacePage *page : d->panes) {
        if (auto *pane = qobject_cast<TerminalPane *>(page))
            pane->setOptions(options);
    }
}

void Workspace::setCloseChoices(const CloseChoices &choices)
{
    d->choices = choices;
}

int Workspace::tabCount() const
{
    return int(d->panes.size());
}

int Workspace::currentIndex() const
{
    return d->bar()->currentIndex();
}

int Workspace::shellCount(const SandboxId &sandbox) const
{
    return int(std::ranges::count_if(d->panes, [&sandbox](const WorkspacePage *pane) {
        return pane->sandbox() == sandbox && pane->wantsShell();
    }));
}

int Workspace::shellCount() const
{
    return int(std::ranges::count_if(d->panes, &WorkspacePage::wantsShell));
}

bool Workspace::canReopen() const
{
    return !d->closed.isEmpty();
}

QString Workspace::currentTitle() const
{
    return d->title;
}

Done Workspace::restore()
{
    const Result<KeptTabs> tabs = d->store.load();
    if (!tabs)
        return std::unexpected(tabs.error());
    d->closed = tabs->closed;
    for (const KeptTab &tab : tabs->open)
        d->addPane(tab);
    if (tabs->current >= 0)
        d->bar()->setCurrentIndex(tabs->current);
    d->showCurrent();
    d->startHiddenPanes();
    emit openShellsChanged();
    return {};
}

Done Workspace::saveState()
{
    d->saveTimer.stop();
    d->writer.waitForDone();
    return d->store.save(d->kept());
}

void Workspace::openTerminal(const Sandbox &sandbox, ShellRoute route)
{
    openTerminal(sandbox, route, ShellSpec{});
}

void Workspace::openTerminal(const Sandbox &sandbox, ShellRoute route, const ShellSpec &spec)
{
    KeptTab tab;
    tab.shell.sandbox = sandbox.id;
    tab.shell.sandboxName = sandbox.displayName();
    tab.shell.route = route;
    tab.shell.spec = spec;
    WorkspacePage *pane = d->addPane(tab);
    pane->setSandbox(sandbox);
    d->bar()->setCurrentIndex(d->bar()->count() - 1);
    d->showCurrent();
    d->saveSoon(std::chrono::milliseconds(0));
    emit openShellsChanged();
}

void Workspace::openTerminalWith(const Sandbox &sandbox)
{
    d->openWith(sandbox);
}

void Workspace::openFiles(const Sandbox &sandbox)
{
    KeptTab tab;
    tab.shell.sandbox = sandbox.id;
    tab.shell.sandboxName = sandbox.displayName();
    tab.files = KeptFiles{};
    tab.files->sides[1].sandbox = sandbox.id;
    tab.files->sides[1].name = sandbox.displayName();
    d->addPane(tab);
    d->bar()->setCurrentIndex(d->bar()->count() - 1);
    d->showCurrent();
    d->saveSoon(std::chrono::milliseconds(0));
}

FileBrowser *Workspace::currentBrowser() const
{
    return d->browser();
}

void Workspace::askToQuit()
{
    QList<ClosingShell> shells;
    for (const WorkspacePage *pane : d->panes)
        shells.append(pane->closing());
    d->ask(questionForQuit(shells, d->choices, QDateTime::currentDateTime()), [this] { emit quitAgreed(); });
}

void Workspace::newTerminal()
{
    const TerminalPane *pane = d->terminal();
    if (pane)
        openTerminal(d->sandboxOf(pane), pane->kept().shell.route, pane->kept().shell.spec);
    else
        emit newTerminalWanted();
}

SandboxId Workspace::currentSandbox() const
{
    const WorkspacePage *pane = d->current();
    return pane ? pane->sandbox() : SandboxId();
}

void Workspace::newTerminalWith()
{
    if (const TerminalPane *pane = d->terminal())
        d->openWith(d->sandboxOf(pane));
    else
        emit newTerminalWanted();
}

void Workspace::closeTab()
{
    closeTabAt(currentIndex());
}

void Workspace::closeTabAt(int index)
{
    if (index >= 0 && index < tabCount())
        d->askToClose(d->panes[size_t(index)]);
}

void Workspace::reopenClosedTab()
{
    d->reopen();
}

void Workspace::renameTab()
{
    if (WorkspacePage *pane = d->current())
        d->rename(pane);
}

void Workspace::nextTab()
{
    if (tabCount() > 0)
        selectTab((currentIndex() + 1) % tabCount());
}

void Workspace::previousTab()
{
    if (tabCount() > 0)
        selectTab((currentIndex() + tabCount() - 1) % tabCount());
}

void Workspace::selectTab(int index)
{
    if (index >= 0 && index < tabCount())
        d->bar()->setCurrentIndex(index);
}

void Workspace::selectLastTab()
{
    selectTab(tabCount() - 1);
}

void Workspace::moveTabLeft()
{
    if (currentIndex() > 0)
        d->bar()->moveTab(currentIndex(), currentIndex() - 1);
}

void Workspace::moveTabRight()
{
    if (currentIndex() >= 0 && currentIndex() + 1 < tabCount())
        d->bar()->moveTab(currentIndex(), currentIndex() + 1);
}

void Workspace::focusTerminal()
{
    if (WorkspacePage *pane = d->current())
        pane->focusContent();
}

void Workspace::focusBanner()
{
    if (WorkspacePage *pane = d->current())
        pane->focusBanner();
}

void Workspace::copy()
{
    if (const TerminalPane *pane = d->terminal())
        pane->view()->copy();
}

void Workspace::paste()
{
    if (const TerminalPane *pane = d->terminal(); pane && !pane->isReadOnly())
        pane->view()->paste();
}

void Workspace::selectAll()
{
    if (const TerminalPane *pane = d->terminal())
        pane->view()->selectAll();
}

void Workspace::find()
{
    if (TerminalPane *pane = d->terminal())
        pane->find();
}

void Workspace::clearScrollback()
{
    if (const TerminalPane *pane = d->terminal())
        pane->view()->clearScrollback();
}

void Workspace::resetTerminal()
{
    if (const TerminalPane *pane = d->terminal())
        pane->view()->reset();
}

void Workspace::zoomIn()
{
    if (const TerminalPane *pane = d->terminal())
        pane->view()->zoom(1);
}

void Workspace::zoomOut()
{
    if (const TerminalPane *pane = d->terminal())
        pane->view()->zoom(-1);
}

void Workspace::zoomReset()
{
    if (const TerminalPane *pane = d->terminal())
        pane->view()->zoom(0);
}

void Workspace::retryNow()
{
    if (WorkspacePage *pane = d->current())
        pane->retryNow();
}

void Workspace::endShell()
{
    if (TerminalPane *pane = d->terminal())
        d->endShell(pane);
}

void Workspace::setReadOnly(bool readOnly)
{
    if (TerminalPane *pane = d->terminal())
        pane->setReadOnly(readOnly);
}

bool Workspace::isReadOnly() const
{
    const TerminalPane *pane = d->terminal();
    return pane && pane->isReadOnly();
}

void Workspace::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    QMetaObject::invokeMethod(this, [this] { d->startHiddenPanes(); }, Qt::QueuedConnection);
}

// What the user is asked ------------------------------------------------------------------------

void Workspace::Private::ask(const CloseQuestion &question, std::function<void()> then)
{
    if (!question.ask) {
        then();
        return;
    }
    if (asking)
        asking->close(); // the later wish counts
    auto *box = new CloseQuestionBox(question, q->window());
    asking = box;
    QObject::connect(box, &CloseQuestionBox::agreed, q,
                     [this, remembered = question.remembered, then = std::move(then)](bool doNotAskAgain) {
                         if (doNotAskAgain && remembered) {
                             choices.*remembered = false;
                             emit q->closeChoicesChanged(choices);
                         }
                         then();
                     });
    box->open();
}

void Workspace::Private::askToClose(WorkspacePage *pane)
{
    const QPointer<WorkspacePage> still(pane);
    ask(questionForTab(pane->closing(), choices, QDateTime::currentDateTime()), [this, still] {
        if (still)
            close(still);
    });
}

void Workspace::Private::endShell(TerminalPane *pane)
{
    const QPointer<TerminalPane> still(pane);
    ask(questionForEnding(pane->closing(), choices), [still] {
        if (still)
            still->endShell();
    });
}

void Workspace::Private::rename(WorkspacePage *pane)
{
    auto *dialog = new QInputDialog(q->window());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowModality(Qt::WindowModal);
    dialog->setWindowTitle(tr("Rename tab"));
    dialog->setLabelText(tr("Title of this tab (empty: what the shell says)"));
    dialog->setTextValue(pane->kept().title);
    dialog->setOkButtonText(tr("Rename"));
    QObject::connect(dialog, &QInputDialog::textValueSelected, pane, &WorkspacePage::setCustomTitle);
    dialog->open();
}

void Workspace::Private::openWith(const Sandbox &sandbox)
{
    const Launch last = launches.last(sandbox.id).value_or(defaultLaunch(ShellRoute::Pty));
    auto *dialog = new NewTerminalDialog(sandbox, last, q->window());
    QObject::connect(dialog, &NewTerminalDialog::agreed, q, [this, sandbox](const Launch &launch) {
        // A file that cannot be written costs a convenience; the terminal opens all the same.
        (void)launches.remember(sandbox.id, launch);
        q->openTerminal(sandbox, launch.route, launch.spec);
    });
    dialog->open();
}

void Workspace::Private::popupMenu(const QList<ActionId> &ids, const QPoint &at)
{
    if (!actions)
        return;
    auto *menu = new QMenu(q);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const ActionId id : ids) {
        const bool startsGroup = id == ActionId::Find || id == ActionId::ZoomIn || id == ActionId::ReadOnly
            || id == ActionId::EndShell || id == ActionId::MoveTabLeft || id == ActionId::RetryNow;
        if (startsGroup)
            menu->addSeparator();
        menu->addAction(actions->action(id));
    }
    menu->popup(at);
}

Sandbox Workspace::Private::sandboxOf(const WorkspacePage *pane) const
{
    if (const auto known = services.registry ? services.registry->sandbox(pane->sandbox()) : std::nullopt)
        return *known;
    Sandbox sandbox;
    sandbox.id = pane->sandbox();
    sandbox.name = pane->kept().shell.sandboxName;
    return sandbox;
}

} // namespace Sandpiper

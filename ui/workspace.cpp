#include "ui/workspace.h"

#include <QStackedWidget>
#include <QVBoxLayout>

namespace Sandpiper {

class Workspace::Private
{
public:
    WorkspaceServices services;
    TerminalOptions options;
    CloseChoices choices;
    QStackedWidget *stack = nullptr;
    QPointer<QWidget> welcome;
};

Workspace::Workspace(WorkspaceServices services, QWidget *parent)
    : QWidget(parent)
    , d(std::make_unique<Private>())
{
    d->services = std::move(services);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    d->stack = new QStackedWidget(this);
    layout->addWidget(d->stack);
}

Workspace::~Workspace() = default;

void Workspace::showWelcome(QWidget *page)
{
    delete d->welcome;
    d->welcome = page;
    if (page)
        d->stack->addWidget(page);
}

void Workspace::setTerminalOptions(const TerminalOptions &options) { d->options = options; }
void Workspace::setCloseChoices(const CloseChoices &choices) { d->choices = choices; }
int Workspace::tabCount() const { return 0; }
int Workspace::currentIndex() const { return -1; }
int Workspace::shellCount(const SandboxId &) const { return 0; }
int Workspace::shellCount() const { return 0; }
bool Workspace::canReopen() const { return false; }
QString Workspace::currentTitle() const { return {}; }
Done Workspace::restore() { return {}; }
Done Workspace::saveState() { return {}; }
void Workspace::openTerminal(const Sandbox &, ShellRoute) {}
void Workspace::openTerminal(const Sandbox &, ShellRoute, const ShellSpec &) {}
void Workspace::openTerminalWith(const Sandbox &) {}
void Workspace::askToQuit() { emit quitAgreed(); }
void Workspace::newTerminal() { emit newTerminalWanted(); }
void Workspace::newTerminalWith() { emit newTerminalWanted(); }
void Workspace::closeTab() {}
void Workspace::closeTabAt(int) {}
void Workspace::reopenClosedTab() {}
void Workspace::renameTab() {}
void Workspace::nextTab() {}
void Workspace::previousTab() {}
void Workspace::selectTab(int) {}
void Workspace::selectLastTab() {}
void Workspace::moveTabLeft() {}
void Workspace::moveTabRight() {}
void Workspace::focusTerminal() {}
void Workspace::copy() {}
void Workspace::paste() {}
void Workspace::selectAll() {}
void Workspace::find() {}
void Workspace::clearScrollback() {}
void Workspace::resetTerminal() {}
void Workspace::zoomIn() {}
void Workspace::zoomOut() {}
void Workspace::zoomReset() {}
void Workspace::retryNow() {}
void Workspace::endShell() {}
void Workspace::setReadOnly(bool) {}
bool Workspace::isReadOnly() const { return false; }

} // namespace Sandpiper

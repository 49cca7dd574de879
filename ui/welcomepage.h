// What the workspace shows while no tab is open: the two ways to begin, and where one was. GUI thread.
#pragma once

#include "ui/actions.h"
#include "ui/sandboxcommands.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace Sandpiper {

class WelcomePage : public QWidget
{
    Q_OBJECT
public:
    // Borrowed; they outlive it.
    WelcomePage(SandboxCommands *commands, AccountHub *hub, SandboxRegistry *registry, Actions *actions, QWidget *parent = nullptr);

signals:
    void accountWanted();

private:
    void fillRecent();
    void fillFound();
    void createLocal();
    void schedule();
    SandboxCommands *m_commands;
    AccountHub *m_hub;
    QPushButton *m_create;
    QLabel *m_status;
    QLabel *m_found;
    QWidget *m_recentBox;
    QVBoxLayout *m_recent;
    QList<SandboxId> m_shown;
    bool m_scheduled = false;
};

} // namespace Sandpiper

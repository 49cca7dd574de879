// The context menus of the sidebar's rows. GUI thread.
#pragma once

#include "ui/actions.h"
#include "ui/hostcommands.h"
#include "ui/sandboxmodel.h"
#include "ui/sandboxtools.h"

class QMenu;

namespace Sandpiper {

class SandboxMenus : public QObject
{
    Q_OBJECT
public:
    struct Parts // borrowed; they outlive it
    {
        AccountHub *hub = nullptr;
        HostCommands *hosts = nullptr;
        const Actions *actions = nullptr;
        SandboxTools *tools = nullptr;
    };
    explicit SandboxMenus(const Parts &parts, QObject *parent = nullptr);

    // A child of parent, gone when closed. Its actions work on the current row.
    [[nodiscard]] QMenu *makeFor(const QModelIndex &index, QWidget *parent);

signals:
    void createWanted(const QString &accountId);
    void secretWanted(const QString &accountId);
    void removeAccountWanted(const QString &accountId);

private:
    void fillSandboxMenu(QMenu *menu, const Sandbox &sandbox);
    void fillHostMenu(QMenu *menu, const Sandbox &host);
    void fillSeveralMenu(QMenu *menu); // of a head: for all that is under it
    void fillAccountMenu(QMenu *menu, const QString &accountId);
    Parts m_parts;
};

} // namespace Sandpiper

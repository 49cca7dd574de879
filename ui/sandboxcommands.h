// What can be done with sandboxes, from wherever it is asked: sidebar, menus, palette, welcome page.
// GUI thread.
#pragma once

#include "session/standingshell.h"
#include "ui/accounthub.h"
#include "ui/preferences.h"
#include "ui/sandboxmodel.h"

#include <QObject>

namespace Sandpiper {

class SandboxCommands : public QObject
{
    Q_OBJECT
public:
    // All borrowed; they outlive it.
    SandboxCommands(SandboxRegistry *registry, AccountHub *hub, SandboxModel *model, Preferences *preferences,
                    QObject *parent = nullptr);

    // The way it was last opened, else by PTY, else by SSH; none: it has no shell to offer.
    [[nodiscard]] std::optional<ShellRoute> routeFor(const Sandbox &sandbox) const;
    [[nodiscard]] static bool canOpen(const Sandbox &sandbox, ShellRoute route);
    // Sandboxes opened lately and still there, the latest first, at most 8.
    [[nodiscard]] QList<Sandbox> recent() const;
    // "box-3": the first of these that is free in this account.
    [[nodiscard]] QString freeName(const QString &accountId) const;

    void open(const Sandbox &sandbox);
    void open(const Sandbox &sandbox, ShellRoute route);
    enum class Then { Nothing, OpenTerminal };
    void create(const QString &accountId, const CreateRequest &request, Then then);
    void rename(const Sandbox &sandbox, const QString &name);
    void suspend(const Sandbox &sandbox);
    void resume(const Sandbox &sandbox);
    void terminate(const Sandbox &sandbox); // no question: the asking is the caller's

signals:
    void openWanted(const Sandpiper::Sandbox &sandbox, Sandpiper::ShellRoute route);
    void created(const Sandpiper::Sandbox &sandbox);
    // One sentence each, for the notice bar; done() ends what working() began.
    void working(const QString &text);
    void done();
    void failed(const QString &text);

private:
    void createNow(const QString &accountId, const CreateRequest &request, Then then);
    void follow(const Sandbox &sandbox, const QFuture<Done> &answer, const QString &word, const QString &verb);
    void remember(const Sandbox &sandbox, ShellRoute route);
    SandboxRegistry *m_registry;
    AccountHub *m_hub;
    SandboxModel *m_model;
    Preferences *m_preferences;
};

} // namespace Sandpiper

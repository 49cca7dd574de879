#include "ui/sandboxcommands.h"

#include "session/errortext.h"

#include <QFuture>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int recentKept = 8;

QString routeWord(ShellRoute route)
{
    return route == ShellRoute::Ssh ? u"ssh"_s : u"pty"_s;
}

} // namespace

SandboxCommands::SandboxCommands(SandboxRegistry *registry, AccountHub *hub, SandboxModel *model,
                                 Preferences *preferences, QObject *parent)
    : QObject(parent)
    , m_registry(registry)
    , m_hub(hub)
    , m_model(model)
    , m_preferences(preferences)
{
    connect(model, &SandboxModel::renameWanted, this, &SandboxCommands::rename);
}

bool SandboxCommands::canOpen(const Sandbox &sandbox, ShellRoute route)
{
    return sandbox.capabilities.has(route == ShellRoute::Ssh ? Capability::SshShell : Capability::PtyShell);
}

std::optional<ShellRoute> SandboxCommands::routeFor(const Sandbox &sandbox) const
{
    const QVariantMap routes = m_preferences->value(Setting::LastRoutes).toMap();
    const QString last = routes.value(sandbox.id.toString()).toString();
    for (const ShellRoute route : {ShellRoute::Pty, ShellRoute::Ssh}) {
        if (routeWord(route) == last && canOpen(sandbox, route))
            return route;
    }
    for (const ShellRoute route : {ShellRoute::Pty, ShellRoute::Ssh}) {
        if (canOpen(sandbox, route))
            return route;
    }
    return std::nullopt;
}

QList<Sandbox> SandboxCommands::recent() const
{
    QList<Sandbox> found;
    for (const QString &text : m_preferences->value(Setting::RecentSandboxes).toStringList()) {
        const std::optional<SandboxId> id = SandboxId::parse(text);
        if (!id)
            continue;
        if (const std::optional<Sandbox> sandbox = m_registry->sandbox(*id))
            found.append(*sandbox);
    }
    return found;
}

QString SandboxCommands::freeName(const QString &accountId) const
{
    QStringList taken;
    if (const SandboxRegistry::AccountView *view = m_registry->view(accountId)) {
        for (const Sandbox &sandbox : view->sandboxes)
            taken.append(sandbox.name);
    }
    for (int n = 1;; ++n) {
        const QString name = u"box-%1"_s.arg(n);
        if (!taken.contains(name))
            return name;
    }
}

void SandboxCommands::open(const Sandbox &sandbox)
{
    if (const std::optional<ShellRoute> route = routeFor(sandbox)) {
        open(sandbox, *route);
        return;
    }
    QString reason = sandbox.capabilities.reasonAgainst(Capability::PtyShell);
    if (reason.isEmpty())
        reason = sandbox.capabilities.reasonAgainst(Capability::SshShell);
    emit failed(reason.isEmpty() ? tr("%1 offers no terminal.").arg(sandbox.displayName()) : reason);
}

void SandboxCommands::open(const Sandbox &sandbox, ShellRoute route)
{
    remember(sandbox, route);
    emit openWanted(sandbox, route);
}

void SandboxCommands::remember(const Sandbox &sandbox, ShellRoute route)
{
    const QString id = sandbox.id.toString();
    QStringList recentIds = m_preferences->value(Setting::RecentSandboxes).toStringList();
    recentIds.removeAll(id);
    recentIds.prepend(id);
    if (recentIds.size() > recentKept)
        recentIds.resize(recentKept);
    m_preferences->set(Setting::RecentSandboxes, recentIds);
    QVariantMap routes = m_preferences->value(Setting::LastRoutes).toMap();
    // Sandboxes come and go; what is kept of them must not grow for ever.
    if (routes.size() > 500)
        routes.clear();
    routes.insert(id, routeWord(route));
    m_preferences->set(Setting::LastRoutes, routes);
}

void SandboxCommands::create(const QString &accountId, const CreateRequest &request, Then then)
{
    emit working(request.name.isEmpty() ? tr("Creating a sandbox…") : tr("Creating %1…").arg(request.name));
    if (accountId != m_hub->localId()) {
        createNow(accountId, request, then);
        return;
    }
    m_preferences->set(Setting::LocalSandboxesUsed, true);
    m_hub->connectLocal().then(this, [this, accountId, request, then](const Done &ready) {
        if (ready)
            createNow(accountId, request, then);
        else
            emit failed(errorText(ready.error()).sentence);
    });
}

void SandboxCommands::createNow(const QString &accountId, const CreateRequest &request, Then then)
{
    SandboxProvider *provider = m_hub->provider(accountId);
    if (!provider) {
        emit failed(tr("This account is not connected."));
        return;
    }
    provider->create(request).then(this, [this, then](const Result<Sandbox> &made) {
        if (!made) {
            if (made.error().kind != ErrorKind::Cancelled)
                emit failed(errorText(made.error()).sentence);
            return;
        }
        emit done();
        m_registry->put(*made);
        emit created(*made);
        if (then == Then::OpenTerminal)
            open(*made);
    });
}

void SandboxCommands::rename(const Sandbox &sandbox, const QString &name)
{
    SandboxProvider *provider = m_hub->provider(sandbox.id.account);
    if (!provider)
        return;
    m_model->setPending(sandbox.id, tr("Renaming to %1…").arg(name));
    const SandboxId id = sandbox.id;
    provider->rename(id, name).then(this, [this, id](const Result<Sandbox> &renamed) {
        m_model->clearPending(id);
        if (renamed)
            m_registry->put(*renamed);
        else if (renamed.error().kind != ErrorKind::Cancelled)
            emit failed(errorText(renamed.error()).sentence);
    });
}

void SandboxCommands::follow(const Sandbox &sandbox, const QFuture<Done> &answer, const QString &word, const QString &verb)
{
    m_model->setPending(sandbox.id, word);
    const SandboxId id = sandbox.id;
    const QString name = sandbox.displayName();
    QFuture<Done>(answer).then(this, [this, id, name, verb](const Done &taken) {
        m_model->clearPending(id);
        if (taken) {
            m_registry->refresh(id.account);
        } else if (taken.error().kind != ErrorKind::Cancelled) {
            //: %1 is a whole sentence like "Could not suspend box-1."; %2 says why.
            emit failed(tr("%1 %2").arg(verb.arg(name), errorText(taken.error()).sentence));
        }
    });
}

void SandboxCommands::suspend(const Sandbox &sandbox)
{
    if (SandboxProvider *provider = m_hub->provider(sandbox.id.account))
        follow(sandbox, provider->suspend(sandbox.id), tr("Suspending…"), tr("Could not suspend %1."));
}

void SandboxCommands::resume(const Sandbox &sandbox)
{
    if (SandboxProvider *provider = m_hub->provider(sandbox.id.account))
        follow(sandbox, provider->resume(sandbox.id), tr("Resuming…"), tr("Could not resume %1."));
}

void SandboxCommands::terminate(const Sandbox &sandbox)
{
    if (SandboxProvider *provider = m_hub->provider(sandbox.id.account))
        follow(sandbox, provider->terminate(sandbox.id), tr("Terminating…"), tr("Could not terminate %1."));
}

} // namespace Sandpiper

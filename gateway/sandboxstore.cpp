#include "gateway/sandboxstore.h"

#include "gateway/sandboxrecord.h"
#include "gateway/sandboxstore_p.h"

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

std::unexpected<Error> noSuch(const QString &id)
{
    return failure(ErrorKind::NotFound, Layer::SandboxState, u"there is no such sandbox"_s, id);
}

std::unexpected<Error> wrongState(const LocalSandbox &sandbox, const QString &text)
{
    return failure(ErrorKind::Conflict, Layer::SandboxState, text, sandbox.id);
}

std::unexpected<Error> nameTaken(const QString &name)
{
    return failure(ErrorKind::Conflict, Layer::SandboxState,
                   u"another sandbox has the name \"%1\""_s.arg(name), name);
}

} // namespace

SandboxStore::SandboxStore(const Options &options, QObject *parent)
    : QObject(parent), d(std::make_unique<Private>(this, options))
{
}

SandboxStore::~SandboxStore() = default;

QString SandboxStore::unusableBecause() const
{
    return d->m_unusableBecause;
}

QList<LocalSandbox> SandboxStore::all() const
{
    return d->all();
}

std::optional<LocalSandbox> SandboxStore::lookup(const QString &idOrName) const
{
    return d->lookup(idOrName);
}

Result<LocalSandbox> SandboxStore::create(const LocalCreate &wish)
{
    if (!d->m_unusableBecause.isEmpty())
        return failure(ErrorKind::Unsupported, Layer::SandboxState, d->m_unusableBecause);
    if (auto problem = problemWith(wish))
        return std::unexpected(*std::move(problem));
    if (!wish.name.isEmpty() && d->isNameTaken(wish.name, {}))
        return nameTaken(wish.name);
    LocalSandbox sandbox;
    sandbox.id = newSandboxId();
    sandbox.name = wish.name;
    sandbox.image = wish.image;
    sandbox.cpus = wish.cpus;
    sandbox.memoryMiB = wish.memoryMiB;
    sandbox.diskMiB = wish.diskMiB;
    sandbox.timeoutSeconds = wish.timeoutSeconds;
    sandbox.exposedPorts = wish.exposedPorts;
    sandbox.allowUnauthenticated = wish.allowUnauthenticated;
    sandbox.createdAt = d->newCreationTime();
    if (const auto made = d->m_archive.makeFiles(sandbox.id); !made)
        return std::unexpected(made.error());
    if (const auto kept = d->put(sandbox); !kept) {
        d->discardFiles(sandbox.id);
        return std::unexpected(kept.error());
    }
    d->begin(sandbox, Private::Beginning::First);
    return sandbox;
}

Result<LocalSandbox> SandboxStore::rename(const QString &id, const QString &name)
{
    auto sandbox = d->withId(id);
    if (!sandbox)
        return noSuch(id);
    LocalCreate wish;
    wish.name = name;
    if (auto problem = problemWith(wish); problem || name.isEmpty())
        return problem ? std::unexpected(*std::move(problem))
                       : failure(ErrorKind::InvalidInput, Layer::Provider, u"a name cannot be empty"_s);
    if (sandbox->state == LocalState::Terminated)
        return wrongState(*sandbox, u"it is terminated"_s);
    if (d->isNameTaken(name, id))
        return nameTaken(name);
    sandbox->name = name;
    if (const auto kept = d->put(*sandbox); !kept)
        return std::unexpected(kept.error());
    return *sandbox;
}

Result<LocalSandbox> SandboxStore::setExposure(const QString &id, const QList<int> &ports,
                                               bool unauthenticated)
{
    auto sandbox = d->withId(id);
    if (!sandbox)
        return noSuch(id);
    if (auto problem = problemWithPorts(ports))
        return std::unexpected(*std::move(problem));
    if (sandbox->state == LocalState::Terminated)
        return wrongState(*sandbox, u"it is terminated"_s);
    sandbox->exposedPorts = ports;
    sandbox->allowUnauthenticated = unauthenticated;
    if (const auto kept = d->put(*sandbox); !kept)
        return std::unexpected(kept.error());
    return *sandbox;
}

Done SandboxStore::suspend(const QString &id)
{
    const auto sandbox = d->withId(id);
    if (!sandbox)
        return noSuch(id);
    if (sandbox->state != LocalState::Running)
        return wrongState(*sandbox, u"only a running sandbox can be suspended"_s);
    d->move(id, LocalState::Suspending);
    d->freeze(id);
    return {};
}

Done SandboxStore::resume(const QString &id)
{
    const auto sandbox = d->withId(id);
    if (!sandbox)
        return noSuch(id);
    switch (sandbox->state) {
    case LocalState::Pending:
    case LocalState::Running: return {};
    case LocalState::Suspending: return wrongState(*sandbox, u"it is being suspended"_s);
    case LocalState::Terminated: return wrongState(*sandbox, u"it is terminated"_s);
    case LocalState::Suspended: break;
    }
    if (d->m_runs.contains(id)) {
        d->thaw(id);
        return {};
    }
    if (!d->m_unusableBecause.isEmpty())
        return failure(ErrorKind::Unsupported, Layer::SandboxState, d->m_unusableBecause);
    if (const auto made = d->m_archive.makeFiles(id); !made)
        return made;
    d->move(id, LocalState::Pending);
    d->begin(*sandbox, Private::Beginning::Again);
    return {};
}

Done SandboxStore::terminate(const QString &id)
{
    const auto sandbox = d->withId(id);
    if (!sandbox)
        return noSuch(id);
    if (sandbox->state == LocalState::Terminated)
        return {};
    d->terminate(id, u"terminated by its user"_s);
    return {};
}

bool SandboxStore::anyRunning() const
{
    return !d->m_runs.empty();
}

} // namespace Sandpiper

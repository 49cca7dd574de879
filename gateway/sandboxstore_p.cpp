#include "gateway/sandboxstore_p.h"

#include "gateway/agentrequest.h"
#include "gateway/removetree.h"
#include "gateway/sandboxrecord.h"
#include "gateway/systemfolder.h"
#include "session/paths.h"

#include <QLoggingCategory>
#include <QProcess>
#include <QProcessEnvironment>
#include <QStandardPaths>

#include <algorithm>
#include <chrono>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

Q_LOGGING_CATEGORY(lcStore, "sandpiper.gateway.store", QtInfoMsg)

constexpr int probeMilliseconds = 10'000;
constexpr auto freezeDeadline = std::chrono::seconds(20);
constexpr auto informDeadline = std::chrono::milliseconds(300);
constexpr auto idleCheckEvery = std::chrono::seconds(1);
constexpr qsizetype mostTerminated = 200; // records kept of those

bool isGone(const LocalSandbox &sandbox)
{
    return sandbox.state == LocalState::Terminated;
}

} // namespace

SandboxStore::Private::Private(SandboxStore *store, const Options &options)
    : q(store), m_options(options), m_archive(options.folder), m_layout(HostLayout::here())
{
    m_workers.setMaxThreadCount(4);
    m_idleTimer.setInterval(idleCheckEvery);
    QObject::connect(&m_idleTimer, &QTimer::timeout, q, [this] { checkIdle(); });
    const auto prepared = m_archive.prepare().and_then([this] { return makePrivateFolder(m_options.runFolder); })
                                  .and_then([this] { return writeSystemFolder(m_archive.systemFolder(), m_layout); });
    if (!prepared) {
        m_unusableBecause = u"Sandboxes cannot run on this computer, because their folder cannot be used (%1)."_s
                                    .arg(describe(prepared.error()));
        return;
    }
    const QString problem = probe();
    m_isolates = problem.isEmpty();
    if (!m_options.allowWeakIsolation)
        m_unusableBecause = problem;
    load();
}

SandboxStore::Private::~Private()
{
    // All at once first, so that the waits below overlap.
    for (const auto &[id, run] : m_runs) {
        run->disconnect(q);
        run->stopGently();
    }
    m_runs.clear();
    m_workers.waitForDone();
}

QString SandboxStore::Private::probe() const
{
    const QString bwrap = QStandardPaths::findExecutable(u"bwrap"_s);
    if (bwrap.isEmpty())
        return u"Sandboxes cannot run on this computer, because bubblewrap is not installed."_s;
    const QString system = m_archive.systemFolder();
    QProcess process;
    process.setStandardInputFile(QProcess::nullDevice());
    process.setStandardOutputFile(QProcess::nullDevice());
    // The whole command line of a sandbox, with a program that does nothing.
    process.start(bwrap, bubblewrapArguments(bubblewrapFor(system, system)) + QStringList{u"/usr/bin/true"_s});
    // Before anything is served, there is nothing to hold up.
    if (!process.waitForFinished(probeMilliseconds) || process.exitStatus() != QProcess::NormalExit
        || process.exitCode() != 0)
        return bubblewrapProblem(process.readAllStandardError());
    return {};
}

BubblewrapSpec SandboxStore::Private::bubblewrapFor(const QString &home, const QString &workspace) const
{
    return {m_layout, m_archive.systemFolder(), home, workspace, m_options.initProgram};
}

void SandboxStore::Private::load()
{
    for (const QString &folder : m_archive.discarded())
        removeInBackground(folder);
    QList<LocalSandbox> loaded = m_archive.load();
    std::ranges::sort(loaded, std::greater(), [](const LocalSandbox &sandbox) { return sandbox.createdAt; });
    qsizetype terminated = 0;
    for (LocalSandbox &sandbox : loaded) {
        if (isGone(sandbox)) {
            discardFiles(sandbox.id);
            if (++terminated > mostTerminated) {
                m_archive.forget(sandbox.id);
                continue;
            }
        }
        sandbox.isolated = m_isolates;
        m_sandboxes.insert(sandbox.id, sandbox);
    }
    updateIdleTimer();
}

QList<LocalSandbox> SandboxStore::Private::all() const
{
    QList<LocalSandbox> sandboxes;
    {
        const QMutexLocker lock(&m_mutex);
        sandboxes = m_sandboxes.values();
    }
    std::ranges::sort(sandboxes, [](const LocalSandbox &a, const LocalSandbox &b) {
        return isGone(a) != isGone(b) ? isGone(b) : a.createdAt > b.createdAt;
    });
    return sandboxes;
}

std::optional<LocalSandbox> SandboxStore::Private::withId(const QString &id) const
{
    const QMutexLocker lock(&m_mutex);
    const auto found = m_sandboxes.constFind(id);
    return found == m_sandboxes.cend() ? std::nullopt : std::optional(*found);
}

std::optional<LocalSandbox> SandboxStore::Private::lookup(const QString &idOrName) const
{
    if (auto sandbox = withId(idOrName))
        return sandbox;
    const QMutexLocker lock(&m_mutex);
    for (const LocalSandbox &sandbox : m_sandboxes) {
        if (!isGone(sandbox) && !sandbox.name.isEmpty() && sandbox.name == idOrName)
            return sandbox;
    }
    return std::nullopt;
}

bool SandboxStore::Private::isNameTaken(const QString &name, const QString &exceptId) const
{
    const QMutexLocker lock(&m_mutex);
    return std::ranges::any_of(m_sandboxes, [&](const LocalSandbox &sandbox) {
        return !isGone(sandbox) && sandbox.name == name && sandbox.id != exceptId;
    });
}

QDateTime SandboxStore::Private::newCreationTime()
{
    // No two alike, so that "newest first" is an order.
    QDateTime now = QDateTime::currentDateTimeUtc();
    const QMutexLocker lock(&m_mutex);
    for (const LocalSandbox &sandbox : std::as_const(m_sandboxes)) {
        if (sandbox.createdAt >= now)
            now = sandbox.createdAt.addMSecs(1);
    }
    return now;
}

Done SandboxStore::Private::put(const LocalSandbox &sandbox)
{
    if (const auto saved = m_archive.save(sandbox); !saved)
        return saved;
    {
        const QMutexLocker lock(&m_mutex);
        m_sandboxes.insert(sandbox.id, sandbox);
    }
    updateIdleTimer();
    emit q->sandboxChanged(sandbox.id);
    return {};
}

void SandboxStore::Private::move(const QString &id, LocalState state, const QString &reason)
{
    auto sandbox = withId(id);
    if (!sandbox || sandbox->state == state)
        return;
    qCInfo(lcStore) << "Sandbox" << id << "goes from" << int(sandbox->state) << "to" << int(state);
    sandbox->state = state;
    sandbox->terminationReason = reason;
    const auto run = m_runs.find(id);
    sandbox->agent = state == LocalState::Running && run != m_runs.end()
            ? AgentClient(run->second->socketPath())
            : AgentClient();
    if (state == LocalState::Terminated)
        sandbox->terminatedAt = QDateTime::currentDateTimeUtc();
    {
        // What happened has happened, also where it cannot be written down.
        const QMutexLocker lock(&m_mutex);
        m_sandboxes.insert(id, *sandbox);
    }
    if (const auto saved = m_archive.save(*sandbox); !saved)
        qCWarning(lcStore) << "The state of sandbox" << id << "was not written:" << describe(saved.error());
    updateIdleTimer();
    emit q->sandboxChanged(id);
}

SandboxRun::Setup SandboxStore::Private::setupFor(const LocalSandbox &sandbox) const
{
    SandboxRun::Setup setup;
    const QString home = m_archive.home(sandbox.id);
    const QString workspace = m_archive.workspace(sandbox.id);
    setup.socketPath = m_options.runFolder + u'/' + sandbox.id;
    setup.initProgram = m_options.initProgram;
    setup.isolated = m_isolates;
    if (m_isolates) {
        setup.program = QStandardPaths::findExecutable(u"bwrap"_s);
        setup.arguments = bubblewrapArguments(bubblewrapFor(home, workspace)) + QStringList{QString(insideInit)};
        setup.workspace = QString(insideWorkspace);
        return setup;
    }
    const QProcessEnvironment own = QProcessEnvironment::systemEnvironment();
    setup.program = m_options.initProgram;
    setup.workspace = workspace;
    setup.environment = {u"HOME="_s + home, u"SHELL=/bin/bash"_s, u"LANG=C.UTF-8"_s};
    for (const QString &name : {u"PATH"_s, u"USER"_s, u"LOGNAME"_s})
        setup.environment << name + u'=' + own.value(name);
    return setup;
}

void SandboxStore::Private::begin(const LocalSandbox &sandbox, Beginning beginning)
{
    const QString id = sandbox.id;
    auto run = std::make_unique<SandboxRun>(setupFor(sandbox), &m_network, nullptr);
    QObject::connect(run.get(), &SandboxRun::started, q, [this, id, beginning] { began(id, beginning); });
    QObject::connect(run.get(), &SandboxRun::failed, q,
                     [this, id, beginning](const QString &why) { couldNotBegin(id, beginning, why); });
    QObject::connect(run.get(), &SandboxRun::ended, q, [this, id] { processesEnded(id); });
    run->start();
    m_runs.emplace(id, std::move(run));
}

void SandboxStore::Private::began(const QString &id, Beginning beginning)
{
    const auto run = m_runs.find(id);
    auto sandbox = withId(id);
    if (run == m_runs.end() || !sandbox || sandbox->state != LocalState::Pending)
        return;
    sandbox->hasNetwork = run->second->hasNetwork();
    sandbox->networkNote = run->second->networkNote();
    sandbox->isolated = m_isolates;
    sandbox->isolationNote = m_isolates ? QString()
                                        : u"Not isolated: its processes run as you, with your files and "
                                          "your network in reach, because bubblewrap does not work here."_s;
    {
        const QMutexLocker lock(&m_mutex);
        m_sandboxes.insert(id, *sandbox);
    }
    move(id, LocalState::Running);
    if (beginning == Beginning::Again)
        emit q->processesLost(id);
}

void SandboxStore::Private::couldNotBegin(const QString &id, Beginning beginning, const QString &why)
{
    const auto run = m_runs.find(id);
    if (run != m_runs.end()) {
        run->second.release()->deleteLater();
        m_runs.erase(run);
    }
    const auto sandbox = withId(id);
    if (!sandbox)
        return;
    if (isGone(*sandbox)) {
        discardFiles(id);
        return;
    }
    qCWarning(lcStore) << "Sandbox" << id << "did not start:" << why;
    // Files of a new sandbox hold nothing yet; those of an older one are its user's.
    if (beginning == Beginning::First) {
        move(id, LocalState::Terminated, why);
        discardFiles(id);
    } else {
        move(id, LocalState::Suspended, why);
    }
}

void SandboxStore::Private::processesEnded(const QString &id)
{
    const auto run = m_runs.find(id);
    if (run != m_runs.end()) {
        run->second.release()->deleteLater();
        m_runs.erase(run);
    }
    const auto sandbox = withId(id);
    if (!sandbox)
        return;
    if (isGone(*sandbox)) {
        discardFiles(id);
        return;
    }
    qCWarning(lcStore) << "The processes of sandbox" << id << "ended by themselves";
    move(id, LocalState::Suspended, u"its processes ended unexpectedly"_s);
    emit q->processesLost(id);
}

void SandboxStore::Private::terminate(const QString &id, const QString &reason)
{
    move(id, LocalState::Terminated, reason);
    const auto run = m_runs.find(id);
    if (run != m_runs.end())
        run->second->stop(); // its files go when nobody writes there any more
    else
        discardFiles(id);
}

void SandboxStore::Private::freeze(const QString &id)
{
    const QString path = m_runs.at(id)->socketPath();
    m_workers.start([this, id, path] {
        const Done frozen = tellAgent(path, Wire::Operation::Freeze, freezeDeadline);
        QMetaObject::invokeMethod(q, [this, id, frozen] {
            const auto sandbox = withId(id);
            if (!sandbox || sandbox->state != LocalState::Suspending)
                return;
            if (!frozen)
                qCWarning(lcStore) << "Sandbox" << id << "was not suspended:" << describe(frozen.error());
            move(id, frozen ? LocalState::Suspended : LocalState::Running);
        });
    });
}

void SandboxStore::Private::thaw(const QString &id)
{
    const QString path = m_runs.at(id)->socketPath();
    m_workers.start([this, id, path] {
        const Done thawed = tellAgent(path, Wire::Operation::Thaw, freezeDeadline);
        QMetaObject::invokeMethod(q, [this, id, thawed] {
            const auto sandbox = withId(id);
            if (!sandbox || sandbox->state != LocalState::Suspended || !m_runs.contains(id))
                return;
            if (thawed)
                move(id, LocalState::Running);
            else
                qCWarning(lcStore) << "Sandbox" << id << "was not resumed:" << describe(thawed.error());
        });
    });
}

void SandboxStore::Private::discardFiles(const QString &id)
{
    removeInBackground(m_archive.discardFiles(id));
}

void SandboxStore::Private::removeInBackground(const QString &folder)
{
    m_workers.start([folder] {
        if (const auto removed = removeTree(folder); !removed)
            qCWarning(lcStore) << "Files of a terminated sandbox stay behind:" << describe(removed.error());
    });
}

void SandboxStore::Private::updateIdleTimer()
{
    const QMutexLocker lock(&m_mutex);
    const bool any = std::ranges::any_of(std::as_const(m_sandboxes), [](const LocalSandbox &sandbox) {
        return sandbox.state == LocalState::Running && sandbox.timeoutSeconds > 0;
    });
    if (any == m_idleTimer.isActive())
        return;
    if (any)
        m_idleTimer.start();
    else
        m_idleTimer.stop();
}

void SandboxStore::Private::checkIdle()
{
    const QList<LocalSandbox> sandboxes = all();
    for (const LocalSandbox &sandbox : sandboxes) {
        const auto run = m_runs.find(sandbox.id);
        if (sandbox.state != LocalState::Running || sandbox.timeoutSeconds <= 0 || run == m_runs.end())
            continue;
        const auto state = informFromAgent(run->second->socketPath(), informDeadline);
        if (!state || state->idle < std::chrono::seconds(sandbox.timeoutSeconds))
            continue;
        if (sandbox.name.isEmpty()) {
            terminate(sandbox.id, u"not used for %1 s"_s.arg(sandbox.timeoutSeconds));
        } else {
            move(sandbox.id, LocalState::Suspending);
            freeze(sandbox.id);
        }
    }
}

} // namespace Sandpiper

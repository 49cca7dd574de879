#include "session/providers/sshhosts.h"

#include "session/background.h"
#include "session/sshdestination.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QPromise>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(SshHosts)
};

Capabilities hostCapabilities()
{
    Capabilities can;
    for (const Capability one : {Capability::SshShell, Capability::Exec, Capability::Sftp})
        can.allow(one);
    const QString noLife = Words::tr("An SSH host has no life cycle here.");
    for (const Capability one : {Capability::Suspend, Capability::Resume, Capability::Terminate})
        can.refuse(one, noLife);
    can.refuse(Capability::Create, Words::tr("A host is entered, not made: use New SSH host…"));
    can.refuse(Capability::Rename, Words::tr("Change its name where it is written down."));
    can.refuse(Capability::PtyShell, Words::tr("An SSH host is reached by SSH alone."));
    can.refuse(Capability::Reattach, Words::tr("A shell over SSH ends with its connection."));
    can.refuse(Capability::SshKeys, Words::tr("Keys are put into authorized_keys on the host itself."));
    return can;
}

Sandbox hostSandbox(const QString &id, const QString &name, const QString &destination)
{
    Sandbox sandbox;
    sandbox.id = {sshVendorId(), sshHostsAccount().id, id};
    sandbox.name = name;
    sandbox.stateText = Words::tr("SSH host");
    sandbox.note = destination;
    sandbox.capabilities = hostCapabilities();
    return sandbox;
}

std::optional<QString> after(const QString &text, QLatin1StringView prefix)
{
    return text.startsWith(prefix) ? std::optional(text.sliced(prefix.size())) : std::nullopt;
}

constexpr QLatin1StringView aliasPrefix{"alias:"};
constexpr QLatin1StringView ownPrefix{"own:"};
constexpr QLatin1StringView quickPrefix{"to:"};

template <typename T>
QFuture<Result<T>> refused(Capability why)
{
    return QtFuture::makeReadyValueFuture(
            Result<T>(failure(ErrorKind::Unsupported, Layer::Provider, hostCapabilities().reasonAgainst(why))));
}

} // namespace

QString sshVendorId()
{
    return u"ssh"_s;
}

Account sshHostsAccount()
{
    Account account;
    account.id = u"ssh-hosts"_s;
    account.vendor = sshVendorId();
    account.name = Words::tr("SSH hosts");
    return account;
}

Sandbox quickHost(const SshJumpHop &destination)
{
    const QString text = destinationText(destination.user, destination.host, destination.port);
    Sandbox sandbox = hostSandbox(quickPrefix + text, text, text);
    SshEndpoint endpoint;
    endpoint.host = destination.host;
    endpoint.port = destination.port == 0 ? quint16(22) : destination.port;
    endpoint.user = destination.user;
    // What is typed may be a Host of the user's, as it may be for ssh.
    endpoint.alias = destination.host;
    sandbox.ssh = endpoint;
    return sandbox;
}

Sandbox sandboxOf(const OwnHost &host)
{
    Sandbox sandbox = hostSandbox(ownPrefix + host.id, host.name, destinationText(host.user, host.host, host.port));
    SshEndpoint endpoint;
    endpoint.host = host.host;
    endpoint.port = host.port;
    endpoint.user = host.user;
    if (!host.keyFile.isEmpty())
        endpoint.identityFiles = {host.keyFile};
    sandbox.ssh = endpoint;
    return sandbox;
}

QString ownHostId(const SandboxId &id)
{
    return id.vendor == sshVendorId() ? after(id.id, ownPrefix).value_or(QString()) : QString();
}

QString sshConfigPlace(const Sandbox &sandbox)
{
    return sandbox.id.vendor == sshVendorId() ? QString::fromUtf8(sandbox.routeHint) : QString();
}

std::optional<SshJumpHop> quickDestination(const SandboxId &id)
{
    const std::optional<QString> text = id.vendor == sshVendorId() ? after(id.id, quickPrefix) : std::nullopt;
    return text ? sshDestination(*text) : std::nullopt;
}

SshHostsProvider::SshHostsProvider(SshConfig::Sources sources, OwnHosts *own, std::chrono::milliseconds calm, QObject *parent)
    : SandboxProvider(parent)
    , m_sources(std::move(sources))
    , m_own(own)
{
    m_settle.setSingleShot(true);
    m_settle.setInterval(calm);
    const auto settle = [this] {
        if (!m_settle.isActive())
            m_settle.start();
    };
    connect(&m_watcher, &QFileSystemWatcher::fileChanged, this, settle);
    connect(&m_watcher, &QFileSystemWatcher::directoryChanged, this, settle);
    connect(&m_settle, &QTimer::timeout, this, &SandboxProvider::outdated);
    connect(own, &OwnHosts::changed, this, &SandboxProvider::outdated);
}

Capabilities SshHostsProvider::capabilities() const
{
    return hostCapabilities();
}

// An editor replaces a file by another of its name: then the watch is gone with the old one. A file
// that is not there is watched for in the nearest folder that is.
void SshHostsProvider::watch(const HostListing &listing)
{
    QStringList wanted = listing.folders;
    for (const QString &file : listing.files) {
        QFileInfo info(file);
        if (info.exists())
            wanted.append(file);
        while (!info.exists() && !info.isRoot())
            info = QFileInfo(info.absolutePath());
        if (info.isDir())
            wanted.append(info.absoluteFilePath());
    }
    wanted.removeDuplicates();
    const QStringList watched = m_watcher.files() + m_watcher.directories();
    QStringList gone;
    QStringList fresh;
    for (const QString &path : watched) {
        if (!wanted.contains(path))
            gone.append(path);
    }
    for (const QString &path : std::as_const(wanted)) {
        if (!watched.contains(path))
            fresh.append(path);
    }
    if (!gone.isEmpty())
        m_watcher.removePaths(gone);
    if (!fresh.isEmpty())
        m_watcher.addPaths(fresh); // what cannot be watched is seen by its stamp at the next listing
}

QList<Sandbox> SshHostsProvider::sandboxes() const
{
    QList<Sandbox> all;
    all.reserve(m_own->hosts().size() + m_listing.hosts.size());
    for (const OwnHost &host : m_own->hosts())
        all.append(sandboxOf(host));
    for (const ListedHost &host : m_listing.hosts) {
        Sandbox sandbox = hostSandbox(aliasPrefix + host.alias, host.alias, host.destination);
        sandbox.routeHint = host.place.toString().toUtf8();
        SshEndpoint endpoint;
        endpoint.alias = host.alias;
        sandbox.ssh = endpoint;
        all.append(sandbox);
    }
    return all;
}

QFuture<Result<QList<Sandbox>>> SshHostsProvider::list(ListScope)
{
    auto promise = std::make_shared<QPromise<Result<QList<Sandbox>>>>(); // shared with the answer
    promise->start();
    watch(m_listing);
    inBackground(
            this, [sources = m_sources, previous = m_listing] { return listSshHosts(sources, previous); },
            [this, promise](const HostListing &listing) {
                m_listing = listing;
                watch(m_listing);
                emit remarked(m_listing.refusal.isEmpty()
                                      ? QString()
                                      : Words::tr("ssh does not start with this configuration. %1").arg(m_listing.refusal));
                promise->addResult(Result<QList<Sandbox>>(sandboxes()));
                promise->finish();
            });
    return promise->future();
}

QFuture<Result<Sandbox>> SshHostsProvider::find(const QString &idOrName)
{
    const auto answer = [](Result<Sandbox> found) { return QtFuture::makeReadyValueFuture(std::move(found)); };
    if (const std::optional<SshJumpHop> quick = quickDestination({sshVendorId(), {}, idOrName}))
        return answer(quickHost(*quick));
    return list(ListScope::Live).then(this, [idOrName](const Result<QList<Sandbox>> &all) -> Result<Sandbox> {
        for (const Sandbox &sandbox : *all) {
            if (sandbox.id.id == idOrName || sandbox.name == idOrName)
                return sandbox;
        }
        return failure(ErrorKind::NotFound, Layer::Provider, {}, idOrName);
    });
}

QFuture<Result<Sandbox>> SshHostsProvider::create(const CreateRequest &)
{
    return refused<Sandbox>(Capability::Create);
}

QFuture<Result<Sandbox>> SshHostsProvider::rename(const SandboxId &, const QString &)
{
    return refused<Sandbox>(Capability::Rename);
}

QFuture<Done> SshHostsProvider::suspend(const SandboxId &)
{
    return refused<void>(Capability::Suspend);
}

QFuture<Done> SshHostsProvider::resume(const SandboxId &)
{
    return refused<void>(Capability::Resume);
}

QFuture<Done> SshHostsProvider::terminate(const SandboxId &)
{
    return refused<void>(Capability::Terminate);
}

QFuture<Result<QList<SshKey>>> SshHostsProvider::keys()
{
    return refused<QList<SshKey>>(Capability::SshKeys);
}

QFuture<Result<SshKey>> SshHostsProvider::addKey(const QString &, const QByteArray &)
{
    return refused<SshKey>(Capability::SshKeys);
}

QFuture<Done> SshHostsProvider::removeKey(const QString &)
{
    return refused<void>(Capability::SshKeys);
}

QFuture<Result<QList<PtySession>>> SshHostsProvider::ptySessions(const Sandbox &)
{
    return refused<QList<PtySession>>(Capability::PtyShell);
}

QFuture<Result<PtySession>> SshHostsProvider::ptySession(const Sandbox &, const QString &)
{
    return refused<PtySession>(Capability::PtyShell);
}

QFuture<Result<PtyHandle>> SshHostsProvider::createPty(const Sandbox &, const ShellSpec &, TerminalSize)
{
    return refused<PtyHandle>(Capability::PtyShell);
}

QFuture<Done> SshHostsProvider::resizePty(const Sandbox &, const QString &, TerminalSize)
{
    return refused<void>(Capability::PtyShell);
}

QFuture<Done> SshHostsProvider::killPty(const Sandbox &, const QString &)
{
    return refused<void>(Capability::PtyShell);
}

} // namespace Sandpiper

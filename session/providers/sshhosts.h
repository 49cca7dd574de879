// SSH hosts as an account: the aliases of the user's ssh_config, the user's own hosts, and what quick
// connect names. No host is ever contacted from here. GUI thread; files are read on a pool thread.
#pragma once

#include "session/accounts.h"
#include "session/hostlisting.h"
#include "session/ownhosts.h"
#include "session/provider.h"

#include <QFileSystemWatcher>
#include <QTimer>

namespace Sandpiper {

[[nodiscard]] QString sshVendorId();
// Never stored, always the same id.
[[nodiscard]] Account sshHostsAccount();
// A host that is not kept, as user@host:port names it; its id says all of it.
[[nodiscard]] Sandbox quickHost(const SshJumpHop &destination);
[[nodiscard]] Sandbox sandboxOf(const OwnHost &host);
// What an id stands for; nothing where it is of another kind.
[[nodiscard]] QString ownHostId(const SandboxId &id);
// "file:line" of an alias of ssh_config; else empty.
[[nodiscard]] QString sshConfigPlace(const Sandbox &sandbox);
[[nodiscard]] std::optional<SshJumpHop> quickDestination(const SandboxId &id);

class SshHostsProvider : public SandboxProvider
{
    Q_OBJECT
public:
    // own is borrowed and outlives it. outdated() follows each change of a file that was read, of one
    // that was looked for, and of own, at most every `calm`.
    SshHostsProvider(SshConfig::Sources sources, OwnHosts *own,
                     std::chrono::milliseconds calm = std::chrono::milliseconds(200), QObject *parent = nullptr);

    QString vendor() const override { return sshVendorId(); }
    QString accountId() const override { return sshHostsAccount().id; }
    Capabilities capabilities() const override;
    QFuture<Result<QList<Sandbox>>> list(ListScope scope) override;
    QFuture<Result<Sandbox>> find(const QString &idOrName) override;
    QFuture<Result<Sandbox>> create(const CreateRequest &request) override;
    QFuture<Result<Sandbox>> rename(const SandboxId &id, const QString &name) override;
    QFuture<Done> suspend(const SandboxId &id) override;
    QFuture<Done> resume(const SandboxId &id) override;
    QFuture<Done> terminate(const SandboxId &id) override;
    QFuture<Result<QList<SshKey>>> keys() override;
    QFuture<Result<SshKey>> addKey(const QString &name, const QByteArray &publicLine) override;
    QFuture<Done> removeKey(const QString &keyId) override;
    QFuture<Result<QList<PtySession>>> ptySessions(const Sandbox &sandbox) override;
    QFuture<Result<PtySession>> ptySession(const Sandbox &sandbox, const QString &session) override;
    QFuture<Result<PtyHandle>> createPty(const Sandbox &sandbox, const ShellSpec &spec, TerminalSize size) override;
    QFuture<Done> resizePty(const Sandbox &sandbox, const QString &session, TerminalSize size) override;
    QFuture<Done> killPty(const Sandbox &sandbox, const QString &session) override;
    std::unique_ptr<Shell> makePtyShell(const Sandbox &, const ShellSpec &, const std::optional<PtyHandle> &) override { return nullptr; }
    std::unique_ptr<RemoteCommand> makeCommand(const Sandbox &, const CommandSpec &) override { return nullptr; }

private:
    void watch(const HostListing &listing);
    [[nodiscard]] QList<Sandbox> sandboxes() const;
    SshConfig::Sources m_sources;
    OwnHosts *m_own;
    HostListing m_listing;
    QFileSystemWatcher m_watcher;
    QTimer m_settle;
};

} // namespace Sandpiper

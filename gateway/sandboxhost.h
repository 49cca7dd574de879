// What the gateway's SSH server is for: the sandboxes, for the keys that are registered.
#pragma once

#include "gateway/keystore.h"
#include "gateway/sandboxstore.h"
#include "gateway/sshinner.h"
#include "sshserver/sshhost.h"

#include <optional>

namespace Sandpiper {

class SandboxHost : public SshHost
{
public:
    // Both stores are borrowed and outlive it; what it asks of them is safe on any thread.
    // innerKeyFile: for servers inside sandboxes, see SshInner.
    SandboxHost(const SandboxStore *sandboxes, KeyStore *keys, const QString &innerKeyFile);

    [[nodiscard]] QByteArray banner() const override;
    [[nodiscard]] bool knowsKey(const QByteArray &blob) override;
    [[nodiscard]] QString keyRefusal() const override;
    [[nodiscard]] QString admit(const QString &user, const QByteArray &blob) override;
    [[nodiscard]] QString subject() const override { return m_sandbox->id; }
    [[nodiscard]] std::unique_ptr<SshChannelWork> session(ssh_channel channel) override;
    [[nodiscard]] std::unique_ptr<SshDial> dial(const QString &host, int port) override;
    [[nodiscard]] Result<Listener> listen(const QByteArray &address, quint16 port) override;
    [[nodiscard]] std::unique_ptr<SshChannelWork> forwarded(ssh_channel channel, Fd socket) override;
    void addPolls(std::vector<pollfd> &polls) const override;
    [[nodiscard]] QString step() override;

private:
    const SandboxStore *m_sandboxes;
    KeyStore *m_keys;
    QString m_innerKeyFile;
    std::optional<LocalSandbox> m_sandbox; // after admit()
    std::unique_ptr<SshInner> m_inner; // `<port>-<id>`: the server in there
};

} // namespace Sandpiper

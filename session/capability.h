// What a sandbox, or the way to it, really can; and where it cannot, why.
#pragma once

#include <QHash>
#include <QString>

namespace Sandpiper {

enum class Capability {
    PtyShell,        // interactive shell over the vendor's own PTY protocol
    SshShell,        // interactive shell over SSH
    Reattach,        // a PTY shell survives its connection and can be attached again
    Exec,            // one command with its output and status
    Sftp,            // files over SSH
    Create,
    Rename,
    Suspend,
    Resume,
    Terminate,
    SshKeys,         // keys can be registered at the vendor
    LocalForward,
    RemoteForward,
    AgentForward,
    Tunnel,          // TCP connections into it by the vendor's own protocol, without SSH
    PublicPorts,     // ports that the vendor has opened to everyone can be closed
    OutboundNetwork, // the sandbox reaches the internet
    Isolation,       // the sandbox is separated from the host as it should be
};

class Capabilities
{
public:
    void allow(Capability capability) { m_refusals.insert(capability, QString()); }
    // reason: a whole sentence for the person who wonders why it is greyed out.
    void refuse(Capability capability, const QString &reason) { m_refusals.insert(capability, reason); }

    [[nodiscard]] bool has(Capability capability) const
    {
        const auto it = m_refusals.constFind(capability);
        return it != m_refusals.cend() && it->isEmpty();
    }
    // Empty where it is allowed, or where nothing is known.
    [[nodiscard]] QString reasonAgainst(Capability capability) const { return m_refusals.value(capability); }

    friend bool operator==(const Capabilities &, const Capabilities &) = default;

private:
    QHash<Capability, QString> m_refusals; // present and empty: allowed; present with text: refused
};

} // namespace Sandpiper

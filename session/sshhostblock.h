// A sandbox as a Host of ssh_config, so that ssh and what is built on it finds it. Pure; any thread.
#pragma once

#include "session/logins.h"

namespace Sandpiper {

// A Host with everything that ssh needs to know of it; texts are as they are meant, not yet quoted.
struct SshHostBlock
{
    QString owner; // SandboxId::toString()
    QString alias; // what is typed after "ssh"; holds nothing that ssh_config or a shell takes apart
    QString hostName;
    quint16 port = 22;
    QString user;
    QStringList identityFiles; // where set, ssh offers no others
    QString hostKeyAlias;      // empty: the address
    QByteArray hostKey;        // one public key line; where set, it lies under hostKeyAlias in knownHostsFile
    QString knownHostsFile;
    QStringList proxy; // argv of a ProxyCommand; empty: none is needed

    friend bool operator==(const SshHostBlock &, const SshHostBlock &) = default;
};

struct SshHostWish
{
    QString knownHostsFile; // for pinned host keys
    quint16 insidePort = 0; // an SSH server on this port inside the sandbox; 0: the sandbox's own
    QStringList proxy;      // argv of a ProxyCommand that leads to it; empty: ssh finds it by itself
    SignIn signIn;          // its key counts where the sandbox brings none and a file has it
};

// InvalidInput: a host, user or path that no ssh_config can hold. Unsupported: it has no SSH.
[[nodiscard]] Result<SshHostBlock> hostBlockFor(const Sandbox &sandbox, const SshHostWish &wish);
// Lower-case letters, digits, ".", "_" and "-" of it, at most 60, never beginning with "-": safe as a Host
// and as an argument. Empty where nothing is left.
[[nodiscard]] QString safeForAlias(const QString &name);
// "box.sandpiper": never the name of another Host of the user's. What is taken, and by whom else (owners by
// alias), makes it longer: "box.work.sandpiper", then the id.
[[nodiscard]] QString hostAliasFor(const Sandbox &sandbox, const QString &accountName, quint16 insidePort,
                                   const QHash<QString, QString> &owners);
// The owners of other accounts. A sandbox that was made anew under an old name takes its alias over: names
// are unique in an account.
[[nodiscard]] QHash<QString, QString> withoutAccount(const QHash<QString, QString> &owners, const QString &account);
// By which a pinned host key is found, whatever the address: the sandbox's identity.
[[nodiscard]] QString hostKeyAliasFor(const SandboxId &sandbox);

// A value as ssh_config takes it: quoted where it must be.
[[nodiscard]] QString sshConfigWord(const QString &value);
// The same with % doubled, for places in which it starts a token.
[[nodiscard]] QString sshConfigPath(const QString &path);
// The lines of the block, each ended.
[[nodiscard]] QByteArray textOf(const SshHostBlock &block);
// The lines of known_hosts that the block needs; empty where nothing is pinned.
[[nodiscard]] QByteArray knownHostsLineOf(const SshHostBlock &block);

} // namespace Sandpiper

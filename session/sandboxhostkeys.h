// Host keys of vendors' sandboxes, kept by who the sandbox is and never by its address: an address that
// another sandbox had before neither nags nor is trusted. Any thread; blocks.
#pragma once

#include "session/knownhosts.h"
#include "session/knownhostsfile.h"
#include "session/sandbox.h"

namespace Sandpiper {

// Whether the keys of this machine are kept here. Those of plain SSH hosts are in known_hosts.
[[nodiscard]] bool isVendorsSandbox(const SandboxId &id);

// $XDG_STATE_HOME/sandpiper/sandbox_hosts: lines of a known_hosts file whose one name is
// SandboxId::toString(), compared byte for byte. Empty where there is no folder for it.
[[nodiscard]] QString sandboxHostsFile();

// A missing file knows nothing; one that cannot be read is an error (Io, TooLarge).
[[nodiscard]] Result<QList<KnownHostsFile>> readSandboxHosts(const QString &path);
[[nodiscard]] HostKeyDecision decideSandboxKey(const QList<KnownHostsFile> &files, const SandboxId &id, const HostKey &offered);
[[nodiscard]] QList<QByteArray> knownSandboxKeyTypes(const QList<KnownHostsFile> &files, const SandboxId &id);
// name: what people call it, for the list; it decides nothing. Of some thousand entries the oldest go.
[[nodiscard]] Done rememberSandboxKey(const QString &path, const SandboxId &id, const QString &name, const HostKey &key);

} // namespace Sandpiper

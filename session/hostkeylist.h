// All host keys this computer knows, as people look at them: those of the known_hosts files and those
// of sandboxes. Any thread; blocks.
#pragma once

#include "session/knownhostsfile.h"
#include "session/sandbox.h"
#include "session/sshconfig.h"

#include <QStringList>

namespace Sandpiper {

struct HostKeyPlaces
{
    QStringList knownHosts; // the first is the user's own, where lines are added
    QString sandboxHosts;   // empty: none

    [[nodiscard]] static HostKeyPlaces ofThisComputer();
};

struct HostKeyRow
{
    KnownHostEntry entry;
    QString name;           // hosts as they stand there, or what the sandbox was called; empty: hashed
    bool isSandbox = false; // its hosts are a SandboxId
};

struct HostKeyList
{
    QList<HostKeyRow> rows;
    qsizetype garbage = 0; // lines that are no entries; they are kept as they are
    bool isTruncated = false;
    QList<Error> errors; // files that are there and cannot be read
};

[[nodiscard]] HostKeyList listHostKeys(const HostKeyPlaces &places);
// Part of what is shown of it; or, which finds hashed names and patterns too, the host: "name",
// "name:port", "[name]:port". Empty text matches all.
[[nodiscard]] bool matchesHostKey(const HostKeyRow &row, const QString &text);
// The text that matchesHostKey() finds the keys of this machine by: a vendor's sandbox is known by what it
// is, any other by its address.
[[nodiscard]] QString hostKeyFilterFor(const Sandbox &sandbox);
// So too, where the user's ssh_config may name another host, or a HostKeyAlias, for it. Reads the files.
[[nodiscard]] QString hostKeyFilterFor(const Sandbox &sandbox, const SshConfig::Sources &sources);
// Whether the line names this host: "name", "name:port" or "[name]:port".
[[nodiscard]] bool isHostKeyOf(const HostKeyRow &row, const QString &host);
// File by file; the first failure ends it. A copy of a known_hosts file stays beside it, "<file>.old".
[[nodiscard]] Done forgetHostKeys(const QList<HostKeyRow> &rows);

} // namespace Sandpiper

// The hosts that the user's ssh_config names, each with where it leads. Blocks while it reads: not for
// the GUI thread.
#pragma once

#include "session/sshconfig.h"

#include <QDateTime>

namespace Sandpiper {

struct ListedHost
{
    QString alias;
    SshConfigPlace place;
    QString destination; // "user@host:port" as resolved; empty where there are too many to ask for each
    friend bool operator==(const ListedHost &, const ListedHost &) = default;
};

// What a file or folder looked like when it was read; a missing one has no time.
struct FileStamp
{
    QString path;
    QDateTime modified;
    qint64 size = -1;
    friend bool operator==(const FileStamp &, const FileStamp &) = default;
};

struct HostListing
{
    QList<ListedHost> hosts;
    QString refusal; // why ssh would not start with these files, with its place; empty: it would
    QStringList files;   // that were looked for, missing ones too
    QStringList folders; // that Include with wildcards looked into
    QList<FileStamp> stamps; // of all of these, taken before they were read
};

// previous: an earlier answer, given back where nothing of what it read has changed since.
[[nodiscard]] HostListing listSshHosts(const SshConfig::Sources &sources, const HostListing &previous = {});

} // namespace Sandpiper

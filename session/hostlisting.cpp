#include "session/hostlisting.h"

#include "session/ownhosts.h"

#include <QFileInfo>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Each is matched against every block of the files.
constexpr qsizetype mostResolved = 2'000;

QList<FileStamp> stampsOf(const QStringList &paths)
{
    QList<FileStamp> stamps;
    for (const QString &path : paths) {
        const QFileInfo info(path);
        stamps.append(info.exists() ? FileStamp{path, info.lastModified(), info.isDir() ? 0 : info.size()}
                                    : FileStamp{path, {}, -1});
    }
    return stamps;
}

} // namespace

HostListing listSshHosts(const SshConfig::Sources &sources, const HostListing &previous)
{
    if (!previous.stamps.isEmpty() && stampsOf(previous.files + previous.folders) == previous.stamps)
        return previous;
    // What changes while it is read must not look unchanged the next time: the stamps come first, and
    // which files there are is known only after a first look.
    const auto look = [&sources] {
        SshConfig config(sources);
        (void)config.aliases();
        return std::pair(config.files(), config.folders());
    };
    const auto [files, folders] = look();
    HostListing listing;
    listing.stamps = stampsOf(files + folders);
    SshConfig config(sources);
    const QList<SshHostAlias> aliases = config.aliases();
    listing.hosts.reserve(aliases.size());
    const auto note = [&listing](const SshHostConfig &resolved) {
        if (const std::optional<SshConfigProblem> refusal = resolved.refusal(); refusal && listing.refusal.isEmpty())
            listing.refusal = refusal->toString();
    };
    for (const SshHostAlias &alias : aliases) {
        ListedHost host{alias.name, alias.place, {}};
        if (listing.hosts.size() < mostResolved) {
            const SshHostConfig resolved = config.resolve({alias.name, {}, 0});
            note(resolved);
            host.destination = destinationText(resolved.user, resolved.hostName, resolved.port);
        }
        listing.hosts.append(host);
    }
    if (aliases.isEmpty())
        note(config.resolve({u"localhost"_s, {}, 0}));
    listing.files = files;
    listing.folders = folders;
    return listing;
}

} // namespace Sandpiper

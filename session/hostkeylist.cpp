#include "session/hostkeylist.h"

#include "session/knownhosts.h"
#include "session/sandboxhostkeys.h"
#include "session/sshdestination.h"
#include "session/ownhosts.h"
#include "session/sshhostoptions.h"

#include <QMap>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// What stands behind the key: for a sandbox, what it was called.
QString commentOf(const KnownHostEntry &entry)
{
    QByteArrayView rest(entry.content);
    for (int word = entry.marker == KnownHostMarker::None ? 0 : -1; word < 3; ++word)
        takeWord(rest);
    return tamed(QString::fromUtf8(rest.trimmed()), 120);
}

QString nameOf(const KnownHostEntry &entry, bool isSandbox)
{
    if (isHashedName(entry.hosts))
        return {};
    const QString comment = isSandbox ? commentOf(entry) : QString();
    return comment.isEmpty() ? tamed(QString::fromUtf8(entry.hosts)) : comment;
}

void listFile(HostKeyList &all, const QString &path, bool isSandbox)
{
    const Result<KnownHostList> list = listKnownHosts(path);
    if (!list) {
        if (list.error().kind != ErrorKind::NotFound)
            all.errors.append(list.error());
        return;
    }
    all.garbage += list->garbage;
    all.isTruncated |= list->isTruncated;
    for (const KnownHostEntry &entry : list->entries)
        all.rows.append({entry, nameOf(entry, isSandbox), isSandbox});
}

// "name:2222" as the file has it; what has brackets has them already, what has more colons is IPv6.
QByteArray asInFile(const QString &text)
{
    const qsizetype colon = text.lastIndexOf(u':');
    bool isNumber = false;
    const ushort port = colon > 0 ? QStringView(text).sliced(colon + 1).toUShort(&isNumber) : ushort(0);
    if (isNumber && !text.startsWith(u'[') && text.count(u':') == 1)
        return knownHostName(text.first(colon), port);
    return knownHostName(text, 22);
}

} // namespace

HostKeyPlaces HostKeyPlaces::ofThisComputer()
{
    return {defaultKnownHostsFiles(), sandboxHostsFile()};
}

HostKeyList listHostKeys(const HostKeyPlaces &places)
{
    HostKeyList all;
    if (!places.sandboxHosts.isEmpty())
        listFile(all, places.sandboxHosts, true);
    for (const QString &path : places.knownHosts)
        listFile(all, path, false);
    return all;
}

bool matchesHostKey(const HostKeyRow &row, const QString &text)
{
    const QString wanted = text.trimmed();
    if (wanted.isEmpty())
        return true;
    const auto has = [&](const QString &shown) { return shown.contains(wanted, Qt::CaseInsensitive); };
    const bool shown = has(row.name) || has(QString::fromLatin1(row.entry.key.type)) || fingerprintOf(row.entry.key).contains(wanted)
            || has(row.entry.where()) || (!isHashedName(row.entry.hosts) && has(QString::fromUtf8(row.entry.hosts)));
    return shown || isHostKeyOf(row, wanted);
}

QString hostKeyFilterFor(const Sandbox &sandbox)
{
    if (isVendorsSandbox(sandbox.id))
        return sandbox.id.toString();
    if (!sandbox.ssh)
        return {};
    SshJumpHop there;
    there.host = sandbox.ssh->host;
    there.port = sandbox.ssh->port;
    // A Host of ssh_config: where it leads is in the note.
    if (there.host.isEmpty())
        there = sshDestination(sandbox.note).value_or(SshJumpHop{.user = {}, .host = sandbox.ssh->alias, .port = 0});
    return destinationText({}, there.host, there.port);
}

QString hostKeyFilterFor(const Sandbox &sandbox, const SshConfig::Sources &sources)
{
    if (isVendorsSandbox(sandbox.id) || !sandbox.ssh || sandbox.ssh->alias.isEmpty())
        return hostKeyFilterFor(sandbox);
    const Result<LinkOptions> options = hostQueryFor(linkOptionsFor(sandbox)).and_then([&](const SshHostQuery &query) {
        return withHostConfig(linkOptionsFor(sandbox), SshConfig(sources).resolve(query), {});
    });
    if (!options)
        return hostKeyFilterFor(sandbox);
    // It stands for every port.
    return !options->hostKeyAlias.isEmpty() ? options->hostKeyAlias : destinationText({}, options->endpoint.host, options->endpoint.port);
}

bool isHostKeyOf(const HostKeyRow &row, const QString &host)
{
    return !row.isSandbox && matchesKnownHosts(asInFile(host), row.entry.hosts);
}

Done forgetHostKeys(const QList<HostKeyRow> &rows)
{
    QMap<QString, QList<KnownHostEntry>> byFile;
    QStringList sandboxFiles;
    for (const HostKeyRow &row : rows) {
        byFile[row.entry.file].append(row.entry);
        if (row.isSandbox)
            sandboxFiles.append(row.entry.file);
    }
    for (auto it = byFile.cbegin(); it != byFile.cend(); ++it) {
        const auto backup = sandboxFiles.contains(it.key()) ? KnownHostBackup::None : KnownHostBackup::Keep;
        if (const Done done = forgetKnownHosts(it.key(), it.value(), backup); !done)
            return done;
    }
    return {};
}

} // namespace Sandpiper

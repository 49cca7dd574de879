#include "session/knownhosts.h"

#include "session/knownhostsfile.h"
#include "session/knownhostslines.h"
#include "session/paths.h"

#include <QDir>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

HostKeyDecision decideFor(const QList<KnownHostsFile> &files, const QByteArray &name, const HostKey &offered)
{
    using Verdict = HostKeyDecision::Verdict;
    HostKeyDecision decision;
    for (const KnownHostsFile &file : files) {
        forEachKnownHost(file.content, [&](const KnownHostLine &line) {
            if (decision.verdict == Verdict::Revoked || !matchesKnownHosts(name, line.hosts))
                return;
            const QString where = file.path + u':' + QString::number(line.number);
            const bool same = line.key == offered;
            switch (line.marker) {
            case KnownHostMarker::CertificateAuthority:
                decision.hasCertificateAuthority = true;
                return;
            case KnownHostMarker::Revoked:
                if (same) {
                    decision.verdict = Verdict::Revoked;
                    decision.where = where;
                }
                return;
            case KnownHostMarker::None:
                break;
            }
            if (same) {
                decision.verdict = Verdict::Match;
                decision.where = where;
            } else if (decision.verdict == Verdict::Unknown
                       || (decision.verdict == Verdict::Changed && line.key.type == offered.type
                           && decision.known.type != offered.type)) {
                decision.verdict = Verdict::Changed;
                decision.known = line.key;
                decision.where = where;
            }
        });
    }
    return decision;
}

} // namespace

HostKeyDecision decideHostKey(const QList<KnownHostsFile> &files, const QString &host, quint16 port, const HostKey &offered)
{
    using Verdict = HostKeyDecision::Verdict;
    const HostKeyDecision decision = decideFor(files, knownHostName(host, port), offered);
    if (port == 22 || decision.verdict == Verdict::Revoked)
        return decision;
    HostKeyDecision bare = decideFor(files, knownHostName(host, 22), offered);
    const bool decides = bare.verdict == Verdict::Revoked
            || (bare.verdict == Verdict::Match && decision.verdict == Verdict::Unknown);
    return decides ? bare : decision;
}

QList<QByteArray> knownKeyTypes(const QList<KnownHostsFile> &files, const QString &host, quint16 port)
{
    QList<QByteArray> types;
    QList<QByteArray> names{knownHostName(host, port)};
    if (port != 22)
        names.append(knownHostName(host, 22));
    for (const QByteArray &name : names) {
        for (const KnownHostsFile &file : files) {
            forEachKnownHost(file.content, [&](const KnownHostLine &line) {
                if (line.marker == KnownHostMarker::None && !types.contains(line.key.type) && matchesKnownHosts(name, line.hosts))
                    types.append(line.key.type);
            });
        }
    }
    return types;
}

QStringList defaultKnownHostsFiles()
{
    const QString home = QDir::homePath();
    return {home + u"/.ssh/known_hosts"_s, home + u"/.ssh/known_hosts2"_s,
            u"/etc/ssh/ssh_known_hosts"_s, u"/etc/ssh/ssh_known_hosts2"_s};
}

Result<QList<KnownHostsFile>> readKnownHosts(const QStringList &paths)
{
    QList<KnownHostsFile> files;
    for (const QString &path : paths) {
        Result<QByteArray> content = readFile(path, kLargestKnownHosts);
        if (content)
            files.append({path, std::move(*content)});
        else if (content.error().kind != ErrorKind::NotFound)
            return std::unexpected(content.error());
    }
    return files;
}

QString revokedWhere(const QList<KnownHostsFile> &files, const QString &host, quint16 port, const HostKey &offered)
{
    const HostKeyDecision decision = decideHostKey(files, host, port, offered);
    return decision.verdict == HostKeyDecision::Verdict::Revoked ? decision.where : QString();
}

Done rememberHostKey(const QString &path, const QString &host, quint16 port, const HostKey &key)
{
    // What is a pattern or a separator in the file must not come from a name.
    for (const QChar c : host) {
        if (c <= u' ' || c == u'\x7f' || u",*?!#@|[]"_s.contains(c))
            return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"this is no host name"_s, host);
    }
    return appendKnownHost(path, [&](const QByteArray &before) {
        const QByteArray name = knownHostName(host, port);
        const bool hashes = before.startsWith("|1|") || before.contains("\n|1|");
        return (hashes ? hashedKnownHost(name) : name) + ' ' + key.type + ' ' + key.blob.toBase64();
    });
}

} // namespace Sandpiper

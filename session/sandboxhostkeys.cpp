#include "session/sandboxhostkeys.h"

#include "session/paths.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// Beyond this the oldest go: a vendor's sandboxes come and go by the thousand.
constexpr qsizetype kMostEntries = 4096;

void forEachOf(const QList<KnownHostsFile> &files, const SandboxId &id,
               const std::function<void(const KnownHostLine &, const QString &)> &visit)
{
    const QByteArray name = id.toString().toLatin1();
    for (const KnownHostsFile &file : files) {
        forEachKnownHost(file.content, [&](const KnownHostLine &line) {
            if (line.hosts == name)
                visit(line, file.path + u':' + QString::number(line.number));
        });
    }
}

} // namespace

bool isVendorsSandbox(const SandboxId &id)
{
    return !id.isEmpty() && id.vendor != "ssh"_L1;
}

QString sandboxHostsFile()
{
    const QString folder = stateFolder();
    return folder.isEmpty() ? QString() : folder + u"/sandbox_hosts"_s;
}

Result<QList<KnownHostsFile>> readSandboxHosts(const QString &path)
{
    return path.isEmpty() ? QList<KnownHostsFile>() : readKnownHosts({path});
}

HostKeyDecision decideSandboxKey(const QList<KnownHostsFile> &files, const SandboxId &id, const HostKey &offered)
{
    using Verdict = HostKeyDecision::Verdict;
    HostKeyDecision decision;
    forEachOf(files, id, [&](const KnownHostLine &line, const QString &where) {
        if (line.marker == KnownHostMarker::CertificateAuthority || decision.verdict == Verdict::Revoked)
            return;
        const bool same = line.key == offered;
        if (line.marker == KnownHostMarker::Revoked) {
            if (same)
                decision = {Verdict::Revoked, {}, where, false};
        } else if (same) {
            decision = {Verdict::Match, {}, where, false};
        } else if (decision.verdict == Verdict::Unknown) {
            decision = {Verdict::Changed, line.key, where, false};
        }
    });
    return decision;
}

QList<QByteArray> knownSandboxKeyTypes(const QList<KnownHostsFile> &files, const SandboxId &id)
{
    QList<QByteArray> types;
    forEachOf(files, id, [&](const KnownHostLine &line, const QString &) {
        if (line.marker == KnownHostMarker::None && !types.contains(line.key.type))
            types.append(line.key.type);
    });
    return types;
}

Done rememberSandboxKey(const QString &path, const SandboxId &id, const QString &name, const HostKey &key)
{
    if (path.isEmpty())
        return failure(ErrorKind::Io, Layer::LocalDisk, u"there is no folder for it"_s);
    const Done added = appendKnownHost(path, [&](const QByteArray &) {
        return id.toString().toLatin1() + ' ' + key.type + ' ' + key.blob.toBase64() + ' ' + tamed(name, 120).toUtf8();
    });
    if (!added)
        return added;
    const Result<KnownHostList> list = listKnownHosts(path);
    if (!list || list->entries.size() <= kMostEntries)
        return {};
    // New lines stand last. Whoever is forgotten too early is asked about once more.
    return forgetKnownHosts(path, list->entries.first(list->entries.size() - kMostEntries / 2), KnownHostBackup::None);
}

} // namespace Sandpiper

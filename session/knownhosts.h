// Host keys: what is offered against what is known. The decision is pure; the files are those of
// OpenSSH (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Any thread.
#pragma once

#include "session/error.h"
#include "session/hostkey.h"

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

namespace Sandpiper {

struct KnownHostsFile
{
    QString path;
    QByteArray content;
};

struct HostKeyDecision
{
    enum class Verdict {
        Unknown, // nothing is known of this host
        Match,   // exactly this key is known
        Changed, // other keys are known, this one is not: also where it is of another type
        Revoked, // this key is marked @revoked
    };
    Verdict verdict = Verdict::Unknown;
    HostKey known; // Changed: the one that was known, of the offered type where there is one
    QString where; // Match, Changed, Revoked: "file:line"
    // A @cert-authority line names this host. Certificates are not understood here (libssh cannot ask
    // for them), so the line accepts nothing.
    bool hasCertificateAuthority = false;
};

// host: as the user wrote it, without brackets. Where nothing is known of a port other than 22, the
// same key known for the bare host is a match, as it is for OpenSSH.
[[nodiscard]] HostKeyDecision decideHostKey(const QList<KnownHostsFile> &files, const QString &host,
                                            quint16 port, const HostKey &offered);
// Types of the keys known for this host, in the order of the files: what to ask the server for first.
[[nodiscard]] QList<QByteArray> knownKeyTypes(const QList<KnownHostsFile> &files, const QString &host,
                                              quint16 port);

// ~/.ssh/known_hosts, ~/.ssh/known_hosts2 and the system's.
[[nodiscard]] QStringList defaultKnownHostsFiles();
// Missing files are left out. Io, TooLarge: one that is there and cannot be read is an error, because
// a changed or revoked key may be in it.
[[nodiscard]] Result<QList<KnownHostsFile>> readKnownHosts(const QStringList &paths);
// Whether exactly this key is marked @revoked for this host: where, as "file:line", else empty.
[[nodiscard]] QString revokedWhere(const QList<KnownHostsFile> &files, const QString &host, quint16 port, const HostKey &offered);

// Adds one line by one write, so that no reader and no other writer sees half of it. The folder and
// the file are made when missing (0700, 0600). The name is hashed where the file's other names are.
[[nodiscard]] Done rememberHostKey(const QString &path, const QString &host, quint16 port, const HostKey &key);

} // namespace Sandpiper

// The nouns of the vendor's world, as plain values. Any thread.
#pragma once

#include "session/capability.h"

#include <QDateTime>
#include <QHash>
#include <QList>
#include <QMetaType>
#include <QString>
#include <QUrl>

#include <optional>

namespace Sandpiper {

// Who a sandbox is. Never an address: addresses change with every resume.
struct SandboxId
{
    QString vendor;  // "tensorlake", "local", "ssh", …
    QString account; // Account::id
    QString id;      // the vendor's own id

    friend bool operator==(const SandboxId &, const SandboxId &) = default;
    friend size_t qHash(const SandboxId &s, size_t seed = 0)
    {
        return qHashMulti(seed, s.vendor, s.account, s.id);
    }
    [[nodiscard]] bool isEmpty() const { return id.isEmpty(); }
    // "vendor/account/id", each part percent-encoded; parse() takes it back.
    [[nodiscard]] QString toString() const;
    [[nodiscard]] static std::optional<SandboxId> parse(const QString &text);
};

enum class SandboxState {
    Unknown, // a word we have not met: shown as the vendor says it
    Pending,
    Running,
    Snapshotting,
    Suspending,
    Suspended,
    Terminated,
};

// Where SSH for a sandbox is to be found.
struct SshEndpoint
{
    QString host;
    quint16 port = 22;
    QString user;
    // One OpenSSH public key line ("ssh-ed25519 AAAA…") where the vendor vouches for the host key
    // out of band; then nothing is asked and nothing else is accepted. Empty: known_hosts decides.
    QByteArray hostKey;
    // Private key files to offer first; where set, no others are offered.
    QStringList identityFiles;
    // A Host of the user's ssh_config: what that says of it fills in whatever is not said here (port 22
    // counts as not said). The files are read by the link's own thread, because that blocks. Empty: they
    // are not asked.
    QString alias;

    friend bool operator==(const SshEndpoint &, const SshEndpoint &) = default;
};

struct Sandbox
{
    SandboxId id;
    QString name; // empty: the vendor gave it none; show the id
    SandboxState state = SandboxState::Unknown;
    QString stateText; // the vendor's own word
    QString image;
    QDateTime createdAt;                 // UTC
    std::optional<QDateTime> expiresAt;  // UTC; when it ends or suspends by itself
    double cpus = 0;                     // 0: not said
    qint64 memoryMiB = 0;
    qint64 diskMiB = 0;
    QString note;       // what the vendor says of its state, e.g. why it is pending; may be empty
    QUrl controlUrl;    // base of the in-sandbox API; empty where there is none
    QByteArray routeHint; // opaque, for the vendor
    std::optional<SshEndpoint> ssh;
    QList<quint16> publicPorts; // which its vendor leads everyone on the internet to, without a login
    Capabilities capabilities;

    [[nodiscard]] QString displayName() const { return name.isEmpty() ? id.id : name; }
    friend bool operator==(const Sandbox &, const Sandbox &) = default;
};

struct CreateRequest
{
    QString name;  // empty: the vendor's ephemeral kind
    QString image; // empty: the vendor's default
    std::optional<double> cpus;
    std::optional<qint64> memoryMiB;
    std::optional<qint64> diskMiB;
    std::optional<qint64> timeoutSeconds; // until it suspends or ends by itself; 0: never, where allowed
};

// A public key registered with an account.
struct SshKey
{
    QString id;
    QString name;
    QString type;        // "ssh-ed25519"
    QString fingerprint; // "SHA256:…"
    QDateTime addedAt;
    QDateTime lastUsedAt; // invalid: never, or not said

    friend bool operator==(const SshKey &, const SshKey &) = default;
};

} // namespace Sandpiper

Q_DECLARE_METATYPE(Sandpiper::SandboxId)
Q_DECLARE_METATYPE(Sandpiper::Sandbox)

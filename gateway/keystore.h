// The SSH public keys registered with this gateway. Any thread: one mutex, values out.
#pragma once

#include "session/error.h"

#include <QDateTime>
#include <QList>
#include <QMutex>

#include <optional>

namespace Sandpiper {

struct RegisteredKey
{
    QString id; // "ssh_key_" and 21 characters
    QString name;
    QString type;
    QString fingerprint; // "SHA256:…"
    QByteArray publicLine; // type and base64, no comment
    QDateTime createdAt;
    QDateTime lastUsedAt;
};

class KeyStore
{
public:
    explicit KeyStore(const QString &file); // JSON, 0600
    [[nodiscard]] QList<RegisteredKey> all() const;
    // InvalidInput: empty name, no OpenSSH public key. Conflict: registered already.
    [[nodiscard]] Result<RegisteredKey> add(const QString &name, const QByteArray &publicLine);
    [[nodiscard]] Done remove(const QString &id); // NotFound
    // The registered key with this blob (base64 of the wire form), and notes that it was used.
    [[nodiscard]] std::optional<RegisteredKey> match(const QByteArray &base64Blob);

private:
    Done save() const;
    mutable QMutex m_mutex;
    QString m_file;
    QList<RegisteredKey> m_keys;
};

} // namespace Sandpiper

// Public keys and certificates as OpenSSH writes them: what can be told of them. Pure; any thread.
#pragma once

#include "session/error.h"

#include <QByteArray>
#include <QDateTime>
#include <QList>
#include <QString>
#include <QStringList>

#include <optional>

namespace Sandpiper {

struct PublicKeyLine
{
    QByteArray line; // type, base64, comment: as registered
    QString type;
    QString fingerprint; // "SHA256:…", unpadded
    QString comment;

    friend bool operator==(const PublicKeyLine &, const PublicKeyLine &) = default;
};

// OpenSSH's PROTOCOL.certkeys.
struct CertificateFacts
{
    bool isForUser = false; // else for a host
    QString keyId;          // tamed
    QStringList principals; // tamed; empty: anybody
    QDateTime validAfter;   // UTC; invalid: always
    QDateTime validBefore;  // UTC; invalid: for ever
    QByteArray plainBlob;   // the key that it is for

    [[nodiscard]] bool isValidAt(const QDateTime &time) const;
};

// InvalidInput: not one OpenSSH public key line (RFC 4253, section 6.6: the blob names its own type), or a private key.
[[nodiscard]] Result<PublicKeyLine> parsePublicKey(QByteArrayView text);
// The base64 of such a line, decoded; empty where there is none.
[[nodiscard]] QByteArray blobFromLine(QByteArrayView line);
[[nodiscard]] QByteArray typeFromBlob(QByteArrayView blob); // empty where it is no key
// "SHA256:…", as ssh-keygen -l shows it. Of a certificate, the caller gives the plain blob.
[[nodiscard]] QString fingerprintOfBlob(const QByteArray &blob);
// Where a key is named by its fingerprint or by its file: which of them it is.
[[nodiscard]] bool isKeyFingerprint(QStringView key);
// Nothing where it is no certificate, or a damaged one.
[[nodiscard]] std::optional<CertificateFacts> certificateFromBlob(const QByteArray &blob);

} // namespace Sandpiper

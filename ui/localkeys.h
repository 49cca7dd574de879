// The SSH keys that lie in a folder of this computer, by their public halves. Reads small files only;
// private keys are never opened.
#pragma once

#include "session/error.h"

#include <QDateTime>
#include <QList>
#include <QString>

namespace Sandpiper {

struct PublicKeyLine
{
    QByteArray line; // type, base64, comment: as registered
    QString type;
    QString fingerprint; // "SHA256:…", unpadded
    QString comment;

    friend bool operator==(const PublicKeyLine &, const PublicKeyLine &) = default;
};

struct LocalKey
{
    QString file; // of the public half
    PublicKeyLine key;
    QDateTime modified;
    bool hasPrivateHalf = false;
};

// InvalidInput: not one OpenSSH public key line (RFC 4253, section 6.6: the blob names its own type), or a private key.
[[nodiscard]] Result<PublicKeyLine> parsePublicKey(QByteArrayView text);
// At most 64 KiB are read. NotFound, Io, InvalidInput.
[[nodiscard]] Result<PublicKeyLine> readPublicKeyFile(const QString &file);
// *.pub of this folder, by name; what cannot be read is left out. May be slow: not on the GUI thread.
[[nodiscard]] QList<LocalKey> localKeys(const QString &folder);

} // namespace Sandpiper

// Key files on this computer: what can be told of them without their passphrase, and what can be done
// with them. Everything here reads or writes files, some of it computes for seconds (bcrypt): any
// thread but the GUI's.
#pragma once

#include "session/secret.h"
#include "session/sshagent.h"
#include "session/sshpublickey.h"

#include <QDateTime>
#include <QList>
#include <QString>

#include <optional>

namespace Sandpiper {

struct KeyFile
{
    enum class Form {
        OpenSsh,
        Pem, // PKCS#1, PKCS#8 or EC
        PublicOnly,
    };
    QString file; // of the private half; PublicOnly: of the public one
    Form form = Form::PublicOnly;
    PublicKeyLine key; // empty where only the passphrase would tell
    QDateTime modified;
    bool isEncrypted = false;
    bool isOpenToOthers = false; // ssh, and Sandpiper, refuse to use it
    std::optional<CertificateFacts> certificate; // of FILE-cert.pub

    [[nodiscard]] bool isOnSecurityKey() const { return key.type.startsWith(u"sk-"); }
};

// At most 64 KiB are read. NotFound, Io, InvalidInput (then with a sentence in detail).
[[nodiscard]] Result<PublicKeyLine> readPublicKeyFile(const QString &file);
// A private key in any form, or a public one. As readPublicKeyFile().
[[nodiscard]] Result<KeyFile> readKeyFile(const QString &file);
// Those of this folder, by name, at most 500; what cannot be read is left out.
[[nodiscard]] QList<KeyFile> keyFilesIn(const QString &folder);
// A clause with its mend where ssh would not use this private key: unreadable, or open to others.
[[nodiscard]] std::optional<QString> whyKeyFileIsRefused(const QString &file);

// Whether it can be the name of a key file in ~/.ssh. Pure.
[[nodiscard]] bool isKeyFileName(const QString &name);

enum class NewKeyType { Ed25519, Rsa4096 };
// Makes FILE (0600, OpenSSH's form) and FILE.pub; Conflict where either is there. Empty passphrase: none.
[[nodiscard]] Result<PublicKeyLine> generateKey(NewKeyType type, const QString &file, const QString &comment, const Secret &passphrase);
// Brings a PEM key into OpenSSH's form under the same passphrase; the old file is kept beside it, and
// its name is returned. InvalidInput with a sentence: another form, or a wrong passphrase.
[[nodiscard]] Result<QString> convertKey(const QString &file, const Secret &passphrase);
// In OpenSSH's form afterwards. Empty new passphrase: none any more.
[[nodiscard]] Done changePassphrase(const QString &file, const Secret &before, const Secret &after);
// InvalidInput for a wrong passphrase; else as addToAgent().
[[nodiscard]] Done addKeyFileToAgent(const QByteArray &socketPath, const QString &file, const Secret &passphrase,
                                     const AgentConstraints &constraints, Deadline deadline);

} // namespace Sandpiper

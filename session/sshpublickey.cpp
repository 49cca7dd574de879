#include "session/sshpublickey.h"

#include "session/sshwire.h"

#include <QCryptographicHash>
#include <QTimeZone>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr QByteArrayView kCertificateSuffix("-cert-v01@openssh.com");
constexpr quint32 kForUser = 1;
constexpr qsizetype kMostPrincipals = 256;
// Whatever QDateTime takes; OpenSSH writes 2^64 - 1 for "for ever".
constexpr quint64 kLatest = 253402300799; // the end of the year 9999

std::unexpected<Error> notAKey(const QString &why)
{
    return failure(ErrorKind::InvalidInput, Layer::LocalDisk, why);
}

// How many strings the public key has behind its type, by type; 0: not known.
int fieldsOf(QByteArrayView plainType)
{
    if (plainType == "ssh-ed25519")
        return 1;
    if (plainType == "ssh-rsa" || plainType.startsWith("ecdsa-sha2-") || plainType == "sk-ssh-ed25519@openssh.com")
        return 2;
    return plainType == "sk-ecdsa-sha2-nistp256@openssh.com" ? 3 : 0;
}

// "ssh-ed25519-cert-v01@openssh.com" → "ssh-ed25519"; those of security keys keep their domain.
QByteArray plainTypeOf(QByteArrayView certificateType)
{
    QByteArray plain = certificateType.chopped(kCertificateSuffix.size()).toByteArray();
    if (plain.startsWith("sk-"))
        plain += "@openssh.com";
    return plain;
}

QDateTime timeFrom(quint64 seconds)
{
    return seconds > kLatest ? QDateTime() : QDateTime::fromSecsSinceEpoch(qint64(seconds), QTimeZone::UTC);
}

} // namespace

bool CertificateFacts::isValidAt(const QDateTime &time) const
{
    return (!validAfter.isValid() || time >= validAfter) && (!validBefore.isValid() || time < validBefore);
}

Result<PublicKeyLine> parsePublicKey(QByteArrayView text)
{
    const QByteArray trimmed = text.toByteArray().trimmed();
    if (trimmed.contains("PRIVATE KEY"))
        return notAKey(u"This is a private key. Choose the file that ends in .pub."_s);
    if (trimmed.contains('\n') || trimmed.contains('\r'))
        return notAKey(u"A public key is one line; this has several."_s);
    const qsizetype firstSpace = trimmed.indexOf(' ');
    if (firstSpace <= 0)
        return notAKey(u"This is not an OpenSSH public key."_s);
    const QByteArray type = trimmed.first(firstSpace);
    const QByteArray rest = trimmed.sliced(firstSpace + 1).trimmed();
    const qsizetype secondSpace = rest.indexOf(' ');
    const QByteArray encoded = secondSpace < 0 ? rest : rest.first(secondSpace);
    const auto decoded = QByteArray::fromBase64Encoding(encoded, QByteArray::Base64Encoding | QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded)
        return notAKey(u"The key is damaged: it is not valid base64."_s);
    const QByteArray &blob = *decoded;
    if (blob.size() < 4)
        return notAKey(u"The key is too short."_s);
    if (typeFromBlob(blob) != type)
        return notAKey(u"The key is damaged: it does not name its own type."_s);
    PublicKeyLine key;
    key.type = QString::fromLatin1(type);
    key.comment = secondSpace < 0 ? QString() : tamed(QString::fromUtf8(rest.sliced(secondSpace + 1).trimmed()), 200);
    key.fingerprint = fingerprintOfBlob(blob);
    key.line = type + ' ' + encoded + (key.comment.isEmpty() ? QByteArray() : ' ' + key.comment.toUtf8());
    return key;
}

QByteArray blobFromLine(QByteArrayView line)
{
    const QByteArrayList words = line.toByteArray().simplified().split(' ');
    return words.size() < 2 ? QByteArray() : QByteArray::fromBase64(words[1]);
}

QByteArray typeFromBlob(QByteArrayView blob)
{
    QByteArrayView type;
    return SshWire::takeString(blob, type) ? type.toByteArray() : QByteArray();
}

bool isKeyFingerprint(QStringView key)
{
    return key.startsWith("SHA256:"_L1);
}

QString fingerprintOfBlob(const QByteArray &blob)
{
    const QByteArray digest = QCryptographicHash::hash(blob, QCryptographicHash::Sha256);
    return u"SHA256:"_s + QString::fromLatin1(digest.toBase64(QByteArray::Base64Encoding | QByteArray::OmitTrailingEquals));
}

std::optional<CertificateFacts> certificateFromBlob(const QByteArray &blob)
{
    using namespace SshWire;
    QByteArrayView rest(blob);
    QByteArrayView type;
    QByteArrayView nonce;
    if (!takeString(rest, type) || !type.endsWith(kCertificateSuffix) || !takeString(rest, nonce))
        return std::nullopt;
    CertificateFacts facts;
    const QByteArray plainType = plainTypeOf(type);
    facts.plainBlob = string(plainType);
    const int fields = fieldsOf(plainType);
    for (int i = 0; i < fields; ++i) {
        QByteArrayView field;
        if (!takeString(rest, field))
            return std::nullopt;
        facts.plainBlob += string(field);
    }
    quint64 serial = 0;
    quint32 purpose = 0;
    QByteArrayView keyId;
    QByteArrayView principals;
    quint64 after = 0;
    quint64 before = 0;
    if (fields == 0 || !takeNumber(rest, serial) || !takeNumber(rest, purpose) || !takeString(rest, keyId)
        || !takeString(rest, principals) || !takeNumber(rest, after) || !takeNumber(rest, before))
        return std::nullopt;
    facts.isForUser = purpose == kForUser;
    facts.keyId = tamed(QString::fromUtf8(keyId), 200);
    QByteArrayView principal;
    while (facts.principals.size() < kMostPrincipals && takeString(principals, principal))
        facts.principals.append(tamed(QString::fromUtf8(principal), 200));
    facts.validAfter = after == 0 ? QDateTime() : timeFrom(after);
    facts.validBefore = timeFrom(before);
    return facts;
}

} // namespace Sandpiper

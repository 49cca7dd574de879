#include "ui/localkeys.h"

#include "session/paths.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QtEndian>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr qint64 largestFile = 64 * 1024;
constexpr qsizetype mostKeys = 500;

std::unexpected<Error> notAKey(const QString &why)
{
    return failure(ErrorKind::InvalidInput, Layer::LocalDisk, why);
}

} // namespace

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
    const quint32 length = qFromBigEndian<quint32>(blob.constData());
    if (length > quint32(blob.size()) - 4 || QByteArrayView(blob).sliced(4, qsizetype(length)) != type)
        return notAKey(u"The key is damaged: it does not name its own type."_s);
    PublicKeyLine key;
    key.type = QString::fromLatin1(type);
    key.comment = secondSpace < 0 ? QString() : tamed(QString::fromUtf8(rest.sliced(secondSpace + 1).trimmed()), 200);
    const QByteArray digest = QCryptographicHash::hash(blob, QCryptographicHash::Sha256);
    key.fingerprint = u"SHA256:"_s + QString::fromLatin1(digest.toBase64(QByteArray::Base64Encoding | QByteArray::OmitTrailingEquals));
    key.line = type + ' ' + encoded + (key.comment.isEmpty() ? QByteArray() : ' ' + key.comment.toUtf8());
    return key;
}

Result<PublicKeyLine> readPublicKeyFile(const QString &file)
{
    const Result<QByteArray> content = readFile(file, largestFile);
    if (!content)
        return std::unexpected(content.error());
    return parsePublicKey(*content);
}

QList<LocalKey> localKeys(const QString &folder)
{
    QList<LocalKey> found;
    const QFileInfoList files = QDir(folder).entryInfoList({u"*.pub"_s}, QDir::Files | QDir::Readable, QDir::Name);
    for (const QFileInfo &info : files) {
        const Result<PublicKeyLine> key = readPublicKeyFile(info.absoluteFilePath());
        if (!key || found.size() >= mostKeys)
            continue;
        const QString other = info.absoluteFilePath().chopped(4);
        found.append({info.absoluteFilePath(), *key, info.lastModified(), QFileInfo::exists(other)});
    }
    return found;
}

} // namespace Sandpiper

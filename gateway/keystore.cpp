#include "gateway/keystore.h"

#include "gateway/sandboxrecord.h"
#include "session/paths.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QtEndian>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

Q_LOGGING_CATEGORY(lcKeys, "sandpiper.gateway.keys", QtInfoMsg)

constexpr qsizetype longestLine = 32 << 10;
constexpr qsizetype mostKeys = 1000;
// Noting each use at once would write the file at every connection.
constexpr qint64 useResolutionSeconds = 60;

struct Parsed
{
    QByteArray type;
    QByteArray base64;
    QByteArray blob;
};

bool isKnownType(const QByteArray &type)
{
    static const QByteArrayList known = {
        "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"};
    return known.contains(type);
}

// RFC 4253, 6.6: the blob is a row of length-prefixed strings, and begins with the type again.
std::optional<QByteArrayList> fieldsOf(const QByteArray &blob)
{
    QByteArrayList fields;
    for (qsizetype at = 0; at < blob.size();) {
        if (blob.size() - at < 4)
            return std::nullopt;
        const auto size = qFromBigEndian<quint32>(blob.constData() + at);
        at += 4;
        if (size > quint32(blob.size() - at))
            return std::nullopt;
        fields.append(blob.mid(at, qsizetype(size)));
        at += qsizetype(size);
    }
    return fields;
}

bool hasRightFields(const QByteArray &type, const QByteArrayList &fields)
{
    if (type == "ssh-ed25519")
        return fields.size() == 2 && fields[1].size() == 32;
    if (type == "ssh-rsa") // exponent, modulus of at least 1024 bits
        return fields.size() == 3 && !fields[1].isEmpty() && fields[2].size() >= 128;
    if (type.startsWith("ecdsa-"))
        return fields.size() == 3 && !fields[2].isEmpty() && type.endsWith(fields[1]);
    if (type.startsWith("sk-ssh-ed25519")) // key, application
        return fields.size() == 3 && fields[1].size() == 32;
    return fields.size() == 4; // sk-ecdsa: curve, point, application
}

std::optional<Parsed> parse(const QByteArray &line)
{
    if (line.size() > longestLine || line.trimmed().contains('\n'))
        return std::nullopt;
    const QByteArrayList words = line.simplified().split(' ');
    if (words.size() < 2 || !isKnownType(words[0]))
        return std::nullopt;
    const auto decoded = QByteArray::fromBase64Encoding(words[1], QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded)
        return std::nullopt;
    const QByteArray &blob = decoded.decoded;
    const auto fields = fieldsOf(blob);
    if (!fields || fields->isEmpty() || fields->first() != words[0]
        || !hasRightFields(words[0], *fields))
        return std::nullopt;
    // Written anew, so that equal keys are equal texts.
    return Parsed{words[0], blob.toBase64(), blob};
}

QString fingerprintOf(const QByteArray &blob)
{
    const QByteArray hash = QCryptographicHash::hash(blob, QCryptographicHash::Sha256);
    return u"SHA256:"_s + QString::fromLatin1(hash.toBase64(QByteArray::OmitTrailingEquals));
}

QJsonObject toJson(const RegisteredKey &key)
{
    QJsonObject object{{u"id"_s, key.id},
                       {u"name"_s, key.name},
                       {u"publicKey"_s, QString::fromLatin1(key.publicLine)},
                       {u"createdAt"_s, key.createdAt.toString(Qt::ISODateWithMs)}};
    if (key.lastUsedAt.isValid())
        object.insert(u"lastUsedAt"_s, key.lastUsedAt.toString(Qt::ISODateWithMs));
    return object;
}

std::optional<RegisteredKey> fromJson(const QJsonObject &object)
{
    const auto parsed = parse(object.value("publicKey"_L1).toString().toLatin1());
    RegisteredKey key;
    key.id = object.value("id"_L1).toString();
    key.name = object.value("name"_L1).toString();
    if (!parsed || key.id.isEmpty())
        return std::nullopt;
    key.type = QString::fromLatin1(parsed->type);
    key.fingerprint = fingerprintOf(parsed->blob);
    key.publicLine = parsed->type + ' ' + parsed->base64;
    key.createdAt = QDateTime::fromString(object.value("createdAt"_L1).toString(), Qt::ISODateWithMs);
    key.lastUsedAt = QDateTime::fromString(object.value("lastUsedAt"_L1).toString(), Qt::ISODateWithMs);
    return key;
}

} // namespace

KeyStore::KeyStore(const QString &file) : m_file(file)
{
    const auto content = readFile(file);
    if (!content) {
        if (content.error().kind != ErrorKind::NotFound)
            qCWarning(lcKeys) << "The registered keys cannot be read:" << describe(content.error());
        return;
    }
    const QJsonArray keys = QJsonDocument::fromJson(*content).object().value("keys"_L1).toArray();
    for (const QJsonValue &value : keys) {
        if (auto key = fromJson(value.toObject()); key && m_keys.size() < mostKeys)
            m_keys.append(*key);
        else
            qCWarning(lcKeys) << "A registered key was damaged and is not used any more";
    }
}

QList<RegisteredKey> KeyStore::all() const
{
    const QMutexLocker lock(&m_mutex);
    return m_keys;
}

Result<RegisteredKey> KeyStore::add(const QString &name, const QByteArray &publicLine)
{
    const auto parsed = parse(publicLine);
    if (!parsed)
        return failure(ErrorKind::InvalidInput, Layer::Provider,
                       u"this is not a public key as OpenSSH writes it (one line of a .pub file)"_s);
    RegisteredKey key;
    key.name = tamed(name, 200).trimmed();
    if (key.name.isEmpty())
        return failure(ErrorKind::InvalidInput, Layer::Provider, u"a key needs a name"_s);
    key.id = u"ssh_key_"_s + newSandboxId();
    key.type = QString::fromLatin1(parsed->type);
    key.fingerprint = fingerprintOf(parsed->blob);
    key.publicLine = parsed->type + ' ' + parsed->base64;
    key.createdAt = QDateTime::currentDateTimeUtc();

    const QMutexLocker lock(&m_mutex);
    for (const RegisteredKey &other : std::as_const(m_keys)) {
        if (other.publicLine == key.publicLine)
            return failure(ErrorKind::Conflict, Layer::Provider,
                           u"this key is registered already, as \"%1\""_s.arg(other.name));
    }
    if (m_keys.size() >= mostKeys)
        return failure(ErrorKind::QuotaExceeded, Layer::Provider, u"there are 1,000 keys already"_s);
    m_keys.append(key);
    if (const auto saved = save(); !saved) {
        m_keys.removeLast();
        return std::unexpected(saved.error());
    }
    return key;
}

Done KeyStore::remove(const QString &id)
{
    const QMutexLocker lock(&m_mutex);
    for (qsizetype i = 0; i < m_keys.size(); ++i) {
        if (m_keys[i].id != id)
            continue;
        const RegisteredKey key = m_keys.takeAt(i);
        const auto saved = save();
        if (!saved)
            m_keys.insert(i, key);
        return saved;
    }
    return failure(ErrorKind::NotFound, Layer::Provider, u"there is no such key"_s, id);
}

std::optional<RegisteredKey> KeyStore::match(const QByteArray &base64Blob)
{
    const QMutexLocker lock(&m_mutex);
    for (RegisteredKey &key : m_keys) {
        // A public key is no secret: how long this takes tells nothing.
        if (key.publicLine.sliced(key.publicLine.indexOf(' ') + 1) != base64Blob)
            continue;
        const QDateTime now = QDateTime::currentDateTimeUtc();
        const bool stale = !key.lastUsedAt.isValid()
                || key.lastUsedAt.secsTo(now) >= useResolutionSeconds;
        key.lastUsedAt = now;
        if (const auto saved = stale ? save() : Done(); !saved)
            qCWarning(lcKeys) << "The use of a key was not noted:" << describe(saved.error());
        return key;
    }
    return std::nullopt;
}

Done KeyStore::save() const
{
    QJsonArray keys;
    for (const RegisteredKey &key : m_keys)
        keys.append(toJson(key));
    const QJsonObject content{{u"version"_s, 1}, {u"keys"_s, keys}};
    return writePrivateFile(m_file, QJsonDocument(content).toJson());
}

} // namespace Sandpiper

#include "session/sshkeyfile.h"

#include "session/paths.h"
#include "session/sshhandles.h"
#include "session/sshwire.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kLargestFile = 64 * 1024;
constexpr qsizetype kMostKeys = 500;
constexpr QByteArrayView kOpenSshHead("-----BEGIN OPENSSH PRIVATE KEY-----");

std::unexpected<Error> notAKey(const QString &file, const QString &why)
{
    return failure(ErrorKind::InvalidInput, Layer::LocalDisk, why, file);
}

struct OpenSshFacts
{
    QByteArray blob;
    bool isEncrypted = false;
};

// OpenSSH's PROTOCOL.key: the public half stands in front, unencrypted.
std::optional<OpenSshFacts> openSshFacts(const QByteArray &text)
{
    const qsizetype end = text.indexOf("-----END");
    if (!text.startsWith(kOpenSshHead) || end < 0)
        return std::nullopt;
    QByteArray data = QByteArray::fromBase64(text.sliced(kOpenSshHead.size(), end - kOpenSshHead.size()));
    constexpr QByteArrayView magic("openssh-key-v1\0", 15);
    QByteArrayView rest(data);
    std::optional<OpenSshFacts> facts;
    QByteArrayView cipher;
    QByteArrayView skipped;
    QByteArrayView blob;
    quint32 count = 0;
    if (rest.startsWith(magic)) {
        rest = rest.sliced(magic.size());
        if (SshWire::takeString(rest, cipher) && SshWire::takeString(rest, skipped) && SshWire::takeString(rest, skipped)
            && SshWire::takeNumber(rest, count) && count == 1 && SshWire::takeString(rest, blob) && !typeFromBlob(blob).isEmpty())
            facts = OpenSshFacts{blob.toByteArray(), cipher != "none"};
    }
    wipe(data);
    return facts;
}

int noteThatAPassphraseIsWanted(const char *, char *, size_t, int, int, void *wanted)
{
    *static_cast<bool *>(wanted) = true;
    return -1;
}

// Fills in what the PEM text tells by itself.
bool readPem(const QByteArray &text, KeyFile &facts)
{
    ssh_key raw = nullptr;
    const int code = ssh_pki_import_privkey_base64(text.constData(), nullptr, noteThatAPassphraseIsWanted, &facts.isEncrypted, &raw);
    const SshKeyHandle key(raw);
    char *encoded = nullptr;
    if (code == SSH_OK && ssh_pki_export_pubkey_base64(key.get(), &encoded) == SSH_OK) {
        const SshTextHandle owner(encoded);
        const QByteArray type = typeFromBlob(QByteArray::fromBase64(encoded));
        if (const Result<PublicKeyLine> line = parsePublicKey(type + ' ' + encoded))
            facts.key = *line;
        return true;
    }
    return facts.isEncrypted;
}

void addCertificate(KeyFile &facts)
{
    QString file = facts.file;
    if (facts.form == KeyFile::Form::PublicOnly && file.endsWith(".pub"_L1))
        file.chop(4);
    if (const Result<QByteArray> line = readFile(file + u"-cert.pub"_s, kLargestFile)) {
        facts.certificate = certificateFromBlob(blobFromLine(*line));
        if (facts.certificate && fingerprintOfBlob(facts.certificate->plainBlob) != facts.key.fingerprint)
            facts.certificate.reset();
    }
}

} // namespace

bool isKeyFileName(const QString &name)
{
    return !name.isEmpty() && !name.contains(u'/') && !name.startsWith(u'.') && !name.startsWith(u'-') && !name.endsWith(".pub"_L1);
}

std::optional<QString> whyKeyFileIsRefused(const QString &file)
{
    struct stat info = {};
    const QByteArray path = QFile::encodeName(file);
    if (::stat(path.constData(), &info) != 0 || !S_ISREG(info.st_mode) || ::access(path.constData(), R_OK) != 0)
        return u"the key file %1 cannot be read"_s.arg(file);
    if (info.st_uid == ::getuid() && (info.st_mode & 0077) != 0) {
        return u"the permissions of the key file %1 are too open (%2), so it is not used: run chmod 600 %1"_s
                .arg(file, QString::number(info.st_mode & 0777, 8));
    }
    return std::nullopt;
}

Result<PublicKeyLine> readPublicKeyFile(const QString &file)
{
    const Result<QByteArray> content = readFile(file, kLargestFile);
    if (!content)
        return std::unexpected(content.error());
    Result<PublicKeyLine> key = parsePublicKey(*content);
    if (!key)
        key.error().subject = file;
    return key;
}

Result<KeyFile> readKeyFile(const QString &file)
{
    Result<QByteArray> content = readFile(file, kLargestFile);
    if (!content)
        return std::unexpected(content.error());
    KeyFile facts;
    facts.file = file;
    facts.modified = QFileInfo(file).lastModified();
    const QByteArray text = content->trimmed();
    wipe(*content);
    bool isUsable = true;
    if (const std::optional<OpenSshFacts> openSsh = openSshFacts(text)) {
        facts.form = KeyFile::Form::OpenSsh;
        facts.isEncrypted = openSsh->isEncrypted;
        if (const Result<PublicKeyLine> line = parsePublicKey(typeFromBlob(openSsh->blob) + ' ' + openSsh->blob.toBase64()))
            facts.key = *line;
        isUsable = !facts.key.line.isEmpty();
    } else if (text.startsWith(kOpenSshHead)) {
        isUsable = false;
    } else if (text.startsWith("-----BEGIN ") && text.first(qMin<qsizetype>(text.size(), 80)).contains("PRIVATE KEY")) {
        facts.form = KeyFile::Form::Pem;
        isUsable = readPem(text, facts);
    } else {
        const Result<PublicKeyLine> line = parsePublicKey(text);
        if (!line)
            return notAKey(file, line.error().detail);
        facts.key = *line;
    }
    if (!isUsable)
        return notAKey(file, u"The private key is damaged, or of a kind that cannot be read."_s);
    if (facts.form != KeyFile::Form::PublicOnly) {
        // The comment is kept there, and for a locked PEM key everything is.
        const Result<PublicKeyLine> beside = readPublicKeyFile(file + u".pub"_s);
        if (beside && (facts.key.line.isEmpty() || facts.key.fingerprint == beside->fingerprint))
            facts.key = *beside;
        struct stat info = {};
        facts.isOpenToOthers = ::stat(QFile::encodeName(file).constData(), &info) == 0 && info.st_uid == ::getuid() && (info.st_mode & 0077) != 0;
    }
    addCertificate(facts);
    return facts;
}

QList<KeyFile> keyFilesIn(const QString &folder)
{
    QList<KeyFile> found;
    const QFileInfoList files = QDir(folder).entryInfoList(QDir::Files | QDir::Readable, QDir::Name);
    for (const QFileInfo &info : files) {
        const QString file = info.absoluteFilePath();
        const bool isPublic = file.endsWith(".pub"_L1);
        if (found.size() >= kMostKeys || info.size() > kLargestFile || file.endsWith("-cert.pub"_L1)
            || (isPublic && QFileInfo::exists(file.chopped(4))))
            continue;
        QFile head(file);
        if (!isPublic && (!head.open(QIODevice::ReadOnly) || !head.read(11).startsWith("-----BEGIN ")))
            continue;
        if (const Result<KeyFile> key = readKeyFile(file))
            found.append(*key);
    }
    return found;
}

} // namespace Sandpiper

// What can be done with key files; see session/sshkeyfile.h.
#include "session/filedescriptor.h"
#include "session/paths.h"
#include "session/sshhandles.h"
#include "session/sshkeyfile.h"
#include "session/sshwire.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kLargestFile = 64 * 1024;
constexpr int kMostBackups = 100;

std::unexpected<Error> badInput(const QString &file, const QString &sentence)
{
    return failure(ErrorKind::InvalidInput, Layer::LocalDisk, sentence, file);
}

// For the text of a private key that the library hands out.
struct WipedText
{
    void operator()(char *text) const
    {
        ::explicit_bzero(text, std::strlen(text));
        ssh_string_free_char(text);
    }
};
using PrivateText = std::unique_ptr<char, WipedText>;

// Of a file that must not be there yet.
Done createFile(const QString &path, QByteArrayView content, mode_t mode)
{
    const QByteArray name = QFile::encodeName(path);
    const FileDescriptor fd(::open(name.constData(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd.isValid()) {
        return failure(errno == EEXIST ? ErrorKind::Conflict : ErrorKind::Io, Layer::LocalDisk,
                       QString::fromLocal8Bit(std::strerror(errno)), path);
    }
    while (!content.isEmpty()) {
        const ssize_t written = ::write(fd.get(), content.data(), size_t(content.size()));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            const QString why = QString::fromLocal8Bit(std::strerror(errno));
            ::unlink(name.constData());
            return failure(ErrorKind::Io, Layer::LocalDisk, why, path);
        }
        content = content.sliced(written);
    }
    ::fsync(fd.get());
    return {};
}

Result<SshKeyHandle> parsed(const QString &file, const char *text, const Secret &passphrase)
{
    const SecretText secret(passphrase);
    ssh_key raw = nullptr;
    // Without a passphrase nobody may be asked: the library would ask on the terminal.
    const auto nobody = [](const char *, char *, size_t, int, int, void *) { return -1; };
    if (ssh_pki_import_privkey_base64(text, passphrase.isEmpty() ? nullptr : secret.text(), nobody, nullptr, &raw) != SSH_OK || !raw)
        return badInput(file, u"This passphrase does not open the key."_s);
    return SshKeyHandle(raw);
}

// What the file says of itself, and its private key.
struct Opened
{
    KeyFile facts;
    SshKeyHandle key;
};

Result<Opened> openKey(const QString &file, const Secret &passphrase)
{
    Result<KeyFile> facts = readKeyFile(file);
    if (!facts)
        return std::unexpected(facts.error());
    if (facts->form == KeyFile::Form::PublicOnly)
        return badInput(file, u"This is a public key; the private one is needed."_s);
    if (facts->isOnSecurityKey())
        return badInput(file, u"This key is on a security key. Use ssh-add or ssh-keygen for it."_s);
    Result<QByteArray> text = readFile(file, kLargestFile);
    if (!text)
        return std::unexpected(text.error());
    const Secret content = Secret::taking(*text);
    Result<SshKeyHandle> key = parsed(file, SecretText(content).text(), passphrase);
    if (!key)
        return std::unexpected(key.error());
    return Opened{std::move(*facts), std::move(*key)};
}

// In OpenSSH's form, and read back before anything relies on it.
Result<PrivateText> exported(const QString &file, ssh_key key, const Secret &passphrase)
{
    const SecretText secret(passphrase);
    char *text = nullptr;
    if (ssh_pki_export_privkey_base64_format(key, passphrase.isEmpty() ? nullptr : secret.text(), nullptr, nullptr, &text, SSH_FILE_FORMAT_OPENSSH) != SSH_OK)
        return failure(ErrorKind::Unsupported, Layer::LocalDisk, u"this kind of key cannot be written"_s, file);
    PrivateText owner(text);
    const Result<SshKeyHandle> again = parsed(file, text, passphrase);
    if (!again || ssh_key_cmp(key, again->get(), SSH_KEY_CMP_PRIVATE) != 0)
        return failure(ErrorKind::Io, Layer::LocalDisk, u"the key could not be written as it was"_s, file);
    return owner;
}

Result<PublicKeyLine> publicLine(const QString &file, ssh_key key, const QString &comment)
{
    char *encoded = nullptr;
    if (ssh_pki_export_pubkey_base64(key, &encoded) != SSH_OK)
        return failure(ErrorKind::Unsupported, Layer::LocalDisk, u"this kind of key cannot be written"_s, file);
    const SshTextHandle owner(encoded);
    return parsePublicKey(typeFromBlob(QByteArray::fromBase64(encoded)) + ' ' + encoded + ' ' + tamed(comment, 200).toUtf8());
}

Done writePublicHalf(const QString &file, ssh_key key, const QString &comment)
{
    if (QFileInfo::exists(file + u".pub"_s))
        return {};
    const Result<PublicKeyLine> line = publicLine(file, key, comment);
    return line ? createFile(file + u".pub"_s, line->line + '\n', 0644) : std::unexpected(line.error());
}

// Links are followed, so that it is the file and not the link that is replaced.
QString realPath(const QString &file)
{
    const QString real = QFileInfo(file).canonicalFilePath();
    return real.isEmpty() ? file : real;
}

// Takes type, numbers and comment out of OpenSSH's form without a passphrase.
Result<Secret> numbersOf(const QString &file, ssh_key key, const QByteArray &comment)
{
    using namespace SshWire;
    const Result<PrivateText> text = exported(file, key, Secret());
    if (!text)
        return std::unexpected(text.error());
    const QByteArrayView all(text->get());
    const qsizetype begin = all.indexOf('\n');
    const qsizetype end = all.indexOf("-----END");
    QByteArray encoded = all.sliced(begin, end - begin).toByteArray();
    QByteArray data = QByteArray::fromBase64(encoded);
    wipe(encoded);
    const Secret owner = Secret::taking(data);
    QByteArrayView rest = owner.reveal().sliced(qMin<qsizetype>(15, owner.reveal().size())); // the magic word
    QByteArrayView skipped;
    QByteArrayView section;
    quint32 number32 = 0;
    bool ok = takeString(rest, skipped) && takeString(rest, skipped) && takeString(rest, skipped) && takeNumber(rest, number32)
            && takeString(rest, skipped) && takeString(rest, section) && takeNumber(section, number32) && takeNumber(section, number32);
    const QByteArrayView start = section;
    QByteArrayView type;
    ok = ok && takeString(section, type);
    const int fields = type == "ssh-rsa" ? 6 : type == "ssh-ed25519" ? 2 : 3;
    for (int i = 0; ok && i < fields; ++i)
        ok = takeString(section, skipped);
    if (!ok)
        return failure(ErrorKind::Unsupported, Layer::LocalDisk, u"this kind of key cannot be given to an agent"_s, file);
    QByteArray numbers;
    numbers.reserve(start.size() + comment.size() + 8);
    numbers += start.first(start.size() - section.size());
    numbers += string(comment);
    return Secret::taking(numbers);
}

} // namespace

Result<PublicKeyLine> generateKey(NewKeyType type, const QString &file, const QString &comment, const Secret &passphrase)
{
    for (const QString &path : {file, file + u".pub"_s}) {
        if (QFileInfo::exists(path) || QFileInfo(path).isSymLink())
            return failure(ErrorKind::Conflict, Layer::LocalDisk, u"it is there already"_s, path);
    }
    ssh_key raw = nullptr;
    const int code = type == NewKeyType::Ed25519 ? ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &raw) : ssh_pki_generate(SSH_KEYTYPE_RSA, 4096, &raw);
    const SshKeyHandle key(raw);
    if (code != SSH_OK)
        return failure(ErrorKind::Io, Layer::LocalDisk, u"the key could not be made"_s, file);
    const Result<PublicKeyLine> line = publicLine(file, key.get(), comment);
    if (!line)
        return line;
    const Result<PrivateText> text = exported(file, key.get(), passphrase);
    if (!text)
        return std::unexpected(text.error());
    if (!QFileInfo(file).absoluteDir().exists()) {
        if (const Done made = makePrivateFolder(QFileInfo(file).absolutePath()); !made)
            return std::unexpected(made.error());
    }
    if (const Done written = createFile(file, text->get(), 0600); !written)
        return std::unexpected(written.error());
    if (const Done written = createFile(file + u".pub"_s, line->line + '\n', 0644); !written) {
        QFile::remove(file);
        return std::unexpected(written.error());
    }
    return line;
}

Result<QString> convertKey(const QString &file, const Secret &passphrase)
{
    const QString real = realPath(file);
    const Result<Opened> opened = openKey(real, passphrase);
    if (!opened)
        return std::unexpected(opened.error());
    if (opened->facts.form == KeyFile::Form::OpenSsh)
        return badInput(file, u"This key is in OpenSSH's form already."_s);
    const Result<PrivateText> text = exported(real, opened->key.get(), opened->facts.isEncrypted ? passphrase.clone() : Secret());
    if (!text)
        return std::unexpected(text.error());
    Result<QByteArray> before = readFile(real, kLargestFile);
    if (!before)
        return std::unexpected(before.error());
    const Secret old = Secret::taking(*before);
    QString backup;
    Done kept = failure(ErrorKind::Conflict, Layer::LocalDisk, u"there are too many backups of it"_s, file);
    for (int i = 1; i <= kMostBackups && !kept && kept.error().kind == ErrorKind::Conflict; ++i) {
        backup = real + (i == 1 ? u".pem-backup"_s : u".pem-backup%1"_s.arg(i));
        kept = createFile(backup, old.reveal(), 0600);
    }
    if (!kept)
        return std::unexpected(kept.error());
    if (const Done written = writePrivateFile(real, text->get()); !written) {
        QFile::remove(backup);
        return std::unexpected(written.error());
    }
    if (const Done pub = writePublicHalf(real, opened->key.get(), opened->facts.key.comment); !pub)
        return std::unexpected(pub.error());
    return backup;
}

Done changePassphrase(const QString &file, const Secret &before, const Secret &after)
{
    const QString real = realPath(file);
    const Result<Opened> opened = openKey(real, before);
    if (!opened)
        return std::unexpected(opened.error());
    const Result<PrivateText> text = exported(real, opened->key.get(), after);
    if (!text)
        return std::unexpected(text.error());
    if (const Done written = writePrivateFile(real, text->get()); !written)
        return written;
    return writePublicHalf(real, opened->key.get(), opened->facts.key.comment);
}

Done addKeyFileToAgent(const QByteArray &socketPath, const QString &file, const Secret &passphrase, const AgentConstraints &constraints,
                       Deadline deadline)
{
    const Result<Opened> opened = openKey(file, passphrase);
    if (!opened)
        return std::unexpected(opened.error());
    const QString comment = opened->facts.key.comment.isEmpty() ? file : opened->facts.key.comment;
    const Result<Secret> numbers = numbersOf(file, opened->key.get(), comment.toUtf8());
    return numbers ? addToAgent(socketPath, *numbers, constraints, deadline) : std::unexpected(numbers.error());
}

} // namespace Sandpiper

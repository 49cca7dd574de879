#include "sshserver/hostkey.h"

#include "session/paths.h"
#include "session/secret.h"
#include "session/sshhandles.h"

#include <QFile>
#include <QLockFile>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int lockPatience = 5'000; // milliseconds; a key is made in a few

Error keyFileError(const QString &file, const QString &what)
{
    return {ErrorKind::Io, Layer::LocalDisk, what, file};
}

Done makeKeyFile(const QString &file)
{
    // A client that met the key of whoever came second would call it a changed host key.
    QLockFile lock(file + u".lock"_s);
    if (!lock.tryLock(lockPatience))
        return std::unexpected(keyFileError(file, u"another program is making it"_s));
    if (QFile::exists(file))
        return {};
    ssh_key made = nullptr;
    char *text = nullptr;
    const bool done = ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &made) == SSH_OK
            && ssh_pki_export_privkey_base64(made, nullptr, nullptr, nullptr, &text) == SSH_OK;
    const SshKeyHandle key(made);
    const SshTextHandle owned(text);
    if (!done)
        return std::unexpected(keyFileError(file, u"no key could be made"_s));
    QByteArray content(text);
    const Done written = writePrivateFile(file, content);
    wipe(content);
    return written;
}

} // namespace

Result<QByteArray> hostKeyFrom(const QString &file)
{
    if (!QFile::exists(file)) {
        if (const Done made = makeKeyFile(file); !made)
            return std::unexpected(made.error());
    }
    ssh_key read = nullptr;
    if (ssh_pki_import_privkey_file(QFile::encodeName(file).constData(), nullptr, nullptr, nullptr, &read) != SSH_OK)
        return std::unexpected(keyFileError(file, u"it holds no usable private key"_s));
    const SshKeyHandle key(read);
    ssh_key publicHalf = nullptr;
    char *text = nullptr;
    const bool told = ssh_pki_export_privkey_to_pubkey(key.get(), &publicHalf) == SSH_OK
            && ssh_pki_export_pubkey_base64(publicHalf, &text) == SSH_OK;
    const SshKeyHandle publicKey(publicHalf);
    const SshTextHandle base64(text);
    if (!told)
        return std::unexpected(keyFileError(file, u"its public half cannot be told"_s));
    return QByteArray(ssh_key_type_to_char(ssh_key_type(publicKey.get()))) + ' ' + base64.get();
}

} // namespace Sandpiper

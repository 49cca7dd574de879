#include "gateway/gatewaystate.h"

#include "session/gatewayfile.h"
#include "session/paths.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QJsonDocument>

#include <libssh/libssh.h>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype longestSocketFolder = 60;

struct KeyDeleter
{
    void operator()(ssh_key key) const { ssh_key_free(key); }
};
using SshKeyHandle = std::unique_ptr<ssh_key_struct, KeyDeleter>;

Result<QByteArray> publicLineOf(ssh_key key, const QString &file)
{
    char *base64 = nullptr;
    if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
        return failure(ErrorKind::Io, Layer::LocalDisk, u"the public key cannot be told"_s, file);
    QByteArray line = QByteArray(ssh_key_type_to_char(ssh_key_type(key))) + ' ' + base64;
    ssh_string_free_char(base64);
    return line;
}

} // namespace

Result<GatewayFolders> GatewayFolders::make(const QString &stateOption)
{
    GatewayFolders folders;
    if (stateOption.isEmpty()) {
        const QString state = stateFolder();
        const QString data = dataFolder();
        const QString run = runtimeFolder();
        if (state.isEmpty() || data.isEmpty() || run.isEmpty())
            return failure(ErrorKind::Io, Layer::LocalDisk, u"the user's own folders cannot be made"_s);
        folders = {state + u"/gateway"_s, data + u"/sandboxes"_s, run, run + u"/sbx"_s};
    } else {
        const QString state = QDir(stateOption).absolutePath();
        folders = {state, state + u"/sandboxes"_s, state + u"/run"_s, state + u"/run/sbx"_s};
    }
    if (QFile::encodeName(folders.sockets).size() > longestSocketFolder) {
        const QByteArray hash = QCryptographicHash::hash(QFile::encodeName(folders.state), QCryptographicHash::Sha256).toHex();
        folders.sockets = u"/tmp/sandpiper-%1-%2"_s.arg(::geteuid()).arg(QLatin1StringView(hash.first(12)));
    }
    for (const QString &folder : {folders.state, folders.sandboxes, folders.run, folders.sockets}) {
        if (const Done made = makePrivateFolder(folder); !made)
            return std::unexpected(made.error());
    }
    return folders;
}

GatewayLock::~GatewayLock()
{
    ::close(m_fd);
}

Result<std::unique_ptr<GatewayLock>> GatewayLock::take(const QString &file)
{
    const int fd = ::open(QFile::encodeName(file).constData(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failure(ErrorKind::Io, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(errno)), file);
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return std::unique_ptr<GatewayLock>(new GatewayLock(fd));
    const int error = errno;
    ::close(fd);
    if (error == EAGAIN || error == EACCES)
        return std::unique_ptr<GatewayLock>();
    return failure(ErrorKind::Io, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(error)), file);
}

Done GatewayLock::note(const QString &runtimeFile)
{
    const QByteArray text = QFile::encodeName(runtimeFile);
    if (::ftruncate(m_fd, 0) != 0 || ::pwrite(m_fd, text.constData(), size_t(text.size()), 0) != text.size())
        return failure(ErrorKind::Io, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(errno)));
    return {};
}

Result<Secret> loadApiKey(const GatewayFolders &folders)
{
    const QString file = folders.state + u"/api_key"_s;
    Result<QByteArray> kept = readFile(file, 4096);
    if (kept) {
        Secret key(QByteArrayView(*kept).trimmed());
        wipe(*kept);
        if (key.reveal().startsWith("tl_apiKey_") && key.reveal().size() >= 32)
            return key;
        return failure(ErrorKind::Io, Layer::LocalDisk, u"it holds no API key"_s, file);
    }
    if (kept.error().kind != ErrorKind::NotFound)
        return std::unexpected(kept.error());
    const Secret random = Secret::randomHex(32);
    Secret key(QByteArrayView("tl_apiKey_" + random.reveal().toByteArray()));
    if (const Done done = writePrivateFile(file, key.reveal()); !done)
        return std::unexpected(done.error());
    return key;
}

Result<KeyPair> loadEd25519Key(const QString &file)
{
    const QByteArray name = QFile::encodeName(file);
    ssh_key raw = nullptr;
    if (QFile::exists(file)) {
        if (ssh_pki_import_privkey_file(name.constData(), nullptr, nullptr, nullptr, &raw) != SSH_OK)
            return failure(ErrorKind::Io, Layer::LocalDisk, u"it holds no private key that can be read"_s, file);
        const SshKeyHandle key(raw);
        return publicLineOf(raw, file).transform([&](const QByteArray &line) { return KeyPair{file, line}; });
    }
    if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &raw) != SSH_OK)
        return failure(ErrorKind::Io, Layer::Ssh, u"an Ed25519 key cannot be made"_s);
    const SshKeyHandle key(raw);
    char *text = nullptr;
    if (ssh_pki_export_privkey_base64_format(raw, nullptr, nullptr, nullptr, &text, SSH_FILE_FORMAT_OPENSSH) != SSH_OK)
        return failure(ErrorKind::Io, Layer::Ssh, u"an Ed25519 key cannot be written"_s);
    const Secret content{QByteArrayView(text)};
    explicit_bzero(text, std::strlen(text));
    ssh_string_free_char(text);
    if (const Done done = writePrivateFile(file, content.reveal()); !done)
        return std::unexpected(done.error());
    return publicLineOf(raw, file).transform([&](const QByteArray &line) { return KeyPair{file, line}; });
}

KeptPorts loadPorts(const GatewayFolders &folders)
{
    const Result<QByteArray> content = readFile(folders.state + u"/ports.json"_s, 4096);
    if (!content)
        return {};
    const QJsonObject object = QJsonDocument::fromJson(*content).object();
    const auto port = [&](const QString &name) {
        const int value = object.value(name).toInt();
        return quint16(value > 0 && value <= 65535 ? value : 0);
    };
    return {port(u"http"_s), port(u"ssh"_s)};
}

Done savePorts(const GatewayFolders &folders, const KeptPorts &ports)
{
    const QJsonObject object{{u"http"_s, ports.http}, {u"ssh"_s, ports.ssh}};
    return writePrivateFile(folders.state + u"/ports.json"_s, QJsonDocument(object).toJson());
}

Result<QJsonObject> runningGateway(const GatewayFolders &folders)
{
    return readGatewayFile(folders.runtimeFile(), folders.lockFile());
}

} // namespace Sandpiper

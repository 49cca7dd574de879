#include "session/gatewayfile.h"

#include "session/secret.h"

#include <QFile>
#include <QJsonDocument>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 largest = 64 * 1024;

// A file that only this user can have written and read.
Result<QByteArray> readOwnFile(const QString &path)
{
    const int fd = ::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, path);
    if (fd < 0)
        return failure(ErrorKind::Io, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(errno)), path);
    QFile file;
    if (!file.open(fd, QIODevice::ReadOnly, QFileDevice::AutoCloseHandle)) {
        ::close(fd);
        return failure(ErrorKind::Io, Layer::LocalDisk, file.errorString(), path);
    }
    struct stat info = {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 0077) != 0)
        return failure(ErrorKind::PermissionDenied, Layer::LocalDisk, u"it is not this user's alone"_s, path);
    QByteArray content = file.read(largest + 1);
    if (content.size() > largest)
        return failure(ErrorKind::TooLarge, Layer::LocalDisk, {}, path);
    return content;
}

} // namespace

bool isGatewayLockHeld(const QString &lockFile)
{
    const int fd = ::open(QFile::encodeName(lockFile).constData(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    const bool held = ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    ::close(fd);
    return held;
}

Result<QJsonObject> readGatewayFile(const QString &runtimeFile, const QString &lockFile)
{
    if (!isGatewayLockHeld(lockFile))
        return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, runtimeFile);
    Result<QByteArray> content = readOwnFile(runtimeFile);
    if (!content && content.error().kind == ErrorKind::NotFound) {
        // Whoever started it may have had another XDG_RUNTIME_DIR; the lock file says where it is.
        const Result<QByteArray> elsewhere = readOwnFile(lockFile);
        if (elsewhere && elsewhere->startsWith('/'))
            content = readOwnFile(QFile::decodeName(*elsewhere));
    }
    if (!content)
        return std::unexpected(content.error());
    const QJsonDocument document = QJsonDocument::fromJson(*content);
    wipe(*content);
    const qint64 pid = document.object().value(u"pid"_s).toInteger();
    if (!document.isObject() || pid <= 1)
        return failure(ErrorKind::Protocol, Layer::LocalDisk, u"it does not say where a gateway is"_s, runtimeFile);
    if (::kill(pid_t(pid), 0) != 0 && errno == ESRCH)
        return failure(ErrorKind::NotFound, Layer::LocalDisk, u"the gateway that wrote it has ended"_s, runtimeFile);
    return document.object();
}

} // namespace Sandpiper

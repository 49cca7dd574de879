#include "session/paths.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QStandardPaths>

#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

Error diskError(const QString &path, const QString &what)
{
    return {ErrorKind::Io, Layer::LocalDisk, what, path};
}

QString xdgFolder(const char *variable, const QString &fallbackInHome)
{
    // Relative values are to be ignored (XDG Base Directory Specification, "Environment variables").
    const QString set = QFile::decodeName(qgetenv(variable));
    const QString base = set.startsWith(u'/') ? set : QDir::homePath() + u'/' + fallbackInHome;
    const QString folder = base + u"/sandpiper"_s;
    return makePrivateFolder(folder) ? folder : QString();
}

} // namespace

QString configFolder()
{
    return xdgFolder("XDG_CONFIG_HOME", u".config"_s);
}

QString stateFolder()
{
    return xdgFolder("XDG_STATE_HOME", u".local/state"_s);
}

QString dataFolder()
{
    return xdgFolder("XDG_DATA_HOME", u".local/share"_s);
}

QString cacheFolder()
{
    return xdgFolder("XDG_CACHE_HOME", u".cache"_s);
}

QString runtimeFolder()
{
    const QString set = QFile::decodeName(qgetenv("XDG_RUNTIME_DIR"));
    struct stat info = {};
    // A runtime folder that is not ours alone is as good as none.
    if (set.startsWith(u'/') && ::stat(QFile::encodeName(set).constData(), &info) == 0
        && info.st_uid == ::geteuid() && (info.st_mode & 0077) == 0) {
        const QString folder = set + u"/sandpiper"_s;
        if (makePrivateFolder(folder))
            return folder;
    }
    const QString state = stateFolder();
    if (state.isEmpty())
        return {};
    const QString folder = state + u"/run"_s;
    return makePrivateFolder(folder) ? folder : QString();
}

Done makePrivateFolder(const QString &path)
{
    const QFileInfo info(path);
    if (!info.isDir() && !QDir().mkpath(info.absolutePath()))
        return std::unexpected(diskError(path, u"its parent cannot be made"_s));
    const QByteArray name = QFile::encodeName(path);
    if (::mkdir(name.constData(), 0700) == 0)
        return {};
    if (errno != EEXIST)
        return std::unexpected(diskError(path, QString::fromLocal8Bit(std::strerror(errno))));
    struct stat is = {};
    if (::stat(name.constData(), &is) != 0 || !S_ISDIR(is.st_mode))
        return std::unexpected(diskError(path, u"it is not a folder"_s));
    if (is.st_uid != ::geteuid())
        return std::unexpected(diskError(path, u"it belongs to another user"_s));
    if ((is.st_mode & 0077) != 0 && ::chmod(name.constData(), 0700) != 0)
        return std::unexpected(diskError(path, QString::fromLocal8Bit(std::strerror(errno))));
    return {};
}

Done writePrivateFile(const QString &path, QByteArrayView content)
{
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly))
        return std::unexpected(diskError(path, file.errorString()));
    // Before the first byte: a secret must not be readable by others for even a moment.
    if (!file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner))
        return std::unexpected(diskError(path, file.errorString()));
    if (file.write(content.data(), content.size()) != content.size() || !file.flush()
        || ::fsync(file.handle()) != 0 || !file.commit())
        return std::unexpected(diskError(path, file.errorString()));
    return {};
}

Result<QByteArray> readFile(const QString &path, qint64 maxBytes)
{
    QFile file(path);
    if (!file.exists())
        return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, path);
    if (!file.open(QIODevice::ReadOnly))
        return std::unexpected(diskError(path, file.errorString()));
    QByteArray content = file.read(maxBytes + 1);
    if (content.size() > maxBytes)
        return failure(ErrorKind::TooLarge, Layer::LocalDisk, {}, path);
    return content;
}

} // namespace Sandpiper

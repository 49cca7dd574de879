#include "app/cli/kepttransfer.h"

#include "session/paths.h"

#include <QCryptographicHash>
#include <QDataStream>
#include <QDateTime>
#include <QDir>
#include <QFile>

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostDays = 60;

QString nameOf(const TransferWish &wish)
{
    QByteArray bytes;
    QDataStream stream(&bytes, QIODevice::WriteOnly);
    stream << int(wish.way) << wish.sandbox.toString() << wish.sourceSandbox.toString();
    for (const FilePath &source : wish.sources)
        stream << source.bytes();
    stream << wish.base.bytes() << wish.target.bytes() << wish.targetName << wish.namesUnlessFolder << wish.recurses;
    return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex().first(32));
}

void removeOld(const QString &folder)
{
    const QDateTime limit = QDateTime::currentDateTime().addDays(-kMostDays);
    for (const QFileInfo &file : QDir(folder).entryInfoList(QDir::Files | QDir::Hidden)) {
        if (file.lastModified() < limit)
            (void)QFile::remove(file.filePath());
    }
}

} // namespace

CliResult<KeptTransfer> KeptTransfer::open(const TransferWish &wish)
{
    const auto failed = [](const QString &detail) { return std::unexpected(CliError{{ErrorKind::Io, Layer::LocalDisk, detail, u"state of --resume"_s}, {}}); };
    const QString state = stateFolder();
    const QString folder = state + u"/resume"_s;
    if (state.isEmpty())
        return failed(u"there is no folder for it"_s);
    if (const Done made = makePrivateFolder(folder); !made)
        return std::unexpected(CliError{made.error(), {}});
    removeOld(folder);
    const QString file = folder + u'/' + nameOf(wish);
    FileDescriptor lock(::open(QFile::encodeName(file + u".lock"_s).constData(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock.isValid())
        return failed(qt_error_string(errno));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        return std::unexpected(CliError{{ErrorKind::Conflict, Layer::LocalDisk, u"locked"_s, file}, u"another process is at the same transfer"_s});
    (void)::futimens(lock.get(), nullptr); // somebody has come back
    return KeptTransfer(file, std::move(lock));
}

void KeptTransfer::forget()
{
    for (const QLatin1StringView ending : {""_L1, "-wal"_L1, "-shm"_L1, ".lock"_L1})
        (void)QFile::remove(m_file + ending);
}

} // namespace Sandpiper

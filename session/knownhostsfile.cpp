#include "session/knownhostsfile.h"

#include "session/filedescriptor.h"
#include "session/paths.h"

#include <QFile>
#include <QFileInfo>
#include <QSaveFile>
#include <QThread>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kTries = 100;
constexpr std::chrono::milliseconds kBetweenTries{20};

Error diskError(const QString &path, int number)
{
    return {ErrorKind::Io, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(number)), path};
}

// The file that has this name while we hold it: one that was replaced meanwhile is opened anew.
Result<FileDescriptor> openInTurn(const QString &path, int flags)
{
    const QByteArray name = QFile::encodeName(path);
    for (int attempt = 0; attempt < kTries; ++attempt) {
        FileDescriptor file(::open(name.constData(), flags | O_CLOEXEC, 0600));
        if (!file.isValid() && errno == ENOENT)
            return failure(ErrorKind::NotFound, Layer::LocalDisk, {}, path);
        if (!file.isValid())
            return std::unexpected(diskError(path, errno));
        struct stat held = {};
        struct stat named = {};
        if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
            if (::fstat(file.get(), &held) == 0 && ::stat(name.constData(), &named) == 0
                && held.st_ino == named.st_ino && held.st_dev == named.st_dev)
                return file;
            continue;
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return file; // a file system without locks: one write is still whole
        QThread::sleep(kBetweenTries);
    }
    return failure(ErrorKind::Timeout, Layer::LocalDisk, u"another program holds it"_s, path);
}

QByteArrayView withoutEnd(QByteArrayView line)
{
    while (line.endsWith('\n') || line.endsWith('\r'))
        line.chop(1);
    return line;
}

// A symbolic link (a home folder kept elsewhere) stays one: what it points to is replaced.
QString realPath(const QString &path)
{
    const QString real = QFileInfo(path).canonicalFilePath();
    return real.isEmpty() ? path : real;
}

Done replaceFile(const QString &path, const QByteArray &content, QFileDevice::Permissions mode)
{
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || !file.setPermissions(mode) || file.write(content) != content.size()
        || !file.flush() || ::fsync(file.handle()) != 0 || !file.commit())
        return failure(ErrorKind::Io, Layer::LocalDisk, file.errorString(), path);
    return {};
}

// Nothing where one of the entries is not in it.
std::optional<QByteArray> contentWithout(const QByteArray &before, QList<KnownHostEntry> entries)
{
    QByteArray after;
    after.reserve(before.size());
    qsizetype number = 0;
    for (qsizetype at = 0; at < before.size();) {
        const qsizetype newline = before.indexOf('\n', at);
        const qsizetype end = newline < 0 ? before.size() : newline + 1;
        const QByteArrayView line = QByteArrayView(before).sliced(at, end - at);
        ++number;
        const qsizetype removed = entries.removeIf([&](const KnownHostEntry &entry) {
            return entry.line == number && withoutEnd(line) == entry.content;
        });
        if (removed == 0)
            after.append(line);
        at = end;
    }
    return entries.isEmpty() ? std::optional(after) : std::nullopt;
}

} // namespace

Result<KnownHostList> listKnownHosts(const QString &path)
{
    const Result<QByteArray> content = readFile(path, kLargestKnownHosts);
    if (!content)
        return std::unexpected(content.error());
    KnownHostList list;
    list.garbage = forEachKnownHost(*content, [&](const KnownHostLine &line) {
        if (list.entries.size() == KnownHostList::maxEntries) {
            list.isTruncated = true;
            return;
        }
        list.entries.append({path, line.number, withoutEnd(line.whole).toByteArray(), line.hosts.toByteArray(), line.marker, line.key});
    });
    return list;
}

Done appendKnownHost(const QString &path, const std::function<QByteArray(const QByteArray &before)> &line)
{
    const QString folder = QFileInfo(path).absolutePath();
    // An existing ~/.ssh keeps the mode its owner gave it.
    if (!QFileInfo(folder).isDir()) {
        if (const Done made = makePrivateFolder(folder); !made)
            return made;
    }
    const Result<FileDescriptor> file = openInTurn(path, O_RDWR | O_CREAT | O_APPEND);
    if (!file)
        return std::unexpected(file.error());
    const Result<QByteArray> before = readFile(path, kLargestKnownHosts);
    if (!before)
        return std::unexpected(before.error());
    const QByteArray made = line(*before);
    if (made.isEmpty() || made.startsWith(' '))
        return failure(ErrorKind::Io, Layer::LocalDisk, u"OpenSSL has no random numbers"_s, path);
    const QByteArray added = (before->isEmpty() || before->endsWith('\n') ? "" : "\n") + made + '\n';
    const ssize_t written = ::write(file->get(), added.constData(), size_t(added.size()));
    if (written != added.size())
        return std::unexpected(diskError(path, written < 0 ? errno : ENOSPC));
    if (::fsync(file->get()) != 0 && errno != EINVAL)
        return std::unexpected(diskError(path, errno));
    return {};
}

Done addKnownHostLine(const QString &path, const QByteArray &line)
{
    const QByteArray whole = line.trimmed();
    if (whole.contains('\n') || whole.contains('\r') || whole.contains('\0') || !parseKnownHostLine(whole))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk,
                       u"a line has a host, a type and a key, as in known_hosts or from ssh-keyscan"_s, path);
    const Result<KnownHostList> list = listKnownHosts(path);
    if (!list && list.error().kind != ErrorKind::NotFound)
        return std::unexpected(list.error());
    for (const KnownHostEntry &entry : list ? list->entries : QList<KnownHostEntry>()) {
        if (entry.content == whole)
            return failure(ErrorKind::Conflict, Layer::LocalDisk, u"line %1 is this one already"_s.arg(entry.line), path);
    }
    return appendKnownHost(path, [&](const QByteArray &) { return whole; });
}

Done forgetKnownHosts(const QString &path, const QList<KnownHostEntry> &entries, KnownHostBackup backup)
{
    const Result<FileDescriptor> file = openInTurn(path, O_RDONLY);
    if (!file)
        return std::unexpected(file.error());
    const QString real = realPath(path);
    const auto mode = QFileInfo(real).permissions() & (QFile::ReadOwner | QFile::WriteOwner | QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther);
    // Whoever does not take turns (ssh itself) may write at any time: what is replaced is what was read.
    for (int attempt = 0; attempt < kTries; ++attempt) {
        const Result<QByteArray> before = readFile(real, kLargestKnownHosts);
        if (!before)
            return std::unexpected(before.error());
        const std::optional<QByteArray> after = contentWithout(*before, entries);
        if (!after)
            return failure(ErrorKind::NotFound, Layer::LocalDisk, u"the line is not there any more"_s, path);
        if (backup == KnownHostBackup::Keep) {
            if (const Done kept = replaceFile(real + u".old"_s, *before, mode); !kept)
                return kept;
        }
        if (readFile(real, kLargestKnownHosts) == before)
            return replaceFile(real, *after, mode);
    }
    return failure(ErrorKind::Conflict, Layer::LocalDisk, u"another program writes to it all the time"_s, path);
}

} // namespace Sandpiper

#include "session/sshconfigstore.h"

#include "session/paths.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QLockFile>
#include <QMap>
#include <QSaveFile>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostBytes = 4 << 20;
constexpr int kMostLinks = 32;
constexpr std::chrono::seconds kTurn{10};
const QByteArray kMarker = "# sandbox ";
const QByteArray kHeader = "# Written by Sandpiper, which replaces it. What you set yourself belongs in ~/.ssh/config.\n";

std::unexpected<Error> diskFailure(const QString &path, const QString &why)
{
    return failure(ErrorKind::Io, Layer::LocalDisk, why, path);
}

Result<QByteArray> readIfThere(const QString &path)
{
    const Result<QByteArray> content = readFile(path, kMostBytes);
    return !content && content.error().kind == ErrorKind::NotFound ? Result<QByteArray>(QByteArray()) : content;
}

struct Section
{
    QString owner;
    QString alias;
    QString user; // as it is written there
    QByteArray text; // with its marker and its last line's end
};

std::vector<Section> sectionsOf(const QByteArray &content)
{
    std::vector<Section> sections;
    for (const QByteArray &line : content.split('\n')) {
        if (line.startsWith(kMarker))
            sections.push_back({QString::fromUtf8(line.sliced(kMarker.size()).trimmed()), {}, {}, {}});
        if (sections.empty() || line.isEmpty())
            continue;
        Section &section = sections.back();
        section.text += line + '\n';
        if (section.alias.isEmpty() && line.startsWith("Host "))
            section.alias = QString::fromUtf8(line.sliced(5).trimmed());
        if (section.user.isEmpty() && line.startsWith("    User "))
            section.user = QString::fromUtf8(line.sliced(9));
    }
    return sections;
}

Done writeChanged(const QString &path, const QByteArray &before, const QByteArray &after)
{
    return before == after ? Done() : writePrivateFile(path, after);
}

Done mergeHostKeys(const SshConfigFiles &files, const QList<SshHostBlock> &blocks)
{
    const Result<QByteArray> before = readIfThere(files.knownHosts);
    if (!before)
        return std::unexpected(before.error());
    QByteArrayList lines;
    for (const QByteArray &line : before->split('\n')) {
        const bool isReplaced = std::any_of(blocks.cbegin(), blocks.cend(), [&](const SshHostBlock &block) {
            return !block.hostKey.isEmpty() && line.startsWith(block.hostKeyAlias.toUtf8() + ' ');
        });
        if (!line.isEmpty() && !isReplaced)
            lines << line + '\n';
    }
    for (const SshHostBlock &block : blocks) {
        if (const QByteArray line = knownHostsLineOf(block); !lines.contains(line))
            lines << line;
    }
    std::sort(lines.begin(), lines.end());
    return writeChanged(files.knownHosts, *before, lines.join());
}

// The files of ours, one writer at a time.
Done inTurn(const SshConfigFiles &files, const std::function<Done()> &work)
{
    QLockFile turn(files.blocks + u".lock"_s);
    if (!turn.tryLock(kTurn))
        return failure(turn.error() == QLockFile::LockFailedError ? ErrorKind::Timeout : ErrorKind::Io, Layer::LocalDisk,
                       u"another program is writing it"_s, files.blocks);
    return work();
}

// Where a chain of symbolic links ends, whether or not something is there.
Result<QString> endOfLinks(const QString &path)
{
    QString at = path;
    for (int n = 0; n < kMostLinks; ++n) {
        const QFileInfo info(at);
        if (!info.isSymLink())
            return at;
        at = QDir::cleanPath(info.symLinkTarget());
    }
    return diskFailure(path, u"its symbolic links lead nowhere"_s);
}

bool includesAtTop(const QByteArray &content, const QString &line)
{
    for (const QByteArray &raw : content.split('\n')) {
        const QString text = QString::fromUtf8(raw).simplified();
        if (text == line)
            return true;
        const QString keyword = text.section(u' ', 0, 0).section(u'=', 0, 0).toLower();
        if (keyword == "host"_L1 || keyword == "match"_L1)
            return false;
    }
    return false;
}

// A copy beside the file, under a name that was free, with the file's own mode.
Result<QString> backUp(const QString &path, const QByteArray &content, mode_t mode)
{
    for (int n = 1; n < 1000; ++n) {
        const QString name = path + u".before-sandpiper"_s + (n == 1 ? QString() : u'-' + QString::number(n));
        const int fd = ::open(QFile::encodeName(name).constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        QFile file;
        if (fd < 0 || !file.open(fd, QIODevice::WriteOnly, QFileDevice::AutoCloseHandle))
            return diskFailure(name, QString::fromLocal8Bit(std::strerror(errno)));
        if (file.write(content) != content.size() || !file.flush() || ::fchmod(fd, mode) != 0 || ::fsync(fd) != 0)
            return diskFailure(name, QString::fromLocal8Bit(std::strerror(errno)));
        return name;
    }
    return diskFailure(path, u"too many copies lie beside it"_s);
}

std::optional<struct stat> statOf(const QString &path)
{
    struct stat info = {};
    return ::stat(QFile::encodeName(path).constData(), &info) == 0 ? std::optional(info) : std::nullopt;
}

bool isSame(const std::optional<struct stat> &one, const std::optional<struct stat> &other)
{
    if (!one || !other)
        return one.has_value() == other.has_value();
    return one->st_ino == other->st_ino && one->st_size == other->st_size
            && one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

// Replaces the file at once, with the mode and the owner that it had.
Done replace(const QString &path, const QByteArray &content, const std::optional<struct stat> &before)
{
    if (before && before->st_uid != ::geteuid() && ::geteuid() != 0)
        return diskFailure(path, u"it belongs to another user"_s);
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly))
        return diskFailure(path, file.errorString());
    const mode_t mode = before ? before->st_mode & 07777 : 0600;
    if (before && ::fchown(file.handle(), before->st_uid, before->st_gid) != 0)
        return diskFailure(path, QString::fromLocal8Bit(std::strerror(errno)));
    if (::fchmod(file.handle(), mode) != 0 || file.write(content) != content.size() || !file.flush() || ::fsync(file.handle()) != 0)
        return diskFailure(path, file.errorString());
    if (!isSame(before, statOf(path)))
        return failure(ErrorKind::Conflict, Layer::LocalDisk, u"it was changed meanwhile"_s, path);
    return file.commit() ? Done() : diskFailure(path, file.errorString());
}

} // namespace

SshConfigFiles defaultSshConfigFiles()
{
    const QString ours = configFolder();
    return {ours + u"/ssh_config"_s, ours + u"/ssh_known_hosts"_s, QDir::homePath() + u"/.ssh/config"_s};
}

Result<QHash<QString, QString>> sshAliasOwners(const SshConfigFiles &files)
{
    const Result<QByteArray> content = readIfThere(files.blocks);
    if (!content)
        return std::unexpected(content.error());
    QHash<QString, QString> owners;
    for (const Section &section : sectionsOf(*content))
        owners.insert(section.alias, section.owner);
    return owners;
}

Done writeSshHostKeys(const SshConfigFiles &files, const QList<SshHostBlock> &blocks)
{
    return inTurn(files, [&] { return mergeHostKeys(files, blocks); });
}

Done writeSshBlocks(const SshConfigFiles &files, const SshBlockChange &change)
{
    return inTurn(files, [&]() -> Done {
        const Result<QByteArray> before = readIfThere(files.blocks);
        if (!before)
            return std::unexpected(before.error());
        if (const Done done = mergeHostKeys(files, change.blocks); !done)
            return done;
        // By alias: one sandbox may have several, for SSH servers inside of it.
        QMap<QString, QByteArray> texts;
        for (const Section &section : sectionsOf(*before)) {
            const bool isReplaced = std::any_of(change.blocks.cbegin(), change.blocks.cend(), [&](const SshHostBlock &block) {
                return block.owner == section.owner && sshConfigWord(block.user) == section.user;
            });
            if (!isReplaced && (!change.keeps || change.keeps(section.owner)))
                texts.insert(section.alias, section.text);
        }
        for (const SshHostBlock &block : change.blocks)
            texts.insert(block.alias, kMarker + block.owner.toUtf8() + '\n' + textOf(block));
        QByteArray after = kHeader;
        for (const QByteArray &text : std::as_const(texts))
            after += '\n' + text;
        if (after.size() > kMostBytes)
            return failure(ErrorKind::TooLarge, Layer::LocalDisk, {}, files.blocks);
        return writeChanged(files.blocks, *before, after);
    });
}

QString sshIncludeLine(const SshConfigFiles &files)
{
    // ssh takes "~" for the home of the password database, whatever HOME says.
    const passwd *user = ::getpwuid(::geteuid());
    const QString home = user ? QFile::decodeName(user->pw_dir) : QString();
    QString path = files.blocks;
    if (home.size() > 1 && path.startsWith(home + u'/'))
        path = u'~' + path.sliced(home.size());
    return u"Include "_s + sshConfigWord(path);
}

Result<bool> hasSshInclude(const SshConfigFiles &files)
{
    const Result<QByteArray> content = readIfThere(files.userConfig);
    if (!content)
        return std::unexpected(content.error());
    return includesAtTop(*content, sshIncludeLine(files));
}

Result<QString> addSshInclude(const SshConfigFiles &files)
{
    const Result<QString> target = endOfLinks(files.userConfig);
    if (!target)
        return std::unexpected(target.error());
    const QString folder = QFileInfo(files.userConfig).absolutePath();
    if (!QFileInfo(folder).exists()) {
        if (const Done made = makePrivateFolder(folder); !made)
            return std::unexpected(made.error());
    }
    const std::optional<struct stat> before = statOf(*target);
    const Result<QByteArray> content = readIfThere(*target);
    if (!content)
        return std::unexpected(content.error());
    const QString line = sshIncludeLine(files);
    if (includesAtTop(*content, line))
        return QString();
    QString copy;
    if (before) {
        const Result<QString> made = backUp(files.userConfig, *content, before->st_mode & 0777);
        if (!made)
            return made;
        copy = *made;
    }
    const QByteArray newline = content->left(content->indexOf('\n') + 1).endsWith("\r\n") ? "\r\n" : "\n";
    const Done done = replace(*target, line.toUtf8() + newline + *content, before);
    if (!done)
        return std::unexpected(done.error());
    return copy;
}

} // namespace Sandpiper

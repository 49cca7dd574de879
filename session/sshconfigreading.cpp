#include "session/sshconfigreading.h"

#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>

#include <algorithm>

#include <glob.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostBytes = 4 << 20;
constexpr size_t kMostFiles = 1024;
constexpr qsizetype kMostIncluded = 512; // by one line

// Why ssh would not take it; empty: it would.
QString mistrustOf(const QString &path, uint uid)
{
    struct stat info{};
    if (::stat(QFile::encodeName(path).constData(), &info) != 0)
        return {};
    if ((info.st_uid != 0 && info.st_uid != uid) || (info.st_mode & 022) != 0)
        return u"somebody else could have written it: it must belong to you and be writable by nobody else"_s;
    return {};
}

} // namespace

SshConfigReading::SshConfigReading(SshConfig::Sources given)
    : sources(std::move(given))
{
}

SshTokens SshConfigReading::tokens() const
{
    SshTokens tokens;
    tokens.localUser = sources.localUser;
    tokens.home = sources.home;
    tokens.uid = sources.uid;
    tokens.localHost = sources.localHost;
    tokens.variable = sources.variable;
    return tokens;
}

const SshConfigFile *SshConfigReading::file(const QString &path, Trust trust)
{
    if (const auto known = files.find(path); known != files.end())
        return known->second.get();
    if (files.size() >= kMostFiles)
        return nullptr;
    auto fresh = std::make_unique<SshConfigFile>();
    fresh->path = path;
    order.append(path);
    // A FIFO would hold the reader up for ever.
    QFile file(path);
    if (QFileInfo(path).isFile() && file.open(QIODevice::ReadOnly)) {
        fresh->isThere = true;
        if (trust == Trust::OwnersOnly)
            fresh->refusal = mistrustOf(path, sources.uid);
        const QByteArray content = fresh->refusal.isEmpty() ? file.read(kMostBytes + 1) : QByteArray();
        if (content.size() > kMostBytes)
            fresh->refusal = u"it is larger than 4 MiB"_s;
        else
            fresh->lines = sshConfigLines(content);
    }
    // ssh reads every line of a file, also those of other hosts, and stops at any mistake.
    for (const SshConfigLine &line : std::as_const(fresh->lines)) {
        QString mistake = line.mistake;
        if (mistake.isEmpty()) {
            SshWritten scratch;
            mistake = applySshSetting(line, scratch).mistake;
        }
        if (!mistake.isEmpty() && line.keyword != SshKeyword::Unknown) {
            fresh->problems.append({SshConfigProblem::Kind::Refused, {path, line.number},
                                    tamed(u"%1: %2"_s.arg(line.name, mistake), 300)});
        }
    }
    const SshConfigFile *result = fresh.get();
    files.emplace(path, std::move(fresh));
    return result;
}

QStringList SshConfigReading::included(const QString &pattern, bool isUsers)
{
    QString path = pattern;
    if (path.startsWith(u'~')) {
        const Result<QString> expanded = isUsers ? expandSshHome(path, sources.home) : Result<QString>(QString());
        if (!expanded || expanded->isEmpty())
            return {};
        path = *expanded;
    } else if (!path.startsWith(u'/')) {
        path = (isUsers ? sources.home + u"/.ssh/"_s : QFileInfo(sources.systemFile).path() + u'/') + path;
    }
    const qsizetype wildcard = path.indexOf(QRegularExpression(u"[*?\\[]"_s));
    if (wildcard < 0)
        return {path};
    folders.insert(path.first(path.lastIndexOf(u'/', wildcard)));
    glob_t found{};
    QStringList result;
    if (::glob(QFile::encodeName(path).constData(), 0, nullptr, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && result.size() < kMostIncluded; ++i)
            result.append(QFile::decodeName(found.gl_pathv[i]));
    }
    ::globfree(&found);
    return result;
}

} // namespace Sandpiper

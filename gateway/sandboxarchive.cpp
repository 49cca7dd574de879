#include "gateway/sandboxarchive.h"

#include "gateway/sandboxrecord.h"
#include "session/paths.h"

#include <QDir>
#include <QFile>
#include <QLoggingCategory>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

Q_LOGGING_CATEGORY(lcArchive, "sandpiper.gateway.archive", QtInfoMsg)

constexpr qint64 longestRecord = 256 << 10;

} // namespace

SandboxArchive::SandboxArchive(const QString &folder) : m_folder(folder) {}

Done SandboxArchive::prepare() const
{
    for (const QString &name : {u""_s, u"/records"_s, u"/files"_s}) {
        if (const auto made = makePrivateFolder(m_folder + name); !made)
            return made;
    }
    return {};
}

QList<LocalSandbox> SandboxArchive::load() const
{
    QList<LocalSandbox> sandboxes;
    const QDir records(m_folder + u"/records"_s);
    const QStringList names = records.entryList({u"*.json"_s}, QDir::Files);
    for (const QString &name : names) {
        const auto content = readFile(records.filePath(name), longestRecord);
        auto sandbox = content ? sandboxOf(*content) : std::nullopt;
        if (!sandbox || name != sandbox->id + u".json"_s) {
            qCWarning(lcArchive) << "The record" << name << "is damaged; its files are left alone";
            continue;
        }
        sandboxes.append(*std::move(sandbox));
    }
    return sandboxes;
}

Done SandboxArchive::save(const LocalSandbox &sandbox) const
{
    return writePrivateFile(m_folder + u"/records/"_s + sandbox.id + u".json"_s, recordOf(sandbox));
}

void SandboxArchive::forget(const QString &id) const
{
    QFile::remove(m_folder + u"/records/"_s + id + u".json"_s);
}

QString SandboxArchive::systemFolder() const
{
    return m_folder + u"/system"_s;
}

QString SandboxArchive::home(const QString &id) const
{
    return m_folder + u"/files/"_s + id + u"/home"_s;
}

QString SandboxArchive::workspace(const QString &id) const
{
    return m_folder + u"/files/"_s + id + u"/workspace"_s;
}

Done SandboxArchive::makeFiles(const QString &id) const
{
    for (const QString &path : {m_folder + u"/files/"_s + id, home(id), workspace(id)}) {
        if (const auto made = makePrivateFolder(path); !made)
            return made;
    }
    // As a user expects to find them; the folder above is private.
    constexpr auto permissions = QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner
            | QFile::ReadGroup | QFile::ExeGroup | QFile::ReadOther | QFile::ExeOther;
    QFile::setPermissions(home(id), permissions);
    QFile::setPermissions(workspace(id), permissions);
    return {};
}

QString SandboxArchive::discardFiles(const QString &id) const
{
    const QString from = m_folder + u"/files/"_s + id;
    const QString to = m_folder + u"/files/removed-"_s + id;
    return QDir().rename(from, to) ? to : from;
}

QStringList SandboxArchive::discarded() const
{
    const QDir files(m_folder + u"/files"_s);
    QStringList paths;
    const QStringList names = files.entryList({u"removed-*"_s}, QDir::Dirs | QDir::Hidden);
    for (const QString &name : names)
        paths.append(files.filePath(name));
    return paths;
}

} // namespace Sandpiper

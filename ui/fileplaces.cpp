#include "ui/fileplaces.h"

#include "session/paths.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

Q_LOGGING_CATEGORY(lcPlaces, "sandpiper.ui.places", QtInfoMsg)

constexpr qsizetype kMostBookmarks = 100;
constexpr qsizetype kMostHistory = 40;
constexpr qsizetype kMostSandboxes = 300;

QJsonArray toJson(const QList<FilePath> &paths)
{
    QJsonArray array;
    for (const FilePath &path : paths)
        array.append(QString::fromLatin1(path.bytes().toPercentEncoding("/")));
    return array;
}

QList<FilePath> pathsFrom(const QJsonArray &array, qsizetype atMost)
{
    QList<FilePath> paths;
    for (const QJsonValue &value : array) {
        const Result<FilePath> path = FilePath::fromBytes(QByteArray::fromPercentEncoding(value.toString().toLatin1()));
        if (path && path->isAbsolute() && paths.size() < atMost)
            paths.append(*path);
    }
    return paths;
}

} // namespace

FilePlaces::FilePlaces(const QString &file)
    : m_file(file)
{
    load();
}

void FilePlaces::load()
{
    const Result<QByteArray> content = m_file.isEmpty() ? Result<QByteArray>() : readFile(m_file);
    if (!content)
        return;
    const QJsonObject json = QJsonDocument::fromJson(*content).object();
    if (json.value("version"_L1).toInt() != 1)
        return;
    const QJsonObject places = json.value("places"_L1).toObject();
    for (auto it = places.begin(); it != places.end(); ++it) {
        const std::optional<SandboxId> id = it.key() == "local"_L1 ? std::optional(SandboxId()) : SandboxId::parse(it.key());
        const QJsonObject one = it->toObject();
        if (id)
            m_places.insert(*id, {pathsFrom(one.value("bookmarks"_L1).toArray(), kMostBookmarks), pathsFrom(one.value("history"_L1).toArray(), kMostHistory)});
    }
}

void FilePlaces::save() const
{
    if (m_file.isEmpty())
        return;
    QJsonObject places;
    for (auto it = m_places.begin(); it != m_places.end() && places.size() < kMostSandboxes; ++it) {
        places.insert(it.key().isEmpty() ? u"local"_s : it.key().toString(),
                      QJsonObject{{u"bookmarks"_s, toJson(it->bookmarks)}, {u"history"_s, toJson(it->history)}});
    }
    const QByteArray content = QJsonDocument(QJsonObject{{u"version"_s, 1}, {u"places"_s, places}}).toJson();
    if (const Done done = writePrivateFile(m_file, content); !done)
        qCWarning(lcPlaces).noquote() << "bookmarks could not be kept:" << describe(done.error());
}

void FilePlaces::toggleBookmark(const SandboxId &sandbox, const FilePath &folder)
{
    QList<FilePath> &bookmarks = m_places[sandbox].bookmarks;
    if (bookmarks.removeAll(folder) == 0 && bookmarks.size() < kMostBookmarks)
        bookmarks.append(folder);
    save();
}

void FilePlaces::visited(const SandboxId &sandbox, const FilePath &folder)
{
    QList<FilePath> &history = m_places[sandbox].history;
    if (!history.isEmpty() && history.constFirst() == folder)
        return;
    history.removeAll(folder);
    history.prepend(folder);
    if (history.size() > kMostHistory)
        history.resize(kMostHistory);
    // Written with the next bookmark or when a browser goes: no fsync for each folder.
}

} // namespace Sandpiper

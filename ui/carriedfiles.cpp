#include "ui/carriedfiles.h"

#include <QCborArray>
#include <QCborMap>
#include <QCoreApplication>
#include <QUrl>
#include <QUuid>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr qsizetype kMostPaths = 100'000;
constexpr auto kOwnType = "application/x-sandpiper-files"_L1;
// What file managers of GNOME and KDE say of a cut.
constexpr auto kGnomeType = "x-special/gnome-copied-files"_L1;
constexpr auto kKdeCut = "application/x-kde-cutselection"_L1;

class Words
{
    Q_DECLARE_TR_FUNCTIONS(Sandpiper::CarriedFiles)
};

const QByteArray &ownWord()
{
    static const QByteArray word = QUuid::createUuid().toRfc4122();
    return word;
}

std::optional<FilePath> absolute(const QByteArray &bytes)
{
    const Result<FilePath> path = FilePath::fromBytes(bytes);
    return path && path->isAbsolute() ? std::optional(*path) : std::nullopt;
}

} // namespace

std::unique_ptr<QMimeData> mimeFor(const CarriedFiles &files)
{
    auto data = std::make_unique<QMimeData>();
    QCborArray paths;
    QList<QUrl> urls;
    QByteArray gnome = files.isCut ? "cut" : "copy";
    for (const FilePath &path : files.paths) {
        paths.append(path.bytes());
        const QByteArray url = "file://" + path.bytes().toPercentEncoding("/");
        urls.append(QUrl::fromEncoded(url));
        gnome += '\n' + url;
    }
    const QCborMap map{{u"word"_s, ownWord()}, {u"place"_s, files.place.isEmpty() ? QString() : files.place.toString()}, {u"name"_s, files.placeName}, {u"sftp"_s, files.hasSftp}, {u"cut"_s, files.isCut}, {u"paths"_s, paths}};
    data->setData(kOwnType, QCborValue(map).toCbor());
    if (!files.isLocal())
        return data;
    data->setUrls(urls);
    data->setData(kGnomeType, gnome);
    if (files.isCut)
        data->setData(kKdeCut, "1");
    return data;
}

bool mayHoldFiles(const QMimeData *data)
{
    return data && (data->hasFormat(kOwnType) || data->hasUrls());
}

std::optional<CarriedFiles> filesIn(const QMimeData *data)
{
    if (!data)
        return std::nullopt;
    CarriedFiles files;
    const QCborMap map = data->hasFormat(kOwnType) ? QCborValue::fromCbor(data->data(kOwnType)).toMap() : QCborMap();
    if (map.value(u"word"_s).toByteArray() == ownWord()) {
        const QString place = map.value(u"place"_s).toString();
        const std::optional<SandboxId> id = place.isEmpty() ? std::optional(SandboxId()) : SandboxId::parse(place);
        const QCborArray paths = map.value(u"paths"_s).toArray();
        for (qsizetype i = 0; i < std::min(paths.size(), kMostPaths); ++i) {
            if (const std::optional<FilePath> path = absolute(paths.at(i).toByteArray()))
                files.paths.append(*path);
        }
        if (!id || files.paths.isEmpty())
            return std::nullopt;
        files.place = *id;
        files.placeName = tamed(map.value(u"name"_s).toString(), 200);
        files.hasSftp = map.value(u"sftp"_s).toBool();
        files.isCut = map.value(u"cut"_s).toBool();
        files.isOurs = true;
        return files;
    }
    for (const QUrl &url : data->urls().first(std::min(kMostPaths, data->urls().size()))) {
        if (!url.isLocalFile() || !url.host().isEmpty())
            continue;
        const QByteArray bytes = QByteArray::fromPercentEncoding(url.path(QUrl::FullyEncoded).toLatin1());
        if (const std::optional<FilePath> path = absolute(bytes))
            files.paths.append(*path);
    }
    files.isCut = data->data(kGnomeType).startsWith("cut\n") || data->data(kKdeCut) == "1";
    return files.paths.isEmpty() ? std::nullopt : std::optional(files);
}

Qt::DropAction actionFor(const CarriedFiles &files, const SandboxId &target, Qt::KeyboardModifiers modifiers)
{
    // The desktop has its own ways to remove a file.
    if (!files.isOurs || modifiers.testFlag(Qt::ControlModifier))
        return Qt::CopyAction;
    return modifiers.testFlag(Qt::ShiftModifier) || files.place == target ? Qt::MoveAction : Qt::CopyAction;
}

TransferWish wishFor(const CarriedFiles &files, const CarryTarget &target, bool moves)
{
    TransferWish wish;
    const bool isToHere = target.place.isEmpty();
    wish.way = files.isLocal() && !isToHere && target.hasSftp ? TransferWay::Send
            : isToHere && !files.isLocal() && files.hasSftp   ? TransferWay::Fetch
                                                              : TransferWay::Relay;
    wish.sandbox = wish.way == TransferWay::Fetch ? files.place : target.place;
    if (!wish.sandbox.isEmpty())
        wish.sandboxName = wish.way == TransferWay::Fetch ? files.placeName : target.placeName;
    if (wish.way == TransferWay::Relay && !files.isLocal()) {
        wish.sourceSandbox = files.place;
        wish.sourceSandboxName = files.placeName;
    }
    wish.sources = files.paths;
    wish.target = target.folder;
    wish.moves = moves;
    return wish;
}

QString namesOf(const CarriedFiles &files)
{
    return files.paths.size() == 1 ? u'“' + shownBytes(files.paths.constFirst().name()).left(80) + u'”' : Words::tr("%L1 files").arg(files.paths.size());
}

} // namespace Sandpiper

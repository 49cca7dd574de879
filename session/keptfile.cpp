#include "session/keptfile.h"

#include "session/paths.h"

#include <QDateTime>
#include <QFileInfo>
#include <QJsonDocument>
#include <QLockFile>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int fileVersion = 1;

} // namespace

KeptFile::KeptFile(QString file, QString listName)
    : m_file(std::move(file))
    , m_listName(std::move(listName))
{
}

Error KeptFile::trouble(ErrorKind kind, const QString &detail) const
{
    return {kind, Layer::LocalDisk, detail, m_file};
}

KeptFile::Reading KeptFile::read(const QByteArray &content, QJsonArray &list)
{
    QJsonObject root = QJsonDocument::fromJson(content).object();
    const int version = root.value("version"_L1).toInt();
    if (version > fileVersion)
        return Reading::TooNew;
    if (version != fileVersion || !root.value(m_listName).isArray())
        return Reading::Damaged;
    list = root.take(m_listName).toArray();
    m_others = root;
    return Reading::Whole;
}

QJsonArray KeptFile::load(const std::function<bool(const QJsonArray &)> &isWhole)
{
    m_error.reset();
    m_others = {};
    m_readOnly = false;
    const Result<QByteArray> content = readFile(m_file);
    if (!content) {
        m_readOnly = content.error().kind != ErrorKind::NotFound;
        if (m_readOnly)
            m_error = content.error();
        return {};
    }
    QJsonArray list;
    const Reading reading = read(*content, list);
    if (reading == Reading::TooNew) {
        m_readOnly = true;
        m_error = trouble(ErrorKind::Unsupported, u"it was written by a newer Sandpiper"_s);
        return {};
    }
    if (reading == Reading::Whole && isWhole(list))
        return list;
    // The time makes the copy findable.
    const QString base = m_file + u".damaged-"_s + QDateTime::currentDateTimeUtc().toString(u"yyyyMMdd-HHmmss"_s);
    QString aside = base;
    for (int i = 2; QFileInfo::exists(aside); ++i)
        aside = base + u'-' + QString::number(i);
    const Done kept = writePrivateFile(aside, *content);
    m_readOnly = !kept;
    m_error = trouble(ErrorKind::Protocol, kept ? u"what it held is kept in "_s + aside : kept.error().detail);
    return list;
}

Done KeptFile::change(const std::function<Result<QJsonArray>(const std::optional<QJsonArray> &)> &edit, const QJsonObject &others)
{
    if (m_readOnly)
        return std::unexpected(*m_error);
    if (Done folder = makePrivateFolder(QFileInfo(m_file).absolutePath()); !folder)
        return folder;
    QLockFile lock(m_file + u".lock"_s);
    if (!lock.tryLock(500))
        return std::unexpected(trouble(ErrorKind::Io, u"another program is changing it"_s));
    std::optional<QJsonArray> now;
    if (const Result<QByteArray> content = readFile(m_file)) {
        QJsonArray list;
        const Reading reading = read(*content, list);
        if (reading == Reading::TooNew)
            return std::unexpected(trouble(ErrorKind::Unsupported, u"it was written by a newer Sandpiper"_s));
        if (reading == Reading::Whole)
            now = list;
    }
    const Result<QJsonArray> edited = edit(now);
    if (!edited)
        return std::unexpected(edited.error());
    QJsonObject root = m_others;
    for (auto it = others.begin(); it != others.end(); ++it)
        root.insert(it.key(), it.value());
    QJsonObject beside = root;
    root.insert(u"version"_s, fileVersion);
    root.insert(m_listName, *edited);
    const Done saved = writePrivateFile(m_file, QJsonDocument(root).toJson());
    if (saved)
        m_others = std::move(beside);
    return saved;
}

} // namespace Sandpiper

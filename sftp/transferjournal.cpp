#include "sftp/transferjournal.h"

#include "session/json.h"
#include "session/paths.h"

#include <QDataStream>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPointer>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QUuid>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

// 2: wishes may be relays. 3: batches. 4: when it ended. What earlier versions have is read as it is.
constexpr int kVersion = 4;
constexpr auto kSoon = 100ms;

QString textOf(const FilePath &path)
{
    return QString::fromLatin1(path.bytes().toBase64());
}

FilePath pathOf(const QJsonValue &value)
{
    return FilePath::fromBytes(QByteArray::fromBase64(value.toString().toLatin1())).value_or(FilePath());
}

QString textOf(const TransferWish &wish)
{
    QJsonArray sources;
    for (const FilePath &source : wish.sources)
        sources.append(textOf(source));
    const QJsonObject object{
            {u"way"_s, int(wish.way)},
            {u"sandbox"_s, wish.sandbox.isEmpty() ? QString() : wish.sandbox.toString()},
            {u"sandboxName"_s, wish.sandboxName},
            {u"sourceSandbox"_s, wish.sourceSandbox.isEmpty() ? QString() : wish.sourceSandbox.toString()},
            {u"sourceSandboxName"_s, wish.sourceSandboxName},
            {u"sources"_s, sources},
            {u"base"_s, textOf(wish.base)},
            {u"target"_s, textOf(wish.target)},
            {u"targetName"_s, QString::fromLatin1(wish.targetName.toBase64())},
            {u"onConflict"_s, int(wish.onConflict)},
            {u"namesUnlessFolder"_s, wish.namesUnlessFolder},
            {u"recurses"_s, wish.recurses},
            {u"links"_s, int(wish.links)},
            {u"keepsMode"_s, wish.keepsMode},
            {u"keepsTimes"_s, wish.keepsTimes},
            {u"syncs"_s, wish.syncs},
            {u"hashes"_s, wish.hashes},
            {u"verifies"_s, wish.verifies},
            {u"moves"_s, wish.moves},
            {u"mostBytesPerSecond"_s, QString::number(wish.mostBytesPerSecond)},
            {u"mostLinks"_s, wish.mostLinks},
    };
    return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
}

template <typename Enum>
Enum enumOf(const QJsonValue &value, Enum last)
{
    return Enum(std::clamp(value.toInt(), 0, int(last)));
}

std::optional<TransferWish> wishOf(const QString &text)
{
    const QJsonObject object = QJsonDocument::fromJson(text.toUtf8()).object();
    TransferWish wish;
    wish.way = enumOf(object.value("way"_L1), TransferWay::Relay);
    // None: this computer, which only a relay has on both sides.
    const auto place = [&](QLatin1StringView key) {
        const QString id = object.value(key).toString();
        return id.isEmpty() && wish.way == TransferWay::Relay ? std::optional(SandboxId()) : SandboxId::parse(id);
    };
    const std::optional<SandboxId> sandbox = place("sandbox"_L1);
    const std::optional<SandboxId> from = wish.way == TransferWay::Relay ? place("sourceSandbox"_L1) : std::optional(SandboxId());
    for (const QJsonValue &source : object.value("sources"_L1).toArray())
        wish.sources.append(pathOf(source));
    if (!sandbox || !from || wish.sources.isEmpty())
        return std::nullopt;
    wish.sandbox = *sandbox;
    wish.sourceSandbox = *from;
    wish.sourceSandboxName = object.value("sourceSandboxName"_L1).toString();
    wish.sandboxName = object.value("sandboxName"_L1).toString();
    wish.base = pathOf(object.value("base"_L1));
    wish.target = pathOf(object.value("target"_L1));
    wish.targetName = QByteArray::fromBase64(object.value("targetName"_L1).toString().toLatin1());
    wish.onConflict = enumOf(object.value("onConflict"_L1), OnConflict::Rename);
    wish.links = enumOf(object.value("links"_L1), LinkTreatment::Skip);
    wish.namesUnlessFolder = object.value("namesUnlessFolder"_L1).toBool();
    wish.recurses = object.value("recurses"_L1).toBool(true);
    wish.keepsMode = object.value("keepsMode"_L1).toBool(true);
    wish.keepsTimes = object.value("keepsTimes"_L1).toBool(true);
    wish.syncs = object.value("syncs"_L1).toBool();
    wish.hashes = object.value("hashes"_L1).toBool();
    wish.verifies = object.value("verifies"_L1).toBool();
    wish.moves = object.value("moves"_L1).toBool();
    wish.mostBytesPerSecond = object.value("mostBytesPerSecond"_L1).toString().toULongLong();
    wish.mostLinks = std::clamp(object.value("mostLinks"_L1).toInt(8), 1, 8);
    return wish;
}

// Whole files of a batch, as one value: a row for each was more than a third of all work for thousands of small files.
QByteArray packedBatch(const QList<JournalledFile> &files)
{
    QByteArray bytes;
    bytes.reserve(files.size() * 96);
    QDataStream stream(&bytes, QIODevice::WriteOnly);
    stream.setVersion(QDataStream::Qt_6_0);
    for (const JournalledFile &file : files) {
        stream << file.target << quint8(file.state) << file.size << file.modified;
        if (file.state == JournalledFile::State::Moved)
            stream << file.name << file.receipt.size << file.receipt.mode << file.receipt.modified << file.receipt.sha256;
    }
    return bytes;
}

// Up to where it makes sense.
void unpack(const QByteArray &bytes, QHash<QByteArray, JournalledFile> &files)
{
    QDataStream stream(bytes);
    stream.setVersion(QDataStream::Qt_6_0);
    while (!stream.atEnd()) {
        JournalledFile file;
        quint8 state = 0;
        stream >> file.target >> state >> file.size >> file.modified;
        file.state = JournalledFile::State(state);
        if (file.state == JournalledFile::State::Moved)
            stream >> file.name >> file.receipt.size >> file.receipt.mode >> file.receipt.modified >> file.receipt.sha256;
        if (stream.status() != QDataStream::Ok || state < quint8(JournalledFile::State::Begun) || state > quint8(JournalledFile::State::Skipped))
            return;
        files.insert(file.target, file);
    }
}

} // namespace

// In the thread of the journal. Files that are moved as a whole are told in batches, which are only added to: what a
// later one says of a file counts. One that goes in parts has a row of its own, which is replaced with each part.
class TransferJournal::Database
{
public:
    explicit Database(const QString &file)
        : m_file(file)
        , m_name(u"transfers-"_s + QUuid::createUuid().toString(QUuid::WithoutBraces))
    {
    }
    ~Database()
    {
        m_database = QSqlDatabase();
        QSqlDatabase::removeDatabase(m_name);
    }
    Database(const Database &) = delete;
    Database &operator=(const Database &) = delete;

    // The trouble, once.
    [[nodiscard]] std::optional<Error> takeError() { return std::exchange(m_error, std::nullopt); }

    void open()
    {
        if (!tryOpen()) {
            // Kept for whoever wants to look into it; the transfers in it are told as lost.
            const QString aside = m_file + u".damaged"_s;
            m_database = QSqlDatabase();
            QSqlDatabase::removeDatabase(m_name);
            (void)QFile::remove(aside);
            const bool isAside = QFile::rename(m_file, aside);
            (void)QFile::remove(m_file + u"-wal"_s);
            (void)QFile::remove(m_file + u"-shm"_s);
            note(u"it cannot be read, and was put aside as %1"_s.arg(QFileInfo(aside).fileName()));
            m_isOpen = isAside && tryOpen();
        } else {
            m_isOpen = true;
        }
    }

    // All of it or nothing.
    void transact(const std::function<void(Database &)> &work)
    {
        if (!m_isOpen)
            return;
        if (!m_database.transaction())
            note(m_database.lastError().text());
        work(*this);
        if (!m_database.commit())
            note(m_database.lastError().text());
    }

    QSqlQuery query(const QString &text, const QVariantList &values = {})
    {
        QSqlQuery query(m_database);
        query.setForwardOnly(true);
        if (!m_isOpen && !m_isOpening)
            return query;
        bool isGood = query.prepare(text);
        for (const QVariant &value : values)
            query.addBindValue(value);
        isGood = isGood && query.exec();
        if (!isGood)
            note(query.lastError().text());
        return query;
    }

    void store(qint64 id, const QList<JournalledFile> &files)
    {
        QList<JournalledFile> whole;
        whole.reserve(files.size());
        for (const JournalledFile &file : files) {
            if (file.segments.isEmpty())
                whole.append(file);
            else
                query(u"INSERT OR REPLACE INTO files(transfer, target, state, size, modified, segments) VALUES(?, ?, ?, ?, ?, ?)"_s,
                      {id, file.target, int(file.state), qint64(file.size), qint64(file.modified), file.segments});
        }
        if (!whole.isEmpty())
            query(u"INSERT INTO batches(transfer, files) VALUES(?, ?)"_s, {id, packedBatch(whole)});
    }

    [[nodiscard]] QHash<QByteArray, JournalledFile> files(qint64 id)
    {
        QHash<QByteArray, JournalledFile> found;
        QSqlQuery batches = query(u"SELECT files FROM batches WHERE transfer = ? ORDER BY id"_s, {id});
        while (batches.next())
            unpack(batches.value(0).toByteArray(), found);
        QSqlQuery rows = query(u"SELECT target, state, size, modified, segments, name, targetSize, mode, targetModified, sha256 FROM files WHERE transfer = ?"_s, {id});
        while (rows.next()) {
            JournalledFile file{rows.value(0).toByteArray(), JournalledFile::State(std::clamp(rows.value(1).toInt(), 1, 3)), quint64(rows.value(2).toLongLong()),
                                quint32(rows.value(3).toLongLong())};
            file.segments = rows.value(4).toByteArray();
            file.name = rows.value(5).toByteArray();
            file.receipt = {quint64(rows.value(6).toLongLong()), quint32(rows.value(7).toLongLong()), quint32(rows.value(8).toLongLong()), rows.value(9).toByteArray()};
            // The end of one that went in parts is in a batch.
            const auto batched = found.constFind(file.target);
            const bool isOver = batched != found.cend() && batched->state != JournalledFile::State::Begun && batched->size == file.size && batched->modified == file.modified;
            if (!isOver)
                found.insert(file.target, file);
        }
        return found;
    }

private:
    [[nodiscard]] bool tryOpen()
    {
        m_isOpening = true;
        m_database = QSqlDatabase::addDatabase(u"QSQLITE"_s, m_name);
        m_database.setDatabaseName(m_file.isEmpty() ? u":memory:"_s : m_file);
        // Others of this user may hold it for a moment.
        m_database.setConnectOptions(u"QSQLITE_BUSY_TIMEOUT=5000"_s);
        // Ours alone from its first moment.
        bool isGood = m_file.isEmpty() || QFile::exists(m_file) || writePrivateFile(m_file, {}).has_value();
        isGood = isGood && m_database.open() && (m_file.isEmpty() || QFile::setPermissions(m_file, QFile::ReadOwner | QFile::WriteOwner));
        isGood = isGood && exec(u"PRAGMA journal_mode=WAL"_s) && exec(u"PRAGMA synchronous=NORMAL"_s);
        QSqlQuery version(m_database);
        isGood = isGood && version.exec(u"PRAGMA user_version"_s) && version.next();
        const int found = isGood ? version.value(0).toInt() : -1;
        version.finish();
        isGood = isGood && found >= 0 && found <= kVersion;
        if (isGood && found == 0) {
            isGood = exec(u"CREATE TABLE IF NOT EXISTS transfers(id INTEGER PRIMARY KEY, place INTEGER, tag TEXT, wish TEXT, state INTEGER, added INTEGER)"_s)
                    && exec(u"CREATE TABLE IF NOT EXISTS files(transfer INTEGER, target BLOB, state INTEGER, size INTEGER, modified INTEGER, segments BLOB, name BLOB,"
                            " targetSize INTEGER, mode INTEGER, targetModified INTEGER, sha256 BLOB, PRIMARY KEY(transfer, target)) WITHOUT ROWID"_s);
        }
        if (isGood && found < kVersion) {
            isGood = exec(u"CREATE TABLE IF NOT EXISTS batches(id INTEGER PRIMARY KEY, transfer INTEGER, files BLOB)"_s) && exec(u"CREATE INDEX IF NOT EXISTS ofTransfer ON batches(transfer)"_s)
                    && exec(u"ALTER TABLE transfers ADD COLUMN ended INTEGER"_s) && exec(u"PRAGMA user_version=%1"_s.arg(kVersion));
        }
        m_isOpening = false;
        return isGood;
    }
    [[nodiscard]] bool exec(const QString &text)
    {
        QSqlQuery query(m_database);
        return query.exec(text);
    }
    void note(const QString &words)
    {
        if (!std::exchange(m_hasFailed, true))
            m_error = Error{ErrorKind::Io, Layer::LocalDisk, tamed(words), m_file};
    }

    QString m_file;
    QString m_name;
    QSqlDatabase m_database;
    std::optional<Error> m_error;
    bool m_isOpen = false;
    bool m_isOpening = false;
    bool m_hasFailed = false;
};

TransferJournal::TransferJournal(const QString &file, QObject *parent)
    : QObject(parent)
    , m_database(std::make_unique<Database>(file))
    , m_inThread(new QObject)
{
    m_inThread->moveToThread(&m_thread);
    m_thread.start();
    m_soon.setSingleShot(true);
    m_soon.setInterval(kSoon);
    connect(&m_soon, &QTimer::timeout, this, &TransferJournal::flush);
    QMetaObject::invokeMethod(m_inThread, [database = m_database.get()] { database->open(); });
}

TransferJournal::~TransferJournal()
{
    flush();
    // Behind everything that waits there, and where it was opened.
    QMetaObject::invokeMethod(m_inThread, [this] {
        m_database.reset();
        delete m_inThread;
        m_thread.quit();
    });
    m_thread.wait();
}

void TransferJournal::run(std::function<void(Database &)> work, QObject *context, std::function<void()> then)
{
    const QPointer<QObject> waiting(context);
    QMetaObject::invokeMethod(m_inThread, [this, work = std::move(work), waiting, then = std::move(then)] {
        m_database->transact(work);
        const std::optional<Error> error = m_database->takeError();
        QMetaObject::invokeMethod(
                this,
                [this, error, waiting, then] {
                    if (error)
                        emit failed(*error);
                    if (then && waiting)
                        then();
                },
                Qt::QueuedConnection);
    });
}

void TransferJournal::load(QObject *context, std::function<void(const QList<JournalledTransfer> &)> then)
{
    const auto found = std::make_shared<QList<JournalledTransfer>>();
    run(
            [found](Database &database) {
                QSqlQuery query = database.query(u"SELECT id, place, tag, wish, state, added, ended FROM transfers ORDER BY place, id"_s);
                while (query.next()) {
                    const std::optional<TransferWish> wish = wishOf(query.value(3).toString());
                    if (!wish)
                        continue;
                    found->append({query.value(0).toLongLong(), query.value(1).toLongLong(), query.value(2).toString(), *wish,
                                   TransferState(std::clamp(query.value(4).toInt(), 0, int(TransferState::Cancelled))),
                                   QDateTime::fromSecsSinceEpoch(query.value(5).toLongLong()),
                                   query.isNull(6) ? QDateTime() : QDateTime::fromSecsSinceEpoch(query.value(6).toLongLong())});
                }
            },
            context, [found, then = std::move(then)] { then(*found); });
}

void TransferJournal::loadFiles(qint64 id, QObject *context, std::function<void(const QHash<QByteArray, JournalledFile> &)> then)
{
    flush();
    const auto found = std::make_shared<QHash<QByteArray, JournalledFile>>();
    run([found, id](Database &database) { *found = database.files(id); }, context, [found, then = std::move(then)] { then(*found); });
}

void TransferJournal::add(const JournalledTransfer &transfer, QObject *context, std::function<void()> then)
{
    run(
            [transfer](Database &database) {
                database.query(u"INSERT OR REPLACE INTO transfers(id, place, tag, wish, state, added) VALUES(?, ?, ?, ?, ?, ?)"_s,
                               {transfer.id, transfer.place, transfer.tag, textOf(transfer.wish), int(transfer.state), transfer.added.toSecsSinceEpoch()});
            },
            context, std::move(then));
}

void TransferJournal::begin(qint64 id, const QList<JournalledFile> &files, QObject *context, std::function<void()> then)
{
    flush();
    run([id, files](Database &database) { database.store(id, files); }, context, std::move(then));
}

void TransferJournal::update(qint64 id, const JournalledFile &file)
{
    m_updates[id].append(file);
    if (!m_soon.isActive())
        m_soon.start();
}

void TransferJournal::flush()
{
    m_soon.stop();
    if (m_updates.isEmpty())
        return;
    run([updates = std::exchange(m_updates, {})](Database &database) {
        for (auto it = updates.cbegin(); it != updates.cend(); ++it)
            database.store(it.key(), it.value());
    });
}

void TransferJournal::setState(qint64 id, TransferState state, const QDateTime &ended)
{
    flush();
    const QVariant when = ended.isValid() ? QVariant(ended.toSecsSinceEpoch()) : QVariant();
    run([id, state, when](Database &database) { database.query(u"UPDATE transfers SET state = ?, ended = ? WHERE id = ?"_s, {int(state), when, id}); });
}

void TransferJournal::setPlaces(const QList<qint64> &ids)
{
    run([ids](Database &database) {
        for (qsizetype place = 0; place < ids.size(); ++place)
            database.query(u"UPDATE transfers SET place = ? WHERE id = ?"_s, {qint64(place), ids.at(place)});
    });
}

void TransferJournal::remove(qint64 id)
{
    m_updates.remove(id);
    run([id](Database &database) {
        database.query(u"DELETE FROM files WHERE transfer = ?"_s, {id});
        database.query(u"DELETE FROM batches WHERE transfer = ?"_s, {id});
        database.query(u"DELETE FROM transfers WHERE id = ?"_s, {id});
    });
}

} // namespace Sandpiper

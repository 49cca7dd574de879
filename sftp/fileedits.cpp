#include "sftp/fileedits.h"

#include "session/background.h"
#include "session/paths.h"
#include "sftp/localdisk.h"

#include <QDir>
#include <QFile>
#include <QLoggingCategory>

namespace Sandpiper {
namespace {

using namespace Qt::Literals::StringLiterals;

Q_LOGGING_CATEGORY(lcEdits, "sandpiper.sftp.edits", QtInfoMsg)

constexpr qsizetype kMostEdits = 1000;

// What an editor has left beside the file, a swap file say, stays: it may be all there is of something.
void removeCopy(const QString &root, const QString &id, const QString &file)
{
    QFile::remove(file);
    QFile::remove(root + u'/' + id + u"/.sandpiper-coming"_s);
    QDir(root).rmdir(id);
}

} // namespace

FileEdits::FileEdits(Services services, QObject *parent)
    : QObject(parent)
    , m_services(std::move(services))
{
    if (m_services.registry) {
        connect(m_services.registry, &SandboxRegistry::accountAdded, this, &FileEdits::accountCame);
        connect(m_services.registry, &SandboxRegistry::sandboxesChanged, this, &FileEdits::wakeUp);
    }
    if (const Done made = makePrivateFolder(m_services.folder); !made)
        qCWarning(lcEdits).noquote() << describe(made.error());
    load();
}

FileEdits::~FileEdits()
{
    for (auto &[id, session] : m_sessions)
        session->disconnect(this);
    for (auto &[id, place] : m_places)
        place.standing->disconnect(this);
}

void FileEdits::load()
{
    const QDir folder(m_services.folder);
    for (const QString &name : folder.entryList({u"*.json"_s}, QDir::Files | QDir::NoSymLinks, QDir::Time | QDir::Reversed)) {
        const Result<QByteArray> content = readFile(folder.filePath(name), 64 << 10);
        const std::optional<EditRecord> record = content ? EditRecord::fromJson(*content) : std::nullopt;
        if (!record || record->id + u".json"_s != name || m_order.size() >= kMostEdits) {
            qCWarning(lcEdits).noquote() << "left alone:" << name; // the copy beside it may be all there is of something
            continue;
        }
        if (!record->isFetched) {
            // Nobody has seen it yet.
            QFile::remove(folder.filePath(name));
            removeCopy(m_services.folder, record->id, folder.filePath(record->id + u'/' + record->localName));
            continue;
        }
        add(*record);
    }
}

void FileEdits::add(const EditRecord &record)
{
    const QString id = record.id;
    auto made = std::make_unique<EditSession>(record, m_services.folder);
    EditSession *session = made.get();
    session->setPace(m_services.settle, m_services.retry);
    m_sessions[id] = std::move(made);
    m_order.append(id);
    connect(session, &EditSession::changed, this, [this, id] { emit changed(id); });
    connect(session, &EditSession::fetched, this, [this, id] { emit opened(id); });
    connect(session, &EditSession::filesWanted, this, [this, id] { provide(id); }, Qt::QueuedConnection);
    emit added(id);
    session->start();
}

QString FileEdits::edit(const SandboxId &sandbox, const QString &sandboxName, const FilePath &path)
{
    for (const QString &id : std::as_const(m_order)) {
        const EditSession *session = m_sessions.at(id).get();
        const EditRecord &record = session->record();
        if (record.sandbox != sandbox || (record.asked != path && record.path != path))
            continue;
        if (record.isFetched)
            QMetaObject::invokeMethod(this, [this, id] { emit opened(id); }, Qt::QueuedConnection);
        else
            m_sessions.at(id)->sendNow(); // fetching it failed; it is tried again
        return id;
    }
    const EditRecord record = EditRecord::fresh(sandbox, sandboxName, path);
    add(record);
    return record.id;
}

QStringList FileEdits::edits() const
{
    return m_order;
}

EditSession *FileEdits::session(const QString &id) const
{
    const auto it = m_sessions.find(id);
    return it == m_sessions.end() ? nullptr : it->second.get();
}

QString FileEdits::stop(const QString &id)
{
    const auto it = m_sessions.find(id);
    if (it == m_sessions.end())
        return {};
    EditSession *session = it->second.get();
    const QString file = session->localFile();
    const bool isSafe = session->isSafeToDrop();
    const SandboxId sandbox = session->record().sandbox;
    const QByteArray last = session->record().base.sha256;
    session->disconnect(this);
    it->second.release()->deleteLater(); // it may be what speaks
    m_sessions.erase(it);
    m_order.removeOne(id);
    const QString root = m_services.folder;
    const bool wasFetched = !last.isEmpty();
    QFile::remove(root + u'/' + id + u".json"_s);
    diskPool()->start([root, id, file, isSafe, wasFetched, last] {
        // A save of the last moment has not been looked at yet.
        const Result<LocalDigest> now = isSafe && wasFetched ? digestOf(FilePath::fromBytes(QFile::encodeName(file)).value_or(FilePath())) : failure(ErrorKind::NotFound, Layer::LocalDisk);
        if (isSafe && (!wasFetched || (now && now->sha256 == last)))
            removeCopy(root, id, file);
    });
    letGo(sandbox);
    emit removed(id);
    return isSafe ? QString() : file;
}

// The sandboxes -----------------------------------------------------------------------------------

void FileEdits::provide(const QString &id)
{
    EditSession *asking = session(id);
    if (!asking || !asking->wantsFiles())
        return;
    const SandboxId sandbox = asking->record().sandbox;
    if (m_services.registry && !m_services.registry->provider(sandbox.account))
        return; // see accountCame()
    Place &place = m_places[sandbox.toString()];
    if (!place.standing) {
        place.sandbox = sandbox;
        place.standing = std::make_unique<StandingFiles>(sandbox, m_services.standing(sandbox));
        place.linger = std::make_unique<QTimer>();
        place.linger->setSingleShot(true);
        place.linger->setInterval(m_services.linger);
        connect(place.linger.get(), &QTimer::timeout, this, [this, sandbox] { letGo(sandbox); });
        connect(place.standing.get(), &StandingFiles::statusChanged, this, [this, sandbox](const StandingFiles::Status &status) { follow(sandbox, status); });
        place.standing->open();
        return;
    }
    using State = StandingShell::State;
    switch (place.standing->status().state) {
    case State::Open:
    case State::Opening:
    case State::Waiting:
    case State::Suspended: return tell(asking, place.standing->status());
    case State::Idle:
    case State::Detached:
    case State::Stopped:
    case State::Gone:
    case State::Failed:
    case State::Ended: return place.standing->retryNow();
    }
}

void FileEdits::follow(const SandboxId &sandbox, const StandingFiles::Status &status)
{
    for (const QString &id : edits()) {
        if (EditSession *one = session(id); one && one->record().sandbox == sandbox)
            tell(one, status);
    }
    if (const auto it = m_places.find(sandbox.toString()); it != m_places.end())
        it->second.linger->start();
}

void FileEdits::tell(EditSession *session, const StandingFiles::Status &status)
{
    using State = StandingShell::State;
    using Trouble = EditSession::Trouble;
    std::optional<Error> why;
    if (status.error != Error{})
        why = status.error;
    switch (status.state) {
    case State::Open: return session->setFiles(m_places.at(session->record().sandbox.toString()).standing->files());
    case State::Idle:
    case State::Opening:
    case State::Waiting:
    case State::Detached: return session->setTrouble(why, Trouble::Passing);
    case State::Suspended:
        return session->setTrouble(Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, {}, session->record().sandboxName}, Trouble::Passing);
    case State::Stopped:
    case State::Gone:
    case State::Failed:
    case State::Ended: return session->setTrouble(why.value_or(Error{ErrorKind::ConnectionLost, Layer::Sftp, {}, session->record().sandboxName}), Trouble::Final);
    }
}

void FileEdits::letGo(const SandboxId &sandbox)
{
    const auto it = m_places.find(sandbox.toString());
    if (it == m_places.end())
        return;
    bool isIdle = true;
    for (const auto &[id, session] : m_sessions)
        isIdle = isIdle && (session->record().sandbox != sandbox || !session->wantsFiles());
    if (!isIdle)
        return it->second.linger->start();
    for (const auto &[id, session] : m_sessions) {
        if (session->record().sandbox == sandbox)
            session->setFiles(nullptr);
    }
    // The timer or the files may be what speaks.
    it->second.standing->disconnect(this);
    it->second.standing.release()->deleteLater();
    it->second.linger.release()->deleteLater();
    m_places.erase(it);
}

void FileEdits::accountCame(const QString &account)
{
    for (const QString &id : edits()) {
        if (session(id)->record().sandbox.account == account)
            provide(id);
    }
}

// One that was asleep when it was asked, and has been woken by somebody since.
void FileEdits::wakeUp()
{
    for (auto &[name, place] : m_places) {
        if (place.standing->status().state != StandingShell::State::Suspended)
            continue;
        if (const std::optional<Sandbox> now = m_services.registry->sandbox(place.sandbox); now && now->state == SandboxState::Running)
            place.standing->retryNow();
    }
}

} // namespace Sandpiper

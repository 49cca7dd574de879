// The steps of EditSession: fetching, looking whether the file there is as it was, sending. Each ends in finish(),
// conflict() or stepFailed().
#include "sftp/editsession.h"

#include "session/background.h"
#include "session/paths.h"
#include "sftp/localdisk.h"
#include "sftp/transferfile.h"
#include "sftp/unfinishedname.h"

#include <QFile>

namespace Sandpiper {
namespace {

using namespace Qt::Literals::StringLiterals;

// A file that small is read before it is replaced, whatever its time says: times have seconds, and editors are quicker.
constexpr quint64 kAlwaysRead = 256 << 10;
constexpr quint32 kPermissions = 07777;
constexpr int kMostNames = 100;

EditBase baseOf(const FileAttributes &found, const QByteArray &sha256)
{
    EditBase base{found.size, {}, sha256};
    if (found.times)
        base.modified = found.times->modified;
    return base;
}

// Another way may do where the folder, not the file, is what refuses.
bool mayWorkInPlace(ErrorKind kind)
{
    return kind == ErrorKind::PermissionDenied || kind == ErrorKind::Unsupported || kind == ErrorKind::ServerError || kind == ErrorKind::Conflict;
}

} // namespace

FilePath EditSession::hiddenPath() const
{
    return m_record.path.parent().child(unfinishedName(m_record.id.toLatin1())).value_or(m_record.path);
}

// Fetching ---------------------------------------------------------------------------------------

void EditSession::resolve()
{
    // A link is followed once, and what it leads to is edited: a rename would take the link's place.
    const FilePath path = m_task == Task::Fetch ? m_record.asked : m_record.path;
    ask(m_files->realPath(path), [this, path](const Result<FilePath> &found) {
        if (!found && found.error().kind != ErrorKind::Unsupported)
            return stepFailed(found.error());
        m_record.path = found.value_or(path);
        ask(m_files->stat(m_record.path), [this](const Result<FileAttributes> &attributes) {
            if (!attributes)
                return stepFailed(attributes.error());
            fetch(*attributes);
        });
    });
}

void EditSession::fetch(const FileAttributes &found)
{
    if (found.type() != FileType::File && found.type() != FileType::Unknown)
        return stepFailed({ErrorKind::Unsupported, Layer::Sftp, u"this is no plain file"_s, m_record.path.shown()});
    m_current = found;
    if (found.size.value_or(0) > kEditAsksAbove && !m_isLargeAllowed) {
        m_isBusy = false;
        return setState(EditState::AsksSize);
    }
    const QString folder = m_root + u'/' + m_record.id;
    inBackground(diskPool(), this, [folder] { return makePrivateFolder(folder); }, [this, found, of = m_turn](const Done &made) {
        if (of != m_turn)
            return;
        if (!made)
            return stepFailed(made.error());
        if (m_record.isFetched)
            return fetchInto(found);
        m_watch.watch(&m_disk, localPath().parent());
        writeJournal([this, found] { fetchInto(found); });
    });
}

void EditSession::fetchInto(const FileAttributes &found)
{
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    const FilePath coming = localPath(".sandpiper-coming");
    FilePipeWish wish;
    wish.read.path = m_record.path;
    FileWriteWish into;
    into.path = coming;
    into.existing = FileWriteWish::Existing::Empty;
    into.mode = 0600;
    wish.write = into;
    wish.sync = FileWriter::Sync::Yes;
    // A size need not be true.
    wish.most = m_isLargeAllowed ? UINT64_MAX : kEditAsksAbove;
    pipe(m_files, &m_disk, wish, [this, found, coming](const Result<FilePipeEnd> &end) {
        if (!end)
            return stepFailed(end.error());
        ask(m_disk.rename(coming, localPath(), RenamePolicy::Replace), [this, found, sha256 = end->sha256](const Done &done) {
            if (!done)
                return stepFailed(done.error());
            m_record.base = baseOf(found, sha256);
            m_record.isFetched = true;
            m_record.isInPlace = false;
            finish();
        });
    });
}

// Is it as it was? --------------------------------------------------------------------------------

void EditSession::measure()
{
    inBackground(diskPool(), this, [path = localPath()] { return digestOf(path); }, [this, of = m_turn](const Result<LocalDigest> &mine) {
        if (of != m_turn)
            return;
        if (!mine)
            return stepFailed(mine.error());
        if (!m_files)
            return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
        m_mine = *mine;
        if (m_task == Task::SendBeside)
            return beside();
        if (m_mine.sha256 == m_record.base.sha256 && !m_record.base.isGone)
            return finish();
        check();
    });
}

void EditSession::check()
{
    ask(m_files->stat(m_record.path), [this](const Result<FileAttributes> &found) {
        const EditBase &base = m_record.base;
        if (!found && found.error().kind == ErrorKind::NotFound) {
            EditBase gone;
            gone.isGone = true;
            return base.isGone ? send({}) : conflict(gone);
        }
        if (!found)
            return stepFailed(found.error());
        if (found->type() != FileType::File && found->type() != FileType::Unknown)
            return stepFailed({ErrorKind::Conflict, Layer::Sftp, u"it is no plain file any more"_s, m_record.path.shown()});
        if (!base.isGone && base.matches(*found) && found->size.value_or(0) > kAlwaysRead)
            return send(*found);
        readTheirs(*found);
    });
}

void EditSession::readTheirs(const FileAttributes &found)
{
    FilePipeWish wish;
    wish.read.path = m_record.path;
    pipe(m_files, nullptr, wish, [this, found](const Result<FilePipeEnd> &end) {
        if (!end)
            return stepFailed(end.error());
        theirsRead(found, *end);
    });
}

void EditSession::theirsRead(const FileAttributes &found, const FilePipeEnd &theirs)
{
    if (theirs.sha256 == m_mine.sha256) {
        // Ours: an answer was lost, not what was asked. Or somebody else had the same idea.
        m_record.base = baseOf(found, theirs.sha256);
        m_record.isInPlace = false;
        return finish();
    }
    if (theirs.sha256 == m_record.base.sha256 && !m_record.base.isGone) {
        m_record.base = baseOf(found, theirs.sha256);
        return send(found);
    }
    if (!m_record.isInPlace || theirs.bytes > m_mine.size)
        return conflict(baseOf(found, theirs.sha256));
    // Broken off by a lost link: what is there is the beginning of what is here.
    inBackground(diskPool(), this, [path = localPath(), most = theirs.bytes] { return digestOf(path, most); },
                 [this, found, theirs, of = m_turn](const Result<LocalDigest> &beginning) {
                     if (of != m_turn)
                         return;
                     if (beginning && beginning->sha256 == theirs.sha256 && m_files)
                         return send(found);
                     conflict(baseOf(found, theirs.sha256));
                 });
}

void EditSession::conflict(const EditBase &theirs)
{
    m_theirs = theirs;
    m_task = Task::None;
    m_isBusy = false;
    setState(EditState::Conflict);
    compareNext();
}

// Sending ----------------------------------------------------------------------------------------

void EditSession::send(const std::optional<FileAttributes> &current)
{
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    m_current = current;
    m_target = m_record.path;
    m_hidden.reset();
    if (!m_files->can(FileAction::Rename))
        return sendInPlace(m_target, current ? FileWriteWish::Existing::Empty : FileWriteWish::Existing::Refuse);
    writeHidden([this] { dress([this] { publish(); }); });
}

// New, so that no link that lies there is followed; for our eyes alone until it has the mode of the file.
void EditSession::writeHidden(std::function<void()> then)
{
    ask(m_files->removeFile(hiddenPath()), [this, then = std::move(then)](const Done &) {
        FilePipeWish wish;
        wish.read.path = localPath();
        FileWriteWish into;
        into.path = hiddenPath();
        into.mode = 0600;
        into.size = m_mine.size;
        wish.write = into;
        if (!m_files)
            return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
        pipe(&m_disk, m_files, wish, [this, then](const Result<FilePipeEnd> &end) {
            if (!end)
                return afterRefusal(end.error());
            m_sent = *end;
            then();
        });
    });
}

bool EditSession::isDressed(const FileAttributes &found) const
{
    if (!m_current)
        return true;
    const bool hasMode = !m_current->mode || !found.mode || (*m_current->mode & kPermissions) == (*found.mode & kPermissions);
    return hasMode && (!m_current->owner || !found.owner || *m_current->owner == *found.owner);
}

// The mode and the owner of the file whose place it takes. What cannot be set is seen by what is there afterwards.
void EditSession::dress(std::function<void()> then)
{
    FileAttributes wish;
    wish.mode = m_current ? m_current->mode.transform([](quint32 mode) { return mode & kPermissions; }) : std::optional<quint32>(0644);
    setOnHidden(wish, [this, wish, then = std::move(then)](const FileAttributes &found) {
        if (isDressed(found))
            return then();
        FileAttributes all = wish;
        all.owner = m_current->owner;
        setOnHidden(all, [this, then](const FileAttributes &again) {
            if (isDressed(again))
                return then();
            // Only the file itself has them.
            afterRefusal({ErrorKind::PermissionDenied, Layer::Sftp, u"its owner or its permissions cannot be kept"_s, m_record.path.shown()});
        });
    });
}

void EditSession::setOnHidden(const FileAttributes &wish, std::function<void(const FileAttributes &)> then)
{
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    ask(m_files->setAttributes(hiddenPath(), wish), [this, then = std::move(then)](const Done &) {
        if (!m_files)
            return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
        ask(m_files->stat(hiddenPath()), [this, then](const Result<FileAttributes> &found) {
            if (!found)
                return afterRefusal(found.error());
            m_hidden = *found;
            then(*found);
        });
    });
}

void EditSession::publish()
{
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    // The last moment to see that somebody else was there while the bytes were on their way.
    ask(m_files->stat(m_record.path), [this](const Result<FileAttributes> &found) {
        const bool isGone = !found && found.error().kind == ErrorKind::NotFound;
        if (!found && !isGone)
            return stepFailed(found.error());
        if (!m_files)
            return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
        const bool isAsBefore = isGone ? !m_current : m_current && found->size == m_current->size && found->times.has_value() == m_current->times.has_value()
                        && (!found->times || found->times->modified == m_current->times->modified);
        if (!isAsBefore)
            return check();
        ask(m_files->rename(hiddenPath(), m_record.path, RenamePolicy::Replace), [this](const Done &done) {
            if (!done)
                return afterRefusal(done.error());
            arrivedAt(m_record.path);
        });
    });
}

// The hidden name could not be used: the folder is not ours to write, the file is a mount, its owner would be lost.
void EditSession::afterRefusal(const Error &error)
{
    if (!mayWorkInPlace(error.kind) || error.layer == Layer::LocalDisk || m_task != Task::Send || !m_files)
        return stepFailed(error);
    ask(m_files->removeFile(hiddenPath()), [this](const Done &) { sendInPlace(m_record.path, m_current ? FileWriteWish::Existing::Empty : FileWriteWish::Existing::Refuse); });
}

void EditSession::sendInPlace(const FilePath &path, FileWriteWish::Existing existing)
{
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    if (existing != FileWriteWish::Existing::Empty)
        return writeInPlace(path, existing);
    m_record.isInPlace = true;
    writeJournal([this, path, existing] { writeInPlace(path, existing); });
}

void EditSession::writeInPlace(const FilePath &path, FileWriteWish::Existing existing)
{
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    FilePipeWish wish;
    wish.read.path = localPath();
    FileWriteWish into;
    into.path = path;
    into.existing = existing;
    into.size = m_mine.size;
    wish.write = into;
    pipe(&m_disk, m_files, wish, [this, path](const Result<FilePipeEnd> &end) {
        if (!end && m_task == Task::SendBeside && end.error().kind == ErrorKind::Conflict)
            return beside();
        if (!end)
            return stepFailed(end.error());
        m_sent = *end;
        arrivedAt(path);
    });
}

// Under the first name that is free: "notes (2).txt".
void EditSession::beside()
{
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    if (++m_number > kMostNames)
        return stepFailed({ErrorKind::Conflict, Layer::Sftp, {}, m_record.path.shown()});
    const Result<FilePath> target = m_record.path.parent().child(otherName(m_record.path.name(), m_number));
    if (!target)
        return stepFailed(target.error());
    m_target = *target;
    if (!m_files->can(FileAction::Rename))
        return sendInPlace(m_target, FileWriteWish::Existing::Refuse);
    const auto name = [this] {
        ask(m_files->rename(hiddenPath(), m_target, RenamePolicy::Keep), [this](const Done &done) {
            if (!done && done.error().kind == ErrorKind::Conflict)
                return beside();
            if (!done)
                return stepFailed(done.error());
            arrivedAt(m_target);
        });
    };
    m_current.reset();
    m_hidden.reset();
    writeHidden([this, name] { dress([this, name] { m_files ? name() : stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}}); }); });
}

void EditSession::arrivedAt(const FilePath &path)
{
    // From here on a second file is what is edited; should the link go now, that one is looked for.
    m_task = Task::Send;
    if (path != m_record.path)
        m_record.asked = path;
    m_record.path = path;
    if (!m_files)
        return stepFailed({ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    ask(m_files->stat(path), [this](const Result<FileAttributes> &found) {
        if (!found)
            return stepFailed(found.error());
        if (found->size && *found->size != m_sent.bytes)
            return stepFailed({ErrorKind::Protocol, Layer::Sftp, u"what arrived there has another size"_s, m_record.path.shown()});
        m_record.base = baseOf(*found, m_sent.sha256);
        // Somebody else was there in between: the next time it is read.
        if (m_hidden && m_hidden->times != found->times)
            m_record.base.modified.reset();
        m_record.isInPlace = false;
        finish();
    });
}

} // namespace Sandpiper

#include "sftp/relayfile.h"

#include "sftp/fileanswer.h"

#include <QTimer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostNames = 1000; // "name (1000)": then something else is wrong
// A disk here tells nothing while it copies, and cannot be stopped: what takes longer goes through memory.
constexpr quint64 kMostAtOnceHere = 16 << 20;

// Whoever speaks is not deleted from within.
template <typename Stream>
void letGo(std::unique_ptr<Stream> &stream, QObject *listener)
{
    if (!stream)
        return;
    stream->disconnect(listener);
    stream.release()->deleteLater();
}

} // namespace

RelayFile::RelayFile(FileSystem *source, FileSystem *target, const RelayFileWish &wish, QObject *parent)
    : QObject(parent)
    , m_source(source)
    , m_target(target)
    , m_wish(wish)
    , m_name(wish.target)
    , m_isHidden(target->can(FileAction::Rename))
{
}

RelayFile::~RelayFile() = default;

template <typename Answer, typename Then>
void RelayFile::ask(FileSystem *whom, const QFuture<Answer> &answer, Then then)
{
    onAnswer(answer, this, [this, whom, then](const Answer &said) {
        if (m_isOver)
            return;
        if (!said && isOutOfReach(said.error()))
            return fail(whom, said.error());
        if (m_isStopping)
            return removeHalf();
        if (isInReach())
            then(said);
    });
}

bool RelayFile::isInReach()
{
    if (m_source && m_target)
        return true;
    fail(nullptr, {ErrorKind::ConnectionLost, Layer::Sftp, {}, m_wish.source.shown()});
    return false;
}

FilePath RelayFile::hidden() const
{
    return m_wish.target.parent().child(m_wish.hiddenName).value_or(m_wish.target);
}

FilePath RelayFile::landing() const
{
    return m_isHidden ? hidden() : m_name;
}

// Who cannot set permissions does not tell them either.
bool RelayFile::knowsMode() const
{
    return m_source && m_source->can(FileAction::SetMode) && m_wish.attributes.mode;
}

Layer RelayFile::layerOf(const FileSystem *files) const
{
    return files && files->isLocal() ? Layer::LocalDisk : Layer::Sftp;
}

Error RelayFile::changed() const
{
    return {ErrorKind::Io, layerOf(m_source), u"it changed while it was read"_s, m_wish.source.shown()};
}

void RelayFile::start()
{
    if (m_wish.targetIsFresh && !m_wish.mayBeThere)
        beginMoving();
    else
        lookAtTarget();
}

void RelayFile::stop()
{
    if (m_isOver || std::exchange(m_isStopping, true))
        return;
    // An answer that is awaited ends it otherwise.
    if (m_reader || m_writer)
        fail(nullptr, {ErrorKind::Cancelled, layerOf(m_target), {}, m_wish.source.shown()});
}

void RelayFile::lookAtTarget()
{
    ask(m_target, m_target->stat(m_name, LinkPolicy::NoFollow), [this](const Result<FileAttributes> &found) {
        if (found)
            decide(*found);
        else if (found.error().kind == ErrorKind::NotFound)
            beginMoving();
        else
            fail(m_target, found.error());
    });
}

void RelayFile::decide(const FileAttributes &existing)
{
    if (existing.isFolder() && m_wish.onConflict != OnConflict::Rename)
        return fail(m_target, {ErrorKind::Conflict, layerOf(m_target), u"a folder has this name"_s, m_name.shown()});
    if (m_wish.mayBeThere && looksSame(m_wish.attributes, existing)) {
        m_hasMade = m_isHidden; // by an earlier try, which had come to its end but for this
        return done(existing);
    }
    const std::optional<bool> may = mayReplace(m_wish.onConflict, m_wish.attributes, existing);
    if (!may && m_wish.onConflict == OnConflict::Ask)
        return end(FileOutcome{FileOutcome::Kind::Conflict, {}, {}, m_wish.attributes, existing});
    if (may && !*may)
        return end(FileOutcome{.kind = FileOutcome::Kind::Skipped});
    m_replaces = may.has_value();
    if (!m_replaces && !m_isHidden && !nextName())
        return fail(m_target, {ErrorKind::Conflict, layerOf(m_target), u"too many files have names like this"_s, m_name.shown()});
    // Where it cannot be renamed the name must be free before the first byte.
    !m_replaces && !m_isHidden ? lookAtTarget() : beginMoving();
}

bool RelayFile::nextName()
{
    const Result<FilePath> next = m_wish.target.parent().child(otherName(m_wish.target.name(), ++m_number));
    if (!next || m_number > kMostNames)
        return false;
    m_name = *next;
    return true;
}

void RelayFile::beginMoving()
{
    if (m_wish.renames && m_source == m_target && m_isHidden)
        return renameThere();
    // An earlier try may have left something.
    m_wish.mayBeThere && m_isHidden ? clearHidden(&RelayFile::copyThere) : copyThere();
}

void RelayFile::renameThere()
{
    ask(m_target, m_target->rename(m_wish.source, m_name, m_replaces ? RenamePolicy::Replace : RenamePolicy::Keep), [this](const Done &renamed) {
        if (renamed) {
            m_isRenamed = true;
            emit moved(qint64(m_wish.attributes.size.value_or(0)));
            return lookAtOutcome();
        }
        if (renamed.error().kind == ErrorKind::Conflict && m_wish.onConflict == OnConflict::Rename && nextName())
            return renameThere();
        if (renamed.error().kind == ErrorKind::NotFound || renamed.error().kind == ErrorKind::PermissionDenied)
            return fail(m_target, renamed.error());
        // On another disk there, perhaps.
        m_wish.renames = false;
        beginMoving();
    });
}

void RelayFile::clearHidden(void (RelayFile::*then)())
{
    ask(m_target, m_target->removeFile(hidden()), [this, then](const Done &) { (this->*then)(); });
}

void RelayFile::copyThere()
{
    const quint64 size = m_wish.attributes.size.value_or(0);
    // Size 0 is also what files of the kernel say, whatever is in them.
    const bool can = m_source == m_target && m_isHidden && size > 0 && !m_wish.hashes && !m_wish.pacer && m_target->can(FileAction::CopyThere)
            && !(m_target->isLocal() && size > kMostAtOnceHere);
    if (!can)
        return stream();
    m_hasMade = true;
    ask(m_target, m_target->copyFile(m_wish.source, hidden()), [this, size](const Done &copied) {
        if (copied) {
            m_read = size;
            emit moved(qint64(size));
            return lookAtSource();
        }
        m_hasMade = false;
        switch (copied.error().kind) {
        case ErrorKind::Conflict: // what an earlier try has left
            return clearHidden(&RelayFile::stream);
        case ErrorKind::Unsupported:
        case ErrorKind::InvalidInput:
        case ErrorKind::ServerError: return stream();
        default: return fail(m_target, copied.error());
        }
    });
}

// Through memory -----------------------------------------------------------------------------------

void RelayFile::stream()
{
    m_hash.reset();
    if (m_wish.hashes)
        m_hash.emplace();
    openWriter();
    openReader();
}

void RelayFile::openWriter()
{
    FileWriteWish wish;
    wish.path = landing();
    const bool mayEmpty = !m_isHidden && (m_replaces || m_wish.targetIsFresh);
    wish.existing = mayEmpty ? FileWriteWish::Existing::Empty : FileWriteWish::Existing::Refuse;
    // What is nobody else's business at the source is not so here meanwhile.
    if (m_wish.keepsMode && knowsMode() && m_target->can(FileAction::SetMode))
        wish.mode = 0600;
    if (m_wish.attributes.size && *m_wish.attributes.size > 0)
        wish.size = m_wish.attributes.size;
    m_writer = m_target->write(wish);
    connect(m_writer.get(), &FileWriter::taken, this, [this](qint64 bytes) {
        if (m_reader)
            m_reader->consumed(bytes);
        emit moved(bytes);
    });
    connect(m_writer.get(), &FileWriter::finished, this, &RelayFile::writeEnded);
    m_hasMade = true;
}

void RelayFile::openReader()
{
    m_reader = m_source->read({.path = m_wish.source, .listedSize = m_wish.attributes.size.value_or(0)});
    connect(m_reader.get(), &FileReader::received, this, [this](const QByteArray &bytes) {
        m_read += quint64(bytes.size());
        if (m_hash)
            m_hash->add(bytes);
        m_chunks.push_back(bytes);
        pump();
    });
    connect(m_reader.get(), &FileReader::finished, this, &RelayFile::readEnded);
}

// What the reader may have under way is bounded, and nothing is reported to it that the writer has not taken.
void RelayFile::pump()
{
    while (!m_chunks.empty() && !m_isHeld && m_writer) {
        if (m_wish.pacer) {
            const auto now = std::chrono::steady_clock::now();
            if (const auto later = m_wish.pacer->take(quint64(m_chunks.front().size()), now)) {
                m_isHeld = true;
                QTimer::singleShot(std::chrono::ceil<std::chrono::milliseconds>(*later - now), this, [this] {
                    m_isHeld = false;
                    pump();
                });
                return;
            }
        }
        const QByteArray bytes = std::move(m_chunks.front());
        m_chunks.pop_front();
        m_writer->write(bytes);
    }
    closeWhenAllIsWritten();
}

void RelayFile::readEnded(const Result<ReadEnd> &end)
{
    letGo(m_reader, this);
    if (!end)
        return fail(m_source, end.error());
    if (!isInReach())
        return;
    const quint64 size = m_wish.attributes.size.value_or(0);
    if (end->isShort || (size > 0 && m_read != size)) {
        m_hasChanged = true;
        m_wish.attributes.size = m_read;
        return lookAtSource();
    }
    m_isRead = true;
    closeWhenAllIsWritten();
}

void RelayFile::closeWhenAllIsWritten()
{
    if (!m_isRead || !m_chunks.empty() || !m_writer || std::exchange(m_isClosing, true))
        return;
    // Who cannot rename cannot promise that either.
    const bool syncs = m_isHidden && (m_wish.syncs || m_read > kSyncedFrom);
    m_writer->close(syncs ? FileWriter::Sync::Yes : FileWriter::Sync::No);
}

void RelayFile::writeEnded(const Done &end)
{
    letGo(m_writer, this);
    if (m_error) // it was only waited for
        return removeHalf();
    if (!isInReach())
        return;
    const bool isWhole = m_isClosing && (end || end.error().kind == ErrorKind::Unsupported); // not synced: nobody there can
    if (isWhole)
        return lookAtSource();
    letGo(m_reader, this);
    m_chunks.clear();
    if (end)
        return fail(m_target, {ErrorKind::Io, layerOf(m_target), u"it was not written to its end"_s, m_name.shown()});
    if (end.error().kind == ErrorKind::Conflict && m_read == 0 && !m_isHidden && m_wish.onConflict == OnConflict::Rename) {
        m_hasMade = false;
        return lookAtTarget(); // somebody was faster
    }
    // What has our hidden name is not in the way of another try.
    if (end.error().kind == ErrorKind::Conflict && m_isHidden && !std::exchange(m_wish.mayBeThere, true)) {
        m_read = 0;
        m_isRead = m_isClosing = false;
        m_hasMade = false;
        return clearHidden(&RelayFile::stream);
    }
    fail(m_target, end.error());
}

// Its end ------------------------------------------------------------------------------------------

// Is it still what it was?
void RelayFile::lookAtSource()
{
    // Where nothing can be set a look costs the listing of a whole folder, and a file comes as one answer.
    if (!m_source->can(FileAction::SetTimes))
        return m_hasChanged ? fail(nullptr, changed()) : setAttributes();
    ask(m_source, m_source->stat(m_wish.source, LinkPolicy::Follow), [this](const Result<FileAttributes> &found) {
        if (!found)
            return fail(m_source, found.error());
        const auto modified = [](const FileAttributes &one) { return one.times ? std::optional(one.times->modified) : std::nullopt; };
        const FileAttributes before = std::exchange(m_wish.attributes, *found);
        if (m_hasChanged || (before.size && before.size != found->size) || (before.times && modified(before) != modified(*found)))
            return fail(nullptr, changed());
        setAttributes();
    });
}

void RelayFile::setAttributes()
{
    FileAttributes attributes;
    // Nobody becomes somebody else by a file from elsewhere.
    if (m_wish.keepsMode && knowsMode() && m_target->can(FileAction::SetMode))
        attributes.mode = *m_wish.attributes.mode & 0777;
    if (m_wish.keepsTimes && m_target->can(FileAction::SetTimes))
        attributes.times = m_wish.attributes.times;
    if (!attributes.mode && !attributes.times)
        return m_isHidden ? giveName() : lookAtOutcome();
    // What is refused of it is no reason to lose the bytes: it is looked at later.
    ask(m_target, m_target->setAttributes(landing(), attributes, LinkPolicy::Follow), [this](const Done &) { m_isHidden ? giveName() : lookAtOutcome(); });
}

void RelayFile::giveName()
{
    ask(m_target, m_target->rename(hidden(), m_name, m_replaces ? RenamePolicy::Replace : RenamePolicy::Keep), [this](const Done &named) {
        if (!named)
            return notNamed(named.error());
        m_hasMade = false;
        lookAtOutcome();
    });
}

void RelayFile::notNamed(const Error &error)
{
    if (error.kind == ErrorKind::Conflict && m_wish.onConflict == OnConflict::Rename && nextName())
        return giveName();
    // A server without posix-rename may refuse to replace; then there is no way but this one.
    const bool mayReplaceByHand = m_replaces && (error.kind == ErrorKind::Conflict || error.kind == ErrorKind::ServerError || error.kind == ErrorKind::Unsupported);
    mayReplaceByHand ? replaceTarget() : fail(m_target, error);
}

void RelayFile::replaceTarget()
{
    m_replaces = false; // once
    ask(m_target, m_target->removeFile(m_name), [this](const Done &removed) { removed ? giveName() : fail(m_target, removed.error()); });
}

void RelayFile::lookAtOutcome()
{
    // Where a look costs a listing, its word at the end does.
    if (!m_isHidden) {
        m_hasMade = false;
        FileAttributes written;
        written.size = m_read;
        return done(written);
    }
    ask(m_target, m_target->stat(m_name, LinkPolicy::NoFollow), [this](const Result<FileAttributes> &found) {
        if (!found)
            return fail(m_target, found.error());
        if (!m_isRenamed && found->size && *found->size != m_read)
            return fail(m_target, {ErrorKind::Io, layerOf(m_target), u"it is not there as it was written"_s, m_name.shown()});
        done(*found);
    });
}

void RelayFile::done(const FileAttributes &there)
{
    const FileReceipt receipt{there.size.value_or(m_read), there.mode.value_or(0), there.times ? there.times->modified : 0, m_hash ? m_hash->result() : QByteArray()};
    const FileOutcome outcome{FileOutcome::Kind::Moved, receipt, m_name.name()};
    if (!m_hasMade || !m_target)
        return end(outcome);
    // Beside one that an earlier try had brought to its end there may be what a still earlier one has left.
    m_hasMade = false;
    onAnswer(m_target->removeFile(hidden()), this, [this, outcome](const Done &) { end(outcome); });
}

void RelayFile::fail(const FileSystem *whose, const Error &error)
{
    if (m_isOver || m_error)
        return;
    m_error = error;
    m_complainant = whose;
    // A vendor's file lands whole or not at all, as far as it keeps its word.
    if (!m_isHidden && m_hasMade && m_read > 0 && error.kind != ErrorKind::Cancelled)
        m_error->detail += u" (it is written under its own name there, and may be there in part)"_s;
    letGo(m_reader, this);
    m_chunks.clear();
    removeHalf();
}

void RelayFile::removeHalf()
{
    if (!m_error)
        m_error = Error{ErrorKind::Cancelled, layerOf(m_target), {}, m_wish.source.shown()};
    const bool isLost = m_complainant && m_complainant == m_target.data() && isOutOfReach(*m_error);
    if (!m_hasMade || !m_isHidden || !m_target || isLost) {
        letGo(m_writer, this);
        return end(std::unexpected(*m_error));
    }
    // What is being opened might be made behind our back: it ends first.
    if (m_writer) {
        if (!std::exchange(m_isClosing, true))
            m_writer->close(FileWriter::Sync::No);
        return;
    }
    m_hasMade = false;
    onAnswer(m_target->removeFile(hidden()), this, [this](const Done &) { end(std::unexpected(*m_error)); });
}

void RelayFile::end(const Result<FileOutcome> &outcome)
{
    if (std::exchange(m_isOver, true))
        return;
    letGo(m_reader, this);
    letGo(m_writer, this);
    emit finished(outcome);
}

} // namespace Sandpiper

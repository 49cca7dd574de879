// A file of this computer, or a part of it, to the server, in the thread of the link: into a hidden file there,
// which gets its name when it is whole.
#include "sftp/sftpjob.h"
#include "sftp/sha256.h"
#include "sftp/transferfile.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostNames = 1000;

class SendJob : public SftpJob
{
public:
    SendJob(SftpJobHost &host, int id, const FileTransferWish &wish)
        : SftpJob(host, id, wish.remote.shown())
        , m_wish(wish)
        , m_localName(wish.tree->shown(wish.local))
        , m_offset(wish.part.offset)
        , m_target(wish.remote)
    {
        if (wish.hashes && isWhole())
            m_hash.emplace();
        const Result<FilePath> hidden = wish.remote.parent().child(wish.hiddenName);
        if (hidden)
            m_hidden = *hidden;
    }

    void start() override
    {
        if (const Done opened = openSource(); !opened)
            return end(std::unexpected(opened.error()));
        m_stop = m_wish.part.length ? std::min(m_wish.part.offset + *m_wish.part.length, m_size) : m_size;
        const bool mustLook = !m_wish.targetIsFresh && (m_wish.part.begins || m_wish.part.ends);
        if (!mustLook)
            return openTarget();
        m_isLooking = true;
        ask(std::move(SftpRequest(SftpType::Lstat).string(m_target.onTheWire())), [this](const Result<SftpReply> &look) {
            const Result<FileAttributes> existing = expect<FileAttributes>(look);
            if (!existing && existing.error().kind != ErrorKind::NotFound)
                return fail(existing.error());
            if (existing && !decide(*existing))
                return;
            m_isLooking = false;
            if (m_openFailure)
                return notOpened(*m_openFailure);
            m_wish.part.begins ? openTarget() : pump();
        });
        if (!m_wish.part.begins) // it is there, and opening it changes nothing
            openTarget();
    }

    void pump() override
    {
        if (!isOpen() || m_isLooking || m_isRefused)
            return;
        while (m_offset < m_stop && m_inFlight < m_wish.inFlight && host().protocol().unsent() < mostUnsent && host().bulk().hasRoom()) {
            if (const auto later = m_wish.pacer ? m_wish.pacer->take(nextSize(), host().now()) : std::nullopt)
                return host().wakeAt(*later);
            if (!sendPiece())
                return;
        }
        if (m_offset < m_stop)
            return;
        if (m_wish.part.ends)
            finishTarget();
        else if (m_inFlight == 0)
            end(SftpValue(FileOutcome{.receipt = {m_stop - m_wish.part.offset, 0, 0}}));
    }

protected:
    void giveBack() override
    {
        SftpJob::giveBack();
        // Only what was begun here and is not to be gone on with.
        if (isWhole() && m_isMade && !m_isNamed)
            order(std::move(SftpRequest(SftpType::Remove).string(m_hidden.onTheWire())));
        m_isMade = false;
    }

private:
    [[nodiscard]] bool isWhole() const { return m_wish.part.begins && m_wish.part.ends; }

    [[nodiscard]] Done openSource()
    {
        const Result<LocalTree::Folder> folder = m_wish.tree->folder(m_wish.local.parent(), LocalTree::Missing::Fail);
        if (!folder)
            return std::unexpected(folder.error());
        m_source = FileDescriptor(::openat((*folder)->get(), m_wish.local.name().constData(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        struct stat status;
        if (!m_source.isValid() || ::fstat(m_source.get(), &status) != 0)
            return std::unexpected(localError(errno, m_localName));
        if (!S_ISREG(status.st_mode))
            return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"this is no plain file"_s, m_localName);
        m_attributes = attributesOf(status);
        m_size = quint64(status.st_size);
        m_modified = status.st_mtim;
        // Planned as something else: the parts would not fit together.
        if (!isWhole() && ((m_wish.size && *m_wish.size != m_size) || (m_wish.modified && *m_wish.modified != m_attributes.times->modified)))
            return changed();
        return {};
    }

    // Whether it goes on; else the job is over.
    [[nodiscard]] bool decide(const FileAttributes &existing)
    {
        if (existing.isFolder() && m_wish.onConflict != OnConflict::Rename) {
            fail({ErrorKind::Conflict, Layer::Sftp, u"a folder has this name"_s, {}});
            return false;
        }
        if (m_wish.mayBeThere && looksSame(m_attributes, existing)) {
            end(SftpValue(FileOutcome{FileOutcome::Kind::Moved, {m_size, existing.mode.value_or(0), existing.times->modified}, m_target.name()}));
            return false;
        }
        const std::optional<bool> may = mayReplace(m_wish.onConflict, m_attributes, existing);
        if (!may && m_wish.onConflict == OnConflict::Ask) {
            end(SftpValue(FileOutcome{FileOutcome::Kind::Conflict, {}, {}, m_attributes, existing}));
            return false;
        }
        if (may && !*may) {
            end(SftpValue(FileOutcome{.kind = FileOutcome::Kind::Skipped}));
            return false;
        }
        m_replaces = may.has_value();
        if (!may)
            nextName();
        return true;
    }

    void openTarget()
    {
        if (m_hidden.isEmpty())
            return fail({ErrorKind::InvalidInput, Layer::Sftp, u"no file can have this name"_s, {}});
        FileAttributes attributes;
        if (m_wish.keepsMode)
            attributes.mode = 0600; // until it is whole
        const quint32 flags = SftpOpen::Write | (m_wish.part.begins ? SftpOpen::Create | SftpOpen::Exclusive : 0);
        ask(std::move(SftpRequest(SftpType::Open).string(m_hidden.onTheWire()).number(flags).attributes(m_wish.part.begins ? attributes : FileAttributes())),
            [this](const Result<SftpReply> &reply) {
                const Result<SftpHandle> handle = expect<SftpHandle>(reply);
                if (!handle) {
                    m_openFailure = handle.error();
                    // It may have its name already: that is looked at first.
                    return m_isLooking ? void() : notOpened(handle.error());
                }
                hold(*handle);
                m_isMade = m_wish.part.begins;
                pump();
            });
    }

    // An earlier try of ours may lie there; once.
    void notOpened(const Error &error)
    {
        const bool mayBeThere = error.kind == ErrorKind::ServerError || error.kind == ErrorKind::Conflict;
        if (!m_wish.part.begins || !mayBeThere || std::exchange(m_hasCleared, true))
            return fail(error);
        ask(std::move(SftpRequest(SftpType::Remove).string(m_hidden.onTheWire())), [this, error](const Result<SftpReply> &reply) {
            expectOk(reply) ? openTarget() : fail(error);
        });
    }

    [[nodiscard]] quint64 nextSize() { return std::min<quint64>(host().bulk().most(server().mostWrite), m_stop - m_offset); }

    [[nodiscard]] bool sendPiece()
    {
        const auto size = qsizetype(nextSize());
        QByteArray bytes(size, Qt::Uninitialized);
        const ssize_t got = readHere(bytes);
        if (got != size) {
            // It is not as long as it was, or the disk does not give it.
            end(got < 0 ? std::unexpected(localError(errno, m_localName)) : std::unexpected(changed().error()));
            return false;
        }
        if (m_hash)
            m_hash->add(bytes);
        ++m_inFlight;
        m_share.asked(size);
        ask(std::move(SftpRequest(SftpType::Write, handle().size() + size + 16).string(handle()).longNumber(m_offset).string(bytes)),
            [this, size, askedAt = host().now()](const Result<SftpReply> &reply) {
                --m_inFlight;
                m_share.answered(size, askedAt, host().now());
                const Done written = expectOk(reply);
                if (!written)
                    return refused(written.error());
                if (!isWhole() || m_size >= kToldFrom)
                    host().post(FromSftp::Taken{id(), size});
                goOn();
            });
        m_offset += quint64(size);
        return true;
    }

    [[nodiscard]] ssize_t readHere(QByteArray &bytes) const
    {
        qsizetype done = 0;
        while (done < bytes.size()) {
            const ssize_t got = ::pread(m_source.get(), bytes.data() + done, size_t(bytes.size() - done), off_t(m_offset) + done);
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return got;
            if (got == 0)
                break;
            done += got;
        }
        return done;
    }

    // A full disk is a failure without a reason, too.
    void refused(const Error &error)
    {
        const SftpExtension space = isOpen() ? SftpExtension::Fstatvfs : SftpExtension::Statvfs;
        if (error.kind != ErrorKind::ServerError || !server().has(space))
            return fail(error);
        if (std::exchange(m_isRefused, true))
            return; // one reason will do
        ask(std::move(SftpRequest(SftpType::Extended).string(nameOf(space)).string(isOpen() ? handle() : m_hidden.onTheWire())),
            [this, error](const Result<SftpReply> &look) {
                const auto *body = look ? std::get_if<SftpExtendedReply>(&look->body) : nullptr;
                fail({body && saysFull(body->bytes) ? ErrorKind::QuotaExceeded : error.kind, Layer::Sftp, error.detail, {}});
            });
    }

    void goOn()
    {
        if (!m_isFinishing)
            pump();
        else if (m_inFlight == 0 && !m_isRefused)
            giveName();
    }

    // All that it still needs travels behind its bytes: what is asked about one file is done in the order in which it is
    // asked (draft-ietf-secsh-filexfer-02, 6.1). Its name waits for all of the answers: where the disk is a network's, only
    // the end says whether all was written.
    void finishTarget()
    {
        m_isFinishing = true;
        struct stat status;
        if (::fstat(m_source.get(), &status) != 0 || quint64(status.st_size) != m_size || status.st_mtim.tv_sec != m_modified.tv_sec || status.st_mtim.tv_nsec != m_modified.tv_nsec)
            return end(std::unexpected(changed().error()));
        // Mode and times as the source's; a server that will not is no reason to lose the bytes: they are looked at later.
        FileAttributes attributes;
        if (m_wish.keepsMode)
            attributes.mode = *m_attributes.mode & 0777;
        if (m_wish.keepsTimes)
            attributes.times = m_attributes.times;
        if (attributes.mode || attributes.times)
            askLast(std::move(SftpRequest(SftpType::Fsetstat).string(handle()).attributes(attributes)), Needed::No);
        if ((m_wish.syncs || m_size > kSyncedFrom) && server().has(SftpExtension::Fsync))
            askLast(std::move(SftpRequest(SftpType::Extended).string(nameOf(SftpExtension::Fsync)).string(handle())), Needed::IfSupported);
        askLast(std::move(SftpRequest(SftpType::Close).string(letGo())), Needed::Yes);
    }

    enum class Needed { No, IfSupported, Yes };
    void askLast(SftpRequest request, Needed needed)
    {
        ++m_inFlight;
        ask(std::move(request), [this, needed](const Result<SftpReply> &reply) {
            --m_inFlight;
            const Done done = expectOk(reply);
            const bool isBorne = reply && (needed == Needed::No || (needed == Needed::IfSupported && !done && done.error().kind == ErrorKind::Unsupported));
            done || isBorne ? goOn() : fail(done.error());
        });
    }

    void giveName()
    {
        const bool isAtomic = m_replaces && server().has(SftpExtension::PosixRename);
        if (m_replaces && !isAtomic) {
            // Without that extension a server may refuse to replace; then there is no way but this one.
            ask(std::move(SftpRequest(SftpType::Remove).string(m_target.onTheWire())), [](const Result<SftpReply> &) {});
        }
        SftpRequest request(isAtomic ? SftpType::Extended : SftpType::Rename);
        if (isAtomic)
            request.string(nameOf(SftpExtension::PosixRename));
        ask(std::move(request.string(m_hidden.onTheWire()).string(m_target.onTheWire())), [this](const Result<SftpReply> &reply) {
            const Done named = expectOk(reply);
            m_isNamed = named.has_value();
            if (!named)
                notNamed(named.error());
            else if (std::exchange(m_hasLookedEarly, false))
                lookAtTarget();
        });
        // Mostly it is answered behind the other one, and then it has cost no time.
        lookAtTarget();
    }

    void lookAtTarget()
    {
        ask(std::move(SftpRequest(SftpType::Lstat).string(m_target.onTheWire())), [this, target = m_target](const Result<SftpReply> &look) {
            m_hasLookedEarly = !m_isNamed && target == m_target;
            if (!m_isNamed)
                return;
            const Result<FileAttributes> there = expect<FileAttributes>(look);
            there ? finish(*there) : fail(there.error());
        });
    }

    void notNamed(const Error &error)
    {
        if (error.kind == ErrorKind::Unsupported && m_replaces) {
            host().protocol().withdraw(SftpExtension::PosixRename);
            return giveName();
        }
        if (m_wish.onConflict != OnConflict::Rename || error.kind == ErrorKind::PermissionDenied || m_number > kMostNames)
            return failNew(error, m_target);
        m_hasLookedEarly = false;
        nextName();
        giveName();
    }

    void nextName()
    {
        m_target = *m_wish.remote.parent().child(otherName(m_wish.remote.name(), ++m_number)).or_else([this](const Error &) { return Result<FilePath>(m_wish.remote); });
    }

    void finish(const FileAttributes &there)
    {
        if (there.size && *there.size != m_size)
            return fail({ErrorKind::Io, Layer::Sftp, u"it is not there as it was written"_s, {}});
        end(SftpValue(FileOutcome{FileOutcome::Kind::Moved,
                                  {m_size, there.mode.value_or(0), there.times ? there.times->modified : 0, m_hash ? m_hash->result() : QByteArray()},
                                  m_target.name()}));
    }

    [[nodiscard]] Done changed() const { return failure(ErrorKind::Io, Layer::LocalDisk, u"it changed while it was read"_s, m_localName); }

    FileTransferWish m_wish;
    QString m_localName;
    FileDescriptor m_source;
    FileAttributes m_attributes; // of the source
    quint64 m_size = 0;
    timespec m_modified{};
    quint64 m_offset; // read up to there
    quint64 m_stop = 0;
    FilePath m_target;
    FilePath m_hidden; // empty: it cannot be
    std::optional<Sha256> m_hash;
    BulkShare m_share{host().bulk()};
    int m_inFlight = 0;
    int m_number = 1; // of the name
    bool m_replaces = false;
    bool m_isMade = false; // the hidden file is there and ours
    bool m_isNamed = false;
    bool m_hasLookedEarly = false; // the answer came before that to the renaming
    bool m_hasCleared = false;
    std::optional<Error> m_openFailure;
    bool m_isLooking = false; // at what has the name
    bool m_isRefused = false; // it is being found out why
    bool m_isFinishing = false;
};

} // namespace

std::unique_ptr<SftpJob> makeSendJob(SftpJobHost &host, int id, const FileTransferWish &wish)
{
    return std::make_unique<SendJob>(host, id, wish);
}

} // namespace Sandpiper

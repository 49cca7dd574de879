// A file of the server, or a part of it, into a file of this computer, in the thread of the link: its bytes go
// nowhere else.
#include "sftp/localtarget.h"
#include "sftp/sftpjob.h"
#include "sftp/sha256.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class FetchJob : public SftpJob
{
public:
    FetchJob(SftpJobHost &host, int id, const FileTransferWish &wish)
        : SftpJob(host, id, wish.remote.shown())
        , m_wish(wish)
        , m_target(wish)
        , m_asked(wish.part.offset)
    {
        if (wish.hashes && wish.part.begins && wish.part.ends)
            m_hash.emplace();
        if (!wish.part.begins || !wish.part.ends)
            m_target.leave();
    }

    void start() override
    {
        ask(std::move(SftpRequest(SftpType::Open).string(m_wish.remote.onTheWire()).number(SftpOpen::Read).attributes({})), [this](const Result<SftpReply> &reply) {
            if (!opened(reply))
                return;
            ask(std::move(SftpRequest(SftpType::Fstat).string(handle())), [this](const Result<SftpReply> &look) { begin(look); });
            // What is known of it is surely worth the first pieces; nothing is written before its turn.
            m_size = m_wish.size.value_or(1);
            pump();
        });
    }

    void pump() override
    {
        if (!isOpen() || m_isFinishing)
            return;
        const quint64 stop = m_wish.part.length ? std::min(m_wish.part.offset + *m_wish.part.length, m_size) : m_size;
        while (m_inFlight < m_wish.inFlight && m_asked < stop && host().bulk().hasRoom()) {
            const quint64 size = std::min<quint64>(host().bulk().most(server().mostRead), stop - m_asked);
            if (const auto later = m_wish.pacer ? m_wish.pacer->take(size, host().now()) : std::nullopt)
                return host().wakeAt(*later);
            read(m_asked, quint32(size));
            m_asked += size;
        }
        if (m_hasBegun && m_inFlight == 0 && m_asked >= stop)
            allHere();
    }

private:
    [[nodiscard]] bool isSmall() const { return m_wish.part.begins && m_wish.part.ends && m_wish.size.value_or(kToldFrom) < kToldFrom; }

    void begin(const Result<SftpReply> &look)
    {
        const Result<FileAttributes> found = expect<FileAttributes>(look);
        if (!found)
            return fail(found.error());
        if (found->type() != FileType::File && found->type() != FileType::Unknown)
            return fail({ErrorKind::InvalidInput, Layer::Sftp, u"this is no plain file"_s, {}});
        if ((m_wish.size && found->size != m_wish.size) || (m_wish.modified && modifiedOf(*found) != m_wish.modified)) {
            // Planned as something else; the parts would not fit together.
            if (!m_wish.part.begins || !m_wish.part.ends)
                return changed();
        }
        m_source = *found;
        m_isOpenEnded = !found->size || (*found->size == 0 && m_asked == 0);
        m_size = m_isOpenEnded ? std::max<quint64>(m_asked, 1) : *found->size;
        const Result<std::optional<FileOutcome>> begun = m_target.begin(m_source);
        if (!begun)
            return failHere(begun.error());
        if (*begun)
            return end(SftpValue(**begun));
        m_hasBegun = true;
        for (const auto &[offset, bytes] : std::exchange(m_early, {})) {
            if (!m_isOpenEnded && offset + quint64(bytes.size()) > m_size)
                return changed();
            if (!store(offset, bytes))
                return;
        }
        pump();
    }

    void read(quint64 offset, quint32 size)
    {
        ++m_inFlight;
        m_share.asked(size);
        ask(std::move(SftpRequest(SftpType::Read).string(handle()).longNumber(offset).number(size)),
            [this, offset, size, askedAt = host().now()](const Result<SftpReply> &reply) {
                m_share.answered(size, askedAt, host().now());
                take(offset, size, reply);
            });
    }

    void take(quint64 offset, quint32 size, const Result<SftpReply> &reply)
    {
        --m_inFlight;
        const Result<std::optional<QByteArrayView>> piece = pieceOf(reply, size);
        if (!piece)
            return fail(piece.error());
        if (!*piece) {
            // It was planned as a longer one, and read before it was looked at.
            if (!m_hasBegun || (!m_isOpenEnded && offset >= m_size)) {
                m_asked = std::min(m_asked, offset);
                return pump();
            }
            if (!m_isOpenEnded)
                return changed();
            m_isAtEnd = true;
            m_isOpenEnded = false;
            m_size = std::min(m_size, offset);
            return pump();
        }
        const QByteArrayView bytes = **piece;
        const quint64 end = offset + quint64(bytes.size());
        if (m_hasBegun && !m_isOpenEnded && end > m_size)
            return changed();
        if (!m_hasBegun)
            m_early.emplace_back(offset, bytes.toByteArray());
        else if (!store(offset, bytes))
            return;
        // Servers may give less, as read(2) does.
        if (m_isOpenEnded) {
            m_asked = end;
            m_size = end + server().mostRead;
        } else if (bytes.size() < qsizetype(size) && !(m_hasBegun && end >= m_size)) {
            read(end, size - quint32(bytes.size()));
        }
        pump();
    }

    [[nodiscard]] bool store(quint64 offset, QByteArrayView bytes)
    {
        if (const Done written = m_target.write(offset, bytes); !written) {
            failHere(written.error());
            return false;
        }
        if (m_hash && offset == m_hashed) {
            m_hash->add(bytes);
            m_hashed += quint64(bytes.size());
        }
        m_written += quint64(bytes.size());
        if (!isSmall())
            host().post(FromSftp::Taken{id(), bytes.size()});
        return true;
    }

    void allHere()
    {
        if (m_isOpenEnded) // its end has not been seen
            return;
        m_isFinishing = true;
        if (!m_wish.part.ends)
            return end(SftpValue(FileOutcome{.receipt = {m_written, 0, 0}}));
        // Is it still what it was? One small piece came at one moment, and where nothing was read it has just been looked at;
        // what took longer is looked at again.
        if (m_isAtEnd || m_size <= server().mostRead || (!m_wish.part.begins && m_wish.part.length == 0))
            return finish();
        ask(std::move(SftpRequest(SftpType::Fstat).string(handle())), [this](const Result<SftpReply> &look) {
            const Result<FileAttributes> found = expect<FileAttributes>(look);
            if (!found)
                return fail(found.error());
            if (found->size != m_source.size || modifiedOf(*found) != modifiedOf(m_source))
                return changed();
            finish();
        });
    }

    void finish()
    {
        const Result<FileOutcome> outcome = m_target.finish(m_source, m_hash && m_hashed == m_written ? m_hash->result() : QByteArray());
        outcome ? end(SftpValue(*outcome)) : failHere(outcome.error());
    }

    [[nodiscard]] static std::optional<quint32> modifiedOf(const FileAttributes &attributes)
    {
        return attributes.times ? std::optional(attributes.times->modified) : std::nullopt;
    }
    void changed() { fail({ErrorKind::Io, Layer::Sftp, u"it changed while it was read"_s, {}}); }
    // About the file here, as it says itself.
    void failHere(const Error &error) { end(std::unexpected(error)); }

    FileTransferWish m_wish;
    LocalTarget m_target;
    FileAttributes m_source;
    std::optional<Sha256> m_hash;
    quint64 m_hashed = 0;
    quint64 m_written = 0;
    quint64 m_asked; // up to there
    quint64 m_size = 0;
    bool m_isOpenEnded = false; // the server does not say how large it is: one piece after the other
    bool m_isAtEnd = false;
    bool m_hasBegun = false;
    bool m_isFinishing = false;
    int m_inFlight = 0;
    BulkShare m_share{host().bulk()};
    std::vector<std::pair<quint64, QByteArray>> m_early; // at most as many as may be in flight
};

} // namespace

std::unique_ptr<SftpJob> makeFetchJob(SftpJobHost &host, int id, const FileTransferWish &wish)
{
    return std::make_unique<FetchJob>(host, id, wish);
}

} // namespace Sandpiper

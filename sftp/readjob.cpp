// A file that is read, with many READs in flight, and handed on in order.
#include "sftp/sftpjob.h"

#include <algorithm>
#include <map>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class ReadJob : public SftpJob
{
public:
    ReadJob(SftpJobHost &host, int id, const FileReadWish &wish)
        : SftpJob(host, id, wish.path.shown())
        , m_wish(wish)
        , m_asked(wish.offset)
        , m_told(wish.offset)
    {
        if (wish.length)
            m_stop = wish.offset + std::min(*wish.length, std::numeric_limits<quint64>::max() - wish.offset);
    }

    void start() override
    {
        if (m_wish.offset > std::numeric_limits<quint64>::max() - server().mostRead)
            return fail({ErrorKind::InvalidInput, Layer::Sftp, u"no file reaches so far"_s, {}});
        ask(std::move(SftpRequest(SftpType::Open).string(m_wish.path.onTheWire()).number(SftpOpen::Read).attributes({})), [this](const Result<SftpReply> &reply) {
            if (!opened(reply))
                return;
            // How much is worth asking for; the first piece does not wait for it.
            ask(std::move(SftpRequest(SftpType::Fstat).string(handle())), [this](const Result<SftpReply> &look) {
                if (!look)
                    return fail(look.error());
                const auto *found = look ? std::get_if<FileAttributes>(&look->body) : nullptr;
                if (found && found->isFolder())
                    return fail({ErrorKind::InvalidInput, Layer::Sftp, u"this is a folder"_s, {}});
                m_size = found && found->size ? *found->size : std::numeric_limits<quint64>::max();
                pump();
            });
            pump();
        });
    }

    void pump() override
    {
        if (!isOpen() || m_isClosing)
            return;
        while (m_inFlight < m_wish.inFlight && !m_end) {
            const quint64 chunk = server().mostRead;
            // Behind the size that it should have, one at a time: there may be more, but mostly there is not.
            if (m_asked >= m_size && (m_inFlight > 0 || m_told < m_asked))
                break;
            if (m_stop && m_asked >= *m_stop)
                break;
            // What is in flight, waits for its turn or for its receiver.
            if (m_asked - m_told + quint64(m_unconsumed) + chunk > quint64(m_wish.inFlight) * chunk)
                break;
            const quint64 size = m_stop ? std::min(chunk, *m_stop - m_asked) : chunk;
            if (m_asked > std::numeric_limits<quint64>::max() - size)
                break;
            read(m_asked, quint32(size));
            m_asked += size;
        }
        if (m_inFlight == 0 && ((m_end && m_told >= *m_end) || (m_stop && m_told >= *m_stop)))
            conclude();
    }

    void consumed(qint64 bytes) override
    {
        m_unconsumed = std::max<qint64>(0, m_unconsumed - bytes);
    }

private:
    void read(quint64 offset, quint32 size)
    {
        ++m_inFlight;
        ask(std::move(SftpRequest(SftpType::Read).string(handle()).longNumber(offset).number(size)),
            [this, offset, size](const Result<SftpReply> &reply) { take(offset, size, reply); });
    }

    void take(quint64 offset, quint32 size, const Result<SftpReply> &reply)
    {
        --m_inFlight;
        const Result<std::optional<QByteArrayView>> piece = pieceOf(reply, size);
        if (!piece)
            return fail(piece.error());
        if (!*piece) {
            m_end = std::min(m_end.value_or(offset), offset);
        } else {
            const QByteArrayView bytes = **piece;
            m_arrived.emplace(offset, bytes.toByteArray());
            // Servers may give less, as read(2) does.
            if (const quint32 missing = size - quint32(bytes.size()); missing > 0)
                read(offset + quint64(bytes.size()), missing);
        }
        // It became shorter while it was read: what lies behind would be joined to the wrong place.
        if (m_end && !m_arrived.empty() && m_arrived.rbegin()->first >= *m_end)
            return fail({ErrorKind::Io, Layer::Sftp, u"it changed while it was read"_s, {}});
        tell();
        pump();
    }

    void tell()
    {
        for (auto first = m_arrived.find(m_told); first != m_arrived.end(); first = m_arrived.find(m_told)) {
            QByteArray bytes = std::move(first->second);
            m_arrived.erase(first);
            m_told += quint64(bytes.size());
            m_unconsumed += bytes.size();
            host().post(FromSftp::Bytes{id(), std::move(bytes)});
        }
    }

    void conclude()
    {
        m_isClosing = true;
        const ReadEnd result{m_told - m_wish.offset, false};
        const bool wantedMore = !m_stop || m_told < *m_stop;
        if (!wantedMore || m_told >= m_size || m_size == std::numeric_limits<quint64>::max())
            return end(SftpValue(result));
        // Less than it promised: has it become shorter meanwhile?
        ask(std::move(SftpRequest(SftpType::Fstat).string(handle())), [this, result](const Result<SftpReply> &look) {
            const auto *found = look ? std::get_if<FileAttributes>(&look->body) : nullptr;
            end(SftpValue(ReadEnd{result.bytes, found && found->size && *found->size > m_told}));
        });
    }

    FileReadWish m_wish;
    std::optional<quint64> m_stop; // an offset
    quint64 m_size = 0;            // what the server says; until it does, one piece is asked for
    std::optional<quint64> m_end;  // where it said that there is nothing more
    bool m_isClosing = false;
    quint64 m_asked; // up to there
    quint64 m_told;  // up to there, in order
    int m_inFlight = 0;
    qint64 m_unconsumed = 0;
    std::map<quint64, QByteArray> m_arrived; // and not told
};

} // namespace

std::unique_ptr<SftpJob> makeReadJob(SftpJobHost &host, int id, const FileReadWish &wish)
{
    return std::make_unique<ReadJob>(host, id, wish);
}

} // namespace Sandpiper

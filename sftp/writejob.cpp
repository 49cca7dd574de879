// A file that is written, with many WRITEs in flight.
#include "sftp/sftpjob.h"

#include <algorithm>
#include <deque>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class WriteJob : public SftpJob
{
public:
    WriteJob(SftpJobHost &host, int id, const FileWriteWish &wish)
        : SftpJob(host, id, wish.path.shown())
        , m_wish(wish)
        , m_offset(wish.offset)
    {
    }

    void start() override
    {
        FileAttributes attributes;
        attributes.mode = m_wish.mode;
        const quint32 flags = SftpOpen::Write | SftpOpen::Create
                | (m_wish.existing == FileWriteWish::Existing::Refuse ? SftpOpen::Exclusive : m_wish.existing == FileWriteWish::Existing::Empty ? SftpOpen::Truncate : 0);
        ask(std::move(SftpRequest(SftpType::Open).string(m_wish.path.onTheWire()).number(flags).attributes(attributes)), [this](const Result<SftpReply> &reply) {
            const Result<SftpHandle> handle = expect<SftpHandle>(reply);
            if (!handle)
                return notOpened(handle.error());
            hold(*handle);
            pump();
        });
    }

    void write(const QByteArray &bytes) override
    {
        if (m_isFinishing)
            return;
        m_waiting += bytes.size();
        m_input.push_back(bytes);
        pump();
    }

    void finishWriting(bool sync) override
    {
        m_isFinishing = true;
        m_syncs = sync;
        pump();
    }

    void pump() override
    {
        if (!isOpen() || m_isClosing)
            return;
        const qint64 chunk = server().mostWrite;
        // Whole pieces only, unless nothing else is under way or will come.
        while (m_waiting > 0 && m_inFlight < m_wish.inFlight && host().protocol().unsent() < mostUnsent
               && (m_waiting >= chunk || m_isFinishing || m_inFlight == 0))
            send(std::min(m_waiting, chunk));
        if (m_isFinishing && m_waiting == 0 && m_inFlight == 0)
            conclude();
    }

private:
    void notOpened(const Error &error)
    {
        m_wish.existing == FileWriteWish::Existing::Refuse ? failNew(error, m_wish.path) : fail(error);
    }

    void send(qint64 size)
    {
        SftpRequest request(SftpType::Write, handle().size() + size + 16);
        request.string(handle()).longNumber(m_offset);
        if (m_firstUsed == 0 && m_input.front().size() == size) {
            request.string(m_input.front());
            m_input.pop_front();
        } else {
            QByteArray bytes;
            bytes.reserve(size);
            while (bytes.size() < size) {
                const QByteArrayView rest = QByteArrayView(m_input.front()).sliced(m_firstUsed);
                const qsizetype part = std::min<qsizetype>(rest.size(), size - bytes.size());
                bytes += rest.first(part);
                m_firstUsed += part;
                if (m_firstUsed == m_input.front().size()) {
                    m_input.pop_front();
                    m_firstUsed = 0;
                }
            }
            request.string(bytes);
        }
        m_offset += quint64(size);
        m_waiting -= size;
        ++m_inFlight;
        ask(std::move(request), [this, size](const Result<SftpReply> &reply) {
            --m_inFlight;
            const Done written = expectOk(reply);
            if (!written)
                return refused(written.error());
            host().post(FromSftp::Taken{id(), size});
            pump();
        });
    }

    // A full disk is a failure without a reason, too.
    void refused(const Error &error)
    {
        if (std::exchange(m_isRefused, true))
            return; // one reason will do
        if (error.kind != ErrorKind::ServerError || !server().has(SftpExtension::Fstatvfs))
            return fail(error);
        m_isClosing = true;
        ask(std::move(SftpRequest(SftpType::Extended).string(nameOf(SftpExtension::Fstatvfs)).string(handle())), [this, error](const Result<SftpReply> &look) {
            const auto *body = look ? std::get_if<SftpExtendedReply>(&look->body) : nullptr;
            fail({body && saysFull(body->bytes) ? ErrorKind::QuotaExceeded : error.kind, Layer::Sftp, error.detail, {}});
        });
    }

    void conclude()
    {
        m_isClosing = true;
        if (m_syncs && server().has(SftpExtension::Fsync)) {
            ask(std::move(SftpRequest(SftpType::Extended).string(nameOf(SftpExtension::Fsync)).string(handle())), [this](const Result<SftpReply> &reply) {
                const Done synced = expectOk(reply);
                synced ? closeAndEnd() : fail(synced.error());
            });
        } else if (m_syncs) {
            fail({ErrorKind::Unsupported, Layer::Sftp, u"the server does not offer fsync@openssh.com"_s, {}});
        } else {
            closeAndEnd();
        }
    }

    // Where the disk is a network's, only the end says whether all was written.
    void closeAndEnd()
    {
        ask(std::move(SftpRequest(SftpType::Close).string(letGo())), [this](const Result<SftpReply> &reply) {
            const Done closed = expectOk(reply);
            closed ? end(SftpValue()) : fail(closed.error());
        });
    }

    FileWriteWish m_wish;
    bool m_isFinishing = false;
    bool m_isClosing = false;
    bool m_isRefused = false;
    bool m_syncs = false;
    std::deque<QByteArray> m_input;
    qsizetype m_firstUsed = 0; // of the first
    qint64 m_waiting = 0;
    quint64 m_offset;
    int m_inFlight = 0;
};

} // namespace

std::unique_ptr<SftpJob> makeWriteJob(SftpJobHost &host, int id, const FileWriteWish &wish)
{
    return std::make_unique<WriteJob>(host, id, wish);
}

} // namespace Sandpiper

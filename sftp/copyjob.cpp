// A file copied by the server itself, into one that was not there before.
#include "sftp/sftpjob.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

// One request must be done within a patience, and a cancel waits for the one that runs.
constexpr quint64 kPiece = 64 << 20;

class CopyJob : public SftpJob
{
public:
    CopyJob(SftpJobHost &host, int id, const SftpDo::Copy &wish)
        : SftpJob(host, id, wish.from.shown())
        , m_wish(wish)
    {
    }

    void start() override
    {
        if (!server().has(SftpExtension::CopyData))
            return fail({ErrorKind::Unsupported, Layer::Sftp, u"the server does not offer copy-data"_s, {}});
        ask(std::move(SftpRequest(SftpType::Open).string(m_wish.from.onTheWire()).number(SftpOpen::Read).attributes({})), [this](const Result<SftpReply> &reply) {
            if (opened(reply))
                ask(std::move(SftpRequest(SftpType::Fstat).string(handle())), [this](const Result<SftpReply> &look) { openNew(look); });
        });
    }

private:
    void openNew(const Result<SftpReply> &look)
    {
        const Result<FileAttributes> found = expect<FileAttributes>(look);
        if (!found)
            return fail(found.error());
        if (found->type() != FileType::File && found->type() != FileType::Unknown)
            return fail({ErrorKind::InvalidInput, Layer::Sftp, u"this is no file"_s, {}});
        if (!found->size)
            return fail({ErrorKind::Unsupported, Layer::Sftp, u"the server does not say how large it is"_s, {}});
        m_left = *found->size;
        FileAttributes attributes;
        if (found->mode)
            attributes.mode = *found->mode & 0777;
        ask(std::move(SftpRequest(SftpType::Open).string(m_wish.to.onTheWire()).number(SftpOpen::Write | SftpOpen::Create | SftpOpen::Exclusive).attributes(attributes)),
            [this](const Result<SftpReply> &reply) {
                const Result<SftpHandle> handle = expect<SftpHandle>(reply);
                if (handle) {
                    m_to = handle->bytes;
                    return copyNext();
                }
                failNew({handle.error().kind, Layer::Sftp, handle.error().detail, m_wish.to.shown()}, m_wish.to);
            });
    }

    void copyNext()
    {
        if (m_left == 0) {
            ask(std::move(SftpRequest(SftpType::Close).string(std::exchange(m_to, {}))), [this](const Result<SftpReply> &reply) {
                const Done closed = expectOk(reply);
                closed ? end(SftpValue()) : fail(closed.error());
            });
            return;
        }
        // A length of 0 would mean up to the end.
        const quint64 size = std::min(m_left, kPiece);
        ask(std::move(SftpRequest(SftpType::Extended).string(nameOf(SftpExtension::CopyData)).string(handle()).longNumber(m_at).longNumber(size).string(m_to).longNumber(m_at)),
            [this, size](const Result<SftpReply> &reply) {
                const Done copied = expectOk(reply);
                if (!copied)
                    return fail(copied.error());
                m_at += size;
                m_left -= size;
                copyNext();
            });
    }

    // What was made is ours alone: it was not there before.
    void giveBack() override
    {
        SftpJob::giveBack();
        if (m_to.isEmpty())
            return;
        close(std::exchange(m_to, {}));
        order(std::move(SftpRequest(SftpType::Remove).string(m_wish.to.onTheWire())));
    }

    SftpDo::Copy m_wish;
    QByteArray m_to;
    quint64 m_left = 0;
    quint64 m_at = 0;
};

} // namespace

std::unique_ptr<SftpJob> makeCopyJob(SftpJobHost &host, int id, const SftpDo::Copy &wish)
{
    return std::make_unique<CopyJob>(host, id, wish);
}

} // namespace Sandpiper

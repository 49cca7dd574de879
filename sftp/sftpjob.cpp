#include "sftp/sftpjob.h"

namespace Sandpiper {
namespace {

constexpr int kNobody = 0; // jobs count from 1

} // namespace

void SftpJob::order(SftpRequest request)
{
    if (m_host.protocol().isReady())
        m_host.protocol().request(std::move(request), kNobody, m_host.now(), [](const Result<SftpReply> &) {});
}

bool SftpJob::opened(const Result<SftpReply> &reply)
{
    const Result<SftpHandle> handle = expect<SftpHandle>(reply);
    handle ? hold(*handle) : fail(handle.error());
    return handle.has_value();
}

void SftpJob::giveBack()
{
    if (m_handle)
        close(letGo());
}

void SftpJob::cancel()
{
    giveBack();
    m_isOver = true;
}

void SftpJob::end(const Result<SftpValue> &value)
{
    if (std::exchange(m_isOver, true))
        return;
    giveBack();
    m_host.protocol().abandon(m_id, m_host.now());
    m_host.post(FromSftp::Ended{m_id, value});
}

void SftpJob::fail(Error error)
{
    end(about(std::move(error)));
}

void SftpJob::failNew(const Error &error, const FilePath &path)
{
    if (error.kind != ErrorKind::ServerError)
        return fail(error);
    askWhetherThere(path, [this, error, subject = path.shown()](const Result<bool> &there) {
        const bool isThere = there && *there;
        fail(isThere ? Error{ErrorKind::Conflict, Layer::Sftp, error.detail, subject} : error);
    });
}

Result<std::optional<QByteArrayView>> SftpJob::pieceOf(const Result<SftpReply> &reply, quint32 asked)
{
    if (const auto *status = reply ? std::get_if<SftpStatus>(&reply->body) : nullptr; status && status->is(SftpStatusCode::Eof))
        return std::nullopt;
    const Result<SftpData> data = expect<SftpData>(reply);
    if (!data)
        return std::unexpected(data.error());
    if (data->bytes.isEmpty())
        return std::nullopt;
    if (data->bytes.size() > qsizetype(asked))
        return failure(ErrorKind::Protocol, Layer::Sftp, QStringLiteral("more bytes than were asked for"), m_subject);
    return data->bytes;
}

bool SftpJob::saysFull(QByteArrayView space)
{
    QList<quint64> values; // see FileSystemSpace
    return takeSftpLongs(space, values, 11) && values[4] * std::max<quint64>(1, values[1]) < server().mostWrite;
}

void SftpJob::askWhetherThere(const FilePath &path, const std::function<void(const Result<bool> &)> &then)
{
    ask(std::move(SftpRequest(SftpType::Lstat).string(path.onTheWire())), [then](const Result<SftpReply> &reply) {
        then(reply.transform([](const SftpReply &look) { return std::holds_alternative<FileAttributes>(look.body); }));
    });
}

std::unexpected<Error> SftpJob::about(Error error) const
{
    if (error.subject.isEmpty())
        error.subject = m_subject;
    return std::unexpected(std::move(error));
}

Done SftpJob::expectOk(const Result<SftpReply> &reply)
{
    const Result<SftpStatus> status = expect<SftpStatus>(reply);
    if (!status)
        return std::unexpected(status.error());
    if (!status->is(SftpStatusCode::Ok))
        return std::unexpected(errorOf(*status, m_subject));
    return {};
}

} // namespace Sandpiper

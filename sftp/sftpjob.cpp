#include "sftp/sftpjob.h"

namespace Sandpiper {
namespace {

constexpr int kNobody = 0; // jobs count from 1

} // namespace

void SftpJob::close(const QByteArray &handle)
{
    if (m_host.protocol().isReady())
        m_host.protocol().request(std::move(SftpRequest(SftpType::Close).string(handle)), kNobody, m_host.now(), [](const Result<SftpReply> &) {});
}

void SftpJob::end(const Result<SftpValue> &value)
{
    if (std::exchange(m_isOver, true))
        return;
    m_host.protocol().abandon(m_id, m_host.now());
    m_host.post(FromSftp::Ended{m_id, value});
}

void SftpJob::fail(Error error)
{
    end(about(std::move(error)));
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

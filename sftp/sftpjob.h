// One thing that the engine is busy with: an operation, a listing, a file that is read or written. In the
// link's thread.
#pragma once

#include "sftp/bulkwindow.h"
#include "sftp/protocol.h"
#include "sftp/sftpmessages.h"

#include <functional>

namespace Sandpiper {

// What a job has of its engine.
class SftpJobHost
{
public:
    virtual ~SftpJobHost() = default;
    [[nodiscard]] virtual SftpProtocol &protocol() = 0;
    [[nodiscard]] virtual SftpProtocol::Time now() const = 0;
    virtual void post(SftpEvent event) = 0;
    // Jobs are pumped then, at the latest.
    virtual void wakeAt(SftpProtocol::Time time) = 0;
    // What transfers keep to while somebody types. Jobs are pumped after every answer.
    [[nodiscard]] virtual BulkWindow &bulk() = 0;
};

class SftpJob
{
public:
    // subject: the path, as errors name it.
    SftpJob(SftpJobHost &host, int id, const QString &subject)
        : m_host(host)
        , m_id(id)
        , m_subject(subject)
    {
    }
    virtual ~SftpJob() = default;
    SftpJob(const SftpJob &) = delete;
    SftpJob &operator=(const SftpJob &) = delete;

    virtual void start() = 0;
    // Room may have come about.
    virtual void pump() {}
    virtual void consumed(qint64) {}
    virtual void write(const QByteArray &) {}
    virtual void finishWriting(bool) {}
    // Nobody wants it any more: what it holds at the server is given back.
    void cancel();

    [[nodiscard]] int id() const { return m_id; }
    [[nodiscard]] bool isOver() const { return m_isOver; }

protected:
    void ask(SftpRequest request, SftpProtocol::Answer answer)
    {
        m_host.protocol().request(std::move(request), m_id, m_host.now(), std::move(answer));
    }
    // Nobody waits for the answer.
    void order(SftpRequest request);
    void close(const QByteArray &handle) { order(std::move(SftpRequest(SftpType::Close).string(handle))); }
    // The handle at the server that the job holds until it is over, or longer where it was let go.
    [[nodiscard]] bool isOpen() const { return m_handle.has_value(); }
    [[nodiscard]] const QByteArray &handle() const { return *m_handle; }
    void hold(const SftpHandle &handle) { m_handle = handle.bytes; }
    // Holds what the server has opened; else the job has failed.
    [[nodiscard]] bool opened(const Result<SftpReply> &reply);
    [[nodiscard]] QByteArray letGo() { return *std::exchange(m_handle, std::nullopt); }
    // What is held at the server. Of each end.
    virtual void giveBack();
    // Once; pending answers are dropped. The job is deleted a little later.
    void end(const Result<SftpValue> &value);
    void fail(Error error);
    // Something was not made. A refusal without a reason: is something by that name there already?
    void failNew(const Error &error, const FilePath &path);
    // The bytes of an answer to a READ of so many, borrowed; none: there is nothing more.
    [[nodiscard]] Result<std::optional<QByteArrayView>> pieceOf(const Result<SftpReply> &reply, quint32 asked);
    // The answer of fstatvfs@openssh.com: there is no room for one more piece.
    [[nodiscard]] bool saysFull(QByteArrayView space);
    // Packets wait with the protocol only so far: what is more waits with whoever writes.
    static constexpr qsizetype mostUnsent = 4 << 20;
    // Whether something has that name, if only a link.
    void askWhetherThere(const FilePath &path, const std::function<void(const Result<bool> &)> &then);
    [[nodiscard]] const QString &subject() const { return m_subject; }
    [[nodiscard]] SftpJobHost &host() { return m_host; }
    [[nodiscard]] const SftpServer &server() { return m_host.protocol().server(); }

    // What an answer must be; else the status as an error about the subject.
    template <typename Body>
    [[nodiscard]] Result<Body> expect(const Result<SftpReply> &reply)
    {
        if (!reply)
            return about(reply.error());
        if (const auto *body = std::get_if<Body>(&reply->body))
            return *body;
        if (const auto *status = std::get_if<SftpStatus>(&reply->body))
            return std::unexpected(errorOf(*status, m_subject));
        return failure(ErrorKind::Protocol, Layer::Sftp, QStringLiteral("an answer of the wrong kind"), m_subject);
    }
    [[nodiscard]] Done expectOk(const Result<SftpReply> &reply);
    [[nodiscard]] std::unexpected<Error> about(Error error) const;

private:
    SftpJobHost &m_host;
    int m_id;
    QString m_subject;
    std::optional<QByteArray> m_handle;
    bool m_isOver = false;
};

// Each in a file of its own.
[[nodiscard]] std::unique_ptr<SftpJob> makeOperationJob(SftpJobHost &host, int id, const SftpOperation &operation);
[[nodiscard]] std::unique_ptr<SftpJob> makeCopyJob(SftpJobHost &host, int id, const SftpDo::Copy &wish);
[[nodiscard]] std::unique_ptr<SftpJob> makeListJob(SftpJobHost &host, int id, const FilePath &path);
[[nodiscard]] std::unique_ptr<SftpJob> makeReadJob(SftpJobHost &host, int id, const FileReadWish &wish);
[[nodiscard]] std::unique_ptr<SftpJob> makeWriteJob(SftpJobHost &host, int id, const FileWriteWish &wish);
[[nodiscard]] std::unique_ptr<SftpJob> makeFetchJob(SftpJobHost &host, int id, const FileTransferWish &wish);
[[nodiscard]] std::unique_ptr<SftpJob> makeSendJob(SftpJobHost &host, int id, const FileTransferWish &wish);

} // namespace Sandpiper

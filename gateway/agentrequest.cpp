#include "gateway/agentrequest.h"

#include "session/socketaddress.h"

#include <QDeadlineTimer>
#include <QFile>

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

Error errorOf(Wire::Status status, const QString &text)
{
    using enum Wire::Status;
    switch (status) {
    case NotFound: return {ErrorKind::NotFound, Layer::SandboxState, text, {}};
    case Denied: return {ErrorKind::PermissionDenied, Layer::SandboxState, text, {}};
    case Refused: return {ErrorKind::ConnectionRefused, Layer::Tcp, text, {}};
    case NoSuchHost: return {ErrorKind::HostNotFound, Layer::Dns, text, {}};
    case Unreachable: return {ErrorKind::HostUnreachable, Layer::Tcp, text, {}};
    case TimedOut: return {ErrorKind::Timeout, Layer::Tcp, text, {}};
    case InUse: return {ErrorKind::Conflict, Layer::Tcp, text, {}};
    case TooMany: return {ErrorKind::QuotaExceeded, Layer::SandboxState, text, {}};
    case Frozen: return {ErrorKind::SandboxNotRunning, Layer::SandboxState, text, {}};
    case BadRequest: return {ErrorKind::InvalidInput, Layer::SandboxState, text, {}};
    case Good:
    case Failed: break;
    }
    return {ErrorKind::Io, Layer::SandboxState, text, {}};
}

std::unexpected<Error> gone()
{
    return failure(ErrorKind::SandboxNotRunning, Layer::SandboxState,
                   u"the sandbox's first process does not answer"_s);
}

std::unexpected<Error> late()
{
    return failure(ErrorKind::Timeout, Layer::SandboxState,
                   u"the sandbox did not answer in time"_s);
}

Result<Fd> connectTo(const QString &path, const QDeadlineTimer &deadline)
{
    const std::optional<SocketAddress> address = socketAddress(QFile::encodeName(path));
    if (!address)
        return gone();
    Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.isValid())
        return failure(ErrorKind::Io, Layer::SandboxState, qt_error_string(errno));
    while (::connect(fd.get(), address->get(), address->size) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return gone();
        // Its queue is full; there is nothing to poll on.
        if (deadline.hasExpired())
            return late();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return fd;
}

bool waitFor(int fd, short events, const QDeadlineTimer &deadline)
{
    pollfd waiting = {fd, events, 0};
    while (true) {
        const int left = int(qBound(qint64(0), deadline.remainingTime(), qint64(1'000'000)));
        const int count = poll(&waiting, 1, left);
        if (count >= 0 || errno != EINTR)
            return count == 1;
    }
}

Done sendBody(int fd, const std::string &body, const QDeadlineTimer &deadline)
{
    Wire::Writer head;
    head.u32(uint32_t(body.size()));
    std::string packet = head.bytes();
    for (size_t sent = 0; sent < body.size();) {
        const size_t part = std::min(Wire::packetBytes - packet.size(), body.size() - sent);
        packet.append(body, sent, part);
        while (::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            if (errno != EAGAIN && errno != EINTR)
                return {}; // a refusal may wait to be read
            if (!waitFor(fd, POLLOUT, deadline))
                return late();
        }
        sent += part;
        packet.clear();
    }
    return {};
}

Result<AgentReply> receiveReply(Fd connection, const QDeadlineTimer &deadline)
{
    if (!waitFor(connection.get(), POLLIN, deadline))
        return late();
    char buffer[Wire::replyBytes];
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * Wire::maxDescriptors)];
    iovec part = {buffer, sizeof buffer};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    ssize_t size = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    // A request that was refused unread is told so first, and the refusal comes after it.
    if (size < 0 && errno == ECONNRESET)
        size = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    AgentReply reply;
    for (cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr; header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            reply.descriptors.emplace_back(fd);
        }
    }
    if (size <= 0)
        return gone();
    const auto status = static_cast<Wire::Status>(static_cast<unsigned char>(buffer[0]));
    reply.fields.assign(buffer + 1, size_t(size) - 1);
    if (status != Wire::Status::Good)
        return std::unexpected(errorOf(status, tamed(QString::fromStdString(reply.fields))));
    reply.connection = std::move(connection);
    return reply;
}

} // namespace

Result<AgentReply> askAgent(const QString &socketPath, const Wire::Writer &body,
                            std::chrono::milliseconds deadline)
{
    if (body.bytes().size() > Wire::requestBytes)
        return failure(ErrorKind::TooLarge, Layer::SandboxState,
                       u"arguments and environment of more than 1 MiB"_s);
    const QDeadlineTimer until(deadline);
    auto connection = connectTo(socketPath, until);
    if (!connection)
        return std::unexpected(connection.error());
    if (const auto sent = sendBody(connection->get(), body.bytes(), until); !sent)
        return std::unexpected(sent.error());
    return receiveReply(std::move(*connection), until);
}

Wire::Writer agentBody(Wire::Operation operation)
{
    Wire::Writer body;
    body.u8(Wire::version);
    body.u8(static_cast<uint8_t>(operation));
    return body;
}

Done tellAgent(const QString &socketPath, Wire::Operation operation,
               std::chrono::milliseconds deadline)
{
    const auto reply = askAgent(socketPath, agentBody(operation), deadline);
    if (!reply)
        return std::unexpected(reply.error());
    return {};
}

Result<AgentState> informFromAgent(const QString &socketPath, std::chrono::milliseconds deadline)
{
    const auto reply = askAgent(socketPath, agentBody(Wire::Operation::Inform), deadline);
    if (!reply)
        return std::unexpected(reply.error());
    Wire::Reader reader(reply->fields);
    AgentState state;
    state.hasDefaultRoute = reader.u8() != 0;
    state.idle = std::chrono::seconds(reader.u32());
    if (!reader.isDone())
        return failure(ErrorKind::Protocol, Layer::SandboxState, u"an answer of another size"_s);
    return state;
}

Result<Fd> listenForAgent(const QString &socketPath)
{
    const QByteArray path = QFile::encodeName(socketPath);
    const std::optional<SocketAddress> address = socketAddress(path);
    if (!address)
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk,
                       u"a socket's path may have 107 bytes"_s, socketPath);
    Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::unlink(path.constData());
    if (!fd.isValid()
        || ::bind(fd.get(), address->get(), address->size) != 0
        || ::chmod(path.constData(), 0600) != 0 || ::listen(fd.get(), 512) != 0)
        return failure(ErrorKind::Io, Layer::LocalDisk, qt_error_string(errno), socketPath);
    return fd;
}

} // namespace Sandpiper

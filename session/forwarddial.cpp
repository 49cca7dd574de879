#include "session/forwarddial.h"

#include "session/quietthread.h"
#include "session/socketaddress.h"
#include "session/sshconnect.h"

#include <QFile>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kMostUnderWay = 64;

Error dialError(const ForwardSpec::End &target, ErrorKind kind, const QString &why)
{
    return {kind, Layer::Tcp, tamed(u"from here to %1: %2"_s.arg(forwardEndText(target), why)), {}};
}

Error errnoError(const ForwardSpec::End &target, int number)
{
    const ErrorKind kind = number == ECONNREFUSED || number == ENOENT || number == EAGAIN ? ErrorKind::ConnectionRefused
            : number == EACCES                                                           ? ErrorKind::PermissionDenied
            : number == EMFILE || number == ENFILE                                       ? ErrorKind::Io
                                                                                         : ErrorKind::HostUnreachable;
    return dialError(target, kind, QString::fromLocal8Bit(std::strerror(number)));
}

Result<FileDescriptor> connectedUnix(const ForwardSpec::End &target)
{
    const std::optional<SocketAddress> address = socketAddress(QFile::encodeName(target.path));
    if (!address)
        return std::unexpected(dialError(target, ErrorKind::InvalidInput, u"its path is too long for a socket"_s));
    FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.isValid() || ::connect(fd.get(), address->get(), address->size) != 0)
        return std::unexpected(errnoError(target, errno));
    return fd;
}

// To an address of this computer: its answer is there as soon as connect() has returned. Should it once not be, the
// socket is good all the same: it takes nothing and gives nothing until it is connected, and ends where it is not.
Result<FileDescriptor> connectedTcp(const QHostAddress &host, const ForwardSpec::End &target)
{
    const SocketAddress address = *socketAddress(host, target.port); // it is one
    FileDescriptor fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.isValid())
        return std::unexpected(errnoError(target, errno));
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int number = ::connect(fd.get(), address.get(), address.size) == 0 ? 0 : errno;
    if (number == EINPROGRESS) {
        socklen_t size = sizeof number;
        if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &number, &size) != 0)
            number = errno;
    }
    if (number != 0)
        return std::unexpected(errnoError(target, number));
    return fd;
}

} // namespace

ForwardDial::ForwardDial()
    : m_shared(std::make_shared<Shared>())
{
    m_shared->stop = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

ForwardDial::~ForwardDial()
{
    const quint64 once = 1;
    [[maybe_unused]] const ssize_t done = ::write(m_shared->stop.get(), &once, sizeof once);
}

std::optional<Result<FileDescriptor>> ForwardDial::atOnce(const ForwardSpec::End &target)
{
    if (!target.path.isEmpty())
        return connectedUnix(target);
    const QString name = target.address.value_or(u"localhost"_s);
    // This is asked before the server is told that its connection was taken, so that a dead service is a refusal there.
    if (name == "localhost"_L1) {
        Result<FileDescriptor> v4 = connectedTcp(QHostAddress(QHostAddress::LocalHost), target);
        if (v4)
            return v4;
        Result<FileDescriptor> v6 = connectedTcp(QHostAddress(QHostAddress::LocalHostIPv6), target);
        return v6 ? std::move(v6) : std::move(v4);
    }
    const QHostAddress host(name);
    if (host.isLoopback() && host.scopeId().isEmpty())
        return connectedTcp(host, target);
    return std::nullopt;
}

Done ForwardDial::call(quint64 call, const ForwardSpec::End &target, std::chrono::milliseconds patience)
{
    if (m_underWay >= kMostUnderWay || !m_shared->answers.isUsable() || !m_shared->stop.isValid())
        return std::unexpected(dialError(target, ErrorKind::Io, u"too many connections are being made"_s));
    const Result<QByteArray> host = hostForLookup(target.address.value_or(u"localhost"_s));
    if (!host)
        return std::unexpected(dialError(target, ErrorKind::InvalidInput, host.error().detail));
    try {
        quietThread([shared = m_shared, call, target, host = *host, deadline = std::chrono::steady_clock::now() + patience] {
            const auto isStopped = [&shared] {
                pollfd stop = {shared->stop.get(), POLLIN, 0};
                return ::poll(&stop, 1, 0) > 0;
            };
            TcpTarget tcp;
            tcp.host = host;
            tcp.port = target.port;
            tcp.ackTimeout = std::chrono::milliseconds(0);
            Result<FileDescriptor> stream = connectTcp(tcp, {deadline, shared->stop.get(), isStopped});
            if (!stream)
                stream = std::unexpected(dialError(target, stream.error().kind, stream.error().detail));
            shared->answers.put({call, std::move(stream)});
        }).detach();
    } catch (const std::system_error &error) {
        return std::unexpected(dialError(target, ErrorKind::Io, QString::fromLocal8Bit(error.what())));
    }
    ++m_underWay;
    return {};
}

std::vector<ForwardDial::Answer> ForwardDial::takeAnswers()
{
    std::vector<Answer> answers = m_shared->answers.takeAll();
    m_underWay -= int(answers.size());
    return answers;
}

} // namespace Sandpiper

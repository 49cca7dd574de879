#include "gateway/sandboxinit/dial.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

namespace Sandpiper {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t longestDial = 120'000;
using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const Endpoint &endpoint, int flags, int &problem)
{
    addrinfo hints = {};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo *found = nullptr;
    const std::string port = std::to_string(endpoint.port);
    problem = getaddrinfo(endpoint.host.empty() ? nullptr : endpoint.host.c_str(), port.c_str(),
                          &hints, &found);
    return {problem == 0 ? found : nullptr, &freeaddrinfo};
}

// A dial to a free port of the loopback may be given that very port as its own, and meets itself.
bool isItsOwnPeer(int fd)
{
    sockaddr_storage here = {}, there = {};
    socklen_t hereSize = sizeof here, thereSize = sizeof there;
    return getsockname(fd, reinterpret_cast<sockaddr *>(&here), &hereSize) == 0
            && getpeername(fd, reinterpret_cast<sockaddr *>(&there), &thereSize) == 0
            && hereSize == thereSize && std::memcmp(&here, &there, hereSize) == 0;
}

// Connected and non-blocking, or invalid with an errno in problem.
Descriptor connectTo(const addrinfo &address, Clock::time_point until, int &problem)
{
    Descriptor fd(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    problem = errno;
    if (!fd.isValid())
        return {};
    if (connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) {
        problem = ECONNREFUSED;
        return isItsOwnPeer(fd.get()) ? Descriptor() : std::move(fd);
    }
    problem = errno;
    if (problem != EINPROGRESS)
        return {};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    pollfd waiting = {fd.get(), POLLOUT, 0};
    problem = ETIMEDOUT;
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) != 1)
        return {};
    socklen_t size = sizeof problem;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0 || problem != 0)
        return {};
    problem = ECONNREFUSED;
    return isItsOwnPeer(fd.get()) ? Descriptor() : std::move(fd);
}

[[noreturn]] void dialAndAnswer(const Endpoint &endpoint, int connection)
{
    // The resolver has time-outs of its own, longer than the caller's patience.
    alarm(endpoint.milliseconds / 1000 + 2);
    const auto until = Clock::now() + std::chrono::milliseconds(endpoint.milliseconds);
    int problem = 0;
    const Addresses addresses = resolve(endpoint, 0, problem);
    if (!addresses) {
        sendFailure(connection, Wire::Status::NoSuchHost, gai_strerror(problem));
        _exit(1);
    }
    int first = 0;
    for (const addrinfo *at = addresses.get(); at; at = at->ai_next) {
        const Descriptor fd = connectTo(*at, until, problem);
        if (fd.isValid()) {
            const int one = fd.get();
            sendReply(connection, std::string(1, 0), &one, 1);
            _exit(0);
        }
        // "Refused" says more than what another address family answered after it.
        if (first != ECONNREFUSED)
            first = problem;
    }
    sendFailure(connection, statusOf(first), strerror(first));
    _exit(1);
}

Descriptor listenAt(const addrinfo &address, int &problem)
{
    Descriptor fd(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1, off = 0;
    problem = errno;
    if (!fd.isValid())
        return {};
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ai_family == AF_INET6)
        setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd.get(), address.ai_addr, address.ai_addrlen) == 0 && listen(fd.get(), 128) == 0)
        return fd;
    problem = errno;
    return {};
}

std::uint16_t portOf(int fd)
{
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) != 0)
        return 0;
    // sin_port and sin6_port lie at the same place.
    return ntohs(reinterpret_cast<const sockaddr_in *>(&address)->sin_port);
}

} // namespace

bool Endpoint::read(Wire::Reader &reader, Endpoint &endpoint)
{
    endpoint.host = reader.text();
    const std::uint32_t port = reader.u32();
    endpoint.milliseconds = std::min(reader.u32(), longestDial);
    endpoint.port = static_cast<std::uint16_t>(port);
    return reader.isDone() && port <= 65535 && endpoint.host.size() <= 255
            && endpoint.host.find('\0') == std::string::npos;
}

pid_t dialInChild(const Endpoint &endpoint, int connection)
{
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    // Another process's descriptors must not stay open because of this one.
    if (connection != 3)
        dup3(connection, 3, O_CLOEXEC);
    close_range(4, ~0U, 0);
    dialAndAnswer(endpoint, 3);
}

Wire::Status listenOn(Endpoint &endpoint, Descriptor &listener, std::string &text)
{
    int problem = 0;
    Endpoint where = endpoint;
    if (where.host == "localhost")
        where.host = "127.0.0.1";
    else if (where.host == "*" || where.host.empty())
        where.host = "::"; // takes IPv4 as well
    Addresses addresses = resolve(where, AI_NUMERICHOST, problem);
    if (!addresses) {
        text = "not an address: " + endpoint.host;
        return Wire::Status::NoSuchHost;
    }
    listener = listenAt(*addresses, problem);
    if (!listener.isValid() && where.host == "::" && problem == EAFNOSUPPORT) {
        where.host = "0.0.0.0";
        addresses = resolve(where, AI_NUMERICHOST, problem);
        if (addresses)
            listener = listenAt(*addresses, problem);
    }
    if (!listener.isValid()) {
        text = strerror(problem);
        return statusOf(problem);
    }
    endpoint.port = portOf(listener.get());
    return Wire::Status::Good;
}

bool sendReply(int connection, const std::string &bytes, const int *descriptors, int count)
{
    iovec part = {const_cast<char *>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * Wire::maxDescriptors)] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > 0) {
        const std::size_t size = sizeof(int) * static_cast<std::size_t>(count);
        message.msg_control = space;
        message.msg_controllen = CMSG_SPACE(size);
        cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(header), descriptors, size);
    }
    return sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT)
            == static_cast<ssize_t>(bytes.size());
}

bool sendFailure(int connection, Wire::Status status, const std::string &text)
{
    std::string bytes(1, static_cast<char>(status));
    bytes += text.substr(0, 500);
    return sendReply(connection, bytes, nullptr, 0);
}

Wire::Status statusOf(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR: return Wire::Status::NotFound;
    case EACCES:
    case EPERM: return Wire::Status::Denied;
    case ECONNREFUSED:
    case ECONNRESET: return Wire::Status::Refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL: return Wire::Status::Unreachable;
    case ETIMEDOUT: return Wire::Status::TimedOut;
    case EADDRINUSE: return Wire::Status::InUse;
    case EMFILE:
    case ENFILE:
    case EAGAIN: return Wire::Status::TooMany;
    case E2BIG: return Wire::Status::BadRequest;
    default: return Wire::Status::Failed;
    }
}

} // namespace Sandpiper

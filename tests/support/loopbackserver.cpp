#include "tests/support/loopbackserver.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace Sandpiper {
namespace {

// A queue that runs over has been seen to lose the first bytes of those who wait, with ssh -L as with us.
constexpr int kBacklog = 256;

} // namespace

void LoopbackServer::start(std::function<void(int)> serve)
{
    m_serve = std::move(serve);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    m_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(m_listener, reinterpret_cast<sockaddr *>(&address), size) != 0 || ::listen(m_listener, kBacklog) != 0
        || ::getsockname(m_listener, reinterpret_cast<sockaddr *>(&address), &size) != 0)
        return;
    m_port = ntohs(address.sin_port);
    m_thread = std::thread([this] { listen(); });
}

void LoopbackServer::stop()
{
    m_stops = true;
    if (m_listener >= 0)
        ::shutdown(m_listener, SHUT_RDWR);
    {
        const std::lock_guard guard(m_mutex);
        for (const int fd : std::as_const(m_sockets))
            ::shutdown(fd, SHUT_RDWR);
    }
    if (m_thread.joinable())
        m_thread.join();
    for (std::thread &worker : m_workers)
        worker.join();
    m_workers.clear();
    for (const int fd : std::as_const(m_sockets))
        ::close(fd);
    m_sockets.clear();
    if (m_listener >= 0)
        ::close(m_listener);
    m_listener = -1;
}

void LoopbackServer::listen()
{
    while (!m_stops) {
        const int fd = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        const std::lock_guard guard(m_mutex);
        ++m_connections;
        const int ours = ::dup(fd); // to release whoever reads it
        m_sockets.append(ours);
        if (m_stops)
            ::shutdown(fd, SHUT_RDWR);
        m_workers.emplace_back([this, fd, ours] {
            m_serve(fd);
            ::shutdown(ours, SHUT_RDWR); // its close alone would not be seen
        });
    }
}

} // namespace Sandpiper

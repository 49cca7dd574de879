#include "session/socksclient.h"

#include <array>
#include <cerrno>

#include <sys/socket.h>

namespace Sandpiper {

SocksClient::SocksClient(ForwardListener::Accepted accepted, std::chrono::steady_clock::time_point deadline)
    : m_accepted(std::move(accepted))
    , m_deadline(deadline)
{
}

SocksServer::State SocksClient::read()
{
    std::array<char, 512> buffer;
    while (m_socks.state() == SocksServer::State::Reading) {
        const ssize_t got = ::recv(descriptor(), buffer.data(), buffer.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return std::chrono::steady_clock::now() < m_deadline ? SocksServer::State::Reading : SocksServer::State::Refused;
        if (got <= 0)
            return SocksServer::State::Refused;
        m_socks.take(QByteArrayView(buffer.data(), got));
        // A few bytes into a socket that nothing was sent on: where they do not go out whole, nobody is there.
        const QByteArray answer = m_socks.toSend();
        if (!answer.isEmpty() && ::send(descriptor(), answer.constData(), size_t(answer.size()), MSG_NOSIGNAL) != answer.size())
            return SocksServer::State::Refused;
    }
    return m_socks.state();
}

} // namespace Sandpiper

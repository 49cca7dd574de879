// SshForwards: somebody at a SOCKS listener.
#include "session/sshforwardsprivate.h"

#include <array>
#include <cerrno>

#include <sys/socket.h>

namespace Sandpiper {

using Clock = std::chrono::steady_clock;

SshForwards::Client::Client(ForwardListener::Accepted accepted, Clock::time_point deadline)
    : m_accepted(std::move(accepted))
    , m_deadline(deadline)
{
}

SocksServer::State SshForwards::Client::read()
{
    std::array<char, 512> buffer;
    while (m_socks.state() == SocksServer::State::Reading) {
        const ssize_t got = ::recv(descriptor(), buffer.data(), buffer.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return Clock::now() < m_deadline ? SocksServer::State::Reading : SocksServer::State::Refused;
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

TunnelSpec SshForwards::Client::tunnel()
{
    TunnelSpec spec;
    spec.host = m_socks.host();
    spec.port = m_socks.port();
    spec.originHost = m_accepted.originHost;
    spec.originPort = m_accepted.originPort;
    spec.stream = std::make_shared<FileDescriptor>(std::move(m_accepted.stream));
    spec.early = m_socks.early();
    spec.greeting = [socks = m_socks](const Error *why) { return why ? socks.refused(why->kind) : socks.granted(); };
    return spec;
}

} // namespace Sandpiper

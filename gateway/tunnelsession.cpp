#include "gateway/tunnelsession.h"

#include <array>
#include <cerrno>

#include <sys/socket.h>

using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

constexpr qint64 mostToClient = 256 * 1024;
constexpr qsizetype mostToService = 192 * 1024; // and a message of 64 KiB may come on top
constexpr qsizetype tunnelChunk = 16 * 1024;
constexpr auto lastBytesPatience = 30s;
constexpr quint16 goodbye = 1000;
constexpr quint16 noText = 1003;
constexpr quint16 serviceFailed = 1011;

} // namespace

TunnelSession::TunnelSession(Fd service, std::unique_ptr<WebSocketPeer> peer, QObject *parent)
    : QObject(parent)
    , m_service(std::move(service))
    , m_peer(peer.release())
    , m_readable(m_service.get(), QSocketNotifier::Read)
    , m_writable(m_service.get(), QSocketNotifier::Write)
{
    m_peer->setParent(this);
    m_writable.setEnabled(false);
    m_patience.setSingleShot(true);
    m_patience.setInterval(lastBytesPatience);
    connect(&m_readable, &QSocketNotifier::activated, this, &TunnelSession::readService);
    connect(&m_writable, &QSocketNotifier::activated, this, &TunnelSession::writeService);
    connect(&m_patience, &QTimer::timeout, this, &TunnelSession::end);
    connect(m_peer, &WebSocketPeer::binaryReceived, this, [this](const QByteArray &payload) {
        m_toService += payload;
        writeService();
    });
    connect(m_peer, &WebSocketPeer::textReceived, this, [this] { m_peer->close(noText, "only binary messages", WebSocketPeer::Queued::Drop); });
    connect(m_peer, &WebSocketPeer::queueShrank, this, [this] {
        if (m_peer->isOpen() && m_peer->queuedBytes() < mostToClient)
            m_readable.setEnabled(true);
    });
    connect(m_peer, &WebSocketPeer::closed, this, &TunnelSession::peerClosed);
}

TunnelSession::~TunnelSession()
{
    m_peer->disconnect(this);
}

void TunnelSession::drop()
{
    m_toService.clear();
    m_peer->abort();
}

void TunnelSession::readService()
{
    std::array<char, tunnelChunk> buffer;
    while (m_peer->isOpen() && m_peer->queuedBytes() < mostToClient) {
        const ssize_t got = ::recv(m_service.get(), buffer.data(), buffer.size(), 0);
        if (got > 0) {
            m_peer->sendBinary(QByteArrayView(buffer.data(), got));
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        got == 0 ? m_peer->close(goodbye, {}) : m_peer->close(serviceFailed, "connection reset");
        break;
    }
    m_readable.setEnabled(false);
}

void TunnelSession::writeService()
{
    qsizetype sent = 0;
    while (sent < m_toService.size()) {
        const ssize_t code = ::send(m_service.get(), m_toService.constData() + sent, size_t(m_toService.size() - sent), MSG_NOSIGNAL);
        if (code < 0 && errno != EAGAIN && errno != EINTR) {
            // Why it does not take any more may have been said before: that is read first.
            m_toService.clear();
            sent = 0;
            m_readable.setEnabled(m_peer->isOpen());
            break;
        }
        if (code <= 0)
            break;
        sent += code;
    }
    m_toService.remove(0, sent);
    m_writable.setEnabled(!m_toService.isEmpty());
    m_toService.size() < mostToService ? m_peer->resumeReading() : m_peer->pauseReading();
    if (m_isPeerGone && m_toService.isEmpty())
        end();
}

void TunnelSession::peerClosed()
{
    m_isPeerGone = true;
    m_readable.setEnabled(false);
    if (m_toService.isEmpty())
        end();
    else
        m_patience.start();
}

void TunnelSession::end()
{
    if (!std::exchange(m_isOver, true))
        emit over();
}

} // namespace Sandpiper

#include "gateway/websocketpeer.h"

#include <sys/socket.h>

namespace Sandpiper {
namespace {

// Enough to keep loopback busy, little enough that a slow reader is noticed soon.
constexpr qint64 socketHighWater = 128 * 1024;
constexpr int kernelSendBuffer = 128 * 1024;

} // namespace

WebSocketPeer::WebSocketPeer(std::unique_ptr<QTcpSocket> socket, const Limits &limits, QObject *parent)
    : QObject(parent)
    , m_socket(std::move(socket))
    , m_limits(limits)
    , m_parser(limits.messageBytes)
{
    m_socket->setReadBufferSize(limits.messageBytes + 64);
    m_socket->setSocketOption(QAbstractSocket::SendBufferSizeSocketOption, kernelSendBuffer);
    m_closeTimer.setSingleShot(true);
    connect(m_socket.get(), &QTcpSocket::readyRead, this, &WebSocketPeer::readMore);
    connect(m_socket.get(), &QTcpSocket::bytesWritten, this, &WebSocketPeer::pump);
    connect(m_socket.get(), &QTcpSocket::disconnected, this, &WebSocketPeer::end);
    connect(&m_pingTimer, &QTimer::timeout, this, &WebSocketPeer::ping);
    connect(&m_closeTimer, &QTimer::timeout, this, &WebSocketPeer::end);
    m_pingTimer.start(limits.ping);
    // What came along with the handshake is in the buffer already, and is announced by nobody.
    QMetaObject::invokeMethod(this, &WebSocketPeer::readMore, Qt::QueuedConnection);
    if (m_socket->state() != QAbstractSocket::ConnectedState)
        QMetaObject::invokeMethod(this, &WebSocketPeer::end, Qt::QueuedConnection);
}

WebSocketPeer::~WebSocketPeer()
{
    m_socket->disconnect(this);
    m_socket->flush();
    m_socket->abort();
}

void WebSocketPeer::sendBinary(QByteArrayView payload)
{
    if (m_state != State::Open)
        return;
    m_queue.append(serverFrame(FrameOpcode::Binary, payload));
    m_queuedBytes += m_queue.last().size();
    pump();
}

void WebSocketPeer::close(quint16 code, const QByteArray &reason, Queued queued)
{
    if (m_state != State::Open)
        return;
    m_state = State::Closing;
    m_pingTimer.stop();
    if (queued == Queued::Drop) {
        m_queue.clear();
        m_queuedBytes = 0;
    }
    m_closeFrame = serverCloseFrame(code, reason);
    m_closeTimer.start(m_limits.close);
    // The client's Close may be behind what was not read so far.
    m_paused = false;
    QMetaObject::invokeMethod(this, &WebSocketPeer::readMore, Qt::QueuedConnection);
    pump();
}

void WebSocketPeer::abort()
{
    end();
}

void WebSocketPeer::pauseReading()
{
    m_paused = true;
}

void WebSocketPeer::resumeReading()
{
    if (!std::exchange(m_paused, false))
        return;
    QMetaObject::invokeMethod(this, &WebSocketPeer::readMore, Qt::QueuedConnection);
}

void WebSocketPeer::readMore()
{
    while (m_state != State::Closed && !m_paused) {
        const ServerFrameParser::Event event = m_parser.next(m_input);
        if (event == ServerFrameParser::Event::NeedMore) {
            const QByteArray more = m_socket->readAll();
            if (more.isEmpty())
                return;
            m_heard = true;
            m_input.append(more);
            continue;
        }
        if (event == ServerFrameParser::Event::Refused) {
            if (m_state == State::Open)
                close(m_parser.closeCode(), m_parser.closeReason(), Queued::Drop);
            // After a broken frame nothing can be understood any more, a Close neither.
            m_peerClosed = true;
            m_input.clear();
            m_socket->readAll();
            pump();
            return;
        }
        handle(m_parser);
    }
}

void WebSocketPeer::handle(const ServerFrameParser &parser)
{
    switch (parser.kind()) {
    case FrameOpcode::Binary:
        if (m_state == State::Open)
            emit binaryReceived(parser.payload());
        break;
    case FrameOpcode::Ping:
        // Beside the queue: an answer that waits behind a megabyte is no answer. At most one waits.
        if (m_state == State::Open && m_socket->bytesToWrite() < 2 * socketHighWater)
            m_socket->write(serverFrame(FrameOpcode::Pong, parser.payload()));
        break;
    case FrameOpcode::Close:
        m_peerClosed = true;
        if (m_state == State::Open)
            close(parser.closeCode() == 1005 ? quint16(1000) : parser.closeCode(), parser.closeReason(), m_limits.atPeersClose);
        else
            pump();
        break;
    case FrameOpcode::Text:
        if (m_state == State::Open)
            emit textReceived();
        break;
    case FrameOpcode::Continuation:
    case FrameOpcode::Pong:
        break;
    }
}

void WebSocketPeer::pump()
{
    if (m_state == State::Closed)
        return;
    const qint64 before = m_queuedBytes;
    while (!m_queue.isEmpty() && m_socket->bytesToWrite() < socketHighWater) {
        const QByteArray frame = m_queue.takeFirst();
        m_queuedBytes -= frame.size();
        m_socket->write(frame);
    }
    if (m_queuedBytes < before) {
        m_heard = true;
        if (m_closeTimer.isActive())
            m_closeTimer.start(m_limits.close);
    }
    if (m_state == State::Closing && m_queue.isEmpty()) {
        if (!m_closeFrame.isEmpty()) {
            m_socket->write(std::exchange(m_closeFrame, {}));
            m_closeTimer.start(m_limits.close);
        }
        if (m_peerClosed && m_socket->bytesToWrite() == 0 && !std::exchange(m_shutDown, true)) {
            // Both have said their Close: the server ends the connection (RFC 6455 section 7.1.1).
            // Only its own half, for a full close with bytes unread would reset the connection and
            // take the Close frame away from who has not read it yet.
            ::shutdown(int(m_socket->socketDescriptor()), SHUT_WR);
        }
    }
    if (m_queuedBytes < before && m_state == State::Open)
        emit queueShrank();
}

void WebSocketPeer::ping()
{
    // While we refuse to read, silence proves nothing.
    if (!m_heard && !m_paused) {
        end();
        return;
    }
    m_heard = false;
    m_socket->write(serverFrame(FrameOpcode::Ping, {}));
}

void WebSocketPeer::end()
{
    if (m_state == State::Closed)
        return;
    m_state = State::Closed;
    m_pingTimer.stop();
    m_closeTimer.stop();
    m_queue.clear();
    m_queuedBytes = 0;
    m_socket->abort();
    emit closed();
}

} // namespace Sandpiper

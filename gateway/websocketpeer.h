// The server's end of one WebSocket, after the handshake. Main thread.
#pragma once

#include "gateway/serverframes.h"

#include <QList>
#include <QObject>
#include <QTcpSocket>
#include <QTimer>

#include <chrono>
#include <memory>

namespace Sandpiper {

class WebSocketPeer : public QObject
{
    Q_OBJECT
public:
    enum class Queued { Send, Drop };
    struct Limits
    {
        qsizetype messageBytes = 64 * 1024; // of what the client sends
        std::chrono::milliseconds ping = std::chrono::seconds(30); // dropped where nothing came since the last one
        std::chrono::milliseconds close = std::chrono::seconds(30); // for the closing handshake, without progress
        Queued atPeersClose = Queued::Drop; // what waits for the client when it says its Close
    };
    WebSocketPeer(std::unique_ptr<QTcpSocket> socket, const Limits &limits, QObject *parent = nullptr);
    ~WebSocketPeer() override;

    // Queued here, and handed to the network in small portions, so that close() need not wait.
    void sendBinary(QByteArrayView payload);
    // Sends what is queued and then the Close frame, or only the Close frame.
    void close(quint16 code, const QByteArray &reason, Queued queued = Queued::Send);
    // Drops the connection without a word.
    void abort();
    // While paused nothing is read: the client's network waits.
    void pauseReading();
    void resumeReading();
    [[nodiscard]] qint64 queuedBytes() const { return m_queuedBytes; }
    [[nodiscard]] qsizetype queuedMessages() const { return m_queue.size(); }
    [[nodiscard]] bool isOpen() const { return m_state == State::Open; }

signals:
    void binaryReceived(const QByteArray &payload);
    void textReceived(); // and skipped
    void queueShrank();
    void closed(); // once, and never from inside one of the calls above but abort()

private:
    enum class State { Open, Closing, Closed };

    void readMore();
    void handle(const ServerFrameParser &parser);
    void pump();
    void ping();
    void end();

    std::unique_ptr<QTcpSocket> m_socket;
    Limits m_limits;
    ServerFrameParser m_parser;
    State m_state = State::Open;
    QByteArray m_input;
    QList<QByteArray> m_queue; // whole frames
    qint64 m_queuedBytes = 0;
    QByteArray m_closeFrame; // goes out when the queue is empty
    bool m_peerClosed = false;
    bool m_shutDown = false;
    bool m_paused = false;
    bool m_heard = true; // something came, or was taken, since the last ping
    QTimer m_pingTimer;
    QTimer m_closeTimer;
};

} // namespace Sandpiper

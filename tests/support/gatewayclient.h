// Bare HTTP and WebSocket clients for tests of the gateway: what is sent is what was written, byte by
// byte, and what comes is kept as it came. Both spin the event loop while they wait, so the gateway
// may be in this process.
#pragma once

#include <QJsonObject>
#include <QList>
#include <QTcpSocket>

#include <optional>

namespace Sandpiper {

using Headers = QList<std::pair<QByteArray, QByteArray>>;

struct HttpAnswer
{
    int status = 0; // 0: none came
    Headers headers; // names in lower case
    QByteArray body; // chunks joined
    [[nodiscard]] QByteArray header(const QByteArray &name) const;
    [[nodiscard]] QJsonObject json() const;
};
// One answer out of everything that a connection gave.
[[nodiscard]] HttpAnswer parseAnswer(const QByteArray &bytes);

class GatewayClient
{
public:
    GatewayClient(quint16 port, const QByteArray &apiKey) : m_port(port), m_apiKey(apiKey) {}

    // Added to every request.
    Headers headers;
    // With the key, Host and Content-Length; waits at most 60 s for the connection to be closed.
    [[nodiscard]] HttpAnswer ask(const QByteArray &method, const QByteArray &path, const QByteArray &body = {}) const;
    [[nodiscard]] HttpAnswer ask(const QByteArray &method, const QByteArray &path, const QJsonObject &body) const;
    // Exactly these bytes.
    [[nodiscard]] HttpAnswer send(const QByteArray &bytes) const;

    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] QByteArray apiKey() const { return m_apiKey; }

private:
    quint16 m_port;
    QByteArray m_apiKey;
};

class RawWebSocket : public QObject
{
    Q_OBJECT
public:
    // Sends the handshake at once; extra headers as they are.
    RawWebSocket(quint16 port, const QByteArray &path, const Headers &extra);

    // Waits for 101, or for the whole refusal.
    [[nodiscard]] bool isOpen();
    [[nodiscard]] HttpAnswer refusal();

    void sendBinary(const QByteArray &payload);
    // opcodeByte: with the FIN bit.
    void sendFrame(quint8 opcodeByte, const QByteArray &payload);
    void sendBytes(const QByteArray &bytes);
    void stopReading();
    void startReading();
    void drop();

    QList<QByteArray> messages; // binary
    QByteArray output;          // of frames 00, joined
    std::optional<int> exitCode; // of a frame 03
    int pings = 0;
    int closeCode = 0;
    QByteArray closeReason;
    bool isClosed = false; // the connection is gone
    bool answersPings = true;

private:
    void readMore();
    bool takeFrame();

    QTcpSocket m_socket;
    QByteArray m_input;
    bool m_isOpen = false;
};

} // namespace Sandpiper

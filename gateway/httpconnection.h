// One client's connection to the gateway, and one request on it. Main thread.
#pragma once

#include "gateway/httpparser.h"

#include <QObject>
#include <QPointer>
#include <QTcpSocket>
#include <QTimer>

#include <chrono>
#include <memory>
#include <optional>

namespace Sandpiper {

class HttpConnection;

// One request until its answer is on its way: owned by the connection, gone after gone() or when the
// answer is complete, so whoever keeps it keeps a QPointer.
class HttpExchange : public QObject
{
    Q_OBJECT
public:
    [[nodiscard]] const HttpRequest &request() const { return m_request; }

    // Either once respond(), or beginStream() … endStream().
    void respond(const HttpResponse &response);
    void beginStream(const QByteArray &contentType);
    void writeStream(QByteArrayView bytes);
    void endStream();
    // Drops the connection in the middle: the client sees that it has not got everything.
    void abandon();
    // Stream bytes that the network has not taken yet: who writes waits while it is high.
    [[nodiscard]] qint64 queuedBytes() const;
    // A body that is streamed (see HttpHandler::admit): what has come of it, at most 64 KiB. More comes only once
    // this was taken. To answer before it is whole closes the connection.
    [[nodiscard]] QByteArray takeBody();
    [[nodiscard]] bool isBodyWhole() const; // nothing more comes
    // Answers 101 and hands the socket over; null, with the refusal sent, where the handshake is
    // malformed. The exchange is gone after it.
    [[nodiscard]] std::unique_ptr<QTcpSocket> upgradeToWebSocket();

signals:
    void gone(); // the client left before the answer was complete
    void bodyReady(); // streamed: there is something to take, or it is whole
    void drained(); // queuedBytes() has become small again

private:
    friend class HttpConnection;
    HttpExchange(HttpConnection *connection, HttpRequest request);

    HttpConnection *m_connection;
    HttpRequest m_request;
};

struct BodyPlan
{
    qint64 limit = 0; // in bytes
    bool isStreamed = false; // handle() comes with the head, and the body through the exchange
};

class HttpHandler
{
public:
    virtual ~HttpHandler() = default;
    // Asked when the head is there and before anything of the body is taken: an answer refuses the
    // request. plan may be changed.
    [[nodiscard]] virtual std::optional<HttpResponse> admit(const HttpRequest &head, BodyPlan &plan) = 0;
    // Answers at once or later. Upgrades come here too.
    virtual void handle(HttpExchange *exchange) = 0;
    // For what the parser refuses, so that the answer looks like the others.
    [[nodiscard]] virtual HttpResponse refusal(int status, const QString &reason) = 0;
};

struct HttpLimits
{
    std::chrono::milliseconds head = std::chrono::seconds(10);  // from its first byte to its last
    std::chrono::milliseconds body = std::chrono::seconds(30);  // likewise; streamed: between two pieces
    std::chrono::milliseconds idle = std::chrono::seconds(60);  // between requests
    std::chrono::milliseconds write = std::chrono::seconds(30); // without the client taking a byte
    qint64 bodyBytes = 4 << 20;
    int connections = 512;
};

class HttpConnection : public QObject
{
    Q_OBJECT
public:
    // Takes the socket over. handler is borrowed and outlives the connection.
    HttpConnection(QTcpSocket *socket, HttpHandler *handler, const HttpLimits &limits, QObject *parent);
    ~HttpConnection() override;

    // Sends the answer without having read anything, and closes: for one client too many.
    void turnAway(const HttpResponse &response);

signals:
    void finished(); // once; the connection can be deleted

private:
    friend class HttpExchange;
    enum class State { Head, Body, Uploading, Handling, Streaming, Lingering, Finished };

    void readMore();
    void advance();
    void headDone();
    void handleRequest();
    void beginUpload();
    void uploadMore();
    QByteArray takeBody();
    void refuse(const HttpResponse &response);
    void send(const HttpResponse &response);
    void beginStream(const QByteArray &contentType);
    void writeStream(QByteArrayView bytes);
    void endStream();
    std::unique_ptr<QTcpSocket> upgrade();
    void answered();
    void linger();
    void deadlinePassed();
    void bytesWritten();
    void end();
    [[nodiscard]] QByteArray headOf(const HttpResponse &response) const;

    QPointer<QTcpSocket> m_socket;
    HttpHandler *m_handler;
    HttpLimits m_limits;
    State m_state = State::Head;
    QByteArray m_input;
    HttpParser m_parser;
    HttpExchange *m_exchange = nullptr; // child of this
    bool m_keepAlive = true;
    bool m_chunked = false;
    bool m_headOnly = false;
    bool m_advancing = false;
    QTimer m_deadline;
    QTimer m_writeDeadline;
    qint64 m_discarded = 0;
};

} // namespace Sandpiper

#include "gateway/httpconnection.h"

#include "gateway/serverframes.h"

#include <QLoggingCategory>

#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

Q_LOGGING_CATEGORY(lcHttp, "sandpiper.gateway.http", QtInfoMsg)

constexpr qint64 readBuffer = 64 * 1024;
constexpr qint64 lowWater = 64 * 1024;
// What a refused client may still send before it is cut off: it shall get to read the refusal, and
// closing with unread bytes would make the kernel throw that away.
constexpr qint64 lingerBytes = 16 << 20;
constexpr std::chrono::milliseconds lingerTime = std::chrono::seconds(2);

} // namespace

HttpExchange::HttpExchange(HttpConnection *connection, HttpRequest request)
    : QObject(connection)
    , m_connection(connection)
    , m_request(std::move(request))
{
}

void HttpExchange::respond(const HttpResponse &response)
{
    m_connection->send(response);
    m_connection->answered();
}

void HttpExchange::beginStream(const QByteArray &contentType)
{
    m_connection->beginStream(contentType);
}

void HttpExchange::writeStream(QByteArrayView bytes)
{
    m_connection->writeStream(bytes);
}

void HttpExchange::endStream()
{
    m_connection->endStream();
}

void HttpExchange::abandon()
{
    m_connection->end();
}

qint64 HttpExchange::queuedBytes() const
{
    return m_connection->m_socket ? m_connection->m_socket->bytesToWrite() : 0;
}

QByteArray HttpExchange::takeBody()
{
    return m_connection->takeBody();
}

bool HttpExchange::isBodyWhole() const
{
    return m_connection->m_parser.state() == HttpParser::State::Whole;
}

std::unique_ptr<QTcpSocket> HttpExchange::upgradeToWebSocket()
{
    return m_connection->upgrade();
}

HttpConnection::HttpConnection(QTcpSocket *socket, HttpHandler *handler, const HttpLimits &limits, QObject *parent)
    : QObject(parent)
    , m_socket(socket)
    , m_handler(handler)
    , m_limits(limits)
{
    socket->setParent(this);
    // What is not read yet waits in the kernel, and then at the client.
    socket->setReadBufferSize(readBuffer);
    socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    m_deadline.setSingleShot(true);
    m_writeDeadline.setSingleShot(true);
    connect(&m_deadline, &QTimer::timeout, this, &HttpConnection::deadlinePassed);
    connect(&m_writeDeadline, &QTimer::timeout, this, &HttpConnection::end);
    connect(socket, &QTcpSocket::readyRead, this, &HttpConnection::readMore);
    connect(socket, &QTcpSocket::bytesWritten, this, &HttpConnection::bytesWritten);
    connect(socket, &QTcpSocket::disconnected, this, &HttpConnection::end);
    m_deadline.start(m_limits.head);
}

HttpConnection::~HttpConnection()
{
    if (m_socket)
        m_socket->disconnect(this);
}

void HttpConnection::readMore()
{
    switch (m_state) {
    case State::Head:
    case State::Body:
        advance();
        break;
    case State::Lingering:
        m_discarded += m_socket->skip(m_socket->bytesAvailable());
        if (m_discarded > lingerBytes)
            end();
        break;
    case State::Uploading:
        uploadMore();
        break;
    case State::Handling:
    case State::Streaming:
    case State::Finished:
        break; // the next request waits where it is
    }
}

void HttpConnection::advance()
{
    if (m_advancing)
        return;
    m_advancing = true;
    // The write buffer is empty before the next request is read: pipelining cannot pile up answers.
    while ((m_state == State::Head || m_state == State::Body) && m_socket && m_socket->bytesToWrite() == 0) {
        const bool fresh = m_input.isEmpty() && m_parser.state() == HttpParser::State::Head;
        m_input.append(m_socket->read(readBuffer));
        if (m_input.isEmpty())
            break;
        if (fresh)
            m_deadline.start(m_limits.head);
        const HttpParser::State before = m_parser.state();
        const qsizetype size = m_input.size();
        const HttpParser::State state = m_parser.feed(m_input);
        if (state == HttpParser::State::HeadDone)
            headDone();
        else if (state == HttpParser::State::Whole)
            handleRequest();
        else if (state == HttpParser::State::Refused)
            refuse(m_handler->refusal(m_parser.refusalStatus(), m_parser.refusalReason()));
        else if (state == before && m_input.size() == size && m_socket->bytesAvailable() == 0)
            break;
    }
    m_advancing = false;
}

void HttpConnection::headDone()
{
    const HttpRequest &head = m_parser.request();
    m_keepAlive = head.minorVersion == 1 && !head.hasToken("connection", "close");
    m_headOnly = head.method == "HEAD";
    BodyPlan plan{m_limits.bodyBytes, false};
    if (const auto refused = m_handler->admit(head, plan)) {
        // Nothing of the body was taken, so nothing that follows can be told from it.
        if (m_parser.expectsBody())
            m_keepAlive = false;
        send(*refused);
        answered();
        return;
    }
    const HttpParser::State state = m_parser.takeBody(plan.limit);
    if (state == HttpParser::State::Refused) {
        refuse(m_handler->refusal(m_parser.refusalStatus(), m_parser.refusalReason()));
    } else if (state == HttpParser::State::Whole && !plan.isStreamed) {
        handleRequest();
    } else {
        if (m_parser.expectsBody() && head.header("expect").compare("100-continue", Qt::CaseInsensitive) == 0) {
            m_socket->write("HTTP/1.1 100 Continue\r\n\r\n");
            m_socket->flush();
        }
        if (plan.isStreamed) {
            beginUpload();
            return;
        }
        m_state = State::Body;
        m_deadline.start(m_limits.body);
    }
}

void HttpConnection::beginUpload()
{
    m_deadline.stop();
    m_state = State::Uploading;
    m_exchange = new HttpExchange(this, m_parser.request());
    QMetaObject::invokeMethod(this, &HttpConnection::uploadMore, Qt::QueuedConnection);
    m_handler->handle(m_exchange);
}

// Reads on where the last piece was taken: what is not taken waits in the kernel, and then at the client.
void HttpConnection::uploadMore()
{
    if (m_state != State::Uploading || !m_exchange || !m_socket || !m_parser.request().body.isEmpty())
        return;
    if (m_parser.state() == HttpParser::State::Body) {
        m_input.append(m_socket->read(readBuffer - m_input.size()));
        const bool silent = m_input.isEmpty();
        const HttpParser::State state = m_parser.feed(m_input);
        if (state == HttpParser::State::Refused) {
            emit m_exchange->gone();
            refuse(m_handler->refusal(m_parser.refusalStatus(), m_parser.refusalReason()));
            return;
        }
        if (state == HttpParser::State::Body && m_parser.request().body.isEmpty()) {
            if (!silent || !m_deadline.isActive())
                m_deadline.start(m_limits.body);
            return;
        }
    }
    m_deadline.stop();
    emit m_exchange->bodyReady();
}

QByteArray HttpConnection::takeBody()
{
    QByteArray part = m_parser.takeBodyPart();
    if (!part.isEmpty() && m_state == State::Uploading && m_parser.state() == HttpParser::State::Body)
        QMetaObject::invokeMethod(this, &HttpConnection::uploadMore, Qt::QueuedConnection);
    return part;
}

void HttpConnection::handleRequest()
{
    m_deadline.stop();
    m_state = State::Handling;
    m_exchange = new HttpExchange(this, m_parser.takeRequest());
    m_handler->handle(m_exchange);
}

void HttpConnection::refuse(const HttpResponse &response)
{
    m_keepAlive = false;
    send(response);
    answered();
}

void HttpConnection::turnAway(const HttpResponse &response)
{
    refuse(response);
}

QByteArray HttpConnection::headOf(const HttpResponse &response) const
{
    QByteArray head = "HTTP/1.1 " + QByteArray::number(response.status) + ' ' + reasonPhrase(response.status) + "\r\n";
    if (!response.contentType.isEmpty())
        head += "Content-Type: " + response.contentType + "\r\n";
    for (const auto &[name, value] : response.extraHeaders)
        head += name + ": " + value + "\r\n";
    // Answers carry tokens and are of this moment.
    head += "Cache-Control: no-store\r\n";
    if (!m_keepAlive)
        head += "Connection: close\r\n";
    return head;
}

void HttpConnection::send(const HttpResponse &response)
{
    if (!m_socket || m_state == State::Finished)
        return;
    // What follows could not be told from the rest of the body.
    if (m_state == State::Uploading && m_parser.state() != HttpParser::State::Whole)
        m_keepAlive = false;
    QByteArray message = headOf(response);
    if (response.status != 204 && response.status >= 200)
        message += "Content-Length: " + QByteArray::number(response.body.size()) + "\r\n";
    message += "\r\n";
    if (!m_headOnly)
        message += response.body;
    m_socket->write(message);
    m_writeDeadline.start(m_limits.write);
}

void HttpConnection::beginStream(const QByteArray &contentType)
{
    if (!m_socket || m_state == State::Finished)
        return;
    m_state = State::Streaming;
    m_chunked = m_exchange->request().minorVersion == 1;
    if (!m_chunked)
        m_keepAlive = false;
    QByteArray head = headOf({200, contentType, {}, {}});
    if (m_chunked)
        head += "Transfer-Encoding: chunked\r\n";
    m_socket->write(head + "\r\n");
    m_writeDeadline.start(m_limits.write);
}

void HttpConnection::writeStream(QByteArrayView bytes)
{
    if (m_state != State::Streaming || !m_socket || bytes.isEmpty())
        return;
    if (m_chunked)
        m_socket->write(QByteArray::number(bytes.size(), 16) + "\r\n" + bytes.toByteArray() + "\r\n");
    else
        m_socket->write(bytes.data(), bytes.size());
    if (!m_writeDeadline.isActive())
        m_writeDeadline.start(m_limits.write);
}

void HttpConnection::endStream()
{
    if (m_state != State::Streaming || !m_socket)
        return;
    if (m_chunked)
        m_socket->write("0\r\n\r\n");
    answered();
}

std::unique_ptr<QTcpSocket> HttpConnection::upgrade()
{
    const HttpRequest &request = m_exchange->request();
    const QByteArray accept = webSocketAccept(request.header("sec-websocket-key"));
    if (request.header("sec-websocket-version") != "13") {
        HttpResponse response = m_handler->refusal(426, u"Only version 13 of the WebSocket protocol is spoken here."_s);
        response.extraHeaders.emplaceBack("Sec-WebSocket-Version", "13");
        refuse(response);
        return {};
    }
    if (request.method != "GET" || request.minorVersion != 1 || accept.isEmpty() || !m_socket) {
        refuse(m_handler->refusal(400, u"The WebSocket handshake is malformed."_s));
        return {};
    }
    m_socket->write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: " + accept + "\r\n\r\n");
    // Frames that came with the handshake go along in the socket's own buffer.
    std::unique_ptr<QTcpSocket> socket(m_socket.data());
    for (qsizetype i = m_input.size(); i > 0; --i)
        socket->ungetChar(m_input.at(i - 1));
    m_input.clear();
    socket->disconnect(this);
    socket->setParent(nullptr);
    m_socket = nullptr;
    m_exchange->deleteLater();
    m_exchange = nullptr;
    end();
    return socket;
}

void HttpConnection::answered()
{
    if (m_exchange) {
        m_exchange->deleteLater();
        m_exchange->disconnect();
        m_exchange = nullptr;
    }
    if (!m_socket || m_state == State::Finished)
        return;
    m_parser.reset();
    if (!m_keepAlive) {
        linger();
        return;
    }
    m_state = State::Head;
    m_deadline.start(m_input.isEmpty() ? m_limits.idle : m_limits.head);
    // Not from inside the handler: a long pipeline would become a deep stack.
    if (!m_input.isEmpty() || m_socket->bytesAvailable() > 0)
        QMetaObject::invokeMethod(this, &HttpConnection::advance, Qt::QueuedConnection);
}

void HttpConnection::linger()
{
    m_state = State::Lingering;
    m_input.clear();
    m_deadline.stop();
    if (m_socket->bytesToWrite() == 0) {
        ::shutdown(int(m_socket->socketDescriptor()), SHUT_WR);
        m_deadline.start(lingerTime);
        readMore();
    }
}

void HttpConnection::bytesWritten()
{
    if (!m_socket)
        return;
    const qint64 left = m_socket->bytesToWrite();
    if (left > 0)
        m_writeDeadline.start(m_limits.write);
    else
        m_writeDeadline.stop();
    if (m_state == State::Lingering && left == 0 && !m_deadline.isActive())
        linger();
    else if (m_state == State::Streaming && left < lowWater && m_exchange)
        emit m_exchange->drained();
    else if (left == 0)
        readMore();
}

void HttpConnection::deadlinePassed()
{
    if (m_state == State::Lingering || (m_state == State::Head && m_input.isEmpty())) {
        end();
        return;
    }
    qCInfo(lcHttp, "A request was not finished in time.");
    if (m_exchange)
        emit m_exchange->gone();
    refuse(m_handler->refusal(408, u"The request was not finished in time."_s));
}

void HttpConnection::end()
{
    if (m_state == State::Finished)
        return;
    m_state = State::Finished;
    m_deadline.stop();
    m_writeDeadline.stop();
    if (m_exchange)
        emit m_exchange->gone();
    if (m_socket) {
        m_socket->disconnect(this);
        m_socket->abort();
    }
    emit finished();
}

} // namespace Sandpiper

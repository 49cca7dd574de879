#include "tests/support/gatewayclient.h"

#include <QHostAddress>
#include <QJsonDocument>
#include <QTest>
#include <QtEndian>

namespace Sandpiper {
namespace {

constexpr int patience = 60'000;

QByteArray joinChunks(QByteArray chunked)
{
    QByteArray body;
    while (true) {
        const qsizetype end = chunked.indexOf("\r\n");
        const qsizetype size = end < 0 ? 0 : chunked.first(end).toLongLong(nullptr, 16);
        if (size <= 0)
            return body;
        body += chunked.mid(end + 2, size);
        chunked.remove(0, end + 2 + size + 2);
    }
}

} // namespace

QByteArray HttpAnswer::header(const QByteArray &name) const
{
    for (const auto &[key, value] : headers) {
        if (key == name)
            return value;
    }
    return {};
}

QJsonObject HttpAnswer::json() const
{
    return QJsonDocument::fromJson(body).object();
}

HttpAnswer parseAnswer(const QByteArray &bytes)
{
    HttpAnswer answer;
    const qsizetype end = bytes.indexOf("\r\n\r\n");
    if (end < 0 || !bytes.startsWith("HTTP/1.1 "))
        return answer;
    QByteArrayList lines = bytes.first(end).split('\n');
    answer.status = lines.takeFirst().mid(9, 3).toInt();
    for (const QByteArray &line : lines) {
        const qsizetype colon = line.indexOf(':');
        answer.headers.emplaceBack(line.first(colon).toLower(), line.sliced(colon + 1).trimmed());
    }
    answer.body = bytes.sliced(end + 4);
    if (answer.header("transfer-encoding") == "chunked")
        answer.body = joinChunks(answer.body);
    return answer;
}

HttpAnswer GatewayClient::send(const QByteArray &bytes) const
{
    QTcpSocket socket;
    QByteArray got;
    bool ended = false;
    QObject::connect(&socket, &QTcpSocket::readyRead, &socket, [&] { got += socket.readAll(); });
    QObject::connect(&socket, &QTcpSocket::disconnected, &socket, [&] { ended = true; });
    QObject::connect(&socket, &QTcpSocket::errorOccurred, &socket, [&] { ended = true; });
    socket.connectToHost(QHostAddress::LocalHost, m_port);
    socket.write(bytes);
    [[maybe_unused]] const bool inTime = QTest::qWaitFor([&] { return ended; }, patience);
    return parseAnswer(got + socket.readAll());
}

HttpAnswer GatewayClient::ask(const QByteArray &method, const QByteArray &path, const QByteArray &body) const
{
    QByteArray bytes = method + ' ' + path + " HTTP/1.1\r\nConnection: close\r\n";
    bool hasHost = false;
    for (const auto &[name, value] : headers) {
        bytes += name + ": " + value + "\r\n";
        hasHost = hasHost || name == "Host";
    }
    if (!hasHost)
        bytes += "Host: 127.0.0.1:" + QByteArray::number(m_port) + "\r\n";
    if (!m_apiKey.isEmpty())
        bytes += "Authorization: Bearer " + m_apiKey + "\r\n";
    if (!body.isEmpty())
        bytes += "Content-Length: " + QByteArray::number(body.size()) + "\r\n";
    return send(bytes + "\r\n" + body);
}

HttpAnswer GatewayClient::ask(const QByteArray &method, const QByteArray &path, const QJsonObject &body) const
{
    return ask(method, path, QJsonDocument(body).toJson(QJsonDocument::Compact));
}

RawWebSocket::RawWebSocket(quint16 port, const QByteArray &path, const Headers &extra)
{
    connect(&m_socket, &QTcpSocket::readyRead, this, &RawWebSocket::readMore);
    connect(&m_socket, &QTcpSocket::disconnected, this, [this] { isClosed = true; });
    connect(&m_socket, &QTcpSocket::errorOccurred, this, [this] { isClosed = true; });
    m_socket.connectToHost(QHostAddress::LocalHost, port);
    QByteArray bytes = "GET " + path + " HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    bool hasHost = false;
    for (const auto &[name, value] : extra) {
        bytes += name + ": " + value + "\r\n";
        hasHost = hasHost || name == "Host";
    }
    if (!hasHost)
        bytes += "Host: 127.0.0.1:" + QByteArray::number(port) + "\r\n";
    m_socket.write(bytes + "\r\n");
}

bool RawWebSocket::isOpen()
{
    [[maybe_unused]] const bool inTime = QTest::qWaitFor([this] { return m_isOpen || isClosed; }, patience);
    return m_isOpen;
}

HttpAnswer RawWebSocket::refusal()
{
    [[maybe_unused]] const bool inTime = QTest::qWaitFor(
            [this] {
                const HttpAnswer answer = parseAnswer(m_input);
                return m_isOpen || isClosed || (answer.status != 0 && answer.body.size() >= answer.header("content-length").toLongLong());
            },
            patience);
    return m_isOpen ? HttpAnswer{101, {}, {}} : parseAnswer(m_input);
}

void RawWebSocket::readMore()
{
    m_input += m_socket.readAll();
    if (!m_isOpen && m_input.startsWith("HTTP/1.1 101 ") && m_input.contains("\r\n\r\n")) {
        m_isOpen = true;
        m_input.remove(0, m_input.indexOf("\r\n\r\n") + 4);
    }
    while (m_isOpen && takeFrame()) {
    }
}

bool RawWebSocket::takeFrame()
{
    if (m_input.size() < 2)
        return false;
    const quint8 opcode = quint8(m_input.at(0)) & 0x0f;
    qsizetype size = quint8(m_input.at(1));
    qsizetype head = 2;
    if (size == 126)
        head = 4;
    else if (size == 127)
        head = 10;
    if (m_input.size() < head)
        return false;
    if (size == 126)
        size = qFromBigEndian<quint16>(m_input.constData() + 2);
    else if (size == 127)
        size = qsizetype(qFromBigEndian<quint64>(m_input.constData() + 2));
    if (m_input.size() < head + size)
        return false;
    const QByteArray payload = m_input.sliced(head, size);
    m_input.remove(0, head + size);
    if (opcode == 2) {
        messages.append(payload);
        if (payload.startsWith('\0'))
            output += payload.sliced(1);
        if (payload.startsWith('\3') && payload.size() == 5)
            exitCode = qFromBigEndian<qint32>(payload.constData() + 1);
    } else if (opcode == 8) {
        closeCode = payload.size() >= 2 ? qFromBigEndian<quint16>(payload.constData()) : 1005;
        closeReason = payload.mid(2);
        sendFrame(0x88, payload.first(std::min<qsizetype>(2, payload.size())));
    } else if (opcode == 9) {
        ++pings;
        if (answersPings)
            sendFrame(0x8a, payload);
    }
    return true;
}

void RawWebSocket::sendFrame(quint8 opcodeByte, const QByteArray &payload)
{
    QByteArray frame(1, char(opcodeByte));
    if (payload.size() < 126) {
        frame.append(char(0x80 | payload.size()));
    } else if (payload.size() < 65536) {
        frame.append(char(0xfe)).append(char(payload.size() >> 8)).append(char(payload.size()));
    } else {
        frame.append(char(0xff));
        const quint64 size = qToBigEndian(quint64(payload.size()));
        frame.append(reinterpret_cast<const char *>(&size), sizeof size);
    }
    const QByteArray mask("\x11\x22\x33\x44");
    frame.append(mask);
    for (qsizetype i = 0; i < payload.size(); ++i)
        frame.append(char(payload.at(i) ^ mask.at(i & 3)));
    m_socket.write(frame);
}

void RawWebSocket::sendBinary(const QByteArray &payload)
{
    sendFrame(0x82, payload);
}

void RawWebSocket::sendBytes(const QByteArray &bytes)
{
    m_socket.write(bytes);
}

void RawWebSocket::stopReading()
{
    m_socket.disconnect(this);
    connect(&m_socket, &QTcpSocket::disconnected, this, [this] { isClosed = true; });
    m_socket.setReadBufferSize(1);
}

void RawWebSocket::startReading()
{
    m_socket.setReadBufferSize(0);
    connect(&m_socket, &QTcpSocket::readyRead, this, &RawWebSocket::readMore);
    readMore();
}

void RawWebSocket::drop()
{
    m_socket.abort();
    isClosed = true;
}

} // namespace Sandpiper

#include "session/websocketframes.h"

#include <QStringDecoder>
#include <QtEndian>

#include <openssl/rand.h>

#include <algorithm>
#include <array>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

constexpr qint64 maxControlPayload = 125;

WebSocketDecoder::Event broken(ErrorKind kind, const QString &detail)
{
    WebSocketDecoder::Event event;
    event.kind = WebSocketDecoder::Event::Kind::Broken;
    event.error = Error{kind, Layer::WebSocket, detail, {}};
    return event;
}

WebSocketDecoder::Event broken(const QString &detail)
{
    return broken(ErrorKind::Protocol, detail);
}

bool mayBeSent(quint16 code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006)
            || (code >= 3000 && code <= 4999);
}

WebSocketDecoder::Event closeEvent(const QByteArray &payload)
{
    WebSocketDecoder::Event event;
    event.kind = WebSocketDecoder::Event::Kind::Close;
    if (payload.isEmpty())
        return event;
    if (payload.size() == 1)
        return broken(u"a close frame with half a code"_s);
    event.hasCode = true;
    event.code = qFromBigEndian<quint16>(payload.constData());
    if (!mayBeSent(event.code))
        return broken(u"close code %1 must not be sent"_s.arg(event.code));
    QStringDecoder utf8(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    event.reason = utf8(QByteArrayView(payload).sliced(2));
    if (utf8.hasError())
        return broken(u"a close reason that is not UTF-8"_s);
    return event;
}

// Moves at most `count` bytes (none where it is negative) from the front of input to the end of `to`.
void take(QByteArrayView &input, QByteArray &to, qint64 count)
{
    const qint64 n = qBound<qint64>(0, count, input.size());
    to.append(input.first(n));
    input = input.sliced(n);
}

} // namespace

QByteArray webSocketFrame(WebSocketOpcode opcode, QByteArrayView payload)
{
    QByteArray frame;
    frame.reserve(payload.size() + 14);
    frame.append(char(0x80 | quint8(opcode)));
    const auto size = quint64(payload.size());
    if (size <= quint64(maxControlPayload)) {
        frame.append(char(0x80 | size));
    } else if (size <= 0xffff) {
        frame.append(char(0x80 | 126));
        const quint16 big = qToBigEndian(quint16(size));
        frame.append(reinterpret_cast<const char *>(&big), sizeof big);
    } else {
        frame.append(char(0xff));
        const quint64 big = qToBigEndian(size);
        frame.append(reinterpret_cast<const char *>(&big), sizeof big);
    }
    std::array<char, 4> mask{};
    // The mask keeps a hostile server from shaping what proxies see; without random numbers there is none.
    if (RAND_bytes(reinterpret_cast<unsigned char *>(mask.data()), int(mask.size())) != 1)
        qFatal("OpenSSL has no random numbers");
    frame.append(mask.data(), mask.size());
    const qsizetype start = frame.size();
    frame.append(payload);
    char *bytes = frame.data() + start;
    for (qsizetype i = 0; i < payload.size(); ++i)
        bytes[i] = char(bytes[i] ^ mask[size_t(i & 3)]);
    return frame;
}

QByteArray webSocketClosePayload(quint16 code, QByteArrayView reason)
{
    const quint16 big = qToBigEndian(code);
    QByteArray payload(reinterpret_cast<const char *>(&big), sizeof big);
    payload.append(reason.first(qMin<qsizetype>(reason.size(), maxControlPayload - 2)));
    return payload;
}

bool WebSocketDecoder::parseHeader(QByteArrayView &input, Event &event)
{
    take(input, m_header, 2 - m_header.size());
    if (m_header.size() < 2)
        return false;
    const auto first = quint8(m_header.at(0));
    const auto second = quint8(m_header.at(1));
    // Judged before the length is waited for: two bytes are enough to know a peer that is wrong.
    if (first & 0x70) {
        event = broken(u"reserved bits are set"_s);
        return false;
    }
    if (second & 0x80) {
        event = broken(u"a server's frame is masked"_s);
        return false;
    }
    const int shortLength = second & 0x7f;
    const int extra = shortLength == 126 ? 2 : shortLength == 127 ? 8 : 0;
    take(input, m_header, 2 + extra - m_header.size());
    if (m_header.size() < 2 + extra)
        return false;

    quint64 length = quint64(shortLength);
    if (extra == 2)
        length = qFromBigEndian<quint16>(m_header.constData() + 2);
    else if (extra == 8)
        length = qFromBigEndian<quint64>(m_header.constData() + 2);
    if ((extra == 2 && length < 126) || (extra == 8 && length <= 0xffff) || length >> 63) {
        event = broken(u"a frame length in a form that is not allowed"_s);
        return false;
    }
    m_header.clear();
    m_isFinal = first & 0x80;
    m_left = qint64(length);

    const int opcode = first & 0x0f;
    switch (opcode) {
    case int(WebSocketOpcode::Continuation):
        if (!m_inMessage)
            event = broken(u"a continuation of nothing"_s);
        break;
    case int(WebSocketOpcode::Text):
    case int(WebSocketOpcode::Binary):
        if (m_inMessage)
            event = broken(u"a new message inside another"_s);
        m_inMessage = true;
        m_isText = opcode == int(WebSocketOpcode::Text);
        m_given = false;
        m_messageSize = 0;
        break;
    case int(WebSocketOpcode::Close):
    case int(WebSocketOpcode::Ping):
    case int(WebSocketOpcode::Pong):
        if (!m_isFinal || m_left > maxControlPayload)
            event = broken(u"a control frame that is too long or in pieces"_s);
        break;
    default:
        event = broken(u"unknown frame opcode %1"_s.arg(opcode));
        break;
    }
    m_opcode = WebSocketOpcode(opcode);
    if (opcode < 8) {
        // Both are below 2^63 and the first is below the limit: no overflow.
        if (m_left > m_maxMessage - m_messageSize)
            event = broken(ErrorKind::TooLarge, u"a message of more than %1 bytes"_s.arg(m_maxMessage));
        m_messageSize += m_left;
    }
    m_inFrame = true;
    return event.kind == Event::Kind::Starved;
}

WebSocketDecoder::Event WebSocketDecoder::control(QByteArrayView &input)
{
    const qsizetype before = input.size();
    take(input, m_control, m_left);
    m_left -= before - input.size();
    if (m_left > 0)
        return {};
    m_inFrame = false;
    Event event;
    const QByteArray payload = std::exchange(m_control, {});
    if (m_opcode == WebSocketOpcode::Close)
        return closeEvent(payload);
    event.kind = m_opcode == WebSocketOpcode::Ping ? Event::Kind::Ping : Event::Kind::Pong;
    event.bytes = payload;
    return event;
}

WebSocketDecoder::Event WebSocketDecoder::data(QByteArrayView &input, qint64 maxData)
{
    const qint64 room = m_isText ? input.size() : maxData;
    const qint64 n = std::min({m_left, qint64(input.size()), room});
    if (n == 0 && m_left > 0)
        return {};
    Event event;
    if (!m_isText)
        event.bytes = input.first(n).toByteArray();
    input = input.sliced(n);
    m_left -= n;
    if (m_left == 0)
        m_inFrame = false;
    const bool messageEnds = m_left == 0 && m_isFinal;
    if (messageEnds)
        m_inMessage = false;
    if (m_isText) {
        if (messageEnds)
            event.kind = Event::Kind::Text;
        return event;
    }
    // An empty fragment in the middle says nothing; the start and the end of a message always count.
    if (n == 0 && !messageEnds)
        return event;
    event.kind = Event::Kind::Data;
    event.isFirst = !m_given;
    event.isLast = messageEnds;
    m_given = true;
    return event;
}

WebSocketDecoder::Event WebSocketDecoder::next(QByteArrayView &input, qint64 maxData)
{
    for (;;) {
        Event event;
        if (!m_inFrame && !parseHeader(input, event))
            return event;
        const bool isControl = quint8(m_opcode) >= 8;
        event = isControl ? control(input) : data(input, maxData);
        if (event.kind != Event::Kind::Starved)
            return event;
        // A frame that ended without an event (an empty fragment, a piece of text) is not the end.
        if (m_inFrame)
            return event;
    }
}

} // namespace Sandpiper

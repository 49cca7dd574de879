// WebSocket frames (RFC 6455 section 5), from the client's side. Pure; any thread.
#pragma once

#include "session/error.h"

#include <QByteArray>

namespace Sandpiper {

enum class WebSocketOpcode : quint8 { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

// One final frame, masked with four bytes that nobody can foresee.
[[nodiscard]] QByteArray webSocketFrame(WebSocketOpcode opcode, QByteArrayView payload);
// The payload of a close frame; the reason is cut to what fits.
[[nodiscard]] QByteArray webSocketClosePayload(quint16 code, QByteArrayView reason);

// Takes bytes as they come and says what they mean, piece by piece: no message is ever held whole.
// Strict: what a server must not send is a failure (masks, reserved bits, unknown opcodes, lengths
// not in their shortest form, fragments out of order, control frames over 125 bytes).
class WebSocketDecoder
{
public:
    // A message longer than this is refused with TooLarge.
    explicit WebSocketDecoder(qint64 maxMessage) : m_maxMessage(maxMessage) {}

    struct Event
    {
        enum class Kind {
            Starved, // needs more input, or more room for data
            Data,    // a piece of a binary message
            Text,    // a text message has passed by; its content is dropped
            Ping,
            Pong,
            Close,
            Broken, // see error; the decoder is of no further use
        };
        Kind kind = Kind::Starved;
        QByteArray bytes; // Data, Ping, Pong
        bool isFirst = false;
        bool isLast = false;
        bool hasCode = false; // Close
        quint16 code = 1005;
        QString reason;
        Error error;
    };

    // Takes from the front of input. At most maxData bytes of a message are given out; with 0, data
    // waits while control frames before it still pass.
    [[nodiscard]] Event next(QByteArrayView &input, qint64 maxData);

private:
    [[nodiscard]] bool parseHeader(QByteArrayView &input, Event &event);
    [[nodiscard]] Event control(QByteArrayView &input);
    [[nodiscard]] Event data(QByteArrayView &input, qint64 maxData);

    const qint64 m_maxMessage;
    QByteArray m_header;  // of the frame that is coming, until it is whole
    QByteArray m_control; // payload of a control frame, until it is whole
    WebSocketOpcode m_opcode = WebSocketOpcode::Continuation;
    bool m_inFrame = false;
    bool m_isFinal = false;
    qint64 m_left = 0; // of the payload of this frame
    bool m_inMessage = false;
    bool m_isText = false;
    bool m_given = false; // a piece of this message has been given out
    qint64 m_messageSize = 0;
};

} // namespace Sandpiper

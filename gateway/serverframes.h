// RFC 6455 frames, the server's side: out of a stream of bytes that may be hostile, and into one.
// Pure; knows no socket.
#pragma once

#include <QByteArray>

namespace Sandpiper {

enum class FrameOpcode : quint8 { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

class ServerFrameParser
{
public:
    explicit ServerFrameParser(qsizetype maxMessageBytes) : m_maxMessage(maxMessageBytes) {}

    enum class Event {
        NeedMore,
        Message, // kind() and payload(): a whole data message, or one control frame
        Refused, // closeCode() and closeReason(); nothing more is parsed
    };
    // Takes at most one message from the front of input and leaves the rest there.
    Event next(QByteArray &input);

    [[nodiscard]] FrameOpcode kind() const { return m_kind; }
    [[nodiscard]] const QByteArray &payload() const { return m_payload; }
    [[nodiscard]] quint16 closeCode() const { return m_closeCode; }
    [[nodiscard]] QByteArray closeReason() const { return m_closeReason; }

private:
    Event refuse(quint16 code, const char *reason);

    qsizetype m_maxMessage;
    bool m_assembling = false;
    FrameOpcode m_assembledKind = FrameOpcode::Binary;
    QByteArray m_assembled;
    FrameOpcode m_kind = FrameOpcode::Binary;
    QByteArray m_payload;
    quint16 m_closeCode = 0;
    QByteArray m_closeReason;
    bool m_refused = false;
};

// Unmasked, final: what a server sends.
[[nodiscard]] QByteArray serverFrame(FrameOpcode opcode, QByteArrayView payload);
// reason is cut to the 123 bytes that fit.
[[nodiscard]] QByteArray serverCloseFrame(quint16 code, QByteArrayView reason);
// The answer to a Sec-WebSocket-Key; empty where the key is no base64 of 16 bytes.
[[nodiscard]] QByteArray webSocketAccept(const QByteArray &key);

} // namespace Sandpiper

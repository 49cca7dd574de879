#include "gateway/serverframes.h"

#include <QCryptographicHash>
#include <QStringDecoder>
#include <QtEndian>

namespace Sandpiper {
namespace {

bool isControl(quint8 opcode)
{
    return (opcode & 0x8) != 0;
}

bool isKnown(quint8 opcode)
{
    return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

bool isUtf8(QByteArrayView bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    [[maybe_unused]] const QString text = decoder(bytes);
    return !decoder.hasError();
}

// Codes that may stand in a Close frame (RFC 6455 section 7.4).
bool isCloseCode(quint16 code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006)
            || (code >= 3000 && code <= 4999);
}

} // namespace

ServerFrameParser::Event ServerFrameParser::refuse(quint16 code, const char *reason)
{
    m_refused = true;
    m_closeCode = code;
    m_closeReason = reason;
    m_assembled.clear();
    return Event::Refused;
}

ServerFrameParser::Event ServerFrameParser::next(QByteArray &input)
{
    while (!m_refused) {
        if (input.size() < 2)
            return Event::NeedMore;
        const auto *bytes = reinterpret_cast<const uchar *>(input.constData());
        const bool final = bytes[0] & 0x80;
        const quint8 opcode = bytes[0] & 0x0f;
        if ((bytes[0] & 0x70) != 0)
            return refuse(1002, "reserved bits are set");
        if (!isKnown(opcode))
            return refuse(1002, "unknown opcode");
        if ((bytes[1] & 0x80) == 0)
            return refuse(1002, "frame is not masked");
        quint64 size = bytes[1] & 0x7f;
        qsizetype headSize = 2;
        if (isControl(opcode) && (size > 125 || !final))
            return refuse(1002, "control frame is too long or fragmented");
        if (size == 126) {
            if (input.size() < 4)
                return Event::NeedMore;
            size = qFromBigEndian<quint16>(bytes + 2);
            headSize = 4;
        } else if (size == 127) {
            if (input.size() < 10)
                return Event::NeedMore;
            size = qFromBigEndian<quint64>(bytes + 2);
            headSize = 10;
        }
        // Decided on the header alone: nobody makes us wait for a gigabyte.
        if (!isControl(opcode) && size > quint64(m_maxMessage - m_assembled.size()))
            return refuse(1009, "message is too large");
        if (!isControl(opcode) && (opcode == 0) != m_assembling)
            return refuse(1002, "fragments are out of order");
        if (input.size() < headSize + 4 + qsizetype(size))
            return Event::NeedMore;

        QByteArray payload = input.sliced(headSize + 4, qsizetype(size));
        const char mask[4] = {input[headSize], input[headSize + 1], input[headSize + 2], input[headSize + 3]};
        char *data = payload.data();
        for (qsizetype i = 0; i < payload.size(); ++i)
            data[i] = char(data[i] ^ mask[i & 3]);
        input.remove(0, headSize + 4 + qsizetype(size));

        if (isControl(opcode)) {
            m_kind = FrameOpcode(opcode);
            m_payload = payload;
            if (m_kind == FrameOpcode::Close) {
                m_closeCode = payload.size() >= 2 ? qFromBigEndian<quint16>(payload.constData()) : 1005;
                m_closeReason = payload.mid(2);
                if (payload.size() == 1 || (payload.size() >= 2 && !isCloseCode(m_closeCode)) || !isUtf8(m_closeReason))
                    return refuse(1002, "close frame is malformed");
            }
            return Event::Message;
        }
        if (opcode != 0)
            m_assembledKind = FrameOpcode(opcode);
        m_assembling = !final;
        m_assembled.append(payload);
        if (!final)
            continue;
        m_kind = m_assembledKind;
        m_payload = std::exchange(m_assembled, {});
        if (m_kind == FrameOpcode::Text && !isUtf8(m_payload))
            return refuse(1007, "text is not UTF-8");
        return Event::Message;
    }
    return Event::Refused;
}

QByteArray serverFrame(FrameOpcode opcode, QByteArrayView payload)
{
    QByteArray frame;
    frame.reserve(payload.size() + 10);
    frame.append(char(0x80 | quint8(opcode)));
    if (payload.size() < 126) {
        frame.append(char(payload.size()));
    } else if (payload.size() <= 0xffff) {
        frame.append(char(126));
        const quint16 size = qToBigEndian(quint16(payload.size()));
        frame.append(reinterpret_cast<const char *>(&size), sizeof size);
    } else {
        frame.append(char(127));
        const quint64 size = qToBigEndian(quint64(payload.size()));
        frame.append(reinterpret_cast<const char *>(&size), sizeof size);
    }
    frame.append(payload);
    return frame;
}

QByteArray serverCloseFrame(quint16 code, QByteArrayView reason)
{
    QByteArray payload;
    const quint16 bigEndian = qToBigEndian(code);
    payload.append(reinterpret_cast<const char *>(&bigEndian), sizeof bigEndian);
    payload.append(reason.first(std::min<qsizetype>(reason.size(), 123)));
    return serverFrame(FrameOpcode::Close, payload);
}

QByteArray webSocketAccept(const QByteArray &key)
{
    const auto decoded = QByteArray::fromBase64Encoding(key, QByteArray::AbortOnBase64DecodingErrors);
    if (!decoded || decoded.decoded.size() != 16)
        return {};
    return QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1).toBase64();
}

} // namespace Sandpiper

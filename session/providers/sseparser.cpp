#include "session/providers/sseparser.h"

namespace Sandpiper {

QList<SseEvent> SseParser::take(QByteArrayView bytes)
{
    QList<SseEvent> events;
    for (const char c : bytes) {
        if (m_isBroken)
            break;
        // CR, LF and CR LF all end a line.
        if (c == '\n' && m_afterCarriageReturn) {
            m_afterCarriageReturn = false;
            continue;
        }
        m_afterCarriageReturn = c == '\r';
        if (c == '\n' || c == '\r')
            takeLine(events);
        else if (m_line.size() < m_maxBytes)
            m_line.append(c);
        else
            m_isBroken = true;
    }
    return events;
}

void SseParser::takeLine(QList<SseEvent> &events)
{
    const QByteArray line = std::exchange(m_line, {});
    if (line.isEmpty()) {
        if (m_hasData)
            events.append(m_event);
        m_event = {};
        m_hasData = false;
        return;
    }
    const qsizetype colon = line.indexOf(':');
    if (colon == 0)
        return; // a comment, sent to keep the connection alive
    const QByteArrayView name = QByteArrayView(line).first(colon < 0 ? line.size() : colon);
    QByteArrayView value = colon < 0 ? QByteArrayView() : QByteArrayView(line).sliced(colon + 1);
    if (value.startsWith(' '))
        value = value.sliced(1);
    if (name == "event") {
        m_event.name = value.toByteArray();
    } else if (name == "data") {
        if (m_event.data.size() + value.size() + 1 > m_maxBytes) {
            m_isBroken = true;
            return;
        }
        if (m_hasData)
            m_event.data.append('\n');
        m_event.data.append(value);
        m_hasData = true;
    }
}

} // namespace Sandpiper

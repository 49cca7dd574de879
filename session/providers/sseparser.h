// Server-sent events (HTML standard, section 9.2), with bounds. Pure; any thread.
#pragma once

#include <QByteArray>
#include <QList>

namespace Sandpiper {

struct SseEvent
{
    QByteArray name; // empty: "message"
    QByteArray data;
    friend bool operator==(const SseEvent &, const SseEvent &) = default;
};

class SseParser
{
public:
    // A line or an event beyond this is broken off: see isBroken().
    explicit SseParser(qsizetype maxBytes = 1 << 20)
        : m_maxBytes(maxBytes)
    {
    }
    // The events that these bytes completed, in order.
    [[nodiscard]] QList<SseEvent> take(QByteArrayView bytes);
    [[nodiscard]] bool isBroken() const { return m_isBroken; }

private:
    void takeLine(QList<SseEvent> &events);
    qsizetype m_maxBytes;
    QByteArray m_line;
    SseEvent m_event;
    bool m_hasData = false;
    bool m_afterCarriageReturn = false;
    bool m_isBroken = false;
};

} // namespace Sandpiper

#include "session/plainoutput.h"

#include <utility>

namespace Sandpiper {
namespace {

// Whoever sends a longer sequence, or never ends it, does not get to swallow what follows.
constexpr int kLongestSequence = 4096;

bool turnsDirection(QChar c)
{
    const char16_t u = c.unicode();
    return (u >= 0x202a && u <= 0x202e) || (u >= 0x2066 && u <= 0x2069) || u == 0x200e || u == 0x200f || u == 0x061c;
}

// How many bytes at the end begin a character of UTF-8 and lack its rest.
qsizetype openEnd(QByteArrayView bytes)
{
    for (qsizetype back = 1; back <= qMin<qsizetype>(3, bytes.size()); ++back) {
        const uchar byte = uchar(bytes[bytes.size() - back]);
        if ((byte & 0xc0) == 0x80)
            continue;
        const qsizetype length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
        return byte < 0xf5 && length > back ? back : 0;
    }
    return 0;
}

} // namespace

QString PlainOutput::feed(QByteArrayView bytes)
{
    // Not QStringDecoder: of broken characters that are cut it swallows what follows (Qt 6.8).
    const QByteArray all = m_tail + bytes.toByteArray();
    m_tail = all.last(openEnd(all));
    const QString text = QString::fromUtf8(QByteArrayView(all).chopped(m_tail.size()));
    QString out;
    out.reserve(text.size());
    for (const QChar c : text)
        take(c, out);
    return out;
}

void PlainOutput::takeGround(QChar c, QString &out)
{
    const bool endsReturn = std::exchange(m_afterReturn, c == u'\r');
    if (c == u'\r')
        return;
    // A return alone begins the line anew: what came before it is kept, as a line.
    if (endsReturn || c == u'\n')
        out += u'\n';
    if (c == u'\x1b') {
        m_state = State::Escape;
        m_length = 0;
    } else if (c == u'\x9b') {
        m_state = State::Sequence;
        m_length = 0;
    } else if (c == u'\t' || (c.unicode() >= 0x20 && (c.unicode() < 0x7f || c.unicode() >= 0xa0) && !turnsDirection(c))) {
        out += c;
    }
}

void PlainOutput::take(QChar c, QString &out)
{
    if (m_state != State::Ground && ++m_length > kLongestSequence)
        m_state = State::Ground;
    switch (m_state) {
    case State::Ground: return takeGround(c, out);
    case State::Escape:
        // ECMA-48: "[" begins a control sequence, "]PX^_" a string, 0x20–0x2f more of a short escape.
        if (c == u'[')
            m_state = State::Sequence;
        else if (c == u']' || c == u'P' || c == u'X' || c == u'^' || c == u'_')
            m_state = State::String;
        else if (c.unicode() < 0x20 || c.unicode() > 0x2f)
            m_state = State::Ground;
        return;
    case State::Sequence:
        if (c == u'\x1b')
            m_state = State::Escape;
        else if (c.unicode() >= 0x40 && c.unicode() <= 0x7e)
            m_state = State::Ground;
        return;
    case State::String:
        if (c == u'\a')
            m_state = State::Ground;
        else if (c == u'\x1b')
            m_state = State::StringEscape;
        return;
    case State::StringEscape: m_state = c == u'\\' ? State::Ground : State::String; return;
    }
}

} // namespace Sandpiper

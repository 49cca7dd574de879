#include "gateway/httpparser.h"

#include <algorithm>
#include <utility>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype maxChunkLine = 256;

bool isToken(QByteArrayView text)
{
    constexpr QByteArrayView others = "!#$%&'*+-.^_`|~";
    return !text.isEmpty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                || others.contains(c);
    });
}

bool isVisible(char c)
{
    return uchar(c) > 0x20 && uchar(c) < 0x7f;
}

bool isFieldValue(QByteArrayView text)
{
    return std::ranges::all_of(text, [](char c) { return c == '\t' || (uchar(c) >= 0x20 && c != 0x7f); });
}

// -1: not a plain decimal number that fits.
qint64 decimal(QByteArrayView text)
{
    if (text.isEmpty() || text.size() > 15)
        return -1;
    qint64 value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

qint64 hexadecimal(QByteArrayView text)
{
    if (text.isEmpty() || text.size() > 12)
        return -1;
    qint64 value = 0;
    for (const char c : text) {
        const int digit = c >= '0' && c <= '9' ? c - '0'
                : c >= 'a' && c <= 'f'         ? c - 'a' + 10
                : c >= 'A' && c <= 'F'         ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

} // namespace

void HttpParser::reset()
{
    *this = HttpParser();
}

HttpParser::State HttpParser::refuse(int status, const QString &reason)
{
    m_refusalStatus = status;
    m_refusalReason = reason;
    return m_state = State::Refused;
}

HttpParser::State HttpParser::feed(QByteArray &input)
{
    if (m_state == State::Body)
        return m_chunked ? feedChunked(input) : feedPlain(input);
    if (m_state != State::Head)
        return m_state;

    // An empty line before a request is let pass, as RFC 9112 section 2.2 asks.
    while (m_searched <= 1 && input.startsWith("\r\n")) {
        input.remove(0, 2);
        m_searched = 0;
    }
    const qsizetype end = input.indexOf("\r\n\r\n", std::max<qsizetype>(0, m_searched - 3));
    if (end < 0) {
        m_searched = input.size();
        if (input.size() > maxHeadBytes)
            return refuse(431, u"The request's head is larger than 16 KiB."_s);
        return m_state;
    }
    if (end > maxHeadBytes)
        return refuse(431, u"The request's head is larger than 16 KiB."_s);
    const QByteArray head = input.first(end);
    input.remove(0, end + 4);
    return parseHead(head);
}

HttpParser::State HttpParser::parseHead(QByteArrayView head)
{
    qsizetype from = 0;
    bool first = true;
    while (from <= head.size()) {
        qsizetype to = head.indexOf("\r\n", from);
        if (to < 0)
            to = head.size();
        const QByteArrayView line = head.sliced(from, to - from);
        from = to + 2;
        const bool fine = first ? parseRequestLine(line) : parseHeaderLine(line);
        if (!fine)
            return m_state;
        first = false;
    }
    if (m_request.minorVersion == 1 && m_request.header("host").isEmpty())
        return refuse(400, u"The request has no Host header."_s);
    if (!decideFraming())
        return m_state;
    return m_state = State::HeadDone;
}

bool HttpParser::parseRequestLine(QByteArrayView line)
{
    const qsizetype one = line.indexOf(' ');
    const qsizetype two = line.lastIndexOf(' ');
    if (one <= 0 || two <= one) {
        refuse(400, u"The request line is malformed."_s);
        return false;
    }
    const QByteArrayView method = line.first(one);
    const QByteArrayView target = line.sliced(one + 1, two - one - 1);
    const QByteArrayView version = line.sliced(two + 1);
    if (!isToken(method) || method.size() > 16 || !target.startsWith('/')
        || !std::ranges::all_of(target, isVisible)) {
        refuse(400, u"The request line is malformed."_s);
        return false;
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        refuse(505, u"Only HTTP/1.1 is spoken here."_s);
        return false;
    }
    m_request.method = method.toByteArray();
    m_request.minorVersion = version.endsWith('1') ? 1 : 0;
    const qsizetype mark = target.indexOf('?');
    m_request.path = (mark < 0 ? target : target.first(mark)).toByteArray();
    if (mark >= 0)
        m_request.query = target.sliced(mark + 1).toByteArray();
    return true;
}

bool HttpParser::parseHeaderLine(QByteArrayView line)
{
    if (m_request.headers.size() >= maxHeaders) {
        refuse(431, u"The request has more than 64 headers."_s);
        return false;
    }
    const qsizetype colon = line.indexOf(':');
    // A line that begins with a blank would be a folded header: its name is no token either.
    if (colon <= 0 || !isToken(line.first(colon)) || !isFieldValue(line.sliced(colon + 1))) {
        refuse(400, u"A header is malformed."_s);
        return false;
    }
    m_request.headers.append({line.first(colon).toByteArray().toLower(), line.sliced(colon + 1).trimmed().toByteArray()});
    return true;
}

bool HttpParser::decideFraming()
{
    const QList<QByteArray> lengths = m_request.headerValues("content-length");
    const QList<QByteArray> codings = m_request.headerValues("transfer-encoding");
    if (lengths.size() > 1 || codings.size() > 1 || (!lengths.isEmpty() && !codings.isEmpty())) {
        refuse(400, u"The length of the body is said twice."_s);
        return false;
    }
    if (!codings.isEmpty()) {
        if (codings.first().compare("chunked", Qt::CaseInsensitive) != 0) {
            refuse(501, u"Of transfer codings only chunked is understood."_s);
            return false;
        }
        if (m_request.minorVersion == 0) {
            refuse(400, u"HTTP/1.0 has no transfer codings."_s);
            return false;
        }
        m_chunked = true;
    }
    if (!lengths.isEmpty()) {
        m_remaining = decimal(lengths.first());
        if (m_remaining < 0) {
            refuse(400, u"The Content-Length is malformed."_s);
            return false;
        }
    }
    return true;
}

HttpParser::State HttpParser::takeBody(qint64 limit)
{
    if (m_state != State::HeadDone)
        return m_state;
    m_limit = limit;
    if (!m_chunked && m_remaining > limit)
        return refuse(413, u"The body is larger than %1 bytes."_s.arg(limit));
    return m_state = expectsBody() ? State::Body : State::Whole;
}

QByteArray HttpParser::takeBodyPart()
{
    m_limit -= m_request.body.size();
    return std::exchange(m_request.body, {});
}

HttpParser::State HttpParser::feedPlain(QByteArray &input)
{
    const qsizetype size = qsizetype(std::min<qint64>(m_remaining, input.size()));
    m_request.body.append(QByteArrayView(input).first(size));
    input.remove(0, size);
    m_remaining -= size;
    return m_state = m_remaining == 0 ? State::Whole : State::Body;
}

HttpParser::State HttpParser::feedChunked(QByteArray &input)
{
    while (true) {
        if (m_chunk == Chunk::Data) {
            const qsizetype size = qsizetype(std::min<qint64>(m_remaining, input.size()));
            m_request.body.append(QByteArrayView(input).first(size));
            input.remove(0, size);
            m_remaining -= size;
            if (m_remaining > 0)
                return m_state;
            m_chunk = Chunk::DataEnd;
        }
        const qsizetype end = input.indexOf("\r\n");
        if (end > maxChunkLine || (end < 0 && input.size() > maxChunkLine))
            return refuse(400, u"A chunk of the body is malformed."_s);
        if (end < 0)
            return m_state;
        const QByteArray line = input.first(end);
        input.remove(0, end + 2);
        switch (m_chunk) {
        case Chunk::Size: {
            const qint64 size = hexadecimal(QByteArrayView(line).first(line.indexOf(';') < 0 ? line.size() : line.indexOf(';')).trimmed());
            if (size < 0)
                return refuse(400, u"A chunk of the body is malformed."_s);
            if (size > m_limit - m_request.body.size())
                return refuse(413, u"The body is larger than %1 bytes."_s.arg(m_limit));
            m_remaining = size;
            m_chunk = size == 0 ? Chunk::Trailer : Chunk::Data;
            break;
        }
        case Chunk::DataEnd:
            if (!line.isEmpty())
                return refuse(400, u"A chunk of the body is malformed."_s);
            m_chunk = Chunk::Size;
            break;
        case Chunk::Trailer:
            if (line.isEmpty())
                return m_state = State::Whole;
            m_trailerBytes += line.size();
            if (m_trailerBytes > maxHeadBytes)
                return refuse(431, u"The trailer is larger than 16 KiB."_s);
            break;
        case Chunk::Data:
            break;
        }
    }
}

} // namespace Sandpiper

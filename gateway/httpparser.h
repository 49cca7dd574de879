// HTTP/1.1 requests out of a stream of bytes that may be hostile. Pure; knows no socket.
//
// Strict where laxness has let requests be smuggled: lines end in CR LF, no folded headers, one
// Content-Length or one "Transfer-Encoding: chunked" and never both, no controls in values. Several
// Host headers are let through, because one official client sends two.
#pragma once

#include "gateway/httprequest.h"

namespace Sandpiper {

class HttpParser
{
public:
    static constexpr qsizetype maxHeadBytes = 16 * 1024;
    static constexpr qsizetype maxHeaders = 64;

    enum class State {
        Head,     // wants more bytes of the head
        HeadDone, // request() has all but the body; call takeBody() or stop here
        Body,     // wants more bytes of the body
        Whole,    // request() is whole; call reset() for the next one
        Refused,  // see refusalStatus(); nothing more is parsed
    };

    // Takes what it can from the front of input and leaves the rest there.
    State feed(QByteArray &input);
    // After HeadDone: goes on to the body, which may have at most limit bytes.
    State takeBody(qint64 limit);
    void reset();

    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] const HttpRequest &request() const { return m_request; }
    [[nodiscard]] HttpRequest takeRequest() { return std::move(m_request); }
    // What has come of the body since the last call, for whoever does not want it whole. The limit still counts
    // all of it.
    [[nodiscard]] QByteArray takeBodyPart();
    [[nodiscard]] bool expectsBody() const { return m_chunked || m_remaining > 0; }
    [[nodiscard]] int refusalStatus() const { return m_refusalStatus; }
    [[nodiscard]] QString refusalReason() const { return m_refusalReason; }

private:
    enum class Chunk { Size, Data, DataEnd, Trailer };

    State refuse(int status, const QString &reason);
    State parseHead(QByteArrayView head);
    bool parseRequestLine(QByteArrayView line);
    bool parseHeaderLine(QByteArrayView line);
    bool decideFraming();
    State feedPlain(QByteArray &input);
    State feedChunked(QByteArray &input);

    State m_state = State::Head;
    HttpRequest m_request;
    qsizetype m_searched = 0; // how far the head's end was looked for in vain
    bool m_chunked = false;
    Chunk m_chunk = Chunk::Size;
    qint64 m_remaining = 0; // of the body, or of the chunk
    qint64 m_limit = 0;
    qsizetype m_trailerBytes = 0;
    int m_refusalStatus = 0;
    QString m_refusalReason;
};

} // namespace Sandpiper

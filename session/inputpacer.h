// Input on its way into a PTY WebSocket: cut into frames, paced, and never far ahead of the server.
#pragma once

#include "session/tokenbucket.h"

#include <QByteArray>

#include <deque>

namespace Sandpiper {

// The server closes on more than 1 MiB of input in a second, by its own clock. A pace on our side
// alone does not hold there: a network that stalls and recovers delivers in one second what was sent
// in many. So the server's answers to pings bound what is under way as well.
// In one second at the server: at most what was under way + burst + rate < 1 MiB.
class InputPacer
{
public:
    static constexpr qint64 maxFrame = 16 * 1024;
    static constexpr qint64 rate = 704 * 1024;
    static constexpr qint64 burst = 64 * 1024;
    static constexpr qint64 maxUnderWay = 192 * 1024;
    static constexpr qint64 markEvery = 64 * 1024;

    void add(QByteArrayView bytes) { m_queue.append(bytes); }
    void clear();
    [[nodiscard]] qint64 pending() const { return m_queue.size() - m_taken; }

    struct Step
    {
        enum class Kind {
            Idle,       // nothing to send
            Send,       // bytes, then a ping with `mark` where it is not empty
            Wait,       // try again after delay
            WaitAnswer, // nothing may go until acknowledged() says so
        };
        Kind kind = Kind::Idle;
        QByteArray bytes;
        QByteArray mark;
        std::chrono::milliseconds delay{};
    };
    [[nodiscard]] Step next(TokenBucket::Time now);
    // A pong came back. Those that are no marks of ours mean nothing.
    void acknowledged(const QByteArray &mark);

private:
    struct Mark
    {
        QByteArray name;
        qint64 sent;
    };
    QByteArray m_queue;
    qsizetype m_taken = 0; // from the front of m_queue
    TokenBucket m_bucket{rate, burst};
    qint64 m_sent = 0;
    qint64 m_answered = 0;
    qint64 m_marked = 0;
    quint64 m_lastMark = 0;
    std::deque<Mark> m_marks;
};

} // namespace Sandpiper

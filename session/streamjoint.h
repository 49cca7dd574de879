// A connection here joined to its far end. In the I/O thread.
#pragma once

#include "session/farstream.h"
#include "session/filedescriptor.h"
#include "session/forwardrate.h"

#include <QSocketNotifier>
#include <QTimer>

#include <functional>
#include <memory>

namespace Sandpiper {

// Holds at most kMostWaitingFar in each direction. Each half closes by itself, a reset ends both.
class StreamJoint : public QObject
{
    Q_OBJECT
public:
    struct End
    {
        FileDescriptor stream; // non-blocking
        QByteArray early;      // what was read from it already
        // What it is told first, when the far end is there (null) or cannot be reached (why); may be null.
        std::function<QByteArray(const Error *)> greeting;
    };
    // patience: with the far end, until it is there.
    StreamJoint(End end, std::unique_ptr<FarStream> far, std::chrono::milliseconds patience, QObject *parent = nullptr);
    ~StreamJoint() override;

    void start();
    void close() { finish(); } // both ends see it end
    // Borrowed, outlives it.
    void setRate(ForwardRate *rate) { m_rate = rate; }
    void rateChanged(); // it may go on
    [[nodiscard]] qint64 sent() const { return m_sent; }         // bytes that went from here to the far end
    [[nodiscard]] qint64 received() const { return m_received; } // and from there
    // Tells who would have had a joint why there is none.
    static void refuse(const End &end, const Error &why);

signals:
    void met(); // once
    void moved(); // bytes
    // Once, and nothing follows. Why both ends never met; nothing: they had.
    void over(const std::optional<Sandpiper::Error> &neverMet);

private:
    void opened();
    void flush();
    void readStream();
    void rest(ForwardRate::Direction direction);
    void farEnded(const std::optional<Error> &why);
    void finish(const std::optional<Error> &neverMet = {});
    void closeStream();

    End m_end;
    FarStream *m_far; // ours by parent
    QTimer m_patience;
    std::unique_ptr<QSocketNotifier> m_readable;
    std::unique_ptr<QSocketNotifier> m_writable;
    QTimer m_rest; // until the rate lets go on
    ForwardRate *m_rate = nullptr;
    qint64 m_sent = 0;
    qint64 m_received = 0;
    QByteArray m_toStream;
    qint64 m_ownWords = 0; // of m_toStream: the greeting, which is no byte of the far end
    bool m_isOpen = false;
    bool m_streamEnded = false;
    bool m_inputEnded = false; // of the far end
    bool m_shutStream = false;
    bool m_farIsOver = false;
    bool m_isReset = false;
    bool m_isOver = false;
};

} // namespace Sandpiper

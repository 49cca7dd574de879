#include "session/descriptorrelay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace Sandpiper {
namespace {

constexpr size_t kPiece = 64 * 1024;
// POSIX promises that a pipe said to be writable takes this much at once.
constexpr size_t kSmallPiece = 4096;

enum class Kind { Pipe, Socket, Other };

Kind kindOf(int fd)
{
    struct stat info = {};
    if (::fstat(fd, &info) != 0)
        return Kind::Other;
    return S_ISFIFO(info.st_mode) ? Kind::Pipe : S_ISSOCK(info.st_mode) ? Kind::Socket : Kind::Other;
}

bool isForLater(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

// One of the two directions.
class Stream
{
public:
    enum class State { Flowing, Ended, SourceFailed, SinkGone };

    Stream(int from, int to)
        : m_from(from)
        , m_to(to)
        , m_fromKind(kindOf(from))
        , m_toKind(kindOf(to))
        , m_splices(m_fromKind == Kind::Pipe || m_toKind == Kind::Pipe)
        , m_buffer(m_splices ? 0 : kPiece)
    {
    }

    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] int failure() const { return m_errno; }

    // Whether answer() can do something without a new word from poll().
    [[nodiscard]] bool isReady() const { return m_state == State::Flowing && hasSome() && m_canWrite; }
    // The source and the sink, and what to wait for. That a sink's reader has left poll() tells unasked.
    void ask(pollfd *two) const
    {
        const bool flows = m_state == State::Flowing;
        two[0] = {flows && !hasSome() ? m_from : -1, POLLIN, 0};
        two[1] = {flows ? m_to : -1, short(hasSome() && !m_canWrite ? POLLOUT : 0), 0};
    }

    void answer(const pollfd *two)
    {
        if (two[0].revents != 0)
            m_canRead = true;
        if ((two[1].revents & POLLOUT) != 0)
            m_canWrite = true;
        if ((two[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
            finish(State::SinkGone, EPIPE);
        if (isReady())
            m_splices ? spliceOnce() : copyOnce();
    }

private:
    [[nodiscard]] bool hasSome() const { return m_held > 0 || m_canRead; }

    void finish(State state, int number)
    {
        m_state = state;
        m_errno = number;
    }

    void spliceOnce()
    {
        const ssize_t moved = ::splice(m_from, nullptr, m_to, nullptr, kPiece, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (moved > 0)
            return;
        if (moved == 0) {
            finish(State::Ended, 0);
        } else if (isForLater(errno)) {
            m_canRead = m_canWrite = false; // which of the two it was is not told
        } else if (errno == EINVAL) {
            m_splices = false; // a terminal, say, cannot be spliced
            m_buffer.resize(kPiece);
        } else {
            finish(errno == EPIPE ? State::SinkGone : State::SourceFailed, errno);
        }
    }

    void copyOnce()
    {
        if (m_held == 0 && !fill())
            return;
        const bool toSocket = m_toKind == Kind::Socket;
        const ssize_t sent = toSocket ? ::send(m_to, m_buffer.data() + m_sent, m_held, MSG_DONTWAIT | MSG_NOSIGNAL)
                                      : ::write(m_to, m_buffer.data() + m_sent, std::min(m_held, kSmallPiece));
        if (sent < 0 && !isForLater(errno))
            return finish(State::SinkGone, errno);
        if (sent < 0 || !toSocket)
            m_canWrite = false; // what poll() promised was one piece
        if (sent > 0) {
            m_sent += size_t(sent);
            m_held -= size_t(sent);
        }
    }

    bool fill()
    {
        const bool fromSocket = m_fromKind == Kind::Socket;
        const ssize_t got = fromSocket ? ::recv(m_from, m_buffer.data(), m_buffer.size(), MSG_DONTWAIT)
                                       : ::read(m_from, m_buffer.data(), m_buffer.size());
        // Whether a terminal has more only poll() knows; read() would wait for it.
        if (got < 0 || !fromSocket)
            m_canRead = false;
        if (got == 0)
            finish(State::Ended, 0);
        else if (got < 0 && !isForLater(errno))
            finish(State::SourceFailed, errno);
        m_sent = 0;
        m_held = got > 0 ? size_t(got) : 0;
        return m_held > 0;
    }

    int m_from;
    int m_to;
    Kind m_fromKind;
    Kind m_toKind;
    bool m_splices;
    std::vector<char> m_buffer; // empty while it splices
    size_t m_sent = 0;
    size_t m_held = 0;
    bool m_canRead = false;
    bool m_canWrite = false;
    State m_state = State::Flowing;
    int m_errno = 0;
};

} // namespace

Done relayDescriptors(const RelayEnds &ends)
{
    Stream up(ends.input, ends.connection);
    Stream down(ends.connection, ends.output);
    bool isShut = false;
    for (;;) {
        std::array<pollfd, 5> waiting;
        up.ask(&waiting[0]);
        down.ask(&waiting[2]);
        waiting[4] = {ends.wake, POLLIN, 0};
        const int timeout = up.isReady() || down.isReady() ? 0 : -1;
        if (::poll(waiting.data(), waiting.size(), timeout) < 0 && errno != EINTR)
            return failure(ErrorKind::Io, Layer::LocalDisk, QString::fromLocal8Bit(std::strerror(errno)));
        if (waiting[4].revents != 0)
            return failure(ErrorKind::Cancelled, Layer::Tcp);
        up.answer(&waiting[0]);
        down.answer(&waiting[2]);
        if (up.state() != Stream::State::Flowing && !std::exchange(isShut, true))
            ::shutdown(ends.connection, SHUT_WR);
        switch (down.state()) {
        case Stream::State::Flowing: break;
        case Stream::State::Ended:
        case Stream::State::SinkGone: return {};
        case Stream::State::SourceFailed:
            return failure(ErrorKind::ConnectionLost, Layer::Tcp, QString::fromLocal8Bit(std::strerror(down.failure())));
        }
    }
}

} // namespace Sandpiper

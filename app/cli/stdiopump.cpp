#include "app/cli/stdiopump.h"

#include "session/quietthread.h"

#include <QByteArray>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <climits>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype enough = 64 * 1024;

bool isForNow(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

// One direction. What was read and could not be written yet waits in it.
class Flow
{
public:
    Flow(int from, int to)
        : m_from(from)
        , m_to(to)
    {
    }

    [[nodiscard]] pollfd source() const { return {m_ended || m_broken || m_waiting.size() >= enough ? -1 : m_from, POLLIN, 0}; }
    [[nodiscard]] pollfd sink() const { return {m_waiting.isEmpty() ? -1 : m_to, POLLOUT, 0}; }
    [[nodiscard]] bool isOver() const { return m_broken || (m_ended && m_waiting.isEmpty()); }

    void read()
    {
        std::array<char, 32 * 1024> buffer;
        const ssize_t got = ::read(m_from, buffer.data(), buffer.size());
        if (got > 0)
            m_waiting.append(buffer.data(), got);
        else if (!isForNow(got))
            m_ended = true;
    }
    void write()
    {
        // A pipe that can be written to takes this much without waiting, whatever its mode.
        ssize_t put = ::send(m_to, m_waiting.constData(), size_t(m_waiting.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == ENOTSOCK)
            put = ::write(m_to, m_waiting.constData(), size_t(std::min<qsizetype>(m_waiting.size(), PIPE_BUF)));
        if (put > 0)
            m_waiting.remove(0, put);
        else if (!isForNow(put))
            m_broken = true;
    }

private:
    int m_from;
    int m_to;
    QByteArray m_waiting;
    bool m_ended = false;
    bool m_broken = false;
};

} // namespace

Result<std::unique_ptr<StdioPump>> StdioPump::make(int input, int output, std::function<void()> over)
{
    std::array<int, 2> pair = {-1, -1};
    std::unique_ptr<StdioPump> pump(new StdioPump);
    pump->m_stop = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0 || !pump->m_stop.isValid())
        return failure(ErrorKind::Io, Layer::Tcp, u"no file descriptors are left"_s);
    pump->m_near = FileDescriptor(pair[0]);
    pump->m_far = FileDescriptor(pair[1]);
    pump->m_input = input;
    pump->m_output = output;
    pump->m_over = std::move(over);
    pump->m_thread = quietThread([pump = pump.get()] {
        pump->run();
        pump->m_over();
    });
    return pump;
}

StdioPump::~StdioPump()
{
    const quint64 once = 1;
    [[maybe_unused]] const ssize_t done = ::write(m_stop.get(), &once, sizeof once);
    if (m_thread.joinable())
        m_thread.join();
}

void StdioPump::run()
{
    Flow inward(m_input, m_near.get());
    Flow outward(m_near.get(), m_output);
    bool inwardOver = false;
    while (!outward.isOver()) {
        std::array<pollfd, 5> polls = {{inward.source(), inward.sink(), outward.source(), outward.sink(), {m_stop.get(), POLLIN, 0}}};
        ::poll(polls.data(), polls.size(), -1);
        if (polls[4].revents != 0)
            break;
        if (polls[0].revents != 0)
            inward.read();
        if (polls[1].revents != 0)
            inward.write();
        if (polls[2].revents != 0)
            outward.read();
        if (polls[3].revents != 0)
            outward.write();
        if (inward.isOver() && !std::exchange(inwardOver, true))
            ::shutdown(m_near.get(), SHUT_WR);
    }
    m_near.reset();
}

} // namespace Sandpiper

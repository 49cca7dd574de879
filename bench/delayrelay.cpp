#include "bench/delayrelay.h"

#include "session/filedescriptor.h"

#include <QtGlobal>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace Sandpiper {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t piece = 16 << 10;
// What a router on the way would hold in front of the line before the sender has to wait.
constexpr size_t mostQueued = 256 << 10;

sockaddr_in loopback(quint16 port)
{
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// When a byte that is put on the line now has left it; connections share one.
struct Wire
{
    double bytesPerSecond = 0;
    Clock::time_point freeAt = {};

    Clock::time_point send(size_t bytes)
    {
        const auto now = Clock::now();
        if (bytesPerSecond <= 0)
            return now;
        freeAt = std::max(freeAt, now) + std::chrono::nanoseconds(qint64(double(bytes) / bytesPerSecond * 1e9));
        return freeAt;
    }
};

struct Direction
{
    int from = -1;
    int to = -1;
    struct Held
    {
        Clock::time_point due;
        std::vector<char> bytes;
        size_t sent = 0;
    };
    std::deque<Held> held;
    size_t waiting = 0; // not yet off the line
    bool ended = false;
    bool shut = false;

    [[nodiscard]] size_t room(std::chrono::microseconds oneWay, double rate) const
    {
        // What is under way is no queue: a long line holds much.
        const size_t flying = rate > 0 ? size_t(rate * double(oneWay.count()) / 1e6) : size_t(64) << 20;
        return waiting < mostQueued + flying ? piece : 0;
    }

    bool take(Wire &wire, std::chrono::microseconds oneWay)
    {
        std::vector<char> buffer(piece);
        const ssize_t got = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0) {
            ended = true;
            return true;
        }
        buffer.resize(size_t(got));
        waiting += size_t(got);
        held.push_back({wire.send(size_t(got)) + oneWay, std::move(buffer), 0});
        return true;
    }

    bool deliver()
    {
        while (!held.empty() && held.front().due <= Clock::now()) {
            Held &first = held.front();
            const ssize_t sent = ::send(to, first.bytes.data() + first.sent, first.bytes.size() - first.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent < 0)
                return errno == EAGAIN || errno == EINTR;
            first.sent += size_t(sent);
            waiting -= size_t(sent);
            if (first.sent < first.bytes.size())
                return true;
            held.pop_front();
        }
        if (ended && held.empty() && !shut) {
            shut = true;
            ::shutdown(to, SHUT_WR);
        }
        return true;
    }
};

struct Connection
{
    FileDescriptor client;
    FileDescriptor server;
    Direction up;
    Direction down;

    [[nodiscard]] bool isOver() const { return up.shut && down.shut; }
};

} // namespace

DelayRelay::DelayRelay(quint16 server, Line line)
    : m_server(server)
    , m_line(line)
{
    m_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(m_listener, reinterpret_cast<sockaddr *>(&address), size) != 0 || ::listen(m_listener, 64) != 0
        || ::getsockname(m_listener, reinterpret_cast<sockaddr *>(&address), &size) != 0)
        qFatal("the relay cannot listen");
    m_port = ntohs(address.sin_port);
    m_thread = std::thread([this] { run(); });
}

DelayRelay::~DelayRelay()
{
    m_stopping = true;
    ::shutdown(m_listener, SHUT_RDWR); // wakes the thread
    m_thread.join();
    ::close(m_listener);
}

void DelayRelay::run()
{
    std::list<Connection> connections;
    Wire up{m_line.bytesPerSecond};
    Wire down{m_line.bytesPerSecond};
    while (!m_stopping) {
        std::vector<pollfd> waiting{{m_listener, POLLIN, 0}};
        auto next = Clock::now() + std::chrono::seconds(1);
        for (Connection &open : connections) {
            for (Direction *way : {&open.up, &open.down}) {
                const bool reads = !way->ended && way->room(m_line.oneWay, m_line.bytesPerSecond) > 0;
                waiting.push_back({reads ? way->from : -1, POLLIN, 0});
                const bool due = !way->held.empty() && way->held.front().due <= Clock::now();
                waiting.push_back({due ? way->to : -1, POLLOUT, 0});
                if (!way->held.empty() && !due)
                    next = std::min(next, way->held.front().due);
            }
        }
        const auto wait = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(next - Clock::now()));
        const timespec timeout = {time_t(wait.count() / 1'000'000'000), long(wait.count() % 1'000'000'000)};
        ::ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
        size_t at = 1;
        for (auto open = connections.begin(); open != connections.end();) {
            bool lives = true;
            for (Direction *way : {&open->up, &open->down}) {
                if (waiting[at].revents != 0)
                    lives = way->take(way == &open->up ? up : down, m_line.oneWay) && lives;
                at += 2;
                lives = way->deliver() && lives;
            }
            open = lives && !open->isOver() ? std::next(open) : connections.erase(open);
        }
        if ((waiting[0].revents & POLLIN) == 0)
            continue;
        Connection fresh;
        fresh.client = FileDescriptor(::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC));
        fresh.server = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_in address = loopback(m_server);
        const int on = 1;
        if (!fresh.client.isValid() || ::connect(fresh.server.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            continue;
        for (const int fd : {fresh.client.get(), fresh.server.get()})
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        fresh.up.from = fresh.down.to = fresh.client.get();
        fresh.up.to = fresh.down.from = fresh.server.get();
        connections.push_back(std::move(fresh));
    }
}

} // namespace Sandpiper

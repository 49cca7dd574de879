// A port of this computer where each connection has a thread of its own, for servers of tests that go
// in straight lines. Made, stopped and destroyed in one thread.
#pragma once

#include <QList>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace Sandpiper {

class LoopbackServer
{
public:
    LoopbackServer() = default;
    ~LoopbackServer() { stop(); }
    LoopbackServer(const LoopbackServer &) = delete;
    LoopbackServer &operator=(const LoopbackServer &) = delete;

    // serve gets a blocking socket, closes it, and returns soon after that is shut down.
    void start(std::function<void(int socket)> serve);
    // Shuts all sockets down and waits for the threads.
    void stop();
    [[nodiscard]] quint16 port() const { return m_port; } // 0: it does not run
    [[nodiscard]] bool isStopping() const { return m_stops; }
    [[nodiscard]] int connections() const { return m_connections; }

private:
    void listen();

    std::function<void(int)> m_serve;
    quint16 m_port = 0;
    int m_listener = -1;
    std::atomic<bool> m_stops = false;
    std::atomic<int> m_connections = 0;
    std::mutex m_mutex; // guards the sockets
    QList<int> m_sockets;
    std::thread m_thread;
    std::list<std::thread> m_workers; // of m_thread
};

} // namespace Sandpiper

// A network with a round trip and a rate, in front of a server on loopback: a TCP relay that holds every
// byte. Its connections share the rate, as connections to one machine do. A thread of its own.
#pragma once

#include <QtTypes>

#include <atomic>
#include <chrono>
#include <thread>

namespace Sandpiper {

class DelayRelay
{
public:
    struct Line
    {
        std::chrono::microseconds oneWay{0};
        double bytesPerSecond = 0; // each way; 0: as fast as it goes
    };
    // Listens on 127.0.0.1 and relays to that port of it.
    DelayRelay(quint16 server, Line line);
    ~DelayRelay();
    DelayRelay(const DelayRelay &) = delete;
    DelayRelay &operator=(const DelayRelay &) = delete;

    [[nodiscard]] quint16 port() const { return m_port; }

private:
    void run();

    quint16 m_server;
    Line m_line;
    quint16 m_port = 0;
    int m_listener = -1;
    std::atomic<bool> m_stopping = false;
    std::thread m_thread;
};

} // namespace Sandpiper

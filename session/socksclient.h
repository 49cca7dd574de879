// Somebody at a SOCKS listener of ours, until they have said where to. One thread; never blocks.
#pragma once

#include "session/forwardlistener.h"
#include "session/socksserver.h"

#include <chrono>

namespace Sandpiper {

class SocksClient
{
public:
    SocksClient(ForwardListener::Accepted accepted, std::chrono::steady_clock::time_point deadline);

    [[nodiscard]] int descriptor() const { return m_accepted.stream.get(); } // -1: it is given away
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const { return m_deadline; }
    // Takes in what is there. Asked: what is wished for is known. Refused: also gone, or too slow.
    [[nodiscard]] SocksServer::State read();
    [[nodiscard]] const SocksServer &socks() const { return m_socks; }
    [[nodiscard]] const ForwardListener::Accepted &accepted() const { return m_accepted; }
    [[nodiscard]] FileDescriptor takeStream() { return std::move(m_accepted.stream); }
    void leave() { m_accepted.stream.reset(); }

private:
    ForwardListener::Accepted m_accepted;
    std::chrono::steady_clock::time_point m_deadline;
    SocksServer m_socks;
};

} // namespace Sandpiper

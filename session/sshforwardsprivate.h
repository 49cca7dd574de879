// The inside of SshForwards. See there.
#pragma once

#include "session/socksserver.h"
#include "session/sshforwards.h"

namespace Sandpiper {

class SshForwards::Client
{
public:
    Client(ForwardListener::Accepted accepted, std::chrono::steady_clock::time_point deadline);

    [[nodiscard]] int descriptor() const { return m_accepted.stream.get(); } // -1: it is given away
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const { return m_deadline; }
    // Takes in what is there. Asked: tunnel() is what is wished for. Refused: also gone, or too slow.
    [[nodiscard]] SocksServer::State read();
    [[nodiscard]] TunnelSpec tunnel();
    void leave() { m_accepted.stream.reset(); }

private:
    ForwardListener::Accepted m_accepted;
    std::chrono::steady_clock::time_point m_deadline;
    SocksServer m_socks;
};

struct SshForwards::Forward
{
    int id = 0;
    ForwardSpec spec;
    ForwardStatus status;
    bool isBegun = false;
    std::unique_ptr<ForwardListener> listener; // here
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<Tunnel> tunnels;
    QByteArray address; // on the server, as it is asked for
    int port = 0;
    int tries = 0;
    std::unique_ptr<HeldForward> held;
    std::optional<Error> trouble; // that was told last

    ForwardRate rate;
    size_t turn = 0; // which of the tunnels comes first: none eats the rate of the others
    quint64 lastConnection = 0;
    qint64 pastSent = 0; // of connections that are over
    qint64 pastReceived = 0;
    qint64 toldMark = 0;
    std::optional<std::chrono::steady_clock::time_point> tellAt; // there is news
    std::chrono::steady_clock::time_point toldAt = {};

    [[nodiscard]] bool isOver() const { return status.isOver(); }
};

} // namespace Sandpiper

// The inside of SshForwards. See there.
#pragma once

#include "session/socksclient.h"
#include "session/sshforwards.h"

namespace Sandpiper {

class SshForwards::Client : public SocksClient
{
public:
    using SocksClient::SocksClient;
    [[nodiscard]] TunnelSpec tunnel(); // Asked: what is wished for
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
    // Its connection goes; what it carried stays counted.
    void retire(const SshTunnelChannel &channel)
    {
        pastSent += channel.sent();
        pastReceived += channel.received();
    }
};

} // namespace Sandpiper

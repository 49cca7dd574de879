// The loop of the init process: takes requests, reaps children, and never waits for anyone.
#pragma once

#include "gateway/sandboxinit/descriptor.h"
#include "gateway/sandboxinit/processtree.h"
#include "gateway/sandboxinit/spawn.h"
#include "gateway/sandboxinit/wire.h"

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace Sandpiper {

class Server
{
public:
    struct Options
    {
        Descriptor listener; // where the gateway connects
        Descriptor lifeline; // readable or closed: time to go
        pid_t peer = 0;      // as seen here; only this process is listened to. 0: one outside
        SpawnPlace place;
    };
    explicit Server(Options options);
    // Returns when the gateway is gone, or has asked for the end.
    void run();

private:
    using Clock = std::chrono::steady_clock;

    struct Process
    {
        pid_t pid = -1;
        Descriptor report; // valid while it is not known whether exec worked
        std::vector<Descriptor> forGateway;
        Descriptor terminal;
        std::string agentFolder;
        unsigned long long oomKillsBefore = 0;
        bool killedByUs = false;
        std::optional<Clock::time_point> killAt; // hung up, and given until then
    };
    // One connection, its request, and after a Spawn its process.
    struct Client
    {
        Descriptor fd;
        std::string body;
        std::size_t expected = 0; // bytes of body, once the first packet has come
        Clock::time_point until;  // for the request to be complete
        std::unique_ptr<Process> process;
    };

    void acceptClients();
    void readClient(Client &client);
    void takePacket(Client &client, std::string_view packet);
    void control(Client &client, std::string_view packet);
    void answer(Client &client);
    void answerSpawn(Client &client, Wire::Reader &reader);
    void answerDial(Client &client, Wire::Reader &reader);
    void answerListen(Client &client, Wire::Reader &reader);
    void answerFreeze(Client &client);
    void answerInform(Client &client);
    void refuse(Client &client, Wire::Status status, const std::string &text);
    void readReportOf(Client &client);
    void leave(Client &client); // the other side has closed
    void reap();
    void childEnded(pid_t pid, int status);
    void keepDeadlines();
    void beginToEnd();
    [[nodiscard]] int pollMilliseconds() const;
    [[nodiscard]] bool isInUse() const;

    Options m_options;
    Descriptor m_signals;
    std::vector<std::unique_ptr<Client>> m_clients;
    std::vector<std::unique_ptr<Process>> m_orphans; // running on without a connection
    std::set<pid_t> m_dials;
    Freezer m_freezer;
    Clock::time_point m_lastUse = Clock::now();
    std::optional<Clock::time_point> m_endAt;
};

} // namespace Sandpiper

#include "gateway/sandboxinit/server.h"

#include "gateway/sandboxinit/dial.h"
#include "gateway/sandboxinit/networkstate.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

namespace Sandpiper {

namespace {

constexpr std::size_t mostClients = 4096;
constexpr std::size_t mostRequests = 256; // not yet complete
constexpr std::size_t mostDials = 256;
constexpr auto requestDeadline = std::chrono::seconds(10);
constexpr auto hangUpGrace = std::chrono::seconds(5);
constexpr auto endGrace = std::chrono::milliseconds(1000);

} // namespace

Server::Server(Options options) : m_options(std::move(options))
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    m_signals = Descriptor(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

void Server::run()
{
    std::vector<pollfd> waiting;
    while (true) {
        waiting = {{m_options.lifeline.get(), POLLIN, 0},
                   {m_signals.get(), POLLIN, 0},
                   {m_options.listener.get(), POLLIN, 0}};
        for (const auto &client : m_clients) {
            const bool starting = client->process && client->process->report.isValid();
            waiting.push_back({client->fd.get(), POLLIN, 0});
            waiting.push_back({starting ? client->process->report.get() : -1, POLLIN, 0});
        }
        if (poll(waiting.data(), waiting.size(), pollMilliseconds()) < 0 && errno != EINTR)
            return;

        if (waiting[0].revents) {
            char byte = 0;
            if (read(m_options.lifeline.get(), &byte, 1) != 1)
                return; // the gateway has gone
            beginToEnd();
        }
        if (waiting[1].revents)
            reap();
        // Clients come and go only below, so that the two lists still agree here.
        const std::size_t polled = (waiting.size() - 3) / 2;
        for (std::size_t i = 0; i < polled; ++i) {
            Client &client = *m_clients[i];
            if (waiting[4 + 2 * i].revents && client.fd.isValid())
                readReportOf(client);
            if (waiting[3 + 2 * i].revents && client.fd.isValid())
                readClient(client);
        }
        std::erase_if(m_clients, [](const auto &client) { return !client->fd.isValid(); });
        if (waiting[2].revents)
            acceptClients();
        keepDeadlines();
        if (m_endAt && (Clock::now() >= *m_endAt || descendants().empty()))
            return;
    }
}

void Server::acceptClients()
{
    // A bounded number at a time, for fairness to those already here.
    for (int i = 0; i < 16; ++i) {
        Descriptor fd(accept4(m_options.listener.get(), nullptr, nullptr,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd.isValid())
            return;
        ucred peer = {};
        socklen_t size = sizeof peer;
        // The socket is out of sight inside; should a process get at it anyway, it has a pid here.
        if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0
            || peer.pid != m_options.peer)
            continue;
        const auto requests = std::ranges::count_if(m_clients, [](const auto &client) {
            return client->fd.isValid() && !client->process;
        });
        if (m_clients.size() >= mostClients || static_cast<std::size_t>(requests) >= mostRequests) {
            sendFailure(fd.get(), Wire::Status::TooMany, "too many requests at once");
            continue;
        }
        auto client = std::make_unique<Client>();
        client->fd = std::move(fd);
        client->until = Clock::now() + requestDeadline;
        m_clients.push_back(std::move(client));
    }
}

void Server::readClient(Client &client)
{
    char buffer[Wire::packetBytes];
    for (int i = 0; i < 64 && client.fd.isValid(); ++i) {
        // MSG_TRUNC: the size of the packet as it was sent.
        const ssize_t size = recv(client.fd.get(), buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size <= 0 || static_cast<std::size_t>(size) > sizeof buffer) {
            leave(client);
            return;
        }
        const std::string_view packet(buffer, static_cast<std::size_t>(size));
        if (client.process)
            control(client, packet);
        else
            takePacket(client, packet);
    }
}

void Server::takePacket(Client &client, std::string_view packet)
{
    if (client.expected == 0) {
        Wire::Reader head(packet.substr(0, 4));
        client.expected = head.u32();
        if (!head.isGood() || client.expected < 2 || client.expected > Wire::requestBytes) {
            refuse(client, Wire::Status::BadRequest, "not a request");
            return;
        }
        packet.remove_prefix(4);
    }
    if (packet.size() > client.expected - client.body.size()) {
        refuse(client, Wire::Status::BadRequest, "longer than announced");
        return;
    }
    client.body.append(packet);
    if (client.body.size() == client.expected)
        answer(client);
}

void Server::control(Client &client, std::string_view packet)
{
    Process &process = *client.process;
    Wire::Reader reader(packet);
    const char what = static_cast<char>(reader.u8());
    if (what == 'S') {
        const std::uint32_t number = reader.u32();
        if (reader.isDone() && number > 0 && number < NSIG) {
            process.killedByUs = process.killedByUs || number == SIGKILL;
            // Its session is its own, so its number is its group's; before setsid it has no group.
            if (kill(-process.pid, static_cast<int>(number)) != 0)
                kill(process.pid, static_cast<int>(number));
            return;
        }
    } else if (what == 'R') {
        const std::uint32_t columns = reader.u32();
        const std::uint32_t rows = reader.u32();
        if (reader.isDone() && process.terminal.isValid()) {
            resizeTerminal(process.terminal.get(), columns, rows);
            return;
        }
    }
    leave(client);
}

void Server::answer(Client &client)
{
    const std::string body = std::move(client.body);
    Wire::Reader reader(body);
    const bool known = reader.u8() == Wire::version;
    const auto operation = static_cast<Wire::Operation>(reader.u8());
    if (!known) {
        refuse(client, Wire::Status::BadRequest, "another version");
        return;
    }
    switch (operation) {
    case Wire::Operation::Spawn: answerSpawn(client, reader); return;
    case Wire::Operation::Dial: answerDial(client, reader); return;
    case Wire::Operation::Listen: answerListen(client, reader); return;
    case Wire::Operation::Freeze: answerFreeze(client); return;
    case Wire::Operation::Thaw:
        m_freezer.thaw();
        m_lastUse = Clock::now();
        refuse(client, Wire::Status::Good, {});
        return;
    case Wire::Operation::Inform: answerInform(client); return;
    }
    refuse(client, Wire::Status::BadRequest, "unknown operation");
}

void Server::answerSpawn(Client &client, Wire::Reader &reader)
{
    SpawnRequest request;
    if (!SpawnRequest::read(reader, request)) {
        refuse(client, Wire::Status::BadRequest, "not a program, its arguments and its environment");
        return;
    }
    if (m_freezer.isFrozen() || m_endAt) {
        refuse(client, Wire::Status::Frozen, "suspended");
        return;
    }
    m_lastUse = Clock::now();
    Spawned spawned;
    SpawnFailure failure;
    const unsigned long long oomKills = oomKillsSoFar();
    if (!spawn(request, m_options.place, spawned, failure)) {
        refuse(client, statusOf(failure.number), failure.step + ": " + strerror(failure.number));
        return;
    }
    client.process = std::make_unique<Process>();
    client.process->pid = spawned.pid;
    client.process->report = std::move(spawned.report);
    client.process->forGateway = std::move(spawned.forGateway);
    client.process->terminal = std::move(spawned.terminal);
    client.process->agentFolder = std::move(spawned.agentFolder);
    client.process->oomKillsBefore = oomKills;
}

void Server::readReportOf(Client &client)
{
    Process &process = *client.process;
    const auto failure = readReport(process.report.get());
    if (!failure)
        return;
    process.report.reset();
    if (!failure->step.empty()) {
        const std::string text = failure->step + ": " + strerror(failure->number);
        refuse(client, statusOf(failure->number), text);
        m_orphans.push_back(std::move(client.process)); // to be reaped
        return;
    }
    Wire::Writer reply;
    reply.u8(static_cast<std::uint8_t>(Wire::Status::Good));
    reply.u32(static_cast<std::uint32_t>(process.pid));
    std::vector<int> descriptors;
    for (const Descriptor &one : process.forGateway)
        descriptors.push_back(one.get());
    const bool sent = sendReply(client.fd.get(), reply.bytes(), descriptors.data(),
                                static_cast<int>(descriptors.size()));
    process.forGateway.clear();
    if (!sent)
        leave(client);
}

void Server::answerDial(Client &client, Wire::Reader &reader)
{
    Endpoint endpoint;
    if (!Endpoint::read(reader, endpoint) || endpoint.port == 0) {
        refuse(client, Wire::Status::BadRequest, "not a host and a port");
        return;
    }
    if (m_freezer.isFrozen() || m_endAt) {
        refuse(client, Wire::Status::Frozen, "suspended");
        return;
    }
    m_lastUse = Clock::now();
    const pid_t pid = m_dials.size() < mostDials ? dialInChild(endpoint, client.fd.get()) : -1;
    if (pid < 0) {
        refuse(client, Wire::Status::TooMany, "too many dials at once");
        return;
    }
    m_dials.insert(pid);
    client.fd.reset(); // the child answers
}

void Server::answerListen(Client &client, Wire::Reader &reader)
{
    Endpoint endpoint;
    if (!Endpoint::read(reader, endpoint)) {
        refuse(client, Wire::Status::BadRequest, "not a host and a port");
        return;
    }
    if (m_freezer.isFrozen() || m_endAt) {
        refuse(client, Wire::Status::Frozen, "suspended");
        return;
    }
    m_lastUse = Clock::now();
    Descriptor listener;
    std::string text;
    const Wire::Status status = listenOn(endpoint, listener, text);
    if (status != Wire::Status::Good) {
        refuse(client, status, text);
        return;
    }
    Wire::Writer reply;
    reply.u8(static_cast<std::uint8_t>(Wire::Status::Good));
    reply.u32(endpoint.port);
    const int one = listener.get();
    sendReply(client.fd.get(), reply.bytes(), &one, 1);
    client.fd.reset();
}

void Server::answerFreeze(Client &client)
{
    if (m_freezer.freeze())
        refuse(client, Wire::Status::Good, {});
    else
        refuse(client, Wire::Status::Failed, "some processes would not stop");
}

void Server::answerInform(Client &client)
{
    if (isInUse())
        m_lastUse = Clock::now();
    const auto idle = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - m_lastUse);
    Wire::Writer reply;
    reply.u8(static_cast<std::uint8_t>(Wire::Status::Good));
    reply.u8(hasDefaultRoute());
    reply.u32(static_cast<std::uint32_t>(idle.count()));
    sendReply(client.fd.get(), reply.bytes(), nullptr, 0);
    client.fd.reset();
}

bool Server::isInUse() const
{
    const bool process = std::ranges::any_of(m_clients, [](const auto &client) {
        return client->fd.isValid() && client->process;
    });
    // A tunnel is seen only by its connection; the host's own connections say nothing.
    return process || (m_options.peer == 0 && hasEstablishedConnection());
}

// Answers, with a refusal or an empty yes, and closes.
void Server::refuse(Client &client, Wire::Status status, const std::string &text)
{
    sendFailure(client.fd.get(), status, text);
    client.fd.reset();
}

void Server::leave(Client &client)
{
    client.fd.reset();
    if (!client.process)
        return;
    Process &process = *client.process;
    process.forGateway.clear();
    process.terminal.reset();
    signalSession(process.pid, SIGHUP);
    signalSession(process.pid, SIGCONT);
    process.killAt = Clock::now() + hangUpGrace;
    m_orphans.push_back(std::move(client.process));
}

void Server::reap()
{
    signalfd_siginfo info;
    while (read(m_signals.get(), &info, sizeof info) == sizeof info) { }
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG))
        childEnded(pid, status);
}

void Server::childEnded(pid_t pid, int status)
{
    m_dials.erase(pid);
    const auto isIt = [pid](const auto &process) { return process && process->pid == pid; };
    const auto orphan = std::ranges::find_if(m_orphans, isIt);
    if (orphan != m_orphans.end()) {
        removeAgentFolder((*orphan)->agentFolder);
        m_orphans.erase(orphan);
        return;
    }
    const auto found = std::ranges::find_if(m_clients, [&](const auto &client) {
        return client->fd.isValid() && isIt(client->process);
    });
    if (found == m_clients.end())
        return;
    Client &client = **found;
    if (client.process->report.isValid()) {
        // Its exec has been reported, or it never came so far; the reply goes first either way.
        readReportOf(client);
        if (!client.fd.isValid()) {
            removeAgentFolder(m_orphans.back()->agentFolder);
            m_orphans.pop_back();
            return;
        }
    }
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const bool oom = signal == SIGKILL && !client.process->killedByUs
            && oomKillsSoFar() > client.process->oomKillsBefore;
    Wire::Writer end;
    end.u8('E');
    end.i32(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    end.i32(signal);
    end.u8(oom);
    sendReply(client.fd.get(), end.bytes(), nullptr, 0);
    removeAgentFolder(client.process->agentFolder);
    client.process.reset();
    client.fd.reset();
}

void Server::keepDeadlines()
{
    const auto now = Clock::now();
    for (const auto &client : m_clients) {
        if (client->fd.isValid() && !client->process && now > client->until)
            refuse(*client, Wire::Status::TimedOut, "the request did not come");
    }
    for (const auto &process : m_orphans) {
        if (process->killAt && now > *process->killAt) {
            process->killAt.reset();
            signalSession(process->pid, SIGKILL);
        }
    }
}

void Server::beginToEnd()
{
    if (m_endAt)
        return;
    m_endAt = Clock::now() + endGrace;
    for (const int number : {SIGHUP, SIGTERM, SIGCONT}) {
        for (const ProcessRow &row : descendants())
            kill(row.pid, number);
    }
}

int Server::pollMilliseconds() const
{
    auto until = Clock::time_point::max();
    for (const auto &client : m_clients) {
        if (!client->process)
            until = std::min(until, client->until);
    }
    for (const auto &process : m_orphans)
        until = std::min(until, process->killAt.value_or(until));
    if (m_endAt)
        until = std::min(until, Clock::now() + std::chrono::milliseconds(20));
    if (until == Clock::time_point::max())
        return -1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    return static_cast<int>(std::max<long>(left.count() + 1, 0));
}

} // namespace Sandpiper

// What offers of ports need around them: a sandbox of a fake vendor, whose forwards go over a real SSH server, and a
// radar that knows what it is told. GUI thread.
#pragma once

#include "session/portoffers.h"
#include "session/runafter.h"
#include "session/sshforwardlink.h"
#include "tests/support/fakeprovider.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"

#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>

namespace Sandpiper {

// A service in the sandbox, which is this computer: it greets with its name.
class GreetingServer : public QTcpServer
{
public:
    explicit GreetingServer(const QByteArray &name)
    {
        // Not a port that the kernel gives out by itself: these are not offered.
        for (quint16 port = 23'000; !isListening() && port < 24'000; ++port)
            (void)listen(QHostAddress::LocalHost, port);
        connect(this, &QTcpServer::newConnection, this, [this, name] {
            while (QTcpSocket *socket = nextPendingConnection()) {
                socket->write(name);
                socket->disconnectFromHost();
            }
        });
    }
};

class OfferFixture : public QObject
{
public:
    static constexpr int patience = 60'000;

    // server: borrowed, outlives it.
    explicit OfferFixture(TestSshd *server)
        : m_server(server)
        , ignored(m_dir.filePath(QStringLiteral("ignored_ports.json")))
        , wishes(m_dir.filePath(QStringLiteral("forwards.json")))
    {
        auto fake = std::make_unique<FakeProvider>(QStringLiteral("work"));
        provider = fake.get();
        box = fake->make(QStringLiteral("my-env"));
        box.ssh = SshEndpoint();
        fake->sandboxes = {box};
        Account account;
        account.id = account.name = QStringLiteral("work");
        registry.addProvider(account, std::move(fake));
        (void)waitUntil([this] { return registry.sandbox(box.id).has_value(); }, patience);
        ForwardManager::Services services;
        services.registry = &registry;
        services.standing = [this](const SandboxId &id, ForwardWay) {
            StandingForwards::Services standing;
            standing.provider = registry.provider(id.account);
            standing.makeLink = [this](const Sandbox &) { return std::make_unique<SshForwardLink>(m_server->options(), &m_prompts); };
            standing.random = [] { return 0.5; };
            standing.after = runAfter;
            return standing;
        };
        forwards = std::make_unique<ForwardManager>(&wishes, services);
        forwards->begin();
        PortRadar::Services eyes;
        eyes.registry = &registry;
        eyes.command = [this](const SandboxId &, const CommandSpec &spec) -> std::unique_ptr<RemoteCommand> {
            return link ? link->makeCommand(spec) : nullptr;
        };
        eyes.after = runAfter;
        eyes.now = [] { return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()); };
        PortRadar::Timing timing;
        timing.busy = timing.calm = timing.printed = std::chrono::milliseconds(50);
        timing.slow = timing.patience = std::chrono::minutes(1);
        radar = std::make_unique<PortRadar>(eyes, timing);
        PortForwarder::Services ports;
        ports.after = runAfter;
        ports.freePort = [this](quint16 from) { return freePort(from); };
        forwarder = std::make_unique<PortForwarder>(forwards.get(), ports);
        offers = std::make_unique<PortOffers>(PortOffers::Parts{radar.get(), forwarder.get(), forwards.get(), &ignored, &registry});
        connect(offers.get(), &PortOffers::openWanted, this, [this](const QUrl &url) { opened.append(url); });
        connect(offers.get(), &PortOffers::failed, this, [this](const PortOffer &, const Error &error) { failures.append(error); });
        connect(offers.get(), &PortOffers::moved, this, [this](const PortOffer &, quint16 here) { moves.append(here); });
    }
    ~OfferFixture() override
    {
        offers.reset();
        forwarder.reset();
        radar.reset();
        forwards.reset();
    }

    // As a terminal there prints it.
    void print(const QString &url) { radar->notePrinted(box.id, QUrl(url)); }
    [[nodiscard]] QList<quint16> offered() const
    {
        QList<quint16> ports;
        for (const PortOffer &offer : offers->offers())
            ports.append(offer.port.port);
        return ports;
    }
    // The port here of the forward that listens for that one there; 0: none does in time.
    [[nodiscard]] quint16 here(quint16 there) const
    {
        quint16 port = 0;
        (void)waitUntil([&] {
            for (const ForwardWish &wish : wishes.wishes()) {
                const ForwardManager::Status status = forwards->status(wish.id);
                if (wish.spec.target.port == there && status.state == ForwardManager::State::Listening)
                    port = status.at.port;
            }
            return port > 0;
        }, patience);
        return port;
    }
    [[nodiscard]] static QByteArray greetingAt(quint16 port)
    {
        QTcpSocket socket;
        socket.connectToHost(QHostAddress::LocalHost, port);
        (void)waitUntil([&] { return socket.state() == QAbstractSocket::UnconnectedState; }, patience);
        return socket.readAll();
    }

private:
    TestSshd *m_server;
    RecordingPrompts m_prompts;
    QTemporaryDir m_dir;

public:
    SandboxRegistry registry;
    FakeProvider *provider = nullptr; // the registry's
    Sandbox box;
    IgnoredPorts ignored;
    ForwardWishes wishes;
    std::unique_ptr<ForwardManager> forwards;
    std::unique_ptr<PortRadar> radar;
    std::unique_ptr<PortForwarder> forwarder;
    std::unique_ptr<PortOffers> offers;
    std::unique_ptr<SshLink> link; // to look over, where a test wants that
    // A service and its forward are on one computer in a test, so the same port is never free.
    std::function<quint16(quint16)> freePort = [](quint16) {
        QTcpServer server;
        return server.listen(QHostAddress::LocalHost) ? server.serverPort() : quint16(0);
    };
    QList<QUrl> opened;
    QList<Error> failures;
    QList<quint16> moves;
};

} // namespace Sandpiper

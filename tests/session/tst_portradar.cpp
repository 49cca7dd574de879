// When ports of sandboxes are looked at, and what is told of them: with a clock and commands of our own, and over
// real connections.
#include "session/portradar.h"

#include "session/providers/factory.h"
#include "session/readylinks.h"
#include "session/runafter.h"
#include "tests/support/fakeprovider.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"
#include "tests/support/waited.h"
#include "tests/support/waituntil.h"

#include <QElapsedTimer>
#include <QPointer>
#include <QTcpServer>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int kPatience = 60'000;

// Does what it is told, and nothing by itself.
class ToldCommand : public RemoteCommand
{
public:
    void start() override { isStarted = true; }
    void writeInput(QByteArrayView) override {}
    void closeInput() override {}
    void sendSignal(int) override {}
    void consumed(qint64 bytes) override { taken += bytes; }
    [[nodiscard]] qint64 pendingInput() const override { return 0; }
    void end(ShellEnd::Kind kind)
    {
        ShellEnd end;
        end.kind = kind;
        emit ended(end);
    }
    bool isStarted = false;
    qint64 taken = 0;
};

// A clock that moves when the test says so.
struct Clock
{
    struct Due
    {
        std::chrono::milliseconds at;
        std::function<void()> fn;
        bool stopped = false;
    };
    std::chrono::milliseconds now{1'000'000};
    std::vector<std::shared_ptr<Due>> due;
    void goOn(std::chrono::milliseconds by)
    {
        now += by;
        const auto pending = due;
        for (const auto &one : pending) {
            if (one->stopped || one->at > now)
                continue;
            one->stopped = true;
            one->fn();
        }
    }
};

// number, process, user
struct Listener
{
    int port;
    QByteArray process = "node";
    int user = 1000;
};

QByteArray answer(const QList<Listener> &listeners, int user = 1000)
{
    QByteArray text = "sandpiper ports\nuser " + QByteArray::number(user) + "\nrange 32768 60999\n";
    for (const Listener &one : listeners) {
        const QByteArray socket = QByteArray::number(100'000 + one.port);
        text += "0: 0100007F:" + QByteArray::number(one.port, 16) + " 00000000:0000 0A 0:0 0:0 0 " + QByteArray::number(one.user) + " 0 " + socket + " 1\nowner " + socket
                + ' ' + one.process + "/x\n";
    }
    return text + "end\n";
}

quint16 unusedPort()
{
    // Not one that the kernel gives out by itself.
    for (quint16 port = 21'000; port < 22'000; ++port) {
        QTcpServer server;
        if (server.listen(QHostAddress::LocalHost, port))
            return port;
    }
    return 0;
}

} // namespace

class TestPortRadar : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_clock = {};
        m_commands.clear();
        m_asked.clear();
        m_hasChannel = true;
        m_told.clear();
        m_changes = 0;
        m_registry = std::make_unique<SandboxRegistry>();
        auto provider = std::make_unique<FakeProvider>(u"work"_s);
        m_provider = provider.get();
        m_box = provider->make(u"my-env"_s);
        provider->sandboxes = {m_box};
        Account account;
        account.id = account.name = u"work"_s;
        m_registry->addProvider(account, std::move(provider));
        QVERIFY(waitUntil([&] { return m_registry->sandbox(m_box.id).has_value(); }, kPatience));
        PortRadar::Services services;
        services.registry = m_registry.get();
        services.now = [this] { return m_clock.now; };
        services.after = [this](std::chrono::milliseconds delay, QObject *, std::function<void()> fn) {
            auto one = std::make_shared<Clock::Due>(Clock::Due{m_clock.now + delay, std::move(fn), false});
            m_clock.due.push_back(one);
            return std::function<void()>([one] { one->stopped = true; });
        };
        services.command = [this](const SandboxId &, const CommandSpec &spec) -> std::unique_ptr<RemoteCommand> {
            m_asked.append(spec.argv.constLast());
            if (!m_hasChannel)
                return nullptr;
            auto command = std::make_unique<ToldCommand>();
            m_commands.append(command.get());
            return command;
        };
        m_radar = std::make_unique<PortRadar>(services);
        follow(*m_radar);
    }
    void cleanup()
    {
        m_radar.reset();
        m_registry.reset();
    }

    void whatListenedBeforeIsThereAndNotNew()
    {
        m_radar->setReachable(m_box.id, true);
        look({{3000}});
        QCOMPARE(listed(), QStringList{u"3000 node"_s});
        QCOMPARE(m_told, QStringList());
        m_clock.goOn(15s);
        look({{3000}, {8000, "python3"}});
        QCOMPARE(listed(), (QStringList{u"3000 node"_s, u"8000 python3"_s}));
        QCOMPARE(m_told, QStringList{u"8000 python3"_s});
        m_clock.goOn(15s);
        look({{3000}, {8000, "python3"}});
        QCOMPARE(m_told.size(), 1);
    }

    void whatIsNobodysWishIsLeftOut()
    {
        m_provider->agents = {9501};
        m_radar->setReachable(m_box.id, true);
        look({});
        m_clock.goOn(15s);
        look({{22, "sshd", 0}, {53, "dns", 0}, {1023}, {9501, "agent", 0}, {4000, "other", 1001}, {5432, "postgres", 105}, {6000, "docker-proxy", 0}, {6001, "x", 65534}});
        QCOMPARE(m_told, (QStringList{u"5432 postgres"_s, u"6000 docker-proxy"_s, u"6001 x"_s}));
        // Whoever looks as root is responsible for all of them.
        m_clock.goOn(15s);
        look({{4000, "other", 1001}}, 0);
        QVERIFY(m_told.contains(u"4000 other"_s));
    }

    void portsOfTheKernelAreListedAndNotTold()
    {
        m_radar->setReachable(m_box.id, true);
        look({});
        m_clock.goOn(15s);
        look({{40000, "kernel"}});
        QCOMPARE(listed(), QStringList{u"40000 kernel"_s});
        QCOMPARE(m_told, QStringList());
        // Unless a terminal says that it is for people.
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:40000/a"_s));
        m_clock.goOn(15s);
        look({{40000, "kernel"}});
        QCOMPARE(m_told, QStringList{u"40000 kernel http://localhost:40000/a"_s});
    }

    void itLooksMoreOftenWhileATerminalIsUsed()
    {
        m_radar->setReachable(m_box.id, true);
        look({});
        m_clock.goOn(14'999ms);
        QVERIFY(!command());
        m_clock.goOn(1ms);
        look({});
        // A key moves the next look to where it would have been.
        m_clock.goOn(1s);
        m_radar->noteUse(m_box.id);
        m_clock.goOn(1'999ms);
        QVERIFY(!command());
        m_clock.goOn(1ms);
        look({});
        for (int i = 0; i < 20; ++i) {
            m_clock.goOn(3s);
            look({});
        }
        m_clock.goOn(3s); // a minute after the key
        QVERIFY(!command());
        m_clock.goOn(12s);
        look({});
    }

    void nothingIsAskedWhileTheWindowIsHidden()
    {
        m_radar->setReachable(m_box.id, true);
        look({});
        m_radar->setVisible(false);
        m_clock.goOn(1h);
        m_radar->noteUse(m_box.id);
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:3000"_s));
        m_clock.goOn(1h);
        QVERIFY(!command());
        m_radar->setVisible(true);
        m_clock.goOn(0s);
        look({});
    }

    void aSandboxThatSleepsIsNotAsked()
    {
        m_radar->setReachable(m_box.id, true);
        look({{3000}});
        m_box.state = SandboxState::Suspended;
        m_registry->put(m_box);
        QCOMPARE(listed(), QStringList());
        m_clock.goOn(15s);
        QVERIFY(!command());
        m_clock.goOn(1h);
        QVERIFY(!command());
        m_box.state = SandboxState::Running;
        m_registry->put(m_box);
        m_clock.goOn(15s);
        look({{3000}});
        QCOMPARE(m_told, QStringList()); // it comes back with what it had
    }

    void aSlowAnswerIsAskedForLessOften()
    {
        m_radar->setReachable(m_box.id, true);
        m_clock.goOn(0s);
        m_clock.goOn(2s);
        look({});
        m_clock.goOn(39'999ms);
        QVERIFY(!command());
        m_clock.goOn(1ms);
        look({});
        m_clock.goOn(15s);
        QVERIFY(command());
    }

    void failuresDoubleThePause()
    {
        m_radar->setReachable(m_box.id, true);
        m_clock.goOn(0s);
        command()->end(ShellEnd::Kind::Failed); // the server opens no channel
        m_clock.goOn(29'999ms);
        QVERIFY(!command());
        m_clock.goOn(1ms);
        QVERIFY(command());
        m_clock.goOn(10s); // it says nothing, and is given up
        QVERIFY(!command());
        m_clock.goOn(59'999ms);
        QVERIFY(!command());
        m_clock.goOn(1ms);
        emit command()->outputReceived(QByteArray(kMostOfAPortLook + 1, 'x'));
        QVERIFY(!command());
        m_clock.goOn(300s);
        look({});
        m_clock.goOn(15s);
        QVERIFY(command());
    }

    void whoeverDoesNotUnderstandIsLeftAlone()
    {
        m_radar->setReachable(m_box.id, true);
        m_clock.goOn(0s);
        emit command()->outputReceived("This account is restricted.\n");
        command()->end(ShellEnd::Kind::Exited);
        m_clock.goOn(1h);
        QVERIFY(!command());
        // What is printed is then believed.
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:3000"_s));
        QCOMPARE(m_told, QStringList{u"3000 http://localhost:3000 (printed)"_s});
        m_radar->setReachable(m_box.id, false);
        m_radar->setReachable(m_box.id, true);
        m_clock.goOn(0s);
        QVERIFY(command());
    }

    void noChannelToSpareIsNoFailure()
    {
        m_hasChannel = false;
        m_radar->setReachable(m_box.id, true);
        m_clock.goOn(0s);
        QCOMPARE(m_asked.size(), 1);
        m_hasChannel = true;
        m_clock.goOn(15s);
        look({{3000}});
        QCOMPARE(listed(), QStringList{u"3000 node"_s});
    }

    void aPrintedAddressIsLookedForAtOnce()
    {
        m_radar->setReachable(m_box.id, true);
        look({});
        m_clock.goOn(5s);
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:3000/x"_s));
        QCOMPARE(m_told, QStringList());
        m_clock.goOn(300ms);
        look({}); // it is printed first and listened at then
        QCOMPARE(m_told, QStringList());
        m_clock.goOn(15s);
        look({{3000}});
        QCOMPARE(m_told, QStringList{u"3000 node http://localhost:3000/x"_s});
        // Whatever it prints afterwards is no news.
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:3000/y"_s));
        m_clock.goOn(15s);
        look({{3000}});
        QCOMPARE(m_told.size(), 1);
        QCOMPARE(m_radar->ports(m_box.id).constFirst().url, QUrl(u"http://localhost:3000/y"_s));
    }

    void whatIsPrintedAndNeverComesIsForgotten()
    {
        m_radar->setReachable(m_box.id, true);
        look({});
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:3000"_s));
        for (int i = 0; i < 6; ++i) {
            m_clock.goOn(15s);
            look({});
        }
        m_clock.goOn(15s);
        look({{3000}});
        QCOMPARE(m_told, QStringList{u"3000 node"_s});
    }

    void whereNobodyCanLookPrintsAreBelieved()
    {
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:3000"_s));
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:3000"_s));
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:80"_s));
        QCOMPARE(m_told, QStringList{u"3000 http://localhost:3000 (printed)"_s});
        QCOMPARE(listed(), QStringList{u"3000 http://localhost:3000 (printed)"_s});
        for (int port = 4000; port < 4100; ++port)
            m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:%1"_s.arg(port)));
        QVERIFY(listed().size() <= 16);
        m_registry->drop(m_box.id);
        QCOMPARE(listed(), QStringList());
    }

    void aServerThatRestartsIsNotToldOfAnew()
    {
        m_radar->setReachable(m_box.id, true);
        look({});
        m_clock.goOn(15s);
        look({{3000}});
        m_clock.goOn(15s);
        look({});
        QCOMPARE(listed(), QStringList{u"3000 node"_s});
        m_clock.goOn(15s);
        look({{3000}});
        QCOMPARE(m_told.size(), 1);
        for (int i = 0; i < 2; ++i) {
            m_clock.goOn(15s);
            look({});
        }
        QCOMPARE(listed(), QStringList());
        m_clock.goOn(15s);
        look({{3000}});
        QCOMPARE(m_told.size(), 2);
    }

    void namesAreAskedForOnce()
    {
        m_radar->setReachable(m_box.id, true);
        look({{3000}});
        QCOMPARE(m_asked.constLast(), u" "_s);
        m_clock.goOn(15s);
        QCOMPARE(m_asked.constLast(), u" 103000 "_s);
        emit command()->outputReceived(answer({{3000, {}}}).replace("owner", "nobody"));
        command()->end(ShellEnd::Kind::Exited);
        QCOMPARE(listed(), QStringList{u"3000 node"_s});
    }

    void offMeansOff()
    {
        m_radar->setReachable(m_box.id, true);
        look({{3000}});
        const int before = m_changes;
        m_radar->setOn(false);
        QVERIFY(m_changes > before);
        QCOMPARE(listed(), QStringList());
        m_radar->notePrinted(m_box.id, QUrl(u"http://localhost:4000"_s));
        m_clock.goOn(1h);
        QVERIFY(!command());
        QCOMPARE(listed(), QStringList());
        QCOMPARE(m_told, QStringList());
        m_radar->setOn(true);
        m_clock.goOn(0s);
        look({{3000}});
        QCOMPARE(listed(), QStringList{u"3000 node"_s});
        QCOMPARE(m_told, QStringList());
    }

    void theEndOfTheConnectionEndsTheLook()
    {
        m_radar->setReachable(m_box.id, true);
        m_clock.goOn(0s);
        QVERIFY(command());
        const QPointer<ToldCommand> running = command();
        m_radar->setReachable(m_box.id, false);
        QVERIFY(waitUntil([&] { return !running; }, kPatience));
        m_clock.goOn(1h);
        QVERIFY(!command());
    }

    void aRealServerIsNoticedOverAConnectionThatIsThere()
    {
        TestSshd sshd;
        SANDPIPER_NEED_SSHD(sshd);
        const SandboxId box{u"vendor"_s, u"account"_s, u"box"_s};
        ReadyLinks links;
        PortRadar radar(realServices(links), quick());
        follow(radar);
        connect(&links, &ReadyLinks::changed, &radar, [&](const SandboxId &id) { radar.setReachable(id, links.has(id)); });
        QVERIFY(!links.makeCommand(box, {{u"true"_s}, {}, {}}));
        LinkOptions options = sshd.options();
        options.sandbox = box;
        options.lends = &links;
        auto link = std::make_unique<SshLink>(options, &m_prompts);
        link->connectToHost();
        QVERIFY(waitUntil([&] { return links.has(box) && m_changes > 1; }, kPatience));
        const quint16 port = unusedPort();
        QVERIFY(!lists(radar, box, port));
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost, port));
        const auto isTold = [&] { return std::ranges::any_of(m_told, [&](const QString &one) { return one.startsWith(QString::number(port) + u' '); }); };
        QVERIFY2(waitUntil(isTold, kPatience), qPrintable(m_told.join(u'\n')));
        server.close();
        QVERIFY(waitUntil([&] { return !lists(radar, box, port); }, kPatience));
        link->close();
        QVERIFY(waitUntil([&] { return !links.has(box); }, kPatience));
        QVERIFY(radar.ports(box).isEmpty());
    }

    void theOwnersChannelsAreNotUsedUp()
    {
        TestSshd sshd;
        SANDPIPER_NEED_SSHD(sshd);
        ReadyLinks links;
        LinkOptions options = sshd.options();
        options.sandbox = {u"vendor"_s, u"account"_s, u"box"_s};
        options.lends = &links;
        SshLink link(options, &m_prompts);
        link.connectToHost();
        QVERIFY(waitUntil([&] { return links.has(options.sandbox); }, kPatience));
        std::vector<std::unique_ptr<RemoteCommand>> owners;
        while (owners.size() < 8 && links.makeCommand(options.sandbox, {{u"true"_s}, {}, {}})) {
            owners.push_back(link.makeCommand({{u"sleep"_s, u"1000"_s}, {}, {}}));
            owners.back()->start();
        }
        QVERIFY(owners.size() >= 2 && owners.size() < 8);
        // The next one of its own is not refused.
        bool runs = false;
        owners.push_back(link.makeCommand({{u"sleep"_s, u"1000"_s}, {}, {}}));
        connect(owners.back().get(), &RemoteCommand::started, this, [&runs] { runs = true; });
        owners.back()->start();
        QVERIFY(waitUntil([&] { return runs; }, kPatience));
        owners.clear();
    }

    void aLentChannelHasNothingOfItsOwners()
    {
        TestSshd sshd(TestSshd::Kind::OpenSsh, {u"AcceptEnv RADAR_*"_s});
        SANDPIPER_NEED_SSHD(sshd);
        const TestAgent agent;
        QVERIFY(agent.isRunning());
        ReadyLinks links;
        LinkOptions options = sshd.options();
        options.sandbox = {u"vendor"_s, u"account"_s, u"box"_s};
        options.lends = &links;
        options.agentForward = SshAgentForward::Yes;
        options.agentSocket = agent.socket();
        options.environment = {{u"RADAR_WORD"_s, u"hello"_s}};
        SshLink link(options, &m_prompts);
        link.connectToHost();
        QVERIFY(waitUntil([&] { return links.has(options.sandbox); }, kPatience));
        const auto said = [](std::unique_ptr<RemoteCommand> command) {
            QByteArray output;
            bool isOver = false;
            connect(command.get(), &RemoteCommand::outputReceived, command.get(), [&](const QByteArray &bytes) { output += bytes; });
            connect(command.get(), &RemoteCommand::ended, command.get(), [&] { isOver = true; });
            command->start();
            return waitUntil([&] { return isOver; }, kPatience) ? output : QByteArray();
        };
        // First: once a session of a connection has asked for the agent, OpenSSH names its socket to all of them.
        const QByteArray lent = said(links.makeCommand(options.sandbox, {{u"env"_s}, {}, {}}));
        QVERIFY2(lent.contains("PATH=") && !lent.contains("RADAR_WORD") && !lent.contains("SSH_AUTH_SOCK"), lent.constData());
        const QByteArray own = said(link.makeCommand({{u"env"_s}, {}, {}}));
        QVERIFY2(own.contains("RADAR_WORD=hello") && own.contains("SSH_AUTH_SOCK="), own.constData());
    }

    void aServerInASandboxOfThisComputerIsNoticed()
    {
        TestGateway gateway;
        const QString problem = gateway.start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(gateway);
        Account account;
        account.id = account.name = u"test"_s;
        account.vendor = u"tensorlake"_s;
        account.apiUrl = gateway.apiUrl();
        const auto provider = makeProvider(account, std::make_shared<Secret>(gateway.apiKey()));
        QVERIFY(provider);
        CreateRequest request;
        request.name = u"radar"_s;
        const Result<Sandbox> made = waited(provider->create(request));
        QVERIFY(made);
        QVERIFY(waitUntil([&] {
            const Result<Sandbox> now = waited(provider->find(made->id.id));
            return now && now->state == SandboxState::Running;
        }, kPatience));
        const Result<Sandbox> box = waited(provider->find(made->id.id));
        ReadyLinks links;
        PortRadar radar(realServices(links), quick());
        follow(radar);
        connect(&links, &ReadyLinks::changed, &radar, [&](const SandboxId &id) { radar.setReachable(id, links.has(id)); });
        LinkOptions options = linkOptionsFor(*box);
        options.endpoint = {gateway.sshHost(), gateway.sshPort(), box->id.id, gateway.hostKey(), {gateway.clientKey()}, {}};
        options.useAgent = options.useDefaultKeys = false;
        options.lends = &links;
        SshLink link(options, &m_prompts);
        link.connectToHost();
        QVERIFY(waitUntil([&] { return links.has(box->id) && m_changes > 1; }, kPatience));
        const auto server = link.makeCommand({{u"python3"_s, u"-c"_s, u"import socket, time\ns = socket.create_server(('127.0.0.1', 8000))\ntime.sleep(1000)"_s}, {}, {}});
        server->start();
        QVERIFY2(waitUntil([&] { return m_told.contains(u"8000 python3"_s); }, kPatience), qPrintable(m_told.join(u'\n')));
        QCOMPARE(m_told.size(), 1);
    }

private:
    void follow(PortRadar &radar)
    {
        connect(&radar, &PortRadar::began, this, [this](const SandboxId &, const FoundPort &port) { m_told.append(words(port)); });
        connect(&radar, &PortRadar::changed, this, [this] { ++m_changes; });
    }
    static QString words(const FoundPort &port)
    {
        QStringList text{QString::number(port.port)};
        if (!port.process.isEmpty())
            text << port.process;
        if (!port.url.isEmpty())
            text << port.url.toString();
        if (!port.isSeen)
            text << u"(printed)"_s;
        return text.join(u' ');
    }
    static bool lists(const PortRadar &radar, const SandboxId &box, quint16 port)
    {
        const QList<FoundPort> ports = radar.ports(box);
        return std::ranges::find(ports, port, &FoundPort::port) != ports.end();
    }
    QStringList listed() const
    {
        QStringList text;
        for (const FoundPort &port : m_radar->ports(m_box.id))
            text << words(port);
        return text;
    }
    // The one that is under way.
    ToldCommand *command() const
    {
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        return m_commands.isEmpty() ? nullptr : m_commands.constLast().data();
    }
    void look(const QList<Listener> &listeners, int user = 1000)
    {
        m_clock.goOn(0s);
        ToldCommand *one = command();
        QVERIFY(one && one->isStarted);
        const QByteArray text = answer(listeners, user);
        emit one->outputReceived(text);
        QCOMPARE(one->taken, text.size());
        one->end(ShellEnd::Kind::Exited);
    }
    PortRadar::Services realServices(ReadyLinks &links)
    {
        m_real.start();
        PortRadar::Services services;
        services.command = [&links](const SandboxId &id, const CommandSpec &spec) { return links.makeCommand(id, spec); };
        services.after = runAfter;
        services.now = [this] { return std::chrono::milliseconds(m_real.elapsed()); };
        return services;
    }
    static PortRadar::Timing quick()
    {
        PortRadar::Timing timing;
        timing.calm = timing.busy = 50ms;
        timing.slow = 1min;
        timing.patience = 1min;
        return timing;
    }

    Clock m_clock;
    QElapsedTimer m_real;
    RecordingPrompts m_prompts;
    std::unique_ptr<SandboxRegistry> m_registry;
    FakeProvider *m_provider = nullptr;
    Sandbox m_box;
    QList<QPointer<ToldCommand>> m_commands;
    bool m_hasChannel = true;
    QStringList m_asked;
    QStringList m_told;
    int m_changes = 0;
    std::unique_ptr<PortRadar> m_radar;
};

QTEST_GUILESS_MAIN(TestPortRadar)
#include "tst_portradar.moc"

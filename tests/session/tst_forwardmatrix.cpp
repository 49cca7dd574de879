// Every shape of a forward by every way: bytes to their ends, many at once, and back after the network was cut.
#include "session/forwardways.h"
#include "session/runafter.h"
#include "session/socketaddress.h"
#include "session/standingforwards.h"

#include "tests/support/cuttableproxy.h"
#include "tests/support/elsewhere.h"
#include "tests/support/everybyte.h"
#include "tests/support/fakeprovider.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/rawpeer.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/sandboxservice.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"

#include <QTemporaryDir>
#include <QTest>

#include <future>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using State = ForwardStatus::State;
using Kind = ForwardSpec::Kind;

namespace {

constexpr int kPatience = 60'000;
constexpr int kMany = 24;

// An echo at a UNIX socket of this computer.
class UnixEcho
{
public:
    explicit UnixEcho(const QString &path)
        : m_listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        const std::optional<SocketAddress> address = socketAddress(QFile::encodeName(path));
        if (::bind(m_listener.get(), address->get(), address->size) != 0 || ::listen(m_listener.get(), 64) != 0)
            qFatal("no socket");
        m_thread = std::thread([this] {
            for (;;) {
                const int client = ::accept(m_listener.get(), nullptr, nullptr);
                if (client < 0)
                    return;
                m_clients.emplace_back([client] { serveEcho(client); });
            }
        });
    }
    ~UnixEcho()
    {
        ::shutdown(m_listener.get(), SHUT_RDWR);
        m_thread.join();
        for (std::thread &client : m_clients)
            client.join();
    }

private:
    FileDescriptor m_listener;
    std::thread m_thread;
    std::vector<std::thread> m_clients; // of m_thread
};

// Connects where it is told to inside a sandbox, and says how many of its exchanges came out right.
QByteArray clientInside(const ForwardSpec::End &at, int count, int size)
{
    const QByteArray connect = at.path.isEmpty() ? "c=socket.create_connection((\"127.0.0.1\"," + QByteArray::number(at.port) + "))"
                                                 : "c=socket.socket(socket.AF_UNIX);c.connect(\"" + at.path.toUtf8() + "\")";
    return QByteArray(R"(
import socket,threading
d=bytes(range(250))*(SIZE//250)
good=[]
def one():
    CONNECT
    def send():
        c.sendall(d)
        c.shutdown(1)
    t=threading.Thread(target=send)
    t.start()
    p=[]
    while x:=c.recv(65536): p.append(x)
    t.join()
    g=b"".join(p)
    if g==d+b"bye": good.append(1)
    else: print("bad",len(g),len(d),g[-3:],flush=True)
all=[threading.Thread(target=one) for _ in range(COUNT)]
for t in all: t.start()
for t in all: t.join()
print("good",len(good),flush=True)
)").replace("SIZE", QByteArray::number(size)).replace("CONNECT", connect).replace("COUNT", QByteArray::number(count));
}

enum class Machine { Host, StrictHost, Box };

} // namespace

class TestForwardMatrix : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_host;
    std::unique_ptr<TestSshd> m_strict; // forwards nothing
    TestGateway m_gateway;
    QByteArray m_box;
    LoopbackServer m_echo;
    QTemporaryDir m_dir;
    std::unique_ptr<UnixEcho> m_unixEcho;
    std::unique_ptr<SandboxService> m_inside;
    std::unique_ptr<SandboxService> m_unixInside;
    QString m_pathInside = u"/tmp/echo.sock"_s;
    int m_names = 0;

    [[nodiscard]] GatewayClient client() const { return GatewayClient(quint16(m_gateway.apiUrl().port()), m_gateway.apiKey()); }
    [[nodiscard]] GatewayClient inside() const
    {
        GatewayClient in = client();
        in.headers = {{"X-Tensorlake-Sandbox-Id", m_box}};
        return in;
    }
    [[nodiscard]] LinkOptions optionsOf(Machine machine) const
    {
        if (machine != Machine::Box)
            return machine == Machine::Host ? m_host->options() : m_strict->options();
        LinkOptions options;
        options.endpoint.host = m_gateway.sshHost();
        options.endpoint.port = m_gateway.sshPort();
        options.endpoint.user = QString::fromLatin1(m_box);
        options.endpoint.hostKey = m_gateway.hostKey();
        options.endpoint.identityFiles = {m_gateway.clientKey()};
        options.useAgent = options.useDefaultKeys = false;
        return options;
    }
    [[nodiscard]] WebSocketRequest tunnel(quint16 proxy, quint16 port) const
    {
        WebSocketRequest request;
        request.url = QUrl(u"ws://127.0.0.1:%1/api/v1/tunnels/tcp?port=%2"_s.arg(proxy).arg(port));
        request.headers = {{"X-Tensorlake-Sandbox-Id", m_box}};
        QByteArray bearer = "Bearer " + m_gateway.apiKey();
        request.secretHeaders = {{"Authorization", std::make_shared<Secret>(Secret::taking(bearer))}};
        return request;
    }
    [[nodiscard]] QString freshPath(Machine machine, bool isThere)
    {
        const QString name = u"m%1.sock"_s.arg(++m_names);
        return machine == Machine::Box && isThere ? u"/tmp/"_s + name : m_dir.filePath(name);
    }
    // "tcp unix": a listener at a port, the service at a socket.
    [[nodiscard]] ForwardSpec specFor(Machine machine, Kind kind, bool fromUnix, bool toUnix)
    {
        const bool isThere = kind == Kind::Local; // the service
        ForwardSpec spec;
        spec.kind = kind;
        if (fromUnix)
            spec.listen.path = freshPath(machine, kind == Kind::Remote);
        if (kind == Kind::Dynamic)
            return spec;
        if (toUnix)
            spec.target.path = machine == Machine::Box && isThere ? m_pathInside : m_dir.filePath(u"echo.sock"_s);
        else
            spec.target = {u"127.0.0.1"_s, machine == Machine::Box && isThere ? m_inside->port() : m_echo.port(), {}};
        return spec;
    }
    // Through a SOCKS proxy to the echo there.
    [[nodiscard]] static bool asksSocks(RawPeer &peer, quint16 port)
    {
        peer.send(QByteArray::fromHex("050100"));
        if (peer.receive(2) != QByteArray::fromHex("0500"))
            return false;
        peer.send(QByteArray::fromHex("0501000309") + "localhost" + char(port >> 8) + char(port & 0xff));
        return peer.receive(10).startsWith(QByteArray::fromHex("0500"));
    }
    // One exchange after the other, or all at once, through what listens at that place.
    [[nodiscard]] int good(Machine machine, const ForwardSpec &spec, const ForwardSpec::End &at, int count, int size, bool keepsHalf)
    {
        if (machine == Machine::Box && !listensHere(spec.kind)) {
            const SandboxService run(inside(), clientInside(at, count, size));
            QByteArray said;
            (void)waitUntil([&] { return !(said = run.said("good")).isEmpty(); }, kPatience);
            if (said.toInt() != count)
                qWarning() << "inside:" << run.said("bad");
            return said.toInt();
        }
        const quint16 socks = spec.kind != Kind::Dynamic ? 0 : machine == Machine::Box ? m_inside->port() : m_echo.port();
        return elsewhere([=] {
            std::vector<std::future<bool>> all;
            const QByteArray bytes = everyByte(size);
            for (int i = 0; i < count; ++i)
                all.push_back(std::async(std::launch::async, [=] {
                    RawPeer peer = at.path.isEmpty() ? RawPeer::tcp(at.port) : RawPeer::unixSocket(at.path);
                    if (!peer.isValid() || (socks != 0 && !asksSocks(peer, socks)))
                        return false;
                    if (keepsHalf)
                        return peer.exchange(bytes) == bytes + "bye";
                    std::thread sender([&] { peer.send(bytes); });
                    const bool isSame = peer.receive(bytes.size()) == bytes;
                    sender.join();
                    return isSame;
                }));
            return int(std::ranges::count_if(all, [](std::future<bool> &one) { return one.get(); }));
        });
    }

private slots:
    void initTestCase()
    {
        m_host = std::make_unique<TestSshd>();
        m_strict = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{u"AllowTcpForwarding no"_s, u"AllowStreamLocalForwarding no"_s});
        SANDPIPER_NEED_SSHD(*m_host);
        SANDPIPER_NEED_SSHD(*m_strict);
        m_echo.start(serveEcho);
        m_unixEcho = std::make_unique<UnixEcho>(m_dir.filePath(u"echo.sock"_s));
        const QString problem = m_gateway.start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(m_gateway);
        m_box = client().ask("POST", "/sandboxes", "{\"name\":\"matrix\"}").json().value("sandbox_id"_L1).toString().toLatin1();
        QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", "/sandboxes/" + m_box).json().value("status"_L1).toString(), u"running"_s, kPatience);
        m_inside = std::make_unique<SandboxService>(inside(), SandboxService::echo());
        QVERIFY(m_inside->port() != 0);
        m_unixInside = std::make_unique<SandboxService>(inside(), SandboxService::echo("socket.socket(socket.AF_UNIX);s.bind(\"/tmp/echo.sock\");s.listen(64)")
                                                                          .replace("s.getsockname()[1]", "1"));
        QVERIFY(m_unixInside->port() == 1);
    }
    void cleanupTestCase()
    {
        m_inside.reset();
        m_unixInside.reset();
        m_unixEcho.reset();
        m_echo.stop();
    }

    void everyShapeByEveryWay_data()
    {
        QTest::addColumn<int>("machine");
        QTest::addColumn<ForwardWay>("wished");
        QTest::addColumn<ForwardWay>("goes");
        QTest::addColumn<Kind>("kind");
        QTest::addColumn<bool>("fromUnix");
        QTest::addColumn<bool>("toUnix");
        struct Way
        {
            const char *name;
            Machine machine;
            ForwardWay wished;
            std::function<ForwardWay(Kind kind, bool fromUnix, bool toUnix)> goes; // Automatic: not at all
        };
        const auto bySsh = [](Kind kind, bool fromUnix, bool) { return kind == Kind::Remote && fromUnix ? ForwardWay::Automatic : ForwardWay::Ssh; };
        const auto ways = {
                Way{"ssh", Machine::Host, ForwardWay::Ssh, bySsh},
                Way{"ssh and a bridge", Machine::Host, ForwardWay::Automatic,
                    [](Kind kind, bool fromUnix, bool) { return kind == Kind::Remote && fromUnix ? ForwardWay::Bridge : ForwardWay::Ssh; }},
                Way{"forwarding off", Machine::StrictHost, ForwardWay::Automatic, [](Kind, bool, bool) { return ForwardWay::Bridge; }},
                Way{"a bridge", Machine::Host, ForwardWay::Bridge, [](Kind, bool, bool) { return ForwardWay::Bridge; }},
                Way{"a sandbox", Machine::Box, ForwardWay::Automatic,
                    [](Kind kind, bool fromUnix, bool toUnix) { return (kind == Kind::Remote && fromUnix) || (kind == Kind::Local && toUnix) ? ForwardWay::Bridge : ForwardWay::Ssh; }},
                Way{"a sandbox's tunnel", Machine::Box, ForwardWay::Tunnel,
                    [](Kind kind, bool, bool toUnix) { return kind == Kind::Remote || toUnix ? ForwardWay::Automatic : ForwardWay::Tunnel; }},
        };
        for (const Way &way : ways) {
            for (const auto &[name, kind] : {std::pair{"local", Kind::Local}, std::pair{"remote", Kind::Remote}, std::pair{"SOCKS", Kind::Dynamic}}) {
                for (const bool fromUnix : {false, true}) {
                    for (const bool toUnix : {false, true}) {
                        const ForwardWay goes = way.goes(kind, fromUnix, toUnix);
                        if (goes != ForwardWay::Automatic && (kind != Kind::Dynamic || (!fromUnix && !toUnix)))
                            QTest::addRow("%s: %s %s→%s", way.name, name, fromUnix ? "socket" : "port", toUnix ? "socket" : "port")
                                    << int(way.machine) << way.wished << goes << kind << fromUnix << toUnix;
                    }
                }
            }
        }
    }
    void everyShapeByEveryWay()
    {
        QFETCH(const int, machine);
        QFETCH(const ForwardWay, wished);
        QFETCH(const ForwardWay, goes);
        QFETCH(const Kind, kind);
        QFETCH(const bool, fromUnix);
        QFETCH(const bool, toUnix);
        const auto where = Machine(machine);
        const ForwardSpec spec = specFor(where, kind, fromUnix, toUnix);
        const bool isTunnel = goes == ForwardWay::Tunnel;
        CuttableProxy network(isTunnel ? quint16(m_gateway.apiUrl().port()) : optionsOf(where).endpoint.port);
        FakeProvider provider(u"account"_s);
        Sandbox box = provider.make(u"matrix"_s);
        box.ssh = SshEndpoint();
        if (wished != ForwardWay::Tunnel)
            box.capabilities.refuse(Capability::Tunnel, u"Not here."_s);
        provider.sandboxes = {box};
        provider.tunnelMaker = [&](quint16 port) { return tunnel(network.port(), port); };
        RecordingPrompts prompts;
        StandingForwards::Services services;
        services.provider = &provider;
        services.makeLink = [&](const Sandbox &sandbox) {
            return makeForwardLink({&provider,
                                    [&](const Sandbox &) {
                                        LinkOptions options = optionsOf(where);
                                        options.endpoint.port = network.port();
                                        return options;
                                    },
                                    &prompts,
                                    {}},
                                   wished, sandbox);
        };
        services.random = [] { return 0.0; };
        services.after = runAfter;
        StandingForwards standing(box.id, {spec}, services);
        standing.open();
        const auto why = [&] { return (describe(standing.forward(0).error) + u" / "_s + describe(standing.status().error)).toUtf8(); };
        const auto listens = [&] { return standing.forward(0).state == State::Listening; };
        QVERIFY2(waitUntil([&] { return listens() || standing.forward(0).state == State::Failed; }, kPatience) && listens(), why().constData());
        // That a server allows no connections from it is seen at the first.
        QVERIFY2(waitUntil([&] {
                     if (listens() && standing.forward(0).way != goes)
                         (void)good(where, spec, standing.forward(0).at, 1, 250, false);
                     return listens() && standing.forward(0).way == goes;
                 }, kPatience),
                 why().constData());
        const ForwardSpec::End at = standing.forward(0).at;
        QCOMPARE(at.path, spec.listen.path);

        QCOMPARE(good(where, spec, at, 1, 4'000'000, !isTunnel), 1);
        QCOMPARE(good(where, spec, at, kMany, 100'000, !isTunnel), kMany);

        network.cutOnce();
        if (!isTunnel)
            QVERIFY2(waitUntil([&] { return !listens(); }, kPatience), why().constData());
        QVERIFY2(waitUntil([&] { return listens(); }, kPatience), why().constData());
        QVERIFY2(waitUntil([&] {
                     if (listens() && standing.forward(0).way != goes)
                         (void)good(where, spec, standing.forward(0).at, 1, 250, false);
                     return listens() && standing.forward(0).way == goes;
                 }, kPatience),
                 why().constData());
        if (listensHere(kind))
            QCOMPARE(standing.forward(0).at, at);
        QCOMPARE(good(where, spec, standing.forward(0).at, 1, 100'000, !isTunnel), 1);
    }
};

QTEST_GUILESS_MAIN(TestForwardMatrix)
#include "tst_forwardmatrix.moc"

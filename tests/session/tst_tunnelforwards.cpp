// Forwards through the vendor's tunnel: bytes to services in a real sandbox, and what becomes of them.
#include "session/tunnelforwardlink.h"

#include "tests/support/elsewhere.h"
#include "tests/support/everybyte.h"
#include "tests/support/fakeprovider.h"
#include "tests/support/processwitness.h"
#include "tests/support/rawpeer.h"
#include "tests/support/sandboxservice.h"
#include "tests/support/testgateway.h"
#include "tests/support/tunnelserver.h"
#include "tests/support/waituntil.h"

#include <QTemporaryDir>
#include <QTest>
#include <QThreadPool>

#include <future>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using State = ForwardStatus::State;
using Kind = ForwardSpec::Kind;

namespace {

constexpr int kPatience = 60'000;
constexpr qint64 kMostOnTheWay = 24 << 20; // sockets of all ends, and what both programs keep

// What there is of the echo after sending all, with the connection still open; then the end of it.
QByteArray echoed(RawPeer peer, const QByteArray &bytes)
{
    if (!peer.isValid())
        return {};
    std::thread sender([&] { peer.send(bytes); });
    const QByteArray back = peer.receive(bytes.size());
    sender.join();
    return back;
}

// A link with what is told of its forwards.
struct Forwarding
{
    Forwarding(FakeProvider &provider, std::chrono::milliseconds known = 1h)
        : link(provider.sandboxes.constFirst(), &provider, known)
    {
        QObject::connect(&link, &ForwardLink::ready, &link, [this] { ++ready; });
        QObject::connect(&link, &ForwardLink::closed, &link, [this](const Error &error) { ends.append(error); });
        QObject::connect(&link, &ForwardLink::forwardChanged, &link, [this](const ForwardReport &report) {
            if (report.trouble)
                troubles.append(*report.trouble);
            else
                states.insert(report.id, report.status);
        });
        QObject::connect(&link, &ForwardLink::trafficChanged, &link, [this](int id, const ForwardTraffic &news) { traffic.insert(id, news); });
        link.connectToHost();
    }
    int add(Kind option, const QString &text) { return link.addForward(*parseForward(option, text)); }
    [[nodiscard]] ForwardStatus settled(int id)
    {
        (void)waitUntil([&] { return states.contains(id); }, kPatience);
        return states.value(id);
    }
    // 0: it does not listen.
    quint16 port(Kind option, const QString &text)
    {
        const ForwardStatus status = settled(add(option, text));
        return status.state == State::Listening ? status.at.port : quint16(0);
    }

    TunnelForwardLink link;
    int ready = 0;
    QHash<int, ForwardStatus> states;
    QHash<int, ForwardTraffic> traffic; // as it was told last
    QList<Error> troubles;
    QList<Error> ends;
};

} // namespace

class TestTunnelForwards : public QObject
{
    Q_OBJECT
private:
    TestGateway m_gateway;
    QByteArray m_id;
    std::unique_ptr<SandboxService> m_echo;
    quint16 m_port = 0;
    std::unique_ptr<FakeProvider> m_provider;
    QTemporaryDir m_dir;
    ProcessHoldings m_before;

    [[nodiscard]] GatewayClient client() const { return GatewayClient(quint16(m_gateway.apiUrl().port()), m_gateway.apiKey()); }
    [[nodiscard]] GatewayClient inside() const
    {
        GatewayClient in = client();
        in.headers = {{"X-Tensorlake-Sandbox-Id", m_id}};
        return in;
    }
    [[nodiscard]] Result<WebSocketRequest> request(quint16 port) const
    {
        WebSocketRequest request;
        request.url = m_gateway.apiUrl();
        request.url.setScheme(u"ws"_s);
        request.url.setPath(u"/api/v1/tunnels/tcp"_s);
        request.url.setQuery(u"port=%1"_s.arg(port));
        request.headers = {{"X-Tensorlake-Sandbox-Id", m_id}};
        QByteArray bearer = "Bearer " + m_gateway.apiKey();
        request.secretHeaders = {{"Authorization", std::make_shared<Secret>(Secret::taking(bearer))}};
        return request;
    }

private slots:
    void initTestCase()
    {
        QThreadPool::globalInstance()->setExpiryTimeout(0); // each of its threads has a descriptor
        const QString problem = m_gateway.start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(m_gateway);
        m_id = client().ask("POST", "/sandboxes", "{\"name\":\"tunnels\"}").json().value("sandbox_id"_L1).toString().toLatin1();
        QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", "/sandboxes/" + m_id).json().value("status"_L1).toString(), u"running"_s, kPatience);
        m_echo = std::make_unique<SandboxService>(inside(), SandboxService::echo());
        m_port = m_echo->port();
        QVERIFY(m_port != 0);
    }
    void cleanupTestCase()
    {
        m_echo.reset();
        m_gateway.stop(); // before the watchdog of the test goes
    }
    void init()
    {
        m_before = ProcessHoldings::now();
        m_provider = std::make_unique<FakeProvider>(u"account"_s);
        m_provider->sandboxes = {m_provider->make(u"box"_s)};
        m_provider->tunnelMaker = [this](quint16 port) { return request(port); };
    }
    void cleanup()
    {
        m_provider.reset();
        QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().descriptors <= m_before.descriptors, kPatience);
    }

    void allBytesGoBothWays_data()
    {
        QTest::addColumn<bool>("isUnix");
        QTest::newRow("from a port") << false;
        QTest::newRow("from a UNIX socket") << true;
    }
    void allBytesGoBothWays()
    {
        QFETCH(const bool, isUnix);
        Forwarding forwarding(*m_provider);
        const QString path = m_dir.filePath(u"here.sock"_s);
        const QString target = u"localhost:%1"_s.arg(m_port);
        const ForwardStatus status = forwarding.settled(forwarding.add(Kind::Local, (isUnix ? path : u"0"_s) + u':' + target));
        QVERIFY2(status.state == State::Listening, qPrintable(describe(status.error)));
        QCOMPARE(status.way, ForwardWay::Tunnel);
        const quint16 port = status.at.port;
        const auto peer = [=] { return isUnix ? RawPeer::unixSocket(path) : RawPeer::tcp(port); };
        const QByteArray bytes = everyByte(8'000'000);
        QVERIFY(elsewhere([=] { return echoed(peer(), bytes) == bytes; }));
        // Each connection is one of its own.
        QVERIFY(elsewhere([=] {
            RawPeer first = peer();
            RawPeer second = peer();
            return first.send("one") && second.send("two") && second.receive(3) == "two" && first.receive(3) == "one";
        }));
        QVERIFY(forwarding.troubles.isEmpty());
        QCOMPARE(forwarding.ready, 1);
    }

    // The wire has no half of a connection: what was sent arrives, and both ends are over.
    void theEndOfOneEndIsTheEndOfBoth()
    {
        SandboxService counter(inside(), R"(
import socket
s=socket.create_server(("127.0.0.1",0))
print("port",s.getsockname()[1],flush=True)
while True:
    c,_=s.accept()
    n=0
    while d:=c.recv(65536): n+=len(d)
    print("counted",n,flush=True)
    c.close()
)");
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(counter.port()));
        QVERIFY(port != 0);
        QVERIFY(elsewhere([port] {
            RawPeer peer = RawPeer::tcp(port);
            peer.send(QByteArray(3'000'000, 'c'));
            peer.closeWrite();
            return peer.receiveAll().isEmpty() && peer.isOver();
        }));
        QTRY_COMPARE_WITH_TIMEOUT(counter.said("counted"), "3000000"_ba, kPatience);
    }

    void whatTheServiceSendsBeforeItsEndArrives()
    {
        SandboxService sender(inside(), R"(
import socket
s=socket.create_server(("127.0.0.1",0))
print("port",s.getsockname()[1],flush=True)
while True:
    c,_=s.accept()
    c.sendall(b"x"*5000000)
    c.close()
)");
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(sender.port()));
        const auto [size, isOver] = elsewhere([port] {
            RawPeer peer = RawPeer::tcp(port);
            const qsizetype got = peer.receiveAll().size();
            return std::pair(got, peer.isOver());
        });
        QCOMPARE(size, 5'000'000);
        QVERIFY(isOver);
    }

    void whoDoesNotReadHoldsUpNobodyElse()
    {
        SandboxService flooder(inside(), R"(
import socket,threading
def serve(c):
    c.settimeout(1)
    n=0
    try:
        while n<256<<20: n+=c.send(b"f"*65536)
    except TimeoutError: pass
    print("flooded",n,flush=True)
    c.settimeout(None)
    c.recv(1)
s=socket.create_server(("127.0.0.1",0))
print("port",s.getsockname()[1],flush=True)
while True:
    c,_=s.accept()
    threading.Thread(target=serve,args=(c,),daemon=True).start()
)");
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(flooder.port()));
        const quint16 echo = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(m_port));
        QVERIFY(port != 0 && echo != 0);
        RawPeer deaf = RawPeer::tcp(port);
        QVERIFY(deaf.isValid());
        QTRY_VERIFY_WITH_TIMEOUT(!flooder.said("flooded").isEmpty(), kPatience);
        const qint64 flooded = flooder.said("flooded").toLongLong();
        QVERIFY2(flooded > 0 && flooded < kMostOnTheWay, QByteArray::number(flooded).constData());
        // And the other way round: nobody reads there either.
        const qint64 taken = elsewhere([&deaf] { return deaf.flood(256 << 20); });
        QVERIFY2(taken > 0 && taken < kMostOnTheWay, QByteArray::number(taken).constData());
        QVERIFY(elsewhere([echo] { return echoed(RawPeer::tcp(echo), "still there") == "still there"; }));
        // What waited was not lost.
        QCOMPARE(elsewhere([&deaf, flooded] { return deaf.receive(flooded).size(); }), flooded);
    }

    void manyAtOnceAreAllServed()
    {
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(m_port));
        QCOMPARE(elsewhere([port] {
                     std::vector<std::future<bool>> all;
                     for (int i = 0; i < 80; ++i)
                         all.push_back(std::async(std::launch::async, [port, i] {
                             const QByteArray bytes(1 + i * 1000, char(i));
                             return echoed(RawPeer::tcp(port), bytes) == bytes;
                         }));
                     return int(std::ranges::count_if(all, [](std::future<bool> &one) { return one.get(); }));
                 }),
                 80);
    }

    void whatTheTunnelCannotIsNamed_data()
    {
        QTest::addColumn<Kind>("option");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("word");
        QTest::newRow("a UNIX socket there") << Kind::Local << u"0:/run/x.sock"_s << u"UNIX"_s;
        QTest::newRow("another machine") << Kind::Local << u"0:db:5432"_s << u"db"_s;
        QTest::newRow("IPv6") << Kind::Local << u"0:[::1]:80"_s << u"::1"_s;
        QTest::newRow("remote") << Kind::Remote << u"8080:localhost:80"_s << u"from there"_s;
        QTest::newRow("remote SOCKS") << Kind::Remote << u"1080"_s << u"from there"_s;
    }
    void whatTheTunnelCannotIsNamed()
    {
        QFETCH(const Kind, option);
        QFETCH(const QString, text);
        QFETCH(const QString, word);
        Forwarding forwarding(*m_provider);
        const ForwardStatus status = forwarding.settled(forwarding.add(option, text));
        QCOMPARE(status.state, State::Failed);
        QCOMPARE(status.error.kind, ErrorKind::Unsupported);
        QVERIFY2(status.error.detail.contains(word), qPrintable(status.error.detail));
        QCOMPARE(status.error.subject, u"box"_s);
        QVERIFY(tunnelRefusal(*parseForward(option, text)));
    }

    void socksLeadsToTheLoopbackAlone()
    {
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Dynamic, u"0"_s);
        QVERIFY(port != 0);
        const auto ask = [port](const QByteArray &host, quint16 to) {
            return elsewhere([=] {
                RawPeer peer = RawPeer::tcp(port);
                peer.send(QByteArray::fromHex("050100"));
                if (peer.receive(2) != QByteArray::fromHex("0500"))
                    return QByteArray("no SOCKS");
                peer.send(QByteArray::fromHex("05010003") + char(host.size()) + host + char(to >> 8) + char(to & 0xff));
                const QByteArray answer = peer.receive(10);
                if (answer.at(1) != 0)
                    return QByteArray::number(answer.at(1));
                peer.send("through");
                return peer.receive(7);
            });
        };
        QCOMPARE(ask("localhost", m_port), "through"_ba);
        QCOMPARE(ask("127.0.0.1", m_port), "through"_ba);
        QCOMPARE(ask("localhost", 1), "5"_ba); // refused
        QVERIFY(forwarding.troubles.isEmpty()); // their own affair
        QCOMPARE(ask("example.com", 80), "1"_ba);
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.troubles.size(), 1, kPatience);
        QVERIFY2(forwarding.troubles.constFirst().detail.contains(u"example.com"), qPrintable(forwarding.troubles.constFirst().detail));
    }

    void aConnectionThatCannotBeMadeIsToldOnce()
    {
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:1"_s);
        for (int i = 0; i < 3; ++i)
            QVERIFY(elsewhere([port] {
                RawPeer peer = RawPeer::tcp(port);
                return peer.receiveAll().isEmpty() && peer.isOver();
            }));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.troubles.size(), 1, kPatience);
        QCOMPARE(forwarding.troubles.constFirst().kind, ErrorKind::ConnectionRefused);
        QVERIFY(forwarding.troubles.constFirst().detail.contains(u"port 1"));
        QVERIFY(forwarding.ends.isEmpty());
    }

    void wrongCredentialsAreTold()
    {
        m_provider->tunnelMaker = [this](quint16 port) {
            Result<WebSocketRequest> wrong = request(port);
            QByteArray bearer = "Bearer wrong";
            wrong->secretHeaders = {{"Authorization", std::make_shared<Secret>(Secret::taking(bearer))}};
            return wrong;
        };
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(m_port));
        QVERIFY(elsewhere([port] { return RawPeer::tcp(port).receiveAll().isEmpty(); }));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.troubles.size(), 1, kPatience);
        QCOMPARE(forwarding.troubles.constFirst().kind, ErrorKind::AuthRejected);
    }

    void aServerThatBreaksTheProtocolEndsTheConnectionAlone_data()
    {
        QTest::addColumn<bool>("isText");
        QTest::newRow("text") << true;
        QTest::newRow("closed with an error") << false;
    }
    void aServerThatBreaksTheProtocolEndsTheConnectionAlone()
    {
        QFETCH(const bool, isText);
        TunnelServer server; // an echo, of another implementation
        m_provider->tunnelMaker = [&server](quint16) {
            WebSocketRequest request;
            request.url = server.url();
            return request;
        };
        Forwarding forwarding(*m_provider);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:80"_s);
        RawPeer peer = RawPeer::tcp(port);
        QVERIFY(elsewhere([&peer] { return peer.send("x") && peer.receive(1) == "x"; }));
        isText ? server.sendText() : server.closeAll(QWebSocketProtocol::CloseCodeProtocolError, u"no"_s);
        QVERIFY(elsewhere([&peer] { return peer.receiveAll().isEmpty() && peer.isOver(); }));
        QVERIFY(elsewhere([port] { return echoed(RawPeer::tcp(port), "again") == "again"; }));
        QCOMPARE(server.emptyFrames, 0);
        QVERIFY(server.largestFrame <= 16 << 10);
    }

    // The vendor would wake it for a connection.
    void asleepItIsNotCalled()
    {
        QStringList dialled;
        m_provider->tunnelMaker = [&](quint16 port) {
            dialled.append(QString::number(port));
            return request(port);
        };
        Forwarding forwarding(*m_provider, 0ms); // what was known is old at once
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(m_port));
        QVERIFY(elsewhere([port] { return echoed(RawPeer::tcp(port), "awake") == "awake"; }));
        QCOMPARE(dialled.size(), 1);
        m_provider->sandboxes.first().state = SandboxState::Suspended;
        QVERIFY(elsewhere([port] { return RawPeer::tcp(port).receiveAll().isEmpty(); }));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ends.size(), 1, kPatience);
        QCOMPARE(forwarding.ends.constFirst().kind, ErrorKind::SandboxNotRunning);
        QCOMPARE(dialled.size(), 1);
        QVERIFY(!m_provider->calls.join(u' ').contains(u"resume"));
        QCOMPARE(forwarding.states.cbegin()->state, State::Lost);
        QVERIFY(elsewhere([port] { return !RawPeer::tcp(port).isValid(); }));
    }

    void whereNobodyCanBeAskedTheNextConnectionAsksAgain()
    {
        Forwarding forwarding(*m_provider, 0ms);
        const quint16 port = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(m_port));
        m_provider->failNext = Error{ErrorKind::Timeout, Layer::Http, u"no answer"_s, {}};
        QVERIFY(elsewhere([port] { return RawPeer::tcp(port).receiveAll().isEmpty(); }));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.troubles.size(), 1, kPatience);
        QVERIFY(elsewhere([port] { return echoed(RawPeer::tcp(port), "again") == "again"; }));
        QVERIFY(forwarding.ends.isEmpty());
    }

    void whatPassesIsCountedAndBoundedAndOneConnectionIsClosed()
    {
        Forwarding forwarding(*m_provider);
        const int id = forwarding.add(Kind::Local, u"0:localhost:%1"_s.arg(m_echo->port()));
        const quint16 port = forwarding.settled(id).at.port;
        const auto told = [&] { return forwarding.traffic.value(id); };
        RawPeer first = RawPeer::tcp(port);
        RawPeer second = RawPeer::tcp(port);
        QCOMPARE(elsewhere([&] { return first.send("first") ? first.receive(5) : QByteArray(); }), "first"_ba);
        QCOMPARE(elsewhere([&] { return second.send("second") ? second.receive(6) : QByteArray(); }), "second"_ba);
        QVERIFY(waitUntil([&] { return told().received == 11; }, kPatience));
        QCOMPARE(told().sent, 11);
        QCOMPARE(told().connections, 2);
        QCOMPARE(told().open.size(), 2);
        const ForwardConnection one = told().open.constFirst();
        QCOMPARE(one.sent, 5);
        QVERIFY(one.from.startsWith(u"127.0.0.1:"_s));
        QCOMPARE(one.to, u"localhost:%1"_s.arg(m_echo->port()));
        forwarding.link.closeConnection(id, one.id);
        QCOMPARE(elsewhere([&] { return first.receiveAll(); }), QByteArray());
        QVERIFY(waitUntil([&] { return told().open.size() == 1; }, kPatience));
        QCOMPARE(told().sent, 11);
        // Of a byte a second only what may be ahead goes; lifted, the rest does.
        forwarding.link.limitForward(id, 1);
        QVERIFY(second.send(QByteArray(100'000, 'x')));
        QVERIFY(waitUntil([&] { return told().sent > 11; }, kPatience));
        QVERIFY2(told().sent < 20'000, QByteArray::number(told().sent).constData());
        forwarding.link.limitForward(id, 0);
        QCOMPARE(elsewhere([&] { return second.receive(100'000); }).size(), 100'000);
    }

    void aForwardIsStoppedWhileItIsBusy()
    {
        Forwarding forwarding(*m_provider);
        const int id = forwarding.add(Kind::Local, u"0:localhost:%1"_s.arg(m_port));
        const quint16 port = forwarding.settled(id).at.port;
        const quint16 other = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(m_port));
        RawPeer busy = RawPeer::tcp(port);
        RawPeer stays = RawPeer::tcp(other);
        QVERIFY(elsewhere([&] { return busy.send("x") && busy.receive(1) == "x" && stays.send("y") && stays.receive(1) == "y"; }));
        forwarding.link.stopForward(id);
        QVERIFY(elsewhere([&busy] { return busy.receiveAll().isEmpty() && busy.isOver(); }));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.states.value(id).state, State::Stopped, kPatience);
        QVERIFY(elsewhere([&, port] { return !RawPeer::tcp(port).isValid() && stays.send("z") && stays.receive(1) == "z"; }));
    }

    void closingEndsAllWithOneWordEach()
    {
        Forwarding forwarding(*m_provider);
        const int id = forwarding.add(Kind::Dynamic, u"0"_s);
        QCOMPARE(forwarding.settled(id).state, State::Listening);
        forwarding.link.close();
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ends.size(), 1, kPatience);
        QCOMPARE(forwarding.ends.constFirst().kind, ErrorKind::Cancelled);
        QCOMPARE(forwarding.states.value(id).state, State::Lost);
    }
};

QTEST_GUILESS_MAIN(TestTunnelForwards)
#include "tst_tunnelforwards.moc"

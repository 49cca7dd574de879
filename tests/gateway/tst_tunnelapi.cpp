// TCP tunnels over WebSocket, to services in a real sandbox.
#include "tests/gateway/gatewayfixture.h"
#include "tests/support/sandboxservice.h"

#include <QTcpServer>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 60'000;
constexpr qint64 kMostOnTheWay = 24 << 20; // sockets of both sides, and what the gateway keeps

// Says its port. The first byte that a client sends says what becomes of it.
constexpr auto kService = R"(
import os,socket,struct,threading
def serve(c):
    what=c.recv(1)
    if what==b"e":
        while True:
            d=c.recv(65536)
            if not d: break
            c.sendall(d)
    elif what==b"c":
        n=0
        while True:
            d=c.recv(65536)
            if not d: break
            n+=len(d)
        print("counted",n,flush=True)
    elif what==b"h":
        c.sendall(b"x"*1000000)
    elif what==b"r":
        c.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack("ii",1,0))
    elif what==b"f":
        c.settimeout(1)
        n=0
        try:
            while n<256<<20: n+=c.send(b"f"*65536)
        except TimeoutError: pass
        print("flooded",n,flush=True)
        c.settimeout(None)
        c.recv(1)
    c.close()
s=socket.create_server(("127.0.0.1",0))
print("port",s.getsockname()[1],flush=True)
while True:
    c,_=s.accept()
    threading.Thread(target=serve,args=(c,),daemon=True).start()
)";

QByteArray joined(const RawWebSocket &socket)
{
    return socket.messages.join();
}

} // namespace

class TestTunnelApi : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void cleanupTestCase() { m_service.reset(); }
    void bytesGoBothWays();
    void whatTheServiceSendsBeforeItsEndArrives();
    void whatTheClientSendsBeforeItsCloseArrives();
    void aResetIsNoEnd();
    void textIsABreach();
    void whoDoesNotReadHoldsUpTheService();
    void refusals_data();
    void refusals();
    void aServiceOfThisComputerIsNotReached();
    void aSuspendedSandboxDropsItsTunnels();

private:
    GatewayFixture m_fixture;
    QByteArray m_sandbox;
    std::unique_ptr<SandboxService> m_service;
    quint16 m_port = 0;

    [[nodiscard]] GatewayClient client() const { return m_fixture.client(m_sandbox); }
    [[nodiscard]] QByteArray said(const QByteArray &word) const { return m_service->said(word); }
    [[nodiscard]] std::unique_ptr<RawWebSocket> tunnel(const QByteArray &port) const
    {
        return std::make_unique<RawWebSocket>(m_fixture.gateway->httpPort(), "/api/v1/tunnels/tcp?port=" + port,
                                              Headers{{"Authorization", "Bearer " + m_fixture.apiKey()}, {"X-Tensorlake-Sandbox-Id", m_sandbox}});
    }
    [[nodiscard]] std::unique_ptr<RawWebSocket> tunnel() const { return tunnel(QByteArray::number(m_port)); }
};

void TestTunnelApi::initTestCase()
{
    const QString problem = m_fixture.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    SANDPIPER_NEED_SANDBOXES(m_fixture);
    m_sandbox = m_fixture.makeSandbox(u"tunnels"_s);
    QVERIFY(!m_sandbox.isEmpty());
    m_service = std::make_unique<SandboxService>(client(), kService);
    m_port = m_service->port();
    QVERIFY(m_port != 0);
}

void TestTunnelApi::bytesGoBothWays()
{
    const std::unique_ptr<RawWebSocket> socket = tunnel();
    QVERIFY(socket->isOpen());
    QByteArray sent;
    socket->sendBinary("e");
    for (int i = 0; i < 256; ++i) {
        const QByteArray piece(1 + i * 63, char(i));
        socket->sendBinary(piece);
        sent += piece;
    }
    QTRY_COMPARE_WITH_TIMEOUT(joined(*socket).size(), sent.size(), patience);
    QVERIFY(joined(*socket) == sent);
    QVERIFY(std::ranges::none_of(socket->messages, [](const QByteArray &message) { return message.isEmpty() || message.size() > 16 << 10; }));
}

void TestTunnelApi::whatTheServiceSendsBeforeItsEndArrives()
{
    const std::unique_ptr<RawWebSocket> socket = tunnel();
    QVERIFY(socket->isOpen());
    socket->sendBinary("h");
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1000, patience);
    QCOMPARE(joined(*socket).size(), 1'000'000);
}

void TestTunnelApi::whatTheClientSendsBeforeItsCloseArrives()
{
    const std::unique_ptr<RawWebSocket> socket = tunnel();
    QVERIFY(socket->isOpen());
    socket->sendBinary("c");
    for (int i = 0; i < 40; ++i)
        socket->sendBinary(QByteArray(50'000, 'c'));
    socket->sendFrame(0x88, QByteArray::fromHex("03e8"));
    QTRY_COMPARE_WITH_TIMEOUT(said("counted"), "2000000"_ba, patience);
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1000, patience);
}

void TestTunnelApi::aResetIsNoEnd()
{
    const std::unique_ptr<RawWebSocket> socket = tunnel();
    QVERIFY(socket->isOpen());
    socket->sendBinary("r");
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1011, patience);
}

void TestTunnelApi::textIsABreach()
{
    const std::unique_ptr<RawWebSocket> socket = tunnel();
    QVERIFY(socket->isOpen());
    socket->sendFrame(0x81, "text");
    QTRY_COMPARE_WITH_TIMEOUT(socket->closeCode, 1003, patience);
}

void TestTunnelApi::whoDoesNotReadHoldsUpTheService()
{
    const std::unique_ptr<RawWebSocket> socket = tunnel();
    QVERIFY(socket->isOpen());
    socket->stopReading();
    socket->sendBinary("f");
    QTRY_VERIFY_WITH_TIMEOUT(!said("flooded").isEmpty(), patience);
    const qint64 flooded = said("flooded").toLongLong();
    QVERIFY2(flooded > 0 && flooded < kMostOnTheWay, QByteArray::number(flooded).constData());
    socket->startReading();
    QTRY_COMPARE_WITH_TIMEOUT(joined(*socket).size(), flooded, patience);
}

void TestTunnelApi::refusals_data()
{
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<bool>("isSocket");
    QTest::addColumn<bool>("hasKey");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("code");
    QTest::newRow("no port") << ""_ba << true << true << 400 << u"INVALID_PORT"_s;
    QTest::newRow("port 0") << "?port=0"_ba << true << true << 400 << u"INVALID_PORT"_s;
    QTest::newRow("port 65536") << "?port=65536"_ba << true << true << 400 << u"INVALID_PORT"_s;
    QTest::newRow("a negative port") << "?port=-1"_ba << true << true << 400 << u"INVALID_PORT"_s;
    QTest::newRow("a word") << "?port=http"_ba << true << true << 400 << u"INVALID_PORT"_s;
    QTest::newRow("nothing listens") << "?port=1"_ba << true << true << 502 << u"CONNECTION_REFUSED"_s;
    QTest::newRow("no WebSocket") << "?port=1"_ba << false << true << 426 << u"UPGRADE_REQUIRED"_s;
    QTest::newRow("no key") << "?port=1"_ba << true << false << 401 << u"UNAUTHENTICATED"_s;
}

void TestTunnelApi::refusals()
{
    QFETCH(const QByteArray, query);
    QFETCH(const bool, isSocket);
    QFETCH(const bool, hasKey);
    QFETCH(const int, status);
    QFETCH(const QString, code);
    const QByteArray path = "/api/v1/tunnels/tcp" + query;
    Headers headers{{"X-Tensorlake-Sandbox-Id", m_sandbox}};
    if (hasKey)
        headers.append({"Authorization", "Bearer " + m_fixture.apiKey()});
    const HttpAnswer answer = isSocket ? RawWebSocket(m_fixture.gateway->httpPort(), path, headers).refusal() : client().ask("GET", path);
    QCOMPARE(answer.status, status);
    QCOMPARE(answer.json().value("code"_L1).toString(), code);
    QVERIFY(!answer.json().value("error"_L1).toString().isEmpty());
}

void TestTunnelApi::aServiceOfThisComputerIsNotReached()
{
    QTcpServer here;
    QVERIFY(here.listen(QHostAddress::LocalHost));
    QCOMPARE(tunnel(QByteArray::number(here.serverPort()))->refusal().status, 502);
    QVERIFY(!here.hasPendingConnections());
}

void TestTunnelApi::aSuspendedSandboxDropsItsTunnels()
{
    const std::unique_ptr<RawWebSocket> socket = tunnel();
    QVERIFY(socket->isOpen());
    const QByteArray one = "/sandboxes/" + m_sandbox;
    QVERIFY(m_fixture.client().ask("POST", one + "/suspend").status < 300);
    QTRY_VERIFY_WITH_TIMEOUT(socket->isClosed, patience);
    QTRY_COMPARE_WITH_TIMEOUT(m_fixture.client().ask("GET", one).json().value("status"_L1).toString(), u"suspended"_s, patience);
    const HttpAnswer answer = tunnel()->refusal();
    QCOMPARE(answer.status, 503);
    QCOMPARE(answer.json().value("code"_L1).toString(), u"SANDBOX_NOT_RUNNING"_s);
    QVERIFY(m_fixture.client().ask("POST", one + "/resume").status < 300);
    QTRY_COMPARE_WITH_TIMEOUT(m_fixture.client().ask("GET", one).json().value("status"_L1).toString(), u"running"_s, patience);
    // The service is the same one.
    const std::unique_ptr<RawWebSocket> again = tunnel();
    QVERIFY(again->isOpen());
    again->sendBinary("eback");
    QTRY_COMPARE_WITH_TIMEOUT(joined(*again), "back"_ba, patience);
}

QTEST_GUILESS_MAIN(TestTunnelApi)
#include "tst_tunnelapi.moc"

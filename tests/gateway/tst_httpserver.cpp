// The HTTP server over real sockets, against clients that mean no good.
#include "gateway/httpserver.h"
#include "gateway/websocketpeer.h"

#include <QSignalSpy>
#include <QTest>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 20'000;

class Echo : public HttpHandler
{
public:
    std::optional<HttpResponse> admit(const HttpRequest &head, BodyPlan &plan) override
    {
        if (head.path == "/upload")
            plan = {streamLimit, true};
        if (head.path == "/locked")
            return HttpResponse::text(401, u"no"_s);
        return std::nullopt;
    }
    void handle(HttpExchange *exchange) override
    {
        ++handled;
        if (exchange->request().path == "/wait") {
            waiting = exchange;
            QObject::connect(exchange, &HttpExchange::gone, exchange, [this] { ++gone; });
        } else if (exchange->request().path == "/upload") {
            waiting = exchange;
            QObject::connect(exchange, &HttpExchange::gone, exchange, [this] { ++gone; });
            QObject::connect(exchange, &HttpExchange::bodyReady, exchange, [this] {
                ++ready;
                if (takes)
                    take();
            });
        } else if (exchange->request().path == "/ws") {
            if (auto socket = exchange->upgradeToWebSocket()) {
                peer = std::make_unique<WebSocketPeer>(std::move(socket), WebSocketPeer::Limits());
                QObject::connect(peer.get(), &WebSocketPeer::binaryReceived, peer.get(), [this](const QByteArray &m) { peer->sendBinary(m); });
            }
        } else if (exchange->request().path == "/stream") {
            waiting = exchange;
            exchange->beginStream("text/event-stream");
            QObject::connect(exchange, &HttpExchange::gone, exchange, [this] { ++gone; });
        } else {
            exchange->respond(HttpResponse::text(200, QString::fromLatin1(exchange->request().method) + u' '
                                                         + QString::number(exchange->request().body.size())));
        }
    }
    HttpResponse refusal(int status, const QString &reason) override { return HttpResponse::text(status, reason); }

    void take()
    {
        const QByteArray part = waiting->takeBody();
        largest = qMax(largest, part.size());
        body += part;
        if (waiting->isBodyWhole())
            waiting->respond(HttpResponse::text(200, u"took "_s + QString::number(body.size())));
    }

    static constexpr qint64 streamLimit = 64 << 20;
    bool takes = true;
    int ready = 0;
    QByteArray body; // of an upload
    qsizetype largest = 0; // of its pieces
    int handled = 0;
    int gone = 0;
    QPointer<HttpExchange> waiting;
    std::unique_ptr<WebSocketPeer> peer;
};

struct Client : QTcpSocket
{
    explicit Client(const HttpServer &server)
    {
        connect(this, &QTcpSocket::readyRead, this, [this] { got += readAll(); });
        connectToHost(QHostAddress::LocalHost, server.port());
    }
    bool isClosed() const { return state() == UnconnectedState; }
    QByteArray got;
};

} // namespace

class TestHttpServer : public QObject
{
    Q_OBJECT

private slots:
    void init();
    void requestsOnOneConnectionAreAnsweredInOrder();
    void connectionCloseIsHeeded();
    void aRefusalIsReadable_thoughTheBodyWasNotRead();
    void slowClientsAreCutOff_data();
    void slowClientsAreCutOff();
    void expectContinueIsAnswered();
    void aClientThatLeavesIsNoticed();
    void aStreamWaitsForItsReader();
    void aStreamedBodyWaitsUntilItIsTaken();
    void aStreamedBodyHasALimit();
    void aStreamedBodyThatStopsIsCutOff();
    void aStreamedBodyThatIsEmptyIsWholeAtOnce();
    void oneConnectionTooManyIsTurnedAway();
    void brokenHandshakesAreRefusedWithABody_data();
    void brokenHandshakesAreRefusedWithABody();
    void framesThatCameWithTheHandshakeAreRead();
    void unmaskedFramesEndTheConnectionWithAReason();

private:
    HttpLimits m_limits;
    std::unique_ptr<Echo> m_handler;
    std::unique_ptr<HttpServer> m_server;
    void restart()
    {
        m_server.reset();
        m_handler = std::make_unique<Echo>();
        m_server = std::make_unique<HttpServer>(m_handler.get(), m_limits);
        QVERIFY(m_server->listen(QHostAddress(QHostAddress::LocalHost), 0));
    }
};

void TestHttpServer::init()
{
    m_limits = {};
    restart();
}

void TestHttpServer::requestsOnOneConnectionAreAnsweredInOrder()
{
    Client client(*m_server);
    QByteArray all;
    for (int i = 0; i < 50; ++i)
        all += "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + QByteArray::number(i) + "\r\n\r\n" + QByteArray(i, 'x');
    client.write(all);
    QTRY_COMPARE_WITH_TIMEOUT(client.got.count("HTTP/1.1 200 OK"), 50, patience);
    for (int i = 0; i < 50; ++i)
        QVERIFY(client.got.contains("\r\n\r\nPOST " + QByteArray::number(i)));
    QVERIFY(!client.isClosed());
}

void TestHttpServer::connectionCloseIsHeeded()
{
    Client client(*m_server);
    client.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed(), patience);
    QVERIFY(client.got.startsWith("HTTP/1.1 200 OK"));
    QVERIFY(client.got.contains("Connection: close"));
    Client old(*m_server);
    old.write("GET / HTTP/1.0\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(old.isClosed(), patience);
    QVERIFY(old.got.contains(" 200 "));
}

void TestHttpServer::aRefusalIsReadable_thoughTheBodyWasNotRead()
{
    for (const QByteArray path : {"/locked", "/"}) {
        Client client(*m_server);
        const qint64 size = 5 << 20;
        client.write("POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + QByteArray::number(size) + "\r\n\r\n");
        client.write(QByteArray(size, 'x'));
        QTRY_VERIFY_WITH_TIMEOUT(client.isClosed(), patience);
        QVERIFY2(client.got.startsWith(path == "/" ? "HTTP/1.1 413 " : "HTTP/1.1 401 "), client.got.constData());
    }
    QCOMPARE(m_handler->handled, 0);
}

void TestHttpServer::slowClientsAreCutOff_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("answer");
    QTest::newRow("says nothing") << QByteArray() << QByteArray();
    QTest::newRow("head without end") << QByteArray("GET / HTTP/1.1\r\nHost: h\r\nX: ") << QByteArray("HTTP/1.1 408 ");
    QTest::newRow("body without end") << QByteArray("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc") << QByteArray("HTTP/1.1 408 ");
    QTest::newRow("chunks without end") << QByteArray("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n") << QByteArray("HTTP/1.1 408 ");
}

void TestHttpServer::slowClientsAreCutOff()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QByteArray, answer);
    m_limits.head = m_limits.body = m_limits.idle = std::chrono::milliseconds(200);
    restart();
    Client client(*m_server);
    client.write(bytes);
    // A drip does not help: the deadline is for the whole.
    QTimer drip;
    connect(&drip, &QTimer::timeout, &client, [&] { if (!bytes.isEmpty() && !client.isClosed()) client.write("1"); });
    drip.start(50);
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed(), patience);
    QVERIFY2(client.got.startsWith(answer), client.got.constData());
    QTRY_COMPARE_WITH_TIMEOUT(m_server->connectionCount(), 0, patience);
}

void TestHttpServer::expectContinueIsAnswered()
{
    Client client(*m_server);
    client.write("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    QTRY_COMPARE_WITH_TIMEOUT(client.got, "HTTP/1.1 100 Continue\r\n\r\n", patience);
    client.write("abc");
    QTRY_VERIFY_WITH_TIMEOUT(client.got.endsWith("POST 3"), patience);
}

void TestHttpServer::aClientThatLeavesIsNoticed()
{
    for (const QByteArray path : {"/wait", "/stream"}) {
        m_handler->gone = 0;
        Client client(*m_server);
        client.write("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
        QTRY_VERIFY_WITH_TIMEOUT(m_handler->waiting, patience);
        client.abort();
        QTRY_COMPARE_WITH_TIMEOUT(m_handler->gone, 1, patience);
        QTRY_VERIFY_WITH_TIMEOUT(!m_handler->waiting, patience);
        QTRY_COMPARE_WITH_TIMEOUT(m_server->connectionCount(), 0, patience);
    }
}

void TestHttpServer::aStreamWaitsForItsReader()
{
    Client client(*m_server);
    client.setReadBufferSize(1);
    client.write("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(m_handler->waiting, patience);
    HttpExchange *exchange = m_handler->waiting;
    QSignalSpy drained(exchange, &HttpExchange::drained);
    // Past what the kernel takes for a client that does not read, bytes stay with us and are seen.
    const QByteArray block(1 << 20, 'x');
    qint64 sent = 0;
    QTRY_VERIFY_WITH_TIMEOUT((exchange->writeStream(block), sent += block.size(), exchange->queuedBytes() > (4 << 20)), patience);
    drained.clear();
    client.setReadBufferSize(0);
    // The read notifier was off while the buffer was full.
    client.got += client.readAll();
    QTRY_VERIFY_WITH_TIMEOUT(!drained.isEmpty(), patience);
    exchange->endStream();
    QTRY_VERIFY_WITH_TIMEOUT(client.got.endsWith("\r\n0\r\n\r\n"), patience);
    QVERIFY(client.got.size() > sent);
}

void TestHttpServer::aStreamedBodyWaitsUntilItIsTaken()
{
    m_handler->takes = false;
    Client client(*m_server);
    const QByteArray bytes(32 << 20, 'x');
    client.write("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: " + QByteArray::number(bytes.size()) + "\r\n\r\n" + bytes
                 + "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    QTRY_COMPARE_WITH_TIMEOUT(m_handler->ready, 1, patience);
    // Others are served meanwhile; of this one nothing more is read.
    Client other(*m_server);
    other.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(other.got.contains("GET 0"), patience);
    QCOMPARE(m_handler->ready, 1);
    QVERIFY(client.bytesToWrite() > 0);
    m_handler->takes = true;
    m_handler->take();
    // The request that follows begins where the body ends.
    QTRY_VERIFY_WITH_TIMEOUT(client.got.contains("POST 3"), patience);
    QVERIFY(client.got.contains("took 33554432"));
    QVERIFY(m_handler->body == bytes);
    QVERIFY(m_handler->largest <= 64 << 10);
}

void TestHttpServer::aStreamedBodyThatStopsIsCutOff()
{
    m_limits.body = std::chrono::milliseconds(200);
    restart();
    for (const QByteArray &beginning : {"abc"_ba, ""_ba}) {
        Client client(*m_server);
        client.write("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n" + beginning);
        QTRY_VERIFY_WITH_TIMEOUT(client.isClosed(), patience);
        QVERIFY2(client.got.startsWith("HTTP/1.1 408 "), client.got.constData());
    }
    QCOMPARE(m_handler->gone, 2);
    // Its reader's pauses are not its own.
    m_handler->takes = false;
    m_handler->ready = 0;
    m_handler->body.clear();
    Client client(*m_server);
    client.write("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    QTRY_COMPARE_WITH_TIMEOUT(m_handler->ready, 1, patience);
    Client stopped(*m_server);
    stopped.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(stopped.isClosed(), patience);
    QVERIFY(!client.isClosed());
    m_handler->take();
    QTRY_VERIFY_WITH_TIMEOUT(client.got.contains("took 3"), patience);
}

void TestHttpServer::aStreamedBodyHasALimit()
{
    Client client(*m_server);
    client.write("PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 65; ++i)
        client.write("100000\r\n" + QByteArray(1 << 20, 'x') + "\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(client.got.startsWith("HTTP/1.1 413 "), patience);
    QCOMPARE(m_handler->gone, 1);
    QVERIFY(m_handler->body.size() <= Echo::streamLimit);
}

void TestHttpServer::aStreamedBodyThatIsEmptyIsWholeAtOnce()
{
    for (const QByteArray &framing : {"Content-Length: 0\r\n\r\n"_ba, "\r\n"_ba, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"_ba}) {
        Client client(*m_server);
        client.write("PUT /upload HTTP/1.1\r\nHost: h\r\n" + framing);
        QTRY_VERIFY_WITH_TIMEOUT(client.got.contains("took 0"), patience);
    }
}

void TestHttpServer::oneConnectionTooManyIsTurnedAway()
{
    m_limits.connections = 3;
    restart();
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 3; ++i)
        clients.push_back(std::make_unique<Client>(*m_server));
    QTRY_COMPARE_WITH_TIMEOUT(m_server->connectionCount(), 3, patience);
    Client extra(*m_server);
    QTRY_VERIFY_WITH_TIMEOUT(extra.isClosed() && !extra.got.isEmpty(), patience);
    QVERIFY(extra.got.startsWith("HTTP/1.1 503 "));
    // Those who came first are served, and their places are free afterwards.
    clients.front()->write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(clients.front()->got.startsWith("HTTP/1.1 200 "), patience);
    QTRY_COMPARE_WITH_TIMEOUT(m_server->connectionCount(), 2, patience);
    Client next(*m_server);
    next.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(next.got.startsWith("HTTP/1.1 200 "), patience);
}

void TestHttpServer::brokenHandshakesAreRefusedWithABody_data()
{
    QTest::addColumn<QByteArray>("headers");
    QTest::addColumn<QByteArray>("answer");
    const QByteArray key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const QByteArray upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
    QTest::newRow("fine") << upgrade + key + "Sec-WebSocket-Version: 13\r\n" << QByteArray("HTTP/1.1 101 ");
    QTest::newRow("old version") << upgrade + key + "Sec-WebSocket-Version: 8\r\n" << QByteArray("HTTP/1.1 426 ");
    QTest::newRow("no key") << upgrade + "Sec-WebSocket-Version: 13\r\n" << QByteArray("HTTP/1.1 400 ");
    QTest::newRow("bad key") << upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n" << QByteArray("HTTP/1.1 400 ");
}

void TestHttpServer::brokenHandshakesAreRefusedWithABody()
{
    QFETCH(const QByteArray, headers);
    QFETCH(const QByteArray, answer);
    Client client(*m_server);
    client.write("GET /ws HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(client.got.contains("\r\n\r\n"), patience);
    QVERIFY2(client.got.startsWith(answer), client.got.constData());
    if (!answer.contains("101"))
        QTRY_VERIFY_WITH_TIMEOUT(client.isClosed() && !client.got.endsWith("\r\n\r\n"), patience);
}

void TestHttpServer::framesThatCameWithTheHandshakeAreRead()
{
    Client client(*m_server);
    // A masked binary frame "hi", mask 0.
    client.write("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + QByteArray::fromHex("8282000000006869"));
    QTRY_VERIFY_WITH_TIMEOUT(client.got.endsWith(QByteArray::fromHex("82026869")), patience);
}

void TestHttpServer::unmaskedFramesEndTheConnectionWithAReason()
{
    Client client(*m_server);
    client.write("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(client.got.contains("\r\n\r\n"), patience);
    client.got.clear();
    client.write(QByteArray::fromHex("82026869") + QByteArray(100'000, 'x'));
    QTRY_VERIFY_WITH_TIMEOUT(client.isClosed(), patience);
    QVERIFY2(client.got.startsWith(QByteArray::fromHex("8815") + QByteArray::fromHex("03ea")), client.got.toHex().constData());
    QVERIFY(client.got.endsWith("frame is not masked"));
}

QTEST_GUILESS_MAIN(TestHttpServer)
#include "tst_httpserver.moc"

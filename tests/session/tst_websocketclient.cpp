#include "session/websocketclient.h"
#include "session/ptyshell.h"
#include "session/websockethandshake.h"
#include "tests/support/cuttableproxy.h"
#include "tests/support/waituntil.h"

#include <QCryptographicHash>
#include <QFile>
#include <QPointer>
#include <QProcess>
#include <QSslKey>
#include <QSslServer>
#include <QSslSocket>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 20'000;
constexpr qint64 window = 256 * 1024;

#define TRY_VERIFY(condition) QVERIFY(waitUntil([&] { return bool(condition); }, patience))

QByteArray acceptFor(const QByteArray &key)
{
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + QCryptographicHash::hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", QCryptographicHash::Sha1).toBase64()
            + "\r\n\r\n";
}

QByteArray frame(int firstByte, const QByteArray &payload)
{
    QByteArray wire(1, char(firstByte));
    if (payload.size() < 126)
        return wire + char(payload.size()) + payload;
    if (payload.size() < 65536)
        return wire + char(126) + char(payload.size() >> 8) + char(payload.size() & 0xff) + payload;
    wire += char(127);
    for (int shift = 56; shift >= 0; shift -= 8)
        wire += char((quint64(payload.size()) >> shift) & 0xff);
    return wire + payload;
}

// Accepts a connection, reads the upgrade, says what it is told to, and keeps what it hears.
class ScriptedServer : public QObject
{
public:
    enum class Then { Stay, Close, Reset };
    explicit ScriptedServer(const QSslConfiguration *tls = nullptr)
    {
        if (tls) {
            auto server = std::make_unique<QSslServer>();
            server->setSslConfiguration(*tls);
            m_server = std::move(server);
        } else {
            m_server = std::make_unique<QTcpServer>();
        }
        connect(m_server.get(), &QTcpServer::pendingConnectionAvailable, this, [this] {
            ++connections;
            client = m_server->nextPendingConnection();
            connect(client, &QTcpSocket::readyRead, this, [this] { read(); });
            if (greets)
                client->write(*greets);
        });
        if (!m_server->listen(QHostAddress::LocalHost))
            qFatal("no port");
    }
    [[nodiscard]] quint16 port() const { return m_server->serverPort(); }
    [[nodiscard]] WebSocketRequest request(const QString &scheme = u"ws"_s) const
    {
        WebSocketRequest request;
        request.url = QUrl(u"%1://127.0.0.1:%2/x"_s.arg(scheme).arg(port()));
        return request;
    }

    bool upgrades = true;
    QByteArray says; // after the upgrade, or instead of it
    Then then = Then::Stay;
    std::optional<QByteArray> greets; // before anything is asked
    int connections = 0;
    QByteArray head;
    QByteArray heard; // after the head
    QPointer<QTcpSocket> client;

private:
    void read()
    {
        const QByteArray bytes = client->readAll();
        if (m_answered) {
            heard += bytes;
            return;
        }
        head += bytes;
        const qsizetype end = head.indexOf("\r\n\r\n");
        if (end < 0)
            return;
        m_answered = true;
        const qsizetype at = head.indexOf("Sec-WebSocket-Key: ") + 19;
        const QByteArray key = head.sliced(at, head.indexOf("\r\n", at) - at);
        client->write((upgrades ? acceptFor(key) : QByteArray()) + says);
        switch (then) {
        case Then::Stay: break;
        case Then::Close: client->disconnectFromHost(); break;
        case Then::Reset:
            client->flush();
            client->abort();
            break;
        }
    }
    std::unique_ptr<QTcpServer> m_server;
    bool m_answered = false;
};

// What a client says.
struct Heard
{
    explicit Heard(WebSocketClient *client)
    {
        QObject::connect(client, &WebSocketClient::opened, client, [this] { ++opened; });
        QObject::connect(client, &WebSocketClient::received, client, [this](const QByteArray &piece) { bytes += piece; });
        QObject::connect(client, &WebSocketClient::ended, client, [this](const WebSocketEnd &end) { ends += end; });
    }
    int opened = 0;
    QByteArray bytes;
    QList<WebSocketEnd> ends;
};

WebSocketTiming quick()
{
    return {.connectDeadline = 700ms, .pingInterval = 100ms, .closeDeadline = 300ms};
}

// A throwaway authority and a certificate of it.
struct Certificates
{
    QByteArray authority;
    QSslConfiguration server;
};

std::optional<Certificates> makeCertificates(const QString &folder, const QString &name, const QString &altName)
{
    const auto openssl = [&](const QStringList &arguments) {
        QProcess process;
        process.setWorkingDirectory(folder);
        process.start(u"openssl"_s, arguments);
        return process.waitForFinished(30'000) && process.exitCode() == 0;
    };
    const auto file = [&](const QString &suffix) { return name + suffix; };
    const auto content = [&](const QString &suffix) {
        QFile f(folder + u'/' + file(suffix));
        return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray();
    };
    QFile extensions(folder + u'/' + file(u".ext"_s));
    if (!extensions.open(QIODevice::WriteOnly))
        return {};
    extensions.write("subjectAltName=" + altName.toUtf8() + "\n");
    extensions.close();
    const QStringList key{u"-newkey"_s, u"ec"_s, u"-pkeyopt"_s, u"ec_paramgen_curve:prime256v1"_s, u"-nodes"_s};
    if (!openssl(QStringList{u"req"_s, u"-x509"_s, u"-days"_s, u"30"_s, u"-subj"_s, u"/CN="_s + name, u"-keyout"_s,
                             file(u"-ca.key"_s), u"-out"_s, file(u"-ca.pem"_s)} + key)
        || !openssl(QStringList{u"req"_s, u"-subj"_s, u"/CN=server"_s, u"-keyout"_s, file(u".key"_s), u"-out"_s,
                                file(u".csr"_s)} + key)
        || !openssl({u"x509"_s, u"-req"_s, u"-days"_s, u"30"_s, u"-in"_s, file(u".csr"_s), u"-CA"_s, file(u"-ca.pem"_s),
                     u"-CAkey"_s, file(u"-ca.key"_s), u"-CAcreateserial"_s, u"-extfile"_s, file(u".ext"_s), u"-out"_s,
                     file(u".pem"_s)}))
        return {};
    Certificates made;
    made.authority = content(u"-ca.pem"_s);
    made.server = QSslConfiguration::defaultConfiguration();
    made.server.setLocalCertificate(QSslCertificate(content(u".pem"_s)));
    made.server.setPrivateKey(QSslKey(content(u".key"_s), QSsl::Ec));
    return made;
}

} // namespace

class TestWebSocketClient : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        m_ours = makeCertificates(m_folder.path(), u"ours"_s, u"IP:127.0.0.1"_s);
        m_theirs = makeCertificates(m_folder.path(), u"theirs"_s, u"IP:127.0.0.1"_s);
        m_misnamed = makeCertificates(m_folder.path(), u"misnamed"_s, u"DNS:elsewhere.example"_s);
        QVERIFY(m_ours && m_theirs && m_misnamed);
    }

    void whatComesWithTheUpgradeIsNotLost()
    {
        ScriptedServer server;
        server.says = frame(0x82, "early") + frame(0x88, QByteArray("\x03\xe8") + "exit:0");
        server.then = ScriptedServer::Then::Close;
        WebSocketClient client(server.request(), window);
        Heard heard(&client);
        client.start();
        TRY_VERIFY(heard.ends.size() == 1);
        QCOMPARE(heard.opened, 1);
        QCOMPARE(heard.bytes, "early"_ba);
        QVERIFY(heard.ends.first().hasCode);
        QCOMPARE(heard.ends.first().reason, u"exit:0"_s);
    }

    void whatGoesWrongIsNamedByItsLayer_data()
    {
        QTest::addColumn<bool>("upgrades");
        QTest::addColumn<QByteArray>("says");
        QTest::addColumn<int>("then");
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<Layer>("layer");
        const auto row = [](const char *name, bool upgrades, const QByteArray &says, ScriptedServer::Then then,
                            ErrorKind kind, Layer layer) { QTest::newRow(name) << upgrades << says << int(then) << kind << layer; };
        using enum ScriptedServer::Then;
        row("says nothing", false, {}, Stay, ErrorKind::Timeout, Layer::Http);
        row("closes at once", false, {}, Close, ErrorKind::ConnectionLost, Layer::Tcp);
        row("resets at once", false, {}, Reset, ErrorKind::ConnectionLost, Layer::Tcp);
        row("half an answer", false, "HTTP/1.1 101 Swi", Stay, ErrorKind::Timeout, Layer::Http);
        row("a refusal that stays open", false, "HTTP/1.1 403 No\r\n\r\n{\"error\":\"no\"}", Stay,
            ErrorKind::PermissionDenied, Layer::WebSocket);
        row("a refusal that closes", false, "HTTP/1.1 404 No\r\n\r\n{\"error\":\"no\"}", Close, ErrorKind::NotFound, Layer::WebSocket);
        row("a redirect", false, "HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", Stay,
            ErrorKind::Protocol, Layer::WebSocket);
        row("the wrong key", false, "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
            Stay, ErrorKind::Protocol, Layer::Http);
        row("SSH", false, "SSH-2.0-x\r\n\r\n", Stay, ErrorKind::Protocol, Layer::Http);
        row("endless headers", false, "HTTP/1.1 101 x\r\n" + QByteArray(200'000, 'a'), Stay, ErrorKind::TooLarge, Layer::Http);
        row("open, then cut", true, {}, Close, ErrorKind::ConnectionLost, Layer::Tcp);
        row("open, then reset", true, {}, Reset, ErrorKind::ConnectionLost, Layer::Tcp);
        row("open, then silent", true, {}, Stay, ErrorKind::Timeout, Layer::WebSocket);
        row("a truncated frame", true, frame(0x82, QByteArray(500, 'x')).first(300), Close, ErrorKind::ConnectionLost, Layer::Tcp);
        row("an opcode nobody knows", true, frame(0x83, "x"), Stay, ErrorKind::Protocol, Layer::WebSocket);
        row("a masked frame", true, QByteArray("\x82\x81") + "maskx", Stay, ErrorKind::Protocol, Layer::WebSocket);
        row("a frame of 4 GiB and one", true, QByteArray::fromHex("827f0000000100000001"), Stay, ErrorKind::TooLarge, Layer::WebSocket);
        row("rubbish", true, QByteArray(5000, '\xff'), Stay, ErrorKind::Protocol, Layer::WebSocket);
    }
    void whatGoesWrongIsNamedByItsLayer()
    {
        QFETCH(bool, upgrades);
        QFETCH(QByteArray, says);
        QFETCH(int, then);
        QFETCH(ErrorKind, kind);
        QFETCH(Layer, layer);
        ScriptedServer server;
        server.upgrades = upgrades;
        server.says = says;
        server.then = ScriptedServer::Then(then);
        WebSocketClient client(server.request(), window, quick());
        Heard heard(&client);
        client.start();
        TRY_VERIFY(!heard.ends.isEmpty());
        QVERIFY(!heard.ends.first().hasCode);
        const Error error = heard.ends.first().error;
        QVERIFY2(error.kind == kind && error.layer == layer, qPrintable(describe(error)));
        QCOMPARE(error.subject, u"127.0.0.1:%1"_s.arg(server.port()));
        QVERIFY(!waitUntil([&] { return heard.ends.size() > 1; }, 50));
        QCOMPARE(server.connections, 1); // nothing is tried again, nothing is followed
    }

    void nobodyThereIsARefusal()
    {
        WebSocketRequest request;
        {
            ScriptedServer server;
            request = server.request();
        }
        WebSocketClient client(request, window, quick());
        Heard heard(&client);
        client.start();
        TRY_VERIFY(!heard.ends.isEmpty());
        QCOMPARE(heard.ends.first().error.kind, ErrorKind::ConnectionRefused);
        QCOMPARE(heard.ends.first().error.layer, Layer::Tcp);
    }

    void noCredentialGoesToANeighbourInTheClear()
    {
        WebSocketRequest request;
        request.url = QUrl(u"ws://192.0.2.1/x"_s);
        WebSocketClient client(request, window, quick());
        Heard heard(&client);
        client.start();
        TRY_VERIFY(!heard.ends.isEmpty());
        QCOMPARE(heard.ends.first().error.kind, ErrorKind::InvalidInput);
    }

    void onlyThePinnedAuthorityIsTrusted_data()
    {
        QTest::addColumn<int>("server"); // whose certificate it shows
        QTest::addColumn<int>("pinned");
        QTest::addColumn<bool>("trusted");
        QTest::newRow("ours, pinned") << 0 << 0 << true;
        QTest::newRow("ours, nothing pinned") << 0 << -1 << false;
        QTest::newRow("theirs, ours pinned") << 1 << 0 << false;
        QTest::newRow("pinned, for another name") << 2 << 2 << false;
    }
    void onlyThePinnedAuthorityIsTrusted()
    {
        QFETCH(int, server);
        QFETCH(int, pinned);
        QFETCH(bool, trusted);
        const std::array all{&*m_ours, &*m_theirs, &*m_misnamed};
        ScriptedServer peer(&all[size_t(server)]->server);
        peer.says = frame(0x82, "hello");
        WebSocketRequest request = peer.request(u"wss"_s);
        if (pinned >= 0)
            request.pinnedCa = all[size_t(pinned)]->authority;
        request.secretHeaders.emplaceBack("X-Token"_ba, std::make_shared<Secret>("hush"));
        WebSocketClient client(request, window, {.connectDeadline = 10s});
        Heard heard(&client);
        client.start();
        if (trusted) {
            TRY_VERIFY(heard.bytes == "hello");
            QVERIFY(peer.head.contains("X-Token: hush"));
            return;
        }
        TRY_VERIFY(!heard.ends.isEmpty());
        QCOMPARE(heard.ends.first().error.kind, ErrorKind::CertificateInvalid);
        QCOMPARE(heard.ends.first().error.layer, Layer::Tls);
        QVERIFY(peer.head.isEmpty());
    }

    void aPinThatIsNoCertificateIsSaid()
    {
        ScriptedServer peer(&m_ours->server);
        WebSocketRequest request = peer.request(u"wss"_s);
        request.pinnedCa = "nonsense";
        WebSocketClient client(request, window, quick());
        Heard heard(&client);
        client.start();
        TRY_VERIFY(!heard.ends.isEmpty());
        QCOMPARE(heard.ends.first().error.kind, ErrorKind::InvalidInput);
        QCOMPARE(heard.ends.first().error.layer, Layer::Tls);
    }

    void aServerThatSpeaksNoTlsIsSaid()
    {
        ScriptedServer peer;
        peer.greets = "HTTP/1.1 400 What\r\n\r\n"_ba;
        WebSocketClient client(peer.request(u"wss"_s), window, {.connectDeadline = 10s});
        Heard heard(&client);
        client.start();
        TRY_VERIFY(!heard.ends.isEmpty());
        QCOMPARE(heard.ends.first().error.layer, Layer::Tls);
        QCOMPARE(heard.ends.first().error.kind, ErrorKind::Protocol);
    }

    void outputWaitsInTheNetworkUntilThereIsRoom_data()
    {
        QTest::addColumn<bool>("tls");
        QTest::newRow("in the clear") << false;
        QTest::newRow("over TLS") << true;
    }
    void outputWaitsInTheNetworkUntilThereIsRoom()
    {
        QFETCH(bool, tls);
        constexpr qint64 size = 64 << 20;
        ScriptedServer server(tls ? &m_ours->server : nullptr);
        CuttableProxy network(server.port());
        QByteArray all;
        for (int i = 0; i < 16; ++i)
            all += frame(0x82, QByteArray(size / 16, char('a' + i)));
        server.says = all;
        WebSocketRequest request = server.request(tls ? u"wss"_s : u"ws"_s);
        request.url.setPort(network.port());
        request.pinnedCa = m_ours->authority;
        // The pings keep it alive while nothing is read, and the silence is not taken for a loss.
        WebSocketClient client(request, window, {.connectDeadline = 10s, .pingInterval = 200ms});
        Heard heard(&client);
        client.start();
        TRY_VERIFY(heard.bytes.size() == window);
        QVERIFY(!waitUntil([&] { return heard.bytes.size() > window || !heard.ends.isEmpty(); }, 1500));
        QVERIFY2(network.towardsClient() < size / 2, QByteArray::number(network.towardsClient()).constData());
        client.grant(1000);
        TRY_VERIFY(heard.bytes.size() == window + 1000);
        QVERIFY(server.heard.size() > 0); // pongs while it waited

        // All of it arrives, and what was sent before the end counts although the end is there already.
        qint64 granted = window + 1000;
        QObject context;
        connect(&client, &WebSocketClient::received, &context, [&](const QByteArray &) {
            if (granted - heard.bytes.size() < 1 << 20) {
                granted += 4 << 20;
                client.grant(4 << 20);
            }
        });
        granted += 1 << 20;
        client.grant(1 << 20);
        QVERIFY(waitUntil([&] { return heard.bytes.size() == size || !heard.ends.isEmpty(); }, 120'000));
        QCOMPARE(heard.bytes.size(), size);
        QVERIFY(heard.bytes.endsWith(QByteArray(1000, 'p')));
    }

    void whatWasSentBeforeAResetIsReadFirst()
    {
        ScriptedServer server;
        server.says = frame(0x82, QByteArray(40'000, 'x')) + frame(0x88, QByteArray("\x03\xe8") + "exit:9");
        server.then = ScriptedServer::Then::Close;
        WebSocketClient client(server.request(), 100, quick()); // room for little of it
        Heard heard(&client);
        client.start();
        TRY_VERIFY(heard.bytes.size() == 100);
        QVERIFY(!waitUntil([&] { return !heard.ends.isEmpty(); }, 500));
        client.grant(1 << 20);
        TRY_VERIFY(!heard.ends.isEmpty());
        QCOMPARE(heard.bytes.size(), 40'000);
        QCOMPARE(heard.ends.first().reason, u"exit:9"_s);
    }

    void closingSaysGoodbyeAndThenNothing()
    {
        ScriptedServer server;
        QPointer<WebSocketClient> client(new WebSocketClient(server.request(), window, quick()));
        Heard heard(client);
        client->start();
        TRY_VERIFY(heard.opened == 1);
        client->send("last words");
        client->close(1000, WebSocketClient::Afterwards::DeleteLater);
        QVERIFY(client);
        TRY_VERIFY(!client);
        QVERIFY(heard.ends.isEmpty());
        TRY_VERIFY(server.heard.size() >= 2 + 4 + 10 + 2 + 4 + 2);
        QCOMPARE(quint8(server.heard.at(0)), 0x82);
        QCOMPARE(quint8(server.heard.at(16)), 0x88);
    }

    // --- the PTY's own messages ---

    void whatFollowsOurGoodbyeIsReceived_data()
    {
        QTest::addColumn<bool>("answers");
        QTest::addColumn<ScriptedServer::Then>("then");
        QTest::addColumn<int>("code");
        QTest::newRow("answered") << true << ScriptedServer::Then::Stay << 1000;
        QTest::newRow("closed without an answer") << false << ScriptedServer::Then::Close << 1006;
        QTest::newRow("reset") << false << ScriptedServer::Then::Reset << 1006;
        QTest::newRow("silence") << false << ScriptedServer::Then::Stay << 1006;
    }
    void whatFollowsOurGoodbyeIsReceived()
    {
        QFETCH(const bool, answers);
        QFETCH(const ScriptedServer::Then, then);
        QFETCH(const int, code);
        ScriptedServer server;
        WebSocketTiming timing;
        timing.drainDeadline = then == ScriptedServer::Then::Stay && !answers ? 2s : 60s;
        WebSocketClient client(server.request(), window, timing);
        Heard heard(&client);
        client.start();
        TRY_VERIFY(heard.opened == 1);
        client.send("last");
        client.finish(1000);
        client.send("too late");
        client.ping("p");
        TRY_VERIFY(server.heard.size() >= 18); // both frames, each with its mask
        server.client->write(frame(0x82, "tail"));
        TRY_VERIFY(heard.bytes == "tail");
        QVERIFY(heard.ends.isEmpty() || code == 1006);
        if (answers)
            server.client->write(frame(0x88, QByteArray::fromHex("03e8")));
        if (then == ScriptedServer::Then::Close)
            server.client->disconnectFromHost();
        if (then == ScriptedServer::Then::Reset)
            server.client->abort();
        TRY_VERIFY(heard.ends.size() == 1);
        QVERIFY(heard.ends.first().wasOpen && heard.ends.first().hasCode);
        QCOMPARE(heard.ends.first().code, code);
        QCOMPARE(server.heard.size(), 18);
    }

    void ptyMessagesThatAreWrongAreSaid_data()
    {
        QTest::addColumn<QByteArray>("says");
        QTest::addColumn<int>("then");
        QTest::addColumn<int>("end"); // ShellEnd::Kind
        QTest::addColumn<int>("exitCode");
        QTest::addColumn<int>("notices");
        QTest::addColumn<QByteArray>("shown");
        using enum ScriptedServer::Then;
        using End = ShellEnd::Kind;
        const auto row = [](const char *name, const QByteArray &says, End end, int exitCode = 0, int notices = 0,
                            const QByteArray &shown = {}, ScriptedServer::Then then = Stay) {
            QTest::newRow(name) << says << int(then) << int(end) << exitCode << notices << shown;
        };
        const auto bye = [](quint16 code, const QByteArray &reason) {
            return frame(0x88, QByteArray(1, char(code >> 8)) + char(code & 0xff) + reason);
        };
        const QByteArray out = frame(0x82, QByteArray("\0out", 4));
        row("exit message", out + frame(0x82, QByteArray("\3\0\0\0\7", 5)) + bye(1000, "exit:7"), End::Exited, 7, 0, "out");
        row("a negative code", frame(0x82, QByteArray("\3\xff\xff\xff\xff", 5)), End::Signalled, -1);
        row("reason alone", out + bye(1000, "exit:42"), End::Exited, 42, 0, "out");
        row("reason alone, by a signal", bye(1000, "exit:-1"), End::Signalled, -1);
        row("a reason that says no number", bye(1000, "exit:soon"), End::Exited, -1);
        row("a number too large", bye(1000, "exit:99999999999999"), End::Exited, -1);
        row("killed", bye(1001, "session terminated"), End::Killed);
        row("a proxy that goes away", bye(1001, "going away"), End::Lost);
        row("a plain goodbye", bye(1000, ""), End::Lost);
        row("a goodbye without a code", frame(0x88, {}), End::Lost);
        row("lagged", bye(1008, "output lagged by 9 messages"), End::Lost);
        row("cut", out, End::Lost, 0, 0, "out", Close);
        row("exit message too short", frame(0x82, QByteArray("\3\0\0", 3)), End::Lost);
        row("exit message too long", frame(0x82, QByteArray("\3\0\0\0\0\0", 6)), End::Lost);
        row("exit message without end", frame(0x02, QByteArray("\3", 1)) + frame(0x00, QByteArray(90'000, 'x')), End::Lost);
        row("exit message in pieces", frame(0x02, QByteArray("\3\0", 2)) + frame(0x80, QByteArray("\0\0\5", 3)), End::Exited, 5);
        row("unknown messages are left out", frame(0x82, "\x7fnew") + frame(0x81, "text") + frame(0x82, {}) + out + bye(1000, "exit:0"),
            End::Exited, 0, 1, "out");
        row("an unknown one of a megabyte", frame(0x82, QByteArray(1 << 20, '\x09')) + out + bye(1000, "exit:0"), End::Exited, 0, 1, "out");
        row("output without content", frame(0x82, QByteArray("\0", 1)) + bye(1000, "exit:0"), End::Exited);
    }
    void ptyMessagesThatAreWrongAreSaid()
    {
        QFETCH(QByteArray, says);
        QFETCH(int, then);
        QFETCH(int, end);
        QFETCH(int, exitCode);
        QFETCH(int, notices);
        QFETCH(QByteArray, shown);
        ScriptedServer server;
        server.says = says;
        server.then = ScriptedServer::Then(then);
        PtyEndpoint endpoint;
        endpoint.subject = u"my-box"_s;
        endpoint.request = [&](const PtyHandle &) { return server.request(); };
        endpoint.create = [](TerminalSize) {
            return QtFuture::makeReadyValueFuture(Result<PtyHandle>(PtyHandle{u"s"_s, std::make_shared<Secret>("t")}));
        };
        endpoint.kill = [](const QString &) { return QtFuture::makeReadyValueFuture(Done()); };
        PtyShell shell(endpoint, std::nullopt);
        QList<ShellEnd> ends;
        QByteArray output;
        int noticed = 0;
        connect(&shell, &Shell::ended, this, [&](const ShellEnd &how) { ends += how; });
        connect(&shell, &Shell::outputReceived, this, [&](const QByteArray &bytes) { output += bytes; });
        connect(&shell, &Shell::noticeReceived, this, [&] { ++noticed; });
        shell.open({80, 24});
        TRY_VERIFY(!ends.isEmpty());
        QCOMPARE(int(ends.first().kind), end);
        QCOMPARE(ends.first().exitCode, exitCode);
        QCOMPARE(noticed, notices);
        QCOMPARE(output, shown);
        QCOMPARE(shell.canReattach(), ends.first().kind == ShellEnd::Kind::Lost);
        if (ends.first().kind == ShellEnd::Kind::Lost)
            QVERIFY(!ends.first().error.detail.isEmpty());
        if (server.then != ScriptedServer::Then::Stay)
            return;
        // READY is what the server hears first.
        TRY_VERIFY(server.heard.size() >= 7);
        QCOMPARE(quint8(server.heard.at(0)), 0x82);
        QCOMPARE(quint8(server.heard.at(1)), 0x81);
        QCOMPARE(server.heard.at(6) ^ server.heard.at(2), 0x02);
    }

private:
    QTemporaryDir m_folder;
    std::optional<Certificates> m_ours;
    std::optional<Certificates> m_theirs;
    std::optional<Certificates> m_misnamed;
};

QTEST_GUILESS_MAIN(TestWebSocketClient)
#include "tst_websocketclient.moc"

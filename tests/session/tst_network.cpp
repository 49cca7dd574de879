// One proxy and one authority for everything that leaves: HTTP, WebSockets, SSH over TCP and over a
// WebSocket, each with its real server behind a proxy that is the only one to know the way.
#include "session/errortext.h"
#include "session/httpclient.h"
#include "session/netproxy.h"
#include "session/networksetting.h"
#include "session/sshlink.h"
#include "session/websocketclient.h"

#include "tests/support/hostilehttpserver.h"
#include "tests/support/linkrun.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedproxy.h"
#include "tests/support/testsshd.h"
#include "tests/support/tunnelserver.h"

#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int kPatience = 60'000;
const QString kFar = u"box.invalid"_s; // only the proxy could know it

// What leaves, and whose handshake it has with a proxy: ours, or Qt's for HTTP.
enum class Traffic { Http, WebSocket, Ssh, SshInWebSocket };
enum class Credentials { None, Right, Wrong };

// What came of one connection.
struct Outcome
{
    bool done = false;
    QByteArray output; // "there" where it went through
    Error error;
};

QList<ScriptedProxy::Step> stepsFor(Traffic traffic, bool isSocks, Credentials credentials)
{
    const bool isQt = traffic == Traffic::Http;
    if (!isSocks) {
        const QByteArray no = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
        const QByteArray yes = "HTTP/1.1 200 Connection established\r\n\r\n";
        switch (credentials) {
        case Credentials::None: return {{0, yes}};
        case Credentials::Right: return isQt ? QList<ScriptedProxy::Step>{{0, no}, {0, yes}} : QList<ScriptedProxy::Step>{{0, yes}};
        case Credentials::Wrong: return isQt ? QList<ScriptedProxy::Step>{{0, no}, {0, no}} : QList<ScriptedProxy::Step>{{0, no}};
        }
    }
    const QByteArray open("\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x16", 10);
    if (credentials == Credentials::None)
        return {{3, QByteArray("\x05\x00", 2)}, {18, open}};
    const int greeting = isQt ? 3 : 4;
    if (credentials == Credentials::Wrong)
        return {{greeting, "\x05\x02"}, {7, "\x01\x01"}};
    return {{greeting, "\x05\x02"}, {7, QByteArray("\x01\x00", 2)}, {18, open}};
}

NetworkSetting manual(bool isSocks, quint16 port, const QString &user = {})
{
    NetworkSetting setting;
    setting.proxy = NetworkSetting::Proxy::Manual;
    setting.address = u"%1://127.0.0.1:%2"_s.arg(isSocks ? u"socks5"_s : u"http"_s).arg(port);
    setting.user = user;
    return setting;
}

} // namespace

class TestNetwork : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_sshd;
    std::unique_ptr<HostileHttpServer> m_http;
    std::unique_ptr<TunnelServer> m_echo;
    std::unique_ptr<TunnelServer> m_tunnel;
    TestCertificates m_ours;
    TestCertificates m_theirs;
    QTemporaryDir m_folder;
    RecordingPrompts m_prompts;

    [[nodiscard]] quint16 portOf(Traffic traffic) const
    {
        switch (traffic) {
        case Traffic::Http: return m_http->port();
        case Traffic::WebSocket: return m_echo->port();
        case Traffic::Ssh: return m_sshd->port();
        case Traffic::SshInWebSocket: return m_tunnel->port();
        }
        Q_UNREACHABLE_RETURN(0);
    }

    static Outcome overHttp(const QUrl &url, const QByteArray &pinned = {})
    {
        HttpClient client({nullptr, pinned, {}});
        return overHttp(client, url);
    }
    static Outcome overHttp(HttpClient &client, const QUrl &url)
    {
        Outcome outcome;
        HttpRequest request;
        request.url = url;
        QObject::connect(client.send(request), &HttpCall::finished, &client, [&](const Result<HttpReply> &reply) {
            outcome = {true, reply ? reply->body : QByteArray(), reply ? Error() : reply.error()};
        });
        (void)QTest::qWaitFor([&] { return outcome.done; }, kPatience);
        return outcome;
    }
    static Outcome overWebSocket(const QUrl &url, const QByteArray &pinned = {})
    {
        Outcome outcome;
        WebSocketRequest request;
        request.url = url;
        request.pinnedCa = pinned;
        WebSocketClient client(request, 1 << 20, {.connectDeadline = 20s});
        QObject::connect(&client, &WebSocketClient::opened, &client, [&] { client.send("there"); });
        QObject::connect(&client, &WebSocketClient::received, &client, [&](const QByteArray &piece) { outcome = {true, piece, {}}; });
        QObject::connect(&client, &WebSocketClient::ended, &client, [&](const WebSocketEnd &end) { outcome = {true, {}, end.error}; });
        client.start();
        (void)QTest::qWaitFor([&] { return outcome.done; }, kPatience);
        return outcome;
    }
    Outcome overSsh(const LinkOptions &options)
    {
        LinkRun run(options, {u"printf"_s, u"there"_s}, &m_prompts);
        (void)QTest::qWaitFor([&] { return !run.ends.isEmpty() || !run.errors.isEmpty(); }, kPatience);
        return {true, run.output, run.errors.isEmpty() ? Error() : run.errors.constFirst()};
    }
    Outcome attempt(Traffic traffic, const QString &host)
    {
        const quint16 port = portOf(traffic);
        const QUrl https(u"https://%1:%2/"_s.arg(host).arg(port));
        QUrl wss = https;
        wss.setScheme(u"wss"_s);
        LinkOptions options = m_sshd->options();
        options.connectTimeout = 20s;
        switch (traffic) {
        case Traffic::Http: return overHttp(https);
        case Traffic::WebSocket: return overWebSocket(wss);
        case Traffic::Ssh:
            options.endpoint.host = host;
            return overSsh(options);
        case Traffic::SshInWebSocket: {
            WebSocketRequest request;
            request.url = wss;
            options.transport = WebSocketTransport{request};
            return overSsh(options);
        }
        }
        Q_UNREACHABLE_RETURN({});
    }
    static void addTraffic()
    {
        QTest::addColumn<int>("traffic");
        QTest::addColumn<bool>("isSocks");
        const std::pair<Traffic, const char *> all[] = {{Traffic::Http, "HTTP"}, {Traffic::WebSocket, "WebSocket"}, {Traffic::Ssh, "SSH"}, {Traffic::SshInWebSocket, "SSH in a WebSocket"}};
        for (const auto &[traffic, name] : all) {
            QTest::addRow("%s, SOCKS5", name) << int(traffic) << true;
            QTest::addRow("%s, CONNECT", name) << int(traffic) << false;
        }
    }

private slots:
    void initTestCase()
    {
        for (const char *name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"})
            qunsetenv(name);
        m_sshd = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_sshd);
        m_ours = TestCertificates::make(m_folder.path(), u"ours"_s);
        m_theirs = TestCertificates::make(m_folder.path(), u"theirs"_s);
        QVERIFY(m_ours.isValid && m_theirs.isValid);
        m_http = std::make_unique<HostileHttpServer>(&m_ours.server);
        m_http->answer = [](const SeenRequest &) { return HostileHttpServer::json("there"); };
        m_echo = std::make_unique<TunnelServer>(QStringList(), nullptr, &m_ours.server);
        m_tunnel = std::make_unique<TunnelServer>(m_sshd->stdioCommand(), nullptr, &m_ours.server);
    }
    void cleanup() { putInForce({}, nullptr); }

    void everythingGoesThroughTheOneProxy_data() { addTraffic(); }
    void everythingGoesThroughTheOneProxy()
    {
        QFETCH(int, traffic);
        QFETCH(bool, isSocks);
        for (const Credentials credentials : {Credentials::None, Credentials::Right}) {
            ScriptedProxy proxy(stepsFor(Traffic(traffic), isSocks, credentials), portOf(Traffic(traffic)));
            const bool signsIn = credentials != Credentials::None;
            NetworkSetting setting = manual(isSocks, proxy.port(), signsIn ? u"me"_s : QString());
            setting.authority = m_ours.authority;
            putInForce(setting, signsIn ? std::make_shared<Secret>("pw") : nullptr);
            const Outcome outcome = attempt(Traffic(traffic), kFar);
            const QByteArray said = describe(outcome.error).toUtf8() + " / " + proxy.received.toHex();
            QVERIFY2(outcome.output == "there", said.constData());
            QVERIFY2(proxy.received.contains(kFar.toLatin1()), said.constData());
            if (signsIn)
                QVERIFY2(proxy.received.contains(isSocks ? QByteArray("\x02me\x02pw") : "Basic " + QByteArray("me:pw").toBase64()), said.constData());
        }
    }

    void wrongCredentialsAreSaid_data() { addTraffic(); }
    void wrongCredentialsAreSaid()
    {
        QFETCH(int, traffic);
        QFETCH(bool, isSocks);
        ScriptedProxy proxy(stepsFor(Traffic(traffic), isSocks, Credentials::Wrong));
        NetworkSetting setting = manual(isSocks, proxy.port(), u"me"_s);
        setting.authority = m_ours.authority;
        putInForce(setting, std::make_shared<Secret>("no"));
        const Outcome outcome = attempt(Traffic(traffic), kFar);
        QVERIFY2(outcome.error.kind == ErrorKind::AuthRejected, qPrintable(describe(outcome.error)));
        const QString sentence = errorText(outcome.error).sentence;
        QVERIFY2(sentence.contains("does not accept the user name and password"_L1), qPrintable(sentence));
        QVERIFY2(sentence.startsWith(u"The proxy 127.0.0.1:%1 "_s.arg(proxy.port())), qPrintable(sentence));
        QCOMPARE(errorText(outcome.error).step, NextStep::CheckNetwork);
        QVERIFY(!sentence.contains("no:"_L1));
    }

    void aProxyWithoutAnAddressLetsNothingOut_data() { addTraffic(); }
    void aProxyWithoutAnAddressLetsNothingOut()
    {
        QFETCH(int, traffic);
        NetworkSetting setting;
        setting.proxy = NetworkSetting::Proxy::Manual;
        putInForce(setting, nullptr);
        const Outcome outcome = attempt(Traffic(traffic), kFar);
        QVERIFY2(outcome.error.kind == ErrorKind::InvalidInput, qPrintable(describe(outcome.error)));
        QVERIFY2(errorText(outcome.error).sentence.contains("proxy"_L1), qPrintable(errorText(outcome.error).sentence));
    }

    void thisComputerAndNamedHostsGoWithoutIt_data() { addTraffic(); }
    void thisComputerAndNamedHostsGoWithoutIt()
    {
        QFETCH(int, traffic);
        QFETCH(bool, isSocks);
        ScriptedProxy proxy(stepsFor(Traffic(traffic), isSocks, Credentials::None), portOf(Traffic(traffic)));
        NetworkSetting setting = manual(isSocks, proxy.port());
        setting.authority = m_ours.authority;
        setting.exceptions = u"elsewhere.example, 127.0.0.2"_s;
        putInForce(setting, nullptr);
        QCOMPARE(attempt(Traffic(traffic), u"127.0.0.1"_s).output, QByteArray("there"));
        // Nobody listens there, and the proxy is not asked either.
        const Outcome exempt = attempt(Traffic(traffic), u"127.0.0.2"_s);
        QVERIFY2(exempt.error.kind == ErrorKind::ConnectionRefused, qPrintable(describe(exempt.error)));
        QCOMPARE(proxy.received, QByteArray());
        // Not named, it is asked for there, and nowhere else where it is refused.
        ScriptedProxy refusing({isSocks ? ScriptedProxy::Step{3, "\x05\xff"} : ScriptedProxy::Step{0, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"}});
        putInForce(manual(isSocks, refusing.port()), nullptr);
        QCOMPARE(attempt(Traffic(traffic), u"127.0.0.2"_s).output, QByteArray());
        QVERIFY(!refusing.received.isEmpty());
    }

    void theSystemsSshDoesNotGoAroundTheProxy()
    {
        ScriptedProxy proxy(stepsFor(Traffic::Ssh, true, Credentials::None), m_sshd->port());
        putInForce(manual(true, proxy.port()), nullptr);
        LinkOptions options = m_sshd->options();
        options.endpoint.host = kFar;
        options.endpoint.hostKey.clear();
        // Known by an authority alone: then the system's ssh is asked to go there, where it can.
        QFile known(m_folder.filePath(u"known_hosts"_s));
        QVERIFY(known.open(QIODevice::WriteOnly));
        known.write("@cert-authority * " + m_sshd->hostKey() + '\n');
        known.close();
        options.knownHostsFiles = {known.fileName()};
        m_prompts.asked.clear();
        (void)overSsh(options);
        QVERIFY(proxy.received.contains(kFar.toLatin1()));
        QCOMPARE(m_prompts.asked.size(), 1);
        QVERIFY2(m_prompts.asked[0].text.contains("could not get there: it does not know the proxy"_L1), qPrintable(m_prompts.asked[0].text));
    }

    void noneMeansNoneWhateverTheEnvironmentSays()
    {
        qputenv("https_proxy", "http://p.example:1");
        NetworkSetting setting;
        QCOMPARE(webProxyFor(QUrl(u"https://a.example"_s)).host, u"p.example"_s);
        QCOMPARE(sshProxyFrom({"all_proxy=socks5://q.example"}, u"a.example"_s, 22).host, u"q.example"_s);
        setting.proxy = NetworkSetting::Proxy::None;
        putInForce(setting, nullptr);
        const auto web = webProxyFor(QUrl(u"https://a.example"_s)).kind;
        const auto ssh = sshProxyFrom({"all_proxy=socks5://q.example"}, u"a.example"_s, 22).kind;
        qunsetenv("https_proxy");
        QCOMPARE(web, ProxySetting::Kind::None);
        QCOMPARE(ssh, ProxySetting::Kind::None);
    }

    void aWebSocketUsesTheProxyOfTheEnvironmentToo()
    {
        ScriptedProxy proxy(stepsFor(Traffic::WebSocket, true, Credentials::None), m_echo->port());
        qputenv("https_proxy", "socks5://127.0.0.1:" + QByteArray::number(proxy.port()));
        NetworkSetting setting;
        setting.authority = m_ours.authority;
        putInForce(setting, nullptr);
        const Outcome outcome = attempt(Traffic::WebSocket, kFar);
        qunsetenv("https_proxy");
        QCOMPARE(outcome.output, QByteArray("there"));
    }

    void aWebSocketThatIsGivenUpLeavesTheProxyAlone()
    {
        ScriptedProxy proxy({{1 << 20, {}}});
        proxy.isSilent = true;
        putInForce(manual(false, proxy.port()), nullptr);
        WebSocketRequest request;
        request.url = QUrl(u"wss://box.invalid/"_s);
        auto client = std::make_unique<WebSocketClient>(request, 1024, WebSocketTiming{.connectDeadline = 1h});
        int ends = 0;
        QObject::connect(client.get(), &WebSocketClient::ended, this, [&] { ++ends; });
        client->start();
        QTest::qWait(0);
        client->close(1000, WebSocketClient::Afterwards::Keep);
        client.reset(); // returns: nothing waits for the proxy
        QCOMPARE(ends, 0);
    }

    void theAuthorityOpensItsOwnServersAlone_data()
    {
        QTest::addColumn<int>("extra");  // 0: ours, 1: theirs, -1: none
        QTest::addColumn<int>("pinned"); // of the account
        QTest::addColumn<bool>("reaches"); // a server of ours
        QTest::newRow("none") << -1 << -1 << false;
        QTest::newRow("its authority") << 0 << -1 << true;
        QTest::newRow("another authority") << 1 << -1 << false;
        QTest::newRow("an account with its own keeps to it") << 0 << 1 << false;
        QTest::newRow("and is not widened by another") << 1 << 0 << true;
    }
    void theAuthorityOpensItsOwnServersAlone()
    {
        QFETCH(int, extra);
        QFETCH(int, pinned);
        QFETCH(bool, reaches);
        const auto pem = [this](int which) { return which < 0 ? QByteArray() : which == 0 ? m_ours.authority : m_theirs.authority; };
        NetworkSetting setting;
        setting.authority = pem(extra);
        putInForce(setting, nullptr);
        const Outcome outcomes[] = {overHttp(QUrl(m_http->url()), pem(pinned)),
                                    overWebSocket(QUrl(u"wss://127.0.0.1:%1/"_s.arg(m_echo->port())), pem(pinned))};
        for (const Outcome &outcome : outcomes) {
            QVERIFY2((outcome.output == "there") == reaches, qPrintable(describe(outcome.error)));
            if (!reaches)
                QCOMPARE(outcome.error.kind, ErrorKind::CertificateInvalid);
        }
    }

    void theSystemsAuthoritiesStay()
    {
        const auto system = QSslConfiguration::systemCaCertificates();
        NetworkSetting setting;
        setting.authority = m_ours.authority;
        putInForce(setting, nullptr);
        QCOMPARE(networkInForce()->authorities.size(), system.size() + 1);
        QVERIFY(networkInForce()->authorities.contains(QSslCertificate(m_ours.authority)));
    }

    void aChangeHoldsForTheNextConnectionOfTheSameClient()
    {
        HttpClient client({nullptr, {}, {}});
        QCOMPARE(overHttp(client, QUrl(m_http->url())).error.kind, ErrorKind::CertificateInvalid);
        NetworkSetting setting;
        setting.authority = m_ours.authority;
        putInForce(setting, nullptr);
        QCOMPARE(overHttp(client, QUrl(m_http->url())).output, QByteArray("there"));
        setting.authority.clear();
        putInForce(setting, nullptr);
        QCOMPARE(overHttp(client, QUrl(m_http->url())).error.kind, ErrorKind::CertificateInvalid);
    }

    void whatCannotBeAnAuthorityIsSaid_data()
    {
        QTest::addColumn<QString>("file"); // of the folder; empty: nonsense
        QTest::addColumn<int>("days");     // from now
        QTest::addColumn<QString>("words"); // empty: it can be
        QTest::newRow("an authority") << u"ours-ca.pem"_s << 0 << QString();
        QTest::newRow("nothing") << QString() << 0 << u"no certificate in PEM form"_s;
        QTest::newRow("a private key") << u"ours-ca.key"_s << 0 << u"private key"_s;
        QTest::newRow("a server's") << u"ours.pem"_s << 0 << u"of a server"_s;
        QTest::newRow("expired") << u"ours-ca.pem"_s << 10 << u"“ours” expired on"_s;
        QTest::newRow("not yet") << u"ours-ca.pem"_s << -10 << u"valid only from"_s;
    }
    void whatCannotBeAnAuthorityIsSaid()
    {
        QFETCH(QString, file);
        QFETCH(int, days);
        QFETCH(QString, words);
        QFile in(m_folder.filePath(file));
        const QByteArray pem = !file.isEmpty() && in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray("nonsense");
        const Done done = checkAuthority(pem, QDateTime::currentDateTimeUtc().addDays(days));
        QCOMPARE(done.has_value(), words.isEmpty());
        if (!done)
            QVERIFY2(done.error().detail.contains(words), qPrintable(done.error().detail));
    }
};

QTEST_GUILESS_MAIN(TestNetwork)
#include "tst_network.moc"

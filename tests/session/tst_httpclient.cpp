#include "session/httpclient.h"
#include "session/netproxy.h"
#include "tests/support/hostilehttpserver.h"

#include <QEventLoop>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

using Reply = Result<HttpReply>;

HttpClient::Options options(const QByteArray &pinned = {})
{
    return {std::make_shared<Secret>("tl_key"), pinned, {1ms, 1ms}};
}

// Waits for the one answer; a call that never answers fails its test by kind Unsupported.
Reply waited(HttpCall *call)
{
    Reply result = failure(ErrorKind::Unsupported, Layer::Http, u"never finished"_s);
    int times = 0;
    QObject::connect(call, &HttpCall::finished, call, [&](const Reply &reply) {
        result = reply;
        ++times;
    });
    QEventLoop loop; // not QTest's waiting, which naps
    QObject::connect(call, &QObject::destroyed, &loop, &QEventLoop::quit);
    QTimer::singleShot(40s, &loop, &QEventLoop::quit);
    loop.exec();
    if (times != 1)
        return failure(ErrorKind::Unsupported, Layer::Http, u"finished %1 times"_s.arg(times));
    return result;
}

HttpRequest request(const QString &url, HttpRequest::Verb verb = HttpRequest::Verb::Get)
{
    HttpRequest out;
    out.verb = verb;
    out.url = QUrl(url);
    return out;
}

} // namespace

class TestHttpClient : public QObject
{
    Q_OBJECT
private slots:
    void aRequestSaysWhatItMust()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json(R"({"a":1})", 201); };
        HttpClient client(options());
        HttpRequest post = request(server.url() + u"/x/y?q=1"_s, HttpRequest::Verb::Post);
        post.headers = {{"Host", "abc.local"}, {"X-One", "1"}};
        post.contentType = "application/json";
        post.body = "{}";
        const Reply reply = waited(client.send(post));
        QVERIFY(reply);
        QCOMPARE(reply->status, 201);
        QCOMPARE(reply->body, R"({"a":1})"_ba);
        QCOMPARE(server.seen.size(), 1);
        const SeenRequest seen = server.seen.first();
        QCOMPARE(seen.verb, "POST"_ba);
        QCOMPARE(seen.target, "/x/y?q=1"_ba);
        QCOMPARE(seen.body, "{}"_ba);
        QCOMPARE(seen.headers.value("authorization"), "Bearer tl_key"_ba);
        QCOMPARE(seen.headers.value("host"), "abc.local"_ba);
        QCOMPARE(seen.headers.value("x-one"), "1"_ba);
        QVERIFY(seen.headers.value("user-agent").startsWith("Sandpiper/"));
    }

    void everyVerbGoesOut_data()
    {
        QTest::addColumn<int>("verb");
        QTest::addColumn<QByteArray>("name");
        QTest::newRow("get") << int(HttpRequest::Verb::Get) << "GET"_ba;
        QTest::newRow("post without a body") << int(HttpRequest::Verb::Post) << "POST"_ba;
        QTest::newRow("put") << int(HttpRequest::Verb::Put) << "PUT"_ba;
        QTest::newRow("patch") << int(HttpRequest::Verb::Patch) << "PATCH"_ba;
        QTest::newRow("delete") << int(HttpRequest::Verb::Delete) << "DELETE"_ba;
    }
    void everyVerbGoesOut()
    {
        QFETCH(int, verb);
        QFETCH(QByteArray, name);
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return Scripted{"HTTP/1.1 204 No Content\r\n\r\n"}; };
        HttpClient client(options());
        const Reply reply = waited(client.send(request(server.url(), HttpRequest::Verb(verb))));
        QVERIFY(reply);
        QCOMPARE(reply->status, 204);
        QCOMPARE(server.seen.first().verb, name);
    }

    void aBodyIsSentOnce_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<bool>("fresh");
        QTest::addColumn<bool>("warm");
        for (const bool fresh : {false, true}) {
            for (const bool warm : {false, true}) {
                const QByteArray where = QByteArray(fresh ? "fresh" : "shared") + (warm ? " after others" : "");
                QTest::newRow("small, " + where) << "{\"name\":\"x\"}"_ba << fresh << warm;
                QTest::newRow("empty, " + where) << ""_ba << fresh << warm;
                QTest::newRow("large, " + where) << QByteArray(300'000, 'x') << fresh << warm;
            }
        }
    }
    void aBodyIsSentOnce()
    {
        QFETCH(QByteArray, body);
        QFETCH(bool, fresh);
        QFETCH(bool, warm);
        HostileHttpServer server;
        server.answer = [](const SeenRequest &seen) {
            return seen.verb == "GET" ? HostileHttpServer::json("{}") : Scripted{{}, Scripted::Then::Close};
        };
        HttpClient client(options());
        if (warm)
            QVERIFY(waited(client.send(request(server.url()))));
        server.seen.clear();
        HttpRequest post = request(server.url(), HttpRequest::Verb::Post);
        post.body = body;
        post.connection = fresh ? HttpRequest::Connection::Fresh : HttpRequest::Connection::Shared;
        const Reply reply = waited(client.send(post));
        QVERIFY(!reply);
        QCOMPARE(reply.error().kind, ErrorKind::ConnectionLost);
        QTest::qWait(100); // a second request would come at once
        QCOMPARE(server.seen.size(), 1);
    }

    void aGetIsTriedAgainWithinReason_data()
    {
        QTest::addColumn<QByteArray>("bad");
        QTest::addColumn<int>("badTimes");
        QTest::addColumn<int>("requests");
        QTest::addColumn<int>("status");
        QTest::newRow("502 twice") << HostileHttpServer::reply(502, "") << 2 << 3 << 200;
        QTest::newRow("503 once") << HostileHttpServer::reply(503, "") << 1 << 2 << 200;
        QTest::newRow("504 for ever") << HostileHttpServer::reply(504, "late") << 99 << 3 << 504;
        QTest::newRow("500 never") << HostileHttpServer::reply(500, "") << 99 << 1 << 500;
        QTest::newRow("429 never") << HostileHttpServer::reply(429, "", "Retry-After: 7\r\n") << 99 << 1 << 429;
    }
    void aGetIsTriedAgainWithinReason()
    {
        QFETCH(QByteArray, bad);
        QFETCH(int, badTimes);
        HostileHttpServer server;
        server.answer = [&, count = 0](const SeenRequest &) mutable {
            return ++count <= badTimes ? Scripted{bad} : HostileHttpServer::json("{}");
        };
        HttpClient client(options());
        const Reply reply = waited(client.send(request(server.url())));
        QVERIFY(reply);
        QTEST(reply->status, "status");
        QTEST(int(server.seen.size()), "requests");
        if (reply->status == 429)
            QCOMPARE(reply->retryAfter, 7s);
    }

    void aPostIsNeverTriedAgain()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return Scripted{HostileHttpServer::reply(503, "")}; };
        HttpClient client(options());
        QCOMPARE(waited(client.send(request(server.url(), HttpRequest::Verb::Post)))->status, 503);
        QCOMPARE(server.seen.size(), 1);
    }

    void redirectsAreRefused_data()
    {
        QTest::addColumn<int>("status");
        for (const int status : {301, 302, 303, 307, 308})
            QTest::addRow("%d", status) << status;
    }
    void redirectsAreRefused()
    {
        QFETCH(int, status);
        HostileHttpServer thief;
        HostileHttpServer server;
        server.answer = [&](const SeenRequest &) {
            return Scripted{HostileHttpServer::reply(status, "", "Location: " + thief.url().toLatin1() + "/steal\r\n")};
        };
        HttpClient client(options());
        for (const auto verb : {HttpRequest::Verb::Get, HttpRequest::Verb::Post}) {
            const Reply reply = waited(client.send(request(server.url(), verb)));
            QVERIFY(!reply);
            QCOMPARE(reply.error().kind, ErrorKind::Protocol);
            QVERIFY2(reply.error().detail.contains(u"redirect to 127.0.0.1:%1"_s.arg(thief.port())), qUtf8Printable(reply.error().detail));
        }
        QCOMPARE(thief.connections, 0);
    }

    void silenceEndsWithATimeout_data()
    {
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("nothing") << ""_ba;
        QTest::newRow("half a status line") << "HTTP/1."_ba;
        QTest::newRow("headers") << "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"_ba;
        QTest::newRow("half a body") << "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"_ba;
    }
    void silenceEndsWithATimeout()
    {
        QFETCH(QByteArray, said);
        HostileHttpServer server;
        server.answer = [&](const SeenRequest &) { return Scripted{said, Scripted::Then::Silence}; };
        HttpClient client(options());
        HttpRequest get = request(server.url());
        get.idleTime = 300ms;
        const Reply idle = waited(client.send(get));
        QCOMPARE(idle.error().kind, ErrorKind::Timeout);
        QCOMPARE(idle.error().layer, Layer::Http);
        get.idleTime = 0ms;
        get.totalTime = 300ms;
        QCOMPARE(waited(client.send(get)).error().kind, ErrorKind::Timeout);
    }

    void damagedAnswersAreErrors_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("kind");
        QTest::newRow("body cut short") << "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"_ba << int(ErrorKind::ConnectionLost);
        QTest::newRow("no HTTP") << "SSH-2.0-OpenSSH_10.0\r\n\r\n"_ba << int(ErrorKind::ConnectionLost);
        QTest::newRow("too large, said") << "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"_ba + QByteArray(99999, 'x') << int(ErrorKind::TooLarge);
        QTest::newRow("too large, not said") << "HTTP/1.1 200 OK\r\n\r\n"_ba + QByteArray(99999, 'x') << int(ErrorKind::TooLarge);
        QTest::newRow("too large error") << "HTTP/1.1 500 No\r\n\r\n"_ba + QByteArray(99999, 'x') << int(ErrorKind::TooLarge);
        QTest::newRow("endless header") << "HTTP/1.1 200 OK\r\nA: "_ba + QByteArray(200'000, 'x') << int(ErrorKind::ConnectionLost);
    }
    void damagedAnswersAreErrors()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, kind);
        HostileHttpServer server;
        server.answer = [&](const SeenRequest &) { return Scripted{bytes, Scripted::Then::Close}; };
        HttpClient client(options());
        HttpRequest get = request(server.url());
        get.maxBytes = 50'000;
        const Reply reply = waited(client.send(get));
        QVERIFY(!reply);
        QCOMPARE(nameOf(reply.error().kind), nameOf(ErrorKind(kind)));
    }

    void nobodyThereNamesTheLayer()
    {
        QTcpServer free;
        QVERIFY(free.listen(QHostAddress::LocalHost));
        const QString url = u"http://127.0.0.1:%1"_s.arg(free.serverPort());
        free.close();
        HttpClient client(options());
        const Reply refused = waited(client.send(request(url)));
        QCOMPARE(refused.error().kind, ErrorKind::ConnectionRefused);
        QCOMPARE(refused.error().layer, Layer::Tcp);
        QVERIFY(refused.error().subject.startsWith(u"127.0.0.1:"_s));
        const Reply unknown = waited(client.send(request(u"https://no-such-host.invalid/"_s)));
        QCOMPARE(unknown.error().kind, ErrorKind::HostNotFound);
        QCOMPARE(unknown.error().layer, Layer::Dns);
        QCOMPARE(unknown.error().subject, u"no-such-host.invalid"_s);
    }

    void unusableRequestsSendNothing_data()
    {
        QTest::addColumn<QString>("url");
        QTest::newRow("http elsewhere") << u"http://192.0.2.1/"_s;
        QTest::newRow("no scheme") << u"example.com"_s;
        QTest::newRow("file") << u"file:///etc/passwd"_s;
        QTest::newRow("empty") << QString();
    }
    void unusableRequestsSendNothing()
    {
        QFETCH(QString, url);
        HttpClient client(options());
        QCOMPARE(waited(client.send(request(url))).error().kind, ErrorKind::InvalidInput);
    }

    void aKeyThatWouldMakeAHeaderIsRefused()
    {
        HostileHttpServer server;
        HttpClient client({std::make_shared<Secret>("a\r\nX: y"), {}, {}});
        QCOMPARE(waited(client.send(request(server.url()))).error().kind, ErrorKind::AuthRejected);
        HttpRequest odd = request(server.url());
        odd.headers = {{"X", "a\r\nY: b"}};
        HttpClient good(options());
        QCOMPARE(waited(good.send(odd)).error().kind, ErrorKind::InvalidInput);
        QCOMPARE(server.connections, 0);
    }

    void cancellingEndsTheRequest()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return Scripted{{}, Scripted::Then::Silence}; };
        HttpClient client(options());
        HttpCall *call = client.send(request(server.url()));
        connect(call, &HttpCall::finished, call, [](const Reply &reply) { QCOMPARE(reply.error().kind, ErrorKind::Cancelled); });
        QSignalSpy finished(call, &HttpCall::finished);
        QTRY_COMPARE_WITH_TIMEOUT(server.seen.size(), 1, 20s);
        call->cancel();
        QCOMPARE(finished.size(), 1);
    }

    void aClientMayGoInTheMiddle()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return Scripted{{}, Scripted::Then::Silence}; };
        auto client = std::make_unique<HttpClient>(options());
        client->send(request(server.url()));
        QTRY_COMPARE_WITH_TIMEOUT(server.seen.size(), 1, 20s);
        client->send(request(server.url()));
        client.reset();
    }

    void onlyTheRightCertificateIsTrusted_data()
    {
        QTest::addColumn<QString>("pinned");
        QTest::addColumn<bool>("trusted");
        QTest::newRow("its own authority pinned") << u"own"_s << true;
        QTest::newRow("another authority pinned") << u"other"_s << false;
        QTest::newRow("the system's authorities") << u""_s << false;
        QTest::newRow("a pin that is no certificate") << u"nonsense"_s << false;
    }
    void onlyTheRightCertificateIsTrusted()
    {
        QFETCH(QString, pinned);
        QFETCH(bool, trusted);
        static QTemporaryDir dir;
        static const TestCertificates own = TestCertificates::make(dir.path(), u"own"_s);
        static const TestCertificates other = TestCertificates::make(dir.path(), u"other"_s);
        QVERIFY2(own.isValid && other.isValid, "openssl(1) is needed");
        HostileHttpServer server(&own.server);
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json("{}"); };
        QByteArray pin;
        if (pinned == u"own"_s)
            pin = own.authority;
        else if (pinned == u"other"_s)
            pin = other.authority;
        else
            pin = pinned.toLatin1();
        HttpClient client(options(pin));
        const Reply reply = waited(client.send(request(server.url())));
        QCOMPARE(reply.has_value(), trusted);
        if (!trusted) {
            QCOMPARE(reply.error().kind, ErrorKind::CertificateInvalid);
            QCOMPARE(reply.error().layer, Layer::Tls);
            QVERIFY(server.seen.isEmpty());
        }
    }

    void plainHttpOnATlsPortNamesTls()
    {
        QTcpServer plain;
        QVERIFY(plain.listen(QHostAddress::LocalHost));
        connect(&plain, &QTcpServer::newConnection, &plain, [&plain] {
            plain.nextPendingConnection()->write("HTTP/1.1 400 Bad Request\r\n\r\n");
        });
        HttpClient client(options());
        const Reply reply = waited(client.send(request(u"https://127.0.0.1:%1"_s.arg(plain.serverPort()))));
        QVERIFY(!reply);
        QCOMPARE(nameOf(reply.error().layer), nameOf(Layer::Tls));
    }

    void aStreamWaitsForItsReader()
    {
        HostileHttpServer server;
        const QByteArray flood(30 << 20, 'x');
        server.answer = [&](const SeenRequest &) { return Scripted{"HTTP/1.1 200 OK\r\n\r\n" + flood}; };
        HttpClient client(options());
        HttpRequest get = request(server.url());
        get.delivery = HttpRequest::Delivery::Streamed;
        get.idleTime = 0ms;
        HttpCall *call = client.send(get);
        QSignalSpy answered(call, &HttpCall::answered);
        qint64 got = 0;
        connect(call, &HttpCall::received, call, [&](const QByteArray &piece) { got += piece.size(); });
        QTRY_COMPARE_WITH_TIMEOUT(answered.size(), 1, 20s);
        call->grant(1000);
        QTRY_COMPARE_WITH_TIMEOUT(got, 1000, 20s);
        // What nobody takes stays with the server, apart from the buffers of the kernel.
        qint64 unsent = -1;
        QTRY_VERIFY_WITH_TIMEOUT(std::exchange(unsent, server.unsentBytes()) == server.unsentBytes() && unsent > 0, 20s);
        QCOMPARE(got, 1000);
        QVERIFY2(server.unsentBytes() > (15 << 20), qPrintable(QString::number(server.unsentBytes())));
        call->grant(flood.size());
        QTRY_COMPARE_WITH_TIMEOUT(got, flood.size(), 40s);
    }

    void aRefusedStreamIsAnOrdinaryAnswer()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json(R"({"code":"X"})", 404); };
        HttpClient client(options());
        HttpRequest get = request(server.url());
        get.delivery = HttpRequest::Delivery::Streamed;
        const Reply reply = waited(client.send(get));
        QCOMPARE(reply->status, 404);
        QCOMPARE(reply->body, R"({"code":"X"})"_ba);
    }

    void theProxyIsTheOneOfTheEnvironment_data()
    {
        QTest::addColumn<QByteArray>("https");
        QTest::addColumn<QByteArray>("exempt");
        QTest::addColumn<QString>("url");
        QTest::addColumn<QString>("expected");
        QTest::newRow("none set") << ""_ba << ""_ba << u"https://a.example"_s << u""_s;
        QTest::newRow("http proxy") << "http://p:3128"_ba << ""_ba << u"https://a.example"_s << u"p:3128"_s;
        QTest::newRow("without scheme") << "p:3128"_ba << ""_ba << u"https://a.example"_s << u"p:3128"_s;
        QTest::newRow("socks") << "socks5://p"_ba << ""_ba << u"https://a.example"_s << u"p:1080"_s;
        QTest::newRow("this computer") << "p:3128"_ba << ""_ba << u"http://127.0.0.1:80"_s << u""_s;
        QTest::newRow("exempt host") << "p:3128"_ba << "b, a.example"_ba << u"https://a.example"_s << u""_s;
        QTest::newRow("exempt domain") << "p:3128"_ba << ".example"_ba << u"https://a.example"_s << u""_s;
        QTest::newRow("exempt port") << "p:3128"_ba << "a.example:444"_ba << u"https://a.example"_s << u"p:3128"_s;
        QTest::newRow("all exempt") << "p:3128"_ba << "*"_ba << u"https://a.example"_s << u""_s;
        QTest::newRow("no suffix of a name") << "p:3128"_ba << "example"_ba << u"https://anexample"_s << u"p:3128"_s;
    }
    void theProxyIsTheOneOfTheEnvironment()
    {
        QFETCH(QByteArray, https);
        QFETCH(QByteArray, exempt);
        QFETCH(QString, url);
        for (const char *name : {"https_proxy", "all_proxy", "ALL_PROXY", "no_proxy"})
            qunsetenv(name);
        qputenv("HTTPS_PROXY", https);
        qputenv("NO_PROXY", exempt);
        const QNetworkProxy proxy = proxyFor(QUrl(url));
        qunsetenv("HTTPS_PROXY");
        QTEST(proxy.type() == QNetworkProxy::NoProxy ? QString() : u"%1:%2"_s.arg(proxy.hostName()).arg(proxy.port()), "expected");
    }
};

QTEST_GUILESS_MAIN(TestHttpClient)
#include "tst_httpclient.moc"

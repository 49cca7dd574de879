#include "session/gatewayprovider.h"
#include "session/providers/factory.h"
#include "tests/support/hostilehttpserver.h"
#include "tests/support/waited.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>
#include <QUrlQuery>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

Account account(const HostileHttpServer &server)
{
    Account out;
    out.id = u"a1"_s;
    out.vendor = u"tensorlake"_s;
    out.name = u"Work"_s;
    out.apiUrl = QUrl(server.url());
    return out;
}

std::unique_ptr<SandboxProvider> provider(const Account &account)
{
    return makeProvider(account, std::make_shared<Secret>("tl_key"));
}

QByteArray page(int first, int count, const QByteArray &next, const char *status = "running")
{
    QJsonArray items;
    for (int i = first; i < first + count; ++i) {
        items.append(QJsonObject{{u"id"_s, u"box%1"_s.arg(i)},
                                 {u"namespace"_s, u"default"_s},
                                 {u"name"_s, u"n%1"_s.arg(i)},
                                 {u"status"_s, QString::fromLatin1(status)},
                                 {u"created_at"_s, 1760000000000.0 + i}});
    }
    QJsonObject root{{u"sandboxes"_s, items}};
    if (!next.isEmpty())
        root.insert(u"next_cursor"_s, QString::fromLatin1(next));
    return QJsonDocument(root).toJson(QJsonDocument::Compact);
}

Sandbox boxAt(const HostileHttpServer &server)
{
    Sandbox box;
    box.id = {u"tensorlake"_s, u"a1"_s, u"box1"_s};
    box.name = u"my-env"_s;
    box.controlUrl = QUrl(server.url());
    return box;
}

QJsonObject bodyOf(const SeenRequest &request)
{
    return QJsonDocument::fromJson(request.body).object();
}

} // namespace

class TestTensorlakeProvider : public QObject
{
    Q_OBJECT
private slots:
    void allPagesAreListed()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &request) {
            const QUrl url = QUrl::fromEncoded(request.target);
            const int at = QUrlQuery(url).queryItemValue(u"cursor"_s).toInt();
            return HostileHttpServer::json(page(at, 200, at < 800 ? QByteArray::number(at + 200) : QByteArray()));
        };
        const auto cloud = provider(account(server));
        const auto list = waited(cloud->list(SandboxProvider::ListScope::Live));
        QVERIFY(list);
        QCOMPARE(list->size(), 1000);
        QCOMPARE(list->first().name, u"n999"_s); // newest first
        QCOMPARE(server.seen.size(), 5);
        QCOMPARE(server.seen.first().target, "/v1/namespaces/default/sandboxes?limit=100"_ba);
        QCOMPARE(server.seen.first().headers.value("authorization"), "Bearer tl_key"_ba);
    }

    void terminatedOnesAreHistory()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json(page(0, 3, {}, "terminated")); };
        const auto cloud = provider(account(server));
        QCOMPARE(waited(cloud->list(SandboxProvider::ListScope::Live))->size(), 0);
        QCOMPARE(waited(cloud->list(SandboxProvider::ListScope::WithHistory))->size(), 3);
    }

    void hostileListsEndWithAnError_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("kind");
        QTest::newRow("circle") << page(0, 2, "1") << int(ErrorKind::Protocol);
        QTest::newRow("elsewhere") << "{\"sandboxes\":[],\"pagination\":{\"next\":\"https://evil.example/\"}}"_ba << int(ErrorKind::Protocol);
        QTest::newRow("no JSON") << "<html>hello"_ba << int(ErrorKind::Protocol);
        QTest::newRow("no list") << "{}"_ba << int(ErrorKind::Protocol);
        QTest::newRow("deep") << QByteArray(200'000, '[') << int(ErrorKind::TooLarge);
        QTest::newRow("huge") << QByteArray(20 << 20, ' ') << int(ErrorKind::TooLarge);
        QTest::newRow("many values") << "{\"sandboxes\":["_ba + QByteArray("1,").repeated(1'500'000) + "1]}" << int(ErrorKind::TooLarge);
    }
    void hostileListsEndWithAnError()
    {
        QFETCH(QByteArray, body);
        QFETCH(int, kind);
        HostileHttpServer server;
        server.answer = [&](const SeenRequest &) { return HostileHttpServer::json(body); };
        const auto cloud = provider(account(server));
        const auto list = waited(cloud->list(SandboxProvider::ListScope::Live));
        QVERIFY(!list);
        QCOMPARE(nameOf(list.error().kind), nameOf(ErrorKind(kind)));
        QVERIFY(!list.error().subject.isEmpty());
        QVERIFY(server.seen.size() <= 3);
    }

    void anAnswerCutShortIsAnError_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("by length") << "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"sandboxes\":[{\"id\":\"a\"}"_ba;
        // Qt may take this for the whole answer: then it is the JSON that is not whole.
        QTest::newRow("by chunks") << "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n500\r\n{\"sandboxes\":[{\"id\":\"a\"}"_ba;
        QTest::newRow("by the end of the connection") << "HTTP/1.1 200 OK\r\n\r\n{\"sandboxes\":[{\"id\":\"a\"}"_ba;
    }
    void anAnswerCutShortIsAnError()
    {
        QFETCH(QByteArray, bytes);
        HostileHttpServer server;
        server.answer = [&](const SeenRequest &) { return Scripted{bytes, Scripted::Then::Close}; };
        const auto cloud = provider(account(server));
        const Error error = waited(cloud->list(SandboxProvider::ListScope::Live)).error_or(Error{ErrorKind::Unsupported, Layer::Http, {}, {}});
        QVERIFY2(error.kind == ErrorKind::ConnectionLost || error.kind == ErrorKind::Protocol, qUtf8Printable(describe(error)));
    }

    void pagesWithoutEndAreBrokenOff()
    {
        HostileHttpServer server;
        server.answer = [count = 0](const SeenRequest &) mutable { return HostileHttpServer::json(page(0, 1, QByteArray::number(++count))); };
        const auto cloud = provider(account(server));
        QCOMPARE(waited(cloud->list(SandboxProvider::ListScope::Live)).error().kind, ErrorKind::TooLarge);
        QCOMPARE(server.seen.size(), 1000);
    }

    void aCreateIsNeverSentTwice_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("closed without an answer") << ""_ba;
        QTest::newRow("half an answer") << "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"_ba;
        QTest::newRow("502") << HostileHttpServer::reply(502, "");
        QTest::newRow("503") << HostileHttpServer::reply(503, "");
        QTest::newRow("redirect") << HostileHttpServer::reply(307, "", "Location: /v1/namespaces/default/sandboxes\r\n");
    }
    void aCreateIsNeverSentTwice()
    {
        QFETCH(QByteArray, bytes);
        HostileHttpServer server;
        server.answer = [&](const SeenRequest &) { return Scripted{bytes, Scripted::Then::Close}; };
        const auto cloud = provider(account(server));
        CreateRequest wish;
        wish.name = u"my-env"_s;
        const auto made = waited(cloud->create(wish));
        QVERIFY(!made);
        QCOMPARE(made.error().subject, u"my-env"_s);
        QTest::qWait(100); // a second one would come at once
        QCOMPARE(server.seen.size(), 1);
    }

    void aCreateSaysWhatIsWishedAndNoMore()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json("{\"sandbox_id\":\"box9\",\"status\":\"pending\"}"); };
        const auto cloud = provider(account(server));
        QVERIFY(waited(cloud->create({})));
        QCOMPARE(server.seen.last().body, "{}"_ba);
        CreateRequest wish;
        wish.name = u"my-env"_s;
        wish.image = u"debian"_s;
        wish.cpus = 2;
        wish.memoryMiB = 2048;
        wish.timeoutSeconds = 0;
        const auto made = waited(cloud->create(wish));
        QCOMPARE(made->id.id, u"box9"_s);
        QCOMPARE(made->name, u"my-env"_s);
        QCOMPARE(made->state, SandboxState::Pending);
        QCOMPARE(bodyOf(server.seen.last()),
                 (QJsonObject{{u"name"_s, u"my-env"_s},
                              {u"image"_s, u"debian"_s},
                              {u"resources"_s, QJsonObject{{u"cpus"_s, 2}, {u"memory_mb"_s, 2048}}},
                              {u"timeout_secs"_s, 0}}));
        wish.name = u"Not A Name"_s;
        QCOMPARE(waited(cloud->create(wish)).error().kind, ErrorKind::InvalidInput);
        QCOMPARE(server.seen.size(), 2);
    }

    void aSlowStartKeepsItsSandbox()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json("{\"sandbox_id\":\"box9\",\"status\":\"timeout\"}", 504); };
        const auto cloud = provider(account(server));
        const auto made = waited(cloud->create({}));
        QVERIFY(made);
        QCOMPARE(made->state, SandboxState::Unknown);
        QCOMPARE(made->stateText, u"timeout"_s);
    }

    void everyVerbOfTheLifeCycleGoesToItsPlace()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &request) {
            return request.verb == "PATCH" ? HostileHttpServer::json("{\"id\":\"box1\",\"name\":\"new-name\",\"status\":\"running\"}")
                                           : HostileHttpServer::json("{}", 202);
        };
        const auto cloud = provider(account(server));
        const SandboxId id{u"tensorlake"_s, u"a1"_s, u"box1"_s};
        QVERIFY(waited(cloud->suspend(id)));
        QVERIFY(waited(cloud->resume(id)));
        QVERIFY(waited(cloud->terminate(id)));
        QCOMPARE(waited(cloud->rename(id, u"new-name"_s))->name, u"new-name"_s);
        QStringList asked;
        for (const SeenRequest &request : std::as_const(server.seen))
            asked.append(QString::fromLatin1(request.verb + ' ' + request.target));
        const QString base = u"/v1/namespaces/default/sandboxes/box1"_s;
        QCOMPARE(asked, (QStringList{u"POST "_s + base + u"/suspend"_s, u"POST "_s + base + u"/resume"_s, u"DELETE "_s + base, u"PATCH "_s + base}));
        QCOMPARE(bodyOf(server.seen.last()), (QJsonObject{{u"name"_s, u"new-name"_s}}));
    }

    void publicPortsAreClosedAndOthersStayAsTheyAre()
    {
        HostileHttpServer server;
        QJsonArray exposed{80, 8080, 9000};
        server.answer = [&exposed](const SeenRequest &request) {
            if (request.verb == "PATCH")
                exposed = bodyOf(request).value("exposed_ports"_L1).toArray();
            return HostileHttpServer::json(QJsonDocument(QJsonObject{{u"id"_s, u"box1"_s}, {u"status"_s, u"running"_s}, {u"exposed_ports"_s, exposed},
                                                                     {u"allow_unauthenticated_access"_s, true}}).toJson(QJsonDocument::Compact));
        };
        const auto cloud = provider(account(server));
        const SandboxId id{u"tensorlake"_s, u"a1"_s, u"box1"_s};
        QCOMPARE(waited(cloud->find(u"box1"_s))->publicPorts, (QList<quint16>{80, 8080, 9000}));
        exposed.append(7000); // by somebody else, meanwhile
        const auto closed = waited(cloud->closePublicPorts(id, {8080, 9000}));
        QVERIFY2(closed, closed ? "" : qPrintable(describe(closed.error())));
        QCOMPARE(closed->publicPorts, (QList<quint16>{80, 7000}));
        QCOMPARE(bodyOf(server.seen.last()), (QJsonObject{{u"exposed_ports"_s, QJsonArray{80, 7000}}}));
        // What is closed already is not asked for again.
        const qsizetype asked = server.seen.size();
        QVERIFY(waited(cloud->closePublicPorts(id, {8080})));
        QCOMPARE(server.seen.size(), asked + 1);
        QCOMPARE(server.seen.last().verb, "GET"_ba);
    }

    void aMissingSandboxIsToldFromAMissingSession()
    {
        HostileHttpServer server;
        const auto cloud = provider(account(server));
        const auto sandbox = waited(cloud->find(u"my-env"_s));
        QCOMPARE(sandbox.error().kind, ErrorKind::NotFound);
        QCOMPARE(sandbox.error().layer, Layer::SandboxState);
        QCOMPARE(sandbox.error().subject, u"my-env"_s);
        const auto session = waited(cloud->ptySession(boxAt(server), u"s1"_s));
        QCOMPARE(session.error().kind, ErrorKind::NotFound);
        QCOMPARE(session.error().layer, Layer::Provider);
    }

    void keysAreCheckedBeforeTheyLeave_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<bool>("good");
        const QByteArray blob = (QByteArray("\0\0\0\x0bssh-ed25519\0\0\0\x20", 19) + QByteArray(32, 'k')).toBase64();
        QTest::newRow("good") << "ssh-ed25519 "_ba + blob + " me@laptop\n" << true;
        QTest::newRow("without a comment") << "ssh-ed25519 "_ba + blob << true;
        QTest::newRow("private key") << "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n"_ba << false;
        QTest::newRow("two keys") << "ssh-ed25519 "_ba + blob + "\nssh-ed25519 " + blob << false;
        QTest::newRow("type does not match") << "ssh-rsa "_ba + blob << false;
        QTest::newRow("no Base64") << "ssh-ed25519 @@@@"_ba << false;
        QTest::newRow("empty") << ""_ba << false;
        QTest::newRow("endless") << "ssh-ed25519 "_ba + blob + ' ' + QByteArray(100'000, 'x') << false;
    }
    void keysAreCheckedBeforeTheyLeave()
    {
        QFETCH(QByteArray, line);
        QFETCH(bool, good);
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json("{\"id\":\"k1\",\"name\":\"laptop\",\"keyType\":\"ssh-ed25519\"}", 201); };
        const auto cloud = provider(account(server));
        const auto added = waited(cloud->addKey(u" laptop "_s, line));
        QCOMPARE(added.has_value(), good);
        QCOMPARE(server.seen.size(), good ? 1 : 0);
        if (good) {
            QCOMPARE(server.seen.first().target, "/platform/v1/users/me/ssh-keys"_ba);
            QCOMPARE(bodyOf(server.seen.first()).value("name"_L1).toString(), u"laptop"_s);
            QVERIFY(waited(cloud->removeKey(u"k1"_s)));
            QCOMPARE(server.seen.last().target, "/platform/v1/users/me/ssh-keys/k1"_ba);
        } else {
            QCOMPARE(added.error().kind, ErrorKind::InvalidInput);
        }
    }

    void ptyCallsGoInsideTheSandbox()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &request) {
            if (request.verb == "DELETE" || request.target.endsWith("/resize"))
                return Scripted{"HTTP/1.1 204 No Content\r\n\r\n"};
            if (request.verb == "POST")
                return HostileHttpServer::json("{\"session_id\":\"s1\",\"token\":\"t1\"}", 201);
            return HostileHttpServer::json("{\"sessions\":[{\"session_id\":\"s1\"}]}");
        };
        const auto cloud = provider(account(server));
        const Sandbox box = boxAt(server);
        ShellSpec spec;
        spec.environment.insert(u"LANG"_s, u"C.UTF-8"_s);
        const auto made = waited(cloud->createPty(box, spec, {120, 40}));
        QVERIFY(made);
        QVERIFY(made->token->equals("t1"));
        const SeenRequest seen = server.seen.first();
        QCOMPARE(seen.target, "/api/v1/pty"_ba);
        QCOMPARE(seen.headers.value("host"), "box1.local"_ba);
        QCOMPARE(bodyOf(seen),
                 (QJsonObject{{u"command"_s, u"/bin/bash"_s},
                              {u"args"_s, QJsonArray{u"-l"_s}},
                              {u"cols"_s, 120},
                              {u"rows"_s, 40},
                              {u"working_dir"_s, u"/workspace"_s},
                              {u"env"_s, QJsonObject{{u"TERM"_s, u"xterm-256color"_s}, {u"COLORTERM"_s, u"truecolor"_s}, {u"LANG"_s, u"C.UTF-8"_s}}}}));
        QCOMPARE(waited(cloud->ptySessions(box))->size(), 1);
        QVERIFY(waited(cloud->resizePty(box, u"s1"_s, {80, 24})));
        QCOMPARE(bodyOf(server.seen.last()), (QJsonObject{{u"rows"_s, 24}, {u"cols"_s, 80}}));
        QVERIFY(waited(cloud->killPty(box, u"s/1"_s)));
        QCOMPARE(server.seen.last().target, "/api/v1/pty/s%2F1"_ba);
    }

    void aTunnelIsAskedForInsideTheSandboxWithTheKeyInAHeader()
    {
        HostileHttpServer server;
        const auto cloud = provider(account(server));
        const Result<WebSocketRequest> request = cloud->tunnelRequest(boxAt(server), 5432);
        QVERIFY(request);
        QUrl expected(server.url());
        expected.setScheme(u"ws"_s);
        expected.setPath(u"/api/v1/tunnels/tcp"_s);
        expected.setQuery(u"port=5432"_s);
        QCOMPARE(request->url, expected);
        QVERIFY(request->headers.contains(std::pair("Host"_ba, "box1.local"_ba)));
        QCOMPARE(request->secretHeaders.size(), 1);
        QCOMPARE(request->secretHeaders.constFirst().first, "Authorization"_ba);
        QVERIFY(request->secretHeaders.constFirst().second->equals("Bearer tl_key"));
        Sandbox nowhere = boxAt(server);
        nowhere.controlUrl.clear();
        QCOMPARE(cloud->tunnelRequest(nowhere, 5432).error().kind, ErrorKind::NotFound);
        QCOMPARE(server.connections, 0);
    }

    void aSandboxWithoutWorkspaceStartsElsewhere()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &request) {
            return request.body.contains("/workspace") ? HostileHttpServer::json("{\"error\":\"No such file or directory\"}", 500)
                                                       : HostileHttpServer::json("{\"session_id\":\"s1\",\"token\":\"t1\"}", 201);
        };
        const auto cloud = provider(account(server));
        QVERIFY(waited(cloud->createPty(boxAt(server), {}, {80, 24})));
        QCOMPARE(server.seen.size(), 2);
        // Where the user named the folder, it is that folder or nothing.
        ShellSpec spec;
        spec.workingDirectory = u"/workspace/x"_s;
        QVERIFY(!waited(cloud->createPty(boxAt(server), spec, {80, 24})));
        QCOMPARE(server.seen.size(), 3);
    }

    void aPtyOfALostAnswerIsNotMadeAgain()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return Scripted{{}, Scripted::Then::Close}; };
        const auto cloud = provider(account(server));
        QCOMPARE(waited(cloud->createPty(boxAt(server), {}, {80, 24})).error().kind, ErrorKind::ConnectionLost);
        QTest::qWait(100);
        QCOMPARE(server.seen.size(), 1);
    }

    void cancellingAFutureEndsItsRequest_data()
    {
        QTest::addColumn<int>("call");
        QTest::newRow("list") << 0;
        QTest::newRow("find") << 1;
        QTest::newRow("create") << 2;
        QTest::newRow("create a PTY") << 3;
        QTest::newRow("close a port") << 4;
    }
    void cancellingAFutureEndsItsRequest()
    {
        QFETCH(int, call);
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return Scripted{{}, Scripted::Then::Silence}; };
        const auto cloud = provider(account(server));
        const auto check = [&](auto future) {
            QVERIFY(QTest::qWaitFor([&] { return server.seen.size() == 1; }, 20'000));
            future.cancel();
            QVERIFY(QTest::qWaitFor([&] { return future.isFinished(); }, 20'000));
            QVERIFY(future.isCanceled());
        };
        if (call == 0)
            check(cloud->list(SandboxProvider::ListScope::Live));
        else if (call == 1)
            check(cloud->find(u"x"_s));
        else if (call == 2)
            check(cloud->create({}));
        else if (call == 3)
            check(cloud->createPty(boxAt(server), {}, {80, 24}));
        else
            check(cloud->closePublicPorts({u"tensorlake"_s, u"a1"_s, u"box1"_s}, {8080}));
        // The connection is gone, not only the wish.
        QTRY_COMPARE_WITH_TIMEOUT(server.openConnections(), 0, 20s);
    }

    void everyFutureFinishesWhenTheProviderGoes()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return Scripted{{}, Scripted::Then::Silence}; };
        auto cloud = provider(account(server));
        auto list = cloud->list(SandboxProvider::ListScope::Live);
        auto find = cloud->find(u"x"_s);
        auto pty = cloud->createPty(boxAt(server), {}, {80, 24});
        QTRY_COMPARE_WITH_TIMEOUT(server.seen.size(), 3, 20s);
        cloud.reset();
        QVERIFY(list.isFinished() && find.isFinished() && pty.isFinished());
    }

    void anAccountTypedWrongSaysSoAndSendsNothing_data()
    {
        QTest::addColumn<QString>("api");
        QTest::newRow("no url") << u"invalid:address"_s;
        QTest::newRow("http elsewhere") << u"http://10.0.0.5:1"_s;
        QTest::newRow("empty") << u""_s;
    }
    void anAccountTypedWrongSaysSoAndSendsNothing()
    {
        QFETCH(QString, api);
        Account wrong;
        wrong.id = u"a1"_s;
        wrong.vendor = u"tensorlake"_s;
        wrong.apiUrl = QUrl(api);
        const auto cloud = provider(wrong);
        QCOMPARE(waited(cloud->list(SandboxProvider::ListScope::Live)).error().kind, ErrorKind::InvalidInput);
        QCOMPARE(waited(cloud->find(u"a"_s)).error().kind, ErrorKind::InvalidInput);
        QCOMPARE(waited(cloud->create({})).error().kind, ErrorKind::InvalidInput);
        QCOMPARE(waited(cloud->keys()).error().kind, ErrorKind::InvalidInput);
    }

    void aRejectedKeyNamesTheSignIn()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &) { return HostileHttpServer::json("{}", 401); };
        const auto cloud = provider(account(server));
        const Error error = waited(cloud->list(SandboxProvider::ListScope::Live)).error();
        QCOMPARE(error.kind, ErrorKind::AuthRejected);
        QCOMPARE(error.layer, Layer::Auth);
    }

    void theKeyGoesToNoOtherHost()
    {
        HostileHttpServer server;
        HostileHttpServer other;
        Account scoped = account(server);
        server.answer = [&](const SeenRequest &) {
            return Scripted{HostileHttpServer::reply(302, "", "Location: " + other.url().toLatin1() + "/\r\n")};
        };
        const auto cloud = provider(scoped);
        QVERIFY(!waited(cloud->list(SandboxProvider::ListScope::Live)));
        QVERIFY(!waited(cloud->ptySessions(boxAt(server))));
        QCOMPARE(other.connections, 0);
    }

    void thisComputerIsAnAccountLikeAnyOther()
    {
        HostileHttpServer server;
        server.answer = [](const SeenRequest &request) {
            if (request.verb == "POST")
                return HostileHttpServer::json("{\"session_id\":\"s1\",\"token\":\"t1\"}", 201);
            return HostileHttpServer::json("{\"id\":\"box1\",\"status\":\"running\",\"sandbox_url\":\"http://127.0.0.1:1\"}");
        };
        GatewayAddress gateway;
        gateway.apiUrl = QUrl(server.url());
        gateway.ssh.host = u"127.0.0.1"_s;
        gateway.ssh.identityFiles = {u"/state/key"_s};
        gateway.apiKey = std::make_shared<Secret>("local");
        // A proxy of the environment must not see what stays on this computer.
        qputenv("http_proxy", "http://127.0.0.1:1");
        qputenv("all_proxy", "http://127.0.0.1:1");
        const auto local = makeGatewayProvider(gateway);
        const auto box = waited(local->find(u"box1"_s));
        qunsetenv("http_proxy");
        qunsetenv("all_proxy");
        QVERIFY(box);
        QCOMPARE(box->id.vendor, localVendorId());
        QCOMPARE(box->id.account, thisComputerAccount().id);
        Sandbox here = *box;
        here.controlUrl = gateway.apiUrl;
        QVERIFY(waited(local->createPty(here, {}, {80, 24})));
        QVERIFY(!bodyOf(server.seen.last()).contains("working_dir"_L1)); // its gateway chooses
        Account stranger;
        stranger.vendor = u"acme"_s;
        QVERIFY(makeProvider(stranger, std::make_shared<Secret>()) == nullptr);
    }
};

QTEST_GUILESS_MAIN(TestTensorlakeProvider)
#include "tst_tensorlakeprovider.moc"

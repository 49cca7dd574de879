#include "session/json.h"
#include "session/providers/sseparser.h"
#include "session/providers/tensorlakejson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>
#include <QTimeZone>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

Account account(const QString &api)
{
    Account out;
    out.id = u"a1"_s;
    out.vendor = u"tensorlake"_s;
    out.name = u"Work"_s;
    out.apiUrl = QUrl(api);
    return out;
}

TensorlakeContext cloud()
{
    return {u"tensorlake"_s, u"a1"_s, TensorlakeRoutes(account(u"https://api.example.com"_s)), {}, false};
}

TensorlakeContext thisComputer()
{
    return {u"local"_s, u"this-computer"_s, TensorlakeRoutes(account(u"http://127.0.0.1:8900"_s)), {}, true};
}

Sandbox sandboxAt(const QString &controlUrl)
{
    Sandbox sandbox;
    sandbox.id = {u"tensorlake"_s, u"a1"_s, u"abc123"_s};
    sandbox.controlUrl = QUrl(controlUrl);
    return sandbox;
}

std::optional<Sandbox> parsed(const QByteArray &json, const TensorlakeContext &context = cloud())
{
    return tensorlakeSandbox(QJsonDocument::fromJson(json).object(), context, nullptr);
}

QByteArray header(const HttpHeaders &headers, QByteArrayView name)
{
    for (const auto &[key, value] : headers) {
        if (key == name)
            return value;
    }
    return {};
}

} // namespace

class TestTensorlakeJson : public QObject
{
    Q_OBJECT
private slots:
    void aWholeSandboxIsRead()
    {
        const auto box = parsed("{\"id\":\"q7h2k9abcdefghij01234\",\"namespace\":\"default\",\"status\":\"suspended\",\"name\":\"my-env\","
            "\"resources\":{\"cpus\":1.5,\"memory_mb\":2048,\"disk_mb\":10240},\"image\":\"tensorlake/ubuntu-minimal\",\"created_at\":1760000000000,"
            "\"timeout_secs\":600,\"sandbox_url\":\"https://q7h2.sandbox.example.com\",\"routing_hint\":\"r1\"}");
        QVERIFY(box);
        QCOMPARE(box->id, (SandboxId{u"tensorlake"_s, u"a1"_s, u"q7h2k9abcdefghij01234"_s}));
        QCOMPARE(box->state, SandboxState::Suspended);
        QCOMPARE(box->name, u"my-env"_s);
        QCOMPARE(box->cpus, 1.5);
        QCOMPARE(box->memoryMiB, 2048);
        QCOMPARE(box->diskMiB, 10240);
        QCOMPARE(box->createdAt, QDateTime::fromMSecsSinceEpoch(1760000000000, QTimeZone::UTC));
        QCOMPARE(box->controlUrl, QUrl(u"https://q7h2.sandbox.example.com"_s));
        QCOMPARE(box->routeHint, "r1"_ba);
        QVERIFY(box->ssh);
        QCOMPARE(box->ssh->host, u"q7h2.sandbox.example.com"_s);
        QCOMPARE(box->ssh->user, u"q7h2k9abcdefghij01234"_s);
        QCOMPARE(box->ssh->port, 22);
        QVERIFY(box->capabilities.has(Capability::PtyShell));
        QVERIFY(box->capabilities.has(Capability::Resume));
        QVERIFY(!box->capabilities.has(Capability::Suspend));
    }

    void oddSandboxesAreReadAsFarAsPossible_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<bool>("usable");
        QTest::addColumn<int>("state");
        QTest::newRow("only an id") << "{\"id\":\"a\"}"_ba << true << int(SandboxState::Unknown);
        QTest::newRow("the other id") << "{\"sandbox_id\":\"a\",\"status\":\"pending\"}"_ba << true << int(SandboxState::Pending);
        QTest::newRow("unknown status") << "{\"id\":\"a\",\"status\":\"dreaming\"}"_ba << true << int(SandboxState::Unknown);
        QTest::newRow("status of another type") << "{\"id\":\"a\",\"status\":7}"_ba << true << int(SandboxState::Unknown);
        QTest::newRow("wrong types all over")
                << "{\"id\":\"a\",\"name\":[1],\"resources\":\"many\",\"created_at\":{},\"image\":5,\"sandbox_url\":7,\"routing_hint\":[],\"ssh_endpoint\":\"x\",\"error_details\":3}"_ba
                << true << int(SandboxState::Unknown);
        QTest::newRow("huge numbers")
                << "{\"id\":\"a\",\"resources\":{\"cpus\":1e300,\"memory_mb\":1e300,\"disk_mb\":-5},\"created_at\":1e300,\"status\":\"running\"}"_ba << true
                << int(SandboxState::Running);
        QTest::newRow("no id") << "{\"status\":\"running\"}"_ba << false << 0;
        QTest::newRow("empty id") << "{\"id\":\"\"}"_ba << false << 0;
        QTest::newRow("id with a slash") << "{\"id\":\"../a\"}"_ba << false << 0;
        QTest::newRow("id with a newline") << "{\"id\":\"a\\n\"}"_ba << false << 0;
        QTest::newRow("id that is an option") << "{\"id\":\"-oProxyCommand=x\"}"_ba << false << 0;
        QTest::newRow("id of another type") << "{\"id\":{}}"_ba << false << 0;
        QTest::newRow("endless id") << "{\"id\":\""_ba + QByteArray(200, 'a') + "\"}"_ba << false << 0;
        QTest::newRow("no object") << "[]"_ba << false << 0;
    }
    void oddSandboxesAreReadAsFarAsPossible()
    {
        QFETCH(QByteArray, json);
        QFETCH(bool, usable);
        const auto box = parsed(json);
        QCOMPARE(box.has_value(), usable);
        if (!box)
            return;
        QTEST(int(box->state), "state");
        QVERIFY(box->cpus >= 0 && box->memoryMiB >= 0 && box->diskMiB >= 0);
        QVERIFY(!box->createdAt.isValid());
        QVERIFY(!box->ssh);
        QVERIFY(!box->capabilities.has(Capability::SshShell));
        QVERIFY(!box->capabilities.reasonAgainst(Capability::SshShell).isEmpty());
    }

    void addressesThatMustNotBeTrustedAreNotTaken_data()
    {
        QTest::addColumn<QString>("url");
        QTest::newRow("plain http") << u"http://box.example.com"_s;
        QTest::newRow("this computer, said by a vendor elsewhere") << u"http://127.0.0.1:22"_s;
        QTest::newRow("this computer, by TLS") << u"https://localhost"_s;
        QTest::newRow("with a user") << u"https://u:p@box.example.com"_s;
        QTest::newRow("no url") << u"%%%"_s;
        QTest::newRow("a file") << u"file:///etc"_s;
    }
    void addressesThatMustNotBeTrustedAreNotTaken()
    {
        QFETCH(QString, url);
        const QJsonObject object{{u"id"_s, u"a"_s}, {u"sandbox_url"_s, url}};
        const auto box = tensorlakeSandbox(object, cloud(), nullptr);
        QVERIFY(box && box->controlUrl.isEmpty());
        QVERIFY(!box->capabilities.has(Capability::PtyShell));
        QCOMPARE(cloud().routes.inside(*box, HttpRequest::Verb::Get, u"/x"_s).error().kind, ErrorKind::NotFound);
        // Also where such an address got into a sandbox in another way.
        QVERIFY(!cloud().routes.inside(sandboxAt(url), HttpRequest::Verb::Get, u"/x"_s));
    }

    void thisComputersSshIsPinned()
    {
        const auto box = parsed("{\"id\":\"a\",\"status\":\"running\",\"sandbox_url\":\"http://127.0.0.1:8900\",\"ssh_endpoint\":"
            "{\"host\":\"127.0.0.1\",\"port\":2222,\"host_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo\"}}", thisComputer());
        QVERIFY(box && box->ssh);
        QCOMPARE(box->ssh->port, 2222);
        QCOMPARE(box->ssh->hostKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo"_ba);
            QVERIFY(box->capabilities.has(Capability::AgentForward));
        // What its own file says counts for more than what somebody on its port answers.
        TensorlakeContext known = thisComputer();
        known.localSsh = {u"127.0.0.1"_s, 2200, {}, "ssh-ed25519 AAAAfromTheFile", {u"/k"_s}, {}};
        const auto same = parsed("{\"id\":\"a\",\"ssh_endpoint\":{\"host\":\"evil\",\"port\":1,\"host_key\":\"x\"}}", known);
        SshEndpoint expected = known.localSsh;
        expected.user = u"a"_s;
        QCOMPARE(same->ssh, expected);
    }

    void portsThatAreOpenToEveryoneAreKnown_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QList<quint16>>("ports");
        QTest::newRow("not said") << ""_ba << QList<quint16>();
        QTest::newRow("with the account's key only") << ",\"exposed_ports\":[8080],\"allow_unauthenticated_access\":false"_ba << QList<quint16>();
        QTest::newRow("to everyone") << ",\"exposed_ports\":[9000,8080],\"allow_unauthenticated_access\":true"_ba << QList<quint16>{8080, 9000};
        QTest::newRow("the other name") << ",\"exposed_ports\":[8080],\"allow_unauthenticated_proxy_access\":true"_ba << QList<quint16>{8080};
        QTest::newRow("to everyone, and none") << ",\"exposed_ports\":[],\"allow_unauthenticated_access\":true"_ba << QList<quint16>();
        QTest::newRow("nonsense") << ",\"exposed_ports\":[0,-1,65536,1.5,\"x\",null,8080,8080],\"allow_unauthenticated_access\":true"_ba << QList<quint16>{8080};
        QTest::newRow("no list") << ",\"exposed_ports\":\"8080\",\"allow_unauthenticated_access\":true"_ba << QList<quint16>();
    }
    void portsThatAreOpenToEveryoneAreKnown()
    {
        QFETCH(const QByteArray, fields);
        QFETCH(const QList<quint16>, ports);
        const QByteArray json = "{\"id\":\"a\",\"status\":\"running\"" + fields + '}';
        const auto box = parsed(json);
        QVERIFY(box);
        QCOMPARE(box->publicPorts, ports);
        QVERIFY(box->capabilities.has(Capability::PublicPorts));
        // The gateway of this computer leads nobody there.
        const auto local = parsed(json, thisComputer());
        QVERIFY(local->publicPorts.isEmpty() && !local->capabilities.has(Capability::PublicPorts));
    }

    void anSshEndpointThatCannotBeUsedIsNone_data()
    {
        QTest::addColumn<QByteArray>("endpoint");
        QTest::newRow("unreadable key") << "{\"host\":\"127.0.0.1\",\"port\":2222,\"host_key\":\"nonsense\"}"_ba;
        QTest::newRow("no key") << "{\"host\":\"127.0.0.1\",\"port\":2222}"_ba;
        QTest::newRow("two lines") << "{\"host\":\"h\",\"port\":1,\"host_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo\\nx\"}"_ba;
        QTest::newRow("port 0") << "{\"host\":\"h\",\"port\":0,\"host_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo\"}"_ba;
        QTest::newRow("port 70000") << "{\"host\":\"h\",\"port\":70000,\"host_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo\"}"_ba;
        QTest::newRow("host that is an option") << "{\"host\":\"-x\",\"port\":1,\"host_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo\"}"_ba;
        QTest::newRow("host with a space") << "{\"host\":\"a b\",\"port\":1,\"host_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo\"}"_ba;
    }
    void anSshEndpointThatCannotBeUsedIsNone()
    {
        QFETCH(QByteArray, endpoint);
        const auto box = parsed("{\"id\":\"a\",\"sandbox_url\":\"http://127.0.0.1:8900\",\"ssh_endpoint\":" + endpoint + "}", thisComputer());
        QVERIFY(box && !box->ssh);
    }

    void whatASandboxLacksIsSaid()
    {
        const auto box = parsed("{\"id\":\"a\",\"status\":\"running\",\"sandbox_url\":\"http://127.0.0.1:8900\",\"has_network\":false,"
            "\"network_note\":\"pasta does not run here.\",\"isolated\":false}", thisComputer());
        QCOMPARE(box->capabilities.reasonAgainst(Capability::OutboundNetwork), u"pasta does not run here."_s);
        QVERIFY(!box->capabilities.has(Capability::Isolation));
        const auto closed = parsed("{\"id\":\"a\",\"name\":\"n\",\"status\":\"running\",\"network_policy\":{\"allow_internet_access\":false}}");
        QVERIFY(!closed->capabilities.has(Capability::OutboundNetwork));
        const auto ephemeral = parsed("{\"id\":\"a\",\"status\":\"running\"}");
        QVERIFY(ephemeral->capabilities.reasonAgainst(Capability::Suspend).contains(u"name"_s));
        const auto gone = parsed("{\"id\":\"a\",\"status\":\"terminated\",\"termination_reason\":\"ImageNotFound\",\"error_details\":[{\"message\":\"no such image\"}]}");
        QVERIFY(!gone->capabilities.has(Capability::PtyShell) && !gone->capabilities.has(Capability::Terminate));
        QCOMPARE(gone->note, u"ImageNotFound: no such image"_s);
        QCOMPARE(parsed("{\"id\":\"a\",\"status\":\"pending\",\"pending_reason\":\"no_resources_available\"}")->note, u"no resources available"_s);
    }

    void timesAreReadInEveryUnit_data()
    {
        QTest::addColumn<QJsonValue>("value");
        QTest::addColumn<QDateTime>("time");
        const QDateTime t = QDateTime::fromString(u"2025-10-09T08:53:20Z"_s, Qt::ISODate);
        QTest::newRow("seconds") << QJsonValue(1760000000) << t;
        QTest::newRow("milliseconds") << QJsonValue(1760000000000.0) << t;
        QTest::newRow("microseconds") << QJsonValue(1760000000000000.0) << t;
        QTest::newRow("text") << QJsonValue(u"2025-10-09T08:53:20Z"_s) << t;
        QTest::newRow("text with offset") << QJsonValue(u"2025-10-09T10:53:20.000+02:00"_s) << t;
        QTest::newRow("zero") << QJsonValue(0) << QDateTime();
        QTest::newRow("negative") << QJsonValue(-5) << QDateTime();
        QTest::newRow("absurd") << QJsonValue(1e40) << QDateTime();
        QTest::newRow("words") << QJsonValue(u"yesterday"_s) << QDateTime();
        QTest::newRow("object") << QJsonValue(QJsonObject()) << QDateTime();
    }
    void timesAreReadInEveryUnit()
    {
        QFETCH(QJsonValue, value);
        QTEST(jsonTime(value), "time");
    }

    void jsonHasBounds()
    {
        QCOMPARE(parseJsonObject("{\"a\":" + QByteArray(5000, '[')).error().kind, ErrorKind::TooLarge);
        QCOMPARE(parseJsonObject(QByteArray(2'000'000, ',')).error().kind, ErrorKind::TooLarge);
        QCOMPARE(parseJsonObject("[1]").error().kind, ErrorKind::Protocol);
        QCOMPARE(parseJsonObject("{\"a\":").error().kind, ErrorKind::Protocol);
        QCOMPARE(parseJsonObject("").error().kind, ErrorKind::Protocol);
        // Brackets inside of text are text.
        QVERIFY(parseJsonObject("{\"a\":\"" + QByteArray(5000, '[') + "\\\"[[\"}"));
    }

    void oneBadItemLosesNothingElse()
    {
        const auto page = tensorlakePage("{\"sandboxes\":[{\"id\":\"a\"},7,null,{\"id\":\"\"},{\"id\":\"b\"}],\"next_cursor\":null}",
                                         QUrl(u"https://api.example.com/sandboxes"_s), cloud(), nullptr);
        QVERIFY(page);
        QCOMPARE(page->sandboxes.size(), 2);
        QCOMPARE(page->skipped, 3);
        QVERIFY(page->next.isEmpty());
        QCOMPARE(tensorlakePage("{\"sandboxes\":{}}", {}, cloud(), nullptr).error().kind, ErrorKind::Protocol);
        QCOMPARE(tensorlakePage("{\"items\":[{\"id\":\"a\"}]}", {}, cloud(), nullptr)->sandboxes.size(), 1);
    }

    void everyFormOfPagingIsFollowed_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<QString>("next");
        QTest::newRow("none") << "{\"sandboxes\":[]}"_ba << u""_s;
        QTest::newRow("null") << "{\"sandboxes\":[],\"next_cursor\":null}"_ba << u""_s;
        QTest::newRow("cursor") << "{\"sandboxes\":[],\"next_cursor\":\"a+/b=\"}"_ba << u"https://api.example.com/sandboxes?limit=100&cursor=a%2B%2Fb%3D"_s;
        QTest::newRow("token") << "{\"sandboxes\":[],\"next_token\":\"t\"}"_ba << u"https://api.example.com/sandboxes?limit=100&nextToken=t"_s;
        QTest::newRow("pagination.next path") << "{\"sandboxes\":[],\"pagination\":{\"next\":\"/sandboxes?p=2\"}}"_ba << u"https://api.example.com/sandboxes?p=2"_s;
        QTest::newRow("pagination.next url") << "{\"sandboxes\":[],\"pagination\":{\"next\":\"https://api.example.com/s?p=2\"}}"_ba << u"https://api.example.com/s?p=2"_s;
        QTest::newRow("pagination.next token") << "{\"sandboxes\":[],\"pagination\":{\"next\":\"abc\"}}"_ba << u"https://api.example.com/sandboxes?limit=100&next=abc"_s;
        QTest::newRow("paginator cursor") << "{\"sandboxes\":[],\"paginator\":{\"next_cursor\":\"c\"}}"_ba << u"https://api.example.com/sandboxes?limit=100&cursor=c"_s;
        QTest::newRow("elsewhere") << "{\"sandboxes\":[],\"pagination\":{\"next\":\"https://evil.example/s\"}}"_ba << u"refused"_s;
        QTest::newRow("elsewhere without a scheme") << "{\"sandboxes\":[],\"pagination\":{\"next\":\"//evil.example/s\"}}"_ba << u"refused"_s;
        QTest::newRow("down to http") << "{\"sandboxes\":[],\"pagination\":{\"next\":\"http://api.example.com/s\"}}"_ba << u"refused"_s;
        QTest::newRow("wrong type") << "{\"sandboxes\":[],\"pagination\":{\"next\":7},\"next_cursor\":[]}"_ba << u""_s;
    }
    void everyFormOfPagingIsFollowed()
    {
        QFETCH(QByteArray, json);
        const auto page = tensorlakePage(json, QUrl(u"https://api.example.com/sandboxes?limit=100&cursor=old"_s), cloud(), nullptr);
        QTEST(page ? page->next.toString(QUrl::FullyEncoded) : u"refused"_s, "next");
    }

    void routesDependOnTheHostAlone_data()
    {
        QTest::addColumn<QString>("api");
        QTest::addColumn<QString>("create");
        QTest::addColumn<QString>("keys");
        QTest::newRow("cloud") << u"https://api.example.com"_s << u"https://api.example.com/sandboxes"_s << u"https://api.example.com/platform/v1/users/me/ssh-keys"_s;
        QTest::newRow("cloud, slash at the end") << u"https://api.example.com/"_s << u"https://api.example.com/sandboxes"_s << u"https://api.example.com/platform/v1/users/me/ssh-keys"_s;
        QTest::newRow("prefix") << u"https://example.com/tl"_s << u"https://example.com/tl/sandboxes"_s << u"https://example.com/tl/platform/v1/users/me/ssh-keys"_s;
        QTest::newRow("127.0.0.1") << u"http://127.0.0.1:8900"_s << u"http://127.0.0.1:8900/v1/namespaces/default/sandboxes"_s << u"http://127.0.0.1:8900/platform/v1/users/me/ssh-keys"_s;
        QTest::newRow("localhost") << u"http://localhost:8900"_s << u"http://localhost:8900/v1/namespaces/default/sandboxes"_s << u"http://localhost:8900/platform/v1/users/me/ssh-keys"_s;
        QTest::newRow("::1") << u"http://[::1]:8900"_s << u"http://[::1]:8900/sandboxes"_s << u"http://[::1]:8900/platform/v1/users/me/ssh-keys"_s;
        // Typed wrong stays typed wrong: no other host is ever made of it.
        QTest::newRow("unknown host") << u"https://gateway.test"_s << u"https://gateway.test/sandboxes"_s << u"https://gateway.test/platform/v1/users/me/ssh-keys"_s;
    }
    void routesDependOnTheHostAlone()
    {
        QFETCH(QString, api);
        const TensorlakeRoutes routes(account(api));
        QVERIFY(routes.usable());
        QTEST(routes.createSandbox().url.toString(), "create");
        QTEST(routes.keys(HttpRequest::Verb::Get).url.toString(), "keys");
    }

    void namesCannotLeaveTheirPlace_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("url");
        QTest::newRow("plain") << u"my-env"_s << u"https://api.example.com/sandboxes/my-env"_s;
        QTest::newRow("slash and query") << u"a/../b?c#d"_s << u"https://api.example.com/sandboxes/a%2F..%2Fb%3Fc%23d"_s;
        QTest::newRow("not ASCII") << u"ä"_s << u"https://api.example.com/sandboxes/%C3%A4"_s;
        QTest::newRow("empty") << u""_s << u""_s;
        QTest::newRow("dot dot") << u".."_s << u""_s;
    }
    void namesCannotLeaveTheirPlace()
    {
        QFETCH(QString, name);
        const auto request = cloud().routes.sandbox(HttpRequest::Verb::Get, name);
        QTEST(request ? request->url.toString(QUrl::FullyEncoded) : QString(), "url");
    }

    void proxyRequestsSayWhichSandboxIsMeant()
    {
        Account scoped = account(u"https://api.example.com"_s);
        scoped.organization = u"o1"_s;
        scoped.project = u"p1"_s;
        scoped.proxyUrl = QUrl(u"https://proxy.example.com"_s);
        const TensorlakeRoutes routes(scoped);
        Sandbox box = sandboxAt(u"https://abc.sandbox.example.com"_s);
        box.routeHint = "hint";
        const auto own = routes.inside(box, HttpRequest::Verb::Get, u"/api/v1/pty"_s);
        QCOMPARE(own->url.toString(), u"https://abc.sandbox.example.com/api/v1/pty"_s);
        QCOMPARE(header(own->headers, "X-Tensorlake-Sandbox-Id"), "abc123"_ba);
        QCOMPARE(header(own->headers, "X-Tensorlake-Route-Hint"), "hint"_ba);
        QCOMPARE(header(own->headers, "X-Forwarded-Organization-Id"), "o1"_ba);
        QCOMPARE(header(own->headers, "X-Forwarded-Project-Id"), "p1"_ba);
        QVERIFY(header(own->headers, "traceparent").startsWith("00-"));
        QCOMPARE(header(own->headers, "traceparent").size(), 55);
        QVERIFY(header(own->headers, "Host").isEmpty());
        box.controlUrl.clear();
        box.routeHint = "bad\r\nX: y";
        const auto overridden = routes.inside(box, HttpRequest::Verb::Get, u"/api/v1/pty"_s);
        QCOMPARE(overridden->url.toString(), u"https://proxy.example.com/api/v1/pty"_s);
        QVERIFY(header(overridden->headers, "X-Tensorlake-Route-Hint").isEmpty());

        const TensorlakeRoutes local(account(u"http://127.0.0.1:8900"_s));
        const auto here = local.socketInside(sandboxAt(u"http://127.0.0.1:8900"_s), u"/api/v1/pty/s/ws"_s);
        QCOMPARE(here->url.toString(), u"ws://127.0.0.1:8900/api/v1/pty/s/ws"_s);
        QCOMPARE(header(here->headers, "Host"), "abc123.local"_ba);
        QVERIFY(header(here->headers, "X-Tensorlake-Sandbox-Id").isEmpty());
        Sandbox odd = sandboxAt(u"http://127.0.0.1:8900"_s);
        odd.id.id = u"a b"_s;
        QVERIFY(!local.inside(odd, HttpRequest::Verb::Get, u"/"_s));
    }

    void halfAScopeIsRefused()
    {
        Account half = account(u"https://api.example.com"_s);
        half.organization = u"o"_s;
        QCOMPARE(TensorlakeRoutes(half).usable().error().kind, ErrorKind::InvalidInput);
    }

    void refusalsAreUnderstood_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("plane");
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("layer");
        QTest::addColumn<QString>("detail");
        const auto row = [](const char *name, int status, const QByteArray &body, TensorlakePlane plane, ErrorKind kind, Layer layer,
                            const QString &detail) {
            QTest::newRow(name) << status << body << int(plane) << int(kind) << int(layer) << detail;
        };
        using enum TensorlakePlane;
        row("lifecycle text", 400, "name is taken\n", Lifecycle, ErrorKind::InvalidInput, Layer::Provider, u"HTTP 400: name is taken"_s);
        row("wrong state", 400, "not running", Action, ErrorKind::Conflict, Layer::SandboxState, u"HTTP 400: not running"_s);
        row("platform", 409, "{\"message\":\"key exists\"}", Platform, ErrorKind::Conflict, Layer::Provider, u"HTTP 409: key exists"_s);
        row("proxy", 503, "{\"error\":\"asleep\",\"code\":\"SANDBOX_NOT_RUNNING\"}", Proxy, ErrorKind::SandboxNotRunning, Layer::SandboxState,
            u"HTTP 503: SANDBOX_NOT_RUNNING: asleep"_s);
        row("nested", 500, "{\"error\":{\"message\":\"boom\",\"code\":\"X\"}}", Proxy, ErrorKind::ServerError, Layer::Http, u"HTTP 500: X: boom"_s);
        row("no key", 401, "", Lifecycle, ErrorKind::AuthRejected, Layer::Auth, u"HTTP 401"_s);
        row("not allowed", 403, "", Lifecycle, ErrorKind::PermissionDenied, Layer::Provider, u"HTTP 403"_s);
        row("no sandbox", 404, "", Lifecycle, ErrorKind::NotFound, Layer::SandboxState, u"HTTP 404"_s);
        row("no session", 404, "{\"error\":\"x\",\"code\":\"NOT_FOUND\"}", Proxy, ErrorKind::NotFound, Layer::Provider, u"HTTP 404: NOT_FOUND: x"_s);
        row("sessions", 429, "{\"code\":\"TOO_MANY_SESSIONS\",\"error\":\"64\"}", Proxy, ErrorKind::QuotaExceeded, Layer::Provider,
            u"HTTP 429: TOO_MANY_SESSIONS: 64; try again in 9 s"_s);
        row("too fast", 429, "", Lifecycle, ErrorKind::RateLimited, Layer::Provider, u"HTTP 429; try again in 9 s"_s);
        row("html", 502, "<html><h1>Bad gateway</h1>", Lifecycle, ErrorKind::ServerError, Layer::Http, u"HTTP 502"_s);
        row("escape sequences", 500, "\x1b]0;x\x07 bad", Lifecycle, ErrorKind::ServerError, Layer::Http, u"HTTP 500: ]0;x bad"_s);
        row("deep", 500, QByteArray(100'000, '['), Lifecycle, ErrorKind::ServerError, Layer::Http, {});
        row("teapot", 418, "", Lifecycle, ErrorKind::Protocol, Layer::Http, u"HTTP 418"_s);
    }
    void refusalsAreUnderstood()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        QFETCH(int, plane);
        QFETCH(QString, detail);
        HttpReply reply{status, {}, body, {}};
        if (status == 429)
            reply.retryAfter = std::chrono::seconds(9);
        const Error error = tensorlakeError(reply, TensorlakePlane(plane), u"box"_s);
        QTEST(int(error.kind), "kind");
        QTEST(int(error.layer), "layer");
        QVERIFY(error.detail.size() <= 500);
        if (!detail.isEmpty())
            QCOMPARE(error.detail, detail);
        QCOMPARE(error.subject, u"box"_s);
    }

    void listsOfOthersAreReadTheSameWay()
    {
        const auto keys = tensorlakeKeys("{\"items\":[{\"id\":\"ssh_key_1\",\"name\":\"laptop\",\"keyType\":\"ssh-ed25519\",\"fingerprint\":\"SHA256:x\","
            "\"createdAt\":\"2026-01-02T03:04:05Z\",\"lastUsedAt\":null},{\"name\":\"no id\"},5]}");
        QCOMPARE(keys->size(), 1);
        QCOMPARE(keys->first().type, u"ssh-ed25519"_s);
        QVERIFY(keys->first().addedAt.isValid() && !keys->first().lastUsedAt.isValid());
        const auto sessions = tensorlakePtySessions("{\"sessions\":[{\"session_id\":\"s1\",\"pid\":7,\"command\":\"/bin/bash\",\"args\":[\"-l\",3],\"rows\":24,"
            "\"cols\":99999,\"created_at\":1760000000000,\"ended_at\":null,\"exit_code\":null,\"is_alive\":true},{\"session_id\":\"s2\",\"exit_code\":-1},{}]}");
        QCOMPARE(sessions->size(), 2);
        QCOMPARE(sessions->at(0).size, (TerminalSize{1000, 24}));
        QVERIFY(sessions->at(0).isAlive && !sessions->at(0).exitCode);
        QVERIFY(!sessions->at(1).isAlive);
        QCOMPARE(sessions->at(1).exitCode, -1);
        QVERIFY(!tensorlakePtyHandle("{\"session_id\":\"s1\"}"));
        QVERIFY(tensorlakePtyHandle("{\"session_id\":\"s1\",\"token\":\"t\"}")->token->equals("t"));
        QCOMPARE(tensorlakeProcess("{\"pid\":5,\"status\":\"exited\",\"exit_code\":3}")->end.exitCode, 3);
        QCOMPARE(tensorlakeProcess("{\"pid\":5,\"status\":\"signaled\",\"signal\":15}")->end.signalName, u"TERM"_s);
        QCOMPARE(tensorlakeProcess("{\"pid\":5,\"status\":\"oom_killed\"}")->end.signalName, u"KILL"_s);
        QVERIFY(tensorlakeProcess("{\"pid\":5,\"status\":\"running\"}")->isRunning);
        QVERIFY(!tensorlakeProcess("{\"status\":\"running\"}"));
    }

    void namesKeepTheVendorsRule_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("good");
        QTest::newRow("plain") << u"my-env-2"_s << true;
        QTest::newRow("one letter") << u"a"_s << true;
        QTest::newRow("63") << QString(63, u'a') << true;
        QTest::newRow("64") << QString(64, u'a') << false;
        QTest::newRow("empty") << u""_s << false;
        QTest::newRow("capital") << u"My"_s << false;
        QTest::newRow("digit first") << u"1a"_s << false;
        QTest::newRow("dash last") << u"a-"_s << false;
        QTest::newRow("like an id") << QString(21, u'a') << false;
        QTest::newRow("21 with a dash") << u"aaaaaaaaaa-aaaaaaaaaa"_s << true;
        QTest::newRow("newline") << u"a\n"_s << false;
    }
    void namesKeepTheVendorsRule()
    {
        QFETCH(QString, name);
        QTEST(tensorlakeNameProblem(name).isEmpty(), "good");
    }

    void eventsComeWhole_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QList<QByteArray>>("events"); // "name|data"
        const auto row = [](const char *name, const QByteArray &text, const QList<QByteArray> &events) { QTest::newRow(name) << text << events; };
        row("one", "data: a\n\n", {"|a"});
        row("named", "event: output\ndata: {}\n\nevent: eof\ndata: {}\n\n", {"output|{}", "eof|{}"});
        row("no space", "data:a\n\n", {"|a"});
        row("two lines", "data: a\ndata: b\n\n", {"|a\nb"});
        row("carriage returns", "data: a\r\n\r\ndata: b\r\rdata: c\n\n", {"|a", "|b", "|c"});
        row("comments and unknown fields", ": ping\n\nid: 4\nretry: 5\ndata: a\n\n", {"|a"});
        row("empty data", "data:\n\n", {"|"});
        row("unfinished", "data: a\n", {});
        row("no data", "event: x\n\n", {});
    }
    void eventsComeWhole()
    {
        QFETCH(QByteArray, text);
        QFETCH(QList<QByteArray>, events);
        for (qsizetype step = 1; step <= text.size(); ++step) {
            SseParser parser;
            QList<QByteArray> got;
            for (qsizetype i = 0; i < text.size(); i += step) {
                for (const SseEvent &event : parser.take(QByteArrayView(text).sliced(i, qMin(step, text.size() - i))))
                    got.append(event.name + '|' + event.data);
            }
            QCOMPARE(got, events);
        }
    }

    void endlessEventsAreBrokenOff()
    {
        SseParser line(1000);
        QVERIFY(line.take(QByteArray(5000, 'x')).isEmpty());
        QVERIFY(line.isBroken());
        SseParser event(1000);
        QByteArray many;
        for (int i = 0; i < 50; ++i)
            many += "data: " + QByteArray(100, 'x') + '\n';
        QVERIFY(event.take(many).isEmpty());
        QVERIFY(event.isBroken());
    }
};

QTEST_GUILESS_MAIN(TestTensorlakeJson)
#include "tst_tensorlakejson.moc"

// The life-cycle and platform planes over HTTP, with real sandboxes.
#include "tests/gateway/gatewayfixture.h"

#include <QJsonArray>
#include <QRegularExpression>
#include <QSet>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 60'000;

QList<LocalSandbox> madeUp(int count)
{
    QList<LocalSandbox> all;
    for (int i = 0; i < count; ++i) {
        LocalSandbox sandbox;
        sandbox.id = u"id%1"_s.arg(i, 4, 10, QChar(u'0'));
        sandbox.state = i % 3 == 0 ? LocalState::Terminated : LocalState::Running;
        // Several in the same millisecond.
        sandbox.createdAt = QDateTime::fromMSecsSinceEpoch(1'700'000'000'000 + i / 4);
        all.append(sandbox);
    }
    return all;
}

} // namespace

class TestLifecycleApi : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void pagesHaveEverySandboxOnce_data();
    void pagesHaveEverySandboxOnce();
    void aCursorStaysGood_whenItsSandboxIsGone();
    void strangeCursorsAreRefused();
    void everyPlaneWantsTheKey_data();
    void everyPlaneWantsTheKey();
    void foreignOriginsAreRefused();
    void unknownPathsAndMethodsAreRefused();
    void aSandboxLivesAndEnds_data();
    void aSandboxLivesAndEnds();
    void theObjectHasTheDocumentedTypes();
    void listsArePaged();
    void badCreatesAreRefused_data();
    void badCreatesAreRefused();
    void namesAreUnique();
    void anUnnamedSandboxCannotBeSuspended();
    void portsAreExposed();
    void suspendedSandboxesRefuseTheirPlane();
    void keysAreRegisteredAndRemoved();
    void badKeysAreRefused_data();
    void badKeysAreRefused();
    void introspectionNamesAProject();

private:
    GatewayFixture m_fixture;
    QString stateOf(const QByteArray &id) const
    {
        return m_fixture.client().ask("GET", "/sandboxes/" + id).json().value(u"status"_s).toString();
    }
};

#define NEED_SANDBOXES SANDPIPER_NEED_SANDBOXES(m_fixture)

void TestLifecycleApi::initTestCase()
{
    const QString problem = m_fixture.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
}

void TestLifecycleApi::pagesHaveEverySandboxOnce_data()
{
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("limit");
    QTest::newRow("none") << 0 << 10;
    QTest::newRow("one page") << 10 << 10;
    QTest::newRow("one over") << 11 << 10;
    QTest::newRow("one each") << 30 << 1;
    QTest::newRow("5,000") << 5000 << 700;
}

void TestLifecycleApi::pagesHaveEverySandboxOnce()
{
    QFETCH(const int, count);
    QFETCH(const int, limit);
    const QList<LocalSandbox> all = madeUp(count);
    QStringList forward;
    QStringList backward;
    QString cursor;
    do {
        const auto page = pageOf(all, limit, cursor, PageDirection::Forward);
        QVERIFY(page);
        QCOMPARE(page->previous.isEmpty(), cursor.isEmpty());
        for (const LocalSandbox &sandbox : page->sandboxes)
            forward.append(sandbox.id);
        cursor = page->next;
    } while (!cursor.isEmpty());
    do {
        const auto page = pageOf(all, limit, cursor, PageDirection::Backward);
        QVERIFY(page);
        for (auto it = page->sandboxes.crbegin(); it != page->sandboxes.crend(); ++it)
            backward.prepend(it->id);
        cursor = page->previous;
    } while (!cursor.isEmpty());
    QCOMPARE(forward.size(), count);
    QCOMPARE(QSet<QString>(forward.begin(), forward.end()).size(), count);
    QCOMPARE(backward, forward);
}

void TestLifecycleApi::aCursorStaysGood_whenItsSandboxIsGone()
{
    QList<LocalSandbox> all = madeUp(20);
    const auto first = pageOf(all, 5, {}, PageDirection::Forward);
    const auto second = pageOf(all, 5, first->next, PageDirection::Forward);
    all.removeIf([&](const LocalSandbox &sandbox) { return sandbox.id == first->sandboxes.last().id; });
    const auto again = pageOf(all, 5, first->next, PageDirection::Forward);
    QCOMPARE(again->sandboxes, second->sandboxes);
}

void TestLifecycleApi::strangeCursorsAreRefused()
{
    for (const QString &cursor : {u"x"_s, u"!!!"_s, u"AAAA"_s, QString(10'000, u'A'), u"MCB4IHk"_s})
        QVERIFY2(!pageOf(madeUp(3), 5, cursor, PageDirection::Forward), qPrintable(cursor.left(20)));
    QCOMPARE(m_fixture.client().ask("GET", "/sandboxes?cursor=nonsense").status, 400);
    QCOMPARE(m_fixture.client().ask("GET", "/sandboxes?limit=0").status, 400);
    QCOMPARE(m_fixture.client().ask("GET", "/sandboxes?limit=many").status, 400);
    QCOMPARE(m_fixture.client().ask("GET", "/sandboxes?direction=up").status, 400);
}

void TestLifecycleApi::everyPlaneWantsTheKey_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QString>("field"); // of the JSON body; empty: plain text
    QTest::newRow("life cycle") << QByteArray("/v1/namespaces/default/sandboxes") << QString();
    QTest::newRow("flat") << QByteArray("/sandboxes/x") << QString();
    QTest::newRow("platform") << QByteArray("/platform/v1/users/me/ssh-keys") << u"message"_s;
    QTest::newRow("sandbox") << QByteArray("/api/v1/pty") << u"error"_s;
    QTest::newRow("nowhere") << QByteArray("/nowhere") << QString();
}

void TestLifecycleApi::everyPlaneWantsTheKey()
{
    QFETCH(const QByteArray, path);
    QFETCH(const QString, field);
    const QByteArray key = m_fixture.apiKey();
    QByteArray changed = key;
    changed.back() = changed.back() == 'x' ? 'y' : 'x';
    const QList<QByteArray> wrong{{}, "Bearer", "Bearer ", "Bearer " + changed, "Bearer " + key.chopped(1), "Bearer " + key + "x",
                                  "Basic " + key, key, "Bearer " + QByteArray(10'000, 'x')};
    for (const QByteArray &credential : wrong) {
        GatewayClient client(m_fixture.gateway->httpPort(), {});
        if (!credential.isEmpty())
            client.headers = {{"Authorization", credential}};
        const HttpAnswer answer = client.ask("GET", path);
        QCOMPARE(answer.status, 401);
        QCOMPARE(answer.header("www-authenticate"), "Bearer");
        if (field.isEmpty())
            QVERIFY(answer.header("content-type").startsWith("text/plain") && !answer.body.isEmpty());
        else
            QVERIFY(!answer.json().value(field).toString().isEmpty());
        QVERIFY(!answer.body.contains(key));
    }
    GatewayClient twice(m_fixture.gateway->httpPort(), key);
    twice.headers = {{"Authorization", "Bearer " + key}};
    QCOMPARE(twice.ask("GET", path).status, 401);
}

void TestLifecycleApi::foreignOriginsAreRefused()
{
    const QByteArray port = QByteArray::number(m_fixture.gateway->httpPort());
    GatewayClient client = m_fixture.client();
    for (const QByteArray &origin : {QByteArray("http://evil.example"), QByteArray("null"), QByteArray("http://127.0.0.1"),
                                    "https://127.0.0.1:" + port, "http://127.0.0.1:" + port + ".evil.example"}) {
        client.headers = {{"Origin", origin}};
        QCOMPARE(client.ask("GET", "/sandboxes").status, 403);
    }
    for (const QByteArray &origin : {"http://127.0.0.1:" + port, "http://localhost:" + port}) {
        client.headers = {{"Origin", origin}};
        QCOMPARE(client.ask("GET", "/sandboxes").status, 200);
    }
}

void TestLifecycleApi::unknownPathsAndMethodsAreRefused()
{
    const GatewayClient client = m_fixture.client();
    QCOMPARE(client.ask("GET", "/").status, 404);
    QCOMPARE(client.ask("GET", "/sandboxes/none-such").status, 404);
    QCOMPARE(client.ask("PUT", "/sandboxes").status, 405);
    QCOMPARE(client.ask("POST", "/sandboxes/none-such/suspend").status, 404);
    QCOMPARE(client.ask("DELETE", "/sandboxes/none-such").status, 404);
    QCOMPARE(client.ask("PATCH", "/sandboxes/none-such", "{}").status, 404);
    const HttpAnswer unnamed = client.ask("GET", "/api/v1/pty");
    QCOMPARE(unnamed.status, 400);
    QCOMPARE(unnamed.json().value(u"code"_s).toString(), u"MISSING_SANDBOX_ID"_s);
    const HttpAnswer unknown = m_fixture.client("none-such").ask("GET", "/api/v1/pty");
    QCOMPARE(unknown.status, 404);
    QCOMPARE(unknown.json().value(u"code"_s).toString(), u"SANDBOX_NOT_FOUND"_s);
}

void TestLifecycleApi::aSandboxLivesAndEnds_data()
{
    QTest::addColumn<QByteArray>("base");
    QTest::newRow("flat") << QByteArray("/sandboxes");
    QTest::newRow("with namespace") << QByteArray("/v1/namespaces/default/sandboxes");
}

void TestLifecycleApi::aSandboxLivesAndEnds()
{
    NEED_SANDBOXES;
    QFETCH(const QByteArray, base);
    const GatewayClient client = m_fixture.client();
    const HttpAnswer made = client.ask("POST", base, "{\"name\":\"life\",\"resources\":{\"cpus\":1.0,\"memory_mb\":1024}}");
    QCOMPARE(made.status, 200);
    QCOMPARE(made.json().value(u"status"_s).toString(), u"running"_s);
    QVERIFY(!made.json().contains(u"id"_s));
    const QByteArray id = made.json().value(u"sandbox_id"_s).toString().toLatin1();
    QVERIFY(QRegularExpression(u"^[a-z0-9]{21}$"_s).match(QString::fromLatin1(id)).hasMatch());
    QCOMPARE(client.ask("GET", base + "/life").json().value(u"id"_s).toString().toLatin1(), id);
    QCOMPARE(client.ask("GET", base + '/' + id).json().value(u"name"_s).toString(), u"life"_s);

    QCOMPARE(client.ask("PATCH", base + '/' + id, "{\"name\":\"lived\"}").json().value(u"name"_s).toString(), u"lived"_s);
    QCOMPARE(client.ask("GET", base + "/life").status, 404);

    QCOMPARE(client.ask("POST", base + "/lived/resume").status, 200);
    QCOMPARE(client.ask("POST", base + "/lived/suspend").status, 202);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(id), u"suspended"_s, patience);
    QCOMPARE(client.ask("POST", base + "/lived/suspend").status, 200);
    QCOMPARE(client.ask("POST", base + "/lived/resume").status, 202);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(id), u"running"_s, patience);

    QCOMPARE(client.ask("DELETE", base + "/lived").status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(id), u"terminated"_s, patience);
    QCOMPARE(client.ask("DELETE", base + '/' + id).status, 200);
    QCOMPARE(client.ask("POST", base + '/' + id + "/suspend").status, 400);
    QCOMPARE(client.ask("POST", base + '/' + id + "/resume").status, 400);
}

void TestLifecycleApi::theObjectHasTheDocumentedTypes()
{
    NEED_SANDBOXES;
    const QByteArray id = m_fixture.makeSandbox(u"typed"_s);
    const QJsonObject object = m_fixture.client().ask("GET", "/v1/namespaces/mine/sandboxes/typed").json();
    QCOMPARE(object.value(u"id"_s).toString().toLatin1(), id);
    QVERIFY(!object.contains(u"sandbox_id"_s));
    QCOMPARE(object.value(u"namespace"_s).toString(), u"mine"_s);
    QCOMPARE(object.value(u"sandbox_url"_s).toString(), u"http://127.0.0.1:%1"_s.arg(m_fixture.gateway->httpPort()));
    const QJsonObject resources = object.value(u"resources"_s).toObject();
    QVERIFY(resources.value(u"cpus"_s).isDouble());
    // Integers must look like integers, or the Python client raises.
    const QByteArray text = m_fixture.client().ask("GET", "/sandboxes/typed").body;
    QVERIFY2(text.contains("\"memory_mb\":1024,") || text.contains("\"memory_mb\":1024}"), text.constData());
    QVERIFY(QRegularExpression(u"\"created_at\":1[0-9]{12}[,}]"_s).match(QString::fromUtf8(text)).hasMatch());
    QVERIFY(object.value(u"exposed_ports"_s).isArray());
    QVERIFY(object.value(u"allow_unauthenticated_access"_s).isBool());
    QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/typed").status, 200);
}

void TestLifecycleApi::listsArePaged()
{
    NEED_SANDBOXES;
    QSet<QString> made;
    for (int i = 0; i < 5; ++i)
        made.insert(QString::fromLatin1(m_fixture.makeSandbox(u"page-%1"_s.arg(i))));
    QCOMPARE(made.size(), 5);
    QSet<QString> seen;
    QByteArray cursor;
    int pages = 0;
    do {
        const HttpAnswer answer = m_fixture.client().ask("GET", "/sandboxes?status=running&limit=2" + (cursor.isEmpty() ? cursor : "&cursor=" + cursor));
        QCOMPARE(answer.status, 200);
        const QJsonArray array = answer.json().value(u"sandboxes"_s).toArray();
        QVERIFY(array.size() <= 2);
        for (const QJsonValue &value : array) {
            QCOMPARE(value[u"status"_s].toString(), u"running"_s);
            QVERIFY(!seen.contains(value[u"id"_s].toString()));
            seen.insert(value[u"id"_s].toString());
        }
        cursor = answer.json().value(u"next_cursor"_s).toString().toLatin1();
        QCOMPARE(answer.json().contains(u"prev_cursor"_s), pages > 0);
        ++pages;
    } while (!cursor.isEmpty());
    QVERIFY(seen.contains(made));
    QVERIFY(pages >= 3);
    for (const QString &id : made)
        QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/" + id.toLatin1()).status, 200);
    const QJsonArray running = m_fixture.client().ask("GET", "/sandboxes?status=running").json().value(u"sandboxes"_s).toArray();
    for (const QJsonValue &value : running)
        QVERIFY(!made.contains(value[u"id"_s].toString()));
}

void TestLifecycleApi::badCreatesAreRefused_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::newRow("no JSON") << QByteArray("{");
    QTest::newRow("array") << QByteArray("[]");
    QTest::newRow("string") << QByteArray("\"x\"");
    QTest::newRow("deep nesting") << QByteArray(5000, '[');
    QTest::newRow("binary") << QByteArray::fromHex("00ff00ff");
    QTest::newRow("name a number") << QByteArray("{\"name\":1}");
    QTest::newRow("name with NUL") << QByteArray("{\"name\":\"a\\u0000b\"}");
    QTest::newRow("name in capitals") << QByteArray("{\"name\":\"Big\"}");
    QTest::newRow("name with a slash") << QByteArray("{\"name\":\"../etc\"}");
    QTest::newRow("name like an id") << QByteArray("{\"name\":\"abcdefghijklmnopqrstu\"}");
    QTest::newRow("name too long") << QByteArray("{\"name\":\"" + QByteArray(64, 'a') + "\"}");
    QTest::newRow("resources a string") << QByteArray("{\"resources\":\"all\"}");
    QTest::newRow("memory a fraction") << QByteArray("{\"resources\":{\"memory_mb\":1.5}}");
    QTest::newRow("memory negative") << QByteArray("{\"resources\":{\"memory_mb\":-1}}");
    QTest::newRow("cpus NaN-like") << QByteArray("{\"resources\":{\"cpus\":\"many\"}}");
    QTest::newRow("port 0") << QByteArray("{\"exposed_ports\":[0]}");
    QTest::newRow("port 9501") << QByteArray("{\"exposed_ports\":[9501]}");
    QTest::newRow("port 65536") << QByteArray("{\"exposed_ports\":[65536]}");
    QTest::newRow("ports an object") << QByteArray("{\"exposed_ports\":{}}");
    QTest::newRow("flag a string") << QByteArray("{\"allow_unauthenticated_access\":\"yes\"}");
    QTest::newRow("unknown image") << QByteArray("{\"image\":\"tensorlake/ubuntu-vnc\"}");
    QTest::newRow("GPUs") << QByteArray("{\"resources\":{\"gpus\":[{\"count\":1,\"model\":\"A10\"}]}}");
    QTest::newRow("snapshot") << QByteArray("{\"snapshot_id\":\"s\"}");
    QTest::newRow("no internet") << QByteArray("{\"network\":{\"allow_internet_access\":false}}");
}

void TestLifecycleApi::badCreatesAreRefused()
{
    QFETCH(const QByteArray, body);
    const HttpAnswer answer = m_fixture.client().ask("POST", "/sandboxes", body);
    QCOMPARE(answer.status, 400);
    QVERIFY(answer.header("content-type").startsWith("text/plain"));
    QVERIFY(!answer.body.isEmpty());
}

void TestLifecycleApi::namesAreUnique()
{
    NEED_SANDBOXES;
    const QByteArray one = m_fixture.makeSandbox(u"only-one"_s);
    const QByteArray two = m_fixture.makeSandbox(u"another"_s);
    QCOMPARE(m_fixture.client().ask("POST", "/sandboxes", "{\"name\":\"only-one\"}").status, 409);
    QCOMPARE(m_fixture.client().ask("PATCH", "/sandboxes/" + two, "{\"name\":\"only-one\"}").status, 409);
    QCOMPARE(m_fixture.client().ask("PATCH", "/sandboxes/" + two, "{\"name\":\"\"}").status, 400);
    for (const QByteArray &id : {one, two})
        QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/" + id).status, 200);
}

void TestLifecycleApi::anUnnamedSandboxCannotBeSuspended()
{
    NEED_SANDBOXES;
    // No body at all, as some clients post.
    const HttpAnswer made = m_fixture.client().ask("POST", "/sandboxes");
    QCOMPARE(made.status, 200);
    QVERIFY(!made.json().contains(u"name"_s));
    const QByteArray id = made.json().value(u"sandbox_id"_s).toString().toLatin1();
    QCOMPARE(m_fixture.client().ask("POST", "/sandboxes/" + id + "/suspend").status, 400);
    QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/" + id).status, 200);
}

void TestLifecycleApi::portsAreExposed()
{
    NEED_SANDBOXES;
    const QByteArray id = m_fixture.makeSandbox(u"ports"_s);
    const QJsonObject object = m_fixture.client().ask("PATCH", "/sandboxes/ports", "{\"exposed_ports\":[8080,80],\"allow_unauthenticated_access\":true}").json();
    QCOMPARE(object.value(u"exposed_ports"_s).toArray(), (QJsonArray{8080, 80}));
    QCOMPARE(object.value(u"allow_unauthenticated_access"_s).toBool(), true);
    const QJsonObject cleared = m_fixture.client().ask("PATCH", "/sandboxes/ports", "{\"exposed_ports\":[]}").json();
    QCOMPARE(cleared.value(u"exposed_ports"_s).toArray(), QJsonArray());
    QCOMPARE(cleared.value(u"allow_unauthenticated_access"_s).toBool(), true);
    QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/" + id).status, 200);
}

void TestLifecycleApi::suspendedSandboxesRefuseTheirPlane()
{
    NEED_SANDBOXES;
    const QByteArray id = m_fixture.makeSandbox(u"asleep"_s);
    QCOMPARE(m_fixture.client("asleep").ask("GET", "/api/v1/health").json().value(u"healthy"_s).toBool(), true);
    QCOMPARE(m_fixture.client().ask("POST", "/sandboxes/asleep/suspend").status, 202);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(id), u"suspended"_s, patience);
    const HttpAnswer answer = m_fixture.client("asleep").ask("GET", "/api/v1/health");
    QCOMPARE(answer.status, 503);
    QCOMPARE(answer.json().value(u"code"_s).toString(), u"SANDBOX_NOT_RUNNING"_s);
    // It was not woken.
    QCOMPARE(stateOf(id), u"suspended"_s);
    QCOMPARE(m_fixture.client().ask("DELETE", "/sandboxes/" + id).status, 200);
    QTRY_COMPARE_WITH_TIMEOUT(m_fixture.client("asleep").ask("GET", "/api/v1/health").status, 404, patience);
}

void TestLifecycleApi::keysAreRegisteredAndRemoved()
{
    const QByteArray keys = "/platform/v1/users/me/ssh-keys";
    const QByteArray line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGEgZmluZSBrZXkgZm9yIHRoaXMgdmVyeSB0ZXN0IDAx somebody@somewhere";
    const GatewayClient client = m_fixture.client();
    const QJsonArray before = client.ask("GET", keys).json().value(u"items"_s).toArray();
    QCOMPARE(before.size(), 1);
    QCOMPARE(before.first()[u"name"_s].toString(), u"This computer"_s);

    const HttpAnswer added = client.ask("POST", keys, QJsonObject{{u"name"_s, u" laptop "_s}, {u"publicKey"_s, QString::fromLatin1(line)}});
    QVERIFY2(added.status == 201, added.body.constData());
    const QJsonObject key = added.json();
    QVERIFY(key.value(u"id"_s).toString().startsWith(u"ssh_key_"_s));
    QCOMPARE(key.value(u"name"_s).toString(), u"laptop"_s);
    QCOMPARE(key.value(u"keyType"_s).toString(), u"ssh-ed25519"_s);
    QVERIFY(key.value(u"fingerprint"_s).toString().startsWith(u"SHA256:"_s));
    QVERIFY(QDateTime::fromString(key.value(u"createdAt"_s).toString(), Qt::ISODateWithMs).isValid());

    const HttpAnswer twice = client.ask("POST", keys, QJsonObject{{u"name"_s, u"other"_s}, {u"publicKey"_s, QString::fromLatin1(line)}});
    QCOMPARE(twice.status, 409);
    QVERIFY(!twice.json().value(u"message"_s).toString().isEmpty());
    QCOMPARE(client.ask("GET", keys).json().value(u"items"_s).toArray().size(), 2);

    QCOMPARE(client.ask("DELETE", keys + '/' + key.value(u"id"_s).toString().toLatin1()).status, 204);
    QCOMPARE(client.ask("DELETE", keys + '/' + key.value(u"id"_s).toString().toLatin1()).status, 404);
    QCOMPARE(client.ask("GET", keys).json().value(u"items"_s).toArray().size(), 1);
}

void TestLifecycleApi::badKeysAreRefused_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::newRow("empty") << QByteArray("{}");
    QTest::newRow("no name") << QByteArray("{\"publicKey\":\"ssh-ed25519 AAAA\"}");
    QTest::newRow("blank name") << QByteArray("{\"name\":\"  \",\"publicKey\":\"ssh-ed25519 AAAA\"}");
    QTest::newRow("no key") << QByteArray("{\"name\":\"a\"}");
    QTest::newRow("nonsense") << QByteArray("{\"name\":\"a\",\"publicKey\":\"nonsense\"}");
    QTest::newRow("private key") << QByteArray("{\"name\":\"a\",\"publicKey\":\"-----BEGIN OPENSSH PRIVATE KEY-----\"}");
    QTest::newRow("type and blob differ") << QByteArray("{\"name\":\"a\",\"publicKey\":\"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGEgZmluZSBrZXkgZm9yIHRoaXMgdmVyeSB0ZXN0IDAx\"}");
    QTest::newRow("number") << QByteArray("{\"name\":\"a\",\"publicKey\":7}");
}

void TestLifecycleApi::badKeysAreRefused()
{
    QFETCH(const QByteArray, body);
    const HttpAnswer answer = m_fixture.client().ask("POST", "/platform/v1/users/me/ssh-keys", body);
    QCOMPARE(answer.status, 400);
    QVERIFY(!answer.json().value(u"message"_s).toString().isEmpty());
}

void TestLifecycleApi::introspectionNamesAProject()
{
    const HttpAnswer answer = m_fixture.client().ask("POST", "/platform/v1/keys/introspect");
    QCOMPARE(answer.status, 200);
    for (const QString &field : {u"id"_s, u"organizationId"_s, u"projectId"_s})
        QVERIFY(!answer.json().value(field).toString().isEmpty());
}

QTEST_GUILESS_MAIN(TestLifecycleApi)
#include "tst_lifecycleapi.moc"

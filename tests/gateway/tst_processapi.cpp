// The process plane over HTTP, in a real sandbox.
#include "tests/gateway/gatewayfixture.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSet>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 60'000;
const QByteArray processes = "/api/v1/processes";

QList<QJsonObject> eventsOf(const QByteArray &stream)
{
    QList<QJsonObject> events;
    for (const QByteArray &block : stream.split('\n')) {
        if (block.startsWith("data: "))
            events.append(QJsonDocument::fromJson(block.sliced(6)).object());
    }
    return events;
}

QByteArray joined(const QList<QJsonObject> &events, const QString &stream)
{
    QByteArray text;
    for (const QJsonObject &event : events) {
        if (event.value(u"stream"_s).toString() == stream)
            text += event.value(u"line"_s).toString().toUtf8() + '\n';
    }
    return text;
}

QJsonObject shell(const QString &line)
{
    return {{u"command"_s, u"/bin/sh"_s}, {u"args"_s, QJsonArray{u"-c"_s, line}}};
}

} // namespace

class TestProcessApi : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void runStreamsLinesAndTheStatus();
    void runTellsASignal();
    void runEndsWithItsTime();
    void runDoesNotWaitForOrphans();
    void runIsEndedByItsClientsLeaving();
    void muchOutputArrivesWhole();
    void linesAreCutAndBounded();
    void bytesThatAreNotTextSurviveAsReplacements();
    void startedProcessesAreListedSignalledAndKilled();
    void inputIsWrittenAndClosed();
    void closedInputIsRefused();
    void outputIsKeptAndFollowed();
    void discardedOutputIsNotKept();
    void badRequestsAreRefused_data();
    void badRequestsAreRefused();
    void infoCounts();

private:
    GatewayFixture m_fixture;
    QByteArray m_sandbox;

    GatewayClient client() const { return m_fixture.client(m_sandbox); }
    QByteArray start(const QJsonObject &body) const
    {
        const HttpAnswer answer = client().ask("POST", processes, body);
        return answer.status == 201 ? QByteArray::number(answer.json().value(u"pid"_s).toInt()) : answer.body;
    }
    QJsonObject get(const QByteArray &pid) const { return client().ask("GET", processes + '/' + pid).json(); }
};

void TestProcessApi::initTestCase()
{
    const QString problem = m_fixture.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    SANDPIPER_NEED_SANDBOXES(m_fixture);
    m_sandbox = m_fixture.makeSandbox(u"processes"_s);
    QVERIFY(!m_sandbox.isEmpty());
}

void TestProcessApi::runStreamsLinesAndTheStatus()
{
    QJsonObject body = shell(u"echo out; echo err >&2; echo $MARK; pwd; printf tail; exit 3"_s);
    body[u"env"_s] = QJsonObject{{u"MARK"_s, u"süß"_s}};
    body[u"working_dir"_s] = u"/tmp"_s;
    const HttpAnswer answer = client().ask("POST", processes + "/run", body);
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.header("content-type"), "text/event-stream");
    const QList<QJsonObject> events = eventsOf(answer.body);
    QVERIFY(events.first().value(u"pid"_s).isDouble() && events.first().value(u"started_at"_s).isDouble());
    QCOMPARE(joined(events, u"stdout"_s), "out\nsüß\n/tmp\ntail\n");
    QCOMPARE(joined(events, u"stderr"_s), "err\n");
    QVERIFY(events.at(1).value(u"timestamp"_s).toInteger() > 1'600'000'000'000);
    QCOMPARE(events.last(), (QJsonObject{{u"exit_code"_s, 3}}));
}

void TestProcessApi::runTellsASignal()
{
    const HttpAnswer answer = client().ask("POST", processes + "/run", shell(u"kill -TERM $$"_s));
    QCOMPARE(eventsOf(answer.body).last(), (QJsonObject{{u"signal"_s, 15}}));
}

void TestProcessApi::runEndsWithItsTime()
{
    QJsonObject body = shell(u"echo begun; exec sleep 1000"_s);
    body[u"timeout"_s] = 0.5;
    const QList<QJsonObject> events = eventsOf(client().ask("POST", processes + "/run", body).body);
    QCOMPARE(joined(events, u"stdout"_s), "begun\n");
    QCOMPARE(events.last(), (QJsonObject{{u"signal"_s, 9}}));
}

void TestProcessApi::runDoesNotWaitForOrphans()
{
    const QList<QJsonObject> events = eventsOf(client().ask("POST", processes + "/run", shell(u"sleep 1000 & echo done"_s)).body);
    QCOMPARE(joined(events, u"stdout"_s), "done\n");
    QCOMPARE(events.last(), (QJsonObject{{u"exit_code"_s, 0}}));
}

void TestProcessApi::runIsEndedByItsClientsLeaving()
{
    const QByteArray body = QJsonDocument(shell(u"echo $$; exec sleep 1000"_s)).toJson(QJsonDocument::Compact);
    QTcpSocket socket;
    socket.connectToHost(QHostAddress::LocalHost, m_fixture.gateway->httpPort());
    socket.write("POST " + processes + "/run HTTP/1.1\r\nHost: " + m_sandbox + ".local\r\nAuthorization: Bearer " + m_fixture.apiKey()
                 + "\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
    QByteArray got;
    QTRY_VERIFY_WITH_TIMEOUT((got += socket.readAll()).contains("\"line\""), patience);
    const QByteArray pid = QByteArray::number(eventsOf(got).first().value(u"pid"_s).toInt());
    QCOMPARE(get(pid).value(u"status"_s).toString(), u"running"_s);
    socket.abort();
    QTRY_COMPARE_WITH_TIMEOUT(get(pid).value(u"status"_s).toString(), u"signaled"_s, patience);
    QCOMPARE(get(pid).value(u"signal"_s).toInt(), 9);
}

void TestProcessApi::muchOutputArrivesWhole()
{
    const QList<QJsonObject> events = eventsOf(client().ask("POST", processes + "/run", shell(u"seq 1 50000"_s)).body);
    const QByteArray text = joined(events, u"stdout"_s);
    QCOMPARE(text.count('\n'), 50'000);
    QVERIFY(text.startsWith("1\n2\n") && text.endsWith("\n49999\n50000\n"));
}

void TestProcessApi::linesAreCutAndBounded()
{
    const QList<QJsonObject> events = eventsOf(client().ask("POST", processes + "/run", shell(u"head -c 200000 /dev/zero | tr '\\0' x"_s)).body);
    qsizetype size = 0;
    for (const QJsonObject &event : events) {
        QVERIFY(event.value(u"line"_s).toString().size() <= 65536);
        size += event.value(u"line"_s).toString().size();
    }
    QCOMPARE(size, 200'000);
}

void TestProcessApi::bytesThatAreNotTextSurviveAsReplacements()
{
    const QList<QJsonObject> events = eventsOf(client().ask("POST", processes + "/run", shell(u"printf 'a\\377b\\n\\000c\\n'"_s)).body);
    QCOMPARE(events.size(), 4);
    QCOMPARE(events.at(1).value(u"line"_s).toString(), u"a\ufffdb"_s);
    QCOMPARE(events.at(2).value(u"line"_s).toString(), QString(QChar(0)) + u'c');
}

void TestProcessApi::startedProcessesAreListedSignalledAndKilled()
{
    const QByteArray one = start({{u"command"_s, u"sleep"_s}, {u"args"_s, QJsonArray{u"1000"_s}}});
    const QByteArray two = start({{u"command"_s, u"sleep"_s}, {u"args"_s, QJsonArray{u"1000"_s}}});
    QJsonObject object = get(one);
    QCOMPARE(object.value(u"status"_s).toString(), u"running"_s);
    QCOMPARE(object.value(u"command"_s).toString(), u"sleep"_s);
    QCOMPARE(object.value(u"args"_s).toArray(), QJsonArray{u"1000"_s});
    QCOMPARE(object.value(u"stdin_writable"_s).toBool(true), false);
    QVERIFY(object.value(u"exit_code"_s).isNull() && object.value(u"ended_at"_s).isNull());
    QSet<QByteArray> listed;
    for (const QJsonValue &value : client().ask("GET", processes).json().value(u"processes"_s).toArray())
        listed.insert(QByteArray::number(value[u"pid"_s].toInt()));
    QVERIFY(listed.contains(one) && listed.contains(two));

    QCOMPARE(client().ask("POST", processes + '/' + one + "/signal", "{\"signal\":15}").json().value(u"success"_s).toBool(), true);
    QTRY_COMPARE_WITH_TIMEOUT(get(one).value(u"status"_s).toString(), u"signaled"_s, patience);
    QCOMPARE(get(one).value(u"signal"_s).toInt(), 15);
    QCOMPARE(client().ask("POST", processes + '/' + one + "/signal", "{\"signal\":15}").status, 400);
    for (const QByteArray body : {"{\"signal\":0}", "{\"signal\":65}", "{\"signal\":\"TERM\"}", "{}", "["})
        QCOMPARE(client().ask("POST", processes + '/' + two + "/signal", body).status, 400);
    QCOMPARE(client().ask("DELETE", processes + '/' + two).status, 204);
    QTRY_COMPARE_WITH_TIMEOUT(get(two).value(u"signal"_s).toInt(), 9, patience);
    for (const QByteArray nobody : {"999999", "-1", "0", "sleep", "99999999999999999999"}) {
        QCOMPARE(client().ask("GET", processes + '/' + nobody).status, 404);
        QCOMPARE(client().ask("DELETE", processes + '/' + nobody).status, 404);
    }
}

void TestProcessApi::inputIsWrittenAndClosed()
{
    QJsonObject body = shell(u"cksum; echo end"_s);
    body[u"stdin_mode"_s] = u"pipe"_s;
    const QByteArray pid = start(body);
    QCOMPARE(get(pid).value(u"stdin_writable"_s).toBool(), true);
    const QByteArray bytes = QByteArray("\0\1\2\xff line\n", 10).repeated(200'000);
    QCOMPARE(client().ask("POST", processes + '/' + pid + "/stdin", bytes).status, 204);
    QCOMPARE(client().ask("POST", processes + '/' + pid + "/stdin", bytes).status, 204);
    QCOMPARE(client().ask("POST", processes + '/' + pid + "/stdin/close").status, 204);
    QTRY_COMPARE_WITH_TIMEOUT(get(pid).value(u"status"_s).toString(), u"exited"_s, patience);
    const QJsonArray lines = client().ask("GET", processes + '/' + pid + "/stdout").json().value(u"lines"_s).toArray();
    QVERIFY2(lines.at(0).toString().endsWith(u" 4000000"_s), qPrintable(lines.at(0).toString()));
    const HttpAnswer late = client().ask("POST", processes + '/' + pid + "/stdin", "x");
    QCOMPARE(late.status, 400);
    QCOMPARE(late.json().value(u"code"_s).toString(), u"STDIN_NOT_WRITABLE"_s);
}

void TestProcessApi::closedInputIsRefused()
{
    const QByteArray pid = start({{u"command"_s, u"sleep"_s}, {u"args"_s, QJsonArray{u"1000"_s}}});
    QCOMPARE(client().ask("POST", processes + '/' + pid + "/stdin", "x").json().value(u"code"_s).toString(), u"STDIN_NOT_WRITABLE"_s);
    QCOMPARE(client().ask("POST", processes + '/' + pid + "/stdin/close").status, 400);
    QCOMPARE(client().ask("DELETE", processes + '/' + pid).status, 204);
    // A process that goes away while input waits for it answers too.
    QJsonObject body = shell(u"sleep 1; exit 0"_s);
    body[u"stdin_mode"_s] = u"pipe"_s;
    const QByteArray deaf = start(body);
    QCOMPARE(client().ask("POST", processes + '/' + deaf + "/stdin", QByteArray(1'000'000, 'x')).status, 400);
}

void TestProcessApi::outputIsKeptAndFollowed()
{
    QJsonObject body = shell(u"echo one; echo two >&2; read go; echo three"_s);
    body[u"stdin_mode"_s] = u"pipe"_s;
    const QByteArray pid = start(body);
    const QByteArray path = processes + '/' + pid;
    QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", path + "/output").json().value(u"line_count"_s).toInt(), 2, patience);
    QCOMPARE(client().ask("GET", path + "/stderr").json().value(u"lines"_s).toArray(), QJsonArray{u"two"_s});

    QTcpSocket follower;
    follower.connectToHost(QHostAddress::LocalHost, m_fixture.gateway->httpPort());
    follower.write("GET " + path + "/output/follow HTTP/1.1\r\nHost: " + m_sandbox + ".local\r\nConnection: close\r\nAuthorization: Bearer "
                   + m_fixture.apiKey() + "\r\n\r\n");
    QByteArray got;
    QTRY_VERIFY_WITH_TIMEOUT((got += follower.readAll()).contains("\"two\""), patience);
    QVERIFY(!got.contains("three"));
    QCOMPARE(client().ask("POST", path + "/stdin", "\n").status, 204);
    QTRY_VERIFY_WITH_TIMEOUT((got += follower.readAll()).contains("event: eof\ndata: {}\n\n"), patience);
    const HttpAnswer followed = parseAnswer(got);
    QCOMPARE(followed.header("content-type"), "text/event-stream");
    QCOMPARE(joined(eventsOf(followed.body), u"stdout"_s), "one\nthree\n");
    QVERIFY(followed.body.contains("event: output\ndata: "));
    // And after its end, once more from the start.
    const HttpAnswer late = client().ask("GET", path + "/stdout/follow");
    QCOMPARE(joined(eventsOf(late.body), u"stdout"_s), "one\nthree\n");
    QVERIFY(!late.body.contains("two"));
    QVERIFY(late.body.endsWith("event: eof\ndata: {}\n\n"));
}

void TestProcessApi::discardedOutputIsNotKept()
{
    QJsonObject body = shell(u"echo one; echo two >&2"_s);
    body[u"stdout_mode"_s] = u"discard"_s;
    const QByteArray pid = start(body);
    QTRY_COMPARE_WITH_TIMEOUT(get(pid).value(u"status"_s).toString(), u"exited"_s, patience);
    QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", processes + '/' + pid + "/output").json().value(u"lines"_s).toArray(), QJsonArray{u"two"_s}, patience);
}

void TestProcessApi::badRequestsAreRefused_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::newRow("no body") << QByteArray() << 400;
    QTest::newRow("no JSON") << QByteArray("nonsense") << 400;
    QTest::newRow("no command") << QByteArray("{\"args\":[]}") << 400;
    QTest::newRow("args a string") << QByteArray("{\"command\":\"ls\",\"args\":\"-l\"}") << 400;
    QTest::newRow("another user") << QByteArray("{\"command\":\"ls\",\"user\":\"root\"}") << 400;
    QTest::newRow("another uid") << QByteArray("{\"command\":\"ls\",\"user\":{\"uid\":0}}") << 400;
    QTest::newRow("bad mode") << QByteArray("{\"command\":\"ls\",\"stdin_mode\":\"tty\"}") << 400;
    QTest::newRow("managed") << QByteArray("{\"command\":\"ls\",\"restart\":{\"policy\":\"always\"}}") << 400;
    QTest::newRow("no such program") << QByteArray("{\"command\":\"/no/such/program\"}") << 500;
    QTest::newRow("our user") << QByteArray("{\"command\":\"true\",\"user\":\"tl-user\"}") << 201;
}

void TestProcessApi::badRequestsAreRefused()
{
    QFETCH(const QByteArray, body);
    QFETCH(const int, status);
    const HttpAnswer answer = client().ask("POST", processes, body);
    QCOMPARE(answer.status, status);
    if (status != 201)
        QVERIFY(!answer.json().value(u"error"_s).toString().isEmpty() && !answer.json().value(u"code"_s).toString().isEmpty());
}

void TestProcessApi::infoCounts()
{
    const int before = client().ask("GET", "/api/v1/info").json().value(u"running_processes"_s).toInt();
    const QByteArray pid = start({{u"command"_s, u"sleep"_s}, {u"args"_s, QJsonArray{u"1000"_s}}});
    const QJsonObject info = client().ask("GET", "/api/v1/info").json();
    QCOMPARE(info.value(u"running_processes"_s).toInt(), before + 1);
    QVERIFY(info.value(u"total_processes"_s).toInt() > before);
    QVERIFY(!info.value(u"version"_s).toString().isEmpty());
    QVERIFY(info.value(u"uptime_secs"_s).toInteger() >= 0);
    QCOMPARE(client().ask("DELETE", processes + '/' + pid).status, 204);
}

QTEST_GUILESS_MAIN(TestProcessApi)
#include "tst_processapi.moc"

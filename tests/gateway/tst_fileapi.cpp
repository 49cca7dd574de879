// The file plane over HTTP, in a real sandbox.
#include "tests/gateway/gatewayfixture.h"

#include <QCryptographicHash>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr int patience = 120'000;
const QByteArray files = "/api/v1/files";

QByteArray at(const QByteArray &path)
{
    return files + "?path=" + path.toPercentEncoding("/");
}

QByteArray listAt(const QByteArray &path)
{
    return files + "/list?path=" + path.toPercentEncoding("/");
}

QStringList namesIn(const HttpAnswer &answer)
{
    QStringList names;
    for (const QJsonValue &entry : answer.json().value(u"entries"_s).toArray())
        names.append(entry[u"name"_s].toString());
    return names;
}

} // namespace

class TestFileApi : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void whatIsWrittenIsReadBack_data();
    void whatIsWrittenIsReadBack();
    void foldersOnTheWayAreMade();
    void writingTruncatesAndKeepsPermissions();
    void writingGoesThroughLinks();
    void aPlusInTheQueryIsASpace();
    void aRelativePathBeginsInTheWorkspace();
    void filesAreTheSandboxUsers();
    void filesAreSeenFromInside();
    void deletingRemovesAFileAndALinkButNoFolder();
    void listingTellsFoldersFirst();
    void aNameThatIsNotTextIsReplacedAndUsable();
    void refusals_data();
    void refusals();
    void anInterruptedUploadLeavesTheOldFile();
    void aRefusedUploadIsAnsweredBeforeItIsWhole();
    void aChunkedUploadArrivesWhole();
    void aSuspendedSandboxRefuses();
    void aKilledReaderIsNoWholeAnswer();
    void aBigFilePassesThroughBoundedMemory();

private:
    GatewayFixture m_fixture;
    QByteArray m_sandbox;

    GatewayClient client() const { return m_fixture.client(m_sandbox); }
    QByteArray run(const QString &line) const
    {
        const HttpAnswer answer = client().ask("POST", "/api/v1/processes/run",
                                               QJsonObject{{u"command"_s, u"/bin/sh"_s}, {u"args"_s, QJsonArray{u"-c"_s, line}}});
        QByteArray text;
        for (const QByteArray &block : answer.body.split('\n')) {
            const QJsonObject event = block.startsWith("data: ") ? QJsonDocument::fromJson(block.sliced(6)).object() : QJsonObject();
            if (event.contains(u"line"_s))
                text += event.value(u"line"_s).toString().toUtf8() + '\n';
        }
        return text;
    }
    QByteArray put(const QByteArray &path, const QByteArray &bytes) const
    {
        const HttpAnswer answer = client().ask("PUT", at(path), bytes);
        return answer.status == 204 && answer.body.isEmpty() ? QByteArray("written") : QByteArray::number(answer.status) + ' ' + answer.body;
    }
    QByteArray get(const QByteArray &path) const
    {
        const HttpAnswer answer = client().ask("GET", at(path));
        return answer.status == 200 ? answer.body : QByteArray::number(answer.status) + ' ' + answer.body;
    }
};

void TestFileApi::initTestCase()
{
    const QString problem = m_fixture.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    SANDPIPER_NEED_SANDBOXES(m_fixture);
    m_sandbox = m_fixture.makeSandbox(u"files"_s);
    QVERIFY(!m_sandbox.isEmpty());
}

void TestFileApi::whatIsWrittenIsReadBack_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QByteArray>("bytes");
    QByteArray all;
    for (int i = 0; i < 256; ++i)
        all.append(char(i));
    QTest::newRow("plain") << "plain"_ba << all;
    QTest::newRow("empty") << "empty"_ba << QByteArray();
    QTest::newRow("pieces") << "pieces"_ba << all.repeated(8192);
    QTest::newRow("space and quotes") << "a b\"c'd"_ba << all;
    QTest::newRow("newline") << "a\nb\tc"_ba << all;
    QTest::newRow("percent") << "100%25%2f+&=#?"_ba << all;
    QTest::newRow("two dots in a name") << "a..b.."_ba << all;
    QTest::newRow("UTF-8") << "\u00fc\U0001f426"_ba << all;
    QTest::newRow("not UTF-8") << "\xff\xfe\x80"_ba << all;
    QTest::newRow("255 bytes") << QByteArray(255, 'n') << all;
}

void TestFileApi::whatIsWrittenIsReadBack()
{
    QFETCH(const QByteArray, name);
    QFETCH(const QByteArray, bytes);
    const QByteArray path = "/tmp/back/" + name;
    QCOMPARE(put(path, bytes), "written"_ba);
    const HttpAnswer answer = client().ask("GET", at(path));
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.header("content-type"), "application/octet-stream"_ba);
    QVERIFY(answer.body == bytes);
    QCOMPARE(client().ask("DELETE", at(path)).status, 204);
    QCOMPARE(client().ask("GET", at(path)).status, 404);
}

void TestFileApi::foldersOnTheWayAreMade()
{
    QCOMPARE(put("/workspace/one/two/three/file", "x"), "written"_ba);
    QCOMPARE(run(u"stat -c %a /workspace/one/two/three /workspace/one/two/three/file"_s), "755\n644\n"_ba);
}

void TestFileApi::writingTruncatesAndKeepsPermissions()
{
    run(u"echo something long > /tmp/kept; chmod 750 /tmp/kept"_s);
    QCOMPARE(put("/tmp/kept", "new"), "written"_ba);
    QCOMPARE(run(u"stat -c %a /tmp/kept; cat /tmp/kept"_s), "750\nnew\n"_ba);
    // Nothing is left beside it.
    QCOMPARE(run(u"ls -a /tmp | grep -c sandpiper"_s), "0\n"_ba);
}

void TestFileApi::writingGoesThroughLinks()
{
    run(u"mkdir -p /tmp/l/there; ln -s there/target /tmp/l/link"_s);
    QCOMPARE(put("/tmp/l/link", "first"), "written"_ba);
    QCOMPARE(put("/tmp/l/link", "second"), "written"_ba);
    QCOMPARE(run(u"test -L /tmp/l/link && cat /tmp/l/there/target"_s), "second\n"_ba);
}

void TestFileApi::aPlusInTheQueryIsASpace()
{
    QCOMPARE(put("/tmp/a b", "spaced"), "written"_ba);
    QCOMPARE(client().ask("GET", files + "?path=%2Ftmp%2Fa+b").body, "spaced"_ba);
}

void TestFileApi::aRelativePathBeginsInTheWorkspace()
{
    QCOMPARE(put("relative", "here"), "written"_ba);
    QCOMPARE(run(u"cat /workspace/relative"_s), "here\n"_ba);
}

void TestFileApi::filesAreTheSandboxUsers()
{
    QCOMPARE(put("/home/tl-user/own", "x"), "written"_ba);
    QCOMPARE(run(u"stat -c %U /home/tl-user/own"_s), "tl-user\n"_ba);
}

void TestFileApi::filesAreSeenFromInside()
{
    // The host's own are out of sight, by name and through links.
    QTemporaryDir outside(u"/tmp/outside-XXXXXX"_s);
    QFile secret(outside.filePath(u"secret"_s));
    QVERIFY(secret.open(QIODevice::WriteOnly) && secret.write("host") == 4);
    secret.close();
    const QByteArray path = secret.fileName().toUtf8();
    QCOMPARE(client().ask("GET", at(path)).status, 404);
    run(u"ln -s %1 /tmp/lead"_s.arg(secret.fileName()));
    QCOMPARE(client().ask("GET", at("/tmp/lead")).status, 404);
    // Lands in the sandbox's own /tmp.
    QCOMPARE(put("/tmp/lead", "inside"), "written"_ba);
    QVERIFY(secret.open(QIODevice::ReadOnly));
    QCOMPARE(secret.readAll(), "host"_ba);
}

void TestFileApi::deletingRemovesAFileAndALinkButNoFolder()
{
    run(u"mkdir /tmp/d; echo x > /tmp/d/file; ln -s file /tmp/d/link"_s);
    QCOMPARE(client().ask("DELETE", at("/tmp/d/link")).status, 204);
    QCOMPARE(run(u"ls /tmp/d"_s), "file\n"_ba);
    QCOMPARE(client().ask("DELETE", at("/tmp/d")).status, 400);
    QCOMPARE(run(u"ls /tmp/d"_s), "file\n"_ba);
}

void TestFileApi::listingTellsFoldersFirst()
{
    run(u"mkdir -p /tmp/list/zz /tmp/list/.hidden; printf 12345 > /tmp/list/aa; touch -d @1700000000.5 /tmp/list/aa; ln -s zz /tmp/list/link; touch \"/tmp/list/q\\\"u\""_s);
    const HttpAnswer answer = client().ask("GET", listAt("/tmp/list"));
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.header("content-type"), "application/json"_ba);
    QCOMPARE(answer.json().value(u"path"_s).toString(), u"/tmp/list"_s);
    QCOMPARE(namesIn(answer), (QStringList{u".hidden"_s, u"zz"_s, u"aa"_s, u"link"_s, u"q\"u"_s}));
    const QJsonArray entries = answer.json().value(u"entries"_s).toArray();
    QCOMPARE(entries.at(1).toObject().value(u"is_dir"_s), QJsonValue(true));
    QVERIFY(entries.at(1).toObject().value(u"size"_s).isNull());
    QCOMPARE(entries.at(2).toObject(), (QJsonObject{{u"name"_s, u"aa"_s}, {u"is_dir"_s, false}, {u"size"_s, 5}, {u"modified_at"_s, 1700000000500LL}}));
    QCOMPARE(entries.at(3).toObject().value(u"is_dir"_s), QJsonValue(false));
    run(u"mkdir /tmp/nothing"_s);
    QCOMPARE(client().ask("GET", listAt("/tmp/nothing")).json().value(u"entries"_s), QJsonValue(QJsonArray()));
}

void TestFileApi::aNameThatIsNotTextIsReplacedAndUsable()
{
    QCOMPARE(put("/tmp/odd/a\xff\nb", "x"), "written"_ba);
    const QJsonObject entry = client().ask("GET", listAt("/tmp/odd")).json().value(u"entries"_s).toArray().at(0).toObject();
    QCOMPARE(entry.value(u"name"_s).toString(), u"a\ufffd\nb"_s);
    const QByteArray name = QByteArray::fromHex(entry.value(u"name_hex"_s).toString().toLatin1());
    QCOMPARE(get("/tmp/odd/" + name), "x"_ba);
}

void TestFileApi::refusals_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("code");
    const QByteArray list = files + "/list?path=";
    for (const QByteArray &method : {"GET"_ba, "PUT"_ba, "DELETE"_ba}) {
        const auto row = [&](const char *name) -> QTestData & { return QTest::newRow((method + ' ' + name).constData()); };
        row("dots first") << method << files + "?path=../etc/passwd" << 403 << u"PATH_TRAVERSAL"_s;
        row("dots within") << method << files + "?path=/tmp/../etc/passwd" << 403 << u"PATH_TRAVERSAL"_s;
        row("dots last") << method << files + "?path=/tmp/.." << 403 << u"PATH_TRAVERSAL"_s;
        row("encoded dots") << method << files + "?path=%2Ftmp%2F%2E%2E%2Fx" << 403 << u"PATH_TRAVERSAL"_s;
        row("a folder") << method << files + "?path=/tmp" << 400 << u"IS_DIRECTORY"_s;
        row("no path") << method << files << 400 << u"INVALID_REQUEST"_s;
        row("an empty path") << method << files + "?path=" << 400 << u"INVALID_REQUEST"_s;
        row("a NUL") << method << files + "?path=/tmp/a%00b" << 400 << u"INVALID_REQUEST"_s;
        row("a long path") << method << files + "?path=/" + QByteArray(5000, 'x') << 400 << u"INVALID_REQUEST"_s;
        row("a long name") << method << files + "?path=/tmp/" + QByteArray(256, 'x') << 400 << u"INVALID_REQUEST"_s;
        row("a loop") << method << files + "?path=/tmp/loop/x" << 400 << u"INVALID_REQUEST"_s;
        row("through a file") << method << files + "?path=/tmp/refuse/x" << 400 << u"NOT_A_DIRECTORY"_s;
    }
    QTest::newRow("GET nothing there") << "GET"_ba << files + "?path=/tmp/nothing-here" << 404 << u"NOT_FOUND"_s;
    QTest::newRow("DELETE nothing there") << "DELETE"_ba << files + "?path=/tmp/nothing-here" << 404 << u"NOT_FOUND"_s;
    QTest::newRow("GET no permission") << "GET"_ba << files + "?path=/tmp/closed" << 403 << u"PERMISSION_DENIED"_s;
    QTest::newRow("PUT no permission") << "PUT"_ba << files + "?path=/tmp/closed" << 403 << u"PERMISSION_DENIED"_s;
    QTest::newRow("PUT read-only") << "PUT"_ba << files + "?path=/usr/bin/new" << 403 << u"PERMISSION_DENIED"_s;
    QTest::newRow("DELETE read-only") << "DELETE"_ba << files + "?path=/usr/bin/env" << 403 << u"PERMISSION_DENIED"_s;
    QTest::newRow("PUT a slash at the end") << "PUT"_ba << files + "?path=/tmp/new/" << 400 << u"IS_DIRECTORY"_s;
    QTest::newRow("GET a pipe") << "GET"_ba << files + "?path=/tmp/pipe" << 400 << u"NOT_A_FILE"_s;
    QTest::newRow("GET an endless device") << "GET"_ba << files + "?path=/dev/zero" << 400 << u"NOT_A_FILE"_s;
    QTest::newRow("PUT a pipe") << "PUT"_ba << files + "?path=/tmp/pipe" << 400 << u"NOT_A_FILE"_s;
    QTest::newRow("list dots") << "GET"_ba << list + "/tmp/.." << 403 << u"PATH_TRAVERSAL"_s;
    QTest::newRow("list a file") << "GET"_ba << list + "/tmp/refuse" << 400 << u"NOT_A_DIRECTORY"_s;
    QTest::newRow("list nothing there") << "GET"_ba << list + "/tmp/nothing-here" << 404 << u"NOT_FOUND"_s;
    QTest::newRow("POST") << "POST"_ba << files + "?path=/tmp/x" << 405 << u"METHOD_NOT_ALLOWED"_s;
}

void TestFileApi::refusals()
{
    QFETCH(const QByteArray, method);
    QFETCH(const QByteArray, target);
    QFETCH(const int, status);
    QFETCH(const QString, code);
    run(u"test -e /tmp/refuse || { echo x > /tmp/refuse; echo x > /tmp/closed; chmod 0 /tmp/closed; mkfifo /tmp/pipe; ln -s loop /tmp/loop; }"_s);
    const HttpAnswer answer = client().ask(method, target, method == "PUT" ? "bytes"_ba : QByteArray());
    QCOMPARE(answer.status, status);
    QCOMPARE(answer.json().value(u"code"_s).toString(), code);
    QVERIFY(!answer.json().value(u"error"_s).toString().isEmpty());
}

void TestFileApi::anInterruptedUploadLeavesTheOldFile()
{
    QCOMPARE(put("/tmp/half/file", "old"), "written"_ba);
    {
        QTcpSocket socket;
        socket.connectToHost(u"127.0.0.1"_s, client().port());
        QVERIFY(socket.waitForConnected());
        socket.write("PUT " + at("/tmp/half/file") + " HTTP/1.1\r\nHost: " + m_sandbox + ".local\r\nAuthorization: Bearer " + m_fixture.apiKey()
                     + "\r\nContent-Length: 1000000\r\n\r\n" + QByteArray(300'000, 'n'));
        QTRY_COMPARE_WITH_TIMEOUT(socket.bytesToWrite(), 0, patience);
        socket.abort();
    }
    QCOMPARE(run(u"ls -A /tmp/half; cat /tmp/half/file"_s), "file\nold\n"_ba);
    QTRY_COMPARE_WITH_TIMEOUT(run(u"ls -A /tmp/half"_s), "file\n"_ba, patience);
}

void TestFileApi::aRefusedUploadIsAnsweredBeforeItIsWhole()
{
    // The rest is never sent; the answer comes nevertheless.
    const HttpAnswer answer = client().send("PUT " + at("/usr/refused") + " HTTP/1.1\r\nHost: " + m_sandbox + ".local\r\nAuthorization: Bearer "
                                            + m_fixture.apiKey() + "\r\nContent-Length: 1000000\r\n\r\nbeginning");
    QCOMPARE(answer.status, 403);
    QCOMPARE(answer.header("connection"), "close"_ba);
}

void TestFileApi::aChunkedUploadArrivesWhole()
{
    QByteArray request = "PUT " + at("/tmp/chunked") + " HTTP/1.1\r\nHost: " + m_sandbox + ".local\r\nConnection: close\r\nAuthorization: Bearer "
            + m_fixture.apiKey() + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    QByteArray whole;
    for (int i = 1; i < 200; ++i) {
        const QByteArray piece(i * 37, char(i));
        whole += piece;
        request += QByteArray::number(piece.size(), 16) + "\r\n" + piece + "\r\n";
    }
    QCOMPARE(client().send(request + "0\r\n\r\n").status, 204);
    QVERIFY(get("/tmp/chunked") == whole);
}

void TestFileApi::aSuspendedSandboxRefuses()
{
    const QByteArray sandbox = m_fixture.makeSandbox(u"sleeper"_s);
    QVERIFY(m_fixture.client().ask("POST", "/sandboxes/" + sandbox + "/suspend").status / 100 == 2);
    QTRY_COMPARE_WITH_TIMEOUT(m_fixture.client().ask("GET", "/sandboxes/" + sandbox).json().value(u"status"_s).toString(), u"suspended"_s, patience);
    for (const auto &[method, target] : {std::pair{"GET"_ba, at("/tmp/x")}, {"PUT"_ba, at("/tmp/x")}, {"DELETE"_ba, at("/tmp/x")}, {"GET"_ba, listAt("/tmp")}}) {
        const HttpAnswer answer = m_fixture.client(sandbox).ask(method, target, method == "PUT" ? "x"_ba : QByteArray());
        QCOMPARE(answer.status, 503);
        QCOMPARE(answer.json().value(u"code"_s).toString(), u"SANDBOX_NOT_RUNNING"_s);
    }
}

void TestFileApi::aKilledReaderIsNoWholeAnswer()
{
    QCOMPARE(run(u"truncate -s 64M /tmp/large"_s), QByteArray());
    QTcpSocket socket;
    socket.setReadBufferSize(1024);
    socket.connectToHost(u"127.0.0.1"_s, client().port());
    QVERIFY(socket.waitForConnected());
    socket.write("GET " + at("/tmp/large") + " HTTP/1.1\r\nHost: " + m_sandbox + ".local\r\nConnection: close\r\nAuthorization: Bearer " + m_fixture.apiKey() + "\r\n\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(socket.bytesAvailable() >= 1024, patience);
    // Nobody reads, so it waits inside, where its name is the first process's.
    QVERIFY(run(u"pkill -KILL -o -P 1 init || pkill -KILL -P 1 -f init"_s).isEmpty());
    QByteArray all;
    socket.setReadBufferSize(0);
    connect(&socket, &QTcpSocket::readyRead, this, [&] { all += socket.readAll(); });
    all += socket.readAll();
    QTRY_COMPARE_WITH_TIMEOUT(socket.state(), QAbstractSocket::UnconnectedState, patience);
    QVERIFY(all.size() < 64 << 20);
    QVERIFY(!all.endsWith("\r\n0\r\n\r\n"));
}

void TestFileApi::aBigFilePassesThroughBoundedMemory()
{
    constexpr qint64 pieces = 256; // MiB
    TestGateway::Options options;
    // What the address sanitizer keeps of freed memory is not the gateway's.
    options.environment = {{u"ASAN_OPTIONS"_s, QString::fromLatin1(qgetenv("ASAN_OPTIONS")) + u":quarantine_size_mb=4"_s}};
    TestGateway gateway(options);
    const QString problem = gateway.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    GatewayClient plain(quint16(gateway.apiUrl().port()), gateway.apiKey());
    const QByteArray sandbox = plain.ask("POST", "/sandboxes", QJsonObject{{u"name"_s, u"big"_s}}).json().value(u"sandbox_id"_s).toString().toLatin1();
    QVERIFY(!sandbox.isEmpty());
    const auto peak = [&] {
        QFile status(u"/proc/%1/status"_s.arg(gateway.pid()));
        if (!status.open(QIODevice::ReadOnly))
            return qint64(0);
        const QByteArray all = status.readAll();
        return all.sliced(all.indexOf("VmHWM:") + 6).trimmed().split(' ').first().toLongLong();
    };
    const qint64 before = peak();
    const QByteArray head = " HTTP/1.1\r\nHost: " + sandbox + ".local\r\nConnection: close\r\nAuthorization: Bearer " + gateway.apiKey() + "\r\n";
    QCryptographicHash sent(QCryptographicHash::Sha256);
    {
        QTcpSocket socket;
        socket.connectToHost(u"127.0.0.1"_s, plain.port());
        QVERIFY(socket.waitForConnected());
        socket.write("PUT " + at("/workspace/big") + head + "Content-Length: " + QByteArray::number(pieces << 20) + "\r\n\r\n");
        for (qint64 i = 0; i < pieces; ++i) {
            const QByteArray piece = QCryptographicHash::hash(QByteArray::number(i), QCryptographicHash::Sha256).repeated(32768);
            sent.addData(piece);
            socket.write(piece);
            while (socket.bytesToWrite() > 0)
                QVERIFY(socket.waitForBytesWritten(patience));
        }
        QVERIFY(socket.waitForReadyRead(patience));
        QVERIFY(socket.readAll().startsWith("HTTP/1.1 204 "));
    }
    QCryptographicHash got(QCryptographicHash::Sha256);
    {
        QTcpSocket socket;
        socket.connectToHost(u"127.0.0.1"_s, plain.port());
        QVERIFY(socket.waitForConnected());
        // Of HTTP/1.0 the body is not chunked.
        socket.write("GET " + at("/workspace/big") + QByteArray(head).replace("HTTP/1.1", "HTTP/1.0") + "\r\n");
        QByteArray first;
        while (!first.contains("\r\n\r\n") && socket.waitForReadyRead(patience))
            first += socket.readAll();
        got.addData(QByteArrayView(first).sliced(first.indexOf("\r\n\r\n") + 4));
        while (socket.state() == QAbstractSocket::ConnectedState && socket.waitForReadyRead(patience))
            got.addData(socket.readAll());
        got.addData(socket.readAll());
    }
    QCOMPARE(got.result().toHex(), sent.result().toHex());
    const qint64 grown = peak() - before;
    QVERIFY2(grown < 48 << 10, qPrintable(u"%1 KiB more"_s.arg(grown)));
}

QTEST_GUILESS_MAIN(TestFileApi)
#include "tst_fileapi.moc"

#include "session/providers/tensorlakecommand.h"
#include "tests/support/hostilehttpserver.h"
#include "tests/support/waituntil.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int patience = 30'000;

QByteArray lineEvent(const QByteArray &line, const char *stream = "stdout")
{
    const QJsonObject object{{u"line"_s, QString::fromUtf8(line)}, {u"timestamp"_s, 1}, {u"stream"_s, QString::fromLatin1(stream)}};
    return "event: output\ndata: " + QJsonDocument(object).toJson(QJsonDocument::Compact) + "\n\n";
}

const QByteArray streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const QByteArray eof = "event: eof\ndata: {}\n\n";

// A sandbox with one process, pid 7.
struct Daemon
{
    Daemon()
    {
        server.answer = [this](const SeenRequest &request) { return onRequest(request); };
    }
    Scripted onRequest(const SeenRequest &request)
    {
        const QByteArray what = request.verb + ' ' + request.target;
        if (what == "POST /api/v1/processes") {
            wish = QJsonDocument::fromJson(request.body).object();
            return start;
        }
        if (what == "GET /api/v1/processes/7/output/follow")
            return follow;
        if (what == "GET /api/v1/processes/7")
            return status.size() > 1 ? HostileHttpServer::json(status.takeFirst()) : HostileHttpServer::json(status.first());
        if (what == "POST /api/v1/processes/7/stdin") {
            input += request.body;
            largestPiece = qMax(largestPiece, request.body.size());
            return stdinAnswer;
        }
        if (what == "POST /api/v1/processes/7/stdin/close") {
            closed = true;
            return Scripted{"HTTP/1.1 204 No Content\r\n\r\n"};
        }
        if (what == "POST /api/v1/processes/7/signal") {
            signalsSeen += request.body;
            return HostileHttpServer::json("{\"success\":true}");
        }
        if (what == "DELETE /api/v1/processes/7") {
            killed = true;
            return Scripted{"HTTP/1.1 204 No Content\r\n\r\n"};
        }
        return HostileHttpServer::json("{}", 404);
    }

    HostileHttpServer server;
    Scripted start = HostileHttpServer::json("{\"pid\":7,\"status\":\"running\"}", 201);
    Scripted follow{streamHead + eof, Scripted::Then::Close};
    Scripted stdinAnswer{"HTTP/1.1 204 No Content\r\n\r\n"};
    QList<QByteArray> status{"{\"pid\":7,\"status\":\"exited\",\"exit_code\":0}"};
    QJsonObject wish;
    QByteArray input;
    qsizetype largestPiece = 0;
    QByteArray signalsSeen;
    bool closed = false;
    bool killed = false;
};

// A command and everything that it has said.
struct Run
{
    explicit Run(Daemon &daemon, const CommandSpec &spec = {{u"echo"_s, u"hi"_s}, {}, {}}, TensorlakeCommand::Timing timing = {60s, 1ms})
    {
        Account account;
        account.apiUrl = QUrl(daemon.server.url());
        Sandbox box;
        box.id = {u"tensorlake"_s, u"a"_s, u"box1"_s};
        box.name = u"my-env"_s;
        box.controlUrl = account.apiUrl;
        auto context = std::make_shared<TensorlakeContext>(TensorlakeContext{u"tensorlake"_s, u"a"_s, TensorlakeRoutes(account), {}, false});
        command = std::make_unique<TensorlakeCommand>(context, HttpClient::Options{std::make_shared<Secret>("k"), {}, {}}, box, spec, timing);
        QObject::connect(command.get(), &RemoteCommand::started, command.get(), [this] { log += 'S'; });
        QObject::connect(command.get(), &RemoteCommand::outputReceived, command.get(), [this](const QByteArray &bytes) {
            output += bytes;
            if (consumes)
                command->consumed(bytes.size());
        });
        QObject::connect(command.get(), &RemoteCommand::errorOutputReceived, command.get(), [this](const QByteArray &bytes) {
            errors += bytes;
            if (consumes)
                command->consumed(bytes.size());
        });
        QObject::connect(command.get(), &RemoteCommand::inputDrained, command.get(), [this] { log += 'D'; });
        QObject::connect(command.get(), &RemoteCommand::ended, command.get(), [this](const ShellEnd &how) {
            log += 'E';
            end = how;
        });
    }
    [[nodiscard]] bool ends() { return waitUntil([this] { return log.contains('E'); }, patience); }

    std::unique_ptr<TensorlakeCommand> command;
    QByteArray output, errors, log;
    bool consumes = true;
    ShellEnd end;
};

} // namespace

class TestTensorlakeCommand : public QObject
{
    Q_OBJECT
private slots:
    void aCommandRunsToItsEnd_data()
    {
        QTest::addColumn<QByteArray>("status");
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("signal");
        QTest::newRow("exit 0") << "{\"pid\":7,\"status\":\"exited\",\"exit_code\":0}"_ba << int(ShellEnd::Kind::Exited) << 0 << QString();
        QTest::newRow("exit 3") << "{\"pid\":7,\"status\":\"exited\",\"exit_code\":3}"_ba << int(ShellEnd::Kind::Exited) << 3 << QString();
        QTest::newRow("signal") << "{\"pid\":7,\"status\":\"signaled\",\"signal\":15}"_ba << int(ShellEnd::Kind::Signalled) << 0 << u"TERM"_s;
        QTest::newRow("memory") << "{\"pid\":7,\"status\":\"oom_killed\",\"signal\":9}"_ba << int(ShellEnd::Kind::Signalled) << 0 << u"KILL"_s;
    }
    void aCommandRunsToItsEnd()
    {
        QFETCH(QByteArray, status);
        QFETCH(QString, signal);
        Daemon daemon;
        daemon.follow.bytes = streamHead + lineEvent("one") + lineEvent("oops", "stderr") + lineEvent("zwei \xc3\xa4") + eof;
        // The status may lag behind the output.
        daemon.status = {"{\"pid\":7,\"status\":\"running\"}", "{\"pid\":7,\"status\":\"running\"}", status};
        Run run(daemon, {{u"make"_s, u"-j"_s, u"a b"_s}, {{u"K"_s, u"V"_s}}, u"/src"_s});
        run.command->start();
        QVERIFY(run.ends());
        QTEST(int(run.end.kind), "kind");
        QTEST(run.end.exitCode, "code");
        QCOMPARE(run.end.signalName, signal);
        QCOMPARE(run.output, "one\nzwei \xc3\xa4\n"_ba);
        QCOMPARE(run.errors, "oops\n"_ba);
        QCOMPARE(run.log, "SE"_ba);
        QCOMPARE(daemon.wish.value("command"_L1).toString(), u"make"_s);
        QCOMPARE(daemon.wish.value("args"_L1).toArray().size(), 2);
        QCOMPARE(daemon.wish.value("working_dir"_L1).toString(), u"/src"_s);
        QCOMPARE(daemon.wish.value("env"_L1).toObject().value("K"_L1).toString(), u"V"_s);
        QCOMPARE(daemon.wish.value("stdin_mode"_L1).toString(), u"pipe"_s);
    }

    void inputArrivesWholeAndInOrder()
    {
        Daemon daemon;
        daemon.follow = {streamHead, Scripted::Then::KeepOpen};
        Run run(daemon);
        QByteArray text;
        for (int i = 0; i < 100'000; ++i)
            text += QByteArray::number(i) + '\n';
        run.command->writeInput(QByteArrayView(text).first(10)); // before it has started
        run.command->start();
        run.command->writeInput(QByteArrayView(text).sliced(10));
        QVERIFY(run.command->pendingInput() == text.size());
        run.command->closeInput();
        QVERIFY(waitUntil([&] { return daemon.closed; }, patience));
        QCOMPARE(daemon.input, text);
        QVERIFY(daemon.largestPiece <= 64 << 10);
        QCOMPARE(run.command->pendingInput(), 0);
        QCOMPARE(run.log, "SD"_ba);
    }

    void inputThatNobodyReadsIsNoFailure()
    {
        Daemon daemon;
        daemon.follow = {streamHead, Scripted::Then::KeepOpen};
        daemon.stdinAnswer = HostileHttpServer::json("{\"error\":\"x\",\"code\":\"STDIN_NOT_WRITABLE\"}", 400);
        Run run(daemon);
        run.command->start();
        run.command->writeInput(QByteArray(500'000, 'x'));
        QVERIFY(waitUntil([&] { return run.log.contains('D'); }, patience));
        QCOMPARE(run.command->pendingInput(), 0);
        QVERIFY(!run.log.contains('E'));
    }

    void inputOfALostAnswerIsNotSentAgain()
    {
        Daemon daemon;
        daemon.follow = {streamHead, Scripted::Then::KeepOpen};
        daemon.stdinAnswer = {{}, Scripted::Then::Close};
        Run run(daemon);
        run.command->start();
        run.command->writeInput("rm -r x\n");
        QVERIFY(run.ends());
        QCOMPARE(run.end.kind, ShellEnd::Kind::Lost);
        QCOMPARE(daemon.input, "rm -r x\n"_ba);
    }

    void signalsGoThere()
    {
        Daemon daemon;
        daemon.follow = {streamHead, Scripted::Then::KeepOpen};
        Run run(daemon);
        run.command->sendSignal(2);
        run.command->start();
        QVERIFY(waitUntil([&] { return daemon.signalsSeen == "{\"signal\":2}"; }, patience));
        run.command->sendSignal(15);
        QVERIFY(waitUntil([&] { return daemon.signalsSeen.endsWith("{\"signal\":15}"); }, patience));
    }

    void whatCannotStartFails_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("kind");
        QTest::newRow("refused") << HostileHttpServer::json("{\"error\":\"no such file\"}", 400).bytes << int(ErrorKind::InvalidInput);
        QTest::newRow("closed") << ""_ba << int(ErrorKind::ConnectionLost);
        QTest::newRow("no pid") << HostileHttpServer::json("{}").bytes << int(ErrorKind::Protocol);
        QTest::newRow("asleep") << HostileHttpServer::json("{\"code\":\"SANDBOX_NOT_RUNNING\"}", 503).bytes << int(ErrorKind::SandboxNotRunning);
    }
    void whatCannotStartFails()
    {
        QFETCH(QByteArray, bytes);
        Daemon daemon;
        daemon.start = {bytes, Scripted::Then::Close};
        Run run(daemon);
        run.command->start();
        QVERIFY(run.log.isEmpty()); // nothing is told from inside of the call
        QVERIFY(run.ends());
        QCOMPARE(run.end.kind, ShellEnd::Kind::Failed);
        QTEST(int(run.end.error.kind), "kind");
        QCOMPARE(run.end.error.subject, u"my-env"_s);
        QCOMPARE(daemon.server.seen.size(), 1);
    }

    void aBrokenStreamIsLost_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("kind");
        QTest::newRow("no end") << streamHead + lineEvent("a") << int(ErrorKind::ConnectionLost);
        QTest::newRow("endless line") << streamHead + "data: " + QByteArray(3 << 20, 'x') << int(ErrorKind::TooLarge);
        QTest::newRow("refused") << HostileHttpServer::json("{}", 500).bytes << int(ErrorKind::ServerError);
    }
    void aBrokenStreamIsLost()
    {
        QFETCH(QByteArray, bytes);
        Daemon daemon;
        daemon.follow = {bytes, Scripted::Then::Close};
        Run run(daemon);
        run.command->start();
        QVERIFY(run.ends());
        QCOMPARE(run.end.kind, ShellEnd::Kind::Lost);
        QTEST(int(run.end.error.kind), "kind");
        QCOMPARE(run.log, "SE"_ba);
    }

    void eventsThatMakeNoSenseAreSkipped()
    {
        Daemon daemon;
        daemon.follow.bytes = streamHead + "data: nonsense\n\ndata: {\"line\":7}\n\nevent: new\ndata: {}\n\n: ping\n\n" + lineEvent("a") + eof;
        Run run(daemon);
        run.command->start();
        QVERIFY(run.ends());
        QCOMPARE(run.output, "a\n"_ba);
    }

    void outputWaitsForItsReader()
    {
        Daemon daemon;
        const QByteArray line(1000, 'x');
        QByteArray flood = streamHead;
        for (int i = 0; i < 20'000; ++i)
            flood += lineEvent(line);
        daemon.follow = {flood + eof, Scripted::Then::Close};
        Run run(daemon);
        run.consumes = false;
        run.command->start();
        QVERIFY(waitUntil([&] { return run.output.size() >= 200'000; }, patience));
        qsizetype before = -1;
        QVERIFY(waitUntil([&] { return std::exchange(before, run.output.size()) == run.output.size(); }, patience));
        QVERIFY2(run.output.size() < 1 << 20, qPrintable(QString::number(run.output.size())));
        run.consumes = true;
        run.command->consumed(run.output.size());
        QVERIFY(run.ends());
        QCOMPARE(run.output.size(), 20'000 * 1001);
        QCOMPARE(run.end.kind, ShellEnd::Kind::Exited);
    }

    void aSilentCommandIsAskedAfter()
    {
        Daemon daemon;
        daemon.follow = {streamHead, Scripted::Then::KeepOpen};
        daemon.status = {"{\"pid\":7,\"status\":\"running\"}", "{\"pid\":7,\"status\":\"running\"}", "{\"pid\":7,\"status\":\"exited\",\"exit_code\":5}"};
        Run run(daemon, {{u"sleep"_s}, {}, {}}, {20ms, 1ms});
        run.command->start();
        QVERIFY(run.ends());
        QCOMPARE(run.end.kind, ShellEnd::Kind::Exited);
        QCOMPARE(run.end.exitCode, 5);
    }

    void lettingGoEndsTheProcess()
    {
        Daemon daemon;
        daemon.follow = {streamHead, Scripted::Then::KeepOpen};
        Run run(daemon);
        run.command->start();
        QVERIFY(waitUntil([&] { return run.log.contains('S'); }, patience));
        run.command.reset();
        QVERIFY(waitUntil([&] { return daemon.killed; }, patience));
        QVERIFY(waitUntil([&] { return QCoreApplication::instance()->findChildren<HttpClient *>().isEmpty(); }, patience));
    }
};

QTEST_GUILESS_MAIN(TestTensorlakeCommand)
#include "tst_tensorlakecommand.moc"

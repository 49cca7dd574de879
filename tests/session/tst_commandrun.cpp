// Commands with their output kept as text: against a real sshd, and many at once with commands of our own.
#include "session/commandrunset.h"

#include "session/commandroute.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QSignalSpy>
#include <QTest>

#include <csignal>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

// Does what it is told, and nothing by itself.
class ToldCommand : public RemoteCommand
{
public:
    void start() override { isStarted = true; }
    void writeInput(QByteArrayView) override {}
    void closeInput() override { isClosed = true; }
    void sendSignal(int number) override { lastSignal = number; }
    void consumed(qint64 bytes) override { taken += bytes; }
    [[nodiscard]] qint64 pendingInput() const override { return 0; }
    void exit(int code)
    {
        ShellEnd end;
        end.kind = ShellEnd::Kind::Exited;
        end.exitCode = code;
        emit ended(end);
    }
    bool isStarted = false;
    bool isClosed = false;
    int lastSignal = 0;
    qint64 taken = 0;
};

Sandbox named(const QString &name)
{
    Sandbox sandbox;
    sandbox.id = {u"local"_s, u"here"_s, name};
    sandbox.name = name;
    return sandbox;
}

} // namespace

class TestCommandRun : public QObject
{
    Q_OBJECT
    QList<QPointer<ToldCommand>> m_made;

    CommandRun::Services told()
    {
        CommandRun::Services services;
        services.make = [this]() -> Result<std::unique_ptr<RemoteCommand>> {
            auto command = std::make_unique<ToldCommand>();
            m_made << command.get();
            return command;
        };
        return services;
    }

private slots:
    void init() { m_made.clear(); }

    void controlOfTerminalsGoesAndTextStays_data()
    {
        QTest::addColumn<QByteArrayList>("pieces");
        QTest::addColumn<QString>("text");
        QTest::newRow("plain") << QByteArrayList{"a\tb\n"} << u"a\tb\n"_s;
        QTest::newRow("colours") << QByteArrayList{"\x1b[1;31mred\x1b[0m\n"} << u"red\n"_s;
        QTest::newRow("cut in a sequence") << QByteArrayList{"a\x1b", "[3", "1mb"} << u"ab"_s;
        QTest::newRow("cut in a character") << QByteArrayList{"\xc3", "\xa4\xe6", "\x97", "\xa5"} << u"ä日"_s;
        QTest::newRow("title") << QByteArrayList{"\x1b]0;ti", "tle\x07x\x1b]0;t\x1b\\y"} << u"xy"_s;
        QTest::newRow("a title without an end") << QByteArrayList{"\x1b]" + QByteArray(5000, 'x') + "end"} << QString(5000 - 4096 + 1, u'x') + u"end"_s;
        QTest::newRow("line ends of terminals") << QByteArrayList{"a\r", "\nb\r\n"} << u"a\nb\n"_s;
        QTest::newRow("progress") << QByteArrayList{"1%\r2%\r"} << u"1%\n2%"_s;
        QTest::newRow("no UTF-8") << QByteArrayList{"a\xff" "b\xc3("} << u"a\ufffdb\ufffd("_s;
        QTest::newRow("controls") << QByteArrayList{QByteArray("a\0\x01\x7f\x08\x0e" "b", 7)} << u"ab"_s;
        QTest::newRow("direction turned around") << QByteArrayList{"a\u202e" "b\u2066"} << u"ab"_s;
        QTest::newRow("eight-bit sequence") << QByteArrayList{"a\u009b31mb"} << u"ab"_s;
    }
    void controlOfTerminalsGoesAndTextStays()
    {
        QFETCH(QByteArrayList, pieces);
        PlainOutput plain;
        QString text;
        for (const QByteArray &piece : pieces)
            text += plain.feed(piece);
        QTEST(text, "text");
    }

    void everyByteCutAnywhereIsNoTrouble()
    {
        QByteArray all;
        for (int i = 0; i < 512; ++i)
            all += char(i * 37);
        for (qsizetype cut = 0; cut < all.size(); ++cut) {
            PlainOutput whole;
            PlainOutput parts;
            const QString first = parts.feed(QByteArrayView(all).first(cut));
            QCOMPARE(first + parts.feed(QByteArrayView(all).sliced(cut)), whole.feed(all));
        }
    }

    void outputIsBoundedAndSaysWhatIsMissing()
    {
        CommandRun::Services services = told();
        services.mostCharacters = 200'000;
        CommandRun run(named(u"box"_s), services);
        run.start();
        for (int i = 0; i < 100; ++i)
            emit m_made.first()->outputReceived(QByteArray(10'000, 'x') + '\n');
        emit m_made.first()->outputReceived("last\n");
        QCOMPARE(m_made.first()->taken, 100 * 10'001 + 5);
        QVERIFY(run.text().size() <= 200'000);
        QCOMPARE(run.droppedCharacters() + run.text().size(), 100 * 10'001 + 5);
        QCOMPARE(run.lastLine(), u"last"_s);
    }

    void theTwoStreamsStayApartAndInOrder()
    {
        CommandRun run(named(u"box"_s), told());
        run.start();
        emit m_made.first()->started();
        QVERIFY(m_made.first()->isClosed); // there is no input
        emit m_made.first()->outputReceived("out 1\n");
        emit m_made.first()->errorOutputReceived("err\n");
        emit m_made.first()->outputReceived("out 2\n");
        QCOMPARE(run.pieces().size(), size_t(3));
        QCOMPARE(run.pieces()[1].stream, CommandPiece::Stream::ErrorOutput);
        QCOMPARE(run.text(), u"out 1\nerr\nout 2\n"_s);
    }

    void timeIsThatOfTheClockFromStartToEnd()
    {
        std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
        CommandRun::Services services = told();
        services.now = [&now] { return now; };
        CommandRun run(named(u"box"_s), services);
        QCOMPARE(run.elapsed().count(), 0);
        run.start();
        now += std::chrono::seconds(3);
        QCOMPARE(run.elapsed(), std::chrono::seconds(3));
        m_made.first()->exit(0);
        now += std::chrono::hours(1);
        QCOMPARE(run.elapsed(), std::chrono::seconds(3));
    }

    void stopAsksFirstAndThenHangsUp()
    {
        CommandRun::Services services = told();
        services.stopPatience = std::chrono::milliseconds(1);
        CommandRun run(named(u"box"_s), services);
        run.start();
        emit m_made.first()->started();
        run.stop();
        QCOMPARE(m_made.first()->lastSignal, SIGTERM);
        QCOMPARE(run.state(), CommandRun::State::Running);
        QTRY_COMPARE_WITH_TIMEOUT(run.state(), CommandRun::State::Stopped, kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(m_made.first().isNull(), kPatience);
        run.stop();
        QCOMPARE(run.state(), CommandRun::State::Stopped);
    }

    void whatCannotBeMadeHasFailedForItsReason()
    {
        CommandRun::Services services;
        services.make = []() -> Result<std::unique_ptr<RemoteCommand>> { return failure(ErrorKind::Unsupported, Layer::Provider, u"no"_s); };
        CommandRun run(named(u"box"_s), services);
        run.start();
        QCOMPARE(run.state(), CommandRun::State::Failed);
        QCOMPARE(run.error().subject, u"box"_s);
    }

    void aSandboxThatSleepsIsNotWoken()
    {
        Sandbox sandbox = named(u"box"_s);
        sandbox.ssh = SshEndpoint{u"127.0.0.1"_s, 1, u"x"_s, {}, {u"/k"_s}, {}};
        RecordingPrompts prompts;
        CommandSpec spec;
        spec.argv = {u"true"_s};
        sandbox.state = SandboxState::Suspended;
        QCOMPARE(makeRemoteCommand(sandbox, nullptr, &prompts, spec).error().kind, ErrorKind::SandboxNotRunning);
        sandbox.state = SandboxState::Running;
        QVERIFY(makeRemoteCommand(sandbox, nullptr, &prompts, spec));
    }

    void onlyAFewRunAtOnceAndAllAreRun()
    {
        QList<Sandbox> sandboxes;
        for (int i = 0; i < 20; ++i)
            sandboxes << named(u"box-%1"_s.arg(i));
        CommandRunSet set(sandboxes, [this](const Sandbox &) { return told(); });
        QSignalSpy over(&set, &CommandRunSet::over);
        set.start();
        QCOMPARE(m_made.size(), CommandRunSet::mostAtOnce);
        for (int i = 0; i < 20; ++i) {
            QTRY_VERIFY_WITH_TIMEOUT(m_made.size() > i, kPatience);
            QVERIFY(set.counts().running <= CommandRunSet::mostAtOnce);
            emit m_made.at(i)->outputReceived(i % 2 ? "odd" : "even");
            m_made.at(i)->exit(i == 5 ? 1 : 0);
        }
        QVERIFY(set.isOver());
        QCOMPARE(over.size(), 1);
        QCOMPARE(set.counts().succeeded, 19);
        QCOMPARE(set.counts().failed, 1);
        // Alike: even ones, odd ones, and the odd one that failed.
        QCOMPARE(set.groupOf(0), 1);
        QCOMPARE(set.groupOf(2), 1);
        QCOMPARE(set.groupOf(1), 2);
        QCOMPARE(set.groupOf(5), 3);
        QCOMPARE(set.groupOf(19), 2);
        QCOMPARE(set.groupCount(), 3);
    }

    void stoppedSetsStartNothingMore()
    {
        QList<Sandbox> sandboxes;
        for (int i = 0; i < 12; ++i)
            sandboxes << named(u"box-%1"_s.arg(i));
        CommandRunSet set(sandboxes, [this](const Sandbox &) { return told(); });
        set.start();
        set.stop();
        QTRY_VERIFY_WITH_TIMEOUT(set.isOver(), kPatience);
        QCOMPARE(m_made.size(), CommandRunSet::mostAtOnce);
    }

    void aRealCommandRunsOverSsh_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("OpenSSH") << int(TestSshd::Kind::OpenSsh);
        QTest::newRow("dropbear") << int(TestSshd::Kind::Dropbear);
    }
    void aRealCommandRunsOverSsh()
    {
        QFETCH(int, kind);
        TestSshd server{TestSshd::Kind(kind)};
        SANDPIPER_NEED_SSHD(server);
        Sandbox sandbox = named(u"box"_s);
        sandbox.ssh = server.options().endpoint;
        RecordingPrompts prompts;
        CommandSpec spec;
        spec.argv = {u"sh"_s, u"-c"_s, u"cat; echo out; echo err >&2; kill -TERM $$"_s};
        CommandRun::Services services;
        services.make = [&] { return makeRemoteCommand(sandbox, nullptr, &prompts, spec); };
        CommandRun run(sandbox, services);
        run.start();
        QTRY_VERIFY_WITH_TIMEOUT(run.isOver(), kPatience);
        QCOMPARE(run.state(), CommandRun::State::Signalled);
        QCOMPARE(run.signalName(), u"TERM"_s);
        QCOMPARE(run.text().size(), 8);
        QVERIFY(run.text().contains(u"out\n"_s) && run.text().contains(u"err\n"_s));
    }
};

QTEST_GUILESS_MAIN(TestCommandRun)
#include "tst_commandrun.moc"

#include "session/sshlink.h"

#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60000;

// Keeps what a shell says, and takes it in at once.
struct Listener
{
    explicit Listener(Shell *shell, bool consumes = true)
    {
        QObject::connect(shell, &Shell::outputReceived, shell, [this, shell, consumes](const QByteArray &bytes) {
            output += bytes;
            if (consumes)
                shell->consumed(bytes.size());
        });
        QObject::connect(shell, &Shell::ended, shell, [this](const ShellEnd &end) { ends.append(end); });
        QObject::connect(shell, &Shell::stateChanged, shell, [this](ShellState state) { states.append(state); });
    }
    QByteArray output;
    QList<ShellEnd> ends;
    QList<ShellState> states;
};

ShellSpec command(const QString &script)
{
    ShellSpec spec;
    spec.command = u"/bin/sh"_s;
    spec.arguments = {u"-c"_s, script};
    return spec;
}

qint64 residentKib()
{
    QFile file(u"/proc/self/status"_s);
    if (!file.open(QIODevice::ReadOnly))
        return -1;
    for (const QByteArray &line : file.readAll().split('\n')) {
        if (line.startsWith("VmRSS:"))
            return line.sliced(6).trimmed().split(' ').first().toLongLong();
    }
    return -1;
}

} // namespace

class TestSshShell : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_server;
    RecordingPrompts m_prompts;

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
    }

    // Not left to the destructor: QtTest's watchdog, which the thread sanitizer cannot see through, has
    // used the same stretch of stack.
    void cleanupTestCase()
    {
        m_server.reset();
    }

    void theLoginShellRunsInATerminalOfTheGivenSize()
    {
        const auto shell = makeSshShell(m_server->options(), {}, &m_prompts);
        Listener listener(shell.get());
        shell->open({123, 45});
        QCOMPARE(shell->state(), ShellState::Opening);
        QVERIFY(listener.states.isEmpty()); // nothing is emitted from inside the call
        QTRY_COMPARE_WITH_TIMEOUT(shell->state(), ShellState::Open, kPatience);
        shell->write("stty size; echo term-$TERM; exit 7\n");
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QVERIFY2(listener.output.contains("45 123"), listener.output.constData());
        QVERIFY(listener.output.contains("term-xterm-256color"));
        QCOMPARE(listener.ends.front().kind, ShellEnd::Kind::Exited);
        QCOMPARE(listener.ends.front().exitCode, 7);
        QCOMPARE(listener.states, (QList<ShellState>{ShellState::Opening, ShellState::Open, ShellState::Ended}));
        QCOMPARE(m_prompts.asked.size(), 0);
    }

    void aCommandGetsItsArgumentsFolderAndVariablesUnharmed()
    {
        ShellSpec spec;
        spec.command = u"/bin/sh"_s;
        spec.arguments = {u"-c"_s, u"printf '%s\\n' \"$PWD\" \"$SAND_A\" \"$1\" \"$2\" \"$#\""_s, u"sh"_s,
                          u"it's \"two\" $HOME `id`\\n*"_s, QString()};
        spec.environment = {{u"SAND_A"_s, u"a 'b' $(c)\n;d"_s}, {u"SAND_B"_s, u"x"_s}};
        spec.workingDirectory = m_server->folder() + u"/it's a dir"_s;
        QVERIFY(QDir().mkpath(spec.workingDirectory));
        const auto shell = makeSshShell(m_server->options(), spec, &m_prompts);
        Listener listener(shell.get());
        shell->open({200, 24});
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        const QByteArray expected = spec.workingDirectory.toUtf8() + "\na 'b' $(c)\n;d\nit's \"two\" $HOME `id`\\n*\n\n2\n";
        QCOMPARE(listener.output.replace("\r\n", "\n"), expected);
        QCOMPARE(listener.ends.front().exitCode, 0);
    }

    void theLoginShellStartsInTheFolderAskedFor()
    {
        ShellSpec spec;
        spec.workingDirectory = m_server->folder();
        const auto shell = makeSshShell(m_server->options(), spec, &m_prompts);
        Listener listener(shell.get());
        shell->open({200, 24});
        shell->write("echo at-$PWD-; exit\n"); // before it is open: kept
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QVERIFY2(listener.output.contains("at-" + m_server->folder().toUtf8() + '-'), listener.output.constData());
    }

    void aNewSizeReachesTheProgram()
    {
        const auto shell = makeSshShell(m_server->options(), command(u"trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"_s), &m_prompts);
        Listener listener(shell.get());
        shell->open({80, 24});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.contains("ready"), kPatience);
        shell->resize({131, 37});
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QVERIFY2(listener.output.contains("37 131"), listener.output.constData());
    }

    void aDeadlySignalIsToldByName()
    {
        const auto shell = makeSshShell(m_server->options(), command(u"kill -TERM $$"_s), &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QCOMPARE(listener.ends.front().kind, ShellEnd::Kind::Signalled);
        QCOMPARE(listener.ends.front().signalName, u"TERM"_s);
    }

    void killEndsWhatRunsThere()
    {
        const auto shell = makeSshShell(m_server->options(), command(u"echo pid-$$-; exec sleep 1000"_s), &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.contains("\n"), kPatience);
        const QByteArray pid = listener.output.split('-').value(1);
        QVERIFY(QFile::exists(u"/proc/"_s + QString::fromLatin1(pid)));
        shell->kill();
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QVERIFY(listener.ends.front().kind == ShellEnd::Kind::Signalled || listener.ends.front().kind == ShellEnd::Kind::Killed);
        QTRY_VERIFY_WITH_TIMEOUT(!QFile::exists(u"/proc/"_s + QString::fromLatin1(pid)), kPatience);
    }

    void killEndsAlsoWhatDoesNotListen()
    {
        const auto shell = makeSshShell(m_server->options(), command(u"trap '' HUP; echo ready; while :; do sleep 0.1; done"_s), &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.contains("ready"), kPatience);
        shell->kill();
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QCOMPARE(listener.ends.front().kind, ShellEnd::Kind::Killed);
    }

    void killOnTheWayThereEndsIt()
    {
        const auto shell = makeSshShell(m_server->options(), {}, &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        shell->kill();
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QCOMPARE(listener.ends.front().kind, ShellEnd::Kind::Killed);
    }

    void detachHangsUpAndSaysNothingMore()
    {
        const auto shell = makeSshShell(m_server->options(), command(u"echo pid-$$-; exec sleep 1000"_s), &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.contains("\n"), kPatience);
        const QByteArray pid = listener.output.split('-').value(1);
        QVERIFY(!shell->canReattach());
        shell->detach();
        QCOMPARE(shell->state(), ShellState::Detached);
        QTRY_VERIFY_WITH_TIMEOUT(!QFile::exists(u"/proc/"_s + QString::fromLatin1(pid)), kPatience);
        QCOMPARE(listener.ends.size(), 0);
    }

    void aTenMegabytePasteArrivesWhole()
    {
        QByteArray paste(10 << 20, Qt::Uninitialized);
        for (qsizetype i = 0; i < paste.size(); ++i)
            paste[i] = char((i * 131 + i / 4096) & 0xff);
        const QByteArray expected = QCryptographicHash::hash(paste, QCryptographicHash::Sha256).toHex();
        const auto shell = makeSshShell(m_server->options(),
                                        command(u"stty raw -echo; echo ready; head -c %1 | sha256sum"_s.arg(paste.size())), &m_prompts);
        Listener listener(shell.get());
        QSignalSpy drained(shell.get(), &Shell::inputDrained);
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.contains("ready"), kPatience);
        shell->write(paste);
        QCOMPARE(shell->pendingInput(), paste.size());
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, 4 * kPatience);
        QVERIFY2(listener.output.contains(expected), listener.output.constData());
        QVERIFY(drained.count() > 0);
        QCOMPARE(shell->pendingInput(), 0);
    }

    void outputThatNobodyReadsStaysThere()
    {
        const auto shell = makeSshShell(m_server->options(), command(u"stty raw; echo ready; head -c 104857600 /dev/zero; echo; echo done"_s), &m_prompts);
        Listener listener(shell.get(), false);
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.size() >= 256 * 1024, kPatience);
        const qint64 before = residentKib();
        // Its window is 2 MiB: after this long a flood would be through, were it not held.
        QTest::qWait(500);
        QCOMPARE(listener.output.size(), 256 * 1024);
        QVERIFY(residentKib() - before < 32 * 1024);
        // Nothing was lost: all of it comes once somebody takes it in.
        qint64 total = 0;
        qint64 zeros = 0;
        QByteArray tail;
        const auto take = [&](const QByteArray &bytes) {
            total += bytes.size();
            zeros += bytes.count('\0');
            tail = (tail + bytes).last(qMin<qsizetype>(tail.size() + bytes.size(), 16));
            shell->consumed(bytes.size());
        };
        take(std::exchange(listener.output, {}));
        disconnect(shell.get(), &Shell::outputReceived, nullptr, nullptr);
        connect(shell.get(), &Shell::outputReceived, this, take);
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, 4 * kPatience);
        QCOMPARE(zeros, 104857600);
        QVERIFY2(tail.endsWith("\ndone\n"), tail.constData());
        disconnect(shell.get(), nullptr, this, nullptr);
    }

    void ctrlCStopsAFlood()
    {
        const auto shell = makeSshShell(m_server->options(), command(u"trap 'echo; echo stopped; exit 3' INT; echo ready; while :; do head -c 65536 /dev/zero | tr '\\0' 'x'; done"_s), &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.size() > (1 << 20), kPatience);
        shell->write("\x03");
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QVERIFY(listener.output.contains("stopped"));
        QCOMPARE(listener.ends.front().exitCode, 3);
    }

    void aServerThatDiesIsALoss()
    {
        TestSshd server;
        QVERIFY2(server.problem().isEmpty(), qPrintable(server.problem()));
        const auto shell = makeSshShell(server.options(), command(u"echo ready; exec sleep 1000"_s), &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(listener.output.contains("ready"), kPatience);
        server.kill();
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QCOMPARE(listener.ends.front().kind, ShellEnd::Kind::Lost);
        QCOMPARE(listener.ends.front().error.kind, ErrorKind::ConnectionLost);
        QCOMPARE(listener.ends.front().error.subject, u"127.0.0.1"_s);
    }

    void specsThatCannotBeAreRefused_data()
    {
        QTest::addColumn<ShellSpec>("spec");
        ShellSpec spec;
        spec.environment = {{u"A=B"_s, u"x"_s}};
        QTest::newRow("variable name") << spec;
        spec.environment = {{u"AB"_s, u"x"_s + QChar(0)}};
        QTest::newRow("NUL in a variable") << spec;
        spec = {};
        spec.command = u"a"_s;
        spec.arguments = {u"x"_s + QChar(0) + u"y"_s};
        QTest::newRow("NUL in an argument") << spec;
        spec = {};
        spec.workingDirectory = QString(QChar(0));
        QTest::newRow("NUL in the folder") << spec;
    }
    void specsThatCannotBeAreRefused()
    {
        QFETCH(ShellSpec, spec);
        const auto shell = makeSshShell(m_server->options(), spec, &m_prompts);
        Listener listener(shell.get());
        shell->open({});
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QCOMPARE(listener.ends.front().kind, ShellEnd::Kind::Failed);
        QCOMPARE(listener.ends.front().error.kind, ErrorKind::InvalidInput);
    }

    void aShellCanBeDeletedAtAnyMoment_data()
    {
        QTest::addColumn<int>("when");
        QTest::newRow("never opened") << 0;
        QTest::newRow("just opened") << 1;
        QTest::newRow("open") << 2;
        QTest::newRow("in its own output signal") << 3;
        QTest::newRow("in its own end signal") << 4;
        QTest::newRow("in its own state signal") << 5;
    }
    void aShellCanBeDeletedAtAnyMoment()
    {
        QFETCH(int, when);
        auto shell = makeSshShell(m_server->options(), command(u"echo ready; sleep 0.1"_s), &m_prompts);
        const auto drop = [&] { shell.reset(); };
        if (when == 3)
            connect(shell.get(), &Shell::outputReceived, this, drop);
        if (when == 4)
            connect(shell.get(), &Shell::ended, this, drop);
        if (when == 5)
            connect(shell.get(), &Shell::stateChanged, this, drop);
        if (when > 0)
            shell->open({});
        if (when == 2)
            QTRY_COMPARE_WITH_TIMEOUT(shell->state(), ShellState::Open, kPatience);
        if (when < 3)
            drop();
        QTRY_VERIFY_WITH_TIMEOUT(!shell, kPatience);
    }

    void dropbearServesTheSame()
    {
        TestSshd server(TestSshd::Kind::Dropbear);
        SANDPIPER_NEED_SSHD(server);
        ShellSpec spec = command(u"stty size; echo at-$PWD-$SAND_A-; exit 5"_s);
        spec.environment = {{u"SAND_A"_s, u"1 2"_s}};
        spec.workingDirectory = server.folder();
        const auto shell = makeSshShell(server.options(), spec, &m_prompts);
        Listener listener(shell.get());
        shell->open({90, 30});
        QTRY_COMPARE_WITH_TIMEOUT(listener.ends.size(), 1, kPatience);
        QVERIFY2(listener.ends.front().kind == ShellEnd::Kind::Exited, qPrintable(describe(listener.ends.front().error) + QString::fromLocal8Bit(server.log())));
        QVERIFY(listener.output.contains("30 90"));
        QVERIFY2(listener.output.contains("at-" + server.folder().toUtf8() + "-1 2-"), listener.output.constData());
        QCOMPARE(listener.ends.front().exitCode, 5);
    }
};

QTEST_GUILESS_MAIN(TestSshShell)
#include "tst_sshshell.moc"

// What runs in a real sandbox, and how the gateway talks to it: terminals, pipes, ends, signals.
#include "tests/gateway/sandboxfixture.h"

#include <QCryptographicHash>
#include <QFileInfo>
#include <QRandomGenerator>
#include <QSignalSpy>

#include <sys/socket.h>
#include <sys/un.h>

using namespace Sandpiper;
using namespace Sandpiper::TestSupport;

namespace {

SpawnSpec command(const QStringList &argv)
{
    SpawnSpec spec;
    spec.argv = argv;
    return spec;
}

} // namespace

class SandboxesTest : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void cleanupTestCase() { m_store.reset(); }

    void looksLikeTheVendorsSandbox();
    void showsNothingOfThisComputerButItsSystem();
    void hasNoWayToTheInitProcess();
    void sudoSaysOneSentence();
    void terminalHasItsSizeBeforeTheShellStarts();
    void oneShellSeesTheProcessesOfAnother();
    void resizeReachesTheForegroundProgram();
    void interruptKeyWorksThoughTheGatewayIgnoresIt();
    void endIsReportedOnce_data();
    void endIsReportedOnce();
    void whatCannotStartSaysWhy_data();
    void whatCannotStartSaysWhy();
    void programIsFoundInThePathOfTheNewProcess();
    void workingDirectoryFollowsTheRules_data();
    void workingDirectoryFollowsTheRules();
    void environmentOfTheCallerWins();
    void errorStreamIsSeparate();
    void tenMegabytesComeBackByteForByte();
    void argumentsOfHundredsOfKilobytesArrive();
    void signalReachesTheWholeGroup();
    void lettingGoHangsUp();
    void lettingGoKillsWhatIgnoresTheHangUp();
    void detachedProgramSurvivesTheHangUp();
    void agentSocketIsPrivateAndGoesWithItsProcess();
    void orphansAreReaped();
    void manyAtOnceDoNotDisturbEachOther();
    void spawnIsFast();

private:
    StoreFolder m_folder;
    std::unique_ptr<SandboxStore> m_store;
    AgentClient m_agent;
};

void SandboxesTest::initTestCase()
{
    // As in a program that a script started with "&".
    ::signal(SIGINT, SIG_IGN);
    m_store = m_folder.store();
    QCOMPARE(m_store->unusableBecause(), QString());
    const QString id = newSandbox(*m_store, u"first"_s);
    QVERIFY(!id.isEmpty());
    m_agent = m_store->lookup(id)->agent;
    QVERIFY(m_agent.isValid());
}

void SandboxesTest::looksLikeTheVendorsSandbox()
{
    QCOMPARE(run(m_agent, "id -un; hostname; pwd; echo $HOME; cat /proc/1/comm"),
             "tl-user\ntl-sbx\n/workspace\n/home/tl-user\ninit\n");
    QCOMPARE(run(m_agent, "id -u; id -g; umask; echo $LANG $USER $LOGNAME $SHELL"),
             "1000\n1000\n0022\nC.UTF-8 tl-user tl-user /bin/bash\n");
    QCOMPARE(run(m_agent, "touch ~/a /workspace/b /tmp/c /var/tmp/d $XDG_RUNTIME_DIR/e && echo yes"), "yes\n");
    QCOMPARE(run(m_agent, "getent hosts localhost >/dev/null && getent passwd 1000"),
             "tl-user:x:1000:1000:Sandbox user:/home/tl-user:/bin/bash\n");
}

void SandboxesTest::showsNothingOfThisComputerButItsSystem()
{
    QCOMPARE(run(m_agent, "cat /etc/shadow /etc/machine-id /root/.bashrc 2>/dev/null | wc -c"), "0\n");
    QCOMPARE(run(m_agent, "ls -A " + m_folder.path(u"data"_s).toUtf8() + " 2>/dev/null | wc -l"), "0\n");
    // Not even where the gateway runs as root, which the kernel takes these writes from.
    const QByteArrayList paths = {"/usr/x", "/etc/x", "/x", "/proc/sys/kernel/core_pattern",
                                  "/opt/sandpiper/init", "/etc/passwd"};
    for (const QByteArray &path : paths) {
        int code = 0;
        run(m_agent, "{ test ! -e " + path + " || cat " + path + "; } >/tmp/was; cat /tmp/was >" + path, &code);
        QVERIFY2(code != 0, path);
    }
    QVERIFY(!run(m_agent, "cat /proc/net/unix").contains("@/tmp/.X11-unix"));
    QCOMPARE(run(m_agent, "env | grep -c SANDPIPER"), "0\n");
}

void SandboxesTest::hasNoWayToTheInitProcess()
{
    // Neither its descriptors and memory, nor signals, which the kernel withholds from a first process.
    QCOMPARE(run(m_agent, "readlink /proc/1/fd/* /proc/1/exe | wc -l; cat /proc/1/environ /proc/1/maps 2>/dev/null | wc -c"),
             "0\n0\n");
    const QByteArray theft = run(m_agent, "python3 -c 'import ctypes, errno, os\n"
                                          "syscall = ctypes.CDLL(None, use_errno=True).syscall\n"
                                          "for fd in range(3, 20):\n"
                                          "    assert syscall(438, os.pidfd_open(1), fd, 0) == -1\n"
                                          "    assert ctypes.get_errno() == errno.EPERM, ctypes.get_errno()\n"
                                          "print(\"refused\")'");
    QCOMPARE(theft, "refused\n");
    run(m_agent, "kill -KILL 1; kill -STOP 1; kill -TERM 1; kill -CHLD 1; true");
    QCOMPARE(run(m_agent, "kill -KILL -1 2>/dev/null; true"), "");
    QCOMPARE(run(m_agent, "echo alive"), "alive\n");
    QCOMPARE(run(m_agent, "ls -l /proc/self/fd | grep -c socket"), "0\n");
}

void SandboxesTest::sudoSaysOneSentence()
{
    int code = 0;
    const QByteArray said = run(m_agent, "sudo apt-get install x", &code);
    QCOMPARE(code, 1);
    QVERIFY2(said.startsWith("sudo: this sandbox has no root user"), said);
    QCOMPARE(said.count('\n'), 1);
}

void SandboxesTest::terminalHasItsSizeBeforeTheShellStarts()
{
    auto process = shell(m_agent, {97, 31});
    QVERIFY(process);
    QVERIFY(type(*process, "stty size; tty; echo $0 $TERM do''ne\n"));
    const QByteArray output = readUntil(process->terminal.get(), "done");
    QVERIFY2(output.contains("31 97"), output);
    QVERIFY2(output.contains("tl-user@tl-sbx:/workspace$ "), output);
    QVERIFY2(output.contains("/dev/pts/"), output);
    QVERIFY2(output.contains("-bash xterm-256color done"), output);
}

void SandboxesTest::oneShellSeesTheProcessesOfAnother()
{
    auto one = shell(m_agent);
    QVERIFY(one);
    QVERIFY(type(*one, "exec -a seen-by-others sleep 1000\n"));
    QTRY_VERIFY_WITH_TIMEOUT(run(m_agent, "ps -ef").contains("seen-by-others"), patience);
}

void SandboxesTest::resizeReachesTheForegroundProgram()
{
    auto process = shell(m_agent, {80, 24});
    QVERIFY(process);
    // The trap only leaves a mark: bash forgets a signal that comes while the trap for the one before still runs.
    QVERIFY(type(*process, "bash -c 'trap told=1 WINCH; echo rea\"\"dy; while :; do sleep 0.1; "
                           "[ \"$told\" ] && { told=; stty size; echo win\"\"ch; }; done'\n"));
    QVERIFY(readUntil(process->terminal.get(), "ready").contains("ready"));
    QVERIFY(process->resize({132, 43}));
    const QByteArray output = readUntil(process->terminal.get(), "winch");
    QVERIFY2(output.contains("43 132"), output);
    // The terminal itself may have been handed on.
    const Fd elsewhere = std::move(process->terminal);
    QVERIFY(process->resize({100, 5000}));
    const QByteArray then = readUntil(elsewhere.get(), "500 100");
    QVERIFY2(then.contains("500 100"), then);
}

void SandboxesTest::interruptKeyWorksThoughTheGatewayIgnoresIt()
{
    auto process = shell(m_agent);
    QVERIFY(process);
    QVERIFY(type(*process, "echo st''art; sleep 1000\n"));
    QVERIFY(readUntil(process->terminal.get(), "start").contains("start"));
    QTRY_VERIFY_WITH_TIMEOUT(run(m_agent, "ps -eo args").contains("sleep 1000"), patience);
    QVERIFY(type(*process, "\x03"));
    QVERIFY(type(*process, "echo co''de $?\n"));
    const QByteArray output = readUntil(process->terminal.get(), "code 130");
    QVERIFY2(output.contains("code 130"), output);
    QCOMPARE(run(m_agent, "trap; grep -E 'Sig(Ign|Blk)' /proc/self/status"),
             "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

void SandboxesTest::endIsReportedOnce_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<int>("signal");
    QTest::newRow("zero") << QByteArray("exit 0") << 0 << 0;
    QTest::newRow("code") << QByteArray("exit 37") << 37 << 0;
    QTest::newRow("255") << QByteArray("exit 255") << 255 << 0;
    QTest::newRow("term") << QByteArray("kill -TERM $$") << -1 << SIGTERM;
    QTest::newRow("kill") << QByteArray("kill -KILL $$") << -1 << SIGKILL;
    QTest::newRow("segv") << QByteArray("kill -SEGV $$") << -1 << SIGSEGV;
}

void SandboxesTest::endIsReportedOnce()
{
    QFETCH(QByteArray, text);
    for (const auto io : {SpawnSpec::Io::Pipes, SpawnSpec::Io::Terminal}) {
        SpawnSpec spec;
        spec.io = io;
        spec.loginShell = true;
        spec.shellCommand = text;
        auto process = m_agent.spawn(spec);
        QVERIFY(process);
        const auto end = waitForEnd(*process);
        QVERIFY(end);
        QTEST(end->exitCode, "exitCode");
        QTEST(end->signal, "signal");
        QVERIFY(!end->outOfMemory);
        QCOMPARE(process->takeEnd(), end);
        QVERIFY(!process->sendSignal(SIGTERM));
    }
}

void SandboxesTest::whatCannotStartSaysWhy_data()
{
    QTest::addColumn<QStringList>("argv");
    QTest::addColumn<QString>("folder");
    QTest::addColumn<ErrorKind>("kind");
    QTest::newRow("nothing") << QStringList{} << QString() << ErrorKind::InvalidInput;
    QTest::newRow("empty name") << QStringList{QString()} << QString() << ErrorKind::InvalidInput;
    QTest::newRow("no such program") << QStringList{u"no-such-program"_s} << QString() << ErrorKind::NotFound;
    QTest::newRow("no such path") << QStringList{u"/no/such/path"_s} << QString() << ErrorKind::NotFound;
    QTest::newRow("a folder") << QStringList{u"/usr"_s} << QString() << ErrorKind::PermissionDenied;
    QTest::newRow("no such folder") << QStringList{u"true"_s} << u"/no/such"_s << ErrorKind::NotFound;
    QTest::newRow("NUL") << QStringList{u"true"_s, u"a\0b"_s} << QString() << ErrorKind::InvalidInput;
    QTest::newRow("2 MiB") << QStringList{u"true"_s, QString(2 << 20, u'x')} << QString() << ErrorKind::TooLarge;
}

void SandboxesTest::whatCannotStartSaysWhy()
{
    QFETCH(QStringList, argv);
    QFETCH(QString, folder);
    SpawnSpec spec = command(argv);
    spec.workingDirectory = folder;
    spec.agentSocket = true;
    const auto process = m_agent.spawn(spec);
    QVERIFY(!process);
    QTEST(process.error().kind, "kind");
    QVERIFY(!process.error().detail.isEmpty());
    QTRY_COMPARE_WITH_TIMEOUT(run(m_agent, "ls -d /tmp/ssh-* 2>/dev/null"), "", patience);
}

void SandboxesTest::programIsFoundInThePathOfTheNewProcess()
{
    run(m_agent, "mkdir -p ~/own; printf '#!/bin/sh\\necho mine\\n' >~/own/mine; chmod +x ~/own/mine");
    SpawnSpec spec = command({u"mine"_s});
    QVERIFY(!m_agent.spawn(spec));
    spec.environment.insert(u"PATH"_s, u"/home/tl-user/own:/usr/bin"_s);
    auto process = m_agent.spawn(spec);
    QVERIFY(process);
    QCOMPARE(readAll(process->output.get()), "mine\n");
}

void SandboxesTest::workingDirectoryFollowsTheRules_data()
{
    QTest::addColumn<QString>("wish");
    QTest::addColumn<QByteArray>("folder");
    QTest::newRow("empty") << QString() << QByteArray("/workspace");
    QTest::newRow("absolute") << u"/usr/bin"_s << QByteArray("/usr/bin");
    QTest::newRow("home") << u"~"_s << QByteArray("/home/tl-user");
    QTest::newRow("below home") << u"~/sub dir"_s << QByteArray("/home/tl-user/sub dir");
    QTest::newRow("relative") << u"sub dir"_s << QByteArray("/home/tl-user/sub dir");
}

void SandboxesTest::workingDirectoryFollowsTheRules()
{
    QFETCH(QString, wish);
    QFETCH(QByteArray, folder);
    run(m_agent, "mkdir -p ~/'sub dir'");
    SpawnSpec spec = command({u"pwd"_s});
    spec.workingDirectory = wish;
    auto process = m_agent.spawn(spec);
    QVERIFY(process);
    QCOMPARE(readAll(process->output.get()), folder + '\n');
}

void SandboxesTest::environmentOfTheCallerWins()
{
    SpawnSpec spec;
    spec.io = SpawnSpec::Io::Terminal;
    spec.loginShell = true;
    spec.shellCommand = "stty -onlcr; printf '%s|%s|%s' \"$TERM\" \"$LANG\" \"$ODD\"";
    spec.environment = {{u"TERM"_s, u"dumb"_s}, {u"LANG"_s, u"de_DE.UTF-8"_s}, {u"ODD"_s, u"ä=\n'\""_s}};
    auto process = m_agent.spawn(spec);
    QVERIFY(process);
    QCOMPARE(readAll(process->terminal.get()), QByteArray("dumb|de_DE.UTF-8|ä=\n'\""));
    spec.environment = {{u"A=B"_s, u"c"_s}};
    QCOMPARE(m_agent.spawn(spec).error().kind, ErrorKind::InvalidInput);
    spec.environment = {{QString(), u"c"_s}};
    QCOMPARE(m_agent.spawn(spec).error().kind, ErrorKind::InvalidInput);
}

void SandboxesTest::errorStreamIsSeparate()
{
    auto process = m_agent.spawn(command({u"sh"_s, u"-c"_s, u"echo out; echo err >&2; cat"_s}));
    QVERIFY(process);
    QCOMPARE(::write(process->input.get(), "in", 2), 2);
    process->input.reset();
    QCOMPARE(readAll(process->output.get()), "out\nin");
    QCOMPARE(readAll(process->errorOutput.get()), "err\n");
    QCOMPARE(waitForEnd(*process)->exitCode, 0);
}

void SandboxesTest::tenMegabytesComeBackByteForByte()
{
    QByteArray sent(10 << 20, Qt::Uninitialized);
    QRandomGenerator::global()->generate(reinterpret_cast<quint32 *>(sent.begin()),
                                         reinterpret_cast<quint32 *>(sent.end()));
    auto process = m_agent.spawn(command({u"cat"_s}));
    QVERIFY(process);
    QByteArray received;
    qsizetype at = 0;
    QElapsedTimer since;
    since.start();
    while (received.size() < sent.size() && since.elapsed() < 2 * patience) {
        pollfd waiting[] = {{process->output.get(), POLLIN, 0},
                            {at < sent.size() ? process->input.get() : -1, POLLOUT, 0}};
        ::poll(waiting, 2, 1000);
        if (at < sent.size()) {
            const ssize_t size = ::write(process->input.get(), sent.constData() + at, size_t(sent.size() - at));
            at += qMax<ssize_t>(size, 0);
        }
        char buffer[65536];
        const ssize_t size = ::read(process->output.get(), buffer, sizeof buffer);
        if (size > 0)
            received.append(buffer, size);
    }
    process->input.reset();
    QVERIFY(received == sent);
    QCOMPARE(waitForEnd(*process)->exitCode, 0);
}

void SandboxesTest::argumentsOfHundredsOfKilobytesArrive()
{
    QStringList argv = {u"sh"_s, u"-c"_s, u"echo $# ${#1} ${#8}"_s, u"sh"_s};
    for (int i = 0; i < 8; ++i)
        argv << QString(100'000, u'x');
    auto process = m_agent.spawn(command(argv));
    QVERIFY(process);
    QCOMPARE(readAll(process->output.get()), "8 100000 100000\n");
}

void SandboxesTest::signalReachesTheWholeGroup()
{
    auto process = m_agent.spawn(command({u"sh"_s, u"-c"_s, u"sleep 4242 & echo on; wait"_s}));
    QVERIFY(process);
    QVERIFY(readUntil(process->output.get(), "on").contains("on"));
    QVERIFY(process->sendSignal(SIGTERM));
    QCOMPARE(waitForEnd(*process)->signal, SIGTERM);
    QTRY_VERIFY_WITH_TIMEOUT(!run(m_agent, "ps -eo args").contains("sleep 4242"), patience);
}

void SandboxesTest::lettingGoHangsUp()
{
    {
        auto process = shell(m_agent);
        QVERIFY(process);
        QVERIFY(type(*process, "trap 'echo hung up >/workspace/hup; exit' HUP; echo st''art; while :; do sleep 0.1; done\n"));
        QVERIFY(readUntil(process->terminal.get(), "start").contains("start"));
    }
    QTRY_COMPARE_WITH_TIMEOUT(run(m_agent, "cat /workspace/hup 2>/dev/null"), "hung up\n", patience);
}

void SandboxesTest::lettingGoKillsWhatIgnoresTheHangUp()
{
    {
        auto process = m_agent.spawn(command({u"sh"_s, u"-c"_s, u"trap '' HUP; echo on; exec sleep 5252"_s}));
        QVERIFY(process);
        QVERIFY(readUntil(process->output.get(), "on").contains("on"));
    }
    QVERIFY(run(m_agent, "ps -eo args").contains("sleep 5252"));
    QTRY_VERIFY_WITH_TIMEOUT(!run(m_agent, "ps -eo args").contains("sleep 5252"), patience);
}

void SandboxesTest::detachedProgramSurvivesTheHangUp()
{
    {
        auto process = shell(m_agent);
        QVERIFY(process);
        QVERIFY(type(*process, "setsid sleep 6262 & echo st''art\n"));
        QVERIFY(readUntil(process->terminal.get(), "start").contains("start"));
        QTRY_VERIFY_WITH_TIMEOUT(run(m_agent, "ps -eo args").contains("sleep 6262"), patience);
    }
    QTRY_VERIFY_WITH_TIMEOUT(!run(m_agent, "ps -eo args").contains("-bash"), patience);
    QVERIFY(run(m_agent, "ps -eo args").contains("sleep 6262"));
}

void SandboxesTest::agentSocketIsPrivateAndGoesWithItsProcess()
{
    SpawnSpec spec = command({u"sh"_s, u"-c"_s, u"stat -c '%a %U' $(dirname $SSH_AUTH_SOCK); echo $SSH_AUTH_SOCK; exec python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX); s.connect(os.environ[\"SSH_AUTH_SOCK\"]); print(s.recv(9).decode())'"_s});
    spec.agentSocket = true;
    auto process = m_agent.spawn(spec);
    QVERIFY(process);
    QVERIFY(process->agentListener.isValid());
    QVERIFY(canRead(process->agentListener.get(), patience));
    const Fd peer(::accept(process->agentListener.get(), nullptr, nullptr));
    QCOMPARE(::write(peer.get(), "from here", 9), 9);
    const QByteArrayList lines = readAll(process->output.get()).split('\n');
    QCOMPARE(lines.value(0), "700 tl-user");
    QCOMPARE(lines.value(2), "from here");
    QCOMPARE(waitForEnd(*process)->exitCode, 0);
    QCOMPARE(run(m_agent, "ls -d " + lines.value(1) + " 2>/dev/null"), "");
}

void SandboxesTest::orphansAreReaped()
{
    run(m_agent, "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.05 & ) ; done");
    QTRY_COMPARE_WITH_TIMEOUT(run(m_agent, "ps -eo stat,args | grep -c '^Z.*sleep'"), "0\n", patience);
}

void SandboxesTest::manyAtOnceDoNotDisturbEachOther()
{
    std::vector<SandboxProcess> processes;
    for (int i = 0; i < 60; ++i) {
        auto process = m_agent.spawn(command({u"sh"_s, u"-c"_s, u"cat; exit %1"_s.arg(i)}));
        QVERIFY2(process, qPrintable(process ? QString() : describe(process.error())));
        processes.push_back(std::move(*process));
    }
    for (int i = 59; i >= 0; --i) {
        const QByteArray text = QByteArray::number(i);
        QCOMPARE(::write(processes[size_t(i)].input.get(), text.constData(), size_t(text.size())), text.size());
        processes[size_t(i)].input.reset();
        QCOMPARE(readAll(processes[size_t(i)].output.get()), text);
        QCOMPARE(waitForEnd(processes[size_t(i)])->exitCode, i);
    }
}

void SandboxesTest::spawnIsFast()
{
    // A figure for people; a slow machine is no failure.
    QElapsedTimer since;
    since.start();
    constexpr int count = 50;
    for (int i = 0; i < count; ++i) {
        auto process = m_agent.spawn(command({u"true"_s}));
        QVERIFY(process);
        QCOMPARE(waitForEnd(*process)->exitCode, 0);
    }
    qInfo("spawn of \"true\" to its reported end: %.2f ms", double(since.nsecsElapsed()) / 1e6 / count);
}

QTEST_GUILESS_MAIN(SandboxesTest)
#include "tst_sandboxes.moc"

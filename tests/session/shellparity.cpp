#include "tests/session/shellparity.h"

#include "tests/support/waituntil.h"

#include <QCryptographicHash>
#include <QRandomGenerator>
#include <QTest>
#include <QtEndian>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

constexpr int patience = 30'000; // ms; two slow cores, sanitizers, other tests beside us
constexpr qint64 windowOfAShell = 256 * 1024;

#define TRY_VERIFY_FOR(condition, ms) QVERIFY(waitUntil([&] { return bool(condition); }, ms))
#define TRY_VERIFY(condition) TRY_VERIFY_FOR(condition, patience)
#define TRY_COMPARE(actual, expected) \
    do { \
        (void)waitUntil([&] { return (actual) == (expected); }, patience); \
        QCOMPARE(actual, expected); \
    } while (false)

// A failure in there ends the test that asked for it.
#define OPEN_QUIET_SHELL(...) \
    do { \
        openQuietShell(__VA_ARGS__); \
        if (QTest::currentTestFailed()) \
            return; \
    } while (false)

// A bash without a line editor: what the terminal does is the terminal's own doing.
ShellSpec plainBash()
{
    ShellSpec spec;
    spec.command = u"/bin/bash"_s;
    spec.arguments = {u"--norc"_s, u"--noprofile"_s, u"--noediting"_s};
    return spec;
}

} // namespace

ShellRecorder::ShellRecorder(Shell *shell)
    : m_shell(shell)
{
    connect(shell, &Shell::outputReceived, this, [this](const QByteArray &bytes) { take(bytes); });
    connect(shell, &Shell::ended, this, [this](const ShellEnd &end) { ends += end; });
    connect(shell, &Shell::stateChanged, this, [this](ShellState state) { states += state; });
    connect(shell, &Shell::noticeReceived, this, [this](const QString &text) { notices += text; });
    connect(shell, &Shell::replaying, this, [this](bool active) { ++(active ? replayStarts : replayEnds); });
    connect(shell, &Shell::inputDrained, this, [this] { ++drained; });
}

void ShellRecorder::take(const QByteArray &bytes)
{
    m_received += bytes.size();
    if (m_output.size() < keepAtMost)
        m_output += bytes;
    else
        m_output = m_output.last(keepAtMost / 2) + bytes;
    if (m_holds)
        m_held += bytes.size();
    else
        m_shell->consumed(bytes.size());
}

void ShellRecorder::hold()
{
    m_holds = true;
}

void ShellRecorder::release()
{
    m_holds = false;
    m_shell->consumed(std::exchange(m_held, 0));
}

void ShellParity::init()
{
    m_peer = makePeer();
    if (!m_peer)
        QSKIP("there is nothing to talk to here");
}

void ShellParity::cleanup()
{
    m_recorder.reset();
    m_shell.reset();
    m_peer.reset();
}

bool ShellParity::says(QByteArrayView text)
{
    (void)waitUntil([&] { return m_recorder->saw(text) || m_shell->state() == ShellState::Ended; }, patience);
    return m_recorder->saw(text);
}

// A size and the input after it may take different ways inside the server.
bool ShellParity::sizeBecomes(QByteArrayView answer)
{
    for (int round = 0; round < 60 && !m_recorder->saw(answer); ++round) {
        run("stty size");
        (void)waitUntil([&] { return m_recorder->saw(answer); }, 500);
    }
    return m_recorder->saw(answer);
}

void ShellParity::openQuietShell(TerminalSize size)
{
    m_shell = m_peer->makeShell(plainBash());
    QVERIFY(m_shell);
    m_recorder = std::make_unique<ShellRecorder>(m_shell.get());
    QCOMPARE(m_shell->state(), ShellState::Idle);
    m_shell->open(size);
    QCOMPARE(m_shell->state(), ShellState::Opening);
    TRY_VERIFY(m_shell->state() != ShellState::Opening);
    QVERIFY2(m_shell->state() == ShellState::Open,
             m_recorder->ends.isEmpty() ? "" : qPrintable(describe(m_recorder->ends.first().error)));
    QCOMPARE(m_recorder->states, (QList{ShellState::Opening, ShellState::Open}));
    // The markers are split, so that their echo is not taken for them.
    run("stty -echo; PS1=; PS2=; printf 'RE%s\\n' ADY");
    QVERIFY(says("READY\r\n"));
    (void)m_recorder->takeOutput();
}

void ShellParity::itOpensAndEndsWithItsExitCode()
{
    OPEN_QUIET_SHELL();
    run("exit 3");
    TRY_COMPARE(m_recorder->ends.size(), 1);
    QCOMPARE(m_recorder->ends.first().kind, ShellEnd::Kind::Exited);
    QCOMPARE(m_recorder->ends.first().exitCode, 3);
    QCOMPARE(m_shell->state(), ShellState::Ended);
    QVERIFY(!m_shell->canReattach());
    QCOMPARE(m_recorder->states, (QList{ShellState::Opening, ShellState::Open, ShellState::Ended}));
}

void ShellParity::inputReachesTheShellAndOutputComesBack()
{
    OPEN_QUIET_SHELL();
    run("printf 'a%sb\\n' $((6 * 7))");
    QVERIFY(says("a42b\r\n"));
    TRY_COMPARE(m_shell->pendingInput(), 0);
    TRY_VERIFY(m_recorder->drained > 0);
}

void ShellParity::everyByteValuePassesBothWays()
{
    OPEN_QUIET_SHELL();
    run("stty raw -echo; printf 'GO%s' NOW; printf '<<'; head -c 256; printf '>>'; stty sane -echo");
    QVERIFY(says("GONOW"));
    QByteArray all(256, Qt::Uninitialized);
    for (int i = 0; i < 256; ++i)
        all[i] = char(i);
    m_shell->write(all);
    QVERIFY(says("<<" + all + ">>"));
}

void ShellParity::splitCharactersArriveWhole()
{
    OPEN_QUIET_SHELL();
    run("printf '<\\303'; sleep 0.1; printf '\\251\\342'; sleep 0.1; printf '\\202'; sleep 0.1; printf '\\254>'");
    QVERIFY(says(u"<é€>"_s.toUtf8()));
}

void ShellParity::theShellKnowsItsSizeFromTheStart()
{
    OPEN_QUIET_SHELL({101, 33});
    run("stty size");
    QVERIFY(says("33 101\r\n"));
}

void ShellParity::aNewSizeReachesTheShell()
{
    OPEN_QUIET_SHELL();
    // In a shell of its own: with job control the signal goes to the job in front, not to its parent.
    run("bash -c 'trap \"echo WINCH\" WINCH; echo ARMED; while sleep 0.1; do :; done'");
    QVERIFY(says("ARMED"));
    m_shell->resize({132, 43});
    QVERIFY(says("WINCH"));
    m_shell->write("\x03");
    run("stty size");
    QVERIFY(says("43 132\r\n"));
}

void ShellParity::theVendorsOtherWayToResizeGivesTheSame()
{
    OPEN_QUIET_SHELL();
    if (!m_peer->resizeElsewhere(*m_shell, {77, 22}))
        QSKIP("there is no other way");
    QVERIFY(sizeBecomes("22 77\r\n"));
}

void ShellParity::aShellThatASignalEndsDoesNotEndWithACode()
{
    OPEN_QUIET_SHELL();
    run("kill -KILL $$");
    TRY_COMPARE(m_recorder->ends.size(), 1);
    QCOMPARE(m_recorder->ends.first().kind, ShellEnd::Kind::Signalled);
    const QString name = m_recorder->ends.first().signalName; // not every protocol says which
    QVERIFY2(name.isEmpty() || name == u"KILL"_s, qPrintable(name));
}

void ShellParity::killEndsTheSessionThere()
{
    OPEN_QUIET_SHELL();
    m_shell->kill();
    TRY_COMPARE(m_recorder->ends.size(), 1);
    const auto kind = m_recorder->ends.first().kind;
    QVERIFY(kind == ShellEnd::Kind::Killed || kind == ShellEnd::Kind::Exited || kind == ShellEnd::Kind::Signalled);
    QVERIFY(!m_shell->canReattach());
    m_shell->attach({80, 24});
    TRY_COMPARE(m_recorder->ends.size(), 2);
    QCOMPARE(m_recorder->ends.last().kind, ShellEnd::Kind::Failed);
}

void ShellParity::detachIsQuietAndTheSessionLivesOn()
{
    OPEN_QUIET_SHELL();
    QCOMPARE(m_shell->canReattach(), m_peer->keepsSessions());
    m_shell->detach();
    QCOMPARE(m_shell->state(), ShellState::Detached);
    TRY_COMPARE(m_recorder->states.last(), ShellState::Detached);
    const qint64 before = m_recorder->received();
    m_shell->write("printf never\n");
    QVERIFY(!waitUntil([&] { return !m_recorder->ends.isEmpty() || m_recorder->received() > before; }, 500));
    QCOMPARE(m_shell->canReattach(), m_peer->keepsSessions());
}

void ShellParity::attachOnTheSameObjectFindsTheSameShell()
{
    OPEN_QUIET_SHELL();
    if (!m_peer->keepsSessions())
        QSKIP("a session does not outlive its connection here");
    run("kept=still; printf 'SE%s\\n' T");
    QVERIFY(says("SET\r\n"));
    for (int round = 0; round < 2; ++round) {
        m_shell->detach();
        (void)m_recorder->takeOutput();
        m_shell->attach({90, 20 + round});
        TRY_COMPARE(m_shell->state(), ShellState::Open);
        run("printf '%s-%s\\n' $kept here");
        QVERIFY(says("still-here\r\n"));
        QVERIFY(sizeBecomes(QByteArray::number(20 + round) + " 90\r\n"));
        TRY_COMPARE(m_recorder->replayEnds, round + 1);
    }
    QVERIFY(m_recorder->ends.isEmpty());
    QCOMPARE(m_recorder->replayStarts, 2);
}

void ShellParity::aCutConnectionIsLostOnce()
{
    OPEN_QUIET_SHELL();
    m_peer->proxy().cut();
    TRY_COMPARE(m_recorder->ends.size(), 1);
    QCOMPARE(m_recorder->ends.first().kind, ShellEnd::Kind::Lost);
    QCOMPARE(m_shell->state(), ShellState::Ended);
    QCOMPARE(m_shell->canReattach(), m_peer->keepsSessions());
    QVERIFY(!waitUntil([&] { return m_recorder->ends.size() > 1; }, 500));
}

void ShellParity::afterALossTheSameShellIsFoundAgain()
{
    OPEN_QUIET_SHELL();
    if (!m_peer->keepsSessions())
        QSKIP("a session does not outlive its connection here");
    run("kept=still; printf 'SE%s\\n' T");
    QVERIFY(says("SET\r\n"));
    m_peer->proxy().cut();
    TRY_COMPARE(m_recorder->ends.size(), 1);
    m_shell->attach({80, 24});
    TRY_COMPARE(m_recorder->ends.size(), 2); // nobody is there yet
    QCOMPARE(m_recorder->ends.last().kind, ShellEnd::Kind::Failed);
    QVERIFY(m_shell->canReattach());
    m_peer->proxy().resume();
    m_shell->attach({80, 24});
    TRY_COMPARE(m_shell->state(), ShellState::Open);
    run("printf '%s-%s\\n' $kept here");
    QVERIFY(says("still-here\r\n"));
    QCOMPARE(m_recorder->ends.size(), 2);
}

void ShellParity::silenceIsNoticed()
{
    if (!m_peer->noticesSilence())
        QSKIP("it would take too long here");
    OPEN_QUIET_SHELL();
    m_peer->proxy().stall();
    TRY_COMPARE(m_recorder->ends.size(), 1);
    QCOMPARE(m_recorder->ends.first().kind, ShellEnd::Kind::Lost);
    m_peer->proxy().cut();
}

void ShellParity::aProbeNoticesSilence()
{
    OPEN_QUIET_SHELL();
    m_shell->probe();
    run("printf 'st%s\\n' ill");
    QVERIFY(says("still\r\n"));
    m_peer->proxy().stall();
    m_shell->probe();
    TRY_COMPARE(m_recorder->ends.size(), 1);
    QCOMPARE(m_recorder->ends.first().kind, ShellEnd::Kind::Lost);
    m_peer->proxy().cut();
}

void ShellParity::aLongPasteArrivesByteExact()
{
    constexpr qsizetype size = 10'000'000;
    OPEN_QUIET_SHELL();
    run("stty raw -echo; printf 'GO%s' NOW; head -c " + QByteArray::number(size)
        + " | sha256sum; stty sane -echo");
    QVERIFY(says("GONOW"));
    QByteArray paste(size, Qt::Uninitialized);
    QRandomGenerator random(7);
    for (qsizetype i = 0; i < size; i += 4)
        qToLittleEndian(random.generate(), paste.data() + i);
    m_shell->write(paste);
    QVERIFY(m_shell->pendingInput() > 0);
    const QByteArray sum = QCryptographicHash::hash(paste, QCryptographicHash::Sha256).toHex();
    TRY_VERIFY_FOR(m_recorder->saw(sum) || !m_recorder->ends.isEmpty(), 120'000);
    QVERIFY(m_recorder->saw(sum));
    QVERIFY(m_recorder->ends.isEmpty());
    QCOMPARE(m_shell->pendingInput(), 0);
}

void ShellParity::outputThatNobodyReadsWaitsInTheNetwork()
{
    constexpr qint64 size = 100'000'000;
    OPEN_QUIET_SHELL();
    const qint64 before = m_recorder->received();
    m_recorder->hold();
    run("head -c " + QByteArray::number(size) + " /dev/zero | tr '\\0' x; printf 'DO%s' NE");
    TRY_VERIFY(m_recorder->received() - before >= windowOfAShell / 2);
    QVERIFY(!waitUntil([&] { return m_recorder->received() - before > windowOfAShell; }, 2000));
    // Nor does it gather below us: what passed the network fits into the kernel's buffers.
    QVERIFY2(m_peer->proxy().towardsClient() < 24 << 20,
             QByteArray::number(m_peer->proxy().towardsClient()).constData());
    // Input still passes: Ctrl-C is not behind what nobody reads.
    QCOMPARE(m_shell->state(), ShellState::Open);

    m_recorder->release();
    TRY_VERIFY_FOR(m_recorder->received() - before == size + 4 || !m_recorder->ends.isEmpty(), 180'000);
    if (!m_recorder->ends.isEmpty()) {
        // A server may give up on a slow reader; then it is a loss and nothing else.
        QCOMPARE(m_recorder->ends.size(), 1);
        QCOMPARE(m_recorder->ends.first().kind, ShellEnd::Kind::Lost);
        return;
    }
    QVERIFY(m_recorder->saw("xDONE"));
}

void ShellParity::noSignalComesFromInsideACall()
{
    m_shell = m_peer->makeShell(plainBash());
    m_recorder = std::make_unique<ShellRecorder>(m_shell.get());
    bool isInside = false;
    int fromInside = 0;
    const auto watch = [&] { fromInside += isInside; };
    connect(m_shell.get(), &Shell::stateChanged, this, watch);
    connect(m_shell.get(), &Shell::outputReceived, this, watch);
    connect(m_shell.get(), &Shell::replaying, this, watch);
    connect(m_shell.get(), &Shell::inputDrained, this, watch);
    connect(m_shell.get(), &Shell::noticeReceived, this, watch);
    connect(m_shell.get(), &Shell::ended, this, watch);
    const auto call = [&](auto &&fn) {
        isInside = true;
        fn();
        isInside = false;
    };
    call([&] { m_shell->open({80, 24}); });
    TRY_COMPARE(m_shell->state(), ShellState::Open);
    call([&] { m_shell->write("printf 'x%s\\n' y\n"); });
    call([&] { m_shell->resize({90, 30}); });
    QVERIFY(says("xy\r\n"));
    call([&] { m_shell->consumed(1 << 20); }); // more than there is: taken for all
    if (m_peer->keepsSessions()) {
        call([&] { m_shell->detach(); });
        call([&] { m_shell->attach({80, 24}); });
        TRY_COMPARE(m_shell->state(), ShellState::Open);
    }
    call([&] { m_shell->kill(); });
    TRY_COMPARE(m_recorder->ends.size(), 1);
    call([&] { m_shell->attach({80, 24}); });
    TRY_COMPARE(m_recorder->ends.size(), 2);
    QCOMPARE(fromInside, 0);
    m_shell->disconnect(this);
}

void ShellParity::writingToAnEndedShellDoesNothing()
{
    OPEN_QUIET_SHELL();
    run("exit");
    TRY_COMPARE(m_recorder->ends.size(), 1);
    m_shell->write("printf never\n");
    m_shell->resize({10, 10});
    m_shell->detach();
    m_shell->kill();
    m_shell->consumed(5);
    QCOMPARE(m_shell->pendingInput(), 0);
    QVERIFY(!waitUntil([&] { return m_recorder->ends.size() > 1; }, 300));
    QCOMPARE(m_shell->state(), ShellState::Ended);
}

} // namespace Sandpiper

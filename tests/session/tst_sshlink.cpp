#include "session/sshlink.h"

#include "session/knownhosts.h"

#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedsshd.h"
#include "tests/support/testsshd.h"

#include <QElapsedTimer>
#include <QFile>
#include <QLocalServer>
#include <QLocalSocket>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using AnswerKind = PromptAnswer::Kind;

namespace {

constexpr int kPatience = 60000;

LinkOptions optionsFor(quint16 port)
{
    LinkOptions options;
    options.endpoint.host = u"127.0.0.1"_s;
    options.endpoint.port = port;
    options.endpoint.user = u"somebody"_s;
    options.knownHostsFiles = {u"/nonexistent/known_hosts"_s};
    options.useAgent = false;
    options.useDefaultKeys = false;
    options.connectTimeout = std::chrono::seconds(30);
    return options;
}

// What a link says.
struct Witness
{
    explicit Witness(SshLink &link)
    {
        QObject::connect(&link, &SshLink::closed, &link, [this](const Error &error) { errors.append(error); });
        QObject::connect(&link, &SshLink::stateChanged, &link, [this](LinkState state) { states.append(state); });
    }
    [[nodiscard]] QByteArray why() const { return errors.isEmpty() ? QByteArray() : describe(errors.front()).toUtf8(); }
    QList<Error> errors;
    QList<LinkState> states;
};

ShellSpec command(const QString &script)
{
    ShellSpec spec;
    spec.command = u"/bin/sh"_s;
    spec.arguments = {u"-c"_s, script};
    return spec;
}

} // namespace

class TestSshLink : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_server;
    QTemporaryDir m_dir;

    LinkOptions asking() const // the host is not known yet
    {
        LinkOptions options = m_server->options();
        options.endpoint.hostKey.clear();
        QFile::remove(m_server->knownHosts());
        return options;
    }

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
        m_dir.remove();
    }

    void theLibraryIsRecentEnough() { QVERIFY(checkSshLibrary()); }

    void aLinkGoesThroughItsStates()
    {
        RecordingPrompts prompts;
        SshLink link(m_server->options(), &prompts);
        Witness witness(link);
        QCOMPARE(link.state(), LinkState::Idle);
        link.connectToHost();
        QVERIFY(witness.states.isEmpty());
        QTRY_COMPARE_WITH_TIMEOUT(link.state(), LinkState::Ready, kPatience);
        QCOMPARE(witness.states, (QList<LinkState>{LinkState::Connecting, LinkState::Verifying, LinkState::Authenticating, LinkState::Ready}));
        QVERIFY2(link.serverVersion().startsWith(u"SSH-2.0-OpenSSH"_s), qPrintable(link.serverVersion()));
        QCOMPARE(link.hostKeyFingerprint(), fingerprintOf(hostKeyFromLine(m_server->hostKey()).value()));
        link.close();
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QCOMPARE(witness.errors.front().kind, ErrorKind::Cancelled);
        QCOMPARE(link.state(), LinkState::Closed);
        link.close();
        link.connectToHost();
        QTest::qWait(50);
        QCOMPARE(witness.errors.size(), 1);
    }

    void closingBeforeConnectingIsTold()
    {
        RecordingPrompts prompts;
        SshLink link(m_server->options(), &prompts);
        Witness witness(link);
        const auto shell = link.makeShell({});
        QSignalSpy ended(shell.get(), &Shell::ended);
        shell->open({});
        link.close();
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QCOMPARE(witness.errors.front().kind, ErrorKind::Cancelled);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatience);
    }

    void everyAddressOfANameIsTried()
    {
        // Where localhost is ::1 too, the server listens on its second address only.
        LinkOptions options = m_server->options();
        options.endpoint.host = u"localhost"_s;
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(link.state(), LinkState::Ready, kPatience);
    }

    void manyShellsShareALinkUpToABound()
    {
        RecordingPrompts prompts;
        SshLink link(m_server->options(), &prompts);
        std::vector<std::unique_ptr<Shell>> shells;
        QList<ShellEnd> ends;
        QByteArrayList outputs(9);
        for (int i = 0; i < 9; ++i) {
            shells.push_back(link.makeShell(command(u"echo I am %1; read x; exit %1"_s.arg(i))));
            connect(shells.back().get(), &Shell::ended, this, [&](const ShellEnd &end) { ends.append(end); });
            connect(shells.back().get(), &Shell::outputReceived, this, [&outputs, i](const QByteArray &bytes) { outputs[i] += bytes; });
            shells.back()->open({}); // before it connects: they wait
        }
        link.connectToHost();
        for (int i = 0; i < 8; ++i)
            QTRY_VERIFY_WITH_TIMEOUT(outputs[i].contains("I am " + QByteArray::number(i)), kPatience);
        QTRY_COMPARE_WITH_TIMEOUT(ends.size(), 1, kPatience);
        QCOMPARE(ends.front().error.kind, ErrorKind::TooLarge);
        shells[3]->write("\n");
        QTRY_COMPARE_WITH_TIMEOUT(ends.size(), 2, kPatience);
        QCOMPARE(ends.back().exitCode, 3);
        // There is room again.
        shells[8] = link.makeShell(command(u"exit 42"_s));
        connect(shells[8].get(), &Shell::ended, this, [&](const ShellEnd &end) { ends.append(end); });
        shells[8]->open({});
        QTRY_COMPARE_WITH_TIMEOUT(ends.size(), 3, kPatience);
        QCOMPARE(ends.back().exitCode, 42);
        link.close();
        QTRY_COMPARE_WITH_TIMEOUT(ends.size(), 10, kPatience);
        for (qsizetype i = 3; i < ends.size(); ++i)
            QCOMPARE(ends[i].kind, ShellEnd::Kind::Lost);
    }

    void aChannelThatTheServerDoesNotGiveFails()
    {
        TestSshd narrow(TestSshd::Kind::OpenSsh, {u"MaxSessions 1"_s});
        QVERIFY2(narrow.problem().isEmpty(), qPrintable(narrow.problem()));
        RecordingPrompts prompts;
        SshLink link(narrow.options(), &prompts);
        link.connectToHost();
        const auto first = link.makeShell(command(u"read x"_s));
        first->open({});
        QTRY_COMPARE_WITH_TIMEOUT(first->state(), ShellState::Open, kPatience);
        const auto second = link.makeShell({});
        QSignalSpy ended(second.get(), &Shell::ended);
        second->open({});
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatience);
        QCOMPARE(ended.front().front().value<ShellEnd>().kind, ShellEnd::Kind::Failed);
        QCOMPARE(first->state(), ShellState::Open);
    }

    void aLinkThatIsDeletedLosesItsShells()
    {
        RecordingPrompts prompts;
        auto link = std::make_unique<SshLink>(m_server->options(), &prompts);
        link->connectToHost();
        const auto shell = link->makeShell(command(u"read x"_s));
        QSignalSpy ended(shell.get(), &Shell::ended);
        shell->open({});
        QTRY_COMPARE_WITH_TIMEOUT(shell->state(), ShellState::Open, kPatience);
        link.reset();
        QCOMPARE(ended.size(), 0);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatience);
        QCOMPARE(ended.front().front().value<ShellEnd>().kind, ShellEnd::Kind::Lost);
        shell->write("x");
        shell->resize({});
        shell->kill();
    }

    void anIdleLinkStaysAlive()
    {
        LinkOptions options = m_server->options();
        options.keepAlive = std::chrono::seconds(1);
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(link.state(), LinkState::Ready, kPatience);
        // Longer than it would take to be given up: each question must have had its answer.
        QVERIFY(!QTest::qWaitFor([&] { return !witness.errors.isEmpty(); }, 7000));
    }

    void theServersGoodByeIsTheReason()
    {
        ScriptedSshd::Script script;
        script.password = "p";
        script.goodByeAfterLogin = "the machine goes down at noon";
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server.port());
        options.endpoint.hostKey = server.hostKey();
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {"p"}}};
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        const auto shell = link.makeShell({});
        shell->open({});
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QCOMPARE(witness.errors.front().kind, ErrorKind::ConnectionLost);
        QCOMPARE(witness.errors.front().detail, u"the machine goes down at noon"_s);
    }

    void aPromptGoesAwayWithItsLink_data()
    {
        QTest::addColumn<bool>("closes");
        QTest::newRow("closed") << true;
        QTest::newRow("deleted") << false;
    }
    void aPromptGoesAwayWithItsLink()
    {
        QFETCH(bool, closes);
        RecordingPrompts prompts;
        prompts.leavesOpen = true;
        auto link = std::make_unique<SshLink>(asking(), &prompts);
        auto witness = std::make_unique<Witness>(*link);
        link->connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(prompts.asked.size(), 1, kPatience);
        QVERIFY(!prompts.questions.front().isCanceled());
        if (closes) {
            link->close();
            QTRY_COMPARE_WITH_TIMEOUT(witness->errors.size(), 1, kPatience);
            QCOMPARE(witness->errors.front().kind, ErrorKind::Cancelled);
        } else {
            link.reset();
        }
        QVERIFY(prompts.questions.front().isCanceled());
    }

    void aPromptGoesAwayWithItsServer()
    {
        TestSshd impatient(TestSshd::Kind::OpenSsh, {u"LoginGraceTime 2"_s});
        QVERIFY2(impatient.problem().isEmpty(), qPrintable(impatient.problem()));
        LinkOptions options = impatient.options();
        options.endpoint.hostKey.clear();
        RecordingPrompts prompts;
        prompts.leavesOpen = true;
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(prompts.asked.size(), 1, kPatience);
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QCOMPARE(witness.errors.front().kind, ErrorKind::ConnectionLost);
        QVERIFY(prompts.questions.front().isCanceled());
    }

    void aLinkCanBeDeletedAtAnyMoment_data()
    {
        QTest::addColumn<LinkState>("when");
        QTest::newRow("connecting") << LinkState::Connecting;
        QTest::newRow("verifying") << LinkState::Verifying;
        QTest::newRow("authenticating") << LinkState::Authenticating;
        QTest::newRow("ready") << LinkState::Ready;
        QTest::newRow("closed") << LinkState::Closed;
    }
    void aLinkCanBeDeletedAtAnyMoment()
    {
        QFETCH(LinkState, when);
        RecordingPrompts prompts;
        auto link = std::make_unique<SshLink>(m_server->options(), &prompts);
        connect(link.get(), &SshLink::stateChanged, this, [&](LinkState state) {
            if (state == when)
                link.reset();
            else if (state == LinkState::Ready)
                link->close();
        });
        link->connectToHost();
        QTRY_VERIFY_WITH_TIMEOUT(!link, kPatience);
    }

    void anAgentThatHangsHoldsNobodyUp_data()
    {
        QTest::addColumn<bool>("lists");
        QTest::newRow("when asked for its keys") << false;
        QTest::newRow("when asked to sign") << true;
    }
    void anAgentThatHangsHoldsNobodyUp()
    {
        QFETCH(bool, lists);
        QFile publicKey(m_server->identity() + u".pub"_s);
        QVERIFY(publicKey.open(QIODevice::ReadOnly));
        const QByteArray blob = hostKeyFromLine(publicKey.readAll()).value().blob;
        const auto string = [](const QByteArray &bytes) { return QByteArray("\0\0\0", 3) + char(bytes.size()) + bytes; };
        QLocalServer agent;
        QVERIFY(agent.listen(m_dir.filePath(u"agent-%1"_s.arg(lists))));
        int requests = 0;
        connect(&agent, &QLocalServer::newConnection, this, [&] {
            QLocalSocket *client = agent.nextPendingConnection();
            connect(client, &QLocalSocket::readyRead, this, [&, client] {
                const QByteArray request = client->readAll();
                ++requests;
                if (lists && request.size() >= 5 && request[4] == 11)
                    client->write(string(QByteArray("\x0c\0\0\0\1", 5) + string(blob) + string("test")));
            });
        });
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles.clear();
        options.useAgent = true;
        options.agentSocket = agent.fullServerName();
        RecordingPrompts prompts;
        auto link = std::make_unique<SshLink>(options, &prompts);
        link->connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(requests, lists ? 2 : 1, kPatience);
        QElapsedTimer clock;
        clock.start();
        link.reset();
        // The destructor gives up after two seconds: it must not have come to that.
        QVERIFY2(clock.elapsed() < 1900, QByteArray::number(clock.elapsed()).constData());
    }

    void aCommandKeepsItsStreamsApart()
    {
        CommandSpec spec;
        spec.argv = {u"/bin/sh"_s, u"-c"_s, u"cat; echo problem >&2; echo \"$SAND_A in $PWD\"; test -t 0 && echo tty; exit 9"_s};
        spec.environment = {{u"SAND_A"_s, u"it's"_s}};
        spec.workingDirectory = m_server->folder();
        RecordingPrompts prompts;
        const auto run = makeSshCommand(m_server->options(), spec, &prompts);
        QByteArray out;
        QByteArray err;
        connect(run.get(), &RemoteCommand::outputReceived, this, [&](const QByteArray &bytes) { out += bytes; run->consumed(bytes.size()); });
        connect(run.get(), &RemoteCommand::errorOutputReceived, this, [&](const QByteArray &bytes) { err += bytes; run->consumed(bytes.size()); });
        QSignalSpy started(run.get(), &RemoteCommand::started);
        QSignalSpy ended(run.get(), &RemoteCommand::ended);
        run->start();
        QByteArray all;
        for (int i = 0; i < 1 << 20; ++i)
            all += char(i * 7 + i / 256);
        run->writeInput(all);
        run->closeInput();
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatience);
        QCOMPARE(started.size(), 1);
        QCOMPARE(out, all + "it's in " + m_server->folder().toUtf8() + '\n');
        QCOMPARE(err, "problem\n");
        const auto end = ended.front().front().value<ShellEnd>();
        QCOMPARE(end.kind, ShellEnd::Kind::Exited);
        QCOMPARE(end.exitCode, 9);
        QCOMPARE(run->pendingInput(), 0);
    }

    void aCommandGetsSignals()
    {
        CommandSpec spec;
        spec.argv = {u"sh"_s, u"-c"_s, u"trap 'echo got; exit 4' USR1; echo ready; while :; do sleep 0.05; done"_s};
        RecordingPrompts prompts;
        SshLink link(m_server->options(), &prompts);
        link.connectToHost();
        const auto run = link.makeCommand(spec);
        QByteArray out;
        connect(run.get(), &RemoteCommand::outputReceived, this, [&](const QByteArray &bytes) { out += bytes; });
        QSignalSpy ended(run.get(), &RemoteCommand::ended);
        run->start();
        QTRY_VERIFY_WITH_TIMEOUT(out.contains("ready"), kPatience);
        run->sendSignal(4711); // no such thing
        run->sendSignal(SIGUSR1);
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatience);
        QVERIFY(out.contains("got"));
        QCOMPARE(ended.front().front().value<ShellEnd>().exitCode, 4);
    }

    void aCommandThatIsNotThereEndsAsAShellWouldSay()
    {
        CommandSpec spec;
        spec.argv = {u"no-such-program-here"_s};
        RecordingPrompts prompts;
        const auto run = makeSshCommand(m_server->options(), spec, &prompts);
        QSignalSpy ended(run.get(), &RemoteCommand::ended);
        run->start();
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatience);
        QCOMPARE(ended.front().front().value<ShellEnd>().exitCode, 127);
    }
    // Some vendors wake a sandbox while we sign in.
    void aSlowSignInIsToldAndWaitedFor()
    {
        ScriptedSshd::Script script;
        script.password = "p";
        script.sleepsBeforeAnswer = std::chrono::milliseconds(1500);
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server.port());
        options.endpoint.hostKey = server.hostKey();
        options.connectTimeout = std::chrono::seconds(10);
        options.slowSignIn = std::chrono::milliseconds(200);
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {"p"}}};
        SshLink link(options, &prompts);
        QStringList told;
        connect(&link, &SshLink::bannerReceived, this, [&](const QString &text) { told.append(text); });
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(link.state(), LinkState::Ready, kPatience);
        QVERIFY2(told.join(u'|').contains(u"127.0.0.1 has not let us in yet"_s), qPrintable(told.join(u'|')));
    }

    void aSignInThatIsNeverAnsweredEnds()
    {
        ScriptedSshd::Script script;
        script.password = "p";
        script.sleepsBeforeAnswer = std::chrono::minutes(10);
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server.port());
        options.endpoint.hostKey = server.hostKey();
        options.signInTimeout = std::chrono::milliseconds(500);
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QCOMPARE(witness.errors.front().kind, ErrorKind::Timeout);
        QCOMPARE(link.state(), LinkState::Closed);
    }
    // Both sides agree on new keys many times while the bytes go on, compressed or not.
    void newKeysDisturbNothing_data()
    {
        QTest::addColumn<bool>("compression");
        QTest::newRow("plain") << false;
        QTest::newRow("compressed") << true;
    }
    void newKeysDisturbNothing()
    {
        QFETCH(bool, compression);
        TestSshd server(TestSshd::Kind::OpenSsh, {u"LogLevel DEBUG1"_s, u"Compression yes"_s});
        QVERIFY2(server.problem().isEmpty(), qPrintable(server.problem()));
        LinkOptions options = server.options();
        options.rekeyBytes = 1 << 20;
        options.compression = compression;
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        link.connectToHost();
        CommandSpec spec;
        spec.argv = {u"cat"_s};
        const auto echo = link.makeCommand(spec);
        QByteArray sent(8 << 20, Qt::Uninitialized);
        QRandomGenerator random(3);
        for (char &byte : sent)
            byte = char(random.bounded(64));
        QByteArray got;
        QSignalSpy ended(echo.get(), &RemoteCommand::ended);
        connect(echo.get(), &RemoteCommand::outputReceived, this, [&](const QByteArray &bytes) {
            got += bytes;
            echo->consumed(bytes.size());
        });
        echo->start();
        echo->writeInput(sent);
        echo->closeInput();
        QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatience);
        QVERIFY(got == sent);
        QVERIFY2(server.log().count("SSH2_MSG_NEWKEYS received") > 3, server.log().constData());
    }
};

QTEST_GUILESS_MAIN(TestSshLink)
#include "tst_sshlink.moc"

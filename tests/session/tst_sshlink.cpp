#include "session/sshlink.h"

#include "session/knownhosts.h"

#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedsshd.h"
#include "tests/support/testsshd.h"

#include <QElapsedTimer>
#include <QFile>
#include <QLocalServer>
#include <QLocalSocket>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using AnswerKind = PromptAnswer::Kind;

namespace {

constexpr int kPatience = 60000;

// Something listens there, says this, and does as it likes.
class HostileServer : public QTcpServer
{
public:
    enum class Then { Waits, HangsUp, SaysItForEver };
    HostileServer(const QByteArray &words, Then then)
    {
        connect(this, &QTcpServer::newConnection, this, [this, words, then] {
            QTcpSocket *client = nextPendingConnection();
            client->setParent(this);
            client->write(words);
            connect(client, &QTcpSocket::readyRead, this, [this, client] { received += client->readAll(); });
            if (then == Then::HangsUp)
                client->disconnectFromHost();
            if (then == Then::SaysItForEver)
                connect(client, &QTcpSocket::bytesWritten, client, [client, words] { client->write(words); });
        });
        if (!listen(QHostAddress::LocalHost))
            qFatal("no port is to be had");
    }
    QByteArray received;
};

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
    QByteArray known() const
    {
        QFile file(m_server->knownHosts());
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        if (!m_server->problem().isEmpty() && !TestSshd::mustRun())
            QSKIP(qPrintable(m_server->problem()));
        QVERIFY2(m_server->problem().isEmpty(), qPrintable(m_server->problem()));
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

    void anUnknownHostIsAskedAbout_data()
    {
        QTest::addColumn<AnswerKind>("answer");
        QTest::addColumn<bool>("ready");
        QTest::addColumn<bool>("remembered");
        QTest::addColumn<ErrorKind>("error");
        QTest::newRow("accepted") << AnswerKind::Accepted << true << true << ErrorKind::Protocol;
        QTest::newRow("just once") << AnswerKind::JustOnce << true << false << ErrorKind::Protocol;
        QTest::newRow("cancelled") << AnswerKind::Cancelled << false << false << ErrorKind::Cancelled;
        QTest::newRow("nobody there") << AnswerKind::Refused << false << false << ErrorKind::HostKeyRefused;
    }
    void anUnknownHostIsAskedAbout()
    {
        QFETCH(AnswerKind, answer);
        QFETCH(bool, ready);
        QFETCH(bool, remembered);
        QFETCH(ErrorKind, error);
        const LinkOptions options = asking();
        RecordingPrompts prompts;
        prompts.replies = {{answer, {}}};
        {
            SshLink link(options, &prompts);
            Witness witness(link);
            link.connectToHost();
            QTRY_VERIFY_WITH_TIMEOUT(link.state() == LinkState::Ready || !witness.errors.isEmpty(), kPatience);
            QVERIFY2((link.state() == LinkState::Ready) == ready, witness.why().constData());
            if (!ready)
                QCOMPARE(witness.errors.front().kind, error);
        }
        QCOMPARE(prompts.asked.size(), 1);
        QCOMPARE(prompts.asked.front().kind, Prompt::Kind::UnknownHostKey);
        QCOMPARE(prompts.asked.front().keyType, u"ssh-ed25519"_s);
        QCOMPARE(prompts.asked.front().fingerprint, fingerprintOf(hostKeyFromLine(m_server->hostKey()).value()));
        QCOMPARE(!known().isEmpty(), remembered);
        if (!remembered)
            return;
        SshLink again(options, &prompts);
        again.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(again.state(), LinkState::Ready, kPatience);
        QCOMPARE(prompts.asked.size(), 1);
    }

    void theKindOfKeyThatIsKnownIsAskedForFirst()
    {
        const LinkOptions options = asking();
        QFile rsa(m_server->folder() + u"/host_rsa.pub"_s);
        QVERIFY(rsa.open(QIODevice::ReadOnly));
        QFile file(m_server->knownHosts());
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("[127.0.0.1]:" + QByteArray::number(m_server->port()) + ' ' + rsa.readAll()) > 0);
        file.close();
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        QTRY_VERIFY_WITH_TIMEOUT(link.state() == LinkState::Ready || !witness.errors.isEmpty(), kPatience);
        QVERIFY2(link.state() == LinkState::Ready, witness.why().constData());
        QCOMPARE(prompts.asked.size(), 0);
    }

    void nothingIsSentToAServerThatIsNotTheRightOne_data()
    {
        QTest::addColumn<QByteArray>("how");
        QTest::newRow("pinned to another") << "pinned"_ba;
        QTest::newRow("changed") << "changed"_ba;
        QTest::newRow("revoked") << "revoked"_ba;
        QTest::newRow("refused") << "refused"_ba;
        QTest::newRow("pinned to nonsense") << "nonsense"_ba;
    }
    void nothingIsSentToAServerThatIsNotTheRightOne()
    {
        QFETCH(QByteArray, how);
        ScriptedSshd::Script script;
        script.password = "p";
        script.takesKeys = true;
        ScriptedSshd server(script);
        const HostKey offered = hostKeyFromLine(server.hostKey()).value();
        LinkOptions options = optionsFor(server.port());
        options.knownHostsFiles = {m_dir.filePath("known-"_L1 + QString::fromLatin1(how))};
        options.endpoint.identityFiles = {m_server->identity()};
        QFile file(options.knownHostsFiles.front());
        QVERIFY(file.open(QIODevice::WriteOnly));
        const QByteArray name = "[127.0.0.1]:" + QByteArray::number(server.port()) + ' ';
        ErrorKind expected = ErrorKind::HostKeyChanged;
        if (how == "pinned")
            options.endpoint.hostKey = m_server->hostKey();
        if (how == "changed")
            file.write(name + m_server->hostKey());
        if (how == "revoked")
            file.write(name + server.hostKey() + "\n@revoked " + name + server.hostKey());
        if (how == "revoked" || how == "refused")
            expected = ErrorKind::HostKeyRefused;
        if (how == "nonsense") {
            options.endpoint.hostKey = "ssh-ed25519 nonsense";
            expected = ErrorKind::InvalidInput;
        }
        file.close();
        RecordingPrompts prompts;
        prompts.leavesOpen = how == "changed" || how == "refused";
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        if (prompts.leavesOpen) {
            QTRY_COMPARE_WITH_TIMEOUT(prompts.asked.size(), 1, kPatience);
            QTest::qWait(200); // nothing is sent while it is being asked, either
            QCOMPARE(server.attempts(), QByteArrayList());
            QVERIFY(witness.errors.isEmpty());
            // No answer at all lets a changed key pass.
            prompts.answer({how == "changed" ? AnswerKind::Accepted : AnswerKind::Refused, {}});
        }
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QVERIFY2(witness.errors.front().kind == expected, witness.why().constData());
        QCOMPARE(server.attempts(), QByteArrayList());
        QCOMPARE(prompts.asked.size(), prompts.leavesOpen ? 1 : 0);
        if (how == "changed") {
            const Prompt &asked = prompts.asked.front();
            QCOMPARE(asked.kind, Prompt::Kind::ChangedHostKey);
            QCOMPARE(asked.fingerprint, fingerprintOf(offered));
            QCOMPARE(asked.knownFingerprint, fingerprintOf(hostKeyFromLine(m_server->hostKey()).value()));
            QCOMPARE(asked.knownWhere, options.knownHostsFiles.front() + u":1"_s);
        }
        if (expected == ErrorKind::HostKeyChanged) {
            QVERIFY(witness.errors.front().detail.contains(fingerprintOf(offered)));
            QVERIFY(witness.errors.front().detail.contains(fingerprintOf(hostKeyFromLine(m_server->hostKey()).value())));
        }
    }

    void serversThatAreNoneAreTold_data()
    {
        QTest::addColumn<QByteArray>("words");
        QTest::addColumn<HostileServer::Then>("then");
        QTest::addColumn<QList<ErrorKind>>("kinds");
        using Then = HostileServer::Then;
        const QList<ErrorKind> broken{ErrorKind::ConnectionLost, ErrorKind::Protocol};
        const QByteArray hello = "SSH-2.0-Hostile_1.0\r\n";
        QTest::newRow("silent") << QByteArray() << Then::Waits << QList{ErrorKind::Timeout};
        QTest::newRow("says hello and no more") << hello << Then::Waits << QList{ErrorKind::Timeout};
        QTest::newRow("half a hello") << "SSH-2.0-Hos"_ba << Then::Waits << QList{ErrorKind::Timeout};
        QTest::newRow("hangs up at once") << QByteArray() << Then::HangsUp << broken;
        QTest::newRow("hangs up after hello") << hello << Then::HangsUp << broken;
        QTest::newRow("hangs up within the first packet") << hello + QByteArray("\0\0\3\x14\x05\x14", 6) + QByteArray(20, 'r') << Then::HangsUp << broken;
        QTest::newRow("a web server") << "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"_ba << Then::HangsUp << broken;
        QTest::newRow("garbage") << QByteArray(4096, '\xa5') << Then::Waits << QList{ErrorKind::Protocol, ErrorKind::ConnectionLost, ErrorKind::Timeout};
        QTest::newRow("garbage after hello") << hello + QByteArray(4096, '\xa5') << Then::Waits << broken;
        QTest::newRow("a hello of a megabyte") << "SSH-2.0-" + QByteArray(1 << 20, 'x') << Then::Waits << broken;
        QTest::newRow("a flood without a line") << QByteArray(1 << 16, 'x') << Then::SaysItForEver << broken;
        QTest::newRow("a flood of lines") << QByteArray("hello\r\n").repeated(8192) << Then::SaysItForEver << QList{ErrorKind::Protocol, ErrorKind::ConnectionLost, ErrorKind::Timeout};
        QTest::newRow("the old protocol") << "SSH-1.5-Old\r\n"_ba << Then::Waits << broken;
        // One algorithm of each kind, none of which anybody has.
        QByteArray kex(1, '\x14');
        kex += QByteArray(16, 'c');
        for (int i = 0; i < 10; ++i)
            kex += QByteArray("\0\0\0\4none", 8);
        kex += QByteArray(5, '\0');
        const char padding = char(8 + (8 - (kex.size() + 5 + 8) % 8) % 8);
        const QByteArray packet = QByteArray("\0\0\0", 3) + char(kex.size() + 1 + padding) + padding + kex + QByteArray(padding, 'p');
        QTest::newRow("no algorithm in common") << hello + packet << Then::Waits << QList{ErrorKind::Protocol};
        QTest::newRow("a packet of four gigabytes") << hello + QByteArray("\xff\xff\xff\xff\x08\x14", 6) + QByteArray(4096, 'z') << Then::Waits << broken;
    }
    void serversThatAreNoneAreTold()
    {
        QFETCH(QByteArray, words);
        QFETCH(HostileServer::Then, then);
        QFETCH(QList<ErrorKind>, kinds);
        HostileServer server(words, then);
        LinkOptions options = optionsFor(server.serverPort());
        options.connectTimeout = std::chrono::seconds(kinds.contains(ErrorKind::Timeout) ? 2 : 30);
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QVERIFY2(kinds.contains(witness.errors.front().kind), witness.why().constData());
        QCOMPARE(witness.errors.front().subject, u"127.0.0.1"_s);
        QVERIFY(!server.received.contains("somebody"));
        QCOMPARE(prompts.asked.size(), 0);
    }

    void placesWithoutAServerAreTold_data()
    {
        QTest::addColumn<QString>("host");
        QTest::addColumn<QList<ErrorKind>>("kinds");
        QTest::newRow("nothing listens") << u"127.0.0.1"_s << QList{ErrorKind::ConnectionRefused};
        QTest::newRow("nothing listens, by name") << u"localhost"_s << QList{ErrorKind::ConnectionRefused};
        QTest::newRow("no such name") << u"no-such-host.invalid"_s << QList{ErrorKind::HostNotFound, ErrorKind::Timeout};
        QTest::newRow("an option") << u"-oProxyCommand=id"_s << QList{ErrorKind::InvalidInput};
        QTest::newRow("a command") << u"`id`"_s << QList{ErrorKind::InvalidInput};
        QTest::newRow("two words") << u"a b"_s << QList{ErrorKind::InvalidInput};
        QTest::newRow("empty") << QString() << QList{ErrorKind::InvalidInput};
        QTest::newRow("a pattern") << u"*"_s << QList{ErrorKind::InvalidInput};
    }
    void placesWithoutAServerAreTold()
    {
        QFETCH(QString, host);
        QFETCH(QList<ErrorKind>, kinds);
        QTcpServer taken; // and given back: nobody listens there
        QVERIFY(taken.listen(QHostAddress::LocalHost));
        LinkOptions options = optionsFor(taken.serverPort());
        taken.close();
        options.endpoint.host = host;
        options.connectTimeout = std::chrono::seconds(10);
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QVERIFY2(kinds.contains(witness.errors.front().kind), witness.why().constData());
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
};

QTEST_GUILESS_MAIN(TestSshLink)
#include "tst_sshlink.moc"

// Who is let near us: host keys that are known, unknown, changed and revoked, and servers that are none.
#include "session/sshlink.h"

#include "session/knownhosts.h"

#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedsshd.h"
#include "tests/support/testsshd.h"

#include <QFile>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

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

} // namespace

class TestSshTrust : public QObject
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
        SANDPIPER_NEED_SSHD(*m_server);
    }

    // Not left to the destructor: QtTest's watchdog, which the thread sanitizer cannot see through, has
    // used the same stretch of stack.
    void cleanupTestCase()
    {
        m_server.reset();
        m_dir.remove();
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

    void anUnknownHostIsTreatedAsTheConfigurationSays_data()
    {
        QTest::addColumn<SshHostChecking>("checking");
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<bool>("ready");
        QTest::addColumn<bool>("isAsked");
        QTest::addColumn<bool>("isRemembered");
        const QByteArray authority = "@cert-authority * " + m_server->hostKey();
        using enum SshHostChecking;
        QTest::newRow("ask") << Ask << QByteArray() << true << true << true;
        QTest::newRow("ask, an authority is known") << Ask << authority << true << true << true;
        QTest::newRow("strict") << Strict << QByteArray() << false << false << false;
        QTest::newRow("strict, an authority is known") << Strict << authority << false << false << false;
        QTest::newRow("accept new") << AcceptNew << QByteArray() << true << false << true;
        QTest::newRow("off") << Off << QByteArray() << true << false << false;
    }
    void anUnknownHostIsTreatedAsTheConfigurationSays()
    {
        QFETCH(SshHostChecking, checking);
        QFETCH(QByteArray, content);
        QFETCH(bool, ready);
        LinkOptions options = asking();
        options.hostChecking = checking;
        QFile file(m_server->knownHosts());
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content) == content.size());
        file.close();
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {}}};
        {
            SshLink link(options, &prompts);
            Witness witness(link);
            link.connectToHost();
            QTRY_VERIFY_WITH_TIMEOUT(link.state() == LinkState::Ready || !witness.errors.isEmpty(), kPatience);
            QVERIFY2((link.state() == LinkState::Ready) == ready, witness.why().constData());
            if (!ready)
                QCOMPARE(witness.errors.front().kind, ErrorKind::HostKeyRefused);
        }
        QTEST(!prompts.asked.isEmpty(), "isAsked");
        QTEST(known().size() > content.size(), "isRemembered");
        if (!prompts.asked.isEmpty()) {
            QCOMPARE(prompts.asked.front().text.contains("authority"_L1), !content.isEmpty());
            QCOMPARE(prompts.asked.front().randomart, randomartOf(hostKeyFromLine(m_server->hostKey()).value()));
        }
    }

    void noCheckingStillRefusesAChangedKey()
    {
        LinkOptions options = asking();
        options.hostChecking = SshHostChecking::Off;
        QFile rsa(m_server->folder() + u"/host_rsa.pub"_s);
        QVERIFY(rsa.open(QIODevice::ReadOnly));
        QByteArray line = rsa.readAll();
        QByteArray blob = QByteArray::fromBase64(line.split(' ').value(1));
        blob.back() = char(blob.back() ^ 1);
        QFile file(m_server->knownHosts());
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("* ssh-rsa " + blob.toBase64()) > 0);
        file.close();
        RecordingPrompts prompts;
        SshLink link(options, &prompts);
        Witness witness(link);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(witness.errors.size(), 1, kPatience);
        QCOMPARE(witness.errors.front().kind, ErrorKind::HostKeyChanged);
        QCOMPARE(prompts.asked.size(), 1);
        QCOMPARE(prompts.asked.front().knownKeyType, u"ssh-rsa"_s);
        QCOMPARE(prompts.asked.front().knownRandomart, randomartOf(hostKeyFromBlob(blob).value()));
        QCOMPARE(prompts.asked.front().address, u"127.0.0.1:%1"_s.arg(m_server->port()));
    }

    void anAliasStandsForEveryPort()
    {
        LinkOptions options = asking();
        options.hostKeyAlias = u"The-Alias"_s;
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {}}};
        for (int connection = 0; connection < 2; ++connection) {
            SshLink link(options, &prompts);
            link.connectToHost();
            QTRY_COMPARE_WITH_TIMEOUT(link.state(), LinkState::Ready, kPatience);
        }
        QCOMPARE(prompts.asked.size(), 1);
        QVERIFY2(known().startsWith("the-alias ssh-ed25519 "), known().constData());
    }

    // A vendor gives the same address to one sandbox after the other.
    void anAddressUsedAgainNeitherNagsNorIsTrusted()
    {
        LinkOptions options = asking();
        options.sandboxHostsFile = m_dir.filePath(u"sandbox_hosts"_s);
        options.sandbox = {u"vendor"_s, u"account"_s, u"first"_s};
        options.displayName = u"first box"_s;
        const auto connects = [&](RecordingPrompts &prompts) {
            SshLink link(options, &prompts);
            Witness witness(link);
            link.connectToHost();
            return QTest::qWaitFor([&] { return link.state() == LinkState::Ready || !witness.errors.isEmpty(); }, kPatience)
                    && link.state() == LinkState::Ready;
        };
        // Another machine has been at this address: that is no change of this one.
        QFile file(m_server->knownHosts());
        const QByteArray name = "[127.0.0.1]:" + QByteArray::number(m_server->port()) + ' ';
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(name + "ssh-ed25519 " + QByteArray::fromHex("0000000b7373682d65643235353139" "00000020").append(32, 'x').toBase64() + '\n') > 0);
        file.close();
        const QByteArray before = known();
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {}}};
        QVERIFY(connects(prompts));
        QCOMPARE(prompts.asked.size(), 1);
        QCOMPARE(prompts.asked.front().kind, Prompt::Kind::UnknownHostKey);
        QVERIFY(prompts.asked.front().isSandbox);
        QVERIFY(connects(prompts)); // known now
        QCOMPARE(prompts.asked.size(), 1);
        QCOMPARE(known(), before);
        // The same machine's key, but another sandbox: unknown again.
        options.sandbox.id = u"second"_s;
        RecordingPrompts refusing;
        QVERIFY(!connects(refusing));
        QCOMPARE(refusing.asked.size(), 1);
        QCOMPARE(refusing.asked.front().kind, Prompt::Kind::UnknownHostKey);
        // What the user has revoked is revoked for sandboxes too.
        options.sandbox.id = u"first"_s;
        QVERIFY(file.open(QIODevice::Append) && file.write("@revoked * " + m_server->hostKey()) > 0);
        file.close();
        RecordingPrompts revoked;
        QVERIFY(!connects(revoked));
        QCOMPARE(revoked.asked.size(), 0);
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
        QTest::newRow("no algorithm in common") << hello + packet << Then::Waits << QList{ErrorKind::Unsupported};
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
};

QTEST_GUILESS_MAIN(TestSshTrust)
#include "tst_sshtrust.moc"

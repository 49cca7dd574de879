#include "session/errortext.h"
#include "session/sshkeyfile.h"

#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedsshd.h"
#include "tests/support/softagent.h"
#include "tests/support/sshattempt.h"
#include "tests/support/testsshd.h"

#include <QFile>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QtEndian>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using AnswerKind = PromptAnswer::Kind;

namespace {

// Passes one connection on and keeps what the client sends. GUI thread.
class Recorder : public QObject
{
public:
    explicit Recorder(quint16 target)
    {
        m_server.listen(QHostAddress::LocalHost);
        connect(&m_server, &QTcpServer::newConnection, this, [this, target] {
            QTcpSocket *client = m_server.nextPendingConnection();
            auto *server = new QTcpSocket(client);
            server->connectToHost(QHostAddress::LocalHost, target);
            connect(client, &QTcpSocket::readyRead, this, [this, client, server] { take(client, server); });
            connect(client, &QTcpSocket::disconnected, server, &QTcpSocket::disconnectFromHost);
            connect(server, &QTcpSocket::readyRead, client, [client, server] { client->write(server->readAll()); });
        });
    }
    [[nodiscard]] quint16 port() const { return m_server.serverPort(); }

    // Packets that the client sent under the new keys; -1: it has not come so far. The length of a
    // packet stands in clear with AES-GCM.
    [[nodiscard]] int packetsAfterKeys() const
    {
        qsizetype at = m_sent.indexOf('\n') + 1;
        bool isEncrypted = false;
        int packets = 0;
        while (at > 0 && at + 6 <= m_sent.size()) {
            const auto size = qsizetype(qFromBigEndian<quint32>(m_sent.constData() + at));
            if (isEncrypted)
                ++packets;
            const bool isNewKeys = !isEncrypted && m_sent[at + 5] == 21;
            at += 4 + size + (isEncrypted ? 16 : 0);
            isEncrypted = isEncrypted || isNewKeys;
        }
        return isEncrypted ? packets : -1;
    }

private:
    void take(QTcpSocket *client, QTcpSocket *server)
    {
        const QByteArray bytes = client->readAll();
        m_sent += bytes;
        server->write(bytes);
    }
    QTcpServer m_server;
    QByteArray m_sent;
};

} // namespace

class TestSshIdentity : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_server; // trusts m_authority for certificates
    QTemporaryDir m_dir;
    QString m_authority;
    int m_keys = 0;

    QString newKey(const QString &passphrase = {}, const QString &type = u"ed25519"_s)
    {
        const QString file = m_dir.filePath(u"key%1"_s.arg(++m_keys));
        return makeKey(file, type, passphrase) ? file : QString();
    }
    bool certify(const QString &key, const QString &validity = u"-1d:+1d"_s)
    {
        return runForTest(u"ssh-keygen"_s, {u"-q"_s, u"-s"_s, m_authority, u"-I"_s, u"test"_s, u"-n"_s, m_server->user(),
                                            u"-V"_s, validity, key + u".pub"_s});
    }
    LinkOptions ownOptions() const
    {
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles.clear();
        return options;
    }
    static LinkOptions optionsFor(const ScriptedSshd &server)
    {
        LinkOptions options;
        options.endpoint.host = u"127.0.0.1"_s;
        options.endpoint.port = server.port();
        options.endpoint.user = u"somebody"_s;
        options.endpoint.hostKey = server.hostKey();
        options.useAgent = false;
        options.useDefaultKeys = false;
        options.connectTimeout = std::chrono::seconds(30);
        return options;
    }

private slots:
    void initTestCase()
    {
        m_authority = m_dir.filePath(u"authority"_s);
        QVERIFY(makeKey(m_authority));
        m_server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh,
                                              QStringList{u"LogLevel VERBOSE"_s, u"MaxAuthTries 3"_s, u"TrustedUserCAKeys %1.pub"_s.arg(m_authority)});
        SANDPIPER_NEED_SSHD(*m_server);
    }
    void cleanupTestCase()
    {
        m_server.reset();
        m_dir.remove();
    }

    void thePreferredKeyIsOfferedFirst_data()
    {
        QTest::addColumn<bool>("inAgent");
        QTest::addColumn<bool>("byFile");
        QTest::newRow("agent, by fingerprint") << true << false;
        QTest::newRow("file, by name") << false << true;
        QTest::newRow("agent, by file") << true << true;
    }
    void thePreferredKeyIsOfferedFirst()
    {
        QFETCH(bool, inAgent);
        QFETCH(bool, byFile);
        // The server lets three keys be tried: more than one connection would show in its log.
        TestAgent agent;
        for (int i = 0; i < 8; ++i)
            QVERIFY(agent.add(newKey()));
        const QString key = newKey();
        if (inAgent)
            QVERIFY(agent.add(key));
        m_server->authorize(key + u".pub"_s);
        LinkOptions options = ownOptions();
        options.useAgent = true;
        options.agentSocket = agent.socket();
        options.preferredKey = byFile ? key : readKeyFile(key)->key.fingerprint;
        const qsizetype before = m_server->log().count("Failed publickey");
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY2(attempt.isReady(), attempt.why().constData());
        QCOMPARE(m_server->log().count("Failed publickey"), before);
    }

    void onlyNamedKeysAreOfferedWhereSoWished_data()
    {
        QTest::addColumn<bool>("byPreference");
        QTest::newRow("IdentityFile") << false;
        QTest::newRow("the chosen key alone") << true;
    }
    void onlyNamedKeysAreOfferedWhereSoWished()
    {
        QFETCH(bool, byPreference);
        TestAgent agent;
        const QString key = newKey();
        QVERIFY(agent.add(newKey()) && agent.add(key) && agent.add(newKey()));
        ScriptedSshd::Script script;
        script.takesKeys = true;
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server);
        options.useAgent = true;
        options.agentSocket = agent.socket();
        options.identitiesOnly = true;
        if (byPreference)
            options.preferredKey = readKeyFile(key)->key.fingerprint;
        else
            options.identityFiles = {key};
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        QCOMPARE(server.attempts(), (QByteArrayList{"none", "publickey"}));
    }

    void methodsComeInTheOrderAskedFor()
    {
        ScriptedSshd::Script script;
        script.password = "right";
        script.rounds = {{"", "", {"Code: "}, {"7"}}};
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server);
        RecordingPrompts prompts;
        options.preferredAuthentications = {u"password"_s, u"keyboard-interactive"_s};
        options.allowsPublicKey = false;
        prompts.replies = {{AnswerKind::Accepted, {"right"}}};
        const Attempt first(options, &prompts);
        QVERIFY2(first.isReady(), first.why().constData());
        QCOMPARE(server.attempts(), (QByteArrayList{"none", "password right"}));
        options.allowsPassword = false;
        prompts.replies = {{AnswerKind::Accepted, {"7"}}};
        const Attempt second(options, &prompts);
        QVERIFY2(second.isReady(), second.why().constData());
        options.allowsInteractive = false;
        const Attempt third(options, &prompts);
        QVERIFY(!third.isReady());
        QCOMPARE(prompts.asked.size(), 2);
    }

    void certificatesLetUsIn_data()
    {
        QTest::addColumn<QString>("how");
        for (const char *how : {"beside the key", "named", "in the agent", "the agent has the key alone"})
            QTest::newRow(how) << QString::fromLatin1(how);
    }
    void certificatesLetUsIn()
    {
        QFETCH(QString, how);
        const bool isLocked = how.startsWith(u"the agent");
        TestAgent agent;
        const QString key = newKey();
        LinkOptions options = ownOptions();
        options.agentSocket = agent.socket();
        if (isLocked)
            QVERIFY(agent.add(key));
        QVERIFY(certify(key));
        if (how == "in the agent"_L1)
            QVERIFY(agent.add(key));
        else
            options.identityFiles = {key};
        options.useAgent = isLocked || how == "in the agent"_L1;
        if (isLocked)
            QVERIFY(changePassphrase(key, Secret(), Secret("locked")));
        if (how == "named"_L1) {
            const QString elsewhere = m_dir.filePath(u"elsewhere.pub"_s);
            QVERIFY(QFile::rename(key + u"-cert.pub"_s, elsewhere));
            options.certificateFiles = {elsewhere};
        }
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY2(attempt.isReady(), attempt.why().constData());
        QCOMPARE(prompts.asked.size(), 0);
    }

    void aCertificateThatHasRunOutIsTold()
    {
        const QString key = newKey();
        QVERIFY(certify(key, u"20200101:20200201"_s));
        LinkOptions options = ownOptions();
        options.identityFiles = {key};
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        QVERIFY2(attempt.errors.front().detail.contains(u"not valid at this time"_s), attempt.why().constData());
    }

    void aSecurityKeyAsksToBeTouched_data()
    {
        QTest::addColumn<bool>("touched");
        QTest::newRow("touched") << true;
        QTest::newRow("the user does not want to") << false;
    }
    void aSecurityKeyAsksToBeTouched()
    {
        QFETCH(bool, touched);
        SoftAgent agent(SoftAgent::Manner::Signs);
        const QString line = m_dir.filePath(u"soft.pub"_s);
        QFile file(line);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(agent.publicLine()) > 0);
        file.close();
        m_server->authorize(line);
        LinkOptions options = ownOptions();
        options.useAgent = true;
        options.agentSocket = agent.socket();
        RecordingPrompts prompts;
        prompts.leavesOpen = true;
        SshLink link(options, &prompts);
        QList<Error> errors;
        connect(&link, &SshLink::closed, this, [&](const Error &error) { errors.append(error); });
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(prompts.asked.size(), 1, 60000);
        QCOMPARE(prompts.asked.front().kind, Prompt::Kind::Touch);
        QCOMPARE(prompts.asked.front().keyFile, u"soft key"_s);
        if (touched) {
            agent.touch();
            QTRY_COMPARE_WITH_TIMEOUT(link.state(), LinkState::Ready, 60000);
            QTRY_VERIFY(prompts.questions.front().isCanceled()); // it withdrew by itself
        } else {
            prompts.answer({AnswerKind::Cancelled, {}});
            QTRY_COMPARE_WITH_TIMEOUT(errors.size(), 1, 60000);
            QCOMPARE(errors.front().kind, ErrorKind::Cancelled);
        }
    }

    void anAgentThatIsNoneIsPassedOver_data()
    {
        QTest::addColumn<SoftAgent::Manner>("manner");
        QTest::addColumn<QString>("words");
        QTest::newRow("silent") << SoftAgent::Manner::IsSilent << u"did not answer"_s;
        QTest::newRow("garbage") << SoftAgent::Manner::IsNone << u"refused to list"_s;
        QTest::newRow("a list that lies") << SoftAgent::Manner::Lies << u"broken list"_s;
    }
    void anAgentThatIsNoneIsPassedOver()
    {
        QFETCH(SoftAgent::Manner, manner);
        QFETCH(QString, words);
        SoftAgent agent(manner);
        LinkOptions options = ownOptions();
        options.useAgent = true;
        options.agentSocket = agent.socket();
        options.agentPatience = std::chrono::milliseconds(300);
        RecordingPrompts prompts;
        const Attempt without(options, &prompts);
        QVERIFY(!without.isReady());
        QVERIFY2(without.errors.front().detail.contains(words), without.why().constData());
        QVERIFY(errorText(without.errors.front()).sentence.contains(words));
        options.identityFiles = {m_server->identity()};
        const Attempt with(options, &prompts);
        QVERIFY2(with.isReady(), with.why().constData());
    }

    void aKeyThatOthersCanReadIsNotUsed()
    {
        const QString key = newKey();
        m_server->authorize(key + u".pub"_s);
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles = {key};
        QVERIFY(QFile::setPermissions(key, QFile::ReadOwner | QFile::WriteOwner | QFile::ReadOther));
        RecordingPrompts prompts;
        const Attempt refused(options, &prompts);
        QVERIFY(!refused.isReady());
        QVERIFY2(errorText(refused.errors.front()).sentence.contains(u"chmod 600 "_s + key), refused.why().constData());
        QVERIFY(QFile::setPermissions(key, QFile::ReadOwner | QFile::WriteOwner));
        const Attempt mended(options, &prompts);
        QVERIFY2(mended.isReady(), mended.why().constData());
    }

    void manyKeysInVainAreCounted()
    {
        TestAgent agent;
        for (int i = 0; i < 12; ++i)
            QVERIFY(agent.add(newKey()));
        LinkOptions options = ownOptions();
        options.useAgent = true;
        options.agentSocket = agent.socket();
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        const Error &error = attempt.errors.front();
        QCOMPARE(error.kind, ErrorKind::AuthRejected);
        QVERIFY2(error.detail.contains(u"keys were offered"_s), attempt.why().constData());
        QCOMPARE(errorText(error).step, NextStep::ChooseKey);
    }

    void nothingOfOursLeavesBeforeTheHostKeyIsAccepted_data()
    {
        QTest::addColumn<QString>("method");
        for (const char *method : {"key file", "agent", "certificate", "password", "questions"})
            QTest::newRow(method) << QString::fromLatin1(method);
    }
    void nothingOfOursLeavesBeforeTheHostKeyIsAccepted()
    {
        QFETCH(QString, method);
        ScriptedSshd::Script script;
        script.takesKeys = method == "key file"_L1 || method == "agent"_L1 || method == "certificate"_L1;
        if (method == "password"_L1)
            script.password = "right";
        if (method == "questions"_L1)
            script.rounds = {{"", "", {"Code: "}, {"7"}}};
        ScriptedSshd server(script);
        TestAgent agent;
        const QString key = newKey();
        LinkOptions options = optionsFor(server);
        options.endpoint.hostKey.clear();
        options.knownHostsFiles = {m_dir.filePath(u"known%1"_s.arg(m_keys))};
        options.useAgent = method == "agent"_L1;
        options.agentSocket = agent.socket();
        QVERIFY(agent.add(key));
        if (method == "certificate"_L1)
            QVERIFY(certify(key));
        if (script.takesKeys && !options.useAgent)
            options.identityFiles = {key};
        for (const AnswerKind answer : {AnswerKind::Cancelled, AnswerKind::JustOnce}) {
            Recorder recorder(server.port());
            options.endpoint.port = recorder.port();
            RecordingPrompts prompts;
            prompts.leavesOpen = true;
            SshLink link(options, &prompts);
            bool isOver = false;
            connect(&link, &SshLink::closed, this, [&] { isOver = true; });
            link.connectToHost();
            QTRY_COMPARE_WITH_TIMEOUT(prompts.asked.size(), 1, 60000);
            QCOMPARE(prompts.asked.front().kind, Prompt::Kind::UnknownHostKey);
            QTRY_COMPARE_WITH_TIMEOUT(recorder.packetsAfterKeys(), 0, 60000);
            QCOMPARE(server.attempts(), QByteArrayList());
            prompts.leavesOpen = false;
            prompts.answer({answer, {}});
            QTRY_VERIFY_WITH_TIMEOUT(isOver || link.state() == LinkState::Ready, 60000);
            if (answer == AnswerKind::Cancelled) {
                QVERIFY(recorder.packetsAfterKeys() <= 1); // the farewell
                QCOMPARE(server.attempts(), QByteArrayList());
            } else {
                // With the host accepted, the same options do sign in: the silence before was no accident.
                QVERIFY(recorder.packetsAfterKeys() > 1);
                QVERIFY(server.attempts().contains("none"));
                QVERIFY(!script.takesKeys || server.attempts().contains("publickey"));
            }
        }
    }

    void whereAgentsAreKnownToListenIsTold()
    {
        TestAgent agent;
        qputenv("SSH_AUTH_SOCK", QFile::encodeName(agent.socket()));
        const QList<AgentPlace> known = knownAgents();
        qunsetenv("SSH_AUTH_SOCK");
        QVERIFY(!known.isEmpty());
        QCOMPARE(known.front().socket, agent.socket());
        QVERIFY(known.front().isFromEnvironment);
    }
};

QTEST_GUILESS_MAIN(TestSshIdentity)
#include "tst_sshidentity.moc"

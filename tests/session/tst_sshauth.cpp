#include "session/errortext.h"
#include "session/sshlink.h"

#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedsshd.h"
#include "tests/support/sshattempt.h"
#include "tests/support/testsshd.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using AnswerKind = PromptAnswer::Kind;

namespace {

LinkOptions optionsFor(const ScriptedSshd &server)
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

} // namespace

class TestSshAuth : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_server; // LogLevel VERBOSE
    QTemporaryDir m_dir;
    int m_keys = 0;

    QString newKey(const QString &passphrase = {}, const QString &type = u"ed25519"_s)
    {
        const QString file = m_dir.filePath(u"key%1"_s.arg(++m_keys));
        return makeKey(file, type, passphrase) ? file : QString();
    }

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{u"LogLevel VERBOSE"_s});
        SANDPIPER_NEED_SSHD(*m_server);
    }

    // Not left to the destructor: QtTest's watchdog, which the thread sanitizer cannot see through, has
    // used the same stretch of stack.
    void cleanupTestCase()
    {
        m_server.reset();
        m_dir.remove();
    }

    void anAgentKeyLetsUsIn_data()
    {
        QTest::addColumn<QString>("type");
        QTest::newRow("ed25519") << u"ed25519"_s;
        QTest::newRow("rsa") << u"rsa"_s;
        QTest::newRow("ecdsa") << u"ecdsa"_s;
    }
    void anAgentKeyLetsUsIn()
    {
        QFETCH(QString, type);
        TestAgent agent;
        const QString key = newKey({}, type);
        m_server->authorize(key + u".pub"_s);
        QVERIFY(agent.add(newKey()) && agent.add(key));
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles.clear();
        options.useAgent = true;
        options.agentSocket = agent.socket();
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY2(attempt.isReady(), attempt.why().constData());
        QCOMPARE(prompts.asked.size(), 0);
    }

    void tenAgentKeysGetThroughAServerThatAllowsSix_data()
    {
        QTest::addColumn<int>("right");
        QTest::newRow("the first") << 0;
        QTest::newRow("the sixth") << 5;
        QTest::newRow("the seventh") << 6;
        QTest::newRow("the tenth") << 9;
        QTest::newRow("none") << -1;
    }
    void tenAgentKeysGetThroughAServerThatAllowsSix()
    {
        QFETCH(int, right);
        TestAgent agent;
        for (int i = 0; i < 10; ++i) {
            const QString key = newKey();
            QVERIFY(agent.add(key));
            if (i == right)
                m_server->authorize(key + u".pub"_s);
        }
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles.clear();
        options.useAgent = true;
        options.agentSocket = agent.socket();
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QCOMPARE(attempt.isReady(), right >= 0);
        if (right < 0)
            QCOMPARE(attempt.errors.front().kind, ErrorKind::AuthRejected);
    }

    void aServersLimitIsToldInItsOwnWords()
    {
        TestSshd strict(TestSshd::Kind::OpenSsh, {u"MaxAuthTries 1"_s});
        QVERIFY2(strict.problem().isEmpty(), qPrintable(strict.problem()));
        LinkOptions options = strict.options();
        options.endpoint.identityFiles = {newKey()};
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        QCOMPARE(attempt.errors.front().kind, ErrorKind::AuthRejected);
        QVERIFY2(attempt.errors.front().detail.contains(u"Too many authentication failures"_s), attempt.why().constData());
    }

    void onlyTheNamedKeyIsOffered()
    {
        TestAgent agent;
        for (int i = 0; i < 4; ++i)
            QVERIFY(agent.add(newKey()));
        ScriptedSshd::Script script;
        script.takesKeys = true;
        script.password = "x";
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server);
        options.endpoint.identityFiles = {newKey()};
        options.useAgent = true;
        options.agentSocket = agent.socket();
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        QCOMPARE(server.attempts(), (QByteArrayList{"none", "publickey"}));
        QCOMPARE(prompts.asked.size(), 0); // nor is a password asked for
    }

    void theAgentSignsForANamedKeyWithoutItsPassphrase()
    {
        TestAgent agent;
        const QString key = newKey();
        QVERIFY(agent.add(key));
        m_server->authorize(key + u".pub"_s);
        QVERIFY(runForTest(u"ssh-keygen"_s, {u"-q"_s, u"-p"_s, u"-P"_s, QString(), u"-N"_s, u"locked now"_s, u"-f"_s, key}));
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles = {key};
        options.useAgent = true;
        options.agentSocket = agent.socket();
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY2(attempt.isReady(), attempt.why().constData());
        QCOMPARE(prompts.asked.size(), 0);
    }

    void aLockedKeyAsksForItsPassphrase_data()
    {
        QTest::addColumn<bool>("isPem");
        QTest::addColumn<QByteArrayList>("given");
        QTest::addColumn<AnswerKind>("lastKind");
        QTest::addColumn<int>("asked");
        QTest::addColumn<bool>("ready");
        QTest::addColumn<ErrorKind>("error");
        const QByteArray right = "open sésame";
        for (const bool pem : {false, true}) {
            const auto row = [&](const char *name) -> QTestData & { return QTest::addRow("%s, %s", pem ? "PEM without .pub" : "OpenSSH", name) << pem; };
            row("right") << QByteArrayList{right} << AnswerKind::Accepted << 1 << true << ErrorKind::Protocol;
            row("wrong, then right") << QByteArrayList{"no", right} << AnswerKind::Accepted << 2 << true << ErrorKind::Protocol;
            row("wrong to the end") << QByteArrayList{"1", "2", "3"} << AnswerKind::Accepted << 3 << false << ErrorKind::AuthRejected;
            row("empty") << QByteArrayList{"", right} << AnswerKind::Accepted << 2 << true << ErrorKind::Protocol;
            row("cancelled") << QByteArrayList{""} << AnswerKind::Cancelled << 1 << false << ErrorKind::Cancelled;
            row("nobody there") << QByteArrayList{""} << AnswerKind::Refused << 1 << false << ErrorKind::AuthRejected;
        }
    }
    void aLockedKeyAsksForItsPassphrase()
    {
        QFETCH(bool, isPem);
        QFETCH(QByteArrayList, given);
        QFETCH(AnswerKind, lastKind);
        QFETCH(int, asked);
        QFETCH(bool, ready);
        QFETCH(ErrorKind, error);
        const QString key = m_dir.filePath(u"key%1"_s.arg(++m_keys));
        QStringList arguments{u"-q"_s, u"-t"_s, isPem ? u"rsa"_s : u"ed25519"_s, u"-N"_s, u"open sésame"_s, u"-a"_s, u"4"_s, u"-f"_s, key};
        if (isPem)
            arguments += {u"-m"_s, u"PEM"_s, u"-b"_s, u"2048"_s};
        QVERIFY(runForTest(u"ssh-keygen"_s, arguments));
        m_server->authorize(key + u".pub"_s);
        if (isPem)
            QVERIFY(QFile::remove(key + u".pub"_s));
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles = {key};
        RecordingPrompts prompts;
        for (const QByteArray &answer : given)
            prompts.replies.push_back({&answer == &given.back() ? lastKind : AnswerKind::Accepted, {answer}});
        const Attempt attempt(options, &prompts);
        QCOMPARE(prompts.asked.size(), asked);
        QCOMPARE(prompts.asked.front().kind, Prompt::Kind::Passphrase);
        QCOMPARE(prompts.asked.front().keyFile, key);
        QVERIFY(!prompts.asked.front().fields.front().echo);
        for (int i = 0; i < asked; ++i)
            QCOMPARE(prompts.asked[i].attempt, i + 1);
        QVERIFY2(attempt.isReady() == ready, attempt.why().constData());
        if (!ready)
            QCOMPARE(attempt.errors.front().kind, error);
    }

    void noPassphraseIsAskedForAKeyThatIsNotWanted()
    {
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles = {newKey(u"secret"_s)};
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        QCOMPARE(prompts.asked.size(), 0);
        QCOMPARE(attempt.errors.front().kind, ErrorKind::AuthRejected);
    }

    void aKeyFileThatIsNoneIsToldOf_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("missing") << QByteArray();
        QTest::newRow("garbage") << QByteArray(5000, '\xfe');
        QTest::newRow("broken key") << "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"_ba;
    }
    void aKeyFileThatIsNoneIsToldOf()
    {
        QFETCH(QByteArray, content);
        const QString file = m_dir.filePath(u"broken"_s);
        QFile::remove(file);
        if (!content.isEmpty()) {
            QFile broken(file);
            QVERIFY(broken.open(QIODevice::WriteOnly) && broken.write(content) > 0);
        }
        LinkOptions options = m_server->options();
        options.endpoint.identityFiles = {file};
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        QVERIFY2(attempt.errors.front().detail.contains(file), attempt.why().constData());
    }

    void passwordsAreAskedFor_data()
    {
        QTest::addColumn<QByteArrayList>("given");
        QTest::addColumn<AnswerKind>("lastKind");
        QTest::addColumn<QByteArrayList>("attempts");
        QTest::addColumn<bool>("ready");
        QTest::addColumn<ErrorKind>("error");
        QTest::newRow("right") << QByteArrayList{"sésame"} << AnswerKind::Accepted << QByteArrayList{"none", "password sésame"} << true << ErrorKind::Protocol;
        QTest::newRow("wrong, then right") << QByteArrayList{"a", "sésame"} << AnswerKind::Accepted << QByteArrayList{"none", "password a", "password sésame"} << true << ErrorKind::Protocol;
        QTest::newRow("wrong to the end") << QByteArrayList{"a", "b", "c"} << AnswerKind::Accepted << QByteArrayList{"none", "password a", "password b", "password c"} << false << ErrorKind::AuthRejected;
        QTest::newRow("cancelled") << QByteArrayList{"a", ""} << AnswerKind::Cancelled << QByteArrayList{"none", "password a"} << false << ErrorKind::Cancelled;
        QTest::newRow("nobody there") << QByteArrayList{""} << AnswerKind::Refused << QByteArrayList{"none"} << false << ErrorKind::AuthRejected;
    }
    void passwordsAreAskedFor()
    {
        QFETCH(QByteArrayList, given);
        QFETCH(AnswerKind, lastKind);
        QFETCH(bool, ready);
        QFETCH(ErrorKind, error);
        ScriptedSshd::Script script;
        script.password = "sésame";
        ScriptedSshd server(script);
        RecordingPrompts prompts;
        for (const QByteArray &answer : given)
            prompts.replies.push_back({&answer == &given.back() ? lastKind : AnswerKind::Accepted, {answer}});
        const Attempt attempt(optionsFor(server), &prompts);
        QVERIFY2(attempt.isReady() == ready, attempt.why().constData());
        QTEST(server.attempts(), "attempts");
        QCOMPARE(prompts.asked.size(), given.size());
        QCOMPARE(prompts.asked.front().kind, Prompt::Kind::Password);
        if (!ready)
            QCOMPARE(attempt.errors.front().kind, error);
    }

    void theServersOwnQuestionsAreAsked()
    {
        ScriptedSshd::Script script;
        script.rounds = {{"Two factors\x1b[31m", "Look at\nyour phone", {"Code: ", "PIN\x07: "}, {"123", "9"}},
                         {"", "Nearly there", {}, {}}, // as PAM ends
                         {"", "", {}, {}}};
        ScriptedSshd server(script);
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {"123", "8"}}, {AnswerKind::Accepted, {"123", "9"}}};
        const Attempt attempt(optionsFor(server), &prompts);
        QVERIFY2(attempt.isReady(), attempt.why().constData());
        QCOMPARE(prompts.asked.size(), 2);
        const Prompt &asked = prompts.asked.front();
        QCOMPARE(asked.kind, Prompt::Kind::Interactive);
        QCOMPARE(asked.title, u"Two factors [31m"_s);
        QCOMPARE(asked.text, u"Look at your phone"_s);
        QCOMPARE(asked.fields.size(), 2);
        QCOMPARE(asked.fields[1].label, u"PIN :"_s);
        QCOMPARE(prompts.asked[1].attempt, 2);
        QVERIFY(attempt.banners.contains(u"Nearly there"_s));
        QCOMPARE(server.attempts(), (QByteArrayList{"none", "answers 123|8", "answers 123|9", "answers ", "answers "}));
    }

    void twoProofsOneAfterTheOther()
    {
        ScriptedSshd::Script script;
        script.password = "p";
        script.passwordIsNotEnough = true;
        script.rounds = {{"", "", {"Code: "}, {"7"}}};
        ScriptedSshd server(script);
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {"p"}}, {AnswerKind::Accepted, {"7"}}};
        const Attempt attempt(optionsFor(server), &prompts);
        QVERIFY2(attempt.isReady(), attempt.why().constData());
        QCOMPARE(server.attempts(), (QByteArrayList{"none", "password p", "answers 7"}));
    }

    void aServerThatAsksForEverIsLeft_data()
    {
        QTest::addColumn<int>("questions");
        QTest::newRow("rounds without questions") << 0;
        QTest::newRow("a hundred questions at once") << 100;
    }
    void aServerThatAsksForEverIsLeft()
    {
        QFETCH(int, questions);
        ScriptedSshd::Script script;
        script.rounds = {{"", "", QByteArrayList(questions, "?"), {}}};
        script.roundsNeverEnd = true;
        ScriptedSshd server(script);
        RecordingPrompts prompts;
        const Attempt attempt(optionsFor(server), &prompts);
        QVERIFY(!attempt.isReady());
        QCOMPARE(attempt.errors.front().kind, ErrorKind::Protocol);
    }

    void theServersLastWordsAreKept_data()
    {
        QTest::addColumn<QByteArray>("words");
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<NextStep>("step");
        QTest::newRow("unknown key") << "your SSH public key is not registered with Tensorlake"_ba << ErrorKind::KeyNotRegistered << NextStep::RegisterKey;
        QTest::newRow("not yours") << "sandbox abc is not present in any of your projects"_ba << ErrorKind::SandboxNotYours << NextStep::RefreshList;
        QTest::newRow("suspended") << "sandbox abc is currently suspended"_ba << ErrorKind::SandboxNotRunning << NextStep::ResumeSandbox;
        QTest::newRow("its own") << "go\x1b[2J away: now"_ba << ErrorKind::AuthRejected << NextStep::RegisterKey;
    }
    void theServersLastWordsAreKept()
    {
        QFETCH(QByteArray, words);
        QFETCH(ErrorKind, kind);
        QFETCH(NextStep, step);
        ScriptedSshd::Script script;
        script.takesKeys = true;
        script.refusalsUntilGoodBye = 1;
        script.goodBye = words;
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server);
        options.endpoint.identityFiles = {newKey()};
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QVERIFY(!attempt.isReady());
        QCOMPARE(attempt.errors.front().kind, kind);
        QCOMPARE(attempt.errors.front().detail, tamed(QString::fromUtf8(words)));
        QCOMPARE(errorText(attempt.errors.front()).step, step);
    }

    void aSecondKeyIsTriedWhereTheFirstIsNotRegistered()
    {
        ScriptedSshd::Script script;
        script.takesKeys = true;
        script.refusalsUntilGoodBye = 1;
        script.goodBye = "your SSH public key is not registered with us";
        ScriptedSshd server(script);
        LinkOptions options = optionsFor(server);
        options.endpoint.identityFiles = {newKey(), newKey()};
        RecordingPrompts prompts;
        const Attempt attempt(options, &prompts);
        QCOMPARE(attempt.errors.size(), 1);
        QCOMPARE(attempt.errors.front().kind, ErrorKind::KeyNotRegistered);
        QCOMPARE(server.connections(), 2);
        QCOMPARE(server.attempts(), (QByteArrayList{"none", "publickey", "none", "publickey"}));
    }

    void theBannerIsShownTamed()
    {
        ScriptedSshd::Script script;
        script.banner = "Welcome\r\n\x1b]0;evil\x07to \xe2\x80\xaethe machine" + QByteArray(100000, 'x');
        script.password = "p";
        ScriptedSshd server(script);
        RecordingPrompts prompts;
        prompts.replies = {{AnswerKind::Accepted, {"p"}}};
        const Attempt attempt(optionsFor(server), &prompts);
        QVERIFY2(attempt.isReady(), attempt.why().constData());
        QCOMPARE(attempt.banners.size(), 1);
        QCOMPARE(attempt.banners.front(), attempt.link.banner());
        QVERIFY(attempt.link.banner().startsWith(u"Welcome ]0;evil to the machinexxx"_s));
        QVERIFY(attempt.link.banner().size() <= 2000);
    }
};

QTEST_GUILESS_MAIN(TestSshAuth)
#include "tst_sshauth.moc"

// Links by the name of a Host in the user's ssh_config: jumps through real servers, proxy commands, and
// what else the file says of them.
#include "session/knownhosts.h"
#include "session/sshlink.h"

#include "tests/support/linkrun.h"
#include "tests/support/processwitness.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QFile>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using AnswerKind = PromptAnswer::Kind;

namespace {

constexpr int kPatience = 60'000;

QString fingerprint(const TestSshd &server)
{
    return fingerprintOf(*hostKeyFromLine(server.hostKey()));
}

} // namespace

class TestSshJump : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_target;
    std::unique_ptr<TestSshd> m_first;
    std::unique_ptr<TestSshd> m_second;
    std::unique_ptr<QTemporaryDir> m_home;
    std::unique_ptr<RecordingPrompts> m_prompts;
    ProcessHoldings m_before;

    static QString block(const QString &name, const TestSshd &server, const QString &more = {})
    {
        return u"Host %1\n HostName 127.0.0.1\n Port %2\n User %3\n IdentityFile %4\n IdentityAgent none\n%5\n"_s
                .arg(name).arg(server.port()).arg(server.user(), server.identity(), more);
    }
    void writeConfig(const QString &text) const
    {
        QFile file(m_home->filePath(u".ssh/config"_s));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(text.toUtf8()) == text.toUtf8().size());
    }
    static LinkOptions to(const QString &alias)
    {
        LinkOptions options;
        options.endpoint.alias = alias;
        options.connectTimeout = 30s;
        return options;
    }
    // The user takes every key.
    void trustAll(int prompts) const
    {
        for (int i = 0; i < prompts; ++i)
            m_prompts->replies.push_back({AnswerKind::Accepted, {}});
    }

private slots:
    void initTestCase()
    {
        m_target = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{u"AcceptEnv SP_*"_s});
        m_first = std::make_unique<TestSshd>();
        m_second = std::make_unique<TestSshd>();
        for (const TestSshd *server : {m_target.get(), m_first.get(), m_second.get()})
            SANDPIPER_NEED_SSHD(*server);
    }
    void cleanupTestCase()
    {
        m_target.reset();
        m_first.reset();
        m_second.reset();
    }
    void init()
    {
        m_home = std::make_unique<QTemporaryDir>();
        QVERIFY(QDir(m_home->path()).mkdir(u".ssh"_s));
        qputenv("HOME", m_home->path().toLocal8Bit());
        m_prompts = std::make_unique<RecordingPrompts>();
        m_before = ProcessHoldings::now();
    }
    void cleanup()
    {
        QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().isWithin(m_before), kPatience);
        m_prompts.reset();
    }

    void eachServerOnTheWayIsAskedAboutByName_data()
    {
        QTest::addColumn<QString>("jump");
        QTest::addColumn<QString>("inner");
        QTest::addColumn<QStringList>("names");
        QTest::newRow("one") << u"ProxyJump first"_s << QString() << QStringList{u"first, on the way to box"_s, u"box"_s};
        QTest::newRow("two") << u"ProxyJump first,second"_s << QString()
                             << QStringList{u"first, on the way to second, on the way to box"_s, u"second, on the way to box"_s, u"box"_s};
        QTest::newRow("one that has its own") << u"ProxyJump second"_s << u"ProxyJump first"_s
                             << QStringList{u"first, on the way to second, on the way to box"_s, u"second, on the way to box"_s, u"box"_s};
    }
    void eachServerOnTheWayIsAskedAboutByName()
    {
        QFETCH(QString, jump);
        QFETCH(QString, inner);
        QFETCH(QStringList, names);
        writeConfig(block(u"box"_s, *m_target, jump) + block(u"first"_s, *m_first) + block(u"second"_s, *m_second, inner));
        trustAll(3);
        {
            LinkRun run(to(u"box"_s), {u"sh"_s, u"-c"_s, u"echo there; exit 4"_s}, m_prompts.get());
            QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
            QVERIFY2(run.output == "there\n" && run.ends.constFirst().exitCode == 4, run.why());
        }
        QStringList asked;
        for (const Prompt &prompt : std::as_const(m_prompts->asked))
            asked.append(prompt.target);
        QCOMPARE(asked, names);
        QCOMPARE(m_prompts->asked.constFirst().fingerprint, fingerprint(*m_first));
        QCOMPARE(m_prompts->asked.constLast().fingerprint, fingerprint(*m_target));
        // All are known now.
        m_prompts->replies.clear();
        LinkRun again(to(u"box"_s), {u"true"_s}, m_prompts.get());
        QTRY_VERIFY2_WITH_TIMEOUT(!again.ends.isEmpty(), again.why(), kPatience);
        QVERIFY2(again.ends.constFirst().exitCode == 0, again.why());
        QCOMPARE(m_prompts->asked.size(), names.size());
    }

    void muchPassesThroughAJumpBothWays()
    {
        writeConfig(block(u"box"_s, *m_target, u"ProxyJump first\n Compression yes\n Ciphers aes256-ctr"_s) + block(u"first"_s, *m_first));
        trustAll(2);
        LinkRun run(to(u"box"_s), {u"sh"_s, u"-c"_s, u"tr x y; exit 6"_s}, m_prompts.get());
        run.command->writeInput(QByteArray(4'000'000, 'x'));
        run.command->closeInput();
        QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
        QVERIFY2(run.ends.constFirst().exitCode == 6, run.why());
        QVERIFY(run.output == QByteArray(4'000'000, 'y'));
    }

    void nothingGoesOnWhereTheKeyOfAJumpIsNotAccepted()
    {
        writeConfig(block(u"box"_s, *m_target, u"ProxyJump first"_s) + block(u"first"_s, *m_first));
        LinkRun run(to(u"box"_s), {u"true"_s}, m_prompts.get()); // nobody is there
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(run.errors.constFirst().kind, ErrorKind::HostKeyRefused);
        QVERIFY2(run.errors.constFirst().subject.startsWith("first"_L1), run.why());
        QCOMPARE(m_prompts->asked.size(), 1);
    }

    void aJumpThatLeadsNowhereIsNamed_data()
    {
        QTest::addColumn<QString>("config");
        QTest::addColumn<int>("kind");
        QTest::addColumn<QString>("words");
        QTest::newRow("to itself") << u"Host box\n ProxyJump box\n"_s << int(ErrorKind::InvalidInput) << u"circle"_s;
        QTest::newRow("of two") << u"Host box\n ProxyJump a\nHost a\n ProxyJump box\n"_s << int(ErrorKind::InvalidInput) << u"circle"_s;
        QTest::newRow("for every host") << u"Host *\n ProxyJump a\n"_s << int(ErrorKind::InvalidInput) << u"circle"_s;
        QTest::newRow("too many") << u"Host box\n ProxyJump a,b,c,d,e,f,g,h,i\n"_s << int(ErrorKind::TooLarge) << u"8 jumps"_s;
        QTest::newRow("no such name") << u"Host box\n ProxyJump a\nHost a\n HostName a.invalid\n"_s << int(ErrorKind::HostNotFound) << QString();
        QTest::newRow("nobody listens") << u"Host box\n ProxyJump a\nHost a\n HostName 127.0.0.1\n Port 1\n"_s << int(ErrorKind::ConnectionRefused) << QString();
    }
    void aJumpThatLeadsNowhereIsNamed()
    {
        QFETCH(QString, config);
        QFETCH(int, kind);
        QFETCH(QString, words);
        writeConfig(config);
        LinkRun run(to(u"box"_s), {u"true"_s}, m_prompts.get());
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QVERIFY2(int(run.errors.constFirst().kind) == kind && run.errors.constFirst().detail.contains(words), run.why());
    }

    void whatAJumpCannotReachIsTold()
    {
        writeConfig(u"Host box\n HostName 127.0.0.1\n Port 1\n ProxyJump first\n"_s + block(u"first"_s, *m_first));
        trustAll(1);
        LinkRun run(to(u"box"_s), {u"true"_s}, m_prompts.get());
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(run.errors.constFirst().kind, ErrorKind::ConnectionRefused);
        QVERIFY2(run.errors.constFirst().detail.contains("from there to 127.0.0.1:1"_L1), run.why());
    }

    void aJumpThatGoesTakesTheLinkAlong()
    {
        TestSshd fragile;
        writeConfig(block(u"box"_s, *m_target, u"ProxyJump fragile"_s) + block(u"fragile"_s, fragile));
        trustAll(2);
        LinkRun run(to(u"box"_s), {u"sh"_s, u"-c"_s, u"echo up; sleep 1000"_s}, m_prompts.get());
        QTRY_VERIFY2_WITH_TIMEOUT(run.output == "up\n", run.why(), kPatience);
        fragile.kill();
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(run.errors.constFirst().kind, ErrorKind::ConnectionLost);
        QTRY_COMPARE(run.ends.size(), 1);
        QCOMPARE(run.ends.constFirst().kind, ShellEnd::Kind::Lost);
    }

    void aLinkCanBeClosedWhileItsJumpConnects()
    {
        QTcpServer silent;
        QVERIFY(silent.listen(QHostAddress::LocalHost));
        writeConfig(u"Host box\n ProxyJump a\nHost a\n HostName 127.0.0.1\n Port %1\n ConnectTimeout 3600\n"_s.arg(silent.serverPort()));
        LinkRun run(to(u"box"_s), {u"true"_s}, m_prompts.get());
        QTRY_VERIFY_WITH_TIMEOUT(silent.hasPendingConnections(), kPatience);
        run.link.close();
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(run.errors.constFirst().kind, ErrorKind::Cancelled);
    }

    void sshItselfCanBeTheProxyCommand()
    {
        const QString ssh = u"ProxyCommand ssh -F %1 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -W %%h:%%p first"_s;
        writeConfig(block(u"box"_s, *m_target, QString(ssh).replace("%1"_L1, m_home->filePath(u".ssh/config"_s)).replace("%%"_L1, "%"_L1))
                    + block(u"first"_s, *m_first));
        trustAll(1);
        LinkRun run(to(u"box"_s), {u"echo"_s, u"there"_s}, m_prompts.get());
        QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
        QVERIFY2(run.output == "there\n", run.why());
    }

    void aCommandOfTheFileRunsOnlyWithConsent_data()
    {
        QTest::addColumn<int>("answer");
        QTest::addColumn<bool>("runs");
        QTest::newRow("yes") << int(AnswerKind::Accepted) << true;
        QTest::newRow("no") << int(AnswerKind::Cancelled) << false;
    }
    void aCommandOfTheFileRunsOnlyWithConsent()
    {
        QFETCH(int, answer);
        QFETCH(bool, runs);
        const QString mark = m_home->filePath(u"mark"_s);
        const QString command = u"echo %n >>%1"_s.replace("%1"_L1, mark);
        writeConfig(block(u"box"_s, *m_target, u"Match host 127.0.0.1 exec \"%1\"\n SetEnv SP_A=matched\n"_s.replace("%1"_L1, command)));
        m_prompts->replies.push_back({AnswerKind(answer), {}});
        trustAll(1);
        for (int round = 1; round <= 2; ++round) {
            LinkRun run(to(u"box"_s), {u"sh"_s, u"-c"_s, u"echo $SP_A"_s}, m_prompts.get());
            QTRY_VERIFY2_WITH_TIMEOUT(!run.ends.isEmpty(), run.why(), kPatience);
            QCOMPARE(run.output, runs ? QByteArray("matched\n") : QByteArray("\n"));
            QCOMPARE(m_prompts->asked.size(), 2); // the command once, the host key once
            QCOMPARE(m_prompts->asked.constFirst().kind, Prompt::Kind::Confirm);
            QCOMPARE(m_prompts->asked.constFirst().command, QString(command).replace("%n"_L1, "box"_L1));
            QFile file(mark);
            QCOMPARE(file.open(QIODevice::ReadOnly), runs);
            QCOMPARE(file.readAll(), QByteArray("box\n").repeated(runs ? round : 0));
        }
    }

    void aFileThatSshRefusesIsNamedWithItsLine()
    {
        writeConfig(u"Host box\n Port none\n"_s);
        LinkRun run(to(u"box"_s), {u"true"_s}, m_prompts.get());
        QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
        QCOMPARE(run.errors.constFirst().kind, ErrorKind::InvalidInput);
        QVERIFY2(run.errors.constFirst().detail.contains(".ssh/config:2"_L1), run.why());
    }

    void aHostileNameRunsNothing()
    {
        const QString mark = m_home->filePath(u"mark"_s);
        writeConfig(u"Match exec \"echo %n\"\n User x\nHost *\n ProxyCommand echo %n %h; touch %1\n"_s.replace("%1"_L1, mark));
        for (const QString &name : {u"a;touch "_s + mark, u"$(touch "_s + mark + u")"_s, u"-oProxyCommand=touch "_s + mark, u"a\ntouch "_s + mark}) {
            LinkRun run(to(name), {u"true"_s}, m_prompts.get());
            QTRY_VERIFY_WITH_TIMEOUT(!run.errors.isEmpty(), kPatience);
            QCOMPARE(run.errors.constFirst().kind, ErrorKind::InvalidInput);
            QVERIFY(m_prompts->asked.isEmpty());
        }
        QVERIFY(!QFile::exists(mark));
    }

    void aRemoteCommandTakesThePlaceOfTheLoginShell()
    {
        writeConfig(block(u"box"_s, *m_target, u"RemoteCommand echo \"it is $((6*7))\"; exit 3\n SetEnv SP_B=x OTHER=refused"_s));
        trustAll(1);
        SshLink link(to(u"box"_s), m_prompts.get());
        const std::unique_ptr<Shell> shell = link.makeShell({});
        QByteArray output;
        QList<ShellEnd> ends;
        connect(shell.get(), &Shell::outputReceived, this, [&](const QByteArray &bytes) {
            output += bytes;
            shell->consumed(bytes.size());
        });
        connect(shell.get(), &Shell::ended, this, [&](const ShellEnd &end) { ends.append(end); });
        shell->open({80, 24});
        link.connectToHost();
        QTRY_VERIFY_WITH_TIMEOUT(!ends.isEmpty(), kPatience);
        QVERIFY2(output.contains("it is 42"), output);
        QVERIFY(ends.constFirst().exitCode == 3);
    }
};

QTEST_GUILESS_MAIN(TestSshJump)
#include "tst_sshjump.moc"

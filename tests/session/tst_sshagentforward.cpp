// Programs on the far host use the agent here: where its user wished that, and nowhere else.
#include "session/sshlink.h"

#include "tests/support/linkrun.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QFile>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;
const QStringList kListKeys{u"ssh-add"_s, u"-L"_s};

QByteArray publicKey(const QString &file)
{
    QFile pub(file + u".pub"_s);
    return pub.open(QIODevice::ReadOnly) ? pub.readAll().split(' ').value(1) : QByteArray();
}

} // namespace

class TestSshAgentForward : public QObject
{
    Q_OBJECT
    std::unique_ptr<TestSshd> m_server;
    QTemporaryDir m_dir;
    RecordingPrompts m_prompts;

    [[nodiscard]] QString key() const { return m_dir.filePath(u"id_agent"_s); }
    [[nodiscard]] LinkOptions options(const TestAgent &agent) const
    {
        LinkOptions options = m_server->options();
        options.agentSocket = agent.socket();
        options.agentForward = SshAgentForward::Yes;
        return options;
    }

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
        QVERIFY(makeKey(key()));
    }

    // Not after Qt Test has returned: where its watchdog lay on the stack the thread sanitizer takes us for a race.
    void cleanupTestCase() { m_server.reset(); }

    void aProgramThereSeesTheKeys()
    {
        TestAgent agent;
        QVERIFY(agent.add(key()));
        LinkRun run(options(agent), kListKeys, &m_prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.ends.size(), 1, kPatience);
        QCOMPARE(run.ends[0].exitCode, 0);
        QVERIFY2(run.output.contains(publicKey(key())), run.why());
    }

    void manyProgramsUseItAtOnceAndOneAfterTheOther()
    {
        TestAgent agent;
        QVERIFY(agent.add(key()));
        const QString script = u"for n in 1 2 3 4 5 6; do ssh-add -L & done; wait; ssh-add -L; ssh-add -L"_s;
        LinkRun run(options(agent), {u"/bin/sh"_s, u"-c"_s, script}, &m_prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.ends.size(), 1, kPatience);
        QCOMPARE(run.output.count(publicKey(key())), 8);
    }

    void anotherSocketThanTheOneThatSignsInIsLent()
    {
        TestAgent own;
        TestAgent lent;
        QVERIFY(lent.add(key()));
        LinkOptions wish = options(own);
        wish.agentForward = SshAgentForward::Socket;
        wish.agentForwardSocket = lent.socket();
        LinkRun run(wish, kListKeys, &m_prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.ends.size(), 1, kPatience);
        QVERIFY2(run.output.contains(publicKey(key())), run.why());
    }

    void withoutTheWishThereIsNone()
    {
        TestAgent agent;
        QVERIFY(agent.add(key()));
        LinkOptions wish = options(agent);
        wish.agentForward = SshAgentForward::No;
        LinkRun run(wish, {u"/bin/sh"_s, u"-c"_s, u"echo \"<$SSH_AUTH_SOCK>\""_s}, &m_prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.ends.size(), 1, kPatience);
        QCOMPARE(run.output, "<>\n");
    }

    void anAgentThatIsGoneFailsThereAndNothingElseDoes()
    {
        LinkOptions wish;
        {
            TestAgent agent;
            wish = options(agent);
        }
        LinkRun run(wish, {u"/bin/sh"_s, u"-c"_s, u"ssh-add -L || echo none; echo on"_s}, &m_prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.ends.size(), 1, kPatience);
        QCOMPARE(run.ends[0].kind, ShellEnd::Kind::Exited);
        QVERIFY2(run.output.endsWith("none\non\n"), run.output);
    }

    void aServerThatDoesNotAllowItStillServes()
    {
        TestSshd strict(TestSshd::Kind::OpenSsh, {u"AllowAgentForwarding no"_s});
        QVERIFY2(strict.problem().isEmpty(), qPrintable(strict.problem()));
        TestAgent agent;
        LinkOptions wish = strict.options();
        wish.agentSocket = agent.socket();
        wish.agentForward = SshAgentForward::Yes;
        LinkRun run(wish, {u"/bin/sh"_s, u"-c"_s, u"echo \"<$SSH_AUTH_SOCK>\""_s}, &m_prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.ends.size(), 1, kPatience);
        QCOMPARE(run.output, "<>\n");
    }

    void aHostWithoutTerminalsIsAskedForNone_data()
    {
        QTest::addColumn<SshTtyWish>("wish");
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("as usual") << SshTtyWish::Auto << QByteArray("/dev/");
        QTest::newRow("RequestTTY no") << SshTtyWish::No << QByteArray("not a tty");
    }
    void aHostWithoutTerminalsIsAskedForNone()
    {
        QFETCH(SshTtyWish, wish);
        QFETCH(QByteArray, said);
        LinkOptions options = m_server->options();
        options.requestTty = wish;
        const auto shell = makeSshShell(options, {}, &m_prompts);
        QByteArray seen;
        connect(shell.get(), &Shell::outputReceived, this, [&](const QByteArray &bytes) {
            seen += bytes;
            shell->consumed(bytes.size());
        });
        QList<ShellEnd> ends;
        connect(shell.get(), &Shell::ended, this, [&](const ShellEnd &end) { ends.append(end); });
        shell->open({});
        QTRY_COMPARE_WITH_TIMEOUT(shell->state(), ShellState::Open, kPatience);
        shell->write("tty; exit\n");
        QTRY_COMPARE_WITH_TIMEOUT(ends.size(), 1, kPatience);
        QVERIFY2(seen.contains(said), seen);
    }
};

QTEST_GUILESS_MAIN(TestSshAgentForward)
#include "tst_sshagentforward.moc"

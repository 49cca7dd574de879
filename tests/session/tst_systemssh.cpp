// Hosts that are known only by a certificate authority are reached through the system's ssh.
#include "session/systemssh.h"

#include "tests/support/linkrun.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QFile>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using AnswerKind = PromptAnswer::Kind;

namespace {

constexpr int kPatience = 60'000;

QByteArray contentOf(const QString &file)
{
    QFile opened(file);
    return opened.open(QIODevice::ReadOnly) ? opened.readAll() : QByteArray();
}

} // namespace

class TestSystemSsh : public QObject
{
    Q_OBJECT
    QTemporaryDir m_dir;
    std::unique_ptr<TestSshd> m_server; // has a host certificate of authority
    RecordingPrompts m_prompts;

    [[nodiscard]] QString file(const QString &name) const { return m_dir.filePath(name); }
    // Known only by this authority.
    [[nodiscard]] LinkOptions knownBy(const QString &authority, const TestSshd &server)
    {
        LinkOptions options = server.options();
        options.endpoint.hostKey.clear();
        QFile known(server.knownHosts());
        const QByteArray line = "@cert-authority [127.0.0.1]:" + QByteArray::number(server.port()) + ' ' + contentOf(file(authority) + u".pub"_s);
        (void)(known.open(QIODevice::WriteOnly) && known.write(line) > 0);
        options.knownHostsFiles = {server.knownHosts()};
        return options;
    }

private slots:
    void initTestCase()
    {
        QVERIFY(makeKey(file(u"authority"_s)) && makeKey(file(u"another"_s)) && makeKey(file(u"host"_s)));
        QVERIFY(runForTest(u"ssh-keygen"_s, {u"-q"_s, u"-s"_s, file(u"authority"_s), u"-I"_s, u"host"_s, u"-h"_s, u"-n"_s, u"127.0.0.1"_s, file(u"host.pub"_s)}));
        m_server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh,
                                              QStringList{u"HostKey "_s + file(u"host"_s), u"HostCertificate "_s + file(u"host-cert.pub"_s)});
        SANDPIPER_NEED_SSHD(*m_server);
    }

    void init()
    {
        m_prompts.asked.clear();
        m_prompts.replies.clear();
    }

    void itsCertificateIsCheckedAndNobodyIsAsked()
    {
        const LinkOptions options = knownBy(u"authority"_s, *m_server);
        const QByteArray before = contentOf(m_server->knownHosts());
        LinkRun run(options, {u"echo"_s, u"here"_s}, &m_prompts);
        QTRY_VERIFY2_WITH_TIMEOUT(run.ends.size() == 1, run.why(), kPatience);
        QCOMPARE(run.output, "here\n");
        QVERIFY(m_prompts.asked.isEmpty());
        QVERIFY2(run.link.banner().contains("system's ssh"_L1), qPrintable(run.link.banner()));
        QCOMPARE(contentOf(m_server->knownHosts()), before);
    }

    void whereItCannotBeCheckedThePlainKeyIsAskedAbout_data()
    {
        QTest::addColumn<QString>("authority");
        QTest::addColumn<bool>("hasCertificate");
        QTest::newRow("of another authority") << u"another"_s << true;
        QTest::newRow("no certificate") << u"authority"_s << false;
    }
    void whereItCannotBeCheckedThePlainKeyIsAskedAbout()
    {
        QFETCH(QString, authority);
        QFETCH(bool, hasCertificate);
        std::unique_ptr<TestSshd> plain;
        if (!hasCertificate)
            plain = std::make_unique<TestSshd>();
        TestSshd &server = plain ? *plain : *m_server;
        QVERIFY2(server.problem().isEmpty(), qPrintable(server.problem()));
        m_prompts.replies = {{AnswerKind::JustOnce, {}}};
        LinkRun run(knownBy(authority, server), {u"echo"_s, u"here"_s}, &m_prompts);
        QTRY_VERIFY2_WITH_TIMEOUT(run.ends.size() == 1, run.why(), kPatience);
        QCOMPARE(m_prompts.asked.size(), 1);
        QCOMPARE(m_prompts.asked[0].kind, Prompt::Kind::UnknownHostKey);
        QVERIFY2(m_prompts.asked[0].text.contains("could not get there: "_L1), qPrintable(m_prompts.asked[0].text));
        QCOMPARE(run.output, "here\n");
    }

    void strictlyItIsRefused()
    {
        LinkOptions options = knownBy(u"another"_s, *m_server);
        options.hostChecking = SshHostChecking::Strict;
        LinkRun run(options, {u"true"_s}, &m_prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.errors.size(), 1, kPatience);
        QCOMPARE(run.errors[0].kind, ErrorKind::HostKeyRefused);
        QVERIFY2(run.errors[0].detail.contains("certificate authority"_L1), qPrintable(run.errors[0].detail));
        QVERIFY(m_prompts.asked.isEmpty());
    }

    void whatCannotStandOnACommandLineIsLeftOut_data()
    {
        QTest::addColumn<QString>("host");
        QTest::addColumn<QString>("user");
        QTest::newRow("a host like an option") << u"-oProxyCommand=x"_s << u"me"_s;
        QTest::newRow("a user like an option") << u"host"_s << u"-oProxyCommand=x"_s;
        QTest::newRow("a line break") << u"host"_s << u"a\nb"_s;
    }
    void whatCannotStandOnACommandLineIsLeftOut()
    {
        QFETCH(QString, host);
        QFETCH(QString, user);
        LinkOptions options;
        options.endpoint.host = host;
        options.endpoint.user = user;
        QVERIFY(systemSshCommand(u"/usr/bin/ssh"_s, options).isEmpty());
    }

    void aFingerprintIsNoFile_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<bool>("isFile");
        QTest::newRow("a file") << u"/home/me/.ssh/work"_s << true;
        QTest::newRow("a file named from home") << u"~/.ssh/work"_s << true;
        QTest::newRow("a fingerprint") << u"SHA256:abc"_s << false;
        QTest::newRow("a fingerprint with a slash") << u"SHA256:ab/c"_s << false;
        QTest::newRow("none") << QString() << false;
    }
    void aFingerprintIsNoFile()
    {
        QFETCH(QString, key);
        QFETCH(bool, isFile);
        LinkOptions options;
        options.endpoint.host = u"host"_s;
        options.preferredKey = key;
        const QString command = systemSshCommand(u"/usr/bin/ssh"_s, options).join(u' ');
        QCOMPARE(command.contains("IdentityFile="_L1), isFile);
    }

    void aFilesNameIsNoToken()
    {
        LinkOptions options;
        options.endpoint.host = u"host"_s;
        options.knownHostsFiles = {u"/a 100%/known_hosts"_s};
        QVERIFY(systemSshCommand(u"/usr/bin/ssh"_s, options).contains(u"UserKnownHostsFile=\"/a 100%%/known_hosts\""_s));
    }

    void withoutSshThereIsNoCommand()
    {
        LinkOptions options;
        options.endpoint.host = u"host"_s;
        QVERIFY(systemSshCommand({}, options).isEmpty());
        QVERIFY(!systemSshCommand(u"/usr/bin/ssh"_s, options).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestSystemSsh)
#include "tst_systemssh.moc"

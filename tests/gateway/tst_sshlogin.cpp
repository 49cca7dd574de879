#include "gateway/sshlogin.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestSshLogin : public QObject
{
    Q_OBJECT
private slots:
    void aUserNamesASandboxAndPerhapsAPort_data()
    {
        QTest::addColumn<QString>("user");
        QTest::addColumn<QString>("target");
        QTest::addColumn<int>("port");
        QTest::newRow("name") << u"my-env"_s << u"my-env"_s << 0;
        QTest::newRow("id") << u"abcdefghij0123456789z"_s << u"abcdefghij0123456789z"_s << 0;
        QTest::newRow("id of digits only") << u"012345678901234567890"_s << u"012345678901234567890"_s << 0;
        QTest::newRow("port and name") << u"2222-my-env"_s << u"my-env"_s << 2222;
        QTest::newRow("highest port") << u"65535-x"_s << u"x"_s << 65535;
        QTest::newRow("name with a number") << u"a-22-b"_s << u"a-22-b"_s << 0;
    }
    void aUserNamesASandboxAndPerhapsAPort()
    {
        QFETCH(QString, user);
        const std::optional<SshUser> parsed = parseSshUser(user);
        QVERIFY(parsed);
        QTEST(parsed->target, "target");
        QTEST(int(parsed->port), "port");
    }

    void whatNamesNoSandboxIsRefused_data()
    {
        QTest::addColumn<QString>("user");
        QTest::newRow("empty") << QString();
        QTest::newRow("port 0") << u"0-x"_s;
        QTest::newRow("port too high") << u"65536-x"_s;
        QTest::newRow("port overflows") << u"99999999999999999999-x"_s;
        QTest::newRow("nothing behind the port") << u"22-"_s;
        QTest::newRow("path") << u"../../etc/passwd"_s;
        QTest::newRow("capital") << u"Root"_s;
        QTest::newRow("newline") << u"a\nb"_s;
        QTest::newRow("NUL") << u"a\0b"_s;
        QTest::newRow("too long") << QString(70, u'a');
    }
    void whatNamesNoSandboxIsRefused()
    {
        QFETCH(QString, user);
        QVERIFY(!parseSshUser(user));
    }

    void onlyARunningSandboxAdmits_data()
    {
        QTest::addColumn<LocalState>("state");
        QTest::addColumn<QString>("refusal");
        QTest::newRow("pending") << LocalState::Pending << u"sandbox box is currently pending"_s;
        QTest::newRow("running") << LocalState::Running << QString();
        QTest::newRow("suspending") << LocalState::Suspending << u"sandbox box is currently suspending"_s;
        QTest::newRow("suspended") << LocalState::Suspended << u"sandbox box is currently suspended"_s;
        QTest::newRow("terminated") << LocalState::Terminated << u"sandbox box is currently terminated"_s;
    }
    void onlyARunningSandboxAdmits()
    {
        QFETCH(LocalState, state);
        QFETCH(QString, refusal);
        const SshVerdict verdict = admit(u"box"_s, [&](const QString &) {
            LocalSandbox sandbox;
            sandbox.state = state;
            return std::optional(sandbox);
        });
        QCOMPARE(verdict.refusal, refusal);
        QCOMPARE(verdict.sandbox.has_value(), refusal.isEmpty());
    }

    void anUnknownSandboxIsNotPresent()
    {
        const auto none = [](const QString &) { return std::optional<LocalSandbox>(); };
        QCOMPARE(admit(u"nope"_s, none).refusal, u"sandbox nope is not present in any of your projects"_s);
        QVERIFY(!admit(u"a\x1b[31m"_s, none).refusal.contains(QChar(0x1b)));
    }
};

QTEST_GUILESS_MAIN(TestSshLogin)
#include "tst_sshlogin.moc"

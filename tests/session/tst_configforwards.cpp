// The forwards of an ssh_config, made by terminals as ssh makes them.
#include "session/sshlink.h"

#include "tests/support/linkrun.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/rawpeer.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QFile>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int kPatience = 60'000;

// A port that was free a moment ago.
quint16 freePort()
{
    QTcpServer server;
    return server.listen(QHostAddress::LocalHost) ? server.serverPort() : quint16(0);
}

struct Terminal
{
    Terminal()
    {
        LinkOptions options;
        options.endpoint.alias = u"box"_s;
        options.connectTimeout = 30s;
        ShellSpec spec;
        spec.command = u"/bin/sh"_s;
        spec.arguments = {u"-c"_s, u"cat; exit 7"_s};
        shell = makeSshShell(options, spec, &prompts);
        QObject::connect(shell.get(), &Shell::noticeReceived, shell.get(), [this](const QString &text) { notices.append(text); });
        QObject::connect(shell.get(), &Shell::stateChanged, shell.get(), [this](ShellState state) { states.append(state); });
        QObject::connect(shell.get(), &Shell::ended, shell.get(), [this](const ShellEnd &end) { ends.append(end); });
        shell->open({80, 24});
    }
    bool opens() { return QTest::qWaitFor([this] { return states.contains(ShellState::Open) || !ends.isEmpty(); }, kPatience) && ends.isEmpty(); }
    [[nodiscard]] QByteArray why() const { return ends.isEmpty() ? notices.join(u'\n').toUtf8() : describe(ends.constFirst().error).toUtf8(); }

    RecordingPrompts prompts;
    std::unique_ptr<Shell> shell;
    QStringList notices;
    QList<ShellState> states;
    QList<ShellEnd> ends;
};

} // namespace

class TestConfigForwards : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_server;
    LoopbackServer m_echo;
    QTemporaryDir m_home;

    void configure(const QString &more) const
    {
        const QString text = u"Host box\n HostName 127.0.0.1\n Port %1\n User %2\n IdentityFile %3\n IdentityAgent none\n%4\n"_s
                                     .arg(m_server->port()).arg(m_server->user(), m_server->identity(), more);
        QFile file(m_home.filePath(u".ssh/config"_s));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(text.toUtf8()) == text.toUtf8().size());
    }
    [[nodiscard]] QString toEcho() const { return u"127.0.0.1:%1"_s.arg(m_echo.port()); }
    static bool echoes(quint16 port)
    {
        RawPeer peer = RawPeer::tcp(port);
        return peer.isValid() && peer.exchange("hello") == "hellobye";
    }

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
        m_echo.start(serveEcho);
        qputenv("HOME", QFile::encodeName(m_home.path()));
        QVERIFY(QDir(m_home.path()).mkdir(u".ssh"_s));
        QFile hosts(m_home.filePath(u".ssh/known_hosts"_s));
        QVERIFY(hosts.open(QIODevice::WriteOnly)
                && hosts.write("[127.0.0.1]:" + QByteArray::number(m_server->port()) + ' ' + m_server->hostKey() + '\n') > 0);
    }
    void cleanupTestCase()
    {
        m_echo.stop();
        m_server.reset();
    }

    void aTerminalMakesThem()
    {
        const quint16 local = freePort();
        const quint16 remote = freePort();
        const quint16 socks = freePort();
        const QString path = m_home.filePath(u"echo.sock"_s);
        configure(u" LocalForward %1 %4\n RemoteForward 127.0.0.1:%2 %4\n DynamicForward %3\n LocalForward %5 %4\n"_s
                          .arg(local).arg(remote).arg(socks).arg(toEcho(), path));
        {
            Terminal terminal;
            QVERIFY2(terminal.opens(), terminal.why().constData());
            QVERIFY(echoes(local));
            QTRY_VERIFY_WITH_TIMEOUT(echoes(remote), kPatience);
            QVERIFY(RawPeer::tcp(socks).isValid());
            QVERIFY(RawPeer::unixSocket(path).exchange("x") == "xbye");
            QCOMPARE(terminal.notices, QStringList());
        }
        // They end with it, and the next one makes them again.
        QVERIFY(!RawPeer::tcp(local).isValid() && !QFile::exists(path));
        Terminal again;
        QVERIFY2(again.opens(), again.why().constData());
        QVERIFY(echoes(local));
        // What the server has not let go of yet is told, and that is all.
        QVERIFY2(again.notices.size() <= 1, again.why().constData());
    }

    void aCommandMakesNone()
    {
        const quint16 port = freePort();
        configure(u" LocalForward %1 %2\n"_s.arg(port).arg(toEcho()));
        LinkOptions options;
        options.endpoint.alias = u"box"_s;
        RecordingPrompts prompts;
        LinkRun run(options, {u"sh"_s, u"-c"_s, u"echo there; cat"_s}, &prompts);
        QTRY_COMPARE_WITH_TIMEOUT(run.output, "there\n"_ba, kPatience);
        QVERIFY(!RawPeer::tcp(port).isValid());
    }

    void oneThatFailsIsToldAndEndsNothing_data()
    {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("words");
        const QString busy = QString::number(m_echo.port());
        QTest::newRow("port in use") << u"LocalForward %1 a:1"_s.arg(busy) << u"The forward -L %1:a:1 failed: port %1 is in use on this computer."_s.arg(busy);
        QTest::newRow("port in use there") << u"RemoteForward 127.0.0.1:%1 a:1"_s.arg(busy) << u"The forward -R 127.0.0.1:%1:a:1 failed: the server does not listen"_s.arg(busy);
        QTest::newRow("socket there") << u"RemoteForward /tmp/x.sock a:1"_s << u"cannot ask a server to listen at a UNIX socket"_s;
    }
    void oneThatFailsIsToldAndEndsNothing()
    {
        QFETCH(QString, line);
        QFETCH(QString, words);
        const quint16 port = freePort();
        configure(u' ' + line + u"\n LocalForward %1 %2\n"_s.arg(port).arg(toEcho()));
        Terminal terminal;
        QVERIFY2(terminal.opens(), terminal.why().constData());
        QTRY_COMPARE_WITH_TIMEOUT(terminal.notices.size(), 1, kPatience);
        QVERIFY2(terminal.notices.constFirst().contains(words), terminal.why().constData());
        QVERIFY(echoes(port));
        terminal.shell->write("\x04");
        QTRY_COMPARE_WITH_TIMEOUT(terminal.ends.size(), 1, kPatience);
        QCOMPARE(terminal.ends.constFirst().exitCode, 7);
    }

    void oneThatFailsEndsAllWhereThatIsWanted_data() { oneThatFailsIsToldAndEndsNothing_data(); }
    void oneThatFailsEndsAllWhereThatIsWanted()
    {
        QFETCH(QString, line);
        configure(u" ExitOnForwardFailure yes\n "_s + line + u'\n');
        Terminal terminal;
        QVERIFY(!terminal.opens());
        QTRY_COMPARE_WITH_TIMEOUT(terminal.ends.size(), 1, kPatience);
        QCOMPARE(terminal.ends.constFirst().kind, ShellEnd::Kind::Failed);
        QVERIFY2(terminal.ends.constFirst().error.detail.contains(u"ExitOnForwardFailure"), terminal.why().constData());
        QVERIFY(!terminal.states.contains(ShellState::Open)); // and nothing was started there
    }

    void aSecondTerminalIsQuiet_data()
    {
        QTest::addColumn<QString>("rule");
        QTest::newRow("as it is") << QString();
        QTest::newRow("where a failure ends all") << u" ExitOnForwardFailure yes\n"_s;
    }
    void aSecondTerminalIsQuiet()
    {
        QFETCH(QString, rule);
        const quint16 local = freePort();
        const quint16 remote = freePort();
        const quint16 socks = freePort();
        configure(rule + u" LocalForward %1 %4\n RemoteForward 127.0.0.1:%2 %4\n DynamicForward %3\n"_s.arg(local).arg(remote).arg(socks).arg(toEcho()));
        Terminal first;
        QVERIFY2(first.opens(), first.why().constData());
        QTRY_VERIFY_WITH_TIMEOUT(echoes(remote), kPatience);
        Terminal second;
        QVERIFY2(second.opens(), second.why().constData());
        second.shell->write("\x04"); // all that it had to say comes before
        QTRY_COMPARE_WITH_TIMEOUT(second.ends.size(), 1, kPatience);
        QCOMPARE(second.ends.constFirst().exitCode, 7);
        QCOMPARE(second.notices, QStringList{u"The port forwards of box are served by another connection already."_s});
        QVERIFY(echoes(local) && echoes(remote));
    }

    void everybodyMayConnectOnlyWhereThatIsSaid_data()
    {
        QTest::addColumn<QString>("lines");
        QTest::addColumn<bool>("listens");
        QTest::addColumn<bool>("toAll");
        QTest::newRow("nothing said") << u" LocalForward PORT ECHO\n"_s << true << false;
        QTest::newRow("GatewayPorts") << u" GatewayPorts yes\n LocalForward PORT ECHO\n"_s << true << true;
        QTest::newRow("GatewayPorts, with an address") << u" GatewayPorts yes\n LocalForward 127.0.0.1:PORT ECHO\n"_s << true << false;
        QTest::newRow("every interface") << u" LocalForward *:PORT ECHO\n"_s << true << true;
        QTest::newRow("none at all") << u" ClearAllForwardings yes\n LocalForward PORT ECHO\n"_s << false << false;
    }
    void everybodyMayConnectOnlyWhereThatIsSaid()
    {
        QFETCH(QString, lines);
        QFETCH(bool, listens);
        QFETCH(bool, toAll);
        const quint16 port = freePort();
        configure(lines.replace(u"PORT"_s, QString::number(port)).replace(u"ECHO"_s, toEcho()));
        Terminal terminal;
        QVERIFY2(terminal.opens(), terminal.why().constData());
        QCOMPARE(RawPeer::tcp(port).isValid(), listens);
        // Another address of this computer: only a listener at all of them has it.
        QTcpSocket other;
        other.connectToHost(QHostAddress(u"127.0.0.2"_s), port);
        QCOMPARE(other.waitForConnected(5000), toAll);
    }
};

QTEST_GUILESS_MAIN(TestConfigForwards)
#include "tst_configforwards.moc"

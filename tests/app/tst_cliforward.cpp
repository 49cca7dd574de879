// sandpiper-cli forward as scripts use it, over real servers.
#include "tests/support/cuttableproxy.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/rawpeer.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <csignal>
#include <future>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

QString cli()
{
    return TestGateway::program(u"sandpiper-cli"_s);
}

// One that runs.
struct Running
{
    explicit Running(const QStringList &arguments)
    {
        process.start(cli(), QStringList{u"forward"_s} + arguments);
    }
    ~Running()
    {
        process.kill();
        process.waitForFinished(kPatience);
    }
    // The next line of standard output; empty where it ends before.
    QByteArray line()
    {
        (void)waitUntil([&] { return process.canReadLine() || process.state() == QProcess::NotRunning; }, kPatience);
        return process.canReadLine() ? process.readLine().trimmed() : QByteArray();
    }
    // By itself, or after a signal.
    int status(int signal = 0)
    {
        if (signal != 0)
            ::kill(pid_t(process.processId()), signal);
        (void)waitUntil([&] { return process.state() == QProcess::NotRunning; }, kPatience);
        return process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    }
    QProcess process;
};

quint16 portOf(const QByteArray &line)
{
    const QByteArray place = line.split(' ').constFirst();
    return place.sliced(place.lastIndexOf(':') + 1).toUShort();
}

} // namespace

class TestCliForward : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestGateway> m_gateway;
    std::unique_ptr<TestSshd> m_openSsh;
    std::unique_ptr<TestSshd> m_dropbear;
    LoopbackServer m_echo;
    QTemporaryDir m_home;

    [[nodiscard]] QString toEcho() const { return u"127.0.0.1:%1"_s.arg(m_echo.port()); }
    [[nodiscard]] QString target(const QString &kind) const
    {
        if (kind == "gateway"_L1)
            return u"box"_s;
        const TestSshd &server = kind == "dropbear"_L1 ? *m_dropbear : *m_openSsh;
        return u"ssh://%1@127.0.0.1:%2"_s.arg(server.user()).arg(server.port());
    }
    bool introduce(const TestSshd &server, quint16 port) const
    {
        QFile hosts(m_home.filePath(u".ssh/known_hosts"_s));
        const QByteArray line = "[127.0.0.1]:" + QByteArray::number(port) + ' ' + server.hostKey() + '\n';
        return hosts.open(QIODevice::Append) && hosts.write(line) == line.size();
    }

private slots:
    void initTestCase()
    {
        m_gateway = std::make_unique<TestGateway>(TestGateway::Options{TestGateway::Layout::UserFolders});
        const QString problem = m_gateway->start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(*m_gateway);
        m_openSsh = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh);
        m_dropbear = std::make_unique<TestSshd>(TestSshd::Kind::Dropbear);
        for (const TestSshd *server : {m_openSsh.get(), m_dropbear.get()})
            SANDPIPER_NEED_SSHD(*server);
        m_gateway->apply();
        qunsetenv("SSH_AUTH_SOCK");
        qputenv("HOME", QFile::encodeName(m_home.path()));
        QVERIFY(QDir().mkpath(m_home.filePath(u".ssh"_s)));
        QVERIFY(introduce(*m_openSsh, m_openSsh->port()) && introduce(*m_dropbear, m_dropbear->port()));
        QVERIFY(QFile::copy(m_openSsh->identity(), m_home.filePath(u".ssh/id_ed25519"_s)));
        QVERIFY(QFile::copy(m_dropbear->identity(), m_home.filePath(u".ssh/id_ecdsa"_s)));
        m_echo.start(serveEcho);
        QCOMPARE(QProcess::execute(cli(), {u"create"_s, u"box"_s}), 0);
    }
    void cleanupTestCase()
    {
        m_echo.stop();
        m_openSsh.reset();
        m_dropbear.reset();
        m_gateway.reset();
    }

    void aLineIsPrintedForEachThatIsReady_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::newRow("openssh") << u"openssh"_s;
        QTest::newRow("dropbear") << u"dropbear"_s;
    }
    void aLineIsPrintedForEachThatIsReady()
    {
        QFETCH(QString, kind);
        Running forward({target(kind), u"-L"_s, u"0:"_s + toEcho(), u"-L0:"_s + toEcho(), u"-R"_s, u"0:"_s + toEcho(), u"-D"_s, u"0"_s});
        QStringList seen;
        quint16 socks = 0;
        for (int i = 0; i < 4; ++i) {
            const QByteArray line = forward.line();
            const quint16 port = portOf(line);
            QVERIFY2(port != 0, (line + forward.process.readAllStandardError()).constData());
            seen.append(QString::fromUtf8(line).section(u' ', 1));
            QVERIFY(line.startsWith("127.0.0.1:") || line.startsWith("localhost:"));
            if (line.contains("-D"))
                socks = port;
            else
                QCOMPARE(RawPeer::tcp(port).exchange("hello"), "hellobye"_ba);
        }
        seen.sort();
        QCOMPARE(seen, QStringList({u"-D 0"_s, u"-L 0:"_s + toEcho(), u"-L 0:"_s + toEcho(), u"-R 0:"_s + toEcho()}));
        QVERIFY(RawPeer::tcp(socks).isValid());
        QCOMPARE(forward.status(SIGINT), 130);
        QCOMPARE(forward.process.readAllStandardError(), QByteArray());
        QVERIFY(!RawPeer::tcp(socks).isValid());
    }

    void aSandboxIsReachedBothWays()
    {
        Running forward({u"box"_s, u"-R"_s, u"0:"_s + toEcho(), u"--json"_s});
        const QJsonObject there = QJsonDocument::fromJson(forward.line()).object();
        QCOMPARE(there.value("event"_L1).toString(), u"listening"_s);
        QCOMPARE(there.value("direction"_L1).toString(), u"remote"_s);
        QCOMPARE(there.value("forward"_L1).toString(), u"-R 0:"_s + toEcho());
        QVERIFY(there.value("path"_L1).isNull() && there.value("port"_L1).toInt() > 0);
        QProcess inside;
        inside.start(cli(), {u"exec"_s, u"box"_s, u"--"_s, u"bash"_s, u"-c"_s,
                             u"exec 3<>/dev/tcp/127.0.0.1/%1; printf hello >&3; head -c 5 <&3"_s.arg(there.value("port"_L1).toInt())});
        QVERIFY(waitUntil([&] { return inside.state() == QProcess::NotRunning; }, kPatience));
        QCOMPARE(inside.readAllStandardOutput(), "hello"_ba);
        QCOMPARE(forward.status(SIGTERM), 130);
    }

    void aSandboxIsReachedByItsVendorsTunnel()
    {
        QProcess service;
        service.start(cli(), {u"exec"_s, u"box"_s, u"--"_s, u"python3"_s, u"-c"_s,
                              u"import socket\ns=socket.create_server((\"127.0.0.1\",0))\nprint(s.getsockname()[1],flush=True)\n"
                              "while True:\n c,_=s.accept()\n c.sendall(c.recv(100))\n c.close()"_s});
        QVERIFY(waitUntil([&] { return service.canReadLine(); }, kPatience));
        const QString there = QString::fromLatin1(service.readLine()).trimmed();
        Running forward({u"box"_s, u"--way"_s, u"tunnel"_s, u"-L"_s, u"0:localhost:"_s + there, u"--json"_s});
        const QJsonObject here = QJsonDocument::fromJson(forward.line()).object();
        QCOMPARE(here.value("event"_L1).toString(), u"listening"_s);
        QCOMPARE(here.value("way"_L1).toString(), u"tunnel"_s);
        RawPeer peer = RawPeer::tcp(quint16(here.value("port"_L1).toInt()));
        QVERIFY(peer.send("hello"));
        QCOMPARE(peer.receiveAll(), "hello"_ba);
        QCOMPARE(forward.status(SIGINT), 130);
        service.kill();
        QVERIFY(service.waitForFinished(kPatience));
    }

    void inTheBackgroundItGoesOnUntilItIsStopped_data()
    {
        QTest::addColumn<QStringList>("how");
        QTest::addColumn<bool>("byNumber");
        QTest::newRow("by its name") << QStringList{u"--name"_s, u"my echo"_s} << false;
        QTest::newRow("by its process") << QStringList() << true;
    }
    void inTheBackgroundItGoesOnUntilItIsStopped()
    {
        QFETCH(QStringList, how);
        QFETCH(bool, byNumber);
        Running forward(QStringList{u"-f"_s, target(u"openssh"_s), u"-L"_s, u"0:"_s + toEcho(), u"-D"_s, u"0"_s} + how);
        QByteArrayList lines{forward.line(), forward.line()};
        QCOMPARE(forward.status(), 0);
        // Nobody of it holds the output any more: a script's $(…) would go on.
        QVERIFY2(forward.process.readAllStandardError().isEmpty(), "nothing is said");
        std::ranges::sort(lines, {}, [](const QByteArray &line) { return line.split(' ').value(1); });
        QCOMPARE(RawPeer::tcp(portOf(lines.at(1))).exchange("hello"), "hellobye"_ba);

        QProcess list;
        list.start(cli(), {u"forwards"_s, u"ls"_s, u"--json"_s});
        QVERIFY(list.waitForFinished(kPatience));
        const QJsonArray all = QJsonDocument::fromJson(list.readAllStandardOutput()).array();
        QCOMPARE(all.size(), 1);
        const QJsonObject one = all.first().toObject();
        QCOMPARE(one.value("name"_L1).toString(), how.value(1, one.value("target"_L1).toString()));
        QCOMPARE(one.value("state"_L1).toString(), u"open"_s);
        const QJsonObject local = one.value("forwards"_L1).toArray().first().toObject();
        QCOMPARE(local.value("forward"_L1).toString(), u"-L 0:"_s + toEcho());
        QCOMPARE(local.value("state"_L1).toString(), u"listening"_s);
        QCOMPARE(local.value("at"_L1).toString().toUtf8(), lines.at(1).split(' ').first());
        list.start(cli(), {u"forwards"_s});
        QVERIFY(list.waitForFinished(kPatience));
        const QByteArray table = list.readAllStandardOutput();
        QVERIFY2(table.startsWith("NAME") && table.contains("-L 0:" + toEcho().toUtf8()), table.constData());

        QCOMPARE(QProcess::execute(cli(), {u"forwards"_s, u"stop"_s, u"somebody"_s}), 1);
        const QString name = byNumber ? QString::number(one.value("process"_L1).toInteger()) : how.at(1);
        QCOMPARE(QProcess::execute(cli(), {u"forwards"_s, u"stop"_s, name}), 0);
        QVERIFY(waitUntil([&] { return !RawPeer::tcp(portOf(lines.at(1))).isValid(); }, kPatience));
        QVERIFY(waitUntil([&] {
            list.start(cli(), {u"forwards"_s, u"ls"_s, u"--json"_s});
            return list.waitForFinished(kPatience) && list.readAllStandardOutput() == "[]\n";
        }, kPatience));
    }

    void theBackgroundIsNotReachedWhereOneFails()
    {
        const quint16 busy = m_echo.port();
        Running forward({u"-f"_s, target(u"openssh"_s), u"-L"_s, u"0:"_s + toEcho(), u"-L"_s, u"%1:a:1"_s.arg(busy)});
        QCOMPARE(forward.status(), 1);
        const QByteArray said = forward.process.readAllStandardError();
        QVERIFY2(said.contains("is in use on this computer"), said.constData());
        QProcess list;
        list.start(cli(), {u"forwards"_s, u"ls"_s, u"--json"_s});
        QVERIFY(list.waitForFinished(kPatience));
        QCOMPARE(list.readAllStandardOutput(), "[]\n"_ba);
    }

    void oneThatWasKilledIsNotListed()
    {
        auto forward = std::make_unique<Running>(QStringList{target(u"openssh"_s), u"-D"_s, u"0"_s});
        QVERIFY(!forward->line().isEmpty());
        QCOMPARE(QProcess::execute(cli(), {u"forwards"_s, u"stop"_s, u"--all"_s, u"--json"_s, u"x"_s}), 2);
        forward.reset(); // SIGKILL
        QProcess list;
        list.start(cli(), {u"forwards"_s, u"ls"_s, u"--json"_s});
        QVERIFY(list.waitForFinished(kPatience));
        QCOMPARE(list.readAllStandardOutput(), "[]\n"_ba);
    }

    void whatIsMistypedIsNamed_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("nothing") << QStringList() << "forward takes one TARGET"_ba;
        QTest::newRow("no forward") << QStringList{u"box"_s} << "at least one -L, -R or -D"_ba;
        QTest::newRow("a port out of range") << QStringList{u"box"_s, u"-L"_s, u"70000:a:1"_s} << "-L needs a port from 0 to 65535, not '70000'\n  70000:a:1\n  ^"_ba;
        QTest::newRow("half a spec") << QStringList{u"box"_s, u"-R"_s, u"80:a"_s} << "-R needs a port"_ba;
        QTest::newRow("SOCKS with a target") << QStringList{u"box"_s, u"-D"_s, u"1:a:2"_s} << "-D must be [address:]port"_ba;
        QTest::newRow("a newline") << QStringList{u"box"_s, u"-L"_s, u"80:a\nb:1"_s} << "-L must be"_ba;
        QTest::newRow("a way nobody knows") << QStringList{u"box"_s, u"-D"_s, u"1"_s, u"--way"_s, u"pigeon"_s} << "--way must be auto, ssh, tunnel or bridge"_ba;
        QTest::newRow("two targets") << QStringList{u"box"_s, u"box"_s, u"-D"_s, u"1"_s} << "forward takes one TARGET"_ba;
        QTest::newRow("an unknown option") << QStringList{u"box"_s, u"--nothing"_s} << "nothing"_ba;
    }
    void whatIsMistypedIsNamed()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, words);
        Running forward(arguments);
        QCOMPARE(forward.status(), 2);
        const QByteArray said = forward.process.readAllStandardError();
        QVERIFY2(said.contains(words), said.constData());
        // What is wrong within a line of words is shown below it.
        QCOMPARE(said.count('\n'), said.contains('^') ? 3 : 1);
        QCOMPARE(forward.process.readAllStandardOutput(), QByteArray());
    }

    void whereNothingIsLeftItEnds_data()
    {
        QTest::addColumn<QString>("at");
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("words");
        const QString busy = QString::number(m_echo.port());
        QTest::newRow("port in use") << target(u"openssh"_s) << QStringList{u"-L"_s, busy + u":a:1"_s} << "port " + busy.toUtf8() + " is in use on this computer";
        QTest::newRow("all fail") << target(u"openssh"_s) << QStringList{u"--way"_s, u"ssh"_s, u"-D"_s, busy, u"-R"_s, u"/there.sock:a:1"_s} << "listen at a UNIX socket"_ba;
        QTest::newRow("socket at dropbear") << target(u"dropbear"_s) << QStringList{u"--way"_s, u"ssh"_s, u"-L"_s, u"0:/x"_s} << "OpenSSH's server only"_ba;
        QTest::newRow("a tunnel to a host") << target(u"openssh"_s) << QStringList{u"--way"_s, u"tunnel"_s, u"-D"_s, u"0"_s} << "no tunnel of its own"_ba;
        QTest::newRow("a tunnel the other way") << u"box"_s << QStringList{u"--way"_s, u"tunnel"_s, u"-R"_s, u"1:a:2"_s} << "the vendor's tunnel leads into the sandbox"_ba;
        QTest::newRow("nobody there") << u"ssh://me@127.0.0.1:1"_s << QStringList{u"-D"_s, u"0"_s} << "refused"_ba;
        QTest::newRow("no such sandbox") << u"nobody"_s << QStringList{u"-D"_s, u"0"_s} << "nobody"_ba;
    }
    void whereNothingIsLeftItEnds()
    {
        QFETCH(QString, at);
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, words);
        Running forward(QStringList(at) + arguments);
        QCOMPARE(forward.status(), 1);
        const QByteArray said = forward.process.readAllStandardError();
        QVERIFY2(said.contains(words), said.constData());
        QCOMPARE(forward.process.readAllStandardOutput(), QByteArray());
    }

    void oneThatFailsDoesNotEndTheOthers()
    {
        Running forward({target(u"openssh"_s), u"-L"_s, u"%1:a:1"_s.arg(m_echo.port()), u"-L"_s, u"0:"_s + toEcho(), u"-L"_s, u"0:127.0.0.1:1"_s});
        const quint16 port = portOf(forward.line());
        const quint16 dead = portOf(forward.line());
        QCOMPARE(RawPeer::tcp(port).exchange("x"), "xbye"_ba);
        for (int i = 0; i < 2; ++i)
            (void)RawPeer::tcp(dead).receiveAll();
        QCOMPARE(RawPeer::tcp(port).exchange("y"), "ybye"_ba);
        QCOMPARE(forward.status(SIGINT), 130);
        const QByteArray said = forward.process.readAllStandardError();
        QVERIFY2(said.contains("is in use on this computer") && said.count("a connection could not be made") == 1 && said.count('\n') == 2, said.constData());
    }

    void afterALossItComesBack()
    {
        CuttableProxy network(m_openSsh->port());
        QVERIFY(introduce(*m_openSsh, network.port()));
        Running forward({u"ssh://%1@127.0.0.1:%2"_s.arg(m_openSsh->user()).arg(network.port()), u"-L"_s, u"0:"_s + toEcho()});
        const QByteArray first = forward.line();
        QVERIFY2(portOf(first) != 0, forward.process.readAllStandardError().constData());
        network.cutOnce();
        QCOMPARE(forward.line(), first);
        network.cut();
        QByteArray said;
        QVERIFY(waitUntil([&] {
            said += forward.process.readAllStandardError();
            return said.contains("Trying again; Ctrl-C stops.");
        }, kPatience));
        network.resume();
        QCOMPARE(forward.line(), first);
        auto client = std::async(std::launch::async, [port = portOf(first)] { return RawPeer::tcp(port).exchange("hello"); });
        QVERIFY(waitUntil([&] { return client.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }, kPatience));
        QCOMPARE(client.get(), "hellobye"_ba);
        QCOMPARE(forward.status(SIGINT), 130);
    }
};

QTEST_GUILESS_MAIN(TestCliForward)
#include "tst_cliforward.moc"

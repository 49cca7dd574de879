// Networks of sandboxes: each its own, reached through its init process, with a way out where pasta works.
#include "tests/gateway/sandboxfixture.h"

#include <QTcpServer>
#include <QTcpSocket>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

using namespace Sandpiper;
using namespace Sandpiper::TestSupport;

namespace {

// A server inside that says who it is to everyone, until let go.
Result<SandboxProcess> serve(const AgentClient &agent, int port, const QString &text, const QString &host = u"0.0.0.0"_s)
{
    SpawnSpec spec;
    spec.argv = {u"python3"_s, u"-c"_s,
                 u"import socket\n"
                 "s = socket.create_server(('%1', %2), family=socket.%4)\n"
                 "print('up', flush=True)\n"
                 "while True:\n"
                 "    c = s.accept()[0]\n"
                 "    c.sendall(b'%3')\n"
                 "    c.close()\n"_s.arg(host).arg(port).arg(text, host.contains(u':') ? u"AF_INET6"_s : u"AF_INET"_s)};
    auto process = agent.spawn(spec);
    if (process && !readUntil(process->output.get(), "up").contains("up"))
        return failure(ErrorKind::Io, Layer::Tcp, u"the server did not start"_s);
    return process;
}

QByteArray ask(const AgentClient &agent, const QString &host, quint16 port)
{
    const auto fd = agent.dial(host, port);
    return fd ? readAll(fd->get()) : describe(fd.error()).toUtf8();
}

} // namespace

class SandboxNetworkTest : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void cleanupTestCase() { m_store.reset(); }
    void twoSandboxesServeTheSamePort();
    void portsInsideAreNotPortsOutside();
    void dialSaysWhyNot_data();
    void dialSaysWhyNot();
    void dialTakesNamesAndBothFamilies();
    void dialNeverMeetsItself();
    void slowDialHoldsUpNobody();
    void listenerTakesConnectionsFromInside_data();
    void listenerTakesConnectionsFromInside();
    void listenSaysWhyNot();
    void abstractSocketsOfThisComputerAreOutOfReach();
    void wayOutIsThereOrSaidNotToBe();
    void loopbackOfThisComputerIsOutOfReach();

private:
    StoreFolder m_folder;
    std::unique_ptr<SandboxStore> m_store;
    QString m_id;
    AgentClient m_one, m_two;
};

void SandboxNetworkTest::initTestCase()
{
    m_store = m_folder.store();
    QCOMPARE(m_store->unusableBecause(), QString());
    m_id = newSandbox(*m_store);
    m_one = m_store->lookup(m_id)->agent;
    m_two = m_store->lookup(newSandbox(*m_store))->agent;
    QVERIFY(m_one.isValid() && m_two.isValid());
}

void SandboxNetworkTest::twoSandboxesServeTheSamePort()
{
    const auto one = serve(m_one, 8000, u"one"_s);
    const auto two = serve(m_two, 8000, u"two"_s);
    QVERIFY(one);
    QVERIFY(two);
    QCOMPARE(ask(m_one, u"127.0.0.1"_s, 8000), "one");
    QCOMPARE(ask(m_two, u"127.0.0.1"_s, 8000), "two");
    QCOMPARE(ask(m_one, u"localhost"_s, 8000), "one");
}

void SandboxNetworkTest::portsInsideAreNotPortsOutside()
{
    QTcpServer outside;
    QVERIFY(outside.listen(QHostAddress::LocalHost));
    QCOMPARE(m_one.dial(u"127.0.0.1"_s, outside.serverPort()).error().kind, ErrorKind::ConnectionRefused);
    // The same number may be taken there and here.
    const auto inside = serve(m_one, outside.serverPort(), u"inside"_s);
    QVERIFY(inside);
    QCOMPARE(ask(m_one, u"127.0.0.1"_s, outside.serverPort()), "inside");
    const auto other = serve(m_one, 18765, u"inside"_s);
    QVERIFY(other);
    QTcpSocket socket;
    socket.connectToHost(QHostAddress::LocalHost, 18765);
    QTRY_COMPARE_WITH_TIMEOUT(socket.state(), QAbstractSocket::UnconnectedState, patience);
    QCOMPARE(socket.error(), QAbstractSocket::ConnectionRefusedError);
}

void SandboxNetworkTest::dialSaysWhyNot_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<int>("port");
    QTest::addColumn<ErrorKind>("kind");
    QTest::newRow("nobody there") << u"127.0.0.1"_s << 1 << ErrorKind::ConnectionRefused;
    QTest::newRow("nobody on either") << u"localhost"_s << 1 << ErrorKind::ConnectionRefused;
    QTest::newRow("IPv6") << u"::1"_s << 1 << ErrorKind::ConnectionRefused;
    QTest::newRow("port 0") << u"127.0.0.1"_s << 0 << ErrorKind::InvalidInput;
    QTest::newRow("no such name") << u"no such host.invalid"_s << 80 << ErrorKind::HostNotFound;
    QTest::newRow("NUL") << u"a\0b"_s << 80 << ErrorKind::InvalidInput;
    QTest::newRow("too long") << QString(300, u'x') << 80 << ErrorKind::InvalidInput;
}

void SandboxNetworkTest::dialSaysWhyNot()
{
    QFETCH(QString, host);
    QFETCH(int, port);
    const auto fd = m_one.dial(host, quint16(port));
    QVERIFY(!fd);
    QTEST(fd.error().kind, "kind");
}

void SandboxNetworkTest::dialTakesNamesAndBothFamilies()
{
    const auto six = serve(m_one, 8600, u"six"_s, u"::1"_s);
    QVERIFY(six);
    QCOMPARE(ask(m_one, u"::1"_s, 8600), "six");
    QCOMPARE(ask(m_one, u"localhost"_s, 8600), "six");
    const auto four = serve(m_one, 8400, u"four"_s);
    QVERIFY(four);
    QCOMPARE(ask(m_one, u"tl-sbx"_s, 8400), "four");
}

void SandboxNetworkTest::dialNeverMeetsItself()
{
    // The kernel gives a dialler any free port of this range, its own target too.
    const QList<QByteArray> range = run(m_one, "cat /proc/sys/net/ipv4/ip_local_port_range").simplified().split(' ');
    QCOMPARE(range.size(), 2);
    int code = 0;
    run(m_one, "python3 -c '\nimport socket\n'", &code);
    QCOMPARE(code, 0);
    for (int i = 0; i < 200; ++i)
        QCOMPARE(m_one.dial(u"127.0.0.1"_s, quint16(range[0].toUInt() + uint(i))).error().kind, ErrorKind::ConnectionRefused);
}

void SandboxNetworkTest::slowDialHoldsUpNobody()
{
    // A listener that takes nobody, with a full queue: a dial there waits.
    SpawnSpec spec;
    spec.argv = {u"python3"_s, u"-c"_s,
                 u"import socket, time\n"
                 "s = socket.socket(); s.bind(('127.0.0.1', 8700)); s.listen(0)\n"
                 "c = [socket.socket() for i in range(4)]\n"
                 "for one in c: one.setblocking(False); one.connect_ex(('127.0.0.1', 8700))\n"
                 "print('full', flush=True); time.sleep(1000)\n"_s};
    const auto process = m_one.spawn(spec);
    QVERIFY(process);
    QVERIFY(readUntil(process->output.get(), "full").contains("full"));
    Result<Fd> slow;
    std::thread dialler([&] { slow = m_one.dial(u"127.0.0.1"_s, 8700, std::chrono::seconds(3)); });
    for (int i = 0; i < 20; ++i)
        QCOMPARE(run(m_one, "echo quick"), "quick\n");
    dialler.join();
    QVERIFY(!slow);
    QCOMPARE(slow.error().kind, ErrorKind::Timeout);
}

void SandboxNetworkTest::listenerTakesConnectionsFromInside_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<QByteArray>("from");
    QTest::newRow("loopback") << u"127.0.0.1"_s << QByteArray("127.0.0.1");
    QTest::newRow("localhost") << u"localhost"_s << QByteArray("localhost");
    QTest::newRow("IPv6") << u"::1"_s << QByteArray("::1");
    QTest::newRow("all, by IPv4") << QString() << QByteArray("127.0.0.1");
    QTest::newRow("all, by IPv6") << u"*"_s << QByteArray("::1");
    QTest::newRow("0.0.0.0") << u"0.0.0.0"_s << QByteArray("127.0.0.1");
}

void SandboxNetworkTest::listenerTakesConnectionsFromInside()
{
    QFETCH(QString, host);
    QFETCH(QByteArray, from);
    const auto listener = m_one.listen(host, 0);
    QVERIFY2(listener, qPrintable(listener ? QString() : describe(listener.error())));
    QVERIFY(listener->port > 0);
    SpawnSpec spec;
    spec.argv = {u"python3"_s, u"-c"_s,
                 u"import socket; print(socket.create_connection(('%1', %2)).recv(5).decode())"_s
                         .arg(QString::fromLatin1(from)).arg(listener->port)};
    auto process = m_one.spawn(spec);
    QVERIFY(process);
    QVERIFY(canRead(listener->fd.get(), patience));
    {
        const Fd peer(::accept(listener->fd.get(), nullptr, nullptr));
        QVERIFY(peer.isValid());
        QCOMPARE(::write(peer.get(), "hello", 5), 5);
    }
    QCOMPARE(readAll(process->output.get()), "hello\n");
    QCOMPARE(m_two.dial(u"127.0.0.1"_s, listener->port).error().kind, ErrorKind::ConnectionRefused);
}

void SandboxNetworkTest::listenSaysWhyNot()
{
    const auto first = m_one.listen(u"127.0.0.1"_s, 0);
    QVERIFY(first);
    QCOMPARE(m_one.listen(u"127.0.0.1"_s, first->port).error().kind, ErrorKind::Conflict);
    QVERIFY(m_two.listen(u"127.0.0.1"_s, first->port));
    QCOMPARE(m_one.listen(u"some.name"_s, 0).error().kind, ErrorKind::HostNotFound);
    QCOMPARE(m_one.listen(u"203.0.113.77"_s, 0).error().kind, ErrorKind::HostUnreachable);
    QCOMPARE(m_one.listen(u"127.0.0.1"_s, 80).error().kind, ErrorKind::PermissionDenied);
}

void SandboxNetworkTest::abstractSocketsOfThisComputerAreOutOfReach()
{
    const QByteArray name = "sandpiper-test-" + QByteArray::number(::getpid());
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path + 1, name.constData(), size_t(name.size()));
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    QCOMPARE(::bind(listener.get(), reinterpret_cast<const sockaddr *>(&address), socklen_t(offsetof(sockaddr_un, sun_path) + 1 + size_t(name.size()))), 0);
    QCOMPARE(::listen(listener.get(), 1), 0);
    QCOMPARE(run(m_one, "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); print(s.connect_ex(chr(0) + \"" + name + "\"))'"),
             QByteArray::number(ECONNREFUSED) + '\n');
}

void SandboxNetworkTest::wayOutIsThereOrSaidNotToBe()
{
    const LocalSandbox sandbox = *m_store->lookup(m_id);
    const QByteArray routes = run(m_one, "ip route show default");
    QCOMPARE(sandbox.hasNetwork, sandbox.networkNote.isEmpty());
    if (sandbox.hasNetwork) {
        QVERIFY2(routes.startsWith("default "), routes);
    } else {
        qInfo() << sandbox.networkNote;
        QCOMPARE(routes, "");
        QVERIFY(sandbox.networkNote.contains(u"pasta"_s));
        QVERIFY(sandbox.networkNote.endsWith(u'.'));
    }
}

void SandboxNetworkTest::loopbackOfThisComputerIsOutOfReach()
{
    // Neither at the loopback's own addresses nor through the gateway's, which pasta maps by default.
    QTcpServer outside;
    QVERIFY(outside.listen(QHostAddress::LocalHost));
    QByteArrayList addresses = {"127.0.0.1", "169.254.1.1"};
    const QByteArray gateway = run(m_one, "ip route show default | awk '{print $3}'").trimmed();
    if (!gateway.isEmpty())
        addresses.append(gateway.split('\n').first());
    for (const QByteArray &address : std::as_const(addresses)) {
        const auto fd = m_one.dial(QString::fromLatin1(address), outside.serverPort(), std::chrono::seconds(2));
        QVERIFY(!fd || !outside.hasPendingConnections());
    }
    QTest::qWait(0);
    QVERIFY(!outside.hasPendingConnections());
}

QTEST_GUILESS_MAIN(SandboxNetworkTest)
#include "tst_sandboxnetwork.moc"

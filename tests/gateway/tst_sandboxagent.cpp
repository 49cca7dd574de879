// The init process and hostile bytes: nothing that comes over its socket stops it from serving others.
#include "gateway/agentrequest.h"
#include "tests/gateway/sandboxfixture.h"

#include <QRandomGenerator>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

using namespace Sandpiper;
using namespace Sandpiper::TestSupport;

namespace {

Fd connected(const QString &path)
{
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path.toUtf8().constData(), size_t(path.toUtf8().size()));
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
        fd.reset();
    return fd;
}

bool put(const Fd &fd, const QByteArray &packet)
{
    return ::send(fd.get(), packet.constData(), size_t(packet.size()), MSG_NOSIGNAL) == packet.size();
}

QByteArray framed(const QByteArray &body)
{
    Wire::Writer head;
    head.u32(uint32_t(body.size()));
    return QByteArray::fromStdString(head.bytes()) + body;
}

QByteArray spawnBody()
{
    Wire::Writer body = agentBody(Wire::Operation::Spawn);
    for (const uint32_t number : {0U, 80U, 24U})
        body.u32(number);
    body.text("");
    body.text("");
    body.u32(2);
    body.text("sleep");
    body.text("1000");
    body.u32(0);
    return QByteArray::fromStdString(body.bytes());
}

// What comes back: the status of a reply, -1 where the connection closes without one.
int answerOn(const Fd &fd)
{
    if (!canRead(fd.get(), patience))
        return -2;
    unsigned char buffer[4096];
    const ssize_t size = ::recv(fd.get(), buffer, sizeof buffer, 0);
    return size > 0 ? buffer[0] : -1;
}

} // namespace

class SandboxAgentTest : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void cleanupTestCase() { m_store.reset(); }
    void hostileRequestIsRefused_data();
    void hostileRequestIsRefused();
    void everyByteValueInEveryPlaceIsSurvived();
    void randomBytesAreSurvived();
    void hostileControlHangsUp_data();
    void hostileControlHangsUp();
    void silentClientsHoldUpNobody();
    void clientsThatLeaveEarlyLeaveNothing();
    void socketIsPrivate();

private:
    void stillServes() { QCOMPARE(run(m_agent, "echo serving"), "serving\n"); }
    StoreFolder m_folder;
    std::unique_ptr<SandboxStore> m_store;
    AgentClient m_agent;
    QString m_socket;
};

void SandboxAgentTest::initTestCase()
{
    m_store = m_folder.store();
    const QString id = newSandbox(*m_store);
    QVERIFY(!id.isEmpty());
    m_agent = m_store->lookup(id)->agent;
    m_socket = m_folder.path(u"run/"_s + id);
}

void SandboxAgentTest::hostileRequestIsRefused_data()
{
    QTest::addColumn<QByteArrayList>("packets");
    const auto row = [](const char *name, const QByteArrayList &packets) { QTest::newRow(name) << packets; };
    const QByteArray spawn = spawnBody();
    row("one byte", {"x"});
    row("length of nothing", {QByteArray(4, 0)});
    row("length of 4 GiB", {QByteArray(4, char(0xff)) + "x"});
    row("length of 1 MiB + 1", {QByteArray("\x01\x00\x10\x00", 4) + "xx"});
    row("longer than announced", {framed("ab") + "c"});
    row("longer by a packet", {QByteArray("\x04\x00\x00\x00", 4) + "ab", "cde"});
    row("packet of 64 KiB", {QByteArray(64 << 10, 'x')});
    row("another version", {framed("\x02" + spawn.sliced(1))});
    row("no such operation", {framed(QByteArray("\x01\xee", 2))});
    row("operation 0", {framed(QByteArray("\x01\x00", 2))});
    row("a spawn of nothing", {framed(spawn.first(2))});
    row("a text without its end", {framed(spawn.first(20))});
    row("more than the request", {framed(spawn + "x")});
    row("4 G arguments", {framed(spawn.first(22) + QByteArray(4, char(0xff)))});
    row("no program", {framed(spawn.first(22) + QByteArray(8, 0))});
    row("dial without a host", {framed(QByteArray("\x01\x02", 2))});
    row("listen without a host", {framed(QByteArray("\x01\x03", 2))});
    row("port 65536", {framed(QByteArray("\x01\x03\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00", 14))});
}

void SandboxAgentTest::hostileRequestIsRefused()
{
    QFETCH(QByteArrayList, packets);
    const Fd fd = connected(m_socket);
    QVERIFY(fd.isValid());
    for (const QByteArray &packet : std::as_const(packets))
        put(fd, packet);
    const int status = answerOn(fd);
    QVERIFY2(status == -1 || status == int(Wire::Status::BadRequest), QByteArray::number(status));
    stillServes();
}

void SandboxAgentTest::everyByteValueInEveryPlaceIsSurvived()
{
    const QByteArray spawn = spawnBody();
    for (qsizetype at = 0; at < spawn.size(); ++at) {
        for (const int value : {0, 1, 2, 3, 0x7f, 0x80, 0xff}) {
            QByteArray body = spawn;
            body[at] = char(value);
            const Fd fd = connected(m_socket);
            QVERIFY(put(fd, framed(body)));
            QVERIFY(answerOn(fd) != -2);
        }
    }
    stillServes();
}

void SandboxAgentTest::randomBytesAreSurvived()
{
    QRandomGenerator random(4711);
    for (int i = 0; i < 300; ++i) {
        const Fd fd = connected(m_socket);
        QVERIFY(fd.isValid());
        for (int packet = 0; packet < 3; ++packet) {
            QByteArray bytes(random.bounded(1, 200), Qt::Uninitialized);
            for (char &byte : bytes)
                byte = char(random.bounded(256));
            if (random.bounded(2) == 0) {
                bytes.prepend(char(random.bounded(1, 7))).prepend('\x01');
                // Not those two: they are real, and stop the sandbox.
                if (bytes[1] != char(Wire::Operation::Freeze))
                    put(fd, framed(bytes));
            } else {
                put(fd, bytes);
            }
        }
    }
    stillServes();
}

void SandboxAgentTest::hostileControlHangsUp_data()
{
    QTest::addColumn<QByteArray>("packet");
    QTest::newRow("unknown") << QByteArray("X");
    QTest::newRow("half a signal") << QByteArray("S\x0f", 2);
    QTest::newRow("signal 0") << QByteArray("S\0\0\0\0", 5);
    QTest::newRow("signal 4000") << QByteArray("S\xa0\x0f\0\0", 5);
    QTest::newRow("signal -1") << QByteArray("S\xff\xff\xff\xff", 5);
    QTest::newRow("more than a signal") << QByteArray("S\x0f\0\0\0\0", 6);
    QTest::newRow("resize of a pipe") << QByteArray("R\x0f\0\0\0\x0f\0\0\0", 9);
    QTest::newRow("32 KiB") << QByteArray(32 << 10, 'S');
    QTest::newRow("empty") << QByteArray();
}

void SandboxAgentTest::hostileControlHangsUp()
{
    QFETCH(QByteArray, packet);
    const Fd fd = connected(m_socket);
    QVERIFY(put(fd, framed(spawnBody())));
    QCOMPARE(answerOn(fd), 0);
    put(fd, packet);
    QCOMPARE(answerOn(fd), -1);
    QTRY_VERIFY_WITH_TIMEOUT(!run(m_agent, "ps -eo args").contains("sleep 1000"), patience);
}

void SandboxAgentTest::silentClientsHoldUpNobody()
{
    // Some say nothing, some half a request; past 256 of them the oldest must go before others come.
    std::vector<Fd> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(connected(m_socket));
        QVERIFY(clients.back().isValid());
        if (i % 2)
            QVERIFY(put(clients.back(), framed(spawnBody()).first(7)));
    }
    stillServes();
    for (int i = 0; i < 100; ++i)
        clients.push_back(connected(m_socket));
    const auto served = [this] { return run(m_agent, "echo serving") == "serving\n"; };
    QTRY_VERIFY_WITH_TIMEOUT(served(), patience);
    // Each is told, in the end.
    QCOMPARE(answerOn(clients.front()), int(Wire::Status::TimedOut));
}

void SandboxAgentTest::clientsThatLeaveEarlyLeaveNothing()
{
    for (int i = 0; i < 50; ++i) {
        Fd fd = connected(m_socket);
        QVERIFY(put(fd, framed(spawnBody())));
        if (i % 2)
            answerOn(fd);
    }
    QTRY_VERIFY_WITH_TIMEOUT(!run(m_agent, "ps -eo args").contains("sleep 1000"), patience);
    stillServes();
}

void SandboxAgentTest::socketIsPrivate()
{
    struct stat about = {};
    QCOMPARE(::stat(qPrintable(m_socket), &about), 0);
    QCOMPARE(about.st_mode & 0777, 0600U);
    QCOMPARE(::stat(qPrintable(m_folder.path(u"run"_s)), &about), 0);
    QCOMPARE(about.st_mode & 0777, 0700U);
}

QTEST_GUILESS_MAIN(SandboxAgentTest)
#include "tst_sandboxagent.moc"

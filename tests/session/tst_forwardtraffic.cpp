// What goes through a forward: how much, how fast, over which connections; and SOCKS for those at the server's end.
#include "tests/support/forwarding.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/processwitness.h"
#include "tests/support/rawpeer.h"
#include "tests/support/testsshd.h"

#include <QElapsedTimer>
#include <QProcess>
#include <QTest>
#include <QtEndian>

#include <array>
#include <thread>
#include <vector>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using Kind = ForwardSpec::Kind;

namespace {

constexpr int kPatience = Forwarding::kPatience;

} // namespace

class TestForwardTraffic : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_openSsh;
    std::unique_ptr<TestSshd> m_dropbear;
    std::unique_ptr<LoopbackServer> m_echo; // anew for each test: it keeps its sockets
    ProcessHoldings m_before;

    [[nodiscard]] QString toEcho() const { return u"0:127.0.0.1:%1"_s.arg(m_echo->port()); }
    [[nodiscard]] const TestSshd &server(const QString &name) const { return name == u"dropbear" ? *m_dropbear : *m_openSsh; }
    static void addServers()
    {
        QTest::addColumn<QString>("server");
        for (const char *name : {"openssh", "dropbear"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    static void addDirections()
    {
        QTest::addColumn<Kind>("option");
        QTest::newRow("local") << Kind::Local;
        QTest::newRow("remote") << Kind::Remote;
    }
    // To the echo, by SOCKS 5.
    [[nodiscard]] QByteArray socksWish() const
    {
        QByteArray wish = QByteArray::fromHex("050100 05010001 7f000001 0000");
        qToBigEndian(m_echo->port(), wish.data() + wish.size() - 2);
        return wish;
    }

private slots:
    void initTestCase()
    {
        m_openSsh = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh);
        m_dropbear = std::make_unique<TestSshd>(TestSshd::Kind::Dropbear);
        for (const TestSshd *server : {m_openSsh.get(), m_dropbear.get()})
            SANDPIPER_NEED_SSHD(*server);
    }
    void cleanupTestCase()
    {
        m_openSsh.reset();
        m_dropbear.reset();
    }
    void init()
    {
        m_before = ProcessHoldings::now();
        m_echo = std::make_unique<LoopbackServer>();
        m_echo->start(serveEcho);
        QVERIFY(m_echo->port() != 0);
    }
    void cleanup()
    {
        m_echo.reset();
        QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().descriptors <= m_before.descriptors, kPatience);
    }

    void whatPassesIsCountedForTheForwardAndForEachConnection_data() { addDirections(); }
    void whatPassesIsCountedForTheForwardAndForEachConnection()
    {
        QFETCH(Kind, option);
        Forwarding forwarding(m_openSsh->options());
        const int id = forwarding.add(option, toEcho());
        const quint16 port = forwarding.port(id);
        QVERIFY2(port != 0, forwarding.why().constData());
        // Towards the sandbox, seen from here: a remote forward's client is there.
        const bool isSender = option == Kind::Local;
        const QByteArray bytes = everyByte(1'000'000);
        RawPeer gone = RawPeer::tcp(port);
        QCOMPARE(gone.exchange(bytes).size(), bytes.size() + 3);
        RawPeer client = RawPeer::tcp(port);
        QVERIFY(client.send("ten bytes."));
        QCOMPARE(client.receive(10), "ten bytes."_ba);
        const auto told = [&] { return forwarding.traffic.value(id); };
        QVERIFY2(waitUntil([&] { return told().open.size() == 1 && told().open.constFirst().sent == 10 && told().open.constFirst().received == 10; }, kPatience),
                 QByteArray::number(told().open.size()).constData());
        QCOMPARE(told().connections, 2);
        QCOMPARE(told().sent, isSender ? 1'000'010 : 1'000'013);
        QCOMPARE(told().received, isSender ? 1'000'013 : 1'000'010);
        const ForwardConnection open = told().open.constFirst();
        QCOMPARE(open.id, 2U);
        QVERIFY2(open.from.startsWith(u"127.0.0.1:"_s) && open.from.size() > 10, qPrintable(open.from));
        QCOMPARE(open.to, u"127.0.0.1:%1"_s.arg(m_echo->port()));
        QVERIFY(open.since.isValid() && open.movedAt >= open.since);
        client.closeWrite();
        QCOMPARE(client.receiveAll(), "bye"_ba);
        QVERIFY(waitUntil([&] { return told().open.isEmpty(); }, kPatience));
        QCOMPARE(told().sent + told().received, 2'000'026);
    }

    void aConnectionIsClosedAndTheOthersGoOn_data() { addDirections(); }
    void aConnectionIsClosedAndTheOthersGoOn()
    {
        QFETCH(Kind, option);
        Forwarding forwarding(m_openSsh->options());
        const int id = forwarding.add(option, toEcho());
        const quint16 port = forwarding.port(id);
        QVERIFY2(port != 0, forwarding.why().constData());
        RawPeer first = RawPeer::tcp(port);
        QVERIFY(first.send("a"));
        QCOMPARE(first.receive(1), "a"_ba);
        RawPeer second = RawPeer::tcp(port);
        QVERIFY(second.send("b"));
        QCOMPARE(second.receive(1), "b"_ba);
        QVERIFY(waitUntil([&] { return forwarding.traffic.value(id).open.size() == 2; }, kPatience));
        forwarding.link.closeForwardConnection(id, forwarding.traffic.value(id).open.constFirst().id);
        QCOMPARE(first.receiveAll(), QByteArray());
        QVERIFY(first.isOver());
        QCOMPARE(second.exchange("c"), "cbye"_ba);
        forwarding.link.closeForwardConnection(id, 99); // nobody's
        forwarding.link.closeForwardConnection(99, 1);
        QCOMPARE(RawPeer::tcp(port).exchange("d"), "dbye"_ba);
    }

    void aLimitHoldsForAllConnectionsTogether_data() { addDirections(); }
    void aLimitHoldsForAllConnectionsTogether()
    {
        QFETCH(Kind, option);
        Forwarding forwarding(m_openSsh->options());
        const int id = forwarding.add(option, toEcho());
        forwarding.link.limitForward(id, 200 << 10);
        const quint16 port = forwarding.port(id);
        QVERIFY2(port != 0, forwarding.why().constData());
        QElapsedTimer clock;
        clock.start();
        const QByteArray bytes = everyByte(150 << 10);
        std::array<QByteArray, 2> back;
        std::vector<std::thread> clients;
        for (QByteArray &each : back)
            clients.emplace_back([&each, &bytes, port] { each = RawPeer::tcp(port).exchange(bytes); });
        for (std::thread &client : clients)
            client.join();
        for (const QByteArray &each : back)
            QVERIFY(each == bytes + "bye");
        // 300 KiB each way at 200 KiB a second, a tenth of a second in advance. It can only be later.
        QVERIFY2(clock.elapsed() >= 1'350, QByteArray::number(clock.elapsed()).constData());
    }

    void aLimitThatIsLiftedHoldsNobodyUp()
    {
        Forwarding forwarding(m_openSsh->options());
        const int id = forwarding.add(Kind::Local, toEcho());
        forwarding.link.limitForward(id, 1);
        const quint16 port = forwarding.port(id);
        QVERIFY2(port != 0, forwarding.why().constData());
        const QByteArray bytes = everyByte(4'000'000);
        QByteArray back;
        std::thread client([&] { back = RawPeer::tcp(port).exchange(bytes); });
        const bool waits = waitUntil([&] { return forwarding.traffic.value(id).sent > 0; }, kPatience);
        forwarding.link.limitForward(id, 0);
        client.join();
        QVERIFY(waits);
        QVERIFY(back == bytes + "bye");
    }

    void curlThereGoesOutFromHere_data() { addServers(); }
    void curlThereGoesOutFromHere()
    {
        QFETCH(QString, server);
        LoopbackServer web;
        web.start([](int socket) {
            RawPeer peer(socket);
            if (!peer.receive(1).isEmpty())
                peer.send("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        });
        {
            Forwarding forwarding(this->server(server).options());
            const int id = forwarding.add(Kind::Remote, u"0"_s);
            const quint16 port = forwarding.port(id);
            QVERIFY2(port != 0, forwarding.why().constData());
            for (const QString &way : {u"--socks5-hostname"_s, u"--socks5"_s, u"--socks4a"_s, u"--socks4"_s}) {
                const QString host = way.endsWith("4"_L1) || way.endsWith("5"_L1) ? u"127.0.0.1"_s : u"localhost"_s;
                QProcess curl;
                curl.start(u"curl"_s, {u"-sS"_s, u"--noproxy"_s, u"-"_s, way, u"127.0.0.1:%1"_s.arg(port), u"http://%1:%2/"_s.arg(host).arg(web.port())});
                QVERIFY(waitUntil([&] { return curl.state() == QProcess::NotRunning; }, kPatience));
                const QByteArray said = curl.readAllStandardOutput();
                QVERIFY2(said == "hello", (way.toLatin1() + ": " + said + curl.readAllStandardError()).constData());
            }
            QVERIFY(waitUntil([&] { return forwarding.traffic.value(id).connections == 4; }, kPatience));
        }
        web.stop();
    }

    void aSocksClientThereIsToldWhatBecameOfIt()
    {
        Forwarding forwarding(m_openSsh->options());
        const int id = forwarding.add(Kind::Remote, u"0"_s);
        const quint16 port = forwarding.port(id);
        QVERIFY2(port != 0, forwarding.why().constData());
        RawPeer refused = RawPeer::tcp(port);
        QVERIFY(refused.send(QByteArray::fromHex("050100 05010001 7f000001 0001")));
        QCOMPARE(refused.receiveAll(), QByteArray::fromHex("0500 05050001000000000000"));
        QVERIFY(refused.isOver());
        // The rest of what came with the wish is carried.
        QCOMPARE(RawPeer::tcp(port).exchange(socksWish() + "early"), QByteArray::fromHex("0500 05000001000000000000") + "earlybye");
        // Byte by byte it is the same wish.
        RawPeer slow = RawPeer::tcp(port);
        for (const char byte : socksWish())
            QVERIFY(slow.send(QByteArrayView(&byte, 1)));
        QCOMPARE(slow.receive(12), QByteArray::fromHex("0500 05000001000000000000"));
        QCOMPARE(slow.exchange("late"), "latebye"_ba);
        RawPeer garbage = RawPeer::tcp(port);
        QVERIFY(garbage.send("GET / HTTP/1.1\r\n\r\n"));
        QCOMPARE(garbage.receiveAll(), QByteArray());
        RawPeer left = RawPeer::tcp(port);
        QVERIFY(left.send("\5"));
        left.closeWrite();
        QCOMPARE(left.receiveAll(), QByteArray());
        QVERIFY(forwarding.troubles.isEmpty());
        QVERIFY(waitUntil([&] { return forwarding.traffic.value(id).open.isEmpty() && forwarding.traffic.value(id).connections == 5; }, kPatience));
    }

    void theConfigurationBoundsWhereThoseThereMayGo_data()
    {
        QTest::addColumn<QStringList>("permitted"); // ECHO: its port
        QTest::addColumn<bool>("mayGo");
        QTest::newRow("any") << QStringList{u"any"_s} << true;
        QTest::newRow("none") << QStringList{u"None"_s} << false;
        QTest::newRow("it") << QStringList{u"web:80"_s, u"127.0.0.1:ECHO"_s} << true;
        QTest::newRow("another port") << QStringList{u"127.0.0.1:80"_s} << false;
        QTest::newRow("another host") << QStringList{u"localhost:ECHO"_s} << false;
        QTest::newRow("every port") << QStringList{u"127.0.0.1:*"_s} << true;
        QTest::newRow("every host") << QStringList{u"*:ECHO"_s} << true;
    }
    void theConfigurationBoundsWhereThoseThereMayGo()
    {
        QFETCH(QStringList, permitted);
        QFETCH(bool, mayGo);
        LinkOptions options = m_openSsh->options();
        options.forwardRules.remoteTargets = permitted.replaceInStrings(u"ECHO"_s, QString::number(m_echo->port()));
        Forwarding forwarding(options);
        const quint16 port = forwarding.ready(Kind::Remote, u"0"_s);
        QVERIFY2(port != 0, forwarding.why().constData());
        QCOMPARE(RawPeer::tcp(port).exchange(socksWish() + "x"),
                 mayGo ? QByteArray::fromHex("0500 05000001000000000000") + "xbye" : QByteArray::fromHex("0500 05020001000000000000"));
    }

    void whoThereDoesNotSayWhereToIsSentAway()
    {
        LinkOptions options = m_openSsh->options();
        options.forwardRules.greetingPatience = 100ms;
        Forwarding forwarding(options);
        const quint16 port = forwarding.ready(Kind::Remote, u"0"_s);
        QVERIFY2(port != 0, forwarding.why().constData());
        RawPeer slow = RawPeer::tcp(port);
        QVERIFY(slow.send("\5"));
        QCOMPARE(slow.receiveAll(), QByteArray());
    }
};

QTEST_GUILESS_MAIN(TestForwardTraffic)
#include "tst_forwardtraffic.moc"

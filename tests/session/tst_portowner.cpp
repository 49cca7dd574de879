// Who has a port of this computer.
#include "session/portowner.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestPortOwner : public QObject
{
    Q_OBJECT
private slots:
    void whoListensIsNamed_data()
    {
        QTest::addColumn<QHostAddress>("address");
        QTest::newRow("IPv4") << QHostAddress(QHostAddress::LocalHost);
        QTest::newRow("IPv6") << QHostAddress(QHostAddress::LocalHostIPv6);
        QTest::newRow("everywhere") << QHostAddress(QHostAddress::Any);
    }
    void whoListensIsNamed()
    {
        QFETCH(const QHostAddress, address);
        QTcpServer server;
        if (!server.listen(address) && address.protocol() == QAbstractSocket::IPv6Protocol)
            QSKIP("this computer has no IPv6");
        QVERIFY(server.isListening());
        const quint16 port = server.serverPort();
        const std::optional<PortOwner> owner = portOwner(port);
        QVERIFY(owner);
        QCOMPARE(owner->process, QCoreApplication::applicationPid());
        QFile comm(u"/proc/self/comm"_s);
        QVERIFY(comm.open(QIODevice::ReadOnly));
        QCOMPARE(owner->program, QString::fromUtf8(comm.readAll().trimmed()));
        QVERIFY(freePortFrom(port) != port && freePortFrom(port) != 0);
        server.close();
        QVERIFY(!portOwner(port));
        QCOMPARE(freePortFrom(port), port);
    }

    void anothersIsOnlyKnownToBeTaken()
    {
        const QTemporaryDir root;
        QVERIFY(QDir(root.path()).mkpath(u"proc/net"_s) && QDir(root.path()).mkpath(u"proc/77/fd"_s));
        QFile table(root.filePath(u"proc/net/tcp"_s));
        QVERIFY(table.open(QIODevice::WriteOnly));
        table.write("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0\n"
                    "   1: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 12346 1 0 100 0 0 10 0\n"
                    "   2: 0100007F:FFFF 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12347 1 0 100 0 0 10 0\n"
                    "nonsense\n   3: zz 00000000:0000 0A\n");
        table.close();
        QCOMPARE(portOwner(8080, root.path() + u'/'), std::optional(PortOwner{}));
        QVERIFY(!portOwner(8081, root.path() + u'/')); // a connection, nobody listens
        QCOMPARE(freePortFrom(8080, root.path() + u'/'), 8081);
        QCOMPARE(freePortFrom(65535, root.path() + u'/'), 1024);
    }
};

QTEST_GUILESS_MAIN(TestPortOwner)
#include "tst_portowner.moc"

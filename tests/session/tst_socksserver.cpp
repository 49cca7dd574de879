// The server's side of SOCKS, byte by byte.
#include "session/socksserver.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = SocksServer::State;

namespace {

QByteArray hex(const char *text)
{
    return QByteArray::fromHex(text);
}

const QByteArray greeting = QByteArray::fromHex("050100");

} // namespace

class TestSocksServer : public QObject
{
    Q_OBJECT
private slots:
    void aWishIsUnderstood_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("host");
        QTest::addColumn<int>("port");
        QTest::addColumn<QByteArray>("told");
        QTest::addColumn<QByteArray>("granted");
        const auto row = [](const char *name, const QByteArray &bytes, const QString &host, int port, const char *told, const char *granted) {
            QTest::newRow(name) << bytes << host << port << hex(told) << hex(granted);
        };
        const char *five = "05000001000000000000";
        row("5, address", greeting + hex("05010001 7f000001 1f90"), u"127.0.0.1"_s, 8080, "0500", five);
        row("5, name", greeting + hex("05010003 03") + "web" + hex("0050"), u"web"_s, 80, "0500", five);
        row("5, longest name", greeting + hex("05010003 ff") + QByteArray(255, 'n') + hex("0050"), QString(255, u'n'), 80, "0500", five);
        row("5, IPv6", greeting + hex("05010004 20010db8000000000000000000000001 0050"), u"2001:db8::1"_s, 80, "0500", five);
        row("5, methods", hex("0503010200 05010001 7f000001 ffff"), u"127.0.0.1"_s, 65535, "0500", five);
        row("4", hex("0401 1f90 7f000001") + "me" + hex("00"), u"127.0.0.1"_s, 8080, "", "005a000000000000");
        row("4, nobody", hex("0401 1f90 7f000001 00"), u"127.0.0.1"_s, 8080, "", "005a000000000000");
        row("4a", hex("0401 0050 00000001 00") + "web.example" + hex("00"), u"web.example"_s, 80, "", "005a000000000000");
    }
    void aWishIsUnderstood()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, host);
        QFETCH(int, port);
        QFETCH(QByteArray, told);
        QFETCH(QByteArray, granted);
        // Whole with something behind it, and a byte at a time.
        SocksServer whole;
        QCOMPARE(whole.take(bytes + "early"), State::Asked);
        QCOMPARE(whole.early(), "early"_ba);
        SocksServer slow;
        QByteArray said;
        for (qsizetype i = 0; i < bytes.size(); ++i) {
            QCOMPARE(slow.state(), State::Reading);
            slow.take(QByteArrayView(bytes).sliced(i, 1));
            said += slow.toSend();
        }
        QCOMPARE(slow.state(), State::Asked);
        QVERIFY(slow.early().isEmpty());
        QCOMPARE(said, told);
        for (SocksServer *socks : {&whole, &slow}) {
            QCOMPARE(socks->host(), host);
            QCOMPARE(int(socks->port()), port);
            QCOMPARE(socks->granted(), granted);
        }
    }

    void whatCannotBeServedIsRefused_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("told");
        const auto row = [](const char *name, const QByteArray &bytes, const char *told) { QTest::newRow(name) << bytes << hex(told); };
        row("HTTP", "GET / HTTP/1.1\r\n\r\n", "");
        row("TLS", hex("160301"), "");
        row("zeros", QByteArray(1000, '\0'), "");
        row("SOCKS 6", hex("060100"), "");
        row("no methods", hex("0500"), "05ff");
        row("authentication", hex("05020102"), "05ff");
        row("BIND", greeting + hex("05020001 7f000001 0050"), "0500 05070001000000000000");
        row("UDP", greeting + hex("05030001 7f000001 0050"), "0500 05070001000000000000");
        row("no such command", greeting + hex("05ff0001 7f000001 0050"), "0500 05070001000000000000");
        row("no such address", greeting + hex("05010005 7f000001 0050"), "0500 05080001000000000000");
        row("another version", greeting + hex("04010001 7f"), "0500 05010001000000000000");
        row("no name", greeting + hex("05010003 00 0050"), "0500 05010001000000000000");
        row("NUL in the name", greeting + hex("05010003 03 610061 0050"), "0500 05010001000000000000");
        row("newline in the name", greeting + hex("05010003 03 610a61 0050"), "0500 05010001000000000000");
        row("dash before the name", greeting + hex("05010003 02 2d61 0050"), "0500 05010001000000000000");
        row("no ASCII", greeting + hex("05010003 02 c3a4 0050"), "0500 05010001000000000000");
        row("port 0", greeting + hex("05010001 7f000001 0000"), "0500 05010001000000000000");
        row("4, BIND", hex("0402 0050 7f000001 00"), "005b000000000000");
        row("4, port 0", hex("0401 0000 7f000001 00"), "005b000000000000");
        row("4, endless user", hex("0401 0050 7f000001") + QByteArray(64 << 10, 'u'), "005b000000000000");
        row("4a, endless name", hex("0401 0050 00000001 00") + QByteArray(64 << 10, 'n'), "005b000000000000");
        row("4a, no name", hex("0401 0050 00000001 00 00"), "005b000000000000");
    }
    void whatCannotBeServedIsRefused()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, told);
        SocksServer socks;
        QCOMPARE(socks.take(bytes), State::Refused);
        QCOMPARE(socks.toSend(), told);
        QVERIFY(!socks.mistake().isEmpty());
        QCOMPARE(socks.take("more"), State::Refused);
        QVERIFY(socks.toSend().isEmpty());
    }

    void aFailureHasItsNumber_data()
    {
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<int>("number");
        QTest::newRow("prohibited") << ErrorKind::PermissionDenied << 2;
        QTest::newRow("no such host") << ErrorKind::HostNotFound << 4;
        QTest::newRow("refused") << ErrorKind::ConnectionRefused << 5;
        QTest::newRow("time") << ErrorKind::Timeout << 6;
        QTest::newRow("anything") << ErrorKind::ServerError << 1;
    }
    void aFailureHasItsNumber()
    {
        QFETCH(ErrorKind, kind);
        QFETCH(int, number);
        SocksServer five;
        QCOMPARE(five.take(greeting + hex("05010001 7f000001 1f90")), State::Asked);
        QCOMPARE(int(five.refused(kind).at(1)), number);
        SocksServer four;
        QCOMPARE(four.take(hex("0401 1f90 7f000001 00")), State::Asked);
        QCOMPARE(four.refused(kind), hex("005b000000000000"));
    }
};

QTEST_GUILESS_MAIN(TestSocksServer)
#include "tst_socksserver.moc"

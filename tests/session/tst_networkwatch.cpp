#include "session/networkwatch.h"

#include <QCoreApplication>
#include <QFile>
#include <QProcess>
#include <QSignalSpy>
#include <QTest>

#include <sched.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

// In a network of its own, made by main().
class TestNetworkWatch : public QObject
{
    Q_OBJECT

    static bool ip(const QString &words)
    {
        QProcess run;
        run.start(u"ip"_s, words.split(u' '));
        return run.waitForFinished() && run.exitCode() == 0;
    }

private slots:
    void init()
    {
        if (!isAlone)
            QSKIP("a network of its own cannot be made here");
        QVERIFY(ip(u"link add wire type dummy"_s) || ip(u"link add wire type veth peer name other"_s));
        ip(u"link set other up"_s); // veth only: a wire works when both its ends do
        QVERIFY(ip(u"link set wire up"_s));
    }
    void cleanup() { ip(u"link del wire"_s); }

    void aNewAddressIsTold_data()
    {
        QTest::addColumn<QString>("address");
        QTest::newRow("IPv4") << u"192.0.2.7/24"_s;
        QTest::newRow("IPv6") << u"2001:db8::7/64"_s;
    }
    void aNewAddressIsTold()
    {
        QFETCH(QString, address);
        NetworkWatch watch(50ms);
        QSignalSpy changed(&watch, &NetworkWatch::changed);
        QVERIFY(ip(u"addr add %1 dev wire"_s.arg(address)));
        QTRY_COMPARE_WITH_TIMEOUT(changed.size(), 1, 30000);
    }

    void aLinkThatGoesDownIsTold()
    {
        QVERIFY(ip(u"addr add 192.0.2.7/24 dev wire"_s));
        NetworkWatch watch(50ms);
        QSignalSpy changed(&watch, &NetworkWatch::changed);
        QVERIFY(ip(u"link set wire down"_s));
        QTRY_VERIFY_WITH_TIMEOUT(changed.size() >= 1, 30000);
    }

    void aBurstIsToldOnce()
    {
        NetworkWatch watch(2s);
        QSignalSpy changed(&watch, &NetworkWatch::changed);
        for (int i = 1; i < 6; ++i)
            QVERIFY(ip(u"addr add 192.0.2.%1/24 dev wire"_s.arg(i)));
        QTRY_COMPARE_WITH_TIMEOUT(changed.size(), 1, 30000);
    }

    // What is told of, and leaves everything as it was: a route, an address that came and went.
    void whatLeavesNothingDifferentIsNotTold()
    {
        NetworkWatch watch(2s);
        QSignalSpy changed(&watch, &NetworkWatch::changed);
        QVERIFY(ip(u"addr add 192.0.2.9/24 dev wire"_s));
        QVERIFY(ip(u"addr del 192.0.2.9/24 dev wire"_s));
        QVERIFY(ip(u"addr add 127.0.0.9/8 dev lo"_s));
        NetworkWatch later(2s);
        QSignalSpy laterChanged(&later, &NetworkWatch::changed);
        QVERIFY(ip(u"addr add 192.0.2.10/24 dev wire"_s)); // both hear this one
        QTRY_COMPARE_WITH_TIMEOUT(laterChanged.size(), 1, 30000);
        QCOMPARE(changed.size(), 1);
        ip(u"addr del 127.0.0.9/8 dev lo"_s);
    }

public:
    static inline bool isAlone = false;
};

int main(int argc, char *argv[])
{
    // Before there is a second thread: an ordinary user needs a user namespace for it.
    const uid_t user = ::geteuid();
    TestNetworkWatch::isAlone = ::unshare(CLONE_NEWNET | (user == 0 ? 0 : CLONE_NEWUSER)) == 0;
    if (TestNetworkWatch::isAlone && user != 0) {
        // Without a root of its own, what is started there has no rights in it.
        QFile map(u"/proc/self/uid_map"_s);
        TestNetworkWatch::isAlone = map.open(QIODevice::WriteOnly | QIODevice::Unbuffered) && map.write("0 " + QByteArray::number(user) + " 1") > 0;
    }
    QCoreApplication app(argc, argv);
    TestNetworkWatch test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_networkwatch.moc"

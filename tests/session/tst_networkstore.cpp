#include "session/networkstore.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 20'000;

NetworkSetting manual(const QString &user = {})
{
    NetworkSetting setting;
    setting.proxy = NetworkSetting::Proxy::Manual;
    setting.address = u"socks5://proxy.example:1080"_s;
    setting.user = user;
    setting.exceptions = u"a.example, .b.example"_s;
    return setting;
}

QByteArray passwordInForce()
{
    const auto now = networkInForce();
    return now->password ? now->password->reveal().toByteArray() : QByteArray();
}

} // namespace

class TestNetworkStore : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<Keychain> m_keychain;
    [[nodiscard]] QString file() const { return m_dir->filePath(u"network.json"_s); }
    [[nodiscard]] QByteArray content() const
    {
        QFile in(file());
        return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
    }
    void write(const QByteArray &bytes) const
    {
        QFile out(file());
        QVERIFY(out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size());
    }

private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_keychain = makeMemoryKeychain();
    }
    void cleanup() { putInForce({}, nullptr); }

    void withoutAFileTheEnvironmentHasItsSay()
    {
        NetworkStore store(file(), m_keychain.get());
        QCOMPARE(store.setting(), NetworkSetting());
        QVERIFY(store.ready().isFinished());
        QVERIFY(!store.loadError());
    }

    void windowAndCommandLineReadTheSame()
    {
        {
            NetworkStore window(file(), m_keychain.get());
            QVERIFY(window.set(manual(u"me"_s)));
            window.setPassword(Secret("hush-hush"));
            QCOMPARE(passwordInForce(), "hush-hush"_ba);
        }
        QVERIFY(!content().contains("hush"));
        QVERIFY(!(QFileInfo(file()).permissions() & (QFile::ReadGroup | QFile::ReadOther)));
        putInForce({}, nullptr);
        NetworkStore cli(file(), m_keychain.get());
        QCOMPARE(cli.setting(), manual(u"me"_s));
        QCOMPARE(networkInForce()->setting, manual(u"me"_s));
        QTRY_VERIFY_WITH_TIMEOUT(cli.ready().isFinished(), kPatience);
        QCOMPARE(passwordInForce(), "hush-hush"_ba);
    }

    void aChangeOfAnotherProgramHoldsWithoutARestart()
    {
        NetworkStore running(file(), m_keychain.get());
        QSignalSpy changed(&running, &NetworkStore::changed);
        NetworkStore window(file(), m_keychain.get());
        QVERIFY(window.set(manual()));
        QTRY_COMPARE_WITH_TIMEOUT(running.setting(), manual(), kPatience);
        NetworkSetting none;
        none.proxy = NetworkSetting::Proxy::None;
        QVERIFY(window.set(none)); // the file was replaced once already
        QTRY_COMPARE_WITH_TIMEOUT(running.setting(), none, kPatience);
        QVERIFY(changed.size() >= 2);
    }

    void anotherProxyDoesNotGetThePassword()
    {
        NetworkStore store(file(), m_keychain.get());
        QVERIFY(store.set(manual(u"me"_s)));
        store.setPassword(Secret("hush"));
        NetworkSetting other = manual(u"me"_s);
        other.address = u"http://elsewhere.example:3128"_s;
        QVERIFY(store.set(other));
        QVERIFY(!store.hasPassword());
        QCOMPARE(passwordInForce(), QByteArray());
        QVERIFY(store.set(manual(u"me"_s)));
        NetworkStore again(file(), m_keychain.get());
        QTRY_VERIFY_WITH_TIMEOUT(again.ready().isFinished(), kPatience);
        QVERIFY(!again.hasPassword());
    }

    void aProxyThatIsLeftAndTakenAgainKeepsItsPassword()
    {
        NetworkStore store(file(), m_keychain.get());
        QVERIFY(store.set(manual(u"me"_s)));
        store.setPassword(Secret("hush"));
        NetworkSetting none = manual(u"me"_s);
        none.proxy = NetworkSetting::Proxy::None;
        QVERIFY(store.set(none));
        QVERIFY(store.set(manual(u"me"_s)));
        QTRY_COMPARE_WITH_TIMEOUT(passwordInForce(), "hush"_ba, kPatience);
    }

    void aFileThatMakesNoSenseLetsNothingOut_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("garbage") << "\xff\x00{"_ba;
        QTest::newRow("a newer version") << R"({"version":99,"network":[]})"_ba;
        QTest::newRow("two of them") << R"({"version":1,"network":[{"proxy":"none"},{"proxy":"none"}]})"_ba;
        QTest::newRow("an unknown kind") << R"({"version":1,"network":[{"proxy":"pac"}]})"_ba;
        QTest::newRow("an address that is none") << R"({"version":1,"network":[{"proxy":"manual","address":"x y"}]})"_ba;
        QTest::newRow("a key as authority") << R"({"version":1,"network":[{"proxy":"none","authority":"-----BEGIN PRIVATE KEY-----"}]})"_ba;
    }
    void aFileThatMakesNoSenseLetsNothingOut()
    {
        QFETCH(QByteArray, bytes);
        write(bytes);
        NetworkStore store(file(), m_keychain.get());
        QVERIFY(store.loadError());
        QCOMPARE(networkInForce()->setting.proxy, NetworkSetting::Proxy::Manual);
        QVERIFY(networkInForce()->setting.address.isEmpty());
        QVERIFY(store.ready().isFinished());
    }

    void whatWasDamagedIsKeptAsideAndCanBeSetAnew()
    {
        write("{");
        NetworkStore store(file(), m_keychain.get());
        const auto copies = [this] { return QDir(m_dir->path()).entryList({u"network.json.damaged-*"_s}).size(); };
        QCOMPARE(copies(), 1);
        // Whatever else happens in the folder makes no more of them.
        QFileSystemWatcher watcher({m_dir->path()});
        QSignalSpy told(&watcher, &QFileSystemWatcher::directoryChanged);
        QFile other(m_dir->filePath(u"other"_s));
        QVERIFY(other.open(QIODevice::WriteOnly));
        QTRY_VERIFY_WITH_TIMEOUT(!told.isEmpty(), kPatience);
        QCOMPARE(copies(), 1);
        QVERIFY(store.set(NetworkSetting()));
        NetworkStore again(file(), m_keychain.get());
        QVERIFY(!again.loadError());
        QCOMPARE(again.setting(), NetworkSetting());
    }

    void addressesOfProxiesAreRead_data()
    {
        QTest::addColumn<QString>("address");
        QTest::addColumn<QString>("expected"); // "kind host port", or words of the refusal
        QTest::newRow("socks5") << u"socks5://p.example:1080"_s << u"1 p.example 1080"_s;
        QTest::newRow("http") << u" http://p:3128/ "_s << u"2 p 3128"_s;
        QTest::newRow("its usual port") << u"socks5://p"_s << u"1 p 1080"_s;
        QTest::newRow("IPv6") << u"http://[::1]:8080"_s << u"2 ::1 8080"_s;
        QTest::newRow("nothing") << u" "_s << u"Write the proxy's address"_s;
        QTest::newRow("no scheme") << u"p.example:3128"_s << u"begins with socks5:// or http://"_s;
        QTest::newRow("https") << u"https://p:1"_s << u"by https is not supported"_s;
        QTest::newRow("socks4") << u"socks4://p:1"_s << u"begins with"_s;
        QTest::newRow("a password") << u"http://me:pw@p:1"_s << u"fields of their own"_s;
        QTest::newRow("a path") << u"http://p:1/proxy.pac"_s << u"ends after the port"_s;
        QTest::newRow("port 0") << u"http://p:0"_s << u"1 to 65535"_s;
        QTest::newRow("port too large") << u"http://p:65536"_s << u"no address of a proxy"_s;
        QTest::newRow("a space") << u"http://a b:1"_s << u"no address of a proxy"_s;
        QTest::newRow("a dash in front") << u"http://-oProxy:1"_s << u"no address of a proxy"_s;
        QTest::newRow("a line break") << u"http://p\r\nX: y:1"_s << u"no address of a proxy"_s;
    }
    void addressesOfProxiesAreRead()
    {
        QFETCH(QString, address);
        QFETCH(QString, expected);
        const Result<ProxySetting> proxy = proxyAt(address);
        const QString got = proxy ? u"%1 %2 %3"_s.arg(int(proxy->kind)).arg(proxy->host).arg(proxy->port) : proxy.error().detail;
        QVERIFY2(got.contains(expected), qPrintable(got));
    }

    void hostsWithoutAProxyAreChecked_data()
    {
        QTest::addColumn<QString>("list");
        QTest::addColumn<bool>("fine");
        QTest::addColumn<QString>("host");
        QTest::addColumn<bool>("exempt");
        QTest::newRow("empty") << QString() << true << u"a.example"_s << false;
        QTest::newRow("a host") << u"b, a.example"_s << true << u"a.example"_s << true;
        QTest::newRow("a domain") << u".example"_s << true << u"a.example"_s << true;
        QTest::newRow("a domain with a star") << u"*.example"_s << true << u"a.example"_s << true;
        QTest::newRow("a port that fits") << u"a.example:443"_s << true << u"a.example"_s << true;
        QTest::newRow("another port") << u"a.example:444"_s << true << u"a.example"_s << false;
        QTest::newRow("all") << u"*"_s << true << u"a.example"_s << true;
        QTest::newRow("IPv6") << u"fd00::1"_s << true << u"fd00::1"_s << true;
        QTest::newRow("no suffix of a name") << u"ample"_s << true << u"a.example"_s << false;
        QTest::newRow("a network") << u"10.0.0.0/8"_s << false << u"10.1.1.1"_s << false;
        QTest::newRow("no commas") << u"a b"_s << false << u"a"_s << false;
        QTest::newRow("a URL") << u"https://a"_s << false << u"a"_s << false;
    }
    void hostsWithoutAProxyAreChecked()
    {
        QFETCH(QString, list);
        QFETCH(QString, host);
        QTEST(checkProxyExceptions(list).has_value(), "fine");
        QTEST(goesWithoutProxy(host, 443, list), "exempt");
    }
};

QTEST_GUILESS_MAIN(TestNetworkStore)
#include "tst_networkstore.moc"

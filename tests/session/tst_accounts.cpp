#include "session/accounts.h"
#include "session/address.h"
#include "session/paths.h"
#include "session/providers/factory.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

Account sample(const QString &name = u"Work"_s)
{
    Account account;
    account.id = newAccountId();
    account.vendor = u"tensorlake"_s;
    account.name = name;
    account.apiUrl = QUrl(u"https://api.example.com"_s);
    return account;
}

} // namespace

class TestAccounts : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_file = m_dir->filePath(u"sub/accounts.json"_s);
        for (const char *name : {"TENSORLAKE_API_KEY", "TENSORLAKE_PAT", "TENSORLAKE_API_URL", "TENSORLAKE_SANDBOX_PROXY_URL",
                                 "TENSORLAKE_ORGANIZATION_ID", "TENSORLAKE_PROJECT_ID"})
            qunsetenv(name);
    }

    void whatWasSavedIsThereAgain()
    {
        Account account = sample();
        account.proxyUrl = QUrl(u"http://127.0.0.1:8900"_s);
        account.organization = u"org \"1\""_s;
        account.project = u"ä"_s;
        account.pinnedCa = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        {
            AccountStore store(m_file);
            QSignalSpy changed(&store, &AccountStore::changed);
            QVERIFY(store.add(account));
            QCOMPARE(changed.size(), 1);
        }
        const AccountStore again(m_file);
        QVERIFY(!again.loadError());
        QCOMPARE(again.accounts(), QList<Account>{account});
        QVERIFY(!(QFileInfo(m_file).permissions() & (QFile::ReadOther | QFile::ReadGroup)));
    }

    void updateAndRemoveChangeTheFile()
    {
        AccountStore store(m_file);
        Account account = sample();
        QVERIFY(store.add(account));
        account.name = u"Home"_s;
        QVERIFY(store.update(account));
        QCOMPARE(AccountStore(m_file).accounts().value(0).name, u"Home"_s);
        QVERIFY(store.remove(account.id));
        QVERIFY(AccountStore(m_file).accounts().isEmpty());
        QCOMPARE(store.remove(account.id).error().kind, ErrorKind::NotFound);
        QCOMPARE(store.update(account).error().kind, ErrorKind::NotFound);
    }

    void unusableAccountsAreRefused_data()
    {
        QTest::addColumn<Account>("account");
        const auto row = [](const char *name, auto edit) {
            Account account = sample();
            edit(account);
            QTest::newRow(name) << account;
        };
        row("empty name", [](Account &a) { a.name = u"  "_s; });
        row("taken name", [](Account &a) { a.name = u"TAKEN"_s; });
        row("slash in the name", [](Account &a) { a.name = u"a/b"_s; });
        row("control character", [](Account &a) { a.name = u"a\nb"_s; });
        row("no id", [](Account &a) { a.id.clear(); });
        row("no vendor", [](Account &a) { a.vendor.clear(); });
        row("no url", [](Account &a) { a.apiUrl.clear(); });
        row("http elsewhere", [](Account &a) { a.apiUrl = QUrl(u"http://10.0.0.5"_s); });
        row("http to a lookalike", [](Account &a) { a.apiUrl = QUrl(u"http://127.0.0.1.example.com"_s); });
        row("ftp", [](Account &a) { a.apiUrl = QUrl(u"ftp://example.com"_s); });
        row("user in the url", [](Account &a) { a.apiUrl = QUrl(u"https://me:pw@example.com"_s); });
        row("query in the url", [](Account &a) { a.apiUrl = QUrl(u"https://example.com?x=1"_s); });
        row("proxy over http elsewhere", [](Account &a) { a.proxyUrl = QUrl(u"http://example.com"_s); });
        row("from the environment", [](Account &a) { a.fromEnvironment = true; });
    }
    void unusableAccountsAreRefused()
    {
        QFETCH(Account, account);
        AccountStore store(m_file);
        QVERIFY(store.add(sample(u"Taken"_s)));
        const Done added = store.add(account);
        QVERIFY(!added);
        QCOMPARE(added.error().kind, ErrorKind::InvalidInput);
        QCOMPARE(AccountStore(m_file).accounts().size(), 1);
    }

    void httpToThisComputerIsAllowed_data()
    {
        QTest::addColumn<QString>("url");
        QTest::newRow("v4") << u"http://127.0.0.1:8900"_s;
        QTest::newRow("name") << u"http://localhost:8900"_s;
        QTest::newRow("v6") << u"http://[::1]:8900"_s;
        QTest::newRow("https") << u"https://sandboxes.internal:8443/prefix"_s;
    }
    void httpToThisComputerIsAllowed()
    {
        QFETCH(QString, url);
        QVERIFY(checkApiUrl(QUrl(url)));
    }

    void aDamagedFileIsKeptAside_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("remaining");
        QTest::newRow("no JSON") << "{\"version\": 1, \"acc"_ba << 0;
        QTest::newRow("empty") << ""_ba << 0;
        QTest::newRow("wrong types") << R"({"version": "1", "accounts": {}})"_ba << 0;
        QTest::newRow("deep") << QByteArray(100'000, '[') << 0;
        QTest::newRow("one bad of two")
                << R"({"version":1,"accounts":[{"id":"a","vendor":"tensorlake","name":"A","api_url":"https://a"},7]})"_ba << 1;
        QTest::newRow("the same id twice")
                << R"({"version":1,"accounts":[{"id":"a","vendor":"x","name":"A"},{"id":"a","vendor":"x","name":"B"}]})"_ba << 1;
        QTest::newRow("a pin that is no text")
                << R"({"version":1,"accounts":[{"id":"a","vendor":"x","name":"A","pinned_ca":5}]})"_ba << 0;
    }
    void aDamagedFileIsKeptAside()
    {
        QFETCH(QByteArray, content);
        QFETCH(int, remaining);
        QVERIFY(QDir().mkpath(QFileInfo(m_file).path()));
        QVERIFY(writePrivateFile(m_file, content));
        AccountStore store(m_file);
        QVERIFY(store.loadError());
        QCOMPARE(store.accounts().size(), remaining);
        QVERIFY(store.add(sample(u"New"_s)));
        const QDir dir = QFileInfo(m_file).dir();
        const QStringList aside = dir.entryList({u"accounts.json.damaged-*"_s});
        QCOMPARE(aside.size(), 1);
        QCOMPARE(readFile(dir.filePath(aside.first())).value(), content);
        QCOMPARE(AccountStore(m_file).accounts().size(), remaining + 1);
    }

    void aFileOfANewerVersionIsNeverTouched()
    {
        const QByteArray content = R"({"version": 99, "accounts": []})";
        QVERIFY(QDir().mkpath(QFileInfo(m_file).path()));
        QVERIFY(writePrivateFile(m_file, content));
        AccountStore store(m_file);
        QCOMPARE(store.loadError()->kind, ErrorKind::Unsupported);
        QCOMPARE(store.add(sample()).error().kind, ErrorKind::Unsupported);
        QCOMPARE(readFile(m_file).value(), content);
    }

    void aFolderInTheWayIsAnErrorNotALoss()
    {
        QVERIFY(QDir().mkpath(m_file));
        AccountStore store(m_file);
        QCOMPARE(store.loadError()->layer, Layer::LocalDisk);
        QVERIFY(!store.add(sample()));
        QVERIFY(store.accounts().isEmpty());
    }

    void twoStoresOnOneFileLoseNothing()
    {
        AccountStore window(m_file);
        AccountStore commandLine(m_file);
        QVERIFY(window.add(sample(u"A"_s)));
        QVERIFY(commandLine.add(sample(u"B"_s)));
        QVERIFY(window.add(sample(u"C"_s)));
        QCOMPARE(AccountStore(m_file).accounts().size(), 3);
    }

    void theEnvironmentMakesAnAccount_data()
    {
        QTest::addColumn<QByteArray>("key");
        QTest::addColumn<QByteArray>("token");
        QTest::addColumn<QByteArray>("url");
        QTest::addColumn<QString>("api");
        QTest::addColumn<QByteArray>("secret");
        QTest::addColumn<QString>("project");
        QTest::newRow("key") << "k"_ba << ""_ba << ""_ba << u"https://api.tensorlake.ai"_s << "k"_ba << u""_s;
        QTest::newRow("key wins") << "k"_ba << "t"_ba << ""_ba << u"https://api.tensorlake.ai"_s << "k"_ba << u""_s;
        QTest::newRow("token") << ""_ba << "t"_ba << ""_ba << u"https://api.tensorlake.ai"_s << "t"_ba << u"p"_s;
        QTest::newRow("own address") << "k"_ba << ""_ba << "http://127.0.0.1:1"_ba << u"http://127.0.0.1:1"_s << "k"_ba << u""_s;
        // What was typed wrong must never become the vendor's own address.
        QTest::newRow("wrong host") << "k"_ba << ""_ba << "http://10.0.0.5"_ba << u"http://10.0.0.5"_s << "k"_ba << u""_s;
        QTest::newRow("no url at all") << "k"_ba << ""_ba << "http://%%bad host"_ba << u"invalid:address"_s << "k"_ba << u""_s;
    }
    void theEnvironmentMakesAnAccount()
    {
        QFETCH(QByteArray, key);
        QFETCH(QByteArray, token);
        QFETCH(QByteArray, url);
        qputenv("TENSORLAKE_API_KEY", key);
        qputenv("TENSORLAKE_PAT", token);
        qputenv("TENSORLAKE_API_URL", url);
        qputenv("TENSORLAKE_ORGANIZATION_ID", "o");
        qputenv("TENSORLAKE_PROJECT_ID", "p");
        const QList<Account> accounts = accountsFromEnvironment();
        QCOMPARE(accounts.size(), 1);
        QTEST(accounts.first().apiUrl.toString(), "api");
        QTEST(accounts.first().project, "project");
        QVERIFY(accounts.first().fromEnvironment);
        QFETCH(QByteArray, secret);
        QVERIFY(readEnvironmentSecret(accounts.first()).value()->equals(secret));
    }

    void anEmptyEnvironmentMakesNone()
    {
        QVERIFY(accountsFromEnvironment().isEmpty());
        QCOMPARE(readEnvironmentSecret(sample()).error().kind, ErrorKind::NotFound);
    }

    void everyVendorCanBeAskedFor()
    {
        for (const VendorInfo &vendor : vendors()) {
            QVERIFY(!vendor.displayName.isEmpty() && !vendor.secretLabel.isEmpty());
            QVERIFY(checkApiUrl(vendor.defaultApiUrl));
            QCOMPARE(vendorName(vendor.id), vendor.displayName);
        }
        QCOMPARE(vendorName(localVendorId()), u"This computer"_s);
        QCOMPARE(vendorName(u"acme"_s), u"acme"_s);
    }

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    QString m_file;
};

QTEST_GUILESS_MAIN(TestAccounts)
#include "tst_accounts.moc"

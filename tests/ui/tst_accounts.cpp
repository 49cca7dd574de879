#include "tests/support/windowfixture.h"
#include "ui/accountdialog.h"
#include "ui/keyspage.h"

#include <QLabel>
#include <QLineEdit>
#include <QPointer>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

const QString theSecret = u"do-not-tell-4711"_s;

QStringList &logged()
{
    static QStringList lines;
    return lines;
}

void keepLog(QtMsgType, const QMessageLogContext &, const QString &line)
{
    logged().append(line);
}

QList<VendorInfo> oneVendor()
{
    VendorInfo vendor;
    vendor.id = u"fake"_s;
    vendor.displayName = u"Fake Cloud"_s;
    vendor.defaultApiUrl = QUrl(u"https://api.example.invalid"_s);
    vendor.optional = {AccountField::ApiUrl};
    vendor.secretLabel = u"API key"_s;
    return {vendor};
}

} // namespace

class TestAccounts : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase() { qInstallMessageHandler(keepLog); }
    void cleanupTestCase() { qInstallMessageHandler(nullptr); }

    void aGoodKeyIsTriedThenKept()
    {
        WindowFixture f;
        QPointer<AccountDialog> dialog = new AccountDialog(&f.hub(), oneVendor(), {}, nullptr);
        QSignalSpy added(dialog, &AccountDialog::added);
        dialog->show();
        auto *secret = dialog->findChild<QLineEdit *>(u"accountSecret"_s);
        QCOMPARE(secret->echoMode(), QLineEdit::Password);
        QTest::keyClicks(dialog->findChild<QLineEdit *>(u"accountName"_s), u"Mine"_s);
        QTest::keyClicks(secret, theSecret);
        QTest::mouseClick(dialog->findChild<QPushButton *>(u"accountSubmit"_s), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(added.size(), 1, 15000);
        const QString id = added.first().first().toString();
        QCOMPARE(f.store().accounts().size(), 1);
        QCOMPARE(f.store().accounts().first().name, u"Mine"_s);
        QCOMPARE(f.lastSecret, theSecret.toUtf8());
        const auto kept = f.keychain().read(u"account/"_s + id);
        QTRY_VERIFY_WITH_TIMEOUT(kept.isFinished(), 15000);
        QVERIFY(kept.result().value()->equals(theSecret.toUtf8()));
        QTRY_VERIFY_WITH_TIMEOUT(!dialog, 15000);
    }

    void aRefusedKeyIsNotKept()
    {
        WindowFixture f;
        f.prepare = [](FakeProvider *provider) { provider->failNext = Error{ErrorKind::AuthRejected, Layer::Auth, {}, u"Fake Cloud"_s}; };
        auto *dialog = new AccountDialog(&f.hub(), oneVendor(), {}, nullptr);
        dialog->show();
        QTest::keyClicks(dialog->findChild<QLineEdit *>(u"accountSecret"_s), theSecret);
        QTest::mouseClick(dialog->findChild<QPushButton *>(u"accountSubmit"_s), Qt::LeftButton);
        auto *status = dialog->findChild<QLabel *>(u"accountStatus"_s);
        auto *anyway = dialog->findChild<QPushButton *>(u"accountAnyway"_s);
        QTRY_VERIFY_WITH_TIMEOUT(anyway->isVisible(), 15000);
        QVERIFY(!status->text().isEmpty());
        QVERIFY(f.store().accounts().isEmpty());
        delete dialog;
    }

    void theSecretIsToldNowhere()
    {
        logged().clear();
        WindowFixture f;
        f.prepare = [](FakeProvider *provider) { provider->failNext = Error{ErrorKind::ServerError, Layer::Http, u"500"_s, {}}; };
        auto *dialog = new AccountDialog(&f.hub(), oneVendor(), {}, nullptr);
        dialog->show();
        QTest::keyClicks(dialog->findChild<QLineEdit *>(u"accountSecret"_s), theSecret);
        QTest::mouseClick(dialog->findChild<QPushButton *>(u"accountSubmit"_s), Qt::LeftButton);
        auto *anyway = dialog->findChild<QPushButton *>(u"accountAnyway"_s);
        QTRY_VERIFY_WITH_TIMEOUT(anyway->isVisible(), 15000);
        // Neither shown, nor to be heard, nor written.
        const QList<QWidget *> widgets = dialog->findChildren<QWidget *>();
        for (const QWidget *widget : widgets) {
            QVERIFY(!widget->accessibleName().contains(theSecret));
            QVERIFY(!widget->toolTip().contains(theSecret));
            if (const auto *label = qobject_cast<const QLabel *>(widget))
                QVERIFY(!label->text().contains(theSecret));
        }
        QTest::mouseClick(anyway, Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(f.store().accounts().size(), 1, 15000);
        QVERIFY(!logged().join(u'\n').contains(theSecret));
        QFile file(f.path(u"accounts.json"_s));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(!file.readAll().contains(theSecret.toUtf8()));
    }

    void nothingIsAskedWithoutAKey()
    {
        WindowFixture f;
        auto *dialog = new AccountDialog(&f.hub(), oneVendor(), {}, nullptr);
        dialog->show();
        QTest::mouseClick(dialog->findChild<QPushButton *>(u"accountSubmit"_s), Qt::LeftButton);
        QVERIFY(f.providers.isEmpty());
        QVERIFY(dialog->findChild<QLabel *>(u"accountStatus"_s)->isVisible());
        delete dialog;
    }

    void removingAnAccountForgetsItsKey()
    {
        WindowFixture f({u"one"_s});
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        QTRY_COMPARE_WITH_TIMEOUT(f.hub().entry(u"one"_s)->state, AccountHub::State::Connected, 15000);
        QVERIFY(f.hub().remove(u"one"_s));
        QVERIFY(!f.hub().entry(u"one"_s));
        QVERIFY(f.store().accounts().isEmpty());
        QVERIFY(!f.registry().view(u"one"_s));
        const auto gone = f.keychain().read(u"account/one"_s);
        QTRY_VERIFY_WITH_TIMEOUT(gone.isFinished(), 15000);
        QCOMPARE(gone.result().error().kind, ErrorKind::NotFound);
        QVERIFY(!f.hub().remove(u"local"_s));
    }

    void anAccountWithoutItsKeySaysSo()
    {
        WindowFixture f({u"one"_s});
        f.keychain().remove(u"account/one"_s);
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        QTRY_COMPARE_WITH_TIMEOUT(f.hub().entry(u"one"_s)->state, AccountHub::State::NoSecret, 15000);
        f.hub().replaceSecret(u"one"_s, std::make_shared<Secret>("new"));
        QCOMPARE(f.hub().entry(u"one"_s)->state, AccountHub::State::Connected);
        QCOMPARE(f.lastSecret, "new"_ba);
    }

    void theGatewayStartsOnceForManyWhoAsk()
    {
        WindowFixture f;
        const auto one = f.hub().connectLocal();
        const auto two = f.hub().connectLocal();
        QTRY_VERIFY_WITH_TIMEOUT(one.isFinished() && two.isFinished(), 15000);
        QVERIFY(one.result());
        QVERIFY(two.result());
        QVERIFY(f.gatewayStarts <= 2);
        QCOMPARE(f.hub().entry(u"local"_s)->state, AccountHub::State::Connected);
        QCOMPARE(f.hub().entry(u"local"_s)->account.apiUrl.host(), u"127.0.0.1"_s);
    }

    void aGatewayThatDoesNotStartIsSaid()
    {
        WindowFixture f;
        f.gatewayError = Error{ErrorKind::Timeout, Layer::LocalDisk, u"15 s"_s, {}};
        const auto asked = f.hub().connectLocal();
        QTRY_VERIFY_WITH_TIMEOUT(asked.isFinished(), 15000);
        QVERIFY(!asked.result());
        QCOMPARE(f.hub().entry(u"local"_s)->state, AccountHub::State::Failed);
    }

    void aKeyIsOneRowWhereverItIsRegistered()
    {
        WindowFixture f({u"one"_s, u"two"_s});
        SshKey key;
        key.id = u"k1"_s;
        key.name = u"laptop"_s;
        key.type = u"ssh-ed25519"_s;
        key.fingerprint = u"SHA256:abc"_s;
        f.prepare = [key](FakeProvider *provider) { provider->sshKeys = {key}; };
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        AvailableKeys none(f.path(u"ssh"_s), {});
        KeysModel model(&f.registry(), &f.hub(), &none);
        QTRY_VERIFY_WITH_TIMEOUT(f.registry().view(u"one"_s) && f.registry().view(u"two"_s), 15000);
        f.registry().refreshKeys(u"one"_s);
        f.registry().refreshKeys(u"two"_s);
        QTRY_VERIFY_WITH_TIMEOUT(model.rowCount({}) == 1 && model.row(0).registrations.size() == 2, 15000);
    }
};

QTEST_MAIN(TestAccounts)
#include "tst_accounts.moc"

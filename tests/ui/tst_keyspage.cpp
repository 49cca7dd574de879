#include "tests/support/windowfixture.h"
#include "ui/keydialogs.h"
#include "ui/keyspage.h"
#include "ui/logindialog.h"
#include "ui/theme.h"

#include <QAction>
#include <QComboBox>
#include <QFileInfo>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QTableView>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 30000;

struct Page
{
    Page()
        : f({u"one"_s, u"two"_s})
    {
        f.prepare = [this](FakeProvider *provider) {
            if (provider->accountId() == u"one"_s && key) {
                SshKey registered;
                registered.id = u"k1"_s;
                registered.name = u"work laptop"_s;
                registered.fingerprint = key->fingerprint;
                registered.lastUsedAt = QDateTime::currentDateTimeUtc();
                provider->sshKeys.append(registered);
            }
        };
    }
    void makeOneKey()
    {
        const Result<PublicKeyLine> made = generateKey(NewKeyType::Ed25519, f.path(u"ssh/id_ed25519"_s), u"a comment of some length, as people write them"_s, Secret());
        QVERIFY(made);
        key = *made;
    }
    void open()
    {
        page = std::make_unique<KeysPage>(&f.registry(), &f.hub(), &available, &logins);
        page->resize(1100, 500);
        page->show();
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        QTRY_VERIFY_WITH_TIMEOUT(f.hub().provider(u"one"_s) && f.hub().provider(u"two"_s), patience);
        page->refresh();
        QTRY_VERIFY_WITH_TIMEOUT(available.isKnown(), patience);
        table = page->findChild<QTableView *>(u"keysTable"_s);
    }
    [[nodiscard]] QString cell(int column, int row = 0) const { return table->model()->index(row, column).data().toString(); }
    [[nodiscard]] QPushButton *button(const QString &text) const
    {
        for (QPushButton *one : page->findChildren<QPushButton *>()) {
            if (one->text() == text)
                return one;
        }
        return nullptr;
    }
    // For whoever wants to look at it.
    void picture(const QString &name) const
    {
        const QString folder = qEnvironmentVariable("SANDPIPER_PICTURES");
        if (!folder.isEmpty())
            page->grab().save(folder + u'/' + name + u".png"_s);
    }

    WindowFixture f;
    AvailableKeys available{f.path(u"ssh"_s), {}};
    LoginStore logins{f.path(u"logins.json"_s)};
    ThemeController theme;
    std::optional<PublicKeyLine> key;
    std::unique_ptr<KeysPage> page;
    QTableView *table = nullptr;
};

} // namespace

class TestKeysPage : public QObject
{
    Q_OBJECT
private slots:
    void aKeyIsOneRowWhereverItIs_data()
    {
        QTest::addColumn<ThemeChoice>("theme");
        QTest::newRow("light") << ThemeChoice::Light;
        QTest::newRow("dark") << ThemeChoice::Dark;
    }
    void aKeyIsOneRowWhereverItIs()
    {
        QFETCH(ThemeChoice, theme);
        Page p;
        p.theme.setChoice(theme);
        p.makeOneKey();
        p.open();
        QTRY_COMPARE_WITH_TIMEOUT(p.cell(KeysModel::Name), u"work laptop"_s, patience);
        QCOMPARE(p.table->model()->rowCount(), 1);
        QCOMPARE(u"SHA256:"_s + p.cell(KeysModel::Fingerprint), p.key->fingerprint);
        QCOMPARE(p.cell(KeysModel::Type), u"ed25519"_s);
        QCOMPARE(p.cell(KeysModel::Here), u"file"_s);
        QCOMPARE(p.cell(KeysModel::Registered), u"✓ one"_s);
        QVERIFY(!p.cell(KeysModel::LastUsed).isEmpty());
        QVERIFY(!p.table->isColumnHidden(KeysModel::LastUsed));
        p.table->selectRow(0);
        p.picture(u"keys-"_s + QString::fromLatin1(QTest::currentDataTag()));
    }

    void noKeysAreSaidInWords()
    {
        Page p;
        p.open();
        QVERIFY(!p.table->isVisible());
        p.picture(u"keys-empty"_s);
    }

    void whereItIsRegisteredItIsNotRegisteredAgain()
    {
        Page p;
        p.makeOneKey();
        p.open();
        QTRY_COMPARE_WITH_TIMEOUT(p.cell(KeysModel::Registered), u"✓ one"_s, patience);
        p.table->selectRow(0);
        QMenu *menu = p.button(u"Register at"_s)->menu();
        emit menu->aboutToShow();
        QStringList enabled;
        for (QAction *action : menu->actions()) {
            if (action->isEnabled()) {
                enabled.append(action->text());
                action->trigger();
            }
        }
        QCOMPARE(enabled, QStringList{u"two"_s});
        QTRY_COMPARE_WITH_TIMEOUT(p.f.providers.value(u"two"_s)->sshKeys.size(), 1, patience);
    }

    void aNewKeyIsAskedForInFull()
    {
        Page p;
        GenerateKeyDialog dialog(p.f.path(u"ssh"_s));
        dialog.setAttribute(Qt::WA_DeleteOnClose, false);
        QStringList made;
        connect(&dialog, &GenerateKeyDialog::agreed, this,
                [&](NewKeyType, const QString &file, const QString &, const std::shared_ptr<Secret> &passphrase) {
                    made << file << QString::fromUtf8(passphrase->reveal());
                });
        dialog.show();
        const QList<QLineEdit *> fields = dialog.findChildren<QLineEdit *>();
        QCOMPARE(fields.size(), 4); // name, comment, passphrase twice
        fields[2]->setText(u"one"_s);
        fields[3]->setText(u"other"_s);
        QTest::keyClick(fields[0], Qt::Key_Return);
        QVERIFY(made.isEmpty());
        fields[3]->setText(u"one"_s);
        fields[0]->setText(u"../escape"_s);
        QTest::keyClick(fields[0], Qt::Key_Return);
        QVERIFY(made.isEmpty());
        fields[0]->setText(u"mine"_s);
        QTest::keyClick(fields[0], Qt::Key_Return);
        QCOMPARE(made, (QStringList{p.f.path(u"ssh/mine"_s), u"one"_s}));
    }

    void howToLogInIsKept()
    {
        Page p;
        p.makeOneKey();
        p.open();
        Sandbox box;
        box.id = {u"fake"_s, u"one"_s, u"b"_s};
        box.name = u"box"_s;
        LoginDialog dialog(box, &p.logins, &p.available);
        dialog.setAttribute(Qt::WA_DeleteOnClose, false);
        dialog.show();
        const QList<QLineEdit *> fields = dialog.findChildren<QLineEdit *>();
        auto *keys = dialog.findChild<QComboBox *>();
        QCOMPARE(keys->count(), 2);
        fields[0]->setText(u"-oProxyCommand=x"_s);
        QTest::keyClick(fields[0], Qt::Key_Return);
        QVERIFY(dialog.isVisible() && p.logins.of(box.id).isEmpty());
        fields[0]->setText(u"root"_s);
        keys->setCurrentIndex(1);
        if (const QString folder = qEnvironmentVariable("SANDPIPER_PICTURES"); !folder.isEmpty())
            dialog.grab().save(folder + u"/login.png"_s);
        QTest::keyClick(fields[0], Qt::Key_Return);
        QVERIFY(!dialog.isVisible());
        QCOMPARE(p.logins.of(box.id), (LoginChoice{u"root"_s, {}, p.f.path(u"ssh/id_ed25519"_s)}));
    }
};

QTEST_MAIN(TestKeysPage)
#include "tst_keyspage.moc"

#include "ui/preferences.h"
#include "ui/preferencesdialog.h"

#include "session/networkstore.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QProcess>
#include <QSet>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

// A throwaway one, valid for a day.
const QByteArray &authority()
{
    static const QByteArray pem = [] {
        QProcess openssl;
        openssl.start(u"openssl"_s, {u"req"_s, u"-x509"_s, u"-newkey"_s, u"ec"_s, u"-pkeyopt"_s, u"ec_paramgen_curve:P-256"_s, u"-nodes"_s,
                                     u"-days"_s, u"2"_s, u"-subj"_s, u"/CN=Example Root"_s, u"-keyout"_s, u"/dev/null"_s});
        return openssl.waitForFinished(60'000) ? openssl.readAllStandardOutput() : QByteArray();
    }();
    return pem;
}

// Another value that fits the row.
QVariant otherValue(const SettingRow &row)
{
    switch (row.kind) {
    case SettingKind::Switch:
        return !row.defaultValue.toBool();
    case SettingKind::Number:
        return row.defaultValue.toInt() == row.maximum ? row.minimum : row.maximum;
    case SettingKind::Choice:
        return row.options.size() > 1 ? row.options.last().value : u"Some scheme"_s;
    case SettingKind::Font:
        return u"Some Mono"_s;
    case SettingKind::Text:
        return row.setting == Setting::ProxyAddress ? u"socks5://proxy.example:1080"_s : u"a.example"_s;
    case SettingKind::Certificate:
        return authority();
    case SettingKind::Password:
    case SettingKind::Stored:
        break;
    }
    switch (row.defaultValue.typeId()) {
    case QMetaType::Bool:
        return !row.defaultValue.toBool();
    case QMetaType::Int:
        return row.defaultValue.toInt() + 1;
    case QMetaType::QStringList:
        return QStringList{u"a, b"_s, u"ü"_s};
    case QMetaType::QVariantMap:
        return QVariantMap{{u"k/%"_s, 3}};
    case QMetaType::QByteArray:
        return QByteArray("\x00\xff\n", 3);
    default:
        return {};
    }
}

} // namespace

class TestPreferences : public QObject
{
    Q_OBJECT
private slots:
    void everySettingHasOneRowAndItsOwnKey()
    {
        QSet<QString> keys;
        QSet<int> settings;
        for (const SettingRow &row : settingRows()) {
            keys.insert(QLatin1StringView(row.key));
            settings.insert(int(row.setting));
            QVERIFY(row.defaultValue.isValid());
            QCOMPARE(row.kind == SettingKind::Stored, row.page == SettingPage::None);
            QVERIFY(row.kind == SettingKind::Stored || row.label);
        }
        QCOMPARE(keys.size(), settingRows().size());
        QCOMPARE(settings.size(), int(Setting::LocalSandboxesUsed) + 1);
    }

    void everySettingSurvivesARestart_data()
    {
        QTest::addColumn<int>("setting");
        for (const SettingRow &row : settingRows()) {
            if (row.kind != SettingKind::Password) // in the keychain: tst_networkstore
                QTest::newRow(row.key) << int(row.setting);
        }
    }
    void everySettingSurvivesARestart()
    {
        QFETCH(int, setting);
        const SettingRow &row = settingRow(Setting(setting));
        const QVariant other = otherValue(row);
        QVERIFY(other.isValid());
        QTemporaryDir dir;
        const QString file = dir.filePath(u"p.ini"_s);
        {
            NetworkStore network(dir.filePath(u"n.json"_s), nullptr);
            Preferences first(file, &network);
            QCOMPARE(first.value(row.setting), row.defaultValue);
            QSignalSpy changed(&first, &Preferences::changed);
            first.set(row.setting, other);
            QCOMPARE(changed.size(), 1);
            first.set(row.setting, other);
            QCOMPARE(changed.size(), 1);
        }
        const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
        const bool isShared = row.scope == SettingScope::Network;
        QVERIFY(!(QFileInfo(isShared ? dir.filePath(u"n.json"_s) : file).permissions() & others));
        NetworkStore network(dir.filePath(u"n.json"_s), nullptr);
        Preferences second(file, &network);
        QCOMPARE(second.value(row.setting), other);
        second.reset(row.setting);
        QCOMPARE(second.value(row.setting), row.defaultValue);
    }

    void whatDoesNotFitIsNotTaken_data()
    {
        QTest::addColumn<int>("setting");
        QTest::addColumn<QString>("stored");
        QTest::newRow("number too large") << int(Setting::TerminalFontSize) << u"4000"_s;
        QTest::newRow("number below zero") << int(Setting::TerminalHistory) << u"-1"_s;
        QTest::newRow("not a number") << int(Setting::TerminalFontSize) << u"big"_s;
        QTest::newRow("unknown choice") << int(Setting::Theme) << u"pink"_s;
        QTest::newRow("switch in between") << int(Setting::CopyOnSelect) << u"maybe"_s;
    }
    void whatDoesNotFitIsNotTaken()
    {
        QFETCH(int, setting);
        QFETCH(QString, stored);
        const SettingRow &row = settingRow(Setting(setting));
        QTemporaryDir dir;
        {
            QSettings raw(dir.filePath(u"p.ini"_s), QSettings::IniFormat);
            raw.setValue(QLatin1StringView(row.key), stored);
        }
        Preferences preferences(dir.filePath(u"p.ini"_s));
        QCOMPARE(preferences.value(row.setting), row.defaultValue);
        preferences.set(row.setting, stored);
        QCOMPARE(preferences.value(row.setting), row.defaultValue);
    }

    void closingChoicesAreTheSameThreeSwitches()
    {
        QTemporaryDir dir;
        Preferences preferences(dir.filePath(u"p.ini"_s));
        CloseChoices choices = preferences.closeChoices();
        QCOMPARE(choices, CloseChoices());
        choices.askBeforeEnding = false;
        preferences.setCloseChoices(choices);
        QCOMPARE(preferences.closeChoices(), choices);
        QVERIFY(!preferences.isOn(Setting::AskBeforeEnding));
    }

    void terminalColoursMatchTheThemeUnlessChosen()
    {
        QTemporaryDir dir;
        Preferences preferences(dir.filePath(u"p.ini"_s));
        ThemeController theme;
        theme.setChoice(ThemeChoice::Dark);
        const QString dark = preferences.terminalOptions().colorScheme;
        theme.setChoice(ThemeChoice::Light);
        const QString light = preferences.terminalOptions().colorScheme;
        QVERIFY(dark != light);
        QVERIFY(TerminalView::colorSchemes().contains(dark));
        QVERIFY(TerminalView::colorSchemes().contains(light));
        preferences.set(Setting::TerminalScheme, dark);
        QCOMPARE(preferences.terminalOptions().colorScheme, dark);
    }

    void theDialogShowsEveryRowAndChangesAtOnce()
    {
        QTemporaryDir dir;
        NetworkStore network(dir.filePath(u"n.json"_s), nullptr);
        Preferences preferences(dir.filePath(u"p.ini"_s), &network);
        auto *dialog = new PreferencesDialog(&preferences, nullptr);
        dialog->show();
        for (const SettingRow &row : settingRows()) {
            if (row.page == SettingPage::None)
                continue;
            auto *field = dialog->findChild<QWidget *>(QLatin1StringView(row.key));
            QVERIFY2(field, row.key);
            if (auto *box = qobject_cast<QCheckBox *>(field)) {
                box->click();
                QCOMPARE(preferences.isOn(row.setting), !row.defaultValue.toBool());
            } else if (auto *number = qobject_cast<QSpinBox *>(field)) {
                number->setValue(row.maximum);
                QCOMPARE(preferences.number(row.setting), row.maximum);
            } else if (auto *line = qobject_cast<QLineEdit *>(field)) {
                QCOMPARE(line->isEnabled(), !row.needs); // without a manual proxy
                if (!row.needs) {
                    QTest::keyClicks(line, u"gedit \"a, b\" %f"_s);
                    QTest::keyClick(line, Qt::Key_Return);
                    QCOMPARE(preferences.text(row.setting), u"gedit \"a, b\" %f"_s);
                }
            } else if (row.kind == SettingKind::Certificate) {
                QCOMPARE(field->findChild<QLabel *>(u"authorityName"_s)->text(), u"None"_s);
            } else {
                auto *choice = qobject_cast<QComboBox *>(field);
                QVERIFY(choice);
                QVERIFY(choice->count() > 1);
            }
        }
        preferences.reset(Setting::CopyOnSelect);
        QVERIFY(!dialog->findChild<QCheckBox *>(u"clipboard/copyOnSelect"_s)->isChecked());
        delete dialog;
    }
    void aProxyIsEnteredAndWhatCannotBeOneIsSaid()
    {
        QTemporaryDir dir;
        const std::unique_ptr<Keychain> keychain = makeMemoryKeychain();
        NetworkStore network(dir.filePath(u"n.json"_s), keychain.get());
        Preferences preferences(dir.filePath(u"p.ini"_s), &network);
        PreferencesDialog dialog(&preferences, nullptr);
        dialog.setAttribute(Qt::WA_DeleteOnClose, false);
        dialog.show();
        auto *pages = dialog.findChild<QListWidget *>();
        pages->setCurrentItem(pages->findItems(u"Network"_s, Qt::MatchExactly).value(0));
        const auto line = [&](const char *key) { return dialog.findChild<QLineEdit *>(QLatin1StringView(key)); };
        const auto problem = [&](const char *key) { return dialog.findChild<QLabel *>(QLatin1StringView(key) + u"/problem"_s); };
        const auto enter = [](QLineEdit *edit, const QString &text) {
            edit->setFocus();
            edit->selectAll();
            QTest::keyClicks(edit, text);
            QTest::keyClick(edit, Qt::Key_Return);
        };
        QVERIFY(!line("network/address")->isEnabled());
        auto *choice = dialog.findChild<QComboBox *>(u"network/proxy"_s);
        choice->setCurrentIndex(choice->findData(u"manual"_s));
        emit choice->activated(choice->currentIndex());
        QVERIFY(line("network/address")->isEnabled());
        // Nothing leaves yet, and it says why.
        QVERIFY(problem("network/address")->isVisible());

        enter(line("network/address"), u"proxy.example:1080"_s);
        QVERIFY2(problem("network/address")->text().contains(u"begins with"_s), qPrintable(problem("network/address")->text()));
        QCOMPARE(network.setting().address, QString());
        QVERIFY(dialog.isVisible()); // Enter closes nothing
        enter(line("network/address"), u"socks5://proxy.example:1080"_s);
        QVERIFY(!problem("network/address")->isVisible());
        QCOMPARE(network.setting().address, u"socks5://proxy.example:1080"_s);
        enter(line("network/user"), u"me"_s);
        enter(line("network/password"), u"hush"_s);
        QVERIFY(network.hasPassword());
        QCOMPARE(line("network/password")->text(), QString());
        QCOMPARE(line("network/password")->placeholderText(), u"Kept in the keychain"_s);
        enter(line("network/exceptions"), u"10.0.0.0/8"_s);
        QVERIFY(problem("network/exceptions")->isVisible());
        QCOMPARE(network.setting().exceptions, QString());

        QCOMPARE(preferences.change(Setting::ExtraAuthority, authority()), QString());
        QVERIFY(dialog.findChild<QLabel *>(u"authorityName"_s)->text().startsWith(u"Example Root, until "_s));
        QVERIFY(!preferences.change(Setting::ExtraAuthority, "nonsense"_ba).isEmpty());
        QCOMPARE(network.setting().authority, authority());

        preferences.resetPage(SettingPage::Network);
        QCOMPARE(network.setting(), NetworkSetting());
        QVERIFY(!network.hasPassword());
        QVERIFY(!line("network/address")->isEnabled());
    }

    void aPageOfTheNetworkFitsItsWindow()
    {
        QTemporaryDir dir;
        NetworkStore network(dir.filePath(u"n.json"_s), nullptr);
        NetworkSetting setting;
        setting.proxy = NetworkSetting::Proxy::Manual;
        setting.exceptions = QString(3000, u'x');
        setting.authority = authority();
        QVERIFY(network.set(setting));
        Preferences preferences(dir.filePath(u"p.ini"_s), &network);
        PreferencesDialog dialog(&preferences, nullptr);
        dialog.setAttribute(Qt::WA_DeleteOnClose, false);
        dialog.show();
        auto *pages = dialog.findChild<QListWidget *>();
        pages->setCurrentItem(pages->findItems(u"Network"_s, Qt::MatchExactly).value(0));
        auto *field = dialog.findChild<QWidget *>(u"network/exceptions"_s);
        QTRY_VERIFY(field->isVisible());
        QVERIFY(field->mapTo(&dialog, QPoint(field->width(), 0)).x() <= dialog.width());
        if (const QString folder = qEnvironmentVariable("SANDPIPER_SHOTS"); !folder.isEmpty())
            dialog.grab().save(folder + u"/network.png"_s);
    }
};

QTEST_MAIN(TestPreferences)
#include "tst_preferences.moc"

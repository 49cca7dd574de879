#include "ui/preferences.h"
#include "ui/preferencesdialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileInfo>
#include <QSet>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

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
        for (const SettingRow &row : settingRows())
            QTest::newRow(row.key) << int(row.setting);
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
            Preferences first(file);
            QCOMPARE(first.value(row.setting), row.defaultValue);
            QSignalSpy changed(&first, &Preferences::changed);
            first.set(row.setting, other);
            QCOMPARE(changed.size(), 1);
            first.set(row.setting, other);
            QCOMPARE(changed.size(), 1);
        }
        const auto others = QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther;
        QVERIFY(!(QFileInfo(file).permissions() & others));
        Preferences second(file);
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
        Preferences preferences(dir.filePath(u"p.ini"_s));
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
};

QTEST_MAIN(TestPreferences)
#include "tst_preferences.moc"

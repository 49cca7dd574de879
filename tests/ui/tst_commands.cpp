#include "ui/actions.h"
#include "ui/commandpalette.h"
#include "ui/fuzzy.h"

#include <QMenu>
#include <QMenuBar>
#include <QSet>
#include <QTest>

#include <numeric>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestCommands : public QObject
{
    Q_OBJECT
private slots:
    void everyCommandHasItsOwnNameAndText()
    {
        QSet<QString> names;
        QSet<int> ids;
        for (const ActionRow &row : actionRows()) {
            names.insert(QLatin1StringView(row.name));
            ids.insert(int(row.id));
            QVERIFY(*row.text);
        }
        QCOMPARE(names.size(), actionRows().size());
        QCOMPARE(ids.size(), actionRows().size());
        QCOMPARE(ids.size(), int(ActionId::About) + 1);
    }

    void noTwoCommandsFightOverAKey()
    {
        QCOMPARE(shortcutConflicts(actionRows()), QStringList());
        QList<ActionRow> rows = actionRows();
        rows.append({ActionId::About, "test.clash", "x", "F2", ActionContext::Sidebar});
        QCOMPARE(shortcutConflicts(rows).size(), 1);
    }

    void aShellLosesNoKeyToUs_data()
    {
        QTest::addColumn<QString>("keys");
        for (const ActionRow &row : actionRows()) {
            if (row.context == ActionContext::Anywhere && *row.shortcut)
                QTest::newRow(row.name) << QString::fromLatin1(row.shortcut);
        }
    }
    void aShellLosesNoKeyToUs()
    {
        QFETCH(QString, keys);
        const QKeySequence sequence = QKeySequence::fromString(keys);
        QVERIFY(!sequence.isEmpty());
        QVERIFY2(isAllowedInTerminal(sequence), qPrintable(keys));
    }

    void plainControlLettersAreNeverOurs_data()
    {
        QTest::addColumn<QString>("keys");
        QTest::addColumn<bool>("allowed");
        QTest::newRow("Ctrl+C") << u"Ctrl+C"_s << false;
        QTest::newRow("Ctrl+K") << u"Ctrl+K"_s << false;
        QTest::newRow("F1") << u"F1"_s << false;
        QTest::newRow("Alt+F") << u"Alt+F"_s << false;
        QTest::newRow("Alt+0") << u"Alt+0"_s << false;
        QTest::newRow("Escape") << u"Escape"_s << false;
        QTest::newRow("two strokes") << u"Ctrl+Shift+A, B"_s << false;
        QTest::newRow("Ctrl+Shift+C") << u"Ctrl+Shift+C"_s << true;
        QTest::newRow("Alt+1") << u"Alt+1"_s << true;
        QTest::newRow("F11") << u"F11"_s << true;
        QTest::newRow("Ctrl+Tab") << u"Ctrl+Tab"_s << true;
    }
    void plainControlLettersAreNeverOurs()
    {
        QFETCH(QString, keys);
        QTEST(isAllowedInTerminal(QKeySequence::fromString(keys)), "allowed");
        for (const ActionRow &row : actionRows()) {
            if (row.context != ActionContext::Anywhere || !*row.shortcut)
                continue;
            const QKeyCombination key = QKeySequence::fromString(QLatin1StringView(row.shortcut))[0];
            QVERIFY2(key.keyboardModifiers() != Qt::ControlModifier || key.key() == Qt::Key_Tab, row.name);
        }
    }

    void menusHoldNoMnemonics()
    {
        Actions actions;
        QMenuBar bar;
        actions.fillMenuBar(&bar);
        QVERIFY(bar.actions().size() >= 4);
        for (const QAction *menu : bar.actions()) {
            QVERIFY(!menu->text().contains(u'&'));
            QVERIFY(!menu->menu()->isEmpty());
        }
    }

    void aFewLettersFindWhatIsMeant_data()
    {
        QTest::addColumn<QString>("pattern");
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("found");
        QTest::newRow("nothing typed") << QString() << u"New sandbox"_s << true;
        QTest::newRow("starts of words") << u"ns"_s << u"New sandbox"_s << true;
        QTest::newRow("any case") << u"NEW"_s << u"new sandbox"_s << true;
        QTest::newRow("with a blank") << u"new sand"_s << u"New sandbox"_s << true;
        QTest::newRow("wrong order") << u"wen"_s << u"New"_s << false;
        QTest::newRow("not there") << u"xyz"_s << u"New sandbox"_s << false;
        QTest::newRow("longer than the text") << u"newsandboxes"_s << u"New sandbox"_s << false;
    }
    void aFewLettersFindWhatIsMeant()
    {
        QFETCH(QString, pattern);
        QFETCH(QString, text);
        QTEST(fuzzyMatch(pattern, text).has_value(), "found");
    }

    void whatStandsThereBeatsStrewnLetters()
    {
        QVERIFY(fuzzyMatch(u"log"_s, u"Log"_s)->score > fuzzyMatch(u"log"_s, u"Larger object group"_s)->score);
        QVERIFY(fuzzyMatch(u"box"_s, u"box-1"_s)->score > fuzzyMatch(u"box"_s, u"New sandbox"_s)->score);
    }

    void whatIsUsedOftenComesFirst()
    {
        const QList<PaletteEntry> entries = {{u"a"_s, u"Close tab"_s, {}, {}, {}, {}}, {u"b"_s, u"Close pane"_s, {}, {}, {}, {}}};
        QCOMPARE(CommandPalette::ranked(entries, {}, u"close"_s).first(), 0);
        QCOMPARE(CommandPalette::ranked(entries, {{u"b"_s, 5}}, u"close"_s).first(), 1);
        QVERIFY(CommandPalette::ranked(entries, {}, u"zzz"_s).isEmpty());
        QList<int> everything(entries.size());
        std::iota(everything.begin(), everything.end(), 0);
        QCOMPARE(CommandPalette::ranked(entries, {}, QString()), everything);
    }
};

QTEST_MAIN(TestCommands)
#include "tst_commands.moc"

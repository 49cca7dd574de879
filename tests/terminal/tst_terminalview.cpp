#include "terminalfixture.h"

#include "terminal/qtermwidgetengine.h"
#include "terminal/terminalfont.h"
#include "terminal/terminalscheme.h"

#include <QClipboard>
#include <QFileInfo>
#include <QGuiApplication>
#include <QStackedWidget>
#include <QTemporaryDir>

using namespace Sandpiper;
using namespace Qt::StringLiterals;

class TestTerminalView : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_home;

private slots:
    void initTestCase()
    {
        QVERIFY(m_home.isValid());
        qputenv("XDG_CACHE_HOME", m_home.path().toUtf8());
    }

    // Where this fails another version of the library took the slot away, and every byte goes the slow way.
    void engineIsFedDirectly()
    {
        QWidget parent;
        const QTermWidgetEngine engine(&parent);
        QVERIFY(engine.isDirect());
        QVERIFY(engine.display());
        QVERIFY(engine.scrollBar());
    }

    void pseudoTerminalCarriesAllToo()
    {
        QWidget window;
        QTermWidgetEngine engine(&window, QTermWidgetEngine::Route::PseudoTerminal);
        QVERIFY(!engine.isDirect());
        window.resize(800, 480);
        engine.widget()->resize(800, 480);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QByteArray sent;
        connect(&engine, &QTermWidgetEngine::input, &engine, [&](const QByteArray &bytes) { sent += bytes; });
        QSignalSpy drained(&engine, &QTermWidgetEngine::backlogDrained);
        engine.write(QByteArray("\x13line\n").repeated(50'000)); // XOFF is a byte like others
        QVERIFY(engine.backlog() > 0);
        engine.write("\x1b[2J\x1b[2;3Hend\x1b[6n");
        QTRY_COMPARE_WITH_TIMEOUT(sent, QByteArray("\x1b[2;6R"), 30000);
        QCOMPARE(engine.backlog(), 0);
        QVERIFY(!drained.isEmpty());
        QVERIFY(engine.visibleText().contains("  end"));
    }

    void firstGridComesWithTheFirstLayoutAndNotBefore()
    {
        TerminalView view(testOptions());
        QSignalSpy grids(&view, &TerminalView::gridResized);
        view.resize(800, 480);
        QCOMPARE(view.gridSize(), QSize(0, 0));
        view.feed("early text");
        QTest::qWait(0);
        QCOMPARE(view.pending(), 10);
        QCOMPARE(grids.size(), 0);
        view.show();
        QTRY_COMPARE_WITH_TIMEOUT(grids.size(), 1, 15000);
        const QSize grid = view.gridSize();
        QVERIFY2(grid.width() > 40 && grid.height() > 12, qPrintable(u"%1x%2"_s.arg(grid.width()).arg(grid.height())));
        QTRY_COMPARE_WITH_TIMEOUT(view.pending(), 0, 15000);
        QVERIFY(view.visibleText().startsWith("early text"));
    }

    void hiddenTerminalCanBeLaidOut()
    {
        QStackedWidget stack;
        stack.addWidget(new QWidget);
        auto *view = new TerminalView(testOptions());
        stack.addWidget(view);
        stack.resize(800, 480);
        stack.show();
        QSignalSpy grids(view, &TerminalView::gridResized);
        view->layOutHidden({800, 480});
        QTRY_COMPARE_WITH_TIMEOUT(grids.size(), 1, 15000);
        const QSize hidden = view->gridSize();
        QVERIFY(hidden.width() > 40);
        view->feed(QByteArray(60, 'x'));
        QTRY_COMPARE_WITH_TIMEOUT(view->pending(), 0, 15000);
        QVERIFY2(view->visibleText().startsWith(QByteArray(60, 'x')), view->visibleText().constData());
        stack.setCurrentWidget(view);
        QTest::qWait(200);
        QCOMPARE(view->gridSize(), hidden);
        QCOMPARE(grids.size(), 1);
    }

    void resizesAreGathered()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QSignalSpy grids(t.view.get(), &TerminalView::gridResized);
        for (int i = 0; i < 30; ++i)
            t.view->resize(800 - 8 * i, 480 - 4 * i);
        QTRY_VERIFY_WITH_TIMEOUT(grids.size() >= 1, 15000);
        QTest::qWait(150);
        QVERIFY2(grids.size() <= 3, "thirty resizes are not thirty messages");
        QCOMPARE(QSize(grids.last().at(0).toInt(), grids.last().at(1).toInt()), t.view->gridSize());
    }

    void utf8SplitAnywhereIsWhole()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        const QByteArray text = u"漢字 é → ж end"_s.toUtf8();
        for (const char c : text)
            t.view->feed(QByteArray(1, c));
        QTRY_COMPARE_WITH_TIMEOUT(t.view->pending(), 0, 15000);
        QVERIFY2(t.view->visibleText().startsWith(text), t.view->visibleText().constData());
        QCOMPARE(t.taken, text.size());
    }

    void cursorPositionIsAnsweredOnceAndInOrder()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("\x1b[2J\x1b[3;5H\x1b[6n\x1b[c\x1b[5n"));
        QTRY_COMPARE_WITH_TIMEOUT(t.sent, QByteArray("\x1b[3;5R\x1b[?62;22c\x1b[0n"), 15000);
    }

    void nothingPrintsThatShouldNot()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("\x1b[2J\x1b[HA\x1bPq#0;1~\x1b\\\x1b_Gx\x1b\\\x1b[<u\x1b[=5u\x1b[?25$p\x1b[1\"q\x1b]52;c;AA\x07\x1b]8;;x\x07" "B"));
        QCOMPARE(t.view->visibleText().trimmed(), "AB");
    }

    void titleBellAndFolderAreTold()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QSignalSpy titles(t.view.get(), &TerminalView::titleChanged);
        QSignalSpy bells(t.view.get(), &TerminalView::bell);
        QSignalSpy folders(t.view.get(), &TerminalView::workingDirectoryChanged);
        QSignalSpy activity(t.view.get(), &TerminalView::activity);
        QVERIFY(t.show("\x1b]0;one\x07\x1b]2;two\x1b\\\x07\x07\x07\x1b]7;file://h/srv\x07"));
        QTRY_COMPARE_WITH_TIMEOUT(bells.size(), 1, 15000);
        QCOMPARE(titles.size(), 1);
        QCOMPARE(titles[0][0].toString(), u"two"_s);
        QCOMPARE(folders.size(), 1);
        QCOMPARE(folders[0][0].toString(), u"/srv"_s);
        QCOMPARE(activity.size(), 1);
    }

    void resetLeavesEveryTrap_data()
    {
        QTest::addColumn<QByteArray>("trap");
        QTest::newRow("open OSC") << QByteArray("\x1b]0;never");
        QTest::newRow("open DCS") << QByteArray("\x1bPq");
        QTest::newRow("half CSI") << QByteArray("\x1b[31");
        QTest::newRow("alternate screen") << QByteArray("\x1b[?1049h\x1b[?25l");
        QTest::newRow("line drawing") << QByteArray("\x1b(0");
        QTest::newRow("held update") << QByteArray("\x1b[?2026hxyz");
    }
    void resetLeavesEveryTrap()
    {
        QFETCH(QByteArray, trap);
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show(trap));
        t.view->reset();
        QVERIFY(t.show("qqq"));
        QTRY_COMPARE_WITH_TIMEOUT(t.view->visibleText().trimmed(), "qqq", 15000);
    }

    void resetDropsWhatWaitsAndSaysSo()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        t.view->feed(QByteArray(1 << 20, 'x'));
        t.view->reset();
        QCOMPARE(t.view->pending(), 0);
        QTRY_COMPARE_WITH_TIMEOUT(t.taken, 1 << 20, 15000);
        QVERIFY(t.view->visibleText().trimmed().isEmpty());
    }

    void heldUpdateComesOutByItself()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("\x1b[?2026hheld"));
        QTRY_VERIFY_WITH_TIMEOUT(t.view->visibleText().startsWith("held"), 15000);
    }

    void hundredMegabytesPassWithABoundedQueue()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QByteArray line;
        for (int i = 0; i < 200; ++i)
            line += "\x1b[3" + QByteArray::number(i % 8) + "m" + QByteArray(300, char('a' + i % 26)) + "\x1b[H";
        // Under a sanitizer a tenth says the same.
#if defined(__SANITIZE_ADDRESS__)
        const qint64 total = 10 << 20;
#else
        const qint64 total = 100 << 20;
#endif
        qint64 fed = 0;
        qint64 most = 0;
        const auto refill = [&] {
            while (fed < total && t.view->pending() < 64 << 10) {
                t.view->feed(line);
                fed += line.size();
            }
            most = qMax(most, t.view->pending());
        };
        connect(t.view.get(), &TerminalView::taken, t.view.get(), refill);
        refill();
        QTRY_VERIFY_WITH_TIMEOUT(fed >= total && t.view->pending() == 0, 120000);
        QCOMPARE(t.taken, fed);
        QVERIFY2(most < 64 * 1024 + line.size(), qPrintable(QString::number(most)));
    }

    void twoBusyTerminalsAdvanceTogether()
    {
        ShownTerminal a;
        ShownTerminal b;
        QVERIFY(a.ready() && b.ready());
        qint64 worst = 0;
        const auto compare = [&] {
            if (a.view->pending() > 0 && b.view->pending() > 0)
                worst = qMax(worst, qAbs(a.taken - b.taken));
        };
        connect(a.view.get(), &TerminalView::taken, a.view.get(), compare);
        connect(b.view.get(), &TerminalView::taken, b.view.get(), compare);
        a.view->feed(QByteArray(1 << 20, 'a'));
        b.view->feed(QByteArray(1 << 20, 'b'));
        QTRY_COMPARE_WITH_TIMEOUT(a.view->pending() + b.view->pending(), 0, 60000);
        QVERIFY2(worst <= 32 << 10, qPrintable(QString::number(worst)));
    }

    void zoomStaysInItsBounds()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        const QSize before = t.view->gridSize();
        t.view->zoom(-100);
        QTRY_VERIFY_WITH_TIMEOUT(t.view->gridSize() != before, 15000);
        const QSize smallest = t.view->gridSize();
        QVERIFY2(smallest.width() < 260, "6 pt is the smallest");
        t.view->zoom(1); // the way back starts at once
        QTRY_VERIFY_WITH_TIMEOUT(t.view->gridSize().width() < smallest.width(), 15000);
        t.view->zoom(1000);
        QTRY_VERIFY_WITH_TIMEOUT(t.view->gridSize().width() < before.width() / 2, 15000);
        QVERIFY2(t.view->gridSize().width() > 15, "40 pt is the largest");
        t.view->zoom(0);
        QTRY_COMPARE_WITH_TIMEOUT(t.view->gridSize(), before, 15000);
    }

    void findWalksThroughTheScrollback()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QByteArray text;
        for (int i = 0; i < 500; ++i)
            text += "line " + QByteArray::number(i) + (i % 100 == 7 ? " Needle\r\n" : "\r\n");
        QVERIFY(t.show(text));
        QVERIFY(!t.view->find(u"haystack"_s, true));
        QVERIFY(t.view->find(u"needle"_s, true));
        QCOMPARE(t.view->selectedText(), u"Needle"_s);
        const QByteArray last = t.view->visibleText();
        QVERIFY2(last.contains("line 407 Needle"), last.constData());
        QVERIFY(t.view->find(u"needle"_s, true));
        QVERIFY2(t.view->visibleText().contains("line 307 Needle"), t.view->visibleText().constData());
        QVERIFY(t.view->find(u"needle"_s, false));
        QVERIFY(t.view->visibleText().contains("line 407 Needle"));
        // A capital asks for the exact word.
        QVERIFY(!t.view->find(u"NEEDLE"_s, true));
        QVERIFY(t.view->find(u"Needle"_s, true));
        // What looks like a pattern is only text.
        QVERIFY(!t.view->find(u"N..dle"_s, true));
        QVERIFY(!t.view->find(QString(), true));
    }

    void clearScrollbackClearsIt()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QByteArray text = "first\r\n";
        for (int i = 0; i < 300; ++i)
            text += "line\r\n";
        QVERIFY(t.show(text));
        QVERIFY(t.view->find(u"first"_s, true));
        QSignalSpy closed(t.view.get(), &TerminalView::findClosed);
        t.view->clearScrollback();
        QCOMPARE(closed.size(), 1);
        QVERIFY(!t.view->find(u"first"_s, true));
    }

    void historyHasTheLengthAskedFor_data()
    {
        QTest::addColumn<int>("lines");
        QTest::addColumn<bool>("kept");
        QTest::newRow("none") << 0 << false;
        QTest::newRow("few") << 10 << false;
        QTest::newRow("many") << 1000 << true;
    }
    void historyHasTheLengthAskedFor()
    {
        QFETCH(int, lines);
        QFETCH(bool, kept);
        TerminalOptions options = testOptions();
        options.historyLines = lines;
        ShownTerminal t(options);
        QVERIFY(t.ready());
        QVERIFY(t.show("first\r\n" + QByteArray("line\r\n").repeated(300)));
        QCOMPARE(t.view->find(u"first"_s, true), kept);
    }

    void selectingAllCopiesAll()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("one\r\ntwo"));
        QSignalSpy selected(t.view.get(), &TerminalView::selectionChanged);
        t.view->selectAll();
        QTRY_COMPARE_WITH_TIMEOUT(selected.size(), 1, 15000);
        QVERIFY(t.view->selectedText().contains(u"one\n"_s));
        t.view->copy();
        QVERIFY(QGuiApplication::clipboard()->text().startsWith(u"one\ntwo"_s));
    }

    void visibleTextLeavesTheSelectionAlone()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("alpha beta gamma"));
        QVERIFY(t.view->find(u"beta"_s, true));
        QVERIFY(t.view->visibleText().startsWith("alpha beta gamma"));
        QCOMPARE(t.view->selectedText(), u"beta"_s);
    }

    // The receiver may do its worst in any of them.
    void viewMayBeEndedInAnySignal_data()
    {
        QTest::addColumn<QString>("which");
        QTest::addColumn<bool>("later");
        for (const char *name : {"input", "reply", "taken", "title", "bell", "folder", "activity", "grid", "selection", "paste", "menu"}) {
            QTest::addRow("%s, deleteLater", name) << QString::fromLatin1(name) << true;
            QTest::addRow("%s, delete", name) << QString::fromLatin1(name) << false;
        }
    }
    void viewMayBeEndedInAnySignal()
    {
        QFETCH(QString, which);
        QFETCH(bool, later);
        auto *view = new TerminalView(testOptions());
        const QPointer<TerminalView> alive(view);
        const auto end = [view, later] { later ? view->deleteLater() : delete view; };
        QObject *context = new QObject(this); // not the view: it is gone in the middle
        bool armed = which == u"grid"_s;
        const auto endIfArmed = [&armed, end] {
            if (std::exchange(armed, false))
                end();
        };
        if (which == u"input"_s || which == u"reply"_s)
            connect(view, &TerminalView::input, context, endIfArmed);
        else if (which == u"taken"_s)
            connect(view, &TerminalView::taken, context, endIfArmed);
        else if (which == u"title"_s)
            connect(view, &TerminalView::titleChanged, context, endIfArmed);
        else if (which == u"bell"_s)
            connect(view, &TerminalView::bell, context, endIfArmed);
        else if (which == u"folder"_s)
            connect(view, &TerminalView::workingDirectoryChanged, context, endIfArmed);
        else if (which == u"activity"_s)
            connect(view, &TerminalView::activity, context, endIfArmed);
        else if (which == u"grid"_s)
            connect(view, &TerminalView::gridResized, context, endIfArmed);
        else if (which == u"selection"_s)
            connect(view, &TerminalView::selectionChanged, context, endIfArmed);
        else if (which == u"paste"_s)
            connect(view, &TerminalView::pasteConfirmationNeeded, context, endIfArmed);
        else if (which == u"menu"_s)
            connect(view, &TerminalView::contextMenuWanted, context, endIfArmed);
        view->resize(800, 480);
        view->show();
        QTRY_VERIFY_WITH_TIMEOUT(!alive || !alive->gridSize().isEmpty(), 15000);
        if (alive) {
            armed = true;
            const QPointer<QWidget> display = view->focusProxy();
            if (which == u"input"_s)
                QTest::keyClick(display, Qt::Key_A);
            else if (which == u"selection"_s)
                view->selectAll();
            else if (which == u"menu"_s)
                QTest::mousePress(display, Qt::RightButton);
            else if (which == u"paste"_s) {
                QGuiApplication::clipboard()->setText(u"a\nb"_s);
                view->paste();
            } else
                view->feed("x\x1b[6n\x1b[c\x1b]0;t\x07\x07\x1b]7;file:///a\x07" + QByteArray(100'000, 'y'));
        }
        QTRY_VERIFY_WITH_TIMEOUT(!alive, 15000);
        QVERIFY(!armed);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        delete context;
    }

    void viewMayBeEndedWithWorkWaiting()
    {
        for (int i = 0; i < 20; ++i) {
            ShownTerminal t;
            t.view->feed(QByteArray(200'000, 'x'));
            QCoreApplication::processEvents();
        }
    }

    void schemesAreThereAndReadable_data()
    {
        QTest::addColumn<QString>("name");
        const QStringList names = TerminalView::colorSchemes();
        QVERIFY(names.size() >= 8);
        for (const QString &name : names)
            QTest::newRow(qPrintable(name)) << name;
    }
    void schemesAreThereAndReadable()
    {
        QFETCH(QString, name);
        const TerminalScheme &scheme = terminalScheme(name);
        QCOMPARE(scheme.name, name);
        QVERIFY(QFileInfo(scheme.file).isFile());
        QVERIFY(scheme.background.isValid() && scheme.foreground.isValid());
        QVERIFY2(contrastRatio(scheme.foreground, scheme.background) >= 4.5,
                 qPrintable(QString::number(contrastRatio(scheme.foreground, scheme.background))));
        for (const QColor &color : scheme.palette)
            QVERIFY(color.isValid());
        // The colours that programs write words in; the one that is the ground's own is for grounds.
        for (std::size_t i = 1; i < 7; ++i)
            QVERIFY2(contrastRatio(scheme.palette[i], scheme.background) >= 2.9, qPrintable(QString::number(i)));
        // The engine paints in it.
        TerminalOptions options = testOptions();
        options.colorScheme = name;
        ShownTerminal t(options);
        QVERIFY(t.ready());
        const QImage image = t.view->grab().toImage();
        QCOMPARE(image.pixelColor(3, image.height() / 2), scheme.background);
        QCOMPARE(image.pixelColor(image.width() / 2, image.height() / 2), scheme.background);
    }

    void schemeIsChangedWhileShown()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        TerminalOptions options = testOptions();
        options.colorScheme = u"Sandpiper Light"_s;
        t.view->setOptions(options);
        const QColor ground = terminalScheme(options.colorScheme).background;
        QTRY_COMPARE_WITH_TIMEOUT(t.view->grab().toImage().pixelColor(400, 240), ground, 15000);
        QVERIFY(t.show("\x1b]11;?\x07"));
        QVERIFY(t.sent.contains("rgb:" + QByteArray::number(ground.red() * 257, 16)));
    }

    void usualSchemesAreOffered()
    {
        const QStringList names = TerminalView::colorSchemes();
        QCOMPARE(names.first(), TerminalOptions().colorScheme);
        for (const QString &name : {u"Sandpiper Light"_s, u"Solarized Dark"_s, u"Solarized Light"_s, u"High Contrast"_s})
            QVERIFY2(names.contains(name), qPrintable(name));
    }

    void keyTableIsFoundFromAnyFolder()
    {
        const QString file = keyTableFile();
        QVERIFY(QFileInfo(file).isAbsolute());
        QVERIFY(QFile::remove(file));
        QCOMPARE(keyTableFile(), file);
        QVERIFY(QFile::exists(file));
    }

    void fontIsAlwaysMonospacedAndInBounds()
    {
        QVERIFY(!bestTerminalFamily().isEmpty());
        QCOMPARE(terminalFont(QFont()).families(), QStringList{bestTerminalFamily()});
        QCOMPARE(terminalFont(QFont(u"Inter"_s, 11)).families(), QStringList{bestTerminalFamily()});
        QCOMPARE(terminalFont(QFont(u"DejaVu Sans Mono"_s, 100)).pointSizeF(), 40.0);
        QCOMPARE(terminalFont(QFont(u"DejaVu Sans Mono"_s, 1)).pointSizeF(), 6.0);
        QCOMPARE(terminalFont(QFont(u"DejaVu Sans Mono"_s, 12)).families(), QStringList{u"DejaVu Sans Mono"_s});
    }
};

QTEST_MAIN(TestTerminalView)
#include "tst_terminalview.moc"

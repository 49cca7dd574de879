#include "terminalfixture.h"

#include <QClipboard>
#include <QDropEvent>
#include <QGuiApplication>
#include <QInputMethodEvent>
#include <QMimeData>
#include <QShortcut>
#include <QTemporaryDir>
#include <QUrl>
#include <QWheelEvent>

using namespace Sandpiper;
using namespace Qt::StringLiterals;

namespace {

// As a window system sends it, with the text that belongs to the key.
void press(QWidget *target, int key, Qt::KeyboardModifiers modifiers, const QString &text)
{
    QKeyEvent down(QEvent::KeyPress, key, modifiers, text);
    QCoreApplication::sendEvent(target, &down);
    QKeyEvent up(QEvent::KeyRelease, key, modifiers, text);
    QCoreApplication::sendEvent(target, &up);
}

void wheel(QWidget *target, int angle, Qt::KeyboardModifiers modifiers = Qt::NoModifier, QPoint at = {50, 50})
{
    QWheelEvent event(at, target->mapToGlobal(at), QPoint(), QPoint(0, angle), Qt::NoButton, modifiers, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(target, &event);
}

} // namespace

class TestTerminalInput : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_home;

private slots:
    void initTestCase()
    {
        QVERIFY(m_home.isValid());
        // The key table is found in any folder.
        qputenv("XDG_CACHE_HOME", (m_home.path() + u"/a b.c/ü"_s).toUtf8());
    }

    void keySends_data()
    {
        QTest::addColumn<int>("key");
        QTest::addColumn<Qt::KeyboardModifiers>("modifiers");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QByteArray>("modes");
        QTest::addColumn<QByteArray>("bytes");
        const auto row = [](const char *name, int key, Qt::KeyboardModifiers modifiers, const QString &text, const QByteArray &bytes,
                            const QByteArray &modes = {}) { QTest::newRow(name) << key << modifiers << text << modes << bytes; };
        const Qt::KeyboardModifiers none = Qt::NoModifier;
        const Qt::KeyboardModifiers shift = Qt::ShiftModifier;
        const Qt::KeyboardModifiers ctrl = Qt::ControlModifier;
        const Qt::KeyboardModifiers alt = Qt::AltModifier;
        const Qt::KeyboardModifiers pad = Qt::KeypadModifier;
        row("a", Qt::Key_A, none, u"a"_s, "a");
        row("A", Qt::Key_A, shift, u"A"_s, "A");
        row("e acute", Qt::Key_Eacute, none, u"é"_s, "\xc3\xa9");
        row("emoji", 0, none, u"😀"_s, "\xf0\x9f\x98\x80");
        row("Backspace", Qt::Key_Backspace, none, u"\b"_s, "\x7f");
        row("Ctrl+Backspace", Qt::Key_Backspace, ctrl, u"\x7f"_s, "\b");
        row("Alt+Backspace", Qt::Key_Backspace, alt, u"\b"_s, "\x1b\x7f");
        row("Shift+Backspace", Qt::Key_Backspace, shift, u"\b"_s, "\x7f");
        row("Return", Qt::Key_Return, none, u"\r"_s, "\r");
        row("Shift+Return", Qt::Key_Return, shift, u"\r"_s, "\r");
        row("Alt+Return", Qt::Key_Return, alt, u"\r"_s, "\x1b\r");
        row("Enter", Qt::Key_Enter, pad, u"\r"_s, "\r");
        row("Tab", Qt::Key_Tab, none, u"\t"_s, "\t");
        row("Shift+Tab", Qt::Key_Backtab, shift, u""_s, "\x1b[Z");
        row("Escape", Qt::Key_Escape, none, u"\x1b"_s, "\x1b");
        row("Ctrl+Space", Qt::Key_Space, ctrl, u" "_s, QByteArray(1, '\0'));
        row("Ctrl+A", Qt::Key_A, ctrl, u"\x01"_s, "\x01");
        row("Ctrl+C", Qt::Key_C, ctrl, u"\x03"_s, "\x03");
        row("Ctrl+K", Qt::Key_K, ctrl, u"\x0b"_s, "\x0b");
        row("Ctrl+W", Qt::Key_W, ctrl, u"\x17"_s, "\x17");
        row("Ctrl+Z", Qt::Key_Z, ctrl, u"\x1a"_s, "\x1a");
        row("Ctrl+[", Qt::Key_BracketLeft, ctrl, u"\x1b"_s, "\x1b");
        row("Ctrl+Backslash", Qt::Key_Backslash, ctrl, u"\x1c"_s, "\x1c");
        row("Ctrl+]", Qt::Key_BracketRight, ctrl, u"\x1d"_s, "\x1d");
        row("Ctrl+_", Qt::Key_Underscore, ctrl | shift, u"\x1f"_s, "\x1f");
        row("Alt+x", Qt::Key_X, alt, u"x"_s, "\x1bx");
        row("Alt+.", Qt::Key_Period, alt, u"."_s, "\x1b.");
        row("Alt+0", Qt::Key_0, alt, u"0"_s, "\x1b" "0");
        row("Ctrl+Alt+A", Qt::Key_A, ctrl | alt, u"\x01"_s, "\x1b\x01");
        row("Up", Qt::Key_Up, none, {}, "\x1b[A");
        row("Down", Qt::Key_Down, none, {}, "\x1b[B");
        row("Right", Qt::Key_Right, none, {}, "\x1b[C");
        row("Left", Qt::Key_Left, none, {}, "\x1b[D");
        row("Up, application", Qt::Key_Up, none, {}, "\x1bOA", "\x1b[?1h");
        row("Left, application", Qt::Key_Left, none, {}, "\x1bOD", "\x1b[?1h");
        row("Ctrl+Right", Qt::Key_Right, ctrl, {}, "\x1b[1;5C");
        row("Ctrl+Right, application", Qt::Key_Right, ctrl, {}, "\x1b[1;5C", "\x1b[?1h");
        row("Alt+Left", Qt::Key_Left, alt, {}, "\x1b[1;3D");
        row("Shift+Up", Qt::Key_Up, shift, {}, "\x1b[1;2A");
        row("Ctrl+Shift+Up", Qt::Key_Up, ctrl | shift, {}, "\x1b[1;6A");
        row("Home", Qt::Key_Home, none, {}, "\x1b[H");
        row("End", Qt::Key_End, none, {}, "\x1b[F");
        row("Home, application", Qt::Key_Home, none, {}, "\x1bOH", "\x1b[?1h");
        row("Ctrl+Home", Qt::Key_Home, ctrl, {}, "\x1b[1;5H");
        row("Insert", Qt::Key_Insert, none, {}, "\x1b[2~");
        row("Delete", Qt::Key_Delete, none, u"\x7f"_s, "\x1b[3~");
        row("Ctrl+Delete", Qt::Key_Delete, ctrl, {}, "\x1b[3;5~");
        row("PageUp", Qt::Key_PageUp, none, {}, "\x1b[5~");
        row("PageDown", Qt::Key_PageDown, none, {}, "\x1b[6~");
        row("Ctrl+PageUp", Qt::Key_PageUp, ctrl, {}, "\x1b[5;5~");
        row("Shift+PageUp scrolls", Qt::Key_PageUp, shift, {}, "");
        row("Shift+PageUp, alternate screen", Qt::Key_PageUp, shift, {}, "\x1b[5;2~", "\x1b[?1049h");
        row("F1", Qt::Key_F1, none, {}, "\x1bOP");
        row("F2", Qt::Key_F2, none, {}, "\x1bOQ");
        row("F4", Qt::Key_F4, none, {}, "\x1bOS");
        row("F5", Qt::Key_F5, none, {}, "\x1b[15~");
        row("F6", Qt::Key_F6, none, {}, "\x1b[17~");
        row("F10", Qt::Key_F10, none, {}, "\x1b[21~");
        row("F12", Qt::Key_F12, none, {}, "\x1b[24~");
        row("Shift+F1", Qt::Key_F1, shift, {}, "\x1b[1;2P");
        row("Ctrl+F5", Qt::Key_F5, ctrl, {}, "\x1b[15;5~");
        row("keypad 5", Qt::Key_5, pad, u"5"_s, "5");
        row("keypad 5, application", Qt::Key_5, pad, u"5"_s, "5", "\x1b=");
        row("keypad +", Qt::Key_Plus, pad, u"+"_s, "+");
        row("keypad Up", Qt::Key_Up, pad, {}, "\x1b[A");
        row("keypad Up, application", Qt::Key_Up, pad, {}, "\x1bOA", "\x1b[?1h");
        row("keypad Home", Qt::Key_Home, pad, {}, "\x1b[H");
        row("keypad Delete", Qt::Key_Delete, pad, {}, "\x1b[3~");
        row("Control alone", Qt::Key_Control, ctrl, {}, "");
        row("Shift alone", Qt::Key_Shift, shift, {}, "");
        row("Ctrl+Shift+C is ours", Qt::Key_C, ctrl | shift, u"\x03"_s, "");
        row("Ctrl+Tab is ours", Qt::Key_Tab, ctrl, u"\t"_s, "");
    }
    void keySends()
    {
        QFETCH(int, key);
        QFETCH(Qt::KeyboardModifiers, modifiers);
        QFETCH(QString, text);
        QFETCH(QByteArray, modes);
        QFETCH(QByteArray, bytes);
        ShownTerminal t;
        QVERIFY(t.ready());
        if (!modes.isEmpty())
            QVERIFY(t.show(modes));
        press(t.display(), key, modifiers, text);
        QCOMPARE(t.sent.toPercentEncoding(), bytes.toPercentEncoding());
    }

    void shortcutGoesTo_data()
    {
        QTest::addColumn<QKeySequence>("keys");
        QTest::addColumn<int>("key");
        QTest::addColumn<Qt::KeyboardModifiers>("modifiers");
        QTest::addColumn<bool>("toProgram");
        const Qt::KeyboardModifiers ctrl = Qt::ControlModifier;
        QTest::newRow("Ctrl+W") << QKeySequence(u"Ctrl+W"_s) << int(Qt::Key_W) << ctrl << false;
        QTest::newRow("Ctrl+K") << QKeySequence(u"Ctrl+K"_s) << int(Qt::Key_K) << ctrl << false;
        QTest::newRow("F1") << QKeySequence(u"F1"_s) << int(Qt::Key_F1) << Qt::KeyboardModifiers() << false;
        QTest::newRow("Alt+F") << QKeySequence(u"Alt+F"_s) << int(Qt::Key_F) << Qt::KeyboardModifiers(Qt::AltModifier) << false;
        QTest::newRow("Ctrl+Shift+T") << QKeySequence(u"Ctrl+Shift+T"_s) << int(Qt::Key_T) << (ctrl | Qt::ShiftModifier) << true;
        QTest::newRow("Alt+3") << QKeySequence(u"Alt+3"_s) << int(Qt::Key_3) << Qt::KeyboardModifiers(Qt::AltModifier) << true;
        QTest::newRow("F11") << QKeySequence(u"F11"_s) << int(Qt::Key_F11) << Qt::KeyboardModifiers() << true;
        QTest::newRow("Ctrl+Tab") << QKeySequence(u"Ctrl+Tab"_s) << int(Qt::Key_Tab) << ctrl << true;
    }
    void shortcutGoesTo()
    {
        QFETCH(QKeySequence, keys);
        QFETCH(int, key);
        QFETCH(Qt::KeyboardModifiers, modifiers);
        QFETCH(bool, toProgram);
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(QTest::qWaitForWindowActive(t.view.get()));
        t.view->setFocus();
        int fired = 0;
        QShortcut shortcut(keys, t.view.get());
        connect(&shortcut, &QShortcut::activated, t.view.get(), [&] { ++fired; });
        // Through the window, as the window system does: that is where shortcuts are looked up.
        QTest::keyClick(t.view->windowHandle(), Qt::Key(key), modifiers);
        QCOMPARE(fired, toProgram ? 1 : 0);
        QCOMPARE(t.sent.isEmpty(), toProgram);
    }

    void pasteSends_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QByteArray>("modes");
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("asked"); // lines, 0: not asked
        QTest::newRow("word") << u"ls"_s << QByteArray() << QByteArray("ls") << 0;
        QTest::newRow("two lines ask") << u"a\nb"_s << QByteArray() << QByteArray() << 2;
        QTest::newRow("line end asks") << u"reboot\n"_s << QByteArray() << QByteArray() << 1;
        QTest::newRow("bracketed") << u"a\nb"_s << QByteArray("\x1b[?2004h") << QByteArray("\x1b[200~a\rb\x1b[201~") << 0;
        QTest::newRow("escape from the bracket") << u"x\x1b[201~\nrm\n"_s << QByteArray("\x1b[?2004h")
                                                 << QByteArray("\x1b[200~x[201~\rrm\r\x1b[201~") << 0;
        QTest::newRow("nothing left") << u"\x1b\x03"_s << QByteArray() << QByteArray() << 0;
    }
    void pasteSends()
    {
        QFETCH(QString, text);
        QFETCH(QByteArray, modes);
        QFETCH(QByteArray, bytes);
        QFETCH(int, asked);
        ShownTerminal t;
        QVERIFY(t.ready());
        if (!modes.isEmpty())
            QVERIFY(t.show(modes));
        QSignalSpy questions(t.view.get(), &TerminalView::pasteConfirmationNeeded);
        QGuiApplication::clipboard()->setText(text);
        t.view->paste();
        QCOMPARE(t.sent, bytes);
        QCOMPARE(questions.size(), asked > 0 ? 1 : 0);
        if (asked > 0) {
            QCOMPARE(questions[0][1].toInt(), asked);
            t.view->pasteText(questions[0][0].toString());
            QVERIFY(t.sent.contains('\r'));
        }
    }

    void multilinePasteAsksOnlyWhereWished()
    {
        TerminalOptions options = testOptions();
        options.confirmMultilinePaste = false;
        ShownTerminal t(options);
        QVERIFY(t.ready());
        QGuiApplication::clipboard()->setText(u"a\nb"_s);
        t.view->paste();
        QCOMPARE(t.sent, "a\rb");
    }

    void largePasteComesInPieces()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QSignalSpy inputs(t.view.get(), &TerminalView::input);
        t.view->pasteText(QString(1'000'000, u'x'));
        QCOMPARE(t.sent.size(), 1'000'000);
        QVERIFY(inputs.size() >= 62);
        for (const auto &call : std::as_const(inputs))
            QVERIFY(call.at(0).toByteArray().size() <= 16 << 10);
    }

    void shiftInsertAndMiddleClickPasteThroughTheGuard()
    {
        QClipboard *clipboard = QGuiApplication::clipboard();
        const bool hasPrimary = clipboard->supportsSelection();
        ShownTerminal t;
        QVERIFY(t.ready());
        QSignalSpy questions(t.view.get(), &TerminalView::pasteConfirmationNeeded);
        clipboard->setText(u"one\x1b\ntwo"_s, hasPrimary ? QClipboard::Selection : QClipboard::Clipboard);
        QTest::mouseClick(t.display(), Qt::MiddleButton);
        press(t.display(), Qt::Key_Insert, Qt::ShiftModifier, {});
        QCOMPARE(t.sent, QByteArray());
        QCOMPARE(questions.size(), 2);
        TerminalOptions options = testOptions();
        options.middleClickPastes = false;
        t.view->setOptions(options);
        QTest::mouseClick(t.display(), Qt::MiddleButton);
        QCOMPARE(questions.size(), 2);
    }

    void droppedTextGoesThroughTheGuard()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QSignalSpy questions(t.view.get(), &TerminalView::pasteConfirmationNeeded);
        const auto drop = [&](QMimeData &data) {
            QDragEnterEvent enter(QPoint(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
            QCoreApplication::sendEvent(t.display(), &enter);
            QDropEvent event(QPointF(20, 20), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
            QCoreApplication::sendEvent(t.display(), &event);
        };
        QMimeData text;
        text.setText(u"safe\x1b]0;x"_s);
        drop(text);
        QCOMPARE(t.sent, "safe]0;x");
        QMimeData lines;
        lines.setText(u"a\nb"_s);
        drop(lines);
        QCOMPARE(questions.size(), 1);
        t.sent.clear();
        QMimeData files;
        files.setUrls({QUrl::fromLocalFile(u"/tmp/it's"_s), QUrl::fromLocalFile(u"/tmp/b"_s)});
        drop(files);
        QCOMPARE(t.sent, "'/tmp/it'\\''s' /tmp/b ");
        t.sent.clear();
        t.view->setReadOnly(true);
        drop(text);
        QCOMPARE(t.sent, QByteArray());
    }

    void readOnlySendsNothing()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        t.view->setReadOnly(true);
        press(t.display(), Qt::Key_A, Qt::NoModifier, u"a"_s);
        press(t.display(), Qt::Key_Up, Qt::NoModifier, {});
        QInputMethodEvent commit;
        commit.setCommitString(u"漢"_s);
        QCoreApplication::sendEvent(t.display(), &commit);
        t.view->pasteText(u"paste"_s);
        QVERIFY(t.show("\x1b[?1000;1006h\x1b[?1049h"));
        QTest::mouseClick(t.display(), Qt::LeftButton, Qt::NoModifier, {50, 50});
        wheel(t.display(), 120);
        QCOMPARE(t.sent, QByteArray());
        t.view->setReadOnly(false);
        press(t.display(), Qt::Key_A, Qt::NoModifier, u"a"_s);
        QCOMPARE(t.sent, "a");
    }

    void inputMethodCommits()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QInputMethodEvent preedit(u"han"_s, {});
        QCoreApplication::sendEvent(t.display(), &preedit);
        QCOMPARE(t.sent, QByteArray());
        QInputMethodEvent commit;
        commit.setCommitString(u"漢字"_s);
        QCoreApplication::sendEvent(t.display(), &commit);
        QCOMPARE(t.sent, u"漢字"_s.toUtf8());
        QVERIFY(t.display()->testAttribute(Qt::WA_InputMethodEnabled));
    }

    void linkOpensOnlyWithCtrlAndOnlyTheHarmless_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<Qt::KeyboardModifiers>("modifiers");
        QTest::addColumn<QString>("url");
        const Qt::KeyboardModifiers ctrl = Qt::ControlModifier;
        QTest::newRow("https") << QByteArray("https://example.org/a") << ctrl << u"https://example.org/a"_s;
        QTest::newRow("http") << QByteArray("http://example.org") << ctrl << u"http://example.org"_s;
        QTest::newRow("mail") << QByteArray("someone@example.org") << ctrl << u"mailto:someone@example.org"_s;
        QTest::newRow("plain click") << QByteArray("https://example.org/a") << Qt::KeyboardModifiers() << QString();
        QTest::newRow("file") << QByteArray("file:///etc/passwd") << ctrl << QString();
        QTest::newRow("ftp") << QByteArray("ftp://example.org/a") << ctrl << QString();
        QTest::newRow("ssh") << QByteArray("ssh://example.org/a") << ctrl << QString();
        QTest::newRow("no link") << QByteArray("just some text") << ctrl << QString();
    }
    void linkOpensOnlyWithCtrlAndOnlyTheHarmless()
    {
        QFETCH(QByteArray, text);
        QFETCH(Qt::KeyboardModifiers, modifiers);
        QFETCH(QString, url);
        ShownTerminal t;
        QVERIFY(t.ready());
        QSignalSpy links(t.view.get(), &TerminalView::linkActivated);
        QVERIFY(t.show("\x1b[2J\x1b[H" + text));
        const QPoint onIt(30, 14);
        if (url.isEmpty()) {
            QTest::qWait(200); // the engine looks for links a moment after it has painted
            QTest::mouseClick(t.display(), Qt::LeftButton, modifiers, onIt);
            QTest::qWait(50);
            QCOMPARE(links.size(), 0);
            return;
        }
        QTRY_VERIFY_WITH_TIMEOUT((QTest::mouseClick(t.display(), Qt::LeftButton, modifiers, onIt), QTest::qWait(20), !links.isEmpty()), 15000);
        QCOMPARE(links[0][0].toUrl().toString(), url);
    }

    void mouseIsReportedAsAsked()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("\x1b[?1002;1006h"));
        const QPoint at(6, 6); // the padding
        QTest::mousePress(t.display(), Qt::LeftButton, Qt::NoModifier, at + QPoint(1, 1));
        QCOMPARE(t.sent, "\x1b[<0;1;1M");
        t.sent.clear();
        QTest::mouseMove(t.display(), at + QPoint(300, 1));
        QTRY_VERIFY_WITH_TIMEOUT(t.sent.startsWith("\x1b[<32;"), 15000);
        t.sent.clear();
        QTest::mouseRelease(t.display(), Qt::LeftButton, Qt::ControlModifier, at + QPoint(1, 1));
        QCOMPARE(t.sent, "\x1b[<16;1;1m");
        t.sent.clear();
        // With Shift the person selects.
        QTest::mouseClick(t.display(), Qt::LeftButton, Qt::ShiftModifier, at + QPoint(1, 1));
        QCOMPARE(t.sent, QByteArray());
        QVERIFY(t.show("\x1b[?1002l"));
        QTest::mouseClick(t.display(), Qt::LeftButton, Qt::NoModifier, at + QPoint(1, 1));
        QCOMPARE(t.sent, QByteArray());
    }

    void hoverIsReportedOnlyIn1003()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("\x1b[?1002;1006h"));
        QTest::mouseMove(t.display(), {100, 100});
        QCOMPARE(t.sent, QByteArray());
        QVERIFY(t.show("\x1b[?1003h"));
        QTest::mouseMove(t.display(), {200, 150});
        QTRY_VERIFY_WITH_TIMEOUT(t.sent.startsWith("\x1b[<35;"), 15000);
    }

    void rightClickAsksForTheMenu()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QSignalSpy menus(t.view.get(), &TerminalView::contextMenuWanted);
        QTest::mouseClick(t.display(), Qt::RightButton, Qt::NoModifier, {50, 50});
        QCOMPARE(menus.size(), 1);
        QVERIFY(t.show("\x1b[?1000;1006h"));
        QTest::mouseClick(t.display(), Qt::RightButton, Qt::NoModifier, {50, 50});
        QCOMPARE(menus.size(), 1);
        QVERIFY(t.sent.startsWith("\x1b[<2;"));
    }

    void wheelWalksOnlyWhereItMay()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show("$ "));
        wheel(t.display(), 120);
        QCOMPARE(t.sent, QByteArray()); // a fresh prompt keeps its history to itself
        QVERIFY(t.show("\x1b[?1049h"));
        wheel(t.display(), 120);
        QCOMPARE(t.sent, "\x1b[A\x1b[A\x1b[A");
        t.sent.clear();
        QVERIFY(t.show("\x1b[?1h"));
        wheel(t.display(), -120);
        QCOMPARE(t.sent, "\x1bOB\x1bOB\x1bOB");
        t.sent.clear();
        QVERIFY(t.show("\x1b[?1007l"));
        wheel(t.display(), -120);
        QCOMPARE(t.sent, QByteArray());
        QVERIFY(t.show("\x1b[?1000;1006h"));
        wheel(t.display(), 120, Qt::NoModifier, {7, 7});
        QCOMPARE(t.sent, "\x1b[<64;1;1M");
    }

    void wheelScrollsTheScrollback()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show(QByteArray("line\r\n").repeated(300) + "end"));
        QTRY_VERIFY_WITH_TIMEOUT(t.view->visibleText().contains("end"), 15000);
        QTRY_VERIFY_WITH_TIMEOUT((wheel(t.display(), 1200), !t.view->visibleText().contains("end")), 15000);
        QCOMPARE(t.sent, QByteArray());
        t.view->scrollToBottom();
        QVERIFY(t.view->visibleText().contains("end"));
    }

    void ctrlWheelZooms()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        const QSize before = t.view->gridSize();
        wheel(t.display(), 360, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(t.view->gridSize().width() < before.width(), 15000);
        QCOMPARE(t.sent, QByteArray());
    }

    void focusIsReportedWhereAskedFor()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(QTest::qWaitForWindowActive(t.view.get()));
        t.view->clearFocus();
        QCOMPARE(t.sent, QByteArray());
        QVERIFY(t.show("\x1b[?1004h"));
        t.view->setFocus();
        QCOMPARE(t.sent, "\x1b[I");
        t.display()->clearFocus();
        QCOMPARE(t.sent, "\x1b[I\x1b[O");
    }

    void copyOnSelectCopiesWhenTheButtonIsLetGo()
    {
        TerminalOptions options = testOptions();
        options.copyOnSelect = true;
        ShownTerminal t(options);
        QVERIFY(t.ready());
        QGuiApplication::clipboard()->setText(u"before"_s);
        QVERIFY(t.show("\x1b[2J\x1b[Hword other"));
        const QPoint onIt(20, 14);
        QTRY_COMPARE_WITH_TIMEOUT((QTest::mouseDClick(t.display(), Qt::LeftButton, Qt::NoModifier, onIt),
                                   QTest::mouseRelease(t.display(), Qt::LeftButton, Qt::NoModifier, onIt), t.view->selectedText()),
                                  u"word"_s, 15000);
        QCOMPARE(QGuiApplication::clipboard()->text(), u"word"_s);
    }

    void keyScrollsBackToTheEnd()
    {
        ShownTerminal t;
        QVERIFY(t.ready());
        QVERIFY(t.show(QByteArray("line\r\n").repeated(300) + "end"));
        QTRY_VERIFY_WITH_TIMEOUT((press(t.display(), Qt::Key_PageUp, Qt::ShiftModifier, {}), !t.view->visibleText().contains("end")), 15000);
        press(t.display(), Qt::Key_A, Qt::NoModifier, u"a"_s);
        QTRY_VERIFY_WITH_TIMEOUT(t.view->visibleText().contains("end"), 15000);
    }
};

QTEST_MAIN(TestTerminalInput)
#include "tst_terminalinput.moc"

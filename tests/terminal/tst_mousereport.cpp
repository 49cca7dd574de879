#include "terminal/appkeys.h"
#include "terminal/mousereport.h"

#include <QTest>

using namespace Sandpiper;

using Kind = MouseReport::Kind;

class TestMouseReport : public QObject
{
    Q_OBJECT
private slots:
    void reportIs_data()
    {
        QTest::addColumn<MouseReports>("mode");
        QTest::addColumn<MouseEncoding>("encoding");
        QTest::addColumn<Kind>("kind");
        QTest::addColumn<Qt::MouseButton>("button");
        QTest::addColumn<Qt::KeyboardModifiers>("modifiers");
        QTest::addColumn<QPoint>("cell");
        QTest::addColumn<QByteArray>("bytes");
        const auto row = [](const char *name, MouseReports mode, MouseEncoding encoding, Kind kind, Qt::MouseButton button,
                            Qt::KeyboardModifiers modifiers, QPoint cell, const QByteArray &bytes) {
            QTest::newRow(name) << mode << encoding << kind << button << modifiers << cell << bytes;
        };
        using R = MouseReports;
        using E = MouseEncoding;
        const Qt::KeyboardModifiers none = Qt::NoModifier;
        row("off", R::Off, E::Sgr, Kind::Press, Qt::LeftButton, none, {0, 0}, {});
        row("press", R::Buttons, E::Sgr, Kind::Press, Qt::LeftButton, none, {4, 2}, "\x1b[<0;5;3M");
        row("release", R::Buttons, E::Sgr, Kind::Release, Qt::LeftButton, none, {4, 2}, "\x1b[<0;5;3m");
        row("right with Ctrl", R::Buttons, E::Sgr, Kind::Press, Qt::RightButton, Qt::ControlModifier, {0, 0}, "\x1b[<18;1;1M");
        row("middle with Alt", R::Buttons, E::Sgr, Kind::Press, Qt::MiddleButton, Qt::AltModifier, {0, 0}, "\x1b[<9;1;1M");
        row("no drag in 1000", R::Buttons, E::Sgr, Kind::Move, Qt::LeftButton, none, {4, 2}, {});
        row("drag in 1002", R::Drag, E::Sgr, Kind::Move, Qt::LeftButton, none, {4, 2}, "\x1b[<32;5;3M");
        row("no hover in 1002", R::Drag, E::Sgr, Kind::Move, Qt::NoButton, none, {4, 2}, {});
        row("hover in 1003", R::Motion, E::Sgr, Kind::Move, Qt::NoButton, none, {4, 2}, "\x1b[<35;5;3M");
        row("wheel up", R::Buttons, E::Sgr, Kind::WheelUp, Qt::NoButton, none, {0, 0}, "\x1b[<64;1;1M");
        row("wheel down with Shift", R::Buttons, E::Sgr, Kind::WheelDown, Qt::NoButton, Qt::ShiftModifier, {0, 0}, "\x1b[<69;1;1M");
        row("X10 press", R::PressOnly, E::Classic, Kind::Press, Qt::LeftButton, Qt::ControlModifier, {0, 0}, "\x1b[M !!");
        row("X10 release", R::PressOnly, E::Classic, Kind::Release, Qt::LeftButton, none, {0, 0}, {});
        row("classic release", R::Buttons, E::Classic, Kind::Release, Qt::RightButton, none, {0, 0}, "\x1b[M#!!");
        row("classic far away", R::Buttons, E::Classic, Kind::Press, Qt::LeftButton, none, {223, 0}, {});
        row("UTF-8 far away", R::Buttons, E::Utf8, Kind::Press, Qt::LeftButton, none, {223, 0}, "\x1b[M \xc4\x80!");
        row("urxvt", R::Buttons, E::Urxvt, Kind::Press, Qt::LeftButton, none, {299, 99}, "\x1b[32;300;100M");
        row("back button", R::Buttons, E::Sgr, Kind::Press, Qt::BackButton, none, {0, 0}, "\x1b[<128;1;1M");
        row("outside", R::Buttons, E::Sgr, Kind::Press, Qt::LeftButton, none, {-1, 0}, {});
    }
    void reportIs()
    {
        QFETCH(MouseReports, mode);
        QFETCH(MouseEncoding, encoding);
        QFETCH(Kind, kind);
        QFETCH(Qt::MouseButton, button);
        QFETCH(Qt::KeyboardModifiers, modifiers);
        QFETCH(QPoint, cell);
        QFETCH(QByteArray, bytes);
        TerminalModes modes;
        modes.mouse = mode;
        modes.mouseEncoding = encoding;
        MouseReport report{kind, button, modifiers, cell, {}};
        QCOMPARE(mouseReport(report, modes), bytes);
    }

    void pixelsAreReportedWhereAskedFor()
    {
        TerminalModes modes;
        modes.mouse = MouseReports::Buttons;
        modes.mouseEncoding = MouseEncoding::SgrPixels;
        const MouseReport report{Kind::Press, Qt::LeftButton, Qt::NoModifier, {1, 1}, {17, 33}};
        QCOMPARE(mouseReport(report, modes), QByteArray("\x1b[<0;18;34M"));
    }

    void wheelSendsCursorKeysOfTheMode()
    {
        TerminalModes modes;
        QCOMPARE(wheelKeys(2, modes), QByteArray("\x1b[A\x1b[A"));
        modes.applicationCursor = true;
        QCOMPARE(wheelKeys(-1, modes), QByteArray("\x1bOB"));
        QCOMPARE(wheelKeys(1'000'000, modes).size(), 300);
    }

    void keyBelongsTo_data()
    {
        QTest::addColumn<int>("key");
        QTest::addColumn<Qt::KeyboardModifiers>("modifiers");
        QTest::addColumn<bool>("ours");
        QTest::addColumn<bool>("never");
        const Qt::KeyboardModifiers none = Qt::NoModifier;
        const Qt::KeyboardModifiers ctrl = Qt::ControlModifier;
        const Qt::KeyboardModifiers ctrlShift = Qt::ControlModifier | Qt::ShiftModifier;
        const Qt::KeyboardModifiers alt = Qt::AltModifier;
        QTest::newRow("Ctrl+W") << int(Qt::Key_W) << ctrl << false << false;
        QTest::newRow("Ctrl+K") << int(Qt::Key_K) << ctrl << false << false;
        QTest::newRow("F1") << int(Qt::Key_F1) << none << false << false;
        QTest::newRow("F11") << int(Qt::Key_F11) << none << true << false;
        QTest::newRow("Shift+F11") << int(Qt::Key_F11) << Qt::KeyboardModifiers(Qt::ShiftModifier) << false << false;
        QTest::newRow("Ctrl+Shift+C") << int(Qt::Key_C) << ctrlShift << true << true;
        QTest::newRow("Ctrl+_") << int(Qt::Key_Underscore) << ctrlShift << true << false;
        QTest::newRow("Alt+1") << int(Qt::Key_1) << alt << true << false;
        QTest::newRow("Alt+9") << int(Qt::Key_9) << alt << true << false;
        QTest::newRow("Alt+0") << int(Qt::Key_0) << alt << false << false;
        QTest::newRow("Alt+X") << int(Qt::Key_X) << alt << false << false;
        QTest::newRow("Ctrl+Tab") << int(Qt::Key_Tab) << ctrl << true << true;
        QTest::newRow("Ctrl+Shift+Tab") << int(Qt::Key_Backtab) << ctrlShift << true << true;
        QTest::newRow("Tab") << int(Qt::Key_Tab) << none << false << false;
        QTest::newRow("Shift+Tab") << int(Qt::Key_Backtab) << Qt::KeyboardModifiers(Qt::ShiftModifier) << false << false;
        QTest::newRow("Alt+Left") << int(Qt::Key_Left) << alt << false << false;
    }
    void keyBelongsTo()
    {
        QFETCH(int, key);
        QFETCH(Qt::KeyboardModifiers, modifiers);
        QFETCH(bool, ours);
        QFETCH(bool, never);
        QCOMPARE(belongsToProgram(key, modifiers), ours);
        QCOMPARE(neverForShell(key, modifiers), never);
    }
};

QTEST_GUILESS_MAIN(TestMouseReport)
#include "tst_mousereport.moc"

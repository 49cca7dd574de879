// The small widgets of the workspace: banner, find bar, paste bar, tabs.
#include "ui/findbar.h"
#include "ui/panebanner.h"
#include "ui/pastebar.h"
#include "ui/tabbar.h"
#include "ui/tabstrip.h"

#include <QAccessible>
#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QMouseEvent>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = StandingShell::State;

namespace {

const QDateTime noon(QDate(2026, 11, 20), QTime(12, 0), QTimeZone::UTC);

BannerFace waitingFor(int seconds)
{
    StandingShell::Status status;
    status.state = State::Waiting;
    status.retryAt = noon.addSecs(seconds);
    BannerSubject subject;
    subject.name = u"box-1"_s;
    subject.wasOpen = true;
    return bannerFor(status, subject);
}

TabFace named(const QString &name, TabMark mark = TabMark::None)
{
    TabFace face;
    face.name = name;
    face.spoken = name;
    face.mark = mark;
    return face;
}

QPushButton *buttonWith(QWidget *in, const QString &text)
{
    for (QPushButton *button : in->findChildren<QPushButton *>()) {
        if (button->text() == text && button->isVisible())
            return button;
    }
    return nullptr;
}

TabSubject open(const QString &program)
{
    TabSubject subject;
    subject.sandboxName = u"box-1"_s;
    subject.programTitle = program;
    subject.status.state = State::Open;
    return subject;
}

} // namespace

class TestPanes : public QObject
{
    Q_OBJECT
private slots:
    void theBannerCountsOnlyWhileItIsSeen();
    void theBannerCountsDown();
    void theBannerActsByMouseAndByKey();
    void anEqualFaceKeepsTheFocusInTheBanner();
    void escapeLeavesTheBanner();
    void theBannerSpeaks();

    void findingAsksForEarlierMatchesFirst();
    void findingSaysWhenThereIsNone();
    void findingBeginsWithOneTamedLine();

    void aPasteIsShownWithNothingHidden_data();
    void aPasteIsShownWithNothingHidden();
    void aPasteIsSentOnlyWhenAgreed();
    void aNewPasteTakesThePlaceOfTheOld();
    void aWithdrawnPasteIsNeverSent();
    void aHugePasteIsShownInPart();

    void oneMarkAtATimeTheMostUrgent_data();
    void oneMarkAtATimeTheMostUrgent();
    void hostileTitlesAreTamed_data();
    void hostileTitlesAreTamed();
    void aGivenTitleStandsAlone();
    void tabsShowTheirCrossWhereTheyAreCurrent();
    void theMiddleButtonCloses();
    void draggingChangesTheOrder();
    void manyTabsGetNarrowerThenScroll();
    void tabsSpeakTheirMark();
};

void TestPanes::theBannerCountsOnlyWhileItIsSeen()
{
    QWidget window;
    PaneBanner banner(&window, [] { return noon; });
    banner.setFace(waitingFor(4));
    QVERIFY(!banner.isCounting()); // not shown yet
    window.show();
    QTRY_VERIFY(banner.isCounting());
    window.hide();
    QVERIFY(!banner.isCounting());
    window.show();
    QTRY_VERIFY(banner.isCounting());
    banner.setFace({});
    QVERIFY(!banner.isCounting());
    QVERIFY(!banner.isVisible());
}

void TestPanes::theBannerCountsDown()
{
    QDateTime now = noon;
    QWidget window;
    PaneBanner banner(&window, [&now] { return now; });
    banner.setFace(waitingFor(2));
    window.show();
    QCOMPARE(banner.text(), u"Connection lost. Trying again in 2 s"_s);
    now = noon.addMSecs(1001);
    QCOMPARE(banner.text(), u"Connection lost. Trying again in 1 s"_s);
    // What assistive technology reads follows by itself.
    QTRY_COMPARE_WITH_TIMEOUT(banner.accessibleName(), u"Connection lost. Trying again in 1 s"_s, 15000);
    QTRY_VERIFY(!banner.isCounting());
}

void TestPanes::theBannerActsByMouseAndByKey()
{
    QWidget window;
    window.resize(800, 100);
    PaneBanner banner(&window, [] { return noon; });
    banner.resize(800, banner.sizeHint().height());
    QList<BannerAction> done;
    connect(&banner, &PaneBanner::triggered, this, [&](BannerAction action) { done << action; });
    banner.setFace(waitingFor(4));
    window.show();
    QVERIFY(QTest::qWaitForWindowExposed(&window));
    QPushButton *stop = buttonWith(&banner, u"Stop"_s);
    QVERIFY(stop);
    QTest::mouseClick(stop, Qt::LeftButton);
    banner.setFocus();
    QPushButton *retry = buttonWith(&banner, u"Retry now"_s);
    QVERIFY(retry);
    QCOMPARE(banner.focusProxy(), retry);
    QTest::keyClick(retry, Qt::Key_Return);
    QTest::keyClick(stop, Qt::Key_Space);
    QCOMPARE(done, (QList{BannerAction::Stop, BannerAction::RetryNow, BannerAction::Stop}));
}

void TestPanes::anEqualFaceKeepsTheFocusInTheBanner()
{
    QWidget window;
    PaneBanner banner(&window, [] { return noon; });
    banner.setFace(waitingFor(4));
    window.show();
    QPushButton *retry = buttonWith(&banner, u"Retry now"_s);
    BannerFace other = waitingFor(8); // the next try: other time, same buttons
    banner.setFace(other);
    QCOMPARE(buttonWith(&banner, u"Retry now"_s), retry);
}

void TestPanes::escapeLeavesTheBanner()
{
    QWidget window;
    PaneBanner banner(&window, [] { return noon; });
    banner.setFace(waitingFor(4));
    window.show();
    QSignalSpy left(&banner, &PaneBanner::left);
    QTest::keyClick(buttonWith(&banner, u"Retry now"_s), Qt::Key_Escape);
    QCOMPARE(left.size(), 1);
}

void TestPanes::theBannerSpeaks()
{
    QWidget window;
    PaneBanner banner(&window, [] { return noon; });
    BannerFace face = waitingFor(4);
    face.detail = u"There is no way to the sandbox."_s;
    banner.setFace(face);
    QAccessibleInterface *spoken = QAccessible::queryAccessibleInterface(&banner);
    QVERIFY(spoken);
    QCOMPARE(spoken->text(QAccessible::Name), u"Connection lost. Trying again in 4 s"_s);
    QCOMPARE(spoken->text(QAccessible::Description), face.detail);
}

void TestPanes::findingAsksForEarlierMatchesFirst()
{
    QWidget window;
    FindBar bar(&window);
    window.show();
    QSignalSpy wanted(&bar, &FindBar::findWanted);
    QSignalSpy closed(&bar, &FindBar::closed);
    bar.open({});
    auto *edit = bar.findChild<QLineEdit *>();
    QTest::keyClick(edit, Qt::Key_Return); // nothing to look for
    QTest::keyClicks(edit, u"needle"_s);
    QTest::keyClick(edit, Qt::Key_Return);
    QTest::keyClick(edit, Qt::Key_Return, Qt::ShiftModifier);
    QCOMPARE(wanted.size(), 2);
    QCOMPARE(wanted.at(0), (QVariantList{u"needle"_s, true}));
    QCOMPARE(wanted.at(1), (QVariantList{u"needle"_s, false}));
    QTest::keyClick(edit, Qt::Key_Escape);
    QCOMPARE(closed.size(), 1);
    QVERIFY(!bar.isVisible());
}

void TestPanes::findingSaysWhenThereIsNone()
{
    QWidget window;
    FindBar bar(&window);
    window.show();
    bar.open(u"x"_s);
    const auto says = [&bar](const QString &text) {
        const auto labels = bar.findChildren<QLabel *>();
        return std::ranges::any_of(labels, [&](const QLabel *label) { return label->text() == text; });
    };
    bar.setFound(false);
    QVERIFY(says(u"Not found"_s));
    bar.setFound(true);
    QVERIFY(!says(u"Not found"_s));
}

void TestPanes::findingBeginsWithOneTamedLine()
{
    QWidget window;
    FindBar bar(&window);
    bar.open(u"first\x1b line\nsecond"_s);
    QCOMPARE(bar.pattern(), u"first line"_s);
    bar.open(QString(1'000'000, u'x'));
    QVERIFY(bar.pattern().size() <= 200);
}

void TestPanes::aPasteIsShownWithNothingHidden_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("shown");
    QTest::newRow("lines") << u"a\nb"_s << u"a\nb"_s;
    QTest::newRow("line ends of others") << u"a\r\nb\rc"_s << u"a\nb\nc"_s;
    QTest::newRow("escape") << u"\x1b[201~rm"_s << QChar(0x241b) + u"[201~rm"_s;
    QTest::newRow("delete and null") << QString::fromUtf16(u"a\x7f\x00z", 4) << u"a\u2421\u2400z"_s;
    QTest::newRow("right-to-left override") << u"a\u202eb"_s << u"a‹U+202E›b"_s;
    QTest::newRow("zero width") << u"a\u200bb"_s << u"a‹U+200B›b"_s;
    QTest::newRow("C1") << u"a\u009bb"_s << u"a‹U+009B›b"_s;
    QTest::newRow("invisible tag") << u"a\U000E0041b"_s << u"a‹U+E0041›b"_s;
    QTest::newRow("emoji stay") << u"😀漢é"_s << u"😀漢é"_s;
    QTest::newRow("tab stays") << u"a\tb"_s << u"a\tb"_s;
}

void TestPanes::aPasteIsShownWithNothingHidden()
{
    QFETCH(QString, text);
    QTEST(visiblePaste(text), "shown");
}

void TestPanes::aPasteIsSentOnlyWhenAgreed()
{
    QWidget window;
    PasteBar bar(&window);
    window.show();
    QSignalSpy agreed(&bar, &PasteBar::agreed);
    QSignalSpy closed(&bar, &PasteBar::closed);
    const QString text = u"one\ntwo\n"_s;
    bar.ask(text, 2, u"box-1"_s);
    QVERIFY(bar.isAsking());
    QVERIFY(bar.preview().contains(u"two"_s));
    QTest::keyClick(&bar, Qt::Key_Escape);
    QCOMPARE(agreed.size(), 0);
    QCOMPARE(closed.size(), 1);
    QVERIFY(!bar.isAsking() && !bar.isVisible());
    bar.ask(text, 2, u"box-1"_s);
    QTest::mouseClick(buttonWith(&bar, u"Paste"_s), Qt::LeftButton);
    QCOMPARE(agreed.size(), 1);
    QCOMPARE(agreed.first().first().toString(), text); // as it is, not as it is shown
    QCOMPARE(bar.preview(), QString());
}

void TestPanes::aNewPasteTakesThePlaceOfTheOld()
{
    QWidget window;
    PasteBar bar(&window);
    window.show();
    QSignalSpy agreed(&bar, &PasteBar::agreed);
    bar.ask(u"old\nold"_s, 2, u"box-1"_s);
    bar.ask(u"new\nnew"_s, 2, u"box-1"_s);
    QTest::mouseClick(buttonWith(&bar, u"Paste"_s), Qt::LeftButton);
    QCOMPARE(agreed.size(), 1);
    QCOMPARE(agreed.first().first().toString(), u"new\nnew"_s);
}

void TestPanes::aWithdrawnPasteIsNeverSent()
{
    QWidget window;
    PasteBar bar(&window);
    window.show();
    QSignalSpy agreed(&bar, &PasteBar::agreed);
    bar.ask(u"a\nb"_s, 2, u"box-1"_s);
    bar.withdraw();
    QVERIFY(!bar.isVisible());
    QTest::keyClick(&bar, Qt::Key_Return);
    QCOMPARE(agreed.size(), 0);
}

void TestPanes::aHugePasteIsShownInPart()
{
    const QString shown = visiblePaste(QString(10'000'000, u'x'), 100);
    QVERIFY(shown.size() < 200);
    QVERIFY(shown.contains(u"9999900"_s));
}

void TestPanes::oneMarkAtATimeTheMostUrgent_data()
{
    QTest::addColumn<State>("state");
    QTest::addColumn<bool>("activity");
    QTest::addColumn<bool>("bell");
    QTest::addColumn<TabMark>("mark");
    QTest::newRow("quiet") << State::Open << false << false << TabMark::None;
    QTest::newRow("output") << State::Open << true << false << TabMark::Activity;
    QTest::newRow("bell over output") << State::Open << true << true << TabMark::Bell;
    QTest::newRow("opening") << State::Opening << true << true << TabMark::Busy;
    QTest::newRow("waiting over bell") << State::Waiting << true << true << TabMark::Waiting;
    QTest::newRow("suspended") << State::Suspended << false << false << TabMark::Waiting;
    QTest::newRow("ended") << State::Ended << true << false << TabMark::Ended;
    QTest::newRow("gone") << State::Gone << false << false << TabMark::Problem;
    QTest::newRow("failed") << State::Failed << false << true << TabMark::Problem;
}

void TestPanes::oneMarkAtATimeTheMostUrgent()
{
    QFETCH(State, state);
    QFETCH(bool, activity);
    QFETCH(bool, bell);
    QFETCH(TabMark, mark);
    TabSubject subject = open({});
    subject.status.state = state;
    subject.activity = activity;
    subject.bell = bell;
    const TabFace face = tabFaceFor(subject);
    QCOMPARE(face.mark, mark);
    if (mark != TabMark::None)
        QVERIFY(face.spoken.contains(wordFor(mark)));
}

void TestPanes::hostileTitlesAreTamed_data()
{
    QTest::addColumn<QString>("title");
    QTest::newRow("controls") << u"a\x1b]0;b\x07\r\n\tc"_s;
    QTest::newRow("ten megabytes") << QString(10'000'000, u'x');
    QTest::newRow("right-to-left override") << u"\u202egpj.exe"_s;
    QTest::newRow("markup") << u"<img src=file:///etc/passwd><b>&amp;"_s;
    QTest::newRow("mnemonic") << u"a & b && c"_s;
    QTest::newRow("lone surrogate") << QString(QChar(0xd800)) + u"x"_s;
    QTest::newRow("only spaces") << QString(5000, u' ');
}

void TestPanes::hostileTitlesAreTamed()
{
    QFETCH(QString, title);
    TabSubject subject = open(title);
    subject.directory = title;
    const TabFace face = tabFaceFor(subject);
    QVERIFY(face.program.size() <= 120);
    QVERIFY(face.tip.size() < 1000);
    for (const QString &text : {face.program, face.spoken}) {
        for (const QChar c : text) {
            QVERIFY(c.category() != QChar::Other_Control);
            QVERIFY(c.category() != QChar::Other_Format);
        }
    }
    TabStrip strip;
    strip.resize(400, 40);
    strip.bar()->addTab(face);
    strip.arrange();
    // Nothing becomes markup, and no key becomes a mnemonic.
    QVERIFY(!strip.bar()->tabToolTip(0).contains(u"<img"_s));
    QCOMPARE(strip.bar()->tabText(0).replace(u"&&"_s, u"&"_s), oneLine(face));
    QCOMPARE(strip.bar()->tabText(0).count(u'&'), 2 * oneLine(face).count(u'&'));
    strip.show();
    QVERIFY(QTest::qWaitForWindowExposed(&strip));
    QVERIFY(!strip.grab().isNull());
}

void TestPanes::aGivenTitleStandsAlone()
{
    TabSubject subject = open(u"vim"_s);
    QCOMPARE(oneLine(tabFaceFor(subject)), u"box-1 — vim"_s);
    subject.customTitle = u"the build"_s;
    QCOMPARE(oneLine(tabFaceFor(subject)), u"the build"_s);
    QVERIFY(tabFaceFor(subject).tip.contains(u"vim"_s));
}

void TestPanes::tabsShowTheirCrossWhereTheyAreCurrent()
{
    TabStrip strip;
    strip.resize(800, 40);
    strip.bar()->addTab(named(u"one"_s));
    strip.bar()->addTab(named(u"two"_s));
    strip.arrange();
    strip.show();
    QVERIFY(QTest::qWaitForWindowExposed(&strip));
    QSignalSpy close(strip.bar(), &TabBar::closeWanted);
    QVERIFY(!strip.bar()->crossRect(0).isEmpty());
    QVERIFY(strip.bar()->crossRect(1).isEmpty());
    // Under the pointer it shows too, and works without the tab coming to the front.
    QTest::mouseMove(strip.bar(), strip.bar()->tabRect(1).center());
    QTRY_VERIFY(!strip.bar()->crossRect(1).isEmpty());
    QTest::mouseClick(strip.bar(), Qt::LeftButton, {}, strip.bar()->crossRect(1).center());
    QCOMPARE(close.size(), 1);
    QCOMPARE(close.first().first().toInt(), 1);
    QCOMPARE(strip.bar()->currentIndex(), 0);
}

void TestPanes::theMiddleButtonCloses()
{
    TabStrip strip;
    strip.resize(800, 40);
    strip.bar()->addTab(named(u"one"_s));
    strip.bar()->addTab(named(u"two"_s));
    strip.arrange();
    strip.show();
    QSignalSpy close(strip.bar(), &TabBar::closeWanted);
    const QPoint second = strip.bar()->tabRect(1).center();
    QTest::mouseClick(strip.bar(), Qt::MiddleButton, {}, second);
    QCOMPARE(close.size(), 1);
    // Pressed on one and let go on another closes none.
    QTest::mousePress(strip.bar(), Qt::MiddleButton, {}, second);
    QTest::mouseRelease(strip.bar(), Qt::MiddleButton, {}, strip.bar()->tabRect(0).center());
    QCOMPARE(close.size(), 1);
}

void TestPanes::draggingChangesTheOrder()
{
    TabStrip strip;
    strip.resize(800, 40);
    TabBar *bar = strip.bar();
    for (const QString &name : {u"one"_s, u"two"_s, u"three"_s})
        bar->addTab(named(name));
    strip.arrange();
    strip.show();
    QVERIFY(QTest::qWaitForWindowExposed(&strip));
    QSignalSpy moved(bar, &QTabBar::tabMoved);
    const int y = bar->height() / 2;
    const auto drag = [&](int x) {
        QMouseEvent move(QEvent::MouseMove, QPointF(x, y), bar->mapToGlobal(QPointF(x, y)), Qt::NoButton,
                         Qt::LeftButton, {});
        QApplication::sendEvent(bar, &move);
    };
    QTest::mousePress(bar, Qt::LeftButton, {}, bar->tabRect(0).center());
    drag(bar->tabRect(0).right() - 2);
    QCOMPARE(moved.size(), 0); // not past the middle of its neighbour
    drag(bar->tabRect(1).right() - 2);
    drag(bar->tabRect(2).right() - 2);
    QTest::mouseRelease(bar, Qt::LeftButton, {}, QPoint(bar->tabRect(2).right() - 2, y));
    QStringList order;
    for (int i = 0; i < bar->count(); ++i)
        order << bar->face(i).name;
    QCOMPARE(order, (QStringList{u"two"_s, u"three"_s, u"one"_s}));
    QCOMPARE(bar->currentIndex(), 2);
}

void TestPanes::manyTabsGetNarrowerThenScroll()
{
    TabStrip strip;
    strip.resize(800, 40);
    strip.show();
    const QString longName(60, u'm');
    strip.bar()->addTab(named(longName));
    strip.arrange();
    const int alone = strip.bar()->tabRect(0).width();
    QVERIFY(alone <= 240);
    for (int i = 0; i < 4; ++i)
        strip.bar()->addTab(named(longName));
    strip.arrange();
    QVERIFY(strip.bar()->tabRect(0).width() < alone);
    QVERIFY(!strip.isOverflowing());
    for (int i = 0; i < 30; ++i)
        strip.bar()->addTab(named(longName));
    strip.arrange();
    QVERIFY(strip.isOverflowing());
    QVERIFY(strip.bar()->width() <= strip.width());
    QVERIFY(strip.bar()->tabRect(0).width() >= 100);
    // The one in front is always seen.
    strip.bar()->setCurrentIndex(30);
    QTRY_VERIFY(strip.bar()->rect().contains(strip.bar()->tabRect(30).center()));
}

void TestPanes::tabsSpeakTheirMark()
{
    TabSubject subject = open(u"make"_s);
    subject.bell = true;
    TabStrip strip;
    strip.bar()->addTab(tabFaceFor(subject));
    QAccessibleInterface *bar = QAccessible::queryAccessibleInterface(strip.bar());
    QVERIFY(bar && bar->childCount() >= 1);
    QStringList names;
    for (int i = 0; i < bar->childCount(); ++i)
        names << bar->child(i)->text(QAccessible::Name);
    QVERIFY2(names.contains(u"box-1 — make, bell"_s), qPrintable(names.join(u'|')));
}

QTEST_MAIN(TestPanes)
#include "tst_panes.moc"

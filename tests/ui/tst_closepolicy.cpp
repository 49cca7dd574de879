#include "ui/closepolicy.h"

#include <QLocale>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = StandingShell::State;

namespace {

const QDateTime evening(QDate(2026, 11, 20), QTime(19, 2, 40));

ClosingShell shell(ShellRoute route, State state, std::optional<std::chrono::seconds> kept = {})
{
    return {route, state, u"box-1"_s, kept};
}

} // namespace

class TestClosePolicy : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }
    void fateFollowsRouteAndState_data();
    void fateFollowsRouteAndState();
    void aKeptShellIsPromisedNoLongerThanItLives();
    void aShellWithoutLimitNamesNoTime();
    void aSuspendedShellNamesNoTime();
    void whatEndsIsSaid();
    void aRememberedAnswerIsNotAskedAgain();
    void nothingToLoseIsNotAsked();
    void quittingCountsBothKinds();
    void quittingNamesTheEarliestEnd();
    void endingIsAskedWhereThereIsSomethingToEnd();
    void aHostileNameStaysOneShortLine();
};

void TestClosePolicy::fateFollowsRouteAndState_data()
{
    QTest::addColumn<State>("state");
    QTest::addColumn<ShellFate>("pty");
    QTest::addColumn<ShellFate>("ssh");
    const auto row = [](const char *name, State state, ShellFate pty, ShellFate ssh) {
        QTest::newRow(name) << state << pty << ssh;
    };
    row("idle", State::Idle, ShellFate::Nothing, ShellFate::Nothing);
    row("opening", State::Opening, ShellFate::LivesOn, ShellFate::EndsWithTab);
    row("open", State::Open, ShellFate::LivesOn, ShellFate::EndsWithTab);
    row("waiting", State::Waiting, ShellFate::LivesOn, ShellFate::Nothing);
    row("suspended", State::Suspended, ShellFate::LivesOn, ShellFate::Nothing);
    row("stopped", State::Stopped, ShellFate::LivesOn, ShellFate::Nothing);
    row("gone", State::Gone, ShellFate::Nothing, ShellFate::Nothing);
    row("ended", State::Ended, ShellFate::Nothing, ShellFate::Nothing);
    row("failed", State::Failed, ShellFate::Nothing, ShellFate::Nothing);
    row("detached", State::Detached, ShellFate::LivesOn, ShellFate::Nothing);
}

void TestClosePolicy::fateFollowsRouteAndState()
{
    QFETCH(State, state);
    QTEST(fateOf(shell(ShellRoute::Pty, state)), "pty");
    QTEST(fateOf(shell(ShellRoute::Ssh, state)), "ssh");
}

void TestClosePolicy::aKeptShellIsPromisedNoLongerThanItLives()
{
    const auto question
        = questionForTab(shell(ShellRoute::Pty, State::Open, std::chrono::seconds(300)), {}, evening);
    QVERIFY(question.ask);
    // 19:02:40 and five minutes are 19:07:40; what is said is not later.
    QVERIFY2(question.sentence.contains(u"19:07"_s), qPrintable(question.sentence));
    QVERIFY(question.sentence.contains(u"box-1"_s));
    QCOMPARE(question.remembered, &CloseChoices::askBeforeDetaching);
}

void TestClosePolicy::aShellWithoutLimitNamesNoTime()
{
    const auto question = questionForTab(shell(ShellRoute::Pty, State::Open), {}, evening);
    QVERIFY(question.ask);
    QVERIFY(!question.sentence.contains(u':'));
    QVERIFY(question.sentence.contains(u"lives on"_s));
}

void TestClosePolicy::aSuspendedShellNamesNoTime()
{
    const auto question
        = questionForTab(shell(ShellRoute::Pty, State::Suspended, std::chrono::seconds(300)), {}, evening);
    QVERIFY(!question.sentence.contains(u"19:07"_s));
}

void TestClosePolicy::whatEndsIsSaid()
{
    const auto question = questionForTab(shell(ShellRoute::Ssh, State::Open), {}, evening);
    QVERIFY(question.ask);
    QVERIFY(question.sentence.contains(u"ends"_s));
    QCOMPARE(question.remembered, &CloseChoices::askBeforeEnding);
}

void TestClosePolicy::aRememberedAnswerIsNotAskedAgain()
{
    CloseChoices choices;
    choices.askBeforeDetaching = false;
    QVERIFY(!questionForTab(shell(ShellRoute::Pty, State::Open), choices, evening).ask);
    QVERIFY(questionForTab(shell(ShellRoute::Ssh, State::Open), choices, evening).ask);
    QVERIFY(questionForQuit({shell(ShellRoute::Pty, State::Open)}, choices, evening).ask);
    choices.askBeforeQuitting = false;
    QVERIFY(!questionForQuit({shell(ShellRoute::Pty, State::Open)}, choices, evening).ask);
}

void TestClosePolicy::nothingToLoseIsNotAsked()
{
    QVERIFY(!questionForTab(shell(ShellRoute::Pty, State::Ended), {}, evening).ask);
    QVERIFY(!questionForQuit({}, {}, evening).ask);
    QVERIFY(!questionForQuit({shell(ShellRoute::Ssh, State::Waiting)}, {}, evening).ask);
    QVERIFY(!questionForEnding(shell(ShellRoute::Pty, State::Gone), {}).ask);
}

void TestClosePolicy::quittingCountsBothKinds()
{
    const auto open = shell(ShellRoute::Pty, State::Open);
    const auto ssh = shell(ShellRoute::Ssh, State::Open);
    const auto over = shell(ShellRoute::Pty, State::Ended);
    QCOMPARE(questionForQuit({open}, {}, evening).sentence,
             u"One shell lives on and comes back with the next start."_s);
    QCOMPARE(questionForQuit({open, open, over, ssh}, {}, evening).sentence,
             u"2 shells live on and come back with the next start; one SSH shell ends with what runs in it."_s);
    QCOMPARE(questionForQuit({ssh, ssh}, {}, evening).sentence,
             u"By quitting, 2 SSH shells end with what runs in them."_s);
}

void TestClosePolicy::quittingNamesTheEarliestEnd()
{
    const auto question = questionForQuit({shell(ShellRoute::Pty, State::Open, std::chrono::seconds(300)),
                                           shell(ShellRoute::Pty, State::Open, std::chrono::seconds(3600)),
                                           shell(ShellRoute::Pty, State::Open)},
                                          {}, evening);
    QVERIFY2(question.sentence.contains(u"until 19:07"_s), qPrintable(question.sentence));
}

void TestClosePolicy::endingIsAskedWhereThereIsSomethingToEnd()
{
    CloseChoices choices;
    QVERIFY(questionForEnding(shell(ShellRoute::Pty, State::Open), choices).ask);
    choices.askBeforeEnding = false;
    QVERIFY(!questionForEnding(shell(ShellRoute::Pty, State::Open), choices).ask);
}

void TestClosePolicy::aHostileNameStaysOneShortLine()
{
    ClosingShell hostile = shell(ShellRoute::Ssh, State::Open);
    hostile.sandboxName = u"a\n\x1b]0;x\a"_s + QString(10'000'000, u'x') + QChar(0x202e);
    const QString sentence = questionForTab(hostile, {}, evening).sentence;
    QVERIFY(sentence.size() < 300);
    QVERIFY(!sentence.contains(u'\n'));
    QVERIFY(!sentence.contains(QChar(0x1b)));
}

QTEST_GUILESS_MAIN(TestClosePolicy)
#include "tst_closepolicy.moc"

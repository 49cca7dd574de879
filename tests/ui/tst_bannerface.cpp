#include "ui/bannerface.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = StandingShell::State;
using Action = BannerAction;

namespace {

const QDateTime noon(QDate(2026, 11, 20), QTime(12, 0), QTimeZone::UTC);

StandingShell::Status status(State state)
{
    StandingShell::Status s;
    s.state = state;
    return s;
}

StandingShell::Status endedBy(ShellEnd::Kind kind, int code = 0, const QString &signal = {})
{
    StandingShell::Status s = status(State::Ended);
    s.end.kind = kind;
    s.end.exitCode = code;
    s.end.signalName = signal;
    return s;
}

BannerSubject box(bool wasOpen = true)
{
    BannerSubject subject;
    subject.name = u"box-1"_s;
    subject.wasOpen = wasOpen;
    return subject;
}

} // namespace

class TestBannerFace : public QObject
{
    Q_OBJECT
private slots:
    void eachStateSaysWhatItIsAndWhatToDo_data();
    void eachStateSaysWhatItIsAndWhatToDo();
    void theCountdownCountsWholeSecondsUp_data();
    void theCountdownCountsWholeSecondsUp();
    void aWaitWithoutATimeShowsNoPlaceholder();
    void slowOpeningSaysWhatItWaitsFor();
    void aSandboxThatCannotBeResumedSaysWhy();
    void anUnregisteredKeyIsOfferedItsMend();
    void anErrorIsOfferedTheStepThatHelps_data();
    void anErrorIsOfferedTheStepThatHelps();
    void wakingASandboxSaysItsCost_data();
    void wakingASandboxSaysItsCost();
    void aReasonIsGivenWhereThereIsOne();
    void foreignWordsStayShort();
    void everyActionHasItsOwnVerb();
};

void TestBannerFace::eachStateSaysWhatItIsAndWhatToDo_data()
{
    QTest::addColumn<StandingShell::Status>("status");
    QTest::addColumn<QString>("text"); // empty: not shown
    QTest::addColumn<BannerTone>("tone");
    QTest::addColumn<QList<Action>>("actions");
    const auto row = [](const char *name, const StandingShell::Status &s, const QString &text,
                        BannerTone tone, const QList<Action> &actions) {
        QTest::newRow(name) << s << text << tone << actions;
    };
    StandingShell::Status waiting = status(State::Waiting);
    waiting.retryAt = noon.addSecs(4);
    row("idle", status(State::Idle), {}, {}, {});
    row("open", status(State::Open), {}, {}, {});
    row("coming back", status(State::Opening), u"Connection lost. Trying again…"_s, BannerTone::Progress, {Action::Stop});
    row("waiting", waiting, u"Connection lost. Trying again in 4 s"_s, BannerTone::Waiting, {Action::RetryNow, Action::Stop});
    row("suspended", status(State::Suspended), u"“box-1” is suspended."_s, BannerTone::Waiting, {Action::Resume});
    row("stopped", status(State::Stopped), u"Not connected to “box-1”."_s, BannerTone::Waiting, {Action::RetryNow, Action::Close});
    row("gone", status(State::Gone), u"The shell in “box-1” is gone; this is its last screen."_s, BannerTone::Problem,
        {Action::StartNew, Action::Close});
    row("ended 0", endedBy(ShellEnd::Kind::Exited), u"Ended"_s, BannerTone::Resting, {Action::Restart, Action::Close});
    row("ended 3", endedBy(ShellEnd::Kind::Exited, 3), u"Ended with code 3"_s, BannerTone::Resting, {Action::Restart, Action::Close});
    row("ended by signal", endedBy(ShellEnd::Kind::Signalled, 0, u"TERM"_s), u"Ended by signal TERM"_s, BannerTone::Resting,
        {Action::Restart, Action::Close});
    row("ended by us", endedBy(ShellEnd::Kind::Killed), u"The shell was ended"_s, BannerTone::Resting, {Action::Restart, Action::Close});
    row("detached", status(State::Detached), u"Detached; the shell lives on in “box-1”."_s, BannerTone::Resting,
        {Action::RetryNow, Action::Close});
}

void TestBannerFace::eachStateSaysWhatItIsAndWhatToDo()
{
    QFETCH(StandingShell::Status, status);
    QFETCH(QString, text);
    const BannerFace face = bannerFor(status, box());
    QCOMPARE(face.shown, !text.isEmpty());
    if (text.isEmpty())
        return;
    QCOMPARE(bannerText(face, noon), text);
    QTEST(face.tone, "tone");
    QTEST(face.actions, "actions");
}

void TestBannerFace::theCountdownCountsWholeSecondsUp_data()
{
    QTest::addColumn<qint64>("left");
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("next");
    QTest::newRow("just begun") << 4000LL << u"4 s"_s << 1000;
    QTest::newRow("between") << 3200LL << u"4 s"_s << 200;
    QTest::newRow("on the second") << 3000LL << u"3 s"_s << 1000;
    QTest::newRow("a hair before") << 3001LL << u"4 s"_s << 1;
    QTest::newRow("last second") << 700LL << u"1 s"_s << -1;
    QTest::newRow("due") << 0LL << u"1 s"_s << -1;
    QTest::newRow("overdue") << -5000LL << u"1 s"_s << -1;
    QTest::newRow("long") << 30000LL << u"30 s"_s << 1000;
}

void TestBannerFace::theCountdownCountsWholeSecondsUp()
{
    QFETCH(qint64, left);
    QFETCH(QString, text);
    StandingShell::Status s = status(State::Waiting);
    s.retryAt = noon.addMSecs(left);
    const BannerFace face = bannerFor(s, box());
    QVERIFY2(bannerText(face, noon).endsWith(u"in "_s + text), qPrintable(bannerText(face, noon)));
    QTEST(millisecondsToNextText(face, noon), "next");
}

void TestBannerFace::aWaitWithoutATimeShowsNoPlaceholder()
{
    const BannerFace face = bannerFor(status(State::Waiting), box());
    QVERIFY(face.shown);
    QVERIFY(!bannerText(face, noon).contains(u'%'));
    QCOMPARE(millisecondsToNextText(face, noon), -1);
}

void TestBannerFace::slowOpeningSaysWhatItWaitsFor()
{
    BannerSubject fresh = box(false);
    QCOMPARE(bannerFor(status(State::Opening), fresh).text, u"Connecting to “box-1”…"_s);
    fresh.slow = true;
    QCOMPARE(bannerFor(status(State::Opening), fresh).text, u"Still waiting for “box-1” to answer…"_s);
    QVERIFY(bannerForMissingAccount(box()).text.startsWith(u"Waiting for the account"_s));
    QVERIFY(bannerForMissingAccount(fresh).text.contains(u"Add it"_s));
}

void TestBannerFace::aSandboxThatCannotBeResumedSaysWhy()
{
    BannerSubject subject = box();
    subject.whyNoResume = u"It resumes by itself."_s;
    const BannerFace face = bannerFor(status(State::Suspended), subject);
    QVERIFY(face.actions.isEmpty());
    QCOMPARE(face.detail, subject.whyNoResume);
    QVERIFY(bannerFor(status(State::Suspended), box()).detail.contains(u"billing"_s));
}

void TestBannerFace::anUnregisteredKeyIsOfferedItsMend()
{
    StandingShell::Status s = status(State::Failed);
    s.error = {ErrorKind::KeyNotRegistered, Layer::Auth, {}, u"box-1"_s};
    const BannerFace face = bannerFor(s, box());
    QCOMPARE(face.tone, BannerTone::Problem);
    QVERIFY(!face.text.isEmpty());
    QVERIFY(face.actions.contains(Action::RetryNow));
    QVERIFY(face.actions.contains(Action::Close));
}

void TestBannerFace::anErrorIsOfferedTheStepThatHelps_data()
{
    QTest::addColumn<Error>("error");
    QTest::addColumn<Action>("step");
    const auto row = [](const char *name, ErrorKind kind, Layer layer, const QString &detail, Action step) {
        QTest::newRow(name) << Error{kind, layer, detail, u"box-1"_s} << step;
    };
    row("unknown key", ErrorKind::KeyNotRegistered, Layer::Auth, {}, Action::RegisterKey);
    row("too many keys", ErrorKind::ConnectionLost, Layer::Ssh, u"Too many authentication failures"_s, Action::ChooseKey);
    row("another host key", ErrorKind::HostKeyChanged, Layer::Ssh, {}, Action::ReviewHostKey);
    row("an unknown host key", ErrorKind::HostKeyRefused, Layer::Ssh, {}, Action::ReviewHostKey);
    row("asleep", ErrorKind::PermissionDenied, Layer::Ssh, u"sandbox x is currently suspended"_s, Action::ResumeSandbox);
    row("not started", ErrorKind::Io, Layer::Ssh, u"failed to start \"x\""_s, Action::StartSandbox);
    row("nothing listens", ErrorKind::ServerError, Layer::WebSocket, u"{\"port\":22}"_s, Action::CreateSandbox);
    row("of no project", ErrorKind::PermissionDenied, Layer::Ssh, u"x is not present in any of your projects"_s, Action::RefreshList);
    row("not allowed", ErrorKind::PermissionDenied, Layer::Provider, {}, Action::SignInAgain);
}

void TestBannerFace::anErrorIsOfferedTheStepThatHelps()
{
    QFETCH(Error, error);
    QFETCH(Action, step);
    StandingShell::Status s = status(State::Failed);
    s.error = error;
    QCOMPARE(bannerFor(s, box()).actions, (QList<Action>{step, Action::RetryNow, Action::Close}));
    // Where the shell is gone, only what makes or finds a sandbox helps.
    s = status(State::Gone);
    s.error = error;
    const bool helps = step == Action::CreateSandbox || step == Action::RefreshList;
    QCOMPARE(bannerFor(s, box()).actions.first(), helps ? step : Action::StartNew);
}

void TestBannerFace::wakingASandboxSaysItsCost_data()
{
    QTest::addColumn<Error>("error");
    QTest::newRow("resume") << Error{ErrorKind::PermissionDenied, Layer::Ssh, u"sandbox x is currently suspended"_s, u"box-1"_s};
    QTest::newRow("start") << Error{ErrorKind::Io, Layer::Ssh, u"failed to start \"x\""_s, u"box-1"_s};
}

void TestBannerFace::wakingASandboxSaysItsCost()
{
    QFETCH(Error, error);
    StandingShell::Status s = status(State::Failed);
    s.error = error;
    QVERIFY(bannerFor(s, box()).detail.contains(u"billing"_s));
    BannerSubject stuck = box();
    stuck.whyNoResume = u"It resumes by itself."_s;
    const BannerFace face = bannerFor(s, stuck);
    QCOMPARE(face.actions, (QList<Action>{Action::RetryNow, Action::Close}));
    QCOMPARE(face.detail, stuck.whyNoResume);
}

void TestBannerFace::aReasonIsGivenWhereThereIsOne()
{
    StandingShell::Status s = status(State::Waiting);
    s.retryAt = noon.addSecs(2);
    QVERIFY(bannerFor(s, box()).detail.isEmpty());
    s.error = {ErrorKind::HostNotFound, Layer::Dns, {}, u"sandbox.example"_s};
    QVERIFY(!bannerFor(s, box()).detail.isEmpty());
}

void TestBannerFace::foreignWordsStayShort()
{
    BannerSubject hostile = box();
    hostile.name = u"x\x1b[31m\n"_s + QString(1'000'000, u'y');
    const QString text = bannerFor(status(State::Stopped), hostile).text;
    QVERIFY(text.size() < 200);
    QVERIFY(!text.contains(u'\n') && !text.contains(QChar(0x1b)));
    QVERIFY(bannerForNotice(QString(1'000'000, u'z')).text.size() <= 300);
    QVERIFY(bannerFor(endedBy(ShellEnd::Kind::Signalled, 0, QString(5000, u'S')), box()).text.size() < 100);
}

void TestBannerFace::everyActionHasItsOwnVerb()
{
    QStringList verbs;
    for (int a = 0; a <= int(Action::Dismiss); ++a)
        verbs << labelOf(Action(a));
    QVERIFY(!verbs.contains(QString()));
    QCOMPARE(verbs.removeDuplicates(), 0);
}

QTEST_GUILESS_MAIN(TestBannerFace)
#include "tst_bannerface.moc"

// The states of a link, as a table of what may follow what.
#include "session/linkmoves.h"

#include <QTest>

using namespace Sandpiper;

namespace {

constexpr LinkState kAll[] = {LinkState::Idle, LinkState::Connecting, LinkState::Verifying, LinkState::Authenticating, LinkState::Ready, LinkState::Closed};

} // namespace

class TestLinkMoves : public QObject
{
    Q_OBJECT
private slots:
    void nothingFollowsTheEnd()
    {
        for (const LinkState to : kAll)
            QVERIFY(!isLegalMove(LinkState::Closed, to));
    }

    void everythingElseCanEnd()
    {
        for (const LinkState from : kAll)
            QCOMPARE(isLegalMove(from, LinkState::Closed), from != LinkState::Closed);
    }

    void noStateIsReachedTwiceInARow()
    {
        for (const LinkState state : kAll)
            QVERIFY(!isLegalMove(state, state));
    }

    void nobodySignsInBeforeTheHostKeyIsVerified()
    {
        for (const LinkState from : kAll)
            QCOMPARE(isLegalMove(from, LinkState::Authenticating), from == LinkState::Verifying);
        for (const LinkState from : kAll)
            QCOMPARE(isLegalMove(from, LinkState::Ready), from == LinkState::Authenticating || from == LinkState::Connecting);
    }
};

QTEST_GUILESS_MAIN(TestLinkMoves)
#include "tst_linkmoves.moc"

#include "terminal/feedpump.h"

#include <QTest>
#include <QTimer>

#include <functional>
#include <memory>

using namespace Sandpiper;

namespace {

class FakeClient final : public FeedPump::Client
{
public:
    explicit FakeClient(FeedPump &pump)
        : m_pump(pump)
    {
        pump.add(this);
    }
    ~FakeClient() { m_pump.remove(this); }

    bool hasWork() const override { return waiting > 0; }
    bool isInFront() const override { return inFront; }
    void takeSlice(qint64 maxBytes) override
    {
        largest = qMax(largest, maxBytes);
        const qint64 took = qMin(maxBytes, waiting);
        waiting -= took;
        taken += took;
        // A copy: the function may end this client.
        if (const auto call = onSlice)
            call();
    }

    qint64 waiting = 0;
    qint64 taken = 0;
    qint64 largest = 0;
    bool inFront = true;
    std::function<void()> onSlice;

private:
    FeedPump &m_pump;
};

} // namespace

class TestFeedPump : public QObject
{
    Q_OBJECT
private slots:
    void nothingHappensInsideWake()
    {
        FeedPump pump;
        FakeClient client(pump);
        client.waiting = 10;
        pump.wake();
        QCOMPARE(client.taken, 0);
        QTRY_COMPARE_WITH_TIMEOUT(client.taken, 10, 15000);
    }

    void allIsTakenInBoundedSlices()
    {
        FeedPump pump;
        FakeClient front(pump);
        FakeClient back(pump);
        back.inFront = false;
        front.waiting = back.waiting = 10 << 20;
        pump.wake();
        QTRY_COMPARE_WITH_TIMEOUT(front.taken + back.taken, qint64(20) << 20, 15000);
        QCOMPARE(front.largest, FeedPump::frontSlice);
        QCOMPARE(back.largest, FeedPump::backSlice);
    }

    void twoInFrontAdvanceTogether()
    {
        FeedPump pump;
        FakeClient a(pump);
        FakeClient b(pump);
        a.waiting = b.waiting = 4 << 20;
        qint64 worst = 0;
        const auto compare = [&] {
            if (a.waiting > 0 && b.waiting > 0)
                worst = qMax(worst, qAbs(a.taken - b.taken));
        };
        a.onSlice = b.onSlice = compare;
        pump.wake();
        QTRY_COMPARE_WITH_TIMEOUT(a.taken + b.taken, 8 << 20, 15000);
        QVERIFY2(worst <= FeedPump::frontSlice, qPrintable(QString::number(worst)));
    }

    void slowClientDoesNotKeepTheEventLoopWaiting()
    {
        FeedPump pump;
        FakeClient client(pump);
        client.waiting = 100 * FeedPump::frontSlice;
        int slicesInTurn = 0;
        int mostInTurn = 0;
        client.onSlice = [&] {
            QTest::qSleep(3);
            mostInTurn = qMax(mostInTurn, ++slicesInTurn);
        };
        QTimer others;
        connect(&others, &QTimer::timeout, &others, [&] { slicesInTurn = 0; });
        others.start(0);
        pump.wake();
        QTRY_COMPARE_WITH_TIMEOUT(client.waiting, 0, 30000);
        QVERIFY2(mostInTurn <= 4, qPrintable(QString::number(mostInTurn)));
    }

    void clientMayEndItselfAndOthersInASlice()
    {
        FeedPump pump;
        auto first = std::make_unique<FakeClient>(pump);
        auto second = std::make_unique<FakeClient>(pump);
        FakeClient third(pump);
        first->waiting = second->waiting = third.waiting = 1 << 20;
        const auto endBoth = [&] {
            auto a = std::move(first);
            auto b = std::move(second);
        };
        first->onSlice = endBoth;
        second->onSlice = endBoth;
        pump.wake();
        QTRY_COMPARE_WITH_TIMEOUT(third.taken, 1 << 20, 15000);
        QVERIFY(!first && !second);
    }

    void workThatComesInASliceIsDone()
    {
        FeedPump pump;
        FakeClient a(pump);
        FakeClient b(pump);
        a.waiting = 1;
        a.onSlice = [&] {
            b.waiting = 5;
            pump.wake();
        };
        pump.wake();
        QTRY_COMPARE_WITH_TIMEOUT(b.taken, 5, 15000);
    }
};

QTEST_GUILESS_MAIN(TestFeedPump)
#include "tst_feedpump.moc"

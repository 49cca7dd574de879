// Bulk makes room while somebody types, and loses nothing by it.
#include "session/bulkpacer.h"

#include <QTest>

using namespace Sandpiper;
using namespace std::chrono_literals;

namespace {

constexpr qint64 kMiB = 1 << 20;

struct Stream
{
    BulkPacer pacer;
    BulkPacer::Time now{std::chrono::hours(1)};
    qint64 offered = 0;

    // What went on in this time of a stream that always has a slice ready, at this rate.
    qint64 run(std::chrono::milliseconds duration, qint64 bytesPerSecond, bool someoneTypes)
    {
        qint64 moved = 0;
        for (const auto until = now + duration; now < until; now += 5ms)
            moved += pacer.take(bytesPerSecond / 200, now, someoneTypes);
        return moved;
    }
};

} // namespace

class TestBulkPacer : public QObject
{
    Q_OBJECT
private slots:
    void nothingIsHeldBackWhileNobodyTypes()
    {
        Stream stream;
        QCOMPARE(stream.run(1s, 200 * kMiB, false), 200 * kMiB / 200 * 200);
    }

    void aboutHalfIsLeftToWhoeverTypes()
    {
        Stream stream;
        (void)stream.run(1s, 12 * kMiB, false);
        (void)stream.run(BulkPacer::clearing, 12 * kMiB, true);
        const qint64 moved = stream.run(1s, 12 * kMiB, true);
        QVERIFY2(moved > 5 * kMiB && moved < 7 * kMiB, qPrintable(QString::number(moved)));
    }

    void queuesRunEmptyFirst()
    {
        Stream stream;
        (void)stream.run(1s, 12 * kMiB, false);
        QCOMPARE(stream.run(BulkPacer::clearing, 12 * kMiB, true), 0);
    }

    void itIsFastAgainAfterwards()
    {
        Stream stream;
        (void)stream.run(1s, 12 * kMiB, false);
        (void)stream.run(2s, 12 * kMiB, true);
        QCOMPARE(stream.run(1s, 12 * kMiB, false), 12 * kMiB / 200 * 200);
    }

    void aSlowStreamIsNotStarved()
    {
        Stream stream;
        (void)stream.run(1s, 1000, false);
        (void)stream.run(BulkPacer::clearing, 1000, true);
        QCOMPARE(stream.run(1s, 1000, true), 1000 / 200 * 200);
    }

    void aStreamThatBeginsMeanwhileIsMeasuredFirst()
    {
        Stream stream;
        QVERIFY(stream.run(200ms, 12 * kMiB, true) > 0);
        (void)stream.run(1s, 12 * kMiB, true);
        const qint64 moved = stream.run(1s, 12 * kMiB, true);
        QVERIFY2(moved > 5 * kMiB && moved < 7 * kMiB, qPrintable(QString::number(moved)));
    }

    void aKeyIsTypingAndAPasteIsNot_data()
    {
        QTest::addColumn<qint64>("bytes");
        QTest::addColumn<bool>("isTyping");
        QTest::newRow("a key") << qint64(1) << true;
        QTest::newRow("an escape sequence") << qint64(6) << true;
        QTest::newRow("nothing") << qint64(0) << false;
        QTest::newRow("a paste") << qint64(4000) << false;
    }
    void aKeyIsTypingAndAPasteIsNot()
    {
        QFETCH(qint64, bytes);
        QFETCH(bool, isTyping);
        Typing typing;
        const Typing::Time now{std::chrono::hours(1)};
        QVERIFY(!typing.goesOn(now));
        typing.wrote(bytes, now);
        QCOMPARE(typing.goesOn(now + Typing::lasts - 1ms), isTyping);
        QVERIFY(!typing.goesOn(now + Typing::lasts));
    }

    void whatIsHeldBackGoesOnLater()
    {
        qint64 passed = 0;
        PacedBulk bulk([&](qint64 bytes) { passed += bytes; });
        bulk.offer(100);
        QCOMPARE(passed, 100);
        // Measured, then held back.
        QTRY_VERIFY_WITH_TIMEOUT((bulk.offer(4096), passed > 100 + 20 * 4096), 10'000);
        Typing::here().wrote(1, std::chrono::steady_clock::now());
        const qint64 all = passed + bulk.waiting() + 64 * 1024;
        bulk.offer(64 * 1024);
        QTRY_COMPARE_WITH_TIMEOUT(passed, all, 10'000);
        QCOMPARE(bulk.waiting(), 0);
    }
};

QTEST_GUILESS_MAIN(TestBulkPacer)
#include "tst_bulkpacer.moc"

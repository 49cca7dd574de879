// Transfers leave the line to whoever types, and go on as fast as that allows.
#include "sftp/bulkwindow.h"

#include <QTest>

#include <deque>

using namespace Sandpiper;
using namespace std::chrono_literals;

namespace {

// A line with a round trip and a rate: answers come in turn, each behind what was asked for before it.
struct Line
{
    BulkWindow::Duration roundTrip{};
    double bytesPerSecond = 0;
    BulkWindow window;
    BulkWindow::Time now{std::chrono::hours(1)};

    struct Asked
    {
        qint64 bytes;
        BulkWindow::Time at;
        BulkWindow::Time answer;
    };
    std::deque<Asked> asked;
    BulkWindow::Time free{};
    qint64 moved = 0;

    // The longest that a key would wait in this time, in milliseconds. mostAsked: of a link while nobody types.
    double run(BulkWindow::Duration duration, bool someoneTypes, qint64 mostAsked)
    {
        double worst = 0;
        for (const auto until = now + duration; now < until; now += 250us) {
            while (!asked.empty() && asked.front().answer <= now) {
                window.answered(asked.front().bytes, asked.front().at, now);
                moved += asked.front().bytes;
                asked.pop_front();
            }
            window.look(now, someoneTypes);
            qint64 under = 0;
            for (const Asked &one : asked)
                under += one.bytes;
            while (window.hasRoom() && under < mostAsked) {
                const auto size = qint64(window.most(256 * 1024));
                free = std::max(free, now + roundTrip / 2) + std::chrono::duration_cast<BulkWindow::Duration>(std::chrono::duration<double>(double(size) / bytesPerSecond));
                asked.push_back({size, now, free + roundTrip / 2});
                window.asked(size);
                under += size;
            }
            worst = std::max(worst, std::chrono::duration<double, std::milli>(free - (now + roundTrip / 2)).count());
        }
        return worst;
    }
};

constexpr qint64 kMost = 8 << 20;

} // namespace

class TestBulkWindow : public QObject
{
    Q_OBJECT
private slots:
    void nothingIsHeldBackWhileNobodyTypes()
    {
        BulkWindow window;
        window.look(BulkWindow::Time(1h), false);
        for (int i = 0; i < 1000; ++i) {
            QVERIFY(window.hasRoom());
            window.asked(256 * 1024);
        }
        QCOMPARE(window.most(256 * 1024), 256 * 1024u);
    }

    void aKeyWaitsShortlyAndTheLineStaysBusy_data()
    {
        QTest::addColumn<int>("roundTripMs");
        QTest::addColumn<double>("bytesPerSecond");
        QTest::addColumn<double>("worstMs");
        QTest::newRow("50 ms, 100 Mbit/s") << 50 << 12.5e6 << 10.;
        QTest::newRow("100 ms, 20 Mbit/s") << 100 << 2.5e6 << 20.;
        QTest::newRow("10 ms, 1 Gbit/s") << 10 << 125e6 << 10.;
        QTest::newRow("200 ms, 100 Mbit/s") << 200 << 12.5e6 << 20.;
    }
    void aKeyWaitsShortlyAndTheLineStaysBusy()
    {
        QFETCH(int, roundTripMs);
        QFETCH(double, bytesPerSecond);
        QFETCH(double, worstMs);
        Line line;
        line.roundTrip = std::chrono::milliseconds(roundTripMs);
        line.bytesPerSecond = bytesPerSecond;
        const double before = line.run(5s, false, kMost);
        QVERIFY2(before > 20, qPrintable(QString::number(before)));
        (void)line.run(5s, true, kMost); // the queue runs empty, the window is found
        const qint64 moved = line.moved;
        const double waits = line.run(5s, true, kMost);
        const double rate = double(line.moved - moved) / 5;
        QVERIFY2(waits < worstMs, qPrintable(QString::number(waits)));
        QVERIFY2(rate > 0.4 * bytesPerSecond, qPrintable(QString::number(rate / bytesPerSecond)));
        line.run(1s, false, kMost);
        QVERIFY(line.run(1s, false, kMost) > 20); // and then as before
    }

    void whatNobodyWaitsForTakesNoRoom()
    {
        BulkWindow window;
        window.look(BulkWindow::Time(1h), true);
        {
            BulkShare share(window);
            while (window.hasRoom())
                share.asked(BulkWindow::piece);
        }
        QVERIFY(window.hasRoom());
    }

    void oneRequestIsAlwaysAllowed()
    {
        BulkWindow window;
        window.look(BulkWindow::Time(1h), true);
        QVERIFY(window.hasRoom());
        window.asked(8 << 20);
        QVERIFY(!window.hasRoom());
        window.answered(8 << 20, BulkWindow::Time(1h), BulkWindow::Time(1h) + 10s);
        QVERIFY(window.hasRoom());
    }
};

QTEST_APPLESS_MAIN(TestBulkWindow)
#include "tst_bulkwindow.moc"

#include "session/backoff.h"
#include "session/comeback.h"
#include "session/inputpacer.h"
#include "session/outputledger.h"
#include "session/terminalanswer.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

class TestComeback : public QObject
{
    Q_OBJECT
private slots:
    void waitsDoubleFromHalfASecondToThirty()
    {
        QList<qint64> waits;
        for (int attempt = 0; attempt <= 9; ++attempt)
            waits += backoffDelay(attempt, 0.5).count();
        QCOMPARE(waits, (QList<qint64>{500, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}));
        QCOMPARE(backoffDelay(2'000'000'000, 0.5), 30s);
    }

    void jitterStaysInBounds()
    {
        for (int attempt = 1; attempt < 12; ++attempt) {
            for (const double random : {-1.0, 0.0, 0.3, 1.0, 7.0}) {
                const auto delay = backoffDelay(attempt, random);
                QVERIFY(delay >= 500ms && delay <= 30s);
            }
        }
        QVERIFY(backoffDelay(4, 0.0) < backoffDelay(4, 1.0));
    }

    void everyErrorLeadsSomewhere()
    {
        for (int kind = 0; kind <= int(ErrorKind::NoKeychain); ++kind) {
            const Error error{ErrorKind(kind), Layer::Provider, u"x"_s, {}};
            for (const Decision &decision : {afterFinding(std::unexpected(error)), afterFailing(Attempt::NewShell, error),
                                             afterFailing(Attempt::Reattach, error)}) {
                QVERIFY(decision.move != NextMove::Connect);
                QVERIFY(decision.move != NextMove::OfferResume);
                QCOMPARE(decision.error, error);
            }
        }
    }

    void theLedgerTellsTheShellThatIsThere()
    {
        using enum OutputLedger::Owed;
        using enum OutputLedger::Kind;
        OutputLedger ledger;
        ledger.add(10, Yes, Live);
        ledger.add(5, No, Replay);
        ledger.add(3, Yes, Live);
        QCOMPARE(ledger.replayed(), 5);
        QCOMPARE(ledger.take(12), 10);
        QCOMPARE(ledger.replayed(), 3);
        QCOMPARE(ledger.take(4), 1);
        QCOMPARE(ledger.replayed(), 0);
        ledger.add(7, Yes, Live);
        ledger.shellIsGone();
        ledger.add(1, Yes, Live);
        QCOMPARE(ledger.take(1000), 1); // more than there is: all of it
        QCOMPARE(ledger.take(-5), 0);
        ledger.add(0, Yes, Live);
        QCOMPARE(ledger.take(1), 0);
    }

    void onlyAnswersAreAnswers_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<bool>("isAnswer");
        QTest::newRow("device attributes") << "\x1b[?62;1;4c"_ba << true;
        QTest::newRow("secondary ones") << "\x1b[>0;115;0c"_ba << true;
        QTest::newRow("cursor position") << "\x1b[12;40R"_ba << true;
        QTest::newRow("status") << "\x1b[0n"_ba << true;
        QTest::newRow("mode report") << "\x1b[?2026;2$y"_ba << true;
        QTest::newRow("colour, ended by BEL") << "\x1b]11;rgb:0000/0000/0000\a"_ba << true;
        QTest::newRow("colour, ended by ST") << "\x1b]11;rgb:0000/0000/0000\x1b\\"_ba << true;
        QTest::newRow("DCS") << "\x1bP1$r0m\x1b\\"_ba << true;
        QTest::newRow("two of them") << "\x1b[0n\x1b[?62c"_ba << true;
        QTest::newRow("nothing") << QByteArray() << false;
        QTest::newRow("text") << "ls\n"_ba << false;
        QTest::newRow("escape") << "\x1b"_ba << false;
        QTest::newRow("an arrow") << "\x1b[A"_ba << false;
        QTest::newRow("an arrow with control") << "\x1b[1;5A"_ba << false;
        QTest::newRow("delete") << "\x1b[3~"_ba << false;
        QTest::newRow("paste") << "\x1b[200~text\x1b[201~"_ba << false;
        QTest::newRow("focus") << "\x1b[I"_ba << false;
        QTest::newRow("alt and a letter") << "\x1b[c"_ba << false;
        QTest::newRow("an answer and a key") << "\x1b[0nx"_ba << false;
        QTest::newRow("an answer cut short") << "\x1b[12;"_ba << false;
        QTest::newRow("a DCS without an end") << "\x1bP1$r0m"_ba << false;
    }
    void onlyAnswersAreAnswers()
    {
        QFETCH(QByteArray, bytes);
        QTEST(isTerminalAnswer(bytes), "isAnswer");
    }

    void aBucketHoldsItsRateOverEveryStretch()
    {
        TokenBucket bucket(1000, 500);
        TokenBucket::Time now{};
        QCOMPARE(bucket.available(now), 500);
        bucket.take(500);
        QCOMPARE(bucket.until(100), 100ms);
        QCOMPARE(bucket.available(now - 1h), 0); // a clock that goes back gives nothing
        now += 100ms;
        QCOMPARE(bucket.available(now), 100);
        QCOMPARE(bucket.available(now + 1h), 500);
    }

    void inputNeverExceedsWhatAServerTakesInASecond_data()
    {
        QTest::addColumn<int>("roundTrip"); // ms
        QTest::addColumn<int>("stallAt");   // ms; the network holds everything for 3 s from here
        QTest::newRow("near") << 1 << -1;
        QTest::newRow("far") << 200 << -1;
        QTest::newRow("very far") << 900 << -1;
        QTest::newRow("near, with a stall") << 1 << 500;
        QTest::newRow("far, with a stall") << 200 << 1500;
    }
    void inputNeverExceedsWhatAServerTakesInASecond()
    {
        QFETCH(int, roundTrip);
        QFETCH(int, stallAt);
        constexpr qsizetype size = 3'000'000;
        InputPacer pacer;
        pacer.add(QByteArray(size, 'x'));
        struct Arrival
        {
            int at;
            qsizetype bytes;
            QByteArray mark;
        };
        std::deque<Arrival> underWay;
        std::deque<std::pair<int, QByteArray>> answers;
        QList<std::pair<int, qsizetype>> arrived;
        qsizetype total = 0;
        int now = 0;
        for (; total < size && now < 60'000; ++now) {
            const auto passes = [&](int at) {
                return stallAt >= 0 && at >= stallAt && at < stallAt + 3000 ? stallAt + 3000 : at;
            };
            while (!answers.empty() && answers.front().first <= now) {
                pacer.acknowledged(answers.front().second);
                answers.pop_front();
            }
            for (;;) {
                const InputPacer::Step step = pacer.next(TokenBucket::Time{} + std::chrono::milliseconds(now));
                if (step.kind != InputPacer::Step::Kind::Send)
                    break;
                QVERIFY(step.bytes.size() <= InputPacer::maxFrame);
                underWay.push_back({passes(now + roundTrip / 2), step.bytes.size(), step.mark});
            }
            while (!underWay.empty() && underWay.front().at <= now) {
                const Arrival arrival = underWay.front();
                underWay.pop_front();
                total += arrival.bytes;
                arrived.emplaceBack(now, arrival.bytes);
                if (!arrival.mark.isEmpty())
                    answers.emplace_back(passes(now + roundTrip - roundTrip / 2), arrival.mark);
                qsizetype inThisSecond = 0;
                for (auto it = arrived.crbegin(); it != arrived.crend() && it->first > now - 1000; ++it)
                    inThisSecond += it->second;
                QVERIFY2(inThisSecond < 1 << 20, QByteArray::number(inThisSecond).constData());
            }
        }
        QCOMPARE(total, size);
        QCOMPARE(pacer.pending(), 0);
    }

    void aNewConnectionStartsWithNothingUnderWay()
    {
        InputPacer pacer;
        pacer.add(QByteArray(1'000'000, 'x'));
        TokenBucket::Time now{};
        while (pacer.next(now).kind != InputPacer::Step::Kind::WaitAnswer)
            now += 1s;
        pacer.clear();
        QCOMPARE(pacer.pending(), 0);
        QCOMPARE(pacer.next(now).kind, InputPacer::Step::Kind::Idle);
        pacer.add("x");
        QCOMPARE(pacer.next(now + 1s).kind, InputPacer::Step::Kind::Send);
        pacer.acknowledged("in1"); // of the old connection
    }
};

QTEST_GUILESS_MAIN(TestComeback)
#include "tst_comeback.moc"

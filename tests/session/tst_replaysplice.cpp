#include "session/replaysplice.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTest>

#include <deque>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

// The server's side: keeps whole chunks, drops them in front.
class History
{
public:
    explicit History(qsizetype limit) : m_limit(limit) {}
    void append(const QByteArray &chunk)
    {
        m_chunks.push_back(chunk);
        m_size += chunk.size();
        while (m_size > m_limit) {
            m_size -= m_chunks.front().size();
            m_chunks.pop_front();
        }
    }
    [[nodiscard]] QByteArray all() const
    {
        QByteArray text;
        for (const QByteArray &chunk : m_chunks)
            text += chunk;
        return text;
    }

private:
    std::deque<QByteArray> m_chunks;
    qsizetype m_size = 0;
    qsizetype m_limit;
};

// What a person sees: a reset begins anew.
struct Screen
{
    QByteArray text;
    int resets = 0;
    void take(const ReplaySplice::Output &output)
    {
        if (output.resetsScreen) {
            text.clear();
            ++resets;
        }
        text += output.bytes;
    }
};

enum class Kind { Random, NumberedLines, SameLine, OneByte, Prompts, TwoLines, Screens };

QByteArray makeText(Kind kind, qsizetype size, QRandomGenerator &random)
{
    QByteArray text;
    int n = 0;
    while (text.size() < size) {
        switch (kind) {
        case Kind::Random: text += char(random.bounded(256)); break;
        case Kind::NumberedLines: text += "line " + QByteArray::number(n++) + "\r\n"; break;
        case Kind::SameLine: text += "the very same line\r\n"; break;
        case Kind::OneByte: text += 'x'; break;
        case Kind::Prompts: text += random.bounded(3) ? "$ \r\n" : "$ ls\r\nfile\r\n"; break;
        case Kind::TwoLines: text += random.bounded(2) ? "a\r\n" : "b\r\n"; break;
        case Kind::Screens:
            text += "\x1b[H\x1b[2J" + QByteArray(200, '=') + "\x1b[0m";
            if (random.bounded(9) == 0)
                text += QByteArray::number(random.bounded(4));
            break;
        }
    }
    return text.first(size);
}

template <typename Fn>
void inPieces(const QByteArray &text, qsizetype most, QRandomGenerator &random, Fn fn)
{
    for (qsizetype at = 0; at < text.size();) {
        const qsizetype n = qMin<qsizetype>(1 + random.bounded(int(most)), text.size() - at);
        fn(text.sliced(at, n));
        at += n;
    }
}

} // namespace

class TestReplaySplice : public QObject
{
    Q_OBJECT
private slots:
    void withoutATailEverythingIsNew()
    {
        ReplaySplice splice(4096);
        splice.beginReplay();
        QVERIFY(!splice.isUndecided());
        Screen screen;
        screen.take(splice.feed("all of it"));
        QCOMPARE(screen.text, "all of it"_ba);
        QCOMPARE(screen.resets, 0);
    }

    void aShortSessionIsJoinedAtOnce()
    {
        ReplaySplice splice(1 << 20);
        Screen screen;
        screen.take(splice.feed("$ make\r\n"));
        splice.beginReplay();
        screen.take(splice.feed("$ make\r\ndone\r\n"));
        QCOMPARE(screen.text, "$ make\r\ndone\r\n"_ba);
        QVERIFY(!splice.isUndecided());
        screen.take(splice.feed("$ "));
        QCOMPARE(screen.text, "$ make\r\ndone\r\n$ "_ba);
    }

    void manyReconnectsShowEverythingOnce()
    {
        QRandomGenerator random(3);
        ReplaySplice splice(1 << 16);
        History history(1 << 16);
        Screen screen;
        QByteArray truth;
        for (int round = 0; round < 40; ++round) {
            const QByteArray chunk = makeText(Kind::Random, 1 + random.bounded(4096), random);
            history.append(chunk);
            truth += chunk;
            splice.beginReplay();
            inPieces(history.all(), 5000, random, [&](const QByteArray &piece) { screen.take(splice.feed(piece)); });
            screen.take(splice.settle());
            QVERIFY(screen.text == truth);
        }
        QCOMPARE(screen.resets, 0);
    }

    void aReplayThatBreaksOffIsTakenUpByTheNext()
    {
        QRandomGenerator random(5);
        const QByteArray shown = makeText(Kind::NumberedLines, 40'000, random);
        const QByteArray missed = "what was missed\r\n"_ba;
        ReplaySplice splice(1 << 20);
        Screen screen;
        screen.take(splice.feed(shown));
        for (const qsizetype cut : {0, 1, 500, 3000, 39'999, 40'000}) {
            splice.beginReplay();
            screen.take(splice.feed(shown.first(cut)));
        }
        splice.beginReplay();
        screen.take(splice.feed(shown + missed));
        QVERIFY(screen.text == shown + missed);
    }

    void silenceInsideAReplayDecidesNothing()
    {
        QRandomGenerator random(6);
        const QByteArray shown = makeText(Kind::NumberedLines, 100'000, random);
        ReplaySplice splice(1 << 20);
        Screen screen;
        screen.take(splice.feed(shown));
        splice.beginReplay();
        screen.take(splice.settle());
        for (const qsizetype at : {0, 20'000, 40'000, 60'000, 80'000}) {
            screen.take(splice.feed(shown.sliced(at, 20'000)));
            screen.take(splice.settle());
            QVERIFY(screen.text == shown);
        }
        screen.take(splice.feed("new"));
        QVERIFY(screen.text == shown + "new");
    }

    void moreMissedThanTheServerKeepsBeginsTheScreenAnew()
    {
        QRandomGenerator random(4);
        ReplaySplice splice(10'000);
        Screen screen;
        screen.take(splice.feed(makeText(Kind::Random, 50'000, random)));
        const QByteArray kept = makeText(Kind::Random, 10'000, random);
        splice.beginReplay();
        inPieces(kept, 3000, random, [&](const QByteArray &piece) { screen.take(splice.feed(piece)); });
        screen.take(splice.settle());
        QCOMPARE(screen.resets, 1);
        QVERIFY(screen.text == kept);
    }

    void aChanceFitOfAFewBytesIsNotTrusted()
    {
        ReplaySplice splice(10'000);
        Screen screen;
        screen.take(splice.feed(QByteArray(5000, 'a') + "\r\n$ "));
        splice.beginReplay();
        screen.take(splice.feed("\r\n$ something else entirely" + QByteArray(3000, 'b')));
        screen.take(splice.settle());
        QCOMPARE(screen.resets, 1);
    }

    void forgettingMakesTheNextShellNew()
    {
        ReplaySplice splice(10'000);
        (void)splice.feed("old shell");
        splice.forget();
        splice.beginReplay();
        QCOMPARE(splice.feed("new shell").bytes, "new shell"_ba);
    }

    void everyTextIsShownOnce_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<bool>("repeats");
        QTest::newRow("random bytes") << int(Kind::Random) << false;
        QTest::newRow("numbered lines") << int(Kind::NumberedLines) << false;
        QTest::newRow("the same line for ever") << int(Kind::SameLine) << true;
        QTest::newRow("one byte for ever") << int(Kind::OneByte) << true;
        QTest::newRow("prompts") << int(Kind::Prompts) << false;
        QTest::newRow("two lines in any order") << int(Kind::TwoLines) << false;
        QTest::newRow("screens that look alike") << int(Kind::Screens) << false;
    }
    void everyTextIsShownOnce()
    {
        QFETCH(int, kind);
        QFETCH(bool, repeats);
        constexpr qsizetype limit = 16 * 1024;
        for (quint32 seed = 0; seed < 300; ++seed) {
            QRandomGenerator random(seed);
            // From far below the limit to far above it.
            const QByteArray stream = makeText(Kind(kind), 1 + random.bounded(int(limit) * 3), random);
            const qsizetype seen = random.bounded(int(stream.size()) + 1);
            const qsizetype atReattach = seen + random.bounded(int(qMin(stream.size() - seen, limit / 2)) + 1);

            ReplaySplice splice(limit);
            Screen screen;
            inPieces(stream.first(seen), 5000, random, [&](const QByteArray &piece) { screen.take(splice.feed(piece)); });

            History history(limit);
            inPieces(stream.first(atReattach), 512, random, [&](const QByteArray &chunk) { history.append(chunk); });
            const QByteArray replay = history.all();
            const bool nothingDropped = replay.size() == atReattach;
            splice.beginReplay();
            inPieces(replay, 700, random, [&](const QByteArray &piece) { screen.take(splice.feed(piece)); });
            screen.take(splice.settle());
            inPieces(stream.sliced(atReattach), 700, random, [&](const QByteArray &piece) { screen.take(splice.feed(piece)); });
            screen.take(splice.settle());

            const QByteArray context = "seed " + QByteArray::number(seed) + ", seen " + QByteArray::number(seen)
                    + ", replay of " + QByteArray::number(replay.size()) + " at " + QByteArray::number(atReattach);
            QVERIFY2(screen.resets == 0, context.constData());
            if (nothingDropped || !repeats) {
                QVERIFY2(screen.text == stream, context.constData());
                continue;
            }
            // Nobody can count what repeats itself: nothing twice, and the end is right.
            QVERIFY2(screen.text.size() <= stream.size(), context.constData());
            QVERIFY2(stream.endsWith(screen.text.last(qMin<qsizetype>(screen.text.size(), 1000))), context.constData());
        }
    }

    void aFullHistoryOfOneLineTakesNoTime()
    {
        constexpr qsizetype limit = 1 << 20;
        ReplaySplice splice(limit);
        QRandomGenerator random(1);
        const QByteArray text = makeText(Kind::SameLine, limit, random);
        Screen screen;
        screen.take(splice.feed(text));
        QElapsedTimer timer;
        timer.start();
        splice.beginReplay();
        for (qsizetype at = 0; at < text.size(); at += 4096)
            screen.take(splice.feed(text.sliced(at, qMin<qsizetype>(4096, text.size() - at))));
        screen.take(splice.feed("end"));
        // Quadratic work would take minutes; the bound only tells the two apart.
        QVERIFY2(timer.elapsed() < 20'000, QByteArray::number(timer.elapsed()).constData());
        QVERIFY(screen.text == text + "end");
    }
};

QTEST_GUILESS_MAIN(TestReplaySplice)
#include "tst_replaysplice.moc"

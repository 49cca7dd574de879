#include "terminal/streamfilter.h"
#include "terminal/streammodes.h"

#include <QRandomGenerator>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

class Recorder final : public StreamFilter::Sink
{
public:
    void text(QByteArrayView bytes) override
    {
        QVERIFY(!bytes.isEmpty());
        out += bytes;
        ++pieces;
    }
    void reply(const QByteArray &bytes) override { replies += bytes; }
    void title(const QString &t) override { titles.append(t); }
    void workingDirectory(const QString &path) override { folders.append(path); }
    void bell() override { ++bells; }

    QByteArray out;
    QByteArray replies;
    QStringList titles;
    QStringList folders;
    int bells = 0;
    int pieces = 0;
};

const StreamFilter::Clock::time_point kStart = StreamFilter::Clock::time_point(1h);

Recorder run(QByteArrayView bytes)
{
    StreamFilter filter;
    Recorder r;
    filter.process(bytes, kStart, r);
    return r;
}

} // namespace

class TestStreamFilter : public QObject
{
    Q_OBJECT
private slots:
    void sequenceBecomes_data()
    {
        QTest::addColumn<QByteArray>("in");
        QTest::addColumn<QByteArray>("out");
        const auto row = [](const char *name, const QByteArray &in, const QByteArray &out) {
            QTest::newRow(name) << in << out;
        };
        row("plain text", "hello\r\nworld", "hello\r\nworld");
        row("UTF-8", "h\u00e9 \xe6\xbc\xa2 \xf0\x9f\x98\x80", "h\u00e9 \xe6\xbc\xa2 \xf0\x9f\x98\x80");
        row("C1 bytes inside UTF-8", "\xc3\x9b[0m", "\xc3\x9b[0m");
        row("cursor", "\x1b[3;4H\x1b[A\x1b[12X", "\x1b[3;4H\x1b[A\x1b[12X");
        row("erase", "\x1b[2J\x1b[3J\x1b[K", "\x1b[2J\x1b[3J\x1b[K");
        row("selective erase", "\x1b[?2J\x1b[?1K", "\x1b[2J\x1b[1K");
        row("HPA HPR VPR", "\x1b[5`\x1b[2a\x1b[3e", "\x1b[5G\x1b[2C\x1b[3B");
        row("scroll region", "\x1b[2;10r", "\x1b[2;10r");
        row("huge counts", "\x1b[99999999@\x1b[99999999b", "\x1b[1000@\x1b[1920b");
        row("SGR simple", "\x1b[1;31m", "\x1b[1;31m");
        row("SGR reset", "\x1b[m", "\x1b[m");
        row("SGR empty parameter", "\x1b[1;;4m", "\x1b[1;;4m");
        row("SGR empty parameter is 0", "\x1b[1;;21m", "\x1b[1;0;4m");
        row("SGR undercurl", "\x1b[4:3m", "\x1b[4m");
        row("SGR no underline", "\x1b[4:0m", "\x1b[24m");
        row("SGR colour with colour space", "\x1b[38:2::10:20:30m", "\x1b[38;2;10;20;30m");
        row("SGR colour without", "\x1b[48:2:10:20:30m", "\x1b[48;2;10;20;30m");
        row("SGR indexed colon", "\x1b[38:5:196m", "\x1b[38;5;196m");
        row("SGR indexed semicolon", "\x1b[38;5;196m", "\x1b[38;5;196m");
        row("SGR underline colour semicolon", "\x1b[58;5;41;1m", "\x1b[1m");
        row("SGR underline colour rgb", "\x1b[4;58;2;5;41;7;31m", "\x1b[4;31m");
        row("SGR underline colour colon", "\x1b[4;58:2::1:2:3m", "\x1b[4m");
        row("SGR default underline colour", "\x1b[59m", "");
        row("SGR double underline", "\x1b[21m", "\x1b[4m");
        row("SGR overline", "\x1b[53;55m", "");
        row("SGR broken colour", "\x1b[38;9;1m", "");
        row("SGR channel too large", "\x1b[38;2;999;0;0m", "\x1b[38;2;255;0;0m");
        row("SGR many", "\x1b[1;2;3;4;5;7;31;38;2;1;2;3;48;2;4;5;6m",
            "\x1b[1;2;3;4;5;7;31;38;2;1;2;3m\x1b[48;2;4;5;6m");
        row("modifyOtherKeys", "\x1b[>4;2m", "");
        row("kitty keyboard", "a\x1b[<u\x1b[=5u\x1b[>1ub", "ab");
        row("DECSCA, DECRQCRA, DECFRA", "\x1b[1\"q\x1b[1;1;1;1;1;1*y\x1b[65;1;1;2;2$xz", "z");
        row("cursor shape", "\x1b[4 q", "\x1b[4 q");
        row("two intermediates", "\x1b[1 !qx", "x");
        row("parameter after intermediate", "\x1b[1 2qx", "x");
        row("window resize", "\x1b[8;4000;4000tx", "x");
        row("title report", "\x1b[21tx", "x");
        row("VT52 mode", "\x1b[?2lx", "x");
        row("132 columns", "\x1b[?40h\x1b[?3h\x1b[?3lx", "x");
        row("mouse modes stay here", "\x1b[?1000;1002;1006hx", "x");
        row("mixed modes", "\x1b[?1000;25;2004lx", "\x1b[?25lx");
        row("alternate screen", "\x1b[?1049h", "\x1b[?1049h");
        row("save cursor", "\x1b[s\x1b[1;5sx", "\x1b[sx");
        row("insert mode", "\x1b[4h\x1b[2h\x1b[20l", "\x1b[4h\x1b[20l");
        row("DCS sixel", "a\x1bPq#0;2;0;0;0#0~~\x1b\\b", "ab");
        row("APC", "a\x1b_Gf=32;AAAA\x1b\\b", "ab");
        row("PM", "a\x1b^secret\x1b\\b", "ab");
        row("SOS", "a\x1bXsecret\x1b\\b", "ab");
        row("screen title", "a\x1bktitle\x1b\\b", "ab");
        row("OSC 8 keeps its text", "\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\", "link");
        row("OSC 52", "a\x1b]52;c;ZWNobw==\x07" "b", "ab");
        row("OSC 4", "a\x1b]4;1;rgb:ff/00/00\x07" "b", "ab");
        row("OSC 11 set", "a\x1b]11;#ff0000\x1b\\b", "ab");
        row("OSC without number", "a\x1b]hello\x07" "b", "ab");
        row("ESC aborts OSC", "a\x1b]0;never ended\x1b[31mb", "a\x1b[31mb");
        row("CAN aborts DCS", "a\x1bPqqq\x18" "b", "ab");
        row("SUB aborts CSI", "a\x1b[31\x1a" "b", "ab");
        row("ESC aborts CSI", "a\x1b[31\x1b[1mb", "a\x1b[1mb");
        row("LF inside CSI acts", "\x1b[3\n1mx", "\n\x1b[31mx");
        row("high byte aborts CSI", "\x1b[3\xc3\xa9x", "\xc3\xa9x");
        row("stray ST", "a\x1b\\b", "ab");
        row("charset", "\x1b(0lqk\x1b(B", "\x1b(0lqk\x1b(B");
        row("codec switch", "\x1b%@\x1b%Gx", "x");
        row("seven bit controls", "\x1b Fx", "x");
        row("screen alignment", "\x1b#8", "\x1b#8");
        row("unknown escape", "\x1b~\x1b}x", "x");
        row("keypad modes", "\x1b=\x1b>", "\x1b=\x1b>");
        row("RIS", "a\x1b" "c", "a\x1b" "c");
        row("ENQ in sequence", "\x1b[\x05" "31mx", "\x1b[31mx");
        row("bell is lifted out", "a\x07" "b", "ab");
    }
    void sequenceBecomes()
    {
        QFETCH(QByteArray, in);
        QFETCH(QByteArray, out);
        QCOMPARE(run(in).out, out);
    }

    void questionIsAnswered_data()
    {
        QTest::addColumn<QByteArray>("in");
        QTest::addColumn<QByteArray>("reply");
        QTest::newRow("DA1") << QByteArray("\x1b[c") << QByteArray("\x1b[?62;22c");
        QTest::newRow("DA1 with 0") << QByteArray("\x1b[0c") << QByteArray("\x1b[?62;22c");
        QTest::newRow("DA1 answer is no question") << QByteArray("\x1b[?62;22c") << QByteArray();
        QTest::newRow("DECID") << QByteArray("\x1bZ") << QByteArray("\x1b[?62;22c");
        QTest::newRow("DA2") << QByteArray("\x1b[>c") << QByteArray("\x1b[>41;330;0c");
        QTest::newRow("DA3") << QByteArray("\x1b[=c") << QByteArray("\x1bP!|00000000\x1b\\");
        QTest::newRow("XTVERSION") << QByteArray("\x1b[>0q") << QByteArray("\x1bP>|Sandpiper " SANDPIPER_VERSION "\x1b\\");
        QTest::newRow("DSR 5") << QByteArray("\x1b[5n") << QByteArray("\x1b[0n");
        QTest::newRow("DECRQM set") << QByteArray("\x1b[?25$p") << QByteArray("\x1b[?25;1$y");
        QTest::newRow("DECRQM reset") << QByteArray("\x1b[?2026$p") << QByteArray("\x1b[?2026;2$y");
        QTest::newRow("DECRQM after set") << QByteArray("\x1b[?1006h\x1b[?1006$p") << QByteArray("\x1b[?1006;1$y");
        QTest::newRow("DECRQM never") << QByteArray("\x1b[?3$p") << QByteArray("\x1b[?3;4$y");
        QTest::newRow("DECRQM unknown") << QByteArray("\x1b[?31337$p") << QByteArray("\x1b[?31337;0$y");
        QTest::newRow("DECRQM absurd") << QByteArray("\x1b[?99999999999$p") << QByteArray("\x1b[?65535;0$y");
        QTest::newRow("DECRQM ANSI") << QByteArray("\x1b[4$p") << QByteArray("\x1b[4;0$y");
        QTest::newRow("foreground") << QByteArray("\x1b]10;?\x1b\\") << QByteArray("\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\");
        QTest::newRow("background") << QByteArray("\x1b]11;?\x07") << QByteArray("\x1b]11;rgb:0000/0000/0000\x1b\\");
        QTest::newRow("both") << QByteArray("\x1b]10;?;?\x07")
                              << QByteArray("\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\");
        QTest::newRow("size in pixels") << QByteArray("\x1b[14t") << QByteArray("\x1b[4;384;640t");
        QTest::newRow("cell size") << QByteArray("\x1b[16t") << QByteArray("\x1b[6;16;8t");
        QTest::newRow("size in cells") << QByteArray("\x1b[18t") << QByteArray("\x1b[8;24;80t");
        QTest::newRow("colour scheme") << QByteArray("\x1b[?996n") << QByteArray("\x1b[?997;1n");
        QTest::newRow("DECRQSS") << QByteArray("\x1bP$qm\x1b\\") << QByteArray("\x1bP0$r\x1b\\");
        QTest::newRow("XTGETTCAP") << QByteArray("\x1bP+q544e\x1b\\") << QByteArray("\x1bP0+r\x1b\\");
        QTest::newRow("nobody asked") << QByteArray("\x1b[21t\x1b[?6n\x1b[x\x05") << QByteArray();
    }
    void questionIsAnswered()
    {
        QFETCH(QByteArray, in);
        QFETCH(QByteArray, reply);
        const Recorder r = run(in);
        QCOMPARE(r.replies, reply);
        QVERIFY(!r.out.contains('?') || in.contains("1006h"));
    }

    void replyNeverCarriesWhatTheOtherSideSent()
    {
        const Recorder r = run("\x1b]0;evil\x07\x1b[21t\x1b[20t\x1b]l\x1b\\\x1bP$qevil\x1b\\\x1bP+qevil\x1b\\\x1b]11;?evil\x07");
        QVERIFY(!r.replies.contains("evil"));
    }

    void cursorReportReachesTheEngineBeforeWhatFollows()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("abc\x1b[6ndef", kStart, r);
        QCOMPARE(r.out, "abc\x1b[6ndef");
        QCOMPARE(r.pieces, 2);
    }

    void answersAreBoundedInRate()
    {
        StreamFilter filter;
        Recorder r;
        const QByteArray flood = QByteArray("\x1b[c").repeated(100'000);
        filter.process(flood, kStart, r);
        QVERIFY(r.replies.size() > 0);
        QVERIFY2(r.replies.size() <= 16 << 10, "a burst is bounded");
        const qsizetype burst = r.replies.size();
        filter.process(flood, kStart + 500ms, r);
        QVERIFY(r.replies.size() > burst);
        QVERIFY(r.replies.size() <= burst + (8 << 10) + 16);
    }

    void cursorReportsAreBoundedToo()
    {
        const Recorder r = run(QByteArray("\x1b[6n").repeated(100'000));
        QVERIFY(r.out.count('n') <= (16 << 10) / 10);
    }

    void titleIsTamed_data()
    {
        QTest::addColumn<QByteArray>("in");
        QTest::addColumn<QString>("title");
        QTest::newRow("BEL") << QByteArray("\x1b]0;one\x07") << u"one"_s;
        QTest::newRow("ST") << QByteArray("\x1b]2;two\x1b\\") << u"two"_s;
        QTest::newRow("UTF-8") << QByteArray("\x1b]2;\xc3\xa9\x1b\\") << u"é"_s;
        QTest::newRow("controls") << QByteArray("\x1b]2;a\tb\nc\x07") << u"abc"_s;
        QTest::newRow("bidi") << QByteArray("\x1b]2;a\xe2\x80\xae" "b\x07") << u"ab"_s;
        QTest::newRow("long") << QByteArray("\x1b]2;" + QByteArray(1000, 'x') + "\x07") << QString(250, u'x');
        QTest::newRow("empty") << QByteArray("\x1b]2;\x07") << QString();
        QTest::newRow("no separator") << QByteArray("\x1b]2\x07") << QString();
    }
    void titleIsTamed()
    {
        QFETCH(QByteArray, in);
        QFETCH(QString, title);
        const Recorder r = run(in);
        QCOMPARE(r.titles, QStringList{title});
        QCOMPARE(r.out, QByteArray());
    }

    void workingDirectoryIsLiftedOut_data()
    {
        QTest::addColumn<QByteArray>("uri");
        QTest::addColumn<QStringList>("folders");
        QTest::newRow("plain") << QByteArray("file://box/home/u") << QStringList{u"/home/u"_s};
        QTest::newRow("no host") << QByteArray("file:///tmp") << QStringList{u"/tmp"_s};
        QTest::newRow("escaped") << QByteArray("file://box/a%20b/%C3%A9") << QStringList{u"/a b/é"_s};
        QTest::newRow("escaped control") << QByteArray("file://box/a%0Ab") << QStringList();
        QTest::newRow("other scheme") << QByteArray("http://box/a") << QStringList();
        QTest::newRow("relative") << QByteArray("file://box") << QStringList();
        QTest::newRow("too long") << QByteArray("file:///" + QByteArray(5000, 'x')) << QStringList();
    }
    void workingDirectoryIsLiftedOut()
    {
        QFETCH(QByteArray, uri);
        QFETCH(QStringList, folders);
        QCOMPARE(run("\x1b]7;" + uri + "\x1b\\").folders, folders);
    }

    void modesAreRemembered()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?1h\x1b[?1049h\x1b[?1007l", kStart, r);
        TerminalModes modes = filter.modes();
        QCOMPARE(modes.mouse, MouseReports::Drag);
        QCOMPARE(modes.mouseEncoding, MouseEncoding::Sgr);
        QVERIFY(modes.bracketedPaste && modes.focusReports && modes.applicationCursor && modes.alternateScreen);
        QVERIFY(!modes.alternateScroll);
        // One mouse mode switched off leaves the other.
        filter.process("\x1b[?1002l", kStart, r);
        QCOMPARE(filter.modes().mouse, MouseReports::Buttons);
        filter.process("\x1b" "c", kStart, r);
        QCOMPARE(filter.modes(), TerminalModes());
    }

    void softResetKeepsTheAlternateScreen()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("\x1b[?1049h\x1b[?1h\x1b[?25l\x1b[!p", kStart, r);
        QVERIFY(filter.modes().alternateScreen);
        QVERIFY(!filter.modes().applicationCursor);
        QVERIFY(!r.out.contains("!p"));
    }

    void updateIsHeldUntilItIsComplete()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("a\x1b[?2026hb", kStart, r);
        QCOMPARE(r.out, "a");
        QVERIFY(filter.holding());
        filter.process("c", kStart + 10ms, r);
        QCOMPARE(r.out, "a");
        filter.process("d\x1b[?2026le", kStart + 20ms, r);
        QCOMPARE(r.out, "abcde");
        QVERIFY(!filter.holding());
    }

    void updateIsHeldNoLongerThanItMay()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("\x1b[?2026hb", kStart, r);
        filter.process("c", kStart + 149ms, r);
        QCOMPARE(r.out, QByteArray());
        filter.process("d", kStart + 151ms, r);
        QCOMPARE(r.out, "bcd");
        filter.process("\x1b[?2026hx", kStart + 200ms, r);
        filter.release(r);
        QCOMPARE(r.out, "bcdx");
        QVERIFY(!filter.holding());
    }

    void updateIsHeldNoLargerThanItMay()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("\x1b[?2026h", kStart, r);
        const QByteArray block(64 << 10, 'x');
        qsizetype sent = 0;
        while (r.out.isEmpty() && sent < 4 << 20) {
            filter.process(block, kStart, r);
            sent += block.size();
        }
        QVERIFY(sent <= 1 << 20);
        QCOMPARE(r.out.size(), sent);
    }

    void stringThatNeverEndsLetsGo_data()
    {
        QTest::addColumn<QByteArray>("start");
        QTest::addColumn<qsizetype>("limit");
        QTest::newRow("OSC") << QByteArray("\x1b]0;") << qsizetype(64 << 10);
        QTest::newRow("DCS") << QByteArray("\x1bPq") << qsizetype(4 << 20);
        QTest::newRow("APC") << QByteArray("\x1b_G") << qsizetype(4 << 20);
    }
    void stringThatNeverEndsLetsGo()
    {
        QFETCH(QByteArray, start);
        QFETCH(qsizetype, limit);
        StreamFilter filter;
        Recorder r;
        filter.process(start, kStart, r);
        const QByteArray block(32 << 10, 'x');
        for (qsizetype sent = 0; sent <= limit && r.out.isEmpty(); sent += block.size())
            filter.process(block, kStart, r);
        filter.process("after", kStart, r);
        QVERIFY(r.out.endsWith("after"));
    }

    void stringLeftOpenAcrossAPauseLetsGo()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("\x1b]0;oops", kStart, r);
        filter.process("still inside", kStart + 1s, r);
        QCOMPARE(r.out, QByteArray());
        filter.process("$ ", kStart + 10s, r);
        QCOMPARE(r.out, "$ ");
    }

    void resetForgetsAHalfReadSequence()
    {
        StreamFilter filter;
        Recorder r;
        filter.process("\x1b]0;half", kStart, r);
        filter.reset();
        filter.process("text", kStart, r);
        QCOMPARE(r.out, "text");
        QVERIFY(r.titles.isEmpty());
    }

    void longTextIsHandedOnWithoutBeingCutUp()
    {
        const QByteArray text(1 << 20, 'x');
        const Recorder r = run(text);
        QCOMPARE(r.out, text);
        QCOMPARE(r.pieces, 1);
    }

    void anySplitGivesTheSame_data()
    {
        QTest::addColumn<quint32>("seed");
        for (quint32 seed = 1; seed <= 60; ++seed)
            QTest::addRow("seed %u", seed) << seed;
    }
    void anySplitGivesTheSame()
    {
        QFETCH(quint32, seed);
        static const QList<QByteArray> words = {
            "text ", "\xe6\xbc\xa2", "\x1b[1;31m", "\x1b[4:3m", "\x1b[38:2::1:2:3m", "\x1b[58;5;4m", "\x1b]0;title\x07",
            "\x1b]7;file:///a%20b\x1b\\", "\x1bPq~~~\x1b\\", "\x1b_Gx\x1b\\", "\x1b[c", "\x1b[6n", "\x1b[?1049h",
            "\x1b[?2026h", "\x1b[?2026l", "\x1b]11;?\x1b\\", "\x07", "\r\n", "\x1b[?1002;25h", "\x1b[99999b", "\x1b(0",
            "\x1b[m", "\x1b[;;m", "\x1b[007;01m", "\x1b[0005;2H", "\x1b[2;1000H", "\x1b[1:2H", "\x1b[38;5m", "\x1b[38;5;300m",
            "\x1b[48;2;1;2;3;21m", "\x1b[2J", "\x1b[;r", "\x1b[1;2;3;4;5;6;7;8;9;1;2;3;4m", "\x1b[53m",
            "\x1b[", "\x1b", "\x1b]", "\x18", "\x1b[!p", "\x1b[?25$p", "\xff\xfe", QByteArray(3000, 'y')};
        QRandomGenerator random(seed);
        QByteArray all;
        for (int i = 0; i < 200; ++i)
            all += words[random.bounded(words.size())];
        StreamFilter whole;
        Recorder expected;
        whole.process(all, kStart, expected);
        whole.release(expected);
        StreamFilter split;
        Recorder actual;
        for (qsizetype at = 0; at < all.size();) {
            const qsizetype n = qMin<qsizetype>(1 + random.bounded(seed % 2 ? 3 : 400), all.size() - at);
            split.process(QByteArrayView(all).sliced(at, n), kStart, actual);
            at += n;
        }
        split.release(actual);
        QCOMPARE(actual.out, expected.out);
        QCOMPARE(actual.replies, expected.replies);
        QCOMPARE(actual.titles, expected.titles);
        QCOMPARE(actual.folders, expected.folders);
        QCOMPARE(actual.bells, expected.bells);
        QCOMPARE(split.modes(), whole.modes());
    }

    // What must not get through whatever comes in, for the engine would print it or worse.
    void randomBytesLetNothingHarmfulThrough_data()
    {
        QTest::addColumn<quint32>("seed");
        for (quint32 seed = 1; seed <= 20; ++seed)
            QTest::addRow("seed %u", seed) << seed;
    }
    void randomBytesLetNothingHarmfulThrough()
    {
        QFETCH(quint32, seed);
        QRandomGenerator random(seed);
        static const QByteArray alphabet = "\x1b\x1b\x1b[[]]P_^X?<=>;:0123456789$\"'*# !hlmntpqcJHABu\x07\x18\\\n\x9b\xc2\xff" "az";
        QByteArray all;
        for (int i = 0; i < 100'000; ++i)
            all += seed % 2 ? alphabet[random.bounded(alphabet.size())] : char(random.bounded(256));
        StreamFilter filter;
        Recorder r;
        auto now = kStart;
        for (qsizetype at = 0; at < all.size();) {
            const qsizetype n = qMin<qsizetype>(1 + random.bounded(5000), all.size() - at);
            filter.process(QByteArrayView(all).sliced(at, n), now, r);
            at += n;
            now += 20ms;
        }
        filter.release(r);
        for (qsizetype at = r.out.indexOf('\x1b'); at >= 0; at = r.out.indexOf('\x1b', at + 1)) {
            QVERIFY2(at + 1 < r.out.size(), "no sequence is handed on in part");
            const char kind = r.out[at + 1];
            QVERIFY2(QByteArrayView("]P_^Xk\x1b\\%Z").indexOf(kind) < 0, "no string begins");
            if (kind != '[')
                continue;
            qsizetype end = at + 2;
            while (end < r.out.size() && (r.out[end] < '@' || r.out[end] > '~'))
                ++end;
            QVERIFY(end < r.out.size());
            const QByteArray body = r.out.sliced(at + 2, end - at - 2);
            for (const char c : QByteArrayView("<=>:$\"'*#!"))
                QVERIFY2(!body.contains(c), body.constData());
            QVERIFY(r.out[end] != 't' && r.out[end] != 'c' && r.out[end] != 'p');
            QVERIFY(!(body == "?2" || body == "?3" || body == "?40"));
        }
    }

    void everyModeRowIsFound()
    {
        for (const StreamModeRow &row : streamModes()) {
            const StreamModeRow *found = streamMode(row.number);
            QVERIFY(found);
            QCOMPARE(found->mode, row.mode);
        }
        QVERIFY(!streamMode(2) && !streamMode(3) && !streamMode(0));
    }
};

QTEST_GUILESS_MAIN(TestStreamFilter)
#include "tst_streamfilter.moc"

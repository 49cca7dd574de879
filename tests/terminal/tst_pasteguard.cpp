#include "terminal/pasteguard.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::StringLiterals;

class TestPasteGuard : public QObject
{
    Q_OBJECT
private slots:
    void pasteSends_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QByteArray>("plain");
        QTest::addColumn<bool>("question");
        QTest::addColumn<int>("lines");
        QTest::newRow("word") << u"ls -l"_s << QByteArray("ls -l") << false << 1;
        QTest::newRow("empty") << QString() << QByteArray() << false << 0;
        QTest::newRow("only controls") << u"\x1b\x03\x07"_s << QByteArray() << false << 0;
        QTest::newRow("LF") << u"a\nb"_s << QByteArray("a\rb") << true << 2;
        QTest::newRow("CRLF") << u"a\r\nb\r\n"_s << QByteArray("a\rb\r") << true << 2;
        QTest::newRow("line end alone") << u"reboot\n"_s << QByteArray("reboot\r") << true << 1;
        QTest::newRow("tab stays") << u"a\tb"_s << QByteArray("a\tb") << false << 1;
        QTest::newRow("ESC") << u"a\x1b[31mb"_s << QByteArray("a[31mb") << false << 1;
        QTest::newRow("end of bracket") << u"x\x1b[201~\nrm -rf ~\n"_s << QByteArray("x[201~\rrm -rf ~\r") << true << 2;
        QTest::newRow("end of bracket in C1") << u"x\u009b201~y"_s << QByteArray("x201~y") << false << 1;
        QTest::newRow("Ctrl+C, DEL, NUL") << (u"a\x03"_s + u"\x7f"_s + QChar(0) + u"b"_s) << QByteArray("ab") << false << 1;
        QTest::newRow("UTF-8") << u"é漢😀"_s << u"é漢😀"_s.toUtf8() << false << 1;
    }
    void pasteSends()
    {
        QFETCH(QString, text);
        QFETCH(QByteArray, plain);
        QFETCH(bool, question);
        QFETCH(int, lines);
        QCOMPARE(pastePieces(text, PasteMode::Plain).join(), plain);
        const QByteArray bracketed = plain.isEmpty() ? plain : "\x1b[200~" + plain + "\x1b[201~";
        QCOMPARE(pastePieces(text, PasteMode::Bracketed).join(), bracketed);
        QCOMPARE(pasteNeedsQuestion(text, PasteMode::Plain), question);
        QVERIFY(!pasteNeedsQuestion(text, PasteMode::Bracketed));
        QCOMPARE(pasteLineCount(text), lines);
    }

    void everyCharacterIsHarmless()
    {
        QString all;
        for (ushort c = 0; c < 0x300; ++c)
            all += QChar(c);
        const QString clean = harmlessText(all);
        for (const QChar c : clean)
            QVERIFY(c == u'\t' || c == u'\r' || (c >= u' ' && c != u'\x7f' && (c < u'\x80' || c >= u'\xa0')));
    }

    void longTextIsCutBetweenCharacters()
    {
        const QString text = u"a"_s + u"漢"_s.repeated(20'000);
        const QList<QByteArray> pieces = pastePieces(text, PasteMode::Bracketed);
        QVERIFY(pieces.size() > 3);
        for (const QByteArray &piece : pieces) {
            QVERIFY(!piece.isEmpty() && piece.size() <= 16 << 10);
            QVERIFY((static_cast<unsigned char>(piece.front()) & 0xc0) != 0x80);
        }
        QCOMPARE(pieces.join(), "\x1b[200~" + text.toUtf8() + "\x1b[201~");
    }

    void pathIsOneWord_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<QString>("word");
        QTest::newRow("plain") << u"/a/b.txt"_s << u"/a/b.txt"_s;
        QTest::newRow("space") << u"/a b"_s << u"'/a b'"_s;
        QTest::newRow("quote") << u"/it's"_s << u"'/it'\\''s'"_s;
        QTest::newRow("dollar") << u"/$(x)"_s << u"'/$(x)'"_s;
        QTest::newRow("newline") << u"/a\n"_s << u"'/a\n'"_s;
        QTest::newRow("empty") << QString() << u"''"_s;
        QTest::newRow("not ASCII") << u"/é"_s << u"'/é'"_s;
    }
    void pathIsOneWord()
    {
        QFETCH(QString, path);
        QFETCH(QString, word);
        QCOMPARE(shellQuoted(path), word);
    }
};

QTEST_GUILESS_MAIN(TestPasteGuard)
#include "tst_pasteguard.moc"

#include "session/shellquote.h"

#include <QProcess>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestShellQuote : public QObject
{
    Q_OBJECT

    // What a real shell makes of a line.
    static QByteArray run(const QByteArray &line)
    {
        QProcess shell;
        shell.start(u"/bin/sh"_s, {u"-c"_s, QString::fromUtf8(line)});
        shell.waitForFinished(30000);
        return shell.readAllStandardOutput();
    }

private slots:
    void aWordComesThroughAShellUnharmed_data()
    {
        QTest::addColumn<QString>("word");
        QString all;
        for (char16_t c = 1; c < 0x180; ++c)
            all += QChar(c);
        QTest::newRow("every character") << all;
        QTest::newRow("empty") << QString();
        QTest::newRow("only quotes") << u"'''"_s;
        QTest::newRow("an escape at the end") << u"a\\"_s;
        QTest::newRow("a quote and a command") << u"'; echo broken; '"_s;
        QTest::newRow("newline at the end") << u"a\n"_s;
        QTest::newRow("like an option") << u"-n"_s;
    }
    void aWordComesThroughAShellUnharmed()
    {
        QFETCH(QString, word);
        QCOMPARE(run("printf '<%s>' " + quotedForShell(word)), '<' + word.toUtf8() + '>');
    }

    void aLineHasItsPartsInOrder_data()
    {
        QTest::addColumn<QStringList>("argv");
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QByteArray>("line");
        const QByteArray env = "exec env A='1' B='2 '\\''3' ";
        QTest::newRow("login shell") << QStringList() << QString() << env + "\"${SHELL:-/bin/sh}\" -l";
        QTest::newRow("program") << QStringList{u"ls"_s, u"-l a"_s} << u"/tmp"_s << "cd '/tmp' && " + env + "'ls' '-l a'";
        QTest::newRow("home") << QStringList{u"ls"_s} << u"~"_s << "cd \"$HOME\" && " + env + "'ls'";
        QTest::newRow("below home") << QStringList{u"ls"_s} << u"~/a b"_s << "cd \"$HOME\"/'a b' && " + env + "'ls'";
        QTest::newRow("a folder like an option") << QStringList{u"ls"_s} << u"-P"_s << "cd './-P' && " + env + "'ls'";
    }
    void aLineHasItsPartsInOrder()
    {
        QFETCH(QStringList, argv);
        QFETCH(QString, folder);
        const Result<QByteArray> line = commandLineForShell({argv, {{u"B"_s, u"2 '3"_s}, {u"A"_s, u"1"_s}}, folder});
        QVERIFY(line);
        QTEST(*line, "line");
    }

    void whatNoShellCanCarryIsRefused_data()
    {
        QTest::addColumn<QStringList>("argv");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("folder");
        const QString nul = u"a"_s + QChar(0);
        QTest::newRow("NUL in the program") << QStringList{nul} << u"A"_s << QString() << QString();
        QTest::newRow("NUL in an argument") << QStringList{u"a"_s, nul} << u"A"_s << QString() << QString();
        QTest::newRow("NUL in a value") << QStringList{u"a"_s} << u"A"_s << nul << QString();
        QTest::newRow("NUL in the folder") << QStringList{u"a"_s} << u"A"_s << QString() << nul;
        QTest::newRow("no program") << QStringList{QString()} << u"A"_s << QString() << QString();
        for (const QString &name : {QString(), u"1A"_s, u"A B"_s, u"A=B"_s, u"A;id"_s, u"Ä"_s})
            QTest::newRow(qPrintable(u"variable \"%1\""_s.arg(name))) << QStringList{u"a"_s} << name << QString() << QString();
    }
    void whatNoShellCanCarryIsRefused()
    {
        QFETCH(QStringList, argv);
        QFETCH(QString, name);
        QFETCH(QString, value);
        QFETCH(QString, folder);
        const Result<QByteArray> line = commandLineForShell({argv, {{name, value}}, folder});
        QVERIFY(!line);
        QCOMPARE(line.error().kind, ErrorKind::InvalidInput);
    }
};

QTEST_GUILESS_MAIN(TestShellQuote)
#include "tst_shellquote.moc"

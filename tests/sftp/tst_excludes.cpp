// What is left out, and that neither pattern nor name can hold anybody up.
#include "sftp/excludes.h"

#include <QTest>

using namespace Sandpiper;

class TestExcludes : public QObject
{
    Q_OBJECT

private slots:
    void patternsMeanWhatRsyncMeans_data()
    {
        QTest::addColumn<QByteArray>("pattern");
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<bool>("isFolder");
        QTest::addColumn<bool>("matches");
        const auto row = [](const char *pattern, const QByteArray &path, bool isFolder, bool matches) {
            QTest::addRow("%s, %s%s", pattern, path.toPercentEncoding("/").constData(), isFolder ? "/" : "") << QByteArray(pattern) << path << isFolder << matches;
        };
        row("*.o", "a.o", false, true);
        row("*.o", "deep/in/a.o", false, true);
        row("*.o", "a.o.c", false, false);
        row("*.o", ".o", false, true);
        row("*.o", "x.o", true, true);
        row("node_modules/", "node_modules", true, true);
        row("node_modules/", "app/node_modules", true, true);
        row("node_modules/", "node_modules", false, false);
        row("node_modules/", "my_node_modules", true, false);
        row("/build", "build", false, true);
        row("/build", "sub/build", false, false);
        row("/build/", "build", false, false);
        row("docs/*.html", "docs/a.html", false, true);
        row("docs/*.html", "x/docs/a.html", false, true);
        row("docs/*.html", "xdocs/a.html", false, false);
        row("docs/*.html", "docs/in/a.html", false, false);
        row("docs/**.html", "docs/in/a.html", false, true);
        row("/a/*/c", "a/b/c", false, true);
        row("/a/*/c", "a/b/b/c", false, false);
        row("/a/**/c", "a/b/b/c", false, true);
        row("target/***", "target", true, true);
        row("target/***", "target", false, false);
        row("a?c", "abc", false, true);
        row("a?c", "a/c", false, false);
        row("[a-c]x", "bx", false, true);
        row("[!a-c]x", "bx", false, false);
        row("[^a-c]x", "dx", false, true);
        row("[]x]", "]", false, true);
        row("[a-]", "-", false, true);
        row("a[!b]c", "a/c", false, false);
        row("\\*", "*", false, true);
        row("\\*", "a", false, false);
        row("\xff*", "\xff\xfe", false, true);
        row("*", "new\nline", false, true);
        row("A", "a", false, false);
        row("**", "any/thing", false, true);
    }
    void patternsMeanWhatRsyncMeans()
    {
        QFETCH(QByteArray, pattern);
        QFETCH(QByteArray, path);
        QFETCH(bool, isFolder);
        const Result<Excludes> excludes = Excludes::fromPatterns({pattern});
        QVERIFY(excludes);
        QTEST(excludes->match(FilePath::fromBytes(path).value(), isFolder), "matches");
    }

    void whatCannotBeUnderstoodIsNamed_data()
    {
        QTest::addColumn<QByteArray>("pattern");
        for (const char *pattern : {"", "/", "//", "[a", "[", "[!", "[]", "a\\", "[[:alpha:]]", "/***"})
            QTest::addRow("“%s”", pattern) << QByteArray(pattern);
        QTest::newRow("NUL") << QByteArray("a\0b", 3);
        QTest::newRow("long") << QByteArray(5000, 'a');
    }
    void whatCannotBeUnderstoodIsNamed()
    {
        QFETCH(QByteArray, pattern);
        const Result<Excludes> excludes = Excludes::fromPatterns({"fine", pattern});
        QVERIFY(!excludes);
        QCOMPARE(excludes.error().kind, ErrorKind::InvalidInput);
        QVERIFY(!excludes.error().detail.isEmpty());
    }

    // By trying one way after the other this would not end.
    void manyStarsAreNoBurden()
    {
        const Result<Excludes> excludes = Excludes::fromPatterns({QByteArray("*a").repeated(200) + 'b'});
        QVERIFY(excludes);
        QVERIFY(!excludes->match(FilePath::fromBytes(QByteArray(250, 'a')).value(), false));
    }
};

QTEST_GUILESS_MAIN(TestExcludes)
#include "tst_excludes.moc"

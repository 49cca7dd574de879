// Two texts beside each other, judged by diff(1).
#include "sftp/textdiff.h"

#include <QProcess>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

QByteArray unified(const TextDiff &diff)
{
    QByteArray text;
    for (const DiffLine &line : diff.lines) {
        switch (line.kind) {
        case DiffLine::Kind::Same: text += ' '; break;
        case DiffLine::Kind::Gone: text += '-'; break;
        case DiffLine::Kind::New: text += '+'; break;
        case DiffLine::Kind::Place: break;
        }
        text += line.text.toUtf8() + '\n';
    }
    return text;
}

// What patch(1) makes of `before` with it.
QByteArray patched(const QByteArray &before, const TextDiff &diff)
{
    const QTemporaryDir dir;
    const auto write = [&](const QString &name, const QByteArray &bytes) {
        QFile file(dir.filePath(name));
        return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
    };
    QByteArray patch = "--- file\n+++ file\n" + unified(diff);
    patch.replace("\\ No newline at the end\n", "\\ No newline at end of file\n");
    if (!write(u"file"_s, before) || !write(u"patch"_s, patch))
        return "cannot write";
    QProcess process;
    process.setWorkingDirectory(dir.path());
    process.start(u"git"_s, {u"apply"_s, u"-p0"_s, u"--unidiff-zero"_s, u"patch"_s});
    if (!process.waitForFinished(30'000) || process.exitCode() != 0)
        return process.readAllStandardError() + patch;
    QFile file(dir.filePath(u"file"_s));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : "cannot read";
}

} // namespace

class TestTextDiff : public QObject
{
    Q_OBJECT
private slots:
    void whatDiffersIsShown_data()
    {
        QTest::addColumn<QByteArray>("before");
        QTest::addColumn<QByteArray>("after");
        QTest::addColumn<QByteArray>("shown");
        QTest::newRow("same") << QByteArray("a\nb\n") << QByteArray("a\nb\n") << QByteArray();
        QTest::newRow("one line") << QByteArray("a\nb\nc\n") << QByteArray("a\nx\nc\n") << QByteArray("@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
        QTest::newRow("into nothing") << QByteArray() << QByteArray("a\n") << QByteArray("@@ -0,0 +1,1 @@\n+a\n");
        QTest::newRow("all gone") << QByteArray("a\n") << QByteArray() << QByteArray("@@ -1,1 +0,0 @@\n-a\n");
        QTest::newRow("an end of line") << QByteArray("a\r\n") << QByteArray("a\n") << QByteArray("@@ -1,1 +1,1 @@\n-a\\r\n+a\n");
        QTest::newRow("no last end") << QByteArray("a") << QByteArray("a\n") << QByteArray("@@ -1,1 +1,1 @@\n-a\n\\ No newline at the end\n+a\n");
        QTest::newRow("two places") << QByteArray("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n") << QByteArray("x\n2\n3\n4\n5\n6\n7\n8\n9\n10\ny\n")
                                    << QByteArray("@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -8,4 +8,4 @@\n 8\n 9\n 10\n-11\n+y\n");
    }
    void whatDiffersIsShown()
    {
        QFETCH(QByteArray, before);
        QFETCH(QByteArray, after);
        QTEST(unified(textDiff(before, after)), "shown");
    }

    void bytesAreToldApartFromText()
    {
        QVERIFY(textDiff("a", QByteArray("a\0b", 3)).isBinary);
        QVERIFY(textDiff("\xff", "a").isBinary);
        QVERIFY(!textDiff("\xc3\xa9\n", "a\n").isBinary);
    }

    // Any two texts: what comes out leads from the one to the other.
    void itLeadsFromOneToTheOther_data()
    {
        QTest::addColumn<int>("lines");
        QTest::addColumn<int>("kinds");
        for (const auto &[lines, kinds] : {std::pair(5, 2), std::pair(40, 3), std::pair(300, 5), std::pair(2500, 100'000)})
            QTest::addRow("%d lines of %d kinds", lines, kinds) << lines << kinds;
    }
    void itLeadsFromOneToTheOther()
    {
        QFETCH(int, lines);
        QFETCH(int, kinds);
        QRandomGenerator random(7);
        const auto make = [&] {
            QByteArray text;
            for (int i = 0; i < lines; ++i)
                text += "line " + QByteArray::number(random.bounded(kinds)) + '\n';
            return text;
        };
        for (int round = 0; round < 5; ++round) {
            const QByteArray before = make();
            const QByteArray after = make();
            if (before != after)
                QCOMPARE(patched(before, textDiff(before, after)), after);
        }
    }
};

QTEST_GUILESS_MAIN(TestTextDiff)
#include "tst_textdiff.moc"

// What is found by a command and what is found folder by folder is the same.
#include "session/localcommand.h"
#include "sftp/localfilesystem.h"
#include "sftp/treefind.h"
#include "tests/sftp/filesystemrun.h"
#include "tests/sftp/trees.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestTreeFind : public QObject
{
    Q_OBJECT

    static Result<std::unique_ptr<RemoteCommand>> runHere(const CommandSpec &spec) { return std::make_unique<LocalCommand>(spec); }
    static void ways()
    {
        QTest::addColumn<bool>("byCommand");
        QTest::newRow("by a command") << true;
        QTest::newRow("folder by folder") << false;
    }

    struct Found
    {
        QByteArrayList paths; // below the top
        TreeFind::Outcome outcome;
        int ends = 0;
    };
    static Found find(const QString &top, const FileCommandMaker &command, const QString &name, const QString &text = {}, bool matchesCase = false)
    {
        LocalFileSystem files(u"here"_s);
        FindWish wish{filePath(QFile::encodeName(top)), name, text, matchesCase};
        TreeFind finder(&files, command, wish);
        Found found;
        connect(&finder, &TreeFind::found, &finder, [&](const QList<FindHit> &hits) {
            for (const FindHit &hit : hits)
                found.paths.append(hit.path.bytes().mid(wish.top.bytes().size() + 1));
        });
        connect(&finder, &TreeFind::finished, &finder, [&](const TreeFind::Outcome &outcome) {
            found.outcome = outcome;
            ++found.ends;
        });
        finder.start();
        (void)waitUntil([&] { return found.ends > 0; }, 120'000);
        std::ranges::sort(found.paths);
        return found;
    }

private slots:
    void namesAreFound_data()
    {
        QTest::addColumn<bool>("byCommand");
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("matchesCase");
        QTest::addColumn<QByteArrayList>("wanted");
        for (const bool byCommand : {true, false}) {
            const QByteArray way = byCommand ? "command: " : "walk: ";
            QTest::newRow(way + "a part") << byCommand << u"ote"_s << false << QByteArrayList{"NOTE.md", "sub/deep/note.txt"};
            QTest::newRow(way + "a part, with case") << byCommand << u"ote"_s << true << QByteArrayList{"sub/deep/note.txt"};
            QTest::newRow(way + "a pattern is of the whole name") << byCommand << u"*.md"_s << false << QByteArrayList{"NOTE.md"};
            QTest::newRow(way + "a folder") << byCommand << u"deep"_s << false << QByteArrayList{"sub/deep"};
            QTest::newRow(way + "a line break") << byCommand << u"odd"_s << false << QByteArrayList{"sub/odd\nname"};
            QTest::newRow(way + "brackets are themselves") << byCommand << u"[x]"_s << false << QByteArrayList{"a[x]b"};
            QTest::newRow(way + "quotes and options are words") << byCommand << u"-name '"_s << false << QByteArrayList{"-name '; touch z"};
            QTest::newRow(way + "nothing") << byCommand << u"nowhere"_s << false << QByteArrayList{};
        }
    }
    void namesAreFound()
    {
        QFETCH(bool, byCommand);
        QFETCH(QString, name);
        QFETCH(bool, matchesCase);
        QFETCH(QByteArrayList, wanted);
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; mkdir -p sub/deep; : >NOTE.md; : >sub/deep/note.txt; : >$'sub/odd\\nname'; : >'a[x]b'; : >axb; : >\"-name '; touch z\""), QByteArray());
        const Found found = find(dir.path(), byCommand ? FileCommandMaker(runHere) : FileCommandMaker(), name, {}, matchesCase);
        QCOMPARE(found.ends, 1);
        QCOMPARE(found.outcome.wasByCommand, byCommand);
        QCOMPARE(found.paths, wanted);
        QVERIFY(!QFile::exists(dir.filePath(u"z"_s)));
    }

    void textIsFound_data()
    {
        QTest::addColumn<bool>("byCommand");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("matchesCase");
        QTest::addColumn<QByteArrayList>("wanted");
        for (const bool byCommand : {true, false}) {
            const QByteArray way = byCommand ? "command: " : "walk: ";
            QTest::newRow(way + "in any") << byCommand << QString() << u"needle"_s << false << QByteArrayList{"big", "one.txt", "sub/two.c"};
            QTest::newRow(way + "with case") << byCommand << QString() << u"needle"_s << true << QByteArrayList{"big", "one.txt"};
            QTest::newRow(way + "in some") << byCommand << u"*.c"_s << u"needle"_s << false << QByteArrayList{"sub/two.c"};
            QTest::newRow(way + "no pattern") << byCommand << QString() << u"n.*e"_s << false << QByteArrayList{"sub/dots"};
            QTest::newRow(way + "like an option") << byCommand << QString() << u"--help"_s << false << QByteArrayList{"help"};
        }
    }
    void textIsFound()
    {
        QFETCH(bool, byCommand);
        QFETCH(QString, name);
        QFETCH(QString, text);
        QFETCH(bool, matchesCase);
        QFETCH(QByteArrayList, wanted);
        QTemporaryDir dir;
        // In "big" it lies across the pieces in which files are read.
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; mkdir sub; echo 'a needle b' >one.txt; echo 'a NEEDLE b' >sub/two.c; printf 'needle\\0' >binary; echo 'n.*e' >sub/dots;"
                       " echo 'x --help' >help; for i in $(seq 40); do head -c 32765 /dev/zero | tr '\\0' x; printf 'y\\n'; done >big; printf needle >>big; ln -s one.txt link"), QByteArray());
        const Found found = find(dir.path(), byCommand ? FileCommandMaker(runHere) : FileCommandMaker(), name, text, matchesCase);
        QCOMPARE(found.ends, 1);
        QCOMPARE(found.paths, wanted);
    }

    void linksAreNotFollowed_data() { ways(); }
    void linksAreNotFollowed()
    {
        QFETCH(bool, byCommand);
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; mkdir real; : >real/file; ln -s .. real/up; ln -s real again"), QByteArray());
        const Found found = find(dir.path(), byCommand ? FileCommandMaker(runHere) : FileCommandMaker(), u"*"_s);
        QCOMPARE(found.paths, QByteArrayList({"again", "real", "real/file", "real/up"}));
    }

    void thereIsAnEndToWhatIsTold_data() { ways(); }
    void thereIsAnEndToWhatIsTold()
    {
        QFETCH(bool, byCommand);
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; seq 10050 | xargs touch"), QByteArray());
        const Found found = find(dir.path(), byCommand ? FileCommandMaker(runHere) : FileCommandMaker(), {});
        QCOMPARE(found.ends, 1);
        QCOMPARE(found.paths.size(), qsizetype(TreeFind::mostHits));
        QVERIFY(found.outcome.isCut);
    }

    void aTopThatIsNotThereIsAnError_data() { ways(); }
    void aTopThatIsNotThereIsAnError()
    {
        QFETCH(bool, byCommand);
        const Found found = find(u"/no/such/folder"_s, byCommand ? FileCommandMaker(runHere) : FileCommandMaker(), {});
        QCOMPARE(found.ends, 1);
        QVERIFY(found.outcome.error);
        QCOMPARE(found.outcome.error->kind, ErrorKind::NotFound);
    }

    void whereNoCommandRunsItGoesFolderByFolder_data()
    {
        QTest::addColumn<QStringList>("argv"); // empty: refused
        QTest::newRow("refused") << QStringList();
        QTest::newRow("no find there") << QStringList{u"sh"_s, u"-c"_s, u"exit 127"_s};
        QTest::newRow("no shell there") << QStringList{u"/no/such/shell"_s};
    }
    void whereNoCommandRunsItGoesFolderByFolder()
    {
        QFETCH(QStringList, argv);
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; : >file"), QByteArray());
        const Found found = find(dir.path(), [argv](const CommandSpec &) -> Result<std::unique_ptr<RemoteCommand>> {
            if (argv.isEmpty())
                return failure(ErrorKind::Unsupported, Layer::Provider);
            CommandSpec spec;
            spec.argv = argv;
            return std::make_unique<LocalCommand>(spec);
        }, u"file"_s);
        QCOMPARE(found.ends, 1);
        QVERIFY(!found.outcome.wasByCommand);
        QCOMPARE(found.paths, QByteArrayList{"file"});
    }

    void whatACommandMakesUpIsNotTold()
    {
        QTemporaryDir dir;
        // Outside of the top, relative, half a byte, no end.
        const Found found = find(dir.path(), [](const CommandSpec &) -> Result<std::unique_ptr<RemoteCommand>> {
            CommandSpec spec;
            spec.argv = {u"sh"_s, u"-c"_s, u"printf '/etc/passwd\\0f 1 2 ../x\\0f\\0\\0' | od -An -v -tx1; echo 'zz 2'"_s};
            return std::make_unique<LocalCommand>(spec);
        }, {});
        QCOMPARE(found.ends, 1);
        QCOMPARE(found.paths, QByteArrayList());
    }

    void itMayGoAtAnyMoment_data() { ways(); }
    void itMayGoAtAnyMoment()
    {
        QFETCH(bool, byCommand);
        LocalFileSystem files(u"here"_s);
        auto finder = std::make_unique<TreeFind>(&files, byCommand ? FileCommandMaker(runHere) : FileCommandMaker(), FindWish{filePath("/usr/share"), {}, u"unlikely to be"_s, false});
        int ends = 0;
        connect(finder.get(), &TreeFind::finished, &files, [&ends] { ++ends; });
        finder->start();
        QCoreApplication::processEvents();
        finder.reset();
        QCoreApplication::processEvents();
        QCOMPARE(ends, 0);
    }
};

QTEST_GUILESS_MAIN(TestTreeFind)
#include "tst_treefind.moc"

#include "ui/fileplaces.h"
#include "ui/filewords.h"

#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestFileWords : public QObject
{
    Q_OBJECT
private slots:
    void modesReadAsLsHasThem_data()
    {
        QTest::addColumn<quint32>("mode");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("octal");
        QTest::newRow("plain") << 0100644u << u"rw-r--r--"_s << u"644"_s;
        QTest::newRow("nothing") << 0100000u << u"---------"_s << u"000"_s;
        QTest::newRow("set user ID") << 0104755u << u"rwsr-xr-x"_s << u"4755"_s;
        QTest::newRow("set group ID, not executable") << 0102640u << u"rw-r-S---"_s << u"2640"_s;
        QTest::newRow("sticky") << 0041777u << u"rwxrwxrwt"_s << u"1777"_s;
        QTest::newRow("sticky, not executable") << 0041776u << u"rwxrwxrwT"_s << u"1776"_s;
    }
    void modesReadAsLsHasThem()
    {
        QFETCH(quint32, mode);
        QTEST(modeText(mode), "text");
        QTEST(octalText(mode), "octal");
    }

    void anOctalNumberIsAMode_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("mode"); // -1: none
        QTest::newRow("three digits") << u"755"_s << 0755;
        QTest::newRow("a leading zero") << u"0644"_s << 0644;
        QTest::newRow("four") << u"7777"_s << 07777;
        QTest::newRow("too many") << u"10000"_s << -1;
        QTest::newRow("not octal") << u"789"_s << -1;
        QTest::newRow("a sign") << u"+755"_s << -1;
        QTest::newRow("less than nothing") << u"-1"_s << -1;
        QTest::newRow("empty") << u""_s << -1;
    }
    void anOctalNumberIsAMode()
    {
        QFETCH(QString, text);
        QFETCH(int, mode);
        const std::optional<quint32> read = modeFromOctal(text);
        QCOMPARE(read ? int(*read) : -1, mode);
    }

    void bookmarksAreThereAgain()
    {
        QTemporaryDir dir;
        const QString file = dir.filePath(u"places.json"_s);
        const SandboxId box{u"v"_s, u"a"_s, u"b"_s};
        const FilePath odd = FilePath::fromBytes("/odd\xff\n%41").value();
        {
            FilePlaces places(file);
            places.visited(box, FilePath::fromBytes("/tmp").value());
            places.toggleBookmark(box, odd);
            places.toggleBookmark({}, FilePath::fromBytes("/home").value());
        }
        const FilePlaces places(file);
        QCOMPARE(places.bookmarks(box), QList<FilePath>{odd});
        QCOMPARE(places.history(box).size(), 1);
        QCOMPARE(places.bookmarks({}).size(), 1);
    }

    void aBookmarkIsForgottenByTheSameKey()
    {
        FilePlaces places({});
        const FilePath path = FilePath::fromBytes("/x").value();
        places.toggleBookmark({}, path);
        places.toggleBookmark({}, path);
        QVERIFY(places.bookmarks({}).isEmpty());
    }

    void aDamagedFileOfBookmarksIsNone()
    {
        QTemporaryDir dir;
        QFile file(dir.filePath(u"places.json"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("{\"version\":1,\"places\":[1,2");
        file.close();
        QVERIFY(FilePlaces(file.fileName()).bookmarks({}).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestFileWords)
#include "tst_filewords.moc"

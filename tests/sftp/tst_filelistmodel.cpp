// The rows of a folder: order, filter, refresh.
#include "sftp/filelistmodel.h"
#include "sftp/localfilesystem.h"
#include "tests/support/waituntil.h"

#include <QAbstractItemModelTester>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include <fcntl.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

FileEntry entry(const QByteArray &name, quint64 size = 0, quint32 mode = 0100644, quint32 modified = 0, quint32 user = 0)
{
    return {name, FileAttributes{.size = size, .owner = FileOwner{user, user}, .mode = mode, .times = FileTimes{0, modified}}};
}

QByteArrayList namesIn(const FileListView &view)
{
    QByteArrayList names;
    for (const FileEntry *one : view.rows)
        names.append(one->name);
    return names;
}

QByteArrayList ordered(const FilePieces &pieces, const FileOrder &order)
{
    return namesIn(*viewOf(pieces, order, std::atomic<bool>(false)));
}

struct Stage
{
    Stage()
        : folder(FilePath::fromBytes(QFile::encodeName(dir.path())).value())
    {
    }
    // QTemporaryDir does not see names that are no text.
    ~Stage() { std::filesystem::remove_all(folder.bytes().toStdString()); }
    void make(const QByteArray &name) const { ::close(::open(folder.child(name)->bytes().constData(), O_CREAT | O_WRONLY, 0644)); }
    [[nodiscard]] bool becomesReady() { return waitUntil([this] { return model.state() == FileListModel::State::Ready && !model.isRefreshing(); }, kPatience); }
    [[nodiscard]] QByteArrayList names() const
    {
        QByteArrayList found;
        for (int row = 0; row < model.rowCount(); ++row)
            found.append(model.entry(row).name);
        return found;
    }
    QTemporaryDir dir;
    FilePath folder;
    LocalFileSystem files{u"This computer"_s};
    FileListModel model;
};

// Rows when the test says so.
class ToldListing : public FileListing
{
public:
    void consumed(qint64 rows) override { read += rows; }
    qint64 read = 0;
};

class ToldFiles : public LocalFileSystem
{
public:
    ToldFiles()
        : LocalFileSystem(u"told"_s)
    {
    }
    std::unique_ptr<FileListing> list(const FilePath &) override
    {
        auto made = std::make_unique<ToldListing>();
        last = made.get();
        return made;
    }
    QPointer<ToldListing> last;
};

} // namespace

class TestFileListModel : public QObject
{
    Q_OBJECT
private slots:
    void rowsAreInOrder_data()
    {
        QTest::addColumn<int>("column");
        QTest::addColumn<bool>("down");
        QTest::addColumn<QByteArrayList>("names");
        QTest::newRow("names, as people count") << 0 << false << QByteArrayList{"Dir2", "dir10", "a", "B", "file9", "file10"};
        QTest::newRow("names, down") << 0 << true << QByteArrayList{"dir10", "Dir2", "file10", "file9", "B", "a"};
        QTest::newRow("size") << 1 << false << QByteArrayList{"Dir2", "dir10", "file10", "B", "a", "file9"};
        QTest::newRow("size, down") << 1 << true << QByteArrayList{"dir10", "Dir2", "file9", "a", "B", "file10"};
        QTest::newRow("modified") << 2 << false << QByteArrayList{"dir10", "Dir2", "B", "file9", "a", "file10"};
        QTest::newRow("mode") << 3 << false << QByteArrayList{"Dir2", "dir10", "file9", "a", "B", "file10"};
        QTest::newRow("owner") << 4 << false << QByteArrayList{"Dir2", "dir10", "B", "file9", "file10", "a"};
    }
    void rowsAreInOrder()
    {
        QFETCH(int, column);
        QFETCH(bool, down);
        const FilePieces pieces = {{entry("file10", 1, 0100755, 40, 8), entry("dir10", 4096, 0040755, 1, 1), entry("B", 20, 0100644, 10, 2)},
                                   {entry("a", 30, 0100644, 30, 9), entry("Dir2", 0, 0040755, 2, 1), entry("file9", 1000, 0100600, 20, 3)}};
        QTEST(ordered(pieces, {.column = FileColumn(column), .isDescending = down, .showsHidden = false, .filter = {}}), "names");
    }

    void theFilterIsOfWhatIsShown_data()
    {
        QTest::addColumn<QString>("filter");
        QTest::addColumn<bool>("hidden");
        QTest::addColumn<QByteArrayList>("names");
        const QByteArrayList all = {"caf\xe9.txt", "notes.TXT", "photo.png"};
        QTest::newRow("none") << u""_s << false << all;
        QTest::newRow("blanks alone") << u"  "_s << false << all;
        QTest::newRow("any case") << u"txt"_s << false << QByteArrayList{"caf\xe9.txt", "notes.TXT"};
        QTest::newRow("all of several parts") << u"TXT no"_s << false << QByteArrayList{"notes.TXT"};
        QTest::newRow("an escape") << u"\\xe9"_s << false << QByteArrayList{"caf\xe9.txt"};
        QTest::newRow("no match") << u"zip"_s << false << QByteArrayList{};
        QTest::newRow("hidden ones too") << u"o"_s << true << QByteArrayList{".profile", "notes.TXT", "photo.png"};
    }
    void theFilterIsOfWhatIsShown()
    {
        QFETCH(QString, filter);
        QFETCH(bool, hidden);
        const FilePieces pieces = {{entry("photo.png"), entry("notes.TXT"), entry(".profile"), entry("caf\xe9.txt")}};
        QTEST(ordered(pieces, {.showsHidden = hidden, .filter = filter}), "names");
    }

    void whatIsLeftOutIsCounted()
    {
        const auto view = viewOf({{entry(".a", 5), entry("b", 7), entry("d", 4096, 0040755)}}, {}, std::atomic<bool>(false));
        QCOMPARE(view->all, 3);
        QCOMPARE(view->hidden, 1);
        QCOMPARE(view->shownBytes, 7u);
    }

    void aCancelledSortingGivesNothing()
    {
        QVERIFY(!viewOf({{entry("a")}}, {}, std::atomic<bool>(true)));
    }

    void readingAFileIsNoChange()
    {
        FilePieces before = {{entry("a"), entry("b")}};
        FilePieces after = {{entry("b")}, {entry("a")}};
        after[1][0].attributes.times->accessed = 99;
        QVERIFY(sameFiles(before, after));
        after[1][0].attributes.size = 1;
        QVERIFY(!sameFiles(before, after));
        QVERIFY(!sameFiles(before, {{entry("a"), entry("c")}}));
        QVERIFY(!sameFiles(before, {{entry("a")}}));
    }

    void aFolderIsShown()
    {
        Stage stage;
        const QAbstractItemModelTester tester(&stage.model);
        for (const char *name : {"b", "a10", "a9", "\xff"})
            stage.make(name);
        stage.model.show(&stage.files, stage.folder);
        QVERIFY(stage.becomesReady());
        QCOMPARE(stage.names(), QByteArrayList({"\xff", "a9", "a10", "b"}));
        QCOMPARE(stage.model.index(0, 0).data().toString(), u"\\xff"_s);
        QCOMPARE(stage.model.path(0).bytes(), stage.folder.bytes() + "/\xff");
        QVERIFY(!stage.model.index(0, 0).data(FileListModel::IsPlainTextRole).toBool());
        QVERIFY(stage.model.index(1, 0).data(FileListModel::IsPlainTextRole).toBool());
    }

    void theFirstRowsDoNotWaitForTheLast()
    {
        ToldFiles files;
        FileListModel model;
        model.show(&files, FilePath::fromBytes("/x").value());
        emit files.last->rowsReceived({entry("b"), entry("a")});
        QCOMPARE(model.rowCount(), 2); // in the same turn
        QCOMPARE(model.state(), FileListModel::State::Loading);
        QCOMPARE(files.last->read, qint64(2));
        emit files.last->rowsReceived({entry("c")});
        emit files.last->finished(ListEnd{3, 0});
        QVERIFY(waitUntil([&] { return model.state() == FileListModel::State::Ready; }, kPatience));
        QCOMPARE(model.rowCount(), 3);
    }

    void aFailureKeepsTheRowsThatCame()
    {
        ToldFiles files;
        FileListModel model;
        model.show(&files, FilePath::fromBytes("/x").value());
        emit files.last->rowsReceived({entry("a")});
        emit files.last->finished(failure(ErrorKind::ConnectionLost, Layer::Sftp));
        QCOMPARE(model.state(), FileListModel::State::Failed);
        QCOMPARE(model.error().kind, ErrorKind::ConnectionLost);
        QCOMPARE(model.rowCount(), 1);
        // And the next listing comes in behind them.
        model.refresh();
        emit files.last->rowsReceived({entry("b"), entry("c")});
        QCOMPARE(model.rowCount(), 1);
        emit files.last->finished(ListEnd{2, 0});
        QVERIFY(waitUntil([&] { return model.state() == FileListModel::State::Ready; }, kPatience));
        QCOMPARE(model.rowCount(), 2);
    }

    void aRefreshWithoutNewsChangesNothing()
    {
        Stage stage;
        stage.make("a");
        stage.model.show(&stage.files, stage.folder);
        QVERIFY(stage.becomesReady());
        QSignalSpy resets(&stage.model, &QAbstractItemModel::modelReset);
        QSignalSpy states(&stage.model, &FileListModel::stateChanged);
        stage.model.refresh();
        QVERIFY(waitUntil([&] { return !states.isEmpty(); }, kPatience));
        QVERIFY(resets.isEmpty());
        stage.make("b");
        stage.model.refresh();
        QVERIFY(waitUntil([&] { return !resets.isEmpty(); }, kPatience));
        QCOMPARE(stage.names(), QByteArrayList({"a", "b"}));
    }

    void anotherFolderMeanwhileIsTheOneThatCounts()
    {
        Stage stage;
        QVERIFY(QDir(stage.dir.path()).mkdir(u"other"_s));
        for (int i = 0; i < 5000; ++i)
            stage.make(QByteArray::number(i));
        stage.model.show(&stage.files, stage.folder);
        QVERIFY(waitUntil([&] { return stage.model.rowCount() > 0; }, kPatience));
        stage.model.show(&stage.files, stage.folder.child("other").value());
        QVERIFY(stage.becomesReady());
        QCOMPARE(stage.model.rowCount(), 0);
    }

    void theModelMayGoInTheMiddle()
    {
        Stage stage;
        for (int i = 0; i < 5000; ++i)
            stage.make(QByteArray::number(i));
        {
            FileListModel model;
            model.show(&stage.files, stage.folder);
            QVERIFY(waitUntil([&] { return model.rowCount() > 0; }, kPatience));
        }
        stage.model.show(&stage.files, stage.folder);
        QVERIFY(stage.becomesReady());
        QCOMPARE(stage.model.rowCount(), 5000);
    }

    void filesThatGoWhileTheyAreListedAreAnError()
    {
        Stage stage;
        auto files = std::make_unique<LocalFileSystem>(u"gone"_s);
        for (int i = 0; i < 5000; ++i)
            stage.make(QByteArray::number(i));
        stage.model.show(files.get(), stage.folder);
        files.reset();
        QVERIFY(waitUntil([&] { return stage.model.state() != FileListModel::State::Loading; }, kPatience));
        stage.model.refresh(); // does nothing, and does not crash
    }

    void aHundredThousandAreSortedElsewhere()
    {
        ToldFiles files;
        FileListModel model;
        model.show(&files, FilePath::fromBytes("/x").value());
        int number = 0;
        for (int piece = 0; piece < 50; ++piece) {
            QList<FileEntry> rows;
            for (int i = 0; i < 2000; ++i)
                rows.append(entry("file" + QByteArray::number((number++ * 7919) % 100'000)));
            emit files.last->rowsReceived(rows);
        }
        emit files.last->finished(ListEnd{100'000, 0});
        QVERIFY(waitUntil([&] { return model.state() == FileListModel::State::Ready; }, kPatience));
        QCOMPARE(model.rowCount(), 100'000);
        QCOMPARE(model.entry(99'999).name, QByteArray("file99999"));
        model.setOrder({.filter = u"99999"_s});
        QVERIFY(waitUntil([&] { return model.rowCount() == 1; }, kPatience));
        QCOMPARE(model.allFiles(), 100'000);
    }

    void whereLinksLeadIsAskedForTheOnesThatAreSeen()
    {
        Stage stage;
        QVERIFY(QFile::link(u"/there"_s, stage.dir.filePath(u"link"_s)));
        stage.model.show(&stage.files, stage.folder);
        QVERIFY(stage.becomesReady());
        const QModelIndex target = stage.model.index(0, int(FileColumn::Target));
        QCOMPARE(target.data().toString(), QString());
        QVERIFY(waitUntil([&] { return stage.model.index(0, int(FileColumn::Target)).data().toString() == u"/there"_s; }, kPatience));
    }
};

QTEST_GUILESS_MAIN(TestFileListModel)
#include "tst_filelistmodel.moc"

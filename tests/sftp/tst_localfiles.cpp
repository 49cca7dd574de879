// This computer's files behind FileSystem.
#include "sftp/folderwatch.h"
#include "sftp/localfilesystem.h"
#include "sftp/treeremoval.h"
#include "tests/support/waited.h"
#include "tests/support/waituntil.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

FilePath pathOf(const QByteArray &bytes)
{
    return FilePath::fromBytes(bytes).value();
}

struct Stage
{
    Stage() { root = pathOf(QFile::encodeName(dir.path())); }
    // QTemporaryDir does not see names that are no text.
    ~Stage() { std::filesystem::remove_all(root.bytes().toStdString()); }
    [[nodiscard]] FilePath at(const QByteArray &name) const { return root.child(name).value(); }
    void make(const QByteArray &name, const QByteArray &content = {}) const
    {
        const int fd = ::open(at(name).bytes().constData(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
        QVERIFY(fd >= 0);
        QCOMPARE(::write(fd, content.constData(), size_t(content.size())), ssize_t(content.size()));
        ::close(fd);
    }
    QTemporaryDir dir;
    FilePath root;
    LocalFileSystem files{u"This computer"_s};
};

struct Listed
{
    explicit Listed(std::unique_ptr<FileListing> given)
        : listing(std::move(given))
    {
        QObject::connect(listing.get(), &FileListing::rowsReceived, listing.get(), [this](const QList<FileEntry> &some) {
            ++pieces;
            rows += some;
            listing->consumed(some.size());
        });
        QObject::connect(listing.get(), &FileListing::finished, listing.get(), [this](const Result<ListEnd> &how) { ends.append(how); });
        (void)waitUntil([this] { return !ends.isEmpty(); }, kPatience);
    }
    [[nodiscard]] QByteArrayList names() const
    {
        QByteArrayList found;
        for (const FileEntry &row : rows)
            found.append(row.name);
        std::ranges::sort(found);
        return found;
    }
    std::unique_ptr<FileListing> listing;
    QList<FileEntry> rows;
    QList<Result<ListEnd>> ends;
    int pieces = 0;
};

QByteArray contentOf(LocalFileSystem &files, const FileReadWish &wish)
{
    const auto reader = files.read(wish);
    QByteArray bytes;
    bool isOver = false;
    QObject::connect(reader.get(), &FileReader::received, reader.get(), [&](const QByteArray &some) {
        bytes += some;
        reader->consumed(some.size());
    });
    QObject::connect(reader.get(), &FileReader::finished, reader.get(), [&](const Result<ReadEnd> &end) {
        isOver = true;
        if (!end)
            bytes = "error: " + describe(end.error()).toUtf8();
    });
    (void)waitUntil([&] { return isOver; }, kPatience);
    return bytes;
}

Done written(LocalFileSystem &files, const FileWriteWish &wish, const QByteArrayList &pieces)
{
    const auto writer = files.write(wish);
    QList<Done> ends;
    QObject::connect(writer.get(), &FileWriter::finished, writer.get(), [&](const Done &how) { ends.append(how); });
    for (const QByteArray &piece : pieces)
        writer->write(piece);
    writer->close(FileWriter::Sync::Yes);
    if (!waitUntil([&] { return !ends.isEmpty(); }, kPatience))
        return failure(ErrorKind::Timeout, Layer::LocalDisk, u"no end"_s);
    return ends.constFirst();
}

} // namespace

class TestLocalFiles : public QObject
{
    Q_OBJECT
private slots:
    void namesAreBytes()
    {
        Stage stage;
        const QByteArrayList names = {"caf\xe9", "new\nline", "plain", "quo'te \"two\"", "\xff\xfe", "-rf"};
        for (const QByteArray &name : names)
            stage.make(name, name);
        QByteArrayList sorted = names;
        std::ranges::sort(sorted);
        const Listed listed(stage.files.list(stage.root));
        QCOMPARE(listed.names(), sorted);
        for (const QByteArray &name : names)
            QCOMPARE(contentOf(stage.files, {.path = stage.at(name)}), name);
    }

    void aLargeFolderComesInPiecesAndWaitsForItsReader()
    {
        Stage stage;
        for (int i = 0; i < 30'000; ++i)
            ::close(::open(stage.at(QByteArray::number(i)).bytes().constData(), O_CREAT | O_WRONLY, 0600));
        const auto listing = stage.files.list(stage.root);
        qint64 rows = 0;
        bool isOver = false;
        connect(listing.get(), &FileListing::rowsReceived, this, [&](const QList<FileEntry> &some) { rows += some.size(); });
        connect(listing.get(), &FileListing::finished, this, [&](const Result<ListEnd> &end) { isOver = end && end->names == 30'000; });
        QVERIFY(waitUntil([&] { return rows >= 20'000; }, kPatience));
        QVERIFY(!waitUntil([&] { return isOver; }, 200)); // nobody has read them
        listing->consumed(rows);
        QVERIFY(waitUntil([&] { return isOver; }, kPatience));
        QCOMPARE(rows, qint64(30'000));
    }

    void whatIsWrittenIsRead_data()
    {
        QTest::addColumn<QByteArrayList>("pieces");
        QTest::newRow("nothing") << QByteArrayList{};
        QTest::newRow("a byte") << QByteArrayList{"x"};
        QTest::newRow("several pieces") << QByteArrayList{"one", "two", QByteArray(3 << 20, 'z'), "end"};
    }
    void whatIsWrittenIsRead()
    {
        QFETCH(QByteArrayList, pieces);
        Stage stage;
        const Done done = written(stage.files, {.path = stage.at("file"), .mode = 0600}, pieces);
        QVERIFY2(done, qPrintable(done ? QString() : describe(done.error())));
        QCOMPARE(contentOf(stage.files, {.path = stage.at("file")}), pieces.join());
    }

    void aPartIsReadAndWrittenOver()
    {
        Stage stage;
        stage.make("file", "0123456789");
        QCOMPARE(contentOf(stage.files, {.path = stage.at("file"), .offset = 3, .length = 4}), QByteArray("3456"));
        QVERIFY(written(stage.files, {.path = stage.at("file"), .existing = FileWriteWish::Existing::Keep, .offset = 8}, {"ABCD"}));
        QCOMPARE(contentOf(stage.files, {.path = stage.at("file")}), QByteArray("01234567ABCD"));
    }

    void aNewFileDoesNotGoOverAnother()
    {
        Stage stage;
        stage.make("file", "kept");
        const Done done = written(stage.files, {.path = stage.at("file")}, {"lost"});
        QVERIFY(!done);
        QCOMPARE(done.error().kind, ErrorKind::Conflict);
        QCOMPARE(done.error().layer, Layer::LocalDisk);
        QCOMPARE(contentOf(stage.files, {.path = stage.at("file")}), QByteArray("kept"));
    }

    void aPipeIsNotWaitedFor()
    {
        Stage stage;
        QCOMPARE(::mkfifo(stage.at("pipe").bytes().constData(), 0600), 0);
        QVERIFY(contentOf(stage.files, {.path = stage.at("pipe")}).startsWith("error: "));
    }

    void everyOperationDoesWhatItSays()
    {
        Stage stage;
        LocalFileSystem &files = stage.files;
        stage.make("file", "hello");
        QVERIFY(waited(files.makeFolder(stage.at("folder"))));
        QCOMPARE(waited(files.makeFolder(stage.at("folder"))).error().kind, ErrorKind::Conflict);
        QVERIFY(waited(files.makeSymlink(pathOf("file"), stage.at("link"))));
        QCOMPARE(waited(files.readLink(stage.at("link")))->bytes(), QByteArray("file"));
        QCOMPARE(waited(files.stat(stage.at("link"), LinkPolicy::NoFollow))->type(), FileType::Link);
        QCOMPARE(waited(files.stat(stage.at("link"), LinkPolicy::Follow))->type(), FileType::File);
        QVERIFY(waited(files.makeHardlink(stage.at("file"), stage.at("twin"))));
        FileAttributes wish;
        wish.mode = 04711;
        wish.times = FileTimes{1000, 2000};
        QVERIFY(waited(files.setAttributes(stage.at("file"), wish, LinkPolicy::Follow)));
        const Result<FileAttributes> found = waited(files.stat(stage.at("twin"), LinkPolicy::Follow));
        QCOMPARE(*found->mode & 07777, 04711u);
        QCOMPARE(found->times->modified, 2000u);
        QCOMPARE(waited(files.rename(stage.at("file"), stage.at("twin"), RenamePolicy::Keep)).error().kind, ErrorKind::Conflict);
        QVERIFY(waited(files.rename(stage.at("file"), stage.at("moved"), RenamePolicy::Keep)));
        QVERIFY(waited(files.copyFile(stage.at("moved"), stage.at("copy"))));
        QCOMPARE(contentOf(files, {.path = stage.at("copy")}), QByteArray("hello"));
        QCOMPARE(waited(files.removeFolder(stage.root)).error().kind, ErrorKind::Conflict);
        QVERIFY(waited(files.removeFolder(stage.at("folder"))));
        QVERIFY(waited(files.removeFile(stage.at("link"))));
        QCOMPARE(waited(files.removeFile(stage.at("link"))).error().kind, ErrorKind::NotFound);
        QVERIFY(waited(files.space(stage.root))->blocks > 0);
        QCOMPARE(waited(files.realPath(pathOf(stage.root.bytes() + "/./x/..")))
                         .error().kind, ErrorKind::NotFound);
        QVERIFY(!waited(files.ownerNames({::getuid()}, {::getgid()}))->users.isEmpty());
        QVERIFY(waited(files.homeFolder())->isAbsolute());
    }

    void whoIsDeletedIsHeardNoMore()
    {
        Stage stage;
        for (int i = 0; i < 9000; ++i)
            ::close(::open(stage.at(QByteArray::number(i)).bytes().constData(), O_CREAT | O_WRONLY, 0600));
        auto listing = stage.files.list(stage.root);
        int heard = 0;
        connect(listing.get(), &FileListing::rowsReceived, this, [&] {
            ++heard;
            listing.reset(); // from inside of its own signal
        });
        QVERIFY(waitUntil([&] { return heard > 0; }, kPatience));
        const Listed other(stage.files.list(stage.root));
        QCOMPARE(other.rows.size(), 9000);
        QCOMPARE(heard, 1);
    }

    void whatIsUnderWayEndsWithItsFileSystem()
    {
        QTemporaryDir dir;
        QFuture<Result<FileAttributes>> answer;
        {
            LocalFileSystem files(u"This computer"_s);
            answer = files.stat(pathOf(QFile::encodeName(dir.path())), LinkPolicy::Follow);
        }
        const Result<FileAttributes> end = waited(answer);
        QVERIFY(!end);
        QCOMPARE(end.error().kind, ErrorKind::Cancelled);
    }

    void aTreeIsRemovedAndLinksAreNotFollowed()
    {
        Stage stage;
        stage.make("precious", "kept");
        QVERIFY(QDir(stage.dir.path()).mkpath(u"tree/a/b/c"_s));
        for (int i = 0; i < 500; ++i)
            stage.make("tree-" + QByteArray::number(i));
        for (int i = 0; i < 500; ++i)
            QVERIFY(QFile::rename(stage.dir.filePath(u"tree-%1"_s.arg(i)), stage.dir.filePath(u"tree/a/b/%1"_s.arg(i))));
        QVERIFY(QFile::link(stage.dir.path(), stage.dir.filePath(u"tree/a/up"_s)));
        TreeRemoval removal(&stage.files, {{stage.at("tree"), true}});
        QSignalSpy finished(&removal, &TreeRemoval::finished);
        removal.start();
        QVERIFY(waitUntil([&] { return !finished.isEmpty(); }, kPatience));
        QCOMPARE(removal.outcome().failed, qint64(0));
        QCOMPARE(removal.outcome().done, qint64(500 + 4 + 1));
        QVERIFY(!QFile::exists(stage.dir.filePath(u"tree"_s)));
        QCOMPARE(contentOf(stage.files, {.path = stage.at("precious")}), QByteArray("kept"));
    }

    void whatCannotBeRemovedIsToldAndTheRestGoes()
    {
        Stage stage;
        stage.make("file");
        TreeRemoval removal(&stage.files, {{pathOf("/proc/self/status"), false}, {stage.at("file"), false}, {stage.at("gone"), false}});
        QSignalSpy finished(&removal, &TreeRemoval::finished);
        removal.start();
        QVERIFY(waitUntil([&] { return !finished.isEmpty(); }, kPatience));
        QCOMPARE(removal.outcome().failed, qint64(1));
        QCOMPARE(removal.outcome().errors.constFirst().subject, u"/proc/self/status"_s);
        QVERIFY(!QFile::exists(stage.dir.filePath(u"file"_s)));
    }

    void aChangedFolderIsTold()
    {
        Stage stage;
        FolderWatch watch;
        QSignalSpy changed(&watch, &FolderWatch::changed);
        watch.watch(&stage.files, stage.root);
        // When the watch begins is its own affair: something happens until it has.
        int n = 0;
        QTRY_VERIFY_WITH_TIMEOUT((stage.make("new-" + QByteArray::number(n++)), !changed.isEmpty()), kPatience);
    }

    void whatNobodyLooksAtIsToldLater()
    {
        Stage stage;
        FolderWatch watch;
        QSignalSpy changed(&watch, &FolderWatch::changed);
        watch.watch(&stage.files, stage.root);
        int n = 0;
        QTRY_VERIFY_WITH_TIMEOUT((stage.make("new-" + QByteArray::number(n++)), !changed.isEmpty()), kPatience);
        watch.setActive(false);
        changed.clear();
        stage.make("unseen");
        (void)Listed(stage.files.list(stage.root)); // the event loop has had its turns
        watch.setActive(true);
        QTRY_VERIFY_WITH_TIMEOUT(!changed.isEmpty(), kPatience);
    }
};

QTEST_GUILESS_MAIN(TestLocalFiles)
#include "tst_localfiles.moc"

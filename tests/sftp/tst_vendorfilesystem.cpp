// A vendor's file interface as a file system, against our gateway.
#include "session/accounts.h"
#include "session/errortext.h"
#include "session/provider.h"
#include "session/providers/factory.h"
#include "session/runafter.h"
#include "session/sshlink.h"
#include "sftp/fileedits.h"
#include "sftp/vendorfilesystem.h"

#include "tests/sftp/filesystemrun.h"
#include "tests/support/testgateway.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 60'000;

} // namespace

class TestVendorFileSystem : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase();
    void itSaysThatItIsReady();
    void whatIsWrittenIsReadBack_data();
    void whatIsWrittenIsReadBack();
    void aLargeFilePassesBothWays_data();
    void aLargeFilePassesBothWays();
    void aListingTellsTypesSizesAndTimes();
    void aLargeFolderComesInSlices();
    void statLooksIntoTheFolder();
    void homeIsTheWorkspace();
    void pathsAreTidiedByTheirText();
    void anExistingFileIsNotWrittenOver();
    void filesAreRemovedAndFoldersAreNot();
    void errorsNameTheFile_data();
    void errorsNameTheFile();
    void whatIsMissingIsRefusedWithItsReason();
    void aSizeThatWasNotTrueLeavesNothing_data();
    void aSizeThatWasNotTrueLeavesNothing();
    void itEndsWhenItIsClosedHoweverSoonTheVendorHasAll();
    void aRefusedUploadSaysWhy_data();
    void aRefusedUploadSaysWhy();
    void aDeletedWriterLeavesTheOldFile();
    void aSlowReaderHoldsTheFileUp();
    void syncCannotBePromised();
    void aStreamOutlivesItsFileSystem();
    void anEditGoesBackAndConflictsAreSeen();
    void aSuspendedSandboxSaysSo();

private:
    TestGateway m_gateway;
    std::unique_ptr<SandboxProvider> m_provider;
    Sandbox m_sandbox;
    std::unique_ptr<FileSystem> m_files;

    Sandbox makeSandbox(const QString &name)
    {
        CreateRequest request;
        request.name = name;
        const auto made = waited(m_provider->create(request));
        Sandbox sandbox;
        const bool runs = made && waitUntil([&] {
            sandbox = waited(m_provider->find(made->id.id)).value_or(Sandbox());
            return sandbox.state == SandboxState::Running;
        }, patience);
        return runs ? sandbox : Sandbox();
    }
    std::unique_ptr<FileSystem> filesOf(const Sandbox &sandbox)
    {
        return std::make_unique<VendorFileSystem>(m_provider->makeFiles(sandbox), sandbox.displayName());
    }
    Done write(const QByteArray &path, const QByteArray &bytes)
    {
        return FileWritten(*m_files, {.path = filePath(path), .existing = FileWriteWish::Existing::Empty}, {bytes}).end();
    }
};

void TestVendorFileSystem::initTestCase()
{
    const QString problem = m_gateway.start();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    SANDPIPER_NEED_SANDBOXES(m_gateway);
    Account account;
    account.id = account.name = u"test"_s;
    account.vendor = u"tensorlake"_s;
    account.apiUrl = m_gateway.apiUrl();
    m_provider = makeProvider(account, std::make_shared<Secret>(m_gateway.apiKey()));
    m_sandbox = makeSandbox(u"files"_s);
    QCOMPARE(m_sandbox.state, SandboxState::Running);
    m_files = filesOf(m_sandbox);
}

void TestVendorFileSystem::itSaysThatItIsReady()
{
    VendorFileSystem files(m_provider->makeFiles(m_sandbox), u"box"_s);
    int times = 0;
    connect(&files, &FileSystem::ready, this, [&] { ++times; });
    QVERIFY(files.isReady());
    QTRY_COMPARE(times, 1);
}

void TestVendorFileSystem::whatIsWrittenIsReadBack_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<bool>("sized");
    for (const bool sized : {false, true}) {
        const auto row = [&](const char *name) -> QTestData & { return QTest::newRow((QByteArray(name) + (sized ? ", size known" : "")).constData()); };
        row("plain") << "plain"_ba << sized;
        row("space, quotes, percent, plus") << "a b\"'%25+&=#?"_ba << sized;
        row("newline") << "a\nb"_ba << sized;
        row("not UTF-8") << "\xff\xc3"_ba << sized;
        row("backslash") << "a\\b"_ba << sized;
    }
}

void TestVendorFileSystem::whatIsWrittenIsReadBack()
{
    QFETCH(const QByteArray, name);
    QFETCH(const bool, sized);
    QByteArray bytes;
    for (int i = 0; i < 256; ++i)
        bytes.append(char(i));
    const QByteArray folder = sized ? "/tmp/sized"_ba : "/tmp/spooled"_ba;
    for (const QByteArrayList &pieces : {QByteArrayList{}, QByteArrayList{bytes, "more", bytes}}) {
        FileWriteWish wish{.path = filePath(folder + '/' + name), .existing = FileWriteWish::Existing::Empty};
        if (sized)
            wish.size = quint64(pieces.join().size());
        const FileWritten written(*m_files, wish, pieces);
        QVERIFY2(written.end(), qPrintable(describe(errorOf(written.end()))));
        QCOMPARE(written.taken, pieces.join().size());
        QCOMPARE(written.writer->pending(), 0);
        const FileRead read(*m_files, {.path = wish.path});
        QVERIFY(read.isWhole());
        QCOMPARE(read.bytes, pieces.join());
        // And the listing gives a name that leads there.
        QVERIFY(FolderListed(*m_files, filePath(folder)).names().contains(name));
    }
}

void TestVendorFileSystem::aLargeFilePassesBothWays_data()
{
    QTest::addColumn<bool>("sized");
    QTest::newRow("size known") << true;
    QTest::newRow("size not known") << false;
}

void TestVendorFileSystem::aLargeFilePassesBothWays()
{
    QFETCH(const bool, sized);
    constexpr qint64 pieces = 48;
    const QByteArray piece = QByteArray("0123456789abcdef").repeated(65536);
    FileWriteWish wish{.path = filePath("/workspace/large"), .existing = FileWriteWish::Existing::Empty};
    if (sized)
        wish.size = quint64(pieces * piece.size());
    const auto writer = m_files->write(wish);
    QList<Done> ends;
    qint64 largest = 0;
    connect(writer.get(), &FileWriter::finished, writer.get(), [&](const Done &end) { ends.append(end); });
    // As whoever is careful of memory writes.
    for (qint64 i = 0; i < pieces; ++i) {
        writer->write(piece);
        largest = qMax(largest, writer->pending());
        QVERIFY(waitUntil([&] { return writer->pending() < 2 * piece.size() || !ends.isEmpty(); }, patience));
    }
    writer->close();
    QVERIFY(waitUntil([&] { return !ends.isEmpty(); }, patience));
    QVERIFY2(ends.first(), qPrintable(describe(errorOf(ends.first()))));
    QVERIFY(largest <= 3 * piece.size());
    const FileRead read(*m_files, {.path = wish.path});
    QVERIFY(read.isWhole());
    QVERIFY(read.bytes == piece.repeated(pieces));
}

void TestVendorFileSystem::aListingTellsTypesSizesAndTimes()
{
    QVERIFY(write("/tmp/told/folder/inner", "x"));
    QVERIFY(write("/tmp/told/file", "12345"));
    const FolderListed listed(*m_files, filePath("/tmp/told"));
    QCOMPARE(listed.ends.size(), 1);
    QCOMPARE(listed.ends.first(), Result<ListEnd>(ListEnd{2, 0}));
    QCOMPARE(listed.names(), (QByteArrayList{"folder", "file"}));
    QCOMPARE(listed.rows.first().attributes.type(), FileType::Folder);
    QVERIFY(!listed.rows.first().attributes.size);
    const FileAttributes file = listed.rows.last().attributes;
    QCOMPARE(file.type(), FileType::File);
    QCOMPARE(file.size, std::optional<quint64>(5));
    QVERIFY(file.times && qAbs(qint64(file.times->modified) - QDateTime::currentSecsSinceEpoch()) < 3600);
    QVERIFY(!file.owner);
}

void TestVendorFileSystem::aLargeFolderComesInSlices()
{
    std::unique_ptr<RemoteCommand> command = m_provider->makeCommand(m_sandbox, {{u"/bin/sh"_s, u"-c"_s, u"mkdir -p /tmp/many && cd /tmp/many && seq 25000 | xargs touch"_s}, {}, {}});
    bool isOver = false;
    connect(command.get(), &RemoteCommand::ended, this, [&] { isOver = true; });
    command->start();
    QVERIFY(waitUntil([&] { return isOver; }, patience));
    const FolderListed listed(*m_files, filePath("/tmp/many"));
    QCOMPARE(listed.rows.size(), 25'000);
    QVERIFY(listed.largest <= 1'000);
    // And whoever does not say that he has taken them gets no more.
    const auto listing = m_files->list(filePath("/tmp/many"));
    qsizetype rows = 0;
    bool isListed = false;
    connect(listing.get(), &FileListing::rowsReceived, this, [&](const QList<FileEntry> &some) { rows += some.size(); });
    connect(listing.get(), &FileListing::finished, this, [&] { isListed = true; });
    QVERIFY(waitUntil([&] { return rows == 20'000; }, patience));
    QCoreApplication::processEvents();
    QCOMPARE(rows, 20'000);
    QVERIFY(!isListed);
    listing->consumed(20'000);
    QVERIFY(waitUntil([&] { return isListed; }, patience));
    QCOMPARE(rows, 25'000);
}

void TestVendorFileSystem::statLooksIntoTheFolder()
{
    QVERIFY(write("/tmp/stat/file", "123"));
    const auto file = waited(m_files->stat(filePath("/tmp/stat/file")));
    QVERIFY(file && file->type() == FileType::File && file->size == 3);
    const auto folder = waited(m_files->stat(filePath("/tmp/stat/")));
    QVERIFY(folder && folder->isFolder());
    QVERIFY(waited(m_files->stat(filePath("/")))->isFolder());
    QCOMPARE(errorOf(waited(m_files->stat(filePath("/tmp/stat/none")))).kind, ErrorKind::NotFound);
    QCOMPARE(errorOf(waited(m_files->stat(filePath("/tmp/none/none")))).kind, ErrorKind::NotFound);
}

void TestVendorFileSystem::homeIsTheWorkspace()
{
    QCOMPARE(waited(m_files->homeFolder()), Result<FilePath>(filePath("/workspace")));
}

void TestVendorFileSystem::pathsAreTidiedByTheirText()
{
    QCOMPARE(waited(m_files->realPath(filePath("/a//b/./c/"))), Result<FilePath>(filePath("/a/b/c")));
    QCOMPARE(waited(m_files->realPath(filePath("//"))), Result<FilePath>(filePath("/")));
    QCOMPARE(waited(m_files->realPath(filePath("x"))), Result<FilePath>(filePath("/workspace/x")));
    QCOMPARE(waited(m_files->realPath({})), Result<FilePath>(filePath("/workspace")));
    QCOMPARE(errorOf(waited(m_files->realPath(filePath("/a/../b")))).kind, ErrorKind::InvalidInput);
}

void TestVendorFileSystem::anExistingFileIsNotWrittenOver()
{
    QVERIFY(write("/tmp/existing/file", "old"));
    const FileWritten written(*m_files, {.path = filePath("/tmp/existing/file")}, {"new"});
    QCOMPARE(errorOf(written.end()).kind, ErrorKind::Conflict);
    QCOMPARE(FileRead(*m_files, {.path = filePath("/tmp/existing/file")}).bytes, "old"_ba);
    QVERIFY(FileWritten(*m_files, {.path = filePath("/tmp/existing/other")}, {"new"}).end());
    QVERIFY(FileWritten(*m_files, {.path = filePath("/tmp/existing/no/folder/yet")}, {"new"}).end());
}

void TestVendorFileSystem::filesAreRemovedAndFoldersAreNot()
{
    QVERIFY(write("/tmp/remove/file", "x"));
    QCOMPARE(errorOf(waited(m_files->removeFile(filePath("/tmp/remove")))).kind, ErrorKind::InvalidInput);
    QVERIFY(waited(m_files->removeFile(filePath("/tmp/remove/file"))));
    QCOMPARE(FolderListed(*m_files, filePath("/tmp/remove")).rows.size(), 0);
}

void TestVendorFileSystem::errorsNameTheFile_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<ErrorKind>("kind");
    QTest::addColumn<QString>("words");
    QTest::newRow("nothing there") << "/tmp/err/none"_ba << ErrorKind::NotFound << u"none"_s;
    QTest::newRow("a folder") << "/tmp/err"_ba << ErrorKind::InvalidInput << u"is a folder"_s;
    QTest::newRow("dots") << "/tmp/err/../x"_ba << ErrorKind::InvalidInput << u"“..”"_s;
    QTest::newRow("through a file") << "/tmp/err/file/x"_ba << ErrorKind::InvalidInput << u"not a folder"_s;
    QTest::newRow("a device") << "/dev/zero"_ba << ErrorKind::InvalidInput << u"a device"_s;
}

void TestVendorFileSystem::errorsNameTheFile()
{
    QFETCH(const QByteArray, path);
    QFETCH(const ErrorKind, kind);
    QFETCH(const QString, words);
    QVERIFY(write("/tmp/err/file", "x"));
    const FileRead read(*m_files, {.path = filePath(path)});
    QCOMPARE(read.ends.size(), 1);
    const Error error = errorOf(read.ends.first());
    QCOMPARE(error.kind, kind);
    QCOMPARE(error.subject, QString::fromUtf8(path));
    QVERIFY2(errorText(error).sentence.contains(words), qPrintable(errorText(error).sentence));
}

void TestVendorFileSystem::whatIsMissingIsRefusedWithItsReason()
{
    const FilePath path = filePath("/tmp/x");
    const auto isRefused = [&](FileAction action, const Error &error) {
        return error.kind == ErrorKind::Unsupported && !m_files->can(action) && error.detail == m_files->reasonAgainst(action) && error.subject == u"/tmp/x"_s;
    };
    QVERIFY(isRefused(FileAction::MakeFolder, errorOf(waited(m_files->makeFolder(path)))));
    QVERIFY(isRefused(FileAction::RemoveFolder, errorOf(waited(m_files->removeFolder(path)))));
    QVERIFY(isRefused(FileAction::Rename, errorOf(waited(m_files->rename(path, path)))));
    QVERIFY(isRefused(FileAction::MakeSymlink, errorOf(waited(m_files->makeSymlink(path, path)))));
    QVERIFY(isRefused(FileAction::MakeHardlink, errorOf(waited(m_files->makeHardlink(path, path)))));
    QVERIFY(isRefused(FileAction::CopyThere, errorOf(waited(m_files->copyFile(path, path)))));
    QVERIFY(isRefused(FileAction::Space, errorOf(waited(m_files->space(path)))));
    QVERIFY(isRefused(FileAction::SetMode, errorOf(waited(m_files->setAttributes(path, {{}, {}, 0644, {}})))));
    QVERIFY(isRefused(FileAction::SetOwner, errorOf(waited(m_files->setAttributes(path, {{}, FileOwner{}, {}, {}})))));
    QVERIFY(isRefused(FileAction::SetTimes, errorOf(waited(m_files->setAttributes(path, {{}, {}, {}, FileTimes{}})))));
    QVERIFY(isRefused(FileAction::ReadPart, errorOf(FileRead(*m_files, {.path = path, .offset = 1}).ends.value(0, {}))));
    QVERIFY(isRefused(FileAction::WritePart, errorOf(FileWritten(*m_files, {.path = path, .existing = FileWriteWish::Existing::Keep}, {"x"}).end())));
    QCOMPARE(errorOf(waited(m_files->readLink(path))).kind, ErrorKind::Unsupported);
    for (const FileAction action : {FileAction::List, FileAction::Stat, FileAction::Read, FileAction::Write, FileAction::RemoveFile})
        QVERIFY(m_files->can(action));
    QVERIFY(waited(m_files->ownerNames({0}, {0}))->users.isEmpty());
}

void TestVendorFileSystem::aSizeThatWasNotTrueLeavesNothing_data()
{
    QTest::addColumn<quint64>("size");
    QTest::newRow("more than was said") << quint64(4);
    QTest::newRow("less than was said") << quint64(6);
    QTest::newRow("something where nothing was said") << quint64(0);
}

void TestVendorFileSystem::aSizeThatWasNotTrueLeavesNothing()
{
    QFETCH(const quint64, size);
    QVERIFY(write("/tmp/untrue/file", "old"));
    FileWriteWish wish{.path = filePath("/tmp/untrue/file"), .existing = FileWriteWish::Existing::Empty};
    wish.size = size;
    const FileWritten written(*m_files, wish, {"12345"});
    QCOMPARE(errorOf(written.end()).kind, ErrorKind::InvalidInput);
    QCOMPARE(FileRead(*m_files, {.path = wish.path}).bytes, "old"_ba);
}

void TestVendorFileSystem::itEndsWhenItIsClosedHoweverSoonTheVendorHasAll()
{
    FileWriteWish wish{.path = filePath("/tmp/soon/file"), .existing = FileWriteWish::Existing::Empty};
    wish.size = 5;
    const auto begin = [&](QList<Done> &ends) {
        auto writer = m_files->write(wish);
        connect(writer.get(), &FileWriter::finished, this, [&ends](const Done &end) { ends.append(end); });
        writer->write("12345");
        // It is there, and so its answer is here or on its way; another answer comes behind it.
        const bool isThere = waitUntil([&] { return FileRead(*m_files, {.path = wish.path}).bytes == "12345"; }, patience);
        return isThere ? std::move(writer) : nullptr;
    };
    QList<Done> ends;
    auto writer = begin(ends);
    QVERIFY(writer);
    QVERIFY(ends.isEmpty());
    writer->close(FileWriter::Sync::No);
    QTRY_COMPARE(ends.size(), 1);
    QVERIFY2(ends.constFirst(), qPrintable(errorOf(ends.constFirst()).detail));
    writer = begin(ends);
    QVERIFY(writer);
    writer->write("6");
    writer->close(FileWriter::Sync::No);
    QTRY_COMPARE(ends.size(), 2);
    QCOMPARE(errorOf(ends.constLast()).kind, ErrorKind::InvalidInput);
}

void TestVendorFileSystem::aRefusedUploadSaysWhy_data()
{
    QTest::addColumn<bool>("sized");
    QTest::newRow("size known") << true;
    QTest::newRow("size not known") << false;
}

void TestVendorFileSystem::aRefusedUploadSaysWhy()
{
    QFETCH(const bool, sized);
    // More than any buffer on the way takes before the refusal comes.
    const QByteArray bytes(12 << 20, 'x');
    FileWriteWish wish{.path = filePath("/usr/refused"), .existing = FileWriteWish::Existing::Empty};
    if (sized)
        wish.size = quint64(bytes.size());
    const FileWritten written(*m_files, wish, {bytes});
    QCOMPARE(errorOf(written.end()).kind, ErrorKind::PermissionDenied);
    QCOMPARE(errorOf(written.end()).subject, u"/usr/refused"_s);
}

void TestVendorFileSystem::aDeletedWriterLeavesTheOldFile()
{
    QVERIFY(write("/tmp/left/file", "old"));
    FileWriteWish wish{.path = filePath("/tmp/left/file"), .existing = FileWriteWish::Existing::Empty};
    wish.size = 10 << 20;
    {
        const auto writer = m_files->write(wish);
        qint64 taken = 0;
        connect(writer.get(), &FileWriter::taken, writer.get(), [&](qint64 bytes) { taken += bytes; });
        writer->write(QByteArray(5 << 20, 'n'));
        QVERIFY(waitUntil([&] { return taken > 1 << 20; }, patience));
    }
    QCOMPARE(FileRead(*m_files, {.path = wish.path}).bytes, "old"_ba);
    QCOMPARE(FolderListed(*m_files, filePath("/tmp/left")).names(), QByteArrayList{"file"});
}

void TestVendorFileSystem::aSlowReaderHoldsTheFileUp()
{
    const QByteArray bytes(8 << 20, 'x');
    QVERIFY(write("/tmp/slow", bytes));
    const auto reader = m_files->read({.path = filePath("/tmp/slow")});
    qint64 got = 0;
    bool isOver = false;
    connect(reader.get(), &FileReader::received, this, [&](const QByteArray &piece) { got += piece.size(); });
    connect(reader.get(), &FileReader::finished, this, [&] { isOver = true; });
    QVERIFY(waitUntil([&] { return got >= 1 << 20; }, patience));
    // Another answer of the same server: time in which more could have come.
    QVERIFY(waited(m_files->stat(filePath("/tmp/slow"))));
    QCOMPARE(got, 1 << 20);
    QVERIFY(!isOver);
    reader->consumed(16 << 20);
    QVERIFY(waitUntil([&] { return isOver; }, patience));
    QCOMPARE(got, bytes.size());
}

void TestVendorFileSystem::syncCannotBePromised()
{
    const FileWritten written(*m_files, {.path = filePath("/tmp/synced"), .existing = FileWriteWish::Existing::Empty}, {"x"}, FileWriter::Sync::Yes);
    QCOMPARE(errorOf(written.end()).kind, ErrorKind::Unsupported);
    QCOMPARE(FileRead(*m_files, {.path = filePath("/tmp/synced")}).bytes, "x"_ba);
}

void TestVendorFileSystem::aStreamOutlivesItsFileSystem()
{
    auto files = filesOf(m_sandbox);
    const auto writer = files->write({.path = filePath("/tmp/outlived")});
    QList<Done> ends;
    connect(writer.get(), &FileWriter::finished, this, [&](const Done &end) { ends.append(end); });
    writer->write("x");
    writer->close();
    files.reset();
    QVERIFY(waitUntil([&] { return !ends.isEmpty(); }, patience));
    QVERIFY(ends.first());
}

void TestVendorFileSystem::aSuspendedSandboxSaysSo()
{
    const Sandbox sandbox = makeSandbox(u"sleeper"_s);
    const auto files = filesOf(sandbox);
    QVERIFY(waited(m_provider->suspend(sandbox.id)));
    QVERIFY(waitUntil([&] { return waited(m_provider->find(sandbox.id.id)).value_or(Sandbox()).state == SandboxState::Suspended; }, patience));
    const Error error = errorOf(waited(files->removeFile(filePath("/tmp/x"))));
    QCOMPARE(error.kind, ErrorKind::SandboxNotRunning);
    QCOMPARE(error.subject, u"sleeper"_s);
    QCOMPARE(errorText(error).step, NextStep::ResumeSandbox);
}

// No rename, no mode, no link: over what is there, and asked all the same.
void TestVendorFileSystem::anEditGoesBackAndConflictsAreSeen()
{
    const QTemporaryDir here;
    FileEdits::Services services;
    services.folder = here.filePath(u"edits"_s);
    services.settle = std::chrono::milliseconds(20);
    services.standing = [this](const SandboxId &) {
        StandingFiles::Services made;
        made.plainHost = m_sandbox;
        made.open = [this](const Sandbox &sandbox) { return Result<OpenedFiles>(OpenedFiles{nullptr, filesOf(sandbox)}); };
        made.after = runAfter;
        return made;
    };
    const auto save = [](const QString &name, const QByteArray &bytes) {
        QFile file(name);
        return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
    };
    QVERIFY(write("/workspace/edited.txt", "old\n"));
    FileEdits edits(services);
    const QString id = edits.edit(m_sandbox.id, m_sandbox.name, filePath("/workspace/edited.txt"));
    const auto reaches = [&](EditState state) { return waitUntil([&] { return edits.session(id)->status().state == state; }, patience); };
    QVERIFY(reaches(EditState::Same));
    QVERIFY(save(edits.session(id)->localFile(), "new\n"));
    const auto holds = [&](const QByteArray &name, const QByteArray &bytes) { return FileRead(*m_files, {.path = filePath(name)}).bytes == bytes; };
    QVERIFY(waitUntil([&] { return holds("/workspace/edited.txt", "new\n"); }, patience));
    QVERIFY(reaches(EditState::Same));
    QVERIFY(write("/workspace/edited.txt", "ours"));
    QVERIFY(save(edits.session(id)->localFile(), "mine"));
    QVERIFY(reaches(EditState::Conflict));
    edits.session(id)->keepBoth();
    QVERIFY(reaches(EditState::Same));
    QVERIFY(holds("/workspace/edited.txt", "ours"));
    QVERIFY(holds("/workspace/edited (2).txt", "mine"));
}

QTEST_GUILESS_MAIN(TestVendorFileSystem)
#include "tst_vendorfilesystem.moc"

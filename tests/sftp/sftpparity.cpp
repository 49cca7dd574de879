#include "tests/sftp/sftpparity.h"

#include "tests/support/testsshd.h"

#include <QTest>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int kPatience = 60'000;

QByteArray said(const Done &done)
{
    return done ? QByteArray("done") : describe(done.error()).toUtf8();
}

} // namespace

QByteArray filePattern(qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    for (qsizetype i = 0; i < size; ++i)
        bytes[i] = char((i * 7919) >> 3);
    return bytes;
}

void SftpParity::addKinds()
{
    QTest::addColumn<QString>("kind");
    for (const QString &kind : kinds())
        QTest::newRow(qPrintable(kind)) << kind;
}

void SftpParity::begin(const QString &kind)
{
    QString problem;
    const LinkOptions options = optionsOf(kind, problem);
    if (!problem.isEmpty() && TestSshd::mustRun())
        QFAIL(qPrintable(problem));
    if (!problem.isEmpty())
        QSKIP(qPrintable(problem));
    m_run = std::make_unique<SftpRun>(options);
    QVERIFY2(m_run->becomesReady(), m_run->why().constData());
    m_root = remotePath(folderOf(kind) + "/files-" + QByteArray::number(++m_folders));
    if (isOnThisComputer())
        m_localRoot = QString::fromLocal8Bit(m_root.bytes());
    const Done made = waited(m_run->client->makeFolder(m_root));
    QVERIFY2(made, said(made).constData());
}

void SftpParity::cleanup()
{
    m_run.reset();
    // QTemporaryDir cannot remove what is named by bytes that are no text.
    if (const QString local = std::exchange(m_localRoot, {}); !local.isEmpty())
        QVERIFY(runForTest(u"rm"_s, {u"-rf"_s, u"--"_s, local}));
}

void SftpParity::aFileIsWrittenAndRead_data()
{
    addKinds();
}

void SftpParity::aFileIsWrittenAndRead()
{
    QFETCH(QString, kind);
    begin(kind);
    if (QTest::currentTestResolved())
        return;
    const QByteArray bytes = filePattern((3 << 20) + 17);
    const Done written = writeFile(client(), {.path = at("file")}, bytes);
    QVERIFY2(written, said(written).constData());
    const Result<FileAttributes> found = waited(client()->stat(at("file")));
    QVERIFY(found.has_value());
    QCOMPARE(found->size, quint64(bytes.size()));
    QCOMPARE(found->type(), FileType::File);

    const ReadFile whole(client(), {.path = at("file")});
    QVERIFY2(whole.isWhole(), whole.why().constData());
    QCOMPARE(whole.bytes.size(), bytes.size());
    QVERIFY(whole.bytes == bytes);
    QCOMPARE(whole.ends.first().value(), (ReadEnd{quint64(bytes.size()), false}));

    const ReadFile part(client(), {.path = at("file"), .offset = 1'000'001, .length = 700'003});
    QVERIFY2(part.isWhole(), part.why().constData());
    QVERIFY(part.bytes == bytes.mid(1'000'001, 700'003));

    const ReadFile behind(client(), {.path = at("file"), .offset = quint64(bytes.size()) + 5});
    QVERIFY2(behind.isWhole(), behind.why().constData());
    QCOMPARE(behind.bytes, ""_ba);
    const ReadFile nothing(client(), {.path = at("file"), .offset = 3, .length = 0});
    QVERIFY2(nothing.isWhole(), nothing.why().constData());
    QCOMPARE(nothing.bytes, ""_ba);

    // A piece of it written over.
    const Done over = writeFile(client(), {.path = at("file"), .existing = FileWriteWish::Existing::Keep, .offset = 100}, "0123456789"_ba);
    QVERIFY2(over, said(over).constData());
    const ReadFile again(client(), {.path = at("file"), .length = 200});
    QVERIFY(again.bytes == bytes.first(100) + "0123456789" + bytes.mid(110, 90));

    const Done refused = writeFile(client(), {.path = at("file")}, "x"_ba);
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, ErrorKind::Conflict);
    QCOMPARE(refused.error().subject, at("file").shown());
    const Done emptied = writeFile(client(), {.path = at("file"), .existing = FileWriteWish::Existing::Empty}, {});
    QVERIFY2(emptied, said(emptied).constData());
    QCOMPARE(waited(client()->stat(at("file"))).value_or(FileAttributes()).size, quint64(0));
}

void SftpParity::aFolderIsListed_data()
{
    addKinds();
}

void SftpParity::aFolderIsListed()
{
    QFETCH(QString, kind);
    begin(kind);
    if (QTest::currentTestResolved())
        return;
    QByteArrayList names;
    for (int i = 0; i < 1000; ++i)
        names += "file " + QByteArray::number(i);
    names += {"\xff\xfe"_ba, "new\nline"_ba, "\x1b[31m"_ba, "\xc3\xa9"_ba, " "_ba, "-rf"_ba, "..."_ba, "a\\b"_ba, QByteArray(255, 'n')};
    QList<QFuture<Done>> made;
    for (const QByteArray &name : std::as_const(names))
        made += client()->makeFolder(at(name));
    for (const QFuture<Done> &one : std::as_const(made))
        QVERIFY2(waited(one), said(waited(one)).constData());
    std::sort(names.begin(), names.end());
    const ListedFolder listed(client(), m_root);
    QCOMPARE(listed.ends.size(), 1);
    QVERIFY2(listed.ends.first(), listed.ends.first() ? "" : qPrintable(describe(listed.ends.first().error())));
    QCOMPARE(listed.names(), names);
    QCOMPARE(listed.ends.first()->names, quint64(names.size()));
    QCOMPARE(listed.ends.first()->refused, 0u);

    const ListedFolder empty(client(), at("-rf"));
    QCOMPARE(empty.names(), QByteArrayList());
    QVERIFY(empty.ends.first());
    const ListedFolder missing(client(), at("missing"));
    QVERIFY(!missing.ends.first());
    QCOMPARE(missing.ends.first().error().kind, ErrorKind::NotFound);
    QCOMPARE(missing.ends.first().error().subject, at("missing").shown());
}

void SftpParity::everyOperationDoesWhatItSays_data()
{
    addKinds();
}

void SftpParity::everyOperationDoesWhatItSays()
{
    QFETCH(QString, kind);
    begin(kind);
    if (QTest::currentTestResolved())
        return;
    const auto does = [](const QFuture<Done> &future) { return said(waited(future)); };
    const auto fails = [](const QFuture<Done> &future) {
        const Done done = waited(future);
        return done ? u"done"_s : nameOf(done.error().kind);
    };
    const auto has = [this](SftpExtension extension) { return client()->server().has(extension); };
    const bool isBare = kind == "awkward"_L1;
    QCOMPARE(!isBare, has(SftpExtension::PosixRename));
    QVERIFY(writeFile(client(), {.path = at("a")}, "content"_ba));

    QCOMPARE(does(client()->makeFolder(at("d"))), "done"_ba);
    QVERIFY(waited(client()->stat(at("d"))).value_or(FileAttributes()).isFolder());
    QCOMPARE(fails(client()->makeFolder(at("d"))), u"conflict"_s);
    QCOMPARE(fails(client()->makeFolder(at("no/such"))), u"not found"_s);
    QCOMPARE(fails(client()->removeFile(at("no"))), u"not found"_s);
    QCOMPARE(waited(client()->stat(at("no"))).error().kind, ErrorKind::NotFound);

    // Names of any bytes, there and back.
    QByteArray name;
    for (int byte = 1; byte < 256; ++byte) {
        if (byte != '/')
            name += char(byte);
    }
    QCOMPARE(does(client()->makeFolder(at(name))), "done"_ba);
    QCOMPARE(waited(client()->realPath(at(name))).value_or(FilePath()).name(), name);
    QCOMPARE(does(client()->removeFolder(at(name))), "done"_ba);

    // Links: what is made points where it should, whatever the server's order of the two.
    QCOMPARE(does(client()->makeSymlink(remotePath("../somewhere \xff"), at("l"))), "done"_ba);
    QCOMPARE(waited(client()->readLink(at("l"))).value_or(FilePath()).bytes(), "../somewhere \xff"_ba);
    QCOMPARE(waited(client()->stat(at("l"), LinkPolicy::NoFollow)).value_or(FileAttributes()).type(), FileType::Link);
    QCOMPARE(waited(client()->stat(at("l"))).error().kind, ErrorKind::NotFound);
    QCOMPARE(fails(client()->makeSymlink(remotePath("x"), at("l"))), u"conflict"_s);
    QCOMPARE(has(SftpExtension::Hardlink) ? u"done"_s : u"unsupported"_s, fails(client()->makeHardlink(at("a"), at("h"))));
    if (has(SftpExtension::Hardlink))
        QCOMPARE(fails(client()->makeHardlink(at("a"), at("h"))), u"conflict"_s);

    // Renames never replace unasked.
    QVERIFY(writeFile(client(), {.path = at("b")}, "other"_ba));
    QCOMPARE(fails(client()->rename(at("a"), at("b"))), u"conflict"_s);
    QCOMPARE(ReadFile(client(), {.path = at("b")}).bytes, "other"_ba);
    QCOMPARE(fails(client()->rename(at("a"), at("b"), RenamePolicy::Replace)), isBare ? u"conflict"_s : u"done"_s);
    if (isBare)
        QCOMPARE(does(client()->removeFile(at("b"))), "done"_ba);
    if (isBare)
        QCOMPARE(does(client()->rename(at("a"), at("b"))), "done"_ba);
    QCOMPARE(ReadFile(client(), {.path = at("b")}).bytes, "content"_ba);
    QCOMPARE(fails(client()->rename(at("a"), at("c"))), u"not found"_s);

    FileAttributes wish;
    wish.mode = 0640;
    wish.times = FileTimes{1'000'000, 2'000'000};
    QCOMPARE(fails(client()->setAttributes(at("b"), wish)), isBare ? u"unsupported"_s : u"done"_s);
    if (!isBare) {
        const FileAttributes now = waited(client()->stat(at("b"))).value_or(FileAttributes());
        QCOMPARE(now.mode.value_or(0) & 07777, 0640u);
        QCOMPARE(now.times, wish.times);
        QVERIFY(now.owner);
        FileAttributes shorter;
        shorter.size = 3;
        QCOMPARE(does(client()->setAttributes(at("b"), shorter)), "done"_ba);
        QCOMPARE(ReadFile(client(), {.path = at("b")}).bytes, "con"_ba);
        // Its own times, and not those of what it leads to.
        QCOMPARE(does(client()->makeSymlink(remotePath("b"), at("m"))), "done"_ba);
        FileAttributes times;
        times.times = FileTimes{5, 6};
        QCOMPARE(does(client()->setAttributes(at("m"), times, LinkPolicy::NoFollow)), "done"_ba);
        QCOMPARE(waited(client()->stat(at("m"), LinkPolicy::NoFollow)).value_or(FileAttributes()).times, times.times);
        QVERIFY(waited(client()->stat(at("b"))).value_or(FileAttributes()).times != times.times);
    }

    const Result<FileSystemSpace> space = waited(client()->space(m_root));
    QCOMPARE(space.has_value(), !isBare);
    if (space) {
        QVERIFY(space->fragmentSize > 0 && space->blocks >= space->freeBlocks);
        QVERIFY(space->longestName >= 255);
    }
    QCOMPARE(fails(client()->sync(at("b"))), isBare ? u"unsupported"_s : u"done"_s);
    const Done synced = writeFile(client(), {.path = at("synced")}, "x"_ba, SftpWriter::Sync::Yes);
    QCOMPARE(synced ? u"done"_s : nameOf(synced.error().kind), isBare ? u"unsupported"_s : u"done"_s);

    const Result<FilePath> home = waited(client()->homeFolder());
    QVERIFY(home.has_value());
    QVERIFY(home->isAbsolute());
    QVERIFY(waited(client()->realPath(FilePath())).value_or(FilePath()).isAbsolute());
    const Result<FilePath> expanded = waited(client()->expandPath(remotePath("~/x")));
    QCOMPARE(expanded.has_value(), has(SftpExtension::ExpandPath));
    if (expanded)
        QCOMPARE(expanded->name(), "x"_ba);
    const Result<OwnerNames> names = waited(client()->ownerNames({0, 4'000'000'000}, {0}));
    QCOMPARE(names.has_value(), has(SftpExtension::UsersGroupsById));
    if (names) {
        QVERIFY(!names->users.contains(4'000'000'000));
        QVERIFY(names->users.value(0).isEmpty() || names->users.value(0) == "root");
    }

    QCOMPARE(does(client()->removeFile(at("l"))), "done"_ba);
    QVERIFY(fails(client()->removeFolder(m_root)) != u"done"_s);
    QCOMPARE(does(client()->removeFolder(at("d"))), "done"_ba);
    QVERIFY(m_run->ends.isEmpty());
}

void SftpParity::aFileIsCopiedByTheServer_data()
{
    addKinds();
}

void SftpParity::aFileIsCopiedByTheServer()
{
    QFETCH(QString, kind);
    begin(kind);
    if (QTest::currentTestResolved())
        return;
    const QByteArray bytes = filePattern(1'000'003);
    QVERIFY(writeFile(client(), {.path = at("from")}, bytes));
    const Done copied = waited(client()->copyFile(at("from"), at("to")));
    if (!client()->server().has(SftpExtension::CopyData)) {
        QCOMPARE(copied.error().kind, ErrorKind::Unsupported);
        return;
    }
    QVERIFY2(copied, said(copied).constData());
    QVERIFY(ReadFile(client(), {.path = at("to")}).bytes == bytes);
    // Nothing that is there is touched, least of all the source itself.
    QCOMPARE(waited(client()->copyFile(at("from"), at("to"))).error().kind, ErrorKind::Conflict);
    QCOMPARE(waited(client()->copyFile(at("from"), at("from"))).error().kind, ErrorKind::Conflict);
    QVERIFY(ReadFile(client(), {.path = at("from")}).bytes == bytes);
    QCOMPARE(waited(client()->copyFile(at("missing"), at("new"))).error().kind, ErrorKind::NotFound);
    QCOMPARE(ListedFolder(client(), m_root).names(), (QByteArrayList{"from", "to"}));
}

void SftpParity::manyQuestionsAreAnsweredAtOnce_data()
{
    addKinds();
}

void SftpParity::manyQuestionsAreAnsweredAtOnce()
{
    QFETCH(QString, kind);
    begin(kind);
    if (QTest::currentTestResolved())
        return;
    QList<QFuture<Result<FileAttributes>>> answers;
    for (int i = 0; i < 2000; ++i)
        answers += client()->stat(i % 2 == 0 ? m_root : at(QByteArray::number(i)), LinkPolicy::NoFollow);
    for (int i = 0; i < answers.size(); ++i) {
        const Result<FileAttributes> one = waited(answers[i]);
        QCOMPARE(one.has_value(), i % 2 == 0);
        if (!one)
            QCOMPARE(one.error().subject, at(QByteArray::number(i)).shown());
    }
}

void SftpParity::aReaderThatDoesNotReadHoldsTheServerUp_data()
{
    addKinds();
}

void SftpParity::aReaderThatDoesNotReadHoldsTheServerUp()
{
    QFETCH(QString, kind);
    begin(kind);
    if (QTest::currentTestResolved())
        return;
    const qint64 size = 9 << 20;
    QVERIFY(writeFile(client(), {.path = at("large")}, filePattern(size)));
    const auto reader = client()->read({.path = at("large")});
    qint64 received = 0;
    bool isOver = false;
    connect(reader.get(), &SftpReader::received, reader.get(), [&](const QByteArray &bytes) { received += bytes.size(); });
    connect(reader.get(), &SftpReader::finished, reader.get(), [&] { isOver = true; });
    const qint64 most = 16 * qint64(client()->server().mostRead);
    QVERIFY(waitUntil([&] { return received > most / 2; }, kPatience));
    // Others are not held up; as many turns as bring all of it, were it let.
    for (int i = 0; i < 300; ++i)
        QVERIFY(waited(client()->stat(m_root)).has_value());
    QVERIFY2(received <= most, QByteArray::number(received).constData());
    QVERIFY(!isOver);
    qint64 reported = 0;
    QVERIFY(waitUntil([&] {
        reader->consumed(received - std::exchange(reported, received));
        return isOver;
    }, kPatience));
    QCOMPARE(received, size);
}

void SftpParity::whoIsDeletedIsHeardNoMore_data()
{
    addKinds();
}

void SftpParity::whoIsDeletedIsHeardNoMore()
{
    QFETCH(QString, kind);
    begin(kind);
    if (QTest::currentTestResolved())
        return;
    QVERIFY(writeFile(client(), {.path = at("large")}, filePattern(5 << 20)));
    for (int i = 0; i < 50; ++i) {
        const auto reader = client()->read({.path = at("large")});
        const auto listing = client()->list(m_root);
        const auto writer = client()->write({.path = at("partial"), .existing = FileWriteWish::Existing::Keep});
        writer->write(filePattern(100'000));
        if (i % 2 == 0)
            QVERIFY(waited(client()->stat(m_root)).has_value());
    }
    // The server's handles came back: OpenSSH has 1,000 or so, of which nothing is seen, but it goes on.
    QVERIFY(ReadFile(client(), {.path = at("large")}).bytes.size() == 5 << 20);
    QVERIFY(m_run->ends.isEmpty());
}

} // namespace Sandpiper

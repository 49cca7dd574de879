// Archives, packed and unpacked by the programs of this computer.
#include "session/localcommand.h"
#include "sftp/archivework.h"
#include "tests/sftp/filesystemrun.h"
#include "tests/sftp/trees.h"

#include <QDir>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestArchiveWork : public QObject
{
    Q_OBJECT

    static Result<std::unique_ptr<RemoteCommand>> runHere(const CommandSpec &spec) { return std::make_unique<LocalCommand>(spec); }
    static FilePath in(const QTemporaryDir &dir, const QByteArray &name) { return filePath(QFile::encodeName(dir.path()) + '/' + name); }
    static Done run(const Result<CommandSpec> &spec, qint64 *files = nullptr)
    {
        if (!spec)
            return std::unexpected(spec.error());
        ArchiveWork work(runHere, *spec);
        std::optional<Done> said;
        connect(&work, &ArchiveWork::finished, &work, [&](const Done &done) { said = done; });
        connect(&work, &ArchiveWork::progressed, &work, [&](qint64 count) {
            if (files)
                *files = count;
        });
        work.start();
        (void)waitUntil([&] { return said.has_value(); }, 60'000);
        return said.value_or(failure(ErrorKind::Timeout, Layer::Sftp));
    }

private slots:
    void whatIsPackedComesOutTheSame_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QString>("program");
        for (const auto &[name, program] : {std::pair(QByteArray("a.tar.gz"), u"gzip"_s), {"a.tgz", u"gzip"_s}, {"a.tar", u"tar"_s}, {"a.tar.bz2", u"bzip2"_s}, {"a.tar.xz", u"xz"_s}, {"a.tar.zst", u"zstd"_s},
                                            {"a.zip", u"zip"_s}, {"ho:st.tar.gz", u"gzip"_s}, {"-rf.tar", u"tar"_s}, {"q'u\"o$(te).tar.gz", u"gzip"_s}})
            QTest::newRow(name) << name << program;
    }
    void whatIsPackedComesOutTheSame()
    {
        QFETCH(QByteArray, name);
        QFETCH(QString, program);
        if (QStandardPaths::findExecutable(program).isEmpty() || (program == "zip"_L1 && QStandardPaths::findExecutable(u"unzip"_s).isEmpty()))
            QSKIP("The program for it is not installed here.");
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; mkdir -p tree/deep out; echo x >tree/deep/file; ln -s deep tree/link; echo y >'-dash it'"), QByteArray());
        qint64 files = 0;
        const Done packed = run(ArchiveWork::packing(filePath(QFile::encodeName(dir.path())), {in(dir, "tree"), in(dir, "-dash it")}, name), &files);
        QVERIFY2(packed, packed ? "" : qPrintable(describe(packed.error())));
        QVERIFY(files >= 4);
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; ls -A | grep '^.sandpiper' || true"), QByteArray());
        const Done unpacked = run(ArchiveWork::unpacking(in(dir, name), in(dir, "out")));
        QVERIFY2(unpacked, unpacked ? "" : qPrintable(describe(unpacked.error())));
        QCOMPARE(fingerprint(dir.filePath(u"out/tree"_s), false), fingerprint(dir.filePath(u"tree"_s), false));
        QVERIFY(QFile::exists(dir.filePath(u"out/-dash it"_s)));
    }

    void whatHasTheNameStays()
    {
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; echo mine >a.tar; echo x >file"), QByteArray());
        const Done packed = run(ArchiveWork::packing(filePath(QFile::encodeName(dir.path())), {in(dir, "file")}, "a.tar"));
        QVERIFY(!packed);
        QCOMPARE(packed.error().kind, ErrorKind::Conflict);
        QCOMPARE(shell("cat '" + dir.path().toUtf8() + "/a.tar'"), QByteArray("mine\n"));
    }

    void whatIsNoArchiveFailsWithTheReason()
    {
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; echo rubbish >a.tar.gz; mkdir out"), QByteArray());
        const Done unpacked = run(ArchiveWork::unpacking(in(dir, "a.tar.gz"), in(dir, "out")));
        QVERIFY(!unpacked);
        QVERIFY(!unpacked.error().detail.isEmpty());
    }

    void nothingLandsOutside()
    {
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; mkdir -p in/sub out; echo x >evil; cd in/sub; tar -cPf ../../a.tar ../../evil; rm ../../evil"), QByteArray());
        (void)run(ArchiveWork::unpacking(in(dir, "a.tar"), in(dir, "out")));
        QVERIFY(!QFile::exists(dir.filePath(u"evil"_s)));
        QVERIFY(!QFile::exists(dir.filePath(u"../evil"_s)));
    }

    void whatCannotBeSaidIsRefused_data()
    {
        QTest::addColumn<QByteArray>("source");
        QTest::addColumn<QByteArray>("name");
        QTest::newRow("a name that is no text") << QByteArray("/a/\xff") << QByteArray("a.tar");
        QTest::newRow("an unknown ending") << QByteArray("/a/b") << QByteArray("a.rar");
        QTest::newRow("nothing but an ending") << QByteArray("/a/b") << QByteArray(".tar");
    }
    void whatCannotBeSaidIsRefused()
    {
        QFETCH(QByteArray, source);
        QFETCH(QByteArray, name);
        const Result<CommandSpec> spec = ArchiveWork::packing(filePath("/a"), {filePath(source)}, name);
        QVERIFY(!spec);
        QCOMPARE(spec.error().kind, ErrorKind::InvalidInput);
        QVERIFY(!spec.error().detail.isEmpty());
    }

    void ofWhatIsStoppedNothingIsLeft()
    {
        QTemporaryDir dir;
        QCOMPARE(shell("cd '" + dir.path().toUtf8() + "'; head -c 200000000 /dev/urandom >large"), QByteArray());
        auto work = std::make_unique<ArchiveWork>(runHere, *ArchiveWork::packing(filePath(QFile::encodeName(dir.path())), {in(dir, "large")}, "a.tar.gz"));
        work->start();
        QVERIFY(waitUntil([&] { return !QDir(dir.path()).entryList({u".sandpiper*"_s}, QDir::Files | QDir::Hidden).isEmpty(); }, 60'000));
        work.reset();
        QVERIFY(waitUntil([&] { return QDir(dir.path()).entryList({u".sandpiper*"_s}, QDir::Files | QDir::Hidden).isEmpty(); }, 60'000));
        QVERIFY(!QFile::exists(dir.filePath(u"a.tar.gz"_s)));
    }

    void aStemIsWithoutTheEnding_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("wanted");
        QTest::newRow("two") << QByteArray("a.b.tar.gz") << QByteArray("a.b");
        QTest::newRow("capitals") << QByteArray("A.ZIP") << QByteArray("A");
        QTest::newRow("none") << QByteArray("a.txt") << QByteArray("a.txt");
    }
    void aStemIsWithoutTheEnding()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, wanted);
        QCOMPARE(ArchiveWork::stem(name), wanted);
    }
};

QTEST_GUILESS_MAIN(TestArchiveWork)
#include "tst_archivework.moc"

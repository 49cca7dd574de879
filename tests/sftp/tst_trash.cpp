// The trash as freedesktop.org has it, on this disk and behind a real SSH server.
#include "sftp/localfilesystem.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/trash.h"
#include "tests/sftp/filesystemrun.h"
#include "tests/support/sftprun.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestTrash : public QObject
{
    Q_OBJECT

    std::unique_ptr<TestSshd> m_sshd;

    struct Stage
    {
        explicit Stage(TestSshd *sshd)
        {
            if (sshd) {
                link = std::make_unique<SshLink>(sshd->options(), &prompts);
                files = std::make_unique<SftpFileSystem>(link.get(), u"box"_s);
                link->connectToHost();
            } else {
                files = std::make_unique<LocalFileSystem>(u"here"_s);
            }
        }
        [[nodiscard]] FilePath at(const QByteArray &name) const { return filePath(QFile::encodeName(dir.path()) + '/' + name); }
        // By bytes: QFile knows names that are text alone.
        void make(const QByteArray &name, const QByteArray &content = "x") const
        {
            std::ofstream file(at(name).bytes().toStdString(), std::ios::binary);
            file << content.toStdString();
            QVERIFY(file.good());
        }
        [[nodiscard]] QByteArray read(const QByteArray &name) const
        {
            std::ifstream file(at(name).bytes().toStdString(), std::ios::binary);
            return file ? QByteArray::fromStdString({std::istreambuf_iterator<char>(file), {}}) : QByteArray("(not there)");
        }
        [[nodiscard]] bool isThere(const QByteArray &name) const
        {
            struct stat found = {};
            return ::lstat(at(name).bytes().constData(), &found) == 0;
        }
        [[nodiscard]] std::optional<TrashRun::Outcome> run(const QList<FilePath> &targets, const FilePath &trash) const
        {
            TrashRun one(files.get(), targets, trash);
            std::optional<TrashRun::Outcome> said;
            int times = 0;
            connect(&one, &TrashRun::finished, &one, [&](const TrashRun::Outcome &outcome) {
                said = outcome;
                ++times;
            });
            one.start();
            (void)waitUntil([&] { return said.has_value(); }, 60'000);
            return times == 1 ? said : std::nullopt;
        }
        QTemporaryDir dir;
        RecordingPrompts prompts;
        std::unique_ptr<SshLink> link;
        std::unique_ptr<FileSystem> files;
    };
    static void places()
    {
        QTest::addColumn<bool>("isHere");
        QTest::newRow("here") << true;
        QTest::newRow("behind SSH") << false;
    }

private slots:
    void initTestCase()
    {
        m_sshd = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_sshd);
    }

    void whatIsMovedLiesThereWithWhereItWas_data() { places(); }
    void whatIsMovedLiesThereWithWhereItWas()
    {
        QFETCH(bool, isHere);
        Stage stage(isHere ? nullptr : m_sshd.get());
        stage.make("a b\xff%.txt", "content");
        QVERIFY(QDir(stage.dir.path()).mkpath(u"tree/deep"_s));
        stage.make("tree/deep/file");
        const auto outcome = stage.run({stage.at("a b\xff%.txt"), stage.at("tree")}, stage.at("Trash"));
        QVERIFY(outcome);
        QCOMPARE(outcome->moved.size(), 2);
        QCOMPARE(outcome->failed, 0);
        QVERIFY(!stage.isThere("a b\xff%.txt"));
        QCOMPARE(stage.read("Trash/files/a b\xff%.txt"), QByteArray("content"));
        QVERIFY(stage.isThere("Trash/files/tree/deep/file"));
        const QByteArrayList info = stage.read("Trash/info/a b\xff%.txt.trashinfo").split('\n');
        QCOMPARE(info.value(0), QByteArray("[Trash Info]"));
        QCOMPARE(info.value(1), "Path=" + QFile::encodeName(stage.dir.path()) + "/a%20b%FF%25.txt");
        QVERIFY(QDateTime::fromString(QString::fromLatin1(info.value(2)), u"'DeletionDate='yyyy-MM-ddTHH:mm:ss"_s).isValid());
        struct stat trash = {};
        QCOMPARE(::stat(stage.at("Trash").bytes().constData(), &trash), 0);
        QCOMPARE(trash.st_mode & 0777, mode_t(0700)); // nobody else's business
    }

    void aTakenNameGetsANumber_data() { places(); }
    void aTakenNameGetsANumber()
    {
        QFETCH(bool, isHere);
        Stage stage(isHere ? nullptr : m_sshd.get());
        for (const QByteArray content : {"first", "second"}) {
            stage.make("note.txt", content);
            const auto outcome = stage.run({stage.at("note.txt")}, stage.at("Trash"));
            QVERIFY(outcome);
            QCOMPARE(outcome->moved.size(), 1);
        }
        QCOMPARE(stage.read("Trash/files/note.txt"), QByteArray("first"));
        QCOMPARE(stage.read("Trash/files/note (2).txt"), QByteArray("second"));
        QVERIFY(stage.read("Trash/info/note (2).txt.trashinfo").contains("/note.txt\n"));
    }

    void theLongestNameFitsToo()
    {
        Stage stage(nullptr);
        const QByteArray name(255, 'n');
        stage.make(name);
        const auto outcome = stage.run({stage.at(name)}, stage.at("Trash"));
        QVERIFY(outcome);
        QCOMPARE(outcome->moved.size(), 1);
        QVERIFY(!stage.isThere(name));
    }

    void whatIsInTheTrashOrHoldsItStays()
    {
        Stage stage(nullptr);
        QVERIFY(QDir(stage.dir.path()).mkpath(u"home/Trash/files"_s));
        stage.make("home/Trash/files/old");
        const auto outcome = stage.run({stage.at("home/Trash/files/old"), stage.at("home"), stage.at("home/Trash")}, stage.at("home/Trash"));
        QVERIFY(outcome);
        QCOMPARE(outcome->unmovable.size(), 3);
        QVERIFY(stage.isThere("home/Trash/files/old"));
        QVERIFY(QDir(QFile::decodeName(stage.at("home/Trash/info").bytes())).isEmpty());
    }

    void whatLiesOnAnotherDiskStaysAndIsNamed_data() { places(); }
    void whatLiesOnAnotherDiskStaysAndIsNamed()
    {
        QFETCH(bool, isHere);
        Stage stage(isHere ? nullptr : m_sshd.get());
        QTemporaryDir other(u"/dev/shm/sandpiper-trash-XXXXXX"_s);
        struct stat one = {};
        struct stat two = {};
        if (!other.isValid() || ::stat(QFile::encodeName(other.path()).constData(), &one) != 0 || ::stat(QFile::encodeName(stage.dir.path()).constData(), &two) != 0 || one.st_dev == two.st_dev)
            QSKIP("There is one disk here.");
        stage.make("far");
        const auto outcome = stage.run({stage.at("far")}, filePath(QFile::encodeName(other.path()) + "/Trash"));
        QVERIFY(outcome);
        QCOMPARE(outcome->unmovable, QList<FilePath>{stage.at("far")});
        QVERIFY(stage.isThere("far"));
        QVERIFY(QDir(other.filePath(u"Trash/info"_s)).isEmpty()); // nothing is told of what is not there
    }

    void whatIsNotThereFailsAlone()
    {
        Stage stage(nullptr);
        stage.make("real");
        const auto outcome = stage.run({stage.at("gone"), stage.at("real")}, stage.at("Trash"));
        QVERIFY(outcome);
        QCOMPARE(outcome->failed, 1);
        QCOMPARE(outcome->errors.constFirst().kind, ErrorKind::NotFound);
        QCOMPARE(outcome->moved.size(), 1);
        QVERIFY(!stage.isThere("Trash/info/gone.trashinfo"));
    }
};

QTEST_GUILESS_MAIN(TestTrash)
#include "tst_trash.moc"

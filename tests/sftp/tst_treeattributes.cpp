// Permissions, owners and times of whole trees, on a real disk.
#include "sftp/localfilesystem.h"
#include "sftp/treeattributes.h"

#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr quint32 kFile = 0100000;
constexpr quint32 kFolder = 0040000;

} // namespace

class TestTreeAttributes : public QObject
{
    Q_OBJECT

    struct Stage
    {
        ~Stage() { QProcess::execute(u"chmod"_s, {u"-R"_s, u"u+rwX"_s, dir.path()}); }
        [[nodiscard]] QByteArray raw(const QString &name) const { return QFile::encodeName(dir.filePath(name)); }
        void folder(const QString &name, mode_t mode) const
        {
            QVERIFY(::mkdir(raw(name).constData(), 0700) == 0);
            QVERIFY(::chmod(raw(name).constData(), mode) == 0);
        }
        void file(const QString &name, mode_t mode) const
        {
            QFile made(dir.filePath(name));
            QVERIFY(made.open(QIODevice::WriteOnly));
            QVERIFY(::chmod(raw(name).constData(), mode) == 0);
        }
        [[nodiscard]] struct stat at(const QString &name) const
        {
            struct stat found = {};
            (void)::lstat(raw(name).constData(), &found);
            return found;
        }
        [[nodiscard]] quint32 mode(const QString &name) const { return at(name).st_mode & 07777; }
        [[nodiscard]] TreeWork::Target target(const QString &name) const
        {
            const struct stat found = at(name);
            FileAttributes attributes;
            attributes.mode = found.st_mode;
            attributes.owner = FileOwner{found.st_uid, found.st_gid};
            attributes.times = FileTimes{quint32(found.st_atime), quint32(found.st_mtime)};
            return {FilePath::fromBytes(raw(name)).value(), S_ISDIR(found.st_mode), attributes};
        }
        TreeWork::Outcome run(const QString &name, const AttributeChange &change, TreeAttributes::Reach reach)
        {
            TreeAttributes work(&files, {target(name)}, change, reach);
            QSignalSpy finished(&work, &TreeWork::finished);
            work.start();
            return finished.wait(30'000) ? work.outcome() : TreeWork::Outcome{-1, -1, {}};
        }
        QTemporaryDir dir;
        LocalFileSystem files{u"here"_s};
    };

private slots:
    void whatIsToBeSetFollowsFromWhatIsThere_data()
    {
        QTest::addColumn<AttributeChange>("change");
        QTest::addColumn<quint32>("before");
        QTest::addColumn<int>("place");
        QTest::addColumn<quint32>("after"); // 0: nothing is to be set
        using Execute = AttributeChange::Execute;
        const auto row = [](const char *name, const AttributeChange &change, quint32 before, TreePlace place, quint32 after) {
            QTest::newRow(name) << change << before << int(place) << after;
        };
        AttributeChange open{0755, 0022};
        row("as it is", open, kFolder | 0755, TreePlace::Chosen, 0);
        row("a chosen file gets all", open, kFile | 0600, TreePlace::Chosen, 0755);
        row("a folder inside gets all", open, kFolder | 0700, TreePlace::Inside, 0755);
        row("X: a plain file stays plain", open, kFile | 0600, TreePlace::Inside, 0644);
        row("X: a program gets all", open, kFile | 0700, TreePlace::Inside, 0755);
        open.execute = Execute::AsFolders;
        row("as folders", open, kFile | 0600, TreePlace::Inside, 0755);
        open.execute = Execute::Leave;
        row("leave", open, kFile | 0610, TreePlace::Inside, 0654);
        row("taken from all", {0, 0111}, kFile | 0755, TreePlace::Inside, 0644);
        row("others stay", {0020, 0}, kFile | 0640, TreePlace::Inside, 0660);
        row("set-ID not into files", {02070, 0}, kFile | 0600, TreePlace::Inside, 0660);
        row("set-ID into folders", {02070, 0}, kFolder | 0700, TreePlace::Inside, 02770);
        row("set-ID of a chosen file", {04000, 0}, kFile | 0755, TreePlace::Chosen, 04755);
        row("nothing known", {0777, 0}, 0, TreePlace::Chosen, 0777);
    }
    void whatIsToBeSetFollowsFromWhatIsThere()
    {
        QFETCH(AttributeChange, change);
        QFETCH(quint32, before);
        QFETCH(int, place);
        QFETCH(quint32, after);
        FileAttributes found;
        found.mode = before;
        QCOMPARE(wishFor(change, found, TreePlace(place)).mode.value_or(0), after);
        QVERIFY(!wishFor(change, found, TreePlace(place)).owner);
        QVERIFY(!wishFor(change, found, TreePlace(place)).times);
    }

    void anOwnerAloneKeepsTheGroup()
    {
        FileAttributes found;
        found.owner = FileOwner{1, 2};
        AttributeChange change;
        change.user = 7;
        QCOMPARE(wishFor(change, found, TreePlace::Inside).owner, (std::optional<FileOwner>(FileOwner{7, 2})));
        change.user = 1;
        QVERIFY(!wishFor(change, found, TreePlace::Inside).owner);
    }

    void aTreeGetsThem()
    {
        Stage stage;
        stage.folder(u"tree"_s, 0700);
        stage.folder(u"tree/sub"_s, 0700);
        stage.file(u"tree/plain"_s, 0600);
        stage.file(u"tree/sub/tool"_s, 0700);
        stage.file(u"outside"_s, 0600);
        QVERIFY(::symlink("../outside", stage.raw(u"tree/link"_s).constData()) == 0);
        const TreeWork::Outcome outcome = stage.run(u"tree"_s, {0755, 0022}, TreeAttributes::Reach::Trees);
        QCOMPARE(outcome.failed, 0);
        QCOMPARE(stage.mode(u"tree"_s), 0755u);
        QCOMPARE(stage.mode(u"tree/sub"_s), 0755u);
        QCOMPARE(stage.mode(u"tree/plain"_s), 0644u);
        QCOMPARE(stage.mode(u"tree/sub/tool"_s), 0755u);
        QCOMPARE(stage.mode(u"outside"_s), 0600u); // no link is followed
    }

    void whatIsChosenAloneIsAllThatChanges()
    {
        Stage stage;
        stage.folder(u"tree"_s, 0700);
        stage.file(u"tree/plain"_s, 0600);
        QCOMPARE(stage.run(u"tree"_s, {0755, 0}, TreeAttributes::Reach::Chosen).failed, 0);
        QCOMPARE(stage.mode(u"tree"_s), 0755u);
        QCOMPARE(stage.mode(u"tree/plain"_s), 0600u);
    }

    void aTreeIsShutFromTheInside()
    {
        Stage stage;
        stage.folder(u"tree"_s, 0755);
        stage.folder(u"tree/sub"_s, 0755);
        stage.file(u"tree/sub/file"_s, 0644);
        QCOMPARE(stage.run(u"tree"_s, {0, 0777}, TreeAttributes::Reach::Trees).failed, 0);
        QCOMPARE(stage.mode(u"tree"_s), 0u);
        QVERIFY(::chmod(stage.raw(u"tree"_s).constData(), 0700) == 0);
        QCOMPARE(stage.mode(u"tree/sub"_s), 0u);
        QVERIFY(::chmod(stage.raw(u"tree/sub"_s).constData(), 0700) == 0);
        QCOMPARE(stage.mode(u"tree/sub/file"_s), 0u);
        // And open again, folders before what is in them.
        QVERIFY(::chmod(stage.raw(u"tree/sub"_s).constData(), 0) == 0);
        QVERIFY(::chmod(stage.raw(u"tree"_s).constData(), 0) == 0);
        QCOMPARE(stage.run(u"tree"_s, {0700, 0}, TreeAttributes::Reach::Trees).failed, 0);
        QCOMPARE(stage.mode(u"tree/sub/file"_s), 0600u);
    }

    void timesOfFoldersHold()
    {
        Stage stage;
        stage.folder(u"tree"_s, 0755);
        stage.file(u"tree/file"_s, 0644);
        AttributeChange change;
        change.modified = 981'173'106;
        QCOMPARE(stage.run(u"tree"_s, change, TreeAttributes::Reach::Trees).failed, 0);
        QCOMPARE(stage.at(u"tree"_s).st_mtime, time_t(981'173'106));
        QCOMPARE(stage.at(u"tree/file"_s).st_mtime, time_t(981'173'106));
    }

    void ownersAreSetAndSetIdBitsStay()
    {
        if (::geteuid() != 0)
            QSKIP("only root gives files away");
        Stage stage;
        stage.folder(u"tree"_s, 0755);
        stage.file(u"tree/tool"_s, 04755);
        AttributeChange change;
        change.user = 1234;
        change.group = 2345;
        QCOMPARE(stage.run(u"tree"_s, change, TreeAttributes::Reach::Trees).failed, 0);
        QCOMPARE(stage.at(u"tree/tool"_s).st_uid, uid_t(1234));
        QCOMPARE(stage.at(u"tree"_s).st_gid, gid_t(2345));
        QCOMPARE(stage.mode(u"tree/tool"_s), 04755u);
    }

    void whatFailsIsNamedAndTheRestIsDone()
    {
        Stage stage;
        stage.file(u"a"_s, 0600);
        TreeWork::Target no = stage.target(u"a"_s);
        no.path = FilePath::fromBytes("/proc/self/status").value();
        TreeAttributes work(&stage.files, {no, stage.target(u"a"_s)}, {0044, 0}, TreeAttributes::Reach::Trees);
        QSignalSpy finished(&work, &TreeWork::finished);
        work.start();
        QVERIFY(finished.wait(30'000));
        QCOMPARE(work.outcome().failed, 1);
        QVERIFY(work.outcome().errors.constFirst().subject.contains(u"/proc/self/status"_s));
        QCOMPARE(stage.mode(u"a"_s), 0644u);
    }
};

QTEST_GUILESS_MAIN(TestTreeAttributes)
#include "tst_treeattributes.moc"

// Files of a real server that are edited here: what goes back, what is asked, what survives.
#include "session/runafter.h"
#include "sftp/fileedits.h"
#include "sftp/sftpfilesystem.h"
#include "tests/support/cuttableproxy.h"
#include "tests/support/sftprun.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QTest>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int kPatience = 60'000;

void put(const QString &name, const QByteArray &content)
{
    QFile file(name);
    QVERIFY2(file.open(QIODevice::WriteOnly), qPrintable(name));
    QCOMPARE(file.write(content), content.size());
}

QByteArray contentOf(const QString &name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(nothing there)");
}

mode_t modeOf(const QString &name)
{
    struct stat found = {};
    return ::stat(QFile::encodeName(name).constData(), &found) == 0 ? found.st_mode & 07777 : 0;
}

} // namespace

class TestEditSession : public QObject
{
    Q_OBJECT

    struct Stage
    {
        explicit Stage(TestSshd *sshd, const QString &subsystem = {})
            : server(subsystem.isEmpty() ? sshd : nullptr)
            , dir(sshd->folder() + u"/XXXXXX"_s)
        {
            if (!subsystem.isEmpty()) {
                own = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{subsystem});
                server = own.get();
                // The other server hides homes too: its own folder is where both see the files.
                thereFolder = own->folder() + u"/there"_s;
            } else {
                thereFolder = dir.filePath(u"there"_s);
            }
            proxy = std::make_unique<CuttableProxy>(server->port());
            options = server->options();
            options.endpoint.port = proxy->port();
            sandbox.id = {u"fake"_s, u"work"_s, u"box"_s};
            sandbox.name = u"box-1"_s;
            sandbox.state = SandboxState::Running;
            (void)QDir().mkpath(thereFolder);
            start();
        }
        void start()
        {
            FileEdits::Services services;
            services.folder = dir.filePath(u"edits"_s);
            services.settle = 20ms;
            services.retry = 200ms;
            services.standing = [this](const SandboxId &) {
                StandingFiles::Services made;
                made.plainHost = sandbox;
                made.open = [this](const Sandbox &box) -> Result<OpenedFiles> {
                    ++opened;
                    OpenedFiles files;
                    files.link = std::make_unique<SshLink>(options, &prompts);
                    files.files = std::make_unique<SftpFileSystem>(files.link.get(), box.displayName());
                    return files;
                };
                // Backing off is not what is tested.
                made.after = [](std::chrono::milliseconds, QObject *context, std::function<void()> fn) { return runAfter(100ms, context, std::move(fn)); };
                return made;
            };
            edits = std::make_unique<FileEdits>(services);
            QObject::connect(edits.get(), &FileEdits::opened, edits.get(), [this](const QString &id) { ready.append(id); });
        }
        void restart()
        {
            edits.reset();
            start();
        }
        [[nodiscard]] QString there(const QString &name) const { return thereFolder + u'/' + name; }
        QString edit(const QByteArray &name)
        {
            return edits->edit(sandbox.id, sandbox.name, remotePath(thereFolder.toUtf8() + '/' + name));
        }
        [[nodiscard]] QString fetched(const QByteArray &name)
        {
            const QString id = edit(name);
            return waitUntil([&] { return ready.contains(id); }, kPatience) ? id : QString();
        }
        [[nodiscard]] EditSession *session(const QString &id) const { return edits->session(id); }
        [[nodiscard]] QString here(const QString &id) const { return session(id)->localFile(); }
        [[nodiscard]] bool reaches(const QString &id, EditState state) const
        {
            return waitUntil([&] { return session(id)->status().state == state; }, kPatience);
        }
        [[nodiscard]] static bool holds(const QString &file, const QByteArray &content)
        {
            return waitUntil([&] { return contentOf(file) == content; }, kPatience);
        }
        [[nodiscard]] QByteArray said(const QString &id) const
        {
            const EditStatus &status = session(id)->status();
            return "state " + QByteArray::number(int(status.state)) + (status.error ? ": " + describe(*status.error).toUtf8() : QByteArray());
        }
        [[nodiscard]] QStringList hidden() const { return QDir(thereFolder).entryList({u".sandpiper-*"_s}, QDir::Files | QDir::Hidden); }
        // A file that was saved here, while another save there was not seen.
        QString conflict(const QByteArray &name)
        {
            put(there(QString::fromUtf8(name)), "as it was\n");
            const QString id = fetched(name);
            put(there(QString::fromUtf8(name)), "theirs\n");
            put(here(id), "mine\n");
            return reaches(id, EditState::Conflict) ? id : QString();
        }

        TestSshd *server;
        std::unique_ptr<TestSshd> own;
        QTemporaryDir dir;
        QString thereFolder;
        std::unique_ptr<CuttableProxy> proxy;
        LinkOptions options;
        Sandbox sandbox;
        RecordingPrompts prompts;
        int opened = 0;
        QStringList ready;
        std::unique_ptr<FileEdits> edits;
    };
    std::unique_ptr<TestSshd> m_sshd;
    AwkwardSftp m_awkward;

private slots:
    void initTestCase()
    {
        m_sshd = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_sshd);
    }

    void aCopyIsPrivateAndByteExact()
    {
        Stage stage(m_sshd.get());
        QByteArray every;
        for (int i = 0; i < 70'000; ++i)
            every += char(i * 7);
        put(stage.there(u"data.bin"_s), every);
        const QString id = stage.fetched("data.bin");
        QVERIFY2(!id.isEmpty(), "not fetched");
        QCOMPARE(contentOf(stage.here(id)), every);
        QCOMPARE(QFileInfo(stage.here(id)).fileName(), u"data.bin"_s);
        QCOMPARE(modeOf(stage.here(id)), mode_t(0600));
        QCOMPARE(modeOf(QFileInfo(stage.here(id)).absolutePath()), mode_t(0700));
        QCOMPARE(modeOf(stage.dir.filePath(u"edits"_s)), mode_t(0700));
        QCOMPARE(modeOf(stage.dir.filePath(u"edits/"_s + id + u".json"_s)), mode_t(0600));
        QCOMPARE(stage.session(id)->status().state, EditState::Same);
    }

    void aSaveGoesBack_data()
    {
        QTest::addColumn<QString>("how");
        for (const QString &how : {u"in place"_s, u"by a rename"_s, u"by a rename over a backup"_s, u"empty"_s, u"every byte"_s})
            QTest::newRow(qPrintable(how)) << how;
    }
    void aSaveGoesBack()
    {
        QFETCH(QString, how);
        Stage stage(m_sshd.get());
        put(stage.there(u"notes.txt"_s), "old\n");
        QVERIFY(QFile::setPermissions(stage.there(u"notes.txt"_s), QFile::Permissions(0x6440)));
        const mode_t mode = modeOf(stage.there(u"notes.txt"_s));
        const QString id = stage.fetched("notes.txt");
        QVERIFY(!id.isEmpty());
        const QString here = stage.here(id);
        QByteArray content = "new\n";
        if (how == "empty"_L1)
            content.clear();
        if (how == "every byte"_L1) {
            for (int i = 0; i < 256 * 300; ++i)
                content += char(i);
        }
        if (how == "by a rename"_L1) {
            put(here + u".new"_s, content);
            QVERIFY(::rename(qPrintable(here + u".new"_s), qPrintable(here)) == 0);
        } else if (how == "by a rename over a backup"_L1) {
            QVERIFY(QFile::rename(here, here + u'~'));
            put(here, content);
        } else {
            put(here, content);
        }
        QVERIFY2(Stage::holds(stage.there(u"notes.txt"_s), content), stage.said(id).constData());
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(modeOf(stage.there(u"notes.txt"_s)), mode);
        QCOMPARE(stage.hidden(), QStringList());
        // And the next one as well.
        put(here, "newer\n");
        QVERIFY2(Stage::holds(stage.there(u"notes.txt"_s), "newer\n"), stage.said(id).constData());
    }

    void aServerWithBadHabitsTakesASaveToo_data()
    {
        QTest::addColumn<QString>("habits");
        QTest::newRow("reorder") << u"reorder zero-names cap=10000"_s;
        QTest::newRow("no setstat") << u"no-setstat"_s;
    }
    void aServerWithBadHabitsTakesASaveToo()
    {
        QFETCH(QString, habits);
        Stage stage(m_sshd.get(), m_awkward.subsystem(habits));
        SANDPIPER_NEED_SSHD(*stage.own);
        put(stage.there(u"a"_s), "old");
        QVERIFY(::chmod(qPrintable(stage.there(u"a"_s)), 0750) == 0);
        const QString id = stage.fetched("a");
        QVERIFY(!id.isEmpty());
        const QByteArray large(300'000, 'x');
        put(stage.here(id), large);
        QVERIFY2(Stage::holds(stage.there(u"a"_s), large), stage.said(id).constData());
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(modeOf(stage.there(u"a"_s)), mode_t(0750)); // in place, where nothing else keeps it
        QCOMPARE(stage.hidden(), QStringList());
    }

    void aSaveOfTheSameIsNoSave()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"a.txt"_s), "same\n");
        const QString id = stage.fetched("a.txt");
        QVERIFY(!id.isEmpty());
        const QFileInfo before(stage.there(u"a.txt"_s));
        struct stat was = {};
        QVERIFY(::stat(qPrintable(before.filePath()), &was) == 0);
        put(stage.here(id), "same\n");
        put(stage.here(id), "other\n");
        put(stage.here(id), "same\n");
        QVERIFY(stage.reaches(id, EditState::Same));
        stage.session(id)->sendNow();
        QVERIFY(Stage::holds(stage.there(u"a.txt"_s), "same\n"));
        struct stat is = {};
        QVERIFY(::stat(qPrintable(before.filePath()), &is) == 0);
        QCOMPARE(is.st_ino, was.st_ino);
    }

    void aLinkIsFollowedAndStays()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"real.conf"_s), "old");
        QVERIFY(QFile::link(u"real.conf"_s, stage.there(u"link.conf"_s)));
        const QString id = stage.fetched("link.conf");
        QVERIFY(!id.isEmpty());
        put(stage.here(id), "new");
        QVERIFY(Stage::holds(stage.there(u"real.conf"_s), "new"));
        QVERIFY(QFileInfo(stage.there(u"link.conf"_s)).isSymLink());
        // By either name it is the same.
        QCOMPARE(stage.edit("real.conf"), id);
    }

    void aFolderThatIsNotOursIsWrittenInto()
    {
        if (::geteuid() == 0)
            QSKIP("root may write everywhere");
        Stage stage(m_sshd.get());
        put(stage.there(u"a"_s), "old");
        const QString id = stage.fetched("a");
        QVERIFY(!id.isEmpty());
        QVERIFY(::chmod(qPrintable(stage.thereFolder), 0555) == 0);
        put(stage.here(id), "new");
        QVERIFY2(Stage::holds(stage.there(u"a"_s), "new"), stage.said(id).constData());
        QVERIFY(::chmod(qPrintable(stage.thereFolder), 0755) == 0);
    }

    void anOwnerIsKept()
    {
        if (::geteuid() != 0)
            QSKIP("only root gives files away");
        Stage stage(m_sshd.get());
        put(stage.there(u"a"_s), "old");
        QVERIFY(::chown(qPrintable(stage.there(u"a"_s)), 1234, 2345) == 0);
        QVERIFY(::chmod(qPrintable(stage.there(u"a"_s)), 0640) == 0);
        const QString id = stage.fetched("a");
        QVERIFY(!id.isEmpty());
        put(stage.here(id), "new");
        QVERIFY(Stage::holds(stage.there(u"a"_s), "new"));
        struct stat is = {};
        QVERIFY(::stat(qPrintable(stage.there(u"a"_s)), &is) == 0);
        QCOMPARE(is.st_uid, uid_t(1234));
        QCOMPARE(is.st_gid, gid_t(2345));
        QCOMPARE(is.st_mode & 07777u, 0640u);
    }

    // What changed there as well --------------------------------------------------------------------

    void aChangeThereIsNeverOverwrittenUnasked_data()
    {
        QTest::addColumn<bool>("looksTheSame");
        QTest::newRow("of another size") << false;
        QTest::newRow("of the same size and time") << true;
    }
    void aChangeThereIsNeverOverwrittenUnasked()
    {
        QFETCH(bool, looksTheSame);
        Stage stage(m_sshd.get());
        const QString there = stage.there(u"a.txt"_s);
        put(there, "one\n");
        const QString id = stage.fetched("a.txt");
        QVERIFY(!id.isEmpty());
        struct stat was = {};
        QVERIFY(::stat(qPrintable(there), &was) == 0);
        put(there, looksTheSame ? "two\n" : "their two\n");
        if (looksTheSame) {
            const timespec times[] = {was.st_atim, was.st_mtim};
            QVERIFY(::utimensat(AT_FDCWD, qPrintable(there), times, 0) == 0);
        }
        put(stage.here(id), "mine\n");
        QVERIFY2(stage.reaches(id, EditState::Conflict), stage.said(id).constData());
        QCOMPARE(contentOf(there), QByteArray(looksTheSame ? "two\n" : "their two\n"));
        QCOMPARE(contentOf(stage.here(id)), QByteArray("mine\n"));
        const Result<EditDifference> both = waited(stage.session(id)->compare());
        QVERIFY(both.has_value());
        QCOMPARE(both->theirs, QByteArray(looksTheSame ? "two\n" : "their two\n"));
        QCOMPARE(both->mine, QByteArray("mine\n"));
    }

    void aConflictCanBeOverwritten()
    {
        Stage stage(m_sshd.get());
        const QString id = stage.conflict("a.txt");
        QVERIFY(!id.isEmpty());
        stage.session(id)->overwrite();
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("mine\n"));
    }

    void whatChangedSinceTheQuestionIsAskedAgain()
    {
        Stage stage(m_sshd.get());
        const QString id = stage.conflict("a.txt");
        QVERIFY(!id.isEmpty());
        put(stage.there(u"a.txt"_s), "theirs, once more\n");
        stage.session(id)->overwrite();
        QCOMPARE(stage.session(id)->status().state, EditState::Sending);
        QVERIFY2(stage.reaches(id, EditState::Conflict), stage.said(id).constData());
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("theirs, once more\n"));
    }

    void bothCanBeKept()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"a (2).txt"_s), "somebody else's\n");
        const QString id = stage.conflict("a.txt");
        QVERIFY(!id.isEmpty());
        stage.session(id)->keepBoth();
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("theirs\n"));
        QCOMPARE(contentOf(stage.there(u"a (2).txt"_s)), QByteArray("somebody else's\n"));
        QCOMPARE(contentOf(stage.there(u"a (3).txt"_s)), QByteArray("mine\n"));
        QCOMPARE(stage.hidden(), QStringList());
        // That is what is edited now.
        put(stage.here(id), "mine, again\n");
        QVERIFY(Stage::holds(stage.there(u"a (3).txt"_s), "mine, again\n"));
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("theirs\n"));
    }

    void theirsCanBeTaken()
    {
        Stage stage(m_sshd.get());
        const QString id = stage.conflict("a.txt");
        QVERIFY(!id.isEmpty());
        stage.session(id)->takeTheirs();
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(contentOf(stage.here(id)), QByteArray("theirs\n"));
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("theirs\n"));
        put(stage.here(id), "on top\n");
        QVERIFY2(Stage::holds(stage.there(u"a.txt"_s), "on top\n"), stage.said(id).constData());
    }

    void whatWasRemovedThereIsAskedAbout()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"a.txt"_s), "old");
        const QString id = stage.fetched("a.txt");
        QVERIFY(!id.isEmpty());
        QVERIFY(QFile::remove(stage.there(u"a.txt"_s)));
        put(stage.here(id), "mine");
        QVERIFY2(stage.reaches(id, EditState::Conflict), stage.said(id).constData());
        QVERIFY(stage.session(id)->status().isGoneThere);
        QVERIFY(!QFile::exists(stage.there(u"a.txt"_s)));
        stage.session(id)->overwrite();
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("mine"));
    }

    // Lost links and restarts ------------------------------------------------------------------------

    void aSaveWaitsForTheLink()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"a.txt"_s), "old");
        const QString id = stage.fetched("a.txt");
        QVERIFY(!id.isEmpty());
        stage.proxy->cut();
        put(stage.here(id), "new");
        QVERIFY2(stage.reaches(id, EditState::Waiting), stage.said(id).constData());
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("old"));
        stage.proxy->resume();
        QVERIFY2(Stage::holds(stage.there(u"a.txt"_s), "new"), stage.said(id).constData());
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
    }

    void aLinkThatBreaksWhileSendingLosesNothing_data()
    {
        QTest::addColumn<int>("after");
        for (const int after : {0, 1, 2, 3, 5, 8, 13})
            QTest::addRow("after %d pieces", after) << after;
    }
    void aLinkThatBreaksWhileSendingLosesNothing()
    {
        QFETCH(int, after);
        Stage stage(m_sshd.get());
        put(stage.there(u"a.bin"_s), "old");
        const QString id = stage.fetched("a.bin");
        QVERIFY(!id.isEmpty());
        QByteArray large;
        for (int i = 0; i < 8'000'000; ++i)
            large += char(i * 31 + i / 251);
        const qint64 before = stage.proxy->towardsClient();
        put(stage.here(id), large);
        QVERIFY(stage.reaches(id, EditState::Sending));
        QVERIFY(waitUntil([&] { return stage.proxy->towardsClient() > before + after * 150; }, kPatience));
        stage.proxy->cutOnce();
        const QByteArray now = contentOf(stage.there(u"a.bin"_s));
        QVERIFY(now == "old" || now == large); // never half of it
        QVERIFY2(Stage::holds(stage.there(u"a.bin"_s), large), stage.said(id).constData());
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QVERIFY(waitUntil([&] { return stage.hidden().isEmpty(); }, kPatience));
    }

    void aRestartKnowsWhatIsEdited()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"same.txt"_s), "same");
        put(stage.there(u"saved.txt"_s), "old");
        const QString same = stage.fetched("same.txt");
        const QString saved = stage.fetched("saved.txt");
        QVERIFY(!same.isEmpty() && !saved.isEmpty());
        const QString here = stage.here(saved);
        stage.edits.reset();
        put(here, "saved while nobody looked");
        stage.ready.clear();
        stage.start();
        QCOMPARE(stage.edits->edits(), QStringList({same, saved}));
        QVERIFY2(Stage::holds(stage.there(u"saved.txt"_s), "saved while nobody looked"), stage.said(saved).constData());
        QVERIFY2(stage.reaches(saved, EditState::Same), stage.said(saved).constData());
        QVERIFY2(stage.reaches(same, EditState::Same), stage.said(same).constData());
        QVERIFY(stage.ready.isEmpty()); // no editor is started by it
        // It is watched as before.
        put(stage.here(same), "other");
        QVERIFY2(Stage::holds(stage.there(u"same.txt"_s), "other"), stage.said(same).constData());
    }

    void aRestartWithNothingToSendConnectsNowhere()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"a"_s), "x");
        const QString id = stage.fetched("a");
        QVERIFY(!id.isEmpty());
        stage.opened = 0;
        stage.restart();
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(stage.opened, 0);
    }

    void aConflictIsAConflictAfterARestartToo()
    {
        Stage stage(m_sshd.get());
        const QString id = stage.conflict("a.txt");
        QVERIFY(!id.isEmpty());
        stage.restart();
        QVERIFY2(stage.reaches(id, EditState::Conflict), stage.said(id).constData());
        QCOMPARE(contentOf(stage.there(u"a.txt"_s)), QByteArray("theirs\n"));
    }

    // Killed after the rename there and before it was remembered here.
    void whatHasArrivedAlreadyIsNoConflict()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"a.txt"_s), "old");
        const QString id = stage.fetched("a.txt");
        QVERIFY(!id.isEmpty());
        const QString here = stage.here(id);
        stage.edits.reset();
        put(here, "arrived");
        put(stage.there(u"a.txt"_s), "arrived");
        stage.start();
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        put(here, "next");
        QVERIFY2(Stage::holds(stage.there(u"a.txt"_s), "next"), stage.said(id).constData());
    }

    // The end ----------------------------------------------------------------------------------------

    void stoppingRemovesWhatIsTheSame()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"a.txt"_s), "x");
        const QString id = stage.fetched("a.txt");
        QVERIFY(!id.isEmpty());
        const QString folder = QFileInfo(stage.here(id)).absolutePath();
        QCOMPARE(stage.edits->stop(id), QString());
        QVERIFY(waitUntil([&] { return !QFileInfo::exists(folder); }, kPatience));
        stage.restart();
        QCOMPARE(stage.edits->edits(), QStringList());
    }

    void stoppingKeepsWhatIsNotThere()
    {
        Stage stage(m_sshd.get());
        const QString id = stage.conflict("a.txt");
        QVERIFY(!id.isEmpty());
        const QString here = stage.here(id);
        QCOMPARE(stage.edits->stop(id), here);
        stage.restart();
        QCOMPARE(stage.edits->edits(), QStringList());
        QCOMPARE(contentOf(here), QByteArray("mine\n"));
    }

    void whatCannotBeFetchedSaysWhy()
    {
        Stage stage(m_sshd.get());
        const QString missing = stage.edit("missing");
        QVERIFY(stage.reaches(missing, EditState::Failed));
        QCOMPARE(stage.session(missing)->status().error->kind, ErrorKind::NotFound);
        (void)QDir().mkpath(stage.there(u"folder"_s));
        const QString folder = stage.edit("folder");
        QVERIFY(stage.reaches(folder, EditState::Failed));
        QCOMPARE(stage.edits->stop(missing), QString());
        // It is there now.
        QVERIFY(QDir().rmdir(stage.there(u"folder"_s)));
        put(stage.there(u"folder"_s), "x");
        QCOMPARE(stage.edit("folder"), folder);
        QVERIFY(waitUntil([&] { return stage.ready.contains(folder); }, kPatience));
    }

    void aLargeFileAsksFirst()
    {
        Stage stage(m_sshd.get());
        put(stage.there(u"large"_s), "x");
        QVERIFY(::truncate(qPrintable(stage.there(u"large"_s)), off_t(kEditAsksAbove + 1)) == 0);
        const QString id = stage.edit("large");
        QVERIFY(stage.reaches(id, EditState::AsksSize));
        QCOMPARE(stage.session(id)->status().size, std::optional<quint64>(kEditAsksAbove + 1));
        QVERIFY(!QFile::exists(stage.here(id)));
        stage.session(id)->fetchAnyway();
        QVERIFY2(stage.reaches(id, EditState::Same), stage.said(id).constData());
        QCOMPARE(QFileInfo(stage.here(id)).size(), qint64(kEditAsksAbove + 1));
    }

    void aHostileNameBecomesAHarmlessOne_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QString>("here");
        QTest::newRow("plain") << QByteArray("main.cpp") << u"main.cpp"_s;
        QTest::newRow("letters of others") << QByteArray("Füße 山.txt") << u"Füße 山.txt"_s;
        QTest::newRow("hidden") << QByteArray(".bashrc") << u".bashrc"_s;
        QTest::newRow("dash") << QByteArray("-rf.sh") << u"_-rf.sh"_s;
        QTest::newRow("up") << QByteArray("..%2f..%2fx.txt") << u".._2f.._2fx.txt"_s;
        QTest::newRow("backslash") << QByteArray("..\\..\\x.txt") << u".._.._x.txt"_s;
        QTest::newRow("line break") << QByteArray("a\nb.c") << u"a_b.c"_s;
        QTest::newRow("escape") << QByteArray("\x1b[2J\a.md") << u"__2J_.md"_s;
        QTest::newRow("shell") << QByteArray("$(reboot);`id`'\".py") << u"_(reboot)__id___.py"_s;
        QTest::newRow("turned around") << QByteArray("a\xe2\x80\xae" "fdp.exe") << u"a_fdp.exe"_s;
        QTest::newRow("no text") << QByteArray("\xff\xfe.txt") << u"ÿþ.txt"_s;
        QTest::newRow("only dots") << QByteArray("...") << u"..."_s;
        QTest::newRow("long") << QByteArray(250, 'n') + ".tex" << QString(196, u'n') + u".tex"_s;
    }
    void aHostileNameBecomesAHarmlessOne()
    {
        QFETCH(QByteArray, name);
        QFETCH(QString, here);
        QCOMPARE(safeLocalName(name), here);
        QCOMPARE(safeLocalName(here.toUtf8()), here);
        Stage stage(m_sshd.get());
        QFile file;
        const QByteArray path = QFile::encodeName(stage.thereFolder) + '/' + name;
        FILE *opened = ::fopen(path.constData(), "w");
        QVERIFY(opened);
        ::fputs("old", opened);
        ::fclose(opened);
        const QString id = stage.fetched(name);
        QVERIFY(!id.isEmpty());
        QCOMPARE(QFileInfo(stage.here(id)).absolutePath(), stage.dir.filePath(u"edits/"_s) + id);
        put(stage.here(id), "new");
        const auto holdsNew = [&] {
            FILE *again = ::fopen(path.constData(), "r");
            char text[8] = {};
            const size_t size = again ? ::fread(text, 1, sizeof(text), again) : 0;
            if (again)
                ::fclose(again);
            return QByteArrayView(text, qsizetype(size)) == "new";
        };
        QVERIFY2(waitUntil(holdsNew, kPatience), stage.said(id).constData());
    }

    void aJournalOfSomebodyElsesMakingLeadsNowhere_data()
    {
        QTest::addColumn<QByteArray>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::newRow("name leads out") << QByteArray("\"localName\": \"a.txt\"") << QByteArray("\"localName\": \"../../a.txt\"");
        QTest::newRow("id leads out") << QByteArray("\"id\": \"") << QByteArray("\"id\": \"../");
        QTest::newRow("no path") << QByteArray("\"path\": \"/") << QByteArray("\"path\": \"");
        QTest::newRow("no version") << QByteArray("\"version\": 1") << QByteArray("\"version\": 2");
        QTest::newRow("cut") << QByteArray("\"version\"") << QByteArray("\"vers");
        QTest::newRow("no hash") << QByteArray("\"sha256\": \"") << QByteArray("\"sha256\": \"zz");
    }
    void aJournalOfSomebodyElsesMakingLeadsNowhere()
    {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        EditRecord record = EditRecord::fresh({u"fake"_s, u"work"_s, u"box"_s}, u"box"_s, remotePath("/there/a.txt"));
        record.base = {7, 8, QByteArray(32, 'h')};
        record.isFetched = true;
        const QByteArray json = record.toJson();
        QCOMPARE(EditRecord::fromJson(json), std::optional(record));
        QByteArray changed = json;
        changed.replace(from, to);
        QVERIFY(changed != json);
        if (QByteArray(QTest::currentDataTag()) == "no hash")
            changed.replace("68686868", "");
        QCOMPARE(EditRecord::fromJson(changed), std::nullopt);
    }
};

QTEST_GUILESS_MAIN(TestEditSession)
#include "tst_editsession.moc"

// Two trees side by side: on this computer's disk, and on a real server.
#include "sftp/localfilesystem.h"
#include "sftp/sftpfilesystem.h"
#include "tests/sftp/filesystemrun.h"
#include "tests/sftp/treetext.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/sftprun.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QTest>

#include <map>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

} // namespace

class TestTreeCompare : public QObject
{
    Q_OBJECT

    std::map<QString, std::unique_ptr<TestSshd>> m_servers;
    AwkwardSftp m_awkward;
    std::unique_ptr<QTemporaryDir> m_dir;
    LocalFileSystem m_local{u"This computer"_s};
    RecordingPrompts m_prompts;
    std::unique_ptr<SshLink> m_link;
    std::unique_ptr<SftpFileSystem> m_remote;
    FileSystem *m_right = nullptr;

    void begin(const QString &kind)
    {
        m_dir = std::make_unique<QTemporaryDir>();
        QCOMPARE(shellIn(m_dir->path(), "mkdir l r"), "");
        m_right = &m_local;
        if (kind == "local"_L1)
            return;
        std::unique_ptr<TestSshd> &server = m_servers[kind];
        if (!server)
            server = kind == "sshd"_L1 ? std::make_unique<TestSshd>() : std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{m_awkward.subsystem(kind)});
        SANDPIPER_NEED_SSHD(*server);
        m_link = std::make_unique<SshLink>(server->options(), &m_prompts);
        m_remote = std::make_unique<SftpFileSystem>(m_link.get(), u"box"_s);
        m_link->connectToHost();
        m_right = m_remote.get();
    }
    [[nodiscard]] FilePath at(const QString &name) const { return filePath(m_dir->filePath(name).toLocal8Bit()); }
    [[nodiscard]] TreeCompare::Place left() { return {&m_local, at(u"l"_s)}; }
    [[nodiscard]] TreeCompare::Place right() { return {m_right, at(u"r"_s)}; }
    [[nodiscard]] QByteArray make(const QByteArray &script) const { return shellIn(m_dir->path(), script); }

private slots:
    void cleanup()
    {
        m_remote.reset();
        m_link.reset();
        if (m_dir)
            (void)make("rm -rf ./*"); // what Qt does not: names that are no UTF-8, and long paths
        m_dir.reset();
    }
    void cleanupTestCase() { m_servers.clear(); }

    void eachDifferenceIsNamed_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QByteArray>("script");
        QTest::addColumn<QByteArray>("wanted");
        for (const char *kind : {"local", "sshd"}) {
            const auto row = [kind](const char *name, const QByteArray &script, const QByteArray &wanted) { QTest::addRow("%s, %s", name, kind) << QString::fromLatin1(kind) << script << wanted; };
            row("nothing", "true", "");
            row("same", "echo 1 >l/a; cp -p l/a r", "same: a");
            row("size", "echo 1 >l/a; echo 22 >r/a; touch -r l/a r/a", "differs size: a");
            row("time", "echo 1 >l/a; echo 1 >r/a; touch -d 2001-02-03 l/a", "differs time: a");
            row("time within the tolerance", "echo 1 >l/a; echo 1 >r/a; touch -d 2001-02-03T04:05:06 l/a; touch -d 2001-02-03T04:05:07 r/a", "same: a");
            row("time beyond it", "echo 1 >l/a; echo 1 >r/a; touch -d 2001-02-03T04:05:06 l/a; touch -d 2001-02-03T04:05:08 r/a", "differs time: a");
            row("mode", "echo 1 >l/a; cp -p l/a r; chmod 600 l/a; chmod 640 r/a", "differs mode: a");
            row("mode of a folder", "mkdir l/d r/d; chmod 700 l/d; chmod 755 r/d", "differs mode: d");
            row("only left", "mkdir l/d; touch l/d/a", "left: d\nleft: d/a");
            row("only right", "mkdir -p r/d/e; touch r/d/e/a", "right: d\nright: d/e\nright: d/e/a");
            row("deep", "mkdir -p l/a/b r/a/b; touch -d 2001-02-03 l/a/b/c r/a/b/c; touch r/a/b/d", "right: a/b/d\nsame: a\nsame: a/b\nsame: a/b/c");
            row("file and folder", "touch l/a; mkdir r/a; touch r/a/in", "differs kind: a\nright: a/in");
            row("link and folder", "mkdir l/a; touch l/a/in; ln -s /etc r/a", "differs kind: a\nleft: a/in");
            row("link and file", "touch l/a; ln -s /etc/passwd r/a", "differs kind: a");
            row("links", "ln -s one l/a; ln -s one r/a; ln -s one l/b; ln -s two r/b", "differs link: b\nsame: a");
            row("links are not followed", "mkdir d; touch d/in; ln -s ../d l/a; ln -s ../d r/a; ln -s . l/loop", "left: loop\nsame: a");
            row("special", "mkfifo l/a r/a l/b; touch r/b", "differs kind: b\nsame: a");
            row("names", R"(touch $'l/\xff\xfe' $'r/\xff\xff' $'l/new\nline' l/-dash 'l/*')", "left: *\nleft: -dash\nleft: new\nline\nleft: \xff\xfe\nright: \xff\xff");
            row("what is half is nobody's", "touch l/.sandpiper-abc-0123.part r/.sandpiper-abd-0123.part l/.sandpiper", "left: .sandpiper");
        }
    }
    void eachDifferenceIsNamed()
    {
        QFETCH(QString, kind);
        QFETCH(QByteArray, script);
        begin(kind);
        QCOMPARE(make(script), "");
        Compared compared(left(), right());
        QVERIFY2(compared.isWhole(), qPrintable(describe(compared.error().value_or(Error()))));
        QTEST(compared.lines(), "wanted");
    }

    void contentDecidesWhereItIsAsked_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::newRow("local") << u"local"_s;
        QTest::newRow("sshd") << u"sshd"_s;
    }
    void contentDecidesWhereItIsAsked()
    {
        QFETCH(QString, kind);
        begin(kind);
        QCOMPARE(make("head -c 9000000 /dev/zero >l/same; cp l/same r; cp l/same l/other; cp l/same r/other; printf x | dd of=r/other conv=notrunc bs=1 seek=8999999 2>/dev/null;"
                      "touch -d 2001-02-03 l/*; echo 1 >l/size; echo 22 >r/size; : >l/empty; : >r/empty; touch -d 2001-02-03 r/empty"), "");
        CompareOptions options;
        options.readsContent = true;
        Compared compared(left(), right(), options);
        QCOMPARE(compared.lines(), "differs size: size\ndiffers time content read: other\ndiffers time read: empty\ndiffers time read: same");
    }

    void whatIsExcludedIsNotLookedInto_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::newRow("local") << u"local"_s;
        QTest::newRow("a server that does not say what is a folder") << u"reorder zero-names"_s;
    }
    void whatIsExcludedIsNotLookedInto()
    {
        QFETCH(QString, kind);
        begin(kind);
        QCOMPARE(make("mkdir -p l/node_modules/x r/node_modules r/sub/node_modules r/build l/src/build; touch l/a.o r/b.o r/keep l/src/build/in"), "");
        CompareOptions options;
        options.excludes = Excludes::fromPatterns({"*.o", "node_modules/", "/build"}).value();
        Compared compared(left(), right(), options);
        QCOMPARE(compared.lines(), "left: src\nleft: src/build\nleft: src/build/in\nout: a.o\nout: b.o\nout: build\nout: node_modules\nout: sub/node_modules\nright: keep\nright: sub");
    }

    // Also root cannot open a path that is too long.
    void whatCannotBeListedIsARowAndTheRestGoesOn()
    {
        begin(u"local"_s);
        const QByteArray name(250, 'n');
        const QByteArray top(200, 'l');
        QCOMPARE(make("mkdir " + top + "; for side in " + top + " r; do (cd $side; for i in {1..16}; do mkdir " + name + "; cd " + name + "; done; touch in; [ $side != r ] || touch only); done; touch "
                      + top + "/z"), "");
        Compared compared({&m_local, at(QString::fromLatin1(top))}, right());
        QVERIFY(compared.isWhole());
        FilePath deepest;
        for (int i = 0; i < 16; ++i)
            deepest = deepest.child(name).value();
        QCOMPARE(compared.rows.size(), 18); // 16 folders, the failure, and z; not the deepest one's files
        QVERIFY(compared.lines().contains("failed invalid input: " + deepest.bytes()) && compared.lines().contains("left: z"));
    }

    void hostileNamesAreARow()
    {
        begin(u"at=12 do=names"_s);
        QCOMPARE(make("touch l/a"), "");
        Compared compared(left(), right());
        QVERIFY(compared.isWhole());
        QVERIFY2(compared.lines().contains("failed protocol error: "), compared.lines().constData());
        for (const CompareRow &row : compared.rows)
            QVERIFY(row.path.isEmpty() || isPlainName(row.path.bytes()));
    }

    void aCoarseClockIsAllowedFor()
    {
        QCOMPARE(clockStep(0x4d44), 2u); // FAT
        QCOMPARE(clockStep(0xef53), 1u); // ext4
        begin(u"local"_s);
        QCOMPARE(make("touch l/a r/a l/b r/b; touch -d 2001-02-03T04:05:06 l/*; touch -d 2001-02-03T04:05:08 r/a; touch -d 2001-02-03T04:05:09 r/b"), "");
        CompareOptions options;
        options.secondsApart = 2;
        QCOMPARE(Compared(left(), right(), options).lines(), "differs time: b\nsame: a");
    }

    void aMissingTopIsAnErrorUnlessItMayBe()
    {
        begin(u"local"_s);
        QCOMPARE(make("touch l/a; touch r/file"), "");
        TreeCompare::Place nowhere{&m_local, at(u"nowhere"_s)};
        Compared refused(left(), nowhere);
        QCOMPARE(refused.error().value_or(Error()).kind, ErrorKind::NotFound);
        QVERIFY(refused.rows.isEmpty());
        nowhere.mayBeMissing = true;
        Compared allowed(left(), nowhere);
        QVERIFY(allowed.isWhole());
        QCOMPARE(allowed.lines(), "left: a");
        Compared file(left(), {&m_local, at(u"r/file"_s)});
        QCOMPARE(file.error().value_or(Error()).kind, ErrorKind::InvalidInput);
    }

    void aLostConnectionEndsIt()
    {
        m_servers.clear();
        begin(u"sshd"_s);
        QCOMPARE(make("mkdir -p l/{1..9}/{1..9}/{1..9}; cp -a l/. r"), "");
        TreeCompare compare(left(), right(), {});
        QList<Done> ends;
        connect(&compare, &TreeCompare::finished, this, [&](const Done &end) { ends.append(end); });
        connect(&compare, &TreeCompare::found, this, [this] { m_servers.begin()->second->kill(); });
        compare.start();
        QVERIFY(waitUntil([&] { return !ends.isEmpty(); }, kPatience));
        QCOMPARE(ends.size(), 1);
        QVERIFY(!ends.first());
        QCOMPARE(ends.first().error().kind, ErrorKind::ConnectionLost);
        m_servers.clear();
    }

    void itCanBeStoppedAtAnyMoment()
    {
        begin(u"sshd"_s);
        QCOMPARE(make("mkdir -p l/{1..9}/{1..9}; cp -a l/. r; for i in l/*; do ln -s x $i/link; done; cp -a l/. r; echo 1 >l/f; echo 2 >r/f; touch -d 2001-02-03 l/f"), "");
        CompareOptions options;
        options.readsContent = true;
        for (int turns = 0; turns < 40; ++turns) {
            auto compare = std::make_unique<TreeCompare>(left(), right(), options);
            compare->start();
            for (int turn = 0; turn < turns; ++turn)
                QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 5);
            compare.reset();
        }
        Compared whole(left(), right(), options);
        QVERIFY(whole.isWhole());
    }

    void manyNamesInOneFolderAreCompared()
    {
        begin(u"sshd"_s);
        QCOMPARE(make("cd l; seq 30000 | xargs touch -d 2001-02-03; cp -a . ../r; rm 77 88; touch extra; rm ../r/99"), "");
        Compared compared(left(), right());
        QByteArrayList other;
        for (const QByteArray &line : compared.lines().split('\n')) {
            if (!line.startsWith("same"))
                other.append(line);
        }
        QCOMPARE(compared.rows.size(), 30001);
        QCOMPARE(other.join('\n'), "left: 99\nleft: extra\nright: 77\nright: 88");
    }
};

QTEST_GUILESS_MAIN(TestTreeCompare)
#include "tst_treecompare.moc"

// One tree becomes as the other: the plan, and what is left on the disks when it was carried out.
#include "sftp/localfilesystem.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/treesync.h"
#include "tests/sftp/filesystemrun.h"
#include "tests/sftp/treetext.h"
#include "tests/support/testsshd.h"
#include "tests/support/transferrunner.h"

#include <QTest>

#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000;

// "left d sub", "differs size f a", "kind f d a": what is on the left, and on the right; "failed sub", "out sub".
QList<CompareRow> rowsOf(const QByteArray &text)
{
    using State = CompareRow::State;
    const auto attributes = [](char kind) {
        FileAttributes made;
        made.mode = (kind == 'd' ? S_IFDIR : kind == 'l' ? S_IFLNK : kind == 'p' ? S_IFIFO : S_IFREG) | 0644U;
        made.size = 7;
        return made;
    };
    QList<CompareRow> rows;
    for (const QByteArray &line : text.split('\n')) {
        const QByteArrayList words = line.split(' ');
        CompareRow row;
        row.path = filePath(words.last() == "." ? QByteArray() : words.last());
        if (words.first() == "left") {
            row.state = State::OnlyLeft;
            row.left = attributes(words.at(1).front());
        } else if (words.first() == "right") {
            row.state = State::OnlyRight;
            row.right = attributes(words.at(1).front());
        } else if (words.first() == "failed") {
            row.state = State::Failed;
            row.error = Error{ErrorKind::PermissionDenied, Layer::Sftp, {}, {}};
        } else if (words.first() == "out") {
            row.state = State::LeftOut;
        } else {
            row.left = attributes(words.at(1).front());
            row.right = attributes(words.first() == "kind" ? words.at(2).front() : words.at(1).front());
            row.state = words.first() == "same" ? State::Same : State::Differs;
            const std::pair<const char *, Difference> differences[] = {{"kind", Difference::Kind}, {"size", Difference::Size}, {"time", Difference::Time}, {"read", Difference::Time},
                                                                       {"link", Difference::LinkTarget}, {"mode", Difference::Mode}};
            for (const auto &[word, difference] : differences) {
                if (words.first() == word)
                    row.differences = difference;
            }
            row.isRead = words.first() == "read";
        }
        rows.append(row);
    }
    return rows;
}

QByteArray textOf(const SyncPlan &plan)
{
    QByteArrayList lines;
    for (const SyncStep &step : plan.steps) {
        const char *const words[] = {"folder", "copy", "replace", "adjust", "remove", "leave"};
        lines.append(QByteArray(words[int(step.action)]) + (step.isLate ? " late" : "") + (step.clears ? " clears " : " ") + step.path.bytes());
    }
    return lines.join('\n');
}

} // namespace

class TestTreeSync : public QObject
{
    Q_OBJECT

    std::unique_ptr<TestSshd> m_server;
    std::unique_ptr<QTemporaryDir> m_dir; // "source" and "target" in it
    LocalFileSystem m_local{u"This computer"_s};
    RecordingPrompts m_prompts;
    std::unique_ptr<SshLink> m_link;
    std::unique_ptr<SftpFileSystem> m_remote;
    std::unique_ptr<TransferRunner> m_runner;
    bool m_sends = true;

    void begin(bool sends)
    {
        m_sends = sends;
        m_dir = std::make_unique<QTemporaryDir>();
        QCOMPARE(make("mkdir source target"), "");
        m_link = std::make_unique<SshLink>(m_server->options(), &m_prompts);
        m_remote = std::make_unique<SftpFileSystem>(m_link.get(), u"box"_s);
        m_link->connectToHost();
        m_runner = std::make_unique<TransferRunner>(m_server->options(), m_dir->filePath(u"journal"_s));
    }
    [[nodiscard]] QByteArray make(const QByteArray &script) const { return shellIn(m_dir->path(), script); }
    [[nodiscard]] FilePath at(const QString &name) const { return filePath(m_dir->filePath(name).toLocal8Bit()); }
    [[nodiscard]] FileSystem *source() { return m_sends ? static_cast<FileSystem *>(&m_local) : m_remote.get(); }
    [[nodiscard]] FileSystem *target() { return m_sends ? static_cast<FileSystem *>(m_remote.get()) : &m_local; }
    [[nodiscard]] QList<CompareRow> compare(const CompareOptions &options = {})
    {
        const Compared compared({source(), at(u"source"_s)}, {target(), at(u"target"_s), true}, options);
        return compared.isWhole() ? compared.rows : rowsOf("failed .");
    }
    [[nodiscard]] std::unique_ptr<TreeSync> prepare(const SyncPlan &plan)
    {
        return std::make_unique<TreeSync>(TreeSync::Places{source(), at(u"source"_s), target(), at(u"target"_s), {u"ssh"_s, u"test"_s, u"server"_s}, u"box"_s}, plan, m_runner->queue.get());
    }
    [[nodiscard]] TreeSync::Outcome run(const SyncPlan &plan)
    {
        const std::unique_ptr<TreeSync> sync = prepare(plan);
        QList<TreeSync::Outcome> outcomes;
        connect(sync.get(), &TreeSync::finished, this, [&](const TreeSync::Outcome &outcome) { outcomes.append(outcome); });
        sync->start();
        (void)waitUntil([&] { return !outcomes.isEmpty(); }, kPatience);
        TreeSync::Outcome none;
        none.failed = -1;
        return outcomes.value(0, none);
    }
    [[nodiscard]] static QByteArray said(const TreeSync::Outcome &outcome)
    {
        QByteArray text = "moved " + QByteArray::number(outcome.filesMoved) + ", adjusted " + QByteArray::number(outcome.adjusted) + ", removed " + QByteArray::number(outcome.removed) + ", failed "
                + QByteArray::number(outcome.failed) + ", held back " + QByteArray::number(outcome.heldBack);
        for (const TransferFailure &failure : outcome.failures)
            text += "\n" + failure.path.shown().toUtf8() + ": " + describe(failure.error).toUtf8();
        if (outcome.error)
            text += "\n" + describe(*outcome.error).toUtf8();
        return text;
    }
    // Names and kinds of all that is in it.
    [[nodiscard]] QByteArray listOf(const QByteArray &folder) const
    {
        return make("cd " + folder + R"(; find . -mindepth 1 -printf '%P%y\n' | LC_ALL=C sort | tr '\n' ' ' >&2)").trimmed();
    }
    static void bothWays()
    {
        QTest::addColumn<bool>("sends");
        QTest::newRow("to a server") << true;
        QTest::newRow("from a server") << false;
    }

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
    }
    void cleanup()
    {
        m_runner.reset();
        m_remote.reset();
        m_link.reset();
        if (m_dir)
            (void)make("chmod -R u+rwx .; rm -rf ./*");
        m_dir.reset();
    }
    void cleanupTestCase() { m_server.reset(); }

    void aPlanSaysWhatIsToBeDone_data()
    {
        QTest::addColumn<QByteArray>("rows");
        QTest::addColumn<bool>("removes");
        QTest::addColumn<QByteArray>("wanted");
        const auto row = [](const char *name, const QByteArray &rows, bool removes, const QByteArray &wanted) { QTest::newRow(name) << rows << removes << wanted; };
        row("nothing", "same d a\nsame f a/b", true, "");
        row("new", "left f a/b\nleft d a\nleft l c", false, "folder a\ncopy a/b\ncopy c");
        row("changed", "size f a\ntime f b\nlink l c", false, "replace a\nreplace b\nreplace c");
        row("adjusted", "mode f a\nmode d b\nread f c", false, "adjust a\nadjust b\nadjust c");
        row("only there stays", "right f a\nright d b", false, "");
        row("only there goes", "right d b\nright f a\nright f b/c\nright d b/d", true, "remove b/d\nremove b/c\nremove b\nremove a");
        row("special", "left p a\nright p b", true, "leave a\nremove b");
        row("failed", "failed a\nright f a/b\nright d c\nright f c/d\nright f e", true, "leave a\nremove e\nremove c/d\nremove c");
        row("failed below", "right d a\nright d a/b\nfailed a/b\nright f a/c", true, "leave a/b\nremove a/c");
        row("failed at the top", "failed .\nright f a\nleft f b", true, "leave \ncopy b");
        row("left out", "right d a\nout a/b\nright f a/c\nout d", true, "remove a/c");
        row("folder for a file", "kind d f a\nleft f a/b", false, "replace late clears a\ncopy late a/b");
        row("file for a link", "kind f l a", false, "replace late clears a");
        row("file for a folder", "kind f d a\nright f a/b", false, "leave a");
        row("file for a folder, removing", "kind f d a\nright f a/b\nright f c", true, "replace late clears a\nremove c\nremove late a/b");
        row("file for a folder of which something stays", "kind f d a\nright f a/b\nout a/c", true, "leave a");
        row("nothing for a folder", "kind p d a\nright f a/b", true, "leave a");
        row("names alike", "right d a\nright f a-b\nright f a/b", true, "remove a/b\nremove a-b\nremove a");
    }
    void aPlanSaysWhatIsToBeDone()
    {
        QFETCH(QByteArray, rows);
        QFETCH(bool, removes);
        QTEST(textOf(planSync(rowsOf(rows), SyncWay::LeftToRight, removes)), "wanted");
    }
    void aPlanTheOtherWayIsItsMirror()
    {
        QCOMPARE(textOf(planSync(rowsOf("left f a\nright f b\nsize f c\nkind f d e"), SyncWay::RightToLeft, true)), "copy b\nreplace c\nreplace late clears e\nremove a"_ba);
    }

    void theTargetBecomesAsTheSource_data() { bothWays(); }
    void theTargetBecomesAsTheSource()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make(R"(cd source; mkdir -p same new/in/deep empty 'a b'; echo 1 >same/file; echo 2 >new/in/deep/file; echo 3 >'a b/changed'; echo 4 >$'new/\xff'; ln -s ../same new/link
                      printf '#!/bin/sh\n' >tool; chmod 755 tool; mkdir was-file; echo 5 >was-file/in; echo 6 >was-link; ln -s here moved; mkdir shut; echo 7 >shut/in; chmod 500 shut
                      head -c 20000000 /dev/urandom >large
                      cd ../target; mkdir -p same 'a b' gone/deep elsewhere; cp -p ../source/same/file same; echo old >'a b/changed'; touch -d 2001-02-03 'a b/changed'; echo g >gone/deep/file; echo w >was-file
                      ln -s elsewhere was-link; echo kept >elsewhere/kept; ln -s there moved; cp -p ../source/tool .; chmod 600 tool; ln -s ../source gone/link; head -c 100 /dev/zero >large)"), "");
        const SyncPlan plan = planSync(compare(), SyncWay::LeftToRight, true);
        const TreeSync::Outcome outcome = run(plan);
        QVERIFY2(outcome.isWhole(), said(outcome).constData());
        QCOMPARE(outcome.adjusted, 1);
        QCOMPARE(outcome.removed, 4 + 2 + 2); // gone with what was in it, elsewhere, and what had was-file's and was-link's names
        for (const CompareRow &row : compare())
            QVERIFY2(row.state == CompareRow::State::Same, lineOf(row).constData());
        QCOMPARE(make("diff -r --no-dereference source target >&2"), "");
        QCOMPARE(make("stat -c '%a %n' target/tool target/shut >&2"), "755 target/tool\n500 target/shut\n");
        QCOMPARE(make("find source target -name '.sandpiper*' >&2; test -f source/same/file || echo gone >&2"), "");
    }

    void whatIsOnlyThereStaysUnlessItIsToGo_data() { bothWays(); }
    void whatIsOnlyThereStaysUnlessItIsToGo()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("echo 1 >source/new; echo 2 >target/other; mkdir target/folder; touch source/clash; mkdir target/clash; touch target/clash/in"), "");
        const SyncPlan plan = planSync(compare(), SyncWay::LeftToRight, false);
        QCOMPARE(plan.leftOut, 1);
        QCOMPARE(plan.onlyThere, 3);
        const TreeSync::Outcome outcome = run(plan);
        QVERIFY2(outcome.isWhole(), said(outcome).constData());
        QCOMPARE(listOf("target"), "clash/inf clashd folderd newf otherf");
    }

    void aMissingTargetIsMade_data() { bothWays(); }
    void aMissingTargetIsMade()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("rmdir target; mkdir source/only"), "");
        const TreeSync::Outcome outcome = run(planSync(compare(), SyncWay::LeftToRight, true));
        QVERIFY2(outcome.isWhole(), said(outcome).constData());
        QCOMPARE(listOf("target"), "onlyd");
    }

    void nothingGoesWhereSomethingFailed_data() { bothWays(); }
    void nothingGoesWhereSomethingFailed()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("touch source/vanishes source/new target/old; touch source/clash; mkdir target/clash; touch target/clash/in"), "");
        const SyncPlan plan = planSync(compare(), SyncWay::LeftToRight, true);
        QCOMPARE(make("rm source/vanishes"), "");
        const TreeSync::Outcome outcome = run(plan);
        QCOMPARE(outcome.failed, 1);
        QCOMPARE(outcome.heldBack, 3);
        QCOMPARE(listOf("target"), "clash/inf clashd newf oldf");
    }

    void whatIsExcludedStays_data() { bothWays(); }
    void whatIsExcludedStays()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("mkdir source/src target/src target/old; touch source/src/a source/src/a.o target/src/b.o target/old/c.o target/old/d"), "");
        CompareOptions options;
        options.excludes = Excludes::fromPatterns({"*.o"}).value();
        const TreeSync::Outcome outcome = run(planSync(compare(options), SyncWay::LeftToRight, true));
        QVERIFY2(outcome.isWhole(), said(outcome).constData());
        QCOMPARE(listOf("target"), "old/c.of oldd src/af src/b.of srcd");
    }

    // Between the look and the deed.
    void aLinkThatWasPutThereIsNotFollowed_data() { bothWays(); }
    void aLinkThatWasPutThereIsNotFollowed()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("mkdir -p outside/in target/old/in; touch outside/in/precious target/old/in/precious; chmod 600 outside/in/precious; mkdir -p source/sub target/sub; touch source/sub/a; cp -p source/sub/a target/sub; chmod 640 source/sub/a"), "");
        const SyncPlan plan = planSync(compare(), SyncWay::LeftToRight, true);
        QCOMPARE(textOf(plan), "adjust sub/a\nremove old/in/precious\nremove old/in\nremove old"_ba);
        QCOMPARE(make("rm -r target/old target/sub; ln -s ../outside target/old; ln -s ../outside target/sub; cp -p outside/in/precious outside/a"), "");
        const TreeSync::Outcome outcome = run(plan);
        QCOMPARE(outcome.failed, 1);
        QCOMPARE(outcome.removed, 0);
        SyncPlan removals = plan;
        removals.steps.removeFirst();
        const TreeSync::Outcome second = run(removals);
        QVERIFY(!second.isWhole());
        QCOMPARE(make("stat -c '%a %n' outside/in/precious outside/a >&2"), "600 outside/in/precious\n600 outside/a\n");
    }

    void onlyWhatWasSeenGoes_data() { bothWays(); }
    void onlyWhatWasSeenGoes()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("mkdir -p target/old/in; touch target/old/in/a target/b"), "");
        const SyncPlan plan = planSync(compare(), SyncWay::LeftToRight, true);
        QCOMPARE(make("touch target/old/in/new; rm target/b"), "");
        const TreeSync::Outcome outcome = run(plan);
        QCOMPARE(outcome.failed, 1); // the folder that is not empty; the one above it follows from that
        QCOMPARE(outcome.removed, 2);
        QCOMPARE(listOf("target"), "old/in/newf old/ind oldd");
    }

    void aCancelledOneRemovesNothing_data() { bothWays(); }
    void aCancelledOneRemovesNothing()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("head -c 50000000 /dev/zero >source/large; touch target/old"), "");
        const std::unique_ptr<TreeSync> sync = prepare(planSync(compare(), SyncWay::LeftToRight, true));
        QList<TreeSync::Outcome> outcomes;
        connect(sync.get(), &TreeSync::finished, this, [&](const TreeSync::Outcome &outcome) { outcomes.append(outcome); });
        connect(sync.get(), &TreeSync::transferAdded, this, [&] { sync->cancel(); }, Qt::QueuedConnection);
        sync->start();
        QVERIFY(waitUntil([&] { return !outcomes.isEmpty(); }, kPatience));
        QVERIFY(outcomes.first().isCancelled);
        QCOMPARE(listOf("target"), "oldf");
    }

    void aWishWithABaseComesBackFromTheJournal()
    {
        begin(true);
        m_runner->refusal = Error{ErrorKind::ConnectionRefused, Layer::Tcp, {}, {}};
        TransferWish wish = TransferRunner::wish(TransferWay::Send, {"/a/b/c", "/a/d"}, "/x");
        wish.base = filePath("/a");
        const qint64 id = m_runner->queue->add(wish);
        QVERIFY(waitUntil([&] { return m_runner->queue->progress(id).state == TransferState::Waiting; }, kPatience));
        m_runner = std::make_unique<TransferRunner>(m_server->options(), m_dir->filePath(u"journal"_s));
        m_runner->refusal = Error{ErrorKind::ConnectionRefused, Layer::Tcp, {}, {}};
        QVERIFY(waitUntil([&] { return !m_runner->queue->transfers().isEmpty(); }, kPatience));
        QCOMPARE(m_runner->queue->wish(m_runner->queue->transfers().first()).base.bytes(), "/a"_ba);
    }

    void sourcesOutsideOfTheBaseAreRefused_data() { bothWays(); }
    void sourcesOutsideOfTheBaseAreRefused()
    {
        QFETCH(bool, sends);
        begin(sends);
        QCOMPARE(make("mkdir -p source/sub source2; touch source/sub/a source2/b source/c; ln -s sub source/link"), "");
        TransferWish wish = TransferRunner::wish(sends ? TransferWay::Send : TransferWay::Fetch, {}, at(u"target"_s).bytes());
        wish.base = at(u"source"_s);
        for (const char *name : {"source/sub/a", "source2/b", "source/../source2/b", "source", "source/link/a"})
            wish.sources.append(at(QString::fromLatin1(name)));
        const TransferProgress progress = m_runner->run(wish);
        QCOMPARE(progress.state, TransferState::Finished);
        QCOMPARE(progress.failures.size(), 4);
        QCOMPARE(listOf("target"), "sub/af subd");
    }

    void bothOnThisComputerIsRefusedWithTheReason()
    {
        begin(true);
        QVERIFY(!TreeSync::reasonAgainst(m_local, m_local).isEmpty());
        QVERIFY(!TreeSync::reasonAgainst(*m_remote, *m_remote).isEmpty());
        QVERIFY(TreeSync::reasonAgainst(m_local, *m_remote).isEmpty());
        QVERIFY(TreeSync::reasonAgainst(*m_remote, m_local).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestTreeSync)
#include "tst_treesync.moc"

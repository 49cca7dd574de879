// Trees that go to real servers and come back: what arrives, what is asked, what is left when it is stopped, cut
// off or killed.
#include "tests/sftp/trees.h"
#include "tests/support/cuttableproxy.h"
#include "tests/support/testsshd.h"
#include "tests/support/transferrunner.h"
#include "tests/support/sftprun.h"

#include <QDir>
#include <QTest>

#include <map>

#include <sys/stat.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000;

} // namespace

class TestTransfer : public QObject
{
    Q_OBJECT

    AwkwardSftp m_awkward;
    std::map<QString, std::unique_ptr<TestSshd>> m_servers;
    std::unique_ptr<QTemporaryDir> m_here; // "source" and "target" in it
    std::unique_ptr<TransferRunner> m_runner;

    [[nodiscard]] QString path(const QString &name) const { return m_here->filePath(name); }
    [[nodiscard]] QByteArray bytes(const QString &name) const { return path(name).toLocal8Bit(); }
    [[nodiscard]] TransferQueue *queue() const { return m_runner->queue.get(); }
    void begin(const QString &kind)
    {
        std::unique_ptr<TestSshd> &server = m_servers[kind];
        if (!server) {
            if (kind == "dropbear"_L1)
                server = std::make_unique<TestSshd>(TestSshd::Kind::Dropbear);
            else if (kind == "sftp-server"_L1)
                server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{u"Subsystem sftp /usr/lib/openssh/sftp-server"_s});
            else if (kind == "awkward"_L1)
                server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{m_awkward.subsystem(u"reorder zero-names cap=10000 no-setstat"_s)});
            else
                server = std::make_unique<TestSshd>();
        }
        if (!server->problem().isEmpty() && TestSshd::mustRun())
            QFAIL(qPrintable(server->problem()));
        if (!server->problem().isEmpty())
            QSKIP(qPrintable(server->problem()));
        m_here = std::make_unique<QTemporaryDir>(server->folder() + u"/XXXXXX"_s);
        m_runner = std::make_unique<TransferRunner>(server->options(), path(u"journal"_s));
    }

    void makeTree() const { QCOMPARE(makeTransferTree(bytes(u"source"_s)), ""); }

private slots:
    void cleanup()
    {
        m_runner.reset();
        if (m_here)
            (void)shell("chmod -R u+rwx '" + m_here->path().toLocal8Bit() + "'; rm -rf '" + m_here->path().toLocal8Bit() + "'");
    }
    void cleanupTestCase() { m_servers.clear(); }

    void aTreeArrivesAsItIs_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<TransferWay>("way");
        for (const char *kind : {"internal-sftp", "sftp-server", "dropbear", "awkward"}) {
            QTest::addRow("%s, from there", kind) << QString::fromLatin1(kind) << TransferWay::Fetch;
            QTest::addRow("%s, to there", kind) << QString::fromLatin1(kind) << TransferWay::Send;
        }
    }
    void aTreeArrivesAsItIs()
    {
        QFETCH(QString, kind);
        QFETCH(TransferWay, way);
        begin(kind);
        if (QTest::currentTestResolved())
            return;
        makeTree();
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target/new"_s));
        wish.hashes = true;
        wish.verifies = true;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(end.filesMoved, end.files);
        QCOMPARE(end.files, quint64(14));
        QCOMPARE(end.filesVerified, quint64(11)); // links hold nothing
        QCOMPARE(end.bytesMoved, end.bytes);
        const bool hasAttributes = kind != "awkward"_L1 || way == TransferWay::Fetch;
        QCOMPARE(fingerprint(path(u"target/new/source"_s), hasAttributes), fingerprint(path(u"source"_s), hasAttributes));
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void whatIsThereAlready_data()
    {
        QTest::addColumn<TransferWay>("way");
        QTest::addColumn<OnConflict>("policy");
        QTest::addColumn<bool>("isAsked");
        QTest::addColumn<QByteArray>("older"); // what is in the file afterwards, where the one that was there is older
        QTest::addColumn<QByteArray>("newer");
        QTest::addColumn<QByteArray>("beside"); // under another name
        for (const TransferWay way : {TransferWay::Fetch, TransferWay::Send}) {
            const char *name = way == TransferWay::Fetch ? "fetch" : "send";
            for (const bool isAsked : {false, true}) {
                const char *how = isAsked ? "asked" : "by the wish";
                QTest::addRow("%s, overwrite, %s", name, how) << way << OnConflict::Overwrite << isAsked << "ours"_ba << "ours"_ba << ""_ba;
                QTest::addRow("%s, skip, %s", name, how) << way << OnConflict::Skip << isAsked << "theirs"_ba << "theirs"_ba << ""_ba;
                QTest::addRow("%s, newer, %s", name, how) << way << OnConflict::Newer << isAsked << "ours"_ba << "theirs"_ba << ""_ba;
                QTest::addRow("%s, rename, %s", name, how) << way << OnConflict::Rename << isAsked << "theirs"_ba << "theirs"_ba << "ours"_ba;
            }
        }
    }
    void whatIsThereAlready()
    {
        QFETCH(TransferWay, way);
        QFETCH(OnConflict, policy);
        QFETCH(bool, isAsked);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        // Small ones, and one that goes in parts.
        QCOMPARE(shell("cd '" + m_here->path().toLocal8Bit() + "'; mkdir -p source target/source; for f in older.txt newer.txt; do echo -n ours >source/$f; echo -n theirs >target/source/$f; done;"
                       "truncate -s 20M source/large; echo -n theirs >target/source/large;"
                       "touch -d 2020-01-01 target/source/older.txt target/source/large; touch -d 2021-01-01 source/*; touch -d 2022-01-01 target/source/newer.txt"), "");
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.onConflict = isAsked ? OnConflict::Ask : policy;
        const qint64 id = queue()->add(wish);
        int asked = 0;
        connect(queue(), &TransferQueue::asked, this, [&](qint64 about) {
            QCOMPARE(about, id);
            ++asked;
            const std::optional<TransferQuestion> question = queue()->question(id);
            QVERIFY(question);
            QCOMPARE(question->target.name(), question->source.name());
            QCOMPARE(question->targetAttributes.size, quint64(6));
            queue()->answer(id, policy, asked == 2);
        });
        QVERIFY(waitUntil([&] { return isOver(queue()->progress(id).state); }, kPatience));
        const TransferProgress end = queue()->progress(id);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(asked, isAsked ? 2 : 0);
        QTEST(shell("cat '" + bytes(u"target/source/older.txt"_s) + "'"), "older");
        QTEST(shell("cat '" + bytes(u"target/source/newer.txt"_s) + "'"), "newer");
        QTEST(shell("cat '" + bytes(u"target/source"_s) + "/older (2).txt' 2>/dev/null || :"), "beside");
        const bool isReplaced = policy == OnConflict::Overwrite || policy == OnConflict::Newer;
        QCOMPARE(shell("stat -c %s '" + bytes(u"target/source/large"_s) + "'").trimmed(), isReplaced ? "20971520" : "6");
        QCOMPARE(QFile::exists(path(u"target/source/large (2)"_s)), policy == OnConflict::Rename);
        QCOMPARE(hiddenIn(m_here->path()), "");
        queue()->disconnect(this);
    }

    void linksAreTakenAsWished_data()
    {
        QTest::addColumn<TransferWay>("way");
        QTest::addColumn<LinkTreatment>("links");
        QTest::addColumn<QByteArray>("files");
        QTest::addColumn<quint64>("failed");
        for (const TransferWay way : {TransferWay::Fetch, TransferWay::Send}) {
            const char *name = way == TransferWay::Fetch ? "fetch" : "send";
            QTest::addRow("%s, followed", name) << way << LinkTreatment::Follow << "d dir\nf dir/file\nf file\nd folder\nf folder/file\nf link\n"_ba << quint64(2);
            QTest::addRow("%s, left out", name) << way << LinkTreatment::Skip << "d dir\nf dir/file\nf file\n"_ba << quint64(0);
            QTest::addRow("%s, as they are", name) << way << LinkTreatment::AsLink << "l dangling\nd dir\nl dir/back\nf dir/file\nf file\nl folder\nl link\n"_ba << quint64(0);
        }
    }
    void linksAreTakenAsWished()
    {
        QFETCH(TransferWay, way);
        QFETCH(LinkTreatment, links);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(shell("mkdir -p '" + bytes(u"source/dir"_s) + "' '" + bytes(u"elsewhere"_s) + "'; cd '" + bytes(u"source"_s)
                       + "'; echo 1 >file; echo 2 >dir/file; echo 3 >../elsewhere/file; ln -s file link; ln -s ../elsewhere folder; ln -s .. dir/back; ln -s nowhere dangling"), "");
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.links = links;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QTEST(shell("cd '" + bytes(u"target/source"_s) + "'; find . -mindepth 1 -printf '%y %P\\n' | LC_ALL=C sort -k2"), "files");
        QTEST(end.filesFailed, "failed");
    }

    void nothingLandsElsewhere()
    {
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        // Where the tree has a folder, the target has a link that leads away.
        QCOMPARE(shell("cd '" + m_here->path().toLocal8Bit() + "'; mkdir -p source/sub/deep target/source away; echo bad >source/sub/deep/file; echo good >source/other; ln -s ../../away target/source/sub"), "");
        TransferWish wish = TransferRunner::wish(TransferWay::Fetch, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.onConflict = OnConflict::Overwrite;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QVERIFY(end.filesFailed > 0);
        QCOMPARE(shell("find '" + bytes(u"away"_s) + "' -mindepth 1"), "");
        QCOMPARE(shell("cat '" + bytes(u"target/source/other"_s) + "'"), "good\n");
    }

    void whatCannotBeMovedIsNamedAndTheRestGoesOn_data()
    {
        QTest::addColumn<TransferWay>("way");
        QTest::newRow("fetch") << TransferWay::Fetch;
        QTest::newRow("send") << TransferWay::Send;
    }
    void whatCannotBeMovedIsNamedAndTheRestGoesOn()
    {
        QFETCH(TransferWay, way);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(shell("cd '" + m_here->path().toLocal8Bit() + "'; mkdir -p source target/source/taken; mkfifo source/pipe; echo 1 >source/taken; echo 2 >source/good"), "");
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s), bytes(u"missing"_s)}, bytes(u"target"_s));
        wish.onConflict = OnConflict::Overwrite;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QCOMPARE(end.filesFailed, quint64(3));
        QByteArrayList names;
        for (const TransferFailure &failure : end.failures) {
            names += failure.path.name();
            QVERIFY(!failure.error.detail.isEmpty());
            QVERIFY2(failure.error.subject.contains(QString::fromLatin1(failure.path.name())), said(end).constData());
        }
        std::ranges::sort(names);
        QCOMPARE(names, (QByteArrayList{"missing", "pipe", "taken"}));
        QCOMPARE(shell("cat '" + bytes(u"target/source/good"_s) + "'"), "2\n");
    }

    void aCancelledOneLeavesNothingHalf_data() { whatCannotBeMovedIsNamedAndTheRestGoesOn_data(); }
    void aCancelledOneLeavesNothingHalf()
    {
        QFETCH(TransferWay, way);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(shell("cd '" + m_here->path().toLocal8Bit() + "'; mkdir -p source; truncate -s 64M source/large; head -c 15000000 /dev/zero >source/middle"), "");
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.mostBytesPerSecond = 4 << 20;
        const qint64 id = queue()->add(wish);
        QVERIFY(waitUntil([&] { return queue()->progress(id).bytesMoved > 0; }, kPatience));
        QVERIFY(!hiddenIn(m_here->path()).isEmpty());
        bool isTold = false;
        connect(queue(), &TransferQueue::finished, this, [&] { isTold = true; });
        queue()->cancel(id);
        QVERIFY(waitUntil([&] { return isTold; }, kPatience));
        queue()->disconnect(this);
        QCOMPARE(queue()->progress(id).state, TransferState::Cancelled);
        QVERIFY(waitUntil([&] { return hiddenIn(m_here->path()).isEmpty(); }, kPatience));
        QCOMPARE(shell("find '" + bytes(u"target"_s) + "' -type f"), "");
        queue()->remove(id);
        QVERIFY(queue()->transfers().isEmpty());
    }

    void aPausedOneGoesOnFromThere_data() { whatCannotBeMovedIsNamedAndTheRestGoesOn_data(); }
    void aPausedOneGoesOnFromThere()
    {
        QFETCH(TransferWay, way);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        makeTree();
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.mostBytesPerSecond = 20 << 20;
        const qint64 id = queue()->add(wish);
        // Two parts of the large one are there, so that there is something to go on from.
        QVERIFY(waitUntil([&] { return queue()->progress(id).bytesMoved > (20 << 20); }, kPatience));
        queue()->pause(id);
        QCOMPARE(queue()->progress(id).state, TransferState::Paused);
        // And the program is started anew.
        const LinkOptions options = m_runner->options;
        m_runner.reset();
        m_runner = std::make_unique<TransferRunner>(options, path(u"journal"_s));
        QVERIFY(waitUntil([&] { return queue()->transfers() == QList<qint64>{id}; }, kPatience));
        QCOMPARE(queue()->progress(id).state, TransferState::Paused);
        QCOMPARE(queue()->wish(id).sources, wish.sources);
        quint64 first = 0;
        connect(queue(), &TransferQueue::changed, this, [&] {
            if (first == 0)
                first = queue()->progress(id).bytesMoved;
        });
        queue()->resume(id);
        QVERIFY(waitUntil([&] { return isOver(queue()->progress(id).state); }, kPatience));
        queue()->disconnect(this);
        const TransferProgress end = queue()->progress(id);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(fingerprint(path(u"target/source"_s)), fingerprint(path(u"source"_s)));
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void aLargeOneThatChangesIsMovedAsItIsThen_data() { whatCannotBeMovedIsNamedAndTheRestGoesOn_data(); }
    void aLargeOneThatChangesIsMovedAsItIsThen()
    {
        QFETCH(TransferWay, way);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(shell("cd '" + m_here->path().toLocal8Bit() + "'; mkdir source; head -c 40000000 /dev/urandom >source/large"), "");
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.mostBytesPerSecond = 20 << 20;
        const qint64 id = queue()->add(wish);
        QVERIFY(waitUntil([&] { return queue()->progress(id).bytesMoved > (10 << 20); }, kPatience));
        QCOMPARE(shell("echo more >>'" + bytes(u"source/large"_s) + "'"), "");
        QVERIFY(waitUntil([&] { return isOver(queue()->progress(id).state); }, kPatience));
        const TransferProgress end = queue()->progress(id);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(end.bytes, quint64(40000005));
        QCOMPARE(end.bytesMoved, end.bytes);
        QCOMPARE(fingerprint(path(u"target/source"_s)), fingerprint(path(u"source"_s)));
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void whatIsCutOffGoesOnByItself_data() { whatCannotBeMovedIsNamedAndTheRestGoesOn_data(); }
    void whatIsCutOffGoesOnByItself()
    {
        QFETCH(TransferWay, way);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        makeTree();
        QCOMPARE(shell("cd '" + bytes(u"source"_s) + "'; for i in $(seq 500); do echo $i >f$i; done"), "");
        CuttableProxy proxy(m_runner->options.endpoint.port);
        m_runner->options.endpoint.port = proxy.port();
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.mostBytesPerSecond = 30 << 20;
        const qint64 id = queue()->add(wish);
        for (const quint64 amount : {1 << 20, 12 << 20, 30 << 20}) {
            QVERIFY(waitUntil([&] { return queue()->progress(id).bytesMoved > amount || isOver(queue()->progress(id).state); }, kPatience));
            proxy.cutOnce();
        }
        QVERIFY(waitUntil([&] { return isOver(queue()->progress(id).state); }, kPatience));
        const TransferProgress end = queue()->progress(id);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(fingerprint(path(u"target/source"_s)), fingerprint(path(u"source"_s)));
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void aSandboxThatSleepsIsWaitedForAndNotWoken()
    {
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(shell("mkdir -p '" + bytes(u"source"_s) + "'; echo 1 >'" + bytes(u"source/file"_s) + "'"), "");
        m_runner->refusal = Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, u"suspended"_s, u"box"_s};
        const qint64 id = queue()->add(TransferRunner::wish(TransferWay::Send, {bytes(u"source"_s)}, bytes(u"target"_s)));
        QVERIFY(waitUntil([&] { return queue()->progress(id).state == TransferState::Waiting; }, kPatience));
        QCOMPARE(queue()->progress(id).error->kind, ErrorKind::SandboxNotRunning);
        QVERIFY(queue()->progress(id).retryAt.isValid());
        m_runner->refusal.reset();
        queue()->resume(id);
        QVERIFY(waitUntil([&] { return isOver(queue()->progress(id).state); }, kPatience));
        QVERIFY(QFile::exists(path(u"target/source/file"_s)));
    }

    void whatIsMovedIsGoneAtItsSource_data() { whatCannotBeMovedIsNamedAndTheRestGoesOn_data(); }
    void whatIsMovedIsGoneAtItsSource()
    {
        QFETCH(TransferWay, way);
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        makeTree();
        QCOMPARE(shell("chmod 755 '" + bytes(u"source/shut"_s) + "'; mkfifo '" + bytes(u"source/empty/pipe"_s) + "'"), "");
        TransferWish wish = TransferRunner::wish(way, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.moves = true;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QCOMPARE(end.filesFailed, quint64(1));
        // What could not be moved stays, and the folders that it is in.
        QCOMPARE(shell("cd '" + bytes(u"source"_s) + "'; find . | LC_ALL=C sort"), ".\n./empty\n./empty/pipe\n");
        QCOMPARE(shell("cd '" + bytes(u"target/source"_s) + "'; find . -type f -printf x"), QByteArray(11, 'x'));
    }

    void aDamagedJournalIsPutAside()
    {
        begin(u"internal-sftp"_s);
        if (QTest::currentTestResolved())
            return;
        const LinkOptions options = m_runner->options;
        m_runner.reset();
        QCOMPARE(shell("head -c 100000 /dev/urandom >'" + bytes(u"journal"_s) + "'; mkdir -p '" + bytes(u"source"_s) + "'; echo 1 >'" + bytes(u"source/file"_s) + "'"), "");
        m_runner = std::make_unique<TransferRunner>(options, path(u"journal"_s));
        QList<Error> errors;
        connect(queue(), &TransferQueue::journalFailed, this, [&](const Error &error) { errors += error; });
        const TransferProgress end = m_runner->run(TransferRunner::wish(TransferWay::Send, {bytes(u"source"_s)}, bytes(u"target"_s)));
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QCOMPARE(errors.size(), 1);
        QVERIFY(QFile::exists(path(u"journal.damaged"_s)));
        QVERIFY(QFile::permissions(path(u"journal"_s)) == (QFile::ReadOwner | QFile::WriteOwner | QFile::ReadUser | QFile::WriteUser));
    }
};

QTEST_GUILESS_MAIN(TestTransfer)
#include "tst_transfer.moc"

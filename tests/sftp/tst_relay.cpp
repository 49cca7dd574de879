// Trees from one file system to another and within one: what arrives, what is asked, what is refused, and what is left
// when it is stopped or cut off.
#include "session/accounts.h"
#include "session/provider.h"
#include "session/providers/factory.h"
#include "sftp/vendorfilesystem.h"
#include "tests/sftp/trees.h"
#include "tests/support/cuttableproxy.h"
#include "tests/support/sftprun.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"
#include "tests/support/transferrunner.h"

#include <QDir>
#include <QSqlDatabase>
#include <QSqlQuery>
#include <QTest>

#include <map>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000;

} // namespace

class TestRelay : public QObject
{
    Q_OBJECT

    AwkwardSftp m_awkward;
    std::map<QString, std::unique_ptr<TestSshd>> m_servers;
    std::unique_ptr<QTemporaryDir> m_here; // "source" and "target" in it, for every server too
    std::unique_ptr<TransferRunner> m_runner;
    std::unique_ptr<TestGateway> m_gateway;
    std::unique_ptr<SandboxProvider> m_provider;
    Sandbox m_box;

    [[nodiscard]] QString path(const QString &name) const { return m_here->filePath(name); }
    [[nodiscard]] QByteArray bytes(const QString &name) const { return path(name).toLocal8Bit(); }
    [[nodiscard]] TransferQueue *queue() const { return m_runner->queue.get(); }
    // In the folder of the test.
    [[nodiscard]] QByteArray inHere(const QByteArray &script) const { return shell("cd '" + m_here->path().toLocal8Bit() + "'; " + script); }

    [[nodiscard]] TestSshd *server(const QString &kind)
    {
        std::unique_ptr<TestSshd> &server = m_servers[kind];
        if (server)
            return server.get();
        if (kind == "dropbear"_L1)
            server = std::make_unique<TestSshd>(TestSshd::Kind::Dropbear);
        else if (kind == "awkward"_L1)
            server = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{m_awkward.subsystem(u"reorder zero-names cap=10000 no-setstat"_s)});
        else
            server = std::make_unique<TestSshd>();
        return server.get();
    }
    // Places that are no server's kind are this computer, or a vendor's.
    void begin(const QStringList &kinds = {})
    {
        m_here = std::make_unique<QTemporaryDir>();
        m_runner = std::make_unique<TransferRunner>(LinkOptions(), path(u"journal"_s));
        for (const QString &kind : kinds) {
            if (kind.isEmpty() || kind == "vendor"_L1)
                continue;
            if (!server(kind)->problem().isEmpty() && TestSshd::mustRun())
                QFAIL(qPrintable(server(kind)->problem()));
            if (!server(kind)->problem().isEmpty())
                QSKIP(qPrintable(server(kind)->problem()));
            m_runner->places.insert(kind, server(kind)->options());
        }
    }
    void beginVendor()
    {
        if (!m_gateway) {
            m_gateway = std::make_unique<TestGateway>();
            const QString problem = m_gateway->start();
            QVERIFY2(problem.isEmpty(), qPrintable(problem));
            SANDPIPER_NEED_SANDBOXES(*m_gateway);
            Account account;
            account.id = account.name = u"test"_s;
            account.vendor = u"tensorlake"_s;
            account.apiUrl = m_gateway->apiUrl();
            m_provider = makeProvider(account, std::make_shared<Secret>(m_gateway->apiKey()));
            CreateRequest request;
            request.name = u"relay"_s;
            const auto made = waited(m_provider->create(request));
            QVERIFY(made);
            QVERIFY(waitUntil([&] {
                m_box = waited(m_provider->find(made->id.id)).value_or(Sandbox());
                return m_box.state == SandboxState::Running;
            }, kPatience));
        }
        begin();
        m_runner->makeFiles.insert(u"vendor"_s, [this] { return std::make_unique<VendorFileSystem>(m_provider->makeFiles(m_box), u"vendor"_s); });
    }
    [[nodiscard]] TransferProgress ends(qint64 id) const
    {
        (void)waitUntil([&] { return isOver(queue()->progress(id).state); }, kPatience);
        return queue()->progress(id);
    }

    static void pairs()
    {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::newRow("here") << u""_s << u""_s;
        QTest::newRow("within a server") << u"one"_s << u"one"_s;
        QTest::newRow("from server to server") << u"one"_s << u"other"_s;
    }

private slots:
    void cleanup()
    {
        m_runner.reset();
        if (m_here)
            (void)inHere("chmod -R u+rwx . ; rm -rf ./*");
    }
    void cleanupTestCase()
    {
        m_provider.reset();
        m_gateway.reset();
        m_servers.clear();
    }

    void aTreeArrivesAsItIs_data()
    {
        pairs();
        QTest::newRow("to a server") << u""_s << u"one"_s;
        QTest::newRow("from a server") << u"one"_s << u""_s;
        QTest::newRow("within dropbear") << u"dropbear"_s << u"dropbear"_s;
        QTest::newRow("from dropbear to OpenSSH") << u"dropbear"_s << u"one"_s;
        QTest::newRow("from one without extensions") << u"awkward"_s << u"one"_s;
        QTest::newRow("to one without extensions") << u"one"_s << u"awkward"_s;
        QTest::newRow("within one without extensions") << u"awkward"_s << u"awkward"_s;
    }
    void aTreeArrivesAsItIs()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(makeTransferTree(bytes(u"source"_s)), "");
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target/new"_s));
        wish.verifies = true;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(end.filesMoved, end.files);
        QCOMPARE(end.files, quint64(14));
        QCOMPARE(end.filesVerified, quint64(11)); // links hold nothing
        QCOMPARE(end.bytesMoved, end.bytes);
        const bool hasAttributes = to != "awkward"_L1;
        QCOMPARE(fingerprint(path(u"target/new/source"_s), hasAttributes), fingerprint(path(u"source"_s), hasAttributes));
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void aSingleOneIsNamedAsCpNamesIt_data() { pairs(); }
    void aSingleOneIsNamedAsCpNamesIt()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("echo 1 >file; mkdir folder"), "");
        for (const QString &target : {u"new"_s, u"folder"_s}) {
            TransferWish wish = TransferRunner::relay(from, {bytes(u"file"_s)}, to, bytes(target));
            wish.namesUnlessFolder = true;
            const TransferProgress end = m_runner->run(wish);
            QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        }
        QCOMPARE(inHere("cat new folder/file; ls"), "1\n1\nfile\nfolder\njournal\njournal-shm\njournal-wal\nnew\n");
    }

    void whatIsThereAlready_data()
    {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::addColumn<OnConflict>("policy");
        QTest::addColumn<bool>("isAsked");
        QTest::addColumn<bool>("moves");
        QTest::addColumn<QByteArray>("older"); // what is in the file afterwards, where the one that was there is older
        QTest::addColumn<QByteArray>("newer");
        QTest::addColumn<QByteArray>("beside"); // under another name
        const std::pair<QString, QString> places[] = {{u""_s, u""_s}, {u"one"_s, u"one"_s}, {u"one"_s, u"other"_s}, {u"one"_s, u"awkward"_s}};
        for (const auto &[from, to] : places) {
            for (const bool isAsked : {false, true}) {
                for (const bool moves : {false, true}) {
                    const QByteArray how = from.toLatin1() + " to " + to.toLatin1() + (isAsked ? ", asked" : "") + (moves ? ", moved" : "");
                    QTest::addRow("%s, overwrite", how.constData()) << from << to << OnConflict::Overwrite << isAsked << moves << "ours"_ba << "ours"_ba << ""_ba;
                    QTest::addRow("%s, skip", how.constData()) << from << to << OnConflict::Skip << isAsked << moves << "theirs"_ba << "theirs"_ba << ""_ba;
                    QTest::addRow("%s, newer", how.constData()) << from << to << OnConflict::Newer << isAsked << moves << "ours"_ba << "theirs"_ba << ""_ba;
                    QTest::addRow("%s, rename", how.constData()) << from << to << OnConflict::Rename << isAsked << moves << "theirs"_ba << "theirs"_ba << "ours"_ba;
                }
            }
        }
    }
    void whatIsThereAlready()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        QFETCH(OnConflict, policy);
        QFETCH(bool, isAsked);
        QFETCH(bool, moves);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir -p source target/source; for f in older.txt newer.txt; do echo -n ours >source/$f; echo -n theirs >target/source/$f; done;"
                        "touch -d 2020-01-01 target/source/older.txt; touch -d 2021-01-01 source/*; touch -d 2022-01-01 target/source/newer.txt"), "");
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target"_s));
        wish.onConflict = isAsked ? OnConflict::Ask : policy;
        wish.moves = moves;
        const qint64 id = queue()->add(wish);
        int asked = 0;
        connect(queue(), &TransferQueue::asked, this, [&] {
            ++asked;
            const std::optional<TransferQuestion> question = queue()->question(id);
            QVERIFY(question);
            QCOMPARE(question->target.name(), question->source.name());
            QCOMPARE(question->targetAttributes.size, quint64(6));
            queue()->answer(id, policy, false);
        });
        const TransferProgress end = ends(id);
        queue()->disconnect(this);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(asked, isAsked ? 2 : 0);
        QTEST(inHere("cat target/source/older.txt"), "older");
        QTEST(inHere("cat target/source/newer.txt"), "newer");
        QTEST(inHere("cat 'target/source/older (2).txt' 2>/dev/null || :"), "beside");
        // What was left out has not been moved.
        QFETCH(QByteArray, newer);
        QCOMPARE(QFile::exists(path(u"source/newer.txt"_s)), !moves || (newer == "theirs" && policy != OnConflict::Rename));
        QCOMPARE(QFile::exists(path(u"source/older.txt"_s)), !moves || policy == OnConflict::Skip);
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void linksAreTakenAsWished_data()
    {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::addColumn<LinkTreatment>("links");
        QTest::addColumn<QByteArray>("files");
        QTest::addColumn<quint64>("failed");
        const std::pair<QString, QString> places[] = {{u""_s, u""_s}, {u"one"_s, u"one"_s}, {u"one"_s, u"other"_s}};
        for (const auto &[from, to] : places) {
            const QByteArray name = from.toLatin1() + " to " + to.toLatin1();
            QTest::addRow("%s, followed", name.constData()) << from << to << LinkTreatment::Follow << "d dir\nf dir/file\nf file\nd folder\nf folder/file\nf link\n"_ba << quint64(2);
            QTest::addRow("%s, left out", name.constData()) << from << to << LinkTreatment::Skip << "d dir\nf dir/file\nf file\n"_ba << quint64(0);
            QTest::addRow("%s, as they are", name.constData()) << from << to << LinkTreatment::AsLink << "l dangling\nd dir\nl dir/back\nf dir/file\nf file\nl folder\nl link\n"_ba << quint64(0);
        }
    }
    void linksAreTakenAsWished()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        QFETCH(LinkTreatment, links);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir -p source/dir elsewhere; cd source; echo 1 >file; echo 2 >dir/file; echo 3 >../elsewhere/file; ln -s file link; ln -s ../elsewhere folder; ln -s .. dir/back; ln -s nowhere dangling"), "");
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target"_s));
        wish.links = links;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QTEST(inHere("cd target/source; find . -mindepth 1 -printf '%y %P\\n' | LC_ALL=C sort -k2"), "files");
        QTEST(end.filesFailed, "failed");
    }

    void nothingLandsElsewhere_data() { pairs(); }
    void nothingLandsElsewhere()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        // Where the tree has a folder and a file, the target has links that lead away.
        QCOMPARE(inHere("mkdir -p source/sub/deep target/source away; echo bad >source/sub/deep/file; echo good >source/other; echo mine >away/file; ln -s ../../away target/source/sub; ln -s ../../away/file target/source/other"), "");
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target"_s));
        wish.onConflict = OnConflict::Overwrite;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QVERIFY(end.filesFailed > 0);
        QCOMPARE(inHere("find away -mindepth 1; cat away/file target/source/other"), "away/file\nmine\ngood\n");
    }

    void whatCannotBeMovedIsNamedAndTheRestGoesOn_data() { pairs(); }
    void whatCannotBeMovedIsNamedAndTheRestGoesOn()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir -p source target/source/taken twin/source; mkfifo source/pipe; echo 1 >source/taken; echo 2 >source/good"), "");
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s), bytes(u"missing"_s), bytes(u"twin/source"_s)}, to, bytes(u"target"_s));
        wish.onConflict = OnConflict::Overwrite;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QByteArrayList names;
        for (const TransferFailure &failure : end.failures) {
            names += failure.path.name();
            QVERIFY(!failure.error.detail.isEmpty());
            QVERIFY2(failure.error.subject.contains(QString::fromLatin1(failure.path.name())), said(end).constData());
        }
        std::ranges::sort(names);
        QCOMPARE(names, (QByteArrayList{"missing", "pipe", "source", "taken"}));
        QCOMPARE(end.filesFailed, quint64(4));
        QCOMPARE(inHere("cat target/source/good"), "2\n");
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void aFolderDoesNotGoIntoItself_data()
    {
        QTest::addColumn<QString>("place");
        QTest::addColumn<bool>("moves");
        QTest::addColumn<QByteArray>("target");
        for (const QString &place : {u""_s, u"one"_s}) {
            for (const bool moves : {false, true}) {
                const QByteArray name = place.toLatin1() + (moves ? " moved" : " copied");
                QTest::addRow("%s into itself", name.constData()) << place << moves << "source"_ba;
                QTest::addRow("%s below", name.constData()) << place << moves << "source/sub"_ba;
                QTest::addRow("%s below, where nothing is yet", name.constData()) << place << moves << "source/sub/new/newer"_ba;
                QTest::addRow("%s by way of a link", name.constData()) << place << moves << "link/new"_ba;
                QTest::addRow("%s over itself", name.constData()) << place << moves << "."_ba;
            }
        }
    }
    void aFolderDoesNotGoIntoItself()
    {
        QFETCH(QString, place);
        QFETCH(bool, moves);
        QFETCH(QByteArray, target);
        begin({place});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir -p source/sub; echo 1 >source/file; echo 2 >beside; ln -s source/sub link"), "");
        const QByteArray before = fingerprint(path(u"source"_s));
        TransferWish wish = TransferRunner::relay(place, {bytes(u"source"_s), bytes(u"beside"_s)}, place, bytes(QString::fromLatin1(target)));
        wish.moves = moves;
        wish.onConflict = OnConflict::Skip;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QVERIFY2(!end.failures.isEmpty() && end.failures.constFirst().path.name() == "source" && end.failures.constFirst().error.detail.contains(u"itself"_s), said(end).constData());
        // Nothing of it has changed, and the other one went its way.
        QCOMPARE(inHere("cat source/file '" + target + "/beside'"), "1\n2\n");
        QCOMPARE(inHere("find source -name source -mindepth 1"), "");
        QCOMPARE(fingerprint(path(u"source"_s)).contains("source"), before.contains("source"));
    }

    void aFileIsCopiedBesideItselfAndNeverMovedOntoItself_data()
    {
        QTest::addColumn<QString>("place");
        QTest::newRow("here") << u""_s;
        QTest::newRow("there") << u"one"_s;
    }
    void aFileIsCopiedBesideItselfAndNeverMovedOntoItself()
    {
        QFETCH(QString, place);
        begin({place});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir folder; echo 1 >folder/file.txt"), "");
        TransferWish wish = TransferRunner::relay(place, {bytes(u"folder/file.txt"_s)}, place, bytes(u"folder"_s));
        wish.onConflict = OnConflict::Rename;
        TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        wish.onConflict = OnConflict::Overwrite;
        wish.moves = true;
        end = m_runner->run(wish);
        QCOMPARE(end.filesFailed, quint64(1));
        QCOMPARE(inHere("ls -A folder; cat folder/*"), "file (2).txt\nfile.txt\n1\n1\n");
    }

    void aMoveWithinOnePlaceChangesNamesAlone_data() { aFileIsCopiedBesideItselfAndNeverMovedOntoItself_data(); }
    void aMoveWithinOnePlaceChangesNamesAlone()
    {
        QFETCH(QString, place);
        begin({place});
        if (QTest::currentTestResolved())
            return;
        // One folder is as a whole, the other meets one of its name.
        QCOMPARE(inHere("mkdir -p whole/sub merged target/merged; echo 1 >whole/sub/file; echo 2 >merged/new; echo 3 >target/merged/old"), "");
        const QByteArray before = inHere("stat -c %i whole/sub/file merged/new");
        TransferWish wish = TransferRunner::relay(place, {bytes(u"whole"_s), bytes(u"merged"_s)}, place, bytes(u"target"_s));
        wish.moves = true;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(inHere("stat -c %i target/whole/sub/file target/merged/new"), before);
        QCOMPARE(inHere("cat target/merged/old; ls -d whole merged 2>/dev/null || :"), "3\n");
    }

    void whatIsMovedIsGoneAtItsSource()
    {
        begin({u"one"_s, u"other"_s});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(makeTransferTree(bytes(u"source"_s)), "");
        QCOMPARE(inHere("chmod 755 source/shut; mkfifo source/empty/pipe"), "");
        TransferWish wish = TransferRunner::relay(u"one"_s, {bytes(u"source"_s)}, u"other"_s, bytes(u"target"_s));
        wish.moves = true;
        const TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        QCOMPARE(end.filesFailed, quint64(1));
        // What could not be moved stays, and the folders that it is in.
        QCOMPARE(inHere("cd source; find . | LC_ALL=C sort"), ".\n./empty\n./empty/pipe\n");
        QCOMPARE(inHere("cd target/source; find . -type f -printf x"), QByteArray(11, 'x'));
    }

    void aCancelledOneLeavesNothingHalf_data() { pairs(); }
    void aCancelledOneLeavesNothingHalf()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir -p source; truncate -s 64M source/large; head -c 15000000 /dev/zero >source/middle"), "");
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target"_s));
        wish.mostBytesPerSecond = 4 << 20;
        for (const bool isPausedFirst : {false, true}) {
            const qint64 id = queue()->add(wish);
            QVERIFY(waitUntil([&] { return queue()->progress(id).bytesMoved > 0; }, kPatience));
            QVERIFY(!hiddenIn(m_here->path()).isEmpty());
            if (isPausedFirst)
                queue()->pause(id);
            queue()->cancel(id);
            QCOMPARE(ends(id).state, TransferState::Cancelled);
            QVERIFY(waitUntil([&] { return hiddenIn(m_here->path()).isEmpty(); }, kPatience));
            QCOMPARE(inHere("find target -type f"), "");
        }
    }

    void aPausedOneGoesOnAfterARestart_data() { pairs(); }
    void aPausedOneGoesOnAfterARestart()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(makeTransferTree(bytes(u"source"_s)), "");
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target"_s));
        wish.mostBytesPerSecond = 8 << 20;
        const qint64 id = queue()->add(wish);
        QVERIFY(waitUntil([&] { return queue()->progress(id).filesMoved > 8 && queue()->progress(id).bytesMoved > (2 << 20); }, kPatience));
        queue()->pause(id);
        const auto inodes = [this] { return inHere("cd target/source; find . -type f ! -name '.sandpiper-*' -printf '%i\\n'").split('\n'); };
        const QByteArrayList before = inodes();
        QVERIFY(before.size() > 4);
        const QHash<QString, LinkOptions> places = m_runner->places;
        m_runner.reset();
        m_runner = std::make_unique<TransferRunner>(LinkOptions(), path(u"journal"_s));
        m_runner->places = places;
        QVERIFY(waitUntil([&] { return queue()->transfers() == QList<qint64>{id}; }, kPatience));
        QCOMPARE(queue()->progress(id).state, TransferState::Paused);
        QCOMPARE(queue()->wish(id).sourceSandbox, wish.sourceSandbox);
        QCOMPARE(queue()->wish(id).sandbox, wish.sandbox);
        QCOMPARE(queue()->wish(id).way, TransferWay::Relay);
        queue()->resume(id);
        const TransferProgress end = ends(id);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(fingerprint(path(u"target/source"_s)), fingerprint(path(u"source"_s)));
        const QByteArrayList after = inodes();
        for (const QByteArray &inode : before)
            QVERIFY(after.contains(inode)); // was not moved again
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void itMayGoAtAnyMoment_data() { pairs(); }
    void itMayGoAtAnyMoment()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir -p source/folder; cd source; for i in $(seq 60); do head -c 20000 /dev/zero >folder/f$i; done; ln -s folder link"), "");
        for (int turn = 0; turn < 40; ++turn) {
            const qint64 id = queue()->add(TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target%1"_s.arg(turn))));
            QVERIFY(waitUntil([this, id] { return queue()->progress(id).state != TransferState::Queued; }, kPatience));
            // Later and later, until the last ones come to their end.
            QVERIFY(waitUntil([turn, n = 0]() mutable { return n++ >= turn; }, kPatience));
            queue()->pause(id);
        }
        const qint64 last = queue()->transfers().constLast();
        if (!isOver(queue()->progress(last).state))
            queue()->resume(last);
        QCOMPARE(ends(last).state, TransferState::Finished);
        QCOMPARE(fingerprint(path(u"target39/source"_s)), fingerprint(path(u"source"_s)));
    }

    void whatIsCutOffGoesOnByItself_data()
    {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::addColumn<QString>("cut");
        QTest::newRow("at the source") << u"one"_s << u"other"_s << u"one"_s;
        QTest::newRow("at the target") << u"one"_s << u"other"_s << u"other"_s;
        QTest::newRow("within one") << u"one"_s << u"one"_s << u"one"_s;
    }
    void whatIsCutOffGoesOnByItself()
    {
        QFETCH(QString, from);
        QFETCH(QString, to);
        QFETCH(QString, cut);
        begin({from, to});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(makeTransferTree(bytes(u"source"_s)), "");
        QCOMPARE(inHere("cd source; for i in $(seq 300); do echo $i >f$i; done"), "");
        CuttableProxy proxy(m_runner->places[cut].endpoint.port);
        m_runner->places[cut].endpoint.port = proxy.port();
        TransferWish wish = TransferRunner::relay(from, {bytes(u"source"_s)}, to, bytes(u"target"_s));
        wish.mostBytesPerSecond = 20 << 20;
        const qint64 id = queue()->add(wish);
        bool hasWaited = false;
        connect(queue(), &TransferQueue::changed, this, [&] { hasWaited = hasWaited || queue()->progress(id).state == TransferState::Waiting; });
        for (const quint64 amount : {1 << 20, 12 << 20}) {
            QVERIFY(waitUntil([&] { return queue()->progress(id).bytesMoved > amount || isOver(queue()->progress(id).state); }, kPatience));
            proxy.cutOnce();
        }
        const TransferProgress end = ends(id);
        queue()->disconnect(this);
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QVERIFY(hasWaited);
        QCOMPARE(fingerprint(path(u"target/source"_s)), fingerprint(path(u"source"_s)));
        QCOMPARE(hiddenIn(m_here->path()), "");
    }

    void aPlaceThatSleepsIsWaitedFor()
    {
        begin({u"one"_s});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir source; echo 1 >source/file"), "");
        m_runner->refusal = Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, u"suspended"_s, u"box"_s};
        const qint64 id = queue()->add(TransferRunner::relay(u""_s, {bytes(u"source"_s)}, u"one"_s, bytes(u"target"_s)));
        QVERIFY(waitUntil([&] { return queue()->progress(id).state == TransferState::Waiting; }, kPatience));
        QCOMPARE(queue()->progress(id).error->kind, ErrorKind::SandboxNotRunning);
        m_runner->refusal.reset();
        queue()->resume(id);
        QCOMPARE(ends(id).state, TransferState::Finished);
        QVERIFY(QFile::exists(path(u"target/source/file"_s)));
    }

    void aVendorsFilesComeAndGo()
    {
        beginVendor();
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir -p source/sub/deep source/empty; echo 1 >source/one; head -c 3000000 /dev/urandom >source/sub/two; : >source/sub/deep/three; ln -s one source/link"), "");
        TransferWish wish = TransferRunner::relay(u""_s, {bytes(u"source"_s)}, u"vendor"_s, "/tmp/relay/new");
        TransferProgress end = m_runner->run(wish);
        QVERIFY2(end.state == TransferState::Finished, said(end).constData());
        // What the interface cannot do is said.
        QByteArrayList names;
        for (const TransferFailure &failure : end.failures)
            names += failure.path.name();
        std::ranges::sort(names);
        QVERIFY2(names == (QByteArrayList{"empty", "link"}), said(end).constData());
        end = m_runner->run(TransferRunner::relay(u"vendor"_s, {"/tmp/relay/new/source"}, u""_s, bytes(u"back"_s)));
        QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
        QCOMPARE(inHere("rm -r source/empty source/link"), "");
        QCOMPARE(fingerprint(path(u"back/source"_s), false), fingerprint(path(u"source"_s), false));
        // Nobody says its permissions: as any new file's.
        QCOMPARE(inHere("umask 022; test -r back/source/one && stat -c %a back/source/one"), "644\n");
        // And with what is there already.
        wish.sources = {remotePath(bytes(u"source/one"_s))};
        wish.target = remotePath("/tmp/relay/new/source");
        QCOMPARE(inHere("echo changed >source/one"), "");
        const std::pair<OnConflict, QByteArray> policies[] = {{OnConflict::Skip, "1\n"}, {OnConflict::Rename, "1\n"}, {OnConflict::Overwrite, "changed\n"}};
        for (const auto &[policy, content] : policies) {
            wish.onConflict = policy;
            end = m_runner->run(wish);
            QVERIFY2(end.state == TransferState::Finished && end.failures.isEmpty(), said(end).constData());
            QCOMPARE(inHere("rm -rf back"), "");
            end = m_runner->run(TransferRunner::relay(u"vendor"_s, {"/tmp/relay/new/source"}, u""_s, bytes(u"back"_s)));
            QCOMPARE(inHere("cat back/source/one"), content);
        }
        QCOMPARE(inHere("cat 'back/source/one (2)'"), "changed\n");
    }

    void aJournalOfTheFirstVersionIsRead()
    {
        begin({u"one"_s});
        if (QTest::currentTestResolved())
            return;
        QCOMPARE(inHere("mkdir source; truncate -s 30M source/file"), "");
        TransferWish wish = TransferRunner::wish(TransferWay::Send, {bytes(u"source"_s)}, bytes(u"target"_s));
        wish.sandboxName = u"box"_s;
        m_runner->refusal = Error{ErrorKind::SandboxNotRunning, Layer::SandboxState, u"suspended"_s, u"box"_s};
        const qint64 id = queue()->add(wish);
        QVERIFY(waitUntil([&] { return queue()->progress(id).state == TransferState::Waiting; }, kPatience));
        queue()->pause(id);
        m_runner.reset();
        {
            QSqlDatabase database = QSqlDatabase::addDatabase(u"QSQLITE"_s, u"old"_s);
            database.setDatabaseName(path(u"journal"_s));
            QVERIFY(database.open());
            QSqlQuery query(database);
            QVERIFY(query.exec(u"UPDATE transfers SET wish = json_remove(wish, '$.sourceSandbox', '$.sourceSandboxName')"_s));
            QVERIFY(query.exec(u"ALTER TABLE transfers DROP COLUMN ended"_s));
            QVERIFY(query.exec(u"PRAGMA user_version = 1"_s));
        }
        QSqlDatabase::removeDatabase(u"old"_s);
        m_runner = std::make_unique<TransferRunner>(server(u"one"_s)->options(), path(u"journal"_s));
        bool isDamaged = false;
        connect(queue(), &TransferQueue::journalFailed, this, [&] { isDamaged = true; });
        QVERIFY(waitUntil([&] { return queue()->transfers() == QList<qint64>{id}; }, kPatience));
        QCOMPARE(queue()->wish(id).way, TransferWay::Send);
        QCOMPARE(queue()->wish(id).sandboxName, u"box"_s);
        queue()->resume(id);
        QVERIFY(!queue()->endedAt(id).isValid());
        QCOMPARE(ends(id).state, TransferState::Finished);
        QVERIFY(!isDamaged);
        queue()->disconnect(this);
        // And when it ended is kept with it.
        const qint64 ended = queue()->endedAt(id).toSecsSinceEpoch();
        QVERIFY(ended >= queue()->addedAt(id).toSecsSinceEpoch());
        m_runner = std::make_unique<TransferRunner>(server(u"one"_s)->options(), path(u"journal"_s));
        QVERIFY(waitUntil([&] { return queue()->transfers() == QList<qint64>{id}; }, kPatience));
        QCOMPARE(queue()->endedAt(id).toSecsSinceEpoch(), ended);
    }
};

QTEST_GUILESS_MAIN(TestRelay)
#include "tst_relay.moc"

// What needs no sandbox to run: names, records, the command line of bubblewrap, removing folders.
#include "gateway/bubblewrap.h"
#include "gateway/removetree.h"
#include "gateway/sandboxinit/wire.h"
#include "gateway/sandboxrecord.h"
#include "gateway/systemfolder.h"

#include <QDir>
#include <QFile>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>
#include <QTimeZone>

#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::StringLiterals;

class SandboxRecordTest : public QObject
{
    Q_OBJECT

private slots:
    void namesFollowTheVendorsRule_data();
    void namesFollowTheVendorsRule();
    void idsAreOfTheVendorsForm();
    void wishesAreChecked_data();
    void wishesAreChecked();
    void recordComesBack();
    void onlyTerminatedStaysWhatItWas();
    void damagedRecordIsNone_data();
    void damagedRecordIsNone();
    void bubblewrapSeparatesEverything();
    void bubblewrapShowsOnlyWhatIsAllowed();
    void bubblewrapsRefusalBecomesASentence_data();
    void bubblewrapsRefusalBecomesASentence();
    void systemFolderHasAPlaceForEverythingAllowed();
    void removeTreeFollowsNoLinkAndNeedsNoRights();
    void removeTreeOfNothingIsDone();
    void wireNeverReadsPastItsEnd();
};

void SandboxRecordTest::namesFollowTheVendorsRule_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("good");
    QTest::newRow("letter") << u"a"_s << true;
    QTest::newRow("usual") << u"my-env-2"_s << true;
    QTest::newRow("63") << QString(63, u'a') << true;
    QTest::newRow("64") << QString(64, u'a') << false;
    QTest::newRow("empty") << QString() << false;
    QTest::newRow("digit first") << u"2env"_s << false;
    QTest::newRow("dash first") << u"-env"_s << false;
    QTest::newRow("dash last") << u"env-"_s << false;
    QTest::newRow("upper case") << u"Env"_s << false;
    QTest::newRow("underscore") << u"my_env"_s << false;
    QTest::newRow("space") << u"my env"_s << false;
    QTest::newRow("slash") << u"a/b"_s << false;
    QTest::newRow("dots") << u"a..b"_s << false;
    QTest::newRow("newline") << u"a\nb"_s << false;
    QTest::newRow("other letters") << u"é"_s << false;
    QTest::newRow("other digits") << u"a\u0663"_s << false;
    QTest::newRow("21 as an id") << QString(21, u'a') << false;
    QTest::newRow("21 with a dash") << QString(20, u'a').insert(5, u'-') << true;
    QTest::newRow("20") << QString(20, u'a') << true;
    QTest::newRow("22") << QString(22, u'a') << true;
}

void SandboxRecordTest::namesFollowTheVendorsRule()
{
    QFETCH(QString, name);
    QTEST(isSandboxName(name), "good");
}

void SandboxRecordTest::idsAreOfTheVendorsForm()
{
    QSet<QString> ids;
    for (int i = 0; i < 1000; ++i) {
        const QString id = newSandboxId();
        QVERIFY(isSandboxId(id));
        QVERIFY(!isSandboxName(id));
        ids.insert(id);
    }
    QCOMPARE(ids.size(), 1000);
}

void SandboxRecordTest::wishesAreChecked_data()
{
    QTest::addColumn<LocalCreate>("wish");
    QTest::addColumn<bool>("good");
    const auto row = [](const char *name, bool good, auto change) {
        LocalCreate wish;
        change(wish);
        QTest::newRow(name) << wish << good;
    };
    row("nothing special", true, [](LocalCreate &) {});
    row("half a processor", true, [](LocalCreate &wish) { wish.cpus = 0.5; });
    row("no processor", false, [](LocalCreate &wish) { wish.cpus = 0; });
    row("infinite processors", false, [](LocalCreate &wish) { wish.cpus = qInf(); });
    row("no number of processors", false, [](LocalCreate &wish) { wish.cpus = qQNaN(); });
    row("negative memory", false, [](LocalCreate &wish) { wish.memoryMiB = -1; });
    row("no disk", false, [](LocalCreate &wish) { wish.diskMiB = 0; });
    row("negative time-out", false, [](LocalCreate &wish) { wish.timeoutSeconds = -1; });
    row("port 0", false, [](LocalCreate &wish) { wish.exposedPorts = {0}; });
    row("port 65535", true, [](LocalCreate &wish) { wish.exposedPorts = {65535}; });
    row("port 65536", false, [](LocalCreate &wish) { wish.exposedPorts = {65536}; });
    row("the vendor's port", false, [](LocalCreate &wish) { wish.exposedPorts = {9501}; });
    row("300 ports", false, [](LocalCreate &wish) { wish.exposedPorts = QList<int>(300, 80); });
    row("a long image", false, [](LocalCreate &wish) { wish.image = QString(501, u'x'); });
}

void SandboxRecordTest::wishesAreChecked()
{
    QFETCH(LocalCreate, wish);
    const auto problem = problemWith(wish);
    QTEST(!problem.has_value(), "good");
    if (problem)
        QVERIFY(problem->kind == ErrorKind::InvalidInput && !problem->detail.isEmpty());
}

static LocalSandbox example()
{
    LocalSandbox sandbox;
    sandbox.id = u"abcdefghij0123456789x"_s;
    sandbox.name = u"dev"_s;
    sandbox.state = LocalState::Suspended;
    sandbox.image = u"tensorlake/ubuntu-minimal"_s;
    sandbox.cpus = 2.5;
    sandbox.memoryMiB = 4096;
    sandbox.diskMiB = 20480;
    sandbox.timeoutSeconds = 600;
    sandbox.createdAt = QDateTime::fromMSecsSinceEpoch(1'790'000'000'123, QTimeZone::UTC);
    sandbox.exposedPorts = {80, 8080};
    sandbox.allowUnauthenticated = true;
    return sandbox;
}

void SandboxRecordTest::recordComesBack()
{
    LocalSandbox sandbox = example();
    QVERIFY(sandboxOf(recordOf(sandbox)) == sandbox);
    sandbox.state = LocalState::Terminated;
    sandbox.terminatedAt = sandbox.createdAt.addSecs(5);
    sandbox.terminationReason = u"why"_s;
    QVERIFY(sandboxOf(recordOf(sandbox)) == sandbox);
}

void SandboxRecordTest::onlyTerminatedStaysWhatItWas()
{
    LocalSandbox sandbox = example();
    for (const auto state : {LocalState::Pending, LocalState::Running, LocalState::Suspending, LocalState::Suspended}) {
        sandbox.state = state;
        QCOMPARE(sandboxOf(recordOf(sandbox))->state, LocalState::Suspended);
    }
}

void SandboxRecordTest::damagedRecordIsNone_data()
{
    QTest::addColumn<QByteArray>("record");
    const QByteArray good = recordOf(example());
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("half") << good.first(good.size() / 2);
    QTest::newRow("list") << QByteArray("[1]");
    QTest::newRow("no id") << QByteArray("{\"createdAt\": 1}");
    QTest::newRow("another's files") << QByteArray(good).replace("abcdefghij0123456789x", "../../../../etc/shado");
    QTest::newRow("a name that is none") << QByteArray(good).replace("\"dev\"", "\"../dev\"");
    QTest::newRow("odd numbers") << QByteArray(good).replace("2.5", "-1e300");
    QTest::newRow("odd time") << QByteArray(good).replace("1790000000123", "\"yesterday\"");
    QTest::newRow("odd ports") << QByteArray(good).replace("8080", "{}");
    QTest::newRow("binary") << QByteArray(1000, '\0');
}

void SandboxRecordTest::damagedRecordIsNone()
{
    QFETCH(QByteArray, record);
    QVERIFY(!sandboxOf(record));
}

void SandboxRecordTest::bubblewrapSeparatesEverything()
{
    BubblewrapSpec spec;
    spec.home = u"/h o m e"_s;
    spec.workspace = u"/w"_s;
    spec.systemFolder = u"/s"_s;
    spec.initProgram = u"/i"_s;
    const QStringList arguments = bubblewrapArguments(spec);
    for (const QString &one : {u"--unshare-user"_s, u"--unshare-pid"_s, u"--unshare-net"_s, u"--unshare-ipc"_s, u"--unshare-uts"_s,
                               u"--unshare-cgroup-try"_s, u"--die-with-parent"_s, u"--as-pid-1"_s, u"--new-session"_s, u"--clearenv"_s})
        QVERIFY2(arguments.contains(one), qPrintable(one));
    const QString line = arguments.join(u'|');
    QVERIFY(line.contains(u"|--bind|/h o m e|/home/tl-user|"_s));
    QVERIFY(line.contains(u"|--bind|/w|/workspace|"_s));
    QVERIFY(line.contains(u"|--hostname|tl-sbx|"_s));
    QCOMPARE(arguments.count(u"--bind"_s), 2);
    // Nothing may come after that and make the root writable again.
    QVERIFY(line.endsWith(u"|--remount-ro|/|--chdir|/"_s));
}

void SandboxRecordTest::bubblewrapShowsOnlyWhatIsAllowed()
{
    BubblewrapSpec spec;
    spec.layout.links = {{u"bin"_s, u"usr/bin"_s}};
    spec.layout.folders = {u"/lib64"_s};
    spec.layout.etc = {u"/etc/ssl/certs"_s};
    spec.layout.hasSudo = true;
    spec.systemFolder = u"/s"_s;
    const QString line = bubblewrapArguments(spec).join(u'|');
    QVERIFY(line.contains(u"|--symlink|usr/bin|/bin|"_s));
    QVERIFY(line.contains(u"|--ro-bind|/lib64|/lib64|"_s));
    QVERIFY(line.contains(u"|--ro-bind|/s/etc|/etc|--ro-bind|/etc/ssl/certs|/etc/ssl/certs|"_s));
    QVERIFY(line.contains(u"|--ro-bind|/s/sudo|/usr/bin/sudo|"_s));
    const HostLayout here = HostLayout::here();
    for (const QString &path : here.etc) {
        for (const QString &secret : {u"shadow"_s, u"/etc/ssh/ssh_host"_s, u"private"_s, u"machine-id"_s, u"sudoers"_s, u"passwd"_s})
            QVERIFY2(!path.contains(secret), qPrintable(path));
    }
    QVERIFY(!here.links.isEmpty() || !here.folders.isEmpty());
}

void SandboxRecordTest::bubblewrapsRefusalBecomesASentence_data()
{
    QTest::addColumn<QByteArray>("said");
    QTest::addColumn<QString>("part");
    QTest::newRow("namespaces") << QByteArray("bwrap: setting up uid map: Permission denied\n") << u"user namespaces"_s;
    QTest::newRow("kernel") << QByteArray("bwrap: No permissions to create new namespace, likely because the kernel …\n") << u"user namespaces"_s;
    QTest::newRow("other") << QByteArray("one\nbwrap: Can't mount proc on /newroot/proc: Invalid argument\n") << u"Can't mount proc"_s;
    QTest::newRow("nothing") << QByteArray() << u"does not work here"_s;
    QTest::newRow("hostile") << QByteArray(100'000, '\x1b') << u"does not work here"_s;
}

void SandboxRecordTest::bubblewrapsRefusalBecomesASentence()
{
    QFETCH(QByteArray, said);
    QFETCH(QString, part);
    const QString sentence = bubblewrapProblem(said);
    QVERIFY2(sentence.contains(part), qPrintable(sentence));
    QVERIFY(sentence.startsWith(u"Sandboxes cannot run on this computer"_s) && sentence.endsWith(u'.'));
    QVERIFY(sentence.size() < 500);
}

void SandboxRecordTest::systemFolderHasAPlaceForEverythingAllowed()
{
    QTemporaryDir folder;
    const QString system = folder.filePath(u"system"_s);
    const HostLayout layout = HostLayout::here();
    for (int round = 0; round < 2; ++round) { // also over an old one
        const auto written = writeSystemFolder(system, layout);
        QVERIFY2(written, qPrintable(written ? QString() : describe(written.error())));
    }
    for (const QString &path : layout.etc) {
        const QFileInfo there(path), here(system + path);
        QVERIFY2(here.exists() || here.isSymLink(), qPrintable(path));
        QCOMPARE(here.isSymLink(), there.isSymLink());
        if (!there.isSymLink())
            QCOMPARE(here.isDir(), there.isDir());
    }
    QVERIFY(QFileInfo(system + u"/sudo"_s).isExecutable());
}

void SandboxRecordTest::removeTreeFollowsNoLinkAndNeedsNoRights()
{
    QTemporaryDir folder;
    const QString precious = folder.filePath(u"precious"_s), tree = folder.filePath(u"tree"_s);
    QVERIFY(QDir().mkpath(precious + u"/in"_s));
    QVERIFY(QDir().mkpath(tree + u"/shut/deep/deeper"_s));
    QVERIFY(QDir().mkpath(tree + u"/removed-1/removed-2"_s)); // names that the removal itself uses
    QVERIFY(QFile::link(precious, tree + u"/link"_s));
    QVERIFY(QFile::link(precious, tree + u"/shut/deep/link"_s));
    for (const QString &name : {u"new\nline"_s, u"-rf"_s, u" "_s, u"ü"_s}) {
        QFile file(tree + u"/shut/"_s + name);
        QVERIFY(file.open(QIODevice::WriteOnly));
    }
    const QByteArray odd = QFile::encodeName(tree) + "/\xff\xfe";
    QCOMPARE(::mkdir(odd.constData(), 0), 0);
    QString path = tree + u"/shut/deep"_s;
    for (int i = 0; i < 1500 && path.size() < 3500; ++i)
        path += u"/d"_s;
    QVERIFY(QDir().mkpath(path));
    for (const QString &shut : {tree + u"/shut/deep/deeper"_s, tree + u"/shut/deep"_s, tree + u"/shut"_s, tree})
        QCOMPARE(::chmod(qPrintable(shut), 0), 0);
    const auto removed = removeTree(tree);
    QVERIFY2(removed, qPrintable(removed ? QString() : describe(removed.error())));
    QVERIFY(!QFileInfo::exists(tree));
    QVERIFY(QDir(precious + u"/in"_s).exists());
    // A link instead of the folder is not followed either.
    QVERIFY(QFile::link(precious, tree));
    QVERIFY(!removeTree(tree));
    QVERIFY(QDir(precious + u"/in"_s).exists());
}

void SandboxRecordTest::removeTreeOfNothingIsDone()
{
    QTemporaryDir folder;
    QVERIFY(removeTree(folder.filePath(u"nothing"_s)));
}

void SandboxRecordTest::wireNeverReadsPastItsEnd()
{
    Wire::Writer writer;
    writer.u8(7);
    writer.i32(-2);
    writer.text("text");
    writer.text("");
    const std::string bytes = writer.bytes();
    Wire::Reader whole(bytes);
    QCOMPARE(whole.u8(), 7);
    QCOMPARE(whole.i32(), -2);
    QVERIFY(whole.text() == "text");
    QVERIFY(whole.text().empty());
    QVERIFY(whole.isDone());
    for (size_t size = 0; size < bytes.size(); ++size) {
        const std::string part = bytes.substr(0, size); // a copy, so that a read past it is seen
        Wire::Reader reader(part);
        reader.u8();
        reader.i32();
        reader.text();
        reader.text();
        QVERIFY(!reader.isGood());
    }
    Wire::Reader huge(std::string_view("\xff\xff\xff\xffx", 5));
    QVERIFY(huge.text().empty() && !huge.isGood());
}

QTEST_GUILESS_MAIN(SandboxRecordTest)
#include "tst_sandboxrecord.moc"

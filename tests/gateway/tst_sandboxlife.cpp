// The life of a sandbox: made, suspended, resumed, terminated, left behind by a killed gateway.
#include "tests/gateway/sandboxfixture.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QSignalSpy>
#include <QTimer>

#include <algorithm>
#include <sys/stat.h>

using namespace Sandpiper;
using namespace Sandpiper::TestSupport;

namespace {

// Every process of this computer that has the text in its command line.
QList<qint64> processesWith(const QByteArray &text)
{
    QList<qint64> pids;
    const QStringList names = QDir(u"/proc"_s).entryList(QDir::Dirs);
    for (const QString &name : names) {
        QFile file(u"/proc/"_s + name + u"/cmdline"_s);
        if (name.toLongLong() > 0 && name.toLongLong() != ::getpid() && file.open(QIODevice::ReadOnly)
            && file.readAll().contains(text))
            pids.append(name.toLongLong());
    }
    return pids;
}

// Those that have come as far as to call themselves so.
int processesNamed(const QByteArray &name)
{
    int count = 0;
    for (const qint64 pid : processesWith(name)) {
        QFile file(u"/proc/%1/cmdline"_s.arg(pid));
        count += file.open(QIODevice::ReadOnly) && file.readAll().startsWith(name + '\0');
    }
    return count;
}

struct Born
{
    qint64 pid = 0;
    qint64 parent = 0;
    QByteArray startTime;
};

std::optional<Born> born(qint64 pid)
{
    QFile file(u"/proc/%1/stat"_s.arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return std::nullopt;
    const QByteArray line = file.readAll();
    const QByteArrayList words = line.sliced(line.lastIndexOf(')') + 1).simplified().split(' ');
    if (words.size() < 20 || words[0] == "Z")
        return std::nullopt;
    return Born{pid, words[1].toLongLong(), words[19]};
}

bool isThere(const Born &one)
{
    const auto now = born(one.pid);
    return now && now->startTime == one.startTime;
}

// All below that process.
QList<Born> familyOf(qint64 ancestor)
{
    QList<Born> everyone, family;
    const QStringList names = QDir(u"/proc"_s).entryList(QDir::Dirs);
    for (const QString &name : names) {
        if (const auto one = born(name.toLongLong()))
            everyone.append(*one);
    }
    QList<qint64> above = {ancestor};
    while (!above.isEmpty()) {
        const qint64 parent = above.takeFirst();
        for (const Born &one : std::as_const(everyone)) {
            if (one.parent == parent) {
                family.append(one);
                above.append(one.pid);
            }
        }
    }
    return family;
}

QByteArray suspendAndResume(SandboxStore &store, const QString &id)
{
    if (const auto done = store.suspend(id); !done)
        return "suspend: " + describe(done.error()).toUtf8();
    if (!QTest::qWaitFor([&] { return stateOf(store, id) != LocalState::Suspending; }, patience)
        || stateOf(store, id) != LocalState::Suspended)
        return "not suspended";
    if (const auto done = store.resume(id); !done)
        return "resume: " + describe(done.error()).toUtf8();
    if (!QTest::qWaitFor([&] { return stateOf(store, id) == LocalState::Running; }, patience))
        return "not resumed";
    return {};
}

} // namespace

class SandboxLifeTest : public QObject
{
    Q_OBJECT

private slots:
    void creationIsAnsweredAtOnceAndTold();
    void namesAreTakenOnceAndFreedByTermination();
    void wrongStatesAreConflicts();
    void suspendStopsEverythingAndResumeGoesOn();
    void suspendDoesNotDisturbJobControl();
    void suspendLeavesStoppedJobsStopped();
    void suspendStopsWhatIsJustBeingBorn();
    void suspendedSandboxTakesNoRequests();
    void terminateLeavesNoProcessAndNoFolder();
    void terminateEndsASuspendedOneToo();
    void terminatedWhileStartingLeavesNothing();
    void storesEndTakesTheProcessesAndKeepsTheFiles();
    void killedGatewayLeavesNothingRunning();
    void nextStartReportsSuspendedAndResumesWithTheFiles();
    void processesThatEndByThemselvesAreReported();
    void timeOutSuspendsTheNamedAndTerminatesTheOther();
    void recordsArePrivateAndDamagedOnesAreLeft();
    void missingBubblewrapIsOneSentence();
    void weakIsolationIsShownAsSuch();
    void eventLoopIsNeverHeldUpForLong();
};

void SandboxLifeTest::creationIsAnsweredAtOnceAndTold()
{
    StoreFolder folder;
    const auto store = folder.store();
    QSignalSpy changed(store.get(), &SandboxStore::sandboxChanged);
    const auto created = store->create({});
    QVERIFY(created);
    QCOMPARE(created->state, LocalState::Pending);
    QCOMPARE(created->id.size(), 21);
    QVERIFY(!created->agent.isValid());
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, created->id), LocalState::Running, patience);
    QCOMPARE_GE(changed.size(), 2);
    const auto sandbox = store->lookup(created->id);
    QVERIFY(sandbox->agent.isValid());
    QVERIFY(sandbox->isolated);
    QCOMPARE(sandbox->hasNetwork, sandbox->networkNote.isEmpty());
    qInfo() << "network:" << (sandbox->hasNetwork ? u"by pasta"_s : sandbox->networkNote);
    QVERIFY(store->anyRunning());

    const QString second = newSandbox(*store);
    QCOMPARE(store->all().size(), 2);
    QCOMPARE(store->all().front().id, second);
    QVERIFY(store->terminate(second));
    QCOMPARE(store->all().front().id, created->id);
}

void SandboxLifeTest::namesAreTakenOnceAndFreedByTermination()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store, u"dev"_s);
    QCOMPARE(store->lookup(u"dev"_s)->id, id);
    LocalCreate again;
    again.name = u"dev"_s;
    QCOMPARE(store->create(again).error().kind, ErrorKind::Conflict);
    again.name = u"Not a name"_s;
    QCOMPARE(store->create(again).error().kind, ErrorKind::InvalidInput);
    const QString other = newSandbox(*store, u"other"_s);
    QCOMPARE(store->rename(other, u"dev"_s).error().kind, ErrorKind::Conflict);
    QCOMPARE(store->rename(other, QString()).error().kind, ErrorKind::InvalidInput);
    QCOMPARE(store->rename(u"nobody"_s, u"x"_s).error().kind, ErrorKind::NotFound);
    QVERIFY(store->rename(id, u"dev"_s));
    QCOMPARE(store->rename(other, u"third"_s)->name, u"third"_s);
    QVERIFY(store->terminate(id));
    QVERIFY(!store->lookup(u"dev"_s));
    QCOMPARE(store->lookup(id)->state, LocalState::Terminated);
    QVERIFY(store->rename(other, u"dev"_s));
    QCOMPARE(store->setExposure(other, {8080, 9501}, true).error().kind, ErrorKind::InvalidInput);
    QCOMPARE(store->setExposure(other, {8080}, true)->exposedPorts, QList<int>{8080});
}

void SandboxLifeTest::wrongStatesAreConflicts()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    QVERIFY(store->resume(id)); // it runs already
    QVERIFY(store->suspend(id));
    QCOMPARE(store->suspend(id).error().kind, ErrorKind::Conflict);
    QCOMPARE(store->resume(id).error().kind, ErrorKind::Conflict);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Suspended, patience);
    QCOMPARE(store->suspend(id).error().kind, ErrorKind::Conflict);
    QVERIFY(store->terminate(id));
    QVERIFY(store->terminate(id));
    QCOMPARE(store->suspend(id).error().kind, ErrorKind::Conflict);
    QCOMPARE(store->resume(id).error().kind, ErrorKind::Conflict);
    QCOMPARE(store->rename(id, u"late"_s).error().kind, ErrorKind::Conflict);
    QCOMPARE(store->terminate(u"nobody"_s).error().kind, ErrorKind::NotFound);
}

void SandboxLifeTest::suspendStopsEverythingAndResumeGoesOn()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    auto process = shell(store->lookup(id)->agent);
    QVERIFY(process);
    QVERIFY(type(*process, "(setsid bash -c 'while :; do date +%N >/workspace/tick; done' &); i=0; while :; do echo n$((i++)); done\n"));
    readUntil(process->terminal.get(), "n100\r\n");
    QFile tick(folder.path(u"data/files/%1/workspace/tick"_s.arg(id)));
    QTRY_VERIFY_WITH_TIMEOUT(tick.exists(), patience);

    QVERIFY(store->suspend(id));
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Suspended, patience);
    QVERIFY(!store->lookup(id)->agent.isValid());
    QVERIFY(store->anyRunning());
    // What was in the terminal still comes out; then nothing more.
    while (canRead(process->terminal.get(), 300)) {
        char buffer[65536];
        QVERIFY(::read(process->terminal.get(), buffer, sizeof buffer) > 0);
    }
    QVERIFY(tick.open(QIODevice::ReadOnly));
    const QByteArray before = tick.readAll();
    QVERIFY(!canRead(process->terminal.get(), 200));
    tick.seek(0);
    QCOMPARE(tick.readAll(), before);
    QVERIFY(!process->takeEnd());

    QVERIFY(store->resume(id));
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Running, patience);
    QVERIFY(store->lookup(id)->agent.isValid());
    QVERIFY(!readUntil(process->terminal.get(), "\n").isEmpty());
    QVERIFY(type(*process, "\x03"));
    QVERIFY(type(*process, "echo ba''ck\n"));
    QVERIFY(readUntil(process->terminal.get(), "back").contains("back"));
}

void SandboxLifeTest::suspendDoesNotDisturbJobControl()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    const AgentClient agent = store->lookup(id)->agent;
    // A job in front, a job behind, a pipeline, and a shell within a shell.
    std::vector<SandboxProcess> shells;
    for (int i = 0; i < 6; ++i) {
        auto process = shell(agent);
        QVERIFY(process);
        shells.push_back(std::move(*process));
    }
    QVERIFY(type(shells[0], "sleep 3000\n"));
    QVERIFY(type(shells[1], "sleep 3001 &\n"));
    QVERIFY(type(shells[2], "sleep 3002 | cat | cat\n"));
    QVERIFY(type(shells[3], "bash\nsleep 3003\n"));
    QVERIFY(type(shells[4], "bash -c 'while :; do /bin/true; done'\n"));
    QVERIFY(type(shells[5], "while :; do (sleep 0.003); done\n"));
    for (const char *one : {"sleep 3000", "sleep 3001", "sleep 3002", "sleep 3003", "bash -c while"})
        QTRY_VERIFY_WITH_TIMEOUT(run(agent, "ps -eo args").contains(one), patience);
    for (int round = 0; round < 60; ++round)
        QCOMPARE(suspendAndResume(*store, id), QByteArray());
    for (const char *one : {"sleep 3000", "sleep 3001", "sleep 3002", "sleep 3003", "bash -c while"})
        QVERIFY2(run(agent, "ps -eo args").contains(one), one);
    QCOMPARE(run(agent, "ps -eo stat,args | grep '^T'"), "");
    for (int i = 0; i < 6; ++i) {
        // More than once: a key that comes between two programs of a loop is nobody's.
        QByteArray output;
        for (int attempt = 0; attempt < 100 && !output.contains("end"); ++attempt) {
            if (i != 1)
                QVERIFY(type(shells[size_t(i)], "\x03"));
            QVERIFY(type(shells[size_t(i)], "echo e''nd\n"));
            output += readUntil(shells[size_t(i)].terminal.get(), "end", 300);
        }
        QVERIFY2(output.contains("end"), output);
        QVERIFY2(!output.contains("Stopped"), output);
    }
}

void SandboxLifeTest::suspendLeavesStoppedJobsStopped()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    const AgentClient agent = store->lookup(id)->agent;
    auto process = shell(agent);
    QVERIFY(process);
    QVERIFY(type(*process, "sleep 3100\n"));
    QTRY_VERIFY_WITH_TIMEOUT(run(agent, "ps -eo args").contains("sleep 3100"), patience);
    QVERIFY(type(*process, "\x1a"));
    QVERIFY(readUntil(process->terminal.get(), "Stopped").contains("Stopped"));
    QCOMPARE(suspendAndResume(*store, id), QByteArray());
    QVERIFY(run(agent, "ps -eo stat,args | grep 'sleep 3100' | grep '^T'").contains("sleep 3100"));
    QVERIFY(type(*process, "jobs; fg\n"));
    QTRY_VERIFY_WITH_TIMEOUT(run(agent, "ps -eo stat,args | grep '^S.*+ .*sleep 3100'").contains("sleep 3100"), patience);
}

void SandboxLifeTest::suspendStopsWhatIsJustBeingBorn()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    auto process = shell(store->lookup(id)->agent);
    QVERIFY(process);
    QVERIFY(type(*process, "born() { while :; do (date +%N >/workspace/born); (sleep 0.001 &); done; }; born & born & born & born\n"));
    const QString path = folder.path(u"data/files/%1/workspace/born"_s.arg(id));
    QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(path), patience);
    for (int round = 0; round < 5; ++round) {
        QVERIFY(store->suspend(id));
        QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Suspended, patience);
        const QDateTime before = QFileInfo(path).lastModified();
        QVERIFY(!canRead(process->controlFd(), 100));
        QCOMPARE(QFileInfo(path).lastModified(), before);
        QVERIFY(store->resume(id));
        QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Running, patience);
        QTRY_VERIFY_WITH_TIMEOUT(QFileInfo(path).lastModified() > before, patience);
    }
}

void SandboxLifeTest::suspendedSandboxTakesNoRequests()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    const AgentClient agent = store->lookup(id)->agent;
    QVERIFY(store->suspend(id));
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Suspended, patience);
    SpawnSpec spec;
    spec.argv = {u"true"_s};
    QCOMPARE(agent.spawn(spec).error().kind, ErrorKind::SandboxNotRunning);
    QCOMPARE(agent.dial(u"127.0.0.1"_s, 80).error().kind, ErrorKind::SandboxNotRunning);
    QCOMPARE(agent.listen(u"127.0.0.1"_s, 0).error().kind, ErrorKind::SandboxNotRunning);
    QCOMPARE(AgentClient().spawn(spec).error().kind, ErrorKind::SandboxNotRunning);
}

void SandboxLifeTest::terminateLeavesNoProcessAndNoFolder()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    const AgentClient agent = store->lookup(id)->agent;
    const QByteArray mark = "mark-" + id.toLatin1();
    auto process = shell(agent);
    QVERIFY(process);
    QVERIFY(type(*process, "trap '' HUP TERM; (setsid bash -c 'exec -a " + mark + " sleep 1000' &); exec -a " + mark + " sleep 1000\n"));
    QTRY_COMPARE_WITH_TIMEOUT(run(agent, "ps -eo args | grep -c '^mark-'"), "2\n", patience);
    QVERIFY(!processesWith(mark).isEmpty());
    // What makes folders hard to remove: no rights, depth, links out, odd names.
    const QByteArray outside = folder.path(u"precious"_s).toUtf8();
    QVERIFY(QDir().mkpath(QString::fromUtf8(outside) + u"/inside"_s));
    QCOMPARE(run(agent, "cd; mkdir -p shut/in; chmod 000 shut; ln -s " + outside + " link; touch $'new\\nline' -- -rf;"
                        "python3 -c 'import os\nfor i in range(1200): os.mkdir(\"d\"); os.chdir(\"d\")'; echo made"),
             "made\n");
    QVERIFY(store->terminate(id));
    QCOMPARE(stateOf(*store, id), LocalState::Terminated);
    QVERIFY(store->lookup(id)->terminatedAt.isValid());
    QTRY_VERIFY_WITH_TIMEOUT(processesWith(mark).isEmpty(), patience);
    QTRY_VERIFY_WITH_TIMEOUT(QDir(folder.path(u"data/files"_s)).isEmpty(), patience);
    QVERIFY(QDir(folder.path(u"precious/inside"_s)).exists());
    QTRY_VERIFY_WITH_TIMEOUT(QDir(folder.path(u"run"_s)).isEmpty(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot), patience);
    QCOMPARE(waitForEnd(*process)->signal, SIGKILL);
    SpawnSpec spec;
    spec.argv = {u"true"_s};
    QCOMPARE(agent.spawn(spec).error().kind, ErrorKind::SandboxNotRunning);
    QTRY_VERIFY_WITH_TIMEOUT(!store->anyRunning(), patience);
}

void SandboxLifeTest::terminateEndsASuspendedOneToo()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    auto process = shell(store->lookup(id)->agent);
    QVERIFY(process);
    QVERIFY(store->suspend(id));
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Suspended, patience);
    QVERIFY(store->terminate(id));
    QVERIFY(waitForEnd(*process));
    QTRY_VERIFY_WITH_TIMEOUT(QDir(folder.path(u"data/files"_s)).isEmpty(), patience);
}

void SandboxLifeTest::terminatedWhileStartingLeavesNothing()
{
    StoreFolder folder;
    const auto store = folder.store();
    for (int i = 0; i < 5; ++i) {
        const auto created = store->create({});
        QVERIFY(created);
        QVERIFY(store->terminate(created->id));
        QCOMPARE(stateOf(*store, created->id), LocalState::Terminated);
    }
    QTRY_VERIFY_WITH_TIMEOUT(!store->anyRunning(), patience);
    QTRY_VERIFY_WITH_TIMEOUT(QDir(folder.path(u"data/files"_s)).isEmpty(), patience);
}

void SandboxLifeTest::storesEndTakesTheProcessesAndKeepsTheFiles()
{
    StoreFolder folder;
    QString id;
    {
        const auto store = folder.store();
        id = newSandbox(*store, u"kept"_s);
        QCOMPARE(run(store->lookup(id)->agent, "echo home >~/f; echo work >/workspace/f; (exec -a mark-" + id.toLatin1() + " sleep 1000) >/dev/null 2>&1 &"), "");
        QVERIFY(!processesWith("mark-" + id.toLatin1()).isEmpty());
    }
    QCOMPARE(processesWith("mark-" + id.toLatin1()), QList<qint64>());
    QVERIFY(processesWith(id.toLatin1()).isEmpty());

    const auto store = folder.store();
    QCOMPARE(store->lookup(u"kept"_s)->id, id);
    QCOMPARE(stateOf(*store, id), LocalState::Suspended);
    QSignalSpy lost(store.get(), &SandboxStore::processesLost);
    QVERIFY(store->resume(id));
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Running, patience);
    QCOMPARE(lost.size(), 1);
    QCOMPARE(run(store->lookup(id)->agent, "cat ~/f /workspace/f"), "home\nwork\n");
}

void SandboxLifeTest::killedGatewayLeavesNothingRunning()
{
    for (int round = 0; round < 5; ++round) {
        StoreFolder folder;
        const SandboxStore::Options options = folder.options();
        const QByteArray mark = "mark-" + QByteArray::number(::getpid()) + '-' + QByteArray::number(round);
        QProcess owner;
        owner.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        owner.start(QFileInfo(qEnvironmentVariable("SANDPIPER_BIN")).path() + u"/tests/gateway_sandboxowner"_s,
                    {options.folder, options.runFolder, options.initProgram, QString::fromLatin1(mark)});
        QTRY_VERIFY_WITH_TIMEOUT(owner.canReadLine(), patience);
        const QByteArray id = owner.readLine().simplified().split(' ').value(1);
        QCOMPARE(id.size(), 21);
        QTRY_COMPARE_WITH_TIMEOUT(processesNamed(mark), 4, patience);
        const QList<Born> family = familyOf(owner.processId());
        QCOMPARE_GE(family.size(), 6); // the four, bubblewrap, and the init
        owner.kill();
        QTRY_COMPARE_WITH_TIMEOUT(owner.state(), QProcess::NotRunning, patience);
        QTRY_COMPARE_WITH_TIMEOUT(processesWith(mark), QList<qint64>(), patience);
        QTRY_COMPARE_WITH_TIMEOUT(processesWith(id), QList<qint64>(), patience);
        // bubblewrap, the init, and the way out as well.
        QTRY_VERIFY_WITH_TIMEOUT(std::ranges::none_of(family, isThere), patience);

        const auto store = folder.store();
        QCOMPARE(stateOf(*store, QString::fromLatin1(id)), LocalState::Suspended);
        QCOMPARE(store->lookup(u"owned"_s)->id, QString::fromLatin1(id));
    }
}

void SandboxLifeTest::nextStartReportsSuspendedAndResumesWithTheFiles()
{
    StoreFolder folder;
    const SandboxStore::Options options = folder.options();
    QProcess owner;
    owner.start(QFileInfo(qEnvironmentVariable("SANDPIPER_BIN")).path() + u"/tests/gateway_sandboxowner"_s,
                {options.folder, options.runFolder, options.initProgram, u"mark"_s});
    QTRY_VERIFY_WITH_TIMEOUT(owner.canReadLine(), patience);
    const QString kept = folder.path(u"data/files/"_s) + QString::fromLatin1(owner.readLine().simplified().split(' ').value(1)) + u"/home/kept"_s;
    QTRY_VERIFY_WITH_TIMEOUT(QFileInfo(kept).size() > 0, patience);
    owner.kill();
    QTRY_COMPARE_WITH_TIMEOUT(owner.state(), QProcess::NotRunning, patience);
    const auto store = folder.store();
    const QString id = store->lookup(u"owned"_s)->id;
    QSignalSpy lost(store.get(), &SandboxStore::processesLost);
    QVERIFY(store->resume(id));
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Running, patience);
    QCOMPARE(lost.size(), 1);
    QCOMPARE(run(store->lookup(id)->agent, "cat ~/kept; ps -eo args | grep -c '^mark'"), "kept\n0\n");
}

void SandboxLifeTest::processesThatEndByThemselvesAreReported()
{
    StoreFolder folder;
    const auto store = folder.store();
    const QString id = newSandbox(*store);
    QSignalSpy lost(store.get(), &SandboxStore::processesLost);
    // bubblewrap's own process, by the folder in its command line.
    const QList<qint64> outer = processesWith("files/" + id.toLatin1());
    QVERIFY(!outer.isEmpty());
    for (const qint64 pid : outer)
        ::kill(pid_t(pid), SIGKILL);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Suspended, patience);
    QCOMPARE(lost.size(), 1);
    QVERIFY(!store->anyRunning());
    QVERIFY(store->resume(id));
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, id), LocalState::Running, patience);
}

void SandboxLifeTest::timeOutSuspendsTheNamedAndTerminatesTheOther()
{
    StoreFolder folder;
    const auto store = folder.store();
    LocalCreate wish;
    wish.timeoutSeconds = 1;
    const auto unnamed = store->create(wish);
    wish.name = u"named"_s;
    const auto named = store->create(wish);
    wish.name = u"used"_s;
    const auto used = store->create(wish);
    QVERIFY(unnamed && named && used);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, used->id), LocalState::Running, patience);
    const auto process = shell(store->lookup(used->id)->agent);
    QVERIFY(process);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, named->id), LocalState::Suspended, patience);
    QTRY_COMPARE_WITH_TIMEOUT(stateOf(*store, unnamed->id), LocalState::Terminated, patience);
    QVERIFY(!store->lookup(unnamed->id)->terminationReason.isEmpty());
    QCOMPARE(stateOf(*store, used->id), LocalState::Running);
}

void SandboxLifeTest::recordsArePrivateAndDamagedOnesAreLeft()
{
    StoreFolder folder;
    QString id;
    {
        const auto store = folder.store();
        id = newSandbox(*store, u"kept"_s);
    }
    const QString records = folder.path(u"data/records"_s);
    struct stat about = {};
    QCOMPARE(::stat(qPrintable(records + u'/' + id + u".json"_s), &about), 0);
    QCOMPARE(about.st_mode & 0777, 0600U);
    QCOMPARE(::stat(qPrintable(folder.path(u"data"_s)), &about), 0);
    QCOMPARE(about.st_mode & 0777, 0700U);
    for (const QByteArray &content : QByteArrayList{"", "{", "[]", "{\"id\":\"../../../etc\"}", QByteArray(1 << 20, '[')}) {
        QFile bad(records + u"/aaaaaaaaaaaaaaaaaaaaa.json"_s);
        QVERIFY(bad.open(QIODevice::WriteOnly));
        bad.write(content);
        bad.close();
        const auto store = folder.store();
        QCOMPARE(store->all().size(), 1);
        QVERIFY(bad.exists());
    }
}

void SandboxLifeTest::missingBubblewrapIsOneSentence()
{
    StoreFolder folder;
    const QByteArray path = qgetenv("PATH");
    qputenv("PATH", folder.path(u"nothing"_s).toUtf8());
    const auto store = folder.store();
    qputenv("PATH", path);
    QVERIFY2(store->unusableBecause().contains(u"bubblewrap is not installed"_s), qPrintable(store->unusableBecause()));
    const auto created = store->create({});
    QCOMPARE(created.error().kind, ErrorKind::Unsupported);
    QCOMPARE(created.error().detail, store->unusableBecause());
    QVERIFY(store->all().isEmpty());
}

void SandboxLifeTest::weakIsolationIsShownAsSuch()
{
    StoreFolder folder;
    // A bubblewrap that may not.
    QVERIFY(QDir().mkpath(folder.path(u"bin"_s)));
    QFile bwrap(folder.path(u"bin/bwrap"_s));
    QVERIFY(bwrap.open(QIODevice::WriteOnly));
    bwrap.write("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n");
    bwrap.close();
    bwrap.setPermissions(QFile::ReadOwner | QFile::ExeOwner);
    const QByteArray path = qgetenv("PATH");
    qputenv("PATH", folder.path(u"bin:"_s).toUtf8() + path);
    const auto restore = qScopeGuard([&] { qputenv("PATH", path); });
    {
        const auto strict = folder.store();
        QVERIFY2(strict->unusableBecause().contains(u"user namespaces"_s), qPrintable(strict->unusableBecause()));
    }
    SandboxStore::Options options = folder.options();
    options.allowWeakIsolation = true;
    auto store = std::make_unique<SandboxStore>(options);
    QCOMPARE(store->unusableBecause(), QString());
    const QString id = newSandbox(*store);
    QVERIFY(!id.isEmpty());
    const LocalSandbox sandbox = *store->lookup(id);
    QVERIFY(!sandbox.isolated);
    QVERIFY(sandbox.isolationNote.contains(u"bubblewrap"_s));
    QVERIFY(sandbox.hasNetwork);
    QCOMPARE(run(sandbox.agent, "pwd"), folder.path(u"data/files/%1/workspace"_s.arg(id)).toUtf8() + '\n');
    auto process = shell(sandbox.agent);
    QVERIFY(process);
    const QByteArray mark = "mark-" + id.toLatin1();
    QVERIFY(type(*process, "(setsid bash -c 'exec -a " + mark + " sleep 1000' &); sleep 1000\n"));
    QTRY_COMPARE_WITH_TIMEOUT(processesWith(mark).size(), 1, patience);
    QCOMPARE(suspendAndResume(*store, id), QByteArray());
    QVERIFY(type(*process, "\x03" "echo e''nd\n"));
    const QByteArray output = readUntil(process->terminal.get(), "end");
    QVERIFY2(output.contains("end") && !output.contains("Stopped"), output);
    store.reset();
    QTRY_COMPARE_WITH_TIMEOUT(processesWith(mark), QList<qint64>(), patience);
}

void SandboxLifeTest::eventLoopIsNeverHeldUpForLong()
{
    StoreFolder folder;
    const auto store = folder.store();
    QElapsedTimer since;
    qint64 longest = 0;
    QTimer beat;
    connect(&beat, &QTimer::timeout, this, [&] { longest = qMax(longest, since.restart()); });
    beat.start(1);
    since.start();
    const QString id = newSandbox(*store);
    QCOMPARE(run(store->lookup(id)->agent, "cd; python3 -c 'for i in range(5000): open(str(i), \"w\")'; ls | wc -l"), "5000\n");
    since.restart();
    longest = 0;
    QCOMPARE(suspendAndResume(*store, id), QByteArray());
    QVERIFY(store->terminate(id));
    QTRY_VERIFY_WITH_TIMEOUT(QDir(folder.path(u"data/files"_s)).isEmpty(), patience);
    // A figure for people: how slow the machine is, nobody knows.
    qInfo("longest gap of the event loop over suspend, resume, terminate: %lld ms", longest);
}

QTEST_GUILESS_MAIN(SandboxLifeTest)
#include "tst_sandboxlife.moc"

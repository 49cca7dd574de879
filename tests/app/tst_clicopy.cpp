// sandpiper-cli get, put and cp as scripts use them, on a real server.
#include "tests/support/cliserver.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QSqlDatabase>
#include <QSqlQuery>
#include <QTest>

#include <csignal>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = CliServer::patience;

} // namespace

class TestCliCopy : public QObject
{
    Q_OBJECT

    CliServer m_cli{"get() { \"$CLI\" get \"$@\"; }; put() { \"$CLI\" put \"$@\"; }; copy() { \"$CLI\" cp \"$@\"; }\n"};

    void start(QProcess &shell, const QByteArray &script) { m_cli.start(shell, script); }
    Outcome run(const QByteArray &script) { return m_cli.run(script); }
    // A busy machine may have more of the file than of its journal.
    bool hasKeptAPart()
    {
        bool found = false;
        const QDir folder(m_cli.home.filePath(u"XDG_STATE_HOME/sandpiper/resume"_s));
        for (const QString &name : folder.entryList(QDir::Files)) {
            if (name.endsWith(".lock"_L1) || name.endsWith("-wal"_L1) || name.endsWith("-shm"_L1))
                continue;
            {
                QSqlDatabase journal = QSqlDatabase::addDatabase(u"QSQLITE"_s, u"look"_s);
                journal.setDatabaseName(folder.filePath(name));
                journal.setConnectOptions(u"QSQLITE_OPEN_READONLY"_s);
                QSqlQuery query(journal);
                found = found || (journal.open() && query.exec(u"SELECT 1 FROM files WHERE instr(segments, x'01') > 0"_s) && query.next());
            }
            QSqlDatabase::removeDatabase(u"look"_s);
        }
        return found;
    }
    // A file of 50 MB, and the command that copies it, stopped when a part of it is there.
    bool stopHalfWay(const QByteArray &command, int signal)
    {
        QProcess shell;
        start(shell, "head -c 50000000 /dev/urandom >large; exec \"$CLI\" " + command);
        const QString there = m_cli.server->folder() + u"/there%1"_s.arg(m_cli.runs);
        // The first parts are there when what is behind them is.
        const bool isHalf = QTest::qWaitFor(
                [&] {
                    const QFileInfoList parts = QDir(there).entryInfoList({u".sandpiper*"_s}, QDir::Files | QDir::Hidden);
                    return !parts.isEmpty() && parts.constFirst().size() > (25 << 20) && hasKeptAPart();
                },
                kPatience);
        return isHalf && ::kill(pid_t(shell.processId()), signal) == 0 && outcomeOf(shell, kPatience).status != 0;
    }
    // The same without its limit.
    static QByteArray again(QByteArray command) { return command.replace("--limit 30M ", ""); }

private slots:
    void initTestCase()
    {
        m_cli.prepare();
        SANDPIPER_NEED_SSHD(*m_cli.server);
    }
    void cleanupTestCase() { m_cli.server.reset(); }

    void theyAreNamedAsCpNamesThem()
    {
        const Outcome ran = run("set -e; mkdir -p tree/sub; echo 1 >tree/sub/one; echo 2 >two; mkfifo tree/pipe\n"
                                "put two \"$T:$D/new\"; cat \"$D/new\"\n"
                                "mkdir \"$D/folder\"; put two \"$T:$D/folder\"; cat \"$D/folder/two\"\n"
                                "rm tree/pipe; put -r tree \"$T:$D/copy\"; cat \"$D/copy/sub/one\"\n"
                                "put -r tree two \"$T:$D/both\"; cat \"$D/both/tree/sub/one\" \"$D/both/two\"\n"
                                "get -r \"$T:$D/copy\" back; cat back/sub/one; mkdir into; get -r \"$T:$D/copy\" into; cat into/copy/sub/one\n"
                                "get \"$T:$D/new\" \"$T:$D/folder/two\" several; cat several/new several/two\n"
                                "chmod 640 two; touch -d 2001-02-03 two; put --conflict overwrite two \"$T:$D/new\"; stat -c '%a %y' \"$D/new\" | cut -c1-14\n"
                                "test -z \"$(find . \"$D\" -name '.sandpiper*')\"");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "2\n2\n1\n1\n2\n1\n1\n2\n2\n640 2001-02-03\n"_ba);
        QCOMPARE(ran.status, 0);
    }

    void cpCopiesBetweenAnyTwoPlaces()
    {
        const Outcome ran = run("set -e; mkdir -p tree/sub; echo 1 >tree/sub/one; echo 2 >two; chmod 640 two; touch -d 2001-02-03 two\n"
                                "copy two ./a:b; cat a:b; mkdir into; copy -r tree two into; cat into/tree/sub/one into/two\n"
                                "copy -r tree \"$T:$D/there\"; cat \"$D/there/sub/one\"; copy -r \"$T:$D/there\" back; cat back/sub/one\n"
                                "copy -r \"$T:$D/there\" \"$T:$D/again\"; cat \"$D/again/sub/one\"\n"
                                "copy two \"$T:$D\"; copy \"$T:$D/two\" \"$T:$D/three\"; stat -c '%a %y' \"$D/three\" | cut -c1-14\n"
                                "copy --json \"$T:$D/two\" \"$T:$D/again\"\n"
                                "test -z \"$(find . \"$D\" -name '.sandpiper*')\"");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "2\n1\n2\n1\n1\n1\n640 2001-02-03\n{\"bytes\":2,\"failed\":0,\"failures\":[],\"files\":1,\"skipped\":0}\n"_ba);
        QCOMPARE(ran.status, 0);
    }

    void aFolderIsNotCopiedIntoItself()
    {
        const Outcome ran = run("mkdir -p tree/sub \"$D/tree\"; copy -r tree tree/sub; echo $?; copy -r \"$T:$D/tree\" \"$T:$D/tree/new\"; echo $?; find tree \"$D/tree\" -mindepth 1");
        QCOMPARE(ran.output, "1\n1\ntree/sub\n"_ba);
        QCOMPARE(ran.errors.count("itself"), 2);
    }

    void whatIsThereIsNotReplacedUnasked()
    {
        const Outcome ran = run("echo new >file; echo old >\"$D/file\"\n"
                                "put file \"$T:$D\"; echo $?; cat \"$D/file\"\n"
                                "put --conflict rename file \"$T:$D\"; echo $?; cat \"$D/file (2)\"\n"
                                "put --conflict skip file \"$T:$D\"; echo $?; put --conflict overwrite file \"$T:$D\"; echo $?; cat \"$D/file\"");
        QCOMPARE(ran.output, "1\nold\n0\nnew\n0\n0\nnew\n"_ba);
        QVERIFY2(ran.errors.contains("is there already") && ran.errors.contains("--conflict"), ran.errors.constData());
    }

    void whatCannotBeCopiedIsNamed()
    {
        const Outcome ran = run("mkdir tree; echo 1 >tree/one; mkfifo tree/pipe\n"
                                "put tree \"$T:$D/x\"; echo $?\n"
                                "put -r --json tree missing \"$T:$D/x\"; echo $?; cat \"$D/x/tree/one\"");
        QCOMPARE(ran.output.left(2), "1\n"_ba);
        QVERIFY2(ran.errors.contains("tree: this is a folder; it takes -r"), ran.errors.constData());
        const QJsonObject json = QJsonDocument::fromJson(ran.output.split('\n').value(1)).object();
        QCOMPARE(json.value("files"_L1).toInt(), 1);
        QCOMPARE(json.value("failed"_L1).toInt(), 2);
        QCOMPARE(json.value("failures"_L1).toArray().size(), 2);
        QVERIFY2(ran.errors.contains("pipe") && ran.errors.contains("missing"), ran.errors.constData());
        QVERIFY2(ran.output.endsWith("\n1\n1\n"), ran.output.constData());
    }

    void aMistakeIsOneLineAndStatusTwo_data()
    {
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("one argument") << "get \"$T:a\""_ba;
        QTest::newRow("two targets") << "get \"$T:a\" other:b here"_ba;
        QTest::newRow("no target") << "put a b"_ba;
        QTest::newRow("conflict") << "put --conflict maybe a \"$T:b\""_ba;
        QTest::newRow("links") << "put --links 9 a \"$T:b\""_ba;
        QTest::newRow("sources of two places") << "cp \"$T:a\" b here"_ba;
        QTest::newRow("a target that is none") << "cp a :b"_ba;
        QTest::newRow("limit") << "put --limit fast a \"$T:b\""_ba;
    }
    void aMistakeIsOneLineAndStatusTwo()
    {
        QFETCH(QByteArray, words);
        const Outcome ran = run("\"$CLI\" " + words);
        QCOMPARE(ran.status, 2);
        QCOMPARE(ran.output, ""_ba);
        QCOMPARE(ran.errors.count('\n'), 1);
    }

    void anInterruptedOneLeavesNothingHalf()
    {
        QProcess shell;
        start(shell, "truncate -s 64M large; echo ready; exec \"$CLI\" put --limit 2M large \"$T:$D/large\"");
        const QString there = m_cli.server->folder() + u"/there%1"_s.arg(m_cli.runs);
        QVERIFY(QTest::qWaitFor([&] { return !QDir(there).entryList({u".sandpiper*"_s}, QDir::Files | QDir::Hidden).isEmpty(); }, kPatience));
        ::kill(pid_t(shell.processId()), SIGINT);
        const Outcome ended = outcomeOf(shell, kPatience);
        QCOMPARE(ended.status, 130);
        QCOMPARE(QDir(there).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), QStringList());
    }

    void whatAKillHasStoppedGoesOnFromThere_data()
    {
        QTest::addColumn<QByteArray>("command");
        QTest::addColumn<int>("signal");
        QTest::newRow("put, killed") << "put --resume --limit 30M large \"$T:$D/copy\""_ba << SIGKILL;
        QTest::newRow("put, interrupted") << "put --resume --limit 30M large \"$T:$D/copy\""_ba << SIGINT;
        QTest::newRow("get, killed") << "get --resume --limit 30M \"$T:$PWD/large\" \"$D/copy\""_ba << SIGKILL;
    }
    void whatAKillHasStoppedGoesOnFromThere()
    {
        QFETCH(QByteArray, command);
        QFETCH(int, signal);
        QVERIFY(stopHalfWay(command, signal));
        // The same file goes on: one that was begun anew has another number or birth. How it is done may differ.
        const Outcome ran = m_cli.runAgain("set -e; stat -c '%i %w' \"$D\"/.sandpiper* >which\n" + again(command)
                                           + "; cmp large \"$D/copy\"; stat -c '%i %w' \"$D/copy\" | cmp - which; ls -A \"$D\"; ls \"$XDG_STATE_HOME/sandpiper/resume\"");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "copy\n"_ba);
        QCOMPARE(ran.status, 0);
    }

    void whatHasChangedMeanwhileBeginsAnew_data()
    {
        QTest::addColumn<QByteArray>("change");
        QTest::newRow("in time") << "touch -d 2001-02-03 large"_ba;
        QTest::newRow("in size") << "truncate -s 60000000 large"_ba;
        QTest::newRow("in what had arrived") << "for f in \"$D\"/.sandpiper*; do truncate -s 0 \"$f\"; truncate -s 50000000 \"$f\"; done"_ba;
    }
    void whatHasChangedMeanwhileBeginsAnew()
    {
        QFETCH(QByteArray, change);
        const QByteArray command = "put --resume --limit 30M large \"$T:$D/copy\"";
        QVERIFY(stopHalfWay(command, SIGKILL));
        const Outcome ran = m_cli.runAgain("set -e; " + change + "; stat -c '%i %w' \"$D\"/.sandpiper* >which\n" + again(command)
                                           + "; cmp large \"$D/copy\"; stat -c '%i %w' \"$D/copy\" | cmp -s - which || echo new; ls -A \"$D\"");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "new\ncopy\n"_ba);
    }

    void whatWasLeftOutIsNamedAgain()
    {
        const Outcome ran = run("echo new >file; echo old >\"$D/file\"\n"
                                "put --resume file \"$T:$D\" 2>/dev/null; echo $?; put --resume file \"$T:$D\" 2>/dev/null; echo $?; cat \"$D/file\"\n"
                                "put --resume --conflict overwrite file \"$T:$D\"; echo $?; cat \"$D/file\"");
        QCOMPARE(ran.output, "1\n1\nold\n0\nnew\n"_ba);
    }

    void whatHasArrivedIsCompared()
    {
        const Outcome ran = run("set -e; mkdir -p tree/sub; for i in $(seq 30); do echo $i >tree/sub/$i; done; head -c 20000000 /dev/urandom >tree/large; echo x >'tree/a\\b'\n"
                                "put -r --verify --json tree \"$T:$D/copy\"; get -r --verify --json \"$T:$D/copy\" back; copy -r --verify --json tree here\n"
                                "diff -r tree back");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output.count("\"verified\":32"), 3);
        QCOMPARE(ran.status, 0);
    }
};

QTEST_GUILESS_MAIN(TestCliCopy)
#include "tst_clicopy.moc"

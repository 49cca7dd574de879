// sandpiper-cli sync as scripts use it, on a real server.
#include "tests/support/cliserver.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>

#include <csignal>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = CliServer::patience;

} // namespace

class TestCliSync : public QObject
{
    Q_OBJECT

    CliServer m_cli{"sync() { \"$CLI\" sync \"$@\"; }\n"};

    void start(QProcess &shell, const QByteArray &script) { m_cli.start(shell, script); }
    Outcome run(const QByteArray &script) { return m_cli.run(script); }

private slots:
    void initTestCase()
    {
        m_cli.prepare();
        SANDPIPER_NEED_SSHD(*m_cli.server);
    }
    void cleanupTestCase() { m_cli.server.reset(); }

    void whatIsDoneIsSaidLineByLine()
    {
        const Outcome ran = run("set -e; mkdir -p tree/sub; echo 1 >tree/sub/new; echo 22 >tree/changed; echo 3 >tree/mode; chmod 640 tree/mode\n"
                                "echo 1 >\"$D/changed\"; cp -p tree/mode \"$D\"; chmod 600 \"$D/mode\"; touch -r tree/changed \"$D/changed\"; echo 4 >\"$D/old\"\n"
                                "sync --delete tree \"$T:$D\"; diff -r tree \"$D\"; echo again; sync --delete tree \"$T:$D\"\n"
                                "echo back; echo 5 >\"$D/sub/fresh\"; sync \"$T:$D\" copy; diff -r copy \"$D\"");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "replace      changed  (size)\nmake folder  sub/\ncopy         sub/new\nadjust       mode  (permissions)\nremove       old\nagain\n"
                             "back\ncopy         changed\ncopy         mode\nmake folder  sub/\ncopy         sub/fresh\ncopy         sub/new\n"_ba);
        QCOMPARE(ran.status, 0);
    }

    void aDryRunMovesNothing()
    {
        const Outcome ran = run("mkdir tree; echo 1 >tree/new; echo 2 >\"$D/old\"; sync --dry-run --delete tree \"$T:$D\"; echo $?; ls \"$D\"");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "copy         new\nremove       old\n0\nold\n"_ba);
    }

    void whatIsExcludedIsNeitherCopiedNorRemoved()
    {
        const Outcome ran = run("mkdir -p tree/node_modules tree/src/build; touch tree/a.o tree/src/build/in tree/node_modules/x; mkdir \"$D/build\"; touch \"$D/b.o\"\n"
                                "sync --delete --exclude '*.o' --exclude node_modules/ --exclude=/build tree \"$T:$D\"; cd \"$D\"; find . -type f -o -empty | sort");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "make folder  src/\nmake folder  src/build/\ncopy         src/build/in\n./b.o\n./build\n./src/build/in\n"_ba);
    }

    void contentDecidesWhereItIsAsked()
    {
        const Outcome ran = run("mkdir tree; echo same >tree/a; echo one >tree/b; echo same >\"$D/a\"; echo two >\"$D/b\"; touch -d 2001-02-03 tree/*\n"
                                "sync --dry-run tree \"$T:$D\"; echo; sync --checksum tree \"$T:$D\"; cat \"$D/b\"; stat -c %y \"$D/a\" | cut -c1-10");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.output, "replace      a  (time)\nreplace      b  (time)\n\nreplace      b  (time, content)\nadjust       a  (time)\none\n2001-02-03\n"_ba);
    }

    void whatFailsIsNamedAndNothingIsRemoved()
    {
        const Outcome ran = run("mkdir tree; mkfifo tree/pipe; echo 1 >tree/clash; echo 2 >tree/good; mkdir \"$D/clash\"; touch \"$D/clash/in\"\n"
                                "sync tree \"$T:$D\"; echo $?; ls \"$D\"");
        QCOMPARE(ran.output, "copy         good\n1\nclash\ngood\n"_ba);
        QVERIFY2(ran.errors.contains("pipe") && ran.errors.contains("clash"), ran.errors.constData());
    }

    void aDocumentSaysItAll()
    {
        const Outcome ran = run("mkdir tree; echo 12 >tree/new; touch $'tree/\\xff'; echo 2 >\"$D/old\"; mkfifo tree/pipe; sync --json tree \"$T:$D\"; echo $?");
        const QJsonObject json = QJsonDocument::fromJson(ran.output.split('\n').value(0)).object();
        QCOMPARE(json.value("files"_L1).toInt(), 2);
        QCOMPARE(json.value("bytes"_L1).toInt(), 3);
        QCOMPARE(json.value("failed"_L1).toInt(), 1);
        QCOMPARE(json.value("only_there"_L1).toInt(), 1);
        QCOMPARE(json.value("dry_run"_L1).toBool(), false);
        const QJsonArray actions = json.value("actions"_L1).toArray();
        QCOMPARE(actions.size(), 3);
        QCOMPARE(actions.at(0)["action"_L1].toString(), u"copy"_s);
        QCOMPARE(actions.at(0)["path"_L1].toString(), u"new"_s);
        QCOMPARE(actions.at(0)["size"_L1].toInt(), 3);
        QCOMPARE(actions.at(1)["action"_L1].toString(), u"leave_out"_s);
        QVERIFY(!actions.at(1)["error"_L1].toString().isEmpty());
        QCOMPARE(QByteArray::fromBase64(actions.at(2)["path_base64"_L1].toString().toLatin1()), "\xff"_ba);
        QVERIFY2(ran.output.endsWith("\n1\n"), ran.output.constData());
    }

    void aMissingSourceRemovesNothing()
    {
        const Outcome ran = run("touch \"$D/a\"; sync --delete nowhere \"$T:$D\"; echo $?; mkdir here; touch here/b; sync --delete \"$T:$D/nowhere\" here; echo $?; ls \"$D\" here");
        QVERIFY2(ran.output.startsWith("1\n1\n") && ran.output.contains("\na\n") && ran.output.contains("\nb\n"), ran.output.constData());
        QCOMPARE(ran.errors.count("nowhere"), 2);
    }

    void aMistakeIsOneLineAndStatusTwo_data()
    {
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("one argument") << "sync \"$T:a\""_ba;
        QTest::newRow("both here") << "sync a b"_ba;
        QTest::newRow("both here, with a colon") << "sync a ./b:c"_ba;
        QTest::newRow("both there") << "sync \"$T:a\" \"$T:b\""_ba;
        QTest::newRow("pattern") << "sync --exclude '[a' a \"$T:b\""_ba;
        QTest::newRow("empty pattern") << "sync --exclude '' a \"$T:b\""_ba;
        QTest::newRow("option") << "sync --twice a \"$T:b\""_ba;
    }
    void aMistakeIsOneLineAndStatusTwo()
    {
        QFETCH(QByteArray, words);
        const Outcome ran = run(words);
        QCOMPARE(ran.status, 2);
        QCOMPARE(ran.output, ""_ba);
        QCOMPARE(ran.errors.count('\n'), 1);
    }

    void anInterruptedOneLeavesNothingHalfAndRemovesNothing()
    {
        QProcess shell;
        start(shell, "mkdir tree; truncate -s 2G tree/large; touch \"$D/old\"; exec \"$CLI\" sync --delete tree \"$T:$D\"");
        const QString there = m_cli.server->folder() + u"/there%1"_s.arg(m_cli.runs);
        QVERIFY(QTest::qWaitFor([&] { return !QDir(there).entryList({u".sandpiper*"_s}, QDir::Files | QDir::Hidden).isEmpty(); }, kPatience));
        ::kill(pid_t(shell.processId()), SIGINT);
        const Outcome ended = outcomeOf(shell, kPatience);
        QCOMPARE(ended.status, 130);
        QCOMPARE(QDir(there).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), QStringList(u"old"_s));
    }
};

QTEST_GUILESS_MAIN(TestCliSync)
#include "tst_clisync.moc"

// sandpiper-cli fs as scripts use it, on a real server and in a real sandbox.
#include "session/logins.h"
#include "session/paths.h"
#include "tests/support/outcome.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000; // milliseconds

} // namespace

class TestCliFs : public QObject
{
    Q_OBJECT

    std::unique_ptr<TestGateway> m_gateway;
    std::unique_ptr<TestSshd> m_server;
    QTemporaryDir m_home;

    // Run by a shell, so that arguments can be any bytes: $T is the target, $D a folder there that is empty.
    Outcome run(const QString &kind, const QByteArray &script, const QByteArray &input = {})
    {
        QProcess shell;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(u"FS"_s, TestGateway::program(u"sandpiper-cli"_s));
        environment.insert(u"T"_s, kind == "gateway"_L1 ? u"box"_s : u"ssh://%1@127.0.0.1:%2"_s.arg(m_server->user()).arg(m_server->port()));
        environment.insert(u"D"_s, kind == "gateway"_L1 ? u"/tmp/files"_s : m_server->folder() + u"/files"_s);
        shell.setProcessEnvironment(environment);
        QFile file(m_home.filePath(u"script"_s));
        if (!file.open(QIODevice::WriteOnly) || file.write("fs() { \"$FS\" fs \"$@\"; }\n" + script + '\n') < 0)
            return {};
        file.close();
        shell.start(u"bash"_s, {file.fileName()});
        return outcomeOf(shell, input, kPatience);
    }
    static void kinds()
    {
        QTest::addColumn<QString>("kind");
        QTest::newRow("openssh") << u"openssh"_s;
        QTest::newRow("gateway") << u"gateway"_s;
    }

private slots:
    void initTestCase()
    {
        m_gateway = std::make_unique<TestGateway>(TestGateway::Options{TestGateway::Layout::UserFolders});
        const QString problem = m_gateway->start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(*m_gateway);
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
        m_gateway->apply();
        qunsetenv("SSH_AUTH_SOCK");
        qputenv("HOME", QFile::encodeName(m_home.path()));
        QVERIFY(QDir().mkpath(m_home.filePath(u".ssh"_s)));
        QVERIFY(QFile::copy(m_server->identity(), m_home.filePath(u".ssh/id_ed25519"_s)));
        QFile hosts(m_home.filePath(u".ssh/known_hosts"_s));
        QVERIFY(hosts.open(QIODevice::Append) && hosts.write("[127.0.0.1]:" + QByteArray::number(m_server->port()) + ' ' + m_server->hostKey() + '\n') > 0);
        QCOMPARE(QProcess::execute(TestGateway::program(u"sandpiper-cli"_s), {u"create"_s, u"box"_s}), 0);
    }

    void aDayInAFolder_data() { kinds(); }
    void aDayInAFolder()
    {
        QFETCH(QString, kind);
        const QByteArray input = QByteArray(3'000'000, 'x') + "end";
        const Outcome made = run(kind, "set -e\n"
                                "fs mkdir -p \"$T:$D/a/b/c\"; fs mkdir -p \"$T:$D/a/b/c\"; fs mkdir -m 700 \"$T:$D/private\"\n"
                                "fs write -m 600 --sync \"$T:$D/a/file\"", input);
        QCOMPARE(made.errors, ""_ba);
        QCOMPARE(made.status, 0);
        const Outcome read = run(kind, "fs cat \"$T:$D/a/file\"");
        QCOMPARE(read.status, 0);
        QVERIFY(read.output == input);
        QCOMPARE(run(kind, "fs ls \"$T:$D\"; fs ls \"$T:$D/a/file\"").output, "a\nprivate\n" + (kind == "gateway"_L1 ? "/tmp/files"_ba : m_server->folder().toLocal8Bit() + "/files") + "/a/file\n");

        const QJsonObject file = QJsonDocument::fromJson(run(kind, "fs stat --json \"$T:$D/a/file\"").output).object();
        QCOMPARE(file.value("type"_L1).toString(), u"file"_s);
        QCOMPARE(file.value("size"_L1).toInteger(), input.size());
        QCOMPARE(file.value("mode"_L1).toString(), u"0600"_s);
        const QJsonArray rows = QJsonDocument::fromJson(run(kind, "fs ls --json \"$T:$D\"").output).array();
        QCOMPARE(rows.size(), 2);
        QCOMPARE(rows[1].toObject().value("name"_L1).toString(), u"private"_s);
        QCOMPARE(rows[1].toObject().value("mode"_L1).toString(), u"0700"_s);
        const QByteArray line = run(kind, "fs ls -l \"$T:$D\"").output.split('\n').value(1);
        QVERIFY2(line.startsWith("drwx------ ") && line.endsWith("Z private"), line.constData());

        const Outcome changed = run(kind, "set -e\n"
                                "echo other | fs write \"$T:$D/other\"\n"
                                "! fs mv \"$T:$D/other\" \"$D/a/file\"\n"
                                "fs mv -f \"$T:$D/other\" \"$D/a/file\"; fs cat \"$T:$D/a/file\"\n"
                                "fs mv \"$T:$D/a/file\" \"$D/private\"; fs ls \"$T:$D/private\"\n"
                                "fs chmod 0640 \"$T:$D/private/file\"; fs stat \"$T:$D/private/file\" | grep mode\n"
                                "fs ln -s \"$T:private/file\" \"$D/link\"; fs readlink \"$T:$D/link\"; fs cat \"$T:$D/link\"\n"
                                "fs ln \"$T:$D/private/file\" \"$D/hard\"; fs stat \"$T:$D/link\" | grep type; fs stat -L \"$T:$D/link\" | grep type\n"
                                "cd_=\"$(fs realpath \"$T:$D/a/..\")\"; test \"$cd_\" = \"$D\"\n"
                                "fs df \"$T:$D\" | grep -o TOTAL; fs df --json \"$T:$D\" | grep -q '\"available\"'\n"
                                "fs rm \"$T:$D/link\"; fs rm \"$T:$D/hard\"; fs rmdir \"$T:$D/a/b/c\"; fs ls \"$T:$D/a\"; fs ls -0 \"$T:$D\" | tr '\\0' '|'");
        QCOMPARE(changed.output, "other\nfile\nmode         0640\nprivate/file\nother\ntype         link\ntype         file\nTOTAL\nb\na|private|"_ba);
        QVERIFY2(changed.errors.contains("something by that name is there already"), changed.errors.constData());
        QCOMPARE(changed.status, 0);
    }

    void namesAreAnyBytes_data() { kinds(); }
    void namesAreAnyBytes()
    {
        QFETCH(QString, kind);
        const Outcome ran = run(kind, "set -e\n"
                                "fs mkdir -p \"$T:$D/names\"\n"
                                "for n in $'\\xff\\xfe' $'new\\nline' ' ' '-rf' $'caf\\xc3\\xa9' $'\\x1b[31m' 'a:b' '~' '*'; do echo -n \"$n\" | fs write \"$T:$D/names/$n\"; done\n"
                                "for n in $'\\xff\\xfe' $'new\\nline' ' ' '-rf' $'caf\\xc3\\xa9' $'\\x1b[31m' 'a:b' '~' '*'; do test \"$(fs cat \"$T:$D/names/$n\")\" = \"$n\"; done\n"
                                "fs mv \"$T:$D/names/\"$'\\xff\\xfe' \"$D/names/\"$'\\xfd'\n"
                                "fs ls -0 \"$T:$D/names\" | tr '\\0\\n' '|_'; fs ls --json \"$T:$D/names\" | grep -o '\"[a-z_0-9]*base64\":\"[^\"]*\"'");
        QCOMPARE(ran.errors, ""_ba);
        QCOMPARE(ran.status, 0);
        QCOMPARE(ran.output, "\x1b[31m| |*|-rf|a:b|caf\xc3\xa9|new_line|~|\xfd|\"name_base64\":\"/Q==\"\n"_ba);
    }

    void whatFailsNamesTheFile_data()
    {
        QTest::addColumn<QByteArray>("script");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("cat") << "fs cat \"$T:/no/such\""_ba << "“/no/such” failed: there is no such file"_ba;
        QTest::newRow("ls") << "fs ls \"$T:/no/such\""_ba << "“/no/such” failed: there is no such file"_ba;
        QTest::newRow("rm") << "fs rm \"$T:/no/such\""_ba << "“/no/such”"_ba;
        QTest::newRow("cat of a folder") << "fs cat \"$T:/etc\""_ba << "“/etc” was not made (this is a folder)"_ba;
        QTest::newRow("write over") << "fs write \"$T:/etc/passwd\" < /dev/null"_ba << "“/etc/passwd” was refused: something by that name is there already"_ba;
        QTest::newRow("mkdir -p through a file") << "fs mkdir -p \"$T:/etc/passwd/a\""_ba << "“/etc/passwd/a”"_ba;
        QTest::newRow("escaped") << "fs cat \"$T:\"$'/\\xff\\e[2J'"_ba << "“/\\xff\\x1b[2J”"_ba;
    }
    void whatFailsNamesTheFile()
    {
        QFETCH(QByteArray, script);
        QFETCH(QByteArray, words);
        const Outcome ran = run(u"openssh"_s, script);
        QCOMPARE(ran.status, 1);
        QCOMPARE(ran.output, ""_ba);
        QVERIFY2(ran.errors.contains(words), ran.errors.constData());
        QCOMPARE(ran.errors.count('\n'), 1);
    }

    void badUseChangesNothing_data()
    {
        QTest::addColumn<QByteArray>("script");
        for (const char *arguments : {"", "fly \"$T:/\"", "ls", "ls /etc", "ls \"$T:/\" more", "cat --json \"$T:/\"", "chmod 9 \"$T:/\"", "chmod \"$T:/\"", "mkdir -m x \"$T:/tmp/x\"", "mv \"$T:/a\"",
                                      "--what ls \"$T:/\"", "rm -f \"$T:/a\""})
            QTest::addRow("fs %s", arguments) << "fs "_ba + arguments;
    }
    void badUseChangesNothing()
    {
        QFETCH(QByteArray, script);
        const Outcome ran = run(u"openssh"_s, script);
        QCOMPARE(ran.status, 2);
        QCOMPARE(ran.output, ""_ba);
        QCOMPARE(ran.errors.count('\n'), 1);
    }

    void aSuspendedSandboxIsNotWoken()
    {
        QCOMPARE(run(u"gateway"_s, "\"$FS\" suspend box").status, 0);
        const Outcome ran = run(u"gateway"_s, "fs ls \"$T:/\"");
        QCOMPARE(ran.status, 1);
        QVERIFY2(ran.errors.contains("not running"), ran.errors.constData());
        QVERIFY(run(u"gateway"_s, "\"$FS\" ls").output.contains("suspended"));
        QCOMPARE(run(u"gateway"_s, "\"$FS\" resume box").status, 0);
    }

    void inputThatCannotBeReadIsAFailure()
    {
        const Outcome ran = run(u"openssh"_s, "fs write \"$T:$D.unread\" < /");
        QCOMPARE(ran.status, 1);
        QVERIFY2(ran.errors.contains("standard input"), ran.errors.constData());
    }

    void withoutSftpNothingIsAskedFor()
    {
        const QJsonArray rows = QJsonDocument::fromJson(run(u"gateway"_s, "\"$FS\" ls --json").output).array();
        QCOMPARE(rows.size(), 1);
        const SandboxId box{u"local"_s, u"this-computer"_s, rows[0].toObject().value("id"_L1).toString()};
        LoginStore logins(configFolder() + u"/logins.json"_s);
        LoginChoice choice;
        choice.withoutSftp = true;
        QVERIFY(logins.set(box, choice));
        const Outcome ran = run(u"gateway"_s, "fs ls \"$T:/\"");
        QVERIFY(logins.set(box, {}));
        QCOMPARE(ran.status, 1);
        QVERIFY2(ran.errors.contains("switched off"), ran.errors.constData());
        QCOMPARE(run(u"gateway"_s, "fs ls \"$T:/\"").status, 0);
    }

    void aReaderThatGoesAwayEndsIt()
    {
        const Outcome ran = run(u"openssh"_s, "head -c 30000000 /dev/zero | fs write -f \"$T:$D.large\" && { fs cat \"$T:$D.large\"; echo \"status $?\" >&2; } | head -c 10 | wc -c");
        QCOMPARE(ran.output.trimmed(), "10"_ba);
        QVERIFY2(ran.errors.contains("status 141"), ran.errors.constData());
    }
};

QTEST_GUILESS_MAIN(TestCliFs)
#include "tst_clifs.moc"

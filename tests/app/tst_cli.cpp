// sandpiper-cli as scripts use it: the real program, the real gateway that it starts, real sandboxes.

#include "session/annotations.h"
#include "session/gatewayprovider.h"
#include "session/logins.h"
#include "tests/support/outcome.h"
#include "tests/support/testsshd.h"

#include <QCryptographicHash>
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 60'000; // milliseconds

} // namespace

class TestCli : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    QProcessEnvironment m_environment;

    static QString program(const QString &name) { return qEnvironmentVariable("SANDPIPER_BIN") + u'/' + name; }

    Outcome start(const QString &name, const QStringList &arguments, const QByteArray &input)
    {
        QProcess process;
        process.setProcessEnvironment(m_environment);
        process.start(program(name), arguments);
        return outcomeOf(process, input, patience);
    }
    Outcome cli(const QStringList &arguments, const QByteArray &input = {}) { return start(u"sandpiper-cli"_s, arguments, input); }

private slots:
    void initTestCase()
    {
        m_environment = QProcessEnvironment::systemEnvironment();
        for (const auto &[variable, folder] : {std::pair("XDG_CONFIG_HOME", "c"), std::pair("XDG_STATE_HOME", "s"), std::pair("XDG_DATA_HOME", "d"), std::pair("XDG_RUNTIME_DIR", "r")}) {
            const QString path = m_dir.filePath(QString::fromLatin1(folder));
            QVERIFY(QDir().mkdir(path, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
            m_environment.insert(QString::fromLatin1(variable), path);
        }
        for (const QString &variable : m_environment.keys()) {
            if (variable.startsWith("TENSORLAKE_"_L1))
                m_environment.remove(variable);
        }
        const Outcome made = cli({u"create"_s, u"box"_s});
        if (made.status != 0 && !qEnvironmentVariableIsSet("SANDPIPER_REQUIRE_SSHD"))
            QSKIP(made.errors.constData());
        QVERIFY2(made.status == 0, made.errors.constData());
    }

    void cleanupTestCase()
    {
        QCOMPARE(start(u"sandpiper-gateway"_s, {u"stop"_s}, {}).status, 0);
    }

    void aMistakeIsOneLineAndStatusTwo_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("names");
        QTest::newRow("unknown command") << QStringList{u"nope"_s} << "nope"_ba;
        QTest::newRow("unknown option") << QStringList{u"ls"_s, u"--nope"_s} << "nope"_ba;
        QTest::newRow("an empty label") << QStringList{u"ls"_s, u"--label"_s, u" # "_s} << "--label"_ba;
        QTest::newRow("two labels in one") << QStringList{u"ls"_s, u"--label"_s, u"a,b"_s} << "--label"_ba;
        QTest::newRow("a label with a control character") << QStringList{u"ls"_s, u"--label"_s, u"a\x1b"_s} << "--label"_ba;
        QTest::newRow("ls with a word") << QStringList{u"ls"_s, u"x"_s} << "ls"_ba;
        QTest::newRow("unknown account") << QStringList{u"ls"_s, u"--account"_s, u"nope"_s} << "This computer"_ba;
        QTest::newRow("unknown vendor") << QStringList{u"accounts"_s, u"add"_s, u"nope"_s} << "tensorlake"_ba;
        QTest::newRow("exec without a command") << QStringList{u"exec"_s, u"box"_s} << "exec"_ba;
        QTest::newRow("exec --via") << QStringList{u"exec"_s, u"--via"_s, u"x"_s, u"box"_s, u"--"_s, u"true"_s} << "--via"_ba;
        QTest::newRow("shell without a terminal") << QStringList{u"shell"_s, u"box"_s} << "exec"_ba;
        QTest::newRow("port out of range") << QStringList{u"shell"_s, u"--ssh-port"_s, u"65536"_s, u"box"_s} << "--ssh-port"_ba;
        QTest::newRow("detach keys") << QStringList{u"shell"_s, u"--detach-keys"_s, u"ctrl-"_s, u"box"_s} << "--detach-keys"_ba;
        QTest::newRow("target") << QStringList{u"suspend"_s, u"ssh://host"_s} << "ssh://"_ba;
        QTest::newRow("size") << QStringList{u"pty"_s, u"resize"_s, u"x"_s, u"0x24"_s, u"box"_s} << "0x24"_ba;
        QTest::newRow("cpus") << QStringList{u"create"_s, u"--cpus"_s, u"many"_s, u"x"_s} << "--cpus"_ba;
        QTest::newRow("missing key file") << QStringList{u"keys"_s, u"add"_s, u"--account"_s, u"This computer"_s, u"x"_s, u"/nowhere.pub"_s} << "nowhere.pub"_ba;
        QTest::newRow("serve elsewhere") << QStringList{u"serve"_s, u"--listen"_s, u"0.0.0.0:0"_s, u"box"_s} << "--listen"_ba;
        QTest::newRow("serve on a missing key") << QStringList{u"serve"_s, u"--authorized-keys"_s, u"/nowhere.pub"_s, u"box"_s} << "nowhere.pub"_ba;
        QTest::newRow("bad name") << QStringList{u"create"_s, u"Not A Name"_s} << ""_ba;
    }
    void aMistakeIsOneLineAndStatusTwo()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, names);
        const Outcome outcome = cli(arguments);
        QVERIFY2(outcome.status == 2, outcome.errors.constData());
        QCOMPARE(outcome.output, QByteArray());
        QCOMPARE(outcome.errors.count('\n'), 1);
        QVERIFY2(outcome.errors.contains(names), outcome.errors.constData());
    }

    void everyCommandHelps()
    {
        const QByteArray all = cli({u"--help"_s}).output;
        for (const char *name : {"accounts", "ls", "create", "suspend", "resume", "terminate", "keys", "hostkeys", "shell", "exec", "pty", "proxy", "ssh-config", "serve", "doctor"}) {
            QVERIFY2(all.contains(name), name);
            const Outcome help = cli({QString::fromLatin1(name), u"--help"_s});
            QCOMPARE(help.status, 0);
            QVERIFY2(help.output.contains("Usage"), name);
        }
    }

    void theListIsJsonForScripts()
    {
        const QJsonArray rows = QJsonDocument::fromJson(cli({u"ls"_s, u"--json"_s}).output).array();
        QCOMPARE(rows.size(), 1);
        const QJsonObject box = rows.first().toObject();
        QCOMPARE(box.value(u"name"_s).toString(), u"box"_s);
        QCOMPARE(box.value(u"status"_s).toString(), u"running"_s);
        QCOMPARE(box.value(u"account"_s).toString(), u"This computer"_s);
        QVERIFY(box.value(u"capabilities"_s).toObject().value(u"pty_shell"_s).toBool());
    }

    void theListKnowsLabels_data()
    {
        QTest::addColumn<QStringList>("options");
        QTest::addColumn<int>("rows");
        QTest::newRow("all") << QStringList{} << 1;
        QTest::newRow("one it has") << QStringList{u"--label"_s, u"Prod"_s} << 1;
        QTest::newRow("as the filter writes it") << QStringList{u"--label"_s, u"#prod"_s} << 1;
        QTest::newRow("the beginning of one") << QStringList{u"--label"_s, u"pro"_s} << 0;
        QTest::newRow("both") << QStringList{u"--label"_s, u"prod"_s, u"--label"_s, u"eu west"_s} << 1;
        QTest::newRow("one of two") << QStringList{u"--label"_s, u"prod"_s, u"--label"_s, u"us"_s} << 0;
    }
    void theListKnowsLabels()
    {
        QFETCH(QStringList, options);
        const QJsonObject box = QJsonDocument::fromJson(cli({u"ls"_s, u"--json"_s}).output).array().first().toObject();
        const SandboxId id{box.value(u"vendor"_s).toString(), thisComputerAccount().id, box.value(u"id"_s).toString()};
        Annotations store(m_dir.filePath(u"c/sandpiper/annotations.json"_s));
        QVERIFY(store.set({{id, {true, {}, {u"prod"_s, u"eu west"_s}, {}}}}));
        const Outcome listed = cli(QStringList{u"ls"_s, u"--json"_s} + options);
        QCOMPARE(listed.status, 0);
        const QJsonArray rows = QJsonDocument::fromJson(listed.output).array();
        QTEST(int(rows.size()), "rows");
        if (rows.isEmpty())
            return;
        QVERIFY(rows.first().toObject().value(u"favourite"_s).toBool());
        QCOMPARE(rows.first().toObject().value(u"labels"_s).toArray(), (QJsonArray{u"prod"_s, u"eu west"_s}));
    }

    void aCommandsStreamsAndStatusComeThrough_data()
    {
        QTest::addColumn<QString>("via");
        QTest::newRow("ssh") << u"ssh"_s;
        QTest::newRow("api") << u"api"_s;
    }
    void aCommandsStreamsAndStatusComeThrough()
    {
        QFETCH(QString, via);
        const Outcome outcome = cli({u"exec"_s, u"--via"_s, via, u"box"_s, u"--"_s, u"sh"_s, u"-c"_s, u"echo \"$0 $1\"; echo err >&2; exit 4"_s, u"a b"_s, u"$HOME"_s});
        QCOMPARE(outcome.output, "a b $HOME\n"_ba);
        QCOMPARE(outcome.errors, "err\n"_ba);
        QCOMPARE(outcome.status, 4);
    }

    void bytesComeBackAsTheyWent()
    {
        QByteArray bytes(3'000'000, Qt::Uninitialized);
        for (qsizetype i = 0; i < bytes.size(); ++i)
            bytes[i] = char((i * 7919) >> 3);
        const Outcome outcome = cli({u"exec"_s, u"box"_s, u"--"_s, u"cat"_s}, bytes);
        QCOMPARE(outcome.status, 0);
        QCOMPARE(QCryptographicHash::hash(outcome.output, QCryptographicHash::Sha256), QCryptographicHash::hash(bytes, QCryptographicHash::Sha256));
    }

    void anUnknownTargetNamesTheOnesThereAre()
    {
        const Outcome outcome = cli({u"exec"_s, u"nobox"_s, u"--"_s, u"true"_s});
        QCOMPARE(outcome.status, 255);
        QCOMPARE(outcome.errors, "sandpiper-cli: there is no sandbox and no SSH host 'nobox'; there are: box\n"_ba);
    }

    void aPtySessionIsMadeListedResizedAndEnded()
    {
        const Outcome made = cli({u"pty"_s, u"create"_s, u"box"_s, u"--"_s, u"sh"_s, u"-c"_s, u"read x; exit 6"_s});
        QVERIFY2(made.status == 0, made.errors.constData());
        const QString id = QString::fromLatin1(made.output.trimmed());
        QVERIFY(cli({u"pty"_s, u"ls"_s, u"box"_s}).output.contains(id.toLatin1()));
        QCOMPARE(cli({u"pty"_s, u"resize"_s, id, u"100x40"_s, u"box"_s}).status, 0);
        const QJsonObject session = QJsonDocument::fromJson(cli({u"pty"_s, u"get"_s, u"--json"_s, id, u"box"_s}).output).object();
        QCOMPARE(session.value(u"columns"_s).toInt(), 100);
        QCOMPARE(session.value(u"rows"_s).toInt(), 40);
        QCOMPARE(cli({u"pty"_s, u"kill"_s, id, u"box"_s}).status, 0);
    }

    void theDoctorFindsNothingInAHealthySandbox()
    {
        const Outcome outcome = cli({u"doctor"_s, u"box"_s});
        QVERIFY2(outcome.status == 0, outcome.output.constData());
        for (const char *layer : {"account and API", "sandbox", "PTY", "WebSocket", "TCP", "SSH key exchange: SSH-2.0-", "host key: SHA256:", "authentication", "channel",
                                  "terminal", "SFTP: version 3", "remote forward", "agent"})
            QVERIFY2(outcome.output.contains("ok  "_ba + layer), outcome.output.constData());
        const Outcome json = cli({u"doctor"_s, u"--json"_s, u"box"_s});
        const QJsonObject report = QJsonDocument::fromJson(json.output).object();
        QVERIFY2(report.value(u"ok"_s).toBool(), json.output.constData());
        for (const QJsonValue &layer : report.value(u"layers"_s).toArray()) {
            const QJsonObject line = layer.toObject();
            QVERIFY2(!line.value(u"seen"_s).toString().isEmpty(), json.output.constData());
            if (line.value(u"result"_s).toString() != u"skipped")
                QVERIFY2(!line.value(u"expected"_s).toString().isEmpty(), json.output.constData());
        }
    }

    void theDoctorStopsAtTheFirstLayerThatFails_data()
    {
        QTest::addColumn<bool>("listens");
        QTest::addColumn<QString>("layer");
        QTest::newRow("nothing listens") << false << u"TCP"_s;
        QTest::newRow("no SSH server") << true << u"SSH key exchange"_s;
    }
    void theDoctorStopsAtTheFirstLayerThatFails()
    {
        QFETCH(bool, listens);
        QFETCH(QString, layer);
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        const quint16 port = server.serverPort();
        connect(&server, &QTcpServer::newConnection, &server, [&server] { server.nextPendingConnection()->disconnectFromHost(); });
        if (!listens)
            server.close();
        const Outcome outcome = cli({u"doctor"_s, u"--json"_s, u"ssh://x@127.0.0.1:%1"_s.arg(port)});
        QCOMPARE(outcome.status, 1);
        const QJsonObject last = QJsonDocument::fromJson(outcome.output).object().value(u"layers"_s).toArray().last().toObject();
        QCOMPARE(last.value(u"layer"_s).toString(), layer);
        QCOMPARE(last.value(u"result"_s).toString(), u"bad"_s);
        QVERIFY(!last.value(u"todo"_s).toString().isEmpty() && !last.value(u"expected"_s).toString().isEmpty());
    }

    void hostKeysAreAddedListedAndForgotten()
    {
        const QString line = u"some.host ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"_s;
        QCOMPARE(cli({u"hostkeys"_s, u"add"_s, line}).status, 0);
        QCOMPARE(cli({u"hostkeys"_s, u"add"_s, line}).status, 1);
        QCOMPARE(cli({u"hostkeys"_s, u"add"_s, u"nonsense"_s}).status, 2);
        const QJsonArray rows = QJsonDocument::fromJson(cli({u"hostkeys"_s, u"ls"_s, u"some"_s, u"--json"_s}).output).array();
        QCOMPARE(rows.size(), 1);
        QCOMPARE(rows.first().toObject().value(u"host"_s).toString(), u"some.host"_s);
        QCOMPARE(cli({u"hostkeys"_s, u"forget"_s, u"some"_s}).status, 1); // a part is not enough
        QCOMPARE(cli({u"hostkeys"_s, u"forget"_s, u"some.host"_s}).status, 0);
        QVERIFY(!cli({u"hostkeys"_s}).output.contains("some.host"));
        QCOMPARE(cli({u"hostkeys"_s, u"burn"_s}).status, 2);
    }

    void keysAreAddedListedAndRemoved()
    {
        const QString file = m_dir.filePath(u"key"_s);
        QCOMPARE(QProcess::execute(u"ssh-keygen"_s, {u"-q"_s, u"-t"_s, u"ed25519"_s, u"-N"_s, QString(), u"-f"_s, file}), 0);
        const Outcome secret = cli({u"keys"_s, u"add"_s, u"--account"_s, u"This computer"_s, u"mine"_s, file});
        QCOMPARE(secret.status, 2);
        QVERIFY(secret.errors.contains("private key"));
        const Outcome added = cli({u"keys"_s, u"add"_s, u"--account"_s, u"This computer"_s, u"mine"_s, file + u".pub"_s});
        QVERIFY2(added.status == 0, added.errors.constData());
        const QString id = QString::fromLatin1(added.output.trimmed());
        QVERIFY(cli({u"keys"_s}).output.contains("mine"));
        QCOMPARE(cli({u"keys"_s, u"add"_s, u"--account"_s, u"This computer"_s, u"again"_s, file + u".pub"_s}).status, 1);
        QCOMPARE(cli({u"keys"_s, u"rm"_s, u"--account"_s, u"This computer"_s, id}).status, 0);
        QVERIFY(!cli({u"keys"_s}).output.contains("mine"));
    }

    void keysOfTheChosenAgentAreListed()
    {
        TestAgent agent;
        const QString file = m_dir.filePath(u"held"_s);
        QCOMPARE(QProcess::execute(u"ssh-keygen"_s, {u"-q"_s, u"-t"_s, u"ed25519"_s, u"-C"_s, u"held-by-agent"_s, u"-N"_s, QString(), u"-f"_s, file}), 0);
        QVERIFY(agent.add(file));
        const QString logins = m_dir.filePath(u"c/sandpiper/logins.json"_s);
        QVERIFY(LoginStore(logins).setAgentSocket(agent.socket()));
        const QByteArray listed = cli({u"keys"_s}).output;
        QVERIFY(QFile::remove(logins));
        QVERIFY2(listed.contains("held-by-agent"), listed);
        QVERIFY(!cli({u"keys"_s}).output.contains("held-by-agent"));
    }

    void aKeyIsGeneratedAndShownWhereItIs()
    {
        QTemporaryDir home;
        const QString before = m_environment.value(u"HOME"_s);
        m_environment.insert(u"HOME"_s, home.path());
        const Outcome made = cli({u"keys"_s, u"generate"_s, u"fresh"_s});
        const Outcome again = cli({u"keys"_s, u"generate"_s, u"fresh"_s});
        const Outcome escaping = cli({u"keys"_s, u"generate"_s, u"../fresh"_s});
        const Outcome listed = cli({u"keys"_s, u"ls"_s, u"--json"_s});
        m_environment.insert(u"HOME"_s, before);
        const QString file = home.filePath(u".ssh/fresh"_s);
        QVERIFY2(made.status == 0, made.errors.constData());
        QCOMPARE(made.output.trimmed(), (file + u".pub"_s).toUtf8());
        QCOMPARE(QProcess::execute(u"ssh-keygen"_s, {u"-y"_s, u"-P"_s, QString(), u"-f"_s, file}), 0);
        QCOMPARE(again.status, 2);
        QCOMPARE(escaping.status, 2);
        QCOMPARE(listed.status, 0);
        QVERIFY2(listed.output.contains(file.toUtf8()), listed.output.constData());
    }

    void aSandboxSleepsAndWakes()
    {
        QCOMPARE(cli({u"suspend"_s, u"box"_s}).status, 0);
        QVERIFY(cli({u"ls"_s}).output.contains("suspended"));
        const Outcome refused = cli({u"exec"_s, u"box"_s, u"--"_s, u"true"_s});
        QCOMPARE(refused.status, 255);
        QCOMPARE(cli({u"doctor"_s, u"box"_s}).status, 1);
        QCOMPARE(cli({u"resume"_s, u"box"_s}).status, 0);
        QCOMPARE(cli({u"exec"_s, u"box"_s, u"--"_s, u"echo"_s, u"awake"_s}).output, "awake\n"_ba);
    }

    void terminatedIsGoneFromTheListButNotFromHistory()
    {
        QCOMPARE(cli({u"create"_s, u"short"_s}).status, 0);
        QCOMPARE(cli({u"terminate"_s, u"short"_s}).status, 0);
        QVERIFY(!cli({u"ls"_s}).output.contains("short"));
        QVERIFY(cli({u"ls"_s, u"--all"_s}).output.contains("short"));
    }
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"

// `sandpiper-cli serve` with OpenSSH's own programs, rsync and dropbear's as its clients, on the gateway
// of this computer, by its SSH and by its terminals and commands.

#include "tests/support/outcome.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <memory>
#include <vector>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 60'000; // milliseconds

QString program(const QString &name)
{
    return qEnvironmentVariable("SANDPIPER_BIN") + u'/' + name;
}

QByteArray sha256(const QByteArray &bytes)
{
    return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex();
}

} // namespace

class TestServe : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    QProcessEnvironment m_environment;

    QString path(const QString &name) const { return m_dir.filePath(name); }

    std::unique_ptr<QProcess> begin(const QString &name, const QStringList &arguments)
    {
        auto process = std::make_unique<QProcess>();
        process->setProcessEnvironment(m_environment);
        process->start(name, arguments);
        return process;
    }
    static Outcome finish(QProcess &process) { return outcomeOf(process, patience); }
    Outcome run(const QString &name, const QStringList &arguments, const QByteArray &input = {})
    {
        const auto process = begin(name, arguments);
        return outcomeOf(*process, input, patience);
    }
    Outcome cli(const QStringList &arguments) { return run(program(u"sandpiper-cli"_s), arguments); }

    // What every client of OpenSSH is told. extra: options of serve.
    QStringList client(const QString &via, const QString &extra = {}, const QString &key = u"key"_s) const
    {
        return {u"-F"_s, u"none"_s, u"-o"_s, u"BatchMode=yes"_s, u"-o"_s, u"IdentitiesOnly=yes"_s, u"-i"_s, path(key), u"-o"_s, u"LogLevel=ERROR"_s,
                u"-o"_s, u"StrictHostKeyChecking=accept-new"_s, u"-o"_s, u"UserKnownHostsFile="_s + path(u"known"_s),
                u"-o"_s, u"ProxyCommand=%1 serve box --stdio --via %2 --authorized-keys %3 %4"_s.arg(program(u"sandpiper-cli"_s), via, path(u"allowed"_s), extra)};
    }
    Outcome ssh(const QString &via, const QStringList &words, const QByteArray &input = {}, const QStringList &options = {})
    {
        return run(u"ssh"_s, client(via) + options + QStringList{u"me@box"_s} + words, input);
    }

private slots:
    void initTestCase()
    {
        m_environment = QProcessEnvironment::systemEnvironment();
        m_environment.remove(u"SSH_AUTH_SOCK"_s);
        for (const QString &name : {u"XDG_CONFIG_HOME"_s, u"XDG_STATE_HOME"_s, u"XDG_DATA_HOME"_s, u"XDG_RUNTIME_DIR"_s, u"HOME"_s}) {
            QVERIFY(QDir().mkdir(path(name), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
            m_environment.insert(name, path(name));
        }
        m_environment.insert(u"TERM"_s, u"xterm-256color"_s);
        for (const QString &variable : m_environment.keys()) {
            if (variable.startsWith("TENSORLAKE_"_L1))
                m_environment.remove(variable);
        }
        for (const QString &key : {u"key"_s, u"stranger"_s})
            QCOMPARE(run(u"ssh-keygen"_s, {u"-q"_s, u"-t"_s, u"ed25519"_s, u"-N"_s, QString(), u"-f"_s, path(key)}).status, 0);
        QVERIFY(QFile::copy(path(u"key.pub"_s), path(u"allowed"_s)));
        const Outcome made = cli({u"create"_s, u"box"_s});
        if (made.status != 0 && !qEnvironmentVariableIsSet("SANDPIPER_REQUIRE_SSHD"))
            QSKIP(made.errors.constData());
        QVERIFY2(made.status == 0, made.errors.constData());
    }

    void cleanupTestCase()
    {
        QCOMPARE(run(program(u"sandpiper-gateway"_s), {u"stop"_s}).status, 0);
    }

    void routes()
    {
        QTest::addColumn<QString>("via");
        QTest::newRow("ssh") << u"ssh"_s;
        QTest::newRow("api") << u"api"_s;
    }

    void aCommandHasItsStreamsAndStatus_data() { routes(); }
    void aCommandHasItsStreamsAndStatus()
    {
        QFETCH(QString, via);
        const Outcome outcome = ssh(via, {u"cat; echo wrong >&2; exit 7"_s}, "typed\n");
        QCOMPARE(outcome.errors, "wrong\n"_ba);
        QCOMPARE(outcome.output, "typed\n"_ba);
        QCOMPARE(outcome.status, 7);
    }

    void aCommandInATerminalHasOne_data() { routes(); }
    void aCommandInATerminalHasOne()
    {
        QFETCH(QString, via);
        const Outcome outcome = ssh(via, {u"tty >/dev/null && echo \"[$TERM]\"; exit 3"_s}, {}, {u"-tt"_s});
        QVERIFY2(outcome.output.contains("[xterm-256color]"), outcome.output.constData());
        QCOMPARE(outcome.status, 3);
    }

    void aShellTakesWhatIsTyped_data() { routes(); }
    void aShellTakesWhatIsTyped()
    {
        QFETCH(QString, via);
        const auto shell = begin(u"ssh"_s, client(via) + QStringList{u"-tt"_s, u"me@box"_s});
        shell->write("echo $((6*7))-there; exit 5\n");
        const Outcome outcome = finish(*shell);
        QVERIFY2(outcome.output.contains("42-there"), outcome.output + outcome.errors);
        QCOMPARE(outcome.status, 5);
    }

    void filesGoBothWaysByteExact_data() { routes(); }
    void filesGoBothWaysByteExact()
    {
        QFETCH(QString, via);
        // The input of a vendor's terminal is paced: less of it there.
        QByteArray bytes(via == "ssh"_L1 ? 10 << 20 : 1 << 20, Qt::Uninitialized);
        QRandomGenerator(1).generate(reinterpret_cast<quint32 *>(bytes.data()), reinterpret_cast<quint32 *>(bytes.data() + bytes.size()));
        QFile file(path(u"big"_s));
        QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
        file.write(bytes);
        file.close();
        Outcome outcome = run(u"scp"_s, client(via) + QStringList{path(u"big"_s), u"me@box:/tmp/big-"_s + via});
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        outcome = run(u"scp"_s, client(via) + QStringList{u"me@box:/tmp/big-"_s + via, path(u"back"_s)});
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        QFile back(path(u"back"_s));
        QVERIFY(back.open(QIODevice::ReadOnly));
        QCOMPARE(sha256(back.readAll()), sha256(bytes));
    }

    void tenMegabytesPassACommandBothWays()
    {
        QByteArray bytes(10 << 20, Qt::Uninitialized);
        QRandomGenerator(2).generate(reinterpret_cast<quint32 *>(bytes.data()), reinterpret_cast<quint32 *>(bytes.data() + bytes.size()));
        const Outcome outcome = ssh(u"ssh"_s, {u"cat"_s}, bytes);
        QCOMPARE(outcome.status, 0);
        QCOMPARE(sha256(outcome.output), sha256(bytes));
    }

    void otherClientsWorkToo()
    {
        const QStringList options = client(u"ssh"_s);
        Outcome outcome = run(u"sftp"_s, options + QStringList{u"-b"_s, u"-"_s, u"me@box"_s}, "mkdir /tmp/by-sftp\nls -1 /tmp\n");
        QVERIFY2(outcome.status == 0 && outcome.output.contains("/tmp/by-sftp"), outcome.errors.constData());
        // This computer's sandboxes show its programs: scp and rsync are there where they are here.
        if (!QStandardPaths::findExecutable(u"rsync"_s).isEmpty()) {
            QStringList quoted;
            for (const QString &word : options)
                quoted << u'\'' + word + u'\'';
            outcome = run(u"rsync"_s, {u"-e"_s, u"ssh "_s + quoted.join(u' '), path(u"allowed"_s), u"me@box:/tmp/by-rsync"_s});
            QVERIFY2(outcome.status == 0, outcome.errors.constData());
        }
        outcome = run(u"scp"_s, options + QStringList{u"-O"_s, path(u"allowed"_s), u"me@box:/tmp/by-old-scp"_s});
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
    }

    void whatIsRefusedSaysWhy()
    {
        Outcome outcome = run(u"sftp"_s, client(u"ssh"_s, u"--no-sftp"_s) + QStringList{u"-b"_s, u"-"_s, u"me@box"_s}, "ls\n");
        QVERIFY(outcome.status != 0);
        QVERIFY2(outcome.errors.contains("--no-sftp"), outcome.errors.constData());
        outcome = ssh(u"api"_s, {}, {}, {u"-W"_s, u"127.0.0.1:1"_s});
        QVERIFY(outcome.status != 0);
        QVERIFY2(outcome.errors.contains("carries no forwards"), outcome.errors.constData());
        outcome = run(u"ssh"_s, client(u"ssh"_s, u"--user you"_s) + QStringList{u"me@box"_s, u"true"_s});
        QCOMPARE(outcome.status, 255);
        QVERIFY2(outcome.errors.contains("only the user you"), outcome.errors.constData());
        outcome = ssh(u"ssh"_s, {u"/nowhere/scp -t /tmp"_s});
        QCOMPARE(outcome.status, 127);
        QVERIFY2(outcome.errors.contains("without -O"), outcome.errors.constData());
    }

    void aConnectionIsCarriedInto()
    {
        const QString listener = u"exec perl -MIO::Socket::INET -e '$|=1;$s=IO::Socket::INET->new(Listen=>1,LocalAddr=>q(127.0.0.1));"
                                 "print $s->sockport,qq(\\n);$c=$s->accept;print $c q(got ).<$c>'"_s;
        const auto there = begin(u"ssh"_s, client(u"ssh"_s) + QStringList{u"me@box"_s, listener});
        QVERIFY(QTest::qWaitFor([&] { return there->canReadLine() || there->state() == QProcess::NotRunning; }, patience));
        const QByteArray port = there->readLine().trimmed();
        QVERIFY2(port.toUShort() != 0, there->readAllStandardError().constData());
        const Outcome outcome = ssh(u"ssh"_s, {}, "hello\n", {u"-W"_s, u"127.0.0.1:"_s + QString::fromLatin1(port)});
        QVERIFY2(outcome.output == "got hello\n", outcome.errors.constData());
        QCOMPARE(finish(*there).status, 0);
    }

    void aListenerServesManyAndEndsCleanly()
    {
        const auto server = begin(program(u"sandpiper-cli"_s), {u"serve"_s, u"box"_s, u"--authorized-keys"_s, path(u"allowed"_s)});
        QVERIFY(QTest::qWaitFor([&] { return server->canReadLine() || server->state() == QProcess::NotRunning; }, patience));
        const QByteArray line = server->readLine().trimmed();
        QVERIFY2(line.startsWith("127.0.0.1:"), server->readAllStandardError().constData());
        const QString port = QString::fromLatin1(line.sliced(10));
        QStringList options = client(u"ssh"_s);
        options = options.first(options.size() - 2) + QStringList{u"-p"_s, port, u"me@127.0.0.1"_s};
        std::vector<std::unique_ptr<QProcess>> clients;
        // More channels than one link to the sandbox carries.
        for (int i = 0; i < 12; ++i)
            clients.push_back(begin(u"ssh"_s, options + QStringList{u"echo %1; sleep 1"_s.arg(i)}));
        for (int i = 0; i < 12; ++i) {
            const Outcome outcome = finish(*clients[size_t(i)]);
            QVERIFY2(outcome.output == QByteArray::number(i) + '\n', outcome.errors.constData());
        }
        if (!QStandardPaths::findExecutable(u"dbclient"_s).isEmpty() && !QStandardPaths::findExecutable(u"dropbearconvert"_s).isEmpty()) {
            QCOMPARE(run(u"dropbearconvert"_s, {u"openssh"_s, u"dropbear"_s, path(u"key"_s), path(u"key.db"_s)}).status, 0);
            const Outcome outcome = run(u"dbclient"_s, {u"-y"_s, u"-y"_s, u"-i"_s, path(u"key.db"_s), u"-p"_s, port, u"me@127.0.0.1"_s, u"echo by-dropbear; exit 4"_s});
            QVERIFY2(outcome.output == "by-dropbear\n", outcome.errors.constData());
            QCOMPARE(outcome.status, 4);
        }
        QStringList strange = options;
        strange.replace(strange.indexOf(path(u"key"_s)), path(u"stranger"_s));
        QCOMPARE(run(u"ssh"_s, strange + QStringList{u"true"_s}).status, 255);
        // OpenSSH leaves before it could read the reason, so the server says it.
        QByteArray said;
        QTRY_VERIFY_WITH_TIMEOUT((said += server->readAllStandardError()).contains("was not let in"), patience);
        const auto open = begin(u"ssh"_s, options + QStringList{u"echo up; sleep 1000"_s});
        QVERIFY(QTest::qWaitFor([&] { return open->canReadLine(); }, patience));
        server->terminate();
        QCOMPARE(finish(*server).status, 0);
        const Outcome told = finish(*open);
        QCOMPARE(told.status, 255);
        QVERIFY2(told.errors.contains("is ending"), told.errors.constData());
    }

    void aKilledClientLeavesNothingRunning_data() { routes(); }
    void aKilledClientLeavesNothingRunning()
    {
        QFETCH(QString, via);
        const QString mark = via == "ssh"_L1 ? u"1234.5"_s : u"1234.6"_s;
        const auto process = begin(u"ssh"_s, client(via) + QStringList{u"me@box"_s, u"echo up; exec sleep "_s + mark});
        QVERIFY(QTest::qWaitFor([&] { return process->canReadLine(); }, patience));
        process->kill();
        QVERIFY(process->waitForFinished(patience));
        const auto gone = [&] {
            return !cli({u"exec"_s, u"box"_s, u"--"_s, u"sh"_s, u"-c"_s, u"cat /proc/[0-9]*/cmdline | tr '\\0' ' '"_s}).output.contains("sleep " + mark.toLatin1());
        };
        QTRY_VERIFY_WITH_TIMEOUT(gone(), patience);
    }

    void theUsersOwnKeysMayEnterAndTheHostKeyStays()
    {
        QVERIFY(QDir().mkpath(path(u"HOME/.ssh"_s)));
        QVERIFY(QFile::copy(path(u"key.pub"_s), path(u"HOME/.ssh/id_ed25519.pub"_s)));
        QStringList options = client(u"ssh"_s);
        options.last() = u"ProxyCommand=%1 serve box --stdio"_s.arg(program(u"sandpiper-cli"_s));
        const Outcome outcome = run(u"ssh"_s, options + QStringList{u"me@box"_s, u"true"_s});
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        QVERIFY2(outcome.errors.contains("id_ed25519.pub"), outcome.errors.constData());
        const QFileInfo key(path(u"XDG_STATE_HOME/sandpiper/serve_host_key"_s));
        QVERIFY(key.exists());
        QCOMPARE(key.permissions() & (QFile::ReadGroup | QFile::ReadOther | QFile::WriteGroup | QFile::WriteOther), QFile::Permissions());
    }
};

QTEST_GUILESS_MAIN(TestServe)
#include "tst_serve.moc"

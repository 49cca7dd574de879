// Other programs through sandpiper-cli: ssh, scp, sftp, rsync and git into a real sandbox of the gateway of
// this computer, by ProxyCommand, by Host blocks, and by the command lines that the window copies.
#include "session/gatewayprovider.h"
#include "session/localgateway.h"
#include "session/sshconfigstore.h"
#include "session/toolcommands.h"
#include "tests/support/everybyte.h"
#include "tests/support/outcome.h"
#include "tests/support/testgateway.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTest>

#include <csignal>

#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 120'000; // milliseconds

Outcome run(const QString &program, const QStringList &arguments, const QByteArray &input = {}, const QString &folder = {})
{
    QProcess process;
    process.setWorkingDirectory(folder);
    process.start(program, arguments);
    return outcomeOf(process, input, kPatience);
}

} // namespace

class TestCliTools : public QObject
{
    Q_OBJECT

    std::unique_ptr<TestGateway> m_gateway;
    std::unique_ptr<SandboxProvider> m_provider;
    QTemporaryDir m_dir;
    Sandbox m_box;

    static QString cli() { return TestGateway::program(u"sandpiper-cli"_s); }
    Outcome sandpiper(const QStringList &arguments, const QByteArray &input = {}) { return run(cli(), arguments, input); }
    QString path(const QString &name) const { return m_dir.filePath(name); }
    QByteArray content(const QString &name) const
    {
        QFile file(path(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    bool put(const QString &name, const QByteArray &bytes)
    {
        QFile file(path(name));
        return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
    }
    // A Host whose only way leads through sandpiper-cli proxy, as people write it by hand.
    void makeProxyConfig()
    {
        const QByteArray block = sandpiper({u"ssh-config"_s, u"--proxy"_s, u"box"_s}).output;
        QVERIFY(block.contains("ProxyCommand "));
        // That it is the proxy that carries it: the address of the block leads nowhere.
        QByteArray lines;
        for (const QByteArray &line : block.split('\n'))
            lines += (line.startsWith("    HostName") ? "    HostName 192.0.2.1"_ba : line) + '\n';
        QVERIFY(put(u"proxied"_s, lines));
    }

private slots:
    void initTestCase()
    {
        m_gateway = std::make_unique<TestGateway>(TestGateway::Options{TestGateway::Layout::UserFolders});
        const QString problem = m_gateway->start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(*m_gateway);
        m_gateway->apply();
        QVERIFY(QDir().mkpath(path(u"home"_s)));
        qputenv("HOME", QFile::encodeName(path(u"home"_s)));
        const Outcome made = sandpiper({u"create"_s, u"box"_s});
        QVERIFY2(made.status == 0, made.errors.constData());
        m_provider = makeGatewayProvider(*findGateway());
        bool arrived = false;
        m_provider->find(u"box"_s).then(this, [&](const Result<Sandbox> &found) {
            m_box = found.value_or(Sandbox());
            arrived = true;
        });
        QTRY_VERIFY_WITH_TIMEOUT(arrived, kPatience);
        QVERIFY(m_box.ssh);
        makeProxyConfig();
        const Outcome plain = sandpiper({u"ssh-config"_s, u"box"_s});
        QVERIFY2(plain.status == 0, plain.errors.constData());
        QVERIFY(put(u"plain"_s, plain.output));
    }

    void sshByItsBlockAsksNothing_data()
    {
        QTest::addColumn<QString>("config");
        QTest::newRow("straight") << u"plain"_s;
        QTest::newRow("through the proxy") << u"proxied"_s;
    }
    void sshByItsBlockAsksNothing()
    {
        QFETCH(QString, config);
        const QByteArray bytes = everyByte(2'000'000);
        const Outcome outcome = run(u"ssh"_s, {u"-F"_s, path(config), u"-o"_s, u"BatchMode=yes"_s, u"-o"_s, u"LogLevel=ERROR"_s, u"box.sandpiper"_s, u"cat; exit 5"_s}, bytes);
        QVERIFY2(outcome.status == 5, outcome.errors.constData());
        QVERIFY(outcome.output == bytes);
        QCOMPARE(outcome.errors, QByteArray());
    }

    void scpCopiesBothWays()
    {
        const QByteArray bytes = everyByte(300'000);
        QVERIFY(put(u"sent"_s, bytes));
        const Outcome there = run(u"scp"_s, {u"-F"_s, path(u"proxied"_s), path(u"sent"_s), u"box.sandpiper:/workspace/by scp"_s});
        QVERIFY2(there.status == 0, there.errors.constData());
        const Outcome back = run(u"scp"_s, {u"-F"_s, path(u"proxied"_s), u"box.sandpiper:/workspace/by scp"_s, path(u"back"_s)});
        QVERIFY2(back.status == 0, back.errors.constData());
        QVERIFY(content(u"back"_s) == bytes);
    }

    void sftpListsAndFetches()
    {
        QCOMPARE(sandpiper({u"exec"_s, u"box"_s, u"--"_s, u"sh"_s, u"-c"_s, u"echo hello > /workspace/by-sftp"_s}).status, 0);
        const Outcome outcome = run(u"sftp"_s, {u"-q"_s, u"-b"_s, u"-"_s, u"-F"_s, path(u"proxied"_s), u"box.sandpiper"_s},
                                    "get /workspace/by-sftp " + QFile::encodeName(path(u"fetched"_s)) + "\nbye\n");
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        QCOMPARE(content(u"fetched"_s), "hello\n"_ba);
    }

    void rsyncMirrorsAFolder()
    {
        if (QStandardPaths::findExecutable(u"rsync"_s).isEmpty() && !nothingMayBeSkipped())
            QSKIP("rsync is not installed");
        QVERIFY(QDir().mkpath(path(u"tree/sub"_s)));
        QVERIFY(put(u"tree/sub/ä b"_s, "x"));
        const QString shell = u"ssh -F '%1'"_s.arg(path(u"proxied"_s));
        const Outcome there = run(u"rsync"_s, {u"-a"_s, u"-e"_s, shell, path(u"tree/"_s), u"box.sandpiper:/workspace/tree/"_s});
        QVERIFY2(there.status == 0, there.errors.constData());
        const Outcome back = run(u"rsync"_s, {u"-a"_s, u"-e"_s, shell, u"box.sandpiper:/workspace/tree/"_s, path(u"copy/"_s)});
        QVERIFY2(back.status == 0, back.errors.constData());
        QCOMPARE(content(u"copy/sub/ä b"_s), "x"_ba);
    }

    void gitClonesAndPushes()
    {
        if (sandpiper({u"exec"_s, u"box"_s, u"--"_s, u"git"_s, u"init"_s, u"-q"_s, u"--bare"_s, u"/workspace/repo.git"_s}).status != 0)
            QSKIP("git is not installed");
        qputenv("GIT_SSH_COMMAND", "ssh -F '" + QFile::encodeName(path(u"proxied"_s)) + '\'');
        const QString script = u"set -e; git clone -q box.sandpiper:/workspace/repo.git clone; cd clone; echo one > file; git add file; "
                               "git -c user.name=x -c user.email=x@example.invalid commit -q -m one; git push -q origin HEAD:refs/heads/main; "
                               "cd ..; git clone -q -b main box.sandpiper:/workspace/repo.git again; cat again/file"_s;
        const Outcome outcome = run(u"sh"_s, {u"-c"_s, script}, {}, m_dir.path());
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        QCOMPARE(outcome.output, "one\n"_ba);
    }

    void theProxySaysNothingOnStandardOutputButWhatArrives()
    {
        const Outcome unknown = sandpiper({u"proxy"_s, u"nobox"_s});
        QCOMPARE(unknown.status, 255);
        QCOMPARE(unknown.output, QByteArray());
        QCOMPARE(unknown.errors.count('\n'), 1);
        const Outcome closed = sandpiper({u"proxy"_s, u"ssh://me@127.0.0.1:1"_s});
        QCOMPARE(closed.status, 255);
        QCOMPARE(closed.output, QByteArray());
        QCOMPARE(closed.errors.count('\n'), 1);
        // The end of input is half a close: what the server says is still awaited.
        const Outcome banner = sandpiper({u"proxy"_s, u"box"_s}, "SSH-2.0-nobody\r\n");
        QCOMPARE(banner.status, 0);
        QVERIFY2(banner.output.startsWith("SSH-2.0-"), banner.output.constData());
        QCOMPARE(banner.errors, QByteArray());
    }

    void aSignalEndsTheProxy_data()
    {
        QTest::addColumn<int>("number");
        QTest::newRow("INT") << SIGINT;
        QTest::newRow("TERM") << SIGTERM;
        QTest::newRow("HUP") << SIGHUP;
    }
    void aSignalEndsTheProxy()
    {
        QFETCH(int, number);
        QProcess proxy;
        proxy.start(cli(), {u"proxy"_s, u"box"_s});
        QTRY_VERIFY_WITH_TIMEOUT(proxy.bytesAvailable() > 0, kPatience); // the server's banner
        ::kill(pid_t(proxy.processId()), number);
        QTRY_COMPARE_WITH_TIMEOUT(proxy.state(), QProcess::NotRunning, kPatience);
        QCOMPARE(proxy.exitStatus(), QProcess::NormalExit);
        QCOMPARE(proxy.exitCode(), 130);
        QCOMPARE(proxy.readAllStandardError(), QByteArray());
    }

    void copiedCommandsRun_data()
    {
        QTest::addColumn<CopyTool>("tool");
        QTest::addColumn<QByteArray>("input");
        QTest::addColumn<QByteArray>("output");
        QTest::newRow("ssh") << CopyTool::Ssh << "echo it runs\n"_ba << "it runs"_ba;
        QTest::newRow("scp") << CopyTool::Scp << ""_ba << ""_ba;
        QTest::newRow("sftp") << CopyTool::Sftp << "ls FILE\n"_ba << "FILE"_ba;
        QTest::newRow("rsync") << CopyTool::Rsync << ""_ba << ""_ba;
    }
    void copiedCommandsRun()
    {
        QFETCH(CopyTool, tool);
        QFETCH(QByteArray, input);
        QFETCH(QByteArray, output);
        QVERIFY(put(u"FILE"_s, "copied"));
        QVERIFY(QDir().mkpath(path(u"FOLDER"_s)));
        QVERIFY(put(u"FOLDER/inside"_s, "too"));
        SshConfigFiles files = defaultSshConfigFiles();
        files.knownHosts = path(u"known 'hosts' 100%"_s);
        const Result<SshHostBlock> block = hostBlockFor(m_box, {files.knownHosts, 0, {}, {}});
        QVERIFY(block);
        QVERIFY(writeSshHostKeys(files, {*block}));
        const Outcome outcome = run(u"sh"_s, {u"-c"_s, commandTextFor(tool, *block)}, input, m_dir.path());
        QVERIFY2(outcome.status == 0, outcome.errors.constData());
        QVERIFY2(outcome.output.contains(output), outcome.output.constData());
        if (tool == CopyTool::Scp)
            QCOMPARE(sandpiper({u"exec"_s, u"box"_s, u"--"_s, u"sh"_s, u"-c"_s, u"cat /workspace/FILE"_s}).output, "copied"_ba);
        if (tool == CopyTool::Rsync)
            QCOMPARE(sandpiper({u"exec"_s, u"box"_s, u"--"_s, u"sh"_s, u"-c"_s, u"cat /workspace/FOLDER/inside"_s}).output, "too"_ba);
    }

    void writingAsksFirstAndIsDoneOnce()
    {
        const QString config = path(u"home/.ssh/config"_s);
        QVERIFY(QDir().mkpath(path(u"home/.ssh"_s)));
        QVERIFY(put(u"home/.ssh/config"_s, "Host mine\n"));
        const Outcome unasked = sandpiper({u"ssh-config"_s, u"--write"_s});
        QCOMPARE(unasked.status, 2);
        QVERIFY2(unasked.errors.contains("--yes"), unasked.errors.constData());
        QCOMPARE(content(u"home/.ssh/config"_s), "Host mine\n"_ba);
        const Outcome agreed = sandpiper({u"ssh-config"_s, u"--write"_s, u"--yes"_s});
        QVERIFY2(agreed.status == 0, agreed.errors.constData());
        QCOMPARE(agreed.output, "box.sandpiper\n"_ba);
        QCOMPARE(content(u"home/.ssh/config.before-sandpiper"_s), "Host mine\n"_ba);
        const QByteArray after = content(u"home/.ssh/config"_s);
        QVERIFY(after.startsWith("Include ") && after.endsWith("Host mine\n") && after.count('\n') == 2);
        const Outcome again = sandpiper({u"ssh-config"_s, u"--write"_s, u"box"_s});
        QVERIFY2(again.status == 0, again.errors.constData());
        QCOMPARE(content(u"home/.ssh/config"_s), after);
        QCOMPARE(run(u"ssh"_s, {u"-F"_s, config, u"-o"_s, u"BatchMode=yes"_s, u"box.sandpiper"_s, u"true"_s}).status, 0);
    }

    void goneSandboxesGoAndRemadeOnesKeepTheirName()
    {
        QCOMPARE(sandpiper({u"create"_s, u"short"_s}).status, 0);
        QCOMPARE(sandpiper({u"ssh-config"_s, u"--write"_s, u"--yes"_s}).output, "box.sandpiper\nshort.sandpiper\n"_ba);
        QCOMPARE(sandpiper({u"terminate"_s, u"short"_s}).status, 0);
        QCOMPARE(sandpiper({u"create"_s, u"short"_s}).status, 0);
        QCOMPARE(sandpiper({u"ssh-config"_s, u"--write"_s, u"short"_s}).output, "short.sandpiper\n"_ba);
        QCOMPARE(sandpiper({u"terminate"_s, u"short"_s}).status, 0);
        QCOMPARE(sandpiper({u"ssh-config"_s, u"--write"_s}).output, "box.sandpiper\n"_ba);
        QCOMPARE(sshAliasOwners(defaultSshConfigFiles())->keys(), QStringList{u"box.sandpiper"_s});
    }

    void aSuspendedSandboxIsNamedAndNotWoken()
    {
        QCOMPARE(sandpiper({u"suspend"_s, u"box"_s}).status, 0);
        const Outcome refused = sandpiper({u"proxy"_s, u"box"_s});
        QCOMPARE(refused.status, 255);
        QCOMPARE(refused.output, QByteArray());
        QCOMPARE(refused.errors, "sandpiper-cli: box is suspended. To wake it: sandpiper-cli resume box\n"_ba);
        QVERIFY(sandpiper({u"ls"_s}).output.contains("suspended"));
        QCOMPARE(sandpiper({u"resume"_s, u"box"_s}).status, 0);
    }
};

QTEST_GUILESS_MAIN(TestCliTools)
#include "tst_clitools.moc"

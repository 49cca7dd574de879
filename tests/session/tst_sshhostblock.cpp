// Host blocks and copied commands, by what the real ssh makes of them.
#include "session/shellquote.h"
#include "session/sshhostblock.h"
#include "session/toolcommands.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;

Sandbox sandboxNamed(const QString &name, const QString &id = u"sbx-1"_s)
{
    Sandbox sandbox;
    sandbox.id = {u"local"_s, u"here"_s, id};
    sandbox.name = name;
    sandbox.ssh = SshEndpoint{u"127.0.0.1"_s, 2222, id, {}, {}, {}};
    return sandbox;
}

// "keyword value" lines of ssh -G.
QMultiMap<QString, QString> resolved(const QString &file, const QString &alias)
{
    QProcess ssh;
    ssh.start(u"ssh"_s, {u"-G"_s, u"-F"_s, file, alias});
    QMultiMap<QString, QString> values;
    if (!ssh.waitForFinished(kPatience) || ssh.exitCode() != 0) {
        qWarning() << ssh.readAllStandardError();
        return values;
    }
    for (const QString &line : QString::fromUtf8(ssh.readAllStandardOutput()).split(u'\n'))
        values.insert(line.section(u' ', 0, 0), line.section(u' ', 1));
    return values;
}

} // namespace

class TestSshHostBlock : public QObject
{
    Q_OBJECT
    QTemporaryDir m_dir;

    QString written(const SshHostBlock &block)
    {
        QFile file(m_dir.filePath(u"config"_s));
        (void)(file.open(QIODevice::WriteOnly) && file.write(textOf(block)) > 0);
        return file.fileName();
    }

private slots:
    void theKeyThatSignsInIsNamed()
    {
        Sandbox sandbox = sandboxNamed(u"box"_s);
        SshHostWish wish;
        wish.signIn = {{u"root"_s, {}, {}}, u"/registered"_s, {}};
        QCOMPARE(hostBlockFor(sandbox, wish)->identityFiles, QStringList{u"/registered"_s});
        QCOMPARE(hostBlockFor(sandbox, wish)->user, u"root"_s);
        wish.signIn.choice.key = u"SHA256:inAnAgent"_s;
        QVERIFY(hostBlockFor(sandbox, wish)->identityFiles.isEmpty());
        sandbox.ssh->identityFiles = {u"/vendor"_s};
        QCOMPARE(hostBlockFor(sandbox, wish)->identityFiles, QStringList{u"/vendor"_s});
    }

    void sshReadsWhatWasMeant_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<quint16>("inside");
        QTest::addColumn<QStringList>("proxy");
        QTest::newRow("plain") << u"/home/me/.ssh/id"_s << quint16(0) << QStringList();
        QTest::newRow("a server inside") << u"/k"_s << quint16(8022) << QStringList();
        QTest::newRow("spaces, quotes and per cent") << u"/h \"o\" 'm' e/100%/a\\b#c"_s << quint16(0) << QStringList();
        QTest::newRow("not ASCII") << u"/höme/键"_s << quint16(0) << QStringList();
        QTest::newRow("a proxy") << u"/k"_s << quint16(0) << QStringList{u"/opt/sand piper/cli"_s, u"proxy"_s, u"This computer/sbx%1;$(x)"_s};
    }
    void sshReadsWhatWasMeant()
    {
        QFETCH(QString, key);
        QFETCH(quint16, inside);
        QFETCH(QStringList, proxy);
        Sandbox sandbox = sandboxNamed(u"box"_s);
        sandbox.ssh->identityFiles = {key};
        sandbox.ssh->hostKey = "ssh-ed25519 AAAA";
        Result<SshHostBlock> block = hostBlockFor(sandbox, {m_dir.filePath(u"known hosts"_s), inside, proxy, {}});
        QVERIFY(block);
        block->alias = hostAliasFor(sandbox, u"here"_s, inside, {});
        const QMultiMap<QString, QString> said = resolved(written(*block), block->alias);
        QCOMPARE(block->alias, inside == 0 ? u"box.sandpiper"_s : u"8022-box.sandpiper"_s);
        QCOMPARE(said.value(u"hostname"_s), u"127.0.0.1"_s);
        QCOMPARE(said.value(u"port"_s), u"2222"_s);
        QCOMPARE(said.value(u"user"_s), inside == 0 ? u"sbx-1"_s : u"8022-sbx-1"_s);
        // ssh -G prints the file before it fills the tokens in.
        QString doubled = key;
        QCOMPARE(said.values(u"identityfile"_s), QStringList{doubled.replace(u'%', u"%%"_s)});
        QCOMPARE(said.value(u"identitiesonly"_s), u"yes"_s);
        QCOMPARE(said.value(u"hostkeyalias"_s), u"sbx-1.local.sandpiper"_s);
        QCOMPARE(said.value(u"userknownhostsfile"_s), m_dir.filePath(u"known hosts"_s));
        QVERIFY(said.value(u"stricthostkeychecking"_s) == "yes"_L1 || said.value(u"stricthostkeychecking"_s) == "true"_L1);
        if (!proxy.isEmpty())
            QCOMPARE(said.value(u"proxycommand"_s), u"'/opt/sand piper/cli' proxy 'This computer/sbx%%1;$(x)'"_s);
        QCOMPARE(said.contains(u"proxycommand"_s), !proxy.isEmpty());
    }

    void whatNoConfigCanHoldIsRefused_data()
    {
        QTest::addColumn<QString>("host");
        QTest::addColumn<QString>("user");
        QTest::addColumn<QString>("key");
        for (const QString &bad : {u""_s, u"-oProxyCommand=x"_s, u"a b"_s, u"a\nb"_s, u"a%hb"_s, u"$(x)"_s, u"`x`"_s, u"a\"b"_s, u"a;b"_s, u"a\tb"_s}) {
            QTest::addRow("host '%s'", bad.toUtf8().toPercentEncoding().constData()) << bad << u"me"_s << u"/k"_s;
            QTest::addRow("user '%s'", bad.toUtf8().toPercentEncoding().constData()) << u"host"_s << bad << u"/k"_s;
        }
        QTest::newRow("host with a wildcard") << u"*"_s << u"me"_s << u"/k"_s;
        QTest::newRow("key with a line's end") << u"host"_s << u"me"_s << u"/k\nProxyCommand x"_s;
        QTest::newRow("key with a variable") << u"host"_s << u"me"_s << u"/${HOME}/k"_s;
    }
    void whatNoConfigCanHoldIsRefused()
    {
        QFETCH(QString, host);
        QFETCH(QString, user);
        QFETCH(QString, key);
        Sandbox sandbox = sandboxNamed(u"box"_s);
        sandbox.ssh = SshEndpoint{host, 22, user, {}, {key}, {}};
        const Result<SshHostBlock> block = hostBlockFor(sandbox, {});
        QVERIFY(!block);
        QCOMPARE(block.error().kind, ErrorKind::InvalidInput);
    }

    void aNameBecomesASafeAlias_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("alias");
        QTest::newRow("plain") << u"box-1"_s << u"box-1.sandpiper"_s;
        QTest::newRow("capitals") << u"Box"_s << u"box.sandpiper"_s;
        QTest::newRow("spaces and wildcards") << u"my *box* ?"_s << u"my-box.sandpiper"_s;
        QTest::newRow("negated") << u"!box"_s << u"box.sandpiper"_s;
        QTest::newRow("a dash in front") << u"--help"_s << u"help.sandpiper"_s;
        QTest::newRow("lines and quotes") << u"a\nHost *\"'"_s << u"a-host.sandpiper"_s;
        QTest::newRow("nothing left") << u"日本"_s << u"sbx-1.sandpiper"_s;
        QTest::newRow("long") << QString(300, u'x') << QString(60, u'x') + u".sandpiper"_s;
    }
    void aNameBecomesASafeAlias()
    {
        QFETCH(QString, name);
        QTEST(hostAliasFor(sandboxNamed(name), u"here"_s, 0, {}), "alias");
    }

    void anAliasThatSomebodyElseHasIsMadeLonger()
    {
        QHash<QString, QString> owners{{u"box.sandpiper"_s, u"other"_s}};
        QCOMPARE(hostAliasFor(sandboxNamed(u"box"_s), u"My Account"_s, 0, owners), u"box.my-account.sandpiper"_s);
        owners.insert(u"box.my-account.sandpiper"_s, u"other"_s);
        QCOMPARE(hostAliasFor(sandboxNamed(u"box"_s), u"My Account"_s, 0, owners), u"sbx-1.sandpiper"_s);
        owners.insert(u"sbx-1.sandpiper"_s, u"other"_s);
        QCOMPARE(hostAliasFor(sandboxNamed(u"box"_s), u"My Account"_s, 0, owners), u"box-2.sandpiper"_s);
        QHash<QString, QString> ours{{u"box.sandpiper"_s, sandboxNamed(u"box"_s).id.toString()}};
        QCOMPARE(hostAliasFor(sandboxNamed(u"box"_s), {}, 0, ours), u"box.sandpiper"_s);
    }

    void aCopiedCommandIsTakenApartAsItWasMeant()
    {
        Sandbox sandbox = sandboxNamed(u"box"_s);
        sandbox.ssh->identityFiles = {u"/my keys/it's 100%"_s};
        sandbox.ssh->hostKey = "ssh-ed25519 AAAA";
        const Result<SshHostBlock> block = hostBlockFor(sandbox, {u"/c d/known"_s, 0, {}, {}});
        QVERIFY(block);
        // The shell's words, one a line, and then what ssh makes of them.
        QProcess shell;
        shell.start(u"sh"_s, {u"-c"_s, u"ssh() { command ssh -G -F /dev/null \"$@\"; }; "_s + commandTextFor(CopyTool::Ssh, *block)});
        QVERIFY(shell.waitForFinished(kPatience));
        const QStringList lines = QString::fromUtf8(shell.readAllStandardOutput()).split(u'\n');
        for (const QString &line : {u"hostname 127.0.0.1"_s, u"user sbx-1"_s, u"port 2222"_s, u"identityfile /my keys/it's 100%%"_s,
                                    u"userknownhostsfile /c d/known"_s, u"hostkeyalias sbx-1.local.sandpiper"_s, u"identitiesonly yes"_s})
            QVERIFY2(lines.contains(line), qPrintable(line + u" in "_s + lines.join(u'\n')));
    }

    void addressesOfIpv6AreBracketedWhereAColonFollows()
    {
        Sandbox sandbox = sandboxNamed(u"box"_s);
        sandbox.ssh->host = u"::1"_s;
        sandbox.ssh->port = 22;
        const SshHostBlock block = *hostBlockFor(sandbox, {});
        QCOMPARE(commandTextFor(CopyTool::Ssh, block), u"ssh sbx-1@::1"_s);
        QCOMPARE(commandTextFor(CopyTool::Scp, block), u"scp FILE 'sbx-1@[::1]:'"_s);
        QCOMPARE(commandTextFor(CopyTool::Rsync, block), u"rsync -a FOLDER/ 'sbx-1@[::1]:FOLDER/'"_s);
        QCOMPARE(commandTextFor(CopyTool::Sftp, block), u"sftp 'sbx-1@[::1]'"_s);
    }

    void aHostOfSshConfigIsCalledByItsName()
    {
        QCOMPARE(*commandTextFor(CopyTool::Ssh, u"devbox"_s), u"ssh devbox"_s);
        QCOMPARE(*commandTextFor(CopyTool::Rsync, u"devbox"_s), u"rsync -a FOLDER/ devbox:FOLDER/"_s);
        QVERIFY(!commandTextFor(CopyTool::Ssh, u"-oProxyCommand=x"_s));
        QVERIFY(!commandTextFor(CopyTool::Ssh, u"a b"_s));
        Sandbox host = sandboxNamed(u"devbox"_s);
        host.ssh->alias = u"devbox"_s;
        QCOMPARE(hostBlockFor(host, {}).error().kind, ErrorKind::Unsupported);
    }

    void websocatNeverGetsACredential()
    {
        const SshHostBlock block = *hostBlockFor(sandboxNamed(u"box"_s), {});
        const QUrl url(u"wss://me:secret@8081-abc.e2b.app/ssh?token=secret#secret"_s);
        const Result<QString> text = websocatText(url, block);
        QVERIFY(text);
        QCOMPARE(*text, u"ssh -o 'ProxyCommand=websocat --binary -B 65536 - wss://8081-abc.e2b.app/ssh' sbx-1@127.0.0.1"_s);
        for (const QString &bad : {u""_s, u"https://x/"_s, u"wss:///x"_s, u"javascript:x"_s})
            QVERIFY(!websocatText(QUrl(bad), block));
    }

    void programsAreStartedWithWordsAndWithoutAShell_data()
    {
        QTest::addColumn<OpenTool>("tool");
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QString>("expected");
        QTest::newRow("VS Code") << OpenTool::VsCode << u"/work space"_s << u"/bin/code|--remote|ssh-remote+box.sandpiper|/work space"_s;
        QTest::newRow("VS Code, no folder") << OpenTool::VsCode << QString() << u"/bin/code|--remote|ssh-remote+box.sandpiper"_s;
        QTest::newRow("Cursor") << OpenTool::Cursor << u"/w"_s << u"/bin/cursor|--remote|ssh-remote+box.sandpiper|/w"_s;
        QTest::newRow("JetBrains") << OpenTool::JetBrains << u"/w x&y"_s
                                   << u"jetbrains-gateway://connect#type=ssh&deploy=false&host=box.sandpiper&projectPath=%2Fw%20x%26y"_s;
        QTest::newRow("terminal") << OpenTool::Terminal << QString() << u"/bin/xdg-terminal-exec|/opt/cli|shell|box.sandpiper"_s;
    }
    void programsAreStartedWithWordsAndWithoutAShell()
    {
        QFETCH(OpenTool, tool);
        QFETCH(QString, folder);
        const ToolSurroundings all{[](const QString &program) { return u"/bin/"_s + program; }, [](const QString &) { return true; }, u"/opt/cli"_s};
        const Result<ToolLaunch> launch = openLaunch(tool, u"box.sandpiper"_s, folder, all);
        QVERIFY(launch);
        QTEST(launch->program.isEmpty() ? launch->url.toString(QUrl::FullyEncoded) : (QStringList{launch->program} + launch->arguments).join(u'|'), "expected");
        const ToolSurroundings nothing{[](const QString &) { return QString(); }, [](const QString &) { return false; }, u"/opt/cli"_s};
        const Result<ToolLaunch> none = openLaunch(tool, u"box.sandpiper"_s, folder, nothing);
        QVERIFY(!none && none.error().kind == ErrorKind::NotFound && none.error().detail.endsWith(u'.'));
        for (const QString &bad : {u""_s, u"-x"_s, u"a b"_s, u"a;b"_s, u"a\nb"_s, QString(300, u'a')})
            QVERIFY(tool == OpenTool::Terminal || !openLaunch(tool, bad, folder, all));
        QVERIFY(tool == OpenTool::Terminal || !openLaunch(tool, u"box"_s, u"-x"_s, all));
    }

    void anOldTerminalGetsItsOwnWords()
    {
        const ToolSurroundings around{[](const QString &program) { return program == "x-terminal-emulator"_L1 ? u"/usr/bin/"_s + program : QString(); },
                                      [](const QString &) { return false; }, u"/opt/sandpiper-cli"_s};
        const Result<ToolLaunch> launch = terminalLaunch(u"This computer/box; rm"_s, around);
        QVERIFY(launch);
        QCOMPARE(launch->arguments, (QStringList{u"-e"_s, u"/opt/sandpiper-cli"_s, u"shell"_s, u"This computer/box; rm"_s}));
        QVERIFY(!terminalLaunch(u"--help"_s, around));
    }
};

QTEST_GUILESS_MAIN(TestSshHostBlock)
#include "tst_sshhostblock.moc"

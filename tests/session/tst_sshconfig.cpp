// The reader of ssh_config against the real one: ssh -G over a folder of files, and what ssh -G cannot say.
#include "session/sshalgorithms.h"
#include "session/sshconfig.h"
#include "session/sshconfiglines.h"
#include "session/sshconfigtokens.h"
#include "session/sshdestination.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <pwd.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000;
using Lines = QMap<QString, QStringList>; // by keyword

struct Answer
{
    bool accepted = false;
    QByteArray output;
    QByteArray complaints;
};

QString passwdHome()
{
    const passwd *entry = ::getpwuid(::geteuid());
    return entry ? QString::fromLocal8Bit(entry->pw_dir) : QString();
}

QProcessEnvironment environmentOf(const QString &folder)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"SP_VAR"_s, u"var"_s);
    environment.insert(u"SP_DIR"_s, folder);
    return environment;
}

Answer ask(const QString &folder, const QStringList &arguments)
{
    QProcess ssh;
    ssh.setProcessEnvironment(environmentOf(folder));
    ssh.start(u"ssh"_s, arguments);
    ssh.closeWriteChannel();
    Answer answer;
    answer.accepted = ssh.waitForFinished(kPatience) && ssh.exitStatus() == QProcess::NormalExit && ssh.exitCode() == 0;
    answer.output = ssh.readAllStandardOutput();
    answer.complaints = ssh.readAllStandardError();
    return answer;
}

Lines linesOf(const QByteArray &output)
{
    Lines lines;
    for (const QString &line : QString::fromUtf8(output).split(u'\n', Qt::SkipEmptyParts))
        lines[line.section(u' ', 0, 0).toLower()].append(line.section(u' ', 1));
    return lines;
}

QString endText(const ForwardSpec::End &end, bool bare)
{
    if (!end.path.isEmpty())
        return end.path;
    if (bare && !end.address)
        return QString::number(end.port);
    return u"[%1]:%2"_s.arg(end.address.value_or(QString())).arg(end.port);
}

QStringList written(const SshHostConfig &config, const QString &keyword)
{
    QStringList values;
    for (const SshSetting &setting : config.settings) {
        if (setting.keyword == keyword)
            values.append(setting.value);
    }
    return values;
}

class TestSshConfig : public QObject
{
    Q_OBJECT

    QTemporaryDir m_dir;
    Lines m_defaults; // of this ssh
    QMap<QString, QByteArray> m_possible; // algorithms by ssh -Q's word

    QString place(const QString &name, const QByteArray &content)
    {
        const QString path = m_dir.filePath(name);
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
            qFatal("no file");
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
        return path;
    }
    SshConfig::Sources sources(const QString &file) const
    {
        SshConfig::Sources result = SshConfig::defaultSources();
        result.home = passwdHome();
        result.userFile = file;
        result.systemFile.clear();
        result.ownership = SshConfig::Sources::Ownership::AsGiven;
        const QProcessEnvironment environment = environmentOf(m_dir.path());
        result.variable = [environment](const QString &name) {
            return environment.contains(name) ? std::optional(environment.value(name)) : std::nullopt;
        };
        return result;
    }
    SshHostConfig resolved(const QByteArray &text, const QString &host, const QString &name = u"inline"_s)
    {
        return SshConfig(sources(place(name, text))).resolve({host, {}, 0});
    }
    QString assembled(const QString &text, const QString &keyword, const QString &list) const
    {
        return QString::fromLatin1(assembledAlgorithms(text, m_defaults.value(keyword).value(0).toLatin1(), m_possible.value(list)));
    }
    Lines expected(const SshHostConfig &config) const;

private slots:
    void initTestCase();
    void agreesWithSsh_data();
    void agreesWithSsh();
    void fillsInKeyFilesAsSshDoes();
    void asksForConsentBeforeItRunsAnything();
    void namesWhatItDoesNotDo();
    void listsTheHostsThatNameOneMachine();
    void takesNoFileThatOthersCouldHaveWritten();
    void theSystemFileComesLast();
    void relativeIncludesStartInTheUsersFolder();
    void saysWhereEachValueIsFrom();
    void whatIsTypedComesFirst();
    void readsDestinations_data();
    void readsDestinations();
    void staysBoundedByHostileFiles_data();
    void staysBoundedByHostileFiles();
    void aPatternOfManyStarsEnds();
};

void TestSshConfig::initTestCase()
{
    if (QStandardPaths::findExecutable(u"ssh"_s).isEmpty()) {
        if (qEnvironmentVariable("CI") == u"true" || qEnvironmentVariableIsSet("SANDPIPER_REQUIRE_SSHD"))
            QFAIL("ssh is not installed");
        QSKIP("ssh is not installed");
    }
    const QDir corpus(qEnvironmentVariable("SANDPIPER_SOURCE") + u"/tests/session/sshconfig"_s);
    for (const QString &name : corpus.entryList(QDir::Files)) {
        QFile file(corpus.filePath(name));
        QVERIFY(file.open(QIODevice::ReadOnly));
        place(name, file.readAll().replace("@DIR@", QFile::encodeName(m_dir.path())));
    }
    m_defaults = linesOf(ask(m_dir.path(), {u"-G"_s, u"-F"_s, u"/dev/null"_s, u"x"_s}).output);
    QVERIFY(!m_defaults.isEmpty());
    for (const QString &list : {u"cipher"_s, u"kex"_s, u"mac"_s, u"HostKeyAlgorithms"_s, u"PubkeyAcceptedAlgorithms"_s})
        m_possible[list] = ask(m_dir.path(), {u"-Q"_s, list}).output.trimmed().replace('\n', ',');
}

// What ssh -G would print of our answer, for the keywords that are supported.
Lines TestSshConfig::expected(const SshHostConfig &config) const
{
    Lines lines;
    const auto usual = [&](const QString &keyword) { return m_defaults.value(keyword); };
    const auto flag = [](bool value) { return QStringList{value ? u"yes"_s : u"no"_s}; };
    lines[u"hostname"_s] = {config.hostName};
    lines[u"user"_s] = {config.user};
    lines[u"port"_s] = {QString::number(config.port)};
    const QStringList keys = written(config, u"identityfile"_s);
    lines[u"identityfile"_s] = keys.isEmpty() ? usual(u"identityfile"_s) : keys;
    lines[u"certificatefile"_s] = written(config, u"certificatefile"_s);
    lines[u"identityagent"_s] = config.identityAgent ? QStringList{*config.identityAgent} : QStringList();
    lines[u"identitiesonly"_s] = flag(config.identitiesOnly.value_or(false));
    QStringList jump;
    for (const QString &value : written(config, u"proxyjump"_s))
        jump.append(value.section(QRegularExpression(u"\\s"_s), 0, 0));
    lines[u"proxyjump"_s] = config.jumps.isEmpty() ? QStringList() : jump;
    lines[u"proxycommand"_s] = config.proxyCommand ? written(config, u"proxycommand"_s) : QStringList();
    lines[u"hostkeyalias"_s] = config.hostKeyAlias.isEmpty() ? QStringList() : QStringList{config.hostKeyAlias};
    const auto files = [&](const std::optional<QStringList> &value, const QString &keyword) {
        return !value ? usual(keyword) : value->isEmpty() ? QStringList{u"none"_s} : QStringList{value->join(u' ')};
    };
    lines[u"userknownhostsfile"_s] = files(config.userKnownHostsFiles, u"userknownhostsfile"_s);
    lines[u"globalknownhostsfile"_s] = files(config.globalKnownHostsFiles, u"globalknownhostsfile"_s);
    switch (config.hostChecking.value_or(SshHostChecking::Ask)) {
    case SshHostChecking::Ask: lines[u"stricthostkeychecking"_s] = {u"ask"_s}; break;
    case SshHostChecking::Strict: lines[u"stricthostkeychecking"_s] = {u"true"_s}; break;
    case SshHostChecking::AcceptNew: lines[u"stricthostkeychecking"_s] = {u"accept-new"_s}; break;
    case SshHostChecking::Off: lines[u"stricthostkeychecking"_s] = {u"false"_s}; break;
    }
    lines[u"serveraliveinterval"_s] = {QString::number(config.serverAliveInterval.value_or(std::chrono::seconds(0)).count())};
    lines[u"serveralivecountmax"_s] = {QString::number(config.serverAliveCountMax.value_or(3))};
    lines[u"connecttimeout"_s] = {config.connectTimeout ? QString::number(config.connectTimeout->count()) : u"none"_s};
    switch (config.agentForward) {
    case SshAgentForward::No: lines[u"forwardagent"_s] = {u"no"_s}; break;
    case SshAgentForward::Yes: lines[u"forwardagent"_s] = {u"yes"_s}; break;
    case SshAgentForward::Socket: lines[u"forwardagent"_s] = {config.agentForwardSocket}; break;
    }
    for (const QString &keyword : {u"localforward"_s, u"remoteforward"_s, u"dynamicforward"_s})
        lines[keyword] = {};
    for (const ForwardSpec &wish : config.forwards) {
        const QString listen = endText(wish.listen, true);
        switch (wish.kind) {
        case ForwardSpec::Kind::Local: lines[u"localforward"_s].append(listen + u' ' + endText(wish.target, false)); break;
        case ForwardSpec::Kind::Remote: lines[u"remoteforward"_s].append(listen + u' ' + endText(wish.target, false)); break;
        case ForwardSpec::Kind::RemoteDynamic: lines[u"remoteforward"_s].append(listen + u" [socks]:0"_s); break;
        case ForwardSpec::Kind::Dynamic: lines[u"dynamicforward"_s].append(listen); break;
        }
    }
    const ForwardRules &rules = config.forwardRules;
    lines[u"gatewayports"_s] = flag(rules.gatewayPorts);
    lines[u"exitonforwardfailure"_s] = flag(rules.exitOnFailure);
    lines[u"streamlocalbindunlink"_s] = flag(rules.unlinksSockets);
    lines[u"permitremoteopen"_s] = {rules.remoteTargets.value_or(QStringList{u"any"_s}).join(u' ')};
    // Of the mask ssh -G says 00, whatever it is.
    lines[u"sendenv"_s] = config.sendEnv;
    lines[u"setenv"_s] = {};
    for (const auto &[name, value] : config.setEnv)
        lines[u"setenv"_s].append(name + u'=' + value);
    lines[u"remotecommand"_s] = config.remoteCommand.isEmpty() ? QStringList() : QStringList{config.remoteCommand};
    switch (config.requestTty) {
    case SshTtyWish::Auto: lines[u"requesttty"_s] = {u"auto"_s}; break;
    case SshTtyWish::No: lines[u"requesttty"_s] = {u"false"_s}; break;
    case SshTtyWish::Yes: lines[u"requesttty"_s] = {u"true"_s}; break;
    case SshTtyWish::Force: lines[u"requesttty"_s] = {u"force"_s}; break;
    }
    lines[u"ciphers"_s] = {assembled(config.ciphers, u"ciphers"_s, u"cipher"_s)};
    lines[u"kexalgorithms"_s] = {assembled(config.kexAlgorithms, u"kexalgorithms"_s, u"kex"_s)};
    lines[u"macs"_s] = {assembled(config.macs, u"macs"_s, u"mac"_s)};
    lines[u"hostkeyalgorithms"_s] = {assembled(config.hostKeyAlgorithms, u"hostkeyalgorithms"_s, u"HostKeyAlgorithms"_s)};
    lines[u"pubkeyacceptedalgorithms"_s] = {assembled(config.pubkeyAcceptedAlgorithms, u"pubkeyacceptedalgorithms"_s, u"PubkeyAcceptedAlgorithms"_s)};
    switch (config.addressFamily) {
    case SshAddressFamily::Any: lines[u"addressfamily"_s] = {u"any"_s}; break;
    case SshAddressFamily::Inet: lines[u"addressfamily"_s] = {u"inet"_s}; break;
    case SshAddressFamily::Inet6: lines[u"addressfamily"_s] = {u"inet6"_s}; break;
    }
    lines[u"bindaddress"_s] = config.bindAddress.isEmpty() ? QStringList() : QStringList{config.bindAddress};
    lines[u"compression"_s] = flag(config.compression);
    const QString add = config.addKeysToAgent;
    lines[u"addkeystoagent"_s] = {add.isEmpty() || add == u"no" ? u"false"_s : add == u"yes" ? u"true"_s : add};
    lines[u"preferredauthentications"_s] = config.preferredAuthentications.isEmpty() ? QStringList() : QStringList{config.preferredAuthentications.join(u',')};
    lines[u"passwordauthentication"_s] = flag(config.passwordAuthentication);
    lines[u"kbdinteractiveauthentication"_s] = flag(config.kbdInteractiveAuthentication);
    lines[u"tag"_s] = config.tag.isEmpty() ? QStringList() : QStringList{config.tag};
    return lines;
}

void TestSshConfig::agreesWithSsh_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("host");
    const QDir corpus(m_dir.path());
    int files = 0;
    for (const QString &name : corpus.entryList({u"*.conf"_s}, QDir::Files, QDir::Name)) {
        QFile file(corpus.filePath(name));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QString hosts = QString::fromUtf8(file.readLine()).trimmed();
        QVERIFY2(hosts.startsWith(u"# hosts: "), qPrintable(name));
        ++files;
        QStringList words;
        QVERIFY(splitSshWords(QStringView(hosts).sliced(9), words));
        for (const QString &host : std::as_const(words))
            QTest::addRow("%s %s", qPrintable(name), qPrintable(host)) << corpus.filePath(name) << host;
    }
    QVERIFY(files >= 60);
}

void TestSshConfig::agreesWithSsh()
{
    QFETCH(QString, file);
    QFETCH(QString, host);
    const Answer answer = ask(m_dir.path(), {u"-G"_s, u"-F"_s, file, host});
    SshHostQuery query{host, {}, 0};
    if (const qsizetype at = host.lastIndexOf(u'@'); at >= 0)
        query = {host.sliced(at + 1), host.first(at), 0};
    const SshHostConfig config = SshConfig(sources(file)).resolve(query);

    const std::optional<SshConfigProblem> refusal = config.refusal();
    QVERIFY2(answer.accepted == !refusal,
             qPrintable(QString::fromUtf8(answer.complaints) + (refusal ? refusal->toString() : u"we take it"_s)));
    QCOMPARE(QFileInfo(file).fileName().contains(u"-refused-"), !answer.accepted);
    if (!answer.accepted)
        return;
    const Lines theirs = linesOf(answer.output);
    const Lines ours = expected(config);
    for (auto it = ours.cbegin(); it != ours.cend(); ++it) {
        // ssh prints a forward to a socket among the dynamic ones as well.
        if (it.key() == u"dynamicforward" && (file.contains(u"28-socket") || file.contains(u"94-forward-shapes")))
            continue;
        QCOMPARE(std::pair(it.key(), it.value()), std::pair(it.key(), theirs.value(it.key())));
    }
    const QString pubkey = theirs.value(u"pubkeyauthentication"_s).value(0);
    QCOMPARE(config.pubkeyAuthentication, pubkey != u"false");
}

void TestSshConfig::fillsInKeyFilesAsSshDoes()
{
    // ssh -G shows key files as they are written; on its way to a server it says what it makes of them.
    const QByteArray text = "Host a\n HostName real.example\n User bob\n Port 2222\n HostKeyAlias al\n"
                            " IdentityFile ~/k_%h_%n_%p_%r_%u\n IdentityFile %d/k_%i_%L_%k_%C_%%\n IdentityFile ${SP_VAR}/k\n"
                            " CertificateFile ~/c_%n\n";
    const QString file = place(u"keys"_s, text);
    const SshHostConfig config = SshConfig(sources(file)).resolve({u"a"_s, {}, 0});
    QVERIFY(!config.refusal());
    const Answer answer = ask(m_dir.path(), {u"-v"_s, u"-F"_s, file, u"-o"_s, u"ProxyCommand=false"_s, u"-o"_s, u"BatchMode=yes"_s, u"a"_s});
    QStringList theirs;
    static const QRegularExpression said(u"identity file (.*) type -?\\d+"_s);
    for (const QString &line : QString::fromUtf8(answer.complaints).split(u'\n')) {
        const QRegularExpressionMatch match = said.match(line.trimmed());
        if (match.hasMatch())
            theirs.append(match.captured(1));
    }
    QVERIFY2(theirs.size() >= 3, answer.complaints.constData());
    for (const QString &key : config.identityFiles)
        QVERIFY2(theirs.contains(key), qPrintable(key + u" is not in "_s + theirs.join(u' ')));
    QCOMPARE(config.identityFiles.size(), 3);
    QCOMPARE(config.certificateFiles, QStringList{passwdHome() + u"/c_a"_s});
}

void TestSshConfig::asksForConsentBeforeItRunsAnything()
{
    const QByteArray text = "Match exec \"test %h = a\" user nobody-such\n Port 1\nMatch exec \"check %n\"\n User yes\nMatch !exec \"check %n\"\n User no\n";
    const SshHostConfig without = resolved(text, u"a"_s);
    QVERIFY(written(without, u"user"_s).isEmpty());
    QCOMPARE(without.problems.size(), 3);
    QCOMPARE(without.problems.at(1).kind, SshConfigProblem::Kind::NotAsked);
    QVERIFY(without.problems.at(1).text.contains(u"check %n"));
    QVERIFY(!without.refusal());

    QStringList asked;
    SshConfig::Sources given = sources(m_dir.filePath(u"inline"_s));
    given.runs = [&asked](const QString &command) {
        asked.append(command);
        return command == u"check a";
    };
    const SshHostConfig with = SshConfig(given).resolve({u"a"_s, {}, 0});
    QCOMPARE(with.user, u"yes"_s);
    QCOMPARE(asked, QStringList({u"test a = a"_s, u"check a"_s, u"check a"_s}));
    QVERIFY(with.problems.isEmpty());
}

void TestSshConfig::namesWhatItDoesNotDo()
{
    const SshHostConfig config = resolved("Host a\n ForwardX11 yes\n ForwardX11Trusted yes\n Tunnel no\n LogLevel DEBUG\n PKCS11Provider /x.so\n"
                                          "Host b\n KnownHostsCommand /x\nHost *\n NoSuchThing 1\nMatch version OpenSSH*\n User x\n", u"a"_s);
    QStringList said;
    for (const SshConfigProblem &problem : config.problems)
        said.append(QString::number(problem.place.line) + u' ' + problem.text);
    QCOMPARE(said, QStringList({u"2 'forwardx11' is not supported"_s, u"6 'pkcs11provider' is not supported"_s, u"10 'nosuchthing' is not known"_s,
                                u"11 this block is left out: 'match version' is not supported"_s}));
    QVERIFY(!config.refusal());
}

void TestSshConfig::listsTheHostsThatNameOneMachine()
{
    place(u"more.inc"_s, "Host third first\nHost inc*\n");
    const QString file = place(u"list"_s, "Host first *.example second !third x?y\nInclude " + QFile::encodeName(m_dir.path())
                                                  + "/more.inc\nInclude /x/%h\nHost *\nHost \"last one\" -evil $(x) ok\n");
    SshConfig::Sources given = sources(file);
    given.systemFile = place(u"system"_s, "Host .host machine/.host distribution\n");
    SshConfig config(given);
    QStringList names;
    for (const SshHostAlias &alias : config.aliases())
        names.append(alias.name + u' ' + QFileInfo(alias.place.file).fileName() + u':' + QString::number(alias.place.line));
    QCOMPARE(names, QStringList({u"first list:1"_s, u"second list:1"_s, u"third more.inc:1"_s, u"ok list:5"_s}));
    QVERIFY(config.files().contains(m_dir.filePath(u"more.inc"_s)));
}

void TestSshConfig::takesNoFileThatOthersCouldHaveWritten()
{
    const QString file = place(u"open"_s, "User x\n");
    QVERIFY(QFile::setPermissions(file, QFile::ReadOwner | QFile::WriteOwner | QFile::WriteOther));
    SshConfig::Sources given = sources(file);
    given.ownership = SshConfig::Sources::Ownership::Checked;
    QVERIFY(SshConfig(given).resolve({u"a"_s, {}, 0}).refusal());
    QVERIFY(SshConfig(given).aliases().isEmpty());
    given.ownership = SshConfig::Sources::Ownership::AsGiven;
    QVERIFY(!SshConfig(given).resolve({u"a"_s, {}, 0}).refusal());
    // As for ssh -F: what is included is looked at all the same.
    const QString outer = place(u"outer"_s, "Include " + QFile::encodeName(file) + "\n");
    given.userFile = outer;
    QVERIFY(SshConfig(given).resolve({u"a"_s, {}, 0}).refusal());
    QVERIFY(!ask(m_dir.path(), {u"-G"_s, u"-F"_s, outer, u"a"_s}).accepted);
}

void TestSshConfig::theSystemFileComesLast()
{
    SshConfig::Sources given = sources(place(u"mine"_s, "User mine\n"));
    given.systemFile = place(u"system"_s, "Host a\n User system\n Port 77\n");
    const SshHostConfig config = SshConfig(given).resolve({u"a"_s, {}, 0});
    QCOMPARE(config.user, u"mine"_s);
    QCOMPARE(config.port, quint16(77));
}

void TestSshConfig::relativeIncludesStartInTheUsersFolder()
{
    QVERIFY(QDir(m_dir.path()).mkpath(u"home/.ssh/conf.d"_s));
    place(u"home/.ssh/config"_s, "Include conf.d/*.conf\nInclude ~/extra\n");
    place(u"home/.ssh/conf.d/1.conf"_s, "Host a\n User one\n");
    place(u"home/extra"_s, "Host a\n Port 5\n");
    SshConfig::Sources given = sources(m_dir.filePath(u"home/.ssh/config"_s));
    given.home = m_dir.filePath(u"home"_s);
    SshConfig config(given);
    const SshHostConfig found = config.resolve({u"a"_s, {}, 0});
    QCOMPARE(found.user, u"one"_s);
    QCOMPARE(found.port, quint16(5));
    QCOMPARE(config.folders(), QStringList{m_dir.filePath(u"home/.ssh/conf.d"_s)});
}

void TestSshConfig::saysWhereEachValueIsFrom()
{
    const SshHostConfig config = resolved("Host a\n User x\nHost *\n User y\n Port 3\n", u"a"_s);
    QCOMPARE(config.settings.size(), 2);
    QCOMPARE(config.settings.at(0).place, SshConfigPlace({m_dir.filePath(u"inline"_s), 2}));
    QCOMPARE(config.settings.at(1).value, u"3"_s);
    QCOMPARE(config.settings.at(1).place.line, 5);
}

void TestSshConfig::whatIsTypedComesFirst()
{
    const QString file = place(u"typed"_s, "Host a\n User file\n Port 5\nMatch user typed\n IdentityFile /typed\n");
    const SshHostConfig config = SshConfig(sources(file)).resolve({u"a"_s, u"typed"_s, 99});
    QCOMPARE(config.user, u"typed"_s);
    QCOMPARE(config.port, quint16(99));
    QCOMPARE(config.identityFiles, QStringList{u"/typed"_s});
    // A "%" that was typed is a "%".
    QCOMPARE(SshConfig(sources(file)).resolve({u"a"_s, u"100%h"_s, 0}).user, u"100%h"_s);
}

void TestSshConfig::readsDestinations_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("answer"); // user|host|port, or empty
    const auto row = [](const char *text, const char *answer) { QTest::newRow(text) << QString::fromUtf8(text) << QString::fromUtf8(answer); };
    row("host", "|host|0");
    row("me@host", "me|host|0");
    row("me@host:2222", "me|host|2222");
    row("a@b@host:1", "a@b|host|1");
    row("[::1]:22", "|::1|22");
    row("me@[fe80::1%eth0]", "me|fe80::1%eth0|0");
    row("fe80::1", "|fe80::1|0");
    row("ssh://me@host:22", "me|host|22");
    row("ssh://m%40e@host/", "m@e|host|0");
    row("", "");
    row("@host", "");
    row("host:", "");
    row("host:0", "");
    row("host:65536", "");
    row("host:-1", "");
    row("host:+22", "");
    row("[::1", "");
    row("[::1]x", "");
    row("-oProxyCommand=x", "");
    row("me@-x", "");
    row("ssh://host/path", "");
    row("ssh://me:secret@host", "");
    row("a\nb", "");
}

void TestSshConfig::readsDestinations()
{
    QFETCH(QString, text);
    QFETCH(QString, answer);
    const std::optional<SshJumpHop> hop = sshDestination(text);
    QCOMPARE(hop ? hop->user + u'|' + hop->host + u'|' + QString::number(hop->port) : QString(), answer);
}

void TestSshConfig::staysBoundedByHostileFiles_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<bool>("refused");
    QTest::newRow("random bytes") << QByteArray("\x00\xff\xfe\x80garbage\x01\x02\n\x7f\x1b[31mUser x\n", 28) << false;
    QTest::newRow("one endless line") << QByteArray("User ") + QByteArray(3 << 20, 'x') << true;
    QTest::newRow("too large") << QByteArray(5 << 20, '\n') << true;
    QTest::newRow("very many lines") << QByteArray("Port 22\n").repeated(60'000) << true;
    QTest::newRow("a hundred keys too many") << QByteArray("IdentityFile /k%n\n") + [] {
        QByteArray all;
        for (int i = 0; i < 200; ++i)
            all += "IdentityFile /k" + QByteArray::number(i) + '\n';
        return all;
    }() << true;
    QTest::newRow("includes itself twice at each depth") << QByteArray("Include @SELF@\nInclude @SELF@\n") << true;
    QTest::newRow("a variable without an end") << QByteArray("IdentityFile ${\n") << true;
    QTest::newRow("a percent sign at the end") << QByteArray("RemoteCommand x%\n") << true;
    QTest::newRow("a command as a host") << QByteArray("HostName $(reboot)\n") << true;
    QTest::newRow("an option as a host") << QByteArray("HostName -oProxyCommand=x\n") << true;
    QTest::newRow("an escape sequence as a keyword") << QByteArray("\x1b]0;x\x07 y\n") << false;
    QTest::newRow("a directory included") << QByteArray("Include /\n") << false;
    QTest::newRow("a device included") << QByteArray("Include /dev/zero\n") << false;
    QTest::newRow("only quotes") << QByteArray("\"\"\"\"\n\"\n") << true;
    QTest::newRow("no keyword") << QByteArray("= x\n") << false;
}

void TestSshConfig::staysBoundedByHostileFiles()
{
    QFETCH(QByteArray, content);
    QFETCH(bool, refused);
    content.replace("@SELF@", QFile::encodeName(m_dir.filePath(u"inline"_s)));
    const SshHostConfig config = resolved(content, u"a"_s);
    QCOMPARE(config.refusal().has_value(), refused);
    QVERIFY(config.problems.size() <= 250);
    for (const SshConfigProblem &problem : config.problems) {
        QVERIFY(problem.text.size() <= 300);
        QVERIFY(!problem.text.contains(QChar(0x1b)));
    }
    SshConfig again(sources(m_dir.filePath(u"inline"_s)));
    QVERIFY(again.aliases().isEmpty());
}

void TestSshConfig::aPatternOfManyStarsEnds()
{
    QVERIFY(!matchesSshPattern(QString(2000, u'a'), QString(u"*a"_s).repeated(500) + u'b'));
    QVERIFY(matchesSshPattern(u"abc", u"*b?"));
    QVERIFY(matchesSshPattern(u"", u"**"));
    QVERIFY(!matchesSshPattern(u"ab", u"a"));
}

} // namespace

QTEST_GUILESS_MAIN(TestSshConfig)
#include "tst_sshconfig.moc"

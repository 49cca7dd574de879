// What an ssh_config says of a host, as the options of a link; all in memory.
#include "session/sshhostoptions.h"

#include "session/knownhosts.h"
#include "session/netproxy.h"
#include "session/sshalgorithms.h"
#include "session/sshdestination.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

class TestSshHostOptions : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_dir;

    LinkOptions m_options;
    QMap<QString, QString> m_environment;

    Result<LinkOptions> filled(const QByteArray &text)
    {
        SshConfig::Sources sources;
        sources.userFile = m_dir.filePath(u"config"_s);
        sources.ownership = SshConfig::Sources::Ownership::AsGiven;
        sources.home = m_dir.path();
        sources.localUser = u"me"_s;
        QFile file(sources.userFile);
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
            return failure(ErrorKind::Io, Layer::LocalDisk);
        file.close();
        const Result<SshHostQuery> query = hostQueryFor(m_options);
        if (!query)
            return std::unexpected(query.error());
        return withHostConfig(m_options, SshConfig(sources).resolve(*query), m_environment);
    }

private slots:
    void init()
    {
        m_options = {};
        m_options.endpoint.alias = u"box"_s;
        m_environment.clear();
    }

    void theConfigurationFillsInWhatIsNotSaid()
    {
        const auto options = filled("Host box\n HostName box.example\n User deploy\n Port 2200\n IdentityFile ~/k\n CertificateFile ~/c\n"
                                    " IdentitiesOnly yes\n IdentityAgent /a/sock\n HostKeyAlias alias\n StrictHostKeyChecking yes\n"
                                    " ServerAliveInterval 7\n ServerAliveCountMax 2\n ConnectTimeout 4\n AddressFamily inet6\n"
                                    " BindAddress ::1\n Compression yes\n PreferredAuthentications publickey,password\n"
                                    " KbdInteractiveAuthentication no\n RemoteCommand top\n RequestTTY force\n ForwardAgent yes\n"
                                    " UserKnownHostsFile ~/kh\n LocalForward 1234 a:1\n");
        QVERIFY(options);
        QCOMPARE(options->endpoint.host, u"box.example"_s);
        QCOMPARE(options->endpoint.user, u"deploy"_s);
        QCOMPARE(options->endpoint.port, 2200);
        QCOMPARE(options->displayName, u"box"_s);
        QCOMPARE(options->identityFiles, QStringList{m_dir.filePath(u"k"_s)});
        QCOMPARE(options->certificateFiles, QStringList{m_dir.filePath(u"c"_s)});
        QVERIFY(options->identitiesOnly && !options->useDefaultKeys && options->useAgent && options->compression);
        QCOMPARE(options->agentSocket, u"/a/sock"_s);
        QCOMPARE(options->hostKeyAlias, u"alias"_s);
        QCOMPARE(options->hostChecking, SshHostChecking::Strict);
        QCOMPARE(options->keepAlive, 7s);
        QCOMPARE(options->keepAliveCount, 2);
        QCOMPARE(options->connectTimeout, 4s);
        const auto *tcp = std::get_if<TcpTransport>(&options->transport);
        QVERIFY(tcp && tcp->family == SshAddressFamily::Inet6 && tcp->bindAddress == u"::1"_s);
        QCOMPARE(options->preferredAuthentications, (QStringList{u"publickey"_s, u"password"_s}));
        QVERIFY(options->allowsPublicKey && options->allowsPassword && !options->allowsInteractive);
        QCOMPARE(options->remoteCommand, u"top"_s);
        QCOMPARE(options->requestTty, SshTtyWish::Force);
        QCOMPARE(options->agentForward, SshAgentForward::Yes);
        QCOMPARE(options->forwards.size(), 1);
        QCOMPARE(options->knownHostsFiles.value(0), m_dir.filePath(u"kh"_s));
        QVERIFY(options->knownHostsFiles.contains(u"/etc/ssh/ssh_known_hosts"_s));
    }

    void whatIsSaidStays()
    {
        m_options.endpoint.user = u"root"_s;
        m_options.endpoint.port = 2022;
        m_options.endpoint.host = u"10.0.0.1"_s;
        m_options.displayName = u"Mine"_s;
        m_options.knownHostsFiles = {u"/k"_s};
        m_options.transport = ProcessTransport{{u"true"_s}, {}};
        const auto options = filled("Host box\n HostName other\n User deploy\n Port 2200\n UserKnownHostsFile /x\n ProxyCommand nc\n");
        QVERIFY(options);
        QCOMPARE(options->endpoint.user, u"root"_s);
        QCOMPARE(options->endpoint.port, 2022);
        QCOMPARE(options->endpoint.host, u"10.0.0.1"_s);
        QCOMPARE(options->displayName, u"Mine"_s);
        QCOMPARE(options->knownHostsFiles, QStringList{u"/k"_s});
        QVERIFY(std::holds_alternative<ProcessTransport>(options->transport));
    }

    void port22CountsWhereItIsSaid()
    {
        QCOMPARE(filled("Host box\n Port 2200\n")->endpoint.port, 2200);
        m_options.portIsSaid = true;
        QCOMPARE(filled("Host box\n Port 2200\n")->endpoint.port, 22);
    }

    void noKnownHostsFileMeansThatNothingIsKept()
    {
        const auto options = filled("UserKnownHostsFile none\nGlobalKnownHostsFile none\n");
        QVERIFY(options);
        QCOMPARE(options->knownHostsFiles, QStringList{u"/dev/null"_s});
    }

    void algorithmsAreChangesToOurOwnLists_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("expected");
        const QByteArray usual = usualAlgorithms(AlgorithmList::HostKeys);
        QTest::newRow("added") << QByteArray("+ssh-rsa") << usual + ",ssh-rsa";
        QTest::newRow("taken away") << QByteArray("-ecdsa-*,rsa-sha2-*") << QByteArray("ssh-ed25519");
        QTest::newRow("in front") << QByteArray("^rsa-sha2-512") << "rsa-sha2-512," + QByteArray(usual).replace(",rsa-sha2-512", "");
        QTest::newRow("only these, the unknown dropped") << QByteArray("ssh-dss,ssh-rsa,ssh-ed25519-cert-v01@openssh.com") << QByteArray("ssh-rsa");
    }

    void algorithmsAreChangesToOurOwnLists()
    {
        QFETCH(QByteArray, line);
        const auto options = filled("HostKeyAlgorithms " + line + "\n");
        QVERIFY(options);
        QTEST(options->hostKeyAlgorithms, "expected");
    }

    void aListOfWhichNothingIsLeftIsNamedWithItsPlace_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("ciphers") << QByteArray("Ciphers blowfish-cbc");
        QTest::newRow("key exchange") << QByteArray("KexAlgorithms sntrup761x25519-sha512");
        QTest::newRow("macs") << QByteArray("MACs hmac-md5");
        QTest::newRow("host keys") << QByteArray("HostKeyAlgorithms ssh-dss");
    }

    void aListOfWhichNothingIsLeftIsNamedWithItsPlace()
    {
        QFETCH(QByteArray, line);
        const auto options = filled("Host box\n" + line + "\n");
        QVERIFY(!options);
        QCOMPARE(options.error().kind, ErrorKind::Unsupported);
        QVERIFY2(options.error().detail.contains(u"config:2: "_s + QString::fromLatin1(line.split(' ').constFirst())), qPrintable(options.error().detail));
    }

    void whatSshRefusesIsRefusedWithItsPlace_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("place");
        QTest::newRow("port") << QByteArray("Host *\n Port 70000\n") << u"config:2: "_s;
        QTest::newRow("host name") << QByteArray("HostName -oProxyCommand=x\n") << u"config:1: "_s;
        QTest::newRow("token") << QByteArray("\nProxyCommand nc %Z\n") << u"config:2: "_s;
    }

    void whatSshRefusesIsRefusedWithItsPlace()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, place);
        const auto options = filled(text);
        QVERIFY(!options);
        QCOMPARE(options.error().kind, ErrorKind::InvalidInput);
        QVERIFY2(options.error().detail.contains(place), qPrintable(options.error().detail));
    }

    void aJumpComesBeforeAProxyCommandBehindIt()
    {
        const auto options = filled("ProxyJump a,b@c:99\nProxyCommand nc %h %p\n");
        QVERIFY(options);
        const auto *jump = std::get_if<JumpTransport>(&options->transport);
        QVERIFY(jump);
        QCOMPARE(jump->hops, (QList<SshJumpHop>{{{}, u"a"_s, 0}, {u"b"_s, u"c"_s, 99}}));
    }

    void aProxyCommandIsFilledIn()
    {
        const auto options = filled("HostName h\nPort 5\nUser u\nProxyCommand nc %h %p %r %n\n");
        QVERIFY(options);
        QCOMPARE(std::get<CommandTransport>(options->transport).command, u"nc h 5 u box"_s);
        const auto none = filled("ProxyCommand none\n");
        QVERIFY(none && std::holds_alternative<TcpTransport>(none->transport));
    }

    void aDescriptorFromAProxyCommandIsNotSupported()
    {
        const auto options = filled("ProxyCommand nc\nProxyUseFdpass yes\n");
        QVERIFY(!options);
        QCOMPARE(options.error().kind, ErrorKind::Unsupported);
        QVERIFY(options.error().detail.contains("config:2: ProxyUseFdpass"_L1));
        QVERIFY(filled("ProxyCommand nc\nProxyUseFdpass no\n"));
    }

    void namesThatAShellWouldActOnNeverGetIntoACommand_data()
    {
        QTest::addColumn<QString>("alias");
        QTest::addColumn<QString>("user");
        const QStringList hosts{u"a;b"_s, u"$(id)"_s, u"`id`"_s, u"a\nb"_s, u"-oX"_s, u"a b"_s, u"a|b"_s, u"a&b"_s, u"a>b"_s, u"a'b"_s, u"a\"b"_s, u"a\\b"_s, QString(QChar(0)) + u"a"_s};
        for (const QString &host : hosts)
            QTest::newRow(qPrintable(u"host "_s + host.toHtmlEscaped())) << host << QString();
        for (const QString &user : {u"a;b"_s, u"$(id)"_s, u"`id`"_s, u"a\nb"_s, u"-l"_s, u"a -l"_s, u"a|b"_s, u"a\\"_s})
            QTest::newRow(qPrintable(u"user "_s + user.toHtmlEscaped())) << u"box"_s << user;
    }

    void namesThatAShellWouldActOnNeverGetIntoACommand()
    {
        QFETCH(QString, alias);
        QFETCH(QString, user);
        m_options.endpoint.alias = alias;
        m_options.endpoint.user = user;
        const auto options = filled("Match exec \"touch %n %r\"\n User x\nHost *\n ProxyCommand nc %n %r\n");
        QVERIFY(!options);
        QCOMPARE(options.error().kind, ErrorKind::InvalidInput);
        QVERIFY(!hostQueryFor(m_options));
    }

    void aUserOfTheFileThatAShellWouldActOnIsRefusedToo()
    {
        const auto options = filled("User \"a;touch x\"\nProxyCommand nc %h %r\n");
        QVERIFY(!options);
        QCOMPARE(options.error().kind, ErrorKind::InvalidInput);
    }

    void theEnvironmentIsChosenByPatternsAndSetOnTop()
    {
        m_environment = {{u"LANG"_s, u"C"_s}, {u"LC_ALL"_s, u"x"_s}, {u"SECRET"_s, u"s"_s}};
        const auto options = filled("SendEnv LANG LC_*\nSetEnv LANG=de A=b\n");
        QVERIFY(options);
        QCOMPARE(options->environment, (QList<std::pair<QString, QString>>{{u"A"_s, u"b"_s}, {u"LANG"_s, u"de"_s}, {u"LC_ALL"_s, u"x"_s}}));
    }

    void noAgentMeansNone()
    {
        QVERIFY(!filled("IdentityAgent none\n")->useAgent);
        QVERIFY(filled("IdentityAgent SSH_AUTH_SOCK\n")->agentSocket.isEmpty());
    }

    void aKeepAliveOfNothingIsOff()
    {
        QCOMPARE(filled("ServerAliveInterval 0\n")->keepAlive, 0s);
        QCOMPARE(filled("ServerAliveInterval 5\nServerAliveCountMax 0\n")->keepAliveCount, 1);
    }

    void knownTypesOfHostKeyComeFirst()
    {
        QCOMPARE(withTypesFirst("ssh-ed25519,rsa-sha2-512,rsa-sha2-256", {"ssh-rsa"}), QByteArray("rsa-sha2-512,rsa-sha2-256,ssh-ed25519"));
        QCOMPARE(withTypesFirst("ssh-ed25519,ssh-rsa", {}), QByteArray("ssh-ed25519,ssh-rsa"));
    }

    void theEnvironmentNamesTheProxy_data()
    {
        QTest::addColumn<QByteArrayList>("environment");
        QTest::addColumn<ProxySetting::Kind>("kind");
        QTest::addColumn<QString>("host");
        QTest::addColumn<int>("port");
        using Kind = ProxySetting::Kind;
        QTest::newRow("none") << QByteArrayList{} << Kind::None << QString() << 0;
        QTest::newRow("of the web only") << QByteArrayList{"https_proxy=http://p:1"} << Kind::None << QString() << 0;
        QTest::newRow("socks") << QByteArrayList{"all_proxy=socks5h://p"} << Kind::Socks5 << u"p"_s << 1080;
        QTest::newRow("http") << QByteArrayList{"ALL_PROXY=p:3128"} << Kind::HttpConnect << u"p"_s << 3128;
        QTest::newRow("exempt") << QByteArrayList{"all_proxy=p:1", "no_proxy=x,example"} << Kind::None << QString() << 0;
        QTest::newRow("another kind fails instead of being left out") << QByteArrayList{"all_proxy=socks4://p:1"} << Kind::HttpConnect << QString() << 1;
    }

    void theEnvironmentNamesTheProxy()
    {
        QFETCH(QByteArrayList, environment);
        const ProxySetting proxy = sshProxyFrom(environment, u"box.example"_s, 22);
        QTEST(proxy.kind, "kind");
        QTEST(proxy.host, "host");
        QTEST(int(proxy.port), "port");
        QCOMPARE(sshProxyFrom(environment, u"127.0.0.1"_s, 22).kind, ProxySetting::Kind::None);
    }
};

QTEST_GUILESS_MAIN(TestSshHostOptions)
#include "tst_sshhostoptions.moc"

// What servers are found to be able to do, on real ones that are told to refuse this and that.
#include "session/accounts.h"
#include "session/featurestore.h"
#include "session/provider.h"
#include "session/providers/factory.h"
#include "session/serverfeatures.h"
#include "session/sshlink.h"

#include "tests/support/recordingprompts.h"
#include "tests/support/scriptedsshd.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"

#include <QTest>

#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = FeatureAnswer::Kind;

namespace {

constexpr int kPatience = 60'000;

class Asker : public FeatureAsker
{
public:
    std::optional<std::chrono::milliseconds> wantsAfter(const SandboxId &sandbox, const QString &serverVersion) override
    {
        asked.append(sandbox);
        versions.append(serverVersion);
        return std::chrono::milliseconds(0);
    }
    void told(const SandboxId &, const Result<ServerFeatures> &features) override { answers.append(features); }
    QList<SandboxId> asked;
    QStringList versions;
    QList<Result<ServerFeatures>> answers;
};

// Connects, asks, and waits for the answer or the end.
struct Asked
{
    explicit Asked(LinkOptions options)
    {
        options.features = &asker;
        link = std::make_unique<SshLink>(options, &prompts);
        QObject::connect(link.get(), &SshLink::closed, link.get(), [this](const Error &error) { ends.append(error); });
        link->connectToHost();
        if (!QTest::qWaitFor([this] { return !asker.answers.isEmpty() || !ends.isEmpty(); }, kPatience))
            qWarning("the server is asked without end");
    }
    [[nodiscard]] bool isAnswered() const { return asker.answers.size() == 1 && asker.answers.constFirst(); }
    [[nodiscard]] ServerFeatures features() const { return isAnswered() ? *asker.answers.constFirst() : ServerFeatures(); }
    [[nodiscard]] QByteArray why() const { return ends.isEmpty() ? "no answer"_ba : describe(ends.constFirst()).toUtf8(); }

    Asker asker;
    RecordingPrompts prompts;
    std::unique_ptr<SshLink> link;
    QList<Error> ends;
};

// "exec=yes (words)", a line for each.
QByteArray told(const ServerFeatures &features)
{
    QByteArray lines;
    for (int i = 0; i < kServerFeatures; ++i) {
        const FeatureAnswer &answer = features.answers[size_t(i)];
        lines += keyOf(ServerFeature(i)).toLatin1() + (answer.kind == Kind::Yes ? "=yes" : answer.kind == Kind::No ? "=no" : "=unknown");
        lines += answer.words.isEmpty() ? "\n"_ba : " (" + answer.words.toUtf8() + ")\n";
    }
    return lines;
}

// What a process and all that descend from it listen at. Others on this computer come and go.
QStringList listenersOf(qint64 process)
{
    QList<qint64> family{process};
    const QStringList numbers = QDir(u"/proc"_s).entryList({u"[0-9]*"_s}, QDir::Dirs);
    for (qsizetype i = 0; i < family.size(); ++i) {
        for (const QString &number : numbers) {
            QFile status(u"/proc/%1/status"_s.arg(number));
            if (status.open(QIODevice::ReadOnly) && status.readAll().contains("\nPPid:\t" + QByteArray::number(family.at(i)) + '\n'))
                family.append(number.toLongLong());
        }
    }
    QSet<QByteArray> sockets; // their inodes
    for (const qint64 member : std::as_const(family)) {
        const QDir open(u"/proc/%1/fd"_s.arg(member));
        for (const QString &descriptor : open.entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot)) {
            char target[64] = {};
            if (::readlink(QFile::encodeName(open.filePath(descriptor)).constData(), target, sizeof target - 1) > 0 && QByteArrayView(target).startsWith("socket:["))
                sockets.insert(QByteArray(target).sliced(8).chopped(1));
        }
    }
    QStringList found;
    QFile table(u"/proc/net/tcp"_s);
    if (!table.open(QIODevice::ReadOnly))
        return found;
    for (const QByteArray &line : table.readAll().split('\n')) {
        const QByteArrayList fields = line.simplified().split(' ');
        if (fields.size() > 9 && fields[3] == "0A" && sockets.contains(fields[9]))
            found.append(QString::fromLatin1(fields[1]));
    }
    found.sort();
    return found;
}

} // namespace

class TestSshFeatures : public QObject
{
    Q_OBJECT
private slots:
    void whatAServerAllowsAndForbidsIsFound_data()
    {
        QTest::addColumn<TestSshd::Kind>("kind");
        QTest::addColumn<QStringList>("config");
        QTest::addColumn<QByteArrayList>("differs"); // from yes to everything
        const auto openSsh = [](const char *name, const QStringList &config, const QByteArrayList &differs) {
            QTest::newRow(name) << TestSshd::Kind::OpenSsh << config << differs;
        };
        openSsh("openssh", {}, {});
        openSsh("no tcp forwarding", {u"AllowTcpForwarding no"_s}, {"local_forward=no", "unix_forward=no", "remote_forward=no"});
        openSsh("no listeners", {u"AllowTcpForwarding local"_s}, {"remote_forward=no"});
        openSsh("no sockets", {u"AllowStreamLocalForwarding no"_s}, {"unix_forward=no"});
        openSsh("no agent", {u"AllowAgentForwarding no"_s}, {"unix_forward=unknown", "agent_forward=no"});
        openSsh("no terminals", {u"PermitTTY no"_s}, {"terminal=no"});
        openSsh("sftp only", {u"ForceCommand internal-sftp"_s}, {"exec=no", "unix_forward=unknown", "agent_forward=unknown"});
        openSsh("one command", {u"ForceCommand echo you may not"_s}, {"exec=no", "sftp=no", "unix_forward=unknown", "agent_forward=unknown"});
        openSsh("sftp that fails", {u"Subsystem sftp /bin/false"_s}, {"sftp=no"});
        openSsh("sftp that talks", {u"Subsystem sftp /bin/echo Welcome to this server"_s}, {"sftp=no"});
        openSsh("no sessions", {u"MaxSessions 0"_s}, {"terminal=no", "exec=no", "sftp=no", "unix_forward=unknown", "agent_forward=unknown"});
        QTest::newRow("dropbear") << TestSshd::Kind::Dropbear << QStringList() << QByteArrayList{"unix_forward=unknown", "remote_forward=unknown"};
        QTest::newRow("dropbear without forwards") << TestSshd::Kind::Dropbear << QStringList{u"-j"_s, u"-k"_s}
                                                   << QByteArrayList{"local_forward=no", "unix_forward=unknown", "remote_forward=unknown"};
    }
    void whatAServerAllowsAndForbidsIsFound()
    {
        QFETCH(TestSshd::Kind, kind);
        QFETCH(QStringList, config);
        QFETCH(QByteArrayList, differs);
        TestSshd server(kind, config);
        SANDPIPER_NEED_SSHD(server);
        const Asked asked(server.options());
        QVERIFY2(asked.isAnswered(), asked.why().constData());
        const ServerFeatures features = asked.features();
        for (int i = 0; i < kServerFeatures; ++i) {
            const QByteArray key = keyOf(ServerFeature(i)).toLatin1();
            QByteArray expected = key + "=yes";
            for (const QByteArray &other : std::as_const(differs)) {
                if (other.startsWith(key + '='))
                    expected = other;
            }
            QVERIFY2(told(features).contains(expected), (expected + " is expected of\n" + told(features)).constData());
        }
        QCOMPARE(features.serverVersion, asked.link->serverVersion());
        QVERIFY(features.askedAt.isValid());
        QCOMPARE(asked.link->state(), LinkState::Ready);
    }

    void sftpNamesItsExtensions()
    {
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        const ServerFeatures features = Asked(server.options()).features();
        QCOMPARE(features.sftpVersion, 3u);
        QVERIFY2(features.sftpExtensions.contains(u"posix-rename@openssh.com"_s), qPrintable(features.sftpExtensions.join(u' ')));
    }

    // It may still be tidying the last one away.
    void aServerThatGivesOneSessionAtATimeIsNotWronged()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, {u"MaxSessions 1"_s});
        SANDPIPER_NEED_SSHD(server);
        const Asked asked(server.options());
        QVERIFY2(asked.isAnswered(), asked.why().constData());
        QVERIFY2(!told(asked.features()).contains("=no"), told(asked.features()).constData());
        QVERIFY2(told(asked.features()).contains("exec=yes"), told(asked.features()).constData());
    }

    void aRefusalKeepsTheServersWords()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, {u"AllowTcpForwarding no"_s, u"ForceCommand echo you may not >&2"_s});
        SANDPIPER_NEED_SSHD(server);
        const ServerFeatures features = Asked(server.options()).features();
        QCOMPARE(features.of(ServerFeature::Exec).words, u"you may not"_s);
        QVERIFY2(!features.of(ServerFeature::LocalForward).words.isEmpty(), told(features).constData());
    }

    void aLoudStartFileHidesNothing()
    {
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        QFile startFile(server.folder() + u"/home/.bashrc"_s);
        QVERIFY(startFile.open(QIODevice::WriteOnly) && startFile.write("seq 1 2000; echo noise >&2\n") > 0);
        startFile.close();
        const ServerFeatures features = Asked(server.options()).features();
        QVERIFY2(told(features).contains("exec=yes\n"), told(features).constData());
    }

    void nothingIsLeftBehind_data()
    {
        QTest::addColumn<TestSshd::Kind>("kind");
        QTest::newRow("openssh") << TestSshd::Kind::OpenSsh;
        QTest::newRow("dropbear") << TestSshd::Kind::Dropbear;
    }
    void nothingIsLeftBehind()
    {
        QFETCH(TestSshd::Kind, kind);
        TestSshd server(kind);
        SANDPIPER_NEED_SSHD(server);
        const QStringList before = listenersOf(server.processId());
        QCOMPARE(before.size(), 1); // where it is reached
        const Asked asked(server.options());
        QVERIFY2(asked.isAnswered(), asked.why().constData());
        // The agent's socket goes with its session, which the server ends in its own time.
        const auto isTidy = [&] { return listenersOf(server.processId()) == before; };
        QVERIFY2(waitUntil(isTidy, kPatience), qPrintable(listenersOf(server.processId()).join(u' ')));
    }

    // Stops the server's process for this connection as soon as a command is to run.
    void aServerThatFallsSilentIsNotAskedForLong()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, {u"ForceCommand kill -STOP $PPID"_s});
        SANDPIPER_NEED_SSHD(server);
        LinkOptions options = server.options();
        options.keepAlive = std::chrono::seconds(0);
        options.featurePatience = std::chrono::milliseconds(700);
        const Asked asked(options);
        QVERIFY2(asked.isAnswered(), asked.why().constData());
        const ServerFeatures features = asked.features();
        for (const ServerFeature one : {ServerFeature::Exec, ServerFeature::Sftp, ServerFeature::LocalForward, ServerFeature::RemoteForward}) {
            QVERIFY2(features.of(one).kind == Kind::Unknown, told(features).constData());
            QVERIFY2(!features.of(one).words.isEmpty(), told(features).constData());
        }
        QVERIFY2(features.of(ServerFeature::RemoteForward).words.contains(u"not asked"), told(features).constData());
    }

    void aKeepAliveUnderWayIsNotTakenForAnAnswer()
    {
        // OpenSSH answers keep-alives with a failure: taken for ours, it would be a "no".
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        Asker asker;
        RecordingPrompts prompts;
        LinkOptions options = server.options();
        options.features = &asker;
        SshLink link(options, &prompts);
        connect(&link, &SshLink::stateChanged, &link, [&](LinkState state) {
            if (state == LinkState::Ready)
                link.probe();
        });
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(asker.answers.size(), 1, kPatience);
        QVERIFY(asker.answers.constFirst());
        QVERIFY2(told(*asker.answers.constFirst()).contains("remote_forward=yes\n"), told(*asker.answers.constFirst()).constData());
    }

    void aLinkThatEndsMeanwhileSaysSoOnce()
    {
        TestSshd server(TestSshd::Kind::OpenSsh, {u"ForceCommand kill -KILL $PPID"_s});
        SANDPIPER_NEED_SSHD(server);
        const Asked asked(server.options());
        QTRY_COMPARE_WITH_TIMEOUT(asked.ends.size(), 1, kPatience);
        QCOMPARE(asked.asker.answers.size(), 1);
        QVERIFY(!asked.asker.answers.constFirst());
    }

    void aTabsServerIsAskedOnceBesideItsShell()
    {
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        FeatureStore store(server.folder() + u"/features.json"_s, std::chrono::milliseconds(0));
        RecordingPrompts prompts;
        LinkOptions options = server.options();
        options.sandbox = {u"vendor"_s, u"account"_s, u"box"_s};
        options.features = &store;
        ShellSpec spec;
        spec.command = u"/bin/cat"_s;
        const std::unique_ptr<Shell> shell = makeSshShell(options, spec, &prompts);
        QByteArray output;
        connect(shell.get(), &Shell::outputReceived, this, [&](const QByteArray &bytes) {
            output += bytes;
            shell->consumed(bytes.size());
        });
        shell->open({});
        QTRY_VERIFY_WITH_TIMEOUT(store.of(options.sandbox), kPatience);
        const ServerFeatures features = *store.of(options.sandbox);
        QVERIFY2(features.of(ServerFeature::Exec).kind == Kind::Yes, told(features).constData());
        QVERIFY2(features.of(ServerFeature::Sftp).kind == Kind::Yes, told(features).constData());
        QCOMPARE(shell->state(), ShellState::Open);
        shell->write("still here\n");
        QTRY_VERIFY_WITH_TIMEOUT(output.contains("still here"), kPatience);
        QVERIFY(!store.wantsAfter(options.sandbox, features.serverVersion));
    }

    void aServerThatRefusesEverythingCanDoNothing()
    {
        ScriptedSshd::Script script;
        script.password = "secret";
        ScriptedSshd server(script);
        QVERIFY(server.isRunning());
        LinkOptions options;
        options.endpoint.host = u"127.0.0.1"_s;
        options.endpoint.port = server.port();
        options.endpoint.user = u"somebody"_s;
        options.endpoint.hostKey = server.hostKey();
        options.useAgent = options.useDefaultKeys = false;
        options.featurePatience = std::chrono::milliseconds(2000);
        Asker asker;
        options.features = &asker;
        RecordingPrompts prompts;
        prompts.replies = {{PromptAnswer::Kind::Accepted, {"secret"}}};
        SshLink link(options, &prompts);
        link.connectToHost();
        QTRY_COMPARE_WITH_TIMEOUT(asker.answers.size(), 1, kPatience);
        QVERIFY(asker.answers.constFirst());
        QVERIFY2(!told(*asker.answers.constFirst()).contains("=yes"), told(*asker.answers.constFirst()).constData());
    }

    void theGatewayCanDoWhatItsProviderPromises()
    {
        TestGateway gateway;
        const QString problem = gateway.start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(gateway);
        Account account;
        account.id = account.name = u"test"_s;
        account.vendor = u"tensorlake"_s;
        account.apiUrl = gateway.apiUrl();
        const auto provider = makeProvider(account, std::make_shared<Secret>(gateway.apiKey()));
        QVERIFY(provider);
        CreateRequest request;
        request.name = u"features"_s;
        const auto made = provider->create(request);
        QVERIFY(QTest::qWaitFor([&] { return made.isFinished(); }, kPatience) && made.result());
        const QString id = made.result()->id.id;
        Sandbox sandbox;
        const bool runs = waitUntil([&] {
            const auto found = provider->find(id);
            if (!waitUntil([&] { return found.isFinished(); }, kPatience) || !found.result())
                return false;
            sandbox = *found.result();
            return sandbox.state == SandboxState::Running;
        }, kPatience);
        QVERIFY(runs);
        LinkOptions options = linkOptionsFor(sandbox);
        options.endpoint.host = gateway.sshHost();
        options.endpoint.port = gateway.sshPort();
        options.endpoint.user = id;
        options.endpoint.hostKey = gateway.hostKey();
        options.endpoint.identityFiles = {gateway.clientKey()};
        options.useAgent = options.useDefaultKeys = false;
        // Whatever its own work on a channel comes upon must not wait for the next packet.
        for (int i = 0; i < 8; ++i) {
            const Asked again(options);
            QVERIFY2(again.isAnswered(), again.why().constData());
            QVERIFY2(!told(again.features()).contains("in time"), told(again.features()).constData());
        }
        const Asked asked(options);
        QVERIFY2(asked.isAnswered(), asked.why().constData());
        QCOMPARE(asked.asker.asked, QList<SandboxId>{sandbox.id});
        const ServerFeatures features = asked.features();
        for (const auto &[feature, capability] : {std::pair{ServerFeature::Terminal, Capability::SshShell}, std::pair{ServerFeature::Sftp, Capability::Sftp},
                                                  std::pair{ServerFeature::RemoteForward, Capability::RemoteForward}}) {
            if (sandbox.capabilities.has(capability))
                QVERIFY2(features.of(feature).kind == Kind::Yes, told(features).constData());
        }
        QVERIFY2(features.of(ServerFeature::Exec).kind == Kind::Yes, told(features).constData());
        // libssh, which it is made with, cannot say why it opens no channel: no wrong "no" may come of that.
        QVERIFY2(features.of(ServerFeature::LocalForward).kind != Kind::No, told(features).constData());
    }
};

QTEST_GUILESS_MAIN(TestSshFeatures)
#include "tst_sshfeatures.moc"

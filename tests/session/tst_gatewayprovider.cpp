// The provider against the real gateway of This computer, with real sandboxes.
#include "session/gatewayprovider.h"
#include "session/providers/factory.h"
#include "tests/support/gatewayclient.h"
#include "tests/support/testgateway.h"
#include "tests/support/waited.h"
#include "tests/support/waituntil.h"

#include <QDeadlineTimer>
#include <QFile>
#include <QJsonArray>
#include <QProcess>
#include <QSignalSpy>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 60'000;

// For conditions that ask and wait for the answer themselves.
template <typename Condition>
bool eventually(Condition condition)
{
    const QDeadlineTimer deadline(patience);
    while (!condition()) {
        if (deadline.hasExpired())
            return false;
        QTest::qWait(50);
    }
    return true;
}

// A command and everything that it has said.
struct Run
{
    Run(SandboxProvider *provider, const Sandbox &box, const QStringList &argv)
        : command(provider->makeCommand(box, {argv, {}, {}}))
    {
        QObject::connect(command.get(), &RemoteCommand::outputReceived, command.get(), [this](const QByteArray &bytes) {
            output += bytes;
            command->consumed(bytes.size());
        });
        QObject::connect(command.get(), &RemoteCommand::errorOutputReceived, command.get(), [this](const QByteArray &bytes) {
            errors += bytes;
            command->consumed(bytes.size());
        });
        QObject::connect(command.get(), &RemoteCommand::started, command.get(), [this] { hasStarted = true; });
        QObject::connect(command.get(), &RemoteCommand::ended, command.get(), [this](const ShellEnd &how) { end = how; });
        command->start();
    }
    [[nodiscard]] bool ends() const { return waitUntil([this] { return end.has_value(); }, patience); }

    std::unique_ptr<RemoteCommand> command;
    QByteArray output, errors;
    bool hasStarted = false;
    std::optional<ShellEnd> end;
};

} // namespace

class TestGatewayProvider : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_gateway = std::make_unique<TestGateway>();
        const QString problem = m_gateway->start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        SANDPIPER_NEED_SANDBOXES(*m_gateway);
        m_provider = makeGatewayProvider(address());
        CreateRequest wish;
        wish.name = u"first-box"_s;
        const auto made = waited(m_provider->create(wish));
        QVERIFY2(made, qPrintable(made ? QString() : describe(made.error())));
        QCOMPARE(made->name, u"first-box"_s);
        m_id = made->id;
        QVERIFY(reaches(SandboxState::Running));
    }
    void cleanupTestCase()
    {
        m_provider.reset();
        m_gateway.reset();
    }

    void itIsListedAndFound()
    {
        const auto list = waited(m_provider->list(SandboxProvider::ListScope::Live));
        QVERIFY(list);
        QCOMPARE(list->size(), 1);
        const Sandbox box = list->first();
        QCOMPARE(box.id, m_id);
        QCOMPARE(box.name, u"first-box"_s);
        QVERIFY(box.createdAt.isValid());
        QVERIFY(box.capabilities.has(Capability::PtyShell) && box.capabilities.has(Capability::SshShell));
        QVERIFY(box.ssh);
        QCOMPARE(box.ssh->user, m_id.id);
        QCOMPARE(box.ssh->port, m_gateway->sshPort());
        QCOMPARE(box.ssh->identityFiles, QStringList{m_gateway->clientKey()});
        QCOMPARE(waited(m_provider->find(u"first-box"_s))->id, m_id);
        QCOMPARE(waited(m_provider->find(m_id.id))->name, u"first-box"_s);
        QCOMPARE(waited(m_provider->find(u"nobody"_s)).error().kind, ErrorKind::NotFound);
    }

    void aTakenNameIsSaidToBeTaken()
    {
        CreateRequest wish;
        wish.name = u"first-box"_s;
        const auto again = waited(m_provider->create(wish));
        QVERIFY(!again);
        QVERIFY2(again.error().kind == ErrorKind::Conflict || again.error().kind == ErrorKind::InvalidInput, qPrintable(describe(again.error())));
        QCOMPARE(waited(m_provider->list(SandboxProvider::ListScope::Live))->size(), 1);
    }

    void itIsRenamed()
    {
        QCOMPARE(waited(m_provider->rename(m_id, u"other-name"_s))->name, u"other-name"_s);
        QCOMPARE(waited(m_provider->find(u"other-name"_s))->id, m_id);
        QVERIFY(waited(m_provider->rename(m_id, u"first-box"_s)));
    }

    void publicPortsAreClosedAsTheVendorsOwnAre()
    {
        // For a client of that vendor, which does not know that it is only this computer.
        Account account;
        account.id = account.name = u"cloud"_s;
        account.vendor = u"tensorlake"_s;
        account.apiUrl = m_gateway->apiUrl();
        const auto cloud = makeProvider(account, std::make_shared<Secret>(m_gateway->apiKey()));
        const GatewayClient client(quint16(m_gateway->apiUrl().port()), m_gateway->apiKey());
        const HttpAnswer opened = client.ask("PATCH", "/v1/namespaces/default/sandboxes/" + m_id.id.toLatin1(),
                                             QJsonObject{{u"exposed_ports"_s, QJsonArray{8080, 9000}}, {u"allow_unauthenticated_access"_s, true}});
        QCOMPARE(opened.status, 200);
        QCOMPARE(waited(cloud->find(m_id.id))->publicPorts, (QList<quint16>{8080, 9000}));
        const auto closed = waited(cloud->closePublicPorts(m_id, {9000}));
        QVERIFY2(closed, closed ? "" : qPrintable(describe(closed.error())));
        QCOMPARE(closed->publicPorts, QList<quint16>{8080});
        QCOMPARE(waited(cloud->closePublicPorts(m_id, {8080}))->publicPorts, QList<quint16>());
        QCOMPARE(waited(cloud->find(m_id.id))->publicPorts, QList<quint16>());
        // Here nobody is led there.
        QVERIFY(waited(m_provider->find(m_id.id))->publicPorts.isEmpty());
    }

    void ptySessionsAreMadeSizedAndEnded()
    {
        const Sandbox box = here();
        const auto handle = waited(m_provider->createPty(box, {}, {100, 30}));
        QVERIFY2(handle, qPrintable(handle ? QString() : describe(handle.error())));
        QVERIFY(!handle->token->isEmpty());
        const auto session = waited(m_provider->ptySession(box, handle->sessionId));
        QVERIFY(session);
        QCOMPARE(session->size, (TerminalSize{100, 30}));
        QVERIFY(session->isAlive);
        QVERIFY(waited(m_provider->resizePty(box, handle->sessionId, {70, 20})));
        QCOMPARE(waited(m_provider->ptySession(box, handle->sessionId))->size, (TerminalSize{70, 20}));
        const auto all = waited(m_provider->ptySessions(box));
        QVERIFY(std::any_of(all->cbegin(), all->cend(), [&](const PtySession &one) { return one.id == handle->sessionId; }));
        QVERIFY(waited(m_provider->killPty(box, handle->sessionId)));
        QVERIFY(eventually([&] {
            const auto now = waited(m_provider->ptySession(box, handle->sessionId));
            return !now || !now->isAlive;
        }));
        QCOMPARE(waited(m_provider->killPty(box, u"nobody"_s)).error().kind, ErrorKind::NotFound);
    }

    void aPtyShellWorksAndTellsItsSession()
    {
        QSignalSpy known(m_provider.get(), &SandboxProvider::ptySessionKnown);
        const auto shell = m_provider->makePtyShell(here(), {}, std::nullopt);
        QByteArray output;
        std::optional<ShellEnd> end;
        connect(shell.get(), &Shell::outputReceived, shell.get(), [&](const QByteArray &bytes) {
            output += bytes;
            shell->consumed(bytes.size());
        });
        connect(shell.get(), &Shell::ended, shell.get(), [&](const ShellEnd &how) { end = how; });
        shell->open({100, 30});
        QVERIFY(waitUntil([&] { return shell->state() == ShellState::Open; }, patience));
        QCOMPARE(known.size(), 1);
        shell->write("echo $((6*7)) $(stty size); exit 5\n");
        QVERIFY(waitUntil([&] { return end.has_value(); }, patience));
        QVERIFY2(output.contains("42 30 100"), output.constData());
        QCOMPARE(end->kind, ShellEnd::Kind::Exited);
        QCOMPARE(end->exitCode, 5);
    }

    void commandsHaveInputOutputAndAnEnd()
    {
        const Sandbox box = here();
        Run run(m_provider.get(), box, {u"sh"_s, u"-c"_s, u"cat; echo oops >&2; exit 3"_s});
        QByteArray text;
        for (int i = 0; i < 5000; ++i)
            text += "line " + QByteArray::number(i) + '\n';
        run.command->writeInput(text);
        run.command->closeInput();
        QVERIFY(run.ends());
        QCOMPARE(run.output, text);
        QCOMPARE(run.errors, "oops\n"_ba);
        QCOMPARE(run.end->kind, ShellEnd::Kind::Exited);
        QCOMPARE(run.end->exitCode, 3);
    }

    void commandsTakeSignals()
    {
        Run run(m_provider.get(), here(), {u"sleep"_s, u"600"_s});
        QVERIFY(waitUntil([&] { return run.hasStarted; }, patience));
        run.command->sendSignal(15);
        QVERIFY(run.ends());
        QCOMPARE(run.end->kind, ShellEnd::Kind::Signalled);
        QCOMPARE(run.end->signalName, u"TERM"_s);
    }

    void aCommandThatIsNotThereFails()
    {
        Run run(m_provider.get(), here(), {u"no-such-program"_s});
        QVERIFY(run.ends());
        QVERIFY2(run.end->kind == ShellEnd::Kind::Failed || run.end->exitCode == 127, qPrintable(describe(run.end->error)));
    }

    void suspendAndResume()
    {
        QVERIFY(waited(m_provider->suspend(m_id)));
        QVERIFY(reaches(SandboxState::Suspended));
        QVERIFY(waited(m_provider->resume(m_id)));
        QVERIFY(reaches(SandboxState::Running));
        Run run(m_provider.get(), here(), {u"true"_s});
        QVERIFY(run.ends());
        QCOMPARE(run.end->exitCode, 0);
    }

    void keysComeAndGo()
    {
        QTemporaryDir dir;
        QProcess keygen;
        keygen.start(u"ssh-keygen"_s, {u"-q"_s, u"-t"_s, u"ed25519"_s, u"-N"_s, QString(), u"-C"_s, u"me@laptop"_s, u"-f"_s, dir.filePath(u"k"_s)});
        QVERIFY(keygen.waitForFinished() && keygen.exitCode() == 0);
        QFile file(dir.filePath(u"k.pub"_s));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray line = file.readAll();
        const qsizetype before = waited(m_provider->keys())->size();
        const auto added = waited(m_provider->addKey(u"laptop"_s, line));
        QVERIFY2(added, qPrintable(added ? QString() : describe(added.error())));
        QCOMPARE(added->name, u"laptop"_s);
        QCOMPARE(added->type, u"ssh-ed25519"_s);
        QVERIFY(added->fingerprint.startsWith(u"SHA256:"_s));
        QVERIFY(added->addedAt.isValid());
        QCOMPARE(waited(m_provider->keys())->size(), before + 1);
        QCOMPARE(waited(m_provider->addKey(u"again"_s, line)).error().kind, ErrorKind::Conflict);
        QVERIFY(waited(m_provider->removeKey(added->id)));
        QCOMPARE(waited(m_provider->keys())->size(), before);
    }

    void aWrongKeyIsRefused()
    {
        GatewayAddress wrong = address();
        wrong.apiKey = std::make_shared<Secret>("not the key");
        const auto stranger = makeGatewayProvider(wrong);
        QCOMPARE(waited(stranger->list(SandboxProvider::ListScope::Live)).error().kind, ErrorKind::AuthRejected);
        QCOMPARE(waited(stranger->terminate(m_id)).error().kind, ErrorKind::AuthRejected);
    }

    void aTerminatedSandboxIsHistory()
    {
        QVERIFY(waited(m_provider->terminate(m_id)));
        QVERIFY(eventually([&] {
            const auto live = waited(m_provider->list(SandboxProvider::ListScope::Live));
            return live && live->isEmpty();
        }));
        const auto all = waited(m_provider->list(SandboxProvider::ListScope::WithHistory));
        QVERIFY(all);
        for (const Sandbox &box : *all)
            QCOMPARE(box.state, SandboxState::Terminated);
    }

private:
    [[nodiscard]] GatewayAddress address() const
    {
        GatewayAddress address;
        address.apiUrl = m_gateway->apiUrl();
        address.apiKey = std::make_shared<Secret>(m_gateway->apiKey());
        address.ssh.host = m_gateway->sshHost();
        address.ssh.port = m_gateway->sshPort();
        address.ssh.hostKey = m_gateway->hostKey();
        address.ssh.identityFiles = {m_gateway->clientKey()};
        return address;
    }
    [[nodiscard]] Sandbox here() const { return waited(m_provider->find(m_id.id)).value_or(Sandbox()); }
    [[nodiscard]] bool reaches(SandboxState state) const
    {
        return eventually([&] {
            const auto box = waited(m_provider->find(m_id.id));
            return box && box->state == state;
        });
    }

    std::unique_ptr<TestGateway> m_gateway;
    std::unique_ptr<SandboxProvider> m_provider;
    SandboxId m_id;
};

QTEST_GUILESS_MAIN(TestGatewayProvider)
#include "tst_gatewayprovider.moc"

// Shells on a real gateway: the contract of every shell, and a tab that comes back, end to end.
#include "session/providers/factory.h"
#include "session/ptyshell.h"
#include "session/standingshell.h"
#include "tests/session/shellparity.h"
#include "tests/support/testgateway.h"
#include "tests/support/waituntil.h"

#include <QJsonDocument>
#include <QPointer>
#include <QTest>
#include <QTimer>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = StandingShell::State;

namespace {

constexpr int patience = 60'000;

#define TRY_VERIFY(condition) QVERIFY(waitUntil([&] { return bool(condition); }, patience))
#define TRY_COMPARE(actual, expected) \
    do { \
        (void)waitUntil([&] { return (actual) == (expected); }, patience); \
        QCOMPARE(actual, expected); \
    } while (false)

template <typename T>
T waitFor(const QFuture<T> &future)
{
    if (!waitUntil([&] { return future.isFinished(); }, patience) || future.isCanceled())
        return failure(ErrorKind::Timeout, Layer::Provider, u"no answer"_s);
    return future.result();
}

// A gateway with one sandbox, and an account for it.
class Vendor
{
public:
    Vendor() = default;

    // Empty: ready.
    QString start()
    {
        QString problem = m_gateway.start();
        if (problem.isEmpty())
            problem = m_gateway.unusableBecause();
        if (!problem.isEmpty())
            return problem;
        Account account;
        account.id = u"test"_s;
        account.vendor = u"tensorlake"_s;
        account.name = u"test"_s;
        account.apiUrl = m_gateway.apiUrl();
        m_provider = makeProvider(account, std::make_shared<Secret>(m_gateway.apiKey()));
        if (!m_provider)
            return u"no provider"_s;
        CreateRequest request;
        request.name = u"shells"_s;
        const Result<Sandbox> made = waitFor(m_provider->create(request));
        if (!made)
            return describe(made.error());
        m_sandbox = *made;
        return become(SandboxState::Running);
    }
    // Waits until the sandbox is in that state. Empty: it is.
    QString become(SandboxState state)
    {
        QString last;
        const bool reached = waitUntil([&] {
            const Result<Sandbox> found = waitFor(m_provider->find(m_sandbox.id.id));
            if (!found) {
                last = describe(found.error());
                return false;
            }
            m_sandbox = *found;
            last = m_sandbox.stateText;
            return m_sandbox.state == state;
        }, patience);
        return reached ? QString() : last;
    }
    [[nodiscard]] TestGateway &gateway() { return m_gateway; }
    [[nodiscard]] SandboxProvider *provider() { return m_provider.get(); }
    [[nodiscard]] const Sandbox &sandbox() const { return m_sandbox; }
    [[nodiscard]] quint16 port() const { return quint16(m_sandbox.controlUrl.port()); }

private:
    TestGateway m_gateway;
    std::unique_ptr<SandboxProvider> m_provider;
    Sandbox m_sandbox;
};

// Its sandboxes are reached through a network that can be cut; the life-cycle plane is not.
Sandbox behind(const CuttableProxy &proxy, Sandbox sandbox)
{
    sandbox.controlUrl.setPort(proxy.port());
    return sandbox;
}

class GatewayPeer : public ShellPeer
{
public:
    explicit GatewayPeer(Vendor &vendor)
        : m_vendor(vendor)
        , m_proxy(vendor.port())
    {
    }
    std::unique_ptr<Shell> makeShell(const ShellSpec &spec) override
    {
        return m_vendor.provider()->makePtyShell(behind(m_proxy, m_vendor.sandbox()), spec, std::nullopt);
    }
    CuttableProxy &proxy() override { return m_proxy; }
    bool keepsSessions() const override { return true; }
    bool resizeElsewhere(Shell &shell, TerminalSize size) override
    {
        const QString session = static_cast<PtyShell &>(shell).handle()->sessionId;
        return waitFor(m_vendor.provider()->resizePty(m_vendor.sandbox(), session, size)).has_value();
    }

private:
    Vendor &m_vendor;
    CuttableProxy m_proxy;
};

// A provider whose sandboxes are behind the proxy, wherever they are looked up.
class Detour : public SandboxProvider
{
    Q_OBJECT
public:
    Detour(SandboxProvider *inner, const CuttableProxy *proxy)
        : m_inner(inner)
        , m_proxy(proxy)
    {
        connect(inner, &SandboxProvider::ptySessionKnown, this, &SandboxProvider::ptySessionKnown);
    }
    QString vendor() const override { return m_inner->vendor(); }
    QString accountId() const override { return m_inner->accountId(); }
    Capabilities capabilities() const override { return m_inner->capabilities(); }
    QFuture<Result<QList<Sandbox>>> list(ListScope scope) override { return m_inner->list(scope); }
    QFuture<Result<Sandbox>> find(const QString &id) override
    {
        ++asked;
        return m_inner->find(id).then(this, [this](Result<Sandbox> found) {
            return found.transform([this](const Sandbox &sandbox) { return behind(*m_proxy, sandbox); });
        });
    }
    QFuture<Result<Sandbox>> create(const CreateRequest &r) override { return m_inner->create(r); }
    QFuture<Result<Sandbox>> rename(const SandboxId &id, const QString &n) override { return m_inner->rename(id, n); }
    QFuture<Done> suspend(const SandboxId &id) override { return m_inner->suspend(id); }
    QFuture<Done> resume(const SandboxId &id) override { return m_inner->resume(id); }
    QFuture<Done> terminate(const SandboxId &id) override { return m_inner->terminate(id); }
    QFuture<Result<QList<SshKey>>> keys() override { return m_inner->keys(); }
    QFuture<Result<SshKey>> addKey(const QString &n, const QByteArray &l) override { return m_inner->addKey(n, l); }
    QFuture<Done> removeKey(const QString &id) override { return m_inner->removeKey(id); }
    QFuture<Result<QList<PtySession>>> ptySessions(const Sandbox &s) override { return m_inner->ptySessions(s); }
    QFuture<Result<PtySession>> ptySession(const Sandbox &s, const QString &id) override { return m_inner->ptySession(s, id); }
    QFuture<Result<PtyHandle>> createPty(const Sandbox &s, const ShellSpec &spec, TerminalSize z) override { return m_inner->createPty(s, spec, z); }
    QFuture<Done> resizePty(const Sandbox &s, const QString &id, TerminalSize z) override { return m_inner->resizePty(s, id, z); }
    QFuture<Done> killPty(const Sandbox &s, const QString &id) override { return m_inner->killPty(s, id); }
    std::unique_ptr<Shell> makePtyShell(const Sandbox &s, const ShellSpec &spec, const std::optional<PtyHandle> &known) override
    {
        return m_inner->makePtyShell(s, spec, known);
    }
    std::unique_ptr<RemoteCommand> makeCommand(const Sandbox &s, const CommandSpec &spec) override { return m_inner->makeCommand(s, spec); }

    int asked = 0;

private:
    SandboxProvider *m_inner;
    const CuttableProxy *m_proxy;
};

// A tab, without a window.
class Tab
{
public:
    Tab(Vendor &vendor, Keychain *keychain, const ShellRecord &record)
        : m_proxy(vendor.port())
        , m_provider(vendor.provider(), &m_proxy)
    {
        StandingShell::Services services;
        services.provider = &m_provider;
        services.keychain = keychain;
        services.random = [] { return 0.5; };
        services.after = [](std::chrono::milliseconds delay, QObject *context, std::function<void()> fn) {
            const QPointer<QTimer> timer(new QTimer(context));
            timer->setSingleShot(true);
            QObject::connect(timer, &QTimer::timeout, context, [timer, fn = std::move(fn)] {
                timer->deleteLater();
                fn();
            });
            timer->start(delay);
            return [timer] { delete timer; };
        };
        m_shell = std::make_unique<StandingShell>(record, services);
        QObject::connect(m_shell.get(), &StandingShell::outputReceived, m_shell.get(), [this](const QByteArray &bytes) {
            screen += bytes;
            m_shell->consumed(bytes.size());
        });
        QObject::connect(m_shell.get(), &StandingShell::screenReset, m_shell.get(), [this] { ++resets; screen.clear(); });
        QObject::connect(m_shell.get(), &StandingShell::noticeReceived, m_shell.get(), [this](const QString &t) { notices += t; });
        m_shell->open({80, 24});
    }
    [[nodiscard]] State state() const { return m_shell->status().state; }
    [[nodiscard]] StandingShell &shell() { return *m_shell; }
    [[nodiscard]] CuttableProxy &network() { return m_proxy; }
    [[nodiscard]] int asked() const { return m_provider.asked; }
    void run(const QByteArray &line) { m_shell->write(line + '\n'); }

    QByteArray screen;
    QStringList notices;
    int resets = 0;

private:
    CuttableProxy m_proxy;
    Detour m_provider;
    std::unique_ptr<StandingShell> m_shell;
};

} // namespace

class TestGatewayShell : public ShellParity
{
    Q_OBJECT
protected:
    std::unique_ptr<ShellPeer> makePeer() override { return std::make_unique<GatewayPeer>(m_vendor); }

private slots:
    void initTestCase()
    {
        const QString problem = m_vendor.start();
        SANDPIPER_NEED_SANDBOXES(m_vendor.gateway());
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
    }

    void aTabSurvivesCutsAndShowsEveryLineOnce()
    {
        Tab tab(m_vendor, m_keychain.get(), record());
        TRY_COMPARE(tab.state(), State::Open);
        tab.run("PS1=; stty -echo; printf 'RE%s\\n' ADY");
        TRY_VERIFY(tab.screen.contains("READY\r\n"));
        tab.screen.clear();
        tab.run("for i in $(seq 1 3000); do echo line $i; [ $((i % 100)) != 0 ] || sleep 0.1; done; echo finished");
        for (int cut = 0; cut < 4; ++cut) {
            const qsizetype before = tab.screen.size();
            TRY_VERIFY(tab.screen.size() > before + 2000 || tab.screen.contains("finished"));
            const int asked = tab.asked();
            tab.network().cutOnce();
            TRY_VERIFY(tab.asked() > asked); // the life-cycle plane first
            TRY_COMPARE(tab.state(), State::Open);
        }
        TRY_VERIFY(tab.screen.contains("finished"));
        QByteArray expected;
        for (int i = 1; i <= 3000; ++i)
            expected += "line " + QByteArray::number(i) + "\r\n";
        QCOMPARE(tab.screen.count("line "), 3000);
        QVERIFY(tab.screen.startsWith(expected));
        QCOMPARE(tab.resets, 0);
        QVERIFY(tab.notices.isEmpty());
        tab.shell().endShell();
        TRY_COMPARE(tab.state(), State::Ended);
    }

    void aTabWaitsForTheNetworkAndSendsItsSizeAgain()
    {
        Tab tab(m_vendor, m_keychain.get(), record());
        TRY_COMPARE(tab.state(), State::Open);
        tab.run("PS1=; stty -echo; kept=here; echo re''ady");
        TRY_VERIFY(tab.screen.contains("ready\r\n"));
        tab.network().cut();
        TRY_COMPARE(tab.state(), State::Waiting);
        QVERIFY(tab.shell().status().retryAt.isValid());
        tab.shell().resize({111, 37});
        tab.run("echo never");
        tab.network().resume();
        TRY_COMPARE(tab.state(), State::Open);
        tab.run("echo still $kept; until stty size | grep '37 111'; do sleep 0.1; done");
        TRY_VERIFY(tab.screen.contains("still here\r\n37 111\r\n"));
        QVERIFY(!tab.screen.contains("never"));
        tab.shell().endShell();
        TRY_COMPARE(tab.state(), State::Ended);
    }

    void aRestartedProgramFindsTheSameShell()
    {
        QJsonObject written;
        {
            Tab tab(m_vendor, m_keychain.get(), record());
            TRY_COMPARE(tab.state(), State::Open);
            tab.run("kept=secret; echo be''fore");
            TRY_VERIFY(tab.screen.contains("before\r\n"));
            written = tab.shell().record().toJson();
        }
        QVERIFY(!QJsonDocument(written).toJson().contains("token"));
        Tab tab(m_vendor, m_keychain.get(), ShellRecord::fromJson(written).value());
        TRY_COMPARE(tab.state(), State::Open);
        TRY_VERIFY(tab.screen.contains("before\r\n")); // the replay fills the empty screen
        tab.run("echo still $kept");
        TRY_VERIFY(tab.screen.contains("still secret\r\n"));
        QCOMPARE(tab.resets, 0);
        tab.run("exit 3");
        TRY_COMPARE(tab.state(), State::Ended);
        QCOMPARE(tab.shell().status().end.exitCode, 3);
        QVERIFY(tab.shell().record().ptySession.isEmpty());

        // What has ended is gone for a program that restarts with an old record; the token went too.
        Tab late(m_vendor, m_keychain.get(), ShellRecord::fromJson(written).value());
        TRY_COMPARE(late.state(), State::Gone);
        late.shell().startNew();
        TRY_COMPARE(late.state(), State::Open);
        late.shell().endShell();
        TRY_COMPARE(late.state(), State::Ended);
    }

    void aSleepingSandboxIsResumedIntoTheSameShell()
    {
        Tab tab(m_vendor, m_keychain.get(), record());
        TRY_COMPARE(tab.state(), State::Open);
        tab.run("PS1=; stty -echo; kept=here; echo re''ady");
        TRY_VERIFY(tab.screen.contains("ready\r\n"));
        QVERIFY(waitFor(m_vendor.provider()->suspend(m_vendor.sandbox().id)).has_value());
        TRY_COMPARE(tab.state(), State::Suspended);
        QVERIFY(!waitUntil([&] { return tab.state() != State::Suspended; }, 1500)); // nobody wakes it
        QCOMPARE(m_vendor.become(SandboxState::Suspended), QString());
        tab.shell().resumeSandbox();
        TRY_COMPARE(tab.state(), State::Open);
        tab.run("echo still $kept");
        TRY_VERIFY(tab.screen.contains("still here\r\n"));
        QCOMPARE(tab.screen.count("ready\r\n"), 1);
        tab.shell().endShell();
        TRY_COMPARE(tab.state(), State::Ended);
    }

    // Last: it takes the gateway away.
    void whenTheGatewayIsKilledTheShellIsGoneAndANewOneCanStart()
    {
        Tab tab(m_vendor, m_keychain.get(), record());
        TRY_COMPARE(tab.state(), State::Open);
        tab.run("echo old''screen; echo kept >~/file; sync");
        TRY_VERIFY(tab.screen.contains("oldscreen\r\n"));
        m_vendor.gateway().kill();
        TRY_COMPARE(tab.state(), State::Waiting); // nobody answers
        QCOMPARE(m_vendor.gateway().start(), QString());
        TRY_COMPARE(tab.state(), State::Suspended); // found again, with nothing running
        tab.shell().resumeSandbox();
        TRY_COMPARE(tab.state(), State::Gone);
        QVERIFY(tab.screen.contains("oldscreen"));
        QCOMPARE(tab.resets, 0);
        tab.shell().startNew();
        TRY_COMPARE(tab.state(), State::Open);
        QVERIFY(tab.notices.contains(u"A new shell was started."_s));
        tab.run("cat ~/file");
        TRY_VERIFY(tab.screen.contains("kept\r\n"));
        tab.shell().endShell();
        TRY_COMPARE(tab.state(), State::Ended);
    }

private:
    [[nodiscard]] ShellRecord record() const
    {
        ShellRecord record;
        record.sandbox = m_vendor.sandbox().id;
        record.sandboxName = m_vendor.sandbox().name;
        record.spec.command = u"/bin/bash"_s;
        record.spec.arguments = {u"--norc"_s, u"--noprofile"_s, u"--noediting"_s};
        return record;
    }

    Vendor m_vendor;
    std::unique_ptr<Keychain> m_keychain = makeMemoryKeychain();
};

QTEST_GUILESS_MAIN(TestGatewayShell)
#include "tst_gatewayshell.moc"

#include "session/ptyshell.h"
#include "tests/session/shellparity.h"
#include "tests/support/fakeptyserver.h"
#include "tests/support/waituntil.h"

#include <QPromise>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

PtyTiming shortTiming()
{
    PtyTiming timing;
    timing.socket.pingInterval = 1s;
    return timing;
}

class FakePeer : public ShellPeer
{
public:
    std::unique_ptr<Shell> makeShell(const ShellSpec &spec) override
    {
        return std::make_unique<PtyShell>(m_server.endpoint(spec, m_proxy.port()), std::nullopt, shortTiming());
    }
    CuttableProxy &proxy() override { return m_proxy; }
    bool keepsSessions() const override { return true; }
    bool resizeElsewhere(Shell &shell, TerminalSize size) override
    {
        return m_server.resize(static_cast<PtyShell &>(shell).handle()->sessionId, size).has_value();
    }
    std::optional<std::chrono::milliseconds> noticesSilence() const override { return 3s; }

private:
    FakePtyServer m_server;
    CuttableProxy m_proxy{m_server.port()};
};

} // namespace

#define TRY_VERIFY(condition) QVERIFY(waitUntil([&] { return bool(condition); }, 30'000))

class TestPtyShell : public ShellParity
{
    Q_OBJECT
protected:
    std::unique_ptr<ShellPeer> makePeer() override { return std::make_unique<FakePeer>(); }

private slots:
    void theTokenTravelsInItsHeaderAndNowhereElse()
    {
        FakePtyServer server;
        PtyShell shell(server.endpoint({}, server.port()), std::nullopt);
        shell.open({80, 24});
        TRY_VERIFY(shell.state() == ShellState::Open && !server.lastUrl.isEmpty());
        const QByteArray token = shell.handle()->token->reveal().toByteArray();
        QVERIFY(!server.lastUrl.toEncoded().contains(token));
        QVERIFY(!server.lastUrl.hasQuery());
        QByteArrayList carriers;
        for (const QByteArray &header : std::as_const(server.lastHeaders)) {
            if (header.contains(token))
                carriers += header.toLower();
        }
        QCOMPARE(carriers, QByteArrayList{"x-pty-token: " + token});
    }

    void theSessionIsKnownBeforeItIsOpen()
    {
        FakePtyServer server;
        PtyShell shell(server.endpoint({}, server.port()), std::nullopt);
        QList<ShellState> whenKnown;
        connect(&shell, &PtyShell::sessionKnown, this, [&] { whenKnown += shell.state(); });
        shell.open({80, 24});
        TRY_VERIFY(shell.state() == ShellState::Open);
        QCOMPARE(whenKnown, QList{ShellState::Opening});
    }

    void aCloseReasonAloneTellsTheCode()
    {
        FakePtyServer server;
        server.sendsExitMessage = false;
        PtyShell shell(server.endpoint({}, server.port()), std::nullopt);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        shell.write("exit 5\n"); // waits until it is open
        TRY_VERIFY(recorder.ends.size() == 1);
        QCOMPARE(recorder.ends.first().kind, ShellEnd::Kind::Exited);
        QCOMPARE(recorder.ends.first().exitCode, 5);
    }

    void aRefusalInTheMiddleIsALossWithItsWords()
    {
        FakePtyServer server;
        PtyShell shell(server.endpoint({}, server.port()), std::nullopt);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        TRY_VERIFY(recorder.received() > 0);
        const QString session = shell.handle()->sessionId;
        server.closeClients(session, 1008, u"output lagged by 7 messages"_s);
        TRY_VERIFY(recorder.ends.size() == 1);
        QCOMPARE(recorder.ends.first().kind, ShellEnd::Kind::Lost);
        QVERIFY(recorder.ends.first().error.detail.contains(u"output lagged by 7 messages"_s));
        QCOMPARE(recorder.ends.first().error.subject, u"fake"_s);
        QVERIFY(shell.canReattach());
        shell.attach({80, 24});
        TRY_VERIFY(shell.state() == ShellState::Open);
    }

    void detachingLeavesNobodyThereAndKillingLeavesNothing()
    {
        FakePtyServer server;
        PtyShell shell(server.endpoint({}, server.port()), std::nullopt);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        TRY_VERIFY(shell.state() == ShellState::Open);
        const QString session = shell.handle()->sessionId;
        TRY_VERIFY(server.clients(session) == 1);
        shell.detach();
        TRY_VERIFY(server.clients(session) == 0);
        QVERIFY(server.isAlive(session));
        shell.kill(); // also without a connection
        TRY_VERIFY(!server.isAlive(session));
        TRY_VERIFY(shell.state() == ShellState::Ended);
        QVERIFY(recorder.ends.isEmpty());
        QVERIFY(!shell.canReattach());
    }

    void aFullReplayArrivesAndEnds()
    {
        FakePtyServer server;
        PtyShell shell(server.endpoint({}, server.port()), std::nullopt);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        TRY_VERIFY(recorder.received() > 0);
        shell.detach();
        server.inject(shell.handle()->sessionId, QByteArray(2 << 20, 'x') + "last");
        const qint64 before = recorder.received();
        shell.attach({80, 24});
        TRY_VERIFY(recorder.replayEnds == 1);
        QVERIFY(recorder.saw("xlast"));
        QVERIFY(recorder.received() - before >= ptyReplayLimit - 8192);
        QVERIFY(recorder.received() - before <= ptyReplayLimit + 8192);
    }

    void aServerThatTakesLessInputIsALossAndNotAHang()
    {
        FakePtyServer server;
        server.inputPerSecond = 32 * 1024;
        PtyShell shell(server.endpoint({}, server.port()), std::nullopt);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        TRY_VERIFY(shell.state() == ShellState::Open);
        shell.write(QByteArray(500'000, '\n'));
        TRY_VERIFY(recorder.ends.size() == 1);
        QVERIFY(recorder.ends.first().error.detail.contains(u"input rate limit exceeded"_s));
        QCOMPARE(shell.pendingInput(), 0); // what was not taken is not sent later
    }

    void makingASessionHasADeadline()
    {
        QPromise<Result<PtyHandle>> never;
        never.start();
        PtyTiming timing;
        timing.createDeadline = 100ms;
        PtyShell shell(endpointThatCreates(never.future()), std::nullopt, timing);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        TRY_VERIFY(recorder.ends.size() == 1);
        QCOMPARE(recorder.ends.first().kind, ShellEnd::Kind::Failed);
        QCOMPARE(recorder.ends.first().error.kind, ErrorKind::Timeout);
        QVERIFY(never.isCanceled());
        never.finish();
    }

    void whatIsMadeAfterADetachIsKnown()
    {
        QPromise<Result<PtyHandle>> slow;
        slow.start();
        PtyShell shell(endpointThatCreates(slow.future()), std::nullopt);
        ShellRecorder recorder(&shell);
        int known = 0;
        connect(&shell, &PtyShell::sessionKnown, this, [&] { ++known; });
        shell.open({80, 24});
        TRY_VERIFY(m_asked);
        shell.detach();
        slow.addResult(PtyHandle{u"s"_s, std::make_shared<Secret>("t")});
        slow.finish();
        TRY_VERIFY(known == 1);
        QCOMPARE(shell.state(), ShellState::Detached);
        QVERIFY(shell.canReattach());
        QVERIFY(recorder.ends.isEmpty());
    }

    void killingWhatIsStillBeingMadeEndsItOnceItIsThere()
    {
        QPromise<Result<PtyHandle>> slow;
        slow.start();
        PtyShell shell(endpointThatCreates(slow.future()), std::nullopt);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        TRY_VERIFY(m_asked);
        shell.kill();
        slow.addResult(PtyHandle{u"s"_s, std::make_shared<Secret>("t")});
        slow.finish();
        TRY_VERIFY(recorder.ends.size() == 1);
        QCOMPARE(recorder.ends.first().kind, ShellEnd::Kind::Killed);
        QCOMPARE(m_killed, QStringList{u"s"_s});
    }

    void aKillThatFailsIsSaidAndTheShellGoesOn()
    {
        FakePtyServer server;
        PtyEndpoint endpoint = server.endpoint({}, server.port());
        endpoint.kill = [](const QString &) {
            return QtFuture::makeReadyValueFuture(Done(failure(ErrorKind::ServerError, Layer::Http, u"HTTP 500"_s)));
        };
        PtyShell shell(endpoint, std::nullopt);
        ShellRecorder recorder(&shell);
        shell.open({80, 24});
        TRY_VERIFY(shell.state() == ShellState::Open);
        shell.kill();
        TRY_VERIFY(recorder.notices.size() == 1);
        QCOMPARE(shell.state(), ShellState::Open);
        shell.write("exit 4\n");
        TRY_VERIFY(recorder.ends.size() == 1);
        QCOMPARE(recorder.ends.first().kind, ShellEnd::Kind::Exited);
        QCOMPARE(recorder.ends.first().exitCode, 4);
    }

private:
    PtyEndpoint endpointThatCreates(const QFuture<Result<PtyHandle>> &future)
    {
        m_asked = false;
        m_killed.clear();
        PtyEndpoint endpoint;
        endpoint.request = [](const PtyHandle &) { return WebSocketRequest(); };
        endpoint.create = [this, future](TerminalSize) {
            m_asked = true;
            return future;
        };
        endpoint.kill = [this](const QString &session) {
            m_killed += session;
            return QtFuture::makeReadyValueFuture(Done());
        };
        return endpoint;
    }
    bool m_asked = false;
    QStringList m_killed;
};

QTEST_GUILESS_MAIN(TestPtyShell)
#include "tst_ptyshell.moc"

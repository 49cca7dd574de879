#include "session/standingshell.h"
#include "session/ptyshell.h"

#include <QJsonArray>
#include <QPromise>
#include <QTest>

#include <deque>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using State = StandingShell::State;

namespace {

const SandboxId boxId{u"fake"_s, u"account"_s, u"box1"_s};
const QString tokenKey = u"pty/fake/account/box1/s1"_s;

Error errorOf(ErrorKind kind)
{
    return {kind, Layer::Provider, u"told so"_s, {}};
}

// Time that moves when it is told to.
class ManualTimers
{
public:
    std::function<void()> after(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)
    {
        auto entry = std::make_shared<Entry>(Entry{m_now + delay, context, std::move(fn)});
        m_entries.push_back(entry);
        return [entry] { entry->fn = nullptr; };
    }
    void advance(std::chrono::milliseconds by)
    {
        const auto until = m_now + by;
        for (;;) {
            const auto next = std::min_element(m_entries.begin(), m_entries.end(),
                                               [](const auto &a, const auto &b) { return a->at < b->at; });
            if (next == m_entries.end() || (*next)->at > until)
                break;
            const auto entry = *next;
            m_entries.erase(next);
            m_now = entry->at;
            if (entry->fn && entry->context)
                std::exchange(entry->fn, nullptr)();
            QCoreApplication::processEvents();
        }
        m_now = until;
    }
    [[nodiscard]] std::optional<std::chrono::milliseconds> next() const
    {
        std::optional<std::chrono::milliseconds> first;
        for (const auto &entry : m_entries) {
            if (entry->fn && (!first || entry->at - m_now < *first))
                first = entry->at - m_now;
        }
        return first;
    }

private:
    struct Entry
    {
        std::chrono::milliseconds at;
        QPointer<QObject> context;
        std::function<void()> fn;
    };
    std::chrono::milliseconds m_now{};
    std::vector<std::shared_ptr<Entry>> m_entries; // shared: with the call that cancels it
};

struct ShellLog
{
    QStringList calls;
    QByteArray written;
    qint64 consumed = 0;
};

class FakeShell : public Shell
{
    Q_OBJECT
public:
    explicit FakeShell(std::shared_ptr<ShellLog> log) : m_log(std::move(log)) {}
    ShellState state() const override { return m_state; }
    bool canReattach() const override { return true; }
    void open(TerminalSize size) override { start(u"open"_s, size); }
    void attach(TerminalSize size) override { start(u"attach"_s, size); }
    void write(QByteArrayView bytes) override { m_log->written.append(bytes); }
    void resize(TerminalSize size) override { m_log->calls += u"resize %1x%2"_s.arg(size.columns).arg(size.rows); }
    void detach() override { m_log->calls += u"detach"_s; }
    void kill() override { m_log->calls += u"kill"_s; }
    void consumed(qint64 bytes) override { m_log->consumed += bytes; }
    qint64 pendingInput() const override { return 0; }
    void probe() override { m_log->calls += u"probe"_s; }

    void becomeOpen()
    {
        m_state = ShellState::Open;
        emit stateChanged(m_state);
    }
    void end(ShellEnd::Kind kind, const Error &error = {}, int code = 0)
    {
        m_state = ShellState::Ended;
        ShellEnd how;
        how.kind = kind;
        how.error = error;
        how.exitCode = code;
        emit ended(how);
    }

private:
    void start(const QString &what, TerminalSize size)
    {
        m_state = ShellState::Opening;
        m_log->calls += u"%1 %2x%3"_s.arg(what).arg(size.columns).arg(size.rows);
    }
    std::shared_ptr<ShellLog> m_log; // shared: it tells of shells that are gone
    ShellState m_state = ShellState::Idle;
};

template <typename T>
QFuture<T> ready(T value)
{
    return QtFuture::makeReadyValueFuture(std::move(value));
}

class FakeProvider : public SandboxProvider
{
    Q_OBJECT
public:
    QString vendor() const override { return boxId.vendor; }
    QString accountId() const override { return boxId.account; }
    Capabilities capabilities() const override { return {}; }
    QFuture<Result<QList<Sandbox>>> list(ListScope) override { return ready<Result<QList<Sandbox>>>(QList<Sandbox>()); }
    QFuture<Result<Sandbox>> find(const QString &id) override
    {
        calls += u"find "_s + id;
        if (hangs)
            return hanging.future();
        return ready(answer);
    }
    QFuture<Result<Sandbox>> create(const CreateRequest &) override { return ready(answer); }
    QFuture<Result<Sandbox>> rename(const SandboxId &, const QString &) override { return ready(answer); }
    QFuture<Done> suspend(const SandboxId &) override { return ready(Done()); }
    QFuture<Done> resume(const SandboxId &) override
    {
        calls += u"resume"_s;
        return ready(resumeAnswer);
    }
    QFuture<Done> terminate(const SandboxId &) override { return ready(Done()); }
    QFuture<Result<QList<SshKey>>> keys() override { return ready<Result<QList<SshKey>>>(QList<SshKey>()); }
    QFuture<Result<SshKey>> addKey(const QString &, const QByteArray &) override { return ready<Result<SshKey>>(SshKey()); }
    QFuture<Done> removeKey(const QString &) override { return ready(Done()); }
    QFuture<Result<QList<PtySession>>> ptySessions(const Sandbox &) override { return ready<Result<QList<PtySession>>>(QList<PtySession>()); }
    QFuture<Result<PtySession>> ptySession(const Sandbox &, const QString &) override { return ready<Result<PtySession>>(PtySession()); }
    QFuture<Result<PtyHandle>> createPty(const Sandbox &, const ShellSpec &, TerminalSize) override { return ready<Result<PtyHandle>>(PtyHandle()); }
    QFuture<Done> resizePty(const Sandbox &, const QString &, TerminalSize) override { return ready(Done()); }
    QFuture<Done> killPty(const Sandbox &, const QString &session) override
    {
        calls += u"kill "_s + session;
        return ready(Done());
    }
    std::unique_ptr<Shell> makePtyShell(const Sandbox &, const ShellSpec &, const std::optional<PtyHandle> &known) override
    {
        if (!offersPty)
            return nullptr;
        knownTokens += known ? known->token->reveal().toByteArray() : "none"_ba;
        auto made = std::make_unique<FakeShell>(log);
        shell = made.get();
        return made;
    }
    std::unique_ptr<RemoteCommand> makeCommand(const Sandbox &, const CommandSpec &) override { return nullptr; }

    void setState(SandboxState state)
    {
        Sandbox box;
        box.id = boxId;
        box.name = u"my-box"_s;
        box.state = state;
        answer = box;
    }

    QStringList calls;
    QByteArrayList knownTokens;
    Result<Sandbox> answer = failure(ErrorKind::NotFound, Layer::Provider);
    Done resumeAnswer;
    bool hangs = false;
    bool offersPty = true;
    QPromise<Result<Sandbox>> hanging;
    QPointer<FakeShell> shell;
    std::shared_ptr<ShellLog> log = std::make_shared<ShellLog>();
};

// Everything around one standing shell.
struct Scene
{
    explicit Scene(const QString &session = {}, ShellRoute route = ShellRoute::Pty)
    {
        provider.setState(SandboxState::Running);
        record.sandbox = boxId;
        record.sandboxName = u"my-box"_s;
        record.route = route;
        record.ptySession = session;
        StandingShell::Services services;
        services.provider = &provider;
        services.keychain = keychain.get();
        services.network = &network;
        services.makeSshShell = [this](const Sandbox &sandbox, const ShellSpec &spec) {
            return provider.makePtyShell(sandbox, spec, std::nullopt);
        };
        services.random = [] { return 0.5; };
        services.after = [this](std::chrono::milliseconds delay, QObject *context, std::function<void()> fn) {
            return timers.after(delay, context, std::move(fn));
        };
        standing = std::make_unique<StandingShell>(record, services);
        QObject::connect(standing.get(), &StandingShell::statusChanged, standing.get(),
                         [this](const StandingShell::Status &status) { states += status.state; });
        QObject::connect(standing.get(), &StandingShell::outputReceived, standing.get(),
                         [this](const QByteArray &bytes) { shown += bytes; });
        QObject::connect(standing.get(), &StandingShell::screenReset, standing.get(), [this] { ++resets; shown.clear(); });
        QObject::connect(standing.get(), &StandingShell::noticeReceived, standing.get(),
                         [this](const QString &text) { notices += text; });
        QObject::connect(standing.get(), &StandingShell::recordChanged, standing.get(),
                         [this](const ShellRecord &changed) { record = changed; });
    }
    [[nodiscard]] State state() const { return standing->status().state; }
    // As a provider's own shell would, on its way to being open.
    void openNew()
    {
        standing->open({80, 24});
        QTRY_VERIFY(provider.shell);
        emit provider.ptySessionKnown(provider.shell, {u"s1"_s, std::make_shared<Secret>("token1")});
        provider.shell->becomeOpen();
        QCOMPARE(state(), State::Open);
    }
    void lose()
    {
        const QPointer<FakeShell> old = provider.shell;
        provider.shell.clear();
        old->end(ShellEnd::Kind::Lost, {ErrorKind::ConnectionLost, Layer::Tcp, u"cut"_s, {}});
    }
    [[nodiscard]] QByteArray kept() const
    {
        auto read = keychain->read(tokenKey);
        return read.result() ? (*read.result())->reveal().toByteArray() : QByteArray();
    }

    ManualTimers timers;
    FakeProvider provider;
    std::unique_ptr<Keychain> keychain = makeMemoryKeychain();
    NetworkWatch network;
    ShellRecord record;
    QList<State> states;
    QByteArray shown;
    QStringList notices;
    int resets = 0;
    std::unique_ptr<StandingShell> standing;
};

} // namespace

class TestStandingShell : public QObject
{
    Q_OBJECT
private slots:
    void aNewShellOpensAndItsTokenIsKept()
    {
        Scene scene;
        scene.openNew();
        QCOMPARE(scene.states, (QList{State::Opening, State::Open}));
        QCOMPARE(scene.provider.log->calls.first(), u"open 80x24"_s);
        QCOMPARE(scene.record.ptySession, u"s1"_s);
        QTRY_COMPARE(scene.kept(), "token1"_ba);
        QVERIFY(scene.notices.isEmpty());
    }

    void theTokenGoesWhenTheSessionEnds()
    {
        Scene scene;
        scene.openNew();
        QTRY_COMPARE(scene.kept(), "token1"_ba);
        scene.provider.shell->end(ShellEnd::Kind::Exited, {}, 3);
        QCOMPARE(scene.state(), State::Ended);
        QCOMPARE(scene.standing->status().end.exitCode, 3);
        QTRY_VERIFY(scene.kept().isEmpty());
        QVERIFY(scene.record.ptySession.isEmpty());
    }

    void aCutIsFollowedByAReattachWithTheSameToken()
    {
        Scene scene;
        scene.openNew();
        scene.standing->resize({100, 30});
        scene.lose();
        QCOMPARE(scene.state(), State::Opening);
        QTRY_VERIFY(scene.provider.shell);
        QCOMPARE(scene.provider.knownTokens, (QByteArrayList{"none", "token1"}));
        QVERIFY(scene.provider.log->calls.contains(u"attach 100x30"_s));
        scene.provider.shell->becomeOpen();
        QCOMPARE(scene.state(), State::Open);
        QVERIFY(scene.notices.isEmpty());
    }

    void afterALossTheLifeCycleIsAskedFirst_data()
    {
        QTest::addColumn<int>("box"); // SandboxState, or -1 for an error
        QTest::addColumn<int>("error");
        QTest::addColumn<State>("expected");
        const auto stateRow = [](const char *name, SandboxState box, State expected) {
            QTest::newRow(name) << int(box) << 0 << expected;
        };
        stateRow("running", SandboxState::Running, State::Opening);
        stateRow("a word we do not know", SandboxState::Unknown, State::Opening);
        stateRow("suspended", SandboxState::Suspended, State::Suspended);
        stateRow("suspending", SandboxState::Suspending, State::Waiting);
        stateRow("pending", SandboxState::Pending, State::Waiting);
        stateRow("snapshotting", SandboxState::Snapshotting, State::Waiting);
        stateRow("terminated", SandboxState::Terminated, State::Gone);
        const auto errorRow = [](ErrorKind kind, State expected) {
            QTest::newRow(qPrintable(nameOf(kind))) << -1 << int(kind) << expected;
        };
        errorRow(ErrorKind::NotFound, State::Gone);
        errorRow(ErrorKind::SandboxNotYours, State::Gone);
        errorRow(ErrorKind::HostNotFound, State::Waiting);
        errorRow(ErrorKind::HostUnreachable, State::Waiting);
        errorRow(ErrorKind::ConnectionRefused, State::Waiting);
        errorRow(ErrorKind::ConnectionLost, State::Waiting);
        errorRow(ErrorKind::Timeout, State::Waiting);
        errorRow(ErrorKind::RateLimited, State::Waiting);
        errorRow(ErrorKind::ServerError, State::Waiting);
        errorRow(ErrorKind::Protocol, State::Waiting);
        errorRow(ErrorKind::AuthRejected, State::Failed);
        errorRow(ErrorKind::PermissionDenied, State::Failed);
        errorRow(ErrorKind::CertificateInvalid, State::Failed);
    }
    void afterALossTheLifeCycleIsAskedFirst()
    {
        QFETCH(int, box);
        QFETCH(int, error);
        QFETCH(State, expected);
        Scene scene;
        scene.openNew();
        if (box >= 0)
            scene.provider.setState(SandboxState(box));
        else
            scene.provider.answer = std::unexpected(errorOf(ErrorKind(error)));
        const auto asked = scene.provider.calls.size();
        scene.lose();
        QTRY_COMPARE(scene.provider.calls.size(), asked + 1);
        QTRY_COMPARE(scene.state(), expected);
        if (expected != State::Opening) {
            QVERIFY(!scene.provider.shell);
            QCOMPARE(scene.standing->status().error.subject, u"my-box"_s);
        }
        if (expected == State::Waiting) {
            QVERIFY(scene.standing->status().retryAt.isValid());
            QVERIFY(scene.timers.next());
        }
        if (expected == State::Gone)
            QTRY_VERIFY(scene.kept().isEmpty());
    }

    void whatAFailedAttachLeadsTo_data()
    {
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<State>("expected");
        QTest::newRow("session not found") << ErrorKind::NotFound << State::Gone;
        QTest::newRow("token refused") << ErrorKind::PermissionDenied << State::Gone;
        QTest::newRow("credentials refused") << ErrorKind::AuthRejected << State::Failed;
        QTest::newRow("certificate") << ErrorKind::CertificateInvalid << State::Failed;
        QTest::newRow("nothing listens") << ErrorKind::ConnectionRefused << State::Waiting;
        QTest::newRow("time-out") << ErrorKind::Timeout << State::Waiting;
        QTest::newRow("bad gateway") << ErrorKind::ServerError << State::Waiting;
        QTest::newRow("sandbox not running") << ErrorKind::SandboxNotRunning << State::Waiting;
        QTest::newRow("nonsense") << ErrorKind::Protocol << State::Failed;
        QTest::newRow("the user said no") << ErrorKind::Cancelled << State::Stopped;
    }
    void whatAFailedAttachLeadsTo()
    {
        QFETCH(ErrorKind, kind);
        QFETCH(State, expected);
        Scene scene;
        scene.openNew();
        scene.lose();
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->end(ShellEnd::Kind::Failed, errorOf(kind));
        QCOMPARE(scene.state(), expected);
    }

    void aNewShellThatTheServerRefusesIsNotTriedAgainByItself_data()
    {
        QTest::addColumn<ErrorKind>("kind");
        QTest::newRow("bad command") << ErrorKind::ServerError;
        QTest::newRow("too many") << ErrorKind::QuotaExceeded;
    }
    void aNewShellThatTheServerRefusesIsNotTriedAgainByItself()
    {
        QFETCH(ErrorKind, kind);
        Scene scene;
        scene.standing->open({80, 24});
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->end(ShellEnd::Kind::Failed, errorOf(kind));
        QCOMPARE(scene.state(), State::Failed);
        QVERIFY(!scene.timers.next());
    }

    void waitsGrowAndStartAnewOnceItWasSteady()
    {
        Scene scene;
        scene.openNew();
        scene.provider.answer = std::unexpected(errorOf(ErrorKind::HostUnreachable));
        scene.lose();
        QList<int> waits;
        for (int i = 0; i < 8; ++i) {
            QTRY_COMPARE(scene.state(), State::Waiting);
            waits += int(scene.timers.next()->count());
            if (i == 7)
                scene.provider.setState(SandboxState::Running);
            scene.timers.advance(*scene.timers.next());
            QTRY_VERIFY(scene.state() != State::Opening || scene.provider.shell);
        }
        // The first try was at once and is the first of the count.
        QCOMPARE(waits, (QList{1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}));
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        scene.lose(); // at once again: it goes on waiting
        QCOMPARE(scene.state(), State::Waiting);
        scene.standing->retryNow();
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        scene.timers.advance(11s);
        scene.lose();
        QCOMPARE(scene.state(), State::Opening);
    }

    void aNetworkThatChangesMakesAWaitingShellTryAtOnce()
    {
        Scene scene;
        scene.openNew();
        scene.provider.answer = std::unexpected(errorOf(ErrorKind::HostUnreachable));
        scene.lose();
        for (int i = 0; i < 5; ++i) {
            QTRY_COMPARE(scene.state(), State::Waiting);
            scene.timers.advance(*scene.timers.next());
        }
        QTRY_COMPARE(scene.state(), State::Waiting);
        const auto asked = scene.provider.calls.size();
        emit scene.network.changed();
        QTRY_COMPARE(scene.state(), State::Waiting);
        QVERIFY(scene.provider.calls.size() > asked);
        QCOMPARE(*scene.timers.next(), 500ms); // the count starts anew
        scene.provider.setState(SandboxState::Running);
        emit scene.network.changed();
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        QCOMPARE(scene.state(), State::Open);
    }

    void aNetworkThatChangesMakesAnOpenShellAskAndNobodyElse()
    {
        Scene scene;
        emit scene.network.changed();
        QCOMPARE(scene.state(), State::Idle);
        scene.openNew();
        QVERIFY(!scene.provider.log->calls.contains(u"probe"_s));
        emit scene.network.changed();
        QCOMPARE(scene.provider.log->calls.count(u"probe"_s), 1);
        QCOMPARE(scene.state(), State::Open);
        scene.provider.setState(SandboxState::Suspended);
        scene.lose();
        QTRY_COMPARE(scene.state(), State::Suspended);
        const auto asked = scene.provider.calls.size();
        emit scene.network.changed();
        QCOMPARE(scene.provider.calls.size(), asked);
    }

    void whatIsShownComesBackFirst()
    {
        Scene shown;
        Scene hidden;
        hidden.standing->setShown(false);
        for (Scene *scene : {&shown, &hidden}) {
            scene->openNew();
            scene->provider.answer = std::unexpected(errorOf(ErrorKind::HostUnreachable));
            scene->lose();
            QTRY_COMPARE(scene->state(), State::Waiting);
        }
        QVERIFY(*hidden.timers.next() > *shown.timers.next());
        const auto asked = hidden.provider.calls.size();
        for (Scene *scene : {&shown, &hidden}) {
            scene->provider.setState(SandboxState::Running);
            emit scene->network.changed();
        }
        QTRY_VERIFY(shown.provider.shell);
        QCOMPARE(hidden.provider.calls.size(), asked);
        hidden.timers.advance(*hidden.timers.next());
        QTRY_VERIFY(hidden.provider.shell);
    }

    void whatComesToBeShownTriesAtOnce()
    {
        Scene scene;
        scene.standing->setShown(false);
        scene.openNew();
        scene.provider.answer = std::unexpected(errorOf(ErrorKind::HostUnreachable));
        scene.lose();
        QTRY_COMPARE(scene.state(), State::Waiting);
        scene.provider.setState(SandboxState::Running);
        scene.standing->setShown(true);
        QTRY_VERIFY(scene.provider.shell);
    }

    void stoppingStopsAndRetryGoesOn()
    {
        Scene scene;
        scene.openNew();
        scene.provider.answer = std::unexpected(errorOf(ErrorKind::HostUnreachable));
        scene.lose();
        QTRY_COMPARE(scene.state(), State::Waiting);
        scene.standing->stop();
        QCOMPARE(scene.state(), State::Stopped);
        const auto asked = scene.provider.calls.size();
        scene.timers.advance(60s);
        QCOMPARE(scene.provider.calls.size(), asked);
        scene.provider.setState(SandboxState::Running);
        scene.standing->retryNow();
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        QCOMPARE(scene.state(), State::Open);
        QCOMPARE(scene.provider.knownTokens.last(), "token1"_ba);
    }

    void stoppingCancelsAQuestionThatHangs()
    {
        Scene scene;
        scene.provider.hangs = true;
        scene.provider.hanging.start();
        scene.standing->open({80, 24});
        QCOMPARE(scene.state(), State::Opening);
        scene.standing->stop();
        QVERIFY(scene.provider.hanging.isCanceled());
        QCOMPARE(scene.state(), State::Stopped);
        scene.provider.hanging.finish();
        QCoreApplication::processEvents();
        QCOMPARE(scene.state(), State::Stopped);
    }

    void aSleepingSandboxIsWokenOnlyWhenAsked()
    {
        Scene scene;
        scene.openNew();
        scene.provider.setState(SandboxState::Suspended);
        scene.lose();
        QTRY_COMPARE(scene.state(), State::Suspended);
        scene.timers.advance(300s);
        QVERIFY(!scene.provider.calls.contains(u"resume"_s));

        scene.standing->resumeSandbox();
        QTRY_VERIFY(scene.timers.next());
        QCOMPARE(scene.state(), State::Opening);
        QVERIFY(scene.provider.calls.contains(u"resume"_s));
        scene.timers.advance(3s);
        QCOMPARE(scene.state(), State::Opening);
        scene.provider.setState(SandboxState::Running);
        scene.timers.advance(1s);
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        QCOMPARE(scene.state(), State::Open);
        QCOMPARE(scene.provider.knownTokens.last(), "token1"_ba);
    }

    void aResumeThatNeverComesUpIsSaid()
    {
        Scene scene;
        scene.provider.setState(SandboxState::Suspended);
        scene.standing->open({80, 24});
        QTRY_COMPARE(scene.state(), State::Suspended);
        scene.standing->resumeSandbox();
        QTRY_VERIFY(scene.timers.next());
        scene.timers.advance(200s);
        QTRY_COMPARE(scene.state(), State::Suspended);
        QCOMPARE(scene.standing->status().error.kind, ErrorKind::Timeout);
    }

    void aResumeThatIsRefusedIsNotTriedAgainByItself_data()
    {
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<State>("expected");
        QTest::newRow("no network") << ErrorKind::HostUnreachable << State::Suspended;
        QTest::newRow("credentials") << ErrorKind::AuthRejected << State::Failed;
        QTest::newRow("gone") << ErrorKind::NotFound << State::Gone;
    }
    void aResumeThatIsRefusedIsNotTriedAgainByItself()
    {
        QFETCH(ErrorKind, kind);
        QFETCH(State, expected);
        Scene scene;
        scene.provider.setState(SandboxState::Suspended);
        scene.standing->open({80, 24});
        QTRY_COMPARE(scene.state(), State::Suspended);
        scene.provider.resumeAnswer = std::unexpected(errorOf(kind));
        scene.standing->resumeSandbox();
        QTRY_COMPARE(scene.state(), expected);
        QVERIFY(!scene.timers.next());
    }

    void aRestartedProgramFindsItsShellByTheKeychain()
    {
        Scene scene(u"s1"_s);
        (void)scene.keychain->write(tokenKey, Secret("token1"));
        scene.standing->open({90, 25});
        QTRY_VERIFY(scene.provider.shell);
        QCOMPARE(scene.provider.knownTokens, QByteArrayList{"token1"});
        QCOMPARE(scene.provider.log->calls, QStringList{u"attach 90x25"_s});
        scene.provider.shell->becomeOpen();
        emit scene.provider.shell->replaying(true);
        emit scene.provider.shell->outputReceived("all of it");
        QCOMPARE(scene.shown, "all of it"_ba);
        QCOMPARE(scene.resets, 0);
    }

    void withoutATokenTheShellIsGoneAndANewOneCanStart()
    {
        Scene scene(u"s1"_s);
        scene.standing->open({80, 24});
        QTRY_COMPARE(scene.state(), State::Gone);
        QCOMPARE(scene.standing->status().error.kind, ErrorKind::NoKeychain); // this one keeps nothing
        scene.standing->startNew();
        QTRY_VERIFY(scene.provider.shell);
        QCOMPARE(scene.provider.knownTokens, QByteArrayList{"none"});
        scene.provider.shell->becomeOpen();
        QCOMPARE(scene.notices, QStringList{u"A new shell was started."_s});
    }

    void anSshShellThatIsCutIsReplacedAndThatIsSaid()
    {
        Scene scene({}, ShellRoute::Ssh);
        scene.standing->open({80, 24});
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        emit scene.provider.shell->outputReceived("old screen ");
        scene.lose();
        QTRY_VERIFY(scene.provider.shell);
        QCOMPARE(scene.provider.log->calls.filter(u"open"_s).size(), 2);
        scene.provider.shell->becomeOpen();
        QCOMPARE(scene.notices, QStringList{u"The connection was lost. A new shell was started."_s});
        emit scene.provider.shell->outputReceived("new shell");
        QCOMPARE(scene.shown, "old screen new shell"_ba);
        QCOMPARE(scene.resets, 0);
    }

    void missedOutputIsShownOnce()
    {
        Scene scene;
        scene.openNew();
        emit scene.provider.shell->outputReceived("first\r\n");
        scene.standing->consumed(7);
        scene.lose();
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        emit scene.provider.shell->replaying(true);
        emit scene.provider.shell->outputReceived("first\r\nmissed\r\n");
        emit scene.provider.shell->outputReceived("live\r\n");
        QCOMPARE(scene.shown, "first\r\nmissed\r\nlive\r\n"_ba);
        QCOMPARE(scene.resets, 0);
    }

    void missedBeyondTheServersMemoryIsSaid()
    {
        Scene scene;
        scene.openNew();
        emit scene.provider.shell->outputReceived(QByteArray(3000, 'a'));
        scene.lose();
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        emit scene.provider.shell->replaying(true);
        emit scene.provider.shell->outputReceived(QByteArray(2000, 'b'));
        QCOMPARE(scene.resets, 1);
        QCOMPARE(scene.shown, QByteArray(2000, 'b'));
        QCOMPARE(scene.notices.size(), 1);
        QVERIFY(scene.notices.first().contains(u"missed"_s));
    }

    void heldBackOutputIsReleasedWhenItIsQuiet()
    {
        Scene scene;
        scene.openNew();
        // What repeats itself leaves it open for a while how much of it is old.
        emit scene.provider.shell->outputReceived(QByteArray(100'000, 'x'));
        scene.lose();
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        emit scene.provider.shell->replaying(true);
        emit scene.provider.shell->outputReceived(QByteArray(50'000, 'x'));
        scene.timers.advance(600ms);
        emit scene.provider.shell->outputReceived("now");
        QVERIFY(scene.shown.endsWith("xnow"));
        QCOMPARE(scene.resets, 0);
    }

    void everyByteIsReportedTakenExactlyOnce()
    {
        Scene scene;
        scene.openNew();
        emit scene.provider.shell->outputReceived(QByteArray(1000, 'a'));
        scene.standing->consumed(400);
        QCOMPARE(scene.provider.log->consumed, 400);
        scene.lose();
        scene.standing->consumed(600); // of a shell that is gone
        QCOMPARE(scene.provider.log->consumed, 400);
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        emit scene.provider.shell->replaying(true);
        emit scene.provider.shell->outputReceived(QByteArray(1000, 'a') + "bb");
        QCOMPARE(scene.provider.log->consumed, 400 + 1002); // held back, so taken by us
        scene.standing->consumed(2);
        QCOMPARE(scene.provider.log->consumed, 400 + 1002);
        emit scene.provider.shell->outputReceived("cc");
        scene.standing->consumed(2);
        QCOMPARE(scene.provider.log->consumed, 400 + 1002 + 2);
    }

    void inputIsDroppedUnlessOpen()
    {
        Scene scene;
        scene.standing->write("before");
        scene.openNew();
        scene.standing->write("while open");
        scene.lose();
        scene.standing->write("while away");
        QTRY_VERIFY(scene.provider.shell);
        scene.standing->write("on the way");
        scene.provider.shell->becomeOpen();
        QCOMPARE(scene.provider.log->written, "while open"_ba);
    }

    void answersToOldQuestionsAreNotTyped()
    {
        Scene scene(u"s1"_s);
        (void)scene.keychain->write(tokenKey, Secret("token1"));
        scene.standing->open({80, 24});
        QTRY_VERIFY(scene.provider.shell);
        scene.provider.shell->becomeOpen();
        emit scene.provider.shell->replaying(true);
        emit scene.provider.shell->outputReceived("\x1b[c");
        emit scene.provider.shell->replaying(false);
        scene.standing->write("\x1b[?62c");
        QVERIFY(scene.provider.log->written.isEmpty());
        scene.standing->write("ls\n"); // a person types all the same
        scene.standing->consumed(3);
        emit scene.provider.shell->outputReceived("\x1b[c");
        scene.standing->write("\x1b[?62c");
        QCOMPARE(scene.provider.log->written, "ls\n\x1b[?62c"_ba);
    }

    void detachingLetsItLiveAndKeepsItsToken()
    {
        Scene scene;
        scene.openNew();
        QTRY_COMPARE(scene.kept(), "token1"_ba);
        scene.standing->detach();
        QCOMPARE(scene.state(), State::Detached);
        QCOMPARE(scene.provider.log->calls.last(), u"detach"_s);
        QCOMPARE(scene.kept(), "token1"_ba);
        QCOMPARE(scene.record.ptySession, u"s1"_s);
        scene.provider.shell.clear();
        scene.standing->open({80, 24});
        QTRY_VERIFY(scene.provider.shell);
        QCOMPARE(scene.provider.knownTokens.last(), "token1"_ba);
    }

    void endingEndsItThere()
    {
        Scene scene;
        scene.openNew();
        scene.standing->endShell();
        QCOMPARE(scene.provider.log->calls.last(), u"kill"_s);
        QCOMPARE(scene.state(), State::Open);
        scene.provider.shell->end(ShellEnd::Kind::Killed);
        QCOMPARE(scene.state(), State::Ended);
        QTRY_VERIFY(scene.kept().isEmpty());
    }

    void endingWhileAwayAsksTheVendorButWakesNothing_data()
    {
        QTest::addColumn<bool>("sleeps");
        QTest::newRow("the network is away") << false;
        QTest::newRow("the sandbox sleeps") << true;
    }
    void endingWhileAwayAsksTheVendorButWakesNothing()
    {
        QFETCH(bool, sleeps);
        Scene scene;
        scene.openNew();
        if (sleeps)
            scene.provider.setState(SandboxState::Suspended);
        else
            scene.provider.answer = std::unexpected(errorOf(ErrorKind::HostUnreachable));
        scene.lose();
        QTRY_COMPARE(scene.state(), sleeps ? State::Suspended : State::Waiting);
        scene.standing->endShell();
        QCOMPARE(scene.state(), State::Ended);
        QCOMPARE(scene.standing->status().end.kind, ShellEnd::Kind::Killed);
        QCOMPARE(scene.provider.calls.contains(u"kill s1"_s), !sleeps);
        scene.timers.advance(60s);
        QCOMPARE(scene.state(), State::Ended);
    }

    void aRouteThatIsNotThereFails()
    {
        Scene scene;
        scene.provider.offersPty = false;
        scene.standing->open({80, 24});
        QTRY_COMPARE(scene.state(), State::Failed);
        QCOMPARE(scene.standing->status().error.kind, ErrorKind::Unsupported);
    }

    void anAccountThatIsRemovedFails()
    {
        Scene scene;
        StandingShell::Services services;
        services.after = [&](std::chrono::milliseconds delay, QObject *context, std::function<void()> fn) {
            return scene.timers.after(delay, context, std::move(fn));
        };
        StandingShell orphan(scene.record, services);
        orphan.open({80, 24});
        QCOMPARE(orphan.status().state, State::Failed);
        QVERIFY(!orphan.status().error.detail.isEmpty());
    }

    void aRecordSurvivesItsJson()
    {
        ShellRecord record;
        record.sandbox = boxId;
        record.sandboxName = u"näme"_s;
        record.route = ShellRoute::Ssh;
        record.spec.command = u"/bin/zsh"_s;
        record.spec.arguments = {u"-l"_s, QString()};
        record.spec.environment = {{u"A"_s, u"1 = 2"_s}};
        record.spec.workingDirectory = u"/tmp"_s;
        record.ptySession = u"s"_s;
        QCOMPARE(ShellRecord::fromJson(record.toJson()), record);
    }

    void brokenRecordsAreRefused_data()
    {
        QTest::addColumn<QJsonObject>("json");
        ShellRecord record;
        record.sandbox = boxId;
        const QJsonObject good = record.toJson();
        const auto with = [&](const QString &key, const QJsonValue &value) {
            QJsonObject bad = good;
            bad.insert(key, value);
            return bad;
        };
        QTest::newRow("empty") << QJsonObject();
        QTest::newRow("no sandbox") << with(u"sandbox"_s, u"x"_s);
        QTest::newRow("a route we do not know") << with(u"route"_s, u"carrier pigeon"_s);
        QTest::newRow("an argument that is a number") << with(u"arguments"_s, QJsonArray{1});
        QTest::newRow("a variable that is a list") << with(u"environment"_s, QJsonObject{{u"A"_s, QJsonArray()}});
    }
    void brokenRecordsAreRefused()
    {
        QFETCH(QJsonObject, json);
        QVERIFY(!ShellRecord::fromJson(json));
    }
};

QTEST_GUILESS_MAIN(TestStandingShell)
#include "tst_standingshell.moc"

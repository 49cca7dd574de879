#include "terminalfixture.h"

#include "session/standingshell.h"
#include "terminal/terminalsession.h"
#include "tests/support/fakeprovider.h"

#include <QTemporaryDir>
#include <QTimer>

using namespace Sandpiper;
using namespace Qt::StringLiterals;

namespace {

// What a shell was asked; kept by the test, for shells go when they like.
struct Seen
{
    QList<TerminalSize> sizes; // the first: of open()
    QByteArray written;
    qint64 consumed = 0;
};

class FakeShell final : public Shell
{
    Q_OBJECT
public:
    explicit FakeShell(Seen &seen)
        : m_seen(seen)
    {
    }
    ShellState state() const override { return m_state; }
    bool canReattach() const override { return false; }
    void open(TerminalSize size) override
    {
        m_state = ShellState::Opening;
        m_seen.sizes.append(size);
        QTimer::singleShot(0, this, [this] {
            m_state = ShellState::Open;
            emit stateChanged(m_state);
        });
    }
    void attach(TerminalSize size) override { open(size); }
    void write(QByteArrayView bytes) override { m_seen.written += bytes; }
    void resize(TerminalSize size) override { m_seen.sizes.append(size); }
    void detach() override {}
    void kill() override {}
    void consumed(qint64 bytes) override { m_seen.consumed += bytes; }
    qint64 pendingInput() const override { return 0; }
    void probe() override {}

private:
    Seen &m_seen;
    ShellState m_state = ShellState::Idle;
};

struct Scene
{
    Scene()
    {
        provider.sandboxes = {provider.make(u"box"_s)};
        ShellRecord record;
        record.sandbox = provider.sandboxes.first().id;
        record.route = ShellRoute::Ssh;
        StandingShell::Services services;
        services.provider = &provider;
        services.keychain = keychain.get();
        services.makeSshShell = [this](const Sandbox &, const ShellSpec &) {
            auto made = std::make_unique<FakeShell>(seen);
            shell = made.get();
            return made;
        };
        services.random = [] { return 0.5; };
        services.after = [](std::chrono::milliseconds, QObject *, const std::function<void()> &) { return [] {}; };
        standing = std::make_unique<StandingShell>(record, services);
    }
    [[nodiscard]] bool open() const
    {
        return QTest::qWaitFor([this] { return standing->status().state == StandingShell::State::Open; }, 15000);
    }

    FakeProvider provider{u"account"_s};
    std::unique_ptr<Keychain> keychain = makeMemoryKeychain();
    Seen seen;
    QPointer<FakeShell> shell;
    std::unique_ptr<StandingShell> standing;
};

} // namespace

class TestTerminalSession : public QObject
{
    Q_OBJECT
private:
    QTemporaryDir m_home;

private slots:
    void initTestCase()
    {
        QVERIFY(m_home.isValid());
        qputenv("XDG_CACHE_HOME", m_home.path().toUtf8());
    }

    void shellOpensWithTheFirstSizeAndNotBefore()
    {
        Scene scene;
        TerminalView view(testOptions());
        const TerminalSession session(*scene.standing, view);
        view.resize(800, 480);
        QTest::qWait(100);
        QCOMPARE(scene.standing->status().state, StandingShell::State::Idle);
        view.show();
        QVERIFY(scene.open());
        QVERIFY(!scene.seen.sizes.isEmpty());
        for (const TerminalSize &size : std::as_const(scene.seen.sizes))
            QCOMPARE(size, (TerminalSize{view.gridSize().width(), view.gridSize().height()}));
    }

    void shellOpensWhereTheSizeIsKnownAlready()
    {
        Scene scene;
        ShownTerminal t;
        QVERIFY(t.ready());
        const TerminalSession session(*scene.standing, *t.view);
        QCOMPARE(scene.standing->status().state, StandingShell::State::Idle); // not from within
        QVERIFY(scene.open());
    }

    void newSizeIsTold()
    {
        Scene scene;
        ShownTerminal t;
        const TerminalSession session(*scene.standing, *t.view);
        QVERIFY(scene.open());
        t.view->resize(500, 300);
        QTRY_VERIFY_WITH_TIMEOUT(scene.seen.sizes.size() >= 2, 15000);
        QCOMPARE(scene.seen.sizes.last(), (TerminalSize{t.view->gridSize().width(), t.view->gridSize().height()}));
    }

    void bytesGoBothWays()
    {
        Scene scene;
        ShownTerminal t;
        const TerminalSession session(*scene.standing, *t.view);
        QVERIFY(scene.open());
        emit scene.shell->outputReceived("hello\x1b[5n");
        QTRY_VERIFY_WITH_TIMEOUT(t.view->visibleText().startsWith("hello"), 15000);
        QTRY_COMPARE_WITH_TIMEOUT(scene.seen.consumed, 9, 15000);
        QTest::keyClick(t.display(), Qt::Key_X);
        QTRY_VERIFY_WITH_TIMEOUT(scene.seen.written.endsWith('x'), 15000);
    }

    void floodIsReportedAsItIsDrawn()
    {
        Scene scene;
        ShownTerminal t;
        const TerminalSession session(*scene.standing, *t.view);
        QVERIFY(scene.open());
        const QByteArray block = QByteArray(8190, 'x') + "\r\n";
        const qint64 total = 300 * block.size();
        qint64 sent = 0;
        qint64 most = 0;
        QTimer network;
        connect(&network, &QTimer::timeout, &network, [&] {
            while (sent < total && sent - scene.seen.consumed < 256 << 10) {
                emit scene.shell->outputReceived(block);
                sent += block.size();
            }
            most = qMax(most, t.view->pending());
        });
        network.start(0);
        QTRY_COMPARE_WITH_TIMEOUT(scene.seen.consumed, total, 60000);
        QVERIFY(most <= (256 << 10) + block.size());
    }

    void resetDropsTheOldScreenAndStillReportsIt()
    {
        Scene scene;
        ShownTerminal t;
        const TerminalSession session(*scene.standing, *t.view);
        QVERIFY(scene.open());
        emit scene.shell->outputReceived(QByteArray(100'000, 'o'));
        emit scene.standing->screenReset();
        emit scene.shell->outputReceived("new");
        QTRY_COMPARE_WITH_TIMEOUT(t.view->visibleText().trimmed(), "new", 15000);
        QTRY_COMPARE_WITH_TIMEOUT(scene.seen.consumed, 100'003, 15000);
    }

    void networkDoesNotWaitForAViewThatIsGone()
    {
        Scene scene;
        auto *view = new TerminalView(testOptions());
        view->resize(800, 480);
        view->show();
        const TerminalSession session(*scene.standing, *view);
        QVERIFY(scene.open());
        emit scene.shell->outputReceived(QByteArray(100'000, 'o'));
        delete view;
        QCOMPARE(scene.seen.consumed, 100'000);
        emit scene.shell->outputReceived("more");
        QCOMPARE(scene.seen.consumed, 100'004);
    }

    void shellMayGoFirst()
    {
        Scene scene;
        ShownTerminal t;
        const TerminalSession session(*scene.standing, *t.view);
        QVERIFY(scene.open());
        emit scene.shell->outputReceived(QByteArray(100'000, 'o'));
        scene.standing.reset();
        QTest::keyClick(t.display(), Qt::Key_X);
        t.view->resize(500, 300);
        QTRY_COMPARE_WITH_TIMEOUT(t.view->pending(), 0, 15000);
    }
};

QTEST_MAIN(TestTerminalSession)
#include "tst_terminalsession.moc"

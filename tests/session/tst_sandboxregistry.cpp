#include "session/sandboxregistry.h"

#include <QPromise>
#include <QSignalSpy>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

// Answers when the test says so. Nothing but lists and keys is ever asked of it.
class ScriptedProvider : public SandboxProvider
{
public:
    QString vendor() const override { return u"tensorlake"_s; }
    QString accountId() const override { return u"a"_s; }
    Capabilities capabilities() const override { return {}; }
    QFuture<Result<QList<Sandbox>>> list(ListScope scope) override
    {
        ++lists;
        wasLive = scope == ListScope::Live;
        promise = std::make_unique<QPromise<Result<QList<Sandbox>>>>();
        promise->start();
        return promise->future();
    }
    QFuture<Result<QList<SshKey>>> keys() override { return QtFuture::makeReadyValueFuture(keyAnswer); }
    void answer(const Result<QList<Sandbox>> &result)
    {
        promise->addResult(result);
        promise->finish();
    }

    QFuture<Result<Sandbox>> find(const QString &) override { return wrong<Result<Sandbox>>(); }
    QFuture<Result<Sandbox>> create(const CreateRequest &) override { return wrong<Result<Sandbox>>(); }
    QFuture<Result<Sandbox>> rename(const SandboxId &, const QString &) override { return wrong<Result<Sandbox>>(); }
    QFuture<Done> suspend(const SandboxId &) override { return wrong<Done>(); }
    QFuture<Done> resume(const SandboxId &) override { return wrong<Done>(); }
    QFuture<Done> terminate(const SandboxId &) override { return wrong<Done>(); }
    QFuture<Result<SshKey>> addKey(const QString &, const QByteArray &) override { return wrong<Result<SshKey>>(); }
    QFuture<Done> removeKey(const QString &) override { return wrong<Done>(); }
    QFuture<Result<QList<PtySession>>> ptySessions(const Sandbox &) override { return wrong<Result<QList<PtySession>>>(); }
    QFuture<Result<PtySession>> ptySession(const Sandbox &, const QString &) override { return wrong<Result<PtySession>>(); }
    QFuture<Result<PtyHandle>> createPty(const Sandbox &, const ShellSpec &, TerminalSize) override { return wrong<Result<PtyHandle>>(); }
    QFuture<Done> resizePty(const Sandbox &, const QString &, TerminalSize) override { return wrong<Done>(); }
    QFuture<Done> killPty(const Sandbox &, const QString &) override { return wrong<Done>(); }
    std::unique_ptr<Shell> makePtyShell(const Sandbox &, const ShellSpec &, const std::optional<PtyHandle> &) override { return nullptr; }
    std::unique_ptr<RemoteCommand> makeCommand(const Sandbox &, const CommandSpec &) override { return nullptr; }

    int lists = 0;
    int others = 0; // calls that a registry has no business to make: they could wake a sandbox
    bool wasLive = false;
    Result<QList<SshKey>> keyAnswer = QList<SshKey>();
    std::unique_ptr<QPromise<Result<QList<Sandbox>>>> promise;

private:
    template <typename T>
    QFuture<T> wrong()
    {
        ++others;
        return QtFuture::makeReadyValueFuture(T(failure(ErrorKind::Unsupported, Layer::Provider)));
    }
};

// A clock that moves when the test says so.
struct Clock
{
    struct Due
    {
        std::chrono::milliseconds at;
        QPointer<QObject> context;
        std::function<void()> fn;
        bool stopped = false;
    };
    std::chrono::milliseconds now{0};
    std::vector<std::shared_ptr<Due>> due;

    SandboxRegistry::Timing timing()
    {
        SandboxRegistry::Timing timing;
        timing.now = [this] { return now; };
        timing.after = [this](std::chrono::milliseconds delay, QObject *context, std::function<void()> fn) {
            auto one = std::make_shared<Due>(Due{now + delay, context, std::move(fn)});
            due.push_back(one);
            return std::function<void()>([one] { one->stopped = true; });
        };
        return timing;
    }
    [[nodiscard]] int waiting() const
    {
        return int(std::count_if(due.begin(), due.end(), [](const auto &one) { return !one->stopped; }));
    }
    // How long until the one thing that waits; -1ms where nothing or more than one does.
    [[nodiscard]] std::chrono::milliseconds nextIn() const
    {
        for (const auto &one : due) {
            if (!one->stopped && waiting() == 1)
                return one->at - now;
        }
        return -1ms;
    }
    void goOn(std::chrono::milliseconds by)
    {
        now += by;
        const auto pending = due;
        for (const auto &one : pending) {
            if (!one->stopped && one->at <= now) {
                one->stopped = true;
                if (one->context)
                    one->fn();
            }
        }
    }
};

Sandbox box(const QString &id, SandboxState state = SandboxState::Running)
{
    Sandbox sandbox;
    sandbox.id = {u"tensorlake"_s, u"a"_s, id};
    sandbox.name = u"name-of-"_s + id;
    sandbox.state = state;
    sandbox.controlUrl = QUrl(u"https://"_s + id + u".example.com"_s);
    return sandbox;
}

Account account()
{
    Account out;
    out.id = u"a"_s;
    out.vendor = u"tensorlake"_s;
    out.name = u"Work"_s;
    return out;
}

const Result<QList<Sandbox>> failed = failure(ErrorKind::ServerError, Layer::Http, u"HTTP 500"_s);

} // namespace

class TestSandboxRegistry : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_clock = std::make_unique<Clock>();
        m_registry = std::make_unique<SandboxRegistry>(m_clock->timing());
        auto provider = std::make_unique<ScriptedProvider>();
        m_provider = provider.get();
        m_registry->addProvider(account(), std::move(provider));
    }
    void cleanup()
    {
        if (m_provider)
            QCOMPARE(m_provider->others, 0);
        m_registry.reset();
    }

    void anAnswerBecomesTheView()
    {
        QSignalSpy accounts(m_registry.get(), &SandboxRegistry::accountChanged);
        QSignalSpy sandboxes(m_registry.get(), &SandboxRegistry::sandboxesChanged);
        QCOMPARE(m_registry->view(u"a"_s)->state, SandboxRegistry::AccountState::Loading);
        answer(QList{box(u"1"_s), box(u"2"_s)});
        QVERIFY(m_provider->wasLive);
        QCOMPARE(m_registry->view(u"a"_s)->state, SandboxRegistry::AccountState::Ready);
        QCOMPARE(m_registry->sandbox(box(u"2"_s).id), box(u"2"_s));
        QVERIFY(!m_registry->sandbox(box(u"3"_s).id));
        QCOMPARE(accounts.size(), 1);
        QCOMPARE(sandboxes.size(), 1);
    }

    void nothingIsToldWhereNothingDiffers()
    {
        answer(QList{box(u"1"_s)});
        QSignalSpy accounts(m_registry.get(), &SandboxRegistry::accountChanged);
        QSignalSpy sandboxes(m_registry.get(), &SandboxRegistry::sandboxesChanged);
        m_clock->goOn(15s);
        answer(QList{box(u"1"_s)});
        QCOMPARE(accounts.size() + sandboxes.size(), 0);
        m_clock->goOn(15s);
        answer(QList{box(u"1"_s, SandboxState::Suspended)});
        QCOMPARE(sandboxes.size(), 1);
    }

    void pollingIsCalmUnlessSomethingIsOnItsWay_data()
    {
        QTest::addColumn<int>("state");
        QTest::addColumn<int>("seconds");
        QTest::newRow("running") << int(SandboxState::Running) << 15;
        QTest::newRow("suspended") << int(SandboxState::Suspended) << 15;
        QTest::newRow("unknown") << int(SandboxState::Unknown) << 15;
        QTest::newRow("pending") << int(SandboxState::Pending) << 5;
        QTest::newRow("suspending") << int(SandboxState::Suspending) << 5;
        QTest::newRow("snapshotting") << int(SandboxState::Snapshotting) << 5;
    }
    void pollingIsCalmUnlessSomethingIsOnItsWay()
    {
        QFETCH(int, state);
        QFETCH(int, seconds);
        answer(QList{box(u"1"_s), box(u"2"_s, SandboxState(state))});
        QCOMPARE(m_clock->nextIn(), std::chrono::seconds(seconds));
    }

    void failuresBackOffAndKeepWhatWasKnown()
    {
        answer(QList{box(u"1"_s)});
        m_clock->goOn(15s);
        QSignalSpy accounts(m_registry.get(), &SandboxRegistry::accountChanged);
        QList<qint64> waits;
        for (int i = 0; i < 7; ++i) {
            answer(failed);
            waits.append(std::chrono::duration_cast<std::chrono::seconds>(m_clock->nextIn()).count());
            m_clock->goOn(m_clock->nextIn());
        }
        QCOMPARE(waits, (QList<qint64>{30, 60, 120, 240, 300, 300, 300}));
        QCOMPARE(accounts.size(), 1); // the same failure is no news
        QCOMPARE(m_registry->view(u"a"_s)->state, SandboxRegistry::AccountState::Failed);
        QCOMPARE(m_registry->view(u"a"_s)->error, failed.error());
        QCOMPARE(m_registry->view(u"a"_s)->sandboxes.size(), 1);
        answer(QList{box(u"1"_s)});
        QCOMPARE(m_clock->nextIn(), 15s);
        QCOMPARE(m_registry->view(u"a"_s)->state, SandboxRegistry::AccountState::Ready);
        QCOMPARE(accounts.size(), 2);
    }

    void nothingIsAskedWhileHidden()
    {
        answer(QList{box(u"1"_s)});
        m_registry->setVisible(false);
        QCOMPARE(m_clock->waiting(), 0);
        m_clock->goOn(1h);
        QCOMPARE(m_provider->lists, 1);
        m_registry->setVisible(true);
        QCOMPARE(m_provider->lists, 2);
        answer(QList{box(u"1"_s)});
        // Quick hiding and showing is no reason to ask again.
        m_registry->setVisible(false);
        m_registry->setVisible(true);
        QCOMPARE(m_provider->lists, 2);
        QCOMPARE(m_clock->waiting(), 1);
    }

    void anAnswerThatComesWhileHiddenStartsNoTimer()
    {
        m_registry->setVisible(false);
        answer(QList{box(u"1"_s)});
        QCOMPARE(m_registry->view(u"a"_s)->sandboxes.size(), 1);
        QCOMPARE(m_clock->waiting(), 0);
    }

    void oneRequestAtATime()
    {
        m_registry->refresh(u"a"_s);
        m_registry->refreshAll();
        QCOMPARE(m_provider->lists, 1);
        answer(QList{box(u"1"_s)});
        m_registry->refresh(u"a"_s);
        QCOMPARE(m_provider->lists, 2);
        QCOMPARE(m_clock->waiting(), 0);
    }

    void whatWasPutInIsNewerThanAListUnderWay()
    {
        answer(QList{box(u"1"_s), box(u"2"_s)});
        m_registry->refresh(u"a"_s);
        m_registry->put(box(u"1"_s, SandboxState::Suspended));
        m_registry->put(box(u"new"_s, SandboxState::Pending));
        m_registry->drop(box(u"2"_s).id);
        answer(QList{box(u"1"_s), box(u"2"_s)});
        QCOMPARE(m_registry->sandbox(box(u"1"_s).id)->state, SandboxState::Suspended);
        QVERIFY(m_registry->sandbox(box(u"new"_s).id));
        QVERIFY(!m_registry->sandbox(box(u"2"_s).id));
        QCOMPARE(m_clock->nextIn(), 5s);
        // The next list has the last word.
        m_clock->goOn(5s);
        answer(QList{box(u"1"_s)});
        QCOMPARE(m_registry->view(u"a"_s)->sandboxes, QList{box(u"1"_s)});
    }

    void puttingTheSameAgainTellsNothing()
    {
        answer(QList{box(u"1"_s)});
        QSignalSpy sandboxes(m_registry.get(), &SandboxRegistry::sandboxesChanged);
        m_registry->put(box(u"1"_s));
        m_registry->drop(box(u"9"_s).id);
        QCOMPARE(sandboxes.size(), 0);
        m_registry->put(box(u"1"_s, SandboxState::Pending));
        QCOMPARE(sandboxes.size(), 1);
        QCOMPARE(m_clock->nextIn(), 5s);
    }

    void aProviderMayGoWhileItIsAsked()
    {
        QSignalSpy removed(m_registry.get(), &SandboxRegistry::accountRemoved);
        QPointer<SandboxProvider> gone = m_registry->provider(u"a"_s);
        m_registry->removeProvider(u"a"_s);
        QCOMPARE(removed.size(), 1);
        QVERIFY(m_registry->accountIds().isEmpty() && !m_registry->view(u"a"_s));
        m_provider->answer(QList{box(u"1"_s)});
        QTRY_VERIFY(gone.isNull());
        m_provider = nullptr;
        // The late answer of the old one is not taken for one of its successor.
        auto next = std::make_unique<ScriptedProvider>();
        m_provider = next.get();
        m_registry->addProvider(account(), std::move(next));
        QCoreApplication::processEvents();
        QCOMPARE(m_registry->view(u"a"_s)->state, SandboxRegistry::AccountState::Loading);
    }

    void anAnswerThatNeverCameIsAFailure()
    {
        m_provider->promise.reset(); // a promise that is broken cancels its future
        QTRY_COMPARE(m_registry->view(u"a"_s)->state, SandboxRegistry::AccountState::Failed);
        QCOMPARE(m_clock->nextIn(), 30s);
    }

    void aRegistryMayGoWhileItWaits()
    {
        QSignalSpy accounts(m_registry.get(), &SandboxRegistry::accountChanged);
        const int waiting = m_clock->waiting();
        m_provider = nullptr;
        m_registry.reset();
        QCoreApplication::processEvents();
        QCOMPARE(accounts.size(), 0);
        QCOMPARE(m_clock->waiting(), waiting);
    }

    void keysAreKeptBesideTheirError()
    {
        answer(QList<Sandbox>());
        QSignalSpy keys(m_registry.get(), &SandboxRegistry::keysChanged);
        m_provider->keyAnswer = failure(ErrorKind::PermissionDenied, Layer::Provider);
        m_registry->refreshKeys(u"a"_s);
        QTRY_COMPARE(keys.size(), 1);
        QVERIFY(!m_registry->view(u"a"_s)->keysKnown);
        QCOMPARE(m_registry->view(u"a"_s)->keysError->kind, ErrorKind::PermissionDenied);
        QCOMPARE(m_registry->view(u"a"_s)->state, SandboxRegistry::AccountState::Ready);
        SshKey key;
        key.id = u"k"_s;
        m_provider->keyAnswer = QList{key};
        m_registry->refreshKeys(u"a"_s);
        QTRY_COMPARE(keys.size(), 2);
        QVERIFY(m_registry->view(u"a"_s)->keysKnown && !m_registry->view(u"a"_s)->keysError);
        m_registry->refreshKeys(u"a"_s);
        QTest::qWait(20);
        QCOMPARE(keys.size(), 2);
    }

    void aLongListIsComparedElsewhere()
    {
        QList<Sandbox> many;
        for (int i = 0; i < 5000; ++i)
            many.append(box(u"box%1"_s.arg(i)));
        QSignalSpy sandboxes(m_registry.get(), &SandboxRegistry::sandboxesChanged);
        m_provider->answer(many);
        QTRY_COMPARE_WITH_TIMEOUT(sandboxes.size(), 1, 20s);
        // The same values in other memory, as a second poll brings them.
        QList<Sandbox> again;
        for (int i = 0; i < 5000; ++i)
            again.append(box(u"box%1"_s.arg(i)));
        m_registry->refresh(u"a"_s);
        m_provider->answer(again);
        QTRY_COMPARE_WITH_TIMEOUT(m_clock->waiting(), 1, 20s);
        QCOMPARE(sandboxes.size(), 1);
        again[4321].state = SandboxState::Suspended;
        m_registry->refresh(u"a"_s);
        m_provider->answer(again);
        QTRY_COMPARE_WITH_TIMEOUT(sandboxes.size(), 2, 20s);
        QCOMPARE(m_registry->sandbox(again.at(4321).id)->state, SandboxState::Suspended);
    }

private:
    void answer(const Result<QList<Sandbox>> &result)
    {
        m_provider->answer(result);
        // The answer arrives by the event loop.
        QCoreApplication::processEvents();
        QCoreApplication::processEvents();
    }

    std::unique_ptr<Clock> m_clock;
    std::unique_ptr<SandboxRegistry> m_registry;
    ScriptedProvider *m_provider = nullptr;
};

QTEST_GUILESS_MAIN(TestSandboxRegistry)
#include "tst_sandboxregistry.moc"

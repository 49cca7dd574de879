// The workspace with real tabs, panes, terminals and standing shells; only the vendor is played.
#include "tests/support/fakeprovider.h"
#include "tests/support/fakeshell.h"
#include "ui/actions.h"
#include "ui/closequestion.h"
#include "ui/newterminaldialog.h"
#include "ui/panebanner.h"
#include "ui/tabbar.h"
#include "ui/terminalpane.h"
#include "ui/workspace.h"

#include <QAbstractButton>
#include <QApplication>
#include <QCheckBox>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QPromise>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = StandingShell::State;

namespace {

constexpr int patience = 20'000;
#define TRY(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, patience)
#define TRY_COMPARE(a, b) QTRY_COMPARE_WITH_TIMEOUT(a, b, patience)

template <typename Dialog>
Dialog *shown()
{
    for (QWidget *widget : QApplication::topLevelWidgets()) {
        if (auto *dialog = qobject_cast<Dialog *>(widget); dialog && dialog->isVisible())
            return dialog;
    }
    return nullptr;
}

QAbstractButton *buttonWith(const QWidget *in, const QString &text)
{
    for (QAbstractButton *button : in->findChildren<QAbstractButton *>()) {
        if (button->text() == text && button->isVisible())
            return button;
    }
    return nullptr;
}

void click(const QWidget *in, const QString &text)
{
    QAbstractButton *button = buttonWith(in, text);
    QVERIFY2(button, qPrintable(text));
    QTest::mouseClick(button, Qt::LeftButton);
}

} // namespace

class TestWorkspace : public QObject
{
    Q_OBJECT
private slots:
    void init();
    void cleanup();

    void anOpenedTerminalHasAShellOfItsSize();
    void bytesGoBothWays();
    void closingAsksOnceAndDetaches();
    void aClosedTabComesBackIntoItsSession();
    void anSshShellEndsWithItsTab();
    void afterAKillTheSameTabsReattach();
    void aDamagedTabsFileIsToldAndNothingElseFails();
    void aTabWaitsForItsAccount();
    void aLostConnectionIsToldAndCanBeStopped();
    void aSuspendedSandboxIsResumedOnlyOnDemand();
    void theStepAgainstAnErrorIsTakenByItsButton_data();
    void theStepAgainstAnErrorIsTakenByItsButton();
    void aSandboxThatRefusesAsleepIsWokenByTheButton_data();
    void aSandboxThatRefusesAsleepIsWokenByTheButton();
    void anEndedShellSaysItsCodeAndStartsAgain();
    void aGoneShellKeepsItsScreen();
    void backgroundTabsAreMarkedUntilLookedAt();
    void tabsAreReachedByTheirActions();
    void aRenamedSandboxRenamesItsTabs();
    void aTabKeepsTheTitleItWasGiven();
    void newTerminalWithRemembersWhatItWasTold();
    void quittingAsksAndRemembers();
    void endingAShellIsAskedAndDone();
    void hostileTitlesStayBounded();
    void readOnlyTerminalsSayNothing();
    void theWelcomePageIsThereWithoutTabs();
    void pastingSeveralLinesIsAskedInThePane();
    void linksToTheSandboxItselfAreReachedFirst();
    void whatAProgramPrintsAndAPersonTypesIsTold();

private:
    Workspace *make();
    Sandbox box(const QString &name, SandboxState state = SandboxState::Running);
    TerminalPane *pane(int index) const;
    [[nodiscard]] FakeShell *openShell(int index);
    [[nodiscard]] QString tabsFile() const { return m_dir->filePath(u"tabs.json"_s); }

    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<Keychain> m_keychain;
    std::unique_ptr<SandboxRegistry> m_registry;
    QPointer<FakeProvider> m_provider;
    std::unique_ptr<FakeProvider> m_provided; // until the registry takes it
    std::unique_ptr<QWidget> m_window;
    QPointer<Workspace> m_workspace;
    QList<QPointer<FakeShell>> m_shells; // in the order they were made
    QStringList m_known; // the session each was told, empty where it is new
    QList<ShellSpec> m_specs;
    Account m_account;
    int m_sessions = 0;
    bool m_refusesAttach = false;
    std::optional<Error> m_refusesOnce; // the next SSH shell
    std::optional<QPromise<Result<QUrl>>> m_reaching; // the page that is wanted
    QList<QUrl> m_reached;
    bool m_shellsOpen = true;
};

void TestWorkspace::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
    QVERIFY(m_dir->isValid());
    m_keychain = makeMemoryKeychain();
    m_registry = std::make_unique<SandboxRegistry>();
    m_registry->setVisible(false); // no polling: the test says what is known
    m_account = {};
    m_account.id = u"account"_s;
    m_account.name = u"Somewhere"_s;
    m_account.vendor = u"fake"_s;
    m_provided = std::make_unique<FakeProvider>(m_account.id);
    m_provider = m_provided.get();
    m_provider->shellMaker = [this](const Sandbox &, const ShellSpec &spec, const std::optional<PtyHandle> &known) {
        auto shell = std::make_unique<FakeShell>();
        shell->opensAtOnce = m_shellsOpen;
        if (known && m_refusesAttach)
            shell->refuses = Error{ErrorKind::NotFound, Layer::WebSocket, {}, {}};
        m_shells << shell.get();
        m_known << (known ? known->sessionId : QString());
        m_specs << spec;
        if (!known) {
            const QPointer<FakeShell> same(shell.get());
            const QString id = u"pty-%1"_s.arg(++m_sessions);
            QMetaObject::invokeMethod(m_provider, [this, same, id] {
                if (same)
                    emit m_provider->ptySessionKnown(same, {id, std::make_shared<Secret>("token")});
            }, Qt::QueuedConnection);
        }
        return shell;
    };
    m_shells.clear();
    m_known.clear();
    m_specs.clear();
    m_sessions = 0;
    m_refusesAttach = false;
    m_refusesOnce.reset();
    m_reaching.reset();
    m_reached.clear();
    m_shellsOpen = true;
    make();
}

void TestWorkspace::cleanup()
{
    m_window.reset();
    m_registry.reset();
    m_provided.reset();
    m_keychain.reset();
}

Workspace *TestWorkspace::make()
{
    WorkspaceServices services;
    services.registry = m_registry.get();
    services.keychain = m_keychain.get();
    services.tabsFile = tabsFile();
    services.launchesFile = m_dir->filePath(u"launches.json"_s);
    services.reach = [this](const SandboxId &, const QUrl &url) {
        m_reached.append(url);
        m_reaching.emplace();
        m_reaching->start();
        return m_reaching->future();
    };
    services.shellServices = [this](const SandboxId &id) {
        StandingShell::Services s;
        s.provider = m_registry->provider(id.account);
        s.keychain = m_keychain.get();
        s.makeSshShell = [this](const Sandbox &, const ShellSpec &spec) {
            auto shell = std::make_unique<FakeShell>();
            shell->reattachable = false;
            if (m_refusesOnce)
                shell->refuses = std::exchange(m_refusesOnce, std::nullopt);
            m_shells << shell.get();
            m_known << QString();
            m_specs << spec;
            return shell;
        };
        s.random = [] { return 0.5; };
        s.after = [](std::chrono::milliseconds delay, QObject *context, std::function<void()> fn) {
            auto *timer = new QTimer(context);
            timer->setSingleShot(true);
            connect(timer, &QTimer::timeout, context, [timer, fn] {
                timer->deleteLater();
                fn();
            });
            timer->start(delay);
            return [guard = QPointer<QTimer>(timer)] { delete guard; };
        };
        return s;
    };
    m_window = std::make_unique<QWidget>();
    m_window->resize(900, 500);
    m_workspace = new Workspace(services, m_window.get());
    m_workspace->resize(900, 500);
    m_window->show();
    return m_workspace;
}

Sandbox TestWorkspace::box(const QString &name, SandboxState state)
{
    if (m_provided)
        m_registry->addProvider(m_account, std::move(m_provided));
    const Sandbox sandbox = m_provider->make(name, state);
    m_provider->sandboxes.removeIf([&](const Sandbox &old) { return old.id == sandbox.id; });
    m_provider->sandboxes << sandbox;
    m_registry->put(sandbox);
    return sandbox;
}

TerminalPane *TestWorkspace::pane(int index) const
{
    const auto panes = m_workspace->findChildren<TerminalPane *>();
    const TabFace face = m_workspace->findChild<TabBar *>()->face(index);
    for (TerminalPane *candidate : panes) {
        if (candidate->face() == face)
            return candidate;
    }
    return nullptr;
}

// Waits until the shell of that number is open.
FakeShell *TestWorkspace::openShell(int index)
{
    const bool open = QTest::qWaitFor([&] {
        return m_shells.size() > index && m_shells.at(index) && m_shells.at(index)->state() == ShellState::Open;
    }, patience);
    return open ? m_shells.at(index).data() : nullptr;
}

void TestWorkspace::anOpenedTerminalHasAShellOfItsSize()
{
    QSignalSpy titles(m_workspace, &Workspace::titleChanged);
    const Sandbox sandbox = box(u"box-1"_s);
    m_workspace->openTerminal(sandbox, ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    QCOMPARE(m_workspace->tabCount(), 1);
    QCOMPARE(m_workspace->shellCount(sandbox.id), 1);
    QCOMPARE(m_workspace->shellCount({u"fake"_s, u"account"_s, u"other"_s}), 0);
    QCOMPARE(m_workspace->currentTitle(), u"box-1"_s);
    QCOMPARE(titles.last().first().toString(), u"box-1"_s);
    QVERIFY(shell->sizes.first().columns > 40);
    QVERIFY(shell->sizes.first().rows > 10);
    QVERIFY(!pane(0)->banner()->isVisible());
}

void TestWorkspace::bytesGoBothWays()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    shell->say("hello from there\r\n");
    TRY(pane(0)->view()->visibleText().contains("hello from there"));
    TRY_COMPARE(shell->unconsumed, 0);
    pane(0)->view()->pasteText(u"ls"_s);
    TRY(shell->written.contains("ls"));
}

void TestWorkspace::closingAsksOnceAndDetaches()
{
    QSignalSpy choices(m_workspace, &Workspace::closeChoicesChanged);
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    m_workspace->openTerminal(box(u"box-2"_s), ShellRoute::Pty);
    QVERIFY(openShell(0) && openShell(1));
    m_workspace->closeTab();
    QVERIFY(shown<CloseQuestionBox>());
    QVERIFY(shown<CloseQuestionBox>()->text().contains(u"box-2"_s));
    click(shown<CloseQuestionBox>(), u"Cancel"_s);
    TRY(!shown<CloseQuestionBox>());
    QCOMPARE(m_workspace->tabCount(), 2);

    m_workspace->closeTab();
    QVERIFY(shown<CloseQuestionBox>());
    shown<CloseQuestionBox>()->checkBox()->setChecked(true);
    const QPointer<FakeShell> second = m_shells.at(1);
    click(shown<CloseQuestionBox>(), u"Close tab"_s);
    TRY_COMPARE(m_workspace->tabCount(), 1);
    TRY(!second || second->detached == 1);
    QCOMPARE(choices.size(), 1);
    QVERIFY(!choices.first().first().value<CloseChoices>().askBeforeDetaching);

    TRY(!shown<CloseQuestionBox>());
    m_workspace->closeTab(); // not asked any more
    QCOMPARE(m_workspace->tabCount(), 0);
    QCOMPARE(m_workspace->currentIndex(), -1);
    QCOMPARE(m_workspace->shellCount(), 0);
}

void TestWorkspace::aClosedTabComesBackIntoItsSession()
{
    m_workspace->setCloseChoices({false, false, false});
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(openShell(0));
    TRY_COMPARE(pane(0)->kept().shell.ptySession, u"pty-1"_s);
    QVERIFY(!m_workspace->canReopen());
    m_workspace->closeTab();
    QVERIFY(m_workspace->canReopen());
    m_workspace->reopenClosedTab();
    FakeShell *again = openShell(1);
    QVERIFY(again);
    QCOMPARE(again->attached, 1);
    QCOMPARE(m_known.at(1), u"pty-1"_s);
    QVERIFY(!m_workspace->canReopen());

    // A shell that is over is begun anew instead.
    again->exit(0);
    TRY_COMPARE(pane(0)->status().state, State::Ended);
    m_workspace->closeTab();
    m_workspace->reopenClosedTab();
    QVERIFY(openShell(2));
    QCOMPARE(m_shells.at(2)->opened, 1);
}

void TestWorkspace::anSshShellEndsWithItsTab()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Ssh);
    QVERIFY(openShell(0));
    m_workspace->closeTab();
    QVERIFY(shown<CloseQuestionBox>());
    QVERIFY(shown<CloseQuestionBox>()->text().contains(u"ends"_s));
    click(shown<CloseQuestionBox>(), u"Close tab"_s);
    TRY_COMPARE(m_workspace->tabCount(), 0);
}

void TestWorkspace::afterAKillTheSameTabsReattach()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    m_workspace->openTerminal(box(u"box-2"_s), ShellRoute::Pty);
    m_workspace->openTerminal(box(u"box-3"_s), ShellRoute::Pty);
    QVERIFY(openShell(0) && openShell(1) && openShell(2));
    m_workspace->selectTab(1);
    const auto written = [this] {
        QFile file(tabsFile());
        const QByteArray content = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        return content.contains("pty-3") && content.contains("\"current\": 1");
    };
    TRY(written());
    // What a kill leaves is the file as it is now, not as a good end would write it.
    QVERIFY(QFile::copy(tabsFile(), tabsFile() + u".killed"_s));
    m_window.reset();
    QVERIFY(QFile::remove(tabsFile()) && QFile::rename(tabsFile() + u".killed"_s, tabsFile()));

    make();
    QVERIFY(m_workspace->restore());
    QCOMPARE(m_workspace->tabCount(), 3);
    QCOMPARE(m_workspace->currentIndex(), 1);
    // All of them, also those that are not in front.
    QVERIFY(openShell(3) && openShell(4) && openShell(5));
    QStringList sessions = m_known.mid(3);
    sessions.sort();
    QCOMPARE(sessions, (QStringList{u"pty-1"_s, u"pty-2"_s, u"pty-3"_s}));
    for (int i = 3; i < 6; ++i) {
        QCOMPARE(m_shells.at(i)->attached, 1);
        QVERIFY(m_shells.at(i)->sizes.first().columns > 40);
    }
}

void TestWorkspace::aDamagedTabsFileIsToldAndNothingElseFails()
{
    QFile file(tabsFile());
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{damaged");
    file.close();
    QVERIFY(!m_workspace->restore());
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(openShell(0));
    QVERIFY(m_workspace->saveState());
}

void TestWorkspace::aTabWaitsForItsAccount()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(openShell(0));
    TRY_COMPARE(pane(0)->kept().shell.ptySession, u"pty-1"_s);
    QVERIFY(m_workspace->saveState());
    m_window.reset();
    const auto maker = m_provider->shellMaker;
    const QList<Sandbox> sandboxes = m_provider->sandboxes;
    m_registry->removeProvider(m_account.id);

    make();
    QVERIFY(m_workspace->restore());
    QCOMPARE(m_workspace->tabCount(), 1);
    TRY(pane(0)->banner()->isVisible());
    QVERIFY(pane(0)->banner()->text().contains(u"account"_s));
    QCOMPARE(m_workspace->shellCount(), 0);
    m_provided = std::make_unique<FakeProvider>(m_account.id);
    m_provider = m_provided.get();
    m_provider->shellMaker = maker;
    m_provider->sandboxes = sandboxes;
    m_registry->addProvider(m_account, std::move(m_provided));
    QVERIFY(openShell(1));
    QCOMPARE(m_known.at(1), u"pty-1"_s);
    TRY(!pane(0)->banner()->isVisible());
}

void TestWorkspace::aLostConnectionIsToldAndCanBeStopped()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    m_provider->failNext = Error{ErrorKind::HostUnreachable, Layer::Tcp, {}, {}};
    shell->lose();
    TRY_COMPARE(pane(0)->status().state, State::Waiting);
    QVERIFY(pane(0)->banner()->isVisible());
    QVERIFY2(pane(0)->banner()->text().startsWith(u"Connection lost. Trying again in "_s),
             qPrintable(pane(0)->banner()->text()));
    QCOMPARE(pane(0)->face().mark, TabMark::Waiting);
    QCOMPARE(m_workspace->shellCount(), 1); // still wanted
    // Its buttons are reached and left by keyboard.
    m_window->activateWindow();
    TRY(m_window->isActiveWindow());
    m_workspace->focusBanner();
    TRY(buttonWith(pane(0)->banner(), u"Retry now"_s)->hasFocus());
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    TRY(pane(0)->view()->isAncestorOf(QApplication::focusWidget()));
    click(pane(0)->banner(), u"Stop"_s);
    TRY_COMPARE(pane(0)->status().state, State::Stopped);
    click(pane(0)->banner(), u"Retry now"_s);
    QVERIFY(openShell(1));
    TRY(!pane(0)->banner()->isVisible());
}

void TestWorkspace::aSuspendedSandboxIsResumedOnlyOnDemand()
{
    QSignalSpy wanted(m_workspace, &Workspace::resumeWanted);
    m_workspace->openTerminal(box(u"box-1"_s, SandboxState::Suspended), ShellRoute::Pty);
    TRY_COMPARE(pane(0)->status().state, State::Suspended);
    QVERIFY(m_shells.isEmpty());
    QVERIFY(!m_provider->calls.contains(u"resume id-box-1"_s));
    QVERIFY(pane(0)->banner()->face().detail.contains(u"billing"_s));
    click(pane(0)->banner(), u"Resume"_s);
    QVERIFY(openShell(0));
    QVERIFY(m_provider->calls.contains(u"resume id-box-1"_s));
    QCOMPARE(wanted.size(), 1);
}

void TestWorkspace::theStepAgainstAnErrorIsTakenByItsButton_data()
{
    QTest::addColumn<Error>("error");
    QTest::addColumn<QString>("button");
    QTest::addColumn<BannerAction>("step");
    const auto row = [](const char *name, ErrorKind kind, Layer layer, const QString &detail, const QString &button, BannerAction step) {
        QTest::newRow(name) << Error{kind, layer, detail, {}} << button << step;
    };
    row("register", ErrorKind::KeyNotRegistered, Layer::Auth, {}, u"Register a key"_s, BannerAction::RegisterKey);
    row("choose", ErrorKind::AuthRejected, Layer::Ssh, u"12 keys were offered"_s, u"Choose a key"_s, BannerAction::ChooseKey);
    row("host key", ErrorKind::HostKeyChanged, Layer::Ssh, {}, u"Compare host keys"_s, BannerAction::ReviewHostKey);
    row("create", ErrorKind::ServerError, Layer::WebSocket, u"{\"port\":22}"_s, u"New sandbox"_s, BannerAction::CreateSandbox);
    row("refresh", ErrorKind::Conflict, Layer::Provider, {}, u"Refresh the list"_s, BannerAction::RefreshList);
    row("sign in", ErrorKind::PermissionDenied, Layer::Provider, {}, u"Sign in again"_s, BannerAction::SignInAgain);
}

void TestWorkspace::theStepAgainstAnErrorIsTakenByItsButton()
{
    QFETCH(Error, error);
    QFETCH(QString, button);
    QFETCH(BannerAction, step);
    QSignalSpy wanted(m_workspace, &Workspace::stepWanted);
    m_refusesOnce = error;
    const Sandbox sandbox = box(u"box-1"_s);
    m_workspace->openTerminal(sandbox, ShellRoute::Ssh);
    TRY_COMPARE(pane(0)->status().state, State::Failed);
    click(pane(0)->banner(), button);
    QCOMPARE(wanted.size(), 1);
    QCOMPARE(wanted.first().at(0).value<BannerAction>(), step);
    QCOMPARE(wanted.first().at(1).value<SandboxId>(), sandbox.id);
    QCOMPARE(pane(0)->status().state, State::Failed); // the pane waits for what comes of it
    click(pane(0)->banner(), u"Retry now"_s);
    QVERIFY(openShell(1));
}

void TestWorkspace::aSandboxThatRefusesAsleepIsWokenByTheButton_data()
{
    QTest::addColumn<Error>("error");
    QTest::addColumn<QString>("button");
    QTest::newRow("resume") << Error{ErrorKind::PermissionDenied, Layer::Ssh, u"sandbox x is currently suspended"_s, {}} << u"Resume sandbox"_s;
    QTest::newRow("start") << Error{ErrorKind::Io, Layer::Ssh, u"failed to start \"x\""_s, {}} << u"Start sandbox"_s;
}

void TestWorkspace::aSandboxThatRefusesAsleepIsWokenByTheButton()
{
    QFETCH(Error, error);
    QFETCH(QString, button);
    QSignalSpy wanted(m_workspace, &Workspace::resumeWanted);
    m_refusesOnce = error;
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Ssh);
    TRY_COMPARE(pane(0)->status().state, State::Failed);
    QVERIFY(pane(0)->banner()->face().detail.contains(u"billing"_s));
    QVERIFY(!m_provider->calls.contains(u"resume id-box-1"_s));
    click(pane(0)->banner(), button);
    QVERIFY(openShell(1));
    QCOMPARE(m_provider->calls.count(u"resume id-box-1"_s), 1);
    QCOMPARE(wanted.size(), 1);
}

void TestWorkspace::anEndedShellSaysItsCodeAndStartsAgain()
{
    QSignalSpy noteworthy(m_workspace, &Workspace::noteworthy);
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    shell->exit(3);
    TRY_COMPARE(pane(0)->banner()->text(), u"Ended with code 3"_s);
    QCOMPARE(noteworthy.size(), 1);
    QCOMPARE(noteworthy.first(), (QVariantList{u"box-1"_s, u"Ended with code 3"_s}));
    QCOMPARE(m_workspace->shellCount(), 0);
    click(pane(0)->banner(), u"Restart"_s);
    QVERIFY(openShell(1));
    QCOMPARE(m_shells.at(1)->opened, 1);
    TRY_COMPARE(pane(0)->notice()->text(), u"A new shell was started."_s);
    QVERIFY(pane(0)->notice()->isVisible());
    click(pane(0)->notice(), u"Dismiss"_s);
    QVERIFY(!pane(0)->notice()->isVisible());

    m_shells.at(1)->exit(0);
    TRY_COMPARE(pane(0)->banner()->text(), u"Ended"_s);
    click(pane(0)->banner(), u"Close"_s); // nothing to lose: not asked
    TRY_COMPARE(m_workspace->tabCount(), 0);
}

void TestWorkspace::aGoneShellKeepsItsScreen()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    shell->say("precious\r\n");
    TRY(pane(0)->view()->visibleText().contains("precious"));
    m_refusesAttach = true;
    shell->lose();
    TRY_COMPARE(pane(0)->status().state, State::Gone);
    QVERIFY(pane(0)->view()->visibleText().contains("precious"));
    QCOMPARE(pane(0)->face().mark, TabMark::Problem);
    click(pane(0)->banner(), u"Start a new shell"_s);
    TRY(m_shells.last() && m_shells.last()->opened == 1);
}

void TestWorkspace::backgroundTabsAreMarkedUntilLookedAt()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    m_workspace->openTerminal(box(u"box-2"_s), ShellRoute::Pty);
    QVERIFY(openShell(0) && openShell(1));
    auto *bar = m_workspace->findChild<TabBar *>();
    // What comes right after opening was seen before; then there is output that was not.
    TRY((m_shells.at(0)->say("more\r\n"), bar->face(0).mark == TabMark::Activity));
    m_shells.at(0)->say("\a");
    TRY_COMPARE(bar->face(0).mark, TabMark::Bell);
    m_shells.at(1)->say("in front\r\n\a");
    TRY(pane(1)->view()->visibleText().contains("in front"));
    QCOMPARE(bar->face(1).mark, TabMark::None);
    m_workspace->selectTab(0);
    QCOMPARE(bar->face(0).mark, TabMark::None);
}

void TestWorkspace::tabsAreReachedByTheirActions()
{
    for (const QString &name : {u"one"_s, u"two"_s, u"three"_s})
        m_workspace->openTerminal(box(name), ShellRoute::Pty);
    QCOMPARE(m_workspace->currentIndex(), 2);
    m_workspace->nextTab();
    QCOMPARE(m_workspace->currentTitle(), u"one"_s);
    m_workspace->previousTab();
    QCOMPARE(m_workspace->currentTitle(), u"three"_s);
    m_workspace->selectTab(1);
    QCOMPARE(m_workspace->currentTitle(), u"two"_s);
    m_workspace->moveTabLeft();
    QCOMPARE(m_workspace->currentIndex(), 0);
    QCOMPARE(m_workspace->currentTitle(), u"two"_s);
    m_workspace->moveTabLeft(); // nowhere to go
    m_workspace->selectTab(77);
    QCOMPARE(m_workspace->currentIndex(), 0);
    m_workspace->selectLastTab();
    QCOMPARE(m_workspace->currentTitle(), u"three"_s);
    m_workspace->newTerminal();
    QCOMPARE(m_workspace->tabCount(), 4);
    QCOMPARE(m_workspace->currentTitle(), u"three"_s);
}

void TestWorkspace::aRenamedSandboxRenamesItsTabs()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(openShell(0));
    Sandbox renamed = m_provider->make(u"box-1"_s);
    renamed.name = u"better"_s;
    m_registry->put(renamed);
    TRY_COMPARE(m_workspace->currentTitle(), u"better"_s);
}

void TestWorkspace::aTabKeepsTheTitleItWasGiven()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(openShell(0));
    m_workspace->renameTab();
    auto *dialog = shown<QInputDialog>();
    QVERIFY(dialog);
    dialog->setTextValue(u"the build"_s);
    click(dialog, u"Rename"_s);
    TRY_COMPARE(m_workspace->currentTitle(), u"the build"_s);
    m_shells.first()->say("\x1b]0;vim\x07");
    QVERIFY(m_workspace->saveState());
    m_window.reset();
    make();
    QVERIFY(m_workspace->restore());
    QCOMPARE(m_workspace->currentTitle(), u"the build"_s);
}

void TestWorkspace::newTerminalWithRemembersWhatItWasTold()
{
    const Sandbox sandbox = box(u"box-1"_s);
    m_workspace->openTerminalWith(sandbox);
    auto *dialog = shown<NewTerminalDialog>();
    QVERIFY(dialog);
    QCOMPARE(dialog->form(), formFor(defaultLaunch(ShellRoute::Pty)));
    LaunchForm form = dialog->form();
    form.command = u"/usr/bin/python3"_s;
    form.arguments = u"-i 'my file.py'"_s;
    form.environment = u"A=1"_s;
    form.directory = u"/srv"_s;
    dialog->setForm(form);
    click(dialog, u"Open terminal"_s);
    QVERIFY(openShell(0));
    QCOMPARE(m_specs.first().command, form.command);
    QCOMPARE(m_specs.first().arguments, (QStringList{u"-i"_s, u"my file.py"_s}));
    QCOMPARE(m_specs.first().environment.value(u"A"_s), u"1"_s);
    QCOMPARE(m_specs.first().workingDirectory, u"/srv"_s);
    TRY(!shown<NewTerminalDialog>());
    // The next start of the program still knows it, for this sandbox only.
    m_window.reset();
    make();
    m_workspace->openTerminalWith(sandbox);
    QCOMPARE(shown<NewTerminalDialog>()->form(), form);
    shown<NewTerminalDialog>()->reject();
    TRY(!shown<NewTerminalDialog>());
    Sandbox other = box(u"box-2"_s);
    other.capabilities.refuse(Capability::PtyShell, u"This vendor has no PTY."_s);
    m_workspace->openTerminalWith(other);
    QCOMPARE(shown<NewTerminalDialog>()->form().command, u"/bin/bash"_s);
    QCOMPARE(shown<NewTerminalDialog>()->form().route, ShellRoute::Ssh);
    const auto labels = shown<NewTerminalDialog>()->findChildren<QLabel *>();
    QVERIFY(std::ranges::any_of(labels, [](const QLabel *l) { return l->text() == u"This vendor has no PTY."_s; }));
}

void TestWorkspace::quittingAsksAndRemembers()
{
    QSignalSpy agreed(m_workspace, &Workspace::quitAgreed);
    m_workspace->askToQuit();
    QCOMPARE(agreed.size(), 1); // nothing is open
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(openShell(0));
    m_workspace->askToQuit();
    QCOMPARE(agreed.size(), 1);
    QVERIFY(shown<CloseQuestionBox>());
    shown<CloseQuestionBox>()->checkBox()->setChecked(true);
    click(shown<CloseQuestionBox>(), u"Quit"_s);
    TRY_COMPARE(agreed.size(), 2);
    m_workspace->askToQuit();
    QCOMPARE(agreed.size(), 3);
}

void TestWorkspace::endingAShellIsAskedAndDone()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    m_workspace->endShell();
    QVERIFY(shown<CloseQuestionBox>());
    QCOMPARE(shell->kills, 0);
    click(shown<CloseQuestionBox>(), u"End shell"_s);
    TRY_COMPARE(pane(0)->status().state, State::Ended);
    QCOMPARE(m_workspace->tabCount(), 1);
    QCOMPARE(pane(0)->banner()->text(), u"The shell was ended"_s);
}

void TestWorkspace::hostileTitlesStayBounded()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    QSignalSpy titles(m_workspace, &Workspace::titleChanged);
    shell->say("\x1b]0;" + QByteArray(1 << 20, 'x') + "\x07");
    shell->say("\x1b]0;evil\xe2\x80\xae title\x07");
    shell->say("\x1b]7;file:///" + QByteArray(10'000, 'd') + "\x07" "done\r\n");
    TRY(pane(0)->view()->visibleText().contains("done"));
    TRY(m_workspace->currentTitle().contains(u"evil"_s));
    for (const auto &signal : titles) {
        const QString title = signal.first().toString();
        QVERIFY(title.size() < 300);
        QVERIFY(!title.contains(QChar(0x202e)));
    }
    QVERIFY(pane(0)->face().tip.size() < 1000);
}

void TestWorkspace::readOnlyTerminalsSayNothing()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    m_workspace->setReadOnly(true);
    QVERIFY(m_workspace->isReadOnly());
    QAbstractButton *mark = buttonWith(pane(0), u"Read-only"_s);
    QVERIFY(mark);
    QApplication::sendEvent(pane(0)->view(), std::make_unique<QKeyEvent>(QEvent::KeyPress, Qt::Key_A, Qt::NoModifier, u"a"_s).get());
    m_workspace->paste();
    QTest::mouseClick(mark, Qt::LeftButton);
    QVERIFY(!m_workspace->isReadOnly());
    pane(0)->view()->pasteText(u"b"_s);
    TRY(shell->written.contains('b'));
    QVERIFY(!shell->written.contains('a'));
}

void TestWorkspace::theWelcomePageIsThereWithoutTabs()
{
    m_workspace->setCloseChoices({false, false, false});
    auto *page = new QLabel(u"welcome"_s);
    m_workspace->showWelcome(page);
    TRY(page->isVisible());
    QSignalSpy wanted(m_workspace, &Workspace::newTerminalWanted);
    m_workspace->newTerminal();
    QCOMPARE(wanted.size(), 1);
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(!page->isVisible());
    m_workspace->closeTab();
    QVERIFY(page->isVisible());
    QVERIFY(!m_workspace->findChild<TabBar *>()->isVisible());
}

void TestWorkspace::pastingSeveralLinesIsAskedInThePane()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    emit pane(0)->view()->pasteConfirmationNeeded(u"one\ntwo"_s, 2);
    QAbstractButton *paste = buttonWith(pane(0), u"Paste"_s);
    QVERIFY(paste);
    QVERIFY(!QApplication::activeModalWidget());
    QVERIFY(pane(0)->rect().contains(paste->mapTo(pane(0), paste->rect().center())));
    QVERIFY(shell->written.isEmpty());
    QTest::mouseClick(paste, Qt::LeftButton);
    TRY(shell->written.contains("two"));
    // Not for a shell that is not there any more.
    emit pane(0)->view()->pasteConfirmationNeeded(u"three\nfour"_s, 2);
    QVERIFY(buttonWith(pane(0), u"Paste"_s));
    shell->exit(0);
    TRY_COMPARE(pane(0)->status().state, State::Ended);
    QVERIFY(!buttonWith(pane(0), u"Paste"_s));
}

void TestWorkspace::linksToTheSandboxItselfAreReachedFirst()
{
    m_workspace->openTerminal(box(u"box-1"_s), ShellRoute::Pty);
    QVERIFY(openShell(0));
    QSignalSpy opened(m_workspace, &Workspace::linkActivated);
    emit pane(0)->view()->linkActivated(QUrl(u"https://example.com/a"_s));
    QCOMPARE(opened.takeFirst().constFirst().toUrl(), QUrl(u"https://example.com/a"_s));
    QVERIFY(m_reached.isEmpty());

    emit pane(0)->view()->linkActivated(QUrl(u"http://0.0.0.0:3000/b?c"_s));
    QCOMPARE(m_reached, QList<QUrl>{QUrl(u"http://0.0.0.0:3000/b?c"_s)});
    TRY(pane(0)->notice()->text().contains(u"3000"_s)); // where it takes a moment
    QVERIFY(opened.isEmpty());
    m_reaching->addResult(Result<QUrl>(QUrl(u"http://localhost:3001/b?c"_s)));
    m_reaching->finish();
    TRY_COMPARE(opened.size(), 1);
    QCOMPARE(opened.takeFirst().constFirst().toUrl(), QUrl(u"http://localhost:3001/b?c"_s));
    QVERIFY(!pane(0)->notice()->isVisible());

    emit pane(0)->view()->linkActivated(QUrl(u"http://localhost:3000"_s));
    m_reaching->addResult(Result<QUrl>(failure(ErrorKind::SandboxNotRunning, Layer::SandboxState, {}, u"box-1"_s)));
    m_reaching->finish();
    TRY(pane(0)->notice()->isVisible());
    QVERIFY2(pane(0)->notice()->text().startsWith(u"Port 3000 of box-1 cannot be reached."_s), qPrintable(pane(0)->notice()->text()));
    QVERIFY(opened.isEmpty());
}

void TestWorkspace::whatAProgramPrintsAndAPersonTypesIsTold()
{
    const Sandbox sandbox = box(u"box-1"_s);
    m_workspace->openTerminal(sandbox, ShellRoute::Pty);
    FakeShell *shell = openShell(0);
    QVERIFY(shell);
    QSignalSpy printed(m_workspace, &Workspace::localUrlPrinted);
    QSignalSpy used(m_workspace, &Workspace::terminalUsed);
    // What comes right after a shell was attached has been seen before.
    shell->say("http://localhost:2999/\r\n");
    QVERIFY(printed.isEmpty());
    for (int port = 3000; printed.isEmpty() && port < 3400; ++port) {
        shell->say("at \x1b[1mhttp://localhost:" + QByteArray::number(port));
        shell->say("/x\x1b[0m\r\n");
        QTest::qWait(50);
    }
    QCOMPARE(printed.size(), 1);
    QCOMPARE(printed.constFirst().constFirst().value<SandboxId>(), sandbox.id);
    const QUrl url = printed.constFirst().at(1).toUrl();
    QVERIFY(url.port() >= 3000 && url.path() == "/x"_L1);
    QVERIFY(used.isEmpty());
    pane(0)->view()->pasteText(u"l"_s);
    QCOMPARE(used.size(), 1);
}

QTEST_MAIN(TestWorkspace)
#include "tst_workspace.moc"

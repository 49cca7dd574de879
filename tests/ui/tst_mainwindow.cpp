#include "session/ownhosts.h"
#include "tests/support/windowfixture.h"
#include "ui/accountdialog.h"
#include "ui/createdialog.h"
#include "ui/hostkeyspage.h"
#include "ui/keyspage.h"
#include "ui/logindialog.h"
#include "ui/carriedfiles.h"
#include "ui/mainwindow.h"
#include "ui/sandboxpanel.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDialog>
#include <QDragEnterEvent>
#include <QLineEdit>
#include <QListView>
#include <QMimeData>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int patience = 15000;

struct Rig
{
    explicit Rig(const QStringList &boxes = {u"alpha"_s, u"beta"_s})
        : f({u"one"_s})
    {
        f.prepare = [boxes](FakeProvider *provider) {
            if (provider->accountId() != u"one"_s)
                return;
            for (const QString &name : boxes)
                provider->sandboxes.append(provider->make(name));
        };
        WorkspaceServices services;
        services.registry = &f.registry();
        services.keychain = &f.keychain();
        services.files.transfers = &queue;
        services.shellServices = [](const SandboxId &) { return StandingShell::Services(); };
        ownHosts = std::make_unique<OwnHosts>(f.path(u"hosts.json"_s));
        window = std::make_unique<MainWindow>(MainWindow::Parts{.registry = &f.registry(),
                                                                .hub = &f.hub(),
                                                                .keychain = &f.keychain(),
                                                                .preferences = &f.preferences(),
                                                                .theme = &theme,
                                                                .workspace = services,
                                                                .ownHosts = ownHosts.get(),
                                                                .keys = &keys,
                                                                .logins = &logins});
        window->show();
        window->activateWindow();
        f.hub().start(AccountHub::LocalStart::OnlyIfRunning);
        panel = window->findChild<SandboxPanel *>();
        tree = window->findChild<QTreeView *>(u"sandboxTree"_s);
    }
    [[nodiscard]] QModelIndex find(const QString &name) const
    {
        for (int a = 0; a < tree->model()->rowCount(); ++a) {
            const QModelIndex top = tree->model()->index(a, 0);
            if (top.data().toString() == name)
                return top;
            for (int row = 0; row < tree->model()->rowCount(top); ++row) {
                if (tree->model()->index(row, 0, top).data().toString() == name)
                    return tree->model()->index(row, 0, top);
            }
        }
        return {};
    }
    [[nodiscard]] bool isReady() const { return find(u"beta"_s).isValid(); }
    [[nodiscard]] FakeProvider *provider(const QString &account = u"one"_s) const { return f.providers.value(account); }
    [[nodiscard]] QDialog *dialog(const QString &name) const { return window->findChild<QDialog *>(name); }

    WindowFixture f;
    TransferQueue queue{TransferQueue::Services{.makeLink = [](const SandboxId &, QObject *, auto) {}, .journalFile = {}}}; // nothing gets there
    AvailableKeys keys{f.path(u"ssh"_s), {}};
    LoginStore logins{f.path(u"logins.json"_s)};
    ThemeController theme;
    std::unique_ptr<OwnHosts> ownHosts;
    std::unique_ptr<MainWindow> window;
    SandboxPanel *panel = nullptr;
    QTreeView *tree = nullptr;
};

} // namespace

class TestMainWindow : public QObject
{
    Q_OBJECT
private slots:
    void sandboxesAreListedUnderTheirAccount()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        QCOMPARE(rig.find(u"beta"_s).parent().data().toString(), u"one"_s);
        QVERIFY(rig.tree->isExpanded(rig.find(u"one"_s)));
    }

    void theDrawerShowsOnePageAtATime()
    {
        Rig rig;
        auto *log = rig.window->findChild<QWidget *>(u"logDrawer"_s);
        auto *transfers = rig.window->findChild<QWidget *>(u"transferPanel"_s);
        QVERIFY(!log->isVisible() && !transfers->isVisible());
        const Actions &a = *rig.window->actions();
        a[ActionId::ToggleLog]->trigger();
        QVERIFY(log->isVisible());
        a[ActionId::ToggleTransfers]->trigger();
        QVERIFY(transfers->isVisible() && !log->isVisible());
        QVERIFY(!a[ActionId::ToggleLog]->isChecked());
        a[ActionId::ToggleTransfers]->trigger();
        QVERIFY(!transfers->isVisible() && !log->isVisible());
    }

    void theFirstTransferShowsTheListAndIsSummedUp()
    {
        Rig rig;
        QSignalSpy loaded(&rig.queue, &TransferQueue::loaded);
        QTRY_VERIFY_WITH_TIMEOUT(!loaded.isEmpty(), patience);
        CarriedFiles files;
        files.paths = {*FilePath::fromBytes("/etc/hostname")};
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.window->workspace()->sendFiles(files, rig.provider()->sandboxes.constFirst(), {});
        QVERIFY(rig.window->findChild<QWidget *>(u"transferPanel"_s)->isVisible());
        auto *summary = rig.window->findChild<QAbstractButton *>(u"transferSummary"_s);
        QVERIFY(summary->isVisible());
        QVERIFY(summary->text().startsWith(u"1 transfer"_s));
        summary->click(); // puts it away again
        QVERIFY(!rig.window->findChild<QWidget *>(u"transferPanel"_s)->isVisible());
    }

    void aDropOnASleepingSandboxAsksFirst()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        QSignalSpy wanted(rig.panel, &SandboxPanel::uploadWanted);
        const auto drop = [&](const QString &name) {
            QMimeData what;
            what.setUrls({QUrl(u"file:///etc/hostname"_s)});
            const QPoint at = rig.tree->visualRect(rig.find(name)).center();
            QDragEnterEvent enter(at, Qt::CopyAction, &what, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(rig.tree->viewport(), &enter);
            QDragMoveEvent move(at, Qt::CopyAction, &what, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(rig.tree->viewport(), &move);
            QDropEvent event(QPointF(at), Qt::CopyAction, &what, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(rig.tree->viewport(), &event);
            return event.isAccepted();
        };
        QVERIFY(drop(u"alpha"_s));
        QCOMPARE(wanted.size(), 1); // it runs
        QVERIFY(!drop(u"one"_s)); // an account
        rig.provider()->suspend(SandboxModel::sandboxAt(rig.find(u"beta"_s)).id);
        rig.f.registry().refresh(u"one"_s);
        QTRY_COMPARE_WITH_TIMEOUT(SandboxModel::sandboxAt(rig.find(u"beta"_s)).state, SandboxState::Suspended, patience);
        QVERIFY(drop(u"beta"_s));
        QCOMPARE(wanted.size(), 1); // nothing yet
        QVERIFY(!rig.provider()->calls.contains(u"resume id-beta"_s));
        QTRY_VERIFY_WITH_TIMEOUT(rig.dialog(u"confirmDialog"_s), patience);
        rig.dialog(u"confirmDialog"_s)->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QCOMPARE(wanted.size(), 2);
        QVERIFY(rig.provider()->calls.contains(u"resume id-beta"_s));
    }

    void everyControlHasANameToBeHeard()
    {
        Rig rig;
        const QList<QAbstractButton *> buttons = rig.window->findChildren<QAbstractButton *>();
        QVERIFY(!buttons.isEmpty());
        for (const QAbstractButton *button : buttons) {
            // Parts that Qt puts into its own widgets have no say of their own.
            if (!button->isVisibleTo(rig.window.get()) || button->objectName().startsWith("qt_"_L1) || button->parent()->inherits("QLineEdit") || button->parent()->inherits("QTabBar"))
                continue;
            QVERIFY2(!button->text().isEmpty() || !button->accessibleName().isEmpty(), qPrintable(button->objectName() + button->toolTip()));
        }
        for (const QLineEdit *field : rig.panel->findChildren<QLineEdit *>())
            QVERIFY(!field->accessibleName().isEmpty());
    }

    void renamingInPlaceAsksTheVendor()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.tree->setFocus();
        rig.tree->setCurrentIndex(rig.find(u"alpha"_s));
        rig.window->actions()->action(ActionId::RenameSandbox)->trigger();
        QLineEdit *edit = nullptr;
        QTRY_VERIFY_WITH_TIMEOUT((edit = rig.tree->findChild<QLineEdit *>(u"renameEdit"_s)), patience);
        edit->selectAll();
        QTest::keyClicks(edit, u"gamma"_s);
        QTest::keyClick(edit, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(rig.find(u"gamma"_s).isValid(), patience);
        QVERIFY(rig.provider()->calls.contains(u"rename id-alpha to gamma"_s));
        QVERIFY(!rig.find(u"alpha"_s).isValid());
        QCOMPARE(rig.tree->currentIndex().data().toString(), u"gamma"_s);
    }

    void aRenameThatFailsIsSaidAndTakenBack()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.provider()->failNext = Error{ErrorKind::Conflict, Layer::Provider, u"taken"_s, u"alpha"_s};
        QVERIFY(rig.tree->model()->setData(rig.find(u"alpha"_s), u"beta"_s));
        QTRY_VERIFY_WITH_TIMEOUT(rig.panel->notices()->isVisible(), patience);
        QVERIFY(!rig.panel->notices()->text().isEmpty());
        QVERIFY(rig.find(u"alpha"_s).isValid());
    }

    void terminatingAsksFirstAndNamesTheLoss()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.tree->setCurrentIndex(rig.find(u"alpha"_s));
        rig.window->actions()->action(ActionId::TerminateSandbox)->trigger();
        QDialog *dialog = nullptr;
        QTRY_VERIFY_WITH_TIMEOUT((dialog = rig.dialog(u"confirmDialog"_s)), patience);
        QVERIFY(dialog->windowTitle().contains(u"alpha"_s));
        QVERIFY(!rig.provider()->calls.contains(u"terminate id-alpha"_s));
        dialog->reject();
        QTRY_VERIFY_WITH_TIMEOUT(!rig.dialog(u"confirmDialog"_s), patience);
        QVERIFY(!rig.provider()->calls.contains(u"terminate id-alpha"_s));

        rig.window->actions()->action(ActionId::TerminateSandbox)->trigger();
        QTRY_VERIFY_WITH_TIMEOUT((dialog = rig.dialog(u"confirmDialog"_s)), patience);
        QTest::mouseClick(dialog->findChild<QPushButton *>(u"confirmVerb"_s), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(rig.provider()->calls.contains(u"terminate id-alpha"_s), patience);
        QTRY_VERIFY_WITH_TIMEOUT(!rig.find(u"alpha"_s).isValid(), patience);
    }

    void aSandboxIsMadeByTheDialog()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.panel->showCreateDialog(u"one"_s);
        QDialog *dialog = rig.dialog(u"createDialog"_s);
        QVERIFY(dialog);
        auto *name = dialog->findChild<QLineEdit *>(u"createName"_s);
        name->selectAll();
        QTest::keyClicks(name, u"fresh"_s);
        QTest::mouseClick(dialog->findChild<QPushButton *>(u"createButton"_s), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(rig.find(u"fresh"_s).isValid(), patience);
        QCOMPARE(rig.provider()->lastCreate.name, u"fresh"_s);
        QVERIFY(!rig.provider()->lastCreate.cpus);
        QCOMPARE(rig.tree->currentIndex().data().toString(), u"fresh"_s);
    }

    void theWelcomePageMakesALocalSandboxAtOnce()
    {
        Rig rig;
        auto *button = rig.window->findChild<QPushButton *>(u"welcomeCreate"_s);
        QVERIFY(button);
        QSignalSpy opened(rig.window->commands(), &SandboxCommands::openWanted);
        QTest::mouseClick(button, Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, patience);
        QCOMPARE(rig.f.gatewayStarts, 1);
        QVERIFY(rig.provider(u"local"_s)->calls.contains(u"create box-1"_s));
        QVERIFY(rig.f.preferences().isOn(Setting::LocalSandboxesUsed));
        QTRY_VERIFY_WITH_TIMEOUT(rig.find(u"box-1"_s).isValid(), patience);
    }

    void suspendAndResumeFollowTheVendor()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.tree->setCurrentIndex(rig.find(u"alpha"_s));
        rig.window->actions()->action(ActionId::SuspendSandbox)->trigger();
        const auto state = [&rig] { return SandboxModel::sandboxAt(rig.find(u"alpha"_s)).state; };
        QTRY_COMPARE_WITH_TIMEOUT(state(), SandboxState::Suspended, patience);
        QTRY_VERIFY_WITH_TIMEOUT(rig.window->actions()->action(ActionId::ResumeSandbox)->isEnabled(), patience);
        rig.window->actions()->action(ActionId::ResumeSandbox)->trigger();
        // Waking costs: it is said, and nothing happens until the answer.
        QVERIFY(rig.panel->notices()->isVisible());
        QVERIFY(!rig.provider()->calls.contains(u"resume id-alpha"_s));
        for (QPushButton *button : rig.panel->notices()->findChildren<QPushButton *>())
            button->click();
        QTRY_COMPARE_WITH_TIMEOUT(state(), SandboxState::Running, patience);
    }

    void aDoubleClickOpensTheWayLastTaken()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        QSignalSpy opened(rig.window->commands(), &SandboxCommands::openWanted);
        const Sandbox alpha = SandboxModel::sandboxAt(rig.find(u"alpha"_s));
        rig.window->commands()->open(alpha, ShellRoute::Ssh);
        emit rig.tree->activated(rig.find(u"alpha"_s));
        emit rig.tree->activated(rig.find(u"beta"_s));
        QCOMPARE(opened.size(), 3);
        QCOMPARE(opened.at(1).at(1).value<ShellRoute>(), ShellRoute::Ssh);
        QCOMPARE(opened.at(2).at(1).value<ShellRoute>(), ShellRoute::Pty);
        QCOMPARE(rig.window->commands()->recent().first().name, u"beta"_s);
    }

    void whatCannotBeDoneIsGreyWithItsReason()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        Sandbox alpha = SandboxModel::sandboxAt(rig.find(u"alpha"_s));
        alpha.capabilities.refuse(Capability::Suspend, u"Ephemeral ones cannot."_s);
        rig.f.registry().put(alpha);
        rig.tree->setCurrentIndex(rig.find(u"alpha"_s));
        QAction *suspend = rig.window->actions()->action(ActionId::SuspendSandbox);
        QTRY_VERIFY_WITH_TIMEOUT(!suspend->isEnabled(), patience);
        QCOMPARE(suspend->toolTip(), u"Ephemeral ones cannot."_s);
    }

    void typingInTheTreeFilters()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.tree->setFocus();
        QTest::keyClick(rig.tree, Qt::Key_B);
        auto *filter = rig.window->findChild<QLineEdit *>(u"sandboxFilter"_s);
        QCOMPARE(filter->text(), u"b"_s);
        QVERIFY(!rig.find(u"alpha"_s).isValid() || !rig.find(u"alpha"_s).parent().isValid() || rig.find(u"beta"_s).isValid());
        filter->setText(u"alp"_s);
        QVERIFY(rig.find(u"alpha"_s).isValid());
        QVERIFY(!rig.find(u"beta"_s).isValid());
        QTest::keyClick(filter, Qt::Key_Escape);
        QVERIFY(rig.find(u"beta"_s).isValid());
    }

    void thePaletteRunsWhatIsFound()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        QSignalSpy opened(rig.window->commands(), &SandboxCommands::openWanted);
        rig.window->actions()->action(ActionId::CommandPalette)->trigger();
        auto *field = rig.window->findChild<QLineEdit *>(u"paletteField"_s);
        QTRY_VERIFY_WITH_TIMEOUT(field->isVisible(), patience);
        QTest::keyClicks(field, u"beta"_s);
        QTest::keyClick(field, Qt::Key_Return);
        QCOMPARE(opened.size(), 1);
        QCOMPARE(opened.first().first().value<Sandbox>().name, u"beta"_s);
        QVERIFY(!field->isVisible());
        QVERIFY(!rig.f.preferences().value(Setting::PaletteUse).toMap().isEmpty());
    }

    void keysOpenInThePlaceOfTheWorkspace()
    {
        Rig rig;
        rig.window->actions()->action(ActionId::ManageKeys)->trigger();
        auto *page = rig.window->findChild<KeysPage *>();
        QVERIFY(page && page->isVisible());
        emit page->closeWanted();
        QVERIFY(!page->isVisible());
        QVERIFY(rig.window->workspace()->isVisible());
    }

    void hostKeysOpenInThePlaceOfTheWorkspace()
    {
        Rig rig;
        rig.window->actions()->action(ActionId::ManageHostKeys)->trigger();
        auto *page = rig.window->findChild<HostKeysPage *>();
        QVERIFY(page && page->isVisible());
        emit page->closeWanted();
        QVERIFY(!page->isVisible());
        rig.window->showHostKeys(u"SHA256:x"_s);
        QVERIFY(page->isVisible());
        QCOMPARE(page->findChild<QLineEdit *>(u"hostKeysFilter"_s)->text(), u"SHA256:x"_s);
    }

    void aStepAgainstAnErrorLeadsWhereItSays_data()
    {
        QTest::addColumn<BannerAction>("step");
        QTest::addColumn<QString>("leadsTo");
        QTest::newRow("register a key") << BannerAction::RegisterKey << u"keys"_s;
        QTest::newRow("choose a key") << BannerAction::ChooseKey << u"login"_s;
        QTest::newRow("compare host keys") << BannerAction::ReviewHostKey << u"host keys of fake/one/id-beta"_s;
        QTest::newRow("new sandbox") << BannerAction::CreateSandbox << u"create in one"_s;
        QTest::newRow("refresh") << BannerAction::RefreshList << u"list"_s;
        QTest::newRow("sign in again") << BannerAction::SignInAgain << u"account one"_s;
    }
    void aStepAgainstAnErrorLeadsWhereItSays()
    {
        QFETCH(BannerAction, step);
        QFETCH(QString, leadsTo);
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        const SandboxId id = rig.provider()->make(u"beta"_s).id;
        const QStringList before = rig.provider()->calls;
        emit rig.window->workspace()->stepWanted(step, id);
        const auto where = [&]() -> QString {
            auto *keys = rig.window->findChild<KeysPage *>();
            auto *hostKeys = rig.window->findChild<HostKeysPage *>();
            auto *create = rig.window->findChild<CreateDialog *>();
            auto *account = rig.window->findChild<AccountDialog *>();
            if (keys && keys->isVisible())
                return u"keys"_s;
            if (hostKeys && hostKeys->isVisible())
                return u"host keys of "_s + hostKeys->findChild<QLineEdit *>(u"hostKeysFilter"_s)->text();
            if (create && create->isVisible())
                return u"create in "_s + create->accountId();
            if (account && account->isVisible())
                return u"account one"_s;
            if (auto *login = rig.window->findChild<LoginDialog *>(); login && login->isVisible())
                return u"login"_s;
            return rig.provider()->calls.sliced(before.size()).contains(u"list"_s) ? u"list"_s : QString();
        };
        QTRY_COMPARE_WITH_TIMEOUT(where(), leadsTo, patience);
    }

    void theLogOpensOnlyWhenAsked()
    {
        Rig rig;
        auto *log = rig.window->findChild<QWidget *>(u"logDrawer"_s);
        rig.window->appendLog(u"a line"_s);
        QVERIFY(!log->isVisible());
        rig.window->actions()->action(ActionId::ToggleLog)->trigger();
        QVERIFY(log->isVisible());
    }

    void collapsedAccountsStayCollapsed()
    {
        Rig rig;
        QTRY_VERIFY_WITH_TIMEOUT(rig.isReady(), patience);
        rig.tree->collapse(rig.find(u"one"_s));
        QCOMPARE(rig.f.preferences().value(Setting::CollapsedAccounts).toStringList(), QStringList{u"one"_s});
        rig.f.registry().refresh(u"one"_s);
        QCoreApplication::processEvents();
        QVERIFY(!rig.tree->isExpanded(rig.find(u"one"_s)));
    }
};

QTEST_MAIN(TestMainWindow)
#include "tst_mainwindow.moc"

#include "session/providers/sshhosts.h"
#include "tests/support/windowfixture.h"
#include "ui/hostcommands.h"
#include "ui/hostdialog.h"
#include "ui/importdialog.h"
#include "ui/sandboxtext.h"

#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QListWidget>
#include <QPushButton>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

class TestHosts : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_fixture = std::make_unique<WindowFixture>(QStringList{u"one"_s});
        m_own = std::make_unique<OwnHosts>(m_fixture->path(u"hosts.json"_s));
        m_window = std::make_unique<QWidget>();
        m_model = std::make_unique<SandboxModel>(&m_fixture->registry(), &m_fixture->hub());
        m_commands = std::make_unique<SandboxCommands>(&m_fixture->registry(), &m_fixture->hub(), m_model.get(), &m_fixture->preferences());
        m_hosts = new HostCommands(m_own.get(), m_commands.get(), m_window.get());
    }
    void cleanup()
    {
        m_window.reset();
        m_commands.reset();
        m_model.reset();
    }

    void fixedAccountsComeLastAndStay()
    {
        AccountHub::Services services;
        services.store = &m_fixture->store();
        services.keychain = &m_fixture->keychain();
        services.registry = &m_fixture->registry();
        services.makeProvider = [](const Account &account, const std::shared_ptr<Secret> &) { return std::make_unique<FakeProvider>(account.id); };
        services.findGateway = []() -> Result<GatewayAddress> { return failure(ErrorKind::NotFound, Layer::LocalDisk); };
        services.localAccount.id = u"local"_s;
        services.fixedAccounts = {{sshHostsAccount(), [this] { return std::make_unique<SshHostsProvider>(SshConfig::Sources(), m_own.get()); }}};
        AccountHub hub(services);
        SandboxModel model(&m_fixture->registry(), &hub);
        hub.start(AccountHub::LocalStart::OnlyIfRunning);
        QCOMPARE(hub.entries().last().account.id, sshHostsAccount().id);
        Account added;
        added.id = u"two"_s;
        added.vendor = u"fake"_s;
        added.name = u"two"_s;
        added.apiUrl = QUrl(u"https://api.example.invalid"_s);
        QVERIFY(hub.add(added, std::make_shared<Secret>("k")));
        QCOMPARE(hub.entries().last().account.id, sshHostsAccount().id);
        QVERIFY(!hub.remove(sshHostsAccount().id));
        const QModelIndex top = model.accountIndex(sshHostsAccount().id);
        QCOMPARE(top.row(), model.keysIndex().row() - 1);
        QTRY_COMPARE_WITH_TIMEOUT(model.index(0, 0, top).data(SandboxModel::NoteActionRole).value<SandboxModel::NoteAction>(),
                                  SandboxModel::NoteAction::NewHost, 15000);
        OwnHost host;
        host.name = u"Mine"_s;
        host.host = u"a.example"_s;
        QVERIFY(m_own->add({host}));
        QTRY_COMPARE_WITH_TIMEOUT(model.index(0, 0, top).data().toString(), u"Mine"_s, 15000);
        QCOMPARE(model.index(0, 0, top).data(SandboxModel::DetailRole).toString(), u"a.example"_s);
        for (const QString &id : m_fixture->registry().accountIds())
            m_fixture->registry().removeProvider(id);
    }

    void aHostIsEnteredAndChanged()
    {
        m_hosts->enter();
        auto *dialog = m_window->findChild<HostDialog *>();
        QVERIFY(dialog);
        auto *submit = dialog->findChild<QPushButton *>(u"hostSubmit"_s);
        submit->click();
        QVERIFY(!dialog->findChild<QLabel *>(u"hostProblem"_s)->isHidden());
        QVERIFY(m_own->hosts().isEmpty());
        dialog->findChild<QLineEdit *>(u"hostAddress"_s)->setText(u"ssh://ana@build.example:2222"_s);
        submit->click();
        QCOMPARE(m_own->hosts().size(), 1);
        OwnHost host = m_own->hosts().first();
        QCOMPARE(host.host, u"build.example"_s);
        QCOMPARE(host.name, u"build.example"_s);
        QCOMPARE(host.user, u"ana"_s);
        QCOMPARE(host.port, 2222);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);

        m_hosts->change(sandboxOf(host));
        dialog = m_window->findChild<HostDialog *>();
        QVERIFY(dialog);
        QCOMPARE(dialog->findChild<QSpinBox *>(u"hostPort"_s)->value(), 2222);
        dialog->findChild<QLineEdit *>(u"hostName"_s)->setText(u"Build"_s);
        dialog->findChild<QPushButton *>(u"hostSubmit"_s)->click();
        host.name = u"Build"_s;
        QCOMPARE(m_own->hosts(), QList<OwnHost>{host});
    }

    void everyFieldOfTheDialogHasANameToHear()
    {
        HostDialog *dialog = new HostDialog(m_own.get(), {}, m_window.get());
        for (const QLineEdit *edit : dialog->findChildren<QLineEdit *>(QRegularExpression(u"^host"_s)))
            QVERIFY2(!edit->accessibleName().isEmpty(), qPrintable(edit->objectName()));
        delete dialog;
    }

    void removingAsksFirst()
    {
        OwnHost host;
        host.name = u"Mine"_s;
        host.host = u"a.example"_s;
        QVERIFY(m_own->add({host}));
        m_hosts->askRemove(sandboxOf(m_own->hosts().first()));
        QCOMPARE(m_own->hosts().size(), 1);
        m_window->findChild<QPushButton *>(u"confirmVerb"_s)->click();
        QVERIFY(m_own->hosts().isEmpty());
    }

    void quickConnectTakesDestinations_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("anywhere");
        QTest::addColumn<bool>("asked");
        QTest::addColumn<QString>("shown");
        QTest::newRow("user and host") << u"ana@a.example"_s << true << true << u"ana@a.example"_s;
        QTest::newRow("URL") << u"ssh://ana@a.example:2222/"_s << true << true << u"ana@a.example:2222"_s;
        QTest::newRow("IPv6") << u"[::1]:2222"_s << true << true << u"[::1]:2222"_s;
        QTest::newRow("a word") << u"build"_s << false << true << u"build"_s;
        QTest::newRow("several words") << u"new tab"_s << false << false << QString();
        QTest::newRow("option") << u"ana@-oProxyCommand=x"_s << false << false << QString();
        QTest::newRow("command") << u"ana@a;reboot"_s << false << false << QString();
        QTest::newRow("password in a URL") << u"ssh://ana:secret@a"_s << false << false << QString();
        QTest::newRow("port of no kind") << u"a:70000"_s << false << false << QString();
        QTest::newRow("endless") << u"a@"_s + QString(500, u'x') << false << false << QString();
    }
    void quickConnectTakesDestinations()
    {
        QFETCH(QString, text);
        QFETCH(bool, anywhere);
        QFETCH(bool, asked);
        QFETCH(QString, shown);
        QCOMPARE(m_hosts->entryFor(text, HostCommands::Expected::Anything).has_value(), anywhere);
        const std::optional<PaletteEntry> entry = m_hosts->entryFor(text, HostCommands::Expected::Destination);
        QCOMPARE(entry.has_value(), asked);
        if (!entry)
            return;
        QSignalSpy opened(m_commands.get(), &SandboxCommands::openWanted);
        entry->run();
        QCOMPARE(opened.size(), 1);
        QCOMPARE(opened.first().at(0).value<Sandbox>().displayName(), shown);
        QCOMPARE(opened.first().at(1).value<ShellRoute>(), ShellRoute::Ssh);
        QVERIFY(m_own->hosts().isEmpty());
    }

    void whatIsTypedComesBeforeAllOthersAndOpensNothingByItself()
    {
        CommandPalette palette(m_window.get());
        int runs = 0;
        palette.setTypedEntry([&runs](const QString &text) { return PaletteEntry{u"k"_s, u"Connect to "_s + text, {}, {}, {}, [&runs] { ++runs; }}; });
        palette.popup({{u"a"_s, u"a@b"_s, {}, {}, {}, {}}}, {}, u"where"_s);
        const auto *list = palette.findChild<QListView *>();
        QCOMPARE(list->model()->rowCount(), 1);
        palette.setText(u"a@b"_s);
        QCOMPARE(list->model()->rowCount(), 2);
        QCOMPARE(list->model()->index(0, 0).data().toString(), u"Connect to a@b"_s);
        QCOMPARE(runs, 0);
        QTest::keyClick(palette.findChild<QLineEdit *>(), Qt::Key_Return);
        QCOMPARE(runs, 1);
    }

    void aQuickHostCanBeKept()
    {
        const std::optional<PaletteEntry> entry = m_hosts->entryFor(u"ana@[::1]:2222"_s, HostCommands::Expected::Destination);
        QSignalSpy opened(m_commands.get(), &SandboxCommands::openWanted);
        entry->run();
        m_hosts->keep(opened.first().at(0).value<Sandbox>().id);
        m_window->findChild<HostDialog *>()->findChild<QPushButton *>(u"hostSubmit"_s)->click();
        QCOMPARE(m_own->hosts().size(), 1);
        QCOMPARE(m_own->hosts().first().host, u"::1"_s);
        QCOMPARE(m_own->hosts().first().user, u"ana"_s);
        QCOMPARE(m_own->hosts().first().port, 2222);
    }

    void importKeepsWhatIsChosenAndMarksWhatIsThere()
    {
        OwnHost known;
        known.name = u"Known"_s;
        known.host = u"a.example"_s;
        QVERIFY(m_own->add({known}));
        ImportedHosts found;
        found.hosts = {known, known};
        found.hosts[1].host = u"b.example"_s;
        found.passwords = 1;
        auto *dialog = new ImportDialog(m_own.get(), m_fixture->path(u"nobody"_s), m_window.get());
        auto *submit = dialog->findChild<QPushButton *>(u"importSubmit"_s);
        auto *summary = dialog->findChild<QLabel *>(u"importSummary"_s);
        // The look at PuTTY's folder comes first.
        QTRY_VERIFY_WITH_TIMEOUT(summary->text().contains(u"No SSH hosts"_s), 15000);
        QVERIFY(!submit->isEnabled());
        dialog->showFound(found);
        QVERIFY(summary->text().contains(u"password"_s));
        const auto *list = dialog->findChild<QListWidget *>();
        QCOMPARE(list->item(0)->checkState(), Qt::Unchecked);
        QCOMPARE(list->item(1)->checkState(), Qt::Checked);
        QCOMPARE(m_own->hosts().size(), 1);
        submit->click();
        QCOMPARE(m_own->hosts().size(), 2);
        QCOMPARE(m_own->hosts().last().host, u"b.example"_s);
    }

private:
    std::unique_ptr<WindowFixture> m_fixture;
    std::unique_ptr<OwnHosts> m_own;
    std::unique_ptr<QWidget> m_window;
    std::unique_ptr<SandboxModel> m_model;
    std::unique_ptr<SandboxCommands> m_commands;
    HostCommands *m_hosts = nullptr; // the window's
};

QTEST_MAIN(TestHosts)
#include "tst_hosts.moc"

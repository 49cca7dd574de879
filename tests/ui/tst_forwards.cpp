// The list of forwards, the dialog for one, and their words; what listens does so over a real SSH server.
#include "session/runafter.h"
#include "session/sshforwardlink.h"
#include "tests/support/fakeprovider.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"
#include "ui/dialogkit.h"
#include "ui/forwardconnections.h"
#include "ui/forwarddialog.h"
#include "ui/forwardpanel.h"
#include "ui/forwardwords.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QRadioButton>
#include <QSpinBox>
#include <QTableView>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = ForwardSpec::Kind;
using State = ForwardManager::State;

namespace {

constexpr int kPatience = 60'000;

} // namespace

class TestForwards : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
    }
    void cleanupTestCase() { m_server.reset(); }
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_registry = std::make_unique<SandboxRegistry>();
        auto provider = std::make_unique<FakeProvider>(u"work"_s);
        m_box = provider->make(u"my-env"_s);
        m_box.ssh = SshEndpoint();
        provider->sandboxes = {m_box};
        Account account;
        account.id = account.name = u"work"_s;
        m_registry->addProvider(account, std::move(provider));
        QVERIFY(waitUntil([&] { return m_registry->sandbox(m_box.id).has_value(); }, kPatience));
        m_wishes = std::make_unique<ForwardWishes>(m_dir->filePath(u"forwards.json"_s));
        ForwardManager::Services services;
        services.registry = m_registry.get();
        services.standing = [this](const SandboxId &id, ForwardWay) {
            StandingForwards::Services standing;
            standing.provider = m_registry->provider(id.account);
            standing.makeLink = [this](const Sandbox &) { return std::make_unique<SshForwardLink>(m_server->options(), &m_prompts); };
            standing.random = [] { return 0.5; };
            standing.after = runAfter;
            return standing;
        };
        m_manager = std::make_unique<ForwardManager>(m_wishes.get(), services);
        m_manager->begin();
        ForwardPanel::Parts parts;
        parts.forwards = m_manager.get();
        parts.registry = m_registry.get();
        parts.openUrl = [this](const QUrl &url) { m_opened = url; };
        parts.current = [this] { return m_box.id; };
        m_panel = std::make_unique<ForwardPanel>(parts);
        m_panel->resize(1000, 240);
        m_panel->show();
        m_opened.clear();
    }
    void cleanup()
    {
        m_panel.reset();
        m_manager.reset();
        m_wishes.reset();
        m_registry.reset();
    }

    void nothingIsSaidInWords()
    {
        QVERIFY(m_panel->findChild<QLabel *>(u"noForwards"_s)->isVisible());
        QVERIFY(!m_panel->table()->isVisible());
        (void)add(Kind::Dynamic, u"0"_s);
        QVERIFY(m_panel->table()->isVisible());
        QVERIFY(!m_panel->findChild<QLabel *>(u"noForwards"_s)->isVisible());
    }

    void theSwitchInTheTableMakesItListen()
    {
        const QString id = add(Kind::Local, u"0:localhost:8000"_s);
        const QModelIndex on = m_panel->model()->index(0, ForwardModel::On);
        QCOMPARE(on.data(Qt::CheckStateRole).toInt(), Qt::Unchecked);
        m_panel->table()->selectRow(0);
        auto *copy = button(tr("Copy address"));
        QVERIFY(!copy->isEnabled());
        QVERIFY(m_panel->model()->setData(on, Qt::Checked, Qt::CheckStateRole));
        QVERIFY(listens(id));
        const quint16 port = m_manager->status(id).at.port;
        QCOMPARE(m_panel->model()->index(0, ForwardModel::State).data().toString(), u"Listens at localhost:%1"_s.arg(port));
        QVERIFY(copy->isEnabled());
        copy->click();
        QCOMPARE(QGuiApplication::clipboard()->text(), u"localhost:%1"_s.arg(port));
        button(tr("Open in the browser"))->click();
        QCOMPARE(m_opened, QUrl(u"http://localhost:%1/"_s.arg(port)));
        QVERIFY(m_panel->model()->setData(on, Qt::Unchecked, Qt::CheckStateRole));
        QCOMPARE(m_manager->status(id).state, State::Off);
    }

    void aTakenPortOffersTheNextFreeOne()
    {
        QTcpServer taken;
        QVERIFY(taken.listen(QHostAddress::LocalHost));
        const QString id = add(Kind::Dynamic, QString::number(taken.serverPort()));
        QVERIFY(m_manager->setOn({id}, true));
        auto *bar = m_panel->findChild<NoticeBar *>(u"forwardMend"_s);
        QVERIFY(waitUntil([&] { return bar->isVisible() && bar->text().contains(QString::number(QCoreApplication::applicationPid())); }, kPatience));
        QVERIFY(bar->text().contains(QString::number(taken.serverPort())));
        auto *use = bar->findChild<QPushButton *>();
        QVERIFY(use->text().startsWith("Use port"_L1));
        use->click();
        QVERIFY(listens(id));
        QVERIFY(m_manager->status(id).at.port > taken.serverPort() || m_manager->status(id).at.port >= 1024);
        QVERIFY(m_manager->status(id).at.port != taken.serverPort());
        QVERIFY(!bar->isVisible());
    }

    void theDialogMakesAForward()
    {
        m_panel->addForward(m_box.id);
        auto *dialog = openDialog();
        QVERIFY(dialog);
        field(dialog, u"forwardListen"_s)->clear();
        QTest::keyClicks(field(dialog, u"forwardListen"_s), u"0"_s);
        QTest::keyClicks(field(dialog, u"forwardTarget"_s), u"db:5432"_s);
        QCOMPARE(field(dialog, u"forwardSpec"_s)->text(), u"-L 0:db:5432"_s);
        QTest::keyClicks(field(dialog, u"forwardName"_s), u"Data"_s);
        dialog->findChild<QCheckBox *>(u"forwardWithSandbox"_s)->setChecked(true);
        dialog->findChild<QPushButton *>(u"forwardSubmit"_s)->click();
        QCOMPARE(m_wishes->wishes().size(), 1);
        const ForwardWish made = m_wishes->wishes().constFirst();
        QCOMPARE(made.sandbox, m_box.id);
        QCOMPARE(made.sandboxName, m_box.name);
        QCOMPARE(made.spec, *parseForward(Kind::Local, u"0:db:5432"_s));
        QCOMPARE(made.name, u"Data"_s);
        QVERIFY(made.isOn && made.startsWithSandbox && !made.startsWithProgram);
        QVERIFY(listens(made.id));
    }

    void whatCannotGoAWayIsGreyedOutWithTheReason()
    {
        m_panel->addForward(m_box.id);
        auto *dialog = openDialog();
        QVERIFY(dialog);
        auto *way = dialog->findChild<QComboBox *>(u"forwardWay"_s);
        const auto isOffered = [way](ForwardWay which) { return way->model()->flags(way->model()->index(way->findData(int(which)), 0)).testFlag(Qt::ItemIsEnabled); };
        const auto tip = [way](ForwardWay which) { return way->itemData(way->findData(int(which)), Qt::ToolTipRole).toString(); };
        QCOMPARE(ForwardWay(way->currentData().toInt()), ForwardWay::Automatic);
        field(dialog, u"forwardListen"_s)->clear();
        QTest::keyClicks(field(dialog, u"forwardListen"_s), u"0"_s);
        field(dialog, u"forwardTarget"_s)->clear();
        QTest::keyClicks(field(dialog, u"forwardTarget"_s), u"localhost:80"_s);
        QVERIFY(isOffered(ForwardWay::Automatic) && isOffered(ForwardWay::Ssh) && isOffered(ForwardWay::Tunnel));
        QVERIFY(tip(ForwardWay::Tunnel).isEmpty());
        way->setCurrentIndex(way->findData(int(ForwardWay::Tunnel)));
        field(dialog, u"forwardTarget"_s)->clear();
        QTest::keyClicks(field(dialog, u"forwardTarget"_s), u"db:80"_s);
        QVERIFY(isOffered(ForwardWay::Ssh) && !isOffered(ForwardWay::Tunnel));
        QVERIFY2(tip(ForwardWay::Tunnel).contains("not to db"_L1), qPrintable(tip(ForwardWay::Tunnel)));
        // Chosen before: it says why at once, and is not taken.
        auto *note = dialog->findChild<QLabel *>(u"forwardNote"_s);
        QVERIFY(note->isVisible() && note->text().contains("not to db"_L1));
        dialog->findChild<QPushButton *>(u"forwardSubmit"_s)->click();
        QVERIFY(m_wishes->wishes().isEmpty());
        field(dialog, u"forwardTarget"_s)->clear();
        QTest::keyClicks(field(dialog, u"forwardTarget"_s), u"localhost:80"_s);
        dialog->findChild<QPushButton *>(u"forwardSubmit"_s)->click();
        QCOMPARE(m_wishes->wishes().size(), 1);
        QCOMPARE(m_wishes->wishes().constFirst().way, ForwardWay::Tunnel);
    }

    void theWayInUseIsShown()
    {
        const QString id = add(Kind::Local, u"0:localhost:8000"_s);
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        const QString tip = m_panel->model()->index(0, ForwardModel::State).data(Qt::ToolTipRole).toString();
        QVERIFY2(tip.contains(forwardWayText(ForwardWay::Ssh)), qPrintable(tip));
    }

    void aPastedCommandFillsTheDialog_data()
    {
        QTest::addColumn<QString>("pasted");
        QTest::addColumn<Kind>("kind");
        QTest::addColumn<QString>("listen");
        QTest::addColumn<QString>("target");
        QTest::newRow("ssh") << u"ssh -N -L 8080:db:80 me@host"_s << Kind::Local << u"8080"_s << u"db:80"_s;
        QTest::newRow("remote") << u"-R 9000:localhost:3000"_s << Kind::Remote << u"9000"_s << u"localhost:3000"_s;
        QTest::newRow("proxy") << u"-D [::1]:1080"_s << Kind::Dynamic << u"[::1]:1080"_s << u""_s;
        QTest::newRow("proxy there") << u"-R 1080"_s << Kind::RemoteDynamic << u"1080"_s << u""_s;
        QTest::newRow("sockets") << u"-L /run/a.sock:/run/b.sock"_s << Kind::Local << u"/run/a.sock"_s << u"/run/b.sock"_s;
    }
    void aPastedCommandFillsTheDialog()
    {
        QFETCH(const QString, pasted);
        QFETCH(const Kind, kind);
        m_panel->addForward(m_box.id);
        auto *dialog = openDialog();
        QVERIFY(dialog);
        QLineEdit *spec = field(dialog, u"forwardSpec"_s);
        spec->clear();
        QTest::keyClicks(spec, pasted);
        QVERIFY(dialog->findChild<QRadioButton *>(u"forwardKind%1"_s.arg(int(kind)))->isChecked());
        QTEST(field(dialog, u"forwardListen"_s)->text(), "listen");
        QTEST(field(dialog, u"forwardTarget"_s)->text(), "target");
        QCOMPARE(spec->text(), pasted); // not changed under the hand of who types
        dialog->reject();
    }

    void aMistakeKeepsTheDialogOpen_data()
    {
        QTest::addColumn<QString>("listen");
        QTest::addColumn<QString>("target");
        QTest::newRow("no listener") << u""_s << u"db:80"_s;
        QTest::newRow("no target") << u"8080"_s << u""_s;
        QTest::newRow("no port") << u"99999"_s << u"db:80"_s;
        QTest::newRow("a path too long") << u"/"_s + QString(200, u'x') << u"db:80"_s;
        QTest::newRow("half a target") << u"8080"_s << u"db"_s;
    }
    void aMistakeKeepsTheDialogOpen()
    {
        QFETCH(const QString, listen);
        QFETCH(const QString, target);
        m_panel->addForward(m_box.id);
        auto *dialog = openDialog();
        QVERIFY(dialog);
        field(dialog, u"forwardListen"_s)->setText(listen);
        field(dialog, u"forwardTarget"_s)->setText(target);
        dialog->findChild<QPushButton *>(u"forwardSubmit"_s)->click();
        QVERIFY(dialog->isVisible());
        auto *problem = dialog->findChild<QLabel *>(u"forwardProblem"_s);
        QVERIFY(problem->isVisible() && !problem->text().isEmpty());
        QVERIFY(m_wishes->wishes().isEmpty());
        dialog->reject();
    }

    void whoCanReachItIsSaid()
    {
        m_panel->addForward(m_box.id);
        auto *dialog = openDialog();
        QVERIFY(dialog);
        auto *note = dialog->findChild<QLabel *>(u"forwardNote"_s);
        QTest::keyClicks(field(dialog, u"forwardTarget"_s), u"db:80"_s);
        field(dialog, u"forwardListen"_s)->clear();
        QTest::keyClicks(field(dialog, u"forwardListen"_s), u"8080"_s);
        QVERIFY(!note->isVisible());
        field(dialog, u"forwardListen"_s)->clear();
        QTest::keyClicks(field(dialog, u"forwardListen"_s), u"*:8080"_s);
        QVERIFY(note->isVisible() && note->text().contains(u"network"_s));
        dialog->reject();
    }

    void severalPastedOnesAreAddedAndOff()
    {
        m_panel->paste(u"ssh -L 1080:a:1 -L 1081:b:2 host"_s);
        QCOMPARE(m_wishes->wishes().size(), 2);
        QVERIFY(!m_wishes->wishes().constFirst().isOn);
        auto *bar = m_panel->findChild<NoticeBar *>(u"forwardMend"_s);
        QVERIFY(bar->isVisible() && bar->text().contains(u"2 forwards"_s));
        m_panel->paste(u"nothing of the kind"_s);
        QCOMPARE(m_wishes->wishes().size(), 2);
        QVERIFY(bar->isVisible() && !bar->text().contains(u"2 forwards"_s));
    }

    void theChosenOnesAreCopiedAsACommand()
    {
        (void)add(Kind::Local, u"8080:db:80"_s);
        (void)add(Kind::Dynamic, u"1080"_s);
        m_panel->table()->selectAll();
        QMenu menu;
        m_panel->fillMenu(&menu);
        for (QAction *action : menu.actions()) {
            if (action->text() == "Copy as ssh command"_L1)
                action->trigger();
        }
        QCOMPARE(QGuiApplication::clipboard()->text(), u"ssh -N -L 8080:db:80 -D 1080 my-env"_s);
    }

    void theConnectionsAreListedAndClosed()
    {
        QTcpServer service;
        QVERIFY(service.listen(QHostAddress::LocalHost));
        const QString id = add(Kind::Local, u"0:127.0.0.1:%1"_s.arg(service.serverPort()));
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        const auto cell = [&](int column, int role = Qt::DisplayRole) { return m_panel->model()->index(0, column).data(role).toString(); };
        QCOMPARE(cell(ForwardModel::Connections), QString());
        QTcpSocket client;
        client.connectToHost(QHostAddress::LocalHost, m_manager->status(id).at.port);
        client.write("hello");
        QVERIFY(waitUntil([&] { return m_manager->traffic(id).sent == 5; }, kPatience));
        QCOMPARE(cell(ForwardModel::Connections), u"1"_s);
        QVERIFY2(cell(ForwardModel::Traffic).startsWith(u"↑ 5 "_s), qPrintable(cell(ForwardModel::Traffic)));
        QVERIFY(cell(ForwardModel::Connections, Qt::ToolTipRole).contains(u"1 since"_s));
        m_panel->table()->selectRow(0);
        emit m_panel->table()->activated(m_panel->model()->index(0, ForwardModel::Connections));
        auto *dialog = m_panel->findChild<ForwardConnections *>();
        QVERIFY(dialog && dialog->isVisible());
        auto *table = dialog->findChild<QTableView *>();
        auto *close = dialog->findChild<QPushButton *>(u"closeConnection"_s);
        QCOMPARE(table->model()->rowCount(), 1);
        QCOMPARE(table->model()->index(0, ForwardConnectionModel::From).data().toString(), u"127.0.0.1:%1"_s.arg(client.localPort()));
        QCOMPARE(table->model()->index(0, ForwardConnectionModel::To).data().toString(), u"127.0.0.1:%1"_s.arg(service.serverPort()));
        QVERIFY(!close->isEnabled());
        table->selectRow(0);
        QVERIFY(close->isEnabled());
        close->click();
        QVERIFY(waitUntil([&] { return client.state() == QAbstractSocket::UnconnectedState && !table->isVisible(); }, kPatience));
        QVERIFY(!close->isVisible());
        QVERIFY(dialog->findChild<QLabel *>(u"connectionSum"_s)->text().startsWith("1 since"_L1));
        const QPointer<QDialog> left(dialog);
        QVERIFY(m_manager->remove({id}));
        QVERIFY(waitUntil([&] { return !left; }, kPatience)); // it goes with its forward
    }

    void aRowStaysWhereItIsWhileOthersComeAndGo()
    {
        ForwardConnectionModel model;
        const auto connection = [](quint64 id) {
            ForwardConnection made;
            made.id = id;
            made.since = made.movedAt = QDateTime::currentDateTimeUtc();
            return made;
        };
        model.take({connection(1), connection(2), connection(3)});
        const QPersistentModelIndex second = model.index(1, 0);
        model.take({connection(2), connection(3), connection(4)});
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(second.row(), 0);
        QCOMPARE(model.idAt(0), 2U);
        model.take({connection(4)});
        QVERIFY(!second.isValid());
        QCOMPARE(model.idAt(0), 4U);
        model.take({});
        QCOMPARE(model.rowCount(), 0);
    }

    void theSpeedLimitIsKeptToTheByteUnlessItIsChanged()
    {
        const QString id = add(Kind::Dynamic, u"0"_s);
        ForwardWish wish = *m_wishes->wish(id);
        wish.bytesPerSecond = 1'500'000;
        QVERIFY(m_manager->update(wish));
        for (const auto &[kib, kept] : {std::pair(1'464, 1'500'000), std::pair(100, 102'400), std::pair(0, 0)}) {
            m_panel->table()->selectRow(0);
            button(tr("Change…"))->click();
            auto *dialog = openDialog();
            QVERIFY(dialog);
            dialog->findChild<QSpinBox *>(u"forwardLimit"_s)->setValue(kib);
            dialog->findChild<QPushButton *>(u"forwardSubmit"_s)->click();
            QCOMPARE(m_wishes->wish(id)->bytesPerSecond, kept);
            QTRY_VERIFY_WITH_TIMEOUT(!openDialog(), kPatience);
        }
    }

    void theStatusBarCountsWhatIsOn()
    {
        ForwardSummary summary(m_manager.get());
        QVERIFY(summary.isHidden());
        const QString id = add(Kind::Dynamic, u"0"_s);
        QVERIFY(summary.isHidden());
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        QVERIFY(!summary.isHidden());
        QCOMPARE(summary.text(), u"Forwards 1"_s);
    }

    void forwardsArePlainWords_data()
    {
        QTest::addColumn<Kind>("kind");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("words");
        QTest::newRow("local") << Kind::Local << u"8888:localhost:8000"_s << u"localhost:8888 on this computer → port 8000 in my-env"_s;
        QTest::newRow("further") << Kind::Local << u"8888:db:80"_s << u"localhost:8888 on this computer → db:80, as my-env sees it"_s;
        QTest::newRow("open") << Kind::Local << u"*:8888:127.0.0.1:80"_s << u"port 8888 of every interface on this computer → port 80 in my-env"_s;
        QTest::newRow("sockets") << Kind::Local << u"/a.sock:/b.sock"_s << u"/a.sock on this computer → /b.sock in my-env"_s;
        QTest::newRow("remote") << Kind::Remote << u"9000:localhost:3000"_s << u"localhost:9000 in my-env → port 3000 on this computer"_s;
        QTest::newRow("proxy") << Kind::Dynamic << u"0"_s << u"any free port on this computer → SOCKS proxy through my-env"_s;
        QTest::newRow("proxy there") << Kind::Remote << u"1080"_s << u"localhost:1080 in my-env → SOCKS proxy through this computer"_s;
    }
    void forwardsArePlainWords()
    {
        QFETCH(const Kind, kind);
        QFETCH(const QString, text);
        const Result<ForwardSpec> spec = parseForward(kind, text);
        QVERIFY(spec);
        QTEST(forwardWords(*spec, u"my-env"_s), "words");
        QCOMPARE(exposureText(*spec, u"my-env"_s).isEmpty(), !text.startsWith(u'*'));
    }

private:
    QString add(Kind option, const QString &text)
    {
        ForwardWish wish;
        wish.sandbox = m_box.id;
        wish.sandboxName = m_box.name;
        wish.spec = *parseForward(option, text);
        return m_manager->add({wish}).value_or(QStringList()).value(0);
    }
    bool listens(const QString &id)
    {
        return waitUntil([&] { return m_manager->status(id).state == State::Listening; }, kPatience);
    }
    [[nodiscard]] QToolButton *button(const QString &tip) const
    {
        for (QToolButton *one : m_panel->findChildren<QToolButton *>()) {
            if (one->toolTip() == tip)
                return one;
        }
        return nullptr;
    }
    [[nodiscard]] ForwardDialog *openDialog() const { return m_panel->findChild<ForwardDialog *>(u"forwardDialog"_s); }
    [[nodiscard]] static QLineEdit *field(ForwardDialog *dialog, const QString &name) { return dialog->findChild<QLineEdit *>(name); }

    std::unique_ptr<TestSshd> m_server;
    RecordingPrompts m_prompts;
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<SandboxRegistry> m_registry;
    Sandbox m_box;
    std::unique_ptr<ForwardWishes> m_wishes;
    std::unique_ptr<ForwardManager> m_manager;
    std::unique_ptr<ForwardPanel> m_panel;
    QUrl m_opened;
};

QTEST_MAIN(TestForwards)
#include "tst_forwards.moc"

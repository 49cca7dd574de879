// Ports of sandboxes in the window: the offer in the status bar, the line under the forwards, the dialog, and the
// warning of ports that are open to everyone.
#include "tests/support/offerfixture.h"
#include "ui/elidedline.h"
#include "ui/forwarddialog.h"
#include "ui/portline.h"
#include "ui/portofferbar.h"
#include "ui/portwords.h"
#include "ui/publicportline.h"
#include "ui/sandboxtext.h"

#include <QApplication>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QTest>
#include <QToolButton>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = OfferFixture::patience;

} // namespace

class TestPorts : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
    }
    void cleanupTestCase() { m_server.reset(); }
    void init() { f = std::make_unique<OfferFixture>(m_server.get()); }
    void cleanup() { f.reset(); }

    void anOfferComesAndGoesQuietly()
    {
        QWidget window;
        QLineEdit terminal(&window);
        PortOfferBar bar(f->offers.get(), &window);
        window.show();
        terminal.setFocus();
        QVERIFY(bar.isHidden());
        f->print(u"http://localhost:3000"_s);
        QVERIFY(!bar.isHidden());
        QCOMPARE(bar.text(), u"A terminal of my-env names its port 3000"_s);
        QCOMPARE(QApplication::activeModalWidget(), nullptr);
        QVERIFY(window.focusWidget() == &terminal);
        f->print(u"http://localhost:4000"_s);
        QCOMPARE(bar.text(), u"A terminal of my-env names its port 4000 (and 1 more)"_s);
        QTest::mouseClick(bar.findChild<QToolButton *>(u"portIgnore"_s), Qt::LeftButton);
        QVERIFY(window.focusWidget() == &terminal);
        QCOMPARE(bar.text(), u"A terminal of my-env names its port 3000"_s);
        bar.findChild<QToolButton *>(u"portIgnore"_s)->click();
        QVERIFY(bar.isHidden());
        QVERIFY(f->ignored.contains(f->box.id, 3000) && f->ignored.contains(f->box.id, 4000));
    }

    void itsButtonsForward_data()
    {
        QTest::addColumn<QString>("button");
        QTest::addColumn<bool>("opens");
        QTest::addColumn<bool>("withSandbox");
        QTest::newRow("Forward") << u"portForward"_s << false << false;
        QTest::newRow("Forward and open") << u"portOpen"_s << true << false;
        QTest::newRow("Always") << u"portAlways"_s << false << true;
    }
    void itsButtonsForward()
    {
        QFETCH(const QString, button);
        QFETCH(const bool, opens);
        QFETCH(const bool, withSandbox);
        GreetingServer service("hello");
        PortOfferBar bar(f->offers.get());
        f->print(u"http://localhost:%1/x"_s.arg(service.serverPort()));
        bar.findChild<QToolButton *>(button)->click();
        const quint16 here = f->here(service.serverPort());
        QCOMPARE(f->greetingAt(here), "hello"_ba);
        QVERIFY(bar.isHidden());
        QVERIFY(waitUntil([&] { return f->opened.size() + f->moves.size() == 1; }, kPatience));
        QCOMPARE(f->opened, opens ? QList<QUrl>{QUrl(u"http://localhost:%1/x"_s.arg(here))} : QList<QUrl>());
        QCOMPARE(f->wishes.wishes().constFirst().startsWithSandbox, withSandbox);
    }

    void theLineListsWhatListens()
    {
        SandboxId current;
        PortLine line(f->offers.get(), [&] { return current; });
        f->print(u"http://localhost:3000"_s);
        QVERIFY(line.isHidden()); // no sandbox is looked at
        current = f->box.id;
        line.refresh();
        QVERIFY(!line.isHidden());
        f->print(u"http://localhost:4000"_s);
        QCOMPARE(line.text(), u"Ports in my-env: 3000, 4000"_s);
        current.id = u"other"_s;
        line.refresh();
        QVERIFY(line.isHidden());
    }

    void itsMenuOffersWhatIsLeftToDo()
    {
        GreetingServer service("hello");
        PortLine line(f->offers.get(), [&] { return f->box.id; });
        f->print(u"http://localhost:%1"_s.arg(service.serverPort()));
        QCOMPARE(actionsOf(line), (QStringList{u"Forward"_s, u"Forward and open"_s, u"Always forward it"_s, u"Do not offer it"_s}));
        trigger(line, u"Do not offer it"_s);
        QCOMPARE(actionsOf(line).constLast(), u"Offer it again"_s);
        trigger(line, u"Forward"_s);
        QVERIFY(f->here(service.serverPort()) > 0);
        QCOMPARE(actionsOf(line).constFirst(), u"Open in the browser"_s);
        trigger(line, u"Open in the browser"_s);
        QVERIFY(waitUntil([&] { return f->opened.size() == 1; }, kPatience));
        QCOMPARE(f->wishes.wishes().size(), 1);
    }

    void theDialogSuggestsThem()
    {
        ForwardWish wish;
        wish.sandbox = f->box.id;
        wish.sandboxName = f->box.name;
        auto *dialog = new ForwardDialog(f->forwards.get(), &f->registry, wish, nullptr);
        QList<FoundPort> ports{{3000, u"localhost"_s, u"node"_s, {}, true}, {5432, u"172.17.0.2"_s, {}, {}, true}};
        dialog->suggestPorts([&](const SandboxId &id) { return id == f->box.id ? ports : QList<FoundPort>(); });
        dialog->open();
        auto *suggest = dialog->findChild<QAction *>(u"forwardSuggest"_s);
        QVERIFY(suggest && suggest->isVisible());
        suggest->trigger();
        auto *menu = dialog->findChild<QMenu *>();
        QVERIFY(menu);
        QCOMPARE(menu->actions().size(), 2);
        QCOMPARE(menu->actions().constFirst()->text(), u"3000 node"_s);
        menu->actions().constLast()->trigger();
        QCOMPARE(dialog->findChild<QLineEdit *>(u"forwardTarget"_s)->text(), u"172.17.0.2:5432"_s);
        QCOMPARE(dialog->findChild<QLineEdit *>(u"forwardListen"_s)->text(), u"5432"_s);
        QCOMPARE(dialog->findChild<QLineEdit *>(u"forwardSpec"_s)->text(), u"-L 5432:172.17.0.2:5432"_s);
        // What was typed stays.
        menu->actions().constFirst()->trigger();
        QCOMPARE(dialog->findChild<QLineEdit *>(u"forwardTarget"_s)->text(), u"localhost:3000"_s);
        QCOMPARE(dialog->findChild<QLineEdit *>(u"forwardListen"_s)->text(), u"5432"_s);
        QCOMPARE(dialog->findChild<QLineEdit *>(u"forwardName"_s)->text(), u"node"_s);
        menu->close();
        dialog->reject();

        ports.clear();
        auto *empty = new ForwardDialog(f->forwards.get(), &f->registry, wish, nullptr);
        empty->suggestPorts([&](const SandboxId &) { return ports; });
        empty->open();
        QVERIFY(!empty->findChild<QAction *>(u"forwardSuggest"_s)->isVisible());
        empty->reject();
    }

    void portsThatAreOpenToEveryoneAreClosedByAClick()
    {
        PublicPortLine line(&f->registry);
        QVERIFY(line.isHidden());
        f->box.publicPorts = {8080};
        f->provider->sandboxes = {f->box};
        f->registry.put(f->box);
        QVERIFY(!line.isHidden());
        QCOMPARE(line.text(), u"Port 8080 of my-env is open to everyone on the internet."_s);
        auto *close = line.findChild<QPushButton *>(u"closePublicPorts"_s);
        QCOMPARE(close->text(), u"Close it"_s);
        close->click();
        QVERIFY(waitUntil([&] { return line.isHidden(); }, kPatience));
        QVERIFY(f->provider->calls.contains(u"closePublicPorts 1 of id-my-env"_s));
        QVERIFY(f->registry.sandbox(f->box.id)->publicPorts.isEmpty());
    }

    void whatCannotBeClosedIsSaid()
    {
        PublicPortLine line(&f->registry);
        QStringList told;
        connect(&line, &PublicPortLine::failed, this, [&](const QString &sentence) { told.append(sentence); });
        f->box.publicPorts = {80, 8080};
        f->provider->sandboxes = {f->box};
        f->registry.put(f->box);
        auto *close = line.findChild<QPushButton *>(u"closePublicPorts"_s);
        QCOMPARE(close->text(), u"Close them"_s);
        f->provider->failNext = Error{ErrorKind::PermissionDenied, Layer::Provider, {}, u"my-env"_s};
        close->click();
        QVERIFY(waitUntil([&] { return !told.isEmpty() && close->isEnabled(); }, kPatience));
        QVERIFY(told.constFirst().startsWith(u"Ports 80, 8080 of my-env are open to everyone on the internet."_s));
        QVERIFY(!line.isHidden());
        // Where the vendor has no way for it.
        f->box.capabilities.refuse(Capability::PublicPorts, u"Only its owner can."_s);
        f->registry.put(f->box);
        QVERIFY(!close->isEnabled());
        QVERIFY(close->toolTip().contains(u"Only its owner can."_s));
    }

    void wordsAreThoseOfPeople()
    {
        PortOffer offer{f->box.id, u"my-env"_s, {3000, u"localhost"_s, u"node"_s, {}, true}};
        QCOMPARE(offerText(offer), u"node listens at port 3000 in my-env"_s);
        QCOMPARE(movedText(offer, 3001), u"Port 3000 of my-env is localhost:3001 here: 3000 is in use on this computer."_s);
        offer.port.process.clear();
        QCOMPARE(offerText(offer), u"Port 3000 of my-env is listened at"_s);
        offer.sandboxName = QString(500, u'x') + u'\n';
        QVERIFY(offerText(offer).size() < 120 && !offerText(offer).contains(u'\n'));
        Sandbox box;
        QVERIFY(publicPortsText(box).isEmpty());
        for (int port = 1; port < 2000; ++port)
            box.publicPorts.append(quint16(port));
        QVERIFY(publicPortsText(box).size() < 250);
    }

    void aLineWithoutRoomGivesWay()
    {
        ElidedLine line;
        line.setText(QString(400, u'w'));
        QVERIFY(line.minimumSizeHint().width() < 200);
        QVERIFY(line.sizeHint().width() > 400);
        line.setText(u"<b>x"_s);
        QVERIFY(!line.toolTip().contains(u"<b>"_s));
        QCOMPARE(line.accessibleName(), u"<b>x"_s);
    }

private:
    static QMenu *filled(PortLine &line, QMenu &menu)
    {
        line.fillMenu(&menu);
        return menu.actions().isEmpty() ? nullptr : menu.actions().constFirst()->menu();
    }
    static QStringList actionsOf(PortLine &line)
    {
        QMenu menu;
        QStringList texts;
        const QMenu *one = filled(line, menu);
        for (const QAction *action : one ? one->actions() : QList<QAction *>()) {
            if (!action->isSeparator())
                texts.append(action->text());
        }
        return texts;
    }
    static void trigger(PortLine &line, const QString &text)
    {
        QMenu menu;
        const QMenu *one = filled(line, menu);
        QVERIFY(one);
        for (QAction *action : one->actions()) {
            if (action->text() == text)
                return action->trigger();
        }
        QFAIL(qPrintable(text));
    }

    std::unique_ptr<TestSshd> m_server;
    std::unique_ptr<OfferFixture> f;
};

QTEST_MAIN(TestPorts)
#include "tst_ports.moc"

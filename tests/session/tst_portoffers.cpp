// Ports that are offered, and what becomes of an offer; the forwards go over a real SSH server.
#include "tests/support/offerfixture.h"
#include "tests/support/waited.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Choice = PortOffers::Choice;

class TestPortOffers : public QObject
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

    void theLatestIsTheFirst()
    {
        f->print(u"http://localhost:3000"_s);
        f->print(u"http://localhost:4000"_s);
        QCOMPARE(f->offered(), (QList<quint16>{4000, 3000}));
        QCOMPARE(f->offers->offers().constFirst().sandboxName, u"my-env"_s);
        for (int port = 5000; port < 5020; ++port)
            f->print(u"http://localhost:%1"_s.arg(port));
        QVERIFY(f->offered().size() <= PortOffers::mostOffers);
    }

    void aForwardIsMadeAndTheOfferGoes()
    {
        GreetingServer service("hello");
        const quint16 there = service.serverPort();
        f->print(u"http://localhost:%1/"_s.arg(there));
        choose(Choice::Forward);
        QCOMPARE(f->offered(), QList<quint16>());
        const quint16 here = f->here(there);
        QVERIFY(here > 0);
        QCOMPARE(f->greetingAt(here), "hello"_ba);
        const ForwardWish wish = f->wishes.wishes().constFirst();
        QVERIFY(wish.isOn && !wish.startsWithProgram && !wish.startsWithSandbox);
        QCOMPARE(wish.sandboxName, u"my-env"_s);
        QVERIFY(waitUntil([&] { return f->moves == QList<quint16>{here}; }, f->patience)); // it is not the port that one would try
        QVERIFY(f->opened.isEmpty());
        // It is reachable by now.
        f->print(u"http://localhost:%1/again"_s.arg(there));
        QCOMPARE(f->offered(), QList<quint16>());
    }

    void whatIsOpenedKeepsItsPath()
    {
        GreetingServer service("hello");
        f->print(u"http://127.0.0.1:%1/lab?token=a%2Fb"_s.arg(service.serverPort()));
        choose(Choice::ForwardAndOpen);
        const quint16 here = f->here(service.serverPort());
        QVERIFY(waitUntil([&] { return !f->opened.isEmpty(); }, f->patience));
        QCOMPARE(f->opened, QList<QUrl>{QUrl(u"http://127.0.0.1:%1/lab?token=a%2Fb"_s.arg(here))});
        QVERIFY(f->moves.isEmpty());
    }

    void alwaysIsWithTheSandbox()
    {
        GreetingServer service("hello");
        f->print(u"http://localhost:%1/"_s.arg(service.serverPort()));
        choose(Choice::Always);
        QVERIFY(f->here(service.serverPort()) > 0);
        QVERIFY(f->wishes.wishes().constFirst().startsWithSandbox);
    }

    void theSamePortIsTakenWhereItIsFree()
    {
        QList<quint16> asked;
        const auto free = f->freePort;
        f->freePort = [&](quint16 from) {
            asked.append(from);
            return free(from);
        };
        f->print(u"http://localhost:3000"_s);
        choose(Choice::Forward);
        QVERIFY(f->here(3000) > 0);
        QCOMPARE(asked, QList<quint16>{3000});
        // Below 1024 nobody may listen here.
        const auto page = f->offers->reach(f->box.id, QUrl(u"http://localhost/"_s));
        QVERIFY(f->here(80) > 0);
        QCOMPARE(asked.constLast(), quint16(8080));
    }

    void aPortThatIsTakenMeanwhileIsNoFailure()
    {
        GreetingServer service("hello");
        QTcpServer taken;
        QVERIFY(taken.listen(QHostAddress::LocalHost));
        const auto free = f->freePort;
        f->freePort = [&, first = true](quint16 from) mutable { return std::exchange(first, false) ? taken.serverPort() : free(from); };
        f->print(u"http://localhost:%1/"_s.arg(service.serverPort()));
        choose(Choice::ForwardAndOpen);
        const quint16 here = f->here(service.serverPort());
        QVERIFY(here > 0 && here != taken.serverPort());
        QVERIFY(waitUntil([&] { return !f->opened.isEmpty(); }, f->patience));
        QCOMPARE(f->opened.constFirst().port(), int(here));
        QVERIFY(f->failures.isEmpty());
    }

    void portsOfOtherForwardsAreNotTaken()
    {
        ForwardWish waiting;
        waiting.sandbox = f->box.id;
        waiting.sandbox.account = u"not there yet"_s;
        waiting.sandboxName = u"other"_s;
        waiting.spec = *parseForward(ForwardSpec::Kind::Local, u"3000:localhost:1"_s);
        waiting.isOn = true;
        QVERIFY(f->forwards->add({waiting}));
        const auto free = f->freePort;
        f->freePort = [&](quint16 from) { return from == 3000 ? quint16(3000) : free(from); };
        f->print(u"http://localhost:3000"_s);
        choose(Choice::Forward);
        QVERIFY(f->here(3000) > 0 && f->here(3000) != 3000);
    }

    void anIgnoredPortIsNotOfferedAgain()
    {
        f->print(u"http://localhost:3000"_s);
        const PortOffer offer = f->offers->offers().constFirst();
        choose(Choice::Ignore);
        QCOMPARE(f->offered(), QList<quint16>());
        f->radar->setOn(false);
        f->radar->setOn(true);
        f->print(u"http://localhost:3000"_s);
        QCOMPARE(f->offered(), QList<quint16>());
        QVERIFY(f->offers->isIgnored(offer));
        QCOMPARE(f->offers->known(f->box.id).size(), 1); // whoever looks for it still finds it
        f->offers->choose(offer, Choice::Heed);
        f->radar->setOn(false);
        f->radar->setOn(true);
        f->print(u"http://localhost:3000"_s);
        QCOMPARE(f->offered(), QList<quint16>{3000});
    }

    void whatIsIgnoredIsKept()
    {
        const QTemporaryDir dir;
        const QString file = dir.filePath(u"ignored.json"_s);
        const SandboxId other{u"v"_s, u"a"_s, u"other"_s};
        {
            IgnoredPorts ports(file);
            QVERIFY(ports.setIgnored(f->box.id, 3000, true));
            QVERIFY(ports.setIgnored(f->box.id, 4000, true));
            QVERIFY(ports.setIgnored(f->box.id, 4000, false));
        }
        IgnoredPorts ports(file);
        QVERIFY(ports.contains(f->box.id, 3000));
        QVERIFY(!ports.contains(f->box.id, 4000) && !ports.contains(other, 3000));
        for (int port = 1; port <= IgnoredPorts::mostPorts; ++port)
            QVERIFY(ports.setIgnored(other, quint16(port), true));
        QVERIFY(!ports.contains(f->box.id, 3000)); // the oldest go
        QVERIFY(ports.contains(other, 1));
        // A file that is none is kept aside, and nothing is ignored.
        QFile damaged(dir.filePath(u"damaged.json"_s));
        QVERIFY(damaged.open(QIODevice::WriteOnly) && damaged.write("{\"version\": 1, \"ports\": [{\"sandbox\": 1, \"port\": 70000}]}") > 0);
        damaged.close();
        IgnoredPorts none(damaged.fileName());
        QVERIFY(!none.contains(f->box.id, 3000));
    }

    void whatIsGoneIsNotOffered()
    {
        f->print(u"http://localhost:3000"_s);
        f->box.state = SandboxState::Suspended;
        f->registry.put(f->box);
        QCOMPARE(f->offered(), QList<quint16>());
    }

    void aPortThatAForwardOfOursListensAtThereIsNotOffered()
    {
        ForwardWish remote;
        remote.sandbox = f->box.id;
        remote.sandboxName = u"my-env"_s;
        remote.spec = *parseForward(ForwardSpec::Kind::Remote, u"3000:localhost:1"_s);
        remote.isOn = true;
        QVERIFY(f->forwards->add({remote}));
        f->print(u"http://localhost:3000"_s);
        QCOMPARE(f->offered(), QList<quint16>());
    }

    void whatListensIsSeenAndOffered()
    {
        f->link = std::make_unique<SshLink>(m_server->options(), &m_prompts);
        f->link->connectToHost();
        f->radar->setReachable(f->box.id, true);
        QVERIFY(waitUntil([&] { return !f->radar->ports(f->box.id).isEmpty(); }, f->patience)); // sshd itself, at least
        GreetingServer service("hello");
        const quint16 there = service.serverPort();
        QVERIFY(waitUntil([&] { return f->offered().contains(there); }, f->patience));
        const qsizetype place = f->offered().indexOf(there);
        QVERIFY(f->offers->offers().at(place).port.isSeen);
        QVERIFY(!f->offers->offers().at(place).port.process.isEmpty());
        service.close();
        QVERIFY(waitUntil([&] { return !f->offered().contains(there); }, f->patience));
        f->radar->setReachable(f->box.id, false);
        f->link.reset();
    }

    void aLinkIsReachedThroughAForwardMadeForIt()
    {
        GreetingServer service("hello");
        const QUrl url(u"http://localhost:%1/a?b=c"_s.arg(service.serverPort()));
        // Two clicks, one forward.
        auto first = f->offers->reach(f->box.id, url);
        auto second = f->offers->reach(f->box.id, url);
        const Result<QUrl> page = waited(first);
        QVERIFY2(page, page ? "" : qPrintable(describe(page.error())));
        QCOMPARE(waited(second), page);
        QCOMPARE(f->wishes.wishes().size(), 1);
        QCOMPARE(page->path() + u'?' + page->query(), u"/a?b=c"_s);
        QCOMPARE(f->greetingAt(quint16(page->port())), "hello"_ba);
        // One that is there is taken, and one that is off is switched on.
        QCOMPARE(waited(f->offers->reach(f->box.id, url)), page);
        const QString id = f->wishes.wishes().constFirst().id;
        QVERIFY(f->forwards->setOn({id}, false));
        QCOMPARE(waited(f->offers->reach(f->box.id, url)), page);
        QCOMPARE(f->wishes.wishes().size(), 1);
    }

    void aSandboxThatSleepsIsNotWokenForALink()
    {
        f->box.state = SandboxState::Suspended;
        f->provider->sandboxes = {f->box};
        f->registry.put(f->box);
        const Result<QUrl> page = waited(f->offers->reach(f->box.id, QUrl(u"http://localhost:3000"_s)));
        QVERIFY(!page);
        QVERIFY(!f->provider->calls.join(u' ').contains(u"resume"));
    }

    void whyItIsNotReachableIsSaid()
    {
        f->provider->sandboxes.clear(); // its vendor does not know it
        const Result<QUrl> page = waited(f->offers->reach(f->box.id, QUrl(u"http://localhost:3000"_s)));
        QVERIFY(!page);
        QCOMPARE(page.error().kind, ErrorKind::NotFound);
        f->print(u"http://localhost:4000"_s);
        choose(Choice::Forward);
        QVERIFY(waitUntil([&] { return f->failures.size() == 1; }, f->patience));
        QCOMPARE(f->failures.constFirst().kind, ErrorKind::NotFound);
    }

private:
    void choose(Choice choice)
    {
        QVERIFY(!f->offers->offers().isEmpty());
        f->offers->choose(f->offers->offers().constFirst(), choice);
    }

    std::unique_ptr<TestSshd> m_server;
    RecordingPrompts m_prompts;
    std::unique_ptr<OfferFixture> f;
};

QTEST_GUILESS_MAIN(TestPortOffers)
#include "tst_portoffers.moc"

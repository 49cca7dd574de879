// Forwards that are switched on and off, edited, and come back.
#include "session/forwardmanager.h"

#include "session/forwardtellers.h"
#include "session/runafter.h"
#include "session/sshforwardlink.h"

#include "tests/support/cuttableproxy.h"
#include "tests/support/fakeprovider.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"

#include <QDir>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using Kind = ForwardSpec::Kind;
using State = ForwardManager::State;

namespace {

constexpr int kPatience = 60'000;

// Answers with what it gets.
class Echo : public QTcpServer
{
public:
    Echo()
    {
        (void)listen(QHostAddress::LocalHost);
        connect(this, &QTcpServer::newConnection, this, [this] {
            QTcpSocket *socket = nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [socket] { socket->write(socket->readAll()); });
        });
    }
    [[nodiscard]] QString at() const { return u"127.0.0.1:%1"_s.arg(serverPort()); }
};

bool isAnswered(QTcpSocket &socket, const QByteArray &word)
{
    socket.write(word);
    return waitUntil([&] { return socket.bytesAvailable() >= word.size(); }, kPatience) && socket.readAll() == word;
}

} // namespace

class TestForwardManager : public QObject
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
        m_network = std::make_unique<CuttableProxy>(m_server->port());
        m_registry = std::make_unique<SandboxRegistry>();
        m_provider = new FakeProvider(u"work"_s);
        m_box = m_provider->make(u"box"_s);
        m_provider->sandboxes = {m_box};
        Account account;
        account.id = account.name = u"work"_s;
        m_registry->addProvider(account, std::unique_ptr<SandboxProvider>(m_provider));
        QVERIFY(waitUntil([&] { return m_registry->sandbox(m_box.id).has_value(); }, kPatience));
        m_links = 0;
        m_ways.clear();
        start();
    }
    void cleanup()
    {
        m_manager.reset();
        m_wishes.reset();
        m_registry.reset();
    }

    void switchingOneOnMakesItListen()
    {
        Echo echo;
        const QString id = add(Kind::Local, u"0:"_s + echo.at());
        QCOMPARE(m_manager->status(id).state, State::Off);
        QCOMPARE(m_links, 0);
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        QTcpSocket client;
        client.connectToHost(QHostAddress::LocalHost, m_manager->status(id).at.port);
        QVERIFY(isAnswered(client, "hello"));
        QVERIFY(m_manager->setOn({id}, false));
        QCOMPARE(m_manager->status(id).state, State::Off);
        QVERIFY(waitUntil([&] { return client.state() == QAbstractSocket::UnconnectedState; }, kPatience));
    }

    void editingOneLeavesTheConnectionsOfOthers()
    {
        Echo echo;
        const QString kept = add(Kind::Local, u"0:"_s + echo.at());
        const QString edited = add(Kind::Local, u"0:"_s + echo.at());
        QVERIFY(m_manager->setOn({kept, edited}, true));
        QVERIFY(listens(kept) && listens(edited));
        QTcpSocket client;
        client.connectToHost(QHostAddress::LocalHost, m_manager->status(kept).at.port);
        QVERIFY(isAnswered(client, "one"));
        ForwardWish wish = *m_wishes->wish(edited);
        wish.spec = *parseForward(Kind::Dynamic, u"0"_s);
        QVERIFY(m_manager->update(wish));
        QVERIFY(m_manager->status(edited).state != State::Listening);
        QVERIFY(listens(edited));
        QVERIFY(isAnswered(client, "two"));
        QVERIFY(m_manager->remove({edited}));
        QVERIFY(isAnswered(client, "three"));
        QCOMPARE(m_links, 1);
        QCOMPARE(m_manager->count(State::Listening), 1);
    }

    void aNameIsChangedWithoutANewListener()
    {
        const QString id = add(Kind::Dynamic, u"0"_s);
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        const ForwardSpec::End at = m_manager->status(id).at;
        ForwardWish wish = *m_wishes->wish(id);
        wish.name = u"Proxy"_s;
        QVERIFY(m_manager->update(wish));
        QCOMPARE(m_manager->status(id).state, State::Listening);
        QCOMPARE(m_manager->status(id).at, at);
    }

    void whatItCarriedIsCountedOverLossesAndOneConnectionIsClosed()
    {
        Echo echo;
        const QString id = add(Kind::Local, u"0:"_s + echo.at());
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        QTcpSocket client;
        client.connectToHost(QHostAddress::LocalHost, m_manager->status(id).at.port);
        QVERIFY(isAnswered(client, "hello"));
        QVERIFY(waitUntil([&] { return m_manager->traffic(id).received == 5; }, kPatience));
        QCOMPARE(m_manager->traffic(id).sent, 5);
        QCOMPARE(m_manager->traffic(id).open.size(), 1);
        m_network->cutOnce();
        QVERIFY(waitUntil([&] { return m_manager->traffic(id).open.isEmpty(); }, kPatience));
        QVERIFY(listens(id));
        QTcpSocket again;
        again.connectToHost(QHostAddress::LocalHost, m_manager->status(id).at.port);
        QVERIFY(isAnswered(again, "once more"));
        QVERIFY(waitUntil([&] { return m_manager->traffic(id).received == 14 && m_manager->traffic(id).open.size() == 1; }, kPatience));
        QCOMPARE(m_manager->traffic(id).connections, 2);
        m_manager->closeConnection(id, m_manager->traffic(id).open.constFirst().id);
        QVERIFY(waitUntil([&] { return again.state() == QAbstractSocket::UnconnectedState; }, kPatience));
        QCOMPARE(m_manager->status(id).state, State::Listening);
        QVERIFY(m_manager->setOn({id}, false));
        QCOMPARE(m_manager->traffic(id), ForwardTraffic());
    }

    void aLimitIsChangedWhileAConnectionIsOpen()
    {
        Echo echo;
        const QString id = add(Kind::Local, u"0:"_s + echo.at());
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        QTcpSocket client;
        client.connectToHost(QHostAddress::LocalHost, m_manager->status(id).at.port);
        QVERIFY(isAnswered(client, "hello"));
        ForwardWish wish = *m_wishes->wish(id);
        wish.bytesPerSecond = 1;
        QVERIFY(m_manager->update(wish));
        client.write(QByteArray(100'000, 'x'));
        QVERIFY(waitUntil([&] { return m_manager->traffic(id).sent > 5; }, kPatience));
        QVERIFY(m_manager->traffic(id).sent < 20'000);
        wish.bytesPerSecond = 0;
        QVERIFY(m_manager->update(wish));
        QVERIFY(waitUntil([&] { return client.bytesAvailable() == 100'000; }, kPatience));
        QCOMPARE(m_links, 1);
    }

    void otherProcessesSeeWhatIsOnAndCanStopIt()
    {
        const QString on = add(Kind::Dynamic, u"0"_s);
        (void)add(Kind::Dynamic, u"0"_s);
        const QString folder = m_dir->filePath(u"forwards"_s);
        QVERIFY(QDir().mkdir(folder));
        const ForwardTellers tellers(m_manager.get(), folder);
        const auto told = [&] {
            QFuture<QList<RunningForwards>> found = findRunningForwards(folder);
            (void)waitUntil([&] { return found.isFinished(); }, kPatience);
            return found.result();
        };
        QVERIFY(told().isEmpty());
        QVERIFY(m_manager->setOn({on}, true));
        QVERIFY(listens(on));
        const QList<RunningForwards> running = told();
        QCOMPARE(running.size(), 1);
        QCOMPARE(running.constFirst().name, u"box"_s);
        QCOMPARE(running.constFirst().state, u"open"_s);
        QCOMPARE(running.constFirst().forwards.size(), 1);
        QCOMPARE(running.constFirst().forwards.constFirst().state, u"listening"_s);
        QCOMPARE(running.constFirst().forwards.constFirst().at, u"127.0.0.1:%1"_s.arg(m_manager->status(on).at.port));
        QFuture<Done> stopped = stopRunningForwards(running.constFirst());
        QVERIFY(waitUntil([&] { return stopped.isFinished() && m_manager->status(on).state == State::Off; }, kPatience));
        QVERIFY(stopped.result());
        QVERIFY(told().isEmpty());
    }

    void anotherWayIsALinkOfItsOwnAtTheSamePort()
    {
        Echo echo;
        const QString kept = add(Kind::Local, u"0:"_s + echo.at());
        const QString moved = add(Kind::Local, u"0:"_s + echo.at());
        QVERIFY(m_manager->setOn({kept, moved}, true));
        QVERIFY(listens(kept) && listens(moved));
        QCOMPARE(m_ways, QList{ForwardWay::Automatic});
        QTcpSocket client;
        client.connectToHost(QHostAddress::LocalHost, m_manager->status(kept).at.port);
        QVERIFY(isAnswered(client, "one"));
        // What it has now is what it is to have there.
        ForwardWish wish = *m_wishes->wish(moved);
        wish.spec.listen.port = m_manager->status(moved).at.port;
        QVERIFY(m_manager->update(wish));
        QVERIFY(listens(moved));
        wish.way = ForwardWay::Ssh;
        QVERIFY(m_manager->update(wish));
        QVERIFY(m_manager->status(moved).state != State::Listening);
        QVERIFY(listens(moved));
        QCOMPARE(m_manager->status(moved).at.port, wish.spec.listen.port);
        QCOMPARE(m_manager->status(moved).way, ForwardWay::Ssh);
        QCOMPARE(m_ways, (QList{ForwardWay::Automatic, ForwardWay::Ssh}));
        QCOMPARE(m_links, 2);
        QVERIFY(isAnswered(client, "two"));
        QVERIFY(m_died.isEmpty());
    }

    void theyComeBackWithTheProgram()
    {
        const QString on = add(Kind::Dynamic, u"0"_s);
        const QString off = add(Kind::Dynamic, u"0"_s);
        const QString starting = add(Kind::Dynamic, u"0"_s, [](ForwardWish &wish) { wish.startsWithProgram = true; });
        QVERIFY(m_manager->setOn({on}, true));
        QCOMPARE(m_manager->status(starting).state, State::Off); // the program runs already
        m_manager.reset();
        m_wishes.reset();
        start();
        QVERIFY(listens(on) && listens(starting));
        QCOMPARE(m_manager->status(off).state, State::Off);
    }

    void theyWaitForTheirAccount()
    {
        const QString id = add(Kind::Dynamic, u"0"_s, [](ForwardWish &wish) { wish.sandbox.account = u"later"_s; });
        QVERIFY(m_manager->setOn({id}, true));
        QCOMPARE(m_manager->status(id).state, State::Waiting);
        QVERIFY(m_manager->status(id).error);
        auto provider = std::make_unique<FakeProvider>(u"later"_s);
        provider->sandboxes = {provider->make(u"box"_s)};
        Account account;
        account.id = account.name = u"later"_s;
        m_registry->addProvider(account, std::move(provider));
        QVERIFY(listens(id));
    }

    void aSleepingSandboxIsWaitedForAndNotWoken()
    {
        const QString id = add(Kind::Dynamic, u"0"_s);
        setBox(SandboxState::Suspended);
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(waitUntil([&] { return m_manager->status(id).isAsleep; }, kPatience));
        QCOMPARE(m_manager->status(id).state, State::Waiting);
        QCOMPARE(m_links, 0);
        QVERIFY(!m_provider->calls.join(u' ').contains(u"resume"));
        setBox(SandboxState::Running);
        QVERIFY(listens(id));
    }

    void someStartWhenTheSandboxRuns()
    {
        setBox(SandboxState::Suspended);
        const QString id = add(Kind::Dynamic, u"0"_s, [](ForwardWish &wish) { wish.startsWithSandbox = true; });
        QCOMPARE(m_manager->status(id).state, State::Off);
        setBox(SandboxState::Running);
        QVERIFY(listens(id));
        // Whoever switches it off is not overruled by the next poll.
        QVERIFY(m_manager->setOn({id}, false));
        Sandbox renamed = m_box;
        renamed.name = u"other"_s;
        m_registry->put(renamed);
        QCOMPARE(m_manager->status(id).state, State::Off);
    }

    void aTakenPortIsAFailureThatCanBeMended()
    {
        QTcpServer taken;
        QVERIFY(taken.listen(QHostAddress::LocalHost));
        const QString id = add(Kind::Dynamic, QString::number(taken.serverPort()));
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(waitUntil([&] { return m_manager->status(id).state == State::Failed; }, kPatience));
        QCOMPARE(m_manager->status(id).error->kind, ErrorKind::Conflict);
        QVERIFY(m_died.isEmpty()); // it has never lived
        taken.close();
        m_manager->retryNow(id);
        QVERIFY(listens(id));
    }

    void theEndOfOneIsTold()
    {
        const QString id = add(Kind::Dynamic, u"0"_s);
        QVERIFY(m_manager->setOn({id}, true));
        QVERIFY(listens(id));
        m_provider->sandboxes.clear(); // terminated, and forgotten by its vendor
        m_network->cutOnce();
        QVERIFY(waitUntil([&] { return m_manager->status(id).state == State::Failed; }, kPatience));
        QCOMPARE(m_died, QStringList{id});
        QCOMPARE(m_manager->status(id).error->kind, ErrorKind::NotFound);
    }

private:
    void start()
    {
        m_died.clear();
        m_wishes = std::make_unique<ForwardWishes>(m_dir->filePath(u"forwards.json"_s));
        ForwardManager::Services services;
        services.registry = m_registry.get();
        services.standing = [this](const SandboxId &id, ForwardWay way) {
            m_ways.append(way);
            StandingForwards::Services standing;
            standing.provider = m_registry->provider(id.account);
            standing.makeLink = [this](const Sandbox &) {
                ++m_links;
                LinkOptions options = m_server->options();
                options.endpoint.port = m_network->port();
                return std::make_unique<SshForwardLink>(options, &m_prompts);
            };
            standing.random = [] { return 0.5; };
            standing.after = runAfter;
            return standing;
        };
        m_manager = std::make_unique<ForwardManager>(m_wishes.get(), services);
        connect(m_manager.get(), &ForwardManager::died, this, [this](const QString &id) { m_died.append(id); });
        m_manager->begin();
    }
    QString add(Kind option, const QString &text, const std::function<void(ForwardWish &)> &edit = {})
    {
        ForwardWish wish;
        wish.sandbox = m_box.id;
        wish.sandboxName = m_box.name;
        wish.spec = *parseForward(option, text);
        if (edit)
            edit(wish);
        return m_manager->add({wish}).value_or(QStringList()).value(0);
    }
    bool listens(const QString &id)
    {
        return waitUntil([&] { return m_manager->status(id).state == State::Listening; }, kPatience);
    }
    void setBox(SandboxState state)
    {
        m_box.state = state;
        m_provider->sandboxes = {m_box};
        m_registry->put(m_box);
    }

    std::unique_ptr<TestSshd> m_server;
    std::unique_ptr<CuttableProxy> m_network;
    RecordingPrompts m_prompts;
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<SandboxRegistry> m_registry;
    FakeProvider *m_provider = nullptr;
    Sandbox m_box;
    std::unique_ptr<ForwardWishes> m_wishes;
    std::unique_ptr<ForwardManager> m_manager;
    QStringList m_died;
    QList<ForwardWay> m_ways; // that services were asked for
    int m_links = 0;
};

QTEST_GUILESS_MAIN(TestForwardManager)
#include "tst_forwardmanager.moc"

// Forwards that are made again on each new link.
#include "session/standingforwards.h"

#include "session/runafter.h"
#include "session/sshforwardlink.h"

#include "tests/support/cuttableproxy.h"
#include "tests/support/elsewhere.h"
#include "tests/support/fakeprovider.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/rawpeer.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"

#include <QTcpServer>
#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = StandingForwards::State;
using Forward = ForwardStatus::State;

namespace {

constexpr int kPatience = 60'000;

struct Scene
{
    Scene(const LinkOptions &options, const QList<ForwardSpec> &wishes, SandboxProvider *provider = nullptr, const Sandbox &sandbox = {})
    {
        StandingForwards::Services services;
        services.provider = provider;
        if (!provider)
            services.plainHost = sandbox;
        services.makeLink = [this, options](const Sandbox &) {
            ++links;
            return std::make_unique<SshForwardLink>(options, &prompts);
        };
        services.random = [] { return 0.5; };
        services.after = runAfter;
        standing = std::make_unique<StandingForwards>(sandbox.id, wishes, services);
        QObject::connect(standing.get(), &StandingForwards::statusChanged, standing.get(),
                         [this](const StandingForwards::Status &status) { states.append(status.state); });
        QObject::connect(standing.get(), &StandingForwards::forwardChanged, standing.get(),
                         [this](qsizetype index, const ForwardStatus &status) { news.append({index, status.state}); });
        standing->open();
    }
    bool listens(qsizetype index)
    {
        return waitUntil([&] { return standing->forward(index).state == Forward::Listening; }, kPatience);
    }

    RecordingPrompts prompts;
    int links = 0;
    QList<State> states;
    QList<std::pair<qsizetype, Forward>> news;
    std::unique_ptr<StandingForwards> standing;
};

ForwardSpec spec(ForwardSpec::Kind option, const QString &text)
{
    return *parseForward(option, text);
}

// The network is in this thread, so the client is in another.
bool echoes(quint16 port)
{
    return elsewhere([port] {
        RawPeer peer = RawPeer::tcp(port);
        return peer.isValid() && peer.exchange("hello") == "hellobye";
    });
}

} // namespace

class TestStandingForwards : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_server;
    LoopbackServer m_echo;

    [[nodiscard]] LinkOptions through(const CuttableProxy &network) const
    {
        LinkOptions options = m_server->options();
        options.endpoint.port = network.port();
        return options;
    }

private slots:
    void initTestCase()
    {
        m_server = std::make_unique<TestSshd>();
        SANDPIPER_NEED_SSHD(*m_server);
        m_echo.start(serveEcho);
    }
    void cleanupTestCase()
    {
        m_echo.stop();
        m_server.reset();
    }

    void afterALossTheyAreBackAtTheSamePort()
    {
        CuttableProxy network(m_server->port());
        const QString echo = u"127.0.0.1:%1"_s.arg(m_echo.port());
        Scene scene(through(network), {spec(ForwardSpec::Kind::Local, u"0:"_s + echo), spec(ForwardSpec::Kind::Remote, u"0:"_s + echo),
                                       spec(ForwardSpec::Kind::Dynamic, u"0"_s)});
        for (qsizetype i = 0; i < 3; ++i)
            QVERIFY(scene.listens(i));
        QCOMPARE(scene.standing->status().state, State::Open);
        const quint16 local = scene.standing->forward(0).at.port;
        const quint16 socks = scene.standing->forward(2).at.port;
        QVERIFY(echoes(local) && echoes(scene.standing->forward(1).at.port));
        for (int loss = 0; loss < 2; ++loss) {
            network.cutOnce();
            QVERIFY(waitUntil([&] { return scene.standing->forward(0).state == Forward::Waiting; }, kPatience));
            for (qsizetype i = 0; i < 3; ++i)
                QVERIFY(scene.listens(i));
            QCOMPARE(scene.standing->forward(0).at.port, local);
            QCOMPARE(scene.standing->forward(2).at.port, socks);
            QVERIFY(echoes(local) && echoes(scene.standing->forward(1).at.port));
        }
        QCOMPARE(scene.links, 3);
        // Each was said once for each link.
        QCOMPARE(scene.news.count(std::pair(qsizetype(0), Forward::Listening)), 3);
        QCOMPARE(scene.news.count(std::pair(qsizetype(0), Forward::Waiting)), 2);
        QVERIFY(!scene.states.contains(State::Failed));
    }

    void whatTheServerStillHoldsIsTriedAgain()
    {
        CuttableProxy network(m_server->port());
        quint16 port = 0;
        {
            QTcpServer probe;
            QVERIFY(probe.listen(QHostAddress::LocalHost));
            port = probe.serverPort();
        }
        Scene scene(through(network), {spec(ForwardSpec::Kind::Remote, u"127.0.0.1:%1:127.0.0.1:%2"_s.arg(port).arg(m_echo.port()))});
        QVERIFY(scene.listens(0));
        network.cut();
        QVERIFY(waitUntil([&] { return scene.standing->status().state == State::Waiting; }, kPatience));
        QTcpServer holder;
        QVERIFY(waitUntil([&] { return holder.isListening() || holder.listen(QHostAddress::LocalHost, port); }, kPatience));
        network.resume();
        QVERIFY(waitUntil([&] { return scene.standing->forward(0).state == Forward::Failed; }, kPatience));
        QCOMPARE(scene.standing->status().state, State::Open);
        const int links = scene.links;
        holder.close();
        QVERIFY(scene.listens(0));
        QCOMPARE(scene.links, links); // over the same one
        QVERIFY(echoes(port));
    }

    void whatNeverWorkedIsNotTriedAgain()
    {
        Scene scene(m_server->options(), {spec(ForwardSpec::Kind::Local, u"%1:a:1"_s.arg(m_echo.port())), spec(ForwardSpec::Kind::Dynamic, u"0"_s)});
        QVERIFY(scene.listens(1));
        QCOMPARE(scene.standing->forward(0).state, Forward::Failed);
        QVERIFY(scene.standing->hasEverListened());
        QCOMPARE(scene.news.size(), 2);
    }

    void aSleepingSandboxIsNotWoken_data()
    {
        QTest::addColumn<SandboxState>("state");
        QTest::addColumn<State>("becomes");
        QTest::newRow("suspended") << SandboxState::Suspended << State::Suspended;
        QTest::newRow("terminated") << SandboxState::Terminated << State::Gone;
        QTest::newRow("on its way") << SandboxState::Pending << State::Waiting;
    }
    void aSleepingSandboxIsNotWoken()
    {
        QFETCH(SandboxState, state);
        QFETCH(State, becomes);
        FakeProvider provider(u"account"_s);
        const Sandbox sandbox = provider.make(u"box"_s, state);
        provider.sandboxes = {sandbox};
        Scene scene(m_server->options(), {spec(ForwardSpec::Kind::Dynamic, u"0"_s)}, &provider, sandbox);
        QVERIFY(waitUntil([&] { return scene.standing->status().state == becomes; }, kPatience));
        QCOMPARE(scene.links, 0);
        QVERIFY(!provider.calls.join(u' ').contains(u"resume"));
        QCOMPARE(scene.standing->forward(0).state, Forward::Waiting);
    }

    void whatIsClosedListensNoMore()
    {
        Scene scene(m_server->options(), {spec(ForwardSpec::Kind::Dynamic, u"0"_s)});
        QVERIFY(scene.listens(0));
        const quint16 port = scene.standing->forward(0).at.port;
        scene.standing->close();
        QCOMPARE(scene.standing->status().state, State::Stopped);
        QCOMPARE(scene.standing->forward(0).state, Forward::Stopped);
        QVERIFY(waitUntil([&] { return !RawPeer::tcp(port).isValid(); }, kPatience));
        scene.standing->open();
        QVERIFY(scene.listens(0));
        QCOMPARE(scene.standing->forward(0).at.port, port);
    }
};

QTEST_GUILESS_MAIN(TestStandingForwards)
#include "tst_standingforwards.moc"

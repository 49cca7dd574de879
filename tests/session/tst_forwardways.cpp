// Which way forwards go, and what becomes of them where the first lets nobody in.
#include "session/forwardways.h"

#include "session/choosingforwardlink.h"
#include "session/tunnelforwardlink.h"

#include "tests/support/fakeprovider.h"
#include "tests/support/recordingprompts.h"

#include <QTest>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using State = ForwardStatus::State;
using Kind = ForwardSpec::Kind;

namespace {

// A link that does as it is told.
class ScriptedLink : public ForwardLink
{
public:
    void connectToHost() override { ++connects; }
    void close() override { end({ErrorKind::Cancelled, Layer::Ssh, {}, {}}); }
    void probe() override { ++probes; }
    [[nodiscard]] bool isReady() const override { return m_isReady; }
    [[nodiscard]] int addForward(const ForwardSpec &spec) override
    {
        forwards.insert(++m_lastId, spec);
        return m_lastId;
    }
    void stopForward(int id) override
    {
        const ForwardSpec spec = forwards.take(id);
        emit forwardChanged({id, spec, {State::Stopped, {}, {}, false}, {}});
    }
    void limitForward(int id, qint64 bytesPerSecond) override { limits.insert(id, bytesPerSecond); }
    void closeConnection(int id, quint64 connection) override { closedOnes.append({id, connection}); }
    void becomeReady()
    {
        m_isReady = true;
        emit ready();
    }
    void listenAt(int id) { emit forwardChanged({id, forwards.value(id), {State::Listening, {{}, 1000, {}}, {}, false, ForwardWay::Tunnel}, {}}); }
    void end(const Error &error)
    {
        for (const auto &[id, spec] : std::exchange(forwards, {}).asKeyValueRange())
            emit forwardChanged({id, spec, {State::Lost, {}, error, false}, {}});
        emit closed(error);
    }

    int connects = 0;
    int probes = 0;
    QMap<int, ForwardSpec> forwards;
    QMap<int, qint64> limits;
    QList<std::pair<int, quint64>> closedOnes;

private:
    bool m_isReady = false;
    int m_lastId = 0;
};

ForwardSpec spec(Kind option, const QString &text)
{
    return *parseForward(option, text);
}

struct Scene
{
    Scene()
    {
        auto ssh = std::make_unique<ScriptedLink>();
        first = ssh.get();
        link = std::make_unique<ChoosingForwardLink>(std::move(ssh), ChoosingForwardLink::Second{[this] {
                                                         auto made = std::make_unique<ScriptedLink>();
                                                         second = made.get();
                                                         return made;
                                                     }, tunnelRefusal, u"the other way"_s});
        QObject::connect(link.get(), &ForwardLink::ready, link.get(), [this] { ++ready; });
        QObject::connect(link.get(), &ForwardLink::bannerReceived, link.get(), [this](const QString &text) { banners.append(text); });
        QObject::connect(link.get(), &ForwardLink::closed, link.get(), [this](const Error &error) { ends.append(error); });
        QObject::connect(link.get(), &ForwardLink::forwardChanged, link.get(), [this](const ForwardReport &report) { reports.append(report); });
        link->connectToHost();
    }
    ScriptedLink *first = nullptr;
    ScriptedLink *second = nullptr;
    std::unique_ptr<ChoosingForwardLink> link;
    int ready = 0;
    QStringList banners;
    QList<Error> ends;
    QList<ForwardReport> reports;
};

const Error kNoKey{ErrorKind::AuthRejected, Layer::Auth, u"publickey"_s, {}};

} // namespace

class TestForwardWays : public QObject
{
    Q_OBJECT
private slots:
    void aKeyThatIsTakenKeepsTheFirst()
    {
        Scene scene;
        (void)scene.link->addForward(spec(Kind::Local, u"8080:localhost:80"_s));
        scene.first->becomeReady();
        scene.first->end(kNoKey); // a rekeying gone wrong, say
        QCOMPARE(scene.ready, 1);
        QVERIFY(!scene.second);
        QCOMPARE(scene.ends.size(), 1);
        QCOMPARE(scene.reports.size(), 1);
        QCOMPARE(scene.reports.constFirst().status.state, State::Lost);
    }

    void whatIsNoMatterOfKeysEndsIt_data()
    {
        QTest::addColumn<ErrorKind>("kind");
        for (const ErrorKind kind : {ErrorKind::Timeout, ErrorKind::ConnectionRefused, ErrorKind::HostKeyChanged, ErrorKind::HostKeyRefused, ErrorKind::Cancelled})
            QTest::newRow(qPrintable(nameOf(kind))) << kind;
    }
    void whatIsNoMatterOfKeysEndsIt()
    {
        QFETCH(const ErrorKind, kind);
        Scene scene;
        const int id = scene.link->addForward(spec(Kind::Local, u"8080:localhost:80"_s));
        scene.first->end({kind, Layer::Ssh, {}, {}});
        QVERIFY(!scene.second);
        QCOMPARE(scene.ends.size(), 1);
        QCOMPARE(scene.ends.constFirst().kind, kind);
        QCOMPARE(scene.reports.size(), 1);
        QCOMPARE(scene.reports.constFirst().id, id);
        QCOMPARE(scene.reports.constFirst().status.state, State::Lost);
    }

    void withoutAKeyTheSecondCarriesThem_data()
    {
        QTest::addColumn<ErrorKind>("kind");
        QTest::newRow("rejected") << ErrorKind::AuthRejected;
        QTest::newRow("not registered") << ErrorKind::KeyNotRegistered;
    }
    void withoutAKeyTheSecondCarriesThem()
    {
        QFETCH(const ErrorKind, kind);
        Scene scene;
        const int first = scene.link->addForward(spec(Kind::Local, u"8080:localhost:80"_s));
        const int remote = scene.link->addForward(spec(Kind::Remote, u"9000:localhost:90"_s));
        scene.first->end({kind, Layer::Auth, {}, {}});
        QVERIFY(scene.second);
        QCOMPARE(scene.second->connects, 1);
        QVERIFY(scene.reports.isEmpty() && scene.ends.isEmpty());
        QCOMPARE(scene.banners, QStringList{u"the other way"_s});
        scene.second->becomeReady();
        QVERIFY(scene.link->isReady());
        QCOMPARE(scene.ready, 1);
        const int later = scene.link->addForward(spec(Kind::Dynamic, u"1080"_s));
        QCOMPARE(scene.second->forwards.size(), 2);
        scene.second->listenAt(1);
        scene.second->listenAt(2);
        // Those that the second cannot carry wait for the key.
        QTRY_COMPARE(scene.reports.size(), 3);
        QHash<int, ForwardStatus> states;
        for (const ForwardReport &report : std::as_const(scene.reports))
            states.insert(report.id, report.status);
        QCOMPARE(states.value(first).state, State::Listening);
        QCOMPARE(states.value(later).state, State::Listening);
        QCOMPARE(states.value(remote).state, State::Failed);
        QCOMPARE(states.value(remote).error.kind, kind);
        scene.link->probe();
        QCOMPARE(scene.second->probes, 1);
        scene.link->stopForward(first);
        QCOMPARE(scene.reports.constLast().status.state, State::Stopped);
        QCOMPARE(scene.reports.constLast().id, first);
        scene.second->end({ErrorKind::SandboxNotRunning, Layer::SandboxState, {}, {}});
        QCOMPARE(scene.ends.size(), 1);
        QCOMPARE(scene.reports.constLast().id, later);
        QCOMPARE(scene.reports.constLast().status.state, State::Lost);
    }

    void aLimitGoesAlongAndTrafficKeepsItsNumber()
    {
        Scene scene;
        (void)scene.link->addForward(spec(Kind::Remote, u"9000:localhost:90"_s)); // the second does not carry it
        const int id = scene.link->addForward(spec(Kind::Local, u"8080:localhost:80"_s));
        scene.link->limitForward(id, 500);
        QCOMPARE(scene.first->limits.value(2), 500);
        scene.first->end(kNoKey);
        QVERIFY(scene.second);
        QCOMPARE(scene.second->limits, (QMap<int, qint64>{{1, 500}}));
        QList<std::pair<int, qint64>> told;
        connect(scene.link.get(), &ForwardLink::trafficChanged, this, [&](int of, const ForwardTraffic &traffic) { told.append({of, traffic.sent}); });
        emit scene.second->trafficChanged(1, {7, 0, 1, {}});
        emit scene.second->trafficChanged(9, {8, 0, 1, {}}); // nobody's
        QCOMPARE(told, (QList<std::pair<int, qint64>>{{id, 7}}));
        scene.link->closeConnection(id, 3);
        QCOMPARE(scene.second->closedOnes, (QList<std::pair<int, quint64>>{{1, 3}}));
    }

    void theWayIsChosenByWhatThereIs_data()
    {
        QTest::addColumn<bool>("hasSsh");
        QTest::addColumn<bool>("hasTunnel");
        QTest::addColumn<ForwardWay>("way");
        QTest::addColumn<QByteArray>("made"); // empty: none
        QTest::newRow("both") << true << true << ForwardWay::Automatic << "ChoosingForwardLink"_ba;
        QTest::newRow("SSH alone") << true << false << ForwardWay::Automatic << "BridgingForwardLink"_ba;
        QTest::newRow("a tunnel alone") << false << true << ForwardWay::Automatic << "TunnelForwardLink"_ba;
        QTest::newRow("none") << false << false << ForwardWay::Automatic << ""_ba;
        QTest::newRow("SSH is said") << true << true << ForwardWay::Ssh << "SshForwardLink"_ba;
        QTest::newRow("SSH is said and not there") << false << true << ForwardWay::Ssh << ""_ba;
        QTest::newRow("a bridge is said") << true << true << ForwardWay::Bridge << "BridgingForwardLink"_ba;
        QTest::newRow("a bridge is said and no SSH there") << false << true << ForwardWay::Bridge << ""_ba;
        QTest::newRow("the tunnel is said") << true << true << ForwardWay::Tunnel << "TunnelForwardLink"_ba;
        QTest::newRow("the tunnel is said and not there") << true << false << ForwardWay::Tunnel << ""_ba;
    }
    void theWayIsChosenByWhatThereIs()
    {
        QFETCH(const bool, hasSsh);
        QFETCH(const bool, hasTunnel);
        QFETCH(const ForwardWay, way);
        QFETCH(const QByteArray, made);
        FakeProvider provider(u"account"_s);
        Sandbox sandbox = provider.make(u"box"_s);
        if (hasSsh)
            sandbox.ssh = SshEndpoint();
        else
            sandbox.capabilities.refuse(Capability::SshShell, u"No SSH here."_s);
        if (!hasTunnel)
            sandbox.capabilities.refuse(Capability::Tunnel, u"No tunnel here."_s);
        RecordingPrompts prompts;
        const ForwardWays ways{&provider, [](const Sandbox &found) { return linkOptionsFor(found); }, &prompts, {}};
        const Result<std::unique_ptr<ForwardLink>> link = makeForwardLink(ways, way, sandbox);
        QCOMPARE(link.has_value(), !made.isEmpty());
        QCOMPARE(!wayRefusal(way, sandbox), !made.isEmpty());
        if (link) {
            QVERIFY2((*link)->inherits("Sandpiper::" + made), (*link)->metaObject()->className());
        } else {
            QCOMPARE(link.error().kind, ErrorKind::Unsupported);
            QCOMPARE(link.error().subject, u"box"_s);
            QCOMPARE(link.error().detail, way == ForwardWay::Tunnel ? u"No tunnel here."_s : u"No SSH here."_s);
        }
    }

    void whatTheTunnelCannotCarryGoesBySsh()
    {
        FakeProvider provider(u"account"_s);
        Sandbox sandbox = provider.make(u"box"_s);
        const ForwardSpec remote = spec(Kind::Remote, u"9000:localhost:90"_s);
        QVERIFY(wayRefusal(ForwardWay::Tunnel, sandbox, remote));
        QVERIFY(wayRefusal(ForwardWay::Automatic, sandbox, remote)); // no SSH yet
        sandbox.ssh = SshEndpoint();
        QVERIFY(wayRefusal(ForwardWay::Tunnel, sandbox, remote));
        QVERIFY(!wayRefusal(ForwardWay::Automatic, sandbox, remote));
        QVERIFY(!wayRefusal(ForwardWay::Tunnel, sandbox, spec(Kind::Local, u"8080:localhost:80"_s)));
    }

    void waysHaveNamesForFiles()
    {
        for (const ForwardWay way : {ForwardWay::Automatic, ForwardWay::Ssh, ForwardWay::Tunnel, ForwardWay::Bridge})
            QCOMPARE(forwardWayOf(keyOf(way)), std::optional(way));
        QVERIFY(!forwardWayOf(u"pigeon"_s) && !forwardWayOf(QString()));
    }
};

QTEST_GUILESS_MAIN(TestForwardWays)
#include "tst_forwardways.moc"

// Twenty busy forwards while their link is cut again and again: what was not under way at a cut is not lost.
// With SANDPIPER_LONG_TESTS=1 half an hour, cut every 20 s; else a few cuts, each after so many connections.
#include "session/runafter.h"
#include "session/sshforwardlink.h"
#include "session/standingforwards.h"

#include "tests/support/cuttableproxy.h"
#include "tests/support/forwarding.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/processwitness.h"
#include "tests/support/rawpeer.h"
#include "tests/support/testsshd.h"

#include <QElapsedTimer>
#include <QTest>
#include <QtEndian>

#include <future>
#include <random>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using Kind = ForwardSpec::Kind;

namespace {

constexpr int kPatience = Forwarding::kPatience;
constexpr int kMostBytes = 256 << 10;
constexpr int kShortCuts = 4;
constexpr int kBetweenShortCuts = 150; // connections
constexpr auto kLong = 30min;
constexpr auto kBetweenLongCuts = 20s;

// Shared by the clients' threads and the one that cuts.
struct Field
{
    // Even: every forward listens. Odd: from just before a cut until they do again.
    std::atomic<int> season = 1;
    std::atomic<bool> stops = false;
    std::atomic<int> served = 0;
    std::atomic<int> underWay = 0; // at a cut
    std::atomic<int> lost = 0;
};

// One client after the other, at one forward.
void useForward(Field &field, const std::atomic<quint16> &port, const QByteArray &greeting, qsizetype answer, unsigned seed)
{
    std::mt19937 random(seed);
    const QByteArray all = everyByte(kMostBytes);
    while (!field.stops) {
        const int season = field.season;
        if (season % 2 != 0) {
            field.season.wait(season);
            continue;
        }
        const QByteArray bytes = all.first(int(random() % kMostBytes));
        RawPeer peer = RawPeer::tcp(port);
        const QByteArray back = peer.isValid() ? peer.exchange(greeting + bytes) : QByteArray();
        if (peer.isValid() && back.sliced(std::min(answer, back.size())) == bytes + "bye")
            ++field.served;
        else if (field.season != season)
            ++field.underWay;
        else
            ++field.lost;
    }
}

} // namespace

class TestForwardSoak : public QObject
{
    Q_OBJECT

private slots:
    void noConnectionIsLostButThoseUnderWay()
    {
        const bool isLong = qEnvironmentVariableIntValue("SANDPIPER_LONG_TESTS") == 1;
        TestSshd server;
        SANDPIPER_NEED_SSHD(server);
        const ProcessHoldings before = ProcessHoldings::now();
        LoopbackServer echo;
        echo.start(serveEcho);
        double atFirst = 0;
        {
            CuttableProxy network(server.port());
            LinkOptions options = server.options();
            options.endpoint.port = network.port();
            const QString toEcho = u"0:127.0.0.1:%1"_s.arg(echo.port());
            QList<ForwardSpec> specs;
            for (int i = 0; i < 20; ++i)
                specs.append(i % 5 == 4 ? forwardSpec(Kind::Dynamic, u"0"_s) : forwardSpec(i % 2 == 0 ? Kind::Local : Kind::Remote, toEcho));
            RecordingPrompts prompts;
            StandingForwards::Services services;
            services.plainHost = Sandbox();
            services.makeLink = [&](const Sandbox &) { return std::make_unique<SshForwardLink>(options, &prompts); };
            services.random = [] { return 0.5; };
            services.after = runAfter;
            StandingForwards standing({}, specs, services);
            standing.open();
            const auto allListen = [&] {
                for (qsizetype i = 0; i < specs.size(); ++i) {
                    if (standing.forward(i).state != ForwardStatus::State::Listening)
                        return false;
                }
                return true;
            };
            QVERIFY(waitUntil(allListen, kPatience));

            Field field;
            std::vector<std::atomic<quint16>> ports(size_t(specs.size()));
            const auto learnPorts = [&] {
                for (size_t i = 0; i < ports.size(); ++i)
                    ports[i] = standing.forward(qsizetype(i)).at.port;
            };
            learnPorts();
            QByteArray socks = QByteArray::fromHex("050100 05010001 7f000001 0000");
            qToBigEndian(echo.port(), socks.data() + socks.size() - 2);
            std::vector<std::future<void>> clients;
            for (size_t i = 0; i < ports.size(); ++i) {
                const bool asks = specs.at(qsizetype(i)).kind == Kind::Dynamic;
                clients.push_back(std::async(std::launch::async, [&, i, asks] { useForward(field, ports[i], asks ? socks : QByteArray(), asks ? 12 : 0, unsigned(i)); }));
            }
            QElapsedTimer clock;
            clock.start();
            int cuts = 0;
            const auto goesOn = [&] { return isLong ? clock.durationElapsed() < kLong : cuts < kShortCuts; };
            bool isWell = true;
            while (goesOn() && isWell) {
                field.season = 2 * cuts;
                field.season.notify_all();
                const int served = field.served;
                const auto since = clock.durationElapsed();
                const auto isDue = [&] { return isLong ? clock.durationElapsed() - since >= kBetweenLongCuts : field.served >= served + kBetweenShortCuts; };
                isWell = waitUntil(isDue, kPatience);
                if (++cuts == 1)
                    atFirst = residentMiB();
                field.season = 2 * cuts - 1;
                network.cutOnce();
                isWell = isWell && waitUntil([&] { return standing.forward(0).state == ForwardStatus::State::Waiting; }, kPatience) && waitUntil(allListen, kPatience);
                learnPorts();
            }
            field.stops = true;
            field.season = 2 * cuts;
            field.season.notify_all();
            const auto haveEnded = [&] {
                return std::ranges::all_of(clients, [](const std::future<void> &client) { return client.wait_for(0s) == std::future_status::ready; });
            };
            QVERIFY(waitUntil(haveEnded, kPatience));
            qInfo("%d cuts, %d connections served, %d under way at a cut, %d lost", cuts, field.served.load(), field.underWay.load(), field.lost.load());
            QVERIFY(isWell);
            QCOMPARE(field.lost, 0);
            QVERIFY(field.served >= cuts * 20);
        }
        echo.stop();
        QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().descriptors <= before.descriptors, kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().threads <= before.threads + 1, kPatience);
        qInfo("memory %.1f MiB at the first cut, %.1f MiB at the end", atFirst, residentMiB());
    }
};

QTEST_GUILESS_MAIN(TestForwardSoak)
#include "tst_forwardsoak.moc"

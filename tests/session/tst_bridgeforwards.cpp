// Forwards over a program: each kind of it, run by a shell of this computer, and programs that misbehave.
#include "session/bridgeforwardlink.h"

#include "session/bridgeframes.h"
#include "tests/support/elsewhere.h"
#include "tests/support/everybyte.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/processwitness.h"
#include "tests/support/rawpeer.h"
#include "tests/support/waituntil.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QThreadPool>
#include <QTimer>

#include <csignal>
#include <future>

#include <fcntl.h>
#include <sys/wait.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using State = ForwardStatus::State;
using Kind = ForwardSpec::Kind;

namespace {

constexpr int kPatience = 60'000;

// A command line of a shell here, with nothing in its PATH but what is there to be found.
class LocalPipe : public BridgePipe
{
public:
    LocalPipe(const QByteArray &commandLine, FileDescriptor stream, const QByteArray &path)
    {
        const int fd = stream.get();
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK); // as a shell has it
        m_child = ::fork();
        if (m_child == 0) {
            ::dup2(fd, 0);
            ::dup2(fd, 1);
            const QByteArray variable = "PATH=" + path;
            const char *environment[] = {variable.constData(), nullptr};
            ::execle("/bin/sh", "sh", "-c", commandLine.constData(), nullptr, const_cast<char **>(environment));
            ::_exit(127);
        }
        m_look.callOnTimeout(this, [this] {
            if (m_child > 0 && ::waitpid(m_child, nullptr, WNOHANG) == m_child) {
                m_child = -1;
                m_look.stop();
                emit ended({ErrorKind::ConnectionLost, Layer::Ssh, u"it has ended"_s, {}});
            }
        });
        m_look.start(20);
    }
    ~LocalPipe() override
    {
        if (m_child > 0 && ::kill(m_child, SIGTERM) == 0)
            ::waitpid(m_child, nullptr, 0);
    }
    [[nodiscard]] pid_t child() const { return m_child; }

private:
    pid_t m_child = -1;
    QTimer m_look;
};

struct Forwarding
{
    explicit Forwarding(BridgePipeMaker make)
        : link(std::make_unique<BridgeForwardLink>(ForwardOwner{u"box"_s, u"box"_s}, ForwardRules(), std::move(make)))
    {
        QObject::connect(link.get(), &ForwardLink::ready, link.get(), [this] { ++ready; });
        QObject::connect(link.get(), &ForwardLink::closed, link.get(), [this](const Error &error) { ends.append(error); });
        QObject::connect(link.get(), &ForwardLink::forwardChanged, link.get(), [this](const ForwardReport &report) {
            if (report.trouble)
                troubles.append(*report.trouble);
            else
                states.insert(report.id, report.status);
        });
        link->connectToHost();
    }
    ForwardStatus settled(int id)
    {
        (void)waitUntil([&] { return states.contains(id) || !ends.isEmpty(); }, kPatience);
        return states.value(id);
    }
    ForwardStatus made(Kind option, const QString &text) { return settled(link->addForward(*parseForward(option, text))); }
    quint16 port(Kind option, const QString &text)
    {
        const ForwardStatus status = made(option, text);
        return status.state == State::Listening ? status.at.port : quint16(0);
    }
    std::unique_ptr<BridgeForwardLink> link;
    int ready = 0;
    QHash<int, ForwardStatus> states;
    QList<Error> troubles;
    QList<Error> ends;
};

} // namespace

class TestBridgeForwards : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<LoopbackServer> m_echo;
    QTemporaryDir m_dir;
    ProcessHoldings m_before;
    LocalPipe *m_first = nullptr; // of the last forwarding

    // A folder with that tool alone, and what its command lines need.
    [[nodiscard]] QByteArray pathWith(const QString &tool) const
    {
        const QString folder = m_dir.filePath(tool);
        QDir().mkpath(folder);
        QStringList needed{u"sh"_s, u"cat"_s};
        if (tool != "none"_L1)
            needed << tool;
        for (const QString &name : needed) {
            const QString program = QStandardPaths::findExecutable(name);
            if (program.isEmpty())
                return {};
            QFile::link(QFileInfo(program).canonicalFilePath(), folder + u'/' + name);
        }
        return QFile::encodeName(folder);
    }
    [[nodiscard]] BridgePipeMaker with(const QByteArray &path)
    {
        m_first = nullptr;
        return [this, path](const QByteArray &commandLine, FileDescriptor stream) {
            auto pipe = std::make_unique<LocalPipe>(commandLine, std::move(stream), path);
            m_first = m_first ? m_first : pipe.get();
            return pipe;
        };
    }
    // A relay that says what it is told to; nothing of it is understood.
    [[nodiscard]] BridgePipeMaker saying(const QByteArray &words)
    {
        QFile file(m_dir.filePath(u"words"_s));
        if (!file.open(QIODevice::WriteOnly) || file.write(words) != words.size())
            qFatal("no file");
        return [this, name = file.fileName()](const QByteArray &, FileDescriptor stream) {
            return std::make_unique<LocalPipe>("cat " + QFile::encodeName(name) + "; exec cat >/dev/null", std::move(stream), "/usr/bin:/bin");
        };
    }
    static void addRelays()
    {
        QTest::addColumn<QString>("tool");
        QTest::newRow("python3") << u"python3"_s;
        QTest::newRow("perl") << u"perl"_s;
    }

private slots:
    void initTestCase() { QThreadPool::globalInstance()->setExpiryTimeout(0); } // each of its threads has a descriptor
    void init()
    {
        m_before = ProcessHoldings::now();
        m_echo = std::make_unique<LoopbackServer>();
        m_echo->start(serveEcho);
        QVERIFY(m_echo->port() != 0);
    }
    void cleanup()
    {
        m_echo.reset();
        QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().isWithin(m_before), kPatience);
    }

    void aRelayCarriesAllBytesToTheirEnds_data() { addRelays(); }
    void aRelayCarriesAllBytesToTheirEnds()
    {
        QFETCH(const QString, tool);
        const QByteArray path = pathWith(tool);
        QVERIFY(!path.isEmpty());
        Forwarding forwarding(with(path));
        const QString echo = u"127.0.0.1:%1"_s.arg(m_echo->port());
        const QString inner = m_dir.filePath(u"inner-%1.sock"_s.arg(tool));
        const QString outer = m_dir.filePath(u"outer-%1.sock"_s.arg(tool));
        const quint16 local = forwarding.port(Kind::Local, u"0:"_s + echo);
        const quint16 remote = forwarding.port(Kind::Remote, u"0:"_s + echo);
        QVERIFY2(local != 0 && remote != 0, qPrintable(forwarding.ends.isEmpty() ? QString() : describe(forwarding.ends.constFirst())));
        // There a socket that leads here, and here one that leads to it.
        const ForwardStatus there = forwarding.made(Kind::Remote, inner + u':' + echo);
        QVERIFY2(there.state == State::Listening, qPrintable(describe(there.error)));
        QCOMPARE(there.at.path, inner);
        QCOMPARE(there.way, ForwardWay::Bridge);
        QCOMPARE(forwarding.made(Kind::Local, outer + u':' + inner).state, State::Listening);
        QVERIFY(!(QFile::permissions(inner) & (QFileDevice::ReadGroup | QFileDevice::ReadOther | QFileDevice::WriteOther)));
        const QByteArray bytes = everyByte(4'000'000);
        QVERIFY(elsewhere([=] { return RawPeer::tcp(local).exchange(bytes) == bytes + "bye"; }));
        QVERIFY(elsewhere([=] { return RawPeer::tcp(remote).exchange(bytes) == bytes + "bye"; }));
        QVERIFY(elsewhere([=] { return RawPeer::unixSocket(inner).exchange(bytes) == bytes + "bye"; }));
        QVERIFY(elsewhere([=] { return RawPeer::unixSocket(outer).exchange("x") == "xbye"; }));
        QVERIFY(elsewhere([=] { return RawPeer::tcp(local).exchange({}) == "bye"; }));
        QVERIFY(forwarding.troubles.isEmpty());
        // It ends with its input, and nothing is left behind.
        const pid_t child = m_first->child();
        forwarding.link->close();
        QTRY_VERIFY_WITH_TIMEOUT(::kill(child, 0) != 0, kPatience);
        QVERIFY(!QFileInfo::exists(inner) && !QFileInfo::exists(outer));
        QVERIFY(!RawPeer::tcp(remote).isValid());
    }

    void manyAtOnceAreAllServed_data() { addRelays(); }
    void manyAtOnceAreAllServed()
    {
        QFETCH(const QString, tool);
        Forwarding forwarding(with(pathWith(tool)));
        const quint16 local = forwarding.port(Kind::Local, u"0:localhost:%1"_s.arg(m_echo->port()));
        const quint16 remote = forwarding.port(Kind::Remote, u"0:localhost:%1"_s.arg(m_echo->port()));
        QVERIFY(local != 0 && remote != 0);
        QCOMPARE(elsewhere([=] {
                     std::vector<std::future<bool>> all;
                     for (int i = 0; i < 60; ++i)
                         all.push_back(std::async(std::launch::async, [=] {
                             const QByteArray bytes = everyByte(1 + i * 5000);
                             return RawPeer::tcp(i % 2 ? local : remote).exchange(bytes) == bytes + "bye";
                         }));
                     return int(std::ranges::count_if(all, [](std::future<bool> &one) { return one.get(); }));
                 }),
                 60);
    }

    void whoDoesNotReadHoldsUpNobodyElse_data() { addRelays(); }
    void whoDoesNotReadHoldsUpNobodyElse()
    {
        QFETCH(const QString, tool);
        std::atomic<qint64> sent = -1;
        LoopbackServer far;
        far.start([&sent](int socket) {
            RawPeer peer(socket);
            if (peer.receive(1) == "s")
                sent = peer.flood(256 << 20);
            peer.receive(1);
        });
        Forwarding forwarding(with(pathWith(tool)));
        const quint16 port = forwarding.port(Kind::Local, u"0:127.0.0.1:%1"_s.arg(far.port()));
        const quint16 echo = forwarding.port(Kind::Local, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        QVERIFY(port != 0 && echo != 0);
        RawPeer deaf = RawPeer::tcp(port);
        QVERIFY(deaf.send("s"));
        QTRY_VERIFY_WITH_TIMEOUT(sent.load() > 0, kPatience);
        QVERIFY2(sent.load() < 24 << 20, QByteArray::number(sent.load()).constData());
        RawPeer eager = RawPeer::tcp(port);
        QVERIFY(eager.send("r"));
        const qint64 taken = elsewhere([&eager] { return eager.flood(256 << 20); });
        QVERIFY2(taken > 0 && taken < 24 << 20, QByteArray::number(taken).constData());
        QVERIFY(elsewhere([=] { return RawPeer::tcp(echo).exchange("still there") == "still therebye"; }));
        QCOMPARE(elsewhere([&] { return deaf.receive(sent.load()).size(); }), sent.load());
        deaf.close();
        eager.close();
        far.stop();
    }

    void oneProgramForEachConnectionCarriesBytes_data()
    {
        QTest::addColumn<QString>("tool");
        QTest::addColumn<bool>("keepsHalf");
        QTest::newRow("socat") << u"socat"_s << true;
        QTest::newRow("nc") << u"nc"_s << false;
        QTest::newRow("bash") << u"bash"_s << false;
    }
    void oneProgramForEachConnectionCarriesBytes()
    {
        QFETCH(const QString, tool);
        QFETCH(const bool, keepsHalf);
        const QByteArray path = pathWith(tool);
        if (path.isEmpty())
            QSKIP("this program is not installed");
        Forwarding forwarding(with(path));
        const quint16 port = forwarding.port(Kind::Local, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        QVERIFY2(port != 0, qPrintable(forwarding.ends.isEmpty() ? QString() : describe(forwarding.ends.constFirst())));
        const QByteArray bytes = everyByte(2'000'000);
        if (keepsHalf)
            QVERIFY(elsewhere([=] { return RawPeer::tcp(port).exchange(bytes) == bytes + "bye"; }));
        QVERIFY(elsewhere([=] {
            RawPeer peer = RawPeer::tcp(port);
            std::thread sender([&] { peer.send(bytes); });
            const bool isGood = peer.receive(bytes.size()) == bytes;
            sender.join();
            return isGood;
        }));
        const ForwardStatus remote = forwarding.made(Kind::Remote, u"0:localhost:1"_s);
        QCOMPARE(remote.state, State::Failed);
        QCOMPARE(remote.error.kind, ErrorKind::Unsupported);
        QVERIFY(remote.error.detail.contains(u"python3"));
        QVERIFY(forwarding.ends.isEmpty());
    }

    void whereNothingIsThereItIsSaid()
    {
        Forwarding forwarding(with(pathWith(u"none"_s)));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ends.size(), 1, kPatience);
        QCOMPARE(forwarding.ends.constFirst().kind, ErrorKind::Unsupported);
        QVERIFY(forwarding.ends.constFirst().detail.contains(u"python3"));
        QCOMPARE(forwarding.ready, 0);
    }

    void aFailureThereIsTold_data() { addRelays(); }
    void aFailureThereIsTold()
    {
        QFETCH(const QString, tool);
        Forwarding forwarding(with(pathWith(tool)));
        const quint16 dead = forwarding.port(Kind::Local, u"0:127.0.0.1:1"_s);
        const quint16 nowhere = forwarding.port(Kind::Local, u"0:/no/such.sock"_s);
        for (int i = 0; i < 2; ++i)
            QVERIFY(elsewhere([=] { return RawPeer::tcp(dead).receiveAll().isEmpty() && RawPeer::tcp(nowhere).receiveAll().isEmpty(); }));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.troubles.size(), 2, kPatience);
        QCOMPARE(forwarding.troubles.at(0).kind, ErrorKind::ConnectionRefused);
        const ForwardStatus busy = forwarding.made(Kind::Remote, u"%1:localhost:1"_s.arg(m_echo->port()));
        QCOMPARE(busy.state, State::Failed);
        QCOMPARE(busy.error.kind, ErrorKind::Conflict);
        const ForwardStatus folder = forwarding.made(Kind::Remote, u"/no/such/folder.sock:localhost:1"_s);
        QCOMPARE(folder.state, State::Failed);
        QVERIFY(forwarding.ends.isEmpty());
    }

    void aRelayThatEndsLosesAll_data() { addRelays(); }
    void aRelayThatEndsLosesAll()
    {
        QFETCH(const QString, tool);
        Forwarding forwarding(with(pathWith(tool)));
        const quint16 port = forwarding.port(Kind::Local, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        RawPeer peer = RawPeer::tcp(port);
        QVERIFY(elsewhere([&peer] { return peer.send("x") && peer.receive(1) == "x"; }));
        ::kill(m_first->child(), SIGKILL);
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ends.size(), 1, kPatience);
        QCOMPARE(forwarding.ends.constFirst().kind, ErrorKind::ConnectionLost);
        QCOMPARE(forwarding.states.cbegin()->state, State::Lost);
        QVERIFY(elsewhere([&peer] { return peer.receiveAll().isEmpty() && peer.isOver(); }));
    }

    void aRelayThatMisbehavesIsLeft_data()
    {
        QTest::addColumn<QByteArray>("words");
        const QByteArray greeting = "sandpiper-bridge python3\n";
        const QByteArray ready = greeting + bridgeFrame('R', 0);
        QTest::newRow("text in the place of frames") << greeting + "Traceback (most recent call last):\n";
        QTest::newRow("ready twice") << ready + bridgeFrame('R', 0);
        QTest::newRow("a frame without end") << ready + "D" + QByteArray::fromHex("00000002ffffffff");
        QTest::newRow("a connection of a number of ours") << ready + bridgeFrame('A', 2, bridgeCount(3));
        QTest::newRow("a connection without a listener's number") << ready + bridgeFrame('A', kFirstOfRelay + 1, "x");
        QTest::newRow("endless noise") << QByteArray("Welcome\n").repeated(20'000);
    }
    void aRelayThatMisbehavesIsLeft()
    {
        QFETCH(const QByteArray, words);
        Forwarding forwarding(saying(words));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ends.size(), 1, kPatience);
        QCOMPARE(forwarding.ends.constFirst().kind, ErrorKind::Protocol);
    }

    void whatIsSaidOfNothingIsPassedOver()
    {
        const QByteArray words = "sandpiper-bridge python3\n" + bridgeFrame('R', 0) + bridgeFrame('D', 44, "x") + bridgeFrame('W', 44, "y") + bridgeFrame('C', 46)
                + bridgeFrame('A', kFirstOfRelay + 9, bridgeCount(77));
        Forwarding forwarding(saying(words));
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ready, 1, kPatience);
        QCOMPARE(forwarding.made(Kind::Dynamic, u"0"_s).state, State::Listening);
        QVERIFY(forwarding.ends.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestBridgeForwards)
#include "tst_bridgeforwards.moc"

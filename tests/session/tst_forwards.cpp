// Port forwards of a link over real servers: the bytes, both ends of a connection, and how they end.
#include "session/forwardlistener.h"
#include "session/serverfeatures.h"
#include "session/sshlink.h"

#include "tests/support/cuttableproxy.h"
#include "tests/support/forwarding.h"
#include "tests/support/gatewayclient.h"
#include "tests/support/linkrun.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/processwitness.h"
#include "tests/support/rawpeer.h"
#include "tests/support/rawsshd.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testgateway.h"
#include "tests/support/testsshd.h"
#include "tests/support/waituntil.h"

#include <QFileInfo>
#include <QProcess>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QtEndian>

#include <sys/resource.h>
#include <sys/stat.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using State = ForwardStatus::State;
using Kind = ForwardSpec::Kind;

namespace {

constexpr int kPatience = Forwarding::kPatience;
// What may wait anywhere between two ends: sockets of both sides, a channel's window, our own bounds.
constexpr qint64 kMostOnTheWay = 24 << 20;

} // namespace

class TestForwards : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<TestSshd> m_openSsh;
    std::unique_ptr<TestSshd> m_dropbear;
    std::unique_ptr<TestGateway> m_gateway;
    LinkOptions m_inGateway;
    std::unique_ptr<LoopbackServer> m_echo;
    QTemporaryDir m_dir;
    ProcessHoldings m_before;

    // Behind the port is what says everything back, and "bye" at its end.
    static void carriesAllBytesToTheirEnds(quint16 port)
    {
        const QByteArray bytes = everyByte(20'000'000);
        for (const QByteArray &sent : {bytes, QByteArray(), "x"_ba}) {
            RawPeer client = RawPeer::tcp(port);
            QVERIFY(client.isValid());
            const QByteArray back = client.exchange(sent);
            QCOMPARE(back.size(), sent.size() + 3);
            QVERIFY(client.isOver() && back == sent + "bye");
        }
    }

    void makeSandbox()
    {
        m_gateway = std::make_unique<TestGateway>();
        const QString problem = m_gateway->start();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        if (!m_gateway->unusableBecause().isEmpty())
            return;
        // By hand: what Qt does for HTTP in a thread of its own the thread sanitizer takes for a race.
        const GatewayClient gateway(quint16(m_gateway->apiUrl().port()), m_gateway->apiKey());
        const QString id = gateway.ask("POST", "/sandboxes", "{\"name\":\"forwards\"}").json().value("sandbox_id"_L1).toString();
        QVERIFY(!id.isEmpty());
        QTRY_COMPARE_WITH_TIMEOUT(gateway.ask("GET", "/sandboxes/" + id.toLatin1()).json().value("status"_L1).toString(), u"running"_s, kPatience);
        m_inGateway.endpoint.host = m_gateway->sshHost();
        m_inGateway.endpoint.port = m_gateway->sshPort();
        m_inGateway.endpoint.user = id;
        m_inGateway.endpoint.hostKey = m_gateway->hostKey();
        m_inGateway.endpoint.identityFiles = {m_gateway->clientKey()};
        m_inGateway.useAgent = m_inGateway.useDefaultKeys = false;
    }
    static void addServers()
    {
        QTest::addColumn<QString>("server");
        for (const char *name : {"openssh", "dropbear", "gateway"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    LinkOptions optionsOf(const QString &server) const
    {
        return server == u"gateway" ? m_inGateway : server == u"dropbear" ? m_dropbear->options() : m_openSsh->options();
    }
    // A python3 inside the sandbox, which says its port first.
    static constexpr auto kEchoInside = "import socket,sys\ns=socket.create_server((\"127.0.0.1\",0))\nprint(s.getsockname()[1],flush=True)\n"
                                        "while True:\n c,_=s.accept()\n while True:\n  d=c.recv(65536)\n  if not d: break\n  c.sendall(d)\n"
                                        " c.sendall(b\"bye\")\n c.close()";

private slots:
    void initTestCase()
    {
        m_openSsh = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh);
        m_dropbear = std::make_unique<TestSshd>(TestSshd::Kind::Dropbear);
        for (const TestSshd *server : {m_openSsh.get(), m_dropbear.get()})
            SANDPIPER_NEED_SSHD(*server);
        makeSandbox();
    }
    void cleanupTestCase()
    {
        m_gateway.reset();
        m_openSsh.reset();
        m_dropbear.reset();
    }
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
        QTRY_VERIFY_WITH_TIMEOUT(ProcessHoldings::now().descriptors <= m_before.descriptors, kPatience);
    }

    void aLocalForwardCarriesAllBytesBothWaysToTheirEnds_data() { addServers(); }
    void aLocalForwardCarriesAllBytesBothWaysToTheirEnds()
    {
        QFETCH(QString, server);
        if (server == u"gateway")
            SANDPIPER_NEED_SANDBOXES(*m_gateway);
        const LinkOptions options = optionsOf(server);
        quint16 echo = m_echo->port();
        std::unique_ptr<LinkRun> inside;
        RecordingPrompts prompts;
        if (server == u"gateway") {
            inside = std::make_unique<LinkRun>(options, QStringList{u"python3"_s, u"-c"_s, QString::fromLatin1(kEchoInside)}, &prompts);
            QVERIFY2(waitUntil([&] { return inside->output.contains('\n'); }, kPatience), inside->why().constData());
            echo = inside->output.trimmed().toUShort();
        }
        Forwarding forwarding(options);
        const quint16 port = forwarding.ready(Kind::Local, u"0:127.0.0.1:%1"_s.arg(echo));
        QVERIFY2(port != 0, forwarding.why().constData());
        carriesAllBytesToTheirEnds(port);
        QVERIFY(forwarding.troubles.isEmpty());
    }

    void aRemoteForwardCarriesAllBytesBothWaysToTheirEnds_data() { addServers(); }
    void aRemoteForwardCarriesAllBytesBothWaysToTheirEnds()
    {
        QFETCH(QString, server);
        if (server == u"gateway")
            SANDPIPER_NEED_SANDBOXES(*m_gateway);
        const LinkOptions options = optionsOf(server);
        Forwarding forwarding(options);
        const quint16 port = forwarding.ready(Kind::Remote, u"0:localhost:%1"_s.arg(m_echo->port()));
        QVERIFY2(port != 0, forwarding.why().constData());
        if (server == u"gateway") {
            RecordingPrompts prompts;
            const QString program = u"import socket,threading\nc=socket.create_connection((\"127.0.0.1\",%1))\nd=bytes(range(250))*80000\n"
                                    "def f():\n c.sendall(d)\n c.shutdown(1)\nt=threading.Thread(target=f)\nt.start()\nb=b\"\"\n"
                                    "p=[]\nwhile True:\n x=c.recv(65536)\n if not x: break\n p.append(x)\nt.join()\n"
                                    "print(b\"\".join(p)==d+b\"bye\")"_s.arg(port);
            LinkRun run(options, {u"python3"_s, u"-c"_s, program}, &prompts);
            QVERIFY2(waitUntil([&] { return !run.ends.isEmpty(); }, kPatience), run.why().constData());
            QCOMPARE(run.output, "True\n"_ba);
            return;
        }
        carriesAllBytesToTheirEnds(port);
        QVERIFY(forwarding.troubles.isEmpty());
    }

    void theFarEndMayEndFirst_data()
    {
        QTest::addColumn<Kind>("option");
        QTest::newRow("local") << Kind::Local;
        QTest::newRow("remote") << Kind::Remote;
    }
    void theFarEndMayEndFirst()
    {
        QFETCH(Kind, option);
        std::atomic<qint64> taken = -1;
        LoopbackServer far;
        far.start([&taken](int socket) {
            RawPeer peer(socket);
            peer.send("hello");
            peer.closeWrite();
            taken = peer.receiveAll().size();
        });
        Forwarding forwarding(m_openSsh->options());
        const quint16 port = forwarding.ready(option, u"0:127.0.0.1:%1"_s.arg(far.port()));
        QVERIFY2(port != 0, forwarding.why().constData());
        RawPeer client = RawPeer::tcp(port);
        QCOMPARE(client.receiveAll(), "hello"_ba);
        QVERIFY(client.isOver());
        QVERIFY(client.send(QByteArray(3'000'000, 'x')));
        client.closeWrite();
        QTRY_COMPARE_WITH_TIMEOUT(taken.load(), 3'000'000, kPatience);
        far.stop();
    }

    void whoDoesNotReadHoldsUpNobodyElse_data() { theFarEndMayEndFirst_data(); }
    void whoDoesNotReadHoldsUpNobodyElse()
    {
        QFETCH(Kind, option);
        std::atomic<qint64> sent = -1;
        LoopbackServer far;
        far.start([&sent](int socket) {
            RawPeer peer(socket);
            const QByteArray first = peer.receive(1);
            if (first == "s") // sends to somebody who does not read
                sent = peer.flood(256 << 20);
            peer.receive(1); // until it is told to end; reads nothing before
        });
        Forwarding forwarding(m_openSsh->options());
        const quint16 port = forwarding.ready(option, u"0:127.0.0.1:%1"_s.arg(far.port()));
        const quint16 echo = forwarding.ready(option, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        QVERIFY2(port != 0 && echo != 0, forwarding.why().constData());
        RawPeer deaf = RawPeer::tcp(port);
        QVERIFY(deaf.send("s"));
        QTRY_VERIFY_WITH_TIMEOUT(sent.load() > 0, kPatience);
        QVERIFY2(sent.load() < kMostOnTheWay, QByteArray::number(sent.load()).constData());
        // And the other way round.
        RawPeer eager = RawPeer::tcp(port);
        QVERIFY(eager.send("r"));
        const qint64 taken = eager.flood(256 << 20);
        QVERIFY2(taken > 0 && taken < kMostOnTheWay, QByteArray::number(taken).constData());
        RawPeer other = RawPeer::tcp(echo);
        QCOMPARE(other.exchange("still there"), "still therebye"_ba);
        // What waited was not lost.
        QCOMPARE(deaf.receive(sent.load()).size(), sent.load());
        deaf.close();
        eager.close();
        far.stop();
    }

    void socketsOfThisComputerAreForwarded()
    {
        Forwarding forwarding(m_openSsh->options());
        const QString outer = m_dir.filePath(u"outer.sock"_s);
        const QString inner = m_dir.filePath(u"inner.sock"_s);
        const int socketToPort = forwarding.add(Kind::Local, u"%1:127.0.0.1:%2"_s.arg(inner).arg(m_echo->port()));
        const int socketToSocket = forwarding.add(Kind::Local, outer + u':' + inner);
        const int portToSocket = forwarding.add(Kind::Local, u"0:"_s + inner);
        const int remoteToSocket = forwarding.add(Kind::Remote, u"0:"_s + inner);
        const quint16 near = forwarding.port(portToSocket);
        const quint16 far = forwarding.port(remoteToSocket);
        QVERIFY2(near != 0 && far != 0, forwarding.why().constData());
        QCOMPARE(forwarding.status(socketToPort).at.path, inner);
        struct stat info = {};
        QVERIFY(::lstat(QFile::encodeName(inner).constData(), &info) == 0 && S_ISSOCK(info.st_mode) && (info.st_mode & 0777) == 0600);
        const QByteArray bytes = everyByte(300'000);
        QVERIFY(RawPeer::unixSocket(inner).exchange(bytes) == bytes + "bye");
        QVERIFY(RawPeer::unixSocket(outer).exchange(bytes) == bytes + "bye");
        QVERIFY(RawPeer::tcp(near).exchange(bytes) == bytes + "bye");
        QVERIFY(RawPeer::tcp(far).exchange(bytes) == bytes + "bye");
        forwarding.link.stopForward(socketToSocket);
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.status(socketToSocket).state, State::Stopped, kPatience);
        QVERIFY(!QFileInfo::exists(outer) && QFileInfo::exists(inner));
        forwarding.link.close();
        QTRY_VERIFY_WITH_TIMEOUT(!forwarding.ends.isEmpty(), kPatience);
        QVERIFY(!QFileInfo::exists(inner));
    }

    void nothingIsDeletedButAStaleSocketOfOurs_data()
    {
        QTest::addColumn<QString>("there");
        QTest::addColumn<bool>("unlinks");
        QTest::addColumn<bool>("works");
        QTest::newRow("a file") << u"file"_s << true << false;
        QTest::newRow("a socket in use") << u"used"_s << true << false;
        QTest::newRow("a link to a stale socket") << u"link"_s << true << false;
        QTest::newRow("a stale socket, nothing said") << u"stale"_s << false << false;
        QTest::newRow("a stale socket") << u"stale"_s << true << true;
    }
    void nothingIsDeletedButAStaleSocketOfOurs()
    {
        QFETCH(QString, there);
        QFETCH(bool, unlinks);
        QFETCH(bool, works);
        QTemporaryDir folder;
        const QString path = folder.filePath(u"s"_s);
        const FileDescriptor old(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const QString socket = there == u"link" ? folder.filePath(u"t"_s) : path;
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, QFile::encodeName(socket).constData(), sizeof address.sun_path - 1);
        if (there == u"file")
            QVERIFY(QFile(path).open(QIODevice::WriteOnly));
        else
            QVERIFY(::bind(old.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0);
        if (there == u"used")
            QVERIFY(::listen(old.get(), 1) == 0);
        if (there == u"link")
            QVERIFY(QFile::link(socket, path));
        struct stat before = {};
        QVERIFY(::lstat(QFile::encodeName(path).constData(), &before) == 0);
        LinkOptions options = m_openSsh->options();
        options.forwardRules.unlinksSockets = unlinks;
        {
            Forwarding forwarding(options);
            const int id = forwarding.add(Kind::Local, path + u":127.0.0.1:1"_s);
            (void)forwarding.port(id);
            QVERIFY2((forwarding.status(id).state == State::Listening) == works, forwarding.why().constData());
            if (!works)
                QCOMPARE(forwarding.status(id).error.kind, ErrorKind::Conflict);
        }
        struct stat after = {};
        const bool isThere = ::lstat(QFile::encodeName(path).constData(), &after) == 0;
        QCOMPARE(isThere && after.st_ino == before.st_ino, !works);
    }

    void aSocketFileHasThePermissionsThatAreLeft_data()
    {
        QTest::addColumn<int>("mask");
        QTest::addColumn<int>("mode");
        QTest::newRow("for the user alone") << 0177 << 0600;
        QTest::newRow("for the group too") << 0117 << 0660;
        QTest::newRow("for all") << 0111 << 0666;
    }
    void aSocketFileHasThePermissionsThatAreLeft()
    {
        QFETCH(int, mask);
        QFETCH(int, mode);
        QTemporaryDir folder;
        ForwardRules rules;
        rules.socketMask = mask;
        ForwardSpec::End wanted;
        wanted.path = folder.filePath(u"s"_s);
        const mode_t before = ::umask(077);
        const Result<ForwardListener> listener = ForwardListener::open(wanted, rules);
        ::umask(before);
        QVERIFY2(listener, listener ? "" : qPrintable(listener.error().detail));
        struct stat info = {};
        QVERIFY(::lstat(QFile::encodeName(wanted.path).constData(), &info) == 0 && S_ISSOCK(info.st_mode));
        QCOMPARE(int(info.st_mode & 07777), mode);
    }

    // Many at once replace the same stale socket: one of them has it, and keeps it.
    void aSocketThatIsJustBeingMadeIsNotTakenForAStaleOne()
    {
        QTemporaryDir folder;
        ForwardRules rules;
        rules.unlinksSockets = true;
        ForwardSpec::End wanted;
        wanted.path = folder.filePath(u"s"_s);
        for (int round = 0; round < 200; ++round) {
            std::vector<std::optional<ForwardListener>> made(8);
            std::atomic<int> ready = 0;
            std::vector<std::thread> threads;
            for (std::optional<ForwardListener> &mine : made) {
                threads.emplace_back([&] {
                    for (++ready; ready < int(made.size());) { }
                    if (Result<ForwardListener> listener = ForwardListener::open(wanted, rules))
                        mine.emplace(*std::move(listener));
                });
            }
            for (std::thread &thread : threads)
                thread.join();
            QCOMPARE(std::ranges::count_if(made, [](const auto &one) { return one.has_value(); }), 1);
            QVERIFY(RawPeer::unixSocket(wanted.path).isValid());
        }
    }

    void whatCannotBeDoneIsNamed_data()
    {
        QTest::addColumn<QString>("server");
        QTest::addColumn<Kind>("option");
        QTest::addColumn<QString>("text");
        QTest::addColumn<ErrorKind>("kind");
        QTest::addColumn<QString>("words");
        QTest::newRow("socket there, dropbear") << u"dropbear"_s << Kind::Local << u"0:/run/x.sock"_s << ErrorKind::Unsupported << u"OpenSSH's server only"_s;
        QTest::newRow("socket there, gateway") << u"gateway"_s << Kind::Local << u"0:/run/x.sock"_s << ErrorKind::Unsupported << u"OpenSSH's server only"_s;
        QTest::newRow("listening socket there") << u"openssh"_s << Kind::Remote << u"/tmp/x.sock:localhost:1"_s << ErrorKind::Unsupported << u"listen at a UNIX socket"_s;
        QTest::newRow("not our address") << u"openssh"_s << Kind::Local << u"192.0.2.1:0:localhost:1"_s << ErrorKind::InvalidInput << u"192.0.2.1 is no address of this computer"_s;
        QTest::newRow("no address") << u"openssh"_s << Kind::Dynamic << u"box.example:1080"_s << ErrorKind::InvalidInput << u"not at 'box.example'"_s;
        QTest::newRow("no folder") << u"openssh"_s << Kind::Local << u"/no/such/folder/x:localhost:1"_s << ErrorKind::NotFound << u"/no/such/folder/x"_s;
        QTest::newRow("port in use") << u"openssh"_s << Kind::Local << u"ECHO:localhost:1"_s << ErrorKind::Conflict << u"port ECHO is in use on this computer"_s;
        QTest::newRow("port in use, dynamic") << u"openssh"_s << Kind::Dynamic << u"127.0.0.1:ECHO"_s << ErrorKind::Conflict << u"port ECHO is in use on this computer"_s;
        QTest::newRow("port in use there") << u"openssh"_s << Kind::Remote << u"127.0.0.1:ECHO:localhost:1"_s << ErrorKind::PermissionDenied << u"port ECHO"_s;
        QTest::newRow("remote forbidden") << u"forbids"_s << Kind::Remote << u"0:localhost:1"_s << ErrorKind::PermissionDenied << u"does not listen for us"_s;
    }
    void whatCannotBeDoneIsNamed()
    {
        QFETCH(QString, server);
        QFETCH(Kind, option);
        QFETCH(QString, text);
        QFETCH(ErrorKind, kind);
        QFETCH(QString, words);
        if (server == u"gateway")
            SANDPIPER_NEED_SANDBOXES(*m_gateway);
        const QString echo = QString::number(m_echo->port());
        std::unique_ptr<TestSshd> strict;
        if (server == u"forbids")
            strict = std::make_unique<TestSshd>(TestSshd::Kind::OpenSsh, QStringList{u"AllowTcpForwarding no"_s});
        {
            Forwarding forwarding(strict ? strict->options() : optionsOf(server));
            const int id = forwarding.add(option, text.replace(u"ECHO"_s, echo));
            QCOMPARE(forwarding.port(id), quint16(0));
            QCOMPARE(forwarding.status(id).error.kind, kind);
            QVERIFY2(forwarding.status(id).error.detail.contains(words.replace(u"ECHO"_s, echo)), forwarding.why().constData());
            QCOMPARE(forwarding.reports.size(), 1);
            QCOMPARE(forwarding.link.state(), LinkState::Ready);
        }
    }

    void aConnectionThatCannotBeMadeIsToldOnce_data()
    {
        QTest::addColumn<Kind>("option");
        QTest::addColumn<QString>("target");
        QTest::addColumn<QStringList>("config");
        QTest::addColumn<ErrorKind>("kind");
        QTest::newRow("nobody there") << Kind::Local << u"127.0.0.1:1"_s << QStringList() << ErrorKind::ConnectionRefused;
        QTest::newRow("no such socket there") << Kind::Local << u"/no/such.sock"_s << QStringList() << ErrorKind::HostUnreachable;
        QTest::newRow("prohibited") << Kind::Local << u"127.0.0.1:1"_s << QStringList{u"PermitOpen none"_s} << ErrorKind::PermissionDenied;
        QTest::newRow("nobody here") << Kind::Remote << u"127.0.0.1:1"_s << QStringList() << ErrorKind::ConnectionRefused;
        QTest::newRow("no such socket here") << Kind::Remote << u"/no/such.sock"_s << QStringList() << ErrorKind::ConnectionRefused;
        QTest::newRow("no such name here") << Kind::Remote << u"no-such-name.invalid:1"_s << QStringList() << ErrorKind::HostNotFound;
    }
    void aConnectionThatCannotBeMadeIsToldOnce()
    {
        QFETCH(Kind, option);
        QFETCH(QString, target);
        QFETCH(QStringList, config);
        QFETCH(ErrorKind, kind);
        TestSshd server(TestSshd::Kind::OpenSsh, config);
        SANDPIPER_NEED_SSHD(server);
        Forwarding forwarding(server.options());
        const quint16 port = forwarding.ready(option, u"0:"_s + target);
        QVERIFY2(port != 0, forwarding.why().constData());
        for (int i = 0; i < 3; ++i) {
            RawPeer client = RawPeer::tcp(port);
            QVERIFY(client.isValid());
            QCOMPARE(client.receiveAll(), QByteArray());
            QVERIFY(client.isOver());
        }
        QTRY_VERIFY_WITH_TIMEOUT(!forwarding.troubles.isEmpty(), kPatience);
        QCOMPARE(forwarding.troubles.size(), 1);
        QVERIFY2(forwarding.troubles.constFirst().kind == kind, describe(forwarding.troubles.constFirst()).toUtf8().constData());
        QCOMPARE(forwarding.reports.size(), 1); // it goes on
    }

    void aForwardIsStoppedWhileItIsBusy_data() { theFarEndMayEndFirst_data(); }
    void aForwardIsStoppedWhileItIsBusy()
    {
        QFETCH(Kind, option);
        Forwarding forwarding(m_openSsh->options());
        const int id = forwarding.add(option, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        const quint16 port = forwarding.port(id);
        const quint16 other = forwarding.ready(option, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        QVERIFY2(port != 0 && other != 0, forwarding.why().constData());
        RawPeer busy = RawPeer::tcp(port);
        RawPeer stays = RawPeer::tcp(other);
        QVERIFY(busy.send("a") && busy.receive(1) == "a" && stays.send("b") && stays.receive(1) == "b");
        std::thread sender([&] { busy.send(QByteArray(64 << 20, 'x')); });
        QVERIFY(!busy.receive(1 << 20).isEmpty());
        forwarding.link.stopForward(id);
        (void)busy.receiveAll();
        sender.join();
        QVERIFY(busy.isOver());
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.status(id).state, State::Stopped, kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(!RawPeer::tcp(port).isValid(), kPatience);
        QVERIFY(stays.send("c") && stays.receive(1) == "c");
        QCOMPARE(forwarding.link.state(), LinkState::Ready);
    }

    void aLostLinkEndsAllWithOneWordEach()
    {
        CuttableProxy network(m_openSsh->port());
        LinkOptions options = m_openSsh->options();
        options.endpoint.port = network.port();
        Forwarding forwarding(options);
        const int local = forwarding.add(Kind::Local, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        const int remote = forwarding.add(Kind::Remote, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        const int socks = forwarding.add(Kind::Dynamic, u"0"_s);
        const quint16 port = forwarding.port(local);
        QVERIFY(port != 0 && forwarding.port(remote) != 0);
        const quint16 socksPort = forwarding.port(socks);
        RawPeer client = RawPeer::tcp(port);
        RawPeer half = RawPeer::tcp(socksPort);
        QVERIFY(half.send("\5"));
        QVERIFY(client.send("a"));
        // The network is in this thread.
        QByteArray back;
        std::thread reader([&] { back = client.receiveAll(); });
        QTRY_VERIFY_WITH_TIMEOUT(network.towardsClient() > 0, kPatience);
        network.cut();
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ends.size(), 1, kPatience);
        reader.join();
        (void)half.receiveAll();
        QVERIFY(client.isOver() && half.isOver());
        QCOMPARE(forwarding.reports.size(), 6);
        for (const int id : {local, remote, socks}) {
            QCOMPARE(forwarding.status(id).state, State::Lost);
            QCOMPARE(forwarding.status(id).error.kind, ErrorKind::ConnectionLost);
        }
        QCOMPARE(forwarding.events.constLast(), u"closed"_s);
        QVERIFY(!RawPeer::tcp(port).isValid() && !RawPeer::tcp(socksPort).isValid());
        // Who comes too late is told, too.
        const int late = forwarding.add(Kind::Dynamic, u"0"_s);
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.status(late).state, State::Lost, kPatience);
    }

    void forwardsWaitForTheLinkAndFailWithIt()
    {
        LinkOptions options = m_openSsh->options();
        options.endpoint.port = 1;
        Forwarding forwarding(options);
        const int id = forwarding.add(Kind::Dynamic, u"0"_s);
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ends.size(), 1, kPatience);
        QCOMPARE(forwarding.status(id).state, State::Lost);
        QCOMPARE(forwarding.status(id).error.kind, ErrorKind::ConnectionRefused);
        QCOMPARE(forwarding.reports.size(), 1);
    }

    void curlAsksForNamesThere_data() { addServers(); }
    void curlAsksForNamesThere()
    {
        QFETCH(QString, server);
        if (server == u"gateway")
            SANDPIPER_NEED_SANDBOXES(*m_gateway);
        const LinkOptions options = optionsOf(server);
        LoopbackServer web;
        web.start([](int socket) {
            RawPeer peer(socket);
            while (!peer.receive(1).isEmpty() && !peer.isOver()) {
                peer.send("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
                break;
            }
        });
        quint16 target = web.port();
        std::unique_ptr<LinkRun> inside;
        RecordingPrompts prompts;
        if (server == u"gateway") {
            const QString program = u"import socket\ns=socket.create_server((\"127.0.0.1\",0))\nprint(s.getsockname()[1],flush=True)\n"
                                    "while True:\n c,_=s.accept()\n c.recv(1)\n c.sendall(b\"HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello\")\n c.recv(999)\n c.close()"_s;
            inside = std::make_unique<LinkRun>(options, QStringList{u"python3"_s, u"-c"_s, program}, &prompts);
            QVERIFY2(waitUntil([&] { return inside->output.contains('\n'); }, kPatience), inside->why().constData());
            target = inside->output.trimmed().toUShort();
        }
        {
            Forwarding forwarding(options);
            const quint16 port = forwarding.ready(Kind::Dynamic, u"0"_s);
            QVERIFY2(port != 0, forwarding.why().constData());
            for (const QString &way : {u"--socks5-hostname"_s, u"--socks5"_s, u"--socks4a"_s, u"--socks4"_s}) {
                QProcess curl;
                curl.start(u"curl"_s, {u"-sS"_s, u"--noproxy"_s, u"-"_s, way, u"127.0.0.1:%1"_s.arg(port), u"http://%1:%2/"_s
                                       .arg(way.endsWith("4"_L1) || way.endsWith("5"_L1) ? u"127.0.0.1"_s : u"localhost"_s).arg(target)});
                QVERIFY(waitUntil([&] { return curl.state() == QProcess::NotRunning; }, kPatience));
                const QByteArray said = curl.readAllStandardOutput();
                QVERIFY2(said == "hello", (way.toLatin1() + ": " + said + curl.readAllStandardError()).constData());
            }
        }
        web.stop();
    }

    void aSocksClientIsToldWhatBecameOfIt()
    {
        Forwarding forwarding(m_openSsh->options());
        const quint16 port = forwarding.ready(Kind::Dynamic, u"0"_s);
        QVERIFY2(port != 0, forwarding.why().constData());
        RawPeer refused = RawPeer::tcp(port);
        QVERIFY(refused.send(QByteArray::fromHex("050100 05010001 7f000001 0001")));
        QCOMPARE(refused.receiveAll(), QByteArray::fromHex("0500 05050001000000000000"));
        QVERIFY(refused.isOver());
        // The rest of what came with the wish is carried.
        RawPeer early = RawPeer::tcp(port);
        QByteArray wish = QByteArray::fromHex("050100 05010001 7f000001 0000");
        qToBigEndian(m_echo->port(), wish.data() + wish.size() - 2);
        QCOMPARE(early.exchange(wish + "early"), QByteArray::fromHex("0500 05000001000000000000") + "earlybye");
        RawPeer garbage = RawPeer::tcp(port);
        QVERIFY(garbage.send("GET / HTTP/1.1\r\n\r\n"));
        QCOMPARE(garbage.receiveAll(), QByteArray());
        QVERIFY(garbage.isOver());
        RawPeer left = RawPeer::tcp(port);
        QVERIFY(left.send("\5"));
        left.closeWrite();
        QCOMPARE(left.receiveAll(), QByteArray());
        QVERIFY(forwarding.troubles.isEmpty());
    }

    void whoDoesNotSayWhereToIsSentAway()
    {
        LinkOptions options = m_openSsh->options();
        options.forwardRules.greetingPatience = 100ms;
        Forwarding forwarding(options);
        const quint16 port = forwarding.ready(Kind::Dynamic, u"0"_s);
        QVERIFY2(port != 0, forwarding.why().constData());
        RawPeer slow = RawPeer::tcp(port);
        QVERIFY(slow.send("\5"));
        QCOMPARE(slow.receiveAll(), QByteArray());
        QVERIFY(slow.isOver());
    }

    void connectionsThatNobodyAskedForAreRefused_data()
    {
        QTest::addColumn<bool>("asks");
        QTest::newRow("without any forward") << false;
        QTest::newRow("at another port") << true;
    }
    void connectionsThatNobodyAskedForAreRefused()
    {
        QFETCH(bool, asks);
        std::atomic<int> answer = 0;
        RawSshd::Script script;
        script.afterLogin = [&answer, asks](RawSshWire &wire) {
            if (asks) {
                (void)wire.readUntil(80); // SSH_MSG_GLOBAL_REQUEST
                wire.send(RawSsh::message(81));
            }
            const auto text = [](const QByteArray &bytes) {
                QByteArray size(4, '\0');
                qToBigEndian(quint32(bytes.size()), size.data());
                return size + bytes;
            };
            const QByteArray numbers = QByteArray::fromHex("00000007 00100000 00008000");
            wire.send(RawSsh::message(90, text("forwarded-tcpip") + numbers + text("localhost") + QByteArray::fromHex("00001f91") + text("127.0.0.1")
                                                  + QByteArray::fromHex("00001234")));
            const auto reply = wire.readUntil(92); // SSH_MSG_CHANNEL_OPEN_FAILURE
            answer = reply ? 92 : -1;
            wire.drain();
        };
        RawSshd server(script);
        {
            Forwarding forwarding(server.options());
            const int before = m_echo->connections();
            if (asks)
                QVERIFY2(forwarding.ready(Kind::Remote, u"8080:127.0.0.1:%1"_s.arg(m_echo->port())) == 8080, forwarding.why().constData());
            QTRY_COMPARE_WITH_TIMEOUT(answer.load(), 92, kPatience);
            QCOMPARE(m_echo->connections(), before);
        }
    }

    void aConnectionThatComesTooLateIsClosedThere()
    {
        std::atomic<bool> hasLeft = false;
        std::atomic<int> closed = 0;
        RawSshd::Script script;
        script.afterLogin = [&](RawSshWire &wire) {
            const auto opening = wire.readUntil(90); // SSH_MSG_CHANNEL_OPEN: type, number, …
            if (!opening)
                return;
            const auto type = qFromBigEndian<quint32>(opening->constData() + 1);
            const QByteArray number = opening->mid(5 + qsizetype(type), 4);
            while (!hasLeft && !wire.isStopping())
                std::this_thread::yield();
            wire.send(RawSsh::message(91, number + QByteArray::fromHex("00000007 00100000 00008000")));
            const auto close = wire.readUntil(97); // SSH_MSG_CHANNEL_CLOSE
            closed = close ? int(qFromBigEndian<quint32>(close->constData() + 1)) : -1;
            wire.drain();
        };
        RawSshd server(script);
        LinkOptions options = server.options();
        options.forwardRules.dialPatience = 50ms;
        Forwarding forwarding(options);
        const quint16 port = forwarding.ready(Kind::Local, u"0:127.0.0.1:80"_s);
        QVERIFY2(port != 0, forwarding.why().constData());
        QCOMPARE(RawPeer::tcp(port).receiveAll(), QByteArray());
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.troubles.size(), 1, kPatience);
        QCOMPARE(forwarding.troubles.constFirst().kind, ErrorKind::Timeout);
        hasLeft = true;
        QTRY_COMPARE_WITH_TIMEOUT(closed.load(), 7, kPatience);
        QCOMPARE(forwarding.link.state(), LinkState::Ready);
    }

    void aPortThatIsGivenTooLateIsGivenBack()
    {
        std::atomic<bool> hasLeft = false;
        std::atomic<bool> isGivenBack = false;
        RawSshd::Script script;
        script.afterLogin = [&](RawSshWire &wire) {
            // SSH_MSG_GLOBAL_REQUEST: type, whether an answer is wanted, address, port
            const auto isAbout = [](const QByteArray &request, const QByteArray &type, quint16 port) {
                return request.mid(5).startsWith(type) && qFromBigEndian<quint32>(request.constData() + request.size() - 4) == port;
            };
            bool isFirst = true;
            while (const auto request = wire.readUntil(80)) {
                while (isFirst && !hasLeft && !wire.isStopping())
                    std::this_thread::yield();
                isFirst = false;
                if (isAbout(*request, "cancel-tcpip-forward", 8080))
                    isGivenBack = true;
                wire.send(RawSsh::message(81)); // SSH_MSG_REQUEST_SUCCESS
            }
        };
        RawSshd server(script);
        LinkOptions options = server.options();
        options.forwardRules.answerPatience = 100ms;
        Forwarding forwarding(options);
        const int late = forwarding.add(Kind::Remote, u"8080:127.0.0.1:1"_s);
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.status(late).state, State::Failed, kPatience);
        QCOMPARE(forwarding.status(late).error.kind, ErrorKind::Timeout);
        // While that answer is outstanding nothing else can be asked.
        const int behind = forwarding.add(Kind::Remote, u"8081:127.0.0.1:1"_s);
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.status(behind).state, State::Failed, kPatience);
        hasLeft = true;
        QTRY_VERIFY_WITH_TIMEOUT(isGivenBack, kPatience);
        // On a slow machine the first try may be given up as well.
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.ready(Kind::Remote, u"8082:127.0.0.1:1"_s), quint16(8082), kPatience);
        QCOMPARE(forwarding.link.state(), LinkState::Ready);
    }

    void aPortThatTheProbeIsGivenTooLateIsGivenBackToo()
    {
        struct Asker : FeatureAsker
        {
            std::optional<std::chrono::milliseconds> wantsAfter(const SandboxId &, const QString &) override { return 0ms; }
            void told(const SandboxId &, const Result<ServerFeatures> &answer) override { answers.append(answer); }
            QList<Result<ServerFeatures>> answers;
        };
        std::atomic<bool> hasLeft = false;
        std::atomic<bool> isGivenBack = false;
        RawSshd::Script script;
        script.afterLogin = [&](RawSshWire &wire) {
            QByteArray asked; // address and port
            while (const auto packet = wire.read()) {
                if (packet->startsWith(90)) { // SSH_MSG_CHANNEL_OPEN: prohibited, whatever it is for
                    const QByteArray number = packet->mid(5 + qsizetype(qFromBigEndian<quint32>(packet->constData() + 1)), 4);
                    wire.send(RawSsh::message(92, number + QByteArray::fromHex("00000001 00000000 00000000")));
                } else if (packet->startsWith(80)) { // SSH_MSG_GLOBAL_REQUEST
                    while (asked.isEmpty() && !hasLeft && !wire.isStopping())
                        std::this_thread::yield();
                    if (asked.isEmpty())
                        asked = packet->last(8);
                    else if (packet->mid(5).startsWith("cancel-tcpip-forward") && packet->last(8) == asked)
                        isGivenBack = true;
                    wire.send(RawSsh::message(81));
                }
            }
        };
        RawSshd server(script);
        LinkOptions options = server.options();
        Asker asker;
        options.features = &asker;
        options.featurePatience = 2s; // on a slow machine the refusals before it take their time
        Forwarding forwarding(options);
        QTRY_COMPARE_WITH_TIMEOUT(asker.answers.size(), 1, kPatience);
        QVERIFY(asker.answers.constFirst());
        QVERIFY(asker.answers.constFirst()->of(ServerFeature::RemoteForward).kind == FeatureAnswer::Kind::Unknown);
        hasLeft = true;
        QTRY_VERIFY_WITH_TIMEOUT(isGivenBack, kPatience);
        QCOMPARE(forwarding.link.state(), LinkState::Ready);
    }

    void anotherMachineOfTheSameNameHoldsNothing_data()
    {
        QTest::addColumn<QString>("id");
        QTest::addColumn<bool>("isHeld");
        QTest::newRow("the same sandbox") << u"one"_s << true;
        QTest::newRow("another of its name") << u"two"_s << false;
    }
    void anotherMachineOfTheSameNameHoldsNothing()
    {
        QFETCH(QString, id);
        QFETCH(bool, isHeld);
        LinkOptions options = m_openSsh->options();
        options.displayName = u"web"_s;
        options.sandbox = {u"vendor"_s, u"account"_s, u"one"_s};
        Forwarding first(options);
        const int held = first.add(Kind::Local, u"0:127.0.0.1:1"_s);
        const QString same = u"%1:127.0.0.1:1"_s.arg(first.port(held));
        first.link.stopForward(held);
        QTRY_COMPARE_WITH_TIMEOUT(first.status(held).state, State::Stopped, kPatience);
        QVERIFY(first.ready(Kind::Local, same) != 0);
        options.sandbox.id = id;
        Forwarding second(options);
        const int other = second.add(Kind::Local, same);
        QTRY_COMPARE_WITH_TIMEOUT(second.status(other).state, State::Failed, kPatience);
        QCOMPARE(second.status(other).isHeldElsewhere, isHeld);
    }

    void anotherHostOfTheSameNameHoldsNothing()
    {
        TestSshd other(TestSshd::Kind::OpenSsh);
        SANDPIPER_NEED_SSHD(other);
        LinkOptions options = m_openSsh->options();
        options.displayName = u"web"_s;
        Forwarding first(options);
        const QString same = u"%1:127.0.0.1:1"_s.arg(first.ready(Kind::Local, u"0:127.0.0.1:1"_s));
        LinkOptions others = other.options();
        others.displayName = u"web"_s;
        Forwarding second(others);
        const int id = second.add(Kind::Local, same);
        QTRY_COMPARE_WITH_TIMEOUT(second.status(id).state, State::Failed, kPatience);
        QVERIFY(!second.status(id).isHeldElsewhere);
    }

    void thereIsABoundAndWhoComesLaterWaits()
    {
        rlimit limit = {};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
        QVERIFY(::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 1500);
        Forwarding forwarding(m_openSsh->options());
        const quint16 socks = forwarding.ready(Kind::Dynamic, u"0"_s);
        const quint16 remote = forwarding.ready(Kind::Remote, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        QVERIFY2(socks != 0 && remote != 0, forwarding.why().constData());
        QCOMPARE(RawPeer::tcp(remote).exchange("x"), "xbye"_ba);
        std::vector<RawPeer> idle;
        for (int i = 0; i < 512; ++i) {
            idle.push_back(RawPeer::tcp(socks));
            QVERIFY(idle.back().send("\5"));
        }
        RawPeer last = RawPeer::tcp(socks);
        QVERIFY(last.send(QByteArray::fromHex("050100 05010001 7f000001 0001")));
        // A server's connection cannot be left waiting.
        // Not yet when it is refused once: the one before it may only just be leaving.
        int refused = 0;
        QTRY_VERIFY_WITH_TIMEOUT((refused = RawPeer::tcp(remote).exchange("x").isEmpty() ? refused + 1 : 0) >= 3, kPatience);
        idle.front().close();
        QCOMPARE(last.receiveAll(), QByteArray::fromHex("0500 05050001000000000000"));
        QCOMPARE(RawPeer::tcp(remote).exchange("x"), "xbye"_ba);
    }

    void whatFailsAgainIsNotToldAgainBesideOneThatWorks()
    {
        QTcpServer service;
        QVERIFY(service.listen(QHostAddress::LocalHost));
        Forwarding forwarding(m_openSsh->options());
        const quint16 port = forwarding.ready(Kind::Remote, u"0:127.0.0.1:%1"_s.arg(service.serverPort()));
        QVERIFY2(port != 0, forwarding.why().constData());
        RawPeer open = RawPeer::tcp(port);
        QVERIFY(service.waitForNewConnection(kPatience));
        QTcpSocket *held = service.nextPendingConnection();
        // Until a byte has come it may not be counted as one that works.
        QVERIFY(open.send("x") && held->waitForReadyRead(kPatience));
        service.close();
        for (int i = 0; i < 3; ++i)
            QCOMPARE(RawPeer::tcp(port).receiveAll(), QByteArray());
        QTRY_COMPARE_WITH_TIMEOUT(forwarding.troubles.size(), 1, kPatience);
        QCOMPARE(held->state(), QAbstractSocket::ConnectedState);
    }

    void manyAtOnceAreAllServed()
    {
        Forwarding forwarding(m_openSsh->options());
        const quint16 port = forwarding.ready(Kind::Local, u"0:127.0.0.1:%1"_s.arg(m_echo->port()));
        QVERIFY2(port != 0, forwarding.why().constData());
        std::vector<RawPeer> clients;
        for (int i = 0; i < 60; ++i)
            clients.push_back(RawPeer::tcp(port));
        for (size_t i = 0; i < clients.size(); ++i)
            QVERIFY(clients[i].send(QByteArray::number(qulonglong(i))));
        for (size_t i = 0; i < clients.size(); ++i) {
            clients[i].closeWrite();
            QCOMPARE(clients[i].receiveAll(), QByteArray::number(qulonglong(i)) + "bye");
        }
    }
};

QTEST_GUILESS_MAIN(TestForwards)
#include "tst_forwards.moc"

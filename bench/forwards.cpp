// Port forwards in figures, beside `ssh -N -L/-R/-D` on the same server in the same run.
// bench_forwards [PATTERN]: only rows whose name contains it; those that take minutes only where it names them.
#include "bench/delayrelay.h"
#include "tests/support/forwarding.h"
#include "tests/support/loopbackserver.h"
#include "tests/support/processwitness.h"
#include "tests/support/rawpeer.h"
#include "tests/support/testsshd.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QProcess>
#include <QTcpServer>
#include <QtEndian>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;
using Kind = ForwardSpec::Kind;

namespace {

constexpr int rounds = 5;
constexpr qint64 oneNear = qint64(512) << 20;
constexpr qint64 eachNear = qint64(32) << 20;
constexpr qint64 oneFar = qint64(48) << 20;
constexpr qint64 eachFar = qint64(8) << 20;
constexpr int atOnce = 16;
constexpr int pings = 4'000;
constexpr int openings = 1'000;
constexpr int openAtOnce = 500;

double median(QList<double> values)
{
    std::sort(values.begin(), values.end());
    return values.isEmpty() ? 0 : values.at(values.size() / 2);
}

// What forwards lead to, a process of its own: "g" and a number gets so many bytes, "p" takes all there are and answers
// "!" at their end, anything else comes back.
int serve()
{
    LoopbackServer server;
    server.start([](int socket) {
        RawPeer peer(socket);
        const QByteArray what = peer.receive(1);
        std::vector<char> piece(256 << 10);
        if (what == "g") {
            qint64 left = qFromLittleEndian<qint64>(peer.receive(8).constData());
            while (left > 0 && peer.send(QByteArrayView(piece.data(), std::min<qint64>(left, qint64(piece.size())))))
                left -= std::min<qint64>(left, qint64(piece.size()));
        } else if (what == "p") {
            while (::recv(socket, piece.data(), piece.size(), 0) > 0) { }
            peer.send("!");
        } else if (!what.isEmpty()) {
            peer.send(what);
            ssize_t got = 0;
            while ((got = ::recv(socket, piece.data(), piece.size(), 0)) > 0 && peer.send(QByteArrayView(piece.data(), got))) { }
        }
    });
    std::printf("%u\n", server.port());
    std::fflush(stdout);
    (void)std::getchar();
    server.stop();
    return 0;
}

class Target
{
public:
    Target()
    {
        m_process.start(QCoreApplication::applicationFilePath(), {u"--target"_s});
        if (!m_process.waitForReadyRead())
            qFatal("no target");
        m_port = m_process.readLine().trimmed().toUShort();
    }
    ~Target()
    {
        m_process.closeWriteChannel();
        m_process.waitForFinished();
    }
    [[nodiscard]] quint16 port() const { return m_port; }

private:
    QProcess m_process;
    quint16 m_port = 0;
};

void get(quint16 port, qint64 bytes)
{
    RawPeer peer = RawPeer::tcp(port);
    QByteArray wish("g12345678");
    qToLittleEndian(bytes, wish.data() + 1);
    peer.send(wish);
    std::vector<char> piece(256 << 10);
    qint64 got = 0;
    while (true) {
        const QByteArray some = peer.receive(64 << 10);
        got += some.size();
        if (some.size() < (64 << 10))
            break;
    }
    if (got != bytes)
        qFatal("%lld of %lld bytes came", static_cast<long long>(got), static_cast<long long>(bytes));
}

void put(quint16 port, qint64 bytes)
{
    RawPeer peer = RawPeer::tcp(port);
    peer.send("p");
    const QByteArray piece(256 << 10, 'x');
    for (qint64 left = bytes; left > 0; left -= piece.size())
        peer.send(piece);
    peer.closeWrite();
    if (peer.receiveAll() != "!")
        qFatal("what was sent did not arrive");
}

using Work = std::function<void(quint16 port)>;

Work many(int count, const Work &each)
{
    return [count, each](quint16 port) {
        std::vector<std::thread> clients;
        for (int i = 0; i < count; ++i)
            clients.emplace_back([&each, port] { each(port); });
        for (std::thread &client : clients)
            client.join();
    };
}

// A free port, for an ssh that is told where to listen.
quint16 freePort()
{
    QTcpServer server;
    return server.listen(QHostAddress::LocalHost) ? server.serverPort() : quint16(0);
}

class Theirs
{
public:
    Theirs(const TestSshd &server, quint16 sshPort, const QString &option, const QString &spec)
        : m_port(freePort())
    {
        QFile known(server.knownHosts());
        if (known.open(QIODevice::WriteOnly))
            known.write("bench " + server.hostKey() + '\n');
        known.close();
        m_ssh.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_ssh.start(u"ssh"_s, {u"-N"_s, u"-F"_s, u"none"_s, u"-o"_s, u"UserKnownHostsFile="_s + server.knownHosts(), u"-o"_s, u"StrictHostKeyChecking=yes"_s,
                               u"-o"_s, u"HostKeyAlias=bench"_s, u"-o"_s, u"IdentitiesOnly=yes"_s, u"-o"_s, u"IdentityAgent=none"_s, u"-i"_s, server.identity(),
                               u"-p"_s, QString::number(sshPort), option, u"%1%2"_s.arg(m_port).arg(spec), server.user() + u"@127.0.0.1"_s});
        QElapsedTimer clock;
        clock.start();
        while (!RawPeer::tcp(m_port).isValid()) {
            if (clock.durationElapsed() > 30s)
                qFatal("ssh does not listen");
            std::this_thread::sleep_for(20ms);
        }
    }
    ~Theirs()
    {
        m_ssh.terminate();
        m_ssh.waitForFinished();
    }
    [[nodiscard]] quint16 port() const { return m_port; }

private:
    quint16 m_port;
    QProcess m_ssh;
};

double milliseconds(const Work &work, quint16 port)
{
    QElapsedTimer clock;
    clock.start();
    work(port);
    return double(clock.nsecsElapsed()) / 1e6;
}

class Bench
{
public:
    explicit Bench(const QString &pattern)
        : m_pattern(pattern)
    {
    }
    [[nodiscard]] QString problem() const { return m_server.problem(); }
    void run();

private:
    [[nodiscard]] bool wants(const QString &name, bool isLong = false) const { return m_pattern.isEmpty() ? !isLong : name.contains(m_pattern); }
    // In turns, so that both meet the same neighbours. wanted is of theirs divided by ours.
    void compare(const QString &name, std::chrono::milliseconds roundTrip, Kind kind, const Work &work, double mebibytes, const char *wanted);
    void manyOpen();
    void tenGibibytes();
    [[nodiscard]] LinkOptions options(quint16 port) const
    {
        LinkOptions options = m_server.options();
        options.endpoint.port = port;
        return options;
    }

    QString m_pattern;
    TestSshd m_server{TestSshd::Kind::OpenSsh, {u"MaxSessions 20"_s, u"Ciphers aes128-gcm@openssh.com"_s}};
    Target m_target;
};

void Bench::compare(const QString &name, std::chrono::milliseconds roundTrip, Kind kind, const Work &work, double mebibytes, const char *wanted)
{
    if (!wants(name))
        return;
    DelayRelay relay(m_server.port(), {roundTrip / 2, 0});
    const quint16 sshPort = roundTrip == 0ms ? m_server.port() : relay.port();
    const QString target = hasTarget(kind) ? u":127.0.0.1:%1"_s.arg(m_target.port()) : QString();
    Forwarding ours(options(sshPort));
    const quint16 ourPort = ours.ready(kind, u"0"_s + target);
    if (ourPort == 0)
        qFatal("%s", ours.why().constData());
    Theirs theirs(m_server, sshPort, forwardOption(kind), target);
    QList<double> mine;
    QList<double> others;
    for (int i = 0; i < rounds; ++i) {
        mine.append(milliseconds(work, ourPort));
        others.append(milliseconds(work, theirs.port()));
    }
    const QString rate = mebibytes > 0 ? u" (%1 MiB/s)"_s.arg(mebibytes / median(mine) * 1000, 0, 'f', 0) : QString();
    std::printf("%-58s %9.1f ms%s, ssh %.1f ms = %.2f   %s\n", qPrintable(name), median(mine), qPrintable(rate), median(others), median(others) / median(mine), wanted);
    std::fflush(stdout);
}

void Bench::manyOpen()
{
    if (!wants(u"500 open at once"_s))
        return;
    Forwarding ours(options(m_server.port()));
    const quint16 port = ours.ready(Kind::Local, u"0:127.0.0.1:%1"_s.arg(m_target.port()));
    std::vector<RawPeer> peers;
    const auto open = [&](int count) {
        for (int i = 0; i < count; ++i) {
            peers.push_back(RawPeer::tcp(port));
            peers.back().send("e");
            if (peers.back().receive(1) != "e")
                qFatal("no echo");
        }
    };
    open(10); // what the first ones load is not the price of the others
    const double before = residentMiB();
    open(openAtOnce - 10);
    const double each = (residentMiB() - before) * 1024 / (openAtOnce - 10);
    std::printf("%-58s %9.1f KiB each   <= 64 KiB\n", "500 open at once, memory", each);
    std::fflush(stdout);
}

void Bench::tenGibibytes()
{
    if (!wants(u"10 GiB through one forward"_s, true))
        return;
    Forwarding ours(options(m_server.port()));
    const quint16 port = ours.ready(Kind::Local, u"0:127.0.0.1:%1"_s.arg(m_target.port()));
    get(port, qint64(256) << 20);
    const double before = residentMiB();
    double most = before;
    for (int i = 0; i < 10; ++i) {
        get(port, qint64(1) << 30);
        most = std::max(most, residentMiB());
    }
    std::printf("%-58s %+9.1f MiB at most   within 4 MiB\n", "10 GiB through one forward, memory", most - before);
    std::fflush(stdout);
}

void Bench::run()
{
    constexpr double mebi = 1 << 20;
    const auto ping = [](quint16 port) {
        RawPeer peer = RawPeer::tcp(port);
        for (int i = 0; i < pings; ++i) {
            peer.send("e");
            peer.receive(1);
        }
    };
    const auto openAndClose = [](quint16 port) {
        for (int i = 0; i < openings; ++i) {
            RawPeer peer = RawPeer::tcp(port);
            peer.send("e");
            peer.receive(1);
        }
    };
    const auto getOver = [](qint64 bytes) { return [bytes](quint16 port) { get(port, bytes); }; };
    const auto putOver = [](qint64 bytes) { return [bytes](quint16 port) { put(port, bytes); }; };
    compare(u"-L, one connection, towards us"_s, 0ms, Kind::Local, getOver(oneNear), oneNear / mebi, ">= 1.0");
    compare(u"-L, one connection, towards there"_s, 0ms, Kind::Local, putOver(oneNear), oneNear / mebi, ">= 1.0");
    compare(u"-R, one connection, towards us"_s, 0ms, Kind::Remote, putOver(oneNear), oneNear / mebi, ">= 1.0");
    compare(u"-L, 16 connections, towards us"_s, 0ms, Kind::Local, many(atOnce, getOver(eachNear)), atOnce * eachNear / mebi, ">= 1.0");
    compare(u"-L, 16 connections, towards there"_s, 0ms, Kind::Local, many(atOnce, putOver(eachNear)), atOnce * eachNear / mebi, ">= 1.0");
    compare(u"-L, 50 ms, one connection, towards us"_s, 50ms, Kind::Local, getOver(oneFar), oneFar / mebi, ">= 0.6");
    compare(u"-L, 50 ms, one connection, towards there"_s, 50ms, Kind::Local, putOver(oneFar), oneFar / mebi, ">= 0.6");
    compare(u"-L, 50 ms, 16 connections, towards us"_s, 50ms, Kind::Local, many(atOnce, getOver(eachFar)), atOnce * eachFar / mebi, ">= 1.0");
    compare(u"-L, 50 ms, 16 connections, towards there"_s, 50ms, Kind::Local, many(atOnce, putOver(eachFar)), atOnce * eachFar / mebi, ">= 1.0");
    compare(u"-L, 4,000 requests on one connection"_s, 0ms, Kind::Local, ping, 0, ">= 0.91 (p50 <= 1.1 x)");
    compare(u"-L, 1,000 connections opened and closed"_s, 0ms, Kind::Local, openAndClose, 0, ">= 1.0");
    manyOpen();
    tenGibibytes();
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    if (argc > 1 && qstrcmp(argv[1], "--target") == 0)
        return serve();
    Bench bench(argc > 1 ? QString::fromLocal8Bit(argv[1]) : QString());
    if (!bench.problem().isEmpty()) {
        std::printf("forwards are not measured: %s\n", qUtf8Printable(bench.problem()));
        return 0;
    }
    bench.run();
    return 0;
}

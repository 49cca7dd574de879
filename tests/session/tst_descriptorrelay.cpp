// The bytes of a ProxyCommand: pipes, sockets, files and terminals on one side, a socket on the other.
#include "session/descriptorrelay.h"

#include "session/filedescriptor.h"

#include <QTemporaryFile>
#include <QTest>

#include <array>
#include <csignal>
#include <future>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int kPatience = 60'000; // milliseconds
constexpr qsizetype kBulk = 3'000'001;

struct Ends
{
    FileDescriptor ours;
    FileDescriptor theirs;
};

Ends socketEnds()
{
    std::array<int, 2> fds = {-1, -1};
    (void)::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data());
    return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

Ends pipeEnds() // ours is the reading one
{
    std::array<int, 2> fds = {-1, -1};
    (void)::pipe2(fds.data(), O_CLOEXEC);
    return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

// A connection over real TCP: only that can be reset.
Ends tcpEnds()
{
    const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    (void)::bind(listener.get(), reinterpret_cast<sockaddr *>(&address), size);
    (void)::listen(listener.get(), 1);
    (void)::getsockname(listener.get(), reinterpret_cast<sockaddr *>(&address), &size);
    FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)::connect(client.get(), reinterpret_cast<sockaddr *>(&address), size);
    FileDescriptor server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ::fcntl(client.get(), F_SETFL, O_NONBLOCK);
    return {std::move(client), std::move(server)};
}

QByteArray bulk()
{
    QByteArray bytes(kBulk, Qt::Uninitialized);
    for (qsizetype i = 0; i < bytes.size(); ++i)
        bytes[i] = char((i * 7919) >> 3);
    return bytes;
}

bool writeAll(int fd, const QByteArray &bytes)
{
    for (qsizetype at = 0; at < bytes.size();) {
        const ssize_t done = ::write(fd, bytes.constData() + at, size_t(bytes.size() - at));
        if (done <= 0)
            return false;
        at += done;
    }
    return true;
}

QByteArray readAll(int fd)
{
    QByteArray all;
    std::array<char, 65536> piece;
    pollfd readable = {fd, POLLIN, 0};
    while (::poll(&readable, 1, kPatience) > 0) {
        const ssize_t got = ::read(fd, piece.data(), piece.size());
        if (got <= 0)
            break;
        all.append(piece.data(), got);
    }
    return all;
}

// The relay in a thread of its own, as it is used.
class Relay
{
public:
    Relay(int input, int output, int connection)
        : m_done(std::async(std::launch::async, [=, wake = m_wake.get()] { return relayDescriptors({input, output, connection, wake}); }))
    {
    }
    ~Relay() { stop(); }
    void stop()
    {
        const quint64 one = 1;
        (void)!::write(m_wake.get(), &one, sizeof one);
    }
    bool isOver() { return m_done.wait_for(std::chrono::milliseconds(kPatience)) == std::future_status::ready; }
    Done result() { return m_done.get(); }

private:
    FileDescriptor m_wake{::eventfd(0, EFD_CLOEXEC)};
    std::future<Done> m_done;
};

} // namespace

class TestDescriptorRelay : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase() { ::signal(SIGPIPE, SIG_IGN); }

    void bytesGoBothWaysAndTheEndOfInputIsHalfAClose_data()
    {
        QTest::addColumn<QString>("input");
        QTest::addColumn<QString>("output");
        for (const QString &input : {u"pipe"_s, u"socket"_s, u"file"_s}) {
            for (const QString &output : {u"pipe"_s, u"socket"_s})
                QTest::addRow("%s to %s", qPrintable(input), qPrintable(output)) << input << output;
        }
    }
    void bytesGoBothWaysAndTheEndOfInputIsHalfAClose()
    {
        QFETCH(QString, input);
        QFETCH(QString, output);
        const QByteArray bytes = bulk();
        Ends in = input == "pipe"_L1 ? pipeEnds() : socketEnds();
        QTemporaryFile file;
        if (input == "file"_L1) {
            QVERIFY(file.open() && file.write(bytes) == bytes.size() && file.flush() && file.seek(0));
            in.ours = FileDescriptor(::dup(file.handle()));
            ::lseek(in.ours.get(), 0, SEEK_SET);
        }
        Ends out = output == "pipe"_L1 ? pipeEnds() : socketEnds();
        Ends connection = tcpEnds();
        Relay relay(in.ours.get(), out.theirs.get(), connection.ours.get());
        std::thread writer([&] {
            if (input != "file"_L1)
                (void)writeAll(in.theirs.get(), bytes);
            in.theirs.reset();
        });
        // The far side answers only when it has seen the end: the other half must still be open then.
        QByteArray arrived;
        std::thread peer([&] {
            arrived = readAll(connection.theirs.get());
            (void)writeAll(connection.theirs.get(), arrived + "and back");
            connection.theirs.reset();
        });
        QByteArray back;
        std::thread reader([&] { back = readAll(out.ours.get()); });
        const bool isOver = relay.isOver();
        if (!isOver)
            relay.stop();
        out.theirs.reset();
        writer.join();
        peer.join();
        reader.join();
        QVERIFY(isOver);
        QVERIFY(relay.result());
        QVERIFY(arrived == bytes);
        QVERIFY(back == bytes + "and back");
    }

    void outputThatNobodyReadsMakesTheNetworkWait_data()
    {
        QTest::addColumn<bool>("towardsPipe");
        QTest::newRow("a pipe") << true;
        QTest::newRow("a socket") << false;
    }
    void outputThatNobodyReadsMakesTheNetworkWait()
    {
        QFETCH(bool, towardsPipe);
        Ends in = pipeEnds();
        Ends out = towardsPipe ? pipeEnds() : socketEnds();
        Ends connection = socketEnds();
        ::fcntl(connection.ours.get(), F_SETFL, O_NONBLOCK);
        ::fcntl(connection.theirs.get(), F_SETFL, O_NONBLOCK);
        Relay relay(in.ours.get(), out.theirs.get(), connection.ours.get());
        const QByteArray piece(65536, 'x');
        qint64 taken = 0;
        pollfd writable = {connection.theirs.get(), POLLOUT, 0};
        // Until nothing is taken for a while: the buffers of two sockets, a pipe and the relay are full.
        while (taken < (64 << 20) && ::poll(&writable, 1, 500) > 0) {
            const ssize_t done = ::write(connection.theirs.get(), piece.constData(), size_t(piece.size()));
            taken += done > 0 ? done : 0;
        }
        QVERIFY2(taken < (4 << 20), qPrintable(QString::number(taken)));
        // And nothing is lost of it.
        connection.theirs.reset();
        std::thread closer([&] {
            (void)relay.isOver();
            out.theirs.reset();
        });
        const qsizetype got = readAll(out.ours.get()).size();
        closer.join();
        QVERIFY(relay.result());
        QCOMPARE(got, taken);
    }

    void aTerminalIsReadAndWritten()
    {
        int controller = -1;
        int terminal = -1;
        QCOMPARE(::openpty(&controller, &terminal, nullptr, nullptr, nullptr), 0);
        FileDescriptor keys(controller);
        FileDescriptor screen(terminal);
        termios raw = {};
        ::tcgetattr(terminal, &raw);
        ::cfmakeraw(&raw);
        ::tcsetattr(terminal, TCSANOW, &raw);
        Ends connection = tcpEnds();
        Relay relay(terminal, terminal, connection.ours.get());
        QVERIFY(writeAll(keys.get(), "typed"));
        std::array<char, 16> got = {};
        QCOMPARE(::recv(connection.theirs.get(), got.data(), 5, MSG_WAITALL), 5);
        QCOMPARE(QByteArray(got.data()), "typed"_ba);
        QVERIFY(writeAll(connection.theirs.get(), "shown"));
        QCOMPARE(::read(keys.get(), got.data(), 5), 5);
        QCOMPARE(QByteArray(got.data(), 5), "shown"_ba);
        connection.theirs.reset();
        QVERIFY(relay.isOver());
        QVERIFY(relay.result());
    }

    void itStopsWhenItIsTold()
    {
        Ends in = pipeEnds();
        Ends out = pipeEnds();
        Ends connection = tcpEnds();
        Relay relay(in.ours.get(), out.theirs.get(), connection.ours.get());
        relay.stop();
        QVERIFY(relay.isOver());
        QCOMPARE(relay.result().error().kind, ErrorKind::Cancelled);
    }

    void aReaderThatLeavesEndsIt_data() { outputThatNobodyReadsMakesTheNetworkWait_data(); }
    void aReaderThatLeavesEndsIt()
    {
        QFETCH(bool, towardsPipe);
        Ends in = pipeEnds();
        Ends out = towardsPipe ? pipeEnds() : socketEnds();
        Ends connection = tcpEnds();
        Relay relay(in.ours.get(), out.theirs.get(), connection.ours.get());
        out.ours.reset(); // and nothing more arrives: the leaving itself is the news
        QVERIFY(relay.isOver());
        QVERIFY(relay.result());
    }

    void aResetIsALostConnection()
    {
        Ends in = pipeEnds();
        Ends out = pipeEnds();
        Ends connection = tcpEnds();
        Relay relay(in.ours.get(), out.theirs.get(), connection.ours.get());
        const linger reset = {1, 0};
        ::setsockopt(connection.theirs.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        connection.theirs.reset();
        QVERIFY(relay.isOver());
        QCOMPARE(relay.result().error().kind, ErrorKind::ConnectionLost);
    }
};

QTEST_GUILESS_MAIN(TestDescriptorRelay)
#include "tst_descriptorrelay.moc"

// Files of a server in figures, beside OpenSSH's sftp on the same server in the same run: questions, listings,
// one large file each way. Files lie in /dev/shm, so no disk has a say; sftp's times include its log-in, which is
// given for itself too.
#include "bench/delayrelay.h"
#include "sftp/sftpclient.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"

#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>

#include <algorithm>
#include <cstdio>
#include <functional>

#include <fcntl.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int rounds = 3;
constexpr int questions = 10'000;
constexpr int entries = 100'000;
constexpr int fewerEntries = 10'000; // over a slow network
constexpr qint64 large = 1 << 30;
constexpr qint64 piece = 1 << 20;

double milliseconds(const std::function<void()> &work)
{
    QElapsedTimer clock;
    clock.start();
    work();
    return double(clock.nsecsElapsed()) / 1e6;
}

void runUntil(const std::function<bool()> &isSo)
{
    while (!isSo())
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
}

double median(const std::function<double()> &measure)
{
    QList<double> values;
    for (int i = 0; i < rounds; ++i)
        values.append(measure());
    std::sort(values.begin(), values.end());
    return values.at(rounds / 2);
}

void print(const char *what, double ours, double theirs, const char *unit)
{
    std::printf("%-52s %11.1f %-6s sftp %9.1f   %.2f\n", what, ours, unit, theirs, ours > 0 ? theirs / ours : 0);
    std::fflush(stdout);
}

struct Open
{
    explicit Open(const LinkOptions &options)
        : link(options, &prompts)
        , client(&link)
    {
        link.connectToHost();
        runUntil([this] { return client.isReady(); });
    }
    RecordingPrompts prompts;
    SshLink link;
    SftpClient client;
};

double listing(SftpClient &client, const FilePath &folder, double *firstRows)
{
    QElapsedTimer clock;
    clock.start();
    const auto listing = client.list(folder);
    bool isOver = false;
    double first = -1;
    QObject::connect(listing.get(), &SftpListing::rowsReceived, listing.get(), [&](const QList<FileEntry> &rows) {
        if (first < 0)
            first = double(clock.nsecsElapsed()) / 1e6;
        listing->consumed(rows.size());
    });
    QObject::connect(listing.get(), &SftpListing::finished, listing.get(), [&] { isOver = true; });
    runUntil([&] { return isOver; });
    if (firstRows)
        *firstRows = first;
    return double(clock.nsecsElapsed()) / 1e6;
}

double theirs(const TestSshd &server, quint16 port, const QString &commands)
{
    return milliseconds([&] {
        QProcess sftp;
        sftp.setStandardOutputFile(QProcess::nullDevice());
        sftp.start(u"sftp"_s,
                   {u"-q"_s, u"-F"_s, u"none"_s, u"-b"_s, u"-"_s, u"-c"_s, u"aes128-gcm@openssh.com"_s, u"-o"_s, u"UserKnownHostsFile=/dev/null"_s,
                    u"-o"_s, u"StrictHostKeyChecking=no"_s, u"-o"_s, u"IdentitiesOnly=yes"_s, u"-o"_s, u"IdentityAgent=none"_s, u"-i"_s,
                    server.identity(), u"-P"_s, QString::number(port), server.user() + u"@127.0.0.1"_s});
        sftp.write(commands.toUtf8());
        sftp.closeWriteChannel();
        if (!sftp.waitForFinished(-1) || sftp.exitCode() != 0)
            std::fprintf(stderr, "sftp: %s\n", sftp.readAllStandardError().constData());
    });
}

void makeFiles(const QString &folder, int count)
{
    QDir().mkpath(folder);
    for (int i = 0; i < count; ++i)
        ::close(::open(QFile::encodeName(folder + u"/file-%1"_s.arg(i)).constData(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

FilePath pathOf(const QString &path)
{
    return FilePath::fromBytes(QFile::encodeName(path)).value();
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    TestSshd server;
    QTemporaryDir files(u"/dev/shm/sandpiper-bench-XXXXXX"_s);
    if (!server.problem().isEmpty() || !files.isValid()) {
        std::fprintf(stderr, "%s\n", qPrintable(server.problem()));
        return 1;
    }
    makeFiles(files.filePath(u"many"_s), entries);
    makeFiles(files.filePath(u"fewer"_s), fewerEntries);
    const QString file = files.filePath(u"large"_s);
    const int fd = ::open(QFile::encodeName(file).constData(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    const QByteArray zeros(piece, '\0');
    for (qint64 done = 0; done < large; done += piece)
        (void)!::write(fd, zeros.constData(), size_t(piece));
    ::close(fd);

    LinkOptions options = server.options();
    options.ciphers = "aes128-gcm@openssh.com";
    Open open(options);
    std::printf("%-52s %11.1f ms\n", "sftp: log in and end", median([&] { return theirs(server, server.port(), u"pwd\n"_s); }));

    std::printf("%-52s %11.1f ms\n", "10,000 lstat", median([&] {
        return milliseconds([&] {
            int left = questions;
            for (int i = 0; i < questions; ++i)
                open.client.stat(pathOf(files.filePath(u"many/file-%1"_s.arg(i))), LinkPolicy::NoFollow).then(&app, [&](const Result<FileAttributes> &) { --left; });
            runUntil([&] { return left == 0; });
        });
    }));

    double first = 0;
    const double all = median([&] { return listing(open.client, pathOf(files.filePath(u"many"_s)), &first); });
    std::printf("%-52s %11.1f ms\n", "listing 100,000: first rows", first);
    print("listing 100,000", all, median([&] { return theirs(server, server.port(), u"ls -1f %1\n"_s.arg(files.filePath(u"many"_s))); }), "ms");

    print("1 GiB down", median([&] {
        return milliseconds([&] {
            const auto reader = open.client.read({.path = pathOf(file)});
            bool isOver = false;
            QObject::connect(reader.get(), &SftpReader::received, reader.get(), [&](const QByteArray &bytes) { reader->consumed(bytes.size()); });
            QObject::connect(reader.get(), &SftpReader::finished, reader.get(), [&] { isOver = true; });
            runUntil([&] { return isOver; });
        });
    }), median([&] { return theirs(server, server.port(), u"get %1 /dev/null\n"_s.arg(file)); }), "ms");

    print("1 GiB up", median([&] {
        return milliseconds([&] {
            const auto writer = open.client.write({.path = pathOf(files.filePath(u"up"_s)), .existing = FileWriteWish::Existing::Empty});
            bool isOver = false;
            qint64 given = 0;
            const auto give = [&] {
                while (given < large && writer->pending() < 8 * piece) {
                    writer->write(zeros);
                    given += piece;
                    if (given == large)
                        writer->close();
                }
            };
            QObject::connect(writer.get(), &SftpWriter::taken, writer.get(), give);
            QObject::connect(writer.get(), &SftpWriter::finished, writer.get(), [&] { isOver = true; });
            give();
            runUntil([&] { return isOver; });
        });
    }), median([&] { return theirs(server, server.port(), u"put %1 %2\n"_s.arg(file, files.filePath(u"up2"_s))); }), "ms");

    const DelayRelay relay(server.port(), {25ms, 0});
    LinkOptions slow = options;
    slow.endpoint.port = relay.port();
    Open far(slow);
    const QString fewer = files.filePath(u"fewer"_s);
    std::printf("%-52s %11.1f ms\n", "50 ms of round trip: sftp, log in and end", median([&] { return theirs(server, relay.port(), u"pwd\n"_s); }));
    print("50 ms of round trip: listing 10,000", median([&] { return listing(far.client, pathOf(fewer), nullptr); }),
          median([&] { return theirs(server, relay.port(), u"ls -1f %1\n"_s.arg(fewer)); }), "ms");
    return 0;
}

// The transfer queue in figures, beside OpenSSH's sftp, tar over ssh, lftp and rclone with the same server in the same
// run. Files lie in /dev/shm, so no disk has a say. Every time includes the log-in, for each of them.
// bench_transfers [PATTERN]: only rows whose name contains it.
#include "bench/delayrelay.h"
#include "sftp/sftpfilesystem.h"
#include "sftp/treeremoval.h"
#include "tests/support/testsshd.h"
#include "tests/support/transferrunner.h"

#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QProcess>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <functional>

#include <fcntl.h>
#include <malloc.h>
#include <time.h>
#include <unistd.h>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int smallFiles = 10'000;
constexpr qint64 smallSize = 4 << 10;
constexpr qint64 large = 1 << 30;
constexpr qint64 farLarge = 256 << 20;
constexpr auto cipher = "aes128-gcm@openssh.com";

QByteArray readAll(const char *file)
{
    QFile from(QString::fromLatin1(file));
    return from.open(QIODevice::ReadOnly) ? from.readAll() : QByteArray();
}

double mebibytes(const QByteArray &name) // of /proc/self/status
{
    for (const QByteArray &line : readAll("/proc/self/status").split('\n')) {
        if (line.startsWith(name))
            return line.mid(name.size() + 1).trimmed().split(' ').first().toDouble() / 1024;
    }
    return 0;
}

// What a window would feel and what it costs while something runs.
struct Watch
{
    Watch()
    {
        malloc_trim(0);
        QFile clear(u"/proc/self/clear_refs"_s);
        if (clear.open(QIODevice::WriteOnly))
            clear.write("5");
        idle = mebibytes("VmRSS");
        QObject::connect(&timer, &QTimer::timeout, &timer, [this] {
            worst = std::max(worst, double(clock.nsecsElapsed()) / 1e6);
            clock.restart();
            const double now = own();
            worstOwn = std::max(worstOwn, now - ownBefore);
            ownBefore = now;
        });
        timer.setTimerType(Qt::PreciseTimer);
        timer.start(1ms);
        clock.start();
    }
    // Milliseconds that this thread has had of a processor: without what its neighbours took.
    [[nodiscard]] static double own()
    {
        timespec used = {};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        return double(used.tv_sec) * 1e3 + double(used.tv_nsec) / 1e6;
    }
    [[nodiscard]] double grown() const { return mebibytes("VmHWM") - idle; }
    QTimer timer;
    QElapsedTimer clock;
    double worst = 0;
    double worstOwn = 0;
    double ownBefore = own();
    double ownAtFirst = ownBefore;
    double idle = 0;
};

class Bench
{
public:
    explicit Bench(const QString &pattern)
        : m_pattern(pattern)
        , m_files(u"/dev/shm/sandpiper-bench-XXXXXX"_s)
    {
    }
    [[nodiscard]] bool isReady() const { return m_server.problem().isEmpty() && m_files.isValid(); }
    void run();

private:
    using Measure = std::function<double()>;
    struct Peer
    {
        const char *name;
        Measure measure;
    };
    [[nodiscard]] QString file(const QString &name) const { return m_files.filePath(name); }
    [[nodiscard]] QStringList sshOptions(quint16 port) const;
    double sftp(quint16 port, const QString &commands, const QStringList &more = {});
    double shell(const QString &command);
    double lftp(quint16 port, const QString &commands);
    double rclone(quint16 port, const QString &from, const QString &to);
    double ours(quint16 port, TransferWay way, const QString &source, const QString &target, const std::function<void(TransferWish &)> &change = {});
    [[nodiscard]] double timed(const QString &program, const QStringList &arguments, const QByteArray &input);
    // wanted: the first peer's time over ours.
    void row(const char *name, double wanted, int rounds, const Measure &ours, const QList<Peer> &peers);
    void fresh(const QString &folder) { QDir(file(folder)).removeRecursively(); }
    void makeLarge(const QString &name, qint64 size);

    QString m_pattern;
    TestSshd m_server;
    QTemporaryDir m_files;
    double m_worstGap = 0;
    double m_worstOwn = 0;
    double m_mostGrown = 0;
};

QStringList Bench::sshOptions(quint16 port) const
{
    return {u"-F"_s, u"none"_s, u"-c"_s, QString::fromLatin1(cipher), u"-o"_s, u"UserKnownHostsFile=/dev/null"_s, u"-o"_s, u"StrictHostKeyChecking=no"_s,
            u"-o"_s, u"LogLevel=ERROR"_s, u"-o"_s, u"IdentitiesOnly=yes"_s, u"-o"_s, u"IdentityAgent=none"_s, u"-i"_s, m_server.identity(), u"-o"_s,
            u"Port=%1"_s.arg(port)};
}

double Bench::timed(const QString &program, const QStringList &arguments, const QByteArray &input)
{
    QElapsedTimer clock;
    clock.start();
    QProcess process;
    process.setStandardOutputFile(QProcess::nullDevice());
    process.start(program, arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(-1) || process.exitCode() != 0)
        std::fprintf(stderr, "%s: %s\n", qPrintable(program), process.readAllStandardError().constData());
    return double(clock.nsecsElapsed()) / 1e6;
}

double Bench::sftp(quint16 port, const QString &commands, const QStringList &more)
{
    return timed(u"sftp"_s, QStringList{u"-q"_s, u"-b"_s, u"-"_s} + more + sshOptions(port) + QStringList{m_server.user() + u"@127.0.0.1"_s}, commands.toUtf8());
}

// %ssh% in it is ssh with all its options and its host.
double Bench::shell(const QString &command)
{
    const QString ssh = u"ssh "_s + sshOptions(m_server.port()).join(u' ') + u' ' + m_server.user() + u"@127.0.0.1"_s;
    return timed(u"bash"_s, {u"-c"_s, QString(command).replace(u"%ssh%"_s, ssh)}, {});
}

double Bench::lftp(quint16 port, const QString &commands)
{
    const QString connect = u"ssh -a -x "_s + sshOptions(port).join(u' ');
    return timed(u"lftp"_s,
                 {u"-c"_s, u"set sftp:connect-program \"%1\"; set net:max-retries 1; open -u %2,x sftp://127.0.0.1:%3; %4"_s.arg(connect, m_server.user()).arg(port).arg(commands)}, {});
}

double Bench::rclone(quint16 port, const QString &from, const QString &to)
{
    const QString place = u":sftp,host=127.0.0.1,port=%1,user=%2,key_file='%3',ciphers=%4,shell_type=none:"_s.arg(port).arg(m_server.user(), m_server.identity(), QString::fromLatin1(cipher));
    return timed(u"rclone"_s, {u"--config"_s, u"/dev/null"_s, u"copy"_s, u"--ignore-times"_s, QString(from).replace(u"%r"_s, place), QString(to).replace(u"%r"_s, place)}, {});
}

double Bench::ours(quint16 port, TransferWay way, const QString &source, const QString &target, const std::function<void(TransferWish &)> &change)
{
    LinkOptions options = m_server.options();
    options.ciphers = cipher;
    options.endpoint.port = port;
    TransferRunner runner(options, file(u"journal-%1"_s.arg(QRandomGenerator::global()->generate())));
    TransferWish wish = TransferRunner::wish(way, {QFile::encodeName(source)}, QFile::encodeName(target));
    wish.onConflict = OnConflict::Overwrite;
    if (change)
        change(wish);
    Watch watch;
    QElapsedTimer clock;
    clock.start();
    QEventLoop loop;
    QObject::connect(runner.queue.get(), &TransferQueue::finished, &loop, &QEventLoop::quit);
    int links = 0;
    QObject::connect(runner.queue.get(), &TransferQueue::changed, &loop, [&](qint64 id) { links = std::max(links, runner.queue->progress(id).links); });
    const qint64 id = runner.queue->add(wish);
    loop.exec();
    const double took = double(clock.nsecsElapsed()) / 1e6;
    m_worstGap = std::max(m_worstGap, watch.worst);
    m_worstOwn = std::max(m_worstOwn, watch.worstOwn);
    m_mostGrown = std::max(m_mostGrown, watch.grown());
    const TransferProgress progress = runner.queue->progress(id);
    if (progress.state != TransferState::Finished || progress.filesFailed > 0)
        std::fprintf(stderr, "ours: %s\n", progress.failures.isEmpty() ? "failed" : qPrintable(progress.failures.first().error.detail));
    if (qEnvironmentVariableIsSet("SANDPIPER_BENCH_VERBOSE"))
        std::fprintf(stderr, "   %.0f ms, %d connections, gap %.1f ms (own %.1f, %.0f of all), %.1f MiB more\n", took, links, watch.worst, watch.worstOwn,
                     Watch::own() - watch.ownAtFirst, watch.grown());
    return took;
}

void Bench::row(const char *name, double wanted, int rounds, const Measure &ours, const QList<Peer> &allPeers)
{
    if (!m_pattern.isEmpty() && !QString::fromLatin1(name).contains(m_pattern))
        return;
    // For a look with a profiler.
    const bool isAlone = qEnvironmentVariableIsSet("SANDPIPER_BENCH_ALONE");
    const QList<Peer> peers = isAlone ? QList<Peer>() : allPeers;
    rounds = isAlone ? 1 : rounds;
    // In turn, so that a slow minute of the machine is everybody's.
    QList<QList<double>> times(peers.size() + 1);
    for (int round = 0; round < rounds; ++round) {
        times[0].append(ours());
        for (qsizetype i = 0; i < peers.size(); ++i)
            times[i + 1].append(peers[i].measure());
    }
    for (QList<double> &all : times)
        std::sort(all.begin(), all.end());
    const auto median = [](const QList<double> &all) { return all.at(all.size() / 2); };
    std::printf("%-46s %9.0f ms", name, median(times[0]));
    for (qsizetype i = 0; i < peers.size(); ++i)
        std::printf("   %s %.0f ms %.2fx", peers[i].name, median(times[i + 1]), median(times[i + 1]) / median(times[0]));
    if (wanted > 0)
        std::printf("   (wanted %.1fx)", wanted);
    std::printf("\n");
    std::fflush(stdout);
}

void Bench::makeLarge(const QString &name, qint64 size)
{
    // Not to be compressed by anybody, and not the same everywhere.
    const int fd = ::open(QFile::encodeName(file(name)).constData(), O_CREAT | O_WRONLY | O_CLOEXEC | O_TRUNC, 0644);
    QList<quint32> numbers((1 << 20) / 4);
    QRandomGenerator::global()->fillRange(numbers.data(), numbers.size());
    for (qint64 done = 0; done < size; done += 1 << 20) {
        numbers[0] = quint32(done >> 20);
        (void)!::write(fd, numbers.constData(), 1 << 20);
    }
    ::close(fd);
}

void Bench::run()
{
    const quint16 port = m_server.port();
    const QByteArray content(smallSize, 'x');
    for (int folder = 0; folder < 10; ++folder) {
        const QString path = file(u"small/%1"_s.arg(folder));
        QDir().mkpath(path);
        for (int i = 0; i < smallFiles / 10; ++i) {
            const int fd = ::open(QFile::encodeName(path + u"/file-%1"_s.arg(i)).constData(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
            (void)!::write(fd, content.constData(), size_t(smallSize));
            ::close(fd);
        }
    }
    const bool wantsLarge = m_pattern.isEmpty() || m_pattern.contains("iB"_L1);
    if (wantsLarge && !m_pattern.contains("KiB"_L1))
        makeLarge(u"large"_s, large);
    const QString here = file(u"here"_s); // where copies land
    const auto clean = [this, here] {
        fresh(u"here"_s);
        QDir().mkpath(here);
    };
    const QString largeFile = file(u"large"_s);
    const QString small = file(u"small"_s);
    const auto measured = [clean](const Measure &measure) -> Measure {
        return [clean, measure] {
            clean();
            return measure();
        };
    };

    row("log in and end", 0, 5, [&] { return sftp(port, u"pwd\n"_s); }, {});
    row("1 GiB down", 1.4, 5, measured([&] { return ours(port, TransferWay::Fetch, largeFile, here); }),
        {{"sftp", measured([&] { return sftp(port, u"get %1 %2/\n"_s.arg(largeFile, here)); })},
         {"lftp", measured([&] { return lftp(port, u"get %1 -o %2/large"_s.arg(largeFile, here)); })},
         {"rclone", measured([&] { return rclone(port, u"%r"_s + largeFile, here); })}});
    row("1 GiB up", 1.4, 5, measured([&] { return ours(port, TransferWay::Send, largeFile, here); }),
        {{"sftp", measured([&] { return sftp(port, u"put %1 %2/\n"_s.arg(largeFile, here)); })},
         {"lftp", measured([&] { return lftp(port, u"put %1 -o %2/large"_s.arg(largeFile, here)); })},
         {"rclone", measured([&] { return rclone(port, largeFile, u"%r"_s + here); })}});
    row("1 GiB up, on the disk (fsync)", 1.5, 3, measured([&] { return ours(port, TransferWay::Send, largeFile, here, [](TransferWish &wish) { wish.syncs = true; }); }),
        {{"sftp -f", measured([&] { return sftp(port, u"put %1 %2/\n"_s.arg(largeFile, here), {u"-f"_s}); })}});
    row("10,000 x 4 KiB down", 12, 3, measured([&] { return ours(port, TransferWay::Fetch, small, here); }),
        {{"sftp", measured([&] { return sftp(port, u"get -r %1 %2/\n"_s.arg(small, here)); })},
         {"tar", measured([&] { return shell(u"%ssh% tar -C %1 -cf - small | tar -C %2 -xf -"_s.arg(m_files.path(), here)); })},
         {"lftp", measured([&] { return lftp(port, u"mirror --parallel=8 %1 %2/small"_s.arg(small, here)); })},
         {"rclone", measured([&] { return rclone(port, u"%r"_s + small, here); })}});
    row("10,000 x 4 KiB up, safe", 6, 3, measured([&] { return ours(port, TransferWay::Send, small, here); }),
        {{"sftp", measured([&] { return sftp(port, u"put -r %1 %2/\n"_s.arg(small, here)); })},
         {"tar", measured([&] { return shell(u"tar -C %1 -cf - small | %ssh% tar -C %2 -xf -"_s.arg(m_files.path(), here)); })},
         {"lftp", measured([&] { return lftp(port, u"mirror -R --parallel=8 %1 %2/small"_s.arg(small, here)); })},
         {"rclone", measured([&] { return rclone(port, small, u"%r"_s + here); })}});
    row("10,000 x 4 KiB up, on the disk (fsync)", 1.5, 3, measured([&] { return ours(port, TransferWay::Send, small, here, [](TransferWish &wish) { wish.syncs = true; }); }),
        {{"sftp -f", measured([&] { return sftp(port, u"put -r %1 %2/\n"_s.arg(small, here), {u"-f"_s}); })}});
    const auto copySmall = [&] {
        clean();
        (void)runForTest(u"cp"_s, {u"-r"_s, small, here});
    };
    row("remove 10,000", 5, 3,
        [&] {
            copySmall();
            LinkOptions options = m_server.options();
            RecordingPrompts prompts;
            QElapsedTimer clock;
            clock.start();
            SshLink link(options, &prompts);
            SftpFileSystem files(&link, {});
            link.connectToHost();
            QEventLoop loop;
            std::unique_ptr<TreeRemoval> removal;
            QObject::connect(&files, &FileSystem::ready, &loop, [&] {
                removal = std::make_unique<TreeRemoval>(&files, QList<TreeRemoval::Target>{{FilePath::fromBytes(QFile::encodeName(here + u"/small"_s)).value(), true}});
                QObject::connect(removal.get(), &TreeRemoval::finished, &loop, &QEventLoop::quit);
                removal->start();
            });
            loop.exec();
            return double(clock.nsecsElapsed()) / 1e6;
        },
        {{"sftp", [&] {
              copySmall();
              QString commands;
              for (int folder = 0; folder < 10; ++folder)
                  commands += u"rm %1/small/%2/*\nrmdir %1/small/%2\n"_s.arg(here).arg(folder);
              return sftp(port, commands + u"rmdir %1/small\n"_s.arg(here));
          }},
         {"lftp", [&] {
              copySmall();
              return lftp(port, u"rm -r %1/small"_s.arg(here));
          }}});
    std::printf("%-46s %9.1f MiB more than idle at most (wanted <= 96)\n", "memory during all of it", m_mostGrown);
    std::printf("%-46s %9.1f ms (wanted <= 16), %.1f ms of it its own work\n", "worst gap of the thread of a window", m_worstGap, m_worstOwn);

    if (wantsLarge)
        makeLarge(u"large"_s, farLarge);
    for (const auto &[name, oneWay] : {std::pair{"50 ms", 25ms}, std::pair{"100 ms", 50ms}}) {
        const DelayRelay relay(port, {oneWay, 0});
        const quint16 far = relay.port();
        row(qPrintable(u"256 MiB down, %1 round trip"_s.arg(QLatin1StringView(name))), 4, 3, measured([&] { return ours(far, TransferWay::Fetch, largeFile, here); }),
            {{"sftp", measured([&] { return sftp(far, u"get %1 %2/\n"_s.arg(largeFile, here)); })},
             {"rclone", measured([&] { return rclone(far, u"%r"_s + largeFile, here); })}});
        row(qPrintable(u"256 MiB up, %1 round trip"_s.arg(QLatin1StringView(name))), 4.5, 3, measured([&] { return ours(far, TransferWay::Send, largeFile, here); }),
            {{"sftp", measured([&] { return sftp(far, u"put %1 %2/\n"_s.arg(largeFile, here)); })},
             {"rclone", measured([&] { return rclone(far, largeFile, u"%r"_s + here); })}});
    }
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    Bench bench(argc > 1 ? QString::fromLocal8Bit(argv[1]) : QString());
    if (!bench.isReady()) {
        std::fprintf(stderr, "no server or no room in /dev/shm\n");
        return 1;
    }
    bench.run();
    return 0;
}

// SSH links in figures, beside OpenSSH's ssh on the same server in the same run: how soon a prompt is
// there, how a key is answered while bulk runs, what idle links and many shells cost.
#include "bench/delayrelay.h"
#include "session/sshlink.h"
#include "tests/support/recordingprompts.h"
#include "tests/support/testsshd.h"
#include "tests/support/transferrunner.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr int connects = 11;
constexpr int keys = 400;
constexpr int idleLinks = 100;
constexpr auto idleTime = 10s;
constexpr int manyShells = 100;
constexpr int manyLinks = 13;
constexpr auto patience = 60s;

// Runs the event loop until it is so; false: it has not come to be.
bool waitUntil(const std::function<bool()> &isSo, std::chrono::milliseconds most = patience)
{
    QElapsedTimer clock;
    clock.start();
    while (!isSo()) {
        if (clock.durationElapsed() > most)
            return false;
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }
    return true;
}

double at(QList<double> values, double share)
{
    if (values.isEmpty())
        return 0;
    std::sort(values.begin(), values.end());
    return values.at(std::min(values.size() - 1, qsizetype(double(values.size()) * share)));
}

double cpuSeconds()
{
    timespec used = {};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return double(used.tv_sec) + double(used.tv_nsec) / 1e9;
}

double privateKiB()
{
    QFile smaps(u"/proc/self/smaps_rollup"_s);
    if (!smaps.open(QIODevice::ReadOnly))
        return 0;
    double sum = 0;
    for (const QByteArray &line : smaps.readAll().split('\n')) {
        if (line.startsWith("Private_Dirty:"))
            sum += line.simplified().split(' ').value(1).toDouble();
    }
    return sum;
}

ShellSpec running(const QString &script)
{
    ShellSpec spec;
    spec.command = u"/bin/sh"_s;
    spec.arguments = {u"-c"_s, script};
    return spec;
}

LinkOptions through(const TestSshd &server, quint16 port)
{
    LinkOptions options = server.options();
    options.endpoint.port = port;
    return options;
}

double oursToPrompt(const LinkOptions &options, PromptHandler *prompts)
{
    QElapsedTimer clock;
    clock.start();
    const auto shell = makeSshShell(options, {}, prompts);
    QByteArray seen;
    QObject::connect(shell.get(), &Shell::outputReceived, shell.get(), [&](const QByteArray &bytes) { seen += bytes; });
    shell->open({});
    const bool there = waitUntil([&] { return seen.endsWith("# ") || seen.endsWith("$ "); });
    return there ? double(clock.nsecsElapsed()) / 1e6 : -1;
}

double theirsToPrompt(const TestSshd &server, quint16 port)
{
    QElapsedTimer clock;
    clock.start();
    QProcess ssh;
    QByteArray seen;
    QObject::connect(&ssh, &QProcess::readyReadStandardOutput, &ssh, [&] { seen += ssh.readAllStandardOutput(); });
    ssh.start(u"ssh"_s,
              {u"-tt"_s, u"-F"_s, u"none"_s, u"-o"_s, u"UserKnownHostsFile="_s + server.knownHosts(), u"-o"_s, u"StrictHostKeyChecking=yes"_s,
               u"-o"_s, u"HostKeyAlias=bench"_s, u"-o"_s, u"IdentitiesOnly=yes"_s, u"-o"_s, u"IdentityAgent=none"_s, u"-i"_s, server.identity(),
               u"-p"_s, QString::number(port), server.user() + u"@127.0.0.1"_s});
    const bool there = waitUntil([&] { return seen.endsWith("# ") || seen.endsWith("$ ") || ssh.state() == QProcess::NotRunning; })
            && ssh.state() == QProcess::Running;
    const double took = double(clock.nsecsElapsed()) / 1e6;
    if (!there)
        std::fprintf(stderr, "%s\n", ssh.readAllStandardError().constData());
    ssh.kill();
    ssh.waitForFinished();
    return there ? took : -1;
}

void connectToPrompt(const TestSshd &server, PromptHandler *prompts)
{
    QFile known(server.knownHosts());
    if (known.open(QIODevice::WriteOnly))
        known.write("bench " + server.hostKey() + '\n');
    known.close();
    for (const auto roundTrip : {0ms, 50ms, 100ms}) {
        DelayRelay relay(server.port(), {roundTrip / 2, 0});
        QList<double> ours;
        QList<double> theirs;
        for (int i = 0; i < connects; ++i) { // in turns: both meet the same neighbours
            ours.append(oursToPrompt(through(server, relay.port()), prompts));
            theirs.append(theirsToPrompt(server, relay.port()));
        }
        std::printf("connect to prompt, %3lld ms round trip: %16.1f ms, ssh %.1f ms = %.2f   <= 1.15\n", static_cast<long long>(roundTrip.count()),
                    at(ours, 0.5), at(theirs, 0.5), at(ours, 0.5) / at(theirs, 0.5));
        std::fflush(stdout);
    }
}

struct Typist
{
    Typist(const LinkOptions &options, PromptHandler *prompts)
        : shell(makeSshShell(options, running(u"stty raw -echo; echo ready; cat"_s), prompts))
    {
        QObject::connect(shell.get(), &Shell::outputReceived, shell.get(), [this](const QByteArray &bytes) {
            seen += bytes;
            shell->consumed(bytes.size());
        });
        shell->open({});
        if (!waitUntil([this] { return seen.contains("ready"); }))
            qFatal("no shell");
    }
    // Milliseconds from each key to its echo.
    [[nodiscard]] QList<double> type(int count)
    {
        QList<double> times;
        for (int i = 0; i < count; ++i) {
            seen.clear();
            QElapsedTimer clock;
            clock.start();
            shell->write("x");
            if (!waitUntil([this] { return !seen.isEmpty(); }))
                qFatal("no echo");
            times.append(double(clock.nsecsElapsed()) / 1e6);
            const auto pause = std::chrono::milliseconds(2 + i % 7); // never in step with the bulk
            QElapsedTimer rest;
            rest.start();
            waitUntil([&] { return rest.durationElapsed() >= pause; }, pause);
        }
        return times;
    }
    std::unique_ptr<Shell> shell;
    QByteArray seen;
};

// What a command puts out, or files on their way: as they come to somebody who works in the same sandbox.
enum class Bulk { Command, Fetch, Send };

struct Flood
{
    Flood(const LinkOptions &options, PromptHandler *prompts, Bulk kind)
        : files(u"/dev/shm/sandpiper-bench-XXXXXX"_s)
        , runner(options)
    {
        if (kind == Bulk::Command) {
            CommandSpec spec;
            spec.argv = {u"head"_s, u"-c"_s, u"100G"_s, u"/dev/zero"_s};
            command = makeSshCommand(options, spec, prompts);
            QObject::connect(command.get(), &RemoteCommand::outputReceived, command.get(), [this](const QByteArray &bytes) {
                printed += bytes.size();
                command->consumed(bytes.size());
            });
            command->start();
            return;
        }
        QFile source(files.filePath(u"source"_s));
        if (!source.open(QIODevice::WriteOnly) || !source.resize(qint64(4) << 30) || !QDir(files.path()).mkdir(u"target"_s))
            qFatal("no room for files");
        transfer = runner.queue->add(TransferRunner::wish(kind == Bulk::Fetch ? TransferWay::Fetch : TransferWay::Send, {QFile::encodeName(source.fileName())},
                                                          QFile::encodeName(files.filePath(u"target"_s))));
    }
    ~Flood()
    {
        if (transfer) {
            runner.queue->cancel(transfer);
            (void)waitUntil([this] { return isOver(runner.queue->progress(transfer).state); });
        }
    }
    [[nodiscard]] qint64 moved() const { return transfer ? qint64(runner.queue->progress(transfer).bytesMoved) : printed; }

    QTemporaryDir files;
    std::unique_ptr<RemoteCommand> command;
    qint64 printed = 0;
    TransferRunner runner;
    qint64 transfer = 0;
};

void typingDuringBulk(const TestSshd &server, PromptHandler *prompts, DelayRelay::Line line, Bulk kind, const char *name)
{
    DelayRelay relay(server.port(), line);
    const LinkOptions options = through(server, relay.port());
    Typist typist(options, prompts);
    (void)typist.type(20);
    const QList<double> idle = typist.type(keys);
    Flood bulk(options, prompts, kind);
    waitUntil([&] { return bulk.moved() > (32 << 20); });
    (void)typist.type(20); // the queue of the time before runs empty
    QElapsedTimer clock;
    clock.start();
    const qint64 before = bulk.moved();
    const QList<double> busy = typist.type(keys);
    const double rate = double(bulk.moved() - before) / double(clock.nsecsElapsed()) * 1e9 / double(1 << 20);
    std::printf("echo, %s: idle p50 %.2f p99 %.2f ms; with %.1f MiB/s of bulk p50 %.2f p99 %.2f ms   p99 within 20 %% or 2 ms\n", name,
                at(idle, 0.5), at(idle, 0.99), rate, at(busy, 0.5), at(busy, 0.99));
    std::fflush(stdout);
}

void idleCost(const TestSshd &server, PromptHandler *prompts, QTimer &beat)
{
    std::vector<std::unique_ptr<SshLink>> links;
    const auto connectOne = [&] {
        links.push_back(std::make_unique<SshLink>(server.options(), prompts));
        links.back()->connectToHost();
        if (!waitUntil([&] { return links.back()->state() == LinkState::Ready; }))
            qFatal("no link");
    };
    connectOne(); // what the first one loads is not the price of the others
    const double memory = privateKiB();
    while (links.size() < idleLinks + 1)
        connectOne();
    const double each = (privateKiB() - memory) / idleLinks;
    beat.stop();
    const double used = cpuSeconds();
    QEventLoop idle;
    QTimer::singleShot(idleTime, &idle, &QEventLoop::quit);
    idle.exec();
    std::printf("%d idle links: %40.1f KiB each, %.3f %% of a core   <= 100 KiB, <= 0.1 %%\n", idleLinks, each,
                (cpuSeconds() - used) / std::chrono::duration<double>(idleTime).count() * 100);
    std::fflush(stdout);
    beat.start();
}

void manyShellsOnFewLinks(const TestSshd &server, PromptHandler *prompts)
{
    std::vector<std::unique_ptr<SshLink>> links;
    std::vector<std::unique_ptr<Shell>> shells;
    int there = 0;
    QElapsedTimer clock;
    clock.start();
    for (int i = 0; i < manyLinks; ++i) {
        links.push_back(std::make_unique<SshLink>(server.options(), prompts));
        links.back()->connectToHost();
    }
    for (int i = 0; i < manyShells; ++i) {
        shells.push_back(links[size_t(i % manyLinks)]->makeShell(running(u"echo rea\"\"dy; cat"_s)));
        Shell *shell = shells.back().get();
        auto seen = std::make_shared<QByteArray>(); // owned by the connection alone
        QObject::connect(shell, &Shell::outputReceived, shell, [shell, seen, &there](const QByteArray &bytes) {
            const bool before = seen->contains("ready");
            *seen += bytes;
            there += !before && seen->contains("ready") ? 1 : 0;
            shell->consumed(bytes.size());
        });
        shell->open({});
    }
    waitUntil([&] { return there == manyShells; });
    std::printf("%d shells over %d links: %38d open after %.0f ms\n", manyShells, manyLinks, there, double(clock.nsecsElapsed()) / 1e6);
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    // So that the event loop turns while somebody waits.
    QTimer beat;
    beat.start(1);
    TestSshd server(TestSshd::Kind::OpenSsh, {u"MaxSessions 20"_s, u"MaxStartups 200"_s});
    if (!server.problem().isEmpty()) {
        std::printf("SSH links are not measured: %s\n", qUtf8Printable(server.problem()));
        return 0;
    }
    RecordingPrompts prompts;
    const QString pattern = argc > 1 ? QString::fromLocal8Bit(argv[1]) : QString();
    const auto wants = [&pattern](QLatin1StringView what) { return pattern.isEmpty() || what.contains(pattern); };
    if (wants("prompt"_L1))
        connectToPrompt(server, &prompts);
    if (wants("echo"_L1)) {
        const DelayRelay::Line far{25ms, 100e6 / 8};
        typingDuringBulk(server, &prompts, {}, Bulk::Command, "loopback, a command's output");
        typingDuringBulk(server, &prompts, {}, Bulk::Fetch, "loopback, files fetched");
        typingDuringBulk(server, &prompts, far, Bulk::Fetch, "50 ms, 100 Mbit/s, files fetched");
        typingDuringBulk(server, &prompts, far, Bulk::Send, "50 ms, 100 Mbit/s, files sent");
        typingDuringBulk(server, &prompts, far, Bulk::Command, "50 ms, 100 Mbit/s, a command's output");
    }
    if (wants("idle"_L1))
        idleCost(server, &prompts, beat);
    if (wants("many"_L1))
        manyShellsOnFewLinks(server, &prompts);
    return 0;
}

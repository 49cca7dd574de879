// sandpiper-gateway: the local vendor. Started by the window or the command line when needed, at
// most one per state folder; ends by itself when nobody needs it.
#include "gateway/gateway.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSocketNotifier>
#include <QThread>

#include "session/gatewayfile.h"

#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;
using namespace Sandpiper;

namespace {

constexpr auto startDeadline = std::chrono::seconds(15);
constexpr auto stopDeadline = std::chrono::seconds(20);
constexpr auto pollInterval = std::chrono::milliseconds(20);
constexpr int badUsage = 2;

int signalPipe[2] = {-1, -1};

void onSignal(int)
{
    const char byte = 0;
    [[maybe_unused]] const ssize_t written = ::write(signalPipe[1], &byte, 1);
}

void handle(int number, void (*handler)(int))
{
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
}

void say(const QString &sentence)
{
    std::fprintf(stderr, "sandpiper-gateway: %s\n", qUtf8Printable(sentence));
}

void printLine(const QJsonObject &line)
{
    // Nobody may be listening; that is no reason not to run.
    std::fputs(QJsonDocument(line).toJson(QJsonDocument::Compact).append('\n').constData(), stdout);
    std::fflush(stdout);
}

// 0: any. Says itself what is wrong.
std::optional<quint16> portIn(const QString &option, const QString &value)
{
    const qsizetype colon = value.lastIndexOf(u':');
    const QString host = value.left(colon);
    bool fine = colon > 0;
    const uint port = value.mid(colon + 1).toUInt(&fine);
    if (colon > 0 && fine && port <= 65535 && (host == "127.0.0.1"_L1 || host == "localhost"_L1))
        return quint16(port);
    say(u"--%1 %2: it must be 127.0.0.1:PORT. The gateway is for this computer alone."_s.arg(option, value));
    return std::nullopt;
}

std::optional<std::chrono::milliseconds> secondsIn(const QString &option, const QString &value)
{
    bool fine = false;
    const double seconds = value.toDouble(&fine);
    if (fine && seconds >= 0 && seconds <= 1e6)
        return std::chrono::milliseconds(qint64(seconds * 1000));
    say(u"--%1 %2: it must be a number of seconds."_s.arg(option, value));
    return std::nullopt;
}

// The lock, or null after having printed where the gateway is that runs already.
Result<std::unique_ptr<GatewayLock>> lockOrFind(const GatewayFolders &folders)
{
    QElapsedTimer since;
    since.start();
    while (true) {
        Result<std::unique_ptr<GatewayLock>> lock = GatewayLock::take(folders.lockFile());
        if (!lock || *lock)
            return lock;
        const Result<QJsonObject> running = runningGateway(folders);
        if (running) {
            printLine(*running);
            return lock;
        }
        if (since.durationElapsed() > startDeadline)
            return failure(ErrorKind::Timeout, Layer::LocalDisk, u"another gateway holds it and does not say where it is"_s, folders.lockFile());
        QThread::sleep(pollInterval);
    }
}

int stop(const GatewayFolders &folders)
{
    const Result<QJsonObject> running = runningGateway(folders);
    if (!running && running.error().kind == ErrorKind::NotFound) {
        say(u"No gateway is running."_s);
        return 0;
    }
    if (!running) {
        say(describe(running.error()));
        return 1;
    }
    ::kill(pid_t(running->value(u"pid"_s).toInteger()), SIGTERM);
    QElapsedTimer since;
    since.start();
    while (isGatewayLockHeld(folders.lockFile())) {
        if (since.durationElapsed() > stopDeadline) {
            say(u"The gateway does not end."_s);
            return 1;
        }
        QThread::sleep(pollInterval);
    }
    return 0;
}

QString initProgram()
{
    const QString beside = QCoreApplication::applicationDirPath() + u"/sandpiper-sandbox-init"_s;
    if (QFileInfo(beside).isExecutable())
        return beside;
    return QCoreApplication::applicationDirPath() + u"/../libexec/sandpiper/sandpiper-sandbox-init"_s;
}

int serve(const Gateway::Options &options)
{
    Result<std::unique_ptr<GatewayLock>> lock = lockOrFind(options.folders);
    if (lock && !*lock)
        return 0;
    if (!lock) {
        say(describe(lock.error()));
        return 1;
    }
    const Result<std::unique_ptr<Gateway>> gateway = Gateway::start(options, std::move(*lock));
    if (!gateway) {
        say(u"%1: %2"_s.arg(gateway.error().subject, describe(gateway.error())));
        return 1;
    }
    QSocketNotifier signalled(signalPipe[0], QSocketNotifier::Read);
    QObject::connect(&signalled, &QSocketNotifier::activated, qApp, [] { QCoreApplication::quit(); });
    QObject::connect(gateway->get(), &Gateway::idle, qApp, [] { QCoreApplication::quit(); });
    printLine((*gateway)->startLine());
    return QCoreApplication::exec();
}

} // namespace

int main(int argc, char **argv)
{
    ::umask(0077);
    if (::pipe2(signalPipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return 1;
    handle(SIGPIPE, SIG_IGN);
    handle(SIGHUP, SIG_IGN); // it outlives the terminal that it was started from
    handle(SIGTERM, onSignal);
    handle(SIGINT, onSignal);

    QCoreApplication application(argc, argv);
    QCoreApplication::setApplicationName(u"sandpiper-gateway"_s);
    QCoreApplication::setApplicationVersion(QStringLiteral(SANDPIPER_VERSION));
    QCommandLineParser parser;
    parser.setApplicationDescription(u"Sandboxes on this computer, for Sandpiper and for Tensorlake's own clients."_s);
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOptions({
            {u"state"_s, u"Keep everything in this folder."_s, u"DIR"_s},
            {u"listen"_s, u"HTTP on this loopback address; port 0: the same one as last time."_s, u"HOST:PORT"_s, u"127.0.0.1:0"_s},
            {u"ssh-listen"_s, u"SSH on this loopback address; port 0: the same one as last time."_s, u"HOST:PORT"_s, u"127.0.0.1:0"_s},
            {u"pty-idle-seconds"_s, u"Kill a shell that nobody is attached to after this time."_s, u"N"_s, u"300"_s},
            {u"idle-seconds"_s, u"End when nothing runs and nobody is connected for this time; 0: never."_s, u"N"_s, u"600"_s},
            {u"weak-isolation"_s, u"Where bubblewrap cannot separate sandboxes from this computer, make them all the same."_s},
    });
    parser.addPositionalArgument(u"stop"_s, u"End the gateway that runs."_s, u"[stop]"_s);
    if (!parser.parse(application.arguments())) {
        say(parser.errorText());
        return badUsage;
    }
    if (parser.isSet(u"help"_s))
        parser.showHelp();
    if (parser.isSet(u"version"_s))
        parser.showVersion();
    const QStringList words = parser.positionalArguments();
    if (words.size() > 1 || (words.size() == 1 && words.first() != "stop"_L1)) {
        say(u"%1: the only command is stop."_s.arg(words.join(u' ')));
        return badUsage;
    }
    const auto httpPort = portIn(u"listen"_s, parser.value(u"listen"_s));
    const auto sshPort = portIn(u"ssh-listen"_s, parser.value(u"ssh-listen"_s));
    const auto ptyIdle = secondsIn(u"pty-idle-seconds"_s, parser.value(u"pty-idle-seconds"_s));
    const auto idle = secondsIn(u"idle-seconds"_s, parser.value(u"idle-seconds"_s));
    if (!httpPort || !sshPort || !ptyIdle || !idle)
        return badUsage;

    Gateway::Options options;
    const Result<GatewayFolders> folders = GatewayFolders::make(parser.value(u"state"_s));
    if (!folders) {
        say(u"%1: %2"_s.arg(folders.error().subject, describe(folders.error())));
        return 1;
    }
    options.folders = *folders;
    if (!words.isEmpty())
        return stop(options.folders);
    options.httpPort = *httpPort;
    options.sshPort = *sshPort;
    options.ptys.unattended = *ptyIdle;
    options.idle = *idle;
    options.allowWeakIsolation = parser.isSet(u"weak-isolation"_s);
    options.initProgram = initProgram();
    return serve(options);
}

// sandpiper-tour DIR: the main job on the embedded gateway, in the real window, on a screen in memory.
// The program is killed half-way and started again, so it runs in children of this process.

#include "app/logsetup.h"
#include "session/paths.h"
#include "tests/tour/director.h"
#include "tests/tour/stage.h"

#include <QApplication>
#include <QDir>
#include <QProcess>
#include <QTemporaryDir>

#include <csignal>
#include <cstdio>

using namespace Sandpiper;
using namespace Qt::Literals::StringLiterals;

namespace {

constexpr int screenWidth = 1280;
constexpr int screenHeight = 800;
constexpr int stepsOfFirstAct = 10;

void addFirstAct(Director &director, Stage &stage)
{
    director.add({u"welcome"_s, u"the welcome page offers a sandbox on this computer"_s, {}, [&] { return stage.sees(u"welcomeCreate"_s); }});
    director.add({u"new-sandbox"_s, u"a click makes a sandbox and opens a shell in it"_s, [&] { stage.click(u"welcomeCreate"_s); },
                  [&] { return stage.isOpen() && stage.screen().contains(u'$') && stage.sandbox()->state == SandboxState::Running; }});
    director.add({u"terminal"_s, u"the shell runs commands inside the sandbox"_s,
                  [&] { stage.type(u"mark=kept-$((40+2)); echo \"sum $((40+2)) on $(hostname) as $(id -un)\""_s); },
                  [&] { return stage.screen().contains(u"sum 42 on tl-sbx as tl-user"_s); }});
    director.add({u"ssh"_s, u"a second tab reaches the same sandbox over SSH"_s, [&] { stage.workspace()->openTerminal(*stage.sandbox(), ShellRoute::Ssh); },
                  [&] { return stage.workspace()->tabCount() == 2 && stage.isOpen() && stage.screen().contains(u'$'); },
                  [&] { stage.type(u"echo \"over ssh: ${SSH_TTY:-} $((6*7))\"; ps -o pid,args | head -8"_s); }});
    director.add({u"ssh-command"_s, u"the SSH shell sees the processes of the other one"_s, {}, [&] { return stage.screen().contains(u"over ssh: "_s) && stage.screen().contains(u" 42"_s); }});
    director.add({u"port-offer"_s, u"a server that starts in the sandbox is offered"_s,
                  [&] { stage.type(u"python3 -c \"import socket, time; s = socket.create_server(('127.0.0.1', 8000)); time.sleep(1000)\" &"_s); },
                  [&] { return stage.offer().contains(u"python3 listens at port 8000"_s); }});
    director.add({u"port-forward"_s, u"a click makes it reachable from here"_s, [&] { stage.click(u"portForward"_s); },
                  [&] { return stage.offer().isEmpty() && stage.forwards() == u"Forwards 1"_s; }, [&] {
                      stage.type(u"kill %1"_s);
                      stage.trigger(ActionId::PreviousTab);
                  }});
    director.add({u"connection-lost"_s, u"a cut connection is told above the terminal"_s, [&] { stage.cutNetwork(); },
                  [&] { return stage.pane()->status().state == StandingShell::State::Waiting && !stage.banner().isEmpty(); },
                  [&] { stage.mendNetwork(); }});
    director.add({u"reattached"_s, u"the same shell comes back by itself"_s, {}, [&] { return stage.isOpen(); }, [&] { stage.type(u"echo \"still $mark\""_s); }});
    director.add({u"same-shell"_s, u"its variables are still there, and nothing is shown twice"_s, {},
                  [&] { return stage.screen().contains(u"still kept-42"_s) && stage.screen().count(u"sum 42 on tl-sbx"_s) == 1; },
                  [] { std::raise(SIGKILL); }});
}

void addSecondAct(Director &director, Stage &stage)
{
    director.add({u"restarted"_s, u"after a kill the tabs are back"_s, {}, [&] { return stage.workspace()->tabCount() == 2; }, [&] { stage.workspace()->selectTab(0); }});
    director.add({u"restored"_s, u"the first tab is in the same shell again"_s, {}, [&] { return stage.isOpen(); }, [&] { stage.type(u"echo \"again $mark\""_s); }});
    director.add({u"same-shell-again"_s, u"its variables have outlived the program"_s, {}, [&] { return stage.screen().contains(u"again kept-42"_s); }});
    director.add({u"keys"_s, u"the keys page lists this computer's key"_s, [&] { stage.trigger(ActionId::ManageKeys); }, [&] { return stage.sees(u"keysPage"_s); },
                  [&] { stage.trigger(ActionId::FocusTerminal); }});
    director.add({u"suspended"_s, u"a suspended sandbox says so and offers to resume"_s, [&] { stage.window()->commands()->suspend(*stage.sandbox()); },
                  [&] { return stage.sandbox()->state == SandboxState::Suspended && stage.pane() != nullptr && stage.pane()->status().state == StandingShell::State::Suspended; }});
    director.add({u"resumed"_s, u"resumed, the shell goes on"_s, [&] { stage.clickButton(u"Resume"_s); },
                  [&] { return stage.isOpen() && stage.sandbox()->state == SandboxState::Running; }, [&] { stage.type(u"echo \"awake $mark\""_s); }});
    director.add({u"awake"_s, u"with everything it had"_s, {}, [&] { return stage.screen().contains(u"awake kept-42"_s); }});
    director.add({u"light"_s, u"the other theme is as good to read"_s, [&] { stage.choose(Setting::Theme, u"light"_s); }, [] { return true; },
                  [&] { stage.choose(Setting::Theme, u"dark"_s); }});
    director.add({u"palette"_s, u"every command is in the palette"_s, [&] { stage.trigger(ActionId::CommandPalette); }, [&] { return stage.sees(u"commandPalette"_s); }});
}

int perform(int argc, char **argv, const QString &act, const QString &folder)
{
    QApplication::setApplicationName(u"sandpiper"_s);
    QApplication::setApplicationDisplayName(u"Sandpiper"_s);
    QApplication qt(argc, argv);
    QApplication::setQuitOnLastWindowClosed(false);
    std::signal(SIGPIPE, SIG_IGN);
    LogSetup log(stateFolder() + u"/sandpiper.log"_s);
    Application application(&log);
    application.start();
    application.window()->setGeometry(0, 0, screenWidth, screenHeight);
    application.window()->activateWindow();
    Stage stage(&application);
    const bool isFirst = act == "first"_L1;
    Director director(folder, isFirst ? 1 : stepsOfFirstAct + 1);
    director.setWitness([&] { return stage.allThere(); });
    isFirst ? addFirstAct(director, stage) : addSecondAct(director, stage);
    QObject::connect(&director, &Director::finished, &qt, [](bool passed) { QApplication::exit(passed ? 0 : 1); });
    director.start();
    return QApplication::exec();
}

struct Outcome
{
    int passed = 0;
    bool complete = false; // ended as it should
};

// The first act ends by the program killing itself, the second by returning.
Outcome play(const QString &act, const QString &folder, const QProcessEnvironment &environment)
{
    QProcess child;
    child.setProcessEnvironment(environment);
    child.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    child.start(QCoreApplication::applicationFilePath(), {u"--act"_s, act, folder});
    Outcome outcome;
    while (child.state() != QProcess::NotRunning || child.bytesAvailable() > 0) {
        if (!child.canReadLine() && !child.waitForReadyRead(-1))
            child.waitForFinished(100);
        while (child.canReadLine()) {
            const QByteArray line = child.readLine();
            outcome.passed += line.startsWith("ok ") ? 1 : 0;
            std::fwrite(line.constData(), 1, std::size_t(line.size()), stdout);
            std::fflush(stdout);
        }
    }
    child.waitForFinished(-1);
    const bool killed = child.exitStatus() == QProcess::CrashExit;
    outcome.complete = act == "first"_L1 ? killed && outcome.passed == stepsOfFirstAct : !killed && child.exitCode() == 0;
    return outcome;
}

bool prepare(const QString &folder, const QTemporaryDir &home, QProcessEnvironment &environment)
{
    QDir pictures(folder);
    if (!pictures.mkpath(u"."_s) || !home.isValid())
        return false;
    for (const QString &old : pictures.entryList({u"*.png"_s}))
        pictures.remove(old);
    for (const auto &[variable, name] : {std::pair(u"HOME"_s, u"home"_s), std::pair(u"XDG_CONFIG_HOME"_s, u"config"_s), std::pair(u"XDG_STATE_HOME"_s, u"state"_s),
                                         std::pair(u"XDG_DATA_HOME"_s, u"data"_s), std::pair(u"XDG_RUNTIME_DIR"_s, u"run"_s)}) {
        if (!makePrivateFolder(home.filePath(name)))
            return false;
        environment.insert(variable, home.filePath(name));
    }
    for (const QString &name : environment.keys()) {
        if (name.startsWith("TENSORLAKE_"_L1))
            environment.remove(name);
    }
    for (const QString &variable : {u"WAYLAND_DISPLAY"_s, u"DBUS_SESSION_BUS_ADDRESS"_s, u"SSH_AUTH_SOCK"_s, u"XAUTHORITY"_s, u"QT_SCALE_FACTOR"_s})
        environment.remove(variable);
    environment.insert(u"SANDPIPER_KEYCHAIN"_s, u"memory"_s);
    environment.insert(u"QT_QPA_PLATFORM"_s, u"xcb"_s);
    return true;
}

int conduct(const QString &folder)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    const QTemporaryDir home;
    if (!prepare(folder, home, environment)) {
        std::fprintf(stderr, "tour: %s or a temporary folder cannot be made\n", qUtf8Printable(folder));
        return 1;
    }
    QProcess screen;
    screen.setProcessChannelMode(QProcess::SeparateChannels);
    screen.start(u"Xvfb"_s, {u"-displayfd"_s, u"1"_s, u"-screen"_s, u"0"_s, u"%1x%2x24"_s.arg(screenWidth).arg(screenHeight), u"-nolisten"_s, u"tcp"_s});
    while (screen.state() != QProcess::NotRunning && !screen.canReadLine() && screen.waitForReadyRead(30'000)) { }
    const QByteArray display = screen.readLine().trimmed();
    if (display.isEmpty()) {
        std::fprintf(stderr, "tour: Xvfb gave no screen\n");
        return 1;
    }
    environment.insert(u"DISPLAY"_s, u':' + QString::fromLatin1(display));

    Outcome outcome = play(u"first"_s, folder, environment);
    if (outcome.complete) {
        const Outcome second = play(u"second"_s, folder, environment);
        outcome = {outcome.passed + second.passed, second.complete};
    }
    QProcess stop;
    stop.setProcessEnvironment(environment);
    stop.start(QCoreApplication::applicationDirPath() + u"/sandpiper-gateway"_s, {u"stop"_s});
    stop.waitForFinished(30'000);
    screen.terminate();
    screen.waitForFinished(5'000);
    std::printf(outcome.complete ? "tour: %d steps passed\n" : "tour: failed after %d steps\n", outcome.passed);
    return outcome.complete ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
    const QByteArrayView first = argc > 1 ? argv[1] : "";
    if (first == "--act" && argc == 4)
        return perform(argc, argv, QString::fromLocal8Bit(argv[2]), QString::fromLocal8Bit(argv[3]));
    QCoreApplication app(argc, argv);
    return conduct(argc > 1 ? QDir(QString::fromLocal8Bit(argv[1])).absolutePath() : QDir::currentPath() + u"/build/tour"_s);
}

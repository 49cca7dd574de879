#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "app/cli/shellrunner.h"
#include "app/cli/terminal.h"
#include "session/commandroute.h"

#include <QTimer>

#include <chrono>
#include <csignal>

#include <unistd.h>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 maxPendingInput = 256 * 1024;
constexpr std::chrono::milliseconds pipePatience{500};

} // namespace

ExecCommand::ExecCommand(Directory *directory)
    : Command(directory)
    , m_prompts(directory->makePrompts())
{
}

ExecCommand::~ExecCommand() = default;

void ExecCommand::start(const QStringList &arguments)
{
    // Everything behind -- is the remote command's, however it looks.
    const qsizetype dashes = arguments.indexOf(u"--"_s);
    const QStringList ours = dashes < 0 ? arguments : arguments.first(dashes);
    const QStringList argv = dashes < 0 ? QStringList() : arguments.sliced(dashes + 1);
    QCommandLineParser parser;
    parser.addOptions({{u"t"_s, u"With a terminal."_s},
                       {u"n"_s, u"Without input: standard input is not read."_s},
                       {u"via"_s, u"ssh or api; ssh where the sandbox's keys are at hand."_s, u"ROUTE"_s}});
    parser.addPositionalArgument(u"TARGET"_s, u"A sandbox's name or id, ACCOUNT/name, or ssh://user@host:port."_s);
    parser.addPositionalArgument(u"-- CMD…"_s, u"The command and its arguments; no shell in between."_s);
    if (!parse(parser, u"exec"_s, ours))
        return;
    if (parser.positionalArguments().size() != 1 || argv.isEmpty())
        return usage(u"exec takes a TARGET, then -- and a command"_s);
    const QString via = parser.value(u"via"_s);
    if (!via.isEmpty() && via != "ssh"_L1 && via != "api"_L1)
        return usage(u"--via takes ssh or api, not '%1'"_s.arg(via));
    const CliResult<TargetText> text = parseTarget(parser.positionalArguments().constFirst());
    if (!text)
        return fail(text.error());
    const bool terminal = parser.isSet(u"t"_s);
    m_readsInput = !parser.isSet(u"n"_s);
    if (terminal && !m_readsInput)
        return usage(u"-t and -n do not go together"_s);
    if (terminal && !isTerminal(STDIN_FILENO))
        return usage(u"-t needs a terminal on standard input"_s);
    directory()->load(Directory::Gateway::WhereUsed).then(this, [this, text = *text, argv, via, terminal] {
        directory()->resolveToConnect(text).then(this, [this, argv, via, terminal](const CliResult<Target> &target) {
            if (!target)
                return fail(target.error(), ExitOurs);
            terminal ? runInTerminal(*target, argv) : runPlain(*target, argv, via);
        });
    });
}

void ExecCommand::runInTerminal(const Target &target, const QStringList &argv)
{
    ShellRunner::Wish wish;
    wish.target = target;
    wish.spec.command = argv.constFirst();
    wish.spec.arguments = argv.sliced(1);
    const Result<ShellRoute> route = chooseRoute(target.sandbox, {});
    if (!route)
        return fail(route.error(), ExitOurs);
    wish.route = *route;
    m_runner = std::make_unique<ShellRunner>(directory(), wish);
    connect(m_runner.get(), &ShellRunner::finished, this, &ExecCommand::finishLater);
    m_runner->start();
}

void ExecCommand::runPlain(const Target &target, const QStringList &argv, const QString &via)
{
    CommandSpec spec;
    spec.argv = argv;
    const CommandRoute route = via == "ssh"_L1 ? CommandRoute::Ssh : via == "api"_L1 ? CommandRoute::Api : CommandRoute::Best;
    Result<std::unique_ptr<RemoteCommand>> made = makeRemoteCommand(target.sandbox, target.provider, m_prompts.get(), spec, target.signIn, route);
    if (!made)
        return fail(made.error(), ExitOurs);
    m_remote = std::move(*made);
    RemoteCommand *remote = m_remote.get();
    connect(remote, &RemoteCommand::outputReceived, this, [](const QByteArray &bytes) { standardOutput().write(bytes); });
    connect(remote, &RemoteCommand::errorOutputReceived, this, [](const QByteArray &bytes) { standardError().write(bytes); });
    connect(&standardOutput(), &OutputStream::written, remote, &RemoteCommand::consumed);
    connect(&standardError(), &OutputStream::written, remote, &RemoteCommand::consumed);
    connect(&standardOutput(), &OutputStream::broken, this, &ExecCommand::readerLeft);
    connect(remote, &RemoteCommand::started, this, &ExecCommand::pumpInput);
    connect(remote, &RemoteCommand::ended, this, [this](const ShellEnd &end) {
        switch (end.kind) {
        case ShellEnd::Kind::Exited: return finishLater(statusOfExit(end.exitCode));
        case ShellEnd::Kind::Signalled:
            if (end.signalName != "PIPE"_L1 || !standardOutput().isBroken())
                say(u"the command was ended by signal %1"_s.arg(end.signalName));
            return finishLater(statusOfSignal(end.signalName));
        case ShellEnd::Kind::Killed: return finishLater(ExitOurs);
        case ShellEnd::Kind::Lost:
        case ShellEnd::Kind::Failed: return fail(end.error, ExitOurs);
        }
    });
    remote->start();
}

void ExecCommand::readerLeft()
{
    // As a local command would learn of it. Not every server passes that signal on; then the end of the
    // connection tells.
    m_remote->sendSignal(SIGPIPE);
    QTimer::singleShot(pipePatience, this, [this] { finishLater(128 + SIGPIPE); });
}

void ExecCommand::pumpInput()
{
    if (!m_readsInput)
        return m_remote->closeInput();
    auto *input = new InputReader(m_remote.get());
    RemoteCommand *remote = m_remote.get();
    connect(input, &InputReader::received, remote, [remote, input](const QByteArray &bytes) {
        remote->writeInput(bytes);
        input->setPaused(remote->pendingInput() > maxPendingInput);
    });
    connect(remote, &RemoteCommand::inputDrained, input, [input] { input->setPaused(false); });
    connect(input, &InputReader::ended, remote, &RemoteCommand::closeInput);
}

void ExecCommand::interrupt()
{
    if (m_runner)
        return m_runner->leave();
    if (m_remote)
        m_remote->sendSignal(SIGINT);
    finishLater(ExitInterrupted);
}

} // namespace Sandpiper

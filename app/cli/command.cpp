#include "app/cli/command.h"

#include "app/cli/commands.h"
#include "app/cli/copycommand.h"
#include "app/cli/fscommand.h"
#include "app/cli/output.h"
#include "app/cli/servecommand.h"
#include "app/cli/synccommand.h"
#include "session/signalnames.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

template <typename T>
std::unique_ptr<Command> make(Directory *directory)
{
    return std::make_unique<T>(directory);
}

template <TransferWay way>
std::unique_ptr<Command> makeCopy(Directory *directory)
{
    return std::make_unique<CopyCommand>(directory, way);
}

} // namespace

const std::vector<CommandRow> &commandTable()
{
    static const std::vector<CommandRow> table = {
        {"accounts", "[ls | add VENDOR | rm NAME]", "accounts of this user", make<AccountsCommand>},
        {"ls", "[--account A] [--all] [--label L]", "sandboxes of all accounts", make<LsCommand>},
        {"create", "NAME [--account A] [--image I]", "makes a sandbox", make<CreateCommand>},
        {"suspend", "TARGET", "puts a sandbox to sleep", make<SuspendCommand>},
        {"resume", "TARGET", "wakes a sandbox", make<ResumeCommand>},
        {"terminate", "TARGET", "ends a sandbox for good", make<TerminateCommand>},
        {"keys", "[ls | add NAME FILE | rm ID | generate NAME]", "SSH keys, at vendors and here", make<KeysCommand>},
        {"hostkeys", "[ls [TEXT] | forget HOST | add LINE]", "host keys this computer knows", make<HostKeysCommand>},
        {"shell", "TARGET [--via ssh|pty]", "an interactive shell", make<ShellCommand>},
        {"exec", "TARGET [-t] -- CMD…", "one command", make<ExecCommand>},
        {"pty", "ls | create | get | attach | resize | wait | kill", "PTY sessions in a sandbox", make<PtyCommand>},
        {"forward", "TARGET -L SPEC… -R SPEC… -D SPEC…", "port forwards, as ssh makes them", make<ForwardCommand>},
        {"forwards", "ls|stop NAME", "the port forwards that run", make<ForwardsCommand>},
        {"fs", "ls | stat | cat | write | … TARGET:PATH", "files in a sandbox", make<FsCommand>},
        {"get", "[-r] TARGET:PATH… LOCAL", "fetches files and folders", makeCopy<TransferWay::Fetch>},
        {"put", "[-r] LOCAL… TARGET:PATH", "sends files and folders", makeCopy<TransferWay::Send>},
        {"cp", "[-r] SOURCE… DESTINATION", "copies between any two places", makeCopy<TransferWay::Relay>},
        {"sync", "[--delete] [--dry-run] SRC DST", "makes a folder as another is", make<SyncCommand>},
        {"proxy", "TARGET", "SSH's transport, for ProxyCommand", make<ProxyCommand>},
        {"ssh-config", "[TARGET…] [--write]", "Host blocks for ssh and editors", make<SshConfigCommand>},
        {"serve", "TARGET [--stdio | --listen ADDRESS:PORT]", "a local SSH endpoint for a sandbox", make<ServeCommand>},
        {"doctor", "TARGET", "walks the layers and says the first that fails", make<DoctorCommand>},
    };
    return table;
}

int statusOfSignal(const QString &name)
{
    const std::optional<int> number = signalNumber(name);
    return number ? 128 + *number : int(ExitOurs);
}

int statusOfExit(int code)
{
    return code >= 0 && code <= 255 ? code : int(ExitOurs);
}

Command::Command(Directory *directory)
    : m_directory(directory)
{
}

void Command::interrupt()
{
    finishLater(ExitInterrupted);
}

bool Command::parse(QCommandLineParser &parser, const QString &name, const QStringList &arguments)
{
    parser.addHelpOption();
    const auto &table = commandTable();
    const auto row = std::find_if(table.cbegin(), table.cend(), [&](const CommandRow &r) { return QLatin1StringView(r.name) == name; });
    if (row != table.cend())
        parser.setApplicationDescription(QString::fromLatin1(row->summary));
    if (!parser.parse(QStringList{u"sandpiper-cli "_s + name} + arguments)) {
        usage(parser.errorText());
        return false;
    }
    if (parser.isSet(u"help"_s)) {
        standardOutput().write(parser.helpText().toUtf8());
        finishLater(ExitOk);
        return false;
    }
    return true;
}

void Command::usage(const QString &line)
{
    say(line);
    finishLater(ExitUsage);
}

void Command::fail(const Error &error, int status)
{
    if (error.kind == ErrorKind::Cancelled) {
        finishLater(ExitInterrupted);
        return;
    }
    sayError(error);
    finishLater(error.kind == ErrorKind::InvalidInput && status == ExitFailed ? int(ExitUsage) : status);
}

void Command::fail(const CliError &error, int status)
{
    if (error.sentence.isEmpty())
        return fail(error.error, status);
    say(error.sentence);
    finishLater(error.error.kind == ErrorKind::InvalidInput ? int(ExitUsage) : status);
}

void Command::finishLater(int status)
{
    if (std::exchange(m_finishing, true))
        return;
    QMetaObject::invokeMethod(this, [this, status] { emit finished(status); }, Qt::QueuedConnection);
}

} // namespace Sandpiper

#include "sshserver/sshchannelwork.h"

#include <algorithm>
#include <array>
#include <csignal>

namespace Sandpiper {
namespace {

struct SignalName
{
    const char *name;
    int number;
};
// RFC 4254 section 6.10.
constexpr std::array<SignalName, 13> signalNames = {{{"ABRT", SIGABRT}, {"ALRM", SIGALRM},
    {"FPE", SIGFPE}, {"HUP", SIGHUP}, {"ILL", SIGILL}, {"INT", SIGINT}, {"KILL", SIGKILL},
    {"PIPE", SIGPIPE}, {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"TERM", SIGTERM},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2}}};

} // namespace

int sshSignalNumber(const char *name)
{
    for (const SignalName &signal : signalNames) {
        if (qstrcmp(signal.name, name) == 0)
            return signal.number;
    }
    return 0;
}

const char *sshSignalName(int number)
{
    for (const SignalName &signal : signalNames) {
        if (signal.number == number)
            return signal.name;
    }
    return "KILL";
}

bool isEnvironmentName(const QByteArray &name)
{
    const auto isWordCharacter = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.isEmpty() && !(name.front() >= '0' && name.front() <= '9')
            && std::all_of(name.cbegin(), name.cend(), isWordCharacter);
}

TerminalRequest terminalRequest(ssh_message message)
{
    // The newer callback interface answers at once, see SshServing.
    QT_WARNING_PUSH
    QT_WARNING_DISABLE_DEPRECATED
    const TerminalSize size{ssh_message_channel_request_pty_width(message), ssh_message_channel_request_pty_height(message)};
    const char *term = ssh_message_channel_request_pty_term(message);
    QT_WARNING_POP
    return {tamed(QString::fromUtf8(term), 64).toUtf8(), size.clamped()};
}

} // namespace Sandpiper

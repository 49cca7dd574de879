#include "session/signalnames.h"

#include <array>
#include <csignal>

namespace Sandpiper {
namespace {

struct Row
{
    int number;
    const char *name;
    bool isOfSsh;
};

constexpr std::array kRows = {
    Row{SIGABRT, "ABRT", true}, Row{SIGALRM, "ALRM", true}, Row{SIGFPE, "FPE", true},   Row{SIGHUP, "HUP", true},
    Row{SIGILL, "ILL", true},   Row{SIGINT, "INT", true},   Row{SIGKILL, "KILL", true}, Row{SIGPIPE, "PIPE", true},
    Row{SIGQUIT, "QUIT", true}, Row{SIGSEGV, "SEGV", true}, Row{SIGTERM, "TERM", true}, Row{SIGUSR1, "USR1", true},
    Row{SIGUSR2, "USR2", true}, Row{SIGBUS, "BUS", false},  Row{SIGTRAP, "TRAP", false}, Row{SIGSYS, "SYS", false},
    Row{SIGXCPU, "XCPU", false}, Row{SIGXFSZ, "XFSZ", false}, Row{SIGSTOP, "STOP", false}, Row{SIGVTALRM, "VTALRM", false},
};

} // namespace

QByteArray signalName(int number)
{
    for (const Row &row : kRows) {
        if (row.number == number && row.isOfSsh)
            return row.name;
    }
    return {};
}

std::optional<int> signalNumber(const QString &name)
{
    for (const Row &row : kRows) {
        if (name == QLatin1StringView(row.name))
            return row.number;
    }
    return std::nullopt;
}

} // namespace Sandpiper

#include "gateway/sandboxinit/spawn.h"

#include "gateway/sandboxinit/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

extern char **environ;

namespace Sandpiper {

namespace {

// Steps a child may fail at, told by their number through the report.
enum Step : int { AtDescriptors, AtTerminal, AtFolder, AtProgram };
const char *const stepNames[] = {"handing over descriptors", "taking the terminal",
                                 "the working directory", "the program"};

struct ChildEnds
{
    Descriptor input, output, error; // pipes
    Descriptor terminal;             // or the terminal's own side
};

[[noreturn]] void fail(int report, Step step)
{
    const int words[2] = {step, errno};
    [[maybe_unused]] const ssize_t told = write(report, words, sizeof words);
    _exit(127);
}

void forgetSignals()
{
    // A gateway started in the background ignores SIGINT, and so would every shell after it.
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number)
        sigaction(number, &action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

void enterFolder(const SpawnRequest &request, const SpawnPlace &place, int report)
{
    const char *home = getenv("HOME");
    const std::string base = home ? home : "/";
    const std::string &wish = request.workingDirectory;
    if (wish.empty()) {
        if (chdir(place.workspace.c_str()) != 0 && chdir(base.c_str()) != 0
            && chdir("/") != 0)
            fail(report, AtFolder);
        return;
    }
    std::string folder = wish;
    if (wish == "~")
        folder = base;
    else if (wish.starts_with("~/"))
        folder = base + wish.substr(1);
    else if (wish.front() != '/')
        folder = base + '/' + wish;
    if (chdir(folder.c_str()) != 0)
        fail(report, AtFolder);
}

const char *loginShell()
{
    const char *shell = getenv("SHELL");
    if (shell && access(shell, X_OK) == 0)
        return shell;
    return access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh";
}

void enterProgram(const SpawnRequest &request, int report)
{
    std::vector<std::string> words = request.argv;
    std::string program;
    if (request.flags & Wire::withLoginShell) {
        program = loginShell();
        const std::string name = program.substr(program.rfind('/') + 1);
        if (request.shellCommand.empty())
            words = {'-' + name};
        else
            words = {name, "-c", request.shellCommand};
    } else {
        program = words.front();
    }
    std::vector<char *> argv;
    for (std::string &word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    // Looks in the PATH of environ, which is the new process's own by now.
    execvp(program.c_str(), argv.data());
    fail(report, AtProgram);
}

[[noreturn]] void becomeProcess(const SpawnRequest &request, const SpawnPlace &place,
                                const ChildEnds &ends, const std::string &agentPath, int report)
{
    // A child of the init process may not outlive it where there is no PID namespace to end it.
    prctl(PR_SET_PDEATHSIG, 0);
    setsid();
    forgetSignals();
    umask(022);
    setrlimit(RLIMIT_NOFILE, &place.openFiles);

    const bool terminal = ends.terminal.isValid();
    if (terminal && (ioctl(ends.terminal.get(), TIOCSCTTY, 0) != 0
                     || tcsetpgrp(ends.terminal.get(), getpid()) != 0))
        fail(report, AtTerminal);
    const int from[3] = {terminal ? ends.terminal.get() : ends.input.get(),
                         terminal ? ends.terminal.get() : ends.output.get(),
                         terminal ? ends.terminal.get() : ends.error.get()};
    for (int fd = 0; fd < 3; ++fd) {
        if (dup2(from[fd], fd) < 0)
            fail(report, AtDescriptors);
    }
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);

    // A wish of the caller wins over what stands here.
    if (terminal)
        setenv("TERM", "xterm-256color", 0);
    if (!agentPath.empty())
        setenv("SSH_AUTH_SOCK", agentPath.c_str(), 1);
    for (const std::string &variable : request.environment) {
        const std::size_t equals = variable.find('=');
        setenv(variable.substr(0, equals).c_str(), variable.c_str() + equals + 1, 1);
    }
    enterFolder(request, place, report);
    if (request.flags & Wire::withFileWork) {
        // No exec, which would tell of success and close what is the init process's.
        close_range(3, ~0U, 0);
        _exit(doFileWork(request.argv[0], request.argv[1]));
    }
    enterProgram(request, report);
    _exit(127);
}

bool makePipe(Descriptor &readEnd, Descriptor &writeEnd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    readEnd = Descriptor(ends[0]);
    writeEnd = Descriptor(ends[1]);
    // The child keeps the low numbers 0 to 2 for itself: nothing of ours may sit there.
    return ends[0] > 2 && ends[1] > 2;
}

void setNonBlocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

bool makeTerminal(const SpawnRequest &request, ChildEnds &ends, Spawned &spawned)
{
    Descriptor master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master.isValid() || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0)
        return false;
    ends.terminal = Descriptor(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!ends.terminal.isValid())
        return false;
    resizeTerminal(master.get(), request.columns, request.rows);
    setNonBlocking(master.get());
    spawned.terminal = Descriptor(fcntl(master.get(), F_DUPFD_CLOEXEC, 3));
    spawned.forGateway.push_back(std::move(master));
    return spawned.terminal.isValid();
}

bool makePipes(ChildEnds &ends, Spawned &spawned)
{
    Descriptor input, output, error;
    if (!makePipe(ends.input, input) || !makePipe(output, ends.output)
        || !makePipe(error, ends.error))
        return false;
    for (Descriptor *end : {&input, &output, &error}) {
        setNonBlocking(end->get());
        spawned.forGateway.push_back(std::move(*end));
    }
    return true;
}

bool makeAgentSocket(Spawned &spawned, std::string &path)
{
    char folder[] = "/tmp/ssh-XXXXXXXXXX"; // mkdtemp makes it 0700
    if (!mkdtemp(folder))
        return false;
    spawned.agentFolder = folder;
    path = spawned.agentFolder + "/agent";
    Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (!listener.isValid()
        || bind(listener.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0
        || chmod(path.c_str(), 0600) != 0 || listen(listener.get(), 16) != 0)
        return false;
    spawned.forGateway.push_back(std::move(listener));
    return true;
}

bool hasNul(const std::string &text)
{
    return text.find('\0') != std::string::npos;
}

} // namespace

bool SpawnRequest::read(Wire::Reader &reader, SpawnRequest &request)
{
    request.flags = reader.u32();
    request.columns = std::clamp<std::uint32_t>(reader.u32(), 1, 1000);
    request.rows = std::clamp<std::uint32_t>(reader.u32(), 1, 500);
    request.shellCommand = reader.text();
    request.workingDirectory = reader.text();
    for (auto *list : {&request.argv, &request.environment}) {
        const std::uint32_t count = reader.u32();
        if (count > Wire::listEntries)
            return false;
        for (std::uint32_t i = 0; i < count && reader.isGood(); ++i)
            list->push_back(reader.text());
    }
    if (!reader.isDone() || hasNul(request.shellCommand) || hasNul(request.workingDirectory)
        || std::ranges::any_of(request.argv, hasNul)
        || std::ranges::any_of(request.environment, hasNul))
        return false;
    const bool named = std::ranges::all_of(request.environment, [](const std::string &variable) {
        const std::size_t equals = variable.find('=');
        return equals != 0 && equals != std::string::npos;
    });
    if (request.flags & Wire::withFileWork)
        return named && request.flags == Wire::withFileWork && request.argv.size() == 2
                && isFileWork(request.argv[0]) && !request.argv[1].empty();
    const bool runnable = (request.flags & Wire::withLoginShell)
            || (!request.argv.empty() && !request.argv.front().empty());
    return named && runnable;
}

bool spawn(const SpawnRequest &request, const SpawnPlace &place, Spawned &spawned,
           SpawnFailure &failure)
{
    ChildEnds ends;
    Descriptor report;
    std::string agentPath;
    const auto failed = [&](const char *step) {
        failure = {errno, step};
        removeAgentFolder(spawned.agentFolder);
        return false;
    };
    if (!makePipe(spawned.report, report))
        return failed("making a pipe");
    if ((request.flags & Wire::withTerminal) ? !makeTerminal(request, ends, spawned)
                                             : !makePipes(ends, spawned))
        return failed((request.flags & Wire::withTerminal) ? "making a terminal" : "making a pipe");
    if ((request.flags & Wire::withAgentSocket) && !makeAgentSocket(spawned, agentPath))
        return failed("making the agent's socket");
    setNonBlocking(spawned.report.get());
    spawned.pid = fork();
    if (spawned.pid < 0)
        return failed("making a process");
    if (spawned.pid == 0)
        becomeProcess(request, place, ends, agentPath, report.get());
    return true;
}

std::optional<SpawnFailure> readReport(int report)
{
    int words[2] = {};
    const ssize_t size = read(report, words, sizeof words);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return std::nullopt;
    if (size == 0)
        return SpawnFailure{};
    if (size != sizeof words || words[0] < AtDescriptors || words[0] > AtProgram)
        return SpawnFailure{EIO, "starting it"};
    return SpawnFailure{words[1], stepNames[words[0]]};
}

void removeAgentFolder(const std::string &folder)
{
    if (folder.empty())
        return;
    unlink((folder + "/agent").c_str());
    rmdir(folder.c_str());
}

bool resizeTerminal(int master, std::uint32_t columns, std::uint32_t rows)
{
    winsize size = {};
    size.ws_col = static_cast<unsigned short>(std::clamp<std::uint32_t>(columns, 1, 1000));
    size.ws_row = static_cast<unsigned short>(std::clamp<std::uint32_t>(rows, 1, 500));
    return ioctl(master, TIOCSWINSZ, &size) == 0;
}

} // namespace Sandpiper

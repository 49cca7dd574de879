#include "gateway/sandboxinit/attachnetwork.h"

#include "gateway/sandboxinit/descriptor.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace Sandpiper {

namespace {

int complain(const char *what)
{
    std::fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}

// Enters the owner of that network namespace and then that, says so by one byte, and ends pasta, its
// parent, as soon as the sandbox has ended.
[[noreturn]] void lendNamespaces(int network, int sandbox, int ready)
{
    const pid_t pasta = getppid();
    const Descriptor owner(ioctl(network, NS_GET_USERNS));
    if (!owner.isValid() || setns(owner.get(), CLONE_NEWUSER) != 0
        || setns(network, CLONE_NEWNET) != 0)
        _exit(complain("The sandbox's namespaces"));
    // The kernel took both away with the change of rights: pasta, without rights yet, must be able to
    // look into our /proc entry, and without pasta there is nothing to lend to.
    prctl(PR_SET_DUMPABLE, 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pasta)
        _exit(1);
    [[maybe_unused]] const ssize_t told = write(ready, "r", 1);
    pollfd waiting = {sandbox, POLLIN, 0};
    while (poll(&waiting, 1, -1) < 0 && errno == EINTR) { }
    kill(pasta, SIGKILL);
    _exit(0);
}

} // namespace

int attachNetwork(pid_t sandbox, char **argv)
{
    const Descriptor ending(static_cast<int>(syscall(SYS_pidfd_open, sandbox, 0)));
    const std::string path = "/proc/" + std::to_string(sandbox) + "/ns/net";
    const Descriptor network(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!ending.isValid() || !network.isValid())
        return complain("The sandbox's network namespace");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return complain("A pipe");
    const Descriptor ready(ends[0]);
    Descriptor tell(ends[1]);
    const pid_t lender = fork();
    if (lender < 0)
        return complain("A process");
    if (lender == 0)
        lendNamespaces(network.get(), ending.get(), tell.get());
    tell.reset();
    char byte = 0;
    if (read(ready.get(), &byte, 1) != 1)
        return 1;

    const std::string lent = "/proc/" + std::to_string(lender) + "/ns/";
    std::string owner = lent + "user", net = lent + "net";
    std::string userOption = "--userns", networkOption = "--netns";
    std::vector<char *> words;
    for (; *argv; ++argv)
        words.push_back(*argv);
    for (std::string *word : {&userOption, &owner, &networkOption, &net})
        words.push_back(word->data());
    words.push_back(nullptr);
    execvp(words.front(), words.data());
    return complain(words.front());
}

} // namespace Sandpiper

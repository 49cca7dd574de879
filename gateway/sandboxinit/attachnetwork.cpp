#include "gateway/sandboxinit/attachnetwork.h"

#include "gateway/sandboxinit/descriptor.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

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

// Enters the owner of that network namespace, says so by one byte, and stays as long as its parent.
[[noreturn]] void holdOwner(int network, int ready)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Descriptor owner(ioctl(network, NS_GET_USERNS));
    if (!owner.isValid() || setns(owner.get(), CLONE_NEWUSER) != 0)
        _exit(complain("The sandbox's user namespace"));
    [[maybe_unused]] const ssize_t told = write(ready, "r", 1);
    close_range(0, ~0U, 0);
    while (true)
        pause();
}

} // namespace

int attachNetwork(pid_t sandbox, char **argv)
{
    // pasta ends by itself within a second of the sandbox; this is for a killed gateway before that.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string path = "/proc/" + std::to_string(sandbox) + "/ns/net";
    const Descriptor network(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!network.isValid())
        return complain("The sandbox's network namespace");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return complain("A pipe");
    const Descriptor ready(ends[0]);
    Descriptor tell(ends[1]);
    const pid_t holder = fork();
    if (holder < 0)
        return complain("A process");
    if (holder == 0)
        holdOwner(network.get(), tell.get());
    tell.reset();
    char byte = 0;
    if (read(ready.get(), &byte, 1) != 1)
        return 1;

    std::string owner = "/proc/" + std::to_string(holder) + "/ns/user";
    std::string userOption = "--userns", networkOption = "--netns", net = path;
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

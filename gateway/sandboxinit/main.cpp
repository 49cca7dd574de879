// sandpiper-sandbox-init: the first process of a sandbox, started by the gateway.
//
//   sandpiper-sandbox-init --listener FD --lifeline FD --peer PID --workspace DIR
//       serves the gateway inside a sandbox; its environment is what every process there starts with
//   sandpiper-sandbox-init --attach-network PID PASTA ARGUMENTS…
//       outside, beside it: see attachnetwork.h
#include "gateway/sandboxinit/attachnetwork.h"
#include "gateway/sandboxinit/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int usage()
{
    std::fputs("sandpiper-sandbox-init is started by sandpiper-gateway.\n", stderr);
    return 2;
}

rlimit raiseOpenFiles()
{
    rlimit before = {};
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit raised = before;
    raised.rlim_cur = std::max<rlim_t>(before.rlim_cur, std::min<rlim_t>(before.rlim_max, 32768));
    setrlimit(RLIMIT_NOFILE, &raised);
    return before;
}

} // namespace

int main(int argc, char **argv)
{
    using namespace Sandpiper;
    if (argc >= 4 && std::strcmp(argv[1], "--attach-network") == 0)
        return attachNetwork(std::atoi(argv[2]), argv + 3);

    // Nobody inside may read this process's memory or take its descriptors.
    prctl(PR_SET_DUMPABLE, 0);
    Server::Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (std::strcmp(argv[i], "--listener") == 0)
            options.listener = Descriptor(std::atoi(value));
        else if (std::strcmp(argv[i], "--lifeline") == 0)
            options.lifeline = Descriptor(std::atoi(value));
        else if (std::strcmp(argv[i], "--peer") == 0)
            options.peer = std::atoi(value);
        else if (std::strcmp(argv[i], "--workspace") == 0)
            options.place.workspace = value;
        else
            return usage();
    }
    if (options.listener.get() <= 2 || options.lifeline.get() <= 2)
        return usage();
    for (const int fd : {options.listener.get(), options.lifeline.get()})
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    // Without a PID namespace, orphans still come to us and not to the host's first process.
    if (getpid() != 1)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
    options.place.openFiles = raiseOpenFiles();
    const int lifeline = options.lifeline.get();
    Server server(std::move(options));
    // The gateway learns our pid, as it is seen from there, with this byte.
    if (send(lifeline, "r", 1, MSG_NOSIGNAL) != 1)
        return 1;
    server.run();
    // The end of a first process ends all others of its namespace.
    if (getpid() != 1)
        killDescendants();
    _exit(0);
}

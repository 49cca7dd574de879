// A thread that the end of a child does not interrupt. Qt takes that signal in whichever thread it meets:
// there it cuts waits short, and does Qt's work on descriptors that are another thread's. Any thread.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace Sandpiper {

// As the constructor of std::thread, std::system_error included. The caller's own signals stay as they are.
template <typename Run>
[[nodiscard]] std::thread quietThread(Run &&run)
{
    struct Blocked // a thread begins with the mask of its maker
    {
        Blocked()
        {
            sigset_t childEnds;
            ::sigemptyset(&childEnds);
            ::sigaddset(&childEnds, SIGCHLD);
            ::pthread_sigmask(SIG_BLOCK, &childEnds, &before);
        }
        ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
        sigset_t before;
    } const blocked;
    return std::thread(std::forward<Run>(run));
}

} // namespace Sandpiper

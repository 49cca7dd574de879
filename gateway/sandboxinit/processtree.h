// The processes below this one: stopping them all without anyone noticing, and going on.
#pragma once

#include <sys/types.h>

#include <vector>

namespace Sandpiper {

struct ProcessRow
{
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    char state = '?'; // as in proc(5): R S D T t Z X …
    unsigned long long startTime = 0;
};

// Descendants of this process, parents before children.
[[nodiscard]] std::vector<ProcessRow> descendants();

// To every process of that session but this one.
void signalSession(pid_t session, int number);

// SIGKILL to all descendants until there are none, at most a few seconds.
void killDescendants();

// Stops parents before their children, waiting for each level, and continues children before their
// parents: so no shell ever sees a child stop, and none reports its job as "Stopped".
class Freezer
{
public:
    // False where something did not stop in time; all that was stopped goes on then.
    bool freeze();
    void thaw();
    [[nodiscard]] bool isFrozen() const { return m_frozen; }

private:
    bool m_frozen = false;
    std::vector<ProcessRow> m_stopped; // by us, parents first; a job the user stopped is not among them
};

} // namespace Sandpiper

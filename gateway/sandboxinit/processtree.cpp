#include "gateway/sandboxinit/processtree.h"

#include "gateway/sandboxinit/descriptor.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace Sandpiper {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto freezeDeadline = std::chrono::seconds(10);
constexpr auto levelDeadline = std::chrono::seconds(1);
constexpr auto killDeadline = std::chrono::seconds(5);
constexpr auto pause = std::chrono::microseconds(200);

std::optional<ProcessRow> rowOf(pid_t pid)
{
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char buffer[1024];
    const ssize_t size = file.isValid() ? read(file.get(), buffer, sizeof buffer - 1) : -1;
    if (size <= 0)
        return std::nullopt;
    buffer[size] = 0;
    // A program may call itself anything, ") R 1" too: only the last parenthesis counts.
    const char *after = std::strrchr(buffer, ')');
    ProcessRow row;
    int group = 0;
    row.pid = pid;
    if (!after
        || std::sscanf(after + 1,
                       " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                       &row.state, &row.parent, &group, &row.session, &row.startTime)
                != 5)
        return std::nullopt;
    return row;
}

std::vector<ProcessRow> everyone()
{
    std::vector<ProcessRow> rows;
    const std::unique_ptr<DIR, int (*)(DIR *)> folder(opendir("/proc"), closedir);
    while (const dirent *entry = folder ? readdir(folder.get()) : nullptr) {
        char *end = nullptr;
        const long pid = std::strtol(entry->d_name, &end, 10);
        if (pid <= 0 || *end)
            continue;
        if (const auto row = rowOf(static_cast<pid_t>(pid)))
            rows.push_back(*row);
    }
    return rows;
}

// Level by level: children of this process, their children, and so on.
std::vector<std::vector<ProcessRow>> levels()
{
    std::multimap<pid_t, ProcessRow> children;
    for (const ProcessRow &row : everyone())
        children.emplace(row.parent, row);
    std::vector<std::vector<ProcessRow>> result;
    std::vector<ProcessRow> above(1);
    above.front().pid = getpid();
    while (!above.empty()) {
        std::vector<ProcessRow> level;
        for (const ProcessRow &parent : above) {
            const auto [first, last] = children.equal_range(parent.pid);
            for (auto it = first; it != last; ++it)
                level.push_back(it->second);
            children.erase(first, last);
        }
        if (!level.empty())
            result.push_back(level);
        above = std::move(level);
    }
    return result;
}

bool isStill(char state)
{
    // Stopped, traced (its tracer is stopped, or will be), or dead.
    return state == 'T' || state == 't' || state == 'Z' || state == 'X';
}

bool isSame(const ProcessRow &row)
{
    const auto now = rowOf(row.pid);
    return now && now->startTime == row.startTime;
}

} // namespace

std::vector<ProcessRow> descendants()
{
    std::vector<ProcessRow> rows;
    for (const auto &level : levels())
        rows.insert(rows.end(), level.begin(), level.end());
    return rows;
}

void signalSession(pid_t session, int number)
{
    for (const ProcessRow &row : everyone()) {
        if (row.session == session && row.pid != getpid())
            kill(row.pid, number);
    }
}

void killDescendants()
{
    const auto until = Clock::now() + killDeadline;
    while (Clock::now() < until) {
        bool any = false;
        for (const ProcessRow &row : descendants()) {
            if (row.state == 'Z' || row.state == 'X')
                continue;
            any = kill(row.pid, SIGKILL) == 0 || any;
        }
        while (waitpid(-1, nullptr, WNOHANG) > 0) { }
        if (!any)
            return;
        std::this_thread::sleep_for(pause);
    }
}

bool Freezer::freeze()
{
    if (m_frozen)
        return true;
    const auto until = Clock::now() + freezeDeadline;
    // What was born while we stopped the others is found by the next round.
    for (bool found = true; found;) {
        found = false;
        for (const auto &level : levels()) {
            std::vector<ProcessRow> waited;
            for (const ProcessRow &row : level) {
                const auto known = std::ranges::any_of(m_stopped, [&](const ProcessRow &other) {
                    return other.pid == row.pid && other.startTime == row.startTime;
                });
                // In an uninterruptible call: it stops when that returns, before it runs on.
                if (isStill(row.state) || (known && row.state == 'D') || kill(row.pid, SIGSTOP) != 0)
                    continue;
                found = true;
                waited.push_back(row);
                if (!known)
                    m_stopped.push_back(row);
            }
            const auto levelUntil = Clock::now() + levelDeadline;
            for (const ProcessRow &row : waited) {
                for (auto now = rowOf(row.pid); now && !isStill(now->state); now = rowOf(row.pid)) {
                    if (Clock::now() > levelUntil)
                        break;
                    std::this_thread::sleep_for(pause);
                }
            }
        }
        if (found && Clock::now() > until) {
            thaw();
            return false;
        }
    }
    m_frozen = true;
    return true;
}

void Freezer::thaw()
{
    for (auto it = m_stopped.rbegin(); it != m_stopped.rend(); ++it) {
        if (isSame(*it))
            kill(it->pid, SIGCONT);
    }
    m_stopped.clear();
    m_frozen = false;
}

} // namespace Sandpiper

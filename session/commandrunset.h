// One command in several sandboxes at once, a few at a time. GUI thread.
#pragma once

#include "session/commandrun.h"

#include <vector>

namespace Sandpiper {

class CommandRunSet : public QObject
{
    Q_OBJECT
public:
    using MakeServices = std::function<CommandRun::Services(const Sandbox &)>;
    static constexpr int mostAtOnce = 8;

    CommandRunSet(const QList<Sandbox> &sandboxes, const MakeServices &services, QObject *parent = nullptr);

    void start();
    void stop(); // all of them
    [[nodiscard]] int size() const { return int(m_runs.size()); }
    [[nodiscard]] CommandRun *run(int index) const { return m_runs[size_t(index)].get(); } // owned by this
    [[nodiscard]] bool isOver() const;
    struct Counts
    {
        int waiting = 0;
        int running = 0;
        int succeeded = 0;
        int failed = 0; // whichever way
    };
    [[nodiscard]] Counts counts() const;
    // 1, 2, …: those that ended alike, with the same output, have the same number; the first of them in the
    // list decides. 0: not over.
    [[nodiscard]] int groupOf(int index) const;
    [[nodiscard]] int groupCount() const;

signals:
    void runChanged(int index);
    void over(); // once, when the last one is

private:
    void startMore();
    void onChanged(int index);
    std::vector<std::unique_ptr<CommandRun>> m_runs;
    bool m_isStarted = false;
    bool m_wasOver = false;
};

} // namespace Sandpiper

#include "session/commandrunset.h"

#include <QSet>

#include <algorithm>

namespace Sandpiper {

CommandRunSet::CommandRunSet(const QList<Sandbox> &sandboxes, const MakeServices &services, QObject *parent)
    : QObject(parent)
{
    for (const Sandbox &sandbox : sandboxes) {
        const int index = size();
        m_runs.push_back(std::make_unique<CommandRun>(sandbox, services(sandbox)));
        connect(m_runs.back().get(), &CommandRun::changed, this, [this, index] { onChanged(index); });
    }
}

void CommandRunSet::start()
{
    m_isStarted = true;
    startMore();
}

void CommandRunSet::stop()
{
    m_isStarted = false;
    for (const auto &run : m_runs)
        run->stop();
}

void CommandRunSet::startMore()
{
    for (const auto &run : m_runs) {
        const Counts now = counts();
        if (!m_isStarted || now.running >= mostAtOnce)
            return;
        if (run->state() == CommandRun::State::Waiting)
            run->start();
    }
}

void CommandRunSet::onChanged(int index)
{
    emit runChanged(index);
    // From the event loop: a run that fails at once must not start the next from inside of its own call.
    if (run(index)->isOver())
        QMetaObject::invokeMethod(this, &CommandRunSet::startMore, Qt::QueuedConnection);
    if (isOver() && !std::exchange(m_wasOver, true))
        emit over();
}

bool CommandRunSet::isOver() const
{
    return std::all_of(m_runs.cbegin(), m_runs.cend(), [](const auto &run) { return run->isOver(); });
}

CommandRunSet::Counts CommandRunSet::counts() const
{
    Counts counts;
    for (const auto &run : m_runs) {
        if (run->state() == CommandRun::State::Waiting)
            ++counts.waiting;
        else if (!run->isOver())
            ++counts.running;
        else
            ++(run->hasSucceeded() ? counts.succeeded : counts.failed);
    }
    return counts;
}

int CommandRunSet::groupOf(int index) const
{
    const QByteArray wanted = run(index)->fingerprint();
    if (wanted.isEmpty())
        return 0;
    QList<QByteArray> seen;
    for (const auto &run : m_runs) {
        const QByteArray print = run->fingerprint();
        if (print == wanted)
            return int(seen.size()) + 1;
        if (!print.isEmpty() && !seen.contains(print))
            seen << print;
    }
    Q_UNREACHABLE_RETURN(0);
}

int CommandRunSet::groupCount() const
{
    QSet<QByteArray> prints;
    for (const auto &run : m_runs)
        prints << run->fingerprint();
    prints.remove({});
    return int(prints.size());
}

} // namespace Sandpiper

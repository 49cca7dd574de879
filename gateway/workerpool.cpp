#include "gateway/workerpool.h"

#include "session/quietthread.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace Sandpiper {

WorkerPool::WorkerPool(QObject *parent)
    : QObject(parent)
    , m_eventFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    , m_notifier(m_eventFd, QSocketNotifier::Read)
{
    if (m_eventFd < 0)
        qFatal("There is no descriptor left for an eventfd");
    connect(&m_notifier, &QSocketNotifier::activated, this, &WorkerPool::deliver);
}

WorkerPool::~WorkerPool()
{
    {
        const std::scoped_lock lock(m_mutex);
        m_stop = true;
    }
    m_wake.notify_all();
    for (std::thread &thread : m_threads)
        thread.join();
    m_notifier.setEnabled(false);
    ::close(m_eventFd);
}

void WorkerPool::post(std::unique_ptr<Task> task)
{
    bool another = false;
    {
        const std::scoped_lock lock(m_mutex);
        m_waiting.push_back(std::move(task));
        another = m_waiting.size() > m_idle && m_threads.size() < threadLimit;
    }
    if (another)
        m_threads.push_back(quietThread([this] { work(); }));
    m_wake.notify_one();
}

void WorkerPool::work()
{
    std::unique_lock lock(m_mutex);
    while (true) {
        ++m_idle;
        m_wake.wait(lock, [this] { return m_stop || !m_waiting.empty(); });
        --m_idle;
        if (m_stop)
            return;
        std::unique_ptr<Task> task = std::move(m_waiting.front());
        m_waiting.pop_front();
        lock.unlock();
        task->work();
        lock.lock();
        m_finished.push_back(std::move(task));
        const quint64 one = 1;
        [[maybe_unused]] const ssize_t written = ::write(m_eventFd, &one, sizeof one);
    }
}

void WorkerPool::deliver()
{
    quint64 count = 0;
    [[maybe_unused]] const ssize_t got = ::read(m_eventFd, &count, sizeof count);
    std::deque<std::unique_ptr<Task>> finished;
    {
        const std::scoped_lock lock(m_mutex);
        finished.swap(m_finished);
    }
    for (const std::unique_ptr<Task> &task : finished)
        task->done();
}

} // namespace Sandpiper

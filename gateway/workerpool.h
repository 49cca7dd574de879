// Runs what may have to wait for a sandbox beside the main thread, and brings the answer back.
#pragma once

#include <QObject>
#include <QPointer>
#include <QSocketNotifier>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace Sandpiper {

// Lives on the main thread. Tasks cross by one mutex-guarded queue each way.
class WorkerPool : public QObject
{
    Q_OBJECT
public:
    explicit WorkerPool(QObject *parent = nullptr);
    ~WorkerPool() override; // waits for the work under way; what has not begun is dropped

    // work runs on another thread; then on this one, unless context is gone by that time.
    template <typename Work, typename Then>
    void run(QObject *context, Work work, Then then)
    {
        using T = std::invoke_result_t<Work>;
        auto result = std::make_shared<std::optional<T>>(); // owned by both halves of the task
        auto task = std::make_unique<Task>();
        task->work = [result, work = std::move(work)] { result->emplace(work()); };
        task->done = [result, guard = QPointer<QObject>(context), then = std::move(then)] {
            if (guard)
                then(std::move(**result));
        };
        post(std::move(task));
    }

private:
    struct Task
    {
        std::function<void()> work;
        std::function<void()> done;
    };
    static constexpr size_t threadLimit = 4;

    void post(std::unique_ptr<Task> task);
    void work();
    void deliver();

    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<std::unique_ptr<Task>> m_waiting;
    std::deque<std::unique_ptr<Task>> m_finished;
    size_t m_idle = 0;
    bool m_stop = false;
    std::vector<std::thread> m_threads;
    int m_eventFd;
    QSocketNotifier m_notifier;
};

} // namespace Sandpiper

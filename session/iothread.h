// One thread with an event loop for WebSockets that carry bulk: what they carry must not wait for the
// window, nor the window for it.
#pragma once

#include "session/mailbox.h"

#include <QObject>

#include <functional>
#include <memory>
#include <thread>

namespace Sandpiper {

class IoThread
{
public:
    // Starts with the first user and ends with the last. Any thread; null where no thread can be had.
    [[nodiscard]] static std::shared_ptr<IoThread> shared();
    ~IoThread(); // what was posted before is done; not in the thread itself
    IoThread(const IoThread &) = delete;
    IoThread &operator=(const IoThread &) = delete;

    // Any thread. In order.
    void post(std::function<void()> job) { m_jobs->put(std::move(job)); }
    // In the thread itself: takes over what will delete itself soon, and waits for it a moment at the end.
    static void letLinger(QObject *object);

private:
    using Jobs = Mailbox<std::function<void()>>;
    explicit IoThread(std::shared_ptr<Jobs> all);

    std::shared_ptr<Jobs> m_jobs; // an empty one ends the thread
    std::thread m_thread;
};

} // namespace Sandpiper

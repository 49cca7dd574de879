// Work that would hold up the GUI thread, done on a pool thread.
#pragma once

#include <QFuture>
#include <QObject>
#include <QPromise>
#include <QThreadPool>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace Sandpiper {

// Runs work() on a thread of pool, then then(result) on context's thread, which must be the caller's.
// Never from inside of this call. Where context is gone by then, the result is dropped.
// work must hold everything it needs by value.
template <typename Work, typename Then>
void inBackground(QThreadPool *pool, QObject *context, Work work, Then then)
{
    using T = std::invoke_result_t<Work>;
    struct Slot
    {
        std::mutex mutex;
        std::optional<T> value;
    };
    auto box = std::make_shared<Slot>(); // shared by the two threads; the last one frees it
    auto done = std::make_shared<QPromise<void>>();
    done->start();
    done->future().then(context, [box, then = std::move(then)] {
        std::unique_lock lock(box->mutex);
        T value = std::move(*box->value);
        lock.unlock();
        then(std::move(value));
    });
    pool->start([box, done, work = std::move(work)]() mutable {
        T value = work();
        {
            const std::lock_guard lock(box->mutex);
            box->value = std::move(value);
        }
        done->finish();
    });
}

template <typename Work, typename Then>
void inBackground(QObject *context, Work work, Then then)
{
    inBackground(QThreadPool::globalInstance(), context, std::move(work), std::move(then));
}

} // namespace Sandpiper

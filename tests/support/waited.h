// Waiting for the one answer of a future, without the naps that QTest's own waiting takes.
#pragma once

#include "session/error.h"

#include <QEventLoop>
#include <QFuture>
#include <QFutureWatcher>
#include <QTimer>

#include <chrono>

namespace Sandpiper {

inline bool waitForFinished(const QFuture<void> &future, std::chrono::milliseconds patience = std::chrono::seconds(40))
{
    if (future.isFinished())
        return true;
    QEventLoop loop;
    QFutureWatcher<void> watcher;
    QObject::connect(&watcher, &QFutureWatcherBase::finished, &loop, &QEventLoop::quit);
    QTimer::singleShot(patience, &loop, &QEventLoop::quit);
    watcher.setFuture(future);
    loop.exec();
    return future.isFinished();
}

// An error of kind Unsupported where none came.
template <typename T>
T waited(QFuture<T> future)
{
    if (!waitForFinished(QFuture<void>(future)) || future.resultCount() != 1)
        return failure(ErrorKind::Unsupported, Layer::Http, QStringLiteral("no answer"));
    return future.result();
}

} // namespace Sandpiper

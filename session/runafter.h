// The real clock for whoever takes its timers from outside (StandingShell, StandingForwards).
#pragma once

#include <QPointer>
#include <QTimer>

#include <chrono>
#include <functional>

namespace Sandpiper {

// Runs fn after delay, unless context dies or the returned call cancels it.
[[nodiscard]] inline std::function<void()> runAfter(std::chrono::milliseconds delay, QObject *context, std::function<void()> fn)
{
    auto *timer = new QTimer(context);
    timer->setSingleShot(true);
    QObject::connect(timer, &QTimer::timeout, context, [timer, fn = std::move(fn)] {
        timer->deleteLater();
        fn();
    });
    timer->start(delay);
    return [held = QPointer<QTimer>(timer)] {
        if (held) {
            held->stop();
            held->deleteLater();
        }
    };
}

} // namespace Sandpiper

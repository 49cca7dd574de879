// Waits in a real event loop. QTest::qWaitFor sleeps 10 ms in every round, which makes anything that
// moves bytes in this thread a hundred times slower than it is.
#pragma once

#include <QEventLoop>
#include <QTimer>

namespace Sandpiper {

template <typename Condition>
[[nodiscard]] bool waitUntil(Condition condition, int milliseconds)
{
    if (condition())
        return true;
    QEventLoop loop;
    QTimer look;
    QObject::connect(&look, &QTimer::timeout, &loop, [&] { if (condition()) loop.quit(); });
    look.start(5);
    QTimer::singleShot(milliseconds, Qt::PreciseTimer, &loop, &QEventLoop::quit);
    loop.exec();
    return condition();
}

} // namespace Sandpiper

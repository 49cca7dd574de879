#include "ui/spring.h"

namespace Sandpiper {

Spring::Spring(QObject *parent)
    : QObject(parent)
{
    m_timer.setSingleShot(true);
    m_timer.setInterval(usual);
    connect(&m_timer, &QTimer::timeout, this, [this] { emit sprung(m_key); });
}

void Spring::over(int key)
{
    if (std::exchange(m_key, key) == key)
        return;
    key < 0 ? m_timer.stop() : m_timer.start();
}

} // namespace Sandpiper

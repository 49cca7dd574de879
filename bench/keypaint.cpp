#include "bench/keypaint.h"

#include <QCoreApplication>
#include <QKeyEvent>

#include <algorithm>
#include <utility>

namespace Sandpiper {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

KeyPaint::KeyPaint(TerminalView &view, QObject *parent)
    : QObject(parent)
    , m_view(view)
{
    // As a person types: the last paint is long over.
    m_pause.setSingleShot(true);
    m_pause.setInterval(30ms);
    m_limit.setSingleShot(true);
    m_limit.setInterval(2s);
    connect(&m_pause, &QTimer::timeout, this, &KeyPaint::press);
    connect(&m_limit, &QTimer::timeout, this, [this] {
        m_waiting = false;
        m_pause.start();
    });
    connect(&view, &TerminalView::taken, this, [this] { m_echoed = m_waiting; });
    view.focusProxy()->installEventFilter(this);
}

void KeyPaint::run(int presses, std::function<void(const std::vector<double> &)> done)
{
    m_samples.clear();
    m_done = std::move(done);
    m_left = presses;
    m_pause.start();
}

void KeyPaint::press()
{
    if (m_left-- <= 0) {
        if (const auto done = std::exchange(m_done, nullptr))
            done(m_samples);
        return;
    }
    m_echoed = false;
    m_waiting = true;
    m_limit.start();
    m_clock.start();
    QKeyEvent key(QEvent::KeyPress, Qt::Key_X, Qt::NoModifier, u"x"_s);
    QCoreApplication::sendEvent(m_view.focusProxy(), &key);
}

bool KeyPaint::eventFilter(QObject *, QEvent *event)
{
    if (event->type() == QEvent::Paint && m_waiting && m_echoed) {
        m_waiting = false;
        QMetaObject::invokeMethod(this, &KeyPaint::painted, Qt::QueuedConnection); // when it has been painted
    }
    return false;
}

void KeyPaint::painted()
{
    m_samples.push_back(double(m_clock.nsecsElapsed()) / 1e6);
    m_limit.stop();
    m_pause.start();
}

double percentile(std::vector<double> samples, double p)
{
    if (samples.empty())
        return 0;
    std::ranges::sort(samples);
    return samples[std::min(samples.size() - 1, std::size_t(p * double(samples.size())))];
}

} // namespace Sandpiper

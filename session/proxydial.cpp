#include "session/proxydial.h"

#include "session/proxyhandshake.h"
#include "session/quietthread.h"

#include <QSocketNotifier>

#include <system_error>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

ProxyDial::ProxyDial(const ProxySetting &proxy, const TcpTarget &target, std::chrono::milliseconds patience,
                     std::function<void(Outcome)> then, QObject *parent)
    : QObject(parent)
    , m_then(std::move(then))
{
    const auto fail = [this] {
        QMetaObject::invokeMethod(this, [this] { m_then(failure(ErrorKind::Io, Layer::Tcp, u"no thread or file descriptor is left"_s)); }, Qt::QueuedConnection);
    };
    if (!m_shared->outcome.isUsable() || !m_shared->leave.isUsable()) {
        fail();
        return;
    }
    auto *notifier = new QSocketNotifier(m_shared->outcome.descriptor(), QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, &ProxyDial::take);
    try {
        m_thread = quietThread([shared = m_shared, proxy, target, deadline = std::chrono::steady_clock::now() + patience] {
            shared->outcome.put(connectThrough(proxy, target, {deadline, shared->leave.descriptor(), [&shared] { return shared->isLeft.load(); }}));
        });
    } catch (const std::system_error &) {
        fail();
    }
}

ProxyDial::~ProxyDial()
{
    m_shared->isLeft = true;
    m_shared->leave.put(0);
    if (m_thread.joinable())
        m_thread.join(); // it waits in poll() alone, which has just been woken
}

void ProxyDial::take()
{
    std::vector<Outcome> outcomes = m_shared->outcome.takeAll();
    if (!outcomes.empty())
        m_then(std::move(outcomes.front())); // may delete this later, not now
}

} // namespace Sandpiper

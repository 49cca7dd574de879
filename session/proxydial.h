// Reaches a host through a proxy for a socket of Qt's: on a thread of its own, with the handshake that
// SSH has (session/proxyhandshake). Qt's own proxies read and write without bound behind a socket's
// back. Lives on a thread with an event loop.
#pragma once

#include "session/mailbox.h"
#include "session/sshconnect.h"
#include "session/transport.h"

#include <QObject>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace Sandpiper {

class ProxyDial : public QObject
{
    Q_OBJECT
public:
    using Outcome = Result<FileDescriptor>; // errors as connectThrough()
    // then: once, from the event loop, unless this is deleted before.
    ProxyDial(const ProxySetting &proxy, const TcpTarget &target, std::chrono::milliseconds patience,
              std::function<void(Outcome)> then, QObject *parent);
    ~ProxyDial() override; // gives up at once

private:
    struct Shared
    {
        Mailbox<Outcome> outcome;
        Mailbox<int> leave; // only its bell
        std::atomic<bool> isLeft = false;
    };
    void take();
    std::shared_ptr<Shared> m_shared = std::make_shared<Shared>();
    std::function<void(Outcome)> m_then;
    std::thread m_thread;
};

} // namespace Sandpiper

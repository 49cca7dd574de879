// Forwards through the vendor's own tunnel: a WebSocket for each connection, to a port of the sandbox's loopback. No
// SSH and no key. GUI thread; the bytes are in the I/O thread.
#pragma once

#include "session/provider.h"
#include "session/streamforwardlink.h"

#include <QPointer>

#include <deque>

namespace Sandpiper {

// Why the tunnel cannot carry such a forward. Nothing: it can. Pure.
[[nodiscard]] std::optional<Error> tunnelRefusal(const ForwardSpec &spec);

// A vendor wakes a sandbox for a connection of its tunnel. So before one the life-cycle API is asked whether it
// runs, unless that is just known; and where it does not, the link closes.
class TunnelForwardLink : public StreamForwardLink
{
    Q_OBJECT
public:
    // sandbox: as just found, and running. known: how long that counts.
    TunnelForwardLink(const Sandbox &sandbox, SandboxProvider *provider, std::chrono::milliseconds known = std::chrono::seconds(5),
                      QObject *parent = nullptr);

    void probe() override;

private:
    class Side; // in the I/O thread
    struct Call
    {
        quint64 number = 0;
        quint16 port = 0;
    };
    [[nodiscard]] SideMaker sideMaker() override;
    void wanted(Call call);
    void ask();
    void found(const Result<Sandbox> &result);
    void dial(Call call, const Result<WebSocketRequest> &request);
    void dialAll();

    Sandbox m_sandbox;
    QPointer<SandboxProvider> m_provider;
    std::chrono::milliseconds m_known;
    std::chrono::steady_clock::time_point m_seenRunning;
    std::deque<Call> m_calls; // that wait for the answer
    bool m_isAsking = false;
};

} // namespace Sandpiper

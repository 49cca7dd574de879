// One TCP connection of a sandbox's loopback, carried in the binary messages of a WebSocket (api/tensorlake.md, "TCP
// tunnels"). Main thread.
#pragma once

#include "gateway/agentclient.h"
#include "gateway/websocketpeer.h"

#include <QSocketNotifier>
#include <QTimer>

namespace Sandpiper {

// At most 256 KiB wait in each direction. The wire has no half of a connection: whichever end is first ends both,
// but what it has sent still arrives.
class TunnelSession : public QObject
{
    Q_OBJECT
public:
    // service: connected, non-blocking.
    TunnelSession(Fd service, std::unique_ptr<WebSocketPeer> peer, QObject *parent);
    ~TunnelSession() override;
    // The sandbox does not run any more.
    void drop();

signals:
    void over(); // once

private:
    void readService();
    void writeService();
    void peerClosed();
    void end();

    Fd m_service;
    WebSocketPeer *m_peer; // child
    QSocketNotifier m_readable;
    QSocketNotifier m_writable;
    QTimer m_patience; // with a service that does not take the last bytes
    QByteArray m_toService;
    bool m_isPeerGone = false;
    bool m_isOver = false;
};

} // namespace Sandpiper

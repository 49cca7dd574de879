// The gateway of this computer as one object: a local vendor that speaks Tensorlake's contract over
// HTTP and WebSocket on one loopback port, and SSH on another. Main thread.
#pragma once

#include "gateway/apifront.h"
#include "gateway/gatewaystate.h"
#include "gateway/httpserver.h"
#include "gateway/sshfront.h"

#include <QElapsedTimer>

namespace Sandpiper {

class Gateway : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        GatewayFolders folders;
        // On 127.0.0.1, and nowhere else: with any other address in the URL the official clients
        // would send the key to the vendor's cloud. 0: the port kept in the state folder, else any.
        quint16 httpPort = 0;
        quint16 sshPort = 0;
        bool allowWeakIsolation = false;
        QString initProgram; // sandpiper-sandbox-init
        HttpLimits limits;
        PtyLimits ptys;
        std::chrono::milliseconds startDeadline = std::chrono::seconds(20); // a create waits so long for Running
        std::chrono::milliseconds idle = std::chrono::minutes(10);          // then idle() is emitted; 0: never
    };
    // Listens and has written the runtime file when it returns. Takes the lock over.
    // Io: a folder, a key or a port cannot be had.
    [[nodiscard]] static Result<std::unique_ptr<Gateway>> start(const Options &options, std::unique_ptr<GatewayLock> lock);
    // Ends all sandboxes' processes and removes the runtime file.
    ~Gateway() override;

    // What is printed when ready, and kept in the runtime file. Holds the API key.
    [[nodiscard]] const QJsonObject &startLine() const { return m_startLine; }
    [[nodiscard]] quint16 httpPort() const { return m_server->port(); }

signals:
    // Nothing runs, nobody is connected, and it has been so for Options::idle.
    void idle();

private:
    Gateway(const Options &options, std::unique_ptr<GatewayLock> lock, Secret apiKey);
    [[nodiscard]] Done listen(const KeyPair &clientKey, const KeyPair &hostKey);
    [[nodiscard]] Done listenHttp(KeptPorts &kept);
    [[nodiscard]] Done listenSsh(KeptPorts &kept, const KeyPair &clientKey, const KeyPair &hostKey);
    [[nodiscard]] bool isBusy() const;
    void checkIdle();

    Options m_options;
    std::unique_ptr<GatewayLock> m_lock;
    Secret m_apiKey;
    QJsonObject m_startLine;
    GatewayEndpoints m_endpoints;
    // Built in this order, and ended in the opposite one.
    WorkerPool m_pool;
    KeyStore m_keys;
    SandboxStore m_store;
    LifecycleApi m_lifecycle;
    PtyApi m_ptys;
    ProcessApi m_processes;
    FileApi m_files;
    TunnelApi m_tunnels;
    ApiFront m_front;
    std::unique_ptr<HttpServer> m_server;
    std::unique_ptr<SshFront> m_ssh;
    bool m_isAnnounced = false;
    QTimer m_idleTimer;
    QElapsedTimer m_idleSince;
};

} // namespace Sandpiper

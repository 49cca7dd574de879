// The gateway's SSH side: listens on loopback and gives each connection a thread of its own.
#pragma once

#include "gateway/keystore.h"
#include "gateway/sandboxstore.h"

#include <QObject>
#include <QTcpServer>

#include <memory>
#include <vector>

namespace Sandpiper {

class SshConnection;

// Main thread. `<id|name>` as user reaches a sandbox, `<port>-<id|name>` the SSH server that listens
// on that port inside it. Keys are those of the KeyStore. Not served: streamlocal in either direction
// (libssh cannot), passwords, X11.
class SshFront : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        QString hostKeyFile; // Ed25519, OpenSSH form; made 0600 where missing
        QString listenHost = QStringLiteral("127.0.0.1");
        quint16 port = 0; // 0: any
        // The private key for servers inside sandboxes, see SshConnection; empty: none is offered.
        QString innerKeyFile;
    };

    // Both stores are borrowed and must outlive it.
    SshFront(const Options &options, SandboxStore *sandboxes, KeyStore *keys, QObject *parent = nullptr);
    // Ends every connection; waits at most 5 s for their threads.
    ~SshFront() override;

    // The port, or why not (LocalDisk for the key file, Tcp for the address).
    [[nodiscard]] Result<quint16> listen();
    // "ssh-ed25519 AAAA…"; empty before listen().
    [[nodiscard]] QByteArray hostKeyLine() const;
    [[nodiscard]] int connectionCount() const;

private:
    class Listener;
    void accept(qintptr descriptor);
    void closeConnectionsOf(const QString &sandboxId);
    void forgetFinished();

    Options m_options;
    SandboxStore *m_sandboxes;
    KeyStore *m_keys;
    std::unique_ptr<Listener> m_listener;
    QByteArray m_hostKeyLine;
    std::vector<std::unique_ptr<SshConnection>> m_connections;
};

} // namespace Sandpiper

// What a gateway keeps on disk: its keys, its ports, its lock and the file that tells where it is.
#pragma once

#include "session/error.h"
#include "session/secret.h"

#include <QJsonObject>
#include <QString>

#include <memory>

namespace Sandpiper {

// Where everything lies. Made 0700 by GatewayFolders::make().
struct GatewayFolders
{
    QString state;     // keys, ports, lock
    QString sandboxes; // records and homes
    QString run;       // the runtime file
    QString sockets;   // of the sandboxes; a short path, since a UNIX address has 107 bytes

    // stateOption: what --state gave; empty: the user's own folders.
    [[nodiscard]] static Result<GatewayFolders> make(const QString &stateOption);
    [[nodiscard]] QString lockFile() const { return state + QStringLiteral("/lock"); }
    [[nodiscard]] QString runtimeFile() const { return run + QStringLiteral("/gateway.json"); }
};

// Held as long as it exists, and let go by the kernel however the process ends. An open-file lock:
// others can see that it is held without taking it for a moment.
class GatewayLock
{
public:
    GatewayLock(const GatewayLock &) = delete;
    GatewayLock &operator=(const GatewayLock &) = delete;
    ~GatewayLock();
    // Null: another holds it. Error: the file cannot be made.
    [[nodiscard]] static Result<std::unique_ptr<GatewayLock>> take(const QString &file);
    // Writes into the lock file where the runtime file is: XDG_RUNTIME_DIR is not the same for
    // everybody who starts us.
    [[nodiscard]] Done note(const QString &runtimeFile);

private:
    explicit GatewayLock(int fd) : m_fd(fd) {}
    int m_fd;
};

// "tl_apiKey_…", made when missing.
[[nodiscard]] Result<Secret> loadApiKey(const GatewayFolders &folders);

struct KeyPair
{
    QString file;          // private key, OpenSSH's form, 0600
    QByteArray publicLine; // "ssh-ed25519 AAAA…"
};
// Made when missing. One that is there but broken is an error: replacing it would make every client
// that knows it believe in an attack.
[[nodiscard]] Result<KeyPair> loadEd25519Key(const QString &file);

struct KeptPorts
{
    quint16 http = 0; // 0: none kept yet
    quint16 ssh = 0;
};
[[nodiscard]] KeptPorts loadPorts(const GatewayFolders &folders);
[[nodiscard]] Done savePorts(const GatewayFolders &folders, const KeptPorts &ports);

// The start line of the gateway that runs, out of its runtime file. NotFound: none runs.
[[nodiscard]] Result<QJsonObject> runningGateway(const GatewayFolders &folders);

} // namespace Sandpiper

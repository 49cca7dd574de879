// Where secrets lie. GUI thread.
#pragma once

#include "session/error.h"
#include "session/secret.h"

#include <QFuture>
#include <QObject>

#include <memory>

namespace Sandpiper {

// Keys are "account/<id>" for credentials, "pty/<SandboxId>/<session>" for PTY tokens,
// "proxy/<user>@<address>" for the proxy of the network setting.
class Keychain : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    enum class Persistence {
        Unknown,    // not tried yet
        Lasting,    // survives this program
        ThisRunOnly // in memory: say once what that costs
    };
    [[nodiscard]] virtual Persistence persistence() const = 0;
    // Of this one key, where kinds of secrets lie in different places.
    [[nodiscard]] virtual Persistence persistenceOf(const QString &) const { return persistence(); }
    // NotFound where there is none. The pointer is never null in a success.
    [[nodiscard]] virtual QFuture<Result<std::shared_ptr<Secret>>> read(const QString &key) = 0;
    [[nodiscard]] virtual QFuture<Done> write(const QString &key, const Secret &value) = 0;
    [[nodiscard]] virtual QFuture<Done> remove(const QString &key) = 0;

signals:
    void persistenceChanged(Sandpiper::Keychain::Persistence persistence);
};

// The desktop's (QtKeychain, service "sandpiper"); falls back to memory at the first answer that
// says there is none, and says so by persistenceChanged. Each call has a deadline of 10 s after which
// the store is taken for absent (a locked keyring waits for its user: then 120 s).
[[nodiscard]] std::unique_ptr<Keychain> makeSystemKeychain();
// For tests and for SANDPIPER_KEYCHAIN=memory.
[[nodiscard]] std::unique_ptr<Keychain> makeMemoryKeychain();

} // namespace Sandpiper

// Finds the gateway of this computer, and starts it when asked. GUI thread.
#pragma once

#include "session/error.h"
#include "session/sandbox.h"
#include "session/secret.h"

#include <QFuture>
#include <QUrl>

#include <memory>

namespace Sandpiper {

struct GatewayAddress
{
    QUrl apiUrl;
    SshEndpoint ssh; // host, port, pinned host key, identity file; no user
    std::shared_ptr<Secret> apiKey; // never null
};

// Reads the runtime file (0600, owner checked); never starts anything. NotFound where none runs.
[[nodiscard]] Result<GatewayAddress> findGateway();
// As above, else starts `sandpiper-gateway` in the background and waits for it (deadline 15 s).
// Two starts at once end with one gateway (flock).
[[nodiscard]] QFuture<Result<GatewayAddress>> ensureGateway();

} // namespace Sandpiper

// This computer as an account like any other. GUI thread.
#pragma once

#include "session/accounts.h"
#include "session/localgateway.h"
#include "session/provider.h"

#include <memory>

namespace Sandpiper {

// Never stored, always the same id. apiUrl may be empty while no gateway runs.
[[nodiscard]] Account thisComputerAccount(const QUrl &apiUrl = {});
// For the account of that address. SSH goes to the pinned host key with the gateway's own key file,
// and no proxy is ever used.
[[nodiscard]] std::unique_ptr<SandboxProvider> makeGatewayProvider(const GatewayAddress &gateway);

} // namespace Sandpiper

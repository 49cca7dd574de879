// The proxy that the user's environment names for an address. Pure but for reading the environment;
// any thread. The desktop's own settings are not asked: that can block on the network.
#pragma once

#include <QNetworkProxy>
#include <QUrl>

namespace Sandpiper {

// https_proxy, all_proxy and no_proxy, in either letter case. Never a proxy for this computer, which
// the proxy could not reach.
[[nodiscard]] QNetworkProxy proxyFor(const QUrl &url);

} // namespace Sandpiper

// The proxy for an address: the user's network setting, and where that says so the environment's. Any
// thread. The desktop's own settings are not asked: that can block on the network.
#pragma once

#include "session/transport.h"

#include <QByteArrayList>
#include <QNetworkProxy>
#include <QUrl>

namespace Sandpiper {

// For HTTP and WebSockets. The environment's are https_proxy, all_proxy and no_proxy, in either letter
// case. Never a proxy for this computer, which the proxy could not reach. A proxy that cannot be
// understood has no host: connections by it fail instead of going around it.
[[nodiscard]] ProxySetting webProxyFor(const QUrl &url);
[[nodiscard]] QNetworkProxy proxyFor(const QUrl &url); // the same for Qt

// For SSH. The environment's are all_proxy and no_proxy of this environment ("NAME=value"); https_proxy
// is for the web only: networks that have one often reach their own hosts directly.
[[nodiscard]] ProxySetting sshProxyFrom(const QByteArrayList &environment, const QString &host, quint16 port);

} // namespace Sandpiper

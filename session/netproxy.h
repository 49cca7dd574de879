// The proxy that the user's environment names for an address. Pure but for reading the environment;
// any thread. The desktop's own settings are not asked: that can block on the network.
#pragma once

#include "session/transport.h"

#include <QByteArrayList>
#include <QNetworkProxy>
#include <QUrl>

namespace Sandpiper {

// https_proxy, all_proxy and no_proxy, in either letter case. Never a proxy for this computer, which
// the proxy could not reach.
[[nodiscard]] QNetworkProxy proxyFor(const QUrl &url);

// The one for an SSH connection: all_proxy and no_proxy of this environment ("NAME=value"). https_proxy
// is for the web only: networks that have one often reach their own hosts directly.
[[nodiscard]] ProxySetting sshProxyFrom(const QByteArrayList &environment, const QString &host, quint16 port);

} // namespace Sandpiper

// Whom TLS trusts. Any thread.
#pragma once

#include <QByteArray>
#include <QSslConfiguration>

#include <optional>

namespace Sandpiper {

// TLS 1.2 or later with a peer that is verified. pinnedCa: PEM; these and no other authorities. Empty:
// the system's, and the one of the user's network setting. Nothing where pinnedCa holds no certificate.
[[nodiscard]] std::optional<QSslConfiguration> tlsTrusting(const QByteArray &pinnedCa);

} // namespace Sandpiper

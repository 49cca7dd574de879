#include "session/tlstrust.h"

#include "session/networksetting.h"

#include <QSslSocket>

namespace Sandpiper {

std::optional<QSslConfiguration> tlsTrusting(const QByteArray &pinnedCa)
{
    QSslConfiguration config = QSslConfiguration::defaultConfiguration();
    config.setPeerVerifyMode(QSslSocket::VerifyPeer);
    config.setProtocol(QSsl::TlsV1_2OrLater);
    const QList<QSslCertificate> authorities = pinnedCa.isEmpty() ? networkInForce()->authorities : QSslCertificate::fromData(pinnedCa, QSsl::Pem);
    if (!pinnedCa.isEmpty() && authorities.isEmpty())
        return std::nullopt;
    // Setting them also stops the loading of the system's on demand: these and no others.
    if (!authorities.isEmpty())
        config.setCaCertificates(authorities);
    return config;
}

} // namespace Sandpiper

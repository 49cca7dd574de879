// What lies below SSH and HTTP, looked at by itself: a name, a port, a certificate. Main thread; nothing
// blocks, everything ends within its deadline. What is answered after context has gone is dropped.
#pragma once

#include "session/error.h"

#include <QDateTime>
#include <QFuture>
#include <QObject>
#include <QStringList>
#include <QUrl>

namespace Sandpiper {

// Layer::Dns. An address is its own answer.
[[nodiscard]] QFuture<Result<QStringList>> addressesOf(const QString &host, QObject *context);
// Directly, whatever proxies there are. Layer::Tcp. The address and port that answered.
[[nodiscard]] QFuture<Result<QString>> connectDirectly(const QString &host, quint16 port, QObject *context);

struct SeenCertificate
{
    QString issuer; // tamed
    QDateTime until;
};
// Of an https address, through the proxy that HTTP uses. pinnedCa: PEM; where set, the only authorities
// trusted. Errors of Layer Dns, Tcp and Tls.
[[nodiscard]] QFuture<Result<SeenCertificate>> certificateOf(const QUrl &url, const QByteArray &pinnedCa, QObject *context);

} // namespace Sandpiper

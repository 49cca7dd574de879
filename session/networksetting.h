// The one network setting of the user: which proxy leads out, who goes without it, and one certificate
// authority beside the system's. It serves HTTP, WebSockets and SSH. Any thread; session/networkstore
// keeps it.
#pragma once

#include "session/transport.h"

#include <QDateTime>
#include <QList>
#include <QSslCertificate>

#include <memory>
#include <optional>

namespace Sandpiper {

struct NetworkSetting
{
    enum class Proxy { Environment, None, Manual };
    Proxy proxy = Proxy::Environment;
    // The rest of the proxy counts for Manual alone. Without an address nothing connects: who asked for
    // a proxy must not be sent around it.
    QString address;    // "socks5://host:port" or "http://host:port"
    QString user;       // empty: it asks for none. The password is in the keychain
    QString exceptions; // hosts that go without it, as no_proxy has them
    QByteArray authority; // PEM; empty: none

    friend bool operator==(const NetworkSetting &, const NetworkSetting &) = default;
};

// By which files and tables name the choice: "environment", "none", "manual".
[[nodiscard]] QLatin1StringView wordOf(NetworkSetting::Proxy proxy);
[[nodiscard]] std::optional<NetworkSetting::Proxy> proxyFromWord(const QString &word);

// What connections that begin now go by.
struct NetworkInForce
{
    NetworkSetting setting;
    std::shared_ptr<Secret> password;      // null: there is none
    QList<QSslCertificate> authorities;    // the system's and the user's; empty: the system's alone
    quint64 turn = 0;                      // another one with every change
};

// Never null; as the environment says until something else is put in force.
[[nodiscard]] std::shared_ptr<const NetworkInForce> networkInForce();
void putInForce(const NetworkSetting &setting, const std::shared_ptr<Secret> &password);

// Each is InvalidInput with a whole sentence as its detail.
[[nodiscard]] Result<ProxySetting> proxyAt(const QString &address);
[[nodiscard]] Done checkProxyUser(const QString &user);
[[nodiscard]] Done checkProxyExceptions(const QString &exceptions);
// Certificates that other certificates are checked with, valid at that time, and no private key.
[[nodiscard]] Done checkAuthority(const QByteArray &pem, const QDateTime &now);

// "Example Root CA, until 2031-04-01", to be shown: tamed. Empty where there is none.
[[nodiscard]] QString nameOfAuthority(const QByteArray &pem);
// Whether one of a list as in no_proxy means this host; port: 0 where it is not known.
[[nodiscard]] bool goesWithoutProxy(const QString &host, int port, const QString &exceptions);

} // namespace Sandpiper

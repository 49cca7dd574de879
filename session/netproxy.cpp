#include "session/netproxy.h"

#include "session/address.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QString variable(const char *lower, const char *upper)
{
    const QString value = qEnvironmentVariable(lower).trimmed();
    return value.isEmpty() ? qEnvironmentVariable(upper).trimmed() : value;
}

bool isExempt(const QUrl &url)
{
    const QString host = url.host();
    for (const QString &entry : variable("no_proxy", "NO_PROXY").split(u',', Qt::SkipEmptyParts)) {
        QString pattern = entry.trimmed().toLower();
        if (pattern == "*"_L1)
            return true;
        if (const qsizetype colon = pattern.lastIndexOf(u':'); colon > 0 && pattern.count(u':') == 1) {
            if (pattern.sliced(colon + 1).toInt() != url.port(443))
                continue;
            pattern.truncate(colon);
        }
        if (pattern.startsWith(u'.'))
            pattern.slice(1);
        if (!pattern.isEmpty() && (host == pattern || host.endsWith(u'.' + pattern)))
            return true;
    }
    return false;
}

} // namespace

QNetworkProxy proxyFor(const QUrl &url)
{
    if (isLoopback(url) || isExempt(url))
        return QNetworkProxy(QNetworkProxy::NoProxy);
    QString text = variable("https_proxy", "HTTPS_PROXY");
    if (text.isEmpty())
        text = variable("all_proxy", "ALL_PROXY");
    if (text.isEmpty())
        return QNetworkProxy(QNetworkProxy::NoProxy);
    if (!text.contains("://"_L1))
        text.prepend("http://"_L1);
    const QUrl proxy(text);
    const bool socks = proxy.scheme() == "socks5"_L1 || proxy.scheme() == "socks5h"_L1;
    // Whoever asked for a proxy must not be sent around it because of a typing error: a proxy without
    // a host fails with a clear message.
    return QNetworkProxy(socks ? QNetworkProxy::Socks5Proxy : QNetworkProxy::HttpProxy, proxy.host(),
                         quint16(proxy.port(socks ? 1080 : 8080)), proxy.userName(), proxy.password());
}

} // namespace Sandpiper

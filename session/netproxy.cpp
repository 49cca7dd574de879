#include "session/netproxy.h"

#include "session/address.h"
#include "session/transportopening.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

QString variable(const char *lower, const char *upper)
{
    const QString value = qEnvironmentVariable(lower).trimmed();
    return value.isEmpty() ? qEnvironmentVariable(upper).trimmed() : value;
}

QString variable(const QByteArrayList &environment, const char *lower, const char *upper)
{
    const QString value = QString::fromLocal8Bit(variableOf(environment, lower)).trimmed();
    return value.isEmpty() ? QString::fromLocal8Bit(variableOf(environment, upper)).trimmed() : value;
}

bool isExempt(const QUrl &url, const QString &exceptions)
{
    const QString host = url.host();
    for (const QString &entry : exceptions.split(u',', Qt::SkipEmptyParts)) {
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
    if (isLoopback(url) || isExempt(url, variable("no_proxy", "NO_PROXY")))
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

ProxySetting sshProxyFrom(const QByteArrayList &environment, const QString &host, quint16 port)
{
    QUrl target;
    target.setScheme(u"ssh"_s);
    target.setHost(host);
    target.setPort(port);
    ProxySetting setting;
    QString text = variable(environment, "all_proxy", "ALL_PROXY");
    if (text.isEmpty() || isLoopback(target) || isExempt(target, variable(environment, "no_proxy", "NO_PROXY")))
        return setting;
    if (!text.contains("://"_L1))
        text.prepend("http://"_L1);
    const QUrl proxy(text);
    const bool isSocks = proxy.scheme() == "socks5"_L1 || proxy.scheme() == "socks5h"_L1 || proxy.scheme() == "socks"_L1;
    setting.kind = isSocks ? ProxySetting::Kind::Socks5 : ProxySetting::Kind::HttpConnect;
    setting.port = quint16(proxy.port(isSocks ? 1080 : 8080));
    // Any other kind keeps no host: that fails with a clear message instead of going around the proxy.
    if (isSocks || proxy.scheme() == "http"_L1)
        setting.host = proxy.host();
    setting.user = proxy.userName();
    if (!setting.user.isEmpty()) {
        QByteArray password = proxy.password().toUtf8();
        setting.password = std::make_shared<Secret>(Secret::taking(password));
    }
    return setting;
}

} // namespace Sandpiper

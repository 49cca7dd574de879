#include "session/netproxy.h"

#include "session/address.h"
#include "session/networksetting.h"
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

// As an environment has it: perhaps without a scheme, perhaps with a password.
ProxySetting proxyInVariable(QString text)
{
    ProxySetting setting;
    if (text.isEmpty())
        return setting;
    if (!text.contains("://"_L1))
        text.prepend("http://"_L1);
    const QUrl proxy(text);
    const bool isSocks = proxy.scheme() == "socks5"_L1 || proxy.scheme() == "socks5h"_L1 || proxy.scheme() == "socks"_L1;
    setting.kind = isSocks ? ProxySetting::Kind::Socks5 : ProxySetting::Kind::HttpConnect;
    setting.port = quint16(proxy.port(isSocks ? 1080 : 8080));
    if (isSocks || proxy.scheme() == "http"_L1)
        setting.host = proxy.host();
    setting.user = proxy.userName();
    if (!setting.user.isEmpty()) {
        QByteArray password = proxy.password().toUtf8();
        setting.password = std::make_shared<Secret>(Secret::taking(password));
    }
    return setting;
}

// Nothing: the environment has its say.
std::optional<ProxySetting> chosenFor(const QUrl &target, int standardPort)
{
    const std::shared_ptr<const NetworkInForce> network = networkInForce();
    const NetworkSetting &setting = network->setting;
    switch (setting.proxy) {
    case NetworkSetting::Proxy::Environment:
        return std::nullopt;
    case NetworkSetting::Proxy::None:
        return ProxySetting();
    case NetworkSetting::Proxy::Manual:
        break;
    }
    if (goesWithoutProxy(target.host(), target.port(standardPort), setting.exceptions))
        return ProxySetting();
    Result<ProxySetting> proxy = proxyAt(setting.address);
    if (!proxy)
        return ProxySetting{ProxySetting::Kind::HttpConnect, {}, 0, {}, nullptr};
    proxy->user = setting.user;
    proxy->password = network->password;
    return *proxy;
}

} // namespace

ProxySetting webProxyFor(const QUrl &url)
{
    constexpr int https = 443;
    if (isLoopback(url))
        return {};
    if (const auto chosen = chosenFor(url, https))
        return *chosen;
    if (goesWithoutProxy(url.host(), url.port(https), variable("no_proxy", "NO_PROXY")))
        return {};
    const QString text = variable("https_proxy", "HTTPS_PROXY");
    return proxyInVariable(text.isEmpty() ? variable("all_proxy", "ALL_PROXY") : text);
}

QNetworkProxy proxyFor(const QUrl &url)
{
    const ProxySetting proxy = webProxyFor(url);
    if (proxy.kind == ProxySetting::Kind::None)
        return QNetworkProxy(QNetworkProxy::NoProxy);
    // Qt's own class has no better place for it.
    const QString password = proxy.password ? QString::fromUtf8(proxy.password->reveal()) : QString();
    return QNetworkProxy(proxy.kind == ProxySetting::Kind::Socks5 ? QNetworkProxy::Socks5Proxy : QNetworkProxy::HttpProxy,
                         proxy.host, proxy.port, proxy.user, password);
}

ProxySetting sshProxyFrom(const QByteArrayList &environment, const QString &host, quint16 port)
{
    QUrl target;
    target.setScheme(u"ssh"_s);
    target.setHost(host);
    target.setPort(port);
    if (isLoopback(target))
        return {};
    if (const auto chosen = chosenFor(target, 22))
        return *chosen;
    if (goesWithoutProxy(target.host(), port, variable(environment, "no_proxy", "NO_PROXY")))
        return {};
    return proxyInVariable(variable(environment, "all_proxy", "ALL_PROXY"));
}

} // namespace Sandpiper

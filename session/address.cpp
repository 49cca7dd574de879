#include "session/address.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

bool isLoopback(const QUrl &url)
{
    const QString host = url.host();
    return host == "127.0.0.1"_L1 || host == "localhost"_L1 || host == "::1"_L1;
}

Done checkApiUrl(const QUrl &url)
{
    const auto refused = [&url](const QString &why) {
        return failure(ErrorKind::InvalidInput, Layer::Http, why, hostText(url));
    };
    if (!url.isValid() || url.host().isEmpty())
        return refused(u"the address must be a URL such as https://api.example.com"_s);
    if (url.scheme() != "https"_L1 && url.scheme() != "http"_L1)
        return refused(u"the address must begin with https://"_s);
    if (url.scheme() == "http"_L1 && !isLoopback(url))
        return refused(u"plain http would show the credentials to the network; it is allowed to this "
                       u"computer only"_s);
    if (!url.userInfo().isEmpty() || url.hasQuery() || url.hasFragment())
        return refused(u"the address must hold no user, query or fragment"_s);
    return {};
}

QString hostText(const QUrl &url)
{
    if (url.host().isEmpty())
        return {};
    const QString host = url.host().contains(u':') ? u'[' + url.host() + u']' : url.host();
    return url.port() < 0 ? host : host + u':' + QString::number(url.port());
}

} // namespace Sandpiper

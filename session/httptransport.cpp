#include "session/httptransport.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

bool isHeaderText(QByteArrayView text)
{
    return std::all_of(text.cbegin(), text.cend(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

QString proxyTrouble(QNetworkReply::NetworkError code, const ProxySetting &proxy)
{
    const auto said = [&](const QString &why) { return u"the proxy %1:%2: %3"_s.arg(tamed(proxy.host, 100)).arg(proxy.port).arg(why); };
    switch (code) {
    case QNetworkReply::ProxyConnectionRefusedError: return said(u"nothing listens there"_s);
    case QNetworkReply::ProxyConnectionClosedError: return said(u"it closed the connection instead of answering"_s);
    case QNetworkReply::ProxyNotFoundError: return said(u"its name has no address"_s);
    case QNetworkReply::ProxyTimeoutError: return said(u"no answer in time"_s);
    case QNetworkReply::ProxyAuthenticationRequiredError:
        return said(proxy.user.isEmpty() ? u"it wants a user name and password"_s : u"it does not accept the user name and password"_s);
    default: return {};
    }
}

Error transportError(QNetworkReply::NetworkError code, const QString &text, const QString &subject, Layer reached)
{
    const auto made = [&](ErrorKind kind, Layer layer) { return Error{kind, layer, tamed(text), subject}; };
    using enum ErrorKind;
    switch (code) {
    case QNetworkReply::HostNotFoundError: return made(HostNotFound, Layer::Dns);
    case QNetworkReply::ConnectionRefusedError: return made(ConnectionRefused, Layer::Tcp);
    // ContentReSendError: the peer closed before it answered, and OneWayBody prevented the second try.
    case QNetworkReply::ContentReSendError:
    case QNetworkReply::RemoteHostClosedError: return made(ConnectionLost, reached);
    case QNetworkReply::TimeoutError: return made(Timeout, reached);
    case QNetworkReply::OperationCanceledError: return made(Cancelled, Layer::Http);
    case QNetworkReply::SslHandshakeFailedError: return made(Protocol, Layer::Tls);
    case QNetworkReply::ProxyConnectionRefusedError: return made(ConnectionRefused, Layer::Tcp);
    case QNetworkReply::ProxyConnectionClosedError: return made(ConnectionLost, Layer::Tcp);
    case QNetworkReply::ProxyNotFoundError: return made(HostNotFound, Layer::Dns);
    case QNetworkReply::ProxyTimeoutError: return made(Timeout, Layer::Tcp);
    case QNetworkReply::ProxyAuthenticationRequiredError: return made(AuthRejected, Layer::Tcp);
    case QNetworkReply::TemporaryNetworkFailureError:
    case QNetworkReply::NetworkSessionFailedError:
    case QNetworkReply::UnknownNetworkError:
        // Once the request was on its way the network did lead there.
        return reached == Layer::Http ? made(ConnectionLost, Layer::Http) : made(HostUnreachable, Layer::Tcp);
    default: return made(Protocol, Layer::Http);
    }
}

} // namespace Sandpiper

#include "session/providers/tensorlakeroutes.h"

#include "session/address.h"
#include "session/httptransport.h"

#include <QJsonObject>
#include <QRandomGenerator>
#include <QUrlQuery>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr int pageSize = 100; // the documented default; no maximum is documented

QUrl joined(const QUrl &base, const QString &encodedPath)
{
    QUrl url = base;
    QString path = base.path(QUrl::FullyEncoded);
    while (path.endsWith(u'/'))
        path.chop(1);
    url.setPath(path + encodedPath, QUrl::StrictMode);
    url.setQuery(QString());
    return url;
}

QByteArray traceParent()
{
    quint64 words[3];
    QRandomGenerator::system()->fillRange(words);
    const auto hex = [](quint64 word) { return QByteArray::number(word | 1, 16).rightJustified(16, '0'); };
    return "00-" + hex(words[0]) + hex(words[1]) + '-' + hex(words[2]) + "-01";
}

// The vendor's own rule for this choice; [::1] is not among its local hosts.
bool routesByHost(const QUrl &base)
{
    return base.host() == "127.0.0.1"_L1 || base.host() == "localhost"_L1;
}

bool sameOrigin(const QUrl &a, const QUrl &b)
{
    return a.scheme() == b.scheme() && a.host() == b.host() && a.port() == b.port();
}

QUrl withQuery(const QUrl &url, const QString &name, const QString &value)
{
    QUrlQuery query(url);
    for (const QString &old : {u"cursor"_s, u"next"_s, u"nextToken"_s})
        query.removeAllQueryItems(old);
    // QUrlQuery leaves '+' alone, which servers read as a space; cursors are Base64.
    query.addQueryItem(name, QString::fromLatin1(QUrl::toPercentEncoding(value)));
    QUrl next = url;
    next.setQuery(query);
    return next;
}

} // namespace

TensorlakeRoutes::TensorlakeRoutes(const Account &account)
    : m_account(account)
{
}

Done TensorlakeRoutes::usable() const
{
    if (Done api = checkApiUrl(m_account.apiUrl); !api)
        return api;
    if (!m_account.proxyUrl.isEmpty()) {
        if (Done proxy = checkApiUrl(m_account.proxyUrl); !proxy)
            return proxy;
    }
    if (m_account.organization.isEmpty() != m_account.project.isEmpty())
        return failure(ErrorKind::InvalidInput, Layer::Provider, u"organization and project are needed both, or neither"_s, m_account.name);
    if (!isHeaderText(m_account.organization.toUtf8()) || !isHeaderText(m_account.project.toUtf8()))
        return failure(ErrorKind::InvalidInput, Layer::Provider, u"organization and project must be plain text"_s, m_account.name);
    return {};
}

bool TensorlakeRoutes::isLocal() const
{
    return isLoopback(m_account.apiUrl);
}

HttpHeaders TensorlakeRoutes::scopeHeaders() const
{
    HttpHeaders headers;
    if (!m_account.organization.isEmpty()) {
        headers.append({"X-Forwarded-Organization-Id"_ba, m_account.organization.toLatin1()});
        headers.append({"X-Forwarded-Project-Id"_ba, m_account.project.toLatin1()});
    }
    return headers;
}

HttpRequest TensorlakeRoutes::request(HttpRequest::Verb verb, const QUrl &base, const QString &path) const
{
    HttpRequest out;
    out.verb = verb;
    out.url = joined(base, path);
    out.headers = scopeHeaders();
    out.headers.append({"traceparent"_ba, traceParent()});
    out.headers.append({"Accept"_ba, "application/json"_ba});
    return out;
}

QString TensorlakeRoutes::lifecyclePath(const QString &path) const
{
    return routesByHost(m_account.apiUrl) ? u"/v1/namespaces/default"_s + path : path;
}

HttpRequest TensorlakeRoutes::listSandboxes() const
{
    HttpRequest out = request(HttpRequest::Verb::Get, m_account.apiUrl, lifecyclePath(u"/sandboxes"_s));
    out.url.setQuery(u"limit=%1"_s.arg(pageSize));
    out.maxBytes = 16 << 20;
    return out;
}

Result<QUrl> TensorlakeRoutes::nextPage(const QUrl &current, const QJsonObject &answer)
{
    // The forms that the vendor's own client follows, in its order.
    const auto textOf = [](const QJsonObject &object, QLatin1StringView key) { return object.value(key).toString().left(8192); };
    for (const auto name : {"pagination"_L1, "paginator"_L1}) {
        const QJsonObject pages = answer.value(name).toObject();
        if (const QString next = textOf(pages, "next"_L1); !next.isEmpty()) {
            if (!next.startsWith(u'/') && !next.contains("://"_L1))
                return withQuery(current, u"next"_s, next);
            const QUrl url = current.resolved(QUrl(next, QUrl::StrictMode));
            if (!url.isValid() || !sameOrigin(url, current) || !url.userInfo().isEmpty())
                return failure(ErrorKind::Protocol, Layer::Provider, u"the next page of the list is at another address"_s, hostText(current));
            return url;
        }
        if (const QString cursor = textOf(pages, "next_cursor"_L1); !cursor.isEmpty())
            return withQuery(current, u"cursor"_s, cursor);
        if (const QString token = textOf(pages, "next_token"_L1); !token.isEmpty())
            return withQuery(current, u"nextToken"_s, token);
    }
    if (const QString cursor = textOf(answer, "next_cursor"_L1); !cursor.isEmpty())
        return withQuery(current, u"cursor"_s, cursor);
    if (const QString token = textOf(answer, "next_token"_L1); !token.isEmpty())
        return withQuery(current, u"nextToken"_s, token);
    return QUrl();
}

Result<QString> TensorlakeRoutes::segment(const QString &text)
{
    if (text.isEmpty() || text == "."_L1 || text == ".."_L1 || text.size() > 256)
        return failure(ErrorKind::InvalidInput, Layer::Provider, u"this can be neither an id nor a name"_s, text);
    return QString::fromLatin1(QUrl::toPercentEncoding(text));
}

Result<HttpRequest> TensorlakeRoutes::sandbox(HttpRequest::Verb verb, const QString &idOrName, QLatin1StringView action) const
{
    const Result<QString> part = segment(idOrName);
    if (!part)
        return std::unexpected(part.error());
    const QString tail = action.isEmpty() ? QString() : u'/' + action;
    return request(verb, m_account.apiUrl, lifecyclePath(u"/sandboxes/"_s + *part + tail));
}

HttpRequest TensorlakeRoutes::createSandbox() const
{
    HttpRequest out = request(HttpRequest::Verb::Post, m_account.apiUrl, lifecyclePath(u"/sandboxes"_s));
    // The call may wait until the sandbox runs. Once is all we ask: on a connection of its own, which
    // no server has had time to give up.
    out.totalTime = std::chrono::minutes(5);
    out.idleTime = std::chrono::minutes(5);
    out.connection = HttpRequest::Connection::Fresh;
    out.headers.append({"X-Tensorlake-Request-Timeout-Ms"_ba, QByteArray::number(out.totalTime.count())});
    return out;
}

HttpRequest TensorlakeRoutes::keys(HttpRequest::Verb verb) const
{
    return request(verb, m_account.apiUrl, u"/platform/v1/users/me/ssh-keys"_s);
}

Result<HttpRequest> TensorlakeRoutes::key(HttpRequest::Verb verb, const QString &keyId) const
{
    const Result<QString> part = segment(keyId);
    if (!part)
        return std::unexpected(part.error());
    return request(verb, m_account.apiUrl, u"/platform/v1/users/me/ssh-keys/"_s + *part);
}

bool TensorlakeRoutes::mayTrust(const QUrl &url) const
{
    // A vendor out there must not make us talk to services of this computer.
    return checkApiUrl(url) && (!isLoopback(url) || isLocal() || isLoopback(m_account.proxyUrl));
}

Result<QUrl> TensorlakeRoutes::proxyBase(const Sandbox &sandbox) const
{
    const QUrl base = sandbox.controlUrl.isEmpty() ? m_account.proxyUrl : sandbox.controlUrl;
    if (base.isEmpty())
        return failure(ErrorKind::NotFound, Layer::Provider, u"the vendor does not say where its inside is to be reached"_s, sandbox.displayName());
    if (!mayTrust(base))
        return failure(ErrorKind::Protocol, Layer::Provider, u"the credentials must not go to the address the vendor gave for it"_s, sandbox.displayName());
    return base;
}

Result<HttpHeaders> TensorlakeRoutes::routingHeaders(const QUrl &base, const Sandbox &sandbox) const
{
    const QByteArray id = sandbox.id.id.toUtf8();
    const auto isIdCharacter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.'; };
    if (id.isEmpty() || !std::all_of(id.cbegin(), id.cend(), isIdCharacter))
        return failure(ErrorKind::InvalidInput, Layer::Provider, u"this is no id of a sandbox"_s, sandbox.displayName());
    HttpHeaders headers;
    if (routesByHost(base))
        headers.append({"Host"_ba, id + ".local"});
    else
        headers.append({"X-Tensorlake-Sandbox-Id"_ba, id});
    if (!sandbox.routeHint.isEmpty() && isHeaderText(sandbox.routeHint))
        headers.append({"X-Tensorlake-Route-Hint"_ba, sandbox.routeHint});
    return headers;
}

Result<HttpRequest> TensorlakeRoutes::inside(const Sandbox &sandbox, HttpRequest::Verb verb, const QString &path) const
{
    const Result<QUrl> base = proxyBase(sandbox);
    if (!base)
        return std::unexpected(base.error());
    const Result<HttpHeaders> routing = routingHeaders(*base, sandbox);
    if (!routing)
        return std::unexpected(routing.error());
    HttpRequest out = request(verb, *base, path);
    out.headers += *routing;
    out.subject = sandbox.displayName();
    return out;
}

Result<WebSocketRequest> TensorlakeRoutes::socketInside(const Sandbox &sandbox, const QString &path) const
{
    const Result<HttpRequest> http = inside(sandbox, HttpRequest::Verb::Get, path);
    if (!http)
        return std::unexpected(http.error());
    WebSocketRequest out;
    out.url = http->url;
    out.url.setScheme(http->url.scheme() == "https"_L1 ? u"wss"_s : u"ws"_s);
    out.headers = http->headers;
    out.pinnedCa = m_account.pinnedCa;
    return out;
}

} // namespace Sandpiper

// Where Tensorlake's API is, and the headers that lead there. Pure but for fresh trace ids; any thread.
// Every address is built from what the account and the vendor's answers say: there is no default host
// to fall back to, so that a host typed wrong never receives a request meant for another.
#pragma once

#include "session/accounts.h"
#include "session/httpclient.h"
#include "session/sandbox.h"
#include "session/websocketclient.h"

namespace Sandpiper {

using HttpHeaders = QList<std::pair<QByteArray, QByteArray>>;

class TensorlakeRoutes
{
public:
    explicit TensorlakeRoutes(const Account &account);

    // InvalidInput where the account's addresses or its scope cannot be used.
    [[nodiscard]] Done usable() const;
    // The API runs on this computer, so its answers may lead to this computer.
    [[nodiscard]] bool isLocal() const;
    [[nodiscard]] bool hasProxyOverride() const { return !m_account.proxyUrl.isEmpty(); }

    // Life-cycle and platform plane. None of these wakes a sandbox.
    [[nodiscard]] HttpRequest listSandboxes() const;
    // The page after `current` that its answer points to. An empty URL: there is none. Protocol: it
    // leads to another origin.
    [[nodiscard]] static Result<QUrl> nextPage(const QUrl &current, const QJsonObject &answer);
    // InvalidInput: idOrName can be neither.
    [[nodiscard]] Result<HttpRequest> sandbox(HttpRequest::Verb verb, const QString &idOrName, QLatin1StringView action = {}) const;
    [[nodiscard]] HttpRequest createSandbox() const;
    [[nodiscard]] HttpRequest keys(HttpRequest::Verb verb) const;
    [[nodiscard]] Result<HttpRequest> key(HttpRequest::Verb verb, const QString &keyId) const;

    // The API inside a sandbox; may wake it. path: "/api/v1/…", encoded.
    // NotFound: the vendor has not said where it is, and the account does not either.
    [[nodiscard]] Result<HttpRequest> inside(const Sandbox &sandbox, HttpRequest::Verb verb, const QString &path) const;
    // The socket of a PTY session, without any secret.
    [[nodiscard]] Result<WebSocketRequest> socketInside(const Sandbox &sandbox, const QString &path) const;
    // One path segment, encoded. InvalidInput: empty, "." or "..", or too long.
    [[nodiscard]] static Result<QString> segment(const QString &text);

    // Whether the credentials of this account may be sent to an address that the vendor named.
    [[nodiscard]] bool mayTrust(const QUrl &url) const;

private:
    [[nodiscard]] HttpRequest request(HttpRequest::Verb verb, const QUrl &base, const QString &path) const;
    [[nodiscard]] QString lifecyclePath(const QString &path) const;
    [[nodiscard]] HttpHeaders scopeHeaders() const;
    [[nodiscard]] Result<QUrl> proxyBase(const Sandbox &sandbox) const;
    [[nodiscard]] Result<HttpHeaders> routingHeaders(const QUrl &base, const Sandbox &sandbox) const;

    Account m_account;
};

} // namespace Sandpiper

// HTTP messages as plain values. Any thread.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QUrlQuery>

#include <optional>
#include <utility>

namespace Sandpiper {

struct HttpRequest
{
    QByteArray method;    // as sent: methods are case-sensitive
    QByteArray path;      // percent-encoded, begins with a slash, without the query
    QByteArray query;     // without the question mark; may hold a token, so it is never logged
    int minorVersion = 1; // of HTTP/1
    QList<std::pair<QByteArray, QByteArray>> headers; // names in lower case, values trimmed
    QByteArray body;

    // name in lower case. The first value, or an empty one.
    [[nodiscard]] QByteArray header(QByteArrayView name) const;
    [[nodiscard]] QList<QByteArray> headerValues(QByteArrayView name) const;
    // True where the comma-separated header holds this token, in any case.
    [[nodiscard]] bool hasToken(QByteArrayView name, QByteArrayView token) const;
    [[nodiscard]] bool isWebSocketUpgrade() const;
    // Decoded; the first one of that name, or an empty string.
    [[nodiscard]] QString queryValue(const QString &name) const;
    // Decoded as a form's field, with "+" for a space; bytes, because they may be no text. Nothing where it is
    // missing.
    [[nodiscard]] std::optional<QByteArray> queryBytes(QByteArrayView name) const;
};

struct HttpResponse
{
    int status = 200;
    QByteArray contentType; // empty: no body
    QByteArray body;
    QList<std::pair<QByteArray, QByteArray>> extraHeaders;

    [[nodiscard]] static HttpResponse json(int status, const QJsonObject &object);
    [[nodiscard]] static HttpResponse text(int status, const QString &message);
    [[nodiscard]] static HttpResponse empty(int status);
    // {"error", "code"}: how the sandbox plane refuses.
    [[nodiscard]] static HttpResponse proxyError(int status, const QString &code, const QString &message);
    // {"message"}: how the platform plane refuses.
    [[nodiscard]] static HttpResponse platformError(int status, const QString &message);
};

[[nodiscard]] QByteArray reasonPhrase(int status);

} // namespace Sandpiper

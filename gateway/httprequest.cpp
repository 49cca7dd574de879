#include "gateway/httprequest.h"

#include <QJsonDocument>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

QByteArray HttpRequest::header(QByteArrayView name) const
{
    for (const auto &[key, value] : headers) {
        if (key == name)
            return value;
    }
    return {};
}

QList<QByteArray> HttpRequest::headerValues(QByteArrayView name) const
{
    QList<QByteArray> values;
    for (const auto &[key, value] : headers) {
        if (key == name)
            values.append(value);
    }
    return values;
}

bool HttpRequest::hasToken(QByteArrayView name, QByteArrayView token) const
{
    for (const QByteArray &value : headerValues(name)) {
        for (const QByteArray &part : value.split(',')) {
            if (part.trimmed().compare(token, Qt::CaseInsensitive) == 0)
                return true;
        }
    }
    return false;
}

bool HttpRequest::isWebSocketUpgrade() const
{
    return hasToken("connection", "upgrade") && hasToken("upgrade", "websocket");
}

QString HttpRequest::queryValue(const QString &name) const
{
    // A plus is a plus: tokens and cursors are base64 or hex, and clients percent-encode.
    return QUrlQuery(QString::fromLatin1(query)).queryItemValue(name, QUrl::FullyDecoded);
}

std::optional<QByteArray> HttpRequest::queryBytes(QByteArrayView name) const
{
    for (const QByteArray &field : query.split('&')) {
        const qsizetype equals = field.indexOf('=');
        if (equals >= 0 && field.first(equals) == name)
            return QByteArray::fromPercentEncoding(field.sliced(equals + 1).replace('+', ' '));
    }
    return std::nullopt;
}

HttpResponse HttpResponse::json(int status, const QJsonObject &object)
{
    return {status, "application/json", QJsonDocument(object).toJson(QJsonDocument::Compact), {}};
}

HttpResponse HttpResponse::text(int status, const QString &message)
{
    return {status, "text/plain; charset=utf-8", message.toUtf8(), {}};
}

HttpResponse HttpResponse::empty(int status)
{
    return {status, {}, {}, {}};
}

HttpResponse HttpResponse::proxyError(int status, const QString &code, const QString &message)
{
    return json(status, {{u"error"_s, message}, {u"code"_s, code}});
}

HttpResponse HttpResponse::platformError(int status, const QString &message)
{
    return json(status, {{u"message"_s, message}});
}

QByteArray reasonPhrase(int status)
{
    switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    case 505: return "HTTP Version Not Supported";
    }
    return "Status";
}

} // namespace Sandpiper

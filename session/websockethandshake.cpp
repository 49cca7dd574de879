#include "session/websockethandshake.h"

#include "session/address.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

namespace {

constexpr qsizetype maxHead = 32 * 1024;
constexpr qsizetype maxBody = 16 * 1024;

bool isPrintable(QByteArrayView text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return quint8(c) >= 0x20 && c != 0x7f; });
}

bool isToken(QByteArrayView text)
{
    return !text.isEmpty() && std::all_of(text.begin(), text.end(), [](char c) {
        return quint8(c) > 0x20 && quint8(c) < 0x7f && c != ':';
    });
}

std::unexpected<Error> unusable(const QString &detail, const QUrl &url)
{
    return failure(ErrorKind::InvalidInput, Layer::WebSocket, detail, hostText(url));
}

// Whether a comma-separated header names the word.
bool lists(const QByteArray &header, QByteArrayView word)
{
    for (const QByteArray &part : header.split(',')) {
        if (part.trimmed().compare(word, Qt::CaseInsensitive) == 0)
            return true;
    }
    return false;
}

// The content of a chunked body, as far as it came.
QByteArray unchunked(QByteArrayView body)
{
    QByteArray content;
    for (;;) {
        const qsizetype lineEnd = body.indexOf("\r\n"_ba);
        if (lineEnd < 0)
            return content;
        bool ok = false;
        const qsizetype size = body.first(lineEnd).toByteArray().split(';').first().trimmed().toInt(&ok, 16);
        body = body.sliced(lineEnd + 2);
        if (!ok || size <= 0)
            return content;
        content.append(body.first(qMin(size, body.size())));
        body = body.sliced(qMin(size + 2, body.size()));
    }
}

QByteArray sha1(const QByteArray &text)
{
    QByteArray digest(20, Qt::Uninitialized);
    size_t size = 0;
    if (EVP_Q_digest(nullptr, "SHA1", nullptr, text.constData(), size_t(text.size()),
                     reinterpret_cast<unsigned char *>(digest.data()), &size) != 1)
        return {};
    return digest;
}

} // namespace

bool wantsTls(const QUrl &url)
{
    return url.scheme() == "wss"_L1 || url.scheme() == "https"_L1;
}

quint16 portOf(const QUrl &url)
{
    return quint16(url.port(wantsTls(url) ? 443 : 80));
}

Done checkWebSocketRequest(const WebSocketRequest &request)
{
    const QUrl &url = request.url;
    const bool isClear = url.scheme() == "ws"_L1 || url.scheme() == "http"_L1;
    if (!url.isValid() || url.host().isEmpty() || !(isClear || wantsTls(url)))
        return unusable(u"not an address for a WebSocket"_s, url);
    if (isClear && !isLoopback(url))
        return unusable(u"without TLS only this computer may be reached"_s, url);
    for (const auto &[name, value] : request.headers) {
        if (!isToken(name) || !isPrintable(value))
            return unusable(u"a header that cannot be sent"_s, url);
    }
    for (const auto &[name, value] : request.secretHeaders) {
        if (!isToken(name) || !value || value->isEmpty() || !isPrintable(value->reveal()))
            return unusable(u"a credential that cannot be sent"_s, url);
    }
    return {};
}

QByteArray makeWebSocketKey()
{
    QByteArray raw(16, Qt::Uninitialized);
    if (RAND_bytes(reinterpret_cast<unsigned char *>(raw.data()), int(raw.size())) != 1)
        qFatal("OpenSSL has no random numbers");
    return raw.toBase64();
}

QByteArray composeUpgrade(const WebSocketRequest &request, const QByteArray &key)
{
    const QUrl &url = request.url;
    QByteArray path = url.path(QUrl::FullyEncoded).toLatin1();
    if (path.isEmpty())
        path = "/"_ba;
    if (url.hasQuery())
        path += '?' + url.query(QUrl::FullyEncoded).toLatin1();

    QByteArray host = url.host(QUrl::FullyEncoded).toLatin1();
    if (host.contains(':'))
        host = '[' + host + ']';
    if (url.port() != -1)
        host += ':' + QByteArray::number(url.port());
    for (const auto &[name, value] : request.headers) {
        if (name.compare("host", Qt::CaseInsensitive) == 0)
            host = value;
    }

    // In one piece with room for all: a buffer that grows leaves copies of its secrets behind.
    QByteArray text;
    text.reserve(16 * 1024);
    text += "GET " + path + " HTTP/1.1\r\nHost: " + host
            + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: " + key + "\r\nUser-Agent: Sandpiper/" SANDPIPER_VERSION "\r\n";
    for (const auto &[name, value] : request.headers) {
        if (name.compare("host", Qt::CaseInsensitive) != 0)
            text += name + ": " + value + "\r\n";
    }
    for (const auto &[name, value] : request.secretHeaders) {
        text += name + ": ";
        text.append(value->reveal());
        text += "\r\n";
    }
    text += "\r\n";
    return text;
}

UpgradeReply::Outcome UpgradeReply::refuse(ErrorKind kind, const QString &detail)
{
    m_error = Error{kind, Layer::Http, detail, {}};
    return Outcome::Refused;
}

QByteArray UpgradeReply::header(QByteArrayView lowerCaseName) const
{
    QByteArrayList values;
    for (const auto &[name, value] : m_headers) {
        if (name == lowerCaseName)
            values += value;
    }
    return values.join(", ");
}

UpgradeReply::Outcome UpgradeReply::take(QByteArrayView &input)
{
    // More than once where interim answers come first.
    while (!m_headDone) {
        // The end mark may have begun in the last three bytes that were there.
        const qsizetype before = m_head.size();
        const qsizetype from = qMax<qsizetype>(0, before - 3);
        m_head.append(input.first(qMin(input.size(), maxHead + 4 - before)));
        const qsizetype end = m_head.indexOf("\r\n\r\n", from);
        if (end < 0) {
            if (m_head.size() > maxHead)
                return refuse(ErrorKind::TooLarge, u"headers without an end"_s);
            input = {};
            return Outcome::Incomplete;
        }
        input = input.sliced(end + 4 - before);
        m_head.truncate(end);
        m_headDone = true;
        const Outcome outcome = parseHead();
        if (outcome != Outcome::Incomplete)
            return outcome;
    }
    m_body.append(input.first(qMin(input.size(), maxBody - m_body.size())));
    input = {};
    const bool whole = m_isChunked ? m_body.endsWith("0\r\n\r\n")
                                   : m_bodyWanted >= 0 && m_body.size() >= m_bodyWanted;
    return whole || m_body.size() >= maxBody ? finish() : Outcome::Incomplete;
}

UpgradeReply::Outcome UpgradeReply::finish()
{
    if (!m_headDone)
        return refuse(ErrorKind::ConnectionLost, u"closed before it answered"_s);
    m_error = refusalError(m_status, m_isChunked ? unchunked(m_body) : m_body);
    return Outcome::Refused;
}

UpgradeReply::Outcome UpgradeReply::parseHead()
{
    const QByteArrayList lines = m_head.split('\n');
    const QByteArray first = lines.first().trimmed();
    bool ok = false;
    m_status = first.mid(9, 3).toInt(&ok);
    if (!first.startsWith("HTTP/1.") || !ok || m_status < 100 || (first.size() > 12 && first.at(12) != ' '))
        return refuse(ErrorKind::Protocol, u"the answer is not HTTP: "_s
                              + QString::fromLatin1(first.first(qMin<qsizetype>(first.size(), 60))));
    for (const QByteArray &line : lines.sliced(1)) {
        const qsizetype colon = line.indexOf(':');
        if (colon <= 0)
            return refuse(ErrorKind::Protocol, u"a header line without a name"_s);
        m_headers.emplaceBack(line.first(colon).toLower(), line.sliced(colon + 1).trimmed());
    }
    if (m_status == 101)
        return checkUpgrade();
    if (m_status < 200) {
        // An interim answer: the real one follows.
        m_head.clear();
        m_headers.clear();
        m_headDone = false;
        return Outcome::Incomplete;
    }
    m_isChunked = lists(header("transfer-encoding"), "chunked");
    const qint64 length = header("content-length").toLongLong(&ok);
    if (ok && length >= 0)
        m_bodyWanted = length;
    if (m_status == 204 || m_status == 304)
        m_bodyWanted = 0;
    return m_bodyWanted == 0 ? finish() : Outcome::Incomplete;
}

UpgradeReply::Outcome UpgradeReply::checkUpgrade()
{
    const QByteArray expected = sha1(m_key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").toBase64();
    if (!lists(header("upgrade"), "websocket") || !lists(header("connection"), "upgrade"))
        return refuse(ErrorKind::Protocol, u"101 without an upgrade to WebSocket"_s);
    if (header("sec-websocket-accept") != expected)
        return refuse(ErrorKind::Protocol, u"101 for another key"_s);
    // We asked for neither; a server that uses one would be misread.
    if (!header("sec-websocket-extensions").isEmpty() || !header("sec-websocket-protocol").isEmpty())
        return refuse(ErrorKind::Protocol, u"an extension or a protocol that was not asked for"_s);
    return Outcome::Accepted;
}

Error refusalError(int status, const QByteArray &body)
{
    const QJsonObject json = QJsonDocument::fromJson(body).object();
    QString message = json.value("error"_L1).toString();
    if (message.isEmpty())
        message = json.value("message"_L1).toString();
    const QString code = json.value("code"_L1).toString();
    if (message.isEmpty() && json.isEmpty() && !body.trimmed().startsWith('<'))
        message = QString::fromUtf8(body);
    QString detail = u"HTTP %1"_s.arg(status);
    if (!code.isEmpty())
        detail += u' ' + code;
    if (!message.isEmpty())
        detail += u": "_s + message;

    Error error{ErrorKind::Protocol, Layer::WebSocket, tamed(detail), {}};
    if (code == "SANDBOX_NOT_RUNNING"_L1) {
        error.kind = ErrorKind::SandboxNotRunning;
        error.layer = Layer::SandboxState;
    } else if (status == 401) {
        error.kind = ErrorKind::AuthRejected;
        error.layer = Layer::Auth;
    } else if (status == 403) {
        error.kind = ErrorKind::PermissionDenied;
    } else if (status == 404 || status == 410) {
        error.kind = ErrorKind::NotFound;
    } else if (status == 409) {
        error.kind = ErrorKind::Conflict;
    } else if (status == 429) {
        error.kind = code == "TOO_MANY_SESSIONS"_L1 ? ErrorKind::QuotaExceeded : ErrorKind::RateLimited;
    } else if (status == 408 || status == 504) {
        error.kind = ErrorKind::Timeout;
    } else if (status >= 500) {
        error.kind = ErrorKind::ServerError;
    } else if (status >= 300 && status < 400) {
        error.detail = u"HTTP %1: a redirect, which is not followed"_s.arg(status);
    } else if (status >= 400) {
        error.kind = ErrorKind::InvalidInput;
    }
    return error;
}

} // namespace Sandpiper

#include "session/httpclient.h"

#include "session/address.h"
#include "session/httptransport.h"
#include "session/netproxy.h"
#include "session/networksetting.h"
#include "session/tlstrust.h"

#include <QLoggingCategory>
#include <QMetaEnum>
#include <QNetworkAccessManager>
#include <QNetworkProxyFactory>
#include <QNetworkReply>
#include <QPointer>
#include <QSslError>
#include <QSslSocket>
#include <QTimer>

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

static Q_LOGGING_CATEGORY(lcHttp, "sandpiper.session.http", QtInfoMsg)

namespace Sandpiper {
namespace {

class ProxyChoice : public QNetworkProxyFactory
{
public:
    QList<QNetworkProxy> queryProxy(const QNetworkProxyQuery &query) override { return {proxyFor(query.url())}; }
};

QByteArray verbName(HttpRequest::Verb verb)
{
    switch (verb) {
    case HttpRequest::Verb::Get: return "GET"_ba;
    case HttpRequest::Verb::Post: return "POST"_ba;
    case HttpRequest::Verb::Put: return "PUT"_ba;
    case HttpRequest::Verb::Patch: return "PATCH"_ba;
    case HttpRequest::Verb::Delete: return "DELETE"_ba;
    }
    Q_UNREACHABLE_RETURN({});
}

bool hasBody(HttpRequest::Verb verb)
{
    switch (verb) {
    case HttpRequest::Verb::Get:
    case HttpRequest::Verb::Delete: return false;
    case HttpRequest::Verb::Post:
    case HttpRequest::Verb::Put:
    case HttpRequest::Verb::Patch: return true;
    }
    Q_UNREACHABLE_RETURN(false);
}

bool isWorthAnotherTry(const Result<HttpReply> &reply)
{
    if (reply)
        return reply->status == 502 || reply->status == 503 || reply->status == 504;
    switch (reply.error().kind) {
    case ErrorKind::ConnectionRefused:
    case ErrorKind::ConnectionLost:
    case ErrorKind::HostUnreachable: return true;
    default: return false;
    }
}

} // namespace

HttpClient::HttpClient(const Options &options, QObject *parent)
    : QObject(parent)
    , m_options(options)
{
    // Another backend may have other roots, or none.
    if (QSslSocket::activeBackend() != "openssl"_L1 && !QSslSocket::setActiveBackend(u"openssl"_s))
        m_unusable = Error{ErrorKind::Unsupported, Layer::Tls, u"Qt's OpenSSL backend is missing"_s, {}};
    if (!tlsTrusting(options.pinnedCa))
        m_unusable = Error{ErrorKind::CertificateInvalid, Layer::Tls, u"the account's own authority is not a PEM certificate"_s, {}};
    if (options.bearer && !isHeaderText(options.bearer->reveal()))
        m_unusable = Error{ErrorKind::AuthRejected, Layer::Auth, u"the key holds characters that no key has"_s, {}};
}

HttpClient::~HttpClient() = default;

QNetworkAccessManager *HttpClient::makeManager(QObject *parent) const
{
    auto *manager = new QNetworkAccessManager(parent);
    manager->setProxyFactory(new ProxyChoice);
    manager->setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
    manager->setAutoDeleteReplies(false);
    return manager;
}

QNetworkAccessManager *HttpClient::sharedManager()
{
    const quint64 turn = networkInForce()->turn;
    if (m_shared && turn != m_turn)
        m_retired.append(std::exchange(m_shared, nullptr));
    m_retired.removeIf([](QNetworkAccessManager *old) {
        const bool isDone = !old->findChild<QNetworkReply *>();
        if (isDone)
            old->deleteLater();
        return isDone;
    });
    m_turn = turn;
    if (!m_shared)
        m_shared = makeManager(this);
    return m_shared;
}

HttpCall *HttpClient::send(const HttpRequest &request)
{
    return new HttpCall(this, request);
}

class HttpCall::Private
{
public:
    void begin();
    void take();
    void settle();
    void finish(const Result<HttpReply> &reply);
    void dropReply();
    [[nodiscard]] QNetworkRequest networkRequest() const;
    [[nodiscard]] std::optional<Error> checked() const;
    [[nodiscard]] Error error(ErrorKind kind, Layer layer, const QString &detail) const
    {
        return {kind, layer, detail, request.subject.isEmpty() ? hostText(request.url) : request.subject};
    }
    void onMetaData();
    [[nodiscard]] ProxySetting proxy() const { return webProxyFor(request.url); }

    HttpCall *q = nullptr;
    HttpClient *client = nullptr;
    HttpRequest request;
    QNetworkAccessManager *manager = nullptr;
    QPointer<QNetworkReply> reply; // the manager may go first
    QTimer total;
    QTimer idle;
    QTimer retry;
    QByteArray body;
    QStringList tlsErrors;
    qsizetype attempts = 0;
    qint64 granted = 0;
    Layer reached = Layer::Tcp; // how far this attempt came
    bool streaming = false;     // a success whose body is being handed on
    bool networkDone = false;
    bool isFinished = false;
};

HttpCall::HttpCall(HttpClient *client, const HttpRequest &request)
    : QObject(client)
    , d(std::make_unique<Private>())
{
    d->q = this;
    d->client = client;
    d->request = request;
    for (QTimer *timer : {&d->total, &d->idle, &d->retry})
        timer->setSingleShot(true);
    const auto late = [this] { d->finish(std::unexpected(d->error(ErrorKind::Timeout, d->reached, u"no answer in time"_s))); };
    connect(&d->total, &QTimer::timeout, this, late);
    connect(&d->idle, &QTimer::timeout, this, late);
    connect(&d->retry, &QTimer::timeout, this, [this] { d->begin(); });
    if (request.totalTime > 0ms)
        d->total.start(request.totalTime);
    d->retry.start(0ms);
}

HttpCall::~HttpCall()
{
    d->dropReply();
}

void HttpCall::cancel()
{
    d->finish(std::unexpected(d->error(ErrorKind::Cancelled, Layer::Http, {})));
}

void HttpCall::grant(qint64 bytes)
{
    d->granted += bytes;
    if (d->streaming)
        d->take();
}

std::optional<Error> HttpCall::Private::checked() const
{
    if (client->m_unusable) {
        Error unusable = *client->m_unusable;
        unusable.subject = hostText(request.url);
        return unusable;
    }
    QUrl base = request.url;
    base.setQuery(QString());
    if (Done valid = checkApiUrl(base); !valid)
        return valid.error();
    if (const ProxySetting way = proxy(); way.kind != ProxySetting::Kind::None && way.host.isEmpty())
        return error(ErrorKind::InvalidInput, Layer::Tcp, u"the address of the proxy is none"_s);
    for (const auto &[name, value] : request.headers) {
        if (!isHeaderText(name) || !isHeaderText(value))
            return error(ErrorKind::InvalidInput, Layer::Http, u"a header cannot be sent"_s);
    }
    return std::nullopt;
}

QNetworkRequest HttpCall::Private::networkRequest() const
{
    QNetworkRequest out(request.url);
    out.setSslConfiguration(tlsTrusting(client->m_options.pinnedCa).value_or(QSslConfiguration()));
    out.setRawHeader("User-Agent"_ba, "Sandpiper/" SANDPIPER_VERSION ""_ba);
    if (client->m_options.bearer)
        out.setRawHeader("Authorization"_ba, "Bearer "_ba.append(client->m_options.bearer->reveal()));
    if (!request.contentType.isEmpty())
        out.setRawHeader("Content-Type"_ba, request.contentType);
    for (const auto &[name, value] : request.headers)
        out.setRawHeader(name, value);
    // One way to read every answer, and none that blows up on the way.
    out.setRawHeader("Accept-Encoding"_ba, "identity"_ba);
    out.setAttribute(QNetworkRequest::Http2AllowedAttribute, false);
    out.setAttribute(QNetworkRequest::CacheSaveControlAttribute, false);
    out.setAttribute(QNetworkRequest::CookieLoadControlAttribute, QNetworkRequest::Manual);
    out.setAttribute(QNetworkRequest::CookieSaveControlAttribute, QNetworkRequest::Manual);
    out.setAttribute(QNetworkRequest::AuthenticationReuseAttribute, QNetworkRequest::Manual);
    out.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    if (hasBody(request.verb)) {
        out.setHeader(QNetworkRequest::ContentLengthHeader, request.bodyDevice ? request.bodySize : qint64(request.body.size()));
        out.setAttribute(QNetworkRequest::DoNotBufferUploadDataAttribute, true);
    }
    return out;
}

void HttpCall::Private::begin()
{
    if (const auto wrong = checked())
        return finish(std::unexpected(*wrong));
    if (request.connection == HttpRequest::Connection::Shared)
        manager = client->sharedManager(); // at every try: the one before may be retired and gone
    else if (!manager)
        manager = client->makeManager(q);
    ++attempts;
    reached = Layer::Tcp;
    body.clear();
    tlsErrors.clear();
    const QNetworkRequest out = networkRequest();
    if (hasBody(request.verb) && request.bodyDevice) {
        reply = manager->sendCustomRequest(out, verbName(request.verb), request.bodyDevice.get());
        QObject::connect(reply, &QObject::destroyed, reply, [kept = request.bodyDevice] {});
    } else if (hasBody(request.verb)) {
        auto *device = new OneWayBody(request.body, q);
        reply = manager->sendCustomRequest(out, verbName(request.verb), device);
        device->setParent(reply);
    } else {
        reply = manager->sendCustomRequest(out, verbName(request.verb));
    }
    const bool streamed = request.delivery == HttpRequest::Delivery::Streamed;
    if (streamed)
        reply->setReadBufferSize(128 << 10);
    QObject::connect(reply, &QNetworkReply::requestSent, q, [this] { reached = Layer::Http; });
    QObject::connect(reply, &QNetworkReply::uploadProgress, q, [this](qint64 bytes) {
        if (request.idleTime > 0ms)
            idle.start();
        emit q->sent(bytes);
    });
    QObject::connect(reply, &QNetworkReply::sslErrors, q, [this](const QList<QSslError> &errors) {
        for (const QSslError &e : errors.first(qMin(errors.size(), qsizetype(3))))
            tlsErrors.append(e.errorString());
    });
    QObject::connect(reply, &QNetworkReply::metaDataChanged, q, [this] { onMetaData(); });
    QObject::connect(reply, &QNetworkReply::readyRead, q, [this] { take(); });
    QObject::connect(reply, &QNetworkReply::finished, q, [this] {
        networkDone = true;
        take();
    });
    idle.setInterval(request.idleTime);
    if (request.idleTime > 0ms)
        idle.start();
}

void HttpCall::Private::onMetaData()
{
    const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (streaming || request.delivery == HttpRequest::Delivery::Whole || status < 200 || status >= 300)
        return;
    streaming = true;
    total.stop(); // it was for the answer; from now on the stream lasts as long as it lasts
    emit q->answered(status);
}

// Moves what has come to where it belongs, then looks whether that was all.
void HttpCall::Private::take()
{
    if (isFinished || !reply)
        return;
    if (request.idleTime > 0ms)
        idle.start();
    if (streaming) {
        const QPointer<HttpCall> alive = q;
        while (granted > 0 && reply && reply->bytesAvailable() > 0) {
            const QByteArray piece = reply->read(qMin(granted, qint64(16 << 10)));
            if (piece.isEmpty())
                break;
            granted -= piece.size();
            emit q->received(piece);
            if (!alive || isFinished)
                return;
        }
        if (networkDone && reply && reply->bytesAvailable() == 0)
            settle();
        return;
    }
    // Read no more than would be accepted: a larger answer is thrown away, not stored.
    body += reply->read(request.maxBytes + 1 - body.size());
    if (body.size() > request.maxBytes)
        return finish(std::unexpected(error(ErrorKind::TooLarge, Layer::Http, u"more than %1 bytes"_s.arg(request.maxBytes))));
    if (networkDone)
        settle();
}

void HttpCall::Private::settle()
{
    HttpReply answer;
    answer.status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    answer.contentType = reply->rawHeader("Content-Type").left(200);
    answer.body = body;
    bool isNumber = false;
    if (const int seconds = reply->rawHeader("Retry-After").toInt(&isNumber); isNumber && seconds >= 0)
        answer.retryAfter = std::chrono::seconds(seconds);

    Result<HttpReply> result = answer;
    const QNetworkReply::NetworkError code = reply->error();
    // From 201 on Qt's codes repeat what the HTTP status says; below 100 the transport failed, even
    // where a status had come already: then the answer is cut short.
    const bool transportFailed = code != QNetworkReply::NoError && code < QNetworkReply::ContentAccessDenied;
    if (!tlsErrors.isEmpty()) {
        result = std::unexpected(error(ErrorKind::CertificateInvalid, Layer::Tls, tamed(tlsErrors.join(u"; "_s))));
    } else if (transportFailed || answer.status == 0) {
        const QString subject = error(ErrorKind::Protocol, Layer::Http, {}).subject;
        // Not errorString(): some of its texts hold the whole URL.
        const QString trouble = proxyTrouble(code, proxy());
        const QString name = trouble.isEmpty() ? QString::fromLatin1(QMetaEnum::fromType<QNetworkReply::NetworkError>().valueToKey(code)) : trouble;
        result = std::unexpected(transportError(code, name, subject, reached));
    } else if (answer.status >= 300 && answer.status < 400) {
        const QUrl target = request.url.resolved(QUrl(QString::fromLatin1(reply->rawHeader("Location"))));
        result = std::unexpected(error(ErrorKind::Protocol, Layer::Http,
                                       tamed(u"HTTP %1: a redirect to %2, which is not followed"_s.arg(answer.status).arg(hostText(target)))));
    }
    const bool again = request.verb == HttpRequest::Verb::Get && !streaming && isWorthAnotherTry(result)
            && attempts <= client->m_options.retryWaits.size();
    if (!again)
        return finish(result);
    dropReply();
    retry.start(client->m_options.retryWaits.at(attempts - 1));
}

void HttpCall::Private::dropReply()
{
    networkDone = false;
    idle.stop();
    if (QNetworkReply *old = std::exchange(reply, nullptr).data()) {
        QObject::disconnect(old, nullptr, q, nullptr);
        old->abort();
        old->deleteLater();
    }
}

void HttpCall::Private::finish(const Result<HttpReply> &result)
{
    if (std::exchange(isFinished, true))
        return;
    total.stop();
    retry.stop();
    dropReply();
    if (!result)
        qCDebug(lcHttp) << verbName(request.verb) << describe(result.error());
    emit q->finished(result);
    q->deleteLater();
}

} // namespace Sandpiper

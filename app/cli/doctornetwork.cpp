#include "app/cli/doctornetwork.h"

#include "session/netproxy.h"
#include "session/tlstrust.h"

#include <QHostAddress>
#include <QHostInfo>
#include <QPromise>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslError>
#include <QSslSocket>
#include <QTimer>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr std::chrono::seconds kPatience{15};

// The answer to one question: the first that is given counts.
template <typename T>
class Answer : public QObject
{
public:
    explicit Answer(QObject *context)
        : QObject(context)
    {
        m_promise.start();
    }
    ~Answer() override { m_promise.finish(); }
    void expireWith(const Error &error)
    {
        QTimer::singleShot(kPatience, this, [this, error] { give(std::unexpected(error)); });
    }
    void give(const Result<T> &result)
    {
        if (m_isGiven)
            return;
        m_isGiven = true;
        m_promise.addResult(result);
        m_promise.finish();
        deleteLater();
    }
    [[nodiscard]] QFuture<Result<T>> future() { return m_promise.future(); }

private:
    QPromise<Result<T>> m_promise;
    bool m_isGiven = false;
};

Error socketError(QAbstractSocket::SocketError error, const QString &words, const QString &host)
{
    const auto made = [&](ErrorKind kind, Layer layer) { return Error{kind, layer, tamed(words), host}; };
    switch (error) {
    case QAbstractSocket::HostNotFoundError: return made(ErrorKind::HostNotFound, Layer::Dns);
    case QAbstractSocket::ConnectionRefusedError:
    case QAbstractSocket::ProxyConnectionRefusedError: return made(ErrorKind::ConnectionRefused, Layer::Tcp);
    case QAbstractSocket::SocketTimeoutError:
    case QAbstractSocket::ProxyConnectionTimeoutError: return made(ErrorKind::Timeout, Layer::Tcp);
    case QAbstractSocket::ProxyAuthenticationRequiredError: return made(ErrorKind::AuthRejected, Layer::Tcp);
    case QAbstractSocket::RemoteHostClosedError: return made(ErrorKind::ConnectionLost, Layer::Tls);
    case QAbstractSocket::SslHandshakeFailedError: return made(ErrorKind::CertificateInvalid, Layer::Tls);
    default: return made(ErrorKind::HostUnreachable, Layer::Tcp);
    }
}

} // namespace

QFuture<Result<QStringList>> addressesOf(const QString &host, QObject *context)
{
    const auto answer = new Answer<QStringList>(context);
    answer->expireWith({ErrorKind::Timeout, Layer::Dns, {}, host});
    QFuture<Result<QStringList>> future = answer->future();
    QHostInfo::lookupHost(host, answer, [answer, host](const QHostInfo &info) {
        if (info.error() != QHostInfo::NoError || info.addresses().isEmpty())
            return answer->give(failure(ErrorKind::HostNotFound, Layer::Dns, tamed(info.errorString()), host));
        QStringList addresses;
        for (const QHostAddress &address : info.addresses())
            addresses.append(address.toString());
        answer->give(addresses);
    });
    return future;
}

QFuture<Result<QString>> connectDirectly(const QString &host, quint16 port, QObject *context)
{
    const auto answer = new Answer<QString>(context);
    answer->expireWith({ErrorKind::Timeout, Layer::Tcp, {}, host});
    QFuture<Result<QString>> future = answer->future();
    const auto socket = new QTcpSocket(answer);
    socket->setProxy(QNetworkProxy::NoProxy);
    QObject::connect(socket, &QTcpSocket::errorOccurred, answer, [answer, socket, host](QAbstractSocket::SocketError error) {
        answer->give(std::unexpected(socketError(error, socket->errorString(), host)));
    });
    QObject::connect(socket, &QTcpSocket::connected, answer, [answer, socket] {
        answer->give(u"%1 port %2"_s.arg(socket->peerAddress().toString()).arg(socket->peerPort()));
    });
    socket->connectToHost(host, port); // one address after the other
    return future;
}

QFuture<Result<SeenCertificate>> certificateOf(const QUrl &url, const QByteArray &pinnedCa, QObject *context)
{
    const auto answer = new Answer<SeenCertificate>(context);
    const QString host = url.host();
    answer->expireWith({ErrorKind::Timeout, Layer::Tls, {}, host});
    QFuture<Result<SeenCertificate>> future = answer->future();
    const auto socket = new QSslSocket(answer);
    socket->setProxy(proxyFor(url));
    const std::optional<QSslConfiguration> tls = tlsTrusting(pinnedCa);
    if (!tls) {
        answer->give(failure(ErrorKind::CertificateInvalid, Layer::Tls, u"the account's own authority is not a certificate"_s, host));
        return future;
    }
    socket->setSslConfiguration(*tls);
    QObject::connect(socket, &QSslSocket::sslErrors, answer, [answer, host](const QList<QSslError> &errors) {
        QStringList words;
        for (const QSslError &error : errors)
            words.append(error.errorString());
        answer->give(failure(ErrorKind::CertificateInvalid, Layer::Tls, tamed(words.join(u"; "_s)), host));
    });
    QObject::connect(socket, &QSslSocket::errorOccurred, answer, [answer, socket, host](QAbstractSocket::SocketError error) {
        answer->give(std::unexpected(socketError(error, socket->errorString(), host)));
    });
    QObject::connect(socket, &QSslSocket::encrypted, answer, [answer, socket] {
        const QSslCertificate certificate = socket->peerCertificate();
        QString issuer = certificate.issuerInfo(QSslCertificate::CommonName).value(0);
        if (issuer.isEmpty())
            issuer = certificate.issuerInfo(QSslCertificate::Organization).value(0);
        answer->give(SeenCertificate{tamed(issuer, 100), certificate.expiryDate().toUTC()});
    });
    socket->connectToHostEncrypted(host, quint16(url.port(443)));
    return future;
}

} // namespace Sandpiper

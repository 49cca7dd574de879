#include "tests/support/hostilehttpserver.h"

#include <QFile>
#include <QProcess>
#include <QSslCertificate>
#include <QSslKey>
#include <QSslServer>
#include <QSslSocket>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

HostileHttpServer::HostileHttpServer(const QSslConfiguration *tls)
{
    answer = [](const SeenRequest &) { return json("{}", 404); };
    if (tls) {
        auto server = std::make_unique<QSslServer>();
        server->setSslConfiguration(*tls);
        m_server = std::move(server);
    } else {
        m_server = std::make_unique<QTcpServer>();
    }
    m_server->setParent(this); // so that it goes along to another thread
    m_tls = tls ? *tls : QSslConfiguration();
    connect(m_server.get(), &QTcpServer::pendingConnectionAvailable, this, [this] {
        while (QTcpSocket *socket = m_server->nextPendingConnection())
            accept(socket);
    });
    if (!m_server->listen(QHostAddress::LocalHost))
        qFatal("cannot listen on the loopback");
}

HostileHttpServer::~HostileHttpServer()
{
    hangUp();
}

quint16 HostileHttpServer::port() const
{
    return m_server->serverPort();
}

QString HostileHttpServer::url() const
{
    const QString scheme = qobject_cast<QSslServer *>(m_server.get()) ? u"https"_s : u"http"_s;
    return u"%1://127.0.0.1:%2"_s.arg(scheme).arg(port());
}

void HostileHttpServer::accept(QTcpSocket *socket)
{
    ++connections;
    m_buffers.insert(socket, {});
    connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
    connect(socket, &QTcpSocket::disconnected, this, [this, socket] {
        m_buffers.remove(socket);
        socket->deleteLater();
    });
    if (socket->bytesAvailable() > 0)
        read(socket);
}

void HostileHttpServer::read(QTcpSocket *socket)
{
    m_buffers[socket] += socket->readAll();
    while (m_buffers.contains(socket)) {
        QByteArray &buffer = m_buffers[socket];
        const qsizetype end = buffer.indexOf("\r\n\r\n");
        if (end < 0)
            return;
        SeenRequest request;
        const QList<QByteArray> lines = buffer.first(end).split('\n');
        const QList<QByteArray> first = lines.first().trimmed().split(' ');
        request.verb = first.value(0);
        request.target = first.value(1);
        for (const QByteArray &line : lines.sliced(1)) {
            const qsizetype colon = line.indexOf(':');
            request.headers.insert(line.first(qMax(colon, qsizetype(0))).toLower(), line.sliced(colon + 1).trimmed());
        }
        const qsizetype length = request.headers.value("content-length").toLongLong();
        if (buffer.size() < end + 4 + length)
            return;
        request.body = buffer.mid(end + 4, length);
        buffer.remove(0, end + 4 + length);
        seen.append(request);
        const Scripted script = answer(request);
        socket->write(script.bytes);
        if (script.then == Scripted::Then::Close) {
            socket->disconnectFromHost();
            return;
        }
        if (script.then == Scripted::Then::Silence) {
            disconnect(socket, &QTcpSocket::readyRead, this, nullptr);
            return;
        }
    }
}

qint64 HostileHttpServer::unsentBytes() const
{
    qint64 sum = 0;
    for (auto it = m_buffers.cbegin(); it != m_buffers.cend(); ++it)
        sum += it.key()->bytesToWrite();
    return sum;
}

void HostileHttpServer::hangUp()
{
    const QList<QTcpSocket *> sockets = m_buffers.keys();
    for (QTcpSocket *socket : sockets) {
        disconnect(socket, nullptr, this, nullptr);
        m_buffers.remove(socket);
        socket->abort();
        socket->deleteLater();
    }
}

QByteArray HostileHttpServer::reply(int status, const QByteArray &body, const QByteArray &extraHeaders)
{
    return "HTTP/1.1 " + QByteArray::number(status) + " X\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n"
            + extraHeaders + "\r\n" + body;
}

Scripted HostileHttpServer::json(const QByteArray &body, int status)
{
    return {reply(status, body, "Content-Type: application/json\r\n"), Scripted::Then::KeepOpen};
}

TestCertificates TestCertificates::make(const QString &folder, const QString &name)
{
    const QString base = folder + u'/' + name;
    const auto openssl = [](const QStringList &arguments) {
        QProcess process;
        process.start(u"openssl"_s, arguments);
        return process.waitForFinished(60'000) && process.exitCode() == 0;
    };
    const QStringList fresh{u"req"_s, u"-x509"_s, u"-newkey"_s, u"ec"_s, u"-pkeyopt"_s, u"ec_paramgen_curve:P-256"_s,
                            u"-nodes"_s, u"-days"_s, u"2"_s};
    TestCertificates made;
    made.isValid = openssl(fresh + QStringList{u"-subj"_s, u"/CN="_s + name, u"-keyout"_s, base + u"-ca.key"_s, u"-out"_s, base + u"-ca.pem"_s})
            && openssl(fresh + QStringList{u"-subj"_s, u"/CN=127.0.0.1"_s, u"-addext"_s, u"subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:box.invalid"_s,
                                           u"-addext"_s, u"basicConstraints=critical,CA:FALSE"_s, u"-CA"_s, base + u"-ca.pem"_s, u"-CAkey"_s,
                                           base + u"-ca.key"_s, u"-keyout"_s, base + u".key"_s, u"-out"_s, base + u".pem"_s});
    if (!made.isValid)
        return made;
    const auto content = [](const QString &file) {
        QFile in(file);
        return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
    };
    made.authority = content(base + u"-ca.pem"_s);
    made.server = QSslConfiguration::defaultConfiguration();
    made.server.setLocalCertificate(QSslCertificate(content(base + u".pem"_s)));
    made.server.setPrivateKey(QSslKey(content(base + u".key"_s), QSsl::Ec));
    return made;
}

} // namespace Sandpiper

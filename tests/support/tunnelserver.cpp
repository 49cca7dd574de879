#include "tests/support/tunnelserver.h"

#include <QNetworkRequest>
#include <QProcess>
#include <QWebSocket>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

TunnelServer::TunnelServer(const QStringList &command, QObject *parent, const QSslConfiguration *tls)
    : QObject(parent)
    , m_server(u"tunnel"_s, tls ? QWebSocketServer::SecureMode : QWebSocketServer::NonSecureMode)
    , m_command(command)
{
    if (tls)
        m_server.setSslConfiguration(*tls);
    connect(&m_server, &QWebSocketServer::newConnection, this, [this] { accept(); });
    if (!m_server.listen(QHostAddress::LocalHost))
        qFatal("no port for the tunnel server");
}

TunnelServer::~TunnelServer()
{
    for (QWebSocket *client : std::as_const(m_clients))
        client->disconnect(this);
    qDeleteAll(m_clients);
}

void TunnelServer::accept()
{
    QWebSocket *client = m_server.nextPendingConnection();
    client->setParent(this);
    m_clients.append(client);
    const QNetworkRequest request = client->request();
    lastHeaders.clear();
    for (const QByteArray &name : request.rawHeaderList())
        lastHeaders.append(name.toLower() + ": " + request.rawHeader(name));
    QProcess *program = nullptr;
    if (!m_command.isEmpty()) {
        program = new QProcess(client);
        program->start(m_command.constFirst(), m_command.sliced(1));
        connect(program, &QProcess::readyReadStandardOutput, client, [client, program] { client->sendBinaryMessage(program->readAllStandardOutput()); });
        connect(program, &QProcess::finished, client, [client] { client->close(QWebSocketProtocol::CloseCodeNormal); });
    }
    connect(client, &QWebSocket::binaryMessageReceived, this, [this, client, program](const QByteArray &message) {
        ++frames;
        largestFrame = std::max(largestFrame, message.size());
        emptyFrames += message.isEmpty() ? 1 : 0;
        if (program)
            program->write(message);
        else
            client->sendBinaryMessage(message);
    });
    connect(client, &QWebSocket::textMessageReceived, this, [this] { ++textFrames; });
    connect(client, &QWebSocket::disconnected, this, [this, client] {
        closeCodes.append(int(client->closeCode()));
        m_clients.removeOne(client);
        client->deleteLater();
    });
}

void TunnelServer::sendText()
{
    for (QWebSocket *client : std::as_const(m_clients))
        client->sendTextMessage(u"hello"_s);
}

void TunnelServer::closeAll(QWebSocketProtocol::CloseCode code, const QString &reason)
{
    for (QWebSocket *client : QList(m_clients))
        client->close(code, reason);
}

} // namespace Sandpiper

// A WebSocket server whose binary frames are the standard input and output of a program: what a vendor
// runs in front of an sshd. Frames are QWebSocket's, not ours.
#pragma once

#include <QByteArrayList>
#include <QObject>
#include <QSslConfiguration>
#include <QStringList>
#include <QUrl>
#include <QWebSocketServer>

namespace Sandpiper {

class TunnelServer : public QObject
{
    Q_OBJECT
public:
    // No command: whatever comes is sent back.
    // With tls it speaks TLS with that certificate and key.
    explicit TunnelServer(const QStringList &command = {}, QObject *parent = nullptr, const QSslConfiguration *tls = nullptr);
    ~TunnelServer() override;

    [[nodiscard]] quint16 port() const { return m_server.serverPort(); }
    [[nodiscard]] QUrl url() const { return QUrl(QStringLiteral("ws://127.0.0.1:%1/tunnel").arg(port())); }
    // To every client.
    void sendText();
    void closeAll(QWebSocketProtocol::CloseCode code, const QString &reason);
    [[nodiscard]] int clients() const { return int(m_clients.size()); }

    // Of the frames that came, on all connections.
    qsizetype largestFrame = 0;
    int frames = 0;
    int emptyFrames = 0;
    int textFrames = 0;
    QList<int> closeCodes;
    QByteArrayList lastHeaders; // "Name: value"

private:
    void accept();
    QWebSocketServer m_server;
    QStringList m_command;
    QList<QWebSocket *> m_clients;
};

} // namespace Sandpiper

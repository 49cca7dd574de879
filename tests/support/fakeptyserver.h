// The vendor's PTY WebSocket on loopback, with real shells behind it and every limit in reach of a
// test. Speaks frames by QWebSocket, so that our client meets another hand's implementation.
#pragma once

#include "session/ptyshell.h"

#include <QHash>
#include <QObject>
#include <QWebSocketServer>

#include <memory>

namespace Sandpiper {

class FakePtyServer : public QObject
{
    Q_OBJECT
public:
    explicit FakePtyServer(QObject *parent = nullptr);
    ~FakePtyServer() override; // ends all sessions

    [[nodiscard]] quint16 port() const { return m_server.serverPort(); }
    // Through viaPort, which leads to port().
    [[nodiscard]] PtyEndpoint endpoint(const ShellSpec &spec, quint16 viaPort);

    Result<PtyHandle> create(const ShellSpec &spec, TerminalSize size);
    Done kill(const QString &session);
    Done resize(const QString &session, TerminalSize size);
    [[nodiscard]] bool isAlive(const QString &session) const;
    [[nodiscard]] int clients(const QString &session) const;
    // Puts bytes into the output as if the shell had written them.
    void inject(const QString &session, const QByteArray &bytes);
    void closeClients(const QString &session, int code, const QString &reason);

    qint64 historyLimit = 1 << 20;
    qint64 inputPerSecond = 1 << 20; // more is answered with 1008
    bool sendsExitMessage = true;    // else the close reason alone tells
    QByteArrayList lastHeaders;      // names and values of the last upgrade that was accepted
    QUrl lastUrl;

private:
    struct Session;
    void accept();
    void received(Session &session, QWebSocket *client, const QByteArray &message);
    void input(Session &session, QWebSocket *client, QByteArrayView bytes);
    void readPty(Session &session);
    void writePty(Session &session);
    void output(Session &session, const QByteArray &bytes);
    void reap(Session &session);

    QWebSocketServer m_server;
    QHash<QString, std::shared_ptr<Session>> m_sessions; // shared: QHash copies its values
    int m_made = 0;
};

} // namespace Sandpiper

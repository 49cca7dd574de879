// Listens on loopback and keeps the connections. Main thread.
#pragma once

#include "gateway/httpconnection.h"

#include <QTcpServer>

namespace Sandpiper {

class HttpServer : public QObject
{
    Q_OBJECT
public:
    // handler is borrowed and outlives the server.
    HttpServer(HttpHandler *handler, const HttpLimits &limits, QObject *parent = nullptr);

    // port 0: any.
    [[nodiscard]] bool listen(const QHostAddress &address, quint16 port) { return m_server.listen(address, port); }
    [[nodiscard]] quint16 port() const { return m_server.serverPort(); }
    [[nodiscard]] QString errorString() const { return m_server.errorString(); }
    [[nodiscard]] qsizetype connectionCount() const { return m_connections; }
    void close() { m_server.close(); }

private:
    void takeConnections();

    QTcpServer m_server;
    HttpHandler *m_handler;
    HttpLimits m_limits;
    qsizetype m_connections = 0;
};

} // namespace Sandpiper

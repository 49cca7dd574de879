#include "gateway/httpserver.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

HttpServer::HttpServer(HttpHandler *handler, const HttpLimits &limits, QObject *parent)
    : QObject(parent)
    , m_handler(handler)
    , m_limits(limits)
{
    m_server.setListenBacklogSize(128);
    connect(&m_server, &QTcpServer::pendingConnectionAvailable, this, &HttpServer::takeConnections);
}

void HttpServer::takeConnections()
{
    while (QTcpSocket *socket = m_server.nextPendingConnection()) {
        // Far past the limit there is no memory even for a refusal.
        if (m_connections >= m_limits.connections + 64) {
            socket->abort();
            socket->deleteLater();
            continue;
        }
        auto *connection = new HttpConnection(socket, m_handler, m_limits, this);
        connect(connection, &HttpConnection::finished, this, [this, connection] {
            --m_connections;
            connection->deleteLater();
        });
        if (++m_connections > m_limits.connections)
            connection->turnAway(m_handler->refusal(503, u"Too many connections are open."_s));
    }
}

} // namespace Sandpiper

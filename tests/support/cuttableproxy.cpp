#include "tests/support/cuttableproxy.h"

#include <QHostAddress>
#include <QNetworkProxy>

#include <algorithm>

#include <sys/socket.h>

namespace Sandpiper {

namespace {

constexpr qint64 inFlight = 64 * 1024; // a network holds little, so back-pressure is felt through it

// With a linger of nothing the close is a reset, as when a network goes away and comes back.
void reset(QTcpSocket *socket)
{
    const linger now{1, 0};
    setsockopt(int(socket->socketDescriptor()), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket->abort();
}

} // namespace

CuttableProxy::CuttableProxy(quint16 targetPort, QObject *parent)
    : QObject(parent)
    , m_target(targetPort)
{
    connect(&m_server, &QTcpServer::newConnection, this, [this] { accept(); });
    m_server.setProxy(QNetworkProxy::NoProxy);
    if (!m_server.listen(QHostAddress::LocalHost))
        qFatal("no port for the proxy: %s", qPrintable(m_server.errorString()));
    m_port = m_server.serverPort();
}

CuttableProxy::~CuttableProxy()
{
    cutOnce();
}

void CuttableProxy::accept()
{
    while (QTcpSocket *socket = m_server.nextPendingConnection()) {
        ++m_accepted;
        socket->setParent(nullptr);
        auto &pair = m_pairs.emplace_back(std::make_unique<Pair>());
        pair->client.reset(socket);
        pair->target = std::make_unique<QTcpSocket>();
        pair->target->setProxy(QNetworkProxy::NoProxy);
        QTcpSocket *client = pair->client.get();
        QTcpSocket *target = pair->target.get();
        const Pair *self = pair.get();
        for (QTcpSocket *end : {client, target}) {
            QTcpSocket *other = end == client ? target : client;
            end->setReadBufferSize(inFlight);
            connect(end, &QTcpSocket::connected, this, [this, end, other] {
                end->setSocketOption(QAbstractSocket::LowDelayOption, 1);
                forward(other, end);
            });
            connect(end, &QTcpSocket::readyRead, this, [this, end, other] { forward(end, other); });
            connect(end, &QTcpSocket::bytesWritten, this, [this, self, end, other] {
                forward(other, end);
                if (other->state() == QAbstractSocket::UnconnectedState)
                    settle(self);
            });
            connect(end, &QTcpSocket::disconnected, this, [this, self] { settle(self); }, Qt::QueuedConnection);
            connect(end, &QTcpSocket::errorOccurred, this, [this, self] { settle(self); }, Qt::QueuedConnection);
        }
        client->setSocketOption(QAbstractSocket::LowDelayOption, 1);
        target->connectToHost(QHostAddress(QHostAddress::LocalHost), m_target);
    }
}

void CuttableProxy::forward(QTcpSocket *from, QTcpSocket *to)
{
    if (m_isStalled || to->state() != QAbstractSocket::ConnectedState)
        return;
    const bool isTowardsClient = std::any_of(m_pairs.begin(), m_pairs.end(),
                                             [to](const auto &pair) { return pair->client.get() == to; });
    while (from->bytesAvailable() > 0 && to->bytesToWrite() < inFlight) {
        const QByteArray bytes = from->read(inFlight);
        if (isTowardsClient)
            m_towardsClient += bytes.size();
        to->write(bytes);
    }
}

void CuttableProxy::forwardAll()
{
    for (const auto &pair : m_pairs) {
        forward(pair->client.get(), pair->target.get());
        forward(pair->target.get(), pair->client.get());
    }
}

// Where one end has gone, so does the other, once it has what was on its way.
void CuttableProxy::settle(const Pair *pair)
{
    const auto it = std::find_if(m_pairs.begin(), m_pairs.end(), [pair](const auto &p) { return p.get() == pair; });
    if (it == m_pairs.end() || m_isStalled)
        return;
    const auto isGone = [](const auto &end) { return end->state() == QAbstractSocket::UnconnectedState; };
    const bool isConnecting = pair->target->state() == QAbstractSocket::HostLookupState
            || pair->target->state() == QAbstractSocket::ConnectingState;
    if (isConnecting || (!isGone(pair->client) && !isGone(pair->target)))
        return;
    forward(pair->client.get(), pair->target.get());
    forward(pair->target.get(), pair->client.get());
    for (const auto &[from, to] : {std::pair(pair->client.get(), pair->target.get()),
                                   std::pair(pair->target.get(), pair->client.get())}) {
        if (from->bytesAvailable() > 0 && to->state() == QAbstractSocket::ConnectedState)
            return; // bytesWritten comes back here
    }
    const std::unique_ptr<Pair> gone = std::move(*it);
    m_pairs.erase(it);
    for (auto *end : {&gone->client, &gone->target}) {
        (*end)->disconnect(this);
        QTcpSocket *socket = end->release();
        connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        socket->setParent(this);
        if (socket->state() == QAbstractSocket::UnconnectedState)
            socket->deleteLater();
        else
            socket->disconnectFromHost();
    }
}

void CuttableProxy::cut()
{
    m_server.close();
    cutOnce();
}

void CuttableProxy::cutOnce()
{
    for (const auto &pair : std::exchange(m_pairs, {})) {
        for (QTcpSocket *end : {pair->client.get(), pair->target.get()}) {
            end->disconnect(this);
            reset(end);
        }
    }
}

void CuttableProxy::stall()
{
    m_isStalled = true;
}

void CuttableProxy::resume()
{
    m_isStalled = false;
    if (!m_server.isListening() && !m_server.listen(QHostAddress::LocalHost, m_port))
        qFatal("the proxy's port is taken: %s", qPrintable(m_server.errorString()));
    forwardAll();
    std::vector<const Pair *> pairs; // settle() takes from the list
    for (const auto &pair : m_pairs)
        pairs.push_back(pair.get());
    for (const Pair *pair : pairs)
        settle(pair);
}

} // namespace Sandpiper

// A SOCKS5 or HTTP proxy that does as it is told: carries, refuses, is silent, talks garbage, or dribbles.
#pragma once

#include <QByteArrayList>
#include <QObject>
#include <QTcpServer>
#include <QTcpSocket>

namespace Sandpiper {

class ScriptedProxy : public QObject
{
    Q_OBJECT
public:
    // Each answer is sent when that many bytes more have come (0: a whole HTTP head). Afterwards it
    // carries to target on this computer, where that is not 0, else it closes.
    struct Step
    {
        int awaits = 0;
        QByteArray answer;
    };
    explicit ScriptedProxy(const QList<Step> &steps, quint16 target = 0, QObject *parent = nullptr)
        : QObject(parent)
        , m_steps(steps)
        , m_target(target)
    {
        connect(&m_server, &QTcpServer::newConnection, this, [this] { serve(m_server.nextPendingConnection()); });
        if (!m_server.listen(QHostAddress::LocalHost))
            qFatal("no port for the proxy");
    }
    [[nodiscard]] quint16 port() const { return m_server.serverPort(); }

    QByteArray received; // of the conversation, not of what was carried
    bool dribbles = false; // a byte a write
    bool isSilent = false;

private:
    void serve(QTcpSocket *client)
    {
        client->setParent(this);
        auto left = std::make_shared<QList<Step>>(m_steps);
        auto pending = std::make_shared<QByteArray>();
        auto upstream = std::make_shared<QTcpSocket *>(nullptr);
        connect(client, &QTcpSocket::readyRead, this, [=, this] {
            if (*upstream) {
                (*upstream)->write(client->readAll());
                return;
            }
            *pending += client->readAll();
            while (!left->isEmpty() && !isSilent) {
                const int wanted = left->constFirst().awaits;
                const qsizetype end = pending->indexOf("\r\n\r\n");
                const qsizetype size = wanted > 0 ? wanted : end < 0 ? pending->size() + 1 : end + 4;
                if (pending->size() < size)
                    return;
                received += pending->first(size);
                pending->remove(0, size);
                const QByteArray answer = left->takeFirst().answer;
                if (left->isEmpty() && m_target != 0)
                    *upstream = carry(client);
                say(client, answer);
            }
            if (left->isEmpty() && !*upstream && !isSilent)
                client->disconnectFromHost();
        });
        connect(client, &QTcpSocket::disconnected, client, &QObject::deleteLater);
    }
    void say(QTcpSocket *client, const QByteArray &answer)
    {
        for (qsizetype i = 0; dribbles && i < answer.size(); ++i) {
            client->write(answer.sliced(i, 1));
            client->flush();
        }
        if (!dribbles)
            client->write(answer);
    }
    QTcpSocket *carry(QTcpSocket *client)
    {
        auto *upstream = new QTcpSocket(client);
        connect(upstream, &QTcpSocket::readyRead, client, [=] { client->write(upstream->readAll()); });
        connect(upstream, &QTcpSocket::disconnected, client, [=] { client->disconnectFromHost(); });
        connect(client, &QTcpSocket::disconnected, upstream, [=] { upstream->disconnectFromHost(); });
        upstream->connectToHost(QHostAddress::LocalHost, m_target);
        return upstream;
    }

    QTcpServer m_server;
    QList<Step> m_steps;
    quint16 m_target;
};

} // namespace Sandpiper

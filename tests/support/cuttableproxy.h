// A stretch of network that can be cut: TCP from a loopback port to another one, in this thread.
#pragma once

#include <QObject>
#include <QTcpServer>
#include <QTcpSocket>

#include <memory>
#include <vector>

namespace Sandpiper {

class CuttableProxy : public QObject
{
    Q_OBJECT
public:
    explicit CuttableProxy(quint16 targetPort, QObject *parent = nullptr);
    ~CuttableProxy() override;

    [[nodiscard]] quint16 port() const { return m_port; }
    void setTarget(quint16 port) { m_target = port; } // for new connections
    void cut();    // resets every connection and refuses new ones until resume()
    void cutOnce(); // resets every connection; new ones are let through
    void stall();  // nothing passes in either direction and nobody is told, until resume()
    void resume(); // ends both
    [[nodiscard]] int accepted() const { return m_accepted; } // since the start
    [[nodiscard]] qsizetype open() const { return qsizetype(m_pairs.size()); }
    [[nodiscard]] qint64 towardsClient() const { return m_towardsClient; } // bytes since the start

private:
    struct Pair
    {
        std::unique_ptr<QTcpSocket> client;
        std::unique_ptr<QTcpSocket> target;
    };
    void accept();
    void forward(QTcpSocket *from, QTcpSocket *to);
    void forwardAll();
    void settle(const Pair *pair);

    QTcpServer m_server;
    quint16 m_target;
    quint16 m_port = 0;
    bool m_isStalled = false;
    int m_accepted = 0;
    qint64 m_towardsClient = 0;
    std::vector<std::unique_ptr<Pair>> m_pairs;
};

} // namespace Sandpiper

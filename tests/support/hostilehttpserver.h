// An HTTP server that does what it is told, which need not be HTTP: for tests of clients.
#pragma once

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QObject>
#include <QSslConfiguration>
#include <QTcpServer>

#include <functional>
#include <memory>

namespace Sandpiper {

struct SeenRequest
{
    QByteArray verb;
    QByteArray target; // path and query
    QHash<QByteArray, QByteArray> headers; // names in lower case
    QByteArray body;
};

// What to answer with. bytes are sent as they are.
struct Scripted
{
    enum class Then { KeepOpen, Close, Silence }; // Silence: keep open, never answer anything again
    QByteArray bytes;
    Then then = Then::KeepOpen;
};

class HostileHttpServer : public QObject
{
    Q_OBJECT
public:
    // Listens on 127.0.0.1. With tls it speaks TLS with that certificate and key.
    explicit HostileHttpServer(const QSslConfiguration *tls = nullptr);
    ~HostileHttpServer() override;

    [[nodiscard]] quint16 port() const;
    [[nodiscard]] QString url() const; // "http://127.0.0.1:PORT", or https
    // Called for each whole request; the default answers 404.
    std::function<Scripted(const SeenRequest &)> answer;

    QList<SeenRequest> seen;
    int connections = 0; // accepted so far, TLS or not
    [[nodiscard]] int openConnections() const { return int(m_buffers.size()); }
    [[nodiscard]] qint64 unsentBytes() const; // of all open sockets
    void hangUp(); // closes all sockets

    [[nodiscard]] static QByteArray reply(int status, const QByteArray &body, const QByteArray &extraHeaders = {});
    [[nodiscard]] static Scripted json(const QByteArray &body, int status = 200);

private:
    void accept(QTcpSocket *socket);
    void read(QTcpSocket *socket);
    std::unique_ptr<QTcpServer> m_server;
    QHash<QTcpSocket *, QByteArray> m_buffers;
    QSslConfiguration m_tls;
};

// A throwaway authority and a certificate for 127.0.0.1, localhost and box.invalid signed by it, made by openssl(1).
struct TestCertificates
{
    QByteArray authority; // PEM
    QSslConfiguration server;
    bool isValid = false;
    [[nodiscard]] static TestCertificates make(const QString &folder, const QString &name);
};

} // namespace Sandpiper

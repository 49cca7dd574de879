// Our HTTP client. It follows no redirect, takes nothing without bound, waits for nothing without a
// deadline, and sends a body exactly once. One thread, the one it was made on.
#pragma once

#include "session/error.h"
#include "session/secret.h"

#include <QByteArray>
#include <QList>
#include <QObject>
#include <QUrl>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

class QIODevice;
class QNetworkAccessManager;

namespace Sandpiper {

class HttpCall;

struct HttpRequest
{
    enum class Verb { Get, Post, Put, Patch, Delete };
    // Streamed: a success is handed on piece by piece as it comes, and the network waits for grant().
    enum class Delivery { Whole, Streamed };
    // Fresh: on a connection of its own. For what must not be lost to a server that closes an old
    // connection at the moment it is used again.
    enum class Connection { Shared, Fresh };

    Verb verb = Verb::Get;
    QUrl url;                                         // see checkApiUrl(); a query is allowed
    QList<std::pair<QByteArray, QByteArray>> headers; // "Host" replaces ours
    QByteArray contentType;
    QByteArray body; // POST, PUT, PATCH
    // Instead of body: bodySize bytes out of this device, as it comes to have them. Sequential, so that nothing
    // can be sent twice. Shared with whoever fills it: Qt looks at it for a while after the end.
    std::shared_ptr<QIODevice> bodyDevice;
    qint64 bodySize = 0;
    QString subject; // Error::subject; empty: the host
    std::chrono::milliseconds totalTime{60'000}; // with all retries; 0: no limit
    std::chrono::milliseconds idleTime{30'000};  // without a byte; 0: no limit
    qint64 maxBytes = 1 << 20;                   // of the body of a whole answer
    Delivery delivery = Delivery::Whole;
    Connection connection = Connection::Shared;
};

// Any answer but a redirect, 4xx and 5xx too: only the vendor's code knows what their bodies mean.
struct HttpReply
{
    int status = 0;
    QByteArray contentType;
    QByteArray body;                                // empty where it was streamed
    std::optional<std::chrono::seconds> retryAfter; // from Retry-After, where in seconds

    [[nodiscard]] bool isSuccess() const { return status >= 200 && status < 300; }
    friend bool operator==(const HttpReply &, const HttpReply &) = default;
};

class HttpClient : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        std::shared_ptr<Secret> bearer; // shared with the account's owner; null: no Authorization
        QByteArray pinnedCa;            // PEM; where set, the only authorities trusted
        // Waits before a GET is tried again after a connection error, 502, 503 or 504.
        QList<std::chrono::milliseconds> retryWaits{std::chrono::milliseconds(200), std::chrono::milliseconds(800)};
    };
    explicit HttpClient(const Options &options, QObject *parent = nullptr);
    ~HttpClient() override; // calls under way end without an answer

    // Owned by the client, gone after finished(). Starts when control is back in the event loop.
    HttpCall *send(const HttpRequest &request);

private:
    friend class HttpCall;
    [[nodiscard]] QNetworkAccessManager *makeManager(QObject *parent) const;
    Options m_options;
    // Made with the first call: it starts a thread. Another one after a change of the network setting,
    // because it keeps connections that were made by the old one.
    [[nodiscard]] QNetworkAccessManager *sharedManager();
    std::optional<Error> m_unusable; // why no call can be made
    QNetworkAccessManager *m_shared = nullptr;
    QList<QNetworkAccessManager *> m_retired; // until their last call is done
    quint64 m_turn = 0; // of the network setting, when m_shared was made
};

// One request with its retries.
class HttpCall : public QObject
{
    Q_OBJECT
public:
    ~HttpCall() override;
    void cancel();
    // Streamed: lets this many more bytes of body come; nothing comes before the first call.
    void grant(qint64 bytes);

signals:
    void answered(int status); // Streamed, 2xx: before the first received()
    void received(const QByteArray &piece);
    void sent(qint64 bytes); // of the body, so far; also those that only left this program
    // Exactly once. Layers: Dns, Tcp, Tls, Http. Kinds: those of a connection, Timeout, Cancelled,
    // TooLarge, InvalidInput, Protocol (also for a redirect).
    void finished(const Sandpiper::Result<Sandpiper::HttpReply> &reply);

private:
    friend class HttpClient;
    HttpCall(HttpClient *client, const HttpRequest &request);
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace Sandpiper

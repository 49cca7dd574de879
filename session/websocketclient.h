// A WebSocket (RFC 6455) from the client's side. Our own, because QWebSocket reads whatever comes as
// fast as it comes, keeps the body of a refusal to itself, and cannot replace the Host header.
// One thread; no call blocks.
#pragma once

#include "session/error.h"
#include "session/secret.h"

#include <QList>
#include <QObject>
#include <QUrl>

#include <chrono>
#include <memory>
#include <utility>

namespace Sandpiper {

// Everything that is said before the first frame. Redirects are refused, never followed.
struct WebSocketRequest
{
    QUrl url; // wss or https; ws or http only to this computer. Carries no secret.
    QList<std::pair<QByteArray, QByteArray>> headers; // "Host" replaces ours
    QList<std::pair<QByteArray, std::shared_ptr<Secret>>> secretHeaders; // never logged
    QByteArray pinnedCa; // PEM; where set, the only authorities trusted
};

struct WebSocketTiming
{
    std::chrono::milliseconds connectDeadline{15'000}; // name, connect, TLS and upgrade together
    std::chrono::milliseconds pingInterval{20'000};    // lost when two go unanswered
    std::chrono::milliseconds closeDeadline{2'000};    // for the other side's answer to our close
    std::chrono::milliseconds probeDeadline{5'000};    // for any sign of life after probe()
    std::chrono::milliseconds drainDeadline{30'000};   // for the next byte after finish()
};

// How it ended. Exactly one of: the peer's close frame (hasCode), or an error.
struct WebSocketEnd
{
    bool wasOpen = false;
    bool hasCode = false;
    quint16 code = 1005; // 1005: a close frame without a code
    QString reason;      // as sent; not tamed
    // Refused upgrades carry the kind for their HTTP status and the message of their JSON body.
    // Layers: Dns, Tcp, Tls, Http, Auth, SandboxState, WebSocket.
    Error error;
};

class WebSocketClient : public QObject
{
    Q_OBJECT
public:
    // Reading starts with `window` bytes of payload; the network waits once they are used up, until
    // grant() gives more.
    WebSocketClient(const WebSocketRequest &request, qint64 window, const WebSocketTiming &timing = {},
                    QObject *parent = nullptr);
    ~WebSocketClient() override;

    void start(); // once
    [[nodiscard]] bool isOpen() const;
    // One whole binary message; payload of any size. Ignored unless open.
    void send(QByteArrayView payload);
    // ≤ 125 bytes; its answer comes by pongReceived().
    void ping(QByteArrayView payload);
    // Asks whether anybody is still there; nothing heard in time ends it. Not while the window is used
    // up: who does not read cannot hear.
    void probe();
    [[nodiscard]] qint64 bytesToWrite() const;
    void grant(qint64 bytes);
    // Says goodbye, so nothing more can be sent, and goes on receiving what the other side sends before its own
    // goodbye; ended() follows. A connection that breaks afterwards, or says nothing more in time, has ended with
    // 1006. Open only.
    void finish(quint16 code);
    // Says goodbye and ends quietly: no signal comes afterwards. The object may be deleted at once,
    // or told to delete itself when the other side has answered.
    enum class Afterwards { Keep, DeleteLater };
    void close(quint16 code, Afterwards afterwards);

signals:
    void opened();
    // A piece of a binary message. Pieces of one message come in order; only a message of no bytes
    // has an empty piece that is first.
    void received(const QByteArray &piece, bool isFirst, bool isLast);
    void textIgnored(); // a text message came and was skipped
    void pongReceived(const QByteArray &payload);
    void written(); // bytesToWrite() shrank
    void ended(const Sandpiper::WebSocketEnd &end); // at most once; nothing follows

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace Sandpiper

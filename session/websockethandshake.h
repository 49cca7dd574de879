// The HTTP part of a WebSocket: the request, the answer, and what a refusal means. Pure; any thread.
#pragma once

#include "session/websocketclient.h"

#include <optional>

namespace Sandpiper {

// Whether the request may be sent at all: a host, a scheme (ws and http only to this computer), and
// headers without line breaks. InvalidInput, Layer::WebSocket.
[[nodiscard]] Done checkWebSocketRequest(const WebSocketRequest &request);
[[nodiscard]] bool wantsTls(const QUrl &url);
[[nodiscard]] quint16 portOf(const QUrl &url);

[[nodiscard]] QByteArray makeWebSocketKey(); // 16 random bytes, base64
// Holds secrets: wipe() it when it has been handed over.
[[nodiscard]] QByteArray composeUpgrade(const WebSocketRequest &request, const QByteArray &key);

// Reads the answer as it comes.
class UpgradeReply
{
public:
    explicit UpgradeReply(const QByteArray &key) : m_key(key) {}

    enum class Outcome {
        Incomplete,
        Accepted, // what follows in the input is frames
        Refused,  // see error()
    };
    // Takes from the front of input. Headers over 32 KiB are a refusal; of a refusal's body at most
    // 16 KiB are kept.
    [[nodiscard]] Outcome take(QByteArrayView &input);
    // The peer has closed, or there was no time for more: judges by what there is.
    [[nodiscard]] Outcome finish();
    [[nodiscard]] bool hasHead() const { return m_headDone; }
    [[nodiscard]] const Error &error() const { return m_error; }

private:
    [[nodiscard]] Outcome parseHead();
    [[nodiscard]] Outcome checkUpgrade();
    [[nodiscard]] Outcome refuse(ErrorKind kind, const QString &detail);
    [[nodiscard]] QByteArray header(QByteArrayView lowerCaseName) const; // several: joined by ", "

    const QByteArray m_key;
    QByteArray m_head;
    bool m_headDone = false;
    QList<std::pair<QByteArray, QByteArray>> m_headers; // names in lower case
    int m_status = 0;
    QByteArray m_body;
    qint64 m_bodyWanted = -1; // -1: until the peer closes
    bool m_isChunked = false;
    Error m_error;
};

// An HTTP status that is not success, with the body that came with it: {"error": …, "code": …},
// {"message": …}, or plain text.
[[nodiscard]] Error refusalError(int status, const QByteArray &body);

} // namespace Sandpiper

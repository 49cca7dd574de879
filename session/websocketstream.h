// The far end of a connection at the other side of one WebSocket: its binary messages are the bytes. I/O thread.
#pragma once

#include "session/farstream.h"
#include "session/websocketclient.h"

#include <functional>

namespace Sandpiper {

// The wire has no half of a connection: endOutput() says goodbye and takes in what comes before the other goodbye.
// A text message is a breach of protocol.
class WebSocketStream : public FarStream
{
    Q_OBJECT
public:
    // ask: called by start(), for whoever knows the way; they call go() later. explain: what a refusal means there.
    WebSocketStream(std::function<void()> ask, std::function<Error(const Error &)> explain);
    ~WebSocketStream() override;

    void go(const Result<WebSocketRequest> &request, std::chrono::milliseconds patience);

    void start() override { m_ask(); }
    void send(QByteArrayView bytes) override;
    [[nodiscard]] qint64 waiting() const override;
    void grant(qint64 bytes) override;
    void endOutput() override;

private:
    void closed(const WebSocketEnd &end);
    void end(const std::optional<Error> &why);

    std::function<void()> m_ask;
    std::function<Error(const Error &)> m_explain;
    WebSocketClient *m_client = nullptr; // ours by parent, until it says goodbye by itself
    bool m_isOver = false;
};

} // namespace Sandpiper

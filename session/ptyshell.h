// A shell over a PTY WebSocket: binary messages whose first byte says what they are.
//   to the server:   02 ready (always first) · 00 input · 01 columns u16 rows u16, big-endian
//   from the server: 00 output · 03 exit code i32, followed by a close with the reason "exit:<code>"
// Source: docs.tensorlake.ai, "PTY sessions" and "WebSocket", checked 2026-08.
#pragma once

#include "session/provider.h"
#include "session/shell.h"
#include "session/websocketclient.h"

#include <QFuture>

#include <functional>
#include <memory>
#include <optional>

namespace Sandpiper {

// What a vendor adds to it: where the sockets are and how a session is made and ended.
struct PtyEndpoint
{
    QString subject; // the sandbox's name, for errors
    // The socket of a session. Called for every attempt, so it may follow a sandbox that has moved.
    std::function<WebSocketRequest(const PtyHandle &)> request;
    std::function<QFuture<Result<PtyHandle>>(TerminalSize)> create;
    // NotFound counts as done.
    std::function<QFuture<Done>(const QString &session)> kill;
};

struct PtyTiming
{
    WebSocketTiming socket;
    std::chrono::milliseconds createDeadline{30'000};
    std::chrono::milliseconds replayQuiet{250}; // silence after which a replay is taken to be over
    std::chrono::milliseconds killDeadline{10'000}; // for the end that follows a kill
};

// The server keeps this much output and sends it again to whoever attaches.
inline constexpr qint64 ptyReplayLimit = 1 << 20;

// open() makes a session and attaches to it; attach() attaches to the one known, and repeats up to
// ptyReplayLimit of what was shown: replaying(true), …, replaying(false) once it has been quiet or
// more than the limit has come (the protocol does not mark the end).
class PtyShell : public Shell
{
    Q_OBJECT
public:
    // known: the session that attach() shall find; open() forgets it.
    PtyShell(PtyEndpoint endpoint, const std::optional<PtyHandle> &known, const PtyTiming &timing = {},
             QObject *parent = nullptr);
    ~PtyShell() override; // as detach()

    [[nodiscard]] std::optional<PtyHandle> handle() const;

    [[nodiscard]] ShellState state() const override;
    [[nodiscard]] bool canReattach() const override;
    void open(TerminalSize size) override;
    void attach(TerminalSize size) override;
    void write(QByteArrayView bytes) override;
    void resize(TerminalSize size) override;
    void detach() override;
    void kill() override;
    void consumed(qint64 bytes) override;
    [[nodiscard]] qint64 pendingInput() const override;
    void probe() override;

signals:
    // As soon as open() has made it, before stateChanged(Open).
    void sessionKnown(const Sandpiper::PtyHandle &handle);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace Sandpiper

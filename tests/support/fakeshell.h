// A shell without a far side: the test plays it. Keeps Shell's promise that no signal comes from
// inside a call. GUI thread.
#pragma once

#include "session/shell.h"

namespace Sandpiper {

class FakeShell : public Shell
{
    Q_OBJECT
public:
    using Shell::Shell;

    // --- what the test may set and see ---------------------------------------------------------
    bool opensAtOnce = true;
    bool reattachable = true;
    std::optional<Error> refuses; // opening ends with Failed and this
    QByteArray written;
    QList<TerminalSize> sizes; // of open(), attach() and resize()
    int opened = 0;
    int attached = 0;
    int detached = 0;
    int kills = 0;
    qint64 unconsumed = 0;
    int probes = 0;

    void say(const QByteArray &bytes)
    {
        unconsumed += bytes.size();
        emit outputReceived(bytes);
    }
    void becomeOpen() { setState(ShellState::Open); }
    void end(const ShellEnd &how)
    {
        setState(ShellState::Ended);
        emit ended(how);
    }
    void exit(int code) { end({.kind = ShellEnd::Kind::Exited, .exitCode = code, .signalName = {}, .error = {}}); }
    void lose()
    {
        end({.kind = ShellEnd::Kind::Lost, .exitCode = 0, .signalName = {},
             .error = {ErrorKind::ConnectionLost, Layer::WebSocket, {}, {}}});
    }

    // --- Shell ---------------------------------------------------------------------------------
    [[nodiscard]] ShellState state() const override { return m_state; }
    [[nodiscard]] bool canReattach() const override { return reattachable; }
    void open(TerminalSize size) override
    {
        ++opened;
        begin(size);
    }
    void attach(TerminalSize size) override
    {
        ++attached;
        begin(size);
    }
    void write(QByteArrayView bytes) override
    {
        if (m_state == ShellState::Open || m_state == ShellState::Opening)
            written += bytes;
    }
    void resize(TerminalSize size) override { sizes << size; }
    void detach() override
    {
        ++detached;
        setStateLater(ShellState::Detached);
    }
    void kill() override
    {
        ++kills;
        QMetaObject::invokeMethod(this, [this] {
            end({.kind = ShellEnd::Kind::Killed, .exitCode = 0, .signalName = {}, .error = {}});
        }, Qt::QueuedConnection);
    }
    void consumed(qint64 bytes) override { unconsumed -= bytes; }
    [[nodiscard]] qint64 pendingInput() const override { return 0; }
    void probe() override { ++probes; }

private:
    void begin(TerminalSize size)
    {
        sizes << size;
        m_state = ShellState::Opening;
        QMetaObject::invokeMethod(this, [this] {
            emit stateChanged(m_state);
            if (refuses)
                end({.kind = ShellEnd::Kind::Failed, .exitCode = 0, .signalName = {}, .error = *refuses});
            else if (opensAtOnce && m_state == ShellState::Opening)
                becomeOpen();
        }, Qt::QueuedConnection);
    }
    void setState(ShellState state)
    {
        if (std::exchange(m_state, state) != state)
            emit stateChanged(state);
    }
    void setStateLater(ShellState state)
    {
        m_state = state;
        QMetaObject::invokeMethod(this, [this, state] { emit stateChanged(state); }, Qt::QueuedConnection);
    }
    ShellState m_state = ShellState::Idle;
};

} // namespace Sandpiper

// The far side of forwards that go over a program in the sandbox: its relay, or a program for each connection. I/O
// thread.
#pragma once

#include "session/bridgeframes.h"
#include "session/bridgerelay.h"
#include "session/descriptorstream.h"
#include "session/farside.h"

#include <QHash>
#include <QSet>
#include <QTimer>

namespace Sandpiper {

class BridgeStream;

class BridgeSide : public FarSide
{
    Q_OBJECT
public:
    struct Asks // none from inside a call
    {
        std::function<void()> ready;
        std::function<void(const Error &)> lost;
        // A program for one connection is wanted: go() is to bring its stream, or why there is none.
        std::function<void(quint64 call, const QByteArray &commandLine)> dial;
    };
    // pipe: to what bridgeCommand() runs.
    BridgeSide(FileDescriptor pipe, Asks asks);
    ~BridgeSide() override; // the streams go first

    [[nodiscard]] std::optional<Error> refusal(const ForwardSpec &spec) const override;
    [[nodiscard]] Result<std::unique_ptr<FarStream>> reach(const ForwardSpec::End &target) override;
    [[nodiscard]] size_t mostStreams() const override;
    void listen(int id, const ForwardSpec::End &at) override;
    void unlisten(int id) override;
    void go(quint64 call, Result<FileDescriptor> stream);

private:
    friend class BridgeStream;
    void greeted(QByteArrayView bytes);
    void taken(QByteArrayView bytes);
    [[nodiscard]] Done understand(const BridgeFrame &frame);
    [[nodiscard]] Done came(const BridgeFrame &frame);
    void lose(const Error &error);
    void say(char letter, quint32 number, QByteArrayView payload = {});
    [[nodiscard]] bool hasRoom() const { return m_pipe.waiting() < kMostWaitingFar; }
    void drained();
    void forget(quint32 number) { m_streams.remove(number); }

    Asks m_asks;
    DescriptorStream m_pipe;
    QTimer m_patience; // with the greeting and the relay
    BridgeGreeting m_greeting;
    BridgeParser m_parser;
    BridgeTool m_tool = BridgeTool::None;
    bool m_isGreeted = false;
    bool m_isReady = false;
    bool m_isLost = false;
    QHash<quint32, BridgeStream *> m_streams;
    QHash<quint32, ForwardSpec::End> m_listeners;
    QHash<quint64, DescriptorStream *> m_dialled;
    quint32 m_lastNumber = 0;
    quint64 m_lastCall = 0;
};

} // namespace Sandpiper

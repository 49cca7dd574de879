// One connection of a relay (session/bridgeside). I/O thread.
#pragma once

#include "session/bridgeframes.h"
#include "session/farstream.h"

#include <QPointer>

namespace Sandpiper {

class BridgeSide;

class BridgeStream : public FarStream
{
    Q_OBJECT
public:
    // start() has the relay connect to target, and says that it is there where it came from the relay.
    BridgeStream(BridgeSide *side, quint32 number, const std::optional<ForwardSpec::End> &target);
    ~BridgeStream() override;

    void start() override;
    void send(QByteArrayView bytes) override;
    [[nodiscard]] qint64 waiting() const override { return m_out.size(); }
    void grant(qint64 bytes) override;
    void endOutput() override;
    void reset() override;

    // From the side. A failure: the relay sent what it must not.
    [[nodiscard]] Done take(const BridgeFrame &frame);
    void pump(); // there is room in the pipe

private:
    [[nodiscard]] Done takeData(const QByteArray &bytes);
    void tell(); // what came before start()
    void flush();
    void leave();
    void settle();
    void end(const std::optional<Error> &why);

    QPointer<BridgeSide> m_side; // null: we are over
    quint32 m_number;
    std::optional<ForwardSpec::End> m_target;
    QByteArray m_out;
    QByteArray m_early; // came before start()
    std::optional<Error> m_brokenEarly;
    qint64 m_credit = kMostWaitingFar; // that may be sent
    qint64 m_room = kMostWaitingFar;   // that may be received
    qint64 m_granted = 0;              // and was not said yet
    bool m_isStarted = false;
    bool m_isOpen = false;
    bool m_inputEnded = false;
    bool m_outputEnded = false;
    bool m_saidEnd = false;
};

} // namespace Sandpiper

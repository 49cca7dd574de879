// The forwards of one link whose connections are streams of ours rather than channels of SSH: listeners here, and
// what the far side listens at. In the I/O thread.
#pragma once

#include "session/farside.h"
#include "session/forwarddial.h"
#include "session/forwarddoor.h"
#include "session/forwardsheld.h"
#include "session/forwardtraffic.h"
#include "session/streamjoint.h"

#include <map>

namespace Sandpiper {

class StreamForwards : public QObject
{
public:
    // tell: never from inside a call.
    StreamForwards(std::unique_ptr<FarSide> side, ForwardWay way, const ForwardOwner &owner, const ForwardRules &rules,
                   std::function<void(const ForwardReport &)> tell, std::function<void(int, const ForwardTraffic &)> tellTraffic);
    ~StreamForwards() override;

    [[nodiscard]] FarSide *side() { return m_side.get(); }
    void add(int id, const ForwardSpec &spec); // at once where it has begun
    void stop(int id);
    void limit(int id, qint64 bytesPerSecond); // 0: as fast as it goes
    void closeConnection(int id, quint64 connection);
    void begin(); // the far side is there
    // It is gone: each forward is lost, once.
    void lose(const Error &error);

private:
    struct Forward;
    void begin(Forward &forward);
    void listenHere(Forward &forward);
    void join(Forward &forward, StreamJoint::End end, const QString &from, const ForwardSpec::End &target);
    void joinHere(int id, FarStream *stream);
    void dialled();
    void start(Forward &forward, StreamJoint::End end, std::unique_ptr<FarStream> stream, const QString &from, const ForwardSpec::End &target);
    void noteTraffic(Forward &forward);
    void tellTraffic(Forward &forward);
    void tellAllTraffic();
    void listens(Forward &forward, const ForwardSpec::End &at);
    void fail(Forward &forward, const Error &error, bool isHeldElsewhere = false);
    void tellTrouble(Forward &forward, const std::optional<Error> &error);
    void setState(Forward &forward, ForwardStatus status);
    void close(Forward &forward);
    [[nodiscard]] Forward *find(int id);
    [[nodiscard]] bool hasRoom() const;
    void lookAgain();

    struct Awaited // a connection from there, until the one here is made
    {
        int id = 0;
        std::unique_ptr<FarStream> stream;
    };

    std::unique_ptr<FarSide> m_side;
    ForwardWay m_way;
    ForwardOwner m_owner;
    ForwardRules m_rules;
    std::function<void(const ForwardReport &)> m_tell;
    std::function<void(int, const ForwardTraffic &)> m_tellTraffic;
    QTimer m_trafficRest; // until the next may be told
    std::map<int, std::unique_ptr<Forward>> m_forwards;
    ForwardDial m_dial;
    std::unique_ptr<QSocketNotifier> m_dialBell;
    std::map<quint64, Awaited> m_awaited;
    quint64 m_lastCall = 0;
    size_t m_joints = 0;
    bool m_hasBegun = false;
};

} // namespace Sandpiper

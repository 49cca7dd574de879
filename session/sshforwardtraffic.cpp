// SshForwards: what goes through each, how fast it may, and which connections there are.
#include "session/sshforwardsprivate.h"

using namespace std::chrono_literals;

namespace Sandpiper {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kBetweenNews = 1s;

} // namespace

void SshForwards::limit(int id, qint64 bytesPerSecond)
{
    if (Forward *forward = find(id))
        forward->rate.limit(bytesPerSecond);
    m_woken = true; // whoever waited for the rate of before
}

void SshForwards::closeConnection(int id, quint64 connection)
{
    Forward *forward = find(id);
    if (!forward)
        return;
    for (const Tunnel &tunnel : forward->tunnels) {
        if (tunnel.told.id == connection)
            tunnel.channel->close();
    }
    m_woken = true;
}

// Every pump comes by here, so that it costs no more than a few additions where nothing is due.
void SshForwards::noteTraffic(Forward &forward)
{
    // All that is added up only grows: bytes, connections that began, connections that ended.
    const qint64 ended = qint64(forward.lastConnection) - qint64(forward.tunnels.size());
    qint64 mark = forward.pastSent + forward.pastReceived + qint64(forward.lastConnection) + ended;
    for (const Tunnel &tunnel : forward.tunnels)
        mark += tunnel.channel->sent() + tunnel.channel->received();
    const auto now = Clock::now();
    if (mark != forward.toldMark && !forward.tellAt)
        forward.tellAt = std::max(now, forward.toldAt + kBetweenNews);
    if (!forward.tellAt || now < *forward.tellAt)
        return;
    forward.toldMark = mark;
    forward.toldAt = now;
    tellTraffic(forward);
}

void SshForwards::tellTraffic(Forward &forward)
{
    forward.tellAt.reset();
    const QDateTime now = QDateTime::currentDateTimeUtc();
    ForwardTraffic traffic;
    traffic.sent = forward.pastSent;
    traffic.received = forward.pastReceived;
    traffic.connections = qint64(forward.lastConnection);
    for (Tunnel &tunnel : forward.tunnels) {
        const qint64 sent = tunnel.channel->sent();
        const qint64 received = tunnel.channel->received();
        tunnel.told.update(sent, received, now);
        tunnel.told.to = tunnel.channel->place();
        traffic.sent += sent;
        traffic.received += received;
        traffic.open.append(tunnel.told);
    }
    m_mail.events.put(FromLink::ForwardTrafficChanged{forward.id, std::move(traffic)});
}

} // namespace Sandpiper

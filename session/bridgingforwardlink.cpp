#include "session/bridgingforwardlink.h"

#include "session/sshchannel.h"

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

class SshBridgePipe : public BridgePipe
{
public:
    SshBridgePipe(SshLink &link, const QByteArray &commandLine, FileDescriptor stream)
        : m_channel(link.openPipe(commandLine, std::move(stream)))
    {
        connect(m_channel.get(), &SshChannel::ended, this, [this](const ShellEnd &end) { emit ended(end.error); });
    }

private:
    std::unique_ptr<SshChannel> m_channel;
};

// What the server did not allow, or the library cannot ask it for. A port that is taken, say, is so by any way.
bool isForABridge(const Error &error, const ForwardSpec &spec)
{
    // OpenSSH words a prohibition of UNIX sockets and a missing one alike.
    if (spec.kind == ForwardSpec::Kind::Local && !spec.target.path.isEmpty() && error.kind == ErrorKind::HostUnreachable)
        return true;
    return error.kind == ErrorKind::Unsupported || error.kind == ErrorKind::PermissionDenied;
}

} // namespace

BridgingForwardLink::BridgingForwardLink(const LinkOptions &options, PromptHandler *prompts, Bridges bridges, const std::optional<ServerFeatures> &known, QObject *parent)
    : ForwardLink(parent)
    , m_options(options)
    , m_link(options, prompts)
    , m_bridges(bridges)
    , m_known(known)
{
    connect(&m_link, &SshLink::stateChanged, this, [this](LinkState state) {
        if (state != LinkState::Ready)
            return;
        if (m_bridges == Bridges::Everything)
            return startBridge(); // whether that works is known when it is there
        if (std::ranges::any_of(m_forwards, [](const auto &each) { return each.second.over == Over::Bridge; }))
            startBridge();
        m_isReady = true;
        emit ready();
    });
    connect(&m_link, &SshLink::bannerReceived, this, &ForwardLink::bannerReceived);
    connect(&m_link, &SshLink::forwardChanged, this, &BridgingForwardLink::reportOfSsh);
    connect(&m_link, &SshLink::forwardTrafficChanged, this, [this](int inside, const ForwardTraffic &traffic) { trafficOf(Over::Ssh, inside, traffic); });
    connect(&m_link, &SshLink::closed, this, &BridgingForwardLink::closed);
}

BridgingForwardLink::~BridgingForwardLink()
{
    m_link.disconnect(this);
    if (m_bridge)
        m_bridge->disconnect(this);
    m_bridge.reset(); // its channel is the link's
}

bool BridgingForwardLink::needsBridge(const ForwardSpec &spec) const
{
    if (m_bridges == Bridges::Everything)
        return true;
    const auto isRefused = [this](ServerFeature feature) { return m_known && m_known->of(feature).kind == FeatureAnswer::Kind::No; };
    switch (spec.kind) {
    case ForwardSpec::Kind::Local: return isRefused(spec.target.path.isEmpty() ? ServerFeature::LocalForward : ServerFeature::UnixForward);
    case ForwardSpec::Kind::Dynamic: return isRefused(ServerFeature::LocalForward);
    case ForwardSpec::Kind::Remote: return !spec.listen.path.isEmpty() || isRefused(ServerFeature::RemoteForward);
    case ForwardSpec::Kind::RemoteDynamic: return false;
    }
    Q_UNREACHABLE_RETURN(false);
}

int BridgingForwardLink::addForward(const ForwardSpec &spec)
{
    const int id = ++m_lastId;
    Forward &forward = m_forwards.emplace(id, Forward{spec, Over::Ssh, 0, {}, 0}).first->second;
    if (needsBridge(spec))
        toBridge(forward);
    else
        forward.inside = m_link.addForward(spec);
    return id;
}

void BridgingForwardLink::stopForward(int id)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    Forward &forward = it->second;
    if (forward.over == Over::Ssh && forward.inside != 0)
        return m_link.stopForward(forward.inside);
    if (forward.over == Over::Bridge && m_bridge && forward.inside != 0)
        return m_bridge->stopForward(forward.inside);
    // It is between the two, or waits for the bridge.
    QMetaObject::invokeMethod(this, [this, id] { tell(id, {ForwardStatus::State::Stopped, {}, {}, false}); }, Qt::QueuedConnection);
}

void BridgingForwardLink::limitForward(int id, qint64 bytesPerSecond)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    Forward &forward = it->second;
    forward.bytesPerSecond = bytesPerSecond;
    if (forward.over == Over::Ssh)
        m_link.limitForward(forward.inside, bytesPerSecond);
    else if (forward.over == Over::Bridge && m_bridge && forward.inside != 0)
        m_bridge->limitForward(forward.inside, bytesPerSecond);
}

void BridgingForwardLink::closeConnection(int id, quint64 connection)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    if (it->second.over == Over::Ssh)
        m_link.closeForwardConnection(it->second.inside, connection);
    else if (it->second.over == Over::Bridge && m_bridge)
        m_bridge->closeConnection(it->second.inside, connection);
}

void BridgingForwardLink::trafficOf(Over over, int inside, const ForwardTraffic &traffic)
{
    const auto it = std::ranges::find_if(m_forwards, [&](const auto &each) { return each.second.over == over && each.second.inside == inside; });
    if (it != m_forwards.end())
        emit trafficChanged(it->first, traffic);
}

void BridgingForwardLink::tell(int id, const ForwardStatus &status, const std::optional<Error> &trouble)
{
    const auto it = m_forwards.find(id);
    if (it == m_forwards.end())
        return;
    const ForwardReport report{id, it->second.spec, status, trouble};
    if (status.isOver() && !trouble)
        m_forwards.erase(it);
    emit forwardChanged(report);
}

void BridgingForwardLink::reportOfSsh(const ForwardReport &report)
{
    const auto it = std::ranges::find_if(m_forwards, [&](const auto &each) { return each.second.over != Over::Bridge && each.second.inside == report.id; });
    if (it == m_forwards.end())
        return;
    auto &[id, forward] = *it;
    const ForwardStatus::State state = report.status.state;
    if (forward.over == Over::Leaving) {
        if (state == ForwardStatus::State::Stopped)
            return toBridge(forward);
        return state == ForwardStatus::State::Lost ? tell(id, report.status) : void();
    }
    const bool isRefused = state == ForwardStatus::State::Failed && isForABridge(report.status.error, forward.spec) && !report.status.isHeldElsewhere && forward.spec.kind != ForwardSpec::Kind::RemoteDynamic;
    if (!report.trouble && isRefused) {
        forward.why = report.status.error;
        return toBridge(forward);
    }
    if (report.trouble && isForABridge(*report.trouble, forward.spec)) {
        forward.why = report.trouble;
        forward.over = Over::Leaving;
        m_link.stopForward(forward.inside);
        return;
    }
    tell(id, report.status, report.trouble);
}

void BridgingForwardLink::toBridge(Forward &forward)
{
    forward.over = Over::Bridge;
    forward.inside = 0;
    if (m_link.state() != LinkState::Ready)
        return; // startBridge() takes it along
    startBridge();
    if (forward.inside == 0)
        addToBridge(forward);
}

void BridgingForwardLink::addToBridge(Forward &forward)
{
    forward.inside = m_bridge->addForward(forward.spec);
    if (forward.bytesPerSecond > 0)
        m_bridge->limitForward(forward.inside, forward.bytesPerSecond);
}

void BridgingForwardLink::startBridge()
{
    if (m_bridge)
        return;
    // As SshForwards has it, so that a listener of ours is known to be ours.
    m_bridge = std::make_unique<BridgeForwardLink>(ForwardOwner{m_options.sandbox.toString(), m_options.displayName}, m_options.forwardRules,
                                                   [this](const QByteArray &commandLine, FileDescriptor stream) {
                                                       return std::make_unique<SshBridgePipe>(m_link, commandLine, std::move(stream));
                                                   });
    connect(m_bridge.get(), &ForwardLink::forwardChanged, this, &BridgingForwardLink::reportOfBridge);
    connect(m_bridge.get(), &ForwardLink::trafficChanged, this, [this](int inside, const ForwardTraffic &traffic) { trafficOf(Over::Bridge, inside, traffic); });
    connect(m_bridge.get(), &ForwardLink::closed, this, &BridgingForwardLink::bridgeClosed);
    connect(m_bridge.get(), &ForwardLink::ready, this, [this] {
        if (!std::exchange(m_isReady, true))
            emit ready();
    });
    m_bridge->connectToHost();
    for (auto &[id, forward] : m_forwards) {
        if (forward.over == Over::Bridge && forward.inside == 0)
            addToBridge(forward);
    }
}

void BridgingForwardLink::reportOfBridge(const ForwardReport &report)
{
    const auto it = std::ranges::find_if(m_forwards, [&](const auto &each) { return each.second.over == Over::Bridge && each.second.inside == report.id; });
    // That it is lost is told when it is known whether the link is, too.
    if (it == m_forwards.end() || report.status.state == ForwardStatus::State::Lost)
        return;
    ForwardStatus status = report.status;
    if (status.state == ForwardStatus::State::Failed && it->second.why && status.error.kind == ErrorKind::Unsupported)
        status.error.detail = it->second.why->detail + u"; and a bridge: "_s + status.error.detail;
    tell(it->first, status, report.trouble);
}

// SSH may be there all the same: then those of the bridge have failed, and are tried again if they had ever worked.
void BridgingForwardLink::bridgeClosed(const Error &error)
{
    m_bridge->disconnect(this);
    m_bridge.release()->deleteLater(); // it is calling us
    if (m_link.state() == LinkState::Closed)
        return; // closed() tells
    if (m_bridges == Bridges::Everything)
        return closed(error);
    std::vector<int> theirs;
    for (const auto &[id, forward] : m_forwards) {
        if (forward.over == Over::Bridge)
            theirs.push_back(id);
    }
    for (const int id : theirs) {
        const std::optional<Error> why = m_forwards.contains(id) ? m_forwards.at(id).why : std::nullopt;
        Error full = why.value_or(error);
        if (why)
            full.detail += u"; and a bridge: "_s + error.detail;
        tell(id, {ForwardStatus::State::Failed, {}, full, false, ForwardWay::Bridge});
    }
}

void BridgingForwardLink::closed(const Error &error)
{
    m_link.disconnect(this);
    m_isReady = false;
    if (m_bridge)
        m_bridge->disconnect(this);
    std::vector<int> all;
    for (const auto &[id, forward] : m_forwards)
        all.push_back(id);
    for (const int id : all)
        tell(id, {ForwardStatus::State::Lost, {}, error, false});
    emit ForwardLink::closed(error);
}

} // namespace Sandpiper

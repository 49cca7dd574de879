#include "session/forwardways.h"

#include "session/bridgingforwardlink.h"
#include "session/choosingforwardlink.h"
#include "session/sshforwardlink.h"
#include "session/tunnelforwardlink.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

std::optional<Error> missing(Capability capability, const Sandbox &sandbox, const QString &usual)
{
    const QString reason = sandbox.capabilities.reasonAgainst(capability);
    return Error{ErrorKind::Unsupported, Layer::Provider, reason.isEmpty() ? usual : reason, sandbox.displayName()};
}

std::optional<Error> sshRefusal(const Sandbox &sandbox)
{
    return sandbox.ssh ? std::nullopt : missing(Capability::SshShell, sandbox, u"it has no SSH"_s);
}

std::optional<Error> tunnelWayRefusal(const Sandbox &sandbox, const std::optional<ForwardSpec> &spec)
{
    if (!sandbox.capabilities.has(Capability::Tunnel))
        return missing(Capability::Tunnel, sandbox, u"its vendor has no tunnel of its own"_s);
    std::optional<Error> refusal = spec ? tunnelRefusal(*spec) : std::nullopt;
    if (refusal)
        refusal->subject = sandbox.displayName();
    return refusal;
}

} // namespace

std::optional<Error> wayRefusal(ForwardWay way, const Sandbox &sandbox, const std::optional<ForwardSpec> &spec)
{
    switch (way) {
    case ForwardWay::Ssh: return sshRefusal(sandbox);
    case ForwardWay::Tunnel: return tunnelWayRefusal(sandbox, spec);
    case ForwardWay::Bridge: return sshRefusal(sandbox); // what it is made of is known when it is tried
    case ForwardWay::Automatic: break;
    }
    const std::optional<Error> bySsh = sshRefusal(sandbox);
    if (!bySsh)
        return {};
    const std::optional<Error> byTunnel = tunnelWayRefusal(sandbox, spec);
    return byTunnel && sandbox.capabilities.has(Capability::Tunnel) ? byTunnel : byTunnel ? bySsh : std::nullopt;
}

Result<std::unique_ptr<ForwardLink>> makeForwardLink(const ForwardWays &ways, ForwardWay way, const Sandbox &sandbox)
{
    if (const std::optional<Error> refusal = wayRefusal(way, sandbox))
        return std::unexpected(*refusal);
    const bool hasTunnel = ways.provider && !wayRefusal(ForwardWay::Tunnel, sandbox);
    const auto tunnel = [sandbox, provider = ways.provider] { return std::make_unique<TunnelForwardLink>(sandbox, provider); };
    if (way == ForwardWay::Tunnel || !sandbox.ssh)
        return tunnel();
    const LinkOptions options = ways.linkOptions(sandbox);
    if (way == ForwardWay::Ssh)
        return std::make_unique<SshForwardLink>(options, ways.prompts);
    if (way == ForwardWay::Bridge)
        return std::make_unique<BridgingForwardLink>(options, ways.prompts, BridgingForwardLink::Bridges::Everything);
    auto ssh = std::make_unique<BridgingForwardLink>(options, ways.prompts, BridgingForwardLink::Bridges::WhereNeeded,
                                                     ways.features ? ways.features(sandbox.id) : std::nullopt);
    if (!hasTunnel)
        return ssh;
    return std::make_unique<ChoosingForwardLink>(
            std::move(ssh), ChoosingForwardLink::Second{tunnel, tunnelRefusal, u"SSH takes none of your keys for %1: its forwards go through the vendor's tunnel."_s.arg(tamed(sandbox.displayName(), 80))});
}

} // namespace Sandpiper

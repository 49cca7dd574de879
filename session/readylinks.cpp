#include "session/readylinks.h"

#include "session/sshcommand.h"

namespace Sandpiper {
namespace {

// The owner's own next channel must not be refused for one of ours.
constexpr int kChannelsLeft = 2;

} // namespace

std::unique_ptr<RemoteCommand> ReadyLinks::makeCommand(const SandboxId &sandbox, const CommandSpec &spec)
{
    for (SshLinkCore *link : m_links.value(sandbox)) {
        if (link->state() == LinkState::Ready && link->sessionCount() + kChannelsLeft < kMostChannels)
            return std::make_unique<SshCommand>(link, spec, SshCommand::Around::Nothing);
    }
    return nullptr;
}

void ReadyLinks::join(const SandboxId &sandbox, SshLinkCore *link)
{
    if (sandbox.isEmpty())
        return;
    const bool isFirst = !has(sandbox);
    m_links[sandbox].append(link);
    connect(link, &SshLinkCore::closed, this, [this, sandbox, link] { leave(sandbox, link); });
    connect(link, &QObject::destroyed, this, [this, sandbox, link] { leave(sandbox, link); });
    if (isFirst)
        emit changed(sandbox);
}

void ReadyLinks::leave(const SandboxId &sandbox, const SshLinkCore *link)
{
    const auto links = m_links.find(sandbox);
    if (links == m_links.end() || links->removeIf([link](const SshLinkCore *one) { return one == link; }) == 0 || !links->isEmpty())
        return;
    m_links.erase(links);
    emit changed(sandbox);
}

} // namespace Sandpiper

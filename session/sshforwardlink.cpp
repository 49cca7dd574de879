#include "session/sshforwardlink.h"

namespace Sandpiper {

SshForwardLink::SshForwardLink(const LinkOptions &options, PromptHandler *prompts, QObject *parent)
    : ForwardLink(parent)
    , m_link(options, prompts)
{
    connect(&m_link, &SshLink::stateChanged, this, [this](LinkState state) {
        if (state == LinkState::Ready)
            emit ready();
    });
    connect(&m_link, &SshLink::bannerReceived, this, &ForwardLink::bannerReceived);
    connect(&m_link, &SshLink::forwardChanged, this, &ForwardLink::forwardChanged);
    connect(&m_link, &SshLink::forwardTrafficChanged, this, &ForwardLink::trafficChanged);
    connect(&m_link, &SshLink::closed, this, &ForwardLink::closed);
}

} // namespace Sandpiper

// SshForwards: somebody at a SOCKS listener.
#include "session/sshforwardsprivate.h"

namespace Sandpiper {

TunnelSpec SshForwards::Client::tunnel()
{
    TunnelSpec spec;
    spec.host = socks().host();
    spec.port = socks().port();
    spec.originHost = accepted().originHost;
    spec.originPort = accepted().originPort;
    spec.stream = std::make_shared<FileDescriptor>(takeStream());
    spec.early = socks().early();
    spec.greeting = [socks = socks()](const Error *why) { return why ? socks.refused(why->kind) : socks.granted(); };
    return spec;
}

} // namespace Sandpiper

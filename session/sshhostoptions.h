// What an ssh_config says of a host, as the options of a link to it. Pure; any thread.
#pragma once

#include "session/sshconfig.h"
#include "session/sshlink.h"

#include <QMap>

namespace Sandpiper {

// What to ask the configuration for options.endpoint. InvalidInput: no safe alias or user.
[[nodiscard]] Result<SshHostQuery> hostQueryFor(const LinkOptions &options);

// Fills in what the options do not say; what they say stays. environment: ours, for SendEnv.
// InvalidInput: what ssh refuses. Unsupported: what Sandpiper cannot do and must not leave out, such as
// a list of which the library knows no algorithm. Both name file and line.
[[nodiscard]] Result<LinkOptions> withHostConfig(LinkOptions options, const SshHostConfig &config,
                                                 const QMap<QString, QString> &environment);

} // namespace Sandpiper

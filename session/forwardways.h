// The ways that forwards can go to a sandbox, and which of them it is. GUI thread.
#pragma once

#include "session/forwardlink.h"
#include "session/serverfeatures.h"
#include "session/sshlink.h"

#include <QPointer>

#include <functional>

namespace Sandpiper {

// Why this way cannot carry such a forward to that sandbox; without a spec, why it cannot carry any. Nothing: it can, as
// far as is known. Automatic: why none can. Pure.
[[nodiscard]] std::optional<Error> wayRefusal(ForwardWay way, const Sandbox &sandbox, const std::optional<ForwardSpec> &spec = {});

struct ForwardWays
{
    QPointer<SandboxProvider> provider; // null: a machine of no vendor
    std::function<LinkOptions(const Sandbox &)> linkOptions;
    PromptHandler *prompts = nullptr; // borrowed, outlives the links
    // What the SSH server of a sandbox was found to be able to do; may be null.
    std::function<std::optional<ServerFeatures>(const SandboxId &)> features;
};
// Automatic: SSH, with a bridge for what its server does not carry; and where it takes no key of the user's, the
// vendor's tunnel. Unsupported, with the reason, where
// the way is not there.
[[nodiscard]] Result<std::unique_ptr<ForwardLink>> makeForwardLink(const ForwardWays &ways, ForwardWay way, const Sandbox &sandbox);

} // namespace Sandpiper

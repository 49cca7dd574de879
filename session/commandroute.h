// The way by which one command runs in a sandbox. GUI thread.
#pragma once

#include "session/logins.h"
#include "session/prompt.h"
#include "session/provider.h"

#include <memory>

namespace Sandpiper {

enum class CommandRoute {
    Best, // SSH where the sandbox brings its own keys or has nothing else, else the vendor's interface
    Ssh,
    Api, // carries lines of text, and not any bytes
};

// provider may be null, for a plain SSH host. All borrowed pointers must outlive the command. Unsupported
// with the reason where the sandbox does not have that way; SandboxNotRunning where it is known to sleep.
[[nodiscard]] Result<std::unique_ptr<RemoteCommand>> makeRemoteCommand(const Sandbox &sandbox, SandboxProvider *provider,
                                                                       PromptHandler *prompts, const CommandSpec &spec,
                                                                       const SignIn &signIn = {}, CommandRoute route = CommandRoute::Best);

} // namespace Sandpiper

#include "session/commandroute.h"

#include "session/sshlink.h"

namespace Sandpiper {

Result<std::unique_ptr<RemoteCommand>> makeRemoteCommand(const Sandbox &sandbox, SandboxProvider *provider, PromptHandler *prompts,
                                                         const CommandSpec &spec, const SignIn &signIn, CommandRoute route)
{
    // A connection might wake it, and bill it; that is for its user to decide.
    if (sandbox.state == SandboxState::Suspended || sandbox.state == SandboxState::Terminated)
        return failure(ErrorKind::SandboxNotRunning, Layer::SandboxState, sandbox.stateText, sandbox.displayName());
    // SSH carries bytes as they are, so it is the better one where it asks nobody for a key.
    const bool keysAtHand = sandbox.ssh && (provider == nullptr || !sandbox.ssh->identityFiles.isEmpty());
    std::unique_ptr<RemoteCommand> command;
    if (route == CommandRoute::Ssh || (route == CommandRoute::Best && keysAtHand)) {
        if (sandbox.ssh)
            command = makeSshCommand(linkOptionsFor(sandbox, signIn), spec, prompts);
    } else if (provider != nullptr) {
        command = provider->makeCommand(sandbox, spec);
    }
    if (!command)
        return failure(ErrorKind::Unsupported, Layer::Provider,
                       sandbox.capabilities.reasonAgainst(route == CommandRoute::Ssh ? Capability::SshShell : Capability::Exec),
                       sandbox.displayName());
    return command;
}

} // namespace Sandpiper

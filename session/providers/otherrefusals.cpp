// Vendors with a handful of refusals each.
#include "session/providers/refusals.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

// Its SSH gateway refuses by a bare USERAUTH_FAILURE, whatever the reason; that needs no row. These are
// told within a channel or over HTTP.
const QList<Refusal> &sandbox0Refusals()
{
    using enum Layer;
    static const QList<Refusal> rows{
        {"failed to start sandbox shell"_L1, {Ssh, SandboxState},
         u"The SSH gateway could not start a shell in the sandbox %1."_s, NextStep::Retry},
        {"failed to start sandbox command"_L1, {Ssh, SandboxState},
         u"The SSH gateway could not start the command in the sandbox %1."_s, NextStep::Retry},
        {"sandbox shell disconnected"_L1, {Ssh, SandboxState},
         u"The SSH gateway lost the sandbox %1 while the shell ran."_s, NextStep::Retry},
        {"sandbox command disconnected"_L1, {Ssh, SandboxState},
         u"The SSH gateway lost the sandbox %1 while the command ran."_s, NextStep::Retry},
        {"only session channels are supported"_L1, {Ssh},
         u"The SSH gateway of %1 forwards no ports."_s, NextStep::None},
        {"legacy scp mode is not supported"_L1, {Ssh, Sftp},
         u"The SSH gateway of %1 does not know the old scp; copy by SFTP."_s, NextStep::None},
    };
    return rows;
}

// The proxy in front of a sandbox answers the WebSocket handshake with JSON. "port" is in it where the
// sandbox runs and nothing listens.
const QList<Refusal> &e2bRefusals()
{
    using enum Layer;
    static const QList<Refusal> rows{
        {"e2b-traffic-access-token"_L1, {Http, WebSocket, Provider},
         u"The HTTP request to the sandbox %1 was refused: its traffic access token is missing or not valid."_s,
         NextStep::RefreshList},
        {"\"port\":"_L1, {Http, WebSocket},
         u"The WebSocket connection was refused: the sandbox %1 runs, but nothing listens on the port for SSH; its template needs an SSH server."_s,
         NextStep::CreateSandbox},
        {"\"sandboxId\":"_L1, {Http, WebSocket},
         u"The WebSocket connection was refused: the sandbox %1 is paused or gone."_s, NextStep::ResumeSandbox},
        {"connectionLimit"_L1, {Http, WebSocket},
         u"The WebSocket connection was refused: the sandbox %1 has as many connections as its vendor allows."_s,
         NextStep::WaitAndRetry},
    };
    return rows;
}

// What the vendor's program writes to its standard error before it ends.
const QList<Refusal> &microsandboxRefusals()
{
    using enum Layer;
    static const QList<Refusal> rows{
        {"sandbox not found: "_L1, {Ssh, Provider, SandboxState},
         u"The sandbox %1 is not on this computer any more."_s, NextStep::RefreshList},
        {"sandbox already exists: "_L1, {Provider, SandboxState},
         u"A sandbox with the name of %1 is there already."_s, NextStep::RefreshList},
        {"libkrunfw not found: "_L1, {Ssh, Provider, SandboxState},
         u"The sandbox %1 cannot be started: microsandbox is not installed whole on this computer."_s, NextStep::None},
        {"sandbox still running: "_L1, {Provider, SandboxState},
         u"The sandbox %1 is still running; stop it first."_s, NextStep::None},
        {"failed to start \""_L1, {Ssh, Provider, SandboxState},
         u"The sandbox %1 could not be started."_s, NextStep::StartSandbox},
    };
    return rows;
}

const QList<Refusal> &knownRefusals()
{
    static const QList<Refusal> rows = tensorlakeRefusals() + sandbox0Refusals() + e2bRefusals() + microsandboxRefusals();
    return rows;
}

} // namespace Sandpiper

#include "session/providers/refusals.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

// SSH: what the vendor's SSH proxy says when it disconnects (documentation, "SSH and PTY Sessions").
// Codes and close reasons: the proxy and the in-sandbox daemon.
const QList<Refusal> &tensorlakeRefusals()
{
    using enum Layer;
    static const QList<Refusal> rows{
        {"is not registered with Tensorlake"_L1, {},
         u"The SSH server of %1 does not know this key: it is not registered with Tensorlake."_s,
         NextStep::RegisterKey},
        {"is not present in any of your projects"_L1, {},
         u"The SSH server does not find the sandbox %1 in any of your projects."_s,
         NextStep::RefreshList},
        {"is currently terminated"_L1, {Ssh, Auth, SandboxState},
         u"The SSH server refused the connection: the sandbox %1 is terminated."_s,
         NextStep::RefreshList},
        {"is currently "_L1, {Ssh, Auth, SandboxState},
         u"The SSH server refused the connection: the sandbox %1 is not running."_s,
         NextStep::ResumeSandbox},
        {"TOO_MANY_SESSIONS"_L1, {},
         u"The sandbox %1 has as many terminal sessions as its vendor allows; ended ones go after a "
         u"minute."_s,
         NextStep::WaitAndRetry},
        {"INVALID_TOKEN"_L1, {},
         u"The WebSocket connection to the shell in %1 was refused: its token is not valid any "
         u"more."_s,
         NextStep::StartNewShell},
        {"SESSION_NOT_FOUND"_L1, {},
         u"The shell session in %1 that the WebSocket connection asked for is gone."_s,
         NextStep::StartNewShell},
        {"session terminated"_L1, {WebSocket, SandboxState},
         u"The WebSocket connection was closed: the shell in %1 was ended from elsewhere."_s,
         NextStep::StartNewShell},
        {"pre-ready buffer overflow"_L1, {WebSocket},
         u"The WebSocket connection to the shell in %1 was closed: it wrote more than the server "
         u"keeps while we were connecting."_s,
         NextStep::Retry},
        {"output lagged by"_L1, {WebSocket},
         u"The WebSocket connection to the shell in %1 was closed: its output came faster than it "
         u"could be read."_s,
         NextStep::Retry},
        {"input rate limit exceeded"_L1, {WebSocket},
         u"The WebSocket connection to the shell in %1 was closed: input was sent faster than the "
         u"server takes it."_s,
         NextStep::Retry},
        {"SANDBOX_NOT_RUNNING"_L1, {}, u"The sandbox %1 is not running."_s, NextStep::ResumeSandbox},
        {"SANDBOX_NOT_FOUND"_L1, {}, u"The sandbox %1 is not known to the vendor's proxy."_s,
         NextStep::RefreshList},
        {"MISSING_SANDBOX_ID"_L1, {},
         u"The vendor's proxy could not tell that the HTTP request was meant for the sandbox %1."_s,
         NextStep::ReportBug},
        {"CONNECTION_REFUSED"_L1, {Http, WebSocket, Provider, SandboxState},
         u"The vendor's proxy was refused a connection by the sandbox %1: nothing listens there."_s,
         NextStep::Retry},
        {"CONNECTION_CLOSED"_L1, {Http, WebSocket, Provider, SandboxState},
         u"The sandbox %1 closed the connection of the vendor's proxy before it had answered."_s,
         NextStep::Retry},
        {"PROXY_ERROR"_L1, {}, u"The vendor's proxy could not reach the sandbox %1."_s,
         NextStep::Retry},
        {"CONNECTION_TIMEOUT"_L1, {}, u"The vendor's proxy did not reach the sandbox %1 in time."_s,
         NextStep::Retry},
        {"READ_TIMEOUT"_L1, {}, u"The vendor's proxy got no answer from the sandbox %1 in time."_s,
         NextStep::Retry},
        {"WRITE_TIMEOUT"_L1, {}, u"The vendor's proxy could not hand the request to the sandbox %1 in "
                                 u"time."_s,
         NextStep::Retry},
        {"NOT_A_DIRECTORY"_L1, {Provider}, u"%1 is not a folder, or a part of the way to it is none."_s, NextStep::None},
        {"IS_DIRECTORY"_L1, {Provider}, u"%1 is a folder, and a file is wanted."_s, NextStep::None},
        {"NOT_A_FILE"_L1, {Provider}, u"%1 is a device, a pipe or a socket, which the sandbox's file interface does not serve."_s, NextStep::None},
        {"PATH_TRAVERSAL"_L1, {Provider}, u"The sandbox's file interface takes no path with “..” in it, as %1 has."_s, NextStep::None},
        {"PERMISSION_DENIED"_L1, {Provider}, u"The sandbox's user may not do that to %1."_s, NextStep::None},
        {"NO_SPACE"_L1, {}, u"There is no space left in the sandbox for %1."_s, NextStep::FreeSpace},
        {"STDIN_NOT_WRITABLE"_L1, {}, u"The command in the sandbox %1 takes no more input."_s,
         NextStep::None},
    };
    return rows;
}

} // namespace Sandpiper

// The programs that a bridge runs in a sandbox, made of what is there. Pure; any thread.
#pragma once

#include "session/forwardspec.h"

#include <QByteArray>
#include <QList>

namespace Sandpiper {

// Run by the shell there: says what it has (BridgeGreeting), and becomes the relay whose relayScript() it is given.
[[nodiscard]] QByteArray bridgeCommand();

enum class BridgeTool {
    None,
    Python3, // one relay for all connections, both directions
    Perl,
    Socat,   // one program for each connection, from here alone
    Netcat,
    Bash,
};
// The best of what there is.
[[nodiscard]] BridgeTool bridgeToolOf(const QList<QByteArray> &found);
[[nodiscard]] constexpr bool isRelay(BridgeTool tool)
{
    return tool == BridgeTool::Python3 || tool == BridgeTool::Perl;
}

// What the shell is told: the tool and the program for it.
[[nodiscard]] QByteArray relayScript(BridgeTool tool);
// A connection from there to target, whose bytes are those of the program's input and output. Empty: the tool cannot.
[[nodiscard]] QByteArray connectionCommand(BridgeTool tool, const ForwardSpec::End &target);

} // namespace Sandpiper

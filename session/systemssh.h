// The system's ssh as what SSH runs over, for hosts that are known only by a certificate authority: it
// checks host certificates, which libssh 0.11 cannot ask a server for. Inside its connection, which ends
// at the SSH server itself, the server's plain key needs no further proof. Pure; any thread.
#pragma once

#include "session/sshlink.h"

#include <QStringList>

namespace Sandpiper {

// argv of program (ssh's path) that joins its standard input and output to the server's own SSH port. It
// asks nobody anything, and no key that it does not know is accepted. Empty: options want what it
// cannot be told, or host and user cannot stand on a command line.
[[nodiscard]] QStringList systemSshCommand(const QString &program, const LinkOptions &options);

} // namespace Sandpiper

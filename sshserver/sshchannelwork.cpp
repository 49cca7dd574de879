#include "sshserver/sshchannelwork.h"

#include "session/signalnames.h"

#include <algorithm>

namespace Sandpiper {

int sshSignalNumber(const char *name)
{
    const std::optional<int> number = signalNumber(QString::fromLatin1(name));
    return number && !signalName(*number).isEmpty() ? *number : 0;
}

QByteArray sshSignalName(int number)
{
    const QByteArray name = signalName(number);
    return name.isEmpty() ? QByteArrayLiteral("KILL") : name;
}

bool isEnvironmentName(const QByteArray &name)
{
    const auto isWordCharacter = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.isEmpty() && !(name.front() >= '0' && name.front() <= '9')
            && std::all_of(name.cbegin(), name.cend(), isWordCharacter);
}

TerminalRequest terminalRequest(ssh_message message)
{
    // The newer callback interface answers at once, see SshServing.
    QT_WARNING_PUSH
    QT_WARNING_DISABLE_DEPRECATED
    const TerminalSize size{ssh_message_channel_request_pty_width(message), ssh_message_channel_request_pty_height(message)};
    const char *term = ssh_message_channel_request_pty_term(message);
    QT_WARNING_POP
    return {tamed(QString::fromUtf8(term), 64).toUtf8(), size.clamped()};
}

} // namespace Sandpiper

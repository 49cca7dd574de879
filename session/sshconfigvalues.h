// One line of an ssh_config put into the values of a host: the first value counts, lists grow. Pure.
#pragma once

#include "session/sshconfiglines.h"
#include "session/sshhostconfig.h"

namespace Sandpiper {

// What has been said so far, as it was written: nothing is filled in yet.
struct SshWritten
{
    std::optional<QString> hostName;
    std::optional<QString> user;
    std::optional<quint16> port;
    std::optional<QString> jumpHost; // the whole ProxyJump, or "none"
    std::optional<QString> ignoreUnknown;
    std::optional<bool> compression;
    std::optional<bool> pubkeyAuthentication;
    std::optional<bool> passwordAuthentication;
    std::optional<bool> kbdInteractiveAuthentication;
    std::optional<SshAddressFamily> addressFamily;
    std::optional<SshTtyWish> requestTty;
    std::optional<QString> agentForward; // "yes", "no", a path or a variable
    std::optional<QString> hostKeyAlias;
    std::optional<QString> remoteCommand;
    std::optional<QString> bindAddress;
    std::optional<QString> preferredAuthentications;
    std::optional<QString> tag;
    std::optional<bool> gatewayPorts;
    std::optional<bool> exitOnForwardFailure;
    std::optional<bool> clearAllForwardings;
    std::optional<bool> streamLocalBindUnlink;
    std::optional<int> streamLocalBindMask;
    std::optional<QStringList> permitRemoteOpen;
    SshHostConfig values; // everything else
};

// Host, Match, Include, and what is not for us are none of its business, and change nothing.
struct SshApplied
{
    QString mistake; // not empty: ssh refuses the line
    bool took = false;
};
[[nodiscard]] SshApplied applySshSetting(const SshConfigLine &line, SshWritten &written);

} // namespace Sandpiper

// The lines of an ssh_config: how OpenSSH cuts them into words, and which words it knows. Pure; any thread.
#pragma once

#include <QByteArrayView>
#include <QList>
#include <QString>
#include <QStringList>

namespace Sandpiper {

enum class SshKeyword {
    Host,
    Match,
    Include,
    IgnoreUnknown,
    Tag,
    HostName,
    Port,
    User,
    IdentityFile,
    CertificateFile,
    IdentityAgent,
    IdentitiesOnly,
    ProxyJump,
    ProxyCommand,
    HostKeyAlias,
    UserKnownHostsFile,
    GlobalKnownHostsFile,
    StrictHostKeyChecking,
    ServerAliveInterval,
    ServerAliveCountMax,
    ForwardAgent,
    LocalForward,
    RemoteForward,
    DynamicForward,
    GatewayPorts,
    ExitOnForwardFailure,
    ClearAllForwardings,
    StreamLocalBindMask,
    StreamLocalBindUnlink,
    PermitRemoteOpen,
    SendEnv,
    SetEnv,
    RemoteCommand,
    RequestTty,
    Ciphers,
    KexAlgorithms,
    Macs,
    HostKeyAlgorithms,
    PubkeyAcceptedAlgorithms,
    ConnectTimeout,
    AddressFamily,
    BindAddress,
    Compression,
    AddKeysToAgent,
    PreferredAuthentications,
    PubkeyAuthentication,
    PasswordAuthentication,
    KbdInteractiveAuthentication,
    Meaningless, // it changes nothing that Sandpiper does
    NotDone,     // ssh acts on it, Sandpiper does not
    Unknown,     // it is not known here
};

struct SshConfigLine
{
    int number = 0; // from 1
    SshKeyword keyword = SshKeyword::Unknown;
    QString name;          // the keyword in lower case
    QString rest;          // all behind it, for the keywords that take a command
    QStringList arguments; // the rest, cut into words
    QString mistake;       // not empty: ssh refuses the line for this reason
};

// Empty lines and comments are left out. Of more lines than these the last one has a mistake.
inline constexpr qsizetype kMostConfigLines = 50'000;
[[nodiscard]] QList<SshConfigLine> sshConfigLines(QByteArrayView content);

// The words of a line: quotes, backslashes before them, and a comment where a word could begin.
// False where a quote is not closed.
[[nodiscard]] bool splitSshWords(QStringView text, QStringList &words);

// "*" and "?", and nothing else. Takes no longer than the product of both lengths.
[[nodiscard]] bool matchesSshPattern(QStringView text, QStringView pattern);
// A comma-separated list; a pattern behind "!" that matches decides against it.
enum class PatternCase { AsWritten, Lowered };
[[nodiscard]] bool matchesSshPatterns(QStringView text, QStringView list, PatternCase patternCase);

} // namespace Sandpiper

// "%h", "${HOME}" and "~" in the values of an ssh_config. Pure but for the list of users; any thread.
#pragma once

#include "session/error.h"

#include <QString>

#include <functional>
#include <optional>

namespace Sandpiper {

// What the tokens stand for (ssh_config(5), TOKENS).
struct SshTokens
{
    QString hostName;   // %h
    QString original;   // %n
    QString keyAlias;   // %k
    QString remoteUser; // %r
    QString jumpHost;   // %j
    quint16 port = 22;  // %p
    QString localUser;  // %u
    QString home;       // %d
    uint uid = 0;       // %i
    QString localHost;  // %l, and its first part for %L
    std::function<std::optional<QString>(const QString &name)> variable; // of the environment

    [[nodiscard]] QString connectionHash() const; // %C
};

enum class TokenUse {
    HostName,   // %h
    User,       // all but %r and %C; ${…}
    Proxy,      // %h %n %p %r
    Command,    // all
    Path,       // all; ${…}
    Include,    // all but %C; ${…}
    EnvironmentOnly,
};

// InvalidInput: a token or a variable that cannot stand here; the detail says which. "%%" is a percent sign.
[[nodiscard]] Result<QString> expandSshTokens(const QString &text, const SshTokens &tokens, TokenUse use);
// "~/x" and "~user/x". A user that does not exist: InvalidInput.
[[nodiscard]] Result<QString> expandSshHome(const QString &path, const QString &home);

} // namespace Sandpiper

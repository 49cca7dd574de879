// Who may enter which sandbox, and in which words others are refused. Pure.
#pragma once

#include "gateway/sandboxstore.h"

#include <QString>

#include <functional>
#include <optional>

namespace Sandpiper {

// The user part of an SSH address: `<id|name>` or `<port>-<id|name>`.
struct SshUser
{
    QString target;
    quint16 port = 0; // 0: the sandbox itself
    friend bool operator==(const SshUser &, const SshUser &) = default;
};
// Empty where it cannot name a sandbox: too long, characters that no name has, a port out of range.
[[nodiscard]] std::optional<SshUser> parseSshUser(const QString &user);

// The refusals, in the words clients look for (Tensorlake docs, "SSH and PTY Sessions").
[[nodiscard]] QString keyNotRegisteredText();
[[nodiscard]] QString sandboxNotPresentText(const QString &target);
[[nodiscard]] QString sandboxNotRunningText(const QString &target, LocalState state);
[[nodiscard]] QString statusWord(LocalState state);

struct SshVerdict
{
    std::optional<LocalSandbox> sandbox; // let in
    quint16 port = 0;
    QString refusal; // else why
};
// For somebody whose key is known: does the sandbox exist, and does it run?
[[nodiscard]] SshVerdict admit(const QString &user, const std::function<std::optional<LocalSandbox>(const QString &)> &lookup);

} // namespace Sandpiper

// How the user wants to be logged in to each sandbox, and which ssh-agent is theirs: one versioned file
// in the config folder. GUI thread; the file is small.
#pragma once

#include "session/keptfile.h"
#include "session/sandbox.h"
#include "session/sshlink.h"

#include <QHash>

namespace Sandpiper {

// What is empty is as the sandbox's vendor, or ssh, would have it.
struct LoginChoice
{
    QString user;
    QString term; // of the shell: "xterm-256color"
    QString key;  // "SHA256:…" or a file
    bool forwardsAgent = false; // programs there may sign with the keys of the agent here
    bool withoutSftp = false; // no file of it is asked for, nor served

    [[nodiscard]] bool isEmpty() const { return *this == LoginChoice(); }
    friend bool operator==(const LoginChoice &, const LoginChoice &) = default;
};

class LoginStore
{
public:
    // file: logins.json; see KeptFile.
    explicit LoginStore(const QString &file);

    [[nodiscard]] LoginChoice of(const SandboxId &sandbox) const { return m_choices.value(sandbox); }
    [[nodiscard]] std::optional<Error> loadError() const { return m_file.error(); }
    // An empty choice takes it out. What another program has changed meanwhile is taken in. InvalidInput,
    // TooLarge, LocalDisk: nothing has changed.
    [[nodiscard]] Done set(const SandboxId &sandbox, const LoginChoice &choice);
    [[nodiscard]] QString agentSocket() const { return m_agentSocket; } // empty: SSH_AUTH_SOCK
    // Without a choice of the user's it is the one that ssh itself would ask; empty: there is none.
    [[nodiscard]] QString agentToAsk() const;
    [[nodiscard]] Done setAgentSocket(const QString &socket);
    // InvalidInput with a sentence: what no server and no file could mean.
    [[nodiscard]] static Done check(const LoginChoice &choice);

private:
    [[nodiscard]] Done change(const std::function<void(QHash<SandboxId, LoginChoice> &)> &edit, const QJsonObject &others = {});

    KeptFile m_file;
    QHash<SandboxId, LoginChoice> m_choices;
    QString m_agentSocket;
};

// registered: fingerprints that the sandbox's account knows; available: those of this computer, a file
// for each, or empty where only an agent has it. The first of registered that is available: its file,
// else its fingerprint. Empty: none is.
[[nodiscard]] QString matchingKey(const QList<SshKey> &registered, const QHash<QString, QString> &available);

// With what a user signs in to one sandbox from this computer.
struct SignIn
{
    LoginChoice choice;
    QString matchingKey; // see there
    QString agentSocket; // empty: SSH_AUTH_SOCK
};
// Of the key that is offered first; empty where there is none, or only an agent has it.
[[nodiscard]] QString keyFileOf(const SignIn &signIn);
// As linkOptionsFor(sandbox). The user's choice goes over what matches; a vendor's own key files over both.
// An SSH host's key file is a choice of the user's too.
[[nodiscard]] LinkOptions linkOptionsFor(const Sandbox &sandbox, const SignIn &signIn);

} // namespace Sandpiper

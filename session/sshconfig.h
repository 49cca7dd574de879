// The user's configuration of OpenSSH: ~/.ssh/config, /etc/ssh/ssh_config and what they include, read as
// ssh reads them (ssh_config(5); measured against ssh -G of OpenSSH 10.0).
#pragma once

#include "session/sshhostconfig.h"

#include <functional>
#include <memory>

namespace Sandpiper {

class SshConfigReading;

// A Host that names one machine: a pattern without wildcards.
struct SshHostAlias
{
    QString name;
    SshConfigPlace place;

    friend bool operator==(const SshHostAlias &, const SshHostAlias &) = default;
};

// What to ask for. What stands here comes before every file, as it does on ssh's command line.
struct SshHostQuery
{
    QString host;
    QString user;     // empty: not said
    quint16 port = 0; // 0: not said
};

// One reading of the files: made, asked any number of times, thrown away. What it reads it keeps, so one
// reading never mixes two states of a file. Blocks while it reads: not for the GUI thread. Any thread, but
// one at a time.
class SshConfig
{
public:
    struct Sources
    {
        QString userFile;   // empty: none
        QString systemFile; // empty: none
        QString home;       // of the user, for "~" and %d
        // ssh takes no file of the user's that somebody else could have written. Off for a file that
        // was named explicitly, as it is for ssh -F; what that includes is looked at all the same.
        enum class Ownership { Checked, AsGiven };
        Ownership ownership = Ownership::Checked;
        QString localUser;
        uint uid = 0;
        QString localHost;
        std::function<std::optional<QString>(const QString &name)> variable; // of the environment
        // Whether the command of a "Match exec" gives 0, tokens filled in. Runs programs that a file
        // names: only for users who have agreed to it. Unset: nobody has, and such a block is left out.
        std::function<bool(const QString &command)> runs;
    };
    // This user's, with the environment as it is now.
    [[nodiscard]] static Sources defaultSources();

    explicit SshConfig(Sources sources);
    ~SshConfig();
    SshConfig(SshConfig &&) noexcept;
    SshConfig &operator=(SshConfig &&) noexcept;

    // Never fails: see SshHostConfig::refusal().
    [[nodiscard]] SshHostConfig resolve(const SshHostQuery &query);
    // Of the user's file and what it includes, in their order, each name once. Not of the system's file:
    // distributions have Hosts there that are no machines of anybody's (systemd's "machine/.host").
    [[nodiscard]] QList<SshHostAlias> aliases();
    // The files that were looked for so far, also those that are not there.
    [[nodiscard]] QStringList files() const;
    // Folders in which an Include with wildcards has looked so far.
    [[nodiscard]] QStringList folders() const;

private:
    std::unique_ptr<SshConfigReading> d;
};

} // namespace Sandpiper

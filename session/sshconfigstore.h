// Sandpiper's own file of Host blocks, and the one line in the user's ~/.ssh/config that includes it.
// Touches the disk, briefly; any thread. Writers of several programs take turns.
#pragma once

#include "session/error.h"
#include "session/sshhostblock.h"

#include <QHash>

#include <functional>

namespace Sandpiper {

struct SshConfigFiles
{
    QString blocks;     // ours
    QString knownHosts; // ours: pinned host keys
    QString userConfig; // the user's own
};
// In configFolder(), and ~/.ssh/config.
[[nodiscard]] SshConfigFiles defaultSshConfigFiles();

struct SshBlockChange
{
    QList<SshHostBlock> blocks; // put in place of what their owners have
    // Whether a block that is not among them stays; unset: all do.
    std::function<bool(const QString &owner)> keeps;
};

// Who has which alias in our file. Empty where there is no file. TooLarge, Io.
[[nodiscard]] Result<QHash<QString, QString>> sshAliasOwners(const SshConfigFiles &files);
// Both files of ours, private, each replaced at once; pinned host keys come first. Nothing is written
// where nothing changes. TooLarge, Io, Timeout where another writer does not finish.
[[nodiscard]] Done writeSshBlocks(const SshConfigFiles &files, const SshBlockChange &change);
// Pinned host keys alone: for command lines that need no Host.
[[nodiscard]] Done writeSshHostKeys(const SshConfigFiles &files, const QList<SshHostBlock> &blocks);

// "Include …", as it goes into the user's file.
[[nodiscard]] QString sshIncludeLine(const SshConfigFiles &files);
// Whether it stands there for every host: before the first Host or Match. TooLarge, Io.
[[nodiscard]] Result<bool> hasSshInclude(const SshConfigFiles &files);
// Puts the line at the top, after the user has agreed to it. Follows symbolic links, keeps mode and owner,
// and leaves a copy of the file as it was; gives the copy's name, empty where there was no file.
// Does nothing where the line is there. Conflict where the file changes meanwhile, Io, TooLarge.
[[nodiscard]] Result<QString> addSshInclude(const SshConfigFiles &files);

} // namespace Sandpiper

// Sandboxes in other programs: command lines to copy, and programs to start. Pure; any thread.
#pragma once

#include "session/sshhostblock.h"

#include <functional>

namespace Sandpiper {

enum class CopyTool { Ssh, Scp, Sftp, Rsync, Websocat };

// What the placeholders of a copied command are called: words to be replaced.
inline constexpr QLatin1StringView kFilePlaceholder("FILE");
inline constexpr QLatin1StringView kFolderPlaceholder("FOLDER");

// A whole command line for a POSIX shell, for every copy tool but Websocat. It needs the block's
// knownHostsFile to hold its host key (writeSshHostKeys), and nothing else.
[[nodiscard]] QString commandTextFor(CopyTool tool, const SshHostBlock &block);
// For a Host that ssh knows by itself.
[[nodiscard]] Result<QString> commandTextFor(CopyTool tool, const QString &hostAlias);
// ssh inside a WebSocket, carried by websocat. No credential of the URL gets in. InvalidInput where it is
// no WebSocket's.
[[nodiscard]] Result<QString> websocatText(const QUrl &webSocket, const SshHostBlock &block);

enum class OpenTool { VsCode, Cursor, JetBrains, Terminal };

struct ToolLaunch
{
    QString program; // an absolute path; empty: url is for the desktop to open
    QStringList arguments;
    QUrl url;

    friend bool operator==(const ToolLaunch &, const ToolLaunch &) = default;
};

// What is there on this computer; functions, so that tests bring their own.
struct ToolSurroundings
{
    // Its path; empty: it is not installed.
    std::function<QString(const QString &program)> find = [](const QString &) { return QString(); };
    // Whether the desktop has a program for it.
    std::function<bool(const QString &scheme)> opensUrls = [](const QString &) { return false; };
    QString cli = {}; // path of sandpiper-cli; empty: it is not there
};
// PATH, the desktop's tables, and the sandpiper-cli beside this program.
[[nodiscard]] ToolSurroundings toolSurroundings();

// Opens the machine behind a Host of ssh_config. folder may be empty: the program asks. NotFound with a
// whole sentence in `detail` where the program is not there, InvalidInput where the alias is unsafe.
[[nodiscard]] Result<ToolLaunch> openLaunch(OpenTool tool, const QString &hostAlias, const QString &folder,
                                            const ToolSurroundings &around);
// A terminal of the desktop with sandpiper-cli shell in it. target: as the command line takes it.
[[nodiscard]] Result<ToolLaunch> terminalLaunch(const QString &target, const ToolSurroundings &around);

// The login shell's program there, in tmux where it is installed, so that it outlives its connection.
[[nodiscard]] QStringList tmuxArgv();

} // namespace Sandpiper

#include "session/toolcommands.h"

#include "session/shellquote.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QStandardPaths>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qint64 kMostOfTable = 1 << 20;

QString joined(const QStringList &words)
{
    QStringList quoted;
    for (const QString &word : words)
        quoted << shellWord(word);
    return quoted.join(u' ');
}

// rsync takes its -e apart by itself: quotes as a shell has them, but a quote within is doubled.
QString joinedForRsync(const QStringList &words)
{
    QStringList quoted;
    for (const QString &word : words) {
        QString doubled = word;
        quoted << (shellWord(word) == word ? word : u'\'' + doubled.replace(u'\'', u"''"_s) + u'\'');
    }
    return quoted.join(u' ');
}

// What every program of OpenSSH takes alike. portFlag: "-p", or "-P" for scp and sftp.
QStringList optionsOf(const SshHostBlock &block, const QString &portFlag)
{
    QStringList words;
    const auto option = [&](const QString &text) { words << u"-o"_s << text; };
    if (block.port != 22)
        words << portFlag << QString::number(block.port);
    for (const QString &file : block.identityFiles) {
        // -i looks for the file by the name as it is written, and fills tokens in afterwards.
        if (file.contains(u'%'))
            option(u"IdentityFile="_s + sshConfigPath(file));
        else
            words << u"-i"_s << file;
    }
    if (!block.identityFiles.isEmpty())
        option(u"IdentitiesOnly=yes"_s);
    if (!block.hostKeyAlias.isEmpty())
        option(u"HostKeyAlias="_s + block.hostKeyAlias);
    if (!block.hostKey.isEmpty()) {
        option(u"UserKnownHostsFile="_s + sshConfigPath(block.knownHostsFile));
        option(u"StrictHostKeyChecking=yes"_s);
    }
    if (!block.proxy.isEmpty())
        option(u"ProxyCommand="_s + joined(block.proxy).replace(u'%', u"%%"_s));
    return words;
}

// "user@host", and "user@[::1]" where a colon follows.
QString destinationOf(const SshHostBlock &block, bool isFollowedByColon)
{
    const bool isV6 = block.hostName.contains(u':');
    return block.user + u'@' + (isV6 && isFollowedByColon ? u'[' + block.hostName + u']' : block.hostName);
}

QString textFor(CopyTool tool, const QStringList &ssh, const QStringList &copying, const QString &plain, const QString &colon)
{
    switch (tool) {
    case CopyTool::Ssh: return joined(QStringList{u"ssh"_s} + ssh + QStringList{plain});
    case CopyTool::Scp: return joined(QStringList{u"scp"_s} + copying + QStringList{kFilePlaceholder, colon + u':'});
    case CopyTool::Sftp: return joined(QStringList{u"sftp"_s} + copying + QStringList{colon});
    case CopyTool::Rsync: {
        QStringList words{u"rsync"_s, u"-a"_s};
        if (!ssh.isEmpty())
            words << u"-e"_s << joinedForRsync(QStringList{u"ssh"_s} + ssh);
        return joined(words + QStringList{QString(kFolderPlaceholder) + u'/', colon + u':' + kFolderPlaceholder + u'/'});
    }
    case CopyTool::Websocat: break;
    }
    return {};
}

Error missing(const QString &sentence)
{
    return {ErrorKind::NotFound, Layer::LocalDisk, sentence, {}};
}

// An argument that is looked at as a name must not look like an option.
bool isSafeAlias(const QString &alias)
{
    return !alias.isEmpty() && alias.size() <= 255 && !alias.startsWith(u'-')
            && std::all_of(alias.cbegin(), alias.cend(), [](QChar c) { return c.isLetterOrNumber() || "._-@:[]"_L1.contains(c); });
}

Result<ToolLaunch> editorLaunch(const QStringList &programs, const QString &name, const QString &alias, const QString &folder,
                                const ToolSurroundings &around)
{
    for (const QString &program : programs) {
        const QString path = around.find(program);
        if (path.isEmpty())
            continue;
        ToolLaunch launch{path, {u"--remote"_s, u"ssh-remote+"_s + alias}, {}};
        if (!folder.isEmpty())
            launch.arguments << folder;
        return launch;
    }
    return std::unexpected(missing(u"%1 was not found: there is no program \"%2\" in PATH."_s.arg(name, programs.first())));
}

Result<ToolLaunch> gatewayLaunch(const QString &alias, const QString &folder, const ToolSurroundings &around)
{
    if (!around.opensUrls(u"jetbrains-gateway"_s))
        return std::unexpected(missing(u"JetBrains Gateway was not found: no program opens jetbrains-gateway links."_s));
    // Gateway reads ssh_config itself: host is a Host there.
    QString link = u"jetbrains-gateway://connect#type=ssh&deploy=false&host="_s + QString::fromLatin1(QUrl::toPercentEncoding(alias));
    if (!folder.isEmpty())
        link += u"&projectPath="_s + QString::fromLatin1(QUrl::toPercentEncoding(folder));
    return ToolLaunch{{}, {}, QUrl(link, QUrl::StrictMode)};
}

} // namespace

QString commandTextFor(CopyTool tool, const SshHostBlock &block)
{
    return textFor(tool, optionsOf(block, u"-p"_s), optionsOf(block, u"-P"_s), destinationOf(block, false), destinationOf(block, true));
}

Result<QString> commandTextFor(CopyTool tool, const QString &hostAlias)
{
    if (!isSafeAlias(hostAlias) || hostAlias.contains(u':'))
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"%1 cannot be written on a command line"_s.arg(tamed(hostAlias, 100)));
    return textFor(tool, {}, {}, hostAlias, hostAlias);
}

Result<QString> websocatText(const QUrl &webSocket, const SshHostBlock &block)
{
    const bool isOne = webSocket.isValid() && !webSocket.host().isEmpty()
            && (webSocket.scheme() == "ws"_L1 || webSocket.scheme() == "wss"_L1);
    if (!isOne)
        return failure(ErrorKind::InvalidInput, Layer::WebSocket, u"that is no address of a WebSocket"_s);
    const QUrl bare = webSocket.adjusted(QUrl::RemoveUserInfo | QUrl::RemoveQuery | QUrl::RemoveFragment);
    SshHostBlock inside = block;
    inside.port = 22;
    inside.proxy = {u"websocat"_s, u"--binary"_s, u"-B"_s, u"65536"_s, u"-"_s, bare.toString(QUrl::FullyEncoded)};
    return commandTextFor(CopyTool::Ssh, inside);
}

Result<ToolLaunch> openLaunch(OpenTool tool, const QString &hostAlias, const QString &folder, const ToolSurroundings &around)
{
    if (!isSafeAlias(hostAlias) || (!folder.isEmpty() && !folder.startsWith(u'/')))
        return failure(ErrorKind::InvalidInput, Layer::Ssh, u"%1 cannot be handed to another program"_s.arg(tamed(hostAlias, 100)));
    switch (tool) {
    case OpenTool::VsCode: return editorLaunch({u"code"_s, u"code-insiders"_s}, u"VS Code"_s, hostAlias, folder, around);
    case OpenTool::Cursor: return editorLaunch({u"cursor"_s}, u"Cursor"_s, hostAlias, folder, around);
    case OpenTool::JetBrains: return gatewayLaunch(hostAlias, folder, around);
    case OpenTool::Terminal: return terminalLaunch(hostAlias, around);
    }
    Q_UNREACHABLE_RETURN(std::unexpected(missing({})));
}

Result<ToolLaunch> terminalLaunch(const QString &target, const ToolSurroundings &around)
{
    if (target.isEmpty() || target.startsWith(u'-') || target.contains(QChar(0)))
        return failure(ErrorKind::InvalidInput, Layer::LocalDisk, u"%1 cannot be handed to another program"_s.arg(tamed(target, 100)));
    if (around.cli.isEmpty())
        return std::unexpected(missing(u"The program sandpiper-cli was not found."_s));
    // The desktop's own choice first. Each takes the words of a command behind its own ones.
    static const QList<QStringList> terminals = {
        {u"xdg-terminal-exec"_s}, {u"x-terminal-emulator"_s, u"-e"_s}, {u"gnome-terminal"_s, u"--"_s}, {u"ptyxis"_s, u"--"_s},
        {u"konsole"_s, u"-e"_s}, {u"xfce4-terminal"_s, u"-x"_s}, {u"kitty"_s}, {u"alacritty"_s, u"-e"_s},
        {u"wezterm"_s, u"start"_s, u"--"_s}, {u"foot"_s}, {u"xterm"_s, u"-e"_s},
    };
    for (const QStringList &terminal : terminals) {
        if (const QString path = around.find(terminal.first()); !path.isEmpty())
            return ToolLaunch{path, terminal.sliced(1) + QStringList{around.cli, u"shell"_s, target}, {}};
    }
    return std::unexpected(missing(u"No terminal program was found, such as x-terminal-emulator."_s));
}

ToolSurroundings toolSurroundings()
{
    ToolSurroundings around;
    around.find = [](const QString &program) { return QStandardPaths::findExecutable(program); };
    around.opensUrls = [](const QString &scheme) {
        // Applications and the user's choices, as the desktop keeps them (MIME applications specification).
        QStringList tables;
        for (const QString &folder : QStandardPaths::standardLocations(QStandardPaths::ApplicationsLocation))
            tables << folder + u"/mimeinfo.cache"_s << folder + u"/mimeapps.list"_s;
        for (const QString &folder : QStandardPaths::standardLocations(QStandardPaths::GenericConfigLocation))
            tables << folder + u"/mimeapps.list"_s;
        const QByteArray wanted = "x-scheme-handler/" + scheme.toUtf8() + '=';
        return std::any_of(tables.cbegin(), tables.cend(), [&](const QString &table) {
            QFile file(table);
            return file.open(QIODevice::ReadOnly) && ('\n' + file.read(kMostOfTable)).contains('\n' + wanted);
        });
    };
    const QString beside = QCoreApplication::applicationDirPath() + u"/sandpiper-cli"_s;
    around.cli = QFileInfo(beside).isExecutable() ? beside : around.find(u"sandpiper-cli"_s);
    return around;
}

QStringList tmuxArgv()
{
    return {u"/bin/sh"_s, u"-c"_s,
            u"command -v tmux >/dev/null 2>&1 && exec tmux new -A -s sandpiper; "
            "echo 'tmux is not installed here. This is an ordinary shell.'; exec \"${SHELL:-/bin/sh}\" -l"_s};
}

} // namespace Sandpiper

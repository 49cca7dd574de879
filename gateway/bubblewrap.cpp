#include "gateway/bubblewrap.h"

#include "session/error.h"

#include <QFileInfo>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

// Programs need these to find libraries, to trust servers, and to show text. Nothing here is a
// secret, and whatever is not named here stays outside.
const QStringList &allowedEtc()
{
    static const QStringList paths = {
        u"/etc/ld.so.cache"_s, u"/etc/ld.so.conf"_s, u"/etc/ld.so.conf.d"_s, u"/etc/alternatives"_s,
        u"/etc/ssl/certs"_s, u"/etc/ssl/openssl.cnf"_s, u"/etc/ca-certificates"_s,
        u"/etc/ca-certificates.conf"_s, u"/etc/pki/tls/certs"_s, u"/etc/pki/ca-trust/extracted"_s,
        u"/etc/crypto-policies"_s, u"/etc/localtime"_s, u"/etc/timezone"_s, u"/etc/os-release"_s,
        u"/etc/debian_version"_s, u"/etc/lsb-release"_s, u"/etc/services"_s, u"/etc/protocols"_s,
        u"/etc/gai.conf"_s, u"/etc/host.conf"_s, u"/etc/inputrc"_s, u"/etc/terminfo"_s,
        u"/etc/mime.types"_s, u"/etc/magic"_s, u"/etc/fonts"_s, u"/etc/nanorc"_s, u"/etc/vim"_s,
        u"/etc/python3"_s, u"/etc/python3.13"_s, u"/etc/perl"_s, u"/etc/lynx"_s,
        u"/etc/bash_completion"_s, u"/etc/bash_completion.d"_s, u"/etc/ssh/ssh_config"_s,
        u"/etc/xdg"_s, u"/etc/java-openjdk"_s, u"/etc/emacs"_s, u"/etc/apparmor.d/abi"_s};
    return paths;
}

} // namespace

HostLayout HostLayout::here()
{
    HostLayout layout;
    for (const QString &name : {u"bin"_s, u"sbin"_s, u"lib"_s, u"lib32"_s, u"lib64"_s, u"libx32"_s}) {
        const QFileInfo info(u'/' + name);
        if (info.isSymbolicLink())
            layout.links.append({name, info.readSymLink()});
        else if (info.isDir())
            layout.folders.append(info.filePath());
    }
    for (const QString &path : allowedEtc()) {
        const QFileInfo info(path);
        if (info.exists() && info.isReadable())
            layout.etc.append(path);
    }
    const QFileInfo sudo(u"/usr/bin/sudo"_s);
    layout.hasSudo = sudo.isFile() && !sudo.isSymLink();
    return layout;
}

QStringList insideEnvironment()
{
    return {u"HOME=/home/tl-user"_s,
            u"USER=tl-user"_s,
            u"LOGNAME=tl-user"_s,
            u"SHELL=/bin/bash"_s,
            u"PATH=/home/tl-user/.local/bin:/opt/sandpiper/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"_s,
            u"LANG=C.UTF-8"_s,
            u"XDG_RUNTIME_DIR=/run/user/1000"_s};
}

QStringList bubblewrapArguments(const BubblewrapSpec &spec)
{
    QStringList arguments = {
        u"--unshare-user"_s, u"--unshare-pid"_s, u"--unshare-uts"_s, u"--unshare-ipc"_s,
        u"--unshare-net"_s, u"--unshare-cgroup-try"_s,
        u"--uid"_s, u"1000"_s, u"--gid"_s, u"1000"_s, u"--hostname"_s, u"tl-sbx"_s,
        // Our init is the first process: nobody inside can kill or stop it, and its end ends all.
        u"--as-pid-1"_s, u"--die-with-parent"_s,
        // Away from the terminal that the gateway may have been started in.
        u"--new-session"_s, u"--clearenv"_s};
    for (const QString &variable : insideEnvironment()) {
        const qsizetype equals = variable.indexOf(u'=');
        arguments << u"--setenv"_s << variable.first(equals) << variable.sliced(equals + 1);
    }

    arguments << u"--ro-bind"_s << u"/usr"_s << u"/usr"_s;
    for (const auto &[name, target] : spec.layout.links)
        arguments << u"--symlink"_s << target << u'/' + name;
    for (const QString &folder : spec.layout.folders)
        arguments << u"--ro-bind"_s << folder << folder;
    arguments << u"--ro-bind"_s << spec.systemFolder + u"/etc"_s << u"/etc"_s;
    for (const QString &path : spec.layout.etc) {
        // A link was made anew in the system folder: there is nothing to bind on.
        if (!QFileInfo(spec.systemFolder + path).isSymLink())
            arguments << u"--ro-bind"_s << path << path;
    }

    arguments << u"--proc"_s << u"/proc"_s
              // Where the gateway runs as root, these files would take its writes.
              << u"--ro-bind"_s << u"/proc/sys"_s << u"/proc/sys"_s
              << u"--ro-bind-try"_s << u"/proc/sysrq-trigger"_s << u"/proc/sysrq-trigger"_s
              << u"--dev"_s << u"/dev"_s;
    for (const QString &folder : {u"/tmp"_s, u"/var/tmp"_s, u"/dev/shm"_s})
        arguments << u"--perms"_s << u"1777"_s << u"--tmpfs"_s << folder;
    for (const QString &folder : {u"/var/cache"_s, u"/var/lib"_s, u"/var/log"_s, u"/mnt"_s, u"/srv"_s})
        arguments << u"--dir"_s << folder;
    arguments << u"--perms"_s << u"0755"_s << u"--tmpfs"_s << u"/run"_s
              << u"--dir"_s << u"/run/user"_s
              << u"--perms"_s << u"0700"_s << u"--dir"_s << u"/run/user/1000"_s
              << u"--symlink"_s << u"../run"_s << u"/var/run"_s
              << u"--bind"_s << spec.home << QString(insideHome)
              << u"--bind"_s << spec.workspace << QString(insideWorkspace)
              << u"--ro-bind"_s << spec.initProgram << QString(insideInit)
              << u"--ro-bind"_s << spec.systemFolder + u"/sudo"_s << u"/opt/sandpiper/bin/sudo"_s;
    if (spec.layout.hasSudo)
        arguments << u"--ro-bind"_s << spec.systemFolder + u"/sudo"_s << u"/usr/bin/sudo"_s;
    arguments << u"--remount-ro"_s << u"/"_s << u"--chdir"_s << u"/"_s;
    return arguments;
}

QString bubblewrapProblem(const QByteArray &standardError)
{
    const QString said = tamed(QString::fromUtf8(standardError.trimmed().split('\n').last()), 300);
    if (said.contains("Permission denied"_L1) || said.contains("not permitted"_L1)
        || said.contains("No permissions to create"_L1) || said.contains("user namespace"_L1))
        return u"Sandboxes cannot run on this computer, because it does not let programs make user "
               "namespaces (bubblewrap said: %1)."_s.arg(said);
    if (said.isEmpty())
        return u"Sandboxes cannot run on this computer, because bubblewrap does not work here."_s;
    return u"Sandboxes cannot run on this computer (bubblewrap said: %1)."_s.arg(said);
}

} // namespace Sandpiper

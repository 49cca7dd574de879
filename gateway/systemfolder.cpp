#include "gateway/systemfolder.h"

#include "gateway/removetree.h"
#include "session/paths.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

using namespace Qt::StringLiterals;

namespace Sandpiper {

namespace {

struct SystemFile
{
    QLatin1StringView path;
    const char *content;
};

constexpr SystemFile files[] = {
    {"etc/passwd"_L1, "root:x:0:0:root:/root:/usr/sbin/nologin\n"
                    "tl-user:x:1000:1000:Sandbox user:/home/tl-user:/bin/bash\n"
                    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"etc/group"_L1, "root:x:0:\ntty:x:5:\ntl-user:x:1000:\nnogroup:x:65534:\n"},
    {"etc/hostname"_L1, "tl-sbx\n"},
    {"etc/hosts"_L1, "127.0.0.1 localhost\n127.0.1.1 tl-sbx\n"
                   "::1 localhost ip6-localhost ip6-loopback\n"},
    {"etc/resolv.conf"_L1, "nameserver 169.254.1.1\noptions timeout:3 attempts:2\n"},
    {"etc/nsswitch.conf"_L1, "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                           "networks: files\nprotocols: files\nservices: files\n"},
    {"etc/shells"_L1, "/bin/sh\n/bin/bash\n/usr/bin/bash\n"},
    {"etc/profile"_L1,
     "# For login shells.\n"
     "export PATH=\"$HOME/.local/bin:/opt/sandpiper/bin:/usr/local/sbin:/usr/local/bin:"
     "/usr/sbin:/usr/bin:/sbin:/bin\"\n"
     "if [ -n \"${BASH-}\" ] && [ -r /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi\n"
     "if [ -n \"${BASH-}\" ] && [ -r \"$HOME/.bashrc\" ] && [ ! -e \"$HOME/.bash_profile\" ]"
     " && [ ! -e \"$HOME/.bash_login\" ] && [ ! -e \"$HOME/.profile\" ]; then . \"$HOME/.bashrc\"; fi\n"
     "if [ -z \"${PS1-}\" ]; then :; elif [ -z \"${BASH-}\" ]; then PS1='$ '; fi\n"},
    {"etc/bash.bashrc"_L1,
     "# For interactive shells.\n"
     "case $- in *i*) ;; *) return ;; esac\n"
     "shopt -s checkwinsize histappend\n"
     "PS1='\\u@\\h:\\w\\$ '\n"
     "case $TERM in xterm* | rxvt* | tmux* | screen*) PS1='\\[\\e]0;\\u@\\h: \\w\\a\\]'$PS1 ;; esac\n"
     "alias ls='ls --color=auto' grep='grep --color=auto' ll='ls -l'\n"
     "if [ -r /usr/share/bash-completion/bash_completion ]; then"
     " . /usr/share/bash-completion/bash_completion; fi\n"},
};

constexpr char sudo[] =
    "#!/bin/sh\n"
    "echo 'sudo: this sandbox has no root user: its system is this computer'\\''s own, read only; "
    "install into your home instead (pip --user, npm --prefix ~/.local, make install "
    "PREFIX=~/.local).' >&2\n"
    "exit 1\n";

Done write(const QString &path, const QByteArray &content, QFile::Permissions permissions)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly | QIODevice::Truncate) || file.write(content) != content.size()
        || !file.setPermissions(permissions))
        return failure(ErrorKind::Io, Layer::LocalDisk, file.errorString(), path);
    return {};
}

// Something of the same kind to bind the host's own on, or the same link.
bool makePlace(const QString &root, const QString &path)
{
    const QString here = root + path;
    const QFileInfo there(path);
    if (!QDir().mkpath(QFileInfo(here).path()))
        return false;
    if (there.isSymbolicLink())
        return QFile::link(there.readSymLink(), here);
    if (there.isDir())
        return QDir().mkpath(here);
    return write(here, {}, QFile::ReadOwner | QFile::WriteOwner).has_value();
}

} // namespace

Done writeSystemFolder(const QString &folder, const HostLayout &layout)
{
    if (const auto removed = removeTree(folder); !removed)
        return removed;
    if (const auto made = makePrivateFolder(folder); !made)
        return made;
    if (!QDir().mkpath(folder + u"/etc"_s))
        return failure(ErrorKind::Io, Layer::LocalDisk, u"cannot make a folder"_s, folder);
    constexpr auto readable = QFile::ReadOwner | QFile::WriteOwner | QFile::ReadGroup | QFile::ReadOther;
    constexpr auto runnable = readable | QFile::ExeOwner | QFile::ExeGroup | QFile::ExeOther;
    for (const SystemFile &file : files) {
        if (const auto written = write(folder + u'/' + file.path, file.content, readable); !written)
            return written;
    }
    QFile::link(u"/proc/self/mounts"_s, folder + u"/etc/mtab"_s);
    for (const QString &path : layout.etc) {
        if (!makePlace(folder, path))
            return failure(ErrorKind::Io, Layer::LocalDisk, u"cannot make a place for it"_s, path);
    }
    return write(folder + u"/sudo"_s, sudo, runnable);
}

} // namespace Sandpiper

#include "sftp/sftpserver.h"

namespace Sandpiper {
namespace {

constexpr std::array<const char *, kSftpExtensions> kNames{
        "limits@openssh.com",      "posix-rename@openssh.com", "fsync@openssh.com", "statvfs@openssh.com",     "fstatvfs@openssh.com",
        "hardlink@openssh.com",    "lsetstat@openssh.com",     "copy-data",         "expand-path@openssh.com", "home-directory",
        "users-groups-by-id@openssh.com",
};

struct Row
{
    const char *software; // what the banner says behind "SSH-2.0-", in any case of letters
    SymlinkOrder order;
};

// Where each is known from; looked at on 2026-11-29.
constexpr Row kSymlinkOrders[] = {
        // PROTOCOL 4.1 "Reversal of arguments to SSH_FXP_SYMLINK"
        {"OpenSSH", SymlinkOrder::TargetFirst},
        // github.com/pkg/sftp, sshFxpSymlinkPacket; #524: "everyone has to implement this bug"
        {"Go", SymlinkOrder::TargetFirst},
        // named by asyncssh/sftp.py, _nonstandard_symlink_impls, beside OpenSSH
        {"paramiko", SymlinkOrder::TargetFirst},
        // github.com/AspectUnk/russh-sftp, src/protocol/symlink.rs: linkpath, targetpath
        {"russh", SymlinkOrder::LinkFirst},
        // asyncssh/sftp.py: the other order only for clients that call themselves OpenSSH or paramiko
        {"AsyncSSH", SymlinkOrder::LinkFirst},
        // github.com/mscdex/ssh2, lib/protocol/SFTP.js: the other order only for OpenSSH
        {"ssh2js", SymlinkOrder::LinkFirst},
};

} // namespace

QByteArray nameOf(SftpExtension extension)
{
    return kNames[size_t(extension)];
}

void SftpServer::setExtensions(const QStringList &names)
{
    for (int i = 0; i < kSftpExtensions; ++i)
        extensions.set(size_t(i), names.contains(QLatin1StringView(kNames[size_t(i)])));
}

SymlinkOrder SftpServer::symlinkOrder() const
{
    const qsizetype dash = banner.indexOf('-', banner.indexOf('-') + 1);
    const QByteArray software = dash < 0 ? QByteArray() : banner.sliced(dash + 1).toLower();
    for (const Row &row : kSymlinkOrders) {
        const QByteArray name = QByteArray(row.software).toLower();
        const bool isWhole = software.size() == name.size() || (software.size() > name.size() && (software[name.size()] < 'a' || software[name.size()] > 'z'));
        if (software.startsWith(name) && isWhole)
            return row.order;
    }
    // OpenSSH's sftp-server behind another SSH server: dropbear, and our own gateway.
    if (has(SftpExtension::Fstatvfs) && has(SftpExtension::PosixRename))
        return SymlinkOrder::TargetFirst;
    // pkg/sftp behind a banner of its own. libssh's server offers much the same and keeps to the draft.
    const bool isPkgSftp = has(SftpExtension::PosixRename) && has(SftpExtension::Hardlink) && !has(SftpExtension::Fsync)
            && !has(SftpExtension::Limits) && !software.startsWith("libssh");
    return isPkgSftp ? SymlinkOrder::TargetFirst : SymlinkOrder::LinkFirst;
}

} // namespace Sandpiper

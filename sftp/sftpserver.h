// What is known of the SFTP server at the other end. Pure; any thread.
#pragma once

#include <QByteArray>
#include <QStringList>

#include <array>
#include <bitset>
#include <optional>

namespace Sandpiper {

// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL section 4 and
// draft-ietf-secsh-filexfer-extensions-00 (copy-data, home-directory), read on 2026-11-29.
enum class SftpExtension {
    Limits,
    PosixRename,
    Fsync,
    Statvfs,
    Fstatvfs,
    Hardlink,
    Lsetstat,
    CopyData,
    ExpandPath,
    HomeDirectory,
    UsersGroupsById,
};
inline constexpr int kSftpExtensions = int(SftpExtension::UsersGroupsById) + 1;

[[nodiscard]] QByteArray nameOf(SftpExtension extension);

// Of the two paths in a SYMLINK.
enum class SymlinkOrder {
    LinkFirst,   // the draft
    TargetFirst, // OpenSSH, which is so to stay compatible with itself
};

struct SftpServer
{
    QByteArray banner; // of SSH: "SSH-2.0-OpenSSH_10.0p1 Debian-7"
    std::bitset<kSftpExtensions> extensions; // offered, and not found to be missing
    // Bytes of one READ and one WRITE.
    quint32 mostRead = 32 << 10;
    quint32 mostWrite = 32 << 10;

    [[nodiscard]] bool has(SftpExtension extension) const { return extensions.test(size_t(extension)); }
    void setExtensions(const QStringList &names);
    // By the banner; where it is not known, by the company that its extensions keep.
    [[nodiscard]] SymlinkOrder symlinkOrder() const;
};

} // namespace Sandpiper

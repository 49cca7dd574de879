// The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): requests of ours as bytes, and answers of the
// server read within hard bounds. Pure; any thread.
#pragma once

#include "session/error.h"
#include "sftp/fileattributes.h"

#include <QByteArray>
#include <QList>

#include <optional>
#include <variant>

namespace Sandpiper {

enum class SftpType : quint8 {
    Init = 1,
    Version = 2,
    Open = 3,
    Close = 4,
    Read = 5,
    Write = 6,
    Lstat = 7,
    Fstat = 8,
    Setstat = 9,
    Fsetstat = 10,
    Opendir = 11,
    Readdir = 12,
    Remove = 13,
    Mkdir = 14,
    Rmdir = 15,
    Realpath = 16,
    Stat = 17,
    Rename = 18,
    Readlink = 19,
    Symlink = 20,
    Status = 101,
    Handle = 102,
    Data = 103,
    Name = 104,
    Attrs = 105,
    Extended = 200,
    ExtendedReply = 201,
};

enum class SftpStatusCode : quint32 {
    Ok = 0,
    Eof = 1,
    NoSuchFile = 2,
    PermissionDenied = 3,
    Failure = 4,
    BadMessage = 5,
    NoConnection = 6,
    ConnectionLost = 7,
    Unsupported = 8,
};

// The bits of an OPEN.
namespace SftpOpen {
inline constexpr quint32 Read = 0x01;
inline constexpr quint32 Write = 0x02;
inline constexpr quint32 Append = 0x04;
inline constexpr quint32 Create = 0x08;
inline constexpr quint32 Truncate = 0x10;
inline constexpr quint32 Exclusive = 0x20;
} // namespace SftpOpen

// A packet that is being written; the id is filled in by whoever sends it.
class SftpRequest
{
public:
    explicit SftpRequest(SftpType type, qsizetype room = 64);

    SftpRequest &number(quint32 value);
    SftpRequest &longNumber(quint64 value);
    SftpRequest &string(QByteArrayView value);
    SftpRequest &attributes(const FileAttributes &value);

    [[nodiscard]] SftpType type() const { return m_type; }
    // With its length in front; once.
    [[nodiscard]] QByteArray take(quint32 id);

private:
    SftpType m_type;
    QByteArray m_bytes;
};

struct SftpStatus
{
    quint32 code = 0;
    QString words; // tamed, may be empty
    [[nodiscard]] bool is(SftpStatusCode known) const { return code == quint32(known); }
};

struct SftpHandle
{
    QByteArray bytes;
};

struct SftpData
{
    QByteArrayView bytes; // borrowed from the packet
};

struct SftpExtendedReply
{
    QByteArrayView bytes; // borrowed from the packet
};

struct SftpReply
{
    quint32 id = 0;
    std::variant<SftpStatus, SftpHandle, SftpData, QList<FileEntry>, FileAttributes, SftpExtendedReply> body;
};

// packet: without its length. Protocol where it is truncated, of a type that no answer has, or a part of it is
// larger than it may be. What follows the last part is not looked at.
[[nodiscard]] Result<SftpReply> readSftpReply(QByteArrayView packet);

// For the bodies of extended replies: each takes off the front, and false where there is too little.
[[nodiscard]] bool takeSftpLongs(QByteArrayView &rest, QList<quint64> &values, int count);

// Packets out of a stream of bytes, whatever pieces it comes in. Holds at most one packet.
class SftpFramer
{
public:
    // The draft wants 34,000 of everybody; OpenSSH takes and sends 256 KiB.
    static constexpr quint32 largestPacket = (256 << 10) + (1 << 10);

    // Calls packet(QByteArrayView) for each that is whole, and stops where that returns false. Protocol: a length
    // that no packet has; nothing is read after that.
    template <typename Packet>
    [[nodiscard]] Done feed(QByteArrayView bytes, const Packet &packet)
    {
        while (!bytes.isEmpty()) {
            const Result<QByteArrayView> whole = next(bytes);
            if (!whole)
                return std::unexpected(whole.error());
            if (whole->isNull())
                break;
            if (!packet(*whole))
                break;
        }
        return {};
    }
    // Of a packet that is not whole.
    [[nodiscard]] qsizetype held() const { return m_part.size(); }
    [[nodiscard]] QByteArrayView heldBytes() const { return m_part; }

private:
    // The next whole packet, taken off the front of bytes; null where all of them are held now.
    [[nodiscard]] Result<QByteArrayView> next(QByteArrayView &bytes);

    QByteArray m_part;
    QByteArray m_whole; // what the last view is of, where it was put together here
    bool m_isBroken = false;
};

} // namespace Sandpiper

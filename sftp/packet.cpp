#include "sftp/packet.h"

#include "session/sshwire.h"

#include <utility>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype kHeader = 9; // length, type, id
// The draft: at most 256 bytes.
constexpr qsizetype kLongestHandle = 256;
constexpr qsizetype kShortestName = 12; // two strings and the flags

constexpr quint32 kHasSize = 0x01;
constexpr quint32 kHasOwner = 0x02;
constexpr quint32 kHasMode = 0x04;
constexpr quint32 kHasTimes = 0x08;
constexpr quint32 kHasExtended = 0x80000000;

std::unexpected<Error> broken(const QString &what)
{
    return failure(ErrorKind::Protocol, Layer::Sftp, what);
}

// Takes a packet apart; after the first part that is not there everything is empty.
class Reader
{
public:
    explicit Reader(QByteArrayView bytes)
        : m_rest(bytes)
    {
    }
    [[nodiscard]] quint32 number()
    {
        quint32 value = 0;
        m_isWhole = m_isWhole && SshWire::takeNumber(m_rest, value);
        return m_isWhole ? value : 0;
    }
    [[nodiscard]] quint64 longNumber()
    {
        quint64 value = 0;
        m_isWhole = m_isWhole && SshWire::takeNumber(m_rest, value);
        return m_isWhole ? value : 0;
    }
    [[nodiscard]] QByteArrayView string()
    {
        QByteArrayView value;
        m_isWhole = m_isWhole && SshWire::takeString(m_rest, value);
        return m_isWhole ? value : QByteArrayView();
    }
    [[nodiscard]] FileAttributes attributes()
    {
        FileAttributes found;
        const quint32 flags = number();
        if (flags & kHasSize)
            found.size = longNumber();
        if (flags & kHasOwner) {
            const quint32 user = number();
            found.owner = FileOwner{user, number()};
        }
        if (flags & kHasMode)
            found.mode = number();
        if (flags & kHasTimes) {
            const quint32 accessed = number();
            found.times = FileTimes{accessed, number()};
        }
        if (flags & kHasExtended) {
            // Each takes eight bytes at least, so a count that lies ends with the packet.
            for (quint32 left = number(); left > 0 && m_isWhole; --left) {
                (void)string();
                (void)string();
            }
        }
        return found;
    }
    [[nodiscard]] QByteArrayView rest() const { return m_rest; }
    [[nodiscard]] bool isWhole() const { return m_isWhole; }

private:
    QByteArrayView m_rest;
    bool m_isWhole = true;
};

SftpStatus readStatus(Reader &reader)
{
    SftpStatus status;
    status.code = reader.number();
    // Servers of version 2 say no more than that.
    if (reader.isWhole() && !reader.rest().isEmpty())
        status.words = tamed(QString::fromUtf8(reader.string()), 300);
    return status;
}

QList<FileEntry> readNames(Reader &reader, quint32 count)
{
    QList<FileEntry> names;
    names.reserve(count);
    for (quint32 i = 0; i < count && reader.isWhole(); ++i) {
        FileEntry entry;
        entry.name = reader.string().toByteArray();
        (void)reader.string(); // the line of an "ls -l", of which nothing is certain
        entry.attributes = reader.attributes();
        if (reader.isWhole())
            names.append(std::move(entry));
    }
    return names;
}

} // namespace

SftpRequest::SftpRequest(SftpType type, qsizetype room)
    : m_type(type)
{
    m_bytes.reserve(kHeader + room);
    m_bytes.resize(kHeader);
    m_bytes[4] = char(type);
}

SftpRequest &SftpRequest::number(quint32 value)
{
    m_bytes += SshWire::number(value);
    return *this;
}

SftpRequest &SftpRequest::longNumber(quint64 value)
{
    return number(quint32(value >> 32)).number(quint32(value));
}

SftpRequest &SftpRequest::string(QByteArrayView value)
{
    m_bytes += SshWire::number(quint32(value.size()));
    m_bytes += value;
    return *this;
}

SftpRequest &SftpRequest::attributes(const FileAttributes &value)
{
    number((value.size ? kHasSize : 0) | (value.owner ? kHasOwner : 0) | (value.mode ? kHasMode : 0) | (value.times ? kHasTimes : 0));
    if (value.size)
        longNumber(*value.size);
    if (value.owner)
        number(value.owner->user).number(value.owner->group);
    if (value.mode)
        number(*value.mode);
    if (value.times)
        number(value.times->accessed).number(value.times->modified);
    return *this;
}

QByteArray SftpRequest::take(quint32 id)
{
    qToBigEndian(quint32(m_bytes.size() - 4), m_bytes.data());
    qToBigEndian(id, m_bytes.data() + 5);
    return std::exchange(m_bytes, {});
}

Result<SftpReply> readSftpReply(QByteArrayView packet)
{
    if (packet.isEmpty())
        return broken(u"a packet without a type"_s);
    const auto type = SftpType(packet.front());
    Reader reader(packet.sliced(1));
    SftpReply reply;
    reply.id = reader.number();
    switch (type) {
    case SftpType::Status: reply.body = readStatus(reader); break;
    case SftpType::Handle: {
        const QByteArrayView handle = reader.string();
        if (handle.size() > kLongestHandle)
            return broken(u"a handle of %1 bytes"_s.arg(handle.size()));
        reply.body = SftpHandle{handle.toByteArray()};
        break;
    }
    case SftpType::Data: reply.body = SftpData{reader.string()}; break;
    case SftpType::Name: {
        const quint32 count = reader.number();
        if (qint64(count) * kShortestName > reader.rest().size())
            return broken(u"%1 names in a packet of %2 bytes"_s.arg(count).arg(packet.size()));
        reply.body = readNames(reader, count);
        break;
    }
    case SftpType::Attrs: reply.body = reader.attributes(); break;
    case SftpType::ExtendedReply: reply.body = SftpExtendedReply{reader.rest()}; break;
    default: return broken(u"a packet of type %1, which is no answer"_s.arg(int(type)));
    }
    if (!reader.isWhole())
        return broken(u"a truncated packet of type %1"_s.arg(int(type)));
    return reply;
}

bool takeSftpLongs(QByteArrayView &rest, QList<quint64> &values, int count)
{
    for (int i = 0; i < count; ++i) {
        quint64 value = 0;
        if (!SshWire::takeNumber(rest, value))
            return false;
        values.append(value);
    }
    return true;
}

Result<QByteArrayView> SftpFramer::next(QByteArrayView &bytes)
{
    if (m_isBroken)
        return broken(u"bytes behind a broken packet"_s);
    // Until the length is known.
    while (m_part.size() < 4 && (!m_part.isEmpty() || bytes.size() < 4)) {
        if (bytes.isEmpty())
            return QByteArrayView();
        m_part += bytes.front();
        bytes = bytes.sliced(1);
    }
    const quint32 size = qFromBigEndian<quint32>(m_part.isEmpty() ? bytes.data() : m_part.constData());
    if (size == 0 || size > largestPacket) {
        m_isBroken = true;
        if (m_part.isEmpty())
            m_part = bytes.first(std::min<qsizetype>(bytes.size(), 200)).toByteArray();
        return broken(u"a packet of %1 bytes"_s.arg(size));
    }
    // Mostly it is all there: then it is not copied.
    if (m_part.isEmpty() && bytes.size() >= 4 + qsizetype(size)) {
        const QByteArrayView packet = bytes.sliced(4, qsizetype(size));
        bytes = bytes.sliced(4 + qsizetype(size));
        return packet;
    }
    if (m_part.isEmpty())
        m_part.reserve(4 + qsizetype(size));
    const qsizetype taken = std::min(bytes.size(), 4 + qsizetype(size) - m_part.size());
    m_part += bytes.first(taken);
    bytes = bytes.sliced(taken);
    if (m_part.size() < 4 + qsizetype(size))
        return QByteArrayView();
    m_whole = std::exchange(m_part, {});
    return QByteArrayView(m_whole).sliced(4);
}

} // namespace Sandpiper

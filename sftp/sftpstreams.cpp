#include "sftp/sftpstreams.h"

#include "sftp/sftpclient.h"

#include <algorithm>

namespace Sandpiper {
namespace {

template <typename T>
Result<T> valueOf(const Result<SftpValue> &value)
{
    if (!value)
        return std::unexpected(value.error());
    return std::get<T>(*value);
}

} // namespace

SftpStream::SftpStream(SftpClient *client)
    : m_client(client)
    , m_id(client->add(this))
{
}

SftpStream::~SftpStream()
{
    if (m_client)
        m_client->forget(m_id);
}

void SftpStream::send(SftpCommand command)
{
    if (m_client && !m_isOver)
        m_client->send(std::move(command));
}

void SftpStream::handle(const SftpEvent &event)
{
    if (const auto *ended = std::get_if<FromSftp::Ended>(&event))
        conclude(ended->value);
    else if (!m_isOver)
        take(event);
}

void SftpStream::conclude(const Result<SftpValue> &value)
{
    if (!std::exchange(m_isOver, true))
        finish(value);
}

SftpListing::SftpListing(SftpClient *client, const FilePath &path)
    : SftpStream(client)
{
    send(ToSftp::List{id(), path});
}

void SftpListing::take(const SftpEvent &event)
{
    if (const auto *rows = std::get_if<FromSftp::Rows>(&event))
        emit rowsReceived(rows->rows);
}

void SftpListing::finish(const Result<SftpValue> &value)
{
    emit finished(valueOf<ListEnd>(value));
}

SftpReader::SftpReader(SftpClient *client, const FileReadWish &wish)
    : SftpStream(client)
{
    send(ToSftp::Read{id(), wish});
}

void SftpReader::take(const SftpEvent &event)
{
    if (const auto *news = std::get_if<FromSftp::Bytes>(&event))
        emit received(news->bytes);
}

void SftpReader::finish(const Result<SftpValue> &value)
{
    emit finished(valueOf<ReadEnd>(value));
}

SftpWriter::SftpWriter(SftpClient *client, const FileWriteWish &wish)
    : SftpStream(client)
{
    send(ToSftp::Write{id(), wish});
}

void SftpWriter::write(const QByteArray &bytes)
{
    if (bytes.isEmpty() || isOver())
        return;
    m_pending += bytes.size();
    send(ToSftp::Bytes{id(), bytes});
}

void SftpWriter::close(Sync sync)
{
    send(ToSftp::Finish{id(), sync == Sync::Yes});
}

void SftpWriter::take(const SftpEvent &event)
{
    if (const auto *news = std::get_if<FromSftp::Taken>(&event)) {
        m_pending = std::max<qint64>(0, m_pending - news->bytes);
        emit taken(news->bytes);
    }
}

void SftpWriter::finish(const Result<SftpValue> &value)
{
    emit finished(value ? Done() : Done(std::unexpected(value.error())));
}

SftpFileTransfers::SftpFileTransfers(SftpClient *client)
    : m_client(client)
{
}

SftpFileTransfers::~SftpFileTransfers()
{
    cancel();
}

void SftpFileTransfers::cancel()
{
    m_ends.clear();
    const QList<int> ids = m_keys.keys();
    m_keys.clear();
    if (m_client)
        m_client->forget(ids);
}

void SftpFileTransfers::start(quint64 key, FileTransferWish wish)
{
    const int id = m_client ? m_client->add(this) : --m_lastNone;
    m_keys.insert(id, key);
    if (m_client)
        m_client->send(ToSftp::Transfer{id, std::move(wish)});
    else
        QMetaObject::invokeMethod(this, [this] { concludeAll({ErrorKind::Cancelled, Layer::Sftp, {}, {}}); }, Qt::QueuedConnection);
}

void SftpFileTransfers::handle(int id, const SftpEvent &event)
{
    if (const auto *taken = std::get_if<FromSftp::Taken>(&event))
        emit moved(m_keys.value(id), taken->bytes);
}

void SftpFileTransfers::conclude(int id, const Result<SftpValue> &value)
{
    if (const auto key = m_keys.constFind(id); key != m_keys.cend()) {
        m_ends.append({*key, valueOf<FileOutcome>(value)});
        m_keys.erase(key);
    }
}

void SftpFileTransfers::concludeAll(const Error &error)
{
    for (const quint64 key : std::exchange(m_keys, {}))
        m_ends.append({key, std::unexpected(error)});
    tell();
}

void SftpFileTransfers::tell()
{
    if (!m_ends.isEmpty())
        emit ended(std::exchange(m_ends, {}));
}

} // namespace Sandpiper

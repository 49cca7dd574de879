#include "sftp/filepipe.h"

#include "sftp/sha256.h"

namespace Sandpiper {
namespace {

constexpr qint64 kMostPending = 1 << 20; // behind it the reader waits

} // namespace

FilePipe::FilePipe(FileSystem *from, FileSystem *to, const FilePipeWish &wish, QObject *parent)
    : QObject(parent)
    , m_wish(wish)
    , m_hash(std::make_unique<Sha256>())
    , m_reader(from->read(wish.read))
{
    connect(m_reader.get(), &FileReader::received, this, &FilePipe::take);
    connect(m_reader.get(), &FileReader::finished, this, &FilePipe::allRead);
    if (!wish.write)
        return;
    m_writer = to->write(*wish.write);
    connect(m_writer.get(), &FileWriter::taken, this, &FilePipe::report);
    connect(m_writer.get(), &FileWriter::finished, this, [this](const Done &done) {
        endWith(done ? Result<FilePipeEnd>(m_end) : std::unexpected(done.error()));
    });
}

FilePipe::~FilePipe() = default;

void FilePipe::take(const QByteArray &bytes)
{
    if (m_isOver)
        return;
    m_end.bytes += quint64(bytes.size());
    if (m_end.bytes > m_wish.most)
        return endWith(failure(ErrorKind::TooLarge, Layer::Sftp, {}, m_wish.read.path.shown()));
    m_hash->add(bytes);
    if (m_wish.keeps)
        m_end.content += bytes;
    m_owed += bytes.size();
    if (m_writer)
        m_writer->write(bytes);
    report();
}

void FilePipe::report()
{
    if (m_isOver || !m_reader || m_owed == 0 || (m_writer && m_writer->pending() > kMostPending))
        return;
    m_reader->consumed(std::exchange(m_owed, 0));
}

void FilePipe::allRead(const Result<ReadEnd> &end)
{
    if (m_isOver)
        return;
    m_reader.release()->deleteLater(); // it is what speaks
    if (!end)
        return endWith(std::unexpected(end.error()));
    m_end.sha256 = m_hash->result();
    if (m_end.sha256.isEmpty())
        return endWith(failure(ErrorKind::Io, Layer::LocalDisk, QStringLiteral("SHA-256 cannot be had"), m_wish.read.path.shown()));
    if (m_writer)
        m_writer->close(m_wish.sync);
    else
        endWith(m_end);
}

void FilePipe::endWith(const Result<FilePipeEnd> &end)
{
    if (std::exchange(m_isOver, true))
        return;
    // One of them may be what speaks; the other is stopped by it.
    for (QObject *stream : {static_cast<QObject *>(m_reader.release()), static_cast<QObject *>(m_writer.release())}) {
        if (stream) {
            stream->disconnect(this);
            stream->deleteLater();
        }
    }
    emit finished(end);
}

} // namespace Sandpiper

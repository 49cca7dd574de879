#include "sftp/contentcompare.h"

#include "sftp/sha256.h"

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {

ContentCompare::ContentCompare(FileSystem *left, const FilePath &leftPath, FileSystem *right, const FilePath &rightPath, QObject *parent)
    : QObject(parent)
{
    read(0, left, leftPath);
    read(1, right, rightPath);
}

ContentCompare::~ContentCompare() = default;

void ContentCompare::read(int side, FileSystem *files, const FilePath &path)
{
    if (!files)
        return end(failure(ErrorKind::ConnectionLost, Layer::Sftp, {}, path.shown()));
    m_sums[side] = std::make_unique<Sha256>();
    m_readers[side] = files->read({path});
    FileReader *reader = m_readers[side].get();
    // A piece is some hundred KiB: less than a millisecond of this thread.
    connect(reader, &FileReader::received, this, [this, side, reader](const QByteArray &bytes) {
        m_sums[side]->add(bytes);
        reader->consumed(bytes.size());
    });
    connect(reader, &FileReader::finished, this, [this, side](const Result<ReadEnd> &how) { ended(side, how); });
}

void ContentCompare::ended(int side, const Result<ReadEnd> &how)
{
    m_digests[side] = m_sums[side]->result();
    if (!how)
        return end(std::unexpected(how.error()));
    if (m_digests[side].isEmpty())
        return end(failure(ErrorKind::Io, Layer::LocalDisk, u"no hash could be made"_s));
    if (--m_left == 0)
        end(m_digests[0] == m_digests[1]);
}

void ContentCompare::end(const Result<bool> &isSame)
{
    if (std::exchange(m_isOver, true))
        return;
    // Nobody can have connected before the constructor has returned, and whoever hears of it deletes us.
    QMetaObject::invokeMethod(this, [this, isSame] { emit finished(isSame); }, Qt::QueuedConnection);
}

} // namespace Sandpiper

#include "sftp/vendorstreams.h"

#include "sftp/fileanswer.h"

#include <sys/stat.h>

#include <algorithm>

using namespace Qt::Literals::StringLiterals;

namespace Sandpiper {
namespace {

constexpr qsizetype rowsAtOnce = 1'000;
constexpr qint64 mostUnconsumedRows = 20'000;

} // namespace

Error aboutFile(Error error, const FilePath &path)
{
    if (error.subject.isEmpty())
        error.subject = path.shown();
    return error;
}

VendorRows rowsOf(const QList<VendorFileEntry> &entries)
{
    VendorRows found;
    for (const VendorFileEntry &entry : entries) {
        if (!isPlainName(entry.name)) {
            found.refused += entry.name != "." && entry.name != "..";
            continue;
        }
        FileEntry row;
        row.name = entry.name;
        row.attributes.mode = entry.isFolder ? S_IFDIR : S_IFREG;
        if (entry.size)
            row.attributes.size = quint64(*entry.size);
        if (entry.modifiedAt) {
            const auto seconds = quint32(std::clamp<qint64>(*entry.modifiedAt / 1000, 0, 0xffffffff));
            row.attributes.times = FileTimes{seconds, seconds};
        }
        found.rows.append(row);
    }
    return found;
}

VendorListing::VendorListing(std::shared_ptr<VendorFiles> files, const FilePath &path)
    : m_question(files->list(path.bytes()))
{
    const auto take = [this, files, path](const Result<QList<VendorFileEntry>> &entries) {
        if (!entries) {
            m_isOver = true;
            emit finished(std::unexpected(aboutFile(entries.error(), path)));
            return;
        }
        m_found = rowsOf(*entries);
        m_isThere = true;
        tell();
    };
    // Later: what is answered already would be told before anybody listens.
    QMetaObject::invokeMethod(this, [this, take] { m_question.then(this, take); }, Qt::QueuedConnection);
}

VendorListing::~VendorListing()
{
    m_question.cancel();
}

void VendorListing::consumed(qint64 rows)
{
    m_unconsumed = std::max<qint64>(0, m_unconsumed - rows);
    if (m_isThere && !m_isOver)
        QMetaObject::invokeMethod(this, &VendorListing::tell, Qt::QueuedConnection);
}

// A slice for each turn of the event loop, which has others to look after.
void VendorListing::tell()
{
    if (m_isOver)
        return;
    if (m_told == m_found.rows.size()) {
        m_isOver = true;
        emit finished(ListEnd{quint64(m_found.rows.size()), m_found.refused});
        return;
    }
    const qsizetype room = std::min<qsizetype>(rowsAtOnce, mostUnconsumedRows - m_unconsumed);
    if (room <= 0)
        return;
    const QList<FileEntry> slice = m_found.rows.mid(m_told, room);
    m_told += slice.size();
    m_unconsumed += slice.size();
    QMetaObject::invokeMethod(this, &VendorListing::tell, Qt::QueuedConnection);
    emit rowsReceived(slice);
}

VendorReader::VendorReader(std::shared_ptr<VendorFiles> files, const FileReadWish &wish,
                           const QFuture<Result<FileAttributes>> &attributes, const std::optional<Error> &unsupported)
    : m_files(std::move(files))
    , m_question(attributes)
{
    if (unsupported) {
        QMetaObject::invokeMethod(this, [this, error = *unsupported] { emit finished(std::unexpected(error)); }, Qt::QueuedConnection);
        return;
    }
    m_reader = m_files->read(wish.path.bytes());
    connect(m_reader.get(), &VendorFileReader::received, this, [this](const QByteArray &bytes) {
        m_bytes += quint64(bytes.size());
        emit received(bytes);
    });
    connect(m_reader.get(), &VendorFileReader::finished, this, [this, wish](const Done &end) {
        if (end)
            compare(wish);
        else
            emit finished(std::unexpected(aboutFile(end.error(), wish.path)));
    });
}

VendorReader::~VendorReader()
{
    m_question.cancel();
}

void VendorReader::compare(const FileReadWish &wish)
{
    if (wish.listedSize) {
        emit finished(ReadEnd{m_bytes, m_bytes < *wish.listedSize});
        return;
    }
    onAnswer(m_question, this, [this, path = wish.path](const Result<FileAttributes> &there) {
        // Who may read a file need not be allowed to list its folder.
        const quint64 size = there ? there->size.value_or(0) : 0;
        if (m_bytes < size)
            emit finished(failure(ErrorKind::ConnectionLost, Layer::Http, u"the answer broke off after %1 of %2 bytes"_s.arg(m_bytes).arg(size), path.shown()));
        else
            emit finished(ReadEnd{m_bytes, false});
    });
}

void VendorReader::consumed(qint64 bytes)
{
    if (m_reader)
        m_reader->consumed(bytes);
}

VendorWriter::VendorWriter(std::shared_ptr<VendorFiles> files, const FileWriteWish &wish, const QFuture<Done> &nothingThere)
    : m_files(std::move(files))
    , m_path(wish.path)
    , m_question(nothingThere)
{
    const auto go = [this, wish](const Done &isFree) {
        if (isFree)
            begin(wish);
        else
            finish(isFree);
    };
    // Later: what is answered already would be told before anybody listens.
    QMetaObject::invokeMethod(this, [this, go] { m_question.then(this, go); }, Qt::QueuedConnection);
}

VendorWriter::~VendorWriter()
{
    m_question.cancel();
}

void VendorWriter::begin(const FileWriteWish &wish)
{
    m_writer = m_files->write(m_path.bytes(), wish.size ? std::optional(qint64(*wish.size)) : std::nullopt);
    connect(m_writer.get(), &VendorFileWriter::taken, this, &FileWriter::taken);
    connect(m_writer.get(), &VendorFileWriter::finished, this, &VendorWriter::finish);
    m_earlyBytes = 0;
    for (const QByteArray &bytes : std::exchange(m_early, {}))
        m_writer->write(bytes);
    if (m_isClosed)
        m_writer->close();
}

void VendorWriter::write(const QByteArray &bytes)
{
    if (m_isClosed || m_isOver || bytes.isEmpty())
        return;
    if (m_isTaken)
        return finish(failure(ErrorKind::InvalidInput, Layer::Http, u"more came than the size that was said"_s));
    if (m_writer)
        return m_writer->write(bytes);
    m_early.append(bytes);
    m_earlyBytes += bytes.size();
}

void VendorWriter::close(Sync sync)
{
    if (std::exchange(m_isClosed, true))
        return;
    m_wantsSync = sync == Sync::Yes;
    if (m_isTaken)
        QMetaObject::invokeMethod(this, [this] { finish({}); }, Qt::QueuedConnection);
    else if (m_writer)
        m_writer->close();
}

qint64 VendorWriter::pending() const
{
    return m_writer ? m_writer->pending() : m_earlyBytes;
}

void VendorWriter::finish(const Done &end)
{
    // Where the size is known the vendor answers as soon as it has all: whoever writes has not said yet that it is.
    if (end && !m_isClosed) {
        m_isTaken = true;
        return;
    }
    if (std::exchange(m_isOver, true))
        return;
    m_early.clear();
    if (!end)
        emit finished(std::unexpected(aboutFile(end.error(), m_path)));
    else if (m_wantsSync)
        emit finished(failure(ErrorKind::Unsupported, Layer::Provider, u"the file is there, but nobody says that it is on the disk"_s, m_path.shown()));
    else
        emit finished({});
}

} // namespace Sandpiper

// The streams of VendorFileSystem. GUI thread.
#pragma once

#include "session/vendorfiles.h"
#include "sftp/filesystem.h"

#include <memory>

namespace Sandpiper {

// The vendor's word about a file, with the path as its subject where it has none.
[[nodiscard]] Error aboutFile(Error error, const FilePath &path);

struct VendorRows
{
    QList<FileEntry> rows;
    quint64 refused = 0; // names that no file can have
};
[[nodiscard]] VendorRows rowsOf(const QList<VendorFileEntry> &entries);

class VendorListing : public FileListing
{
    Q_OBJECT
public:
    VendorListing(std::shared_ptr<VendorFiles> files, const FilePath &path);
    ~VendorListing() override;
    void consumed(qint64 rows) override;

private:
    void tell();

    QFuture<Result<QList<VendorFileEntry>>> m_question;
    VendorRows m_found;
    qsizetype m_told = 0;
    qint64 m_unconsumed = 0;
    bool m_isThere = false;
    bool m_isOver = false;
};

class VendorReader : public FileReader
{
    Q_OBJECT
public:
    // attributes: what the path's folder says of it, asked when the reading begins. Qt's HTTP takes a chunked answer
    // whose connection closes now and then for a whole one, so the bytes are counted against the size there.
    // unsupported: what to end with instead.
    VendorReader(std::shared_ptr<VendorFiles> files, const FileReadWish &wish, const QFuture<Result<FileAttributes>> &attributes,
                 const std::optional<Error> &unsupported);
    ~VendorReader() override;
    void consumed(qint64 bytes) override;

private:
    void compare(const FileReadWish &wish);

    std::shared_ptr<VendorFiles> m_files;
    std::unique_ptr<VendorFileReader> m_reader;
    QFuture<Result<FileAttributes>> m_question;
    quint64 m_bytes = 0;
};

class VendorWriter : public FileWriter
{
    Q_OBJECT
public:
    // nothingThere: to be waited for before anything is written; an error ends it.
    VendorWriter(std::shared_ptr<VendorFiles> files, const FileWriteWish &wish, const QFuture<Done> &nothingThere);
    ~VendorWriter() override;
    void write(const QByteArray &bytes) override;
    void close(Sync sync) override;
    [[nodiscard]] qint64 pending() const override;

private:
    void begin(const FileWriteWish &wish);
    void finish(const Done &end);

    std::shared_ptr<VendorFiles> m_files;
    FilePath m_path;
    QFuture<Done> m_question;
    std::unique_ptr<VendorFileWriter> m_writer; // none: not yet
    QByteArrayList m_early;
    qint64 m_earlyBytes = 0;
    bool m_isClosed = false;
    bool m_wantsSync = false;
    bool m_isTaken = false; // the vendor has all that was said to come, before close()
    bool m_isOver = false;
};

} // namespace Sandpiper

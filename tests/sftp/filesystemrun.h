// Streams of a file system, run to their end.
#pragma once

#include "sftp/filesystem.h"
#include "tests/support/waited.h"
#include "tests/support/waituntil.h"

namespace Sandpiper {

inline FilePath filePath(const QByteArray &bytes)
{
    return FilePath::fromBytes(bytes).value();
}

// What an operation that must fail failed with.
template <typename T>
[[nodiscard]] Error errorOf(const Result<T> &result)
{
    return result ? Error{ErrorKind::Cancelled, Layer::Dns, QStringLiteral("it did not fail"), {}} : result.error();
}

struct FileRead
{
    FileRead(FileSystem &files, const FileReadWish &wish, int milliseconds = 60'000)
        : reader(files.read(wish))
    {
        QObject::connect(reader.get(), &FileReader::received, reader.get(), [this](const QByteArray &piece) {
            bytes += piece;
            reader->consumed(piece.size());
        });
        QObject::connect(reader.get(), &FileReader::finished, reader.get(), [this](const Result<ReadEnd> &end) { ends.append(end); });
        (void)waitUntil([this] { return !ends.isEmpty(); }, milliseconds);
    }
    [[nodiscard]] bool isWhole() const { return ends.size() == 1 && ends.first() && qint64(ends.first()->bytes) == bytes.size(); }

    QByteArray bytes;
    QList<Result<ReadEnd>> ends;
    std::unique_ptr<FileReader> reader;
};

struct FileWritten
{
    FileWritten(FileSystem &files, const FileWriteWish &wish, const QByteArrayList &pieces, FileWriter::Sync sync = FileWriter::Sync::No)
        : writer(files.write(wish))
    {
        QObject::connect(writer.get(), &FileWriter::taken, writer.get(), [this](qint64 bytes) { taken += bytes; });
        QObject::connect(writer.get(), &FileWriter::finished, writer.get(), [this](const Done &end) { ends.append(end); });
        for (const QByteArray &piece : pieces)
            writer->write(piece);
        writer->close(sync);
        (void)waitUntil([this] { return !ends.isEmpty(); }, 60'000);
    }
    [[nodiscard]] Done end() const { return ends.size() == 1 ? ends.first() : Done(failure(ErrorKind::Timeout, Layer::Dns)); }

    qint64 taken = 0;
    QList<Done> ends;
    std::unique_ptr<FileWriter> writer;
};

struct FolderListed
{
    FolderListed(FileSystem &files, const FilePath &path)
        : listing(files.list(path))
    {
        QObject::connect(listing.get(), &FileListing::rowsReceived, listing.get(), [this](const QList<FileEntry> &some) {
            rows += some;
            largest = qMax(largest, some.size());
            listing->consumed(some.size());
        });
        QObject::connect(listing.get(), &FileListing::finished, listing.get(), [this](const Result<ListEnd> &end) { ends.append(end); });
        (void)waitUntil([this] { return !ends.isEmpty(); }, 60'000);
    }
    [[nodiscard]] QByteArrayList names() const
    {
        QByteArrayList names;
        for (const FileEntry &row : rows)
            names.append(row.name);
        return names;
    }

    QList<FileEntry> rows;
    qsizetype largest = 0;
    QList<Result<ListEnd>> ends;
    std::unique_ptr<FileListing> listing;
};

} // namespace Sandpiper

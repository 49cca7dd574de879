// One file read from one file system and, where it is wished, written into another, hashed on its way. GUI thread.
#pragma once

#include "sftp/filesystem.h"

#include <QPointer>

namespace Sandpiper {

class Sha256;

struct FilePipeWish
{
    FileReadWish read;
    std::optional<FileWriteWish> write = {}; // none: it is read alone
    quint64 most = UINT64_MAX; // bytes; more of them: TooLarge
    bool keeps = false;        // the content comes with the end; then most must be what memory can hold
    FileWriter::Sync sync = FileWriter::Sync::No;
};

struct FilePipeEnd
{
    quint64 bytes = 0;
    QByteArray sha256; // raw
    QByteArray content; // where it was to be kept
    friend bool operator==(const FilePipeEnd &, const FilePipeEnd &) = default;
};

// Ends exactly once, from the event loop. To delete it is to cancel it: what was written so far is there in part.
class FilePipe : public QObject
{
    Q_OBJECT
public:
    // Borrowed; when one of them goes, it ends with what that says. to: null where nothing is written.
    FilePipe(FileSystem *from, FileSystem *to, const FilePipeWish &wish, QObject *parent = nullptr);
    ~FilePipe() override;

signals:
    void finished(const Sandpiper::Result<Sandpiper::FilePipeEnd> &end);

private:
    void take(const QByteArray &bytes);
    void allRead(const Result<ReadEnd> &end);
    void report();
    void endWith(const Result<FilePipeEnd> &end);

    FilePipeWish m_wish;
    std::unique_ptr<Sha256> m_hash;
    std::unique_ptr<FileReader> m_reader;
    std::unique_ptr<FileWriter> m_writer;
    FilePipeEnd m_end;
    qint64 m_owed = 0; // read and not reported as consumed yet
    bool m_isOver = false;
};

} // namespace Sandpiper

// Reads two files and tells whether they hold the same. GUI thread.
#pragma once

#include "sftp/filesystem.h"

namespace Sandpiper {

class Sha256;

// Deleting it stops it.
class ContentCompare : public QObject
{
    Q_OBJECT
public:
    // The file systems are borrowed for the call; null: ConnectionLost. What is read passes, and is not kept.
    ContentCompare(FileSystem *left, const FilePath &leftPath, FileSystem *right, const FilePath &rightPath, QObject *parent = nullptr);
    ~ContentCompare() override;

signals:
    void finished(const Sandpiper::Result<bool> &isSame); // once, from the event loop

private:
    void read(int side, FileSystem *files, const FilePath &path);
    void ended(int side, const Result<ReadEnd> &end);
    void end(const Result<bool> &isSame);
    std::unique_ptr<FileReader> m_readers[2];
    std::unique_ptr<Sha256> m_sums[2];
    QByteArray m_digests[2];
    int m_left = 2;
    bool m_isOver = false;
};

} // namespace Sandpiper

// The streams of LocalFileSystem: one step after the other on a thread of the pool, so that nobody who is not read
// holds a thread, and one that is deleted lets go after its step. GUI thread.
#pragma once

#include "session/filedescriptor.h"
#include "sftp/filesystem.h"

#include <dirent.h>

#include <deque>

namespace Sandpiper {

class LocalListing : public FileListing
{
public:
    explicit LocalListing(const FilePath &path);
    void consumed(qint64 rows) override;

private:
    struct Step;
    void next();
    void take(Step step);

    FilePath m_path;
    std::shared_ptr<DIR> m_folder; // shared with the step that is under way
    ListEnd m_end;
    qint64 m_unread = 0;
    bool m_isBusy = false;
    bool m_isOver = false;
};

class LocalReader : public FileReader
{
public:
    explicit LocalReader(const FileReadWish &wish);
    void consumed(qint64 bytes) override;

private:
    struct Step;
    void next();
    void take(Step step);

    FileReadWish m_wish;
    std::shared_ptr<FileDescriptor> m_file; // shared with the step that is under way
    quint64 m_at;
    ReadEnd m_end;
    qint64 m_unread = 0;
    bool m_isBusy = false;
    bool m_isOver = false;
};

class LocalWriter : public FileWriter
{
public:
    explicit LocalWriter(const FileWriteWish &wish);
    void write(const QByteArray &bytes) override;
    void close(Sync sync) override;
    [[nodiscard]] qint64 pending() const override { return m_pending; }

private:
    void next();

    FileWriteWish m_wish;
    std::shared_ptr<FileDescriptor> m_file; // shared with the step that is under way
    std::deque<QByteArray> m_waiting;
    quint64 m_at;
    qint64 m_pending = 0;
    std::optional<Sync> m_closing;
    bool m_isBusy = false;
    bool m_isOver = false;
};

} // namespace Sandpiper

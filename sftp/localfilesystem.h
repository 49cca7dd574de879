// The files of this computer as a file system. GUI thread; the disk is asked on threads of a pool of its own,
// because a folder of the network may keep one waiting for ever.
#pragma once

#include "sftp/filesystem.h"

namespace Sandpiper {

// Errors: layer LocalDisk, subject the path. Kinds as SftpClient's, and Io for what a disk alone can have.
class LocalFileSystem : public FileSystem
{
    Q_OBJECT
public:
    explicit LocalFileSystem(const QString &displayName, QObject *parent = nullptr);
    ~LocalFileSystem() override; // what is under way ends with Cancelled; nothing is waited for

    [[nodiscard]] QString displayName() const override { return m_displayName; }
    [[nodiscard]] bool isReady() const override { return true; }
    [[nodiscard]] QString reasonAgainst(FileAction) const override { return {}; }
    [[nodiscard]] bool isLocal() const override { return true; }

    [[nodiscard]] QFuture<Result<FilePath>> homeFolder() override;
    [[nodiscard]] QFuture<Result<FilePath>> realPath(const FilePath &path) override;
    [[nodiscard]] QFuture<Result<FileAttributes>> stat(const FilePath &path, LinkPolicy links) override;
    [[nodiscard]] QFuture<Result<FilePath>> readLink(const FilePath &path) override;
    [[nodiscard]] QFuture<Done> setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links) override;
    [[nodiscard]] QFuture<Done> makeFolder(const FilePath &path) override;
    [[nodiscard]] QFuture<Done> removeFile(const FilePath &path) override;
    [[nodiscard]] QFuture<Done> removeFolder(const FilePath &path) override;
    [[nodiscard]] QFuture<Done> rename(const FilePath &from, const FilePath &to, RenamePolicy policy) override;
    [[nodiscard]] QFuture<Done> makeSymlink(const FilePath &target, const FilePath &link) override;
    [[nodiscard]] QFuture<Done> makeHardlink(const FilePath &existing, const FilePath &link) override;
    [[nodiscard]] QFuture<Result<FileSystemSpace>> space(const FilePath &path) override;
    [[nodiscard]] QFuture<Done> copyFile(const FilePath &from, const FilePath &to) override;
    [[nodiscard]] QFuture<Result<OwnerNames>> ownerNames(const QList<quint32> &users, const QList<quint32> &groups) override;

    [[nodiscard]] std::unique_ptr<FileListing> list(const FilePath &path) override;
    [[nodiscard]] std::unique_ptr<FileReader> read(const FileReadWish &wish) override;
    [[nodiscard]] std::unique_ptr<FileWriter> write(const FileWriteWish &wish) override;

private:
    template <typename Answer, typename Work>
    [[nodiscard]] QFuture<Answer> ask(Work work);

    QString m_displayName;
};

} // namespace Sandpiper

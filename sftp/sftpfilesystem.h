// The files of an SFTP server as a file system. GUI thread.
#pragma once

#include "sftp/filesystem.h"
#include "sftp/sftpclient.h"

namespace Sandpiper {

class SftpFileSystem : public FileSystem
{
    Q_OBJECT
public:
    // link: borrowed for the call; it may go first, and then this has ended.
    SftpFileSystem(SshLink *link, const QString &displayName, QObject *parent = nullptr);
    // client: somebody else's. When it goes this may be asked nothing more.
    SftpFileSystem(SftpClient *client, const QString &displayName, QObject *parent = nullptr);
    ~SftpFileSystem() override;

    // For transfers, which want more of it.
    [[nodiscard]] SftpClient *client() { return m_client; }

    [[nodiscard]] QString displayName() const override { return m_displayName; }
    [[nodiscard]] bool isReady() const override { return m_client->isReady(); }
    [[nodiscard]] QString reasonAgainst(FileAction action) const override;

    [[nodiscard]] QFuture<Result<FilePath>> homeFolder() override;
    [[nodiscard]] QFuture<Result<FilePath>> realPath(const FilePath &path) override { return m_client->realPath(path); }
    [[nodiscard]] QFuture<Result<FileAttributes>> stat(const FilePath &path, LinkPolicy links) override { return m_client->stat(path, links); }
    [[nodiscard]] QFuture<Result<FilePath>> readLink(const FilePath &path) override { return m_client->readLink(path); }
    [[nodiscard]] QFuture<Done> setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links) override
    {
        return m_client->setAttributes(path, attributes, links);
    }
    [[nodiscard]] QFuture<Done> makeFolder(const FilePath &path) override { return m_client->makeFolder(path); }
    [[nodiscard]] QFuture<Done> removeFile(const FilePath &path) override { return m_client->removeFile(path); }
    [[nodiscard]] QFuture<Done> removeFolder(const FilePath &path) override { return m_client->removeFolder(path); }
    [[nodiscard]] QFuture<Done> rename(const FilePath &from, const FilePath &to, RenamePolicy policy) override { return m_client->rename(from, to, policy); }
    [[nodiscard]] QFuture<Done> makeSymlink(const FilePath &target, const FilePath &link) override { return m_client->makeSymlink(target, link); }
    [[nodiscard]] QFuture<Done> makeHardlink(const FilePath &existing, const FilePath &link) override { return m_client->makeHardlink(existing, link); }
    [[nodiscard]] QFuture<Result<FileSystemSpace>> space(const FilePath &path) override { return m_client->space(path); }
    [[nodiscard]] QFuture<Done> copyFile(const FilePath &from, const FilePath &to) override { return m_client->copyFile(from, to); }
    [[nodiscard]] QFuture<Result<OwnerNames>> ownerNames(const QList<quint32> &users, const QList<quint32> &groups) override
    {
        return m_client->ownerNames(users, groups);
    }

    [[nodiscard]] std::unique_ptr<FileListing> list(const FilePath &path) override;
    [[nodiscard]] std::unique_ptr<FileReader> read(const FileReadWish &wish) override;
    [[nodiscard]] std::unique_ptr<FileWriter> write(const FileWriteWish &wish) override;

private:
    QString m_displayName;
    std::unique_ptr<SftpClient> m_own;
    SftpClient *m_client;
};

} // namespace Sandpiper

// The files behind a vendor's HTTP interface as a file system: whole files and listings, for a sandbox without SFTP.
// GUI thread.
#pragma once

#include "session/vendorfiles.h"
#include "sftp/filesystem.h"

namespace Sandpiper {

// What is told of a file is its type, size and time of change. The type stands in `mode`, whose permissions are all
// zero because nobody says them; a link looks as a file does.
class VendorFileSystem : public FileSystem
{
    Q_OBJECT
public:
    VendorFileSystem(std::unique_ptr<VendorFiles> files, const QString &displayName, QObject *parent = nullptr);
    ~VendorFileSystem() override;

    [[nodiscard]] QString displayName() const override { return m_displayName; }
    [[nodiscard]] bool isReady() const override { return true; } // each request stands for itself
    [[nodiscard]] QString reasonAgainst(FileAction action) const override;

    // The first of the vendor's folders to begin in that can be listed.
    [[nodiscard]] QFuture<Result<FilePath>> homeFolder() override;
    // By the text alone: links stay in it.
    [[nodiscard]] QFuture<Result<FilePath>> realPath(const FilePath &path) override;
    // Out of the listing of its folder.
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
    // Unsupported where a part is wished.
    [[nodiscard]] std::unique_ptr<FileReader> read(const FileReadWish &wish) override;
    // A file lands whole at close(), and folders on its way are made. Existing::Refuse looks first: somebody may be
    // faster in between. Its mode is the vendor's choice. Sync cannot be promised.
    [[nodiscard]] std::unique_ptr<FileWriter> write(const FileWriteWish &wish) override;

private:
    [[nodiscard]] Error unsupported(FileAction action, const FilePath &path) const;
    [[nodiscard]] QFuture<Done> refused(FileAction action, const FilePath &path) const;

    std::shared_ptr<VendorFiles> m_files; // shared with what is under way
    QString m_displayName;
};

} // namespace Sandpiper

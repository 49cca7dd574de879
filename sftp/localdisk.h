// The calls of the system that LocalFileSystem makes. They block: threads of diskPool() only.
#pragma once

#include "session/filedescriptor.h"
#include "sftp/localtree.h"

#include <QThreadPool>

#include <sys/stat.h>

namespace Sandpiper {

// Lives as long as the process: a thread that a network's folder has stuck is not waited for.
[[nodiscard]] QThreadPool *diskPool();

namespace LocalDisk {

// Of errno, as it is now.
[[nodiscard]] std::unexpected<Error> failed(const FilePath &path);

[[nodiscard]] Result<FilePath> homeFolder();
[[nodiscard]] Result<FilePath> realPath(const FilePath &path);
[[nodiscard]] Result<FileAttributes> stat(const FilePath &path, LinkPolicy links);
[[nodiscard]] Result<FilePath> readLink(const FilePath &path);
[[nodiscard]] Done setAttributes(const FilePath &path, const FileAttributes &attributes, LinkPolicy links);
[[nodiscard]] Done makeFolder(const FilePath &path);
[[nodiscard]] Done removeFile(const FilePath &path);
[[nodiscard]] Done removeFolder(const FilePath &path);
[[nodiscard]] Done rename(const FilePath &from, const FilePath &to, RenamePolicy policy);
[[nodiscard]] Done makeSymlink(const FilePath &target, const FilePath &link);
[[nodiscard]] Done makeHardlink(const FilePath &existing, const FilePath &link);
[[nodiscard]] Result<FileSystemSpace> space(const FilePath &path);
[[nodiscard]] Done copyFile(const FilePath &from, const FilePath &to);
[[nodiscard]] Result<OwnerNames> ownerNames(const QList<quint32> &users, const QList<quint32> &groups);
// Plain files only: a pipe would wait for somebody at its other end.
[[nodiscard]] Result<FileDescriptor> openToRead(const FilePath &path);
[[nodiscard]] Result<FileDescriptor> openToWrite(const FileWriteWish &wish);

} // namespace LocalDisk
} // namespace Sandpiper

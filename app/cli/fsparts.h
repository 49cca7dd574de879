// What `fs` reads and prints. Pure.
#pragma once

#include "app/cli/directory.h"
#include "sftp/sftpmessages.h"

#include <QJsonObject>

namespace Sandpiper {

struct FsPlace
{
    TargetText target;
    FilePath path;
};
// Whether TARGET:PATH is meant and no path here. A path of this computer in which there is a colon begins with a slash
// or a dot; scp looks for a slash before the colon instead, but ours are in ACCOUNT/NAME.
[[nodiscard]] bool isFsPlace(const QByteArray &text);
// TARGET:PATH. Behind ssh://user@host the number after the first colon is the port.
[[nodiscard]] CliResult<FsPlace> parseFsPlace(const QByteArray &text);
// Of a PATH alone.
[[nodiscard]] CliResult<FilePath> parseFsPath(const QByteArray &text);
[[nodiscard]] CliResult<quint32> parseFsMode(const QString &text);

[[nodiscard]] QString fsTypeText(FileType type);      // "file", "folder", …
[[nodiscard]] QByteArray fsModeText(quint32 mode);        // "drwxr-xr-x"
[[nodiscard]] QString fsTimeText(quint32 seconds);        // ISO 8601, UTC

// "name" or "path", and beside it key_base64 where it is no UTF-8.
void addFsBytes(QJsonObject &object, const QString &key, const QByteArray &bytes);
[[nodiscard]] QJsonObject fsJson(const FileAttributes &attributes, const OwnerNames &names);
[[nodiscard]] QJsonObject fsJson(const FileSystemSpace &space);
// Of `ls -l`, without the name and with a space at the end.
[[nodiscard]] QByteArray fsLongLine(const FileAttributes &attributes, const OwnerNames &names);

} // namespace Sandpiper

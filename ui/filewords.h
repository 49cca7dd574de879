// What is said of files, in words. Pure apart from translation and the locale.
#pragma once

#include "sftp/filelistview.h"
#include "ui/icons.h"

namespace Sandpiper {

// "940 B", "1.2 MB": decimal units, as the desktop's file managers and the labels of disks have them.
[[nodiscard]] QString sizeText(quint64 bytes);
// "14:05" of today, "3 Nov 14:05" of this year, else "2024-11-03".
[[nodiscard]] QString momentText(quint32 seconds, const QDateTime &now);
// "rwxr-xr-x", with s, S, t and T as ls has them.
[[nodiscard]] QString modeText(quint32 mode);
// "755", "4755".
[[nodiscard]] QString octalText(quint32 mode);
// 0..07777; none: it is no such number.
[[nodiscard]] std::optional<quint32> modeFromOctal(const QString &text);
[[nodiscard]] QString typeWord(FileType type);
[[nodiscard]] IconName iconFor(FileType type);
[[nodiscard]] QString columnText(const FileEntry &entry, FileColumn column);
[[nodiscard]] QString columnTitle(FileColumn column);
} // namespace Sandpiper

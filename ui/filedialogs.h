// The small dialogs of a file browser. Each asks without stopping the program and is gone with its parent. GUI thread.
#pragma once

#include "sftp/filesystem.h"

#include <functional>

class QWidget;

namespace Sandpiper {

struct TextQuestion
{
    QString title;
    QString label;
    QString text; // to begin with, selected
    QString verb;
};
void askText(QWidget *parent, const TextQuestion &question, std::function<void(const QString &text)> agreed);
// Where a new link leads, and its name; both as shown.
void askLink(QWidget *parent, const QString &target, std::function<void(const QString &target, const QString &name)> agreed);
// What is said of one file or of several, with permissions, owner and time to change, also in whole trees. files is borrowed and may go; changed
// is called when something was set.
void showFileProperties(QWidget *parent, FileSystem *files, const QList<FilePath> &paths, std::function<void()> changed);
// The first of what a file holds: an image, text, or bytes. files is borrowed and may go.
void showFilePreview(QWidget *parent, FileSystem *files, const FilePath &path, std::optional<quint64> size);

} // namespace Sandpiper

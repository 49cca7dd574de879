// Programs that are started apart from this one: with their words as they are, and no shell in between. GUI thread.
#pragma once

#include "session/toolcommands.h"

namespace Sandpiper {

// Whether it could be started. An URL is the desktop's business.
[[nodiscard]] bool startApart(const ToolLaunch &launch);

// What a double click, or Return, does with a file.
enum class FileOpening { Preview, Edit, Open };
struct FileChoices
{
    QString editor; // a command; empty: what the desktop opens such files with
    FileOpening opening = FileOpening::Preview;
    bool deletesForGood = false; // by the Delete key; else into the trash where that can be had
    bool hashes = false; // of files that are copied, in their receipts
};
// Of a command, in which %f stands for the file, which else goes behind it; "two words" are one with double quotes.
// file is absolute. NotFound, InvalidInput: a whole sentence in detail.
[[nodiscard]] Result<ToolLaunch> editorLaunch(const QString &command, const QString &file, const std::function<QString(const QString &program)> &find);
[[nodiscard]] Result<ToolLaunch> editorLaunch(const QString &command, const QString &file);

} // namespace Sandpiper

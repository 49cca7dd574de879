// Removes files and whole folders, many at once. GUI thread.
#pragma once

#include "sftp/treework.h"

namespace Sandpiper {

// Links are removed, never followed. What fails stays, and so do the folders above it.
class TreeRemoval : public TreeWork
{
    Q_OBJECT
public:
    using TreeWork::TreeWork;

protected:
    [[nodiscard]] QFuture<Done> doFile(const Item &item) override { return files()->removeFile(item.path); }
    [[nodiscard]] std::optional<QFuture<Done>> afterFolder(const Item &item, FolderEnd end) override
    {
        return end == FolderEnd::Whole ? std::optional(files()->removeFolder(item.path)) : std::nullopt;
    }
};

} // namespace Sandpiper

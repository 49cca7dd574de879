// Where sandboxes lie on disk: their records and their files. One thread.
#pragma once

#include "gateway/sandboxstore.h"

#include <QList>

namespace Sandpiper {

class SandboxArchive
{
public:
    explicit SandboxArchive(const QString &folder);
    // Makes the folders; LocalDisk errors.
    [[nodiscard]] Done prepare() const;
    // A damaged record is left where it is, and logged.
    [[nodiscard]] QList<LocalSandbox> load() const;
    [[nodiscard]] Done save(const LocalSandbox &sandbox) const;
    void forget(const QString &id) const; // the record alone

    [[nodiscard]] QString systemFolder() const;
    [[nodiscard]] QString home(const QString &id) const;
    [[nodiscard]] QString workspace(const QString &id) const;
    [[nodiscard]] Done makeFiles(const QString &id) const;
    // Moves them out of the way at once, and returns where to; removeTree() does the rest.
    [[nodiscard]] QString discardFiles(const QString &id) const;
    // What a killed gateway did not come to remove.
    [[nodiscard]] QStringList discarded() const;

private:
    QString m_folder;
};

} // namespace Sandpiper

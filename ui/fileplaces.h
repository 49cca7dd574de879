// Bookmarks and the paths that were gone to, for each sandbox and this computer: one versioned file. GUI thread.
#pragma once

#include "session/sandbox.h"
#include "sftp/filepath.h"

#include <QHash>

namespace Sandpiper {

class FilePlaces
{
public:
    // file empty: nothing is kept. One that cannot be understood counts as empty: it is a convenience.
    explicit FilePlaces(const QString &file);

    // sandbox empty: this computer.
    [[nodiscard]] QList<FilePath> bookmarks(const SandboxId &sandbox) const { return m_places.value(sandbox).bookmarks; }
    [[nodiscard]] QList<FilePath> history(const SandboxId &sandbox) const { return m_places.value(sandbox).history; } // the latest first
    void toggleBookmark(const SandboxId &sandbox, const FilePath &folder);
    void visited(const SandboxId &sandbox, const FilePath &folder);

private:
    struct Places
    {
        QList<FilePath> bookmarks;
        QList<FilePath> history;
    };
    void load();
    void save() const;
    QString m_file;
    QHash<SandboxId, Places> m_places;
};

} // namespace Sandpiper

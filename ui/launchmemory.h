// What "New terminal with…" was last told, for each sandbox. GUI thread.
#pragma once

#include "session/standingshell.h"

#include <QDateTime>
#include <QHash>

namespace Sandpiper {

struct Launch
{
    ShellRoute route = ShellRoute::Pty;
    ShellSpec spec;

    friend bool operator==(const Launch &, const Launch &) = default;
};

// One JSON file, version 1, 0600: environments may hold what others should not read. The 200 latest
// sandboxes are remembered. A file that cannot be read is treated as empty and kept until the next
// answer replaces it: it holds nothing but conveniences.
class LaunchMemory
{
public:
    explicit LaunchMemory(QString file);

    [[nodiscard]] std::optional<Launch> last(const SandboxId &sandbox) const;
    [[nodiscard]] Done remember(const SandboxId &sandbox, const Launch &launch);

private:
    struct Entry
    {
        Launch launch;
        qint64 usedAt = 0; // ms since 1970, UTC
    };
    void load();
    [[nodiscard]] Done save() const;
    QString m_file; // empty: in memory only
    QHash<SandboxId, Entry> m_entries;
};

} // namespace Sandpiper

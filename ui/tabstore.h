// The tabs on disk: written on each change, so that they are there again after a kill. GUI thread.
#pragma once

#include "session/standingshell.h"

#include <QDateTime>
#include <QList>

namespace Sandpiper {

// One side of a tab with files.
struct KeptSide
{
    SandboxId sandbox; // empty: this computer
    QString name;      // of the sandbox as last seen
    QByteArray folder; // empty: where a login lands
    friend bool operator==(const KeptSide &, const KeptSide &) = default;
};

struct KeptFiles
{
    KeptSide sides[2]; // left, right
    friend bool operator==(const KeptFiles &, const KeptFiles &) = default;
};

struct KeptTab
{
    ShellRecord shell;
    QString title;      // given by the user; empty: none
    QDateTime closedAt; // closed tabs only; UTC
    std::optional<KeptFiles> files = {}; // a tab with files; of shell only the sandbox counts

    friend bool operator==(const KeptTab &, const KeptTab &) = default;
};

struct KeptTabs
{
    QList<KeptTab> open; // in the order of the tab bar
    int current = -1;    // index into open; -1: none
    QList<KeptTab> closed; // the latest last; at most maxClosed

    static constexpr int maxOpen = 500;
    static constexpr int maxClosed = 25;

    friend bool operator==(const KeptTabs &, const KeptTabs &) = default;
};

// One JSON file, version 1, 0600, replaced atomically. No secret is in it.
class TabStore
{
public:
    // file empty: nothing is kept, loading gives no tabs.
    explicit TabStore(QString file) : m_file(std::move(file)) {}

    // A missing file is no tabs. A file that cannot be read as tabs is renamed beside itself, so that
    // nothing is lost, and told as an Error whose subject is that new name; single tabs that make no
    // sense are left out.
    [[nodiscard]] Result<KeptTabs> load();
    // Writes only what differs from what was written last.
    [[nodiscard]] Done save(const KeptTabs &tabs);

private:
    QString m_file;
    QByteArray m_written;
};

} // namespace Sandpiper

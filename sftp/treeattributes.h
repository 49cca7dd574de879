// Sets permissions, owners and times of files and of whole trees. GUI thread.
#pragma once

#include "sftp/treework.h"

namespace Sandpiper {

struct AttributeChange
{
    quint32 set = 0;   // bits of the permissions that are there afterwards
    quint32 clear = 0; // and that are not; the others stay
    // What becomes of the execute bits of files in a tree, where those of folders change.
    enum class Execute {
        WhereItIs, // only where somebody may already: X of chmod
        AsFolders,
        Leave,
    };
    Execute execute = Execute::WhereItIs;
    std::optional<quint32> user = {};
    std::optional<quint32> group = {};
    std::optional<quint32> modified = {}; // seconds since 1970
    friend bool operator==(const AttributeChange &, const AttributeChange &) = default;
};

// What is to be set of something in a tree, or of what was chosen itself; nothing where it is so already. Set-ID and
// sticky bits go to files only where those were chosen themselves. Pure.
enum class TreePlace { Chosen, Inside };
[[nodiscard]] FileAttributes wishFor(const AttributeChange &change, const FileAttributes &found, TreePlace place);

// Links in a tree are left as they are.
class TreeAttributes : public TreeWork
{
    Q_OBJECT
public:
    enum class Reach { Chosen, Trees };
    // The targets with their attributes: of a link, those of what it leads to.
    TreeAttributes(FileSystem *files, const QList<Target> &targets, const AttributeChange &change, Reach reach, QObject *parent = nullptr);

protected:
    [[nodiscard]] QFuture<Done> doFile(const Item &item) override;
    [[nodiscard]] std::optional<QFuture<Done>> beforeFolder(const Item &item) override;
    [[nodiscard]] std::optional<QFuture<Done>> afterFolder(const Item &item, FolderEnd end) override;
    [[nodiscard]] bool goesInto(const Item &) const override { return m_reach == Reach::Trees; }

private:
    [[nodiscard]] FileAttributes wish(const Item &item) const { return wishFor(m_change, item.attributes, item.isInside ? TreePlace::Inside : TreePlace::Chosen); }
    [[nodiscard]] QFuture<Done> apply(const FilePath &path, const FileAttributes &wanted);
    AttributeChange m_change;
    Reach m_reach;
};

} // namespace Sandpiper

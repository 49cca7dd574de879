#include "sftp/filelistview.h"

#include "session/sortkey.h"

#include <QHash>

#include <algorithm>

namespace Sandpiper {
namespace {

struct Keyed
{
    const FileEntry *entry;
    bool isFile;
    quint64 number; // of the column, where it counts
    QString name;
};

quint64 numberOf(const FileAttributes &attributes, FileColumn column)
{
    switch (column) {
    case FileColumn::Name:
    case FileColumn::Target: return 0;
    case FileColumn::Size: return attributes.isFolder() ? 0 : attributes.size.value_or(0);
    case FileColumn::Modified: return attributes.times ? attributes.times->modified : 0;
    case FileColumn::Mode: return attributes.mode.value_or(0) & 07777;
    case FileColumn::Owner: return attributes.owner ? quint64(attributes.owner->user) << 32 | attributes.owner->group : 0;
    }
    Q_UNREACHABLE_RETURN(0);
}

} // namespace

std::shared_ptr<const FileListView> viewOf(const FilePieces &pieces, const FileOrder &order, const std::atomic<bool> &cancelled)
{
    auto view = std::make_shared<FileListView>(); // of the model that shows it and of the thread that frees it
    view->pieces = pieces;
    const QStringList words = order.filter.split(u' ', Qt::SkipEmptyParts);
    std::vector<Keyed> keyed;
    for (const QList<FileEntry> &piece : pieces)
        view->all += piece.size();
    keyed.reserve(size_t(view->all));
    for (const QList<FileEntry> &piece : pieces) {
        if (cancelled)
            return nullptr;
        for (const FileEntry &entry : piece) {
            if (!order.showsHidden && entry.name.startsWith('.')) {
                ++view->hidden;
                continue;
            }
            const QString shown = shownBytes(entry.name);
            if (!std::ranges::all_of(words, [&shown](const QString &word) { return shown.contains(word, Qt::CaseInsensitive); }))
                continue;
            keyed.push_back({&entry, !entry.attributes.isFolder(), numberOf(entry.attributes, order.column), sortKey(shown)});
            if (entry.attributes.type() == FileType::File)
                view->shownBytes += entry.attributes.size.value_or(0);
        }
    }
    if (cancelled)
        return nullptr;
    const bool down = order.isDescending;
    std::ranges::sort(keyed, [down](const Keyed &a, const Keyed &b) {
        if (a.isFile != b.isFile)
            return b.isFile;
        const Keyed &first = down ? b : a;
        const Keyed &second = down ? a : b;
        if (first.number != second.number)
            return first.number < second.number;
        if (const int names = first.name.compare(second.name); names != 0)
            return names < 0;
        return first.entry->name < second.entry->name;
    });
    if (cancelled)
        return nullptr;
    view->rows.reserve(keyed.size());
    for (const Keyed &one : keyed)
        view->rows.push_back(one.entry);
    return view;
}

bool sameFiles(const FilePieces &a, const FilePieces &b)
{
    const auto count = [](const FilePieces &pieces) {
        qsizetype all = 0;
        for (const QList<FileEntry> &piece : pieces)
            all += piece.size();
        return all;
    };
    if (count(a) != count(b))
        return false;
    QHash<QByteArray, const FileEntry *> known;
    known.reserve(count(a));
    for (const QList<FileEntry> &piece : a) {
        for (const FileEntry &entry : piece)
            known.insert(entry.name, &entry);
    }
    return std::ranges::all_of(b, [&known](const QList<FileEntry> &piece) {
        return std::ranges::all_of(piece, [&known](const FileEntry &entry) {
            const FileEntry *was = known.value(entry.name);
            if (!was)
                return false;
            // To look at a file is no change of it.
            FileAttributes before = was->attributes;
            if (before.times && entry.attributes.times)
                before.times->accessed = entry.attributes.times->accessed;
            return before == entry.attributes;
        });
    });
}

} // namespace Sandpiper

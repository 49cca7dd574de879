// Compares two trees, wherever they are. GUI thread; the sorting is done in the pool.
#pragma once

#include "sftp/filesystem.h"
#include "sftp/treematch.h"

#include <QPointer>

#include <deque>
#include <unordered_map>

namespace Sandpiper {

class ContentCompare;

// Links are compared, never followed; the two tops themselves may be links. What cannot be listed is a row with the
// reason, and the rest goes on. Deleting it stops it.
class TreeCompare : public QObject
{
    Q_OBJECT
public:
    struct Place
    {
        FileSystem *files = nullptr; // borrowed and may go
        FilePath root;
        bool mayBeMissing = false; // and is as empty then; else it is an error
    };
    TreeCompare(const Place &left, const Place &right, const CompareOptions &options, QObject *parent = nullptr);
    ~TreeCompare() override;
    void start();
    [[nodiscard]] qint64 folders() const { return m_foldersDone; } // looked into so far
    [[nodiscard]] bool isOver() const { return m_isOver; }

signals:
    // Folder by folder, in no order; each path once, but for those of failures. A folder comes before what is in it.
    void found(const QList<Sandpiper::CompareRow> &rows);
    // Once. An error: a top cannot be listed at all, or a side is lost; what was found until then is not all.
    void finished(const Sandpiper::Done &end);

private:
    struct Side
    {
        QPointer<FileSystem> files;
        FilePath root;
        bool mayBeMissing = false;
        bool isMissing = false;
    };
    struct Walk // a folder to be looked into
    {
        FilePath path;
        bool left = false;
        bool right = false;
    };
    struct Folder // one that is being looked into
    {
        FilePath path;
        SideListing sides[2];
        std::unique_ptr<FileListing> listings[2];
        int left = 0; // listings that are not over
    };
    [[nodiscard]] Side &side(CompareSide which) { return m_sides[int(which)]; }
    [[nodiscard]] FilePath fullPath(CompareSide which, const FilePath &path) const { return path.isEmpty() ? m_sides[int(which)].root : m_sides[int(which)].root.joined(path); }
    void lookAtTop(CompareSide which);
    void askClock(const FilePath &root);
    void topAnswered();
    void startMore();
    void open(const Walk &walk);
    void list(qint64 id, CompareSide which);
    void listed(qint64 id, CompareSide which, const Result<ListEnd> &end);
    void match(qint64 id);
    void take(const FolderMatch &match);
    void settle(ComparePair pair); // judges it again
    void askStat(const ComparePair &pair);
    void askLinks(const ComparePair &pair);
    void readBoth(const ComparePair &pair);
    void tell(const CompareRow &row);
    void tellFailure(const FilePath &path, const Error &error);
    void flush();
    void end(const Done &how);
    void finishIfDone();
    [[nodiscard]] bool lose(const Error &error); // whether that was the end

    Side m_sides[2];
    CompareOptions m_options;
    std::deque<Walk> m_walks;
    std::unordered_map<qint64, Folder> m_folders;
    std::deque<ComparePair> m_open; // something is to be asked about them
    std::deque<ComparePair> m_toRead;
    std::unordered_map<qint64, std::unique_ptr<ContentCompare>> m_reads;
    QList<CompareRow> m_rows; // not told yet
    qint64 m_lastId = 0;
    qint64 m_names = 0; // in the memory, of folders that are open
    qint64 m_foldersDone = 0;
    int m_tops = 0; // answers
    int m_asking = 0;
    bool m_isOver = false;
};

// Seconds between two times that a disk of this kind (statfs's f_type) can tell apart, where that is more than one.
[[nodiscard]] quint32 clockStep(quint64 kindOfDisk);

} // namespace Sandpiper

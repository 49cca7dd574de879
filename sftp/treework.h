// What is done to files and to all that is in folders, many at once. GUI thread.
#pragma once

#include "sftp/filesystem.h"

#include <QPointer>

#include <deque>
#include <unordered_map>

namespace Sandpiper {

// Links are never followed. What fails is told at the end; everything else is done all the same. Deleting it stops it:
// what was done is done.
class TreeWork : public QObject
{
    Q_OBJECT
public:
    struct Target
    {
        FilePath path;
        bool isFolder = false; // by itself, not by where a link leads
        FileAttributes attributes = {};
    };
    struct Outcome
    {
        qint64 done = 0;
        qint64 failed = 0;
        QList<Error> errors; // the first of them; each names its file
    };
    // files is borrowed and may go.
    TreeWork(FileSystem *files, const QList<Target> &targets, QObject *parent = nullptr);
    ~TreeWork() override;
    void start();
    [[nodiscard]] const Outcome &outcome() const { return m_outcome; }

signals:
    void progressed(qint64 done); // now and then
    void finished(const Sandpiper::TreeWork::Outcome &outcome); // once

protected:
    struct Item : Target
    {
        bool isInside = false; // of a target; else it is one
    };
    enum class FolderEnd {
        Whole,
        Incomplete, // something in it failed, or could not be listed
    };
    [[nodiscard]] FileSystem *files() const { return m_files; } // not null in what follows
    [[nodiscard]] virtual QFuture<Done> doFile(const Item &item) = 0; // also links, and whatever else is no folder
    // Before it is listed; what fails there is told, and it is listed all the same. None: nothing is done.
    [[nodiscard]] virtual std::optional<QFuture<Done>> beforeFolder(const Item &) { return std::nullopt; }
    [[nodiscard]] virtual std::optional<QFuture<Done>> afterFolder(const Item &item, FolderEnd end) = 0;
    [[nodiscard]] virtual bool goesInto(const Item &) const { return true; }

private:
    struct Folder
    {
        Item item;
        qint64 parent = -1;
        qint64 left = 0; // children that are not done yet, and the listing itself
        bool isIncomplete = false;
        std::unique_ptr<FileListing> listing;
    };
    void openFolder(const Item &item, qint64 parent);
    void startMore();
    void enter(qint64 id);
    void listFolder(qint64 id);
    void work(const Item &item, qint64 parent);
    void settled(qint64 id, bool isDone);
    void answered(const Done &done);
    void tell(const Error &error);
    void finishIfDone();

    QPointer<FileSystem> m_files;
    QList<Target> m_targets;
    std::unordered_map<qint64, Folder> m_folders; // not done yet
    std::deque<qint64> m_unlisted;
    std::deque<std::pair<Item, qint64>> m_waiting; // files, with their folder
    qint64 m_lastFolder = 0;
    int m_underWay = 0; // answers
    int m_listings = 0;
    Outcome m_outcome;
    bool m_isOver = false;
};

} // namespace Sandpiper

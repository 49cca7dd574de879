// Removes files and whole folders, many at once. GUI thread.
#pragma once

#include "sftp/filesystem.h"

#include <QPointer>

#include <deque>
#include <unordered_map>
#include <vector>

namespace Sandpiper {

// Links are removed, never followed. What fails stays and is told at the end; everything else goes all the same.
// Deleting it stops it: what has gone is gone.
class TreeRemoval : public QObject
{
    Q_OBJECT
public:
    struct Target
    {
        FilePath path;
        bool isFolder = false; // by itself, not by where a link leads
    };
    struct Outcome
    {
        qint64 removed = 0;
        qint64 failed = 0;
        QList<Error> errors; // the first of them
    };
    // files is borrowed and may go.
    TreeRemoval(FileSystem *files, const QList<Target> &targets, QObject *parent = nullptr);
    ~TreeRemoval() override;
    void start();
    [[nodiscard]] const Outcome &outcome() const { return m_outcome; }

signals:
    void progressed(qint64 removed); // now and then
    void finished(const Sandpiper::TreeRemoval::Outcome &outcome); // once

private:
    struct Folder
    {
        FilePath path;
        qint64 parent = -1;
        qint64 left = 0; // children that are not gone yet, and the listing itself
        bool isKept = false; // something in it stays
        std::unique_ptr<FileListing> listing;
    };
    void openFolder(const FilePath &path, qint64 parent);
    void startMore();
    void removeFile(const FilePath &path, qint64 parent);
    void settled(qint64 folder, bool isGone);
    void tell(const Error &error);
    void finishIfDone();

    QPointer<FileSystem> m_files;
    QList<Target> m_targets;
    std::unordered_map<qint64, Folder> m_folders; // not gone yet
    std::deque<qint64> m_unlisted;
    std::deque<std::pair<FilePath, qint64>> m_waiting; // files, with their folder
    qint64 m_lastFolder = 0;
    int m_underWay = 0; // answers
    int m_listings = 0;
    Outcome m_outcome;
    bool m_isOver = false;
};

} // namespace Sandpiper

// Moves files into the trash of whoever owns them, as freedesktop.org's trash specification 1.0 has it: the home trash,
// on this computer and in sandboxes alike. GUI thread.
#pragma once

#include "sftp/filesystem.h"

#include <QPointer>

#include <deque>

namespace Sandpiper {

class TrashRun : public QObject
{
    Q_OBJECT
public:
    struct Moved
    {
        FilePath was;
        FilePath now;
        FilePath info; // the .trashinfo beside it
    };
    struct Outcome
    {
        QList<Moved> moved;
        // Not on the disk of the trash, or in the trash already: they can only be removed for good.
        QList<FilePath> unmovable;
        qint64 failed = 0;
        QList<Error> errors; // the first of them
    };
    // files is borrowed and may go. trash: of this account there; empty: $XDG_DATA_HOME/Trash here, ~/.local/share/Trash elsewhere.
    TrashRun(FileSystem *files, const QList<FilePath> &targets, const FilePath &trash = {}, QObject *parent = nullptr);
    ~TrashRun() override;
    void start();

    // A sentence; empty: files can be moved to a trash there.
    [[nodiscard]] static QString reasonAgainst(const FileSystem &files);

signals:
    void finished(const Sandpiper::TrashRun::Outcome &outcome); // once

private:
    struct Item
    {
        FilePath was;
        int number = 1; // of the name in the trash
    };
    void findTrash();
    void makeFolders(qsizetype made);
    void startMore();
    void choose(const Item &item);
    void writeInfo(const Item &item, const FilePath &now, const FilePath &info);
    void move(const Item &item, const FilePath &now, const FilePath &info);
    void settle();
    void fail(const Error &error);
    void failAll(const Error &error);

    QPointer<FileSystem> m_files;
    FilePath m_trash;
    std::deque<Item> m_waiting;
    QList<FilePath> m_folders; // to be there first, from above
    int m_underWay = 0;
    Outcome m_outcome;
};

} // namespace Sandpiper

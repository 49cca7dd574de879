// What is done to the files of a pane: asks where it must, does it, and tells what failed. GUI thread.
#pragma once

#include "sftp/trash.h"
#include "sftp/treeremoval.h"
#include "ui/filepane.h"

namespace Sandpiper {

class FileUndo;

class FileWork : public QObject
{
    Q_OBJECT
public:
    FileWork(FilePane *pane, FileUndo *undo); // a child of pane; undo is borrowed and outlives it

    void newFolder();
    void newFile();
    void newLink();
    void renameCurrent(); // in its row
    void rename(int row, const QString &shown);
    void askRemove();        // into the trash, where the setting says so and there can be one
    void askRemoveForGood();
    void properties();
    void preview(int row);
    void copyPaths() const;
    // Of the chosen rows.
    [[nodiscard]] QList<FilePath> chosenPaths() const;
    // Within this pane's own files: by names alone.
    void moveHere(const QList<FilePath> &paths, const FilePath &folder);
    [[nodiscard]] bool isRemoving() const { return m_removal || m_trashing; }

signals:
    // Something is not where it was; also folders that other panes show.
    void changed();
    // moveHere() could not by names alone.
    void longMoveWanted(const QList<Sandpiper::FilePath> &paths, const Sandpiper::FilePath &folder);

private:
    [[nodiscard]] std::optional<FilePath> childNamed(const QString &shown);
    void follow(const QFuture<Done> &answer, const QByteArray &select);
    [[nodiscard]] QList<TreeRemoval::Target> chosenTargets() const;
    void askRemove(const QList<TreeRemoval::Target> &targets, const QString &whyForGood);
    void askTrash(const QList<TreeRemoval::Target> &targets);
    void moveToTrash(const QList<TreeRemoval::Target> &targets);
    void trashed(const TrashRun::Outcome &outcome, const QList<TreeRemoval::Target> &targets);
    void noteUndo(const QString &told, const QString &words, const QList<std::pair<FilePath, FilePath>> &moved);
    void remove(const QList<TreeRemoval::Target> &targets);
    void removed(const TreeRemoval::Outcome &outcome);

    FilePane *m_pane;
    FileUndo *m_undo;
    std::unique_ptr<TreeRemoval> m_removal;
    std::unique_ptr<TrashRun> m_trashing;
    std::unique_ptr<FileWriter> m_writer;
};

} // namespace Sandpiper

// What is done to the files of a pane: asks where it must, does it, and tells what failed. GUI thread.
#pragma once

#include "sftp/treeremoval.h"
#include "ui/filepane.h"

namespace Sandpiper {

class FileWork : public QObject
{
    Q_OBJECT
public:
    explicit FileWork(FilePane *pane); // its child

    void newFolder();
    void newFile();
    void newLink();
    void renameCurrent(); // in its row
    void rename(int row, const QString &shown);
    void askRemove();
    void properties();
    void preview(int row);
    void copyPaths() const;
    // Of the chosen rows.
    [[nodiscard]] QList<FilePath> chosenPaths() const;
    // Within this pane's own files: by names alone.
    void moveHere(const QList<FilePath> &paths, const FilePath &folder);
    [[nodiscard]] bool isRemoving() const { return m_removal != nullptr; }

signals:
    // Something is not where it was; also folders that other panes show.
    void changed();
    // moveHere() could not by names alone.
    void longMoveWanted(const QList<Sandpiper::FilePath> &paths, const Sandpiper::FilePath &folder);

private:
    [[nodiscard]] std::optional<FilePath> childNamed(const QString &shown);
    void follow(const QFuture<Done> &answer, const QByteArray &select);
    void remove(const QList<TreeRemoval::Target> &targets);
    void removed(const TreeRemoval::Outcome &outcome);

    FilePane *m_pane;
    std::unique_ptr<TreeRemoval> m_removal;
    std::unique_ptr<FileWriter> m_writer;
};

} // namespace Sandpiper

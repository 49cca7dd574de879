// What was renamed and moved in a browser, to be taken back: the latest first. GUI thread.
#pragma once

#include "sftp/filesystem.h"

#include "session/sandbox.h"

#include <deque>
#include <functional>
#include <optional>

namespace Sandpiper {

class FileUndo : public QObject
{
    Q_OBJECT
public:
    struct Move
    {
        FilePath now;
        FilePath was;
        FilePath note; // goes with it: the .trashinfo of what comes out of the trash; empty: nothing
    };
    struct Step
    {
        SandboxId place; // whose files; empty: this computer's
        QList<Move> moves;
        QString words; // "Undo: the move of 3 files"
    };
    // The files of a place; null: they are not to be had now.
    explicit FileUndo(std::function<FileSystem *(const SandboxId &place)> files, QObject *parent = nullptr);

    int note(const Step &step); // its number
    [[nodiscard]] std::optional<Step> latest() const; // none: there is nothing to undo
    void undoLatest();
    void undo(int number); // does nothing where it has been undone

signals:
    void changed(); // latest()
    // Everything of a step has been tried; where only was moved back, error is the first reason.
    void undone(const Sandpiper::FileUndo::Step &step, const std::optional<Sandpiper::Error> &error);

private:
    std::function<FileSystem *(const SandboxId &)> m_files;
    std::deque<std::pair<int, Step>> m_steps; // the latest at the end
    int m_last = 0;
};

} // namespace Sandpiper

#include "ui/fileundo.h"

#include "sftp/fileanswer.h"

#include <algorithm>

namespace Sandpiper {
namespace {

constexpr size_t kMostSteps = 50;

} // namespace

FileUndo::FileUndo(std::function<FileSystem *(const SandboxId &)> files, QObject *parent)
    : QObject(parent)
    , m_files(std::move(files))
{
}

int FileUndo::note(const Step &step)
{
    if (m_steps.size() == kMostSteps)
        m_steps.pop_front();
    m_steps.emplace_back(++m_last, step);
    emit changed();
    return m_last;
}

std::optional<FileUndo::Step> FileUndo::latest() const
{
    return m_steps.empty() ? std::nullopt : std::optional(m_steps.back().second);
}

void FileUndo::undoLatest()
{
    if (!m_steps.empty())
        undo(m_steps.back().first);
}

void FileUndo::undo(int number)
{
    const auto it = std::ranges::find(m_steps, number, &std::pair<int, Step>::first);
    if (it == m_steps.end())
        return;
    const Step step = it->second;
    FileSystem *files = m_files(step.place);
    if (!files)
        return emit undone(step, Error{ErrorKind::ConnectionLost, Layer::Sftp, {}, {}});
    m_steps.erase(it);
    emit changed();
    struct Progress
    {
        qsizetype left;
        Step kept; // what may succeed another time
        std::optional<Error> error;
    };
    auto progress = std::make_shared<Progress>(step.moves.size(), Step{step.place, {}, step.words}); // of the answers
    // From the last to the first: a later one may have been moved into what an earlier one had moved.
    for (auto move = step.moves.crbegin(); move != step.moves.crend(); ++move) {
        onAnswer(files->rename(move->now, move->was, RenamePolicy::Keep), this, [this, progress, step, move = *move](const Done &done) {
            if (!done && !progress->error)
                progress->error = done.error();
            const bool mayComeYet = !done && (done.error().kind == ErrorKind::Conflict || isOutOfReach(done.error()));
            if (mayComeYet)
                progress->kept.moves.prepend(move);
            FileSystem *still = m_files(step.place);
            if (done && !move.note.isEmpty() && still)
                onAnswer(still->removeFile(move.note), this, [](const Done &) {});
            if (--progress->left > 0)
                return;
            if (!progress->kept.moves.isEmpty())
                (void)note(progress->kept);
            emit undone(step, progress->error);
        });
    }
}

} // namespace Sandpiper

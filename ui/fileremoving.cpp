// Deleting, for good and into the trash; see ui/filework.h.
#include "ui/filework.h"

#include "ui/filetable.h"
#include "ui/fileundo.h"

namespace Sandpiper {

QList<TreeRemoval::Target> FileWork::chosenTargets() const
{
    QList<TreeRemoval::Target> targets;
    for (const int row : m_pane->table()->chosenRows())
        targets.append({m_pane->model()->path(row), m_pane->model()->entry(row).attributes.isFolder()});
    return targets;
}

void FileWork::askRemove()
{
    const QList<TreeRemoval::Target> targets = chosenTargets();
    if (targets.isEmpty() || !m_pane->files() || isRemoving())
        return;
    if (m_pane->choices().deletesForGood)
        return askRemove(targets, {});
    if (const QString reason = TrashRun::reasonAgainst(*m_pane->files()); !reason.isEmpty())
        return askRemove(targets, tr("There is no trash: %1").arg(reason));
    askTrash(targets);
}

void FileWork::askRemoveForGood()
{
    const QList<TreeRemoval::Target> targets = chosenTargets();
    if (!targets.isEmpty() && m_pane->files() && !isRemoving())
        askRemove(targets, {});
}

void FileWork::askRemove(const QList<TreeRemoval::Target> &targets, const QString &whyForGood)
{
    const bool hasFolder = std::ranges::any_of(targets, &TreeRemoval::Target::isFolder);
    const QString name = shownBytes(targets.constFirst().path.name()).left(120);
    const QString place = m_pane->displayName();
    Confirmation question;
    question.question = targets.size() == 1 ? tr("Delete “%1” for good?").arg(name) : tr("Delete %L1 files and folders for good?").arg(targets.size());
    question.text = hasFolder ? tr("With everything in it. It cannot be brought back on “%1”.").arg(place) : tr("It cannot be brought back on “%1”.").arg(place);
    if (!whyForGood.isEmpty())
        question.text = whyForGood + u' ' + question.text;
    question.verb = tr("Delete");
    question.keep = tr("Keep");
    confirm(m_pane->window(), question, [this, still = QPointer(this), targets] {
        if (still)
            remove(targets);
    });
}

void FileWork::askTrash(const QList<TreeRemoval::Target> &targets)
{
    const QString name = shownBytes(targets.constFirst().path.name()).left(120);
    Confirmation question;
    question.question = targets.size() == 1 ? tr("Move “%1” to the trash?").arg(name) : tr("Move %L1 files and folders to the trash?").arg(targets.size());
    question.text = m_pane->isLocal() ? tr("Undo brings it back, and so does the trash of the desktop.")
                                      : tr("Undo brings it back. Until it is deleted from ~/.local/share/Trash it takes room on “%1”.").arg(m_pane->displayName());
    question.verb = tr("Move to the trash");
    question.keep = tr("Keep");
    question.isDestructive = false;
    confirm(m_pane->window(), question, [this, still = QPointer(this), targets] {
        if (still)
            moveToTrash(targets);
    });
}

void FileWork::moveToTrash(const QList<TreeRemoval::Target> &targets)
{
    if (!m_pane->files() || isRemoving())
        return;
    QList<FilePath> paths;
    for (const TreeRemoval::Target &target : targets)
        paths.append(target.path);
    m_trashing = std::make_unique<TrashRun>(m_pane->files(), paths);
    connect(m_trashing.get(), &TrashRun::finished, this, [this, targets](const TrashRun::Outcome &outcome) {
        m_trashing.release()->deleteLater(); // it is what speaks
        trashed(outcome, targets);
    });
    if (targets.size() > 50)
        m_pane->notices()->tell(NoticeBar::Tone::Info, tr("Moving to the trash…"));
    m_trashing->start();
}

void FileWork::trashed(const TrashRun::Outcome &outcome, const QList<TreeRemoval::Target> &targets)
{
    m_pane->notices()->dismiss();
    m_pane->refresh();
    emit changed();
    if (!outcome.moved.isEmpty()) {
        const bool isOne = outcome.moved.size() == 1;
        const QString name = shownBytes(outcome.moved.constFirst().was.name());
        FileUndo::Step step{m_pane->sandbox(), {}, isOne ? tr("Bring back “%1”").arg(name.left(60)) : tr("Bring back %L1 files").arg(outcome.moved.size())};
        for (const TrashRun::Moved &moved : outcome.moved)
            step.moves.append({moved.now, moved.was, moved.info});
        const int number = m_undo->note(step);
        m_pane->notices()->tell(NoticeBar::Tone::Info, isOne ? tr("“%1” is in the trash.").arg(name) : tr("%L1 files and folders are in the trash.").arg(outcome.moved.size()),
                                tr("Undo"), [undo = m_undo, number] { undo->undo(number); });
    }
    if (outcome.failed == 1)
        m_pane->tell(outcome.errors.constFirst());
    else if (outcome.failed > 1)
        m_pane->notices()->tell(NoticeBar::Tone::Trouble, tr("%L1 could not be moved to the trash. The first: %2").arg(outcome.failed).arg(problemText(outcome.errors.constFirst())));
    if (outcome.unmovable.isEmpty())
        return;
    QList<TreeRemoval::Target> rest;
    for (const TreeRemoval::Target &target : targets) {
        if (outcome.unmovable.contains(target.path))
            rest.append(target);
    }
    askRemove(rest, tr("It lies on another disk than the trash, or in the trash already, so it cannot be moved there."));
}

void FileWork::remove(const QList<TreeRemoval::Target> &targets)
{
    if (!m_pane->files() || isRemoving())
        return;
    m_removal = std::make_unique<TreeRemoval>(m_pane->files(), targets);
    const auto stop = [this] {
        m_removal.reset();
        m_pane->refresh();
        emit changed();
    };
    const auto tellProgress = [this, stop](qint64 count) {
        m_pane->notices()->tell(NoticeBar::Tone::Info, count > 0 ? tr("Deleting… %L1 so far").arg(count) : tr("Deleting…"), tr("Stop"), stop);
    };
    connect(m_removal.get(), &TreeRemoval::progressed, this, tellProgress);
    connect(m_removal.get(), &TreeRemoval::finished, this, &FileWork::removed);
    if (targets.size() > 50)
        tellProgress(0);
    m_removal->start();
}

void FileWork::removed(const TreeRemoval::Outcome &outcome)
{
    m_removal.release()->deleteLater(); // it is what speaks
    m_pane->notices()->dismiss();
    if (outcome.failed == 1)
        m_pane->tell(outcome.errors.constFirst());
    else if (outcome.failed > 1)
        m_pane->notices()->tell(NoticeBar::Tone::Trouble, tr("%L1 could not be deleted. The first: %2").arg(outcome.failed).arg(problemText(outcome.errors.constFirst())));
    m_pane->refresh();
    emit changed();
}

} // namespace Sandpiper

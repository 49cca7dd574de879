// Compare and sync of a file browser; see ui/filebrowser.h.
#include "session/errortext.h"
#include "ui/comparedialog.h"
#include "ui/filebrowser.h"
#include "ui/filewords.h"

#include <array>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

QString FileBrowser::reasonAgainstComparing() const
{
    for (const FilePane *pane : m_panes) {
        if (!pane->files())
            return tr("“%1” is not connected.").arg(pane->displayName());
        if (const QString reason = pane->reasonAgainst(FileAction::List); !reason.isEmpty())
            return reason;
    }
    if (m_panes[0]->sandbox() == m_panes[1]->sandbox() && m_panes[0]->folder() == m_panes[1]->folder())
        return tr("Both sides show the same folder.");
    return {};
}

void FileBrowser::compareFolders()
{
    if (!reasonAgainstComparing().isEmpty())
        return;
    const auto sideOf = [](const FilePane *pane) { return CompareDialog::Side{pane->files(), pane->folder(), pane->displayName()}; };
    const CompareDialog::Side sides[] = {sideOf(m_panes[0]), sideOf(m_panes[1])};
    const QString reason = m_services.transfers ? TreeSync::reasonAgainst(*sides[0].files, *sides[1].files) : tr("There is no queue for transfers.");
    const FilePane *remote = m_panes[m_panes[0]->isLocal() ? 1 : 0];
    auto *dialog = new CompareDialog(sides[0], sides[1], reason, window());
    // The panes may show something else by the time that it is agreed to: what was compared is what is meant.
    const QPointer<FileSystem> files[] = {sides[0].files, sides[1].files};
    connect(dialog, &CompareDialog::syncWanted, this,
            [this, left = files[0], right = files[1], folders = std::array{sides[0].folder, sides[1].folder}, sandbox = remote->sandbox(), name = remote->displayName()](SyncWay way, const SyncPlan &plan) {
                if (!m_services.transfers)
                    return;
                const bool isToRight = way == SyncWay::LeftToRight;
                startSync({isToRight ? left : right, folders[isToRight ? 0 : 1], isToRight ? right : left, folders[isToRight ? 1 : 0], sandbox, name}, plan);
            });
    dialog->show();
}

void FileBrowser::startSync(const TreeSync::Places &places, const SyncPlan &plan)
{
    auto *sync = new TreeSync(places, plan, m_services.transfers, this);
    connect(sync, &TreeSync::finished, this, [this, sync](const TreeSync::Outcome &outcome) {
        sync->deleteLater();
        for (FilePane *pane : m_panes)
            pane->refresh();
        NoticeBar *notices = activePane()->notices();
        if (outcome.isWhole())
            return notices->tell(NoticeBar::Tone::Info, tr("The folders are as planned: %L1 files, %2 moved, %L3 removed.").arg(outcome.filesMoved).arg(sizeText(outcome.bytesMoved)).arg(outcome.removed));
        if (outcome.isCancelled)
            return notices->tell(NoticeBar::Tone::Info, tr("The sync was cancelled. Nothing was removed after that."));
        QString why = outcome.error ? errorText(*outcome.error).sentence : outcome.failures.isEmpty() ? QString() : errorText(outcome.failures.constFirst().error).sentence;
        if (outcome.heldBack > 0)
            why += u' ' + tr("%L1 more steps were not taken, removals among them.").arg(outcome.heldBack);
        notices->tell(NoticeBar::Tone::Trouble, outcome.failed > 1 ? tr("%L1 steps failed: %2").arg(outcome.failed).arg(why) : tr("A step failed: %1").arg(why));
    });
    sync->start();
}

} // namespace Sandpiper

#include "ui/filecarrier.h"

#include "sftp/sftpfilesystem.h"
#include "ui/conflictdialog.h"
#include "ui/dragout.h"
#include "ui/filetable.h"
#include "ui/filewords.h"
#include "ui/filework.h"
#include "ui/transfermodel.h"

#include <QClipboard>
#include <QGuiApplication>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

FileCarrier::FileCarrier(const FileServices &services, FilePane *const (&panes)[2], FileWork *const (&work)[2])
    : m_services(services)
    , m_panes{panes[0], panes[1]}
    , m_work{work[0], work[1]}
{
    if (m_services.transfers)
        watchTransfers();
    for (int side = 0; side < 2; ++side)
        m_panes[side]->table()->setDropJudge([this, side](const CarriedFiles &files, Qt::KeyboardModifiers modifiers, int row) { return judge(files, modifiers, side, row); });
}

FileCarrier::~FileCarrier()
{
    for (const FilePane *pane : m_panes)
        pane->table()->setDropJudge({});
}

CarriedFiles FileCarrier::chosenOf(int side) const
{
    const FilePane *pane = m_panes[side];
    CarriedFiles files;
    files.place = pane->sandbox();
    files.placeName = files.isLocal() ? QString() : pane->displayName();
    files.paths = m_work[side]->chosenPaths();
    files.hasSftp = qobject_cast<SftpFileSystem *>(pane->files());
    files.isOurs = true;
    return files;
}

CarryTarget FileCarrier::targetOf(int side, const FilePath &folder) const
{
    const FilePane *pane = m_panes[side];
    return {pane->sandbox(), pane->isLocal() ? QString() : pane->displayName(), folder, qobject_cast<SftpFileSystem *>(pane->files()) != nullptr};
}

// What speaks against it whatever the files are.
QString FileCarrier::reasonAgainstPlaces(Carry how, const SandboxId &from, int to) const
{
    if (!m_panes[to]->files())
        return tr("“%1” is not connected.").arg(m_panes[to]->displayName());
    if (!m_services.transfers)
        return tr("There is no queue for transfers.");
    if (const QString reason = m_panes[to]->reasonAgainst(FileAction::Write); !reason.isEmpty())
        return reason;
    // Of what another tab shows the transfer finds out.
    for (const FilePane *pane : m_panes) {
        if (pane->sandbox() != from)
            continue;
        if (!pane->files())
            return tr("“%1” is not connected.").arg(pane->displayName());
        const QString reason = pane->reasonAgainst(FileAction::Read);
        return reason.isEmpty() && how == Carry::Move ? pane->reasonAgainst(FileAction::RemoveFile) : reason;
    }
    return {};
}

QString FileCarrier::reasonAgainstOther(Carry how, int from) const
{
    const FilePane *other = m_panes[1 - from];
    if (m_panes[from]->sandbox() == other->sandbox() && m_panes[from]->folder() == other->folder())
        return tr("Both sides show the same folder.");
    return reasonAgainstPlaces(how, m_panes[from]->sandbox(), 1 - from);
}

QString FileCarrier::reasonAgainst(Carry how, const CarriedFiles &files, int to, const FilePath &folder) const
{
    if (files.place == m_panes[to]->sandbox()) {
        if (files.paths.contains(folder))
            return tr("A folder cannot go into itself.");
        const auto isThere = [&](const FilePath &path) { return path.parent() == folder; };
        if (how == Carry::Move && std::ranges::all_of(files.paths, isThere))
            return tr("It is there already.");
        const auto holds = [&](const FilePath &path) { return folder.bytes().startsWith(path.bytes() + '/'); };
        if (std::ranges::any_of(files.paths, holds))
            return tr("A folder cannot go into itself.");
    }
    return reasonAgainstPlaces(how, files.place, to);
}

void FileCarrier::carryToOther(Carry how, int from)
{
    const CarriedFiles files = chosenOf(from);
    const QString reason = reasonAgainstOther(how, from);
    if (!reason.isEmpty() && !files.paths.isEmpty())
        return m_panes[1 - from]->notices()->tell(NoticeBar::Tone::Trouble, reason);
    carry(how, files, 1 - from, m_panes[1 - from]->folder());
}

void FileCarrier::carry(Carry how, const CarriedFiles &files, int to, const FilePath &folder)
{
    if (files.paths.isEmpty())
        return;
    if (const QString reason = reasonAgainst(how, files, to, folder); !reason.isEmpty())
        return m_panes[to]->notices()->tell(NoticeBar::Tone::Trouble, reason);
    const bool renames = how == Carry::Move && files.place == m_panes[to]->sandbox() && m_panes[to]->reasonAgainst(FileAction::Rename).isEmpty();
    renames ? m_work[to]->moveHere(files.paths, folder) : addTransfer(how, files, to, folder);
}

void FileCarrier::moveWithin(int side, const QList<FilePath> &paths, const FilePath &folder)
{
    CarriedFiles files = chosenOf(side);
    files.paths = paths;
    addTransfer(Carry::Move, files, side, folder);
}

void FileCarrier::addTransfer(Carry how, const CarriedFiles &files, int to, const FilePath &folder)
{
    if (!m_services.transfers)
        return;
    TransferWish wish = wishFor(files, targetOf(to, folder), how == Carry::Move);
    wish.hashes = m_services.choices && m_services.choices().hashes;
    // A copy beside itself is what is wanted then.
    if (files.place == m_panes[to]->sandbox() && files.paths.constFirst().parent() == folder)
        wish.onConflict = OnConflict::Rename;
    m_ownTransfers.insert(m_services.transfers->add(wish));
}

void FileCarrier::watchTransfers()
{
    TransferQueue *queue = m_services.transfers;
    connect(queue, &TransferQueue::asked, this, [this, queue](qint64 id) {
        if (m_ownTransfers.contains(id))
            (void)askAboutConflict(m_panes[0]->window(), queue, id);
    });
    connect(queue, &TransferQueue::finished, this, [this, queue](qint64 id) {
        if (m_ownTransfers.remove(id) == 0)
            return;
        for (FilePane *pane : m_panes)
            pane->refresh();
        const TransferProgress progress = queue->progress(id);
        if (progress.state == TransferState::Finished && progress.failures.isEmpty())
            emit noteworthy(tr("Files are there"), tr("%L1 files, %2").arg(progress.filesMoved).arg(sizeText(progress.bytesMoved)));
        else if (progress.state != TransferState::Cancelled)
            emit noteworthy(tr("A transfer needs you"), stateText(progress));
    });
}

// Dragging, and the clipboard ------------------------------------------------------------------------

void FileCarrier::startDrag(int side, Qt::DropActions actions)
{
    const CarriedFiles files = chosenOf(side);
    if (files.paths.isEmpty())
        return;
    // It may be that the tab is closed meanwhile: nothing of this is used afterwards.
    auto *drag = new DragOut(m_panes[side]->table(), files, m_services.transfers, m_services.stagingFolder);
    drag->run(actions);
}

DropVerdict FileCarrier::judge(const CarriedFiles &files, Qt::KeyboardModifiers modifiers, int side, int row) const
{
    const FilePane *pane = m_panes[side];
    const FilePath folder = row < 0 ? pane->folder() : pane->model()->path(row);
    const Qt::DropAction action = actionFor(files, pane->sandbox(), modifiers);
    // Most drags begin so: that it is there already needs no words.
    const auto isThere = [&](const FilePath &path) { return path.parent() == folder || path == folder; };
    if (action == Qt::MoveAction && files.place == pane->sandbox() && std::ranges::all_of(files.paths, isThere))
        return {Qt::IgnoreAction, {}};
    return {action, reasonAgainst(action == Qt::MoveAction ? Carry::Move : Carry::Copy, files, side, folder)};
}

void FileCarrier::drop(int side, const CarriedFiles &files, Qt::DropAction action, int row)
{
    const FilePane *pane = m_panes[side];
    carry(action == Qt::MoveAction ? Carry::Move : Carry::Copy, files, side, row < 0 ? pane->folder() : pane->model()->path(row));
}

void FileCarrier::toClipboard(int side, Carry how)
{
    CarriedFiles files = chosenOf(side);
    if (files.paths.isEmpty())
        return;
    files.isCut = how == Carry::Move;
    QGuiApplication::clipboard()->setMimeData(mimeFor(files).release()); // it takes it over
    m_panes[side]->notices()->tell(NoticeBar::Tone::Info, files.isCut ? tr("%1: Ctrl+V moves it.").arg(namesOf(files)) : tr("%1: Ctrl+V copies it.").arg(namesOf(files)));
}

void FileCarrier::paste(int side)
{
    QClipboard *clipboard = QGuiApplication::clipboard();
    const std::optional<CarriedFiles> files = filesIn(clipboard->mimeData());
    if (!files)
        return m_panes[side]->notices()->tell(NoticeBar::Tone::Info, tr("There are no files in the clipboard."));
    carry(files->isCut ? Carry::Move : Carry::Copy, *files, side, m_panes[side]->folder());
    // They are not where they were cut.
    if (files->isCut)
        clipboard->clear();
}

} // namespace Sandpiper

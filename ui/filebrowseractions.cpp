// What the keys and menus of a file browser do, and when they can; see ui/filebrowser.h.
#include "sftp/archivework.h"
#include "sftp/keepuploading.h"
#include "ui/filebrowser.h"
#include "ui/filecarrier.h"
#include "ui/fileediting.h"
#include "ui/filetable.h"
#include "ui/fileundo.h"
#include "ui/filework.h"

#include <QMenu>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

void FileBrowser::connectActions()
{
    // The actions are the program's; only the browser that is looked at answers.
    const auto on = [this](ActionId id, auto run) {
        connect((*m_actions)[id], &QAction::triggered, this, [this, run] {
            if (m_isAttended)
                run();
        });
    };
    const std::pair<ActionId, void (FilePane::*)()> ofPane[] = {
        {ActionId::FilesBack, &FilePane::goBack},       {ActionId::FilesForward, &FilePane::goForward}, {ActionId::FilesUp, &FilePane::goUp},
        {ActionId::FilesHome, &FilePane::goHome},       {ActionId::FilesPath, &FilePane::editPath},     {ActionId::FilesRefresh, &FilePane::refresh},
        {ActionId::FilesBookmark, &FilePane::toggleBookmark},
    };
    for (const auto &[id, slot] : ofPane)
        on(id, [this, slot] { (activePane()->*slot)(); });
    const std::pair<ActionId, void (FileWork::*)()> ofWork[] = {
        {ActionId::FilesNewFolder, &FileWork::newFolder}, {ActionId::FilesNewFile, &FileWork::newFile}, {ActionId::FilesNewLink, &FileWork::newLink},
        {ActionId::FilesRename, &FileWork::renameCurrent}, {ActionId::FilesDelete, static_cast<void (FileWork::*)()>(&FileWork::askRemove)}, {ActionId::FilesDeleteForGood, &FileWork::askRemoveForGood}, {ActionId::FilesProperties, &FileWork::properties},
    };
    for (const auto &[id, slot] : ofWork)
        on(id, [this, slot] { (m_work[m_active]->*slot)(); });
    on(ActionId::FilesUndo, [this] { m_undo->undoLatest(); });
    on(ActionId::FilesFilter, [this] { activePane()->startFilter(); });
    on(ActionId::FilesHidden, [this] { activePane()->setShowsHidden((*m_actions)[ActionId::FilesHidden]->isChecked()); });
    on(ActionId::FilesCopyPath, [this] { m_work[m_active]->copyPaths(); });
    on(ActionId::FilesCompare, [this] { compareFolders(); });
    on(ActionId::FilesFind, [this] { findFiles(); });
    on(ActionId::FilesPack, [this] { packChosen(); });
    on(ActionId::FilesUnpack, [this] { unpackChosen(); });
    on(ActionId::FilesKeepUploading, [this] { toggleKeepUploading(); });
    on(ActionId::FilesTerminal, [this] { openTerminal(); });
    on(ActionId::FilesSwap, [this] { swapPanes(); });
    on(ActionId::FilesEdit, [this] { editChosen(); });
    on(ActionId::FilesPreview, [this] {
        if (const QModelIndex current = activePane()->table()->currentIndex(); current.isValid())
            m_work[m_active]->preview(current.row());
    });
    for (const auto &[id, how] : {std::pair(ActionId::FilesCopy, FileCarrier::Carry::Copy), std::pair(ActionId::FilesMove, FileCarrier::Carry::Move)})
        on(id, [this, how] { m_carrier->carryToOther(how, m_active); });
    on(ActionId::FilesCut, [this] { m_carrier->toClipboard(m_active, FileCarrier::Carry::Move); });
    on(ActionId::FilesClipCopy, [this] { m_carrier->toClipboard(m_active, FileCarrier::Carry::Copy); });
    on(ActionId::FilesPaste, [this] { m_carrier->paste(m_active); });
}

void FileBrowser::enable(ActionId id, bool can, const QString &reason)
{
    QAction *action = (*m_actions)[id];
    action->setEnabled(can && reason.isEmpty());
    const QString key = action->shortcut().toString(QKeySequence::NativeText);
    const QString words = Actions::plainText(action);
    action->setToolTip(!reason.isEmpty() ? reason : key.isEmpty() ? words : tr("%1 (%2)").arg(words, key));
}

void FileBrowser::updateActions()
{
    if (!m_isAttended)
        return;
    const FilePane *pane = activePane();
    const bool hasFolder = pane->model()->state() != FileListModel::State::Empty;
    const bool hasRow = !pane->table()->selectionModel()->selection().isEmpty() || pane->table()->currentIndex().isValid();
    const auto why = [pane](FileAction action) { return pane->reasonAgainst(action); };
    enable(ActionId::FilesBack, pane->canGoBack());
    enable(ActionId::FilesForward, pane->canGoForward());
    enable(ActionId::FilesUp, hasFolder && pane->folder().parent() != pane->folder());
    enable(ActionId::FilesHome, hasFolder);
    enable(ActionId::FilesPath, true);
    enable(ActionId::FilesRefresh, true);
    enable(ActionId::FilesFilter, hasFolder);
    enable(ActionId::FilesHidden, true);
    enable(ActionId::FilesBookmark, hasFolder);
    enable(ActionId::FilesCopyPath, hasFolder);
    enable(ActionId::FilesSwap, true);
    enable(ActionId::FilesNewFolder, hasFolder, why(FileAction::MakeFolder));
    enable(ActionId::FilesNewFile, hasFolder, why(FileAction::Write));
    enable(ActionId::FilesNewLink, hasFolder, why(FileAction::MakeSymlink));
    enable(ActionId::FilesRename, hasRow, why(FileAction::Rename));
    enable(ActionId::FilesDelete, hasRow && !m_work[m_active]->isRemoving(), why(FileAction::RemoveFile));
    enable(ActionId::FilesDeleteForGood, hasRow && !m_work[m_active]->isRemoving(), why(FileAction::RemoveFile));
    enable(ActionId::FilesUndo, m_undo->latest().has_value());
    (*m_actions)[ActionId::FilesUndo]->setText(m_undo->latest() ? m_undo->latest()->words : tr("Undo"));
    enable(ActionId::FilesProperties, hasFolder, why(FileAction::Stat));
    enable(ActionId::FilesPreview, hasRow, why(FileAction::Read));
    enable(ActionId::FilesEdit, hasRow, m_editing->reasonAgainst(pane, hasRow ? pane->table()->chosenRows() : QList<int>()));
    enable(ActionId::FilesCopy, hasRow, m_carrier->reasonAgainstOther(FileCarrier::Carry::Copy, m_active));
    enable(ActionId::FilesMove, hasRow, m_carrier->reasonAgainstOther(FileCarrier::Carry::Move, m_active));
    enable(ActionId::FilesClipCopy, hasRow, why(FileAction::Read));
    enable(ActionId::FilesCut, hasRow, why(FileAction::RemoveFile));
    enable(ActionId::FilesPaste, hasFolder, why(FileAction::Write));
    enable(ActionId::FilesCompare, hasFolder, reasonAgainstComparing());
    const QModelIndex current = pane->table()->currentIndex();
    const bool onArchive = current.isValid() && ArchiveWork::isArchive(pane->model()->entry(current.row()).name);
    enable(ActionId::FilesPack, hasRow, pane->reasonAgainstCommands());
    enable(ActionId::FilesUnpack, hasRow, !onArchive ? tr("Choose a .tar.gz, .tar.xz, .tar.zst, .tar or .zip.") : pane->reasonAgainstCommands());
    enable(ActionId::FilesKeepUploading, hasFolder, reasonAgainstKeepUploading());
    (*m_actions)[ActionId::FilesKeepUploading]->setText(m_keptUp ? tr("Stop uploading “%1”").arg(shownBytes(m_keptUp->source().name()).left(40).replace(u'&', u"&&"_s)) : tr("Keep uploading to the other side…"));
    enable(ActionId::FilesFind, hasFolder && pane->folder().isAbsolute(), why(FileAction::List));
    enable(ActionId::FilesTerminal, !pane->isLocal(), pane->isLocal() ? tr("Terminals are opened in sandboxes and on SSH hosts.") : QString());
    const QSignalBlocker quiet((*m_actions)[ActionId::FilesHidden]);
    (*m_actions)[ActionId::FilesHidden]->setChecked(pane->model()->order().showsHidden);
}

void FileBrowser::popupMenu(const QPoint &at)
{
    using Id = ActionId;
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->setToolTipsVisible(true);
    const QList<int> rows = activePane()->table()->chosenRows();
    const bool onRow = !activePane()->table()->selectionModel()->selection().isEmpty();
    if (onRow && rows.size() == 1) {
        menu->addAction(icon(IconName::Files), tr("Open"), this, [this, row = rows.constFirst()] { activePane()->openRow(row); });
        menu->addAction((*m_actions)[Id::FilesPreview]);
    }
    if (onRow) {
        menu->addAction((*m_actions)[Id::FilesEdit]);
        menu->addSeparator();
    }
    const QList<Id> ofRow = {Id::FilesCopy, Id::FilesMove, Id::FilesCut, Id::FilesClipCopy, Id::FilesRename, Id::FilesDelete};
    for (const Id id : onRow ? ofRow : QList<Id>())
        menu->addAction((*m_actions)[id]);
    menu->addAction((*m_actions)[Id::FilesPaste]);
    menu->addSeparator();
    for (const Id id : {Id::FilesNewFolder, Id::FilesNewFile, Id::FilesNewLink})
        menu->addAction((*m_actions)[id]);
    menu->addSeparator();
    if (onRow) {
        menu->addAction((*m_actions)[Id::FilesPack]);
        menu->addAction((*m_actions)[Id::FilesUnpack]);
    }
    menu->addAction((*m_actions)[Id::FilesKeepUploading]);
    menu->addSeparator();
    for (const Id id : {Id::FilesCopyPath, Id::FilesFind, Id::FilesCompare, Id::FilesTerminal, Id::FilesBookmark, Id::FilesHidden, Id::FilesRefresh})
        menu->addAction((*m_actions)[id]);
    menu->addSeparator();
    menu->addAction((*m_actions)[Id::FilesProperties]);
    menu->popup(at);
}

} // namespace Sandpiper

#include "ui/filebrowser.h"

#include "sftp/sftpfilesystem.h"
#include "ui/editpanel.h"
#include "ui/fileediting.h"
#include "ui/fileplaces.h"
#include "ui/filetable.h"
#include "ui/filewords.h"
#include "ui/filework.h"
#include "ui/panebanner.h"
#include "ui/pathbar.h"
#include "ui/style.h"
#include "ui/transferpanel.h"

#include <QDrag>
#include <QGuiApplication>
#include <QMenu>
#include <QMimeData>
#include <QSplitter>
#include <QToolBar>
#include <QUrl>
#include <QVBoxLayout>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

FileBrowser::FileBrowser(const KeptTab &tab, const FileServices &services, const Actions *actions, QWidget *parent)
    : WorkspacePage(parent)
    , m_tab(tab)
    , m_services(services)
    , m_actions(actions)
    , m_places(std::make_unique<FilePlaces>(services.placesFile))
    , m_splitter(new QSplitter(Qt::Horizontal, this))
    , m_editing(new FileEditing(services, this))
    , m_panes{new FilePane(services, m_places.get(), m_splitter), new FilePane(services, m_places.get(), m_splitter)}
    , m_work{new FileWork(m_panes[0]), new FileWork(m_panes[1])}
{
    setObjectName(u"fileBrowser"_s);
    setAutoFillBackground(true);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setSizes({1, 1});
    auto *bar = new QToolBar(this);
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->setIconSize({16, 16});
    bar->setAccessibleName(tr("What can be done"));
    bar->setFocusPolicy(Qt::NoFocus);
    // In a row under the files, short words do.
    (*actions)[ActionId::FilesCopy]->setIconText(tr("Copy"));
    (*actions)[ActionId::FilesMove]->setIconText(tr("Move"));
    (*actions)[ActionId::FilesTerminal]->setIconText(tr("Terminal here"));
    for (const ActionId id : {ActionId::FilesCopy, ActionId::FilesMove, ActionId::FilesNewFolder, ActionId::FilesRename, ActionId::FilesDelete, ActionId::FilesPreview,
                              ActionId::FilesEdit, ActionId::FilesProperties, ActionId::FilesTerminal})
        bar->addAction((*actions)[id]);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto *down = new QSplitter(Qt::Vertical, this);
    down->setChildrenCollapsible(false);
    down->addWidget(m_splitter);
    column->addWidget(down, 1);
    if (services.transfers || services.edits)
        buildBelow(down);
    column->addWidget(bar);
    actions->install(this, ActionContext::Files);
    connectPane(0);
    connectPane(1);
    connectActions();
    setActive(1);
    for (int side = 0; side < 2; ++side)
        m_panes[side]->open(m_tab.files->sides[side]);
}

FileBrowser::~FileBrowser()
{
    // What is under way there is answered as the files go, and would speak to panes that are gone.
    for (const FileWork *work : m_work)
        delete work;
    // They hold the places, and speak to this.
    for (FilePane *pane : m_panes) {
        pane->disconnect(this);
        delete pane;
    }
}

void FileBrowser::connectPane(int side)
{
    FilePane *pane = m_panes[side];
    FileTable *table = pane->table();
    connect(pane, &FilePane::activated, this, [this, side] { setActive(side); });
    connect(pane, &FilePane::stateChanged, this, [this] {
        updateActions();
        emit faceChanged();
    });
    connect(pane, &FilePane::sideChanged, this, [this, side] {
        m_tab.files->sides[side] = m_panes[side]->kept();
        m_tab.shell.sandbox = owner().sandbox;
        m_tab.shell.sandboxName = owner().name;
        emit keptChanged();
        emit faceChanged();
    });
    connect(pane, &FilePane::fileOpened, this, [this, side](int row) { openFile(side, row); });
    connect(pane, &FilePane::resumeWanted, this, &WorkspacePage::resumeWanted);
    connect(pane, &FilePane::stepWanted, this, &WorkspacePage::stepWanted);
    connect(table, &FileTable::otherPaneWanted, this, [this, side] { m_panes[1 - side]->focusFiles(); });
    connect(table, &FileTable::previewWanted, this, [this] { (*m_actions)[ActionId::FilesPreview]->trigger(); });
    connect(table, &FileTable::deleteWanted, this, [this] { (*m_actions)[ActionId::FilesDelete]->trigger(); });
    connect(table, &FileTable::menuWanted, this, [this, side](const QPoint &at) {
        setActive(side);
        popupMenu(at);
    });
    connect(table, &FileTable::dragWanted, this, [this, side](Qt::DropActions actions) { startDrag(side, actions); });
    connect(table, &FileTable::dropped, this, [this, side](const QMimeData *what, Qt::DropAction action, int row) { drop(side, what, action, row); });
    connect(m_work[side], &FileWork::changed, this, [this, side] {
        FilePane *other = m_panes[1 - side];
        if (other->sandbox() == m_panes[side]->sandbox())
            other->refresh();
    });
    // What a new name alone does not move: another disk, or something that is there already.
    connect(m_work[side], &FileWork::longMoveWanted, this, [this, side](const QList<FilePath> &paths, const FilePath &folder) { addTransfer(Carry::Move, side, paths, side, folder); });
}

void FileBrowser::setActive(int side)
{
    m_active = side;
    for (int one = 0; one < 2; ++one)
        m_panes[one]->setActive(one == side);
    updateActions();
}

const KeptSide &FileBrowser::owner() const
{
    return m_tab.files->sides[m_tab.files->sides[1].sandbox.isEmpty() ? 0 : 1];
}

SandboxId FileBrowser::sandbox() const
{
    return owner().sandbox;
}

KeptTab FileBrowser::kept() const
{
    return m_tab;
}

TabFace FileBrowser::face() const
{
    using State = StandingShell::State;
    TabFace face;
    const QString whose = m_panes[m_tab.files->sides[1].sandbox.isEmpty() ? 0 : 1]->displayName();
    face.name = m_tab.title.isEmpty() ? tr("Files: %1").arg(tamed(whose, 100)) : m_tab.title;
    for (const FilePane *pane : m_panes) {
        switch (pane->status().state) {
        case State::Opening: face.mark = TabMark::Busy; break;
        case State::Waiting:
        case State::Suspended:
        case State::Stopped:
        case State::Detached: face.mark = TabMark::Waiting; break;
        case State::Gone:
        case State::Failed: face.mark = TabMark::Problem; break;
        case State::Idle:
        case State::Open:
        case State::Ended: break;
        }
    }
    face.tip = tr("Left: %1 · %2\nRight: %3 · %4")
                       .arg(tamed(m_panes[0]->displayName(), 100), tamed(m_panes[0]->folder().shown(), 200), tamed(m_panes[1]->displayName(), 100),
                            tamed(m_panes[1]->folder().shown(), 200));
    face.spoken = face.mark == TabMark::None ? face.name : tr("%1, %2").arg(face.name, wordFor(face.mark));
    return face;
}

QString FileBrowser::statusText() const
{
    const FilePane *pane = activePane();
    return tr("%1 · files · %2").arg(tamed(pane->displayName(), 60), wordFor(pane->status().state));
}

ClosingShell FileBrowser::closing() const
{
    ClosingShell none;
    none.sandboxName = owner().name;
    return none; // Idle: nothing is lost with it
}

void FileBrowser::setSandbox(const Sandbox &sandbox)
{
    for (FilePane *pane : m_panes)
        pane->setSandbox(sandbox);
    emit faceChanged();
}

void FileBrowser::setCustomTitle(const QString &title)
{
    m_tab.title = tamed(title, 200);
    emit keptChanged();
    emit faceChanged();
}

void FileBrowser::setAttended(bool attended)
{
    m_isAttended = attended;
    for (FilePane *pane : m_panes)
        pane->setShown(attended);
    updateActions();
}

void FileBrowser::focusContent()
{
    activePane()->focusFiles();
}

void FileBrowser::focusBanner()
{
    activePane()->banner()->setFocus();
}

void FileBrowser::retryNow()
{
    activePane()->retryNow();
}

// What the keys and menus do -----------------------------------------------------------------------

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
        {ActionId::FilesRename, &FileWork::renameCurrent}, {ActionId::FilesDelete, &FileWork::askRemove}, {ActionId::FilesProperties, &FileWork::properties},
    };
    for (const auto &[id, slot] : ofWork)
        on(id, [this, slot] { (m_work[m_active]->*slot)(); });
    on(ActionId::FilesFilter, [this] { activePane()->startFilter(); });
    on(ActionId::FilesHidden, [this] { activePane()->setShowsHidden((*m_actions)[ActionId::FilesHidden]->isChecked()); });
    on(ActionId::FilesCopyPath, [this] { m_work[m_active]->copyPaths(); });
    on(ActionId::FilesCompare, [this] { compareFolders(); });
    on(ActionId::FilesTerminal, [this] { openTerminal(); });
    on(ActionId::FilesSwap, [this] { swapPanes(); });
    on(ActionId::FilesEdit, [this] { editChosen(); });
    on(ActionId::FilesPreview, [this] {
        if (const QModelIndex current = activePane()->table()->currentIndex(); current.isValid())
            m_work[m_active]->preview(current.row());
    });
    for (const auto &[id, how] : {std::pair(ActionId::FilesCopy, Carry::Copy), std::pair(ActionId::FilesMove, Carry::Move)})
        on(id, [this, how] { carry(how, m_active, m_work[m_active]->chosenPaths(), 1 - m_active, m_panes[1 - m_active]->folder()); });
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
    enable(ActionId::FilesProperties, hasFolder, why(FileAction::Stat));
    enable(ActionId::FilesPreview, hasRow, why(FileAction::Read));
    enable(ActionId::FilesEdit, hasRow, m_editing->reasonAgainst(pane, hasRow ? pane->table()->chosenRows() : QList<int>()));
    const FilePath opposite = m_panes[1 - m_active]->folder();
    enable(ActionId::FilesCopy, hasRow, reasonAgainstCarrying(Carry::Copy, m_active, 1 - m_active, opposite));
    enable(ActionId::FilesMove, hasRow, reasonAgainstCarrying(Carry::Move, m_active, 1 - m_active, opposite));
    enable(ActionId::FilesCompare, hasFolder, reasonAgainstComparing());
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
    const QList<Id> ofRow = {Id::FilesCopy, Id::FilesMove, Id::FilesRename, Id::FilesDelete};
    for (const Id id : onRow ? ofRow : QList<Id>())
        menu->addAction((*m_actions)[id]);
    if (onRow)
        menu->addSeparator();
    for (const Id id : {Id::FilesNewFolder, Id::FilesNewFile, Id::FilesNewLink})
        menu->addAction((*m_actions)[id]);
    menu->addSeparator();
    for (const Id id : {Id::FilesCopyPath, Id::FilesCompare, Id::FilesTerminal, Id::FilesBookmark, Id::FilesHidden, Id::FilesRefresh})
        menu->addAction((*m_actions)[id]);
    menu->addSeparator();
    menu->addAction((*m_actions)[Id::FilesProperties]);
    menu->popup(at);
}

void FileBrowser::openTerminal()
{
    const FilePane *pane = activePane();
    if (pane->isLocal())
        return;
    Sandbox sandbox;
    sandbox.id = pane->sandbox();
    sandbox.name = pane->displayName();
    if (m_services.registry) {
        if (const std::optional<Sandbox> known = m_services.registry->sandbox(sandbox.id))
            sandbox = *known;
    }
    emit terminalWanted(sandbox, pane->folder());
}

void FileBrowser::swapPanes()
{
    const KeptSide left = m_panes[0]->kept();
    const KeptSide right = m_panes[1]->kept();
    m_panes[0]->open(right);
    m_panes[1]->open(left);
    activePane()->focusFiles();
}

// From one side to the other -----------------------------------------------------------------------

QString FileBrowser::reasonAgainstCarrying(Carry how, int from, int to, const FilePath &folder) const
{
    for (const int side : {from, to}) {
        if (side != kDesktop && !m_panes[side]->files())
            return tr("“%1” is not connected.").arg(m_panes[side]->displayName());
    }
    if (from != kDesktop && placeOf(from) == placeOf(to) && m_panes[from]->folder() == folder)
        return from == to ? tr("It is there already.") : tr("Both sides show the same folder.");
    if (!m_services.transfers)
        return tr("There is no queue for transfers.");
    if (const QString reason = m_panes[to]->reasonAgainst(FileAction::Write); !reason.isEmpty())
        return reason;
    if (from == kDesktop)
        return {};
    const QString reason = m_panes[from]->reasonAgainst(FileAction::Read);
    return reason.isEmpty() && how == Carry::Move ? m_panes[from]->reasonAgainst(FileAction::RemoveFile) : reason;
}

void FileBrowser::carry(Carry how, int from, const QList<FilePath> &paths, int to, const FilePath &folder)
{
    if (paths.isEmpty())
        return;
    if (const QString reason = reasonAgainstCarrying(how, from, to, folder); !reason.isEmpty())
        return m_panes[to]->notices()->tell(NoticeBar::Tone::Trouble, reason);
    const bool renames = how == Carry::Move && from != kDesktop && placeOf(from) == placeOf(to) && m_panes[from]->reasonAgainst(FileAction::Rename).isEmpty();
    renames ? m_work[from]->moveHere(paths, folder) : addTransfer(how, from, paths, to, folder);
}

void FileBrowser::addTransfer(Carry how, int from, const QList<FilePath> &paths, int to, const FilePath &folder)
{
    if (!m_services.transfers)
        return;
    // Between this computer and a server with SFTP there is a faster way.
    const auto hasSftp = [this](int side) { return side != kDesktop && qobject_cast<SftpFileSystem *>(m_panes[side]->files()); };
    const bool isFromHere = placeOf(from).isEmpty();
    const bool isToHere = placeOf(to).isEmpty();
    TransferWish wish;
    wish.way = isFromHere && hasSftp(to) ? TransferWay::Send : isToHere && hasSftp(from) ? TransferWay::Fetch : TransferWay::Relay;
    const int other = wish.way == TransferWay::Fetch ? from : to;
    wish.sandbox = placeOf(other);
    if (!wish.sandbox.isEmpty())
        wish.sandboxName = m_panes[other]->displayName();
    if (wish.way == TransferWay::Relay && !isFromHere) {
        wish.sourceSandbox = placeOf(from);
        wish.sourceSandboxName = m_panes[from]->displayName();
    }
    wish.sources = paths;
    wish.target = folder;
    wish.moves = how == Carry::Move;
    m_ownTransfers.insert(m_services.transfers->add(wish));
}

// Transfers, and what is being edited; neither takes room while there is none.
void FileBrowser::buildBelow(QSplitter *down)
{
    m_below = new QSplitter(Qt::Horizontal, down);
    m_below->setChildrenCollapsible(false);
    m_below->setMinimumHeight(96);
    down->addWidget(m_below);
    down->setStretchFactor(0, 1);
    down->setSizes({400, 130});
    TransferQueue *queue = m_services.transfers;
    FileEdits *edits = m_services.edits;
    const auto show = [this, queue, edits] {
        const bool hasTransfers = queue && !queue->transfers().isEmpty();
        const bool hasEdits = edits && !edits->edits().isEmpty();
        if (m_transfers)
            m_transfers->setVisible(hasTransfers);
        if (m_edits)
            m_edits->setVisible(hasEdits);
        m_below->setVisible(hasTransfers || hasEdits);
    };
    if (queue) {
        m_transfers = new TransferPanel(queue, m_below);
        for (const auto signal : {&TransferQueue::added, &TransferQueue::removed})
            connect(queue, signal, this, show);
        connect(queue, &TransferQueue::loaded, this, show);
        watchTransfers();
    }
    if (edits) {
        m_edits = new EditPanel(edits, m_below);
        for (const auto signal : {&FileEdits::added, &FileEdits::removed})
            connect(edits, signal, this, show);
        connect(m_edits, &EditPanel::editorWanted, m_editing, &FileEditing::openAgain);
    }
    show();
}

void FileBrowser::openFile(int side, int row)
{
    const FileOpening how = m_editing->choices().opening;
    if (how == FileOpening::Preview || !m_editing->reasonAgainst(m_panes[side], {row}).isEmpty())
        return m_work[side]->preview(row);
    m_editing->open(m_panes[side], {row}, how);
}

void FileBrowser::editChosen()
{
    if (const QList<int> rows = activePane()->table()->chosenRows(); !rows.isEmpty())
        m_editing->open(activePane(), rows, FileOpening::Edit);
}

void FileBrowser::watchTransfers()
{
    TransferQueue *queue = m_services.transfers;
    connect(queue, &TransferQueue::asked, this, [this, queue](qint64 id) {
        if (m_ownTransfers.contains(id))
            (void)askAboutConflict(window(), queue, id);
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

void FileBrowser::startDrag(int side, Qt::DropActions actions)
{
    const QList<FilePath> paths = m_work[side]->chosenPaths();
    if (paths.isEmpty())
        return;
    auto *what = new QMimeData;
    QByteArray own;
    QList<QUrl> urls;
    for (const FilePath &path : paths) {
        own += path.bytes() + '\0';
        if (m_panes[side]->isLocal())
            urls.append(QUrl::fromEncoded("file://" + path.bytes().toPercentEncoding("/")));
    }
    what->setData(FileTable::mimeType(), own);
    if (!urls.isEmpty())
        what->setUrls(urls);
    auto *drag = new QDrag(m_panes[side]->table());
    drag->setMimeData(what);
    drag->setPixmap(icon(paths.size() == 1 ? IconName::File : IconName::Files, IconTone::Accent).pixmap(QSize(24, 24), devicePixelRatioF()));
    // Whose it is, for drop().
    m_panes[side]->table()->setProperty("dragging", true);
    const QPointer<FileTable> table(m_panes[side]->table());
    drag->exec(actions, Qt::CopyAction);
    if (table)
        table->setProperty("dragging", false);
}

void FileBrowser::drop(int side, const QMimeData *what, Qt::DropAction action, int row)
{
    const FilePane *pane = m_panes[side];
    const FilePath folder = row < 0 ? pane->folder() : pane->model()->path(row);
    int from = kDesktop;
    QList<FilePath> paths;
    for (int one = 0; one < 2; ++one) {
        if (what->hasFormat(FileTable::mimeType()) && m_panes[one]->table()->property("dragging").toBool())
            from = one;
    }
    if (from == kDesktop) {
        for (const QUrl &url : what->urls()) {
            const QByteArray encoded = url.path(QUrl::FullyEncoded).toLatin1();
            if (const Result<FilePath> path = FilePath::fromBytes(QByteArray::fromPercentEncoding(encoded)); url.isLocalFile() && path && path->isAbsolute())
                paths.append(*path);
        }
        if (paths.isEmpty())
            return m_panes[side]->notices()->tell(NoticeBar::Tone::Trouble, tr("From elsewhere only files of this computer can be dropped here."));
        // The desktop has its own ways to remove a file.
        return carry(Carry::Copy, from, paths, side, folder);
    }
    for (const QByteArray &bytes : what->data(FileTable::mimeType()).split('\0')) {
        if (const Result<FilePath> path = FilePath::fromBytes(bytes); path && path->isAbsolute())
            paths.append(*path);
    }
    // Inside one place a drag moves, unless Ctrl is held, as everywhere.
    const bool copies = QGuiApplication::keyboardModifiers().testFlag(Qt::ControlModifier);
    const bool moves = action == Qt::MoveAction || (placeOf(from) == pane->sandbox() && !copies);
    carry(moves ? Carry::Move : Carry::Copy, from, paths, side, folder);
}

} // namespace Sandpiper

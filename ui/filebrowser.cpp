#include "ui/filebrowser.h"

#include "sftp/archivework.h"
#include "sftp/keepuploading.h"
#include "ui/editpanel.h"
#include "ui/filecarrier.h"
#include "ui/fileediting.h"
#include "ui/fileplaces.h"
#include "ui/filetable.h"
#include "ui/fileundo.h"
#include "ui/filewords.h"
#include "ui/filework.h"
#include "ui/panebanner.h"
#include "ui/pathbar.h"
#include "ui/style.h"

#include <QMenu>
#include <QSplitter>
#include <QToolBar>
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
    , m_undo(std::make_unique<FileUndo>([this](const SandboxId &place) -> FileSystem * {
        for (const FilePane *pane : m_panes) {
            if (pane->sandbox() == place && pane->files())
                return pane->files();
        }
        return nullptr;
    }))
    , m_work{new FileWork(m_panes[0], m_undo.get()), new FileWork(m_panes[1], m_undo.get())}
    , m_carrier(std::make_unique<FileCarrier>(services, m_panes, m_work))
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
    if (services.edits)
        buildBelow(down);
    column->addWidget(bar);
    actions->install(this, ActionContext::Files);
    connectPane(0);
    connectPane(1);
    connectActions();
    connectUndo();
    connect(m_carrier.get(), &FileCarrier::noteworthy, this, &WorkspacePage::noteworthy);
    setActive(1);
    for (int side = 0; side < 2; ++side)
        m_panes[side]->open(m_tab.files->sides[side]);
}

FileBrowser::~FileBrowser()
{
    m_carrier.reset();
    m_keptUp.reset();
    // What is under way there is answered as the files go, and would speak to panes that are gone.
    for (const FileWork *work : m_work)
        delete work;
    m_undo.reset();
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
    connect(table, &FileTable::dragWanted, this, [this, side](Qt::DropActions actions) { m_carrier->startDrag(side, actions); });
    connect(table, &FileTable::dropped, this, [this, side](const CarriedFiles &files, Qt::DropAction action, int row) { m_carrier->drop(side, files, action, row); });
    connect(m_work[side], &FileWork::changed, this, [this, side] {
        FilePane *other = m_panes[1 - side];
        if (other->sandbox() == m_panes[side]->sandbox())
            other->refresh();
    });
    // What a new name alone does not move: another disk, or something that is there already.
    connect(m_work[side], &FileWork::longMoveWanted, this, [this, side](const QList<FilePath> &paths, const FilePath &folder) { m_carrier->moveWithin(side, paths, folder); });
}

void FileBrowser::connectUndo()
{
    connect(m_undo.get(), &FileUndo::changed, this, &FileBrowser::updateActions);
    connect(m_undo.get(), &FileUndo::undone, this, [this](const FileUndo::Step &step, const std::optional<Error> &error) {
        FilePane *told = activePane();
        for (FilePane *pane : m_panes) {
            if (pane->sandbox() != step.place)
                continue;
            pane->refresh();
            told = activePane()->sandbox() == step.place ? activePane() : pane;
        }
        if (error)
            return told->tell(*error);
        if (told->folder() == step.moves.constFirst().was.parent())
            told->table()->select(step.moves.constFirst().was.name());
        told->notices()->dismiss();
    });
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

// What is being edited; takes no room while there is nothing.
void FileBrowser::buildBelow(QSplitter *down)
{
    FileEdits *edits = m_services.edits;
    m_edits = new EditPanel(edits, down);
    m_edits->setMinimumHeight(96);
    down->addWidget(m_edits);
    down->setStretchFactor(0, 1);
    down->setSizes({400, 130});
    const auto show = [this, edits] { m_edits->setVisible(!edits->edits().isEmpty()); };
    for (const auto signal : {&FileEdits::added, &FileEdits::removed})
        connect(edits, signal, this, show);
    connect(m_edits, &EditPanel::editorWanted, m_editing, &FileEditing::openAgain);
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

} // namespace Sandpiper

// A tab with files: two panes, each with the files of this computer or of a sandbox. GUI thread.
#pragma once

#include "sftp/treesync.h"
#include "ui/actions.h"
#include "ui/filepane.h"
#include "ui/workspacepage.h"

class QMimeData;
class QSplitter;

namespace Sandpiper {

class EditPanel;
class FileEditing;
class FileWork;
class TransferPanel;

class FileBrowser : public WorkspacePage
{
    Q_OBJECT
public:
    // tab.files must be there. actions is borrowed and outlives it.
    FileBrowser(const KeptTab &tab, const FileServices &services, const Actions *actions, QWidget *parent = nullptr);
    ~FileBrowser() override;

    [[nodiscard]] FilePane *pane(int side) const { return m_panes[side]; }
    [[nodiscard]] FilePane *activePane() const { return m_panes[m_active]; }
    [[nodiscard]] FileWork *work(int side) const { return m_work[side]; }

    [[nodiscard]] SandboxId sandbox() const override;
    [[nodiscard]] KeptTab kept() const override;
    [[nodiscard]] TabFace face() const override;
    [[nodiscard]] QString statusText() const override;
    [[nodiscard]] ClosingShell closing() const override;
    void setSandbox(const Sandbox &sandbox) override;
    void setCustomTitle(const QString &title) override;
    void setAttended(bool attended) override;
    void focusContent() override;
    void focusBanner() override;
    void retryNow() override;

signals:
    void terminalWanted(const Sandpiper::Sandbox &sandbox, const Sandpiper::FilePath &folder);

private:
    enum class Carry { Copy, Move };
    void connectPane(int side);
    void connectActions();
    void updateActions();
    void setActive(int side);
    void popupMenu(const QPoint &at);
    void startDrag(int side, Qt::DropActions actions);
    void drop(int side, const QMimeData *what, Qt::DropAction action, int row);
    // From a pane, or (no pane) from this computer's disk, into a folder of a pane; says why it cannot.
    static constexpr int kDesktop = -1;
    void carry(Carry how, int from, const QList<FilePath> &paths, int to, const FilePath &folder);
    [[nodiscard]] QString reasonAgainstCarrying(Carry how, int from, int to, const FilePath &folder) const;
    [[nodiscard]] SandboxId placeOf(int side) const { return side == kDesktop ? SandboxId() : m_panes[side]->sandbox(); }
    void addTransfer(Carry how, int from, const QList<FilePath> &paths, int to, const FilePath &folder);
    [[nodiscard]] const KeptSide &owner() const; // the side that the tab is named after
    void watchTransfers();
    [[nodiscard]] QString reasonAgainstComparing() const;
    void compareFolders();
    void startSync(const TreeSync::Places &places, const SyncPlan &plan);
    void buildBelow(QSplitter *down);
    void openFile(int side, int row);
    void editChosen();
    void openTerminal();
    void swapPanes();
    void enable(ActionId id, bool can, const QString &reason = {});

    KeptTab m_tab;
    FileServices m_services;
    const Actions *m_actions;
    std::unique_ptr<FilePlaces> m_places;
    QSet<qint64> m_ownTransfers; // begun here: their questions are asked here
    QSplitter *m_splitter;
    FileEditing *m_editing;
    QSplitter *m_below = nullptr; // what is under way; null: nothing can be
    TransferPanel *m_transfers = nullptr;
    EditPanel *m_edits = nullptr;
    FilePane *m_panes[2];
    FileWork *m_work[2];
    int m_active = 1;
    bool m_isAttended = false;
};

} // namespace Sandpiper

// A tab with files: two panes, each with the files of this computer or of a sandbox. GUI thread.
#pragma once

#include "sftp/treesync.h"
#include "ui/actions.h"
#include "ui/filepane.h"
#include "ui/workspacepage.h"

class QSplitter;

namespace Sandpiper {

class EditPanel;
class FileCarrier;
class FileEditing;
class FileUndo;
class FileWork;
class KeepUploading;

class FileBrowser : public WorkspacePage
{
    Q_OBJECT
public:
    // tab.files must be there. actions is borrowed and outlives it.
    FileBrowser(const KeptTab &tab, const FileServices &services, const Actions *actions, QWidget *parent = nullptr);
    ~FileBrowser() override;

    [[nodiscard]] FilePane *pane(int side) const { return m_panes[side]; }
    [[nodiscard]] FilePane *activePane() const { return m_panes[m_active]; }
    [[nodiscard]] FileUndo *undo() const { return m_undo.get(); }
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
    void connectPane(int side);
    void connectActions();
    void updateActions();
    void setActive(int side);
    void popupMenu(const QPoint &at);
    [[nodiscard]] const KeptSide &owner() const; // the side that the tab is named after
    [[nodiscard]] QString reasonAgainstComparing() const;
    void compareFolders();
    void startSync(const TreeSync::Places &places, const SyncPlan &plan);
    void buildBelow(QSplitter *down);
    void openFile(int side, int row);
    void editChosen();
    void openTerminal();
    void findFiles();
    void packChosen();
    void unpackChosen();
    void unpackInto(FilePane *pane, const FilePath &archive, int number);
    void runArchive(FilePane *pane, const FileCommandMaker &commands, const CommandSpec &spec, const QString &words, const QByteArray &select);
    [[nodiscard]] QString reasonAgainstKeepUploading() const;
    void toggleKeepUploading();
    void connectUndo();
    void swapPanes();
    void enable(ActionId id, bool can, const QString &reason = {});

    KeptTab m_tab;
    FileServices m_services;
    const Actions *m_actions;
    std::unique_ptr<FilePlaces> m_places;
    QSplitter *m_splitter;
    FileEditing *m_editing;
    EditPanel *m_edits = nullptr;
    FilePane *m_panes[2];
    std::unique_ptr<FileUndo> m_undo;
    FileWork *m_work[2];
    std::unique_ptr<FileCarrier> m_carrier;
    std::unique_ptr<KeepUploading> m_keptUp; // null: no folder is
    int m_active = 1;
    bool m_isAttended = false;
};

} // namespace Sandpiper

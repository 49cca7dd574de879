// Every command of the program is one row: menus, shortcuts, the palette and the list of shortcuts are
// made from it. GUI thread.
#pragma once

#include "ui/icons.h"

#include <QAction>
#include <QHash>
#include <QObject>

#include <optional>

class QMenu;
class QMenuBar;

namespace Sandpiper {

enum class ActionId {
    NewSandbox,
    NewHost,
    QuickConnect,
    ImportHosts,
    AddAccount,
    RefreshSandboxes,
    OpenTerminal,
    OpenTerminalPty,
    OpenTerminalSsh,
    OpenTerminalWith,
    BrowseFiles,
    NewForward,
    LogInAs,
    OpenTerminalTmux,
    OpenInVsCode,
    OpenInCursor,
    OpenInJetBrains,
    OpenInTerminal,
    CopySsh,
    CopyScp,
    CopySftp,
    CopyRsync,
    RunCommand,
    RenameSandbox,
    SuspendSandbox,
    ResumeSandbox,
    TerminateSandbox,
    CopySandboxId,
    Favourite,
    LabelsAndNotes,
    SandboxDetails,
    ManageKeys,
    ManageHostKeys,
    Preferences,
    Quit,
    NewTab,
    NewTabWith,
    CloseTab,
    ReopenTab,
    RenameTab,
    EndShell,
    KeepHost,
    NextTab,
    PreviousTab,
    MoveTabLeft,
    MoveTabRight,
    Tab1,
    Tab2,
    Tab3,
    Tab4,
    Tab5,
    Tab6,
    Tab7,
    Tab8,
    LastTab,
    RetryNow,
    FocusBanner,
    Copy,
    Paste,
    SelectAll,
    Find,
    ClearScrollback,
    ResetTerminal,
    ReadOnly,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    FilesCopy,
    FilesMove,
    FilesNewFolder,
    FilesNewFile,
    FilesNewLink,
    FilesRename,
    FilesDelete,
    FilesDeleteForGood,
    FilesUndo,
    FilesCut,
    FilesClipCopy,
    FilesPaste,
    FilesPreview,
    FilesEdit,
    FilesProperties,
    FilesCopyPath,
    FilesCompare,
    FilesFind,
    FilesPack,
    FilesUnpack,
    FilesKeepUploading,
    FilesTerminal,
    FilesBack,
    FilesForward,
    FilesUp,
    FilesHome,
    FilesPath,
    FilesFilter,
    FilesHidden,
    FilesRefresh,
    FilesBookmark,
    FilesSwap,
    CommandPalette,
    QuickOpen,
    FocusSidebar,
    FocusTerminal,
    ToggleSidebar,
    ToggleLog,
    ToggleTransfers,
    ToggleForwards,
    FullScreen,
    Shortcuts,
    About,
};

// Where its shortcut is ours. Anywhere means: with a terminal focused too, so only keys that no shell
// needs are allowed there (tests/ui/tst_actions).
// Sidebar, Files: only with the focus in there.
enum class ActionContext { Anywhere, Sidebar, Files };
enum class ActionMenu { None, Sandbox, Terminal, Files, Edit, View, Help };

struct ActionRow
{
    ActionId id;
    const char *name; // stable: what the settings and tests know it by
    const char *text; // untranslated, context "Actions"
    const char *shortcut; // portable text; empty: none
    ActionContext context = ActionContext::Anywhere;
    ActionMenu menu = ActionMenu::None;
    std::optional<IconName> icon = std::nullopt;
    bool checkable = false;
    bool startsGroup = false; // a separator before it in the menu
};

[[nodiscard]] const QList<ActionRow> &actionRows();
// Whether a shortcut may be ours while a shell has the focus.
[[nodiscard]] bool isAllowedInTerminal(const QKeySequence &shortcut);
// Pairs of names that fight over a key in one context.
[[nodiscard]] QStringList shortcutConflicts(const QList<ActionRow> &rows);

class Actions : public QObject
{
    Q_OBJECT
public:
    explicit Actions(QObject *parent = nullptr);
    [[nodiscard]] QAction *action(ActionId id) const; // never null; owned by this
    [[nodiscard]] QAction *operator[](ActionId id) const { return action(id); }
    void fillMenuBar(QMenuBar *bar) const;
    // Gives `widget` the shortcuts of one context.
    void install(QWidget *widget, ActionContext context) const;
    // Text without mnemonic marks and dots, as the palette and the list show it.
    [[nodiscard]] static QString plainText(const QAction *action);

private:
    QHash<ActionId, QAction *> m_actions;
};

} // namespace Sandpiper

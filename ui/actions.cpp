#include "ui/actions.h"

#include <QCoreApplication>
#include <QMenu>
#include <QMenuBar>
#include <QWidget>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

namespace {

constexpr auto Anywhere = ActionContext::Anywhere;
constexpr auto Sidebar = ActionContext::Sidebar;
constexpr auto Files = ActionContext::Files;
#define TR(text) QT_TRANSLATE_NOOP("Actions", text)

QList<ActionRow> makeRows()
{
    using Id = ActionId;
    using Menu = ActionMenu;
    return {
        {Id::NewSandbox, "sandbox.new", TR("New sandbox…"), "Ctrl+Shift+N", Anywhere, Menu::Sandbox, IconName::Add},
        {Id::NewHost, "host.new", TR("New SSH host…"), "", Anywhere, Menu::Sandbox, IconName::Server},
        {Id::QuickConnect, "host.quickConnect", TR("Quick connect…"), "", Anywhere, Menu::Sandbox, IconName::Terminal},
        {Id::ImportHosts, "host.import", TR("Import SSH hosts…"), "", Anywhere, Menu::Sandbox, IconName::Import},
        {Id::AddAccount, "account.add", TR("Add an account…"), "", Anywhere, Menu::Sandbox, IconName::User},
        {Id::RefreshSandboxes, "sandbox.refresh", TR("Refresh the list"), "F5", Sidebar, Menu::Sandbox, IconName::Refresh},
        {Id::OpenTerminal, "sandbox.open", TR("Open a terminal"), "Return", Sidebar, Menu::Sandbox, IconName::Terminal, false, true},
        {Id::OpenTerminalPty, "sandbox.openPty", TR("Open a terminal by PTY"), "", Sidebar, Menu::None, IconName::Terminal},
        {Id::OpenTerminalSsh, "sandbox.openSsh", TR("Open a terminal by SSH"), "", Sidebar, Menu::None, IconName::Terminal},
        {Id::BrowseFiles, "sandbox.files", TR("Browse files"), "Ctrl+Return", Sidebar, Menu::Sandbox, IconName::Files},
        {Id::NewForward, "sandbox.forward", TR("New forward…"), "", Sidebar, Menu::Sandbox, IconName::Forward},
        {Id::LogInAs, "sandbox.logInAs", TR("Log in as…"), "", Sidebar, Menu::Sandbox, IconName::User},
        {Id::OpenTerminalWith, "sandbox.openWith", TR("New terminal with…"), "Shift+Return", Sidebar, Menu::Sandbox},
        {Id::OpenTerminalTmux, "sandbox.openTmux", TR("Start tmux here"), "", Sidebar, Menu::None, IconName::Terminal},
        {Id::RunCommand, "sandbox.run", TR("Run command…"), "", Sidebar, Menu::Sandbox, IconName::Command},
        {Id::OpenInVsCode, "sandbox.openInVsCode", TR("Open in VS Code"), "", Sidebar, Menu::None, IconName::External},
        {Id::OpenInCursor, "sandbox.openInCursor", TR("Open in Cursor"), "", Sidebar, Menu::None, IconName::External},
        {Id::OpenInJetBrains, "sandbox.openInJetBrains", TR("Open in JetBrains Gateway"), "", Sidebar, Menu::None, IconName::External},
        {Id::OpenInTerminal, "sandbox.openInTerminal", TR("Open in the system terminal"), "", Sidebar, Menu::None, IconName::External},
        {Id::CopySsh, "sandbox.copySsh", TR("Copy the ssh command"), "", Sidebar, Menu::None, IconName::Copy},
        {Id::CopyScp, "sandbox.copyScp", TR("Copy the scp command"), "", Sidebar, Menu::None, IconName::Copy},
        {Id::CopySftp, "sandbox.copySftp", TR("Copy the sftp command"), "", Sidebar, Menu::None, IconName::Copy},
        {Id::CopyRsync, "sandbox.copyRsync", TR("Copy the rsync command"), "", Sidebar, Menu::None, IconName::Copy},
        {Id::RenameSandbox, "sandbox.rename", TR("Rename"), "F2", Sidebar, Menu::Sandbox, IconName::Rename, false, true},
        {Id::SuspendSandbox, "sandbox.suspend", TR("Suspend"), "", Sidebar, Menu::Sandbox, IconName::Pause},
        {Id::ResumeSandbox, "sandbox.resume", TR("Resume"), "", Sidebar, Menu::Sandbox, IconName::Resume},
        {Id::TerminateSandbox, "sandbox.terminate", TR("Terminate…"), "Delete", Sidebar, Menu::Sandbox, IconName::Remove},
        {Id::SandboxDetails, "sandbox.details", TR("Details"), "Alt+Return", Sidebar, Menu::Sandbox, IconName::Info, false, true},
        {Id::Favourite, "sandbox.favourite", TR("Favourite"), "Ctrl+D", Sidebar, Menu::Sandbox, IconName::Star, true},
        {Id::LabelsAndNotes, "sandbox.annotate", TR("Labels and notes…"), "Ctrl+L", Sidebar, Menu::Sandbox, IconName::Label},
        {Id::CopySandboxId, "sandbox.copyId", TR("Copy its id"), "", Sidebar, Menu::Sandbox, IconName::Copy},
        {Id::ManageKeys, "keys.manage", TR("SSH keys"), "", Anywhere, Menu::Sandbox, IconName::Key, false, true},
        {Id::ManageHostKeys, "hostkeys.manage", TR("Host keys"), "", Anywhere, Menu::Sandbox, IconName::Server},
        {Id::Preferences, "app.preferences", TR("Preferences…"), "Ctrl+Shift+,", Anywhere, Menu::Sandbox, IconName::Settings},
        {Id::Quit, "app.quit", TR("Quit"), "Ctrl+Shift+Q", Anywhere, Menu::Sandbox, std::nullopt, false, true},

        {Id::NewTab, "tab.new", TR("New tab"), "Ctrl+Shift+Return", Anywhere, Menu::Terminal, IconName::Add},
        {Id::NewTabWith, "tab.newWith", TR("New tab with…"), "", Anywhere, Menu::Terminal},
        {Id::RenameTab, "tab.rename", TR("Rename tab…"), "", Anywhere, Menu::Terminal, IconName::Rename},
        {Id::CloseTab, "tab.close", TR("Close tab"), "Ctrl+Shift+W", Anywhere, Menu::Terminal, IconName::Close},
        {Id::ReopenTab, "tab.reopen", TR("Reopen closed tab"), "Ctrl+Shift+T", Anywhere, Menu::Terminal},
        {Id::RetryNow, "shell.retry", TR("Reconnect now"), "", Anywhere, Menu::Terminal, IconName::Refresh, false, true},
        {Id::FocusBanner, "shell.banner", TR("Go to the line above the terminal"), "Ctrl+Shift+J", Anywhere, Menu::Terminal},
        {Id::EndShell, "shell.end", TR("End shell"), "", Anywhere, Menu::Terminal, IconName::Stop},
        {Id::KeepHost, "host.keep", TR("Keep this host…"), "", Anywhere, Menu::Terminal, IconName::Server},
        {Id::NextTab, "tab.next", TR("Next tab"), "Ctrl+Tab", Anywhere, Menu::Terminal, std::nullopt, false, true},
        {Id::PreviousTab, "tab.previous", TR("Previous tab"), "Ctrl+Shift+Tab", Anywhere, Menu::Terminal},
        {Id::MoveTabLeft, "tab.moveLeft", TR("Move tab left"), "Ctrl+Shift+PgUp", Anywhere, Menu::Terminal},
        {Id::MoveTabRight, "tab.moveRight", TR("Move tab right"), "Ctrl+Shift+PgDown", Anywhere, Menu::Terminal},
        {Id::Tab1, "tab.1", TR("Tab 1"), "Alt+1"},
        {Id::Tab2, "tab.2", TR("Tab 2"), "Alt+2"},
        {Id::Tab3, "tab.3", TR("Tab 3"), "Alt+3"},
        {Id::Tab4, "tab.4", TR("Tab 4"), "Alt+4"},
        {Id::Tab5, "tab.5", TR("Tab 5"), "Alt+5"},
        {Id::Tab6, "tab.6", TR("Tab 6"), "Alt+6"},
        {Id::Tab7, "tab.7", TR("Tab 7"), "Alt+7"},
        {Id::Tab8, "tab.8", TR("Tab 8"), "Alt+8"},
        {Id::LastTab, "tab.last", TR("Last tab"), "Alt+9"},

        {Id::FilesCopy, "files.copy", TR("Copy to the other side"), "F5", Files, Menu::Files, IconName::Copy},
        {Id::FilesMove, "files.move", TR("Move to the other side"), "F6", Files, Menu::Files, IconName::Next},
        {Id::FilesRename, "files.rename", TR("Rename"), "F2", Files, Menu::Files, IconName::Rename},
        {Id::FilesDelete, "files.delete", TR("Delete…"), "F8", Files, Menu::Files, IconName::Remove},
        {Id::FilesDeleteForGood, "files.deleteForGood", TR("Delete for good…"), "Shift+Del", Files, Menu::Files},
        {Id::FilesUndo, "files.undo", TR("Undo"), "Ctrl+Z", Files, Menu::Files, std::nullopt, false, true},
        {Id::FilesCut, "files.cut", TR("Cut files"), "Ctrl+X", Files, Menu::Files},
        {Id::FilesClipCopy, "files.clipCopy", TR("Copy files"), "Ctrl+C", Files, Menu::Files, IconName::Copy},
        {Id::FilesPaste, "files.paste", TR("Paste files"), "Ctrl+V", Files, Menu::Files},
        {Id::FilesNewFolder, "files.newFolder", TR("New folder…"), "F7", Files, Menu::Files, IconName::Add, false, true},
        {Id::FilesNewFile, "files.newFile", TR("New file…"), "Shift+F4", Files, Menu::Files, IconName::File},
        {Id::FilesNewLink, "files.newLink", TR("New link…"), "", Files, Menu::Files, IconName::Link},
        {Id::FilesPreview, "files.preview", TR("Preview"), "F9", Files, Menu::Files, IconName::Search, false, true},
        {Id::FilesEdit, "files.edit", TR("Edit"), "Ctrl+E", Files, Menu::Files, IconName::Rename},
        {Id::FilesProperties, "files.properties", TR("Properties"), "Alt+Return", Files, Menu::Files, IconName::Info},
        {Id::FilesCopyPath, "files.copyPath", TR("Copy the path"), "", Files, Menu::Files, IconName::Copy},
        {Id::FilesCompare, "files.compare", TR("Compare folders…"), "F3", Files, Menu::Files, IconName::Files, false, true},
        {Id::FilesFind, "files.find", TR("Find files…"), "Shift+F3", Files, Menu::Files, IconName::Search},
        {Id::FilesPack, "files.pack", TR("Pack…"), "", Files, Menu::Files},
        {Id::FilesUnpack, "files.unpack", TR("Unpack here"), "", Files, Menu::Files},
        {Id::FilesKeepUploading, "files.keepUploading", TR("Keep uploading to the other side"), "", Files, Menu::Files},
        {Id::FilesTerminal, "files.terminal", TR("Open a terminal here"), "", Files, Menu::Files, IconName::Terminal},
        {Id::FilesBack, "files.back", TR("Back"), "Alt+Left", Files, Menu::Files, IconName::Back, false, true},
        {Id::FilesForward, "files.forward", TR("Forward"), "Alt+Right", Files, Menu::Files, IconName::Next},
        {Id::FilesUp, "files.up", TR("Folder above"), "Alt+Up", Files, Menu::Files, IconName::Up},
        {Id::FilesHome, "files.home", TR("Home folder"), "Alt+Home", Files, Menu::Files},
        {Id::FilesPath, "files.path", TR("Go to a path…"), "Ctrl+L", Files, Menu::Files},
        {Id::FilesBookmark, "files.bookmark", TR("Bookmark this folder, or forget it"), "Ctrl+D", Files, Menu::Files, IconName::Star},
        {Id::FilesFilter, "files.filter", TR("Filter"), "Ctrl+F", Files, Menu::Files, IconName::Search, false, true},
        {Id::FilesHidden, "files.hidden", TR("Hidden files"), "Ctrl+H", Files, Menu::Files, std::nullopt, true},
        {Id::FilesRefresh, "files.refresh", TR("List again"), "Ctrl+R", Files, Menu::Files, IconName::Refresh},
        {Id::FilesSwap, "files.swap", TR("Swap the sides"), "Ctrl+U", Files, Menu::Files},

        {Id::Copy, "edit.copy", TR("Copy"), "Ctrl+Shift+C", Anywhere, Menu::Edit, IconName::Copy},
        {Id::Paste, "edit.paste", TR("Paste"), "Ctrl+Shift+V", Anywhere, Menu::Edit},
        {Id::SelectAll, "edit.selectAll", TR("Select all"), "Ctrl+Shift+A", Anywhere, Menu::Edit},
        {Id::Find, "edit.find", TR("Find…"), "Ctrl+Shift+F", Anywhere, Menu::Edit, IconName::Search, false, true},
        {Id::ClearScrollback, "terminal.clear", TR("Clear scrollback"), "", Anywhere, Menu::Edit, std::nullopt, false, true},
        {Id::ResetTerminal, "terminal.reset", TR("Reset terminal"), "", Anywhere, Menu::Edit},
        {Id::ReadOnly, "terminal.readOnly", TR("Read only"), "", Anywhere, Menu::Edit, IconName::Lock, true},

        {Id::CommandPalette, "view.palette", TR("Command palette"), "Ctrl+Shift+P", Anywhere, Menu::View, IconName::Command},
        {Id::QuickOpen, "view.quickOpen", TR("Go to sandbox…"), "Ctrl+Shift+K", Anywhere, Menu::View, IconName::Search},
        {Id::FocusSidebar, "view.focusSidebar", TR("Focus the sidebar"), "Ctrl+Shift+E", Anywhere, Menu::View, std::nullopt, false, true},
        {Id::FocusTerminal, "view.focusTerminal", TR("Focus the terminal"), "Escape", Sidebar, Menu::View},
        {Id::ToggleSidebar, "view.sidebar", TR("Sidebar"), "Ctrl+Shift+B", Anywhere, Menu::View, std::nullopt, true, true},
        {Id::ToggleLog, "view.log", TR("Log"), "Ctrl+Shift+L", Anywhere, Menu::View, IconName::Log, true},
        {Id::ToggleForwards, "view.forwards", TR("Forwards"), "Ctrl+Shift+U", Anywhere, Menu::View, IconName::Forward, true},
        {Id::ToggleTransfers, "view.transfers", TR("Transfers"), "Ctrl+Shift+Y", Anywhere, Menu::View, IconName::Transfers, true},
        {Id::ZoomIn, "view.zoomIn", TR("Larger text"), "Ctrl+Shift++", Anywhere, Menu::View, std::nullopt, false, true},
        {Id::ZoomOut, "view.zoomOut", TR("Smaller text"), "Ctrl+Shift+_", Anywhere, Menu::View},
        {Id::ZoomReset, "view.zoomReset", TR("Normal text size"), "Ctrl+Shift+0", Anywhere, Menu::View},
        {Id::FullScreen, "view.fullScreen", TR("Full screen"), "F11", Anywhere, Menu::View, std::nullopt, true, true},

        {Id::Shortcuts, "help.shortcuts", TR("Keyboard shortcuts"), "Ctrl+Shift+/", Anywhere, Menu::Help, IconName::Info},
        {Id::About, "help.about", TR("About Sandpiper"), "", Anywhere, Menu::Help, std::nullopt, false, true},
    };
}
#undef TR

} // namespace

const QList<ActionRow> &actionRows()
{
    static const QList<ActionRow> rows = makeRows();
    return rows;
}

bool isAllowedInTerminal(const QKeySequence &shortcut)
{
    if (shortcut.isEmpty())
        return true;
    if (shortcut.count() != 1)
        return false;
    const QKeyCombination keys = shortcut[0];
    const Qt::KeyboardModifiers modifiers = keys.keyboardModifiers();
    if (modifiers == (Qt::ControlModifier | Qt::ShiftModifier))
        return true;
    if (modifiers == Qt::AltModifier)
        return keys.key() >= Qt::Key_1 && keys.key() <= Qt::Key_9;
    if (modifiers == Qt::ControlModifier)
        return keys.key() == Qt::Key_Tab;
    return modifiers == Qt::NoModifier && keys.key() == Qt::Key_F11;
}

QStringList shortcutConflicts(const QList<ActionRow> &rows)
{
    QStringList conflicts;
    for (qsizetype i = 0; i < rows.size(); ++i) {
        const QKeySequence one = QKeySequence::fromString(QLatin1StringView(rows[i].shortcut));
        if (one.isEmpty())
            continue;
        for (qsizetype j = i + 1; j < rows.size(); ++j) {
            // What is ours anywhere is ours in the sidebar too.
            const bool meet = rows[i].context == rows[j].context || rows[i].context == Anywhere
                    || rows[j].context == Anywhere;
            if (meet && one == QKeySequence::fromString(QLatin1StringView(rows[j].shortcut)))
                conflicts.append(QLatin1StringView(rows[i].name) + u" and "_s + QLatin1StringView(rows[j].name));
        }
    }
    return conflicts;
}

Actions::Actions(QObject *parent)
    : QObject(parent)
{
    for (const ActionRow &row : actionRows()) {
        auto *action = new QAction(QCoreApplication::translate("Actions", row.text), this);
        action->setObjectName(QLatin1StringView(row.name));
        action->setCheckable(row.checkable);
        if (row.icon)
            action->setIcon(icon(*row.icon));
        if (*row.shortcut)
            action->setShortcut(QKeySequence::fromString(QLatin1StringView(row.shortcut)));
        action->setShortcutContext(row.context == ActionContext::Anywhere
                                           ? Qt::WindowShortcut
                                           : Qt::WidgetWithChildrenShortcut);
        // A key held down must not open a hundred tabs.
        action->setAutoRepeat(row.id == ActionId::ZoomIn || row.id == ActionId::ZoomOut
                              || row.id == ActionId::NextTab || row.id == ActionId::PreviousTab);
        action->setMenuRole(row.id == ActionId::Quit              ? QAction::QuitRole
                                    : row.id == ActionId::About       ? QAction::AboutRole
                                    : row.id == ActionId::Preferences ? QAction::PreferencesRole
                                                                      : QAction::NoRole);
        m_actions.insert(row.id, action);
    }
}

QAction *Actions::action(ActionId id) const
{
    return m_actions.value(id);
}

void Actions::fillMenuBar(QMenuBar *bar) const
{
    // No mnemonics: Alt and a letter belongs to the shell.
    const std::pair<ActionMenu, QString> menus[] = {
        {ActionMenu::Sandbox, QCoreApplication::translate("Actions", "Sandbox")},
        {ActionMenu::Terminal, QCoreApplication::translate("Actions", "Terminal")},
        {ActionMenu::Files, QCoreApplication::translate("Actions", "Files")},
        {ActionMenu::Edit, QCoreApplication::translate("Actions", "Edit")},
        {ActionMenu::View, QCoreApplication::translate("Actions", "View")},
        {ActionMenu::Help, QCoreApplication::translate("Actions", "Help")},
    };
    for (const auto &[which, title] : menus) {
        QMenu *menu = bar->addMenu(title);
        for (const ActionRow &row : actionRows()) {
            if (row.menu != which)
                continue;
            if (row.startsGroup)
                menu->addSeparator();
            menu->addAction(action(row.id));
        }
    }
}

void Actions::install(QWidget *widget, ActionContext context) const
{
    for (const ActionRow &row : actionRows()) {
        if (row.context == context)
            widget->addAction(action(row.id));
    }
}

QString Actions::plainText(const QAction *action)
{
    QString text = action->text();
    text.remove(u'&');
    if (text.endsWith(u'…'))
        text.chop(1);
    return text;
}

} // namespace Sandpiper

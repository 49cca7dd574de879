// The sidebar: a filter, the tree of accounts and sandboxes, and a line for what went wrong.
// GUI thread.
#pragma once

#include "ui/actions.h"
#include "ui/annotationcommands.h"
#include "ui/dialogkit.h"
#include "ui/hostcommands.h"
#include "ui/sandboxcommands.h"
#include "ui/sandboxdelegate.h"
#include "ui/sandboxfilter.h"
#include "ui/sandboxfolds.h"
#include "ui/sandboxmenus.h"
#include "ui/sandboxtools.h"
#include "ui/sandboxtree.h"

#include <QWidget>

class QLineEdit;

namespace Sandpiper {

class FeatureStore;

class SandboxPanel : public QWidget
{
    Q_OBJECT
public:
    struct Parts // borrowed; they outlive the panel
    {
        SandboxRegistry *registry = nullptr;
        AccountHub *hub = nullptr;
        SandboxModel *model = nullptr;
        SandboxCommands *commands = nullptr;
        HostCommands *hosts = nullptr;
        Preferences *preferences = nullptr;
        Actions *actions = nullptr;
        SandboxTools *tools = nullptr;
        Annotations *annotations = nullptr;
        FeatureStore *features = nullptr; // may stay null
    };
    explicit SandboxPanel(const Parts &parts, QWidget *parent = nullptr);

    [[nodiscard]] std::optional<Sandbox> currentSandbox() const;
    [[nodiscard]] QList<Sandbox> selectedSandboxes() const; // in the order of the list; all of a selected group
    void select(const SandboxId &id);
    void focusTree();
    void filterFor(const QString &text);
    [[nodiscard]] NoticeBar *notices() const { return m_notices; }
    void showCreateDialog(const QString &accountId);

signals:
    void keysWanted();
    void filesWanted(const Sandpiper::Sandbox &sandbox);
    void forwardWanted(const Sandpiper::Sandbox &sandbox);
    void openWithWanted(const Sandpiper::Sandbox &sandbox);
    void openTmuxWanted(const Sandpiper::Sandbox &sandbox);
    void runWanted(const QList<Sandpiper::Sandbox> &sandboxes);
    void logInAsWanted(const Sandpiper::Sandbox &sandbox);
    void secretWanted(const QString &accountId);
    void uploadWanted(const Sandpiper::CarriedFiles &files, const Sandpiper::Sandbox &sandbox); // into its home; it may sleep
    void leaveWanted(); // Escape: back to the terminal

private:
    void connectActions();
    void connectTools();
    void updateActions();
    void activate(const QModelIndex &index);
    void runNote(const QModelIndex &index);
    void quickAction(const QModelIndex &index, SandboxDelegate::QuickAction action, const QPoint &at);
    void showMenu(const QModelIndex &index, const QPoint &globalPos);
    void filterChanged(const QString &text);
    void askTerminate();
    void askResume();
    void connectDrops();
    void takeDrop(const CarriedFiles &files, const Sandbox &sandbox);
    void askRemoveAccount(const QString &accountId);
    [[nodiscard]] QString currentAccount() const; // This computer where nothing is selected
    [[nodiscard]] QModelIndex current() const;    // in the model
    bool eventFilter(QObject *watched, QEvent *event) override;

    Parts m_parts;
    SandboxFilter *m_filter;
    SandboxDelegate *m_delegate;
    SandboxMenus *m_menus;
    SandboxTree *m_tree;
    QLineEdit *m_needle;
    SandboxFolds *m_folds = nullptr;
    AnnotationCommands *m_annotations;
    QLabel *m_nothing;
    NoticeBar *m_notices;
    std::function<int(const SandboxId &)> m_shells;
};

} // namespace Sandpiper

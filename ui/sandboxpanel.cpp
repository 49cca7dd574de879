#include "ui/sandboxpanel.h"

#include "session/featurestore.h"
#include "session/forwardways.h"
#include "session/providers/sshhosts.h"
#include "ui/createdialog.h"
#include "ui/detailsdialog.h"
#include "ui/forwardwords.h"
#include "ui/sandboxtext.h"
#include "ui/theme.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;

SandboxPanel::SandboxPanel(const Parts &parts, QWidget *parent)
    : QWidget(parent)
    , m_parts(parts)
    , m_filter(new SandboxFilter(this))
    , m_delegate(new SandboxDelegate(this))
    , m_menus(new SandboxMenus({parts.hub, parts.hosts, parts.actions, parts.tools}, this))
    , m_tree(new SandboxTree(this))
    , m_needle(new QLineEdit(this))
    , m_annotations(new AnnotationCommands({parts.annotations, parts.actions, parent, [this] { return selectedSandboxes(); }}, this))
    , m_nothing(makeText({}, TextTone::Muted, this))
    , m_notices(new NoticeBar(this))
{
    setObjectName(u"sandboxPanel"_s);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::AlternateBase);
    setMinimumWidth(200);

    m_needle->setObjectName(u"sandboxFilter"_s);
    m_needle->setPlaceholderText(tr("Filter"));
    m_needle->setToolTip(tr("Name, image, group or note; #label finds a label"));
    m_needle->setAccessibleName(tr("Filter sandboxes"));
    m_needle->setClearButtonEnabled(true);
    m_needle->addAction(icon(IconName::Search), QLineEdit::LeadingPosition);
    m_needle->installEventFilter(this);
    QToolButton *add = makeToolButton(IconName::Add, tr("New sandbox"), this);
    add->setObjectName(u"newSandboxButton"_s);
    auto *bar = new QHBoxLayout;
    bar->setContentsMargins(8, 8, 8, 4);
    bar->setSpacing(4);
    bar->addWidget(m_needle, 1);
    bar->addWidget(add);

    m_filter->setSourceModel(parts.model);
    m_tree->setObjectName(u"sandboxTree"_s);
    m_tree->setAccessibleName(tr("Sandboxes"));
    m_tree->setModel(m_filter);
    m_tree->setItemDelegate(m_delegate);
    m_folds = new SandboxFolds(m_tree, m_filter, parts.preferences, this);
    m_tree->setHeaderHidden(true);
    m_tree->setRootIsDecorated(false);
    m_tree->setIndentation(0);
    m_tree->setUniformRowHeights(true);
    m_tree->setFrameShape(QFrame::NoFrame);
    m_tree->setMouseTracking(true);
    m_tree->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_tree->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_tree->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_tree->setExpandsOnDoubleClick(false);
    m_tree->setContextMenuPolicy(Qt::CustomContextMenu);
    m_tree->viewport()->setAutoFillBackground(false);
    m_tree->setTabKeyNavigation(false);
    m_tree->setSelectionMode(QAbstractItemView::ExtendedSelection);
    parts.actions->install(m_tree, ActionContext::Sidebar);

    m_nothing->setAlignment(Qt::AlignCenter);
    m_nothing->setContentsMargins(16, 24, 16, 24);
    m_nothing->hide();

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(bar);
    layout->addWidget(m_nothing);
    layout->addWidget(m_tree, 1);
    layout->addWidget(m_notices);

    connect(add, &QToolButton::clicked, this, [this] { showCreateDialog(currentAccount()); });
    connect(m_needle, &QLineEdit::textChanged, this, &SandboxPanel::filterChanged);
    connect(m_tree, &SandboxTree::typed, this, [this](const QString &text) {
        m_needle->setFocus();
        m_needle->setText(m_needle->text() + text);
    });
    connect(m_tree, &QTreeView::activated, this, &SandboxPanel::activate);
    connect(m_tree, &QTreeView::clicked, this, [this](const QModelIndex &index) {
        const SandboxModel::RowKind kind = SandboxModel::kindOf(index);
        const bool isHead = kind != SandboxModel::RowKind::Sandbox && kind != SandboxModel::RowKind::Note;
        // With Ctrl or Shift it is being selected.
        if (isHead && QGuiApplication::keyboardModifiers() == Qt::NoModifier)
            activate(index);
    });
    connect(m_tree, &QTreeView::customContextMenuRequested, this, [this](const QPoint &at) {
        showMenu(m_tree->indexAt(at), m_tree->viewport()->mapToGlobal(at));
    });
    connectDrops();
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, &SandboxPanel::updateActions);
    connect(m_tree->selectionModel(), &QItemSelectionModel::selectionChanged, this, &SandboxPanel::updateActions);
    connect(m_filter, &QAbstractItemModel::dataChanged, this, &SandboxPanel::updateActions);
    connect(parts.model, &SandboxModel::timePassed, m_tree->viewport(), qOverload<>(&QWidget::update));
    connect(m_delegate, &SandboxDelegate::quickActionTriggered, this, &SandboxPanel::quickAction);
    connect(m_delegate, &SandboxDelegate::noteActionTriggered, this, &SandboxPanel::runNote);
    connect(parts.commands, &SandboxCommands::failed, m_notices,
            [this](const QString &text) { m_notices->tell(NoticeBar::Tone::Trouble, text); });
    connect(parts.hosts, &HostCommands::failed, m_notices,
            [this](const QString &text) { m_notices->tell(NoticeBar::Tone::Trouble, text); });
    connect(parts.commands, &SandboxCommands::working, m_notices,
            [this](const QString &text) { m_notices->tell(NoticeBar::Tone::Info, text); });
    connect(parts.commands, &SandboxCommands::done, m_notices, &NoticeBar::dismiss);
    connect(parts.commands, &SandboxCommands::created, this, [this](const Sandbox &sandbox) { select(sandbox.id); });
    connect(m_annotations, &AnnotationCommands::failed, m_notices,
            [this](const QString &text) { m_notices->tell(NoticeBar::Tone::Trouble, text); });
    connect(m_menus, &SandboxMenus::createWanted, this, &SandboxPanel::showCreateDialog);
    connect(m_menus, &SandboxMenus::secretWanted, this, &SandboxPanel::secretWanted);
    connect(m_menus, &SandboxMenus::removeAccountWanted, this, &SandboxPanel::askRemoveAccount);
    connectActions();
    connectTools();
    updateActions();
}

bool SandboxPanel::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_needle && event->type() == QEvent::KeyPress) {
        const auto *key = static_cast<QKeyEvent *>(event);
        const bool into = key->key() == Qt::Key_Down || key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (into) {
            // The first sandbox that is left, not the account above it.
            for (QModelIndex at = m_filter->index(0, 0); at.isValid(); at = m_tree->indexBelow(at)) {
                if (SandboxModel::kindOf(at) != SandboxModel::RowKind::Sandbox)
                    continue;
                m_tree->setCurrentIndex(at);
                break;
            }
            m_tree->setFocus();
            if (key->key() != Qt::Key_Down && m_tree->currentIndex().isValid())
                activate(m_tree->currentIndex());
            return true;
        }
        if (key->key() == Qt::Key_Escape) {
            if (m_needle->text().isEmpty())
                emit leaveWanted();
            m_needle->clear();
            m_tree->setFocus();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

QModelIndex SandboxPanel::current() const
{
    return m_filter->mapToSource(m_tree->currentIndex());
}

QString SandboxPanel::currentAccount() const
{
    const QString account = m_tree->currentIndex().data(SandboxModel::AccountIdRole).toString();
    return account.isEmpty() ? m_parts.hub->localId() : account;
}

std::optional<Sandbox> SandboxPanel::currentSandbox() const
{
    const QModelIndex index = m_tree->currentIndex();
    if (!index.isValid() || SandboxModel::kindOf(index) != SandboxModel::RowKind::Sandbox)
        return std::nullopt;
    return SandboxModel::sandboxAt(index);
}

QList<Sandbox> SandboxPanel::selectedSandboxes() const
{
    QModelIndexList chosen = m_tree->selectionModel()->selectedRows();
    const auto path = [](QModelIndex index) {
        std::vector<int> rows;
        for (; index.isValid(); index = index.parent())
            rows.insert(rows.begin(), index.row());
        return rows;
    };
    std::ranges::sort(chosen, {}, path);
    QList<Sandbox> sandboxes;
    QHash<SandboxId, bool> seen;
    const auto add = [&](const QModelIndex &index) {
        if (SandboxModel::kindOf(index) != SandboxModel::RowKind::Sandbox)
            return;
        const Sandbox sandbox = SandboxModel::sandboxAt(index);
        if (!std::exchange(seen[sandbox.id], true))
            sandboxes.append(sandbox);
    };
    for (const QModelIndex &index : std::as_const(chosen)) {
        const SandboxModel::RowKind kind = SandboxModel::kindOf(index);
        add(index);
        // A head the user made stands for all that is shown under it; an account for itself.
        if (kind != SandboxModel::RowKind::Group && kind != SandboxModel::RowKind::Favourites)
            continue;
        for (int row = 0; row < m_filter->rowCount(index); ++row)
            add(m_filter->index(row, 0, index));
    }
    return sandboxes;
}

void SandboxPanel::select(const SandboxId &id)
{
    const QModelIndex index = m_filter->mapFromSource(m_parts.model->indexOf(id));
    if (!index.isValid())
        return;
    for (QModelIndex above = index.parent(); above.isValid(); above = above.parent())
        m_tree->expand(above);
    m_tree->setCurrentIndex(index);
    m_tree->scrollTo(index);
}

void SandboxPanel::focusTree()
{
    if (!m_tree->currentIndex().isValid())
        m_tree->setCurrentIndex(m_filter->index(0, 0));
    m_tree->setFocus(Qt::ShortcutFocusReason);
}

void SandboxPanel::filterFor(const QString &text)
{
    m_needle->setText(text);
    m_needle->setFocus();
}

void SandboxPanel::connectActions()
{
    const Actions &a = *m_parts.actions;
    SandboxCommands *commands = m_parts.commands;
    const auto onSandbox = [this](QAction *action, auto run) {
        connect(action, &QAction::triggered, this, [this, run] {
            if (const std::optional<Sandbox> sandbox = currentSandbox())
                run(*sandbox);
        });
    };
    connect(a[ActionId::OpenTerminal], &QAction::triggered, this, [this] { activate(m_tree->currentIndex()); });
    onSandbox(a[ActionId::OpenTerminalPty], [commands](const Sandbox &s) { commands->open(s, ShellRoute::Pty); });
    onSandbox(a[ActionId::OpenTerminalSsh], [commands](const Sandbox &s) { commands->open(s, ShellRoute::Ssh); });
    onSandbox(a[ActionId::OpenTerminalWith], [this](const Sandbox &s) { emit openWithWanted(s); });
    onSandbox(a[ActionId::BrowseFiles], [this](const Sandbox &s) { emit filesWanted(s); });
    onSandbox(a[ActionId::NewForward], [this](const Sandbox &s) { emit forwardWanted(s); });
    onSandbox(a[ActionId::LogInAs], [this](const Sandbox &s) { emit logInAsWanted(s); });
    onSandbox(a[ActionId::SuspendSandbox], [commands](const Sandbox &s) { commands->suspend(s); });
    onSandbox(a[ActionId::ResumeSandbox], [this](const Sandbox &) { askResume(); });
    onSandbox(a[ActionId::TerminateSandbox], [this](const Sandbox &) { askTerminate(); });
    onSandbox(a[ActionId::CopySandboxId], [](const Sandbox &s) { QGuiApplication::clipboard()->setText(s.id.id); });
    onSandbox(a[ActionId::SandboxDetails], [this](const Sandbox &s) {
        const AccountHub::Entry *entry = m_parts.hub->entry(s.id.account);
        showDetails(s, entry ? entry->account : Account(), m_annotations->of(s.id), m_parts.features ? m_parts.features->of(s.id) : std::nullopt,
                    window());
    });
    connect(a[ActionId::RenameSandbox], &QAction::triggered, this, [this] {
        const QModelIndex index = m_tree->currentIndex();
        if (const std::optional<Sandbox> sandbox = currentSandbox(); sandbox && !ownHostId(sandbox->id).isEmpty())
            m_parts.hosts->change(*sandbox);
        else if (index.flags().testFlag(Qt::ItemIsEditable))
            m_tree->edit(index);
    });
    connect(a[ActionId::RefreshSandboxes], &QAction::triggered, this, [this] {
        for (const AccountHub::Entry &entry : m_parts.hub->entries()) {
            if (entry.state == AccountHub::State::Connected)
                m_parts.registry->refresh(entry.account.id);
        }
    });
    connect(a[ActionId::NewSandbox], &QAction::triggered, this, [this] { showCreateDialog(currentAccount()); });
    connect(a[ActionId::FocusTerminal], &QAction::triggered, this, &SandboxPanel::leaveWanted);
}

void SandboxPanel::connectTools()
{
    const Actions &a = *m_parts.actions;
    SandboxTools *tools = m_parts.tools;
    const auto onSandbox = [this, &a](ActionId id, auto run) {
        connect(a[id], &QAction::triggered, this, [this, run] {
            if (const std::optional<Sandbox> sandbox = currentSandbox())
                run(*sandbox);
        });
    };
    for (const auto &[id, tool] : {std::pair(ActionId::CopySsh, CopyTool::Ssh), std::pair(ActionId::CopyScp, CopyTool::Scp),
                                   std::pair(ActionId::CopySftp, CopyTool::Sftp), std::pair(ActionId::CopyRsync, CopyTool::Rsync)})
        onSandbox(id, [tools, tool](const Sandbox &s) { tools->copy(tool, s); });
    for (const auto &[id, tool] : {std::pair(ActionId::OpenInVsCode, OpenTool::VsCode), std::pair(ActionId::OpenInCursor, OpenTool::Cursor),
                                   std::pair(ActionId::OpenInJetBrains, OpenTool::JetBrains), std::pair(ActionId::OpenInTerminal, OpenTool::Terminal)})
        onSandbox(id, [tools, tool](const Sandbox &s) { tools->open(tool, s); });
    onSandbox(ActionId::OpenTerminalTmux, [this](const Sandbox &s) { emit openTmuxWanted(s); });
    connect(a[ActionId::RunCommand], &QAction::triggered, this, [this] {
        if (const QList<Sandbox> sandboxes = selectedSandboxes(); !sandboxes.isEmpty())
            emit runWanted(sandboxes);
    });
    connect(tools, &SandboxTools::told, m_notices, [this](const QString &text) { m_notices->tell(NoticeBar::Tone::Info, text); });
    connect(tools, &SandboxTools::failed, m_notices, [this](const QString &text) { m_notices->tell(NoticeBar::Tone::Trouble, text); });
}

void SandboxPanel::updateActions()
{
    const Actions &a = *m_parts.actions;
    const std::optional<Sandbox> sandbox = currentSandbox();
    const auto can = [&](Capability capability) { return sandbox && sandbox->capabilities.has(capability); };
    const auto why = [&](Capability capability) {
        return sandbox ? sandbox->capabilities.reasonAgainst(capability) : QString();
    };
    const bool running = sandbox && sandbox->state == SandboxState::Running;
    const bool asleep = sandbox && sandbox->state == SandboxState::Suspended;
    a[ActionId::OpenTerminalPty]->setEnabled(can(Capability::PtyShell));
    a[ActionId::OpenTerminalPty]->setToolTip(why(Capability::PtyShell));
    a[ActionId::OpenTerminalSsh]->setEnabled(can(Capability::SshShell));
    a[ActionId::OpenTerminalSsh]->setToolTip(why(Capability::SshShell));
    a[ActionId::OpenTerminal]->setEnabled(m_tree->currentIndex().isValid());
    a[ActionId::OpenTerminalWith]->setEnabled(can(Capability::PtyShell) || can(Capability::SshShell));
    const bool isOwnHost = sandbox && !ownHostId(sandbox->id).isEmpty();
    a[ActionId::RenameSandbox]->setEnabled(isOwnHost || can(Capability::Rename));
    // What knows nothing of SFTP has files all the same, where it has SSH.
    const QString noFiles = !why(Capability::Sftp).isEmpty() ? why(Capability::Sftp) : why(Capability::SshShell);
    a[ActionId::BrowseFiles]->setEnabled(sandbox && noFiles.isEmpty() && (can(Capability::Sftp) || can(Capability::SshShell)));
    a[ActionId::BrowseFiles]->setToolTip(noFiles);
    const std::optional<Error> noForwards = sandbox ? wayRefusal(ForwardWay::Automatic, *sandbox) : std::nullopt;
    a[ActionId::NewForward]->setEnabled(sandbox && !noForwards);
    a[ActionId::NewForward]->setToolTip(noForwards ? wayReason(*noForwards) : QString());
    a[ActionId::LogInAs]->setEnabled(can(Capability::SshShell));
    a[ActionId::LogInAs]->setToolTip(why(Capability::SshShell));
    a[ActionId::RenameSandbox]->setToolTip(why(Capability::Rename));
    a[ActionId::SuspendSandbox]->setEnabled(running && can(Capability::Suspend));
    a[ActionId::SuspendSandbox]->setToolTip(why(Capability::Suspend));
    a[ActionId::ResumeSandbox]->setEnabled(asleep && can(Capability::Resume));
    a[ActionId::ResumeSandbox]->setToolTip(why(Capability::Resume));
    a[ActionId::TerminateSandbox]->setEnabled(isOwnHost || (can(Capability::Terminate) && sandbox->state != SandboxState::Terminated));
    a[ActionId::TerminateSandbox]->setToolTip(why(Capability::Terminate));
    a[ActionId::CopySandboxId]->setEnabled(sandbox.has_value());
    a[ActionId::SandboxDetails]->setEnabled(sandbox.has_value());
    a[ActionId::OpenTerminalTmux]->setEnabled(can(Capability::SshShell));
    a[ActionId::OpenTerminalTmux]->setToolTip(can(Capability::SshShell) ? tr("A shell over SSH that goes on when its connection breaks.")
                                                                       : why(Capability::SshShell));
    a[ActionId::RunCommand]->setEnabled(!selectedSandboxes().isEmpty());
    m_parts.tools->updateActions(sandbox);
    m_annotations->updateActions();
}

void SandboxPanel::activate(const QModelIndex &index)
{
    if (!index.isValid())
        return;
    switch (SandboxModel::kindOf(index)) {
    case SandboxModel::RowKind::Account:
    case SandboxModel::RowKind::Favourites:
    case SandboxModel::RowKind::Group:
        m_tree->setExpanded(index, !m_tree->isExpanded(index));
        break;
    case SandboxModel::RowKind::Sandbox: {
        const Sandbox sandbox = SandboxModel::sandboxAt(index);
        if (sandbox.state == SandboxState::Suspended && sandbox.capabilities.has(Capability::Resume))
            askResume();
        else
            m_parts.commands->open(sandbox);
        break;
    }
    case SandboxModel::RowKind::Note:
        runNote(index);
        break;
    case SandboxModel::RowKind::Keys:
        emit keysWanted();
        break;
    }
}

void SandboxPanel::runNote(const QModelIndex &index)
{
    const QString account = index.data(SandboxModel::AccountIdRole).toString();
    switch (index.data(SandboxModel::NoteActionRole).value<SandboxModel::NoteAction>()) {
    case SandboxModel::NoteAction::None:
        break;
    case SandboxModel::NoteAction::NewSandbox:
        showCreateDialog(account);
        break;
    case SandboxModel::NoteAction::NewHost:
        m_parts.hosts->enter();
        break;
    case SandboxModel::NoteAction::Retry:
        m_parts.hub->retry(account);
        break;
    case SandboxModel::NoteAction::EnterSecret:
        emit secretWanted(account);
        break;
    }
}

void SandboxPanel::quickAction(const QModelIndex &index, SandboxDelegate::QuickAction action, const QPoint &at)
{
    m_tree->setCurrentIndex(index);
    switch (action) {
    case SandboxDelegate::QuickAction::Terminal:
        activate(index);
        break;
    case SandboxDelegate::QuickAction::More:
        showMenu(index, at);
        break;
    case SandboxDelegate::QuickAction::New:
        showCreateDialog(index.data(SandboxModel::AccountIdRole).toString());
        break;
    }
}

void SandboxPanel::showMenu(const QModelIndex &index, const QPoint &globalPos)
{
    if (!index.isValid())
        return;
    // A menu over one of several selected rows is for all of them.
    if (m_tree->selectionModel()->isSelected(index))
        m_tree->selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
    else
        m_tree->setCurrentIndex(index);
    m_menus->makeFor(index, this)->popup(globalPos);
}

void SandboxPanel::filterChanged(const QString &text)
{
    const bool was = !m_filter->needle().isEmpty();
    m_filter->setNeedle(text);
    if (!m_filter->needle().isEmpty())
        m_folds->openAll();
    else if (was)
        m_folds->restore();
    const bool nothing = !m_filter->needle().isEmpty() && m_filter->rowCount() == 0;
    m_nothing->setText(tr("Nothing matches “%1”.").arg(m_filter->needle()));
    m_nothing->setVisible(nothing);
}

void SandboxPanel::askTerminate()
{
    const std::optional<Sandbox> sandbox = currentSandbox();
    if (!sandbox)
        return;
    if (!ownHostId(sandbox->id).isEmpty())
        return m_parts.hosts->askRemove(*sandbox);
    const int shells = current().data(SandboxModel::ShellsRole).toInt();
    confirm(window(),
            {tr("Terminate %1?").arg(sandbox->displayName()), terminateLoss(*sandbox, shells), tr("Terminate"), tr("Keep it")},
            [commands = m_parts.commands, box = *sandbox] { commands->terminate(box); });
}

void SandboxPanel::connectDrops()
{
    m_tree->setDropJudge([](const CarriedFiles &files, const QModelIndex &index) -> QString {
        if (SandboxModel::kindOf(index) != SandboxModel::RowKind::Sandbox)
            return tr("Files are dropped on a sandbox or a host.");
        const Sandbox sandbox = SandboxModel::sandboxAt(index);
        if (files.place == sandbox.id)
            return tr("They are in “%1” already.").arg(tamed(sandbox.displayName(), 60));
        if (sandbox.state == SandboxState::Terminated)
            return tr("“%1” is terminated.").arg(tamed(sandbox.displayName(), 60));
        if (sandbox.state == SandboxState::Suspended && !sandbox.capabilities.has(Capability::Resume))
            return sandbox.capabilities.reasonAgainst(Capability::Resume);
        return {};
    });
    connect(m_tree, &SandboxTree::filesDropped, this, [this](const CarriedFiles &files, const QModelIndex &index) { takeDrop(files, SandboxModel::sandboxAt(index)); });
}

void SandboxPanel::takeDrop(const CarriedFiles &files, const Sandbox &sandbox)
{
    if (sandbox.state != SandboxState::Suspended)
        return emit uploadWanted(files, sandbox);
    const AccountHub::Entry *entry = m_parts.hub->entry(sandbox.id.account);
    Confirmation question;
    question.question = tr("Wake “%1” for the upload?").arg(tamed(sandbox.displayName(), 60));
    question.text = tr("%1 would go to its home folder. %2").arg(namesOf(files), entry ? resumeCost(entry->account.apiUrl) : QString());
    question.verb = tr("Resume and upload");
    question.keep = tr("Let it sleep");
    question.isDestructive = false;
    confirm(window(), question, [this, still = QPointer(this), files, sandbox] {
        if (!still)
            return;
        m_parts.commands->resume(sandbox);
        emit uploadWanted(files, sandbox);
    });
}

void SandboxPanel::askResume()
{
    const std::optional<Sandbox> sandbox = currentSandbox();
    const AccountHub::Entry *entry = sandbox ? m_parts.hub->entry(sandbox->id.account) : nullptr;
    if (!entry)
        return;
    m_notices->tell(NoticeBar::Tone::Info,
                    tr("%1 is suspended. %2").arg(sandbox->displayName(), resumeCost(entry->account.apiUrl)), tr("Resume"),
                    [commands = m_parts.commands, box = *sandbox] { commands->resume(box); });
}

void SandboxPanel::askRemoveAccount(const QString &accountId)
{
    const AccountHub::Entry *entry = m_parts.hub->entry(accountId);
    if (!entry)
        return;
    confirm(window(),
            {tr("Remove %1 from Sandpiper?").arg(entry->account.name),
             tr("Its key is deleted from this computer's keychain. Its sandboxes stay as they are at the vendor."),
             tr("Remove"), tr("Keep it")},
            [this, accountId] {
                if (const Done removed = m_parts.hub->remove(accountId); !removed)
                    m_notices->tell(NoticeBar::Tone::Trouble, tr("The account could not be removed: %1").arg(removed.error().detail));
            });
}

void SandboxPanel::showCreateDialog(const QString &accountId)
{
    const AccountHub::Entry *entry = m_parts.hub->entry(accountId);
    if (entry && entry->account.vendor == sshVendorId())
        return m_parts.hosts->enter();
    auto *dialog = new CreateDialog(m_parts.hub, m_parts.commands, accountId, window());
    dialog->open();
}

} // namespace Sandpiper

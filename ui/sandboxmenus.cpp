#include "ui/sandboxmenus.h"

#include "session/providers/sshhosts.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QMenu>

namespace Sandpiper {

SandboxMenus::SandboxMenus(const Parts &parts, QObject *parent)
    : QObject(parent)
    , m_parts(parts)
{
}

QMenu *SandboxMenus::makeFor(const QModelIndex &index, QWidget *parent)
{
    auto *menu = new QMenu(parent);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->setToolTipsVisible(true);
    switch (SandboxModel::kindOf(index)) {
    case SandboxModel::RowKind::Sandbox:
        fillSandboxMenu(menu, SandboxModel::sandboxAt(index));
        break;
    case SandboxModel::RowKind::Favourites:
    case SandboxModel::RowKind::Group:
        fillSeveralMenu(menu);
        break;
    case SandboxModel::RowKind::Account:
    case SandboxModel::RowKind::Note:
        fillAccountMenu(menu, index.data(SandboxModel::AccountIdRole).toString());
        break;
    case SandboxModel::RowKind::Keys:
        menu->addAction(m_parts.actions->action(ActionId::ManageKeys));
        break;
    }
    return menu;
}

void SandboxMenus::fillSandboxMenu(QMenu *menu, const Sandbox &sandbox)
{
    const Actions &a = *m_parts.actions;
    if (sandbox.id.vendor == sshVendorId())
        return fillHostMenu(menu, sandbox);
    menu->addAction(a[ActionId::OpenTerminal]);
    menu->addAction(a[ActionId::OpenTerminalPty]);
    menu->addAction(a[ActionId::OpenTerminalSsh]);
    menu->addAction(a[ActionId::OpenTerminalWith]);
    menu->addAction(a[ActionId::BrowseFiles]);
    menu->addAction(a[ActionId::NewForward]);
    menu->addAction(a[ActionId::LogInAs]);
    menu->addAction(a[ActionId::OpenTerminalTmux]);
    menu->addAction(a[ActionId::RunCommand]);
    menu->addSeparator();
    m_parts.tools->addMenus(menu);
    menu->addSeparator();
    menu->addAction(sandbox.state == SandboxState::Suspended ? a[ActionId::ResumeSandbox] : a[ActionId::SuspendSandbox]);
    menu->addAction(a[ActionId::RenameSandbox]);
    menu->addSeparator();
    menu->addAction(a[ActionId::Favourite]);
    menu->addAction(a[ActionId::LabelsAndNotes]);
    menu->addAction(a[ActionId::SandboxDetails]);
    menu->addAction(a[ActionId::CopySandboxId]);
    menu->addSeparator();
    menu->addAction(a[ActionId::TerminateSandbox]);
}

void SandboxMenus::fillHostMenu(QMenu *menu, const Sandbox &host)
{
    const Actions &a = *m_parts.actions;
    menu->addAction(a[ActionId::OpenTerminal]);
    menu->addAction(a[ActionId::OpenTerminalWith]);
    menu->addAction(a[ActionId::BrowseFiles]);
    menu->addAction(a[ActionId::NewForward]);
    menu->addSeparator();
    menu->addAction(a[ActionId::Favourite]);
    menu->addAction(a[ActionId::LabelsAndNotes]);
    menu->addAction(a[ActionId::SandboxDetails]);
    menu->addAction(icon(IconName::Copy), tr("Copy its address"), this,
                    [host] { QGuiApplication::clipboard()->setText(host.note); });
    if (ownHostId(host.id).isEmpty())
        return;
    menu->addSeparator();
    menu->addAction(icon(IconName::Rename), tr("Change…"), this, [this, host] { m_parts.hosts->change(host); });
    menu->addAction(icon(IconName::Remove), tr("Remove…"), this, [this, host] { m_parts.hosts->askRemove(host); });
}

void SandboxMenus::fillSeveralMenu(QMenu *menu)
{
    const Actions &a = *m_parts.actions;
    menu->addAction(a[ActionId::RunCommand]);
    menu->addSeparator();
    menu->addAction(a[ActionId::Favourite]);
    menu->addAction(a[ActionId::LabelsAndNotes]);
}

void SandboxMenus::fillAccountMenu(QMenu *menu, const QString &accountId)
{
    const AccountHub::Entry *account = m_parts.hub->entry(accountId);
    if (account && account->account.vendor == sshVendorId()) {
        menu->addAction(m_parts.actions->action(ActionId::NewHost));
        menu->addAction(m_parts.actions->action(ActionId::QuickConnect));
        menu->addAction(m_parts.actions->action(ActionId::ImportHosts));
        menu->addAction(icon(IconName::Refresh), tr("Refresh"), this, [this, accountId] { m_parts.hub->retry(accountId); });
        return;
    }
    menu->addAction(icon(IconName::Add), tr("New sandbox…"), this, [this, accountId] { emit createWanted(accountId); });
    menu->addAction(icon(IconName::Refresh), tr("Refresh"), this, [this, accountId] { m_parts.hub->retry(accountId); });
    const AccountHub::Entry *entry = m_parts.hub->entry(accountId);
    if (!entry || accountId == m_parts.hub->localId() || entry->account.fromEnvironment)
        return;
    menu->addSeparator();
    menu->addAction(icon(IconName::Lock), tr("Enter a new key…"), this, [this, accountId] { emit secretWanted(accountId); });
    menu->addAction(icon(IconName::Remove), tr("Remove account…"), this, [this, accountId] { emit removeAccountWanted(accountId); });
}

} // namespace Sandpiper

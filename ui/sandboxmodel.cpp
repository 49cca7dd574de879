#include "ui/sandboxmodel.h"

#include "session/errortext.h"
#include "session/providers/sshhosts.h"
#include "ui/icons.h"
#include "ui/sandboxtext.h"

#include <algorithm>
#include <chrono>

namespace Sandpiper {

using namespace Qt::Literals::StringLiterals;
using namespace std::chrono_literals;

namespace {

// After this long a list that loads says what it waits for.
constexpr qint64 patienceSeconds = 10;

} // namespace

SandboxModel::SandboxModel(SandboxRegistry *registry, AccountHub *hub, const Annotations *annotations, QObject *parent)
    : QAbstractItemModel(parent)
    , m_registry(registry)
    , m_hub(hub)
    , m_annotations(annotations)
{
    connect(hub, &AccountHub::entriesChanged, this, &SandboxModel::syncGroups);
    connect(hub, &AccountHub::entryChanged, this, &SandboxModel::accountChanged);
    connect(registry, &SandboxRegistry::accountAdded, this, &SandboxModel::syncRows);
    connect(registry, &SandboxRegistry::accountRemoved, this, &SandboxModel::syncRows);
    connect(registry, &SandboxRegistry::accountChanged, this, &SandboxModel::accountChanged);
    connect(registry, &SandboxRegistry::sandboxesChanged, this, &SandboxModel::syncRows);
    connect(registry, &SandboxRegistry::keysChanged, this, &SandboxModel::keysChanged);
    if (annotations)
        connect(annotations, &Annotations::changed, this, &SandboxModel::annotationsChanged);
    connect(&m_clock, &QTimer::timeout, this, &SandboxModel::timePassed);
    m_clock.start(10s);
    syncGroups();
}

SandboxModel::~SandboxModel() = default;

void SandboxModel::setShellCounter(std::function<int(const SandboxId &)> counter)
{
    m_shells = std::move(counter);
    shellsChanged();
}

void SandboxModel::shellsChanged()
{
    for (const Section *section : std::as_const(m_bySerial)) {
        if (section->rows.isEmpty())
            continue;
        const QModelIndex head = indexOf(*section);
        emit dataChanged(index(0, 0, head), index(int(section->rows.size()) - 1, 0, head), {ShellsRole});
    }
}

void SandboxModel::setPending(const SandboxId &id, const QString &word)
{
    m_pending.insert(id, word);
    const QModelIndex at = indexOf(id);
    if (at.isValid())
        emit dataChanged(at, at);
}

void SandboxModel::clearPending(const SandboxId &id)
{
    if (!m_pending.remove(id))
        return;
    const QModelIndex at = indexOf(id);
    if (at.isValid())
        emit dataChanged(at, at);
}

SandboxModel::Section *SandboxModel::favourites() const
{
    return !m_top.empty() && m_top.front()->kind == RowKind::Favourites ? m_top.front().get() : nullptr;
}

SandboxModel::Section *SandboxModel::accountSection(const QString &accountId) const
{
    for (const auto &section : m_top) {
        if (section->kind == RowKind::Account && section->accountId == accountId)
            return section.get();
    }
    return nullptr;
}

QList<SandboxModel::Section *> SandboxModel::sectionsOf(const Section &account) const
{
    QList<Section *> sections{m_bySerial.value(account.serial)};
    for (const auto &group : account.groups)
        sections.append(group.get());
    if (Section *chosen = favourites())
        sections.append(chosen);
    return sections;
}

SandboxModel::Section *SandboxModel::sectionAt(const QModelIndex &index) const
{
    if (!index.isValid())
        return nullptr;
    if (index.internalId() == 0)
        return index.row() < int(m_top.size()) ? m_top[size_t(index.row())].get() : nullptr;
    const Section *container = m_bySerial.value(index.internalId());
    if (!container || container->hasNote)
        return nullptr;
    const int at = index.row() - int(container->rows.size());
    return at >= 0 && at < int(container->groups.size()) ? container->groups[size_t(at)].get() : nullptr;
}

QModelIndex SandboxModel::indexOf(const Section &section) const
{
    const auto &siblings = section.parent ? section.parent->groups : m_top;
    const auto it = std::ranges::find(siblings, &section, &std::unique_ptr<Section>::get);
    const int place = int(it - siblings.begin());
    return section.parent ? createIndex(int(section.parent->rows.size()) + place, 0, section.parent->serial)
                          : createIndex(place, 0, quintptr(0));
}

QModelIndex SandboxModel::indexOf(const SandboxId &id) const
{
    const Section *account = accountSection(id.account);
    if (!account)
        return {};
    for (const Section *section : sectionsOf(*account)) {
        for (int row = 0; row < int(section->rows.size()); ++row) {
            if (section->rows[row].sandbox.id == id)
                return createIndex(row, 0, section->serial);
        }
    }
    return {};
}

QModelIndex SandboxModel::accountIndex(const QString &accountId) const
{
    const Section *account = accountSection(accountId);
    return account ? indexOf(*account) : QModelIndex();
}

QModelIndex SandboxModel::keysIndex() const
{
    return createIndex(int(m_top.size()), 0, quintptr(0));
}

SandboxModel::RowKind SandboxModel::kindOf(const QModelIndex &index)
{
    return index.data(KindRole).value<RowKind>();
}

Sandbox SandboxModel::sandboxAt(const QModelIndex &index)
{
    return index.data(SandboxRole).value<Sandbox>();
}

QModelIndex SandboxModel::index(int row, int column, const QModelIndex &parent) const
{
    if (column != 0 || row < 0 || row >= rowCount(parent))
        return {};
    return createIndex(row, 0, parent.isValid() ? sectionAt(parent)->serial : quintptr(0));
}

QModelIndex SandboxModel::parent(const QModelIndex &child) const
{
    if (!child.isValid() || child.internalId() == 0)
        return {};
    const Section *container = m_bySerial.value(child.internalId());
    return container ? indexOf(*container) : QModelIndex();
}

int SandboxModel::rowCount(const QModelIndex &parent) const
{
    if (!parent.isValid())
        return int(m_top.size()) + 1;
    const Section *section = sectionAt(parent);
    return section ? section->childCount() : 0;
}

int SandboxModel::columnCount(const QModelIndex &) const
{
    return 1;
}

Qt::ItemFlags SandboxModel::flags(const QModelIndex &index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    if (index.internalId() == 0 || sectionAt(index))
        return flags;
    flags |= Qt::ItemNeverHasChildren;
    const Section *container = m_bySerial.value(index.internalId());
    if (container && !container->hasNote && container->rows[index.row()].sandbox.capabilities.has(Capability::Rename))
        flags |= Qt::ItemIsEditable;
    return flags;
}

QVariant SandboxModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    if (const Section *section = sectionAt(index))
        return section->kind == RowKind::Account ? accountData(*section, role) : sectionData(*section, role);
    if (index.internalId() == 0)
        return keysData(role);
    const Section *container = m_bySerial.value(index.internalId());
    if (!container)
        return {};
    return container->hasNote ? noteData(*container, role) : rowData(*container, container->rows[index.row()], role);
}

QString SandboxModel::accountName(const QString &accountId) const
{
    const AccountHub::Entry *entry = m_hub->entry(accountId);
    return entry ? entry->account.name : QString();
}

Annotation SandboxModel::annotationOf(const SandboxId &id) const
{
    return m_annotations ? m_annotations->of(id) : Annotation();
}

QVariant SandboxModel::sectionData(const Section &section, int role) const
{
    const bool isGroup = section.kind == RowKind::Group;
    const int count = int(section.rows.size());
    switch (role) {
    case Qt::DisplayRole:
        return isGroup ? section.name : tr("Favourites");
    case Qt::ToolTipRole:
        return plainTip(isGroup ? section.name : tr("Favourites"));
    case Qt::AccessibleTextRole:
        return isGroup ? tr("Group %1 of %2, %n sandbox(es)", nullptr, count).arg(section.name, accountName(section.accountId))
                       : tr("Favourites, %n sandbox(es)", nullptr, count);
    case KindRole:
        return QVariant::fromValue(section.kind);
    case AccountIdRole:
        return section.accountId;
    case CountRole:
        return count;
    case SectionRole:
        return sectionKey(section);
    default:
        return {};
    }
}

QVariant SandboxModel::accountData(const Section &account, int role) const
{
    const AccountHub::Entry *entry = m_hub->entry(account.accountId);
    if (!entry)
        return {};
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return entry->account.name;
    case Qt::AccessibleTextRole:
        return entry->account.vendor == sshVendorId()
                ? tr("%1, %n host(s)", nullptr, account.total).arg(entry->account.name)
                : tr("Account %1, %n sandbox(es)", nullptr, account.total).arg(entry->account.name);
    case KindRole:
        return QVariant::fromValue(RowKind::Account);
    case AccountIdRole:
        return account.accountId;
    case SectionRole:
        return sectionKey(account);
    case CountRole:
        return account.total;
    case TroubleRole: {
        const SandboxRegistry::AccountView *view = m_registry->view(account.accountId);
        if (view && view->state == SandboxRegistry::AccountState::Failed && account.total > 0)
            return errorText(view->error).sentence;
        if (view && account.total > 0)
            return view->remark;
        return QString();
    }
    case BusyRole: {
        const SandboxRegistry::AccountView *view = m_registry->view(account.accountId);
        return entry->state == AccountHub::State::Preparing
                || (view && view->state == SandboxRegistry::AccountState::Loading);
    }
    default:
        return {};
    }
}

SandboxModel::Note SandboxModel::noteOf(const Section &account) const
{
    const AccountHub::Entry *entry = m_hub->entry(account.accountId);
    if (!entry)
        return {};
    if (account.total > 0)
        return {tr("All of these are among the favourites.")};
    const bool local = account.accountId == m_hub->localId();
    const bool slow = entry->since.secsTo(QDateTime::currentDateTimeUtc()) >= patienceSeconds;
    const QString place = entry->account.apiUrl.host();
    switch (entry->state) {
    case AccountHub::State::Idle:
        return {tr("No sandboxes yet."), NoteAction::NewSandbox, tr("New sandbox")};
    case AccountHub::State::Preparing:
        if (!slow)
            return {local ? tr("Starting…") : tr("Connecting…")};
        return local ? Note{tr("Still waiting for this computer's gateway to start."), NoteAction::Retry, tr("Try again")}
                     : Note{tr("Still waiting for the keychain. Is it locked?"), NoteAction::Retry, tr("Try again")};
    case AccountHub::State::NoSecret:
        if (entry->account.fromEnvironment)
            return {tr("The environment variable with its key is gone.")};
        return {tr("Its key is not kept on this computer."), NoteAction::EnterSecret, tr("Enter the key")};
    case AccountHub::State::Failed:
        return {errorText(entry->error).sentence, NoteAction::Retry, tr("Try again")};
    case AccountHub::State::Connected:
        break;
    }
    const SandboxRegistry::AccountView *view = m_registry->view(account.accountId);
    if (!view || view->state == SandboxRegistry::AccountState::Loading) {
        return slow ? Note{tr("Still waiting for an answer from %1.").arg(place), NoteAction::Retry, tr("Try again")}
                    : Note{tr("Loading…")};
    }
    if (view->state == SandboxRegistry::AccountState::Failed) {
        const bool rejected = view->error.kind == ErrorKind::AuthRejected && !entry->account.fromEnvironment && !local;
        return rejected ? Note{errorText(view->error).sentence, NoteAction::EnterSecret, tr("Enter the key")}
                        : Note{errorText(view->error).sentence, NoteAction::Retry, tr("Try again")};
    }
    if (entry->account.vendor == sshVendorId())
        return {view->remark.isEmpty() ? tr("No SSH hosts yet.") : view->remark, NoteAction::NewHost, tr("New SSH host")};
    return {tr("No sandboxes yet."), NoteAction::NewSandbox, tr("New sandbox")};
}

QVariant SandboxModel::noteData(const Section &account, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return noteOf(account).sentence;
    case Qt::AccessibleTextRole: {
        const Note note = noteOf(account);
        return note.label.isEmpty() ? note.sentence : note.sentence + u' ' + note.label;
    }
    case KindRole:
        return QVariant::fromValue(RowKind::Note);
    case AccountIdRole:
        return account.accountId;
    case NoteActionRole:
        return QVariant::fromValue(noteOf(account).action);
    case NoteLabelRole:
        return noteOf(account).label;
    default:
        return {};
    }
}

QVariant SandboxModel::rowData(const Section &section, const Row &row, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
        return row.sandbox.displayName();
    case Qt::ToolTipRole: {
        QStringList lines{row.sandbox.displayName(), row.sandbox.note, sshConfigPlace(row.sandbox), publicPortsText(row.sandbox)};
        lines += annotationLines(annotationOf(row.sandbox.id));
        lines.removeAll(QString());
        return plainTip(lines.join(u'\n'));
    }
    case Qt::AccessibleTextRole:
        return QStringList(QStringList{spokenRow(row.sandbox, m_shells ? m_shells(row.sandbox.id) : 0, QDateTime::currentDateTimeUtc())}
                           + annotationLines(annotationOf(row.sandbox.id)))
                .join(u", "_s);
    case KindRole:
        return QVariant::fromValue(RowKind::Sandbox);
    case AccountIdRole:
        return row.sandbox.id.account;
    case SandboxRole:
        return QVariant::fromValue(row.sandbox);
    case DetailRole: {
        const QString pending = m_pending.value(row.sandbox.id);
        if (!pending.isEmpty())
            return pending;
        QStringList parts{secondLine(row.sandbox, QDateTime::currentDateTimeUtc())};
        // Among the favourites it stands under no account. Of an SSH host the line says where it leads.
        if (section.kind == RowKind::Favourites && row.sandbox.id.vendor != sshVendorId())
            parts.prepend(accountName(row.sandbox.id.account));
        parts.removeAll(QString());
        return parts.join(u" · "_s);
    }
    case AnnotationRole:
        return QVariant::fromValue(annotationOf(row.sandbox.id));
    case ShellsRole:
        return m_shells ? m_shells(row.sandbox.id) : 0;
    case BusyRole:
        return m_pending.contains(row.sandbox.id) || isInTransit(row.sandbox.state);
    default:
        return {};
    }
}

QVariant SandboxModel::keysData(int role) const
{
    switch (role) {
    case Qt::DisplayRole:
        return tr("SSH keys");
    case Qt::AccessibleTextRole:
        return tr("SSH keys: opens the page of keys");
    case KindRole:
        return QVariant::fromValue(RowKind::Keys);
    case CountRole: {
        QStringList seen;
        for (const QString &id : m_registry->accountIds()) {
            if (const auto *view = m_registry->view(id)) {
                for (const SshKey &key : view->keys)
                    seen.append(key.fingerprint);
            }
        }
        seen.removeDuplicates();
        return int(seen.size());
    }
    default:
        return {};
    }
}

bool SandboxModel::setData(const QModelIndex &index, const QVariant &value, int role)
{
    if (role != Qt::EditRole || !index.isValid() || index.internalId() == 0)
        return false;
    const Sandbox sandbox = sandboxAt(index);
    const QString name = value.toString().trimmed();
    if (sandbox.id.isEmpty() || name.isEmpty() || name == sandbox.displayName())
        return false;
    emit renameWanted(sandbox, name);
    return true;
}

} // namespace Sandpiper
